package connect

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Shape is what a pasted text looks like, without asking anybody.
type Shape struct {
	// Token is the text without what came along when it was copied; empty where
	// no single token was found.
	Token secret.Text
	// Provider is a definition's id, empty when the shape does not tell.
	Provider string
	// Kind is one of user, page_or_user, app, code, basic_display, unknown.
	Kind string
	// Living: it is of an interface that the provider still runs.
	Living bool
	// Practice: a practice ground made it.
	Practice bool
	// Problem is why it cannot be taken, nil when it can. That of an unknown kind
	// and of another service holds as long as no definition is there for it.
	Problem *problem.Problem
}

// The kinds of a pasted text, as Shape.Kind has them.
const (
	kindUser    = "user"
	kindPage    = "page_or_user"
	kindApp     = "app"
	kindCode    = "code"
	kindBasic   = "basic_display"
	kindUnknown = "unknown"
)

const (
	// minToken and maxToken bound a token, in bytes. Meta's lengths "grow and
	// shrink" (providers.md 8, M21), so nothing closer is asked for.
	minToken, maxToken = 20, 16 << 10
	// maxPasted bounds the text around it: a mail, not a mailbox.
	maxPasted = 64 << 10
	// practiceMark follows the prefix of every token of a practice ground
	// (security.md SEC-13).
	practiceMark = "PracticeOnly"
	hexDigits    = "0123456789abcdefABCDEF"
)

// family is one beginning of tokens (providers.md 8).
type family struct {
	prefix, provider, kind string
	living                 bool
	// found is the service's name for people where we ship no definition.
	found string
}

var families = []family{
	{prefix: "IGAA", provider: "instagram", kind: kindUser, living: true},
	{prefix: "IGQ", provider: "instagram-basic-display", kind: kindBasic},
	{prefix: "EAA", provider: "instagram-facebook", kind: kindPage, living: true, found: "Facebook"},
	{prefix: "THAA", provider: "threads", kind: kindUser, living: true, found: "Threads"},
	{prefix: "THQ", provider: "threads", kind: kindUser, living: true, found: "Threads"},
}

var (
	appForm = regexp.MustCompile(`^(?:TH\|[0-9]+\||[0-9]{8,20}\|)[A-Za-z0-9_-]+$`)
	// around stands in front of a token inside a text; a dot or a slash does
	// not, or a part of another kind of token would be taken for one.
	userStart = regexp.MustCompile(`(?:^|[\s"'` + "`" + `=:&?#,;(\[{<>\\])((?:IGAA|IGQ|EAA|THAA|THQ|TH(?:\||%7[Cc])[0-9]|[0-9]{8,20}(?:\||%7[Cc]))[A-Za-z0-9_-])`)
	codeStart = regexp.MustCompile(`(?:^|[\s"'` + "`" + `=:&?#,;(\[{<>\\])(AQ[A-Za-z0-9_-])`)
	// Names in front of a value, in queries, JSON and settings files.
	accessName = regexp.MustCompile(`(?i)access[_-]?token[\\"'` + "`" + `]*\s*(?:=>|:=|[=:])\s*[\\"'` + "`" + `]*`)
	tokenName  = regexp.MustCompile(`(?i)\b([a-z0-9_-]*token)[\\"'` + "`" + `]*\s*(?:=>|:=|[=:])\s*[\\"'` + "`" + `]*`)
	bearerName = regexp.MustCompile(`(?i)\bbearer\s+[\\"'` + "`" + `]*`)
	// prose is a word or a number of ordinary writing, not a piece of a token.
	prose     = regexp.MustCompile(`^(?:[A-Z]?[a-z]{2,20}|[0-9-]{4,})$`)
	mailQuote = regexp.MustCompile(`(?m)^[ ]*(?:>[ ]?)+`)
)

// Read tells a token's kind from its shape, on this computer; nothing is sent
// and nothing is kept. It forgives what copying does: blanks of every width and
// line breaks anywhere, invisible characters, quotes of every kind, a mail's
// marks, and a name, a JSON object, a whole address or a line of a settings
// file around it, as long as exactly one token is in there. It never chooses
// between two.
//
// Problems: field.empty (field token), paste.too_long_token (limit),
// paste.not_token (reason several, secret, unknown or none),
// paste.app_token, paste.is_code, paste.retired, token.other_service (found,
// prefix). Reading what it found once more finds the same.
func Read(text secret.Text) Shape {
	token, p := extract(text.Reveal())
	if p != nil {
		return Shape{Kind: kindUnknown, Problem: p}
	}
	shape := Shape{Token: secret.New(token), Kind: kindUnknown}
	for _, f := range families {
		rest, ok := strings.CutPrefix(token, f.prefix)
		if !ok {
			continue
		}
		shape.Provider, shape.Kind, shape.Living = f.provider, f.kind, f.living
		shape.Practice = strings.HasPrefix(rest, practiceMark)
		switch {
		case !f.living:
			shape.Problem = problem.New(problem.PasteRetired)
		case f.found != "":
			shape.Problem = problem.New(problem.TokenOtherService, "found", f.found, "prefix", f.prefix, "provider", "Instagram", "other", f.provider)
		}
		return shape
	}
	switch {
	case appForm.MatchString(token):
		shape.Kind, shape.Problem = kindApp, problem.New(problem.PasteAppToken)
	case strings.HasPrefix(token, "AQ"):
		shape.Kind, shape.Problem = kindCode, problem.New(problem.PasteIsCode)
	default:
		shape.Problem = notToken("unknown")
	}
	return shape
}

func notToken(reason string) *problem.Problem {
	if reason == "" {
		return problem.New(problem.PasteNotToken)
	}
	return problem.New(problem.PasteNotToken, "reason", reason)
}

// extract takes off one layer after the other until nothing comes off any more.
func extract(raw string) (string, *problem.Problem) {
	tooLong := problem.New(problem.PasteTokenTooLong, "limit", strconv.Itoa(maxToken))
	if len(raw) > maxPasted {
		return "", tooLong
	}
	s := raw
	for range 8 {
		inner, reason := peel(s)
		switch {
		case reason == "empty":
			return "", problem.New(problem.FieldEmpty, "field", "token")
		case reason != "":
			return "", notToken(strings.TrimPrefix(reason, "none"))
		case inner != s:
			s = inner
			continue
		case len(s) > maxToken:
			return "", tooLong
		case len(s) < minToken:
			return "", notToken("")
		case len(s) == 32 && strings.Trim(s, hexDigits) == "":
			return "", notToken("secret")
		}
		return s, nil
	}
	return "", notToken("")
}

// peel takes off what is outermost. reason is empty, or empty, none or several.
func peel(s string) (inner, reason string) {
	s = strings.Trim(plain(s), " \n\"'`<>()[],;")
	if s == "" {
		return "", "empty"
	}
	if !strings.Contains(s, "=") && strings.Contains(strings.ToLower(s), "token%3d") {
		if decoded, err := url.PathUnescape(s); err == nil {
			s = plain(decoded)
		}
	}
	for _, look := range []func(string) []string{inJSON, named(accessName), begun(userStart), begun(codeStart), named(tokenName), named(bearerName)} {
		switch found := look(s); len(found) {
		case 0:
		case 1:
			return found[0], ""
		default:
			return "", "several"
		}
	}
	return whole(s)
}

// plain gives every blank, break and quote its simplest form and drops what
// nobody sees.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("\n\v\f\r\u0085\u2028\u2029", r):
			return '\n'
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r):
			return -1
		case strings.ContainsRune("“”„‟‘’‚‛«»‹›´", r):
			return '"'
		}
		return r
	}, s)
	return mailQuote.ReplaceAllString(s, "")
}

// inJSON finds access tokens in an object or a list.
func inJSON(s string) []string {
	var tree any
	// A break inside a string is a mail's, and JSON knows none.
	if json.Unmarshal([]byte(strings.ReplaceAll(s, "\n", "")), &tree) != nil {
		return nil
	}
	var found []string
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, one := range node {
				walk(one)
			}
		case map[string]any:
			for name, one := range node {
				text, ok := one.(string)
				if !ok {
					walk(one)
				} else if strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name)) == "accesstoken" {
					found = note(found, strings.ReplaceAll(plain(text), " ", ""))
				}
			}
		}
	}
	walk(tree)
	return found
}

// named finds the values behind a name.
func named(name *regexp.Regexp) func(string) []string {
	return func(s string) (found []string) {
		for _, at := range name.FindAllStringSubmatchIndex(s, -1) {
			if len(at) > 2 {
				// Beside an access token these are something else.
				if own := strings.ToLower(s[at[2]:at[3]]); strings.Contains(own, "refresh") || strings.Contains(own, "id_token") {
					continue
				}
			}
			found = note(found, grow(s[at[1]:]))
		}
		return found
	}
}

// begun finds values by how they begin.
func begun(start *regexp.Regexp) func(string) []string {
	return func(s string) (found []string) {
		for _, at := range start.FindAllStringSubmatchIndex(s, -1) {
			found = note(found, grow(s[at[2]:]))
		}
		return found
	}
}

func note(found []string, value string) []string {
	if len(value) < minToken || slices.Contains(found, value) {
		return found
	}
	return append(found, value)
}

// grow reads the value that s begins with, over the breaks of a mail or of a
// narrow window, as far as the next word can be a piece of it.
func grow(s string) string {
	var value strings.Builder
	pieces := 0
	for {
		piece := s[:span(s, inValue)]
		value.WriteString(piece)
		pieces++
		s = s[len(piece):]
		if s != "" && s[0] >= 0x7f {
			// A letter that only looks like one of ours: what is before it is no
			// whole token.
			return ""
		}
		rest := strings.TrimLeft(s, " \n")
		if len(rest) == len(s) {
			break
		}
		word := rest[:span(rest, inToken)]
		after := rest[len(word):]
		if word == "" || after != "" && !strings.ContainsRune(" \n&#\"'`<>,;)}]\\", rune(after[0])) || len(word) >= minToken && userStart.MatchString(word) {
			break
		}
		// The last piece of a broken token may look like a word; one that follows
		// two pieces no longer than a mail's line, and ends the text, is a piece.
		tail := pieces > 1 && len(piece) <= 100 && len(word) <= len(piece) && strings.Trim(after, " \n\"'`<>)}]") == ""
		if prose.MatchString(word) && !tail {
			break
		}
		s = rest
	}
	got := strings.TrimRight(value.String(), ".,;:!?")
	if strings.Contains(got, "%") {
		if decoded, err := url.PathUnescape(got); err == nil && span(decoded, inValue) == len(decoded) {
			got = decoded
		}
	}
	return got
}

func span(s string, in func(byte) bool) int {
	for i := range len(s) {
		if !in(s[i]) {
			return i
		}
	}
	return len(s)
}

// inValue: visible ASCII that does not end a value where values stand.
func inValue(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune("&#\"'`<>,;(){}[]\\", rune(c))
}

func inToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// whole takes the text itself for the token: pieces without anything between
// them that people write.
func whole(s string) (string, string) {
	words := strings.Fields(s)
	for _, word := range words {
		if span(word, inValue) != len(word) || len(words) > 1 && prose.MatchString(word) {
			return "", "none"
		}
	}
	joined := strings.Join(words, "")
	if strings.Contains(joined, "://") || strings.Contains(joined, "@") {
		return "", "none"
	}
	return joined, ""
}
