package connect

import (
	"context"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
)

// A token that refreshes is renewed when it is used, and not called expired.
func TestATokenThatRefreshesIsRenewedWhenItIsUsed(t *testing.T) {
	m := newMisfortune(t, "oauth2")
	m.shape(sandbox.Shape{Renew: "rotating"})
	account, err := m.service.Connect(t.Context(), m.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !account.Refreshes || !account.Renews || account.Lifetime != Long || account.Status != Healthy || account.DueAt == nil {
		t.Fatalf("%+v", account)
	}
	life := account.ExpiresAt.Sub(*account.IssuedAt)
	if due := account.ExpiresAt.Sub(*account.DueAt); due != life/3 {
		t.Errorf("due %s before the end of a life of %s", due, life)
	}
	first, err := m.service.Token(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	before := m.kept(account.ID)
	m.sandbox.Server.Forward(life - 2*time.Minute)
	second, err := m.service.Token(t.Context(), account.ID)
	if err != nil || second.AccessToken.Equal(first.AccessToken) {
		t.Fatalf("about to end: %v", err)
	}
	if now := m.kept(account.ID); now.RefreshToken.Equal(before.RefreshToken) || now.RefreshToken.Empty() || now.Gen != before.Gen+1 {
		t.Error("the refresh token that came was not kept")
	}
	if again, err := m.service.Token(t.Context(), account.ID); err != nil || !again.AccessToken.Equal(second.AccessToken) {
		t.Errorf("a young one was renewed: %v", err)
	}
	m.sandbox.Server.Forward(2 * life)
	if a, err := m.service.Account(t.Context(), account.ID); err != nil || a.Status != Healthy || a.Reason != "" {
		t.Errorf("past its end: %+v, %v", a, err)
	}
	// Without a network the ended one is not handed out, and the reason is true.
	m.service.Pretend(Pretend{Offline: true})
	if _, err := m.service.Token(t.Context(), account.ID); !problem.Has(err, problem.NetworkUnreachable) {
		t.Errorf("offline: %v", err)
	}
	m.service.Pretend(Pretend{})
	if _, err := m.service.Token(t.Context(), account.ID); err != nil {
		t.Errorf("the network is back: %v", err)
	}
	m.sandbox.Server.Forward(2 * life)
	if got, err := m.service.Check(t.Context(), account.ID); err != nil || !got.Works {
		t.Errorf("checked after its end: %+v, %v", got, err)
	}
	// Whoever rebuilds a library from the keychain knows it too.
	if got := m.service.standing(answer{Provider: "oauth2", Refresh: sealedText{m.kept(account.ID).RefreshToken}}); !got.Refreshes {
		t.Error("an item with a refresh token is not known as one")
	}
	// Refused: said once, and nobody asks again by itself.
	m.sandbox.Server.Forward(2 * life)
	for range 2 {
		if err := m.sandbox.Server.ArmMishap("oauth2.renew.invalid_grant"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.service.Token(t.Context(), account.ID); !problem.Has(err, problem.RefreshEnded) || problem.Of(err).Kind != problem.SignIn {
		t.Errorf("refused: %v", err)
	}
	count := m.requests()
	a, err := m.service.Account(t.Context(), account.ID)
	if err != nil || a.Status != NeedsSignIn || a.Reason != string(problem.RefreshEnded) || a.DueAt != nil {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := m.service.Token(t.Context(), account.ID); !problem.Has(err, problem.RefreshEnded) || m.requests() != count {
		t.Errorf("asked again: %v", err)
	}
}

// Many that want the token at once ask once: with reuse detection two requests
// would end the sign-in.
func TestATokenThatRefreshesIsRenewedOnceForMany(t *testing.T) {
	m := newMisfortune(t, "oauth2")
	m.shape(sandbox.Shape{Renew: "rotating"})
	account, err := m.service.Connect(t.Context(), m.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.sandbox.Server.Forward(2 * time.Hour)
	got := make(chan error, 16)
	for range cap(got) {
		go func() {
			_, err := m.service.Token(context.Background(), account.ID)
			got <- err
		}()
	}
	for range cap(got) {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
	if gen := m.row(account.ID).Gen; gen != 2 {
		t.Errorf("generation %d", gen)
	}
}

// Who read the old token's dates a moment before another one stored the new one
// does not ask again.
func TestWhoIsLateForARefreshDoesNotAskAgain(t *testing.T) {
	m := newMisfortune(t, "oauth2")
	m.shape(sandbox.Shape{Renew: "rotating"})
	account, err := m.service.Connect(t.Context(), m.request(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.sandbox.Server.Forward(2 * time.Hour)
	late := m.row(account.ID)
	if _, err := m.service.Token(t.Context(), account.ID); err != nil {
		t.Fatal(err)
	}
	before := m.requests()
	for _, anyway := range []bool{false, true} {
		if row, err := m.service.fresh(t.Context(), late, anyway); err != nil || row.Gen != late.Gen+1 {
			t.Errorf("generation %d, %v", row.Gen, err)
		}
	}
	if n := m.requests() - before; n != 0 {
		t.Errorf("%d requests more", n)
	}
}

// An answer of an earlier run does not replace the token of a later sign-in, nor
// where no end is known of either.
func TestAnEarlierAnswerDoesNotReplaceALaterToken(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	end := now.Add(60 * day)
	for _, row := range []struct {
		name          string
		former, given *time.Time
		sent          time.Time
		want          bool
	}{
		{"no end of either", nil, nil, now.Add(-time.Hour), true},
		{"the same end", &end, &end, now.Add(-time.Hour), true},
		{"a later answer", nil, nil, now.Add(time.Hour), false},
		{"one end alone", &end, nil, now.Add(-time.Hour), false},
	} {
		former := library.Account{IssuedAt: &now, ExpiresAt: row.former}
		if got := better(former, answer{SentAt: row.sent, ExpiresAt: row.given}); got != row.want {
			t.Errorf("%s: %t", row.name, got)
		}
	}
}

func TestTheStatusOfWhatRefreshes(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name string
		f    Facts
		want Status
	}{
		{"past its end", Facts{Refreshes: true, End: now.Add(-time.Hour)}, Healthy},
		{"about to end", Facts{Refreshes: true, End: now.Add(time.Minute)}, Healthy},
		{"refused", Facts{Refreshes: true, End: now.Add(time.Hour), LastAnswer: problem.RefreshEnded}, NeedsSignIn},
		{"without a refresh token", Facts{End: now.Add(-time.Hour)}, Expired},
		{"no end is known", Facts{}, Healthy},
	} {
		row.f.Now = now
		if got := StatusOf(row.f); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}
