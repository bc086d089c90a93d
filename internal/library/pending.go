package library

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const (
	// reserveSize is the room in the row for a sealed answer, in bytes. The
	// longest token seen is under 1 KiB; answers are read up to 256 KiB.
	reserveSize = 16 << 10
	// ballastSize is the room in the file system, in bytes: what two answers and
	// the finishing add to SQLite's log, and as much again.
	ballastSize = 192 << 10
	ballastName = "library.reserve-"
)

// Begin records that a token is about to be asked for and makes room for the
// answer; a full disk shows here, before the provider is asked. Asking again
// for the same account and gen is fine as long as no answer is there; with one
// it is our mistake (Unexpected), for recovery comes first. An AskedAt of zero
// means now. Errors: those of every write.
func (l *Library) Begin(ctx context.Context, p Pending) error {
	if !idForm.MatchString(p.AccountID) {
		return problem.New(problem.Unexpected, "where", "library.begin")
	}
	if p.AskedAt.IsZero() {
		p.AskedAt = l.now()
	}
	ballast := l.path(ballastName + p.AccountID)
	made := false
	err := l.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO pending (account_id, gen, asked_at, sealed, reserve) VALUES (?1, ?2, ?3, NULL, zeroblob(?4))
			ON CONFLICT (account_id, gen) DO UPDATE SET asked_at = ?3, reserve = zeroblob(?4) WHERE sealed IS NULL`,
			p.AccountID, p.Gen, p.AskedAt.UnixMilli(), reserveSize)
		if err != nil {
			return err
		}
		if err := mustTouch(result, problem.New(problem.Unexpected, "where", "library.begin")); err != nil {
			return err
		}
		// Inside the transaction, so that no sweep of another process comes
		// between the file and its row.
		made, err = load(ballast)
		return err
	})
	if err != nil && made {
		_ = os.Remove(ballast)
	}
	return err
}

// Seal puts the sealed answer into the row that Begin made, in place of the
// room kept for it; up to 16 KiB this works on a full disk too. A second
// answer (the extended token) replaces the first. The context's cancelling is
// ignored. Errors: Unexpected when there is no such row, and those of every
// write.
func (l *Library) Seal(ctx context.Context, accountID string, gen int64, sealed []byte) error {
	ctx = context.WithoutCancel(ctx)
	seal := func() error {
		return l.write(ctx, func(tx *sql.Tx) error {
			result, err := tx.ExecContext(ctx, `UPDATE pending SET sealed = ?, reserve = zeroblob(?) WHERE account_id = ? AND gen = ?`,
				sealed, reserveBeside(len(sealed)), accountID, gen)
			if err != nil {
				return err
			}
			return mustTouch(result, problem.New(problem.Unexpected, "where", "library.seal"))
		})
	}
	err := seal()
	if problem.Has(err, problem.LibraryFull) && os.Remove(l.path(ballastName+accountID)) == nil {
		err = seal()
	}
	return err
}

// reserveBeside is how much reserve stays beside n sealed bytes, so that the
// record keeps its length to the byte: SQLite writes such a one over the old
// one, where any other would first take new pages. A value's length is part of
// the record, in one to three bytes ("Serial Type Codes", SQLite file format).
func reserveBeside(n int) int {
	width := func(size int) int {
		switch {
		case 12+2*size < 1<<7:
			return 1
		case 12+2*size < 1<<14:
			return 2
		}
		return 3
	}
	// The absent answer of Begin takes one byte, that it is absent.
	whole := 1 + width(reserveSize) + reserveSize
	for _, own := range []int{3, 2, 1} {
		if rest := whole - width(n) - n - own; rest >= 0 && width(rest) == own {
			return rest
		}
	}
	return 0
}

// Pendings lists every request whose answer is not yet in the keychain, the
// oldest first.
func (l *Library) Pendings(ctx context.Context) ([]Pending, error) {
	return several(ctx, l, func(r row) (p Pending, err error) {
		var asked int64
		err = r.Scan(&p.AccountID, &p.Gen, &asked, &p.Sealed)
		p.AskedAt = time.UnixMilli(asked).UTC()
		return p, err
	}, `SELECT account_id, gen, asked_at, sealed FROM pending ORDER BY asked_at, account_id, gen`)
}

// Drop forgets a request, with its answer if it has one; none there is fine.
func (l *Library) Drop(ctx context.Context, accountID string, gen int64) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE account_id = ? AND gen = ?`, accountID, gen)
		return err
	})
	if err == nil {
		l.giveBack(ctx, accountID)
	}
	return err
}

// load makes the ballast file. Its bytes are random, because some file systems
// keep zeros without room.
func load(path string) (made bool, err error) {
	if info, err := os.Lstat(path); err == nil && info.Size() == ballastSize {
		return false, nil
	}
	_ = os.Remove(path)
	content := make([]byte, ballastSize)
	if _, err := rand.Read(content); err != nil {
		return false, err
	}
	return true, writeNew(path, content)
}

// giveBack removes the ballast of an account that waits for nothing any more.
// A failure is mended by the sweep of the next start.
func (l *Library) giveBack(ctx context.Context, accountID string) {
	_ = l.write(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		var left int
		if err := tx.QueryRow(`SELECT count(*) FROM pending WHERE account_id = ?`, accountID).Scan(&left); err != nil || left > 0 {
			return err
		}
		return ignoreAbsent(os.Remove(l.path(ballastName + accountID)))
	})
}

// sweep removes what a killed process left: ballast without its row.
func (l *Library) sweep(ctx context.Context) error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return problem.New(problem.HomeUnusable, "folder", l.dir, "reason", "unreadable").Because(err)
	}
	var left []string
	for _, e := range entries {
		if id, ok := strings.CutPrefix(e.Name(), ballastName); ok && e.Type().IsRegular() {
			left = append(left, id)
		}
	}
	if len(left) == 0 {
		return nil
	}
	err = l.write(ctx, func(tx *sql.Tx) error {
		for _, id := range left {
			var rows int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM pending WHERE account_id = ?`, id).Scan(&rows); err != nil {
				return err
			}
			if rows == 0 {
				if err := ignoreAbsent(os.Remove(filepath.Join(l.dir, ballastName+id))); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if problem.Has(err, problem.LibraryBusy) {
		// Somebody writes for long: the next start sweeps.
		return nil
	}
	return err
}

func ignoreAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
