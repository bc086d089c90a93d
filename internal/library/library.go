// Package library keeps what is not secret: apps, accounts, answers on their
// way into the keychain (as sealed bytes that it cannot open) and the diary,
// in one SQLite file, <home>/library.db.
//
// Decisions
//
//   - SQLite, because a window and any number of commands write at the same
//     time and one killed in the middle must not cost the others a row.
//     Write-ahead log, synchronous=FULL: what a call reported as done survives
//     kill -9 and a power cut. Every write begins with BEGIN IMMEDIATE, so two
//     writers queue instead of failing half-way.
//   - Where the file system cannot map a file or has no locks (some network
//     homes) a rollback journal is used, and Notes says so.
//   - No secret is ever given to this package. What may hold one arrives
//     sealed; the client secret, the code and the token never arrive.
//   - A damaged file is never repaired in place and never deleted: it is kept
//     beside as library.corrupt-<time>.db and a fresh one is made under the
//     former library id, which also lies in <home>/library.id, so that the
//     keychain's index items can be found and the list rebuilt from them.
//   - A file of a newer program is written to only if that program says that
//     we may (meta.min_reader); columns that we do not know are left alone.
//   - An answer of a provider must find room. Begin therefore puts 16 KiB into
//     the row, and [ballastSize] bytes in a file beside it that Seal gives back
//     to the file system if there is no room left: the log of SQLite grows
//     with every write, so room inside the row alone would not do.
//   - How renewing stands (the last try, the wait after failures, what the
//     person was told) lies beside the account and not in it: the account's
//     columns are a contract with scripts, and a sign-in or a removal forgets
//     all of it in the same transaction. What the person chose lies in setting,
//     so that window, command line and timer agree, and so does what only
//     they have to agree on (which sealing key was read last).
//   - Seal, Finish and PutOverflow ignore the cancelling of their context:
//     a deadline never throws a token away.
//   - Folders 0700 and files 0600, whatever the umask, repaired at each start;
//     only names of ours are touched, and a folder that everybody shares is
//     refused.
//
// Times are UTC with a resolution of one millisecond.
package library

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Library is an open library. It is safe for concurrent use, and several
// processes may have the same one open.
type Library struct {
	dir   string
	now   func() time.Time
	db    *sql.DB
	id    string
	fresh bool
	// barred is why nothing may be written; empty when everything may.
	barred problem.Key
	notes  []problem.Key
	// copied is a folder of copies that Close removes.
	copied string
	// writing lets one goroutine write at a time, so that those of one process
	// wait for each other in order instead of polling the file's lock.
	writing chan struct{}
	// closed tells that this one no longer has the file open.
	closed func()
}

// App is one app registered in a provider's dashboard, without its secret.
type App struct {
	// ID is ours, [a-z0-9]{8,32}; see NewID.
	ID string
	// Name is what the person calls it; no two apps share one.
	Name, Provider, ClientID, RedirectURI string
	// Scopes are those last asked for, in the order of the definition.
	Scopes []string
	// EndpointsSHA256 is the fingerprint of the addresses that the secret goes
	// to; another one asks for the secret again.
	EndpointsSHA256 string
	// SecretKept says that the keychain has the item client-<ID>.
	SecretKept bool
}

// Account is one connected account, without its token.
type Account struct {
	// ID is ours, the one in the keychain item token-<ID>.
	ID string
	// Provider, ClientID and UserID together say who it is; no two accounts
	// share all three.
	Provider, ClientID, UserID string
	// Grant is common to the accounts of one sign-in (Facebook Login).
	Grant string
	// AppID names the app; empty after the app was removed.
	AppID          string
	Username, Kind string
	ScopesAsked    []string
	ScopesGranted  []string
	// IssuedAt and ExpiresAt are nil when nobody knows.
	IssuedAt, ExpiresAt *time.Time
	// Estimated says that ExpiresAt is our guess (a pasted token).
	Estimated bool
	// Gen counts the tokens that this account has had, from 1.
	Gen int64
	// Vault is where the token lies: keychain, file or session.
	Vault string
	// LastAnswer is the key of what the provider last said; empty: fine.
	LastAnswer string
	// FailedSince is since when renewing has failed; nil: it has not.
	FailedSince *time.Time
}

// Pending is a request whose answer is not yet in the keychain.
type Pending struct {
	AccountID string
	// Gen is the number that the token will have.
	Gen     int64
	AskedAt time.Time
	// Sealed is the answer; nil: none arrived.
	Sealed []byte
}

// Entry is one line of the diary.
type Entry struct {
	// Seq is given by the library and grows; zero in a new entry.
	Seq       int64
	AccountID string
	// At is when; zero in a new entry means now.
	At time.Time
	// Event is the stem of a sentence in the catalogue, Args fill it. Neither
	// holds a secret.
	Event string
	Args  map[string]string
}

// ID is the library's own id, [a-z0-9]{16}, the <lib> in keychain names.
func (l *Library) ID() string { return l.id }

// Fresh reports that this Open made the library. With LibraryBroken among the
// notes there was one before, of the same ID unless that was lost too.
func (l *Library) Fresh() bool { return l.fresh }

// ReadOnly reports that nothing can be written; Notes says why. It stays so
// until the library is opened again.
func (l *Library) ReadOnly() bool { return l.barred != "" }

// Notes lists what the person should know about this library: LibraryNewer,
// LibraryReadOnly, LibraryFull (each with ReadOnly), LibraryBroken (a fresh one
// was made), LibraryNoSharing (a rollback journal is used), LockUnavailable.
func (l *Library) Notes() []problem.Key { return slices.Clone(l.notes) }

// Folder is the folder that the library lies in.
func (l *Library) Folder() string { return l.dir }

// Close closes the file. What was reported as written stays written without it.
func (l *Library) Close() error {
	err := l.db.Close()
	defer l.closed()
	if l.copied != "" {
		err = errors.Join(err, os.RemoveAll(l.copied))
	}
	return err
}

// NewID makes an id of 16 characters out of [a-z0-9] from 16 or more random
// bytes of random, about 82 bits. It panics when random fails; crypto/rand's
// reader does not.
func NewID(random io.Reader) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	id := make([]byte, 0, 16)
	var b [1]byte
	for len(id) < cap(id) {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			panic("library: no random bytes: " + err.Error())
		}
		// 252 is the largest multiple of 36 below 256: every letter is as likely.
		if b[0] < 252 {
			id = append(id, alphabet[int(b[0])%len(alphabet)])
		}
	}
	return string(id)
}

// write runs change in one transaction that holds the write lock from its
// first moment.
func (l *Library) write(ctx context.Context, change func(tx *sql.Tx) error) error {
	if l.barred != "" {
		return problem.New(l.barred, "folder", l.dir)
	}
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return l.told(ctx, err)
	}
	if err := change(tx); err != nil {
		_ = tx.Rollback()
		return l.told(ctx, err)
	}
	return l.told(ctx, tx.Commit())
}

// told turns an error of SQLite into a problem that names the folder.
func (l *Library) told(ctx context.Context, err error) error {
	var p *problem.Problem
	switch {
	case err == nil, errors.As(err, &p):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone):
		return problem.New(problem.Unexpected, "where", "library").Because(err)
	}
	if key := diagnose(err, l.dir); key != "" {
		return problem.New(key, "folder", l.dir).Because(err)
	}
	if l.barred == problem.LibraryNewer {
		// A table or column that the newer program renamed.
		return problem.New(problem.LibraryNewer, "folder", l.dir).Because(err)
	}
	return problem.New(problem.Unexpected, "where", "library").Because(err)
}

func (l *Library) path(name string) string { return filepath.Join(l.dir, name) }

func millis(t *time.Time) any {
	if t == nil || t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func moment(ms sql.NullInt64) *time.Time {
	if !ms.Valid {
		return nil
	}
	t := time.UnixMilli(ms.Int64).UTC()
	return &t
}

func words(list []string) string { return strings.Join(list, " ") }

func list(words string) []string { return strings.Fields(words) }
