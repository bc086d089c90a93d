// Package redirect is how the provider's answer comes back: a listener on this
// computer's own loopback addresses, http or https, and the address that a
// person pastes by hand. Both end in the same thing, the raw query of the
// redirect, which the caller judges; nothing here knows what a code or a state
// is worth.
//
// Decisions:
//
//   - The socket is bound before the browser opens and never given back in
//     between, on literal loopback addresses only. "localhost" means both
//     127.0.0.1 and ::1, because browsers choose either; another program on one
//     of the two is a reason to stop, a computer without IPv6 is not.
//   - One attempt at a time on a port, also across processes: a lock in
//     Options.LocksDir tells "another Tokenkeep" from "another program".
//   - A request can touch the attempt only as a browser's top-level GET of the
//     redirect's own path under the redirect's own authority. Everything else,
//     and every wrong state, changes nothing and never ends the attempt.
//   - The answer leaves the address bar at once: 303 to /done, which waits for
//     the true outcome and then serves one static page per outcome and
//     language. No page holds anything of a request, a name, or a script.
//   - The https leaf is ours alone, no CA ever, so the browser warns. Pasting
//     is the equal way and works even when nothing listens.
//   - A log line holds the class of the path and the outcome, nothing else.
//
// Not done here: the time limit of an attempt (the context's), the check of
// state, duplicates and issuer (oauth), and any sentence (text).
package redirect

import (
	"crypto/tls"
	"log/slog"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Verdict is what the caller makes of an answer offered to it.
type Verdict int

// The verdicts. Only Accepted moves the browser on to /done.
const (
	// Accepted: the answer belongs to this attempt, be it a code or a refusal.
	Accepted Verdict = iota + 1
	// Used: the attempt already has its answer.
	Used
	// Foreign: the state is wrong or missing.
	Foreign
	// Doubled: a parameter that may come once came twice.
	Doubled
	// NotAnAnswer: neither code nor error.
	NotAnAnswer
)

// Outcome is what became of the sign-in, for the page in the browser.
type Outcome int

// The outcomes. Pending is the zero value: nothing is known yet.
const (
	Pending Outcome = iota
	Connected
	Denied
	Unfinished
)

// Options is what a listener needs.
type Options struct {
	// URI is the redirect URI, exactly as the provider knows it.
	URI string
	// Offer judges the raw query of a request that passed every other check.
	// It is called for one request at a time and should return at once.
	Offer func(rawQuery secret.Text) Verdict
	// Certificate gives the https leaf (see NewLeaf). Unused for http.
	Certificate func() (*tls.Certificate, error)
	// Language of the browser's pages, a BCP 47 tag or POSIX locale.
	Language string
	// Strangers, when set, hears of each answer with a wrong state; n counts
	// from 1.
	Strangers func(n int)
	// Log may be nil.
	Log *slog.Logger
	// LocksDir is where the lock per port lies, made 0700 when missing. Empty:
	// no lock, and a second attempt sees its port taken by "another program".
	LocksDir string
}
