// Package secret holds what must not be seen: client secrets, authorization
// codes, state, access and refresh tokens, passphrases.
//
// A [Text] prints as "[hidden]" whatever verb, encoder or logger meets it,
// also as an unexported field of a struct that somebody prints with %+v.
// Showing one is a visible act: [Text.Reveal]. Go cannot wipe strings, so
// nothing here pretends to; lifetimes are kept short instead.
//
// The provider's endpoints of some steps are GET requests with the secret in
// the query string, and net/http prints such an address in its errors
// (security.md TOK-2). [Known] therefore removes secrets by value, in every
// form in which they travel, from errors and log records.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"sort"
	"strings"
	"sync"
)

// Hidden is what every printing of a Text gives.
const Hidden = "[hidden]"

// Text is a secret string. The zero value is the empty secret. It is held
// behind a pointer, because fmt prints unexported fields without asking their
// methods and at depth shows a pointer's address only.
type Text struct{ held *string }

// New wraps s. An empty s gives the zero Text.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{held: &s}
}

// Reveal returns the secret itself. Every caller is a place where it leaves
// its shelter: a request body, a keychain item, a field that a person holds open.
func (t Text) Reveal() string {
	if t.held == nil {
		return ""
	}
	return *t.held
}

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.held == nil }

// Len returns the length in bytes, which hints and limits may use.
func (t Text) Len() int { return len(t.Reveal()) }

// Equal compares in constant time with respect to the content; digests of
// equal length are compared, so that the length does not show either.
func (t Text) Equal(other Text) bool {
	a, b := sha256.Sum256([]byte(t.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// Masked returns a form that is safe on a screen: the first and last few
// characters around a number of dots that does not depend on the length. A
// secret under 24 characters shows nothing of itself.
func (t Text) Masked(first, last int) string {
	const dots = "•••• •••• ••••"
	s := t.Reveal()
	if len(s) < 24 || first+last > len(s)/3 {
		return dots
	}
	return s[:first] + " " + dots + " " + s[len(s)-last:]
}

// String implements fmt.Stringer; it never shows the secret.
func (t Text) String() string { return Hidden }

// GoString implements fmt.GoStringer; it never shows the secret.
func (t Text) GoString() string { return Hidden }

// Format implements fmt.Formatter for every verb; it never shows the secret.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Hidden) }

// MarshalJSON never writes the secret. Contracts that carry one (the keychain
// item, the token command) reveal it explicitly.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(Hidden) }

// MarshalText never writes the secret.
func (t Text) MarshalText() ([]byte, error) { return []byte(Hidden), nil }

// LogValue never shows the secret to log/slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(Hidden) }

// Known is a set of secrets that must not appear in any text that leaves the
// program. It is safe for concurrent use; the zero value is empty and usable.
type Known struct {
	mu    sync.RWMutex
	forms map[string]struct{}
	order []string
}

// Add teaches the set secrets of at least 6 bytes in all forms in which they
// travel: plain, URL-encoded (query and path), JSON-escaped, base64 (both
// alphabets, padded and not) and hexadecimal. Shorter ones would blank
// ordinary words and are left out.
func (k *Known) Add(texts ...Text) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forms == nil {
		k.forms = map[string]struct{}{}
	}
	for _, t := range texts {
		for _, form := range Forms(t) {
			if _, ok := k.forms[form]; !ok {
				k.forms[form] = struct{}{}
				k.order = append(k.order, form)
			}
		}
	}
	// A longer form may contain a shorter one, which would leave its rest behind.
	sort.Slice(k.order, func(i, j int) bool { return len(k.order[i]) > len(k.order[j]) })
}

// Forms lists the encodings under which t could be found in a text or a file;
// none for secrets under 6 bytes. The canary test uses the same list, so that
// what is scrubbed and what is searched for never part.
func Forms(t Text) []string {
	s := t.Reveal()
	if len(s) < 6 {
		return nil
	}
	quoted, _ := json.Marshal(s)
	forms := []string{
		s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.RawStdEncoding.EncodeToString([]byte(s)),
		base64.URLEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
		hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
	}
	seen := map[string]bool{}
	out := forms[:0]
	for _, f := range forms {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}

// Scrub returns s with every known form replaced by [Hidden].
func (k *Known) Scrub(s string) string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, form := range k.order {
		s = strings.ReplaceAll(s, form, Hidden)
	}
	return s
}

// Error returns err with its text scrubbed. errors.Is and errors.As still
// reach the original, whose own text must not be printed; nil stays nil.
func (k *Known) Error(err error) error {
	if err == nil {
		return nil
	}
	return &scrubbed{text: k.Scrub(err.Error()), err: err}
}

type scrubbed struct {
	text string
	err  error
}

func (s *scrubbed) Error() string { return s.text }
func (s *scrubbed) Unwrap() error { return s.err }

// Format keeps %+v from walking into the original error.
func (s *scrubbed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.text) }
