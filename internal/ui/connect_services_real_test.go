package ui

import (
	"context"
	"net/url"
	"slices"
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

// Every other service over the real core and its pretend provider, by the same
// pages: the card, the fields, the check, the permissions, the wait, the result.
func TestASignInAtEveryServiceOverTheRealCore(t *testing.T) {
	for _, id := range []string{"threads", "instagram-facebook", "oauth2", "instagram-basic-display"} {
		t.Run(id, func(t *testing.T) { signInAt(t, id) })
	}
}

func signInAt(t *testing.T, id string) {
	c := text.For("en")
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
	w := unstarted(t, "en", newDouble(t), func(p *Params) {
		p.connect = newConnect
		p.run = live{p.run.(*kit.Queue)}
		p.Practice, p.now = base, time.Now
		p.Open = func(context.Context, *url.URL, func(bool)) (Core, error) { return service, nil }
		p.Registration = func(provider string) (string, secret.Text) {
			id, value := sandbox.Registration(provider)
			return id, secret.New(value)
		}
	})
	preferences{w.app.Preferences()}.setWarned(true)
	w.s.start()
	w.until("the practice ground", func() bool { return w.s.accounts.known })
	w.s.goConnect(connectStart{})
	screen := w.s.connect.(*connectScreen)
	w.until("the form", func() bool { return !screen.f.loading })
	// By the card that a person presses, and by the list behind the last one.
	card := "connect.service.card"
	if slices.Contains(carded, id) {
		card = "connect.road." + id + ".card"
	}
	w.tap(kit.RoleRadio, c.Say(card))
	page := screen.page.(*appPage)
	if at := slices.Index(page.shelf, id); at >= 0 {
		page.pickOther(at)
	}
	w.says(c.Say("connect.app.check_foot"))
	if screen.f.form.Provider != id {
		t.Fatalf("the form is for %q", screen.f.form.Provider)
	}
	usual, err := url.Parse(screen.f.form.Redirect)
	if err != nil {
		t.Fatal(err)
	}
	usual.Host = usual.Hostname() + ":" + freePort(t)
	screen.f.form.Redirect = usual.String()
	w.tap(kit.RoleButton, c.Say("practice.fill"))
	w.queue.Advance(time.Second)
	w.until("the end of the check", func() bool { return screen.f.checked })
	for _, l := range screen.f.lines {
		if l.Level == connect.Bad {
			t.Errorf("the check finds %s: %v", l.Check, l.Problem)
		}
	}
	w.tap(kit.RoleButton, c.Say("connect.continue"))
	w.tap(kit.RoleButton, c.Say("connect.continue"))
	w.until("the result", func() bool {
		return screen.f.stage == stageFine || screen.f.stage == stageProblem || screen.f.stage == stageChoose
	})
	if screen.f.stage == stageChoose {
		if id != "instagram-facebook" {
			t.Fatal("a choice where there is none")
		}
		w.tap(kit.RoleButton, c.Count("connect.choose.keep", len(screen.f.kept())))
		w.until("the result", func() bool { return screen.f.stage == stageFine || screen.f.stage == stageProblem })
	}
	if screen.f.stage != stageFine {
		t.Fatalf("it did not work: %v", screen.f.state.Problem)
	}
	if all := w.words(); strings.Contains(all, "⟦") || strings.Contains(all, "no value") {
		t.Errorf("the result says:\n%s", all)
	}
	n := max(1, len(screen.f.state.Accounts))
	done := screen.f.done
	w.tap(kit.RoleButton, c.Say("connect.fine.done"))
	w.until("the accounts in the list", func() bool { return len(w.s.accounts.list) == n })
	if all := w.words(); strings.Contains(all, "⟦") || strings.Contains(all, "no value") {
		t.Errorf("the list says:\n%s", all)
	}
	<-done
}
