package sandbox

import (
	"errors"
	"fmt"
	"strings"
)

// ErrScenario is what an unknown name of a scenario gives; the text lists those
// that exist.
var ErrScenario = errors.New("sandbox: no such scenario")

// scenario is one mishap that real people meet. A new one is a new row, as long
// as it strikes at one of the steps named here.
type scenario struct {
	// number is written into tokens: never reuse one.
	number byte
	// name is the contract's; label ends the sentence "Try what happens when…".
	name, label string
	// page is the message of the provider's own page, shown in place of the consent.
	page string
	// deny makes Allow answer what Cancel answers.
	deny bool
	// other lets somebody else answer than the person who was chosen.
	other bool
	// exchange and extend are the refusals of those steps.
	exchange string
	extend   *graphError
	// dies is the state that takes the 60-day token after the sign-in's own
	// question, see [token.dead].
	dies string
}

var scenarios = []scenario{
	{number: 0, name: "ok", label: "everything goes well"},
	{number: 1, name: "deny", label: "access is denied", deny: true},
	{number: 2, name: "wrong-id", label: "the app ID is wrong", page: pageWrongApp, exchange: messageWrongApp},
	{number: 3, name: "code-used", label: "the code was used before", exchange: messageCodeUsed},
	{number: 4, name: "redirect-mismatch", label: "the return address is wrong", exchange: messageRedirect},
	{number: 5, name: "extension-refused", label: "the 60-day token is refused", extend: &unsupportedGet},
	{number: 6, name: "ended", label: "the 60 days are over", dies: "ended"},
	{number: 7, name: "password-changed", label: "the password is changed afterwards", dies: "password-changed"},
	{number: 8, name: "not-invited", label: "the tester invite is missing", page: pageRole},
	{number: 9, name: "wrong-account", label: "another account answers", other: true},
}

// Scenarios lists the names that Options, the consent page and the control
// addresses know; the first is the one without a mishap.
func Scenarios() []string {
	names := make([]string, len(scenarios))
	for i, s := range scenarios {
		names[i] = s.name
	}
	return names
}

func scenarioNamed(name string) (scenario, error) {
	if name == "" {
		return scenarios[0], nil
	}
	for _, s := range scenarios {
		if s.name == name {
			return s, nil
		}
	}
	// The name came from outside and is not repeated.
	return scenario{}, fmt.Errorf("%w; there are: %s", ErrScenario, strings.Join(Scenarios(), " "))
}

// scenarioNumbered finds the scenario of a token; one that no longer exists
// strikes nowhere.
func scenarioNumbered(number byte) scenario {
	for _, s := range scenarios {
		if s.number == number {
			return s
		}
	}
	return scenarios[0]
}
