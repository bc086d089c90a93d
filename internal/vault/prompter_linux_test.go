package vault

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// screen is a display without a screen, and a keyboard for it.
type screen struct {
	t    testing.TB
	conn *xgb.Conn
	keys map[rune]xproto.Keycode
}

func newScreen(t testing.TB) *screen {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool(t, "Xvfb", "xvfb"), "-displayfd", "3", "-screen", "0", "800x600x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(cmd) })
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	display := ":" + strings.TrimSpace(number)
	t.Setenv("DISPLAY", display)
	// It would print that there is no authority file.
	xgb.Logger.SetOutput(io.Discard)
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := xtest.Init(conn); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, conn: conn, keys: map[rune]xproto.Keycode{}}
	setup := xproto.Setup(conn)
	count := byte(setup.MaxKeycode - setup.MinKeycode + 1)
	mapping, err := xproto.GetKeyboardMapping(conn, setup.MinKeycode, count).Reply()
	if err != nil {
		t.Fatal(err)
	}
	for n := range int(count) {
		// The first symbol is the key's without Shift; Latin symbols are their
		// characters, Return and Escape have numbers of their own.
		switch symbol := rune(mapping.Keysyms[n*int(mapping.KeysymsPerKeycode)]); {
		case symbol < 0x100:
			s.keys[symbol] = setup.MinKeycode + xproto.Keycode(n)
		case symbol == 0xff0d:
			s.keys['\r'] = setup.MinKeycode + xproto.Keycode(n)
		case symbol == 0xff1b:
			s.keys['\x1b'] = setup.MinKeycode + xproto.Keycode(n)
		}
	}
	return s
}

func (s *screen) press(keys string) {
	s.t.Helper()
	for _, r := range keys {
		code, ok := s.keys[r]
		if !ok {
			s.t.Fatalf("no key for %q", r)
		}
		for _, kind := range []byte{xproto.KeyPress, xproto.KeyRelease} {
			if err := xtest.FakeInputChecked(s.conn, kind, byte(code), 0, 0, 0, 0, 0).Check(); err != nil {
				s.t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// dialogs counts the windows that are on the screen.
func (s *screen) dialogs() int {
	root := xproto.Setup(s.conn).DefaultScreen(s.conn).Root
	tree, err := xproto.QueryTree(s.conn, root).Reply()
	if err != nil {
		return 0
	}
	n := 0
	for _, w := range tree.Children {
		a, err := xproto.GetWindowAttributes(s.conn, w).Reply()
		if err == nil && a.MapState == xproto.MapStateViewable && a.Class == xproto.WindowClassInputOutput {
			n++
		}
	}
	return n
}

// startPrompter starts the program that shows the keyring's dialogs.
func (d *desktop) startPrompter() {
	d.t.Helper()
	const path, name = "/usr/libexec/gcr-prompter", "org.gnome.keyring.SystemPrompter"
	if _, err := os.Stat(path); err != nil {
		d.t.Fatal("gcr-prompter is missing: install the Debian package gcr")
	}
	cmd := exec.Command(path)
	cmd.Stderr = io.Discard
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { end(cmd) })
	conn := d.connect()
	defer conn.Close()
	d.until("the prompter has its name", func() bool {
		var owned bool
		err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", dbus.FlagNoAutoStart, name).Store(&owned)
		return err == nil && owned
	})
}

// The real daemon and its real dialog, typed into from outside.
func TestRealDialogTypedDismissedAndLeft(t *testing.T) {
	d := newDesktop(t)
	s := newScreen(t)
	d.startKeyring()
	d.startPrompter()
	var w waits
	k := keychain(t, Options{Attended: true, Waiting: w.hear})
	done(t, k.Put(t.Context(), "a", secret.New("old")))
	if w.String() != "[]" {
		t.Errorf("told %v without a dialog", &w)
	}
	put := func(k *Keychain, value string) <-chan error {
		result := make(chan error, 1)
		go func() { result <- k.Put(t.Context(), "a", secret.New(value)) }()
		eventually(t, "the dialog is on the screen", func() bool { return s.dialogs() > 0 })
		time.Sleep(unread) // nobody reads a dialog faster
		return result
	}

	d.lockKeyring()
	result := put(k, "dismissed")
	s.press("\x1b")
	wants(t, <-result, problem.VaultDismissed)

	eventually(t, "the dialog is gone", func() bool { return s.dialogs() == 0 })
	result = put(k, "typed")
	s.press(keyringPassword + "\r")
	done(t, <-result)
	if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "typed" {
		t.Error("not written")
	}
	if w.String() != "[true false true false]" {
		t.Errorf("told %v", &w)
	}

	d.lockKeyring()
	result = put(keychain(t, Options{Attended: true, Budget: 3 * time.Second}), "left")
	wants(t, <-result, problem.VaultLocked)
	// The dialog may still be there; typing into it serves the next call.
	result = put(k, "after all")
	s.press(keyringPassword + "\r")
	done(t, <-result)
	if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "after all" {
		t.Error("a call that was given up has written")
	}
	if d.daemon.Process.Signal(syscall.Signal(0)) != nil {
		t.Error("the daemon did not survive")
	}
}
