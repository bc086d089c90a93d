package e2e

import (
	"fmt"
	"image"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// newcomer is a person who reads, scrolls and counts: what they click and fill
// in, in the window and in the browser.
type newcomer struct {
	*counting
	inBrowser int
	// handedOver are the addresses that the browser got.
	handedOver []string
}

// reach scrolls until what has the role and text lies in sight.
func (n *newcomer) reach(role, text string) {
	n.t.Helper()
	var all []node
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		var answer struct {
			Nodes []struct {
				node
				Shown bool
			}
		}
		if err := n.driver.ask("tree", &answer); err != nil {
			n.t.Fatalf("asking the window what it shows: %v", err)
		}
		all = all[:0]
		for _, one := range answer.Nodes {
			all = append(all, one.node)
		}
		found, ok := find(all, role, text)
		if !ok {
			time.Sleep(40 * time.Millisecond)
			continue
		}
		for _, one := range answer.Nodes {
			if one.node != found {
				continue
			}
			if one.Shown {
				return
			}
			n.d.screen.activate(n.window)
			content := n.window.area
			wheel := byte(5)
			if found.area().Min.Y < content.Dy()/2 {
				wheel = 4
			}
			n.d.screen.point(image.Pt(content.Min.X+(found.area().Min.X+found.area().Max.X)/2, content.Min.Y+content.Dy()/2))
			n.d.screen.press(wheel)
			n.d.screen.release(wheel)
			time.Sleep(40 * time.Millisecond)
			break
		}
	}
	n.t.Fatalf("%s %q does not come into sight; the window shows\n%s", role, text, outline(all))
}

// press scrolls to a thing and clicks it.
func (n *newcomer) press(role, text string) {
	n.t.Helper()
	n.reach(role, text)
	n.counting.press(role, text)
}

// paste puts what was copied elsewhere into a field, with the button beside it.
func (n *newcomer) paste(label, value string) {
	n.t.Helper()
	n.d.screen.copyText(value)
	n.inputs++
	n.press("button", "Paste: "+label)
	within(n.t, 5*time.Second, label+" is filled", func() bool {
		for _, one := range n.tree() {
			if one.Text == label && (one.Role == "field" || one.Role == "secret") && one.Value != "" {
				return true
			}
		}
		return false
	})
}

// clickThere clicks on a page in the browser.
func (n *newcomer) clickThere(g *page, label string) {
	n.t.Helper()
	n.inBrowser++
	g.click(label)
}

// field is what a field of the window holds.
func (n *newcomer) field(label string) string {
	n.t.Helper()
	found, ok := find(n.tree(), "field", label)
	if !ok {
		n.t.Fatalf("no field %q; the window shows\n%s", label, outline(n.tree()))
	}
	return found.Value
}

// gate stands where the way out of this computer begins: it writes down who is
// asked for and lets nothing through.
type gate struct {
	address string
	mu      sync.Mutex
	asked   []string
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked = append(g.asked, r.Method+" "+r.Host)
		g.mu.Unlock()
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	g.address = server.URL
	return g
}

// environ leads every program's requests to the gate; to this computer itself
// they go directly.
func (g *gate) environ() []string {
	var all []string
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		all = append(all, name+"="+g.address, strings.ToLower(name)+"="+g.address)
	}
	return append(all, "NO_PROXY=", "no_proxy=")
}

func (g *gate) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.asked...)
}

// The made-up app of the newcomer, as its dashboard would show it.
const (
	newcomersID     = "902233445566778"
	newcomersSecret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
)

// A newcomer's path: from the welcome to the guide, through the practice
// ground to a stored token, and back to the real form, which knows what the
// guide was given. The real side asks a gate that lets nothing through.
func TestNewcomersPath(t *testing.T) {
	d := newDesktop(t, options{})
	p := d.sitDown()
	way := newGate(t)
	n := &newcomer{counting: &counting{app: d.openWindow(program(t, "tokenkeep", windowTags), way.environ()...)}}

	// Two questions, and the door that fits.
	n.shows("Welcome to Tokenkeep", 20*time.Second)
	n.shot("newcomer-01-welcome")
	n.press("link", "Answer two questions")
	n.shows("Do you only want to show your own posts?", 5*time.Second)
	n.shot("newcomer-02-two-questions")
	n.press("radio", "No, more than that")
	n.press("radio", "No, or I don't know")
	n.reach("button", "Open the guide")
	n.shot("newcomer-03-recommended")
	n.press("button", "Open the guide")

	// The guide: read, look at the other menu, take neither, paste two values.
	n.shows("Step 1 of 9", 5*time.Second)
	n.shot("newcomer-04-step-1")
	n.press("button", "Next step")
	n.shows("Step 2 of 9", 5*time.Second)
	n.press("button", "Next step")
	n.shows("Step 3 of 9", 5*time.Second)
	n.shot("newcomer-05-step-3")
	n.press("filter", "Manage messaging & content on Instagram")
	n.shot("newcomer-06-other-menu")
	n.press("filter", "Neither fits")
	n.shows("What to look for", 5*time.Second)
	n.shot("newcomer-07-neither")
	n.press("button", "Next step")
	n.shows("Step 4 of 9", 5*time.Second)
	n.paste("Instagram app ID", newcomersID)
	n.paste("Instagram app secret", newcomersSecret)
	n.shows("App secret looks complete", 10*time.Second)
	within(t, 10*time.Second, "the guide asks Instagram about the app ID", func() bool { return len(way.seen()) > 0 })
	n.shows("App ID looks complete", 10*time.Second)
	n.shot("newcomer-08-pasted")
	guided, filled := n.clicks, n.inputs

	// Practise before it is done for real.
	n.press("nav", "Accounts")
	n.press("button", "Open the practice ground")
	n.shows("Practice ground. Nothing here is real.", 10*time.Second)
	n.shot("newcomer-09-practice")
	n.press("button", "Start a practice sign-in")
	n.shows("The pretend Instagram takes this app ID and secret.", 5*time.Second)
	if got := n.field("Instagram app ID"); got != "" {
		t.Errorf("the practice form begins with %q", got)
	}
	n.shot("newcomer-10-practice-form")
	n.press("button", "Fill them in")
	n.shows("App secret looks complete", 10*time.Second)
	n.press("button", "Continue")
	n.shows("What may it do?", 5*time.Second)
	n.shot("newcomer-11-permissions")
	n.press("button", "Continue")
	n.shows("One thing before the browser opens", 5*time.Second)
	n.shot("newcomer-12-one-thing")
	n.press("button", "Open Instagram")
	handed := p.handed(10 * time.Second)
	address, err := url.Parse(handed)
	if err != nil {
		t.Fatal(err)
	}
	g := p.page(address.Scheme+"://"+address.Host, 10*time.Second)
	g.says("This is not Instagram", 10*time.Second)
	n.shot("newcomer-13-waiting")
	g.shot("newcomer-14-consent")
	n.clickThere(g, "#allow")
	within(t, 10*time.Second, "the certificate warning", g.warned)
	back := g.address()
	n.inBrowser += 2
	g.throughWarning()
	g.says("The account is connected", 10*time.Second)
	g.shot("newcomer-15-page")
	n.shows("is connected", 10*time.Second)
	n.shot("newcomer-16-connected")
	name, item := d.storedToken(practiceService)
	token, _ := item["access_token"].(string)
	if !sandbox.IsPractice(token) {
		t.Errorf("the item %s holds no practice token", name)
	}
	practised := n.clicks - guided
	figure(t, "from the welcome to a stored practice token: %d clicks in the window, %d in the browser, %d fields filled", practised-1, n.inBrowser, n.inputs-filled)
	figure(t, "with two questions and four steps of the guide before it: %d clicks in the window, %d in the browser, %d values pasted", n.clicks, n.inBrowser, n.inputs)
	n.press("button", "Done")
	n.shows("Healthy", 10*time.Second)

	n.withoutInternet()
	n.withALockedKeychain()

	// Back to the real side, which has its own values and no token.
	n.press("button", "Leave")
	n.shows("Welcome to Tokenkeep", 10*time.Second)
	n.press("button", "Sign in with Instagram")
	n.shows("Check my setup", 5*time.Second)
	if got := n.field("Instagram app ID"); got != newcomersID {
		t.Errorf("the real form begins with %q", got)
	}
	n.shows("App secret looks complete", 10*time.Second)
	n.shows("Instagram cannot be reached", 10*time.Second)
	n.shot("newcomer-20-real-form")
	for _, asked := range way.seen() {
		if asked != "CONNECT api.instagram.com:443" && asked != "CONNECT www.instagram.com:443" {
			t.Errorf("the way out was asked for %q", asked)
		}
	}
	if len(p.arrived) != p.taken {
		t.Error("a browser was opened for the real side")
	}
	n.close()
	typed := canary{"the newcomer's secret", secret.New(newcomersSecret), nil}
	d.noCanary(append(d.canariesOf(handed, back, token), typed))
	tell("%s", fmt.Sprintf("a newcomer's path: %d clicks in the window, %d in the browser, %d values pasted; the way out was asked for %q", n.clicks, n.inBrowser, n.inputs, way.seen()))
}

// mishap switches one of the two mishaps of this computer.
func (n *newcomer) mishap(label string) {
	n.t.Helper()
	n.press("button", "Try a mishap")
	n.press("check", label)
}

// withoutInternet: what asks the provider says so, and works again afterwards.
func (n *newcomer) withoutInternet() {
	n.t.Helper()
	n.mishap("No internet")
	n.shot("newcomer-17-no-internet")
	n.press("nav", "Accounts")
	n.press("button", "Check all")
	n.shows("No connection.", 10*time.Second)
	n.shows("Tokens can still be copied; renewing goes on when the connection is back.", time.Second)
	n.shot("newcomer-18-offline")
	n.mishap("No internet")
	n.press("nav", "Accounts")
	n.press("link", "Try again")
	n.gone("No connection.")
}

// withALockedKeychain: what needs a token says so, and works again afterwards.
func (n *newcomer) withALockedKeychain() {
	n.t.Helper()
	n.mishap("Keychain locked")
	n.press("nav", "Accounts")
	n.shows("The keyring is locked.", 10*time.Second)
	n.shows("Unlock it to copy or renew.", time.Second)
	n.shot("newcomer-19-locked")
	n.mishap("Keychain locked")
	n.press("nav", "Accounts")
	n.gone("The keyring is locked.")
	n.press("button", "Copy token")
	n.shows("Copied.", 5*time.Second)
	n.press("link", "Clear now")
}

// gone waits until the window says something no longer.
func (n *newcomer) gone(words string) {
	n.t.Helper()
	within(n.t, 10*time.Second, fmt.Sprintf("the window no longer says %q", words), func() bool {
		for _, one := range n.tree() {
			if strings.Contains(one.Text, words) {
				return false
			}
		}
		return true
	})
}
