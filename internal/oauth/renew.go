package oauth

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// RefusedGrant is what RFC 6749 section 5.2 calls a refresh token that is
// invalid, has ended or was revoked.
const refusedGrant = "invalid_grant"

// Renewable reports whether Renew has everything that the definition's request
// names: a token without a refresh token cannot be renewed where that is what
// the provider takes.
func Renewable(d provider.Definition, t Token, app App) bool {
	if d.Renew.Empty() {
		return false
	}
	values := renewValues(t, app)
	if needsSecret(d.Renew.Step) && app.ClientSecret.Empty() {
		return false
	}
	for _, template := range d.Renew.Params {
		if d.Renew.Public && template == "{client_secret}" {
			continue
		}
		if _, complete := provider.Fill(template, func(name string) string { return values[name].Reveal() }); !complete {
			return false
		}
	}
	return true
}

func renewValues(t Token, app App) map[string]secret.Text {
	return map[string]secret.Text{
		"client_id": secret.New(app.ClientID), "client_secret": app.ClientSecret,
		"access_token": t.Access, "refresh_token": t.Refresh,
	}
}

// Renew asks for a new token in exchange for t: Meta's refresh_access_token
// (Meta, "Refresh access tokens") or the refresh grant (RFC 6749 section 6), as
// the definition says. One request. What the answer leaves out is taken over
// from t: the refresh token too, and one that it brings replaces the old one
// (TOK-10). app may be empty where the definition names nothing of it.
//
// A token whose end is not stated has none here; see Token.ExpiresAt.
//
// Problems: renew.impossible, the dictionary's, renew.refresh_ended for an
// invalid_grant that it lacks (token.refused where no refresh token was sent), provider.unknown_answer, network.*, provider.*;
// network.cut when the request was written and no clear answer came, since a
// provider that changes its refresh tokens may have done so.
func (c *Client) Renew(ctx context.Context, d provider.Definition, t Token, app App) (Token, error) {
	if !Renewable(d, t, app) {
		return Token{}, problem.New(problem.RenewImpossible, "provider", d.Name)
	}
	ask := request{where: "renew", definition: d, step: d.Renew.Step, once: true, values: renewValues(t, app), proof: c.Secret}
	if ask.proof.Empty() {
		ask.proof = app.ClientSecret
	}
	got, err := c.sendProving(ctx, ask)
	if err != nil {
		return Token{}, err
	}
	renewed, lifetime, err := parseToken(got.top, d.Meta())
	if err != nil {
		return Token{}, ask.odd()
	}
	renewed.Long = true
	renewed.UserID = firstOf(renewed.UserID, t.UserID)
	renewed.Type = firstOf(renewed.Type, t.Type)
	if !renewed.ScopesKnown {
		// RFC 6749 section 6: left out means those of before.
		renewed.Scopes, renewed.ScopesKnown = slices.Clone(t.Scopes), t.ScopesKnown
	}
	if renewed.Refresh.Empty() {
		renewed.Refresh = t.Refresh
	}
	return c.dated(renewed, lifetime, got), nil
}

// Revoke asks the provider to end t (RFC 7009, or what the definition says).
// Where the definition sends one token by the name of RFC 7009, "token", each
// is sent in a request of its own, the refresh token first: it is the one that
// makes others, and a server that takes back no access tokens ends them with it
// (section 2.2.1, unsupported_token_type). Section 2.2 makes 200 the answer,
// with nothing in it, also for a token that had ended already.
//
// Problems: revoke.failed where the definition has no such request, the
// dictionary's, provider.unknown_answer, network.*, provider.*.
func (c *Client) Revoke(ctx context.Context, d provider.Definition, t Token, app App) error {
	if d.Revoke == nil || d.Revoke.Empty() {
		return problem.New(problem.RevokeFailed, "provider", d.Name, "reason", "no_address")
	}
	ask := request{
		where: "revoke", definition: d, step: d.Revoke.Step, values: renewValues(t, app), bodyless: true, proof: c.Secret,
	}
	if ask.proof.Empty() {
		ask.proof = app.ClientSecret
	}
	if len(ask.step.Params) == 0 {
		ask.bearer = true
	}
	template := ask.step.Params["token"]
	if d.Meta() || template != "{access_token}" && template != "{refresh_token}" {
		_, err := c.sendProving(ctx, ask)
		return err
	}
	var refreshEnded bool
	for _, name := range []string{"refresh_token", "access_token"} {
		if ask.values[name].Empty() {
			continue
		}
		one := ask
		one.step.Params = maps.Clone(ask.step.Params)
		one.step.Params["token"], one.step.Params["token_type_hint"] = "{"+name+"}", name
		got, err := c.send(ctx, one)
		if err != nil && !(refreshEnded && got.said.Code == "unsupported_token_type") {
			return err
		}
		refreshEnded = refreshEnded || name == "refresh_token"
	}
	return nil
}

// otherwiseFor tells a refused grant apart where the definition's dictionary lacks it.
func (r request) otherwiseFor(said provider.Refusal) problem.Key {
	if r.where == "renew" && !r.definition.Meta() && strings.EqualFold(said.Code, refusedGrant) {
		if r.definition.Refreshes() {
			return problem.RefreshEnded
		}
		return problem.TokenRefused
	}
	return r.otherwise
}

// done reports an answer that says yes by its status alone.
func (r request) done(resp *http.Response) bool {
	return r.bodyless && resp.StatusCode >= 200 && resp.StatusCode <= 299
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
