package ui

import (
	"net/url"
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

func shipped(t *testing.T, id string) provider.Definition {
	t.Helper()
	registry, errs := provider.Load("")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d, err := registry.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// composed is a person's own definition of a server.
func composed(t *testing.T, srv provider.Server) provider.Definition {
	t.Helper()
	_, d, err := provider.Compose(srv)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var twoHosts = provider.Server{
	ID: "example", Name: "Example", AuthorizeURL: "https://login.example/authorize", TokenURL: "https://api.example.org/token",
	IdentityURL: "https://api.example.org/userinfo", PKCE: true,
}

func TestTheFormOfEveryService(t *testing.T) {
	c := text.For("en")
	for id, want := range map[string]struct {
		id, line, forget, hint string
		config                 bool
	}{
		"instagram":          {"Instagram app ID", "60 days, renews", "Every sign-in needs it. Renewing does not.", "the last slash too", false},
		"threads":            {"Threads app ID", "60 days, renews", "Every sign-in needs it. Renewing does not.", "all three address boxes", false},
		"instagram-facebook": {"Meta app ID", "For Instagram", "cannot renew, so you will need it every 60 days.", "nothing to paste", true},
	} {
		m := presentApp(c, shipped(t, id), "GNOME Keyring")
		if m.ID != want.id || m.Line != want.line || !strings.Contains(m.Forget, want.forget) || !strings.Contains(m.RedirectHint, want.hint) || m.Config != want.config {
			t.Errorf("%s: %+v", id, m)
		}
		if strings.Contains(m.Secret+m.Places+m.CheckFoot+m.Card, "⟦") {
			t.Errorf("%s: %+v", id, m)
		}
	}
	if m := presentApp(c, composed(t, twoHosts), ""); m.ID != "Client ID" || m.Card != "Example" {
		t.Errorf("an own service: %+v", m)
	}
	if m := presentApp(c, shipped(t, "instagram-basic-display"), ""); !strings.Contains(m.Ended, "4 December 2024") {
		t.Errorf("a service of the past: %+v", m)
	}
}

func TestServicesOfThePastArePractisedOnly(t *testing.T) {
	d := newDouble(t)
	if got := otherServices(d.Providers()); len(got) != 0 {
		t.Errorf("outside practice: %v", got)
	}
	d.ground, _ = url.Parse("http://127.0.0.1:1")
	var ids []string
	for _, one := range otherServices(d.Providers()) {
		ids = append(ids, one.ID)
	}
	if !slices.Contains(ids, "instagram-basic-display") || !slices.Contains(ids, "oauth2") {
		t.Errorf("in practice: %v", ids)
	}
}

func TestChangingTheServiceKeepsWhatCanBeKept(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.fill()
	w.f.form.Ticked["instagram_business_manage_comments"] = true
	w.f.otherPort()
	w.f.choose("threads")
	f := w.f.form
	if f.ClientID != "" || !f.Secret.Empty() {
		t.Error("another service's ID or secret was carried over")
	}
	if !strings.HasSuffix(f.Redirect, ":8920/") || !f.Ticked["threads_read_replies"] {
		t.Errorf("the port and the task did not stay: %+v", f)
	}
	w.f.form.ClientID = "77"
	w.f.choose("instagram-facebook")
	if !w.f.form.Keep {
		t.Error("a secret that is needed every 60 days is forgotten by default")
	}
	w.f.choose("instagram")
	if w.f.form.ClientID != someID || w.f.form.Secret.Reveal() != someSecret {
		t.Error("what was typed before is gone")
	}
	w.f.end()
	if len(w.f.drafts) != 0 {
		t.Error("a secret outlives the form")
	}
}

func TestTheGuidesValuesFillTheForm(t *testing.T) {
	w := newFlowWorld(t, connectStart{})
	w.s.guide.values = map[string]guideValues{"threads": {ClientID: "123", Secret: secret.New(someSecret), Redirect: "https://localhost:8930/"}}
	f := newFlow(w.s, connectStart{Provider: "threads"})
	w.queue.Drain()
	if f.form.ClientID != "123" || f.form.Secret.Reveal() != someSecret || f.form.Redirect != "https://localhost:8930/" || f.stage != stageApp {
		t.Errorf("%+v", f.form)
	}
}

func TestTheCardsOfStep1(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{})
		w.tap(kit.RoleRadio, w.say("connect.road.instagram-facebook.card"))
		w.has(kit.RoleField, w.say("connect.app.config"))
		w.has(kit.RoleField, w.say("connect.app.client_id", text.Args{"provider": "Meta"}))
		if w.has(kit.RoleCheck, w.say("connect.app.forget")).(kit.Seen).Seen().Selected {
			t.Error("the secret is forgotten by default")
		}
		if w.focused() != w.say("connect.road.instagram-facebook.card") {
			t.Errorf("the focus is on %q", w.focused())
		}
		// With a configuration its permissions stand for the list.
		w.c.page.(*appPage).id.SetText(someID)
		w.c.page.(*appPage).secret.SetText(someSecret)
		w.c.page.(*appPage).config.SetText("4711")
		w.tap(kit.RoleButton, w.say("connect.continue"))
		w.says(w.say("connect.scopes.by_config"), "4711")
		w.hasNot(kit.RoleCheck, w.say("scope.instagram_basic.title"))
		w.key(fyne.KeyEscape)
		w.tap(kit.RoleRadio, w.say("connect.service.card"))
		w.says(w.say("connect.service.about"))
		w.hasNot(kit.RoleField, w.say("connect.service.client_id"))
		w.tap(kit.RoleButton, w.say("connect.continue"))
		if w.c.f.stage != stageServer {
			t.Errorf("stage %v", w.c.f.stage)
		}
		w.oneHigh("the description of a service")
	})
}

func TestATT8_HostsAreAgreedToBeforeASecretIsTyped(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	w.tap(kit.RoleRadio, w.say("connect.service.card"))
	w.tap(kit.RoleButton, w.say("connect.service.add"))
	asked := ""
	w.core.discover = func(issuer string) (provider.Server, error) { asked = issuer; return twoHosts, nil }
	w.typeInto(w.say("connect.server.issuer"), kit.RoleField, "login.example")
	w.tap(kit.RoleButton, w.say("connect.server.find"))
	if asked != "https://login.example" || w.focused() != w.say("connect.server.use") {
		t.Errorf("asked %q, focus on %q", asked, w.focused())
	}
	w.core.add = func(srv provider.Server) (provider.Definition, error) {
		if !srv.PKCE {
			t.Error("without PKCE")
		}
		d := composed(t, srv)
		w.core.own = append(w.core.own, d)
		w.core.questions = []provider.Question{{ID: d.ID, Name: d.Name, Hosts: []string{"api.example.org", "login.example"}, Domains: []string{"example.org", "login.example"}}}
		return d, nil
	}
	w.tap(kit.RoleButton, w.say("connect.server.use"))
	w.says(w.say("connect.hosts.title"), "api.example.org", "login.example")
	w.key(fyne.KeyEscape)
	w.hasNot(kit.RoleSecret, w.say("connect.service.client_secret"))
	w.tap(kit.RoleButton, w.say("connect.continue"))
	w.core.confirm = func(id string) error { w.core.questions = nil; asked = id; return nil }
	w.tap(kit.RoleButton, w.say("connect.hosts.yes"))
	if asked != "example" {
		t.Errorf("agreed to %q", asked)
	}
	w.has(kit.RoleSecret, w.say("connect.service.client_secret"))
}

func TestAServiceThatCannotBeFoundIsSaid(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	w.c.f.to(stageServer)
	w.core.discover = func(string) (provider.Server, error) {
		return provider.Server{}, problem.New(problem.DiscoveryNone, "issuer", "https://x.example")
	}
	w.typeInto(w.say("connect.server.issuer"), kit.RoleField, "x.example")
	w.tap(kit.RoleButton, w.say("connect.server.find"))
	w.says(w.in.Tell(problem.New(problem.DiscoveryNone, "issuer", "https://x.example")).Title)
}

func TestOwnFilesWithFlawsAreNamed(t *testing.T) {
	flaw := problem.New(problem.DefinitionInvalid, "file", "mine.toml", "line", "7", "what", "exchange.url", "reason", "value", "value", "x")
	w := openConnect(t, "en", connectStart{}, func(d *double, _ *Params) { d.flaws = []*problem.Problem{flaw} })
	w.says("mine.toml")
}

func TestTheFindingsLeadToTheirRemedies(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, func(d *double, _ *Params) {
			d.doctor = func(in connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
				if in.ClientID != someID {
					observe(connect.Line{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "1"}})
					return nil, nil
				}
				observe(connect.Line{Check: "client_id", Level: connect.Bad, Variant: "facebook", Args: map[string]string{"provider": "Instagram", "said": "Invalid platform app"}, Problem: problem.New(problem.AppIDIsFacebook, "provider", "Instagram")})
				observe(connect.Line{Check: "vault", Level: connect.Bad, Problem: problem.New(problem.VaultLocked, "program", "GNOME Keyring")})
				return nil, nil
			}
		})
		w.fill()
		w.pass(2 * time.Second)
		hint := w.say("connect.app.hint_facebook", provided)
		w.says(hint, w.say("doctor.client_id.title_facebook"))
		w.has(kit.RoleLink, w.say("connect.app.unlock"))
		w.has(kit.RoleLink, w.say("connect.app.show_where"))
		w.tap(kit.RoleLink, w.in.Action(problem.ChangeClientID))
		if w.focused() != w.say("connect.app.client_id", provided) {
			t.Errorf("the focus is on %q", w.focused())
		}
		// What was found about the former value is not said of the new one.
		w.typeInto(w.say("connect.app.client_id", provided), kit.RoleField, "1")
		w.queue.Drain()
		if strings.Contains(w.words(), hint) {
			t.Error("a former finding stays beside the new value")
		}
		w.pass(2 * time.Second)
		if strings.Contains(w.words(), w.say("doctor.client_id.title_facebook")) {
			t.Error("a former finding stays beside the new ones")
		}
	})
}

// What comes late, because the network was slow, stands where the page has it.
func TestTheFindingsEndInTheOrderOfThePage(t *testing.T) {
	id := connect.Line{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "15"}}
	port := connect.Line{Check: "port", Level: connect.Fine, Args: map[string]string{"port": "8919"}}
	w := openConnect(t, "en", connectStart{}, func(d *double, _ *Params) {
		d.doctor = func(_ connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
			observe(port)
			observe(id)
			return []connect.Line{id, port}, nil
		}
	})
	w.fill()
	w.pass(2 * time.Second)
	if f := w.c.f; len(f.lines) != 2 || f.lines[0].Check != "client_id" || f.lines[1].Check != "port" {
		t.Errorf("%+v", f.lines)
	}
}

func choosingState(now time.Time) connect.State {
	st := waitingState(now)
	st.Step, st.Provider = connect.Identifying, "Facebook"
	st.Choices = []connect.Choice{
		{Page: "Old page", Posts: -1, Reason: problem.PageNotLinked},
		{UserID: "1", Username: "harbour.coffee", Page: "Harbour Coffee", Posts: 412, Reachable: true, Known: true},
		{UserID: "2", Username: "lantern.books", Page: "Lantern Books", Posts: -1, Reachable: true},
	}
	return st
}

func TestChoosingAmongSeveralAccounts(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		w.tell(0, choosingState(w.clock))
		if w.c.f.stage != stageChoose {
			t.Fatalf("stage %v", w.c.f.stage)
		}
		w.says("@harbour.coffee", "Lantern Books", w.say("connect.choose.known"), "Old page", w.in.Count("connect.choose.keep", 2))
		w.oneHigh("the choice")
		w.tap(kit.RoleCheck, "@harbour.coffee")
		w.tap(kit.RoleCheck, "@lantern.books")
		if w.enabled(w.in.Count("connect.choose.keep", 0)) {
			t.Error("none can be kept")
		}
		w.shortcut(fyne.KeyReturn, ctrl)
		w.tap(kit.RoleCheck, "@lantern.books")
		w.tap(kit.RoleButton, w.in.Count("connect.choose.keep", 1))
		if got := <-w.requests[0].Choose; !slices.Equal(got, []string{"2"}) {
			t.Errorf("chosen %v", got)
		}
		if w.c.f.stage != stageWait {
			t.Errorf("stage %v", w.c.f.stage)
		}
		w.noBrackets()
	})
}

func TestADifferentAccountIsAQuestion(t *testing.T) {
	asking := func(t *testing.T, lang string) *connectWorld {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		st := waitingState(w.clock)
		st.Step, st.Other = connect.Identifying, &connect.Other{Wanted: "harbour.coffee", Found: "mia.kessler"}
		w.tell(0, st)
		w.says(w.say("connect.other.title"), "@harbour.coffee", "@mia.kessler")
		return w
	}
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := asking(t, lang)
		w.oneHigh("the question")
		w.tap(kit.RoleButton, w.say("connect.other.new_button", text.Args{"username": "mia.kessler"}))
		if got := <-w.requests[0].Decide; got != connect.AddAsNew {
			t.Errorf("decided %v", got)
		}
		w = asking(t, lang)
		w.key(fyne.KeyEscape)
		if got := <-w.requests[0].Decide; got != connect.DropAnswer || w.s.dialogOpen() {
			t.Errorf("escape decides %v", got)
		}
		w = asking(t, lang)
		w.tap(kit.RoleButton, w.say("connect.other.wanted_button", text.Args{"username": "harbour.coffee"}))
		if len(w.requests) != 2 {
			t.Errorf("%d attempts", len(w.requests))
		}
		// The attempt went on by itself: the question closes.
		w = asking(t, lang)
		st := waitingState(w.clock)
		st.Step = connect.Saving
		w.tell(0, st)
		if w.s.dialogOpen() {
			t.Error("the question stays open")
		}
	})
}

func TestAQuestionOfAnEarlierRunIsAskedInTheList(t *testing.T) {
	account := accountLeft("harbour.coffee", 30*aDay, connect.Healthy)
	core := newDouble(t, account)
	core.recover = func() ([]connect.Recovered, error) {
		return []connect.Recovered{{ID: "q1", Other: &connect.Other{Wanted: "harbour.coffee", Found: "mia.kessler"}}}, nil
	}
	w := open(t, "en", core)
	c := text.For("en")
	w.says(c.Say("connect.other.left_lead"))
	w.tap(kit.RoleLink, c.Say("connect.other.decide"))
	w.key(fyne.KeyEscape)
	w.says(c.Say("connect.other.left_lead"))
	w.tap(kit.RoleLink, c.Say("connect.other.decide"))
	var settled []connect.Decision
	core.settle = func(id string, d connect.Decision) (*connect.Account, error) {
		settled = append(settled, d)
		a := accountLeft("mia.kessler", 60*aDay, connect.Healthy)
		return &a, nil
	}
	w.tap(kit.RoleButton, c.Say("connect.other.new_button", text.Args{"username": "mia.kessler"}))
	if !slices.Equal(settled, []connect.Decision{connect.AddAsNew}) || strings.Contains(w.words(), c.Say("connect.other.left_lead")) {
		t.Errorf("settled %v:\n%s", settled, w.words())
	}
}

func TestThePageThatShowsAnError(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		w.tap(kit.RoleButton, w.say("connect.page.link"))
		w.says(w.say("connect.page.title"), w.say("connect.page.says.account.not_invited"))
		w.oneHigh("what the page says")
		// Time goes on: the sign-in waits.
		w.tell(0, waitingState(w.clock))
		w.key(fyne.KeyEscape)
		if w.c.f.stage != stageWait {
			t.Fatalf("stage %v", w.c.f.stage)
		}
		w.tap(kit.RoleButton, w.say("connect.page.link"))
		w.typeInto(w.say("connect.page.field"), kit.RoleField, "Insufficient Developer Role")
		w.tap(kit.RoleButton, w.say("connect.page.read"))
		if w.c.f.stage != stageProblem || w.c.f.state.Problem.Key != problem.NotInvited {
			t.Fatalf("stage %v, %v", w.c.f.stage, w.c.f.state.Problem)
		}
		w.has(kit.RoleButton, w.in.Action(problem.GuideTester))
		if w.s.waiting {
			t.Error("the sign-in still waits")
		}
	})
}

func TestWhatPagesSayIsSaidForEveryService(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		for _, id := range []string{"instagram", "threads", "instagram-facebook", "instagram-basic-display"} {
			rows := presentPages(c, shipped(t, id))
			if len(rows) < 3 {
				t.Errorf("%s: %d rows", id, len(rows))
			}
			for _, row := range rows {
				if strings.Contains(row.Title+row.Line, "⟦") || strings.Contains(row.Title+row.Line, "<no value>") || row.Title == "" {
					t.Errorf("%s %s: %+v", lang, id, row)
				}
			}
		}
	}
}

// "Copy details" holds nothing that opens anything, whatever was pasted.
func TestSEC_CopiedDetailsHoldNoSecret(t *testing.T) {
	const canary = "CANARY7secretvalue7CANARY7secretvalue7CANARY7secret"
	d := shipped(t, "instagram")
	for _, pasted := range []string{
		"https://localhost:8919/?code=" + canary + "&state=" + canary + "#_",
		"https://www.instagram.com/oauth/authorize?client_id=1&state=" + canary + "&error=access_denied",
		"client_secret=" + canary, "access_token=" + canary, "IGAA" + canary + "ZDZD", canary,
		`{"error_message":"Invalid platform app","error_code":400,"access_token":"` + canary + `"}`,
	} {
		p := d.ReadPage(pasted)
		st := connect.State{
			Step: connect.Failed, Problem: p, Provider: d.Name, RedirectURI: "https://localhost:8919/?code=" + canary,
			AuthorizeURL: secret.New("https://www.instagram.com/?state=" + canary),
		}
		m := presentProblem(text.For("en"), st, someID, noon)
		if all := m.Details + m.Said + m.Title + m.Happened + m.Advice; strings.Contains(all, "CANARY7") {
			t.Errorf("pasted %q, and the details say %q", pasted, all)
		}
	}
}

func FuzzCopiedDetails(f *testing.F) {
	f.Add("Invalid platform app", "?code=")
	f.Add("https://localhost:8919/", "&access_token=")
	d, err := func() (provider.Definition, error) { r, _ := provider.Load(""); return r.Get("instagram") }()
	if err != nil {
		f.Fatal(err)
	}
	const canary = "CANARY7secretvalue7CANARY7secretvalue7CANARY7secret"
	f.Fuzz(func(t *testing.T, before, name string) {
		if name != "?code=" && name != "&code=" && name != "&access_token=" && name != "&state=" && name != "?client_secret=" {
			return
		}
		p := d.ReadPage(before + name + canary)
		st := connect.State{Step: connect.Failed, Problem: p, Provider: d.Name}
		if m := presentProblem(text.For("en"), st, someID, noon); strings.Contains(m.Details+m.Said, "CANARY7") {
			t.Errorf("%q", m.Details)
		}
	})
}

func TestSeveralAccountsAtOnce(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		w := openConnect(t, lang, connectStart{}, warned)
		w.toWait()
		st := connectedAs("harbour.coffee", connect.Long)
		second := *st.Account
		second.ID, second.Username = "b", "lantern.books"
		st.Accounts = []connect.Account{*st.Account, second}
		w.tell(0, st)
		w.says(w.in.Count("connect.fine.several", 2), "@harbour.coffee", "@lantern.books")
		w.oneHigh("several accounts")
	})
}

func TestUntilWhenIsSaidForEveryKindOfToken(t *testing.T) {
	c := text.For("en")
	a := *connectedAs("harbour.coffee", connect.Long).Account
	due := noon.Add(40 * aDay)
	renews, never, refreshes := a, a, a
	renews.Renews, renews.DueAt = true, &due
	never.Renews, never.DueAt, never.ProviderName = false, nil, "Facebook"
	refreshes.Renews, refreshes.Refreshes = true, true
	for want, one := range map[string]connect.Account{"Renewed by itself around": renews, "Facebook asks you to sign in again every 60 days": never, "for as long as": refreshes} {
		if got := validFact(c, one, noon).Line; !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAskingAgainForWhatWasLeftOutIsOneClick(t *testing.T) {
	w := openConnect(t, "en", connectStart{}, warned, func(d *double, p *Params) { withApps(keptApp())(d, p) })
	w.tap(kit.RoleButton, w.say("connect.continue"))
	w.tell(0, waitingState(w.clock))
	st := connectedAs("harbour.coffee", connect.Long)
	st.Account.ScopesAsked = append(slices.Clone(st.Account.ScopesAsked), "instagram_business_manage_insights")
	st.SecretKept = true
	w.tell(0, st)
	w.says(w.say("connect.fine.missing_lead", text.Args{"permission": w.say("scope.instagram_business_manage_insights.title")}))
	w.tap(kit.RoleLink, w.say("connect.fine.ask_again"))
	if len(w.requests) != 2 || w.requests[1].ExpectAccount != st.Account.ID || !slices.Contains(w.requests[1].Scopes, "instagram_business_manage_insights") {
		t.Errorf("requests %+v", w.requests)
	}
}

func TestAnAccountAsksAgainForWhatWasLeftOut(t *testing.T) {
	inEveryLanguage(t, func(t *testing.T, lang string) {
		a := renewing("harbour.coffee", 40*aDay, connect.Healthy)
		a.ScopesAsked = []string{"instagram_business_basic", "instagram_business_manage_insights"}
		a.GrantedScopes, a.MissingScopes = a.ScopesAsked[:1], a.ScopesAsked[1:]
		w := accountWorld(t, lang, newDouble(t, a), a)
		w.tap(kit.RoleLink, text.For(lang).Say("connect.fine.ask_again"))
		if len(w.starts) != 1 || w.starts[0].Account == nil || w.starts[0].Account.ID != a.ID {
			t.Errorf("connect was opened with %+v", w.starts)
		}
	})
}

// The buttons of a notice on an account's page all lead somewhere.
func TestEveryActionOfAnAccountsNoticeHasADoor(t *testing.T) {
	a := renewing("harbour.coffee", 40*aDay, connect.Healthy)
	w := accountWorld(t, "en", newDouble(t, a), a)
	screen := w.s.current.(*accountScreen)
	for _, row := range problem.Table() {
		m := presentActions(text.For("en"), a, accountWork{Problem: problem.New(row.Key)}, noon)
		if m.Notice == nil || len(m.Notice.Actions) == 0 {
			t.Errorf("%s says nothing to do", row.Key)
			continue
		}
		for _, action := range m.Notice.Actions {
			if screen.act(action) == nil {
				t.Errorf("%s of %s has no door", action, row.Key)
			}
		}
	}
}
