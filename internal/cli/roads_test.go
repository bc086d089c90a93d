package cli

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

func shippedList(t *testing.T) []provider.Definition {
	t.Helper()
	registry, problems := provider.Load("")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return registry.List()
}

func TestProviderAddTakesAnIssuerOrAddresses(t *testing.T) {
	found := provider.Server{Issuer: "https://login.example.org", AuthorizeURL: "https://login.example.org/a", TokenURL: "https://login.example.org/t", Scopes: []string{"openid"}, PKCE: true, Auth: "basic"}
	for name, c := range map[string]struct {
		args []string
		want provider.Server
		asks string // the issuer
		bad  string // reason of the refusal
	}{
		"issuer":             {args: []string{"--issuer", "https://login.example.org"}, asks: "https://login.example.org", want: found},
		"hand over issuer":   {args: []string{"--issuer", "https://i.example.org", "--token-url", "https://o.example.org/t", "--auth", "basic", "--scope", "a,b", "--id", "o"}, asks: "https://i.example.org", want: provider.Server{ID: "o", Issuer: "https://login.example.org", AuthorizeURL: "https://login.example.org/a", TokenURL: "https://o.example.org/t", Scopes: []string{"a", "b"}, PKCE: true, Auth: "basic"}},
		"by hand":            {args: []string{"--authorize-url", "https://e.org/a", "--token-url", "https://e.org/t", "--userinfo-url", "http://localhost:1/u", "--revoke-url", "http://127.0.0.1/r", "--name", "N", "--auth", "body"}, want: provider.Server{Name: "N", AuthorizeURL: "https://e.org/a", TokenURL: "https://e.org/t", IdentityURL: "http://localhost:1/u", RevokeURL: "http://127.0.0.1/r", Auth: "post", PKCE: true}},
		"nothing":            {bad: "server_missing"},
		"half":               {args: []string{"--authorize-url", "https://e.org/a"}, bad: "flag_missing"},
		"no address":         {args: []string{"--issuer", "ftp://e.org"}, bad: "flag_wrong"},
		"a slip of the keys": {args: []string{"--authorize-url", "https://e.org/a", "--token-url", "token"}, bad: "flag_wrong"},
		"a way that is not":  {args: []string{"--issuer", "https://i.example.org", "--auth", "url"}, bad: "flag_wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			var got provider.Server
			asked := ""
			d := &double{
				discover: func(issuer string) (provider.Server, error) { asked = issuer; return found, nil },
				added: func(s provider.Server) (provider.Definition, error) {
					got = s
					return provider.Definition{ID: "mine", Name: "Mine"}, nil
				},
			}
			b := newBench(t, d)
			code := b.run(t, append([]string{"provider", "add", "--json"}, c.args...)...)
			if c.bad != "" {
				if code != 2 || !strings.Contains(b.out.String(), `"key":"usage"`) || got.AuthorizeURL != "" {
					t.Errorf("%d %s", code, b.out.String())
				}
				return
			}
			if code != 0 || asked != c.asks || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%d, asked %q, added %+v, want %+v\n%s", code, asked, got, c.want, b.err.String())
			}
			if line := objects(t, b.out.String())[0]; line["id"] != "mine" {
				t.Errorf("%v", line)
			}
		})
	}
}

// ATT-8: hosts are confirmed by somebody who saw them, or named exactly.
func TestATT8_HostsAreConfirmedKnowingly(t *testing.T) {
	question := provider.Question{ID: "desk", Name: "Desk", File: "desk.toml", Hosts: []string{"api.example.net", "login.example.org"}, Former: []string{"login.example.org"}}
	for name, c := range map[string]struct {
		args     []string
		terminal bool
		typed    string
		code     int
		confirms bool
	}{
		"exactly":            {args: []string{"--hosts", "login.example.org,api.example.net"}, confirms: true},
		"in any case, twice": {args: []string{"--hosts", "LOGIN.example.org", "--hosts", "api.example.net api.example.net"}, confirms: true},
		"one too few":        {args: []string{"--hosts", "login.example.org"}, code: 2},
		"one too many":       {args: []string{"--hosts", "login.example.org,api.example.net,example.com"}, code: 2},
		"nobody to ask":      {code: 2},
		"typed":              {terminal: true, typed: "desk\n", confirms: true},
		"typed yes":          {terminal: true, typed: "yes\n", code: 3},
		"typed nothing":      {terminal: true, typed: "", code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			d := &double{questions: []provider.Question{question}}
			b := newBench(t, d)
			b.p.in = strings.NewReader(c.typed)
			if c.terminal {
				b.terminals = []any{b.p.in, b.p.err}
			}
			code := b.run(t, append([]string{"provider", "confirm", "desk"}, c.args...)...)
			if code != c.code || slices.Contains(d.confirmed, "desk") != c.confirms {
				t.Errorf("%d, confirmed %v\n%s", code, d.confirmed, b.err.String())
			}
			if !strings.Contains(b.err.String(), "api.example.net (new)") || !strings.Contains(b.err.String(), "login.example.org\n") {
				t.Errorf("the hosts are not shown: %s", b.err.String())
			}
		})
	}
}

func TestRecipesSayTheirAge(t *testing.T) {
	for day, want := range map[string]string{"2026-09-18": "18 September 2026", "2026-07-25": "25 July 2026", "2026-07-24": "121 days ago"} {
		list := shippedList(t)
		i := slices.IndexFunc(list, func(d provider.Definition) bool { return d.ID == "threads" })
		list[i].Recipes[0].Checked = day
		for _, args := range [][]string{{"guide"}, {"guide", "threads"}} {
			b := newBench(t, &double{providers: list})
			if code := b.run(t, args...); code != 0 || !strings.Contains(b.out.String(), want) {
				t.Errorf("%v of %s: %d %s", args, day, code, b.out.String())
			}
		}
		b := newBench(t, &double{providers: list})
		b.run(t, "guide", "threads", "--json")
		if line := objects(t, b.out.String())[0]; line["stale"] != strings.Contains(want, "ago") {
			t.Errorf("%s: %v", day, line)
		}
	}
}

func TestReachPicksThoseThatWereNamed(t *testing.T) {
	choices := []connect.Choice{
		{UserID: "1", Username: "Lantern.Books", Page: "Lantern", Reachable: true},
		{UserID: "2", Username: "harbour.coffee", Page: "Harbour", Reachable: false, Reason: problem.NoTask},
		{Page: "Joinery", Reason: problem.PageNotLinked},
		{UserID: "3", Username: "mia.kessler", Reachable: true},
	}
	for _, c := range []struct {
		names string
		ids   string
		wrong problem.Key
	}{
		{"lantern.books", "1", ""},
		{"mia.kessler lantern.books mia.kessler", "3 1", ""},
		{"mia.kessler nobody", "", problem.OtherAccount},
		{"harbour.coffee", "", problem.NoTask},
	} {
		ids, wrong := pick(choices, strings.Fields(c.names))
		if c.wrong != "" {
			if wrong == nil || wrong.Key != c.wrong || ids != nil {
				t.Errorf("%s: %v %v, want %s", c.names, ids, wrong, c.wrong)
			}
			continue
		}
		if wrong != nil || strings.Join(ids, " ") != c.ids {
			t.Errorf("%s: %v %v, want %s", c.names, ids, wrong, c.ids)
		}
	}
	// Names from outside stay in their line, and each reason is said.
	b := newBench(t, nil)
	b.p.scan(nil)
	for _, choice := range append(choices, connect.Choice{UserID: "4", Username: "a\nb\x1b[2J", Page: "c\nd", Reachable: true}) {
		if said := b.p.reached(choice); strings.ContainsAny(said, "\n\x1b⟦") || !choice.Reachable && !strings.HasPrefix(said, "not ") {
			t.Errorf("%q", said)
		}
	}
}

func TestConnectAgainKeepsThePermissionsAndAddsOthers(t *testing.T) {
	var asked connect.Request
	d := &double{
		providers: shippedList(t),
		account: func(string) (connect.Account, error) {
			return connect.Account{ID: "a1", Username: "me", App: "shop", ScopesAsked: []string{"b", "a"}}, nil
		},
		apps: func() ([]connect.App, error) {
			return []connect.App{{Name: "shop", Provider: "instagram", SecretKept: true}}, nil
		},
		connect: func(_ context.Context, r connect.Request, _ func(connect.State)) (connect.Account, error) {
			asked = r
			return connect.Account{ID: "a1", VaultProgram: "x"}, nil
		},
	}
	if code := newBench(t, d).run(t, "connect", "--again", "me", "--scope", "c,a"); code != 0 {
		t.Fatal(code)
	}
	if asked.App != "shop" || asked.ExpectAccount != "a1" || asked.Choose != nil || asked.Decide != nil || !reflect.DeepEqual(asked.Scopes, []string{"a", "b", "c"}) {
		t.Errorf("%+v", asked)
	}
	d.account = func(string) (connect.Account, error) { return connect.Account{ID: "a1", Username: "me"}, nil }
	asked = connect.Request{}
	if code := newBench(t, d).run(t, "connect", "--again", "me"); code != 2 || asked.ExpectAccount != "" {
		t.Errorf("a pasted account without an app: %d %+v", code, asked)
	}
}

func TestAnAppWithoutASecretIsSavedWhereTheProviderTakesOne(t *testing.T) {
	for _, c := range []struct {
		provider, typed string
		terminal        bool
		code            int
		keep            bool
	}{
		{"oauth2", "", false, 0, false},
		{"oauth2", "", true, 0, false},
		{"oauth2", "s", true, 0, true},
		{"instagram", "", false, 2, false},
		{"instagram", "", true, 2, false},
	} {
		var got *connect.Setup
		d := &double{providers: shippedList(t), addApp: func(s connect.Setup, _ []string) (connect.App, error) {
			got = &s
			return connect.App{Name: s.App, SecretKept: s.KeepSecret}, nil
		}}
		b := newBench(t, d)
		b.answer = c.typed
		if c.terminal {
			b.terminals = []any{b.p.in, b.p.err}
		}
		code := b.run(t, "app", "add", "--name", "n", "--provider", c.provider, "--client-id", "1", "--config-id", "7")
		if code != c.code || (got != nil) != (code == 0) || got != nil && (got.KeepSecret != c.keep || got.ConfigID != "7") {
			t.Errorf("%+v: %d, %+v\n%s", c, code, got, b.err.String())
		}
	}
}

func TestRevokeSaysWhoElseLosesAccess(t *testing.T) {
	d := &double{
		account: func(string) (connect.Account, error) { return connect.Account{ID: "a1", Username: "me"}, nil },
		revoke: func(string) (connect.Revoked, error) {
			return connect.Revoked{AtProvider: true, Others: []string{"you", "we\x1b[2J"}}, nil
		},
	}
	b := newBench(t, d)
	if code := b.run(t, "revoke", "me"); code != 0 || !strings.Contains(b.err.String(), "@you, @we") || strings.Contains(b.err.String(), "\x1b") {
		t.Errorf("%d %q", code, b.err.String())
	}
}

func TestDoctorsLinesNameTheStepThatMendsThem(t *testing.T) {
	d := &double{
		providers: shippedList(t),
		apps: func() ([]connect.App, error) {
			return []connect.App{{Name: "feed", Provider: "threads"}}, nil
		},
		doctor: func(s connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
			if !s.Offline {
				t.Error("the network is asked")
			}
			observe(connect.Line{Check: "client_id", Level: connect.Bad, Problem: problem.New(problem.AppIDUnknown)})
			return nil, nil
		},
	}
	b := newBench(t, d)
	if code := b.run(t, "doctor", "--app", "feed", "--offline"); code == 0 || !strings.Contains(b.out.String(), "tokenkeepctl guide threads, step 3") {
		t.Errorf("%d %s", code, b.out.String())
	}
}

// What the window asks is named here and left to it.
func TestAnOpenQuestionOfAFormerSignInIsNamed(t *testing.T) {
	d := &double{
		recover: func() ([]connect.Recovered, error) {
			return []connect.Recovered{{ID: "p", Other: &connect.Other{Wanted: "me", Found: "you"}}}, nil
		},
		accounts: func() ([]connect.Account, error) { return nil, nil },
	}
	b := newBench(t, d)
	if code := b.run(t, "list"); code != 0 || !strings.Contains(b.err.String(), "@you, and not @me") {
		t.Errorf("%d %s", code, b.err.String())
	}
}

// A token of Facebook stands for a person: whose account is meant is said.
func TestImportTakesInTheAccountThatIsNamed(t *testing.T) {
	var got connect.Paste
	d := &double{storage: func() (connect.Storage, error) { return connect.Storage{}, nil }, imported: func(in connect.Paste) (connect.Account, error) {
		got = in
		return connect.Account{ID: "a1", Username: "me", VaultProgram: "x"}, nil
	}}
	b := newBench(t, d)
	b.p.in = strings.NewReader("EAAB\n")
	if code := b.run(t, "import", "--provider", "instagram-facebook", "--account", "@me", "--token-file", "-"); code != 0 || got.UserID != "me" {
		t.Errorf("%d, %q\n%s", code, got.UserID, b.err.String())
	}
	d.imported = func(connect.Paste) (connect.Account, error) {
		return connect.Account{}, problem.New(problem.ImportSeveral, "accounts", "@me, @you")
	}
	b = newBench(t, d)
	b.p.in = strings.NewReader("EAAB\n")
	if code := b.run(t, "import", "--provider", "instagram-facebook", "--token-file", "-"); code != 2 || !strings.Contains(b.err.String(), "--account NAME") {
		t.Errorf("%d\n%s", code, b.err.String())
	}
}

// What cannot be removed is said as it is, and what is of no use afterwards.
func TestProviderRemoveSaysWhatStays(t *testing.T) {
	d := &double{providers: shippedList(t), drop: func(id string) error {
		if id == "desk" {
			return nil
		}
		return problem.New(problem.ProviderUnknown, "provider", id)
	}, apps: func() ([]connect.App, error) {
		return []connect.App{{Name: "one", Provider: "desk"}, {Name: "two", Provider: "instagram"}}, nil
	}}
	for _, c := range []struct {
		id, said, not string
		code          int
	}{
		{"instagram", "came with Tokenkeep", "do not know", 2},
		{"nobody", "provider list", "came with", 2},
		{"desk", "without it: one.", "two", 0},
	} {
		b := newBench(t, d)
		code := b.run(t, "provider", "remove", c.id)
		if said := b.out.String() + b.err.String(); code != c.code || !strings.Contains(said, c.said) || strings.Contains(said, c.not) {
			t.Errorf("%s: %d %s", c.id, code, said)
		}
	}
	// An app whose provider is gone is not asked for its secret.
	d.connect = func(_ context.Context, r connect.Request, _ func(connect.State)) (connect.Account, error) {
		return connect.Account{}, problem.New(problem.ProviderUnknown, "provider", "desk")
	}
	b := newBench(t, d)
	if code := b.run(t, "connect", "--app", "one"); code != 2 || strings.Contains(b.err.String(), "secret") || !strings.Contains(b.err.String(), "desk") {
		t.Errorf("%d %s", code, b.err.String())
	}
}

// Whatever can be practised is ready while one practises.
func TestProviderListInPractice(t *testing.T) {
	b := newBench(t, &double{providers: shippedList(t), practising: true})
	if code := b.run(t, "provider", "list"); code != 0 || strings.Contains(b.out.String(), "add yours") || strings.Count(b.out.String(), "ready, in practice") != 2 {
		t.Errorf("%d %s", code, b.out.String())
	}
	b = newBench(t, &double{providers: shippedList(t), practising: true})
	if code := b.run(t, "provider", "list", "--json"); code != 0 || strings.Contains(b.out.String(), `"problem"`) {
		t.Errorf("%d %s", code, b.out.String())
	}
}

// A sentence that says until when names a moment, and what the provider did
// not say is not shown as nothing.
func TestShowAndUntil(t *testing.T) {
	b := newBench(t, nil)
	b.p.scan(nil)
	soon := b.p.now().Add(30 * time.Minute)
	if said := b.p.until(&soon); strings.HasPrefix(said, "in ") || !strings.Contains(said, soon.Local().Format("15:04")) {
		t.Errorf("%q", said)
	}
	d := &double{account: func(string) (connect.Account, error) {
		return connect.Account{ID: "a1", Username: "me", Vault: "keychain", ScopesAsked: []string{"threads_basic"}}, nil
	}}
	b = newBench(t, d)
	b.run(t, "show", "me", "--lang", "de")
	if out := b.out.String(); !strings.Contains(out, "ERBETEN") || !strings.Contains(out, "threads_basic") || strings.Contains(out, "DARF") || strings.Contains(out, "keychain") {
		t.Error(out)
	}
	d.account = func(string) (connect.Account, error) { return connect.Account{ID: "a1", Username: "me"}, nil }
	b = newBench(t, d)
	if b.run(t, "show", "me"); !strings.Contains(b.out.String(), "not known") || strings.Contains(b.out.String(), "ASKED FOR") {
		t.Error(b.out.String())
	}
}

// The way out comes after what is wrong.
func TestAFailedSignInEndsWithTheWayOut(t *testing.T) {
	d := &double{providers: shippedList(t),
		apps: func() ([]connect.App, error) {
			return []connect.App{{Name: "feed", Provider: "threads", SecretKept: true}}, nil
		},
		connect: func(_ context.Context, _ connect.Request, _ func(connect.State)) (connect.Account, error) {
			return connect.Account{}, problem.New(problem.AppIDUnknown)
		}}
	b := newBench(t, d)
	b.run(t, "connect", "--app", "feed")
	wrong, way := strings.Index(b.err.String(), "tokenkeepctl: "), strings.Index(b.err.String(), "tokenkeepctl guide threads, step 3")
	if wrong < 0 || way < wrong {
		t.Error(b.err.String())
	}
}

// The page that comes back is on the host that the address names.
func TestTheBrowsersWarningIsAnnouncedByTheRightName(t *testing.T) {
	for address, want := range map[string]string{"https://127.0.0.1:8919/": "127.0.0.1", "https://localhost:1/": "localhost", "https://[::1]:1/": "::1"} {
		if got := hostOf(address); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
	for _, lang := range text.Languages() {
		if said := text.For(lang).Say("cli.connect.warning_page", one("back", "127.0.0.1")); !strings.Contains(said, "127.0.0.1") || strings.Contains(said, "localhost") {
			t.Error(said)
		}
	}
}

// A step that ends in something of ours names the command.
func TestAStepNamesTheCommandThatGoesWithIt(t *testing.T) {
	for recipe, want := range map[string][]string{
		"own_app":         {"app add --name NAME --provider instagram --client-id ID", "doctor --app NAME", "connect --app NAME"},
		"dashboard_token": {"import --provider instagram"},
		"threads":         {"app add --name NAME --provider threads --client-id ID", "doctor --app NAME", "connect --app NAME"},
		"facebook":        {"app add --name NAME --provider instagram-facebook --client-id ID", "--client-id ID --config-id ID", "doctor --app NAME", "connect --app NAME"},
	} {
		b := newBench(t, &double{providers: shippedList(t)})
		b.run(t, "guide", recipe)
		said := b.out.String()
		for _, command := range want {
			i := strings.Index(said, "tokenkeepctl "+command)
			if strings.HasPrefix(command, "--") {
				i = strings.Index(said, command)
			}
			if i < 0 {
				t.Errorf("%s: %q is missing, or before the one above it:\n%s", recipe, command, said)
				break
			}
			said = said[i+1:]
		}
	}
}
