//go:build unix

package connect

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
)

// Twelve processes find one account due at the same moment: the provider is
// asked once, and all of them end well. It rotates: a second request would
// cost the token.
func TestProcesses_TwelveRenewOneDueAccount(t *testing.T) {
	for _, onlyDue := range []bool{true, false} {
		t.Run(fmt.Sprintf("onlyDue=%v", onlyDue), func(t *testing.T) {
			s := onDisk(t)
			s.shape(sandbox.Shape{Renew: "rotating"})
			id := s.plant("user-0001", old)
			s.fault(sandbox.Fault{Delay: 200 * time.Millisecond}) // all of them arrive while the first asks
			var all []*exec.Cmd
			var said []*bytes.Buffer
			for range 12 {
				cmd := s.child(job{Do: "renew", Refs: []string{id}, OnlyDue: onlyDue, Gate: true})
				out := &bytes.Buffer{}
				cmd.Stdout, cmd.Stderr = out, out
				all, said = append(all, cmd), append(said, out)
			}
			gate, open, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer open.Close()
			for _, cmd := range all {
				cmd.Stdin = gate
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
			}
			gate.Close()
			time.Sleep(300 * time.Millisecond) // most are ready; a late one finds it done
			open.Close()
			outcomes := map[string]int{}
			for i, cmd := range all {
				if err := cmd.Wait(); err != nil {
					t.Errorf("process %d: %v\n%s", i, err, said[i])
				}
				for line := range strings.Lines(said[i].String()) {
					if rest, ok := strings.CutPrefix(line, "outcome "); ok {
						outcomes[strings.Fields(rest)[0]]++
					}
				}
			}
			if n := s.asks("user-0001"); n != 1 {
				t.Errorf("%d requests at the provider", n)
			}
			if outcomes[string(Renewed)] != 1 || outcomes[string(RenewFailed)] != 0 {
				t.Errorf("outcomes %v", outcomes)
			}
			if s.row(id).Gen != 2 || !s.works(s.kept(id).AccessToken) {
				t.Errorf("%+v", s.row(id))
			}
			s.recorded(id, 1)
			s.reopen()
			s.nothingLeftOver()
		})
	}
}

// Twelve programs that open the same home want the token at once: one request. And
// where that one fails all of them say why, not that a person has to sign in.
func TestATokenThatRefreshesIsRenewedOnceForManyPrograms(t *testing.T) {
	s := rotating(t, 0)
	s.service.Close()
	s.config.Now = s.sandbox.Server.Now
	s.open()
	id := s.signInAs("user-0001")
	programs := make([]*Service, 12)
	for i := range programs {
		program, err := Open(t.Context(), s.config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { program.Close() })
		programs[i] = program
	}
	all := func() (problems []*problem.Problem) {
		s.sandbox.Server.Forward(2 * time.Hour)
		got := make(chan error, len(programs))
		for _, program := range programs {
			go func() {
				_, err := program.Token(context.Background(), id)
				got <- err
			}()
		}
		for range programs {
			if p := problem.Of(<-got); p != nil {
				problems = append(problems, p)
			}
		}
		return problems
	}
	before := s.tokenRequests()
	if problems := all(); len(problems) != 0 || s.tokenRequests()-before != 1 {
		t.Errorf("%v, %d requests", problems, s.tokenRequests()-before)
	}
	if err := s.sandbox.Server.AddFault(sandbox.Fault{Path: "/login.example/token", Status: 503, Times: -1}); err != nil {
		t.Fatal(err)
	}
	problems := all()
	if len(problems) != len(programs) {
		t.Errorf("%d of %d", len(problems), len(programs))
	}
	for _, p := range problems {
		if p.Kind != problem.Network {
			t.Errorf("%v", p)
		}
	}
}

// stopped is a child that holds the lock of the account and stands still.
func (s *stage) stopped(id string) *exec.Cmd {
	s.t.Helper()
	s.fault(sandbox.Fault{Delay: time.Hour})
	cmd := s.child(job{Do: "renew", Refs: []string{id}, Gate: true})
	s.atTheGate(cmd)()
	for s.asked(renewPath) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// Whoever holds the lock stands still (SIGSTOP): the others say who it is after
// their wait, and show the list and the token meanwhile. Killed, it is out of
// the way at once.
func TestFault_LockHolderStoppedAndKilledDuringARenewal(t *testing.T) {
	s := onDisk(t)
	id := s.plant("user-0001", old)
	holder := s.stopped(id)
	_, err := library.LockFor(t.Context(), s.service.root(), id, 100*time.Millisecond)
	if p := problem.Of(err); !problem.Has(err, problem.LockHeld) || p.Args["pid"] != strconv.Itoa(holder.Process.Pid) {
		t.Errorf("%v does not name %d", err, holder.Process.Pid)
	}
	// The wait of a renewal is a person's to end.
	began := time.Now()
	if a, err := s.service.Accounts(t.Context()); err != nil || len(a) != 1 {
		t.Errorf("the list: %+v, %v", a, err)
	}
	if got, err := s.service.Recover(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("the row is at work: %+v, %v", got, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the list waits for the lock: %v", took)
	}

	waiting := make(chan error, 1)
	go func() {
		_, err := s.service.Renew(t.Context(), id, RenewOptions{})
		waiting <- err
	}()
	time.Sleep(50 * time.Millisecond)
	s.sandbox.Server.ClearFaults()
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-waiting:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the lock of a killed process is still held")
	}
	if s.row(id).Gen != 2 || !s.works(s.kept(id).AccessToken) {
		t.Errorf("%+v", s.row(id))
	}
	s.reopen()
	s.nothingLeftOver()
}

// SIGTERM while the provider thinks: the process waits for the answer and
// stores it, or leaves it to the next start; it is gone within five seconds.
func TestFault_SIGTERMDuringARenewal(t *testing.T) {
	s := onDisk(t)
	s.shape(sandbox.Shape{Renew: "rotating"})
	id := s.plant("user-0001", old)
	s.fault(sandbox.Fault{Delay: 500 * time.Millisecond})
	cmd := s.child(job{Do: "renew", Refs: []string{id}, Gate: true})
	s.atTheGate(cmd)()
	for s.asked(renewPath) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	s.reopen()
	if _, err := s.service.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.row(id).Gen != 2 || !s.works(s.kept(id).AccessToken) || s.asks("user-0001") != 1 {
		t.Errorf("%+v after %d requests", s.row(id), s.asks("user-0001"))
	}
	s.nothingLeftOver()
}

// A panic anywhere in a sign-in or a renewal ends the process, by way of
// everything that is deferred. What had reached the disk is still there.
func TestFault_PanicAtEveryPoint(t *testing.T) {
	sealed := slices.Index(Points, "sealed-short")
	for i, point := range Points {
		t.Run("sign-in/"+point, func(t *testing.T) {
			t.Parallel()
			s := onDisk(t)
			s.service.Close()
			s.panics(job{Do: "sign-in", Point: point, Panic: true})
			s.open()
			if _, err := s.service.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			accounts, err := s.service.Accounts(t.Context())
			if err != nil || i >= sealed && len(accounts) != 1 {
				t.Fatalf("%+v, %v", accounts, err)
			}
			if i >= sealed {
				if got, err := s.service.Token(t.Context(), accounts[0].ID); err != nil || !s.works(got.AccessToken) {
					t.Error(err)
				}
			}
			s.noPlainTokenOnDisk()
			s.nothingLeftOver()
		})
	}
	for _, point := range RenewPoints {
		t.Run("renew/"+point, func(t *testing.T) {
			t.Parallel()
			s := onDisk(t)
			s.shape(sandbox.Shape{Renew: "rotating", Grace: 1})
			id := s.plant("user-0001", old)
			s.service.Close()
			s.panics(job{Do: "renew", Refs: []string{id}, Point: point, Panic: true})
			s.open()
			if _, err := s.service.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.mended(id)
			s.noPlainTokenOnDisk()
			s.nothingLeftOver()
		})
	}
}

func (s *stage) panics(j job) {
	s.t.Helper()
	cmd := s.child(j)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: injected") {
		s.t.Fatalf("no panic: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "IGAA") || strings.Contains(string(out), sandbox.ClientSecret) {
		s.t.Error("the panic's own words hold a secret")
	}
}

// As many files as a process may have open are open (ulimit -n): renewing fails
// with a word for it, and nothing is damaged.
func TestFault_FileDescriptorsExhausted(t *testing.T) {
	for _, files := range []uint64{8, 12, 16, 20, 24, 32} {
		t.Run(strconv.FormatUint(files, 10), func(t *testing.T) {
			t.Parallel()
			s := onDisk(t)
			var ids []string
			for n := range 3 {
				ids = append(ids, s.plant(fmt.Sprintf("user-%04d", n+1), old))
			}
			s.service.Close()
			out, err := s.child(job{Do: "renew", Refs: ids, Files: files}).CombinedOutput()
			if strings.Contains(string(out), "panic") || strings.Contains(string(out), "fatal") {
				t.Fatalf("%v\n%s", err, out)
			}
			s.open()
			if _, err := s.service.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				a, err := s.service.Account(t.Context(), id)
				if err != nil || a.Status == NeedsSignIn || a.Status == Expired {
					t.Errorf("%+v, %v", a, err)
				}
				s.mended(id)
			}
			s.nothingLeftOver()
		})
	}
}

// A home whose name is not English and not simple, another time zone, another
// language: nothing of it matters.
func TestFault_HomeAndLocaleOfAnyKind(t *testing.T) {
	for _, env := range [][]string{
		{"TZ=Asia/Kathmandu", "LC_ALL=tr_TR.UTF-8", "LANG=tr_TR.UTF-8"},
		{"TZ=Pacific/Apia", "LC_ALL=C"},
		{"TZ=:no such zone", "LC_ALL=ar_EG.UTF-8"},
		{"TZ=America/New_York", "LC_ALL=", "LANG="},
	} {
		t.Run(env[0], func(t *testing.T) {
			t.Parallel()
			s := onDisk(t, func(c *Config) { c.Home = filepath.Join(c.Home, "Zoë's Büro % 100 ?#&日本 ñ ") })
			id := s.plant("user-0001", old)
			s.service.Close()
			cmd := s.child(job{Do: "renew", Refs: []string{id}, OnlyDue: true})
			cmd.Env = append(cmd.Env, env...)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "outcome renewed") {
				t.Fatalf("%v\n%s", err, out)
			}
			s.open()
			row := s.row(id)
			if left := time.Until(*row.ExpiresAt); row.Gen != 2 || left < 59*day || left > 61*day {
				t.Errorf("ends %v", row.ExpiresAt)
			}
			s.noPlainTokenOnDisk()
			s.nothingLeftOver()
		})
	}
}
