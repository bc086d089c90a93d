package ui

import (
	"bytes"
	"context"
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

// Timer is the system's, that renews while the window is closed.
type Timer interface {
	Install(ctx context.Context) error
	Remove(ctx context.Context) error
	State(ctx context.Context) (desktop.TimerState, error)
	Mend(ctx context.Context) (mended bool, err error)
}

// Names and values of the core's settings.
const (
	settingWarn     = "warn"
	settingCalendar = "calendar"
	settingRan      = "timer_ran"
	settingOff      = "off"
)

// timerState is what the system said of the timer last.
type timerState struct {
	desktop.TimerState
	// Known: it was read; Busy: it is being changed.
	Known, Busy bool
	// Failed is why the last change did not work.
	Failed *problem.Problem
	// Ran is when it last ran, zero for never.
	Ran time.Time
}

// stayingFacts is all that the card "Staying alive" depends on.
type stayingFacts struct {
	Timer timerState
	// HasTimer and Notifies tell what the program can do here.
	HasTimer, Notifies bool
	Session, Practice  bool
	// Known: the settings below were read.
	Known    bool
	Warn     bool
	Calendar string
	// CalendarFailed is why that file could not be written last.
	CalendarFailed *problem.Problem
	HasTray        bool
	ToTray         bool
}

// switchModel is an on/off setting in words. Why says what stands in its way.
type switchModel struct {
	Shown, On, Enabled bool
	Line, Why          string
}

// stayingModel is the card "Staying alive".
type stayingModel struct {
	Closed, Warn, Calendar, Tray switchModel
	Test                         bool
}

// presentStaying renders the card as things stand at now.
func presentStaying(c *text.Catalogue, f stayingFacts, now time.Time) stayingModel {
	return stayingModel{
		Closed: presentTimer(c, f, now), Test: f.Notifies,
		Warn:     switchModel{Shown: true, On: f.Known && f.Warn, Enabled: f.Known, Line: warnLine(c, f)},
		Calendar: presentCalendar(c, f),
		Tray:     switchModel{Shown: f.HasTray, On: f.ToTray, Enabled: true, Line: c.Say("staying.tray_line")},
	}
}

func warnLine(c *text.Catalogue, f stayingFacts) string {
	if f.Notifies {
		return c.Say("staying.warn_line")
	}
	return c.Say("staying.warn_line_window")
}

func presentCalendar(c *text.Catalogue, f stayingFacts) switchModel {
	m := switchModel{Shown: !f.Practice, On: f.Calendar != "", Enabled: f.Known, Line: c.Say("staying.calendar_line")}
	if m.On {
		m.Line = f.Calendar
		if f.CalendarFailed != nil {
			m.Line = sentence(c.Tell(f.CalendarFailed).Title) + " " + f.Calendar
		}
	}
	return m
}

// presentTimer renders the switch of the timer. The timer belongs to the real
// side: in practice it is not shown.
func presentTimer(c *text.Catalogue, f stayingFacts, now time.Time) switchModel {
	m := switchModel{Shown: f.HasTimer && !f.Practice, Line: c.Say("staying.closed_line")}
	why := func(p *problem.Problem) string {
		told := c.Tell(p)
		return sentence(told.Title) + " " + told.Advice
	}
	t := f.Timer
	switch {
	case f.Session:
		// What lies in the memory of this window nobody else can renew.
		m.Line = c.Say("staying.needs_keyring")
		return m
	case !t.Known || t.Busy:
		m.Line, m.On = c.Say("staying.looking"), t.Installed
		return m
	}
	m.On = t.Installed
	m.Enabled = t.Installed || t.Problem == nil
	switch {
	case t.Failed != nil:
		m.Why = why(t.Failed)
	case t.Problem != nil:
		m.Why = why(t.Problem)
	case t.Installed && !t.Active:
		m.Why = c.Say("staying.not_active")
	}
	if !t.Installed {
		return m
	}
	if t.Ran.IsZero() {
		m.Line = c.Say("staying.closed_never")
	} else {
		m.Line = c.Say("staying.closed_ran", text.Args{"moment": lowered(c, t.Ran, now)})
	}
	return m
}

// lowered is a moment within a sentence: "today, 07:00".
func lowered(c *text.Catalogue, t, now time.Time) string {
	t = t.In(now.Location())
	if sameDay(t, now) {
		return c.Say("staying.today", text.Args{"clock": c.Clock(t)})
	}
	return c.Moment(t, now)
}

// renewsClosed: tokens are renewed while the window is closed, too.
func (s *shell) renewsClosed() bool {
	return !s.practising && !s.session() && s.timer.Known && s.timer.Installed && s.timer.Active
}

// startStaying begins what the window does beside its screens, once.
func (s *shell) startStaying() {
	if s.staying {
		return
	}
	s.staying = true
	s.listenForWishes()
	s.startTray()
	if s.params.Timer == nil || s.real == nil {
		return
	}
	// A program that was moved or updated is still the one that is meant.
	s.timerWork(func(ctx context.Context) error {
		_, err := s.params.Timer.Mend(ctx)
		return err
	})
}

// timerWork changes the timer off the window's goroutine and reads how it
// stands then.
func (s *shell) timerWork(change func(context.Context) error) {
	core := s.real
	s.timer.Busy = true
	type read struct {
		state desktop.TimerState
		err   error
		ran   time.Time
	}
	work(s, s.ctx, func(ctx context.Context) (read, error) {
		// The timer is used by one goroutine at a time.
		s.timerTurn.Lock()
		defer s.timerTurn.Unlock()
		var r read
		err := change(ctx)
		r.state, r.err = s.params.Timer.State(ctx)
		if words, readErr := core.Setting(ctx, settingRan); readErr == nil {
			r.ran, _ = time.Parse(time.RFC3339, words)
		}
		return r, err
	}, func(r read, p *problem.Problem) {
		if p == nil {
			p = problem.Of(r.err)
		}
		s.timer = timerState{TimerState: r.state, Known: true, Failed: p, Ran: r.ran}
		s.changed()
	})
}

// readTimer reads how the timer stands.
func (s *shell) readTimer() {
	if s.params.Timer != nil && s.real != nil && !s.timer.Busy {
		s.timerWork(func(context.Context) error { return nil })
	}
}

// setTimer switches renewing while closed on or off.
func (s *shell) setTimer(on bool) {
	if s.params.Timer == nil || s.real == nil || s.timer.Busy {
		return
	}
	s.timerWork(func(ctx context.Context) error {
		if on {
			return s.params.Timer.Install(ctx)
		}
		return s.params.Timer.Remove(ctx)
	})
	s.changed()
}

// readStaying reads the settings of the core in use.
func (s *shell) readStaying() {
	if s.core == nil {
		return
	}
	core, whole := s.core, s.coreCtx
	type read struct{ warn, calendar string }
	work(s, whole, func(ctx context.Context) (r read, err error) {
		if r.warn, err = core.Setting(ctx, settingWarn); err == nil {
			r.calendar, err = core.Setting(ctx, settingCalendar)
		}
		return r, err
	}, func(r read, p *problem.Problem) {
		if whole.Err() != nil {
			return
		}
		if p != nil {
			s.tell(p)
			return
		}
		s.alive.settingsKnown, s.alive.warnOff, s.alive.calendarPath = true, r.warn == settingOff, r.calendar
		s.changed()
	})
}

// setSetting writes a setting of the core and reads them all again.
func (s *shell) setSetting(name, value string, then func()) {
	core, whole := s.core, s.coreCtx
	s.do(whole, func(ctx context.Context) error { return core.SetSetting(ctx, name, value) }, func(p *problem.Problem) {
		if whole.Err() != nil {
			return
		}
		if p != nil {
			s.tell(p)
		} else if then != nil {
			then()
		}
		s.readStaying()
	})
}

func (s *shell) stayingFacts() stayingFacts {
	return stayingFacts{
		Timer: s.timer, HasTimer: s.params.Timer != nil && s.real != nil, Notifies: s.params.Notify != nil,
		Session: s.session(), Practice: s.practising, Known: s.alive.settingsKnown, Warn: !s.alive.warnOff,
		Calendar: s.alive.calendarPath, CalendarFailed: s.alive.calendar, HasTray: s.tray, ToTray: s.prefs.toTray(),
	}
}

// stayingParts are the card's lasting widgets: one of them may have the focus
// while the rest changes.
type stayingParts struct {
	closed, warn, calendar, tray *kit.Check
	// why says what stands in the timer's way; indent is the room of calendar.
	why, indent *fyne.Container
	said        string
}

// stayingCard builds the card "Staying alive".
func (t *settingsScreen) stayingCard() fyne.CanvasObject {
	s := t.s
	p := &t.parts.staying
	m := presentStaying(s.c, s.stayingFacts(), s.now())
	p.closed = kit.NewCheck(s.say("staying.closed"), m.Closed.Line, m.Closed.On, func(on bool) { s.setTimer(on) })
	p.warn = kit.NewCheck(s.say("staying.warn"), m.Warn.Line, m.Warn.On, func(on bool) {
		value := settingOff
		if on {
			value = ""
		}
		s.setSetting(settingWarn, value, nil)
	})
	p.calendar = kit.NewCheck(s.say("staying.calendar"), m.Calendar.Line, m.Calendar.On, t.setCalendar)
	p.tray = kit.NewCheck(s.say("staying.tray"), m.Tray.Line, m.Tray.On, func(on bool) { s.prefs.setToTray(on) })
	p.why = kit.Column(0)
	p.indent = kit.Inset(0, 0, 0, 30, p.calendar)
	card := kit.Column(12, kit.Title(s.say("staying.title")), p.closed, p.why, p.warn, p.indent, p.tray)
	if m.Test {
		send := kit.NewButton(s.say("staying.send"), kit.Low, s.sendTest).With(theme.IconBell).Flush()
		card.Add(kit.Line())
		card.Add(kit.Row(8, kit.Grow(kit.Caption(s.say("staying.see"))), send))
	}
	t.refreshStaying()
	return kit.NewCardPad(20, card)
}

// refreshStaying brings the card to this moment.
func (t *settingsScreen) refreshStaying() {
	s, p := t.s, &t.parts.staying
	if p.closed == nil {
		return
	}
	m := presentStaying(s.c, s.stayingFacts(), s.now())
	for _, row := range []struct {
		check *kit.Check
		title string
		m     switchModel
	}{{p.closed, "staying.closed", m.Closed}, {p.warn, "staying.warn", m.Warn}, {p.calendar, "staying.calendar", m.Calendar}, {p.tray, "staying.tray", m.Tray}} {
		setVisible(row.check, row.m.Shown)
		row.check.SetSelected(row.m.On)
		row.check.SetWords(s.say(row.title), row.m.Line)
		if row.m.Enabled {
			row.check.Enable()
		} else {
			row.check.Disable()
		}
	}
	if p.said != m.Closed.Why {
		p.said = m.Closed.Why
		p.why.Objects = nil
		if p.said != "" {
			p.why.Objects = []fyne.CanvasObject{kit.NewNotice(kit.Warn, "", p.said).SmallText()}
		}
	}
	setVisible(p.why, m.Closed.Shown && p.said != "")
	setVisible(p.indent, m.Calendar.Shown)
	t.root.Refresh()
}

// setCalendar asks where the calendar file shall be, or ends it. The box shows
// what is so, not what was clicked.
func (t *settingsScreen) setCalendar(on bool) {
	s := t.s
	t.refreshStaying()
	if !on {
		path, whole := s.alive.calendarPath, s.coreCtx
		s.setSetting(settingCalendar, "", func() {
			s.do(whole, func(context.Context) error { return renew.RemoveCalendar(path) }, func(p *problem.Problem) {
				if p != nil {
					s.tell(p)
					return
				}
				s.toast(s.say("staying.calendar_gone"))
			})
		})
		return
	}
	core, c, now := s.core, s.c, s.now()
	s.save(saving{
		title: s.say("staying.calendar_title"), line: s.say("staying.calendar_what"), name: "tokenkeep.ics",
		data: func(ctx context.Context) ([]byte, error) {
			accounts, err := core.Accounts(ctx)
			if err != nil {
				return nil, err
			}
			return renew.Calendar(accounts, now, calendarWords(c)), nil
		},
		write: renew.WriteCalendar,
		done: func(path string) {
			s.setSetting(settingCalendar, path, func() { s.toast(s.say("staying.calendar_kept")) })
		},
	})
}

// sendTest shows what a warning looks like.
func (s *shell) sendTest() {
	end := s.now().Add(5 * 24 * time.Hour)
	w := renew.Warning{Days: 7, EndsAt: end, Account: connect.Account{Username: s.say("staying.example"), ExpiresAt: &end}}
	if len(s.accounts.list) > 0 {
		w.Account.Username = s.accounts.list[0].Username
	}
	title, body := warningWords(s.c, w, s.now())
	notice := desktop.Notice{Title: s.say("staying.test_title", text.Args{"title": title}), Body: body, ActionLabel: s.say("accounts.open")}
	s.send(notice, func() {}, func(p *problem.Problem) {
		if p != nil {
			s.tell(p)
			return
		}
		s.toast(s.say("staying.sent"))
	})
}

// saveBundle shows what a support file holds and asks where to save it.
func (s *shell) saveBundle() {
	core, whole := s.core, s.coreCtx
	if core == nil {
		return
	}
	work(s, whole, func(ctx context.Context) ([]byte, error) {
		var b bytes.Buffer
		err := core.Bundle(ctx, &b)
		return b.Bytes(), err
	}, func(data []byte, p *problem.Problem) {
		if whole.Err() != nil {
			return
		}
		if p != nil {
			s.tell(p)
			return
		}
		s.save(saving{
			title: s.say("staying.bundle_title"), line: s.say("staying.bundle_line"), preview: string(data),
			name: "tokenkeep-support-" + s.now().Format(time.DateOnly) + ".txt",
			// What was shown is what is saved.
			data: func(context.Context) ([]byte, error) { return data, nil },
		})
	})
}
