package connect

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// maxSecret bounds a client secret, in bytes. Meta's have 32; the bound keeps
// a pasted file out of the keychain.
const maxSecret = 1024

// maxName bounds an app's name, in characters.
const maxName = 60

// client is a checked Setup: what an attempt freezes.
type client struct {
	definition provider.Definition
	saved      *library.App // nil for a new app
	oauth      oauth.App
	scopes     []string // saved with the app
	keep       bool
}

// check turns what a person filled in into a client. withSecret demands the
// secret, from the setup or from the keychain.
func (s *Service) check(ctx context.Context, in Setup, withSecret bool) (client, error) {
	var c client
	if in.App != "" && in.ClientID == "" {
		app, err := s.library.AppByName(ctx, in.App)
		if err != nil {
			return c, err
		}
		c.saved = &app
		in.Provider, in.ClientID = app.Provider, app.ClientID
		if in.RedirectURI == "" {
			in.RedirectURI = app.RedirectURI
		}
		c.scopes = app.Scopes
		c.keep = app.SecretKept
	}
	d, err := s.definition(in.Provider)
	if err != nil {
		return c, err
	}
	if err := d.Usable(); err != nil {
		return c, err
	}
	c.definition = d
	if d.Authorize.ConfigParam != "" {
		c.oauth.ConfigID = strings.TrimSpace(in.ConfigID)
		if c.oauth.ConfigID == "" && c.saved != nil {
			if c.oauth.ConfigID, err = s.configID(ctx, c.saved.ID); err != nil {
				return c, err
			}
		}
	}
	if c.oauth.ClientID, err = oauth.CleanClientIDFor(d, in.ClientID); err != nil {
		return c, err
	}
	c.oauth.RedirectURI = strings.TrimSpace(in.RedirectURI)
	if c.oauth.RedirectURI == "" {
		c.oauth.RedirectURI = d.Redirect.Default
	}
	if err := checkRedirect(d, c.oauth.RedirectURI); err != nil {
		return c, err
	}
	c.oauth.ClientSecret = oauth.CleanSecret(in.ClientSecret.Reveal())
	s.known.Add(in.ClientSecret, c.oauth.ClientSecret)
	c.keep = c.keep || in.KeepSecret
	if c.oauth.ClientSecret.Len() > maxSecret {
		return c, problem.New(problem.SecretTooLong, "limit", strconv.Itoa(maxSecret))
	}
	if !withSecret || !c.oauth.ClientSecret.Empty() {
		return c, nil
	}
	if c.saved == nil || !c.saved.SecretKept {
		if !oauth.NeedsSecret(d) {
			return c, nil
		}
		return c, problem.New(problem.SecretMissing, "app", in.App, "provider", d.Name)
	}
	// A secret goes only to the hosts that it was entered for (ATT-8).
	if c.saved.EndpointsSHA256 != s.fingerprint(in.Provider) {
		return c, problem.New(problem.EndpointsChanged, "provider", d.Name)
	}
	kept, err := s.store.Get(ctx, clientItem(c.saved.ID))
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return c, problem.New(problem.SecretMissing, "app", in.App, "provider", d.Name)
	case err != nil:
		return c, err
	}
	s.known.Add(kept)
	c.oauth.ClientSecret = kept
	return c, nil
}

// checkRedirect holds an address against the browser's rules and the
// provider's: only the schemes that the definition lists can be registered.
func checkRedirect(d provider.Definition, uri string) error {
	address, err := redirect.Check(uri)
	if err != nil {
		return err
	}
	for _, scheme := range d.Redirect.Schemes {
		if scheme == address.Scheme {
			return nil
		}
	}
	return problem.New(problem.RedirectScheme, "scheme", address.Scheme, "provider", d.Name)
}

func (s *Service) retired(d provider.Definition) error {
	return problem.New(problem.ProviderRetired, "name", d.Name, "replaced_by", s.nameOf(d.ReplacedBy), "retired", d.Retired)
}

func (s *Service) nameOf(id string) string {
	if d, err := s.registry.Get(id); err == nil {
		return d.Name
	}
	return id
}

// fingerprint is over the addresses before the practice mapping, so that a
// sandbox on another port is the same provider.
func (s *Service) fingerprint(id string) string {
	d, err := s.registry.Get(id)
	if err != nil {
		return ""
	}
	return d.EndpointsSHA256()
}

// Apps lists the saved apps by name.
func (s *Service) Apps(ctx context.Context) ([]App, error) {
	saved, err := s.library.Apps(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := s.library.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	apps := make([]App, 0, len(saved))
	for _, a := range saved {
		app := appOf(a, accounts)
		if app.ConfigID, err = s.configID(ctx, a.ID); err != nil {
			return nil, err
		}
		apps = append(apps, app)
	}
	return apps, nil
}

// configSetting is where the configuration of an app lies, beside the app: its
// columns are a contract with scripts.
func configSetting(app string) string { return "config-" + app }

func (s *Service) configID(ctx context.Context, app string) (string, error) {
	return s.library.Setting(ctx, configSetting(app))
}

// keepConfig writes the configuration that an app was used with, and nothing
// where it is that already.
func (s *Service) keepConfig(ctx context.Context, app, id string) error {
	before, err := s.configID(ctx, app)
	if err != nil || before == id {
		return err
	}
	return s.library.SetSetting(ctx, configSetting(app), id)
}

func appOf(a library.App, accounts []library.Account) App {
	app := App{ID: a.ID, Name: a.Name, Provider: a.Provider, ClientID: a.ClientID, RedirectURI: a.RedirectURI, Scopes: append([]string{}, a.Scopes...), SecretKept: a.SecretKept}
	for _, account := range accounts {
		if account.AppID == a.ID {
			app.Accounts++
		}
	}
	return app
}

// AddApp saves a client registration under in.App and, with KeepSecret, its
// secret in the keychain. Problems: app.name_taken, those of the fields and
// permissions, secret.missing for one that is to be kept, those of the library
// and the keychain; then nothing is saved.
func (s *Service) AddApp(ctx context.Context, in Setup, scopes []string) (App, error) {
	name, err := appName(in.App)
	if err != nil {
		return App{}, err
	}
	if in.ClientID == "" {
		return App{}, problem.New(problem.FieldEmpty, "field", "client_id")
	}
	c, err := s.check(ctx, in, false)
	if err != nil {
		return App{}, err
	}
	if c.keep && c.oauth.ClientSecret.Empty() {
		return App{}, problem.New(problem.SecretMissing, "app", name, "provider", c.definition.Name)
	}
	if scopes, err = oauth.CheckScopes(c.definition, scopes); err != nil {
		return App{}, err
	}
	app := library.App{
		ID: library.NewID(s.config.Rand), Name: name, Provider: in.Provider, ClientID: c.oauth.ClientID,
		RedirectURI: c.oauth.RedirectURI, Scopes: scopes, EndpointsSHA256: s.fingerprint(in.Provider), SecretKept: c.keep,
	}
	// The row first: an app without the secret that it claims asks for it, a
	// secret without an app would lie in the keychain for ever.
	if err := s.library.AddApp(ctx, app); err != nil {
		return App{}, err
	}
	err = s.keepConfig(ctx, app.ID, c.oauth.ConfigID)
	if err == nil && c.keep {
		err = s.store.Put(ctx, clientItem(app.ID), c.oauth.ClientSecret)
	}
	if err != nil {
		ctx = context.WithoutCancel(ctx)
		if undo := errors.Join(s.keepConfig(ctx, app.ID, ""), s.library.RemoveApp(ctx, app.ID)); undo != nil {
			s.log.Warn("app not taken back", "app", app.ID, "err", undo)
		}
		return App{}, err
	}
	added := appOf(app, nil)
	added.ConfigID = c.oauth.ConfigID
	return added, nil
}

func clientItem(app string) string { return "client-" + app }

func appName(name string) (string, error) {
	name = problem.Outside(name, maxName)
	if name == "" {
		return "", problem.New(problem.FieldEmpty, "field", "name")
	}
	return name, nil
}

// RemoveApp forgets a client registration, its configuration and its kept secret. Its accounts
// stay: renewing them needs neither. Problem: app.unknown, those of the keychain.
func (s *Service) RemoveApp(ctx context.Context, name string) error {
	app, err := s.library.AppByName(ctx, name)
	if err != nil {
		return err
	}
	if app.SecretKept {
		if err := s.store.Delete(ctx, clientItem(app.ID)); err != nil && !errors.Is(err, vault.ErrNotFound) {
			return err
		}
	}
	if err := s.library.RemoveApp(ctx, app.ID); err != nil {
		return err
	}
	// The app is gone, and no other will have its id: what failed here is left
	// over and misleads nobody.
	if err := s.keepConfig(ctx, app.ID, ""); err != nil {
		s.log.Warn("configuration not forgotten", "app", app.ID, "err", err)
	}
	return nil
}

// saveApp makes sure that the client of a finished sign-in is among the saved
// apps, and keeps its secret where that was asked for. Failing to keep the
// secret is a notice, not a failure: the token is there.
//
// A pasted token brings no client: its app is the one it names, unchanged, or
// none.
func (s *Service) saveApp(ctx context.Context, a answer, clientSecret secret.Text) (library.App, *problem.Problem, error) {
	if a.Imported {
		app, err := s.library.App(ctx, a.AppID)
		if a.AppID == "" || problem.Has(err, problem.AppUnknown) {
			return library.App{}, nil, nil
		}
		return app, nil, err
	}
	app, err := s.appRow(ctx, a)
	if d, known := s.registry.Get(a.Provider); err == nil && known == nil && d.Authorize.ConfigParam != "" {
		err = s.keepConfig(ctx, app.ID, a.ConfigID)
	}
	if err != nil || !a.KeepSecret || clientSecret.Empty() {
		return app, nil, err
	}
	before := app
	app.SecretKept, app.EndpointsSHA256 = true, a.Endpoints
	// The row first, as in AddApp.
	if err := s.changeApp(ctx, before, app); err != nil {
		return before, nil, err
	}
	if err := s.store.Put(ctx, clientItem(app.ID), clientSecret); err != nil {
		return before, problem.Of(err), s.changeApp(ctx, app, before)
	}
	return app, nil, nil
}

func (s *Service) changeApp(ctx context.Context, before, after library.App) error {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	return s.library.UpdateApp(ctx, after)
}

// appRow finds the app of an answer, or adds it. Two processes may add at
// once: a name that was taken meanwhile gets a number.
func (s *Service) appRow(ctx context.Context, a answer) (library.App, error) {
	for tries := 0; ; tries++ {
		app, found, err := s.appFor(ctx, a)
		if err != nil {
			return app, err
		}
		if found {
			before := app
			app.Scopes = a.ScopesAsked
			return app, s.changeApp(ctx, before, app)
		}
		app.Scopes = a.ScopesAsked
		if err = s.library.AddApp(ctx, app); !problem.Has(err, problem.AppNameTaken) || tries == 3 {
			return app, err
		}
	}
}

// appFor is the app that the sign-in began with, else one of the same
// registration, else a new one. A saved app keeps its name and its redirect.
func (s *Service) appFor(ctx context.Context, a answer) (app library.App, found bool, err error) {
	saved, err := s.library.Apps(ctx)
	if err != nil {
		return library.App{}, false, err
	}
	names := map[string]bool{}
	for _, one := range saved {
		if one.ID == a.AppID {
			return one, true, nil
		}
		if !found && one.Provider == a.Provider && one.ClientID == a.ClientID && one.RedirectURI == a.RedirectURI {
			app, found = one, true
		}
		names[one.Name] = true
	}
	if found {
		return app, true, nil
	}
	app = library.App{
		ID: library.NewID(s.config.Rand), Name: a.AppName, Provider: a.Provider, ClientID: a.ClientID,
		RedirectURI: a.RedirectURI, EndpointsSHA256: a.Endpoints,
	}
	if app.Name == "" {
		app.Name = s.nameOf(a.Provider) + " " + a.ClientID[max(0, len(a.ClientID)-4):]
	}
	for stem, n := app.Name, 2; names[app.Name]; n++ {
		app.Name = stem + " (" + strconv.Itoa(n) + ")"
	}
	return app, false, nil
}
