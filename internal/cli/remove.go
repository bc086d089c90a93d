package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (p *program) removeCommand(run func(ctx context.Context, account string) error) *cobra.Command {
	cmd := p.command("remove", "remove", "ACCOUNT")
	cmd.ValidArgsFunction = p.completeArgument(p.accountRefs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args[0]) }
	return cmd
}

func (p *program) remove(ctx context.Context, ref string) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.finishFormer(ctx, s)
	a, err := s.Account(ctx, ref)
	if err != nil {
		return err
	}
	// By its id: the name may belong to another account by now.
	if err := s.Remove(ctx, a.ID); err != nil {
		return err
	}
	if p.json {
		p.object(struct {
			Event    string `json:"event"`
			ID       string `json:"id"`
			Username string `json:"username"`
		}{"removed", a.ID, a.Username})
	}
	p.result(p.say.Say("cli.remove.done", one("account", p.handle(a))))
	if !a.Practice {
		p.note(p.say.Say("cli.remove.still_valid", one("provider", a.ProviderName)))
	}
	return nil
}
