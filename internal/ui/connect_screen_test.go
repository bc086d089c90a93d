package ui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// connectWorld is the window at Connect, over a double.
type connectWorld struct {
	*world
	*attempts
	c *connectScreen
	// in speaks the window's language.
	in *text.Catalogue
}

func openConnect(t *testing.T, lang string, start connectStart, change ...func(*double, *Params)) *connectWorld {
	t.Helper()
	core := newDouble(t)
	w := &connectWorld{attempts: &attempts{}, in: text.For(lang)}
	core.connect = w.connect
	core.apps = func() ([]connect.App, error) { return nil, nil }
	core.doctor = func(in connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
		observe(connect.Line{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "15"}})
		observe(connect.Line{Check: "port", Level: connect.Bad, Problem: problem.New(problem.PortTaken, "port", "8919")})
		observe(connect.Line{Check: "address", Level: connect.Yours})
		return nil, nil
	}
	w.world = open(t, lang, core, func(p *Params) {
		p.connect = newConnect
		p.BrowserName = func(context.Context) string { return "Firefox" }
		for _, c := range change {
			c(core, p)
		}
	})
	w.s.goConnect(start)
	w.queue.Drain()
	w.c = w.s.connect.(*connectScreen)
	return w
}

// inEveryLanguage runs a test once for each language, each with a window of its own.
func inEveryLanguage(t *testing.T, one func(t *testing.T, lang string)) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) { one(t, lang) })
	}
}

func (w *connectWorld) say(key string, args ...text.Args) string { return w.in.Say(key, args...) }

func withApps(apps ...connect.App) func(*double, *Params) {
	return func(d *double, _ *Params) { d.apps = func() ([]connect.App, error) { return apps, nil } }
}

func warned(_ *double, p *Params) { preferences{p.App.Preferences()}.setWarned(true) }

var provided = text.Args{"provider": "Instagram"}

// fill types both fields as a person does.
func (w *connectWorld) fill() {
	w.t.Helper()
	w.typeInto(w.say("connect.app.client_id", provided), kit.RoleField, someID)
	w.typeInto(w.say("connect.app.client_secret", provided), kit.RoleSecret, someSecret)
	w.queue.Drain()
}

func (w *connectWorld) typeInto(name string, role kit.Role, words string) {
	w.t.Helper()
	test.Type(w.has(role, name).(fyne.Focusable), words)
}

// toWait walks to step 3 and lets it wait.
func (w *connectWorld) toWait() {
	w.t.Helper()
	w.fill()
	w.tap(kit.RoleButton, w.say("connect.continue"))
	w.tap(kit.RoleButton, w.say("connect.continue"))
	if len(w.observe) == 0 {
		w.t.Fatalf("no sign-in was begun; the window says:\n%s", w.words())
	}
	w.tell(0, waitingState(w.clock))
}

func (w *connectWorld) tell(n int, st connect.State) {
	w.observe[n](st)
	w.queue.Drain()
}

func waitingState(now time.Time) connect.State {
	return connect.State{
		Step: connect.Waiting, Provider: "Instagram", RedirectURI: "https://localhost:8919/", Deadline: now.Add(10 * time.Minute), Listens: true,
		AuthorizeURL: secret.New("https://www.instagram.com/oauth/authorize?client_id=1&state=canarystate"), AuthorizeHost: "www.instagram.com",
	}
}

func (w *connectWorld) enabled(words string) bool {
	w.t.Helper()
	return !w.has(kit.RoleButton, words).(fyne.Disableable).Disabled()
}

// highs counts the filled buttons of what is in front.
func (w *connectWorld) highs() int {
	n := 0
	w.walk(func(o fyne.CanvasObject) {
		if b, ok := o.(*kit.Button); ok && b.Kind() == kit.High && b.Visible() {
			n++
		}
	})
	return n
}

func (w *connectWorld) oneHigh(where string) {
	w.t.Helper()
	if n := w.highs(); n > 1 {
		w.t.Errorf("%s has %d filled buttons", where, n)
	}
	w.noBrackets()
}

func TestStep1(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.says(w.say("connect.title"), w.say("connect.app.title"), "Instagram", w.say("connect.app.check_idle"), w.say("connect.app.check_foot_asks", provided), "https://localhost:8919/")
		w.hasNot(kit.RoleSelect, w.say("connect.app.saved"))
		w.hasNot(kit.RoleButton, w.say("practice.fill"))
		if w.focused() != w.say("connect.app.client_id", provided) {
			t.Errorf("the focus is on %q", w.focused())
		}
		if w.enabled(w.say("connect.app.check_again")) {
			t.Error("an empty form can be checked")
		}
		if !w.has(kit.RoleCheck, w.say("connect.app.forget")).(kit.Seen).Seen().Selected {
			t.Error("the secret is not forgotten by default")
		}
		w.oneHigh("step 1")

		// Empty fields are marked, the first gets the focus, nothing else happens.
		fill := w.in.Tell(problem.New(problem.FieldEmpty)).Title
		if strings.Contains(w.words(), fill) {
			t.Error("a field is marked before anything was pressed")
		}
		w.tap(kit.RoleButton, w.say("connect.continue"))
		if n := strings.Count(w.words(), fill); n != 2 {
			t.Errorf("%d fields are marked:\n%s", n, w.words())
		}
		if w.focused() != w.say("connect.app.client_id", provided) || w.c.f.stage != stageApp {
			t.Errorf("stage %v, focus on %q", w.c.f.stage, w.focused())
		}
		// Live hints.
		w.typeInto(w.say("connect.app.client_id", provided), kit.RoleField, "99x")
		w.says(w.in.Tell(problem.New(problem.ClientIDLetters)).Title)
		w.has(kit.RoleField, w.say("connect.app.client_id", provided)).(*kit.Entry).SetText("")
		w.fill()
		if strings.Contains(w.words(), fill) {
			t.Error("a filled field is still marked")
		}
		w.pass(2 * time.Second)
		w.says(w.in.Tell(problem.New(problem.PortTaken, "port", "8919")).Title, w.in.Count("connect.app.fine", 1)+", "+w.in.Count("connect.app.look", 1)+", "+w.in.Count("connect.app.yours", 1))
		w.has(kit.RoleLink, w.say("connect.app.other_port"))
		if !w.enabled(w.say("connect.app.check_again")) {
			t.Error("it cannot be checked again")
		}
		w.tap(kit.RoleButton, w.say("connect.app.copy"))
		if got := w.app.Clipboard().Content(); got != "https://localhost:8919/" {
			t.Errorf("copied %q", got)
		}
		w.has(kit.RoleButton, w.say("connect.app.copied"))
		w.pass(3 * time.Second)
		w.has(kit.RoleButton, w.say("connect.app.copy"))
		// What the check found does not hold anybody up.
		w.shortcut(fyne.KeyReturn, ctrl)
		if w.c.f.stage != stageScopes {
			t.Errorf("stage %v", w.c.f.stage)
		}
	})
}

func TestStep1WithASavedApp(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, withApps(keptApp()))
		if w.c.f.stage != stageScopes {
			t.Fatalf("stage %v", w.c.f.stage)
		}
		w.key(fyne.KeyEscape)
		w.says("My app", w.say("connect.app.kept", text.Args{"program": "GNOME Keyring"}))
		w.hasNot(kit.RoleField, w.say("connect.app.client_id", provided))
		w.hasNot(kit.RoleCheck, w.say("connect.app.forget"))
		if w.focused() != w.say("connect.continue") {
			t.Errorf("the focus is on %q", w.focused())
		}
		saved := w.has(kit.RoleSelect, w.say("connect.app.saved")).(*kit.Select)
		w.s.window.Canvas().Focus(saved)
		saved.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
		w.queue.Drain()
		if w.c.f.form.App != "" || w.focused() != w.say("connect.app.client_id", provided) {
			t.Errorf("app %q, focus on %q", w.c.f.form.App, w.focused())
		}
		w.oneHigh("a new app")
	})
}

func TestPracticeFillsTheForm(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, func(d *double, p *Params) {
			d.practising = true
			p.PracticeID, p.PracticeSecret = someID, secret.New(someSecret)
		})
		w.says(w.say("connect.app.sheet", provided), someID, someSecret)
		w.tap(kit.RoleButton, w.say("practice.fill"))
		if f := w.c.f.form; f.ClientID != someID || f.Secret.Reveal() != someSecret {
			t.Error("the form was not filled")
		}
		if w.focused() != w.say("connect.continue") {
			t.Errorf("the focus is on %q", w.focused())
		}
		w.oneHigh("practice")
	})
}

func TestStep2(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.fill()
		w.tap(kit.RoleButton, w.say("connect.continue"))
		w.says(w.say("scope.choose.head", provided), w.say("scope.choose.always"), w.say("scope.choose.asked", text.Args{"n": 1, "total": 5}), w.say("scope.choose.later"), w.say("scope.choose.review"), "instagram_business_basic")
		if w.focused() != w.say("connect.continue") {
			t.Errorf("the focus is on %q", w.focused())
		}
		selected := func(role kit.Role, words string) bool {
			return w.has(role, words).(kit.Seen).Seen().Selected
		}
		w.tap(kit.RoleCheck, w.say("scope.instagram_business_basic.title"))
		if !selected(kit.RoleCheck, w.say("scope.instagram_business_basic.title")) {
			t.Error("the required permission can be left out")
		}
		w.tap(kit.RoleRadio, w.say("scope.preset.comments"))
		w.says(w.say("scope.choose.asked", text.Args{"n": 3, "total": 5}))
		if !selected(kit.RoleCheck, w.say("scope.instagram_business_manage_insights.title")) {
			t.Error("the task did not tick its boxes")
		}
		w.tap(kit.RoleCheck, w.say("scope.instagram_business_manage_messages.title"))
		if !selected(kit.RoleRadio, w.say("scope.preset.own")) || selected(kit.RoleRadio, w.say("scope.preset.comments")) {
			t.Error("a changed box is not the person's own choice")
		}
		w.says(w.say("scope.choose.asked", text.Args{"n": 4, "total": 5}))
		w.oneHigh("step 2")
		w.tap(kit.RoleButton, w.say("connect.back"))
		if w.c.f.stage != stageApp || w.c.f.form.ClientID != someID || w.has(kit.RoleSecret, w.say("connect.app.client_secret", provided)).(kit.Seen).Seen().Value != kit.Masked {
			t.Error("going back lost what was typed")
		}
	})
}

func TestTheDialogBeforeTheBrowserOpens(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.fill()
		w.tap(kit.RoleButton, w.say("connect.continue"))
		w.tap(kit.RoleButton, w.say("connect.continue"))
		w.has(kit.RoleDialog, w.say("connect.warn.title"))
		w.says(w.say("connect.warn.body", text.Args{"host": "localhost"}), w.say("connect.warn.picture_advanced"), w.say("connect.warn.picture_go", text.Args{"host": "localhost"}))
		w.noBrackets()
		w.key(fyne.KeyEscape)
		if len(w.requests) != 0 || w.s.dialogOpen() || w.s.prefs.warned() || w.c.f.stage != stageScopes {
			t.Fatalf("Escape: %d attempts, stage %v", len(w.requests), w.c.f.stage)
		}
		w.tap(kit.RoleButton, w.say("connect.continue"))
		if w.focused() != w.say("connect.warn.open", provided) {
			t.Errorf("the focus is on %q", w.focused())
		}
		w.tap(kit.RoleButton, w.say("connect.warn.open", provided))
		if len(w.requests) != 1 || !w.s.prefs.warned() || w.c.f.stage != stageWait {
			t.Errorf("%d attempts, warned %v, stage %v", len(w.requests), w.s.prefs.warned(), w.c.f.stage)
		}
	})
}

func TestStep3(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.fill()
		w.tap(kit.RoleButton, w.say("connect.continue"))
		w.tap(kit.RoleButton, w.say("connect.continue"))
		w.says(w.say("connect.wait.preparing"))
		if w.enabled(w.say("connect.wait.again")) || !w.enabled(w.say("connect.wait.cancel")) {
			t.Error("preparing: again or cancel is wrong")
		}
		w.tell(0, waitingState(w.clock))
		w.says(w.say("connect.wait.title"), w.say("connect.wait.body"), w.say("connect.wait.left", text.Args{"clock": "10:00"}),
			w.say("connect.wait.opened_line", text.Args{"browser": "Firefox", "host": "www.instagram.com"}), w.say("connect.wait.allow"),
			w.say("connect.wait.back_line", text.Args{"host": "localhost"}), "www.instagram.com/…", w.say("connect.wait.nothing_saved", provided), w.say("connect.wait.separate_none"))
		if strings.Contains(w.words(), "canarystate") {
			t.Error("the link's secret part is on screen")
		}
		if w.focused() != w.say("connect.wait.paste_title") {
			t.Errorf("the focus is on %q", w.focused())
		}
		if !w.has(kit.RoleRadio, w.say("connect.wait.separate")).(fyne.Disableable).Disabled() {
			t.Error("a separate window is offered without a browser for it")
		}
		w.hasNot(kit.RoleLink, "Did I do that")
		if w.highs() != 0 {
			t.Error("a wait has a filled button")
		}
		w.noBrackets()
		w.pass(3 * time.Second)
		w.says(w.say("connect.wait.left", text.Args{"clock": "9:57"}))

		// The link, whole, on a key or a click only.
		w.shortcut(fyne.KeyL, ctrlShift)
		if got := w.app.Clipboard().Content(); !strings.HasSuffix(got, "state=canarystate") {
			t.Errorf("the link copied is %q", got)
		}
		w.has(kit.RoleButton, w.say("connect.wait.link_copied"))
		w.pass(3 * time.Second)
		w.has(kit.RoleButton, w.say("connect.wait.copy_link"))

		// The picture, as information.
		w.tap(kit.RoleLink, w.say("connect.wait.picture"))
		w.has(kit.RoleDialog, w.say("connect.warn.title_later"))
		w.noBrackets()
		w.key(fyne.KeyEscape)

		// Trouble beside what it concerns.
		st := waitingState(w.clock)
		st.BrowserProblem, st.Strangers, st.Refused = problem.New(problem.BrowserFailed), 20, problem.New(problem.PasteNoCode)
		st.Deadline = w.clock.Add(time.Minute)
		w.tell(0, st)
		w.says(w.say("connect.wait.not_opened"), w.say("connect.wait.knocking", text.Args{"n": 20}), w.in.Tell(problem.New(problem.PasteNoCode)).Advice)
		w.tap(kit.RoleButton, w.say("connect.wait.more"))
		if got := <-w.requests[0].Extend; got != moreTime {
			t.Errorf("extended by %v", got)
		}

		// Escape asks; the harmless answer has the focus.
		w.key(fyne.KeyEscape)
		w.has(kit.RoleDialog, w.say("connect.wait.stop_title"))
		if w.focused() != w.say("connect.wait.keep_waiting") {
			t.Errorf("the focus is on %q", w.focused())
		}
		w.key(fyne.KeyReturn)
		if w.s.dialogOpen() || w.c.f.stage != stageWait {
			t.Error("keeping on waiting did not")
		}

		// After the code is used nothing can be stopped.
		w.tell(0, connect.State{Step: connect.Saving, Provider: "Instagram", RedirectURI: st.RedirectURI})
		w.says(w.say("connect.wait.saving", text.Args{"program": "GNOME Keyring"}), w.say("connect.wait.finishing"))
		if w.find(kit.RoleText, w.say("connect.wait.title")) != nil || !w.has(kit.RoleRadio, w.say("connect.wait.mine")).(fyne.Disableable).Disabled() {
			t.Error("it still waits for the person")
		}
		if w.enabled(w.say("connect.wait.cancel")) || w.enabled(w.say("connect.wait.paste")) {
			t.Error("it can still be cancelled")
		}
		w.key(fyne.KeyEscape)
		if w.s.dialogOpen() {
			t.Error("it asks whether to stop what cannot be stopped")
		}
	})
}

func TestStoppingAWait(t *testing.T) {
	w := openConnect(t, "en", connectStart{}, warned)
	w.toWait()
	w.tap(kit.RoleButton, w.say("connect.wait.cancel"))
	w.tap(kit.RoleButton, w.say("connect.wait.stop"))
	if w.c.f.stage != stageScopes || w.s.waiting {
		t.Errorf("stage %v", w.c.f.stage)
	}
}

func TestAWaitGoesOnWhileOneIsElsewhere(t *testing.T) {
	w := openConnect(t, "en", connectStart{}, warned)
	w.toWait()
	w.s.goAccounts()
	w.queue.Drain()
	if !w.s.waiting {
		t.Error("leaving ended the wait")
	}
	w.tell(0, connectedAs("lantern.books", connect.Long))
	w.says("@lantern.books is connected")
	w.s.goConnect(connectStart{})
	w.queue.Drain()
	if w.c.f.stage != stageFine {
		t.Errorf("stage %v", w.c.f.stage)
	}
	w.s.goAccounts()
	w.s.goConnect(connectStart{})
	w.queue.Drain()
	if next := w.s.connect.(*connectScreen); next == w.c || next.f.stage == stageFine {
		t.Error("a result that was seen comes back")
	}
}

func TestOpeningTheBrowserAgain(t *testing.T) {
	var opened []string
	w := openConnect(t, "en", connectStart{}, warned, func(_ *double, p *Params) {
		p.OpenAddress = func(_ context.Context, address string) error {
			opened = append(opened, address)
			return problem.New(problem.BrowserFailed)
		}
	})
	w.toWait()
	w.shortcut(fyne.KeyB, ctrl)
	if len(opened) != 1 || !strings.HasSuffix(opened[0], "canarystate") {
		t.Errorf("opened %d times", len(opened))
	}
	w.says(w.say("connect.wait.not_opened"))
}

// preferencesOf lists what the toolkit would write to its file.
func preferencesOf(t *testing.T, app fyne.App) map[string]any {
	t.Helper()
	reader, ok := app.Preferences().(interface {
		ReadValues(func(map[string]any))
	})
	if !ok {
		t.Fatal("the preferences cannot be listed")
	}
	all := map[string]any{}
	reader.ReadValues(func(m map[string]any) {
		for k, v := range m {
			all[k] = v
		}
	})
	return all
}

func TestPST4_ThePasteFieldIsEmptiedAndTheClipboardReadOnAClickOnly(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		const address = "https://localhost:8919/?code=canarycode&state=canarystate"
		w.app.Clipboard().SetContent(address)
		w.toWait()
		field := w.has(kit.RoleField, w.say("connect.wait.paste_title")).(*kit.Entry)
		use, paste := w.say("connect.wait.use"), w.say("connect.wait.paste")
		w.pass(5 * time.Second)
		if field.Text != "" || w.enabled(use) {
			t.Error("the clipboard was read without a click")
		}
		w.typeInto(w.say("connect.wait.paste_title"), kit.RoleField, "anything")
		if !w.enabled(use) {
			t.Error("only some texts can be used")
		}
		w.tap(kit.RoleButton, paste)
		if field.Text != address {
			t.Errorf("pasted %q", field.Text)
		}
		w.tap(kit.RoleButton, use)
		if got := <-w.requests[0].Pasted; got != address {
			t.Errorf("the attempt got %q", got)
		}
		field.Undo()
		if field.Text != "" || strings.Contains(w.words(), "canary") {
			t.Errorf("the field still has %q", field.Text)
		}
		for k, v := range preferencesOf(t, w.app) {
			if s, ok := v.(string); ok && (strings.Contains(s, "canary") || strings.Contains(s, someSecret)) {
				t.Errorf("the preference %s is %q", k, s)
			}
		}
		// A text that is still there when one leaves goes too.
		w.tap(kit.RoleButton, paste)
		w.tell(0, connectedAs("lantern.books", connect.Long))
		if field.Text != "" {
			t.Error("leaving the page left the code in its field")
		}
	})
}

func TestSEC10_TheSecretIsMaskedAndHidesItselfAgain(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.fill()
		name := w.say("connect.app.client_secret", provided)
		field := w.has(kit.RoleSecret, name).(*kit.SecretEntry)
		if !field.Password || strings.Contains(w.words(), someSecret) {
			t.Fatal("the secret is in plain sight")
		}
		look := func() {
			w.s.window.Canvas().Focus(field)
			field.Password = false
			field.Refresh()
		}
		look()
		w.pass(20 * time.Second)
		if field.Password {
			t.Error("it was hidden while it was looked at")
		}
		w.pass(11 * time.Second)
		if !field.Password {
			t.Error("it can be looked at for ever")
		}
		look()
		w.pass(2 * time.Second)
		w.s.window.Canvas().Unfocus()
		w.pass(time.Second)
		if !field.Password {
			t.Error("without the focus it is still shown")
		}
		w.tap(kit.RoleButton, w.say("connect.continue"))
		if field.Text != "" {
			t.Error("leaving the page left the secret in its field")
		}
		field.Undo()
		if field.Text != "" {
			t.Error("the secret can be had back from the field")
		}
	})
}

func TestTheFinePage(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		st := connectedAs("lantern.books", connect.Long)
		st.Account.ScopesAsked = []string{"instagram_business_basic", "instagram_business_manage_insights"}
		w.tell(0, st)
		w.says(w.say("connect.fine.title", text.Args{"username": "lantern.books"}), w.say("connect.fine.secret_forgotten"), w.say("connect.fine.saved_proof"),
			w.say("account.allowed"), w.say("account.left_out"), w.say("connect.fine.missing_lead", text.Args{"permission": w.say("scope.instagram_business_manage_insights.title")}), w.in.Count("connect.fine.posts", 412))
		if w.focused() != w.say("connect.fine.done") {
			t.Errorf("the focus is on %q", w.focused())
		}
		// Ruling 12, and nothing renews yet.
		for _, words := range []string{"WordPress", "Reminder", "Erinnerung", "Renew", "erneuert"} {
			if strings.Contains(w.words(), words) {
				t.Errorf("it speaks of %q", words)
			}
		}
		w.oneHigh("the fine page")
		w.tap(kit.RoleButton, w.say("connect.fine.copy"))
		if got := w.app.Clipboard().Content(); got != tokenOf("idlantern.books") {
			t.Error("the token was not copied")
		}
		w.core.apps = func() ([]connect.App, error) { return []connect.App{savedApp}, nil }
		w.tap(kit.RoleLink, w.say("connect.fine.ask_again"))
		if w.c.f.stage != stageSecret || w.c.f.form.Expect != "lantern.books" {
			t.Errorf("asking again: stage %v", w.c.f.stage)
		}
		w.says(w.say("connect.secret.title_as", text.Args{"username": "lantern.books"}), w.say("connect.app.forgotten"))
		w.oneHigh("the one field")
		w.shortcut(fyne.KeyReturn, ctrl)
		w.says(w.in.Tell(problem.New(problem.FieldEmpty)).Title)
		w.typeInto(w.say("connect.app.client_secret", provided), kit.RoleSecret, someSecret)
		w.key(fyne.KeyReturn)
		if len(w.requests) != 2 || w.requests[1].ClientSecret.Reveal() != someSecret {
			t.Fatalf("%d attempts", len(w.requests))
		}
		w.tell(1, connectedAs("lantern.books", connect.Long))
		w.key(fyne.KeyEscape)
		if w.s.current != w.s.home || w.s.connect != nil {
			t.Error("Done did not go to the accounts")
		}
	})
}

func TestAOneHourTokenIsSaidOnTop(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		st := connectedAs("lantern.books", connect.Short)
		refused := problem.New(problem.ExtendRefused, "provider", "Instagram")
		st.Notices = []*problem.Problem{refused}
		w.tell(0, st)
		w.says(w.in.Tell(refused).Happened)
		w.has(kit.RoleLink, w.in.Action(problem.ChangeSecret))
		w.oneHigh("the one-hour page")
		w.tap(kit.RoleLink, w.in.Action(problem.SignInAgain))
		if len(w.requests) != 2 || w.requests[1].ClientSecret.Reveal() != someSecret {
			t.Errorf("%d attempts: the secret of the hour should still be there", len(w.requests))
		}
	})
}

// Every problem there is has a page with at most one filled button, one way
// on, and details without a secret.
func TestTheProblemPageOfEveryProblem(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		for _, entry := range problem.Table() {
			p := problem.New(entry.Key, "port", "8919", "username", "harbour.coffee", "found", "mia.kessler").Said("They said no")
			w.c.f.state = connect.State{Step: connect.Failed, Provider: "Instagram", RedirectURI: "https://localhost:8919/?code=canary", Problem: p}
			w.c.f.form.Secret, w.c.f.form.ClientID = secret.New(someSecret), someID
			w.c.f.to(stageProblem)
			w.queue.Drain()
			told := w.in.Tell(p)
			if steps := presentProblem(w.in, w.c.f.state, someID, w.clock).Steps; len(steps) == 0 {
				w.says(told.Advice)
			} else {
				w.says(strings.ReplaceAll(steps[0], "**", ""), strings.ReplaceAll(steps[len(steps)-1], "**", ""))
			}
			w.says(told.Title, told.Happened, w.say("connect.problem.unchanged"), w.say("connect.problem.happened"), w.say("connect.problem.do"))
			w.noBrackets()
			if n := w.highs(); n != 1 {
				t.Errorf("%s has %d filled buttons", entry.Key, n)
			}
			if focused, ok := w.s.window.Canvas().Focused().(*kit.Button); !ok || focused.Kind() != kit.High {
				t.Errorf("%s: the focus is on %q", entry.Key, w.focused())
			}
			if w.find(kit.RoleButton, w.say("connect.problem.copy")) == nil {
				w.tap(kit.RoleButton, w.say("connect.problem.said"))
			} else if entry.Key != problem.UnknownAnswer {
				t.Errorf("%s: the provider's words are open", entry.Key)
			}
			w.says("They said no")
			w.tap(kit.RoleButton, w.say("connect.problem.copy"))
			if got := w.app.Clipboard().Content(); strings.Contains(got, "canary") || strings.Contains(got, someSecret) || strings.Contains(got, someID) || !strings.Contains(got, string(entry.Key)) {
				t.Errorf("%s: the details are %q", entry.Key, got)
			}
			w.has(kit.RoleButton, w.say("connect.problem.copied"))
		}
	})
}

func TestTheProblemPageOfADifferentAccount(t *testing.T) {
	account := accountLeft("harbour.coffee", 3*aDay, connect.ExpiresSoon)
	account.App = "My app"
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{Account: &account}, warned, withApps(keptApp()))
		if len(w.requests) != 1 {
			t.Fatalf("%d attempts", len(w.requests))
		}
		w.tell(0, connect.State{Step: connect.Failed, Provider: "Instagram", RedirectURI: "https://localhost:8919/", Problem: problem.New(problem.OtherAccount, "username", "harbour.coffee", "found", "mia.kessler")})
		w.says("@harbour.coffee", "@mia.kessler", w.say("connect.problem.unchanged"))
		if w.focused() != w.say("connect.other.wanted_button", text.Args{"username": "harbour.coffee"}) {
			t.Errorf("the focus is on %q", w.focused())
		}
		w.tap(kit.RoleButton, w.say("connect.other.new_button", text.Args{"username": "mia.kessler"}))
		if len(w.requests) != 2 || w.requests[1].Expect != "" {
			t.Errorf("requests %+v", w.requests)
		}
	})
}

func TestCancelForgetsTheForm(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.fill()
		w.tap(kit.RoleButton, w.say("connect.cancel"))
		if w.s.current != w.s.home || w.s.connect != nil || !w.c.f.form.Secret.Empty() {
			t.Error("cancelling left something behind")
		}
	})
}

func TestLeavingHalfWayKeepsWhatWasTyped(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	w.fill()
	field := w.has(kit.RoleSecret, w.say("connect.app.client_secret", provided)).(*kit.SecretEntry)
	w.s.goAccounts()
	if field.Text != "" {
		t.Error("the secret lies in a field that nobody sees")
	}
	w.s.goConnect(connectStart{})
	w.queue.Drain()
	if w.has(kit.RoleField, w.say("connect.app.client_id", provided)).(*kit.Entry).Text != someID || w.has(kit.RoleSecret, w.say("connect.app.client_secret", provided)).(*kit.SecretEntry).Text != someSecret {
		t.Error("what was typed is gone")
	}
	w.pass(2 * time.Second)
	w.says(w.in.Count("connect.app.fine", 1))
}

// A page never asks for more width than there is, at any size and scale.
func TestConnectFitsEverySize(t *testing.T) {
	for _, size := range []fyne.Size{fyne.NewSize(640, 480), fyne.NewSize(880, 600), fyne.NewSize(1120, 760)} {
		t.Run(fmt.Sprint(size.Width), func(t *testing.T) { fitsEveryScale(t, size) })
	}
}

func fitsEveryScale(t *testing.T, size fyne.Size) {
	for _, percent := range []int{80, 100, 150, 200} {
		if size.Width < 880 && percent > 150 {
			// A third of the usual width: there the longest button decides.
			continue
		}
		w := openConnect(t, "de", connectStart{}, warned)
		w.app.Preferences().SetInt(prefText, percent)
		w.s.applyLook()
		w.s.window.Resize(size)
		w.s.arrange()
		w.toWait()
		pages := map[string]func(){
			"waiting": func() {},
			"fine":    func() { w.c.f.state = connectedAs("a.username.that.is.thirty.long", connect.Long); w.c.f.to(stageFine) },
			"problem": func() {
				w.c.f.state = connect.State{Step: connect.Failed, Provider: "Instagram", Problem: problem.New(problem.RedirectMismatch), RedirectURI: "https://localhost:8919/"}
				w.c.f.to(stageProblem)
			},
			"app":    func() { w.c.f.to(stageApp) },
			"scopes": func() { w.c.f.to(stageScopes) },
			"secret": func() { w.c.f.to(stageSecret) },
		}
		for name, show := range pages {
			show()
			w.queue.Drain()
			if got := w.s.window.Canvas().Size(); got != size {
				t.Errorf("%s at %d %%: the window became %v, not %v", name, percent, got, size)
			}
			w.walk(func(o fyne.CanvasObject) {
				if _, ok := o.(kit.Seen); !ok || o.Size().Width == 0 {
					return
				}
				at := w.app.Driver().AbsolutePositionForObject(o)
				if at.X+o.Size().Width > size.Width+1 {
					t.Errorf("%s at %v and %d %%: %+v ends at %v", name, size, percent, o.(kit.Seen).Seen(), at.X+o.Size().Width)
				}
			})
		}
	}
}
