package sandbox

import "net/http"

// exchange is code to one-hour token (providers.md 2.5). Parameters count in
// the body only; the order of the checks is the measured one.
func (c *call) exchange() {
	refuse := func(message string) { c.refuseFlat(http.StatusBadRequest, message) }
	if c.r.Method != http.MethodPost {
		c.w.Header().Set("Allow", http.MethodPost)
		c.refuseFlat(http.StatusMethodNotAllowed, messageBadMethod)
		return
	}
	if c.tooLarge {
		c.refuseFlat(http.StatusRequestEntityTooLarge, messageTooLarge)
		return
	}
	c.mu.Lock()
	now, shape := c.scenario, c.shape
	c.mu.Unlock()
	b := c.body
	id := b.Get("client_id")
	for _, d := range dialects {
		if d.number == numberBasic && c.d.number == numberInstagram && id == d.clientID {
			c.d = d
		}
	}
	if c.struck("exchange") {
		return
	}
	switch {
	case twice(b, "client_id", "client_secret", "grant_type", "redirect_uri", "code"):
		refuse(messageTwice)
		return
	case now.page == pageWrongApp || id == MetaAppID:
		refuse(messageWrongApp)
		return
	case id != c.d.clientID:
		refuse(messageNoApp)
		return
	case b.Get("grant_type") == "":
		refuse(messageNoGrant)
		return
	case b.Get("grant_type") != "authorization_code":
		refuse(messageBadGrant)
		return
	}
	given, message := c.redeem(b.Get("code"), c.now)
	switch {
	case message != "":
		refuse(message)
	case given.dialect != c.d:
		refuse(messageNoCode)
	case given.scenario.exchange != "":
		refuse(given.scenario.exchange)
	case b.Get("redirect_uri") != given.redirectURI:
		refuse(messageRedirect)
	case b.Get("client_secret") != c.d.clientSecret:
		refuse(messageSecret)
	default:
		if c.lessened() {
			given.scopes = c.d.required()
		}
		t := token{
			dialect: c.d, kind: short, person: given.person, scopes: given.scopes, scenario: given.scenario.number,
			// The trap of row 20 is reported of Instagram Login alone.
			urlencoded: c.encoding == "form" && c.d.number == numberInstagram, issued: c.now, ends: c.now.Add(shortLife),
		}
		if c.d.number != numberInstagram && shape.Permissions == "" {
			shape.Permissions = "absent"
		}
		c.json(http.StatusOK, shape.exchanged(c.hand(t, shape.TokenLength), given.person.scopedID, c.d.names(given.scopes)))
	}
}
