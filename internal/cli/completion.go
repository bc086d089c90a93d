package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (p *program) completionCommand() *cobra.Command {
	cmd := p.command("completion", "completion", "SHELL")
	cmd.ValidArgsFunction = p.completeArgument(func() []string { return shells })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root := cmd.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(p.out, true)
		case "zsh":
			return root.GenZshCompletion(p.out)
		case "fish":
			return root.GenFishCompletion(p.out, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(p.out)
		default:
			return usage("argument_wrong", "command", cmd.CommandPath(), "takes", strings.Join(shells, ", "))
		}
	}
	return cmd
}

// complete gives a flag's values to the shell; nil means that there are none
// to offer, and that file names are no help either.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		if values == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic("cli: " + err.Error()) // a flag that does not exist: every test that builds the commands finds it
	}
}

// completeArgument gives the values of a command's one argument.
func (p *program) completeArgument(values func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return values(), cobra.ShellCompDirectiveNoFileComp
	}
}

// library runs a look-up for completion. It reads what is not secret, finishes
// nothing, asks nothing and says nothing: whoever presses Tab wants a list.
func (p *program) library(look func(ctx context.Context, s service) []string) []string {
	config, err := p.config()
	if err != nil {
		return nil
	}
	ctx := context.Background()
	s, err := p.open(ctx, config)
	if err != nil {
		return nil
	}
	defer s.Close()
	var fit []string
	for _, value := range look(ctx, s) {
		// A tab or a line break would be taken for a description.
		if clean := problem.Outside(value, 200); clean == value && value != "" && !slices.Contains(fit, value) {
			fit = append(fit, value)
		}
	}
	return fit
}

func (p *program) appNames() []string {
	return p.library(func(ctx context.Context, s service) []string {
		apps, _ := s.Apps(ctx)
		var names []string
		for _, app := range apps {
			names = append(names, app.Name)
		}
		return names
	})
}

// accountRefs offers names, and names with their app where a name is not enough.
func (p *program) accountRefs() []string {
	return p.library(func(ctx context.Context, s service) []string {
		accounts, _ := s.Accounts(ctx)
		times := map[string]int{}
		for _, a := range accounts {
			times[strings.ToLower(a.Username)]++
		}
		var refs []string
		for _, a := range accounts {
			switch {
			case a.Username == "":
				refs = append(refs, a.ID)
			case times[strings.ToLower(a.Username)] > 1 && a.App != "":
				refs = append(refs, a.Username+"@"+a.App)
			default:
				refs = append(refs, a.Username)
			}
		}
		return refs
	})
}

func (p *program) usernames() []string {
	return p.library(func(ctx context.Context, s service) []string {
		accounts, _ := s.Accounts(ctx)
		var names []string
		for _, a := range accounts {
			names = append(names, a.Username)
		}
		return names
	})
}

func (p *program) providerIDs() []string {
	return p.library(func(_ context.Context, s service) []string {
		var ids []string
		for _, d := range s.Providers() {
			if d.Status != "retired" {
				ids = append(ids, d.ID)
			}
		}
		return ids
	})
}

// scopeNames offers the scopes of the provider that was typed before.
func (p *program) scopeNames(provider *string) func() []string {
	return func() []string {
		return p.library(func(_ context.Context, s service) []string { return scopesOf(s, *provider) })
	}
}

// scopesOfApp offers the scopes of the provider of the app that was typed before.
func (p *program) scopesOfApp(app *string) func() []string {
	return func() []string {
		return p.library(func(ctx context.Context, s service) []string {
			apps, _ := s.Apps(ctx)
			for _, a := range apps {
				if a.Name == *app {
					return scopesOf(s, a.Provider)
				}
			}
			return nil
		})
	}
}

func scopesOf(s service, provider string) []string {
	var names []string
	for _, d := range s.Providers() {
		if d.ID != provider {
			continue
		}
		for _, scope := range d.Scopes {
			if scope.Offered() {
				names = append(names, scope.Name)
			}
		}
	}
	return names
}
