package connect

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
)

// ErrClosing, as the cause with which a sign-in's context is cancelled, leaves
// a question that it asks open for the next start, instead of dropping the
// answer: the program closes, and the person decided nothing.
var ErrClosing = errors.New("connect: the program closes")

// AskPoints are the points at which Config.At is called around the question
// whose account an answer becomes: it lies sealed with its question; it lies
// sealed with the decision to add it.
var AskPoints = []string{"asked", "decided"}

// open is a question that stays for Settle. Its answer is sealed.
type open struct{ *problem.Problem }

func (o open) Unwrap() error { return o.Problem }

// stays reports whether an answer that did not become an account is kept for
// Recover: it is after a failure of the network, a disk or a keychain, and
// while a question about it is open.
func stays(err error) bool {
	var o open
	if errors.As(err, &o) {
		return true
	}
	switch p := problem.Of(err); {
	case p.Key == problem.OtherAccount, p.Key == problem.SignInCancelled, leadsNowhere[p.Key]:
		return false
	}
	return !worthless(err)
}

// wanted is who has to answer, as a person reads it, and whether anybody has
// to. A person who said "add it" expects nobody any more.
func (a answer) wanted() (username string, any bool) {
	username = strings.TrimPrefix(strings.TrimSpace(a.Expect), "@")
	return username, !a.Added && (a.ExpectUser != "" || username != "")
}

// is compares one person with the expected one: by id where one is known, so
// that a new username makes nobody another person, else by username.
func (a answer) is(userID, username string) bool {
	if a.ExpectUser != "" {
		return a.ExpectUser == userID
	}
	want, _ := a.wanted()
	return strings.EqualFold(want, username)
}

// meant makes sure that the person who answered is the expected one, or that
// they were added on purpose.
func (s *Service) meant(ctx context.Context, c *completion) error {
	a := c.answer
	if _, any := a.wanted(); !any || a.is(a.Person.UserID, a.Person.Username) {
		return nil
	}
	_, err := s.library.AccountByIdentity(ctx, a.Provider, a.ClientID, a.Person.UserID)
	return s.another(ctx, c, a.Person.Username, err == nil)
}

// another asks what becomes of the answer of somebody else. Nil is: add it.
// Nothing but the sealed row keeps it meanwhile.
func (s *Service) another(ctx context.Context, c *completion, found string, known bool) error {
	want, _ := c.answer.wanted()
	refused := problem.New(problem.OtherAccount, "username", want, "found", found)
	if !c.answer.Decides {
		return refused
	}
	c.answer.Other = &Other{Wanted: want, Found: found, Known: known}
	s.seal(ctx, c)
	s.config.At("asked")
	if c.ask == nil {
		return open{refused}
	}
	decision, closed := c.ask(*c.answer.Other)
	if !closed {
		return open{refused}
	}
	c.answer.Other = nil
	if decision != AddAsNew {
		return refused
	}
	c.answer.Added = true
	s.seal(ctx, c)
	s.config.At("decided")
	return nil
}

// asks is a row whose question is open, for whoever can answer it.
func asks(c *completion) []Recovered {
	other := *c.answer.Other
	p := problem.New(problem.OtherAccount, "username", other.Wanted, "found", other.Found)
	return []Recovered{{ID: c.pending.AccountID, Other: &other, Problem: p}}
}

// Settle ends a question that a former run left open (Recovered.Other): id is
// Recovered.ID. AddAsNew gives the account that it became, or the first of
// them; DropAnswer forgets the token and gives nil. Problems: account.unknown
// where no such question is open any more, lock.held while another process has
// it, those of the keychain and the library; and those of Connect's saving,
// after which the answer waits for Recover, without a question.
func (s *Service) Settle(ctx context.Context, id string, d Decision) (*Account, error) {
	unknown := problem.New(problem.AccountUnknown, "name", problem.Outside(id, 80))
	_, found, err := s.pendingOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if !found && s.heldFor(id) == nil {
		return nil, unknown
	}
	unlock, err := library.LockFor(ctx, s.root(), id, 0)
	if err != nil {
		return nil, err
	}
	defer unlock()
	rows, err := s.library.Pendings(ctx)
	if err != nil {
		return nil, err
	}
	c := s.heldFor(id)
	i := slices.IndexFunc(rows, func(row library.Pending) bool { return row.AccountID == id })
	switch {
	case i < 0 && (c == nil || c.sealed):
		// Another process has settled it.
		if c != nil {
			s.letGo(c)
		}
		return nil, unknown
	case c == nil:
		c, err = s.openRow(ctx, rows[i])
	}
	if errors.Is(err, errLost) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	if c.answer.Other == nil {
		return nil, unknown
	}
	// What is decided now is done to its end.
	ctx = context.WithoutCancel(ctx)
	if d != AddAsNew {
		s.letGo(c)
		return nil, s.library.Drop(ctx, c.pending.AccountID, c.pending.Gen)
	}
	c.answer.Other, c.answer.Added = nil, true
	s.seal(ctx, c)
	s.config.At("decided")
	for _, got := range s.finishLate(ctx, c) {
		if got.Problem != nil {
			return nil, got.Problem
		}
		return got.Account, nil
	}
	return nil, unknown
}

// ask puts the question to the person, and waits as long as it takes: the
// answer lies sealed. false leaves it open.
func (run *signIn) ask(ctx context.Context) func(Other) (Decision, bool) {
	return func(other Other) (Decision, bool) {
		run.rest()
		run.announce(func(st *State) { st.Other = &other })
		defer run.announce(func(st *State) { st.Other = nil })
		select {
		case d, isOpen := <-run.request.Decide:
			if !isOpen {
				d = DropAnswer
			}
			return d, true
		case <-ctx.Done():
			return DropAnswer, !errors.Is(context.Cause(ctx), ErrClosing)
		}
	}
}

// rest gives up what nobody needs while a person thinks: the separate window,
// and the port, for the next attempt. The browser's page tells them to come back.
func (run *signIn) rest() {
	run.tell(redirect.Pending)
	run.over()
	if run.window != nil {
		_ = run.window.Close()
		run.window = nil
	}
}
