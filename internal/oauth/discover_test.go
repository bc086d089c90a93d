package oauth

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// describing answers under the given paths and with 404 elsewhere; SELF in a
// document is the server's own address.
func describing(t *testing.T, documents map[string]string) *server {
	t.Helper()
	var s *server
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		document, ok := documents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		body(200, strings.ReplaceAll(document, "SELF", s.URL))(w, r)
	})
	return s
}

func metadata(issuer string, more map[string]any) string {
	all := map[string]any{
		"issuer": issuer, "authorization_endpoint": "SELF/authorize", "token_endpoint": "SELF/token",
		"response_types_supported": []string{"code"},
	}
	maps.Copy(all, more)
	for name, value := range all {
		if value == nil {
			delete(all, name)
		}
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// RFC 8414 section 3.1 and OpenID Connect Discovery section 4.1: where each
// looks, for an issuer with and without a path.
func TestDiscoverLooksInBothPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		path, at string
		asked    []string
	}{
		"RFC 8414":               {"", "/.well-known/oauth-authorization-server", []string{"/.well-known/oauth-authorization-server"}},
		"OpenID":                 {"", "/.well-known/openid-configuration", []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}},
		"RFC 8414, path":         {"/tenant/one", "/.well-known/oauth-authorization-server/tenant/one", []string{"/.well-known/oauth-authorization-server/tenant/one"}},
		"OpenID, path":           {"/tenant", "/tenant/.well-known/openid-configuration", []string{"/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration"}},
		"OpenID, slash at end":   {"/tenant/", "/tenant/.well-known/openid-configuration", []string{"/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration"}},
		"RFC 8414, only a slash": {"/", "/.well-known/oauth-authorization-server", []string{"/.well-known/oauth-authorization-server"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := describing(t, map[string]string{c.at: metadata("SELF"+c.path, nil)})
			issuer := s.URL + c.path
			hc := NewDiscoveryHTTP(issuer)
			defer hc.CloseIdleConnections()
			got, err := Discover(t.Context(), hc, " "+issuer+"\n")
			if err != nil || got.Issuer != issuer || got.TokenURL != s.URL+"/token" || got.AuthorizeURL != s.URL+"/authorize" {
				t.Errorf("%+v, %v", got, err)
			}
			var asked []string
			for _, h := range s.requests() {
				asked = append(asked, h.path)
				if h.method != http.MethodGet || h.header.Get("Referer") != "" || h.header.Get("Cookie") != "" {
					t.Errorf("%+v", h)
				}
			}
			if !slices.Equal(asked, c.asked) {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

func TestDiscoverReadsWhatTheServerSays(t *testing.T) {
	all := map[string]any{
		"userinfo_endpoint": "SELF/me", "revocation_endpoint": "SELF/revoke", "scopes_supported": []string{"openid", "a b", "profile", "openid", ""},
		"code_challenge_methods_supported": []string{"plain", "S256"}, "authorization_response_iss_parameter_supported": true,
		"token_endpoint_auth_methods_supported": []string{"private_key_jwt", "client_secret_post"}, "something_new": map[string]any{"x": 1},
	}
	change := func(name string, value any) map[string]any {
		m := maps.Clone(all)
		m[name] = value
		return m
	}
	for name, c := range map[string]struct {
		with map[string]any
		ok   func(provider.Server) bool
	}{
		"everything": {all, func(s provider.Server) bool {
			return strings.HasSuffix(s.IdentityURL, "/me") && strings.HasSuffix(s.RevokeURL, "/revoke") && slices.Equal(s.Scopes, []string{"openid", "profile"}) &&
				s.PKCE && s.IssParam && s.Auth == "post" && s.ID == "" && s.UserID == ""
		}},
		"nothing": {nil, func(s provider.Server) bool {
			return s.PKCE && !s.IssParam && s.Auth == "basic" && s.IdentityURL == "" && s.RevokeURL == ""
		}},
		"plain alone":         {change("code_challenge_methods_supported", []string{"plain"}), func(s provider.Server) bool { return !s.PKCE }},
		"both ways":           {change("token_endpoint_auth_methods_supported", []string{"client_secret_post", "client_secret_basic"}), func(s provider.Server) bool { return s.Auth == "basic" }},
		"never a secret":      {change("token_endpoint_auth_methods_supported", []string{"none"}), func(s provider.Server) bool { return s.Auth == "none" }},
		"null counts as none": {change("token_endpoint_auth_methods_supported", json.RawMessage("null")), func(s provider.Server) bool { return s.Auth == "basic" }},
		"iss is not promised": {change("authorization_response_iss_parameter_supported", "true"), func(s provider.Server) bool { return !s.IssParam }},
	} {
		s := describing(t, map[string]string{"/.well-known/oauth-authorization-server": metadata("SELF", c.with)})
		hc := NewDiscoveryHTTP(s.URL)
		got, err := Discover(t.Context(), hc, s.URL)
		hc.CloseIdleConnections()
		if err != nil || !c.ok(got) {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		if _, d, err := provider.Compose(got); err != nil || d.Exchange.URL != got.TokenURL {
			t.Errorf("%s: it cannot become a definition: %v", name, err)
		}
	}
}

// RFC 8414 section 3.3: a document for another issuer is not used, be the
// difference as small as it may.
func TestATT6_DiscoverTakesTheVeryIssuerOnly(t *testing.T) {
	for _, other := range []string{"SELF/", "https://evil.example", "SELF#", "selfish", "SELF/tenant"} {
		s := describing(t, map[string]string{"/.well-known/openid-configuration": metadata(other, nil)})
		hc := NewDiscoveryHTTP(s.URL)
		_, err := Discover(t.Context(), hc, s.URL)
		hc.CloseIdleConnections()
		if p := problem.Of(err); !problem.Has(err, problem.DiscoveryIssuer) || p.Args["found"] == "" || p.Args["issuer"] != s.URL {
			t.Errorf("%s: %v", other, err)
		}
	}
	// The other place may still have the right one.
	s := describing(t, map[string]string{
		"/.well-known/oauth-authorization-server": metadata("https://other.example", nil),
		"/.well-known/openid-configuration":       metadata("SELF", nil),
	})
	hc := NewDiscoveryHTTP(s.URL)
	defer hc.CloseIdleConnections()
	if _, err := Discover(t.Context(), hc, s.URL); err != nil {
		t.Error(err)
	}
}

func TestDiscoverRefusesWhatItCannotUse(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   problem.Key
		what   string
	}{
		"no token endpoint":   {body(200, metadata("SELF", map[string]any{"token_endpoint": nil})), problem.DiscoveryFailed, "token_endpoint"},
		"no authorize":        {body(200, metadata("SELF", map[string]any{"authorization_endpoint": nil})), problem.DiscoveryFailed, "authorization_endpoint"},
		"plain http outside":  {body(200, metadata("SELF", map[string]any{"token_endpoint": "http://login.example/token"})), problem.DiscoveryFailed, "token_endpoint"},
		"a fragment":          {body(200, metadata("SELF", map[string]any{"token_endpoint": "https://login.example/token#x"})), problem.DiscoveryFailed, "token_endpoint"},
		"userinfo in address": {body(200, metadata("SELF", map[string]any{"userinfo_endpoint": "https://a:b@login.example/me"})), problem.DiscoveryFailed, "userinfo_endpoint"},
		"a number":            {body(200, metadata("SELF", map[string]any{"revocation_endpoint": 7})), problem.DiscoveryFailed, "revocation_endpoint"},
		"no code":             {body(200, metadata("SELF", map[string]any{"response_types_supported": []string{"token"}})), problem.DiscoveryFailed, "response_types_supported"},
		"not a list":          {body(200, metadata("SELF", map[string]any{"scopes_supported": "openid"})), problem.DiscoveryFailed, "scopes_supported"},
		"no issuer":           {body(200, metadata("SELF", map[string]any{"issuer": nil})), problem.DiscoveryFailed, "issuer"},
		"not JSON":            {body(200, "hello"), problem.DiscoveryFailed, "document"},
		"an array":            {body(200, "[]"), problem.DiscoveryFailed, "document"},
		"a key twice":         {body(200, `{"issuer":"SELF","issuer":"SELF"}`), problem.DiscoveryFailed, "document"},
		"too long":            {body(200, metadata("SELF", map[string]any{"x": strings.Repeat("y", maxBody)})), problem.DiscoveryFailed, "document"},
		"not there":           {http.NotFound, problem.DiscoveryNone, ""},
		"a 403":               {body(403, `{"error":"no"}`), problem.DiscoveryNone, ""},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<p>Welcome"))
		}, problem.DiscoveryNone, ""},
		"trouble": {body(502, ""), problem.ProviderDown, ""},
		"busy":    {body(429, ""), problem.ProviderBusy, ""},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.org/x", http.StatusMovedPermanently)
		}, problem.NetworkRedirected, ""},
	} {
		var s *server
		s = serve(t, func(w http.ResponseWriter, r *http.Request) {
			recorded := &replaced{ResponseWriter: w, self: s.URL}
			c.answer(recorded, r)
		})
		hc := NewDiscoveryHTTP(s.URL)
		got, err := Discover(t.Context(), hc, s.URL)
		hc.CloseIdleConnections()
		p := problem.Of(err)
		if !problem.Has(err, c.want) || c.what != "" && p.Args["what"] != c.what || got.TokenURL != "" {
			t.Errorf("%s: %v, want %s %s", name, err, c.want, c.what)
		}
		if n := len(s.requests()); n != 2 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}

type replaced struct {
	http.ResponseWriter
	self string
}

func (r *replaced) Write(b []byte) (int, error) {
	_, err := r.ResponseWriter.Write([]byte(strings.ReplaceAll(string(b), "SELF", r.self)))
	return len(b), err
}

func TestDiscoverAsksNobodyForAnAddressThatIsNone(t *testing.T) {
	for issuer, want := range map[string]problem.Key{
		"": problem.FieldEmpty, " ": problem.FieldEmpty, "login.example": problem.DiscoveryFailed, "http://login.example": problem.DiscoveryFailed,
		"https://login.example?x=1": problem.DiscoveryFailed, "https://login.example#x": problem.DiscoveryFailed, "https://a:b@login.example": problem.DiscoveryFailed,
		"ftp://login.example": problem.DiscoveryFailed, "https://": problem.DiscoveryFailed, "file:///etc/passwd": problem.DiscoveryFailed,
	} {
		_, err := Discover(t.Context(), NewDiscoveryHTTP(issuer), issuer)
		if p := problem.Of(err); !problem.Has(err, want) || want == problem.DiscoveryFailed && p.Args["what"] != "address" {
			t.Errorf("%q: %v", issuer, err)
		}
		if err != nil && strings.Contains(err.Error(), "a:b@") {
			t.Errorf("%q: the error tells a password", issuer)
		}
	}
	// The client itself asks no other host.
	s := serve(t, body(200, "{}"))
	other := NewDiscoveryHTTP("https://login.example")
	if _, err := other.Get(s.URL); err == nil || len(s.requests()) != 0 {
		t.Errorf("another host was asked: %v", err)
	}
}

// A stranger's document must not aim our requests at this computer.
func TestTOK15_AForeignDocumentDoesNotPointHere(t *testing.T) {
	at, _ := url.Parse("https://login.example")
	for address, usable := range map[string]bool{
		"https://login.example/token": true, "https://other.example/token": true, "https://login.example/token?a=b": true,
		"http://127.0.0.1:8080/token": false, "https://127.0.0.1/token": false, "https://localhost/token": false, "https://[::1]/token": false,
		"http://login.example/token": false, "//login.example/token": false, "/token": false, "https://login.example/../token": false,
	} {
		top := object{}
		document := metadata("https://login.example", map[string]any{"authorization_endpoint": "https://login.example/a", "token_endpoint": address})
		if err := json.Unmarshal([]byte(document), &top); err != nil {
			t.Fatal(err)
		}
		got, err := readDocument(top, "https://login.example", at)
		if usable != (err == nil) || usable && got.TokenURL != address {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
}

func FuzzDiscoveryDocument(f *testing.F) {
	f.Add(strings.ReplaceAll(metadata("SELF", nil), "SELF", "https://login.example"))
	f.Add(`{"issuer":"https://login.example","authorization_endpoint":"https://x/","token_endpoint":"http://127.0.0.1/","scopes_supported":["a"]}`)
	at, _ := url.Parse("https://login.example")
	f.Fuzz(func(t *testing.T, text string) {
		top, err := parseObject([]byte(text))
		if err != nil {
			return
		}
		s, err := readDocument(top, "https://login.example", at)
		if err != nil {
			return
		}
		for _, address := range []string{s.AuthorizeURL, s.TokenURL, s.IdentityURL, s.RevokeURL} {
			if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "https" || isLoopback(u.Hostname()) || u.User != nil) {
				t.Errorf("took %q", address)
			}
		}
		if len(s.Scopes) > maxScopes || s.Issuer != "https://login.example" {
			t.Errorf("%+v", s)
		}
	})
}
