package vault

import (
	"context"
	"sync"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Session is a Store in memory, for people without a keychain: everything in
// it is gone when the window closes. The zero value is not usable; see NewSession.
type Session struct {
	mu   sync.Mutex
	held map[string]secret.Text
}

// NewSession makes an empty one.
func NewSession() *Session { return &Session{held: map[string]secret.Text{}} }

// Put implements Store.
func (s *Session) Put(ctx context.Context, name string, v secret.Text) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := checkSize(v); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[name] = v
	return nil
}

// Get implements Store.
func (s *Session) Get(ctx context.Context, name string) (secret.Text, error) {
	if err := checkName(name); err != nil {
		return secret.Text{}, err
	}
	if err := ctx.Err(); err != nil {
		return secret.Text{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.held[name]
	if !ok {
		return secret.Text{}, ErrNotFound
	}
	return v, nil
}

// Delete implements Store.
func (s *Session) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.held[name]; !ok {
		return ErrNotFound
	}
	delete(s.held, name)
	return nil
}
