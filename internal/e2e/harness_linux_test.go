package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"image"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// These tests are about the harness itself: a journey that passes is worth
// nothing if clicks could miss, secrets could hide or leftovers go unseen.

func self(t testing.TB) string {
	t.Helper()
	// The test binary lies in a folder that only its owner may enter.
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// actor copies the test binary onto the desktop, for the ordinary user to run.
func (d *desktop) actor() string {
	d.t.Helper()
	path := filepath.Join(d.root, "bin", "actor")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	content, err := os.ReadFile(self(d.t))
	if err != nil {
		d.t.Fatal(err)
	}
	return d.write("bin/actor", string(content), 0o755)
}

func TestADesktopComesUpAndLeavesNothingBehind(t *testing.T) {
	var root string
	var pids []inspected
	t.Run("used", func(t *testing.T) {
		d := newDesktop(t, options{})
		root = d.root
		d.start("window", []string{d.actor(), partOfWindow}, nil)
		within(t, 5*time.Second, "the window is there", func() bool { return len(d.screen.windows()) == 1 })
		pids = belonging(d.root, nil)
		if len(pids) < 4 {
			t.Errorf("only %d processes belong to the desktop: %v", len(pids), pids)
		}
		if n := colours(d.screen.look(image.Rectangle{Max: d.screen.size}), 8); n < 2 {
			t.Errorf("the screen shows %d colours", n)
		}
	})
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("the desktop's folder is still there: %v", err)
	}
	if left := gone(pids, 0); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}

func TestClicksAndKeysArriveAtTheRightPlace(t *testing.T) {
	d := newDesktop(t, options{noKeyring: true})
	p := d.start("window", []string{d.actor(), partOfWindow}, nil)
	w := d.screen.windowOf(p.pid(), 5*time.Second)
	if w.title != "A window for tests" {
		t.Errorf("its title is %q", w.title)
	}
	d.screen.moveWindow(w, image.Rect(200, 300, 700, 700))
	w = d.screen.windowOf(p.pid(), time.Second)
	d.screen.activate(w)
	d.screen.click(w.area.Min.Add(image.Pt(123, 45)))
	d.screen.typeText("aB")
	shift := 1
	a, b := d.screen.keys['a'].code, d.screen.keys['b'].code
	expected := fmt.Sprintf("click 123 45\nkey %d 0\nkey %d 0\nkey %d %d\n", a, d.screen.keys[named["shift"]].code, b, shift)
	within(t, 5*time.Second, "the window was told "+expected, func() bool {
		out, _ := os.ReadFile(p.stdout)
		return string(out) == expected
	})
}

func TestTextGoesThroughTheClipboard(t *testing.T) {
	d := newDesktop(t, options{noKeyring: true})
	if text, ok := d.screen.clipboard(); ok {
		t.Errorf("a fresh desktop has %q on its clipboard", text)
	}
	for _, text := range []string{"plain", "Zoë€日", strings.Repeat("long ", 4000)} {
		d.screen.copyText(text)
		if got, ok := d.screen.clipboard(); !ok || got != text {
			t.Errorf("copied %d bytes, got %d (%v)", len(text), len(got), ok)
		}
	}
}

func TestTheKeychainIsRealAndCanFail(t *testing.T) {
	d := newDesktop(t, options{})
	k := d.keyring
	k.store(t, "service", "name", "value-of-item")
	if got, err := k.lookup("service", "name"); err != nil || got != "value-of-item" {
		t.Errorf("read %q, %v", got, err)
	}
	if names, err := k.names("service"); err != nil || len(names) != 1 || names[0] != "name" {
		t.Errorf("names %q, %v", names, err)
	}
	if names, err := k.names("another"); err != nil || len(names) != 0 {
		t.Errorf("names of another service: %q, %v", names, err)
	}
	k.lock()
	if got, err := k.lookup("service", "name"); err == nil && got != "" {
		t.Errorf("a locked keychain gave %q", got)
	}
	k.kill()
	if _, err := k.locked(); err == nil {
		t.Error("a killed keychain answers")
	}
	k.start()
	if got, err := k.lookup("service", "name"); err != nil || got != "value-of-item" {
		t.Errorf("after a new start: read %q, %v", got, err)
	}
	k.freeze()
	if _, err := k.locked(); err == nil {
		t.Error("a frozen keychain answers")
	}
	k.thaw()
	within(t, 3*time.Second, "it answers again", func() bool { _, err := k.locked(); return err == nil })
}

// consent is a stand-in for a provider: its page sends the browser to an https
// address on this computer with a certificate that nobody knows.
func consent(t *testing.T) (address, redirect string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(handler http.HandlerFunc, config *tls.Config) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		// A browser that warns ends its first handshakes; that is no news.
		server := &http.Server{Handler: handler, TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0)}
		go func() {
			if config != nil {
				_ = server.ServeTLS(listener, "", "")
				return
			}
			_ = server.Serve(listener)
		}()
		t.Cleanup(func() { _ = server.Close() })
		return fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	}
	redirect = "https://" + serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<p>You are connected. Code of %d letters.</p>", len(r.URL.Query().Get("code")))
	}, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}) + "/"
	address = "http://" + serve(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, redirect+"?code="+r.FormValue("code")+"&state=s", http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<h1>Allow this?</h1><form method=post style="margin:2000px 0 40px 300px"><input type=hidden name=code value=`+r.URL.Query().Get("give")+`><button>Allow</button> <button name=no>Cancel</button></form>`)
	}, nil)
	return address, redirect
}

func TestThePersonGoesThroughTheWarning(t *testing.T) {
	d := newDesktop(t, options{noKeyring: true})
	p := d.sitDown()
	address, redirect := consent(t)
	began := time.Now()
	if _, err := d.run("", "xdg-open", address+"/?give=1234567&b=%20x"); err != nil {
		t.Fatal(err)
	}
	if got := p.handed(time.Second); got != address+"/?give=1234567&b=%20x" {
		t.Errorf("the browser was handed %q", got)
	}
	g := p.page(address, 10*time.Second)
	g.says("Allow this?", 5*time.Second)
	g.click("Allow")
	within(t, 10*time.Second, "the certificate warning", g.warned)
	g.shot("harness-warning")
	if copied := g.copyAddress(); copied != redirect+"?code=1234567&state=s" {
		t.Errorf("the address on the clipboard is %q", copied)
	}
	g.throughWarning()
	g.says("You are connected. Code of 7 letters.", 10*time.Second)
	if g.address() != redirect+"?code=1234567&state=s" {
		t.Errorf("the address is %q", g.address())
	}
	g.shot("harness-connected")
	t.Logf("from xdg-open to the last page: %s", time.Since(began).Round(10*time.Millisecond))
	d.write("xdg-open.rc", "4", 0o644)
	if _, err := d.run("", "xdg-open", address); err == nil {
		t.Error("xdg-open was told to fail and did not")
	}
	for _, i := range allProcesses() {
		if strings.Contains(i.cmdline, p.profile) && strings.Contains(i.cmdline, "--no-sandbox") {
			t.Logf("Chromium runs without its sandbox on this machine")
			break
		}
	}
}

func TestTheCanaryIsFoundEverywhere(t *testing.T) {
	value := secret.New("canary-8f3a/61+d=~ü")
	c := canary{name: "the secret", value: value}
	d := newDesktop(t, options{noKeyring: true})
	if found := d.findings([]canary{c}, nil); len(found) != 0 {
		t.Errorf("on a clean desktop: %q", found)
	}
	forms := secret.Forms(value)
	d.write("home/.config/app/plain", "x"+value.Reveal()+"y", 0o600)
	d.write("tmp/encoded", base64.StdEncoding.EncodeToString([]byte(value.Reveal())), 0o600)
	d.write("browser/History", value.Reveal(), 0o600)
	for number, form := range forms {
		d.write("home/forms/"+strconv.Itoa(number), "…"+form+"…", 0o600)
	}
	if err := os.Symlink("/nowhere/"+forms[len(forms)-1], filepath.Join(d.home, "link")); err != nil {
		t.Fatal(err)
	}
	d.write("home/name-"+forms[len(forms)-1], "", 0o600)
	p := d.start("talker", []string{"/bin/sh", "-c", "echo '" + value.Reveal() + "' >&2; exec sleep 30", "talker"}, nil)
	quiet := d.start("environment", []string{"/bin/sleep", "30"}, nil, "APP_SECRET="+value.Reveal())
	within(t, 3*time.Second, "both programs are what they become", func() bool {
		i, ok := inspect(p.pid())
		said, _ := os.ReadFile(p.stderr)
		return ok && strings.HasPrefix(i.cmdline, "sleep") && len(said) > 0
	})
	shown := []inspected{}
	for _, pid := range []int{quiet.pid()} {
		if i, ok := inspect(pid); ok {
			shown = append(shown, i)
		}
	}
	shown = append(shown, inspected{cmdline: "/bin/tool\x00--password=" + value.Reveal()})
	found := strings.Join(d.findings([]canary{c}, shown), "\n")
	for _, place := range append([]string{"file home/.config/app/plain", "file tmp/encoded", "file browser/History", "file home/link", "name home/name-",
		"file log/talker-", "environ /bin/sleep", "argv /bin/tool"}, places(len(forms))...) {
		if !strings.Contains(found, " in "+place) {
			t.Errorf("not found in %s", place)
		}
	}
	if strings.Contains(found, value.Reveal()) {
		t.Error("the findings tell the secret")
	}
	c.allowed = onTheWayToTheBrowser
	shown = []inspected{{cmdline: "/bin/sh\x00/usr/bin/xdg-open\x00http://x/?state=" + value.Reveal()}}
	for _, finding := range d.findings([]canary{c}, shown) {
		if strings.Contains(finding, "browser/") || strings.Contains(finding, "xdg-open") {
			t.Errorf("an allowed place was reported: %s", finding)
		}
	}
}

func places(n int) []string {
	var out []string
	for i := range n {
		out = append(out, "file home/forms/"+strconv.Itoa(i))
	}
	return out
}

// The watch must see a helper that lives only for a moment.
func TestShortLivedHelpersAreSeen(t *testing.T) {
	d := newDesktop(t, options{noKeyring: true})
	p := d.start("parent", []string{"/bin/sh", "-c", "sleep 0.3; for i in 1 2 3 4 5; do sleep 0.02; done; sleep 0.4"}, nil)
	w := watchProcess(p.pid())
	if err := p.waitEnd(t, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	// One that is seen while it turns from the shell into itself is there twice.
	short := map[int]bool{}
	for _, i := range w.end() {
		if i.cmdline == "sleep\x000.02\x00" {
			short[i.pid] = true
		}
	}
	if len(short) != 5 {
		t.Errorf("saw %d of 5 helpers of 20 ms", len(short))
	}
}

// record is a testing.TB that takes failures instead of passing them on.
type record struct {
	testing.TB
	errors []string
	ends   []func()
}

func (r *record) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *record) Cleanup(f func()) { r.ends = append(r.ends, f) }
func (r *record) Failed() bool     { return false }

func TestWhatIsLeftOverIsReportedAndEnded(t *testing.T) {
	r := &record{TB: t}
	d := newDesktop(r, options{noKeyring: true})
	out, err := d.run("", d.actor(), partOfRunaway)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	runaway, ok := inspect(pid)
	if !ok {
		t.Fatal("the runaway child is not there")
	}
	for _, end := range r.ends {
		end()
	}
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], partOfSleeping) {
		t.Errorf("reported %q", r.errors)
	}
	if runaway.same() {
		t.Error("the runaway child is still there")
	}
}

func TestMissingToolsNameTheirPackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for name, packageName := range debian {
		if _, err := exec.LookPath(name); err == nil {
			t.Fatalf("%s is found on an empty path", name)
		}
		if packageName == "" {
			t.Errorf("%s has no Debian package", name)
		}
	}
	f := &fatal{TB: t}
	func() {
		defer func() { _ = recover() }()
		tool(f, "secret-tool")
	}()
	if !strings.Contains(f.said, "libsecret-tools") {
		t.Errorf("said %q", f.said)
	}
}

// fatal is a testing.TB whose Fatalf ends only the caller.
type fatal struct {
	testing.TB
	said string
}

func (f *fatal) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	panic(f.said)
}

func TestTheDriverIsUnderstood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			switch lines.Text() {
			case `{"op":"tree"}`:
				fmt.Fprintln(conn, `{"nodes":[{"role":"button","text":"Below","x":1,"y":2,"w":30,"h":40,"enabled":true},{"role":"button","text":"Above","x":5,"y":6,"w":7,"h":8,"enabled":true,"overlay":1}]}`)
			default:
				fmt.Fprintln(conn, `{"error":"unknown"}`)
			}
		}
	}()
	v := connectDriver(t, path, time.Second, func() bool { return true })
	var answer struct{ Nodes []node }
	if err := v.ask("tree", &answer); err != nil || len(answer.Nodes) != 2 {
		t.Fatalf("%v, %v", answer, err)
	}
	if n, ok := find(answer.Nodes, "button", "Above"); !ok || n.area() != image.Rect(5, 6, 12, 14) {
		t.Errorf("found %v %v", n, ok)
	}
	if _, ok := find(answer.Nodes, "button", "Below"); ok {
		t.Error("a button under a dialog was found")
	}
	if err := v.ask("dance", nil); err == nil || err.Error() != "unknown" {
		t.Errorf("an unknown operation gave %v", err)
	}
}
