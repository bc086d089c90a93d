package connect

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// wallClock runs like the computer's and can be set.
type wallClock struct {
	mu   sync.Mutex
	jump time.Duration
}

// now carries a monotonic reading, as time.Now does: it knows of no jump.
func (c *wallClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := time.Now()
	if c.jump == 0 {
		return n
	}
	return n.Round(0).Add(c.jump)
}

func (c *wallClock) set(jump time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jump = jump
}

// A computer that slept through the deadline ends the attempt when it wakes,
// and the port is free within a second.
func TestATT9_DeadlineFollowsTheWallClock(t *testing.T) {
	clock := &wallClock{}
	s := newStage(t, "ok", func(c *Config) { c.Now = clock.now })
	r := s.request()
	r.Timeout, r.Browser = 0, BrowserNone
	var deadline time.Time
	began := time.Now()
	_, err := s.service.Connect(t.Context(), r, func(st State) {
		s.watch(st)
		if st.Step == Waiting && deadline.IsZero() {
			deadline = st.Deadline
			clock.set(time.Hour)
		}
	})
	p := problem.Of(err)
	if p == nil || p.Key != problem.DeadlinePassed || p.Args["minutes"] != "10" || time.Since(began) > 4*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	// Two times are compared by the wall clock as soon as one of them has no
	// monotonic reading, which stands still in a sleep.
	if strings.Contains(deadline.String(), "m=") {
		t.Errorf("the deadline %v sleeps with the computer", deadline)
	}
	if left := deadline.Sub(began); left < 9*time.Minute || left > 11*time.Minute {
		t.Errorf("the default deadline is %v away", left)
	}
	s.nothingLeft()
}

// A clock of the caller's decides how long the timer runs, also one that is
// not today's.
func TestATT9_DeadlineCountsByTheGivenClock(t *testing.T) {
	clock := &wallClock{jump: -400 * 24 * time.Hour}
	s := newStage(t, "ok", func(c *Config) { c.Now = clock.now })
	r := s.request()
	r.Timeout, r.Browser = 600*time.Millisecond, BrowserNone
	began := time.Now()
	_, err := s.service.Connect(t.Context(), r, nil)
	if took := time.Since(began); !problem.Has(err, problem.DeadlinePassed) || took < 500*time.Millisecond || took > 3*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestDeadlineProblemCountsTheExtension(t *testing.T) {
	clock := &wallClock{}
	s := newStage(t, "ok", func(c *Config) { c.Now = clock.now })
	extend := make(chan time.Duration, 3)
	extend <- 10 * time.Minute
	extend <- -time.Hour
	close(extend) // a front end that is done with it must not make us spin
	pasted := make(chan string)
	close(pasted)
	r := s.request()
	r.Timeout, r.Browser, r.Extend, r.Pasted = 0, BrowserNone, extend, pasted
	announced := 0
	_, err := s.service.Connect(t.Context(), r, func(st State) {
		if st.Step == Waiting {
			if announced++; announced == 3 {
				clock.set(30 * time.Minute)
			}
		}
	})
	if p := problem.Of(err); p == nil || p.Key != problem.DeadlinePassed || p.Args["minutes"] != "20" {
		t.Errorf("%v", err)
	}
	if announced > 4 {
		t.Errorf("%d announcements while nothing happened", announced)
	}
}

// An answer that was taken in the moment in which the waiting ends is not
// thrown away (ruling 8), and no nil ever stands for a code.
func TestAnAnswerAtTheLastMomentCounts(t *testing.T) {
	s := newStage(t, "ok")
	run := &signIn{service: s.service, observe: func(State) {}, over: func() {}, freePort: func() {}, answers: make(chan received, 1)}
	run.answers <- received{code: secret.New("the code")}
	if code, err := run.orElse(tooLate(time.Minute)); err != nil || code.Reveal() != "the code" || !run.accepted {
		t.Errorf("%v", err)
	}
	if _, err := run.orElse(nil); !problem.Has(err, problem.BrowserClosed) {
		t.Errorf("a window that ended without a reason: %v", err)
	}
}

// Cancelling in each step that can be cancelled: "cancelled", nothing left, no
// state after the last one, and never two states at once.
func TestCancelInEveryStepThatCanBeCancelled(t *testing.T) {
	for _, at := range []Step{Checking, Listening, Waiting} {
		t.Run(string(at), func(t *testing.T) {
			s := newStage(t, "ok")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var busy sync.Mutex
			r := s.request()
			r.Browser = BrowserNone
			_, err := s.service.Connect(ctx, r, func(st State) {
				if !busy.TryLock() {
					t.Error("two states at once")
				}
				defer busy.Unlock()
				s.watch(st)
				if st.Step == at {
					if !st.Cancellable() {
						t.Errorf("%s says that it cannot be cancelled", at)
					}
					cancel()
				}
			})
			if !problem.Has(err, problem.SignInCancelled) {
				t.Errorf("%v", err)
			}
			steps := s.steps()
			if steps[len(steps)-1] != Failed || slices.Contains(steps, Answered) {
				t.Errorf("steps %v", steps)
			}
			s.nothingLeft()
		})
	}
}

// Once the code is there, cancelling comes too late: the token is saved, and
// the browser is told the truth.
func TestCancelAfterTheCodeChangesNothing(t *testing.T) {
	for _, at := range []Step{Answered, Exchanging, Extending, Identifying, Saving} {
		t.Run(string(at), func(t *testing.T) {
			s := newStage(t, "ok")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			account, err := s.service.Connect(ctx, s.request(), func(st State) {
				if st.Step == at {
					if st.Cancellable() {
						t.Errorf("%s says that it can be cancelled", at)
					}
					cancel()
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.service.Token(t.Context(), account.ID); err != nil {
				t.Error(err)
			}
			if page := s.person.lastPage(); !strings.Contains(page.body, "is connected") {
				t.Errorf("the browser shows %q at %s", page.body, page.address)
			}
		})
	}
}

// Strangers are counted however fast they knock, and the true answer still
// comes through.
func TestStrangersAreCountedAndTheAttemptGoesOn(t *testing.T) {
	s := newStage(t, "ok")
	const many = 150
	knocked := false
	s.person.meddle = func(u *url.URL) {
		if knocked {
			return
		}
		knocked = true
		evil := *u
		q := evil.Query()
		q.Set("state", strings.Repeat("B", 43))
		evil.RawQuery = q.Encode()
		for range many {
			other := &visitor{}
			_ = other.open(t.Context(), evil.String())
			if got := other.lastPage().status; got != http.StatusBadRequest {
				t.Errorf("a stranger got %d", got)
				return
			}
		}
	}
	if _, err := s.service.Connect(t.Context(), s.request(), s.watch); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	most := 0
	for _, st := range s.states {
		if st.Step == Waiting {
			most = max(most, st.Strangers)
		}
	}
	if most < many-1 {
		t.Errorf("%d strangers counted of %d", most, many)
	}
}

// A refusal that was pasted is announced even when the listener is flooded.
func TestAPastedRefusalIsNeverLostInAFlood(t *testing.T) {
	s := newStage(t, "ok")
	pasted := make(chan string)
	r := s.request()
	r.Pasted, r.Browser = pasted, BrowserNone
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan problem.Key, 1000)
	flood := sync.OnceFunc(func() {
		s.service.mu.Lock()
		defer s.service.mu.Unlock()
		for run := range s.service.attempts {
			for range 500 {
				run.offer(secret.New("code=AQx&state=" + strings.Repeat("C", 43)))
			}
		}
		go func() { pasted <- s.uri + "?code=AQ1&code=AQ2&state=nothing" }()
	})
	go func() {
		_, _ = s.service.Connect(ctx, r, func(st State) {
			if st.Step == Waiting {
				flood()
			}
			if st.Refused != nil {
				told <- st.Refused.Key
			}
		})
		close(told)
	}()
	seen := 0
	for key := range told {
		if key != problem.AnswerForeign {
			t.Errorf("%s", key)
		}
		if seen++; seen == 2 { // the flood as one, the pasted one
			cancel()
		}
	}
	if seen < 2 {
		t.Errorf("%d refusals announced", seen)
	}
}

// Whoever cancels and signs in again at once gets the port, although the
// former listener is still ending; so does the next account.
func TestSigningInAgainAtOnceFindsThePort(t *testing.T) {
	s := newStage(t, "ok")
	// A browser's silent pre-connection keeps a listener for half a second.
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	waiting := make(chan struct{})
	r := s.request()
	r.Browser = BrowserNone
	go func() {
		_, err := s.service.Connect(ctx, r, func(st State) {
			if st.Step == Waiting {
				close(waiting)
			}
		})
		first <- err
	}()
	<-waiting
	silent := dial(t, s.uri)
	defer silent.Close()
	time.Sleep(50 * time.Millisecond)
	cancel()
	next := make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := s.service.Connect(t.Context(), s.request(), func(st State) {
			if st.Step != Connected {
				return
			}
			// From inside the announcement: the first page is still on its way.
			once.Do(func() {
				go func() {
					_, err := s.service.Connect(t.Context(), s.request(), nil)
					next <- err
				}()
			})
		})
		first <- err
	}()
	if err := <-first; !problem.Has(err, problem.SignInCancelled) {
		t.Error(err)
	}
	if err := <-first; err != nil {
		t.Fatalf("signing in again: %v", err)
	}
	if err := <-next; err != nil {
		t.Errorf("the next account: %v", err)
	}
}

// While one attempt needs the port, a second is told so before its browser opens.
func TestOneAttemptAtATimeOnAPort(t *testing.T) {
	s := newStage(t, "ok")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	r := s.request()
	r.Browser = BrowserNone
	opened := false
	go func() {
		defer close(done)
		_, _ = s.service.Connect(ctx, r, func(st State) {
			if st.Step != Waiting || opened {
				return
			}
			opened = true
			go func() {
				defer cancel()
				_, err := s.service.Connect(t.Context(), s.request(), nil)
				if !problem.Has(err, problem.PortOurs) || len(s.person.pages) != 0 {
					t.Errorf("%v, %d pages", err, len(s.person.pages))
				}
			}()
		})
	}()
	<-done
	// Practice and the real thing share the ports, and so the lock.
	if _, err := os.Stat(filepath.Join(s.config.Home, "locks", "port-"+strings.Trim(s.uri[len("https://localhost:"):], "/"))); err != nil {
		t.Error(err)
	}
}

func TestTwoAttemptsOnTwoPortsDoNotMeet(t *testing.T) {
	s := newStage(t, "ok")
	var wg sync.WaitGroup
	for range 2 {
		r := s.request()
		r.RedirectURI = "https://localhost:" + freePort(t) + "/"
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, err := s.service.Connect(t.Context(), r, nil); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	accounts, err := s.service.Accounts(t.Context())
	if err != nil || len(accounts) != 1 {
		t.Fatalf("one person: %+v, %v", accounts, err)
	}
	if _, err := s.service.Token(t.Context(), accounts[0].ID); err != nil {
		t.Error(err)
	}
	s.onlyItemsOf(accounts)
}

// onlyItemsOf looks for tokens in the keychain that no account points to.
func (s *stage) onlyItemsOf(accounts []Account) {
	s.t.Helper()
	ids, err := vault.Index(s.t.Context(), s.store, s.service.library.ID())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range ids {
		_, err := s.store.Get(s.t.Context(), "token-"+id)
		known := slices.ContainsFunc(accounts, func(a Account) bool { return a.ID == id })
		if (err == nil) != known {
			s.t.Errorf("item token-%s: %v, account known: %v", id, err, known)
		}
	}
	for _, a := range accounts {
		if !slices.Contains(ids, a.ID) {
			s.t.Errorf("the index lacks %s", a.ID)
		}
	}
}

// A keychain prompt is told to the sign-ins under way and to nobody after.
func TestAKeychainPromptIsPartOfTheState(t *testing.T) {
	s := newStage(t, "ok")
	heard := []bool{}
	s.service.config.At = func(point string) {
		if point == "sealed-long" {
			s.service.vaultWaits(true)
			s.service.vaultWaits(false)
		}
	}
	if _, err := s.service.Connect(t.Context(), s.request(), func(st State) {
		if len(heard) == 0 || heard[len(heard)-1] != st.VaultWaits {
			heard = append(heard, st.VaultWaits)
		}
		s.watch(st)
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(heard, []bool{false, true, false}) {
		t.Errorf("%v", heard)
	}
	n := len(s.states)
	s.service.vaultWaits(true)
	if len(s.states) != n {
		t.Error("a state after the last one")
	}
}

func TestEveryVerdictIsADecision(t *testing.T) {
	for key, verdict := range verdicts {
		if verdict == redirect.Accepted || !problem.Listed(key) {
			t.Errorf("%s: %d", key, verdict)
		}
	}
}

func dial(t *testing.T, uri string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(uri, "https://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
