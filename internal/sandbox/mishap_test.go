package sandbox

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// at makes the request of one step with what is right for it.
func (v *visitor) at(d *dialect, where, access, refresh string) reply {
	v.Helper()
	switch where {
	case "page":
		return v.get(d.address() + "?" + d.fields().Encode())
	case "redirect":
		return v.ask(d, d.fields())
	case "exchange":
		return v.post(d.token(), d.trade(v.answer(v.ask(d, d.fields())).Get("code")))
	case "discovery":
		return v.get("/login.example/.well-known/oauth-authorization-server")
	case "accounts":
		return v.get("/graph.facebook.com/v25.0/me/accounts", "access_token", access)
	case "extend":
		if d.number == numberFacebook {
			return v.get(facebookExchange, "grant_type", d.extendGrant, "client_id", d.clientID, "client_secret", d.clientSecret, "fb_exchange_token", access)
		}
		return v.get("/"+d.graphHost+d.extendPath, "grant_type", d.extendGrant, "client_secret", d.clientSecret, "access_token", access)
	case "renew":
		if d.number == numberGeneric {
			return v.post(genericToken, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {d.clientID}, "client_secret": {d.clientSecret}})
		}
		return v.get("/"+d.graphHost+d.renewPath, "grant_type", d.renewGrant, "access_token", access)
	case "identity":
		if d.number == numberGeneric {
			return v.do(http.MethodGet, "/login.example/userinfo", nil, "Authorization", "Bearer "+access)
		}
		return v.get("/"+d.graphHost+"/me", "access_token", access)
	}
	v.Fatalf("no step %s", where)
	return reply{}
}

func TestEveryMishapStrikesOnceAtItsStep(t *testing.T) {
	v := visit(t, Options{})
	v.control("/_/shape", `{"renew":"kept"}`)
	names, rows := map[string]bool{}, map[int]bool{}
	for _, m := range Mishaps() {
		if names[m.Name] || m.Source == "" {
			t.Errorf("%s appears twice, or has no source", m.Name)
		}
		names[m.Name], rows[m.Row] = true, true
		if strings.HasPrefix(m.Body, "{") && !json.Valid([]byte(m.Body)) {
			t.Errorf("%s: %s", m.Name, m.Body)
		}
		d, known := dialectNamed(m.Provider)
		if !known || m.Name != m.Provider+"."+m.Where+"."+m.Name[strings.LastIndex(m.Name, ".")+1:] {
			t.Fatalf("%s is of %s at %s", m.Name, m.Provider, m.Where)
		}
		given := v.fresh(d)
		access, refresh := fmt.Sprint(given["access_token"]), fmt.Sprint(given["refresh_token"])
		if m.Where == "renew" && d.number != numberGeneric {
			var err error
			if access, err = v.Server.Mint(Minted{Provider: d.id, Age: 48 * 3600e9}); err != nil {
				t.Fatal(err)
			}
		}
		usual := v.at(d, m.Where, access, refresh)
		v.control("/_/mishap", `{"name":"`+m.Name+`"}`)
		// Another provider's request at the same step does not set it off.
		for _, o := range dialects[:2] {
			if o != d && (m.Where == "page" || m.Where == "redirect" || m.Where == "exchange") {
				v.at(o, m.Where, "", "")
			}
		}
		got := v.at(d, m.Where, access, refresh)
		switch {
		case m.Where == "redirect":
			back := v.answer(got)
			want, err := url.ParseQuery(strings.NewReplacer("{state}", "st4te", "{iss}", "https://login.example", "{code}", back.Get("code")).Replace(m.Query))
			if err != nil || back.Encode() != want.Encode() {
				t.Errorf("%s: %v, want %v", m.Name, back, want)
			}
		case m.Where == "page" && m.Body == "":
			if where := got.Header.Get("Location"); where != "" {
				got = v.get(where)
			}
			if !strings.Contains(got.body, html.EscapeString(m.Page)) {
				t.Errorf("%s: %d %s", m.Name, got.StatusCode, got.body)
			}
		case m.ownAnswer() && m.Row == 41:
			if made, err := d.decode(v.accessToken(got)); err != nil || made.scopes == d.all() {
				t.Errorf("%s: everything is granted", m.Name)
			}
		case m.ownAnswer():
			if o := v.object(got); o["access_token"] == nil || o["expires_in"] != nil {
				t.Errorf("%s: %s", m.Name, got.body)
			}
		case got.StatusCode != m.Status || got.body != m.Body || got.Header.Get("WWW-Authenticate") != m.Challenge:
			t.Errorf("%s: %d %s", m.Name, got.StatusCode, got.body)
		}
		if after := v.at(d, m.Where, access, refresh); after.StatusCode != usual.StatusCode || len(v.Armed()) != 0 {
			t.Errorf("%s: afterwards %d %s, still armed %v", m.Name, after.StatusCode, after.body, v.Armed())
		}
	}
	// Row 34 is in the double's own rules too; 44 happens between browser and
	// client, where no provider is.
	for row := 1; row <= 46; row++ {
		if !rows[row] && row != 44 {
			t.Errorf("row %d has no mishap", row)
		}
	}
}

func (v *visitor) Armed() []string { return v.Server.Armed() }

func TestMishapsAtTheControlAddress(t *testing.T) {
	v := visit(t, Options{})
	if r := v.do(http.MethodPost, "/_/mishap", strings.NewReader(`{"name":"flood"}`)); r.StatusCode != http.StatusBadRequest || strings.Contains(r.body, "flood") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	var listed struct{ Mishaps []Mishap }
	if err := json.Unmarshal([]byte(v.get("/_/mishap").body), &listed); err != nil || len(listed.Mishaps) != len(Mishaps()) {
		t.Errorf("%d listed, %v", len(listed.Mishaps), err)
	}
	name := listed.Mishaps[0].Name
	v.control("/_/mishap", `{"name":"`+name+`"}`)
	if got := v.Armed(); len(got) != 1 || got[0] != name {
		t.Errorf("armed %v", got)
	}
	v.control("/_/mishap", `{"clear":true}`)
	if got := v.Armed(); len(got) != 0 {
		t.Errorf("armed %v", got)
	}
	var all struct {
		Providers []struct {
			Provider     string
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
			ConfigID     string `json:"config_id"`
			People       []string
		}
	}
	if err := json.Unmarshal([]byte(v.get("/_/providers").body), &all); err != nil || len(all.Providers) != len(Providers()) {
		t.Fatalf("%+v %v", all, err)
	}
	for _, p := range all.Providers {
		id, secret := Registration(p.Provider)
		if id == "" || id != p.ClientID || secret != p.ClientSecret || len(p.People) != len(PeopleOf(p.Provider)) || (p.ConfigID == ConfigID) != (p.Provider == "instagram-facebook") {
			t.Errorf("%+v", p)
		}
	}
	if id, secret := Registration("myspace"); id != "" || secret != "" || PeopleOf("myspace") != nil {
		t.Error("an app of nobody")
	}
}

func FuzzEveryAuthorization(f *testing.F) {
	for i, d := range dialects {
		f.Add(byte(i), d.fields().Encode())
		f.Add(byte(i), d.fields("redirect_uri", "http://localhost:1/?a=b&c", "scope", "x,y z").Encode())
	}
	f.Add(byte(2), dialects[2].fields("scope", "-", "config_id", ConfigID, "redirect_uri", loginSuccess).Encode())
	f.Add(byte(4), dialects[4].fields("response_type", "\r\n").Encode()+"&a=1&a=2")
	f.Fuzz(func(t *testing.T, which byte, raw string) {
		d := dialects[int(which)%len(dialects)]
		a, no := d.request(raw)
		if no != nil && (strings.ContainsAny(no.message+no.back+no.name, "\r\n") || len(no.message) > 600 || no.back != "" && a.redirectURI == "") {
			t.Errorf("%+v", no)
		}
		if no == nil && (a.redirectURI == "" || strings.ContainsAny(a.origin, " ;,'\"") || strings.ContainsAny(a.redirectURI, "\r\n #") || a.scopes&^d.all() != 0) {
			t.Errorf("accepted %+v", a)
		}
		s := New(Options{Auto: true})
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, d.address(), nil)
		r.Host, r.URL.RawQuery = "localhost", raw
		s.ServeHTTP(w, r)
		if got := strings.Contains(w.Header().Get("Location"), "code=AQ"); no == nil && !got {
			t.Errorf("%d %q", w.Code, w.Header().Get("Location"))
		}
		if no != nil && len(s.codes) != 0 {
			t.Error("a refused request has a code")
		}
	})
}

func FuzzFacebookPathsAndFields(f *testing.F) {
	for _, s := range [][2]string{{"me/accounts", "id,name,tasks,instagram_business_account{id,username}"}, {"17841400000000117", "a{b{c{d{e{f}}}}}"}, {"me/permissions/instagram_basic", "}{"}, {"", ",,"}, {"me/media/x", " a { b } , c"}, {"me", "a{}"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, path, fields string) {
		node, _, pattern := facebookNode(path)
		if (node == "") != (pattern == "") || pattern != "" && !strings.HasPrefix(pattern, "me") && !strings.HasPrefix(pattern, "{id}") {
			t.Errorf("%q is %q %q", path, node, pattern)
		}
		parsed, ok := parseFields(fields)
		var walk func(list []field, depth int)
		walk = func(list []field, depth int) {
			for _, one := range list {
				if depth > deepest+1 {
					t.Error("too deep")
				}
				if one.name == "" || strings.ContainsAny(one.name, ",{}") || !strings.Contains(fields, one.name) {
					t.Errorf("%q gives %q", fields, one.name)
				}
				walk(one.inner, depth+1)
			}
		}
		if ok {
			walk(parsed, 1)
		}
		if ok && strings.Count(fields, "{") != strings.Count(fields, "}") {
			t.Errorf("%q is taken", fields)
		}
	})
}

func FuzzEveryToken(f *testing.F) {
	s := New(Options{})
	for i, d := range dialects {
		access, err := s.Mint(Minted{Provider: d.id})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), access)
		f.Add(byte(i), d.prefix+mark)
	}
	f.Fuzz(func(t *testing.T, which byte, raw string) {
		d := dialects[int(which)%len(dialects)]
		if got, err := d.decode(raw); err == nil && (got.dialect != d || !IsPractice(raw) || got.person.number == 0) {
			t.Errorf("accepted %q as %+v", raw, got)
		}
	})
}
