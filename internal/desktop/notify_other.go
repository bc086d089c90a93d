//go:build darwin || windows

package desktop

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func notify(context.Context, Notice) (<-chan struct{}, error) {
	return nil, problem.New(problem.NotifyUnavailable)
}

// hasTray: the menu bar and the task bar are always there.
func hasTray(context.Context) bool { return true }
