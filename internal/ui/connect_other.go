package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// heardOnTheWay takes a state of an attempt that goes on: what it asks opens,
// and what it asked closes when it is over.
func (f *flow) heardOnTheWay(before connect.State) {
	st := f.state
	switch {
	case st.Asks() && st.Choices != nil:
		if before.Choices == nil {
			f.keep = f.firstChoice(st.Choices)
			f.to(stageChoose)
			f.notice()
			return
		}
	case f.stage == stageChoose, f.stage == stagePage && !st.Cancellable():
		f.to(stageWait)
		return
	case st.Asks() && st.Other != nil:
		if before.Other == nil {
			f.changed()
			f.notice()
			f.asks()
			return
		}
	}
	if before.Other != nil && st.Other == nil {
		f.asked()
	}
	f.changed()
}

// notice tells a person who is elsewhere that the sign-in asks something.
func (f *flow) notice() {
	if !f.shown {
		f.s.toastWith(f.s.say("connect.other.waits"), f.s.say("connect.other.look"), func() { f.s.goConnect(connectStart{}) })
	}
}

// firstChoice ticks what is likely meant: who was here already when signing in
// again, else everybody that can be reached.
func (f *flow) firstChoice(choices []connect.Choice) map[string]bool {
	known := slices.ContainsFunc(choices, func(c connect.Choice) bool { return c.Known && c.Reachable })
	keep := map[string]bool{}
	for _, c := range choices {
		if c.Reachable && (f.form.ExpectID == "" || !known || c.Known) {
			keep[c.UserID] = true
		}
	}
	return keep
}

// kept are the ids of the ticked accounts, in the order of the list.
func (f *flow) kept() []string {
	var ids []string
	for _, c := range f.state.Choices {
		if c.Reachable && f.keep[c.UserID] {
			ids = append(ids, c.UserID)
		}
	}
	return ids
}

// keepChosen goes on with the ticked accounts. None is no answer.
func (f *flow) keepChosen() {
	ids := f.kept()
	if len(ids) == 0 || f.stage != stageChoose {
		return
	}
	select {
	case f.chosen <- ids:
	default:
	}
	f.state.Choices = nil
	f.to(stageWait)
}

// addOther keeps the answer as the account of whoever answered.
func (f *flow) addOther() { f.answer(connect.AddAsNew) }

// dropOther forgets the answer; everything stays as it was.
func (f *flow) dropOther() { f.answer(connect.DropAnswer) }

func (f *flow) answer(d connect.Decision) {
	select {
	case f.decide <- d:
	default:
	}
}

// insist drops the answer of somebody else and signs in once more, in a window
// that knows nobody where there is one.
func (f *flow) insist() {
	f.form.Separate = f.separate()
	f.begin()
}

// otherDialog is the question whose account an answer shall be.
type otherDialog struct {
	other connect.Other
	line  string
	add   func()
	again func()
	leave func()
}

// askOther opens that question. Escape is neither of the two.
func (s *shell) askOther(d otherDialog) {
	add := "connect.other.new_button"
	if d.other.Known {
		add = "connect.other.known_button"
	}
	s.open(kit.Dialog{
		Title: s.say("connect.other.title"),
		Body: kit.Column(16, kit.Flow(20,
			person(s.say("connect.other.wanted"), d.other.Wanted),
			kit.NewIcon(theme.IconForward, theme.ColorMuted, theme.SizeIcon),
			person(s.say("connect.other.answered"), d.other.Found)),
			kit.Muted(d.line)),
		Buttons: []kit.DialogButton{
			{Label: s.say(add, text.Args{"username": d.other.Found}), Kind: kit.Low, Tapped: d.add},
			{Label: s.say("connect.other.wanted_button", text.Args{"username": d.other.Wanted}), Kind: kit.High, Harmless: true, Tapped: d.again},
		},
		Escape: d.leave,
		Width:  492,
	})
}

// askOther puts the question of the attempt under way.
func (c *connectScreen) askOther() {
	f := c.f
	if !f.shown || f.state.Other == nil || c.s.dialogOpen() {
		return
	}
	line := c.s.say("connect.other.line")
	if !f.separate() {
		line = c.s.say("connect.other.line_sign_out", text.Args{"provider": f.state.Provider})
	}
	c.asking = true
	c.s.askOther(otherDialog{other: *f.state.Other, line: line, add: f.addOther, again: f.insist, leave: f.dropOther})
}

// closeOther closes the question when the attempt has gone on without an answer.
func (c *connectScreen) closeOther() {
	if c.asking && c.f.shown {
		c.s.closeDialog()
	}
	c.asking = false
}

// questionNotice is the notice of an earlier sign-in that still waits for a
// decision.
func (s *shell) questionNotice(r connect.Recovered) fyne.CanvasObject {
	return kit.NewNotice(kit.Warn, s.say("connect.other.left_lead"),
		s.say("connect.other.left", text.Args{"wanted": "@" + r.Other.Wanted, "found": "@" + r.Other.Found}),
		kit.Run{Words: s.say("connect.other.decide"), Tapped: func() { s.askSettle(r) }})
}

// askSettle puts the question that an earlier sign-in left open. Escape leaves
// it open: it is asked again another time.
func (s *shell) askSettle(r connect.Recovered) {
	s.askOther(otherDialog{other: *r.Other, line: s.say("connect.other.line_left"),
		add: func() { s.settle(r, connect.AddAsNew, nil) },
		again: func() {
			s.settle(r, connect.DropAnswer, func() { s.signInAs(r.Other.Wanted) })
		},
		leave: func() {},
	})
}

// settle ends an open question, and goes on with then when it is ended.
func (s *shell) settle(r connect.Recovered, d connect.Decision, then func()) {
	core, ctx := s.core, s.coreCtx
	work(s, ctx, func(ctx context.Context) (*connect.Account, error) { return core.Settle(ctx, r.ID, d) },
		func(a *connect.Account, p *problem.Problem) {
			if ctx.Err() != nil {
				return
			}
			if p != nil && p.Key != problem.AccountUnknown {
				s.tell(p)
				return
			}
			// Where it is unknown another program has ended it.
			s.questions = slices.DeleteFunc(s.questions, func(q connect.Recovered) bool { return q.ID == r.ID })
			if a != nil {
				s.toast(s.say("connect.fine.title", text.Args{"username": a.Username}))
			}
			s.reload()
			s.changed()
			if then != nil {
				then()
			}
		})
}

// signInAs signs the account of that name in again.
func (s *shell) signInAs(username string) {
	for _, a := range s.accounts.list {
		if a.Username == username {
			s.goConnect(connectStart{Account: &a})
			return
		}
	}
	s.goConnect(connectStart{})
}
