package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func (p *program) revokeCommand(run func(ctx context.Context, account string) error) *cobra.Command {
	cmd := p.command("revoke", "revoke", "ACCOUNT")
	cmd.ValidArgsFunction = p.completeArgument(p.accountRefs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args[0]) }
	return cmd
}

type revokedLine struct {
	Event      string          `json:"event"`
	Account    connect.Account `json:"account"`
	AtProvider bool            `json:"at_provider"`
	Page       string          `json:"page"`
	// Others lost their access with it: they came by the same sign-in.
	Others  []string       `json:"others,omitempty"`
	Problem *problemObject `json:"problem,omitempty"`
}

// revoke ends the access at the provider where that can be done, and here in
// any case (TOK-14). A provider that offers no such thing is no failure, the
// page is then the way; one that did not do it when asked is.
func (p *program) revoke(ctx context.Context, ref string) error {
	s, err := p.guarding(ctx)
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
	ended, err := s.Revoke(ctx, a.ID)
	if err != nil {
		return err
	}
	if p.json {
		line := revokedLine{Event: "revoked", Account: a, AtProvider: ended.AtProvider, Page: ended.Page, Others: ended.Others}
		if ended.Problem != nil {
			told := p.problemObject(ended.Problem)
			line.Problem = &told
		}
		p.object(line)
	}
	p.result(p.say.Say("cli.remove.done", one("account", p.handle(a))))
	p.note(p.say.Say("cli.remove.stops", one("ref", a.ID)))
	if len(ended.Others) > 0 {
		var names []string
		for _, name := range ended.Others {
			names = append(names, "@"+problem.Outside(name, 80))
		}
		p.note(p.say.Say("cli.revoke.others", one("accounts", strings.Join(names, ", "))))
	}
	if ended.AtProvider {
		p.result(p.say.Say("cli.revoke.at_provider", one("provider", a.ProviderName)))
		return nil
	}
	if ended.Problem != nil {
		p.complain(ended.Problem)
	}
	if ended.Page != "" {
		p.result(p.say.Say("cli.revoke.by_hand", one("page", ended.Page)))
	}
	if ended.Problem != nil {
		return exit(ended.Problem.Kind.ExitCode())
	}
	return nil
}
