package sandbox

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const genericUnknownClient = "The client_id is not known here"

// issuer is what login.example calls itself, see Shape.Issuer.
func (c *call) issuer() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shape.Issuer == "own" {
		return c.base() + "/" + genericHost
	}
	return "https://" + genericHost
}

// discovery is RFC 8414's document, and OpenID's, which has the same members
// here and those that OpenID Connect Discovery 1.0, section 3, requires.
func (c *call) discovery() {
	if !c.reading() || c.struck("discovery") {
		return
	}
	issuer := c.issuer()
	document := map[string]any{
		"issuer":                                         issuer,
		"authorization_endpoint":                         issuer + "/authorize",
		"token_endpoint":                                 issuer + "/token",
		"userinfo_endpoint":                              issuer + "/userinfo",
		"revocation_endpoint":                            issuer + "/revoke",
		"scopes_supported":                               c.d.names(c.d.all()),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "none"},
		"revocation_endpoint_auth_methods_supported":     []string{"client_secret_basic", "client_secret_post", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	if strings.HasSuffix(c.r.URL.Path, "/openid-configuration") {
		document["subject_types_supported"] = []string{"public"}
		document["id_token_signing_alg_values_supported"] = []string{"RS256"}
		document["jwks_uri"] = issuer + "/keys"
		document["claims_supported"] = []string{"sub", "name", "preferred_username", "picture", "email", "email_verified"}
	}
	c.json(http.StatusOK, document)
}

// readGeneric reads an authorization request as RFC 6749 (4.1.1), RFC 7636 and
// RFC 9700 (PKCE with S256 for everybody) say. Until client and redirect are
// known, nothing goes to the redirect.
func (d *dialect) readGeneric(rawQuery string) (authorization, *refused) {
	q, err := url.ParseQuery(rawQuery)
	switch {
	case err != nil:
		return authorization{}, &refused{message: "The request cannot be read"}
	case len(q["client_id"]) != 1 || q.Get("client_id") != d.clientID && q.Get("client_id") != PublicClientID:
		return authorization{}, &refused{message: genericUnknownClient}
	case len(q["redirect_uri"]) != 1:
		return authorization{}, &refused{message: "The redirect_uri is missing, or there are two"}
	}
	a := authorization{redirectURI: q.Get("redirect_uri"), public: q.Get("client_id") == PublicClientID}
	var ok bool
	if a.origin, ok = redirectOrigin(a.redirectURI); !ok {
		return authorization{}, &refused{message: "The redirect_uri is not allowed: https, or http on this computer"}
	}
	back := func(code, description string) (authorization, *refused) {
		return a, &refused{message: description, back: "error=" + code + "&error_description=" + url.QueryEscape(description)}
	}
	if len(q["state"]) > 1 {
		return back("invalid_request", "state appears twice")
	}
	a.state, a.stated = q.Get("state"), q.Get("state") != ""
	for name, all := range q {
		if len(all) > 1 {
			return back("invalid_request", printable(name, 40)+" appears twice")
		}
	}
	switch {
	case q.Get("response_type") == "":
		return back("invalid_request", "response_type is missing")
	case q.Get("response_type") != "code":
		return back("unsupported_response_type", "only code")
	case q.Get("code_challenge") == "":
		return back("invalid_request", "code_challenge is required")
	case q.Get("code_challenge_method") != "S256":
		return back("invalid_request", "code_challenge_method has to be S256")
	}
	a.challenge = q.Get("code_challenge")
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(a.challenge); err != nil || len(raw) != sha256.Size {
		return back("invalid_request", "code_challenge is not the form of S256")
	}
	if a.scopes, ok = d.scopesOf(q.Get("scope"), " "); !ok {
		return back("invalid_scope", "a scope is not known here")
	}
	if a.scopes == 0 {
		// RFC 6749, 3.3: a default, which the answer names.
		a.scopes = 1 << d.bit("profile")
	}
	return a, nil
}

// rfcError is an error of the token and revocation endpoints (RFC 6749, 5.2).
func (c *call) rfcError(code, description string) {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
		c.w.Header().Set("WWW-Authenticate", `Basic realm="login.example"`)
	}
	c.w.Header().Set("Pragma", "no-cache")
	c.json(status, map[string]any{"error": code, "error_description": description})
}

// client reads a POST of a client: its form and who it is (RFC 6749, 2.3.1, 3.2).
// public is the one without a secret.
func (c *call) client() (public, ok bool) {
	if c.r.Method != http.MethodPost {
		c.w.Header().Set("Allow", http.MethodPost)
		c.json(http.StatusMethodNotAllowed, map[string]any{"error": "invalid_request", "error_description": "only POST"})
		return false, false
	}
	if c.encoding != "form" || c.tooLarge {
		c.rfcError("invalid_request", "the body has to be application/x-www-form-urlencoded")
		return false, false
	}
	for name, all := range c.body {
		if len(all) > 1 {
			c.rfcError("invalid_request", printable(name, 40)+" appears twice")
			return false, false
		}
	}
	id, secret := c.body.Get("client_id"), c.body.Get("client_secret")
	if header := c.r.Header.Get("Authorization"); header != "" {
		name, password, basicAuth := c.r.BasicAuth()
		decodedName, wrongName := url.QueryUnescape(name)
		decodedPassword, wrongPassword := url.QueryUnescape(password)
		switch {
		case !basicAuth || wrongName != nil || wrongPassword != nil:
			c.rfcError("invalid_client", "the Authorization header cannot be read")
			return false, false
		case c.body.Has("client_secret") || id != "" && id != decodedName:
			c.rfcError("invalid_request", "two ways of saying who the client is")
			return false, false
		}
		id, secret = decodedName, decodedPassword
		if id == PublicClientID {
			c.rfcError("invalid_client", "this client has no secret")
			return false, false
		}
	}
	switch {
	case id == PublicClientID && secret == "":
		return true, true
	case id == c.d.clientID && secret == c.d.clientSecret:
		return false, true
	}
	c.rfcError("invalid_client", "client and secret do not fit")
	return false, false
}

// family is all that follows from one sign-in: its refresh tokens and access
// tokens. The memory of it ends with the server; a refresh token of an earlier
// run is the newest of its family as far as anybody knows.
type family struct {
	newest  uint32
	grace   int
	revoked bool
	born    time.Time
}

const mostFamilies = 100000

// familyOf gives the family of a token; the caller holds mu.
func (s *Server) familyOf(t token, now time.Time) *family {
	f := s.families[t.family]
	if f == nil {
		if len(s.families) >= mostFamilies {
			for id, old := range s.families {
				if now.Sub(old.born) > refreshLife {
					delete(s.families, id)
				}
			}
			makeRoom(s.families, mostFamilies)
		}
		f = &family{newest: t.generation, grace: s.shape.Grace, born: now}
		s.families[t.family] = f
	}
	return f
}

// grant is the token endpoint.
func (c *call) grant() {
	step := "exchange"
	if c.body.Get("grant_type") == "refresh_token" {
		step = "renew"
	}
	if c.struck(step) {
		return
	}
	public, ok := c.client()
	if !ok {
		return
	}
	c.mu.Lock()
	now := c.scenario
	c.mu.Unlock()
	if now.page == pageWrongApp {
		c.rfcError("invalid_client", "client and secret do not fit")
		return
	}
	switch c.body.Get("grant_type") {
	case "authorization_code":
		c.grantCode(public)
	case "refresh_token":
		c.grantRefresh(public)
	case "":
		c.rfcError("invalid_request", "grant_type is missing")
	default:
		c.rfcError("unsupported_grant_type", "authorization_code or refresh_token")
	}
}

// grantCode is RFC 6749, 4.1.3, and RFC 7636, 4.6.
func (c *call) grantCode(public bool) {
	if c.body.Get("code") == "" || c.body.Get("code_verifier") == "" {
		c.rfcError("invalid_request", "code or code_verifier is missing")
		return
	}
	given, message := c.redeem(c.body.Get("code"), c.now)
	sum := sha256.Sum256([]byte(c.body.Get("code_verifier")))
	switch {
	case message == messageCodeUsed:
		// RFC 6749, 4.1.2: what came of the code ends with its second use.
		if given.family != 0 {
			c.mu.Lock()
			c.familyOf(token{family: given.family}, c.now).revoked = true
			c.mu.Unlock()
		}
		c.rfcError("invalid_grant", "the code was used before")
	case message != "" || given.dialect != c.d || given.public != public:
		c.rfcError("invalid_grant", "the code is not known or has ended")
	case given.scenario.exchange == messageCodeUsed:
		c.rfcError("invalid_grant", "the code was used before")
	case given.scenario.exchange == messageRedirect || c.body.Get("redirect_uri") != given.redirectURI:
		c.rfcError("invalid_grant", "redirect_uri is another than at the beginning")
	case !verifier(c.body.Get("code_verifier")) || base64.RawURLEncoding.EncodeToString(sum[:]) != given.challenge:
		c.rfcError("invalid_grant", "code_verifier does not fit")
	default:
		if c.lessened() {
			given.scopes &= 1 << c.d.bit("profile")
		}
		c.handPair(token{
			dialect: c.d, person: given.person, scopes: given.scopes, scenario: given.scenario.number, public: public,
			family: given.family, generation: 1,
		}, true)
	}
}

// verifier checks the form of RFC 7636, 4.1.
func verifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && strings.Trim(s, tokenAlphabet+".~") == ""
}

// newFamily is a number that no other sign-in has.
func newFamily() uint64 {
	var raw [8]byte
	_, _ = rand.Read(raw[:])
	return binary.BigEndian.Uint64(raw[:]) | 1
}

// grantRefresh is RFC 6749, 6, with rotation and the detection of reuse as in
// RFC 9700, 4.14.2.
func (c *call) grantRefresh(public bool) {
	sent := c.body.Get("refresh_token")
	t, err := c.d.decode(sent)
	if sent == "" {
		c.rfcError("invalid_request", "refresh_token is missing")
		return
	}
	if err != nil || t.kind != refresh || t.public != public || !c.now.Before(t.ends) {
		c.rfcError("invalid_grant", "the refresh token is not known or has ended")
		return
	}
	wanted, ok := c.d.scopesOf(c.body.Get("scope"), " ")
	if !ok || wanted&^t.scopes != 0 {
		c.rfcError("invalid_scope", "more than was granted")
		return
	}
	rotating, why := c.refreshes(t, sent)
	if why != "" {
		c.rfcError("invalid_grant", why)
		return
	}
	if wanted != 0 {
		t.scopes = wanted
	}
	c.handPair(t, rotating)
}

// refreshes decides about a refresh token and takes note of its use. why is
// empty where it may be used.
func (c *call) refreshes(t token, sent string) (rotating bool, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.familyOf(t, c.now)
	rotating = c.shape.Renew != "kept"
	set, changed := c.states[t.person.number]
	gone := changed && set.name != "ok" && c.known(sent).birth <= set.until
	gone = gone || scenarioNumbered(t.scenario).dies != ""
	switch {
	case f.revoked || gone:
		c.note(t.person, "renew", "", true)
		return false, "the refresh token is no longer valid"
	case rotating && t.generation < f.newest && f.grace <= 0:
		// Two hands hold one token: nobody knows which is the thief's.
		f.revoked = true
		c.note(t.person, "renew", "", true)
		return false, "the refresh token was used before; everything that came of this sign-in has ended"
	case rotating && t.generation < f.newest:
		f.grace--
	case rotating:
		f.grace = c.shape.Grace
	}
	if rotating {
		f.newest++
	}
	c.note(t.person, "renew", "renewed", false)
	return rotating, ""
}

// handPair answers with an access token and, if fresh, a refresh token.
func (c *call) handPair(t token, fresh bool) {
	c.mu.Lock()
	shape, generation := c.shape, c.familyOf(t, c.now).newest
	c.mu.Unlock()
	life := cmp.Or(shape.AccessLife, shortLife)
	t.issued, t.generation = c.now, generation
	t.kind, t.ends = access, c.now.Add(life)
	answer := shape.lifetime(map[string]any{
		"access_token": c.hand(t, shape.TokenLength), "token_type": "Bearer", "scope": strings.Join(c.d.names(t.scopes), " "),
	}, life)
	if fresh && (shape.Refresh != "asked" || c.d.has(t.scopes, "offline_access")) {
		t.kind, t.ends = refresh, c.now.Add(refreshLife)
		answer["refresh_token"] = c.hand(t, shape.TokenLength)
	}
	c.w.Header().Set("Pragma", "no-cache")
	c.json(http.StatusOK, answer)
}

// bearerError is an error of RFC 6750, 3.
func (c *call) bearerError(status int, code, description string) {
	challenge := `Bearer realm="login.example"`
	if code != "" {
		challenge += `, error="` + code + `", error_description="` + description + `"`
	}
	c.w.Header().Set("WWW-Authenticate", challenge)
	c.json(status, map[string]any{"error": cmp.Or(code, "unauthorized"), "error_description": description})
}

// userinfo says who the person is. The token comes in the header alone
// (RFC 6750, 2.1): one in the query ends up in logs.
func (c *call) userinfo() {
	if c.struck("identity") {
		return
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodPost {
		c.methods("GET, POST")
		return
	}
	scheme, sent, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	switch {
	case c.query.Has("access_token") || c.body.Has("access_token"):
		c.bearerError(http.StatusBadRequest, "invalid_request", "the token belongs into the Authorization header")
		return
	case !strings.EqualFold(scheme, "Bearer") || sent == "":
		c.bearerError(http.StatusUnauthorized, "", "")
		return
	}
	t, err := c.d.decode(sent)
	if err != nil || t.kind != access {
		c.bearerError(http.StatusUnauthorized, "invalid_token", "The access token is not known")
		return
	}
	if !c.now.Before(t.ends) {
		c.tally(t.person, "identity", "")
		c.bearerError(http.StatusUnauthorized, "invalid_token", "The access token expired")
		return
	}
	_, dead := c.dead(t, sent, "identity")
	c.mu.Lock()
	f := c.families[t.family]
	dead = dead || f != nil && f.revoked
	c.mu.Unlock()
	if dead {
		c.bearerError(http.StatusUnauthorized, "invalid_token", "The access token was revoked")
		return
	}
	if !c.d.has(t.scopes, "profile") && !c.d.has(t.scopes, "openid") {
		c.bearerError(http.StatusForbidden, "insufficient_scope", "The scope profile is needed")
		return
	}
	answer := map[string]any{"sub": "login-" + t.person.accountID.String(), "preferred_username": t.person.username}
	if c.d.has(t.scopes, "email") {
		answer["email"], answer["email_verified"] = t.person.username+"@practice.example", true
	}
	if c.d.has(t.scopes, "profile") {
		answer["name"], answer["picture"] = t.person.name, c.pictureURL(t.person.pictureName())
	}
	c.json(http.StatusOK, answer)
}

// revoke is RFC 7009: a token that is not known is revoked already. A refresh
// token takes its whole family with it, an access token only itself.
func (c *call) revoke() {
	public, ok := c.client()
	if !ok {
		return
	}
	sent := c.body.Get("token")
	if sent == "" {
		c.rfcError("invalid_request", "token is missing")
		return
	}
	// A hint is a hint: an unknown one changes nothing (RFC 7009, 2.1).
	t, err := c.d.decode(sent)
	if err == nil && t.public != public {
		c.rfcError("invalid_grant", "the token is another client's")
		return
	}
	if err == nil && slices.Contains([]kind{access, refresh}, t.kind) {
		c.mu.Lock()
		if t.kind == refresh {
			c.familyOf(t, c.now).revoked = true
		} else {
			c.known(sent).rotated = true
		}
		c.mu.Unlock()
	}
	c.w.Header().Set("Pragma", "no-cache")
	c.w.WriteHeader(http.StatusOK)
}
