package ui

import (
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// homeKind is what stands where the list would be.
type homeKind int

const (
	homeLoading homeKind = iota
	homeTrouble
	homeWelcome
	homeList
)

// homeOf says what the first screen shows.
func homeOf(a accountsState) homeKind {
	switch {
	case a.known && len(a.list) > 0:
		return homeList
	case a.problem != nil:
		return homeTrouble
	case a.known:
		return homeWelcome
	default:
		return homeLoading
	}
}

// door is a way in, on the welcome screen.
type door struct {
	// Art is the name of its illustration.
	Art               string
	Title, Body, Time string
	Needs             []need
	Button            string
	High              bool
}

// need is a line under "You need".
type need struct{ Icon, Words string }

// welcomeModel is the first screen while there are no accounts.
type welcomeModel struct {
	Title, Subtitle, Kept, Talks string
	// Missing is set where no keychain was found: its lead and its line.
	MissingLead, MissingLine, MissingButton string
	Need                                    string
	SignIn, Paste                           door
	// Which is asked below the doors, and WhichLink leads to the answer; empty
	// in practice, where there is one door.
	Which, WhichLink string
	// Practise is nil in practice and where there is no practice ground.
	Practise *door
}

// presentWelcome renders the welcome: of the practice ground itself, or of the
// real side with a door to it where practice is set.
func presentWelcome(c *text.Catalogue, st connect.Storage, practising, practice bool) welcomeModel {
	m := welcomeModel{
		Title: c.Say("welcome.title"), Subtitle: c.Say("welcome.subtitle"), Need: c.Say("welcome.you_need"),
		Kept: c.Say("welcome.kept", text.Args{"program": "**" + programOf(c, st) + "**"}), Talks: c.Say("welcome.talks"),
		SignIn: door{
			Art: "signin", Title: c.Say("welcome.signin.title"), Body: c.Say("welcome.signin.body"), Time: c.Say("welcome.signin.time"),
			Needs:  []need{{"badge", c.Say("welcome.signin.need1")}, {"apps", c.Say("welcome.signin.need2")}},
			Button: c.Say("welcome.signin.button"), High: true,
		},
	}
	m.Paste = door{
		Art: "paste", Title: c.Say("welcome.paste.title"), Body: c.Say("welcome.paste.body"), Time: c.Say("welcome.paste.time"),
		Needs:  []need{{"key", c.Say("welcome.paste.need1")}, {"lock-open", c.Say("welcome.paste.need2")}},
		Button: c.Say("welcome.paste.button"),
	}
	if !practising {
		m.Which, m.WhichLink = c.Say("help.door.lead"), c.Say("help.door.link")
	}
	if practising {
		m.Paste.Body = c.Say("welcome.paste.body_practice")
		m.Title, m.Subtitle = c.Say("practice.welcome"), c.Say("practice.subtitle")
		m.SignIn.Title, m.SignIn.Body, m.SignIn.Time = c.Say("practice.door"), c.Say("practice.door_body"), c.Say("welcome.practise.time")
		m.SignIn.Needs = []need{{"tick", c.Say("practice.door_need")}, {"cloud-off", c.Say("welcome.practise.need2")}}
		m.SignIn.Button, m.Talks = c.Say("practice.door_button"), c.Say("practice.talks")
	}
	if practice {
		m.Practise = &door{
			Art: "practise", Title: c.Say("welcome.practise.title"), Body: c.Say("welcome.practise.body"), Time: c.Say("welcome.practise.time"),
			Needs:  []need{{"tick", c.Say("welcome.practise.need1")}, {"cloud-off", c.Say("welcome.practise.need2")}},
			Button: c.Say("welcome.practise.button"),
		}
	}
	if st.Place == "session" {
		m.Kept = ""
		m.MissingLead, m.MissingLine, m.MissingButton = c.Say("nokeychain.lead"), c.Say("nokeychain.body"), c.Say("nokeychain.button")
		if st.Problem != nil && st.Problem.Key != problem.VaultAbsent {
			m.MissingLead = sentence(c.Tell(st.Problem).Title)
		}
	}
	return m
}

// windowTitle says where one is and what waits, never whose token.
func windowTitle(c *text.Catalogue, at place, need int, practising, waiting bool) string {
	names := map[place]string{placeAccounts: "rail.accounts", placeConnect: "rail.connect", placeGuide: "rail.guide", placeSettings: "rail.settings"}
	parts := []string{c.Say(names[at])}
	switch {
	case waiting:
		parts[0] += " (" + c.Say("rail.waiting") + ")"
	case at == placeAccounts && need > 0:
		parts[0] += " (" + c.Count("accounts.need", need) + ")"
	}
	if practising {
		parts = append(parts, c.Say("practice.title"))
	}
	title := c.Say("window.title")
	for _, p := range parts {
		title = p + " · " + title
	}
	return title
}

// needing counts the accounts that need the person.
func needing(accounts []connect.Account) int {
	n := 0
	for _, a := range accounts {
		if bucket(a) == filterNeed {
			n++
		}
	}
	return n
}

// shownFor is how long a toast stays (ux.md 8.6).
const shownFor = 8 * time.Second
