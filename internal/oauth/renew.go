package oauth

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// Renew asks for a new token.
func (c *Client) Renew(_ context.Context, _ provider.Definition, _ Token, _ App) (Token, error) {
	return Token{}, problem.New(problem.Unexpected, "where", "oauth.renew")
}

// Revoke ends the token at the provider.
func (c *Client) Revoke(_ context.Context, _ provider.Definition, _ Token, _ App) error {
	return problem.New(problem.Unexpected, "where", "oauth.revoke")
}
