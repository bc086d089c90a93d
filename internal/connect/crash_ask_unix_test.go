//go:build unix

package connect

import (
	"slices"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
)

// asking is a stage on which the first person has an account and the second one
// will answer.
func asking(t *testing.T) (s *stage, first Account, token Handed) {
	t.Helper()
	s = onDisk(t)
	first, _ = s.expecting()
	token = s.handed(first.ID)
	s.service.Close()
	return s, first, token
}

// A kill at any point of a sign-in that another person answers never touches
// the expected account. From the sealed answer on the question is asked at the
// next start, or, once it was decided, the answer is saved without asking again.
func TestKillAtEveryPointAroundTheQuestion(t *testing.T) {
	points := slices.Concat(Points, AskPoints)
	sealed := slices.Index(Points, "sealed-short")
	asked := slices.Index(Points, "identified")
	for i, point := range points {
		t.Run(point, func(t *testing.T) {
			s, first, token := asking(t)
			if !s.run(job{Do: "sign-in", Point: point, Expect: first.ID, Decide: string(AddAsNew)}) {
				t.Fatal("the child did not come to its point")
			}
			s.open()
			got, err := s.service.Recover(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.unharmed(first, token)
			decided := point == "decided" || i > asked && i < len(Points)
			switch {
			case point == "finished":
				if len(got) != 0 {
					t.Errorf("%+v", got)
				}
			case decided:
				if len(got) != 1 || got[0].Account == nil || got[0].Account.Username != sandbox.People()[1] {
					t.Fatalf("decided, and yet %+v", got)
				}
			case point == "asked" || i >= sealed:
				if len(got) != 1 || got[0].Other == nil {
					t.Fatalf("no question: %+v", got)
				}
				if again, err := s.service.Recover(t.Context()); err != nil || len(again) != 1 || again[0].ID != got[0].ID {
					t.Errorf("%+v, %v", again, err)
				}
				added, err := s.service.Settle(t.Context(), got[0].ID, AddAsNew)
				if err != nil || added.Username != sandbox.People()[1] {
					t.Fatalf("%+v, %v", added, err)
				}
			default:
				if len(got) > 1 || len(got) == 1 && !problem.Has(got[0].Problem, problem.Interrupted) {
					t.Errorf("%+v", got)
				}
				s.onlyAccounts(first.ID)
			}
			if decided || point == "asked" || i >= sealed {
				accounts, err := s.service.Accounts(t.Context())
				if err != nil || len(accounts) != 2 {
					t.Fatalf("%+v, %v", accounts, err)
				}
				for _, a := range accounts {
					s.handed(a.ID)
				}
			}
			s.unharmed(first, token)
			if left, _ := s.service.Recover(t.Context()); len(left) != 0 {
				t.Errorf("recovering twice: %+v", left)
			}
			s.noPlainTokenOnDisk()
		})
	}
}

// A kill while a question is settled leaves the question, or the decision.
func TestKillAtEveryPointOfSettling(t *testing.T) {
	for _, point := range []string{"decided", "sealed-short", "item-written", "app-saved", "finished"} {
		t.Run(point, func(t *testing.T) {
			s, first, token := asking(t)
			if !s.run(job{Do: "sign-in", Point: "asked", Expect: first.ID, Decide: "never"}) {
				t.Fatal("the child did not come to the question")
			}
			if !s.run(job{Do: "settle", Point: point, Settle: string(AddAsNew)}) {
				t.Fatal("the child did not come to its point")
			}
			s.open()
			if _, err := s.service.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			accounts, err := s.service.Accounts(t.Context())
			if err != nil || len(accounts) != 2 {
				t.Fatalf("%+v, %v", accounts, err)
			}
			s.unharmed(first, token)
			s.onlyAccounts(accounts[0].ID, accounts[1].ID)
			s.noPlainTokenOnDisk()
		})
	}
	t.Run("drop", func(t *testing.T) {
		s, first, token := asking(t)
		if !s.run(job{Do: "sign-in", Point: "asked", Expect: first.ID, Decide: "never"}) {
			t.Fatal("the child did not come to the question")
		}
		if s.run(job{Do: "settle", Settle: string(DropAnswer)}) {
			t.Fatal("killed")
		}
		s.open()
		s.onlyAccounts(first.ID)
		s.unharmed(first, token)
	})
}
