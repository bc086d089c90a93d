package connect

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
)

// door is a listener of this service. Once needed has ended, it stands open
// for the browser's last page at most.
type door struct {
	needed   context.Context
	listener *redirect.Listener
}

// listen binds a port and, where one of our own attempts is just leaving it,
// waits for that: whoever cancels and signs in again at once, or goes on to
// the next account while the browser still fetches its page, must not be told
// that another Tokenkeep is in the way. ctx ends the wait, open the listener,
// and needed says when it may be waited for.
func (s *Service) listen(ctx, open, needed context.Context, port int, o redirect.Options) (*redirect.Listener, error) {
	for {
		listener, err := redirect.Listen(open, o)
		if err == nil {
			s.mu.Lock()
			s.doors[port] = door{needed, listener}
			s.mu.Unlock()
			return listener, nil
		}
		if !problem.Has(err, problem.PortOurs) {
			return nil, err
		}
		s.mu.Lock()
		former, ours := s.doors[port]
		ours = ours && former.needed.Err() != nil
		if ours {
			delete(s.doors, port)
		}
		s.mu.Unlock()
		if !ours {
			return nil, err
		}
		select {
		case <-former.listener.Done():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
