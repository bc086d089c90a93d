package connect

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// A canary in every text that a bundle could meet, and none comes out.
func TestASupportBundleCannotHoldWhatIsNotOurs(t *testing.T) {
	s := newStage(t, "ok", func(c *Config) {
		c.Home = filepath.Join(c.Home, "canary-home")
		c.SandboxURL = nil
		folder := filepath.Join(c.Home, "providers")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"canary-file.toml": "schema = 1\nid = \"canary-id\"\nname = \"canary-name\"\n[authorize]\nurl = \"https://canary.example/a\"\n[redirect]\nschemes = [\"https\"]\ndefault = \"https://localhost:1/\"\n[exchange]\nmethod = \"POST\"\nurl = \"https://canary.example/t\"\nencoding = \"form\"\nanswer = \"rfc6749\"\n[exchange.params]\ncode = \"{code}\"\n",
			"canary-more.toml": "schema = 1\nid = \"instagram\"\nname = \"canary-name\"\nchecked = \"2031-01-01\"\n",
			"canary-bad.toml":  "schema = 1\nid = \"canary-bad\"\ncanary-key = 1\n",
		} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	})
	token := s.dashboard(sandbox.Minted{})
	// In practice a person's own definitions do not exist, so this is the real
	// side, and the rows are laid down as an import would.
	id := "rowoftheaccount1"
	app := library.App{ID: "rowoftheapp00001", Name: "canary-app", Provider: "instagram", ClientID: "canary-client", RedirectURI: "https://canary.example/", Scopes: []string{"canary-scope"}}
	if err := s.service.library.AddApp(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	issued := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	end := issued.Add(60 * day)
	row := library.Account{
		ID: id, Provider: "instagram", ClientID: "canary-client", UserID: "canary-user", Grant: "canary-grant", AppID: app.ID,
		Username: "canary-username", Kind: "CANARY-KIND", ScopesAsked: []string{"canary-asked"}, ScopesGranted: []string{"canary-granted"},
		IssuedAt: &issued, ExpiresAt: &end, Gen: 3, Vault: "canary-vault", LastAnswer: "canary-answer", FailedSince: &issued,
	}
	entries := []library.Entry{
		{Event: "canary-event", Args: map[string]string{"canary-arg": "canary-value"}},
		{Event: "renew_failed", Args: map[string]string{"reason": "canary-reason", "message": "canary said: " + token.Reveal()}},
		{Event: "renew_failed", Args: map[string]string{"reason": string(problem.ProviderBusy)}},
		{Event: "renewed", Args: map[string]string{"until": "canary-until", "n": "canary-n", "days": token.Reveal()}},
		{Event: "renewed", Args: map[string]string{"until": "2027-01-01T00:00:00Z"}},
		{Event: "warned", Args: map[string]string{"days": "14"}},
	}
	if err := s.service.library.Finish(t.Context(), row, entries...); err != nil {
		t.Fatal(err)
	}
	second := row
	second.ID, second.UserID, second.Provider, second.Vault, second.LastAnswer = "rowoftheaccount2", "canary-user-2", "canary-id", placeKeychain, string(problem.PasswordChanged)
	if err := s.service.library.Finish(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if err := s.service.library.SetRenewal(t.Context(), id, func(r *library.Renewal) { r.Tries, r.TriedAt, r.Warned = 4, &issued, 7 }); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"calendar": "/home/canary/tokens.ics", "timer_ran": "canary-time", "renew": "canary-setting", "warn": "off"} {
		if err := s.service.SetSetting(t.Context(), name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.store.Put(t.Context(), "token-"+id, token); err != nil {
		t.Fatal(err)
	}
	s.service.known.Add(token)
	var out bytes.Buffer
	if err := s.service.Bundle(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.Contains(strings.ToLower(text), "canary") {
		t.Errorf("a canary came out:\n%s", text)
	}
	for _, form := range secret.Forms(token) {
		if strings.Contains(text, form) {
			t.Error("the token came out")
		}
	}
	for _, path := range []string{s.config.Home, filepath.Dir(s.config.Home), "/home/", "2031-01-01"} {
		if strings.Contains(text, path) {
			t.Errorf("%s came out", path)
		}
	}
	for _, want := range []string{
		buildinfo.Version, runtime.GOOS, "<home>", "instagram: checked ", "changed here: true", "instagram-basic-display", "retired", "of this computer: 1, unusable: 1",
		"account 1: rowoftheaccount", "provider: instagram, status: needs_sign_in, lifetime: long, vault: other", "provider: other", "vault: keychain",
		"issued: 2026-11-02T03:04:05Z, ends: 2027-01-01T03:04:05Z", "last answer: other", "last answer: token.password_changed", "generation: 3",
		"renewal tries: 4, tried: 2026-11-02T03:04:05Z", "warned: 7", "renew_failed reason=other", "renew_failed reason=provider.busy",
		"renewed days=other n=other until=other", "renewed until=2027-01-01T00:00:00Z", "warned days=14", " other\n", "calendar kept: true, timer ran: other", "warn off: true", "renew off: false",
		"accounts: 2, secrets kept: 0, forgotten: 1", "place: keychain",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	for _, c := range text {
		if c != '\n' && (c < ' ' || c > '~') {
			t.Errorf("not plain text: %U", c)
		}
	}
}

func TestASupportBundleOpensNoKeychain(t *testing.T) {
	store := &counting{}
	s := newStage(t, "ok", func(c *Config) { c.Store = store })
	if err := s.service.Bundle(t.Context(), &bytes.Buffer{}); err != nil || store.calls != 0 {
		t.Errorf("%d calls, %v", store.calls, err)
	}
	if err := s.service.Bundle(t.Context(), full{}); err == nil {
		t.Error("a full disk was not said")
	}
}

type counting struct{ calls int }

func (c *counting) Put(context.Context, string, secret.Text) error { c.calls++; return nil }
func (c *counting) Get(context.Context, string) (secret.Text, error) {
	c.calls++
	return secret.Text{}, nil
}
func (c *counting) Delete(context.Context, string) error { c.calls++; return nil }

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }
