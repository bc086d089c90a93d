package connect

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
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

const guardPath = "/graph.instagram.com/refresh_access_token"

// guard is a stage with one account, whose clock and whose provider's clock a
// test moves, and which waits for nothing.
type guard struct {
	*stage
	clock   *wallClock
	passed  time.Duration
	account Account
	points  []string
	waits   []time.Duration
}

func newGuard(t *testing.T, change ...func(*Config)) *guard {
	t.Helper()
	g := &guard{clock: &wallClock{}}
	var mu sync.Mutex
	note := func(c *Config) {
		c.Now = g.clock.now
		c.At = func(point string) {
			mu.Lock()
			defer mu.Unlock()
			g.points = append(g.points, point)
		}
		c.Wait = func(_ context.Context, d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			g.waits = append(g.waits, d)
		}
	}
	g.stage = newStage(t, "ok", append([]func(*Config){note}, change...)...)
	account, err := g.service.Connect(t.Context(), g.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	g.account, g.points = account, nil
	return g
}

// pass lets time go by, here and at the provider.
func (g *guard) pass(d time.Duration) {
	g.t.Helper()
	if err := g.sandbox.Server.Forward(d); err != nil {
		g.t.Fatal(err)
	}
	g.passed += d
	g.clock.set(g.passed)
}

func (g *guard) fault(f sandbox.Fault) {
	g.t.Helper()
	g.sandbox.Server.ClearFaults()
	if f.Path == "" {
		f.Path = guardPath
	}
	if err := g.sandbox.Server.AddFault(f); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guard) asked() int {
	_, log := g.sandbox.Server.Log()
	n := 0
	for _, r := range log {
		if r.Path == guardPath {
			n++
		}
	}
	return n
}

func (g *guard) renew(o RenewOptions) Renewal {
	g.t.Helper()
	r, err := g.service.Renew(g.t.Context(), g.account.ID, o)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

func (g *guard) wants(o RenewOptions, want Outcome) Renewal {
	g.t.Helper()
	r := g.renew(o)
	if r.Outcome != want {
		g.t.Errorf("%s, %v; want %s", r.Outcome, r.Problem, want)
	}
	return r
}

func (g *guard) item() string {
	g.t.Helper()
	v, err := g.store.Get(g.t.Context(), "token-"+g.account.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	return v.Reveal()
}

func (g *guard) events(n int) []string {
	g.t.Helper()
	entries, err := g.service.Diary(g.t.Context(), g.account.ID, n)
	if err != nil {
		g.t.Fatal(err)
	}
	var words []string
	for _, e := range entries {
		words = append(words, strings.TrimSpace(e.Event+" "+e.Args["reason"]))
	}
	return words
}

func (g *guard) reset() {
	g.t.Helper()
	g.sandbox.Server.ClearFaults()
	err := g.service.library.UpdateRenewal(g.t.Context(), g.account.ID, func(a *library.Account) { a.LastAnswer, a.FailedSince = "", nil },
		func(r *library.Renewal) { *r = library.Renewal{} })
	if err != nil {
		g.t.Fatal(err)
	}
	g.sandbox.Server.ClearLog()
	g.waits = nil
}

func (g *guard) pendings() []library.Pending {
	g.t.Helper()
	rows, err := g.service.library.Pendings(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return rows
}

var byItself = RenewOptions{OnlyDue: true}

func TestARenewalIsStoredInTheOrderOfItsPoints(t *testing.T) {
	g := newGuard(t)
	before := g.item()
	g.pass(41 * day)
	r := g.wants(byItself, Renewed)
	if !slices.Equal(g.points, RenewPoints) {
		t.Errorf("points %v", g.points)
	}
	if g.asked() != 1 {
		t.Errorf("%d requests", g.asked())
	}
	item, err := vault.Decode(secret.New(g.item()))
	if err != nil || g.item() == before || item.Gen != 2 || item.Username != g.account.Username {
		t.Errorf("item gen %d of %s, %v", item.Gen, item.Username, err)
	}
	a := r.Account
	if a.ExpiresAt == nil || !a.ExpiresAt.Equal(*item.ExpiresAt) || !a.IssuedAt.Equal(item.IssuedAt) || DaysLeft(*a.ExpiresAt, g.clock.now()) < 59 || a.ExpiresEstimated {
		t.Errorf("%+v", a)
	}
	if a.TriedAt == nil || a.FailedSince != nil || a.Reason != "" || r.Next == nil || !r.Next.Equal(a.ExpiresAt.Add(-20*day)) {
		t.Errorf("%+v, next %v", a, r.Next)
	}
	if len(g.pendings()) != 0 {
		t.Error("a row is left")
	}
	entries, err := g.service.DiaryPage(t.Context(), a.ID, 1, 0)
	if err != nil || entries[0].Event != "renewed" || entries[0].Args["until"] != a.ExpiresAt.Format(time.RFC3339) {
		t.Errorf("diary %+v, %v", entries, err)
	}
	if handed, err := g.service.Token(t.Context(), a.ID); err != nil || !handed.AccessToken.Equal(item.AccessToken) {
		t.Error(err)
	}
}

func TestWhenATokenIsRenewed(t *testing.T) {
	g := newGuard(t)
	r := g.wants(RenewOptions{}, TooYoung)
	if r.Next == nil || !r.Next.Equal(g.account.IssuedAt.Add(day)) {
		t.Errorf("next %v", r.Next)
	}
	r = g.wants(byItself, NotDue)
	if r.Next == nil || !r.Next.Equal(g.account.ExpiresAt.Add(-20*day)) {
		t.Errorf("next %v", r.Next)
	}
	g.pass(39 * day)
	g.wants(byItself, NotDue)
	if g.asked() != 0 {
		t.Fatal("the provider was asked")
	}
	g.wants(RenewOptions{}, Renewed) // by hand it need not be due
	g.wants(byItself, NotDue)
	g.pass(41 * day)
	// A refusal that is no trouble of the moment is not repeated that day.
	g.fault(sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"Odd","type":"OAuthException","code":1}}`), Times: -1})
	g.wants(byItself, RenewFailed)
	n := g.asked()
	r = g.wants(byItself, NotDue)
	if g.asked() != n || r.Next == nil || !r.Next.Equal(r.Account.TriedAt.Add(onceADay)) {
		t.Errorf("%d more, next %v", g.asked()-n, r.Next)
	}
	g.pass(onceADay - time.Hour)
	g.wants(byItself, NotDue)
	g.pass(2 * time.Hour)
	g.wants(byItself, RenewFailed)
	g.sandbox.Server.ClearFaults()
	g.wants(RenewOptions{}, Renewed)
}

// TOK-11: what does not truly mean it changes neither the token nor its dates.
func TestTOK11_OnlyAnAnswerThatMeansItAsksForASignIn(t *testing.T) {
	g := newGuard(t)
	g.pass(30 * day)
	meta := func(code, subcode int, message string) []byte {
		b, _ := json.Marshal(map[string]any{"error": map[string]any{"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}})
		return b
	}
	page := map[string]string{"Content-Type": "text/html"}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		key   problem.Key
		marks bool
	}{
		"age":             {sandbox.Fault{Status: 400, Body: meta(190, 463, "Error")}, problem.TokenEnded, true},
		"password":        {sandbox.Fault{Status: 400, Body: meta(190, 460, "Error")}, problem.PasswordChanged, true},
		"access removed":  {sandbox.Fault{Status: 400, Body: meta(190, 458, "Error")}, problem.AccessRemoved, true},
		"checkpoint":      {sandbox.Fault{Status: 400, Body: meta(190, 459, "Error")}, problem.SecurityCheck, true},
		"unconfirmed":     {sandbox.Fault{Status: 400, Body: meta(190, 464, "Error")}, problem.SecurityCheck, true},
		"invalid":         {sandbox.Fault{Status: 400, Body: meta(190, 467, "Error")}, problem.TokenRefused, true},
		"bare 190":        {sandbox.Fault{Status: 401, Body: meta(190, 0, "Error")}, problem.TokenRefused, true},
		"permission":      {sandbox.Fault{Status: 403, Body: meta(10, 0, "Error")}, problem.PermissionMissing, false},
		"limit":           {sandbox.Fault{Status: 400, Body: meta(4, 0, "Error")}, problem.ProviderBusy, false},
		"unlisted":        {sandbox.Fault{Status: 400, Body: meta(7777, 0, "Error")}, problem.UnknownAnswer, false},
		"method":          {sandbox.Fault{Status: 400, Body: meta(100, 0, "Unsupported request - method type: get")}, problem.ProviderRefused, false},
		"429":             {sandbox.Fault{Status: 429}, problem.ProviderBusy, false},
		"503 with a time": {sandbox.Fault{Status: 503, Headers: map[string]string{"Retry-After": "60"}}, problem.ProviderBusy, false},
		"500":             {sandbox.Fault{Status: 500}, problem.ProviderDown, false},
		"502":             {sandbox.Fault{Status: 502, Body: []byte("<html>"), Headers: page}, problem.ProviderDown, false},
		"504":             {sandbox.Fault{Status: 504}, problem.ProviderDown, false},
		"511":             {sandbox.Fault{Status: 511}, problem.NetworkLoginPage, false},
		"a page":          {sandbox.Fault{Status: 200, Body: []byte("<html>log in</html>"), Headers: page}, problem.NetworkLoginPage, false},
		"a 400 page":      {sandbox.Fault{Status: 400, Body: []byte("<html>no</html>"), Headers: page}, problem.ProviderOddAnswer, false},
		"elsewhere":       {sandbox.Fault{Status: 302, Headers: map[string]string{"Location": "http://login.example/"}}, problem.NetworkRedirected, false},
		"empty":           {sandbox.Fault{Status: 200, Body: []byte("{}")}, problem.ProviderOddAnswer, false},
		"duplicate keys":  {sandbox.Fault{Status: 200, Body: []byte(`{"access_token":"a","access_token":"b"}`)}, problem.ProviderOddAnswer, false},
		"no answer":       {sandbox.Fault{Drop: true}, problem.NetworkUnreachable, false},
	} {
		t.Run(name, func(t *testing.T) {
			g.reset()
			c.fault.Times = -1
			g.fault(c.fault)
			item := g.item()
			row, err := g.service.library.Account(t.Context(), g.account.ID)
			if err != nil {
				t.Fatal(err)
			}
			r := g.wants(RenewOptions{}, RenewFailed)
			if !problem.Has(r.Problem, c.key) {
				t.Errorf("%v, want %s", r.Problem, c.key)
			}
			if g.item() != item {
				t.Error("the stored token changed")
			}
			after, err := g.service.library.Account(t.Context(), g.account.ID)
			if err != nil {
				t.Fatal(err)
			}
			if marked := after.LastAnswer != ""; marked != c.marks || c.marks && after.LastAnswer != string(c.key) {
				t.Errorf("last answer %q", after.LastAnswer)
			}
			if after.FailedSince == nil || after.Gen != row.Gen || !sameTime(after.IssuedAt, row.IssuedAt) || !sameTime(after.ExpiresAt, row.ExpiresAt) {
				t.Errorf("%+v", after)
			}
			if got := g.events(1); got[0] != "renew_failed "+string(c.key) {
				t.Errorf("diary %v", got)
			}
			if passes := r.Account.NextTry != nil; passes != passing(r.Problem) {
				t.Errorf("next try %v", r.Account.NextTry)
			}
			if c.marks {
				if r.Account.Status != NeedsSignIn && r.Account.Status != Expired || r.Account.DueAt != nil {
					t.Errorf("status %s, due %v", r.Account.Status, r.Account.DueAt)
				}
				g.wants(byItself, NotDue)
			} else if r.Account.Status != Healthy {
				t.Errorf("status %s", r.Account.Status)
			}
			if len(g.pendings()) != 0 {
				t.Error("a row is left")
			}
		})
	}
	g.reset()
	g.wants(RenewOptions{}, Renewed)
}

// A provider's copies of its tokens may lag: once is not believed.
func TestARefusalWithoutAReasonIsAskedAboutOnceMore(t *testing.T) {
	g := newGuard(t)
	g.pass(2 * day)
	bare := sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"Error","type":"OAuthException","code":190}}`)}
	g.fault(bare)
	r := g.wants(RenewOptions{}, Renewed)
	if r.Account.Reason != "" || !slices.Equal(g.waits, []time.Duration{5 * time.Second}) || g.asked() != 2 {
		t.Errorf("%q, waits %v, %d requests", r.Account.Reason, g.waits, g.asked())
	}
	// The password is a reason: no second request.
	g.pass(2 * day)
	g.reset()
	g.fault(sandbox.Fault{Status: 400, Body: []byte(`{"error":{"message":"Error","type":"OAuthException","code":190,"error_subcode":460}}`), Times: -1})
	g.wants(RenewOptions{}, RenewFailed)
	if len(g.waits) != 0 || g.asked() != 1 {
		t.Errorf("waits %v, %d requests", g.waits, g.asked())
	}
	// Somebody who could not lock stored another token meanwhile.
	g.reset()
	bare.Times = -1
	g.fault(bare)
	store := g.service.store
	reads := 0
	g.service.store = reading{Store: store, read: func(name string) {
		if reads++; strings.HasPrefix(name, "token-") && reads == 2 {
			v, _ := store.Get(t.Context(), name)
			item, _ := vault.Decode(v)
			item.Gen++
			v, _ = item.Encode()
			if err := store.Put(t.Context(), name, v); err != nil {
				t.Error(err)
			}
		}
	}}
	g.service.sealing, _ = g.service.keptSealer(t.Context())
	g.wants(RenewOptions{}, AlreadyRenewed)
	if len(g.waits) != 0 || g.asked() != 1 || len(g.pendings()) != 0 {
		t.Errorf("waits %v, %d requests", g.waits, g.asked())
	}
}

type reading struct {
	vault.Store
	read func(name string)
}

func (r reading) Get(ctx context.Context, name string) (secret.Text, error) {
	r.read(name)
	return r.Store.Get(ctx, name)
}

func TestTOK12_TheProvidersWaitIsKeptAlsoOverARestart(t *testing.T) {
	g := newGuard(t)
	g.pass(41 * day)
	soon := func(from, to time.Duration) func(time.Duration) bool {
		return func(d time.Duration) bool { return d >= from && d <= to }
	}
	for name, c := range map[string]struct {
		status int
		header string
		fits   func(time.Duration) bool
	}{
		"seconds":        {429, "7200", soon(119*time.Minute, 2*time.Hour)},
		"503":            {503, "7200", soon(119*time.Minute, 2*time.Hour)},
		"date":           {429, g.clock.now().Add(3 * time.Hour).UTC().Format(http.TimeFormat), soon(170*time.Minute, 3*time.Hour+time.Second)},
		"huge":           {429, "99999999999999999999", soon(day-time.Minute, day)},
		"a date far off": {429, g.clock.now().Add(900 * day).UTC().Format(http.TimeFormat), soon(day-time.Minute, day)},
		"at once":        {429, "0", soon(time.Minute, time.Minute)},
		"negative":       {429, "-5", soon(time.Minute, firstWait)},
		"garbage":        {429, "soon", soon(time.Minute, firstWait)},
		"a past date":    {429, "Mon, 02 Jan 2006 15:04:05 GMT", soon(time.Minute, firstWait)},
		"none":           {429, "", soon(time.Minute, firstWait)},
		"503 without":    {503, "", soon(time.Minute, firstWait)},
	} {
		t.Run(name, func(t *testing.T) {
			g.reset()
			f := sandbox.Fault{Status: c.status, Times: -1}
			if c.header != "" {
				f.Headers = map[string]string{"Retry-After": c.header}
			}
			g.fault(f)
			r := g.wants(byItself, RenewFailed)
			if r.Next == nil || !sameTime(r.Next, r.Account.NextTry) {
				t.Fatalf("next %v, %v", r.Next, r.Account.NextTry)
			}
			if wait := r.Next.Sub(*r.Account.TriedAt); !c.fits(wait) {
				t.Errorf("waits %s", wait)
			}
			g.service.Close()
			g.open()
			n := g.asked()
			if r := g.wants(byItself, RenewWaiting); r.Next == nil || g.asked() != n {
				t.Errorf("after a restart: next %v, %d more requests", r.Next, g.asked()-n)
			}
		})
	}
	g.reset()
	g.fault(sandbox.Fault{Status: 500, Times: -1})
	longest := time.Duration(0)
	for try := 1; try <= 9; try++ {
		r := g.wants(byItself, RenewFailed)
		wait := r.Next.Sub(*r.Account.TriedAt)
		most := min(firstWait<<(try-1), time.Hour)
		if wait < leastWait || wait > most || try > quickTries && wait != time.Hour {
			t.Errorf("try %d waits %s, at most %s", try, wait, most)
		}
		longest = max(longest, wait)
		g.wants(byItself, RenewWaiting)
		g.pass(wait + time.Second)
	}
	if got := g.events(0); len(got) > 20 || slices.Equal(got[:2], []string{"renew_failed provider.down", "renew_failed provider.down"}) {
		t.Errorf("the same failure fills the diary: %v", got)
	}
	if longest != time.Hour {
		t.Errorf("longest wait %s", longest)
	}
	// By hand nobody waits.
	g.wants(RenewOptions{}, RenewFailed)
	g.sandbox.Server.ClearFaults()
	if r := g.wants(RenewOptions{}, Renewed); r.Account.NextTry != nil || r.Account.FailedSince != nil {
		t.Errorf("%+v", r.Account)
	}
}

// TOK-13: the new end counts from the moment of sending.
func TestTOK13_ARenewedEndCountsFromSending(t *testing.T) {
	g := newGuard(t)
	g.pass(2 * day)
	g.fault(sandbox.Fault{Delay: 1500 * time.Millisecond})
	sent := g.clock.now()
	r := g.wants(RenewOptions{}, Renewed)
	if end := r.Account.ExpiresAt.Sub(sent); end > 60*day+time.Second || r.Account.IssuedAt.Sub(sent) > time.Second {
		t.Errorf("ends after %s, issued %s", end, r.Account.IssuedAt)
	}
}

func TestALostAnswerIsAskedForOnceMoreAtOnce(t *testing.T) {
	g := newGuard(t)
	g.pass(2 * day)
	// On a connection that was used before, net/http would repeat it itself.
	for _, client := range g.service.clients {
		client.CloseIdleConnections()
	}
	g.fault(sandbox.Fault{Drop: true})
	g.wants(RenewOptions{}, Renewed)
	if g.asked() != 2 {
		t.Errorf("%d requests", g.asked())
	}
}

// Whoever waited for a try that failed has seen it fail.
func TestManyAtOnceFailOnce(t *testing.T) {
	g := newGuard(t)
	g.pass(2 * day)
	g.fault(sandbox.Fault{Status: 500, Delay: 2 * time.Second, Times: -1})
	outcomes := make(chan Outcome, 4)
	var wg sync.WaitGroup
	for range cap(outcomes) {
		wg.Go(func() {
			r, err := g.service.Renew(t.Context(), g.account.ID, RenewOptions{})
			if err != nil {
				t.Error(err)
			}
			outcomes <- r.Outcome
		})
	}
	wg.Wait()
	close(outcomes)
	count := map[Outcome]int{}
	for o := range outcomes {
		count[o]++
	}
	if count[RenewFailed] != 1 || count[RenewWaiting] != 3 || g.asked() != 1 {
		t.Errorf("%v, %d requests", count, g.asked())
	}
}

// An answer on the disk applies to the token that it was asked with: where the
// item has its generation already only the library is brought up, and a newer
// item is left alone.
func TestAnAnswerNeverReplacesANewerToken(t *testing.T) {
	for gen, wantGen := range map[int64]int64{2: 2, 3: 1} {
		locked := &refusing{Store: vault.NewSession(), from: "token-"}
		g := newGuard(t, func(c *Config) { c.Store = locked })
		g.pass(2 * day)
		lock := func(key problem.Key) {
			locked.mu.Lock()
			defer locked.mu.Unlock()
			locked.key = key
		}
		lock(problem.VaultLocked)
		if _, err := g.service.Renew(t.Context(), g.account.ID, RenewOptions{}); !problem.Has(err, problem.VaultLocked) {
			t.Fatal(err)
		}
		lock("")
		item, err := vault.Decode(secret.New(g.item()))
		if err != nil {
			t.Fatal(err)
		}
		end := g.clock.now().UTC().Truncate(time.Second).Add(30 * day)
		item.Gen, item.AccessToken, item.ExpiresAt = gen, secret.New("another-token-that-is-newer"), &end
		if err := g.service.tokens(nil).Put(t.Context(), g.account.ID, item); err != nil {
			t.Fatal(err)
		}
		if got, err := g.service.Recover(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
		row, err := g.service.library.Account(t.Context(), g.account.ID)
		if err != nil || row.Gen != wantGen || len(g.pendings()) != 0 {
			t.Errorf("item %d: the library has %d, %d rows, %v", gen, row.Gen, len(g.pendings()), err)
		}
		if wantGen == gen && !row.ExpiresAt.Equal(end) {
			t.Errorf("ends %v", row.ExpiresAt)
		}
		now, err := vault.Decode(secret.New(g.item()))
		if err != nil || !now.AccessToken.Equal(item.AccessToken) || now.Gen != gen {
			t.Errorf("item %d was replaced: %v", gen, err)
		}
	}
}

func TestManyAtOnceAskOnce(t *testing.T) {
	g := newGuard(t)
	g.pass(2 * day)
	second, err := Open(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	g.fault(sandbox.Fault{Delay: 300 * time.Millisecond})
	outcomes := make(chan Outcome, 8)
	var wg sync.WaitGroup
	for i := range cap(outcomes) {
		wg.Go(func() {
			r, err := []*Service{g.service, second}[i%2].Renew(t.Context(), g.account.ID, RenewOptions{})
			if err != nil {
				t.Error(err)
			}
			outcomes <- r.Outcome
		})
	}
	wg.Wait()
	close(outcomes)
	count := map[Outcome]int{}
	for o := range outcomes {
		count[o]++
	}
	if count[Renewed] != 1 || count[Renewed]+count[AlreadyRenewed]+count[TooYoung] != cap(outcomes) || g.asked() != 1 {
		t.Errorf("%v, %d requests", count, g.asked())
	}
}

// A clock that is wrong, in either direction, leads to no storm and to no
// token that is called expired although the provider takes it.
func TestClockJumps(t *testing.T) {
	g := newGuard(t)
	year := 365 * day
	g.pass(2 * day)
	g.wants(RenewOptions{}, Renewed)

	// Ahead by a year: it looks expired, so it is renewed, once.
	g.clock.set(g.passed + year)
	g.pass0(2 * day)
	g.clock.set(g.passed + year)
	n := g.asked()
	for range 5 {
		g.renew(byItself)
	}
	if g.asked() != n+1 {
		t.Errorf("a clock that is ahead: %d requests", g.asked()-n)
	}
	if a := g.now(); a.Status == Expired || a.Status == NeedsSignIn {
		t.Errorf("ahead: %s", a.Status)
	}

	// Right again: the issue lies in the future, its end means nothing.
	g.pass0(2 * day)
	g.clock.set(g.passed)
	if a := g.now(); a.Status != Healthy || a.DueAt == nil || a.DueAt.After(g.clock.now()) {
		t.Errorf("right again: %s, due %v", a.Status, a.DueAt)
	}
	n = g.asked()
	for range 5 {
		g.renew(byItself)
	}
	if g.asked() != n {
		t.Errorf("a try in the future counts as one of now: %d requests", g.asked()-n)
	}
	g.pass(25 * time.Hour)
	for range 5 {
		g.renew(byItself)
	}
	a := g.now()
	if g.asked() != n+1 || a.ExpiresAt.Sub(g.clock.now()) > 61*day || a.IssuedAt.After(g.clock.now()) {
		t.Errorf("a day later: %d requests, ends %v", g.asked()-n, a.ExpiresAt)
	}

	// Behind by a year, and by an hour as in a wrong time zone.
	for _, back := range []time.Duration{time.Hour, year} {
		g.clock.set(g.passed - back)
		if a := g.now(); a.Status != Healthy {
			t.Errorf("%s behind: %s", back, a.Status)
		}
		n = g.asked()
		for range 5 {
			g.renew(byItself)
		}
		if g.asked() > n+1 {
			t.Errorf("%s behind: %d requests", back, g.asked()-n)
		}
	}
}

// A clock that was a little ahead at the sign-in and is put right must not send
// a token of minutes to be renewed: the provider refuses those under 24 hours.
func TestAClockSetBackALittleMakesNoTokenDue(t *testing.T) {
	for _, back := range []time.Duration{2 * time.Second, 5 * time.Minute, 23 * time.Hour} {
		g := newGuard(t)
		g.clock.set(g.passed - back)
		g.wants(byItself, NotDue)
		if a := g.now(); a.DueAt == nil || !a.DueAt.After(g.clock.now().Add(30*day)) || a.RenewAfter == nil || !a.RenewAfter.Equal(a.IssuedAt.Add(day)) {
			t.Errorf("back %s: due %v, renew after %v", back, a.DueAt, a.RenewAfter)
		}
		if g.asked() != 0 {
			t.Errorf("back %s: the provider was asked", back)
		}
	}
}

// A keychain that is replaced while a process runs, and that another process
// has furnished since: what is sealed must open with the key that lies there.
func TestWhatIsSealedOpensWithTheKeychainsOwnKey(t *testing.T) {
	g := newGuard(t)
	other, err := Open(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for n, furnisher := range []*Service{other, g.service} {
		g.pass(2 * day)
		g.wants(RenewOptions{}, Renewed)
		before, err := g.store.Get(t.Context(), "seal-"+g.service.library.ID())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"seal-", "sentinel-"} {
			if err := g.store.Delete(t.Context(), name+g.service.library.ID()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := furnisher.furnish(t.Context()); err != nil {
			t.Fatal(err)
		}
		sealer, err := g.service.keptSealer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := sealer.Seal([]byte("an answer"), "here")
		if err != nil {
			t.Fatal(err)
		}
		present, err := vault.NewSealer(t.Context(), g.store, g.service.library.ID())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := present.Open(sealed, "here"); err != nil {
			t.Errorf("furnished by %d: sealed under a key that lies nowhere: %v", n, err)
		}
		if now, err := g.store.Get(t.Context(), "seal-"+g.service.library.ID()); err != nil || now.Equal(before) {
			t.Errorf("the key was not replaced, %v", err)
		}
	}
	// As long as it is the same, nobody reads it again.
	reads := 0
	g.service.store = reading{Store: g.store, read: func(name string) {
		if strings.HasPrefix(name, "seal-") {
			reads++
		}
	}}
	for range 3 {
		if _, err := g.service.keptSealer(t.Context()); err != nil || reads != 0 {
			t.Errorf("%d reads, %v", reads, err)
		}
	}
}

// pass0 moves the provider's clock alone.
func (g *guard) pass0(d time.Duration) {
	g.t.Helper()
	if err := g.sandbox.Server.Forward(d); err != nil {
		g.t.Fatal(err)
	}
	g.passed += d
}

func (g *guard) now() Account {
	g.t.Helper()
	a, err := g.service.Account(g.t.Context(), g.account.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	return a
}

// Rules count hours and not days of a calendar: the hour that comes twice, or
// not at all, changes nothing.
func TestDaylightSavingChangesNoRule(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	issued := time.Date(2026, 10, 24, 3, 30, 0, 0, time.UTC) // the clocks go back on the 25th
	end := issued.Add(60 * day)
	g := newGuard(t)
	d, err := g.service.definition("instagram")
	if err != nil {
		t.Fatal(err)
	}
	row := library.Account{IssuedAt: &issued, ExpiresAt: &end}
	for hours := range 26 {
		now := issued.Add(time.Duration(hours) * time.Hour)
		if a, b := dueAt(row, library.Renewal{}, d, now), dueAt(row, library.Renewal{}, d, now.In(berlin)); !a.Equal(*b) || !a.Equal(end.Add(-20*day)) {
			t.Errorf("%d h: %v and %v", hours, a, b)
		}
		f := Facts{Now: now, End: now.Add(14 * day)}
		local := Facts{Now: now.In(berlin), End: now.Add(14 * day).In(berlin)}
		if StatusOf(f) != StatusOf(local) || StatusOf(f) != ExpiresSoon {
			t.Errorf("%d h: %s and %s", hours, StatusOf(f), StatusOf(local))
		}
	}
}

func TestAnEstimatedEndBecomesExact(t *testing.T) {
	g := newGuard(t)
	guess := func(issued, end *time.Time) {
		err := g.service.library.UpdateAccount(t.Context(), g.account.ID, func(a *library.Account) { a.IssuedAt, a.ExpiresAt, a.Estimated = issued, end, true })
		if err != nil {
			t.Fatal(err)
		}
	}
	now := g.clock.now().UTC().Truncate(time.Second)
	end := now.Add(60 * day)
	guess(&now, &end)
	if a := g.now(); a.RenewAfter == nil || !a.RenewAfter.Equal(now.Add(day)) || !sameTime(a.DueAt, a.RenewAfter) {
		t.Errorf("fresh: renews after %v, due %v", a.RenewAfter, a.DueAt)
	}
	g.wants(byItself, NotDue)
	guess(nil, nil)
	if a := g.now(); a.RenewAfter == nil || a.RenewAfter.After(g.clock.now()) || a.Status != Healthy {
		t.Errorf("unknown: renews after %v, %s", a.RenewAfter, a.Status)
	}
	// The guess is old, the token is young: the provider says so, and we ask
	// again the day after.
	g.wants(byItself, RenewFailed)
	g.wants(byItself, NotDue)
	g.pass(25 * time.Hour)
	r := g.wants(byItself, Renewed)
	if r.Account.ExpiresEstimated || r.Account.ExpiresAt == nil || DaysLeft(*r.Account.ExpiresAt, g.clock.now()) < 59 {
		t.Errorf("%+v", r.Account)
	}
}

func TestAStatusKnowsWhetherSomethingRenews(t *testing.T) {
	g := newGuard(t)
	ctx := t.Context()
	g.pass(47 * day) // 13 left
	if a := g.now(); a.Status != ExpiresSoon || !a.Renews {
		t.Errorf("nobody renews: %s", a.Status)
	}
	g.service.SetRenewing(true)
	if a := g.now(); a.Status != RenewsSoon {
		t.Errorf("the window is open: %s", a.Status)
	}
	if err := g.service.SetSetting(ctx, "renew", "off"); err != nil {
		t.Fatal(err)
	}
	if a := g.now(); a.Status != ExpiresSoon {
		t.Errorf("switched off: %s", a.Status)
	}
	if err := g.service.SetSetting(ctx, "renew", ""); err != nil {
		t.Fatal(err)
	}
	g.fault(sandbox.Fault{Status: 500, Times: -1})
	g.wants(byItself, RenewFailed)
	if a := g.now(); a.Status != RenewsSoon || a.FailedSince == nil {
		t.Errorf("failed today: %s since %v", a.Status, a.FailedSince)
	}
	g.pass(3 * day)
	if a := g.now(); a.Status != ExpiresSoon {
		t.Errorf("failed for three days: %s", a.Status)
	}
	for _, days := range []int{14, 2, 7} {
		if err := g.service.MarkWarned(ctx, g.account.ID, days); err != nil {
			t.Fatal(err)
		}
	}
	if a := g.now(); a.Warned != 2 {
		t.Errorf("warned %d", a.Warned)
	}
	if all, err := g.service.Accounts(ctx); err != nil || all[0].Warned != 2 || all[0].FailedSince == nil || all[0].Status != ExpiresSoon {
		t.Errorf("the list says %+v, %v", all, err)
	}
	// Told that it is over, and then it lived: its warnings begin anew.
	for _, days := range []int{1, 14, 7} {
		if err := g.service.MarkWarned(ctx, g.account.ID, days); err != nil {
			t.Fatal(err)
		}
	}
	if a := g.now(); a.Warned != 7 {
		t.Errorf("warned %d after one that was over", a.Warned)
	}
	// Signing in again is a new beginning.
	again, err := g.service.Connect(ctx, g.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID != g.account.ID || again.FailedSince != nil || again.NextTry != nil || again.Warned != 0 || again.Status != Healthy {
		t.Errorf("%+v", again)
	}
}

func TestWhatCannotBeRenewedIsNotAskedFor(t *testing.T) {
	g := newGuard(t)
	err := g.service.library.UpdateAccount(t.Context(), g.account.ID, func(a *library.Account) {
		end := a.IssuedAt.Add(time.Hour)
		a.ExpiresAt = &end
	})
	if err != nil {
		t.Fatal(err)
	}
	g.pass(25 * time.Hour)
	g.wants(byItself, NotDue)
	if r := g.wants(RenewOptions{}, RenewFailed); !problem.Has(r.Problem, problem.RenewImpossible) || g.asked() != 0 || len(g.pendings()) != 0 {
		t.Errorf("%v, %d requests", r.Problem, g.asked())
	}
	if _, err := g.service.Renew(t.Context(), "nobody", byItself); !problem.Has(err, problem.AccountUnknown) {
		t.Error(err)
	}
}

func TestPS5_NothingRenewsUnattendedWhereNothingCanBeLocked(t *testing.T) {
	g := newGuard(t)
	g.pass(41 * day)
	locks := filepath.Join(g.service.root(), "locks")
	if err := os.RemoveAll(locks); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(locks, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := g.service.Renew(t.Context(), g.account.ID, byItself); !problem.Has(err, problem.LockUnavailable) || g.asked() != 0 {
		t.Errorf("%v, %d requests", err, g.asked())
	}
	g.wants(RenewOptions{}, Renewed)
}

// WO-3: the keychain is locked after the provider has answered.
func TestWO3_AnAnswerWaitsForTheKeychain(t *testing.T) {
	for name, finish := range map[string]func(g *guard) error{
		"recover": func(g *guard) error { _, err := g.service.Recover(g.t.Context()); return err },
		"token":   func(g *guard) error { _, err := g.service.Token(g.t.Context(), g.account.ID); return err },
		"check":   func(g *guard) error { _, err := g.service.Check(g.t.Context(), g.account.ID); return err },
		"renew": func(g *guard) error {
			_, err := g.service.Renew(g.t.Context(), g.account.ID, RenewOptions{})
			return err
		},
		"the next start": func(g *guard) error {
			g.service.Close()
			g.open()
			_, err := g.service.Recover(g.t.Context())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			locked := &refusing{Store: vault.NewSession(), from: "token-"}
			g := newGuard(t, func(c *Config) { c.Store = locked })
			g.pass(2 * day)
			before := g.item()
			locked.mu.Lock()
			locked.key = problem.VaultLocked
			locked.mu.Unlock()
			if _, err := g.service.Renew(t.Context(), g.account.ID, RenewOptions{}); !problem.Has(err, problem.VaultLocked) {
				t.Fatal(err)
			}
			if g.item() != before || len(g.pendings()) != 1 {
				t.Error("the token changed, or its row is gone")
			}
			if got, err := g.service.Recover(t.Context()); err != nil || len(got) != 1 || !problem.Has(got[0].Problem, problem.VaultLocked) {
				t.Errorf("still locked: %+v, %v", got, err)
			}
			locked.mu.Lock()
			locked.key = ""
			locked.mu.Unlock()
			if err := finish(g); err != nil {
				t.Fatal(err)
			}
			if g.item() == before || len(g.pendings()) != 0 || g.asked() != 1 {
				t.Errorf("%d rows, %d requests", len(g.pendings()), g.asked())
			}
			if a := g.now(); a.ExpiresAt.Sub(*g.account.ExpiresAt) < day {
				t.Errorf("ends %v", a.ExpiresAt)
			}
		})
	}
}

// A row without an answer is asked for once more at once, whether due or not;
// that of a sign-in is only told.
func TestARenewalThatLostItsAnswerIsAskedForAgain(t *testing.T) {
	for name, finish := range map[string]func(g *guard) error{
		"recover": func(g *guard) error { _, err := g.service.Recover(g.t.Context()); return err },
		"token":   func(g *guard) error { _, err := g.service.Token(g.t.Context(), g.account.ID); return err },
		"renew": func(g *guard) error {
			_, err := g.service.Renew(g.t.Context(), g.account.ID, RenewOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuard(t)
			g.pass(2 * day)
			if err := g.service.library.Begin(t.Context(), library.Pending{AccountID: g.account.ID, Gen: 2}); err != nil {
				t.Fatal(err)
			}
			if err := finish(g); err != nil {
				t.Fatal(err)
			}
			if g.asked() != 1 || len(g.pendings()) != 0 || g.events(1)[0] != "renewed" {
				t.Errorf("%d requests, %d rows, %v", g.asked(), len(g.pendings()), g.events(1))
			}
		})
	}
	g := newGuard(t)
	for id, gen := range map[string]int64{"abcdefghijklmnop": 1, g.account.ID: 1} {
		if err := g.service.library.Begin(t.Context(), library.Pending{AccountID: id, Gen: gen}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := g.service.Recover(t.Context())
	if err != nil || len(got) != 1 || !problem.Has(got[0].Problem, problem.Interrupted) || g.asked() != 0 || len(g.pendings()) != 0 {
		t.Errorf("%+v, %v, %d requests, %d rows", got, err, g.asked(), len(g.pendings()))
	}
}

// A token is handed out while its renewal is under way: the present one.
func TestATokenIsHandedOutDuringItsRenewal(t *testing.T) {
	g := newGuard(t)
	g.pass(2 * day)
	old, err := g.service.Token(t.Context(), g.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := library.Lock(t.Context(), g.service.root(), g.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := g.service.library.Begin(t.Context(), library.Pending{AccountID: g.account.ID, Gen: 2}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got, err := g.service.Token(t.Context(), g.account.ID)
	if err != nil || !got.AccessToken.Equal(old.AccessToken) || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

func TestCheckAsksTheProvider(t *testing.T) {
	g := newGuard(t)
	ctx := t.Context()
	check := func() Checked {
		t.Helper()
		c, err := g.service.Check(ctx, g.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	item := g.item()
	c := check()
	if !c.Works || c.Problem != nil || c.Account.CheckedAt == nil || !c.Account.CheckedAt.Equal(c.At) || g.events(1)[0] != "checked" {
		t.Errorf("%+v", c)
	}
	me := "/graph.instagram.com/v25.0/me"
	g.fault(sandbox.Fault{Path: me, Status: 500, Times: -1})
	before := c.At
	g.pass(time.Hour)
	c = check()
	if c.Works || !problem.Has(c.Problem, problem.ProviderDown) || c.Account.Reason != "" || !c.Account.CheckedAt.Equal(before) || g.events(1)[0] != "check_failed provider.down" {
		t.Errorf("%+v", c)
	}
	g.fault(sandbox.Fault{Path: me, Status: 400, Body: []byte(`{"error":{"message":"Error","type":"OAuthException","code":190,"error_subcode":460}}`)})
	c = check()
	if c.Works || !problem.Has(c.Problem, problem.PasswordChanged) || c.Account.Status != NeedsSignIn {
		t.Errorf("%+v", c)
	}
	// Twice is believed, once is not.
	for i, works := range []bool{true, false} {
		times := i + 1
		g.reset()
		g.fault(sandbox.Fault{Path: me, Status: 400, Times: times, Body: []byte(`{"error":{"message":"Error","type":"OAuthException","code":190}}`)})
		if c = check(); c.Works != works || len(g.waits) != 1 {
			t.Errorf("%d times: works %v, %v", times, c.Works, g.waits)
		}
	}
	if c.Account.Status != NeedsSignIn {
		t.Errorf("status %s", c.Account.Status)
	}
	err := g.service.library.UpdateAccount(ctx, g.account.ID, func(a *library.Account) { a.Username = "former.name" })
	if err != nil {
		t.Fatal(err)
	}
	if c = check(); !c.Works || c.Account.Reason != "" || c.Account.Username != g.account.Username {
		t.Errorf("a token that works works: %+v", c)
	}
	if g.item() != item {
		t.Error("the stored token changed")
	}
	// An end that our clock has passed and the provider has not.
	g.clock.set(g.passed + 61*day)
	if a := g.now(); a.Status != Expired {
		t.Errorf("by the date: %s", a.Status)
	}
	if c = check(); !c.Works || c.Account.Status != Healthy {
		t.Errorf("%s although the provider takes it", c.Account.Status)
	}
	g.clock.set(g.passed + 63*day)
	if a := g.now(); a.Status != Expired {
		t.Errorf("two days later: %s", a.Status)
	}
}
