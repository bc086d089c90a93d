package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// accountTask is how the screen follows a check or a renewal of its account,
// whoever began it.
type accountTask struct {
	// asking is what the screen was last drawn for.
	asking bool
	// slow: for more than 2 s, so words are due.
	slow bool
	// problem, ofRenewal and note are those of accountWork.
	problem   *problem.Problem
	ofRenewal bool
	note      string
	timers    []func()
}

func (t *accountTask) rest() {
	for _, stop := range t.timers {
		stop()
	}
	t.timers = nil
}

// workNow is what the presenter needs to know of it.
func (a *accountScreen) workNow() accountWork {
	t, q := a.task, a.s.alive.asked[a.account.ID]
	w := accountWork{Asking: q != nil, Renewing: q != nil && q.stop == nil, Slow: t.slow, Problem: t.problem, OfRenewal: t.ofRenewal, Note: t.note}
	if a.s.storage.Locked {
		w.Locked = a.s.say("accounts.locked_lead") + " " + a.s.say("accounts.locked_body")
	}
	return w
}

// watchTask starts or ends what shows that something is under way: a bar after
// 0.4 s, words after 2 s (ux.md 6).
func (a *accountScreen) watchTask() {
	asking := a.s.asking(a.account.ID)
	if asking == a.task.asking {
		return
	}
	a.task.asking, a.task.slow = asking, false
	a.task.rest()
	if !asking {
		a.parts.busy.Stop()
		a.parts.busy.Hide()
		return
	}
	a.task.timers = []func(){
		a.s.after(spinnerFrom, func() {
			a.parts.busy.Show()
			a.parts.busy.Start()
		}),
		a.s.after(wordsFrom, func() {
			a.task.slow = true
			a.rebuild()
		}),
	}
}

// begin forgets how the last question went.
func (a *accountScreen) begin(renewing bool) {
	a.task.problem, a.task.note, a.task.ofRenewal = nil, "", renewing
}

// actionsNow is what can be done at this moment.
func (a *accountScreen) actionsNow() accountActions {
	return presentActions(a.s.c, a.account, a.workNow(), a.s.now())
}

func (a *accountScreen) checkOrStop() {
	if a.s.asking(a.account.ID) {
		a.s.stopAsking(a.account.ID)
		return
	}
	a.checkNow()
}

// checkNow asks the provider whether the token works.
func (a *accountScreen) checkNow() {
	if m := a.actionsNow(); a.gone || !m.Check.Shown || !m.Check.Enabled || m.Busy != nil {
		return
	}
	a.begin(false)
	a.s.checkOne(a.account.ID, func(c connect.Checked, p *problem.Problem) {
		a.answered(p, "", a.s.say("alive.works", text.Args{"username": "@" + a.account.Username}))
	})
}

// renewNow asks the provider for a new token.
func (a *accountScreen) renewNow() {
	if m := a.actionsNow(); a.gone || !m.Renew.Shown || !m.Renew.Enabled || m.Busy != nil {
		return
	}
	a.begin(true)
	a.s.renewOne(a.account.ID, func(r connect.Renewal, p *problem.Problem) {
		words := renewalWords(a.s.c, r, a.s.now())
		if r.Outcome == connect.Renewed || r.Outcome == connect.AlreadyRenewed {
			// The former token is not what the mask shows any more.
			a.forgetMask()
			a.answered(p, "", words)
			return
		}
		a.answered(p, words, "")
	})
}

// answered tells how it went: beside what it concerns while the screen is
// looked at, else in a toast. note stays on the screen, toast passes.
func (a *accountScreen) answered(p *problem.Problem, note, toast string) {
	s := a.s
	here := s.current == screen(a)
	switch {
	case p != nil && here:
		a.task.problem = p
	case p != nil:
		s.tell(p)
	case note != "" && here:
		a.task.note = note
	default:
		s.toast(note + toast)
	}
	if here {
		// Its diary says so too.
		a.read()
	}
}

// outcome is the notice of what did not work, with its next step.
func (a *accountScreen) outcome(n accountNotice) fyne.CanvasObject {
	var more []kit.Run
	for _, action := range n.Actions {
		if do := a.act(action); do != nil {
			more = append(more, kit.Run{Words: a.s.c.Action(action), Tapped: func() {
				do()
				// The link went with its notice.
				if a.s.current == screen(a) {
					a.focusFirst()
				}
			}})
		}
	}
	return kit.NewNotice(kit.Tone(n.Tone), n.Lead, n.Words, more...)
}

func (a *accountScreen) act(action problem.Action) func() {
	switch action {
	case problem.TryAgain:
		if a.task.ofRenewal {
			return a.renewNow
		}
		return a.checkNow
	case problem.SignInAgain:
		return a.signIn
	case problem.OpenSettings:
		return a.s.goSettings
	case problem.OpenProvider:
		return func() { a.s.openSite(a.s.definition(a.account.Provider)) }
	}
	if isGuide(action) {
		return func() { a.s.openGuideFor(a.s.definition(a.account.Provider), action) }
	}
	return nil
}
