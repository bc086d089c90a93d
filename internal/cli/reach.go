package cli

import (
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type reachLine struct {
	Event   string           `json:"event"`
	Choices []connect.Choice `json:"choices"`
}

// reach says which accounts the token reaches, and of the others why not; then
// it chooses those that were named on the command line.
func (a *attempt) reach(choices []connect.Choice) {
	p := a.p
	if p.json {
		p.object(reachLine{Event: "reach", Choices: choices})
	}
	lines := []string{p.say.Say("cli.connect.reach")}
	for _, c := range choices {
		lines = append(lines, "  "+p.reached(c))
	}
	p.note(strings.Join(lines, "\n"))
	if a.choose == nil {
		return
	}
	chosen, wrong := pick(choices, a.options.Accounts)
	if wrong != nil {
		a.end(wrong)
		return
	}
	// It has room for one, and this happens once.
	a.choose <- chosen
}

// reached is one line about one account, or about a Page that leads to none.
func (p *program) reached(c connect.Choice) string {
	about := text.Args{"account": "@" + problem.Outside(c.Username, 80), "page": problem.Outside(c.Page, 80)}
	if c.Username == "" {
		about["account"] = problem.Outside(c.Page, 80)
	}
	if c.Reachable {
		return p.say.Say("cli.connect.reachable", about)
	}
	told := p.words(problem.New(c.Reason, "page", problem.Outside(c.Page, 80), "username", problem.Outside(c.Username, 80)))
	about["reason"] = strings.TrimSpace(told.Title + ". " + told.Advice)
	return p.say.Say("cli.connect.unreachable", about)
}

// pick finds the accounts that were named, by their usernames in any case. One
// that the token does not reach ends the attempt, for the reason that is known:
// half of what was asked for would look like all of it.
func pick(choices []connect.Choice, names []string) (ids []string, wrong *problem.Problem) {
	for _, name := range names {
		i := slices.IndexFunc(choices, func(c connect.Choice) bool { return strings.EqualFold(c.Username, name) })
		switch {
		case i < 0:
			var found []string
			for _, c := range choices {
				if c.Reachable {
					found = append(found, problem.Outside(c.Username, 80))
				}
			}
			return nil, problem.New(problem.OtherAccount, "reason", "reach", "username", problem.Outside(name, 80), "found", strings.Join(found, ", "))
		case !choices[i].Reachable:
			return nil, problem.New(choices[i].Reason, "page", problem.Outside(choices[i].Page, 80), "username", problem.Outside(choices[i].Username, 80))
		case !slices.Contains(ids, choices[i].UserID):
			ids = append(ids, choices[i].UserID)
		}
	}
	return ids, nil
}
