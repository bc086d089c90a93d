package library

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	codes "modernc.org/sqlite/lib"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const appColumns = `id, name, provider, client_id, redirect_uri, scopes, endpoints_sha256, secret_kept`

const accountColumns = `id, provider, client_id, user_id, "grant", app_id, username, kind, scopes_asked, scopes_granted, issued_at, expires_at, estimated, gen, vault, last_answer, failed_since`

// row is what *sql.Row and *sql.Rows share.
type row interface{ Scan(...any) error }

// AddApp adds an app under the ID that it carries. Errors: AppNameTaken (arg
// name), and those of every write: LibraryFull, LibraryReadOnly, LibraryNewer,
// LibraryBusy (arg folder).
func (l *Library) AddApp(ctx context.Context, a App) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO app (`+appColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			a.ID, a.Name, a.Provider, a.ClientID, a.RedirectURI, words(a.Scopes), a.EndpointsSHA256, a.SecretKept)
		return nameTaken(err, a)
	})
}

// UpdateApp writes every field of the app with that ID. Errors: AppUnknown,
// AppNameTaken, and those of every write.
func (l *Library) UpdateApp(ctx context.Context, a App) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE app SET name = ?, provider = ?, client_id = ?, redirect_uri = ?, scopes = ?, endpoints_sha256 = ?, secret_kept = ? WHERE id = ?`,
			a.Name, a.Provider, a.ClientID, a.RedirectURI, words(a.Scopes), a.EndpointsSHA256, a.SecretKept, a.ID)
		if err != nil {
			return nameTaken(err, a)
		}
		return mustTouch(result, problem.New(problem.AppUnknown, "name", a.Name))
	})
}

func nameTaken(err error, a App) error {
	if violates(err, codes.SQLITE_CONSTRAINT_UNIQUE) {
		return problem.New(problem.AppNameTaken, "name", a.Name)
	}
	return err
}

// Apps lists every app by name.
func (l *Library) Apps(ctx context.Context) ([]App, error) {
	return several(ctx, l, scanApp, `SELECT `+appColumns+` FROM app ORDER BY name COLLATE NOCASE, id`)
}

// App gives the app with that id, or AppUnknown (arg name: the id).
func (l *Library) App(ctx context.Context, id string) (App, error) {
	return one(ctx, l, scanApp, problem.New(problem.AppUnknown, "name", id), `SELECT `+appColumns+` FROM app WHERE id = ?`, id)
}

// AppByName gives the app with exactly that name, or AppUnknown (arg name).
func (l *Library) AppByName(ctx context.Context, name string) (App, error) {
	return one(ctx, l, scanApp, problem.New(problem.AppUnknown, "name", name), `SELECT `+appColumns+` FROM app WHERE name = ?`, name)
}

// RemoveApp removes an app; its accounts stay, with an empty AppID. The app's
// secret is the caller's to remove, and first.
func (l *Library) RemoveApp(ctx context.Context, id string) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM app WHERE id = ?`, id)
		if err != nil {
			return err
		}
		return mustTouch(result, problem.New(problem.AppUnknown, "name", id))
	})
}

// Accounts lists every account by username.
func (l *Library) Accounts(ctx context.Context) ([]Account, error) {
	return several(ctx, l, scanAccount, `SELECT `+accountColumns+` FROM account ORDER BY username COLLATE NOCASE, id`)
}

// Account gives the account with that id, or AccountUnknown (arg name: the id).
func (l *Library) Account(ctx context.Context, id string) (Account, error) {
	return one(ctx, l, scanAccount, problem.New(problem.AccountUnknown, "name", id), `SELECT `+accountColumns+` FROM account WHERE id = ?`, id)
}

// AccountByIdentity gives the account of that person at that app, or
// AccountUnknown (arg name: the user id).
func (l *Library) AccountByIdentity(ctx context.Context, provider, clientID, userID string) (Account, error) {
	return one(ctx, l, scanAccount, problem.New(problem.AccountUnknown, "name", userID),
		`SELECT `+accountColumns+` FROM account WHERE provider = ? AND client_id = ? AND user_id = ?`, provider, clientID, userID)
}

// UpdateAccount reads the account, lets change alter it and writes it, with
// the diary entries, in one transaction, so that no other writer comes
// between. change must not use the library. The ID stays what it is. Errors:
// AccountUnknown, AppUnknown, and those of every write.
func (l *Library) UpdateAccount(ctx context.Context, id string, change func(*Account), diary ...Entry) error {
	return l.write(ctx, func(tx *sql.Tx) error { return l.updateAccount(ctx, tx, id, change, diary) })
}

func (l *Library) updateAccount(ctx context.Context, tx *sql.Tx, id string, change func(*Account), diary []Entry) error {
	a, err := scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(problem.AccountUnknown, "name", id)
	}
	if err != nil {
		return err
	}
	change(&a)
	a.ID = id
	if err := putAccount(ctx, tx, a); err != nil {
		return err
	}
	return l.enter(ctx, tx, id, diary)
}

// Finish ends a request: the account is written (the one with the same
// provider, client id and user id, else the one with its ID, else a new one),
// the diary entries are added, and the account's pending rows up to its Gen are
// deleted, all or nothing. If the person was known under another ID, the
// account and its diary go over to a's, for that is where the token now lies;
// callers look with AccountByIdentity first and so keep the old one. How
// renewing stood (see Renewal) is forgotten: it was about the former token.
// The context's cancelling is ignored. Errors: AppUnknown, and those of every
// write.
func (l *Library) Finish(ctx context.Context, a Account, diary ...Entry) error {
	return l.FinishFrom(ctx, a.ID, a, Renewal{}, diary...)
}

// FinishFrom is Finish for a sign-in that turned out to be a known person's:
// its pending rows lie under the id from, made before anybody was known, and
// are deleted in the same transaction, so that a row never outlives what it
// led to and overwrites something newer. How renewing stands begins anew, as
// renewal says.
func (l *Library) FinishFrom(ctx context.Context, from string, a Account, renewal Renewal, diary ...Entry) error {
	return l.finish(ctx, from, []Account{a}, func(r *Renewal) { *r = renewal }, diary)
}

// FinishAll is FinishFrom for one answer that several accounts share: all of
// them in one transaction. entries has one entry for each account, in the same
// order.
func (l *Library) FinishAll(ctx context.Context, from string, accounts []Account, renewal Renewal, entries []Entry) error {
	if len(accounts) == 0 || len(accounts) != len(entries) {
		return problem.New(problem.Unexpected, "where", "library.finish")
	}
	return l.finish(ctx, from, accounts, func(r *Renewal) { *r = renewal }, entries)
}

// finish writes accounts with one diary entry each, or one account with all.
func (l *Library) finish(ctx context.Context, from string, accounts []Account, change func(*Renewal), diary []Entry) error {
	ctx = context.WithoutCancel(ctx)
	err := l.write(ctx, func(tx *sql.Tx) error {
		for i, a := range accounts {
			own := diary
			if len(accounts) > 1 {
				own = diary[i : i+1]
			}
			if err := l.finishOne(ctx, tx, from, a, change, own); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.giveBack(ctx, from)
	for _, a := range accounts {
		if from != a.ID {
			l.giveBack(ctx, a.ID)
		}
	}
	return nil
}

func (l *Library) finishOne(ctx context.Context, tx *sql.Tx, from string, a Account, change func(*Renewal), diary []Entry) error {
	var former string
	err := tx.QueryRowContext(ctx, `SELECT id FROM account WHERE provider = ? AND client_id = ? AND user_id = ? AND id <> ?`, a.Provider, a.ClientID, a.UserID, a.ID).Scan(&former)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if former != "" {
		if _, err := tx.ExecContext(ctx, `DELETE FROM account WHERE id = ?`, a.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET id = ? WHERE id = ?`, a.ID, former); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE diary SET account_id = ? WHERE account_id = ?`, a.ID, former); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM renewal WHERE account_id = ?`, former); err != nil {
			return err
		}
	}
	if err := putAccount(ctx, tx, a); err != nil {
		return err
	}
	if err := setRenewal(ctx, tx, a.ID, change); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE account_id IN (?, ?) AND gen <= ?`, a.ID, from, a.Gen); err != nil {
		return err
	}
	return l.enter(ctx, tx, a.ID, diary)
}

// RemoveAccount removes an account, its pending answers and how renewing it
// stood; the diary keeps
// what it has and gets the given entries. The token is the caller's to remove,
// and first. Errors: AccountUnknown, and those of every write.
func (l *Library) RemoveAccount(ctx context.Context, id string, diary ...Entry) error {
	err := l.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM account WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if err := mustTouch(result, problem.New(problem.AccountUnknown, "name", id)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE account_id = ?`, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM renewal WHERE account_id = ?`, id); err != nil {
			return err
		}
		return l.enter(ctx, tx, id, diary)
	})
	if err == nil {
		l.giveBack(ctx, id)
	}
	return err
}

// putAccount names every column that we know, so that those of a newer
// program keep their values.
func putAccount(ctx context.Context, tx *sql.Tx, a Account) error {
	var app any
	if a.AppID != "" {
		app = a.AppID
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO account (`+accountColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, client_id = excluded.client_id, user_id = excluded.user_id, "grant" = excluded."grant",
			app_id = excluded.app_id, username = excluded.username, kind = excluded.kind, scopes_asked = excluded.scopes_asked, scopes_granted = excluded.scopes_granted,
			issued_at = excluded.issued_at, expires_at = excluded.expires_at, estimated = excluded.estimated, gen = excluded.gen, vault = excluded.vault,
			last_answer = excluded.last_answer, failed_since = excluded.failed_since`,
		a.ID, a.Provider, a.ClientID, a.UserID, a.Grant, app, a.Username, a.Kind, words(a.ScopesAsked), words(a.ScopesGranted),
		millis(a.IssuedAt), millis(a.ExpiresAt), a.Estimated, a.Gen, a.Vault, a.LastAnswer, millis(a.FailedSince))
	if violates(err, codes.SQLITE_CONSTRAINT_FOREIGNKEY) {
		return problem.New(problem.AppUnknown, "name", a.AppID)
	}
	return err
}

// Note adds one entry to the diary.
func (l *Library) Note(ctx context.Context, e Entry) error {
	return l.write(ctx, func(tx *sql.Tx) error { return l.enter(ctx, tx, e.AccountID, []Entry{e}) })
}

// Diary lists at most limit entries (100 when limit is not positive), the
// newest first, those with a Seq under before; zero begins at the newest. An
// empty accountID lists those of all accounts.
func (l *Library) Diary(ctx context.Context, accountID string, limit int, before int64) ([]Entry, error) {
	if limit <= 0 {
		limit = 100
	}
	query := `SELECT seq, account_id, at, event, args FROM diary WHERE (?1 = 0 OR seq < ?1)`
	if accountID != "" {
		query += ` AND account_id = ?3`
	}
	return several(ctx, l, scanEntry, query+` ORDER BY seq DESC LIMIT ?2`, before, limit, accountID)
}

// enter writes entries; those without an account get accountID.
func (l *Library) enter(ctx context.Context, tx *sql.Tx, accountID string, entries []Entry) error {
	for _, e := range entries {
		if e.AccountID == "" {
			e.AccountID = accountID
		}
		if e.At.IsZero() {
			e.At = l.now()
		}
		if e.Args == nil {
			e.Args = map[string]string{}
		}
		args, err := json.Marshal(e.Args)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO diary (account_id, at, event, args) VALUES (?, ?, ?, ?)`, e.AccountID, e.At.UnixMilli(), e.Event, string(args)); err != nil {
			return err
		}
	}
	return nil
}

// PutOverflow keeps the sealed form of a keychain item that is too long, and
// replaces the one of that name. The context's cancelling is ignored.
func (l *Library) PutOverflow(ctx context.Context, name string, gen int64, sealed []byte) error {
	ctx = context.WithoutCancel(ctx)
	return l.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO overflow (name, gen, sealed) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET gen = excluded.gen, sealed = excluded.sealed`, name, gen, sealed)
		return err
	})
}

// Overflow gives what PutOverflow kept under name, or TokenGone.
func (l *Library) Overflow(ctx context.Context, name string) (gen int64, sealed []byte, err error) {
	type kept struct {
		gen    int64
		sealed []byte
	}
	k, err := one(ctx, l, func(r row) (k kept, err error) { return k, r.Scan(&k.gen, &k.sealed) },
		problem.New(problem.TokenGone), `SELECT gen, sealed FROM overflow WHERE name = ?`, name)
	return k.gen, k.sealed, err
}

// DeleteOverflow removes what lies under name; nothing there is fine.
func (l *Library) DeleteOverflow(ctx context.Context, name string) error {
	// Nearly every token fits the keychain and has no row here: asking is
	// cheaper than a write that changes nothing, on the way of every save.
	var one int
	if err := l.db.QueryRowContext(ctx, `SELECT 1 FROM overflow WHERE name = ?`, name).Scan(&one); errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return l.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM overflow WHERE name = ?`, name)
		return err
	})
}

func scanApp(r row) (a App, err error) {
	var scopes string
	err = r.Scan(&a.ID, &a.Name, &a.Provider, &a.ClientID, &a.RedirectURI, &scopes, &a.EndpointsSHA256, &a.SecretKept)
	a.Scopes = list(scopes)
	return a, err
}

func scanAccount(r row) (a Account, err error) {
	var app sql.NullString
	var asked, granted string
	var issued, expires, failed sql.NullInt64
	err = r.Scan(&a.ID, &a.Provider, &a.ClientID, &a.UserID, &a.Grant, &app, &a.Username, &a.Kind, &asked, &granted,
		&issued, &expires, &a.Estimated, &a.Gen, &a.Vault, &a.LastAnswer, &failed)
	a.AppID = app.String
	a.ScopesAsked, a.ScopesGranted = list(asked), list(granted)
	a.IssuedAt, a.ExpiresAt, a.FailedSince = moment(issued), moment(expires), moment(failed)
	return a, err
}

func scanEntry(r row) (e Entry, err error) {
	var at int64
	var args string
	if err = r.Scan(&e.Seq, &e.AccountID, &at, &e.Event, &args); err != nil {
		return e, err
	}
	e.At = time.UnixMilli(at).UTC()
	// Written by another hand: the entry is still worth showing.
	_ = json.Unmarshal([]byte(args), &e.Args)
	return e, nil
}

func one[T any](ctx context.Context, l *Library, scan func(row) (T, error), absent error, query string, args ...any) (T, error) {
	value, err := scan(l.db.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		var none T
		return none, absent
	}
	if err != nil {
		var none T
		return none, l.told(ctx, err)
	}
	return value, nil
}

func several[T any](ctx context.Context, l *Library, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := l.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, l.told(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	var values []T
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return nil, l.told(ctx, err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		return nil, l.told(ctx, err)
	}
	return values, nil
}

func mustTouch(result sql.Result, otherwise error) error {
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return otherwise
	}
	return err
}
