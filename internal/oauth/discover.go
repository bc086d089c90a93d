package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// NewDiscoveryHTTP makes a client that may ask the issuer's own host and no
// other, with the limits of NewHTTP. Nothing secret goes through it. For an
// address that cannot be an issuer it refuses every request.
func NewDiscoveryHTTP(issuer string) *http.Client {
	u, err := issuerAddress(issuer)
	if err != nil {
		return NewHTTP(nil)
	}
	return NewHTTP([]string{provider.HostPort(u)})
}

// issuerAddress reads an issuer (RFC 8414 section 2): https, and on this
// computer also http, without query and fragment.
func issuerAddress(issuer string) (*url.URL, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(issuer, "?#{}\\") ||
		!visible(issuer, 2000) || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return nil, errOdd
	}
	return u, nil
}

// documents lists where an issuer may describe itself: RFC 8414 section 3.1,
// which puts the well-known part between host and path, and OpenID Connect
// Discovery section 4, which appends it.
func documents(issuer *url.URL) []string {
	origin, path := issuer.Scheme+"://"+issuer.Host, strings.TrimSuffix(issuer.EscapedPath(), "/")
	return []string{
		origin + "/.well-known/oauth-authorization-server" + path,
		origin + path + "/.well-known/openid-configuration",
	}
}

// Discover asks an issuer for its addresses: RFC 8414, then OpenID Connect
// Discovery 1.0. The document must name exactly this issuer (RFC 8414 section
// 3.3), or it could have been put there for another. Its addresses are https;
// http and this computer are taken from an issuer on this computer only, so
// that no stranger's document aims requests at it. Hosts of their own are
// allowed, and are a question before a secret is typed in (security.md ATT-8).
// client comes from NewDiscoveryHTTP.
//
// PKCE is used unless the document lists methods without S256: a server that
// does not know it passes over it (RFC 6749 section 3.1). Of the ways to send
// the secret the header is taken where it is listed or nothing is (RFC 8414
// section 2, token_endpoint_auth_methods_supported). ID is left to
// provider.Compose; Name is the host.
//
// Problems: field.empty (field issuer); discovery.failed (args issuer, host,
// what: address, document, or the member that is missing or not usable; what
// is no address is not repeated, there may be a password in it);
// discovery.issuer (args issuer, found); discovery.none (args issuer, host);
// network.*, provider.down, provider.busy, sign_in.cancelled.
func Discover(ctx context.Context, client *http.Client, issuer string) (provider.Server, error) {
	issuer = clean(issuer)
	if issuer == "" {
		return provider.Server{}, problem.New(problem.FieldEmpty, "field", "issuer")
	}
	shown := problem.Outside(issuer, 200)
	at, err := issuerAddress(issuer)
	if err != nil {
		return provider.Server{}, problem.New(problem.DiscoveryFailed, "host", "", "what", "address")
	}
	var telling error
	for _, address := range documents(at) {
		top, err := fetchDocument(ctx, client, at, address)
		if err == nil && top == nil {
			continue
		}
		var server provider.Server
		if err == nil {
			server, err = readDocument(top, issuer, at)
		}
		if err == nil {
			return server, nil
		}
		if ctx.Err() != nil {
			return provider.Server{}, err
		}
		// A server may describe itself at one of the places and have something
		// else at the other; the first failure that says something is told.
		if telling == nil {
			telling = err
		}
	}
	if telling != nil {
		return provider.Server{}, telling
	}
	return provider.Server{}, problem.New(problem.DiscoveryNone, "issuer", shown, "host", at.Host)
}

// fetchDocument gives nil without an error where there is none.
func fetchDocument(ctx context.Context, client *http.Client, issuer *url.URL, address string) (object, error) {
	ask := request{
		where:      "discovery",
		definition: provider.Definition{Name: issuer.Host},
		step:       provider.Step{Method: http.MethodGet, URL: address, Encoding: "query"},
	}
	c := &Client{HTTP: client}
	req, err := ask.build(ctx)
	if err != nil || client == nil {
		return nil, problem.New(problem.Unexpected, "where", "oauth.discovery").Because(err)
	}
	known := &secret.Known{}
	resp, err := client.Do(req)
	if err != nil {
		return nil, c.failure(ctx, ask, known, err, false)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, ask.problem(problem.NetworkRedirected, "to", target(resp, ask.host()))
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500, resp.StatusCode == http.StatusNetworkAuthenticationRequired:
		return nil, c.unclear(ask, resp, nil)
	case resp.StatusCode != http.StatusOK:
		return nil, nil
	}
	body, err := readBody(resp.Body)
	if err != nil && !errors.Is(err, errOdd) {
		return nil, c.failure(ctx, ask, known, err, true)
	}
	top, failure := parseObject(body)
	if err != nil || failure != nil {
		if strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "html") {
			// A page of the site, as many answer for every address.
			return nil, nil
		}
		return nil, problem.New(problem.DiscoveryFailed, "issuer", problem.Outside(issuer.String(), 200), "host", issuer.Host, "what", "document")
	}
	return top, nil
}

// readDocument takes what it needs out of the metadata of RFC 8414 section 2.
func readDocument(top object, issuer string, at *url.URL) (provider.Server, error) {
	shown := problem.Outside(issuer, 200)
	unusable := func(what string) (provider.Server, error) {
		return provider.Server{}, problem.New(problem.DiscoveryFailed, "issuer", shown, "host", at.Host, "what", what)
	}
	var found string
	if json.Unmarshal(top["issuer"], &found) != nil || found == "" {
		return unusable("issuer")
	}
	if found != issuer {
		return provider.Server{}, problem.New(problem.DiscoveryIssuer, "issuer", shown, "host", at.Host, "found", problem.Outside(found, 200))
	}
	s := provider.Server{Name: at.Host, Issuer: issuer, PKCE: true}
	for _, endpoint := range []struct {
		member string
		into   *string
		needed bool
	}{
		{"authorization_endpoint", &s.AuthorizeURL, true}, {"token_endpoint", &s.TokenURL, true},
		{"userinfo_endpoint", &s.IdentityURL, false}, {"revocation_endpoint", &s.RevokeURL, false},
	} {
		raw, ok := member(top, endpoint.member)
		if !ok && !endpoint.needed {
			continue
		}
		var address string
		if !ok || json.Unmarshal(raw, &address) != nil || !usableEndpoint(address, isLoopback(at.Hostname())) {
			return unusable(endpoint.member)
		}
		*endpoint.into = address
	}
	lists := map[string][]string{}
	for _, name := range []string{"response_types_supported", "scopes_supported", "code_challenge_methods_supported", "token_endpoint_auth_methods_supported"} {
		raw, ok := member(top, name)
		if !ok {
			continue
		}
		list := []string{}
		if json.Unmarshal(raw, &list) != nil {
			return unusable(name)
		}
		lists[name] = list
	}
	if list := lists["response_types_supported"]; list != nil && !slices.Contains(list, "code") {
		return unusable("response_types_supported")
	}
	if list := lists["code_challenge_methods_supported"]; list != nil {
		s.PKCE = slices.Contains(list, "S256")
	}
	for _, scope := range lists["scopes_supported"] {
		if len(s.Scopes) < maxScopes && scopeToken(scope) && !slices.Contains(s.Scopes, scope) {
			s.Scopes = append(s.Scopes, scope)
		}
	}
	switch methods := lists["token_endpoint_auth_methods_supported"]; {
	case methods == nil, slices.Contains(methods, "client_secret_basic"):
		s.Auth = "basic"
	case slices.Contains(methods, "client_secret_post"):
		s.Auth = "post"
	case slices.Contains(methods, "none"):
		s.Auth = "none"
	}
	if raw, ok := member(top, "authorization_response_iss_parameter_supported"); ok {
		s.IssParam = string(raw) == "true"
	}
	return s, nil
}

// usableEndpoint is https without fragment (RFC 6749 sections 3.1 and 3.2); from
// an issuer on this computer http on this computer as well.
func usableEndpoint(address string, here bool) bool {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.User != nil || strings.ContainsAny(address, "#{}\\") ||
		strings.Contains(u.Path, "..") || !visible(address, 2000) {
		return false
	}
	if isLoopback(u.Hostname()) {
		return here && (u.Scheme == "https" || u.Scheme == "http")
	}
	return u.Scheme == "https"
}

// scopeToken is RFC 6749 section 3.3's, without the comma, which other
// providers put between two of them.
func scopeToken(s string) bool { return visible(s, 128) && !strings.ContainsAny(s, `"\,`) }
