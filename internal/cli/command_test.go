package cli

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

var update = flag.Bool("update", false, "write the golden help texts")

func fixedNow() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// options runs one command line against a root whose only command captures
// what it was given.
func options(t *testing.T, b *bench, child func(p *program) *cobra.Command, args ...string) error {
	t.Helper()
	b.p.scan(args)
	root := b.p.root(child(b.p))
	root.SetArgs(args)
	root.SetOut(&b.out)
	root.SetErr(&b.err)
	return root.ExecuteContext(t.Context())
}

func TestConnectFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want connectOptions
		bad  string // the flag that the refusal names
	}{
		"least":              {args: []string{"--app", "shop"}, want: connectOptions{App: "shop", Timeout: 10 * time.Minute}},
		"all":                {args: []string{"--app=shop", "--scope", "a", "--scope", "b,c", "--receive", "paste", "--browser", "none", "--timeout", "90s", "--expect", " @me ", "--client-secret-file", "-"}, want: connectOptions{App: "shop", Scopes: []string{"a", "b", "c"}, Receive: connect.ReceivePaste, Browser: connect.BrowserNone, Timeout: 90 * time.Second, Expect: "me", SecretFile: "-"}},
		"scopes with blanks": {args: []string{"--app", "s", "--scope", "a b, c"}, want: connectOptions{App: "s", Scopes: []string{"a", "b", "c"}, Timeout: 10 * time.Minute}},
		"the longest wait":   {args: []string{"--app", "s", "--timeout", "24h"}, want: connectOptions{App: "s", Timeout: 24 * time.Hour}},
		"no app":             {args: nil, bad: "--app"},
		"way":                {args: []string{"--app", "s", "--receive", "pigeon"}, bad: "--receive"},
		"browser":            {args: []string{"--app", "s", "--browser", "lynx"}, bad: "--browser"},
		"no time":            {args: []string{"--app", "s", "--timeout", "0"}, bad: "--timeout"},
		"again":              {args: []string{"--again", "me"}, want: connectOptions{Again: "me", Timeout: 10 * time.Minute}},
		"which accounts":     {args: []string{"--app", "s", "--account", "@a, b", "--account", "c"}, want: connectOptions{App: "s", Accounts: []string{"a", "b", "c"}, Timeout: 10 * time.Minute}},
		"again as another":   {args: []string{"--again", "me", "--expect", "you"}, bad: "*"},
		"past":               {args: []string{"--app", "s", "--timeout", "-5m"}, bad: "--timeout"},
		"no unit":            {args: []string{"--app", "s", "--timeout", "10"}, bad: "--timeout"},
		"too long":           {args: []string{"--app", "s", "--timeout", "25h"}, bad: "--timeout"},
		"no value":           {args: []string{"--app"}, bad: "--app"},
		"unknown":            {args: []string{"--app", "s", "--colour"}, bad: "--colour"},
		"surplus":            {args: []string{"--app", "s", "surplus"}, bad: "*"},
	} {
		t.Run(name, func(t *testing.T) {
			var got connectOptions
			b := newBench(t, nil)
			err := options(t, b, func(p *program) *cobra.Command {
				return p.connectCommand(func(_ context.Context, o connectOptions) error { got = o; return nil })
			}, append([]string{"connect"}, c.args...)...)
			if c.bad != "" {
				p := problem.Of(err)
				if p == nil || p.Key != problem.UsageWrong || c.bad != "*" && p.Args["flag"] != c.bad {
					t.Fatalf("%v, want a refusal of %s", err, c.bad)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestAppAddFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want appAddOptions
		bad  string
	}{
		"least":       {args: []string{"--name", "n", "--provider", "p", "--client-id", "1"}, want: appAddOptions{Name: "n", Provider: "p", ClientID: "1"}},
		"all":         {args: []string{"--name", "n", "--provider", "p", "--client-id", "1", "--client-secret-file", "f", "--forget-secret", "--redirect-uri", "u", "--scope", "s", "--config-id", "c"}, want: appAddOptions{Name: "n", Provider: "p", ClientID: "1", SecretFile: "f", ForgetSecret: true, RedirectURI: "u", ConfigID: "c", Scopes: []string{"s"}}},
		"empty is ok": {args: []string{"--name", "", "--provider", "", "--client-id", ""}},
		"no name":     {args: []string{"--provider", "p", "--client-id", "1"}, bad: "--name"},
		"no provider": {args: []string{"--name", "n", "--client-id", "1"}, bad: "--provider"},
		"no id":       {args: []string{"--name", "n", "--provider", "p"}, bad: "--client-id"},
		"a switch":    {args: []string{"--forget-secret=perhaps"}, bad: "*"},
	} {
		t.Run(name, func(t *testing.T) {
			var got appAddOptions
			err := options(t, newBench(t, nil), func(p *program) *cobra.Command {
				return p.group("app", p.appAddCommand(func(_ context.Context, o appAddOptions) error { got = o; return nil }))
			}, append([]string{"app", "add"}, c.args...)...)
			if c.bad != "" {
				if p := problem.Of(err); p == nil || p.Key != problem.UsageWrong || c.bad != "*" && p.Args["flag"] != c.bad {
					t.Fatalf("%v, want a refusal of %s", err, c.bad)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestOtherFlags(t *testing.T) {
	var got []any
	keep := func(v any) error { got = append(got, v); return nil }
	text1 := func(_ context.Context, s string) error { return keep(s) }
	none := func(context.Context) error { return keep("ran") }
	children := func(p *program) *cobra.Command {
		return p.group("vault",
			p.tokenCommand(func(_ context.Context, o tokenOptions) error { return keep(o) }),
			p.doctorCommand(func(_ context.Context, o doctorOptions) error { return keep(o) }),
			p.sandboxServeCommand(func(_ context.Context, o sandboxOptions) error { return keep(o) }),
			p.showCommand(text1), p.removeCommand(text1), p.listCommand(none), p.vaultStatusCommand(none), p.vaultSelfTestCommand(none))
	}
	for _, c := range []struct {
		line string
		want any // nil: refused
	}{
		{"token me", tokenOptions{Account: "me"}},
		{"token me@app --show", tokenOptions{Account: "me@app", Show: true}},
		{"token", nil},
		{"token a b", nil},
		{"doctor", doctorOptions{}},
		{"doctor --app x", doctorOptions{App: "x"}},
		{"doctor --offline", doctorOptions{Offline: true}},
		{"serve", sandboxOptions{Addr: "127.0.0.1:0", Scenario: "ok"}},
		{"serve --addr [::1]:80 --scenario deny", sandboxOptions{Addr: "[::1]:80", Scenario: "deny"}},
		{"serve --addr localhost:1", sandboxOptions{Addr: "localhost:1", Scenario: "ok"}},
		{"serve --addr :8080", nil},
		{"serve --addr 192.168.1.5:8080", nil},
		{"serve --addr example.org:8080", nil},
		{"serve --addr 127.0.0.1", nil},
		{"serve --scenario worse", nil},
		{"show me", "me"},
		{"show", nil},
		{"remove me", "me"},
		{"list", "ran"},
		{"list me", nil},
		{"status", "ran"},
		{"self-test", "ran"},
		{"nonsense", nil},
		{"", nil},
	} {
		got = nil
		err := options(t, newBench(t, nil), children, append([]string{"vault"}, strings.Fields(c.line)...)...)
		switch {
		case c.want == nil && !problem.Has(err, problem.UsageWrong):
			t.Errorf("%q: %v, want a refusal", c.line, err)
		case c.want == nil && len(got) > 0:
			t.Errorf("%q ran", c.line)
		case c.want != nil && (err != nil || len(got) != 1 || got[0] != c.want):
			t.Errorf("%q: %v, %v", c.line, got, err)
		}
	}
}

// everyCommand walks the commands with their paths, "" being the program.
func everyCommand(root *cobra.Command, visit func(path string, cmd *cobra.Command)) {
	visit(strings.TrimSpace(strings.TrimPrefix(root.CommandPath(), programName)), root)
	for _, child := range root.Commands() {
		everyCommand(child, visit)
	}
}

func paths(t *testing.T) []string {
	b := newBench(t, nil)
	b.p.say = text.For("en")
	var all []string
	everyCommand(b.p.commands(), func(path string, _ *cobra.Command) { all = append(all, path) })
	return all
}

// The contract's commands of this version, and no others: what does not work
// yet is not there (ruling 12).
func TestCommandsAreThoseOfTheContract(t *testing.T) {
	want := []string{"", "app", "app add", "app list", "app remove", "bundle", "calendar", "check", "completion", "connect", "diary", "doctor", "guide",
		"import", "inspect", "list", "provider", "provider add", "provider confirm", "provider list", "provider remove", "remove", "renew", "revoke", "sandbox", "sandbox serve", "show",
		"timer", "timer off", "timer on", "timer status", "token", "vault", "vault self-test", "vault status"}
	if got := paths(t); !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// SEC-2: the help of every command, word for word, in every language; and no
// flag in it takes a secret.
func TestSEC2_HelpOfEveryCommandHasNoSecretFlag(t *testing.T) {
	for _, lang := range text.Languages() {
		for _, path := range paths(t) {
			b := newBench(t, nil)
			if code := b.run(t, append(strings.Fields(path), "--help", "--lang", lang)...); code != 0 || b.err.Len() > 0 {
				t.Fatalf("%s --help: %d %s", path, code, b.err.String())
			}
			got := b.out.String()
			for _, word := range strings.Fields(got) {
				name, isFlag := strings.CutPrefix(strings.Trim(word, "`,.:"), "--")
				if isFlag && soundsSecret(name) && name != "client-secret-file" && name != "forget-secret" && name != "token-file" && name != "token-url" {
					t.Errorf("%s --help shows --%s", path, name)
				}
			}
			if strings.Contains(got, "⟦") || strings.Contains(got, "<no value>") {
				t.Errorf("%s --help lacks a sentence in %s:\n%s", path, lang, got)
			}
			file := filepath.Join("testdata", "help", lang, strings.ReplaceAll(programName+" "+path, " ", "-")+".txt")
			file = strings.Replace(file, "-.txt", ".txt", 1)
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s --help in %s differs from %s (go test -update writes it): %v\n%s", path, lang, file, err, got)
			}
		}
	}
}

func TestHelpIsInTheLanguageThatWasAskedFor(t *testing.T) {
	for _, args := range [][]string{{"help", "app", "add"}, {"app", "add", "-h"}, {"--lang=de_AT.UTF-8", "app", "add", "--help"}} {
		b := newBench(t, nil)
		b.environment("LC_ALL", "de_DE.UTF-8")
		if code := b.run(t, args...); code != 0 || !strings.Contains(b.out.String(), "Speichert eine App") {
			t.Errorf("%q: %d %s", args, code, b.out.String())
		}
		for _, english := range []string{"Usage:", "Flags:", "help for", "Use \"", "Aliases:", "(default"} {
			if strings.Contains(b.out.String(), english) {
				t.Errorf("%q: %q is English", args, english)
			}
		}
	}
	b := newBench(t, nil)
	if code := b.run(t, "help", "nonsense"); code != 2 {
		t.Errorf("help of nothing: %d", code)
	}
	if code := b.run(t, "list", "--lang", "tlh"); code != 2 || !strings.Contains(b.err.String(), "--lang") {
		t.Errorf("an unknown language: %d %s", code, b.err.String())
	}
}

// SEC-2: a flag that looks as if it carried a secret is refused with the right
// way, and its value appears nowhere.
func TestSEC2_SecretFlagsAreRefusedAndNotRepeated(t *testing.T) {
	const value = "s3cr3t-value-of-somebody"
	for _, path := range []string{"app add", "connect", "token me", "list", "vault self-test"} {
		for _, flag := range []string{"client-secret", "secret", "app-secret", "token", "access-token", "password", "passphrase"} {
			for _, form := range [][]string{{"--" + flag + "=" + value}, {"--" + flag, value}} {
				b := newBench(t, nil)
				code := b.run(t, append(append(strings.Fields(path), form...), "--json")...)
				said := b.out.String() + b.err.String()
				if code != 2 || !strings.Contains(said, "--client-secret-file") || !strings.Contains(said, `"kind":"input","key":"usage"`) {
					t.Errorf("%s %v: %d %s", path, form, code, said)
				}
				if strings.Contains(said, value) {
					t.Errorf("%s %v repeats the value", path, form)
				}
			}
		}
	}
}

// What was typed in a wrong place may be a secret.
func TestNothingTypedIsRepeated(t *testing.T) {
	const value = "IGAAsomebodys-token-in-the-wrong-place"
	for _, args := range [][]string{
		{value}, {"app", value}, {"list", value}, {"token", "a", value}, {"connect", "--app", "s", "--timeout", value},
		{"connect", "--app", "s", "--receive", value}, {"completion", value}, {"--json=" + value}, {"sandbox", "serve", "--scenario", value}, {"help", value},
	} {
		b := newBench(t, nil)
		if code := b.run(t, args...); code != 2 {
			t.Errorf("%q: %d", args, code)
		}
		if said := b.out.String() + b.err.String(); strings.Contains(said, value) {
			t.Errorf("%q is repeated: %s", args, said)
		}
	}
}

// Every refusal of a command line has its sentences in every language.
func TestUsageSentences(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]bool{}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(data), `usage("`)[1:] {
			reason, _, _ := strings.Cut(part, `"`)
			reasons[reason] = true
		}
	}
	if len(reasons) < 10 {
		t.Fatalf("found only %v", reasons)
	}
	for _, lang := range text.Languages() {
		say := text.For(lang)
		for reason := range reasons {
			if told := say.Tell(usage(reason)); !say.Has("problem.usage."+reason+".title") || told.Title == "" || told.Happened == "" || told.Advice == "" {
				t.Errorf("%s: problem.usage.%s is not told: %+v", lang, reason, told)
			}
		}
	}
}

func TestCompletionScriptsNameTheProgram(t *testing.T) {
	for _, shell := range shells {
		b := newBench(t, nil)
		if code := b.run(t, "completion", shell); code != 0 || b.out.Len() < 1000 || !strings.Contains(b.out.String(), programName) {
			t.Errorf("%s: %d, %d bytes", shell, code, b.out.Len())
		}
	}
}

func TestCompletionOffersCommandsFlagsAndNamesButNeverSecrets(t *testing.T) {
	definitions, problems := provider.Load("")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d := &double{
		providers: definitions.List(),
		apps: func() ([]connect.App, error) {
			return []connect.App{{Name: "shop", Provider: "instagram"}, {Name: "blog", Provider: "threads"}, {Name: "odd\tname"}}, nil
		},
		accounts: func() ([]connect.Account, error) {
			return []connect.Account{{ID: "a1", Username: "lantern.books", App: "shop"}, {ID: "a2", Username: "twin", App: "shop"}, {ID: "a3", Username: "Twin", App: "blog"}, {ID: "a4"}}, nil
		},
		// Tab must not finish sign-ins or touch the keychain.
		recover: func() ([]connect.Recovered, error) { t.Error("Recover was called"); return nil, nil },
	}
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", []string{"app", "bundle", "calendar", "check", "completion", "connect", "diary", "doctor", "guide", "help", "import", "inspect", "list", "provider", "remove", "renew", "revoke", "sandbox", "show", "timer", "token", "vault"}},
		{"app ", []string{"add", "list", "remove"}},
		{"app remove ", []string{"shop", "blog"}},
		{"connect --app ", []string{"shop", "blog"}},
		{"connect --receive ", []string{"listen", "paste", "window"}},
		{"connect --browser ", []string{"default", "separate", "none"}},
		{"connect --expect ", []string{"lantern.books", "twin", "Twin"}},
		{"connect --app shop --scope instagram_business_manage_m", []string{"instagram_business_manage_messages"}},
		{"app add --provider instagram", []string{"instagram", "instagram-facebook"}},
		{"show ", []string{"lantern.books", "twin@shop", "Twin@blog", "a4"}},
		{"show lantern.books ", nil},
		{"renew lantern.books ", []string{"twin@shop", "Twin@blog", "a4"}},
		{"check ", []string{"lantern.books", "twin@shop", "Twin@blog", "a4"}},
		{"revoke ", []string{"lantern.books", "twin@shop", "Twin@blog", "a4"}},
		{"diary ", []string{"lantern.books", "twin@shop", "Twin@blog", "a4"}},
		{"import --provider thr", []string{"threads"}},
		{"guide ", []string{"own_app", "dashboard_token", "tester_invite", "facebook", "threads"}},
		{"connect --again ", []string{"lantern.books", "twin@shop", "Twin@blog", "a4"}},
		{"import --app ", []string{"shop", "blog"}},
		{"import --token", []string{"--token-file"}},
		{"calendar o", []string{"off"}},
		{"completion ", shells},
		{"sandbox serve --scenario d", []string{"deny"}},
		{"connect --client-s", []string{"--client-secret-file"}},
	} {
		b := newBench(t, d)
		words := strings.Split(c.line, " ")
		if code := b.run(t, append([]string{"__completeNoDesc"}, words...)...); code != 0 {
			t.Fatalf("%q: %d %s", c.line, code, b.err.String())
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(b.out.String()), "\n") {
			if !strings.HasPrefix(line, ":") && (strings.HasPrefix(line, words[len(words)-1]) || words[len(words)-1] == "") {
				got = append(got, line)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q offers %q, want %q", c.line, got, c.want)
		}
	}
}

// SEC-13: the pretend provider takes secrets, so only this computer may reach it.
func TestSEC13_SandboxListensOnThisComputerOnly(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:0": true, "[::1]:80": true, "localhost:1": true, "127.9.9.9:1": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "10.0.0.1:80": false, "example.org:80": false,
		"localhost.example.org:80": false, "127.0.0.1": false, "": false, "[::ffff:10.0.0.1]:80": false,
	} {
		if loopback(addr) != want {
			t.Errorf("%q: %t", addr, !want)
		}
	}
}
