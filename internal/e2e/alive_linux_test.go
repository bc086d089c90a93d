package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// The road without a secret: a token from the dashboard is pasted, told what it
// is, kept, renewed by itself, dies of a changed password, and is removed.
func TestJourneyPastedToken(t *testing.T) {
	d := newDesktop(t, options{})
	base := d.provider()
	c := &counting{app: d.openWindow(program(t, "tokenkeep", windowTags), "TOKENKEEP_SANDBOX_URL="+base)}
	token, err := minted(http.DefaultClient, base, "user-0007", 41*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c.press("button", "Paste a token")
	d.screen.copyText("  \"" + token + "\"\n")
	c.press("button", "Paste")
	c.shows("It works, for @user-0007", 10*time.Second)
	if names, err := d.keyring.names(practiceService); err != nil || strings.Contains(strings.Join(names, " "), "token-") {
		t.Errorf("before “Keep it safe” the keychain has %q, %v", names, err)
	}
	c.press("radio", "I don’t know")
	c.shows("renew it now", 5*time.Second)
	c.shot("pasted-1-found")
	c.press("button", "Keep it safe")
	c.shows("Life of this token", 15*time.Second)
	c.shows("Renewed, valid until", 90*time.Second)
	c.shot("pasted-2-renewed")
	_, item := d.storedToken(practiceService)
	renewed, _ := item["access_token"].(string)
	if renewed == token || renewed == "" || item["gen"] != 2.0 || item["expires_at"] == nil {
		t.Errorf("after the renewal the item has generation %v and ends %v", item["gen"], item["expires_at"])
	}
	control(t, base, "token", `{"user":"user-0007","state":"password-changed"}`)
	c.press("button", "Check")
	c.shows("Needs sign-in", 10*time.Second)
	c.shot("pasted-3-password-changed")
	c.press("button", "Remove access…")
	c.shows("This stops working", 5*time.Second)
	c.shot("pasted-4-remove")
	c.press("check", "Also open Instagram’s page where access can be ended for good")
	c.press("button", "Remove access")
	c.shows("Practise signing in", 10*time.Second)
	if names, err := d.keyring.names(practiceService); err != nil || strings.Contains(strings.Join(names, " "), "token-") {
		t.Errorf("after removing the keychain has %q, %v", names, err)
	}
	c.close()
	d.noCanary([]canary{{name: "pasted token", value: secret.New(token)}, {name: "renewed token", value: secret.New(renewed)}})
	tell("A pasted token was kept and renewed by itself: %d clicks.", c.clicks)
}

// ctl runs the command line on the desktop, in practice, and gives its lines.
func (d *desktop) ctl(base, input string, args ...string) ([]map[string]any, error) {
	d.t.Helper()
	out, err := d.runIn([]string{"TOKENKEEP_SANDBOX_URL=" + base}, input, append([]string{program(d.t, "tokenkeepctl", ""), "--json"}, args...)...)
	var lines []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var one map[string]any
		if line != "" && json.Unmarshal([]byte(line), &one) == nil {
			lines = append(lines, one)
		}
	}
	return lines, err
}

// The timer's run renews what is due and says what it cannot do; a click on
// that opens the account in the window.
func TestTheDailyRunWarnsAndAClickOpensTheAccount(t *testing.T) {
	d := newDesktop(t, options{})
	base := d.provider()
	n := d.receiveNotices()
	// Beside each other, as a package installs them.
	installed := d.install("tokenkeep", program(t, "tokenkeep", windowTags))
	d.install("tokenkeepctl", program(t, "tokenkeepctl", ""))
	for _, person := range []string{"user-0001", "user-0002"} {
		token, err := minted(http.DefaultClient, base, person, 41*24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.ctl(base, token, "import", "--provider", "instagram", "--issued", time.Now().Add(-41*24*time.Hour).Format(time.DateOnly), "--token-file", "-"); err != nil {
			t.Fatal(err)
		}
	}
	control(t, base, "token", `{"user":"user-0002","state":"removed"}`)
	daily := d.start("daily", []string{strings.TrimSuffix(installed, "tokenkeep") + "tokenkeepctl", "renew", "--due", "--json"}, nil, "TOKENKEEP_SANDBOX_URL="+base)
	got := n.next(0, 60*time.Second)
	if !strings.Contains(got.title, "user-0002") || got.body == "" || len(got.actions) < 2 || got.actions[0] != "default" {
		t.Errorf("the notification is %+v", got)
	}
	if strings.Contains(got.title+got.body, "IGAA") {
		t.Error("the notification holds a token")
	}
	if all := n.all(); len(all) != 1 {
		t.Errorf("there are %d notifications", len(all))
	}
	n.click(got)
	var opened window
	within(t, 20*time.Second, "the window opens", func() bool {
		for _, w := range d.screen.windows() {
			opened = w
		}
		return opened.id != 0
	})
	if err := daily.waitEnd(t, 20*time.Second); err == nil {
		t.Error("the daily run ended as if all were well")
	}
	out, err := os.ReadFile(daily.stdout)
	if err != nil || !strings.Contains(string(out), `"renewed"`) {
		t.Errorf("the daily run said %s, %v", out, err)
	}
	time.Sleep(3 * time.Second)
	d.shot("daily-1-opened")
	if !strings.Contains(opened.title, "Tokenkeep") {
		t.Errorf("the window's title is %q", opened.title)
	}
	below, _ := inspect(opened.pid)
	d.screen.closeWindow(opened)
	if left := gone([]inspected{below}, 10*time.Second); len(left) > 0 {
		t.Errorf("the window does not end: %v", left)
	}
}
