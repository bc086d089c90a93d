package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func TestMain(m *testing.M) {
	if os.Getenv("TOKENKEEP_TEST_PROXY_CHILD") != "" {
		proxyChild()
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	canaryCode  = "AQBx-canary-code-0123456789"
	canaryShort = "IGAAcanaryshort0123456789ZDZD"
	canaryLong  = "IGAAcanarylong0123456789ZDZD"
)

// heard is one request as a server saw it.
type heard struct {
	method, path, kind string
	values             url.Values
	header             http.Header
	files              int
}

// server answers with whatever the test says, and remembers what it heard.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	heard []heard
}

func serve(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(s.remember(answer))
	t.Cleanup(s.Close)
	return s
}

func (s *server) remember(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := heard{method: r.Method, path: r.URL.Path, header: r.Header.Clone()}
		h.kind, _, _ = mime.ParseMediaType(r.Header.Get("Content-Type"))
		if h.kind == "multipart/form-data" {
			if err := r.ParseMultipartForm(1 << 20); err == nil {
				h.files = len(r.MultipartForm.File)
			}
		} else {
			_ = r.ParseForm()
		}
		h.values = r.Form
		s.mu.Lock()
		s.heard = append(s.heard, h)
		s.mu.Unlock()
		answer(w, r)
	})
}

func (s *server) requests() []heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

// practice is Instagram with every address at the server.
func (s *server) practice(t testing.TB) provider.Definition {
	t.Helper()
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return instagram(t).Practice(base)
}

func client(t testing.TB, d provider.Definition) *Client {
	t.Helper()
	c := &Client{HTTP: NewHTTP(d.Hosts()), Known: &secret.Known{}}
	// One client serves a whole sign-in and knows what went before.
	c.Known.Add(secret.New(canaryCode), secret.New(canaryShort), secret.New(clientSecret))
	t.Cleanup(c.HTTP.CloseIdleConnections)
	return c
}

func body(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// exchange runs one exchange against an answer.
func exchange(t *testing.T, answer http.HandlerFunc) (Token, error, *server) {
	t.Helper()
	s := serve(t, answer)
	d := s.practice(t)
	got, err := client(t, d).Exchange(t.Context(), attempt(t, d), secret.New(canaryCode))
	return got, err, s
}

func short() Token {
	return Token{Access: secret.New(canaryShort), UserID: "17841400000000001", Scopes: []string{"instagram_business_basic"}, ScopesKnown: true}
}

// tells fails when an error, or anything below it, holds one of our secrets.
func tells(t *testing.T, err error, more ...string) {
	t.Helper()
	var printed strings.Builder
	for below := err; below != nil; below = errors.Unwrap(below) {
		fmt.Fprintf(&printed, "%v %+v %#v %q\n", below, below, below, below)
	}
	if p := problem.Of(err); p != nil {
		fmt.Fprintf(&printed, "%+v %s", p.Args, p.Provider)
	}
	for _, hidden := range append([]string{canaryCode, canaryShort, canaryLong, clientSecret}, more...) {
		for _, form := range secret.Forms(secret.New(hidden)) {
			if strings.Contains(printed.String(), form) {
				t.Errorf("an error shows %q:\n%s", form, printed.String())
			}
		}
	}
}

func TestExchangeIsMultipartAndComplete(t *testing.T) {
	_, err, s := exchange(t, body(200, `{"access_token":"`+canaryShort+`","user_id":1}`))
	if err != nil {
		t.Fatal(err)
	}
	asked := s.requests()
	if len(asked) != 1 {
		t.Fatalf("%d requests", len(asked))
	}
	want := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "grant_type": {"authorization_code"}, "redirect_uri": {redirectURI}, "code": {canaryCode}}
	r := asked[0]
	if r.method != "POST" || r.path != "/api.instagram.com/oauth/access_token" || r.kind != "multipart/form-data" || r.files != 0 || r.values.Encode() != want.Encode() {
		t.Errorf("%+v", r)
	}
	if r.header.Get("Referer") != "" || r.header.Get("Cookie") != "" || r.header.Get("Accept") != "application/json" || r.header.Get("Authorization") != "" {
		t.Errorf("%v", r.header)
	}
}

// The same exchange as a library that others trust sends it, as a form.
func TestTOK3_ExchangeSecondOpinion(t *testing.T) {
	s := serve(t, body(200, `{"access_token":"t","token_type":"bearer"}`))
	d := own(t)
	d.Exchange.URL = s.URL + "/token"
	a := attempt(t, d)
	if _, err := client(t, d).Exchange(t.Context(), a, secret.New(canaryCode)); err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI,
		Endpoint: oauth2.Endpoint{TokenURL: d.Exchange.URL, AuthStyle: oauth2.AuthStyleInParams}}
	theirs := &http.Client{Transport: &http.Transport{}}
	defer theirs.CloseIdleConnections()
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, theirs)
	if _, err := config.Exchange(ctx, canaryCode, oauth2.VerifierOption(a.verifier.Reveal())); err != nil {
		t.Fatal(err)
	}
	asked := s.requests()
	if len(asked) != 2 || asked[0].kind != asked[1].kind || asked[0].method != asked[1].method || asked[0].values.Encode() != asked[1].values.Encode() {
		t.Errorf("%+v", asked)
	}
}

func TestExchangeReadsBothForms(t *testing.T) {
	for _, row := range []struct {
		name, answer, user string
		scopes             []string
		known              bool
	}{
		{"flat, list, number", `{"access_token":"` + canaryShort + `","user_id":17841400000000001,"permissions":["instagram_business_basic","instagram_business_content_publish"]}`,
			"17841400000000001", []string{"instagram_business_basic", "instagram_business_content_publish"}, true},
		{"flat, text, string", `{"access_token":"` + canaryShort + `","user_id":"17841400000000001","permissions":"instagram_business_basic, instagram_business_manage_comments"}`,
			"17841400000000001", []string{"instagram_business_basic", "instagram_business_manage_comments"}, true},
		{"nested", `{"data":[{"access_token":"` + canaryShort + `","user_id":"1020","permissions":"a,b,a"}]}`, "1020", []string{"a", "b"}, true},
		{"beyond 2^53", `{"access_token":"` + canaryShort + `","user_id":99999999999999999999}`, "99999999999999999999", nil, false},
		{"no permissions", `{"access_token":"` + canaryShort + `","permissions":[],"user_id":null}`, "", nil, true},
		{"nulls", `{"access_token":"` + canaryShort + `","permissions":null,"expires_in":null,"token_type":null,"error":null,"error_message":""}`, "", nil, false},
	} {
		got, err, _ := exchange(t, body(200, row.answer))
		if err != nil || got.Access.Reveal() != canaryShort || got.UserID != row.user || !slices.Equal(got.Scopes, row.scopes) || got.ScopesKnown != row.known || got.Long {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
		if got.ExpiresAt.Sub(got.SentAt) != time.Hour {
			t.Errorf("%s: %v, want one hour", row.name, got.ExpiresAt.Sub(got.SentAt))
		}
	}
}

func TestTOK13_LifetimesCountFromSending(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, off := range []time.Duration{0, time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", start.Add(off).Add(10*time.Second).Format(http.TimeFormat))
			body(200, `{"access_token":"`+canaryLong+`","token_type":"Bearer","expires_in":5183944}`)(w, r)
		})
		d := s.practice(t)
		c := client(t, d)
		now := start.Add(-20 * time.Second)
		// Each look at the clock is twenty seconds later than the last.
		c.Now = func() time.Time { now = now.Add(20 * time.Second); return now }
		got, err := c.Extend(t.Context(), attempt(t, d), short())
		if err != nil || !got.SentAt.Equal(start) || !got.ExpiresAt.Equal(start.Add(5183944*time.Second)) || got.Skew != off || !got.Long || got.Type != "bearer" {
			t.Errorf("%v: sent %v, ends %v, skew %v, %v", off, got.SentAt, got.ExpiresAt, got.Skew, err)
		}
	}
	for _, date := range []string{"yesterday", ""} {
		if got, ok := skew(date, start, start); got != 0 || ok {
			t.Errorf("%q: %v, %v", date, got, ok)
		}
	}
}

func TestExtendAsksAsDocumented(t *testing.T) {
	s := serve(t, body(200, `{"access_token":"`+canaryLong+`","token_type":"bearer","expires_in":"5183944"}`))
	d := s.practice(t)
	got, err := client(t, d).Extend(t.Context(), attempt(t, d), short())
	if err != nil || got.Access.Reveal() != canaryLong || got.UserID != short().UserID || !slices.Equal(got.Scopes, short().Scopes) || !got.ScopesKnown {
		t.Fatalf("%+v, %v", got, err)
	}
	r := s.requests()[0]
	want := url.Values{"grant_type": {"ig_exchange_token"}, "client_id": {clientID}, "client_secret": {clientSecret}, "access_token": {canaryShort}}
	if r.method != "GET" || r.path != "/graph.instagram.com/access_token" || r.values.Encode() != want.Encode() {
		t.Errorf("%+v", r)
	}
	// Without a stated end it is unknown, never a guess.
	s = serve(t, body(200, `{"access_token":"`+canaryLong+`"}`))
	d = s.practice(t)
	if got, err = client(t, d).Extend(t.Context(), attempt(t, d), short()); err != nil || !got.ExpiresAt.IsZero() {
		t.Errorf("%v, %v", got.ExpiresAt, err)
	}
	// A provider without the step gives the token back.
	d.Extend = provider.Step{}
	if got, err = client(t, d).Extend(t.Context(), attempt(t, d), short()); err != nil || got.Access.Reveal() != canaryShort || got.Long {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestExtendRefusals(t *testing.T) {
	for _, row := range []struct {
		status int
		answer string
		want   problem.Key
		said   string
	}{
		{400, `{"error":{"message":"Unsupported request - method type: get","type":"IGApiException","code":100,"fbtrace_id":"A1b2"}}`, problem.ExtendRefused, "Unsupported request - method type: get"},
		{400, `{"error":{"message":"Session key invalid","type":"OAuthException","code":452}}`, problem.AlreadyLong, "Session key invalid"},
		{400, `{"error":{"message":"Error validating client secret.","type":"OAuthException","code":1}}`, problem.AppSecretRefused, "Error validating client secret."},
		{400, `{"error":{"message":"something new","type":"OAuthException","code":1}}`, problem.ExtendRefused, "something new"},
		{200, `{"error":{"message":"something new","code":1}}`, problem.ExtendRefused, "something new"},
		{400, `{"error":{"message":"something new","code":2,"is_transient":true}}`, problem.ProviderDown, "something new"},
		{500, `{"error":{"message":"something new","code":2}}`, problem.ProviderDown, "something new"},
		{403, `{"error":{"message":"(#4) Application request limit reached","code":4}}`, problem.ProviderBusy, "(#4) Application request limit reached"},
	} {
		s := serve(t, body(row.status, row.answer))
		d := s.practice(t)
		_, err := client(t, d).Extend(t.Context(), attempt(t, d), short())
		if p := problem.Of(err); p.Key != row.want || p.Provider != row.said || p.Args["provider"] != "Instagram" || p.Args["host"] == "" {
			t.Errorf("%s: %v %q", row.answer, err, p.Provider)
		}
		if row.want == problem.ProviderBusy && problem.Of(err).Args["minutes"] != "60" {
			t.Errorf("%v", err)
		}
		if strings.Contains(row.answer, "fbtrace") && problem.Of(err).Args["trace"] != "A1b2" {
			t.Errorf("%v", err)
		}
		tells(t, err)
	}
}

func TestIdentify(t *testing.T) {
	for _, row := range []struct {
		answer string
		want   Person
	}{
		{`{"user_id":"17841400000000000","username":"harbour.coffee","account_type":"BUSINESS","media_count":412,"name":"Harbour Coffee","id":"999"}`,
			Person{"17841400000000000", "harbour.coffee", "Harbour Coffee", "BUSINESS", 412}},
		{`{"data":[{"user_id":17841400000000000,"username":"mia","account_type":"Media_Creator"}]}`, Person{"17841400000000000", "mia", "", "MEDIA_CREATOR", -1}},
		{`{"user_id":"1","username":"a\u202eb\u0000c","name":{"x":1},"media_count":"many"}`, Person{"1", "abc", "", "", -1}},
	} {
		s := serve(t, body(200, row.answer))
		d := s.practice(t)
		got, err := client(t, d).Identify(t.Context(), d, short())
		if err != nil || got != row.want {
			t.Errorf("%s: %+v, %v", row.answer, got, err)
		}
		r := s.requests()[0]
		if r.method != "GET" || r.path != "/graph.instagram.com/v25.0/me" || r.values.Get("fields") != "user_id,username,name,account_type,media_count" || r.values.Get("access_token") != canaryShort {
			t.Errorf("%+v", r)
		}
	}
	for answer, want := range map[string]problem.Key{
		`{"id":"999","username":"x"}`: problem.ProviderOddAnswer, `{"data":[]}`: problem.ProviderOddAnswer, `{"data":{}}`: problem.ProviderOddAnswer,
		`{"data":[{"user_id":"1"},{"user_id":"2"}]}`: problem.ProviderOddAnswer, `{"user_id":1.5}`: problem.ProviderOddAnswer, `{"user_id":-1}`: problem.ProviderOddAnswer,
		`{"user_id":"a b"}`: problem.ProviderOddAnswer, `{"user_id":true}`: problem.ProviderOddAnswer,
		`{"error":{"message":"new","code":1}}`:              problem.IdentityUnavailable,
		`{"error":{"code":190,"error_subcode":460}}`:        problem.PasswordChanged,
		`{"error":{"message":"Cannot parse access token"}}`: problem.TokenOtherService,
	} {
		s := serve(t, body(200, answer))
		d := s.practice(t)
		if _, err := client(t, d).Identify(t.Context(), d, short()); !problem.Has(err, want) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	// Another family takes the token in a header.
	s := serve(t, body(200, `{"user_id":"1"}`))
	d := own(t)
	d.Identity.URL = s.URL + "/me"
	if _, err := client(t, d).Identify(t.Context(), d, short()); err != nil {
		t.Fatal(err)
	}
	if r := s.requests()[0]; r.header.Get("Authorization") != "Bearer "+canaryShort || len(r.values) != 0 {
		t.Errorf("%+v", r)
	}
	d.Identity = provider.Identity{}
	if _, err := client(t, d).Identify(t.Context(), d, short()); !problem.Has(err, problem.IdentityUnavailable) {
		t.Error(err)
	}
}

func TestTOK5_RefusalsInEveryDialectAndStatus(t *testing.T) {
	for _, row := range []struct {
		answer string
		want   problem.Key
	}{
		{`{"error_type":"OAuthException","code":400,"error_message":"Invalid platform app"}`, problem.AppIDIsFacebook},
		{`{"error_type":"OAuthException","code":400,"error_message":"Matching code was not found or was already used"}`, problem.CodeRefused},
		{`{"error_type":"OAuthException","code":400,"error_message":"This authorization code has been used"}`, problem.CodeUsed},
		{`{"error":{"message":"Error validating verification code.","type":"OAuthException","code":100,"error_subcode":36008}}`, problem.RedirectMismatch},
		{`{"error":{"error_user_msg":"Invalid redirect_uri"}}`, problem.RedirectUnknown},
		{`{"error_message":"something new","error_code":1349168}`, problem.UnknownAnswer},
		{`{"error":"invalid_grant","error_description":"something new"}`, problem.UnknownAnswer},
		{`{"error":"invalid_grant"}`, problem.UnknownAnswer},
		{`{"error":{}}`, problem.UnknownAnswer},
		{`{"error":[1]}`, problem.UnknownAnswer},
		{`{"data":[{"error_type":"x","error_message":"Invalid platform app"}]}`, problem.AppIDIsFacebook},
		{`{"access_token":"` + canaryShort + `","error":"but"}`, problem.UnknownAnswer},
		{`{"access_token":"` + canaryShort + `","error_message":"Invalid platform app"}`, problem.AppIDIsFacebook},
	} {
		for _, status := range []int{200, 400} {
			got, err, _ := exchange(t, body(status, row.answer))
			if !problem.Has(err, row.want) || !got.Access.Empty() {
				t.Errorf("%d %s: %v", status, row.answer, err)
			}
			if row.want == problem.RedirectMismatch && problem.Of(err).Args["redirect_uri"] != redirectURI {
				t.Errorf("%v", err)
			}
			tells(t, err)
		}
	}
}

func TestKnownLearnsEverySecret(t *testing.T) {
	s := serve(t, body(200, `{"access_token":"`+canaryLong+`"}`))
	d := s.practice(t)
	c := client(t, d)
	c.Known = &secret.Known{}
	if _, err := c.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode)); err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{canaryCode, canaryLong, clientSecret} {
		if got := c.Known.Scrub(hidden); got != secret.Hidden {
			t.Errorf("%q is not known", hidden)
		}
	}
	if got := c.Known.Scrub(clientID); got != clientID {
		t.Error("the client id is no secret")
	}
	// Nothing breaks without a set; what is sent is then still hidden.
	plain := &Client{HTTP: c.HTTP}
	if _, err := plain.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode)); err != nil {
		t.Error(err)
	}
	s = serve(t, body(400, `{"error_type":"x","error_message":"no `+canaryCode+" "+clientSecret+`"}`))
	d = s.practice(t)
	plain.HTTP = client(t, d).HTTP
	_, err := plain.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode))
	tells(t, err)
	if _, err := (&Client{}).Exchange(t.Context(), attempt(t, d), secret.New(canaryCode)); !problem.Has(err, problem.Unexpected) {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, " 0 ": 0, "999999999999999999999999": 24 * time.Hour, "86401": 24 * time.Hour,
		now.Add(time.Hour).Format(http.TimeFormat): time.Hour, now.Add(1000 * time.Hour).Format(http.TimeFormat): 24 * time.Hour,
		"": -1, "-5": -1, "soon": -1, "1.5": -1, "1e3": -1, now.Add(-time.Hour).Format(http.TimeFormat): -1,
	} {
		got, ok := RetryAfter(value, now)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v", value, got, ok)
		}
	}
}

func FuzzRead(f *testing.F) {
	a := attempt(f, instagram(f))
	state := a.State().Reveal()
	for _, seed := range []string{"code=x&state=S#_", "error=access_denied&state=S", "code=a&code=b&state=S", "%zz", "state=S%23_&code=x%23_", "#access_token=x&state=S", "a;b=c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		// Without the state nothing is ever given out and nothing ends.
		if !strings.Contains(query, state) {
			if code, err := a.Read(query); err == nil || !code.Empty() || !problem.Has(err, problem.AnswerForeign) {
				if plain, _ := url.QueryUnescape(query); !strings.Contains(plain, state) {
					t.Fatalf("%q: %v", query, err)
				}
			}
			if a.Used() {
				t.Fatalf("%q ended the attempt", query)
			}
		}
		fresh := attempt(t, a.definition)
		code, err := fresh.Read(strings.ReplaceAll(query, "S", fresh.State().Reveal()))
		if (err == nil) == code.Empty() {
			t.Fatalf("%q: code and error, or neither", query)
		}
		if err == nil && !visible(code.Reveal(), maxQuery) {
			t.Fatalf("%q gave %q", query, code.Reveal())
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"x","user_id":17841400000000000,"permissions":["a"],"expires_in":3600}`, `{"data":[{"access_token":"x","permissions":"a,b"}]}`,
		`{"error_type":"OAuthException","code":400,"error_message":"x"}`, `{"error":{"message":"x","code":190,"error_subcode":463}}`, `{"error_message":"x","error_code":1}`,
		`{"user_id":"1","username":"x","media_count":1}`, `{"a":1,"a":2}`, "\ufeff{}", `[]`, `null`, `{}{}`, strings.Repeat("[", 40), `{"access_token":"\u0000"}`, `{"expires_in":1e9,"access_token":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	names := instagram(f).Identity.Fields
	f.Fuzz(func(t *testing.T, source []byte) {
		top, err := parseObject(source)
		if err != nil {
			return
		}
		if !json.Valid(source) {
			t.Fatal("accepted what is no JSON")
		}
		refusalIn(top)
		for _, meta := range []bool{true, false} {
			got, lifetime, err := parseToken(top, meta)
			if err != nil {
				continue
			}
			if !visible(got.Access.Reveal(), maxToken) || lifetime > maxLifetime*time.Second || lifetime < -1 || len(got.UserID) > maxUserID || len(got.Scopes) > maxScopes {
				t.Fatalf("%+v, %v", got, lifetime)
			}
		}
		if p, err := parsePerson(top, names); err == nil && (p.UserID == "" || p.Posts < -1 || len([]rune(p.Username)) > 101) {
			t.Fatalf("%+v", p)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 06 Nov 1994 08:49:37 GMT")
	f.Add("99999999999999999999999999999")
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		if wait, ok := RetryAfter(value, now); ok && (wait < 0 || wait > 24*time.Hour) {
			t.Fatalf("%q: %v", value, wait)
		}
	})
}
