package connect

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// picky is a keychain that refuses the nth Put and every later one.
type picky struct {
	vault.Store
	mu    sync.Mutex
	puts  int
	from  int // 0: takes everything
	names []string
}

func (p *picky) Put(ctx context.Context, name string, v secret.Text) error {
	p.mu.Lock()
	p.puts++
	refuse := p.from > 0 && p.puts >= p.from
	p.names = append(p.names, name)
	p.mu.Unlock()
	if refuse {
		return problem.New(problem.VaultDenied)
	}
	return p.Store.Put(ctx, name, v)
}

// Wherever a keychain begins to refuse: before the answer no browser opens and
// nothing is left, after it the token is held and saved later, and a former
// token stays what it was until the new one is proven.
func TestAKeychainThatRefusesAtEachPut(t *testing.T) {
	for _, again := range []bool{false, true} {
		finished := false
		for n := 1; n < 12 && !finished; n++ {
			t.Run(fmt.Sprintf("again=%v/put %d", again, n), func(t *testing.T) {
				store := &picky{Store: vault.NewSession()}
				s := newStage(t, "ok", func(c *Config) { c.Store = store })
				s.uri = strings.Replace(s.uri, "localhost", "127.0.0.1", 1)
				r := s.request()
				r.KeepSecret = true
				var former Handed
				if again {
					first, err := s.service.Connect(t.Context(), r, nil)
					if err != nil {
						t.Fatal(err)
					}
					if former, err = s.service.Token(t.Context(), first.ID); err != nil {
						t.Fatal(err)
					}
					s.sandbox.Server.Forward(time.Minute)
				}
				store.puts, store.from = 0, n
				s.person.lastPage()
				pages := len(s.person.pages)
				account, err := s.service.Connect(t.Context(), r, s.watch)
				store.from = 0
				switch {
				case err == nil:
					if !slices.Contains(store.names, clientItem(s.appID())) {
						t.Fatal("no secret was to be kept")
					}
					// Only the app's secret was refused, or nothing at all.
					finished = store.puts < n
					if !finished && (len(s.last().Notices) != 1 || s.last().SecretKept && !again) {
						t.Errorf("a secret that was not kept is not said: %+v", s.last())
					}
					if apps, _ := s.service.Apps(t.Context()); !finished && !again && apps[0].SecretKept {
						t.Errorf("apps %+v", apps)
					}
				case !problem.Has(err, problem.VaultDenied):
					t.Fatal(err)
				case !s.last().Held:
					if len(s.person.pages) != pages {
						t.Error("a browser was opened")
					}
					if rows, _ := s.service.library.Pendings(t.Context()); len(rows) != 0 {
						t.Errorf("%d rows left", len(rows))
					}
					if again {
						if kept, err := s.service.Token(t.Context(), sandbox.People()[0]); err != nil || !kept.AccessToken.Equal(former.AccessToken) {
							t.Errorf("the former token: %v", err)
						}
					}
					return
				default:
					if again {
						if kept, err := s.service.Token(t.Context(), sandbox.People()[0]); err != nil || !kept.AccessToken.Equal(former.AccessToken) {
							t.Errorf("the former token: %v", err)
						}
					}
					got, err := s.service.Recover(t.Context())
					if err != nil || len(got) != 1 || got[0].Account == nil || got[0].Account.Lifetime != Long {
						t.Fatalf("%+v, %v", got, err)
					}
					account = *got[0].Account
				}
				handed, err := s.service.Token(t.Context(), account.ID)
				if err != nil || again && handed.AccessToken.Equal(former.AccessToken) {
					t.Errorf("the token: %v", err)
				}
				accounts, _ := s.service.Accounts(t.Context())
				s.onlyItemsOf(accounts)
			})
		}
		if !finished {
			t.Error("the keychain refused to the end")
		}
	}
}

func (s *stage) appID() string {
	apps, err := s.service.library.Apps(s.t.Context())
	if err != nil || len(apps) == 0 {
		return "none"
	}
	return apps[0].ID
}

// breakLibrary makes every later write fail, as a full or read-only disk does,
// and returns what mends it.
func (s *stage) breakLibrary() (mend func()) {
	s.t.Helper()
	db := openRaw(s.t, filepath.Join(s.service.root(), "library.db"))
	for _, table := range []string{"app", "account", "pending"} {
		for _, when := range []string{"INSERT", "UPDATE"} {
			if _, err := db.Exec("CREATE TRIGGER broken_" + table + when + " BEFORE " + when + " ON " + table + " BEGIN SELECT RAISE(ABORT, 'broken'); END"); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return func() {
		for _, table := range []string{"app", "account", "pending"} {
			for _, when := range []string{"INSERT", "UPDATE"} {
				if _, err := db.Exec("DROP TRIGGER broken_" + table + when); err != nil {
					s.t.Error(err)
				}
			}
		}
		db.Close()
	}
}

// The library refuses everything once the code was redeemed: the token goes to
// the keychain all the same, is held, and is brought in when the disk is back,
// with the extension that the secret in memory still allows.
func TestALibraryThatFailsAfterTheCodeLosesNothing(t *testing.T) {
	for _, point := range []string{"exchanged", "sealed-short", "sealed-long", "item-written", "app-saved"} {
		t.Run(point, func(t *testing.T) {
			var s *stage
			mend := func() {}
			s = newStage(t, "ok", func(c *Config) {
				c.At = func(at string) {
					if at == point && s.service != nil {
						mend = s.breakLibrary()
					}
				}
			})
			_, err := s.service.Connect(t.Context(), s.request(), s.watch)
			if err == nil || !s.last().Held {
				t.Fatalf("%v, held %v", err, s.last().Held)
			}
			s.service.config.At = func(string) {}
			if got, _ := s.service.Recover(t.Context()); len(got) != 1 || got[0].Problem == nil {
				t.Errorf("while it is broken: %+v", got)
			}
			mend()
			got, err := s.service.Recover(t.Context())
			if err != nil || len(got) != 1 || got[0].Account == nil || got[0].Account.Lifetime != Long {
				t.Fatalf("%+v, %v", got, err)
			}
			if _, err := s.service.Token(t.Context(), got[0].Account.ID); err != nil {
				t.Error(err)
			}
			if rows, _ := s.service.library.Pendings(t.Context()); len(rows) != 0 {
				t.Errorf("%d rows left", len(rows))
			}
			if again, err := s.service.Recover(t.Context()); err != nil || len(again) != 0 {
				t.Errorf("twice: %+v, %v", again, err)
			}
		})
	}
}

// Keychain and disk both refuse: the token is held in memory until one takes it.
func TestNeitherKeychainNorDiskLosesTheToken(t *testing.T) {
	store := &refusing{Store: vault.NewSession(), from: "token-"}
	var s *stage
	mend := func() {}
	s = newStage(t, "ok", func(c *Config) {
		c.Store = store
		c.At = func(at string) {
			if at == "exchanged" {
				mend = s.breakLibrary()
				store.mu.Lock()
				store.key = problem.VaultLocked
				store.mu.Unlock()
			}
		}
	})
	_, err := s.service.Connect(t.Context(), s.request(), s.watch)
	if !problem.Has(err, problem.VaultLocked) || !s.last().Held {
		t.Fatalf("%v, held %v", err, s.last().Held)
	}
	mend()
	store.mu.Lock()
	store.key = ""
	store.mu.Unlock()
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.service.Token(t.Context(), got[0].Account.ID); err != nil {
		t.Error(err)
	}
}

// A sealed answer in another keychain than the one of today is kept until the
// right one is back; a session's answer ends with its session.
func TestKR5_AHeldAnswerWaitsForItsKeychain(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultDismissed, from: "token-"}
	s := newStage(t, "ok", func(c *Config) { c.Store = refused })
	if _, err := s.service.Connect(t.Context(), s.request(), s.watch); !problem.Has(err, problem.VaultDismissed) {
		t.Fatal(err)
	}
	s.service.Close()
	refused.key = ""

	s.config.Store = vault.NewSession()
	s.open()
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || !problem.Has(got[0].Problem, problem.VaultUnreadable) || got[0].Problem.Args["reason"] != "changed" {
		t.Errorf("in another keychain: %+v, %v", got, err)
	}
	s.service.Close()

	s.config.Store, s.config.Session = nil, true
	s.open()
	got, err = s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || !problem.Has(got[0].Problem, problem.VaultAbsent) {
		t.Errorf("in a session: %+v, %v", got, err)
	}
	s.service.Close()

	s.config.Store, s.config.Session = refused, false
	s.open()
	got, err = s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil {
		t.Fatalf("in its own keychain: %+v, %v", got, err)
	}
}

func TestASessionKeepsItsHandsOffTheKeychain(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.config.Home, "tls.pem")
	leaf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.service.Close()
	s.config.Store, s.config.Session = nil, true
	s.open()
	if _, err := s.service.Token(t.Context(), account.ID); !problem.Has(err, problem.VaultAbsent) {
		t.Errorf("%v", err)
	}
	if err := s.service.Remove(t.Context(), account.ID); !problem.Has(err, problem.VaultAbsent) {
		t.Errorf("removed without its token: %v", err)
	}
	if err := s.sandbox.Server.SetConsent(sandbox.People()[1], nil); err != nil {
		t.Fatal(err)
	}
	mine, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil || mine.Vault != "session" {
		t.Fatalf("%+v, %v", mine, err)
	}
	if _, err := s.service.Token(t.Context(), mine.ID); err != nil {
		t.Error(err)
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, leaf) {
		t.Error("the session wrote over the keychain's certificate")
	}
	s.service.Close()
	s.open()
	accounts, err := s.service.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || accounts[0].ID != account.ID {
		t.Errorf("after the session: %+v, %v", accounts, err)
	}
}

// An answer of an earlier run never takes the place of a newer token.
func TestALateAnswerDoesNotReplaceANewerToken(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultDismissed, from: "token-"}
	clock := &wallClock{}
	s := newStage(t, "ok", func(c *Config) { c.Store, c.Now = refused, clock.now })
	if _, err := s.service.Connect(t.Context(), s.request(), nil); !problem.Has(err, problem.VaultDismissed) {
		t.Fatal(err)
	}
	refused.mu.Lock()
	refused.key = ""
	refused.mu.Unlock()
	clock.set(time.Minute)
	s.sandbox.Server.Forward(time.Minute)
	account, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	newer, err := s.service.Token(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil || got[0].Account.ID != account.ID {
		t.Fatalf("%+v, %v", got, err)
	}
	if kept, err := s.service.Token(t.Context(), account.ID); err != nil || !kept.AccessToken.Equal(newer.AccessToken) {
		t.Errorf("the newer token was replaced: %v", err)
	}
	if rows, _ := s.service.library.Pendings(t.Context()); len(rows) != 0 {
		t.Errorf("%d rows left", len(rows))
	}
}

// Remove and a sign-in of the same person that finishes: one after the other,
// whichever is first, and nothing half.
func TestRemoveWhileASignInOfTheSamePersonFinishes(t *testing.T) {
	var s *stage
	s = newStage(t, "ok")
	first, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := library.Lock(t.Context(), s.service.root(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	// The account goes while the sign-in waits for its lock.
	var once sync.Once
	account, err := s.service.Connect(t.Context(), s.request(), func(st State) {
		if st.Step == Saving {
			once.Do(func() {
				go func() {
					time.Sleep(100 * time.Millisecond)
					_ = s.store.Delete(context.Background(), "token-"+first.ID)
					_ = s.service.library.RemoveAccount(context.Background(), first.ID)
					unlock()
				}()
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Token(t.Context(), account.ID); err != nil || account.ID == first.ID {
		t.Errorf("%s after %s: %v", account.ID, first.ID, err)
	}
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		if _, err := s.service.Connect(t.Context(), s.request(), nil); err != nil {
			t.Error(err)
		}
	}()
	go func() {
		defer wg.Done()
		for range 20 {
			if _, err := s.service.Token(t.Context(), account.ID); err != nil && !problem.Has(err, problem.AccountUnknown) {
				t.Error(err)
			}
		}
		if err := s.service.Remove(t.Context(), account.ID); err != nil {
			t.Error(err)
		}
	}()
	wg.Wait()
	accounts, _ := s.service.Accounts(t.Context())
	s.noOrphansBut(accounts)
	for _, a := range accounts {
		if _, err := s.service.Token(t.Context(), a.ID); err != nil {
			t.Error(err)
		}
	}
}

// noOrphansBut is onlyItemsOf without the index, which the next sign-in mends.
func (s *stage) noOrphansBut(accounts []Account) {
	s.t.Helper()
	ids, err := vault.Index(s.t.Context(), s.store, s.service.library.ID())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range ids {
		_, err := s.store.Get(s.t.Context(), "token-"+id)
		if known := slices.ContainsFunc(accounts, func(a Account) bool { return a.ID == id }); (err == nil) != known {
			s.t.Errorf("item token-%s: %v, account known: %v", id, err, known)
		}
	}
}

// A sign-in that is given up leaves no id behind in the index for long, and
// takes none of another that is under way.
func TestTheIndexNamesWhatMayComeAndNothingElse(t *testing.T) {
	s := newStage(t, "ok")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	waiting := make(chan struct{})
	go func() {
		defer close(ended)
		r := s.request()
		r.Browser = BrowserNone
		_, _ = s.service.Connect(ctx, r, func(st State) {
			if st.Step == Waiting {
				close(waiting)
			}
		})
	}()
	<-waiting
	rows, err := s.service.library.Pendings(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	other := s.request()
	other.RedirectURI = "https://localhost:" + freePort(t) + "/"
	account, err := s.service.Connect(t.Context(), other, nil)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := vault.Index(t.Context(), s.store, s.service.library.ID())
	if err != nil || !slices.Contains(ids, rows[0].AccountID) || !slices.Contains(ids, account.ID) {
		t.Errorf("the index %v lacks one of two that may come, %v", ids, err)
	}
	cancel()
	<-ended
	for range 3 {
		if _, err := s.service.Connect(t.Context(), other, nil); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err = vault.Index(t.Context(), s.store, s.service.library.ID()); err != nil || len(ids) > 2 {
		t.Errorf("the index grows: %v, %v", ids, err)
	}
}

// A secret that was entered anew for other addresses is bound to them (ATT-8).
func TestATT8_ASecretBelongsToItsAddresses(t *testing.T) {
	s := newStage(t, "ok")
	in := s.request().Setup
	in.App, in.KeepSecret = "Mine", true
	app, err := s.service.AddApp(t.Context(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	row, err := s.service.library.App(t.Context(), app.ID)
	if err != nil {
		t.Fatal(err)
	}
	row.EndpointsSHA256 = strings.Repeat("0", 64)
	if err := s.service.library.UpdateApp(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	r := s.request()
	r.Setup = Setup{App: "Mine"}
	if _, err := s.service.Connect(t.Context(), r, nil); !problem.Has(err, problem.EndpointsChanged) || len(s.person.pages) != 0 {
		t.Errorf("%v", err)
	}
	if line := s.line("client_secret", r.Setup); line.Level != Bad || !problem.Has(line.Problem, problem.EndpointsChanged) {
		t.Errorf("the doctor: %+v", line)
	}
	r.ClientSecret = secret.New(sandbox.ClientSecret)
	if _, err := s.service.Connect(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	r.ClientSecret = secret.Text{}
	if _, err := s.service.Connect(t.Context(), r, nil); err != nil {
		t.Errorf("after entering it anew: %v", err)
	}
}

func (s *stage) line(check string, in Setup) Line {
	s.t.Helper()
	lines, err := s.service.Doctor(s.t.Context(), in, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Check == check })
	if i < 0 {
		s.t.Fatalf("no line %s in %+v", check, lines)
	}
	return lines[i]
}

func TestDoctorSaysWhatTheSignInWouldEndWith(t *testing.T) {
	s := newStage(t, "ok")
	in := s.request().Setup
	for _, check := range []string{"client_id", "client_secret", "redirect", "port", "vault"} {
		if l := s.line(check, in); l.Level != Fine {
			t.Errorf("%s: %+v", check, l)
		}
	}
	if l := s.line("address", in); l.Level != Yours {
		t.Errorf("%+v", l)
	}
	for _, row := range []struct {
		check  string
		level  Level
		key    problem.Key
		change func(*Setup)
	}{
		{"client_id", Bad, problem.ClientIDLetters, func(in *Setup) { in.ClientID = "12x" }},
		{"client_secret", Look, problem.SecretMissing, func(in *Setup) { in.ClientSecret, in.KeepSecret = secret.Text{}, true }},
		{"client_secret", Look, "", func(in *Setup) { in.ClientSecret = secret.New("short") }},
		{"client_secret", Bad, problem.SecretTooLong, func(in *Setup) { in.ClientSecret = secret.New(strings.Repeat("x", 1025)) }},
		{"redirect", Bad, problem.RedirectScheme, func(in *Setup) { in.RedirectURI = "http://localhost:8919/" }},
		{"redirect", Fine, "", func(in *Setup) { in.RedirectURI = " " + in.RedirectURI + "\n" }},
		{"port", Look, problem.RedirectNotHere, func(in *Setup) { in.RedirectURI = "https://example.com/" }},
	} {
		changed := in
		row.change(&changed)
		l := s.line(row.check, changed)
		if l.Level != row.level || row.key != "" && !problem.Has(l.Problem, row.key) || row.key == "" && l.Problem != nil {
			t.Errorf("%s: %+v, want %s %s", row.check, l, row.level, row.key)
		}
	}
}

// The account object is the contract, and the same wherever it comes from.
func TestTheAccountObjectIsTheContract(t *testing.T) {
	s := newStage(t, "ok")
	connected, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := s.service.Account(t.Context(), connected.ID)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(connected)
	b, _ := json.Marshal(shown)
	if !bytes.Equal(a, b) {
		t.Errorf("connected and show differ:\n%s\n%s", a, b)
	}
	var fields map[string]any
	if err := json.Unmarshal(a, &fields); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"app", "expires_at", "expires_estimated", "granted_scopes", "id", "issued_at", "lifetime", "missing_scopes", "practice", "provider",
		"reason", "renew_after", "status", "user_id", "username", "vault",
	}
	var got []string
	for name := range fields {
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("fields %v", got)
	}
	for _, name := range []string{"issued_at", "expires_at", "renew_after"} {
		if at, ok := fields[name].(string); !ok || len(at) != len("2026-01-02T15:04:05Z") || !strings.HasSuffix(at, "Z") {
			t.Errorf("%s is %v", name, fields[name])
		}
	}
	item, err := s.store.Get(t.Context(), "token-"+connected.ID)
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		IssuedAt  string `json:"issued_at"`
		ExpiresAt string `json:"expires_at"`
	}
	if err := json.Unmarshal([]byte(item.Reveal()), &kept); err != nil || kept.IssuedAt != fields["issued_at"] || kept.ExpiresAt != fields["expires_at"] {
		t.Errorf("the item says %+v, %v", kept, err)
	}
	none, _ := json.Marshal(s.service.account(library.Account{ID: "abcdefgh", Provider: "nobody"}, ""))
	for _, part := range []string{`"granted_scopes":[]`, `"missing_scopes":[]`, `"issued_at":null`, `"expires_at":null`, `"renew_after":null`} {
		if !strings.Contains(string(none), part) {
			t.Errorf("%s lacks %s", none, part)
		}
	}
}

// Names of apps: a taken one gets a number, a saved app is never overwritten,
// and what a stranger's name carries is cleaned.
func TestTheAppOfASignIn(t *testing.T) {
	s := newStage(t, "ok")
	other := s.request().Setup
	other.App, other.ClientID = "Mine", "111111111111111"
	if _, err := s.service.AddApp(t.Context(), other, nil); err != nil {
		t.Fatal(err)
	}
	r := s.request()
	r.App = "Mine\u202e\n"
	account, err := s.service.Connect(t.Context(), r, nil)
	if err != nil || account.App != "Mine (2)" {
		t.Fatalf("%q, %v", account.App, err)
	}
	apps, _ := s.service.Apps(t.Context())
	if len(apps) != 2 || apps[0].Name != "Mine" || apps[0].ClientID != "111111111111111" {
		t.Errorf("%+v", apps)
	}
	// The app goes while its sign-in is under way: its accounts stay.
	r.Setup = Setup{App: "Mine (2)", ClientSecret: secret.New(sandbox.ClientSecret)}
	s.service.config.At = func(point string) {
		if point == "app-saved" {
			_ = s.service.RemoveApp(context.Background(), "Mine (2)")
		}
	}
	account, err = s.service.Connect(t.Context(), r, nil)
	if err != nil || account.App != "" {
		t.Errorf("%q, %v", account.App, err)
	}
	if shown, err := s.service.Account(t.Context(), account.ID); err != nil || !reflect.DeepEqual(shown.App, account.App) {
		t.Errorf("%+v, %v", shown, err)
	}
}

// A damaged library in which nobody had signed in is no error, and a process
// that only lists does not use the chance up.
func TestADamagedLibraryIsRebuiltByWhoeverRecovers(t *testing.T) {
	s := newStage(t, "ok")
	damage := func() {
		s.service.Close()
		for _, name := range []string{"library.db", "library.db-wal", "library.db-shm"} {
			path := filepath.Join(s.config.Home, "practice", name)
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.open()
	}
	damage()
	if got, err := s.service.Recover(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("nothing to rebuild: %+v, %v", got, err)
	}
	account, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	damage()
	if accounts, err := s.service.Accounts(t.Context()); err != nil || len(accounts) != 0 {
		t.Fatalf("%+v, %v", accounts, err)
	}
	s.service.Close()
	s.open()
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil || got[0].Account.ID != account.ID {
		t.Errorf("%+v, %v", got, err)
	}
}

// Practice shows the browser the very leaf of a real sign-in, and keeps to
// itself otherwise: its own library, and none of the person's own definitions.
func TestPracticeIsApartButForTheLeafAndThePort(t *testing.T) {
	own := "schema = 1\nid = \"own\"\n"
	s := newStage(t, "ok", func(c *Config) {
		if err := os.MkdirAll(filepath.Join(c.Home, "providers"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.Home, "providers", "own.toml"), []byte(own), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := s.service.Connect(t.Context(), s.request(), nil); err != nil {
		t.Fatal(err)
	}
	practised, err := s.service.certificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.service.Providers() {
		if mapped, err := s.service.definition(d.ID); err == nil && !mapped.Practising() {
			t.Errorf("%s is not pretend", d.ID)
		}
	}
	if _, err := s.service.definition("own"); err == nil {
		t.Error("a definition of one's own in practice")
	}
	s.service.Close()
	s.config.SandboxURL = nil
	s.open()
	real, err := s.service.certificate(t.Context())
	if err != nil || !bytes.Equal(real.Certificate[0], practised.Certificate[0]) {
		t.Errorf("another certificate: %v", err)
	}
	if accounts, err := s.service.Accounts(t.Context()); err != nil || len(accounts) != 0 {
		t.Errorf("practice among the real accounts: %+v, %v", accounts, err)
	}
	if _, err := os.Stat(filepath.Join(s.config.Home, "practice", "tls.pem")); err == nil {
		t.Error("practice has a certificate of its own")
	}
}

// SEC-1, SEC-4 at this level: nothing that is secret in a run is in its log, in
// any form, whatever the run ends with; nor in a problem or a state as printed.
func TestSEC4_NoSecretOfARunIsInItsLog(t *testing.T) {
	for _, scenario := range []string{"ok", "deny", "code-used", "redirect-mismatch", "extension-refused"} {
		t.Run(scenario, func(t *testing.T) {
			var log lockedBuffer
			store := &picky{Store: vault.NewSession()}
			s := newStage(t, scenario, func(c *Config) {
				c.Store = store
				c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			var secrets []secret.Text
			s.person.meddle = func(u *url.URL) {
				for _, name := range []string{"code", "state"} {
					secrets = append(secrets, secret.New(u.Query().Get(name)))
				}
			}
			r := s.request()
			r.KeepSecret = true
			account, err := s.service.Connect(t.Context(), r, func(st State) {
				fmt.Fprintf(&log, "%v %+v %#v\n", st, st, st)
				if st.Problem != nil {
					fmt.Fprintf(&log, "%v %+v %s\n", st.Problem, *st.Problem, st.Problem.Provider)
				}
				s.watch(st)
			})
			fmt.Fprintf(&log, "%v %+v\n", err, account)
			s.service.log.Info("probe", "err", fmt.Errorf("with %s inside", sandbox.ClientSecret))
			secrets = append(secrets, secret.New(sandbox.ClientSecret))
			if err == nil {
				handed, err := s.service.Token(t.Context(), account.ID)
				if err != nil {
					t.Fatal(err)
				}
				secrets = append(secrets, handed.AccessToken)
			}
			seal, err := store.Get(t.Context(), "seal-"+s.service.library.ID())
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, seal)
			if !strings.Contains(log.String(), "sign-in") {
				t.Fatal("there is no log")
			}
			for _, text := range secrets {
				for _, form := range secret.Forms(text) {
					if strings.Contains(log.String(), form) {
						t.Errorf("%d characters of a secret are in the log", len(form))
					}
				}
			}
			if strings.Contains(log.String(), "IGAA") {
				t.Error("a token is in the log")
			}
		})
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Where the file system cannot lock, a person can still sign in, and nobody
// takes an attempt at work for one that was left.
func TestWithoutLocksASignInGoesOn(t *testing.T) {
	s := newStage(t, "ok")
	locks := filepath.Join(s.service.root(), "locks")
	if err := errors.Join(os.RemoveAll(locks), os.WriteFile(locks, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	account, err := s.service.Connect(t.Context(), s.request(), func(st State) {
		if st.Step == Waiting {
			got, err := s.service.Recover(t.Context())
			if err != nil || len(got) != 1 || !problem.Has(got[0].Problem, problem.LockUnavailable) {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.Remove(t.Context(), account.ID); err != nil {
		t.Error(err)
	}
}
