package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// gone checks that nothing but the diary is left of an account.
func (s *stage) gone(id, event string) {
	s.t.Helper()
	if _, err := s.store.Get(s.t.Context(), "token-"+id); err == nil {
		s.t.Error("the token is still in the keychain")
	}
	if _, err := s.service.Account(s.t.Context(), id); !problem.Has(err, problem.AccountUnknown) {
		s.t.Errorf("the account is still there: %v", err)
	}
	entries, err := s.service.Diary(s.t.Context(), id, 0)
	if err != nil || len(entries) == 0 || entries[0].Event != event {
		s.t.Errorf("diary %+v, %v", entries, err)
	}
}

// Instagram documents no request for it: the page is the way, nothing is sent,
// and here everything is gone.
func TestTOK14_WithoutARequestThePageIsTheWay(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{})})
	if err != nil {
		t.Fatal(err)
	}
	before := s.requests()
	ended, err := s.service.Revoke(t.Context(), account.Username)
	if err != nil || ended.AtProvider || ended.Problem != nil || s.requests() != before {
		t.Errorf("%+v, %v, %d requests", ended, err, s.requests()-before)
	}
	want := s.config.SandboxURL.String() + "/www.instagram.com/accounts/manage_access/"
	if ended.Page != want || s.service.RevokePage("instagram") != want {
		t.Errorf("page %q, want the practice ground's", ended.Page)
	}
	s.gone(account.ID, "removed")
	// What is shown exists.
	answer, err := http.Get(ended.Page)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the practice ground answers %d", answer.StatusCode)
	}
	for _, id := range []string{"myspace", ""} {
		if page := s.service.RevokePage(id); page != "" {
			t.Errorf("%q has the page %q", id, page)
		}
	}
	if _, err := s.service.Revoke(t.Context(), account.ID); !problem.Has(err, problem.AccountUnknown) {
		t.Errorf("twice: %v", err)
	}
	real := newStage(t, "ok", func(c *Config) { c.SandboxURL = nil })
	if page := real.service.RevokePage("instagram"); page != "https://www.instagram.com/accounts/manage_access/" {
		t.Errorf("the real page is %q", page)
	}
}

// ownServer is a small authorization server of a person's own: RFC 7009.
type ownServer struct {
	mu      sync.Mutex
	status  int
	revoked []url.Values
	person  string
}

func (o *ownServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/me":
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer opaque-") {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_token"}`)
			return
		}
		fmt.Fprintf(w, `{"sub":"77","name":%q}`, o.person)
	case "/revoke":
		_ = r.ParseForm()
		o.revoked = append(o.revoked, r.PostForm)
		w.WriteHeader(o.status)
		if o.status != http.StatusOK {
			fmt.Fprint(w, `{"error":"unsupported_token_type","error_description":"never heard of it"}`)
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// newOwnStage is outside practice, with a definition of the person's own.
func newOwnStage(t *testing.T, o *ownServer, change ...func(*Config)) *stage {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	definition := strings.ReplaceAll(`schema = 1
id = "own"
name = "Own server"
[authorize]
url = "BASE/authorize"
[redirect]
schemes = ["http"]
default = "http://127.0.0.1:8919/"
[exchange]
method = "POST"
url = "BASE/token"
encoding = "form"
answer = "rfc6749"
[exchange.params]
code = "{code}"
[identity]
url = "BASE/me"
[identity.fields]
user_id = "sub"
username = "name"
[revoke]
method = "POST"
url = "BASE/revoke"
encoding = "form"
page = "https://login.own.example/apps"
[revoke.params]
token = "{access_token}"
`, "BASE", server.URL)
	change = append([]func(*Config){func(c *Config) {
		c.SandboxURL = nil
		folder := filepath.Join(c.Home, "providers")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "own.toml"), []byte(definition), 0o600); err != nil {
			t.Fatal(err)
		}
	}}, change...)
	s := newStage(t, "ok", change...)
	if issues := s.service.DefinitionIssues(); len(issues) != 0 {
		t.Fatal(issues)
	}
	// Its page lies on another domain than its addresses.
	if err := s.service.ConfirmProvider(t.Context(), s.question("own")); err != nil {
		t.Fatal(err)
	}
	return s
}

const opaque = "opaque-0123456789-abcdefghijklmnop"

func TestTOK14_RevokedAtTheProviderThenHere(t *testing.T) {
	o := &ownServer{status: http.StatusOK, person: "rosa"}
	s := newOwnStage(t, o)
	// A kind that nobody knows goes where the person says, and nowhere else.
	if _, err := s.service.Import(t.Context(), Paste{Text: secret.New(opaque)}); !problem.Has(err, problem.PasteNotToken) {
		t.Errorf("without a provider: %v", err)
	}
	account, err := s.service.Import(t.Context(), Paste{Provider: "own", Text: secret.New(opaque)})
	if err != nil || account.Username != "rosa" || account.Provider != "own" {
		t.Fatalf("%+v, %v", account, err)
	}
	ended, err := s.service.Revoke(t.Context(), account.ID)
	if err != nil || !ended.AtProvider || ended.Problem != nil || ended.Page != "" {
		t.Errorf("%+v, %v", ended, err)
	}
	if len(o.revoked) != 1 || o.revoked[0].Get("token") != opaque {
		t.Errorf("the server got %d requests", len(o.revoked))
	}
	s.gone(account.ID, "revoked")
}

func TestTOK14_ARefusedRevocationRemovesHereAndSaysSo(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusServiceUnavailable} {
		o := &ownServer{status: status, person: "rosa"}
		s := newOwnStage(t, o)
		account, err := s.service.Import(t.Context(), Paste{Provider: "own", Text: secret.New(opaque)})
		if err != nil {
			t.Fatal(err)
		}
		ended, err := s.service.Revoke(t.Context(), account.ID)
		if err != nil || ended.AtProvider || ended.Problem == nil || ended.Problem.Key != problem.RevokeFailed || ended.Page != "https://login.own.example/apps" {
			t.Errorf("%d: %+v, %v", status, ended, err)
		}
		if ended.Problem != nil && strings.Contains(ended.Problem.Error()+fmt.Sprint(ended.Problem.Cause), opaque) {
			t.Errorf("%d: the problem has the token", status)
		}
		s.gone(account.ID, "removed")
	}
}

func TestTOK14_ATokenThatIsGoneIsRemovedHereAndSaid(t *testing.T) {
	o := &ownServer{status: http.StatusOK, person: "rosa"}
	s := newOwnStage(t, o)
	account, err := s.service.Import(t.Context(), Paste{Provider: "own", Text: secret.New(opaque)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Delete(t.Context(), "token-"+account.ID); err != nil {
		t.Fatal(err)
	}
	ended, err := s.service.Revoke(t.Context(), account.ID)
	if err != nil || ended.AtProvider || ended.Problem == nil || ended.Problem.Key != problem.TokenGone || ended.Page == "" || len(o.revoked) != 0 {
		t.Errorf("%+v, %v", ended, err)
	}
	s.gone(account.ID, "removed")
}

// shut is a keychain that was locked after the token went in.
type shut struct {
	vault.Store
	locked bool
	// deletes counts what was asked for while it was locked.
	deletes int
}

func (l *shut) Get(ctx context.Context, name string) (secret.Text, error) {
	if l.locked {
		return secret.Text{}, problem.New(problem.VaultLocked)
	}
	return l.Store.Get(ctx, name)
}

func (l *shut) Delete(ctx context.Context, name string) error {
	if l.locked {
		l.deletes++
		return problem.New(problem.VaultLocked)
	}
	return l.Store.Delete(ctx, name)
}

func TestALockedKeychainRevokesNothing(t *testing.T) {
	o := &ownServer{status: http.StatusOK, person: "rosa"}
	store := &shut{Store: vault.NewSession()}
	s := newOwnStage(t, o, func(c *Config) { c.Store = store })
	account, err := s.service.Import(t.Context(), Paste{Provider: "own", Text: secret.New(opaque)})
	if err != nil {
		t.Fatal(err)
	}
	store.locked = true
	if _, err := s.service.Revoke(t.Context(), account.ID); !problem.Has(err, problem.VaultLocked) {
		t.Errorf("%v", err)
	}
	if len(o.revoked) != 0 || len(s.accounts()) != 1 || store.deletes != 0 {
		t.Errorf("%d requests, %d accounts, asked %d times more", len(o.revoked), len(s.accounts()), store.deletes)
	}
	store.locked = false
	if _, err := s.service.Revoke(t.Context(), account.ID); err != nil || len(o.revoked) != 1 {
		t.Errorf("%v", err)
	}
	s.gone(account.ID, "revoked")
}

// Stopped while the provider is asked: nobody knows whether it has ended there,
// so what there is here stays.
func TestRevokingThatIsStoppedKeepsTheAccount(t *testing.T) {
	o := &ownServer{status: http.StatusOK, person: "own.person"}
	s := newOwnStage(t, o)
	account, err := s.service.Import(t.Context(), Paste{Provider: "own", Text: secret.New(opaque)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.mu.Lock() // the server does not answer
	done := make(chan error, 1)
	go func() {
		_, err := s.service.Revoke(ctx, account.ID)
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("it did not wait for the provider: %v", err)
	case <-time.After(200 * time.Millisecond):
		cancel()
		err = <-done
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	cancel()
	o.mu.Unlock()
	if _, err := s.service.Token(t.Context(), account.ID); err != nil {
		t.Errorf("the token is gone: %v", err)
	}
}

// TOK-14 and the lock: whoever renews this account is waited for.
func TestRevokingWaitsForTheAccountsLock(t *testing.T) {
	s := newStage(t, "ok")
	account, err := s.service.Import(t.Context(), Paste{Text: s.dashboard(sandbox.Minted{})})
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := library.Lock(t.Context(), s.service.root(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.service.Revoke(ctx, account.ID)
		done <- err
	}()
	cancel()
	if err := <-done; err == nil || len(s.accounts()) != 1 {
		t.Errorf("revoked under somebody's lock: %v", err)
	}
	unlock()
	if _, err := s.service.Revoke(t.Context(), account.ID); err != nil {
		t.Error(err)
	}
}
