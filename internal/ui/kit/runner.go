package kit

import (
	"sort"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// Runner starts work and brings its results to the window's goroutine.
type Runner interface {
	// Go runs work away from the window's goroutine.
	Go(work func())
	// Beside runs what lasts and waits, such as listening, on a goroutine of its
	// own, in tests as well.
	Beside(work func())
	// Post runs show on the window's goroutine, soon, and does not wait.
	Post(show func())
	// After posts show once d has passed; stop prevents it, also at the last moment.
	After(d time.Duration, show func()) (stop func())
}

// NewRunner is the one for the real window.
func NewRunner() Runner { return real{} }

type real struct{}

func (real) Go(work func())     { go work() }
func (real) Beside(work func()) { go work() }
func (real) Post(show func())   { fyne.Do(show) }

func (real) After(d time.Duration, show func()) func() {
	var mu sync.Mutex
	stopped := false
	timer := time.AfterFunc(d, func() {
		fyne.Do(func() {
			mu.Lock()
			gone := stopped
			mu.Unlock()
			if !gone {
				show()
			}
		})
	})
	return func() {
		mu.Lock()
		stopped = true
		mu.Unlock()
		timer.Stop()
	}
}

// Queue is a Runner for tests: nothing runs until the test says so, and then
// on the test's goroutine, in order. Its clock stands still but for Advance.
type Queue struct {
	mu     sync.Mutex
	jobs   []func()
	timers []*timer
	now    time.Duration
	serial int
}

type timer struct {
	due    time.Duration
	serial int
	show   func()
	off    bool
}

// NewQueue returns an empty queue.
func NewQueue() *Queue { return &Queue{} }

// Go implements Runner.
func (q *Queue) Go(work func()) { q.Post(work) }

// Beside implements Runner.
func (q *Queue) Beside(work func()) { go work() }

// Post implements Runner. It may be called from any goroutine.
func (q *Queue) Post(show func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, show)
}

// After implements Runner.
func (q *Queue) After(d time.Duration, show func()) func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.serial++
	t := &timer{due: q.now + d, serial: q.serial, show: show}
	q.timers = append(q.timers, t)
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		t.off = true
	}
}

// Drain runs what is queued and what that queues in turn, and returns how many
// jobs that were.
func (q *Queue) Drain() int {
	for n := 0; ; n++ {
		q.mu.Lock()
		if len(q.jobs) == 0 {
			q.mu.Unlock()
			return n
		}
		job := q.jobs[0]
		q.jobs = q.jobs[1:]
		q.mu.Unlock()
		job()
	}
}

// Advance moves the clock and runs the timers that fall due, in their order,
// draining after each.
func (q *Queue) Advance(d time.Duration) {
	q.Drain()
	q.mu.Lock()
	end := q.now + d
	q.mu.Unlock()
	for {
		q.mu.Lock()
		sort.SliceStable(q.timers, func(i, j int) bool { return q.timers[i].due < q.timers[j].due })
		for len(q.timers) > 0 && q.timers[0].off {
			q.timers = q.timers[1:]
		}
		if len(q.timers) == 0 || q.timers[0].due > end {
			q.now = end
			q.mu.Unlock()
			return
		}
		t := q.timers[0]
		q.timers = q.timers[1:]
		q.now = t.due
		q.mu.Unlock()
		t.show()
		q.Drain()
	}
}
