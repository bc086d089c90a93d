package oauth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// practise starts a sandbox in which everybody says yes.
func practise(t *testing.T, scenario string) (provider.Definition, *Client) {
	t.Helper()
	running, err := sandbox.Start(t.Context(), "127.0.0.1:0", sandbox.Options{Scenario: scenario, Auto: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Stop)
	base, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := instagram(t).Practice(base)
	return d, client(t, d)
}

// visit is the browser: it opens the address and reports where it was sent.
func visit(t *testing.T, a *Attempt) *url.URL {
	t.Helper()
	browser := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	resp, err := browser.Get(a.AuthorizeURL())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return to
}

func practiceApp() App {
	return App{ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret), RedirectURI: redirectURI}
}

// A strict double that shares no code with us plays the whole protocol.
func TestWholeSignInAgainstTheSandbox(t *testing.T) {
	d, c := practise(t, "ok")
	a, err := NewAttempt(d, practiceApp(), []string{"instagram_business_manage_comments"}, zeros{})
	if err != nil {
		t.Fatal(err)
	}
	answer := visit(t, a)
	if !strings.HasPrefix(answer.String(), redirectURI+"?") {
		t.Fatalf("sent to %s", answer.Host)
	}
	code, err := a.Read(answer.RawQuery + "#" + answer.Fragment)
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Exchange(t.Context(), a, code)
	if err != nil || first.Long || first.ExpiresAt.Sub(first.SentAt) != time.Hour || len(Missing(a.Scopes(), first.Scopes, false)) > 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	long, err := c.Extend(t.Context(), a, first)
	if err != nil || !long.Long || long.Access.Equal(first.Access) || long.ExpiresAt.Sub(long.SentAt) < 59*24*time.Hour {
		t.Fatalf("%+v, %v", long, err)
	}
	who, err := c.Identify(t.Context(), d, long)
	if err != nil || who.UserID == "" || who.Username == "" || who.Kind == "" || who.Posts < 0 || !slices.Contains(sandbox.People(), who.Username) {
		t.Fatalf("%+v, %v", who, err)
	}
	// A long token once more: it is what was wanted already.
	if _, err := c.Extend(t.Context(), a, long); !problem.Has(err, problem.AlreadyLong) {
		t.Errorf("%v", err)
	}
	// The code once more.
	if _, err := c.Exchange(t.Context(), a, code); !problem.Has(err, problem.CodeRefused) && !problem.Has(err, problem.CodeUsed) {
		t.Errorf("%v", err)
	}
}

func TestMishapsOfTheSandboxAreUnderstood(t *testing.T) {
	for scenario, want := range map[string]problem.Key{
		"deny": problem.Denied, "code-used": problem.CodeUsed, "redirect-mismatch": problem.RedirectMismatch, "extension-refused": problem.ExtendRefused,
		"wrong-id": problem.AppIDIsFacebook,
	} {
		d, c := practise(t, scenario)
		a, err := NewAttempt(d, practiceApp(), nil, zeros{})
		if err != nil {
			t.Fatal(err)
		}
		answer := visit(t, a)
		if scenario == "wrong-id" {
			// The provider's own page says it; nothing comes back.
			if key, ok := d.Refusal("page", provider.Refusal{Message: answer.Query().Get("message")}); !ok || key != want {
				t.Errorf("%s: %s", scenario, key)
			}
			continue
		}
		code, err := a.Read(answer.RawQuery)
		if err == nil {
			var first Token
			if first, err = c.Exchange(t.Context(), a, code); err == nil {
				_, err = c.Extend(t.Context(), a, first)
			}
		}
		if !problem.Has(err, want) || problem.Of(err).Provider == "" {
			t.Errorf("%s: %v", scenario, err)
		}
	}
	d, c := practise(t, "ok")
	for name, row := range map[string]struct {
		change func(*App)
		want   problem.Key
	}{
		"another secret": {func(a *App) { a.ClientSecret = secret.New(strings.Repeat("ab", 16)) }, problem.AppSecretRefused},
		"another id":     {func(a *App) { a.ClientID = sandbox.MetaAppID }, problem.AppIDIsFacebook},
		"a slash less":   {func(a *App) { a.RedirectURI = strings.TrimSuffix(redirectURI, "/") }, problem.RedirectMismatch},
	} {
		good, err := NewAttempt(d, practiceApp(), nil, zeros{})
		if err != nil {
			t.Fatal(err)
		}
		code, err := good.Read(visit(t, good).RawQuery)
		if err != nil {
			t.Fatal(err)
		}
		wrong := practiceApp()
		row.change(&wrong)
		bad, err := NewAttempt(d, wrong, nil, zeros{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Exchange(t.Context(), bad, code)
		if !problem.Has(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
		tells(t, err, code.Reveal(), sandbox.ClientSecret)
	}
}
