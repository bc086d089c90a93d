package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

const programName = "tokenkeepctl"

// commands builds every command there is, each with its run function.
func (p *program) commands() *cobra.Command {
	return p.root(
		p.group("app", p.appAddCommand(p.appAdd), p.appListCommand(p.appList), p.appRemoveCommand(p.appRemove)),
		p.group("provider", p.providerAddCommand(p.providerAdd), p.providerListCommand(p.providerList), p.providerConfirmCommand(p.providerConfirm), p.providerRemoveCommand(p.providerRemove)),
		p.guideCommand(p.guide),
		p.doctorCommand(p.doctor),
		p.connectCommand(p.connect),
		p.listCommand(p.list),
		p.showCommand(p.show),
		p.tokenCommand(p.token),
		p.importCommand(p.importToken),
		p.inspectCommand(p.inspect),
		p.renewCommand(p.renew),
		p.checkCommand(p.check),
		p.revokeCommand(p.revoke),
		p.removeCommand(p.remove),
		p.diaryCommand(p.diary),
		p.calendarCommand(p.calendar),
		p.group("timer", p.timerOnCommand(p.timerOn), p.timerOffCommand(p.timerOff), p.timerStatusCommand(p.timerStatus)),
		p.group("sandbox", p.sandboxServeCommand(p.sandboxServe)),
		p.group("vault", p.vaultStatusCommand(p.vaultStatus), p.vaultSelfTestCommand(p.vaultSelfTest)),
		p.bundleCommand(p.bundle),
		p.completionCommand(),
	)
}

// root puts commands under the program, with our words in every place where
// cobra would speak by itself.
func (p *program) root(children ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:               programName,
		Short:             p.say.Say("cli.short"),
		Long:              p.say.Say("cli.long"),
		Example:           p.say.Say("cli.example"),
		Version:           buildinfo.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              p.subcommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate(programName + " {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.BoolP("help", "h", false, p.say.Say("cli.flag.help"))
	flags.BoolVar(&p.json, "json", p.json, p.say.Say("cli.flag.json"))
	flags.StringVar(&p.home, "home", p.home, p.say.Say("cli.flag.home"))
	flags.StringVar(&p.lang, "lang", p.lang, p.say.Say("cli.flag.lang"))
	for _, name := range []string{"json", "home", "lang"} {
		flags.Lookup(name).DefValue = map[bool]string{true: "false", false: ""}[name == "json"]
	}
	root.Flags().Bool("version", false, p.say.Say("cli.flag.version"))
	complete(root, "lang", func() []string { return text.Languages() })
	root.SetFlagErrorFunc(flagProblem)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _, _ = fmt.Fprint(cmd.OutOrStdout(), p.help(cmd)) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		_, err := fmt.Fprint(cmd.ErrOrStderr(), p.help(cmd))
		return err
	})
	root.SetHelpCommand(p.helpCommand())
	root.AddCommand(children...)
	return root
}

// command makes one command with its words, which lie under cli.<key>.
// arguments is what follows the flags in the usage line, e.g. "ACCOUNT".
func (p *program) command(name, key, arguments string) *cobra.Command {
	use := name
	if arguments != "" {
		use += " " + arguments
	}
	cmd := &cobra.Command{
		Use:                   use,
		Short:                 p.say.Say("cli." + key + ".short"),
		Long:                  p.say.Say("cli." + key + ".long"),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cobra.NoFileCompletions,
		Args:                  exactly(strings.Fields(arguments)),
	}
	if p.say.Has("cli." + key + ".example") {
		cmd.Example = p.say.Say("cli." + key + ".example")
	}
	return cmd
}

func (p *program) group(name string, children ...*cobra.Command) *cobra.Command {
	cmd := p.command(name, name+".group", "")
	cmd.Args = p.subcommand
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return usage("subcommand", "command", cmd.CommandPath(), "names", strings.Join(names(cmd), ", "))
	}
	cmd.AddCommand(children...)
	return cmd
}

func (p *program) helpCommand() *cobra.Command {
	cmd := p.command("help", "help", "")
	cmd.Hidden = true
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		about, rest, err := cmd.Root().Find(args)
		if err != nil || len(rest) > 0 {
			return unknownCommand(cmd.Root(), args)
		}
		return about.Help()
	}
	return cmd
}

// help is the whole text of --help, in our language.
func (p *program) help(cmd *cobra.Command) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(cmd.Long) + "\n")
	section := func(key, body string) {
		body = strings.TrimRight(body, "\n")
		if body != "" {
			b.WriteString("\n" + p.say.Say("cli.heading."+key) + "\n" + body + "\n")
		}
	}
	line := "  " + cmd.CommandPath() + strings.TrimPrefix(cmd.Use, cmd.Name())
	if cmd.HasAvailableSubCommands() {
		line += " " + p.say.Say("cli.heading.command_placeholder")
	}
	if cmd.HasAvailableLocalFlags() || cmd.HasParent() {
		line += " " + p.say.Say("cli.heading.flags_placeholder")
	}
	section("usage", line)
	var commands strings.Builder
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			fmt.Fprintf(&commands, "  %-12s %s\n", child.Name(), child.Short)
		}
	}
	section("commands", commands.String())
	section("examples", cmd.Example)
	cmd.InitDefaultHelpFlag()
	section("flags", cmd.LocalNonPersistentFlags().FlagUsages())
	section("global", cmd.Root().PersistentFlags().FlagUsages())
	return b.String()
}

// usage is a wrong command line: problem.UsageWrong in the variant reason.
func usage(reason string, pairs ...string) *problem.Problem {
	return problem.New(problem.UsageWrong, append([]string{"reason", reason}, pairs...)...)
}

// exactly demands these arguments, by their names in the usage line. What was
// typed is not repeated: it may be a secret in the wrong place.
func exactly(arguments []string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(arguments):
			return usage("argument_missing", "command", cmd.CommandPath(), "argument", arguments[len(args)])
		case len(args) > len(arguments):
			return usage("argument_extra", "command", cmd.CommandPath())
		default:
			return nil
		}
	}
}

// subcommand refuses a word that is no command.
func (p *program) subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(cmd, args)
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		return usage("command_similar", "command", cmd.CommandPath(), "similar", similar[0])
	}
	return usage("command", "command", cmd.CommandPath(), "names", strings.Join(names(cmd), ", "))
}

func names(cmd *cobra.Command) []string {
	var list []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			list = append(list, child.Name())
		}
	}
	return list
}

// flagProblem puts the flag parser's refusals into our words. The value that
// was typed is never repeated.
func flagProblem(cmd *cobra.Command, err error) error {
	path := cmd.CommandPath()
	var wrong interface{ GetValue() string }
	if errors.As(err, &wrong) {
		// Only switches are parsed by the flag parser; all else is text to it.
		return usage("flag_switch", "command", path)
	}
	var named interface{ GetSpecifiedName() string }
	if !errors.As(err, &named) {
		return usage("flag_syntax", "command", path)
	}
	name := named.GetSpecifiedName()
	if cmd.Flags().Lookup(name) != nil {
		return usage("flag_value", "command", path, "flag", "--"+name)
	}
	if soundsSecret(name) && cmd.Flags().Lookup("token-file") != nil {
		return usage("secret_flag_token", "command", path, "flag", "--"+problem.Outside(name, 40))
	}
	if soundsSecret(name) {
		return usage("secret_flag", "command", path, "flag", "--"+problem.Outside(name, 40))
	}
	if len(name) == 1 {
		return usage("flag_unknown", "command", path, "flag", "-"+problem.Outside(name, 40))
	}
	return usage("flag_unknown", "command", path, "flag", "--"+problem.Outside(name, 40))
}

// soundsSecret tells whether somebody who types this flag expects to put a
// secret there.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"secret", "token", "password", "passphrase", "passwd", "code", "key"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}

// scan finds the flags that decide how anything is said, before the commands
// with their words are made. It returns a language that we do not have.
func (p *program) scan(args []string) (unknownLanguage string) {
	lang := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		switch {
		case arg == "--json" || arg == "--json=true":
			p.json = true
		case arg == "--lang" && i+1 < len(args):
			lang = args[i+1]
		case strings.HasPrefix(arg, "--lang="):
			lang = strings.TrimPrefix(arg, "--lang=")
		}
	}
	if lang == "" {
		p.say = text.For(text.Detect(p.getenv))
		return ""
	}
	p.say = text.For(lang)
	if base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(lang), "-", "_"), "_"); base != p.say.Language() {
		return lang
	}
	return ""
}
