package library

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123_000_000, time.UTC)

func clock() time.Time { return noon }

func opened(t testing.TB, dir string) *Library {
	t.Helper()
	l, err := Open(context.Background(), dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, err error, key problem.Key, args ...string) {
	t.Helper()
	if !problem.Has(err, key) {
		t.Fatalf("got %v, want %s", err, key)
	}
	for i := 0; i < len(args); i += 2 {
		if got := problem.Of(err).Args[args[i]]; got != args[i+1] {
			t.Errorf("%s: %s is %q, want %q", key, args[i], got, args[i+1])
		}
	}
}

func sampleApp() App {
	return App{ID: "app0000000000001", Name: "Shop", Provider: "instagram", ClientID: "990602627938098", RedirectURI: "https://localhost:8919/",
		Scopes: []string{"instagram_business_basic", "instagram_business_manage_insights"}, EndpointsSHA256: strings.Repeat("ab", 32), SecretKept: true}
}

func sampleAccount() Account {
	issued, ends, failed := noon.Add(-time.Hour), noon.Add(60*24*time.Hour), noon.Add(-24*time.Hour)
	return Account{ID: "acc0000000000001", Provider: "instagram", ClientID: "990602627938098", UserID: "17841400000000001", Grant: "grant00000000001",
		AppID: "app0000000000001", Username: "harbour.coffee", Kind: "BUSINESS", ScopesAsked: []string{"a", "b"}, ScopesGranted: []string{"a"},
		IssuedAt: &issued, ExpiresAt: &ends, Estimated: true, Gen: 3, Vault: "keychain", LastAnswer: "token.password_changed", FailedSince: &failed}
}

func TestEverythingComesBackAsItWasPutIn(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	if !l.Fresh() || l.ReadOnly() || len(l.Notes()) != 0 || len(l.ID()) != 16 {
		t.Fatalf("fresh %v, read-only %v, notes %v, id %q", l.Fresh(), l.ReadOnly(), l.Notes(), l.ID())
	}
	app, full := sampleApp(), sampleAccount()
	must(t, l.AddApp(ctx, app))
	bare := Account{ID: "acc0000000000002", Provider: "threads", ClientID: "1", UserID: "2", Gen: 1}
	must(t, l.Finish(ctx, full, Entry{Event: "signed_in", Args: map[string]string{"n": "2"}}, Entry{Event: "checked", At: noon.Add(time.Second)}))
	must(t, l.Finish(ctx, bare))
	must(t, l.Begin(ctx, Pending{AccountID: full.ID, Gen: 4}))
	must(t, l.Seal(ctx, full.ID, 4, []byte{0, 1, 2, 255}))
	must(t, l.PutOverflow(ctx, "token-x", 7, []byte("sealed")))
	must(t, l.Close())

	l = opened(t, dir)
	if l.Fresh() {
		t.Error("the second opening is not fresh")
	}
	for i, got := range []func() (any, error){
		func() (any, error) { return l.App(ctx, app.ID) },
		func() (any, error) { return l.AppByName(ctx, "Shop") },
		func() (any, error) { return l.Account(ctx, full.ID) },
		func() (any, error) {
			return l.AccountByIdentity(ctx, full.Provider, full.ClientID, full.UserID)
		},
		func() (any, error) { return l.Apps(ctx) },
		func() (any, error) { return l.Accounts(ctx) },
		func() (any, error) { return l.Pendings(ctx) },
		func() (any, error) { return l.Diary(ctx, full.ID, 10, 0) },
	} {
		want := []any{app, app, full, full, []App{app}, []Account{withEmptyLists(bare), full},
			[]Pending{{AccountID: full.ID, Gen: 4, AskedAt: noon, Sealed: []byte{0, 1, 2, 255}}},
			[]Entry{{2, full.ID, noon.Add(time.Second), "checked", map[string]string{}}, {1, full.ID, noon, "signed_in", map[string]string{"n": "2"}}},
		}[i]
		value, err := got()
		if err != nil || !reflect.DeepEqual(value, want) {
			t.Errorf("%d: got  %+v, %v\nwant %+v", i, value, err, want)
		}
	}
	if gen, sealed, err := l.Overflow(ctx, "token-x"); gen != 7 || string(sealed) != "sealed" || err != nil {
		t.Errorf("overflow: %d, %q, %v", gen, sealed, err)
	}
	must(t, l.DeleteOverflow(ctx, "token-x"))
	must(t, l.DeleteOverflow(ctx, "token-x"))
	_, _, err := l.Overflow(ctx, "token-x")
	wants(t, err, problem.TokenGone)
}

// withEmptyLists is how a list of nothing comes back.
func withEmptyLists(a Account) Account {
	a.ScopesAsked, a.ScopesGranted = []string{}, []string{}
	return a
}

func TestAppsHaveNamesOfTheirOwn(t *testing.T) {
	ctx, l := context.Background(), opened(t, t.TempDir())
	one, two := sampleApp(), sampleApp()
	two.ID, two.Name = "app0000000000002", "Blog"
	must(t, l.AddApp(ctx, one))
	wants(t, l.AddApp(ctx, App{ID: "app0000000000003", Name: "Shop"}), problem.AppNameTaken, "name", "Shop")
	must(t, l.AddApp(ctx, two))
	two.Name = "Shop"
	wants(t, l.UpdateApp(ctx, two), problem.AppNameTaken, "name", "Shop")
	two.Name, two.SecretKept, two.Scopes = "Blog 2", false, []string{"x"}
	must(t, l.UpdateApp(ctx, two))
	if got, err := l.AppByName(ctx, "Blog 2"); err != nil || !reflect.DeepEqual(got, two) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err := l.AppByName(ctx, "Blog")
	wants(t, err, problem.AppUnknown, "name", "Blog")
	wants(t, l.UpdateApp(ctx, App{ID: "nothere0", Name: "N"}), problem.AppUnknown)
	wants(t, l.RemoveApp(ctx, "nothere0"), problem.AppUnknown)
}

func TestRemovingAnAppLeavesItsAccounts(t *testing.T) {
	ctx, l := context.Background(), opened(t, t.TempDir())
	a := sampleAccount()
	wants(t, l.Finish(ctx, a), problem.AppUnknown, "name", a.AppID)
	must(t, l.AddApp(ctx, sampleApp()))
	must(t, l.Finish(ctx, a))
	must(t, l.RemoveApp(ctx, a.AppID))
	a.AppID = ""
	if got, err := l.Account(ctx, a.ID); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheSamePersonAtTheSameAppIsOneAccount(t *testing.T) {
	ctx, l := context.Background(), opened(t, t.TempDir())
	a := sampleAccount()
	a.AppID = ""
	must(t, l.Finish(ctx, a, Entry{Event: "signed_in"}))
	a.Username, a.Gen = "harbour.tea", 4
	must(t, l.Finish(ctx, a))
	// Two windows signed the same person in at once: the later one wins, and
	// the row names the item that holds its token.
	b := a
	b.ID, b.Gen = "acc000000000000b", 1
	must(t, l.Begin(ctx, Pending{AccountID: b.ID, Gen: 1}))
	must(t, l.Finish(ctx, b))
	all, err := l.Accounts(ctx)
	if err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], b) {
		t.Errorf("%+v, %v", all, err)
	}
	if diary, err := l.Diary(ctx, b.ID, 0, 0); err != nil || len(diary) != 1 {
		t.Errorf("the diary did not follow: %+v, %v", diary, err)
	}
	if left, err := l.Pendings(ctx); err != nil || len(left) != 0 {
		t.Errorf("left pending: %+v, %v", left, err)
	}
	other := b
	other.ID, other.ClientID = "acc000000000000c", "another app"
	must(t, l.Finish(ctx, other))
	if all, _ := l.Accounts(ctx); len(all) != 2 {
		t.Errorf("another app's account must be one of its own: %+v", all)
	}
}

func TestFinishIsAllOrNothing(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	a := sampleAccount()
	a.AppID = ""
	must(t, l.Finish(ctx, a))
	must(t, l.Begin(ctx, Pending{AccountID: a.ID, Gen: 4}))
	must(t, l.Seal(ctx, a.ID, 4, []byte("x")))
	_, err := l.db.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON diary BEGIN SELECT RAISE(ABORT, 'no'); END`)
	must(t, err)
	after := a
	after.Gen, after.Username = 4, "changed"
	if err := l.Finish(ctx, after, Entry{Event: "renewed"}); err == nil {
		t.Fatal("the diary refused and Finish said nothing")
	}
	got, err := l.Account(ctx, a.ID)
	pending, _ := l.Pendings(ctx)
	if err != nil || !reflect.DeepEqual(got, a) || len(pending) != 1 {
		t.Errorf("half done: %+v, %v, pending %d", got, err, len(pending))
	}
}

func TestUpdateAccountReadsAndWritesInOneTransaction(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l, second := opened(t, dir), opened(t, dir)
	a := sampleAccount()
	a.AppID = ""
	must(t, l.Finish(ctx, a))
	var group sync.WaitGroup
	for _, lib := range []*Library{l, second} {
		for range 4 {
			group.Go(func() {
				for range 10 {
					if err := lib.UpdateAccount(ctx, a.ID, func(a *Account) { a.Gen++; a.ID = "ignored0" }); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	if got, err := l.Account(ctx, a.ID); err != nil || got.Gen != a.Gen+80 {
		t.Errorf("gen %d, want %d: an update was lost (%v)", got.Gen, a.Gen+80, err)
	}
	wants(t, l.UpdateAccount(ctx, "nothere0", func(*Account) {}), problem.AccountUnknown, "name", "nothere0")
	wants(t, l.UpdateAccount(ctx, a.ID, func(a *Account) { a.AppID = "nothere0" }), problem.AppUnknown)
	must(t, l.RemoveAccount(ctx, a.ID, Entry{Event: "removed"}))
	wants(t, l.RemoveAccount(ctx, a.ID), problem.AccountUnknown)
	if diary, err := l.Diary(ctx, a.ID, 0, 0); err != nil || len(diary) != 1 || diary[0].Event != "removed" {
		t.Errorf("%+v, %v", diary, err)
	}
}

func TestDiaryPages(t *testing.T) {
	ctx, l := context.Background(), opened(t, t.TempDir())
	for i := range 25 {
		must(t, l.Note(ctx, Entry{AccountID: []string{"first000", "second00"}[i%2], Event: fmt.Sprint(i)}))
	}
	var seen []string
	for before := int64(0); ; {
		page, err := l.Diary(ctx, "first000", 5, before)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			seen = append(seen, e.Event)
			before = e.Seq
		}
	}
	if want := "24 22 20 18 16 14 12 10 8 6 4 2 0"; strings.Join(seen, " ") != want {
		t.Errorf("%v", seen)
	}
	if all, err := l.Diary(ctx, "", 0, 0); err != nil || len(all) != 25 {
		t.Errorf("%d of all, %v", len(all), err)
	}
}

func TestAnAnswerIsNeverOverwrittenByAsking(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	p := Pending{AccountID: "acc0000000000001", Gen: 1, AskedAt: noon}
	must(t, l.Begin(ctx, p))
	must(t, l.Begin(ctx, p)) // asked again, nothing came
	must(t, l.Seal(ctx, p.AccountID, 1, []byte("short-lived")))
	must(t, l.Seal(ctx, p.AccountID, 1, []byte("long-lived")))
	wants(t, l.Begin(ctx, p), problem.Unexpected)
	if got, err := l.Pendings(ctx); err != nil || len(got) != 1 || string(got[0].Sealed) != "long-lived" {
		t.Errorf("%+v, %v", got, err)
	}
	wants(t, l.Seal(ctx, p.AccountID, 2, []byte("x")), problem.Unexpected)
	wants(t, l.Begin(ctx, Pending{AccountID: "../../evil", Gen: 1}), problem.Unexpected)
	if _, err := os.Stat(filepath.Join(dir, ballastName+p.AccountID)); err != nil {
		t.Errorf("no room is kept: %v", err)
	}
	must(t, l.Drop(ctx, p.AccountID, 1))
	must(t, l.Drop(ctx, p.AccountID, 1))
	if got, _ := l.Pendings(ctx); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, ballastName+p.AccountID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the room is not given back: %v", err)
	}
}

// The row does not grow when the answer takes the place of the reserve.
func TestSealTakesThePlaceOfTheReserve(t *testing.T) {
	ctx, l := context.Background(), opened(t, t.TempDir())
	pages := func() (n int) {
		must(t, l.db.QueryRow(`PRAGMA page_count`).Scan(&n))
		return n
	}
	must(t, l.Begin(ctx, Pending{AccountID: "acc0000000000001", Gen: 1}))
	before := pages()
	for _, size := range []int{0, 1, 57, 58, 300, 8000, reserveSize - 3, 400} {
		must(t, l.Seal(ctx, "acc0000000000001", 1, make([]byte, size)))
		if after := pages(); after > before {
			t.Errorf("%d bytes took %d pages more", size, after-before)
		}
	}
	must(t, l.Seal(ctx, "acc0000000000001", 1, make([]byte, 256<<10)))
}

func TestWO5_RoomLeftByAKilledProcessIsSweptAtTheNextStart(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	must(t, l.Begin(ctx, Pending{AccountID: "acc0000000000001", Gen: 1}))
	must(t, os.WriteFile(filepath.Join(dir, ballastName+"acc0000000000002"), []byte("left"), 0o644))
	must(t, l.Close())
	opened(t, dir)
	if _, err := os.Stat(filepath.Join(dir, ballastName+"acc0000000000001")); err != nil {
		t.Errorf("the room of a waiting answer was swept: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ballastName+"acc0000000000002")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not swept: %v", err)
	}
}

// Ruling 8: a deadline never throws a token away.
func TestACancelledContextDoesNotThrowAnAnswerAway(t *testing.T) {
	l := opened(t, t.TempDir())
	must(t, l.Begin(context.Background(), Pending{AccountID: "acc0000000000001", Gen: 1}))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Note(ctx, Entry{AccountID: "a", Event: "e"}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ordinary write: %v", err)
	}
	must(t, l.Seal(ctx, "acc0000000000001", 1, []byte("x")))
	must(t, l.PutOverflow(ctx, "token-x", 1, []byte("x")))
	must(t, l.Finish(ctx, Account{ID: "acc0000000000001", Provider: "p", ClientID: "c", UserID: "u", Gen: 1}))
}

func TestTimesAreMillisecondsUTC(t *testing.T) {
	ctx, l := context.Background(), opened(t, t.TempDir())
	zone := time.FixedZone("far", 14*3600)
	for _, at := range []time.Time{
		time.Date(2038, 1, 19, 3, 14, 8, 999_999_999, time.UTC), time.Date(2101, 3, 1, 0, 0, 0, 0, zone),
		time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 2, 30, 0, 0, zone),
	} {
		a := Account{ID: "acc0000000000001", Provider: "p", ClientID: "c", UserID: "u", Gen: 1, ExpiresAt: &at}
		must(t, l.Finish(ctx, a))
		got, err := l.Account(ctx, a.ID)
		if err != nil || !got.ExpiresAt.Equal(at.Truncate(time.Millisecond)) || got.ExpiresAt.Location() != time.UTC {
			t.Errorf("%v came back as %v, %v", at, got.ExpiresAt, err)
		}
	}
	var zero time.Time
	must(t, l.Finish(ctx, Account{ID: "acc0000000000001", Provider: "p", ClientID: "c", UserID: "u", ExpiresAt: &zero}))
	if got, err := l.Account(ctx, "acc0000000000001"); err != nil || got.ExpiresAt != nil {
		t.Errorf("a zero time is an unknown one: %v, %v", got.ExpiresAt, err)
	}
}

func TestTablesAreTheContract(t *testing.T) {
	l := opened(t, t.TempDir())
	for table, want := range map[string]string{
		"meta":     "library_id schema min_reader",
		"app":      "id name provider client_id redirect_uri scopes endpoints_sha256 secret_kept",
		"account":  "id provider client_id user_id grant app_id username kind scopes_asked scopes_granted issued_at expires_at estimated gen vault last_answer failed_since",
		"pending":  "account_id gen asked_at sealed reserve",
		"diary":    "seq account_id at event args",
		"overflow": "name gen sealed",
		"renewal":  "account_id tried_at tries next_at checked_at warned refreshes",
		"setting":  "name value",
	} {
		var got string
		must(t, l.db.QueryRow(`SELECT group_concat(name, ' ') FROM (SELECT name FROM pragma_table_info(?) ORDER BY cid)`, table).Scan(&got))
		if got != want {
			t.Errorf("%s has %q, the contract says %q", table, got, want)
		}
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "15000", "secure_delete": "1", "trusted_schema": "0"} {
		var got string
		must(t, l.db.QueryRow(`PRAGMA `+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

func TestPathsOfAllKinds(t *testing.T) {
	for _, name := range []string{"with space", "it's", `"quoted"`, "100% sure?", "a#b&c=d", "Zoë 日本", "[ab]*", "plus+", "semi;colon"} {
		dir := filepath.Join(t.TempDir(), name)
		l := opened(t, dir)
		must(t, l.AddApp(context.Background(), sampleApp()))
		must(t, l.Close())
		if l := opened(t, dir); l.Fresh() || len(l.Notes()) > 0 {
			t.Errorf("%q: opened as another one, %v", name, l.Notes())
		}
		if _, err := os.Stat(filepath.Join(dir, fileName)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSEC6_ModesAreRepairedAtStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	must(t, os.MkdirAll(filepath.Join(dir, "locks"), 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, "providers"), 0o755))
	l := opened(t, dir)
	must(t, l.Note(context.Background(), Entry{Event: "e"}))
	for _, name := range []string{"library.db", "library.id", "library.corrupt-x.db", "tls.pem", "locks/x", "providers/mine.toml"} {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
		must(t, err)
		must(t, errors.Join(f.Chmod(0o666), f.Close()))
	}
	theirs := filepath.Join(dir, "notes.txt")
	must(t, os.WriteFile(theirs, nil, 0o644))
	must(t, os.Chmod(theirs, 0o644))
	for _, name := range []string{"", "locks", "providers"} {
		must(t, os.Chmod(filepath.Join(dir, name), 0o777))
	}
	opened(t, dir)
	private(t, dir, "notes.txt")
	if info, _ := os.Stat(theirs); info.Mode().Perm() != 0o644 {
		t.Error("a file that is not ours was changed")
	}
}

// private checks every mode under dir but that of the named files.
func private(t testing.TB, dir string, except ...string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || slices.Contains(except, d.Name()) {
			return err
		}
		info, err := d.Info()
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s is %v, want %v", path, info.Mode().Perm(), want)
		}
		return err
	}))
}

func TestAFolderThatEverybodySharesIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shared")
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.Chmod(dir, 0o777|fs.ModeSticky))
	_, err := Open(context.Background(), dir, clock)
	wants(t, err, problem.HomeUnusable, "folder", dir, "reason", "shared")
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o777 {
		t.Error("its mode was changed")
	}
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	_, err = Open(context.Background(), file, clock)
	wants(t, err, problem.HomeUnusable, "folder", file)
}

// damaged are the ways in which a file can be bad.
func damaged(t testing.TB) map[string]func(path string) {
	overwrite := func(path string, at int64, b []byte) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		_, err = f.WriteAt(b, at)
		must(t, errors.Join(err, f.Close()))
	}
	return map[string]func(string){
		"truncated":     func(path string) { must(t, os.Truncate(path, 5000)) },
		"cut in header": func(path string) { must(t, os.Truncate(path, 60)) },
		"empty":         func(path string) { must(t, os.Truncate(path, 0)) },
		"gone":          func(path string) { must(t, os.Remove(path)) },
		"all NUL": func(path string) {
			info, err := os.Stat(path)
			must(t, err)
			overwrite(path, 0, make([]byte, info.Size()))
		},
		"NUL from the second page": func(path string) {
			info, err := os.Stat(path)
			must(t, err)
			overwrite(path, 4096, make([]byte, info.Size()-4096))
		},
		"text":           func(path string) { must(t, os.WriteFile(path, []byte("{\"schema\":1}\n"), 0o600)) },
		"a huge nothing": func(path string) { must(t, os.Truncate(path, 0)); must(t, os.Truncate(path, 64<<20)) },
		"somebody else's database": func(path string) {
			must(t, os.Remove(path))
			db, err := sql.Open("sqlite", "file:"+path)
			must(t, err)
			_, err = db.Exec(`CREATE TABLE moz_cookies (id INTEGER)`)
			must(t, errors.Join(err, db.Close()))
		},
		"meta without a row": func(path string) {
			db, err := sql.Open("sqlite", "file:"+path)
			must(t, err)
			_, err = db.Exec(`DELETE FROM meta`)
			must(t, errors.Join(err, db.Close()))
		},
	}
}

func TestPS2_ADamagedLibraryIsKeptAsideAndAFreshOneMade(t *testing.T) {
	ctx := context.Background()
	for name, damage := range damaged(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := opened(t, dir)
			id := l.ID()
			for i := range 40 {
				must(t, l.Finish(ctx, Account{ID: fmt.Sprintf("acc%013d", i), Provider: "p", ClientID: "c", UserID: fmt.Sprint(i)}, Entry{Event: strings.Repeat("x", 400)}))
			}
			must(t, l.Close())
			path := filepath.Join(dir, fileName)
			damage(path)
			bad, _ := os.ReadFile(path)

			l = opened(t, dir)
			if !l.Fresh() || l.ReadOnly() || !slices.Equal(l.Notes(), []problem.Key{problem.LibraryBroken}) {
				t.Fatalf("fresh %v, read-only %v, notes %v", l.Fresh(), l.ReadOnly(), l.Notes())
			}
			if l.ID() != id {
				t.Errorf("the id was %s and is %s: the keychain's index cannot be found", id, l.ID())
			}
			kept, err := filepath.Glob(filepath.Join(dir, "library.corrupt-*.db"))
			must(t, err)
			if len(bad) > 0 {
				if len(kept) != 1 || filepath.Base(kept[0]) != "library.corrupt-20261122T120000Z.db" {
					t.Fatalf("kept: %v", kept)
				}
				if got, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(got, bad) {
					t.Errorf("it was not kept as it was: %v", err)
				}
			} else if len(kept) != 0 {
				t.Errorf("kept %v", kept)
			}
			must(t, l.AddApp(ctx, sampleApp()))
			must(t, l.Close())
			private(t, dir)
			if l = opened(t, dir); l.Fresh() || len(l.Notes()) != 0 {
				t.Errorf("the next start: fresh %v, notes %v", l.Fresh(), l.Notes())
			}
			if apps, err := l.Apps(ctx); err != nil || len(apps) != 1 {
				t.Errorf("%v, %v", apps, err)
			}
		})
	}
}

func TestTwoDamagesInOneSecondAreBothKept(t *testing.T) {
	dir := t.TempDir()
	must(t, opened(t, dir).Close())
	for range 3 {
		must(t, os.WriteFile(filepath.Join(dir, fileName), []byte("bad"), 0o600))
		must(t, opened(t, dir).Close())
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "library.corrupt-*.db")); len(kept) != 3 {
		t.Errorf("%v", kept)
	}
}

func TestMakingThatWasInterruptedIsNoDamage(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, fileName), nil, 0o644))
	if l := opened(t, dir); !l.Fresh() || len(l.Notes()) != 0 {
		t.Errorf("fresh %v, notes %v", l.Fresh(), l.Notes())
	}
}

func TestPS3_ANewerLibraryIsReadAndNotWritten(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	a := sampleAccount()
	a.AppID = ""
	must(t, l.Finish(ctx, a))
	_, err := l.db.Exec(`UPDATE meta SET schema = 9, min_reader = 9; ALTER TABLE account ADD COLUMN colour TEXT`)
	must(t, err)
	must(t, l.Close())
	before, err := os.ReadFile(filepath.Join(dir, fileName))
	must(t, err)

	l = opened(t, dir)
	if !l.ReadOnly() || l.Fresh() || !slices.Equal(l.Notes(), []problem.Key{problem.LibraryNewer}) {
		t.Fatalf("read-only %v, fresh %v, notes %v", l.ReadOnly(), l.Fresh(), l.Notes())
	}
	if got, err := l.Account(ctx, a.ID); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"finish": l.Finish(ctx, a), "begin": l.Begin(ctx, Pending{AccountID: a.ID, Gen: 9}), "seal": l.Seal(ctx, a.ID, 9, nil), "note": l.Note(ctx, Entry{}),
		"app": l.AddApp(ctx, sampleApp()), "remove": l.RemoveAccount(ctx, a.ID), "overflow": l.PutOverflow(ctx, "token-x", 1, nil),
	} {
		if !problem.Has(err, problem.LibraryNewer) || problem.Of(err).Args["folder"] != dir {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, l.Close())
	if after, err := os.ReadFile(filepath.Join(dir, fileName)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
}

// Downgrade, then upgrade: what the newer program wrote is still there.
func TestPS3_ColumnsThatWeDoNotKnowSurvive(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	a := sampleAccount()
	a.AppID = ""
	must(t, l.Finish(ctx, a))
	must(t, l.AddApp(ctx, sampleApp()))
	_, err := l.db.Exec(`UPDATE meta SET schema = 9; ALTER TABLE account ADD COLUMN colour TEXT; ALTER TABLE app ADD COLUMN colour TEXT NOT NULL DEFAULT 'none';
		CREATE TABLE place (id TEXT); INSERT INTO place VALUES ('wordpress'); UPDATE account SET colour = 'red'; UPDATE app SET colour = 'blue'`)
	must(t, err)
	must(t, l.Close())
	l = opened(t, dir)
	if l.ReadOnly() || len(l.Notes()) != 0 {
		t.Fatalf("read-only %v, notes %v", l.ReadOnly(), l.Notes())
	}
	a.Gen = 4
	must(t, l.Finish(ctx, a))
	must(t, l.UpdateAccount(ctx, a.ID, func(a *Account) { a.Username = "x" }))
	must(t, l.UpdateApp(ctx, sampleApp()))
	var got string
	var schema int
	must(t, l.db.QueryRow(`SELECT account.colour || app.colour || place.id, meta.schema FROM account, app, place, meta`).Scan(&got, &schema))
	if got != "redbluewordpress" || schema != 9 {
		t.Errorf("%q, schema %d", got, schema)
	}
}

// older makes a library as schema 1 wrote it.
func older(t testing.TB, dir string) string { return ofSchema(t, dir, 1) }

func ofSchema(t testing.TB, dir string, schema int) string {
	t.Helper()
	former := opening{dir: dir, now: clock, migrations: migrations[:schema], minReader: 1}
	l, err := former.open(context.Background())
	must(t, err)
	must(t, l.AddApp(context.Background(), sampleApp()))
	must(t, l.write(context.Background(), func(tx *sql.Tx) error {
		if err := putAccount(context.Background(), tx, sampleAccount()); err != nil {
			return err
		}
		return l.enter(context.Background(), tx, sampleAccount().ID, []Entry{{Event: "signed_in"}})
	}))
	must(t, l.Close())
	return l.ID()
}

func TestMigrationFromSchema1(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	id := older(t, dir)
	l := opened(t, dir)
	if l.Fresh() || l.ID() != id || len(l.Notes()) != 0 {
		t.Fatalf("fresh %v, id %s, notes %v", l.Fresh(), l.ID(), l.Notes())
	}
	if got, err := l.Account(ctx, sampleAccount().ID); err != nil || !reflect.DeepEqual(got, sampleAccount()) {
		t.Errorf("%+v, %v", got, err)
	}
	must(t, l.PutOverflow(ctx, "token-x", 1, []byte("x")))
	var schema, least int
	must(t, l.db.QueryRow(`SELECT schema, min_reader FROM meta`).Scan(&schema, &least))
	if schema != len(migrations) || least != 1 {
		t.Errorf("schema %d, min_reader %d", schema, least)
	}
}

func TestAMigrationThatFailsChangesNothing(t *testing.T) {
	dir := t.TempDir()
	older(t, dir)
	bad := opening{dir: dir, now: clock, migrations: append(slices.Clone(migrations), `CREATE TABLE half (x); SELECT no_such_function()`), minReader: 3}
	if _, err := bad.open(context.Background()); err == nil {
		t.Fatal("it opened")
	}
	l := opened(t, dir)
	var tables int
	must(t, l.db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE name = 'half'`).Scan(&tables))
	if tables != 0 || l.Fresh() || len(l.Notes()) != 0 {
		t.Errorf("half a migration stayed: %d, %v", tables, l.Notes())
	}
}

func TestAFileSystemThatCannotMapGetsARollbackJournal(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	must(t, opened(t, dir).Close()) // in log mode, from a time before the folder moved
	o := opening{dir: dir, now: clock, migrations: migrations, minReader: minReader, vfs: lockless()}
	l, err := o.open(ctx)
	must(t, err)
	defer func() { _ = l.Close() }()
	if l.ReadOnly() || l.Fresh() || !slices.Equal(l.Notes(), []problem.Key{problem.LibraryNoSharing}) {
		t.Errorf("read-only %v, fresh %v, notes %v", l.ReadOnly(), l.Fresh(), l.Notes())
	}
	must(t, l.AddApp(ctx, sampleApp()))
	second, err := o.open(ctx)
	must(t, err)
	defer func() { _ = second.Close() }()
	must(t, second.Note(ctx, Entry{Event: "e"}))
	if apps, err := second.Apps(ctx); err != nil || len(apps) != 1 {
		t.Errorf("%v, %v", apps, err)
	}
	var mode string
	must(t, second.db.QueryRow(`PRAGMA journal_mode`).Scan(&mode))
	if mode != "delete" {
		t.Errorf("journal mode %s", mode)
	}
}

func TestAFileSystemWithoutLocksIsStillUsedAndSaysSo(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	l := opened(t, dir)
	must(t, l.AddApp(ctx, sampleApp()))
	must(t, l.Close())
	db, notes, err := withoutLog(ctx, filepath.Join(dir, fileName), fallbacks[1:])
	must(t, err)
	if !slices.Equal(notes, []problem.Key{problem.LibraryNoSharing, problem.LockUnavailable}) {
		t.Errorf("notes %v", notes)
	}
	l = &Library{dir: dir, now: clock, db: db, writing: make(chan struct{}, 1), closed: func() {}}
	must(t, l.Note(ctx, Entry{Event: "e"}))
	if apps, err := l.Apps(ctx); err != nil || len(apps) != 1 {
		t.Errorf("%v, %v", apps, err)
	}
	must(t, l.Close())
	if diary, err := opened(t, dir).Diary(ctx, "", 0, 0); err != nil || len(diary) != 1 {
		t.Errorf("%v, %v", diary, err)
	}
}

func TestNewIDs(t *testing.T) {
	seen := map[rune]int{}
	for range 2000 {
		id := NewID(rand.Reader)
		if !idForm.MatchString(id) || len(id) != 16 {
			t.Fatalf("%q", id)
		}
		for _, r := range id {
			seen[r]++
		}
	}
	for r, n := range seen {
		if n < 700 || n > 1080 { // expected 889, standard deviation 29
			t.Errorf("%c came %d times of 32,000", r, n)
		}
	}
	if len(seen) != 36 {
		t.Errorf("%d letters", len(seen))
	}
}

// Whatever lies in the place of the library: it opens, or says why not, and
// can be written afterwards.
func FuzzOpenAnyFile(f *testing.F) {
	dir := f.TempDir()
	l, err := Open(context.Background(), dir, clock)
	must(f, err)
	must(f, l.AddApp(context.Background(), sampleApp()))
	must(f, l.Close())
	good, err := os.ReadFile(filepath.Join(dir, fileName))
	must(f, err)
	f.Add(good[:4096], uint16(0), byte(0))
	f.Add(good, uint16(18), byte(7))
	f.Add(good, uint16(100), byte(255))
	f.Add(good, uint16(5000), byte(255))
	f.Add([]byte("SQLite format 3\x00"), uint16(0), byte(0))
	f.Add([]byte{}, uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, content []byte, at uint16, flip byte) {
		content = bytes.Clone(content)
		if int(at) < len(content) {
			content[at] ^= flip
		}
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, fileName), content, 0o600))
		l, err := Open(context.Background(), dir, clock)
		if err != nil {
			var p *problem.Problem
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			return
		}
		_, _ = l.Accounts(context.Background())
		must(t, l.Close())
	})
}

// A hundred and fifty files with a few wrong bytes, always the same ones: each opens,
// and what is written then is there. SQLite does not see every wrong byte; one
// that it only sees later is named as what it is.
func TestPS2_WrongBytesNeverMakeALibraryUnusable(t *testing.T) {
	ctx, home := context.Background(), t.TempDir()
	l := opened(t, home)
	must(t, l.AddApp(ctx, sampleApp()))
	must(t, l.Finish(ctx, sampleAccount(), Entry{Event: "signed_in"}))
	must(t, l.Close())
	good, err := os.ReadFile(filepath.Join(home, fileName))
	must(t, err)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	replaced := 0
	for i := range 150 {
		content := bytes.Clone(good)
		for range 1 + random.IntN(3) {
			content[random.IntN([]int{100, 4096, len(content)}[i%3])] = byte(random.IntN(256))
		}
		dir := filepath.Join(home, fmt.Sprint(i))
		must(t, os.Mkdir(dir, 0o700))
		must(t, os.WriteFile(filepath.Join(dir, fileName), content, 0o600))
		l, err := Open(ctx, dir, clock)
		if err != nil {
			t.Fatalf("%d: %v (%v)", i, err, problem.Of(err).Cause)
		}
		if l.Fresh() {
			replaced++
		}
		_, err = l.Accounts(ctx)
		for _, err := range []error{err, l.Note(ctx, Entry{Event: "e"}), l.Begin(ctx, Pending{AccountID: "acc0000000000001", Gen: 9})} {
			if err != nil && (l.Fresh() || !problem.Has(err, problem.LibraryBroken)) {
				t.Errorf("%d: fresh %v, %v (%v)", i, l.Fresh(), err, problem.Of(err).Cause)
			}
		}
		must(t, l.Close())
	}
	if replaced < 15 || replaced > 135 {
		t.Errorf("%d of 150 were replaced: this test looks at too little", replaced)
	}
}

func BenchmarkList1000Accounts(b *testing.B) {
	ctx, l := context.Background(), opened(b, b.TempDir())
	issued := noon
	must(b, l.write(ctx, func(tx *sql.Tx) error {
		for i := range 1000 {
			a := sampleAccount()
			a.ID, a.UserID, a.AppID, a.IssuedAt = fmt.Sprintf("acc%013d", i), fmt.Sprint(i), "", &issued
			if err := putAccount(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	}))
	for b.Loop() {
		if all, err := l.Accounts(ctx); err != nil || len(all) != 1000 {
			b.Fatal(len(all), err)
		}
	}
}

func BenchmarkOpenWith1000Accounts(b *testing.B) {
	ctx, dir := context.Background(), b.TempDir()
	l := opened(b, dir)
	must(b, l.write(ctx, func(tx *sql.Tx) error {
		for i := range 1000 {
			a := sampleAccount()
			a.ID, a.UserID, a.AppID = fmt.Sprintf("acc%013d", i), fmt.Sprint(i), ""
			if err := errors.Join(putAccount(ctx, tx, a), l.enter(ctx, tx, a.ID, []Entry{{Event: "a"}, {Event: "b"}})); err != nil {
				return err
			}
		}
		return nil
	}))
	must(b, l.Close())
	for b.Loop() {
		l, err := Open(ctx, dir, clock)
		must(b, err)
		must(b, l.Close())
	}
}

// BenchmarkRenewal is what one renewal costs here: asked, sealed, finished.
func BenchmarkRenewal(b *testing.B) {
	ctx, l := context.Background(), opened(b, b.TempDir())
	gen := int64(0)
	for b.Loop() {
		gen++
		must(b, l.Begin(ctx, Pending{AccountID: "acc0000000000001", Gen: gen}))
		must(b, l.Seal(ctx, "acc0000000000001", gen, make([]byte, 400)))
		must(b, l.Finish(ctx, Account{ID: "acc0000000000001", Provider: "p", ClientID: "c", UserID: "u", Gen: gen}))
	}
}

// A sign-in begins under an id of its own; when the person turns out to be
// known, that row goes with the transaction that brings the account up.
func TestFinishFromTakesTheRowOfTheSignInWithIt(t *testing.T) {
	l := opened(t, t.TempDir())
	ctx := t.Context()
	known := sampleAccount()
	known.AppID = ""
	must(t, l.Finish(ctx, known))
	from := "signin0000000001"
	must(t, l.Begin(ctx, Pending{AccountID: from, Gen: 1}))
	must(t, l.Seal(ctx, from, 1, []byte("sealed")))
	known.Gen++
	must(t, l.FinishFrom(ctx, from, known, Renewal{}, Entry{Event: "signed_in"}))
	rows, err := l.Pendings(ctx)
	must(t, err)
	if len(rows) != 0 {
		t.Errorf("%d pending rows are left", len(rows))
	}
	got, err := l.Account(ctx, known.ID)
	must(t, err)
	if got.Gen != known.Gen {
		t.Errorf("generation %d, want %d", got.Gen, known.Gen)
	}
}
