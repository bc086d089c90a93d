package connect

import (
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestStatusIsRuling9(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for _, row := range []struct {
		name string
		f    Facts
		want Status
	}{
		{"fresh", Facts{End: in(60 * day), Renewable: true}, Healthy},
		{"28 days", Facts{End: in(28 * day), Renewable: true}, Healthy},
		{"27 days", Facts{End: in(27 * day), Renewable: true}, RenewsSoon},
		{"27 days, not renewable", Facts{End: in(27 * day)}, Healthy},
		{"15 days, not renewable", Facts{End: in(15 * day)}, Healthy},
		{"14 days, not renewable", Facts{End: in(14 * day)}, ExpiresSoon},
		{"14 days, renewable", Facts{End: in(14 * day), Renewable: true}, RenewsSoon},
		{"14 days, failed twice", Facts{End: in(14 * day), Renewable: true, DaysFailed: 2}, RenewsSoon},
		{"14 days, failed three days", Facts{End: in(14 * day), Renewable: true, DaysFailed: 3}, ExpiresSoon},
		{"one hour", Facts{End: in(time.Hour), OneHour: true}, ExpiresSoon},
		{"one hour, over", Facts{End: in(-time.Second), OneHour: true}, Expired},
		{"end unknown", Facts{}, Healthy},
		{"past", Facts{End: in(-time.Second), Renewable: true}, Expired},
		{"at the very end", Facts{End: now}, Expired},
		{"463 though the date is ahead", Facts{End: in(day), LastAnswer: problem.TokenEnded}, Expired},
		{"password changed and past", Facts{End: in(-day), LastAnswer: problem.PasswordChanged}, NeedsSignIn},
		{"password changed", Facts{End: in(50 * day), Renewable: true, LastAnswer: problem.PasswordChanged}, NeedsSignIn},
	} {
		row.f.Now = now
		if got := StatusOf(row.f); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	for left, want := range map[time.Duration]int{0: 0, -day: 0, time.Second: 1, day: 1, day + 1: 2, 60 * day: 60} {
		if got := DaysLeft(in(left), now); got != want {
			t.Errorf("DaysLeft(%v) = %d, want %d", left, got, want)
		}
	}
}
