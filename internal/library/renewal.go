package library

import (
	"context"
	"database/sql"
	"errors"
	"time"

	codes "modernc.org/sqlite/lib"
)

const renewalColumns = `account_id, tried_at, tries, next_at, checked_at, warned, refreshes`

// Renewal is how renewing one account stands. The zero value is an account
// that nobody has tried to renew.
type Renewal struct {
	// TriedAt is when the provider was last asked for a new token, whatever
	// came of it.
	TriedAt *time.Time
	// NextAt is the earliest next try after a failure; nil: no wait.
	NextAt *time.Time
	// CheckedAt is when the provider was last asked whether the token works.
	CheckedAt *time.Time
	// Tries counts the failures in a row.
	Tries int
	// Warned is the smallest of 14, 7, 2 days before the present end at which
	// the person was told; 0: not yet.
	Warned int
	// Refreshes: the token was given with a refresh token, and the provider takes
	// that for a new one. Its end alone says nothing about the account then.
	Refreshes bool
}

// Renewal gives how renewing of that account stands; of one without a row the
// zero value.
func (l *Library) Renewal(ctx context.Context, accountID string) (Renewal, error) {
	_, r, err := scanRenewal(l.db.QueryRowContext(ctx, `SELECT `+renewalColumns+` FROM renewal WHERE account_id = ?`, accountID))
	if errors.Is(err, sql.ErrNoRows) || l.tooOld(err) {
		return Renewal{}, nil
	}
	return r, l.told(ctx, err)
}

// Renewals gives those of all accounts that have a row, by account id.
func (l *Library) Renewals(ctx context.Context) (map[string]Renewal, error) {
	all := map[string]Renewal{}
	rows, err := l.db.QueryContext(ctx, `SELECT `+renewalColumns+` FROM renewal`)
	if l.tooOld(err) {
		return all, nil
	}
	if err != nil {
		return nil, l.told(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		id, r, err := scanRenewal(rows)
		if err != nil {
			return nil, l.told(ctx, err)
		}
		all[id] = r
	}
	return all, l.told(ctx, rows.Err())
}

// SetRenewal reads the renewal of an account, lets change alter it and writes
// it, in one transaction; change must not use the library. Errors: those of
// every write.
func (l *Library) SetRenewal(ctx context.Context, accountID string, change func(*Renewal)) error {
	return l.write(ctx, func(tx *sql.Tx) error { return setRenewal(ctx, tx, accountID, change) })
}

// setRenewal leaves alone the row of an account that is gone, and that of one
// without an account: removing forgets both, and a late writer brings nothing
// back.
func setRenewal(ctx context.Context, tx *sql.Tx, accountID string, change func(*Renewal)) error {
	_, r, err := scanRenewal(tx.QueryRowContext(ctx, `SELECT `+renewalColumns+` FROM renewal WHERE account_id = ?`, accountID))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	change(&r)
	_, err = tx.ExecContext(ctx, `INSERT INTO renewal (`+renewalColumns+`) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM account WHERE id = ?1)
		ON CONFLICT (account_id) DO UPDATE SET tried_at = excluded.tried_at, tries = excluded.tries, next_at = excluded.next_at,
			checked_at = excluded.checked_at, warned = excluded.warned, refreshes = excluded.refreshes`,
		accountID, millis(r.TriedAt), r.Tries, millis(r.NextAt), millis(r.CheckedAt), r.Warned, r.Refreshes)
	return err
}

// Renewed is Finish for a renewal: the account, the diary, its pending rows and
// how renewing stands, in one transaction. The context's cancelling is
// ignored. Errors: AppUnknown, and those of every write.
func (l *Library) Renewed(ctx context.Context, a Account, change func(*Renewal), diary ...Entry) error {
	return l.finish(ctx, a.ID, []Account{a}, change, diary)
}

// UpdateRenewal is UpdateAccount and SetRenewal in one transaction, for what a
// provider's answer means to both. Errors: as UpdateAccount.
func (l *Library) UpdateRenewal(ctx context.Context, id string, account func(*Account), renewal func(*Renewal), diary ...Entry) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		if err := l.updateAccount(ctx, tx, id, account, diary); err != nil {
			return err
		}
		return setRenewal(ctx, tx, id, renewal)
	})
}

// Setting gives what was chosen under that name, "" when nothing was.
func (l *Library) Setting(ctx context.Context, name string) (string, error) {
	var value string
	err := l.db.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) || l.tooOld(err) {
		return "", nil
	}
	return value, l.told(ctx, err)
}

// SetSetting keeps value under that name; an empty one forgets the choice.
// Errors: those of every write.
func (l *Library) SetSetting(ctx context.Context, name, value string) error {
	return l.write(ctx, func(tx *sql.Tx) error {
		if value == "" {
			_, err := tx.ExecContext(ctx, `DELETE FROM setting WHERE name = ?`, name)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}

// tooOld reports that a library which can only be read lacks the table: it is
// of a schema from before, and nothing was ever kept there.
func (l *Library) tooOld(err error) bool {
	return l.barred != "" && violates(err, codes.SQLITE_ERROR)
}

func scanRenewal(r row) (id string, out Renewal, err error) {
	var tried, next, checked sql.NullInt64
	err = r.Scan(&id, &tried, &out.Tries, &next, &checked, &out.Warned, &out.Refreshes)
	out.TriedAt, out.NextAt, out.CheckedAt = moment(tried), moment(next), moment(checked)
	return id, out, err
}
