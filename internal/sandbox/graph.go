package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// graphVersion: v25.0 is what the documents use, v26.0 the latest (M24).
var graphVersion = regexp.MustCompile(`^v2[0-6]\.0$`)

// graphPath takes a path below the graph host apart. name is its pattern, empty
// for a path that does not exist.
func graphPath(path string) (node, edge, name string) {
	return nodePath(path, graphVersion, "media")
}

// threadsPath is the same below Threads' host, which has one version.
func threadsPath(path string) (node, edge, name string) {
	return nodePath(path, threadsVersion, "threads")
}

var threadsVersion = regexp.MustCompile(`^v1\.0$`)

func nodePath(path string, version *regexp.Regexp, posts string) (node, edge, name string) {
	parts := strings.Split(path, "/")
	if version.MatchString(parts[0]) {
		name, parts = parts[0]+"/", parts[1:]
	}
	if len(parts) == 0 || len(parts) > 2 {
		return "", "", ""
	}
	node = parts[0]
	switch {
	case node == "me":
		name += "me"
	case node != "" && len(node) <= 20 && strings.Trim(node, "0123456789") == "":
		name += "{id}"
	default:
		return "", "", ""
	}
	if len(parts) == 2 {
		if parts[1] != posts {
			return "", "", ""
		}
		edge, name = posts, name+"/"+posts
	}
	return node, edge, name
}

func (c *call) unknownGraphPath() {
	if c.r.Method != http.MethodGet {
		c.refuse(unsupported(c.r.Method))
		return
	}
	c.refuse(graphError{http.StatusBadRequest, unknownPathPrefix + "/" + printable(c.r.URL.Path[strings.LastIndex(c.r.URL.Path, "/")+1:], 40), typeOAuth, 2500, 0})
}

// accept reads and checks the token of a graph request. The token's own time
// and signature decide; ended ones name both dates (row 25).
func (c *call) accept(step string) (token, string, bool) {
	sent := c.query.Get("access_token")
	if sent == "" {
		sent, _ = strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	}
	if sent == "" {
		c.refuse(graphError{http.StatusBadRequest, messageNoToken, typeOAuth, 104, 0})
		return token{}, "", false
	}
	t, err := c.d.decode(sent)
	switch err {
	case nil:
	case errForeignToken:
		c.refuse(graphError{http.StatusBadRequest, messageForeignToken, typeOAuth, 190, 0})
		return token{}, "", false
	case errMalformedToken:
		c.refuse(graphError{http.StatusBadRequest, "Malformed access token " + sent, typeOAuth, 190, 0})
		return token{}, "", false
	default:
		c.refuse(graphError{http.StatusBadRequest, "The access token could not be decrypted", typeOAuth, 190, 0})
		return token{}, "", false
	}
	if !c.now.Before(t.ends) {
		c.tally(t.person, step, "")
		c.refuse(expired(t.ends, c.now))
		return token{}, "", false
	}
	if refusal, dead := c.dead(t, sent, step); dead {
		c.refuse(refusal)
		return token{}, "", false
	}
	if proof := c.query.Get("appsecret_proof"); proof != "" && proof != c.d.proof(sent) {
		c.refuse(graphError{http.StatusBadRequest, messageProof, "GraphMethodException", 100, 0})
		return token{}, "", false
	}
	return t, sent, true
}

// settle finds out which of two providers on one host is meant: the token's
// beginning says it.
func (c *call) settle() {
	sent := c.query.Get("access_token")
	if sent == "" {
		sent, _ = strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	}
	for _, d := range dialects {
		if d.number == numberBasic && c.d.number == numberInstagram && strings.HasPrefix(sent, d.prefix) {
			c.d = d
		}
	}
}

// proof is appsecret_proof (providers.md 6).
func (d *dialect) proof(access string) string {
	mac := hmac.New(sha256.New, []byte(d.clientSecret))
	_, _ = mac.Write([]byte(access))
	return hex.EncodeToString(mac.Sum(nil))
}

// expired is row 25.
func expired(ended, now time.Time) graphError {
	return graphError{
		http.StatusBadRequest,
		"Error validating access token: Session has expired on " + pacific(ended) + ". The current time is " + pacific(now) + ".",
		typeOAuth, 190, 463,
	}
}

// pacific is the form of dates in Meta's messages.
func pacific(t time.Time) string {
	return t.In(time.FixedZone("PST", -8*60*60)).Format("Monday, 02-Jan-06 15:04:05 MST")
}

// begins checks what all graph addresses share: the method, and parameters once.
func (c *call) begins() bool {
	if c.r.Method != http.MethodGet {
		c.refuse(unsupported(c.r.Method))
		return false
	}
	if twice(c.query, "access_token", "client_id", "client_secret", "grant_type", "fields", "limit", "after", "fb_exchange_token", "redirect_uri", "code", "appsecret_proof") {
		c.refuse(invalid(messageTwice))
		return false
	}
	return true
}

// extend is one-hour to 60-day token (providers.md 2.6).
func (c *call) extend() {
	c.settle()
	if !c.begins() || c.struck("extend") {
		return
	}
	if c.query.Get("grant_type") != c.d.extendGrant {
		c.refuse(invalid(messageBadGrant))
		return
	}
	if c.query.Has("client_id") && c.query.Get("client_id") != c.d.clientID {
		c.refuse(graphError{http.StatusBadRequest, messageApplication, typeOAuth, 101, 0})
		return
	}
	if c.query.Get("client_secret") != c.d.clientSecret {
		c.refuse(graphError{http.StatusBadRequest, messageSecret, typeOAuth, 1, 0})
		return
	}
	t, _, ok := c.accept("extend")
	if !ok {
		return
	}
	mishap := scenarioNumbered(t.scenario)
	switch {
	case t.kind == long:
		c.refuse(graphError{http.StatusBadRequest, "Session key invalid", typeOAuth, 452, 0})
	case mishap.extend != nil:
		c.refuse(*mishap.extend)
	case t.urlencoded:
		c.refuse(unsupportedGet)
	default:
		c.tally(t.person, "", "extended")
		c.lengthen(t)
	}
}

// lifetime adds expires_in to an answer unless the shape leaves it out.
func (s Shape) lifetime(answer map[string]any, d time.Duration) map[string]any {
	if s.Expires != "absent" {
		answer["expires_in"] = int64(d / time.Second)
	}
	return answer
}

// renew is 60 more days (providers.md 2.7); no app secret is asked for.
func (c *call) renew() {
	c.settle()
	if !c.begins() || c.struck("renew") {
		return
	}
	if c.query.Get("grant_type") != c.d.renewGrant {
		c.refuse(invalid(messageBadGrant))
		return
	}
	t, sent, ok := c.accept("renew")
	if !ok {
		return
	}
	switch {
	case t.kind != long:
		c.refuse(graphError{http.StatusBadRequest, messageNotLong, typeOAuth, 100, 0})
	case c.now.Sub(t.issued) < 24*time.Hour:
		c.refuse(graphError{http.StatusBadRequest, messageTooYoung, typeOAuth, 100, 0})
	case c.d.required()&^t.scopes != 0:
		c.refuse(noPermission)
	case !c.rotate(t, sent):
		c.refuse(loggedOut)
	default:
		c.lengthen(t)
	}
}

// lengthen answers with a long token that begins now.
func (c *call) lengthen(t token) {
	c.mu.Lock()
	shape := c.shape
	c.mu.Unlock()
	t.kind, t.issued, t.ends = long, c.now, c.now.Add(longLife)
	c.json(http.StatusOK, shape.lifetime(map[string]any{"access_token": c.hand(t, shape.TokenLength), "token_type": "bearer"}, longLife))
}

// graph answers the nodes: the account and its posts.
func (c *call) graph(node, edge string) {
	c.settle()
	if !c.begins() {
		return
	}
	step := "identity"
	if edge != "" {
		step = "media"
	} else if c.struck("identity") {
		return
	}
	t, sent, ok := c.accept(step)
	if !ok {
		return
	}
	switch node {
	case "me":
	case t.person.accountID.String():
		if c.d.number != numberInstagram {
			// There is one id, and it is the app's own.
			c.refuse(noObject(node))
			return
		}
	case t.person.scopedID.String():
		if c.d.number == numberInstagram {
			c.refuse(unsupportedGet) // row 20 (c)
			return
		}
	default:
		c.refuse(noObject(node))
		return
	}
	if edge != "" {
		if c.d.number == numberBasic && !c.d.has(t.scopes, "user_media") {
			c.refuse(noPermission)
			return
		}
		c.media(t.person, sent)
		return
	}
	c.me(t)
}

// noPermission is row 30.
var noPermission = graphError{http.StatusForbidden, "(#10) Application does not have permission for this action", typeOAuth, 10, 0}

// noObject is row 31.
func noObject(node string) graphError {
	return graphError{
		http.StatusBadRequest,
		"Unsupported get request. Object with ID '" + node + "' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
		typeIGApi, 100, 33,
	}
}

// me is the identity (providers.md 1, 2.8, 4). Ids are strings here.
func (c *call) me(t token) {
	p := t.person
	known := map[string]any{
		"id": p.scopedID.String(), "user_id": p.accountID.String(), "username": p.username, "name": p.name,
		"account_type": p.kind, "profile_picture_url": c.pictureURL(p.pictureName()), "biography": p.biography,
		"followers_count": p.followers, "follows_count": p.follows, "media_count": len(p.posts),
	}
	switch c.d.number {
	case numberThreads:
		known = map[string]any{
			"id": p.scopedID.String(), "username": p.username, "name": p.name, "threads_profile_picture_url": c.pictureURL(p.pictureName()),
			"threads_biography": p.biography, "is_verified": false,
		}
	case numberBasic:
		known = map[string]any{"id": p.scopedID.String(), "username": p.username, "account_type": p.kind, "media_count": nil}
		if c.d.has(t.scopes, "user_media") {
			known["media_count"] = len(p.posts)
		}
	}
	one, ok := c.pick(known, c.query.Get("fields"))
	if !ok {
		return
	}
	c.mu.Lock()
	nested := c.shape.Identity == "nested"
	c.mu.Unlock()
	if nested {
		c.json(http.StatusOK, map[string]any{"data": []any{one}})
		return
	}
	c.json(http.StatusOK, one)
}

// pick takes the asked fields out of known; id is always among them. A nil
// value is a field that this object does not have and is left out.
func (c *call) pick(known map[string]any, fields string) (map[string]any, bool) {
	one := map[string]any{"id": known["id"]}
	for _, f := range splitFields(fields) {
		name, inner, _ := strings.Cut(f, "{")
		value, exists := known[name]
		if !exists || (inner != "" && name != "children") {
			c.refuse(graphError{http.StatusBadRequest, "(#100) Tried accessing nonexisting field (" + printable(name, 40) + ")", typeIGApi, 100, 0})
			return nil, false
		}
		if value != nil {
			one[name] = value
		}
	}
	return one, true
}

// splitFields splits at commas outside braces.
func splitFields(s string) []string {
	var fields []string
	depth, from := 0, 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || (s[i] == ',' && depth == 0) {
			if f := strings.TrimSpace(s[from:i]); f != "" {
				fields = append(fields, f)
			}
			from = i + 1
			continue
		}
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		}
	}
	return fields
}

// media lists posts, newest first, a page at a time. As in the real answer,
// the address of the next page carries the token.
func (c *call) media(p person, sent string) {
	from, to, ok := c.window(25)
	if !ok {
		return
	}
	if c.query.Get("after") != "" && from > len(p.posts) {
		c.refuse(invalid("Param after is not a cursor"))
		return
	}
	from, to = min(from, len(p.posts)), min(to, len(p.posts))
	data := []any{}
	for _, post := range p.posts[from:to] {
		one, ok := c.pick(c.postFields(p, post), c.query.Get("fields"))
		if !ok {
			return
		}
		data = append(data, one)
	}
	answer := map[string]any{"data": data}
	if len(data) > 0 {
		answer["paging"] = c.paging(from, to, len(p.posts), sent)
	}
	c.json(http.StatusOK, answer)
}

func cursor(n int) string { return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n))) }

// postFields are the fields of [2.8]. A video has no media_url: there is no
// film here, and Meta too leaves it out where it may not show it.
func (c *call) postFields(p person, m post) map[string]any {
	fields := map[string]any{
		"id": m.id, "caption": m.caption, "media_type": m.kind, "timestamp": m.at, "username": p.username,
		"like_count": m.likes, "comments_count": m.comments, "is_shared_to_feed": nil,
		"permalink": fmt.Sprintf("%s/%s/p/%s/", c.base(), dialects[0].authorizeHost, m.code),
		"media_url": c.pictureURL(m.pictureName()), "thumbnail_url": nil, "children": nil,
	}
	if c.d.number == numberThreads {
		fields = map[string]any{
			"id": m.id, "text": m.caption, "media_type": m.kind, "timestamp": m.at, "username": p.username, "media_product_type": "THREADS",
			"permalink": fields["permalink"], "shortcode": m.code, "media_url": fields["media_url"], "thumbnail_url": nil, "children": nil,
		}
	}
	switch m.kind {
	case "VIDEO":
		fields["media_url"], fields["thumbnail_url"] = nil, c.pictureURL(m.pictureName())
	case "CAROUSEL_ALBUM":
		fields["children"] = map[string]any{"data": []any{map[string]any{"id": m.id + "1"}, map[string]any{"id": m.id + "2"}}}
	}
	return fields
}
