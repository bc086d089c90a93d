package ui

import (
	"context"
	"errors"
	"io"
	"net/url"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// Core is what the window needs of *connect.Service.
type Core interface {
	Apps(ctx context.Context) ([]connect.App, error)
	AddApp(ctx context.Context, setup connect.Setup, scopes []string) (connect.App, error)
	RemoveApp(ctx context.Context, name string) error
	Doctor(ctx context.Context, setup connect.Setup, observe func(connect.Line)) ([]connect.Line, error)
	Connect(ctx context.Context, r connect.Request, observe func(connect.State)) (connect.Account, error)
	Recover(ctx context.Context) ([]connect.Recovered, error)
	Settle(ctx context.Context, id string, d connect.Decision) (*connect.Account, error)
	Accounts(ctx context.Context) ([]connect.Account, error)
	Account(ctx context.Context, ref string) (connect.Account, error)
	Token(ctx context.Context, ref string) (connect.Handed, error)
	Remove(ctx context.Context, ref string) error
	Diary(ctx context.Context, id string, limit int) ([]library.Entry, error)
	Note(ctx context.Context, id, event string, args map[string]string) error
	DiaryPage(ctx context.Context, id string, limit int, before int64) ([]library.Entry, error)
	Renew(ctx context.Context, ref string, o connect.RenewOptions) (connect.Renewal, error)
	Check(ctx context.Context, ref string) (connect.Checked, error)
	Inspect(ctx context.Context, text secret.Text) (connect.Inspected, error)
	Import(ctx context.Context, in connect.Paste) (connect.Account, error)
	Revoke(ctx context.Context, ref string) (connect.Revoked, error)
	RevokePage(provider string) string
	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value string) error
	MarkWarned(ctx context.Context, id string, days int) error
	SetRenewing(on bool)
	Bundle(ctx context.Context, w io.Writer) error
	Storage(ctx context.Context) (connect.Storage, error)
	SelfTest(ctx context.Context) error
	Providers() []provider.Definition
	// Of a person's own definitions: finding and adding one, what they ask, and
	// what is wrong with them.
	Discover(ctx context.Context, issuer string) (provider.Server, error)
	AddProvider(ctx context.Context, srv provider.Server) (provider.Definition, error)
	Questions() []provider.Question
	ConfirmProvider(ctx context.Context, seen provider.Question) error
	ProviderProblems() []*problem.Problem
	// Pretend makes the practice ground play no internet, or a locked keychain.
	Pretend(p connect.Pretend)
	Practising() bool
	Home() string
	Close() error
}

// screen is one page of the window, built once and shown any number of times.
type screen interface {
	// view is its widget tree, always the same object.
	view() fyne.CanvasObject
	// shown is called when it came into the window: set the focus, read again.
	shown()
	// left is called when another screen takes its place: cancel what only
	// matters while it is looked at. It must not wait.
	left()
}

// What a screen may have besides; each is looked for when it is needed.
type (
	// ender is told that it will never be shown again.
	ender interface{ ended() }
	// escaper takes Escape and Alt+Left first; false means "go back".
	escaper interface{ escape() bool }
	// presser has a filled button that Ctrl+Enter presses.
	presser interface{ press() }
	// typist takes keys while nothing has the focus that uses them.
	typist interface{ typedKey(*fyne.KeyEvent) }
	// arranger is told when the window became narrow or wide, or the text
	// larger or smaller.
	arranger interface{ arrange() }
	// renewer has an account that Ctrl+R renews.
	renewer interface{ renewNow() }
	// checker has an account that F5 checks.
	checker interface{ checkNow() }
	// refresher is told that accounts, storage, the self-test or the waiting
	// of a keychain changed; also once a minute, because "3 days" ages.
	refresher interface{ refresh() }
)

// place is an item of the rail.
type place int

const (
	placeAccounts place = iota
	placeConnect
	placeGuide
	placeSettings
)

// connectStart says where Connect begins; the zero value is an empty form.
type connectStart struct {
	// Account to sign in again: opens at step 3, after one field if its app's
	// secret was forgotten.
	Account *connect.Account
	// App is the name of a saved app: opens at step 2.
	App string
	// Scopes are ticked beforehand.
	Scopes []string
	// Provider is chosen beforehand, with what the guide collected for it: opens
	// at step 1.
	Provider string
}

func (r connectStart) empty() bool {
	return r.Account == nil && r.App == "" && len(r.Scopes) == 0 && r.Provider == ""
}

// shell is the window around the screens: it owns the core in use, what every
// screen needs to know (accounts, storage, language), and the way from one
// screen to the next. Everything in it belongs to the window's goroutine.
type shell struct {
	params Params
	app    fyne.App
	window fyne.Window
	run    kit.Runner
	now    func() time.Time
	c      *text.Catalogue
	prefs  preferences

	// ctx ends with the window; coreCtx with the core in use (practice or not).
	ctx      context.Context
	stop     context.CancelFunc
	coreCtx  context.Context
	coreStop context.CancelFunc

	core Core
	// real waits, open, while the window practises.
	real Core
	// practising is set while core is the practice ground's; leave ends it.
	practising bool
	leaving    func()
	// entering: the practice ground is being opened.
	entering bool

	accounts accountsState
	alive    alive
	storage  connect.Storage
	// storageKnown is false until storage was read once.
	storageKnown bool
	test         selfTest
	// vaultWaits: the system may be asking the person for the keychain's password.
	vaultWaits bool
	// waiting: a sign-in is under way in Connect.
	waiting bool
	// timer renews while the window is closed.
	timer     timerState
	timerTurn sync.Mutex
	// staying: what the window does beside its screens has begun.
	staying bool
	// wake makes the loop of the core in use look at once; unwatch ends the
	// loops of the practice ground and of the real side.
	wake        func()
	unwatch     func()
	unwatchReal func()
	realWake    func()
	// tray: our icon is in the desktop's; traySaid is what its menu says.
	tray     bool
	traySaid string
	// hidden: the window is in the tray only.
	hidden bool
	// open questions of earlier sign-ins: somebody else than expected answered.
	questions []connect.Recovered
	// wished is the account that is to be opened once the list is known.
	wished string

	frame  *kit.Frame
	body   *body
	copied *copied
	// dialog closes the open one without an answer.
	dialog  func()
	current screen
	at      place
	// trail are the screens behind the current one, for Back.
	trail   []visit
	home    screen
	connect screen
	guide   guide
	// realValues are what the guide was given on the real side, while the window
	// practises.
	realValues map[string]guideValues
	ended      bool
}

type visit struct {
	screen screen
	at     place
}

// accountsState is the list as it was last read.
type accountsState struct {
	list    []connect.Account
	known   bool
	loading bool
	// slow: reading takes more than 2 s, so words are due.
	slow    bool
	problem *problem.Problem
	cancel  context.CancelFunc
}

// say is a sentence in the window's language.
func (s *shell) say(key string, args ...text.Args) string { return s.c.Say(key, args...) }

// work runs f off the window's goroutine and then, back on it, the function
// that takes its result. Whoever passes ctx looks at ctx.Err() there: the
// answer of a screen that was left comes too.
func work[T any](s *shell, ctx context.Context, f func(context.Context) (T, error), then func(T, *problem.Problem)) {
	s.run.Go(func() {
		value, err := f(ctx)
		s.run.Post(func() {
			if s.ended {
				return
			}
			then(value, problem.Of(err))
		})
	})
}

// do is work for functions that give an error alone.
func (s *shell) do(ctx context.Context, f func(context.Context) error, then func(*problem.Problem)) {
	work(s, ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) },
		func(_ struct{}, p *problem.Problem) { then(p) })
}

// after calls f on the window's goroutine once d has passed, unless stop is
// called first.
func (s *shell) after(d time.Duration, f func()) (stop func()) {
	return s.run.After(d, func() {
		if !s.ended {
			f()
		}
	})
}

// every calls f on the window's goroutine every d, until stop is called. A
// slow window gets fewer calls, never a queue of them.
func (s *shell) every(d time.Duration, f func()) (stop func()) {
	stopped := false
	var again func()
	var cancel func()
	again = func() {
		cancel = s.after(d, func() {
			f()
			if !stopped {
				again()
			}
		})
	}
	again()
	return func() { stopped = true; cancel() }
}

// show brings next into the window at that place of the rail; what was there
// is behind it and Back returns to it.
func (s *shell) show(next screen, at place) {
	if s.current == next {
		return
	}
	if s.current != nil {
		s.trail = append(s.trail, visit{s.current, s.at})
		// A long way back is nobody's way back.
		if len(s.trail) > 20 {
			s.forget(s.trail[0].screen)
			s.trail = s.trail[1:]
		}
	}
	s.put(next, at)
}

// replace is show without a way back to what was there, which is gone.
func (s *shell) replace(next screen, at place) {
	old := s.current
	s.put(next, at)
	if old != nil && old != next {
		s.forget(old)
	}
}

// refocus gives a screen that was built anew its first focus: what had it is
// gone.
func (s *shell) refocus(first fyne.Focusable) {
	if first != nil && !s.dialogOpen() {
		s.focus(first)
	}
}

func (s *shell) put(next screen, at place) {
	if s.current != nil {
		s.current.left()
	}
	s.closeDialog()
	s.current, s.at = next, at
	s.body.setContent(next.view())
	s.refreshRail()
	s.retitle()
	next.shown()
}

// forget ends a screen that nothing leads to any more.
func (s *shell) forget(old screen) {
	if old == s.home || old == s.connect || old == s.current {
		return
	}
	for _, v := range s.trail {
		if v.screen == old {
			return
		}
	}
	if e, ok := old.(ender); ok {
		e.ended()
	}
}

// back returns to the screen before, or to the accounts.
func (s *shell) back() {
	for len(s.trail) > 0 {
		last := s.trail[len(s.trail)-1]
		s.trail = s.trail[:len(s.trail)-1]
		if last.screen == s.current || last.at == placeConnect && last.screen != s.connect {
			continue
		}
		old := s.current
		s.put(last.screen, last.at)
		s.forget(old)
		return
	}
	if s.current != s.home {
		old := s.current
		s.put(s.home, placeAccounts)
		s.forget(old)
	}
}

// goAccounts shows the list, or the welcome where there is no account. It is
// the bottom of the way back.
func (s *shell) goAccounts() {
	old := s.current
	s.trail = nil
	if s.current != s.home {
		s.put(s.home, placeAccounts)
		if old != nil {
			s.forget(old)
		}
	}
}

// goConnect opens Connect. Without a wish it returns to what was typed or is
// waiting there; with one it starts anew, unless a sign-in is under way: that
// one is never thrown away by a click elsewhere.
func (s *shell) goConnect(r connectStart) {
	if s.core == nil {
		return
	}
	if s.connect != nil && (r.empty() || s.waiting) {
		s.show(s.connect, placeConnect)
		return
	}
	old := s.connect
	s.connect = s.params.connect(s, r)
	if old != nil && s.current == old {
		s.replace(s.connect, placeConnect)
		return
	}
	if old != nil {
		s.forget(old)
	}
	s.show(s.connect, placeConnect)
}

// endConnect lets go of the Connect screen: the next visit starts anew. Call
// it when the person has cancelled or is done, before going elsewhere.
func (s *shell) endConnect() {
	s.setWaiting(false)
	s.connect = nil
}

// goAccount opens one account.
func (s *shell) goAccount(id string) {
	for _, a := range s.accounts.list {
		if a.ID == id {
			s.show(newAccount(s, a), placeAccounts)
			return
		}
	}
	// It was saved a moment ago and the list was not read since.
	core, whole, from := s.core, s.coreCtx, s.current
	work(s, whole, func(ctx context.Context) (connect.Account, error) { return core.Account(ctx, id) },
		func(a connect.Account, p *problem.Problem) {
			// Who went elsewhere meanwhile, or to the other side, stays there.
			if whole.Err() != nil || s.current != from {
				return
			}
			if p != nil {
				s.tell(p)
				return
			}
			s.show(newAccount(s, a), placeAccounts)
		})
}

// goSettings opens the settings.
func (s *shell) goSettings() {
	if _, ok := s.current.(*settingsScreen); ok {
		return
	}
	s.show(newSettings(s), placeSettings)
}

// setWaiting marks a sign-in under way, for the rail.
func (s *shell) setWaiting(waiting bool) {
	if s.waiting != waiting {
		s.waiting = waiting
		s.refreshRail()
	}
}

// reload reads the accounts and where they are kept again. What is on screen
// stays until the answer is there.
func (s *shell) reload() {
	s.read()
	s.wakeUp()
}

// read is reload without waking the loop, which itself calls for it.
func (s *shell) read() {
	if s.core == nil {
		return
	}
	if s.accounts.cancel != nil {
		s.accounts.cancel()
	}
	ctx, cancel := context.WithCancel(s.coreCtx)
	s.accounts.cancel = cancel
	s.accounts.loading, s.accounts.slow, s.accounts.problem = true, false, nil
	core := s.core
	slow := s.after(2*time.Second, func() {
		if ctx.Err() == nil && s.accounts.loading {
			s.accounts.slow = true
			s.changed()
		}
	})
	work(s, ctx, core.Accounts, func(list []connect.Account, p *problem.Problem) {
		slow()
		if ctx.Err() != nil {
			return
		}
		cancel()
		s.accounts.loading, s.accounts.slow, s.accounts.problem = false, false, p
		if p == nil {
			s.accounts.list, s.accounts.known = list, true
		}
		s.changed()
		s.keepCalendar()
		if s.wished != "" && s.accounts.known {
			s.goWished(s.wished)
		}
	})
	s.readStorage()
}

// stopLoading ends the reading that the person does not want to wait for.
func (s *shell) stopLoading() {
	if s.accounts.cancel != nil {
		s.accounts.cancel()
	}
	s.accounts.loading, s.accounts.slow = false, false
	if !s.accounts.known {
		s.accounts.problem = problem.New(problem.VaultLocked)
	}
	s.changed()
}

// readStorage reads where tokens are kept; nothing is asked of the person.
func (s *shell) readStorage() {
	core, ctx := s.core, s.coreCtx
	work(s, ctx, core.Storage, func(st connect.Storage, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		if p != nil {
			st.Problem = p
		}
		first := !s.storageKnown
		s.storage, s.storageKnown = st, true
		s.changed()
		// An open keychain is proven once; a locked one is left alone, because
		// proving it would ask for a password that nobody has called for.
		if first && p == nil && st.Place != "session" && st.Present && !st.Locked {
			s.testVault(nil)
		}
	})
}

// testVault proves the keychain; then is told how it went. A locked keychain
// asks the person for its password.
func (s *shell) testVault(then func(*problem.Problem)) {
	if s.core == nil || s.test.Running {
		return
	}
	core, ctx := s.core, s.coreCtx
	s.test.Running = true
	s.changed()
	type tested struct {
		storage connect.Storage
		known   bool
	}
	// Both in one go: the page is drawn once for what is really one answer.
	work(s, ctx, func(ctx context.Context) (tested, error) {
		err := core.SelfTest(ctx)
		st, failed := core.Storage(ctx)
		return tested{st, failed == nil}, err
	}, func(r tested, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		s.test = selfTest{At: s.now(), Problem: p}
		if r.known {
			s.storage = r.storage
		}
		s.changed()
		if then != nil {
			then(p)
		}
	})
}

// unlock asks the system for the keychain's password by using the keychain.
func (s *shell) unlock() {
	s.testVault(func(p *problem.Problem) {
		if p == nil {
			s.reload()
		}
	})
}

// vaultAsks is told by the core, from any goroutine, that a password may be
// asked for.
func (s *shell) vaultAsks(waits bool) {
	s.run.Post(func() {
		if s.vaultWaits != waits && !s.ended {
			s.vaultWaits = waits
			s.changed()
		}
	})
}

// changed tells the rail and the screen that something they show is new.
func (s *shell) changed() {
	s.refreshRail()
	s.refreshTray()
	s.retitle()
	if r, ok := s.current.(refresher); ok {
		r.refresh()
	}
}

// program names what keeps the secrets, e.g. "GNOME Keyring".
func (s *shell) program() string { return programOf(s.c, s.storage) }

// session tells that tokens last until the window is closed.
func (s *shell) session() bool { return s.storage.Place == "session" }

// definition is the provider's, or the zero value where it is gone.
func (s *shell) definition(id string) provider.Definition {
	for _, d := range s.core.Providers() {
		if d.ID == id {
			return d
		}
	}
	return provider.Definition{}
}

// start opens the core and what a former run left behind. It runs once the
// window is on screen: opening may wait for another process.
func (s *shell) start() {
	s.openCore(s.params.Practice)
}

// openCore opens the core over the real library, or a practice one.
func (s *shell) openCore(practice *url.URL) {
	ctx := s.ctx
	work(s, ctx, func(ctx context.Context) (Core, error) { return s.params.Open(ctx, practice, s.vaultAsks) },
		func(core Core, p *problem.Problem) {
			if p != nil {
				s.accounts = accountsState{problem: p}
				s.changed()
				return
			}
			if practice == nil {
				s.real = core
			}
			s.use(core)
			s.startStaying()
		})
}

// use makes core the one that every screen speaks to, and starts over.
func (s *shell) use(core Core) {
	if s.coreStop != nil {
		s.coreStop()
	}
	s.coreCtx, s.coreStop = context.WithCancel(s.ctx)
	s.clearCopied()
	s.endConnect()
	s.changeGuide(core)
	s.core, s.practising = core, core.Practising()
	s.body.build()
	s.accounts, s.storage, s.storageKnown, s.test, s.vaultWaits = accountsState{}, connect.Storage{}, false, selfTest{}, false
	s.alive, s.questions = alive{}, nil
	s.startOver()
	s.read()
	s.recover()
	s.watchCore()
}

// watchCore begins the loop of the core in use, unless it runs: the real side
// goes on renewing while the window practises.
func (s *shell) watchCore() {
	if s.unwatch != nil {
		s.unwatch()
		s.unwatch = nil
	}
	switch {
	case s.core != s.real:
		s.unwatch = s.watch(s.core)
	case s.unwatchReal == nil:
		s.unwatchReal = s.watch(s.core)
		s.realWake = s.wake
	default:
		s.wake = s.realWake
	}
}

// startOver drops every screen and shows the first one.
func (s *shell) startOver() {
	old := s.trail
	if s.current != nil {
		old = append(old, visit{s.current, s.at})
	}
	s.trail, s.home, s.connect = nil, newHome(s), nil
	s.put(s.home, placeAccounts)
	for _, v := range old {
		s.forget(v.screen)
	}
}

// recover finishes what an earlier run could not, in the background.
func (s *shell) recover() {
	core, ctx := s.core, s.coreCtx
	s.questions = nil
	work(s, ctx, core.Recover, func(done []connect.Recovered, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		for _, r := range done {
			switch {
			case r.Other != nil:
				s.questions = append(s.questions, r)
			case r.Account != nil:
				s.toast(s.say("accounts.finished_one", text.Args{"username": "@" + r.Account.Username}))
			case r.Problem != nil && r.Problem.Key == problem.Interrupted:
				s.toast(s.say("accounts.interrupted"))
			case r.Problem != nil:
				s.tell(r.Problem)
			}
		}
		if p != nil {
			s.tell(p)
		}
		if len(done) > 0 {
			s.reload()
		}
	})
}

// tell is the one place where a problem that concerns nothing on screen is
// shown: its headline and its advice, in a toast.
func (s *shell) tell(p *problem.Problem) {
	if p == nil || errors.Is(p, context.Canceled) {
		return
	}
	told := s.c.Tell(p)
	s.toast(sentence(told.Title) + " " + told.Advice)
}

// connected is told by Connect that an account was saved.
func (s *shell) connected(connect.Account) { s.reload() }

// close ends everything the window started. It does not wait for work.
func (s *shell) close() {
	if s.ended {
		return
	}
	s.clearCopied()
	if size := s.window.Canvas().Size(); size.Width > 0 {
		s.rememberSize()
	}
	s.ended = true
	s.stop()
	for _, end := range []func(){s.unwatch, s.unwatchReal} {
		if end != nil {
			end()
		}
	}
	if s.leaving != nil {
		s.leaving()
	}
	for _, core := range []Core{s.core, s.real} {
		if core != nil {
			_ = core.Close()
		}
		if s.core == s.real {
			break
		}
	}
}
