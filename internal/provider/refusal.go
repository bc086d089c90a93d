package provider

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// ErrorRow is one row of the error dictionary. Every condition that is set
// must hold.
type ErrorRow struct {
	// Match is looked for in the message without regard to case; between
	// slashes it is a regular expression, whose named groups become arguments
	// of the problem.
	Match string `toml:"match"`
	// Where lists, separated by blanks, exchange extend identity renew redirect
	// page; empty means everywhere.
	Where string `toml:"where"`
	// Code is the provider's number or word, or a range "200-299".
	Code Code `toml:"code"`
	// Subcode is the finer number; at the redirect it is error_reason.
	Subcode Code `toml:"subcode"`
	// Key is the problem that it is.
	Key string `toml:"key"`

	pattern *regexp.Regexp
	literal string
}

// Code is a number or a word; in a file both are written as they are.
type Code string

// Refusal is what a provider said when it refused, in one form for all of its
// dialects. Nothing in it is cleaned yet.
type Refusal struct {
	// Message is error_message, error.message or error_description.
	Message string
	// Type is error_type or error.type.
	Type string
	// Code is code, error.code, error_code, or RFC 6749's error.
	Code string
	// Subcode is error.error_subcode, or error_reason.
	Subcode string
	// Trace is fbtrace_id, for support.
	Trace string
	// Transient is the provider's own word that trying again may help.
	Transient bool
}

// Places are the values of "where".
var places = []string{"exchange", "extend", "identity", "renew", "redirect", "page"}

// Refusal looks a refusal up in the dictionary. where is exchange, extend,
// identity, renew, redirect or page.
func (d Definition) Refusal(where string, r Refusal) (problem.Key, bool) {
	p, ok := d.Explain(where, r)
	if !ok {
		return "", false
	}
	return p.Key, true
}

// Explain is Refusal with the whole problem: the provider's name, what the
// row's named groups caught, and the provider's words, cleaned.
func (d Definition) Explain(where string, r Refusal) (*problem.Problem, bool) {
	best, weight, caught := -1, -1, []string(nil)
	for i := range d.Errors {
		groups, ok := d.Errors[i].fits(where, r)
		if w := d.Errors[i].weight(); ok && w > weight {
			best, weight, caught = i, w, groups
		}
	}
	if best < 0 {
		return nil, false
	}
	args := append([]string{"provider", d.Name}, caught...)
	p := problem.New(problem.Key(d.Errors[best].Key), args...).Said(r.Message)
	d.lead(p)
	return p, true
}

// lead adds where a permission of that name belongs: other and replacement for
// the provider to change to, replacement for the permission to choose instead.
func (d Definition) lead(p *problem.Problem) {
	scope, ok := d.Scope(p.Args["scope"])
	switch {
	case !ok:
	case p.Key == problem.ScopeOtherRoad && scope.Road != "":
		p.Args["other"], p.Args["replacement"] = scope.Road, d.names[scope.Road]
	case p.Key == problem.ScopeRetired && scope.RetiredBy != "":
		p.Args["replacement"] = scope.RetiredBy
	}
}

// weight orders rows by how much they ask for: words before numbers, because
// one number stands for many causes (providers.md 9, rows 11 and 19), a longer
// text before a shorter one.
func (e ErrorRow) weight() int {
	w := 0
	if e.Match != "" {
		w += 8000 + min(len(e.Match), 999)
	}
	if e.Subcode != "" {
		w += 4000
	}
	if e.Code != "" {
		w += 2000
		if strings.Contains(string(e.Code), "-") {
			w -= 500
		}
	}
	if e.Where != "" {
		w += 1000
	}
	return w
}

func (e ErrorRow) at(where string) bool {
	return e.Where == "" || strings.Contains(" "+e.Where+" ", " "+where+" ")
}

func (e ErrorRow) fits(where string, r Refusal) (groups []string, ok bool) {
	if !e.at(where) {
		return nil, false
	}
	if e.Code != "" && !e.Code.covers(r.Code) || e.Subcode != "" && !e.Subcode.covers(r.Subcode) {
		return nil, false
	}
	if e.pattern == nil {
		return nil, strings.Contains(strings.ToLower(r.Message), e.literal)
	}
	found := e.pattern.FindStringSubmatch(r.Message)
	if found == nil {
		return nil, false
	}
	for i, name := range e.pattern.SubexpNames() {
		if name != "" {
			groups = append(groups, name, problem.Outside(found[i], 100))
		}
	}
	return groups, true
}

// covers compares without regard to case; a range compares numbers.
func (c Code) covers(said string) bool {
	if low, high, ok := c.bounds(); ok {
		n, err := strconv.Atoi(said)
		return err == nil && n >= low && n <= high
	}
	return strings.EqualFold(string(c), said)
}

func (c Code) bounds() (low, high int, ok bool) {
	a, b, found := strings.Cut(string(c), "-")
	if !found {
		return 0, 0, false
	}
	low, err1 := strconv.Atoi(a)
	high, err2 := strconv.Atoi(b)
	return low, high, err1 == nil && err2 == nil && low <= high
}

// compile prepares Match; ok is false for a regular expression that is none.
func (e *ErrorRow) compile() (ok bool) {
	if expression, found := strings.CutPrefix(e.Match, "/"); found && strings.HasSuffix(expression, "/") {
		pattern, err := regexp.Compile("(?is)" + strings.TrimSuffix(expression, "/"))
		e.pattern = pattern
		return err == nil
	}
	e.literal = strings.ToLower(e.Match)
	return true
}

// commonErrors are the refusals that the standards name, as code, where and
// key, for servers that a person describes; between slashes it is not a code but
// what a page says, which no standard words. The shipped oauth2 definition has
// the same rows with their sources; a test compares the two.
var commonErrors = [][3]string{
	{"invalid_client", "exchange renew page", "client.refused"},
	{`/\bclient(_id)?\b[^.]{0,40}\b(unknown|invalid|not (known|found|registered))\b|\b(unknown|invalid) client\b/`, "page", "client.refused"},
	{"/redirect_uri/", "page", "redirect.unregistered"},
	{"invalid_grant", "exchange", "code.refused"},
	{"invalid_grant", "renew", "renew.refresh_ended"},
	{"invalid_scope", "exchange renew redirect page", "scope.refused"},
	{"unauthorized_client", "exchange renew redirect page", "client.not_allowed"},
	{"unsupported_grant_type", "exchange renew", "server.unsupported"},
	{"unsupported_response_type", "redirect page", "server.unsupported"},
	{"invalid_request", "exchange renew redirect page identity", "server.unsupported"},
	{"invalid_target", "exchange renew redirect page", "server.unsupported"},
	{"access_denied", "redirect", "sign_in.denied"},
	{"server_error", "exchange renew redirect page", "provider.down"},
	{"temporarily_unavailable", "exchange renew redirect page", "provider.down"},
	{"login_required", "redirect", "sign_in.unanswered"},
	{"interaction_required", "redirect", "sign_in.unanswered"},
	{"consent_required", "redirect", "sign_in.unanswered"},
	{"account_selection_required", "redirect", "sign_in.unanswered"},
	{"request_not_supported", "redirect page", "server.unsupported"},
	{"request_uri_not_supported", "redirect page", "server.unsupported"},
	{"registration_not_supported", "redirect page", "server.unsupported"},
	{"invalid_token", "identity", "token.refused"},
	{"insufficient_scope", "identity", "permission.missing"},
}
