package renew

import (
	"context"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
)

const (
	// usually is how often the loop looks at the clock.
	usually = 30 * time.Second
	// startWithin bounds the random wait between noticing and asking. With one
	// look at the clock before it, a computer that wakes up renews within 60 s.
	startWithin = 25 * time.Second
	// betweenAsks is the least time between two tries of one account (security.md 7.2).
	betweenAsks = time.Minute
	// longestWait bounds the wait after tries that changed nothing.
	longestWait = time.Hour
	// usualJitter is the longest wait before each account of a run.
	usualJitter = 2 * time.Second
)

// WatchOptions of the loop. The zero value is usable.
type WatchOptions struct {
	// Options are those of each run; a Jitter of 0 is 2 s, a negative one none.
	Options
	// Every is how often the loop looks at the clock; 0 is 30 s.
	Every time.Duration
	// After calls f once, d later, on a goroutine of its own; nil is a real
	// timer. Real ones stand still while the computer sleeps, hence the loop.
	After func(d time.Duration, f func())
	// Wake makes the loop look at once, e.g. after an import. May be nil.
	Wake <-chan struct{}
	// Done hears what a run came to, and of warnings that come up without one.
	// Calls do not overlap. It must not call stop. May be nil.
	Done func(Report)
}

// watch is the loop. It counts its ticks as the one clock that nobody sets.
type watch struct {
	ctx  context.Context
	core Core
	o    WatchOptions

	telling sync.Mutex // one Done at a time

	mu      sync.Mutex
	idle    sync.Cond
	active  int // callbacks under way
	stopped bool
	tick    int
	last    time.Time
	state   state
	broken  bool // the accounts could not be read, and that was told
	asked   map[string]ask
	told    map[string]told
}

// state is how the one run stands.
type state int

const (
	idle    state = iota
	planned       // its random wait has begun
	running
)

// ask is when an account was last asked for, in ticks, and how many of them
// have to pass.
type ask struct{ tick, wait int }

// told is what was last told of an account, and when.
type told struct {
	days, tick int
	end        time.Time
}

// Start renews in the background for as long as the window is open, until ctx
// ends or stop is called. stop returns once nothing is under way any more; a
// renewal whose answer has come is stored first, which a locked keychain can
// make long, so who cannot wait calls it on a goroutine.
//
// Every 30 s it compares the wall clock, so it notices that the computer slept
// or that somebody set the clock, and what is due is asked for within 60 s.
func Start(ctx context.Context, core Core, o WatchOptions) (stop func()) {
	o.Options = o.filled()
	switch {
	case o.Jitter == 0:
		o.Jitter = usualJitter
	case o.Jitter < 0:
		o.Jitter = 0
	}
	if o.Every <= 0 {
		o.Every = usually
	}
	if o.After == nil {
		o.After = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	if o.Done == nil {
		o.Done = func(Report) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watch{ctx: ctx, core: core, o: o, asked: map[string]ask{}, told: map[string]told{}}
	w.idle.L = &w.mu
	w.later(0, w.onTick)
	if o.Wake != nil && w.enter() {
		go func() {
			defer w.leave()
			for {
				select {
				case <-ctx.Done():
					return
				case _, open := <-o.Wake:
					if !open {
						return
					}
					w.look(0)
				}
			}
		}()
	}
	return func() {
		cancel()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stopped = true
		for w.active > 0 {
			w.idle.Wait()
		}
	}
}

// enter counts a callback in; false when the loop has ended.
func (w *watch) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || w.ctx.Err() != nil {
		return false
	}
	w.active++
	return true
}

func (w *watch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active--
	w.idle.Broadcast()
}

func (w *watch) later(d time.Duration, f func()) {
	w.o.After(d, func() {
		if w.enter() {
			defer w.leave()
			f()
		}
	})
}

func (w *watch) onTick() {
	defer w.later(w.o.Every, w.onTick)
	now := wall(w.o.Now())
	w.mu.Lock()
	w.tick++
	// A clock that leapt forward means a sleep, most often: what had to wait
	// may go now, the least distance kept.
	if leapt := !w.last.IsZero() && now.Sub(w.last) > 3*w.o.Every; leapt {
		for id, a := range w.asked {
			a.wait = min(a.wait, w.least())
			w.asked[id] = a
		}
	}
	w.last = now
	w.mu.Unlock()
	w.look(w.o.Rand(startWithin))
}

// ticks are as many as surely take d, the first of which may come at once.
func (w *watch) ticks(d time.Duration) int { return int((d+w.o.Every-1)/w.o.Every) + 1 }

func (w *watch) least() int { return w.ticks(betweenAsks) }

// allowed tells whether the loop's own distance to the last try is kept.
func (w *watch) allowed(a connect.Account) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.asked[a.ID]
	return !ok || w.tick-last.tick >= last.wait
}

// look starts a run after delay where something is due, and tells warnings
// that have come up otherwise.
func (w *watch) look(delay time.Duration) {
	w.mu.Lock()
	before := w.state
	w.mu.Unlock()
	switch {
	case before == planned && delay == 0:
		w.later(0, w.run) // somebody does not want to wait
		return
	case before != idle:
		return
	}
	accounts, err := w.core.Accounts(w.ctx)
	var report Report
	if err == nil {
		report.Off, err = isOff(w.ctx, w.core, settingRenew)
	}
	if err != nil {
		w.trouble(err)
		return
	}
	w.mu.Lock()
	w.broken = false
	w.mu.Unlock()
	now := wall(w.o.Now())
	if !report.Off {
		for _, a := range Due(accounts, now) {
			if !w.allowed(a) {
				continue
			}
			w.mu.Lock()
			first := w.state == idle
			if first {
				w.state = planned
			}
			w.mu.Unlock()
			if first {
				w.later(delay, w.run)
			}
			return
		}
	}
	if report.Warnings, err = untold(w.ctx, w.core, accounts, report, now); err != nil {
		w.trouble(err)
		return
	}
	if report.Warnings = w.fresh(report.Warnings); len(report.Warnings) > 0 {
		w.tell(report)
	}
}

func (w *watch) run() {
	w.mu.Lock()
	begin := w.state == planned
	if begin {
		w.state = running
	}
	w.mu.Unlock()
	if !begin {
		return // it was woken before its wait was over
	}
	report, err := run(w.ctx, w.core, w.o.Options, w.allowed)
	w.mu.Lock()
	w.state = idle
	for _, r := range report.Renewals {
		w.note(r.Account.ID, r.Outcome == connect.Renewed)
	}
	for _, err := range report.Errors {
		if f, ok := err.(*Failure); ok {
			w.note(f.Account.ID, false)
		}
	}
	w.mu.Unlock()
	report.Warnings = w.fresh(report.Warnings)
	if len(report.Renewals)+len(report.Errors)+len(report.Warnings) > 0 {
		w.tell(report)
	}
	if err != nil {
		w.trouble(err)
	}
}

// note keeps when an account was asked for. What changed nothing waits twice
// as long each time: a keychain that is locked must not prompt twice a minute.
func (w *watch) note(id string, renewed bool) {
	wait := w.least()
	if last, ok := w.asked[id]; ok && !renewed {
		wait = max(wait, min(2*last.wait, w.ticks(longestWait)))
	}
	w.asked[id] = ask{tick: w.tick, wait: wait}
}

// trouble tells once that accounts or settings cannot be read, until they can.
func (w *watch) trouble(err error) {
	w.mu.Lock()
	first := !w.broken && w.ctx.Err() == nil
	w.broken = true
	w.mu.Unlock()
	if first {
		w.tell(Report{Errors: []error{err}})
	}
}

// fresh drops what this loop has told within a day: a caller that cannot note
// it must not make us tell it every 30 s.
func (w *watch) fresh(warnings []Warning) []Warning {
	w.mu.Lock()
	defer w.mu.Unlock()
	var fresh []Warning
	for _, one := range warnings {
		before, ok := w.told[one.Account.ID]
		if ok && before.days == one.Days && before.end.Equal(one.EndsAt) && w.tick-before.tick < w.ticks(day) {
			continue
		}
		w.told[one.Account.ID] = told{days: one.Days, tick: w.tick, end: one.EndsAt}
		fresh = append(fresh, one)
	}
	return fresh
}

func (w *watch) tell(report Report) {
	w.telling.Lock()
	defer w.telling.Unlock()
	w.o.Done(report)
}
