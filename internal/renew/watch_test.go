package renew

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// world is a computer with two clocks: the one on the wall, which anybody sets
// and which goes on in sleep, and the one that timers go by, which does not.
type world struct {
	mu     sync.Mutex
	wall   time.Time
	awake  time.Duration
	timers []timer
}

type timer struct {
	at time.Duration
	f  func()
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wall
}

func (w *world) after(d time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timers = append(w.timers, timer{w.awake + d, f})
}

// set moves the wall clock alone: suspend, or a hand on the clock.
func (w *world) set(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wall = w.wall.Add(d)
}

// run lets d pass awake; callbacks run here, one after another.
func (w *world) run(d time.Duration) {
	w.mu.Lock()
	until := w.awake + d
	for {
		slices.SortStableFunc(w.timers, func(a, b timer) int { return int(a.at - b.at) })
		if len(w.timers) == 0 || w.timers[0].at > until {
			break
		}
		next := w.timers[0]
		w.timers = w.timers[1:]
		w.wall = w.wall.Add(max(0, next.at-w.awake))
		w.awake = max(w.awake, next.at)
		w.mu.Unlock()
		next.f()
		w.mu.Lock()
	}
	w.wall, w.awake = w.wall.Add(until-w.awake), until
	w.mu.Unlock()
}

// loop starts one in a new world; its waits are the longest there are.
func loop(t *testing.T, accounts ...connect.Account) (*world, *double, *[]Report) {
	t.Helper()
	w := &world{wall: noon}
	d := newDouble(w.now, accounts...)
	reports := &[]Report{}
	stop := Start(t.Context(), d, WatchOptions{
		Options: Options{Now: w.now, Jitter: -1, Rand: func(below time.Duration) time.Duration { return below - 1 }},
		After:   w.after, Done: func(r Report) { *reports = append(*reports, r) },
	})
	t.Cleanup(stop)
	return w, d, reports
}

func TestTheLoopRenewsWhatBecomesDue(t *testing.T) {
	w, d, reports := loop(t, account("due", noon, day), account("later", noon, 20*day+time.Hour), account("never", noon, 60*day))
	w.run(time.Minute)
	if !slices.Equal(d.asked, []string{"due"}) || len(*reports) != 1 || len((*reports)[0].Renewals) != 1 {
		t.Fatalf("after a minute: asked %v, %+v", d.asked, *reports)
	}
	w.run(59 * time.Minute)
	if len(d.asked) != 1 {
		t.Errorf("too early: %v", d.asked)
	}
	w.run(time.Minute)
	if !slices.Equal(d.asked, []string{"due", "later"}) {
		t.Errorf("an hour later: %v", d.asked)
	}
	w.run(30 * day)
	if d.times("due") != 1 || d.times("later") != 1 || d.times("never") != 0 {
		t.Errorf("asked %v", d.asked)
	}
}

// security.md 7.2, suspend: timers stood still, the wall did not.
func TestWithin60SecondsOfResumeAndEachOnce(t *testing.T) {
	var list []connect.Account
	for i := range 300 {
		list = append(list, account(fmt.Sprintf("a%03d", i), noon, 20*day+time.Hour+time.Duration(i)*2*time.Minute))
	}
	for name, asleep := range map[string]time.Duration{"eight hours across the day on which it is due": 8 * time.Hour, "three months": 91 * day} {
		w, d, reports := loop(t, list...)
		w.run(7 * time.Second)
		if len(d.asked) != 0 {
			t.Fatalf("%s: asked before: %v", name, d.asked)
		}
		w.set(asleep)
		resumed := w.now()
		w.run(60 * time.Second)
		due := len(list)
		if asleep < day {
			due = 0
			for _, a := range list {
				if !resumed.Before(*a.DueAt) {
					due++
				}
			}
		}
		if len(d.asked) != due || due == 0 {
			t.Errorf("%s: %d asked within a minute of resume, want %d", name, len(d.asked), due)
		}
		if d.max > Parallel {
			t.Errorf("%s: %d at a time", name, d.max)
		}
		w.run(10 * time.Minute)
		for _, a := range list {
			if n := d.times(a.ID); n > 1 {
				t.Errorf("%s: %s asked %d times", name, a.ID, n)
			}
		}
		// Nobody is told that a token has ended: they all renewed.
		for _, r := range *reports {
			if len(r.Warnings) != 0 {
				t.Errorf("%s: warned %+v", name, r.Warnings)
			}
		}
	}
}

// security.md 7.2, the clock: whatever it does, no account is asked for twice
// within a minute awake, and in all hardly ever.
func TestNoStormWhateverTheClockDoes(t *testing.T) {
	year := 365 * day
	for name, jumps := range map[string][]time.Duration{
		"an hour ahead": {time.Hour}, "an hour back": {-time.Hour}, "a year ahead": {year}, "a year back": {-year},
		"a year ahead and back": {year, -year}, "back and ahead": {-year, year},
		"an hour to and fro": {time.Hour, -time.Hour, time.Hour, -time.Hour, time.Hour, -time.Hour},
		"a year to and fro":  {year, -year, year, -year, year, -year, year, -year},
	} {
		for kind, renew := range map[string]func(*connect.Account) (connect.Outcome, error){
			"renews": nil,
			"fails":  func(*connect.Account) (connect.Outcome, error) { return connect.RenewFailed, nil },
			"errs":   func(*connect.Account) (connect.Outcome, error) { return "", problem.New(problem.VaultLocked) },
		} {
			w, d, _ := loop(t, account("a", noon, 10*day), account("b", noon, 50*day))
			d.renew = renew
			var awake []time.Duration
			d.clock = func() time.Time { return w.now() }
			count := func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				for len(awake) < len(d.at["a"]) {
					awake = append(awake, w.awake)
				}
			}
			pass := func(d time.Duration) {
				for range int(d / time.Second) {
					w.run(time.Second)
					count()
				}
			}
			pass(2 * time.Minute)
			for _, j := range jumps {
				w.set(j)
				pass(90 * time.Second)
			}
			pass(10 * time.Minute)
			for i := 1; i < len(awake); i++ {
				if awake[i]-awake[i-1] < time.Minute {
					t.Errorf("%s, %s: asked at %v and at %v", name, kind, awake[i-1], awake[i])
				}
			}
			most := map[string]int{"renews": 1 + len(jumps), "fails": 1 + len(jumps), "errs": 8 + len(jumps)}[kind]
			if len(awake) == 0 || len(awake) > most {
				t.Errorf("%s, %s: asked %d times, at %v", name, kind, len(awake), awake)
			}
		}
	}
}

// The token was renewed while the clock was a year ahead, so its dates are too.
// Once the clock is right again it is asked for, instead of dying next month.
func TestDatesOfAWrongClockAreMended(t *testing.T) {
	w, d, _ := loop(t, account("a", noon, 50*day))
	w.set(365 * day)
	w.run(time.Minute)
	w.set(-365 * day)
	w.run(5 * time.Minute)
	all, _ := d.Accounts(t.Context())
	if d.times("a") != 2 || all[0].ExpiresAt.After(w.now().Add(60*day)) {
		t.Errorf("asked %v, ends %v, now %v", d.at["a"], all[0].ExpiresAt, w.now())
	}
}

// A keychain that is locked is not asked for its password twice a minute.
func TestWhatCannotBeDoneIsTriedLessAndLess(t *testing.T) {
	w, d, reports := loop(t, account("a", noon, 10*day))
	d.renew = func(*connect.Account) (connect.Outcome, error) { return "", problem.New(problem.VaultLocked) }
	w.run(time.Hour)
	first := d.times("a")
	w.run(23 * time.Hour)
	if all := d.times("a"); first < 3 || first > 7 || all < first+15 || all > first+25 {
		t.Errorf("%d in the first hour, %d in a day", first, all)
	}
	if last := (*reports)[len(*reports)-1]; len(last.Errors) != 1 || !problem.Has(last.Errors[0], problem.VaultLocked) {
		t.Errorf("%+v", last)
	}
	// Somebody opens the laptop: no hour to wait.
	before := d.times("a")
	w.set(8 * time.Hour)
	w.run(2 * time.Minute)
	if d.times("a") != before+1 {
		t.Errorf("after a sleep: %d more", d.times("a")-before)
	}
}

func TestTheLoopWarnsOnceAndAgainWhenTheNextDayComes(t *testing.T) {
	facebook := account("f", noon, 15*day)
	facebook.Renews, facebook.DueAt, facebook.Status = false, nil, connect.ExpiresSoon
	w, d, reports := loop(t, facebook)
	told := func() (days []int) {
		for _, r := range *reports {
			for _, one := range r.Warnings {
				days = append(days, one.Days)
			}
		}
		return days
	}
	w.run(23 * time.Hour)
	if len(told()) != 0 {
		t.Fatalf("told too early: %v", told())
	}
	w.run(2 * time.Hour)
	if got := told(); !slices.Equal(got, []int{14}) {
		t.Fatalf("told %v", got)
	}
	// Nobody could note it: it comes again, but once a day.
	w.run(2 * day)
	if got := told(); !slices.Equal(got, []int{14, 14, 14}) {
		t.Errorf("told %v", got)
	}
	facebook.Warned = 14
	d.put(facebook)
	w.run(6 * day)
	if got := told(); got[3] != 7 || slices.Contains(got[3:], 14) {
		t.Errorf("told %v", got)
	}
	// The switch.
	d.set("warn", "off")
	before := len(told())
	w.run(8 * day)
	if got := told(); len(got) != before {
		t.Errorf("told %v though warnings are off", got)
	}
}

func TestTheSwitchStopsTheLoopFromAsking(t *testing.T) {
	w, d, _ := loop(t, account("a", noon, 10*day))
	d.set("renew", "off")
	w.run(time.Hour)
	if len(d.asked) != 0 {
		t.Error("asked though switched off")
	}
	d.set("renew", "")
	w.run(time.Minute)
	if d.times("a") != 1 {
		t.Errorf("switched on again: asked %d times", d.times("a"))
	}
}

func TestALibraryThatCannotBeReadIsToldOnce(t *testing.T) {
	w, d, reports := loop(t, account("a", noon, 10*day))
	d.mu.Lock()
	d.broken = problem.New(problem.LibraryBusy)
	d.mu.Unlock()
	w.run(time.Hour)
	if len(*reports) != 1 || len((*reports)[0].Errors) != 1 || !problem.Has((*reports)[0].Errors[0], problem.LibraryBusy) {
		t.Errorf("%+v", *reports)
	}
	d.mu.Lock()
	d.broken = nil
	d.mu.Unlock()
	w.run(time.Minute)
	if d.times("a") != 1 {
		t.Error("it did not go on")
	}
}

// With real timers: started, woken, stopped; afterwards nothing runs.
func TestStartWakeAndStop(t *testing.T) {
	d := newDouble(time.Now)
	wake := make(chan struct{})
	done := make(chan Report, 10)
	stop := Start(t.Context(), d, WatchOptions{Options: Options{Jitter: -1}, Wake: wake, Done: func(r Report) { done <- r }})
	now := time.Now()
	imported := account("a", now, 0)
	imported.ExpiresAt, imported.DueAt, imported.IssuedAt, imported.RenewAfter = nil, nil, nil, nil
	d.put(imported)
	wake <- struct{}{}
	select {
	case r := <-done:
		if len(r.Renewals) != 1 || r.Renewals[0].Outcome != connect.Renewed {
			t.Errorf("%+v", r)
		}
	case <-time.After(40 * time.Second):
		t.Fatal("it did not wake up")
	}
	stop()
	stop() // twice is fine
	d.put(imported)
	select {
	case wake <- struct{}{}:
		t.Error("somebody still listens")
	case <-time.After(50 * time.Millisecond):
	}
	if d.times("a") != 1 {
		t.Errorf("asked %d times", d.times("a"))
	}
}

func TestStopWaitsForWhatIsUnderWay(t *testing.T) {
	d := newDouble(time.Now, account("a", time.Now(), day), account("b", time.Now(), 2*day))
	begun, finish := make(chan struct{}), make(chan struct{})
	d.renew = func(*connect.Account) (connect.Outcome, error) {
		close(begun)
		<-finish
		return connect.Renewed, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := Start(ctx, d, WatchOptions{Options: Options{Jitter: -1, Parallel: 1, Rand: func(time.Duration) time.Duration { return 0 }}})
	<-begun
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("it did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	select {
	case <-stopped:
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
	if d.times("a") != 1 || d.times("b") != 0 {
		t.Errorf("a %d, b %d", d.times("a"), d.times("b"))
	}
}
