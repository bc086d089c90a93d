package connect

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/browser"
	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// Config is what a front end decides before anything starts. Environment
// fills Home, SandboxURL and Session; the rest has a usable zero value.
type Config struct {
	// Home is the folder of everything that is not secret, absolute.
	Home string
	// SandboxURL is the base of a running sandbox: practice mode. Nil is real.
	SandboxURL *url.URL
	// Session keeps secrets in memory until Close. Only the window offers it.
	Session bool
	// SessionWithoutKeychain does so where no keychain is found. The window
	// sets it and says it; the command line gets problem.VaultAbsent instead.
	SessionWithoutKeychain bool
	// Attended means that a person is there to answer a keychain's prompt.
	Attended bool
	// Language of the page that the browser shows after the redirect.
	Language string
	// Open opens an address in the person's browser; nil is browser.Open.
	Open func(ctx context.Context, address string) error
	// Log gets one line a step, without secrets; nil is silence.
	Log *slog.Logger
	// Now is the clock, Rand the source of state and ids; nil is the real one.
	Now  func() time.Time
	Rand io.Reader
	// Waiting is told when a keychain prompt may be open. May be nil.
	Waiting func(bool)
	// Store replaces the keychain, in tests.
	Store vault.Store
	// Client replaces the HTTP client, in tests. The default contacts the hosts
	// of the definition only.
	Client *http.Client
	// At is called at every named point of a sign-in and of a renewal, for tests
	// that end the process there. The names are those of Points,
	// AskPoints, GrantPoints and RenewPoints.
	At func(point string)
	// Wait waits before a doubtful refusal is asked about again; nil waits
	// really, and ends early with ctx.
	Wait func(ctx context.Context, d time.Duration)
}

// Environment reads the contract's variables: TOKENKEEP_HOME (homeFlag, the
// value of --home, wins), TOKENKEEP_VAULT and TOKENKEEP_SANDBOX_URL. What it
// refuses is a problem of kind input.
func Environment(getenv func(string) string, homeFlag string) (Config, error) {
	var c Config
	c.Home = homeFlag
	if c.Home == "" {
		c.Home = getenv("TOKENKEEP_HOME")
	}
	if c.Home == "" {
		dir, err := defaultHome(getenv)
		if err != nil {
			return c, err
		}
		c.Home = dir
	}
	home, err := filepath.Abs(c.Home)
	if err != nil {
		return c, problem.New(problem.HomeUnusable, "folder", c.Home).Because(err)
	}
	c.Home = home
	switch choice := getenv("TOKENKEEP_VAULT"); choice {
	case "", "keychain":
	case "session":
		c.Session = true
	default:
		return c, problem.New(problem.VaultChoice, "choice", problem.Outside(choice, 40))
	}
	if raw := getenv("TOKENKEEP_SANDBOX_URL"); raw != "" {
		u, err := sandboxURL(raw)
		if err != nil {
			return c, err
		}
		c.SandboxURL = u
	}
	return c, nil
}

func defaultHome(getenv func(string) string) (string, error) {
	base, rest := "", []string{"tokenkeep"}
	switch runtime.GOOS {
	case "darwin":
		if h := getenv("HOME"); h != "" {
			base, rest = h, []string{"Library", "Application Support", buildinfo.Name}
		}
	case "windows":
		base, rest = getenv("LocalAppData"), []string{buildinfo.Name}
	default:
		base = getenv("XDG_DATA_HOME")
		if h := getenv("HOME"); base == "" && h != "" {
			base = filepath.Join(h, ".local", "share")
		}
	}
	if !filepath.IsAbs(base) {
		return "", problem.New(problem.HomeUnusable, "folder", base)
	}
	return filepath.Join(append([]string{base}, rest...)...), nil
}

// sandboxURL accepts http on a loopback host, without a path. Anything else
// would send practice traffic, with its made-up tokens, to a stranger.
func sandboxURL(raw string) (*url.URL, error) {
	refused := problem.New(problem.SandboxAddress, "address", problem.Outside(raw, 100))
	u, err := url.Parse(raw)
	if err != nil {
		return nil, refused.Because(err)
	}
	switch u.Hostname() {
	case "127.0.0.1", "::1", "localhost":
	default:
		return nil, refused
	}
	if u.Scheme != "http" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Opaque != "" {
		return nil, refused
	}
	return u, nil
}

// Service is the core over one library and one place for secrets. It is safe
// for concurrent use.
type Service struct {
	config   Config
	registry *shelf
	library  *library.Library
	keychain *vault.Keychain
	store    vault.Store
	tls      leafPlace
	place    string
	absent   *problem.Problem
	known    *secret.Known
	log      *slog.Logger
	// pretence is what practice makes believe.
	pretence pretence

	mu sync.Mutex
	// clients, one a provider: the steps of a sign-in share their connections.
	clients map[string]*http.Client
	// attempts are the sign-ins under way, doors their listeners by port.
	attempts map[*signIn]bool
	doors    map[int]door
	// held are answers that arrived and are not yet saved, by pending id: the
	// last resort where neither keychain nor disk takes one (ruling 8).
	held map[string]*completion
	// turns let one goroutine at a time renew an account, by its id.
	turns map[string]chan struct{}
	// sealing is the sealing key that was read last, see keptSealer.
	sealing *vault.Sealer
	// renewing: something renews by itself.
	renewing atomic.Bool
}

// Open opens the library of c.Home, or its practice library when SandboxURL is
// set. It does not touch the keychain, except for one look at whether there is
// one where SessionWithoutKeychain asks for it. Errors are those of the
// library and problem.HomeUnusable.
func Open(ctx context.Context, c Config) (*Service, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Open == nil {
		c.Open = browser.Open
	}
	if c.At == nil {
		c.At = func(string) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Wait == nil {
		c.Wait = func(ctx context.Context, d time.Duration) {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
	}
	if c.Waiting == nil {
		c.Waiting = func(bool) {}
	}
	s := &Service{
		config: c, known: &secret.Known{}, place: placeKeychain, clients: map[string]*http.Client{},
		attempts: map[*signIn]bool{}, doors: map[int]door{}, held: map[string]*completion{},
		turns: map[string]chan struct{}{},
	}
	s.log = slog.New(secret.NewHandler(c.Log.Handler(), s.known))

	if err := os.MkdirAll(c.Home, 0o700); err != nil {
		return nil, problem.New(problem.HomeUnusable, "folder", c.Home).Because(err)
	}
	var err error
	if s.library, err = library.Open(ctx, s.root(), c.Now); err != nil {
		return nil, err
	}
	s.registry = s.newShelf(ctx)
	s.chooseStore(ctx)
	return s, nil
}

// The places where secrets lie, as the library and the account object name them.
const (
	placeKeychain = "keychain"
	placeSession  = "session"
)

// keychainService is the service under which this library's secrets lie.
func (s *Service) keychainService() string {
	if s.Practising() {
		return buildinfo.ID + ".practice"
	}
	return buildinfo.ID
}

func (s *Service) openKeychain(service string) *vault.Keychain {
	return vault.Open(vault.Options{Service: service, Attended: s.config.Attended, Waiting: s.vaultWaits, Log: s.log})
}

// vaultWaits passes on that a keychain prompt may be open. Sign-ins under way
// are told whichever call it is for: the person sees one prompt.
func (s *Service) vaultWaits(on bool) {
	s.config.Waiting(on)
	s.mu.Lock()
	runs := slices.Collect(maps.Keys(s.attempts))
	s.mu.Unlock()
	for _, run := range runs {
		run.announce(func(st *State) { st.VaultWaits = on })
	}
}

func (s *Service) enter(run *signIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[run] = true
}

func (s *Service) exit(run *signIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.attempts, run)
}

// lock takes a lock across processes, waiting as library.Lock does. Where the
// file system has none, what a person does goes on without (the library's
// notes say so); only what nobody watches would have to stop.
func (s *Service) lock(ctx context.Context, name string) (unlock func(), err error) {
	return s.lockIn(ctx, s.root(), name)
}

func (s *Service) lockIn(ctx context.Context, dir, name string) (unlock func(), err error) {
	unlock, err = library.Lock(ctx, dir, name)
	if problem.Has(err, problem.LockUnavailable) {
		s.log.Warn("no lock", "name", name, "err", err)
		return func() {}, nil
	}
	return unlock, err
}

func (s *Service) chooseStore(ctx context.Context) {
	c := s.config
	if c.Store != nil {
		s.store = s.latched(c.Store)
		return
	}
	s.keychain = s.openKeychain(s.keychainService())
	s.store = s.latched(s.keychain)
	session := c.Session
	if !session && c.SessionWithoutKeychain {
		status, err := s.keychain.Status(ctx)
		if err != nil || !status.Present {
			session = true
			s.absent = problem.New(problem.VaultAbsent)
			if p := problem.Of(err); p != nil && p.Kind == problem.Vault {
				s.absent = p
			}
		}
	}
	if session {
		s.store, s.place = s.latched(vault.NewSession()), placeSession
		s.forgetFormerSession(ctx)
	}
}

// forgetFormerSession removes the rows of accounts whose tokens ended with an
// earlier window: a name without a token would be a made-up row. A library
// that cannot be written to keeps them and opens all the same.
func (s *Service) forgetFormerSession(ctx context.Context) {
	accounts, err := s.library.Accounts(ctx)
	for _, a := range accounts {
		if a.Vault == placeSession && err == nil {
			err = s.library.RemoveAccount(ctx, a.ID)
		}
	}
	if err != nil {
		s.log.Warn("former session", "err", err)
	}
}

// elsewhere is why a token that lies in place cannot be reached from here, nil
// when it can.
func (s *Service) elsewhere(place string) *problem.Problem {
	switch {
	case place == s.place || place != placeKeychain:
		return nil
	case s.absent != nil:
		return s.absent
	default:
		return problem.New(problem.VaultAbsent)
	}
}

// Close ends the keychain's child, the connections, and the library. An answer
// that is held in memory alone is gone with it.
func (s *Service) Close() error {
	s.tls.close()
	s.mu.Lock()
	for _, hc := range s.clients {
		hc.CloseIdleConnections()
	}
	s.mu.Unlock()
	if s.keychain != nil {
		_ = s.keychain.Close()
	}
	return s.library.Close()
}

// Practising reports whether this service talks to the pretend provider.
func (s *Service) Practising() bool { return s.config.SandboxURL != nil }

// Home is the folder of everything that is not secret.
func (s *Service) Home() string { return s.config.Home }

func (s *Service) root() string {
	if s.Practising() {
		return filepath.Join(s.config.Home, "practice")
	}
	return s.config.Home
}

// portLocks is one folder for practice and the real thing: they share the ports.
func (s *Service) portLocks() string { return filepath.Join(s.config.Home, "locks") }

// definition gives the definition to speak with: mapped in practice.
func (s *Service) definition(id string) (provider.Definition, error) {
	d, err := s.registry.Get(id)
	if err != nil {
		return d, err
	}
	if s.Practising() {
		if d = d.Practice(s.config.SandboxURL); !d.Practising() {
			// A user's own definition has no pretend twin: practising with it
			// would be signing in for real.
			return d, problem.New(problem.ProviderUnknown, "provider", problem.Outside(id, 60))
		}
	}
	// Neither a secret nor a token goes to hosts that nobody has agreed to.
	if err := d.Usable(); problem.Has(err, problem.DefinitionHosts) {
		return d, err
	}
	return d, nil
}

func (s *Service) client(d provider.Definition) *oauth.Client {
	if s.config.Client != nil {
		return &oauth.Client{HTTP: s.wired(s.config.Client), Now: s.config.Now, Known: s.known}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// By its hosts too: who still holds a definition of before a change must not
	// leave its list to the new one.
	key := d.ID + " " + strings.Join(d.Hosts(), " ")
	hc, ok := s.clients[key]
	if !ok {
		hc = s.wired(oauth.NewHTTP(d.Hosts()))
		s.clients[key] = hc
	}
	return &oauth.Client{HTTP: hc, Now: s.config.Now, Known: s.known}
}

// proving asks with the app's secret at hand, where the completion has it, for a
// provider that wants a proof of it beside the token; else as proved does.
func proving[T any](ctx context.Context, s *Service, d provider.Definition, c *completion, ask func(*oauth.Client) (T, error)) (T, error) {
	if c.secret.Empty() {
		return proved(ctx, s, d, c.answer.AppID, ask)
	}
	client := s.client(d)
	client.Secret = c.secret
	return ask(client)
}

// proved asks, and once more where the provider wants a proof of the app's secret
// and that is kept: the keychain is not opened for a wish that nobody has. app is
// the id of the token's app; empty, or gone, it is the provider's only app whose
// secret is kept. The secret itself is not sent, and a proof by another app's
// tells nobody anything.
func proved[T any](ctx context.Context, s *Service, d provider.Definition, app string, ask func(*oauth.Client) (T, error)) (T, error) {
	client := s.client(d)
	got, err := ask(client)
	if !problem.Has(err, problem.ProofRequired) || !d.Meta() {
		return got, err
	}
	apps, readErr := s.library.Apps(ctx)
	if readErr != nil {
		return got, err
	}
	apps = slices.DeleteFunc(apps, func(one library.App) bool {
		return one.Provider != d.ID || !one.SecretKept || app != "" && one.ID != app || one.EndpointsSHA256 != s.fingerprint(d.ID)
	})
	if len(apps) != 1 {
		return got, err
	}
	kept, readErr := s.store.Get(ctx, clientItem(apps[0].ID))
	if readErr != nil {
		s.log.Info("secret for a proof not read", "err", readErr)
		return got, err
	}
	s.known.Add(kept)
	client.Secret = kept
	return ask(client)
}

func (s *Service) sealer(ctx context.Context) (*vault.Sealer, error) {
	sealer, err := vault.NewSealer(ctx, s.store, s.library.ID())
	if err == nil {
		s.mark(ctx, sealer)
	}
	return sealer, err
}

// tokens may go without a sealer for what is not sealed.
func (s *Service) tokens(sealer *vault.Sealer) vault.Tokens {
	return vault.Tokens{Store: s.store, Service: s.keychainService(), Sealer: sealer, Overflow: s.library}
}
