package ui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// someFacebookToken is a made-up one: nobody's.
var someFacebookToken = "EAA" + strings.Repeat("canaryPasted", 12) + "ZDZD"

// A token of Facebook is a person's: which of the accounts is meant is asked,
// and nothing is kept before that is answered.
func TestAPastedTokenOfSeveralAccountsIsKeptForTheOneThatIsChosen(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t)
		core.inspect = func(context.Context, secret.Text) (connect.Inspected, error) {
			return connect.Inspected{
				Shape: connect.Shape{Provider: "instagram-facebook", Kind: "page"}, Works: true,
				Problem: problem.New(problem.ImportSeveral, "provider", "Facebook", "n", "2", "accounts", "@lantern.books, @harbour.coffee"),
				Choices: []connect.Choice{
					{UserID: "1", Username: "lantern.books", Page: "Lantern", Posts: 3, Reachable: true},
					{Page: "Empty Page", Reason: problem.PageNotLinked},
					{UserID: "2", Username: "harbour.coffee", Page: "Harbour", Posts: -1, Reachable: true},
				},
			}, nil
		}
		var kept []connect.Paste
		core.importing = func(_ context.Context, in connect.Paste) (connect.Account, error) {
			kept = append(kept, in)
			return accountLeft("harbour.coffee", 59*aDay, connect.Healthy), nil
		}
		core.account = func(string) (connect.Account, error) {
			return accountLeft("harbour.coffee", 59*aDay, connect.Healthy), nil
		}
		w := pasteWorld(t, lang, core)
		w.pasteText(someFacebookToken)
		w.pass(3 * time.Second)
		w.says(c.Count("paste.several", 2), c.Say("paste.which"), "Empty Page")
		if w.canKeep() {
			t.Error("it can be kept before an account was chosen")
		}
		w.tap(kit.RoleRadio, "@harbour.coffee")
		if !w.canKeep() {
			t.Fatal("it cannot be kept")
		}
		p := w.s.current.(*pasteScreen)
		p.keep()
		p.keep() // pressed twice in a hurry
		w.queue.Drain()
		if len(kept) != 1 || kept[0].UserID != "2" || kept[0].Provider != "instagram-facebook" {
			t.Errorf("kept %d times: %+v", len(kept), kept)
		}
		w.noBrackets()
	}
}

// Another text is another question.
func TestTheChoiceOfAPastedTokenGoesWithTheToken(t *testing.T) {
	core := newDouble(t)
	core.inspect = func(context.Context, secret.Text) (connect.Inspected, error) {
		return connect.Inspected{Shape: connect.Shape{Provider: "instagram-facebook"}, Works: true, Problem: problem.New(problem.ImportSeveral),
			Choices: []connect.Choice{{UserID: "1", Username: "a", Reachable: true}, {UserID: "2", Username: "b", Reachable: true}}}, nil
	}
	w := pasteWorld(t, "en", core)
	for i := range 2 {
		w.pasteText(someFacebookToken + strings.Repeat("x", i))
		w.pass(3 * time.Second)
		if w.canKeep() {
			t.Fatal("an answer to the question before is taken for this one")
		}
		w.tap(kit.RoleRadio, "@a")
	}
}

// A button says where it leads, beside the problem that it mends.
func TestAButtonSaysWhereItLeadsBesideItsProblem(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	for want, of := range map[string]struct {
		a problem.Action
		p *problem.Problem
	}{
		"Switch to Instagram":       {problem.SwitchProvider, problem.New(problem.ScopeOtherRoad, "replacement", "instagram")},
		"Start again":               {problem.SignInAgain, problem.New(problem.AnswerForeign)},
		"Sign in and tick the Page": {problem.SignInAgain, problem.New(problem.NoPage)},
		"Use Instagram":             {problem.SwitchProvider, problem.New(problem.ProviderRetired, "replaced_by", "instagram")},
		"Sign in again":             {problem.SignInAgain, nil},
	} {
		if got := w.s.label(of.a, of.p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Closing the window is no answer to the question whose account it shall be:
// the answer stays sealed, and the question comes again.
func TestClosingTheWindowLeavesAnOpenQuestionOpen(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	// The context that an attempt is given descends from the core's.
	ctx, cancel := context.WithCancel(w.c.f.ctx)
	defer cancel()
	w.s.close()
	if !errors.Is(context.Cause(ctx), connect.ErrClosing) {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
}

// A second service on the same host is added beside the first, under a name
// that tells them apart.
func TestASecondServiceOfAHostIsAddedBesideTheFirst(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		var core *double
		var added []provider.Server
		w := openConnect(t, lang, connectStart{}, func(d *double, _ *Params) {
			core = d
			first := composed(t, twoHosts)
			first.Name = "login.example"
			core.own = []provider.Definition{first}
			core.add = func(srv provider.Server) (provider.Definition, error) {
				added = append(added, srv)
				if srv.ID == "" {
					return provider.Definition{}, problem.New(problem.DefinitionExists, "provider", "example", "file", "example.toml")
				}
				d := composed(t, srv)
				core.own = append(core.own, d)
				return d, nil
			}
		})
		w.c.f.to(stageServer)
		p := w.c.page.(*serverPage)
		p.fields[fieldAuthorize].SetText("https://login.example/two/authorize")
		p.fields[fieldToken].SetText("https://login.example/two/token")
		w.tap(kit.RoleButton, w.say("connect.server.use"))
		w.tap(kit.RoleLink, w.say("connect.server.beside", text.Args{"id": "example-2"}))
		if len(added) != 2 || added[1].ID != "example-2" || added[1].Name != "login.example 2" || !added[1].PKCE {
			t.Fatalf("added %+v", added)
		}
		if w.c.f.stage != stageApp || w.c.f.form.Provider != "example-2" {
			t.Errorf("stage %v, provider %q", w.c.f.stage, w.c.f.form.Provider)
		}
	})
}

// What a recipe's picture says of its right place is what is to be done there.
func TestThePictureSaysWhatToDo(t *testing.T) {
	for _, row := range []struct{ id, recipe, step, words string }{
		{"instagram", "own_app", "app_id", "copy"},
		{"instagram", "own_app", "redirect", "paste"},
		{"threads", "threads", "addresses", "paste"},
		{"instagram-facebook", "facebook", "configuration", "here"},
	} {
		d, r := recipeNamed(t, row.id, row.recipe)
		for at, step := range r.Steps {
			if step.Name != row.step {
				continue
			}
			m := presentStep(text.For("en"), d, r, at, guideProgress{}, guideValues{Redirect: d.Redirect.Default}, noon)
			if got := rightWords(m); got != row.words {
				t.Errorf("%s: %s, want %s", row.step, got, row.words)
			}
		}
	}
}

// Leaving the page while a service is being asked leaves the next page alone.
func TestALateAnswerOfAServiceTouchesNothing(t *testing.T) {
	var w *connectWorld
	w = openConnect(t, "en", connectStart{}, func(core *double, _ *Params) {
		core.discover = func(string) (provider.Server, error) {
			w.c.f.to(stageApp)
			return twoHosts, nil
		}
	})
	w.c.f.to(stageServer)
	w.c.page.(*serverPage).issuer.SetText("login.example")
	w.c.page.(*serverPage).discover()
	before := w.focused()
	w.queue.Drain()
	if _, ok := w.c.page.(*appPage); !ok || w.focused() == w.say("connect.server.use") {
		t.Errorf("the page is %T, the focus went from %q to %q", w.c.page, before, w.focused())
	}
}

// F1 tells the keys of the page in sight; Escape closes that and nothing else.
func TestF1TellsTheKeysOfThePage(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.s.typedKey(&fyne.KeyEvent{Name: fyne.KeyF1})
		w.queue.Drain()
		w.says(w.say("help.keys.title"), w.say("help.keys.browser"), w.say("help.keys.high"))
		w.noBrackets()
		if !w.s.dialogOpen() || w.focused() != w.say("connect.warn.close") {
			t.Errorf("the focus is on %q", w.focused())
		}
		w.s.closeDialog()
		w.s.goGuide()
		w.queue.Drain()
		w.s.typedKey(&fyne.KeyEvent{Name: fyne.KeyF1})
		w.hasNot(kit.RoleText, w.say("help.keys.browser"))
	})
}

// Whoever looks an address up elsewhere finds what was typed before.
func TestTheAddressesOfAServiceStayWhileOneLooksElsewhere(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	w.c.f.to(stageServer)
	p := w.c.page.(*serverPage)
	p.issuer.SetText("login.example")
	p.fields[fieldToken].SetText("https://login.example/token")
	w.s.goGuide()
	w.queue.Drain()
	w.s.goConnect(connectStart{})
	w.queue.Drain()
	again := w.c.page.(*serverPage)
	if again == p || again.issuer.Text != "login.example" || again.fields[fieldToken].Text != "https://login.example/token" {
		t.Errorf("issuer %q, token address %q", again.issuer.Text, again.fields[fieldToken].Text)
	}
	w.c.f.to(stageApp)
	w.c.f.to(stageServer)
	if got := w.c.page.(*serverPage).issuer.Text; got != "login.example" {
		t.Errorf("after Back the issuer is %q", got)
	}
}

// What an earlier check of a step still says is not heard by the next one.
func TestAnEarlierCheckOfAStepIsNotHeard(t *testing.T) {
	core := newDouble(t)
	var g *recipeScreen
	asked := 0
	core.doctor = func(_ connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
		asked++
		level := connect.Fine
		if asked == 1 {
			// The person has put it right meanwhile.
			g.check()
			level = connect.Bad
		}
		var lines []connect.Line
		for _, name := range tests["redirect"] {
			l := connect.Line{Check: name, Level: level}
			observe(l)
			lines = append(lines, l)
		}
		return lines, nil
	}
	w := open(t, "en", core)
	_, r := recipeNamed(t, "instagram", "own_app")
	at := slices.IndexFunc(r.Steps, func(step provider.RecipeStep) bool { return step.Test == "redirect" })
	w.s.openGuide("instagram", "own_app", max(0, at-1))
	w.queue.Drain()
	g = w.s.current.(*recipeScreen)
	g.open(at)
	w.pass(3 * time.Second)
	if asked != 2 || len(g.found) != 2 || !proven(g.found, tests["redirect"]) || !g.progress().done(r.Steps[at].Name) {
		t.Errorf("asked %d times, found %+v", asked, g.found)
	}
}

// Larger text builds a page anew; what was typed stays, and so does the focus.
func TestLargerTextKeepsTheFocusOnThePagesThatExplain(t *testing.T) {
	w := openConnect(t, "en", connectStart{}, func(core *double, p *Params) {
		core.practising = true
		p.Registration = func(id string) (string, secret.Text) { return "1", secret.Text{} }
	})
	for name, goThere := range map[string]func(){
		"guide": w.s.goGuide, "door": w.s.goDoor, "messages": w.s.goMessages, "words": w.s.goWords, "practice": w.s.goMishaps,
		"step": func() { w.s.openGuide("instagram", "own_app", 3) },
	} {
		goThere()
		w.queue.Drain()
		before := w.focused()
		for _, step := range []int{1, -1} {
			w.s.largerText(step)
			w.queue.Drain()
			if before == "" || w.focused() != before {
				t.Errorf("%s: the focus went from %q to %q", name, before, w.focused())
			}
		}
	}
	w.s.openGuide("instagram", "own_app", 3)
	w.queue.Drain()
	g := w.s.current.(*recipeScreen)
	g.first.(*kit.Entry).SetText("77")
	w.s.largerText(1)
	w.queue.Drain()
	if got := g.first.(*kit.Entry).Text; got != "77" {
		t.Errorf("the field has %q", got)
	}
}

// A page that is left has no secret in its fields; the value waits as a secret.
func TestALeftStepHasNoSecretInItsField(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	w.s.openGuide("instagram", "own_app", 3)
	w.queue.Drain()
	g := w.s.current.(*recipeScreen)
	if len(g.hidden) != 1 {
		t.Fatalf("%d secret fields", len(g.hidden))
	}
	field := g.hidden[0]
	field.Put(secret.New(someSecret))
	w.s.goGuide()
	w.queue.Drain()
	if !field.Peek().Empty() {
		t.Error("the field keeps the secret")
	}
	if w.s.guide.values["instagram"].Secret.Reveal() != someSecret {
		t.Error("what was pasted is lost")
	}
}
