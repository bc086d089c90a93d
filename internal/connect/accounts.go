package connect

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// Accounts lists every account, by username.
func (s *Service) Accounts(ctx context.Context) ([]Account, error) {
	rows, err := s.library.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.appNames(ctx)
	if err != nil {
		return nil, err
	}
	standing, err := s.library.Renewals(ctx)
	if err != nil {
		return nil, err
	}
	on := s.renewsByItself(ctx)
	accounts := make([]Account, 0, len(rows))
	for _, row := range rows {
		accounts = append(accounts, s.describe(row, names[row.AppID], standing[row.ID], on))
	}
	return accounts, nil
}

// Account finds one by id, username, or username@app. Problems:
// account.unknown, account.ambiguous.
func (s *Service) Account(ctx context.Context, ref string) (Account, error) {
	row, err := s.find(ctx, ref)
	if err != nil {
		return Account{}, err
	}
	name := ""
	if row.AppID != "" {
		app, err := s.library.App(ctx, row.AppID)
		if err != nil && !problem.Has(err, problem.AppUnknown) {
			return Account{}, err
		}
		name = app.Name
	}
	return s.account(row, name), nil
}

func (s *Service) find(ctx context.Context, ref string) (library.Account, error) {
	ref = strings.TrimPrefix(strings.TrimSpace(ref), "@")
	if ref == "" {
		return library.Account{}, problem.New(problem.FieldEmpty, "field", "account")
	}
	// A thousand renewals by id must not read a thousand lists.
	if row, err := s.library.Account(ctx, ref); !problem.Has(err, problem.AccountUnknown) {
		return row, err
	}
	rows, err := s.library.Accounts(ctx)
	if err != nil {
		return library.Account{}, err
	}
	names, err := s.appNames(ctx)
	if err != nil {
		return library.Account{}, err
	}
	username, app, withApp := strings.Cut(ref, "@")
	var found []library.Account
	for _, row := range rows {
		if strings.EqualFold(row.Username, username) && (!withApp || names[row.AppID] == app) {
			found = append(found, row)
		}
	}
	switch len(found) {
	case 0:
		return library.Account{}, problem.New(problem.AccountUnknown, "name", problem.Outside(ref, 80))
	case 1:
		return found[0], nil
	default:
		return library.Account{}, problem.New(problem.AccountAmbiguous, "name", problem.Outside(ref, 80))
	}
}

func (s *Service) appNames(ctx context.Context) (map[string]string, error) {
	apps, err := s.library.Apps(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, a := range apps {
		names[a.ID] = a.Name
	}
	return names, nil
}

// oneHourAtMost is the longest life of what counts as a short-lived token.
const oneHourAtMost = 24 * time.Hour

// account describes one account by what is known about it now. What only the
// renewal's row knows is left out where that cannot be read.
func (s *Service) account(row library.Account, app string) Account {
	ctx := context.Background()
	standing, err := s.library.Renewal(ctx, row.ID)
	if err != nil {
		s.log.Warn("renewal not read", "err", err)
	}
	return s.describe(row, app, standing, s.renewsByItself(ctx))
}

// renewsByItself: the switch is on, and the timer is installed or the window
// is open (ruling 9).
func (s *Service) renewsByItself(ctx context.Context) bool {
	if !s.renewing.Load() {
		return false
	}
	choice, err := s.library.Setting(ctx, "renew")
	return err == nil && choice != "off"
}

func (s *Service) describe(row library.Account, app string, standing library.Renewal, renews bool) Account {
	now := s.config.Now()
	a := Account{
		ID: row.ID, UserID: row.UserID, Username: row.Username, Provider: row.Provider, App: app,
		GrantedScopes: append([]string{}, row.ScopesGranted...), MissingScopes: oauth.Missing(row.ScopesAsked, row.ScopesGranted, standing.Refreshes),
		Reason: row.LastAnswer, Lifetime: Long, IssuedAt: row.IssuedAt, ExpiresAt: row.ExpiresAt, ExpiresEstimated: row.Estimated,
		Vault: row.Vault, Practice: s.Practising(), Kind: row.Kind, ScopesAsked: append([]string{}, row.ScopesAsked...),
		Posts: -1, ProviderName: row.Provider,
		FailedSince: row.FailedSince, NextTry: standing.NextAt, TriedAt: standing.TriedAt, CheckedAt: standing.CheckedAt, Warned: standing.Warned,
	}
	facts := Facts{Now: now, LastAnswer: problem.Key(row.LastAnswer)}
	if row.ExpiresAt != nil && !tookItSince(standing, *row.ExpiresAt, now) {
		facts.End = *row.ExpiresAt
	}
	if row.IssuedAt != nil {
		facts.Issued = *row.IssuedAt
	}
	if short(row) {
		a.Lifetime, facts.OneHour = Short, true
	}
	if row.FailedSince != nil {
		facts.DaysFailed = max(0, int(now.Sub(*row.FailedSince)/day))
	}
	if d, err := s.registry.Get(row.Provider); err == nil {
		a.ProviderName = d.Name
		a.Refreshes = d.Refreshes() && standing.Refreshes
		if a.Refreshes {
			a.Lifetime, facts.OneHour, facts.Refreshes = Long, false, true
		}
		a.Renews = renewable(row, standing, d)
		a.RenewAfter = renewAfter(row, standing, d, now)
		if row.LastAnswer == "" {
			a.DueAt = dueAt(row, standing, d, now)
		}
	}
	facts.Renewable = a.Renews && renews
	a.Status = StatusOf(facts)
	return a
}

// tookItSince reports that the provider took the token within the last day and
// after the end that we know: then our clock or our estimate is wrong, and a
// token that works is not called expired.
func tookItSince(standing library.Renewal, end, now time.Time) bool {
	at := standing.CheckedAt
	return at != nil && !at.Before(end) && !at.After(now) && now.Sub(*at) < day
}

// Token hands out the access token of an account, the newest that any process
// was given. Where a refresh token can bring another one, a token that has ended
// or is about to is renewed first; when that fails and it has ended, the true
// reason is the problem, network.unreachable among them. Problems: field.empty,
// account.unknown, account.ambiguous; of kind sign_in where the token has
// ended, was refused, or is gone; those of the library and the keychain,
// vault.absent among them for a token in a keychain that this session lacks.
func (s *Service) Token(ctx context.Context, ref string) (Handed, error) {
	row, err := s.find(ctx, ref)
	if err != nil {
		return Handed{}, err
	}
	if row, err = s.settled(ctx, row); err != nil {
		return Handed{}, err
	}
	if row, err = s.fresh(ctx, row, false); err != nil {
		return Handed{}, err
	}
	switch account := s.account(row, ""); account.Status {
	case Expired:
		return Handed{}, problem.New(problem.TokenEnded, "username", row.Username, "provider", account.ProviderName)
	case NeedsSignIn:
		return Handed{}, problem.New(problem.Key(row.LastAnswer), "username", row.Username, "provider", account.ProviderName)
	}
	item, err := s.item(ctx, row)
	if err != nil {
		return Handed{}, err
	}
	s.known.Add(item.AccessToken, item.RefreshToken)
	return Handed{AccessToken: item.AccessToken, TokenType: item.TokenType, ExpiresAt: item.ExpiresAt}, nil
}

func (s *Service) item(ctx context.Context, row library.Account) (vault.Item, error) {
	if p := s.elsewhere(row.Vault); p != nil {
		return vault.Item{}, p
	}
	// The sealing key is for long tokens only, and reading must not make one.
	item, err := s.tokens(nil).Get(ctx, row.ID)
	switch {
	case problem.Has(err, problem.VaultUnreadable) && problem.Of(err).Args["reason"] == "overflow":
		sealer, sealErr := s.sealer(ctx)
		if sealErr != nil {
			return item, sealErr
		}
		return s.tokens(sealer).Get(ctx, row.ID)
	case errors.Is(err, vault.ErrNotFound):
		// An item that is gone from the keychain we know, and a keychain that
		// is not the one we knew, are two different stories (KR-5).
		if s.place == placeKeychain {
			if err := vault.CheckSentinel(ctx, s.store, s.library.ID(), false); err != nil {
				return item, err
			}
		}
		return item, problem.New(problem.TokenGone, "username", row.Username)
	}
	return item, err
}

// Remove deletes the token from the keychain and then the account from the
// library; its diary stays. If the keychain refuses, nothing changes. Problems:
// field.empty, account.unknown, account.ambiguous, lock.held, those of the
// keychain and the library.
func (s *Service) Remove(ctx context.Context, ref string) error {
	row, err := s.find(ctx, ref)
	if err != nil {
		return err
	}
	unlock, err := s.lock(ctx, row.ID)
	if err != nil {
		return err
	}
	defer unlock()
	if p := s.elsewhere(row.Vault); p != nil {
		return p
	}
	if err := s.forget(ctx, row); err != nil {
		return err
	}
	s.log.Info("removed", "account", row.ID)
	return nil
}

// Diary gives the newest limit entries of an account, newest first; 100 when
// limit is 0. An empty id is every account.
func (s *Service) Diary(ctx context.Context, id string, limit int) ([]library.Entry, error) {
	return s.library.Diary(ctx, id, limit, 0)
}

// Note writes a line into an account's diary: what the person did with the
// token (copied, shown). args hold no secret.
func (s *Service) Note(ctx context.Context, id, event string, args map[string]string) error {
	return s.library.Note(ctx, library.Entry{AccountID: id, At: s.config.Now(), Event: event, Args: args})
}

// Storage tells where things lie, without touching a secret or raising a prompt.
func (s *Service) Storage(ctx context.Context) (Storage, error) {
	st := Storage{Place: s.place, Home: s.config.Home, Problem: s.absent}
	if s.keychain != nil && s.place == placeKeychain {
		status, err := s.keychain.Status(ctx)
		if err != nil {
			st.Problem = problem.Of(err)
		}
		st.Program, st.Collection, st.Present, st.Locked = status.Program, status.Collection, status.Present, status.Locked
		if err == nil && !status.Present {
			st.Problem = problem.New(problem.VaultAbsent)
		}
	}
	st.Locked = st.Locked || s.Pretends().VaultLocked
	accounts, err := s.library.Accounts(ctx)
	if err != nil {
		return st, err
	}
	apps, err := s.library.Apps(ctx)
	if err != nil {
		return st, err
	}
	st.Accounts = len(accounts)
	for _, a := range apps {
		if a.SecretKept {
			st.SecretsKept++
		} else {
			st.SecretsForgotten++
		}
	}
	return st, nil
}

// SelfTest writes, reads back and removes a test entry (KR-9).
func (s *Service) SelfTest(ctx context.Context) error {
	if s.Pretends().VaultLocked {
		return problem.New(problem.VaultLocked)
	}
	if s.place == placeSession || s.keychain == nil {
		return nil
	}
	return s.keychain.Probe(ctx)
}
