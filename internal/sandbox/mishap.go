package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Mishap is one cause of a failure that a provider can show, with the answer
// that shows it.
type Mishap struct {
	// Name is unique: provider, step and cause, with dots between.
	Name string `json:"name"`
	// Provider is one of Providers.
	Provider string `json:"provider"`
	// Where is the step: page (the provider's own page, nothing comes back),
	// redirect, exchange, extend, identity, renew, accounts or discovery.
	Where string `json:"where"`
	// Row is the row of providers.md 9; 0 is a refusal of the RFCs.
	Row int `json:"row"`
	// Status is the HTTP status of Body; 0 for a redirect, and for a page that
	// is not the answer itself.
	Status int `json:"status"`
	// Body is what the step answers. Empty with status 200 and the step exchange
	// is the provider's own answer with the least permissions (row 41).
	Body string `json:"body"`
	// Page is the text of the provider's page.
	Page string `json:"page"`
	// Query is what comes back to the redirect; {code}, {state} and {iss} stand
	// for those of the sign-in.
	Query string `json:"query"`
	// Challenge is the header WWW-Authenticate, if there is one.
	Challenge string `json:"challenge"`
	// Dashboard: the text is of the page where an app is set up. The double has
	// no such page and shows it where the sign-in would begin.
	Dashboard bool `json:"dashboard"`
	// Source is [V], [W] or [mem] as in providers.md, or the section of an RFC.
	Source string `json:"source"`
}

// Short names of providers for the table below.
const (
	ig = "instagram"
	th = "threads"
	fb = "instagram-facebook"
	bd = "instagram-basic-display"
	oa = "oauth2"
)

// cause is a row of the table: one text at several providers and steps.
type cause struct {
	slug, providers, wheres string
	row                     int
	// code, subcode and kind are of shape G; shape A has the message alone,
	// shape T the message and the code.
	message       string
	code, subcode int
	kind          string
	source        string
}

// asking are the steps that carry a token.
const asking = "extend identity renew accounts"

var causes = []cause{
	{"meta-app-id", ig, "page exchange", 1, messageWrongApp, 0, 0, "", "[W]"},
	{"unknown-app-id", ig + " " + bd, "exchange", 2, messageNoApp, 0, 0, "", "[W]"},
	{"unknown-app-id", th, "exchange", 2, messageNoApp, 0, 0, "", "[mem]"},
	{"code-refused", ig + " " + th + " " + bd, "exchange", 3, messageBadCode, 0, 0, "", "[W]"},
	{"code-unmatched", ig + " " + th + " " + bd, "exchange", 4, messageNoCode, 0, 0, "", "[V]"},
	{"code-used", ig + " " + th + " " + bd, "exchange", 5, messageCodeUsed, 0, 0, "", "[W]"},
	{"code-used", fb, "exchange", 5, messageCodeUsed + ".", 100, 36009, typeOAuth, "[W]"},
	{"code-ended", fb, "exchange", 4, "This authorization code has expired.", 100, 36007, typeOAuth, "[mem]"},
	{"redirect-mismatch", ig + " " + th + " " + bd, "exchange", 6, messageRedirect, 0, 0, "", "[W]"},
	{"redirect-mismatch", fb, "exchange", 6, messageRedirect, 100, 36008, typeOAuth, "[W]"},
	{"redirect-unregistered", ig + " " + bd, "page exchange", 7, "Invalid redirect_uri", 0, 0, "", "[W]"},
	{"redirect-pre-2020", bd, "page exchange", 8, "Redirect URI does not match registered redirect URI", 0, 0, "", "[W]"},
	{"scope-retired", ig, "page", 9, "Invalid scope: user_profile", 0, 0, "", "[W]"},
	{"scope-retired-basic", ig, "page", 9, "Invalid scope: ['basic']", 0, 0, "", "[W]"},
	{"scope-lost", ig + " " + bd, "page", 9, "Invalid scope: []", 0, 0, "", "[W]"},
	{"scope-other-road", fb, "page", 10, facebookScopes + "instagram_business_basic" + facebookScopesRest, 0, 0, "", "[W]"},
	{"scope-not-enabled", fb, "page", 10, facebookScopes + "instagram_basic" + facebookScopesRest, 0, 0, "", "[W]"},
	{"developer-role", ig, "page", 11, pageRole, 0, 0, "", "[W]"},
	{"invite-pending", th, "page", 12, threadsNoInvite.message, threadsNoInvite.code, 0, "", "[W]"},
	{"insecure", th, "page", 13, threadsInsecure.message, threadsInsecure.code, 0, "", "[W]"},
	{"url-blocked", th, "page", 14, threadsBlocked.message, threadsBlocked.code, 0, "", "[W]"},
	{"url-blocked", fb, "page", 14, threadsBlocked.message, 0, 0, "", "[W]"},
	{"meta-app-id", th, "page", 15, threadsMetaID.message, threadsMetaID.code, 0, "", "[W]"},
	{"unknown", th, "page exchange identity", 16, threadsUnknown.message, threadsUnknown.code, 0, typeOAuth, "[W]"},
	{"invalid-app-id", fb, "page", 17, "PLATFORM__INVALID_APP_ID", 0, 0, "", "[W]"},
	{"method-get", ig + " " + th + " " + bd, "extend identity renew", 20, unsupportedGet.message, 100, 0, typeIGApi, "[W]"},
	{"already-long", ig + " " + th + " " + bd, "extend", 21, "Session key invalid", 452, 0, typeOAuth, "[W]"},
	{"token-damaged", ig + " " + th + " " + fb + " " + bd, asking, 22, "The access token could not be decrypted", 190, 0, typeOAuth, "[W]"},
	{"token-foreign", ig + " " + th + " " + fb + " " + bd, asking, 23, messageForeignToken, 190, 0, typeOAuth, "[W]"},
	{"token-malformed", ig + " " + th + " " + fb + " " + bd, asking, 24, "Malformed access token IGAA\"x\"", 190, 0, typeOAuth, "[W]"},
	{"ended", ig + " " + th + " " + fb + " " + bd, asking, 25, "Error validating access token: Session has expired on Saturday, 21-Nov-26 04:00:00 PST. The current time is Sunday, 22-Nov-26 01:14:00 PST.", 190, 463, typeOAuth, "[V]"},
	{"password-changed", ig + " " + th + " " + fb + " " + bd, asking, 26, passwordChanged.message, 190, 460, typeOAuth, "[V]"},
	{"app-removed", ig + " " + th + " " + fb + " " + bd, asking, 27, "Error validating access token: The user has not authorized application.", 190, 458, typeOAuth, "[V]"},
	{"checkpoint", ig + " " + th + " " + fb + " " + bd, asking, 27, checkpointed.message, 190, 459, typeOAuth, "[V]"},
	{"unconfirmed", ig + " " + th + " " + fb + " " + bd, asking, 27, "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.", 190, 464, typeOAuth, "[V]"},
	{"session-invalid", ig + " " + th + " " + fb + " " + bd, asking, 27, loggedOut.message, 190, 467, typeOAuth, "[V]"},
	{"no-page-role", fb, asking, 27, "Error validating access token: The user does not have a role on the Page.", 190, 492, typeOAuth, "[V]"},
	{"session-102", fb, "identity accounts", 27, "The session is invalid or has ended.", 102, 0, typeOAuth, "[V]"},
	{"secret-wrong", ig + " " + bd, "exchange", 28, messageSecret, 0, 0, "", "[W]"},
	{"secret-wrong", th, "exchange", 28, messageSecret, 0, 0, "", "[mem]"},
	{"secret-wrong", fb, "exchange", 28, messageSecret, 1, 0, typeOAuth, "[W]"},
	{"secret-wrong", ig + " " + th + " " + fb + " " + bd, "extend", 28, messageSecret, 1, 0, typeOAuth, "[W]"},
	{"application-invalid", fb, "exchange extend", 28, messageApplication, 101, 0, typeOAuth, "[W]"},
	{"application-invalid", ig + " " + th + " " + bd, "extend", 28, messageApplication, 101, 0, typeOAuth, "[W]"},
	{"proof-required", ig + " " + th + " " + fb + " " + bd, asking, 29, "API calls from the server require an appsecret_proof argument", 100, 0, "GraphMethodException", "[W]"},
	{"proof-wrong", ig + " " + th + " " + fb + " " + bd, asking, 29, messageProof, 100, 0, "GraphMethodException", "[W]"},
	{"permission-missing", ig + " " + th + " " + fb + " " + bd, asking, 30, noPermission.message, 10, 0, typeOAuth, "[V]"},
	{"permission-200", ig + " " + th + " " + fb + " " + bd, asking, 30, "(#200) Requires a permission that was not granted", 200, 0, typeOAuth, "[V]"},
	{"field-missing", ig + " " + th + " " + fb + " " + bd, "identity accounts", 31, "(#100) Tried accessing nonexisting field (user_id)", 100, 0, typeIGApi, "[W]"},
	{"object-missing", ig + " " + th + " " + fb + " " + bd, "identity", 31, noObject("24512000000000119").message, 100, 33, typeIGApi, "[W]"},
	{"rate-app", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#4) Application request limit reached", 4, 0, typeOAuth, "[V]"},
	{"rate-user", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#17) User request limit reached", 17, 0, typeOAuth, "[V]"},
	{"rate-page", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#32) Page request limit reached", 32, 0, typeOAuth, "[V]"},
	{"rate-custom", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#613) Calls to this api have exceeded the rate limit.", 613, 0, typeOAuth, "[V]"},
	{"rate-application", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#341) Application limit reached", 341, 0, typeOAuth, "[V]"},
	{"blocked", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#368) The action attempted has been deemed abusive or is otherwise disallowed", 368, 0, typeOAuth, "[V]"},
	{"rate-business", ig + " " + th + " " + fb + " " + bd, "exchange " + asking, 32, "(#80002) There have been too many calls to this Instagram account.", 80002, 0, typeOAuth, "[W]"},
	{"too-young", ig + " " + th + " " + bd, "renew", 34, messageTooYoung, 100, 0, typeOAuth, "[mem]"},
	{"popup", ig + " " + fb, "page", 35, "400 Session Invalid", 0, 0, "", "[W]"},
	{"consumer-app", fb, "page", 36, facebookWrongID.message, 0, 0, "", "[W]"},
	{"not-available", fb, "page", 40, "Facebook Login is currently unavailable for this app, since we are updating additional details for this app. Please try again later.", 0, 0, "", "[W]"},
	{"not-active", fb, "page", 40, facebookNotActive.message, 0, 0, "", "[W]"},
	{"feature-unavailable", fb, "page", 40, "Feature unavailable: Facebook Login is currently unavailable for this app.", 0, 0, "", "[W]"},
	{"personal-account", ig, "identity", 42, "The user is not an Instagram Business", 100, 0, typeIGApi, "[W]"},
	{"personal-account", ig, "page exchange", 42, "The user is not an Instagram Business", 0, 0, "", "[W]"},
}

// dashboards are texts of the page where an app is set up, and whose they are.
var dashboards = []cause{
	{slug: "dashboard-redirect-http", providers: ig + " " + fb + " " + th, row: 37, message: "Error saving redirect URIs", source: "[W]"},
	{slug: "dashboard-webhook-box", providers: ig, row: 38, message: "The callback URL or verify token couldn't be validated. Please verify the provided information or try again later.", source: "[W]"},
	{slug: "dashboard-form", providers: th, row: 39, message: "Form can't be saved - Please verify all information", source: "[W]"},
}

// steps are those where a provider answers a client.
func (d *dialect) steps() []string {
	switch d.number {
	case numberFacebook:
		return []string{"exchange", "extend", "identity", "accounts"}
	case numberGeneric:
		return []string{"exchange", "identity", "renew"}
	}
	return []string{"exchange", "extend", "identity", "renew"}
}

// mishaps is made when it is first asked for: most programs that hold a sandbox
// never play one.
var mishaps = sync.OnceValue(everyMishap)

// Mishaps lists everything that can be armed with ArmMishap, in an order that
// does not change.
func Mishaps() []Mishap { return slices.Clone(mishaps()) }

func everyMishap() []Mishap {
	var list []Mishap
	add := func(provider, where, slug string, row int, source string, m Mishap) {
		m.Name, m.Provider, m.Where, m.Row, m.Source = provider+"."+where+"."+slug, provider, where, row, source
		list = append(list, m)
	}
	for _, one := range causes {
		for _, provider := range strings.Fields(one.providers) {
			d, _ := dialectNamed(provider)
			for _, where := range strings.Fields(one.wheres) {
				if where == "page" || slices.Contains(d.steps(), where) {
					add(provider, where, one.slug, one.row, one.source, one.at(provider, where))
				}
			}
		}
	}
	for _, one := range dashboards {
		for _, provider := range strings.Fields(one.providers) {
			add(provider, "page", one.slug, one.row, one.source, Mishap{Page: one.message, Dashboard: true})
		}
	}
	for _, d := range dialects {
		meta := d.number != numberGeneric
		if meta {
			add(d.id, "redirect", "denied", 18, "[V]", Mishap{Query: "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request&state={state}"})
			add(d.id, "redirect", "refused", 19, "[W]", Mishap{Query: "error=access_denied&error_description=Insufficient+Developer+Role&state={state}"})
			add(d.id, "exchange", "permission-missing", 41, "[V]", Mishap{Status: http.StatusOK})
		}
		add(d.id, "redirect", "state-missing", 43, "[W]", Mishap{Query: ifGeneric(d, "code={code}")})
		add(d.id, "redirect", "state-other", 43, "[W]", Mishap{Query: ifGeneric(d, "code={code}&state=another-sign-in")})
		add(d.id, "redirect", "code-twice", 43, "RFC 6749 3.1", Mishap{Query: ifGeneric(d, "code={code}&code=another&state={state}")})
		for _, where := range d.steps() {
			add(d.id, where, "html-502", 45, "[W]", Mishap{Status: http.StatusBadGateway, Body: "<!doctype html><title>Error</title><p>Sorry, something went wrong.</p>"})
			add(d.id, where, "empty-503", 45, "[W]", Mishap{Status: http.StatusServiceUnavailable})
			if meta {
				add(d.id, where, "error-in-200", 46, "[W]", Mishap{Status: http.StatusOK, Body: shapeG(graphError{message: "An unexpected error has occurred. Please retry your request later.", kind: typeOAuth, code: 2})})
			}
		}
	}
	// Row 33 is three causes that end in two answers.
	add(fb, "accounts", "no-page", 33, "[W]", Mishap{Status: http.StatusOK, Body: `{"data":[]}`})
	add(fb, "accounts", "not-linked", 33, "[W]", Mishap{Status: http.StatusOK, Body: `{"data":[{"id":"102000000000201","name":"Weber Joinery","tasks":["ADVERTISE","ANALYZE","CREATE_CONTENT","MESSAGING","MODERATE","MANAGE"]}],"paging":{"cursors":{"before":"MA","after":"MA"}}}`})
	add(fb, "exchange", "no-lifetime", 0, "[mem]", Mishap{Status: http.StatusOK})
	for _, code := range strings.Fields("invalid_request unauthorized_client access_denied unsupported_response_type invalid_scope server_error temporarily_unavailable") {
		add(oa, "redirect", code, 0, "RFC 6749 4.1.2.1", Mishap{Query: "error=" + code + "&error_description=As+a+practice&state={state}&iss={iss}"})
	}
	for _, code := range strings.Fields("login_required interaction_required consent_required account_selection_required request_not_supported request_uri_not_supported registration_not_supported") {
		add(oa, "redirect", code, 0, "OpenID Connect Core 3.1.2.6", Mishap{Query: "error=" + code + "&state={state}&iss={iss}"})
	}
	add(oa, "redirect", "invalid_target", 0, "RFC 8707 2", Mishap{Query: "error=invalid_target&state={state}&iss={iss}"})
	add(oa, "redirect", "iss-missing", 0, "RFC 9207 2.4", Mishap{Query: "code={code}&state={state}"})
	add(oa, "redirect", "iss-other", 0, "RFC 9207 2.4", Mishap{Query: "code={code}&state={state}&iss=https%3A%2F%2Fother.example"})
	add(oa, "page", "client-unknown", 0, "RFC 6749 4.1.2.1", Mishap{Page: genericUnknownClient})
	add(oa, "page", "redirect-unregistered", 0, "RFC 6749 4.1.2.1", Mishap{Page: "invalid_request: redirect_uri did not match any of the registered addresses"})
	for _, where := range []string{"exchange", "renew"} {
		for _, code := range strings.Fields("invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope") {
			m := Mishap{Status: http.StatusBadRequest, Body: `{"error":"` + code + `","error_description":"As a practice"}`}
			if code == "invalid_client" {
				m.Status, m.Challenge = http.StatusUnauthorized, `Basic realm="login.example"`
			}
			add(oa, where, code, 0, "RFC 6749 5.2", m)
		}
		add(oa, where, "invalid_target", 0, "RFC 8707 2", Mishap{Status: http.StatusBadRequest, Body: `{"error":"invalid_target"}`})
		add(oa, where, "server_error", 0, "RFC 6749 4.1.2.1", Mishap{Status: http.StatusInternalServerError, Body: `{"error":"server_error"}`})
		add(oa, where, "temporarily_unavailable", 0, "RFC 6749 4.1.2.1", Mishap{Status: http.StatusServiceUnavailable, Body: `{"error":"temporarily_unavailable"}`})
		add(oa, where, "no-token", 0, "RFC 6749 5.1", Mishap{Status: http.StatusOK, Body: `{"token_type":"Bearer","expires_in":3600}`})
		add(oa, where, "other-type", 0, "RFC 6749 7.1", Mishap{Status: http.StatusOK, Body: `{"access_token":"lgx-PracticeOnly0123456789","token_type":"mac","expires_in":3600}`})
	}
	add(oa, "identity", "invalid_token", 0, "RFC 6750 3.1", Mishap{Status: http.StatusUnauthorized, Challenge: `Bearer realm="login.example", error="invalid_token"`, Body: `{"error":"invalid_token","error_description":"The access token expired"}`})
	add(oa, "identity", "invalid_request", 0, "RFC 6750 3.1", Mishap{Status: http.StatusBadRequest, Challenge: `Bearer realm="login.example", error="invalid_request"`, Body: `{"error":"invalid_request"}`})
	add(oa, "identity", "insufficient_scope", 0, "RFC 6750 3.1", Mishap{Status: http.StatusForbidden, Challenge: `Bearer realm="login.example", error="insufficient_scope"`, Body: `{"error":"insufficient_scope","error_description":"The scope profile is needed"}`})
	add(oa, "discovery", "issuer-other", 0, "RFC 8414 3.3", Mishap{Status: http.StatusOK, Body: `{"issuer":"https://other.example","authorization_endpoint":"https://other.example/authorize","token_endpoint":"https://other.example/token","response_types_supported":["code"]}`})
	add(oa, "discovery", "none", 0, "RFC 8414 3.2", Mishap{Status: http.StatusNotFound, Body: "<!doctype html><title>Not found</title>"})
	add(oa, "discovery", "no-code", 0, "RFC 8414 2", Mishap{Status: http.StatusOK, Body: `{"issuer":"https://login.example","authorization_endpoint":"https://login.example/authorize","token_endpoint":"https://login.example/token","response_types_supported":["token"]}`})
	add(oa, "discovery", "plain-http", 0, "RFC 8414 2", Mishap{Status: http.StatusOK, Body: `{"issuer":"https://login.example","authorization_endpoint":"http://login.example/authorize","token_endpoint":"http://login.example/token","response_types_supported":["code"]}`})
	return list
}

// ifGeneric adds the issuer where the provider names itself.
func ifGeneric(d *dialect, query string) string {
	if d.number == numberGeneric {
		return query + "&iss={iss}"
	}
	return query
}

// at is the cause in the shape that the provider has at that step.
func (one cause) at(provider, where string) Mishap {
	switch {
	case where == "page" && provider == ig && one.message != pageRole && one.row != 35:
		return Mishap{Page: pageInvalid + ": " + one.message}
	case where == "page" && provider == th:
		return Mishap{Status: http.StatusBadRequest, Body: fmt.Sprintf(`{"error_message":%q,"error_code":%d}`, one.message, one.code)}
	case where == "page" && provider == bd:
		return Mishap{Status: http.StatusBadRequest, Body: shapeA(one.message)}
	case where == "page":
		return Mishap{Page: one.message}
	case one.code == 0:
		return Mishap{Status: http.StatusBadRequest, Body: shapeA(one.message)}
	}
	m := Mishap{Status: http.StatusBadRequest, Body: shapeG(graphError{message: one.message, kind: one.kind, code: one.code, subcode: one.subcode})}
	switch {
	case one.code == 10 || one.code == 200:
		m.Status = http.StatusForbidden
	case one.row == 16:
		m.Status = http.StatusInternalServerError
	}
	if one.subcode == 36008 {
		m.Challenge = facebookChallenge
	}
	return m
}

func shapeA(message string) string {
	return fmt.Sprintf(`{"error_type":"OAuthException","code":400,"error_message":%q}`, message)
}

func shapeG(e graphError) string {
	subcode := ""
	if e.subcode != 0 {
		subcode = `,"error_subcode":` + strconv.Itoa(e.subcode)
	}
	return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"code":%d%s,"fbtrace_id":"APracticeOnly"}}`, e.message, e.kind, e.code, subcode)
}

// ErrMishap is what an unknown name gives.
var ErrMishap = errors.New("sandbox: no such mishap")

// mostArmed bounds what may wait.
const mostArmed = 1000

// ArmMishap lets the mishap strike once, at the next request of its provider at
// its step; several wait in line. ErrMishap for an unknown name.
func (s *Server) ArmMishap(name string) error {
	i := slices.IndexFunc(mishaps(), func(m Mishap) bool { return m.Name == name })
	if i < 0 {
		return ErrMishap
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.armed) == mostArmed {
		return errors.New("sandbox: a thousand mishaps are waiting already")
	}
	s.armed = append(s.armed, mishaps()[i])
	return nil
}

// ClearMishaps forgets those that have not struck.
func (s *Server) ClearMishaps() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = nil
}

// Armed lists the names of those that wait, in their order.
func (s *Server) Armed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.armed))
	for i, m := range s.armed {
		names[i] = m.Name
	}
	return names
}

// take removes the next armed mishap of a step that fits.
func (c *call) take(where string, fits func(Mishap) bool) (Mishap, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.armed {
		if m.Provider == c.d.id && m.Where == where && fits(m) {
			c.armed = slices.Delete(c.armed, i, i+1)
			return m, true
		}
	}
	return Mishap{}, false
}

// ownAnswer marks a mishap that the provider's own answer shows.
func (m Mishap) ownAnswer() bool { return m.Status == http.StatusOK && m.Body == "" }

func (c *call) mishap(where string) (Mishap, bool) {
	return c.take(where, func(m Mishap) bool { return !m.ownAnswer() })
}

// struck answers with the armed mishap of this step, if there is one.
func (c *call) struck(where string) bool {
	m, armed := c.mishap(where)
	if armed {
		c.answerAs(m)
	}
	return armed
}

// lessened reports whether row 41 is armed: fewer permissions than asked for.
func (c *call) lessened() bool {
	_, armed := c.take("exchange", func(m Mishap) bool { return m.ownAnswer() && m.Row == 41 })
	return armed
}

// timeless reports whether an answer shall not say how long the token lives.
func (c *call) timeless() bool {
	_, armed := c.take("exchange", func(m Mishap) bool { return m.ownAnswer() && m.Row != 41 })
	return armed
}

func (c *call) answerAs(m Mishap) {
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if strings.HasPrefix(m.Body, "{") {
		h.Set("Content-Type", "application/json; charset=UTF-8")
	}
	if m.Challenge != "" {
		h.Set("WWW-Authenticate", m.Challenge)
	}
	c.w.WriteHeader(m.Status)
	_, _ = c.w.Write([]byte(m.Body))
}

// showPage is a mishap of the step page: the provider's own page.
func (c *call) showPage(m Mishap) {
	switch {
	case m.Body != "":
		c.answerAs(m)
	case m.Dashboard:
		c.notice(http.StatusOK, notice{Title: "At the real place, the app's dashboard says", Message: m.Page, Text: "The practice ground has no dashboard. Nothing was sent back to the app."})
	case m.Row == 17:
		c.refuseSignIn(authorization{}, facebookWrongID)
	default:
		c.refuseSignIn(authorization{}, refused{message: m.Page})
	}
}

// said reports whether a mishap of d has this text on its page.
func said(d *dialect, message string) bool {
	return slices.ContainsFunc(mishaps(), func(m Mishap) bool { return m.Provider == d.id && m.Page == message && message != "" })
}
