package vault

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Sealed bytes are: version 1, a random nonce of 24 bytes, the ciphertext with
// its tag (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha; random nonces are safe
// at this length). The associated data says what the bytes are for, so that a
// row cannot be moved to another place in the library and still open.
const (
	sealVersion = 1
	sealContext = "tokenkeep sealed 1\n"
)

// settle is how long a new sealing key rests before it is read again: of two
// that were made at once, both makers then find the one that stayed.
const settle = 100 * time.Millisecond

// sealMakers lets one goroutine of this process make a key at a time.
var sealMakers sync.Mutex

// Sealer seals what has to lie in the library although it is secret: answers
// on their way to the keychain, and tokens too long for it. It is safe for
// concurrent use.
type Sealer struct{ key []byte }

// NewSealer reads the sealing key, item seal-<lib>, or makes one at the first
// use and reads it back. Two processes that do so at the same moment must be
// kept apart by the library's lock; without it the later of two keys made
// within 100 ms is used by both. A damaged key is the problem vault.unreadable
// and is never replaced, because what it sealed may still be wanted.
func NewSealer(ctx context.Context, s Store, lib string) (*Sealer, error) {
	if err := checkID(lib); err != nil {
		return nil, err
	}
	name := "seal-" + lib
	sealMakers.Lock()
	defer sealMakers.Unlock()
	held, err := s.Get(ctx, name)
	if errors.Is(err, ErrNotFound) {
		held, err = makeSealingKey(ctx, s, name)
	}
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(held.Reveal())
	if err != nil || len(key) != chacha20poly1305.KeySize {
		return nil, unreadable("seal")
	}
	return &Sealer{key: key}, nil
}

func makeSealingKey(ctx context.Context, s Store, name string) (secret.Text, error) {
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key)
	if err := s.Put(ctx, name, secret.New(base64.StdEncoding.EncodeToString(key))); err != nil {
		return secret.Text{}, err
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return secret.Text{}, ctx.Err()
	}
	held, err := s.Get(ctx, name)
	return held, notKept(err)
}

// Seal encrypts plain for the place that aad names.
func (s *Sealer) Seal(plain []byte, aad string) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.key)
	if err != nil {
		return nil, ours("vault.seal").Because(err)
	}
	sealed := make([]byte, 1+aead.NonceSize(), 1+aead.NonceSize()+len(plain)+aead.Overhead())
	sealed[0] = sealVersion
	_, _ = rand.Read(sealed[1:])
	return aead.Seal(sealed, sealed[1:], plain, []byte(sealContext+aad)), nil
}

// Open decrypts what Seal made for the same aad. Anything else, down to one
// changed bit, is the problem vault.unreadable with reason=sealed.
func (s *Sealer) Open(sealed []byte, aad string) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.key)
	if err != nil {
		return nil, ours("vault.seal").Because(err)
	}
	head := 1 + aead.NonceSize()
	if len(sealed) < head+aead.Overhead() || sealed[0] != sealVersion {
		return nil, unreadable("sealed")
	}
	plain, err := aead.Open(nil, sealed[1:head], sealed[head:], []byte(sealContext+aad))
	if err != nil {
		return nil, unreadable("sealed").Because(err)
	}
	return plain, nil
}
