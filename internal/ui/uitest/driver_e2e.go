//go:build e2e

package uitest

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// Socket is the environment variable with the socket's path.
const Socket = "TOKENKEEP_E2E_SOCKET"

// tickEvery is how often the probe asks for a turn on the window's goroutine.
const tickEvery = 10 * time.Millisecond

// Asked is a request, one a line: op is tree, frames, or quit.
type Asked struct {
	Op string `json:"op"`
}

// Told is the answer, one a line.
type Told struct {
	Error string `json:"error,omitempty"`
	Title string `json:"title,omitempty"`
	// Width and Height are the canvas in pixels.
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Nodes  []Seen `json:"nodes,omitempty"`
	// GapMS is the longest wait for a turn on the window's goroutine since the
	// last asking, in milliseconds; Ticks is how many turns there were.
	GapMS float64 `json:"gap_ms,omitempty"`
	Ticks int     `json:"ticks,omitempty"`
}

// Seen is a widget, its rectangle in pixels of the window.
type Seen struct {
	Role     string `json:"role"`
	Text     string `json:"text"`
	Value    string `json:"value,omitempty"`
	X        int    `json:"x"`
	Y        int    `json:"y"`
	W        int    `json:"w"`
	H        int    `json:"h"`
	Enabled  bool   `json:"enabled"`
	Focused  bool   `json:"focused,omitempty"`
	Selected bool   `json:"selected,omitempty"`
	Shown    bool   `json:"shown"`
	Overlay  int    `json:"overlay,omitempty"`
}

// Serve describes the window on the socket that the environment names; without
// one it does nothing. It must be called once the program runs.
func Serve(w fyne.Window, run kit.Runner) (stop func(), err error) {
	path := os.Getenv(Socket)
	if path == "" {
		return func() {}, nil
	}
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	s := &server{w: w, run: run, end: make(chan struct{})}
	go s.probe()
	go s.accept(l)
	var once sync.Once
	return func() {
		once.Do(func() {
			close(s.end)
			_ = l.Close()
			_ = os.Remove(path)
		})
	}, nil
}

// listen makes the socket private from its first moment: it is bound inside a
// directory of its own and moved into place.
func listen(path string) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), "e2e-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s")})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	err = os.Chmod(filepath.Join(dir, "s"), 0o600)
	if err == nil {
		err = os.Rename(filepath.Join(dir, "s"), path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

type server struct {
	w   fyne.Window
	run kit.Runner
	end chan struct{}

	mu    sync.Mutex
	gap   time.Duration
	ticks int
	since time.Time
}

func (s *server) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go s.serve(c)
	}
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	in, out := bufio.NewScanner(c), json.NewEncoder(c)
	for in.Scan() {
		var asked Asked
		told := Told{Error: "not a request"}
		if json.Unmarshal(in.Bytes(), &asked) == nil {
			told = s.answer(asked)
		}
		if out.Encode(told) != nil {
			return
		}
	}
}

func (s *server) answer(asked Asked) Told {
	switch asked.Op {
	case "tree":
		return s.onScreen(s.tree)
	case "frames":
		return s.frames()
	case "quit":
		s.run.Post(func() { fyne.CurrentApp().Quit() })
		return Told{}
	}
	return Told{Error: "unknown op " + asked.Op}
}

// onScreen runs f on the window's goroutine and waits for its answer.
func (s *server) onScreen(f func() Told) Told {
	done := make(chan Told, 1)
	s.run.Post(func() { done <- f() })
	select {
	case t := <-done:
		return t
	case <-s.end:
		return Told{Error: "the window is closing"}
	case <-time.After(20 * time.Second):
		return Told{Error: "the window did not answer within 20 s"}
	}
}

func (s *server) tree() Told {
	c := s.w.Canvas()
	told := Told{Title: s.w.Title()}
	told.Width, told.Height = c.PixelCoordinateForPosition(fyne.NewPos(c.Size().Width, c.Size().Height))
	for _, n := range Walk(c) {
		at, size := n.Rect()
		x, y := c.PixelCoordinateForPosition(at)
		x2, y2 := c.PixelCoordinateForPosition(at.AddXY(size.Width, size.Height))
		told.Nodes = append(told.Nodes, Seen{
			Role: n.Role, Text: n.Text, Value: n.Value, X: x, Y: y, W: x2 - x, H: y2 - y,
			Enabled: n.Enabled, Focused: n.Focused, Selected: n.Selected, Shown: n.Shown, Overlay: n.Overlay,
		})
	}
	return told
}

// probe asks for a turn again and again and notes the longest wait. A turn that
// does not come counts while it is waited for.
func (s *server) probe() {
	for {
		asked := time.Now()
		s.mu.Lock()
		s.since = asked
		s.mu.Unlock()
		turn := make(chan struct{})
		s.run.Post(func() { close(turn) })
		select {
		case <-turn:
		case <-s.end:
			return
		}
		s.mu.Lock()
		s.gap = max(s.gap, time.Since(asked))
		s.ticks++
		s.since = time.Time{}
		s.mu.Unlock()
		select {
		case <-time.After(tickEvery):
		case <-s.end:
			return
		}
	}
}

func (s *server) frames() Told {
	s.mu.Lock()
	defer s.mu.Unlock()
	gap := s.gap
	if !s.since.IsZero() {
		gap = max(gap, time.Since(s.since))
	}
	told := Told{GapMS: float64(gap.Microseconds()) / 1000, Ticks: s.ticks}
	s.gap, s.ticks = 0, 0
	return told
}
