package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	redirect = "https://localhost:8919/"
	basic    = "instagram_business_basic"
	comments = "instagram_business_manage_comments"
	insights = "instagram_business_manage_insights"
)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 9, 14, 0, 500e6, time.UTC)} }

// visitor speaks to a running sandbox as a client and a browser would. It
// follows no redirect by itself.
type visitor struct {
	testing.TB
	*Running
	http *http.Client
}

func visit(t testing.TB, o Options) *visitor {
	t.Helper()
	running, err := Start(t.Context(), "127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		running.Stop()
	})
	return &visitor{TB: t, Running: running, http: &http.Client{
		Transport:     transport,
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reply is an answer whose body has been read.
type reply struct {
	*http.Response
	body string
}

func (v *visitor) try(method, path string, body io.Reader, headers ...string) (reply, error) {
	v.Helper()
	request, err := http.NewRequestWithContext(v.Context(), method, v.URL+path, body)
	if err != nil {
		v.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := v.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	return reply{response, string(raw)}, err
}

func (v *visitor) do(method, path string, body io.Reader, headers ...string) reply {
	v.Helper()
	r, err := v.try(method, path, body, headers...)
	if err != nil {
		v.Fatal(err)
	}
	return r
}

func (v *visitor) get(path string, pairs ...string) reply {
	v.Helper()
	if len(pairs) > 0 {
		path += "?" + values(pairs...).Encode()
	}
	return v.do(http.MethodGet, path, nil)
}

func (v *visitor) control(path, body string) reply {
	v.Helper()
	r := v.do(http.MethodPost, path, strings.NewReader(body))
	if r.StatusCode != http.StatusOK {
		v.Fatalf("%s %s: %d %s", path, body, r.StatusCode, r.body)
	}
	return r
}

func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}

// query is a right authorization request; pairs replace, "-" removes.
func query(pairs ...string) string {
	q := values("client_id", ClientID, "redirect_uri", redirect, "response_type", "code", "scope", basic+","+comments, "state", "st4te")
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "-" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q.Encode()
}

const (
	authorizePath = "/www.instagram.com/oauth/authorize"
	exchangePath  = "/api.instagram.com/oauth/access_token"
	extendPath    = "/graph.instagram.com/access_token"
	renewPath     = "/graph.instagram.com/refresh_access_token"
	mePath        = "/graph.instagram.com/v25.0/me"
)

// press is a button of the consent page.
func (v *visitor) press(rawQuery string, pairs ...string) reply {
	v.Helper()
	return v.do(http.MethodPost, authorizePath+"?"+rawQuery, strings.NewReader(values(pairs...).Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// answer is the query that reached the redirect.
func (v *visitor) answer(r reply) url.Values {
	v.Helper()
	if r.StatusCode != http.StatusFound {
		v.Fatalf("no redirect but %d: %s", r.StatusCode, r.body)
	}
	u, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		v.Fatal(err)
	}
	return u.Query()
}

// code signs in by pressing Allow.
func (v *visitor) code(pairs ...string) string {
	v.Helper()
	form := append([]string{"decision", "allow", "person", people[0].username, "scope", comments}, pairs...)
	return v.answer(v.press(query(), form...)).Get("code")
}

// exchange is a right exchange; pairs replace, "-" removes.
func exchange(code string, pairs ...string) url.Values {
	q := values("client_id", ClientID, "client_secret", ClientSecret, "grant_type", "authorization_code", "redirect_uri", redirect, "code", code)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "-" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

func parts(q url.Values) (io.Reader, string) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, all := range q {
		for _, value := range all {
			_ = w.WriteField(name, value)
		}
	}
	_ = w.Close()
	return &out, w.FormDataContentType()
}

func (v *visitor) exchange(q url.Values) reply {
	v.Helper()
	body, kind := parts(q)
	return v.do(http.MethodPost, exchangePath, body, "Content-Type", kind)
}

func (v *visitor) extend(access string, pairs ...string) reply {
	v.Helper()
	return v.get(extendPath, append([]string{"grant_type", "ig_exchange_token", "client_secret", ClientSecret, "access_token", access}, pairs...)...)
}

func (v *visitor) renew(access string) reply {
	v.Helper()
	return v.get(renewPath, "grant_type", "ig_refresh_token", "access_token", access)
}

// accessToken reads the flat answers.
func (v *visitor) accessToken(r reply) string {
	v.Helper()
	var got struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.StatusCode != http.StatusOK || got.Access == "" {
		v.Fatalf("no token: %d %s", r.StatusCode, r.body)
	}
	return got.Access
}

func (v *visitor) short() string {
	v.Helper()
	return v.accessToken(v.exchange(exchange(v.code())))
}

func (v *visitor) long() string { v.Helper(); return v.accessToken(v.extend(v.short())) }

// flatError wants shape A.
func (v *visitor) flatError(r reply, message string) {
	v.Helper()
	want := fmt.Sprintf(`{"code":400,"error_message":%q,"error_type":"OAuthException"}`, message)
	if r.StatusCode != http.StatusBadRequest || r.body != want || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		v.Errorf("%d %s\nwant 400 %s", r.StatusCode, r.body, want)
	}
}

// graphError wants shape G.
func (v *visitor) graphError(r reply, message, kind string, code, subcode int) {
	v.Helper()
	var got struct {
		Error struct {
			Message string
			Type    string
			Code    int
			Subcode int    `json:"error_subcode"`
			Trace   string `json:"fbtrace_id"`
		}
	}
	err := json.Unmarshal([]byte(r.body), &got)
	e := got.Error
	if err != nil || r.StatusCode < 400 || e.Message != message || e.Type != kind || e.Code != code || e.Subcode != subcode || len(e.Trace) != 23 {
		v.Errorf("%d %s\nwant %s %s %d/%d", r.StatusCode, r.body, message, kind, code, subcode)
	}
	if (subcode == 0) != !strings.Contains(r.body, "error_subcode") {
		v.Errorf("error_subcode where there is none: %s", r.body)
	}
}

func TestWholeFlow(t *testing.T) {
	v := visit(t, Options{Now: newClock().now})
	long := v.long()
	r := v.get(mePath, "fields", "user_id,username,account_type,media_count", "access_token", long)
	if want := `{"account_type":"MEDIA_CREATOR","id":"24512000000000119","media_count":4,"user_id":"17841400000000117","username":"lantern.books"}`; r.body != want {
		t.Errorf("me: %s\nwant %s", r.body, want)
	}
}

func TestAuthorizeRefusalsStayOnThePage(t *testing.T) {
	v := visit(t, Options{})
	for name, c := range map[string]struct {
		query   string
		message string
	}{
		"wrong app id":        {query("client_id", "1234567890123456"), "Invalid Request: Request parameters are invalid: Invalid platform app"},
		"no app id":           {query("client_id", "-"), pageWrongApp},
		"app id twice":        {query() + "&client_id=" + ClientID, pageWrongApp},
		"padded app id":       {query("client_id", " "+ClientID), pageWrongApp},
		"no redirect":         {query("redirect_uri", "-"), "Invalid Request: Request parameters are invalid: Invalid redirect_uri"},
		"redirect twice":      {query() + "&redirect_uri=https://a.example/", pageRedirect},
		"http redirect":       {query("redirect_uri", "http://example.com/"), pageRedirect},
		"other scheme":        {query("redirect_uri", "javascript:alert(1)"), pageRedirect},
		"no scheme":           {query("redirect_uri", "//localhost:8919/"), pageRedirect},
		"no host":             {query("redirect_uri", "https:///path"), pageRedirect},
		"with a user":         {query("redirect_uri", "https://a@localhost/"), pageRedirect},
		"with a fragment":     {query("redirect_uri", redirect+"#x"), pageRedirect},
		"empty fragment":      {query("redirect_uri", redirect+"#"), pageRedirect},
		"with a blank":        {query("redirect_uri", "https://localhost:8919/a b"), pageRedirect},
		"policy injection":    {query("redirect_uri", "https://a.example;script-src/"), pageRedirect},
		"backslash":           {query("redirect_uri", `https://localhost:8919\@evil.example/`), pageRedirect},
		"new line":            {query("redirect_uri", "https://localhost/\r\nX: y"), pageRedirect},
		"too long":            {query("redirect_uri", redirect+strings.Repeat("a", 2048)), pageRedirect},
		"no response type":    {query("response_type", "-"), pageResponseType},
		"token":               {query("response_type", "token"), pageResponseType},
		"no scope":            {query("scope", "-"), "Invalid Request: Request parameters are invalid: Invalid scope: []"},
		"only commas":         {query("scope", ",, ,"), pageScope + "[]"},
		"retired scope":       {query("scope", "user_profile"), "Invalid Request: Request parameters are invalid: Invalid scope: user_profile"},
		"old name":            {query("scope", "business_basic"), pageScope + "business_basic"},
		"other road's scope":  {query("scope", "instagram_basic"), pageScope + "instagram_basic"},
		"plus in the scope":   {query("scope", basic+"+"+comments), pageScope + basic + "+" + comments},
		"required one absent": {query("scope", comments), pageScope + "missing " + basic},
		"scope twice":         {query() + "&scope=" + basic, pageInvalid},
		"state twice":         {query() + "&state=b", pageInvalid},
		"broken query":        {"client_id=%zz", pageInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := v.do(method, authorizePath+"?"+c.query, strings.NewReader("decision=allow&person=mia.kessler"), "Content-Type", "application/x-www-form-urlencoded")
				want := "/www.instagram.com/oauth/authorize/third_party/error/?message=" + url.QueryEscape(c.message)
				if r.StatusCode != http.StatusFound || r.Header.Get("Location") != want {
					t.Fatalf("%s: %d %s\nwant %s", method, r.StatusCode, r.Header.Get("Location"), want)
				}
				if page := v.get(r.Header.Get("Location")); page.StatusCode != http.StatusOK || !strings.Contains(page.body, `id="message">`+strings.ReplaceAll(c.message, "+", "&#43;")+"<") {
					t.Errorf("the page does not say it: %s", page.body)
				}
			}
		})
	}
}

func TestAuthorizeAccepts(t *testing.T) {
	v := visit(t, Options{})
	for name, c := range map[string]struct{ query, policy string }{
		"https localhost":  {query(), "form-action 'self' https://localhost:8919"},
		"http 127.0.0.1":   {query("redirect_uri", "http://127.0.0.1:8919/cb"), "form-action 'self' http://127.0.0.1:8919"},
		"IPv6":             {query("redirect_uri", "http://[::1]:8919/"), "form-action 'self' http:"},
		"upper case host":  {query("redirect_uri", "https://LocalHost:8919/"), "form-action 'self' https://localhost:8919"},
		"any https":        {query("redirect_uri", "https://my-site.example/back?a=b"), "form-action 'self' https://my-site.example"},
		"spaces in scope":  {query("scope", basic+" "+comments), "form-action 'self' https://localhost:8919"},
		"the other extras": {query("enable_fb_login", "false", "force_reauth", "true"), "form-action 'self' https://localhost:8919"},
	} {
		t.Run(name, func(t *testing.T) {
			r := v.get(authorizePath + "?" + c.query)
			if r.StatusCode != http.StatusOK || !strings.HasSuffix(r.Header.Get("Content-Security-Policy"), c.policy) {
				t.Errorf("%d, policy %q\nwant %q", r.StatusCode, r.Header.Get("Content-Security-Policy"), c.policy)
			}
		})
	}
	if r := v.do(http.MethodPut, authorizePath+"?"+query(), nil); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") == "" {
		t.Errorf("PUT: %d", r.StatusCode)
	}
}

func TestConsentPage(t *testing.T) {
	v := visit(t, Options{Scenario: "deny", Person: "harbour.coffee"})
	v.control("/_/consent", `{"person":"mia.kessler","without":["`+comments+`"]}`)
	r := v.get(authorizePath + "?" + query("scope", basic+","+comments+","+insights))
	for _, want := range []string{
		"Practice. This is not Instagram.", "App ID " + ClientID, "<b>https://localhost:8919/</b>",
		`id="allow" name="decision" value="allow"`, `id="deny" name="decision" value="deny"`,
		`value="mia.kessler" checked>`, `value="lantern.books">`, `value="harbour.coffee">`,
		`id="scope-` + basic + `" value="` + basic + `" checked disabled>`,
		`id="scope-` + comments + `" value="` + comments + `">`,
		`id="scope-` + insights + `" value="` + insights + `" checked>`,
		"Try what happens when…", `<option value="deny" selected>`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, name := range Scenarios() {
		if !strings.Contains(r.body, `<option value="`+name+`"`) {
			t.Errorf("the page does not offer %s", name)
		}
	}
	if strings.Contains(r.body, "content_publish") {
		t.Error("the page offers a permission that was not asked for")
	}
	// The form must carry the request on unchanged, whatever is in it.
	const state = `a+b/c=d&e"f'g<h>#%é ~`
	r = v.get(authorizePath + "?" + query("state", state))
	_, rest, _ := strings.Cut(r.body, `action="`)
	action, _, _ := strings.Cut(rest, `"`)
	action = strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#39;", "'", "&#34;", `"`).Replace(action)
	pressed := v.do(http.MethodPost, action, strings.NewReader("decision=allow&person=mia.kessler&scenario=ok"), "Content-Type", "application/x-www-form-urlencoded")
	if got := v.answer(pressed).Get("state"); got != state {
		t.Errorf("state came back as %q, was %q", got, state)
	}
}

func TestButtons(t *testing.T) {
	v := visit(t, Options{})
	for name, c := range map[string]struct {
		form   []string
		status int
	}{
		"no decision":      {[]string{"person", "mia.kessler"}, 400},
		"other decision":   {[]string{"person", "mia.kessler", "decision", "maybe"}, 400},
		"two decisions":    {[]string{"person", "mia.kessler", "decision", "deny", "decision", "allow"}, 400},
		"nobody":           {[]string{"decision", "allow"}, 400},
		"a stranger":       {[]string{"decision", "allow", "person", "stranger"}, 400},
		"unknown scenario": {[]string{"decision", "allow", "person", "mia.kessler", "scenario", "flood"}, 400},
		"not asked for":    {[]string{"decision", "allow", "person", "mia.kessler", "scope", insights}, 400},
		"unknown scope":    {[]string{"decision", "allow", "person", "mia.kessler", "scope", "user_profile"}, 400},
		"allow":            {[]string{"decision", "allow", "person", "mia.kessler"}, 302},
		"cancel":           {[]string{"decision", "deny", "person", "mia.kessler"}, 302},
	} {
		if r := v.press(query(), c.form...); r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, r.StatusCode, c.status)
		}
	}
	if r := v.do(http.MethodPost, authorizePath+"?"+query(), strings.NewReader("decision=allow&person=mia.kessler")); r.StatusCode != 400 {
		t.Errorf("a body that is no form: %d", r.StatusCode)
	}
}

func TestWhatReachesTheRedirect(t *testing.T) {
	v := visit(t, Options{})
	allow := []string{"decision", "allow", "person", "lantern.books", "scope", comments}
	location := func(rawQuery string, form ...string) string {
		r := v.press(rawQuery, form...)
		v.answer(r)
		return r.Header.Get("Location")
	}
	got := location(query(), allow...)
	code, rest, _ := strings.Cut(strings.TrimPrefix(got, redirect+"?code="), "&")
	if len(code) != 240 || !strings.HasPrefix(code, "AQ") || strings.Trim(code, tokenAlphabet) != "" || rest != "state=st4te#_" {
		t.Errorf("answer is %s", got)
	}
	for name, c := range map[string]struct{ query, prefix, suffix string }{
		"a query of its own":     {query("redirect_uri", redirect+"?a=b"), redirect + "?a=b&code=AQ", "&state=st4te#_"},
		"ends with question":     {query("redirect_uri", redirect+"?"), redirect + "?code=AQ", "&state=st4te#_"},
		"ends with ampersand":    {query("redirect_uri", redirect+"?a=b&"), redirect + "?a=b&code=AQ", "&state=st4te#_"},
		"no path":                {query("redirect_uri", "https://localhost:8919"), "https://localhost:8919?code=AQ", "#_"},
		"encoded path as it was": {query("redirect_uri", "https://localhost:8919/%C3%A9//x"), "https://localhost:8919/%C3%A9//x?code=AQ", "#_"},
		"no state":               {query("state", "-"), redirect + "?code=AQ", "#_"},
		"empty state":            {query("state", ""), redirect + "?code=AQ", "&state=#_"},
	} {
		if got := location(c.query, allow...); !strings.HasPrefix(got, c.prefix) || !strings.HasSuffix(got, c.suffix) || (name == "no state" && strings.Contains(got, "state")) {
			t.Errorf("%s: %s", name, got)
		}
	}
	want := redirect + "?error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request&state=st4te"
	if got := location(query(), "decision", "deny", "person", "lantern.books"); got != want {
		t.Errorf("cancel: %s", got)
	}
	if got := location(query(), append(allow, "scenario", "deny")...); got != want {
		t.Errorf("scenario deny, Allow: %s", got)
	}
}

func TestUntickedPermissionsAreNotGranted(t *testing.T) {
	v := visit(t, Options{})
	for name, c := range map[string]struct{ form, want string }{
		"all":               {comments, `"permissions":["` + basic + `","` + comments + `"]`},
		"only the required": {basic, `"permissions":["` + basic + `"]`},
	} {
		code := v.answer(v.press(query(), "decision", "allow", "person", "mia.kessler", "scope", c.form)).Get("code")
		if r := v.exchange(exchange(code)); !strings.Contains(r.body, c.want) || !strings.Contains(r.body, `"user_id":24512000000000337`) {
			t.Errorf("%s: %s", name, r.body)
		}
	}
}

func TestExchange(t *testing.T) {
	v := visit(t, Options{})
	for name, c := range map[string]struct {
		change  []string
		message string
	}{
		"no app id":               {[]string{"client_id", "-"}, "Missing required field client_id"},
		"mistyped app id":         {[]string{"client_id", "99060262793809B"}, "Missing required field client_id"},
		"padded app id":           {[]string{"client_id", ClientID + "\n"}, "Missing required field client_id"},
		"other app id":            {[]string{"client_id", "123456789012345"}, "Missing required field client_id"},
		"the Meta app's id":       {[]string{"client_id", MetaAppID}, "Invalid platform app"},
		"no grant type":           {[]string{"grant_type", "-"}, messageNoGrant},
		"other grant type":        {[]string{"grant_type", "password"}, messageBadGrant},
		"fake code, fake secret":  {[]string{"code", "AQfake", "client_secret", "fake"}, "Invalid authorization code"},
		"no code":                 {[]string{"code", "-"}, "Invalid authorization code"},
		"fragment left on":        {[]string{"code", "+#_"}, "Matching code was not found or was already used"},
		"encoded fragment on":     {[]string{"code", "+%23_"}, "Invalid authorization code"},
		"whole address":           {[]string{"code", redirect + "?code=AQ"}, "Matching code was not found or was already used"},
		"other redirect":          {[]string{"redirect_uri", "https://localhost:8919"}, messageRedirect},
		"no redirect":             {[]string{"redirect_uri", "-"}, messageRedirect},
		"wrong secret":            {[]string{"client_secret", strings.Repeat("0", 32)}, "Error validating client secret."},
		"padded secret":           {[]string{"client_secret", ClientSecret + " "}, "Error validating client secret."},
		"redirect before secret":  {[]string{"redirect_uri", "x", "client_secret", "x"}, messageRedirect},
		"app id before the code":  {[]string{"client_id", MetaAppID, "code", "x"}, "Invalid platform app"},
		"app id before the grant": {[]string{"client_id", "", "grant_type", "x"}, "Missing required field client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			code := v.code()
			q := exchange(code, c.change...)
			q.Set("code", strings.ReplaceAll(q.Get("code"), "+", code))
			v.flatError(v.exchange(q), c.message)
		})
	}
	for _, name := range []string{"client_id", "client_secret", "grant_type", "redirect_uri", "code"} {
		q := exchange(v.code())
		q.Add(name, q.Get(name))
		v.flatError(v.exchange(q), messageTwice)
	}
	if r := v.get(exchangePath, "client_id", ClientID); r.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(r.body, "error_message") {
		t.Errorf("GET: %d %s", r.StatusCode, r.body)
	}
	// What is in the address does not count: a secret does not belong there.
	v.flatError(v.do(http.MethodPost, exchangePath+"?"+exchange(v.code()).Encode(), nil), messageNoApp)
	v.flatError(v.do(http.MethodPost, exchangePath, strings.NewReader(`{"client_id":"1"}`), "Content-Type", "application/json"), messageNoApp)
	v.flatError(v.do(http.MethodPost, exchangePath, strings.NewReader("nonsense"), "Content-Type", "multipart/form-data; boundary=x"), messageNoApp)
}

func TestExchangeAnswer(t *testing.T) {
	v := visit(t, Options{})
	for _, c := range []struct{ shape, want string }{
		{`{}`, `{"access_token":"T","permissions":["` + basic + `","` + comments + `"],"user_id":24512000000000119}`},
		{`{"exchange":"nested"}`, `{"data":[{"access_token":"T","permissions":"` + basic + `,` + comments + `","user_id":"24512000000000119"}]}`},
		{`{"user_id":"string","permissions":"absent"}`, `{"access_token":"T","user_id":"24512000000000119"}`},
		{`{"exchange":"nested","user_id":"number","permissions":"array"}`, `{"data":[{"access_token":"T","permissions":["` + basic + `","` + comments + `"],"user_id":24512000000000119}]}`},
		{`{"exchange":"flat","permissions":"string"}`, `{"access_token":"T","permissions":"` + basic + `,` + comments + `","user_id":24512000000000119}`},
	} {
		v.control("/_/shape", c.shape)
		r := v.exchange(exchange(v.code()))
		_, rest, _ := strings.Cut(r.body, `"access_token":"`)
		access, _, _ := strings.Cut(rest, `"`)
		if got := strings.Replace(r.body, access, "T", 1); got != c.want || len(access) != 183 || !strings.HasPrefix(access, "IGAA") {
			t.Errorf("%s: %s\nwant %s", c.shape, r.body, c.want)
		}
	}
	for _, length := range []int{183, 184, 2500, 8192} {
		v.control("/_/shape", fmt.Sprintf(`{"token_length":%d}`, length))
		short := v.short()
		long := v.accessToken(v.extend(short))
		if len(short) > length || len(short) < length-2 || len(long) != len(short) {
			t.Errorf("token_length %d gives %d and %d", length, len(short), len(long))
		}
	}
	v.control("/_/shape", `{"identity":"nested"}`)
	if r := v.get(mePath, "access_token", v.short()); r.body != `{"data":[{"id":"24512000000000119"}]}` {
		t.Errorf("nested identity: %s", r.body)
	}
}

func TestCodeOnceAndOneHour(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	code := v.code()
	v.accessToken(v.exchange(exchange(code)))
	v.flatError(v.exchange(exchange(code)), "This authorization code has been used")
	refused := v.code()
	v.flatError(v.exchange(exchange(refused, "redirect_uri", "x")), messageRedirect)
	v.flatError(v.exchange(exchange(refused)), "This authorization code has been used")

	early, late := v.code(), v.code()
	c.forward(time.Hour - time.Millisecond)
	v.accessToken(v.exchange(exchange(early)))
	c.forward(time.Millisecond)
	v.flatError(v.exchange(exchange(late)), "Matching code was not found or was already used")

	// Of many at once one wins.
	code = v.code()
	var won, lost sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			body, kind := parts(exchange(code))
			r, err := v.try(http.MethodPost, exchangePath, body, "Content-Type", kind)
			switch {
			case err != nil:
				t.Error(err)
			case r.StatusCode == http.StatusOK:
				won.Store(i, true)
			default:
				lost.Store(i, r.body)
			}
		})
	}
	all.Wait()
	count := 0
	won.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("one code gave %d tokens", count)
	}
}

func TestCodesDoNotPileUp(t *testing.T) {
	s := New(Options{})
	first := s.issue(consent{dialect: dialects[0], made: s.Now()})
	for range mostCodes {
		s.issue(consent{dialect: dialects[0], made: s.Now()})
	}
	if len(s.codes) != mostCodes || len(s.order) != mostCodes {
		t.Errorf("%d codes are kept", len(s.codes))
	}
	if _, message := s.redeem(first, s.Now()); message != messageBadCode {
		t.Errorf("the oldest code: %q", message)
	}
}

func TestUrlencodedExchangeFailsOneStepLater(t *testing.T) {
	v := visit(t, Options{})
	r := v.do(http.MethodPost, exchangePath, strings.NewReader(exchange(v.code()).Encode()), "Content-Type", "application/x-www-form-urlencoded")
	access := v.accessToken(r)
	if r := v.get(mePath, "access_token", access); r.StatusCode != http.StatusOK {
		t.Errorf("the one-hour token itself works: %s", r.body)
	}
	v.graphError(v.extend(access), "Unsupported request - method type: get", "IGApiException", 100, 0)
}

func TestExtension(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	short := v.short()
	long := v.accessToken(v.extend(short, "client_id", ClientID))
	r := v.extend(short)
	var got map[string]any
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || got["token_type"] != "bearer" || got["expires_in"] != 5183944.0 || len(got) != 3 {
		t.Errorf("answer: %s", r.body)
	}
	v.graphError(v.extend(long), "Session key invalid", "OAuthException", 452, 0)
	v.graphError(v.extend(short, "client_id", "123456789012345"), "Error validating application. Invalid application ID.", "OAuthException", 101, 0)
	v.graphError(v.get(extendPath, "grant_type", "ig_exchange_token", "client_secret", "wrong", "access_token", short), "Error validating client secret.", "OAuthException", 1, 0)
	v.graphError(v.get(extendPath, "grant_type", "ig_exchange_token", "access_token", short), "Error validating client secret.", "OAuthException", 1, 0)
	v.graphError(v.get(extendPath, "client_secret", ClientSecret, "access_token", short), "(#100) Invalid grant_type", "OAuthException", 100, 0)
	v.graphError(v.extend(short, "access_token", short), "(#100) A parameter appears twice", "OAuthException", 100, 0)
	v.graphError(v.extend(""), "An access token is required to request this resource.", "OAuthException", 104, 0)
	body, kind := parts(values("grant_type", "ig_exchange_token", "client_secret", ClientSecret, "access_token", short))
	v.graphError(v.do(http.MethodPost, extendPath, body, "Content-Type", kind), "Unsupported request - method type: post", "IGApiException", 100, 0)
	v.graphError(v.do("BREW", extendPath, nil), "Unsupported request - method type: unknown", "IGApiException", 100, 0)
	c.forward(time.Hour)
	v.graphError(v.extend(short), "Error validating access token: Session has expired on Sunday, 22-Nov-26 02:14:00 PST. The current time is Sunday, 22-Nov-26 02:14:00 PST.", "OAuthException", 190, 463)
}

func TestRenewal(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	short := v.short()
	v.graphError(v.renew(short), messageNotLong, "OAuthException", 100, 0)
	long := v.accessToken(v.extend(short))
	v.graphError(v.get(renewPath, "grant_type", "ig_exchange_token", "access_token", long), "(#100) Invalid grant_type", "OAuthException", 100, 0)
	v.graphError(v.do(http.MethodPost, renewPath+"?grant_type=ig_refresh_token", nil), "Unsupported request - method type: post", "IGApiException", 100, 0)
	c.forward(24*time.Hour - time.Millisecond)
	v.graphError(v.renew(long), messageTooYoung, "OAuthException", 100, 0)
	c.forward(time.Millisecond)
	renewed := v.accessToken(v.renew(long))
	if renewed == long {
		t.Error("the answer is the old string")
	}
	v.graphError(v.renew(renewed), messageTooYoung, "OAuthException", 100, 0)
	v.accessToken(v.renew(long))
	// The end: 5183944 s after the extension for the old one, after the renewal for the new one.
	c.forward(5183944*time.Second - 24*time.Hour)
	v.graphError(v.renew(long), "Error validating access token: Session has expired on Thursday, 21-Jan-27 01:13:04 PST. The current time is Thursday, 21-Jan-27 01:13:04 PST.", "OAuthException", 190, 463)
	if r := v.get(mePath, "access_token", renewed); r.StatusCode != http.StatusOK {
		t.Errorf("the renewed token: %s", r.body)
	}
	c.forward(24 * time.Hour)
	if r := v.get(mePath, "access_token", renewed); r.StatusCode == http.StatusOK {
		t.Error("the renewed token lives for ever")
	}
	// Only minted by hand: the consent page never leaves the required scope out.
	d := dialects[0]
	poor := token{dialect: d, kind: kind(2), person: people[0], issued: c.now().Add(-48 * time.Hour), ends: c.now().Add(time.Hour)}
	v.graphError(v.renew(poor.encode(0)), "(#10) Application does not have permission for this action", "OAuthException", 10, 0)
}

func TestBadTokens(t *testing.T) {
	v := visit(t, Options{})
	good := v.long()
	for name, c := range map[string]struct {
		token, message string
		code           int
	}{
		"none":            {"", "An access token is required to request this resource.", 104},
		"other service":   {"EAA" + good[4:], "Invalid OAuth access token - Cannot parse access token", 190},
		"quoted":          {`"` + good + `"`, "Invalid OAuth access token - Cannot parse access token", 190},
		"blank after":     {good + " ", "Malformed access token " + good + " ", 190},
		"blank inside":    {good[:90] + " " + good[90:], "Malformed access token " + good[:90] + " " + good[90:], 190},
		"cut short":       {good[:len(good)-1], "The access token could not be decrypted", 190},
		"one letter else": {good[:60] + other(good[60]) + good[61:], "The access token could not be decrypted", 190},
		"doubled":         {good + good, "The access token could not be decrypted", 190},
		"a real one":      {"IGAA" + strings.Repeat("x", 179), "The access token could not be decrypted", 190},
		"only the prefix": {"IGAA", "The access token could not be decrypted", 190},
		"only the mark":   {"IGAA" + mark, "The access token could not be decrypted", 190},
		"far too long":    {good + strings.Repeat("A", 9000), "Malformed access token " + good + strings.Repeat("A", 9000), 190},
	} {
		t.Run(name, func(t *testing.T) {
			v.graphError(v.get(mePath, "access_token", c.token), c.message, "OAuthException", c.code, 0)
		})
	}
}

func other(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func TestMe(t *testing.T) {
	v := visit(t, Options{})
	access := v.short()
	for _, path := range []string{"/graph.instagram.com/me", mePath, "/graph.instagram.com/v26.0/me", "/graph.instagram.com/17841400000000117", "/graph.instagram.com/v25.0/17841400000000117"} {
		if r := v.get(path, "access_token", access); r.body != `{"id":"24512000000000119"}` {
			t.Errorf("%s: %s", path, r.body)
		}
		r := v.do(http.MethodGet, path+"?fields=username", nil, "Authorization", "Bearer "+access)
		if r.body != `{"id":"24512000000000119","username":"lantern.books"}` {
			t.Errorf("%s with a header: %s", path, r.body)
		}
	}
	r := v.get(mePath, "access_token", access, "fields", "user_id, name,profile_picture_url,followers_count,follows_count,biography")
	if want := `{"biography":"Books read by lantern light.","followers_count":4812,"follows_count":377,"id":"24512000000000119","name":"Lantern Books","profile_picture_url":"` + v.URL + `/scontent.cdninstagram.com/person/lantern.books.png","user_id":"17841400000000117"}`; r.body != want {
		t.Errorf("all fields: %s\nwant %s", r.body, want)
	}
	v.graphError(v.get(mePath, "access_token", access, "fields", "username,email"), "(#100) Tried accessing nonexisting field (email)", "IGApiException", 100, 0)
	v.graphError(v.get(mePath, "access_token", access, "fields", "username{x}"), "(#100) Tried accessing nonexisting field (username)", "IGApiException", 100, 0)
	v.graphError(v.do(http.MethodDelete, mePath+"?access_token="+access, nil), "Unsupported request - method type: delete", "IGApiException", 100, 0)
	v.graphError(v.get("/graph.instagram.com/24512000000000119", "access_token", access), "Unsupported request - method type: get", "IGApiException", 100, 0)
	v.graphError(v.get("/graph.instagram.com/17841400000000331", "access_token", access), "Unsupported get request. Object with ID '17841400000000331' does not exist, cannot be loaded due to missing permissions, or does not support this operation", "IGApiException", 100, 33)
	for _, path := range []string{"/graph.instagram.com/", "/graph.instagram.com/v99.0/me", "/graph.instagram.com/v25.0", "/graph.instagram.com/v25.0/", "/graph.instagram.com/me/friends", "/graph.instagram.com/me/media/x", "/graph.instagram.com/me/", "/graph.instagram.com/you"} {
		if r := v.get(path, "access_token", access); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, "Unknown path components") || !strings.Contains(r.body, "2500") {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
}

func TestMedia(t *testing.T) {
	v := visit(t, Options{})
	access := v.short()
	for _, path := range []string{"/graph.instagram.com/me/media", "/graph.instagram.com/v25.0/me/media", "/graph.instagram.com/17841400000000117/media", "/graph.instagram.com/v25.0/17841400000000117/media"} {
		if r := v.get(path, "access_token", access); !strings.HasPrefix(r.body, `{"data":[{"id":"18001000000000011"},{"id":"18001000000000013"},{"id":"18001000000000015"},{"id":"18001000000000017"}],"paging":{"cursors":{`) || strings.Contains(r.body, "next") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	type page struct {
		Data   []map[string]any
		Paging struct {
			Next    string
			Cursors struct{ Before, After string }
		}
	}
	var seen []string
	next := "/graph.instagram.com/me/media?limit=3&fields=id,caption,media_type,media_url,permalink,thumbnail_url,timestamp,username,like_count,comments_count,children%7Bid,media_type%7D&access_token=" + access
	for next != "" {
		r := v.get(next)
		var got page
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		for _, m := range got.Data {
			seen = append(seen, m["media_type"].(string))
			for _, name := range []string{"media_url", "thumbnail_url"} {
				if address, ok := m[name].(string); ok {
					if picture := v.get(strings.TrimPrefix(address, v.URL)); picture.Header.Get("Content-Type") != "image/png" {
						t.Errorf("%s of %s: %d", name, m["id"], picture.StatusCode)
					}
				}
			}
			if post := v.get(strings.TrimPrefix(m["permalink"].(string), v.URL)); post.StatusCode != http.StatusOK {
				t.Errorf("permalink %s: %d", m["permalink"], post.StatusCode)
			}
			_, video := m["thumbnail_url"]
			_, film := m["media_url"]
			_, album := m["children"]
			if kind := m["media_type"]; video != (kind == "VIDEO") || film != (kind != "VIDEO") || album != (kind == "CAROUSEL_ALBUM") {
				t.Errorf("fields of %s: %v", kind, m)
			}
			if _, err := time.Parse("2006-01-02T15:04:05-0700", m["timestamp"].(string)); err != nil {
				t.Error(err)
			}
		}
		next = strings.TrimPrefix(got.Paging.Next, v.URL)
	}
	if got := strings.Join(seen, " "); got != "IMAGE CAROUSEL_ALBUM VIDEO IMAGE" {
		t.Errorf("pages gave %s", got)
	}
	for _, pair := range [][2]string{{"limit", "0"}, {"limit", "101"}, {"limit", "x"}, {"after", "!"}, {"after", cursor(9)}, {"after", cursor(-1)}, {"fields", "owner"}} {
		if r := v.get("/graph.instagram.com/me/media", "access_token", access, pair[0], pair[1]); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, "#100") {
			t.Errorf("%v: %d %s", pair, r.StatusCode, r.body)
		}
	}
	if r := v.get("/graph.instagram.com/me/media", "access_token", access, "after", cursor(3)); r.body != `{"data":[]}` {
		t.Errorf("after the last: %s", r.body)
	}
}

func TestScenarios(t *testing.T) {
	tokenAt := func(v *visitor) string { return v.accessToken(v.exchange(exchange(v.code("scenario", "")))) }
	strike := map[string]func(v *visitor, allowed reply){
		"ok": func(v *visitor, allowed reply) {
			access := v.accessToken(v.exchange(exchange(v.answer(allowed).Get("code"))))
			v.accessToken(v.extend(access))
		},
		"deny": func(v *visitor, allowed reply) {
			if got := v.answer(allowed); got.Get("error") != "access_denied" || got.Get("state") != "st4te" {
				v.Errorf("answer %v", got)
			}
		},
		"wrong-id": func(v *visitor, allowed reply) {
			if got := v.answer(allowed).Get("message"); got != pageWrongApp {
				v.Errorf("page says %q", got)
			}
		},
		"code-used": func(v *visitor, allowed reply) {
			v.flatError(v.exchange(exchange(v.answer(allowed).Get("code"))), "This authorization code has been used")
		},
		"redirect-mismatch": func(v *visitor, allowed reply) {
			v.flatError(v.exchange(exchange(v.answer(allowed).Get("code"))), messageRedirect)
		},
		"extension-refused": func(v *visitor, allowed reply) {
			access := v.accessToken(v.exchange(exchange(v.answer(allowed).Get("code"))))
			v.graphError(v.extend(access), "Unsupported request - method type: get", "IGApiException", 100, 0)
			if r := v.get(mePath, "access_token", access); r.StatusCode != http.StatusOK {
				v.Errorf("the one-hour token: %s", r.body)
			}
		},
		"ended": func(v *visitor, allowed reply) {
			v.diesAfterwards(v.accessToken(v.exchange(exchange(v.answer(allowed).Get("code")))), "Session has expired on", 463)
		},
		"password-changed": func(v *visitor, allowed reply) {
			v.diesAfterwards(v.accessToken(v.exchange(exchange(v.answer(allowed).Get("code")))), "because the user changed their password", 460)
		},
		"not-invited": func(v *visitor, allowed reply) {
			r := v.get(strings.TrimPrefix(allowed.Header.Get("Location"), v.URL))
			if got := v.answer(allowed).Get("message"); got != "Insufficient Developer Role" || !strings.Contains(r.body, got) {
				v.Errorf("page says %q: %s", got, r.body)
			}
			// The app is known all the same.
			v.flatError(v.exchange(exchange("AQfake")), "Invalid authorization code")
		},
		"wrong-account": func(v *visitor, allowed reply) {
			access := v.accessToken(v.extend(v.accessToken(v.exchange(exchange(v.answer(allowed).Get("code"))))))
			if r := v.get(mePath, "access_token", access, "fields", "username"); !strings.Contains(r.body, `"username":"harbour.coffee"`) {
				v.Errorf("who answers: %s", r.body)
			}
		},
	}
	for _, name := range Scenarios() {
		if strike[name] == nil {
			t.Errorf("no test for scenario %s", name)
			continue
		}
		t.Run(name+" chosen on the page", func(t *testing.T) {
			v := visit(t, Options{})
			// Another sign-in at the same time does not notice.
			before := v.code()
			strike[name](v, v.press(query(), "decision", "allow", "person", "lantern.books", "scenario", name))
			v.accessToken(v.extend(v.accessToken(v.exchange(exchange(before)))))
			v.accessToken(v.extend(tokenAt(v)))
		})
		t.Run(name+" set before, without a page", func(t *testing.T) {
			v := visit(t, Options{Auto: true, Scenario: name})
			strike[name](v, v.get(authorizePath+"?"+query()))
			v.control("/_/scenario", `{"scenario":"ok"}`)
			strike["ok"](v, v.get(authorizePath+"?"+query()))
			v.control("/_/scenario", `{"scenario":"`+name+`"}`)
			strike[name](v, v.get(authorizePath+"?"+query()))
		})
	}
	v := visit(t, Options{Scenario: "wrong-id"})
	v.flatError(v.exchange(exchange("AQfake")), "Invalid platform app")
}

// diesAfterwards wants a sign-in that succeeds, and a 60-day token that is dead
// from the next call on.
func (v *visitor) diesAfterwards(access, message string, subcode int) {
	v.Helper()
	gone := func(r reply) {
		v.Helper()
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, message) || !strings.Contains(r.body, fmt.Sprintf(`"code":190,"error_subcode":%d`, subcode)) {
			v.Errorf("%d %s, want 190/%d", r.StatusCode, r.body, subcode)
		}
	}
	long := v.accessToken(v.extend(access))
	if r := v.get(mePath, "access_token", long); r.StatusCode != http.StatusOK {
		v.Errorf("the sign-in's own question: %s", r.body)
	}
	gone(v.get(mePath, "access_token", long))
	gone(v.get(mePath+"/media", "access_token", long))
	gone(v.renew(long))
	// Nothing but that question is answered, however early.
	gone(v.get(mePath+"/media", "access_token", v.accessToken(v.extend(access))))
	gone(v.renew(v.accessToken(v.extend(access))))
}

func TestUnknownScenarioIsAnError(t *testing.T) {
	if _, err := Start(t.Context(), "127.0.0.1:0", Options{Scenario: "flood"}); err == nil || !strings.Contains(err.Error(), "extension-refused") {
		t.Errorf("Start: %v", err)
	}
	if _, err := Start(t.Context(), "127.0.0.1:0", Options{Person: "stranger"}); err == nil {
		t.Error("Start takes a stranger")
	}
	v := visit(t, Options{})
	for path, bodies := range map[string][]string{
		"/_/scenario": {`{"scenario":"flood"}`, `{}`, ``, `[]`, `{"scenario":1}`, `{"scenario":"ok","x":1}`, `{"scenario":"ok"}{}`},
		"/_/clock":    {`{"forward":"-1h"}`, `{"forward":"0s"}`, `{}`, `{"forward":"soon"}`, `{"forward":3600}`, `{"forward":"90000h"}`},
		"/_/consent":  {`{"person":"stranger"}`, `{"without":["x"]}`},
		"/_/shape":    {`{"exchange":"x"}`, `{"user_id":"x"}`, `{"permissions":"x"}`, `{"identity":"x"}`, `{"token_length":10}`, `{"token_length":9000}`, `{"renew":"x"}`, `{"grace":1}`, `{"renew":"rotating","grace":-1}`},
		"/_/token":    {`{"user":"stranger","state":"ok"}`, `{"user":"user-0000","state":"ok"}`, `{"user":"user-1","state":"ok"}`, `{"user":"mia.kessler","state":"x"}`, `{"user":"mia.kessler"}`, `{}`},
		"/_/mint":     {`{"person":"stranger"}`, `{"age":"-1h"}`, `{"age":"90000h"}`, `{"scopes":["x"]}`, `{"x":1}`},
		"/_/fault":    {`{"path":"/","after":true}`, `{"path":"/nowhere","status":500}`, `{"path":"/_/log","status":500}`, `{"status":500}`, `{"path":"/","status":99}`, `{"path":"/","status":600}`, `{"path":"/","times":-2}`, `{"path":"/","delay":"-1s"}`, `{"path":"/","delay":"2h"}`},
	} {
		for _, body := range bodies {
			if r := v.do(http.MethodPost, path, strings.NewReader(body)); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, `{"error":"`) {
				t.Errorf("%s %s: %d %s", path, body, r.StatusCode, r.body)
			}
		}
	}
	if r := v.get("/_/scenario"); r.StatusCode != http.StatusNotFound {
		t.Errorf("GET /_/scenario: %d", r.StatusCode)
	}
	if r := v.code(); r == "" {
		t.Error("a refused control request has left something behind")
	}
}

func TestClockAndDate(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	if got := v.get("/").Header.Get("Date"); got != "Sun, 22 Nov 2026 09:14:00 GMT" {
		t.Errorf("Date is %s", got)
	}
	long := v.long()
	if r := v.control("/_/clock", `{"forward":"1440h"}`); r.body != `{"now":"2027-01-21T09:14:00Z"}`+"\n" {
		t.Errorf("clock: %s", r.body)
	}
	if got := v.get("/").Header.Get("Date"); got != "Thu, 21 Jan 2027 09:14:00 GMT" {
		t.Errorf("Date is %s", got)
	}
	if r := v.get(mePath, "access_token", long); !strings.Contains(r.body, "463") {
		t.Errorf("60 days later: %s", r.body)
	}
}

func TestTokensOutliveARestart(t *testing.T) {
	c := newClock()
	first := visit(t, Options{Now: c.now, Scenario: "ok"})
	refused := first.accessToken(first.exchange(exchange(first.code("scenario", "extension-refused"))))
	short, long, code := first.short(), first.long(), first.code()
	first.Stop()

	c.forward(30 * time.Minute)
	v := visit(t, Options{Now: c.now})
	v.accessToken(v.extend(short))
	v.graphError(v.extend(refused), "Unsupported request - method type: get", "IGApiException", 100, 0)
	v.flatError(v.exchange(exchange(code)), messageBadCode)
	c.forward(24 * time.Hour)
	v.accessToken(v.renew(long))
}

func TestFaults(t *testing.T) {
	v := visit(t, Options{})
	send := func() reply { return v.get(mePath) }
	v.control("/_/fault", `{"path":"`+mePath+`","status":503,"body":"<html>down","times":2}`)
	v.control("/_/fault", `{"path":"`+mePath+`","body":"{\"data\":1}","headers":{"Retry-After":"9"}}`)
	v.control("/_/fault", `{"path":"`+mePath+`","status":200,"body_base64":"H4sIAAAAAAAA","headers":{"X-Kept":"as sent"}}`)
	for i, want := range []struct {
		status     int
		body, kind string
	}{
		{503, "<html>down", "text/html; charset=utf-8"}, {503, "<html>down", "text/html; charset=utf-8"},
		{200, `{"data":1}`, "application/json; charset=UTF-8"}, {200, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00", "text/html; charset=utf-8"},
	} {
		if r := send(); r.StatusCode != want.status || r.body != want.body || r.Header.Get("Content-Type") != want.kind || (i == 2 && r.Header.Get("Retry-After") != "9") || (i == 3 && r.Header.Get("X-Kept") != "as sent") {
			t.Errorf("answer %d: %d %q %v", i+1, r.StatusCode, r.body, r.Header)
		}
	}
	v.graphError(send(), "An access token is required to request this resource.", "OAuthException", 104, 0)

	v.control("/_/fault", `{"path":"`+mePath+`","status":500,"times":-1}`)
	for range 3 {
		if send().StatusCode != 500 {
			t.Error("for ever has ended")
		}
	}
	if r := v.get("/graph.instagram.com/me"); r.StatusCode == 500 {
		t.Error("the fault strikes another path")
	}
	v.control("/_/fault", `{"clear":true}`)
	if send().StatusCode == 500 {
		t.Error("the fault was not cleared")
	}

	v.control("/_/fault", `{"path":"`+exchangePath+`","drop":true}`)
	code := v.code()
	body, kind := parts(exchange(code))
	before, _ := v.Server.Log()
	if r, err := v.try(http.MethodPost, exchangePath, body, "Content-Type", kind); err == nil {
		t.Errorf("dropped, yet answered %d", r.StatusCode)
	}
	if after, list := v.Server.Log(); after != before+1 || list[len(list)-1].Status != 0 {
		t.Errorf("the dropped request was seen %d times", after-before)
	}
	v.accessToken(v.exchange(exchange(code)))

	v.control("/_/fault", `{"path":"`+mePath+`","delay":"150ms"}`)
	start := time.Now()
	if send(); time.Since(start) < 150*time.Millisecond {
		t.Error("no delay")
	}
	// A waiting answer does not hold up the end.
	v.control("/_/fault", `{"path":"`+mePath+`","delay":"1h"}`)
	ended := make(chan error, 1)
	go func() {
		_, err := v.try(http.MethodGet, mePath, nil)
		ended <- err
	}()
	for {
		if count, list := v.Server.Log(); count > 0 && list[len(list)-1].Status == 0 && strings.HasSuffix(list[len(list)-1].Path, "/me") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	start = time.Now()
	v.Stop()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("Stop took %v", took)
	}
	<-ended
}

func TestDelayOfEveryAnswer(t *testing.T) {
	v := visit(t, Options{Delay: 700 * time.Millisecond})
	start := time.Now()
	v.get("/")
	if took := time.Since(start); took < 700*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
	start = time.Now()
	v.get("/_/log")
	if took := time.Since(start); took > 600*time.Millisecond {
		t.Errorf("control waits too: %v", took)
	}
}

func TestLogHasNamesAndNeverValues(t *testing.T) {
	v := visit(t, Options{})
	code := v.code()
	short := v.accessToken(v.exchange(exchange(code)))
	v.extend(short)
	v.get("/graph.instagram.com/v25.0/17841400000000117/media", "access_token", short)
	v.get("/somewhere/"+short, short, "x")
	v.do(http.MethodPost, exchangePath+"?code="+code, strings.NewReader(exchange(code).Encode()), "Content-Type", "application/x-www-form-urlencoded")
	r := v.get("/_/log")
	for _, hidden := range []string{code, short, ClientSecret, ClientID, redirect, "st4te", mark, "17841400000000117"} {
		if strings.Contains(r.body, hidden) {
			t.Errorf("the log shows %.20s…", hidden)
		}
	}
	want := `{"accounts":{"lantern.books":{"extend":1,"renew":0,"identity":0,"media":1,"extended":1,"renewed":0,"refused":0}},"count":6,"requests":[` + strings.Join([]string{
		`{"method":"POST","path":"/www.instagram.com/oauth/authorize","parameters":["client_id","decision","person","redirect_uri","response_type","scope","scope","state"],"encoding":"form","status":302}`,
		`{"method":"POST","path":"/api.instagram.com/oauth/access_token","parameters":["client_id","client_secret","code","grant_type","redirect_uri"],"encoding":"multipart","status":200}`,
		`{"method":"GET","path":"/graph.instagram.com/access_token","parameters":["access_token","client_secret","grant_type"],"encoding":"none","status":200}`,
		`{"method":"GET","path":"/graph.instagram.com/v25.0/{id}/media","parameters":["access_token"],"encoding":"none","status":200}`,
		`{"method":"GET","path":"other","parameters":["other"],"encoding":"none","status":404}`,
		`{"method":"POST","path":"/api.instagram.com/oauth/access_token","parameters":["client_id","client_secret","code","code","grant_type","redirect_uri"],"encoding":"form","status":400}`,
	}, ",") + "]}\n"
	if r.body != want {
		t.Errorf("log:\n%s\nwant\n%s", r.body, want)
	}
	if v.do(http.MethodDelete, "/_/log", nil).StatusCode != http.StatusOK {
		t.Error("DELETE /_/log")
	}
	if r := v.get("/_/log"); r.body != `{"accounts":{},"count":0,"requests":[]}`+"\n" {
		t.Errorf("emptied log: %s", r.body)
	}
	for range mostLog + 5 {
		v.Server.record("GET", "/", &call{query: url.Values{}})
	}
	if count, list := v.Server.Log(); count != mostLog+5 || len(list) != mostLog {
		t.Errorf("count %d, kept %d", count, len(list))
	}
	many := url.Values{}
	for i := range 5000 {
		many.Set(fmt.Sprint(i), "x")
	}
	if entry := v.Server.record("GET", "/", &call{query: many}); len(entry.Parameters) != 100 {
		t.Errorf("%d names kept", len(entry.Parameters))
	}
}

func TestStop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	running, err := Start(ctx, "localhost:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(running.URL, "http://127.0.0.1:") || strings.HasSuffix(running.URL, "/") {
		t.Errorf("URL is %s", running.URL)
	}
	var all sync.WaitGroup
	all.Go(cancel)
	for range 3 {
		all.Go(running.Stop)
	}
	all.Wait()
	again, err := Start(t.Context(), strings.TrimPrefix(running.URL, "http://"), Options{})
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	if _, err := Start(t.Context(), strings.TrimPrefix(running.URL, "http://"), Options{}); err == nil {
		t.Error("the same port twice")
	}
	again.Stop()
	ended, end := context.WithCancel(t.Context())
	end()
	if late, err := Start(ended, "127.0.0.1:0", Options{}); err == nil {
		late.Stop()
	}
}
