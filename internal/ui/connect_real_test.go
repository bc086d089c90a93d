package ui

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// live is a queue whose work really runs beside the window; what it shows waits
// for the test, which is the window's goroutine.
type live struct{ *kit.Queue }

func (live) Go(work func()) { go work() }

// until lets the window run until it is so.
func (w *world) until(what string, so func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		w.queue.Drain()
		if so() {
			return
		}
	}
	w.t.Fatalf("it never came to %s; the window says:\n%s", what, w.words())
}

// The whole way, over the real core: from the welcome into the practice ground,
// through the form, the permissions and the wait to a saved token, and again
// with the next account.
func TestAWholePracticeSignInOverTheRealCore(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) { wholeSignIn(t, lang) })
	}
}

func wholeSignIn(t *testing.T, lang string) {
	c := text.For(lang)
	var pretend *sandbox.Running
	home := t.TempDir()
	w := unstarted(t, lang, newDouble(t), func(p *Params) {
		p.connect = newConnect
		q := p.run.(*kit.Queue)
		p.run = live{q}
		real := p.Open
		p.Open = func(ctx context.Context, practice *url.URL, waits func(bool)) (Core, error) {
			if practice == nil {
				return real(ctx, nil, waits)
			}
			return connect.Open(ctx, connect.Config{Home: home, SandboxURL: practice, Store: vault.NewSession(), Language: lang, Open: browse, Waiting: waits})
		}
		p.Practise = func(ctx context.Context) (string, func(), error) {
			running, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{Auto: true})
			if err != nil {
				return "", nil, err
			}
			pretend = running
			return running.URL, func() { running.Stop() }, nil
		}
		p.PracticeID, p.PracticeSecret = sandbox.ClientID, secret.New(sandbox.ClientSecret)
		p.now = time.Now
	})
	w.s.start()
	sees := func(role kit.Role, words string) {
		t.Helper()
		w.until(words, func() bool { return w.find(role, words) != nil })
	}
	sees(kit.RoleButton, c.Say("welcome.practise.button"))
	w.tap(kit.RoleButton, c.Say("welcome.practise.button"))
	w.until("the practice ground", func() bool { return w.s.practising && w.s.accounts.known })
	w.tap(kit.RoleButton, c.Say("practice.door_button"))
	sees(kit.RoleButton, c.Say("practice.fill"))

	// Every test has a port of its own; a person has the one that is registered.
	screen := w.s.connect.(*connectScreen)
	screen.f.form.Redirect = "https://localhost:" + freePort(t) + "/"
	screen.changed()
	w.tap(kit.RoleButton, c.Say("practice.fill"))
	w.queue.Advance(time.Second)
	w.until("the end of the check", func() bool { return screen.f.checked })
	if strings.Contains(w.words(), c.Count("connect.app.look", 2)) {
		t.Errorf("the check finds trouble:\n%s", w.words())
	}
	w.tap(kit.RoleButton, c.Say("connect.continue"))
	w.tap(kit.RoleRadio, c.Say("scope.preset.comments"))
	w.tap(kit.RoleButton, c.Say("connect.continue"))
	w.tap(kit.RoleButton, c.Say("connect.warn.open", text.Args{"provider": screen.f.definition().Name}))
	w.until("the result", func() bool { return screen.f.stage == stageFine || screen.f.stage == stageProblem })
	if screen.f.stage != stageFine {
		t.Fatalf("it did not work: %v", screen.f.state.Problem)
	}
	account := *screen.f.state.Account
	w.says(c.Say("connect.fine.title", text.Args{"username": account.Username}), c.Say("connect.fine.secret_forgotten"))
	if !screen.f.form.Secret.Empty() {
		t.Error("the secret was not forgotten")
	}
	w.tap(kit.RoleButton, c.Say("connect.fine.copy"))
	w.until("the copied token", func() bool { return sandbox.IsPractice(w.app.Clipboard().Content()) })

	// The next account, with the same app and one field.
	if err := pretend.Server.SetConsent(sandbox.People()[1], nil); err != nil {
		t.Fatal(err)
	}
	w.tap(kit.RoleButton, c.Say("connect.fine.another"))
	w.until("the saved app", func() bool { return len(screen.f.apps) == 1 })
	w.tap(kit.RoleButton, c.Say("connect.continue"))
	if screen.f.stage != stageSecret {
		t.Fatalf("stage %v", screen.f.stage)
	}
	field := w.has(kit.RoleSecret, c.Say("connect.app.client_secret", text.Args{"provider": screen.f.definition().Name})).(*kit.SecretEntry)
	field.SetText(sandbox.ClientSecret)
	w.tap(kit.RoleButton, c.Say("connect.continue"))
	w.until("the second result", func() bool { return screen.f.stage == stageFine || screen.f.stage == stageProblem })
	if screen.f.stage != stageFine || screen.f.state.Account.ID == account.ID {
		t.Fatalf("the second: %v", screen.f.state.Problem)
	}
	done := screen.f.done
	w.tap(kit.RoleButton, c.Say("connect.fine.done"))
	w.until("both accounts in the list", func() bool { return len(w.s.accounts.list) == 2 })
	if all := w.words(); strings.Contains(all, sandbox.ClientSecret) {
		t.Error("the secret is on screen")
	}
	<-done
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
