package connect

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// expecting is a request for the first person while the second one answers.
func (s *stage) expecting() (first Account, r Request) {
	s.t.Helper()
	first, err := s.service.Connect(s.t.Context(), s.request(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.sandbox.Server.SetConsent(sandbox.People()[1], nil); err != nil {
		s.t.Fatal(err)
	}
	r = s.request()
	r.ExpectAccount = first.ID
	return first, r
}

// unharmed fails unless the account has the token and the dates that it had.
func (s *stage) unharmed(first Account, token Handed) {
	s.t.Helper()
	now, err := s.service.Account(s.t.Context(), first.ID)
	if err != nil || now.UserID != first.UserID || now.Username != first.Username || now.Status != first.Status || !now.ExpiresAt.Equal(*first.ExpiresAt) {
		s.t.Errorf("the expected account: %+v, %v", now, err)
	}
	kept, err := s.service.Token(s.t.Context(), first.ID)
	if err != nil || !kept.AccessToken.Equal(token.AccessToken) {
		s.t.Errorf("the expected account's token: %v", err)
	}
}

func (s *stage) handed(id string) Handed {
	s.t.Helper()
	got, err := s.service.Token(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// Without anybody to ask, another person's answer changes nothing.
func TestAnotherPersonWithoutAQuestionIsRefused(t *testing.T) {
	for _, by := range []string{"id", "username"} {
		t.Run(by, func(t *testing.T) {
			s := newStage(t, "ok")
			first, r := s.expecting()
			if by == "username" {
				r.ExpectAccount, r.Expect = "", "@"+first.Username
			}
			token := s.handed(first.ID)
			_, err := s.service.Connect(t.Context(), r, s.watch)
			p := problem.Of(err)
			if !problem.Has(err, problem.OtherAccount) || p.Kind.ExitCode() != 9 || p.Args["username"] != first.Username || p.Args["found"] != sandbox.People()[1] {
				t.Fatalf("%v", err)
			}
			if last := s.last(); last.Held || last.Other != nil {
				t.Errorf("%+v", last)
			}
			s.onlyAccounts(first.ID)
			s.unharmed(first, token)
		})
	}
}

// onlyAccounts fails unless there are just these, no row waits, and each has its
// token and nothing else lies under the tokens' names.
func (s *stage) onlyAccounts(ids ...string) {
	s.t.Helper()
	accounts, err := s.service.Accounts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var have []string
	for _, a := range accounts {
		have = append(have, a.ID)
	}
	slices.Sort(have)
	slices.Sort(ids)
	if !slices.Equal(have, ids) {
		s.t.Errorf("accounts %v, want %v", have, ids)
	}
	rows, err := s.service.library.Pendings(s.t.Context())
	if err != nil || len(rows) != 0 {
		s.t.Errorf("%d rows wait, %v", len(rows), err)
	}
	s.service.mu.Lock()
	defer s.service.mu.Unlock()
	if len(s.service.held) != 0 {
		s.t.Errorf("%d answers held", len(s.service.held))
	}
}

// With somebody to ask it is a question: the answer waits, sealed, and what the
// person says is done. The expected account is never touched.
func TestAnotherPersonIsAQuestion(t *testing.T) {
	for _, row := range []struct {
		name string
		// answer is what happens when the question is there.
		answer func(decide chan Decision, cancel context.CancelCauseFunc)
		added  bool
	}{
		{"add", func(d chan Decision, _ context.CancelCauseFunc) { d <- AddAsNew }, true},
		{"drop", func(d chan Decision, _ context.CancelCauseFunc) { d <- DropAnswer }, false},
		{"nobody decides any more", func(d chan Decision, _ context.CancelCauseFunc) { close(d) }, false},
		{"cancelled", func(_ chan Decision, cancel context.CancelCauseFunc) { cancel(nil) }, false},
	} {
		for _, known := range []bool{false, true} {
			name := row.name
			if known {
				name += "/known"
			}
			t.Run(name, func(t *testing.T) {
				s := newStage(t, "ok")
				first, r := s.expecting()
				other := ""
				if known {
					r := s.request()
					second, err := s.service.Connect(t.Context(), r, nil)
					if err != nil {
						t.Fatal(err)
					}
					other = second.ID
					s.sandbox.Server.Forward(time.Minute)
				}
				token := s.handed(first.ID)
				decide := make(chan Decision)
				r.Decide = decide
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				began := make(chan State, 1)
				account, err := s.service.Connect(ctx, r, func(st State) {
					s.watch(st)
					if st.Other == nil || len(began) > 0 {
						return
					}
					began <- st
					go func() {
						// The question holds no port and no page: the browser was told to
						// come back, and the sealed answer is on the disk.
						rows, err := s.service.library.Pendings(t.Context())
						if err != nil || len(rows) != 1 || len(rows[0].Sealed) == 0 {
							t.Errorf("the answer is not sealed while the question is open: %v", err)
						}
						row.answer(decide, cancel)
					}()
				})
				if len(began) != 1 {
					t.Fatal("there was no question")
				}
				if page := s.person.lastPage(); !strings.Contains(page.body, "Go back to Tokenkeep") {
					t.Errorf("the browser's page: %s", page.body)
				}
				st := <-began
				want := Other{Wanted: first.Username, Found: sandbox.People()[1], Known: known}
				if *st.Other != want || st.Step != Identifying || !st.Cancellable() || !st.Asks() {
					t.Errorf("the question: %+v", st)
				}
				if last := s.last(); last.Other != nil || last.Held {
					t.Errorf("afterwards: %+v", last)
				}
				s.unharmed(first, token)
				switch {
				case row.added:
					if err != nil || account.Username != sandbox.People()[1] || known && account.ID != other {
						t.Fatalf("%+v, %v", account, err)
					}
					s.onlyAccounts(first.ID, account.ID)
					s.handed(account.ID)
				case known:
					s.onlyAccounts(first.ID, other)
				default:
					s.onlyAccounts(first.ID)
				}
				if !row.added && !problem.Has(err, problem.OtherAccount) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// Who was renamed is the same person; who took over a name is not.
func TestTheExpectedAccountIsKnownByItsID(t *testing.T) {
	s := newStage(t, "ok")
	first, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.library.UpdateAccount(t.Context(), first.ID, func(a *library.Account) { a.Username = "former.name" }); err != nil {
		t.Fatal(err)
	}
	r := s.request()
	r.ExpectAccount, r.Expect = first.ID, "somebody.else"
	again, err := s.service.Connect(t.Context(), r, nil)
	if err != nil || again.ID != first.ID || again.Username != first.Username {
		t.Errorf("the renamed one: %+v, %v", again, err)
	}
	// The name of the first is the second person's now.
	if err := s.sandbox.Server.SetConsent(sandbox.People()[1], nil); err != nil {
		t.Fatal(err)
	}
	if err := s.service.library.UpdateAccount(t.Context(), first.ID, func(a *library.Account) { a.Username = sandbox.People()[1] }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Connect(t.Context(), r, nil); !problem.Has(err, problem.OtherAccount) {
		t.Errorf("who took the name: %v", err)
	}
	s.onlyAccounts(first.ID)
	r.ExpectAccount = "nobody00nobody00"
	if _, err := s.service.Connect(t.Context(), r, nil); !problem.Has(err, problem.AccountUnknown) {
		t.Errorf("no such account: %v", err)
	}
}

// An account that is expected brings its app, its secret and its permissions,
// so that "ask again for what is missing" is one call.
func TestTheExpectedAccountBringsItsAppAndPermissions(t *testing.T) {
	s := newStage(t, "ok")
	r := s.request()
	r.KeepSecret, r.App = true, "Bookshop"
	r.Scopes = []string{"instagram_business_basic", "instagram_business_manage_comments"}
	if err := s.sandbox.Server.SetConsent(sandbox.People()[0], []string{"instagram_business_manage_comments"}); err != nil {
		t.Fatal(err)
	}
	first, err := s.service.Connect(t.Context(), r, nil)
	if err != nil || !slices.Equal(first.MissingScopes, []string{"instagram_business_manage_comments"}) {
		t.Fatalf("missing %v, %v", first.MissingScopes, err)
	}
	if err := s.sandbox.Server.SetConsent(sandbox.People()[0], nil); err != nil {
		t.Fatal(err)
	}
	// The app was last used for less: the account's own permissions count.
	app, err := s.service.library.AppByName(t.Context(), "Bookshop")
	if err != nil {
		t.Fatal(err)
	}
	app.Scopes = app.Scopes[:1]
	if err := s.service.library.UpdateApp(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	again, err := s.service.Connect(t.Context(), Request{ExpectAccount: first.ID, Timeout: 20 * time.Second}, nil)
	if err != nil || again.ID != first.ID || len(again.MissingScopes) != 0 || !slices.Equal(again.ScopesAsked, r.Scopes) || again.App != "Bookshop" {
		t.Errorf("%+v, %v", again, err)
	}
	more := append(slices.Clone(r.Scopes), "instagram_business_manage_insights")
	again, err = s.service.Connect(t.Context(), Request{ExpectAccount: first.ID, Scopes: more, Timeout: 20 * time.Second}, nil)
	if err != nil || again.ID != first.ID || !slices.Equal(again.GrantedScopes, more) {
		t.Errorf("one more: %+v, %v", again, err)
	}
}

// Closing the program leaves the question open: the next start has it, as often
// as it is asked, until somebody settles it, once.
func TestAQuestionIsLeftOpenForTheNextStart(t *testing.T) {
	for _, d := range []Decision{AddAsNew, DropAnswer} {
		t.Run(string(d), func(t *testing.T) {
			s := newStage(t, "ok")
			first, r := s.expecting()
			token := s.handed(first.ID)
			r.Decide = make(chan Decision)
			ctx, cancel := context.WithCancelCause(t.Context())
			_, err := s.service.Connect(ctx, r, func(st State) {
				s.watch(st)
				if st.Other != nil {
					cancel(ErrClosing)
				}
			})
			if !problem.Has(err, problem.OtherAccount) || !s.last().Held {
				t.Fatalf("%+v, %v", s.last(), err)
			}
			s.service.Close()
			// The provider is not needed to ask again, nor to settle.
			_, before := s.sandbox.Server.Log()
			s.open()
			var id string
			for range 2 {
				got, err := s.service.Recover(t.Context())
				if err != nil || len(got) != 1 || got[0].Other == nil || got[0].ID == "" || got[0].Account != nil {
					t.Fatalf("%+v, %v", got, err)
				}
				if want := (Other{Wanted: first.Username, Found: sandbox.People()[1]}); *got[0].Other != want || !problem.Has(got[0].Problem, problem.OtherAccount) {
					t.Errorf("%+v", *got[0].Other)
				}
				id = got[0].ID
			}
			if _, err := s.service.Settle(t.Context(), "nobody00nobody00", d); !problem.Has(err, problem.AccountUnknown) {
				t.Errorf("another question: %v", err)
			}
			account, err := s.service.Settle(t.Context(), id, d)
			if err != nil || (account != nil) != (d == AddAsNew) {
				t.Fatalf("%+v, %v", account, err)
			}
			if account != nil {
				s.handed(account.ID)
				s.onlyAccounts(first.ID, account.ID)
			} else {
				s.onlyAccounts(first.ID)
			}
			s.unharmed(first, token)
			if _, after := s.sandbox.Server.Log(); len(after) != len(before) {
				t.Errorf("%d more requests", len(after)-len(before))
			}
			if _, err := s.service.Settle(t.Context(), id, d); !problem.Has(err, problem.AccountUnknown) {
				t.Errorf("settled twice: %v", err)
			}
			if got, err := s.service.Recover(t.Context()); err != nil || len(got) != 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// A question that is open in another process is that one's to settle.
func TestAnOpenQuestionBelongsToItsProcess(t *testing.T) {
	s := newStage(t, "ok")
	_, r := s.expecting()
	decide := make(chan Decision)
	r.Decide = decide
	asked, done := make(chan bool, 1), make(chan error, 1)
	go func() {
		_, err := s.service.Connect(t.Context(), r, func(st State) {
			if st.Other != nil {
				asked <- true
			}
		})
		done <- err
	}()
	<-asked
	second, err := Open(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if got, err := second.Recover(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	rows, err := second.library.Pendings(t.Context())
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	if _, err := second.Settle(t.Context(), rows[0].AccountID, AddAsNew); !problem.Has(err, problem.LockHeld) {
		t.Errorf("%v", err)
	}
	// The port is free for the next attempt while a person thinks.
	r2 := s.request()
	if _, err := s.service.Connect(t.Context(), r2, nil); err != nil {
		t.Errorf("a sign-in beside the question: %v", err)
	}
	decide <- DropAnswer
	if err := <-done; !problem.Has(err, problem.OtherAccount) {
		t.Errorf("%v", err)
	}
}

// A decided answer that the keychain does not take waits without a question.
func TestADecisionThatCannotBeSavedIsNotAskedAgain(t *testing.T) {
	store := &picky{Store: vault.NewSession()}
	s := newStage(t, "ok", func(c *Config) { c.Store = store })
	first, r := s.expecting()
	decide := make(chan Decision)
	r.Decide = decide
	_, err := s.service.Connect(t.Context(), r, func(st State) {
		s.watch(st)
		if st.Other != nil {
			go func() {
				store.mu.Lock()
				store.from = 1
				store.mu.Unlock()
				decide <- AddAsNew
			}()
		}
	})
	if !problem.Has(err, problem.VaultDenied) || !s.last().Held {
		t.Fatalf("%+v, %v", s.last(), err)
	}
	store.from = 0
	got, err := s.service.Recover(t.Context())
	if err != nil || len(got) != 1 || got[0].Account == nil || got[0].Other != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	s.onlyAccounts(first.ID, got[0].Account.ID)
}
