package renew

import (
	"cmp"
	"slices"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
)

const (
	day = 24 * time.Hour
	// gap is the least time between two answered tries of one account. It is
	// "once a day" for a daily timer, whose runs lie 23 hours apart when the
	// clocks go forward and wander by its own jitter.
	gap = 20 * time.Hour
	// credible is how far in the future a past try may seem to lie; beyond it
	// the clock was another one then. Next tries are at most a day later.
	credible = day
)

// Due gives the accounts that should be renewed now, the soonest end first and
// those without a known end last.
//
// Due is what the provider renews, was not refused, has reached its DueAt (an
// account without any known end: at once, to learn it), is as old as the
// provider asks for, and was not tried within a day. A try that met no answer
// (no network, a busy provider) has its own, shorter wait in NextTry (TOK-12).
// An end that is past counts as due: the clock may be wrong, so the provider is
// asked until it has answered. So does a token that seems to be issued more
// than a day from now.
func Due(accounts []connect.Account, now time.Time) []connect.Account {
	var due []connect.Account
	for _, a := range accounts {
		if isDue(a, now) {
			due = append(due, a)
		}
	}
	slices.SortStableFunc(due, bySoonestEnd)
	return due
}

func isDue(a connect.Account, now time.Time) bool {
	switch {
	case !a.Renews || a.Reason != "":
		return false
	case datesHold(a, now) && !timely(a, now):
		return false
	case a.NextTry != nil && !a.NextTry.After(now.Add(credible+day)):
		return !now.Before(*a.NextTry)
	case a.TriedAt != nil && !a.TriedAt.After(now.Add(credible)):
		return !now.Before(a.TriedAt.Add(gap))
	}
	return true
}

// datesHold tells whether the dates of the token can be meant: one that was
// issued in the future got its dates from a clock that was ahead, and its real
// end may be near.
func datesHold(a connect.Account, now time.Time) bool {
	return a.IssuedAt == nil || !a.IssuedAt.After(now.Add(credible))
}

// timely tells whether it is old enough, and near enough to its end.
func timely(a connect.Account, now time.Time) bool {
	switch {
	case a.RenewAfter != nil && now.Before(*a.RenewAfter):
		return false
	case a.DueAt != nil:
		return !now.Before(*a.DueAt)
	default:
		return a.ExpiresAt == nil
	}
}

// bySoonestEnd orders by the end, unknown ones last, and then by id.
func bySoonestEnd(a, b connect.Account) int {
	switch {
	case a.ExpiresAt == nil && b.ExpiresAt == nil:
	case a.ExpiresAt == nil:
		return 1
	case b.ExpiresAt == nil:
		return -1
	default:
		if c := a.ExpiresAt.Compare(*b.ExpiresAt); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.ID, b.ID)
}
