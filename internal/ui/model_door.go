package ui

import (
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// answer is that of one of the two questions.
type answer int

const (
	unanswered answer = iota
	yes
	no
)

// doorAdvice is which door fits somebody, and the recipe that goes with it.
// Whoever has no app begins with the recipe, whoever has one with the door.
type doorAdvice struct {
	// Paste is the door of a token from the dashboard; otherwise it is signing in.
	Paste bool
	// Recipe is opened at Step, by its name; empty is its first.
	Recipe, Step string
	// GuideFirst: the recipe is the way on, and the door comes at its end.
	GuideFirst   bool
	Title, Words string
	Door, Guide  string
}

// presentDoor answers the two questions: does one only want to show one's own
// posts, and is there a Meta app already. Nothing is recommended until both
// are answered.
func presentDoor(c *text.Catalogue, own, app answer) (doorAdvice, bool) {
	if own == unanswered || app == unanswered {
		return doorAdvice{}, false
	}
	a := doorAdvice{Recipe: "own_app", GuideFirst: app == no, Guide: c.Say("help.door.guide")}
	key := "help.door.sign_in"
	a.Door = c.Say("welcome.signin.button")
	if own == yes {
		a.Paste, a.Recipe, key = true, "dashboard_token", "help.door.paste"
		a.Door = c.Say("welcome.paste.button")
	}
	if app == yes {
		a.Step = "app_id"
		if a.Paste {
			a.Step = "add_account"
		}
		key += "_app"
	}
	a.Title, a.Words = c.Say(key+".title"), c.Say(key+".body")
	return a, true
}
