package connect

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// The rows of security.md 7.2 that concern a renewal, each with its injection,
// are TestFault_… here. Where the other rows are proved:
//
//   - kill -9 at every step: TestKillAtEveryPointOfASignIn, TestWO1_…; and
//     TestWO1_Kill9AtAnyMomentLosesNothingThatWasReported (library)
//   - disk full, read-only home, wrong owner: TestPS6_…, TestALibraryOfAnotherUser… (library)
//   - keychain locked, dismissed, denied, absent: TestKR6_…, TestDialogsEnd,
//     TestRealDialogTypedDismissedAndLeft (vault)
//   - daemon hangs, is killed, the bus dies: TestKR3_…, TestKR4_… (vault)
//   - keychain replaced, item edited, value too big: TestKR5_…, TestDamagedItems…, TestKR7_… (vault)
//   - clock, suspend, DST, 2038: TestWithin60SecondsOfResumeAndEachOnce, TestNoStormWhateverTheClockDoes,
//     TestOnceADayOnDaysOfAnyLength, TestDueBeyond2038 (renew), with a clock that is given
//   - DNS, TLS, slow and endless answers, bombs, odd fields: TestTOK2_…, TestTOK4_…, TestTOK6_…, TestTOK7_… (oauth)
//   - doubled, early and late callbacks, ports, IPv6 off: TestATT4_…, TestATT9_…, TestATT10_…, TestLST2_…, TestLST4_…, TestLST5_… (redirect)
//   - no browser: TestOpenSaysWhenItFailed (browser)
//   - damaged, newer and older libraries: TestPS2_…, TestPS3_… (library)
//   - lock holders: TestLockHolderKilledFreesAtOnce, TestLockHolderStoppedIsNamed (library)
//   - no OpenGL: TestNoOpenGLIsSaid (e2e)
//
// What cannot be injected where these tests run, and why: a sharing violation of
// a virus scanner (Windows); the prompts and codes of the macOS and Windows
// keychains (those systems; their errors are read in vault's TestKR6_ErrorsOf…);
// a home on NFS, SMB or a cloud folder (needs a server and the right to mount
// it; a file system that cannot lock or map is stood in for in library); lost
// power (needs a file system in user space that drops unsynced writes); a real
// suspend (would stop the machine); a captive portal's false certificate on the
// real provider's name (its name is not ours; TestTOK7_… has the certificate);
// memory running out (the runtime ends the process at once: that is kill -9).

// dueAccount is a stage with one account whose token is due, and the bytes that stand
// for it in the keychain.
func dueAccount(t *testing.T, change ...func(*Config)) (s *stage, id string, item secret.Text) {
	t.Helper()
	s = newStage(t, "ok", append([]func(*Config){func(c *Config) { c.Wait = atOnce }}, change...)...)
	id = s.plant("user-0001", old)
	return s, id, s.raw(id)
}

// atOnce does not wait before a doubtful refusal is asked about again.
func atOnce(context.Context, time.Duration) {}

// raw is the keychain's item as it lies there.
func (s *stage) raw(id string) secret.Text {
	s.t.Helper()
	item, err := s.store.Get(s.t.Context(), "token-"+id)
	if err != nil {
		s.t.Fatal(err)
	}
	return item
}

func (s *stage) fault(f sandbox.Fault) {
	s.t.Helper()
	f.Path = renewPath
	if err := s.sandbox.Server.AddFault(f); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) renew(id string, o RenewOptions) Renewal {
	s.t.Helper()
	got, err := s.service.Renew(s.t.Context(), id, o)
	if err != nil {
		s.t.Fatalf("%v %s", err, problem.Of(err).Key)
	}
	return got
}

// untouched is TOK-11: nobody is told to sign in, the token is handed out, and
// the item is the same to the byte.
func (s *stage) untouched(id string, item secret.Text) {
	s.t.Helper()
	a, err := s.service.Account(s.t.Context(), id)
	if err != nil || a.Status == NeedsSignIn || a.Status == Expired {
		s.t.Errorf("the account is %s (%s), %v", a.Status, a.Reason, err)
	}
	if _, err := s.service.Token(s.t.Context(), id); err != nil {
		s.t.Errorf("the token is not handed out: %v", err)
	}
	if !s.raw(id).Equal(item) {
		s.t.Error("the item was touched")
	}
	if gen := s.row(id).Gen; gen != 1 {
		s.t.Errorf("generation %d", gen)
	}
}

// mended: the next renewal succeeds, and nothing of the fault is left.
func (s *stage) mended(id string) {
	s.t.Helper()
	if got := s.renew(id, RenewOptions{}); got.Outcome != Renewed && got.Outcome != TooYoung && got.Outcome != AlreadyRenewed {
		s.t.Errorf("afterwards: %+v", got)
	}
	if !s.works(s.kept(id).AccessToken) || s.row(id).Gen != 2 || s.row(id).LastAnswer != "" {
		s.t.Errorf("afterwards: %+v", s.row(id))
	}
	rows, err := s.service.library.Pendings(s.t.Context())
	if err != nil || len(rows) != 0 {
		s.t.Errorf("%d rows left, %v", len(rows), err)
	}
}

// unclear are answers that say nothing about the token.
var unclear = []struct {
	name string
	f    sandbox.Fault
}{
	{"500 and nothing", sandbox.Fault{Status: 500}},
	{"500 and a page", sandbox.Fault{Status: 500, Body: []byte("<html><title>Sorry</title>")}},
	{"502", sandbox.Fault{Status: 502, Body: []byte("<html>Bad Gateway")}},
	{"503", sandbox.Fault{Status: 503}},
	{"504", sandbox.Fault{Status: 504}},
	{"429", sandbox.Fault{Status: 429}},
	{"a captive portal's page", sandbox.Fault{Status: 200, Body: []byte("<!doctype html><form>Room number</form>")}},
	{"a captive portal's redirect", sandbox.Fault{Status: 302, Headers: map[string]string{"Location": "http://login.example/?from=x"}}},
	{"511", sandbox.Fault{Status: 511, Body: []byte("<html>Log in")}},
	{"200 and nothing", sandbox.Fault{Status: 200}},
	{"null", sandbox.Fault{Status: 200, Body: []byte("null")}},
	{"a list", sandbox.Fault{Status: 200, Body: []byte("[]")}},
	{"an empty object", sandbox.Fault{Status: 200, Body: []byte("{}")}},
	{"no token", sandbox.Fault{Status: 200, Body: []byte(`{"token_type":"bearer","expires_in":5183944}`)}},
	{"an empty token", sandbox.Fault{Status: 200, Body: []byte(`{"access_token":"","token_type":"bearer","expires_in":5183944}`)}},
	{"cut in the middle", sandbox.Fault{Status: 200, Body: []byte(`{"access_token":"IGAA`), Headers: map[string]string{"Content-Length": "500"}}},
	{"half an object", sandbox.Fault{Status: 200, Body: []byte(`{"access_token":"IGAA`)}},
	{"a bad gzip", sandbox.Fault{Status: 200, Body: []byte("\x1f\x8bnot"), Headers: map[string]string{"Content-Encoding": "gzip"}}},
	{"cut before the work", sandbox.Fault{Drop: true}},
	{"too many calls", sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"Application request limit reached","type":"OAuthException","code":4}}`)}},
	{"unknown error", sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"An unknown error has occurred.","type":"OAuthException","code":1}}`)}},
	{"temporarily away", sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"Service temporarily unavailable","type":"OAuthException","code":2,"is_transient":true}}`)}},
	{"invalid_grant of nobody knows whom", sandbox.Fault{Status: 400, Body: []byte(`{"error":"invalid_grant"}`)}},
	{"method type", sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"Unsupported request - method type: get","type":"IGApiException","code":100}}`)}},
}

// TOK-11: network, 5xx, 429, pages of a portal and answers without a meaning
// never cost a token.
func TestFault_UnclearAnswersToARenewal(t *testing.T) {
	s := newStage(t, "ok")
	for i, row := range unclear {
		t.Run(row.name, func(t *testing.T) {
			s := &stage{t: t, service: s.service, sandbox: s.sandbox, store: s.store, config: s.config}
			username := fmt.Sprintf("user-%04d", i+1)
			id := s.plant(username, old)
			item := s.raw(id)
			lasting := row.f
			lasting.Times = -1
			s.fault(lasting)
			got := s.renew(id, RenewOptions{})
			if got.Outcome != RenewFailed || got.Problem == nil || got.Problem.Kind == problem.SignIn {
				t.Errorf("%+v", got)
			}
			s.untouched(id, item)
			s.sandbox.Server.ClearFaults()
			s.mended(id)
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// dialTo connects to that address, whatever was asked for.
func dialTo(address string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// A provider that nobody reaches: the item and the account stay, at each of
// the ways in which it cannot be reached before anything is written.
func TestFault_NetworkGoneBeforeARenewalIsWritten(t *testing.T) {
	s, id, item := dueAccount(t)
	real := http.DefaultTransport
	var broken http.RoundTripper
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if broken != nil {
			return broken.RoundTrip(r)
		}
		return real.RoundTrip(r)
	})}
	s.service.config.Client = client
	for name, dial := range map[string]string{"refused": "127.0.0.1:1", "no such name": "nobody.invalid:80"} {
		t.Run(name, func(t *testing.T) {
			broken = &http.Transport{DisableKeepAlives: true, DialContext: dialTo(dial)}
			got := s.renew(id, RenewOptions{})
			if got.Outcome != RenewFailed || got.Problem == nil || got.Problem.Kind != problem.Network {
				t.Errorf("%+v", got)
			}
			s.untouched(id, item)
		})
	}
	broken = nil
	s.mended(id)
	if n := s.asks("user-0001"); n != 1 {
		t.Errorf("%d requests arrived", n)
	}
}

// The network is cut after the renewal was written and done: whoever forgives
// one lost answer is asked once more (security.md 3.3), whoever does not says
// no, and the account says so. No other way ends it.
func TestFault_NetworkCutAfterTheRenewalWasWritten(t *testing.T) {
	for _, warm := range []bool{false, true} {
		for _, kind := range []struct {
			name  string
			shape sandbox.Shape
			lost  bool
		}{
			{name: "kept"},
			{name: "one retry", shape: sandbox.Shape{Renew: "rotating", Grace: 1}},
			{name: "strict", shape: sandbox.Shape{Renew: "rotating"}, lost: true},
		} {
			t.Run(fmt.Sprintf("%s/warm=%v", kind.name, warm), func(t *testing.T) {
				s, id, item := dueAccount(t)
				if err := s.sandbox.Server.SetShape(kind.shape); err != nil {
					t.Fatal(err)
				}
				if !warm {
					// plant has asked who it is: without this the connection is a used
					// one, on which Go's client may ask again by itself.
					s.service.Close()
					s.open()
				}
				s.fault(sandbox.Fault{Drop: true, After: true})
				first := s.renew(id, RenewOptions{})
				// The program may have asked again by its own rule already; a person
				// who tries again, or the next start, does.
				if _, err := s.service.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.renew(id, RenewOptions{})
				// One that is lost is asked about twice, each time that somebody tries.
				if n := s.asks("user-0001"); n > 6 {
					t.Errorf("%d requests for one renewal", n)
				}
				if kind.lost {
					a, err := s.service.Account(t.Context(), id)
					if err != nil || a.Status != NeedsSignIn || !s.raw(id).Equal(item) {
						t.Errorf("%+v, %v", a, err)
					}
					return
				}
				if !s.works(s.kept(id).AccessToken) || s.row(id).Gen != 2 {
					t.Errorf("first %+v, generation %d", first, s.row(id).Gen)
				}
				if n := s.asks("user-0001"); n != 2 {
					t.Errorf("%d requests for one renewal with one lost answer", n)
				}
			})
		}
	}
}

// TOK-12: the wait that a provider asks for is kept, and what is no wait is
// not believed.
func TestFault_RetryAfter(t *testing.T) {
	for _, row := range []struct {
		name, header string
		least, most  time.Duration
	}{
		{"seconds", "3600", time.Hour, 2 * time.Hour},
		{"a date", "date", 2 * time.Hour, 4 * time.Hour},
		{"a month", "2592000", time.Hour, 24 * time.Hour},
		{"beyond numbers", "99999999999999999999", 0, 24 * time.Hour},
		{"negative", "-5", 0, 24 * time.Hour},
		{"garbage", "soon \x7f", 0, 24 * time.Hour},
		{"none", "", 0, 24 * time.Hour},
	} {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprintf("%s/%d", row.name, status), func(t *testing.T) {
				s, id, item := dueAccount(t)
				headers := map[string]string{}
				switch row.header {
				case "":
				case "date":
					headers["Retry-After"] = time.Now().Add(3 * time.Hour).UTC().Format(http.TimeFormat)
				default:
					headers["Retry-After"] = row.header
				}
				s.fault(sandbox.Fault{Status: status, Headers: headers, Times: -1})
				began := time.Now()
				got := s.renew(id, RenewOptions{OnlyDue: true})
				if got.Outcome != RenewFailed || got.Next == nil {
					t.Fatalf("%+v", got)
				}
				if wait := got.Next.Sub(began); wait < row.least-time.Minute || wait > row.most+time.Minute {
					t.Errorf("waits %v, want %v to %v", wait, row.least, row.most)
				}
				s.untouched(id, item)
				// What runs by itself keeps the wait, also after a restart.
				s.service.Close()
				s.open()
				before, _ := s.sandbox.Server.Log()
				if row.least > 0 {
					if got := s.renew(id, RenewOptions{OnlyDue: true}); got.Outcome != RenewWaiting && got.Outcome != NotDue {
						t.Errorf("%+v", got)
					}
					if after, _ := s.sandbox.Server.Log(); after != before {
						t.Error("asked during the wait")
					}
				}
			})
		}
	}
}

// An answer that says no and is taken back at once (replica lag) is not
// believed the first time.
func TestFault_RefusedOnceThenFine(t *testing.T) {
	for name, body := range map[string]string{
		"190":                     `{"error":{"message":"Error validating access token","type":"OAuthException","code":190}}`,
		"467":                     `{"error":{"message":"Error validating access token","type":"OAuthException","code":190,"error_subcode":467}}`,
		"463 long before the end": `{"error":{"message":"Error validating access token","type":"OAuthException","code":190,"error_subcode":463}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, id, item := dueAccount(t)
			s.fault(sandbox.Fault{Status: 400, Body: []byte(body)})
			got := s.renew(id, RenewOptions{})
			if got.Outcome != Renewed || got.Problem != nil || s.raw(id).Equal(item) {
				t.Fatalf("%+v", got)
			}
			if n := s.asks("user-0001"); n != 1 {
				t.Errorf("%d requests beside the refused one", n)
			}
			s.mended(id)
		})
	}
}

// TOK-11, the other half: what truly ends a token is believed, by its number,
// and nothing is deleted.
func TestFault_WhatTrulyEndsAToken(t *testing.T) {
	for _, row := range []struct {
		state  string
		key    problem.Key
		status Status
	}{
		{"ended", problem.TokenEnded, Expired},
		{"password-changed", problem.PasswordChanged, NeedsSignIn},
		{"removed", problem.AccessRemoved, NeedsSignIn},
		{"checkpoint", problem.SecurityCheck, NeedsSignIn},
	} {
		for _, how := range []string{"renew", "check"} {
			t.Run(row.state+"/"+how, func(t *testing.T) {
				t.Parallel()
				s, id, item := dueAccount(t)
				if err := s.sandbox.Server.SetState("user-0001", row.state); err != nil {
					t.Fatal(err)
				}
				if how == "renew" {
					if got := s.renew(id, RenewOptions{}); got.Outcome != RenewFailed || !problem.Has(got.Problem, row.key) {
						t.Errorf("%+v", got)
					}
				} else if got, err := s.service.Check(t.Context(), id); err != nil || got.Works || !problem.Has(got.Problem, row.key) {
					t.Errorf("%+v, %v", got, err)
				}
				a, err := s.service.Account(t.Context(), id)
				if err != nil || a.Status != row.status || a.Reason != string(row.key) {
					t.Errorf("the account is %s (%s), %v", a.Status, a.Reason, err)
				}
				if _, err := s.service.Token(t.Context(), id); problem.Of(err) == nil || problem.Of(err).Kind != problem.SignIn {
					t.Errorf("handing out: %v", err)
				}
				if !s.raw(id).Equal(item) {
					t.Error("the item was touched")
				}
				// A person finishes the check, or it was a mistake: asking says so.
				if err := s.sandbox.Server.SetState("user-0001", "ok"); err != nil {
					t.Fatal(err)
				}
				if got, err := s.service.Check(t.Context(), id); err != nil || !got.Works || got.Account.Status == NeedsSignIn || got.Account.Status == Expired {
					t.Errorf("alive again: %+v, %v", got, err)
				}
			})
		}
	}
}

// faulty is a keychain that fails where it is told to.
type faulty struct {
	vault.Store
	get, put problem.Key
}

func (f *faulty) Get(ctx context.Context, name string) (secret.Text, error) {
	if f.get != "" {
		return secret.Text{}, problem.New(f.get)
	}
	return f.Store.Get(ctx, name)
}

func (f *faulty) Put(ctx context.Context, name string, v secret.Text) error {
	if f.put != "" {
		return problem.New(f.put)
	}
	return f.Store.Put(ctx, name, v)
}

var keychainFaults = []problem.Key{problem.VaultLocked, problem.VaultDenied, problem.VaultDismissed, problem.VaultAbsent, problem.VaultUnreadable}

// A keychain that does not open is found before the provider is asked.
func TestFault_KeychainClosedBeforeARenewal(t *testing.T) {
	for _, key := range keychainFaults {
		t.Run(string(key), func(t *testing.T) {
			store := &faulty{Store: vault.NewSession()}
			s, id, item := dueAccount(t, func(c *Config) { c.Store = store })
			s.service.Close()
			s.open() // a start that has read nothing yet
			store.get = key
			got, err := s.service.Renew(t.Context(), id, RenewOptions{})
			if !problem.Has(err, key) && !problem.Has(got.Problem, key) {
				t.Errorf("%+v, %v", got, err)
			}
			if n := s.asks("user-0001"); n != 0 {
				t.Errorf("the provider was asked %d times", n)
			}
			store.get = ""
			s.untouched(id, item)
			s.mended(id)
		})
	}
}

// WO-3: the keychain closes between the question and the item. The answer is
// on the disk, sealed, and is stored at the next chance without asking again.
func TestFault_KeychainClosesAfterTheProviderWasAsked(t *testing.T) {
	for _, key := range append(keychainFaults, problem.VaultTooBig) {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restart=%v", key, restart), func(t *testing.T) {
				store := &faulty{Store: vault.NewSession()}
				s, id, _ := dueAccount(t, func(c *Config) {
					c.Store = store
					c.At = func(point string) {
						if point == "renew-answered" {
							store.put = key
						}
					}
				})
				if err := s.sandbox.Server.SetShape(sandbox.Shape{Renew: "rotating"}); err != nil {
					t.Fatal(err)
				}
				got, err := s.service.Renew(t.Context(), id, RenewOptions{})
				if err == nil && got.Outcome == Renewed {
					t.Error("said to be renewed")
				}
				s.config.At = nil
				if restart {
					s.service.Close()
					s.open()
				} else {
					s.service.config.At = func(string) {}
				}
				store.put = ""
				if _, err := s.service.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.mended(id)
				if n := s.asks("user-0001"); n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
}

// KR-5: another keychain in the place of ours is not an empty one.
func TestFault_KeychainReplacedBeforeARenewal(t *testing.T) {
	store := &faulty{Store: vault.NewSession()}
	s, id, item := dueAccount(t, func(c *Config) { c.Store = store })
	ours := store.Store
	s.service.Close()
	s.open()
	store.Store = vault.NewSession()
	got, err := s.service.Renew(t.Context(), id, RenewOptions{})
	if !problem.Has(err, problem.VaultUnreadable) && !problem.Has(got.Problem, problem.VaultUnreadable) {
		t.Errorf("%+v, %v", got, err)
	}
	if n := s.asks("user-0001"); n != 0 {
		t.Errorf("asked %d times", n)
	}
	store.Store = ours
	s.untouched(id, item)
	s.mended(id)
}

// An item that somebody edited is unreadable: nobody is asked with half a token.
func TestFault_ItemEditedByHand(t *testing.T) {
	for name, edited := range map[string]string{"empty": "", "text": "hello", "half": "", "another account's": `{"v":1}`} {
		t.Run(name, func(t *testing.T) {
			s, id, item := dueAccount(t)
			if name == "half" {
				edited = item.Reveal()[:len(item.Reveal())/2]
			}
			if err := s.store.Put(t.Context(), "token-"+id, secret.New(edited)); err != nil {
				t.Fatal(err)
			}
			got, err := s.service.Renew(t.Context(), id, RenewOptions{})
			if err == nil && got.Outcome == Renewed {
				t.Errorf("%+v", got)
			}
			if n := s.asks("user-0001"); n != 0 {
				t.Errorf("asked %d times", n)
			}
			if a, err := s.service.Account(t.Context(), id); err != nil || a.ID != id {
				t.Errorf("the account: %+v, %v", a, err)
			}
			if err := s.store.Put(t.Context(), "token-"+id, item); err != nil {
				t.Fatal(err)
			}
			s.untouched(id, item)
			s.mended(id)
		})
	}
}

// A renewed token that no keychain takes is kept sealed in the library.
func TestFault_RenewedTokenTooBigForAKeychain(t *testing.T) {
	s, id, _ := dueAccount(t)
	if err := s.sandbox.Server.SetShape(sandbox.Shape{TokenLength: 8192}); err != nil {
		t.Fatal(err)
	}
	if got := s.renew(id, RenewOptions{}); got.Outcome != Renewed {
		t.Fatalf("%+v", got)
	}
	if got, err := s.service.Token(t.Context(), id); err != nil || len(got.AccessToken.Reveal()) < 8000 || !s.works(got.AccessToken) {
		t.Errorf("%d characters, %v", len(got.AccessToken.Reveal()), err)
	}
	if n := len(s.raw(id).Reveal()); n > 2400 {
		t.Errorf("an item of %d bytes", n)
	}
}

// A clock that is wrong, or jumps, makes no storm and calls nothing ended that
// the provider still takes.
func TestFault_ClockIsWrong(t *testing.T) {
	for _, wrong := range []time.Duration{-365 * day, -30 * day, -time.Hour, time.Hour, 30 * day, 365 * day, 4 * 365 * day} {
		t.Run(wrong.String(), func(t *testing.T) {
			offset := time.Duration(0)
			s, id, _ := dueAccount(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(offset) } })
			offset = wrong
			// What runs by itself looks every half a minute; the clock says one of
			// a hundred times.
			for range 100 {
				offset += time.Second
				s.renew(id, RenewOptions{OnlyDue: true})
			}
			if n := s.asks("user-0001"); n > 1 {
				t.Errorf("%d requests while a hundred seconds passed", n)
			}
			// Back at the right time everything is as it should be.
			offset = 0
			if checked, err := s.service.Check(t.Context(), id); err != nil || !checked.Works || checked.Account.Status == NeedsSignIn || checked.Account.Status == Expired {
				t.Errorf("%+v, %v", checked, err)
			}
			if _, err := s.service.Token(t.Context(), id); err != nil {
				t.Error(err)
			}
			if !s.works(s.kept(id).AccessToken) {
				t.Error("the token is dead")
			}
		})
	}
}

// A clock that jumps while the provider is asked: the end is counted from the
// sending, and what was given is stored whatever the clock says.
func TestFault_ClockJumpsDuringARenewal(t *testing.T) {
	for _, jump := range []time.Duration{-365 * day, 365 * day} {
		t.Run(jump.String(), func(t *testing.T) {
			offset := time.Duration(0)
			s, id, _ := dueAccount(t, func(c *Config) {
				c.Now = func() time.Time { return time.Now().Add(offset) }
				c.At = func(point string) {
					if point == "renew-answered" {
						offset = jump
					}
				}
			})
			if got := s.renew(id, RenewOptions{}); got.Outcome != Renewed {
				t.Fatalf("%+v", got)
			}
			offset = 0
			row := s.row(id)
			if row.ExpiresAt == nil || row.ExpiresAt.Before(time.Now().Add(59*day)) || row.ExpiresAt.After(time.Now().Add(61*day)) {
				t.Errorf("ends %v", row.ExpiresAt)
			}
			if a, err := s.service.Account(t.Context(), id); err != nil || a.Status != Healthy {
				t.Errorf("%s, %v", a.Status, err)
			}
		})
	}
}

// Cancelling at any point after the question changes nothing: what the
// provider gave is stored, or is on the disk for the next start.
func TestFault_CancelledDuringARenewal(t *testing.T) {
	for _, at := range RenewPoints {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s, id, _ := dueAccount(t, func(c *Config) {
				c.At = func(point string) {
					if point == at {
						cancel()
					}
				}
			})
			if err := s.sandbox.Server.SetShape(sandbox.Shape{Renew: "rotating"}); err != nil {
				t.Fatal(err)
			}
			_, _ = s.service.Renew(ctx, id, RenewOptions{})
			s.service.Close()
			s.config.At = nil
			s.open()
			if _, err := s.service.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.mended(id)
			if n := s.asks("user-0001"); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A provider may give back the very token that it was asked with, with a new
// end (providers.md 2.7): that is a renewal.
func TestFault_RenewalThatReturnsTheSameToken(t *testing.T) {
	s, id, _ := dueAccount(t)
	before := s.kept(id)
	s.fault(sandbox.Fault{Status: 200, Body: fmt.Appendf(nil, `{"access_token":%q,"token_type":"bearer","expires_in":5183944}`, before.AccessToken.Reveal())})
	if got := s.renew(id, RenewOptions{}); got.Outcome != Renewed {
		t.Fatalf("%+v", got)
	}
	after := s.kept(id)
	if !after.AccessToken.Equal(before.AccessToken) || after.Gen != 2 || !after.ExpiresAt.After(before.ExpiresAt.Add(40*day)) {
		t.Errorf("generation %d, ends %v", after.Gen, after.ExpiresAt)
	}
	if got := s.renew(id, RenewOptions{OnlyDue: true}); got.Outcome != NotDue {
		t.Errorf("and again: %+v", got)
	}
}

// The scenarios that strike around and after a sign-in, through the whole core.
func TestScenariosOfTheSandboxAfterASignIn(t *testing.T) {
	for _, row := range []struct {
		scenario string
		key      problem.Key
		status   Status
	}{
		{"ended", problem.TokenEnded, Expired},
		{"password-changed", problem.PasswordChanged, NeedsSignIn},
	} {
		t.Run(row.scenario, func(t *testing.T) {
			s := newStage(t, row.scenario, func(c *Config) { c.Wait = atOnce })
			a, err := s.service.Connect(t.Context(), s.request(), nil)
			if err != nil || a.Status != Healthy {
				t.Fatalf("the sign-in: %+v, %v", a, err)
			}
			if got, err := s.service.Check(t.Context(), a.ID); err != nil || got.Works || !problem.Has(got.Problem, row.key) || got.Account.Status != row.status {
				t.Errorf("the check: %+v, %v", got, err)
			}
			if err := s.sandbox.Server.SetScenario("ok"); err != nil {
				t.Fatal(err)
			}
			if a, err := s.service.Connect(t.Context(), s.request(), nil); err != nil || a.Status != Healthy {
				t.Errorf("signing in again: %+v, %v", a, err)
			}
			if got, err := s.service.Check(t.Context(), a.ID); err != nil || !got.Works {
				t.Errorf("after it: %+v, %v", got, err)
			}
		})
	}
	t.Run("wrong-account", func(t *testing.T) {
		s := newStage(t, "wrong-account")
		r := s.request()
		r.Expect = sandbox.People()[0]
		if _, err := s.service.Connect(t.Context(), r, s.watch); !problem.Has(err, problem.OtherAccount) {
			t.Errorf("%v", err)
		}
		s.nothingLeft()
	})
	t.Run("not-invited", func(t *testing.T) {
		s := newStage(t, "not-invited")
		r := s.request()
		r.Timeout = 2 * time.Second
		if _, err := s.service.Connect(t.Context(), r, s.watch); !problem.Has(err, problem.DeadlinePassed) {
			t.Errorf("%v", err)
		}
		if page := s.person.lastPage(); !strings.Contains(page.body, "Insufficient Developer Role") || !strings.Contains(page.address, "/third_party/error/") {
			t.Errorf("the provider's page: %s", page.body)
		}
		s.nothingLeft()
	})
}

// The person stops while the answer is on its way, from a provider that forgives
// nothing: it is waited for.
func TestFault_CancelledWhileTheAnswerIsOnItsWay(t *testing.T) {
	s, id, _ := dueAccount(t)
	if err := s.sandbox.Server.SetShape(sandbox.Shape{Renew: "rotating"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.service.config.Client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		got, err := http.DefaultTransport.RoundTrip(r.Clone(context.WithoutCancel(r.Context())))
		cancel()
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		return got, err
	})}
	if _, err := s.service.Renew(ctx, id, RenewOptions{}); err != nil {
		t.Error(err)
	}
	s.service.config.Client = nil
	s.mended(id)
	if n := s.asks("user-0001"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// Nothing that a renewal meets, in any of its ways to fail, writes a token into
// the log.
func TestFault_NoSecretOfARenewalIsInItsLog(t *testing.T) {
	var log lockedBuffer
	s := newStage(t, "ok", func(c *Config) {
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for i, row := range unclear {
		id := s.plant(fmt.Sprintf("user-%04d", i+1), old)
		f := row.f
		f.Body = []byte(strings.ReplaceAll(string(f.Body), "IGAA", s.kept(id).AccessToken.Reveal()))
		s.fault(f)
		got, err := s.service.Renew(t.Context(), id, RenewOptions{})
		fmt.Fprintf(&log, "%v %+v %#v %v\n", got, got, got.Problem, err)
		if got.Problem != nil {
			fmt.Fprintf(&log, "%v %+v %v\n", got.Problem, *got.Problem, got.Problem.Unwrap())
		}
	}
	if strings.Contains(log.String(), "IGAA") {
		t.Error("a token is in the log")
	}
	if log.String() == "" {
		t.Error("there is no log")
	}
}
