package oauth

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// The order in which the token endpoint looks at things (providers.md 2.5).
func TestPreflightTellsWhatTheProviderThinksOfTheID(t *testing.T) {
	flat := func(text string) string {
		return `{"error_type":"OAuthException","code":400,"error_message":"` + text + `"}`
	}
	for name, c := range map[string]struct {
		status int
		answer string
		known  bool
		want   problem.Key
		err    problem.Key
	}{
		"known":        {400, flat("Invalid authorization code"), true, "", ""},
		"known, other": {400, flat("Matching code was not found or was already used"), true, "", ""},
		"Facebook's":   {400, flat("Invalid platform app"), false, problem.AppIDIsFacebook, ""},
		"nobody's":     {400, flat("Missing required field client_id"), false, problem.AppIDUnknown, ""},
		"new words":    {400, flat("Something new"), false, problem.UnknownAnswer, ""},
		"a token":      {200, `{"access_token":"x"}`, false, problem.ProviderOddAnswer, ""},
		"trouble":      {500, "", false, "", problem.ProviderDown},
		"busy":         {429, "", false, "", problem.ProviderBusy},
		"a login page": {200, "<html>", false, "", problem.NetworkLoginPage},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(7*time.Minute).UTC().Format(http.TimeFormat))
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			})
			d := s.practice(t)
			got, err := client(t, d).Preflight(t.Context(), d, clientID, redirectURI)
			if c.err != "" && !problem.Has(err, c.err) || c.err == "" && err != nil {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			if got.Known != c.known || (got.Problem == nil) != (c.want == "") || got.Problem != nil && got.Problem.Key != c.want {
				t.Errorf("%+v, want %q", got, c.want)
			}
			if got.Skew < 6*time.Minute+50*time.Second || got.Skew > 7*time.Minute+10*time.Second {
				t.Errorf("skew %s", got.Skew)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// What is sent is made up, anew each time, and never the person's secret.
func TestPreflightSendsNobodysSecret(t *testing.T) {
	s := serve(t, body(400, `{"error_type":"OAuthException","code":400,"error_message":"Invalid authorization code"}`))
	d := s.practice(t)
	c := client(t, d)
	for range 2 {
		if _, err := c.Preflight(t.Context(), d, clientID, redirectURI); err != nil {
			t.Fatal(err)
		}
	}
	heard := s.requests()
	for _, name := range []string{"client_secret", "code"} {
		a, b := heard[0].values.Get(name), heard[1].values.Get(name)
		if a == "" || a == b || strings.Contains(a, clientSecret) || len(a) != 32 {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
	if heard[0].values.Get("client_id") != clientID || heard[0].values.Get("redirect_uri") != redirectURI || heard[0].kind != "multipart/form-data" {
		t.Errorf("%+v", heard[0])
	}
}

func TestPreflightWithoutANetwork(t *testing.T) {
	s := serve(t, body(200, ""))
	d := s.practice(t)
	s.Close()
	if _, err := client(t, d).Preflight(t.Context(), d, clientID, redirectURI); !problem.Has(err, problem.NetworkUnreachable) {
		t.Errorf("%v", err)
	}
}
