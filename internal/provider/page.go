package provider

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// maxPage is how much of a pasted page is read; a refusal stands at its top.
const maxPage = 16 << 10

var (
	addressIn = regexp.MustCompile(`(?i)\bhttps?://[^\s"'<>]+`)
	// A long run without a blank may be a code or a token.
	longRun = regexp.MustCompile(`[A-Za-z0-9_|+/=.%~!*$-]{40,}`)
	// What a query, an object, a header or a person calls secret, wherever it stands.
	secretPair = regexp.MustCompile(`(?i)\b(code|state|access_token|refresh_token|id_token|client_secret|code_verifier|bearer)(["']?\s*(?:=|:|%3D)\s*["']?|\s+)([^&\s"'<>#]+)`)
	// "code: 100" and "the state is missing" are no secrets.
	harmless = regexp.MustCompile(`^(?:[0-9]{1,10}[.,:;}\]]*|[A-Za-z]+[^A-Za-z0-9]*)$`)
	wordIn   = regexp.MustCompile(`[A-Za-z0-9_]{5,40}`)
)

// Pages lists what the provider's own pages may say, each once, in the order
// of the dictionary: a mistake in the dashboard never comes back to us, it is
// shown where the person signs in.
func (d Definition) Pages() []problem.Key {
	var keys []problem.Key
	for _, e := range d.Errors {
		if e.at("page") && !slices.Contains(keys, problem.Key(e.Key)) {
			keys = append(keys, problem.Key(e.Key))
		}
	}
	return keys
}

// ReadPage understands what a person copied from the provider's page: its text,
// the JSON that Threads shows in place of a page, or its address. What fits no
// row is provider.unknown_answer with the words. It is never nil, and it repeats
// nothing that may be a code, a state or a token.
func (d Definition) ReadPage(text string) *problem.Problem {
	if len(text) > maxPage {
		text = strings.ToValidUTF8(text[:maxPage], "")
	}
	text = strings.TrimSpace(text)
	for _, said := range d.readings(text) {
		if p, ok := d.Explain(said.where, said.Refusal); ok {
			return p.Said(shown(said.Message))
		}
	}
	return problem.New(problem.UnknownAnswer, "provider", d.Name).Said(shown(text))
}

type reading struct {
	where string
	Refusal
}

// readings gives what a text may mean, the surest first.
func (d Definition) readings(text string) []reading {
	var all []reading
	page := func(r Refusal) { all = append(all, reading{"page", r}) }
	for _, r := range pageJSON(text) {
		page(r)
	}
	for _, found := range addressIn.FindAllString(text, 4) {
		u, err := url.Parse(found)
		if err != nil {
			continue
		}
		q := u.Query()
		said := Refusal{Code: q.Get("error_code"), Subcode: q.Get("error_reason")}
		for _, name := range []string{"message", "error_message", "error_description"} {
			if said.Message == "" {
				said.Message = q.Get(name)
			}
		}
		if word := q.Get("error"); word != "" {
			all = append(all, reading{"redirect", Refusal{Message: said.Message, Code: word, Subcode: said.Subcode}})
		}
		if said.Message != "" || said.Code != "" {
			page(said)
		}
		// The page's text is translated, its address is not.
		page(Refusal{Message: u.Scheme + "://" + u.Host + u.Path})
	}
	words := addressIn.ReplaceAllString(text, " ")
	if strings.TrimSpace(words) == "" {
		return all
	}
	page(Refusal{Message: words})
	for _, code := range wordIn.FindAllString(words, 200) {
		if d.pageCode(code) {
			page(Refusal{Message: words, Code: code})
		}
	}
	return all
}

// pageCode reports whether a row about pages has exactly this number or word.
func (d Definition) pageCode(word string) bool {
	return slices.ContainsFunc(d.Errors, func(e ErrorRow) bool {
		return e.Where != "" && e.at("page") && strings.EqualFold(string(e.Code), word)
	})
}

// pageJSON reads an object in the text, in any of Meta's forms.
func pageJSON(text string) []Refusal {
	from, to := strings.Index(text, "{"), strings.LastIndex(text, "}")
	if from < 0 || to < from {
		return nil
	}
	var top map[string]json.RawMessage
	if json.Unmarshal([]byte(text[from:to+1]), &top) != nil {
		return nil
	}
	word := func(o map[string]json.RawMessage, name string) string {
		raw := o[name]
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
		var n json.Number
		if json.Unmarshal(raw, &n) == nil {
			return n.String()
		}
		return ""
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(top["error"], &inner) == nil && inner != nil {
		return []Refusal{{Message: word(inner, "message"), Type: word(inner, "type"), Code: word(inner, "code"), Subcode: word(inner, "error_subcode")}}
	}
	r := Refusal{Message: word(top, "error_message"), Type: word(top, "error_type"), Code: word(top, "error_code")}
	if r.Code == "" {
		r.Code = word(top, "code")
	}
	if r.Message == "" {
		r.Message = word(top, "error_description")
	}
	if r.Code == "" {
		r.Code = word(top, "error")
	}
	if r.Message == "" && r.Code == "" {
		return nil
	}
	return []Refusal{r}
}

// shown is a text without addresses' queries and without what may be secret.
func shown(text string) string {
	// First, so that nothing invisible parts a word that is looked for.
	text = problem.Outside(text, maxPage)
	text = addressIn.ReplaceAllStringFunc(text, bare)
	text = secretPair.ReplaceAllStringFunc(text, func(pair string) string {
		part := secretPair.FindStringSubmatch(pair)
		name, between, value := strings.ToLower(part[1]), part[2], part[3]
		loose := name == "code" || name == "state" || name == "bearer" || strings.TrimSpace(between) == ""
		if loose && !strings.ContainsAny(between, "=%") && harmless.MatchString(value) {
			return pair
		}
		return part[1] + strings.TrimRight(between, " ") + "…"
	})
	return longRun.ReplaceAllStringFunc(text, func(run string) string {
		if strings.Contains(run, "://") {
			return run
		}
		return "…"
	})
}
