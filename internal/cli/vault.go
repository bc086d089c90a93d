package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
)

func (p *program) vaultStatusCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("status", "vault.status", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

type storageLine struct {
	connect.Storage
	Problem *problemObject `json:"problem,omitempty"`
}

// vaultStatus looks and touches nothing; it never raises a prompt.
func (p *program) vaultStatus(ctx context.Context) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	st, err := s.Storage(ctx)
	if err != nil {
		return err
	}
	if p.json {
		line := storageLine{Storage: st}
		if st.Problem != nil {
			told := p.problemObject(st.Problem)
			line.Problem = &told
		}
		p.object(line)
	}
	state := "open"
	switch {
	case !st.Present:
		state = "absent"
	case st.Locked:
		state = "locked"
	}
	program := st.Program
	if program == "" {
		program = p.say.Say("cli.none")
	}
	if st.Collection == "" {
		st.Collection = p.say.Say("cli.none")
	}
	p.table([][]string{
		{p.say.Say("cli.vault.status.program"), program},
		{p.say.Say("cli.vault.status.state"), p.say.Say("cli.vault.status." + state)},
		{p.say.Say("cli.vault.status.collection"), st.Collection},
		{p.say.Say("cli.vault.status.tokens"), strconv.Itoa(st.Accounts)},
		{p.say.Say("cli.vault.status.secrets"), strconv.Itoa(st.SecretsKept)},
		{p.say.Say("cli.vault.status.home"), st.Home},
	})
	if st.Present {
		p.note(p.say.Say("cli.vault.status.honest"))
	}
	if st.Problem != nil {
		p.complain(st.Problem)
		return exit(st.Problem.Kind.ExitCode())
	}
	return nil
}

func (p *program) vaultSelfTestCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("self-test", "vault.self_test", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

func (p *program) vaultSelfTest(ctx context.Context) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.SelfTest(ctx); err != nil {
		return err
	}
	if p.json {
		p.object(struct {
			Event string `json:"event"`
		}{"passed"})
	}
	p.result(p.say.Say("cli.vault.self_test.passed"))
	return nil
}
