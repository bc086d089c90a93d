package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	// showLimit ends a showing even if the button is still held.
	showLimit = 30 * time.Second
)

// reveal is the one place where a token's text is in a widget: only while it
// is held open, and never longer than showLimit.
type reveal struct {
	s  *shell
	id string
	// ctx ends with the screen's visit.
	ctx func() context.Context
	// show puts the token, or its mask, into the field.
	show func(value secret.Text, open bool)

	held   bool
	turn   int
	mask   secret.Text
	cancel func()
}

// start asks for the token; it appears when the answer is there and the button
// is still held.
func (r *reveal) start(limit time.Duration) {
	if r.held {
		return
	}
	r.held = true
	r.turn++
	turn, core, ctx := r.turn, r.s.core, r.ctx()
	r.cancel = r.s.after(limit, func() {
		if turn == r.turn {
			r.stop()
		}
	})
	work(r.s, ctx, func(ctx context.Context) (connect.Handed, error) { return core.Token(ctx, r.id) },
		func(handed connect.Handed, p *problem.Problem) {
			if ctx.Err() != nil {
				return
			}
			if p != nil {
				r.stop()
				r.s.tell(p)
				return
			}
			if !r.held || turn != r.turn {
				return
			}
			r.show(handed.AccessToken, true)
			r.s.do(ctx, func(ctx context.Context) error { return core.Note(ctx, r.id, "shown", nil) }, func(*problem.Problem) {})
		})
}

// stop hides it at once, whatever is still under way.
func (r *reveal) stop() {
	if !r.held {
		return
	}
	r.held = false
	r.turn++
	r.cancel()
	r.show(r.mask, false)
}

// accountScreen is everything about one token.
type accountScreen struct {
	s       *shell
	account connect.Account
	diary   accountDiary
	gone    bool
	// neverRenews: renewing by itself is switched off in the settings.
	neverRenews bool
	task        accountTask

	ctx  context.Context
	stop context.CancelFunc
	tick func()

	root    *fyne.Container
	parts   accountParts
	reveal  *reveal
	columns bool
}

func newAccount(s *shell, a connect.Account) *accountScreen {
	screen := &accountScreen{s: s, account: a, root: container.NewStack()}
	screen.ctx, screen.stop = context.WithCancel(s.coreCtx)
	screen.reveal = &reveal{s: s, id: a.ID, ctx: func() context.Context { return screen.ctx }, show: screen.showToken}
	screen.build()
	return screen
}

func (a *accountScreen) view() fyne.CanvasObject { return a.root }

func (a *accountScreen) shown() {
	if a.ctx.Err() != nil {
		a.ctx, a.stop = context.WithCancel(a.s.coreCtx)
	}
	a.tick = a.s.every(time.Second, a.countDown)
	a.read()
	a.refresh()
	a.focusFirst()
}

func (a *accountScreen) conceal() { a.reveal.stop() }

func (a *accountScreen) left() {
	a.conceal()
	a.stop()
	// What is still under way is watched anew when the screen is shown again.
	a.task.rest()
	a.task.asking, a.task.slow = false, false
	a.parts.busy.Stop()
	a.parts.busy.Hide()
	if a.tick != nil {
		a.tick()
	}
}

// read fetches the diary and the first and last characters of the token. A
// locked keychain is not asked: the mask is then dots alone.
func (a *accountScreen) read() {
	core, ctx, id := a.s.core, a.ctx, a.account.ID
	a.readDiary()
	work(a.s, ctx, func(ctx context.Context) (string, error) { return core.Setting(ctx, "renew") }, func(value string, p *problem.Problem) {
		if ctx.Err() == nil && p == nil && a.neverRenews != (value == "off") {
			a.neverRenews = value == "off"
			a.rebuild()
		}
	})
	if !a.maySeeToken() || a.s.storage.Locked || !a.reveal.mask.Empty() {
		return
	}
	work(a.s, ctx, func(ctx context.Context) (connect.Handed, error) { return core.Token(ctx, id) },
		func(handed connect.Handed, p *problem.Problem) {
			if ctx.Err() != nil || p != nil || handed.AccessToken.Empty() {
				return
			}
			// What is kept is the mask, not the token.
			a.reveal.mask = secret.New(handed.AccessToken.Masked(4, 5))
			if !a.reveal.held {
				a.showToken(a.reveal.mask, false)
			}
		})
}

// maySeeToken: of an ended or refused token nothing is handed out.
func (a *accountScreen) maySeeToken() bool { return bucket(a.account) != filterNeed }

// refresh takes the account from the list that was read last.
func (a *accountScreen) refresh() {
	if a.s.accounts.known {
		found := false
		for _, known := range a.s.accounts.list {
			if known.ID == a.account.ID {
				former := a.account
				a.account, found = known, true
				a.follow(former)
			}
		}
		a.gone = !found && !a.s.accounts.loading
	}
	a.watchTask()
	a.rebuild()
}

// follow reads again what somebody else changed meanwhile: the loop, the daily
// run, a command.
func (a *accountScreen) follow(former connect.Account) {
	same := func(x, y *time.Time) bool { return x == y || x != nil && y != nil && x.Equal(*y) }
	now := a.account
	renewed := !same(former.IssuedAt, now.IssuedAt) || !same(former.ExpiresAt, now.ExpiresAt)
	if renewed {
		a.forgetMask()
	}
	if a.ctx.Err() == nil && (renewed || !same(former.TriedAt, now.TriedAt) || !same(former.CheckedAt, now.CheckedAt) || former.Reason != now.Reason || former.Warned != now.Warned) {
		a.read()
	}
}

func (a *accountScreen) arrange() { a.rebuild() }

func (a *accountScreen) signIn() {
	account := a.account
	a.s.goConnect(connectStart{Account: &account})
}

// askRemove asks first; the harmless button has the focus.
func (a *accountScreen) askRemove() { a.s.askRemove(a.account) }

func (a *accountScreen) copyChosen() {
	if a.maySeeToken() && !a.s.storage.Locked {
		a.s.copyToken(a.account, func(*problem.Problem) { a.read() })
	}
}
func (a *accountScreen) signInChosen() { a.signIn() }
func (a *accountScreen) menuChosen()   {}

func (a *accountScreen) press() {
	if a.maySeeToken() {
		a.copyChosen()
	} else {
		a.signIn()
	}
}

func (a *accountScreen) typedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyDelete {
		a.askRemove()
	}
}

// showsAccount reports whether that account's own screen is in the window.
func (s *shell) showsAccount(id string) bool {
	a, ok := s.current.(*accountScreen)
	return ok && a.account.ID == id
}

// forgetMask lets the mask be made anew, from the token that is stored now.
func (a *accountScreen) forgetMask() { a.reveal.mask = secret.Text{} }
