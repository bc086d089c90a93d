package ui

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
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
	// stageChoose: the answer reaches several accounts.
	stageChoose
	// stagePage: what does the page in the browser say? The sign-in goes on.
	stagePage
	// stageServer: a service that the program does not know yet.
	stageServer
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
	// ConfigID is the configuration that stands for the permissions, if any.
	ConfigID string
	Redirect string
	Ticked   map[string]bool
	Separate bool
	// Expect is who has to answer when signing in again; ExpectID is their
	// account's id.
	Expect, ExpectID string
}

// checkDelay is how long both fields rest before the setup is looked over.
const checkDelay = 800 * time.Millisecond

// moreTime is what "Give me 10 more minutes" gives.
const moreTime = 10 * time.Minute

// spoken are the moments before the deadline that are said, not only shown.
var spoken = []time.Duration{5 * time.Minute, time.Minute, 30 * time.Second}

// flow is Connect without its widgets: the form, the stage, and the attempt
// under way. Everything in it belongs to the window's goroutine.
type flow struct {
	s    *shell
	core Core
	// ctx is that of the core; what comes after its end concerns nobody.
	ctx   context.Context
	form  connectForm
	stage stage
	apps  []connect.App
	// drafts are what was typed for the providers that are not chosen now.
	drafts map[string]connectForm
	// server is what was typed of a service that is still to be described.
	server serverDraft
	// loading: the saved apps that the start names are being read.
	loading bool
	// marked: Continue was pressed, so empty fields say so.
	marked bool
	// shown: the person looks at it; else its results are told in a toast.
	shown bool

	lines     []connect.Line
	checking  bool
	checked   bool
	waitCheck func()
	stopCheck context.CancelFunc

	state connect.State
	// attempt counts sign-ins: what an earlier one still says is not heard.
	attempt int
	cancel  context.CancelFunc
	// done is closed when the last attempt has let go of its port. The next one
	// waits for it: the outcome page of a failed one is served for a moment.
	done   chan struct{}
	pasted chan string
	extend chan time.Duration
	decide chan connect.Decision
	chosen chan []string
	// keep are the accounts that are ticked while the attempt asks which ones.
	keep    map[string]bool
	ticking func()
	left    time.Duration
	// saving: a token that is held is being saved once more.
	saving bool
	forget func()

	browser string
	// warn tells once what the browser will say about our certificate, and goes
	// on with what it is given when the person has read it.
	warn func(then func())
	// said tells by and by how long there is: for those who do not see it.
	said func(words string)
	// changed redraws the screen; stageChanged puts another page into it.
	changed      func()
	stageChanged func()
	// asks opens the question of the state; asked closes it.
	asks  func()
	asked func()
}

func newFlow(s *shell, r connectStart) *flow {
	f := &flow{s: s, core: s.core, ctx: s.coreCtx, changed: func() {}, stageChanged: func() {}, said: func(string) {}, asks: func() {}, asked: func() {}}
	f.warn = func(then func()) { then() }
	f.drafts = map[string]connectForm{}
	first := r.Provider
	if first == "" {
		first = "instagram"
	}
	f.choose(first)
	for _, name := range r.Scopes {
		f.form.Ticked[name] = true
	}
	if r.Account != nil {
		f.form.Provider, f.form.App, f.form.Expect = r.Account.Provider, r.Account.App, r.Account.Username
		f.form.ExpectID = r.Account.ID
		for _, name := range r.Account.ScopesAsked {
			f.form.Ticked[name] = true
		}
	} else if r.App != "" {
		f.form.App = r.App
	}
	if r.Account != nil || r.App != "" {
		// The form is not what was asked for, not even for a moment.
		f.stage = stageScopes
	}
	f.readApps(r)
	f.readBrowser()
	return f
}

// choose takes a provider, with what was typed for it before, else with what the
// guide collected. Another provider's ID and secret are never carried over; the
// tasks and a changed port are.
func (f *flow) choose(id string) {
	if id == f.form.Provider && f.form.App == "" {
		return
	}
	former, was := f.form, f.definition()
	if former.App == "" && former.Provider != "" {
		f.drafts[former.Provider] = former
	}
	f.endCheck()
	f.lines, f.checked, f.marked = nil, false, false
	if draft, ok := f.drafts[id]; ok {
		draft.Expect, draft.ExpectID, draft.Separate = former.Expect, former.ExpectID, former.Separate
		f.form = draft
		return
	}
	f.form = connectForm{Provider: id, Expect: former.Expect, ExpectID: former.ExpectID, Separate: former.Separate}
	d := f.definition()
	f.form.Ticked = sameTasks(was, former.Ticked, d)
	f.form.Redirect = d.Redirect.Default
	if movedPort(was.Redirect.Default, former.Redirect) {
		f.form.Redirect = withPort(d.Redirect.Default, former.Redirect)
	}
	// Whoever cannot renew signs in every 60 days and needs the secret then.
	f.form.Keep = keepsSecret(d)
	if v, ok := f.s.guide.values[id]; ok {
		f.form.ClientID, f.form.Secret, f.form.ConfigID = v.ClientID, v.Secret, v.ConfigID
		if v.Redirect != "" {
			f.form.Redirect = v.Redirect
		}
	}
}

// keepsSecret reports whether a secret had better be kept: nothing renews
// without signing in again, which needs it.
func keepsSecret(d provider.Definition) bool { return d.ID != "" && d.Renew.Empty() }

// sameTasks are the permissions of d for what was ticked at another provider.
func sameTasks(was provider.Definition, ticked map[string]bool, d provider.Definition) map[string]bool {
	tasks, out := map[string]bool{}, map[string]bool{}
	for _, s := range was.Scopes {
		if s.Offered() && ticked[s.Name] && s.Task != "" {
			tasks[s.Task] = true
		}
	}
	for _, s := range d.Scopes {
		if s.Offered() && tasks[s.Task] && s.Task != "show" {
			out[s.Name] = true
		}
	}
	return out
}

// movedPort reports whether address is the usual one at another port.
func movedPort(usual, address string) bool {
	a, err := url.Parse(usual)
	b, wrong := url.Parse(address)
	return err == nil && wrong == nil && a.Hostname() == b.Hostname() && a.Path == b.Path && b.Port() != "" && a.Port() != b.Port()
}

// withPort is usual at the port of address.
func withPort(usual, address string) string {
	a, err := url.Parse(usual)
	b, wrong := url.Parse(address)
	if err != nil || wrong != nil || a.Port() == "" {
		return usual
	}
	a.Host = net.JoinHostPort(a.Hostname(), b.Port())
	return a.String()
}

// end lets go of everything. An attempt that used its code still runs to its
// end; what it says is told by nobody here.
func (f *flow) end() {
	f.endCheck()
	f.endAttempt()
	f.stopTick()
	if f.forget != nil {
		f.forget()
	}
	f.form.Secret = secret.Text{}
	clear(f.drafts)
}

// readApps fetches the saved apps and, where the start names one, goes on from
// it: step 3 for signing in again, step 2 for another account. Without a wish
// a saved app is taken as well: nobody types the same ID twice.
func (f *flow) readApps(r connectStart) {
	f.loading = true
	work(f.s, f.ctx, f.core.Apps, func(apps []connect.App, p *problem.Problem) {
		if f.ctx.Err() != nil {
			return
		}
		f.loading = false
		if p != nil {
			f.s.tell(p)
			f.to(stageApp)
			return
		}
		f.apps = apps
		wanted := f.form.App
		f.form.App = ""
		if r.empty() && f.untouched() {
			wanted = mostUsed(apps)
		}
		if !f.chooseApp(wanted, len(r.Scopes) > 0 || r.Account != nil) {
			f.to(stageApp)
			if f.shown && f.filled() {
				// What the guide collected is looked over as what is typed is.
				f.edited()
			}
			return
		}
		f.to(stageScopes)
		if r.Account != nil {
			f.signInOrAsk()
		}
	})
}

// readAppsAgain brings the list up to date, e.g. after a new one was saved.
func (f *flow) readAppsAgain() {
	work(f.s, f.ctx, f.core.Apps, func(apps []connect.App, p *problem.Problem) {
		if f.ctx.Err() == nil && p == nil {
			f.apps = apps
			f.changed()
		}
	})
}

// untouched reports whether nothing was filled in yet.
func (f *flow) untouched() bool {
	return f.stage == stageApp && f.form.ClientID == "" && f.form.Secret.Empty()
}

func mostUsed(apps []connect.App) string {
	name, most := "", -1
	for _, a := range apps {
		if a.Accounts > most {
			name, most = a.Name, a.Accounts
		}
	}
	return name
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
			f.form = connectForm{Provider: f.form.Provider, Ticked: f.form.Ticked, Redirect: f.definition().Redirect.Default, Expect: f.form.Expect, ExpectID: f.form.ExpectID, Separate: f.form.Separate}
		}
		f.endCheck()
		f.lines, f.checked, f.marked = nil, false, false
		return false
	}
	app := f.apps[i]
	f.form.App, f.form.SecretKept, f.form.Keep = app.Name, app.SecretKept, app.SecretKept
	f.form.Provider, f.form.ClientID, f.form.Redirect, f.form.Secret = app.Provider, app.ClientID, app.RedirectURI, secret.Text{}
	f.form.ConfigID = app.ConfigID
	if !keepTicks {
		f.form.Ticked = map[string]bool{}
		for _, scope := range app.Scopes {
			f.form.Ticked[scope] = true
		}
	}
	f.endCheck()
	f.lines, f.checked, f.marked = nil, false, false
	return true
}

// asNewApp turns a saved app into a new one with the same ID and address:
// what is saved is not edited, and a registration that changed is another one.
func (f *flow) asNewApp() {
	f.form.App, f.form.SecretKept, f.form.Keep = "", false, false
}

// otherPort goes on with the next port, for a program that will not let go of
// ours. The new address has to be registered, which the page says.
func (f *flow) otherPort() {
	u, err := url.Parse(f.form.Redirect)
	if err != nil {
		return
	}
	port, _ := strconv.Atoi(u.Port())
	if port < 1024 || port >= 65000 {
		port = 8919
	}
	u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(port+1))
	f.asNewApp()
	f.form.Redirect = u.String()
	f.lines = nil
	if f.filled() {
		f.check()
	}
	f.stageChanged()
}

// practiceValues are what the pretend provider accepts, empty without one.
func (f *flow) practiceValues() (string, secret.Text) {
	p := f.s.params
	if p.Registration != nil {
		return p.Registration(f.form.Provider)
	}
	if f.form.Provider != "instagram" {
		return "", secret.Text{}
	}
	return p.PracticeID, p.PracticeSecret
}

// fillPractice fills in what the pretend provider accepts.
func (f *flow) fillPractice() {
	f.form.ClientID, f.form.Secret = f.practiceValues()
	f.edited()
}

// next goes on from the credentials. Only an empty field holds it up: what the
// check finds is for the person to weigh.
func (f *flow) next() {
	if !f.filled() {
		f.marked = true
		f.changed()
		return
	}
	f.to(stageScopes)
}

func (f *flow) definition() provider.Definition { return f.s.definition(f.form.Provider) }

func (f *flow) setup() connect.Setup {
	in := connect.Setup{
		App: f.form.App, Provider: f.form.Provider, ClientID: f.form.ClientID, ClientSecret: f.form.Secret,
		RedirectURI: f.form.Redirect, KeepSecret: f.form.Keep, ConfigID: strings.TrimSpace(f.form.ConfigID),
	}
	if f.form.App != "" {
		// The saved app is the one place for these; only the secret may be new.
		in.ClientID, in.RedirectURI, in.ConfigID = "", "", ""
	}
	return in
}

// filled reports whether there is enough to look over and to go on with.
func (f *flow) filled() bool {
	return strings.TrimSpace(f.form.ClientID) != "" && !f.lacksSecret()
}

// lacksSecret reports whether a secret is needed that is not at hand.
func (f *flow) lacksSecret() bool {
	return f.form.Secret.Empty() && !f.form.SecretKept && !secretOptional(f.definition())
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
	ctx, cancel := context.WithCancel(f.ctx)
	f.stopCheck, f.checking, f.lines = cancel, true, nil
	in := f.setup()
	in.Scopes = f.scopes()
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
	}, func(lines []connect.Line, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		cancel()
		f.checking, f.checked = false, true
		if len(lines) > 0 {
			// They came as they were found; now they have the order of the page.
			f.lines = lines
		}
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

// configured reports whether a configuration of the app stands for the
// permissions.
func (f *flow) configured() bool {
	return f.definition().Authorize.ConfigParam != "" && strings.TrimSpace(f.form.ConfigID) != ""
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

// signIn starts an attempt, after what has to be said before the browser opens.
func (f *flow) signIn() {
	if f.warns() {
		f.warn(f.begin)
		return
	}
	f.begin()
}

// begin starts an attempt. One is under way at most.
func (f *flow) begin() {
	f.endAttempt()
	f.endCheck()
	f.attempt++
	n := f.attempt
	ctx, cancel := context.WithCancel(f.ctx)
	before, done := f.done, make(chan struct{})
	f.cancel, f.done = cancel, done
	f.pasted, f.extend = make(chan string, 8), make(chan time.Duration, 8)
	f.decide, f.chosen, f.keep = make(chan connect.Decision, 1), make(chan []string, 1), nil
	f.state = connect.State{Step: connect.Checking, Provider: f.definition().Name, RedirectURI: f.form.Redirect}
	r := connect.Request{Setup: f.setup(), Scopes: f.scopes(), Expect: f.form.Expect, ExpectAccount: f.form.ExpectID,
		Decide: f.decide, Choose: f.chosen, Pasted: f.pasted, Extend: f.extend}
	if f.form.Separate {
		r.Receive, r.Browser = connect.ReceiveWindow, connect.BrowserSeparate
	}
	f.s.setWaiting(true)
	f.stopTick()
	f.left, f.ticking = 0, f.s.every(time.Second, f.second)
	f.to(stageWait)
	f.s.run.Go(func() {
		defer close(done)
		defer cancel()
		if before != nil {
			<-before
		}
		if ctx.Err() != nil {
			return
		}
		_, err := f.core.Connect(ctx, r, func(st connect.State) {
			f.s.run.Post(func() { f.heard(n, st) })
		})
		_ = err // the last state says it
	})
}

func (f *flow) stopTick() {
	if f.ticking != nil {
		f.ticking()
		f.ticking = nil
	}
}

// second moves the countdown on, and says it at a few moments.
func (f *flow) second() {
	if f.state.Step != connect.Waiting {
		return
	}
	left := f.state.Deadline.Sub(f.s.now())
	for _, at := range spoken {
		if f.left > at && left <= at {
			f.said(f.s.say("connect.wait.left", text.Args{"clock": clockLeft(f.state.Deadline, f.s.now())}))
			break
		}
	}
	f.left = left
	f.changed()
}

// heard takes a state of attempt n. One that was left is still told when it
// saved something, or holds something that wants to be saved.
func (f *flow) heard(n int, st connect.State) {
	if f.s.ended || f.ctx.Err() != nil {
		return
	}
	if n != f.attempt {
		f.aside(st)
		return
	}
	before := f.state
	f.state = st
	if !st.Final() {
		f.heardOnTheWay(before)
		return
	}
	f.asked()
	f.s.setWaiting(false)
	f.stopTick()
	f.cancel = nil
	if !f.shown {
		f.aside(st)
	} else if st.Step == connect.Connected {
		f.s.connected(*st.Account)
	}
	if st.Step == connect.Connected {
		f.saved(st)
		f.to(stageFine)
		return
	}
	f.to(stageProblem)
}

// aside tells an outcome to a person who is elsewhere.
func (f *flow) aside(st connect.State) {
	switch {
	case st.Step == connect.Connected:
		f.s.connected(*st.Account)
		f.s.toast(fineTitle(f.s.c, st))
	case st.Step == connect.Failed && st.Problem.Key != problem.SignInCancelled && st.Problem.Key != problem.OtherAccount:
		f.s.tell(st.Problem)
	}
}

// saved brings the form up to an account that is connected: its app is a saved
// one now, and a secret that was to be forgotten is (ruling 6: held until the
// long token is saved or the one-hour token has ended).
func (f *flow) saved(st connect.State) {
	a := *st.Account
	f.form.Expect, f.form.ExpectID = "", ""
	if a.App != "" {
		f.form.App, f.form.SecretKept = a.App, st.SecretKept
	}
	if f.forget != nil {
		f.forget()
		f.forget = nil
	}
	if a.Lifetime == connect.Long {
		f.form.Secret = secret.Text{}
	} else if end := endOf(a); !end.IsZero() {
		f.forget = f.s.after(max(0, end.Sub(f.s.now())), func() { f.form.Secret = secret.Text{} })
	}
	f.readAppsAgain()
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
		f.stopTick()
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
		f.begin()
		return
	}
	f.changed()
}

// trySaving finishes a token that arrived and could not be saved.
func (f *flow) trySaving() {
	type result struct {
		done []connect.Recovered
		apps []connect.App
	}
	f.saving = true
	f.changed()
	work(f.s, f.ctx, func(ctx context.Context) (result, error) {
		done, err := f.core.Recover(ctx)
		if err != nil {
			return result{}, err
		}
		apps, err := f.core.Apps(ctx)
		return result{done, apps}, err
	}, func(r result, p *problem.Problem) {
		if f.ctx.Err() != nil {
			return
		}
		f.saving = false
		if r.apps != nil {
			f.apps = r.apps
		}
		for _, one := range r.done {
			if one.Account != nil {
				st := connect.State{Step: connect.Connected, Provider: f.state.Provider, RedirectURI: f.state.RedirectURI, Account: one.Account}
				for _, app := range f.apps {
					st.SecretKept = st.SecretKept || app.Name == one.Account.App && app.SecretKept
				}
				f.state = st
				f.s.connected(*one.Account)
				f.saved(st)
				f.to(stageFine)
				return
			}
			if one.Other != nil {
				f.s.questions = append(f.s.questions, one)
				f.s.askSettle(one)
				continue
			}
			p = one.Problem
		}
		if p != nil {
			f.state.Problem = p
			f.state.Held = p.Key != problem.Interrupted
		}
		f.stageChanged()
	})
}

// separate reports whether a separate browser window can be had.
func (f *flow) separate() bool {
	return f.s.params.SeparateBrowser != nil && f.s.params.SeparateBrowser()
}

// changeSecret asks for the secret anew; of a saved app for nothing else.
func (f *flow) changeSecret() {
	f.form.Secret = secret.Text{}
	if f.form.App == "" {
		f.lines = nil
		f.to(stageApp)
		return
	}
	f.form.SecretKept = false
	f.to(stageSecret)
}

// signInOrAsk signs in, after the one field where the secret is gone.
func (f *flow) signInOrAsk() {
	switch {
	case f.loading:
	case strings.TrimSpace(f.form.ClientID) == "" && f.form.App == "":
		f.to(stageApp)
	case f.lacksSecret() && f.form.App != "":
		f.to(stageSecret)
	case f.lacksSecret():
		f.to(stageApp)
	default:
		f.signIn()
	}
}

// another starts the next account with the same app.
func (f *flow) another() {
	f.form.Expect, f.form.ExpectID = "", ""
	f.form.Separate = f.form.Separate && f.separate()
	f.to(stageScopes)
}

// askAgain signs the same account in once more, with the same permissions.
func (f *flow) askAgain() {
	f.form.Expect, f.form.ExpectID = f.state.Account.Username, f.state.Account.ID
	for _, name := range f.state.Account.ScopesAsked {
		f.form.Ticked[name] = true
	}
	f.signInOrAsk()
}

// useOther signs in once more because the browser knew somebody else: in a
// separate window where there is one.
func (f *flow) useOther() {
	f.form.Expect, f.form.ExpectID = "", ""
	f.form.Separate = f.separate()
	f.signInOrAsk()
}

// takeAnyone signs in again, whoever answers.
func (f *flow) takeAnyone() {
	f.form.Expect, f.form.ExpectID = "", ""
	f.signInOrAsk()
}
