package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// composed is a person's own server as the form describes it.
func composed(t *testing.T, base, auth string) provider.Definition {
	t.Helper()
	_, d, err := provider.Compose(provider.Server{
		ID: "own", Issuer: base, AuthorizeURL: base + "/authorize", TokenURL: base + "/token", IdentityURL: base + "/me", RevokeURL: base + "/revoke",
		PKCE: true, IssParam: true, Auth: auth,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Awkward on purpose: RFC 6749 section 2.3.1 encodes both halves as a form's
// values are before they are joined.
const (
	awkwardID     = "https://app.example/ü:1"
	awkwardSecret = "canary secret+with:every%thing/&=ü"
)

// The three ways in which a client says who it is, each as
// golang.org/x/oauth2 sends it: exchange and refresh.
func TestGenericSecondOpinion(t *testing.T) {
	for name, c := range map[string]struct {
		auth, id, secret string
		style            oauth2.AuthStyle
	}{
		"in the header":              {"basic", "my app:1", awkwardSecret, oauth2.AuthStyleInHeader},
		"in the body":                {"post", "my-app", awkwardSecret, oauth2.AuthStyleInParams},
		"public":                     {"none", "my-app", "", oauth2.AuthStyleInParams},
		"public, the header offered": {"basic", "my-app", "", oauth2.AuthStyleInParams},
		"public, the body offered":   {"post", "my-app", "", oauth2.AuthStyleInParams},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, body(200, `{"access_token":"t","token_type":"Bearer"}`))
			d := composed(t, s.URL, c.auth)
			ours := App{ClientID: strings.ReplaceAll(c.id, " ", "-"), ClientSecret: secret.New(c.secret), RedirectURI: "http://127.0.0.1:8919/"}
			a, err := NewAttempt(d, ours, []string{"openid", "offline_access"}, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			k := client(t, d)
			if _, err := k.Exchange(t.Context(), a, secret.New(canaryCode)); err != nil {
				t.Fatal(err)
			}
			if _, err := k.Renew(t.Context(), d, long(), ours); err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: ours.ClientID, ClientSecret: c.secret, RedirectURL: ours.RedirectURI, Scopes: a.Scopes(),
				Endpoint: oauth2.Endpoint{AuthURL: d.Authorize.URL, TokenURL: d.Exchange.URL, AuthStyle: c.style}}
			theirs := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, theirs)
			if _, err := config.Exchange(ctx, canaryCode, oauth2.VerifierOption(a.verifier.Reveal())); err != nil {
				t.Fatal(err)
			}
			if _, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: canaryRefresh}).Token(); err != nil {
				t.Fatal(err)
			}
			heard := s.requests()
			for i := range 2 {
				our, their := heard[i], heard[i+2]
				if our.method != their.method || our.kind != their.kind || our.values.Encode() != their.values.Encode() ||
					our.header.Get("Authorization") != their.header.Get("Authorization") {
					t.Errorf("request %d differs: %v and %v", i, our.values, their.values)
				}
			}
			sum := sha256.Sum256([]byte(a.verifier.Reveal()))
			want, _ := url.Parse(config.AuthCodeURL(a.State().Reveal(), oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:])),
				oauth2.SetAuthURLParam("code_challenge_method", "S256"), oauth2.SetAuthURLParam("prompt", "consent")))
			got, _ := url.Parse(a.AuthorizeURL())
			if got.Query().Encode() != want.Query().Encode() || got.Path != want.Path {
				t.Errorf("asked the browser for\n%s, they for\n%s", got.Query().Encode(), want.Query().Encode())
			}
		})
	}
}

// RFC 6749 section 2.3.1 and appendix B, by hand: no library's opinion.
func TestTheHeaderIsEncodedTwice(t *testing.T) {
	r := request{step: provider.Step{Auth: "basic"}, values: map[string]secret.Text{"client_id": secret.New(awkwardID), "client_secret": secret.New(awkwardSecret)}}
	plain, err := base64.StdEncoding.DecodeString(r.credentials().Reveal())
	if want := "https%3A%2F%2Fapp.example%2F%C3%BC%3A1:canary+secret%2Bwith%3Aevery%25thing%2F%26%3D%C3%BC"; err != nil || string(plain) != want {
		t.Errorf("%s, want %s", plain, want)
	}
}

// A secret in the header is a secret: no error tells it in any form.
func TestTOK2_TheHeaderIsNotTold(t *testing.T) {
	header := ""
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		header = strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
		body(401, `{"error":"invalid_client","error_description":"bad header `+header+`"}`)(w, r)
	})
	d := composed(t, s.URL, "basic")
	a, err := NewAttempt(d, App{ClientID: "a", ClientSecret: secret.New("k7"), RedirectURI: "http://127.0.0.1:8919/"}, nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t, d).Exchange(t.Context(), a, secret.New(canaryCode))
	if err == nil || header == "" {
		t.Fatalf("%v", err)
	}
	tells(t, err, header)
}

// RFC 7636 appendix B.
func TestPKCEIsTheStandardsExample(t *testing.T) {
	octets := []byte{116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121}
	d := composed(t, "http://127.0.0.1:1", "none")
	a, err := NewAttempt(d, App{ClientID: "a", RedirectURI: "http://127.0.0.1:8919/"}, nil, &fixed{octets: octets})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(a.AuthorizeURL())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if a.verifier.Reveal() != "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" || q.Get("code_challenge") != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" || q.Get("code_challenge_method") != "S256" {
		t.Errorf("%s", u)
	}
}

// fixed gives the same octets again and again.
type fixed struct{ octets []byte }

func (f *fixed) Read(p []byte) (int, error) { return copy(p, f.octets), nil }

func TestWhoNeedsASecret(t *testing.T) {
	for auth, needs := range map[string]bool{"post": false, "basic": false, "none": false} {
		if _, err := NewAttempt(composed(t, "http://127.0.0.1:1", auth), App{ClientID: "a", RedirectURI: "http://127.0.0.1:8919/"}, nil, rand.Reader); problem.Has(err, problem.SecretMissing) != needs {
			t.Errorf("%s: %v", auth, err)
		}
		if d := composed(t, "http://127.0.0.1:1", auth); !Renewable(d, long(), App{ClientID: "a"}) {
			t.Errorf("%s: a public client cannot renew", auth)
		}
	}
	d := instagram(t)
	if _, err := NewAttempt(d, App{ClientID: clientID, RedirectURI: redirectURI}, nil, rand.Reader); !problem.Has(err, problem.SecretMissing) {
		t.Errorf("%v", err)
	}
	d = composed(t, "http://127.0.0.1:1", "basic")
	d.Renew.Public = false
	if Renewable(d, long(), App{ClientID: "a"}) {
		t.Error("a client without its secret can renew where one is needed")
	}
}

// A configuration of the dashboard stands for the permissions.
func TestAConfigurationIsSentInsteadOfPermissions(t *testing.T) {
	d := own(t)
	d.Authorize.ConfigParam = "config_id"
	for id, want := range map[string]string{"": "", " \u200b123456 ": "123456"} {
		app := app()
		app.ConfigID = id
		a, err := NewAttempt(d, app, []string{"one", "two"}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(a.AuthorizeURL())
		if q := u.Query(); q.Get("config_id") != want || q.Has("scope") != (want == "") {
			t.Errorf("%q: %s", id, u)
		}
	}
	for _, id := range []string{"12 34", "x&y", "ü", strings.Repeat("1", 65)} {
		app := app()
		app.ConfigID = id
		if _, err := NewAttempt(d, app, nil, rand.Reader); problem.Of(err) == nil || problem.Of(err).Args["field"] != "config_id" {
			t.Errorf("%q: %v", id, err)
		}
	}
	plain := own(t)
	app := app()
	app.ConfigID = "123456"
	a, err := NewAttempt(plain, app, []string{"one"}, rand.Reader)
	if err != nil || strings.Contains(a.AuthorizeURL(), "123456") {
		t.Errorf("it was sent where nobody takes it: %v", err)
	}
}

// OpenID Connect Core section 11: offline_access comes with prompt=consent and
// ends in a refresh token, which is all that it asks for.
func TestOfflineAccessIsAskedForAsItMustBe(t *testing.T) {
	d := own(t)
	for name, c := range map[string]struct {
		fixed  map[string]string
		scopes []string
		want   string
	}{
		"asked for":      {nil, []string{"openid", "offline_access"}, "consent"},
		"not asked for":  {nil, []string{"openid"}, ""},
		"the file knows": {map[string]string{"prompt": "login consent"}, []string{"offline_access"}, "login consent"},
	} {
		d.Authorize.Fixed = c.fixed
		u, _ := url.Parse(attempt(t, d, c.scopes...).AuthorizeURL())
		if q := u.Query(); q.Get("prompt") != c.want || len(q["prompt"]) > 1 {
			t.Errorf("%s: %v", name, q["prompt"])
		}
	}
	asked := []string{"openid", "offline_access"}
	if got := Missing(asked, []string{"openid"}, true); len(got) != 0 {
		t.Errorf("missing %q beside a refresh token", got)
	}
	if got := Missing(asked, []string{"openid"}, false); len(got) != 1 {
		t.Errorf("missing %q without one", got)
	}
}
