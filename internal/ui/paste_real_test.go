package ui

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// A token that the pretend dashboard made two days ago, over the core itself:
// pasted, asked about over a socket, kept, checked, renewed, removed.
func TestAPastedTokenOverTheRealCore(t *testing.T) {
	ground, err := sandbox.Start(t.Context(), "127.0.0.1:0", sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ground.Stop() })
	token, err := ground.Server.Mint(sandbox.Minted{Age: 48 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(ground.URL)
	if err != nil {
		t.Fatal(err)
	}
	store := vault.NewSession()
	service, err := connect.Open(t.Context(), connect.Config{Home: t.TempDir(), SandboxURL: base, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	c := text.For("en")
	w := open(t, "en", nil, func(p *Params) {
		p.Practice, p.now = base, time.Now
		p.Open = func(context.Context, *url.URL, func(bool)) (Core, error) { return service, nil }
		p.OpenAddress = func(context.Context, string) error { return nil }
	})
	w.s.goPaste()
	w.queue.Drain()
	// A real one is not sent anywhere from the practice ground.
	w.pasteText(someToken)
	w.pass(2 * time.Second)
	w.says("This is no practice token")
	w.pasteText("access_token=\"" + token + "\",")
	w.says(c.Say("paste.practice"))
	if kept, err := service.Accounts(t.Context()); err != nil || len(kept) != 0 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	w.pass(3 * time.Second)
	w.says(c.Say("paste.renewed"), c.Say("paste.end_unknown", text.Args{"provider": "Instagram"}))
	w.tap(kit.RoleRadio, c.Say("paste.earlier"))
	w.tap(kit.RoleButton, c.Say("paste.keep"))
	accounts, err := service.Accounts(t.Context())
	if err != nil || len(accounts) != 1 || !w.s.showsAccount(accounts[0].ID) {
		t.Fatalf("accounts %+v, %v; the window says:\n%s", accounts, err, w.words())
	}
	w.says("@"+accounts[0].Username, c.Say("life.unknown"), c.Say("diary.imported"), token[:4]+" ••••")
	handed, err := service.Token(t.Context(), accounts[0].ID)
	if err != nil || handed.AccessToken.Reveal() != token {
		t.Fatalf("another token is kept, %v", err)
	}
	w.key(fyne.KeyF5)
	w.says(c.Say("alive.works", text.Args{"username": "@" + accounts[0].Username}), c.Say("diary.checked"))
	w.shortcut(fyne.KeyR, ctrl)
	after, err := service.Account(t.Context(), accounts[0].ID)
	if err != nil || after.ExpiresEstimated || after.ExpiresAt == nil {
		t.Fatalf("not renewed: %+v, %v; the window says:\n%s", after, err, w.words())
	}
	w.says(c.Say("alive.renewed", text.Args{"date": c.Date(after.ExpiresAt.Local())}), c.Say("account.ends"))
	w.noBrackets()
	if all := w.words() + w.s.window.Title(); strings.Contains(all, token) {
		t.Error("the token stands in the window")
	}
	w.tap(kit.RoleButton, c.Say("account.remove"))
	w.tap(kit.RoleButton, c.Say("account.remove_now"))
	if left, err := service.Accounts(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
