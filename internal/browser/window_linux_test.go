package browser

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const answer = "code=CODEcanary-9876543210&state=STATEcanary-0123456789"

// provider is a website that sends the browser back in every way there is.
func provider(t testing.TB, redirect string) *httptest.Server {
	page := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>provider</title><link rel=icon href=data:,>"+body)
	}
	mux := http.NewServeMux()
	back := redirect + "?" + answer
	for path, status := range map[string]int{"/302": 302, "/303": 303, "/307": 307} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, back, status) })
	}
	mux.HandleFunc("/hops", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/hop", 302) })
	mux.HandleFunc("/hop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/303", 307) })
	mux.HandleFunc("/script", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<script>setTimeout(()=>{location.href='"+back+"'},50)</script>")
	})
	mux.HandleFunc("/meta", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<meta http-equiv=refresh content='0;url="+back+"'>")
	})
	mux.HandleFunc("/form", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<form method=post action='/303'><input name=a value=b></form><script>document.forms[0].submit()</script>")
	})
	mux.HandleFunc("/popup", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<script>setTimeout(()=>open('/302','_blank'),50)</script>")
	})
	mux.HandleFunc("/fragment", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, back+"#_", 302) })
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, redirect+"#access_token=IGAAcanary&state=s", 302)
	})
	// Not answers: they are stopped, and nobody is asked.
	mux.HandleFunc("/form_post", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<form method=post action='"+redirect+"'><input name=code value=x></form><script>document.forms[0].submit()</script>")
	})
	mux.HandleFunc("/iframe", func(w http.ResponseWriter, r *http.Request) { page(w, "<iframe src='"+back+"'></iframe>") })
	mux.HandleFunc("/img", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<img src='"+back+"'><script>fetch('"+back+"',{mode:'no-cors'}).catch(()=>{})</script>")
	})
	mux.HandleFunc("/bare", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, redirect, 302) })
	mux.HandleFunc("/stay", func(w http.ResponseWriter, r *http.Request) { page(w, "<p>Sign in here") })
	mux.HandleFunc("/close", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<script>setTimeout(()=>close(),200)</script>")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// offers records what was offered and accepts what is the answer.
type offers struct {
	mu    sync.Mutex
	heard []string
}

func (o *offers) offer(rawQuery secret.Text) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = append(o.heard, rawQuery.Reveal())
	return rawQuery.Reveal() == answer
}

func (o *offers) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.heard...)
}

func open(t *testing.T, address, redirect string, o *offers) *Window {
	t.Helper()
	w, err := OpenWindow(context.Background(), chromium(t), address, redirect, o.offer)
	if err != nil {
		for e := err; e != nil; e = unwrap(e) {
			t.Log(e)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

func ended(t *testing.T, w *Window) {
	t.Helper()
	select {
	case <-w.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the window did not end")
	}
}

func TestCDP4_EveryWayBackIsCaughtAndNothingReachesTheHost(t *testing.T) {
	private(t)
	tr := newTrap(t)
	redirect := fmt.Sprintf("https://localhost:%d/", tr.port)
	server := provider(t, redirect)
	for _, way := range []string{"302", "303", "307", "hops", "script", "meta", "form", "popup", "fragment"} {
		o := &offers{}
		if way == "popup" {
			// Without a person's click the browser would block it.
			testFlags = append(testFlags, "--disable-popup-blocking")
		}
		w := open(t, server.URL+"/"+way, redirect, o)
		if way == "popup" {
			testFlags = testFlags[:len(testFlags)-1]
		}
		ended(t, w)
		if heard := o.all(); w.Err() != nil || !slices.Equal(heard, []string{answer}) {
			t.Errorf("%s: heard %q, %v", way, heard, w.Err())
		}
	}
	select {
	case got := <-tr.contacts:
		t.Errorf("the redirect's host was contacted: %q", got)
	default:
	}
}

func TestCDP5_WhatIsNoTopLevelGETIsStoppedAndNotOffered(t *testing.T) {
	private(t)
	tr := newTrap(t)
	redirect := fmt.Sprintf("https://localhost:%d/cb", tr.port)
	server := provider(t, redirect)
	for _, way := range []string{"form_post", "iframe", "img", "bare"} {
		o := &offers{}
		w := open(t, server.URL+"/"+way, redirect, o)
		time.Sleep(1500 * time.Millisecond)
		if heard := o.all(); len(heard) != 0 {
			t.Errorf("%s: heard %q", way, heard)
		}
		select {
		case <-w.Done():
			t.Errorf("%s: the window ended: %v", way, w.Err())
		default:
		}
		if err := w.Close(); err != nil || w.Err() != nil {
			t.Errorf("%s: %v %v", way, err, w.Err())
		}
	}
	// A token in the fragment is offered, so that the caller can say what it is.
	o := &offers{}
	w := open(t, server.URL+"/token", redirect, o)
	eventually(t, 10*time.Second, "the offer", func() bool { return len(o.all()) == 1 })
	if o.all()[0] != "access_token=IGAAcanary&state=s" {
		t.Errorf("heard %q", o.all())
	}
	_ = w.Close()
	select {
	case got := <-tr.contacts:
		t.Errorf("the redirect's host was contacted: %q", got)
	default:
	}
}

// A host that does not exist, a plain http redirect and a public one.
func TestCDP4_AnyRedirectURI(t *testing.T) {
	private(t)
	for _, redirect := range []string{"https://client-site.example/auth/cb", "http://localhost:1/", "https://client.invalid/?page=1"} {
		o := &offers{}
		server := provider(t, redirect)
		if strings.Contains(redirect, "?") {
			mux := http.NewServeMux()
			mux.HandleFunc("/302", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, redirect+"&"+answer, http.StatusFound)
			})
			server.Config.Handler = mux
		}
		w := open(t, server.URL+"/302", redirect, o)
		eventually(t, 10*time.Second, redirect, func() bool { return len(o.all()) == 1 })
		if !strings.HasSuffix(o.all()[0], answer) {
			t.Errorf("%s: %q", redirect, o.all())
		}
		_ = w.Close()
	}
}

func TestCDP2_OnlySevenMethodsAreSent(t *testing.T) {
	private(t)
	var mu sync.Mutex
	sent := map[string]int{}
	testWatch = func(method string) {
		mu.Lock()
		defer mu.Unlock()
		sent[method]++
	}
	defer func() { testWatch = nil }()
	redirect := "https://client.invalid/"
	server := provider(t, redirect)
	o := &offers{}
	w := open(t, server.URL+"/hops", redirect, o)
	ended(t, w)
	mu.Lock()
	defer mu.Unlock()
	want := map[string]int{"Target.setAutoAttach": 1, "Fetch.enable": 1, "Target.createTarget": 1, "Fetch.failRequest": 1, "Browser.close": 1}
	// One for each page and for each part of the browser's own surface.
	if sent["Runtime.runIfWaitingForDebugger"] == 0 {
		t.Error("no page was told to go on")
	}
	delete(sent, "Runtime.runIfWaitingForDebugger")
	for method, n := range sent {
		if want[method] != n {
			t.Errorf("%s was sent %d times, want %d", method, n, want[method])
		}
	}
	if len(sent) != len(want) {
		t.Errorf("sent: %v", sent)
	}
	// No other method is even spelled in the sources.
	source, err := os.ReadFile("window.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, domain := range []string{"Runtime.e", "Runtime.c", "Input.", "DOM.", "Network.", "Page.", "Storage.", "Emulation.", "getResponseBody", "getCookies"} {
		if bytes.Contains(source, []byte(`"`+domain)) {
			t.Errorf("window.go spells %s", domain)
		}
	}
}

// The command line shows neither the address nor a port; nothing listens; the
// profile is private and gone afterwards.
func TestCDP3_PipeProfileAndCommandLine(t *testing.T) {
	private(t)
	t.Setenv("TOKENKEEP_CANARY", "environment-canary")
	t.Setenv("GOTRACEBACK", "crash")
	redirect := "https://client.invalid/"
	server := provider(t, redirect)
	o := &offers{}
	w := open(t, server.URL+"/stay?state=STATEcanary-0123456789", redirect, o)
	family := descendants(t, w.command.Process.Pid)
	if len(family) < 3 {
		t.Errorf("only %d processes", len(family))
	}
	for _, pid := range family {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue
		}
		if bytes.Contains(line, []byte("canary")) || bytes.Contains(line, []byte("/stay")) || bytes.Contains(line, []byte("remote-debugging-port")) {
			t.Errorf("a command line: %s", bytes.ReplaceAll(line, []byte{0}, []byte(" ")))
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if bytes.Contains(environ, []byte("canary")) || bytes.Contains(environ, []byte("GOTRACEBACK")) {
			t.Errorf("process %d has our environment", pid)
		}
	}
	for _, pid := range listeners(t) {
		if slices.Contains(family, pid) {
			t.Errorf("process %d of the browser listens", pid)
		}
	}
	info, err := os.Stat(w.profile.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("profile: %v %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(w.profile.dir, "DevToolsActivePort")); err == nil {
		t.Error("a port was opened")
	}
	start := time.Now()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("closing took %v", took)
	}
	cache, _ := os.UserCacheDir()
	_ = filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(path, profilePrefix) {
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
	for _, pid := range family {
		if alive(pid) {
			t.Errorf("process %d of the browser is alive", pid)
		}
	}
}

// alive reports a process that is neither gone nor waiting to be collected.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z ")) && !bytes.Contains(stat, []byte(") X "))
}

func descendants(t *testing.T, root int) []int {
	t.Helper()
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		after := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		ppid, _ := strconv.Atoi(after[1])
		children[ppid] = append(children[ppid], pid)
	}
	family := []int{root}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family
}

// listeners gives the processes that have a listening TCP socket.
func listeners(t *testing.T) (pids []int) {
	t.Helper()
	ss, err := exec.LookPath("ss")
	if err != nil {
		t.Fatal("the program ss is missing: Debian package iproute2")
	}
	out, err := exec.Command(ss, "-ltnpH").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(out), "pid=")[1:] {
		number, _, _ := strings.Cut(part, ",")
		pid, _ := strconv.Atoi(number)
		pids = append(pids, pid)
	}
	return pids
}

func TestCDP6_ClosingCrashingAndCancelling(t *testing.T) {
	private(t)
	redirect := "https://client.invalid/"
	server := provider(t, redirect)
	t.Run("the person closes the window", func(t *testing.T) {
		w := open(t, server.URL+"/close", redirect, &offers{})
		ended(t, w)
		if !problem.Has(w.Err(), problem.BrowserClosed) {
			t.Errorf("%v", w.Err())
		}
	})
	t.Run("the browser crashes", func(t *testing.T) {
		w := open(t, server.URL+"/stay", redirect, &offers{})
		_ = syscall.Kill(w.command.Process.Pid, syscall.SIGKILL)
		ended(t, w)
		if !problem.Has(w.Err(), problem.BrowserClosed) {
			t.Errorf("%v", w.Err())
		}
		if _, err := os.Stat(w.profile.dir); err == nil {
			t.Error("the profile stayed")
		}
	})
	t.Run("the time is over", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		w, err := OpenWindow(ctx, chromium(t), server.URL+"/stay", redirect, (&offers{}).offer)
		if err != nil {
			t.Fatal(err)
		}
		ended(t, w)
		if w.Err() != context.DeadlineExceeded {
			t.Errorf("%v", w.Err())
		}
	})
}

// The parent is killed: the browser ends with its pipe, and the next start
// sweeps the profile away, but never one that is in use.
func TestCDP3_TheBrowserDiesWithUsAndItsProfileIsSwept(t *testing.T) {
	private(t)
	redirect := "https://client.invalid/"
	server := provider(t, redirect)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), asParent+"="+server.URL+"/stay", "TEST_PROGRAM="+chromium(t))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscan(out, &pid, &dir); err != nil {
		t.Fatal(err)
	}
	SweepWindows()
	if _, err := os.Stat(dir); err != nil {
		t.Error("a profile in use was swept")
	}
	family := descendants(t, pid)
	_ = child.Process.Kill()
	_ = child.Wait()
	eventually(t, 10*time.Second, "the end of the browser", func() bool { return !slices.ContainsFunc(family, alive) })
	if _, err := os.Stat(dir); err != nil {
		t.Error("nothing was left to sweep, the test shows nothing")
	}
	SweepWindows()
	if left, _ := filepath.Glob(filepath.Dir(dir) + "/*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func parent() int {
	w, err := OpenWindow(context.Background(), os.Getenv("TEST_PROGRAM"), os.Getenv(asParent), "https://client.invalid/", (&offers{}).offer)
	if err != nil {
		fmt.Println(0, err)
		return 1
	}
	fmt.Println(w.command.Process.Pid, w.profile.dir)
	time.Sleep(time.Minute)
	_ = w.Close()
	return 0
}

func TestOpenWindowRefuses(t *testing.T) {
	private(t)
	no := func(secret.Text) bool { return false }
	for _, address := range []string{"", "file:///etc/passwd", "javascript:alert(1)", "https://u@x/", "x"} {
		if _, err := OpenWindow(context.Background(), "/bin/true", address, "https://localhost/", no); !problem.Has(err, problem.BrowserAddress) {
			t.Errorf("address %q: %v", address, err)
		}
		if _, err := OpenWindow(context.Background(), "/bin/true", "https://localhost/", address, no); !problem.Has(err, problem.BrowserAddress) {
			t.Errorf("redirect %q: %v", address, err)
		}
	}
	if _, err := OpenWindow(context.Background(), "/nonexistent/browser", "https://a.example/", "https://localhost/", no); !problem.Has(err, problem.BrowserAbsent) {
		t.Errorf("absent: %v", err)
	}
	// A program that ends at once, as a browser does whose profile is busy.
	start := time.Now()
	_, err := OpenWindow(context.Background(), "/bin/true", "https://a.example/?state=canary", "https://localhost/", no)
	if !problem.Has(err, problem.BrowserFailed) || time.Since(start) > 5*time.Second {
		t.Errorf("ends at once: %v after %v", err, time.Since(start))
	}
	if strings.Contains(fmt.Sprint(err, unwrap(err)), "canary") {
		t.Errorf("the error shows the address: %v", unwrap(err))
	}
	dir, err := profilesDir()
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestHostRuleAndFlagsOfTheProduct(t *testing.T) {
	for _, row := range [][3]string{
		{"https://www.instagram.com/oauth/authorize?x", "https://localhost:8919/", "MAP localhost:8919 ~NOTFOUND"},
		{"https://www.instagram.com/oauth/authorize", "https://client.github.io/", "MAP client.github.io:443 ~NOTFOUND"},
		{"https://www.instagram.com/oauth/authorize", "http://[::1]:8919/", "MAP [::1]:8919 ~NOTFOUND"},
		{"http://127.0.0.1:40000/www.instagram.com/oauth/authorize", "https://127.0.0.1:8919/", "MAP 127.0.0.1:8919 ~NOTFOUND"},
		{"http://127.0.0.1:40000/a", "http://10.77.0.1:1/", "MAP 10.77.0.1:1 ~NOTFOUND"},
		{"https://www.facebook.com/dialog/oauth", "https://www.facebook.com/connect/login_success.html", ""},
		{"https://www.facebook.com/dialog/oauth", "https://m.FACEBOOK.com/x", ""},
		{"https://127.0.0.1:8919/a", "https://127.0.0.1:8919/b", ""},
	} {
		r, err := readRedirect(row[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := hostRule(row[0], r); got != row[2] {
			t.Errorf("%s, %s: %q, want %q", row[0], row[1], got, row[2])
		}
	}
	flags, rules := testFlags, testRules
	testFlags, testRules = nil, ""
	defer func() { testFlags, testRules = flags, rules }()
	got := strings.Join(arguments("/p", "MAP localhost:8919 ~NOTFOUND"), " ")
	want := "--remote-debugging-pipe --user-data-dir=/p --no-first-run --no-default-browser-check --no-startup-window --password-store=basic --host-resolver-rules=MAP localhost:8919 ~NOTFOUND"
	if got != want {
		t.Errorf("flags:\n%s\nwant\n%s", got, want)
	}
	for _, file := range []string{"browser.go", "window.go", "profile.go", "system_linux.go", "system_unix.go", "system_darwin.go", "system_windows.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{"no-sandbox", "remote-debugging-port", "ignore-certificate", "disable-web-security", "\"sh\"", "cmd.exe"} {
			if bytes.Contains(source, []byte(never)) {
				t.Errorf("%s holds %s", file, never)
			}
		}
	}
}

func FuzzRedirectMatches(f *testing.F) {
	f.Add("https://localhost:8919/", "https://localhost:8919/?code=1", "#_")
	f.Add("https://localhost:443/a%20b?x=1", "https://localhost/a%20b?x=1&code=1", "")
	f.Add("http://[::1]:80/", "http://[::1]/?c", "")
	f.Add("https://a.b/", "https://a.b.c/?code=1", "")
	f.Fuzz(func(t *testing.T, uri, address, fragment string) {
		r, err := readRedirect(uri)
		if err != nil {
			return
		}
		got, ok := r.matches(address, fragment)
		if !ok {
			return
		}
		rest, found := strings.CutPrefix(address, r.origin+r.path)
		if !found || (rest != "" && rest[0] != '?' && rest[0] != '#') {
			t.Errorf("%q was taken for %q", address, uri)
		}
		if !strings.Contains(address+fragment, got.Reveal()) {
			t.Errorf("the query %q is made up", got.Reveal())
		}
	})
}
