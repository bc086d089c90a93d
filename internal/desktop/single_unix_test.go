//go:build unix

package desktop

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func stop(t *testing.T, p *process) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// The signal is on its way until the kernel says that it has stopped.
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatal(status, err)
	}
}

func TestAKilledWindowLeavesNothingInTheWay(t *testing.T) {
	dir := homeDir(t)
	for round := range 3 {
		p := newProcess(t, dir)
		p.goOn()
		if said := p.says(t); said != "first" {
			t.Fatalf("round %d: %s", round, said)
		}
		if err := Tell(dir, "show"); err != nil {
			t.Fatal(err)
		}
		if said := p.says(t); said != "wish show" {
			t.Fatal(said)
		}
		_ = p.Process.Kill()
		_ = p.Wait()
		if _, err := os.Lstat(filepath.Join(dir, "window.sock")); err != nil {
			t.Fatalf("the kill left no socket, so this proves nothing: %v", err)
		}
	}
	wantKey(t, Tell(dir, "show"), problem.WindowSilent)
	// One that hangs is silent, and still the window.
	p := newProcess(t, dir)
	p.goOn()
	p.says(t)
	stop(t, p)
	start := time.Now()
	wantKey(t, Tell(dir, "show"), problem.WindowSilent)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if first, err := Single(dir); first != nil || err != nil {
		t.Errorf("%v %v", first, err)
	}
}

func TestOnlyThePersonCanReadWhatIsThere(t *testing.T) {
	dir := homeDir(t)
	first, err := Single(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, name := range []string{lockName, addressName, "window.sock"} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// The address of a socket has room for a hundred bytes or so; homes have not.
func TestAHomeWithALongPath(t *testing.T) {
	base := homeDir(t)
	dir := filepath.Join(base, strings.Repeat("long/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	run := homeDir(t)
	t.Setenv("XDG_RUNTIME_DIR", run)
	t.Setenv("TMPDIR", homeDir(t))
	talk := func() string {
		t.Helper()
		first, err := Single(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		if err := Tell(dir, "show"); err != nil || <-first.Wishes != "show" {
			t.Error(err)
		}
		return first.listener.Addr().String()
	}
	if at := talk(); !strings.HasPrefix(at, run+"/tokenkeep/") {
		t.Errorf("the socket is at %s", at)
	}
	// Another's folder, a link, and one that everybody may read: none is used.
	for name, spoil := range map[string]func(string) error{
		"open":   func(path string) error { return os.Chmod(path, 0o755) },
		"linked": func(path string) error { return errors.Join(os.Remove(path), os.Symlink(base, path)) },
		"file":   func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
	} {
		path := filepath.Join(run, "tokenkeep")
		_ = os.RemoveAll(path)
		if err := errors.Join(os.Mkdir(path, 0o700), spoil(path)); err != nil {
			t.Fatal(err)
		}
		if at := talk(); strings.HasPrefix(at, run) {
			t.Errorf("%s: the socket is at %s", name, at)
		}
	}
	// The second was started with another environment, and finds it all the same.
	first, err := Single(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	t.Setenv("XDG_RUNTIME_DIR", "")
	if err := Tell(dir, "show"); err != nil {
		t.Error(err)
	}
}

func TestALockThatCannotBe(t *testing.T) {
	dir := homeDir(t)
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, lockName)); err != nil {
		t.Fatal(err)
	}
	_, err := Single(dir)
	wantKey(t, err, problem.LockUnavailable)
	_, err = Single(filepath.Join(dir, "missing"))
	wantKey(t, err, problem.LockUnavailable)
	// A folder where the socket should be: the lock is given back.
	other := homeDir(t)
	if err := os.MkdirAll(filepath.Join(other, "window.sock", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = Single(other)
		wantKey(t, err, problem.HomeUnusable)
	}
}
