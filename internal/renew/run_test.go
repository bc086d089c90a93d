package renew

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func fixed(now time.Time) func() time.Time { return func() time.Time { return now } }

func TestRunAsksForEachDueAccountOnceAndReportsInOrder(t *testing.T) {
	var list []connect.Account
	for i := range 300 {
		list = append(list, account(fmt.Sprintf("a%03d", i), noon, time.Duration(i)*4*time.Hour))
	}
	d := newDouble(fixed(noon), list...)
	var below atomic.Int64
	var observed []string
	report, err := Run(t.Context(), d, Options{Now: fixed(noon), Jitter: time.Hour,
		Rand:    func(max time.Duration) time.Duration { below.Add(int64(max)); return 0 },
		Observe: func(r connect.Renewal) { observed = append(observed, r.Account.ID) }})
	if err != nil || len(report.Errors) != 0 || len(report.Warnings) != 0 || report.Off {
		t.Fatalf("%+v, %v", report, err)
	}
	if len(report.Renewals) != 121 || len(d.asked) != 121 || len(observed) != 121 {
		t.Fatalf("%d renewals, %d asked, %d observed", len(report.Renewals), len(d.asked), len(observed))
	}
	for i, r := range report.Renewals {
		if r.Account.ID != fmt.Sprintf("a%03d", i) || r.Outcome != connect.Renewed || d.times(r.Account.ID) != 1 {
			t.Fatalf("renewal %d is %s, %s, asked %d times", i, r.Account.ID, r.Outcome, d.times(r.Account.ID))
		}
	}
	if below.Load() != int64(121*time.Hour) {
		t.Errorf("not every account had its full jitter: %v", time.Duration(below.Load()))
	}
	again, err := Run(t.Context(), d, Options{Now: fixed(noon)})
	if err != nil || len(again.Renewals) != 0 {
		t.Errorf("a second run asked for %d, %v", len(again.Renewals), err)
	}
}

func TestAtMostFourAtATime(t *testing.T) {
	var list []connect.Account
	for i := range 40 {
		list = append(list, account(fmt.Sprintf("a%03d", i), noon, day))
	}
	for _, row := range []struct{ parallel, want int }{{0, Parallel}, {1, 1}, {7, 7}} {
		d := newDouble(fixed(noon), list...)
		meet := make(chan struct{}, row.want)
		full := make(chan struct{})
		var n atomic.Int64
		d.renew = func(*connect.Account) (connect.Outcome, error) {
			// The first ones wait until as many as allowed are there.
			if n.Add(1) == int64(row.want) {
				close(full)
			}
			meet <- struct{}{}
			select {
			case <-full:
			case <-time.After(20 * time.Second):
				t.Error("fewer than allowed came together")
			}
			<-meet
			return connect.Renewed, nil
		}
		if _, err := Run(t.Context(), d, Options{Now: fixed(noon), Parallel: row.parallel}); err != nil {
			t.Fatal(err)
		}
		if d.max != row.want {
			t.Errorf("parallel %d: %d at a time, want %d", row.parallel, d.max, row.want)
		}
	}
}

func TestOneFailureStopsNobody(t *testing.T) {
	a, b, c := account("a", noon, day), account("b", noon, 2*day), account("c", noon, 3*day)
	b.Status = connect.ExpiresSoon
	d := newDouble(fixed(noon), a, b, c)
	locked := problem.New(problem.VaultLocked)
	d.renew = func(a *connect.Account) (connect.Outcome, error) {
		if a.ID == "b" {
			return "", locked
		}
		return connect.Renewed, nil
	}
	report, err := Run(t.Context(), d, Options{Now: fixed(noon)})
	if err != nil || len(report.Renewals) != 2 || len(report.Errors) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	var f *Failure
	if !errors.As(report.Errors[0], &f) || f.Account.ID != "b" || !problem.Has(f, problem.VaultLocked) || f.Error() != "account b: vault: vault.locked" {
		t.Errorf("failure %v", report.Errors[0])
	}
	// Its warning tells what stood in the way.
	if len(report.Warnings) != 1 || report.Warnings[0].Account.ID != "b" || report.Warnings[0].Days != 2 || report.Warnings[0].Reason != problem.VaultLocked {
		t.Errorf("warnings %+v", report.Warnings)
	}
}

func TestCancelledBetweenAccounts(t *testing.T) {
	var list []connect.Account
	for i := range 50 {
		list = append(list, account(fmt.Sprintf("a%03d", i), noon, day))
	}
	d := newDouble(fixed(noon), list...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	report, err := Run(ctx, d, Options{Now: fixed(noon), Parallel: 1, Observe: func(r connect.Renewal) {
		if r.Account.ID == "a002" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(report.Renewals) != 3 || len(d.asked) != 3 {
		t.Errorf("%d renewals, %d asked, %v", len(report.Renewals), len(d.asked), err)
	}
	if _, err := Run(ctx, d, Options{Now: fixed(noon)}); !errors.Is(err, context.Canceled) || len(d.asked) != 3 {
		t.Errorf("a cancelled run began: %v", err)
	}
	// A jitter of an hour does not keep it.
	ctx, cancel = context.WithCancel(t.Context())
	waiting := make(chan struct{}, len(list))
	go func() { <-waiting; cancel() }()
	began := time.Now()
	_, err = Run(ctx, d, Options{Now: fixed(noon), Jitter: time.Hour, Rand: func(d time.Duration) time.Duration { waiting <- struct{}{}; return d }})
	if !errors.Is(err, context.Canceled) || len(d.asked) != 3 || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestSwitchedOffAndSilent(t *testing.T) {
	renewable, facebook := account("a", noon, 6*day), account("b", noon, 6*day)
	facebook.Renews, facebook.Status = false, connect.ExpiresSoon
	for _, row := range []struct {
		renew, warn string
		asked       int
		warned      []string
	}{
		{"", "", 1, []string{"b"}},
		{"off", "", 0, []string{"a", "b"}}, // with it off nothing saves a
		{"", "off", 1, nil},
		{"off", "off", 0, nil},
	} {
		d := newDouble(fixed(noon), renewable, facebook)
		d.set("renew", row.renew)
		d.set("warn", row.warn)
		report, err := Run(t.Context(), d, Options{Now: fixed(noon)})
		var warned []string
		for _, w := range report.Warnings {
			warned = append(warned, w.Account.ID)
		}
		if err != nil || report.Off != (row.renew == "off") || len(d.asked) != row.asked || !slices.Equal(warned, row.warned) {
			t.Errorf("%+v: %+v, asked %v, %v", row, report, d.asked, err)
		}
	}
}

func TestAccountsThatCannotBeReadAreAnError(t *testing.T) {
	d := newDouble(fixed(noon), account("a", noon, day))
	d.broken = problem.New(problem.LibraryBusy)
	if _, err := Run(t.Context(), d, Options{Now: fixed(noon)}); !problem.Has(err, problem.LibraryBusy) {
		t.Error(err)
	}
}
