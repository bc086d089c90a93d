package provider

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/resources"
)

func get(t *testing.T, id string) Definition {
	t.Helper()
	r, failures := Load("")
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	d, err := r.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sentences reads the keys of a room's file without internal/text, which this
// package may not import.
func sentences(t *testing.T, language string) map[string]bool {
	t.Helper()
	source, err := fs.ReadFile(resources.Translations, "translations/"+language+"/scope.toml")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for path := range lines(source) {
		keys[path] = true
	}
	return keys
}

func TestEveryShippedDefinition(t *testing.T) {
	r, failures := Load("")
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	if len(r.List()) != 5 {
		t.Fatalf("only %d definitions", len(r.List()))
	}
	for _, d := range r.List() {
		file := "providers/" + d.ID + ".toml"
		source, err := fs.ReadFile(resources.Providers, file)
		if err != nil {
			t.Errorf("%s lies in another file than %s", d.ID, file)
		}
		if d.Checked == "" || !d.Shipped() {
			t.Errorf("%s: checked %q, shipped %v", d.ID, d.Checked, d.Shipped())
		}
		for i, e := range d.Errors {
			if !problem.Listed(problem.Key(e.Key)) {
				t.Errorf("%s row %d: %q is no problem", d.ID, i, e.Key)
			}
		}
		// Every refusal says where it comes from: a row number and a mark.
		if rows := strings.Count(string(source), "[[error]]"); rows > 0 {
			marks := regexp.MustCompile(`(?m)^(\[\[error\]\] )?# (Row \d+|Code \d+|RFC \d+|OpenID).*\[(V|W|mem)\]`).FindAllString(string(source), -1)
			if len(marks) != rows || rows != len(d.Errors) {
				t.Errorf("%s: %d rows, %d read, %d with number and source", d.ID, rows, len(d.Errors), len(marks))
			}
		}
		for _, language := range []string{"en", "de"} {
			have := sentences(t, language)
			for _, s := range d.Scopes {
				if !s.Offered() {
					continue
				}
				for _, key := range []string{s.Label + ".title", s.Label + ".line", "scope.task." + s.Task} {
					if s.Label != "scope."+s.Name || !have[key] {
						t.Errorf("%s: %s lacks %s", d.ID, language, key)
					}
				}
			}
			for _, p := range d.Presets {
				if !have["scope.preset."+p.Name] {
					t.Errorf("%s: %s lacks scope.preset.%s", d.ID, language, p.Name)
				}
			}
		}
		for _, s := range d.Scopes {
			if s.Road == d.ID {
				t.Errorf("%s: %s leads to itself", d.ID, s.Name)
			}
			successor := d
			if d.ReplacedBy != "" {
				successor = get(t, d.ReplacedBy)
			}
			if named, ok := successor.Scope(s.RetiredBy); s.RetiredBy != "" && (!ok || !named.Offered()) {
				t.Errorf("%s: %s is replaced by %s, which is not offered", d.ID, s.Name, s.RetiredBy)
			}
		}
	}
}

func TestInstagramIsWhatMetaDocuments(t *testing.T) {
	d := get(t, "instagram")
	var offered []string
	for _, s := range d.Scopes {
		if s.Offered() {
			offered = append(offered, s.Name)
			if s.Required != (s.Name == "instagram_business_basic") {
				t.Errorf("%s: required %v", s.Name, s.Required)
			}
		}
	}
	want := []string{"instagram_business_basic", "instagram_business_content_publish", "instagram_business_manage_comments",
		"instagram_business_manage_messages", "instagram_business_manage_insights"}
	if !slices.Equal(offered, want) {
		t.Errorf("offered: %v", offered)
	}
	if d.Redirect.Default != "https://localhost:8919/" || d.Authorize.PKCE || d.Exchange.Encoding != "multipart" || d.Extend.Method != "GET" ||
		d.Extend.Params["client_id"] != "{client_id}" || d.Renew.Secret || d.Renew.After != 24*time.Hour || d.Renew.Window != 60*24*time.Hour {
		t.Errorf("%+v", d)
	}
	if got := d.Hosts(); !slices.Equal(got, []string{"api.instagram.com", "graph.instagram.com"}) {
		t.Errorf("hosts: %v", got)
	}
	if got := d.Domains(); !slices.Equal(got, []string{"instagram.com"}) {
		t.Errorf("domains: %v", got)
	}
	if !d.Meta() || d.Usable() != nil {
		t.Error("Instagram speaks Meta and is in use")
	}
}

func TestBasicDisplayIsRecognisedAndRetired(t *testing.T) {
	err := get(t, "instagram-basic-display").Usable()
	p := problem.Of(err)
	if !problem.Has(err, problem.ProviderRetired) || p.Args["replaced_by"] != "instagram" || p.Args["replacement"] != "Instagram" || p.Args["retired"] != "2024-12-04" {
		t.Errorf("%v", err)
	}
}

func TestUnknownProviderNamesTheKnown(t *testing.T) {
	r, _ := Load("")
	_, err := r.Get("facebok")
	if p := problem.Of(err); !problem.Has(err, problem.ProviderUnknown) || !strings.Contains(p.Args["known"], "instagram") {
		t.Errorf("%v", err)
	}
}

// Each row of the table of refusals is asked with the text seen in the wild.
func TestRefusalsAreRecognised(t *testing.T) {
	d := get(t, "instagram")
	for _, row := range []struct {
		where string
		said  Refusal
		want  problem.Key
	}{
		{"exchange", Refusal{Message: "Invalid platform app", Type: "OAuthException", Code: "400"}, problem.AppIDIsFacebook},
		{"page", Refusal{Message: "Invalid Request: Request parameters are invalid: Invalid platform app"}, problem.AppIDIsFacebook},
		{"exchange", Refusal{Message: "Missing required field client_id", Code: "400"}, problem.AppIDUnknown},
		{"exchange", Refusal{Message: "Invalid authorization code", Code: "400"}, problem.CodeRefused},
		{"exchange", Refusal{Message: "MATCHING CODE was not found or was already used", Code: "400"}, problem.CodeRefused},
		{"exchange", Refusal{Message: "This authorization code has been used", Code: "400"}, problem.CodeUsed},
		{"exchange", Refusal{Message: "other words", Code: "100", Subcode: "36009"}, problem.CodeUsed},
		{"exchange", Refusal{Message: "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request"}, problem.RedirectMismatch},
		{"exchange", Refusal{Code: "100", Subcode: "36008"}, problem.RedirectMismatch},
		{"page", Refusal{Message: "Request parameters are invalid: Invalid redirect_uri"}, problem.RedirectUnknown},
		{"exchange", Refusal{Message: "Redirect URI does not match registered redirect URI"}, problem.RetiredAPI},
		{"page", Refusal{Message: "Invalid scope: user_profile"}, problem.ScopeRetired},
		{"page", Refusal{Message: "Invalid scope: ['basic']"}, problem.ScopeRetired},
		{"page", Refusal{Message: "Invalid scope: []"}, problem.ScopeRefused},
		{"page", Refusal{Message: "Invalid Scopes: instagram_business_basic. This message is only shown to developers."}, problem.ScopeRefused},
		{"renew", Refusal{Message: "An unexpected error has occurred. Please retry your request later.", Code: "2"}, problem.ProviderDown},
		{"page", Refusal{Message: "Invalid Scopes: instagram_basic"}, problem.ScopeOtherRoad},
		{"page", Refusal{Message: "Insufficient Developer Role"}, problem.NotInvited},
		{"page", Refusal{Message: "https://www.instagram.com/oauth/authorize/third_party/error/?message=Unzureichende+Rolle"}, problem.NotInvited},
		{"redirect", Refusal{Code: "access_denied", Subcode: "user_denied", Message: "The user denied your request"}, problem.Denied},
		{"redirect", Refusal{Code: "access_denied", Message: "The user denied your request."}, problem.Denied},
		{"redirect", Refusal{Code: "access_denied"}, problem.Denied},
		{"redirect", Refusal{Code: "access_denied", Subcode: "user_denied", Message: "Insufficient developer role"}, problem.NotInvited},
		{"redirect", Refusal{Code: "access_denied", Message: "The app is restricted"}, problem.DeveloperRole},
		{"extend", Refusal{Message: "Unsupported request - method type: get", Type: "IGApiException", Code: "100"}, problem.ExtendRefused},
		{"identity", Refusal{Message: "Unsupported request - method type: get", Code: "100"}, problem.IdentityUnavailable},
		{"renew", Refusal{Message: "Unsupported request - method type: get", Code: "100"}, problem.ProviderRefused},
		{"extend", Refusal{Message: "Session key invalid", Code: "452"}, problem.AlreadyLong},
		{"extend", Refusal{Code: "452"}, problem.AlreadyLong},
		{"identity", Refusal{Message: "The access token could not be decrypted", Code: "190"}, problem.TokenIncomplete},
		{"identity", Refusal{Message: "Invalid OAuth access token - Cannot parse access token", Code: "190"}, problem.TokenOtherService},
		{"renew", Refusal{Message: "Malformed access token AQ", Code: "190"}, problem.TokenIncomplete},
		{"renew", Refusal{Message: "Error validating access token: Session has expired on Monday.", Code: "190", Subcode: "463"}, problem.TokenEnded},
		{"renew", Refusal{Code: "190", Subcode: "463"}, problem.TokenEnded},
		{"renew", Refusal{Message: "The session has been invalidated because the user changed their password or Facebook has changed the session", Code: "190"}, problem.PasswordChanged},
		{"renew", Refusal{Code: "190", Subcode: "460"}, problem.PasswordChanged},
		{"renew", Refusal{Code: "190", Subcode: "458"}, problem.AccessRemoved},
		{"renew", Refusal{Code: "190", Subcode: "459"}, problem.SecurityCheck},
		{"renew", Refusal{Code: "190", Subcode: "464"}, problem.SecurityCheck},
		{"renew", Refusal{Code: "190", Subcode: "467"}, problem.TokenRefused},
		{"extend", Refusal{Message: "Error validating client secret.", Code: "1"}, problem.AppSecretRefused},
		{"extend", Refusal{Message: "Error validating application. Invalid application ID.", Code: "101"}, problem.AppIDUnknown},
		{"exchange", Refusal{Code: "101"}, problem.AppIDUnknown},
		{"extend", Refusal{Message: "API calls from the server require an appsecret_proof argument", Code: "100"}, problem.ProofRequired},
		{"identity", Refusal{Message: "(#10) Application does not have permission for this action", Code: "10"}, problem.PermissionMissing},
		{"identity", Refusal{Code: "200"}, problem.PermissionMissing},
		{"identity", Refusal{Code: "299"}, problem.PermissionMissing},
		{"identity", Refusal{Message: "(#100) Tried accessing nonexisting field (x)", Code: "100"}, problem.IdentityUnavailable},
		{"identity", Refusal{Code: "100", Subcode: "33"}, problem.IdentityUnavailable},
		{"extend", Refusal{Code: "4"}, problem.ProviderBusy}, {"extend", Refusal{Code: "17"}, problem.ProviderBusy},
		{"extend", Refusal{Code: "32"}, problem.ProviderBusy}, {"extend", Refusal{Code: "613"}, problem.ProviderBusy},
		{"extend", Refusal{Code: "341"}, problem.ProviderBusy}, {"extend", Refusal{Code: "368"}, problem.ProviderBusy},
		{"extend", Refusal{Code: "80002"}, problem.ProviderBusy},
		{"page", Refusal{Message: "400 Session Invalid"}, problem.PageInPopup},
		{"page", Refusal{Message: "Error saving redirect URIs"}, problem.RedirectScheme},
		{"page", Refusal{Message: "The callback URL or verify token couldn't be validated. Please verify."}, problem.RedirectWrongBox},
		{"page", Refusal{Message: "Feature Unavailable: Facebook Login is currently unavailable for this app"}, problem.AppNotLive},
		{"identity", Refusal{Message: "The user is not an Instagram Business account"}, problem.PersonalAccount},
		{"identity", Refusal{Message: "something new", Code: "190"}, problem.TokenRefused},
		// And what no row may claim.
		{"exchange", Refusal{Message: "something new", Code: "400"}, ""},
		{"exchange", Refusal{Message: "Session key invalid"}, ""},
		{"identity", Refusal{Code: "300"}, ""},
		{"redirect", Refusal{Code: "server_error"}, ""},
	} {
		key, ok := d.Refusal(row.where, row.said)
		if key != row.want || ok != (row.want != "") {
			t.Errorf("%s %+v: %q, want %q", row.where, row.said, key, row.want)
		}
	}
	p, _ := d.Explain("page", Refusal{Message: "Invalid scope: user_profile\u202e"})
	if p.Args["scope"] != "user_profile" || p.Args["provider"] != "Instagram" || p.Provider != "Invalid scope: user_profile" {
		t.Errorf("%v %q", p, p.Provider)
	}
}

func TestTheMostSpecificRowSpeaks(t *testing.T) {
	d := Definition{Errors: []ErrorRow{
		{Code: "1", Key: "provider.refused"}, {Match: "no", Key: "code.used"}, {Match: "no way", Key: "code.refused"},
		{Code: "1", Subcode: "2", Key: "token.ended"}, {Match: "no way", Where: "renew", Key: "token.refused"},
	}}
	if err := d.checkErrors(true); err != nil {
		t.Fatal(err)
	}
	for want, ask := range map[problem.Key]struct {
		where string
		said  Refusal
	}{
		"provider.refused": {"extend", Refusal{Code: "1"}},
		"code.used":        {"extend", Refusal{Code: "1", Message: "NO"}},
		"code.refused":     {"extend", Refusal{Code: "1", Subcode: "2", Message: "oh no way"}},
		"token.ended":      {"extend", Refusal{Code: "1", Subcode: "2"}},
		"token.refused":    {"renew", Refusal{Code: "1", Subcode: "2", Message: "oh no way"}},
	} {
		if got, _ := d.Refusal(ask.where, ask.said); got != want {
			t.Errorf("%+v: %s, want %s", ask, got, want)
		}
	}
}

func TestPracticeRewritesShippedAddressesOnly(t *testing.T) {
	base, _ := url.Parse("http://127.0.0.1:4711")
	d := get(t, "instagram")
	p := d.Practice(base)
	for got, want := range map[string]string{
		p.Authorize.URL: "http://127.0.0.1:4711/www.instagram.com/oauth/authorize",
		p.Exchange.URL:  "http://127.0.0.1:4711/api.instagram.com/oauth/access_token",
		p.Extend.URL:    "http://127.0.0.1:4711/graph.instagram.com/access_token",
		p.Renew.URL:     "http://127.0.0.1:4711/graph.instagram.com/refresh_access_token",
		p.Identity.URL:  "http://127.0.0.1:4711/graph.instagram.com/v25.0/me?fields=user_id,username,name,account_type,media_count",
		p.Media.URL:     "http://127.0.0.1:4711/graph.instagram.com/v25.0/me/media",
		p.Revoke.Page:   "http://127.0.0.1:4711/www.instagram.com/accounts/manage_access/",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if !p.Practising() || d.Practising() || !slices.Equal(p.Hosts(), []string{"127.0.0.1:4711"}) || !slices.Equal(p.Media.Hosts, []string{"127.0.0.1"}) {
		t.Errorf("%v %v %v", p.Practising(), p.Hosts(), p.Media.Hosts)
	}
	if p.EndpointsSHA256() != d.EndpointsSHA256() || p.Redirect.Default != d.Redirect.Default {
		t.Error("practice changes neither the digest nor the redirect")
	}
	if again := p.Practice(base); again.Exchange.URL != p.Exchange.URL {
		t.Error("mapped twice")
	}
	if d.Authorize.URL != get(t, "instagram").Authorize.URL || d.Revoke.Page != get(t, "instagram").Revoke.Page {
		t.Error("the original was changed")
	}
	own := load(t, map[string]string{"own.toml": ownDefinition}, 0)
	o, err := own.Get("own")
	if err != nil {
		t.Fatal(err)
	}
	if mapped := o.Practice(base); mapped.Practising() || mapped.Exchange.URL != o.Exchange.URL {
		t.Error("a person's own definition was mapped")
	}
}

func TestATT8_DigestFollowsTheSecretOnly(t *testing.T) {
	d := get(t, "instagram")
	before := d.EndpointsSHA256()
	if len(before) != 64 {
		t.Fatalf("%q", before)
	}
	d.Identity.URL = "https://graph.instagram.com/v26.0/me"
	d.Renew.URL = "https://graph.instagram.com/other"
	if d.EndpointsSHA256() != before {
		t.Error("an address without the secret counts")
	}
	d.Exchange.URL = "https://api.instagram.com/oauth/access_token?x=1"
	if d.EndpointsSHA256() != before {
		t.Error("the query counts")
	}
	d.Exchange.URL = "https://api.instagram.example/oauth/access_token"
	if d.EndpointsSHA256() == before {
		t.Error("another host does not count")
	}
}

func TestATT8_DomainsAreRegistrable(t *testing.T) {
	d := Definition{Authorize: Authorize{URL: "https://login.shop.co.uk/a"}, Exchange: Step{URL: "https://api.evil.example/t"},
		Identity: Identity{URL: "http://127.0.0.1:1/me"}}
	if got := d.Domains(); !slices.Equal(got, []string{"127.0.0.1", "evil.example", "shop.co.uk"}) {
		t.Errorf("%v", got)
	}
}

const ownDefinition = `schema = 1
id = "own"
name = "Own server"

[authorize]
url = "https://login.own.example/authorize"
pkce = true

[redirect]
schemes = ["http"]
default = "http://127.0.0.1:8919/"

[exchange]
method = "POST"
url = "https://login.own.example/token"
encoding = "form"
answer = "rfc6749"
secret = true

[exchange.params]
client_id = "{client_id}"
client_secret = "{client_secret}"
grant_type = "authorization_code"
code = "{code}"
redirect_uri = "{redirect_uri}"
code_verifier = "{code_verifier}"
`

// load writes files into a directory and loads it, expecting n failures.
func load(t *testing.T, files map[string]string, n int) *Registry {
	t.Helper()
	r, failures := Load(write(t, files))
	if len(failures) != n {
		t.Fatalf("%d failures: %v", len(failures), failures)
	}
	return r
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, source := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOwnDefinitionsExtendAndAdd(t *testing.T) {
	r := load(t, map[string]string{
		"own.toml": ownDefinition,
		"more.toml": `schema = 1
id = "instagram"
[authorize.fixed]
enable_fb_login = "false"
[identity]
url = "https://graph.instagram.com/v27.0/me?fields=user_id"
[[scope]]
name = "instagram_business_new"
task = "talk"
[[scope]]
name = "instagram_business_manage_comments"
required = true
[[error]]
match = "Invalid platform app"
where = "exchange page"
key = "app_id.unknown"
`, ".hidden.toml": "nonsense", "readme.txt": "nonsense",
	}, 0)
	own, err := r.Get("own")
	if err != nil || own.Shipped() || own.Authorize.ClientIDParam != "client_id" || own.Authorize.ScopeSeparator != " " || own.Status != "current" {
		t.Errorf("%+v, %v", own, err)
	}
	d, err := r.Get("instagram")
	if err != nil || d.Shipped() || d.Name != "Instagram" || d.Exchange.URL != "https://api.instagram.com/oauth/access_token" {
		t.Fatalf("%+v, %v", d, err)
	}
	if d.Authorize.Fixed["enable_fb_login"] != "false" || !strings.Contains(d.Identity.URL, "v27.0") || d.Identity.Fields["kind"] != "account_type" {
		t.Errorf("%+v %+v", d.Authorize, d.Identity)
	}
	if s, _ := d.Scope("instagram_business_manage_comments"); !s.Required {
		t.Error("a scope is replaced by name")
	}
	if s, ok := d.Scope("instagram_business_new"); !ok || s.Task != "talk" {
		t.Error("a scope is added")
	}
	if key, _ := d.Refusal("exchange", Refusal{Message: "Invalid platform app"}); key != problem.AppIDUnknown {
		t.Errorf("the person's row is asked first: %s", key)
	}
	if d := get(t, "instagram"); !d.Shipped() || d.Authorize.Fixed != nil {
		t.Error("the shipped definition was changed")
	}
	if _, failures := Load(filepath.Join(t.TempDir(), "absent")); failures != nil {
		t.Errorf("an absent directory is none: %v", failures)
	}
}

func TestATT13_FlawsNameFileAndLine(t *testing.T) {
	for _, row := range []struct{ name, from, to, reason, what, line string }{
		{"unknown key", `name = "Own server"`, "name = \"x\"\nurl = \"x\"", "unknown_key", "url", "4"},
		{"key in capitals", `pkce = true`, `PKCE = true`, "unknown_key", "authorize.PKCE", "7"},
		{"unknown table", `[redirect]`, `[redirects]`, "unknown_key", "redirects", "9"},
		{"syntax", `name = "Own server"`, `name = `, "syntax", "", "3"},
		{"type", `pkce = true`, `pkce = "yes"`, "type", "authorize.pkce", "7"},
		{"twice", `name = "Own server"`, "name = \"a\"\nname = \"b\"", "syntax", "", "4"},
		{"no id", `id = "own"`, ``, "value", "id", "1"},
		{"id", `id = "own"`, `id = "Own!"`, "value", "id", "2"},
		{"schema", `schema = 1`, `schema = 2`, "value", "schema", "1"},
		{"status", `name = "Own server"`, "name = \"x\"\nstatus = \"beta\"", "value", "status", "4"},
		{"day", `name = "Own server"`, "name = \"x\"\nchecked = \"soon\"", "value", "checked", "4"},
		{"http", `https://login.own.example/token`, `http://login.own.example/token`, "address", "exchange.url", "15"},
		{"a letter that looks like another", `https://login.own.example/token`, `https://login.%D0%BEwn.example/token`, "address", "exchange.url", "15"},
		{"two hosts in one", `https://login.own.example/token`, `https://evil.example;login.own.example/token`, "address", "exchange.url", "15"},
		{"a list of hosts", `https://login.own.example/token`, `https://login.own.example,b.example/token`, "address", "exchange.url", "15"},
		{"dot at the end", `https://login.own.example/token`, `https://login.own.example./token`, "address", "exchange.url", "15"},
		{"empty part", `https://login.own.example/token`, `https://login..example/token`, "address", "exchange.url", "15"},
		{"hidden number", `https://login.own.example/token`, `https://2130706433/token`, "address", "exchange.url", "15"},
		{"hidden numbers", `https://login.own.example/token`, `https://0x7f.0.0.0x1/token`, "address", "exchange.url", "15"},
		{"short number", `https://login.own.example/token`, `https://127.1/token`, "address", "exchange.url", "15"},
		{"zone", `https://login.own.example/token`, `https://[fe80::1%25eth0]/token`, "address", "exchange.url", "15"},
		{"port with a nought", `https://login.own.example/token`, `https://login.own.example:0443/token`, "address", "exchange.url", "15"},
		{"userinfo", `https://login.own.example/token`, `https://a@b.example/token`, "address", "exchange.url", "15"},
		{"fragment", `https://login.own.example/token`, `https://b.example/token#`, "address", "exchange.url", "15"},
		{"script", `https://login.own.example/authorize`, `javascript:alert(1)`, "address", "authorize.url", "6"},
		{"file", `https://login.own.example/authorize`, `file:///etc/passwd`, "address", "authorize.url", "6"},
		{"settings", `https://login.own.example/authorize`, `ms-settings:x`, "address", "authorize.url", "6"},
		{"no host", `https://login.own.example/authorize`, `https:///x`, "address", "authorize.url", "6"},
		{"dots", `https://login.own.example/authorize`, `https://h.example/../x`, "address", "authorize.url", "6"},
		{"blank", `https://login.own.example/authorize`, `https://h.example/a b`, "address", "authorize.url", "6"},
		{"port", `https://login.own.example/authorize`, `https://h.example:99999/`, "address", "authorize.url", "6"},
		{"placeholder in an address", `https://login.own.example/authorize`, `https://h.example/{code}`, "address", "authorize.url", "6"},
		{"placeholder", `"{code}"`, `"{password}"`, "placeholder", "exchange.params.code", "24"},
		{"placeholder of another step", `"{code}"`, `"{access_token}"`, "placeholder", "exchange.params.code", "24"},
		{"half a placeholder", `"{code}"`, `"{code"`, "placeholder", "exchange.params.code", "24"},
		{"secret in the file", `"{client_secret}"`, `"canary-0123456789"`, "placeholder", "exchange.params.client_secret", "22"},
		{"secret beside a brace", `"{client_secret}"`, `"canary-0123456789{"`, "placeholder", "exchange.params.client_secret", "22"},
		{"secret beside a placeholder", `"{client_secret}"`, `"canary-0123456789{x}"`, "placeholder", "exchange.params.client_secret", "22"},
		{"password in an address", `https://login.own.example/token`, `https://me:canary-0123456789@b.example/token?k=canary-0123456789`, "address", "exchange.url", "15"},
		{"secret unsaid", `secret = true`, `secret = false`, "value", "exchange.secret", "18"},
		{"method", `method = "POST"`, `method = "GET"`, "value", "exchange.encoding", "16"},
		{"code in an address", "method = \"POST\"\nurl = \"https://login.own.example/token\"\nencoding = \"form\"", "method = \"GET\"\nurl = \"https://login.own.example/token\"\nencoding = \"query\"", "value", "exchange.method", "14"},
		{"answer", `rfc6749`, `xml`, "value", "exchange.answer", "17"},
		{"verifier unsent", `code_verifier = "{code_verifier}"`, ``, "value", "authorize.pkce", "7"},
		{"fixed state", `[redirect]`, "[authorize.fixed]\nstate = \"1\"\n[redirect]", "value", "authorize.fixed.state", "10"},
		{"fixed response", `[redirect]`, "[authorize.fixed]\nresponse_type = \"token\"\n[redirect]", "value", "authorize.fixed.response_type", "10"},
		{"redirect", `http://127.0.0.1:8919/`, `ftp://127.0.0.1/`, "address", "redirect.default", "11"},
		{"scheme", `schemes = ["http"]`, `schemes = ["http", "ftp"]`, "value", "redirect.schemes[1]", "10"},
		{"second scope", `[exchange]`, "[[scope]]\nname = \"a\"\n[[scope]]\nname = \"b,c\"\n[exchange]", "value", "scope[1].name", "16"},
		{"scope twice", `[exchange]`, "[[scope]]\nname = \"a\"\n[[scope]]\nname = \"a\"\n[exchange]", "duplicate", "scope[1].name", "16"},
		{"refusal's key", `[exchange]`, "[[error]]\nmatch = \"a\"\nkey = \"no.such\"\n[exchange]", "value", "error[0].key", "15"},
		{"refusal's pattern", `[exchange]`, "[[error]]\nmatch = \"/(/\"\nkey = \"code.used\"\n[exchange]", "value", "error[0].match", "14"},
		{"refusal's place", `[exchange]`, "[[error]]\nmatch = \"a\"\nwhere = \"moon\"\nkey = \"code.used\"\n[exchange]", "value", "error[0].where", "15"},
		{"refusal of everything", `[exchange]`, "[[error]]\nkey = \"code.used\"\n[exchange]", "missing", "error[0].match", "13"},
		{"duration", `[exchange]`, "[renew]\nafter = \"a day\"\n[exchange]", "value", "renew.after", "14"},
		{"window before after", `[exchange]`, "[renew]\nafter = \"24h\"\nwindow = \"1h\"\n[exchange]", "value", "renew.window", "15"},
		{"identity without an id", `[exchange]`, "[identity]\nurl = \"https://login.own.example/me\"\n[exchange]", "missing", "identity.fields.user_id", "13"},
		{"pictures from everywhere", `[exchange]`, "[media]\nhosts = [\"com\"]\n[exchange]", "value", "media.hosts[0]", "14"},
		{"page over http", `[exchange]`, "[revoke]\npage = \"http://127.0.0.1/\"\n[exchange]", "address", "revoke.page", "14"},
		{"page with a script", `[exchange]`, "[revoke]\npage = \"javascript:alert(1)\"\n[exchange]", "address", "revoke.page", "14"},
		{"page of another step", `[exchange]`, "[renew]\npage = \"https://login.own.example/\"\n[exchange]", "unknown_key", "renew.page", "14"},
		{"half a revocation", `[exchange]`, "[revoke]\nmethod = \"POST\"\npage = \"https://login.own.example/\"\n[exchange]", "missing", "revoke.url", "13"},
		{"asks", `name = "Own server"`, "name = \"x\"\nasks = true", "value", "asks", "4"},
		{"configuration", `pkce = true`, "pkce = true\nconfig_param = \"state\"", "value", "authorize.config_param", "8"},
		{"way of proving", `secret = true`, "secret = true\nauth = \"digest\"", "value", "exchange.auth", "19"},
		{"two ways of proving", `secret = true`, "secret = true\nauth = \"basic\"", "value", "exchange.auth", "19"},
		{"optional nothing", "secret = true\n\n[exchange.params]\nclient_id = \"{client_id}\"\nclient_secret = \"{client_secret}\"", "secret = false\nsecret_optional = true\n\n[exchange.params]\nclient_id = \"{client_id}\"", "value", "exchange.secret_optional", "19"},
		{"accounts without an address", `[exchange]`, "[accounts]\nlist = \"data\"\n[exchange]", "missing", "accounts.url", "13"},
		{"accounts over http", `[exchange]`, "[accounts]\nurl = \"http://login.own.example/\"\n[exchange]", "address", "accounts.url", "14"},
		{"accounts without an id", `[exchange]`, "[accounts]\nurl = \"https://login.own.example/\"\nlist = \"data\"\n[exchange]", "missing", "accounts.fields.user_id", "13"},
		{"accounts' path", `[exchange]`, "[accounts]\nurl = \"https://login.own.example/\"\nlist = \"data[0]\"\n[exchange]", "value", "accounts.list", "15"},
		{"accounts' next", `[exchange]`, "[accounts]\nurl = \"https://login.own.example/\"\nlist = \"data\"\nnext = \".\"\n[exchange]", "value", "accounts.next", "16"},
		{"accounts' field", `[exchange]`, "[accounts]\nurl = \"https://login.own.example/\"\nlist = \"data\"\n[accounts.fields]\nuser_id = \"id\"\nsecret = \"x\"\n[exchange]", "unknown_key", "accounts.fields.secret", "18"},
		{"accounts' field's path", `[exchange]`, "[accounts]\nurl = \"https://login.own.example/\"\nlist = \"data\"\n[accounts.fields]\nuser_id = \"a..b\"\n[exchange]", "value", "accounts.fields.user_id", "17"},
		{"recipe twice", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe]]\nname = \"a\"\n[exchange]", "duplicate", "recipe[1].name", "16"},
		{"recipe's day", `[exchange]`, "[[recipe]]\nname = \"a\"\nchecked = \"soon\"\n[exchange]", "value", "recipe[0].checked", "15"},
		{"recipe's page", `[exchange]`, "[[recipe]]\nname = \"a\"\nurl = \"http://127.0.0.1/\"\n[exchange]", "address", "recipe[0].url", "15"},
		{"step's name", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"A b\"\n[exchange]", "value", "recipe[0].step[0].name", "16"},
		{"step twice", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[exchange]", "duplicate", "recipe[0].step[1].name", "18"},
		{"step's page", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\nurl = \"javascript:x\"\n[exchange]", "address", "recipe[0].step[0].url", "17"},
		{"step of the second recipe", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[[recipe]]\nname = \"b\"\n[[recipe.step]]\nname = \"a\"\n[[recipe.step]]\nname = \"b\"\ntest = \"moon\"\n[exchange]", "value", "recipe[1].step[1].test", "23"},
		{"what is copied", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\ncopy = [\"redirect_uri\", \"client_secret\"]\n[exchange]", "value", "recipe[0].step[0].copy[1]", "17"},
		{"what is pasted", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\npaste = [\"password\"]\n[exchange]", "value", "recipe[0].step[0].paste[0]", "17"},
		{"remedy", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\nremedies = [\"try_again\"]\n[exchange]", "value", "recipe[0].step[0].remedies[0]", "17"},
		{"picture", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\npicture = [\"\"]\n[exchange]", "value", "recipe[0].step[0].picture[0]", "17"},
		{"layout without a path", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[[recipe.step.layout]]\nname = \"new\"\n[exchange]", "missing", "recipe[0].step[0].layout[0].path", "17"},
		{"second layout", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[[recipe.step.layout]]\nname = \"new\"\npath = [\"A\"]\n[[recipe.step.layout]]\nname = \"Old one\"\npath = [\"A\"]\n[exchange]", "value", "recipe[0].step[0].layout[1].name", "21"},
		{"label", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[[recipe.step.layout]]\nname = \"new\"\npath = [\"A\", \"B\\u202e\"]\n[exchange]", "value", "recipe[0].step[0].layout[0].path[1]", "19"},
		{"key of a layout", `[exchange]`, "[[recipe]]\nname = \"a\"\n[[recipe.step]]\nname = \"a\"\n[[recipe.step.layout]]\nname = \"new\"\nmenu = [\"A\"]\n[exchange]", "unknown_key", "recipe[0].step[0].layout[0].menu", "19"},
		{"steps as words", `[exchange]`, "[[recipe]]\nname = \"a\"\nstep = [\"a\"]\n[exchange]", "type", "recipe[0].step[0]", "15"},
		{"no exchange", ownDefinition[strings.Index(ownDefinition, "[exchange]"):], "", "missing", "exchange.url", "1"},
	} {
		source := strings.Replace(ownDefinition, row.from, row.to, 1)
		r, failures := Load(write(t, map[string]string{"own.toml": source}))
		if len(failures) != 1 {
			t.Errorf("%s: %v", row.name, failures)
			continue
		}
		p := problem.Of(failures[0])
		if p.Key != problem.DefinitionInvalid || p.Args["file"] != "own.toml" || p.Args["reason"] != row.reason || p.Args["what"] != row.what || p.Args["line"] != row.line {
			t.Errorf("%s: %v (%v), want %s at %s, line %s", row.name, p, p.Cause, row.reason, row.what, row.line)
		}
		if strings.Contains(p.Error()+fmt.Sprint(p.Cause), "canary") {
			t.Errorf("%s: %v (%v) repeats a secret", row.name, p, p.Cause)
		}
		if _, err := r.Get("own"); err == nil {
			t.Errorf("%s: the definition is in use", row.name)
		}
	}
}

func TestATT13_PlainHTTPForLoopbackInOwnDefinitions(t *testing.T) {
	for host, fine := range map[string]bool{"127.0.0.1:4000": true, "[::1]:4000": true, "localhost:4000": true, "LOCALHOST": true,
		"127.0.0.1.evil.example": false, "localhost.evil.example": false, "10.0.0.1": false, "0.0.0.0": false} {
		source := strings.ReplaceAll(ownDefinition, "https://login.own.example", "http://"+host)
		if _, failures := Load(write(t, map[string]string{"own.toml": source})); (len(failures) == 0) != fine {
			t.Errorf("%s: %v", host, failures)
		}
		if _, err := decode("shipped.toml", []byte(source), nil); err == nil {
			t.Errorf("%s: fine in a shipped definition", host)
		}
	}
}

func TestUnusableFilesAreReported(t *testing.T) {
	dir := write(t, map[string]string{"huge.toml": strings.Repeat("# \n", maxFile), "own.toml": ownDefinition})
	if err := os.Mkdir(filepath.Join(dir, "dir.toml"), 0o700); err != nil {
		t.Fatal(err)
	}
	r, failures := Load(dir)
	if len(failures) != 2 || problem.Of(failures[0]).Args["file"] != "dir.toml" || problem.Of(failures[1]).Args["reason"] != "unreadable" {
		t.Errorf("%v", failures)
	}
	if _, err := r.Get("own"); err != nil {
		t.Error("the good file was lost with the bad ones")
	}
}

func TestCloneSharesNothing(t *testing.T) {
	d := get(t, "instagram")
	c := d.Clone()
	c.Exchange.Params["code"] = "x"
	c.Scopes[0].Name = "x"
	c.Presets[0].Scopes[0] = "x"
	c.Identity.Fields["user_id"] = "x"
	c.Revoke.Page = "x"
	if d.Revoke.Page == "x" || d.Exchange.Params["code"] != "{code}" || d.Scopes[0].Name == "x" || d.Presets[0].Scopes[0] == "x" || d.Identity.Fields["user_id"] == "x" {
		t.Error("a clone shares")
	}
}

// TOK-14: what Meta does not document is not in the definition; the page is,
// and it is no host that the program itself contacts.
func TestTOK14_APageWithoutAnAddress(t *testing.T) {
	d := get(t, "instagram")
	if d.Revoke == nil || !d.Revoke.Empty() || d.Revoke.Page != "https://www.instagram.com/accounts/manage_access/" {
		t.Errorf("%+v", d.Revoke)
	}
	if slices.Contains(d.Hosts(), "www.instagram.com") {
		t.Errorf("the page's host may be contacted: %v", d.Hosts())
	}
	both := strings.Replace(ownDefinition, "[exchange]", `[revoke]
method = "POST"
url = "https://login.own.example/revoke"
encoding = "form"
page = "https://login.own.example/apps"
[revoke.params]
token = "{access_token}"
[exchange]`, 1)
	own, err := load(t, map[string]string{"own.toml": both}, 0).Get("own")
	if err != nil || own.Revoke.URL != "https://login.own.example/revoke" || own.Revoke.Page != "https://login.own.example/apps" || own.Revoke.Params["token"] != "{access_token}" {
		t.Errorf("%+v, %v", own.Revoke, err)
	}
}

// Whatever a file holds: no panic, and what is accepted keeps the rules.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(ownDefinition))
	for _, name := range []string{"instagram", "instagram-basic-display", "instagram-facebook", "threads", "oauth2"} {
		source, err := fs.ReadFile(resources.Providers, "providers/"+name+".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte("[[error]]\n[error.code]\n[[a.b]]\n=\n[\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		base, err := shipped()
		if err != nil {
			t.Fatal(err)
		}
		d, err := decode("fuzz.toml", source, base)
		if err != nil {
			if p := problem.Of(err); p.Key != problem.DefinitionInvalid {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, address := range d.addresses() {
			u, err := url.Parse(*address)
			if err != nil || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !loopback(u.Hostname()) {
				t.Fatalf("accepted %q", *address)
			}
		}
		if d.Status == "current" && d.Exchange.Empty() {
			t.Fatal("accepted a definition that cannot exchange")
		}
		d.Explain("exchange", Refusal{Message: string(source), Code: "1"})
		_ = d.EndpointsSHA256() + d.Practice(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}).Exchange.URL
	})
}
