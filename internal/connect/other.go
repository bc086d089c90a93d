package connect

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Settle ends a question that a former run left open (Recovered.Other): id is
// Recovered.ID. AddAsNew gives the account that it became, DropAnswer nil.
// Problems: account.unknown where no such question is open any more, lock.held
// while another process has it; else those of Connect's saving.
func (s *Service) Settle(ctx context.Context, id string, d Decision) (*Account, error) {
	return nil, problem.New(problem.AccountUnknown, "name", problem.Outside(id, 80))
}
