package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	threadsAuthorize  = "/www.threads.com/oauth/authorize"
	threadsExchange   = "/graph.threads.net/oauth/access_token"
	facebookAuthorize = "/www.facebook.com/v25.0/dialog/oauth"
	facebookExchange  = "/graph.facebook.com/v25.0/oauth/access_token"
	basicAuthorize    = "/api.instagram.com/oauth/authorize"
	genericAuthorize  = "/login.example/authorize"
	genericToken      = "/login.example/token"

	aVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
)

// object reads a JSON object.
func (v *visitor) object(r reply) map[string]any {
	v.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(r.body), &o); err != nil {
		v.Fatalf("%d %s: %v", r.StatusCode, r.body, err)
	}
	return o
}

// fields are the query of a dialect's authorization address.
func (d *dialect) fields(pairs ...string) url.Values {
	uri, scopes := redirect, d.names(d.all())
	separator := ","
	q := url.Values{}
	if d.number == numberGeneric {
		uri, separator = "http://127.0.0.1:8919/", " "
		sum := sha256.Sum256([]byte(aVerifier))
		q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
		q.Set("code_challenge_method", "S256")
	}
	q.Set("client_id", d.clientID)
	q.Set("redirect_uri", uri)
	q.Set("response_type", "code")
	q.Set("scope", strings.Join(scopes, separator))
	q.Set("state", "st4te")
	change(q, pairs)
	return q
}

func change(q url.Values, pairs []string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "-" {
			q.Del(pairs[i])
		}
	}
}

func (d *dialect) address() string {
	if d.number == numberFacebook {
		return facebookAuthorize
	}
	return "/" + d.authorizeHost + d.authorizePath
}

// ask presses Allow as somebody, with all that may be ticked; form adds to it.
func (v *visitor) ask(d *dialect, q url.Values, form ...string) reply {
	v.Helper()
	f := url.Values{"decision": {"allow"}, "person": {d.people()[0].username}, "scope": d.names(d.all())}
	if d.number == numberFacebook {
		for _, u := range users {
			for _, p := range u.pages {
				f.Add("page", p.id)
			}
		}
	}
	change(f, form)
	return v.do(http.MethodPost, d.address()+"?"+q.Encode(), strings.NewReader(f.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// trade is the form of the exchange.
func (d *dialect) trade(code string, pairs ...string) url.Values {
	q := d.fields()
	f := url.Values{
		"client_id": {d.clientID}, "client_secret": {d.clientSecret}, "code": {code}, "grant_type": {"authorization_code"},
		"redirect_uri": {q.Get("redirect_uri")},
	}
	if d.number == numberGeneric {
		f.Set("code_verifier", aVerifier)
	}
	change(f, pairs)
	return f
}

func (v *visitor) post(path string, f url.Values, headers ...string) reply {
	v.Helper()
	return v.do(http.MethodPost, path, strings.NewReader(f.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func (d *dialect) token() string {
	if d.number == numberFacebook {
		return facebookExchange
	}
	return "/" + d.exchangeHost + d.exchangePath
}

// fresh is a whole sign-in up to the exchange.
func (v *visitor) fresh(d *dialect, form ...string) map[string]any {
	v.Helper()
	got := v.answer(v.ask(d, d.fields(), form...))
	r := v.post(d.token(), d.trade(got.Get("code")))
	if r.StatusCode != http.StatusOK {
		v.Fatalf("%s: %d %s", d.id, r.StatusCode, r.body)
	}
	return v.object(r)
}

func (v *visitor) refused(r reply, code, subcode int, message string) {
	v.Helper()
	e, _ := v.object(r)["error"].(map[string]any)
	got, _ := e["error_subcode"].(float64)
	if e["code"] != float64(code) || int(got) != subcode || !strings.Contains(fmt.Sprint(e["message"]), message) {
		v.Errorf("%d %s, want %d/%d %s", r.StatusCode, r.body, code, subcode, message)
	}
}

func (v *visitor) rfc(r reply, status int, code string) {
	v.Helper()
	if o := v.object(r); r.StatusCode != status || o["error"] != code {
		v.Errorf("%d %s, want %d %s", r.StatusCode, r.body, status, code)
	}
}

func TestThreadsWholeSignIn(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	d := dialects[1]
	for _, host := range []string{"threads.net", "www.threads.net"} {
		r := v.get("/" + host + "/oauth/authorize?" + d.fields().Encode())
		if r.StatusCode != http.StatusMovedPermanently || r.Header.Get("Location") != threadsAuthorize+"?"+d.fields().Encode() {
			t.Errorf("%s: %d %s", host, r.StatusCode, r.Header.Get("Location"))
		}
	}
	page := v.get(threadsAuthorize + "?" + d.fields().Encode())
	for _, want := range []string{"This is not Threads.", "Search public posts", "threads_keyword_search"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	pressed := v.ask(d, d.fields())
	if got := v.answer(pressed); got.Get("state") != "st4te" || !strings.HasSuffix(pressed.Header.Get("Location"), "#_") {
		t.Errorf("answer %v", got)
	}
	given := v.fresh(d)
	short := fmt.Sprint(given["access_token"])
	if !strings.HasPrefix(short, "THAAPracticeOnly") || given["permissions"] != nil || given["user_id"] == nil {
		t.Errorf("exchange %v", given)
	}
	r := v.get("/graph.threads.net/access_token", "grant_type", "th_exchange_token", "client_secret", d.clientSecret, "access_token", short)
	long := v.accessToken(r)
	c.forward(25 * time.Hour)
	long = v.accessToken(v.get("/graph.threads.net/refresh_access_token", "grant_type", "th_refresh_token", "access_token", long))
	me := v.object(v.get("/graph.threads.net/v1.0/me", "fields", "id,username,name,threads_profile_picture_url,threads_biography,is_verified", "access_token", long))
	if me["username"] != "lantern.books" || me["is_verified"] != false || me["id"] != people[0].scopedID.String() {
		t.Errorf("me %v", me)
	}
	if r := v.get("/graph.threads.net/v1.0/me/threads", "fields", "id,text,permalink", "access_token", long); !strings.Contains(r.body, "A new shelf by the window") {
		t.Errorf("posts %s", r.body)
	}
	v.refused(v.get("/graph.threads.net/v1.0/me", "fields", "account_type", "access_token", long), 100, 0, "nonexisting field")
	seen, _ := v.object(v.get("/graph.threads.net/debug_token", "input_token", long, "access_token", long))["data"].(map[string]any)
	if seen["is_valid"] != true || len(seen["scopes"].([]any)) != len(d.scopes) {
		t.Errorf("debug_token %v", seen)
	}
	app := v.accessToken(v.get(threadsExchange, "grant_type", "client_credentials", "client_id", d.clientID, "client_secret", d.clientSecret))
	if !strings.HasPrefix(app, "TH|"+d.clientID+"|") {
		t.Errorf("app token %s", app)
	}
	v.refused(v.get(threadsExchange, "grant_type", "client_credentials", "client_id", d.clientID, "client_secret", "x"), 1, 0, messageSecret)
	v.refused(v.get(threadsExchange, "grant_type", "client_credentials", "client_id", "1", "client_secret", d.clientSecret), 101, 0, messageApplication)
	// The other road's token and secret are of no use here.
	v.refused(v.get("/graph.threads.net/v1.0/me", "access_token", v.short()), 190, 0, messageForeignToken)
	v.flatError(v.post(threadsExchange, d.trade("AQfake")), messageBadCode)
	v.flatError(v.post(threadsExchange, d.trade("AQfake", "client_id", MetaAppID)), messageWrongApp)
	v.flatError(v.post(threadsExchange, d.trade("AQfake", "client_id", ClientID)), messageNoApp)
	code := v.answer(v.ask(d, d.fields())).Get("code")
	v.flatError(v.post(threadsExchange, d.trade(code, "redirect_uri", "https://localhost:8919")), messageRedirect)
	v.flatError(v.post(threadsExchange, d.trade(code)), messageCodeUsed)
}

func TestThreadsRefusesInTheBrowser(t *testing.T) {
	v := visit(t, Options{})
	d := dialects[1]
	for name, row := range map[string]struct {
		query string
		code  int
	}{
		"http redirect":  {d.fields("redirect_uri", "http://localhost:8919/").Encode(), 1349187},
		"no redirect":    {d.fields("redirect_uri", "-").Encode(), 1349168},
		"a fragment":     {d.fields("redirect_uri", redirect+"#x").Encode(), 1349168},
		"Meta's app id":  {d.fields("client_id", MetaAppID).Encode(), 4476002},
		"no app id":      {d.fields("client_id", "-").Encode(), 1},
		"unknown app id": {d.fields("client_id", "123456789012345").Encode(), 1},
		"no scope":       {d.fields("scope", "-").Encode(), 1},
		"other scope":    {d.fields("scope", "threads_basic,"+basic).Encode(), 1},
		"not the basic":  {d.fields("scope", "threads_delete").Encode(), 1},
		"state twice":    {d.fields().Encode() + "&state=x", 1},
		"token":          {d.fields("response_type", "token").Encode(), 1},
		"broken":         {"client_id=%zz", 1},
	} {
		r := v.get(threadsAuthorize + "?" + row.query)
		if o := v.object(r); r.StatusCode != http.StatusBadRequest || o["error_code"] != float64(row.code) || o["error_message"] == "" || r.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
	for scenario, code := range map[string]string{"not-invited": "1349245", "wrong-id": "4476002"} {
		if r := v.ask(d, d.fields(), "scenario", scenario); !strings.Contains(r.body, `"error_code":`+code) {
			t.Errorf("%s: %s", scenario, r.body)
		}
	}
}

// accounts are the Pages of a token, by name.
func (v *visitor) accountsOf(access string) map[string]map[string]any {
	v.Helper()
	found := map[string]map[string]any{}
	next := v.URL + "/graph.facebook.com/v25.0/me/accounts?" + values("limit", "2", "access_token", access,
		"fields", "id,name,tasks,instagram_business_account{id,username,name,media_count}").Encode()
	for next != "" {
		o := v.object(v.get(strings.TrimPrefix(next, v.URL)))
		list, _ := o["data"].([]any)
		if len(list) > 2 {
			v.Errorf("%d at once", len(list))
		}
		for _, one := range list {
			page := one.(map[string]any)
			found[page["name"].(string)] = page
		}
		paging, _ := o["paging"].(map[string]any)
		next, _ = paging["next"].(string)
		if next != "" && !strings.HasPrefix(next, v.URL) {
			v.Fatalf("next is %s", next)
		}
	}
	return found
}

func TestFacebookWholeSignIn(t *testing.T) {
	v := visit(t, Options{})
	d := dialects[2]
	page := v.get(facebookAuthorize + "?" + d.fields().Encode())
	for _, want := range []string{"This is not Facebook.", "Pages of Nora Lind", "Weber Joinery", "All 30 Pages.", "No Page.", `name="page" value="102000000000101" checked`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	pressed := v.ask(d, d.fields())
	if !strings.HasSuffix(pressed.Header.Get("Location"), "#_=_") {
		t.Errorf("Location %s", pressed.Header.Get("Location"))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		f := d.trade(v.answer(v.ask(d, d.fields())).Get("code"), "grant_type", "-")
		r := v.get(facebookExchange + "?" + f.Encode())
		if method == http.MethodPost {
			f.Set("code", v.answer(v.ask(d, d.fields())).Get("code"))
			r = v.post(facebookExchange, f)
		}
		if access := v.accessToken(r); !strings.HasPrefix(access, "EAAPracticeOnly") {
			t.Errorf("%s: %s", method, r.body)
		}
	}
	short := fmt.Sprint(v.fresh(d)["access_token"])
	long := v.accessToken(v.get(facebookExchange, "grant_type", "fb_exchange_token", "client_id", d.clientID, "client_secret", d.clientSecret, "fb_exchange_token", short))
	if o := v.object(v.get("/graph.facebook.com/v25.0/me", "fields", "id,name", "access_token", long)); o["name"] != "Nora Lind" {
		t.Errorf("me %v", o)
	}
	all := v.accountsOf(long)
	if len(all) != 2 || all["Lantern Books"]["instagram_business_account"].(map[string]any)["username"] != "lantern.books" {
		t.Errorf("accounts %v", all)
	}
	id := people[0].accountID.String()
	if o := v.object(v.get("/graph.facebook.com/v25.0/"+id, "fields", "id,username,media_count", "access_token", long)); o["username"] != "lantern.books" || o["media_count"] != float64(4) {
		t.Errorf("the account %v", o)
	}
	if r := v.get("/graph.facebook.com/v25.0/"+id+"/media", "access_token", long); !strings.Contains(r.body, "18001000000000011") {
		t.Errorf("media %s", r.body)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/"+people[2].accountID.String(), "access_token", long), 100, 33, "does not exist")
	seen, _ := v.object(v.get("/graph.facebook.com/v25.0/debug_token", "input_token", long, "access_token", d.clientID+"|"+d.clientSecret))["data"].(map[string]any)
	if seen["is_valid"] != true || seen["type"] != "USER" || seen["app_id"] != MetaAppID {
		t.Errorf("debug_token %v", seen)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/debug_token", "input_token", long, "access_token", d.clientID+"|x"), 190, 0, "Cannot parse")
	proof := d.proof(long)
	if r := v.get("/graph.facebook.com/v25.0/me", "access_token", long, "appsecret_proof", proof); r.StatusCode != http.StatusOK {
		t.Errorf("with a proof: %s", r.body)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/me", "access_token", long, "appsecret_proof", proof[1:]+"0"), 100, 0, messageProof)
	if r := v.get("/graph.facebook.com/v25.0/me/permissions", "access_token", long); !strings.Contains(r.body, `{"permission":"instagram_basic","status":"granted"}`) {
		t.Errorf("permissions %s", r.body)
	}
	v.do(http.MethodDelete, "/graph.facebook.com/v25.0/me/permissions/instagram_basic?access_token="+long, nil)
	if r := v.get("/graph.facebook.com/v25.0/me/permissions", "access_token", long); !strings.Contains(r.body, `{"permission":"instagram_basic","status":"declined"}`) {
		t.Errorf("permissions %s", r.body)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/"+id, "access_token", long), 10, 0, "(#10)")
	if r := v.do(http.MethodDelete, "/graph.facebook.com/v25.0/me/permissions?access_token="+long, nil); r.body != `{"success":true}` {
		t.Errorf("revoked: %s", r.body)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/me", "access_token", long), 190, 458, "has not authorized application "+MetaAppID)
	if again := fmt.Sprint(v.fresh(d)["access_token"]); len(v.accountsOf(again)) != 2 {
		t.Error("a new sign-in does not bring the accounts back")
	}
}

func TestFacebookPeople(t *testing.T) {
	v := visit(t, Options{})
	d := dialects[2]
	for name, want := range map[string][]string{
		"jonas.weber": {"Weber Joinery: "},
		"tara.okafor": {"Kessler Pottery: mia.kessler"},
		"emil.sund":   {"Harbour Coffee: harbour.coffee"},
		"lea.brandt":  nil,
		"ada.moreau":  {"Harbour Coffee: harbour.coffee", "Kessler Pottery: mia.kessler", "Lantern Books: lantern.books", "Weber Joinery: "},
	} {
		access := fmt.Sprint(v.fresh(d, "person", name)["access_token"])
		var got []string
		for page, about := range v.accountsOf(access) {
			linked, _ := about["instagram_business_account"].(map[string]any)
			username, _ := linked["username"].(string)
			got = append(got, page+": "+username)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if n := len(v.accountsOf(fmt.Sprint(v.fresh(d, "person", "petra.agency")["access_token"]))); n != 30 {
		t.Errorf("the agency has %d", n)
	}
	few := fmt.Sprint(v.fresh(d, "person", "emil.sund")["access_token"])
	if tasks := v.accountsOf(few)["Harbour Coffee"]["tasks"].([]any); len(tasks) != 1 {
		t.Errorf("tasks %v", tasks)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/"+people[1].accountID.String(), "access_token", few), 10, 0, "permission")
	// Without business_management the business's Page is not there, without
	// pages_show_list none is, without instagram_basic no account is.
	for left, want := range map[string]int{"business_management": 3, "pages_show_list": 0, "instagram_basic": 4} {
		scopes := slices.DeleteFunc(d.names(d.all()), func(s string) bool { return s == left })
		access, err := v.Server.Mint(Minted{Provider: d.id, Person: "ada.moreau", Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		all := v.accountsOf(access)
		if len(all) != want || left == "instagram_basic" && all["Lantern Books"]["instagram_business_account"] != nil {
			t.Errorf("without %s: %v", left, all)
		}
	}
	one := fmt.Sprint(v.fresh(d, "person", "ada.moreau", "page", "102000000000101")["access_token"])
	if all := v.accountsOf(one); len(all) != 1 {
		t.Errorf("one ticked: %v", all)
	}
	v.refused(v.get("/graph.facebook.com/v25.0/"+people[2].accountID.String(), "access_token", one), 100, 33, "does not exist")
	if r := v.ask(d, d.fields(), "person", "lantern.books"); r.StatusCode != http.StatusBadRequest {
		t.Errorf("somebody of Instagram: %d", r.StatusCode)
	}
}

func TestFacebookRefusals(t *testing.T) {
	v := visit(t, Options{})
	d := dialects[2]
	for name, row := range map[string]struct{ query, says string }{
		"Instagram's app id":    {d.fields("client_id", ClientID).Encode(), "PLATFORM__INVALID_APP_ID"},
		"a blank in the id":     {d.fields("client_id", MetaAppID+" ").Encode(), "PLATFORM__INVALID_APP_ID"},
		"no id":                 {d.fields("client_id", "-").Encode(), "PLATFORM__INVALID_APP_ID"},
		"by number":             {d.fields("redirect_uri", "https://127.0.0.1:8919/").Encode(), "URL Blocked"},
		"http elsewhere":        {d.fields("redirect_uri", "http://example.com/").Encode(), "URL Blocked"},
		"the other road":        {d.fields("scope", basic).Encode(), "Invalid Scopes: " + basic},
		"blanks between scopes": {d.fields("scope", "instagram_basic pages_show_list").Encode(), "Invalid Scopes: instagram_basic pages_show_list"},
		"wrong configuration":   {d.fields("scope", "-", "config_id", "1").Encode(), "config_id does not belong"},
		"both":                  {d.fields("config_id", ConfigID).Encode(), "Invalid Parameter"},
		"token":                 {d.fields("response_type", "token").Encode(), "Invalid Parameter"},
		"scope twice":           {d.fields().Encode() + "&scope=email", "Invalid Parameter"},
	} {
		r := v.get(facebookAuthorize + "?" + row.query)
		if where := r.Header.Get("Location"); r.StatusCode != http.StatusFound || !strings.HasPrefix(where, "/www.facebook.com/oauth/error/?") {
			t.Errorf("%s: %d %s", name, r.StatusCode, where)
		} else if shown := v.get(where); shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, row.says) {
			t.Errorf("%s: %s", name, shown.body)
		}
	}
	if r := v.get("/www.facebook.com/oauth/error/", "message", "Call this number"); strings.Contains(r.body, "Call this") {
		t.Error("the page speaks for somebody else")
	}
	for _, uri := range []string{"http://localhost:8919/", "https://localhost:8919/", "https://example.com/back"} {
		if got := v.answer(v.ask(d, d.fields("redirect_uri", uri))); got.Get("code") == "" {
			t.Errorf("%s: %v", uri, got)
		}
	}
	r := v.ask(d, d.fields("redirect_uri", loginSuccess))
	if where := r.Header.Get("Location"); !strings.HasPrefix(where, "/www.facebook.com/connect/login_success.html?code=") || v.get(where).StatusCode != http.StatusOK {
		t.Errorf("login_success: %s", where)
	}
	if got := v.answer(v.ask(d, d.fields(), "decision", "deny")); got.Get("error") != "access_denied" || got.Get("error_reason") != "user_denied" {
		t.Errorf("cancel: %v", got)
	}
	// A configuration is allowed whole, whatever is unticked.
	r = v.ask(d, d.fields("scope", "-", "config_id", ConfigID), "scope", "instagram_basic")
	access := v.accessToken(v.post(facebookExchange, d.trade(v.answer(r).Get("code"))))
	if made, err := d.decode(access); err != nil || len(d.names(made.scopes)) != 8 {
		t.Errorf("configuration: %v %v", d.names(made.scopes), err)
	}

	code := func() string { return v.answer(v.ask(d, d.fields())).Get("code") }
	v.refused(v.post(facebookExchange, d.trade(code(), "client_secret", "x")), 1, 0, "Error validating client secret.")
	v.refused(v.post(facebookExchange, d.trade(code(), "client_id", ClientID)), 101, 0, "Invalid application ID")
	v.refused(v.post(facebookExchange, d.trade(code(), "client_id", "-")), 101, 0, "Missing client_id")
	v.refused(v.post(facebookExchange, d.trade(code(), "redirect_uri", "-")), 191, 0, "redirect_uri")
	v.refused(v.post(facebookExchange, d.trade("AQx")), 100, 0, "Invalid verification code format")
	v.refused(v.post(facebookExchange, d.trade(v.code())), 100, 0, "Invalid verification code format")
	v.refused(v.post(facebookExchange+"?"+d.trade(code()).Encode(), url.Values{}), 101, 0, "Missing client_id")
	v.refused(v.get(facebookExchange+"?"+d.trade(code()).Encode()+"&code=x"), 100, 0, messageTwice)
	wrong := v.post(facebookExchange, d.trade(code(), "redirect_uri", "https://localhost:8919"))
	v.refused(wrong, 100, 36008, messageRedirect)
	if !strings.HasPrefix(wrong.Header.Get("WWW-Authenticate"), `OAuth "Facebook Platform" "invalid_code"`) {
		t.Errorf("WWW-Authenticate: %s", wrong.Header.Get("WWW-Authenticate"))
	}
	used := code()
	v.accessToken(v.post(facebookExchange, d.trade(used)))
	v.refused(v.post(facebookExchange, d.trade(used)), 100, 36009, messageCodeUsed)
	old := code()
	v.control("/_/clock", `{"forward":"1h"}`)
	v.refused(v.post(facebookExchange, d.trade(old)), 100, 36007, "expired")

	longer := func(access string) reply {
		return v.get(facebookExchange, "grant_type", "fb_exchange_token", "client_id", d.clientID, "client_secret", d.clientSecret, "fb_exchange_token", access)
	}
	v.refused(longer(v.short()), 190, 0, "Cannot parse")
	for scenario, want := range map[string][2]int{"code-used": {100, 36009}, "redirect-mismatch": {100, 36008}} {
		got := v.answer(v.ask(d, d.fields(), "scenario", scenario)).Get("code")
		v.refused(v.post(facebookExchange, d.trade(got)), want[0], want[1], "")
	}
	v.refused(longer(fmt.Sprint(v.fresh(d, "scenario", "extension-refused")["access_token"])), 100, 0, "Unsupported request")
	for scenario, subcode := range map[string]int{"ended": 463, "password-changed": 460} {
		access := v.accessToken(longer(fmt.Sprint(v.fresh(d, "scenario", scenario)["access_token"])))
		// The sign-in's own questions are answered.
		if r := v.get("/graph.facebook.com/v25.0/me", "access_token", access); r.StatusCode != http.StatusOK || len(v.accountsOf(access)) != 2 {
			t.Errorf("%s: %s", scenario, r.body)
		}
		v.refused(v.get("/graph.facebook.com/v25.0/me", "access_token", access), 190, subcode, "")
	}
	if made, err := d.decode(fmt.Sprint(v.fresh(d, "scenario", "wrong-account")["access_token"])); err != nil || made.person.username != "jonas.weber" {
		t.Errorf("wrong account: %+v %v", made.person.username, err)
	}
}

func TestBasicDisplayWholeSignIn(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	d := dialects[3]
	short := fmt.Sprint(v.fresh(d)["access_token"])
	if !strings.HasPrefix(short, "IGQVPracticeOnly") {
		t.Errorf("token %s", short)
	}
	long := v.accessToken(v.get("/graph.instagram.com/access_token", "grant_type", "ig_exchange_token", "client_secret", d.clientSecret, "access_token", short))
	// The same hosts, and another app: its secret does not fit.
	v.graphError(v.get("/graph.instagram.com/access_token", "grant_type", "ig_exchange_token", "client_secret", ClientSecret, "access_token", short), messageSecret, typeOAuth, 1, 0)
	c.forward(24 * time.Hour)
	long = v.accessToken(v.get("/graph.instagram.com/refresh_access_token", "grant_type", "ig_refresh_token", "access_token", long))
	me := v.object(v.get("/graph.instagram.com/me", "fields", "id,username,account_type,media_count", "access_token", long))
	if me["username"] != "lantern.books" || me["media_count"] != float64(4) || me["id"] != people[0].scopedID.String() {
		t.Errorf("me %v", me)
	}
	if r := v.get("/graph.instagram.com/me/media", "access_token", long); r.StatusCode != http.StatusOK {
		t.Errorf("media %s", r.body)
	}
	v.refused(v.get("/graph.instagram.com/me", "fields", "user_id", "access_token", long), 100, 0, "nonexisting field (user_id)")
	bare, err := v.Server.Mint(Minted{Provider: d.id, Scopes: []string{"user_profile"}})
	if err != nil {
		t.Fatal(err)
	}
	v.refused(v.get("/graph.instagram.com/me/media", "access_token", bare), 10, 0, "permission")
	// A code of one app is nothing to the other.
	v.flatError(v.post(exchangePath, exchange(v.answer(v.ask(d, d.fields())).Get("code"))), messageNoCode)
	for name, row := range map[string][2]string{
		"new scope":    {d.fields("scope", basic).Encode(), "Invalid scope: " + basic},
		"http":         {d.fields("redirect_uri", "http://example.com/").Encode(), "Invalid redirect_uri"},
		"other app id": {d.fields("client_id", ClientID).Encode(), messageWrongApp},
	} {
		t.Log(name)
		v.flatError(v.get(basicAuthorize+"?"+row[0]), row[1])
	}
}

func TestGenericDiscovery(t *testing.T) {
	v := visit(t, Options{})
	for _, path := range []string{"/login.example/.well-known/oauth-authorization-server", "/login.example/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/login.example"} {
		o := v.object(v.get(path))
		if o["issuer"] != "https://login.example" || o["token_endpoint"] != "https://login.example/token" || o["authorization_response_iss_parameter_supported"] != true {
			t.Errorf("%s: %v", path, o)
		}
		if strings.HasSuffix(path, "openid-configuration") != (o["subject_types_supported"] != nil) {
			t.Errorf("%s: %v", path, o)
		}
	}
	v.control("/_/shape", `{"issuer":"own"}`)
	if o := v.object(v.get("/login.example/.well-known/oauth-authorization-server")); o["issuer"] != v.URL+"/login.example" || o["authorization_endpoint"] != v.URL+genericAuthorize {
		t.Errorf("own: %v", o)
	}
	if got := v.answer(v.ask(dialects[4], dialects[4].fields())); got.Get("iss") != v.URL+"/login.example" {
		t.Errorf("iss: %v", got)
	}
}

func TestGenericWholeSignIn(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	d := dialects[4]
	got := v.answer(v.ask(d, d.fields()))
	if got.Get("iss") != "https://login.example" || got.Get("state") != "st4te" {
		t.Errorf("answer %v", got)
	}
	// Basic carries both values form-encoded (RFC 6749, 2.3.1).
	basicAuth := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(d.clientID)+":"+url.QueryEscape(d.clientSecret)))
	r := v.post(genericToken, d.trade(got.Get("code"), "client_id", "-", "client_secret", "-"), "Authorization", basicAuth)
	o := v.object(r)
	if o["token_type"] != "Bearer" || o["expires_in"] != float64(3600) || o["scope"] != "openid profile email offline_access" || o["id_token"] != nil || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	who := v.object(v.do(http.MethodGet, "/login.example/userinfo", nil, "Authorization", "Bearer "+o["access_token"].(string)))
	if who["sub"] == nil || who["preferred_username"] != "lantern.books" || who["name"] != "Lantern Books" {
		t.Errorf("userinfo %v", who)
	}
	renew := func(token any, pairs ...string) reply {
		f := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(token)}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}}
		change(f, pairs)
		return v.post(genericToken, f)
	}
	info := func(token any) int {
		return v.do(http.MethodGet, "/login.example/userinfo", nil, "Authorization", fmt.Sprint("Bearer ", token)).StatusCode
	}
	second := v.object(renew(o["refresh_token"]))
	third := v.object(renew(second["refresh_token"]))
	if third["refresh_token"] == nil || info(third["access_token"]) != 200 || info(o["access_token"]) != 200 {
		t.Errorf("renewed %v", third)
	}
	// Reuse ends the family: also the newest, and its access tokens.
	v.rfc(renew(o["refresh_token"]), 400, "invalid_grant")
	v.rfc(renew(third["refresh_token"]), 400, "invalid_grant")
	if info(third["access_token"]) != 401 {
		t.Error("an access token outlives its family")
	}

	// One lost answer is forgiven where the server does so.
	v.control("/_/shape", `{"renew":"rotating","grace":1,"access_life":"60s"}`)
	first := v.fresh(d)
	if first["expires_in"] != float64(60) {
		t.Errorf("life %v", first["expires_in"])
	}
	v.object(renew(first["refresh_token"]))
	next := v.object(renew(first["refresh_token"]))
	if next["refresh_token"] == nil {
		t.Fatalf("grace: %v", next)
	}
	v.rfc(renew(first["refresh_token"]), 400, "invalid_grant")
	v.rfc(renew(next["refresh_token"]), 400, "invalid_grant")
	live := v.fresh(d)
	c.forward(time.Minute)
	if info(live["access_token"]) != 401 {
		t.Error("an access token outlives its minute")
	}
	v.control("/_/shape", `{"renew":"kept"}`)
	kept := v.fresh(d)
	for range 3 {
		if again := v.object(renew(kept["refresh_token"])); again["refresh_token"] != nil || again["access_token"] == nil {
			t.Errorf("kept: %v", again)
		}
	}
	v.control("/_/shape", `{"refresh":"asked"}`)
	if plain := v.fresh(d, "scope", "profile"); plain["refresh_token"] != nil {
		t.Errorf("not asked for: %v", plain)
	}

	// Narrower is granted, wider is not.
	v.control("/_/shape", `{}`)
	some := v.fresh(d, "scope", "profile")
	v.rfc(renew(some["refresh_token"], "scope", "profile email"), 400, "invalid_scope")
	v.rfc(renew(some["access_token"]), 400, "invalid_grant")
	if some = v.object(renew(some["refresh_token"], "scope", "profile")); some["scope"] != "profile" {
		t.Errorf("narrow: %v", some)
	}
	c.forward(refreshLife)
	v.rfc(renew(some["refresh_token"]), 400, "invalid_grant")
}

func TestGenericRevocation(t *testing.T) {
	v := visit(t, Options{})
	d := dialects[4]
	revoke := func(token any, pairs ...string) reply {
		f := url.Values{"token": {fmt.Sprint(token)}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}}
		change(f, pairs)
		return v.post("/login.example/revoke", f)
	}
	info := func(token any) int {
		return v.do(http.MethodGet, "/login.example/userinfo", nil, "Authorization", fmt.Sprint("Bearer ", token)).StatusCode
	}
	o := v.fresh(d)
	if r := revoke(o["access_token"], "token_type_hint", "nonsense"); r.StatusCode != 200 || info(o["access_token"]) != 401 {
		t.Errorf("access token: %d %s", r.StatusCode, r.body)
	}
	again := v.object(v.post(genericToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(o["refresh_token"])}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}}))
	if r := revoke(again["refresh_token"]); r.StatusCode != 200 || info(again["access_token"]) != 401 {
		t.Errorf("refresh token: %d %s", r.StatusCode, r.body)
	}
	if r := revoke("unknown"); r.StatusCode != 200 {
		t.Errorf("unknown token: %d", r.StatusCode)
	}
	v.rfc(revoke("x", "token", "-"), 400, "invalid_request")
	v.rfc(revoke("x", "client_secret", "x"), 401, "invalid_client")
	v.rfc(revoke(v.fresh(d)["access_token"], "client_id", PublicClientID, "client_secret", "-"), 400, "invalid_grant")
}

func TestGenericRefusals(t *testing.T) {
	v := visit(t, Options{})
	d := dialects[4]
	for name, row := range map[string]struct{ query, code string }{
		"no response type": {d.fields("response_type", "-").Encode(), "invalid_request"},
		"token":            {d.fields("response_type", "token").Encode(), "unsupported_response_type"},
		"no challenge":     {d.fields("code_challenge", "-").Encode(), "invalid_request"},
		"plain":            {d.fields("code_challenge_method", "plain").Encode(), "invalid_request"},
		"no method":        {d.fields("code_challenge_method", "-").Encode(), "invalid_request"},
		"padded challenge": {d.fields("code_challenge", d.fields().Get("code_challenge")+"=").Encode(), "invalid_request"},
		"unknown scope":    {d.fields("scope", "openid "+basic).Encode(), "invalid_scope"},
		"commas":           {d.fields("scope", "openid,profile").Encode(), "invalid_scope"},
		"prompt twice":     {d.fields().Encode() + "&prompt=a&prompt=b", "invalid_request"},
	} {
		got := v.answer(v.get(genericAuthorize + "?" + row.query))
		if got.Get("error") != row.code || got.Get("state") != "st4te" || got.Get("iss") != "https://login.example" || got.Get("code") != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, q := range map[string]string{
		"unknown client":   d.fields("client_id", ClientID).Encode(),
		"client twice":     d.fields().Encode() + "&client_id=x",
		"no redirect":      d.fields("redirect_uri", "-").Encode(),
		"foreign redirect": d.fields("redirect_uri", "http://example.com/").Encode(),
		"redirect twice":   d.fields().Encode() + "&redirect_uri=x",
		"broken":           "%zz",
	} {
		if r := v.get(genericAuthorize + "?" + q); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Header.Get("Location"))
		}
	}
	code := func(pairs ...string) string { return v.answer(v.ask(d, d.fields(pairs...))).Get("code") }
	for name, row := range map[string]struct {
		change []string
		status int
		code   string
	}{
		"no grant type":      {[]string{"grant_type", "-"}, 400, "invalid_request"},
		"other grant type":   {[]string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		"no verifier":        {[]string{"code_verifier", "-"}, 400, "invalid_request"},
		"other verifier":     {[]string{"code_verifier", strings.Repeat("x", 43)}, 400, "invalid_grant"},
		"short verifier":     {[]string{"code_verifier", "x"}, 400, "invalid_grant"},
		"other redirect":     {[]string{"redirect_uri", "http://127.0.0.1:8919"}, 400, "invalid_grant"},
		"no redirect":        {[]string{"redirect_uri", "-"}, 400, "invalid_grant"},
		"unknown code":       {[]string{"code", "x"}, 400, "invalid_grant"},
		"wrong secret":       {[]string{"client_secret", "x"}, 401, "invalid_client"},
		"no secret":          {[]string{"client_secret", "-"}, 401, "invalid_client"},
		"unknown client":     {[]string{"client_id", "x"}, 401, "invalid_client"},
		"the other client":   {[]string{"client_id", PublicClientID, "client_secret", "-"}, 400, "invalid_grant"},
		"public with secret": {[]string{"client_id", PublicClientID}, 401, "invalid_client"},
	} {
		r := v.post(genericToken, d.trade(code(), row.change...))
		if v.rfc(r, row.status, row.code); row.status == 401 && !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s: WWW-Authenticate %q", name, r.Header.Get("WWW-Authenticate"))
		}
	}
	body, kind := parts(d.trade(code()))
	v.rfc(v.do(http.MethodPost, genericToken, body, "Content-Type", kind), 400, "invalid_request")
	v.rfc(v.do(http.MethodPost, genericToken, strings.NewReader(d.trade(code()).Encode()+"&code=x"), "Content-Type", "application/x-www-form-urlencoded"), 400, "invalid_request")
	v.rfc(v.get(genericToken+"?"+d.trade(code()).Encode()), 405, "invalid_request")
	both := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(d.clientID)+":"+url.QueryEscape(d.clientSecret)))
	v.rfc(v.post(genericToken, d.trade(code()), "Authorization", both), 400, "invalid_request")
	raw := "Basic " + base64.StdEncoding.EncodeToString([]byte(d.clientID+":"+d.clientSecret))
	v.rfc(v.post(genericToken, d.trade(code(), "client_id", "-", "client_secret", "-"), "Authorization", raw), 401, "invalid_client")

	// A second use of the code ends what came of the first.
	once := code()
	o := v.object(v.post(genericToken, d.trade(once)))
	v.rfc(v.post(genericToken, d.trade(once)), 400, "invalid_grant")
	userinfo := func(headers ...string) reply { return v.do(http.MethodGet, "/login.example/userinfo", nil, headers...) }
	v.rfc(userinfo("Authorization", "Bearer "+o["access_token"].(string)), 401, "invalid_token")
	if r := userinfo(); r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != `Bearer realm="login.example"` {
		t.Errorf("no token: %d %s", r.StatusCode, r.Header.Get("WWW-Authenticate"))
	}
	v.rfc(userinfo("Authorization", "Bearer x"), 401, "invalid_token")
	v.rfc(userinfo("Authorization", "Bearer "+fmt.Sprint(v.fresh(d)["refresh_token"])), 401, "invalid_token")
	v.rfc(userinfo("Authorization", "Bearer "+fmt.Sprint(v.fresh(d, "scope", "email")["access_token"])), 403, "insufficient_scope")
	v.rfc(v.get("/login.example/userinfo", "access_token", fmt.Sprint(v.fresh(d)["access_token"])), 400, "invalid_request")

	// The client without a secret.
	public := v.object(v.post(genericToken, d.trade(code("client_id", PublicClientID), "client_id", PublicClientID, "client_secret", "-")))
	renewed := v.post(genericToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(public["refresh_token"])}, "client_id": {PublicClientID}})
	if renewed.StatusCode != 200 {
		t.Errorf("public: %s", renewed.body)
	}
	if got := v.answer(v.ask(d, d.fields(), "decision", "deny")); got.Get("error") != "access_denied" || got.Get("iss") == "" {
		t.Errorf("cancel: %v", got)
	}
	if got := v.answer(v.ask(d, d.fields(), "scenario", "not-invited")); got.Get("error") != "access_denied" {
		t.Errorf("not invited: %v", got)
	}
	dying := v.fresh(d, "scenario", "password-changed")
	if r := userinfo("Authorization", fmt.Sprint("Bearer ", dying["access_token"])); r.StatusCode != 200 {
		t.Errorf("the sign-in's own question: %s", r.body)
	}
	v.rfc(userinfo("Authorization", fmt.Sprint("Bearer ", dying["access_token"])), 401, "invalid_token")
	v.rfc(v.post(genericToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(dying["refresh_token"])}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}}), 400, "invalid_grant")
}

func TestEveryProvidersTokensOutliveARestart(t *testing.T) {
	first := visit(t, Options{})
	second := visit(t, Options{})
	o := first.fresh(dialects[4])
	f := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(o["refresh_token"])}, "client_id": {genericClientID}, "client_secret": {genericClientSecret}}
	if r := second.post(genericToken, f); r.StatusCode != http.StatusOK {
		t.Errorf("refresh token: %s", r.body)
	}
	second.rfc(second.post(genericToken, f), 400, "invalid_grant")
	page := fmt.Sprint(first.fresh(dialects[2], "person", "ada.moreau", "page", "102000000000301")["access_token"])
	if all := second.accountsOf(page); len(all) != 1 || all["Kessler Pottery"] == nil {
		t.Errorf("Pages: %v", all)
	}
	for _, d := range dialects {
		access, err := first.Server.Mint(Minted{Provider: d.id, Age: time.Minute})
		if err != nil || !IsPractice(access) || !strings.HasPrefix(access, d.prefix) {
			t.Fatalf("%s: %v", d.id, err)
		}
		made, err := d.decode(access)
		if err != nil || made.scopes != d.all() || made.person.number != d.people()[0].number {
			t.Errorf("%s: %+v %v", d.id, made, err)
		}
		for _, o := range dialects {
			if _, err := o.decode(access); o != d && err == nil {
				t.Errorf("%s takes a token of %s", o.id, d.id)
			}
		}
	}
	if _, err := first.Server.Mint(Minted{Provider: "myspace"}); err == nil {
		t.Error("a token of nobody")
	}
}

func TestTheDateHeaderCanBeOff(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	if r := v.control("/_/clock", `{"skew":"7m"}`); r.body != `{"now":"2026-11-22T09:14:00Z"}`+"\n" {
		t.Errorf("clock: %s", r.body)
	}
	if got := v.get("/").Header.Get("Date"); got != "Sun, 22 Nov 2026 09:21:00 GMT" {
		t.Errorf("Date is %s", got)
	}
	v.control("/_/clock", `{"skew":"-1h"}`)
	if got := v.get("/").Header.Get("Date"); got != "Sun, 22 Nov 2026 08:14:00 GMT" {
		t.Errorf("Date is %s", got)
	}
	for _, wrong := range []string{`{}`, `{"skew":"49h"}`, `{"skew":7}`} {
		if r := v.do(http.MethodPost, "/_/clock", strings.NewReader(wrong)); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, r.StatusCode)
		}
	}
}
