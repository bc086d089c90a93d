package library

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func standing(tries, warned int) Renewal {
	at := func(h int) *time.Time {
		t := clock().Add(time.Duration(h) * time.Hour).UTC().Truncate(time.Millisecond)
		return &t
	}
	return Renewal{TriedAt: at(0), NextAt: at(1), CheckedAt: at(2), Tries: tries, Warned: warned}
}

func TestMigrationFromSchema2(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	id := ofSchema(t, dir, 2)
	l := opened(t, dir)
	if l.ID() != id || len(l.Notes()) != 0 {
		t.Fatalf("id %s, notes %v", l.ID(), l.Notes())
	}
	if got, err := l.Account(ctx, sampleAccount().ID); err != nil || !reflect.DeepEqual(got, sampleAccount()) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := l.Renewal(ctx, sampleAccount().ID); err != nil || !reflect.DeepEqual(got, Renewal{}) {
		t.Errorf("%+v, %v", got, err)
	}
	must(t, l.SetRenewal(ctx, sampleAccount().ID, func(r *Renewal) { *r = standing(3, 14) }))
	must(t, l.SetSetting(ctx, "renew", "off"))
	must(t, l.Close())
	l = opened(t, dir)
	if got, err := l.Renewal(ctx, sampleAccount().ID); err != nil || !reflect.DeepEqual(got, standing(3, 14)) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := l.Setting(ctx, "renew"); err != nil || got != "off" {
		t.Errorf("%q, %v", got, err)
	}
	must(t, l.SetSetting(ctx, "renew", ""))
	if got, err := l.Setting(ctx, "renew"); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}

// A library of before that can only be read has no such tables.
func TestALibraryThatIsTooOldToAskHasNoRenewals(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	ofSchema(t, dir, 2)
	l, err := opening{dir: dir, now: clock, migrations: migrations[:2], minReader: 1}.open(ctx)
	must(t, err)
	defer func() { _ = l.Close() }()
	l.barred = problem.LibraryReadOnly
	if got, err := l.Renewals(ctx); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := l.Renewal(ctx, sampleAccount().ID); err != nil || !reflect.DeepEqual(got, Renewal{}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := l.Setting(ctx, "renew"); err != nil || got != "" {
		t.Errorf("%q, %v", got, err)
	}
	wants(t, l.SetSetting(ctx, "renew", "off"), problem.LibraryReadOnly, "folder", dir)
}

func TestHowRenewingStandsIsForgottenWithItsToken(t *testing.T) {
	ctx := context.Background()
	l := opened(t, t.TempDir())
	must(t, l.AddApp(ctx, sampleApp()))
	a := sampleAccount()
	must(t, l.Finish(ctx, a))
	set := func() { must(t, l.SetRenewal(ctx, a.ID, func(r *Renewal) { *r = standing(2, 7) })) }
	set()
	a.Gen++
	must(t, l.Renewed(ctx, a, func(r *Renewal) { r.Tries, r.NextAt = 0, nil }))
	want := standing(0, 7)
	want.NextAt = nil
	if got, err := l.Renewals(ctx); err != nil || !reflect.DeepEqual(got, map[string]Renewal{a.ID: want}) {
		t.Errorf("after a renewal: %+v, %v", got, err)
	}
	must(t, l.Finish(ctx, a))
	if got, err := l.Renewal(ctx, a.ID); err != nil || !reflect.DeepEqual(got, Renewal{}) {
		t.Errorf("after a sign-in: %+v, %v", got, err)
	}
	set()
	must(t, l.RemoveAccount(ctx, a.ID))
	set() // a renewal that was under way brings nothing back
	if got, err := l.Renewals(ctx); err != nil || len(got) != 0 {
		t.Errorf("after removing: %+v, %v", got, err)
	}
}

func TestWhatAnAnswerMeansIsWrittenAsOne(t *testing.T) {
	ctx := context.Background()
	l := opened(t, t.TempDir())
	must(t, l.AddApp(ctx, sampleApp()))
	a := sampleAccount()
	must(t, l.Finish(ctx, a))
	broken := Entry{Event: "e"}
	if _, err := l.db.Exec(`CREATE TRIGGER no BEFORE INSERT ON renewal BEGIN SELECT RAISE(ABORT, 'no'); END`); err != nil {
		t.Fatal(err)
	}
	if _, err := l.db.Exec(`DELETE FROM renewal`); err != nil {
		t.Fatal(err)
	}
	err := l.UpdateRenewal(ctx, a.ID, func(a *Account) { a.LastAnswer = "token.refused" }, func(r *Renewal) { r.Tries = 1 }, broken)
	if err == nil {
		t.Fatal("the trigger was asleep")
	}
	if got, _ := l.Account(ctx, a.ID); got.LastAnswer != a.LastAnswer {
		t.Error("half of it was written")
	}
	if _, err := l.db.Exec(`DROP TRIGGER no`); err != nil {
		t.Fatal(err)
	}
	must(t, l.UpdateRenewal(ctx, a.ID, func(a *Account) { a.LastAnswer = "token.refused" }, func(r *Renewal) { r.Tries = 1 }, broken))
	got, err := l.Account(ctx, a.ID)
	r, _ := l.Renewal(ctx, a.ID)
	if err != nil || got.LastAnswer != "token.refused" || r.Tries != 1 {
		t.Errorf("%+v, %+v, %v", got, r, err)
	}
}
