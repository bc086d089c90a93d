package connect

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// Notes are what the library has to say about itself: that it was damaged and
// made anew, that it can only be read, that another process cannot share it.
func (s *Service) Notes() []problem.Key { return s.library.Notes() }

// rebuild fills a library that was lost from the keychain alone: the index
// items name the accounts, the token items say whose they are. What only the
// library knew (app names, permissions asked for, the diary) is gone, and
// nothing is made up for it. Each account comes back as Recovered.
//
// Whichever process met the damage may have been one that only lists, so the
// damaged file that stays beside the library counts as much as the note.
func (s *Service) rebuild(ctx context.Context) ([]Recovered, error) {
	if !slices.Contains(s.library.Notes(), problem.LibraryBroken) {
		if kept, err := filepath.Glob(filepath.Join(s.root(), "library.corrupt-*")); err != nil || len(kept) == 0 {
			return nil, nil
		}
	}
	accounts, err := s.library.Accounts(ctx)
	if err != nil || len(accounts) > 0 {
		return nil, err
	}
	ids, err := vault.Index(ctx, s.store, s.library.ID())
	if errors.Is(err, vault.ErrNotFound) {
		return nil, nil // nobody had signed in, or not in this keychain
	}
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	sealer, err := s.sealer(ctx)
	if err != nil {
		return nil, err
	}
	var out []Recovered
	for _, id := range ids {
		item, err := s.tokens(sealer).Get(ctx, id)
		if err != nil {
			// The index lists a sign-in's id before its token is there, so an
			// id without one is ordinary. A token too long for the keychain lay
			// sealed in the library and is gone with it.
			s.log.Info("not rebuilt", "account", id, "err", err)
			continue
		}
		row := library.Account{
			ID: id, Provider: item.Provider, ClientID: item.ClientID, UserID: item.UserID, Grant: id, Username: item.Username,
			ScopesAsked: item.Scope, ScopesGranted: item.Scope, ExpiresAt: item.ExpiresAt, Gen: item.Gen, Vault: s.place,
		}
		if !item.IssuedAt.IsZero() {
			issued := item.IssuedAt
			row.IssuedAt = &issued
		}
		standing := s.standing(answer{Provider: item.Provider, Refresh: sealedText{item.RefreshToken}})
		if err := s.library.FinishFrom(ctx, id, row, standing, library.Entry{At: s.config.Now(), Event: "recovered"}); err != nil {
			return out, err
		}
		account := s.account(row, "")
		out = append(out, Recovered{Account: &account})
	}
	return out, nil
}
