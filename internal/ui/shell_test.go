package ui

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

var languages = []string{"en", "de"}

func six() []connect.Account {
	rosa := accountLeft("rosa.and.rye", 30*aDay, connect.NeedsSignIn)
	rosa.Reason = string(problem.PasswordChanged)
	return []connect.Account{
		rosa, accountLeft("cedarclinic", 5*aDay, connect.ExpiresSoon), accountLeft("oldmill.market", -20*aDay, connect.Expired),
		accountLeft("harbour.coffee", 23*aDay, connect.RenewsSoon), accountLeft("northlight.studio", 41*aDay, connect.Healthy),
		accountLeft("tinygarden.co", 52*aDay, connect.Healthy),
	}
}

// noBrackets: a missing sentence comes back in brackets.
func (w *world) noBrackets() {
	w.t.Helper()
	if all := w.words() + w.s.window.Title(); strings.Contains(all, "⟦") {
		w.t.Errorf("a sentence is missing:\n%s", all)
	}
}

func TestWelcome(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		practise := func(p *Params) {
			p.Practise = func(context.Context) (string, func(), error) { return "", nil, errors.New("not asked for") }
		}
		w := open(t, lang, newDouble(t), practise)
		w.says(c.Say("welcome.title"), c.Say("welcome.signin.body"), c.Say("welcome.practise.body"), "GNOME Keyring")
		w.noBrackets()
		if w.focused() != c.Say("welcome.signin.button") {
			t.Errorf("the focus is on %q", w.focused())
		}
		// Ruling 12: what has no engine is not shown.
		for _, words := range []string{"Apps", "backup"} {
			if strings.Contains(w.words(), words) {
				t.Errorf("%q is shown", words)
			}
		}
		w.key(fyne.KeyReturn)
		if len(w.starts) != 1 || !w.starts[0].empty() {
			t.Errorf("Connect was opened with %+v", w.starts)
		}
	}
}

func TestNoKeychainIsSaidOnTheWelcome(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t)
		core.storage = func() (connect.Storage, error) {
			return connect.Storage{Place: "session", Problem: problem.New(problem.VaultAbsent)}, nil
		}
		core.selfTest = nil // a session is not tested
		w := open(t, lang, core)
		w.says(c.Say("nokeychain.lead"), c.Say("nokeychain.body"), c.Say("rail.session"))
		w.tap(kit.RoleButton, c.Say("nokeychain.button"))
		w.says(c.Say("nokeychain.help"))
		w.key(fyne.KeyEscape)
		if strings.Contains(w.words(), c.Say("nokeychain.help")) {
			t.Error("Escape does not close the dialog")
		}
		w.noBrackets()
	}
}

func TestListShowsEveryAccountAndFilters(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		w := open(t, lang, newDouble(t, six()...))
		for _, a := range six() {
			w.has(kit.RoleRow, a.Username+", Instagram")
		}
		w.says(c.Count("accounts.need", 2), c.Say("life.password"), c.Say("accounts.column_life"))
		w.noBrackets()
		if need := w.s.window.Title(); !strings.Contains(need, c.Count("accounts.need", 2)) {
			t.Errorf("title %q", need)
		}
		w.tap(kit.RoleFilter, c.Say("accounts.filter_soon"))
		w.has(kit.RoleRow, "cedarclinic")
		w.hasNot(kit.RoleRow, "tinygarden.co")
		w.tap(kit.RoleFilter, c.Say("accounts.filter_all"))
		w.shortcut(fyne.KeyF, ctrl)
		if w.focused() != c.Say("accounts.search") {
			t.Fatalf("Ctrl+F puts the focus on %q", w.focused())
		}
		for _, r := range "harbor" {
			w.s.window.Canvas().Focused().TypedRune(r)
		}
		w.queue.Drain()
		w.says(c.Say("accounts.no_match", text.Args{"text": "harbor"}), c.Say("accounts.no_match_body"))
		w.tap(kit.RoleButton, c.Say("accounts.clear_search"))
		w.has(kit.RoleRow, "harbour.coffee")
	}
}

func TestLoadingSaysSoAfterTwoSecondsAndStops(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		w := unstarted(t, lang, core)
		// The core's answer never comes: the queue runs everything but it.
		w.s.core, w.s.accounts.loading = core, true
		w.s.after(2*time.Second, func() { w.s.accounts.slow = true; w.s.changed() })
		if strings.Contains(w.words(), c.Say("accounts.opening")) {
			t.Error("words before two seconds")
		}
		w.pass(2 * time.Second)
		w.says(c.Say("accounts.opening"))
		w.tap(kit.RoleButton, c.Say("accounts.stop"))
		if w.s.accounts.loading {
			t.Error("still loading")
		}
		w.noBrackets()
	}
}

func TestALibraryThatCannotBeOpenedIsTold(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		fails := true
		core := newDouble(t)
		w := open(t, lang, core, func(p *Params) {
			p.Open = func(context.Context, *url.URL, func(bool)) (Core, error) {
				if fails {
					return nil, problem.New(problem.LibraryNewer)
				}
				return core, nil
			}
		})
		w.says(c.Tell(problem.New(problem.LibraryNewer)).Title)
		w.noBrackets()
		fails = false
		w.tap(kit.RoleButton, c.Say("accounts.try_again"))
		w.says(c.Say("welcome.title"))
	}
}

func TestALockedKeyringIsSaidAndUnlocked(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		locked, tests := true, 0
		core.storage = func() (connect.Storage, error) {
			return connect.Storage{Place: "keychain", Program: "GNOME Keyring", Collection: "Login", Present: true, Locked: locked}, nil
		}
		core.token = nil // not asked for while it is locked
		core.selfTest = func(context.Context) error { tests++; locked = false; return nil }
		w := open(t, lang, core)
		if tests != 0 {
			t.Error("a locked keyring was used without anybody asking")
		}
		w.says(c.Say("accounts.locked_lead"), c.Say("accounts.locked_body"))
		w.s.copyChosen()
		w.queue.Drain()
		w.tap(kit.RoleLink, c.Say("accounts.unlock"))
		if tests != 1 || strings.Contains(w.words(), c.Say("accounts.locked_lead")) {
			t.Errorf("%d tests; the window says:\n%s", tests, w.words())
		}
		w.noBrackets()
	}
}

func TestCopyClearsTheClipboardAfterItsTimeAndOnlyOurs(t *testing.T) {
	core := newDouble(t, six()...)
	var notes []string
	core.note = func(id, event string) error { notes = append(notes, id+" "+event); return nil }
	w := open(t, "en", core)
	healthy := six()[5]
	clipboard := w.app.Clipboard()

	w.s.copyToken(healthy, nil)
	w.queue.Drain()
	if clipboard.Content() != tokenOf(healthy.ID) {
		t.Fatal("the token is not in the clipboard")
	}
	w.says("Copied. Cleared from the clipboard in 45 s.")
	w.pass(44 * time.Second)
	if clipboard.Content() == "" {
		t.Error("cleared too early")
	}
	w.pass(time.Second)
	if clipboard.Content() != "" {
		t.Error("not cleared")
	}
	if len(notes) != 1 || notes[0] != healthy.ID+" copied" {
		t.Errorf("the diary got %v", notes)
	}

	// Something else was copied meanwhile: left alone.
	w.s.copyToken(healthy, nil)
	w.queue.Drain()
	clipboard.SetContent("a poem")
	w.pass(46 * time.Second)
	if clipboard.Content() != "a poem" {
		t.Error("a stranger's clipboard was emptied")
	}

	// "Clear now", and another choice of seconds.
	w.s.setClipboardSeconds(15)
	w.s.copyToken(healthy, nil)
	w.queue.Drain()
	w.says("Copied. Cleared from the clipboard in 15 s.")
	w.s.clearCopied()
	if clipboard.Content() != "" {
		t.Error("Clear now does not clear")
	}

	// At exit too.
	w.s.copyToken(healthy, nil)
	w.queue.Drain()
	w.s.close()
	if clipboard.Content() != "" || !core.isClosed {
		t.Error("closing leaves the token in the clipboard, or the core open")
	}
	for _, d := range w.seen() {
		if strings.Contains(d.Text+d.Value, tokenOf(healthy.ID)) {
			t.Error("a token stands in the window")
		}
	}
}

func TestATokenThatCannotBeHadIsTold(t *testing.T) {
	core := newDouble(t, six()...)
	core.token = func(string) (connect.Handed, error) {
		return connect.Handed{}, problem.New(problem.TokenGone, "username", "x")
	}
	w := open(t, "en", core)
	w.s.copyToken(six()[5], nil)
	w.queue.Drain()
	w.says(text.For("en").Tell(problem.New(problem.TokenGone, "username", "x")).Title)
	if w.app.Clipboard().Content() != "" {
		t.Error("something was copied")
	}
}

func TestAccountShowsEverythingAndHidesTheToken(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		core.diary = func(string, int) ([]library.Entry, error) {
			return []library.Entry{{At: noon.Add(-time.Hour), Event: "copied"}, {At: noon.Add(-60 * aDay), Event: "signed_in", Args: map[string]string{"n": "2"}}}, nil
		}
		w := open(t, lang, core)
		w.s.goAccount(six()[4].ID)
		w.queue.Drain()
		w.says("@northlight.studio", c.Say("account.life"), c.Say("diary.copied"), c.Count("diary.signed_in", 2), c.Say("account.wrong"), c.Say("account.ends"))
		if w.focused() != c.Say("account.copy") {
			t.Errorf("the focus is on %q", w.focused())
		}
		if strings.Contains(w.words(), tokenOf(six()[4].ID)) || strings.Contains(w.s.window.Title(), "northlight") {
			t.Error("the token stands in the window, or a name in its title")
		}
		w.says("IGAA •••• •••• •••• 7ZDZD")
		w.noBrackets()
		w.shortcut(fyne.KeyLeft, fyne.KeyModifierAlt)
		w.has(kit.RoleRow, "northlight.studio")
	}
}

func TestAnEndedAccountOffersTheSignIn(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		core.token = nil // of an ended token nothing is asked
		w := open(t, lang, core)
		w.s.goAccount(six()[2].ID)
		w.queue.Drain()
		w.hasNot(kit.RoleButton, c.Say("account.copy"))
		w.tap(kit.RoleButton, c.Say("account.sign_in_again"))
		if len(w.starts) != 1 || w.starts[0].Account == nil || w.starts[0].Account.Username != "oldmill.market" {
			t.Errorf("Connect was opened with %+v", w.starts)
		}
		w.noBrackets()
	}
}

func TestTheTokenShowsWhileItIsHeldAndNoLonger(t *testing.T) {
	core := newDouble(t, six()...)
	var notes []string
	core.note = func(_, event string) error { notes = append(notes, event); return nil }
	w := open(t, "en", core)
	id := six()[4].ID
	w.s.goAccount(id)
	w.queue.Drain()
	screen := w.s.current.(*accountScreen)
	shown := func() bool { w.t.Helper(); return strings.Contains(w.words(), tokenOf(id)) }

	screen.reveal.start(showLimit)
	w.queue.Drain()
	if !shown() {
		t.Fatal("not shown while held")
	}
	screen.reveal.stop()
	if shown() {
		t.Fatal("still shown after release")
	}
	// It ends by itself.
	screen.reveal.start(showLimit)
	w.pass(29 * time.Second)
	if !shown() {
		t.Error("hidden too early")
	}
	w.pass(2 * time.Second)
	if shown() {
		t.Error("shown for more than 30 s")
	}
	// S shows it for 10 s.
	w.s.window.Canvas().Focus(screen.parts.hold)
	w.s.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyS})
	w.queue.Drain()
	if !shown() {
		t.Error("S does not show it")
	}
	w.pass(11 * time.Second)
	if shown() {
		t.Error("S shows it for more than 10 s")
	}
	// Losing the focus ends it.
	w.s.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyS})
	w.queue.Drain()
	w.s.window.Canvas().Unfocus()
	if shown() {
		t.Error("shown without the focus")
	}
	// An answer that comes after the release shows nothing.
	screen.reveal.start(showLimit)
	screen.reveal.stop()
	w.queue.Drain()
	if shown() {
		t.Error("a late answer shows the token")
	}
	// Leaving hides it.
	screen.reveal.start(showLimit)
	w.queue.Drain()
	w.s.goAccounts()
	if shown() || screen.reveal.held {
		t.Error("shown after leaving")
	}
	for _, n := range notes {
		if n != "shown" {
			t.Errorf("the diary got %v", notes)
		}
	}
	if len(notes) == 0 {
		t.Error("the diary got nothing")
	}
}

func TestRemovingAsksAndTheHarmlessButtonHasTheFocus(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		accounts := six()
		core := newDouble(t)
		removed := ""
		core.accounts = func(context.Context) ([]connect.Account, error) { return accounts, nil }
		core.revoke = func(_ context.Context, id string) (connect.Revoked, error) {
			removed, accounts = id, accounts[:5]
			return connect.Revoked{}, nil
		}
		w := open(t, lang, core)
		w.s.goAccount(accounts[5].ID)
		w.queue.Drain()
		w.tap(kit.RoleButton, c.Say("account.remove"))
		w.says(c.Say("account.remove_title", text.Args{"username": "tinygarden.co"}))
		if w.focused() != c.Say("account.keep") {
			t.Errorf("the focus is on %q", w.focused())
		}
		w.key(fyne.KeyEscape)
		if removed != "" || w.s.dialogOpen() {
			t.Error("Escape removes, or leaves the dialog open")
		}
		w.tap(kit.RoleButton, c.Say("account.remove"))
		w.tap(kit.RoleButton, c.Say("account.remove_now"))
		if removed == "" {
			t.Fatal("nothing was removed")
		}
		w.says(c.Say("account.removed", text.Args{"username": "tinygarden.co"}))
		w.hasNot(kit.RoleRow, "tinygarden.co")
		w.noBrackets()
	}
}

func TestSettingsApplyAtOnce(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		folder := ""
		w := open(t, lang, newDouble(t), func(p *Params) {
			p.OpenFolder = func(_ context.Context, dir string) error { folder = dir; return nil }
		})
		w.shortcut(fyne.KeyComma, ctrl)
		w.says(c.Say("settings.where"), "GNOME Keyring", c.Say("settings.tested_at", text.Args{"clock": "12:00"}), c.Say("settings.good"))
		w.noBrackets()
		w.tap(kit.RoleLink, c.Say("settings.folder"))
		if folder != "/home/of/tokenkeep" {
			t.Errorf("opened %q", folder)
		}
		w.shortcut(fyne.KeyPlus, ctrl)
		if w.s.prefs.textPercent() != 110 {
			t.Errorf("text is %d %%", w.s.prefs.textPercent())
		}
		w.shortcut(fyne.Key0, ctrl)
		other := map[string]string{"en": "de", "de": "en"}[lang]
		w.s.setLanguage(other)
		w.queue.Drain()
		w.says(text.For(other).Say("settings.where"))
		for _, tab := range []string{"settings.clipboard_only", "settings.about"} {
			w.tap(kit.RoleTab, text.For(other).Say(tab))
			w.noBrackets()
		}
		w.says("Version 0.1.0")
	}
}

func TestAFailingSelfTestIsTold(t *testing.T) {
	core := newDouble(t)
	core.selfTest = func(context.Context) error { return errLocked }
	w := open(t, "en", core)
	w.s.goSettings()
	w.queue.Drain()
	w.says(text.For("en").Tell(errLocked).Title)
	core.selfTest = func(context.Context) error { return nil }
	w.tap(kit.RoleButton, "Test again")
	w.says("GNOME Keyring works.")
}

func TestRecoveredSignInsAreTold(t *testing.T) {
	core := newDouble(t, six()...)
	done := six()[5]
	core.recover = func() ([]connect.Recovered, error) {
		return []connect.Recovered{{Account: &done}, {Problem: problem.New(problem.Interrupted)}}, nil
	}
	w := open(t, "en", core)
	w.says("@tinygarden.co was still waiting", "A sign-in was interrupted")
}

func TestPracticeHasItsOwnListAndLeavesToTheRealOne(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		real, practice := newDouble(t), newDouble(t, six()[3])
		practice.practising = true
		stopped := false
		w := open(t, lang, real, func(p *Params) {
			p.Practise = func(context.Context) (string, func(), error) {
				return "http://127.0.0.1:4711", func() { stopped = true }, nil
			}
			p.Open = func(_ context.Context, ground *url.URL, _ func(bool)) (Core, error) {
				if ground == nil {
					return real, nil
				}
				if ground.Host != "127.0.0.1:4711" {
					t.Errorf("opened over %v", ground)
				}
				return practice, nil
			}
		})
		w.tap(kit.RoleButton, c.Say("welcome.practise.button"))
		w.says(c.Say("practice.strip"))
		w.has(kit.RoleRow, "harbour.coffee")
		w.noBrackets()
		w.tap(kit.RoleButton, c.Say("practice.leave"))
		w.says(c.Say("welcome.title"))
		if strings.Contains(w.words(), c.Say("practice.strip")) || !stopped || !practice.isClosed || real.isClosed {
			t.Errorf("stopped %v, closed %v, real closed %v; the window says:\n%s", stopped, practice.isClosed, real.isClosed, w.words())
		}
	}
}

func TestAProcessThatPractisesHasNothingToLeaveFor(t *testing.T) {
	core := newDouble(t)
	core.practising = true
	w := open(t, "en", core, func(p *Params) { p.Practice = &url.URL{Scheme: "http", Host: "127.0.0.1:1"} })
	w.says("Practice ground. Nothing here is real.")
	w.hasNot(kit.RoleButton, "Leave")
}

func TestConnectIsKeptUntilItIsOver(t *testing.T) {
	w := open(t, "en", newDouble(t, six()...))
	w.shortcut(fyne.KeyN, ctrl)
	first := w.s.current.(*placeholder)
	w.shortcut(fyne.Key1, ctrl)
	w.shortcut(fyne.Key2, ctrl)
	if w.s.current != screen(first) || len(w.starts) != 1 {
		t.Error("Connect was built anew")
	}
	w.s.setWaiting(true)
	w.shortcut(fyne.Key1, ctrl)
	w.says("Waiting")
	// A click on "Sign in" elsewhere does not throw a waiting sign-in away.
	account := six()[0]
	w.s.goConnect(connectStart{Account: &account})
	if w.s.current != screen(first) || first.ends != 0 {
		t.Error("a waiting sign-in was thrown away")
	}
	w.s.endConnect()
	w.s.goAccounts()
	w.s.goConnect(connectStart{Account: &account})
	if w.s.current == screen(first) || len(w.starts) != 2 {
		t.Error("an ended Connect came back")
	}
}

func TestQuittingAsksWhileASignInWaits(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		w := open(t, lang, core)
		w.s.setWaiting(true)
		w.shortcut(fyne.KeyQ, ctrl)
		w.says(c.Say("connect.wait.stop_title"))
		if w.focused() != c.Say("connect.wait.keep_waiting") || core.isClosed {
			t.Errorf("the focus is on %q, closed %v", w.focused(), core.isClosed)
		}
		w.key(fyne.KeyEscape)
		if core.isClosed || w.s.dialogOpen() {
			t.Error("Escape quits, or leaves the dialog open")
		}
		w.s.setWaiting(false)
		w.shortcut(fyne.KeyQ, ctrl)
		if !core.isClosed {
			t.Error("Ctrl+Q does not quit")
		}
	}
}

func TestKeysOfTheList(t *testing.T) {
	core := newDouble(t, six()...)
	w := open(t, "en", core)
	w.key(fyne.KeyDown)
	w.key(fyne.KeyEnd)
	w.shortcut(fyne.KeyC, ctrlShift)
	if got := w.app.Clipboard().Content(); !strings.HasPrefix(got, "IGAA") {
		t.Error("Ctrl+Shift+C copies nothing")
	}
	w.key(fyne.KeyReturn)
	if _, ok := w.s.current.(*accountScreen); !ok {
		t.Fatalf("Enter opens %T", w.s.current)
	}
	w.key(fyne.KeyEscape)
	if w.s.current != w.s.home {
		t.Error("Escape does not go back")
	}
	w.key(fyne.KeyDelete)
	if !w.s.dialogOpen() {
		t.Error("Delete does not ask")
	}
	w.key(fyne.KeyEscape)
}

func TestThreeHundredRowsAreVirtual(t *testing.T) {
	var many []connect.Account
	for i := range 300 {
		many = append(many, accountLeft("account"+string(rune('a'+i%26))+strings.Repeat("x", i/26), 40*aDay, connect.Healthy))
	}
	w := open(t, "en", newDouble(t, many...))
	rows := 0
	for _, d := range w.seen() {
		if d.Role == kit.RoleRow {
			rows++
		}
	}
	if rows == 0 || rows > 30 {
		t.Errorf("%d rows were built", rows)
	}
	w.says("300 accounts")
	w.key(fyne.KeyEnd)
	h := w.s.home.(*homeScreen).list
	if got := h.chosenAt(); got != 299 {
		t.Errorf("End goes to row %d", got)
	}
	w.key(fyne.KeyHome)
	for range 40 {
		w.key(fyne.KeyDown)
	}
	if got := h.chosenAt(); got != 40 {
		t.Errorf("40 times Down goes to row %d", got)
	}
}
