package connect

import (
	"context"
	"crypto/tls"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// metaSecret is the length of Meta's app secrets, in characters (providers.md
// 8). Another length is worth a look, never a refusal.
const metaSecret = 32

const (
	// doctorAsks bounds what the doctor does over the network, altogether. The
	// keychain has its own limit, since a person may be typing its password.
	doctorAsks = 15 * time.Second
	// headStart is how long the local lines wait for the network's, so that an
	// ordinary answer keeps the order of the page.
	headStart = 2 * time.Second
	// clockOff is from where a clock is worth a look: the dates of tokens are
	// counted in days, requests for one in minutes.
	clockOff = time.Minute
)

// checkOrder is the order of the lines on the page, and of those that Doctor
// returns.
var checkOrder = []string{"client_id", "client_secret", "scopes", "hosts", "redirect", "port", "vault", "clock", "net", "address"}

// Doctor looks a setup over without a browser. On this computer: the fields,
// the permissions, the hosts of a definition, the redirect rules, the port, the
// keychain. Over the network, where the definition allows it and in.Offline does
// not forbid it: whether the provider knows the client id, tried with a made-up
// code and a made-up secret, and by that answer's Date whether our clock is
// right. The person's secret is never sent. A provider that cannot be asked so
// is not asked at all, and then nothing is said about the clock; nor is it where
// the answer does not say what time it is.
//
// Lines come to observe one by one (it may be nil), those of the network at the
// latest after 15 s; they are returned in the order of the page. Nothing here
// blocks a sign-in; Bad lines carry the problem that the sign-in would end with,
// and each line leads to its remedy (Line.Remedies), or says it where no button
// can do it. A secret that is not at hand is worth a look and no more: it may be
// asked for. The error says why nothing could be looked at: app.unknown,
// provider.unknown, the library's own, the context's.
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
		if in.Scopes == nil {
			in.Scopes = app.Scopes
		}
		kept = app.SecretKept && app.EndpointsSHA256 == s.fingerprint(app.Provider)
		moved = app.SecretKept && !kept
	}
	if in.Provider == "" {
		say(s.vaultLine(ctx))
		return lines, ctx.Err()
	}
	d, err := s.definition(in.Provider)
	if err != nil && !problem.Has(err, problem.DefinitionHosts) {
		return nil, err
	}
	if err == nil {
		err = d.Usable()
	}
	if in.RedirectURI = strings.TrimSpace(in.RedirectURI); in.RedirectURI == "" {
		in.RedirectURI = d.Redirect.Default
	}
	id := clientIDLine(d, in.ClientID)
	var asked <-chan preflight
	if err == nil && id.Level == Fine && d.Preflight && !in.Offline {
		asked = s.askAbout(ctx, d, in)
	}
	var got *preflight
	if asked != nil {
		wait := time.NewTimer(headStart)
		defer wait.Stop()
		select {
		case answer := <-asked:
			got = &answer
		case <-wait.C:
		}
	}
	if asked == nil || got != nil {
		say(got.clientID(d, id))
	}
	say(secretLine(d, in, kept, moved))
	if l, ok := scopesLine(d, in.Scopes); ok {
		say(l)
	}
	for _, l := range s.hostsLines(d, problem.Of(err)) {
		say(l)
	}
	if err := checkRedirect(d, in.RedirectURI); err != nil {
		say(Line{Check: "redirect", Level: Bad, Problem: problem.Of(err)})
	} else {
		say(Line{Check: "redirect", Level: Fine, Args: map[string]string{"address": in.RedirectURI}})
		say(s.portLine(ctx, in.RedirectURI))
	}
	say(s.vaultLine(ctx))
	if asked != nil && got == nil {
		answer := <-asked
		got = &answer
		say(got.clientID(d, id))
	}
	if l, ok := got.clockOrNet(d); ok {
		say(l)
	}
	say(Line{Check: "address", Level: Yours, Args: map[string]string{"address": in.RedirectURI}, Action: problem.CopyAddress})
	slices.SortStableFunc(lines, func(a, b Line) int {
		return slices.Index(checkOrder, a.Check) - slices.Index(checkOrder, b.Check)
	})
	return lines, ctx.Err()
}

func clientIDLine(d provider.Definition, raw string) Line {
	id, err := oauth.CleanClientIDFor(d, raw)
	if err != nil {
		return Line{Check: "client_id", Level: Bad, Problem: problem.Of(err)}
	}
	l := Line{Check: "client_id", Level: Fine, Args: map[string]string{"n": strconv.Itoa(len(id)), "provider": d.Name}}
	if strings.Trim(id, "0123456789") != "" {
		l.Variant = "letters"
	}
	return l
}

// preflight is what came of asking about the client id.
type preflight struct {
	oauth.Preflight
	err error
}

// askAbout asks in the background; its answer comes within doctorAsks.
func (s *Service) askAbout(ctx context.Context, d provider.Definition, in Setup) <-chan preflight {
	answer := make(chan preflight, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, doctorAsks)
		defer cancel()
		id, err := oauth.CleanClientIDFor(d, in.ClientID)
		var told oauth.Preflight
		if err == nil {
			told, err = s.client(d).Preflight(ctx, d, id, in.RedirectURI)
		}
		answer <- preflight{told, err}
	}()
	return answer
}

// clientID is the line of a client id whose form is fine, by what the provider
// said to it, if it was asked.
func (p *preflight) clientID(d provider.Definition, l Line) Line {
	switch {
	case p == nil || p.err != nil:
	case p.Known:
		l.Variant = "known"
	case p.Problem == nil:
	case p.Problem.Key == problem.AppIDIsFacebook:
		l.Level, l.Variant, l.Problem = Bad, "facebook", p.Problem
		l.Args["said"] = p.Problem.Provider
	case p.Problem.Key == problem.AppIDUnknown:
		l.Level, l.Variant, l.Problem = Bad, "unknown", p.Problem
	default:
		// An answer that does not decide it.
		l.Level, l.Problem = Look, p.Problem
	}
	return l
}

// clockOrNet is the line on our clock where the provider was reached, else the
// one on why it was not.
func (p *preflight) clockOrNet(d provider.Definition) (Line, bool) {
	if p == nil {
		return Line{}, false
	}
	if p.err != nil {
		l := Line{Check: "net", Level: Bad, Problem: problem.Of(p.err), Args: map[string]string{"provider": d.Name}}
		switch l.Problem.Key {
		case problem.SignInCancelled:
			return Line{}, false
		case problem.NetworkUnreachable, problem.NetworkSlow:
			l.Variant = "bad"
		}
		return l, true
	}
	if !p.Dated {
		return Line{}, false
	}
	off := p.Skew.Abs()
	if off < clockOff {
		n := max(1, int(off.Round(time.Second)/time.Second))
		return Line{Check: "clock", Level: Fine, Args: map[string]string{"n": strconv.Itoa(n), "provider": d.Name}}, true
	}
	n := strconv.Itoa(int(off.Round(time.Minute) / time.Minute))
	return Line{
		Check: "clock", Level: Look, Variant: "look", Args: map[string]string{"n": n, "provider": d.Name},
		Problem: problem.New(problem.ClockOff, "minutes", n, "provider", d.Name),
	}, true
}

func secretLine(d provider.Definition, in Setup, kept, moved bool) Line {
	typed := in.ClientSecret.Reveal()
	clean := oauth.CleanSecret(typed)
	l := Line{Check: "client_secret", Level: Fine, Args: map[string]string{"n": strconv.Itoa(clean.Len()), "expected": strconv.Itoa(metaSecret)}}
	look := func(variant string) Line {
		l.Level, l.Variant, l.Action = Look, variant, problem.ChangeSecret
		return l
	}
	switch {
	case clean.Empty() && moved:
		return Line{Check: "client_secret", Level: Bad, Problem: problem.New(problem.EndpointsChanged, "provider", d.Name)}
	case clean.Empty() && kept:
		return Line{Check: "client_secret", Level: Fine, Variant: "kept", Args: map[string]string{"kept": "yes"}}
	case clean.Empty() && !oauth.NeedsSecret(d):
		return Line{Check: "client_secret", Level: Fine, Variant: "public", Args: map[string]string{"provider": d.Name}}
	case clean.Empty():
		return Line{Check: "client_secret", Level: Look, Problem: problem.New(problem.SecretMissing, "app", in.App, "provider", d.Name)}
	case clean.Len() > maxSecret:
		return Line{Check: "client_secret", Level: Bad, Problem: problem.New(problem.SecretTooLong, "limit", strconv.Itoa(maxSecret))}
	case d.Meta() && clean.Len() < metaSecret:
		return look("look")
	case d.Meta() && clean.Len() > metaSecret:
		return look("long")
	case strings.ContainsFunc(typed, unicode.IsSpace):
		// Forgiven, and said: the person may have caught more than the secret.
		return look("spaces")
	case !d.Meta():
		l.Variant = "any"
	}
	return l
}

// scopesLine is about the permissions that will be asked for; ok is false when
// none are named.
func scopesLine(d provider.Definition, scopes []string) (l Line, ok bool) {
	if len(scopes) == 0 {
		return Line{}, false
	}
	chosen, err := oauth.CheckScopes(d, scopes)
	if err != nil {
		return Line{Check: "scopes", Level: Bad, Problem: problem.Of(err)}, true
	}
	return Line{Check: "scopes", Level: Fine, Args: map[string]string{"n": strconv.Itoa(len(chosen)), "provider": d.Name}}, true
}

// hostsLines tell where a secret would go, for every definition that did not
// come with the program, and what keeps a definition from being used.
func (s *Service) hostsLines(d provider.Definition, unusable *problem.Problem) []Line {
	if unusable != nil {
		return []Line{{Check: "hosts", Level: Bad, Problem: unusable}}
	}
	for _, q := range s.Questions() {
		if q.ID == d.ID {
			// The shipped one is in use until the person has agreed to theirs.
			return []Line{{Check: "hosts", Level: Look, Problem: q.Problem()}}
		}
	}
	if d.Shipped() || d.Practising() {
		return nil
	}
	return []Line{{Check: "hosts", Level: Fine, Args: map[string]string{"hosts": strings.Join(d.Hosts(), ", "), "provider": d.Name}}}
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
		return Line{Check: "vault", Level: Look, Variant: "look", Problem: storage.Problem, Args: map[string]string{"place": placeSession}, Action: problem.OpenSettings}
	}
	if err == nil {
		err = s.SelfTest(ctx)
	}
	if err != nil {
		return Line{Check: "vault", Level: Bad, Problem: problem.Of(err)}
	}
	return Line{Check: "vault", Level: Fine, Args: map[string]string{"program": storage.Program}}
}
