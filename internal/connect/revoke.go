package connect

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Revoked is how ending the access went.
type Revoked struct {
	// AtProvider: the provider ended it.
	AtProvider bool
	// Page is where a person ends it by hand.
	Page string
	// Problem is why the provider did not.
	Problem *problem.Problem
}

// Revoke ends an account's access at the provider where that can be done, and
// here in any case.
func (s *Service) Revoke(_ context.Context, _ string) (Revoked, error) {
	return Revoked{}, problem.New(problem.Unexpected, "where", "connect.revoke")
}

// RevokePage is the page on which a person ends the access by hand.
func (s *Service) RevokePage(_ string) string { return "" }
