package e2e

import (
	"testing"
	"time"
)

// Outside the practice ground: where tokens lie, and what keeps them alive. This
// desktop has no service manager of a user, and the switch says so.
func TestSettingsOutsidePractice(t *testing.T) {
	d := newDesktop(t, options{})
	n := d.receiveNotices()
	a := d.openWindow(program(t, "tokenkeep", windowTags))
	a.shows("Welcome to Tokenkeep", 20*time.Second)
	a.click("nav", "Settings")
	a.shows("Where are my tokens?", 10*time.Second)
	a.shows("GNOME Keyring works", 10*time.Second)
	a.shows("This computer has no timer for you", 10*time.Second)
	if n, ok := find(a.tree(), "check", "Renew while Tokenkeep is closed"); !ok || n.Enabled {
		t.Errorf("the timer can be switched on where there is none: %+v", n)
	}
	a.shot("settings-1-no-timer")
	a.click("button", "Send a test")
	got := n.next(0, 10*time.Second)
	if got.title == "" || got.body == "" {
		t.Errorf("the test warning is %+v", got)
	}
	a.shot("settings-2-warned")
	a.click("tab", "About")
	a.shows("Save a support file", 5*time.Second)
	a.shot("settings-3-about")
	a.close()
}
