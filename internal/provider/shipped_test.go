package provider

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func base() *url.URL { return &url.URL{Scheme: "http", Host: "127.0.0.1:4711"} }

func offered(d Definition) (names, required []string) {
	for _, s := range d.Scopes {
		if s.Offered() {
			names = append(names, s.Name)
			if s.Required {
				required = append(required, s.Name)
			}
		}
	}
	return names, required
}

func TestThreadsIsWhatMetaDocuments(t *testing.T) {
	d := get(t, "threads")
	names, required := offered(d)
	if !slices.Equal(names, []string{"threads_basic", "threads_content_publish", "threads_read_replies", "threads_manage_replies", "threads_manage_insights"}) ||
		!slices.Equal(required, []string{"threads_basic"}) {
		t.Errorf("%v %v", names, required)
	}
	if d.Authorize.URL != "https://www.threads.com/oauth/authorize" || d.Authorize.PKCE || d.Exchange.Encoding != "multipart" || d.Extend.Params["grant_type"] != "th_exchange_token" ||
		d.Renew.Params["grant_type"] != "th_refresh_token" || d.Renew.Secret || d.Renew.After != 24*time.Hour || d.Renew.Window != 60*24*time.Hour ||
		d.Redirect.Default != "https://127.0.0.1:8919/" || d.Identity.Fields["user_id"] != "id" {
		t.Errorf("%+v", d)
	}
	if got := d.Hosts(); !slices.Equal(got, []string{"graph.threads.net"}) {
		t.Errorf("hosts: %v", got)
	}
}

func TestFacebookIsWhatMetaDocuments(t *testing.T) {
	d := get(t, "instagram-facebook")
	names, required := offered(d)
	if len(names) != 8 || !slices.Equal(required, []string{"instagram_basic", "pages_show_list"}) {
		t.Errorf("%v %v", names, required)
	}
	if d.Authorize.ConfigParam != "config_id" || d.Exchange.Method != "POST" || d.Extend.Params["fb_exchange_token"] != "{access_token}" || !d.Renew.Empty() ||
		d.Accounts.List != "data" || d.Accounts.Next != "paging.next" || d.Accounts.Fields["user_id"] != "instagram_business_account.id" ||
		d.Revoke.Method != "DELETE" || d.Revoke.Page == "" || d.Inspect.Params["access_token"] != "{client_id}|{client_secret}" || !d.Inspect.Secret {
		t.Errorf("%+v", d)
	}
	u, err := url.Parse(d.Accounts.URL)
	if err != nil || u.Query().Get("fields") != "id,name,tasks,instagram_business_account{id,username,name,media_count}" {
		t.Errorf("%v, %v", u, err)
	}
	p := d.Practice(base())
	if p.Accounts.URL != "http://127.0.0.1:4711/graph.facebook.com/v25.0/me/accounts?"+u.RawQuery {
		t.Errorf("%s", p.Accounts.URL)
	}
	if got := d.Hosts(); !slices.Equal(got, []string{"graph.facebook.com"}) {
		t.Errorf("hosts: %v", got)
	}
}

// What a person composes and what is shipped for practice know the same refusals.
func TestOwnServersKnowTheStandardsRefusals(t *testing.T) {
	var shipped [][3]string
	for _, e := range get(t, "oauth2").Errors {
		shipped = append(shipped, [3]string{string(e.Code) + e.Match, e.Where, e.Key})
	}
	if !slices.Equal(shipped, commonErrors) {
		t.Errorf("shipped %v\nand composed %v", shipped, commonErrors)
	}
}

// Every remedy leads to one step of one recipe, and every definition that can
// cause a problem whose first button is in the guide has that step.
func TestRemediesLeadSomewhere(t *testing.T) {
	for _, id := range []string{"instagram", "threads", "instagram-facebook"} {
		d := get(t, id)
		for _, e := range d.Errors {
			entry := problem.New(problem.Key(e.Key))
			if actions := entry.Actions(); len(actions) > 0 && slices.Contains(problem.Guides(), actions[0]) {
				if _, _, ok := d.RecipeFor(actions[0]); !ok {
					t.Errorf("%s: %s leads to %s, and no step of a recipe is for it", id, e.Key, actions[0])
				}
			}
		}
		for _, a := range problem.Guides() {
			if r, step, ok := d.RecipeFor(a); ok && (step < 0 || step >= len(r.Steps) || !slices.Contains(r.Steps[step].Remedies, string(a))) {
				t.Errorf("%s: %s leads to step %d of %s", id, a, step, r.Name)
			}
		}
	}
	if _, _, ok := get(t, "oauth2").RecipeFor(problem.GuideTester); ok {
		t.Error("a server without a guide has a step")
	}
}
