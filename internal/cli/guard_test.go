package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

const pastedToken = "IGAAcanary0123456789canary0123456789canary"

// inDays is an account whose token ends in so many days and renews by itself.
func inDays(id string, days int) connect.Account {
	end, issued := fixedNow().AddDate(0, 0, days), fixedNow().AddDate(0, 0, days-60)
	after, due := issued.AddDate(0, 0, 1), end.AddDate(0, 0, -20)
	return connect.Account{
		ID: id, Username: "name." + id, Provider: "instagram", ProviderName: "Instagram", Status: connect.Healthy, Lifetime: connect.Long,
		IssuedAt: &issued, ExpiresAt: &end, RenewAfter: &after, DueAt: &due, Renews: true,
	}
}

func among(accounts ...connect.Account) func(string) (connect.Account, error) {
	return func(ref string) (connect.Account, error) {
		for _, a := range accounts {
			if ref == a.ID || ref == a.Username {
				return a, nil
			}
		}
		return connect.Account{}, problem.New(problem.AccountUnknown, "name", ref)
	}
}

func TestWhichAccounts(t *testing.T) {
	for line, want := range map[string]bool{
		"renew": false, "renew a": true, "renew a b": true, "renew --due": true, "renew --all": true,
		"renew --due --all": false, "renew a --due": false, "renew a --all": false,
		"check": false, "check a": true, "check a b": true, "check --all": true, "check a --all": false,
	} {
		ran := 0
		err := options(t, newBench(t, nil), func(p *program) *cobra.Command {
			return p.group("vault",
				p.renewCommand(func(context.Context, renewOptions) error { ran++; return nil }),
				p.checkCommand(func(context.Context, chosen) error { ran++; return nil }))
		}, append([]string{"vault"}, strings.Fields(line)...)...)
		if (err == nil) != want || (ran == 1) != want || !want && !problem.Has(err, problem.UsageWrong) {
			t.Errorf("%q: %v, ran %d times", line, err, ran)
		}
	}
}

// Nothing due and too young are no failure; of several the highest code counts.
func TestRenewExitsWithTheHighestCodeMet(t *testing.T) {
	next := fixedNow().Add(5 * time.Hour)
	outcomes := map[string]connect.Renewal{
		"renewed": {Outcome: connect.Renewed}, "notdue": {Outcome: connect.NotDue, Next: &next}, "young": {Outcome: connect.TooYoung, Next: &next},
		"already": {Outcome: connect.AlreadyRenewed}, "waiting": {Outcome: connect.RenewWaiting, Next: &next},
		"busy":  {Outcome: connect.RenewFailed, Problem: problem.New(problem.ProviderBusy), Next: &next},
		"ended": {Outcome: connect.RenewFailed, Problem: problem.New(problem.TokenEnded)},
		"odd":   {Outcome: connect.RenewFailed},
	}
	for _, c := range []struct {
		accounts string
		want     int
		events   string
	}{
		{"renewed", 0, "renewed"}, {"notdue", 0, "not_due"}, {"young", 0, "too_young"}, {"already", 0, "already"}, {"waiting", 0, "waiting"},
		{"busy", 5, "failed"}, {"ended", 9, "failed"}, {"odd", 1, "failed"}, {"locked", 6, "failed"}, {"nobody", 2, "failed"},
		{"renewed busy ended locked notdue", 9, "renewed failed failed failed not_due"},
		{"nobody renewed", 2, "failed renewed"},
		{"renewed renewed name.renewed", 0, "renewed"},
	} {
		var all []connect.Account
		for _, id := range append(slices.Sorted(mapKeys(outcomes)), "locked") {
			all = append(all, inDays(id, 10))
		}
		d := &double{account: among(all...), renew: func(ref string, o connect.RenewOptions) (connect.Renewal, error) {
			if o.OnlyDue {
				t.Error("a person's wish was taken for the timer's")
			}
			if ref == "locked" {
				return connect.Renewal{}, problem.New(problem.VaultLocked)
			}
			r := outcomes[ref]
			r.Account, _ = among(all...)(ref)
			return r, nil
		}}
		for _, lang := range text.Languages() {
			b := newBench(t, d)
			code := b.run(t, append([]string{"renew", "--json", "--lang", lang}, strings.Fields(c.accounts)...)...)
			var events []string
			for _, o := range objects(t, b.out.String()) {
				events = append(events, o["event"].(string))
			}
			if code != c.want || strings.Join(events, " ") != c.events {
				t.Errorf("%s: %d %v", c.accounts, code, events)
			}
			if said := b.err.String(); said == "" || strings.Contains(said, "⟦") || strings.Contains(said, "<no value>") {
				t.Errorf("%s in %s is told so: %s", c.accounts, lang, said)
			}
		}
	}
	for _, o := range []connect.Outcome{connect.NotDue, connect.TooYoung, connect.RenewWaiting} {
		b := newBench(t, &double{account: among(inDays("a", 9)), renew: func(string, connect.RenewOptions) (connect.Renewal, error) {
			return connect.Renewal{Account: inDays("a", 9), Outcome: o}, nil
		}})
		if code := b.run(t, "renew", "a"); code != 0 || strings.Contains(b.out.String(), "no value") || b.out.Len() == 0 {
			t.Errorf("%s without a moment: %d %s", o, code, b.out.String())
		}
	}
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestRenewAll(t *testing.T) {
	var asked []string
	d := &double{
		accounts: func() ([]connect.Account, error) { return []connect.Account{inDays("a", 50), inDays("b", 3)}, nil },
		renew: func(ref string, _ connect.RenewOptions) (connect.Renewal, error) {
			asked = append(asked, ref)
			return connect.Renewal{Outcome: connect.Renewed, Account: inDays(ref, 60)}, nil
		},
	}
	b := newBench(t, d)
	if code := b.run(t, "renew", "--all", "--json"); code != 0 || !slices.Equal(asked, []string{"a", "b"}) {
		t.Errorf("%d %v %s", code, asked, b.err.String())
	}
}

// dueWorld is a core whose accounts renew as outcome says.
func dueWorld(outcome map[string]connect.Renewal, accounts ...connect.Account) *double {
	return &double{
		accounts: func() ([]connect.Account, error) { return accounts, nil },
		note: func(_, event string) error {
			if event != "warned" {
				return errors.New("noted " + event)
			}
			return nil
		},
		renew: func(ref string, o connect.RenewOptions) (connect.Renewal, error) {
			r, ok := outcome[ref]
			if !ok || !o.OnlyDue {
				return r, problem.New(problem.Unexpected)
			}
			r.Account, _ = among(accounts...)(ref)
			return r, nil
		},
	}
}

func TestRenewDue(t *testing.T) {
	d := dueWorld(map[string]connect.Renewal{
		"a": {Outcome: connect.Renewed}, "b": {Outcome: connect.RenewFailed, Problem: problem.New(problem.ProviderDown)}, "c": {Outcome: connect.AlreadyRenewed},
	}, inDays("a", 19), inDays("b", 18), inDays("c", 17), inDays("d", 40), inDays("e", 41))
	b := newBench(t, d)
	code := b.run(t, "renew", "--due", "--json")
	lines := objects(t, b.out.String())
	last := lines[len(lines)-1]
	if code != 5 || last["event"] != "done" || last["renewed"] != 1.0 || last["failed"] != 1.0 || last["not_due"] != 3.0 || len(lines) != 4 {
		t.Errorf("%d %s%s", code, b.out.String(), b.err.String())
	}
	if at := d.settings[settingRan]; at != "2026-11-22T12:00:00Z" || !d.renewing {
		t.Errorf("the run is noted as %q, renewing %t", at, d.renewing)
	}
	if len(b.opened) != 1 || b.opened[0].Attended {
		t.Errorf("%+v", b.opened)
	}

	// An account that cannot be asked for counts as well, with its code.
	d = dueWorld(nil, inDays("a", 19))
	d.renew = func(string, connect.RenewOptions) (connect.Renewal, error) {
		return connect.Renewal{}, problem.New(problem.VaultLocked)
	}
	b = newBench(t, d)
	if code := b.run(t, "renew", "--due", "--json"); code != 6 || !strings.Contains(b.out.String(), `"event":"failed","account":{"id":"a"`) || !strings.Contains(b.out.String(), `{"event":"done","renewed":0,"failed":1,"not_due":0}`) {
		t.Errorf("%d %s", code, b.out.String())
	}

	// So does an answer of yesterday that the keychain still does not take.
	d = dueWorld(nil, inDays("a", 40))
	d.recover = func() ([]connect.Recovered, error) {
		return []connect.Recovered{{Problem: problem.New(problem.VaultLocked)}}, nil
	}
	b = newBench(t, d)
	if code := b.run(t, "renew", "--due", "--json"); code != 6 {
		t.Errorf("%d %s", code, b.out.String())
	}

	d = dueWorld(nil, inDays("a", 1))
	d.settings = map[string]string{"renew": "off", "warn": "off"}
	b = newBench(t, d)
	if code := b.run(t, "renew", "--due", "--json"); code != 0 || b.out.String() != `{"event":"done","renewed":0,"failed":0,"not_due":1,"off":true}`+"\n" || !strings.Contains(b.err.String(), "switched off") {
		t.Errorf("%d %s%s", code, b.out.String(), b.err.String())
	}
}

// Where the file system has no locks, a run that nobody watches could renew
// beside a window: it does not, says so, and still warns.
func TestWithoutLocksNothingIsRenewedUnwatched(t *testing.T) {
	lost := inDays("lost", 5)
	d := dueWorld(nil, lost)
	d.notes = []problem.Key{problem.LibraryNoSharing, problem.LockUnavailable}
	b := newBench(t, d)
	if code := b.run(t, "renew", "--due", "--json"); code != 1 || len(b.notices) != 1 || !strings.HasSuffix(b.out.String(), `{"event":"done","renewed":0,"failed":0,"not_due":1,"off":true}`+"\n") || !strings.Contains(b.err.String(), "cannot take turns") {
		t.Errorf("%d %+v %s%s", code, b.notices, b.out.String(), b.err.String())
	}
	b = newBench(t, d)
	if code := b.run(t, "timer", "on"); code != 0 || !strings.Contains(b.err.String(), "cannot take turns") {
		t.Errorf("timer on: %d %s", code, b.err.String())
	}
}

// A person's account that only they can save is told once shown, and only then.
func TestWarningsOfTheDailyRun(t *testing.T) {
	lost := inDays("lost", 5)
	lost.Renews, lost.ProviderName = false, "Facebook"
	lost.Status = connect.ExpiresSoon
	refused := inDays("refused", 30)
	refused.Reason, refused.Status = string(problem.PasswordChanged), connect.NeedsSignIn
	world := func() *double { return dueWorld(nil, lost, refused, inDays("fine", 40)) }
	for _, lang := range text.Languages() {
		d := world()
		b := newBench(t, d)
		if code := b.run(t, "renew", "--due", "--json", "--lang", lang); code != 0 || len(b.notices) != 2 {
			t.Fatalf("%d %+v %s", code, b.notices, b.err.String())
		}
		if d.warned["lost"] != 7 || d.warned["refused"] == 0 || len(d.warned) != 2 {
			t.Errorf("noted %v", d.warned)
		}
		for _, n := range b.notices {
			if said := n.Title + n.Body + n.ActionLabel; strings.Contains(said, "⟦") || strings.Contains(said, "no value") || !strings.Contains(n.Title, "@name.") || n.Body == "" || n.ActionLabel == "" {
				t.Errorf("%s: %+v", lang, n)
			}
		}
		if strings.Count(b.out.String(), `"event":"warning"`) != 2 || !strings.HasSuffix(b.out.String(), `"not_due":3}`+"\n") {
			t.Errorf("%s", b.out.String())
		}
	}

	d := world()
	b := newBench(t, d)
	b.p.notify = func(context.Context, desktop.Notice) (<-chan struct{}, error) {
		return nil, problem.New(problem.NotifyUnavailable)
	}
	if code := b.run(t, "renew", "--due", "--json"); code != 0 || len(d.warned) != 0 {
		t.Errorf("nothing could be shown: %d, noted %v, %s", code, d.warned, b.err.String())
	}

	d = world()
	b = newBench(t, d)
	b.terminals = []any{b.p.err}
	if code := b.run(t, "renew", "--due"); code != 0 || len(b.notices) != 0 || d.warned["lost"] != 7 || !strings.Contains(b.err.String(), "@name.lost needs you by 27 November 2026") {
		t.Errorf("on a terminal: %d %+v %v %s", code, b.notices, d.warned, b.err.String())
	}

	// Windows opens a console for what its scheduler starts: nobody reads that.
	d = world()
	b = newBench(t, d)
	b.terminals, b.alone = []any{b.p.err}, true
	if code := b.run(t, "renew", "--due"); code != 0 || len(b.notices) != 2 {
		t.Errorf("on a console of its own: %d %+v %s", code, b.notices, b.err.String())
	}

	d = world()
	d.settings = map[string]string{"warn": "off"}
	b = newBench(t, d)
	if code := b.run(t, "renew", "--due"); code != 0 || len(b.notices) != 0 || len(d.warned) != 0 || strings.Contains(b.err.String(), "needs you") {
		t.Errorf("switched off: %d %+v %v %s", code, b.notices, d.warned, b.err.String())
	}
}

func TestAClickOpensTheAccount(t *testing.T) {
	lost, other := inDays("lost", 5), inDays("other", 4)
	for _, a := range []*connect.Account{&lost, &other} {
		a.Renews, a.Status = false, connect.ExpiresSoon
	}
	for name, c := range map[string]struct {
		click  string // the account whose notification is clicked
		within time.Duration
		want   []string
	}{
		"clicked":   {"lost", 20 * time.Second, []string{"lost"}},
		"dismissed": {"", 20 * time.Second, nil},
		"left":      {"never", 30 * time.Millisecond, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := dueWorld(nil, lost, other)
			b := newBench(t, d)
			b.p.clickWithin = c.within
			open := b.p.openWindow
			b.p.openWindow = func(ctx context.Context, account string) error {
				if d.closed == 0 {
					t.Error("the library stays open while a click is waited for")
				}
				return open(ctx, account)
			}
			b.p.notify = func(_ context.Context, n desktop.Notice) (<-chan struct{}, error) {
				clicked := make(chan struct{}, 1)
				switch {
				case c.click == "never":
					return clicked, nil
				case c.click != "" && strings.Contains(n.Title, c.click):
					clicked <- struct{}{}
				}
				close(clicked)
				return clicked, nil
			}
			began := time.Now()
			if code := b.run(t, "renew", "--due"); code != 0 || !slices.Equal(b.windows, c.want) {
				t.Errorf("%d, opened %v", code, b.windows)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	a := inDays("a", 30)
	broken := a
	broken.Status, broken.Reason = connect.NeedsSignIn, string(problem.PasswordChanged)
	for name, c := range map[string]struct {
		checked connect.Checked
		err     error
		want    int
		says    string
	}{
		"works":   {connect.Checked{Account: a, Works: true, At: fixedNow()}, nil, 0, "it works"},
		"refused": {connect.Checked{Account: broken, Problem: problem.New(problem.PasswordChanged), At: fixedNow()}, nil, 9, "does not work any more"},
		"offline": {connect.Checked{Account: a, Problem: problem.New(problem.NetworkUnreachable), At: fixedNow()}, nil, 5, "could not be found out"},
		"locked":  {connect.Checked{}, problem.New(problem.VaultLocked), 6, "@name.a"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &double{account: among(a), check: func(string) (connect.Checked, error) { return c.checked, c.err }})
			code := b.run(t, "check", "a", "--json")
			lines := objects(t, b.out.String())
			if code != c.want || len(lines) != 1 || !strings.Contains(b.err.String(), c.says) {
				t.Fatalf("%d %s%s", code, b.out.String(), b.err.String())
			}
			if c.err == nil && (lines[0]["event"] != "checked" || lines[0]["works"] != c.checked.Works || lines[0]["at"] != "2026-11-22T12:00:00Z") {
				t.Errorf("%v", lines)
			}
		})
	}
	b := newBench(t, &double{
		accounts: func() ([]connect.Account, error) { return []connect.Account{a, inDays("b", 3)}, nil },
		check: func(id string) (connect.Checked, error) {
			return connect.Checked{Account: inDays(id, 3), Works: id == "a", Problem: map[string]*problem.Problem{"b": problem.New(problem.TokenEnded)}[id]}, nil
		},
	})
	if code := b.run(t, "check", "--all", "--json"); code != 9 || len(objects(t, b.out.String())) != 2 {
		t.Errorf("%d %s", code, b.out.String())
	}
}

// TOK-14: the words say whether the provider ended it, the page is named where
// it did not, and only a provider that was asked in vain is a failure.
func TestTOK14_RevokeSaysWhoEndedIt(t *testing.T) {
	const page = "https://www.instagram.com/accounts/manage_access/"
	for name, c := range map[string]struct {
		ended connect.Revoked
		err   error
		want  int
		says  string
	}{
		"at the provider": {connect.Revoked{AtProvider: true}, nil, 0, "Instagram has ended the access"},
		"by hand":         {connect.Revoked{Page: page}, nil, 0, page},
		"in vain":         {connect.Revoked{Page: page, Problem: problem.New(problem.NetworkUnreachable)}, nil, 5, page},
		"locked":          {connect.Revoked{}, problem.New(problem.VaultLocked), 6, "unlock"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &double{account: among(inDays("a", 9)), revoke: func(ref string) (connect.Revoked, error) {
				if ref != "a" {
					t.Errorf("revoked %q, not by its id", ref)
				}
				return c.ended, c.err
			}})
			code := b.run(t, "revoke", "name.a", "--json")
			line := objects(t, b.out.String())[0]
			if code != c.want || !strings.Contains(strings.ToLower(b.err.String()), strings.ToLower(c.says)) {
				t.Errorf("%d %s", code, b.err.String())
			}
			if c.err == nil && (line["event"] != "revoked" || line["at_provider"] != c.ended.AtProvider || line["page"] != c.ended.Page || line["account"] == nil) {
				t.Errorf("%v", line)
			}
			if c.err == nil && !strings.Contains(b.err.String(), "stops working") {
				t.Error("what stops working is not said")
			}
		})
	}
}

func TestImportTakesATokenFromAFileStandardInputOrAQuestion(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("  "+pastedToken[:20]+"\n"+pastedToken[20:]+"\n"), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own, open := write("own", 0o600), write("open", 0o644)
	local := time.Date(2026, 11, 1, 0, 0, 0, 0, time.Local)
	exact := time.Date(2026, 11, 1, 9, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		args, stdin string
		terminal    bool
		issued      *time.Time
		key         string // of the refusal
		asked       int
	}{
		"a file":              {args: "--token-file " + own},
		"standard input":      {args: "--token-file -", stdin: pastedToken + "\n"},
		"in two lines":        {args: "--token-file -", stdin: pastedToken[:10] + "\n" + pastedToken[10:]},
		"asked":               {terminal: true, asked: 1},
		"asked with -":        {args: "--token-file -", terminal: true, asked: 1},
		"a day":               {args: "--token-file - --issued 2026-11-01", stdin: pastedToken, issued: &local},
		"a moment":            {args: "--token-file - --issued 2026-11-01T09:30:00Z", stdin: pastedToken, issued: &exact},
		"tomorrow":            {args: "--token-file - --issued 2026-11-24", stdin: pastedToken, key: "usage"},
		"no day":              {args: "--token-file - --issued yesterday", stdin: pastedToken, key: "usage"},
		"others can read":     {args: "--token-file " + open, key: "secret.file_open"},
		"not there":           {args: "--token-file " + filepath.Join(dir, "absent"), key: "secret.file_missing"},
		"nothing, nobody":     {key: "usage"},
		"nothing in the file": {args: "--token-file -", stdin: " \n", key: "usage"},
		"as a flag":           {args: "--token " + pastedToken, key: "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			var got *connect.Paste
			b := newBench(t, &double{
				imported: func(in connect.Paste) (connect.Account, error) {
					got = &in
					a := inDays("a", 20)
					a.ExpiresEstimated = true
					return a, nil
				},
				storage: func() (connect.Storage, error) { return connect.Storage{Program: "a keychain"}, nil },
			})
			b.answer = pastedToken
			b.p.in = strings.NewReader(c.stdin)
			if c.terminal {
				b.terminals = []any{b.p.in, b.p.err}
			}
			code := b.run(t, append([]string{"import", "--provider", "instagram", "--app", "shop", "--json"}, strings.Fields(c.args)...)...)
			said := b.out.String() + b.err.String()
			if strings.Contains(said, "canary") {
				t.Errorf("the token is printed: %s", said)
			}
			if c.key != "" {
				if code != 2 || got != nil || !strings.Contains(b.out.String(), `"key":"`+c.key+`"`) {
					t.Errorf("%d %s", code, said)
				}
				return
			}
			if code != 0 || got == nil || b.asked != c.asked || !strings.Contains(b.out.String(), `{"event":"imported","account":{"id":"a"`) {
				t.Fatalf("%d, asked %d times: %s", code, b.asked, said)
			}
			if strings.Join(strings.Fields(got.Text.Reveal()), "") != pastedToken || got.Provider != "instagram" || got.App != "shop" {
				t.Errorf("%+v", got)
			}
			if (got.Issued == nil) != (c.issued == nil) || c.issued != nil && !got.Issued.Equal(*c.issued) {
				t.Errorf("issued %v, want %v", got.Issued, c.issued)
			}
			if !strings.Contains(b.err.String(), "about 12 December 2026") || !strings.Contains(b.err.String(), "a keychain") {
				t.Errorf("%s", b.err.String())
			}
		})
	}
	b := newBench(t, nil)
	if b.run(t, "import", "--provider", "p", "--token", pastedToken); !strings.Contains(b.err.String(), "--token-file") {
		t.Errorf("the right way is not told: %s", b.err.String())
	}
	if code := newBench(t, nil).run(t, "import"); code != 2 {
		t.Errorf("without a provider: %d", code)
	}
}

func TestInspect(t *testing.T) {
	end := fixedNow().AddDate(0, 0, 41)
	known := inDays("a", 41)
	for name, c := range map[string]struct {
		found connect.Inspected
		err   error
		want  int
		has   string
	}{
		"works":        {connect.Inspected{Shape: connect.Shape{Kind: "user", Provider: "instagram", Living: true}, Person: &connect.Person{UserID: "17", Username: "me", Kind: "BUSINESS"}, Scopes: []string{"x"}, ExpiresAt: &end, Works: true, Known: &known}, nil, 0, `"works":true,"user_id":"17","username":"me","account_type":"BUSINESS","granted_scopes":["x"],"expires_at":"2027-01-02T12:00:00Z","account":{"id":"a"`},
		"ended":        {connect.Inspected{Shape: connect.Shape{Kind: "user", Provider: "instagram", Living: true}, Problem: problem.New(problem.TokenEnded)}, nil, 9, `"works":false`},
		"of the shape": {connect.Inspected{Shape: connect.Shape{Kind: "unknown", Problem: problem.New(problem.PasteNotToken)}}, nil, 2, `"kind":"unknown"`},
		"offline":      {connect.Inspected{}, problem.New(problem.NetworkUnreachable), 5, `"event":"failed"`},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &double{inspect: func(pasted string) (connect.Inspected, error) {
				if strings.TrimSpace(pasted) != pastedToken {
					t.Errorf("%d bytes", len(pasted))
				}
				return c.found, c.err
			}})
			b.p.in = strings.NewReader(pastedToken + "\n")
			code := b.run(t, "inspect", "--token-file", "-", "--json")
			if said := b.out.String() + b.err.String(); code != c.want || !strings.Contains(b.out.String(), c.has) || len(objects(t, b.out.String())) != 1 || strings.Contains(said, "canary") || strings.Contains(said, "⟦") {
				t.Errorf("%d %s", code, said)
			}
		})
	}
	for _, lang := range text.Languages() {
		for _, kind := range []string{"user", "page_or_user", "app", "code", "basic_display", "unknown"} {
			if !text.For(lang).Has("cli.inspect.kind." + kind) {
				t.Errorf("%s has no words for %s", lang, kind)
			}
		}
	}
}

func TestDiaryIsReadPageByPage(t *testing.T) {
	var all []library.Entry
	for seq := int64(450); seq > 0; seq-- {
		all = append(all, library.Entry{Seq: seq, AccountID: "a", At: fixedNow().Add(time.Duration(seq) * time.Minute), Event: "checked"})
	}
	d := &double{account: among(inDays("a", 9)), diary: func(id string, limit int, before int64) ([]library.Entry, error) {
		var page []library.Entry
		for _, e := range all {
			if (before == 0 || e.Seq < before) && len(page) < limit && id == "a" {
				page = append(page, e)
			}
		}
		return page, nil
	}}
	for flag, want := range map[string]int{"": 450, "--limit 1": 1, "--limit 200": 200, "--limit 201": 201, "--limit 9999": 450} {
		b := newBench(t, d)
		if code := b.run(t, append([]string{"diary", "a", "--json"}, strings.Fields(flag)...)...); code != 0 || len(objects(t, b.out.String())) != want {
			t.Errorf("%q: %d, %d lines", flag, code, len(objects(t, b.out.String())))
		}
	}
	for _, wrong := range []string{"--limit 0", "--limit -1", "--limit many", "--csv --json"} {
		if code := newBench(t, nil).run(t, append([]string{"diary", "a"}, strings.Fields(wrong)...)...); code != 2 {
			t.Errorf("%q: %d", wrong, code)
		}
	}
}

// SEC-7: whatever a stranger wrote, a spreadsheet takes no cell for a formula,
// and an independent reader finds the cells again (RFC 4180).
func TestSEC7_DiaryForASpreadsheet(t *testing.T) {
	var entries []library.Entry
	hostile := []string{"=1+1", "+49", "-2", "@me", "\tx", "\x00x", "\rx", "\n=x", `a"b`, "a,b\r\nc", "plain"}
	for _, event := range hostile {
		entries = append(entries, library.Entry{At: fixedNow(), AccountID: "a", Event: event, Args: map[string]string{"reason": event}})
	}
	entries = append(entries, library.Entry{At: fixedNow(), AccountID: "a", Event: "renewed", Args: map[string]string{"until": "2027-01-21T09:00:00Z"}})
	for _, lang := range text.Languages() {
		b := newBench(t, &double{account: among(inDays("a", 9)), diary: func(string, int, int64) ([]library.Entry, error) { return entries, nil }})
		if code := b.run(t, "diary", "a", "--csv", "--lang", lang); code != 0 {
			t.Fatal(b.err.String())
		}
		raw := b.out.String()
		if strings.Count(raw, "\n") != strings.Count(raw, "\r\n") {
			t.Errorf("a line does not end as RFC 4180 wants")
		}
		rows, err := csv.NewReader(strings.NewReader(raw)).ReadAll()
		if err != nil || len(rows) != len(entries)+1 {
			t.Fatalf("%v, %d rows", err, len(rows))
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\x00\r\n", rune(cell[0])) {
					t.Errorf("%q begins a formula", cell)
				}
			}
		}
		if rows[1][2] != "'=1+1" || !strings.HasPrefix(rows[len(rows)-1][0], "2026-11-22T12:00:00Z") {
			t.Errorf("%q", rows)
		}
	}
}

func FuzzSEC7_Inert(f *testing.F) {
	for _, seed := range []string{"", "=", "'=1", "+1", "a", "\x00", "é", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		got := inert(cell)
		if got != "" && strings.ContainsRune("=+-@\t\x00\r\n", rune(got[0])) || strings.TrimPrefix(got, "'") != strings.TrimPrefix(cell, "'") {
			t.Errorf("%q became %q", cell, got)
		}
	})
}

func TestDiaryEventsHaveWords(t *testing.T) {
	for _, lang := range text.Languages() {
		p := &program{say: text.For(lang), now: fixedNow}
		for _, event := range []string{"signed_in", "renewed", "renew_failed", "checked", "checked_closed", "check_failed", "imported", "copied", "shown", "recovered", "revoked", "removed", "warned"} {
			for _, args := range []map[string]string{nil, {"until": "2027-01-21T09:00:00Z", "reason": string(problem.ProviderBusy), "days": "7"}} {
				if said := p.entry(library.Entry{Event: event, Args: args}); said == event || strings.Contains(said, "⟦") || strings.Contains(said, "no value") {
					t.Errorf("%s: %s is said so: %s", lang, event, said)
				}
			}
		}
		if said := p.entry(library.Entry{Event: "of\ta later version"}); strings.ContainsAny(said, "\t⟦") {
			t.Errorf("%q", said)
		}
	}
}

// SEC-7: what is written is the owner's alone, whole or not at all, and never
// through a link.
func TestSEC7_BundleIsWrittenForItsOwnerAlone(t *testing.T) {
	const content = "a bundle\n"
	d := &double{bundle: func(w io.Writer) error { _, err := io.WriteString(w, content); return err }}
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	link := filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(target, []byte("theirs"), 0o644), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"new":          {filepath.Join(dir, "new"), 0},
		"again":        {filepath.Join(dir, "new"), 0},
		"a link":       {link, 2},
		"a folder":     {dir, 2},
		"no folder":    {filepath.Join(dir, "absent", "file"), 2},
		"no name":      {"", 2},
		"a synced one": {filepath.Join(dir, "Dropbox", "file"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a synced one" {
				if err := os.Mkdir(filepath.Dir(c.file), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			b := newBench(t, d)
			code := b.run(t, "bundle", "--file", c.file, "--json")
			if code != c.want {
				t.Fatalf("%d %s", code, b.err.String())
			}
			if c.want != 0 {
				return
			}
			info, err := os.Lstat(c.file)
			got, _ := os.ReadFile(c.file)
			if err != nil || info.Mode() != 0o600 || string(got) != content || !strings.Contains(b.out.String(), `"event":"bundle","file":"`) {
				t.Errorf("%v %v %q %s", err, info.Mode(), got, b.out.String())
			}
			if strings.Contains(b.err.String(), "Dropbox is copied") != (name == "a synced one") {
				t.Errorf("%s", b.err.String())
			}
		})
	}
	if left, _ := os.ReadFile(target); string(left) != "theirs" {
		t.Errorf("the link's target holds %q", left)
	}
	if rest, _ := filepath.Glob(filepath.Join(dir, ".tokenkeep-*")); len(rest) != 0 {
		t.Errorf("left behind: %q", rest)
	}
	b := newBench(t, d)
	if code := b.run(t, "bundle"); code != 0 || b.out.String() != content {
		t.Errorf("%d %q", code, b.out.String())
	}
	b = newBench(t, d)
	if code := b.run(t, "bundle", "--json"); code != 0 || b.out.String() != `{"event":"bundle","text":"a bundle\n"}`+"\n" {
		t.Errorf("%d %q", code, b.out.String())
	}
}

func TestCalendarIsWrittenAndKeptCurrent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Nextcloud")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "tokens.ics")
	accounts := []connect.Account{inDays("aaaaaaaaaaaaaaaa", 30)}
	d := &double{accounts: func() ([]connect.Account, error) { return accounts, nil }}
	b := newBench(t, d)
	if code := b.run(t, "calendar", file, "--json"); code != 0 || d.settings["calendar"] != file || b.out.String() != fmt.Sprintf(`{"event":"calendar","file":%q}`+"\n", file) {
		t.Fatalf("%d %s%s", code, b.out.String(), b.err.String())
	}
	if !strings.Contains(b.err.String(), "Nextcloud is copied to other computers") {
		t.Errorf("%s", b.err.String())
	}
	first, err := os.ReadFile(file)
	info, _ := os.Stat(file)
	if err != nil || info.Mode() != 0o600 || !bytes.Contains(first, []byte("20261221")) || !bytes.Contains(first, []byte("name.aaaaaaaaaaaaaaaa")) {
		t.Fatalf("%v %s", err, first)
	}
	accounts = []connect.Account{inDays("aaaaaaaaaaaaaaaa", 60)}
	b = newBench(t, d)
	if code := b.run(t, "renew", "--due"); code != 0 {
		t.Fatal(b.err.String())
	}
	if now, _ := os.ReadFile(file); !bytes.Contains(now, []byte("20270120")) || bytes.Contains(now, []byte("20261221")) {
		t.Errorf("the daily run left it as it was: %s", now)
	}
	// One that cannot be written any more is said and is no failure of the run.
	if err := errors.Join(os.Remove(file), os.Symlink(dir, file)); err != nil {
		t.Fatal(err)
	}
	b = newBench(t, d)
	if code := b.run(t, "renew", "--due"); code != 0 || !strings.Contains(b.err.String(), b.p.words(problem.New(problem.CalendarFailed, "reason", "foreign")).Title) {
		t.Errorf("%d %s", code, b.err.String())
	}
	b = newBench(t, d)
	if code := b.run(t, "calendar", file); code == 0 {
		t.Error("a link was taken")
	}
	b = newBench(t, d)
	if code := b.run(t, "calendar", "off", "--json"); code != 0 || d.settings["calendar"] != "" || b.out.String() != `{"event":"calendar","file":null}`+"\n" {
		t.Errorf("%d %v %s", code, d.settings, b.out.String())
	}
	for _, wrong := range [][]string{{"calendar"}, {"calendar", ""}, {"calendar", "a", "b"}} {
		if code := newBench(t, nil).run(t, wrong...); code != 2 {
			t.Errorf("%q: %d", wrong, code)
		}
	}
}

func TestTimer(t *testing.T) {
	d := &double{settings: map[string]string{settingRan: "2026-11-22T07:00:00Z"}}
	b := newBench(t, d)
	if code := b.run(t, "timer", "on", "--json"); code != 0 || b.out.String() != `{"event":"timer","installed":true,"active":true,"stale":false,"program":"/usr/bin/tokenkeepctl","last_run":"2026-11-22T07:00:00Z"}`+"\n" {
		t.Errorf("%d %s%s", code, b.out.String(), b.err.String())
	}
	off := newBench(t, &double{settings: map[string]string{"renew": "off"}})
	if code := off.run(t, "timer", "on"); code != 0 || !strings.Contains(off.err.String(), "switched off in the settings") {
		t.Errorf("%d %s", code, off.err.String())
	}
	// Its home is not the default one, so the timer has to name it.
	if len(b.timer.homes) == 0 || b.timer.homes[0] == "" || b.timer.homes[0] != b.p.getenv("TOKENKEEP_HOME") {
		t.Errorf("%q", b.timer.homes)
	}
	data := t.TempDir()
	bare, err := connect.Environment(func(name string) string { return map[string]string{"HOME": data, "LocalAppData": data}[name] }, "")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(data, "data")
	usual, err := connect.Environment(func(name string) string {
		return map[string]string{"HOME": data, "LocalAppData": data, "XDG_DATA_HOME": elsewhere}[name]
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	// What only this session's environment says, a timer does not know.
	named := usual.Home
	if named == bare.Home {
		named = ""
	}
	for home, want := range map[string]string{"": named, usual.Home: named, bare.Home: "", "/elsewhere": "/elsewhere"} {
		b := newBench(t, d)
		b.environment("TOKENKEEP_HOME", home, "XDG_DATA_HOME", elsewhere, "HOME", data, "LocalAppData", data)
		if code := b.run(t, "timer", "off"); code != 0 || len(b.timer.homes) != 1 || b.timer.homes[0] != want {
			t.Errorf("%q: %d %q", home, code, b.timer.homes)
		}
	}
	for _, c := range []struct {
		state desktop.TimerState
		says  string
	}{
		{desktop.TimerState{}, "off"}, {desktop.TimerState{Installed: true, Active: true}, "on, once a day"}, {desktop.TimerState{Installed: true}, "switched it off"},
		{desktop.TimerState{Installed: true, Active: true, Stale: true}, "another program"},
		{desktop.TimerState{Problem: problem.New(problem.TimerUnavailable)}, "off"},
	} {
		b := newBench(t, d)
		b.timer.state = c.state
		if code := b.run(t, "timer", "status"); code != 0 || !strings.Contains(b.out.String(), c.says) {
			t.Errorf("%+v: %d %s", c.state, code, b.out.String())
		}
	}
	for _, command := range []string{"on", "off"} {
		b := newBench(t, nil) // the library is not opened for what fails
		b.timer.refuse = problem.New(problem.TimerFailed)
		if code := b.run(t, "timer", command); code != problem.New(problem.TimerFailed).Kind.ExitCode() {
			t.Errorf("%s refused: %d", command, code)
		}
		b = newBench(t, nil)
		b.environment("TOKENKEEP_SANDBOX_URL", "http://127.0.0.1:1")
		if code := b.run(t, "timer", command); code != 2 || len(b.timer.homes) != 0 {
			t.Errorf("%s in practice: %d", command, code)
		}
	}
}

// Ruling 9: how accounts stand depends on whether something renews them.
func TestAccountsAreShownAsRenewingWhereSomethingRenews(t *testing.T) {
	for name, c := range map[string]struct {
		ran   string
		state desktop.TimerState
		want  bool
	}{
		"nothing":         {"", desktop.TimerState{}, false},
		"a timer":         {"", desktop.TimerState{Installed: true, Active: true}, true},
		"one that is off": {"", desktop.TimerState{Installed: true}, false},
		"it ran":          {"2026-11-21T07:00:00Z", desktop.TimerState{}, true},
		"it ran once":     {"2026-10-21T07:00:00Z", desktop.TimerState{}, false},
	} {
		d := &double{accounts: func() ([]connect.Account, error) { return nil, nil }, settings: map[string]string{settingRan: c.ran}}
		b := newBench(t, d)
		b.timer.state = c.state
		if b.run(t, "list"); d.renewing != c.want {
			t.Errorf("%s: %t", name, d.renewing)
		}
	}
}

func TestSyncedFolders(t *testing.T) {
	for path, want := range map[string]bool{
		"/home/a/Dropbox/x.txt": true, "/home/a/OneDrive - Shop/x": true, "/Users/a/Library/Mobile Documents/com~apple~CloudDocs/x": true,
		`C:\Users\a\Google Drive\x`: true, "/home/a/Nextcloud/deep/er/x": true, "/home/a/x": false, "/home/a/dropbox.txt": false, "": false,
	} {
		if _, found := syncedFolder(strings.ReplaceAll(path, `\`, "/")); found != want {
			t.Errorf("%q: %t", path, found)
		}
	}
}
