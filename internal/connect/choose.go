package connect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// GrantPoints are the points at which Config.At is called in a sign-in whose
// token reaches several accounts, beside Points: it is known what it reaches;
// what is kept of it is sealed; the second item is written (and so on).
var GrantPoints = []string{"reached", "chosen", "item-written-2"}

// chosen is an account that the answer is for, and the id that it gets where it
// is new.
type chosen struct {
	ID     string `json:"id"`
	Person person `json:"person"`
}

// leadsNowhere are the reasons for which nothing of a token is of use.
var leadsNowhere = map[problem.Key]bool{
	problem.NoPage: true, problem.PageNotLinked: true, problem.PageRole: true, problem.NoTask: true,
}

// grant is common to the accounts of one answer. Where a token stands for a
// person who has several accounts (ruling 14) it is made from that person's id,
// so that their next sign-in finds the accounts of the last one: nothing else
// has to be remembered, and nothing can disagree with it or be lost beside it.
// It is a digest, because a library is no place for who is behind an account.
// After a library was rebuilt from the keychain, which does not know grants, the
// next sign-in puts it right for the accounts that it is for.
func (c *completion) grant() string {
	if len(c.answer.Chosen) == 0 {
		return c.pending.AccountID
	}
	return grantOf(identity{c.answer.Provider, c.answer.ClientID, c.answer.Person.UserID})
}

func grantOf(holder identity) string {
	sum := sha256.Sum256([]byte("grant|" + holder.provider + "|" + holder.clientID + "|" + holder.userID))
	return hex.EncodeToString(sum[:8])
}

// pick finds out which accounts a token reaches, and which of them to keep.
// Nothing is kept of one that reaches none. Once chosen nothing is asked again,
// neither the person nor the provider.
func (s *Service) pick(ctx context.Context, d provider.Definition, c *completion) error {
	if len(c.answer.Chosen) > 0 {
		return nil
	}
	reached, err := twice(func() ([]oauth.Reached, error) {
		return proving(ctx, s, d, c, func(client *oauth.Client) ([]oauth.Reached, error) { return client.Reach(ctx, d, c.answer.token()) })
	})
	if err != nil {
		return err
	}
	s.config.At("reached")
	keep, err := s.among(ctx, c, d, reached)
	if err != nil {
		return err
	}
	for _, one := range reached {
		if one.Reachable {
			c.answer.Reaches = append(c.answer.Reaches, one.UserID)
		}
	}
	for i, one := range keep {
		id := c.pending.AccountID
		if i > 0 {
			id = library.NewID(s.config.Rand)
		}
		c.answer.Chosen = append(c.answer.Chosen, chosen{id, person{UserID: one.UserID, Username: one.Username, Kind: one.Kind, Posts: one.Posts}})
	}
	s.seal(ctx, c)
	s.config.At("chosen")
	return nil
}

// among keeps the expected account, or those that the person chooses, or all.
func (s *Service) among(ctx context.Context, c *completion, d provider.Definition, reached []oauth.Reached) ([]oauth.Reached, error) {
	var able []oauth.Reached
	for _, one := range reached {
		if one.Reachable {
			able = append(able, one)
		}
	}
	choices, err := s.choices(ctx, c, reached)
	if err != nil {
		return nil, err
	}
	if _, any := c.answer.wanted(); any {
		i := slices.IndexFunc(reached, func(one oauth.Reached) bool {
			return one.UserID != "" && c.answer.is(one.UserID, one.Username)
		})
		switch {
		case i >= 0 && reached[i].Reachable:
			return reached[i : i+1], nil
		case i >= 0:
			c.shown(choices)
			return nil, whyNot(d, reached[i:i+1])
		case len(able) > 0:
			var names []string
			known := true
			for _, one := range choices {
				if one.Reachable {
					names, known = append(names, one.Username), known && one.Known
				}
			}
			if err := s.another(ctx, c, strings.Join(names, ", "), known); err != nil {
				return nil, err
			}
		}
	}
	if len(able) == 0 {
		c.shown(choices)
		return nil, whyNot(d, reached)
	}
	if c.choose == nil {
		return able, nil
	}
	ids, closed := c.choose(choices)
	if !closed {
		return nil, open{problem.New(problem.SignInCancelled)}
	}
	able = slices.DeleteFunc(able, func(one oauth.Reached) bool { return !slices.Contains(ids, one.UserID) })
	if len(able) == 0 {
		return nil, problem.New(problem.SignInCancelled)
	}
	return able, nil
}

func (c *completion) shown(choices []Choice) {
	if c.show != nil {
		c.show(choices)
	}
}

// whyNot is why none of them is of use: what all of them say, else the first
// that says anything but "not linked", which is the ordinary state of a Page.
func whyNot(d provider.Definition, reached []oauth.Reached) error {
	reason, of := problem.NoPage, oauth.Reached{}
	for _, one := range reached {
		if one.Reason != "" && (reason == problem.NoPage || reason == problem.PageNotLinked) {
			reason, of = one.Reason, one
		}
	}
	return problem.New(reason, "provider", d.Name, "page", problem.Outside(of.Page, 80), "username", of.Username)
}

func (s *Service) choices(ctx context.Context, c *completion, reached []oauth.Reached) ([]Choice, error) {
	accounts, err := s.library.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Choice, 0, len(reached))
	for _, one := range reached {
		out = append(out, Choice{
			UserID: one.UserID, Username: one.Username, Name: one.Name, Page: one.Page, Posts: one.Posts,
			Reachable: one.Reachable, Reason: one.Reason,
			Known: one.UserID != "" && slices.ContainsFunc(accounts, func(a library.Account) bool {
				return a.Provider == c.answer.Provider && a.ClientID == c.answer.ClientID && a.UserID == one.UserID
			}),
		})
	}
	return out, nil
}

// places are the accounts that an answer goes into, each under its lock: the
// person's own or the chosen ones, and the others of the same grant, which the
// new token replaces too (ruling 14). The locks are taken in one order
// everywhere, the grant's first, so that no two sign-ins wait for each other.
func (s *Service) places(ctx context.Context, c *completion) (places []place, unlock func(), err error) {
	a := c.answer
	var unlocks []func()
	unlock = func() {
		for _, free := range slices.Backward(unlocks) {
			free()
		}
	}
	defer func() {
		if err != nil {
			unlock()
		}
	}()
	if len(a.Chosen) == 0 {
		places = []place{{person: *a.Person, id: c.pending.AccountID, chosen: true}}
	}
	for _, one := range a.Chosen {
		places = append(places, place{person: one.Person, id: one.ID, chosen: true})
	}
	if len(a.Chosen) > 0 {
		free, err := s.lock(ctx, "grant-"+c.grant())
		if err != nil {
			return nil, nil, err
		}
		unlocks = append(unlocks, free)
		rows, err := s.library.Accounts(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			if row.Grant == c.grant() && row.Provider == a.Provider && !slices.ContainsFunc(places, func(p place) bool { return p.person.UserID == row.UserID }) {
				places = append(places, place{
					person: person{UserID: row.UserID, Username: row.Username, Kind: row.Kind, Posts: -1},
					lost:   !slices.Contains(a.Reaches, row.UserID),
				})
			}
		}
	}
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(places[i].person.UserID, places[j].person.UserID) })
	for _, i := range order {
		p := &places[i]
		var free func()
		p.former, p.known, free, err = s.former(ctx, identity{a.Provider, a.ClientID, p.person.UserID})
		if err != nil {
			return nil, nil, err
		}
		unlocks = append(unlocks, free)
		if p.known {
			p.id = p.former.ID
		}
	}
	// One that was removed while we waited for its lock is gone.
	places = slices.DeleteFunc(places, func(p place) bool { return !p.known && !p.chosen })
	return places, unlock, nil
}

// announceIDs writes the ids of further accounts into the keychain's index
// before a token lies under one. The first is there since the sign-in began.
func (s *Service) announceIDs(ctx context.Context, c *completion, places []place) error {
	var more []string
	for _, p := range places {
		if !p.kept && !p.known && p.id != c.pending.AccountID {
			more = append(more, p.id)
		}
	}
	if len(more) == 0 {
		return nil
	}
	_, err := s.furnish(ctx, more...)
	return err
}

// whoHas asks whose token it is. At Facebook it is a person's, so what tells is
// whether it still reaches the account; where it does not, its person took that
// away there, and only signing in gives it back.
func (s *Service) whoHas(ctx context.Context, d provider.Definition, row library.Account, t oauth.Token) (oauth.Person, error) {
	if d.Accounts.URL == "" {
		return proved(ctx, s, d, row.AppID, func(c *oauth.Client) (oauth.Person, error) { return c.Identify(ctx, d, t) })
	}
	reached, err := proved(ctx, s, d, row.AppID, func(c *oauth.Client) ([]oauth.Reached, error) { return c.Reach(ctx, d, t) })
	if err != nil && !problem.Has(err, problem.NoPage) {
		return oauth.Person{}, err
	}
	i := slices.IndexFunc(reached, func(one oauth.Reached) bool { return one.UserID == row.UserID && one.Reachable })
	if i < 0 {
		return oauth.Person{}, problem.New(problem.AccessRemoved, "provider", d.Name, "username", row.Username)
	}
	return reached[i].Person, nil
}

// choose waits until the person has chosen; without a Request.Choose everything
// is kept. false leaves the choice open.
func (run *signIn) choose(ctx context.Context) func([]Choice) ([]string, bool) {
	return func(choices []Choice) ([]string, bool) {
		run.show(choices)
		defer run.show(nil)
		var all []string
		for _, one := range choices {
			if one.Reachable {
				all = append(all, one.UserID)
			}
		}
		if run.request.Choose == nil {
			return all, true
		}
		run.rest()
		select {
		case ids, isOpen := <-run.request.Choose:
			if !isOpen {
				ids = all
			}
			return ids, true
		case <-ctx.Done():
			return nil, !errors.Is(context.Cause(ctx), ErrClosing)
		}
	}
}

func (run *signIn) show(choices []Choice) { run.announce(func(st *State) { st.Choices = choices }) }
