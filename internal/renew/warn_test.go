package renew

import (
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestWarningsAreOneRule(t *testing.T) {
	const none = -1
	soon := func(a *connect.Account) { a.Status = connect.ExpiresSoon }
	facebook := func(a *connect.Account) { a.Renews = false; a.DueAt = nil }
	both := func(fs ...func(*connect.Account)) func(*connect.Account) {
		return func(a *connect.Account) {
			for _, f := range fs {
				f(a)
			}
		}
	}
	told := func(n int) func(*connect.Account) { return func(a *connect.Account) { a.Warned = n } }
	refused := func(key problem.Key, s connect.Status) func(*connect.Account) {
		return func(a *connect.Account) { a.Reason, a.Status = string(key), s }
	}
	ended := func(a *connect.Account) { a.Status = connect.Expired }
	unanswered := func(since, tried time.Duration) func(*connect.Account) {
		return func(a *connect.Account) { a.FailedSince, a.TriedAt = at(noon.Add(-since)), at(noon.Add(-tried)) }
	}
	for _, row := range []struct {
		name   string
		left   time.Duration
		change func(*connect.Account)
		want   int
	}{
		{"renews by itself, 13 days", 13 * day, nil, none},
		{"renews by itself, a day", day, nil, none},
		{"failed three days, 13 days", 13 * day, soon, 14},
		{"does not renew, more than 14 days", 14*day + time.Second, facebook, none},
		{"does not renew, 14 days", 14 * day, both(facebook, soon), 14},
		{"7 days and a second", 7*day + time.Second, both(facebook, soon), 14},
		{"7 days", 7 * day, both(facebook, soon), 7},
		{"2 days", 2 * day, both(facebook, soon), 2},
		{"a second", time.Second, both(facebook, soon), 2},
		{"13 days, told", 13 * day, both(facebook, soon, told(14)), none},
		{"7 days, told at 14", 7 * day, both(facebook, soon, told(14)), 7},
		{"7 days, told", 7 * day, both(facebook, soon, told(7)), none},
		{"6 days, told at 2 (the clock was ahead)", 6 * day, both(facebook, soon, told(2)), none},
		{"a day, told at 7", day, both(facebook, soon, told(7)), 2},
		{"a day, told", day, both(facebook, soon, told(2)), none},
		{"13 days, the one before it was over", 13 * day, both(facebook, soon, told(over)), 14},
		{"one hour token", time.Hour, func(a *connect.Account) { a.Lifetime, a.Status, a.Renews = connect.Short, connect.ExpiresSoon, false }, none},
		{"one hour token, over", -time.Hour, func(a *connect.Account) { a.Lifetime, a.Status, a.Renews = connect.Short, connect.Expired, false }, none},
		{"end not known", 0, both(facebook, func(a *connect.Account) { a.ExpiresAt = nil }), none},
		{"over, does not renew, never told", -90 * day, both(facebook, ended), 0},
		{"over, does not renew, told at 2", -time.Second, both(facebook, ended, told(2)), 0},
		{"over, told", -90 * day, both(facebook, ended, told(over)), none},
		{"over by our clock alone", -365 * day, ended, none},
		{"over, asked once without an answer", -day, both(ended, unanswered(time.Hour, time.Hour)), none},
		{"over, no answer for three days", -4 * day, both(ended, unanswered(3*day, time.Hour)), 0},
		{"over, failed for long, but not asked since", -4 * day, both(ended, unanswered(30*day, 20*day)), none},
		{"over, the provider said so", -day, refused(problem.TokenEnded, connect.Expired), 0},
		{"password changed, 50 days left", 50 * day, refused(problem.PasswordChanged, connect.NeedsSignIn), 0},
		{"password changed, told", 50 * day, both(refused(problem.PasswordChanged, connect.NeedsSignIn), told(over)), none},
		{"refused, end not known", 0, both(refused(problem.AccessRemoved, connect.NeedsSignIn), func(a *connect.Account) { a.ExpiresAt = nil }), 0},
	} {
		a := account("a", noon, row.left)
		if row.change != nil {
			row.change(&a)
		}
		got := Warnings([]connect.Account{a}, noon)
		switch {
		case row.want == none && len(got) != 0:
			t.Errorf("%s: warned %d", row.name, got[0].Days)
		case row.want != none && (len(got) != 1 || got[0].Days != row.want || string(got[0].Reason) != a.Reason):
			t.Errorf("%s: %+v, want %d", row.name, got, row.want)
		}
		// What was marked is not told again, and the next step is.
		if len(got) == 1 {
			a.Warned = got[0].Mark()
			if again := Warnings([]connect.Account{a}, noon); len(again) != 0 {
				t.Errorf("%s: told twice", row.name)
			}
		}
	}
}

// From 20 days before until 20 days after, looked at every 6 hours: three
// warnings and an end, in that order, and after a sign-in all of them again.
func TestEachWarningOnceForEachEnd(t *testing.T) {
	a := account("a", noon, 20*day)
	for range 2 {
		end := *a.ExpiresAt
		var days []int
		for now := end.Add(-20 * day); now.Before(end.Add(20 * day)); now = now.Add(6 * time.Hour) {
			a.Renews = false
			a.Status = connect.StatusOf(connect.Facts{Now: now, End: end})
			for _, w := range Warnings([]connect.Account{a}, now) {
				days = append(days, w.Days)
				a.Warned = w.Mark()
				if !w.EndsAt.Equal(end) {
					t.Errorf("ends at %v, want %v", w.EndsAt, end)
				}
			}
		}
		if len(days) != 4 || days[0] != 14 || days[1] != 7 || days[2] != 2 || days[3] != 0 {
			t.Errorf("warned at %v", days)
		}
		a.ExpiresAt = at(end.Add(60 * day)) // Warned stays: even so
	}
}
