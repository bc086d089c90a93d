package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// someToken is a made-up token of the current kind: nobody's.
var someToken = "IGAA" + strings.Repeat("canaryPasted", 12) + "8Q4ZD"

// shapeOf is a shape as connect.Read tells it, for the presenter alone.
func shapeOf(provider, kind string, p *problem.Problem) connect.Shape {
	return connect.Shape{Provider: provider, Kind: kind, Problem: p}
}

func found(person, kind string) *connect.Inspected {
	return &connect.Inspected{Shape: shapeOf("instagram", "user", nil), Person: &connect.Person{UserID: "1", Username: person, Kind: kind}, Works: true}
}

func TestPasteSaysWhatWasFound(t *testing.T) {
	c, d := text.For("en"), instagram(t)
	end := noon.Add(59 * aDay)
	ok := pasteState{Filled: true, Shape: shapeOf("instagram", "user", nil), Prefix: "IGAA", Provider: d, Program: "GNOME Keyring", Now: noon, Told: pasteAnswers}
	with := func(change func(*pasteState)) pasteState {
		s := ok
		change(&s)
		return s
	}
	known := accountLeft("lantern.books", 30*aDay, connect.Healthy)
	for name, row := range map[string]struct {
		state   pasteState
		titles  []string
		says    string
		when    bool
		promise string
		keep    bool
		do      pasteDo
	}{
		"empty":         {state: pasteState{}},
		"current kind":  {state: ok, titles: []string{"An Instagram token of the current kind"}, says: "It starts with IGAA. Nothing is missing"},
		"asking":        {state: with(func(s *pasteState) { s.Asking = true }), titles: []string{"An Instagram token of the current kind", "Asking Instagram whose it is…"}, do: pasteStop},
		"asking, slow":  {state: with(func(s *pasteState) { s.Asking, s.Slow = true, true }), titles: []string{"An Instagram token of the current kind", "Asking Instagram whose it is…"}, says: "longer than usual", do: pasteStop},
		"stopped":       {state: with(func(s *pasteState) { s.Stopped = true }), titles: []string{"An Instagram token of the current kind", "You stopped the question"}, says: "Nothing is kept before we know", do: pasteAgain},
		"no connection": {state: with(func(s *pasteState) { s.Problem = problem.New(problem.NetworkUnreachable, "provider", "Instagram") }), titles: []string{"An Instagram token of the current kind", "Instagram cannot be reached"}, says: "Nothing is kept before we know", do: pasteAgain},
		"found, a network problem within": {state: with(func(s *pasteState) {
			s.Found = &connect.Inspected{Problem: problem.New(problem.NetworkSlow, "provider", "Instagram")}
		}), titles: []string{"An Instagram token of the current kind", "Instagram takes too long"}, do: pasteAgain},
		"found": {state: with(func(s *pasteState) { s.Found = found("lantern.books", "MEDIA_CREATOR") }), when: true, keep: true,
			titles: []string{"An Instagram token of the current kind", "It works, for @lantern.books", "It may be renewed", "Instagram does not say when it ends"},
			says:   "Creator account", promise: "We renew it tomorrow, once it is 24 hours old. From then on the end date is exact."},
		"one by one": {state: with(func(s *pasteState) { s.Found, s.Told = found("lantern.books", ""), 1 }),
			titles: []string{"An Instagram token of the current kind", "It works, for @lantern.books"}},
		"made earlier": {state: with(func(s *pasteState) { s.Found, s.Made = found("a", ""), madeEarlier }), when: true, keep: true,
			titles: []string{"", "", "", ""}, promise: "We renew it now; then the end date is exact."},
		"made who knows when": {state: with(func(s *pasteState) { s.Found, s.Made = found("a", ""), madeUnknown }), when: true, keep: true,
			titles: []string{"", "", "", ""}, promise: "We try to renew it now; then the end date is exact. If Instagram finds it too young, we try again tomorrow."},
		"renewing off": {state: with(func(s *pasteState) { s.Found, s.NeverRenews = found("a", ""), true }), when: true, keep: true,
			titles: []string{"", "", "", ""}, promise: "Renewing by itself is switched off in the settings. The end date becomes exact when you renew it."},
		"the very same": {state: with(func(s *pasteState) {
			s.Found = found("lantern.books", "")
			s.Found.Known, s.Found.ExpiresAt = &known, &end
		}), titles: []string{"", "It works, for @lantern.books", "This very token is already kept here, for @lantern.books"}, do: pasteOpen},
		"already here": {state: with(func(s *pasteState) { s.Found = found("lantern.books", ""); s.Found.Known = &known }), when: true, keep: true,
			titles: []string{"", "It works, for @lantern.books", "@lantern.books is already kept here", "It may be renewed", ""}, do: pasteOpen, promise: "We renew it tomorrow, once it is 24 hours old. From then on the end date is exact."},
		"ended": {state: with(func(s *pasteState) {
			s.Found = &connect.Inspected{Problem: problem.New(problem.TokenEnded, "date", "2 November")}
		}), titles: []string{"", "This token ended on 2 November"}},
		"refused without a word": {state: with(func(s *pasteState) { s.Found = &connect.Inspected{} }), titles: []string{"", "Instagram does not take this token any more"}},
		"works, nobody's":        {state: with(func(s *pasteState) { s.Found = &connect.Inspected{Works: true} }), titles: []string{"", "Instagram does not take this token any more"}},
		"saving": {state: with(func(s *pasteState) { s.Found, s.Saving = found("a", ""), true }), when: true, titles: []string{"", "", "", ""},
			promise: "We renew it tomorrow, once it is 24 hours old. From then on the end date is exact."},
		"old kind": {state: with(func(s *pasteState) {
			s.Shape = shapeOf("instagram-basic-display", "basic_display", problem.New(problem.PasteRetired))
		}), titles: []string{"This is a token of the old Instagram API, which ended on 4 December 2024."}, says: "It cannot work any more.", do: pasteHow},
		"Facebook's": {state: with(func(s *pasteState) {
			s.Shape = shapeOf("", "page_or_user", problem.New(problem.TokenOtherService, "found", "Facebook", "provider", "Instagram", "prefix", "EAA"))
		}), titles: []string{"This token is for Facebook, not Instagram"}, says: "It starts with EAA."},
	} {
		t.Run(name, func(t *testing.T) {
			m := presentPaste(c, row.state)
			var titles []string
			all := ""
			do := pasteNothing
			for i, l := range m.Lines {
				title := l.Title
				if i < len(row.titles) && row.titles[i] == "" {
					title = ""
				}
				titles = append(titles, title)
				all += l.Title + "\n" + l.Line + "\n"
				if l.Do != pasteNothing {
					do = l.Do
				}
			}
			if strings.Join(titles, "|") != strings.Join(row.titles, "|") {
				t.Errorf("titles %q", titles)
			}
			if !strings.Contains(all, row.says) || m.When != row.when || m.Promise != row.promise || m.Keep != row.keep || do != row.do {
				t.Errorf("%+v", m)
			}
		})
	}
	// What cannot be taken is never asked about and never kept.
	for _, key := range []problem.Key{problem.PasteNotToken, problem.PasteAppToken, problem.PasteIsCode, problem.PastePractice, problem.PasteTokenTooLong, problem.TokenIncomplete} {
		s := ok
		s.Shape, s.Found = shapeOf("", "unknown", problem.New(key)), found("a", "")
		told := c.Tell(problem.New(key))
		if m := presentPaste(c, s); len(m.Lines) != 1 || m.Keep || m.Lines[0].Title != told.Title || !strings.Contains(m.Lines[0].Line, told.Happened) {
			t.Errorf("%s: %+v", key, m)
		}
	}
	waits := with(func(s *pasteState) { s.Found, s.Saving, s.SavingSlow, s.Waits = found("a", ""), true, true, true })
	if m := presentPaste(c, waits); m.Status != "Your computer is asking for your keychain password" {
		t.Errorf("%q", m.Status)
	}
	if got := issuedOf(madeToday, noon); got == nil || !got.Equal(noon) || issuedOf(madeEarlier, noon) != nil || issuedOf(madeUnknown, noon) != nil {
		t.Errorf("issued %v", got)
	}
}

// pasteWorld opens the screen over a core that finds a token to work.
func pasteWorld(t *testing.T, lang string, core *double, change ...func(*Params)) *world {
	t.Helper()
	if core.inspect == nil {
		core.inspect = func(context.Context, secret.Text) (connect.Inspected, error) {
			return *found("lantern.books", "MEDIA_CREATOR"), nil
		}
	}
	w := open(t, lang, core, change...)
	w.s.goPaste()
	w.queue.Drain()
	return w
}

func (w *world) pasteText(words string) {
	w.t.Helper()
	w.app.Clipboard().SetContent(words)
	w.tap(kit.RoleButton, w.s.say("connect.wait.paste"))
}

func (w *world) canKeep() bool {
	w.t.Helper()
	return !w.has(kit.RoleButton, w.s.say("paste.keep")).(*kit.Button).Disabled()
}

func TestAPastedTokenIsToldCheckedAndKept(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t)
		saved := connect.Account{}
		var pasted []connect.Paste
		asked := 0
		core.inspect = func(_ context.Context, value secret.Text) (connect.Inspected, error) {
			asked++
			if value.Reveal() != " \""+someToken+"\" " {
				t.Error("another text was asked about")
			}
			return *found("lantern.books", "MEDIA_CREATOR"), nil
		}
		core.importing = func(_ context.Context, in connect.Paste) (connect.Account, error) {
			pasted = append(pasted, in)
			saved = accountLeft("lantern.books", 59*aDay, connect.Healthy)
			core.accounts = func(context.Context) ([]connect.Account, error) { return []connect.Account{saved}, nil }
			return saved, nil
		}
		core.account = func(string) (connect.Account, error) { return saved, nil }
		w := pasteWorld(t, lang, core)
		if w.focused() != c.Say("paste.field") {
			t.Errorf("the focus is on %q", w.focused())
		}
		if w.canKeep() || strings.Contains(w.words(), c.Say("paste.found")) {
			t.Error("something was found in an empty field")
		}
		w.pasteText(" \"" + someToken + "\" ")
		w.says(c.Say("paste.current", text.Args{"provider": "Instagram"}), c.Say("paste.starts", text.Args{"prefix": "IGAA"}))
		if asked != 0 || w.canKeep() {
			t.Error("the provider was asked at once, or it can be kept unasked")
		}
		w.pass(time.Second)
		if asked != 1 {
			t.Fatalf("asked %d times after a second", asked)
		}
		w.pass(time.Second)
		w.says(c.Say("paste.works", text.Args{"username": "@lantern.books"}), c.Say("paste.renewed"), c.Say("paste.end_unknown", text.Args{"provider": "Instagram"}), c.Say("paste.promise_tomorrow"))
		w.tap(kit.RoleRadio, c.Say("paste.earlier"))
		w.says(c.Say("paste.promise_now"))
		if all := w.words() + w.s.window.Title(); strings.Contains(all, "canary") {
			t.Error("the token stands in the window")
		}
		if len(pasted) != 0 {
			t.Fatal("something was saved before it was asked for")
		}
		field := w.has(kit.RoleSecret, c.Say("paste.field")).(*kit.SecretEntry)
		w.shortcut(fyne.KeyReturn, ctrl)
		if len(pasted) != 1 || pasted[0].Provider != "instagram" || pasted[0].Issued != nil || pasted[0].Text.Empty() {
			t.Fatalf("kept %+v", pasted)
		}
		if !w.s.showsAccount(saved.ID) || field.Text != "" {
			t.Errorf("the account is shown: %v; the field still holds %d letters", w.s.showsAccount(saved.ID), len(field.Text))
		}
		w.says("@lantern.books", c.Say("paste.kept", text.Args{"username": "@lantern.books"})+" "+c.Say("paste.promise_now"))
		w.noBrackets()
		w.shortcut(fyne.KeyLeft, fyne.KeyModifierAlt)
		w.has(kit.RoleRow, "lantern.books")
	}
}

func TestSEC9_LeavingThePasteScreenEmptiesIt(t *testing.T) {
	core := newDouble(t)
	w := pasteWorld(t, "en", core)
	w.pasteText(someToken)
	w.pass(2 * time.Second)
	screen := w.s.current.(*pasteScreen)
	if !w.canKeep() {
		t.Fatal("cannot be kept")
	}
	w.s.goAccounts()
	if screen.parts.field.Text != "" || screen.state.Found != nil || screen.state.Filled {
		t.Errorf("left behind: %d letters, %+v", len(screen.parts.field.Text), screen.state.Found)
	}
}

func TestWhatCannotBeTakenIsToldWithoutAsking(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t)
		opened := ""
		w := pasteWorld(t, lang, core, func(p *Params) {
			p.OpenAddress = func(_ context.Context, address string) error { opened = address; return nil }
		})
		core.inspect = nil // nobody is asked
		w.pasteText("IGQVJ" + strings.Repeat("canary7", 20) + "ZD")
		w.says(c.Say("paste.old"), c.Say("paste.old_line"))
		w.pass(3 * time.Second)
		if w.canKeep() {
			t.Error("an old token can be kept")
		}
		w.has(kit.RoleRow, c.Say("paste.old"))
		w.s.current.(*pasteScreen).follow(pasteHow)
		w.queue.Drain()
		if w.focused() != c.Say("paste.close") {
			t.Errorf("the focus is on %q", w.focused())
		}
		// The dialog's button, not the page's.
		w.s.closeDialog()
		w.tap(kit.RoleButton, c.Say("paste.dashboard"))
		if opened != dashboard {
			t.Errorf("opened %q", opened)
		}
		w.pasteText("123456789012345|" + strings.Repeat("canary7", 4))
		w.pass(3 * time.Second)
		if w.canKeep() {
			t.Error("an app's token can be kept")
		}
		w.hasNot(kit.RoleRow, c.Say("paste.old"))
		w.noBrackets()
	}
}

func TestWithoutAConnectionNothingIsKeptAndItIsTriedAgain(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t)
		fails := error(problem.New(problem.NetworkUnreachable, "provider", "Instagram"))
		core.inspect = func(context.Context, secret.Text) (connect.Inspected, error) {
			if fails != nil {
				return connect.Inspected{}, fails
			}
			return *found("lantern.books", ""), nil
		}
		w := pasteWorld(t, lang, core)
		w.pasteText(someToken)
		w.pass(2 * time.Second)
		w.says(c.Tell(problem.New(problem.NetworkUnreachable, "provider", "Instagram")).Title, c.Say("paste.whose"), c.Action(problem.TryAgain))
		if w.canKeep() {
			t.Error("kept without knowing whose it is")
		}
		fails = nil
		w.s.current.(*pasteScreen).follow(pasteAgain)
		w.pass(2 * time.Second)
		if !w.canKeep() {
			t.Error("cannot be kept after all")
		}
		w.noBrackets()
	}
}

// The answer about what was in the field before says nothing about what is in
// it now.
func TestALateAnswerIsNotTheNextTokens(t *testing.T) {
	core := newDouble(t)
	w := pasteWorld(t, "en", core)
	w.pasteText(someToken)
	p := w.s.current.(*pasteScreen)
	p.ask() // on its way
	w.has(kit.RoleSecret, "Access token").(*kit.SecretEntry).Put(secret.New("Hello"))
	w.queue.Drain()
	if w.canKeep() || p.state.Found != nil {
		t.Error("a late answer was taken")
	}
	w.hasNot(kit.RoleRow, "It works")
	// Stopping is offered at once and ends the question.
	w.pasteText(someToken)
	p.ask()
	w.says("Asking Instagram whose it is…")
	p.follow(pasteStop)
	w.queue.Drain()
	w.says("You stopped the question")
	if w.canKeep() || p.state.Found != nil {
		t.Error("the answer to a stopped question was taken")
	}
}

func TestASaveThatFailsIsToldAndALeftOneIsToasted(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t)
		fails := error(problem.New(problem.VaultDenied, "program", "GNOME Keyring"))
		saved := accountLeft("lantern.books", 59*aDay, connect.Healthy)
		core.importing = func(context.Context, connect.Paste) (connect.Account, error) { return saved, fails }
		w := pasteWorld(t, lang, core)
		w.pasteText(someToken)
		w.pass(2 * time.Second)
		w.tap(kit.RoleButton, c.Say("paste.keep"))
		w.says(c.Tell(problem.New(problem.VaultDenied, "program", "GNOME Keyring")).Happened)
		if !w.canKeep() {
			t.Error("there is no second try")
		}
		// Left while it is saved: the result comes as a toast.
		fails = nil
		w.s.current.(*pasteScreen).keep()
		w.s.goAccounts()
		w.queue.Drain()
		w.says(c.Say("paste.kept", text.Args{"username": "@lantern.books"}))
		if w.s.showsAccount(saved.ID) {
			t.Error("the window went elsewhere by itself")
		}
		w.noBrackets()
	}
}

func TestPasteSaysThatRenewingIsOff(t *testing.T) {
	core := newDouble(t)
	core.settings = map[string]string{"renew": "off"}
	w := pasteWorld(t, "en", core)
	w.pasteText(someToken)
	w.pass(2 * time.Second)
	w.says(text.For("en").Say("paste.promise_off"))
}

func TestPasteFitsEverySize(t *testing.T) {
	for _, size := range []fyne.Size{fyne.NewSize(640, 480), fyne.NewSize(880, 600), fyne.NewSize(1120, 760)} {
		for _, percent := range []int{80, 100, 150, 200} {
			if size.Width < 880 && percent > 150 {
				continue
			}
			w := pasteWorld(t, "de", newDouble(t))
			w.app.Preferences().SetInt(prefText, percent)
			w.s.applyLook()
			w.s.window.Resize(size)
			w.s.arrange()
			w.pasteText(someToken)
			w.pass(2 * time.Second)
			w.fits(size, percent)
		}
	}
}

// fits fails where something stands beyond the window's right edge.
func (w *world) fits(size fyne.Size, percent int) {
	w.t.Helper()
	if got := w.s.window.Canvas().Size(); got != size {
		w.t.Errorf("at %d %%: the window became %v, not %v", percent, got, size)
	}
	w.walk(func(o fyne.CanvasObject) {
		if _, ok := o.(kit.Seen); !ok || o.Size().Width == 0 {
			return
		}
		at := w.app.Driver().AbsolutePositionForObject(o)
		if at.X+o.Size().Width > size.Width+1 {
			w.t.Errorf("at %v and %d %%: %+v ends at %v", size, percent, o.(kit.Seen).Seen(), at.X+o.Size().Width)
		}
	})
}
