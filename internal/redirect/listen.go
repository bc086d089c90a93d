package redirect

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Listener waits for one answer.
type Listener struct{ done chan struct{} }

func Listen(ctx context.Context, o Options) (*Listener, error) {
	return nil, problem.New(problem.Unexpected)
}
func (l *Listener) Finish(o Outcome)      {}
func (l *Listener) Close()                {}
func (l *Listener) Done() <-chan struct{} { return l.done }
