package oauth

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	canaryRefresh = "canary-refresh-0123456789"
	canaryNext    = "canary-next-refresh-0123456789"
)

// plain is a server that speaks RFC 6749 and knows nothing of Meta.
func (s *server) plain(secretToo bool) provider.Definition {
	d := provider.Definition{ID: "plain", Name: "Plain"}
	d.Exchange = provider.Step{Method: http.MethodPost, URL: s.URL + "/token", Encoding: "form", Answer: "rfc6749"}
	d.Renew.Step = d.Exchange
	d.Renew.Params = map[string]string{"grant_type": "refresh_token", "refresh_token": "{refresh_token}", "client_id": "{client_id}"}
	if secretToo {
		d.Renew.Params["client_secret"] = "{client_secret}"
	}
	return d
}

func long() Token {
	return Token{
		Access: secret.New(canaryLong), Refresh: secret.New(canaryRefresh), Type: "bearer", UserID: "17841400000000000",
		Scopes: []string{"a", "b"}, ScopesKnown: true, Long: true,
	}
}

// TOK-10: a new refresh token replaces the old, none keeps it.
func TestTOK10_TheRefreshToken(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"new":  {`{"access_token":"n","token_type":"Bearer","expires_in":60,"refresh_token":"` + canaryNext + `"}`, canaryNext},
		"none": {`{"access_token":"n","token_type":"Bearer","expires_in":60}`, canaryRefresh},
		"null": {`{"access_token":"n","token_type":"Bearer","expires_in":60,"refresh_token":null}`, canaryRefresh},
		"same": {`{"access_token":"n","token_type":"Bearer","expires_in":60,"refresh_token":"` + canaryRefresh + `"}`, canaryRefresh},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, body(200, c.answer))
			d := s.plain(false)
			client := client(t, d)
			before := time.Now()
			got, err := client.Renew(t.Context(), d, long(), App{ClientID: "app"})
			if err != nil {
				t.Fatal(err)
			}
			if got.Refresh.Reveal() != c.want || got.Access.Reveal() != "n" || !slices.Equal(got.Scopes, []string{"a", "b"}) || !got.Long || got.UserID != long().UserID {
				t.Errorf("refresh %v, access %v, %+v", got.Refresh.Reveal() == c.want, got.Access.Reveal(), got.Scopes)
			}
			if end := got.ExpiresAt.Sub(before); end < time.Minute-time.Second || end > time.Minute+20*time.Second {
				t.Errorf("ends after %s", end)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// golang.org/x/oauth2 asks in the same words.
func TestRenewIsTheRefreshGrant(t *testing.T) {
	s := serve(t, body(200, `{"access_token":"n","token_type":"Bearer","expires_in":60}`))
	d := s.plain(true)
	if _, err := client(t, d).Renew(t.Context(), d, long(), App{ClientID: "app", ClientSecret: secret.New(clientSecret)}); err != nil {
		t.Fatal(err)
	}
	other := oauth2.Config{ClientID: "app", ClientSecret: clientSecret, Endpoint: oauth2.Endpoint{TokenURL: s.URL + "/token", AuthStyle: oauth2.AuthStyleInParams}}
	theirs := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := other.TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, theirs), &oauth2.Token{RefreshToken: canaryRefresh}).Token(); err != nil {
		t.Fatal(err)
	}
	heard := s.requests()
	if len(heard) != 2 || heard[0].method != heard[1].method || heard[0].kind != heard[1].kind || heard[0].values.Encode() != heard[1].values.Encode() {
		t.Errorf("ours and theirs differ: %d requests", len(heard))
	}
}

func TestRenewAtMeta(t *testing.T) {
	s := serve(t, body(200, `{"access_token":"`+canaryLong+`","token_type":"bearer","expires_in":5183944}`))
	d := s.practice(t)
	got, err := client(t, d).Renew(t.Context(), d, Token{Access: secret.New(canaryShort)}, App{})
	if err != nil || got.Access.Reveal() != canaryLong || got.ExpiresAt.Sub(got.SentAt) != 5183944*time.Second {
		t.Fatalf("%v", err)
	}
	h := s.requests()[0]
	if h.method != http.MethodGet || h.path != "/graph.instagram.com/refresh_access_token" || h.header.Get("Authorization") != "" ||
		h.values.Encode() != "access_token="+canaryShort+"&grant_type=ig_refresh_token" {
		t.Errorf("%s %s", h.method, h.path)
	}
}

func TestWhatARefusedRenewalMeans(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		meta   bool
		want   problem.Key
	}{
		"invalid_grant":       {400, `{"error":"invalid_grant"}`, false, problem.RefreshEnded},
		"its case":            {400, `{"error":"Invalid_Grant","error_description":"gone"}`, false, problem.RefreshEnded},
		"invalid_client":      {401, `{"error":"invalid_client"}`, false, problem.UnknownAnswer},
		"invalid_request":     {400, `{"error":"invalid_request"}`, false, problem.UnknownAnswer},
		"the word elsewhere":  {400, `{"error":"invalid_request","error_description":"invalid_grant"}`, false, problem.UnknownAnswer},
		"trouble":             {503, `{"error":"temporarily_unavailable"}`, false, problem.ProviderDown},
		"Meta, age":           {400, `{"error":{"message":"x","code":190,"error_subcode":463}}`, true, problem.TokenEnded},
		"Meta, bare":          {400, `{"error":{"message":"x","code":190}}`, true, problem.TokenRefused},
		"Meta does not speak": {400, `{"error":"invalid_grant"}`, true, problem.UnknownAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, body(c.status, c.answer))
			d := s.plain(false)
			if c.meta {
				d = s.practice(t)
			}
			_, err := client(t, d).Renew(t.Context(), d, long(), App{ClientID: "app"})
			if !problem.Has(err, c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			tells(t, err)
		})
	}
}

func TestRenewNeedsWhatTheDefinitionNames(t *testing.T) {
	s := serve(t, body(200, `{"access_token":"n"}`))
	without := long()
	without.Refresh = secret.Text{}
	var none provider.Definition
	for name, c := range map[string]struct {
		d   provider.Definition
		t   Token
		app App
	}{
		"no refresh token": {s.plain(false), without, App{ClientID: "app"}},
		"no secret":        {s.plain(true), long(), App{ClientID: "app"}},
		"no step":          {none, long(), App{ClientID: "app"}},
	} {
		if _, err := client(t, c.d).Renew(t.Context(), c.d, c.t, c.app); !problem.Has(err, problem.RenewImpossible) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// RFC 7009 section 2.2: 200 is the answer, whatever comes with it.
func TestTOK14_Revoke(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		asked  string
		want   problem.Key
	}{
		"empty":   {200, "", "refresh access", ""},
		"words":   {200, "OK", "refresh access", ""},
		"true":    {200, "true", "refresh access", ""},
		"success": {200, `{"success":true}`, "refresh access", ""},
		"refused": {400, `{"error":"unsupported_token_type"}`, "refresh", problem.UnknownAnswer},
		"a no":    {200, `{"error":{"message":"no","code":1}}`, "refresh", problem.UnknownAnswer},
		"trouble": {500, "", "refresh", problem.ProviderDown},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, body(c.status, c.answer))
			d := s.plain(false)
			d.Revoke = &provider.Revocation{Step: provider.Step{Method: http.MethodPost, URL: s.URL + "/revoke", Encoding: "form", Params: map[string]string{"token": "{access_token}"}}}
			err := client(t, d).Revoke(t.Context(), d, long(), App{ClientID: "app"})
			if c.want == "" && err != nil || c.want != "" && !problem.Has(err, c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if asked := revoked(s); asked != c.asked {
				t.Errorf("asked for %q", asked)
			}
			if err != nil {
				tells(t, err)
			}
		})
	}
	s := serve(t, body(200, ""))
	d := s.plain(false)
	if err := client(t, d).Revoke(t.Context(), d, long(), App{}); !problem.Has(err, problem.RevokeFailed) || len(s.requests()) != 0 {
		t.Errorf("%v", err)
	}
	// A server that takes back no access tokens ends them with the refresh token.
	for name, c := range map[string]struct {
		answer string
		want   problem.Key
	}{"the kind is unknown": {`{"error":"unsupported_token_type"}`, ""}, "the client is": {`{"error":"invalid_client"}`, problem.UnknownAnswer}} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("token_type_hint") == "refresh_token" {
				body(200, "")(w, r)
				return
			}
			body(400, c.answer)(w, r)
		})
		d := s.plain(false)
		d.Revoke = &provider.Revocation{Step: provider.Step{Method: http.MethodPost, URL: s.URL + "/revoke", Encoding: "form", Params: map[string]string{"token": "{access_token}"}}}
		if err := client(t, d).Revoke(t.Context(), d, long(), App{ClientID: "app"}); c.want == "" && err != nil || c.want != "" && !problem.Has(err, c.want) || revoked(s) != "refresh access" {
			t.Errorf("%s: %v after %q", name, err, revoked(s))
		}
	}
	s = serve(t, body(200, ""))
	d = s.plain(false)
	d.Revoke = &provider.Revocation{Step: provider.Step{Method: http.MethodPost, URL: s.URL + "/revoke", Encoding: "form", Params: map[string]string{"token": "{access_token}"}}}
	alone := long()
	alone.Refresh = secret.Text{}
	if err := client(t, d).Revoke(t.Context(), d, alone, App{ClientID: "app"}); err != nil || revoked(s) != "access" {
		t.Errorf("%v after %q", err, revoked(s))
	}
}

// revoked names what a server was asked to take back, in order.
func revoked(s *server) string {
	var kinds []string
	for _, h := range s.requests() {
		switch h.values.Get("token") + " " + h.values.Get("token_type_hint") {
		case canaryRefresh + " refresh_token":
			kinds = append(kinds, "refresh")
		case canaryLong + " access_token":
			kinds = append(kinds, "access")
		default:
			kinds = append(kinds, h.values.Encode())
		}
	}
	return strings.Join(kinds, " ")
}
