package connect

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// leafPlace is where the https leaf lies: the certificate in a file, its key
// beside the tokens (ruling 17). One leaf a home, in practice too, because
// browsers remember a person's exception by certificate and would warn anew at
// every other.
type leafPlace struct {
	mu sync.Mutex
	// held is the leaf of a session: neither file nor keychain knows it.
	held *tls.Certificate
	// keychain and name are those of the real library, in practice.
	keychain *vault.Keychain
	name     string
}

func (p *leafPlace) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keychain != nil {
		_ = p.keychain.Close()
	}
}

// certificate gives the leaf and makes a new one where there is none, where
// key and certificate do not belong together, or 30 days before its end.
// Problems: those of the keychain and the library.
func (s *Service) certificate(ctx context.Context) (*tls.Certificate, error) {
	p := &s.tls
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.place == placeSession {
		// The certificate on the disk belongs to a key in a keychain that may
		// come back: it is left alone.
		if p.held == nil || p.held.Leaf == nil || s.config.Now().After(p.held.Leaf.NotAfter) {
			pem, key, err := redirect.NewLeaf(s.config.Now())
			if err != nil {
				return nil, err
			}
			if p.held, err = redirect.LoadLeaf(pem, key); err != nil {
				return nil, err
			}
		}
		return p.held, nil
	}
	store, err := s.leafStore(ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.config.Home, "tls.pem")
	if pair, err := s.loadLeaf(ctx, store, file); pair != nil || err != nil {
		return pair, err
	}
	// Two processes that make one at once would leave the key of one beside
	// the certificate of the other.
	unlock, err := s.lockIn(ctx, s.config.Home, "tls")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if pair, err := s.loadLeaf(ctx, store, file); pair != nil || err != nil {
		return pair, err
	}
	pem, key, err := redirect.NewLeaf(s.config.Now())
	if err != nil {
		return nil, err
	}
	if err := store.Put(ctx, p.name, key); err != nil {
		return nil, err
	}
	if err := writeFile(file, pem); err != nil {
		return nil, problem.New(problem.LibraryReadOnly, "folder", s.config.Home).Because(err)
	}
	return redirect.LoadLeaf(pem, key)
}

// leafStore finds the place of the key: the real library's, also in practice,
// which otherwise never touches what is real.
func (s *Service) leafStore(ctx context.Context) (vault.Store, error) {
	p := &s.tls
	if p.name == "" {
		id := s.library.ID()
		if s.Practising() {
			library, err := library.Open(ctx, s.config.Home, s.config.Now)
			if err != nil {
				return nil, err
			}
			id = library.ID()
			if err := library.Close(); err != nil {
				return nil, err
			}
		}
		p.name = "tls-" + id
	}
	if s.config.Store != nil || !s.Practising() {
		return s.store, nil
	}
	if p.keychain == nil {
		p.keychain = s.openKeychain(buildinfo.ID)
	}
	return s.latched(p.keychain), nil
}

// loadLeaf reads the leaf; nil without an error where there is none to use.
func (s *Service) loadLeaf(ctx context.Context, store vault.Store, file string) (*tls.Certificate, error) {
	pem, err := os.ReadFile(file)
	if err != nil || redirect.LeafDue(pem, s.config.Now()) {
		return nil, nil
	}
	key, err := store.Get(ctx, s.tls.name)
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	pair, err := redirect.LoadLeaf(pem, key)
	if err != nil {
		s.log.Info("new leaf", "err", err)
		return nil, nil
	}
	return pair, nil
}

// writeFile replaces a file in one step; a reader sees the old or the new one.
func writeFile(name string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // 0600 from birth
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err = temp.Write(data); err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
