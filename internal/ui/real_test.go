package ui

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// browse plays the person's browser: it follows the address and, since the
// certificate is our own leaf, clicks the warning away.
func browse(ctx context.Context, address string) error {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err == nil {
		_ = answer.Body.Close()
	}
	return nil
}

// The window over the core itself: the sandbox in this process, a real library
// and a session for the secrets.
func TestTheWindowOverTheRealCore(t *testing.T) {
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	account, err := service.Connect(t.Context(), connect.Request{
		Setup: connect.Setup{
			Provider: "instagram", ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret),
			RedirectURI: "https://localhost:" + port + "/", App: "Practice", KeepSecret: true,
		},
		Timeout: 20 * time.Second,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	handed, err := service.Token(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	token := handed.AccessToken.Reveal()

	c := text.For("en")
	w := open(t, "en", nil, func(p *Params) {
		p.Practice = base
		p.now = time.Now
		p.Open = func(context.Context, *url.URL, func(bool)) (Core, error) { return service, nil }
	})
	w.says(c.Say("practice.strip"))
	w.has(kit.RoleRow, account.Username)
	w.tap(kit.RoleButton, c.Say("accounts.copy"))
	if w.app.Clipboard().Content() != token {
		t.Fatal("the clipboard does not hold the token")
	}
	w.key(fyne.KeyReturn)
	w.says("@"+account.Username, c.Say("diary.copied"), c.Count("diary.signed_in", len(account.GrantedScopes)), c.Say("status.healthy"), token[:4]+" ••••")
	if all := w.words(); strings.Contains(all, token) {
		t.Fatal("the token stands in the window")
	}
	screen := w.s.current.(*accountScreen)
	screen.parts.hold.KeyDown(&fyne.KeyEvent{Name: fyne.KeySpace})
	w.queue.Drain()
	if !strings.Contains(w.words(), token) {
		t.Error("holding Space does not show the token")
	}
	screen.parts.hold.KeyUp(&fyne.KeyEvent{Name: fyne.KeySpace})
	if strings.Contains(w.words(), token) {
		t.Error("the token stays after the release")
	}
	w.tap(kit.RoleButton, c.Say("account.remove"))
	w.tap(kit.RoleButton, c.Say("account.remove_now"))
	if left, err := service.Accounts(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if w.app.Clipboard().Content() != "" {
		t.Error("the token of a removed account stays in the clipboard")
	}
	w.says(c.Say("practice.welcome"))
}
