package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// pages is a definition whose token speaks for a person with Pages. The form
// of the answer is [mem] (providers.md 3.4).
func (s *server) pages() provider.Definition {
	d := provider.Definition{ID: "pages", Name: "Pages"}
	d.Exchange = provider.Step{Method: http.MethodGet, URL: s.URL + "/token", Encoding: "query", Answer: "meta-flat"}
	d.Identity = provider.Identity{URL: s.URL + "/me", Fields: map[string]string{"user_id": "id", "name": "name"}}
	d.Accounts = provider.Accounts{
		URL: s.URL + "/me/accounts?fields=id,name", List: "data", Next: "paging.next",
		Fields: map[string]string{
			"user_id": "instagram_business_account.id", "username": "instagram_business_account.username", "posts": "instagram_business_account.media_count",
			"page": "name", "page_id": "id", "tasks": "tasks",
		},
	}
	d.Errors = []provider.ErrorRow{{Match: "appsecret_proof", Key: string(problem.ProofRequired)}}
	return d
}

// What was granted, in the form of providers.md 3.5 [V].
func TestATT15_GrantedPermissionsAreAskedFor(t *testing.T) {
	s := serve(t, body(200, `{"data":[{"permission":"instagram_basic","status":"granted"},{"permission":"pages_show_list","status":"declined"},{"permission":"instagram_basic","status":"granted"}]}`))
	d := s.pages()
	if got, ok, err := client(t, d).Granted(t.Context(), d, short()); got != nil || ok || err != nil {
		t.Errorf("without an address: %v %v %v", got, ok, err)
	}
	d.Permissions = provider.Permissions{URL: s.URL + "/me/permissions", List: "data", Name: "permission", Status: "status", Granted: "granted"}
	got, ok, err := client(t, d).Granted(t.Context(), d, short())
	if err != nil || !ok || !slices.Equal(got, []string{"instagram_basic"}) {
		t.Errorf("%v %v %v", got, ok, err)
	}
	for _, odd := range []string{`{}`, `{"data":{}}`, `{"data":[{"permission":1e3,"status":"granted"},{"status":"granted"}]}`, `{"data":[{"permission":"a b","status":"granted"}]}`} {
		s := serve(t, body(200, odd))
		d.Permissions.URL = s.URL + "/me/permissions"
		if got, ok, err := client(t, d).Granted(t.Context(), d, short()); ok || !problem.Has(err, problem.ProviderOddAnswer) {
			t.Errorf("%s: %v %v", odd, got, err)
		}
	}
}

// Facebook's exchange may leave the end out, and no page says what it is then.
func TestTOK13_AnEndThatNobodyStatedIsNotMadeUp(t *testing.T) {
	r, _ := provider.Load("")
	for id, life := range map[string]time.Duration{"instagram": time.Hour, "threads": time.Hour, "instagram-basic-display": time.Hour, "instagram-facebook": 0, "oauth2": 0} {
		d, err := r.Get(id)
		if err != nil || d.Exchange.Lifetime != life {
			t.Errorf("%s: %v, %v", id, d.Exchange.Lifetime, err)
		}
	}
	s := serve(t, body(200, `{"access_token":"`+canaryShort+`","token_type":"bearer"}`))
	d := s.practice(t)
	d.Exchange.Lifetime = 0
	if got, err := client(t, d).Exchange(t.Context(), attempt(t, d), secret.New(canaryCode)); err != nil || !got.ExpiresAt.IsZero() {
		t.Errorf("%v, %v", got.ExpiresAt, err)
	}
}

const linked = `{"id":"11","name":"Page One","access_token":"EAAcanary","tasks":["ANALYZE","CREATE_CONTENT"],"instagram_business_account":{"id":"17841400000000001","username":"one","media_count":7}}`

func TestReachTellsWhyAnAccountIsNotReached(t *testing.T) {
	for name, c := range map[string]struct {
		row       string
		reachable bool
		reason    problem.Key
	}{
		"linked":                {linked, true, ""},
		"not linked":            {`{"id":"12","name":"Two","tasks":["MANAGE"]}`, false, problem.PageNotLinked},
		"null":                  {`{"id":"12","name":"Two","instagram_business_account":null}`, false, problem.PageNotLinked},
		"no role":               {`{"id":"13","name":"Three","tasks":[],"instagram_business_account":{"id":3}}`, false, problem.PageRole},
		"a role without a task": {`{"id":"14","name":"Four","tasks":["ANALYZE","ADVERTISE"],"instagram_business_account":{"id":"4"}}`, false, problem.NoTask},
		"tasks not told":        {`{"id":"15","name":"Five","instagram_business_account":{"id":"5"}}`, true, ""},
	} {
		s := serve(t, body(200, `{"data":[`+c.row+`]}`))
		d := s.pages()
		got, err := client(t, d).Reach(t.Context(), d, short())
		if err != nil || len(got) != 1 || got[0].Reachable != c.reachable || got[0].Reason != c.reason || got[0].Page == "" || got[0].PageID == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	s := serve(t, body(200, `{"data":[`+linked+`]}`))
	d := s.pages()
	got, err := client(t, d).Reach(t.Context(), d, short())
	if err != nil || got[0].UserID != "17841400000000001" || got[0].Username != "one" || got[0].Posts != 7 || got[0].PageID != "11" || got[0].Page != "Page One" {
		t.Errorf("%+v, %v", got, err)
	}
	if h := s.requests()[0]; h.values.Get("access_token") != canaryShort || h.values.Get("fields") != "id,name" || h.header.Get("Authorization") != "" {
		t.Errorf("%+v", h)
	}
}

func TestReachWithoutAPage(t *testing.T) {
	s := serve(t, body(200, `{"data":[],"paging":{}}`))
	d := s.pages()
	if _, err := client(t, d).Reach(t.Context(), d, short()); !problem.Has(err, problem.NoPage) {
		t.Errorf("%v", err)
	}
	for name, answer := range map[string]string{
		"no list": `{}`, "a string": `{"data":"x"}`, "an odd row": `{"data":[7]}`, "a null row": `{"data":[null]}`, "an odd id": `{"data":[{"instagram_business_account":{"id":"a b"}}]}`,
	} {
		s := serve(t, body(200, answer))
		d := s.pages()
		if _, err := client(t, d).Reach(t.Context(), d, short()); !problem.Has(err, problem.ProviderOddAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client(t, d).Reach(t.Context(), provider.Definition{Name: "x"}, short()); !problem.Has(err, problem.IdentityUnavailable) {
		t.Errorf("%v", err)
	}
}

// Further pages are asked for with our token, on the very host, and not for ever.
func TestTOK15_ReachFollowsPagesOnItsOwnHostOnly(t *testing.T) {
	var s *server
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("after") {
		case "":
			body(200, `{"data":[`+linked+`],"paging":{"next":"`+s.URL+`/v1/7/accounts?access_token=EAAtheirs&after=2&limit=1#x"}}`)(w, r)
		case "2":
			body(200, `{"data":[{"id":"12","name":"Two"},`+linked+`],"paging":{"next":"`+s.URL+`/v1/7/accounts?after=2&limit=1"}}`)(w, r)
		}
	})
	d := s.pages()
	got, err := client(t, d).Reach(t.Context(), d, short())
	if err != nil || len(got) != 2 || got[0].PageID != "11" || got[1].Reason != problem.PageNotLinked {
		t.Fatalf("%+v, %v", got, err)
	}
	heard := s.requests()
	if len(heard) != 2 || heard[1].path != "/v1/7/accounts" || fmt.Sprint(heard[1].values["access_token"]) != "["+canaryShort+"]" {
		t.Errorf("%d requests, %v", len(heard), heard[len(heard)-1].path)
	}
	for _, next := range []string{"https://evil.example/x?after=1", "http://localhost:1/x", "//evil.example/x", "/relative", "ftp://x"} {
		s := serve(t, body(200, `{"data":[`+linked+`],"paging":{"next":"`+next+`"}}`))
		d := s.pages()
		if _, err := client(t, d).Reach(t.Context(), d, short()); !problem.Has(err, problem.ProviderOddAnswer) || len(s.requests()) != 1 {
			t.Errorf("%s: %v", next, err)
		}
	}
	n := 0
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		body(200, fmt.Sprintf(`{"data":[{"id":"%d","name":"P"}],"paging":{"next":"%s/x?after=%d"}}`, n, s.URL, n))(w, r)
	})
	d = s.pages()
	if got, err := client(t, d).Reach(t.Context(), d, short()); err != nil || len(got) != maxPages || len(s.requests()) != maxPages {
		t.Errorf("%d rows, %d requests, %v", len(got), len(s.requests()), err)
	}
	s = serve(t, body(200, `{"data":[`+strings.TrimSuffix(strings.Repeat(`{"id":"1","name":"P"},`, maxReached+5), ",")+`]}`))
	d = s.pages()
	if got, err := client(t, d).Reach(t.Context(), d, short()); err != nil || len(got) != maxReached {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

// proving refuses requests without the right proof, in the words of row 29.
func proving(t *testing.T, answer string) *server {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		sum := hmac.New(sha256.New, []byte(clientSecret))
		sum.Write([]byte(r.URL.Query().Get("access_token")))
		switch r.URL.Query().Get("appsecret_proof") {
		case "":
			body(400, `{"error":{"message":"API calls from the server require an appsecret_proof argument","type":"GraphMethodException","code":100}}`)(w, r)
		case hex.EncodeToString(sum.Sum(nil)):
			body(200, answer)(w, r)
		default:
			body(400, `{"error":{"message":"Invalid appsecret_proof provided in the API argument","code":100}}`)(w, r)
		}
	})
}

// Row 29 [W]: the proof is given once, where the secret is at hand.
func TestAProofIsGivenOnceWhereItIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		secret   string
		works    bool
		requests int
	}{"at hand": {clientSecret, true, 2}, "wrong": {"another", false, 2}, "not at hand": {"", false, 1}} {
		for step, ask := range map[string]func(*Client, provider.Definition) error{
			"identity": func(k *Client, d provider.Definition) error {
				_, err := k.Identify(t.Context(), d, short())
				return err
			},
			"reach": func(k *Client, d provider.Definition) error { _, err := k.Reach(t.Context(), d, short()); return err },
			"renew": func(k *Client, d provider.Definition) error {
				_, err := k.Renew(t.Context(), d, short(), App{ClientSecret: k.Secret})
				k.Secret = secret.Text{}
				return err
			},
		} {
			s := proving(t, `{"id":"1","data":[`+linked+`],"access_token":"`+canaryLong+`"}`)
			d := s.pages()
			d.Renew.Step = provider.Step{Method: http.MethodGet, URL: s.URL + "/renew", Encoding: "query", Answer: "meta-flat", Params: map[string]string{"access_token": "{access_token}"}}
			k := client(t, d)
			k.Secret = secret.New(c.secret)
			err := ask(k, d)
			if c.works != (err == nil) || !c.works && !problem.Has(err, problem.ProofRequired) {
				t.Errorf("%s, %s: %v", step, name, err)
			}
			heard := s.requests()
			if len(heard) != c.requests {
				t.Errorf("%s, %s: %d requests", step, name, len(heard))
			}
			for _, h := range heard {
				if strings.Contains(h.values.Encode(), clientSecret) {
					t.Errorf("%s, %s: the secret itself was sent", step, name)
				}
			}
			if err != nil {
				tells(t, err)
			}
			if d.Renew.Params["appsecret_proof"] != "" {
				t.Error("the definition was changed")
			}
		}
	}
}

func FuzzReached(f *testing.F) {
	f.Add(`{"data":[`+linked+`],"paging":{"next":"https://graph.example/x?access_token=a"}}`, "paging.next")
	f.Add(`{"data":[{"tasks":{}}]}`, "data.data")
	names := map[string]string{"user_id": "account.id", "username": "account.username", "page": "name", "page_id": "id", "tasks": "tasks", "posts": "posts"}
	f.Fuzz(func(t *testing.T, text, path string) {
		top, err := parseObject([]byte(text))
		if err != nil {
			return
		}
		_ = scalar(descend(top, path))
		r, err := parseReached(top, names)
		if err == nil && (r.Reachable != (r.Reason == "") || r.Reachable && r.UserID == "") {
			t.Errorf("%+v", r)
		}
	})
}
