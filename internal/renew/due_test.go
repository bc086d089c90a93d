package renew

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestDueIsOneRule(t *testing.T) {
	for _, row := range []struct {
		name   string
		left   time.Duration
		change func(*connect.Account)
		want   bool
	}{
		{"60 days left", 60 * day, nil, false},
		{"a second more than 20 days", 20*day + time.Second, nil, false},
		{"20 days left", 20 * day, nil, true},
		{"an hour left", time.Hour, nil, true},
		{"practice", 10 * day, func(a *connect.Account) { a.Practice = true }, true},
		{"provider does not renew", 10 * day, func(a *connect.Account) { a.Renews = false }, false},
		{"past, no refusal: one confirming try", -90 * day, func(a *connect.Account) { a.Status = connect.Expired }, true},
		{"past, the try had no answer an hour ago", -90 * day, func(a *connect.Account) { a.TriedAt = at(noon.Add(-time.Hour)) }, false},
		{"past, and the provider said so", -90 * day, func(a *connect.Account) { a.Reason = string(problem.TokenEnded) }, false},
		{"refused by age though a date is ahead", 10 * day, func(a *connect.Account) { a.Reason = string(problem.TokenEnded) }, false},
		{"password changed", 10 * day, func(a *connect.Account) { a.Reason = string(problem.PasswordChanged) }, false},
		{"end not known", 0, func(a *connect.Account) { a.ExpiresAt, a.DueAt, a.RenewAfter, a.IssuedAt = nil, nil, nil, nil }, true},
		{"end not known, not old enough", 0, func(a *connect.Account) { a.ExpiresAt, a.DueAt, a.RenewAfter = nil, nil, at(noon.Add(time.Hour)) }, false},
		{"estimated end, due at 24 h of age", 59 * day, func(a *connect.Account) { a.ExpiresEstimated, a.DueAt = true, at(noon.Add(-time.Second)) }, true},
		{"end known, no day on which it is due", 10 * day, func(a *connect.Account) { a.DueAt = nil }, false},
		{"not 24 h old", 10 * day, func(a *connect.Account) { a.RenewAfter = at(noon.Add(time.Second)) }, false},
		{"tried 19 hours ago", 10 * day, func(a *connect.Account) { a.TriedAt = at(noon.Add(-19 * time.Hour)) }, false},
		{"tried yesterday", 10 * day, func(a *connect.Account) { a.TriedAt = at(noon.Add(-23 * time.Hour)) }, true},
		{"told to wait", 10 * day, func(a *connect.Account) { a.NextTry = at(noon.Add(time.Second)) }, false},
		{"waited", 10 * day, func(a *connect.Account) { a.NextTry = at(noon) }, true},
		{"no answer an hour ago, and the wait is over", 10 * day, func(a *connect.Account) { a.TriedAt, a.NextTry = at(noon.Add(-time.Hour)), at(noon) }, true},
		{"no answer yesterday, told to wait for a day", 10 * day, func(a *connect.Account) { a.TriedAt, a.NextTry = at(noon.Add(-23*time.Hour)), at(noon.Add(time.Hour)) }, false},
		{"clock set back an hour after a try", 10 * day, func(a *connect.Account) { a.TriedAt, a.NextTry = at(noon.Add(time.Hour)), at(noon.Add(25*time.Hour)) }, false},
		{"clock set back a year after a try", 10 * day, func(a *connect.Account) {
			a.TriedAt, a.NextTry = at(noon.AddDate(1, 0, 0)), at(noon.AddDate(1, 0, 1))
		}, true},
		{"clock set back a year, tried since", 10 * day, func(a *connect.Account) {
			a.TriedAt, a.NextTry = at(noon.Add(-time.Minute)), at(noon.Add(day))
		}, false},
		{"dates of a clock that was a year ahead", 425 * day, nil, true},
		{"dates of a clock that was a year ahead, tried since", 425 * day, func(a *connect.Account) { a.TriedAt = at(noon) }, false},
		{"dates of a clock that was an hour ahead", 60*day + time.Hour, nil, false},
	} {
		a := account("a", noon, row.left)
		if row.change != nil {
			row.change(&a)
		}
		if got := len(Due([]connect.Account{a}, noon)) == 1; got != row.want {
			t.Errorf("%s: due %v, want %v", row.name, got, row.want)
		}
	}
}

func TestTheSoonestEndComesFirstAndUnknownEndsLast(t *testing.T) {
	unknown := func(id string) connect.Account {
		a := account(id, noon, 0)
		a.ExpiresAt, a.DueAt, a.RenewAfter, a.IssuedAt = nil, nil, nil, nil
		return a
	}
	in := []connect.Account{unknown("u2"), account("later", noon, 9*day), account("b", noon, day), unknown("u1"), account("past", noon, -day), account("a", noon, day)}
	before := ids(in)
	if got, want := ids(Due(in, noon)), []string{"past", "a", "b", "later", "u1", "u2"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !slices.Equal(ids(in), before) {
		t.Error("the caller's list was changed")
	}
}

// A timer at seven in the morning tries each day, also on the days of 23 and
// 25 hours, and a window that looks all day does not try twice.
func TestOnceADayOnDaysOfAnyLength(t *testing.T) {
	for name, start := range map[string]time.Time{
		"spring": time.Date(2027, 3, 26, 7, 0, 0, 0, berlin(t)),
		"autumn": time.Date(2027, 10, 29, 7, 0, 0, 0, berlin(t)),
		"2038":   time.Date(2038, 1, 17, 7, 0, 0, 0, berlin(t)),
	} {
		a := account("a", start, 10*day)
		for i := range 5 {
			morning := start.AddDate(0, 0, i)
			// systemd and launchd start a timer with a delay of their own.
			tried := morning.Add([]time.Duration{0, 40 * time.Minute, 0, time.Hour, 5 * time.Minute}[i])
			if len(Due([]connect.Account{a}, tried)) != 1 {
				t.Errorf("%s: not due on %v", name, tried)
			}
			a.TriedAt = at(tried)
			for m := time.Minute; m < 19*time.Hour; m += 30 * time.Minute {
				if len(Due([]connect.Account{a}, tried.Add(m))) != 0 {
					t.Fatalf("%s: due again %v after %v", name, m, tried)
				}
			}
		}
	}
}

// 32-bit seconds end on 19 January 2038; nothing here may care.
func TestDueBeyond2038(t *testing.T) {
	for _, now := range []time.Time{time.Unix(1<<31-1, 0), time.Unix(1<<31, 0), time.Unix(1<<32, 0)} {
		list := []connect.Account{account("due", now, 20*day), account("not", now, 21*day)}
		if got := ids(Due(list, now)); !slices.Equal(got, []string{"due"}) {
			t.Errorf("at %v: %v", now, got)
		}
	}
}

func TestDueOfThreeHundred(t *testing.T) {
	var list []connect.Account
	for i := range 300 {
		list = append(list, account(fmt.Sprintf("a%03d", 299-i), noon, time.Duration(299-i)*4*time.Hour))
	}
	due := Due(list, noon)
	if len(due) != 121 || !slices.IsSortedFunc(due, bySoonestEnd) {
		t.Errorf("%d due", len(due))
	}
}

// A token that refreshes is due by its own DueAt, once in 20 hours, and its end
// is no warning; its refusal is one.
func TestWhatRefreshesIsNoWarning(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	issued, ends, due := now.Add(-2*time.Hour), now.Add(-time.Hour), now.Add(-80*time.Minute)
	a := connect.Account{
		ID: "refreshes0", Renews: true, Refreshes: true, Lifetime: connect.Long, Status: connect.Healthy,
		IssuedAt: &issued, ExpiresAt: &ends, RenewAfter: &issued, DueAt: &due,
	}
	if got := Due([]connect.Account{a}, now); len(got) != 1 {
		t.Error("past its end it is not due")
	}
	a.TriedAt = &issued
	if got := Due([]connect.Account{a}, now); len(got) != 0 {
		t.Error("due twice within 20 hours")
	}
	since := now.Add(-4 * 24 * time.Hour)
	a.FailedSince, a.TriedAt = &since, &now
	if got := Warnings([]connect.Account{a}, now); len(got) != 0 {
		t.Errorf("warned of an access token's end: %+v", got)
	}
	a.Reason, a.Status = "renew.refresh_ended", connect.NeedsSignIn
	if got := Warnings([]connect.Account{a}, now); len(got) != 1 || got[0].Days != 0 {
		t.Errorf("its refusal: %+v", got)
	}
}
