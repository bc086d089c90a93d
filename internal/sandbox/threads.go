package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

// What Threads says at its authorization address: JSON in the browser, shape T
// of providers.md 9.
var (
	threadsNoInvite = refused{message: "The user has not accepted the invite to test the app", code: 1349245}                                                                                                                                                                     // 12
	threadsInsecure = refused{message: "Insecure Login Blocked: You can't get an access token or log in to this app from an insecure page. Try re-loading the page as https://", code: 1349187}                                                                                   // 13
	threadsBlocked  = refused{message: "URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings. Make sure Client and Web OAuth Login are on and add all your app domains as Valid OAuth Redirect URIs.", code: 1349168} // 14
	threadsMetaID   = refused{message: "No app ID was sent with the request", code: 4476002}                                                                                                                                                                                      // 15
	threadsUnknown  = refused{message: "An unknown error has occurred", code: 1}                                                                                                                                                                                                  // 16
)

// readThreads reads an authorization request to Threads (providers.md 4).
func (d *dialect) readThreads(rawQuery string) (authorization, *refused) {
	q, err := url.ParseQuery(rawQuery)
	switch {
	case err != nil || twice(q, "client_id", "redirect_uri", "response_type", "scope", "state"):
		return authorization{}, &threadsUnknown
	case q.Get("client_id") == MetaAppID:
		return authorization{}, &threadsMetaID
	case q.Get("client_id") != d.clientID:
		return authorization{}, &threadsUnknown
	case strings.HasPrefix(strings.ToLower(q.Get("redirect_uri")), "http://"):
		return authorization{}, &threadsInsecure
	}
	a := authorization{redirectURI: q.Get("redirect_uri"), state: q.Get("state"), stated: q.Has("state")}
	var ok bool
	if a.origin, ok = redirectOrigin(a.redirectURI); !ok {
		return authorization{}, &threadsBlocked
	}
	if q.Get("response_type") != "code" {
		return authorization{}, &threadsUnknown
	}
	if a.scopes, ok = d.scopesOf(q.Get("scope"), ", "); !ok || d.required()&^a.scopes != 0 {
		return authorization{}, &threadsUnknown
	}
	return a, nil
}

// scopesOf reads a list of scopes that are separated by any of separators; one
// that d does not have gives false.
func (d *dialect) scopesOf(list, separators string) (scopeSet, bool) {
	var set scopeSet
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		bit := d.bit(name)
		if bit < 0 {
			return 0, false
		}
		set |= 1 << bit
	}
	return set, true
}

// moved is the old host, which answers with the new one (providers.md 4).
func (c *call) moved() {
	if !c.reading() {
		return
	}
	target := "/" + c.d.authorizeHost + c.d.authorizePath
	if c.r.URL.RawQuery != "" {
		target += "?" + c.r.URL.RawQuery
	}
	c.w.Header().Set("Location", target)
	c.w.WriteHeader(http.StatusMovedPermanently)
}

// threadsToken is one address with two uses: a POST is the exchange, a GET the
// app's own token, with which its two values are proven (providers.md 4).
func (c *call) threadsToken() {
	if c.r.Method == http.MethodPost {
		c.exchange()
		return
	}
	if !c.begins() {
		return
	}
	if c.query.Get("grant_type") != "client_credentials" {
		c.refuse(invalid(messageBadGrant))
		return
	}
	if !c.provesApp(c.query) {
		return
	}
	c.json(http.StatusOK, map[string]any{"access_token": "TH|" + c.d.clientID + "|" + mark + random(16), "token_type": "bearer"})
}

// provesApp checks the app's two values and refuses in shape G.
func (c *call) provesApp(values url.Values) bool {
	switch {
	case values.Get("client_id") == "":
		c.refuse(graphError{http.StatusBadRequest, "Missing client_id parameter.", typeOAuth, 101, 0})
	case values.Get("client_id") != c.d.clientID:
		c.refuse(graphError{http.StatusBadRequest, messageApplication, typeOAuth, 101, 0})
	case values.Get("client_secret") != c.d.clientSecret:
		c.refuse(graphError{http.StatusBadRequest, messageSecret, typeOAuth, 1, 0})
	default:
		return true
	}
	return false
}

// debugToken tells what a token is (providers.md 3.5, 4). It asks with a token
// of the same app, or with app ID and secret.
func (c *call) debugToken() {
	if c.r.Method != http.MethodGet {
		c.refuse(unsupported(c.r.Method))
		return
	}
	if twice(c.query, "access_token", "input_token") {
		c.refuse(invalid(messageTwice))
		return
	}
	asking := c.query.Get("access_token")
	_, ofUser := c.d.decode(asking)
	ofApp := asking == c.d.clientID+"|"+c.d.clientSecret || strings.HasPrefix(asking, "TH|"+c.d.clientID+"|"+mark) && c.d.number == numberThreads
	switch {
	case asking == "":
		c.refuse(graphError{http.StatusBadRequest, messageNoToken, typeOAuth, 104, 0})
		return
	case ofUser != nil && !ofApp:
		c.refuse(graphError{http.StatusBadRequest, messageForeignToken, typeOAuth, 190, 0})
		return
	case c.query.Get("input_token") == "":
		c.refuse(invalid("The parameter input_token is required"))
		return
	}
	t, err := c.d.decode(c.query.Get("input_token"))
	if err != nil {
		c.json(http.StatusOK, map[string]any{"data": map[string]any{
			"is_valid": false, "scopes": []string{}, "error": map[string]any{"code": 190, "message": messageForeignToken},
		}})
		return
	}
	refusal, dead := c.ended(t, c.query.Get("input_token"))
	data := map[string]any{
		"app_id": c.d.clientID, "type": "USER", "application": "Practice app", "is_valid": !dead, "user_id": t.person.scopedID.String(),
		"issued_at": t.issued.Unix(), "expires_at": t.ends.Unix(), "data_access_expires_at": t.issued.AddDate(0, 0, 90).Unix(),
		"scopes": c.d.names(c.granted(t)),
	}
	if t.kind == ofPage {
		data["type"], data["expires_at"] = "PAGE", 0
	}
	if dead {
		data["error"] = map[string]any{"code": refusal.code, "message": refusal.message, "subcode": refusal.subcode}
	}
	c.json(http.StatusOK, map[string]any{"data": data})
}
