package renew

import (
	"slices"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// thresholds are the days before an end at which people are warned, the
// nearest first.
var thresholds = [...]int{2, 7, 14}

// over is the mark of a Warning with Days 0: below every threshold, and not
// the 0 of an account that was never warned about.
const over = 1

// failing is for how long renewing may fail before it counts as not doing its
// work (ruling 9).
const failing = 3 * day

// Warning is one thing to tell about one account.
type Warning struct {
	Account connect.Account
	// Days is 14, 7 or 2: the least of them that the end has come within. 0:
	// the token is over, by its date or because the provider refused it.
	Days int
	// EndsAt is the end, zero when not known.
	EndsAt time.Time
	// Reason is the key of what stands in the way: the provider's refusal, or
	// what the last try to renew met. Empty where the provider does not renew.
	Reason problem.Key
}

// Mark is what connect's MarkWarned keeps once the person was told.
func (w Warning) Mark() int {
	if w.Days == 0 {
		return over
	}
	return w.Days
}

// Warnings gives what people have not been told yet, the soonest end first:
// ends within 14, 7 or 2 days that renewing will not move (ruling 9,
// expires_soon), and tokens that are over. Who was away for long gets one
// warning for an account, not three. A token of one hour has no warnings: its
// person has just signed in and saw it.
//
// A date that is past is told as an end only where it is sure: the provider
// said so, does not renew at all, or has not answered for three days.
func Warnings(accounts []connect.Account, now time.Time) []Warning {
	var warnings []Warning
	for _, a := range accounts {
		if w, ok := warning(a, now); ok {
			warnings = append(warnings, w)
		}
	}
	slices.SortStableFunc(warnings, func(a, b Warning) int { return bySoonestEnd(a.Account, b.Account) })
	return warnings
}

func warning(a connect.Account, now time.Time) (Warning, bool) {
	w := Warning{Account: a, Reason: problem.Key(a.Reason)}
	// Where a refresh token brings the next one, only its refusal is an end.
	if a.Lifetime == connect.Short || a.Refreshes && a.Reason == "" {
		return w, false
	}
	if a.ExpiresAt != nil {
		w.EndsAt = *a.ExpiresAt
	}
	if a.Reason != "" || a.ExpiresAt != nil && !a.ExpiresAt.After(now) {
		return w, a.Warned != over && surelyOver(a, now)
	}
	if a.ExpiresAt == nil || a.Status != connect.ExpiresSoon && a.Renews {
		return w, false
	}
	for _, days := range thresholds {
		if a.ExpiresAt.Sub(now) <= time.Duration(days)*day {
			w.Days = days
			// "Over" on a token that lives belongs to the one before it.
			return w, a.Warned == 0 || a.Warned == over || days < a.Warned
		}
	}
	return w, false
}

// surelyOver tells whether more than our own clock says that it is over.
func surelyOver(a connect.Account, now time.Time) bool {
	if a.Reason != "" || !a.Renews {
		return true
	}
	return a.FailedSince != nil && now.Sub(*a.FailedSince) >= failing &&
		a.TriedAt != nil && a.TriedAt.After(*a.ExpiresAt)
}
