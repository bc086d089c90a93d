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
	// fixed: the person allows all of it or nothing (a configuration).
	fixed bool
	// challenge is that of PKCE, public the client without a secret.
	challenge string
	public    bool
}

// refused is a sign-in that does not begin.
type refused struct {
	// message is what the page says.
	message string
	// code is Threads' error_code; name is Facebook's error_code.
	code int
	name string
	// back, if set, is the answer to the redirect: error=… (RFC 6749, 4.1.2.1).
	back string
}

// request reads an authorization request as this provider does.
func (d *dialect) request(rawQuery string) (authorization, *refused) {
	switch d.number {
	case numberThreads:
		return d.readThreads(rawQuery)
	case numberFacebook:
		return d.readFacebook(rawQuery)
	case numberGeneric:
		return d.readGeneric(rawQuery)
	}
	a, message := d.readAuthorization(rawQuery)
	if message != "" {
		return authorization{}, &refused{message: message}
	}
	return a, nil
}

// refuseSignIn shows what the provider shows when a sign-in does not begin.
func (c *call) refuseSignIn(a authorization, no refused) {
	switch {
	case no.back != "" && a.redirectURI != "":
		c.redirect(a, no.back, "")
	case c.d.number == numberThreads:
		c.json(http.StatusBadRequest, map[string]any{"error_message": no.message, "error_code": no.code})
	case c.d.number == numberFacebook:
		c.w.Header().Set("Location", "/"+c.d.authorizeHost+c.d.refusalPath+"?error_code="+url.QueryEscape(no.name)+"&message="+url.QueryEscape(no.message))
		c.w.WriteHeader(http.StatusFound)
	case c.d.number == numberBasic:
		c.refuseFlat(http.StatusBadRequest, strings.TrimPrefix(no.message, pageInvalid+": "))
	case c.d.number == numberGeneric:
		c.notice(http.StatusBadRequest, notice{Title: "This sign-in cannot begin", Message: no.message, Text: "Nothing was sent back to the app. Close this page and look there for what to do."})
	default:
		c.toRefusal(no.message)
	}
}

// pageOf is how this provider's page says what a scenario is about; nil for a
// scenario that is not about a page.
func (d *dialect) pageOf(s scenario) *refused {
	if s.page == "" {
		return nil
	}
	wrong := s.page == pageWrongApp
	switch d.number {
	case numberThreads:
		if wrong {
			return &threadsMetaID
		}
		return &threadsNoInvite
	case numberFacebook:
		if wrong {
			return &facebookWrongID
		}
		return &facebookNotActive
	case numberGeneric:
		if wrong {
			return &refused{message: genericUnknownClient}
		}
		return &refused{back: "error=access_denied&error_description=This+account+is+not+invited"}
	}
	return &refused{message: s.page}
}

var plainHost = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$`)

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
	case len(host) > 259 || !plainHost.MatchString(host):
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
	a, no := c.d.request(c.r.URL.RawQuery)
	if no != nil {
		c.refuseSignIn(a, *no)
		return
	}
	c.mu.Lock()
	mishap, who, without := c.scenario, c.person, slices.Clone(c.without)
	c.mu.Unlock()
	if c.r.Method == http.MethodPost {
		c.decide(a)
		return
	}
	if m, armed := c.mishap("page"); armed {
		c.showPage(m)
		return
	}
	if no := c.d.pageOf(mishap); no != nil {
		c.refuseSignIn(a, *no)
		return
	}
	if _, fits := c.d.known(who.username); !fits {
		who = c.d.people()[0]
	}
	ticked, pages := a.scopes, ^uint64(0)
	for _, name := range without {
		if bit := c.d.bit(name); bit >= 0 && !a.fixed {
			ticked &^= 1 << bit
		}
		for i, p := range who.pages {
			if p.id == name {
				pages &^= 1 << i
			}
		}
	}
	ticked |= c.d.required()
	if c.options.Auto {
		c.allow(a, consent{scenario: mishap, person: who, scopes: ticked, pages: pages & allPages(who)})
		return
	}
	c.consentPage(a, mishap, who, ticked, pages)
}

func allPages(p person) uint64 { return 1<<len(p.pages) - 1 }

// fewPages is how many Pages a person may have and still tick them one by one;
// whoever has more shares all.
const fewPages = 8

// decide is a pressed button. The form says who, what and which mishap.
func (c *call) decide(a authorization) {
	mishap, err := scenarioNamed(c.body.Get("scenario"))
	who, known := c.d.known(c.body.Get("person"))
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
	if a.fixed {
		ticked = a.scopes
	}
	var pages uint64
	for i, p := range who.pages {
		if len(who.pages) > fewPages || slices.Contains(c.body["page"], p.id) {
			pages |= 1 << i
		}
	}
	switch c.body.Get("decision") {
	case "deny":
		c.deny(a)
	case "allow":
		if no := c.d.pageOf(mishap); no != nil {
			c.refuseSignIn(a, *no)
			return
		}
		c.allow(a, consent{scenario: mishap, person: who, scopes: ticked, pages: pages})
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
		given.pages = allPages(given.person)
	}
	given.dialect, given.redirectURI, given.made = c.d, a.redirectURI, c.now
	given.challenge, given.public = a.challenge, a.public
	if m, armed := c.mishap("redirect"); armed {
		answer := strings.NewReplacer("{state}", url.QueryEscape(a.state), "{iss}", url.QueryEscape(c.issuer())).Replace(m.Query)
		if strings.Contains(answer, "{code}") {
			answer = strings.ReplaceAll(answer, "{code}", c.issue(given))
		}
		c.sendBack(a, answer, "")
		return
	}
	fragment := "#_"
	switch c.d.number {
	case numberFacebook:
		fragment = "#_=_"
	case numberGeneric:
		fragment = ""
	}
	c.redirect(a, "code="+c.issue(given), fragment)
}

// deny answers the documented triple; Facebook's wording and its error_code are
// from memory, the last is RFC 6749's.
func (c *call) deny(a authorization) {
	switch c.d.number {
	case numberFacebook:
		c.redirect(a, "error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied", "#_=_")
	case numberGeneric:
		c.redirect(a, "error=access_denied&error_description=The+person+said+no", "")
	default:
		c.redirect(a, "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request", "")
	}
}

// redirect sends the browser back with the state as it came, and with the
// issuer where the provider names itself (RFC 9207).
func (c *call) redirect(a authorization, answer, fragment string) {
	if a.stated {
		answer += "&state=" + url.QueryEscape(a.state)
	}
	if c.d.number == numberGeneric {
		answer += "&iss=" + url.QueryEscape(c.issuer())
	}
	c.sendBack(a, answer, fragment)
}

// sendBack sends the browser to the redirect, whose own query stays in front.
func (c *call) sendBack(a authorization, answer, fragment string) {
	separator := "?"
	if strings.Contains(a.redirectURI, "?") {
		separator = "&"
		if strings.HasSuffix(a.redirectURI, "?") || strings.HasSuffix(a.redirectURI, "&") {
			separator = ""
		}
	}
	c.w.Header().Set("Referrer-Policy", "no-referrer")
	uri := a.redirectURI
	if uri == loginSuccess && c.d.number == numberFacebook {
		uri = "/www.facebook.com/connect/login_success.html"
	}
	c.w.Header().Set("Location", uri+separator+answer+fragment)
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
