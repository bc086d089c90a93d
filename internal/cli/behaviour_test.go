package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// objects reads standard output, which with --json is one object a line and
// nothing besides.
func objects(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q is not an object: %v", line, err)
		}
		all = append(all, o)
	}
	return all
}

// Every key gets its kind's exit code, its object and its words.
func TestEveryProblemHasItsExitCodeItsObjectAndItsWords(t *testing.T) {
	codes := map[problem.Kind]int{problem.Internal: 1, problem.Input: 2, problem.Cancelled: 3, problem.Refused: 4,
		problem.Network: 5, problem.Vault: 6, problem.Timeout: 7, problem.Unknown: 8, problem.SignIn: 9}
	for _, lang := range text.Languages() {
		for _, entry := range problem.Table() {
			failed := problem.New(entry.Key).Said("their words").Because(errors.New("cause-with-a-secret"))
			b := newBench(t, &double{accounts: func() ([]connect.Account, error) { return nil, failed }})
			if code := b.run(t, "list", "--json", "--lang", lang); code != codes[entry.Kind] {
				t.Errorf("%s: exit code %d, want %d", entry.Key, code, codes[entry.Kind])
			}
			lines := objects(t, b.out.String())
			if len(lines) != 1 || lines[0]["event"] != "failed" {
				t.Fatalf("%s: %s", entry.Key, b.out.String())
			}
			p := lines[0]["problem"].(map[string]any)
			if p["kind"] != string(entry.Kind) || p["key"] != string(entry.Key) || p["provider_message"] != "their words" || p["title"] == "" || p["advice"] == "" || len(p) != 5 {
				t.Errorf("%s in %s: %v", entry.Key, lang, p)
			}
			said := b.err.String()
			if !strings.Contains(said, p["title"].(string)) || !strings.Contains(said, "their words") || strings.Contains(said+b.out.String(), "⟦") || strings.Contains(said, "cause-with") {
				t.Errorf("%s in %s is told so: %s", entry.Key, lang, said)
			}
		}
	}
}

// What a prompt says in other words belongs to a problem that exists, is there
// in both languages, and leaves variants alone.
func TestAPromptsOwnWords(t *testing.T) {
	for _, lang := range text.Languages() {
		p := &program{say: text.For(lang)}
		own := 0
		for _, entry := range problem.Table() {
			if p.words(problem.New(entry.Key)) != p.say.Tell(problem.New(entry.Key)) {
				own++
			}
		}
		data, err := os.ReadFile("../../resources/translations/" + lang + "/cli.toml")
		if err != nil {
			t.Fatal(err)
		}
		if listed := strings.Count(string(data), "[cli.told."); own != listed || own == 0 {
			t.Errorf("%s: %d problems have a prompt's own words, cli.toml lists %d", lang, own, listed)
		}
		variant := problem.New(problem.VaultLocked, "reason", "no-dialog")
		if p.words(variant) != p.say.Tell(variant) {
			t.Errorf("%s: the variant lost its words", lang)
		}
	}
}

func TestWithoutJSONStandardOutputIsForResultsOnly(t *testing.T) {
	b := newBench(t, &double{accounts: func() ([]connect.Account, error) { return nil, problem.New(problem.LibraryBroken) }})
	if code := b.run(t, "list"); code != 1 || b.out.Len() != 0 || b.err.Len() == 0 {
		t.Errorf("%d %q %q", code, b.out.String(), b.err.String())
	}
}

func TestStoppedCommandIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := newBench(t, &double{accounts: func() ([]connect.Account, error) { return nil, ctx.Err() }})
	if code := b.p.run(ctx, []string{"list"}); code != 3 || !strings.Contains(b.err.String(), "Stopped") {
		t.Errorf("%d %s", code, b.err.String())
	}
}

func TestEnvironmentIsRefusedBeforeAnythingOpens(t *testing.T) {
	for name, c := range map[string]struct {
		variable, value string
		key             problem.Key
	}{
		"session": {"TOKENKEEP_VAULT", "session", problem.VaultChoice},
		"plain":   {"TOKENKEEP_VAULT", "plain", problem.VaultChoice},
		"outside": {"TOKENKEEP_SANDBOX_URL", "http://example.org", problem.SandboxAddress},
		"path":    {"TOKENKEEP_SANDBOX_URL", "http://127.0.0.1:1/x", problem.SandboxAddress},
		"https":   {"TOKENKEEP_SANDBOX_URL", "https://127.0.0.1:1", problem.SandboxAddress},
	} {
		for _, command := range []string{"list", "doctor", "app list", "vault status", "token me", "connect --app x"} {
			b := newBench(t, nil)
			b.environment(c.variable, c.value)
			code := b.run(t, append(strings.Fields(command), "--json")...)
			if code != 2 || !strings.HasPrefix(command, "token") && !strings.Contains(b.out.String(), string(c.key)) {
				t.Errorf("%s, %s: %d %s", name, command, code, b.out.String())
			}
		}
	}
}

func TestAttendedMeansATerminalOnStandardError(t *testing.T) {
	for _, attended := range []bool{false, true} {
		b := newBench(t, &double{accounts: func() ([]connect.Account, error) { return nil, nil }})
		if attended {
			b.terminals = []any{b.p.err}
		}
		b.run(t, "list", "--lang", "de")
		if len(b.opened) != 1 || b.opened[0].Attended != attended || b.opened[0].Language != "de" || b.opened[0].Session {
			t.Errorf("%v: %+v", attended, b.opened)
		}
	}
}

const typed = "0123456789abcdef0123456789abcdef"

func TestSEC2_SecretFileMustBeTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		file string
		want problem.Key // empty: accepted
	}{
		{write("fine", typed+"\n", 0o600), ""},
		{write("padded", "  "+typed+" \r\n\n", 0o600), ""},
		{write("read-only", typed, 0o400), ""},
		{write("group", typed, 0o640), problem.SecretFileOpen},
		{write("others", typed, 0o604), problem.SecretFileOpen},
		{write("writable", typed, 0o620), problem.SecretFileOpen},
		{write("empty", "\n", 0o600), problem.SecretMissing},
		{filepath.Join(dir, "absent"), problem.SecretFileMissing},
		{dir, problem.SecretFileMissing},
	} {
		var got secret.Text
		b := newBench(t, &double{addApp: func(s connect.Setup, _ []string) (connect.App, error) {
			got = s.ClientSecret
			return connect.App{Name: s.App, SecretKept: s.KeepSecret}, nil
		}})
		code := b.run(t, "app", "add", "--name", "n", "--provider", "p", "--client-id", "1", "--client-secret-file", c.file, "--json")
		if c.want == "" {
			if code != 0 || got.Reveal() != typed {
				t.Errorf("%s: %d %s", c.file, code, b.err.String())
			}
		} else if code != 2 || !strings.Contains(b.out.String(), `"key":"`+string(c.want)+`"`) {
			t.Errorf("%s: %d %s", c.file, code, b.out.String())
		}
		if strings.Contains(b.out.String()+b.err.String(), typed) {
			t.Errorf("%s: the secret is printed", c.file)
		}
	}
}

func TestSecretIsAskedOnATerminalAndNowhereElse(t *testing.T) {
	kept := connect.App{Name: "kept", Provider: "instagram", SecretKept: true}
	forgotten := connect.App{Name: "forgotten", Provider: "instagram"}
	for name, c := range map[string]struct {
		args     []string
		stdin    string
		terminal bool
		want     string // the secret that reaches the core; "-" when the core is not asked
		asked    int
		keep     bool
	}{
		"add asks":                 {args: []string{"app", "add", "--name", "n", "--provider", "p", "--client-id", "1"}, terminal: true, want: typed, asked: 1, keep: true},
		"add without a terminal":   {args: []string{"app", "add", "--name", "n", "--provider", "p", "--client-id", "1"}, want: "-"},
		"add forgets":              {args: []string{"app", "add", "--name", "n", "--provider", "p", "--client-id", "1", "--forget-secret"}, terminal: true, want: ""},
		"add reads standard input": {args: []string{"app", "add", "--name", "n", "--provider", "p", "--client-id", "1", "--client-secret-file", "-"}, stdin: typed + "\nrest", want: typed, keep: true},
		"connect has a kept one":   {args: []string{"connect", "--app", "kept"}, terminal: true, want: "", keep: true},
		"connect asks":             {args: []string{"connect", "--app", "forgotten"}, terminal: true, want: typed, asked: 1},
		"connect needs one":        {args: []string{"connect", "--app", "forgotten"}, want: "-"},
		"connect replaces":         {args: []string{"connect", "--app", "kept", "--client-secret-file", "-"}, stdin: typed, want: typed, keep: true},
		"connect of nobody":        {args: []string{"connect", "--app", "nobody"}, terminal: true, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, keep := "-", false
			b := newBench(t, &double{
				providers: shippedList(t),
				apps:      func() ([]connect.App, error) { return []connect.App{kept, forgotten}, nil },
				addApp: func(s connect.Setup, _ []string) (connect.App, error) {
					got, keep = s.ClientSecret.Reveal(), s.KeepSecret
					return connect.App{Name: s.App}, nil
				},
				connect: func(_ context.Context, r connect.Request, _ func(connect.State)) (connect.Account, error) {
					got, keep = r.ClientSecret.Reveal(), r.KeepSecret
					return connect.Account{}, problem.New(problem.AppUnknown, "name", r.App)
				},
			})
			b.answer = typed
			b.p.in = strings.NewReader(c.stdin)
			if c.terminal {
				b.terminals = []any{b.p.in, b.p.err}
			}
			code := b.run(t, c.args...)
			if got != c.want || b.asked != c.asked || keep != c.keep {
				t.Errorf("secret %t, asked %d times, keep %t: %s", got == c.want, b.asked, keep, b.err.String())
			}
			if c.want == "-" && code != 2 {
				t.Errorf("exit code %d", code)
			}
			if strings.Contains(b.out.String()+b.err.String(), typed) {
				t.Error("the secret is printed")
			}
		})
	}
}

func TestTokenIsAloneOnStandardOutput(t *testing.T) {
	end := time.Date(2027, 1, 21, 9, 0, 0, 0, time.UTC)
	noted := 0
	d := &double{
		token: func(string) (connect.Handed, error) {
			return connect.Handed{AccessToken: secret.New("IGAAtoken"), TokenType: "bearer", ExpiresAt: &end}, nil
		},
		account: func(string) (connect.Account, error) { return connect.Account{ID: "a1"}, nil },
		note: func(id, event string) error {
			if id != "a1" || event != "shown" {
				t.Errorf("noted %s %s", id, event)
			}
			noted++
			return nil
		},
	}
	run := func(terminal bool, args ...string) (int, string) {
		b := newBench(t, d)
		if terminal {
			b.terminals = []any{b.p.out}
		}
		return b.run(t, args...), b.out.String()
	}
	if code, out := run(false, "token", "me"); code != 0 || out != "IGAAtoken\n" || noted != 0 {
		t.Errorf("%d %q", code, out)
	}
	if code, out := run(false, "token", "me", "--json"); code != 0 || out != `{"access_token":"IGAAtoken","token_type":"bearer","expires_at":"2027-01-21T09:00:00Z"}`+"\n" {
		t.Errorf("%d %q", code, out)
	}
	if code, out := run(true, "token", "me"); code != 2 || out != "" {
		t.Errorf("on a terminal: %d %q", code, out)
	}
	if code, out := run(true, "token", "me", "--show"); code != 0 || out != "IGAAtoken\n" || noted != 1 {
		t.Errorf("on a terminal with --show: %d %q, noted %d", code, out, noted)
	}
	for _, key := range []problem.Key{problem.TokenEnded, problem.PasswordChanged, problem.TokenGone} {
		d.token = func(string) (connect.Handed, error) { return connect.Handed{}, problem.New(key) }
		for _, args := range [][]string{{"token", "me"}, {"token", "me", "--json"}} {
			if code, out := run(false, args...); code != 9 || out != "" {
				t.Errorf("%s %q: %d %q", key, args, code, out)
			}
		}
	}
}

func TestDoctorExitsWithItsWorstLine(t *testing.T) {
	line := func(level connect.Level, key problem.Key) connect.Line {
		l := connect.Line{Check: "vault", Level: level}
		if key != "" {
			l.Problem = problem.New(key)
		}
		return l
	}
	for _, c := range []struct {
		lines []connect.Line
		want  int
	}{
		{nil, 0},
		{[]connect.Line{line(connect.Fine, ""), line(connect.Look, problem.SecretMissing)}, 0},
		{[]connect.Line{line(connect.Bad, problem.PortTaken)}, 2},
		{[]connect.Line{line(connect.Bad, problem.VaultAbsent), line(connect.Bad, problem.PortTaken), line(connect.Look, problem.TokenEnded)}, 6},
	} {
		b := newBench(t, &double{doctor: func(_ connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
			for _, l := range c.lines {
				observe(l)
			}
			return c.lines, nil
		}})
		if code := b.run(t, "doctor", "--json"); code != c.want || len(objects(t, b.out.String())) != len(c.lines) {
			t.Errorf("%v: %d %s", c.lines, code, b.out.String())
		}
	}
}

// A line of the doctor is told in words whatever the core finds.
func TestDoctorsFindingsHaveWords(t *testing.T) {
	lines := []connect.Line{
		{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "15"}},
		{Check: "client_secret", Level: connect.Fine, Args: map[string]string{"n": "32", "expected": "32"}},
		{Check: "client_secret", Level: connect.Fine, Variant: "kept", Args: map[string]string{"kept": "yes"}},
		{Check: "client_secret", Level: connect.Look, Args: map[string]string{"n": "31", "expected": "32"}},
		{Check: "client_secret", Level: connect.Look, Args: map[string]string{"n": "33", "expected": "32"}},
		{Check: "redirect", Level: connect.Fine, Args: map[string]string{"address": "https://localhost/"}},
		{Check: "port", Level: connect.Fine, Args: map[string]string{"port": "1"}},
		{Check: "vault", Level: connect.Fine, Args: map[string]string{"program": "x"}},
		{Check: "address", Level: connect.Yours, Args: map[string]string{"address": "https://localhost/"}},
	}
	for _, lang := range text.Languages() {
		p := &program{say: text.For(lang)}
		for _, l := range lines {
			title, detail := p.finding(l)
			if said := title + detail; title == "" || strings.Contains(said, "⟦") || strings.Contains(said, "<no value>") {
				t.Errorf("%s: %+v is told so: %s", lang, l, said)
			}
		}
		for _, level := range []connect.Level{connect.Fine, connect.Yours, connect.Look, connect.Bad} {
			if !p.say.Has("cli.doctor.mark." + string(level)) {
				t.Errorf("%s: no mark for %s", lang, level)
			}
		}
	}
}

// waiting plays a core that waits for pasted texts and judges them.
func waiting(accept string, listens bool) func(context.Context, connect.Request, func(connect.State)) (connect.Account, error) {
	return func(ctx context.Context, r connect.Request, observe func(connect.State)) (connect.Account, error) {
		s := connect.State{Step: connect.Checking}
		observe(s)
		s.Step, s.Listens, s.RedirectURI = connect.Waiting, listens, "https://localhost:8919/"
		s.AuthorizeURL, s.Deadline = secret.New("https://www.instagram.com/oauth/authorize?state=abc"), fixedNow().Add(10*time.Minute)
		observe(s)
		for {
			select {
			case text := <-r.Pasted:
				if text == accept {
					for _, step := range []connect.Step{connect.Answered, connect.Exchanging, connect.Extending, connect.Identifying, connect.Saving} {
						s.Step, s.Refused = step, nil
						observe(s)
					}
					account := connect.Account{ID: "a1", Username: "me", Lifetime: connect.Long, VaultProgram: "a keychain"}
					s.Step, s.Account = connect.Connected, &account
					observe(s)
					return account, nil
				}
				s.Refused = problem.New(problem.PasteNoCode)
				observe(s)
			case <-ctx.Done():
				p := problem.New(problem.SignInCancelled)
				s.Step, s.Problem = connect.Failed, p
				observe(s)
				return connect.Account{}, p
			}
		}
	}
}

func TestPastedLinesAreOfferedOneByOne(t *testing.T) {
	apps := func() ([]connect.App, error) { return []connect.App{{Name: "s", SecretKept: true}}, nil }
	for name, c := range map[string]struct {
		stdin, args string
		listens     bool
		want        int
		refused     int
	}{
		"the first":                          {stdin: "right\n", args: "--receive paste", want: 0},
		"the third":                          {stdin: "wrong\n\n  \nworse\nright", args: "--receive paste", want: 0, refused: 2},
		"in two halves":                      {stdin: "rig\nht\n", args: "--receive paste", want: 0, refused: 2},
		"none":                               {stdin: "wrong\n", args: "--receive paste", want: 2, refused: 1},
		"nothing":                            {stdin: "", args: "--receive paste", want: 2},
		"nothing listens, so it is read":     {stdin: "right", want: 0},
		"nothing listens and nothing pasted": {stdin: "", want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &double{apps: apps, connect: waiting("right", c.listens)})
			b.p.in = strings.NewReader(c.stdin)
			code := b.run(t, append([]string{"connect", "--app", "s", "--json"}, strings.Fields(c.args)...)...)
			lines := objects(t, b.out.String())
			refused := 0
			for _, l := range lines {
				if l["event"] == "answer_refused" {
					refused++
				}
			}
			last := lines[len(lines)-1]
			if code != c.want || refused != c.refused || (last["event"] == "connected") != (c.want == 0) {
				t.Errorf("%d, %d refused, %v", code, refused, lines)
			}
			if c.want != 0 && last["problem"].(map[string]any)["key"] != string(problem.PasteNoCode) {
				t.Errorf("%v", last)
			}
		})
	}
}

// A script that listens may have anything on its standard input: it is left alone.
func TestListeningLeavesStandardInputAlone(t *testing.T) {
	in := &refusingReader{}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b := newBench(t, &double{apps: func() ([]connect.App, error) { return []connect.App{{Name: "s", SecretKept: true}}, nil }, connect: waiting("right", true)})
	b.p.in = in
	if code := b.p.run(ctx, []string{"connect", "--app", "s", "--json"}); code != 3 || in.reads() != 0 {
		t.Errorf("%d, read %d times", code, in.reads())
	}
}

type refusingReader struct {
	mu sync.Mutex
	n  int
}

func (r *refusingReader) Read([]byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	return 0, io.EOF
}

func (r *refusingReader) reads() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

func TestConnectShowsTheAddressOnlyWhereItIsNeeded(t *testing.T) {
	apps := func() ([]connect.App, error) { return []connect.App{{Name: "s", SecretKept: true}}, nil }
	for _, c := range []struct {
		args    string
		visible bool
	}{{"--receive paste", false}, {"--receive paste --browser none", true}} {
		b := newBench(t, &double{apps: apps, connect: waiting("right", false)})
		b.p.in = strings.NewReader("right\n")
		if code := b.run(t, append([]string{"connect", "--app", "s"}, strings.Fields(c.args)...)...); code != 0 {
			t.Fatal(b.err.String())
		}
		if strings.Contains(b.err.String(), "state=abc") != c.visible || strings.Contains(b.out.String(), "state=abc") {
			t.Errorf("%s: %s", c.args, b.err.String())
		}
		if !strings.Contains(b.out.String(), "@me is connected.") || !strings.Contains(b.out.String(), "a keychain") {
			t.Errorf("%s", b.out.String())
		}
	}
}

func TestStrangersAreMentionedFromTheTwentiethOn(t *testing.T) {
	b := newBench(t, nil)
	b.p.say = text.For("en")
	a := &attempt{p: b.p}
	title := b.p.say.Tell(problem.New(problem.AnswerStrangers)).Title
	for n := 1; n <= 40; n++ {
		a.observe(connect.State{Step: connect.Waiting, Strangers: n})
		if said := strings.Count(b.err.String(), title); n < 20 && said != 0 || n >= 20 && said != 1 {
			t.Fatalf("at %d it was said %d times", n, said)
		}
	}
}

func TestNamesFromOutsideCannotDisturbATable(t *testing.T) {
	b := newBench(t, &double{accounts: func() ([]connect.Account, error) {
		return []connect.Account{{ID: "a1", Username: "ev\til\x1b[31m\u202ename", App: "a\tb", Status: connect.Healthy}}, nil
	}})
	b.run(t, "list")
	if out := b.out.String(); strings.ContainsAny(out, "\x1b\u202e\t") || strings.Count(out, "\n") != 2 {
		t.Errorf("%q", out)
	}
}

func TestRecoveredSignInsAreSaid(t *testing.T) {
	b := newBench(t, &double{
		accounts: func() ([]connect.Account, error) { return nil, nil },
		recover: func() ([]connect.Recovered, error) {
			return []connect.Recovered{{Account: &connect.Account{Username: "me"}}, {Problem: problem.New(problem.Interrupted)}}, problem.New(problem.VaultLocked)
		},
	})
	if code := b.run(t, "list"); code != 0 || !strings.Contains(b.err.String(), "@me is connected") {
		t.Errorf("%d %s", code, b.err.String())
	}
	for _, key := range []problem.Key{problem.Interrupted, problem.VaultLocked} {
		if title := b.p.words(problem.New(key)).Title; !strings.Contains(b.err.String(), title) {
			t.Errorf("%q is not said", title)
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, seed := range []string{"", "\n", "a\nb", "a\r\n\r\nb\n", strings.Repeat("x", 5000) + "\ny", "\x00\xff\n"} {
		f.Add(seed, 100)
	}
	f.Fuzz(func(t *testing.T, input string, limit int) {
		if limit < 1 || limit > 10000 {
			return
		}
		var l lineReader
		in := strings.NewReader(input)
		var got []string
		for {
			line, err := l.next(in, limit)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				break
			}
			if len(line) > limit || strings.Contains(line, "\n") {
				t.Fatalf("%d bytes of %d", len(line), limit)
			}
			got = append(got, line)
		}
		want := strings.Split(input, "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if len(got) != len(want) {
			t.Fatalf("%d lines of %d", len(got), len(want))
		}
		for i := range want {
			if cut := want[i][:min(limit, len(want[i]))]; got[i] != strings.TrimRight(cut, "\r\n") {
				t.Fatalf("line %d is %q, want %q", i, got[i], cut)
			}
		}
	})
}
