package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type renewOptions struct {
	chosen
	// Due renews what is due and nothing else: the daily run.
	Due bool
}

func (p *program) renewCommand(run func(context.Context, renewOptions) error) *cobra.Command {
	var o renewOptions
	cmd := p.several("renew")
	cmd.Flags().BoolVar(&o.Due, "due", false, p.say.Say("cli.renew.flag.due"))
	cmd.Flags().BoolVar(&o.All, "all", false, p.say.Say("cli.renew.flag.all"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Accounts = args
		if err := oneOf(cmd, args, "ACCOUNT…, --due, --all", o.Due, o.All); err != nil {
			return err
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

func (p *program) renew(ctx context.Context, o renewOptions) error {
	s, err := p.guarding(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	kept := p.finishFormer(ctx, s)
	if o.Due {
		return p.renewDue(ctx, s, kept)
	}
	return p.each(ctx, s, o.chosen, func(a connect.Account) (int, error) {
		r, err := s.Renew(ctx, a.ID, connect.RenewOptions{})
		if err != nil {
			return 0, err
		}
		return p.renewal(r), nil
	})
}

type renewalLine struct {
	Event   connect.Outcome `json:"event"`
	Account connect.Account `json:"account"`
	Next    *time.Time      `json:"next,omitempty"`
}

// renewal tells how one renewal went and gives its exit code. Nothing to do,
// for whatever reason, is no failure.
func (p *program) renewal(r connect.Renewal) int {
	if r.Outcome == connect.RenewFailed {
		why := r.Problem
		if why == nil {
			why = problem.New(problem.Unexpected)
		}
		code := p.failed(&r.Account, why, r.Next)
		if r.Next != nil {
			p.note(p.say.Say("cli.renew.next", one("moment", p.say.Moment(r.Next.Local(), p.now().Local()))))
		}
		return code
	}
	if p.json {
		p.object(renewalLine{Event: r.Outcome, Account: r.Account, Next: r.Next})
	}
	key := "cli.renew.outcome." + string(r.Outcome)
	args := text.Args{"account": p.handle(r.Account), "end": p.until(r.Account.ExpiresAt)}
	if r.Next != nil {
		args["moment"] = p.say.Moment(r.Next.Local(), p.now().Local())
		if p.say.Has(key + "_next") {
			key += "_next"
		}
	}
	p.result(p.say.Say(key, args))
	return 0
}
