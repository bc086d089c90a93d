package connect

import (
	"context"
	"errors"
	"slices"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// Revoked is how ending the access went. Here the token is gone in any case.
type Revoked struct {
	// AtProvider: the provider was asked and ended it.
	AtProvider bool
	// Page is where a person ends it by hand, empty where AtProvider or where no
	// such page is known.
	Page string
	// Problem is why the provider did not end it: revoke.failed with the cause,
	// token.gone and the like where there was no token to end. Nil where it did,
	// and where it has no such request at all.
	Problem *problem.Problem
	// Others are the usernames of the accounts that lost their access with it:
	// those of the same sign-in (ruling 14). They need a new one.
	Others []string
}

// Revoke ends an account's access at the provider where that can be done, and
// removes token and account here in any case (security.md TOK-14). Meta
// documents no request for an Instagram Login, so there the page is the way.
//
// A keychain that refuses to give the token refuses to delete it too: then
// nobody was asked and nothing has changed. Nor has anything here when ctx was
// cancelled before the provider's answer. Problems: those of Remove.
func (s *Service) Revoke(ctx context.Context, ref string) (Revoked, error) {
	row, err := s.find(ctx, ref)
	if err != nil {
		return Revoked{}, err
	}
	unlock, err := s.lock(ctx, row.ID)
	if err != nil {
		return Revoked{}, err
	}
	defer unlock()
	if p := s.elsewhere(row.Vault); p != nil {
		return Revoked{}, p
	}
	var out Revoked
	// As they are now: one that signs in meanwhile has a token that came after.
	others, err := s.grantOthers(ctx, row)
	if err != nil {
		return Revoked{}, err
	}
	d, err := s.definition(row.Provider)
	if err == nil && d.Revoke != nil && !d.Revoke.Empty() {
		if err = s.revokeAtProvider(ctx, d, row); problem.Of(err) != nil && unreachable(problem.Of(err)) {
			return Revoked{}, err
		}
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			// Nobody knows whether it was ended there. Who stops it keeps what
			// they have: the next check tells.
			return Revoked{}, ctx.Err()
		}
		out.AtProvider, out.Problem = err == nil, problem.Of(err)
	}
	// The diary says what is true: ended there, or removed here alone.
	event := "revoked"
	if !out.AtProvider {
		event, out.Page = "removed", s.RevokePage(row.Provider)
	}
	// What was asked for at the provider cannot be taken back, so neither is this.
	ctx = context.WithoutCancel(ctx)
	if out.AtProvider {
		out.Others = s.ended(ctx, others)
	}
	return out, s.forget(ctx, row, library.Entry{At: s.config.Now(), Event: event})
}

// grantOthers are the other accounts that hold the same token's access.
func (s *Service) grantOthers(ctx context.Context, row library.Account) ([]library.Account, error) {
	rows, err := s.library.Accounts(ctx)
	return slices.DeleteFunc(rows, func(a library.Account) bool {
		return a.ID == row.ID || a.Grant != row.Grant || a.Provider != row.Provider || a.ClientID != row.ClientID
	}), err
}

// ended marks accounts whose access went with another's. Their tokens stay
// until the person removes them or signs in again.
func (s *Service) ended(ctx context.Context, rows []library.Account) []string {
	var names []string
	for _, row := range rows {
		now, err := s.library.Account(ctx, row.ID)
		if problem.Has(err, problem.AccountUnknown) || err == nil && now.Gen != row.Gen {
			continue
		}
		entry := library.Entry{At: s.config.Now(), Event: "check_failed", Args: map[string]string{"reason": string(problem.AccessRemoved)}}
		err = s.library.UpdateAccount(ctx, row.ID, func(a *library.Account) {
			if a.Gen == row.Gen {
				a.LastAnswer = string(problem.AccessRemoved)
			}
		}, entry)
		if err != nil {
			// The next check finds out.
			s.log.Warn("not marked", "account", row.ID, "err", err)
		}
		names = append(names, row.Username)
	}
	return names
}

// unreachable: the keychain itself is in the way, not what lies in it.
func unreachable(p *problem.Problem) bool {
	return p.Kind == problem.Vault && p.Key != problem.VaultUnreadable
}

func (s *Service) revokeAtProvider(ctx context.Context, d provider.Definition, row library.Account) error {
	item, err := s.item(ctx, row)
	if err != nil {
		return err
	}
	s.known.Add(item.AccessToken, item.RefreshToken)
	app := oauth.App{ClientID: row.ClientID}
	if d.Revoke.Secret {
		saved, err := s.library.App(ctx, row.AppID)
		if err == nil && saved.SecretKept && saved.EndpointsSHA256 == s.fingerprint(row.Provider) {
			if app.ClientSecret, err = s.store.Get(ctx, clientItem(saved.ID)); err == nil {
				s.known.Add(app.ClientSecret)
			}
		}
	}
	token := oauth.Token{Access: item.AccessToken, Refresh: item.RefreshToken, Type: item.TokenType}
	_, err = proved(ctx, s, d, row.AppID, func(c *oauth.Client) (struct{}, error) { return struct{}{}, c.Revoke(ctx, d, token, app) })
	if err != nil {
		return problem.New(problem.RevokeFailed, "provider", d.Name).Said(problem.Of(err).Provider).Because(err)
	}
	return nil
}

// forget takes an account's token out of the keychain, then the account out of
// the library, under the account's lock.
func (s *Service) forget(ctx context.Context, row library.Account, diary ...library.Entry) error {
	// A session's token went with the window that held it.
	if row.Vault == s.place {
		// Deleting needs no sealing key.
		if err := s.tokens(nil).Delete(ctx, row.ID); err != nil && !errors.Is(err, vault.ErrNotFound) {
			return err
		}
	}
	return s.library.RemoveAccount(ctx, row.ID, diary...)
}

// RevokePage is the page on which a person ends the access by hand, https and
// the provider's own (in practice the practice ground's); empty where none is
// known.
func (s *Service) RevokePage(provider string) string {
	d, err := s.definition(provider)
	if err != nil || d.Revoke == nil {
		return ""
	}
	return d.Revoke.Page
}
