package ui

import (
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// guide is what the guide remembers while the window is open.
type guide struct {
	// values were pasted into its steps, by provider. They are in memory only:
	// Connect takes them, and a library never sees them.
	values map[string]guideValues
}

// guideValues are what a person took from a provider's dashboard, or will put
// into it.
type guideValues struct {
	ClientID, ConfigID, Redirect, Username string
	Secret                                 secret.Text
}

// openGuide opens a recipe of a provider at a step, counted from 0; without a
// recipe, or with one that is not known, the list of them. A step below 0 is
// the first one that is not done.
func (s *shell) openGuide(provider, recipe string, step int) {
	s.goGuide()
}

// goGuide opens the list of recipes.
func (s *shell) goGuide() {}
