package redirect

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browse starts a real Chromium with a fresh profile and no way out.
func browse(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the program chromium is missing: Debian package chromium")
	}
	options := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND,EXCLUDE localhost,EXCLUDE 127.0.0.1"),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Env("HOME="+t.TempDir()),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, flags...)...)
	limited, cancel := context.WithTimeout(allocator, 90*time.Second)
	ctx, end := chromedp.NewContext(limited)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log("ending the browser:", err)
		}
		end()
		cancel()
		stop()
	})
	return ctx
}

// site is a web page of somebody, on another origin.
func site(t *testing.T, pages map[string]string, redirects map[string]string) *httptest.Server {
	mux := http.NewServeMux()
	for path, body := range pages {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><link rel=icon href=data:,><title>site</title>"+body)
		})
	}
	for path, target := range redirects {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func location(t *testing.T, ctx context.Context) string {
	t.Helper()
	where, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	return where
}

func TestLST9_LST14_InARealBrowser(t *testing.T) {
	l, a := listen(t, uriOn("http", "localhost", freePort(t), "/"))
	answer := uriOn("http", "localhost", l.address.Port, answerTarget(l))
	server := site(t, map[string]string{
		"/attack": `<iframe src="` + answer + `"></iframe><img src="` + answer + `&img"><object data="` + answer + `"></object><embed src="` + answer + `">
			<link rel=stylesheet href="` + answer + `"><link rel=prefetch href="` + answer + `"><script src="` + answer + `"></script><script>
			const tries=[fetch("` + answer + `",{mode:"no-cors"}),fetch("` + answer + `"),fetch("` + answer + `",{method:"POST",body:"x"}),fetch("` + answer + `",{headers:{"X-A":"b"}})];
			Promise.allSettled(tries).then(r=>{window.results=r.map(x=>x.status+" "+(x.value?x.value.type:""))})</script>`,
		"/form":  `<form method=post action="` + answer + `"></form><script>document.forms[0].submit()</script>`,
		"/empty": "",
	}, map[string]string{"/authorize": answer})
	ctx := browse(t, chromedp.Flag("disable-features", "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessChecks"))

	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/attack")); err != nil {
		t.Fatal(err)
	}
	results, err := chromedp.Run(ctx, chromedp.Poll[[]string]("window.results"))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results[1:] {
		if !strings.HasPrefix(result, "rejected") {
			t.Errorf("a script of another site read an answer: %q", results)
		}
	}
	time.Sleep(300 * time.Millisecond)
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/form")); err != nil {
		t.Log("the form:", err)
	}
	if taken, judged, strangers := a.counts(); taken+judged+strangers != 0 {
		t.Errorf("the attempt was touched: %d taken, %d judged, %d strangers\n%s", taken, judged, strangers, a.logged())
	}
	if n := strings.Count(a.logged(), `outcome="not a navigation"`); n < 3 {
		t.Errorf("only %d requests came that far, the test shows little:\n%s", n, a.logged())
	}

	// The stranger's form left its own address behind; what counts comes after.
	before, err := chromedp.Run(ctx, chromedp.NavigationEntries())
	if err != nil {
		t.Fatal(err)
	}

	// The real way back: the browser follows the provider's redirect.
	finished := make(chan error, 1)
	go func() {
		finished <- chromedp.Do(ctx, chromedp.Navigate(server.URL+"/authorize"))
	}()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if taken, _, _ := a.counts(); taken == 1 {
			break
		}
	}
	time.Sleep(300 * time.Millisecond)
	l.Finish(Connected)
	if err := <-finished; err != nil {
		t.Fatal(err, a.logged())
	}
	if got, want := location(t, ctx), uriOn("http", "localhost", l.address.Port, "/done"); got != want {
		t.Errorf("the address bar shows %s", got)
	}
	history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
	if err != nil {
		t.Fatal(err)
	}
	if len(history.Entries) != len(before.Entries)+1 {
		t.Errorf("%d new entries in the history", len(history.Entries)-len(before.Entries))
	}
	for _, entry := range history.Entries[len(before.Entries):] {
		if strings.Contains(entry.URL, "canary") || strings.Contains(entry.UserTypedURL, "canary") {
			t.Errorf("the history holds the answer: %s", entry.URL)
		}
	}
	heading, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS("h1")))
	if err != nil || heading != "The account is connected" {
		t.Errorf("the page says %q, %v", heading, err)
	}
	// The style is really applied, so its hash in the policy is right.
	radius, err := chromedp.Run(ctx, chromedp.Evaluate[string]("getComputedStyle(document.querySelector('main')).borderRadius"))
	if err != nil || radius != "16px" {
		t.Errorf("the page is not styled: %q, %v", radius, err)
	}
	select {
	case <-l.Done():
	case <-time.After(2 * time.Second):
		t.Error("the listener stays after its page was shown")
	}
	if strings.Contains(a.logged(), "favicon") {
		t.Errorf("the browser asked for more:\n%s", a.logged())
	}
	shot(t, ctx, "done")
}

// shot keeps a picture where TOKENKEEP_TEST_PICTURES says, for eyes.
func shot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("TOKENKEEP_TEST_PICTURES")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The browser's warning about our leaf, and its error page when nothing
// listens, keep the whole address: what a person copies there is enough.
func TestPST5_ErrorPagesKeepTheWholeAddress(t *testing.T) {
	l, a := listen(t, uriOn("https", "localhost", freePort(t), "/"))
	nobody := freePort(t)
	warned := l.options.URI + "?" + query
	refused := uriOn("https", "localhost", nobody, "/?"+query)
	plain := uriOn("http", "localhost", nobody, "/cb?"+query+"#_")
	server := site(t, nil, map[string]string{"/warning": warned, "/nobody": refused, "/nobody-plain": plain, "/gone": "https://client.invalid/cb?" + query})
	ctx := browse(t)
	for _, row := range []struct{ path, uri, failure string }{
		{"/warning", l.options.URI, "CERT_AUTHORITY_INVALID"},
		{"/nobody", uriOn("https", "localhost", nobody, "/"), "CONNECTION_REFUSED"},
		{"/nobody-plain", uriOn("http", "localhost", nobody, "/cb"), "CONNECTION_REFUSED"},
		{"/gone", "https://client.invalid/cb", "NAME_NOT_RESOLVED"},
	} {
		err := chromedp.Do(ctx, chromedp.Navigate(server.URL+row.path))
		if err == nil || !strings.Contains(err.Error(), row.failure) {
			t.Errorf("%s: %v, want %s", row.path, err, row.failure)
		}
		// An error page lives in a process of its own; the move takes a moment.
		history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
		for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			history, err = chromedp.Run(ctx, chromedp.NavigationEntries())
		}
		if err != nil {
			t.Fatal(err)
		}
		shown := history.Entries[history.CurrentIndex].URL
		got, err := ReadPaste(shown, row.uri)
		if err != nil || got.Reveal() != query {
			t.Errorf("%s: the address bar %q reads as %q, %v", row.path, shown, got.Reveal(), err)
		}
	}
	if taken, judged, _ := a.counts(); taken+judged != 0 {
		t.Errorf("the browser sent the answer in spite of its warning")
	}
}

// Behind the warning, when the person goes on: one request, and the page.
func TestLST14_BehindTheWarning(t *testing.T) {
	l, a := listen(t, uriOn("https", "localhost", freePort(t), "/"))
	server := site(t, nil, map[string]string{"/authorize": l.options.URI + "?" + query})
	ctx := browse(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/authorize")); err == nil {
		t.Fatal("no warning was shown")
	}
	// The page's own buttons: Advanced, Proceed to localhost (unsafe).
	if err := chromedp.Do(ctx, chromedp.WaitReady(chromedp.CSS("#proceed-link")), chromedp.Sleep(300*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.querySelector('#details-button').click(), document.querySelector('#proceed-link').click(), true")); err != nil {
		t.Log(err)
	}
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if taken, _, _ := a.counts(); taken == 1 {
			break
		}
	}
	l.Finish(Denied)
	heading, err := chromedp.Run(ctx, chromedp.Poll[string]("location.pathname === '/done' && document.querySelector('h1') && document.querySelector('h1').textContent"))
	if err != nil || heading != "You chose not to allow it" {
		t.Errorf("%q, %v\n%s", heading, err, a.logged())
	}
	if got := location(t, ctx); strings.Contains(got, "?") {
		t.Errorf("the address bar shows %s", got)
	}
	if taken, judged, _ := a.counts(); taken != 1 || judged != 1 {
		t.Errorf("taken %d, judged %d", taken, judged)
	}
	shot(t, ctx, "denied")
}

// LST-4: the list is the browser's too.
func TestLST4_TheBrowserRefusesABlockedPort(t *testing.T) {
	ctx := browse(t)
	for _, port := range []int{9, 6000, 10080} {
		err := chromedp.Do(ctx, chromedp.Navigate(uriOn("http", "127.0.0.1", port, "/")))
		if err == nil || !strings.Contains(err.Error(), "ERR_UNSAFE_PORT") || !Blocked(port) {
			t.Errorf("port %d: %v", port, err)
		}
	}
	err := chromedp.Do(ctx, chromedp.Navigate(uriOn("http", "127.0.0.1", freePort(t), "/")))
	if err == nil || strings.Contains(err.Error(), "UNSAFE_PORT") {
		t.Errorf("a free port: %v", err)
	}
}
