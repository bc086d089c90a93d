package ui

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// What is stopped, left or taken away leaves nothing behind.

func TestACheckOfAllEndsWhenOneOfItIsStopped(t *testing.T) {
	c := text.For("en")
	core := newDouble(t, six()...)
	core.check = func(_ context.Context, id string) (connect.Checked, error) {
		return connect.Checked{Account: accountLeft(strings.TrimPrefix(id, "id"), 30*aDay, connect.Healthy), Works: true}, nil
	}
	w := open(t, "en", core)
	w.s.checkAll()
	w.s.stopAsking("idrosa.and.rye")
	w.queue.Drain()
	if w.s.alive.sweep != nil {
		t.Fatalf("still checking: %+v", w.s.alive.sweep)
	}
	w.says(c.Count("alive.checked", 5) + " " + c.Say("alive.all_work"))
}

func TestACheckOfAllBeginsOnlyWhereThereIsSomethingToAsk(t *testing.T) {
	a := accountLeft("northlight.studio", 41*aDay, connect.Healthy)
	core := newDouble(t, a)
	core.check = func(context.Context, string) (connect.Checked, error) {
		return connect.Checked{Account: a, Works: true}, nil
	}
	w := open(t, "en", core)
	w.s.checkOne(a.ID, nil)
	w.s.checkAll()
	w.queue.Drain()
	if w.s.alive.sweep != nil {
		t.Error("a check of nothing never ends")
	}
}

func TestTheBarOfALeftScreenMovesWhenItIsShownAgain(t *testing.T) {
	a := renewable("northlight.studio", 41*aDay, connect.Healthy)
	w := accountWorld(t, "en", newDouble(t), a)
	page := w.s.current.(*accountScreen)
	w.s.begin(a.ID, &inquiry{})
	w.pass(time.Second)
	w.s.goSettings()
	w.queue.Drain()
	if page.parts.busy.Visible() {
		t.Error("the bar of a left screen is there")
	}
	w.s.back()
	w.pass(3 * time.Second)
	if w.s.current != screen(page) || !page.parts.busy.Visible() {
		t.Error("what is under way is not shown")
	}
	w.says("Instagram is making a new token…")
	w.s.goSettings()
	delete(w.s.alive.asked, a.ID)
	w.s.back()
	w.queue.Drain()
	if page.parts.busy.Visible() {
		t.Error("the bar moves for nothing")
	}
}

func TestATipGoesWithItsWidget(t *testing.T) {
	w := pasteWorld(t, "en", newDouble(t, six()...))
	tip := func() string {
		said := ""
		w.walk(func(o fyne.CanvasObject) {
			if text, ok := o.(*kit.Text); ok && text.Visible() && strings.Contains(text.Seen().Text, "Ctrl+Enter") {
				said = text.Seen().Text
			}
		})
		return said
	}
	w.pasteText(someToken)
	w.pass(2 * time.Second)
	keep := w.has(kit.RoleButton, "Keep it safe").(*kit.Button)
	keep.MouseIn(nil)
	w.pass(time.Second)
	if tip() == "" {
		t.Fatal("there is no tip")
	}
	// The mouse rests where it is while the screen changes.
	w.s.goAccounts()
	w.queue.Drain()
	if tip() != "" {
		t.Error("the tip of a left screen's button is there")
	}
	keep.MouseIn(nil) // on its way when the screen changed
	w.pass(time.Second)
	if tip() != "" {
		t.Error("a tip came for a button that is gone")
	}
	// One that is taken out of its screen is not told either.
	w.s.goPaste()
	w.queue.Drain()
	keep = w.has(kit.RoleButton, "Keep it safe").(*kit.Button)
	keep.MouseIn(nil)
	w.pass(time.Second)
	if tip() == "" {
		t.Fatal("there is no tip")
	}
	keep.Hide()
	w.pass(time.Second)
	if tip() != "" {
		t.Error("the tip of a hidden button is there")
	}
}

func TestAChosenTabKeepsTheFocus(t *testing.T) {
	w := open(t, "en", newDouble(t, six()...))
	w.s.goSettings()
	w.queue.Drain()
	w.tap(kit.RoleTab, "About")
	if w.focused() != "About" {
		t.Errorf("the focus is on %q", w.focused())
	}
}

func TestSettingsHaveNoRoomForWhatIsNotShown(t *testing.T) {
	height := func(practice bool) float32 {
		core := newDouble(t, six()...)
		core.practising = practice
		w := open(t, "en", core)
		w.s.goSettings()
		w.queue.Drain()
		p := w.s.current.(*settingsScreen).parts.staying
		if p.calendar.Visible() == practice {
			t.Fatalf("practice %v: the calendar is shown: %v", practice, p.calendar.Visible())
		}
		driver := w.app.Driver()
		return driver.AbsolutePositionForObject(w.has(kit.RoleText, "Look and language")).Y - driver.AbsolutePositionForObject(p.warn).Y
	}
	if with, without := height(false), height(true); with-without < 30 {
		t.Errorf("%v without the calendar, %v with it", without, with)
	}
}

func TestAFileThatIsThereIsReplacedOnlyWhenAsked(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		home := t.TempDir()
		t.Setenv("HOME", home)
		path := filepath.Join(home, "mine.csv")
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		w := open(t, lang, newDouble(t, six()...))
		w.s.save(saving{title: "x", name: "mine.csv", data: func(context.Context) ([]byte, error) { return []byte("ours"), nil }})
		w.tap(kit.RoleButton, c.Say("save.save"))
		w.says(c.Say("save.exists", text.Args{"name": "mine.csv"}))
		if w.focused() != c.Say("save.other_name") {
			t.Errorf("the focus is on %q", w.focused())
		}
		if got, _ := os.ReadFile(path); string(got) != "mine" {
			t.Fatalf("it holds %q", got)
		}
		w.tap(kit.RoleButton, c.Say("save.other_name"))
		w.has(kit.RoleField, c.Say("save.path"))
		w.tap(kit.RoleButton, c.Say("save.save"))
		w.tap(kit.RoleButton, c.Say("save.replace"))
		if got, _ := os.ReadFile(path); string(got) != "ours" {
			t.Errorf("it holds %q", got)
		}
		w.noBrackets()
	}
}

func TestAForeignFileIsNotMadeACalendar(t *testing.T) {
	c := text.For("en")
	p := problem.New(problem.CalendarFailed, "folder", "/x", "reason", "foreign")
	if got := saveWrong(c, p); !strings.Contains(got, c.Tell(p).Title) {
		t.Errorf("%q", got)
	}
}

func TestTheNoticeOfNoConnectionGoesWithItsAccount(t *testing.T) {
	w := open(t, "en", newDouble(t, six()...))
	w.s.alive.offline = map[string]bool{"idnorthlight.studio": true}
	w.s.changed()
	w.says("No connection.")
	w.s.accounts.list = six()[:4]
	w.s.changed()
	if strings.Contains(w.words(), "No connection.") {
		t.Error("an account that is gone has no connection")
	}
}

func TestKeysDoNothingToAnAccountOutOfSight(t *testing.T) {
	w := open(t, "en", newDouble(t, six()...))
	w.core.token = nil // whoever asks for it fails the test
	h := w.s.current.(*homeScreen)
	h.list.search.SetText("nobody has this name")
	w.queue.Drain()
	w.shortcut(fyne.KeyC, ctrlShift)
	w.shortcut(fyne.KeyR, ctrl)
	h.checkNow()
	w.queue.Drain()
	w.key(fyne.KeyDelete)
	if w.s.dialogOpen() {
		t.Error("it asks about an account out of sight")
	}
	h.list.clearSearch()
	w.queue.Drain()
	if h.list.chosenAt() != 0 {
		t.Error("no row is chosen")
	}
}

func TestStoppingAndTryingAgainKeepTheFocus(t *testing.T) {
	w := pasteWorld(t, "en", newDouble(t, six()...))
	w.pasteText(someToken)
	p := w.s.current.(*pasteScreen)
	for _, do := range []pasteDo{pasteAgain, pasteStop} {
		w.s.window.Canvas().Unfocus()
		p.follow(do)
		if w.focused() != "Access token" {
			t.Errorf("the focus is on %q", w.focused())
		}
	}
}

func TestALateAccountDoesNotComeIntoAnotherScreen(t *testing.T) {
	core := newDouble(t, six()...)
	late := accountLeft("lantern.books", 59*aDay, connect.Healthy)
	core.account = func(string) (connect.Account, error) { return late, nil }
	w := open(t, "en", core)
	w.s.goAccount(late.ID)
	w.s.goSettings()
	w.queue.Drain()
	if _, ok := w.s.current.(*settingsScreen); !ok {
		t.Error("the window went elsewhere by itself")
	}
}

func TestTheSecondsInTheClipboardAreNeverCut(t *testing.T) {
	for _, lang := range languages {
		for _, percent := range []int{100, 150} {
			w := accountWorld(t, lang, newDouble(t), renewable("northlight.studio", 41*aDay, connect.Healthy))
			w.app.Preferences().SetInt(prefText, percent)
			w.s.applyLook()
			w.s.window.Resize(fyne.NewSize(880, 600))
			w.s.arrange()
			page := w.s.current.(*accountScreen)
			page.copyChosen()
			w.pass(2 * time.Second)
			if link := page.parts.clear; link.Size().Width < link.NaturalWidth() {
				t.Errorf("%s at %d %%: the link has %v for %v", lang, percent, link.Size().Width, link.NaturalWidth())
			}
			if count := page.parts.count; count.Size().Width < count.NaturalWidth() {
				t.Errorf("%s at %d %%: %v for %v", lang, percent, count.Size().Width, count.NaturalWidth())
			}
		}
	}
}

// Nothing of a token is left in what a left screen keeps, nor in what an undo
// would bring back.
func TestSEC9_UndoDoesNotBringAPastedTokenBack(t *testing.T) {
	w := pasteWorld(t, "en", newDouble(t, six()...))
	w.pasteText(someToken)
	field := w.s.current.(*pasteScreen).parts.field
	w.s.goAccounts()
	field.Undo()
	if field.Text != "" {
		t.Error("undo brought the token back")
	}
}
