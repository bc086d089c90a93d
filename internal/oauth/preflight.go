package oauth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Preflight is what a provider tells about a client id before anybody signs in.
type Preflight struct {
	// Known: the provider knows the client id. It says nothing about the secret.
	Known bool
	// Problem is what the provider has against the client id, nil with Known,
	// or what it answered that decides nothing.
	Problem *problem.Problem
	// Skew is the provider's clock minus ours, to the second; it means something
	// with Dated alone: the answer said what time it is there.
	Skew  time.Duration
	Dated bool
}

// pastTheClient are the refusals that come only after the client id was found
// (providers.md 2.5: the order in which the token endpoint looks at things).
var pastTheClient = []problem.Key{
	problem.CodeRefused, problem.CodeUsed, problem.RedirectMismatch, problem.RedirectUnknown, problem.AppSecretRefused,
}

// Preflight tries a client id with the exchange step: one request with a code
// and a secret that are made up on the spot and that nobody has. The person's
// own secret is not sent, and no code is spent. It may be called where the
// definition says preflight.
//
// The error is a problem of the network or of the clock of our side alone:
// network.*, provider.down, provider.busy, sign_in.cancelled, unexpected.
func (c *Client) Preflight(ctx context.Context, d provider.Definition, clientID, redirectURI string) (Preflight, error) {
	raw := make([]byte, 48)
	if _, err := rand.Read(raw); err != nil {
		return Preflight{}, problem.New(problem.Unexpected, "where", "random").Because(err)
	}
	ask := request{
		where: "exchange", definition: d, step: d.Exchange,
		values: map[string]secret.Text{
			"client_id": secret.New(clientID), "client_secret": secret.New(hex.EncodeToString(raw[:16])),
			"code": secret.New(hex.EncodeToString(raw[16:32])), "redirect_uri": secret.New(redirectURI),
			"code_verifier": secret.New(hex.EncodeToString(raw[16:])),
		},
		args: []string{"redirect_uri", redirectURI},
	}
	if ask.step.Empty() {
		return Preflight{}, problem.New(problem.Unexpected, "where", "oauth.preflight")
	}
	got, err := c.send(ctx, ask)
	result := Preflight{Skew: got.skew, Dated: got.dated}
	var said *problem.Problem
	switch {
	case err == nil:
		// A token for a code that nobody gave out.
		result.Problem = ask.problem(problem.ProviderOddAnswer)
		return result, nil
	case !errors.As(err, &said):
		return result, err
	}
	switch kind := said.Kind; {
	case kind == problem.Network, kind == problem.Timeout, kind == problem.Internal, kind == problem.Cancelled:
		return result, said
	case slices.Contains(pastTheClient, said.Key):
		result.Known = true
	default:
		result.Problem = said
	}
	return result, nil
}
