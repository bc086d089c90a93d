package vault

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"syscall"
	"time"

	keyring "github.com/zalando/go-keyring"
)

// direct calls the library in this process. macOS and Windows have none of the
// faults that made a child necessary on Linux, but no deadline either: one
// worker does one call at a time, and a call that is given up keeps its turn
// until it has really ended, so that it cannot overwrite what comes after it.
type direct struct {
	system  string // runtime.GOOS, which decides what the errors mean
	library library
	// quiet is how long an attended call may take before it is taken for an
	// open dialog.
	quiet time.Duration
	turn  chan struct{}
}

// library is what of go-keyring is used; tests put an own one in its place.
type library struct {
	set    func(service, name, value string) error
	get    func(service, name string) (string, error)
	delete func(service, name string) error
}

var goKeyring = library{set: keyring.Set, get: keyring.Get, delete: keyring.Delete}

func newDirect(system string, l library) *direct {
	return &direct{system: system, library: l, quiet: time.Second, turn: make(chan struct{}, 1)}
}

func (d *direct) close() {}

// status is known without asking: the two systems cannot be without their own
// store, and asking whether it is locked may open a dialog on macOS.
func (d *direct) status(context.Context) (Status, error) {
	switch d.system {
	case "darwin":
		return Status{Program: "Keychain", Collection: "login", Present: true}, nil
	case "windows":
		return Status{Program: "Credential Manager", Present: true}, nil
	default:
		return Status{Program: "Secret Service", Present: true}, nil
	}
}

func (d *direct) item(ctx context.Context, r request, o Options) (reply, error) {
	budget := time.NewTimer(o.Budget)
	defer budget.Stop()
	select {
	case d.turn <- struct{}{}:
	case <-budget.C:
		return d.late(o), nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	answer := make(chan reply, 1)
	go func() {
		defer func() { <-d.turn }()
		answer <- d.do(r)
	}()
	var quiet <-chan time.Time
	if o.Attended {
		t := time.NewTimer(d.quiet)
		defer t.Stop()
		quiet = t.C
	}
	var waiting sync.Once
	told := false
	defer func() {
		if told {
			o.Waiting(false)
		}
	}()
	for {
		select {
		case a := <-answer:
			return a, nil
		case <-quiet:
			waiting.Do(func() { told = true; o.Waiting(true) })
		case <-budget.C:
			return d.late(o), nil
		case <-ctx.Done():
			return reply{}, ctx.Err()
		}
	}
}

// late says what a silent keychain means: on macOS, with a person there, a
// dialog that nobody answered.
func (d *direct) late(o Options) reply {
	if o.Attended && d.system == "darwin" {
		return reply{Failure: failedLocked}
	}
	return reply{Failure: failedAbsent, Reason: "silent"}
}

func (d *direct) do(r request) reply {
	switch r.Op {
	case opPut:
		if err := d.library.set(r.Service, r.Name, string(r.Value)); err != nil {
			return d.failed(err)
		}
		got, err := d.library.get(r.Service, r.Name)
		if errors.Is(err, keyring.ErrNotFound) || err == nil && got != string(r.Value) {
			return reply{Failure: failedUnreadable, Reason: "readback"}
		}
		if err != nil {
			return d.failed(err)
		}
		return reply{}
	case opGet:
		got, err := d.library.get(r.Service, r.Name)
		if err != nil {
			return d.failed(err)
		}
		return reply{Value: []byte(got)}
	default:
		if err := d.library.delete(r.Service, r.Name); err != nil {
			return d.failed(err)
		}
		return reply{}
	}
}

// failed reads the library's errors. Windows: the numbers of winerror.h. macOS:
// the exit status of security(1), which is the low byte of an OSStatus.
func (d *direct) failed(err error) reply {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return reply{Failure: failedNotFound}
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return reply{Failure: failedTooBig}
	}
	var number syscall.Errno
	var exit *exec.ExitError
	switch {
	case d.system == "windows" && errors.As(err, &number):
		switch number {
		case 1168: // ERROR_NOT_FOUND
			return reply{Failure: failedNotFound}
		case 5, 1314: // ERROR_ACCESS_DENIED, ERROR_PRIVILEGE_NOT_HELD
			return reply{Failure: failedDenied}
		case 1223: // ERROR_CANCELLED
			return reply{Failure: failedDismissed}
		case 1312, 1062: // ERROR_NO_SUCH_LOGON_SESSION, ERROR_SERVICE_NOT_ACTIVE
			return reply{Failure: failedAbsent}
		case 1783: // RPC_X_BAD_STUB_DATA: the answer to a credential that is too long
			return reply{Failure: failedTooBig}
		}
	case d.system == "darwin" && errors.As(err, &exit):
		return securityExit(exit.ExitCode())
	case d.system == "darwin" && errors.Is(err, exec.ErrNotFound):
		return reply{Failure: failedAbsent}
	}
	return reply{Failure: failedUnreadable, Reason: "service"}
}

func securityExit(status int) reply {
	switch status {
	case 44: // errSecItemNotFound
		return reply{Failure: failedNotFound}
	case 36: // errSecInteractionNotAllowed
		return reply{Failure: failedLocked}
	case 51: // errSecAuthFailed
		return reply{Failure: failedDenied}
	case 128: // errSecUserCanceled
		return reply{Failure: failedDismissed}
	case 37, 50: // errSecNoDefaultKeychain, errSecNoSuchKeychain
		return reply{Failure: failedAbsent}
	default:
		return reply{Failure: failedUnreadable, Reason: "service"}
	}
}
