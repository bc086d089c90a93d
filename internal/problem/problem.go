// Package problem is how this program says that something did not work: a
// kind from a closed set (which is also the command line's exit code), a key
// that names what happened, and the actions that mend it. There is not one
// sentence here; internal/text has them, in every language, and a test walks
// the table against the catalogue.
//
// A Problem is an ordinary error with a chain. Its Error method prints kind,
// key and arguments, never the cause, because causes come from libraries that
// quote addresses, and some addresses carry secrets.
package problem

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind groups problems by what the caller can do about them. The values are a
// contract: they are printed as "kind" and decide the exit code.
type Kind string

// The closed set of kinds, in the order of their exit codes, 1 to 9.
const (
	Internal  Kind = "internal"
	Input     Kind = "input"
	Cancelled Kind = "cancelled"
	Refused   Kind = "refused"
	Network   Kind = "network"
	Vault     Kind = "vault"
	Timeout   Kind = "timeout"
	Unknown   Kind = "unknown"
	SignIn    Kind = "sign_in"
)

// Kinds lists every kind in the order of its exit code.
func Kinds() []Kind {
	return []Kind{Internal, Input, Cancelled, Refused, Network, Vault, Timeout, Unknown, SignIn}
}

// ExitCode is the process exit code of the kind, 1 to 9. A kind outside the
// set counts as internal.
func (k Kind) ExitCode() int {
	for i, known := range Kinds() {
		if k == known {
			return i + 1
		}
	}
	return 1
}

// Problem is one thing that did not work.
type Problem struct {
	// Kind and Key come from the table; see New.
	Kind Kind
	Key  Key
	// Args fill the sentence. They hold no secret: what came from outside is
	// cleaned by whoever puts it here (see Outside).
	Args map[string]string
	// Provider is the provider's own words, cleaned and cut, for "Meta said: …".
	Provider string
	// Cause is the error underneath, for errors.Is; it is never printed here.
	Cause error
}

// New makes the problem that key names. pairs are argument names and values.
// A key outside the table becomes an internal problem, and so does an odd
// number of pairs: both are our mistakes and a test finds them.
func New(key Key, pairs ...string) *Problem {
	entry, ok := table[key]
	if !ok || len(pairs)%2 != 0 {
		return &Problem{Kind: Internal, Key: Unexpected, Args: map[string]string{"where": string(key)}}
	}
	p := &Problem{Kind: entry.Kind, Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[pairs[i]] = pairs[i+1]
	}
	return p
}

// Because attaches the cause and returns the problem itself.
func (p *Problem) Because(cause error) *Problem {
	p.Cause = cause
	return p
}

// Said attaches the provider's own words, cleaned by Outside and cut to 300
// characters.
func (p *Problem) Said(message string) *Problem {
	p.Provider = Outside(message, 300)
	return p
}

// Actions lists what mends the problem, the best first; empty when only the
// advice helps.
func (p *Problem) Actions() []Action { return table[p.Key].Actions }

// Error gives kind, key and arguments, for logs and tests. People get the
// sentences of internal/text instead.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", p.Kind, p.Key)
	names := make([]string, 0, len(p.Args))
	for name := range p.Args {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(&b, " %s=%q", name, p.Args[name])
	}
	return b.String()
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Is makes errors.Is(err, problem.New(key)) true for every problem of that key.
func (p *Problem) Is(target error) bool {
	var other *Problem
	return errors.As(target, &other) && other.Key == p.Key
}

// Of returns the problem in err's chain. An error that is none becomes an
// internal one with err as its cause; nil stays nil.
func Of(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return New(Unexpected).Because(err)
}

// Has reports whether err is a problem of that key.
func Has(err error, key Key) bool {
	var p *Problem
	return errors.As(err, &p) && p.Key == key
}

// Outside makes text that a stranger wrote fit to show: control and
// bidirectional characters go, runs of white space become one space, and at
// most limit characters stay, with "…" where it was cut.
func Outside(s string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\u00a0':
			space = n > 0
			continue
		case r < 0x20 || (r >= 0x7f && r <= 0x9f) || r == '\u200e' || r == '\u200f' || r == '\u061c' ||
			(r >= '\u202a' && r <= '\u202e') || (r >= '\u2066' && r <= '\u2069') || r == '\ufeff' || r == '\ufffd':
			continue
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		if n >= limit {
			return strings.TrimRight(b.String(), " ") + "…"
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
