package ui

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

func recipesOf(t *testing.T) []provider.Definition {
	t.Helper()
	registry, flaws := provider.Load("")
	if len(flaws) > 0 {
		t.Fatal(flaws)
	}
	return registry.List()
}

func TestGuideProgressIsReadBackAsItWasKept(t *testing.T) {
	for _, p := range []guideProgress{{}, {Layout: "use_cases"}, {Done: []string{"developer"}}, {Done: []string{"a", "b"}, Layout: "products"}} {
		got := readProgress(p.encode())
		if !slices.Equal(got.Done, p.Done) || got.Layout != p.Layout {
			t.Errorf("%+v came back as %+v", p, got)
		}
	}
	for setting, done := range map[string]int{"": 0, "nonsense": 0, "|a,a,,b": 2} {
		if got := readProgress(setting); len(got.Done) != done {
			t.Errorf("%q was read as %+v", setting, got)
		}
	}
	p := guideProgress{}.with("a", true).with("a", true).with("b", true).with("a", false)
	if !slices.Equal(p.Done, []string{"b"}) {
		t.Errorf("done are %v", p.Done)
	}
}

func TestARecipeSaysHowOldItIs(t *testing.T) {
	c := text.For("en")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		checked, words string
		old            bool
	}{
		{"2026-09-27", "Checked on 27 September 2026", false},
		{"2026-07-25", "Checked on 25 July 2026", false},
		{"2026-07-05", "Checked 140 days ago; the page may have changed", true},
		{"soon", "", false},
	} {
		if words, old := dated(c, row.checked, now); words != row.words || old != row.old {
			t.Errorf("%s: %q, %v", row.checked, words, old)
		}
	}
}

// Each step of each recipe in each language: its words, a picture that says
// what to look at, and nothing left in brackets.
func TestEveryStepOfEveryRecipeCanBeDrawn(t *testing.T) {
	drawn := 0
	for _, lang := range text.Languages() {
		c := text.For(lang)
		for _, d := range recipesOf(t) {
			for _, r := range d.Recipes {
				for at, s := range r.Steps {
					m := presentStep(c, d, r, at, guideProgress{}, guideValues{Redirect: "https://localhost:8919/", Username: "rosa"}, noon)
					said := strings.Join(append([]string{m.Title, m.Line, m.Warn, m.Look, m.Next, m.Number, m.Checked}, m.Todo...), "\n")
					for _, v := range m.Copy {
						said += v.Label
					}
					for _, f := range m.Paste {
						said += f.Label
					}
					for _, l := range m.Layouts {
						said += l.Words
					}
					name := lang + "/" + r.Name + "/" + s.Name
					if strings.ContainsAny(said, "⟦⟧") || strings.Contains(said, "<no value>") || m.Title == "" || m.Line == "" {
						t.Errorf("%s: %s", name, said)
					}
					right := slices.ContainsFunc(m.Picture, func(p pictureRow) bool { return p.Right })
					if m.URL != "" && !right {
						t.Errorf("%s: the picture does not say what to look for", name)
					}
					if len(m.Layouts) == 2 {
						t.Errorf("%s offers a choice of one menu", name)
					}
					drawn++
				}
			}
		}
	}
	if drawn < 60 {
		t.Errorf("only %d steps", drawn)
	}
}

func recipeNamed(t *testing.T, id, name string) (provider.Definition, provider.Recipe) {
	t.Helper()
	for _, d := range recipesOf(t) {
		for _, r := range d.Recipes {
			if d.ID == id && r.Name == name {
				return d, r
			}
		}
	}
	t.Fatalf("%s has no recipe %s", id, name)
	return provider.Definition{}, provider.Recipe{}
}

func TestThePictureOfTheAppID(t *testing.T) {
	d, r := recipeNamed(t, "instagram", "own_app")
	m := presentStep(text.For("en"), d, r, 3, guideProgress{Layout: "use_cases"}, guideValues{}, noon)
	want := []pictureRow{
		{Wrong: true, Name: "App ID", Value: drawnWrongID},
		{Right: true, Name: "Instagram app ID", Value: drawnID},
		{Right: true, Name: "Instagram app secret", Value: drawnSecret, Button: "Show"},
	}
	if !slices.Equal(m.Picture, want) {
		t.Errorf("drawn is %+v", m.Picture)
	}
	if m.Layout != "use_cases" || m.Menu[0] != "Use cases" || m.Number != "Step 4 of 9" {
		t.Errorf("%+v", m)
	}
	words := []string{}
	for _, l := range m.Layouts {
		words = append(words, l.Words)
	}
	if !slices.Equal(words, []string{"Instagram", "Use cases", "Neither fits"}) {
		t.Errorf("the menus are called %q", words)
	}
	if m := presentStep(text.For("en"), d, r, 3, guideProgress{Layout: noLayout}, guideValues{}, noon); m.Layout != noLayout || m.Menu != nil {
		t.Errorf("neither: %+v", m)
	}
	redirect := presentStep(text.For("en"), d, r, 6, guideProgress{}, guideValues{Redirect: "https://localhost:8919/"}, noon)
	if !slices.Contains(redirect.Picture, pictureRow{Right: true, Name: "OAuth redirect URIs", Value: "https://localhost:8919/"}) {
		t.Errorf("the address is not where it goes: %+v", redirect.Picture)
	}
}

func TestTheNoteForSupportHasNothingOfThePerson(t *testing.T) {
	d, r := recipeNamed(t, "instagram", "own_app")
	v := guideValues{ClientID: "990602627938098", Secret: secret.New("0123456789abcdef0123456789abcdef"), Redirect: "https://mine.example/", Username: "rosa"}
	for at := range r.Steps {
		note := supportNote(text.For("en"), d, r, presentStep(text.For("en"), d, r, at, guideProgress{}, v, noon))
		for _, own := range []string{v.ClientID, v.Secret.Reveal(), v.Redirect, v.Username} {
			if strings.Contains(note, own) {
				t.Errorf("the note of step %d has %q", at, own)
			}
		}
		if !strings.Contains(note, r.Checked) || strings.ContainsAny(note, "⟦⟧") {
			t.Errorf("the note says %q", note)
		}
	}
}

func TestWhichDoor(t *testing.T) {
	c := text.For("en")
	for _, row := range []struct {
		own, app     answer
		paste, guide bool
		recipe, step string
	}{
		{yes, no, true, true, "dashboard_token", ""},
		{yes, yes, true, false, "dashboard_token", "add_account"},
		{no, no, false, true, "own_app", ""},
		{no, yes, false, false, "own_app", "app_id"},
	} {
		a, ok := presentDoor(c, row.own, row.app)
		if !ok || a.Paste != row.paste || a.GuideFirst != row.guide || a.Recipe != row.recipe || a.Step != row.step {
			t.Errorf("%v, %v: %+v", row.own, row.app, a)
		}
		if strings.ContainsAny(a.Title+a.Words+a.Door+a.Guide, "⟦⟧") || a.Words == "" {
			t.Errorf("%v, %v says %q", row.own, row.app, a.Words)
		}
		_, r := recipeNamed(t, "instagram", a.Recipe)
		if a.Step != "" && !slices.ContainsFunc(r.Steps, func(s provider.RecipeStep) bool { return s.Name == a.Step }) {
			t.Errorf("%s has no step %s", a.Recipe, a.Step)
		}
	}
	for _, half := range [][2]answer{{unanswered, yes}, {no, unanswered}, {unanswered, unanswered}} {
		if _, ok := presentDoor(c, half[0], half[1]); ok {
			t.Errorf("%v is enough", half)
		}
	}
}

// Whatever a provider's dictionary knows can be looked up, by our words and by
// the provider's.
func TestTheDictionaryHasEveryRowOfEveryProvider(t *testing.T) {
	c := text.For("en")
	all := presentMessages(c, recipesOf(t))
	keys := map[problem.Key]message{}
	for _, m := range all {
		if _, twice := keys[m.Key]; twice || m.Title == "" || m.Advice == "" || strings.ContainsAny(m.Title+m.Happened+m.Advice, "⟦⟧") {
			t.Errorf("%+v", m)
		}
		keys[m.Key] = m
	}
	for _, d := range recipesOf(t) {
		for _, e := range d.Errors {
			m, ok := keys[problem.Key(e.Key)]
			if !ok || !slices.Contains(m.Providers, d.Name) {
				t.Errorf("%s: %s is missing", d.ID, e.Key)
			}
		}
	}
	if found := findMessages(all, "INVALID platform"); !slices.ContainsFunc(found, func(m message) bool { return m.Key == problem.AppIDIsFacebook }) {
		t.Errorf("the provider's own words find %v", found)
	}
	if found := findMessages(all, "no such thing at all"); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	if len(findMessages(all, "")) != len(all) {
		t.Error("an empty search leaves something out")
	}
	for _, lang := range text.Languages() {
		for _, word := range explained {
			if said := text.For(lang).Say("help.word."+word+".title") + text.For(lang).Say("help.word."+word+".body"); strings.ContainsAny(said, "⟦⟧") {
				t.Errorf("%s: %s is not explained", lang, word)
			}
		}
	}
}

func TestTheMishapsAreTenAndTheSandboxHasThem(t *testing.T) {
	if n := len(mishaps) + 2; n != 10 {
		t.Errorf("%d mishaps", n)
	}
	for _, name := range append([]string{allIsWell}, mishaps...) {
		if !slices.Contains(sandbox.Scenarios(), name) {
			t.Errorf("the sandbox has no %s", name)
		}
		for _, lang := range text.Languages() {
			if said := text.For(lang).Say("help.mishap." + name + ".title"); strings.ContainsAny(said, "⟦⟧") {
				t.Errorf("%s: %s", lang, said)
			}
		}
	}
	c := text.For("en")
	if on := presentMishaps(c, guide{scenario: allIsWell}); on != nil {
		t.Errorf("on is %q", on)
	}
	if on := presentMishaps(c, guide{scenario: "deny", pretended: pretences{Offline: true, VaultLocked: true}}); !slices.Equal(on, []string{"Access denied", "No internet", "Keychain locked"}) {
		t.Errorf("on is %q", on)
	}
}

func TestProven(t *testing.T) {
	fine := func(check string) connect.Line { return connect.Line{Check: check, Level: connect.Fine} }
	for _, row := range []struct {
		lines  []connect.Line
		wanted []string
		proven bool
	}{
		{[]connect.Line{fine("client_id"), fine("client_secret")}, tests["client_id"], true},
		{[]connect.Line{fine("client_id"), {Check: "client_secret", Level: connect.Look}}, tests["client_id"], false},
		{[]connect.Line{fine("client_id")}, tests["client_id"], false},
		{[]connect.Line{fine("redirect"), fine("port")}, tests["redirect"], true},
		{nil, nil, false},
		{[]connect.Line{fine("vault"), {Check: "address", Level: connect.Yours}, {Check: "clock", Level: connect.Look}}, nil, true},
		{[]connect.Line{fine("vault"), {Check: "port", Level: connect.Bad}}, nil, false},
	} {
		if got := proven(row.lines, row.wanted); got != row.proven {
			t.Errorf("%v is %v", row.lines, got)
		}
	}
}

// The guide with the keyboard: Ctrl+4, a recipe, its steps, Ctrl+Enter. What
// was done is kept, and nothing that was pasted.
func TestTheGuideByKeyboardKeepsProgressAndNoValue(t *testing.T) {
	c := text.For("en")
	core := newDouble(t)
	asked := 0
	core.doctor = func(in connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
		asked++
		lines := []connect.Line{{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "15"}}, {Check: "client_secret", Level: connect.Look}}
		if in.ClientSecret.Len() == 32 {
			lines[1] = connect.Line{Check: "client_secret", Level: connect.Fine, Args: map[string]string{"n": "32"}}
		}
		for _, l := range lines {
			observe(l)
		}
		return lines, nil
	}
	w := open(t, "en", core)
	w.shortcut(fyne.Key4, ctrl)
	w.says(c.Say("help.title"), c.Say("guide.recipe.own_app.title"), c.Count("help.steps", 9))
	w.key(fyne.KeyReturn)
	w.says("Step 1 of 9", "0 of 9 done")
	w.shortcut(fyne.KeyReturn, ctrl)
	w.says("Step 2 of 9")
	// The first step has a field that stayed empty, so it is not done.
	w.shortcut(fyne.KeyReturn, ctrl)
	w.says("Step 3 of 9", "1 of 9 done")
	if kept := core.settings[guideSetting("own_app")]; kept != "|developer" {
		t.Errorf("kept is %q", kept)
	}
	w.shortcut(fyne.KeyReturn, ctrl)
	if f := w.focused(); f != "Instagram app ID" {
		t.Errorf("the focus is on %q", f)
	}
	g := w.s.current.(*recipeScreen)
	g.fields["client_id"].Entry.SetText(" 990602627938098 ")
	g.hidden[0].SetText("0123456789abcdef0123456789abcdef")
	w.pass(2 * time.Second)
	if asked != 1 {
		t.Errorf("the doctor was asked %d times", asked)
	}
	w.says("3 of 9 done")
	w.key(fyne.KeyEscape)
	w.says(c.Say("help.title"))
	if v := w.s.guide.values["instagram"]; v.ClientID != "990602627938098" || v.Secret.Len() != 32 {
		t.Errorf("kept for Connect is %q", v.ClientID)
	}
	for name, kept := range core.settings {
		if strings.Contains(kept, "990602627938098") || strings.Contains(kept, "0123456789abcdef") {
			t.Errorf("the library has %s = %q", name, kept)
		}
	}
	w.has(kit.RoleButton, c.Say("help.go_on"))
}

func TestTheGuideGoesToWhereAProblemIsMended(t *testing.T) {
	for _, d := range recipesOf(t) {
		for _, a := range problem.Guides() {
			recipe, at, ok := d.RecipeFor(a)
			if !ok {
				continue
			}
			core := newDouble(t)
			core.doctor = func(connect.Setup, func(connect.Line)) ([]connect.Line, error) { return nil, context.Canceled }
			w := open(t, "en", core)
			w.s.openGuide(d.ID, recipe.Name, at)
			w.queue.Drain()
			g, shown := w.s.current.(*recipeScreen)
			if !shown || g.recipe.Name != recipe.Name || g.at != at {
				t.Errorf("%s: %s does not lead to %s, %d", d.ID, a, recipe.Name, at)
			}
			w.s.close()
			w.s.window.Close()
		}
	}
}

func TestNeitherMenuFits(t *testing.T) {
	c := text.For("en")
	core := newDouble(t)
	core.doctor = func(connect.Setup, func(connect.Line)) ([]connect.Line, error) { return nil, context.Canceled }
	w := open(t, "en", core)
	w.s.openGuide("instagram", "own_app", 3)
	w.queue.Drain()
	w.tap(kit.RoleButton, c.Say("help.different"))
	if kept := w.core.settings[guideSetting("own_app")]; kept != "use_cases|" {
		t.Errorf("kept is %q", kept)
	}
	w.tap(kit.RoleButton, c.Say("help.different"))
	w.says(c.Say("help.neither_title"), c.Say("guide.step.own_app.app_id.look"))
	w.tap(kit.RoleButton, c.Say("help.copy_note"))
	if note := w.app.Clipboard().Content(); !strings.Contains(note, "Copy the Instagram app ID") {
		t.Errorf("the note says %q", note)
	}
	// The next step may well fit.
	w.s.current.(*recipeScreen).open(6)
	w.queue.Drain()
	w.hasNot(kit.RoleText, c.Say("help.neither_title"))
}

func TestTwoQuestionsOpenTheDoor(t *testing.T) {
	c := text.For("en")
	w := open(t, "en", newDouble(t))
	w.tap(kit.RoleLink, c.Say("help.door.link"))
	w.hasNot(kit.RoleButton, c.Say("help.door.guide"))
	w.tap(kit.RoleRadio, c.Say("help.door.own_yes"))
	w.tap(kit.RoleRadio, c.Say("help.door.app_yes"))
	w.says(c.Say("help.door.paste_app.body"))
	w.tap(kit.RoleButton, c.Say("help.door.guide"))
	if g := w.s.current.(*recipeScreen); g.recipe.Name != "dashboard_token" || g.recipe.Steps[g.at].Name != "add_account" {
		t.Errorf("it opened %s", g.recipe.Name)
	}
	w.shortcut(fyne.KeyLeft, fyne.KeyModifierAlt)
	w.shortcut(fyne.KeyReturn, ctrl)
	if _, ok := w.s.current.(*pasteScreen); !ok {
		t.Errorf("the door is %T", w.s.current)
	}
}

func TestAMessageIsLookedUpAndLeadsToItsStep(t *testing.T) {
	w := open(t, "en", newDouble(t))
	w.s.goMessages()
	w.queue.Drain()
	m := w.s.current.(*messagesScreen)
	m.search.SetText("platform app")
	w.queue.Drain()
	at := slices.IndexFunc(m.found, func(e message) bool { do, _ := m.remedy(e); return do != nil })
	if at < 0 {
		t.Fatalf("nothing found leads anywhere: %v", m.found)
	}
	m.open(at)
	w.queue.Drain()
	w.says(m.found[at].Advice)
	_, label := m.remedy(m.found[at])
	w.tap(kit.RoleButton, label)
	if _, ok := w.s.current.(*recipeScreen); !ok {
		t.Errorf("it opened %T", w.s.current)
	}
}

// The two pretences against the core itself and a running sandbox: shown in
// the strip while they are on, and gone with the practice ground.
func TestThePracticeGroundsMishaps(t *testing.T) {
	ground, err := sandbox.Start(t.Context(), "127.0.0.1:0", sandbox.Options{Auto: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ground.Stop() })
	base, err := url.Parse(ground.URL)
	if err != nil {
		t.Fatal(err)
	}
	service, err := connect.Open(t.Context(), connect.Config{Home: t.TempDir(), SandboxURL: base, Store: vault.NewSession(), Open: browse})
	if err != nil {
		t.Fatal(err)
	}
	real := newDouble(t)
	c := text.For("en")
	w := open(t, "en", nil, func(p *Params) {
		p.Open = func(_ context.Context, practice *url.URL, _ func(bool)) (Core, error) {
			if practice == nil {
				return real, nil
			}
			return service, nil
		}
		p.Practise = func(context.Context) (string, func(), error) { return ground.URL, func() {}, nil }
		p.Scenario = func(_ context.Context, name string) error { return ground.Server.SetScenario(name) }
		p.Registration = func(id string) (string, secret.Text) {
			clientID, value := sandbox.Registration(id)
			return clientID, secret.New(value)
		}
	})
	w.s.goPractice()
	w.queue.Drain()
	w.tap(kit.RoleButton, c.Say("help.practice.strip"))
	id, value := sandbox.Registration("threads")
	w.tap(kit.RoleRadio, "Threads")
	w.says(id, value)
	w.tap(kit.RoleRadio, c.Say("help.mishap.deny.title"))
	w.has(kit.RoleChip, c.Say("help.mishap.deny.title"))
	w.tap(kit.RoleCheck, c.Say("help.practice.offline"))
	w.has(kit.RoleChip, c.Say("help.practice.offline"))
	w.tap(kit.RoleCheck, c.Say("help.practice.locked"))
	if !service.Pretends().Offline || !service.Pretends().VaultLocked {
		t.Errorf("the core pretends %+v", service.Pretends())
	}
	if err := service.SelfTest(t.Context()); problem.Of(err).Key != problem.VaultLocked {
		t.Errorf("the keychain says %v", err)
	}
	w.tap(kit.RoleCheck, c.Say("help.practice.locked"))
	w.hasNot(kit.RoleChip, c.Say("help.practice.locked"))
	if err := service.SelfTest(t.Context()); err != nil {
		t.Errorf("the keychain says %v", err)
	}
	w.tap(kit.RoleCheck, c.Say("help.practice.locked"))
	w.s.leavePractice()
	w.queue.Drain()
	if service.Pretends() != (connect.Pretend{}) {
		t.Errorf("after leaving the core pretends %+v", service.Pretends())
	}
	w.hasNot(kit.RoleChip, c.Say("help.practice.offline"))
	if w.s.guide.scenario != "" {
		t.Error("the mishap stays chosen")
	}
}
