package renew

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// stage is the real core against the sandbox, both by the sandbox's clock.
type stage struct {
	t       *testing.T
	sandbox *sandbox.Running
	service *connect.Service
}

func newStage(t *testing.T) *stage {
	t.Helper()
	running, err := sandbox.Start(t.Context(), "127.0.0.1:0", sandbox.Options{Auto: true})
	must(t, err)
	t.Cleanup(running.Stop)
	base, err := url.Parse(running.URL)
	must(t, err)
	service, err := connect.Open(t.Context(), connect.Config{Home: t.TempDir(), SandboxURL: base, Store: vault.NewSession(), Language: "en", Now: running.Server.Now})
	must(t, err)
	t.Cleanup(func() { _ = service.Close() })
	service.SetRenewing(true)
	return &stage{t, running, service}
}

// signIn connects the nth person of the sandbox, by pasting the address that
// the provider sends the browser to.
func (s *stage) signIn(provider string, n int) connect.Account {
	s.t.Helper()
	must(s.t, s.sandbox.Server.SetConsent(sandbox.People()[n], nil))
	pasted := make(chan string, 1)
	asked := false
	account, err := s.service.Connect(s.t.Context(), connect.Request{
		Setup:   connect.Setup{Provider: provider, ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret)},
		Receive: connect.ReceivePaste, Browser: connect.BrowserNone, Timeout: time.Minute, Pasted: pasted,
	}, func(st connect.State) {
		if st.Step == connect.Waiting && !asked {
			asked = true
			go func(address string) { pasted <- landing(s.t, address) }(st.AuthorizeURL.Reveal())
		}
	})
	must(s.t, err)
	return account
}

// landing follows the provider's redirects and gives the first address of ours.
func landing(t *testing.T, address string) string {
	client := &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Query().Get("code") != "" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := client.Get(address)
	if err != nil {
		t.Error("the provider did not answer")
		return ""
	}
	_ = answer.Body.Close()
	return answer.Header.Get("Location")
}

func (s *stage) accounts() []connect.Account {
	s.t.Helper()
	all, err := s.service.Accounts(s.t.Context())
	must(s.t, err)
	return all
}

// renewals counts the requests for a new token at the provider.
func (s *stage) renewals() int {
	_, log := s.sandbox.Server.Log()
	n := 0
	for _, r := range log {
		if r.Path == "/graph.instagram.com/refresh_access_token" || r.Path == "/graph.threads.net/refresh_access_token" {
			n++
		}
	}
	return n
}

func TestRunWithTheRealCoreRenewsExactlyWhatIsDue(t *testing.T) {
	s := newStage(t)
	first, second := s.signIn("instagram", 0), s.signIn("instagram", 1)
	must(t, s.sandbox.Server.Forward(30*day))
	young := s.signIn("instagram", 2)
	must(t, s.sandbox.Server.Forward(10*day+time.Hour))

	now := s.sandbox.Server.Now()
	want := []string{first.ID, second.ID}
	slices.Sort(want)
	due := ids(Due(s.accounts(), now))
	slices.Sort(due)
	if !slices.Equal(due, want) {
		t.Fatalf("due %v, want %v; accounts %+v", due, want, s.accounts())
	}
	before := map[string]connect.Handed{}
	for _, a := range s.accounts() {
		handed, err := s.service.Token(t.Context(), a.ID)
		must(t, err)
		before[a.ID] = handed
	}
	report, err := Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now})
	if err != nil || len(report.Renewals) != 2 || len(report.Errors) != 0 || len(report.Warnings) != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, r := range report.Renewals {
		if r.Outcome != connect.Renewed || connect.DaysLeft(*r.Account.ExpiresAt, now) < 59 {
			t.Errorf("%s: %s %v, ends %v", r.Account.Username, r.Outcome, r.Problem, r.Account.ExpiresAt)
		}
	}
	if n := s.renewals(); n != 2 {
		t.Errorf("%d requests for a new token, want 2", n)
	}
	for _, a := range s.accounts() {
		handed, err := s.service.Token(t.Context(), a.ID)
		must(t, err)
		if same := handed.AccessToken.Equal(before[a.ID].AccessToken); same != (a.ID == young.ID) {
			t.Errorf("%s has its old token: %v", a.Username, same)
		}
	}
	again, err := Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now})
	if err != nil || len(again.Renewals) != 0 || s.renewals() != 2 {
		t.Errorf("a second run: %+v, %v, %d requests", again, err, s.renewals())
	}
}

// Three months closed: what is past is asked for once each, the provider says
// that it is over, and that is told once.
func TestThreeMonthsLaterWithTheRealCore(t *testing.T) {
	s := newStage(t)
	for n := range 3 {
		s.signIn("instagram", n)
	}
	must(t, s.sandbox.Server.Forward(91*day))
	report, err := Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now})
	if err != nil || len(report.Renewals) != 3 || len(report.Warnings) != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	for i, r := range report.Renewals {
		if r.Outcome != connect.RenewFailed || r.Account.Status != connect.Expired || !problem.Has(r.Problem, problem.TokenEnded) {
			t.Errorf("%s, %s, %v", r.Outcome, r.Account.Status, r.Problem)
		}
		w := report.Warnings[i]
		if w.Days != 0 || w.Reason != problem.TokenEnded {
			t.Errorf("warning %+v", w)
		}
		must(t, s.service.MarkWarned(context.Background(), w.Account.ID, w.Mark()))
	}
	if n := s.renewals(); n != 3 {
		t.Errorf("%d requests, want one each", n)
	}
	for range 3 {
		must(t, s.sandbox.Server.Forward(2*day))
		report, err = Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now})
		if err != nil || len(report.Renewals) != 0 || len(report.Warnings) != 0 || s.renewals() != 3 {
			t.Errorf("days later: %+v, %v, %d requests", report, err, s.renewals())
		}
	}
}

// A provider that is down is no reason to tell anybody that a token has ended.
func TestAnEndThatNobodyConfirmedIsNotTold(t *testing.T) {
	s := newStage(t)
	s.signIn("instagram", 0)
	must(t, s.sandbox.Server.Forward(91*day))
	must(t, s.sandbox.Server.AddFault(sandbox.Fault{Path: "/graph.instagram.com/refresh_access_token", Status: 503, Body: []byte("<html>"), Times: -1}))
	report, err := Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now})
	if err != nil || len(report.Renewals) != 1 || report.Renewals[0].Outcome != connect.RenewFailed || len(report.Warnings) != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if a := s.accounts()[0]; a.Reason != "" {
		t.Errorf("marked %s", a.Reason)
	}
	asked := s.renewals()
	if again, err := Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now}); err != nil || len(again.Renewals) != 0 || s.renewals() != asked {
		t.Errorf("asked again at once: %+v, %v", again, err)
	}
	s.sandbox.Server.ClearFaults()
	must(t, s.sandbox.Server.Forward(day+time.Hour))
	report, err = Run(t.Context(), s.service, Options{Now: s.sandbox.Server.Now})
	if err != nil || len(report.Renewals) != 1 || len(report.Warnings) != 1 || report.Warnings[0].Days != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
