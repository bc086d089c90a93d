package ui

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// stage is a page of Connect.
type stage int

const (
	// stageApp: the credentials.
	stageApp stage = iota
	// stageScopes: what may it do.
	stageScopes
	// stageSecret: signing in again, and the secret was forgotten.
	stageSecret
	// stageWait: a sign-in under way.
	stageWait
	stageFine
	stageProblem
)

// connectForm is what the person filled in. It lives until the window closes
// or the sign-in is done; the secret goes as soon as it is not needed.
type connectForm struct {
	// App is the name of a saved app, empty for a new one; SecretKept tells
	// that its secret lies in the keychain.
	App        string
	SecretKept bool
	Provider   string
	ClientID   string
	Secret     secret.Text
	Keep       bool
	Redirect   string
	Ticked     map[string]bool
	Separate   bool
	// Expect is who has to answer when signing in again.
	Expect string
}

// checkDelay is how long both fields rest before the setup is looked over.
const checkDelay = 800 * time.Millisecond

// moreTime is what "Give me 10 more minutes" gives.
const moreTime = 10 * time.Minute

// flow is Connect without its widgets: the form, the stage, and the attempt
// under way. Everything in it belongs to the window's goroutine.
type flow struct {
	s     *shell
	core  Core
	form  connectForm
	stage stage
	apps  []connect.App

	lines     []connect.Line
	checking  bool
	checked   bool
	waitCheck func()
	stopCheck context.CancelFunc

	state connect.State
	// attempt counts sign-ins: what an earlier one still says is not heard.
	attempt int
	cancel  context.CancelFunc
	pasted  chan string
	extend  chan time.Duration

	browser string
	// changed redraws the screen; stageChanged puts another page into it.
	changed      func()
	stageChanged func()
}

func newFlow(s *shell, r connectStart) *flow {
	f := &flow{s: s, core: s.core, changed: func() {}, stageChanged: func() {}}
	f.form = connectForm{Provider: "instagram", Ticked: map[string]bool{}}
	f.form.Redirect = f.definition().Redirect.Default
	for _, name := range r.Scopes {
		f.form.Ticked[name] = true
	}
	if r.Account != nil {
		f.form.Provider, f.form.App, f.form.Expect = r.Account.Provider, r.Account.App, r.Account.Username
		for _, name := range r.Account.ScopesAsked {
			f.form.Ticked[name] = true
		}
	} else if r.App != "" {
		f.form.App = r.App
	}
	f.readApps(r)
	f.readBrowser()
	return f
}

// readApps fetches the saved apps and, where the start names one, goes on from
// it: step 3 for signing in again, step 2 for another account.
func (f *flow) readApps(r connectStart) {
	work(f.s, f.s.coreCtx, f.core.Apps, func(apps []connect.App, p *problem.Problem) {
		if p != nil {
			f.s.tell(p)
			return
		}
		f.apps = apps
		wanted := f.form.App
		f.form.App = ""
		if !f.chooseApp(wanted, len(r.Scopes) > 0 || r.Account != nil) {
			f.changed()
			return
		}
		switch {
		case r.Account != nil && f.form.SecretKept:
			f.signIn()
		case r.Account != nil:
			f.to(stageSecret)
		default:
			f.to(stageScopes)
		}
	})
}

func (f *flow) readBrowser() {
	if f.s.params.BrowserName == nil {
		return
	}
	work(f.s, f.s.ctx, func(ctx context.Context) (string, error) { return f.s.params.BrowserName(ctx), nil },
		func(name string, _ *problem.Problem) {
			f.browser = name
			f.changed()
		})
}

// chooseApp fills the form from a saved app; an empty name is a new one. It
// reports whether there is such an app.
func (f *flow) chooseApp(name string, keepTicks bool) bool {
	i := slices.IndexFunc(f.apps, func(a connect.App) bool { return a.Name == name })
	if name == "" || i < 0 {
		if f.form.App != "" {
			f.form = connectForm{Provider: f.form.Provider, Ticked: f.form.Ticked, Redirect: f.definition().Redirect.Default}
		}
		f.lines, f.checked = nil, false
		return false
	}
	app := f.apps[i]
	f.form.App, f.form.SecretKept, f.form.Keep = app.Name, app.SecretKept, app.SecretKept
	f.form.Provider, f.form.ClientID, f.form.Redirect, f.form.Secret = app.Provider, app.ClientID, app.RedirectURI, secret.Text{}
	if !keepTicks {
		f.form.Ticked = map[string]bool{}
		for _, scope := range app.Scopes {
			f.form.Ticked[scope] = true
		}
	}
	f.lines, f.checked = nil, false
	return true
}

func (f *flow) definition() provider.Definition { return f.s.definition(f.form.Provider) }

func (f *flow) setup() connect.Setup {
	in := connect.Setup{
		App: f.form.App, Provider: f.form.Provider, ClientID: f.form.ClientID, ClientSecret: f.form.Secret,
		RedirectURI: f.form.Redirect, KeepSecret: f.form.Keep,
	}
	if f.form.App != "" {
		// The saved app is the one place for these; only the secret may be new.
		in.ClientID, in.RedirectURI = "", ""
	}
	return in
}

// filled reports whether there is enough to look over and to go on with.
func (f *flow) filled() bool {
	return strings.TrimSpace(f.form.ClientID) != "" && (!f.form.Secret.Empty() || f.form.SecretKept)
}

func (f *flow) to(next stage) {
	f.stage = next
	f.stageChanged()
}

// edited is told of every change of the two fields: the former findings are
// about something else now, and new ones come when the typing rests.
func (f *flow) edited() {
	f.endCheck()
	f.lines, f.checked = nil, false
	if f.filled() {
		f.waitCheck = f.s.after(checkDelay, f.check)
	}
	f.changed()
}

func (f *flow) endCheck() {
	if f.waitCheck != nil {
		f.waitCheck()
		f.waitCheck = nil
	}
	if f.stopCheck != nil {
		f.stopCheck()
		f.stopCheck = nil
	}
	f.checking = false
}

// check looks the setup over; lines appear one by one.
func (f *flow) check() {
	f.endCheck()
	ctx, cancel := context.WithCancel(f.s.coreCtx)
	f.stopCheck, f.checking, f.lines = cancel, true, nil
	in := f.setup()
	f.changed()
	work(f.s, ctx, func(ctx context.Context) ([]connect.Line, error) {
		return f.core.Doctor(ctx, in, func(l connect.Line) {
			f.s.run.Post(func() {
				if ctx.Err() == nil {
					f.lines = append(f.lines, l)
					f.changed()
				}
			})
		})
	}, func(_ []connect.Line, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		cancel()
		f.checking, f.checked = false, true
		if p != nil {
			f.s.tell(p)
		}
		f.changed()
	})
}

// shownLines are the findings in words.
func (f *flow) shownLines() []checkLine {
	shown := make([]checkLine, 0, len(f.lines))
	for _, l := range f.lines {
		shown = append(shown, presentLine(f.s.c, l, f.s.program()))
	}
	return shown
}

func (f *flow) tick(scope string, on bool) {
	f.form.Ticked[scope] = on
	f.changed()
}

func (f *flow) choosePreset(scopes []string) {
	f.form.Ticked = withRequired(f.definition(), scopes)
	f.changed()
}

func (f *flow) scopes() []string {
	var names []string
	for _, s := range f.definition().Scopes {
		if s.Offered() && (s.Required || f.form.Ticked[s.Name]) {
			names = append(names, s.Name)
		}
	}
	return names
}

// warns reports whether the browser will show its certificate warning and the
// person has not yet said that they know.
func (f *flow) warns() bool {
	return strings.HasPrefix(f.form.Redirect, "https:") && !f.s.prefs.warned() && !f.form.Separate
}

// signIn starts an attempt. One is under way at most.
func (f *flow) signIn() {
	f.endAttempt()
	f.endCheck()
	f.attempt++
	n := f.attempt
	ctx, cancel := context.WithCancel(f.s.coreCtx)
	f.cancel = cancel
	f.pasted, f.extend = make(chan string, 8), make(chan time.Duration, 8)
	f.state = connect.State{Step: connect.Checking, Provider: f.definition().Name, RedirectURI: f.form.Redirect}
	r := connect.Request{Setup: f.setup(), Scopes: f.scopes(), Expect: f.form.Expect, Pasted: f.pasted, Extend: f.extend}
	if f.form.Separate {
		r.Receive, r.Browser = connect.ReceiveWindow, connect.BrowserSeparate
	}
	f.s.setWaiting(true)
	f.to(stageWait)
	f.s.run.Go(func() {
		_, err := f.core.Connect(ctx, r, func(st connect.State) {
			f.s.run.Post(func() { f.heard(n, st) })
		})
		_ = err // the last state says it
		cancel()
	})
}

// heard takes a state of attempt n. One that was left is still told when it
// saved something: the person should know.
func (f *flow) heard(n int, st connect.State) {
	if f.s.ended {
		return
	}
	if n != f.attempt {
		if st.Step == connect.Connected {
			f.s.connected(*st.Account)
		}
		return
	}
	f.state = st
	if !st.Final() {
		f.changed()
		return
	}
	f.s.setWaiting(false)
	f.cancel = nil
	if st.Step == connect.Connected {
		// Ruling 6: held until the long token is saved.
		if st.Account.Lifetime == connect.Long {
			f.form.Secret = secret.Text{}
		}
		f.form.Expect = ""
		f.s.connected(*st.Account)
		f.to(stageFine)
		return
	}
	f.to(stageProblem)
}

// stopAttempt cancels a sign-in that still can be; the page goes back to where
// it was started from.
func (f *flow) stopAttempt() {
	if !f.state.Cancellable() {
		return
	}
	f.endAttempt()
	f.to(stageScopes)
}

// endAttempt lets go of the attempt without waiting for it.
func (f *flow) endAttempt() {
	if f.cancel != nil && f.state.Cancellable() {
		f.cancel()
		f.cancel = nil
		f.attempt++
		f.s.setWaiting(false)
	}
}

// paste hands a text to the attempt; it says by a state what it thinks of it.
func (f *flow) paste(text string) {
	f.state.Refused = nil
	select {
	case f.pasted <- text:
	default:
	}
	f.changed()
}

func (f *flow) moreMinutes() {
	select {
	case f.extend <- moreTime:
	default:
	}
}

// openAgain opens the authorization address once more.
func (f *flow) openAgain() {
	address := f.state.AuthorizeURL
	if address.Empty() || f.s.params.OpenAddress == nil {
		return
	}
	n := f.attempt
	f.s.do(f.s.ctx, func(ctx context.Context) error { return f.s.params.OpenAddress(ctx, address.Reveal()) }, func(p *problem.Problem) {
		if n == f.attempt {
			f.state.BrowserProblem = p
			f.changed()
		}
	})
}

// chooseWindow switches between the person's browser and a separate window. An
// attempt that waits starts anew: the old link must not answer for the new.
func (f *flow) chooseWindow(separate bool) {
	if f.form.Separate == separate {
		return
	}
	f.form.Separate = separate
	if f.stage == stageWait && f.state.Cancellable() {
		f.signIn()
		return
	}
	f.changed()
}

// trySaving finishes a token that arrived and could not be saved.
func (f *flow) trySaving() {
	type result struct{ done []connect.Recovered }
	work(f.s, f.s.coreCtx, func(ctx context.Context) (result, error) {
		done, err := f.core.Recover(ctx)
		return result{done}, err
	}, func(r result, p *problem.Problem) {
		for _, one := range r.done {
			if one.Account != nil {
				f.state = connect.State{Step: connect.Connected, Provider: f.state.Provider, RedirectURI: f.state.RedirectURI, Account: one.Account}
				f.s.connected(*one.Account)
				f.to(stageFine)
				return
			}
			p = one.Problem
		}
		if p != nil {
			f.state.Problem = p
			f.stageChanged()
		}
	})
}

// act does what a problem's button says. It reports false for what has no door
// in this window yet; such a button is not shown.
func (f *flow) act(a problem.Action) (do func(), ok bool) {
	switch a {
	case problem.ChangeClientID, problem.ChangeSecret, problem.ChangeRedirect:
		return func() { f.to(stageApp) }, true
	case problem.ChoosePermissions:
		return func() { f.to(stageScopes) }, true
	case problem.SignInAgain, problem.TryAgain, problem.PasteAgain, problem.PasteAddress:
		return f.signInOrAsk, true
	case problem.SeparateWindow:
		if f.s.params.SeparateBrowser == nil || !f.s.params.SeparateBrowser() {
			return nil, false
		}
		return func() { f.form.Separate = true; f.signInOrAsk() }, true
	case problem.TestVault, problem.OpenSettings:
		return f.s.goSettings, true
	case problem.TrySavingAgain:
		if !f.state.Held {
			return f.signInOrAsk, true
		}
		return f.trySaving, true
	default:
		return nil, false
	}
}

// signInOrAsk signs in again, after the one field where the secret is gone.
func (f *flow) signInOrAsk() {
	switch {
	case strings.TrimSpace(f.form.ClientID) == "" && f.form.App == "":
		f.to(stageApp)
	case f.form.Secret.Empty() && !f.form.SecretKept:
		f.to(stageSecret)
	default:
		f.signIn()
	}
}

// another starts the next account with the same app.
func (f *flow) another() {
	name := f.state.Account.App
	f.form.Expect = ""
	work(f.s, f.s.coreCtx, f.core.Apps, func(apps []connect.App, p *problem.Problem) {
		if p != nil {
			f.s.tell(p)
			return
		}
		f.apps = apps
		kept := f.form.Secret
		if f.chooseApp(name, true) {
			f.form.Secret = kept
		}
		f.to(stageScopes)
	})
}
