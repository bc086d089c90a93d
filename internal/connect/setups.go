package connect

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// shelf holds the definitions. They are read anew when a file of the person's
// was added, changed or removed, by whichever process, so that a window that is
// open sees what the command line did.
type shelf struct {
	dir string
	// agreed tells whether the person has agreed to the hosts of a definition.
	agreed func(provider.Question) bool
	// changed is told that addresses may be other ones from now on.
	changed func()

	mu       sync.Mutex
	stamp    string
	registry *provider.Registry
	issues   []error
}

// newShelf reads the definitions. In practice the shipped ones are all there
// are: a person's own have no pretend twin.
func (s *Service) newShelf(ctx context.Context) *shelf {
	h := &shelf{agreed: func(q provider.Question) bool {
		agreed, err := s.library.Setting(context.WithoutCancel(ctx), agreedHosts(q.ID))
		return err == nil && agreed == q.SHA256()
	}, changed: s.dropClients}
	if !s.Practising() {
		h.dir = s.providersDir()
	}
	h.current()
	return h
}

func (s *Service) providersDir() string { return filepath.Join(s.config.Home, "providers") }

// agreedHosts names the setting that holds the digest of the hosts that the
// person has agreed to for one definition.
func agreedHosts(id string) string { return "hosts_" + id }

// dropClients lets no connection outlive the list of hosts it was made for.
func (s *Service) dropClients() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, hc := range s.clients {
		hc.CloseIdleConnections()
		delete(s.clients, id)
	}
}

// current gives the definitions as the folder has them now.
func (h *shelf) current() (*provider.Registry, []error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	stamp := h.look()
	if h.registry != nil && stamp == h.stamp {
		return h.registry, h.issues
	}
	again := h.registry != nil
	h.stamp = stamp
	h.registry, h.issues = provider.Load(h.dir)
	for _, q := range h.registry.Questions() {
		if h.agreed(q) {
			if err := h.registry.Confirm(q.ID); err != nil {
				h.issues = append(h.issues, err)
			}
		}
	}
	if again {
		h.changed()
	}
	return h.registry, h.issues
}

// renew makes the next look read everything again.
func (h *shelf) renew() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stamp = "again"
}

// look tells by names, sizes and times whether a file is another one.
func (h *shelf) look() string {
	if h.dir == "" {
		return ""
	}
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && strings.HasSuffix(entry.Name(), ".toml") {
			b.WriteString(entry.Name() + "|" + info.ModTime().UTC().Format("20060102150405.000000000") + "|" + info.Mode().String() + "\n")
		}
	}
	return b.String()
}

// Get finds one definition.
func (h *shelf) Get(id string) (provider.Definition, error) {
	registry, _ := h.current()
	return registry.Get(id)
}

// Providers lists the definitions, current ones first; in practice those that
// can be practised with.
func (s *Service) Providers() []provider.Definition {
	registry, _ := s.registry.current()
	return registry.List()
}

// DefinitionIssues are the strict errors of users' own definitions, each a
// problem with file and line; such a definition is left out of Providers.
func (s *Service) DefinitionIssues() []error {
	_, issues := s.registry.current()
	return slices.Clone(issues)
}

// ProviderProblems are the DefinitionIssues as what they are: a person's own
// files that are not in use, each with file and line.
func (s *Service) ProviderProblems() []*problem.Problem {
	var told []*problem.Problem
	for _, issue := range s.DefinitionIssues() {
		told = append(told, problem.Of(issue))
	}
	return told
}

// Questions are the definitions whose hosts the person has to agree to before
// anything is sent there (security.md ATT-8).
func (s *Service) Questions() []provider.Question {
	registry, _ := s.registry.current()
	return registry.Questions()
}

// ConfirmProvider keeps that the person has seen the hosts of a definition and
// agreed: to these and no others. It is asked again when one of them changes,
// and forgets nothing else: an app whose secret was given for other addresses
// asks for it once more. seen is the question that was shown: where the file is
// another one by now, the hosts that the person has not seen are asked about
// instead. Problems: provider.unknown where nothing is asked about that id;
// definition.hosts, the new question; the library's.
func (s *Service) ConfirmProvider(ctx context.Context, seen provider.Question) error {
	for _, q := range s.Questions() {
		switch {
		case q.ID != seen.ID:
			continue
		case q.SHA256() != seen.SHA256():
			return q.Problem()
		}
		if err := s.library.SetSetting(ctx, agreedHosts(q.ID), seen.SHA256()); err != nil {
			return err
		}
		s.registry.renew()
		return nil
	}
	return problem.New(problem.ProviderUnknown, "provider", problem.Outside(seen.ID, 60))
}

// Discover reads what a server says about itself (RFC 8414, OpenID discovery).
// Nothing is saved and no secret is sent. In practice only the practice
// ground's own server answers. Problems: discovery.*, network.*, practice.only.
func (s *Service) Discover(ctx context.Context, issuer string) (provider.Server, error) {
	hc := s.config.Client
	switch {
	case s.Practising():
		d, err := s.registry.Get("oauth2")
		if err != nil || strings.TrimRight(strings.TrimSpace(issuer), "/") != d.Authorize.Issuer {
			return provider.Server{}, problem.New(problem.PracticeOnly, "reason", "real")
		}
		hc = s.wired(&http.Client{Transport: pretendHosts{s.config.SandboxURL}, Timeout: doctorAsks})
	case hc == nil:
		hc = oauth.NewDiscoveryHTTP(issuer)
		defer hc.CloseIdleConnections()
	}
	return oauth.Discover(ctx, hc, issuer)
}

// pretendHosts sends every request to the sandbox, which serves each host under
// its own name.
type pretendHosts struct{ base *url.URL }

// RoundTrip implements http.RoundTripper.
func (p pretendHosts) RoundTrip(r *http.Request) (*http.Response, error) {
	mapped := r.Clone(r.Context())
	mapped.URL.Scheme, mapped.URL.Host, mapped.Host = p.base.Scheme, p.base.Host, ""
	mapped.URL.Path = "/" + r.URL.Host + r.URL.Path
	return http.DefaultTransport.RoundTrip(mapped)
}

// providerID bounds what becomes the name of a file.
var providerID = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// AddProvider writes a person's own definition into <home>/providers/<id>.toml,
// readable by the person alone, and puts it to use; where its addresses are of
// more than one domain only after ConfirmProvider. The file appears whole or not
// at all, and never over one that is there. Problems: definition.exists (arg
// file), definition.invalid, practice.only, home.unusable, lock.held.
func (s *Service) AddProvider(ctx context.Context, srv provider.Server) (provider.Definition, error) {
	if s.Practising() {
		return provider.Definition{}, problem.New(problem.PracticeOnly, "reason", "real")
	}
	source, d, err := provider.Compose(srv)
	if err != nil {
		return provider.Definition{}, err
	}
	if !providerID.MatchString(d.ID) {
		return provider.Definition{}, problem.New(problem.DefinitionInvalid, "file", problem.Outside(d.ID, 60)+".toml", "what", "id", "reason", "value", "value", problem.Outside(d.ID, 60))
	}
	unlock, err := s.lockIn(ctx, s.config.Home, "providers")
	if err != nil {
		return provider.Definition{}, err
	}
	defer unlock()
	dir, file := s.providersDir(), d.ID+".toml"
	taken := problem.New(problem.DefinitionExists, "provider", d.ID, "file", file)
	if _, err := s.registry.Get(d.ID); err == nil {
		return provider.Definition{}, taken
	}
	if _, err := os.Lstat(filepath.Join(dir, file)); !errors.Is(err, fs.ErrNotExist) {
		return provider.Definition{}, taken.Because(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return provider.Definition{}, problem.New(problem.HomeUnusable, "folder", dir).Because(err)
	}
	if err := writeFile(filepath.Join(dir, file), source); err != nil {
		return provider.Definition{}, problem.New(problem.HomeUnusable, "folder", dir).Because(err)
	}
	s.registry.renew()
	s.log.Info("provider added", "hosts", len(d.Hosts()))
	return s.registry.Get(d.ID)
}

// RemoveProvider deletes the file that AddProvider wrote, or one of that name,
// and forgets that its hosts were agreed to. Accounts and apps stay; they work
// again when the definition is back. Problems: provider.unknown where there is
// no such file, practice.only, home.unusable, lock.held.
func (s *Service) RemoveProvider(ctx context.Context, id string) error {
	if s.Practising() {
		return problem.New(problem.PracticeOnly, "reason", "real")
	}
	unknown := problem.New(problem.ProviderUnknown, "provider", problem.Outside(id, 60))
	if !providerID.MatchString(id) {
		return unknown
	}
	unlock, err := s.lockIn(ctx, s.config.Home, "providers")
	if err != nil {
		return err
	}
	defer unlock()
	err = os.Remove(filepath.Join(s.providersDir(), id+".toml"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unknown
	case err != nil:
		return problem.New(problem.HomeUnusable, "folder", s.providersDir()).Because(err)
	}
	s.registry.renew()
	return s.library.SetSetting(ctx, agreedHosts(id), "")
}

// standing is how renewing begins for a token that just came.
func (s *Service) standing(a answer) library.Renewal {
	d, err := s.registry.Get(a.Provider)
	return library.Renewal{Refreshes: err == nil && d.Refreshes() && !a.Refresh.Empty()}
}
