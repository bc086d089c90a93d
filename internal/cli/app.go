package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type appAddOptions struct {
	Name, Provider, ClientID string
	SecretFile               string
	ForgetSecret             bool
	RedirectURI              string
	ConfigID                 string
	Scopes                   []string
}

func (p *program) appAddCommand(run func(context.Context, appAddOptions) error) *cobra.Command {
	var o appAddOptions
	cmd := p.command("add", "app.add", "")
	f := cmd.Flags()
	f.StringVar(&o.Name, "name", "", p.say.Say("cli.app.add.flag.name"))
	f.StringVar(&o.Provider, "provider", "", p.say.Say("cli.app.add.flag.provider"))
	f.StringVar(&o.ClientID, "client-id", "", p.say.Say("cli.app.add.flag.client_id"))
	f.StringVar(&o.SecretFile, "client-secret-file", "", p.say.Say("cli.flag.client_secret_file"))
	f.BoolVar(&o.ForgetSecret, "forget-secret", false, p.say.Say("cli.app.add.flag.forget_secret"))
	f.StringVar(&o.RedirectURI, "redirect-uri", "", p.say.Say("cli.app.add.flag.redirect_uri"))
	f.StringVar(&o.ConfigID, "config-id", "", p.say.Say("cli.app.add.flag.config_id"))
	f.StringArrayVar(&o.Scopes, "scope", nil, p.say.Say("cli.flag.scope"))
	complete(cmd, "provider", p.providerIDs)
	complete(cmd, "scope", p.scopeNames(&o.Provider))
	for _, free := range []string{"name", "client-id", "redirect-uri", "config-id"} {
		complete(cmd, free, nil)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := required(cmd, "name", "provider", "client-id"); err != nil {
			return err
		}
		o.Scopes = scopeList(o.Scopes)
		return run(cmd.Context(), o)
	}
	return cmd
}

func (p *program) appAdd(ctx context.Context, o appAddOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	optional := secretOptional(s, o.Provider)
	var typed secret.Text
	switch {
	case o.SecretFile != "":
		if typed, err = p.readSecret(ctx, o.SecretFile); err != nil {
			return err
		}
	case o.ForgetSecret:
	case p.canAsk():
		if typed, err = p.askSecret(ctx, optional); err != nil {
			return err
		}
	case optional:
	default:
		return problem.New(problem.SecretMissing)
	}
	app, err := s.AddApp(ctx, connect.Setup{
		App: o.Name, Provider: o.Provider, ClientID: o.ClientID, ClientSecret: typed,
		RedirectURI: o.RedirectURI, ConfigID: o.ConfigID,
		// A public client has none to keep.
		KeepSecret: !o.ForgetSecret && !(optional && typed.Empty()),
	}, o.Scopes)
	if err != nil {
		return err
	}
	if p.json {
		p.object(app)
	}
	p.result(p.say.Say("cli.app.add.done", text.Args{"name": problem.Outside(app.Name, 80), "redirect": app.RedirectURI}))
	switch {
	case app.SecretKept:
		p.note(p.say.Say("cli.app.add.kept"))
	case optional && typed.Empty() && !o.ForgetSecret:
		p.note(p.say.Say("cli.app.add.public"))
	default:
		p.note(p.say.Say("cli.app.add.forgotten"))
	}
	return nil
}

func (p *program) appListCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("list", "app.list", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

func (p *program) appList(ctx context.Context) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	apps, err := s.Apps(ctx)
	if err != nil {
		return err
	}
	if p.json {
		for _, app := range apps {
			p.object(app)
		}
		return nil
	}
	if len(apps) == 0 {
		p.note(p.say.Say("cli.app.list.none"))
		return nil
	}
	rows := [][]string{p.heads("name", "provider", "client_id", "secret", "accounts", "redirect")}
	for _, app := range apps {
		kept := "cli.app.list.forgotten"
		if app.SecretKept {
			kept = "cli.app.list.kept"
		}
		rows = append(rows, []string{problem.Outside(app.Name, 80), app.Provider, app.ClientID, p.say.Say(kept), strconv.Itoa(app.Accounts), app.RedirectURI})
	}
	p.table(rows)
	return nil
}

func (p *program) appRemoveCommand(run func(ctx context.Context, name string) error) *cobra.Command {
	cmd := p.command("remove", "app.remove", "NAME")
	cmd.ValidArgsFunction = p.completeArgument(p.appNames)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args[0]) }
	return cmd
}

func (p *program) appRemove(ctx context.Context, name string) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.RemoveApp(ctx, name); err != nil {
		return err
	}
	if p.json {
		p.object(struct {
			Event string `json:"event"`
			App   string `json:"app"`
		}{"removed", name})
	}
	p.result(p.say.Say("cli.app.remove.done", one("name", problem.Outside(name, 80))))
	return nil
}

// required refuses a command line without one of these flags. An empty value
// is not refused here: it is a field left empty, and the core says so.
func required(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		if !cmd.Flags().Changed(name) {
			return usage("flag_missing", "command", cmd.CommandPath(), "flag", "--"+name)
		}
	}
	return nil
}

// scopeList takes scopes as people write them: one a flag, or several with
// commas or blanks between.
func scopeList(given []string) []string {
	var scopes []string
	for _, g := range given {
		scopes = append(scopes, strings.FieldsFunc(g, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return scopes
}

func (p *program) heads(keys ...string) []string {
	heads := make([]string, len(keys))
	for i, key := range keys {
		heads[i] = p.say.Say("cli.head." + key)
	}
	return heads
}
