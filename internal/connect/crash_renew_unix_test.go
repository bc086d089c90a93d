//go:build unix

package connect

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// refused wants an account that is dead, and says so, and has lost nothing of
// what was stored.
func (s *stage) refused(id string, item vault.Item) {
	s.t.Helper()
	a, err := s.service.Account(s.t.Context(), id)
	if err != nil || a.Status != NeedsSignIn {
		s.t.Errorf("a token that is lost at the provider: %+v, %v", a, err)
	}
	if now := s.kept(id); !now.AccessToken.Equal(item.AccessToken) || now.Gen != item.Gen {
		s.t.Error("the stored token was touched")
	}
}

// WO-1, WO-2, WO-4 and WO-5 at every named point of a renewal. Where the
// provider forgives one lost answer nothing is lost; where it does not, only
// the point between its answer and our disk is.
func TestWO1_KillAtEveryPointOfARenewal(t *testing.T) {
	for _, kind := range kinds {
		lost := 0
		for _, point := range RenewPoints {
			t.Run(kind.name+"/"+point, func(t *testing.T) {
				s := onDisk(t)
				s.shape(kind.shape)
				id := s.plant("user-0001", old)
				before := s.kept(id)
				s.service.Close()
				if !s.run(job{Do: "renew", Refs: []string{id}, Point: point}) {
					t.Fatal("the child did not come to its point")
				}
				s.open()
				if _, err := s.service.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				got, err := s.service.Renew(t.Context(), id, RenewOptions{})
				if err != nil {
					t.Fatal(err)
				}
				asks, repeats := s.asks("user-0001"), 0
				if point == "renew-answered" {
					repeats = 1
				}
				if kind.strict && point == "renew-answered" {
					lost++
					s.refused(id, before)
				} else {
					if got.Outcome == RenewFailed || !s.works(s.kept(id).AccessToken) || s.row(id).Gen != 2 {
						t.Errorf("%+v, generation %d", got, s.row(id).Gen)
					}
					if asks != 1+repeats {
						t.Errorf("%d token requests, 1 recorded, %d repeated", asks, repeats)
					}
					s.recorded(id, 1)
				}
				s.noPlainTokenOnDisk()
				s.reopen()
				s.nothingLeftOver()
			})
		}
		t.Attr("figure", fmt.Sprintf("%s: %d points, %d lost", kind.name, len(RenewPoints), lost))
		if want := map[bool]int{true: 1}[kind.strict]; lost != want {
			t.Errorf("%s: %d points lose the token, want %d", kind.name, lost, want)
		}
	}
}

// recorded wants that many renewals in the diary.
func (s *stage) recorded(id string, want int) {
	s.t.Helper()
	entries, err := s.service.Diary(s.t.Context(), id, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if e.Event == "renewed" {
			n++
		}
	}
	if n != want {
		s.t.Errorf("%d renewals in the diary, want %d", n, want)
	}
}

// pair is a crash in one operation and another in what comes after it.
type pair struct {
	first, second job
}

func (p pair) String() string {
	return fmt.Sprintf("%s %s, then %s %s", p.first.Do, p.first.Point, p.second.Do, p.second.Point)
}

// pairs are all of them: a second point that is not reached is a second
// operation that is done.
func pairs() []pair {
	points := map[string][]string{"sign-in": Points, "recover": slices.Concat(Points, RenewPoints), "renew": RenewPoints}
	var all []pair
	for _, first := range []string{"sign-in", "renew"} {
		for _, second := range []string{"recover", "sign-in", "renew"} {
			for _, a := range points[first] {
				for _, b := range points[second] {
					all = append(all, pair{job{Do: first, Point: a}, job{Do: second, Point: b}})
				}
			}
		}
	}
	return all
}

// long runs take what they need; see cmd/dev test -long.
func longRun() bool { return os.Getenv("TOKENKEEP_TEST_LONG") != "" }

// randomSeed is printed, so that a failure can be had again.
func randomSeed(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if raw := os.Getenv("TOKENKEEP_TEST_SEED"); raw != "" {
		if _, err := fmt.Sscan(raw, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Attr("figure", fmt.Sprintf("TOKENKEEP_TEST_SEED=%d", seed))
	return rand.New(rand.NewPCG(seed, 0))
}

// somePairs is how many of all pairs an ordinary run takes; under the race
// detector, whose children are slow to start, it takes fewer.
func somePairs() int {
	if underRace {
		return 12
	}
	return 60
}

// WO-1 for pairs: a person signs in or a token is renewed, the program is
// killed, and killed again in what it does next. Afterwards everything that
// the provider forgives is there.
func TestWO1_PairsOfKills(t *testing.T) {
	random := randomSeed(t)
	all := pairs()
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if !longRun() || underRace {
		all = all[:somePairs()]
	}
	var mu sync.Mutex
	deaths, lost := 0, 0
	// They wait for processes and disks more than they work: more at once than
	// there are processors, which is what t.Parallel would give.
	var workers sync.WaitGroup
	next := make(chan int)
	for range 6 {
		workers.Go(func() {
			for i := range next {
				t.Run(all[i].String(), func(t *testing.T) {
					// Every second one meets a provider that forgives nothing.
					again, gone := killTwice(t, all[i], i%2 == 1)
					mu.Lock()
					defer mu.Unlock()
					if again {
						deaths++
					}
					if gone {
						lost++
					}
				})
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	workers.Wait()
	figure := fmt.Sprintf("%d pairs of %d, %d with a second death; %d tokens lost, all at the strict provider", len(all), len(pairs()), deaths, lost)
	t.Attr("figure", figure)
	if deaths == 0 {
		t.Error("no second operation was killed")
	}
}

func killTwice(t *testing.T, p pair, strict bool) (again, gone bool) {
	s := onDisk(t)
	shape := sandbox.Shape{Renew: "rotating", Grace: 2}
	if strict {
		shape.Grace = 0
	}
	s.shape(shape)
	who := sandbox.People()[0]
	id := s.plant(who, old)
	s.service.Close()
	p.first.Refs, p.second.Refs = []string{id}, []string{id}
	if !s.run(p.first) {
		t.Fatal("the child did not come to its first point")
	}
	again = s.run(p.second)

	s.open()
	if _, err := s.service.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Renew(t.Context(), id, RenewOptions{}); err != nil {
		t.Fatal(err)
	}
	accounts, err := s.service.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || accounts[0].ID != id {
		t.Fatalf("one person is one account: %+v, %v", accounts, err)
	}
	answered := p.first.Point == "renew-answered" || p.second.Point == "renew-answered" && again
	switch alive := s.works(s.kept(id).AccessToken); {
	case alive && accounts[0].Status == NeedsSignIn:
		t.Errorf("a token that works is said to be dead: %s", accounts[0].Reason)
	case !alive && !(strict && answered):
		t.Errorf("the token is lost: %+v", accounts[0])
	case !alive:
		gone = true
		if accounts[0].Status != NeedsSignIn {
			t.Errorf("a dead token is said to be %s", accounts[0].Status)
		}
	}
	// The program works on: a sign-in mends all of it, and nothing is left.
	if _, err := s.service.Connect(t.Context(), s.request(), nil); err != nil {
		t.Fatal(err)
	}
	if !s.works(s.kept(id).AccessToken) {
		t.Error("after signing in again the token does not work")
	}
	s.noPlainTokenOnDisk()
	s.reopen()
	if left, err := s.service.Recover(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("recovering after all is done: %+v, %v", left, err)
	}
	s.nothingLeftOver()
	return again, gone
}

// kills is how many random kills a run has, at each of two providers. The race
// detector is for one process; a killed one reports nothing, so that fewer are
// enough to run these lines under it.
func kills() int {
	switch {
	case underRace:
		return 20
	case longRun():
		return 5000
	default:
		return 150
	}
}

// WO-1 and WO-2 at moments that nobody chose: a process that renews one due
// account after another is killed 1 to 50 ms after it began.
func TestWO1_RandomKillsDuringRenewals(t *testing.T) {
	random := randomSeed(t)
	for _, kind := range kinds[1:] {
		mine := rand.New(rand.NewPCG(random.Uint64(), 0))
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := onDisk(t)
			s.shape(kind.shape)
			k := killing{stage: s, random: mine, strict: kind.strict}
			for n := range 16 {
				k.ids = append(k.ids, s.plant(fmt.Sprintf("user-%04d", n+1), 0))
			}
			done := 0
			for n := range kills() {
				k.once(n)
				done++
				if n%10 == 0 {
					s.noPlainTokenOnDisk()
				}
				if t.Failed() {
					break
				}
			}
			k.settle()
			s.noPlainTokenOnDisk()
			s.reopen()
			s.nothingLeftOver()
			figure := fmt.Sprintf("%s: %d kills, of them %d between the row and the answer, %d between the answer and the end; %d renewals, %d requests; %d tokens lost",
				kind.name, done, k.unsealed, k.sealed, k.renewals, k.requests, k.lost)
			t.Attr("figure", figure)
			if !underRace && k.unsealed+k.sealed == 0 {
				t.Error("no kill met a renewal")
			}
			if !kind.strict && k.lost > 0 {
				t.Errorf("%d tokens lost", k.lost)
			}
		})
	}
}

// killing is a run of kills over a few accounts that are made old again and again.
type killing struct {
	*stage
	random *rand.Rand
	strict bool
	ids    []string
	// due are those of this round that nobody has renewed yet; base their
	// generations at its start, repeats how often a request may have been
	// asked a second time.
	due     []string
	base    map[string]int64
	repeats map[string]int

	unsealed, sealed, renewals, requests, lost int
}

// freshen makes every account due, and counting begin anew.
func (k *killing) freshen() {
	k.t.Helper()
	sealer, err := k.service.sealer(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	k.sandbox.Server.ClearLog()
	k.base, k.repeats, k.due = map[string]int64{}, map[string]int{}, slices.Clone(k.ids)
	k.random.Shuffle(len(k.due), func(i, j int) { k.due[i], k.due[j] = k.due[j], k.due[i] })
	for _, id := range k.ids {
		row := k.row(id)
		k.age(sealer, row, k.mintFor(row.Username, old), old)
		k.base[id] = k.row(id).Gen
		// A renewal that failed keeps the next one waiting; this is a new life.
		if err := k.service.library.SetRenewal(k.t.Context(), id, func(r *library.Renewal) { *r = library.Renewal{} }); err != nil {
			k.t.Fatal(err)
		}
	}
}

func (k *killing) once(n int) {
	k.t.Helper()
	if len(k.due) < 6 {
		k.settle()
		k.freshen()
	}
	cmd := k.child(job{Do: "renew", Refs: k.due, Gate: true})
	release := k.atTheGate(cmd)
	release()
	time.Sleep(time.Duration(k.random.IntN(49_000)+1000) * time.Microsecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if !killed(cmd) && cmd.ProcessState.ExitCode() != 0 {
		k.t.Fatalf("kill %d: the child ended by itself: %v", n, cmd.ProcessState)
	}
	k.after(n)
}

// atTheGate starts a child, waits until it is ready, and returns what lets it go.
func (s *stage) atTheGate(cmd *exec.Cmd) (release func()) {
	s.t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		s.t.Fatalf("the child says %q, %v", line, err)
	}
	return func() { _ = in.Close() }
}

// after is the next start: what the kill met is finished, and every account
// that it met is looked at.
func (k *killing) after(n int) {
	k.t.Helper()
	ctx := k.t.Context()
	rows, err := k.service.library.Pendings(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	met := map[string]bool{}
	for _, row := range rows {
		met[row.AccountID] = len(row.Sealed) == 0
		if len(row.Sealed) == 0 {
			k.unsealed++
			k.repeats[row.AccountID]++
		} else {
			k.sealed++
		}
	}
	if len(rows) > 1 {
		k.t.Errorf("kill %d: %d rows of one process that renews one after another", n, len(rows))
	}
	if _, err := k.service.Recover(ctx); err != nil {
		k.t.Fatal(err)
	}
	var still []string
	for _, id := range k.due {
		unsealed, one := met[id]
		if one {
			if _, err := k.service.Renew(ctx, id, RenewOptions{}); err != nil {
				k.t.Fatalf("kill %d: %v", n, problem.Of(err).Key)
			}
		}
		row := k.row(id)
		switch {
		case row.Gen > k.base[id]:
			if row.Gen != k.base[id]+1 || !k.works(k.kept(id).AccessToken) {
				k.t.Errorf("kill %d: generation %d after %d, or the token is dead", n, row.Gen, k.base[id])
			}
		case one:
			if !k.strict || !unsealed || k.works(k.kept(id).AccessToken) {
				k.t.Errorf("kill %d: not renewed in the end: %s (row without an answer: %v)", n, row.LastAnswer, unsealed)
				continue
			}
			k.lost++
			k.refused(id, k.kept(id))
		default:
			still = append(still, id)
		}
	}
	k.due = still
}

// settle counts a round: WO-2.
func (k *killing) settle() {
	k.t.Helper()
	for id, base := range k.base {
		row := k.row(id)
		count, recorded := k.sandbox.Server.Counts()[row.Username], int(row.Gen-base)
		k.requests += count.Renew
		k.renewals += recorded
		if count.Renewed > recorded+k.repeats[id] {
			k.t.Errorf("%s: %d tokens given, %d recorded, at most %d repeated", row.Username, count.Renewed, recorded, k.repeats[id])
		}
		// What is asked and refused belongs to a token that is lost, or is the
		// request of a killed process that arrived after the repeated one.
		if row.LastAnswer == "" && count.Renew > count.Renewed+k.repeats[id] {
			k.t.Errorf("%s: %d requests, %d tokens given, at most %d repeated", row.Username, count.Renew, count.Renewed, k.repeats[id])
		}
	}
}
