package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Limits on an answer (security.md TOK-4).
const (
	maxBody     = 256 << 10
	maxDepth    = 16
	maxToken    = 16 << 10
	maxLifetime = 3650 * 24 * 60 * 60 // seconds
	maxUserID   = 64
	maxScopes   = 200
)

// Token is what a provider gave.
type Token struct {
	Access, Refresh secret.Text
	// Type is "bearer", or empty when the provider did not say.
	Type string
	// Scopes are the permissions granted; they mean something only with
	// ScopesKnown, and may be more than were asked for.
	Scopes      []string
	ScopesKnown bool
	// UserID is the exchange's; Identify tells the one to keep.
	UserID string
	// Long is set by the extension.
	Long bool
	// SentAt is when the request was sent; lifetimes count from there (TOK-13).
	SentAt time.Time
	// ExpiresAt is the end by our clock; zero when unknown.
	ExpiresAt time.Time
	// Skew is the provider's clock minus ours, to the second; zero when it
	// did not say.
	Skew time.Duration
}

// Person is whom a token speaks for. Names are strangers' words, cleaned.
type Person struct {
	UserID, Username, Name string
	// Kind is the provider's word in capitals: BUSINESS, MEDIA_CREATOR.
	Kind string
	// Posts is the number of posts, -1 when unknown.
	Posts int
}

// errOdd is an answer in a form that nobody described.
var errOdd = errors.New("oauth: the answer has an unexpected form")

type object map[string]json.RawMessage

// readBody reads at most maxBody bytes; a longer body is odd.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errOdd
	}
	return body, nil
}

// parseObject reads exactly one JSON object and refuses what parsers disagree
// about: a key twice, deep nesting, a byte order mark, broken UTF-8, a second
// value behind the first. One object inside "data":[…] stands for the whole,
// which is Meta's documented form.
func parseObject(body []byte) (object, error) {
	if len(body) > maxBody || !utf8.Valid(body) || !json.Valid(body) || !single(body) {
		return nil, errOdd
	}
	var top object
	if json.Unmarshal(body, &top) != nil || top == nil {
		return nil, errOdd
	}
	return top, nil
}

// unwrap steps into "data":[{…}] when the answer is in there.
func unwrap(top object, wanted string) (object, error) {
	data, ok := top["data"]
	if _, flat := top[wanted]; flat || !ok {
		return top, nil
	}
	var rows []object
	if json.Unmarshal(data, &rows) != nil || len(rows) != 1 || rows[0] == nil {
		return nil, errOdd
	}
	return rows[0], nil
}

// single walks the tokens of a valid document and reports whether it is flat
// enough and no object has a key twice.
func single(body []byte) bool {
	type level struct {
		keys   map[string]bool
		atName bool
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var stack []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if n := len(stack); n > 0 && stack[n-1].keys != nil {
			top := &stack[n-1]
			if name, isName := token.(string); top.atName && isName {
				if top.keys[name] {
					return false
				}
				top.keys[name] = true
				top.atName = false
				continue
			}
			top.atName = true
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{keys: map[string]bool{}, atName: true})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
		if len(stack) > maxDepth {
			return false
		}
	}
}

// refusalIn finds a refusal in any of the dialects: flat error_type and
// error_message (api.instagram.com), an error object (graph hosts),
// error_message and error_code (Threads' pages), and RFC 6749 5.2. An error
// member that is null, false or empty is none.
func refusalIn(top object) (provider.Refusal, bool) {
	var inner object
	if raw := top["error"]; json.Unmarshal(raw, &inner) == nil && inner != nil {
		r := provider.Refusal{
			Message: scalar(inner["message"]), Type: scalar(inner["type"]), Code: scalar(inner["code"]),
			Subcode: scalar(inner["error_subcode"]), Trace: scalar(inner["fbtrace_id"]), Transient: scalar(inner["is_transient"]) == "true",
		}
		if r.Message == "" {
			r.Message = scalar(inner["error_user_msg"])
		}
		return r, true
	}
	if present(top, "error_type", "error_message", "error_code") {
		r := provider.Refusal{
			Message: scalar(top["error_message"]), Type: scalar(top["error_type"]), Code: scalar(top["code"]),
			Subcode: scalar(top["error_subcode"]), Trace: scalar(top["fbtrace_id"]),
		}
		if r.Code == "" {
			r.Code = scalar(top["error_code"])
		}
		return r, true
	}
	if present(top, "error") {
		r := provider.Refusal{Message: scalar(top["error_description"]), Code: scalar(top["error"])}
		if r.Message == "" {
			r.Message = r.Code
		}
		return r, true
	}
	return provider.Refusal{}, false
}

func present(top object, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		raw, ok := top[name]
		if !ok {
			return false
		}
		switch string(raw) {
		case "null", "false", `""`:
			return false
		}
		return true
	})
}

// scalar gives a string's content, a number or a truth value as written, and
// nothing for everything else.
func scalar(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

// member reads an optional member; null counts as absent.
func member(o object, name string) (json.RawMessage, bool) {
	raw, ok := o[name]
	return raw, ok && string(raw) != "null"
}

// text reads an optional string member of visible ASCII.
func text(o object, name string, limit int) (string, error) {
	raw, ok := member(o, name)
	if !ok {
		return "", nil
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil || !visible(s, limit) {
		return "", errOdd
	}
	return s, nil
}

var digits = regexp.MustCompile(`^[0-9]{1,32}$`)

// identifier reads an id that may be a number beyond 2^53 or a string.
func identifier(o object, name string) (string, error) {
	raw, ok := member(o, name)
	if !ok {
		return "", nil
	}
	s := scalar(raw)
	if raw[0] == '"' && visible(s, maxUserID) || digits.MatchString(s) {
		return s, nil
	}
	return "", errOdd
}

// parseToken reads the answer of the exchange and of the extension; lifetime
// is -1 when the answer does not state one.
func parseToken(top object, meta bool) (t Token, lifetime time.Duration, err error) {
	o := top
	if meta {
		if o, err = unwrap(top, "access_token"); err != nil {
			return Token{}, 0, err
		}
	}
	access, err := text(o, "access_token", maxToken)
	if err != nil || access == "" {
		return Token{}, 0, errOdd
	}
	refresh, err := text(o, "refresh_token", maxToken)
	if err != nil {
		return Token{}, 0, err
	}
	kind, err := text(o, "token_type", 20)
	if err != nil || kind != "" && !strings.EqualFold(kind, "bearer") {
		return Token{}, 0, errOdd
	}
	t = Token{Access: secret.New(access), Refresh: secret.New(refresh), Type: strings.ToLower(kind)}
	if t.UserID, err = identifier(o, "user_id"); err != nil {
		return Token{}, 0, err
	}
	if t.Scopes, t.ScopesKnown, err = granted(o); err != nil {
		return Token{}, 0, err
	}
	lifetime = -1
	if raw, ok := member(o, "expires_in"); ok {
		s := scalar(raw)
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil || !digits.MatchString(s) || seconds > maxLifetime {
			return Token{}, 0, errOdd
		}
		lifetime = time.Duration(seconds) * time.Second
	}
	return t, lifetime, nil
}

// granted reads "permissions" (Meta: a list, or one string with commas) or
// "scope" (RFC 6749 5.1: one string with blanks).
func granted(o object) (scopes []string, known bool, err error) {
	raw, known := member(o, "permissions")
	if !known {
		if raw, known = member(o, "scope"); !known {
			return nil, false, nil
		}
	}
	var names []string
	if raw[0] == '"' {
		names = strings.FieldsFunc(scalar(raw), func(r rune) bool { return r == ',' || r == ' ' })
	} else if json.Unmarshal(raw, &names) != nil {
		return nil, false, errOdd
	}
	if len(names) > maxScopes {
		return nil, false, errOdd
	}
	for _, name := range names {
		if name = strings.TrimSpace(name); !visible(name, 128) {
			return nil, false, errOdd
		}
		if !slices.Contains(scopes, name) {
			scopes = append(scopes, name)
		}
	}
	return scopes, true, nil
}

// parsePerson reads the answer of the identity step. The id is indispensable;
// a name in a form that we do not know is left out.
func parsePerson(top object, names map[string]string) (Person, error) {
	o, err := unwrap(top, names["user_id"])
	if err != nil {
		return Person{}, err
	}
	id, err := identifier(o, names["user_id"])
	if err != nil || id == "" {
		return Person{}, errOdd
	}
	word := func(field string, limit int) string {
		if names[field] == "" {
			return ""
		}
		return problem.Outside(scalar(o[names[field]]), limit)
	}
	p := Person{UserID: id, Username: word("username", 100), Name: word("name", 200), Kind: strings.ToUpper(word("kind", 40)), Posts: -1}
	if n, err := strconv.Atoi(word("posts", 20)); err == nil && n >= 0 {
		p.Posts = n
	}
	return p, nil
}

var longRun = regexp.MustCompile(`[A-Za-z0-9_|+/=.%-]{40,}`)

// redact takes what may be a token out of a provider's message: a long run
// without a blank. Known secrets have been scrubbed before.
func redact(message string) string { return longRun.ReplaceAllString(message, secret.Hidden) }

// RetryAfter reads that header (RFC 9110 10.2.3): seconds or a date, at most
// 24 hours from now. ok is false when it says nothing usable.
func RetryAfter(value string, now time.Time) (wait time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if digits.MatchString(value) {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > 24*60*60 {
			seconds = 24 * 60 * 60
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := parseDate(value)
	if err != nil || at.Before(now) {
		return 0, false
	}
	return min(at.Sub(now), 24*time.Hour), true
}
