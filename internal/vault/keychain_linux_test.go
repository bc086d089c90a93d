package vault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// systemStores: the real daemon, and our pretend one in three moods that must
// make no difference.
var systemStores = map[string]func(t *testing.T) Store{
	"gnome-keyring": func(t *testing.T) Store {
		newDesktop(t).startKeyring()
		return keychain(t, Options{})
	},
	"fake service": func(t *testing.T) Store {
		newDesktop(t).startFake()
		return keychain(t, Options{})
	},
	"fake service, other collection": func(t *testing.T) Store {
		newDesktop(t).startFake().be(mood{elsewhere: true})
		return keychain(t, Options{})
	},
}

func keychain(t testing.TB, o Options) *Keychain {
	o.Service = buildinfo.ID
	k := Open(o)
	t.Cleanup(func() { k.Close() })
	return k
}

func TestKR2_WriteThatWasNotKeptIsNoticedAndTheOldOneStays(t *testing.T) {
	f := newDesktop(t).startFake()
	k := keychain(t, Options{Attended: true})
	done(t, k.Put(t.Context(), "a", secret.New("old")))
	f.be(mood{askToWrite: true, prompt: "dismiss"})
	wants(t, k.Put(t.Context(), "a", secret.New("new")), problem.VaultDismissed)
	wants(t, k.Put(t.Context(), "b", secret.New("new")), problem.VaultDismissed)
	wants(t, k.Delete(t.Context(), "a"), problem.VaultDismissed)
	f.be(mood{forget: true})
	wants(t, k.Put(t.Context(), "a", secret.New("new")), problem.VaultUnreadable, "reason", "readback")
	f.be(mood{})
	if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "old" {
		t.Error("the old value is gone")
	}
	f.be(mood{askToWrite: true})
	done(t, k.Put(t.Context(), "a", secret.New("new")))
	done(t, k.Delete(t.Context(), "a"))
}

// The library leaks with each dialog it opens; a new child replaces the old.
func TestChildIsReplacedAfterManyDialogsOfTheLibrary(t *testing.T) {
	f := newDesktop(t).startFake()
	f.be(mood{askToWrite: true, prompt: "instantly"})
	k := keychain(t, Options{Attended: true})
	seen := map[int]bool{}
	for range 2*maxLibraryPrompts + 2 {
		wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultDismissed)
		if pid := keychainChild(); pid != 0 {
			seen[pid] = true
		}
	}
	if len(seen) < 2 {
		t.Errorf("%d children served all calls", len(seen))
	}
}

func TestKR3_NoCallExceedsItsBudget(t *testing.T) {
	const budget = 300 * time.Millisecond
	const limit = budget + 200*time.Millisecond
	t.Run("real daemon stopped", func(t *testing.T) {
		d := newDesktop(t)
		d.startKeyring()
		for _, attended := range []bool{false, true} {
			k := keychain(t, Options{Attended: attended, Budget: budget})
			done(t, k.Put(t.Context(), "a", secret.New("kept")))
			d.signalKeyring(syscall.SIGSTOP)
			for range 2 { // the second one needs a new child
				within(t, limit, func() {
					wants(t, k.Put(t.Context(), "a", secret.New("late")), problem.VaultAbsent, "reason", "silent", "program", "GNOME Keyring")
				})
				within(t, limit, func() {
					_, err := k.Get(t.Context(), "a")
					wants(t, err, problem.VaultAbsent, "reason", "silent")
				})
			}
			within(t, statusBudget+200*time.Millisecond, func() {
				s, err := k.Status(t.Context())
				wants(t, err, problem.VaultAbsent, "reason", "silent")
				if !s.Present || s.Program != "GNOME Keyring" {
					t.Errorf("status: %+v", s)
				}
			})
			d.signalKeyring(syscall.SIGCONT)
			if got := must[secret.Text](t)(patient(k).Get(t.Context(), "a")); got.Reveal() != "kept" {
				t.Error("a call that was given up has written after all")
			}
		}
	})
	t.Run("bus stopped", func(t *testing.T) {
		d := newDesktop(t)
		d.startKeyring()
		k := keychain(t, Options{Budget: budget})
		done(t, d.bus.Process.Signal(syscall.SIGSTOP))
		within(t, limit, func() {
			wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "silent")
		})
		within(t, statusBudget+200*time.Millisecond, func() {
			_, err := k.Status(t.Context())
			wants(t, err, problem.VaultAbsent, "reason", "silent")
		})
		done(t, d.bus.Process.Signal(syscall.SIGCONT))
		done(t, patient(k).Put(t.Context(), "a", secret.New("v")))
	})
	t.Run("service that never answers", func(t *testing.T) {
		f := newDesktop(t).startFake()
		k := keychain(t, Options{Budget: budget})
		done(t, k.Put(t.Context(), "a", secret.New("v")))
		f.be(mood{hang: true})
		within(t, limit, func() { wants(t, k.Probe(t.Context()), problem.VaultAbsent, "reason", "silent") })
		f.be(mood{slow: 2 * time.Millisecond})
		done(t, patient(k).Probe(t.Context()))
	})
	t.Run("dialog that nobody answers", func(t *testing.T) {
		f := newDesktop(t).startFake()
		f.lock(true)
		f.be(mood{prompt: "ignore"})
		var w waits
		k := keychain(t, Options{Attended: true, Budget: budget, Waiting: w.hear})
		within(t, limit, func() { wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultLocked) })
		if w.String() != "[true false]" {
			t.Errorf("told %v", &w)
		}
		if _, dismissed, _ := f.counts(); dismissed != 0 {
			t.Error("Prompt.Dismiss was called, at which a GNOME Keyring aborts")
		}
		f.be(mood{prompt: "approve"})
		done(t, keychain(t, Options{Attended: true}).Put(t.Context(), "a", secret.New("v")))
	})
	t.Run("waiting for its turn counts", func(t *testing.T) {
		f := newDesktop(t).startFake()
		f.be(mood{hang: true})
		k := keychain(t, Options{Budget: budget})
		var all sync.WaitGroup
		within(t, limit, func() {
			for range 5 {
				all.Go(func() {
					if _, err := k.Get(t.Context(), "a"); !problem.Has(err, problem.VaultAbsent) {
						t.Errorf("got %v", err)
					}
				})
			}
			all.Wait()
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		f := newDesktop(t).startFake()
		f.lock(true)
		f.be(mood{prompt: "ignore"})
		k := keychain(t, Options{Attended: true})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(150*time.Millisecond, cancel)
		within(t, 350*time.Millisecond, func() {
			if err := k.Put(ctx, "a", secret.New("v")); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		if _, dismissed, _ := f.counts(); dismissed != 0 {
			t.Error("Prompt.Dismiss was called, at which a GNOME Keyring aborts")
		}
	})
}

// patient is k with time enough on a busy computer.
func patient(k *Keychain) *Keychain {
	o := k.options
	o.Budget = 10 * time.Second
	return &Keychain{options: o, backend: k.backend}
}

func TestUnattendedCallsNeverAsk(t *testing.T) {
	f := newDesktop(t).startFake()
	k := keychain(t, Options{})
	done(t, k.Put(t.Context(), "a", secret.New("v")))
	f.lock(true)
	for range 3 {
		within(t, 500*time.Millisecond, func() {
			wants(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultLocked)
			_, err := k.Get(t.Context(), "a")
			wants(t, err, problem.VaultLocked)
			wants(t, k.Delete(t.Context(), "a"), problem.VaultLocked)
		})
	}
	if prompted, _, _ := f.counts(); prompted != 0 {
		t.Errorf("%d dialogs", prompted)
	}
	// Beside a dialog of somebody else's call it does not wait for its end.
	f.be(mood{prompt: "ignore"})
	opened := make(chan struct{})
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	all.Go(func() {
		k := keychain(t, Options{Attended: true, Waiting: func(open bool) {
			if open {
				close(opened)
			}
		}})
		_, _ = k.Get(ctx, "a")
	})
	<-opened
	within(t, 200*time.Millisecond, func() {
		_, err := k.Get(t.Context(), "a")
		wants(t, err, problem.VaultLocked)
	})
	s := must[Status](t)(k.Status(t.Context()))
	if !s.Locked || s.Collection != "Pretend" {
		t.Errorf("status beside an open dialog: %+v", s)
	}
	cancel()
	all.Wait()
}

func TestDialogsEnd(t *testing.T) {
	for name, row := range map[string]struct {
		mood   mood
		key    problem.Key
		reason string
		told   string
	}{
		"approve":                      {mood{prompt: "approve"}, "", "", "[true false]"},
		"dismiss":                      {mood{prompt: "dismiss"}, problem.VaultDismissed, "", "[true false]"},
		"foreign signals first":        {mood{prompt: "foreign"}, "", "", "[true false]"},
		"service goes away":            {mood{prompt: "drop"}, problem.VaultAbsent, "gone", "[true false]"},
		"no screen":                    {mood{prompt: "instantly"}, problem.VaultLocked, "no-dialog", "[true false]"},
		"items locked singly":          {mood{prompt: "approve", lockItems: true}, "", "", "[true false]"},
		"slow":                         {mood{prompt: "approve", slow: 5 * time.Millisecond}, "", "", "[true false]"},
		"dialogs of the library's own": {mood{prompt: "approve", askToWrite: true}, "", "", "[true false]"},
		"other collection":             {mood{prompt: "approve", elsewhere: true}, "", "", "[true false]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newDesktop(t).startFake()
			var w waits
			k := keychain(t, Options{Attended: true, Waiting: w.hear})
			done(t, k.Put(t.Context(), "a", secret.New("old")))
			f.lock(true)
			f.be(row.mood)
			if w.String() != "[]" {
				t.Errorf("told %v without a dialog", &w)
			}
			err := k.Put(t.Context(), "a", secret.New("new"))
			if row.key == "" {
				done(t, err)
				f.be(mood{})
				if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "new" {
					t.Error("the value was not written")
				}
			} else {
				wants(t, err, row.key, "reason", row.reason)
			}
			if w.String() != row.told {
				t.Errorf("told %v, want %s", &w, row.told)
			}
		})
	}
}

func TestLibrarysOwnDialogs(t *testing.T) {
	d := newDesktop(t)
	f := d.startFake()
	var w waits
	dialogs := make(chan struct{}, 8)
	k := keychain(t, Options{Attended: true, Budget: 1500 * time.Millisecond, Waiting: func(open bool) {
		w.hear(open)
		if open {
			dialogs <- struct{}{}
		}
	}})
	f.be(mood{askToWrite: true, prompt: "ignore"})
	wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultLocked)
	<-dialogs
	if w.String() != "[true false]" {
		t.Errorf("told %v", &w)
	}
	// The service goes while the library waits: it would wait for ever.
	f.be(mood{askToWrite: true, prompt: "drop"})
	within(t, 1200*time.Millisecond, func() {
		wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "gone")
	})
	// The bus goes: it would panic.
	for len(dialogs) > 0 {
		<-dialogs
	}
	f = d.startFake()
	f.be(mood{askToWrite: true, prompt: "ignore"})
	put := make(chan error, 1)
	go func() { put <- k.Put(t.Context(), "a", secret.New("v")) }()
	select {
	case <-dialogs:
	case err := <-put:
		t.Fatalf("no dialog was opened: %v", err)
	}
	_ = d.bus.Process.Kill()
	within(t, time.Second, func() { wants(t, <-put, problem.VaultAbsent, "reason", "gone") })
}

func TestFirstKeyringIsMadeWhenAPersonIsThere(t *testing.T) {
	t.Run("fake service", func(t *testing.T) {
		f := newDesktop(t).startFake()
		f.be(mood{noCollection: true, prompt: "dismiss"})
		wants(t, keychain(t, Options{}).Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "no-collection")
		var w waits
		k := keychain(t, Options{Attended: true, Waiting: w.hear})
		wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultDismissed)
		f.be(mood{noCollection: true})
		done(t, k.Put(t.Context(), "a", secret.New("v")))
		if w.String() != "[true false true false]" {
			t.Errorf("told %v", &w)
		}
	})
	t.Run("gnome-keyring", func(t *testing.T) {
		d := newDesktop(t)
		d.startKeyringWith("--start")
		wants(t, keychain(t, Options{}).Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "no-collection")
		// It cannot ask without a screen.
		wants(t, keychain(t, Options{Attended: true}).Put(t.Context(), "a", secret.New("v")), problem.VaultLocked, "reason", "no-dialog")
	})
}

// Some programs let each caller in item by item; then too nothing is asked for
// an unattended call, and a person's no is a no.
func TestItemsThatAreLockedSingly(t *testing.T) {
	f := newDesktop(t).startFake()
	var w waits
	unattended, attended := keychain(t, Options{}), keychain(t, Options{Attended: true, Waiting: w.hear})
	f.be(mood{lockItems: true, prompt: "dismiss"})
	f.add(map[string]string{"service": buildinfo.ID, "username": "a"}, "v")
	_, err := unattended.Get(t.Context(), "a")
	wants(t, err, problem.VaultLocked)
	wants(t, unattended.Delete(t.Context(), "a"), problem.VaultLocked)
	if prompted, _, _ := f.counts(); prompted != 0 {
		t.Errorf("%d dialogs", prompted)
	}
	_, err = attended.Get(t.Context(), "a")
	wants(t, err, problem.VaultDismissed)
	f.be(mood{lockItems: true})
	if got := must[secret.Text](t)(attended.Get(t.Context(), "a")); got.Reveal() != "v" {
		t.Error("another value")
	}
	if w.String() != "[true false true false]" {
		t.Errorf("told %v", &w)
	}
}

// The library takes things for a failed unlock that are none.
func TestLibraryThatIsMisledOnceIsAskedAgain(t *testing.T) {
	f := newDesktop(t).startFake()
	k := keychain(t, Options{})
	mislead := func(times int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.misled = times
	}
	mislead(1)
	done(t, k.Put(t.Context(), "a", secret.New("v")))
	mislead(1)
	must[secret.Text](t)(k.Get(t.Context(), "a"))
	mislead(2)
	wants(t, k.Delete(t.Context(), "a"), problem.VaultLocked, "reason", "library")
}

// An item stored by hand has attributes of its own and lies beside ours.
func TestPutAndDeleteWinOverDoubles(t *testing.T) {
	f := newDesktop(t).startFake()
	double := map[string]string{"service": buildinfo.ID, "username": "a", "xdg:schema": "org.freedesktop.Secret.Generic"}
	f.add(double, "by hand")
	k := keychain(t, Options{})
	if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "by hand" {
		t.Error("what another tool stored is not found")
	}
	done(t, k.Put(t.Context(), "a", secret.New("ours")))
	if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "ours" {
		t.Error("the double hides what was written")
	}
	f.add(double, "by hand again")
	done(t, k.Delete(t.Context(), "a"))
	if _, _, items := f.counts(); items != 0 {
		t.Errorf("%d items left", items)
	}
}

func TestKR4_ThousandCyclesWithBusDeathsLeakNothing(t *testing.T) {
	d := newDesktop(t)
	f := d.startFake()
	k := keychain(t, Options{Attended: true})
	done(t, k.Put(t.Context(), "a", secret.New("v")))
	before, children := runtime.NumGoroutine(), len(processesBelow(os.Getpid()))
	for n := range 1000 {
		value := secret.New("v" + strconv.Itoa(n))
		if n%40 == 39 {
			// The bus dies at another moment of the call each time, also while a
			// dialog is open.
			if n%80 == 79 {
				f.lock(true)
				f.be(mood{prompt: "ignore"})
			}
			timer := time.AfterFunc(time.Duration(n%7)*700*time.Microsecond+time.Duration(n/80%2)*60*time.Millisecond, func() { _ = d.bus.Process.Kill() })
			err := k.Put(t.Context(), "a", value)
			for err == nil {
				err = k.Put(t.Context(), "a", value)
			}
			if !problem.Has(err, problem.VaultAbsent) {
				t.Fatalf("cycle %d: %v", n, err)
			}
			timer.Stop()
			f.stop()
			d.stopBus()
			d.startBus()
			f = d.startFake()
			continue
		}
		done(t, k.Put(t.Context(), "a", value))
		if got := must[secret.Text](t)(k.Get(t.Context(), "a")); !got.Equal(value) {
			t.Fatalf("cycle %d: another value", n)
		}
	}
	eventually(t, "goroutines and children are as before", func() bool {
		return runtime.NumGoroutine() <= before+2 && len(processesBelow(os.Getpid())) <= children
	})
	done(t, k.Close())
	f.stop()
	if err := goleak.Find(goleak.IgnoreCurrent()); err != nil {
		t.Error(err)
	}
}

func TestKR4_RealDaemonKilledDuringACall(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	k := keychain(t, Options{Attended: true})
	done(t, k.Put(t.Context(), "a", secret.New("v")))
	d.signalKeyring(syscall.SIGSTOP) // so that the call is surely under way
	time.AfterFunc(100*time.Millisecond, func() { _ = d.daemon.Process.Kill() })
	wants(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultAbsent, "reason", "gone", "program", "GNOME Keyring")
	d.endKeyring()
	wants(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultAbsent, "reason", "no-service", "program", "")
	d.startKeyring()
	done(t, k.Put(t.Context(), "a", secret.New("w")))
	if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "w" {
		t.Error("not written after the restart")
	}
}

func TestKR4_ChildKilledDuringACall(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	k := keychain(t, Options{})
	done(t, k.Put(t.Context(), "a", secret.New("v")))
	d.signalKeyring(syscall.SIGSTOP)
	pid := keychainChild()
	time.AfterFunc(50*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	wants(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultAbsent, "reason", "gone")
	d.signalKeyring(syscall.SIGCONT)
	done(t, patient(k).Put(t.Context(), "a", secret.New("w")))
	if keychainChild() == pid {
		t.Error("the dead child is still in use")
	}
}

func TestKR6_SixProblemsAreToldApart(t *testing.T) {
	seen := map[problem.Key]bool{}
	saw := func(t *testing.T, err error, key problem.Key, args ...string) {
		t.Helper()
		wants(t, err, key, args...)
		if problem.Of(err).Kind != problem.Vault {
			t.Errorf("%v is not of the kind vault", err)
		}
		seen[key] = true
	}
	t.Run("real daemon", func(t *testing.T) {
		d := newDesktop(t)
		d.startKeyring()
		k, attended := keychain(t, Options{}), keychain(t, Options{Attended: true})
		done(t, k.Put(t.Context(), "a", secret.New("v")))
		d.lockKeyring()
		saw(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultLocked)
		saw(t, k.Probe(t.Context()), problem.VaultLocked)
		// Without a screen the daemon cannot ask; nobody has dismissed anything.
		saw(t, attended.Put(t.Context(), "a", secret.New("w")), problem.VaultLocked, "reason", "no-dialog", "program", "GNOME Keyring")
		d.unlockKeyring()
		if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "v" {
			t.Error("the locked keychain was written to")
		}
		d.endKeyring()
		saw(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultAbsent, "reason", "no-service")
		d.stopBus()
		// The child may find out during this call or have found out before.
		saw(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultAbsent)
		saw(t, k.Put(t.Context(), "a", secret.New("w")), problem.VaultAbsent, "reason", "no-bus")
	})
	t.Run("refusals", func(t *testing.T) {
		f := newDesktop(t).startFake()
		k := keychain(t, Options{Attended: true})
		for _, row := range []struct {
			name string
			key  problem.Key
		}{
			{"org.freedesktop.DBus.Error.AccessDenied", problem.VaultDenied},
			{"org.gnome.keyring.Error.Denied", problem.VaultDenied},
			{"org.freedesktop.DBus.Error.LimitsExceeded", problem.VaultTooBig},
			{"org.freedesktop.Secret.Error.IsLocked", problem.VaultLocked},
			{"org.freedesktop.DBus.Error.Failed", problem.VaultUnreadable},
		} {
			f.be(mood{refuse: row.name})
			saw(t, k.Put(t.Context(), "a", secret.New("v")), row.key)
		}
		f.lock(true)
		f.be(mood{prompt: "dismiss"})
		saw(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultDismissed)
	})
	if len(seen) != 6 {
		t.Errorf("%d of six: %v", len(seen), seen)
	}
}

func TestKR6_WithoutABusNothingIsStarted(t *testing.T) {
	dir := shortDir(t)
	clearSession(t)
	t.Setenv("HOME", dir)
	t.Setenv("PATH", dir) // a launcher, were one called, would not be found either: none may be tried
	for name, env := range map[string][2]string{
		"nothing":             {"", ""},
		"empty runtime dir":   {"", dir},
		"autolaunch asked":    {"autolaunch:", dir},
		"runtime dir missing": {"", filepath.Join(dir, "none")},
		"relative":            {"", "run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", env[0])
			t.Setenv("XDG_RUNTIME_DIR", env[1])
			k := keychain(t, Options{Attended: true})
			within(t, 100*time.Millisecond, func() {
				wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "no-bus")
				if s := must[Status](t)(k.Status(t.Context())); s.Present {
					t.Errorf("status: %+v", s)
				}
			})
			if left := processesBelow(os.Getpid()); len(left) > 0 {
				t.Errorf("processes %v were started", left)
			}
		})
	}
	t.Run("dead address", func(t *testing.T) {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(dir, "gone"))
		k := keychain(t, Options{})
		wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "no-bus")
		if s := must[Status](t)(k.Status(t.Context())); s.Present {
			t.Errorf("status: %+v", s)
		}
	})
}

func TestBusInTheRuntimeDirectoryIsEnough(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", d.dir)
	done(t, keychain(t, Options{}).Probe(t.Context()))
}

func TestKR10_NothingIsWrittenToDiskByUs(t *testing.T) {
	canary := secret.New("canary-4f6d1b-value-of-a-token")
	forms := secret.Forms(canary)
	t.Run("keychain", func(t *testing.T) {
		d := newDesktop(t)
		d.startKeyring()
		k := keychain(t, Options{})
		done(t, k.Put(t.Context(), "a", canary))
		if found := filesHold(t, forms, d.dir); len(found) > 0 {
			t.Errorf("in clear in %v", found)
		}
	})
	t.Run("no keychain", func(t *testing.T) {
		d := newDesktop(t)
		k := keychain(t, Options{Attended: true})
		wants(t, k.Put(t.Context(), "a", canary), problem.VaultAbsent)
		s := NewSession()
		done(t, s.Put(t.Context(), "a", canary))
		if found := filesHold(t, forms, d.dir); len(found) > 0 {
			t.Errorf("in clear in %v", found)
		}
		for _, dir := range []string{"home", "tmp", "run"} {
			if entries, _ := os.ReadDir(filepath.Join(d.dir, dir)); len(entries) > 0 {
				t.Errorf("%s holds %v", dir, entries)
			}
		}
	})
}

func TestSEC1_ChildHasNoSecretInSightAndOnlyItsEnvironment(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("XDG_CURRENT_DESKTOP", "GNOME")
	t.Setenv("DISPLAY", ":99")
	t.Setenv("WAYLAND_DISPLAY", "wayland-9")
	t.Setenv("TOKENKEEP_CANARY", "canary-environment")
	t.Setenv("LD_PRELOAD", "")
	k := keychain(t, Options{})
	canary := "canary-4f6d1b-value-of-a-token"
	done(t, k.Put(t.Context(), "a", secret.New(canary)))
	pid := keychainChild()
	argv := string(must[[]byte](t)(os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))))
	if args := strings.Split(strings.TrimRight(argv, "\x00"), "\x00"); len(args) != 2 || args[0] != must[string](t)(os.Executable()) || args[1] != "__vault" {
		t.Errorf("argv %q", args)
	}
	environ := string(must[[]byte](t)(os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))))
	if strings.Contains(environ+argv, "canary") {
		t.Error("a canary is in sight")
	}
	got := map[string]bool{}
	for _, pair := range strings.Split(strings.TrimRight(environ, "\x00"), "\x00") {
		name, _, _ := strings.Cut(pair, "=")
		got[name] = true
	}
	want := map[string]bool{"HOME": true, "DBUS_SESSION_BUS_ADDRESS": true, "DISPLAY": true, "WAYLAND_DISPLAY": true, "LANG": true, "XDG_RUNTIME_DIR": true, "XDG_CURRENT_DESKTOP": true}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("environment %v", got)
	}
	if limits := string(must[[]byte](t)(os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid)))); !strings.Contains(strings.Join(strings.Fields(limits), " "), "Max core file size 0 0") {
		t.Error("the child may leave a core file")
	}
}

func TestKR11_OtherToolsReadWhatWeStore(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	k := keychain(t, Options{})
	id := "0123456789abcdef"
	item := sample(1)
	done(t, Tokens{Store: k, Service: buildinfo.ID}.Put(t.Context(), id, item))
	lookup := exec.Command(tool(t, "secret-tool", "libsecret-tools"), "lookup", "service", buildinfo.ID, "username", "token-"+id)
	out := string(must[[]byte](t)(lookup.Output()))
	if want := must[secret.Text](t)(item.Encode()).Reveal(); out != want {
		t.Errorf("secret-tool reads %q", out)
	}
	all := string(must[[]byte](t)(exec.Command(tool(t, "secret-tool", "libsecret-tools"), "search", "--all", "service", buildinfo.ID).CombinedOutput()))
	if !strings.Contains(all, "label = Password for 'token-"+id+"' on '"+buildinfo.ID+"'") {
		t.Errorf("label: %s", all)
	}
	store := exec.Command(tool(t, "secret-tool", "libsecret-tools"), "store", "--label=by hand", "service", buildinfo.ID, "username", "token-"+id)
	store.Stdin = strings.NewReader("{cut off")
	done(t, store.Run())
	// Whichever of the two items is found: the next write settles it.
	item.Gen = 2
	done(t, Tokens{Store: k, Service: buildinfo.ID}.Put(t.Context(), id, item))
	if got := must[Item](t)(Tokens{Store: k}.Get(t.Context(), id)); got.Gen != 2 {
		t.Errorf("generation %d", got.Gen)
	}
}

func TestKR12_StatusNamesTheProgram(t *testing.T) {
	d := newDesktop(t)
	k := keychain(t, Options{})
	if s := must[Status](t)(k.Status(t.Context())); s != (Status{}) {
		t.Errorf("without a service: %+v", s)
	}
	d.startKeyring()
	if s := must[Status](t)(k.Status(t.Context())); s != (Status{Program: "GNOME Keyring", Collection: "Login", Present: true}) {
		t.Errorf("open: %+v", s)
	}
	d.lockKeyring()
	if s := must[Status](t)(k.Status(t.Context())); s != (Status{Program: "GNOME Keyring", Collection: "Login", Present: true, Locked: true}) {
		t.Errorf("locked: %+v", s)
	}
	d.endKeyring()
	f := d.startFake()
	if s := must[Status](t)(k.Status(t.Context())); s != (Status{Program: "Secret Service", Collection: "Pretend", Present: true}) {
		t.Errorf("a stranger: %+v", s)
	}
	f.be(mood{noCollection: true})
	if s := must[Status](t)(k.Status(t.Context())); s != (Status{Program: "Secret Service", Present: true, Locked: true}) {
		t.Errorf("without a keyring: %+v", s)
	}
	for process, want := range map[string]string{
		"gnome-keyring-d": "GNOME Keyring", "keepassxc": "KeePassXC", "kwalletd5": "KWallet", "kwalletd6": "KWallet",
		"ksecretd": "KWallet", "": "Secret Service", "anything": "Secret Service",
	} {
		if got := programNamed(process); got != want {
			t.Errorf("%q is %q", process, got)
		}
	}
}

// A service that the bus could start is there, and is not started by asking.
func TestKR12_StatusStartsNothing(t *testing.T) {
	d := newDesktop(t)
	services := filepath.Join(d.dir, "services")
	done(t, os.Mkdir(services, 0o700))
	marker := filepath.Join(d.dir, "started")
	script := filepath.Join(d.dir, "start")
	done(t, os.WriteFile(script, []byte("#!/bin/sh\n: >"+marker+"\nexit 1\n"), 0o700))
	done(t, os.WriteFile(filepath.Join(services, secrets+".service"), []byte("[D-BUS Service]\nName="+secrets+"\nExec="+script+"\n"), 0o600))
	d.stopBus()
	config := strings.Replace(busConfig, "<auth>", "<servicedir>"+services+"</servicedir><auth>", 1)
	d.startBusWith(config)
	k := keychain(t, Options{})
	for range 3 {
		if s := must[Status](t)(k.Status(t.Context())); s != (Status{Program: "Secret Service", Locked: true, Present: true}) {
			t.Errorf("status: %+v", s)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Fatal("asking has started the service")
	}
	// A service that cannot be started is no keychain.
	wants(t, k.Put(t.Context(), "a", secret.New("v")), problem.VaultAbsent, "reason", "no-service")
}

func TestOneChildForAProcess(t *testing.T) {
	newDesktop(t).startFake()
	a, b := Open(Options{Service: buildinfo.ID}), Open(Options{Service: buildinfo.ID + ".practice", Attended: true})
	if keychainChild() != 0 {
		t.Fatal("opening has started a child")
	}
	done(t, a.Put(t.Context(), "x", secret.New("real")))
	pid := keychainChild()
	if _, err := b.Get(t.Context(), "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("practice sees the real one: %v", err)
	}
	must[Status](t)(b.Status(t.Context()))
	if keychainChild() != pid || pid == 0 {
		t.Error("a second child")
	}
	done(t, a.Close())
	if keychainChild() != pid {
		t.Error("closing one took the other's child")
	}
	done(t, b.Close())
	if keychainChild() != 0 || syscall.Kill(pid, 0) == nil {
		t.Error("the child outlives its last user")
	}
}

// playPart lets the test binary be another process of the program.
func playPart() {
	part, name, _ := strings.Cut(os.Getenv("VAULT_TEST_PART"), " ")
	if part == "" {
		return
	}
	k := Open(Options{Service: buildinfo.ID})
	ctx := context.Background()
	fail := func(err error) {
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
	switch part {
	case "hold":
		fail(k.Put(ctx, name, secret.New("v")))
		fmt.Println(keychainChild())
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "write":
		for n := range 100 {
			value := secret.New(fmt.Sprintf("%s %d", strings.Repeat("x", 1000), n))
			fail(k.Put(ctx, name, value))
			got, err := k.Get(ctx, name)
			fail(err)
			if !got.Equal(value) {
				fail(errors.New("another value"))
			}
		}
		fmt.Println("done")
	}
	k.Close()
	os.Exit(0)
}

func play(t *testing.T, part string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(must[string](t)(os.Executable()))
	cmd.Env = append(os.Environ(), "VAULT_TEST_PART="+part)
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	in := must[io.WriteCloser](t)(cmd.StdinPipe())
	done(t, cmd.Start())
	t.Cleanup(func() { in.Close(); end(cmd) })
	return cmd, bufio.NewReader(out)
}

func TestChildDiesWithItsParent(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	cmd, out := play(t, "hold a")
	pid := must[int](t)(strconv.Atoi(strings.TrimSpace(must[string](t)(out.ReadString('\n')))))
	if syscall.Kill(pid, 0) != nil {
		t.Fatal("there is no child")
	}
	done(t, cmd.Process.Kill())
	eventually(t, "the child has ended", func() bool { return !alive(pid) })
}

// alive is false also for a process that nobody has collected yet.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestTwoProcessesWriteAtOnce(t *testing.T) {
	d := newDesktop(t)
	d.startKeyring()
	var all sync.WaitGroup
	for _, name := range []string{"token-aaaaaaaa", "token-bbbbbbbb"} {
		_, out := play(t, "write "+name)
		all.Go(func() {
			if line, _ := out.ReadString('\n'); line != "done\n" {
				t.Errorf("%s: %q", name, line)
			}
		})
	}
	all.Wait()
	k := keychain(t, Options{})
	for _, name := range []string{"token-aaaaaaaa", "token-bbbbbbbb"} {
		if got := must[secret.Text](t)(k.Get(t.Context(), name)); !strings.HasSuffix(got.Reveal(), " 99") {
			t.Errorf("%s: lost the last write", name)
		}
	}
}
