package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Authorization servers that nobody here wrote: npm's oidc-provider, strict and
// with rotation and reuse detection, and oauth2-mock-server, which answers
// whatever it is told to. The command line signs in at them as at any server
// that a person adds, and its tokens land in a real gnome-keyring.

// authServer is one of them, running.
type authServer struct {
	d   *desktop
	URL string
	p   *process
	in  io.Writer
}

// npmServer starts servers/<script> with its options and waits for its address.
func (d *desktop) npmServer(script string, settings any) *authServer {
	d.t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		d.t.Fatal("node is missing: install the Debian package nodejs, or run go run ./cmd/dev test")
	}
	dir, err := filepath.Abs("servers")
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		d.t.Fatal("the servers are not installed: run go run ./cmd/dev test, or npm ci --ignore-scripts (Debian package npm) in internal/e2e/servers")
	}
	argument, err := json.Marshal(settings)
	if err != nil {
		d.t.Fatal(err)
	}
	s := &authServer{d: d}
	s.p = d.start("npm-"+strings.TrimSuffix(script, ".mjs"), []string{node, script, string(argument)}, func(cmd *exec.Cmd) {
		cmd.Dir = dir
		// The checkout may lie where the desktop's user may not look.
		cmd.SysProcAttr.Credential = nil
		read, write, err := os.Pipe()
		if err != nil {
			d.t.Fatal(err)
		}
		cmd.Stdin, s.in = read, write
		d.t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	})
	within(d.t, 15*time.Second, script+" listens", func() bool {
		if !s.p.alive() {
			d.t.Fatalf("%s has ended: %s", script, s.p.words())
		}
		for _, line := range s.lines() {
			if line["event"] == "listening" {
				s.URL, _ = line["url"].(string)
			}
		}
		return s.URL != ""
	})
	return s
}

// lines is everything that the server has told.
func (s *authServer) lines() []map[string]any {
	out, _ := os.ReadFile(s.p.stdout)
	return objects(out)
}

// count is how often the server has told an event of which the rest holds.
func (s *authServer) count(event, rest string) int {
	n := 0
	for _, line := range s.lines() {
		if whole := fmt.Sprint(line); line["event"] == event && strings.Contains(whole, rest) {
			n++
		}
	}
	return n
}

// arm tells the mock server how to answer next.
func (s *authServer) arm(odd map[string]any) {
	s.d.t.Helper()
	line, err := json.Marshal(odd)
	if err != nil {
		s.d.t.Fatal(err)
	}
	before := s.count("armed", "")
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		s.d.t.Fatal(err)
	}
	within(s.d.t, 5*time.Second, "the server is armed", func() bool { return s.count("armed", "") > before })
}

// post sends a form and gives the status and the decoded answer.
func (s *authServer) post(path string, form url.Values) (int, map[string]any) {
	s.d.t.Helper()
	answer, err := http.PostForm(s.URL+path, form)
	if err != nil {
		s.d.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(answer.Body).Decode(&body)
	return answer.StatusCode, body
}

// objects are the JSON objects of an output, one a line.
func objects(out []byte) []map[string]any {
	var all []map[string]any
	for _, line := range bytes.Split(out, []byte("\n")) {
		var one map[string]any
		if json.Unmarshal(line, &one) == nil && one != nil {
			all = append(all, one)
		}
	}
	return all
}

// freePort is one that nobody listens on now.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// ctlArgs is the command line for a real sign-in: no practice.
func (d *desktop) ctlArgs(args ...string) []string {
	return append([]string{program(d.t, "tokenkeepctl", ""), "--json"}, args...)
}

// exitOf is a program's exit code; -1 where it was killed.
func exitOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -2
}

// keep runs the command line and gives its last object and exit code.
func (d *desktop) keep(input string, args ...string) (last map[string]any, code int) {
	d.t.Helper()
	out, err := d.run(input, d.ctlArgs(args...)...)
	if code = exitOf(err); code == -2 {
		d.t.Fatalf("%v: %v", args, err)
	}
	if code == 1 {
		d.t.Logf("%v: %v", args, err)
	}
	all := objects([]byte(out))
	if len(all) == 0 {
		return nil, code
	}
	return all[len(all)-1], code
}

// does is keep for what has to work.
func (d *desktop) does(input string, args ...string) map[string]any {
	d.t.Helper()
	last, code := d.keep(input, args...)
	if code != 0 {
		d.t.Fatalf("%v: exit %d, %v", args, code, last)
	}
	return last
}

func keyOf(object map[string]any) string {
	told, _ := object["problem"].(map[string]any)
	key, _ := told["key"].(string)
	return key
}

// connecting is a sign-in that waits for its answer.
type connecting struct {
	d       *desktop
	p       *process
	Address string // authorize_url
}

// connect starts a sign-in that opens no browser and gives it once it waits.
func (d *desktop) connect(app string, more ...string) *connecting {
	d.t.Helper()
	args := d.ctlArgs(append([]string{"connect", "--app", app, "--receive", "listen", "--timeout", "1m"}, more...)...)
	if len(more) == 0 {
		args = append(args, "--browser", "none")
	}
	c := &connecting{d: d, p: d.start("connect", args, nil)}
	within(d.t, 15*time.Second, "the sign-in waits for its answer", func() bool {
		for _, line := range c.lines() {
			if address, ok := line["authorize_url"].(string); ok && address != "" {
				c.Address = address
			}
		}
		return c.Address != "" || !c.p.alive()
	})
	if c.Address == "" {
		d.t.Fatalf("connect has ended: %s", c.p.words())
	}
	return c
}

func (c *connecting) lines() []map[string]any {
	out, _ := os.ReadFile(c.p.stdout)
	return objects(out)
}

// ends waits for the end and gives the last line and the exit code.
func (c *connecting) ends() (last map[string]any, code int) {
	c.d.t.Helper()
	code = exitOf(c.p.waitEnd(c.d.t, 20*time.Second))
	all := c.lines()
	if len(all) == 0 {
		c.d.t.Fatalf("connect said nothing: %s", c.p.words())
	}
	return all[len(all)-1], code
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([a-z]+)"`)
	abortLink  = regexp.MustCompile(`href="([^"]+/abort)"`)
)

// walk is a person with a browser of ten lines: from the authorization address
// through the server's own pages to our listener. It gives the last page.
func (d *desktop) walk(address, login string, allow bool) string {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	browser := &http.Client{Jar: jar, Timeout: 15 * time.Second, Transport: transport}
	answer, err := browser.Get(address)
	for step := 0; ; step++ {
		if err != nil {
			d.t.Fatalf("step %d: %v", step, err)
		}
		page, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		action, prompt := formAction.FindSubmatch(page), formPrompt.FindSubmatch(page)
		if action == nil || prompt == nil {
			return string(page)
		}
		if step > 4 {
			d.t.Fatalf("the pages have no end: %s", page)
		}
		link := abortLink.FindSubmatch(page)
		switch {
		case !allow && link != nil:
			answer, err = browser.Get(string(link[1]))
		case string(prompt[1]) == "login":
			answer, err = browser.PostForm(string(action[1]), url.Values{"prompt": {"login"}, "login": {login}, "password": {"any"}})
		default:
			answer, err = browser.PostForm(string(action[1]), url.Values{"prompt": {string(prompt[1])}})
		}
	}
}

// signIn is a whole sign-in by walk; it gives the account.
func (d *desktop) signIn(app, login string) map[string]any {
	d.t.Helper()
	c := d.connect(app)
	page := d.walk(c.Address, login, true)
	last, code := c.ends()
	account, _ := last["account"].(map[string]any)
	if code != 0 || last["event"] != "connected" || account == nil {
		d.t.Fatalf("exit %d, %v, the page said %q", code, last, page)
	}
	return account
}

// item is the account's token as it lies in the keychain.
func (d *desktop) item(account map[string]any) map[string]any {
	d.t.Helper()
	value, err := d.keyring.lookup(buildinfo.ID, "token-"+account["id"].(string))
	if err != nil {
		d.t.Fatal(err)
	}
	var item map[string]any
	if err := json.Unmarshal([]byte(value), &item); err != nil {
		d.t.Fatal("the item is no JSON")
	}
	return item
}

// registered is a client of oidc-provider as RFC 7591 writes it.
func registered(id, secret, method string, port int) map[string]any {
	client := map[string]any{"client_id": id, "token_endpoint_auth_method": method, "redirect_uris": []string{fmt.Sprintf("http://127.0.0.1:%d/", port)}}
	if secret != "" {
		client["client_secret"] = secret
	}
	return client
}

const awkwardSecret = "canary secret+with:every%thing/&=xyz"

// addApp adds an app for a server; a secret is kept in the keychain.
func (d *desktop) addApp(name, provider, id, secret string, port int) {
	d.t.Helper()
	args := []string{"app", "add", "--name", name, "--provider", provider, "--client-id", id, "--redirect-uri", fmt.Sprintf("http://127.0.0.1:%d/", port)}
	for _, scope := range []string{"openid", "offline_access", "profile"} {
		args = append(args, "--scope", scope)
	}
	if secret != "" {
		args = append(args, "--client-secret-file", "-")
	}
	d.does(secret, args...)
}

// A server that nobody here wrote, found by its issuer alone: signed in,
// renewed with rotation, found out when an old refresh token is shown again,
// and revoked.
func TestServersFromNPM(t *testing.T) {
	d := newDesktop(t, options{})
	port := freePort(t)
	s := d.npmServer("oidc.mjs", map[string]any{
		"path": "/tenant",
		"clients": []any{
			registered("public", "", "none", port), registered("by-header", awkwardSecret, "client_secret_basic", port),
			registered("by-body", awkwardSecret, "client_secret_post", port),
		},
	})
	d.does("", "provider", "add", "--issuer", s.URL, "--id", "own")
	d.does("", "provider", "add", "--id", "by-hand", "--authorize-url", s.URL+"/auth", "--token-url", s.URL+"/token",
		"--userinfo-url", s.URL+"/me", "--revoke-url", s.URL+"/token/revocation", "--auth", "body")
	var canaries []canary
	for _, c := range []struct{ name, provider, id, secret string }{
		{"a public client", "own", "public", ""}, {"the secret in the header", "own", "by-header", awkwardSecret}, {"the secret in the body, by hand", "by-hand", "by-body", awkwardSecret},
	} {
		began := time.Now()
		d.addApp(c.id, c.provider, c.id, c.secret, port)
		account := d.signIn(c.id, "alice-"+c.id)
		if account["username"] != "alice-"+c.id || account["user_id"] != "id-of-alice-"+c.id || account["status"] != "healthy" {
			t.Errorf("%s: %v", c.name, account)
		}
		id := account["id"].(string)
		first := d.item(account)
		d.does("", "renew", id)
		second := d.item(account)
		d.does("", "renew", id)
		third := d.item(account)
		for _, pair := range [][2]map[string]any{{first, second}, {second, third}} {
			if pair[0]["refresh_token"] == "" || pair[0]["refresh_token"] == pair[1]["refresh_token"] || pair[0]["access_token"] == pair[1]["access_token"] {
				t.Errorf("%s: nothing was rotated", c.name)
			}
		}
		if n := s.count("refused", "refresh_token"); n != 0 {
			t.Errorf("%s: %d renewals were refused", c.name, n)
		}
		d.does("", "revoke", id)
		for _, name := range []string{"access_token", "refresh_token"} {
			canaries = append(canaries, canary{name: name + " of " + c.name, value: secret.New(third[name].(string))})
			if alive(t, s, third[name].(string), c.id, c.secret) {
				t.Errorf("%s: the %s lives on", c.name, name)
			}
		}
		figure(t, "%s: added, signed in, renewed twice and revoked in %s", c.name, time.Since(began).Round(10*time.Millisecond))
	}

	// What was taken out of use is found out by the server, and told as it is.
	account := d.signIn("public", "mallory")
	old := d.item(account)["refresh_token"].(string)
	d.does("", "renew", account["id"].(string))
	if status, body := s.post("/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"public"}, "refresh_token": {old}}); status != 400 || body["error"] != "invalid_grant" {
		t.Fatalf("an old refresh token: %d %v", status, body)
	}
	within(t, 3*time.Second, "the server found the old one out", func() bool { return s.count("refused", "already used") == 1 && s.count("revoked", "") > 0 })
	last, code := d.keep("", "renew", account["id"].(string))
	if code != 9 || !strings.Contains(fmt.Sprint(last), "renew.refresh_ended") {
		t.Errorf("after the theft: exit %d, %v", code, last)
	}

	// A wrong secret, and a person who says no.
	d.addApp("wrong", "own", "by-header", "not-the-secret", port)
	c := d.connect("wrong")
	d.walk(c.Address, "alice", true)
	if last, code := c.ends(); code != 4 || keyOf(last) != "client.refused" {
		t.Errorf("a wrong secret: exit %d, %v", code, last)
	}
	c = d.connect("public")
	d.walk(c.Address, "alice", false)
	if last, code := c.ends(); code != 3 || keyOf(last) != "sign_in.denied" {
		t.Errorf("denied: exit %d, %v", code, last)
	}
	if n := s.count("broken", ""); n != 0 {
		t.Errorf("the server broke %d times: %s", n, s.p.words())
	}
	// None of it lies anywhere but in the keychain.
	d.noCanary(append(canaries, canary{name: "client secret", value: secret.New(awkwardSecret)}))
}

// alive asks the server whether a token is good (RFC 7662).
func alive(t *testing.T, s *authServer, token, id, secret string) bool {
	t.Helper()
	form := url.Values{"token": {token}}
	request, err := http.NewRequest(http.MethodPost, s.URL+"/token/introspection", nil)
	if err != nil {
		t.Fatal(err)
	}
	switch id {
	case "by-header":
		request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	case "by-body":
		form.Set("client_secret", secret)
		form.Set("client_id", id)
	default:
		form.Set("client_id", id)
	}
	request.Body = io.NopCloser(strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct {
		Active *bool
		Error  string
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil || said.Active == nil {
		t.Fatalf("introspection: %s %v %v", answer.Status, err, said.Error)
	}
	return *said.Active
}

// figure is a number for the log of the test run.
func figure(t *testing.T, format string, values ...any) {
	t.Helper()
	t.Attr("figure", fmt.Sprintf(format, values...))
}
