package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// chosen are the accounts that a command is for: those named, or all.
type chosen struct {
	Accounts []string
	All      bool
}

// several makes a command that takes accounts, or a switch in their place.
func (p *program) several(name string) *cobra.Command {
	cmd := p.command(name, name, "")
	cmd.Use = name + " [ACCOUNT…]"
	cmd.Args = cobra.ArbitraryArgs
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var left []string
		for _, ref := range p.accountRefs() {
			if !contains(args, ref) {
				left = append(left, ref)
			}
		}
		return left, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func contains(list []string, wanted string) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

// oneOf demands accounts or one of the switches, and not two of these.
func oneOf(cmd *cobra.Command, accounts []string, takes string, switches ...bool) error {
	n := min(len(accounts), 1)
	for _, on := range switches {
		if on {
			n++
		}
	}
	switch n {
	case 0:
		return usage("accounts_missing", "command", cmd.CommandPath(), "takes", takes)
	case 1:
		return nil
	default:
		return usage("accounts_twice", "command", cmd.CommandPath(), "takes", takes)
	}
}

// each runs do for every chosen account, once however often it was named, and
// gives the highest exit code met. What cannot be found is told and stops
// nothing; only Ctrl-C does.
func (p *program) each(ctx context.Context, s service, c chosen, do func(connect.Account) (int, error)) error {
	accounts, worst, err := p.choose(ctx, s, c)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		code, err := do(a)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			code = p.failed(&a, problem.Of(err), nil)
		}
		worst = max(worst, code)
	}
	if worst != 0 {
		return exit(worst)
	}
	return nil
}

func (p *program) choose(ctx context.Context, s service, c chosen) (accounts []connect.Account, worst int, err error) {
	if c.All {
		if accounts, err = s.Accounts(ctx); err == nil && len(accounts) == 0 {
			p.note(p.say.Say("cli.list.none"))
		}
		return accounts, 0, err
	}
	seen := map[string]bool{}
	for _, ref := range c.Accounts {
		a, err := s.Account(ctx, ref)
		if err != nil {
			if ctx.Err() != nil {
				return nil, 0, ctx.Err()
			}
			worst = max(worst, p.failed(nil, problem.Of(err), nil))
			continue
		}
		if !seen[a.ID] {
			seen[a.ID] = true
			accounts = append(accounts, a)
		}
	}
	return accounts, worst, nil
}

type failedAccountLine struct {
	Event   string           `json:"event"`
	Account *connect.Account `json:"account,omitempty"`
	Problem problemObject    `json:"problem"`
	Next    *time.Time       `json:"next,omitempty"`
}

// failed tells what went wrong with one account of several, and gives its exit
// code.
func (p *program) failed(a *connect.Account, why *problem.Problem, next *time.Time) int {
	if p.json {
		p.object(failedAccountLine{Event: "failed", Account: a, Problem: p.problemObject(why), Next: next})
	}
	if a != nil {
		p.note(p.say.Say("cli.about", one("account", p.handle(*a))))
	}
	p.complain(why)
	return why.Kind.ExitCode()
}

func (p *program) checkCommand(run func(context.Context, chosen) error) *cobra.Command {
	var o chosen
	cmd := p.several("check")
	cmd.Flags().BoolVar(&o.All, "all", false, p.say.Say("cli.check.flag.all"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Accounts = args
		if err := oneOf(cmd, args, "ACCOUNT…, --all", o.All); err != nil {
			return err
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

type checkedLine struct {
	Event   string          `json:"event"`
	Account connect.Account `json:"account"`
	Works   bool            `json:"works"`
	At      time.Time       `json:"at"`
	Problem *problemObject  `json:"problem,omitempty"`
}

// check asks the provider whether tokens work. What the provider says decides
// the exit code; an answer that says nothing about a token changes nothing.
func (p *program) check(ctx context.Context, o chosen) error {
	s, err := p.guarding(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.finishFormer(ctx, s)
	return p.each(ctx, s, o, func(a connect.Account) (int, error) {
		c, err := s.Check(ctx, a.ID)
		if err != nil {
			return 0, err
		}
		if p.json {
			line := checkedLine{Event: "checked", Account: c.Account, Works: c.Works, At: c.At.UTC()}
			if c.Problem != nil {
				told := p.problemObject(c.Problem)
				line.Problem = &told
			}
			p.object(line)
		}
		if c.Works {
			p.result(p.say.Say("cli.check.works", text.Args{"account": p.handle(c.Account), "end": p.until(c.Account.ExpiresAt)}))
			return 0, nil
		}
		key := "cli.check.not_known"
		if c.Account.Status == connect.NeedsSignIn || c.Account.Status == connect.Expired {
			key = "cli.check.broken"
		}
		p.result(p.say.Say(key, one("account", p.handle(c.Account))))
		if c.Problem == nil {
			return 0, nil
		}
		p.complain(c.Problem)
		return c.Problem.Kind.ExitCode(), nil
	})
}
