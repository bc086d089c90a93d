package connect

import (
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Status is how an account stands (ruling 9). The values are a contract.
type Status string

// Every status, the strongest first.
const (
	NeedsSignIn Status = "needs_sign_in"
	Expired     Status = "expired"
	ExpiresSoon Status = "expires_soon"
	RenewsSoon  Status = "renews_soon"
	Healthy     Status = "healthy"
)

// Facts are all that a status depends on.
type Facts struct {
	Now time.Time
	// End is when the token ends, zero when nobody said so.
	End time.Time
	// Issued is when it was issued, zero when not known.
	Issued time.Time
	// Renewable: the definition renews, the switch is on, and the timer is
	// installed or the window is open.
	Renewable bool
	// OneHour marks a token that could not be made long-lived.
	OneHour bool
	// LastAnswer is the problem key of the provider's last refusal, empty when
	// the last answer was fine. Refusals by age are problem.TokenEnded.
	LastAnswer problem.Key
	// Refreshes: a refresh token brings another access token whenever one is
	// needed, so that the end of this one is nobody's business.
	Refreshes bool
	// DaysFailed counts days on which renewing failed in a row.
	DaysFailed int
}

const day = 24 * time.Hour

// StatusOf is the one rule for the status of an account; the first match wins
// (ruling 9). One line of it is newer than the ruling: an account that refreshes
// is healthy, past the end of its access token too, until its refresh token is
// refused (renew.refresh_ended), which needs a sign-in like every refusal.
func StatusOf(f Facts) Status {
	left := f.End.Sub(f.Now)
	switch {
	case f.LastAnswer != "" && f.LastAnswer != problem.TokenEnded:
		return NeedsSignIn
	case f.LastAnswer == problem.TokenEnded || !f.Refreshes && !f.End.IsZero() && left <= 0:
		return Expired
	case f.Refreshes:
		return Healthy
	case f.OneHour:
		return ExpiresSoon
	case f.End.IsZero():
		return Healthy
	case left <= 14*day && (!f.Renewable || f.DaysFailed >= 3):
		return ExpiresSoon
	case f.Renewable && left <= 27*day:
		return RenewsSoon
	default:
		return Healthy
	}
}

// DaysLeft is the number of whole days until end, rounded up so that the last
// day is 1; 0 when it is past or unknown.
func DaysLeft(end, now time.Time) int {
	if end.IsZero() || !end.After(now) {
		return 0
	}
	return int((end.Sub(now) + day - 1) / day)
}
