// Package vault keeps secrets where the operating system keeps them, and tells
// apart the six ways in which that can fail.
//
// Decisions, and why:
//
//   - The keychain is spoken to through go-keyring, the library that other
//     tools use too, so that whatever we store can be read without us
//     ("secret-tool lookup service … username token-…").
//   - On Linux that library runs in a child process of ours. It waits for a
//     password dialog without limit, takes any signal of the connection that it
//     shares with the toolkit for the dialog's answer, reports a dismissed
//     dialog as success, and panics when the bus dies meanwhile. In a child a
//     call that lasts too long is ended by ending the process, and nothing of
//     this reaches the window. Before every call the child asks the service
//     itself whether the collection is locked, and if so opens the dialog itself
//     on a private connection, so that the library finds everything unlocked.
//   - A write is read back and compared before it counts.
//   - No call outlives its budget: 120 s where a person may be typing a password,
//     5 s elsewhere. What comes later is thrown away, and no new call starts
//     before the old one has ended: a late write could overwrite a newer token.
//   - An unattended call never opens a dialog.
//   - Names are ours, [a-z0-9-] only. On macOS names become part of a line that
//     is parsed as commands, so nothing a person or provider typed may be in one.
//   - Nothing is started that was not there: without a session bus there is no
//     keychain, and no bus is launched to have one.
//   - Values above [Limit] are refused everywhere, though Linux would take them:
//     a library that moves to Windows must not find that its tokens do not fit.
//   - Nothing here writes a file. There is no fallback to one either.
//
// The six problems are vault.locked, denied, dismissed, absent, too-big and
// unreadable. Their argument "program" names the keychain where it is known,
// and "reason" tells more where there is more to tell:
//
//   - locked: no-dialog (the system could not show one), library
//   - absent: no-bus, no-service, no-collection (no keyring has been made yet
//     and nobody was there to choose a password), silent (it does not answer
//     though it is not known to be locked), gone (it ended during the call),
//     child (our own could not be started)
//   - unreadable: readback, not-deleted, service (an answer that makes no
//     sense), item, index, seal, sealed, overflow, changed (another keychain)
//
// Refused: to keep anything from programs that run as the same person. They can
// ask the keychain as we do, and on Linux the library hands the value over the
// person's own bus in clear. The window says so.
package vault

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Limit is the largest value, in bytes, that any store here takes. Windows
// takes 2,560, macOS about 2,900 less the names; this leaves room on both.
const Limit = 2400

// Budgets of one call, waiting for its turn included.
const (
	attendedBudget   = 120 * time.Second
	unattendedBudget = 5 * time.Second
	statusBudget     = time.Second
)

// ErrNotFound is what Get and Delete answer for a name under which nothing
// lies. A keychain that is empty because it is another one answers the same:
// see CheckSentinel before drawing a conclusion from it.
var ErrNotFound = errors.New("vault: nothing is stored under this name")

// Store is a place for small secrets, by name. Names are [a-z0-9-]{1,48};
// anything else is our own mistake and answered as an internal problem. Values
// are any bytes, at most Limit of them. Errors are ErrNotFound, the context's,
// or a *problem.Problem of the kind vault.
type Store interface {
	// Put writes v under name, replacing what was there, and returns after
	// having read it back.
	Put(ctx context.Context, name string, v secret.Text) error
	// Get reads what lies under name.
	Get(ctx context.Context, name string) (secret.Text, error)
	// Delete removes what lies under name.
	Delete(ctx context.Context, name string) error
}

// Options say on whose behalf a keychain is opened.
type Options struct {
	// Service is buildinfo.ID, for practice with ".practice" appended.
	Service string
	// Attended: a person sits before it and may be asked for a password.
	Attended bool
	// Budget bounds one call; zero means 120 s attended, 5 s unattended.
	Budget time.Duration
	// Waiting is told true when a password dialog is probably open, and false
	// when that call has ended. It is called on the caller's goroutine or
	// another one, never twice with the same value in a row for one call, and
	// must not block. May be nil.
	Waiting func(bool)
	// Log receives what happened, never a value. May be nil.
	Log *slog.Logger
}

// Status says which program keeps the secrets.
type Status struct {
	// Program is "GNOME Keyring", "KeePassXC", "KWallet", "Keychain",
	// "Credential Manager", or "Secret Service" for one that we do not know.
	Program string
	// Collection is the label of the part that is used, "" where unknown.
	Collection string
	// Locked: a password is needed before the next call succeeds.
	Locked bool
	// Present: there is such a program, running or ready to be started by the
	// first call.
	Present bool
}

// Keychain is the operating system's keychain. It is safe for concurrent use;
// calls of one process are made one after the other.
type Keychain struct {
	options Options
	backend backend
	closed  atomic.Bool
}

// backend does one call at a time on the system's keychain.
type backend interface {
	item(ctx context.Context, r request, o Options) (reply, error)
	status(ctx context.Context) (Status, error)
	close()
}

// Open starts nothing; the first call does.
func Open(o Options) *Keychain {
	if o.Budget <= 0 {
		o.Budget = unattendedBudget
		if o.Attended {
			o.Budget = attendedBudget
		}
	}
	if o.Waiting == nil {
		o.Waiting = func(bool) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Keychain{options: o, backend: systemBackend()}
}

// Put implements Store. See the package comment for what it promises.
func (k *Keychain) Put(ctx context.Context, name string, v secret.Text) error {
	if err := checkSize(v); err != nil {
		return err
	}
	_, err := k.call(ctx, request{Op: opPut, Name: name, Value: []byte(v.Reveal())})
	return err
}

// Get implements Store.
func (k *Keychain) Get(ctx context.Context, name string) (secret.Text, error) {
	r, err := k.call(ctx, request{Op: opGet, Name: name})
	return secret.New(string(r.Value)), err
}

// Delete implements Store.
func (k *Keychain) Delete(ctx context.Context, name string) error {
	_, err := k.call(ctx, request{Op: opDelete, Name: name})
	return err
}

// Proving is a Store that may read back by itself what it has written. What
// stands in front of one passes the word on: asking a keychain twice is a third
// of the price of a sign-in.
type Proving interface {
	// Proves reports that Put has compared what the store then holds.
	Proves() bool
}

// Proves implements Proving: the child reads back.
func (k *Keychain) Proves() bool { return true }

// Probe proves that the keychain keeps and returns a value: it writes a test
// entry, reads it back and deletes it. It is called before a browser opens, so
// that nobody signs in for a token that then cannot be kept (KR-9).
func (k *Keychain) Probe(ctx context.Context) error { return Probe(ctx, k) }

// Status says which program keeps the secrets. It takes at most a second,
// never opens a dialog and starts no program but our own child. No keychain is
// an answer (Present is false), not an error; a keychain that does not answer
// is the problem vault.absent with reason=silent.
func (k *Keychain) Status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusBudget)
	defer cancel()
	if k.closed.Load() {
		return Status{}, ours("vault.closed")
	}
	return k.backend.status(ctx)
}

// Close ends the child when nobody else in this process uses it, also under a
// call that is still under way. Later calls are our mistake and refused.
func (k *Keychain) Close() error {
	if !k.closed.Swap(true) {
		k.backend.close()
	}
	return nil
}

func (k *Keychain) call(ctx context.Context, r request) (reply, error) {
	r.Service, r.Attended = k.options.Service, k.options.Attended
	if err := r.check(); err != nil {
		return reply{}, err
	}
	if k.closed.Load() {
		return reply{}, ours("vault.closed")
	}
	if err := ctx.Err(); err != nil {
		return reply{}, err
	}
	started := time.Now()
	answer, err := k.backend.item(ctx, r, k.options)
	if err == nil && answer.Failure != "" {
		err = answer.failure()
	}
	if err != nil {
		answer = reply{}
	}
	k.options.Log.Debug("keychain", "op", r.Op, "name", r.Name, "took", time.Since(started).Round(time.Millisecond), "err", err)
	return answer, err
}

// Probe is the method of the same name, for any store.
func Probe(ctx context.Context, s Store) error {
	// A name of its own, so that two processes do not delete each other's.
	name, value := "probe-"+random(10), secret.New(random(32))
	if err := s.Put(ctx, name, value); err != nil {
		return err
	}
	got, err := s.Get(ctx, name)
	if err == nil && !got.Equal(value) {
		err = unreadable("readback")
	}
	if err != nil {
		// The entry must not stay; why the probe failed is already known.
		_ = s.Delete(context.WithoutCancel(ctx), name)
		return notKept(err)
	}
	if err := s.Delete(ctx, name); err != nil {
		return notKept(err)
	}
	switch _, err := s.Get(ctx, name); {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	default:
		return unreadable("not-deleted")
	}
}

// notKept turns "not found" into a problem where a value was written before.
func notKept(err error) error {
	if errors.Is(err, ErrNotFound) {
		return unreadable("readback")
	}
	return err
}

func unreadable(reason string) *problem.Problem {
	return problem.New(problem.VaultUnreadable, "reason", reason)
}

// ours is a mistake of our own; where says which check found it. The offending
// text is not repeated: it may be a person's.
func ours(where string) *problem.Problem {
	return problem.New(problem.Unexpected, "where", where)
}

func checkSize(v secret.Text) error {
	if v.Len() > Limit {
		return problem.New(problem.VaultTooBig, "limit", "2400")
	}
	return nil
}

// checkName holds names to [a-z0-9-]{1,48} (KR-1 as amended).
func checkName(name string) error {
	if !made(name, 1, 48, "abcdefghijklmnopqrstuvwxyz0123456789-") {
		return ours("vault.name")
	}
	return nil
}

// checkID holds the ids in names to [a-z0-9]{8,32}.
func checkID(id string) error {
	if !made(id, 8, 32, "abcdefghijklmnopqrstuvwxyz0123456789") {
		return ours("vault.id")
	}
	return nil
}

func checkService(service string) error {
	if !made(service, 1, 64, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") {
		return ours("vault.service")
	}
	return nil
}
