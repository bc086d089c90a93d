package connect

import (
	"context"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Paste is a token that a person has from elsewhere.
type Paste struct {
	// Provider and App may be empty.
	Provider, App string
	Text          secret.Text
	// Issued is when the provider issued it, nil when not known.
	Issued *time.Time
}

// Inspected is what a pasted text turned out to be.
type Inspected struct {
	Shape     Shape
	Person    *Person
	Scopes    []string
	ExpiresAt *time.Time
	// Known is the account that is kept here already.
	Known   *Account
	Works   bool
	Problem *problem.Problem
}

// Person is whom a token speaks for.
type Person struct {
	UserID, Username, Kind string
}

// Import takes in a pasted token.
func (s *Service) Import(_ context.Context, _ Paste) (Account, error) {
	return Account{}, problem.New(problem.Unexpected, "where", "connect.import")
}

// Inspect tells what a pasted text is; it saves nothing.
func (s *Service) Inspect(_ context.Context, _ secret.Text) (Inspected, error) {
	return Inspected{}, problem.New(problem.Unexpected, "where", "connect.inspect")
}
