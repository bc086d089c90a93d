package connect

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func checks(lines []Line) (names []string) {
	for _, l := range lines {
		names = append(names, l.Check)
	}
	return names
}

// The lines of ux.md 5.3, each with what leads to its remedy.
func TestTheDoctorAsksAboutTheAppID(t *testing.T) {
	s := newStage(t, "ok")
	in := s.request().Setup
	var heard []string
	lines, err := s.service.Doctor(t.Context(), in, func(l Line) { heard = append(heard, l.Check) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"client_id", "client_secret", "redirect", "port", "vault", "clock", "address"}
	if got := checks(lines); !slices.Equal(got, want) || !slices.Equal(heard, want) {
		t.Errorf("%v, heard %v, want %v", got, heard, want)
	}
	if lines[0].Variant != "known" || lines[0].Level != Fine {
		t.Errorf("%+v", lines[0])
	}
	for _, row := range []struct {
		name, check string
		level       Level
		variant     string
		key         problem.Key
		remedy      problem.Action
		change      func(*Setup)
	}{
		{"Facebook's", "client_id", Bad, "facebook", problem.AppIDIsFacebook, problem.GuideAppID, func(in *Setup) { in.ClientID = sandbox.MetaAppID }},
		{"short", "client_secret", Look, "look", "", problem.ChangeSecret, func(in *Setup) { in.ClientSecret = secret.New(sandbox.ClientSecret[:31]) }},
		{"long", "client_secret", Look, "long", "", problem.ChangeSecret, func(in *Setup) { in.ClientSecret = secret.New(sandbox.ClientSecret + "0") }},
		{"padded", "client_secret", Look, "spaces", "", problem.ChangeSecret, func(in *Setup) { in.ClientSecret = secret.New(" " + sandbox.ClientSecret + "\n") }},
		{"retired", "scopes", Bad, "", problem.ScopeRetired, problem.ChoosePermissions, func(in *Setup) { in.Scopes = []string{"user_profile"} }},
		{"other road", "scopes", Bad, "", problem.ScopeOtherRoad, problem.SwitchProvider, func(in *Setup) { in.Scopes = []string{"pages_show_list"} }},
		{"current", "scopes", Fine, "", "", "", func(in *Setup) { in.Scopes = []string{"instagram_business_basic"} }},
		{"address", "address", Yours, "", "", problem.CopyAddress, func(*Setup) {}},
	} {
		changed := in
		row.change(&changed)
		l := s.line(row.check, changed)
		if l.Level != row.level || l.Variant != row.variant || row.key != "" && !problem.Has(l.Problem, row.key) || row.key == "" && l.Problem != nil {
			t.Errorf("%s: %+v", row.name, l)
		}
		if row.remedy != "" && !slices.Contains(l.Remedies(), row.remedy) {
			t.Errorf("%s leads to %v, want %s", row.name, l.Remedies(), row.remedy)
		}
	}
	in.Offline = true
	before := s.requests()
	if got := checks(s.lines(in)); slices.Contains(got, "clock") || s.requests() != before {
		t.Errorf("offline: %v, %d requests", got, s.requests()-before)
	}
}

// question is what is asked about the hosts of one definition.
func (s *stage) question(id string) provider.Question {
	s.t.Helper()
	for _, q := range s.service.Questions() {
		if q.ID == id {
			return q
		}
	}
	s.t.Fatalf("nothing is asked about %s", id)
	return provider.Question{}
}

func (s *stage) lines(in Setup) []Line {
	s.t.Helper()
	lines, err := s.service.Doctor(s.t.Context(), in, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return lines
}

// The clock line is the Date of the answer that the app ID got.
func TestTheDoctorReadsTheClock(t *testing.T) {
	s := newStage(t, "ok")
	in := s.request().Setup
	if err := s.sandbox.Server.SetSkew(7 * time.Minute); err != nil {
		t.Fatal(err)
	}
	l := s.line("clock", in)
	if n, ok := l.Counts(); l.Level != Look || !ok || n != 7 || !problem.Has(l.Problem, problem.ClockOff) || !l.Own() {
		t.Errorf("%+v", l)
	}
	if err := s.sandbox.Server.SetSkew(0); err != nil {
		t.Fatal(err)
	}
	if l := s.line("clock", in); l.Level != Fine {
		t.Errorf("%+v", l)
	}
}

// An answer without a Date says nothing about our clock, least of all "fine".
func TestTheDoctorIsSilentAboutAClockThatNobodyCompared(t *testing.T) {
	for _, date := range [][]string{nil, {"yesterday"}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = date
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error_type":"OAuthException","code":400,"error_message":"Invalid authorization code"}`))
		}))
		t.Cleanup(server.Close)
		base, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		s := newStage(t, "ok", func(c *Config) { c.SandboxURL = base })
		lines := s.lines(s.request().Setup)
		if got := checks(lines); slices.Contains(got, "clock") || slices.Contains(got, "net") || lines[0].Variant != "known" {
			t.Errorf("%v: %+v", date, got)
		}
	}
}

// TOK-2: what the doctor sends has neither the person's secret nor anything of
// the keychain in it. A listener in the provider's place reads every byte.
func TestTheDoctorNeverSendsTheSecret(t *testing.T) {
	sent := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseMultipartForm(1 << 20)
		all := r.URL.String() + r.Form.Encode()
		for name, values := range r.Header {
			all += name + strings.Join(values, " ")
		}
		sent <- all
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error_type":"OAuthException","code":400,"error_message":"Invalid authorization code"}`))
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "ok", func(c *Config) { c.SandboxURL = base })
	in := s.request().Setup
	if l := s.line("client_id", in); l.Variant != "known" {
		t.Errorf("%+v", l)
	}
	if len(sent) != 1 {
		t.Fatalf("%d requests", len(sent))
	}
	if all := <-sent; strings.Contains(all, sandbox.ClientSecret) || !strings.Contains(all, sandbox.ClientID) {
		t.Error("the secret was sent, or the id was not")
	}
}

// What practice makes believe: no request leaves, and the keychain is shut.
func TestPractisingWithoutANetworkAndAKeychain(t *testing.T) {
	s := newStage(t, "ok")
	in := s.request().Setup
	account, err := s.service.Connect(t.Context(), s.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := s.requests()
	s.service.Pretend(Pretend{Offline: true})
	if l := s.line("net", in); l.Level != Bad || l.Variant != "bad" || !problem.Has(l.Problem, problem.NetworkUnreachable) {
		t.Errorf("%+v", l)
	}
	if got, err := s.service.Check(t.Context(), account.ID); err != nil || got.Works || !problem.Has(got.Problem, problem.NetworkUnreachable) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.service.Discover(t.Context(), "https://login.example"); problem.Of(err).Kind != problem.Network {
		t.Errorf("%v", err)
	}
	if s.requests() != before {
		t.Errorf("%d requests left", s.requests()-before)
	}
	s.service.Pretend(Pretend{VaultLocked: true})
	if l := s.line("vault", in); l.Level != Bad || !problem.Has(l.Problem, problem.VaultLocked) {
		t.Errorf("%+v", l)
	}
	if _, err := s.service.Token(t.Context(), account.ID); !problem.Has(err, problem.VaultLocked) {
		t.Errorf("%v", err)
	}
	if all, err := s.service.Accounts(t.Context()); err != nil || len(all) != 1 || all[0].Username == "" {
		t.Errorf("names are no secret: %+v, %v", all, err)
	}
	if storage, err := s.service.Storage(t.Context()); err != nil || !storage.Locked {
		t.Errorf("%+v, %v", storage, err)
	}
	s.service.Pretend(Pretend{})
	if got, err := s.service.Check(t.Context(), account.ID); err != nil || !got.Works {
		t.Errorf("an ordinary day: %+v, %v", got, err)
	}
	real := newStage(t, "ok", func(c *Config) { c.SandboxURL = nil })
	real.service.Pretend(Pretend{Offline: true, VaultLocked: true})
	if real.service.Pretends() != (Pretend{}) {
		t.Error("pretending outside practice")
	}
}

// ATT-8: a person's own server is added once, used after its hosts were agreed
// to, and asked about again when they change.
func TestATT8_OwnProvidersAndTheirHosts(t *testing.T) {
	s := newStage(t, "ok", func(c *Config) { c.SandboxURL = nil })
	ctx := t.Context()
	server := provider.Server{
		ID: "shelf", Name: "Shelf", AuthorizeURL: "https://login.shelf.example/authorize", TokenURL: "https://tokens.other.example/token",
		IdentityURL: "https://login.shelf.example/me", PKCE: true,
	}
	if _, err := s.service.AddProvider(ctx, server); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.config.Home, "providers", "shelf.toml")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := s.service.AddProvider(ctx, server); !problem.Has(err, problem.DefinitionExists) {
		t.Errorf("twice: %v", err)
	}
	in := Setup{Provider: "shelf", ClientID: "me", ClientSecret: secret.New("secret"), Offline: true}
	if l := s.line("hosts", in); l.Level != Bad || !problem.Has(l.Problem, problem.DefinitionHosts) || !slices.Contains(l.Remedies(), problem.ConfirmHosts) {
		t.Errorf("%+v", l)
	}
	if _, err := s.service.definition("shelf"); !problem.Has(err, problem.DefinitionHosts) {
		t.Errorf("used unasked: %v", err)
	}
	// What was shown is what is agreed to: the file changes while the person reads.
	seen := s.question("shelf")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	swapped := strings.ReplaceAll(string(source), "tokens.other.example", "tokens.evil.example")
	if err := os.WriteFile(file, []byte(swapped), 0o600); err != nil {
		t.Fatal(err)
	}
	err = s.service.ConfirmProvider(ctx, seen)
	if p := problem.Of(err); !problem.Has(err, problem.DefinitionHosts) || !strings.Contains(p.Args["hosts"], "tokens.evil.example") {
		t.Errorf("agreed to what nobody saw: %v", err)
	}
	if _, err := s.service.definition("shelf"); !problem.Has(err, problem.DefinitionHosts) {
		t.Errorf("used unasked: %v", err)
	}
	if err := os.WriteFile(file, source, 0o600); err != nil {
		t.Fatal(err)
	}
	s.service.registry.renew()
	if err := s.service.ConfirmProvider(ctx, seen); err != nil {
		t.Fatal(err)
	}
	if l := s.line("hosts", in); l.Level != Fine || !strings.Contains(l.Args["hosts"], "tokens.other.example") {
		t.Errorf("%+v", l)
	}
	// Another process, and a window that is open all the while.
	again, err := Open(ctx, s.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	if len(again.Questions()) != 0 {
		t.Error("asked again without a reason")
	}
	source, err = os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(source), "tokens.other.example", "tokens.third.example")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, service := range []*Service{s.service, again} {
		if _, err := service.definition("shelf"); !problem.Has(err, problem.DefinitionHosts) {
			t.Errorf("other hosts: %v", err)
		}
	}
	if err := s.service.RemoveProvider(ctx, "shelf"); err != nil {
		t.Fatal(err)
	}
	if err := again.RemoveProvider(ctx, "shelf"); !problem.Has(err, problem.ProviderUnknown) {
		t.Errorf("%v", err)
	}
	if _, err := again.registry.Get("shelf"); !problem.Has(err, problem.ProviderUnknown) {
		t.Errorf("%v", err)
	}
	// A broken file is said, with its line, and everything else goes on.
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "bad.toml"), []byte("schema = 1\nid = \"bad\"\nnonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := s.service.ProviderProblems(); len(told) != 1 || told[0].Args["file"] != "bad.toml" || told[0].Args["line"] == "" {
		t.Errorf("%v", told)
	}
	in = s.request().Setup
	in.Provider, in.Offline = "instagram-basic-display", true
	if l := s.line("hosts", in); l.Level != Bad || !problem.Has(l.Problem, problem.ProviderRetired) {
		t.Errorf("%+v", l)
	}
}
