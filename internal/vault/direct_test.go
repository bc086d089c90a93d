package vault

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	keyring "github.com/zalando/go-keyring"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func TestKR6_ErrorsOfWindowsAndMacOS(t *testing.T) {
	for _, row := range []struct {
		system string
		err    error
		want   reply
	}{
		{"windows", keyring.ErrNotFound, reply{Failure: failedNotFound}},
		{"windows", keyring.ErrSetDataTooBig, reply{Failure: failedTooBig}},
		{"windows", syscall.Errno(1168), reply{Failure: failedNotFound}},
		{"windows", fmt.Errorf("wrapped: %w", syscall.Errno(5)), reply{Failure: failedDenied}},
		{"windows", syscall.Errno(1223), reply{Failure: failedDismissed}},
		{"windows", syscall.Errno(1312), reply{Failure: failedAbsent}},
		{"windows", syscall.Errno(1783), reply{Failure: failedTooBig}},
		{"windows", syscall.Errno(87), reply{Failure: failedUnreadable, Reason: "service"}},
		{"darwin", keyring.ErrNotFound, reply{Failure: failedNotFound}},
		{"darwin", &exec.Error{Name: "security", Err: exec.ErrNotFound}, reply{Failure: failedAbsent}},
		{"darwin", syscall.Errno(5), reply{Failure: failedUnreadable, Reason: "service"}},
		{"darwin", errors.New("odd"), reply{Failure: failedUnreadable, Reason: "service"}},
	} {
		if got := newDirect(row.system, library{}).failed(row.err); fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s %v: %+v", row.system, row.err, got)
		}
	}
	for status, want := range map[int]string{44: failedNotFound, 36: failedLocked, 51: failedDenied, 128: failedDismissed, 37: failedAbsent, 50: failedAbsent, 1: failedUnreadable} {
		if got := securityExit(status); got.Failure != want {
			t.Errorf("security(1) %d: %s", status, got.Failure)
		}
	}
}

func TestKR3_InProcessCallsKeepTheirBudgetAndTheirTurn(t *testing.T) {
	const budget = 100 * time.Millisecond
	for system, key := range map[string]problem.Key{"darwin": problem.VaultLocked, "windows": problem.VaultAbsent} {
		t.Run(system, func(t *testing.T) {
			m := newMemory()
			l := m.library()
			release := make(chan struct{})
			stuck := true
			set := l.set
			l.set = func(service, name, value string) error {
				if stuck {
					stuck = false
					<-release
				}
				return set(service, name, value)
			}
			var w waits
			k := inProcess(l, system, Options{Attended: true, Budget: budget, Waiting: w.hear})
			k.backend.(*direct).quiet = budget / 4
			within(t, budget+200*time.Millisecond, func() { wants(t, k.Put(t.Context(), "a", secret.New("late")), key) })
			if w.String() != "[true false]" {
				t.Errorf("told %v", &w)
			}
			// Not before the late one has ended: it would overwrite this one.
			within(t, budget+200*time.Millisecond, func() { wants(t, k.Put(t.Context(), "a", secret.New("newer")), key) })
			close(release)
			eventually(t, "the late call has ended", func() bool { _, err := k.Get(t.Context(), "a"); return err == nil })
			done(t, k.Put(t.Context(), "a", secret.New("newer")))
			if got := must[secret.Text](t)(k.Get(t.Context(), "a")); got.Reveal() != "newer" {
				t.Error("a late write came after a newer one")
			}
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		release := make(chan struct{})
		l := newMemory().library()
		l.get = func(string, string) (string, error) { <-release; return "", nil }
		k := inProcess(l, "windows", Options{})
		for range 2 { // the first one is under way, the second waits for its turn
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if _, err := k.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		close(release)
	})
}

func TestStatusOfTheOtherSystems(t *testing.T) {
	for system, want := range map[string]Status{
		"darwin":  {Program: "Keychain", Collection: "login", Present: true},
		"windows": {Program: "Credential Manager", Present: true},
		"openbsd": {Program: "Secret Service", Present: true},
	} {
		if got := must[Status](t)(inProcess(library{}, system, Options{}).Status(t.Context())); got != want {
			t.Errorf("%s: %+v", system, got)
		}
	}
}

// waits records what a front end is told about dialogs.
type waits struct {
	mu   sync.Mutex
	said []bool
}

func (w *waits) hear(open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, open)
}

func (w *waits) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(w.said)
}

// within fails unless f takes at most limit.
func within(t *testing.T, limit time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took > limit {
		t.Errorf("took %v, limit %v", took, limit)
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("after ten seconds it is not so that %s", what)
}
