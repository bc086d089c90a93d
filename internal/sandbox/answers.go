package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What the provider says, word for word. Rows of providers.md 9; "ours" where
// nobody wrote the real text down.
const (
	messageWrongApp     = "Invalid platform app"                                                                                                                // 1
	messageNoApp        = "Missing required field client_id"                                                                                                    // 2
	messageBadCode      = "Invalid authorization code"                                                                                                          // 3
	messageNoCode       = "Matching code was not found or was already used"                                                                                     // 4
	messageCodeUsed     = "This authorization code has been used"                                                                                               // 5
	messageRedirect     = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request" // 6
	messageSecret       = "Error validating client secret."                                                                                                     // 28
	messageApplication  = "Error validating application. Invalid application ID."                                                                               // 28
	messageNoToken      = "An access token is required to request this resource."                                                                               // from memory
	messageForeignToken = "Invalid OAuth access token - Cannot parse access token"                                                                              // 23
	messageProof        = "Invalid appsecret_proof provided in the API argument"                                                                                // 29
	messageNoGrant      = "Missing required field grant_type"                                                                                                   // ours
	messageBadGrant     = "Invalid grant_type"                                                                                                                  // ours
	messageTwice        = "A parameter appears twice"                                                                                                           // ours
	messageTooLarge     = "Request too large"                                                                                                                   // ours
	messageBadMethod    = "Method not allowed"                                                                                                                  // ours
	messageTooYoung     = "The access token must be at least 24 hours old to be refreshed"                                                                      // ours, 34
	messageNotLong      = "Only a long-lived access token can be refreshed"                                                                                     // ours
	pageInvalid         = "Invalid Request: Request parameters are invalid"
	pageWrongApp        = pageInvalid + ": " + messageWrongApp    // 1
	pageRedirect        = pageInvalid + ": Invalid redirect_uri"  // 7
	pageResponseType    = pageInvalid + ": Invalid response_type" // ours
	pageScope           = pageInvalid + ": Invalid scope: "       // 9
	pageRole            = "Insufficient Developer Role"           // 11
	unknownPathPrefix   = "Unknown path components: "
)

// graphError is an error of the graph hosts, shape G of providers.md 9.
type graphError struct {
	status        int
	message       string
	kind          string
	code, subcode int
}

const (
	typeOAuth = "OAuthException"
	typeIGApi = "IGApiException"
)

// unsupportedGet is row 20: what the real provider says when it means
// something else.
var unsupportedGet = graphError{http.StatusBadRequest, "Unsupported request - method type: get", typeIGApi, 100, 0}

func unsupported(method string) graphError {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
		e := unsupportedGet
		e.message = "Unsupported request - method type: " + strings.ToLower(method)
		return e
	}
	e := unsupportedGet
	e.message = "Unsupported request - method type: unknown"
	return e
}

// invalid is an error of code 100, about a parameter.
func invalid(message string) graphError {
	return graphError{http.StatusBadRequest, "(#100) " + message, typeOAuth, 100, 0}
}

// Shape chooses between forms of an answer that sources disagree about. Empty
// values are what programs read in production.
type Shape struct {
	// Exchange is "flat" (usual) or "nested" (documented, data[0]).
	Exchange string `json:"exchange"`
	// UserID is "number" or "string"; usual is a number when flat, a string when nested.
	UserID string `json:"user_id"`
	// Permissions is "array", "string" (commas) or "absent"; usual is an array
	// when flat, a string when nested.
	Permissions string `json:"permissions"`
	// Identity is the form of /me: "flat" (usual) or "nested".
	Identity string `json:"identity"`
	// TokenLength is the length of the tokens made from now on, in characters,
	// 183 (usual) to 8192; up to two fewer where base64 has no such length.
	TokenLength int `json:"token_length"`
	// Renew is what a renewal does to the token that it was asked with: "kept"
	// (usual) lets it work until its own end, "rotating" ends it at once.
	Renew string `json:"renew"`
	// Grace is how often, 0 (usual) to 100, a token that was rotated away may
	// still be renewed: 1 is a provider that forgives one lost answer.
	Grace int `json:"grace"`
	// Expires is "absent" when answers shall not say how long a token lives.
	Expires string `json:"expires"`
	// AccessLife is how long the access tokens of login.example live, 1s to
	// 24h; 0 is an hour.
	AccessLife time.Duration `json:"-"`
	// Refresh is when login.example gives a refresh token: "always" (usual), or
	// "asked", only with the scope offline_access.
	Refresh string `json:"refresh"`
	// Issuer is what login.example calls itself: "named" (usual) is
	// https://login.example, as its definition says; "own" is the address at
	// which it is reached here, for a client that finds it by itself.
	Issuer string `json:"issuer"`
}

func (s Shape) check() string {
	for _, v := range []struct {
		name, value string
		known       []string
	}{
		{"exchange", s.Exchange, []string{"", "flat", "nested"}},
		{"user_id", s.UserID, []string{"", "number", "string"}},
		{"permissions", s.Permissions, []string{"", "array", "string", "absent"}},
		{"identity", s.Identity, []string{"", "flat", "nested"}},
		{"renew", s.Renew, []string{"", "kept", "rotating"}},
		{"expires", s.Expires, []string{"", "given", "absent"}},
		{"refresh", s.Refresh, []string{"", "always", "asked"}},
		{"issuer", s.Issuer, []string{"", "named", "own"}},
	} {
		if !slices.Contains(v.known, v.value) {
			return v.name + " is one of" + strings.Join(v.known, " ")
		}
	}
	if s.TokenLength != 0 && (s.TokenLength < usualLength || s.TokenLength > longestToken) {
		return "token_length is 183 to 8192"
	}
	if s.Grace < 0 || s.Grace > 100 || s.Grace > 0 && s.Renew != "rotating" {
		return "grace is 0 to 100, and of a rotating renewal"
	}
	if life := s.AccessLife; life != 0 && (life < time.Second || life > 24*time.Hour) {
		return "access_life is 1s to 24h"
	}
	return ""
}

// exchanged is the answer of the exchange in this shape.
func (s Shape) exchanged(access string, id json.Number, permissions []string) any {
	nested := s.Exchange == "nested"
	one := map[string]any{"access_token": access, "user_id": id}
	if s.UserID == "string" || (nested && s.UserID == "") {
		one["user_id"] = id.String()
	}
	switch {
	case s.Permissions == "absent":
	case s.Permissions == "string" || (nested && s.Permissions == ""):
		one["permissions"] = strings.Join(permissions, ",")
	default:
		one["permissions"] = permissions
	}
	if nested {
		return map[string]any{"data": []any{one}}
	}
	return one
}

// refuseFlat writes shape A, which belongs to the exchange alone.
func (c *call) refuseFlat(status int, message string) {
	c.json(status, map[string]any{"error_type": typeOAuth, "code": status, "error_message": message})
}

// refuse writes shape G.
func (c *call) refuse(e graphError) {
	body := map[string]any{"message": e.message, "type": e.kind, "code": e.code, "fbtrace_id": "A" + random(22)}
	if e.subcode != 0 {
		body["error_subcode"] = e.subcode
	}
	c.json(e.status, map[string]any{"error": body})
}

func (c *call) json(status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(c.w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	c.w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(raw)
}
