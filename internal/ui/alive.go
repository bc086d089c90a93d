package ui

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

const (
	// checkLimit is how long one account's answer is waited for (ux.md 6).
	checkLimit = 20 * time.Second
	// checkLanes is how many accounts are checked at the same time.
	checkLanes = 4
)

// alive is what the window does to keep tokens alive: questions to providers
// that are under way, and what they taught us.
type alive struct {
	// asked are the accounts being checked or renewed, by id.
	asked map[string]*inquiry
	sweep *sweep
	// offline are the accounts whose last question found no connection.
	offline map[string]bool
	// warnings are what the person has to be told, until they say so.
	warnings []renew.Warning
	// settingsKnown: what follows was read.
	settingsKnown bool
	warnOff       bool
	calendarPath  string
	// calendar is why the calendar file could not be written last, if so.
	calendar *problem.Problem
}

// inquiry is one question to a provider about one account.
type inquiry struct {
	// stop ends a check; nil while renewing, which runs to its end.
	stop context.CancelFunc
	// stopped is told that the person stopped it: no answer will come. May be nil.
	stopped func()
}

// sweep is a check of all accounts.
type sweep struct {
	waiting     []string
	done, total int
	// failed counts those that do not work, unknown those of which nobody could
	// tell.
	failed, unknown int
	stopped         bool
}

// asking reports whether an account is being checked or renewed.
func (s *shell) asking(id string) bool { return s.alive.asked[id] != nil }

func (s *shell) begin(id string, q *inquiry) {
	if s.alive.asked == nil {
		s.alive.asked = map[string]*inquiry{}
	}
	s.alive.asked[id] = q
	s.changed()
}

// stopAsking ends the check of an account; a renewal is not ended.
func (s *shell) stopAsking(id string) {
	if q := s.alive.asked[id]; q != nil && q.stop != nil {
		q.stop()
		delete(s.alive.asked, id)
		if q.stopped != nil {
			q.stopped()
		}
		s.changed()
	}
}

// learned puts what was just told about an account into the list, so that a
// sweep over many does not read the whole list for each.
func (s *shell) learned(a connect.Account, p *problem.Problem) {
	for i, known := range s.accounts.list {
		if known.ID == a.ID {
			s.accounts.list[i] = a
			s.noteConnection(a.ID, p)
		}
	}
}

// noteConnection remembers which accounts met no connection, for the notice
// above the list: an answer of any kind takes it back.
func (s *shell) noteConnection(id string, p *problem.Problem) {
	if p != nil && p.Key == problem.NetworkUnreachable {
		if s.alive.offline == nil {
			s.alive.offline = map[string]bool{}
		}
		s.alive.offline[id] = true
		return
	}
	// Who reached one provider has a connection.
	s.alive.offline = nil
}

// checkOne asks the provider whether an account's token works. then hears how
// it went on the window's goroutine, also for a screen that was left; without
// it a toast tells.
func (s *shell) checkOne(id string, then func(connect.Checked, *problem.Problem)) {
	if s.core == nil || s.asking(id) {
		return
	}
	core, whole := s.core, s.coreCtx
	ctx, stop := context.WithTimeout(whole, checkLimit)
	q := &inquiry{stop: stop}
	s.begin(id, q)
	work(s, ctx, func(ctx context.Context) (connect.Checked, error) { return core.Check(ctx, id) },
		func(checked connect.Checked, p *problem.Problem) {
			cancelled := errors.Is(ctx.Err(), context.Canceled)
			stop()
			if whole.Err() != nil || s.alive.asked[id] != q {
				return
			}
			delete(s.alive.asked, id)
			if !cancelled {
				if p == nil {
					p = checked.Problem
				}
				s.learned(checked.Account, p)
				switch {
				case then != nil:
					then(checked, p)
				case p != nil:
					s.tell(p)
				default:
					s.toast(s.say("alive.works", text.Args{"username": "@" + checked.Account.Username}))
				}
			}
			s.changed()
		})
}

// renewOne asks the provider for a new token, because the person wishes it;
// then as with checkOne.
func (s *shell) renewOne(id string, then func(connect.Renewal, *problem.Problem)) {
	if s.core == nil || s.asking(id) {
		return
	}
	core, whole := s.core, s.coreCtx
	q := &inquiry{}
	s.begin(id, q)
	work(s, whole, func(ctx context.Context) (connect.Renewal, error) {
		return core.Renew(ctx, id, connect.RenewOptions{})
	}, func(r connect.Renewal, p *problem.Problem) {
		if whole.Err() != nil || s.alive.asked[id] != q {
			return
		}
		delete(s.alive.asked, id)
		if p == nil {
			p = r.Problem
		}
		s.learned(r.Account, p)
		switch {
		case then != nil:
			then(r, p)
		case p != nil:
			s.tell(p)
		default:
			s.toast(renewalWords(s.c, r, s.now()))
		}
		s.changed()
	})
}

// renewalWords says how a renewal without a problem went.
func renewalWords(c *text.Catalogue, r connect.Renewal, now time.Time) string {
	next := func(key, without string) string {
		if r.Next == nil {
			return c.Say(without)
		}
		return c.Say(key, text.Args{"moment": soon(c, *r.Next, now)})
	}
	switch r.Outcome {
	case connect.TooYoung:
		return next("alive.too_young", "alive.too_young_plain")
	case connect.NotDue:
		return next("alive.not_due", "alive.not_due_plain")
	case connect.RenewWaiting:
		return next("alive.waiting", "alive.waiting_plain")
	case connect.AlreadyRenewed:
		return c.Say("alive.already")
	}
	if end := endOf(r.Account); !end.IsZero() {
		return c.Say("alive.renewed", text.Args{"date": c.Date(end.In(now.Location()))})
	}
	return c.Say("alive.renewed_plain")
}

// soon is a moment within the next days: "14:20 today", "14:20 tomorrow", else
// day and time.
func soon(c *text.Catalogue, t, now time.Time) string {
	t = t.In(now.Location())
	clock := text.Args{"clock": c.Clock(t)}
	switch {
	case sameDay(t, now):
		return c.Say("alive.today", clock)
	case sameDay(t, now.AddDate(0, 0, 1)):
		return c.Say("alive.tomorrow", clock)
	}
	return c.Moment(t, now)
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

// checkAll checks every account, a few at a time; what is done keeps its
// result when it is stopped.
func (s *shell) checkAll() {
	if s.core == nil || s.alive.sweep != nil || len(s.accounts.list) == 0 {
		return
	}
	w := &sweep{}
	for _, a := range s.accounts.list {
		if !s.asking(a.ID) {
			w.waiting = append(w.waiting, a.ID)
		}
	}
	w.total = len(w.waiting)
	if w.total == 0 {
		return // each is being asked about already
	}
	s.alive.sweep = w
	for range min(checkLanes, w.total) {
		s.checkNext(w)
	}
	s.changed()
}

func (s *shell) checkNext(w *sweep) {
	if s.alive.sweep != w {
		return
	}
	if len(w.waiting) == 0 {
		if w.done == w.total {
			s.alive.sweep = nil
			if w.total > 0 {
				s.toast(sweepWords(s.c, w))
			}
		}
		return
	}
	id := w.waiting[0]
	w.waiting = w.waiting[1:]
	if s.asking(id) {
		// Somebody else asks about it already; its chip tells.
		w.done++
		s.checkNext(w)
		return
	}
	s.checkOne(id, func(c connect.Checked, p *problem.Problem) {
		w.done++
		switch {
		case p != nil && silent(p.Kind):
			w.unknown++
		case p != nil || !c.Works:
			w.failed++
		}
		s.checkNext(w)
	})
	if q := s.alive.asked[id]; q != nil {
		// One that the person stopped is not among those that were checked.
		q.stopped = func() {
			w.total--
			s.checkNext(w)
		}
	}
}

// silent reports a kind of problem after which nobody knows whether a token
// works: the provider was not reached, or the token not read.
func silent(kind problem.Kind) bool {
	switch kind {
	case problem.Network, problem.Timeout, problem.Vault, problem.Internal:
		return true
	}
	return false
}

// sweepWords says what a sweep found.
func sweepWords(c *text.Catalogue, w *sweep) string {
	var said []string
	if n := w.total - w.unknown; n > 0 {
		said = append(said, c.Count("alive.checked", n))
	}
	if w.failed > 0 {
		said = append(said, c.Count("alive.not_working", w.failed))
	}
	if w.unknown > 0 {
		said = append(said, c.Count("alive.not_known", w.unknown))
	}
	if w.failed == 0 && w.unknown == 0 {
		said = append(said, c.Say("alive.all_work"))
	}
	return strings.Join(said, " ")
}

// stopSweep ends the check of all accounts.
func (s *shell) stopSweep() {
	if s.alive.sweep == nil {
		return
	}
	s.alive.sweep = nil
	for id := range s.alive.asked {
		s.stopAsking(id)
	}
	s.changed()
}
