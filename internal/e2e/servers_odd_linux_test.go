package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// answer opens the authorization address at a server that asks nobody anything
// and gives the page that our listener showed in the end.
func (d *desktop) answer(address string) (status int, page string) {
	d.t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	got, err := (&http.Client{Timeout: 15 * time.Second, Transport: transport}).Get(address)
	if err != nil {
		d.t.Fatal(err)
	}
	defer got.Body.Close()
	body, _ := io.ReadAll(got.Body)
	return got.StatusCode, string(body)
}

// A server that lets everybody in and can be told to answer oddly: what it may
// leave out, what it may add, and what ends a sign-in, each told as it is.
func TestServersFromNPMThatAnswerOddly(t *testing.T) {
	d := newDesktop(t, options{})
	port := freePort(t)
	s := d.npmServer("mock.mjs", nil)
	d.does("", "provider", "add", "--issuer", s.URL, "--id", "odd", "--scope", "openid")
	redirect := fmt.Sprintf("http://127.0.0.1:%d/", port)
	d.does("", "app", "add", "--name", "odd", "--provider", "odd", "--client-id", "any", "--redirect-uri", redirect)

	// Answers that are unusual and good.
	for name, odd := range map[string]map[string]any{
		"nothing odd":          nil,
		"no expires_in":        {"at": "token", "without": []string{"expires_in", "id_token"}},
		"more than we know":    {"at": "token", "with": map[string]any{"something_new": map[string]any{"a": []any{1, nil}}, "error": nil}},
		"no refresh token":     {"at": "token", "without": []string{"refresh_token"}},
		"the bearer's letters": {"at": "token", "with": map[string]any{"token_type": "bEaReR"}},
	} {
		if odd != nil {
			s.arm(odd)
		}
		c := d.connect("odd")
		d.answer(c.Address)
		last, code := c.ends()
		account, _ := last["account"].(map[string]any)
		if code != 0 || account["user_id"] != "johndoe" || (account["expires_at"] == nil) != (name == "no expires_in") {
			t.Errorf("%s: exit %d, %v", name, code, last)
			continue
		}
		item := d.item(account)
		if _, kept := item["refresh_token"].(string); kept == (name == "no refresh token") || item["access_token"] == "" {
			t.Errorf("%s: the item has a refresh token: %v", name, kept)
		}
	}

	// Answers that end it, and with what.
	for name, c := range map[string]struct {
		odd  map[string]any
		code int
		key  string
	}{
		"the code is refused":   {map[string]any{"at": "token", "status": 400, "body": map[string]any{"error": "invalid_grant"}}, 4, "code.refused"},
		"the client is refused": {map[string]any{"at": "token", "status": 401, "body": map[string]any{"error": "invalid_client", "error_description": "who?"}}, 4, "client.refused"},
		"no with a yes":         {map[string]any{"at": "token", "status": 200, "body": map[string]any{"error": "invalid_grant"}}, 4, "code.refused"},
		"words of its own":      {map[string]any{"at": "token", "status": 400, "body": map[string]any{"error": "x_new", "error_description": "Ask tomorrow"}}, 8, "provider.unknown_answer"},
		"trouble":               {map[string]any{"at": "token", "status": 502, "body": ""}, 5, "provider.down"},
		"no token in it":        {map[string]any{"at": "token", "without": []string{"access_token"}}, 5, "provider.odd_answer"},
		"another kind of token": {map[string]any{"at": "token", "with": map[string]any{"token_type": "mac"}}, 5, "provider.odd_answer"},
		"a list":                {map[string]any{"at": "token", "body": []any{1}}, 5, "provider.odd_answer"},
		"an endless life":       {map[string]any{"at": "token", "with": map[string]any{"expires_in": 1e12}}, 5, "provider.odd_answer"},
		"nobody's token":        {map[string]any{"at": "userinfo", "times": 2, "body": map[string]any{"name": "x"}}, 5, "provider.odd_answer"},
		"denied":                {map[string]any{"at": "authorize", "without": []string{"code"}, "with": map[string]any{"error": "access_denied"}}, 3, "sign_in.denied"},
		"later":                 {map[string]any{"at": "authorize", "without": []string{"code"}, "with": map[string]any{"error": "temporarily_unavailable"}}, 5, "provider.down"},
	} {
		s.arm(c.odd)
		waiting := d.connect("odd")
		d.answer(waiting.Address)
		last, code := waiting.ends()
		if code != c.code || keyOf(last) != c.key {
			t.Errorf("%s: exit %d, %s; want %d, %s", name, code, keyOf(last), c.code, c.key)
		}
		if told, _ := last["problem"].(map[string]any); name == "words of its own" && told["provider_message"] != "Ask tomorrow" {
			t.Errorf("%s: %v", name, told)
		}
	}

	// Refused renewals: which one takes the account's token for ended.
	c := d.connect("odd")
	d.answer(c.Address)
	last, _ := c.ends()
	account, _ := last["account"].(map[string]any)
	id, _ := account["id"].(string)
	before := d.item(account)
	for _, row := range []struct {
		odd  map[string]any
		code int
		key  string
	}{
		{map[string]any{"at": "token", "status": 503, "body": map[string]any{"error": "temporarily_unavailable"}}, 5, "provider.down"},
		{map[string]any{"at": "token", "status": 400, "body": map[string]any{"error": "invalid_grant"}}, 9, "renew.refresh_ended"},
	} {
		s.arm(row.odd)
		last, code := d.keep("", "renew", id)
		if code != row.code || !strings.Contains(fmt.Sprint(last), row.key) {
			t.Errorf("renewing: exit %d, %v; want %s", code, last, row.key)
		}
		if after := d.item(account); after["refresh_token"] != before["refresh_token"] || after["access_token"] != before["access_token"] {
			t.Error("a refused renewal changed the item")
		}
	}
}

// ATT-6, RFC 9207: a server that promises to name itself is held to it. An
// answer without the name, or with another's, is refused and the attempt goes
// on; the right one then ends it.
func TestATT6_AnAnswerThatNamesNobodyIsRefused(t *testing.T) {
	d := newDesktop(t, options{})
	port := freePort(t)
	s := d.npmServer("mock.mjs", nil)
	source, _, err := provider.Compose(provider.Server{
		ID: "promises", Issuer: s.URL, AuthorizeURL: s.URL + "/authorize", TokenURL: s.URL + "/token", IdentityURL: s.URL + "/userinfo",
		PKCE: true, IssParam: true, Auth: "none",
	})
	if err != nil {
		t.Fatal(err)
	}
	home := strings.TrimPrefix(d.home, d.root+"/")
	d.write(filepath.Join(home, ".local/share/tokenkeep/providers/promises.toml"), string(source), 0o600)
	if d.as != nil {
		d.giveAway(d.home)
	}
	if err := os.Chmod(filepath.Join(d.home, ".local/share/tokenkeep"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.does("", "app", "add", "--name", "p", "--provider", "promises", "--client-id", "any", "--redirect-uri", fmt.Sprintf("http://127.0.0.1:%d/", port))
	c := d.connect("p")
	for name, odd := range map[string]map[string]any{
		"nobody": nil, "another": {"at": "authorize", "with": map[string]any{"iss": "https://login.example"}},
		"a refusal of another": {"at": "authorize", "without": []string{"code"}, "with": map[string]any{"error": "access_denied", "iss": s.URL + "/"}},
	} {
		if odd != nil {
			s.arm(odd)
		}
		if status, page := d.answer(c.Address); status/100 != 4 {
			t.Errorf("%s: status %d, %s", name, status, page)
		}
		if !c.p.alive() {
			t.Fatalf("%s ended the attempt: %s", name, c.p.words())
		}
	}
	s.arm(map[string]any{"at": "authorize", "with": map[string]any{"iss": s.URL}})
	d.answer(c.Address)
	if last, code := c.ends(); code != 0 || last["event"] != "connected" {
		t.Errorf("the right one: exit %d, %v", code, last)
	}
}

// The same as a person does it: a real browser, clicks and keys.
func TestServersFromNPMInARealBrowser(t *testing.T) {
	d := newDesktop(t, options{})
	port := freePort(t)
	s := d.npmServer("oidc.mjs", map[string]any{"clients": []any{registered("public", "", "none", port)}})
	d.does("", "provider", "add", "--issuer", s.URL, "--id", "own")
	d.addApp("mine", "own", "public", "", port)
	p := d.sitDown()
	c := d.connect("mine", "--browser", "default")
	if handed := p.handed(10 * time.Second); handed != c.Address {
		t.Errorf("the browser was handed another address than the one that was printed")
	}
	g := p.page(s.URL, 10*time.Second)
	g.says("Sign-in", 10*time.Second)
	g.click("Enter any login")
	d.screen.typeText("zoe")
	g.click("and password")
	d.screen.typeText("any")
	g.click("Sign-in")
	g.says("Authorize", 10*time.Second)
	// The browser offers to keep the password, in front of the button, sooner
	// or later; a person closes that.
	within(t, 15*time.Second, "the page is left", func() bool {
		d.screen.key("Escape")
		time.Sleep(300 * time.Millisecond)
		if at, ok := g.find("Continue"); ok {
			d.screen.click(at)
			time.Sleep(700 * time.Millisecond)
		}
		return !strings.Contains(g.address(), "/interaction/")
	})
	last, code := c.ends()
	account, _ := last["account"].(map[string]any)
	if code != 0 || account["username"] != "zoe" {
		t.Fatalf("exit %d, %v", code, last)
	}
	g.says("connected", 10*time.Second)
	g.shot("servers-connected")
	if d.item(account)["refresh_token"] == "" {
		t.Error("no refresh token")
	}
}
