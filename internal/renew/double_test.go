package renew

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // days on which the clocks change, on any machine

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

func TestMain(m *testing.M) {
	vault.Serve()
	os.Exit(m.Run())
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(t time.Time) *time.Time { return &t }

// account has days left at now, renews, and is 60 days long.
func account(id string, now time.Time, left time.Duration) connect.Account {
	end := now.Add(left)
	issued := end.Add(-60 * day)
	a := connect.Account{ID: id, Username: id, Provider: "instagram", Lifetime: connect.Long, Renews: true, Status: connect.Healthy,
		IssuedAt: at(issued), ExpiresAt: at(end), RenewAfter: at(issued.Add(day)), DueAt: at(end.Add(-20 * day))}
	return a
}

// double is a core whose provider renews for 60 days, or does what renew says.
type double struct {
	mu       sync.Mutex
	clock    func() time.Time
	accounts map[string]connect.Account
	settings map[string]string
	asked    []string
	at       map[string][]time.Time
	renew    func(a *connect.Account) (connect.Outcome, error)
	broken   error
	now, max int // calls under way, and the most of them
}

func newDouble(clock func() time.Time, accounts ...connect.Account) *double {
	d := &double{clock: clock, accounts: map[string]connect.Account{}, settings: map[string]string{}, at: map[string][]time.Time{}}
	for _, a := range accounts {
		d.accounts[a.ID] = a
	}
	return d
}

func (d *double) Accounts(context.Context) ([]connect.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []connect.Account
	for _, a := range d.accounts {
		all = append(all, a)
	}
	slices.SortFunc(all, bySoonestEnd)
	slices.Reverse(all) // no order may be relied on
	return all, d.broken
}

func (d *double) Setting(_ context.Context, name string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings[name], d.broken
}

func (d *double) Renew(_ context.Context, id string, o connect.RenewOptions) (connect.Renewal, error) {
	d.mu.Lock()
	d.asked = append(d.asked, id)
	d.at[id] = append(d.at[id], d.clock())
	d.now++
	d.max = max(d.max, d.now)
	a, ok := d.accounts[id]
	d.mu.Unlock()
	if !ok || !o.OnlyDue {
		return connect.Renewal{}, fmt.Errorf("renew %q with %+v", id, o)
	}
	outcome, err := connect.Renewed, error(nil)
	if d.renew != nil {
		outcome, err = d.renew(&a)
	}
	if outcome == connect.Renewed {
		id, warned := a.ID, 0
		a = account(id, d.clock(), 60*day)
		a.Warned = warned
	}
	if err == nil {
		a.TriedAt = at(d.clock())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now--
	d.accounts[id] = a
	return connect.Renewal{Account: a, Outcome: outcome}, err
}

func (d *double) set(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settings[name] = value
}

func (d *double) put(a connect.Account) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accounts[a.ID] = a
}

func (d *double) times(id string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.at[id])
}

func ids(accounts []connect.Account) []string {
	var out []string
	for _, a := range accounts {
		out = append(out, a.ID)
	}
	return out
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
