package ui

import (
	"context"
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// The loop that renews while the window is open, and what becomes of its
// reports: the list is read again, what went well is told in a toast, and who
// will be needed stands in a notice and in a notification of the system.

// watch begins renewing over a core until the window closes or it is ended.
func (s *shell) watch(core Core) (end func()) {
	core.SetRenewing(true)
	ctx, stop := context.WithCancel(s.ctx)
	wake := make(chan struct{}, 1)
	s.wake = func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	finish := s.params.watch(ctx, core, renew.WatchOptions{
		Options: renew.Options{Now: s.params.now},
		Wake:    wake,
		Done: func(r renew.Report) {
			s.run.Post(func() {
				if !s.ended && ctx.Err() == nil {
					s.reported(core, r)
				}
			})
		},
	})
	return func() {
		stop()
		// A renewal whose answer has come is stored first, which may wait for a
		// locked keychain.
		s.run.Beside(finish)
	}
}

// reported takes in what a run of the loop came to.
func (s *shell) reported(core Core, r renew.Report) {
	var renewed []connect.Renewal
	for _, one := range r.Renewals {
		if one.Outcome == connect.Renewed {
			renewed = append(renewed, one)
		}
		if s.core == core {
			s.learned(one.Account, one.Problem)
		}
	}
	if s.core == core {
		if words := renewedWords(s.c, renewed, s.now()); words != "" {
			s.toast(words)
		}
		s.warn(core, r.Warnings)
		s.read()
	}
	if s.params.Notify == nil {
		return
	}
	for _, w := range r.Warnings {
		s.notify(core, w)
	}
}

// renewedWords tells what was renewed by itself; empty for nothing.
func renewedWords(c *text.Catalogue, renewed []connect.Renewal, now time.Time) string {
	switch len(renewed) {
	case 0:
		return ""
	case 1:
		a := renewed[0].Account
		if end := endOf(a); !end.IsZero() {
			return c.Say("alive.renewed_one", text.Args{"username": "@" + a.Username, "date": c.Date(end.In(now.Location()))})
		}
		return c.Say("alive.renewed_one_plain", text.Args{"username": "@" + a.Username})
	}
	return c.Count("alive.renewed_many", len(renewed))
}

// warn puts warnings above the list, and notes that they were told where the
// window is in sight.
func (s *shell) warn(core Core, warnings []renew.Warning) {
	for _, w := range warnings {
		s.alive.warnings = slices.DeleteFunc(s.alive.warnings, func(old renew.Warning) bool { return old.Account.ID == w.Account.ID })
		s.alive.warnings = append(s.alive.warnings, w)
		if s.params.Notify == nil && !s.hidden {
			s.told(core, w)
		}
	}
}

// told notes that the person knows; the next warning is a nearer one.
func (s *shell) told(core Core, w renew.Warning) {
	s.do(s.ctx, func(ctx context.Context) error { return core.MarkWarned(ctx, w.Account.ID, w.Mark()) }, func(*problem.Problem) {})
}

// notify asks the system to show a warning; a click on it raises the window at
// that account. Where the system has no notifications the notice in the window
// is what tells.
func (s *shell) notify(core Core, w renew.Warning) {
	title, body := warningWords(s.c, w, s.now())
	notice := desktop.Notice{Title: title, Body: body, ActionLabel: s.say("accounts.open"), Urgent: w.Days <= 2}
	s.send(notice, func() { s.goWarned(core, w.Account.ID) }, func(p *problem.Problem) {
		if p == nil || !s.hidden {
			s.told(core, w)
		}
	})
}

// send shows a notification; clicked and done run on the window's goroutine.
func (s *shell) send(n desktop.Notice, clicked func(), done func(*problem.Problem)) {
	work(s, s.ctx, func(ctx context.Context) (<-chan struct{}, error) { return s.params.Notify(ctx, n) },
		func(click <-chan struct{}, p *problem.Problem) {
			done(p)
			if click == nil {
				return
			}
			s.run.Beside(func() {
				select {
				case _, yes := <-click:
					if yes {
						s.run.Post(func() {
							if !s.ended {
								s.raise()
								clicked()
							}
						})
					}
				case <-s.ctx.Done():
				}
			})
		})
}

// goWarned opens an account of the real or the practice side, whichever is in
// the window; one of the other side is told by its name alone.
func (s *shell) goWarned(core Core, id string) {
	if s.core == core && !s.dialogOpen() {
		s.goAccount(id)
	}
}

// raise brings the window in front of the others.
func (s *shell) raise() {
	s.hidden = false
	s.window.Show()
	s.window.RequestFocus()
}

// warningWords are a warning's title and body, for the notice and for the
// notification. They name the account, never more.
func warningWords(c *text.Catalogue, w renew.Warning, now time.Time) (title, body string) {
	username := text.Args{"username": "@" + w.Account.Username}
	if w.Days == 0 {
		title = c.Say("alive.warn.over", username)
		if w.Reason != "" && w.Reason != problem.TokenEnded {
			return title, reasonOf(c, w.Account) + ". " + c.Say("alive.warn.sign_in")
		}
		return title, c.Say("alive.warn.ended") + " " + c.Say("alive.warn.sign_in")
	}
	end := w.EndsAt.In(now.Location())
	left := connect.DaysLeft(w.EndsAt, now)
	username["day"] = c.ShortDate(end)
	key := "alive.warn.by"
	if left <= 7 {
		key, username["day"] = "alive.warn.by_weekday", c.Say("weekday."+strconv.Itoa(int(end.Weekday())))
	}
	return c.Say(key, username), c.Count("alive.warn.ends", left) + " " + c.Say("alive.warn.sign_in_keep")
}

// aliveNote is a notice above the list; said tells whether it says the same as
// the one that stands there.
type aliveNote struct {
	said string
	draw func() fyne.CanvasObject
}

// aliveNotices are what stands above the list now.
func (s *shell) aliveNotices() []aliveNote {
	var notes []aliveNote
	if len(s.offline()) > 0 {
		lead, line := s.say("alive.offline_lead"), s.say("alive.offline_line")
		notes = append(notes, aliveNote{lead + line, func() fyne.CanvasObject {
			return kit.NewNoticeIcon(kit.Warn, theme.IconCloudOff, lead, line, kit.Run{Words: s.say("accounts.try_again"), Tapped: s.tryConnection})
		}})
	}
	live := s.liveWarnings()
	switch {
	case len(live) == 1:
		w := live[0]
		title, body := warningWords(s.c, w, s.now())
		notes = append(notes, aliveNote{title + body, func() fyne.CanvasObject {
			return kit.NewNoticeButton(kit.Warn, theme.IconBell, title, body,
				kit.NewButton(s.say("alive.warn.later"), kit.Low, s.dropWarnings),
				kit.NewButton(s.say("accounts.sign_in"), kit.Low, func() {
					a := w.Account
					s.goConnect(connectStart{Account: &a})
				}))
		}})
	case len(live) > 1:
		title := s.c.Count("alive.warn.many", len(live))
		body := ""
		for i, w := range live[:min(3, len(live))] {
			if i > 0 {
				body += ", "
			}
			body += "@" + w.Account.Username
		}
		if len(live) > 3 {
			body += ", …"
		}
		notes = append(notes, aliveNote{title + body, func() fyne.CanvasObject {
			return kit.NewNoticeButton(kit.Warn, theme.IconBell, title, body, kit.NewButton(s.say("alive.warn.later"), kit.Low, s.dropWarnings))
		}})
	}
	return notes
}

// liveWarnings are those whose account is still here and still in need.
func (s *shell) liveWarnings() []renew.Warning {
	var live []renew.Warning
	for _, w := range s.alive.warnings {
		for _, a := range s.accounts.list {
			if a.ID == w.Account.ID && (bucket(a) == filterNeed || a.Status == connect.ExpiresSoon) {
				w.Account = a
				live = append(live, w)
			}
		}
	}
	return live
}

func (s *shell) dropWarnings() {
	s.alive.warnings = nil
	s.changed()
	if h, ok := s.current.(*homeScreen); ok {
		h.focusFirst()
	}
}

// offline are the accounts that met no connection and are still here.
func (s *shell) offline() (ids []string) {
	for _, a := range s.accounts.list {
		if s.alive.offline[a.ID] {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// tryConnection asks again about one of the accounts that met no connection,
// and wakes the loop.
func (s *shell) tryConnection() {
	if ids := s.offline(); len(ids) > 0 {
		s.checkOne(ids[0], nil)
	}
	s.wakeUp()
}

// wakeUp makes the loop look at once.
func (s *shell) wakeUp() {
	if s.wake != nil {
		s.wake()
	}
}

// keepCalendar writes the calendar file where one is wanted.
func (s *shell) keepCalendar() {
	if s.core == nil || s.practising {
		return
	}
	core, c, now := s.core, s.c, s.now()
	s.do(s.coreCtx, func(ctx context.Context) error {
		return renew.KeepCalendar(ctx, core, now, calendarWords(c))
	}, func(p *problem.Problem) {
		told := p != nil && (s.alive.calendar == nil || s.alive.calendar.Key != p.Key)
		s.alive.calendar = p
		if told {
			s.tell(p)
		}
	})
}

// calendarWords are what an account's event says.
func calendarWords(c *text.Catalogue) renew.Words {
	return func(a connect.Account) (title, note string) {
		username := text.Args{"username": "@" + a.Username, "provider": a.ProviderName}
		note = c.Say("alive.event.note_sign_in", username)
		if a.Renews {
			note = c.Say("alive.event.note_renews", username)
		}
		return c.Say("alive.event.title", username), note
	}
}
