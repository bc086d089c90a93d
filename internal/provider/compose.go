package provider

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Server is an authorization server that a person described by hand, or that
// described itself (RFC 8414, OpenID Connect Discovery).
type Server struct {
	// ID is the short name, [a-z0-9-]; empty: made from the host.
	ID string
	// Name is what people call it; empty: the host.
	Name string
	// Issuer is the server's own name for itself, an https address.
	Issuer string
	// AuthorizeURL and TokenURL are needed; the others may be empty.
	AuthorizeURL, TokenURL, IdentityURL, RevokeURL string
	Scopes                                         []string
	// PKCE sends an S256 challenge (RFC 7636).
	PKCE bool
	// IssParam says that the server promises "iss" in its answers (RFC 9207).
	IssParam bool
	// Auth is how the client proves itself: "" or "post" in the parameters,
	// "basic" in the header, "none" for a client that never has a secret. With
	// the first two a client without a secret is fine as well.
	Auth string
	// UserID and Username are members of the identity answer; empty: sub and
	// preferred_username (OpenID Connect Core 5.1).
	UserID, Username string
}

// deviceName is what Windows takes for a device whatever the ending is.
var deviceName = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// Compose writes a person's own definition as a file and reads it back by the
// strict rules. Problems: field.empty (field authorize_url, token_url),
// definition.exists (args id, name) for the id of a shipped definition, and
// definition.invalid (args what, reason, value).
func Compose(s Server) (source []byte, d Definition, err error) {
	for _, row := range [][2]string{{"authorize_url", s.AuthorizeURL}, {"token_url", s.TokenURL}} {
		if strings.TrimSpace(row[1]) == "" {
			return nil, Definition{}, problem.New(problem.FieldEmpty, "field", row[0])
		}
	}
	if s.ID == "" {
		s.ID = idFrom(s.Issuer, s.AuthorizeURL)
	}
	if s.Name == "" {
		s.Name = s.ID
		if u, err := url.Parse(s.AuthorizeURL); err == nil && u.Host != "" {
			s.Name = problem.Outside(u.Host, 50)
		}
	}
	bad := func(path, reason, value string) error {
		return invalid("", 0, &flaw{path: path, reason: reason, value: value})
	}
	if !idForm.MatchString(s.ID) || deviceName.MatchString(s.ID) {
		return nil, Definition{}, bad("id", reasonValue, s.ID)
	}
	base, _ := shipped()
	if known, ok := base[s.ID]; ok {
		return nil, Definition{}, problem.New(problem.DefinitionExists, "id", s.ID, "name", known.Name)
	}
	if !slices.Contains([]string{"", "post", "basic", "none"}, s.Auth) {
		return nil, Definition{}, bad("exchange.auth", reasonValue, s.Auth)
	}
	source = s.source()
	d, err = decode(s.ID+".toml", source, map[string]Definition{})
	if err != nil {
		// The lines are those of a file that nobody has seen yet.
		var f *flaw
		if !errors.As(err, &f) {
			f = &flaw{reason: reasonSyntax}
		}
		return nil, Definition{}, invalid("", 0, f)
	}
	return source, d, nil
}

// idFrom makes a short name of a host.
func idFrom(addresses ...string) string {
	for _, text := range addresses {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			continue
		}
		var b strings.Builder
		for _, r := range strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				b.WriteRune(r)
			} else {
				b.WriteByte('-')
			}
		}
		id := strings.Trim(b.String(), "-")
		id = strings.Trim(id[:min(len(id), 48)], "-")
		if id != "" {
			return id
		}
	}
	return "own-server"
}

// source is the file. Every value is quoted; the strict reader judges it.
func (s Server) source() []byte {
	var b strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&b, format+"\n", values...) }
	pair := func(name, value string) { line("%s = %s", name, quote(value)) }
	line("# An authorization server of your own. Its addresses decide where the client")
	line("# secret is sent; if they lie under more than one domain, we ask first.")
	line("schema = 1")
	pair("id", s.ID)
	pair("name", s.Name)
	line("\n[authorize]")
	pair("url", s.AuthorizeURL)
	pair("scope_separator", " ")
	line("pkce = %t", s.PKCE)
	if s.Issuer != "" {
		pair("issuer", s.Issuer)
		if !s.IssParam {
			// RFC 9207: only a server that promises "iss" is held to sending it.
			line("iss_optional = true")
		}
	}
	line("\n[redirect]")
	line(`schemes = ["http", "https"]`)
	line(`loopback_hosts = ["127.0.0.1", "localhost"]`)
	// RFC 8252 7.3, 8.3: the number and not the name.
	pair("default", "http://127.0.0.1:8919/")
	line(`receive = ["listen", "paste", "window"]`)
	for _, name := range s.Scopes {
		line("\n[[scope]]")
		pair("name", name)
	}
	step := func(name, address, answer string, params ...string) {
		line("\n[%s]", name)
		pair("method", "POST")
		pair("url", address)
		pair("encoding", "form")
		if answer != "" {
			pair("answer", answer)
		}
		switch s.Auth {
		case "none":
			line("secret = false")
			params = append(params, "client_id")
		case "basic":
			line("secret = true\nsecret_optional = true")
			pair("auth", "basic")
		default:
			line("secret = true\nsecret_optional = true")
			params = append(params, "client_id", "client_secret")
		}
		line("\n[%s.params]", name)
		for _, param := range params {
			key, value, found := strings.Cut(param, "=")
			if !found {
				value = "{" + key + "}"
			}
			pair(key, value)
		}
	}
	exchange := []string{"grant_type=authorization_code", "code", "redirect_uri"}
	if s.PKCE {
		exchange = append(exchange, "code_verifier")
	}
	step("exchange", s.TokenURL, "rfc6749", exchange...)
	step("renew", s.TokenURL, "rfc6749", "grant_type=refresh_token", "refresh_token")
	if s.RevokeURL != "" {
		step("revoke", s.RevokeURL, "", "token={access_token}")
	}
	if s.IdentityURL != "" {
		userID, username := s.UserID, s.Username
		if userID == "" {
			userID = "sub"
		}
		if username == "" {
			username = "preferred_username"
		}
		line("\n[identity]")
		pair("url", s.IdentityURL)
		line("\n[identity.fields]")
		pair("user_id", userID)
		pair("username", username)
		pair("name", "name")
	}
	line("")
	for _, row := range commonErrors {
		line("[[error]]")
		if strings.HasPrefix(row[0], "/") {
			pair("match", row[0])
		} else {
			pair("code", row[0])
		}
		pair("where", row[1])
		pair("key", row[2])
		line("")
	}
	return []byte(b.String())
}

// quote writes a basic string of TOML. Control characters are refused by the
// reader's rules; here they only have to stay inside.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
