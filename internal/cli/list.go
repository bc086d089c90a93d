package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

func (p *program) listCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("list", "list", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

func (p *program) list(ctx context.Context) error {
	s, err := p.guarding(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.finishFormer(ctx, s)
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	if p.json {
		for _, a := range accounts {
			p.object(a)
		}
		return nil
	}
	if len(accounts) == 0 {
		p.note(p.say.Say("cli.list.none"))
		return nil
	}
	rows := [][]string{p.heads("account", "provider", "app", "status", "ends", "ours")}
	for _, a := range accounts {
		rows = append(rows, []string{p.handle(a), a.Provider, problem.Outside(a.App, 80), p.status(a), p.ends(a.ExpiresAt), a.ID})
	}
	p.table(rows)
	return nil
}

func (p *program) showCommand(run func(ctx context.Context, account string) error) *cobra.Command {
	cmd := p.command("show", "show", "ACCOUNT")
	cmd.ValidArgsFunction = p.completeArgument(p.accountRefs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args[0]) }
	return cmd
}

func (p *program) show(ctx context.Context, ref string) error {
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
	if p.json {
		p.object(a)
		return nil
	}
	none := p.say.Say("cli.none")
	orNone := func(s string) string {
		if s == "" {
			return none
		}
		return problem.Outside(s, 500)
	}
	issued := none
	if a.IssuedAt != nil {
		issued = p.say.Moment(*a.IssuedAt, p.now())
	}
	vault := a.VaultProgram
	switch {
	case vault != "":
	case a.Vault == "keychain":
		vault = p.say.Say("cli.connect.keychain")
	default:
		vault = a.Vault
	}
	rows := [][]string{
		{p.say.Say("cli.head.account"), p.handle(a)},
		{p.say.Say("cli.head.ours"), a.ID},
		{p.say.Say("cli.head.user_id"), orNone(a.UserID)},
		{p.say.Say("cli.head.provider"), a.Provider},
		{p.say.Say("cli.head.app"), orNone(a.App)},
		{p.say.Say("cli.head.status"), p.status(a)},
		{p.say.Say("cli.head.issued"), issued},
		{p.say.Say("cli.head.ends"), p.ends(a.ExpiresAt)},
	}
	if len(a.GrantedScopes)+len(a.MissingScopes) > 0 {
		rows = append(rows, []string{p.say.Say("cli.head.granted"), orNone(strings.Join(a.GrantedScopes, ", "))},
			[]string{p.say.Say("cli.head.missing"), orNone(strings.Join(a.MissingScopes, ", "))})
	} else if len(a.ScopesAsked) == 0 {
		rows = append(rows, []string{p.say.Say("cli.head.granted"), p.say.Say("cli.end_unknown")})
	} else {
		// This provider does not say what it allowed: only the asking is known.
		rows = append(rows, []string{p.say.Say("cli.head.asked"), orNone(strings.Join(a.ScopesAsked, ", "))})
	}
	rows = append(rows, []string{p.say.Say("cli.head.vault"), vault})
	p.table(rows)
	return nil
}

// status says how an account stands and, where the provider refused, why.
func (p *program) status(a connect.Account) string {
	s := p.say.Say("cli.status." + string(a.Status))
	if a.Lifetime == connect.Short && a.Status == connect.ExpiresSoon {
		s = p.say.Say("cli.status.one_hour")
	}
	if a.Reason != "" && a.Status != connect.Expired {
		s = p.say.Say("cli.status.because", text.Args{"status": s, "reason": p.say.Tell(problem.New(problem.Key(a.Reason))).Title})
	}
	return s
}
