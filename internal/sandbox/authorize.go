package sandbox

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// authorization is an authorization request that the provider accepts.
type authorization struct {
	redirectURI string
	// origin is the redirect's for form-action; without it Chromium blocks the
	// way from the consent page back to the client (security.md 4.1).
	origin string
	scopes scopeSet
	state  string
	stated bool
}

var plainHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$`)

// readAuthorization reads the query of the authorization address. Otherwise it
// returns the message that the provider's page shows: configuration failures do
// not go to the redirect (providers.md 2.4).
func (d *dialect) readAuthorization(rawQuery string) (authorization, string) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return authorization{}, pageInvalid
	}
	switch {
	case len(q["client_id"]) != 1 || q.Get("client_id") != d.clientID:
		return authorization{}, pageWrongApp
	case len(q["redirect_uri"]) != 1:
		return authorization{}, pageRedirect
	}
	a := authorization{redirectURI: q.Get("redirect_uri"), state: q.Get("state"), stated: q.Has("state")}
	var ok bool
	if a.origin, ok = redirectOrigin(a.redirectURI); !ok {
		return authorization{}, pageRedirect
	}
	if len(q["response_type"]) != 1 || q.Get("response_type") != "code" {
		return authorization{}, pageResponseType
	}
	if twice(q, "scope", "state") {
		return authorization{}, pageInvalid
	}
	names := strings.FieldsFunc(q.Get("scope"), func(r rune) bool { return r == ',' || r == ' ' })
	if len(names) == 0 {
		return authorization{}, pageScope + "[]"
	}
	for _, name := range names {
		bit := d.bit(name)
		if bit < 0 {
			return authorization{}, pageScope + printable(name, 60)
		}
		a.scopes |= 1 << bit
	}
	if missing := d.required() &^ a.scopes; missing != 0 {
		return authorization{}, pageScope + "missing " + strings.Join(d.names(missing), ",")
	}
	return a, ""
}

// redirectOrigin checks a redirect and returns its source expression for
// form-action. The double takes any https address and http on loopback: it has
// no dashboard where one could be registered.
func redirectOrigin(uri string) (string, bool) {
	if len(uri) > 2048 || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return "", false
	}
	u, err := url.Parse(uri)
	if err != nil || u.User != nil || u.Opaque != "" || strings.Contains(uri, "#") {
		return "", false
	}
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !loopbackName(u.Hostname())):
		return "", false
	case strings.HasPrefix(host, "[") && net.ParseIP(u.Hostname()) != nil:
		// A source expression cannot name an IPv6 address.
		return u.Scheme + ":", true
	case !plainHost.MatchString(host):
		return "", false
	}
	return u.Scheme + "://" + host, true
}

// authorize is the authorization address: GET shows the consent page, POST is
// one of its two buttons with the same query.
func (c *call) authorize() {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodPost {
		c.methods("GET, POST")
		return
	}
	a, message := c.d.readAuthorization(c.r.URL.RawQuery)
	if message != "" {
		c.toRefusal(message)
		return
	}
	c.mu.Lock()
	mishap, who, without := c.scenario, c.person, slices.Clone(c.without)
	c.mu.Unlock()
	if c.r.Method == http.MethodPost {
		c.decide(a)
		return
	}
	if mishap.page != "" {
		c.toRefusal(mishap.page)
		return
	}
	ticked := a.scopes
	for _, name := range without {
		if bit := c.d.bit(name); bit >= 0 {
			ticked &^= 1 << bit
		}
	}
	ticked |= c.d.required()
	if c.options.Auto {
		c.allow(a, consent{scenario: mishap, person: who, scopes: ticked})
		return
	}
	c.consentPage(a, mishap, who, ticked)
}

// decide is a pressed button. The form says who, what and which mishap.
func (c *call) decide(a authorization) {
	mishap, err := scenarioNamed(c.body.Get("scenario"))
	who, known := personNamed(c.body.Get("person"))
	if c.encoding != "form" || err != nil || !known || twice(c.body, "scenario", "person", "decision") {
		c.notice(http.StatusBadRequest, notice{Title: "This page was sent incomplete", Text: "Go back to the app and start the sign-in again."})
		return
	}
	ticked := c.d.required()
	for _, name := range c.body["scope"] {
		bit := c.d.bit(name)
		if bit < 0 || a.scopes&(1<<bit) == 0 {
			c.notice(http.StatusBadRequest, notice{Title: "This permission was not asked for", Text: "Go back to the app and start the sign-in again."})
			return
		}
		ticked |= 1 << bit
	}
	switch c.body.Get("decision") {
	case "deny":
		c.deny(a)
	case "allow":
		if mishap.page != "" {
			c.toRefusal(mishap.page)
			return
		}
		c.allow(a, consent{scenario: mishap, person: who, scopes: ticked})
	default:
		c.notice(http.StatusBadRequest, notice{Title: "Neither Allow nor Cancel", Text: "Go back to the app and start the sign-in again."})
	}
}

// allow answers the redirect with a code, or as Cancel where the mishap says so.
func (c *call) allow(a authorization, given consent) {
	if given.scenario.deny {
		c.deny(a)
		return
	}
	if given.scenario.other {
		given.person = given.person.next()
	}
	given.dialect, given.redirectURI, given.made = c.d, a.redirectURI, c.now
	c.redirect(a, "code="+c.issue(given), "#_")
}

// deny answers the documented triple.
func (c *call) deny(a authorization) {
	c.redirect(a, "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request", "")
}

// redirect sends the browser back, with the state as it came and the redirect's
// own query in front.
func (c *call) redirect(a authorization, answer, fragment string) {
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
		if strings.HasSuffix(a.redirectURI, "?") || strings.HasSuffix(a.redirectURI, "&") {
			separator = ""
		}
	}
	if a.stated {
		answer += "&state=" + url.QueryEscape(a.state)
	}
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	c.w.Header().Set("Location", a.redirectURI+separator+answer+fragment)
	c.w.WriteHeader(http.StatusFound)
}

// toRefusal shows the provider's own page: nothing comes back to the client.
func (c *call) toRefusal(message string) {
	c.w.Header().Set("Location", "/"+c.d.authorizeHost+c.d.refusalPath+"?message="+url.QueryEscape(message))
	c.w.WriteHeader(http.StatusFound)
}

// methods is the answer to a method that an address does not have.
func (c *call) methods(allowed string) {
	c.w.Header().Set("Allow", allowed)
	http.Error(c.w, "sandbox: "+messageBadMethod, http.StatusMethodNotAllowed)
}

// printable cuts s to at most n printable ASCII characters.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), n)]
}
