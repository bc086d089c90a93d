package connect

import (
	"context"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Outcome is how a renewal went. The values are a contract.
type Outcome string

// Every outcome. Only RenewFailed has a Problem.
const (
	// Renewed: the provider gave a token and it is stored.
	Renewed Outcome = "renewed"
	// NotDue: more than 20 days are left, or it was tried within a day.
	NotDue Outcome = "not_due"
	// TooYoung: the provider does not renew a token of this age yet.
	TooYoung Outcome = "too_young"
	// AlreadyRenewed: another process was faster.
	AlreadyRenewed Outcome = "already"
	// RenewWaiting: the last try failed and the wait after it is not over.
	RenewWaiting Outcome = "waiting"
	// RenewFailed: the provider said no, or nothing.
	RenewFailed Outcome = "failed"
)

// Renewal is the result of one Renew.
type Renewal struct {
	Account Account
	Outcome Outcome
	// Problem is set with RenewFailed.
	Problem *problem.Problem
	// Next is the earliest moment of the next try, nil when there is none.
	Next *time.Time
}

// RenewOptions tells who asks.
type RenewOptions struct {
	// OnlyDue is for what runs by itself (the timer, the window's loop): only a
	// due account, at most once a day, and the wait after a failure is kept.
	OnlyDue bool
}

// RenewPoints are the named points of a renewal, in order; see Config.At.
var RenewPoints = []string{"renew-locked", "renew-pending", "renew-answered", "renew-sealed", "renew-item-written", "renew-finished"}

// Checked is what asking the provider about an account showed.
type Checked struct {
	Account Account
	// Works: the provider took the token.
	Works   bool
	Problem *problem.Problem
	At      time.Time
}

// Renew asks the provider for a new token of one account.
func (s *Service) Renew(_ context.Context, _ string, _ RenewOptions) (Renewal, error) {
	return Renewal{}, problem.New(problem.Unexpected, "where", "connect.renew")
}

// Check asks the provider whether an account's token works.
func (s *Service) Check(_ context.Context, _ string) (Checked, error) {
	return Checked{}, problem.New(problem.Unexpected, "where", "connect.check")
}

// SetRenewing tells that something renews by itself: the window is open or the
// timer is installed (ruling 9).
func (s *Service) SetRenewing(on bool) {}

// Setting reads one setting, "" when it was never set.
func (s *Service) Setting(ctx context.Context, name string) (string, error) {
	return s.library.Setting(ctx, name)
}

// SetSetting writes one setting.
func (s *Service) SetSetting(ctx context.Context, name, value string) error {
	return s.library.SetSetting(ctx, name, value)
}

// MarkWarned keeps that the person was told, days before the end.
func (s *Service) MarkWarned(ctx context.Context, id string, days int) error {
	return problem.New(problem.Unexpected, "where", "connect.warned")
}

// DiaryPage is Diary from before the entry with that Seq; 0 begins at the newest.
func (s *Service) DiaryPage(ctx context.Context, id string, limit int, before int64) ([]library.Entry, error) {
	return s.library.Diary(ctx, id, limit, before)
}
