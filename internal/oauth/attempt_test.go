package oauth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	clientID     = "990602627938098"
	clientSecret = "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4"
	redirectURI  = "https://localhost:8919/"
)

func instagram(t testing.TB) provider.Definition {
	t.Helper()
	r, failures := provider.Load("")
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	d, err := r.Get("instagram")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// own is a server of another family: blanks between scopes, PKCE, an issuer.
func own(t testing.TB) provider.Definition {
	d := instagram(t)
	d.ID, d.Name, d.Scopes, d.Presets, d.Errors = "own", "Own server", nil, nil, nil
	d.Authorize = provider.Authorize{URL: "https://login.example/authorize?tenant=a b", ClientIDParam: "client_id", ScopeSeparator: " ",
		Fixed: map[string]string{"prompt": "consent", "audience": "x&y"}, PKCE: true, Issuer: "https://login.example"}
	d.Authorize.URL = strings.ReplaceAll(d.Authorize.URL, " ", "%20")
	d.Exchange.URL, d.Exchange.Encoding, d.Exchange.Answer = "https://login.example/token", "form", "rfc6749"
	d.Exchange.Params = map[string]string{"client_id": "{client_id}", "client_secret": "{client_secret}", "grant_type": "authorization_code",
		"redirect_uri": "{redirect_uri}", "code": "{code}", "code_verifier": "{code_verifier}"}
	d.Extend = provider.Step{}
	return d
}

func app() App {
	return App{ClientID: clientID, ClientSecret: secret.New(clientSecret), RedirectURI: redirectURI}
}

func attempt(t testing.TB, d provider.Definition, scopes ...string) *Attempt {
	t.Helper()
	a, err := NewAttempt(d, app(), scopes, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// zeros makes every value of an attempt predictable.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAuthorizeAddressIsExact(t *testing.T) {
	const state = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	challenge := sha256.Sum256([]byte(state))
	for _, row := range []struct {
		name   string
		d      provider.Definition
		scopes []string
		uri    string
		want   string
	}{
		{"one permission", instagram(t), nil, redirectURI,
			"https://www.instagram.com/oauth/authorize?client_id=990602627938098&redirect_uri=https%3A%2F%2Flocalhost%3A8919%2F" +
				"&response_type=code&scope=instagram_business_basic&state=" + state},
		{"several, in the definition's order", instagram(t), []string{"instagram_business_manage_insights", "instagram_business_content_publish"}, redirectURI,
			"https://www.instagram.com/oauth/authorize?client_id=990602627938098&redirect_uri=https%3A%2F%2Flocalhost%3A8919%2F" +
				"&response_type=code&scope=instagram_business_basic%2Cinstagram_business_content_publish%2Cinstagram_business_manage_insights&state=" + state},
		{"an odd redirect", instagram(t), nil, "https://localhost:8919/a b/ü?x=1&y=+",
			"https://www.instagram.com/oauth/authorize?client_id=990602627938098&redirect_uri=https%3A%2F%2Flocalhost%3A8919%2Fa%20b%2F%C3%BC%3Fx%3D1%26y%3D%2B" +
				"&response_type=code&scope=instagram_business_basic&state=" + state},
		{"another family", own(t), []string{"read write", "read"}, redirectURI,
			"https://login.example/authorize?tenant=a%20b&client_id=990602627938098&redirect_uri=https%3A%2F%2Flocalhost%3A8919%2F" +
				"&response_type=code&scope=read%20write&state=" + state + "&code_challenge=" + base64.RawURLEncoding.EncodeToString(challenge[:]) +
				"&code_challenge_method=S256&audience=x%26y&prompt=consent"},
	} {
		application := app()
		application.RedirectURI = row.uri
		a, err := NewAttempt(row.d, application, row.scopes, zeros{})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.AuthorizeURL(); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

// A library that others trust must build the same request.
func TestAuthorizeAddressSecondOpinion(t *testing.T) {
	for _, d := range []provider.Definition{instagram(t), own(t)} {
		scopes := map[string]string{"instagram": "instagram_business_manage_comments", "own": "read write"}
		a := attempt(t, d, scopes[d.ID])
		config := oauth2.Config{ClientID: clientID, RedirectURL: redirectURI, Endpoint: oauth2.Endpoint{AuthURL: d.Authorize.URL},
			Scopes: []string{strings.Join(a.Scopes(), d.Authorize.ScopeSeparator)}}
		var options []oauth2.AuthCodeOption
		for name, value := range d.Authorize.Fixed {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
		if d.Authorize.PKCE {
			options = append(options, oauth2.S256ChallengeOption(a.verifier.Reveal()))
		}
		theirs, err1 := url.Parse(config.AuthCodeURL(a.State().Reveal(), options...))
		ours, err2 := url.Parse(a.AuthorizeURL())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if ours.Query().Encode() != theirs.Query().Encode() || ours.Host != theirs.Host || ours.Path != theirs.Path {
			t.Errorf("%s:\n ours   %s\n theirs %s", d.ID, ours, theirs)
		}
	}
}

func TestATT1_StateIsFreshAndNeverWeak(t *testing.T) {
	seen := map[string]bool{}
	d := instagram(t)
	for range 10_000 {
		a, err := NewAttempt(d, app(), nil, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		state := a.State().Reveal()
		if raw, err := base64.RawURLEncoding.DecodeString(state); len(state) != 43 || err != nil || len(raw) != 32 || seen[state] {
			t.Fatalf("%d characters, seen before: %v, %v", len(state), seen[state], err)
		}
		seen[state] = true
	}
	broken := errors.New("no entropy")
	for name, random := range map[string]io.Reader{
		"failing": failing{broken}, "short": bytes.NewReader(make([]byte, 31)), "empty": bytes.NewReader(nil),
	} {
		a, err := NewAttempt(d, app(), nil, random)
		if a != nil || !problem.Has(err, problem.Unexpected) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
		// The verifier is the second reading.
		a, err = NewAttempt(own(t), app(), nil, io.MultiReader(io.LimitReader(rand.Reader, 32), random))
		if a != nil || err == nil {
			t.Errorf("%s verifier: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestATT3_StateComesFirst(t *testing.T) {
	a := attempt(t, instagram(t))
	state := a.State().Reveal()
	wrong := strings.Repeat("A", 43)
	for _, query := range []string{
		"", "code=x", "error=access_denied", "error=access_denied&state=", "error=access_denied&state=" + wrong,
		"code=x&state=" + wrong, "code=a&code=b&state=" + wrong, "state=" + wrong + "&state=" + wrong,
		"access_token=t&state=" + wrong, "code=x&state=" + state[:42], "code=x&state=" + state + "A", "code=x&State=" + state,
		"code=x&state=" + strings.ToUpper(state), "%zz=1&code=x", "code=x#state=" + wrong, strings.Repeat("x", maxQuery) + "&state=" + state,
		"code=x;state=" + state, "code=x&&&state", "?code=x&state=%" + state,
	} {
		if _, err := a.Read(query); !problem.Has(err, problem.AnswerForeign) {
			t.Errorf("%.60q: %v", query, err)
		}
	}
	if a.Used() {
		t.Fatal("a stranger ended the attempt")
	}
	if code, err := a.Read("code=real&state=" + state); err != nil || code.Reveal() != "real" {
		t.Errorf("the true answer: %v", err)
	}
}

// States are compared by digest, in constant time; "==" on one is a mistake.
func TestATT3_NoComparisonOfState(t *testing.T) {
	for _, file := range []string{"attempt.go", "client.go", "answer.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if b, ok := n.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
				for _, side := range []ast.Expr{b.X, b.Y} {
					if id, ok := side.(*ast.Ident); ok && strings.Contains(strings.ToLower(id.Name), "state") {
						t.Errorf("%s compares %s", file, id.Name)
					}
				}
			}
			return true
		})
	}
}

func TestATT4_OneAnswerOfFifty(t *testing.T) {
	for _, query := range []string{"code=real&state=", "error=access_denied&error_reason=user_denied&state="} {
		a := attempt(t, instagram(t))
		query += a.State().Reveal()
		var taken, used, other int
		var mu sync.Mutex
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 50 {
			all.Go(func() {
				<-start
				_, err := a.Read(query)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil, problem.Has(err, problem.Denied):
					taken++
				case problem.Has(err, problem.AnswerUsed):
					used++
				default:
					other++
				}
			})
		}
		close(start)
		all.Wait()
		if taken != 1 || used != 49 || other != 0 {
			t.Errorf("%d taken, %d used, %d other", taken, used, other)
		}
		if _, err := a.Read("code=x&state=wrong"); !problem.Has(err, problem.AnswerForeign) {
			t.Errorf("a stranger learns that it was used: %v", err)
		}
	}
}

func TestATT5_AttemptIsFrozen(t *testing.T) {
	d := instagram(t)
	scopes := []string{"instagram_business_manage_comments"}
	a := attempt(t, d, scopes...)
	before := a.AuthorizeURL()
	d.Authorize.URL = "https://evil.example/"
	d.Exchange.Params["code"] = "stolen"
	d.Scopes[0].Name = "x"
	scopes[0] = "x"
	a.Scopes()[0] = "x"
	a.Definition().Exchange.Params["code"] = "stolen"
	if a.AuthorizeURL() != before || a.definition.Exchange.Params["code"] != "{code}" {
		t.Error("the attempt changed")
	}
	if !slices.Equal(a.Scopes(), []string{"instagram_business_basic", "instagram_business_manage_comments"}) || a.RedirectURI() != redirectURI {
		t.Errorf("%v %s", a.Scopes(), a.RedirectURI())
	}
}

func TestATT10_DoubledParametersAreRefused(t *testing.T) {
	a := attempt(t, instagram(t))
	state := a.State().Reveal()
	for _, query := range []string{
		"code=a&code=b&state=" + state, "code=a&state=" + state + "&state=" + state, "code=a&state=wrong&state=" + state,
		"error=a&error=b&state=" + state, "code=a&error=b&state=" + state, "code=a&c%6fde=b&state=" + state,
		"code=a&x=%zz&state=" + state, "state=" + state + strings.Repeat("&x=1", maxParams) + "&code=a",
	} {
		if _, err := a.Read(query); !problem.Has(err, problem.AnswerDoubled) {
			t.Errorf("%.60q: %v", query, err)
		}
	}
	if a.Used() {
		t.Error("a refused answer ended the attempt")
	}
}

func TestATT11_ATokenInAnAnswerIsNoToken(t *testing.T) {
	for _, query := range []string{
		"access_token=canary&state=", "code=x&access_token=canary&state=", "id_token=canary&state=", "#access_token=canary&state=",
	} {
		a := attempt(t, instagram(t))
		code, err := a.Read(query + a.State().Reveal())
		if !problem.Has(err, problem.AnswerIsToken) || !code.Empty() || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v", query, err)
		}
		if _, err := a.Read("code=real&state=" + a.State().Reveal()); err != nil {
			t.Errorf("the attempt ended: %v", err)
		}
	}
}

func TestTheCodeIsReadWithoutItsMark(t *testing.T) {
	for query, want := range map[string]string{
		"code=AQBx-hB_1&state=S":                         "AQBx-hB_1",
		"code=AQBx&state=S#_":                            "AQBx",
		"code=AQBx&state=S#_=_":                          "AQBx",
		"state=S&code=AQBx#_":                            "AQBx",
		"state=S&code=AQBx%23_":                          "AQBx",
		"code=AQBx%23_&state=S":                          "AQBx",
		"code=AQBx%23_%3D_&state=S":                      "AQBx",
		"code=AQBx&state=S%23_":                          "AQBx",
		"code=AQBx%23_&state=S%23_=_":                    "AQBx",
		"code=A%2Fb%2Bc%3D&state=S&scope=a&iss=whatever": "A/b+c=",
	} {
		a := attempt(t, instagram(t))
		code, err := a.Read(strings.ReplaceAll(query, "S", a.State().Reveal()))
		if err != nil || code.Reveal() != want {
			t.Errorf("%s: %q, %v", query, code.Reveal(), err)
		}
	}
	a := attempt(t, instagram(t))
	for _, query := range []string{"state=S", "code=&state=S", "code=%23_&state=S", "code=a%00b&state=S", "code=a+b&state=S", "code=%C3%BC&state=S"} {
		if _, err := a.Read(strings.ReplaceAll(query, "S", a.State().Reveal())); !problem.Has(err, problem.AnswerIncomplete) || a.Used() {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestRefusalsInTheRedirect(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, row := range []struct {
		query, said string
		want        problem.Key
	}{
		{"error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request", "The user denied your request", problem.Denied},
		{"error=access_denied&error_reason=user_denied&error_description=Insufficient+developer+role", "Insufficient developer role", problem.NotInvited},
		{"error=access_denied&error_description=Your%20app%20is%20restricted%E2%80%AE", "Your app is restricted", problem.DeveloperRole},
		{"error=access_denied", "access_denied", problem.Denied},
		{"error=server_error&error_description=oh%0Ano", "oh no", problem.UnknownAnswer},
		{"error=server_error&error_description=" + strings.ReplaceAll(long, "xxxxxxxxxx", "x+"), strings.Repeat("x ", 49) + "x", problem.UnknownAnswer},
		{"error=strange&error_description=your+code+was+" + long, "your code was [hidden]", problem.UnknownAnswer},
		{"error=strange&error_description=secret+" + clientSecret, "secret [hidden]", problem.UnknownAnswer},
		{"error=", "", problem.UnknownAnswer},
	} {
		a := attempt(t, instagram(t))
		_, err := a.Read(row.query + "&state=" + a.State().Reveal())
		if p := problem.Of(err); p.Key != row.want || p.Provider != row.said || p.Args["provider"] != "Instagram" {
			t.Errorf("%.80s: %v, %q", row.query, err, p.Provider)
		}
		if !a.Used() {
			t.Errorf("%.80s: the attempt goes on", row.query)
		}
	}
}

func TestATT6_IssuerMustBeTheDefinitions(t *testing.T) {
	a := attempt(t, own(t))
	state := a.State().Reveal()
	for _, query := range []string{"code=x", "code=x&iss=https://evil.example", "code=x&iss=https://login.example/", "code=x&iss=https://login.example&iss=https://login.example"} {
		_, err := a.Read(query + "&state=" + state)
		if p := problem.Of(err); !problem.Has(err, problem.IssMismatch) || p.Args["issuer"] != "https://login.example" || a.Used() {
			t.Errorf("%s: %v", query, err)
		}
	}
	// A stranger's answer is a stranger's answer, whatever it names; a refusal
	// must name the issuer as well (RFC 9207 section 2).
	if _, err := a.Read("code=x&iss=https://evil.example&state=x"); !problem.Has(err, problem.AnswerForeign) {
		t.Error(err)
	}
	if _, err := a.Read("error=access_denied&state=" + state); !problem.Has(err, problem.IssMismatch) || a.Used() {
		t.Error(err)
	}
	if _, err := a.Read("code=x&iss=https%3A%2F%2Flogin.example&state=" + state); err != nil {
		t.Error(err)
	}
}

// Who does not promise "iss" may send none, and never another's.
func TestATT6_AnIssuerThatWasNotPromisedIsComparedToo(t *testing.T) {
	d := own(t)
	d.Authorize.IssOptional = true
	a := attempt(t, d)
	state := a.State().Reveal()
	for _, query := range []string{"code=x&iss=https://evil.example", "code=x&iss=", "code=x&iss=https://login.example&iss=https://login.example", "error=access_denied&iss=https://evil.example"} {
		if _, err := a.Read(query + "&state=" + state); !problem.Has(err, problem.IssMismatch) || a.Used() {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := a.Read("code=x&state=" + state); err != nil {
		t.Error(err)
	}
	a = attempt(t, d)
	if _, err := a.Read("code=x&iss=https://login.example&state=" + a.State().Reveal()); err != nil {
		t.Error(err)
	}
}

func TestATT13_RetiredAndEmptyAreRefusedBeforeAnAddressExists(t *testing.T) {
	r, _ := provider.Load("")
	retired, err := r.Get("instagram-basic-display")
	if err != nil {
		t.Fatal(err)
	}
	for want, make := range map[problem.Key]func() (provider.Definition, App, []string){
		problem.ProviderRetired: func() (provider.Definition, App, []string) { return retired, app(), nil },
		problem.ScopeUnknown:    func() (provider.Definition, App, []string) { return instagram(t), app(), []string{"x"} },
		problem.ClientIDLetters: func() (provider.Definition, App, []string) {
			a := app()
			a.ClientID = "12a"
			return instagram(t), a, nil
		},
		problem.SecretMissing: func() (provider.Definition, App, []string) {
			a := app()
			a.ClientSecret = secret.New(" \u200b ")
			return instagram(t), a, nil
		},
		problem.SecretTooLong: func() (provider.Definition, App, []string) {
			a := app()
			a.ClientSecret = secret.New(strings.Repeat("x", maxSecret+1))
			return instagram(t), a, nil
		},
		problem.FieldEmpty: func() (provider.Definition, App, []string) {
			a := app()
			a.RedirectURI = ""
			return instagram(t), a, nil
		},
		problem.ClientIDIsSecret: func() (provider.Definition, App, []string) {
			a := app()
			a.ClientID = clientSecret
			return instagram(t), a, nil
		},
	} {
		d, application, scopes := make()
		if a, err := NewAttempt(d, application, scopes, rand.Reader); a != nil || !problem.Has(err, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestATT15_MissingPermissions(t *testing.T) {
	asked := []string{"a", "b", "c"}
	for _, row := range []struct {
		granted, want []string
	}{
		{[]string{"c", "x"}, []string{"a", "b"}},
		{[]string{"a", "b", "c", "d"}, nil},
		{nil, nil},
	} {
		if got := Missing(asked, row.granted, false); !slices.Equal(got, row.want) || got == nil {
			t.Errorf("%+v: %v", row.granted, got)
		}
	}
}

func TestCheckScopes(t *testing.T) {
	d := instagram(t)
	for _, row := range []struct {
		in, want []string
		key      problem.Key
		args     map[string]string
	}{
		{nil, []string{"instagram_business_basic"}, "", nil},
		{[]string{"instagram_business_manage_insights, instagram_business_basic", "instagram_business_manage_insights"},
			[]string{"instagram_business_basic", "instagram_business_manage_insights"}, "", nil},
		{[]string{"business_manage_comments"}, nil, problem.ScopeRetired, map[string]string{"scope": "business_manage_comments", "replacement": "instagram_business_manage_comments"}},
		{[]string{"user_profile"}, nil, problem.ScopeRetired, map[string]string{"scope": "user_profile", "replacement": "instagram_business_basic"}},
		{[]string{"instagram_basic"}, nil, problem.ScopeOtherRoad, map[string]string{"scope": "instagram_basic", "road": "instagram-facebook"}},
		{[]string{"threads_basic"}, nil, problem.ScopeOtherRoad, map[string]string{"scope": "threads_basic", "road": "threads"}},
		{[]string{"instagram_business_basics"}, nil, problem.ScopeUnknown, map[string]string{"scope": "instagram_business_basics"}},
		{[]string{"INSTAGRAM_BUSINESS_BASIC"}, nil, problem.ScopeUnknown, nil},
		{[]string{"a\u202eb"}, nil, problem.ScopeUnknown, map[string]string{"scope": "ab"}},
	} {
		got, err := CheckScopes(d, row.in)
		if !slices.Equal(got, row.want) || (err == nil) != (row.key == "") || row.key != "" && !problem.Has(err, row.key) {
			t.Errorf("%v: %v, %v", row.in, got, err)
		}
		for name, want := range row.args {
			if got := problem.Of(err).Args[name]; got != want {
				t.Errorf("%v: %s is %q", row.in, name, got)
			}
		}
	}
	if got, err := CheckScopes(own(t), []string{"b a", "https://x.example/y"}); err != nil || !slices.Equal(got, []string{"b", "a", "https://x.example/y"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := CheckScopes(own(t), []string{"ü"}); !problem.Has(err, problem.ScopeUnknown) {
		t.Error(err)
	}
}

func TestCleanClientID(t *testing.T) {
	for in, want := range map[string]string{
		"990602627938098": "990602627938098", "  990602627938098\r\n": "990602627938098", "\"990602627938098\"": "990602627938098",
		"„990602627938098“": "990602627938098", "\ufeff9906\u200b02627938098\u00a0": "990602627938098", "'` 12 `'": "12",
		strings.Repeat("9", 31): strings.Repeat("9", 31),
	} {
		if got, err := CleanClientID(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]problem.Key{
		"": problem.FieldEmpty, " \u200b\t": problem.FieldEmpty, `""`: problem.FieldEmpty,
		clientSecret: problem.ClientIDIsSecret, " " + strings.ToUpper(clientSecret) + "\n": problem.ClientIDIsSecret,
		strings.Repeat("1", 32): problem.ClientIDIsSecret, strings.Repeat("1", 33): problem.ClientIDTooLong,
		"99060262793809a": problem.ClientIDLetters, "990602 627938098": problem.ClientIDLetters, "-1": problem.ClientIDLetters,
		"９９０６": problem.ClientIDLetters, "https://x": problem.ClientIDLetters,
	} {
		got, err := CleanClientID(in)
		if got != "" || !problem.Has(err, want) {
			t.Errorf("%q: %q, %v, want %s", in, got, err, want)
		}
		if strings.Contains(fmt.Sprint(err), clientSecret) {
			t.Error("the error shows the secret")
		}
		if want == problem.FieldEmpty && problem.Of(err).Args["field"] != "client_id" {
			t.Errorf("%v", err)
		}
	}
	for in, fine := range map[string]bool{"my-app.example_1~": true, " x ": true, clientSecret: true, "": false, "a b": false, "ü": false, strings.Repeat("x", 513): false} {
		if _, err := CleanClientIDFor(own(t), in); (err == nil) != fine {
			t.Errorf("another family, %q: %v", in, err)
		}
	}
	if _, err := CleanClientIDFor(instagram(t), "abc"); !problem.Has(err, problem.ClientIDLetters) {
		t.Error(err)
	}
	if got := CleanSecret(" \"" + clientSecret + "\u200b\" \n"); got.Reveal() != clientSecret {
		t.Error("the secret is not clean")
	}
	if !CleanSecret("  ").Empty() {
		t.Error("blanks are no secret")
	}
}

func TestSEC3_AnAttemptPrintsNothing(t *testing.T) {
	a := attempt(t, own(t))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		got := fmt.Sprintf(verb, a)
		for _, hidden := range []string{a.State().Reveal(), a.verifier.Reveal(), clientSecret} {
			if strings.Contains(got, hidden) {
				t.Errorf("%s shows a secret", verb)
			}
		}
	}
}

func TestTOK7_VerificationIsNeverOff(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), "_test.go") || !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		source, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(source, []byte("Insecure"+"SkipVerify")) {
			t.Errorf("%s mentions switching verification off", file.Name())
		}
	}
}
