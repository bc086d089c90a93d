package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestReadPageUnderstandsTextJSONAndAddresses(t *testing.T) {
	for _, row := range []struct {
		id, text string
		want     problem.Key
		said     string
	}{
		{"threads", `{"error_message":"URL Blocked","error_code":1349168}`, problem.RedirectUnknown, "URL Blocked"},
		{"threads", "  \n{ \"error_message\" : \"x\", \"error_code\" : \"1349245\" }\n", problem.ThreadsInvite, "x"},
		{"threads", "Raw\nPretty print\n{\"error_message\":\"x\",\"error_code\":1349187}", problem.ThreadsInsecure, "x"},
		{"threads", "error_message: \"irgendwas\"\nerror_code: 1349187", problem.ThreadsInsecure, ""},
		{"threads", "13491870", problem.UnknownAnswer, "13491870"},
		{"instagram", "https://www.instagram.com/oauth/authorize/third_party/error/?message=Invalid%20scope%3A%20user_profile", problem.ScopeRetired, "Invalid scope: user_profile"},
		{"instagram", "https://www.instagram.com/oauth/authorize/third_party/error/?message=Rolle", problem.NotInvited, ""},
		{"instagram", "https://localhost:8919/?error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request&state=canary-canary#_", problem.Denied, ""},
		{"instagram", `{"error_type":"OAuthException","code":400,"error_message":"Invalid platform app"}`, problem.AppIDIsFacebook, "Invalid platform app"},
		{"instagram", "Invalid Request: Request parameters are invalid: Invalid platform app", problem.AppIDIsFacebook, ""},
		{"instagram-facebook", "https://www.facebook.com/oauth/error/?error_code=PLATFORM__INVALID_APP_ID&display=page", problem.AppConfigNeeded, ""},
		{"instagram-facebook", "Sorry, something went wrong.\nWe're working on getting this fixed as soon as we can.", problem.AppWrongType, ""},
		{"instagram-facebook", "Sorry, something went wrong. PLATFORM__INVALID_APP_ID", problem.AppConfigNeeded, ""},
		{"instagram-facebook", "Invalid Parameter: config_id does not belong to this app.", problem.AppConfigNeeded, ""},
		{"oauth2", "The client_id is not known here", problem.ClientRefused, ""},
		{"oauth2", "invalid_client\nclient is invalid", problem.ClientRefused, ""},
		{"oauth2", "Unknown client", problem.ClientRefused, ""},
		{"oauth2", "invalid_request: redirect_uri did not match any of the registered addresses", problem.RedirectUnknown, ""},
		{"oauth2", "Error 400: redirect_uri_mismatch", problem.RedirectUnknown, ""},
		{"oauth2", "invalid_request: the client sent two states", problem.ServerUnsupported, ""},
		{"threads", `{"error_message":"Es ist ein unbekannter Fehler aufgetreten","error_code":1}`, problem.ThreadsVague, ""},
		{"instagram", "Invalid Scopes: business_management, instagram_basic", problem.ScopeOtherRoad, ""},
		{"threads", `{"error_message":"Invalid Scopes: business_management","error_code":100}`, problem.ScopeOtherRoad, ""},
		{"instagram", "Invalid scope: business_content_publish", problem.ScopeRetired, ""},
		{"instagram", "Invalid Scopes: instagram_business_manage_insights", problem.ScopeRefused, ""},
		{"oauth2", `{"error":"invalid_scope","error_description":"nope"}`, problem.ScopeRefused, "nope"},
		{"instagram", "A page that nobody has seen", problem.UnknownAnswer, "A page that nobody has seen"},
		{"instagram", "", problem.UnknownAnswer, ""},
		{"instagram", "https://example.org/nothing?x=canary", problem.UnknownAnswer, "https://example.org/nothing"},
	} {
		d := get(t, row.id)
		p := d.ReadPage(row.text)
		if p.Key != row.want || row.said != "" && p.Provider != row.said || p.Args["provider"] != d.Name {
			t.Errorf("%s %q: %v %q", row.id, row.text, p, p.Provider)
		}
	}
}

func TestSEC1_APageIsNotRepeatedWithItsSecrets(t *testing.T) {
	long := "AQBx-canary" + strings.Repeat("x", 60)
	for _, text := range []string{
		"https://localhost:8919/?code=canary-short&state=canary-state#_", "HTTPS://localhost:8919/?code=canary", long,
		"see code=canary&state=canary2 here", `{"error_message":"token ` + long + ` is bad","error_code":7}`,
		"https://me:canary@localhost/?x", `{"access_token":"canary-short","refresh_token" : "canary"}`, "Code: canary-1234", "client_secret: canary",
		"code%3Dcanary%26state%3Dcanary", "Bearer canary-token", strings.Repeat("aB3~", 4) + "canary" + strings.Repeat("xY!9", 7),
		"//localhost:8919/?code=canary", "localhost:8919/?x=1&code=canary", "see <a href=\"https://localhost/?code=canary\">", "access_token=canary", `{"error_message":"state=canary"}`, "http://localhost/canary/../?code=" + long,
	} {
		for _, id := range []string{"instagram", "threads", "oauth2"} {
			p := get(t, id).ReadPage(strings.ReplaceAll(text, "/canary/..", ""))
			if strings.Contains(p.Provider+p.Error(), "canary") {
				t.Errorf("%s %q: %v %q", id, text, p, p.Provider)
			}
		}
	}
}

func TestPagesListsWhatAPageMaySay(t *testing.T) {
	pages := get(t, "threads").Pages()
	if !slices.Contains(pages, problem.ThreadsInvite) || !slices.Contains(pages, problem.ThreadsAddresses) || slices.Contains(pages, problem.CodeUsed) {
		t.Errorf("%v", pages)
	}
	for i, key := range pages {
		if slices.Contains(pages[:i], key) {
			t.Errorf("%s twice", key)
		}
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add("threads", `{"error_message":"URL Blocked","error_code":1349168}`)
	f.Add("instagram", "https://www.instagram.com/oauth/authorize/third_party/error/?message=%zz")
	f.Add("oauth2", "{{{}}}\x00\xff{\"error\":{\"code\":1e999}}")
	f.Add("instagram-facebook", "https://user:pass@www.facebook.com/oauth/error/?error_code=PLATFORM__INVALID_APP_ID&code=secret-0123456789-secret")
	r, _ := Load("")
	f.Fuzz(func(t *testing.T, id, text string) {
		d, err := r.Get(id)
		if err != nil {
			return
		}
		p := d.ReadPage(text)
		if p == nil || !problem.Listed(p.Key) || p.Args["provider"] == "" || len([]rune(p.Provider)) > 301 {
			t.Fatalf("%v", p)
		}
		for _, pair := range secretPair.FindAllString(p.Provider, -1) {
			if _, value, _ := strings.Cut(pair, "="); strings.Trim(value, "…") != "" {
				t.Fatalf("%q repeats a secret", p.Provider)
			}
		}
		for _, run := range longRun.FindAllString(p.Provider, -1) {
			if !strings.Contains(p.Provider, "://") {
				t.Fatalf("%q repeats a long run", run)
			}
		}
	})
}
