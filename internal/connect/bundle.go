package connect

import (
	"context"
	"io"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Bundle writes what helps with a question to us, and cannot hold a token.
func (s *Service) Bundle(_ context.Context, _ io.Writer) error {
	return problem.New(problem.Unexpected, "where", "connect.bundle")
}
