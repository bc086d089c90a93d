package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserAt opens a real Chromium of 1000 by 700, of which a page has 580.
func browserAt(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs a browser: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.WindowSize(1000, 700),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
	)
	allocated, endAllocation := chromedp.NewExecAllocator(context.Background(), options...)
	opened, end := chromedp.NewContext(allocated)
	ctx, cancel := context.WithTimeout(opened, 60*time.Second)
	t.Cleanup(func() {
		_ = chromedp.Cancel(opened)
		cancel()
		end()
		endAllocation()
	})
	return ctx
}

// The whole sign-in as a person sees it: the page fits the window, is drawn
// with its style and pictures under its own policy, and both buttons lead out of
// it to a listener on another port (security.md 4.1: without the redirect's
// origin in form-action Chromium stops there).
func TestConsentPageInChromium(t *testing.T) {
	v := visit(t, Options{})
	answers := make(chan url.Values, 8)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			if r.Header.Get("Referer") != "" {
				t.Error("the browser told the listener where it came from")
			}
			answers <- r.URL.Query()
			http.Redirect(w, r, "/done", http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<link rel="icon" href="data:,"><p id="done">back`))
	}))
	t.Cleanup(listener.Close)
	ctx := browserAt(t)
	page := v.URL + authorizePath + "?" + query("redirect_uri", listener.URL+"/back", "scope", basic+",instagram_business_content_publish,"+comments+",instagram_business_manage_messages,"+insights)
	open := func() {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(1000, 580), chromedp.Navigate(page), chromedp.WaitVisible(chromedp.CSS("#allow"))); err != nil {
			t.Fatal(err)
		}
	}
	answered := func() url.Values {
		t.Helper()
		soon, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		if err := chromedp.Do(soon, chromedp.WaitVisible(chromedp.CSS("#done"))); err != nil {
			t.Fatalf("the browser did not arrive: %v", err)
		}
		return <-answers
	}
	picture := func(name string) {
		t.Helper()
		raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(t.ArtifactDir(), name), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	open()
	fits, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`
		[...document.querySelectorAll("#practice, #allow, #deny, #scenario, label")].every(e => {
			const r = e.getBoundingClientRect()
			return r.top >= 0 && r.left >= 0 && r.bottom <= innerHeight && r.right <= innerWidth && r.height > 0
		}) && [...document.images].every(i => i.naturalWidth == 160) && document.styleSheets[0].cssRules.length > 10
		&& document.documentElement.scrollWidth <= innerWidth`))
	if err != nil || !fits {
		t.Errorf("the page does not fit a window of 1000 by 700, or is not drawn: %v", err)
	}
	picture("consent.png")
	if err := chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS("#person-2")),
		chromedp.Click(chromedp.CSS("#scope-"+comments)),
		chromedp.Click(chromedp.CSS("#scope-"+basic)), // fixed: the click changes nothing
		chromedp.Click(chromedp.CSS("#allow")),
	); err != nil {
		t.Fatal(err)
	}
	got := answered()
	if got.Get("state") != "st4te" || len(got.Get("code")) != 240 || len(got) != 2 {
		t.Errorf("allow: %v", got)
	}
	r := v.exchange(exchange(got.Get("code"), "redirect_uri", listener.URL+"/back"))
	access := v.accessToken(r)
	if made, err := dialects[0].decode(access); err != nil || made.person.username != "mia.kessler" || made.scopes != 0b11011 {
		t.Errorf("the token is for %s with %b: %v", made.person.username, made.scopes, err)
	}

	open()
	if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#deny"))); err != nil {
		t.Fatal(err)
	}
	if got := answered(); got.Get("error") != "access_denied" || got.Get("error_description") != "The user denied your request" {
		t.Errorf("cancel: %v", got)
	}

	open()
	if err := chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS("#scenario"), "wrong-id"), chromedp.Click(chromedp.CSS("#allow")), chromedp.WaitVisible(chromedp.CSS("#message"))); err != nil {
		t.Fatal(err)
	}
	if text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#message"))); err != nil || text != pageWrongApp {
		t.Errorf("the provider's page says %q: %v", text, err)
	}
	picture("refusal.png")

	select {
	case extra := <-answers:
		t.Errorf("an answer that nobody asked for: %v", extra)
	default:
	}
}
