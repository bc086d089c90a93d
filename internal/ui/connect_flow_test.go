package ui

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// A made-up app: nobody's.
const (
	someID     = "990602627938098"
	someSecret = "0ddba11c0ffee0ddba11c0ffee0ddba1"
)

// attempts is a core's Connect whose states the test tells one by one.
type attempts struct {
	requests []connect.Request
	observe  []func(connect.State)
}

func (a *attempts) connect(_ context.Context, r connect.Request, observe func(connect.State)) (connect.Account, error) {
	a.requests, a.observe = append(a.requests, r), append(a.observe, observe)
	return connect.Account{}, nil
}

// flowWorld is a flow over a double, without its widgets.
type flowWorld struct {
	*world
	*attempts
	f *flow
	// stages are the pages that it asked for.
	stages []stage
	said   []string
}

func newFlowWorld(t *testing.T, start connectStart, apps ...connect.App) *flowWorld {
	t.Helper()
	core := newDouble(t)
	w := &flowWorld{attempts: &attempts{}}
	core.connect = w.connect
	core.apps = func() ([]connect.App, error) { return apps, nil }
	core.doctor = func(connect.Setup, func(connect.Line)) ([]connect.Line, error) { return nil, nil }
	w.world = open(t, "en", core)
	w.f = newFlow(w.s, start)
	w.f.shown = true
	w.f.stageChanged = func() { w.stages = append(w.stages, w.f.stage) }
	w.f.said = func(words string) { w.said = append(w.said, words) }
	w.queue.Drain()
	return w
}

// tell lets the n-th attempt announce a state.
func (w *flowWorld) tell(n int, st connect.State) {
	w.t.Helper()
	if n >= len(w.observe) {
		w.t.Fatalf("there are %d attempts, not %d", len(w.observe), n+1)
	}
	if st.Provider == "" {
		st.Provider = "Instagram"
	}
	w.observe[n](st)
	w.queue.Drain()
}

func (w *flowWorld) fill() {
	w.f.form.ClientID, w.f.form.Secret = someID, secret.New(someSecret)
}

func (w *flowWorld) signIn() {
	w.t.Helper()
	w.f.signInOrAsk()
	w.queue.Drain()
	if w.f.stage != stageWait {
		w.t.Fatalf("stage %v, want waiting", w.f.stage)
	}
}

func (w *flowWorld) waiting(n int) {
	w.tell(n, connect.State{Step: connect.Waiting, Deadline: w.clock.Add(10 * time.Minute), AuthorizeURL: secret.New("https://www.instagram.com/oauth/authorize?state=canarystate"), AuthorizeHost: "www.instagram.com", Listens: true, RedirectURI: w.f.form.Redirect})
}

func connectedAs(name string, lifetime connect.Lifetime) connect.State {
	a := accountLeft(name, 60*aDay, connect.Healthy)
	a.App, a.Lifetime, a.Posts = "My app", lifetime, 412
	a.ScopesAsked = []string{"instagram_business_basic"}
	a.GrantedScopes = a.ScopesAsked
	if lifetime == connect.Short {
		end := noon.Add(time.Hour)
		a.ExpiresAt = &end
	}
	return connect.State{Step: connect.Connected, Account: &a, Provider: "Instagram", RedirectURI: "https://localhost:8919/"}
}

var savedApp = connect.App{ID: "app1", Name: "My app", Provider: "instagram", ClientID: someID, RedirectURI: "https://localhost:8919/", Scopes: []string{"instagram_business_basic", "instagram_business_manage_comments"}}

func keptApp() connect.App {
	kept := savedApp
	kept.SecretKept = true
	return kept
}

func TestASignInAsksForWhatIsTickedAndForgetsTheSecret(t *testing.T) {
	w := newFlowWorld(t, connectStart{Scopes: []string{"instagram_business_manage_comments"}})
	w.fill()
	w.signIn()
	r := w.requests[0]
	if r.ClientID != someID || r.ClientSecret.Reveal() != someSecret || r.KeepSecret || r.RedirectURI != "https://localhost:8919/" ||
		!slices.Equal(r.Scopes, []string{"instagram_business_basic", "instagram_business_manage_comments"}) || r.Browser == connect.BrowserSeparate {
		t.Errorf("request %+v", r)
	}
	if !w.s.waiting {
		t.Error("the rail does not say that a sign-in is under way")
	}
	w.waiting(0)
	w.tell(0, connect.State{Step: connect.Exchanging})
	w.f.stopAttempt()
	if w.f.stage != stageWait {
		t.Error("a sign-in was stopped after its code was used")
	}
	w.tell(0, connectedAs("lantern.books", connect.Long))
	if w.f.stage != stageFine || w.s.waiting || !w.f.form.Secret.Empty() {
		t.Errorf("stage %v, waiting %v, secret empty %v", w.f.stage, w.s.waiting, w.f.form.Secret.Empty())
	}
}

// Ruling 6: with the one-hour token the secret stays until its hour is over.
func TestTheSecretOfAOneHourTokenGoesWithItsHour(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.signIn()
	w.waiting(0)
	w.tell(0, connectedAs("lantern.books", connect.Short))
	w.pass(59 * time.Minute)
	if w.f.form.Secret.Empty() {
		t.Error("the secret went too early")
	}
	w.pass(2 * time.Minute)
	if !w.f.form.Secret.Empty() {
		t.Error("the secret outlived its hour")
	}
}

func TestWhatALeftAttemptSaysChangesNothingButIsToldWhenItSaved(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.signIn()
	w.waiting(0)
	w.f.stopAttempt()
	w.queue.Drain()
	if w.f.stage != stageScopes || w.s.waiting {
		t.Fatalf("stage %v, waiting %v", w.f.stage, w.s.waiting)
	}
	w.tell(0, connect.State{Step: connect.Failed, Problem: problem.New(problem.SignInCancelled)})
	w.tell(0, connect.State{Step: connect.Waiting, Deadline: noon})
	if w.f.stage != stageScopes || w.s.waiting {
		t.Errorf("a cancelled attempt moved the page to %v", w.f.stage)
	}
	reads := 0
	w.core.accounts = func(context.Context) ([]connect.Account, error) { reads++; return nil, nil }
	w.tell(0, connectedAs("lantern.books", connect.Long))
	if w.f.stage != stageScopes || reads != 1 {
		t.Errorf("stage %v, the list was read %d times", w.f.stage, reads)
	}
}

func TestStoppingBeforeItBeganAsksTheCoreForNothing(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.f.begin()
	w.f.stopAttempt()
	w.queue.Drain()
	if len(w.requests) != 0 {
		t.Errorf("%d attempts were made", len(w.requests))
	}
}

// A failed attempt serves its browser page for a moment and holds the port; the
// next one begins when it has let go.
func TestTheNextAttemptWaitsForTheLastOnesPort(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.signIn()
	gate := make(chan struct{})
	w.f.done = gate
	w.f.begin()
	ran := make(chan struct{})
	go func() { w.queue.Drain(); close(ran) }()
	select {
	case <-ran:
		t.Fatal("the next attempt did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(gate)
	<-ran
	if len(w.requests) != 2 {
		t.Errorf("%d attempts", len(w.requests))
	}
}

func TestPasteExtendAndWindowReachTheAttempt(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.signIn()
	w.waiting(0)
	w.f.paste("hello")
	if got := <-w.requests[0].Pasted; got != "hello" {
		t.Errorf("pasted %q", got)
	}
	w.tell(0, connect.State{Step: connect.Waiting, Deadline: w.clock.Add(time.Minute), Refused: problem.New(problem.PasteNoCode)})
	if m := w.f.waiting(); m.Refused == nil || !m.More {
		t.Errorf("%+v", m)
	}
	w.f.paste("again")
	if w.f.state.Refused != nil {
		t.Error("a new text is still refused for the last one's reason")
	}
	w.f.moreMinutes()
	if got := <-w.requests[0].Extend; got != moreTime {
		t.Errorf("extended by %v", got)
	}
	// Nobody reads any more: pressing on blocks nothing.
	for range 20 {
		w.f.paste("x")
		w.f.moreMinutes()
	}
	w.f.chooseWindow(true)
	w.queue.Drain()
	if len(w.requests) != 2 || w.requests[1].Browser != connect.BrowserSeparate || w.requests[1].Receive != connect.ReceiveWindow {
		t.Fatalf("requests %+v", w.requests)
	}
	w.tell(0, connect.State{Step: connect.Failed, Problem: problem.New(problem.SignInCancelled)})
	if w.f.stage != stageWait {
		t.Error("the first window's end ended the second")
	}
}

func TestTheCountdownIsSaid(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.signIn()
	w.waiting(0)
	w.pass(9*time.Minute + 40*time.Second)
	if want := []string{"5:00 left", "1:00 left", "0:30 left"}; !slices.Equal(w.said, want) {
		t.Errorf("said %q", w.said)
	}
	w.tell(0, connect.State{Step: connect.Waiting, Deadline: w.clock.Add(10 * time.Minute)})
	w.pass(5*time.Minute + time.Second)
	if len(w.said) != 4 {
		t.Errorf("after more time: %q", w.said)
	}
	w.f.stopAttempt()
	w.pass(20 * time.Minute)
	if len(w.said) != 4 {
		t.Errorf("a stopped wait still speaks: %q", w.said)
	}
}

func TestSigningInAgain(t *testing.T) {
	account := accountLeft("harbour.coffee", 3*aDay, connect.ExpiresSoon)
	account.App, account.ScopesAsked = "My app", []string{"instagram_business_basic", "instagram_business_manage_insights"}
	t.Run("with a kept secret at once", func(t *testing.T) {
		w := newFlowWorld(t, connectStart{Account: &account}, keptApp())
		if w.f.stage != stageWait || len(w.requests) != 1 {
			t.Fatalf("stage %v, %d attempts", w.f.stage, len(w.requests))
		}
		r := w.requests[0]
		if r.App != "My app" || r.ClientID != "" || r.Expect != "harbour.coffee" || !r.ClientSecret.Empty() || !slices.Contains(r.Scopes, "instagram_business_manage_insights") || slices.Contains(r.Scopes, "instagram_business_manage_comments") {
			t.Errorf("request %+v", r)
		}
	})
	t.Run("with a forgotten one after one field", func(t *testing.T) {
		w := newFlowWorld(t, connectStart{Account: &account}, savedApp)
		if w.f.stage != stageSecret || len(w.requests) != 0 {
			t.Fatalf("stage %v, %d attempts", w.f.stage, len(w.requests))
		}
		w.f.form.Secret = secret.New(someSecret)
		w.signIn()
		if r := w.requests[0]; r.ClientSecret.Reveal() != someSecret || r.App != "My app" || r.KeepSecret {
			t.Errorf("request %+v", r)
		}
	})
	t.Run("when its app is gone from the form", func(t *testing.T) {
		w := newFlowWorld(t, connectStart{Account: &account})
		if w.f.stage != stageApp || w.f.form.Expect != "harbour.coffee" || !w.f.form.Ticked["instagram_business_manage_insights"] {
			t.Errorf("stage %v, form %+v", w.f.stage, w.f.form)
		}
	})
	t.Run("and another account answered", func(t *testing.T) {
		w := newFlowWorld(t, connectStart{Account: &account}, keptApp())
		w.waiting(0)
		w.tell(0, connect.State{Step: connect.Failed, Problem: problem.New(problem.OtherAccount, "username", "harbour.coffee", "found", "mia.kessler")})
		if w.f.stage != stageProblem {
			t.Fatal(w.f.stage)
		}
		w.f.takeAnyone()
		w.queue.Drain()
		if len(w.requests) != 2 || w.requests[1].Expect != "" {
			t.Errorf("requests %+v", w.requests)
		}
	})
}

func TestConnectWithASavedAppGoesToThePermissions(t *testing.T) {
	w := newFlowWorld(t, connectStart{}, savedApp)
	if w.f.stage != stageScopes || w.f.form.App != "My app" || !w.f.form.Ticked["instagram_business_manage_comments"] {
		t.Errorf("stage %v, form %+v", w.f.stage, w.f.form)
	}
	w.f.chooseApp("", false)
	if w.f.form.App != "" || w.f.form.ClientID != "" || w.f.form.Redirect != "https://localhost:8919/" {
		t.Errorf("a new app begins with %+v", w.f.form)
	}
}

func TestAHeldTokenIsSavedAgain(t *testing.T) {
	w := newFlowWorld(t, connectStart{}, keptApp())
	w.signIn()
	w.waiting(0)
	w.tell(0, connect.State{Step: connect.Failed, Problem: problem.New(problem.VaultLocked), Held: true})
	do, ok := w.f.act(problem.TrySavingAgain)
	if !ok {
		t.Fatal("no way to save it")
	}
	refused := true
	fine := connectedAs("lantern.books", connect.Long)
	w.core.recover = func() ([]connect.Recovered, error) {
		if refused {
			return []connect.Recovered{{Problem: problem.New(problem.VaultDismissed)}}, nil
		}
		return []connect.Recovered{{Account: fine.Account}}, nil
	}
	do()
	if !w.f.saving {
		t.Error("it does not say that it is at work")
	}
	w.queue.Drain()
	if w.f.saving || w.f.stage != stageProblem || !w.f.state.Held || w.f.state.Problem.Key != problem.VaultDismissed {
		t.Fatalf("stage %v, state %+v", w.f.stage, w.f.state)
	}
	refused = false
	do()
	w.queue.Drain()
	if w.f.stage != stageFine || !w.f.state.SecretKept || w.f.state.Account.Username != "lantern.books" || len(w.requests) != 1 {
		t.Errorf("stage %v, state %+v, %d attempts", w.f.stage, w.f.state, len(w.requests))
	}
}

func TestAfterOneAccountTheNext(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.signIn()
	w.waiting(0)
	w.core.apps = func() ([]connect.App, error) { return []connect.App{savedApp}, nil }
	w.tell(0, connectedAs("lantern.books", connect.Long))
	w.f.another()
	if w.f.stage != stageScopes || w.f.form.App != "My app" {
		t.Fatalf("stage %v, form %+v", w.f.stage, w.f.form)
	}
	// The secret was forgotten, as asked: the next sign-in asks for it alone.
	w.f.signInOrAsk()
	if w.f.stage != stageSecret {
		t.Errorf("stage %v", w.f.stage)
	}
	w.f.stage = stageFine
	w.f.askAgain()
	if w.f.form.Expect != "lantern.books" {
		t.Errorf("asking again expects %q", w.f.form.Expect)
	}
}

// No button is dead: every action of every problem leads somewhere, for every
// service.
func TestEveryActionOfEveryProblemHasADoor(t *testing.T) {
	for _, id := range []string{"instagram", "threads", "instagram-facebook"} {
		w := newFlowWorld(t, connectStart{Provider: id}, savedApp)
		opened := 0
		w.s.params.SeparateBrowser = func() bool { return true }
		w.s.params.OpenAddress = func(context.Context, string) error { opened++; return nil }
		for _, row := range problem.Table() {
			for _, action := range row.Actions {
				w.f.form = connectForm{Provider: id, Ticked: map[string]bool{}, Redirect: "https://localhost:8919/", ClientID: someID, Secret: secret.New(someSecret)}
				w.f.stage = stageProblem
				w.f.state = connect.State{Step: connect.Failed, Problem: problem.New(row.Key, "provider", "Instagram", "other", "threads"), RedirectURI: "https://localhost:8919/"}
				do, ok := w.f.act(action)
				if !ok || do == nil {
					t.Errorf("%s of %s has no door", action, row.Key)
					continue
				}
				if words := w.s.label(action, w.f.state.Problem); words == "" || strings.Contains(words, "⟦") {
					t.Errorf("%s of %s says %q", action, row.Key, words)
				}
				before := len(w.observe) + opened
				at, copied := w.s.current, w.app.Clipboard().Content()
				do()
				w.queue.Drain()
				if w.f.stage == stageProblem && w.s.current == at && len(w.observe)+opened == before && w.app.Clipboard().Content() == copied && action != problem.KeepAsIs {
					t.Errorf("%s of %s did nothing", action, row.Key)
				}
				w.app.Clipboard().SetContent("")
				if w.f.stage == stageWait {
					w.f.stopAttempt()
					w.queue.Drain()
				}
				w.s.goAccounts()
			}
		}
	}
	// A separate window that this computer does not have is no button.
	w := newFlowWorld(t, connectStart{}, savedApp)
	if _, ok := w.f.act(problem.SeparateWindow); ok {
		t.Error("separate_window has a button and no engine")
	}
}

func TestTheCheckRunsWhenTypingRestsAndOnlyOnce(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	var asked []connect.Setup
	w.core.doctor = func(in connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
		asked = append(asked, in)
		observe(connect.Line{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "15"}})
		observe(connect.Line{Check: "port", Level: connect.Bad, Problem: problem.New(problem.PortTaken, "port", "8919")})
		return nil, nil
	}
	w.f.form.ClientID = someID
	w.f.edited()
	w.pass(2 * time.Second)
	if len(asked) != 0 {
		t.Error("it was looked over with one field")
	}
	w.f.form.Secret = secret.New(someSecret)
	w.f.edited()
	w.pass(500 * time.Millisecond)
	w.f.edited()
	w.queue.Advance(700 * time.Millisecond)
	if len(asked) != 0 {
		t.Error("it did not wait until the typing rested")
	}
	w.queue.Advance(200 * time.Millisecond)
	if len(asked) != 1 || !w.f.checked || len(w.f.shownLines()) != 2 {
		t.Fatalf("asked %d times, lines %+v", len(asked), w.f.lines)
	}
	if got := goOn(w.s.c, w.f.shownLines()); !strings.Contains(got, "8919") {
		t.Errorf("the footer says %q", got)
	}
	w.f.otherPort()
	w.queue.Drain()
	if w.f.form.Redirect != "https://localhost:8920/" || len(asked) != 2 || asked[1].RedirectURI != "https://localhost:8920/" {
		t.Errorf("after another port: %q, %d checks", w.f.form.Redirect, len(asked))
	}
	w.f.edited()
	if len(w.f.lines) != 0 {
		t.Error("findings about something else are still shown")
	}
}

func TestTheCertificateIsExplainedOnce(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	var went func()
	asked := 0
	w.f.warn = func(then func()) { asked++; went = then }
	w.f.signInOrAsk()
	if asked != 1 || w.f.stage == stageWait {
		t.Fatalf("asked %d times, stage %v", asked, w.f.stage)
	}
	w.s.prefs.setWarned(true)
	went()
	w.queue.Drain()
	if w.f.stage != stageWait {
		t.Error("reading it did not go on")
	}
	w.f.stopAttempt()
	w.f.signInOrAsk()
	if asked != 1 {
		t.Error("it was explained twice")
	}
}
