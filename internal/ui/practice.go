package ui

import (
	"context"
	"errors"
	"net/url"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// goPractice opens the practice ground: the same screens over a pretend
// provider in this process, with a library of their own.
func (s *shell) goPractice() {
	if s.practising || s.entering || s.params.Practise == nil || s.waiting {
		return
	}
	s.entering = true
	s.changed()
	type ground struct {
		core Core
		stop func()
	}
	work(s, s.ctx, func(ctx context.Context) (ground, error) {
		address, stop, err := s.params.Practise(ctx)
		if err != nil {
			return ground{}, err
		}
		u, err := url.Parse(address)
		if err == nil && u.Host == "" {
			err = errors.New("ui: the practice ground has no address")
		}
		var core Core
		if err == nil {
			core, err = s.params.Open(ctx, u, s.vaultAsks)
		}
		if err != nil {
			stop()
			return ground{}, err
		}
		return ground{core, stop}, nil
	}, func(g ground, p *problem.Problem) {
		s.entering = false
		if p != nil {
			s.changed()
			s.tell(p)
			return
		}
		s.leaving = g.stop
		s.frame.DropToasts()
		s.use(g.core)
	})
}

// canLeave: a process that was started to practise has no real side.
func (s *shell) canLeave() bool { return s.practising && s.leaving != nil && s.real != nil }

// leavePractice goes back to the real accounts. The practice library stays.
func (s *shell) leavePractice() {
	if !s.canLeave() {
		return
	}
	s.endPretending()
	core, stop := s.core, s.leaving
	s.leaving = nil
	// What a toast says of a made-up account would be taken for a real one's.
	s.frame.DropToasts()
	s.use(s.real)
	s.run.Go(func() {
		_ = core.Close()
		stop()
	})
}
