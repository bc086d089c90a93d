package connect

import (
	"context"
	"crypto/tls"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// metaSecret is the length of Meta's app secrets, in characters (providers.md
// 8). Another length is worth a look, never a refusal.
const metaSecret = 32

// Doctor looks a setup over without a browser and without the network: the
// fields, the redirect rules, the port, the keychain. Lines come to observe
// one by one (it may be nil) and are returned together. Nothing here blocks a
// sign-in; Bad lines carry the problem that the sign-in would end with. A
// secret that is not at hand is worth a look and no more: it may be asked for.
// The error says why nothing could be looked at: app.unknown,
// provider.unknown, provider.retired, the library's own, the context's.
func (s *Service) Doctor(ctx context.Context, in Setup, observe func(Line)) ([]Line, error) {
	var lines []Line
	say := func(l Line) {
		lines = append(lines, l)
		if observe != nil {
			observe(l)
		}
	}
	// kept: the keychain has the secret; moved: for other addresses (ATT-8).
	var kept, moved bool
	if in.App != "" && in.ClientID == "" {
		app, err := s.library.AppByName(ctx, in.App)
		if err != nil {
			return nil, err
		}
		in.Provider, in.ClientID = app.Provider, app.ClientID
		if in.RedirectURI == "" {
			in.RedirectURI = app.RedirectURI
		}
		kept = app.SecretKept && app.EndpointsSHA256 == s.fingerprint(app.Provider)
		moved = app.SecretKept && !kept
	}
	if in.Provider != "" {
		d, err := s.definition(in.Provider)
		if err != nil {
			return nil, err
		}
		if d.Status == "retired" {
			return nil, s.retired(d)
		}
		if in.RedirectURI = strings.TrimSpace(in.RedirectURI); in.RedirectURI == "" {
			in.RedirectURI = d.Redirect.Default
		}
		say(clientIDLine(d, in.ClientID))
		say(secretLine(d, in, kept, moved))
		if err := checkRedirect(d, in.RedirectURI); err != nil {
			say(Line{Check: "redirect", Level: Bad, Problem: problem.Of(err)})
		} else {
			say(Line{Check: "redirect", Level: Fine, Args: map[string]string{"address": in.RedirectURI}})
			say(s.portLine(ctx, in.RedirectURI))
		}
	}
	say(s.vaultLine(ctx))
	if in.Provider != "" {
		say(Line{Check: "address", Level: Yours, Args: map[string]string{"address": in.RedirectURI}})
	}
	return lines, ctx.Err()
}

func clientIDLine(d provider.Definition, raw string) Line {
	id, err := oauth.CleanClientIDFor(d, raw)
	if err != nil {
		return Line{Check: "client_id", Level: Bad, Problem: problem.Of(err)}
	}
	return Line{Check: "client_id", Level: Fine, Args: map[string]string{"n": strconv.Itoa(len(id))}}
}

func secretLine(d provider.Definition, in Setup, kept, moved bool) Line {
	clean := oauth.CleanSecret(in.ClientSecret.Reveal())
	n := map[string]string{"n": strconv.Itoa(clean.Len()), "expected": strconv.Itoa(metaSecret)}
	switch {
	case clean.Empty() && moved:
		return Line{Check: "client_secret", Level: Bad, Problem: problem.New(problem.EndpointsChanged, "provider", d.Name)}
	case clean.Empty() && kept:
		return Line{Check: "client_secret", Level: Fine, Args: map[string]string{"kept": "yes"}}
	case clean.Empty():
		return Line{Check: "client_secret", Level: Look, Problem: problem.New(problem.SecretMissing, "app", in.App, "provider", d.Name)}
	case clean.Len() > maxSecret:
		return Line{Check: "client_secret", Level: Bad, Problem: problem.New(problem.SecretTooLong, "limit", strconv.Itoa(maxSecret))}
	case clean.Len() != metaSecret:
		return Line{Check: "client_secret", Level: Look, Args: n}
	default:
		return Line{Check: "client_secret", Level: Fine, Args: n}
	}
}

// portLine really binds the address, because asking whether a port is free
// any other way is a guess.
func (s *Service) portLine(ctx context.Context, uri string) Line {
	address, err := redirect.Check(uri)
	if err != nil {
		return Line{Check: "port", Level: Bad, Problem: problem.Of(err)}
	}
	if !address.CanListen {
		return Line{Check: "port", Level: Look, Problem: problem.New(problem.RedirectNotHere, "host", address.Host)}
	}
	unneeded, end := context.WithCancel(ctx)
	end()
	listener, err := s.listen(ctx, ctx, unneeded, address.Port, redirect.Options{
		URI:   uri,
		Offer: func(secret.Text) redirect.Verdict { return redirect.Foreign },
		Certificate: func() (*tls.Certificate, error) {
			pem, key, err := redirect.NewLeaf(s.config.Now())
			if err != nil {
				return nil, err
			}
			return redirect.LoadLeaf(pem, key)
		},
		LocksDir: s.portLocks(),
	})
	if err != nil {
		return Line{Check: "port", Level: Bad, Problem: problem.Of(err)}
	}
	listener.Close()
	return Line{Check: "port", Level: Fine, Args: map[string]string{"port": strconv.Itoa(address.Port)}}
}

func (s *Service) vaultLine(ctx context.Context) Line {
	storage, err := s.Storage(ctx)
	if err == nil && storage.Place == placeSession {
		return Line{Check: "vault", Level: Look, Problem: storage.Problem, Args: map[string]string{"place": placeSession}}
	}
	if err == nil {
		err = s.SelfTest(ctx)
	}
	if err != nil {
		return Line{Check: "vault", Level: Bad, Problem: problem.Of(err)}
	}
	return Line{Check: "vault", Level: Fine, Args: map[string]string{"program": storage.Program}}
}
