//go:build e2e

package uitest

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// window is a Runner whose posts run on one goroutine, as in the real window.
type window struct{ posts chan func() }

func (w window) Go(f func())     { go f() }
func (w window) Beside(f func()) { go f() }
func (w window) Post(f func())   { w.posts <- f }
func (w window) After(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, func() { w.Post(f) })
	return func() { t.Stop() }
}

type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (c *client) ask(line string) Told {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(line + "\n")); err != nil {
		c.t.Fatal(err)
	}
	answer, err := c.in.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	var told Told
	if err := json.Unmarshal(answer, &told); err != nil {
		c.t.Fatal(err)
	}
	if strings.Contains(string(answer), "canary") {
		c.t.Errorf("a secret left the window: %s", answer)
	}
	return told
}

func serve(t *testing.T, s *Screen) (*client, window) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	t.Setenv(Socket, path)
	w := window{posts: make(chan func())}
	go func() {
		for f := range w.posts {
			f()
		}
	}()
	stop, err := Serve(s.Window, w)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	if rest, _ := os.ReadDir(filepath.Dir(path)); len(rest) != 1 {
		t.Errorf("left behind: %v", rest)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		stop()
		stop()
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return &client{t, conn, bufio.NewReader(conn)}, w
}

func TestServeTheTree(t *testing.T) {
	s := New(t, Options{Pixels: 2, Size: fyne.NewSize(400, 500)})
	s.Window.SetTitle("Tokenkeep")
	s.Show(form(s, func() {}))
	s.Type("App secret", "canary-0123456789")
	c, _ := serve(t, s)
	told := c.ask(`{"op":"tree"}`)
	if told.Title != "Tokenkeep" || told.Width != 800 || told.Height != 1000 || told.Error != "" {
		t.Errorf("%+v", told)
	}
	found := map[string]Seen{}
	for _, n := range told.Nodes {
		found[n.Role+" "+n.Text] = n
	}
	at, size := s.Find(kit.RoleButton, "Continue").Rect()
	if b := found["button Continue"]; b.X != int(at.X*2) || b.Y != int(at.Y*2) || b.W != int(size.Width*2) || b.H != int(size.Height*2) || !b.Enabled || !b.Shown {
		t.Errorf("%+v, the widget is at %v, %v", b, at, size)
	}
	if b := found["button Stop"]; b.Enabled {
		t.Error("a disabled button is told as enabled")
	}
	if e := found["secret App secret"]; e.Value != kit.Masked || !e.Focused {
		t.Errorf("%+v", e)
	}
	s.Frame.Open(kit.Dialog{Title: "Stop?", Buttons: []kit.DialogButton{{Label: "No", Harmless: true}}})
	for _, n := range c.ask(`{"op":"tree"}`).Nodes {
		if n.Text == "No" && n.Overlay != 1 {
			t.Errorf("%+v", n)
		}
	}
}

func TestServeNoticesAHungWindow(t *testing.T) {
	s := New(t, Options{})
	s.Show(kit.NewText("words"))
	c, w := serve(t, s)
	time.Sleep(100 * time.Millisecond)
	c.ask(`{"op":"frames"}`)
	done := make(chan struct{})
	w.Post(func() { time.Sleep(400 * time.Millisecond); close(done) })
	// While it hangs the answer comes all the same, and says so.
	time.Sleep(200 * time.Millisecond)
	if told := c.ask(`{"op":"frames"}`); told.GapMS < 100 {
		t.Errorf("hung for 200 ms, told %+v", told)
	}
	<-done
	time.Sleep(50 * time.Millisecond)
	if told := c.ask(`{"op":"frames"}`); told.GapMS < 300 {
		t.Errorf("hung for 400 ms, told %+v", told)
	}
	time.Sleep(100 * time.Millisecond)
	if told := c.ask(`{"op":"frames"}`); told.Ticks == 0 || told.GapMS > 250 {
		t.Errorf("a window at rest, told %+v", told)
	}
}

func TestServeRefusesNonsense(t *testing.T) {
	s := New(t, Options{})
	s.Show(kit.NewText("words"))
	c, _ := serve(t, s)
	for _, line := range []string{`{"op":"dance"}`, `{}`, `tree`, ``} {
		if told := c.ask(line); told.Error == "" {
			t.Errorf("%q: %+v", line, told)
		}
	}
	if told := c.ask(`{"op":"quit"}`); told.Error != "" {
		t.Error(told.Error)
	}
}

func TestServeNeedsItsVariable(t *testing.T) {
	t.Setenv(Socket, "")
	stop, err := Serve(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	t.Setenv(Socket, filepath.Join(t.TempDir(), "no", "such", "folder"))
	if _, err := Serve(nil, nil); err == nil {
		t.Error("a socket that cannot be made must be said")
	}
}
