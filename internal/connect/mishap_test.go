package connect

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	words "github.com/tokenkeep/tokenkeep/internal/text"
)

// ownJudgement are the problems that the program finds by itself in what a
// provider sends: rows 41 and 43 to 46 of providers.md 9, and the RFCs'.
var ownJudgement = []problem.Key{
	problem.PermissionMissing, problem.AnswerForeign, problem.AnswerDoubled, problem.IssMismatch, problem.ProviderDown,
	problem.ProviderOddAnswer, problem.NoPage, problem.PageNotLinked, problem.DiscoveryNone, problem.DiscoveryIssuer,
	problem.UnknownAnswer,
}

// inSilence are problems of the dictionary that a person never sees, and why.
var inSilence = map[problem.Key]string{
	problem.AlreadyLong: "the sign-in takes the token as what it is: nothing is left to do",
}

// misfortune is a service that meets one mishap after another.
type misfortune struct {
	*stage
	provider string
}

func newMisfortune(t *testing.T, name string) *misfortune {
	s := newStage(t, "ok", func(c *Config) { c.Wait = func(context.Context, time.Duration) {} })
	m := &misfortune{stage: s, provider: name}
	d, err := s.service.definition(name)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.LastIndex(d.Redirect.Default, ":")
	m.uri = d.Redirect.Default[:at+1] + freePort(t) + "/"
	s.service.Close()
	s.config.Now = s.sandbox.Server.Now
	s.open()
	return m
}

func (m *misfortune) request() Request {
	id, clientSecret := sandbox.Registration(m.provider)
	r := Request{Setup: Setup{Provider: m.provider, ClientID: id, ClientSecret: secret.New(clientSecret), RedirectURI: m.uri, KeepSecret: true}, Timeout: 20 * time.Second}
	d, err := m.service.definition(m.provider)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, one := range d.Scopes {
		if one.Offered() {
			r.Scopes = append(r.Scopes, one.Name)
		}
	}
	return r
}

// signIn gives what a sign-in ends with, or what it refuses while it waits, or
// what it has to say about a token that came all the same.
func (m *misfortune) signIn() *problem.Problem {
	ctx, cancel := context.WithCancel(m.t.Context())
	defer cancel()
	var mu sync.Mutex
	var told *problem.Problem
	account, err := m.service.Connect(ctx, m.request(), func(st State) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case st.Refused != nil && told == nil:
			told = st.Refused
			cancel()
		case st.Step == Connected && len(st.Notices) > 0:
			told = st.Notices[0]
		}
	})
	mu.Lock()
	defer mu.Unlock()
	switch {
	case told != nil:
		return told
	case err != nil:
		return problem.Of(err)
	case len(account.MissingScopes) > 0:
		return problem.New(problem.PermissionMissing, "provider", account.ProviderName, "scope", account.MissingScopes[0])
	}
	return nil
}

// account is one that is old enough to be renewed. Its token is a new one each
// time: what struck before may have ended the last.
func (m *misfortune) account() string {
	m.t.Helper()
	account, err := m.service.Connect(m.t.Context(), m.request(), nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.sandbox.Server.Forward(25 * time.Hour)
	return account.ID
}

// meet lets one mishap strike a real call and gives its problem.
func (m *misfortune) meet(one sandbox.Mishap) *problem.Problem {
	m.t.Helper()
	defer m.sandbox.Server.ClearMishaps()
	arm := func() {
		// What changes nothing is asked twice, and a request for a proof is tried
		// without a secret, without the proof, and with it.
		for range 4 {
			if err := m.sandbox.Server.ArmMishap(one.Name); err != nil {
				m.t.Fatal(err)
			}
		}
	}
	switch one.Where {
	case "page":
		d, err := m.service.definition(m.provider)
		if err != nil {
			m.t.Fatal(err)
		}
		return d.ReadPage(one.Page + one.Body)
	case "renew":
		id := m.account()
		arm()
		got, err := m.service.Renew(m.t.Context(), id, RenewOptions{})
		if err == nil && got.Problem != nil {
			err = got.Problem
		}
		return problem.Of(err)
	case "discovery":
		arm()
		_, err := m.service.Discover(m.t.Context(), "https://login.example")
		return problem.Of(err)
	}
	arm()
	return m.signIn()
}

// wellAfter are mishaps after which nothing is wrong: the token is long already,
// its end is estimated, and two services never say which permissions were given.
func wellAfter(name string) bool {
	return strings.HasSuffix(name, ".no-lifetime") || strings.HasSuffix(name, ".already-long") ||
		name == "threads.exchange.permission-missing" || name == "instagram-basic-display.exchange.permission-missing"
}

// unworded are mishaps whose text is free, or was never seen: it is shown as it is.
func unworded(one sandbox.Mishap) bool {
	return one.Row == 46 || one.Row == 34 || one.Name == "oauth2.page.client-unknown"
}

// hereOnly are problems after which there is nothing to press: what to change
// stands in the field above.
var hereOnly = map[problem.Key]bool{problem.DiscoveryIssuer: true}

// seen holds a problem against what a person gets of it, in every language: its
// sentences, a button that says what it does, and the exit code of its kind.
func seen(t *testing.T, name string, p *problem.Problem) {
	t.Helper()
	broken := func(s string) bool {
		return strings.TrimSpace(s) == "" || strings.ContainsAny(s, "⟦⟧{}") || strings.Contains(s, "<no value>")
	}
	for _, language := range words.Languages() {
		c := words.For(language)
		told := c.Tell(p)
		for _, sentence := range []string{told.Title, told.Happened, told.Advice} {
			if broken(sentence) {
				t.Errorf("%s: %s %s reads %q", name, language, p.Key, sentence)
			}
		}
		for _, action := range p.Actions() {
			if button := c.ActionBeside(p, action); broken(button) {
				t.Errorf("%s: %s the button %s reads %q", name, language, action, button)
			}
		}
	}
	if len(p.Actions()) == 0 && !hereOnly[p.Key] {
		t.Errorf("%s: %s has no button", name, p.Key)
	}
	if code := p.Kind.ExitCode(); code < 2 || code > 9 || p.Kind != problem.New(p.Key).Kind {
		t.Errorf("%s: %s ends with exit code %d", name, p.Key, code)
	}
}
