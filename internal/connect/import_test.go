package connect

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

const identityPath = "/graph.instagram.com/v25.0/me"

func (s *stage) dashboard(m sandbox.Minted) secret.Text {
	s.t.Helper()
	token, err := s.sandbox.Server.Mint(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret.New(token)
}

func daysAgo(n int) *time.Time {
	t := time.Now().Add(-time.Duration(n) * day)
	return &t
}

func (s *stage) rows() []library.Pending {
	s.t.Helper()
	rows, err := s.service.library.Pendings(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

func (s *stage) accounts() []Account {
	s.t.Helper()
	accounts, err := s.service.Accounts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return accounts
}

// requests counts everything that reached the provider.
func (s *stage) requests() int {
	n, _ := s.sandbox.Server.Log()
	return n
}

func TestAPastedTokenIsIdentifiedAndStored(t *testing.T) {
	s := newStage(t, "ok")
	token, issued := s.dashboard(sandbox.Minted{Age: 10 * day}), daysAgo(10)
	account, err := s.service.Import(t.Context(), Paste{Text: secret.New(" “" + wrap(token.Reveal(), 76, "\r\n") + "”\n"), Issued: issued})
	if err != nil {
		t.Fatal(err)
	}
	end := issued.UTC().Truncate(time.Second).Add(60 * 24 * time.Hour)
	if account.Username != sandbox.People()[0] || account.UserID == "" || account.Provider != "instagram" || account.Lifetime != Long ||
		!account.ExpiresEstimated || account.ExpiresAt == nil || !account.ExpiresAt.Equal(end) || account.Status != Healthy {
		t.Errorf("%+v", account)
	}
	if account.App != "" || len(account.GrantedScopes) != 0 || len(account.MissingScopes) != 0 {
		t.Errorf("something is claimed: app %q, granted %v, missing %v", account.App, account.GrantedScopes, account.MissingScopes)
	}
	if handed, err := s.service.Token(t.Context(), account.ID); err != nil || !handed.AccessToken.Equal(token) {
		t.Errorf("the token: %v", err)
	}
	if n := s.requests(); n != 1 || s.asked(identityPath) != 1 {
		t.Errorf("%d requests, %d of them for the profile: a long-lived token is never exchanged", n, s.asked(identityPath))
	}
	entries, err := s.service.Diary(t.Context(), account.ID, 0)
	if err != nil || len(entries) != 1 || entries[0].Event != "imported" {
		t.Errorf("diary %v, %v", entries, err)
	}
	if apps, _ := s.service.Apps(t.Context()); len(apps) != 0 {
		t.Errorf("an app was made up: %+v", apps)
	}
	if rows := s.rows(); len(rows) != 0 {
		t.Errorf("%d pending rows left", len(rows))
	}
	if ids, err := vault.Index(t.Context(), s.store, s.service.library.ID()); err != nil || !slices.Contains(ids, account.ID) {
		t.Errorf("the index %v lacks it, %v", ids, err)
	}
}

func TestWithoutADayNoEndIsMadeUp(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Age: 50 * day})})
	if err != nil {
		t.Fatal(err)
	}
	if account.ExpiresAt != nil || account.IssuedAt != nil || !account.ExpiresEstimated || account.Lifetime != Long || account.Status != Healthy {
		t.Errorf("%+v", account)
	}
	item, err := s.service.tokens(nil).Get(t.Context(), account.ID)
	if err != nil || !item.IssuedAt.IsZero() || item.ExpiresAt != nil {
		t.Errorf("the item says %v to %v, %v", item.IssuedAt, item.ExpiresAt, err)
	}
}

func TestTheSameTokenTwiceChangesNothing(t *testing.T) {
	s := newStage(t, "ok")
	token := s.dashboard(sandbox.Minted{})
	first, err := s.service.Import(t.Context(), Paste{Text: token, Issued: daysAgo(1)})
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.service.Import(t.Context(), Paste{Text: token, Issued: daysAgo(20)})
	if err != nil || again.ID != first.ID || !again.ExpiresAt.Equal(*first.ExpiresAt) {
		t.Errorf("%+v, %v", again, err)
	}
	row, err := s.service.library.Account(t.Context(), first.ID)
	if entries, _ := s.service.Diary(t.Context(), first.ID, 0); err != nil || row.Gen != 1 || len(entries) != 1 || len(s.rows()) != 0 {
		t.Errorf("gen %d, %d lines, %d pending, %v", row.Gen, len(entries), len(s.rows()), err)
	}
}

// The provider has just taken the token: what it once said of it is over.
func TestTheSameTokenThatWorksNeedsNoSignIn(t *testing.T) {
	s := newStage(t, "ok")
	token := s.dashboard(sandbox.Minted{})
	first, err := s.service.Import(t.Context(), Paste{Text: token, Issued: daysAgo(1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.library.UpdateAccount(t.Context(), first.ID, func(a *library.Account) { a.LastAnswer = string(problem.TokenRefused) }); err != nil {
		t.Fatal(err)
	}
	again, err := s.service.Import(t.Context(), Paste{Text: token})
	if err != nil || again.Status != Healthy {
		t.Errorf("%s %q, %v", again.Status, again.Reason, err)
	}
	if _, err := s.service.Token(t.Context(), first.ID); err != nil {
		t.Error(err)
	}
	row, err := s.service.library.Account(t.Context(), first.ID)
	if err != nil || row.Gen != 1 || row.LastAnswer != "" || len(s.rows()) != 0 {
		t.Errorf("%+v, %d pending, %v", row, len(s.rows()), err)
	}
}

// The person's only account takes the token, whatever its app.
func TestAnotherTokenOfAKnownPersonGoesIntoTheirAccount(t *testing.T) {
	s := newStage(t, "ok")
	r := s.request()
	r.Scopes = []string{"instagram_business_basic", "instagram_business_manage_insights"}
	first, err := s.service.Connect(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.service.Apps(t.Context())
	token := s.dashboard(sandbox.Minted{})
	account, err := s.service.Import(t.Context(), Paste{Text: token})
	if err != nil {
		t.Fatal(err)
	}
	if account.ID != first.ID || account.App != first.App || account.App == "" || len(s.accounts()) != 1 {
		t.Errorf("%+v, was %+v", account, first)
	}
	if handed, err := s.service.Token(t.Context(), first.ID); err != nil || !handed.AccessToken.Equal(token) {
		t.Errorf("the newer token is not there: %v", err)
	}
	apps, _ := s.service.Apps(t.Context())
	if len(apps) != 1 || !slices.Equal(apps[0].Scopes, before[0].Scopes) {
		t.Errorf("the app was changed: %+v, was %+v", apps, before)
	}
	if len(account.MissingScopes) != 0 || len(account.GrantedScopes) != 0 {
		t.Errorf("claims permissions: %+v", account)
	}
	// Another person is another account.
	other, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Person: sandbox.People()[1]})})
	if err != nil || other.ID == first.ID || len(s.accounts()) != 2 {
		t.Errorf("%+v, %v", other, err)
	}
}

// Two accounts of one person through two apps: nobody can tell which one is
// meant, so neither is overwritten, and the second paste finds the first.
func TestOfSeveralAccountsNoneIsOverwritten(t *testing.T) {
	s := newStage(t, "ok")
	first, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	row, err := s.service.library.Account(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	row.ID, row.ClientID, row.AppID = "secondofthesame1", "990602627938099", ""
	if err := s.service.library.Finish(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	kept, _ := s.service.Token(t.Context(), first.ID)
	account, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{})})
	if err != nil || account.ID == first.ID || account.ID == row.ID || account.App != "" {
		t.Fatalf("%+v, %v", account, err)
	}
	if after, err := s.service.Token(t.Context(), first.ID); err != nil || !after.AccessToken.Equal(kept.AccessToken) {
		t.Errorf("the first account's token was replaced: %v", err)
	}
	again, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Age: time.Hour})})
	if err != nil || again.ID != account.ID || len(s.accounts()) != 3 {
		t.Errorf("%+v, %v, %d accounts", again, err, len(s.accounts()))
	}
	if found, err := s.service.Inspect(t.Context(), s.dashboard(sandbox.Minted{})); err != nil || found.Known == nil || found.Known.ID != account.ID {
		t.Errorf("inspected as %+v, %v", found.Known, err)
	}
	// With an app it is that app's account.
	named, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Age: 2 * time.Hour}), App: first.App})
	if err != nil || named.ID != first.ID || named.App != first.App || len(s.accounts()) != 3 {
		t.Errorf("%+v, %v", named, err)
	}
}

func TestATokenThatEndsSoonerDoesNotReplaceAWorkingOne(t *testing.T) {
	s := newStage(t, "ok")
	first, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.service.Token(t.Context(), first.ID)
	_, err = s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Age: 30 * day}), Issued: daysAgo(30)})
	if p := problem.Of(err); p == nil || p.Key != problem.ImportAlready || p.Kind != problem.Input || p.Args["username"] != first.Username {
		t.Errorf("%v", err)
	}
	if after, err := s.service.Token(t.Context(), first.ID); err != nil || !after.AccessToken.Equal(before.AccessToken) || len(s.rows()) != 0 {
		t.Errorf("replaced, or %d rows left, %v", len(s.rows()), err)
	}
	// Once the kept one is refused, an older one that works is better.
	if err := s.service.library.UpdateAccount(t.Context(), first.ID, func(a *library.Account) { a.LastAnswer = string(problem.PasswordChanged) }); err != nil {
		t.Fatal(err)
	}
	account, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Age: 30 * day}), Issued: daysAgo(30)})
	if err != nil || account.ID != first.ID || account.Status != Healthy || account.Reason != "" {
		t.Errorf("%+v, %v", account, err)
	}
}

func TestWhatCannotBeTakenInIsSentNowhere(t *testing.T) {
	s := newStage(t, "ok")
	if _, err := s.service.AddApp(t.Context(), Setup{App: "shop", Provider: "instagram", ClientID: sandbox.ClientID}, nil); err != nil {
		t.Fatal(err)
	}
	long, good := strings.Repeat("aB3_", 40), s.dashboard(sandbox.Minted{}).Reveal()
	for _, row := range []struct {
		name   string
		paste  Paste
		key    problem.Key
		reason string
	}{
		{"a real one in practice", Paste{Text: secret.New(aToken)}, problem.PastePractice, "real"},
		{"an unknown one in practice", Paste{Provider: "instagram", Text: secret.New("ya29." + long)}, problem.PastePractice, "real"},
		{"old Instagram", Paste{Provider: "instagram", Text: secret.New("IGQV" + long)}, problem.PasteRetired, ""},
		{"app token", Paste{Text: secret.New(sandbox.ClientID + "|" + sandbox.ClientSecret)}, problem.PasteAppToken, ""},
		{"code", Paste{Text: secret.New("AQ" + long)}, problem.PasteIsCode, ""},
		{"nothing", Paste{Provider: "instagram"}, problem.FieldEmpty, ""},
		{"words", Paste{Text: secret.New("no token here at all, sorry")}, problem.PasteNotToken, ""},
		{"Facebook as Instagram", Paste{Provider: "instagram", Text: secret.New("EAAPracticeOnly" + long)}, problem.TokenOtherService, ""},
		{"Instagram as Basic Display", Paste{Provider: "instagram-basic-display", Text: secret.New(good)}, problem.TokenOtherService, ""},
		{"unknown provider", Paste{Provider: "myspace", Text: secret.New(good)}, problem.ProviderUnknown, ""},
		{"unknown app", Paste{App: "nobody", Text: secret.New(good)}, problem.AppUnknown, ""},
		{"tomorrow", Paste{Text: secret.New(good), Issued: daysAgo(-2)}, problem.ImportIssued, "future"},
		{"long ago", Paste{Text: secret.New(good), Issued: daysAgo(62)}, problem.ImportIssued, ""},
	} {
		_, err := s.service.Import(t.Context(), row.paste)
		if p := problem.Of(err); p == nil || p.Key != row.key || p.Args["reason"] != row.reason {
			t.Errorf("%s: %v, want %s %s", row.name, err, row.key, row.reason)
		} else if row.key == problem.TokenOtherService && p.Args["other"] != Read(row.paste.Text).Provider {
			t.Errorf("%s: the switch leads to %q", row.name, p.Args["other"])
		} else if row.key == problem.ImportIssued && (p.Kind != problem.Input || p.Args["field"] != "issued") {
			t.Errorf("%s: %v", row.name, p)
		}
	}
	if n := s.requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
	if len(s.accounts()) != 0 || len(s.rows()) != 0 {
		t.Error("something was stored")
	}
}

// forbidden is a network that nothing may use.
type forbidden struct{ t *testing.T }

func (f forbidden) RoundTrip(r *http.Request) (*http.Response, error) {
	f.t.Errorf("a request to %s", r.URL.Host)
	return nil, errors.New("forbidden")
}

func TestSEC13_APracticeTokenIsNotTakenOutsidePractice(t *testing.T) {
	s := newStage(t, "ok", func(c *Config) {
		c.SandboxURL, c.Client = nil, &http.Client{Transport: forbidden{t}}
	})
	token := s.dashboard(sandbox.Minted{})
	for _, in := range []Paste{{Text: token}, {Provider: "instagram", Text: token}} {
		if _, err := s.service.Import(t.Context(), in); !problem.Has(err, problem.PastePractice) || problem.Of(err).Args["reason"] != "" {
			t.Errorf("%v", err)
		}
	}
	if found, err := s.service.Inspect(t.Context(), token); err != nil || found.Works || !found.Shape.Practice || found.Problem == nil || found.Problem.Key != problem.PastePractice {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestWhatTheProviderRefusesIsNotStored(t *testing.T) {
	s := newStage(t, "ok")
	token := s.dashboard(sandbox.Minted{})
	for state, key := range map[string]problem.Key{"ended": problem.TokenEnded, "password-changed": problem.PasswordChanged, "removed": problem.AccessRemoved, "checkpoint": problem.SecurityCheck} {
		if err := s.sandbox.Server.SetState(sandbox.People()[0], state); err != nil {
			t.Fatal(err)
		}
		if _, err := s.service.Import(t.Context(), Paste{Text: token}); !problem.Has(err, key) {
			t.Errorf("%s: %v", state, err)
		}
		if found, err := s.service.Inspect(t.Context(), token); err != nil || found.Works || found.Person != nil || found.Problem == nil || found.Problem.Key != key {
			t.Errorf("%s: inspected %+v, %v", state, found, err)
		}
	}
	if err := s.sandbox.Server.SetState(sandbox.People()[0], "ok"); err != nil {
		t.Fatal(err)
	}
	// A cut token, and a provider that is down: asked twice, then said.
	cut := secret.New(token.Reveal()[:100])
	if _, err := s.service.Import(t.Context(), Paste{Text: cut}); !problem.Has(err, problem.TokenIncomplete) {
		t.Errorf("a cut token: %v", err)
	}
	asked := s.asked(identityPath)
	if err := s.sandbox.Server.AddFault(sandbox.Fault{Path: identityPath, Status: 502, Times: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Import(t.Context(), Paste{Text: token}); problem.Of(err) == nil || problem.Of(err).Kind != problem.Network {
		t.Errorf("a provider that is down: %v", err)
	}
	if n := s.asked(identityPath) - asked; n != 2 {
		t.Errorf("asked %d times", n)
	}
	if len(s.accounts()) != 0 || len(s.rows()) != 0 {
		t.Error("something was stored")
	}
	if _, err := s.service.Import(t.Context(), Paste{Text: token}); err != nil {
		t.Errorf("now that it works: %v", err)
	}
}

func TestKR9_AnImportAsksNobodyWhenTheKeychainRefuses(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultLocked}
	s := newStage(t, "ok", func(c *Config) { c.Store = refused })
	if _, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{})}); !problem.Has(err, problem.VaultLocked) {
		t.Errorf("%v", err)
	}
	if n := s.requests(); n != 0 || len(s.rows()) != 0 {
		t.Errorf("%d requests, %d rows", n, len(s.rows()))
	}
}

// The keychain refuses at the last step: the answer lies sealed, as a sign-in's
// does, and the next start finishes it under its own event.
func TestAnInterruptedImportIsFinished(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultDismissed, from: "token-"}
	s := newStage(t, "ok", func(c *Config) { c.Store = refused })
	token := s.dashboard(sandbox.Minted{Age: 5 * day})
	if _, err := s.service.Import(t.Context(), Paste{Text: token, Issued: daysAgo(5)}); !problem.Has(err, problem.VaultDismissed) {
		t.Fatalf("%v", err)
	}
	if rows := s.rows(); len(rows) != 1 || len(rows[0].Sealed) == 0 || bytes.Contains(rows[0].Sealed, []byte(token.Reveal()[:20])) {
		t.Fatalf("%d rows", len(rows))
	}
	s.service.Close()
	refused.mu.Lock()
	refused.key = ""
	refused.mu.Unlock()
	s.open()
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil || !got[0].Account.ExpiresEstimated || got[0].Account.App != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	if handed, err := s.service.Token(t.Context(), got[0].Account.ID); err != nil || !handed.AccessToken.Equal(token) {
		t.Errorf("%v", err)
	}
	entries, _ := s.service.Diary(t.Context(), got[0].Account.ID, 0)
	if len(entries) != 2 || entries[1].Event != "imported" || entries[0].Event != "recovered" || len(s.rows()) != 0 {
		t.Errorf("diary %+v, %d rows", entries, len(s.rows()))
	}
}

// A sign-in came between the import and its recovery: the newer token stays.
func TestAnInterruptedImportDoesNotReplaceALaterSignIn(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultDismissed, from: "token-"}
	clock := time.Now()
	s := newStage(t, "ok", func(c *Config) { c.Store, c.Now = refused, func() time.Time { return clock } })
	r := s.request()
	r.Timeout = 20 * time.Second
	if _, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{Age: day})}); !problem.Has(err, problem.VaultDismissed) {
		t.Fatalf("%v", err)
	}
	refused.mu.Lock()
	refused.key = ""
	refused.mu.Unlock()
	clock = clock.Add(time.Minute)
	// What Connect does when the same person signs in with the app of nobody.
	later := s.dashboard(sandbox.Minted{})
	row := library.Account{
		ID: "laterbythesame01", Provider: "instagram", UserID: "17841400000000117", Username: sandbox.People()[0], Gen: 1, Vault: placeKeychain,
		IssuedAt: &clock, ExpiresAt: ptr(clock.Add(60 * day)),
	}
	item := vault.Item{Gen: 1, AccessToken: later, IssuedAt: clock, ExpiresAt: row.ExpiresAt, Provider: row.Provider, UserID: row.UserID, Username: row.Username}
	if err := s.service.tokens(nil).Put(t.Context(), row.ID, item); err != nil {
		t.Fatal(err)
	}
	if err := s.service.library.Finish(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if handed, err := s.service.Token(t.Context(), row.ID); err != nil || !handed.AccessToken.Equal(later) || len(s.rows()) != 0 || len(s.accounts()) != 1 {
		t.Errorf("%v, %d rows, %d accounts", err, len(s.rows()), len(s.accounts()))
	}
}

func ptr[T any](v T) *T { return &v }

// Days are of 24 hours, whatever the clocks do in between.
func TestSixtyDaysAreCountedAcrossTheChangeOfClocks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		issued, now, end time.Time
	}{
		// Into summer time: the wall clock says 1:00 on the sixtieth day.
		{time.Date(2026, 3, 1, 0, 0, 0, 0, berlin), time.Date(2026, 4, 1, 12, 0, 0, 0, berlin), time.Date(2026, 4, 30, 1, 0, 0, 0, berlin)},
		// Out of it: 23:00 on the day before.
		{time.Date(2026, 10, 1, 0, 0, 0, 0, berlin), time.Date(2026, 11, 1, 12, 0, 0, 0, berlin), time.Date(2026, 11, 29, 23, 0, 0, 0, berlin)},
		// The hour that exists twice.
		{time.Date(2026, 10, 25, 2, 30, 0, 0, time.FixedZone("CEST", 2*60*60)), time.Date(2026, 10, 26, 0, 0, 0, 0, berlin), time.Date(2026, 12, 24, 1, 30, 0, 0, berlin)},
	} {
		issued, end, err := lifeFrom(&row.issued, row.now)
		if err != nil || !issued.Equal(row.issued) || !end.Equal(row.end) || end.Sub(*issued) != 1440*time.Hour || end.Location() != time.UTC {
			t.Errorf("%v to %v, %v, want %v", issued, end, err, row.end)
		}
	}
	now := time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		issued time.Time
		from   time.Time
		end    *time.Time
		reason string
		bad    bool
	}{
		"today, in a zone ahead of ours": {issued: now.Add(14 * time.Hour), from: now, end: ptr(now.Add(60 * day))},
		"in two days":                    {issued: now.Add(48 * time.Hour), bad: true, reason: "future"},
		"sixty days and some hours":      {issued: now.Add(-60*day - 5*time.Hour), from: now.Add(-60*day - 5*time.Hour)},
		"sixty-one days":                 {issued: now.Add(-61 * day), bad: true},
		"the year one":                   {issued: time.Time{}, bad: true},
	} {
		from, end, err := lifeFrom(&row.issued, now)
		if row.bad {
			if p := problem.Of(err); p == nil || p.Key != problem.ImportIssued || p.Args["reason"] != row.reason {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || !from.Equal(row.from) || (end == nil) != (row.end == nil) || end != nil && !end.Equal(*row.end) {
			t.Errorf("%s: %v to %v, %v", name, from, end, err)
		}
	}
}

func TestInspectAsksAndSavesNothing(t *testing.T) {
	var log bytes.Buffer
	s := newStage(t, "ok", func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	token := s.dashboard(sandbox.Minted{})
	found, err := s.service.Inspect(t.Context(), secret.New("Bearer "+token.Reveal()))
	if err != nil || !found.Works || found.Problem != nil || found.Shape.Problem != nil || found.Known != nil || found.ExpiresAt != nil ||
		found.Person == nil || found.Person.Username != sandbox.People()[0] || found.Person.Kind == "" || found.Shape.Provider != "instagram" {
		t.Errorf("%+v, %v", found, err)
	}
	if len(s.accounts()) != 0 || len(s.rows()) != 0 || s.requests() != 1 || log.Len() != 0 {
		t.Errorf("%d accounts, %d rows, %d requests, log %q", len(s.accounts()), len(s.rows()), s.requests(), log.String())
	}
	if _, err := vault.Index(t.Context(), s.store, s.service.library.ID()); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("the keychain was written to: %v", err)
	}
	kept, err := s.service.Import(t.Context(), Paste{Text: token, Issued: daysAgo(3)})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), token.Reveal()) {
		t.Error("the log has the token")
	}
	found, err = s.service.Inspect(t.Context(), token)
	if err != nil || found.Known == nil || found.Known.ID != kept.ID || found.ExpiresAt == nil || !found.ExpiresAt.Equal(*kept.ExpiresAt) {
		t.Errorf("a kept one: %+v, %v", found, err)
	}
	// Another token of the same person: known, but its end is not the kept one's.
	found, err = s.service.Inspect(t.Context(), s.dashboard(sandbox.Minted{Age: 20 * day}))
	if err != nil || found.Known == nil || found.Known.ID != kept.ID || found.ExpiresAt != nil || !found.Works {
		t.Errorf("another one: %+v, %v", found, err)
	}
	// What the shape alone tells is not asked about.
	before := s.requests()
	for _, pasted := range []string{"IGQV" + strings.Repeat("a", 100), "EAA" + strings.Repeat("a", 100), "AQ" + strings.Repeat("a", 100), "x"} {
		if found, err := s.service.Inspect(t.Context(), secret.New(pasted)); err != nil || found.Works || found.Problem == nil || found.Shape.Problem == nil {
			t.Errorf("%.4s: %+v, %v", pasted, found, err)
		}
	}
	if s.requests() != before {
		t.Error("something was sent")
	}
}

// A Facebook token stands for a person: it is taken in for the one account that
// is named, or the only one.
func TestAFacebookTokenIsTakenInForOneAccount(t *testing.T) {
	s := newStage(t, "ok")
	mint := func(person string) secret.Text {
		access, err := s.sandbox.Server.Mint(sandbox.Minted{Provider: "instagram-facebook", Person: person})
		if err != nil {
			t.Fatal(err)
		}
		return secret.New(access)
	}
	several := mint("nora.lind")
	_, err := s.service.Import(t.Context(), Paste{Text: several})
	if p := problem.Of(err); p == nil || p.Key != problem.ImportSeveral || p.Kind != problem.Input || p.Args["accounts"] == "" {
		t.Fatalf("%v", err)
	}
	seen, err := s.service.Inspect(t.Context(), several)
	if err != nil || !seen.Works || len(seen.Choices) < 2 || seen.Person != nil {
		t.Fatalf("%+v, %v", seen, err)
	}
	var wanted Choice
	for _, one := range seen.Choices {
		if one.Reachable {
			wanted = one
		}
	}
	account, err := s.service.Import(t.Context(), Paste{Text: several, UserID: wanted.UserID})
	if err != nil || account.UserID != wanted.UserID || account.Username != wanted.Username || account.Renews {
		t.Fatalf("%+v, %v", account, err)
	}
	if _, err := s.service.Import(t.Context(), Paste{Text: several, UserID: "nobody"}); !problem.Has(err, problem.AccountUnknown) {
		t.Errorf("%v", err)
	}
	if _, err := s.service.Import(t.Context(), Paste{Text: mint("lea.brandt")}); !problem.Has(err, problem.NoPage) {
		t.Errorf("without a Page: %v", err)
	}
	access, err := s.sandbox.Server.Mint(sandbox.Minted{Provider: "threads"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.service.Import(t.Context(), Paste{Text: secret.New(access)}); err != nil || got.Provider != "threads" || !got.Renews {
		t.Errorf("Threads: %+v, %v", got, err)
	}
}
