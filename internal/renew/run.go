package renew

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Core is what this package needs of the use cases; *connect.Service is one.
type Core interface {
	Accounts(ctx context.Context) ([]connect.Account, error)
	Renew(ctx context.Context, ref string, o connect.RenewOptions) (connect.Renewal, error)
	Setting(ctx context.Context, name string) (string, error)
}

// Names and values of the settings that are read here.
const (
	settingRenew    = "renew"
	settingWarn     = "warn"
	settingCalendar = "calendar"
	off             = "off"
)

// Parallel is how many accounts are renewed at a time unless Options say
// otherwise.
const Parallel = 4

// Options of a Run. The zero value is usable.
type Options struct {
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Jitter is the longest wait before each account; 0 is none.
	Jitter time.Duration
	// Rand gives a random duration from 0 to below its argument; nil is a real
	// one. It is called by several goroutines.
	Rand func(below time.Duration) time.Duration
	// Parallel is how many are asked at a time; 0 is the constant Parallel.
	Parallel int
	// Observe hears of each renewal as it ends, one at a time. May be nil.
	Observe func(connect.Renewal)
}

// Report is what one run came to.
type Report struct {
	// Off: the person has switched renewing off, nothing was asked.
	Off bool
	// Renewals are the accounts that were asked for, the soonest end first.
	Renewals []connect.Renewal
	// Errors are what kept accounts from being asked for, each a *Failure; from
	// the loop also what kept it from reading accounts or settings.
	Errors []error
	// Warnings are still to be told, and empty where the person wants none.
	Warnings []Warning
}

// Failure is an account that could not be asked for, e.g. because the keychain
// is locked. The provider's own refusals are Renewals.
type Failure struct {
	Account connect.Account
	Err     error
}

// Error names the account by its id and gives the error; people get the
// sentences of the problem inside.
func (f *Failure) Error() string { return fmt.Sprintf("account %s: %v", f.Account.ID, f.Err) }

// Unwrap gives the error.
func (f *Failure) Unwrap() error { return f.Err }

// Run renews what is due and tells what is to be told. It returns when all are
// done, or once ctx is cancelled, with what was done until then: no further
// account is begun, and one under way ends as connect ends it. Errors: those of
// reading accounts and settings, and of ctx. One account's trouble is in the
// report only.
func Run(ctx context.Context, core Core, o Options) (Report, error) {
	return run(ctx, core, o.filled(), func(connect.Account) bool { return true })
}

func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.N[time.Duration]
	}
	if o.Parallel <= 0 {
		o.Parallel = Parallel
	}
	if o.Observe == nil {
		o.Observe = func(connect.Renewal) {}
	}
	return o
}

// wall is the time without its monotonic reading, which stands still while a
// computer sleeps.
func wall(t time.Time) time.Time { return t.Round(0) }

func run(ctx context.Context, core Core, o Options, allowed func(connect.Account) bool) (Report, error) {
	var report Report
	if err := ctx.Err(); err != nil {
		return report, err
	}
	accounts, err := core.Accounts(ctx)
	if err != nil {
		return report, err
	}
	if report.Off, err = isOff(ctx, core, settingRenew); err != nil {
		return report, err
	}
	if !report.Off {
		var due []connect.Account
		for _, a := range Due(accounts, wall(o.Now())) {
			if allowed(a) {
				due = append(due, a)
			}
		}
		if len(due) > 0 {
			report.Renewals, report.Errors = askAll(ctx, core, o, due)
			if err := ctx.Err(); err != nil {
				return report, err
			}
			if accounts, err = core.Accounts(ctx); err != nil {
				return report, err
			}
		}
	}
	report.Warnings, err = untold(ctx, core, accounts, report, wall(o.Now()))
	return report, err
}

// untold gives the warnings of a run, none where the person wants none.
func untold(ctx context.Context, core Core, accounts []connect.Account, report Report, now time.Time) ([]Warning, error) {
	if report.Off {
		accounts = unrenewed(accounts)
	}
	warnings := Warnings(accounts, now)
	if len(warnings) == 0 {
		return nil, nil
	}
	if silent, err := isOff(ctx, core, settingWarn); silent || err != nil {
		return nil, err
	}
	met := map[string]*problem.Problem{}
	for _, r := range report.Renewals {
		met[r.Account.ID] = r.Problem
	}
	for _, err := range report.Errors {
		if f, ok := err.(*Failure); ok {
			met[f.Account.ID] = problem.Of(f.Err)
		}
	}
	for i, w := range warnings {
		if p := met[w.Account.ID]; p != nil && w.Reason == "" {
			warnings[i].Reason = p.Key
		}
	}
	return warnings, nil
}

// unrenewed are the accounts as they stand while nothing renews them.
func unrenewed(accounts []connect.Account) []connect.Account {
	out := make([]connect.Account, len(accounts))
	for i, a := range accounts {
		a.Renews = false
		out[i] = a
	}
	return out
}

func isOff(ctx context.Context, core Core, name string) (bool, error) {
	value, err := core.Setting(ctx, name)
	return value == off, err
}

// askAll asks for each account once and keeps their order.
func askAll(ctx context.Context, core Core, o Options, due []connect.Account) ([]connect.Renewal, []error) {
	renewals := make([]*connect.Renewal, len(due))
	failures := make([]error, len(due))
	next := make(chan int)
	var observing sync.Mutex
	var workers sync.WaitGroup
	for range min(o.Parallel, len(due)) {
		workers.Go(func() {
			for i := range next {
				if o.Jitter > 0 && !sleep(ctx, o.Rand(o.Jitter)) || ctx.Err() != nil {
					return
				}
				renewal, err := core.Renew(ctx, due[i].ID, connect.RenewOptions{OnlyDue: true})
				if err != nil {
					failures[i] = &Failure{Account: due[i], Err: err}
					continue
				}
				renewals[i] = &renewal
				observing.Lock()
				o.Observe(renewal)
				observing.Unlock()
			}
		})
	}
feeding:
	for i := range due {
		select {
		case next <- i:
		case <-ctx.Done():
			break feeding
		}
	}
	close(next)
	workers.Wait()
	var asked []connect.Renewal
	var errs []error
	for i := range due {
		if renewals[i] != nil {
			asked = append(asked, *renewals[i])
		}
		if failures[i] != nil {
			errs = append(errs, failures[i])
		}
	}
	return asked, errs
}

// sleep waits for d and tells whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
