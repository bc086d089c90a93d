package connect

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

func TestMain(m *testing.M) {
	vault.Serve()
	crashIfAsked()
	os.Exit(m.Run())
}

// stage is one service against its own sandbox, with a person at the browser.
type stage struct {
	t       *testing.T
	service *Service
	sandbox *sandbox.Running
	store   vault.Store
	config  Config
	uri     string
	person  *visitor

	mu     sync.Mutex
	states []State
}

// visitor plays the person's browser: it follows the authorization address
// and, since the certificate is our own untrusted leaf, clicks the warning away.
type visitor struct {
	mu    sync.Mutex
	pages []page
	// meddle may change the address to which the provider sends the browser.
	meddle func(*url.URL)
	// stay keeps the browser from going back: the person copies the address.
	stay     bool
	last     string
	browsing sync.WaitGroup
}

type page struct {
	address string
	status  int
	body    string
}

func (p *visitor) open(ctx context.Context, address string) error {
	p.browsing.Add(1)
	defer p.browsing.Done()
	ctx = context.WithoutCancel(ctx) // a browser that is open stays open
	client := &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for range 10 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		answer.Body.Close()
		p.mu.Lock()
		p.pages = append(p.pages, page{address, answer.StatusCode, string(body)})
		p.mu.Unlock()
		next, err := answer.Location()
		if err != nil {
			return nil
		}
		if strings.HasPrefix(next.Host, "localhost:") && p.meddle != nil && next.Path != "/done" {
			p.meddle(next)
		}
		p.mu.Lock()
		p.last = next.String()
		p.mu.Unlock()
		if p.stay && strings.HasPrefix(next.Host, "localhost:") {
			return nil
		}
		address = next.String()
	}
	return nil
}

// lastPage is where the browser ended up, once it has.
func (p *visitor) lastPage() page {
	p.browsing.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pages) == 0 {
		return page{}
	}
	return p.pages[len(p.pages)-1]
}

func (p *visitor) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func newStage(t *testing.T, scenario string, change ...func(*Config)) *stage {
	t.Helper()
	running, err := sandbox.Start(t.Context(), "127.0.0.1:0", sandbox.Options{Scenario: scenario, Auto: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { running.Stop() })
	base, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, sandbox: running, store: vault.NewSession(), person: &visitor{}, uri: "https://localhost:" + freePort(t) + "/"}
	s.config = Config{Home: t.TempDir(), SandboxURL: base, Store: s.store, Language: "en", Open: s.person.open}
	for _, c := range change {
		c(&s.config)
	}
	s.store = s.config.Store
	s.open()
	return s
}

func (s *stage) open() {
	s.t.Helper()
	service, err := Open(s.t.Context(), s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.service = service
	s.t.Cleanup(func() { service.Close() })
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func (s *stage) request() Request {
	return Request{Setup: Setup{Provider: "instagram", ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret), RedirectURI: s.uri}, Timeout: 20 * time.Second}
}

func (s *stage) watch(st State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, st)
}

func (s *stage) steps() []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	var steps []Step
	for _, st := range s.states {
		if len(steps) == 0 || steps[len(steps)-1] != st.Step {
			steps = append(steps, st.Step)
		}
	}
	return steps
}

func (s *stage) last() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[len(s.states)-1]
}

func TestASignInIsASequenceOfStates(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Connect(t.Context(), s.request(), s.watch)
	if err != nil {
		t.Fatal(err)
	}
	want := []Step{Checking, Listening, Waiting, Answered, Exchanging, Extending, Identifying, Saving, Connected}
	if got := s.steps(); !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
	if account.Username == "" || account.UserID == "" || account.Lifetime != Long || account.Status != Healthy || !account.Practice || account.Provider != "instagram" {
		t.Errorf("account %+v", account)
	}
	if account.ExpiresAt == nil || DaysLeft(*account.ExpiresAt, time.Now()) < 59 {
		t.Errorf("ends %v", account.ExpiresAt)
	}
	handed, err := s.service.Token(t.Context(), account.Username)
	if err != nil || !sandbox.IsPractice(handed.AccessToken.Reveal()) {
		t.Errorf("token: %v", err)
	}
	if page := s.person.lastPage(); page.status != 200 || !strings.Contains(page.body, "connected") || !strings.HasSuffix(page.address, "/done") {
		t.Errorf("the browser shows %d at %s", page.status, page.address)
	}
	entries, err := s.service.Diary(t.Context(), account.ID, 0)
	if err != nil || len(entries) != 1 || entries[0].Event != "signed_in" {
		t.Errorf("diary %v, %v", entries, err)
	}
	rows, err := s.service.library.Pendings(t.Context())
	if err != nil || len(rows) != 0 {
		t.Errorf("pending rows left: %d, %v", len(rows), err)
	}
	ids, err := vault.Index(t.Context(), s.store, s.service.library.ID())
	if err != nil || !slices.Contains(ids, account.ID) {
		t.Errorf("the index %v lacks %s, %v", ids, account.ID, err)
	}
	apps, err := s.service.Apps(t.Context())
	if err != nil || len(apps) != 1 || apps[0].SecretKept || apps[0].Accounts != 1 {
		t.Errorf("apps %+v, %v", apps, err)
	}
}

// Signing in again as the same person keeps the id, the place and the diary.
func TestTheSamePersonIsAgainAndAnotherIsNew(t *testing.T) {
	s := newStage(t, "ok")
	first, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := s.service.Token(t.Context(), first.ID)
	s.sandbox.Server.Forward(time.Minute)
	second, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.service.Token(t.Context(), first.ID)
	if err != nil || second.ID != first.ID || after.AccessToken.Equal(before.AccessToken) {
		t.Errorf("again: id %s then %s, %v", first.ID, second.ID, err)
	}
	if entries, _ := s.service.Diary(t.Context(), first.ID, 0); len(entries) != 2 {
		t.Errorf("%d diary entries, want both sign-ins", len(entries))
	}
	if err := s.sandbox.Server.SetConsent(sandbox.People()[1], nil); err != nil {
		t.Fatal(err)
	}
	third, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	accounts, _ := s.service.Accounts(t.Context())
	if third.ID == first.ID || len(accounts) != 2 {
		t.Errorf("another person: %+v of %d", third, len(accounts))
	}
	if kept, err := s.service.Token(t.Context(), first.ID); err != nil || !kept.AccessToken.Equal(after.AccessToken) {
		t.Error("another person's sign-in touched the first token")
	}
}

func TestEveryScenarioEndsAsItsProblem(t *testing.T) {
	for _, row := range []struct {
		scenario string
		key      problem.Key
		page     string
	}{
		{"deny", problem.Denied, "not to allow"},
		{"code-used", problem.CodeUsed, "Not finished"},
		{"redirect-mismatch", problem.RedirectMismatch, "Not finished"},
	} {
		t.Run(row.scenario, func(t *testing.T) {
			s := newStage(t, row.scenario)
			began := time.Now()
			_, err := s.service.Connect(t.Context(), s.request(), s.watch)
			if !problem.Has(err, row.key) {
				t.Fatalf("%v, want %s", err, row.key)
			}
			if last := s.last(); last.Step != Failed || last.Problem.Key != row.key || last.Held {
				t.Errorf("last state %+v", last)
			}
			if page := s.person.lastPage(); !strings.Contains(page.body, row.page) || strings.Contains(page.body, "is connected") {
				t.Errorf("the browser's page does not tell the truth: %s", page.body)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v to say", took)
			}
			s.nothingLeft()
		})
	}
	t.Run("wrong-id", func(t *testing.T) {
		s := newStage(t, "wrong-id")
		r := s.request()
		r.Timeout = 2 * time.Second
		if _, err := s.service.Connect(t.Context(), r, s.watch); !problem.Has(err, problem.DeadlinePassed) {
			t.Errorf("a page at the provider returns nothing: %v", err)
		}
		if page := s.person.lastPage(); !strings.Contains(page.body, "Invalid platform app") {
			t.Errorf("the provider's page: %s", page.body)
		}
		s.nothingLeft()
	})
	t.Run("extension-refused", func(t *testing.T) {
		s := newStage(t, "extension-refused")
		account, err := s.service.Connect(t.Context(), s.request(), s.watch)
		if err != nil {
			t.Fatal(err)
		}
		if last := s.last(); len(last.Notices) != 1 || last.Notices[0].Key != problem.ExtendRefused {
			t.Errorf("notices %v", s.last().Notices)
		}
		if account.Lifetime != Short || account.Status != ExpiresSoon {
			t.Errorf("account %+v", account)
		}
		if _, err := s.service.Token(t.Context(), account.ID); err != nil {
			t.Error(err)
		}
	})
}

func (s *stage) nothingLeft() {
	s.t.Helper()
	rows, err := s.service.library.Pendings(context.Background())
	accounts, err2 := s.service.Accounts(context.Background())
	if len(rows) != 0 || len(accounts) != 0 || err != nil || err2 != nil {
		s.t.Errorf("left: %d pending, %d accounts, %v %v", len(rows), len(accounts), err, err2)
	}
	l, err := net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(s.uri, "https://"), "/"))
	if err != nil {
		s.t.Errorf("the port is not free again: %v", err)
		return
	}
	l.Close()
}

func TestForgedStateIsRefusedAndSaidAndTheAttemptGoesOn(t *testing.T) {
	s := newStage(t, "ok")
	forged := 0
	s.person.meddle = func(u *url.URL) {
		if forged++; forged > 1 {
			return
		}
		evil := *u
		q := evil.Query()
		q.Set("state", strings.Repeat("A", 43))
		q.Set("code", "AQattackers")
		evil.RawQuery = q.Encode()
		other := &visitor{}
		_ = other.open(t.Context(), evil.String())
		if got := other.lastPage().status; got != http.StatusBadRequest {
			t.Errorf("the forged answer got %d", got)
		}
	}
	account, err := s.service.Connect(t.Context(), s.request(), s.watch)
	if err != nil || account.Username == "" {
		t.Fatal(err)
	}
	said := false
	for _, st := range s.states {
		said = said || st.Step == Waiting && st.Strangers == 1 && st.Refused != nil && st.Refused.Key == problem.AnswerForeign
	}
	if !said {
		t.Error("the forged answer was not announced")
	}
	if n := s.asked("/api.instagram.com/oauth/access_token"); n != 1 {
		t.Errorf("%d exchanges", n)
	}
}

func (s *stage) asked(path string) int {
	_, log := s.sandbox.Server.Log()
	n := 0
	for _, r := range log {
		if r.Path == path {
			n++
		}
	}
	return n
}

func TestPasteAndListenerWaitTogether(t *testing.T) {
	s := newStage(t, "ok")
	s.person.stay = true
	pasted := make(chan string)
	r := s.request()
	r.Pasted = pasted
	bad := []struct {
		text string
		key  problem.Key
	}{
		{"hello", problem.PasteNoCode},
		{strings.Repeat("x", 16<<10+1), problem.PasteTooLong},
		{"AQ" + strings.Repeat("b", 236), problem.PasteBareCode},
		{"https://localhost:1/?code=AQx&state=y", problem.PasteOtherAddress},
		{s.uri + "?code=AQx&state=" + strings.Repeat("A", 43), problem.AnswerForeign},
	}
	go func() {
		for range 200 {
			if s.person.address() != "" {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		for _, b := range bad {
			pasted <- b.text
		}
		pasted <- "  <" + strings.TrimPrefix(s.person.address(), "https://") + "#_>\n"
	}()
	account, err := s.service.Connect(t.Context(), r, s.watch)
	if err != nil || account.Username == "" {
		t.Fatal(err)
	}
	var refused []problem.Key
	for _, st := range s.states {
		if st.Refused != nil && (len(refused) == 0 || refused[len(refused)-1] != st.Refused.Key) {
			refused = append(refused, st.Refused.Key)
		}
	}
	for i, b := range bad {
		if i >= len(refused) || refused[i] != b.key {
			t.Errorf("refusals %v, want %s at %d", refused, b.key, i)
		}
	}
}

func TestExpectSavesNothingOfAnotherPerson(t *testing.T) {
	s := newStage(t, "ok")
	r := s.request()
	r.Expect = "@somebody.else"
	_, err := s.service.Connect(t.Context(), r, s.watch)
	p := problem.Of(err)
	if p == nil || p.Key != problem.OtherAccount || p.Kind != problem.SignIn || p.Args["found"] == "" {
		t.Fatalf("%v", err)
	}
	s.nothingLeft()
}

func TestCancelFreesThePortAtOnce(t *testing.T) {
	s := newStage(t, "ok")
	ctx, cancel := context.WithCancel(t.Context())
	s.config.Open = func(context.Context, string) error { cancel(); return nil }
	s.service.config.Open = s.config.Open
	began := time.Now()
	_, err := s.service.Connect(ctx, s.request(), s.watch)
	if !problem.Has(err, problem.SignInCancelled) || time.Since(began) > time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	s.nothingLeft()
}

func TestDeadlineCanBeExtended(t *testing.T) {
	s := newStage(t, "ok")
	extend := make(chan time.Duration, 1)
	extend <- 700 * time.Millisecond
	r := s.request()
	r.Timeout, r.Extend, r.Browser = 300*time.Millisecond, extend, BrowserNone
	began := time.Now()
	_, err := s.service.Connect(t.Context(), r, s.watch)
	if took := time.Since(began); !problem.Has(err, problem.DeadlinePassed) || took < 900*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
}

func TestATakenPortIsFoundBeforeTheBrowserOpens(t *testing.T) {
	s := newStage(t, "ok")
	l, err := net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(s.uri, "https://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = s.service.Connect(t.Context(), s.request(), s.watch)
	if p := problem.Of(err); p == nil || p.Kind != problem.Input || !strings.HasPrefix(string(p.Key), "port.") {
		t.Errorf("%v", err)
	}
	if len(s.person.pages) != 0 {
		t.Error("the browser was opened")
	}
}

// refusing is a keychain that takes nothing.
type refusing struct {
	vault.Store
	mu  sync.Mutex
	key problem.Key
	// from is the prefix of the names that are refused.
	from string
}

func (r *refusing) Put(ctx context.Context, name string, v secret.Text) error {
	r.mu.Lock()
	key := r.key
	r.mu.Unlock()
	if key != "" && strings.HasPrefix(name, r.from) {
		return problem.New(key)
	}
	return r.Store.Put(ctx, name, v)
}

func TestKR9_AKeychainThatRefusesOpensNoBrowser(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultLocked}
	s := newStage(t, "ok", func(c *Config) { c.Store = refused })
	_, err := s.service.Connect(t.Context(), s.request(), s.watch)
	if !problem.Has(err, problem.VaultLocked) || len(s.person.pages) != 0 {
		t.Errorf("%v, %d pages", err, len(s.person.pages))
	}
}

func TestATokenThatCannotBeSavedIsHeldAndSavedLater(t *testing.T) {
	refused := &refusing{Store: vault.NewSession(), key: problem.VaultDismissed, from: "token-"}
	s := newStage(t, "ok", func(c *Config) { c.Store = refused })
	_, err := s.service.Connect(t.Context(), s.request(), s.watch)
	if !problem.Has(err, problem.VaultDismissed) || !s.last().Held {
		t.Fatalf("%v, held %v", err, s.last().Held)
	}
	exchanges := s.asked("/api.instagram.com/oauth/access_token")
	if got, err := s.service.Recover(t.Context()); err != nil || len(got) != 1 || got[0].Problem == nil {
		t.Errorf("while it still refuses: %+v, %v", got, err)
	}
	refused.mu.Lock()
	refused.key = ""
	refused.mu.Unlock()
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil || got[0].Account.Lifetime != Long {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.service.Token(t.Context(), got[0].Account.ID); err != nil {
		t.Error(err)
	}
	if s.asked("/api.instagram.com/oauth/access_token") != exchanges {
		t.Error("the code was redeemed again")
	}
}

func TestRemoveTakesTheTokenAndLeavesTheApp(t *testing.T) {
	s := newStage(t, "ok")
	r := s.request()
	r.KeepSecret = true
	account, err := s.service.Connect(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.Remove(t.Context(), account.Username); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Get(t.Context(), "token-"+account.ID); err == nil {
		t.Error("the token is still in the keychain")
	}
	if _, err := s.service.Account(t.Context(), account.ID); !problem.Has(err, problem.AccountUnknown) {
		t.Error(err)
	}
	apps, _ := s.service.Apps(t.Context())
	if len(apps) != 1 || !apps[0].SecretKept {
		t.Fatalf("apps %+v", apps)
	}
	// With the kept secret the next sign-in needs nothing but the app's name.
	again := s.request()
	again.Setup = Setup{App: apps[0].Name}
	if _, err := s.service.Connect(t.Context(), again, nil); err != nil {
		t.Error(err)
	}
	if err := s.service.RemoveApp(t.Context(), apps[0].Name); err != nil {
		t.Error(err)
	}
	if accounts, _ := s.service.Accounts(t.Context()); len(accounts) != 1 {
		t.Error("removing an app must leave its accounts")
	}
	if _, err := s.store.Get(t.Context(), "client-"+apps[0].ID); err == nil {
		t.Error("the client secret is still in the keychain")
	}
}

func TestBadInputIsRefusedBeforeAnythingHappens(t *testing.T) {
	s := newStage(t, "ok")
	for _, row := range []struct {
		name   string
		change func(*Request)
		key    problem.Key
	}{
		{"empty id", func(r *Request) { r.ClientID = "  " }, problem.FieldEmpty},
		{"letters", func(r *Request) { r.ClientID = "99060262793809x" }, problem.ClientIDLetters},
		{"secret as id", func(r *Request) { r.ClientID = sandbox.ClientSecret }, problem.ClientIDIsSecret},
		{"no secret", func(r *Request) { r.ClientSecret = secret.New(" ") }, problem.SecretMissing},
		{"blank in redirect", func(r *Request) { r.RedirectURI = "https://local host:8919/" }, problem.RedirectBlank},
		{"wrong scheme", func(r *Request) { r.RedirectURI = "http://localhost:8919/" }, problem.RedirectScheme},
		{"other scheme", func(r *Request) { r.RedirectURI = "ftp://localhost:8919/" }, problem.RedirectScheme},
		{"blocked port", func(r *Request) { r.RedirectURI = "https://localhost:6000/" }, problem.PortBlocked},
		{"retired scope", func(r *Request) { r.Scopes = []string{"user_profile"} }, problem.ScopeRetired},
		{"unknown scope", func(r *Request) { r.Scopes = []string{"everything"} }, problem.ScopeUnknown},
		{"other road", func(r *Request) { r.Scopes = []string{"instagram_basic"} }, problem.ScopeOtherRoad},
		{"unknown provider", func(r *Request) { r.Provider = "myspace" }, problem.ProviderUnknown},
		{"unknown app", func(r *Request) { r.Setup = Setup{App: "nobody"} }, problem.AppUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := s.request()
			row.change(&r)
			if _, err := s.service.Connect(t.Context(), r, nil); !problem.Has(err, row.key) {
				t.Errorf("%v, want %s", err, row.key)
			}
		})
	}
	if len(s.person.pages) != 0 {
		t.Error("a browser was opened")
	}
	s.nothingLeft()
	// Padding and quotes are forgiven.
	r := s.request()
	r.ClientID, r.ClientSecret = " \""+sandbox.ClientID+"\"\n", secret.New("  "+sandbox.ClientSecret+" \n")
	if _, err := s.service.Connect(t.Context(), r, nil); err != nil {
		t.Error(err)
	}
}

func TestEnvironmentIsTheContract(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	c, err := Environment(env("TOKENKEEP_HOME", "/a", "XDG_DATA_HOME", "/x"), "/flag")
	if err != nil || c.Home != "/flag" {
		t.Errorf("--home: %q, %v", c.Home, err)
	}
	if c, err := Environment(env("TOKENKEEP_HOME", "/a", "XDG_DATA_HOME", "/x"), ""); err != nil || c.Home != "/a" {
		t.Errorf("TOKENKEEP_HOME: %q, %v", c.Home, err)
	}
	for raw, fine := range map[string]bool{
		"http://127.0.0.1:9000": true, "http://[::1]:9000": true, "http://localhost:1": true, "": true,
		"https://127.0.0.1:9000": false, "http://127.0.0.1:9000/": false, "http://127.0.0.1:9000/x": false, "http://example.com": false,
		"http://127.0.0.1.evil.example": false, "http://u@127.0.0.1:1": false, "127.0.0.1:9000": false, "http://127.0.0.2:1": false,
		"http://127.0.0.1:9000?x=1": false, "http://127.0.0.1:9000#f": false,
	} {
		c, err := Environment(env("TOKENKEEP_SANDBOX_URL", raw, "HOME", "/h"), "/flag")
		if (err == nil) != fine || err != nil && !problem.Has(err, problem.SandboxAddress) || fine && raw != "" && c.SandboxURL == nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
	for choice, want := range map[string]problem.Key{"": "", "keychain": "", "session": "", "file": problem.VaultChoice, "nonsense": problem.VaultChoice} {
		c, err := Environment(env("TOKENKEEP_VAULT", choice), "/flag")
		if want == "" && err != nil || want != "" && !problem.Has(err, want) || c.Session != (choice == "session") {
			t.Errorf("TOKENKEEP_VAULT=%q: %v", choice, err)
		}
	}
}

func TestALostLibraryIsRebuiltFromTheKeychain(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.service.Token(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.service.Close()
	for _, name := range []string{"library.db", "library.db-wal", "library.db-shm"} {
		path := filepath.Join(s.config.Home, "practice", name)
		if _, err := os.Stat(path); err == nil {
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.open()
	if !slices.Contains(s.service.Notes(), problem.LibraryBroken) {
		t.Errorf("notes %v", s.service.Notes())
	}
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	after, err := s.service.Account(t.Context(), account.ID)
	if err != nil || after.Username != account.Username || after.UserID != account.UserID || !after.ExpiresAt.Equal(account.ExpiresAt.Truncate(time.Millisecond)) && !after.ExpiresAt.Equal(*account.ExpiresAt) {
		t.Errorf("%+v, want %+v, %v", after, account, err)
	}
	if kept, err := s.service.Token(t.Context(), account.ID); err != nil || !kept.AccessToken.Equal(before.AccessToken) {
		t.Errorf("the token: %v", err)
	}
	if again, err := s.service.Recover(t.Context()); err != nil || len(again) != 0 {
		t.Errorf("twice: %+v, %v", again, err)
	}
}

func TestKR5_AKeychainThatChangedIsSaidAndNothingIsDeleted(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.service.Close()
	s.config.Store = vault.NewSession()
	s.open()
	_, err = s.service.Token(t.Context(), account.ID)
	if p := problem.Of(err); p == nil || p.Key != problem.VaultUnreadable || p.Args["reason"] != "changed" {
		t.Errorf("%v", err)
	}
	if accounts, err := s.service.Accounts(t.Context()); err != nil || len(accounts) != 1 {
		t.Errorf("the list lost its row: %v", err)
	}
	// In the keychain that we know, a single missing token is another story.
	s.service.Close()
	s.config.Store = s.store
	s.open()
	if err := s.store.Delete(t.Context(), "token-"+account.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Token(t.Context(), account.ID); !problem.Has(err, problem.TokenGone) {
		t.Errorf("%v", err)
	}
}

// Signing in again for more permissions, and the extension is refused: the 60
// days that the person has are not thrown away for one hour.
func TestARefusedExtensionDoesNotReplaceALongerToken(t *testing.T) {
	s := newStage(t, "ok")
	first, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.service.Token(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.sandbox.Server.SetScenario("extension-refused"); err != nil {
		t.Fatal(err)
	}
	again, err := s.service.Connect(t.Context(), s.request(), s.watch)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID != first.ID || again.Lifetime != Long || !again.ExpiresAt.Equal(*first.ExpiresAt) {
		t.Errorf("%+v, want %+v", again, first)
	}
	if after, err := s.service.Token(t.Context(), first.ID); err != nil || !after.AccessToken.Equal(before.AccessToken) {
		t.Errorf("the token was replaced: %v", err)
	}
	notices := s.last().Notices
	if len(notices) != 1 || notices[0].Key != problem.ExtendRefused || notices[0].Args["reason"] != "kept" {
		t.Errorf("notices %v", notices)
	}
	if rows, _ := s.service.library.Pendings(t.Context()); len(rows) != 0 {
		t.Errorf("%d pending rows left", len(rows))
	}
}
