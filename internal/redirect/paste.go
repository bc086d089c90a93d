package redirect

import (
	"net/url"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	// pasteLimit is the longest text that is looked at, in bytes (ruling 19).
	pasteLimit = 16 << 10
	// bareCode is the shortest text without an address that is taken for a
	// copied code rather than for a word.
	bareCode = 16
)

// ReadPaste finds the answer in what a person copied from the browser's
// address bar, and gives its raw query for the same checks that the listener's
// answers meet. It forgives what copying does to an address: blanks and line
// breaks anywhere, angle brackets and quotes around it, "&amp;", a missing
// scheme, the whole of it percent-encoded, and the "#_" or "#_=_" that the
// provider adds. It forgives nothing about where the address leads: scheme,
// host, port and path must be the redirect's own, and one that leads elsewhere
// never reaches the caller.
//
// Errors: paste.too_long (over 16 KiB), paste.bare_code (a code without its
// address), paste.other_address, paste.no_code (neither code nor error),
// answer.is_token (a token in the fragment), and those of Check for uri.
func ReadPaste(text, uri string) (rawQuery secret.Text, err error) {
	want, err := Check(uri)
	if err != nil {
		return secret.Text{}, err
	}
	refuse := func(key problem.Key) (secret.Text, error) {
		if key == problem.PasteOtherAddress {
			return secret.Text{}, problem.New(key, "address", want.Scheme+"://"+want.Authority()+want.Path)
		}
		return secret.Text{}, problem.New(key)
	}
	if len(text) > pasteLimit {
		return refuse(problem.PasteTooLong)
	}
	words := strings.FieldsFunc(text, blank)
	cleaned := unwrap(strings.Join(words, ""))
	if encoded(cleaned) {
		if plain, err := url.PathUnescape(cleaned); err == nil {
			cleaned = unwrap(strings.Join(strings.FieldsFunc(plain, blank), ""))
		}
	}
	for _, ampersand := range []string{"&amp;", "&AMP;", "&#38;", "&#x26;"} {
		cleaned = strings.ReplaceAll(cleaned, ampersand, "&")
	}
	cleaned = withScheme(cleaned, want)
	if !hasScheme(cleaned) {
		switch {
		case looksLikeCode(cleaned, words):
			return refuse(problem.PasteBareCode)
		case strings.Contains(cleaned, "code=") && strings.ContainsAny(cleaned, "/"):
			return refuse(problem.PasteOtherAddress)
		}
		return refuse(problem.PasteNoCode)
	}
	got, err := parse(cleaned)
	if err != nil || !same(got, want) {
		return refuse(problem.PasteOtherAddress)
	}
	if tokenIn(got.EscapedFragment()) {
		return refuse(problem.AnswerIsToken)
	}
	if !answers(got.RawQuery) {
		return refuse(problem.PasteNoCode)
	}
	return secret.New(got.RawQuery), nil
}

// unwrap takes off what surrounds an address in a text or a mail.
func unwrap(s string) string {
	const around = "<>\"'`“”„‚‘’«»‹›"
	return strings.Trim(s, around)
}

// encoded reports an address that was percent-encoded as a whole.
func encoded(s string) bool {
	head := strings.ToLower(s[:min(len(s), 14)])
	return strings.HasPrefix(head, "https%3a") || strings.HasPrefix(head, "http%3a")
}

func hasScheme(s string) bool {
	head := strings.ToLower(s[:min(len(s), 8)])
	return strings.HasPrefix(head, "https://") || strings.HasPrefix(head, "http://")
}

// withScheme completes an address that browsers show without its scheme, and
// drops words that were copied in front of the redirect's own address.
func withScheme(s string, want Address) string {
	if hasScheme(s) {
		return s
	}
	rest := strings.TrimPrefix(s, "//")
	if leads(rest, want.Authority()) {
		return want.Scheme + "://" + rest
	}
	for _, own := range []string{want.Scheme + "://" + want.Authority()} {
		if i := strings.Index(strings.ToLower(s), own); i > 0 && leads(s[i+len(want.Scheme+"://"):], want.Authority()) {
			return s[i:]
		}
	}
	return s
}

// leads reports that s begins with the authority and that it ends there.
func leads(s, authority string) bool {
	if len(s) < len(authority) || !strings.EqualFold(s[:len(authority)], authority) {
		return false
	}
	rest := s[len(authority):]
	return rest == "" || strings.ContainsAny(rest[:1], "/?#")
}

// looksLikeCode reports a code that was copied alone, or the query alone.
func looksLikeCode(s string, words []string) bool {
	query := strings.TrimLeft(s, "?&#")
	if strings.HasPrefix(query, "code=") || strings.HasPrefix(query, "state=") {
		return true
	}
	if len(words) > 1 && len(words[0]) < bareCode {
		return false // a sentence
	}
	s = strings.TrimSuffix(strings.TrimSuffix(s, "#_=_"), "#_")
	return len(s) >= bareCode && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.~|%+=#", r)
	})
}

func parse(s string) (*url.URL, error) {
	// Browsers read a backslash as a slash; nothing of ours contains one.
	if strings.ContainsAny(s, "\\") || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || (r >= 0x7f && r <= 0x9f) }) {
		return nil, url.InvalidHostError(s[:0])
	}
	return url.Parse(s)
}

// same reports that got leads to the redirect and nowhere else.
func same(got *url.URL, want Address) bool {
	if got.User != nil || got.Opaque != "" || got.Host == "" || strings.HasSuffix(got.Host, ":") {
		return false
	}
	address, err := Check((&url.URL{Scheme: got.Scheme, Host: got.Host, Path: got.Path, RawPath: got.RawPath}).String())
	return err == nil && address == want
}

// tokenIn reports an answer of the implicit kind, which is never accepted
// (RFC 9700 section 2.1.2).
func tokenIn(fragment string) bool {
	for _, pair := range strings.Split(fragment, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if (name == "access_token" || name == "id_token" || name == "long_lived_token") && value != "" {
			return true
		}
	}
	return false
}

// answers reports whether a query can be an answer at all: a code, or a
// refusal in one of Meta's spellings. A token in the query passes, because the
// caller checks state before it says what is wrong with the rest.
func answers(rawQuery string) bool {
	for _, pair := range strings.Split(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" {
			continue
		}
		switch name {
		case "code", "error", "error_code", "error_message", "error_reason", "access_token", "id_token":
			return true
		}
	}
	return false
}
