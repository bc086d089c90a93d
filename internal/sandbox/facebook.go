package sandbox

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What Facebook's dialog says instead of beginning (providers.md 9). The names
// of the last four are ours: only row 17's was ever written down.
var (
	facebookWrongID   = refused{name: "PLATFORM__INVALID_APP_ID", message: "Sorry, something went wrong."}                                                                                                                    // 17
	facebookBlocked   = refused{name: "URL_BLOCKED", message: threadsBlocked.message}                                                                                                                                         // 14
	facebookNotActive = refused{name: "APP_NOT_ACTIVE", message: "App not active: This app is not currently accessible and the app developer is aware of the issue. You will be able to log in when the app is reactivated."} // 40
	facebookConfig    = refused{name: "INVALID_CONFIG", message: "Invalid Parameter: config_id does not belong to this app."}                                                                                                 // ours
	facebookParameter = refused{name: "INVALID_PARAMETER", message: "Invalid Parameter: a parameter is missing, appears twice or has a wrong value."}                                                                         // ours
)

const (
	facebookScopes     = "Invalid Scopes: "
	facebookScopesRest = ". This message is only shown to developers. Users of your app will ignore these permissions if present."

	// loginSuccess is Facebook's page for desktop programs. The double has its
	// own, so that a practice code does not travel to the real place.
	loginSuccess = "https://www.facebook.com/connect/login_success.html"

	// shortUserLife is that of a fresh user token: "hours" (M15).
	shortUserLife = 2 * shortLife
)

// configured are the scopes of the one configuration.
const configured = "public_profile,instagram_basic,instagram_content_publish,instagram_manage_comments,instagram_manage_insights,pages_show_list,pages_read_engagement,business_management"

// facebookPath is a path below one of Facebook's two hosts without its version.
func facebookPath(path string) (rest, version string) {
	first, after, found := strings.Cut(path, "/")
	if found && graphVersion.MatchString(first) {
		return after, first + "/"
	}
	return path, ""
}

// findFacebook is find for the addresses of Facebook.
func (d *dialect) findFacebook(path string) (route, string, bool) {
	if rest, ok := strings.CutPrefix(path, "/"+d.authorizeHost+"/"); ok {
		rest, version := facebookPath(rest)
		if "/"+rest == d.authorizePath {
			return route{d, (*call).authorize}, "/" + d.authorizeHost + "/" + version + rest, true
		}
		return route{d, (*call).notFound}, "other", true
	}
	rest, ok := strings.CutPrefix(path, "/"+d.graphHost+"/")
	if !ok {
		return route{}, "", false
	}
	rest, version := facebookPath(rest)
	name := "/" + d.graphHost + "/" + version
	switch rest {
	case "oauth/access_token":
		return route{d, (*call).facebookToken}, name + rest, true
	case "debug_token":
		return route{d, (*call).debugToken}, name + rest, true
	}
	node, edge, pattern := facebookNode(rest)
	if pattern == "" {
		return route{d, (*call).unknownGraphPath}, "other", true
	}
	return route{d, func(c *call) { c.facebookGraph(node, edge) }}, name + pattern, true
}

var facebookEdge = regexp.MustCompile(`^(accounts|media|permissions(/[a-z_]{1,60})?)$`)

// facebookNode takes a path without its version apart, see graphPath.
func facebookNode(path string) (node, edge, pattern string) {
	node, edge, deeper := strings.Cut(path, "/")
	switch {
	case node == "me":
		pattern = "me"
	case node != "" && len(node) <= 20 && strings.Trim(node, "0123456789") == "":
		pattern = "{id}"
	default:
		return "", "", ""
	}
	if !deeper {
		return node, "", pattern
	}
	if !facebookEdge.MatchString(edge) {
		return "", "", ""
	}
	first, _, one := strings.Cut(edge, "/")
	if pattern += "/" + first; one {
		pattern += "/{permission}"
	}
	return node, edge, pattern
}

// readFacebook reads a request to the dialog (providers.md 3.1).
func (d *dialect) readFacebook(rawQuery string) (authorization, *refused) {
	q, err := url.ParseQuery(rawQuery)
	switch {
	case err != nil || twice(q, "client_id", "redirect_uri", "response_type", "scope", "state", "config_id"):
		return authorization{}, &facebookParameter
	case q.Get("client_id") != d.clientID:
		return authorization{}, &facebookWrongID
	}
	a := authorization{redirectURI: q.Get("redirect_uri"), state: q.Get("state"), stated: q.Has("state")}
	var ok bool
	if a.origin, ok = facebookRedirect(a.redirectURI); !ok {
		return authorization{}, &facebookBlocked
	}
	if kind := q.Get("response_type"); kind != "code" && (kind != "" || q.Has("response_type")) {
		return authorization{}, &facebookParameter
	}
	if q.Has("config_id") {
		switch {
		case q.Has("scope"):
			// One of the two says what is asked: both together are a mistake.
			return authorization{}, &facebookParameter
		case q.Get("config_id") != ConfigID:
			return authorization{}, &facebookConfig
		}
		a.fixed = true
		a.scopes, _ = d.scopesOf(configured, ",")
		return a, nil
	}
	for _, name := range strings.Split(q.Get("scope"), ",") {
		if name == "" {
			continue
		}
		bit := d.bit(name)
		if bit < 0 {
			return authorization{}, &refused{name: "INVALID_SCOPES", message: facebookScopes + printable(name, 60) + facebookScopesRest} // 10
		}
		a.scopes |= 1 << bit
	}
	a.scopes |= 1 << d.bit("public_profile")
	return a, nil
}

// facebookRedirect is redirectOrigin with Facebook's rule for this computer:
// the name localhost, with http too while the app is in development, and no
// number (providers.md 3.7, 5).
func facebookRedirect(uri string) (string, bool) {
	origin, ok := redirectOrigin(uri)
	if !ok {
		return "", false
	}
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" {
		return "", false
	}
	return origin, true
}

// facebookPage is where a refused sign-in ends; see refusalPage for what it
// may say.
func (c *call) facebookPage() {
	if !c.reading() {
		return
	}
	message := printable(c.query.Get("message"), 400)
	known := false
	for _, r := range []refused{facebookWrongID, facebookBlocked, facebookNotActive, facebookConfig, facebookParameter} {
		known = known || r.message == message
	}
	known = known || strings.HasPrefix(message, facebookScopes) && strings.HasSuffix(message, facebookScopesRest) || said(c.d, message)
	if !known {
		message = facebookWrongID.message
	}
	var rows [][2]string
	if c.query.Get("error_code") == facebookWrongID.name {
		rows = [][2]string{{"error_code", facebookWrongID.name}}
	}
	c.notice(http.StatusOK, notice{
		Title: "This sign-in cannot begin", Message: message, Rows: rows,
		Text: "Nothing was sent back to the app. Close this page and look there for what to do.",
	})
}

// successPage is Facebook's page for desktop programs (providers.md 3.6).
func (c *call) successPage() {
	if c.reading() {
		c.notice(http.StatusOK, notice{
			Title: "Success",
			Text:  "Treat the address of this page as a password: copy it into the app, and nowhere else.",
		})
	}
}

// facebookToken is both steps: code to token, and token to a longer one
// (providers.md 3.3). GET has its parameters in the query, POST in the body.
func (c *call) facebookToken() {
	var values url.Values
	switch c.r.Method {
	case http.MethodGet:
		values = c.query
	case http.MethodPost:
		values = c.body
	default:
		c.refuse(unsupported(c.r.Method))
		return
	}
	if c.tooLarge {
		c.refuse(graphError{http.StatusRequestEntityTooLarge, messageTooLarge, typeOAuth, 100, 0})
		return
	}
	if twice(values, "client_id", "client_secret", "grant_type", "redirect_uri", "code", "fb_exchange_token") {
		c.refuse(invalid(messageTwice))
		return
	}
	longer := values.Get("grant_type") == c.d.extendGrant
	if longer && c.struck("extend") || !longer && c.struck("exchange") {
		return
	}
	switch values.Get("grant_type") {
	case "", "authorization_code", c.d.extendGrant:
	case "client_credentials":
		if c.provesApp(values) {
			c.json(http.StatusOK, map[string]any{"access_token": c.d.clientID + "|" + mark + random(16), "token_type": "bearer"})
		}
		return
	default:
		c.refuse(invalid(messageBadGrant))
		return
	}
	c.mu.Lock()
	now, shape := c.scenario, c.shape
	c.mu.Unlock()
	if now.page == pageWrongApp {
		c.refuse(graphError{http.StatusBadRequest, messageApplication, typeOAuth, 101, 0})
		return
	}
	if !c.provesApp(values) {
		return
	}
	if longer {
		c.lengthenUser(values.Get("fb_exchange_token"), shape)
		return
	}
	if values.Get("redirect_uri") == "" {
		c.refuse(graphError{http.StatusBadRequest, "Missing redirect_uri parameter.", typeOAuth, 191, 0})
		return
	}
	given, message := c.redeem(values.Get("code"), c.now)
	switch {
	case message == messageCodeUsed || message == "" && given.scenario.exchange == messageCodeUsed:
		c.refuse(graphError{http.StatusBadRequest, messageCodeUsed + ".", typeOAuth, 100, 36009})
	case message == messageNoCode:
		// 36007 is from memory.
		c.refuse(graphError{http.StatusBadRequest, "This authorization code has expired.", typeOAuth, 100, 36007})
	case message != "" || given.dialect != c.d:
		c.refuse(graphError{http.StatusBadRequest, "Invalid verification code format.", typeOAuth, 100, 0})
	case given.scenario.exchange == messageRedirect || values.Get("redirect_uri") != given.redirectURI:
		c.w.Header().Set("WWW-Authenticate", facebookChallenge)
		c.refuse(graphError{http.StatusBadRequest, messageRedirect, typeOAuth, 100, 36008})
	default:
		if c.lessened() {
			given.scopes = 1 << c.d.bit("public_profile")
		}
		t := token{
			dialect: c.d, kind: short, person: given.person, scopes: given.scopes, scenario: given.scenario.number,
			pages: given.pages, issued: c.now, ends: c.now.Add(shortUserLife),
		}
		c.mu.Lock()
		c.declined[t.person.number] &^= t.scopes
		c.mu.Unlock()
		if c.timeless() {
			shape.Expires = "absent"
		}
		c.json(http.StatusOK, shape.lifetime(map[string]any{"access_token": c.hand(t, shape.TokenLength), "token_type": "bearer"}, shortUserLife))
	}
}

// facebookChallenge is the header of row 6.
const facebookChallenge = `OAuth "Facebook Platform" "invalid_code" "` + messageRedirect + `"`

// lengthenUser is fb_exchange_token. A long token stays as long as it is.
func (c *call) lengthenUser(sent string, shape Shape) {
	c.query = url.Values{"access_token": {sent}}
	c.r.Header.Del("Authorization")
	t, _, ok := c.accept("extend")
	if !ok {
		return
	}
	if t.kind == ofPage {
		c.refuse(graphError{http.StatusBadRequest, messageForeignToken, typeOAuth, 190, 0})
		return
	}
	if mishap := scenarioNumbered(t.scenario); mishap.extend != nil {
		c.refuse(*mishap.extend)
		return
	}
	c.tally(t.person, "", "extended")
	life := longLife
	if t.kind == long {
		life = t.ends.Sub(c.now)
	}
	t.kind, t.issued, t.ends = long, c.now, c.now.Add(life)
	c.json(http.StatusOK, shape.lifetime(map[string]any{"access_token": c.hand(t, shape.TokenLength), "token_type": "bearer"}, life))
}

// granted are the scopes of a token less those that were taken back since.
func (c *call) granted(t token) scopeSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return t.scopes &^ c.declined[t.person.number]
}

// facebookGraph answers the nodes and edges of Facebook's graph.
func (c *call) facebookGraph(node, edge string) {
	if edge != "" && strings.HasPrefix(edge, "permissions") {
		c.permissions(node, edge)
		return
	}
	if !c.begins() {
		return
	}
	step := map[string]string{"accounts": "accounts", "media": "media"}[edge]
	if step == "" {
		step = "identity"
	}
	if step != "media" && c.struck(step) {
		return
	}
	t, sent, ok := c.accept(step)
	if !ok {
		return
	}
	self := node == "me" || node == t.person.scopedID.String()
	scopes := c.granted(t)
	switch {
	case self && edge == "" && t.kind == ofPage:
		for _, p := range reached(t, scopes) {
			c.object(map[string]any{"id": p.id, "name": p.name}, "id,name")
			return
		}
		c.refuse(graphError{http.StatusBadRequest, "Error validating access token: The user does not have a role on the Page.", typeOAuth, 190, 492})
	case self && edge == "":
		c.object(map[string]any{"id": t.person.scopedID.String(), "name": t.person.name}, "id,name")
	case self && edge == "accounts" && t.kind != ofPage:
		c.accounts(t, sent, scopes)
	case self:
		c.refuse(noObject(node))
	default:
		c.linkedAccount(t, sent, scopes, node, edge)
	}
}

// linkedAccount is an Instagram account below its own id: it answers where the
// token reaches its Page, and only if the person may act there.
func (c *call) linkedAccount(t token, sent string, scopes scopeSet, node, edge string) {
	for _, p := range reached(t, scopes) {
		switch {
		case p.linked == 0 || p.instagram.accountID.String() != node || edge == "accounts":
			continue
		case !c.d.has(scopes, "instagram_basic") || len(p.tasks) < len(allTasks):
			c.refuse(noPermission)
		case edge == "media":
			c.media(p.instagram, sent)
		default:
			c.object(c.instagramFields(p.instagram), "id")
		}
		return
	}
	c.refuse(noObject(node))
}

func (c *call) instagramFields(p person) map[string]any {
	return map[string]any{
		"id": p.accountID.String(), "ig_id": p.scopedID.String(), "username": p.username, "name": p.name,
		"profile_picture_url": c.pictureURL(p.pictureName()), "biography": p.biography,
		"followers_count": p.followers, "follows_count": p.follows, "media_count": len(p.posts),
	}
}

// object answers one object with the fields that were asked for.
func (c *call) object(known map[string]any, usual string) {
	fields, ok := parseFields(c.query.Get("fields"))
	if !ok {
		c.refuse(invalid("Syntax error in parameter fields"))
		return
	}
	if len(fields) == 0 {
		fields, _ = parseFields(usual)
	}
	one, unknown := choose(known, fields)
	if unknown != "" {
		c.refuse(noField(unknown))
		return
	}
	c.json(http.StatusOK, one)
}

func noField(name string) graphError {
	return graphError{http.StatusBadRequest, "(#100) Tried accessing nonexisting field (" + printable(name, 40) + ")", typeOAuth, 100, 0}
}

// field is one name of the parameter fields, with those in its braces.
type field struct {
	name  string
	inner []field
}

// deepest is how far braces may be nested.
const deepest = 4

// parseFields reads "id,name,x{id,y{z}}". Blanks around names are allowed.
func parseFields(s string) ([]field, bool) {
	fields, rest, ok := someFields(s, deepest)
	return fields, ok && rest == ""
}

// someFields reads up to the end or the brace that closes the list.
func someFields(s string, depth int) (fields []field, rest string, ok bool) {
	if depth < 0 {
		return nil, s, false
	}
	for {
		end := strings.IndexAny(s, ",{}")
		if end < 0 {
			end = len(s)
		}
		f := field{name: strings.TrimSpace(s[:end])}
		s = s[end:]
		if f.name == "" {
			// Nothing at all is an empty list; nothing between commas is a mistake.
			return fields, s, fields == nil && !strings.HasPrefix(s, ",") && !strings.HasPrefix(s, "{")
		}
		if strings.HasPrefix(s, "{") {
			if f.inner, s, ok = someFields(s[1:], depth-1); !ok || !strings.HasPrefix(s, "}") {
				return nil, s, false
			}
			s = strings.TrimLeft(s[1:], " ")
		}
		fields = append(fields, f)
		if !strings.HasPrefix(s, ",") {
			return fields, s, s == "" || strings.HasPrefix(s, "}")
		}
		s = s[1:]
	}
}

// choose takes the asked fields out of known, id always; it names a field that
// does not exist. A nil value is one that this object does not have.
func choose(known map[string]any, fields []field) (map[string]any, string) {
	one := map[string]any{"id": known["id"]}
	for _, f := range fields {
		value, exists := known[f.name]
		if !exists {
			return nil, f.name
		}
		deeper, isObject := value.(map[string]any)
		switch {
		case value == nil:
		case isObject:
			inner, unknown := choose(deeper, f.inner)
			if unknown != "" {
				return nil, unknown
			}
			one[f.name] = inner
		case f.inner != nil:
			return nil, f.inner[0].name
		default:
			one[f.name] = value
		}
	}
	return one, ""
}

// usualPages is how many Pages an answer has unless asked otherwise.
const usualPages = 25

// accounts lists the Pages that the token reaches, with the Instagram account
// of each (providers.md 3.4). The list is empty, and not refused, where no Page
// was ticked or the permission is missing (row 33).
func (c *call) accounts(t token, sent string, scopes scopeSet) {
	fields, ok := parseFields(c.query.Get("fields"))
	if !ok {
		c.refuse(invalid("Syntax error in parameter fields"))
		return
	}
	if len(fields) == 0 {
		fields, _ = parseFields("access_token,id,name,tasks")
	}
	from, to, ok := c.window(usualPages)
	if !ok {
		return
	}
	var list []reach
	if c.d.has(scopes, "pages_show_list") {
		list = reached(t, scopes)
	}
	from, to = min(from, len(list)), min(to, len(list))
	data := []any{}
	for _, p := range list[from:to] {
		known := map[string]any{"id": p.id, "name": p.name, "category": "Local business", "tasks": p.tasks, "instagram_business_account": nil, "access_token": nil}
		if p.linked != 0 && c.d.has(scopes, "instagram_basic") {
			known["instagram_business_account"] = c.instagramFields(p.instagram)
		}
		if len(p.tasks) == len(allTasks) {
			known["access_token"] = c.pageToken(t, p.page)
		}
		one, unknown := choose(known, fields)
		if unknown != "" {
			c.refuse(noField(unknown))
			return
		}
		data = append(data, one)
	}
	answer := map[string]any{"data": data}
	if len(data) > 0 {
		answer["paging"] = c.paging(from, to, len(list), sent)
	}
	if to == len(list) {
		c.mu.Lock()
		c.known(sent).listed = true
		c.mu.Unlock()
	}
	c.json(http.StatusOK, answer)
}

// pageToken is a Page's own token: it reaches that Page alone.
func (c *call) pageToken(t token, p page) string {
	only := uint64(0)
	for i, q := range t.person.pages {
		if q.id == p.id {
			only = 1 << i
		}
	}
	t.kind, t.pages, t.issued, t.ends = ofPage, only, c.now, c.now.Add(pageLife)
	return t.encode(0)
}

// window reads limit and after: which part of a list is asked for.
func (c *call) window(usual int) (from, to int, ok bool) {
	limit := usual
	if raw := c.query.Get("limit"); raw != "" {
		var err error
		if limit, err = strconv.Atoi(raw); err != nil || limit < 1 || limit > 100 {
			c.refuse(invalid("Param limit must be a number from 1 to 100"))
			return 0, 0, false
		}
	}
	if raw := c.query.Get("after"); raw != "" {
		at, err := base64.RawURLEncoding.DecodeString(raw)
		n, wrong := strconv.Atoi(string(at))
		if err != nil || wrong != nil || n < 0 || n > 1<<20 {
			c.refuse(invalid("Param after is not a cursor"))
			return 0, 0, false
		}
		from = n + 1
	}
	return from, from + limit, true
}

// paging is the end of a list. As in the real answer, the address of the next
// page carries the token.
func (c *call) paging(from, to, count int, sent string) map[string]any {
	paging := map[string]any{"cursors": map[string]any{"before": cursor(from), "after": cursor(to - 1)}}
	if to < count {
		next := *c.r.URL
		q := c.r.URL.Query()
		q.Set("after", cursor(to-1))
		q.Set("access_token", sent)
		next.RawQuery = q.Encode()
		paging["next"] = c.base() + next.RequestURI()
	}
	return paging
}

// permissions lists what was granted, and takes it back (providers.md 3.5).
func (c *call) permissions(node, edge string) {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodDelete {
		c.refuse(unsupported(c.r.Method))
		return
	}
	if twice(c.query, "access_token", "appsecret_proof") {
		c.refuse(invalid(messageTwice))
		return
	}
	t, _, ok := c.accept("permissions")
	if !ok {
		return
	}
	if node != "me" && node != t.person.scopedID.String() || t.kind == ofPage {
		c.refuse(noObject(node))
		return
	}
	_, name, one := strings.Cut(edge, "/")
	switch {
	case c.r.Method == http.MethodGet && !one:
		data := []any{}
		granted := c.granted(t)
		for i, s := range c.d.scopes {
			switch {
			case granted&(1<<i) != 0:
				data = append(data, map[string]any{"permission": s.name, "status": "granted"})
			case t.scopes&(1<<i) != 0:
				data = append(data, map[string]any{"permission": s.name, "status": "declined"})
			}
		}
		c.json(http.StatusOK, map[string]any{"data": data})
	case c.r.Method == http.MethodGet:
		c.unknownGraphPath()
	case one:
		bit := c.d.bit(name)
		if bit < 0 || t.scopes&(1<<bit) == 0 {
			c.refuse(invalid("Param permission must be one that was granted"))
			return
		}
		c.mu.Lock()
		c.declined[t.person.number] |= 1 << bit
		c.mu.Unlock()
		c.json(http.StatusOK, map[string]any{"success": true})
	default:
		c.mu.Lock()
		c.states[t.person.number] = state{"removed", c.births}
		c.mu.Unlock()
		c.json(http.StatusOK, map[string]any{"success": true})
	}
}
