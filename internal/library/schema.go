package library

// The schema of this program, and the oldest program that may write to it.
// A migration that an older program would break by writing raises minReader.
const minReader = 1

// migrations[n] leads from schema n to n+1. They are history: a released one
// is never edited. Tables and columns are a contract with scripts.
var migrations = []string{
	`
CREATE TABLE meta (
	library_id TEXT NOT NULL,
	schema     INTEGER NOT NULL,
	min_reader INTEGER NOT NULL
) STRICT;
CREATE TABLE app (
	id               TEXT PRIMARY KEY NOT NULL,
	name             TEXT NOT NULL UNIQUE,
	provider         TEXT NOT NULL,
	client_id        TEXT NOT NULL,
	redirect_uri     TEXT NOT NULL,
	scopes           TEXT NOT NULL,
	endpoints_sha256 TEXT NOT NULL,
	secret_kept      INTEGER NOT NULL
) STRICT;
CREATE TABLE account (
	id             TEXT PRIMARY KEY NOT NULL,
	provider       TEXT NOT NULL,
	client_id      TEXT NOT NULL,
	user_id        TEXT NOT NULL,
	"grant"        TEXT NOT NULL,
	app_id         TEXT REFERENCES app (id) ON UPDATE CASCADE ON DELETE SET NULL,
	username       TEXT NOT NULL,
	kind           TEXT NOT NULL,
	scopes_asked   TEXT NOT NULL,
	scopes_granted TEXT NOT NULL,
	issued_at      INTEGER,
	expires_at     INTEGER,
	estimated      INTEGER NOT NULL,
	gen            INTEGER NOT NULL,
	vault          TEXT NOT NULL,
	last_answer    TEXT NOT NULL,
	failed_since   INTEGER,
	UNIQUE (provider, client_id, user_id)
) STRICT;
CREATE INDEX account_app ON account (app_id);
CREATE TABLE pending (
	account_id TEXT NOT NULL,
	gen        INTEGER NOT NULL,
	asked_at   INTEGER NOT NULL,
	sealed     BLOB,
	reserve    BLOB,
	PRIMARY KEY (account_id, gen)
) STRICT;
CREATE TABLE diary (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	account_id TEXT NOT NULL,
	at         INTEGER NOT NULL,
	event      TEXT NOT NULL,
	args       TEXT NOT NULL
) STRICT;
`,
	// Tokens that are too long for a keychain item, and a diary that stays
	// quick to page through when it is long.
	`
CREATE TABLE overflow (
	name   TEXT PRIMARY KEY NOT NULL,
	gen    INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE INDEX diary_account ON diary (account_id, seq);
`,
	// How renewing stands, and what the person chose.
	`
CREATE TABLE renewal (
	account_id TEXT PRIMARY KEY NOT NULL,
	tried_at   INTEGER,
	tries      INTEGER NOT NULL,
	next_at    INTEGER,
	checked_at INTEGER,
	warned     INTEGER NOT NULL
) STRICT;
CREATE TABLE setting (
	name  TEXT PRIMARY KEY NOT NULL,
	value TEXT NOT NULL
) STRICT;
`,
	// Which tokens have a refresh token beside them.
	`
ALTER TABLE renewal ADD COLUMN refreshes INTEGER NOT NULL DEFAULT 0;
`,
}

// columns are those that the program reads and writes, and since which schema.
var columns = map[string]struct {
	names string
	since int
}{
	"app":      {appColumns, 1},
	"account":  {accountColumns, 1},
	"pending":  {`account_id, gen, asked_at, sealed, reserve`, 1},
	"diary":    {`seq, account_id, at, event, args`, 1},
	"overflow": {`name, gen, sealed`, 2},
	"renewal":  {renewalColumns, 4},
	"setting":  {`name, value`, 3},
}
