package ui

import (
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// message is one entry of the dictionary: what can go wrong, in our words, and
// in those of the providers that say it.
type message struct {
	Key                     problem.Key
	Title, Happened, Advice string
	// Providers are the names of those that can cause it, in order; empty for
	// what happens on this computer or on the way.
	Providers []string
	// Said is what the providers write, for the search.
	Said    []string
	Actions []problem.Action
	// from is the first provider whose own it is.
	from string
}

// messageKinds are the kinds of problems that everybody can meet, whatever the
// provider says.
var messageKinds = []problem.Kind{problem.Refused, problem.SignIn, problem.Network, problem.Vault, problem.Timeout, problem.Cancelled}

// presentMessages lists what the providers can say and what can happen on the
// way, sorted by its headline.
func presentMessages(c *text.Catalogue, all []provider.Definition) []message {
	rows := map[problem.Key]*message{}
	row := func(key problem.Key) *message {
		if rows[key] == nil {
			rows[key] = &message{Key: key}
		}
		return rows[key]
	}
	for _, d := range all {
		for _, e := range d.Errors {
			m := row(problem.Key(e.Key))
			if m.from == "" {
				m.from = d.ID
			}
			if !slices.Contains(m.Providers, d.Name) {
				m.Providers = append(m.Providers, d.Name)
			}
			for _, said := range saidIn(e) {
				if !slices.Contains(m.Said, said) {
					m.Said = append(m.Said, said)
				}
			}
		}
	}
	for _, e := range problem.Table() {
		if slices.Contains(messageKinds, e.Kind) && !strings.HasPrefix(string(e.Key), "usage") {
			row(e.Key)
		}
	}
	list := make([]message, 0, len(rows))
	for _, m := range rows {
		var args []string
		if len(m.Providers) == 1 {
			// One that several can cause is told without a name.
			args = []string{"provider", m.Providers[0]}
		}
		p := problem.New(m.Key, args...)
		told := c.Tell(p)
		m.Title, m.Happened, m.Advice, m.Actions = told.Title, told.Happened, told.Advice, p.Actions()
		list = append(list, *m)
	}
	slices.SortFunc(list, func(a, b message) int {
		if by := strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)); by != 0 {
			return by
		}
		return strings.Compare(string(a.Key), string(b.Key))
	})
	return list
}

// findMessages keeps those in which each word that was typed stands somewhere,
// in ours or in the provider's.
func findMessages(all []message, typed string) []message {
	var found []message
	words := strings.Fields(strings.ToLower(typed))
	for _, m := range all {
		hay := strings.ToLower(strings.Join(append([]string{m.Title, m.Happened, m.Advice, string(m.Key), strings.Join(m.Providers, " ")}, m.Said...), " "))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) }) {
			found = append(found, m)
		}
	}
	return found
}

// explained are the words of the dictionary's second half, in the order of
// their use.
var explained = []string{"provider", "app", "app_id", "app_secret", "professional", "tester", "redirect", "permission", "access_token", "refresh_token", "account", "keychain", "renew", "page", "configuration", "basic_display", "practice"}

// saidIn is what a row of the providers' dictionary looks for, as a person
// would read it on a page; nothing where that is a pattern or a number alone.
func saidIn(e provider.ErrorRow) []string {
	if e.Match == "" || strings.HasPrefix(e.Match, "/") {
		return nil
	}
	return []string{e.Match}
}
