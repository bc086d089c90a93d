// Package oauth is the protocol: the authorization address, the answer in the
// redirect, the exchange of the code, the extension to the long-lived token,
// and whose token it is. It is pure: it has no state beyond an Attempt, asks
// the clock and the random source it is given, and speaks over an injected
// *http.Client.
//
// Decisions:
//
//   - One engine of our own for all providers. What differs is data
//     (internal/provider). golang.org/x/oauth2 gives a second opinion on our
//     requests, in tests only: it follows redirects with the secret, may send
//     a code twice, and prints bodies in its errors.
//   - An answer is judged by its state first, in constant time, also when it
//     reports an error; a stranger's answer changes nothing. The first answer
//     with the right state is taken, every other one is told that it was used.
//   - The code is sent once. After bytes have left, no clear answer means
//     "sign in again", never a repetition: a repeated code may revoke the token
//     that was just given out (RFC 6749 4.1.2).
//   - Redirects are not followed, hosts outside the definition are not
//     contacted, there are no cookies, and TLS is verified, always.
//   - An answer is read strictly: at most 256 KiB after decompression, one JSON
//     object, no key twice. What does not fit is refused as a whole. A member
//     that is null counts as absent.
//   - Errors carry a key, the host, and at most the provider's own message
//     field, cleaned. They never carry a body, an address with its query, or a
//     value that was sent.
package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Limits on what comes in.
const (
	// maxQuery is the longest answer that is looked at, in bytes.
	maxQuery = 16 << 10
	// maxParams is the largest number of parameters in an answer.
	maxParams = 64
	// maxSecret is the longest client secret that is sent, in bytes.
	maxSecret = 2048
)

// App is a person's own registration at a provider.
type App struct {
	ClientID     string
	ClientSecret secret.Text
	// RedirectURI is registered at the provider letter for letter.
	RedirectURI string
	// ConfigID names a set of permissions that is kept in the provider's
	// dashboard. Where the definition has a parameter for it, it is sent
	// instead of the permissions; empty sends those.
	ConfigID string
}

// Attempt is one authorization. Everything in it is frozen when it is made: a
// form that is edited meanwhile, or a definition that is loaded anew, changes
// nothing in flight (security.md ATT-5).
type Attempt struct {
	definition provider.Definition
	app        App
	scopes     []string
	state      secret.Text
	verifier   secret.Text
	used       atomic.Bool
}

// NewAttempt checks the fields and makes a fresh attempt. random must be
// cryptographic; when it fails, so does the attempt, and nothing weaker takes
// its place. State is 32 bytes, 43 characters of base64url (ATT-1); with PKCE
// the verifier is another 32 (RFC 7636 4.1).
//
// Problems: provider.retired, field.empty (field client_id, redirect_uri),
// client_id.*, secret.missing, secret.too_long, client_id.letters (field config_id), scope.*.
func NewAttempt(d provider.Definition, app App, scopes []string, random io.Reader) (*Attempt, error) {
	if err := d.Usable(); err != nil {
		return nil, err
	}
	id, err := CleanClientIDFor(d, app.ClientID)
	if err != nil {
		return nil, err
	}
	app.ClientID = id
	app.ClientSecret = CleanSecret(app.ClientSecret.Reveal())
	if app.ClientSecret.Empty() && NeedsSecret(d) {
		return nil, problem.New(problem.SecretMissing, "provider", d.Name)
	}
	if app.ClientSecret.Len() > maxSecret {
		return nil, problem.New(problem.SecretTooLong, "field", "client_secret", "limit", strconv.Itoa(maxSecret))
	}
	if app.RedirectURI == "" {
		return nil, problem.New(problem.FieldEmpty, "field", "redirect_uri")
	}
	if app.ConfigID, err = CleanConfigID(app.ConfigID); err != nil {
		return nil, err
	}
	scopes, err = CheckScopes(d, scopes)
	if err != nil {
		return nil, err
	}
	a := &Attempt{definition: d.Clone(), app: app, scopes: scopes}
	if a.state, err = randomText(random); err != nil {
		return nil, err
	}
	if d.Authorize.PKCE {
		if a.verifier, err = randomText(random); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// NeedsSecret reports whether nobody can sign in without a client secret.
func NeedsSecret(d provider.Definition) bool { return needsSecret(d.Exchange) || needsSecret(d.Extend) }

// needsSecret reports whether the step cannot be asked for by a client without
// a secret (RFC 6749 section 2.1, public clients).
func needsSecret(s provider.Step) bool { return s.Secret && !s.Public }

func randomText(random io.Reader) (secret.Text, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(random, raw); err != nil {
		return secret.Text{}, problem.New(problem.Unexpected, "where", "random").Because(err)
	}
	return secret.New(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// offlineAccess is OpenID Connect's permission for a refresh token.
const offlineAccess = "offline_access"

// AuthorizeURL is the address for the browser. It carries the state and is
// therefore never logged. Values are percent-encoded with %20 for a blank:
// some providers take a "+" for part of a permission's name.
func (a *Attempt) AuthorizeURL() string {
	z := a.definition.Authorize
	pairs := [][2]string{{z.ClientIDParam, a.app.ClientID}, {"redirect_uri", a.app.RedirectURI}, {"response_type", "code"}}
	switch {
	case z.ConfigParam != "" && a.app.ConfigID != "":
		pairs = append(pairs, [2]string{z.ConfigParam, a.app.ConfigID})
	case len(a.scopes) > 0:
		pairs = append(pairs, [2]string{"scope", strings.Join(a.scopes, z.ScopeSeparator)})
	}
	pairs = append(pairs, [2]string{"state", a.state.Reveal()})
	if !a.verifier.Empty() {
		sum := sha256.Sum256([]byte(a.verifier.Reveal()))
		pairs = append(pairs, [2]string{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:])}, [2]string{"code_challenge_method", "S256"})
	}
	if _, set := z.Fixed["prompt"]; !set && !a.definition.Meta() && slices.Contains(a.scopes, offlineAccess) {
		// OpenID Connect Core section 11: without it the wish for a refresh
		// token is passed over.
		pairs = append(pairs, [2]string{"prompt", "consent"})
	}
	fixed := make([]string, 0, len(z.Fixed))
	for name := range z.Fixed {
		fixed = append(fixed, name)
	}
	slices.Sort(fixed)
	for _, name := range fixed {
		pairs = append(pairs, [2]string{name, z.Fixed[name]})
	}
	return withQuery(z.URL, pairs)
}

// withQuery appends parameters to an address that may have some.
func withQuery(address string, pairs [][2]string) string {
	parts := make([]string, len(pairs))
	for i, pair := range pairs {
		parts[i] = escape(pair[0]) + "=" + escape(pair[1])
	}
	if len(parts) == 0 {
		return address
	}
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	return address + joint + strings.Join(parts, "&")
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// RedirectURI is the frozen redirect address.
func (a *Attempt) RedirectURI() string { return a.app.RedirectURI }

// Scopes are the permissions asked for, the required ones among them.
func (a *Attempt) Scopes() []string { return slices.Clone(a.scopes) }

// State is the mark by which the answer is known, for the set of known secrets.
func (a *Attempt) State() secret.Text { return a.state }

// Definition is the frozen definition.
func (a *Attempt) Definition() provider.Definition { return a.definition.Clone() }

// Read judges an answer by its query (without the question mark) and returns
// the code. State comes first, in constant time; only an answer that carries
// it can end the attempt, and only one such answer does, however many arrive
// at once. rawQuery may have the fragment that Instagram appends ("#_", also
// percent-encoded).
//
// Problems: answer.foreign (state wrong or missing; the attempt goes on),
// iss.mismatch (RFC 9207 section 2.4, args issuer, found, which is empty where
// nothing was named; the attempt goes on),
// answer.doubled and answer.incomplete (refused; the attempt goes on),
// answer.is_token, answer.used, and for a refusal what the definition's
// dictionary says (sign_in.denied, account.developer_role, …) or
// provider.unknown_answer with the provider's text.
func (a *Attempt) Read(rawQuery string) (secret.Text, error) {
	name := a.definition.Name
	foreign := func() (secret.Text, error) {
		return secret.Text{}, problem.New(problem.AnswerForeign, "provider", name)
	}
	if len(rawQuery) > maxQuery {
		return foreign()
	}
	query, fragment, _ := strings.Cut(rawQuery, "#")
	params, ok := parseQuery(query)
	inFragment, _ := parseQuery(fragment)
	states := params["state"]
	if len(states) == 0 {
		states = inFragment["state"]
	}
	ours := 0
	for _, state := range states {
		if secret.New(state).Equal(a.state) {
			ours++
		}
	}
	switch {
	case ours == 0:
		return foreign()
	case !ok || len(states) > 1 || len(params["code"]) > 1 || len(params["error"]) > 1 ||
		len(params["code"]) > 0 && len(params["error"]) > 0:
		return secret.Text{}, problem.New(problem.AnswerDoubled, "provider", name)
	}
	// One who did not promise "iss" may send none, and never another's (ATT-6).
	promised := !a.definition.Authorize.IssOptional || len(params["iss"]) > 0
	if issuer := a.definition.Authorize.Issuer; issuer != "" && promised && (len(params["iss"]) != 1 || params["iss"][0] != issuer) {
		return secret.Text{}, problem.New(problem.IssMismatch, "provider", name, "issuer", issuer,
			"found", problem.Outside(first(params["iss"]), 200))
	}
	for _, part := range []map[string][]string{params, inFragment} {
		if part["access_token"] != nil || part["id_token"] != nil {
			return secret.Text{}, problem.New(problem.AnswerIsToken, "provider", name)
		}
	}
	code := first(params["code"])
	refused := len(params["error"]) > 0
	if !refused && !visible(code, maxQuery) {
		return secret.Text{}, problem.New(problem.AnswerIncomplete, "provider", name)
	}
	if !a.used.CompareAndSwap(false, true) {
		return secret.Text{}, problem.New(problem.AnswerUsed, "provider", name)
	}
	if refused {
		return secret.Text{}, a.refusal(params)
	}
	return secret.New(code), nil
}

// Used reports whether an answer has been taken.
func (a *Attempt) Used() bool { return a.used.Load() }

func (a *Attempt) refusal(params map[string][]string) error {
	said := provider.Refusal{
		Message: first(params["error_description"]), Code: first(params["error"]), Subcode: first(params["error_reason"]),
	}
	known := &secret.Known{}
	known.Add(a.state, a.app.ClientSecret, a.verifier)
	text := said.Message
	if text == "" {
		text = strings.TrimSpace(said.Code + " " + said.Subcode)
	}
	p, ok := a.definition.Explain("redirect", said)
	if !ok {
		p = problem.New(problem.UnknownAnswer, "provider", a.definition.Name)
	}
	return p.Said(redact(known.Scrub(text)))
}

// parseQuery splits a query at "&" alone. ok is false for a percent sign that
// encodes nothing and for too many parameters; what could be read is returned
// all the same, so that the state can be judged.
func parseQuery(query string) (params map[string][]string, ok bool) {
	params, ok = map[string][]string{}, true
	if query == "" {
		return params, true
	}
	parts := strings.Split(query, "&")
	if len(parts) > maxParams {
		parts, ok = parts[:maxParams], false
	}
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		plainName, err1 := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			ok = false
			continue
		}
		params[plainName] = append(params[plainName], withoutMark(plain))
	}
	return params, ok
}

// withoutMark takes off the fragment that Instagram ("#_") and Facebook
// ("#_=_") append, and that some programs percent-encode into the value.
func withoutMark(value string) string {
	for _, mark := range []string{"#_=_", "#_"} {
		if cut, found := strings.CutSuffix(value, mark); found {
			return cut
		}
	}
	return value
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// visible reports whether s is 1 to limit characters of visible ASCII.
func visible(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
