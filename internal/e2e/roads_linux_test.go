package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// keptTokens are the tokens in the keychain by the name of their entry, as a
// client reads them that is not ours.
func (d *desktop) keptTokens(service string) map[string]string {
	d.t.Helper()
	names, err := d.keyring.names(service)
	if err != nil {
		d.t.Fatal(err)
	}
	kept := map[string]string{}
	for _, name := range names {
		if !strings.HasPrefix(name, "token-") {
			continue
		}
		value, err := d.keyring.lookup(service, name)
		if err != nil {
			d.t.Fatal(err)
		}
		kept[name] = value
	}
	return kept
}

// itemOf is what an entry says, by the contract.
func itemOf(t testing.TB, value string) map[string]any {
	t.Helper()
	var item map[string]any
	if err := json.Unmarshal([]byte(value), &item); err != nil {
		t.Fatalf("the item is not what the contract says: %v", err)
	}
	return item
}

// newEntries are those of now that were not there before.
func newEntries(before, now map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if _, old := before[name]; !old {
			names = append(names, name)
		}
	}
	return names
}

// goOnTo fills in the form of a service and goes on to the browser.
func (n *newcomer) goOnTo(p *person, base, card, provider string) *page {
	n.t.Helper()
	n.press("nav", "Connect")
	// There is an app already, so it begins with what that may do.
	n.shows("What may it do?", 10*time.Second)
	n.press("button", "Back")
	n.shows("Check my setup", 5*time.Second)
	n.press("radio", card)
	n.press("button", "Fill them in")
	n.shows("fine", 10*time.Second)
	n.shot("roads-" + provider + "-1-form")
	n.press("button", "Continue")
	n.shows("What may it do?", 5*time.Second)
	n.shot("roads-" + provider + "-2-permissions")
	n.press("button", "Continue")
	return n.inTheBrowser(p, base, provider)
}

// inTheBrowser waits for the page that the program has opened.
func (n *newcomer) inTheBrowser(p *person, base, provider string) *page {
	n.t.Helper()
	handed := p.handed(10 * time.Second)
	n.handedOver = append(n.handedOver, handed)
	g := p.page(handed, 10*time.Second)
	g.says("Practice. This is not", 10*time.Second)
	n.shot("roads-" + provider + "-3-waiting")
	g.shot("roads-" + provider + "-4-consent")
	return g
}

// back goes through the browser's warning, where there is one.
func (n *newcomer) back(g *page) {
	n.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if g.warned() {
			g.throughWarning()
			return
		}
		if strings.HasSuffix(withoutQuery(g.address()), "/done") {
			return
		}
	}
	n.t.Fatalf("the browser stays at %s", withoutQuery(g.address()))
}

// Every road in, through the real window: Threads, a different account that
// answers there, Facebook with two accounts to choose, and any OAuth server.
func TestEveryRoadInTheWindow(t *testing.T) {
	d := newDesktop(t, options{})
	p := d.sitDown()
	base := d.provider()
	n := &newcomer{counting: &counting{app: d.openWindow(program(t, "tokenkeep", windowTags), "TOKENKEEP_SANDBOX_URL="+base)}}
	n.shows("The practice ground", 20*time.Second)

	// Threads.
	n.press("nav", "Connect")
	n.press("radio", "Threads")
	n.press("button", "Fill them in")
	n.press("button", "Continue")
	n.press("button", "Continue")
	n.shows("One thing before the browser opens", 5*time.Second)
	n.press("button", "Open Threads")
	g := n.inTheBrowser(p, base, "threads")
	g.click("#allow")
	n.back(g)
	n.shows("@lantern.books is connected", 10*time.Second)
	n.shot("roads-threads-5-connected")
	threads := d.keptTokens(practiceService)
	if len(threads) != 1 {
		t.Fatalf("%d tokens after one sign-in", len(threads))
	}
	for _, value := range threads {
		if item := itemOf(t, value); item["provider"] != "threads" || item["username"] != "lantern.books" {
			t.Errorf("kept for %v at %v", item["username"], item["provider"])
		}
	}

	// Somebody else answers: a question, and the first token stays what it is.
	control(t, base, "scenario", `{"scenario":"wrong-account"}`)
	n.press("button", "Open the account")
	n.press("button", "Sign in again")
	n.shows("Sign in again as @lantern.books", 10*time.Second)
	n.shot("roads-other-1-secret")
	_, pretended := sandbox.Registration("threads")
	n.fill("secret", "Threads app secret", pretended)
	n.press("button", "Continue")
	g = n.inTheBrowser(p, base, "other")
	g.click("#allow")
	n.back(g)
	n.shows("A different account answered", 10*time.Second)
	n.shot("roads-other-5-question")
	if now := d.keptTokens(practiceService); !maps.Equal(now, threads) {
		t.Error("the keychain changed before the question was answered")
	}
	n.press("button", "Add @harbour.coffee as new")
	n.shows("@harbour.coffee is connected", 10*time.Second)
	n.shot("roads-other-6-added")
	both := d.keptTokens(practiceService)
	for name, value := range threads {
		if both[name] != value {
			t.Error("the first token was touched")
		}
	}
	added := newEntries(threads, both)
	if len(added) != 1 || itemOf(t, both[added[0]])["username"] != "harbour.coffee" {
		t.Fatalf("added: %q", added)
	}
	control(t, base, "scenario", `{"scenario":"ok"}`)
	n.press("button", "Done")

	// Facebook: one answer, two accounts to keep.
	g = n.goOnTo(p, base, "Facebook", "facebook")
	g.click("#allow")
	n.back(g)
	n.shows("Which accounts?", 10*time.Second)
	n.shot("roads-facebook-5-choose")
	if now := d.keptTokens(practiceService); !maps.Equal(now, both) {
		t.Error("the keychain changed before anything was chosen")
	}
	n.press("button", "Keep 2 accounts")
	n.shows("2 accounts are connected", 10*time.Second)
	n.shot("roads-facebook-6-connected")
	four := d.keptTokens(practiceService)
	chosen := map[any]bool{}
	for _, name := range newEntries(both, four) {
		item := itemOf(t, four[name])
		if item["provider"] != "instagram-facebook" {
			t.Errorf("kept at %v", item["provider"])
		}
		chosen[item["username"]] = true
	}
	if !chosen["lantern.books"] || !chosen["harbour.coffee"] || len(chosen) != 2 {
		t.Errorf("kept %v", chosen)
	}
	n.press("button", "Done")

	// Any other server.
	g = n.goOnTo(p, base, "Another service", "service")
	g.click("#allow")
	n.back(g)
	n.shows("is connected", 10*time.Second)
	n.shot("roads-service-5-connected")
	all := d.keptTokens(practiceService)
	last := newEntries(four, all)
	if len(last) != 1 || itemOf(t, all[last[0]])["provider"] != "oauth2" || itemOf(t, all[last[0]])["refresh_token"] == "" {
		t.Fatalf("kept: %q", last)
	}
	n.press("button", "Done")
	n.shows("@harbour.coffee", 10*time.Second)
	n.shot("roads-accounts")
	n.close()

	var canaries []canary
	for name, value := range all {
		for _, field := range []string{"access_token", "refresh_token"} {
			if token, _ := itemOf(t, value)[field].(string); token != "" {
				canaries = append(canaries, canary{name: field + " of " + name, value: secret.New(token)})
			}
		}
	}
	for _, handed := range n.handedOver {
		canaries = append(canaries, d.canariesOf(handed, "")[1])
	}
	d.noCanary(canaries)
	figure(t, "five accounts over three roads in one window: %d clicks in the window, %d fields filled", n.clicks, n.inputs)
}
