package desktop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asWindow makes this test program the window of a home: it says what it is,
// then every wish, until its input ends.
const asWindow = "TOKENKEEP_TEST_WINDOW"

func window(dir string) int {
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadString('\n'); err != nil {
		return 3
	}
	first, err := Single(dir)
	switch {
	case err != nil:
		fmt.Println("problem", err)
		return 1
	case first == nil:
		if err := Tell(dir, fmt.Sprintf("account:%d", os.Getpid())); err != nil {
			fmt.Println("problem", err)
			return 1
		}
		fmt.Println("second")
		return 0
	}
	fmt.Println("first")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for wish := range first.Wishes {
			fmt.Println("wish", wish)
		}
	}()
	_, _ = input.ReadString('\n')
	first.Close()
	<-done
	return 0
}

type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// newProcess starts a window that waits for the word to go.
func newProcess(t *testing.T, dir string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(program)}
	p.Env = append(os.Environ(), asWindow+"="+dir)
	p.Stderr = os.Stderr
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

func (p *process) goOn() { _, _ = io.WriteString(p.in, "\n") }

func (p *process) says(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// homeDir is a private folder with a short path.
func homeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "one")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestTwelveStartAtOnceAndOneIsTheWindow(t *testing.T) {
	for round := range 3 {
		dir := homeDir(t)
		var all []*process
		for range 12 {
			all = append(all, newProcess(t, dir))
		}
		for _, p := range all {
			p.goOn()
		}
		var first *process
		told := map[string]bool{}
		for _, p := range all {
			switch said := p.says(t); said {
			case "first":
				if first != nil {
					t.Fatalf("round %d: two windows", round)
				}
				first = p
			case "second":
				told[fmt.Sprintf("wish account:%d", p.Process.Pid)] = true
			default:
				t.Fatalf("round %d: %s", round, said)
			}
		}
		if first == nil || len(told) != 11 {
			t.Fatalf("round %d: first %v, %d others", round, first, len(told))
		}
		for range 11 {
			wish := first.says(t)
			if !told[wish] {
				t.Fatalf("heard %q twice, or from nobody", wish)
			}
			delete(told, wish)
		}
	}
}

func TestAClosedWindowMakesRoom(t *testing.T) {
	dir := homeDir(t)
	for range 3 {
		first, err := Single(dir)
		if err != nil || first == nil {
			t.Fatal(first, err)
		}
		if second, err := Single(dir); second != nil || err != nil {
			t.Fatal(second, err)
		}
		other, err := Single(homeDir(t))
		if err != nil || other == nil {
			t.Fatal("another home has a window of its own", other, err)
		}
		other.Close()
		if err := Tell(dir, "account:0123456789abcdef"); err != nil {
			t.Fatal(err)
		}
		if wish := <-first.Wishes; wish != "account:0123456789abcdef" {
			t.Error(wish)
		}
		first.Close()
		first.Close()
		if _, open := <-first.Wishes; open {
			t.Error("a wish after the end")
		}
		for _, name := range []string{addressName, "window.sock"} {
			if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestWishesAreOfAClosedAlphabet(t *testing.T) {
	dir := homeDir(t)
	first, err := Single(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, wish := range []string{"", "Show", "a b", "a\nshow", "account:../x", "ü", "a;b", "$(x)", strings.Repeat("a", 201)} {
		if err := Tell(dir, wish); err == nil {
			t.Errorf("%q was sent", wish)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, addressName))
	if err != nil {
		t.Fatal(err)
	}
	network, address, _ := strings.Cut(strings.Split(string(data), "\n")[0], " ")
	word := strings.Split(string(data), "\n")[1]
	// Straight to the door, past Tell.
	for _, line := range []string{"show", "x show", word, word + " ", word + " Show", word + "  show", word + " show\x00", word + " " + strings.Repeat("a", 201), strings.Repeat("x", 1<<16), ""} {
		conn, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, line+"\n")
		if answer, _ := io.ReadAll(conn); len(answer) != 0 {
			t.Errorf("%.60q was answered with %q", line, answer)
		}
		_ = conn.Close()
	}
	select {
	case wish := <-first.Wishes:
		t.Errorf("heard %q", wish)
	default:
	}
	longest := strings.Repeat("a", 200)
	if err := Tell(dir, longest); err != nil || <-first.Wishes != longest {
		t.Error(err)
	}
}

// Visitors who say nothing, and wishes that nobody takes, block nothing.
func TestACrowdAtTheDoor(t *testing.T) {
	dir := homeDir(t)
	first, err := Single(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, addressName))
	if err != nil {
		t.Fatal(err)
	}
	network, address, _ := strings.Cut(strings.Split(string(data), "\n")[0], " ")
	for range 5 {
		silent, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	for range 40 {
		if err := Tell(dir, "show"); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() { first.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		t.Fatal("Close waits for silent visitors")
	}
	n := 0
	for range first.Wishes {
		n++
	}
	if n != 16 {
		t.Errorf("%d wishes were kept", n)
	}
}

func TestAnAddressFileThatIsNotOurs(t *testing.T) {
	dir := homeDir(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, content := range []string{"", "\n\n", "tcp 192.0.2.1:80\nx\n", "tcp 127.0.0.1.example:80\nx\n", "udp 127.0.0.1:1\nx\n", "nonsense", "unix \nx\n", "a\nb\nc\nd\n"} {
		if err := os.WriteFile(filepath.Join(dir, addressName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := tell(t.Context(), dir, "show"); err == nil {
			t.Errorf("%q was taken", content)
		}
	}
}
