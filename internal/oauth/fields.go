package oauth

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Lengths of client ids: Meta's are 15 or 16 digits today and may grow.
const (
	maxDigits   = 32
	maxClientID = 512
)

// clean takes off what comes along when people copy: blanks and quotes around,
// and invisible characters anywhere.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("\"'`“”„‟‘’‚‛«»‹›´", r)
	})
}

// CleanClientID takes padding, quotes and invisible characters off a Meta app
// ID and checks the rest: digits, at most 32.
//
// Problems: field.empty (field client_id), client_id.is_secret (32 hexadecimal
// characters: that is a secret in the wrong field), client_id.letters,
// client_id.too_long (length).
func CleanClientID(s string) (string, error) {
	s = clean(s)
	if s == "" {
		return "", problem.New(problem.FieldEmpty, "field", "client_id")
	}
	if len(s) == 32 && strings.Trim(s, "0123456789abcdefABCDEF") == "" {
		return "", problem.New(problem.ClientIDIsSecret)
	}
	if strings.Trim(s, "0123456789") != "" {
		return "", problem.New(problem.ClientIDLetters)
	}
	if len(s) > maxDigits {
		return "", problem.New(problem.ClientIDTooLong, "length", strconv.Itoa(len(s)), "limit", strconv.Itoa(maxDigits))
	}
	return s, nil
}

// CleanClientIDFor is CleanClientID for providers that speak Meta's dialect.
// At any other server a client id is 1 to 512 characters of visible ASCII
// (RFC 6749 appendix A.1); the digits rule follows from the family and is not
// a key of the definition.
func CleanClientIDFor(d provider.Definition, s string) (string, error) {
	if d.Meta() {
		return CleanClientID(s)
	}
	s = clean(s)
	switch {
	case s == "":
		return "", problem.New(problem.FieldEmpty, "field", "client_id")
	case len(s) > maxClientID:
		return "", problem.New(problem.ClientIDTooLong, "length", strconv.Itoa(len(s)), "limit", strconv.Itoa(maxClientID))
	case !visible(s, maxClientID):
		return "", problem.New(problem.ClientIDLetters, "reason", "characters")
	}
	return s, nil
}

// CleanConfigID takes padding, quotes and invisible characters off the id of a
// configuration. An empty one is none.
//
// Problems: client_id.letters (field config_id) for what is not one run of
// letters, digits, "_", "-" and ".", at most 64 of them.
func CleanConfigID(s string) (string, error) {
	s = clean(s)
	if s != "" && !configForm.MatchString(s) {
		return "", problem.New(problem.ClientIDLetters, "field", "config_id")
	}
	return s, nil
}

var configForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// CleanSecret takes padding, quotes and invisible characters off a client
// secret. What is left is not judged: only the provider knows its form.
func CleanSecret(s string) secret.Text { return secret.New(clean(s)) }

// CheckScopes gives the permissions to ask for: those chosen and every
// required one, without repetition, in the order of the definition. An element
// may itself be a list by commas or blanks. A definition without permissions
// takes any name, in the order given.
//
// Problems: scope.unknown (scope), scope.retired (scope, replacement),
// scope.other_road (scope, road).
func CheckScopes(d provider.Definition, scopes []string) ([]string, error) {
	var chosen []string
	for _, element := range scopes {
		for _, name := range strings.FieldsFunc(element, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
			if !slices.Contains(chosen, name) {
				chosen = append(chosen, name)
			}
		}
	}
	for _, name := range chosen {
		s, known := d.Scope(name)
		shown := problem.Outside(name, 60)
		switch {
		case !known && (len(d.Scopes) > 0 || !visible(name, 128)):
			return nil, problem.New(problem.ScopeUnknown, "provider", d.Name, "scope", shown)
		case s.RetiredBy != "":
			return nil, problem.New(problem.ScopeRetired, "provider", d.Name, "scope", shown, "replacement", s.RetiredBy)
		case s.Road != "":
			return nil, problem.New(problem.ScopeOtherRoad, "provider", d.Name, "scope", shown, "road", s.Road)
		}
	}
	if len(d.Scopes) == 0 {
		return chosen, nil
	}
	var ordered []string
	for _, s := range d.Scopes {
		if s.Offered() && (s.Required || slices.Contains(chosen, s.Name)) {
			ordered = append(ordered, s.Name)
		}
	}
	return ordered, nil
}

// Missing lists the permissions that were asked for and not granted, in the
// order asked. Where nobody said what was granted (an empty list) nothing is
// claimed to be missing (security.md ATT-15). offline_access asks for a refresh
// token; where one came, it is not missing, whatever the list says.
func Missing(asked, granted []string, refreshes bool) []string {
	missing := []string{}
	for _, name := range asked {
		if len(granted) > 0 && !slices.Contains(granted, name) && !(name == offlineAccess && refreshes) {
			missing = append(missing, name)
		}
	}
	return missing
}
