package connect

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// Pretend is what the practice ground can make believe, so that a person meets
// it there first. The zero value is an ordinary day.
type Pretend struct {
	// Offline: no request of ours leaves, and each fails as without a network.
	// The browser is not ours and goes on.
	Offline bool
	// VaultLocked: the keychain answers as one that stays locked. What is no
	// secret, names and dates, can be read as before.
	VaultLocked bool
}

// pretence is a Pretend that many goroutines look at.
type pretence struct{ offline, locked atomic.Bool }

// Pretend makes believe from now on, in practice; elsewhere it changes nothing.
func (s *Service) Pretend(p Pretend) {
	if !s.Practising() {
		return
	}
	s.pretence.offline.Store(p.Offline)
	s.pretence.locked.Store(p.VaultLocked)
}

// Pretends tells what is made believe now.
func (s *Service) Pretends() Pretend {
	return Pretend{Offline: s.pretence.offline.Load(), VaultLocked: s.pretence.locked.Load()}
}

// errPretended is what a request meets while there is no network by choice.
var errPretended = errors.New("connect: practising without a network")

// cable stands in front of a client's connections. While it is pulled a request
// fails before anything is dialled.
type cable struct {
	next   http.RoundTripper
	pulled *atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (c cable) RoundTrip(r *http.Request) (*http.Response, error) {
	if !c.pulled.Load() {
		return c.next.RoundTrip(r)
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return nil, errPretended
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (c cable) CloseIdleConnections() {
	if next, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// wired puts the cable in front of a client, in practice.
func (s *Service) wired(hc *http.Client) *http.Client {
	if !s.Practising() {
		return hc
	}
	next := hc.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	with := *hc
	with.Transport = cable{next: next, pulled: &s.pretence.offline}
	return &with
}

// latch stands in front of the place for secrets, in practice.
type latch struct {
	vault.Store
	locked *atomic.Bool
}

func (l latch) shut() error {
	if l.locked.Load() {
		return problem.New(problem.VaultLocked)
	}
	return nil
}

// Proves implements vault.Proving for what is behind.
func (l latch) Proves() bool {
	p, ok := l.Store.(vault.Proving)
	return ok && p.Proves()
}

// Put implements vault.Store.
func (l latch) Put(ctx context.Context, name string, v secret.Text) error {
	if err := l.shut(); err != nil {
		return err
	}
	return l.Store.Put(ctx, name, v)
}

// Get implements vault.Store.
func (l latch) Get(ctx context.Context, name string) (secret.Text, error) {
	if err := l.shut(); err != nil {
		return secret.Text{}, err
	}
	return l.Store.Get(ctx, name)
}

// Delete implements vault.Store.
func (l latch) Delete(ctx context.Context, name string) error {
	if err := l.shut(); err != nil {
		return err
	}
	return l.Store.Delete(ctx, name)
}

// latched puts the latch in front of a store, in practice.
func (s *Service) latched(store vault.Store) vault.Store {
	if !s.Practising() {
		return store
	}
	return latch{Store: store, locked: &s.pretence.locked}
}
