package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

func TestThePartsOfTheSummaryAreFilters(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		w := open(t, lang, newDouble(t, six()...))
		w.tap(kit.RoleButton, c.Count("accounts.soon", 1))
		w.has(kit.RoleRow, "cedarclinic")
		w.hasNot(kit.RoleRow, "tinygarden.co")
		all := w.has(kit.RoleButton, c.Count("accounts.sum", 6)).(*kit.SummaryPart)
		w.s.focus(all)
		w.s.changed()
		if got := w.s.window.Canvas().Focused(); got != fyne.Focusable(all) {
			t.Errorf("reading again moved the focus to %v", got)
		}
		all.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		w.queue.Drain()
		w.has(kit.RoleRow, "tinygarden.co")
	}
}

func TestASentenceEndsOnce(t *testing.T) {
	for words, want := range map[string]string{"It stopped": "It stopped.", "It stopped.": "It stopped.", "Stop?": "Stop?", "": "", "Wait…": "Wait…"} {
		if got := sentence(words); got != want {
			t.Errorf("%q: %q", words, got)
		}
	}
	w := open(t, "en", newDouble(t, six()...))
	told := text.For("en").Tell(problem.New(problem.VaultLocked))
	w.s.tell(problem.New(problem.VaultLocked))
	w.queue.Drain()
	w.says(sentence(told.Title) + " " + told.Advice)
}

func TestALanguageChangeReachesAnOpenConnect(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	de := text.For("de")
	w.fill()
	id := w.c.f.form.ClientID
	for range 2 {
		// From the settings, and on the screen itself.
		w.s.setLanguage("de")
		w.queue.Drain()
		w.s.goConnect(connectStart{})
		w.queue.Drain()
		w.says(de.Say("connect.app.title"), de.Say("connect.app.check_foot_asks", provided), de.Say("connect.step2"))
		if w.c.f.form.ClientID != id || w.s.connect != screen(w.c) || w.c.f.form.Secret.Empty() {
			t.Fatal("the form is gone")
		}
		if field := w.has(kit.RoleField, de.Say("connect.app.client_id", provided)).(*kit.Entry); field.Text != id {
			t.Errorf("the field holds %q", field.Text)
		}
		if words := w.words(); len(words) == 0 {
			t.Fatal("nothing is shown")
		}
		w.noBrackets()
		w.s.setLanguage("en")
		w.queue.Drain()
		w.s.goSettings()
	}
	w.s.goConnect(connectStart{})
	w.tap(kit.RoleButton, text.For("en").Say("connect.continue"))
	w.s.setLanguage("de")
	w.queue.Drain()
	w.says(de.Say("connect.continue"), de.Say("connect.scopes.title"))
}

func TestTheTwoAddressesAreCompared(t *testing.T) {
	c := text.For("en")
	const here = "https://localhost:8919/"
	for there, want := range map[string]string{
		"": "Compare both, letter for letter", " " + here + " ": "Both are the same. Press Enter there, then Save.",
		"https://localhost:8919": "The slash at the end is missing in the dashboard.", here + "/": "The dashboard has a slash more at the end.",
		"https://localhost": "In the dashboard the end is missing: “:8919/”.", here + "callback": "In the dashboard it goes on: “callback”.",
		"http://localhost:8919/":  "They differ from character 5 on: here “s://localhos…”, in the dashboard “://localhost…”.",
		"https://localhost:8918/": "They differ from character 22 on: here “9/”, in the dashboard “8/”.",
	} {
		if got := compare(c, here, there).Words; got != want {
			t.Errorf("%q: %q, want %q", there, got, want)
		}
	}
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.fill()
		w.c.f.state = connect.State{Step: connect.Failed, Provider: "Instagram", Problem: problem.New(problem.RedirectMismatch), RedirectURI: here}
		w.c.f.stage = stageProblem
		w.c.stageChanged()
		w.queue.Drain()
		w.says(here, w.say("connect.problem.here"), w.say("connect.problem.both"))
		w.has(kit.RoleButton, w.say("connect.app.copy"))
		w.typeInto(w.say("connect.problem.there"), kit.RoleField, "https://localhost:8919")
		w.says(w.say("connect.problem.slash_short"))
		w.noBrackets()
		if strings.Contains(strings.ToLower(w.words()), "renew") || strings.Contains(w.words(), "rneuer") {
			t.Error("a renewal is promised")
		}
	})
}

func TestTheListKeepsRoomAtLargeText(t *testing.T) {
	w := open(t, "de", newDouble(t, six()...))
	w.s.setTextPercent(200)
	w.s.window.Resize(fyne.NewSize(kit.LeastWidth, kit.LeastHeight))
	w.queue.Drain()
	list := w.s.home.(*homeScreen).list
	if got, least := list.rows.Size().Height, kit.RowHeight(0); got < least {
		t.Errorf("the list is %v high, a row %v", got, least)
	}
	page, ok := list.root.(*fyne.Container).Objects[0].(*kit.Scroll)
	if !ok {
		t.Fatal("the page cannot be scrolled to its list")
	}
	page.SetOffset(list.rows.Size().Height + 2000)
	if at := w.app.Driver().AbsolutePositionForObject(list.rows); at.Y+kit.RowHeight(0) > kit.LeastHeight {
		t.Errorf("scrolled to its end, the list begins at %v", at)
	}
}
