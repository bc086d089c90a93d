package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenkeep/tokenkeep/resources"
)

func TestSEC13_ListensOnLoopbackOnly(t *testing.T) {
	for _, addr := range []string{
		"", ":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.0.0.2:0", "localhost", "127.0.0.1", "LOCALHOST:0", "localhost.:0",
		"localhost.example:0", "example.com:0", "127.0.0.1.example:0", "0:0", "127.1:0", "[::ffff:127.0.0.1]:0", "[::1%lo]:0", "http://127.0.0.1:0",
	} {
		running, err := Start(t.Context(), addr, Options{})
		if err == nil {
			running.Stop()
		}
		if !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%q: %v", addr, err)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "localhost:0"} {
		running, err := Start(t.Context(), addr, Options{})
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		host, _, _ := net.SplitHostPort(strings.TrimPrefix(running.URL, "http://"))
		if !net.ParseIP(host).IsLoopback() {
			t.Errorf("%s listens on %s", addr, running.URL)
		}
		running.Stop()
	}
}

func TestSEC13_ForeignHostsAndPagesAreRefused(t *testing.T) {
	v := visit(t, Options{})
	port := v.URL[strings.LastIndex(v.URL, ":"):]
	for host, status := range map[string]int{
		"127.0.0.1" + port: 200, "localhost" + port: 200, "[::1]" + port: 200,
		"evil.example" + port: 421, "localhost.evil.example" + port: 421, "evil.example": 421, "127.0.0.1.evil.example" + port: 421,
		"LOCALHOST" + port: 421, "localhost." + port: 421, "127.0.0.1:1": 421, "127.0.0.1": 421, "localhost": 421, "[::1]": 421,
		"127.0.0.2" + port: 421, "www.instagram.com": 421,
	} {
		for _, path := range []string{"/", authorizePath + "?" + query(), "/_/log"} {
			if r := v.do(http.MethodGet, path, nil, "Host", host); r.StatusCode != status {
				t.Errorf("Host %s: %d, want %d", host, r.StatusCode, status)
			}
		}
	}
	for name, headers := range map[string][]string{
		"another site":                {"Sec-Fetch-Site", "cross-site"},
		"another port here":           {"Sec-Fetch-Site", "same-site"},
		"another site, older browser": {"Origin", "https://evil.example"},
		"a page without an origin":    {"Origin", "null"},
	} {
		for _, path := range []string{"/_/scenario", authorizePath + "?" + query(), exchangePath} {
			if r := v.do(http.MethodPost, path, strings.NewReader(`{"scenario":"deny"}`), headers...); r.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, path, r.StatusCode)
			}
		}
	}
	if r := v.do(http.MethodPost, authorizePath+"?"+query(), strings.NewReader("decision=deny&person=mia.kessler"), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Origin", v.URL); r.StatusCode != http.StatusFound {
		t.Errorf("our own form: %d", r.StatusCode)
	}
}

func TestSEC13_TokensAreMarked(t *testing.T) {
	v := visit(t, Options{})
	short, long := v.short(), v.long()
	for name, c := range map[string]struct {
		token string
		want  bool
	}{
		"short": {short, true}, "long": {long, true}, "quoted": {" \"" + long + "\"\n", true}, "cut": {long[:40], true}, "damaged": {long + "x", true},
		"empty": {"", false}, "real": {"IGAA" + strings.Repeat("x", 179), false}, "Facebook's": {"EAA" + mark, true}, "mark elsewhere": {"XAA" + mark, false}, "prefix": {"IGAA", false},
	} {
		if IsPractice(c.token) != c.want {
			t.Errorf("%s: IsPractice is %v", name, !c.want)
		}
	}
	if !strings.HasPrefix(long, "IGAAPracticeOnly") {
		t.Error("a person who reads the token does not see that it is pretend")
	}
}

func TestSEC13_ARealSecretIsRefused(t *testing.T) {
	v := visit(t, Options{})
	const secret = "3f1d0b7e5a9c42d8861e0c47ab95d203"
	r := v.exchange(exchange(v.code(), "client_secret", secret))
	v.flatError(r, messageSecret)
	log := v.get("/_/log")
	if strings.Contains(r.body+log.body, secret) {
		t.Error("the secret is repeated")
	}
}

func TestPagesRunNoScriptAndSayWhatTheyAre(t *testing.T) {
	v := visit(t, Options{})
	refusal := "/www.instagram.com/oauth/authorize/third_party/error/"
	pages := map[string]int{
		authorizePath + "?" + query(): 200,
		"/":                           200,
		refusal + "?message=x":        200,
		refusal:                       200,
		"/www.instagram.com/accounts/manage_access/":      200,
		"/www.instagram.com/p/PRlantern1/":                200,
		"/www.instagram.com/p/nothing/":                   404,
		"/nothing":                                        404,
		"/graph.example.com/me":                           404,
		"/scontent.cdninstagram.com/../../etc/passwd":     404,
		"/scontent.cdninstagram.com/person/nobody.png":    404,
		"/www.instagram.com/oauth/authorize/":             404,
		"/www.instagram.com/accounts/manage_access/extra": 404,
	}
	script := regexp.MustCompile(`(?i)<script|javascript:|\son[a-z]+=|style=|https?://[a-z.]*(instagram|facebook|google)`)
	for path, status := range pages {
		r := v.get(path)
		if r.StatusCode != status || !strings.Contains(r.body, "Practice. This is not Instagram.") || script.MatchString(r.body) || !strings.Contains(r.body, `<html lang="en">`) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
		policy := r.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action '") {
			t.Errorf("%s: policy %s", path, policy)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Set-Cookie": ""} {
			if r.Header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, r.Header.Get(name))
			}
		}
		if path != "/" && status == 200 {
			if r := v.do(http.MethodDelete, path, nil); r.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("DELETE %s: %d", path, r.StatusCode)
			}
		}
	}
	if r := v.get("/"); !strings.Contains(r.body, ClientID) || !strings.Contains(r.body, ClientSecret) {
		t.Error("the front page does not show the practice app")
	}
	// The page speaks the provider's words only.
	for _, message := range []string{"Call this number", "<b>x</b>", "Invalid"} {
		if r := v.get(refusal, "message", message); strings.Contains(r.body, message+"<") || !strings.Contains(r.body, "Sorry, something went wrong.") {
			t.Errorf("the page says %s", message)
		}
	}
	if r := v.get(refusal, "message", pageScope+`<img src=x>`); strings.Contains(r.body, "<img") {
		t.Error("the message is not escaped")
	}
	if r := v.get("/style.css"); r.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(r.body, ".strip") {
		t.Errorf("style sheet: %d", r.StatusCode)
	}
	for _, path := range []string{"/style.css", "/scontent.cdninstagram.com/person/mia.kessler.png"} {
		if r := v.do(http.MethodPost, path, nil); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, r.StatusCode)
		}
		if r := v.do(http.MethodHead, path, nil); r.StatusCode != http.StatusOK || r.body != "" {
			t.Errorf("HEAD %s: %d", path, r.StatusCode)
		}
	}
	files, err := fs.Glob(resources.SandboxPages, "pages/sandbox/*")
	if err != nil || len(files) != 3 {
		t.Errorf("a page that no test draws: %v %v", files, err)
	}
}

func TestPictures(t *testing.T) {
	v := visit(t, Options{})
	seen := map[string]string{}
	names := []string{}
	for _, p := range people {
		names = append(names, p.pictureName())
		for _, m := range p.posts {
			names = append(names, m.pictureName())
		}
	}
	for _, name := range names {
		r := v.get("/scontent.cdninstagram.com/" + name)
		m, err := png.Decode(strings.NewReader(r.body))
		if err != nil || m.Bounds().Dx() != m.Bounds().Dy() || m.Bounds().Dx() < 160 || len(r.body) > 64<<10 {
			t.Errorf("%s: %d bytes, %v", name, len(r.body), err)
		}
		if before, same := seen[r.body]; same {
			t.Errorf("%s looks like %s", name, before)
		}
		seen[r.body] = name
	}
}

func TestTheTablesAreSound(t *testing.T) {
	numbers, ids := map[string]bool{}, map[string]bool{}
	once := func(kind string, number int) {
		key := fmt.Sprint(kind, " ", number)
		if numbers[key] {
			t.Errorf("%s appears twice", key)
		}
		numbers[key] = true
	}
	for _, d := range dialects {
		once("dialect", int(d.number))
		if len(d.scopes) > 16 || ids[d.id] || ids[d.prefix] {
			t.Errorf("dialect %s", d.name)
		}
		ids[d.id], ids[d.prefix] = true, true
		// Meta's secrets have one form; that of another server may be anything
		// that has to be encoded.
		if d.number != numberGeneric && (len(d.clientSecret) != 32 || strings.Trim(d.clientSecret, "0123456789abcdef") != "" || strings.Trim(d.clientID, "0123456789") != "") {
			t.Errorf("app of dialect %s", d.name)
		}
		if ids[d.clientID] || ids[d.clientSecret] {
			t.Errorf("app of dialect %s is another's", d.name)
		}
		ids[d.clientID], ids[d.clientSecret] = true, true
	}
	for _, s := range scenarios {
		once("scenario", int(s.number))
		if s.name == "" || s.label == "" || ids[s.name] {
			t.Errorf("scenario %+v", s)
		}
		ids[s.name] = true
	}
	for _, p := range people {
		once("person", int(p.number))
		for _, id := range []string{p.accountID.String(), p.scopedID.String(), p.username} {
			if ids[id] {
				t.Errorf("%s appears twice", id)
			}
			ids[id] = true
		}
		for _, id := range []string{p.accountID.String(), p.scopedID.String()} {
			n, err := p.accountID.Int64()
			if err != nil || n < 1<<53 || !strings.ContainsAny(id[len(id)-1:], "13579") {
				t.Errorf("%s would survive a floating point number", id)
			}
		}
	}
}

func TestBodiesAndHeadersHaveLimits(t *testing.T) {
	v := visit(t, Options{})
	q := exchange(v.code(), "padding", strings.Repeat("x", bodyLimit))
	body, kind := parts(q)
	if r := v.do(http.MethodPost, exchangePath, body, "Content-Type", kind); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("multipart: %d %s", r.StatusCode, r.body)
	}
	if r := v.do(http.MethodPost, exchangePath, strings.NewReader(q.Encode()), "Content-Type", "application/x-www-form-urlencoded"); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("form: %d %s", r.StatusCode, r.body)
	}
	if r := v.do(http.MethodGet, "/", nil, "X-Long", strings.Repeat("x", 64<<10)); r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("header: %d", r.StatusCode)
	}
	if r := v.do(http.MethodPost, "/_/scenario", io.MultiReader(strings.NewReader(`{"scenario":"`), bytes.NewReader(bytes.Repeat([]byte("x"), controlLimit)), strings.NewReader(`"}`))); r.StatusCode != http.StatusBadRequest {
		t.Errorf("control: %d", r.StatusCode)
	}
}

// The handler also works where another server listens, and says in every
// answer that it was asked for something that does not exist.
func TestHandlerAlone(t *testing.T) {
	server := httptest.NewServer(New(Options{Auto: true}))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%d", response.StatusCode)
	}
	for name, c := range map[string]struct {
		options Options
		host    string
		status  int
	}{
		"fine":             {Options{}, "localhost", 200},
		"IPv6":             {Options{}, "[::1]", 200},
		"IPv6 bare":        {Options{}, "::1", 421},
		"foreign":          {Options{}, "example.com", 421},
		"unknown scenario": {Options{Scenario: "flood"}, "localhost", 500},
		"unknown person":   {Options{Person: "stranger"}, "localhost", 500},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host, r.Body = c.host, nil
		New(c.options).ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", name, w.Code, c.status)
		}
	}
	// Where a connection cannot be dropped, that is said.
	s := New(Options{})
	if err := s.AddFault(Fault{Path: "/", Drop: true}); err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "localhost"
	s.ServeHTTP(w, r)
	if w.Code != http.StatusBadGateway {
		t.Errorf("drop: %d", w.Code)
	}
}

// A second opinion: a client that nobody here wrote signs in. It sends the
// exchange urlencoded, so its token works for an hour and no longer.
func TestAnIndependentClientSignsIn(t *testing.T) {
	v := visit(t, Options{Auto: true})
	config := oauth2.Config{
		ClientID: ClientID, ClientSecret: ClientSecret, RedirectURL: redirect, Scopes: []string{basic},
		Endpoint: oauth2.Endpoint{AuthURL: v.URL + authorizePath, TokenURL: v.URL + exchangePath, AuthStyle: oauth2.AuthStyleInParams},
	}
	q := v.answer(v.get(strings.TrimPrefix(config.AuthCodeURL("st&te +"), v.URL)))
	if q.Get("state") != "st&te +" {
		t.Errorf("state is %q", q.Get("state"))
	}
	got, err := config.Exchange(t.Context(), q.Get("code"))
	if err != nil || !IsPractice(got.AccessToken) {
		t.Fatalf("exchange: %v", err)
	}
	v.graphError(v.extend(got.AccessToken), "Unsupported request - method type: get", "IGApiException", 100, 0)
}

func FuzzDecodeToken(f *testing.F) {
	d := dialects[0]
	at := time.Date(2026, 11, 22, 9, 14, 0, 0, time.UTC)
	good := token{dialect: d, kind: long, person: people[1], scopes: 3, scenario: 5, urlencoded: true, issued: at, ends: at.Add(longLife)}
	for _, s := range []string{good.encode(0), good.encode(2500), good.encode(0)[:100], "IGAA" + mark, "IGAA", "EAA", "", good.encode(0) + "=", "IGAA" + mark + strings.Repeat("A", 167)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := d.decode(s)
		if err != nil {
			if got.dialect != nil || got.kind != 0 || got.person.number != 0 {
				t.Error("a refused token says something")
			}
			return
		}
		if !IsPractice(s) || (got.kind != short && got.kind != long) || got.person.number == 0 {
			t.Errorf("accepted %q as %+v", s, got)
		}
	})
}

func FuzzAuthorizationQuery(f *testing.F) {
	d := dialects[0]
	for _, s := range []string{query(), query("redirect_uri", "http://[::1]:8919/?a=b"), query("scope", basic+" "+comments), query("redirect_uri", "https://a;b/"), "a=%zz", "", query("state", "\x00é+%26")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, message := d.readAuthorization(raw)
		if message != "" {
			if len(message) > 300 || strings.ContainsFunc(message, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("message %q", message)
			}
			return
		}
		if strings.ContainsAny(a.origin, " ;,'\"") || strings.ContainsAny(a.redirectURI, "\r\n #") || a.scopes&d.required() != d.required() {
			t.Errorf("accepted %+v", a)
		}
		s := New(Options{Auto: true})
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, authorizePath, nil)
		r.Host, r.URL.RawQuery = "localhost", raw
		s.ServeHTTP(w, r)
		if location := w.Header().Get("Location"); w.Code != http.StatusFound || !strings.HasPrefix(location, a.redirectURI) || !strings.HasSuffix(location, "#_") {
			t.Errorf("%d %q", w.Code, location)
		}
	})
}

func FuzzGraphPathAndFields(f *testing.F) {
	for _, s := range [][2]string{{"v25.0/me", "id,username"}, {"17841400000000117/media", "id,children{id,media_type}"}, {"me/media", "}{,,{"}, {"", ""}} {
		f.Add(s[0], s[1])
	}
	pattern := regexp.MustCompile(`^((v2[0-6]\.0/)?(me|\{id\})(/media)?)?$`)
	f.Fuzz(func(t *testing.T, path, fields string) {
		node, edge, name := graphPath(path)
		if (name == "") != (node == "") || (edge != "" && edge != "media") || !pattern.MatchString(name) {
			t.Errorf("%q is %q %q %q", path, node, edge, name)
		}
		for _, field := range splitFields(fields) {
			if field == "" || !strings.Contains(fields, field) {
				t.Errorf("%q gives %q", fields, field)
			}
		}
	})
}

// BenchmarkWholeFlow is authorize, exchange, extend, me over a socket: what the
// pretend provider costs in a measurement of the client.
func BenchmarkWholeFlow(b *testing.B) {
	v := visit(b, Options{Auto: true})
	for b.Loop() {
		code := v.answer(v.get(authorizePath + "?" + query())).Get("code")
		access := v.accessToken(v.extend(v.accessToken(v.exchange(exchange(code)))))
		if r := v.get(mePath, "fields", "user_id,username", "access_token", access); r.StatusCode != http.StatusOK {
			b.Fatal(r.body)
		}
	}
}
