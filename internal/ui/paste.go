package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// The pace of the screen (ux.md 5.11, 6): the provider is asked once typing has
// rested, its answers appear one by one, and what takes long says so.
const (
	pasteRests  = 800 * time.Millisecond
	pasteTells  = 150 * time.Millisecond
	spinnerFrom = 400 * time.Millisecond
	wordsFrom   = 2 * time.Second
)

// dashboard is Meta's list of a person's apps.
const dashboard = "https://developers.facebook.com/apps/"

// pasteScreen takes in a token that the person has from elsewhere. The text is
// in its field and nowhere else in the window; leaving the screen empties it.
// Nothing is saved before "Keep it safe".
type pasteScreen struct {
	s     *shell
	state pasteState
	// turn counts what is asked, so that a late answer is known as such.
	turn int
	// ctx is of the question that is under way.
	cancel context.CancelFunc
	timers []func()
	// saving counts as well: what a left screen saves is told elsewhere.
	here    bool
	filling bool

	root  *fyne.Container
	parts pasteParts
}

func newPaste(s *shell) screen {
	p := &pasteScreen{s: s}
	p.build()
	return p
}

// goPaste opens the screen; what stands half-way in Connect stays there.
func (s *shell) goPaste() {
	if s.core == nil {
		return
	}
	if _, ok := s.current.(*pasteScreen); !ok {
		s.show(newPaste(s), placeConnect)
	}
}

func (p *pasteScreen) view() fyne.CanvasObject { return p.root }

func (p *pasteScreen) shown() {
	p.here = true
	core, ctx := p.s.core, p.s.coreCtx
	work(p.s, ctx, func(ctx context.Context) (string, error) { return core.Setting(ctx, "renew") }, func(value string, problem *problem.Problem) {
		if ctx.Err() == nil && problem == nil && p.here {
			p.state.NeverRenews = value == "off"
			p.refresh()
		}
	})
	p.refresh()
	p.s.focus(p.parts.field)
}

func (p *pasteScreen) left() {
	p.here = false
	p.parts.bar.Stop()
	p.parts.field.Conceal()
	p.fill(secret.Text{})
	p.forget()
}

// forget ends what is under way and lets go of all that was found.
func (p *pasteScreen) forget() {
	p.turn++
	if p.cancel != nil {
		p.cancel()
		p.cancel = nil
	}
	for _, stop := range p.timers {
		stop()
	}
	p.timers = nil
	p.state = pasteState{Made: p.state.Made, NeverRenews: p.state.NeverRenews}
}

// fill puts a text into the field without taking it for typing.
func (p *pasteScreen) fill(value secret.Text) {
	p.filling = true
	p.parts.field.Put(value)
	p.filling = false
}

// later calls f in d unless something else was pasted by then.
func (p *pasteScreen) later(d time.Duration, f func()) {
	turn := p.turn
	p.timers = append(p.timers, p.s.after(d, func() {
		if turn == p.turn {
			f()
		}
	}))
}

// edited is told of each change of the field: its kind is told at once, on this
// computer; the provider is asked when the field has rested.
func (p *pasteScreen) edited() {
	if p.filling {
		return
	}
	p.forget()
	value := p.parts.field.Peek()
	if value.Empty() {
		p.refresh()
		return
	}
	shape := connect.Read(value)
	p.state.Filled, p.state.Prefix = true, prefixOf(shape.Token)
	// The token itself stays in the field.
	shape.Token = secret.Text{}
	shape.Problem = p.objection(shape)
	p.state.Shape = shape
	p.state.Provider = p.s.definition(shape.Provider)
	if shape.Problem == nil {
		p.later(pasteRests, p.ask)
	}
	p.refresh()
}

// objection is why a text of that shape is not taken here, nil when it is: the
// practice ground and the real side do not take each other's tokens, and one of
// a service that the person has described is not another service's.
func (p *pasteScreen) objection(shape connect.Shape) *problem.Problem {
	practising := p.s.core.Practising()
	switch why := shape.Problem; {
	case why != nil && why.Key == problem.TokenOtherService && p.s.definition(shape.Provider).ID != "":
	case why != nil:
		return why
	}
	switch {
	case shape.Practice && !practising:
		return problem.New(problem.PastePractice)
	case practising && !shape.Practice:
		return problem.New(problem.PastePractice, "reason", "real")
	}
	return nil
}

// prefixOf is what a token's kind is told by: its first letters up to four, as
// they are in a masked token too.
func prefixOf(token secret.Text) string {
	letters := []rune(token.Masked(4, 0))
	for i, r := range letters {
		if i == 4 || r == '•' || r == ' ' {
			return string(letters[:i])
		}
	}
	return string(letters)
}

// ask asks the provider whose token it is, and whether it works.
func (p *pasteScreen) ask() {
	p.turn++
	turn, core := p.turn, p.s.core
	ctx, cancel := context.WithCancel(p.s.coreCtx)
	p.cancel = cancel
	value := p.parts.field.Peek()
	st := &p.state
	st.Asking, st.Slow, st.Found, st.Problem, st.Stopped, st.Told, st.NotSaved = true, false, nil, nil, false, 0, nil
	st.Pick = ""
	p.later(spinnerFrom, p.spin)
	p.later(wordsFrom, func() { st.Slow = st.Asking; p.refresh() })
	p.refresh()
	work(p.s, ctx, func(ctx context.Context) (connect.Inspected, error) { return core.Inspect(ctx, value) },
		func(found connect.Inspected, problem *problem.Problem) {
			cancel()
			if turn != p.turn {
				return
			}
			st.Asking, st.Slow = false, false
			found.Shape.Token = secret.Text{}
			if problem != nil {
				st.Problem = problem
			} else {
				st.Found = &found
				if found.Shape.Provider != "" {
					st.Provider = p.s.definition(found.Shape.Provider)
				}
				p.tellOn()
			}
			p.refresh()
		})
}

// tellOn brings the next line of the answer into sight.
func (p *pasteScreen) tellOn() {
	p.state.Told++
	p.refresh()
	if p.state.Told < pasteAnswers {
		p.later(pasteTells, p.tellOn)
	}
}

// stopAsking ends the question that the person does not want to wait for.
func (p *pasteScreen) stopAsking() {
	if !p.state.Asking {
		return
	}
	p.turn++
	p.cancel()
	p.state.Asking, p.state.Slow, p.state.Stopped = false, false, true
	p.refresh()
}

// keep saves what was found. It is not stopped by leaving: what the screen then
// cannot say is told in a toast.
func (p *pasteScreen) keep() {
	st := &p.state
	if m := presentPaste(p.s.c, p.now()); !m.Keep {
		return
	}
	s, core, ctx := p.s, p.s.core, p.s.coreCtx
	in := connect.Paste{Provider: st.Provider.ID, Text: p.parts.field.Peek(), UserID: st.Pick, Issued: issuedOf(st.Made, s.now())}
	said := p.savedWords()
	st.Saving, st.SavingSlow, st.NotSaved = true, false, nil
	turn := p.turn
	p.later(spinnerFrom, p.spin)
	p.later(wordsFrom, func() { st.SavingSlow = st.Saving; p.refresh() })
	p.refresh()
	work(s, ctx, func(ctx context.Context) (connect.Account, error) { return core.Import(ctx, in) },
		func(account connect.Account, problem *problem.Problem) {
			here := p.here && turn == p.turn
			if here {
				st.Saving, st.SavingSlow = false, false
			}
			switch {
			case ctx.Err() != nil:
			case problem != nil && here:
				st.NotSaved = problem
				p.refresh()
			case problem != nil:
				s.tell(problem)
			case here:
				s.connected(account)
				s.goAccounts()
				s.goAccount(account.ID)
				s.toast(said(account))
			default:
				s.connected(account)
				s.toastWith(said(account), s.say("paste.open"), func() { s.goAccount(account.ID) })
			}
		})
}

// savedWords are what a toast says once it is kept.
func (p *pasteScreen) savedWords() func(connect.Account) string {
	s, then := p.s, promise(p.s.c, p.now(), text.Args{"provider": p.state.Provider.Name})
	return func(a connect.Account) string {
		words := s.say("paste.kept", text.Args{"username": "@" + a.Username})
		if then != "" {
			words += " " + then
		}
		return words
	}
}

// now is the state with what the rest of the window knows.
func (p *pasteScreen) now() pasteState {
	st := p.state
	st.Program, st.Waits, st.Now = p.s.program(), p.s.vaultWaits, p.s.now()
	return st
}

func (p *pasteScreen) follow(do pasteDo) {
	switch do {
	// The link that was pressed goes; the focus does not go with it.
	case pasteAgain:
		p.ask()
		p.s.focus(p.parts.field)
	case pasteStop:
		p.stopAsking()
		p.s.focus(p.parts.field)
	case pasteHow:
		p.how()
	case pasteOpen:
		if known := p.state.Found.Known; known != nil {
			p.s.goAccount(known.ID)
		}
	}
}

// openDashboard opens Meta's page in the person's browser.
func (p *pasteScreen) openDashboard() { p.s.openPage(dashboard) }

// openPage opens an address in the person's browser and tells where that fails.
func (s *shell) openPage(address string) {
	s.do(s.ctx, func(ctx context.Context) error { return s.params.OpenAddress(ctx, address) }, func(p *problem.Problem) { s.tell(p) })
}

func (p *pasteScreen) press() { p.keep() }

func (p *pasteScreen) arrange() { p.compose() }

// cancelled goes back to where one came from.
func (p *pasteScreen) cancelled() { p.s.back() }

// how says, over the screen, how a new one is had.
func (p *pasteScreen) how() {
	s := p.s
	s.open(kit.Dialog{Title: s.say("paste.where"), Body: p.steps(), Buttons: []kit.DialogButton{
		{Label: s.say("paste.close"), Kind: kit.Medium, Harmless: true},
		{Label: s.say("paste.dashboard"), Kind: kit.High, Tapped: p.openDashboard},
	}})
}
