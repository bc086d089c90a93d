package vault

import (
	"context"
	"errors"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Overflow keeps sealed bytes that are too long for a keychain; the library
// implements it. It cannot open them.
type Overflow interface {
	// PutOverflow keeps sealed under name, durably before it returns, in the
	// place of what was there.
	PutOverflow(ctx context.Context, name string, gen int64, sealed []byte) error
	// Overflow gives what is kept under name; an error when there is nothing.
	Overflow(ctx context.Context, name string) (gen int64, sealed []byte, err error)
	// DeleteOverflow removes it; nothing there is no error.
	DeleteOverflow(ctx context.Context, name string) error
}

// Tokens keeps one item for each token: token-<id>. What exceeds Limit lies
// sealed in Overflow, and the item only says so.
//
// Order of a long one: sealed bytes first, then the item, so that an item never
// points at nothing. A crash between the two leaves sealed bytes one generation
// ahead of the item; Get then gives the newer token, since the older bytes have
// been replaced and the provider may have ended the older token anyway.
type Tokens struct {
	Store Store
	// Service takes part in what seals an overflow; the same as the keychain's.
	Service string
	// Sealer and Overflow may be nil; then a long token is vault.too-big.
	Sealer   *Sealer
	Overflow Overflow
}

// Put writes the token of the account id, reads it back and compares, before
// anything older is dropped.
func (t Tokens) Put(ctx context.Context, id string, item Item) error {
	if err := checkID(id); err != nil {
		return err
	}
	name := "token-" + id
	value, err := item.Encode()
	if err != nil {
		return err
	}
	if value.Len() <= Limit {
		if err := t.write(ctx, name, value); err != nil {
			return err
		}
		if t.Overflow == nil {
			return nil
		}
		return t.Overflow.DeleteOverflow(ctx, name)
	}
	if t.Sealer == nil || t.Overflow == nil {
		return problem.New(problem.VaultTooBig, "limit", "2400")
	}
	sealed, err := t.Sealer.Seal([]byte(value.Reveal()), place(t.Service, name, item.Gen))
	if err != nil {
		return err
	}
	if err := t.Overflow.PutOverflow(ctx, name, item.Gen, sealed); err != nil {
		return err
	}
	if kept, err := t.unseal(ctx, name, item.Gen); err != nil {
		return err
	} else if !kept.Equal(value) {
		return unreadable("readback")
	}
	mark, err := plainJSON(sealedItem{V: itemVersion, Gen: item.Gen, Sealed: true})
	if err != nil {
		return ours("vault.item")
	}
	return t.write(ctx, name, secret.New(string(mark)))
}

// Get reads the token of the account id. Errors: ErrNotFound, vault.unreadable
// for an item or overflow that does not make sense, and those of the parts.
func (t Tokens) Get(ctx context.Context, id string) (Item, error) {
	if err := checkID(id); err != nil {
		return Item{}, err
	}
	name := "token-" + id
	value, err := t.Store.Get(ctx, name)
	if err != nil {
		return Item{}, err
	}
	item, sealed, err := decodeItem(value)
	if err != nil || !sealed {
		return item, err
	}
	if t.Sealer == nil || t.Overflow == nil {
		return Item{}, unreadable("overflow")
	}
	value, err = t.unseal(ctx, name, item.Gen)
	if err != nil {
		return Item{}, err
	}
	return Decode(value)
}

// Delete removes the token of the account id. ErrNotFound when there was no
// item; an overflow is removed all the same.
func (t Tokens) Delete(ctx context.Context, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	name := "token-" + id
	gone := t.Store.Delete(ctx, name)
	if gone != nil && !errors.Is(gone, ErrNotFound) {
		return gone
	}
	if t.Overflow != nil {
		if err := t.Overflow.DeleteOverflow(ctx, name); err != nil {
			return err
		}
	}
	return gone
}

func (t Tokens) write(ctx context.Context, name string, value secret.Text) error {
	return putProven(ctx, t.Store, name, value)
}

// unseal gives the overflow of generation gen, or the one after it.
func (t Tokens) unseal(ctx context.Context, name string, gen int64) (secret.Text, error) {
	found, sealed, err := t.Overflow.Overflow(ctx, name)
	if err != nil {
		// The library's own problems (busy, full, broken) say more than ours.
		var known *problem.Problem
		if errors.As(err, &known) || ctx.Err() != nil {
			return secret.Text{}, err
		}
		return secret.Text{}, unreadable("overflow").Because(err)
	}
	if found != gen && found != gen+1 {
		return secret.Text{}, unreadable("overflow")
	}
	plain, err := t.Sealer.Open(sealed, place(t.Service, name, found))
	if err != nil {
		return secret.Text{}, err
	}
	value := secret.New(string(plain))
	if item, marked, err := decodeItem(value); err != nil || marked || item.Gen != found {
		return secret.Text{}, unreadable("overflow")
	}
	return value, nil
}

// putProven writes and compares what a read then gives, whatever the store
// promises itself (KR-2).
func putProven(ctx context.Context, s Store, name string, value secret.Text) error {
	if err := s.Put(ctx, name, value); err != nil {
		return err
	}
	// The keychain has just read it back in the child; doing it again here
	// would double the price of every save.
	if p, ok := s.(Proving); ok && p.Proves() {
		return nil
	}
	got, err := s.Get(ctx, name)
	if err != nil {
		return notKept(err)
	}
	if !got.Equal(value) {
		return unreadable("readback")
	}
	return nil
}
