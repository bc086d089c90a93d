package desktop

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const (
	lockName    = "window.lock"
	addressName = "window.addr"

	// tellLimit is how long a second window tries to reach the first, which may
	// be just starting.
	tellLimit = 3 * time.Second
	// wishLimit is how long one visitor may take to say its line.
	wishLimit = 2 * time.Second
)

// wishes are the whole alphabet of what one window may ask of another.
var wishes = regexp.MustCompile(`^[a-z0-9:]{1,200}$`)

// errHeld: another process has the lock.
var errHeld = errors.New("held by another process")

// Instance is the one window of a home.
type Instance struct {
	// Wishes is what later starts asked for, "show" or "account:<id>"; it is
	// closed by Close. A wish that nobody takes is dropped after 16 others.
	Wishes <-chan string

	listener net.Listener
	word     string
	address  string // the file
	unlock   func()
	wishes   chan string
	once     sync.Once

	mu       sync.Mutex
	visitors map[net.Conn]bool // nil once closed
	serving  sync.WaitGroup
}

// Single makes this process the window of dir, an existing folder of the
// person's own. first is nil where another process is; it is to be told with
// Tell, and this one ends. Errors: lock.unavailable (the file system cannot
// lock), home.unusable; with either, the window may open all the same.
func Single(dir string) (first *Instance, err error) {
	unlock, err := lockFile(filepath.Join(dir, lockName))
	if errors.Is(err, errHeld) {
		return nil, nil
	}
	if err != nil {
		return nil, problem.New(problem.LockUnavailable, "folder", dir).Because(err)
	}
	listener, address, err := listenIn(dir)
	if err != nil {
		unlock()
		return nil, problem.New(problem.HomeUnusable, "folder", dir).Because(err)
	}
	i := &Instance{listener: listener, word: rand.Text(), address: filepath.Join(dir, addressName), unlock: unlock,
		wishes: make(chan string, 16), visitors: map[net.Conn]bool{}}
	i.Wishes = i.wishes
	if err := writePrivate(i.address, address+"\n"+i.word+"\n"); err != nil {
		_ = listener.Close()
		unlock()
		return nil, problem.New(problem.HomeUnusable, "folder", dir).Because(err)
	}
	i.serving.Add(1)
	go i.serve()
	return i, nil
}

// Close lets another process become the window. It may be called twice.
func (i *Instance) Close() {
	i.once.Do(func() {
		_ = os.Remove(i.address)
		_ = i.listener.Close()
		i.mu.Lock()
		for visitor := range i.visitors {
			_ = visitor.Close()
		}
		i.visitors = nil
		i.mu.Unlock()
		i.serving.Wait()
		close(i.wishes)
		i.unlock()
	})
}

func (i *Instance) serve() {
	defer i.serving.Done()
	for {
		visitor, err := i.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: it passes.
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if !i.admit(visitor) {
			_ = visitor.Close()
			continue
		}
		go func() {
			defer i.serving.Done()
			defer i.dismiss(visitor)
			i.hear(visitor)
		}()
	}
}

// admit keeps at most eight visitors at a time, and none after Close.
func (i *Instance) admit(visitor net.Conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.visitors == nil || len(i.visitors) >= 8 {
		return false
	}
	i.visitors[visitor] = true
	i.serving.Add(1)
	return true
}

func (i *Instance) dismiss(visitor net.Conn) {
	_ = visitor.Close()
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.visitors, visitor)
}

// hear takes one wish. Whoever does not know the word gets no answer.
func (i *Instance) hear(visitor net.Conn) {
	_ = visitor.SetDeadline(time.Now().Add(wishLimit))
	line, err := bufio.NewReader(io.LimitReader(visitor, 300)).ReadString('\n')
	if err != nil {
		return
	}
	word, wish, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if subtle.ConstantTimeCompare([]byte(word), []byte(i.word)) != 1 || !wishes.MatchString(wish) {
		return
	}
	select {
	case i.wishes <- wish:
	default:
	}
	_, _ = io.WriteString(visitor, "ok\n")
}

// Tell asks the window of dir for something: "show" or "account:<id>", at most
// 200 of the characters a to z, 0 to 9 and colon. It returns when the window
// has heard it, within 3 s. Error: window.silent.
func Tell(dir, wish string) error {
	if !wishes.MatchString(wish) {
		return problem.New(problem.Unexpected, "where", "desktop.Tell")
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellLimit)
	defer cancel()
	for {
		err := tell(ctx, dir, wish)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return problem.New(problem.WindowSilent).Because(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func tell(ctx context.Context, dir, wish string) error {
	data, err := os.ReadFile(filepath.Join(dir, addressName))
	if err != nil {
		return err
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) != 3 {
		return errors.New("the window's address is half written")
	}
	network, address, _ := strings.Cut(lines[0], " ")
	if network != "unix" && !(network == "tcp" && strings.HasPrefix(address, "127.0.0.1:")) {
		return errors.New("the window's address is no local one")
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	end, _ := ctx.Deadline()
	_ = conn.SetDeadline(end)
	if _, err := io.WriteString(conn, lines[1]+" "+wish+"\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(io.LimitReader(conn, 10)).ReadString('\n')
	if err != nil {
		return err
	}
	if answer != "ok\n" {
		return errors.New("the window did not take it")
	}
	return nil
}

// writePrivate writes a small file of the person's own by rename.
func writePrivate(path, content string) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".window-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(content)
	if err := errors.Join(err, file.Chmod(0o600), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
