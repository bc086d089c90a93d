package library

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const (
	fileName = "library.db"
	idName   = "library.id"
	// busyWait is how long a call waits for another process that is writing.
	// A transaction of ours takes milliseconds; what is longer is a stopped
	// process or a sick disk.
	busyWait = 15 * time.Second
)

var idForm = regexp.MustCompile(`^[a-z0-9]{8,32}$`)

// Open opens the library in dir and makes folder and file when there are none.
// now is the clock; nil means the system's.
//
// A library that can be read and not written opens all the same, see ReadOnly
// and Notes. Errors: HomeUnusable (args folder, reason: shared, unreadable),
// LibraryFull or LibraryReadOnly when there is nothing to read either,
// LibraryBusy.
func Open(ctx context.Context, dir string, now func() time.Time) (*Library, error) {
	return opening{dir: dir, now: now, migrations: migrations, minReader: minReader}.open(ctx)
}

// opening is Open with what tests replace.
type opening struct {
	dir        string
	now        func() time.Time
	migrations []string
	minReader  int
	// vfs is SQLite's access to files; empty: the usual one.
	vfs string
	// shared: this process has the library open already, so it is sound.
	shared bool
}

// condition is what a look at the file found.
type condition int

const (
	healthy condition = iota
	absent            // no file
	blank             // a file without tables: making it was interrupted
	old               // an earlier schema
	newer             // a schema that we must not write
	broken            // not a database, or a damaged one
	barred            // cannot be opened for writing
)

// sight is the result of a look.
type sight struct {
	condition condition
	db        *sql.DB // nil when absent, broken or barred
	id        string  // as far as it could be read
	schema    int
	notes     []problem.Key
	reason    error
}

func (o opening) open(ctx context.Context) (*Library, error) {
	if o.now == nil {
		o.now = time.Now
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, problem.New(problem.HomeUnusable, "folder", o.dir).Because(err)
	}
	o.dir = dir
	in := inUse.of(dir)
	in.Lock()
	defer in.Unlock()
	o.shared = in.open > 0
	l, err := o.openAlone(ctx)
	if err == nil {
		in.open++
		l.closed = sync.OnceFunc(func() {
			in.Lock()
			defer in.Unlock()
			in.open--
		})
	}
	return l, err
}

// inUse counts, by folder, the libraries that this process has open. POSIX
// takes every lock on a file away from a process that closes any of its
// handles on it (fcntl(2), F_SETLK), SQLite's among them: nobody may read and
// close the file by himself while a library of ours has it open.
var inUse usage

type usage struct {
	mu      sync.Mutex
	folders map[string]*folderUse
}

type folderUse struct {
	sync.Mutex
	open int
}

func (u *usage) of(dir string) *folderUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.folders == nil {
		u.folders = map[string]*folderUse{}
	}
	if u.folders[dir] == nil {
		u.folders[dir] = &folderUse{}
	}
	return u.folders[dir]
}

// openAlone is open while nobody else in this process opens the same folder.
func (o opening) openAlone(ctx context.Context) (*Library, error) {
	dir := o.dir
	if err := tidy(dir); err != nil {
		return nil, err
	}
	seen, err := o.look(ctx)
	if err != nil {
		return nil, err
	}
	var fresh bool
	if seen.condition != healthy && seen.condition != newer && seen.condition != barred {
		// Making, migrating and replacing is for one process at a time. The
		// others look again once they have the lock.
		seen.close()
		unlock, err := LockFor(ctx, dir, "library", LockWait)
		switch {
		case problem.Has(err, problem.LockUnavailable):
			unlock = func() {}
		case problem.Has(err, problem.LockHeld):
			return nil, problem.New(problem.LibraryBusy, "folder", dir).Because(err)
		case problem.Has(err, problem.LibraryReadOnly), problem.Has(err, problem.LibraryFull):
			if seen.condition == absent || seen.condition == blank || seen.condition == broken {
				return nil, err
			}
			// An older schema can still be read.
			seen.condition, seen.reason = barred, err
			unlock = func() {}
		case err != nil:
			return nil, err
		}
		defer unlock()
		if seen.condition != barred {
			if seen, fresh, err = o.settle(ctx); err != nil {
				return nil, err
			}
		}
	}
	l := &Library{dir: dir, now: o.now, db: seen.db, id: seen.id, fresh: fresh, notes: seen.notes, writing: make(chan struct{}, 1)}
	switch seen.condition {
	case newer:
		l.barred = problem.LibraryNewer
	case barred:
		if err := o.openForReading(ctx, l, seen.reason); err != nil {
			return nil, err
		}
	}
	if l.barred != "" {
		l.notes = append(l.notes, l.barred)
		return l, nil
	}
	if err := l.sweep(ctx); err != nil {
		_ = l.db.Close()
		return nil, err
	}
	if known, _ := readID(dir); known != l.id {
		// Only the way back after a damage depends on it: not worth failing.
		_ = replaceFile(l.path(idName), []byte(l.id+"\n"))
	}
	return l, nil
}

// settle brings the file into a state that this program can use, with the lock
// held.
func (o opening) settle(ctx context.Context) (sight, bool, error) {
	seen, err := o.look(ctx)
	if err != nil {
		return sight{}, false, err
	}
	remembered, _ := readID(o.dir)
	switch seen.condition {
	case healthy, newer, barred:
		return seen, false, nil
	case old:
		if err := o.migrate(ctx, seen.db, seen.schema, seen.id); err != nil {
			seen.close()
			return sight{}, false, o.told(ctx, err)
		}
		seen.condition = healthy
		return seen, false, nil
	}
	// absent, blank, broken: a new file. When an id is remembered there was a
	// list before, and whoever reads the notes can rebuild it.
	id := firstOf(seen.id, remembered)
	lost := seen.condition == broken || remembered != ""
	seen.close()
	if seen.condition == broken {
		if err := o.keepAside(); err != nil {
			return sight{}, false, o.told(ctx, err)
		}
	}
	if id == "" {
		id = NewID(rand.Reader)
	}
	made, err := o.make(ctx, id)
	if err != nil {
		return sight{}, false, o.told(ctx, err)
	}
	if lost {
		made.notes = append(made.notes, problem.LibraryBroken)
	}
	return made, true, nil
}

// look opens the file, if there is one, and judges it. The error is one that
// no other way of opening mends.
func (o opening) look(ctx context.Context) (sight, error) {
	path := filepath.Join(o.dir, fileName)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sight{condition: absent}, nil
	case err != nil:
		return sight{}, problem.New(problem.HomeUnusable, "folder", o.dir, "reason", "unreadable").Because(err)
	case info.IsDir():
		return sight{condition: broken}, nil
	case info.Size() == 0:
		return sight{condition: blank}, nil
	}
	if !o.shared {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return sight{condition: barred, reason: err}, nil
		}
		sound := plausible(f)
		if err := f.Close(); err != nil {
			return sight{}, o.told(ctx, err)
		}
		if !sound {
			return sight{condition: broken}, nil
		}
	}
	db, notes, err := o.connect(ctx)
	if err != nil {
		if db != nil {
			_ = db.Close()
		}
		switch key := diagnose(err, o.dir); {
		case key == problem.LibraryBroken, errors.Is(err, errForeign):
			return sight{condition: broken}, nil
		case key == problem.LibraryFull, key == problem.LibraryReadOnly:
			return sight{condition: barred, reason: err}, nil
		default:
			return sight{}, o.told(ctx, err)
		}
	}
	seen := sight{db: db, notes: notes}
	var least int
	seen.condition, seen.id, seen.schema, least, err = judge(ctx, db)
	if err != nil {
		seen.close()
		switch key := diagnose(err, o.dir); key {
		case problem.LibraryFull, problem.LibraryReadOnly:
			return sight{condition: barred, reason: err}, nil
		}
		return sight{}, o.told(ctx, err)
	}
	if seen.condition == healthy {
		switch {
		case least > len(o.migrations):
			seen.condition = newer
		case seen.schema < len(o.migrations):
			seen.condition = old
		}
	}
	if seen.condition == broken {
		seen.close()
	}
	return seen, nil
}

// plausible looks at the file's header ("The Database Header", SQLite file
// format). SQLite takes some wrong values for those of its own future and then
// calls the file read-only.
func plausible(f io.ReaderAt) bool {
	var h [100]byte
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return false
	}
	return string(h[:16]) == "SQLite format 3\x00" && h[18] >= 1 && h[18] <= 2 && h[19] >= 1 && h[19] <= 2 && h[44]|h[45]|h[46] == 0 && h[47] <= 4
}

// judge reads what an open file says about itself: healthy, blank or broken.
func judge(ctx context.Context, db *sql.DB) (condition, string, int, int, error) {
	var id string
	var schema, least int
	damaged := func(err error) bool { return diagnose(err, "") == problem.LibraryBroken }

	var tables int
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Scan(&tables)
	switch {
	case damaged(err):
		return broken, "", 0, 0, nil
	case err != nil:
		return 0, "", 0, 0, err
	case tables == 0:
		return blank, "", 0, 0, nil
	}
	err = db.QueryRowContext(ctx, `SELECT library_id, schema, min_reader FROM meta`).Scan(&id, &schema, &least)
	switch {
	case damaged(err), errors.Is(err, sql.ErrNoRows):
		return broken, "", 0, 0, nil
	case err != nil && diagnose(err, "") != "":
		return 0, "", 0, 0, err
	case err != nil, !idForm.MatchString(id), schema < 1:
		return broken, "", 0, 0, nil
	}
	var verdict string
	err = db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict)
	switch {
	case damaged(err), err == nil && verdict != "ok":
		return broken, id, 0, 0, nil
	case err != nil:
		return 0, "", 0, 0, err
	}
	if least <= len(migrations) {
		// A damage that leaves a good database can still have eaten a column.
		for n, table := range columns {
			if schema < table.since {
				continue
			}
			rows, err := db.QueryContext(ctx, `SELECT `+table.names+` FROM `+n+` LIMIT 0`)
			if err == nil {
				err = rows.Close()
			}
			if err != nil {
				if diagnose(err, "") == "" && ctx.Err() == nil {
					return broken, id, 0, 0, nil
				}
				return 0, "", 0, 0, err
			}
		}
	}
	return healthy, id, schema, least, nil
}

// make makes the file, with every table, in one transaction.
func (o opening) make(ctx context.Context, id string) (sight, error) {
	path := filepath.Join(o.dir, fileName)
	// SQLite would make it with the umask's mode; its own files beside it
	// take the mode of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return sight{}, err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return sight{}, err
	}
	db, notes, err := o.connect(ctx)
	if err == nil {
		err = o.migrate(ctx, db, 0, id)
	}
	if err != nil {
		if db != nil {
			_ = db.Close()
		}
		return sight{}, err
	}
	if err := replaceFile(filepath.Join(o.dir, idName), []byte(id+"\n")); err != nil {
		_ = db.Close()
		return sight{}, err
	}
	syncFolder(o.dir)
	return sight{condition: healthy, db: db, id: id, schema: len(o.migrations), notes: notes}, nil
}

// migrate leads from schema from to the newest, all in one transaction.
func (o opening) migrate(ctx context.Context, db *sql.DB, from int, id string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, step := range o.migrations[from:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
	}
	if from == 0 {
		_, err = tx.ExecContext(ctx, `INSERT INTO meta (library_id, schema, min_reader) VALUES (?, ?, ?)`, id, len(o.migrations), o.minReader)
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE meta SET schema = ?, min_reader = max(min_reader, ?)`, len(o.migrations), o.minReader)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

// connect opens the file for writing, with the write-ahead log where that
// works. An error may come with a database that the caller closes.
func (o opening) connect(ctx context.Context) (*sql.DB, []problem.Key, error) {
	path := filepath.Join(o.dir, fileName)
	var more url.Values
	if o.vfs != "" {
		more = url.Values{"vfs": {o.vfs}}
	}
	db, err := sql.Open("sqlite", address(path, more))
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(4)
	// The mode is written into the file: not into one of somebody else.
	if err = isOurs(ctx, db); err == nil {
		err = useLog(ctx, db)
	}
	if err == nil {
		return db, nil, nil
	}
	if ctx.Err() != nil || !cannotShare(err, o.dir) {
		return db, nil, err
	}
	_ = db.Close()
	return withoutLog(ctx, path, fallbacks)
}

// useLog switches to the write-ahead log, which stays with the file.
func useLog(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return errNoLog
	}
	// The file of the log and the one that is mapped are only made by a first
	// look at a table.
	var n int
	return db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&n)
}

// isOurs gives errForeign for a database that has tables and not ours.
func isOurs(ctx context.Context, db *sql.DB) error {
	var tables, ours int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Scan(&tables, &ours)
	if err == nil && tables > 0 && ours == 0 {
		return errForeign
	}
	return err
}

var errForeign = errors.New("a database of another program")

var errNoLog = errors.New("this file system has no write-ahead log")

// fallback is a way to open a file where the write-ahead log does not work.
type fallback struct {
	vfs  string // SQLite's access to files; empty: the usual one
	note []problem.Key
}

// fallbacks are tried in order: with locks, and then without.
var fallbacks = []fallback{
	{"", []problem.Key{problem.LibraryNoSharing}},
	{lockless(), []problem.Key{problem.LibraryNoSharing, problem.LockUnavailable}},
}

// lockless names SQLite's own access to files without locks. Its nolock=1 will
// not do: with that it cannot lead a file out of log mode.
func lockless() string {
	if runtime.GOOS == "windows" {
		return "win32-none"
	}
	return "unix-none"
}

// withoutLog opens the file with a rollback journal.
func withoutLog(ctx context.Context, path string, ways []fallback) (*sql.DB, []problem.Key, error) {
	// A file that was in log mode can leave it without shared memory only by a
	// connection that says, before it looks into the file, that it has it to
	// itself. It must also have looked before it changes the mode.
	leave := []string{`SELECT count(*) FROM sqlite_schema`, `PRAGMA journal_mode = DELETE`}
	look := leave[:1]
	run := func(more url.Values, statements []string) (*sql.DB, error) {
		db, err := sql.Open("sqlite", address(path, more))
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		for _, statement := range statements {
			var answer string
			if err := db.QueryRowContext(ctx, statement).Scan(&answer); err != nil {
				_ = db.Close()
				return nil, err
			}
		}
		return db, nil
	}
	var last error
	for _, way := range ways {
		more := url.Values{}
		if way.vfs != "" {
			more.Set("vfs", way.vfs)
		}
		more["_pragma"] = append([]string{"locking_mode(EXCLUSIVE)"}, hardening...)
		db, err := run(more, leave)
		if err == nil {
			if err = db.Close(); err == nil {
				more["_pragma"] = hardening
				if db, err = run(more, look); err == nil {
					return db, way.note, nil
				}
			}
		}
		if last = err; !cannotShare(last, filepath.Dir(path)) {
			break
		}
	}
	return nil, nil, last
}

// hardening is for a file that somebody else may have written.
var hardening = []string{"trusted_schema(0)", "secure_delete(1)"}

// openForReading opens a library that cannot be written: as it is, or, when
// SQLite would have to make its files beside it, as a private copy.
func (o opening) openForReading(ctx context.Context, l *Library, reason error) error {
	path := filepath.Join(o.dir, fileName)
	l.barred = problem.LibraryReadOnly
	if diagnose(reason, o.dir) == problem.LibraryFull {
		l.barred = problem.LibraryFull
	}
	try := func(dsn string) error {
		db, err := sql.Open("sqlite", dsn)
		if err != nil {
			return err
		}
		db.SetMaxOpenConns(1)
		condition, id, _, least, err := judge(ctx, db)
		if err == nil && condition != healthy {
			err = errDamaged
		}
		if err != nil {
			_ = db.Close()
			return err
		}
		if least > len(o.migrations) {
			l.barred = problem.LibraryNewer
		}
		l.db, l.id = db, id
		return nil
	}
	err := try(address(path, url.Values{"mode": {"ro"}}))
	if err == nil || ctx.Err() != nil {
		return err
	}
	if copied, copyErr := copyAway(o.dir); copyErr == nil {
		if err = try(address(filepath.Join(copied, fileName), nil)); err == nil {
			l.copied = copied
			return nil
		}
		_ = os.RemoveAll(copied)
	}
	// Without a log beside it the file alone is the whole truth.
	if info, statErr := os.Stat(path + "-wal"); statErr != nil || info.Size() == 0 {
		if try(address(path, url.Values{"mode": {"ro"}, "immutable": {"1"}})) == nil {
			return nil
		}
	}
	if errors.Is(reason, fs.ErrPermission) {
		return problem.New(problem.HomeUnusable, "folder", o.dir, "reason", "unreadable").Because(reason)
	}
	return problem.New(l.barred, "folder", o.dir).Because(err)
}

var errDamaged = errors.New("the library is damaged, and its folder cannot be written")

// keepAside moves a damaged file and what lies beside it out of the way.
func (o opening) keepAside() error {
	stem := "library.corrupt-" + o.now().UTC().Format("20060102T150405Z")
	for n := 2; ; n++ {
		if _, err := os.Lstat(filepath.Join(o.dir, stem+".db")); errors.Is(err, fs.ErrNotExist) {
			break
		}
		stem = strings.TrimSuffix(stem, fmt.Sprint("-", n-1)) + fmt.Sprint("-", n)
	}
	// The log goes first: a log that is left behind without its file would be
	// taken for the new file's.
	for _, suffix := range []string{"-wal", "-journal", "-shm", ""} {
		err := os.Rename(filepath.Join(o.dir, fileName+suffix), filepath.Join(o.dir, stem+".db"+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	syncFolder(o.dir)
	return nil
}

func (o opening) told(ctx context.Context, err error) error {
	return (&Library{dir: o.dir}).told(ctx, err)
}

func (s sight) close() {
	if s.db != nil {
		_ = s.db.Close()
	}
}

// address is the data source name of path. Everything that a connection needs
// stands in it, because the pool opens connections when it likes.
func address(path string, more url.Values) string {
	query := url.Values{
		"_busy_timeout": {fmt.Sprint(busyWait.Milliseconds())},
		"_txlock":       {"immediate"},
		"_foreign_keys": {"1"},
		"_synchronous":  {"FULL"},
		"_defensive":    {"1"},
		"_dqs":          {"0"},
		"_pragma":       hardening,
	}
	for k, v := range more {
		query[k] = v
	}
	slashed := filepath.ToSlash(path)
	if runtime.GOOS == "windows" && !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: query.Encode()}).String()
}

// tidy makes the folder and repairs the modes of what is ours in it. Nothing
// else is touched, for the folder may be one that the person chose.
func tidy(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		if key := roomOrRight(err); key == problem.LibraryFull {
			return problem.New(key, "folder", dir).Because(err)
		}
		return problem.New(problem.HomeUnusable, "folder", dir).Because(err)
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return problem.New(problem.HomeUnusable, "folder", dir).Because(err)
	}
	if info.Mode()&fs.ModeSticky != 0 {
		// /tmp and its like belong to everybody.
		return problem.New(problem.HomeUnusable, "folder", dir, "reason", "shared")
	}
	narrow(dir, info, 0o700)
	for _, name := range []string{"locks", "providers", "logs"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			narrow(filepath.Join(dir, name), info, 0o700)
		}
	}
	for _, pattern := range []string{"library.db*", "library.id*", "library.corrupt-*", "library.reserve-*", "tls.pem", "locks/*", "providers/*.toml", "logs/*"} {
		// A pattern against the folder itself, so that "[" in its name is just a letter.
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			continue
		}
		for _, name := range names {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
				narrow(path, info, 0o600)
			}
		}
	}
	return nil
}

// narrow sets the mode when it is another. A failure shows itself later, at
// the first use that needs the right.
func narrow(path string, info fs.FileInfo, mode fs.FileMode) {
	if info.Mode().Perm() != mode {
		_ = os.Chmod(path, mode)
	}
}

func readID(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, idName))
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(b))
	if !idForm.MatchString(id) {
		return "", nil
	}
	return id, nil
}

// replaceFile writes a small file whole or not at all, 0600.
func replaceFile(path string, content []byte) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(temp, content); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return err
	}
	return nil
}

// writeNew makes a file, 0600 whatever the umask, and sees it on the disk.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

// syncFolder makes renames durable where the system knows such a thing.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// copyAway copies the file and its log to a folder of our own.
func copyAway(dir string) (string, error) {
	target, err := os.MkdirTemp("", "tokenkeep-read-")
	if err != nil {
		return "", err
	}
	for _, suffix := range []string{"", "-wal", "-journal"} {
		from, err := os.Open(filepath.Join(dir, fileName+suffix))
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue
		}
		if err == nil {
			var to *os.File
			if to, err = os.OpenFile(filepath.Join(target, fileName+suffix), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				_, err = io.Copy(to, from)
				err = errors.Join(err, to.Close())
			}
			err = errors.Join(err, from.Close())
		}
		if err != nil {
			_ = os.RemoveAll(target)
			return "", err
		}
	}
	return target, nil
}

func firstOf(values ...string) string {
	if i := slices.IndexFunc(values, func(v string) bool { return v != "" }); i >= 0 {
		return values[i]
	}
	return ""
}
