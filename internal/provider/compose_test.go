package provider

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func server() Server {
	return Server{Name: "Own “server” \\ ü", Issuer: "https://login.own.example", AuthorizeURL: "https://login.own.example/authorize?tenant=1",
		TokenURL: "https://login.own.example/token", IdentityURL: "https://login.own.example/me", RevokeURL: "https://login.own.example/revoke",
		Scopes: []string{"openid", "offline_access", "https://own.example/read"}, PKCE: true, IssParam: true}
}

func TestComposeRoundTrips(t *testing.T) {
	for _, auth := range []string{"", "post", "basic", "none"} {
		s := server()
		s.Auth = auth
		source, d, err := Compose(s)
		if err != nil {
			t.Fatalf("%q: %v", auth, err)
		}
		if d.ID != "login-own-example" || d.Name != s.Name || d.Shipped() || d.Usable() != nil || !d.Refreshes() || d.Meta() {
			t.Errorf("%q: %+v", auth, d)
		}
		if d.Authorize.URL != s.AuthorizeURL || !d.Authorize.PKCE || d.Authorize.Issuer != s.Issuer || d.Exchange.URL != s.TokenURL || d.Renew.URL != s.TokenURL ||
			d.Identity.URL != s.IdentityURL || d.Identity.Fields["user_id"] != "sub" || d.Identity.Fields["username"] != "preferred_username" || d.Revoke.URL != s.RevokeURL ||
			d.Exchange.Params["code_verifier"] != "{code_verifier}" {
			t.Errorf("%q: %+v", auth, d)
		}
		names, _ := offered(d)
		if !slices.Equal(names, s.Scopes) {
			t.Errorf("%q: %v", auth, names)
		}
		for _, step := range []Step{d.Exchange, d.Renew.Step, d.Revoke.Step} {
			_, inParams := step.Params["client_secret"]
			if step.Secret != (auth != "none") || step.Public != (auth != "none") || (step.Auth == "basic") != (auth == "basic") || inParams != (auth == "" || auth == "post") {
				t.Errorf("%q: %+v", auth, step)
			}
		}
		// As the program finds it tomorrow.
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, d.ID+".toml"), source, 0o600); err != nil {
			t.Fatal(err)
		}
		r, failures := Load(dir)
		if len(failures) > 0 || len(r.Questions()) > 0 {
			t.Fatalf("%q: %v %v", auth, failures, r.Questions())
		}
		again, err := r.Get(d.ID)
		if err != nil || again.EndpointsSHA256() != d.EndpointsSHA256() || again.Authorize.URL != d.Authorize.URL || len(again.Errors) != len(commonErrors) {
			t.Errorf("%q: %+v, %v", auth, again, err)
		}
		if key, _ := again.Refusal("renew", Refusal{Code: "invalid_grant"}); key != problem.RefreshEnded {
			t.Errorf("%q: %s", auth, key)
		}
	}
	s := server()
	s.IssParam, s.PKCE, s.IdentityURL, s.RevokeURL, s.Scopes, s.Name = false, false, "", "", nil, ""
	_, d, err := Compose(s)
	if err != nil || d.Authorize.Issuer != s.Issuer || !d.Authorize.IssOptional || d.Authorize.PKCE || d.Identity.URL != "" || d.Revoke != nil || d.Name != "login.own.example" {
		t.Errorf("%+v, %v", d, err)
	}
	s.UserID, s.Username, s.IdentityURL = "id", "login", "https://login.own.example/me"
	if _, d, err := Compose(s); err != nil || d.Identity.Fields["user_id"] != "id" || d.Identity.Fields["username"] != "login" {
		t.Errorf("%+v, %v", d, err)
	}
	s.TokenURL = "https://tokens.other.example/token"
	source, _, err := Compose(s)
	if err != nil {
		t.Fatal(err)
	}
	if r := load(t, map[string]string{"x.toml": string(source)}, 0); len(r.Questions()) != 1 {
		t.Error("two domains are a question, also when composed")
	}
}

func TestComposeRefusesHostileValues(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*Server)
		key    problem.Key
		what   string
	}{
		"no place to sign in":    {func(s *Server) { s.AuthorizeURL = " " }, problem.FieldEmpty, ""},
		"no place for tokens":    {func(s *Server) { s.TokenURL = "" }, problem.FieldEmpty, ""},
		"a shipped id":           {func(s *Server) { s.ID = "instagram" }, problem.DefinitionExists, ""},
		"the generic id":         {func(s *Server) { s.ID = "oauth2" }, problem.DefinitionExists, ""},
		"a path":                 {func(s *Server) { s.ID = "../library" }, problem.DefinitionInvalid, "id"},
		"another path":           {func(s *Server) { s.ID = `a\b` }, problem.DefinitionInvalid, "id"},
		"a device":               {func(s *Server) { s.ID = "con" }, problem.DefinitionInvalid, "id"},
		"a port":                 {func(s *Server) { s.ID = "com1" }, problem.DefinitionInvalid, "id"},
		"a hidden file":          {func(s *Server) { s.ID = ".own" }, problem.DefinitionInvalid, "id"},
		"capitals":               {func(s *Server) { s.ID = "Own" }, problem.DefinitionInvalid, "id"},
		"a long id":              {func(s *Server) { s.ID = strings.Repeat("a", 49) }, problem.DefinitionInvalid, "id"},
		"a line in the name":     {func(s *Server) { s.Name = "x\"\nid = \"instagram" }, problem.DefinitionInvalid, "name"},
		"a name turned round":    {func(s *Server) { s.Name = "x\u202egnp" }, problem.DefinitionInvalid, "name"},
		"a zero in the name":     {func(s *Server) { s.Name = "x\x00y" }, problem.DefinitionInvalid, "name"},
		"broken text":            {func(s *Server) { s.Name = "x\xff\xfe" }, problem.DefinitionInvalid, ""},
		"a long name":            {func(s *Server) { s.Name = strings.Repeat("a", 61) }, problem.DefinitionInvalid, "name"},
		"plain http":             {func(s *Server) { s.TokenURL = "http://login.own.example/token" }, problem.DefinitionInvalid, "exchange.url"},
		"a script":               {func(s *Server) { s.AuthorizeURL = "javascript:alert(1)" }, problem.DefinitionInvalid, "authorize.url"},
		"a password":             {func(s *Server) { s.IdentityURL = "https://me:canary@own.example/" }, problem.DefinitionInvalid, "identity.url"},
		"a table in an address":  {func(s *Server) { s.RevokeURL = "https://own.example/\"\n[media]\nurl = \"https://evil.example/" }, problem.DefinitionInvalid, "revoke.url"},
		"a table in a scope":     {func(s *Server) { s.Scopes = []string{"a\"\n[media]"} }, problem.DefinitionInvalid, "scope[0].name"},
		"a scope twice":          {func(s *Server) { s.Scopes = []string{"a", "a"} }, problem.DefinitionInvalid, "scope[1].name"},
		"a placeholder":          {func(s *Server) { s.TokenURL = "https://own.example/{client_secret}" }, problem.DefinitionInvalid, "exchange.url"},
		"another way of proving": {func(s *Server) { s.Auth = "private_key_jwt" }, problem.DefinitionInvalid, "exchange.auth"},
		"a field":                {func(s *Server) { s.UserID = "a b" }, problem.DefinitionInvalid, "identity.fields.user_id"},
		"a promise without name": {func(s *Server) { s.Issuer = "http://own.example" }, problem.DefinitionInvalid, "authorize.issuer"},
	} {
		s := server()
		row.change(&s)
		source, _, err := Compose(s)
		p := problem.Of(err)
		if err == nil || p.Key != row.key || row.what != "" && p.Args["what"] != row.what || source != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(p.Error(), "canary") {
			t.Errorf("%s: %v repeats a password", name, p)
		}
	}
}

func TestComposeMakesAShortName(t *testing.T) {
	for host, want := range map[string]string{"WWW.Example.org": "example-org", "login.example:8443": "login-example", "[::1]:4000": "1",
		strings.Repeat("a.", 40) + "example": strings.Trim(strings.Repeat("a-", 24), "-"), "con": ""} {
		_, d, err := Compose(Server{AuthorizeURL: "https://" + host + "/a", TokenURL: "https://" + host + "/t"})
		if want == "" {
			if err == nil {
				t.Errorf("%s became %s", host, d.ID)
			}
			continue
		}
		if err != nil || d.ID != want {
			t.Errorf("%s became %q, %v", host, d.ID, err)
		}
	}
}

// Whatever is typed in: what is accepted says what was typed and nothing more.
func FuzzCompose(f *testing.F) {
	f.Add("own", "Own", "https://own.example", "https://own.example/a", "https://own.example/t", "https://own.example/me", "openid", "basic", true)
	f.Add("", "x\"\n[media]", "", "https://a.example/?x=\"", "http://127.0.0.1/t", "", "a b", "", false)
	f.Add("con", "\\u0000", "https://x", "https://a.example/\\", "https://[::1]/t", "", "\\", "none", true)
	f.Fuzz(func(t *testing.T, id, name, issuer, authorize, token, identity, scope, auth string, flag bool) {
		s := Server{ID: id, Name: name, Issuer: issuer, AuthorizeURL: authorize, TokenURL: token, IdentityURL: identity, Scopes: []string{scope}, PKCE: flag, IssParam: flag, Auth: auth}
		source, d, err := Compose(s)
		if err != nil {
			if p := problem.Of(err); p.Kind != problem.Input {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := decode("own.toml", source, map[string]Definition{})
		if err != nil || again.ID != d.ID || again.Name != d.Name {
			t.Fatalf("%v\n%s", err, source)
		}
		if id != "" && d.ID != id || name != "" && d.Name != name || d.Authorize.URL != authorize || d.Exchange.URL != token || d.Renew.URL != token || d.Identity.URL != identity ||
			len(d.Scopes) != 1 || d.Scopes[0].Name != scope || d.Media.URL != "" || d.Revoke != nil || len(d.Accounts.Fields) > 0 || d.Shipped() {
			t.Fatalf("%+v\n%s", d, source)
		}
		if strings.ContainsAny(d.ID, `/\.:`) {
			t.Fatalf("%q is no name for a file", d.ID)
		}
		for _, address := range d.addresses() {
			if u, err := url.Parse(*address); err != nil || u.User != nil || u.Scheme != "https" && !loopback(u.Hostname()) {
				t.Fatalf("accepted %q", *address)
			}
		}
	})
}
