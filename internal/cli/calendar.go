package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

func (p *program) calendarCommand(run func(ctx context.Context, file string) error) *cobra.Command {
	cmd := p.command("calendar", "calendar", "FILE|off")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{off}, cobra.ShellCompDirectiveDefault
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] == "" {
			return usage("argument_missing", "command", cmd.CommandPath(), "argument", "FILE|off")
		}
		return run(cmd.Context(), args[0])
	}
	return cmd
}

// calendar writes the calendar file and keeps it current from then on, or no
// longer. The file is written first: one that cannot be is not kept.
func (p *program) calendar(ctx context.Context, file string) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	line := struct {
		Event string  `json:"event"`
		File  *string `json:"file"`
	}{Event: "calendar"}
	if file == off {
		before, err := s.Setting(ctx, settingCalendar)
		if err != nil {
			return err
		}
		if err := s.SetSetting(ctx, settingCalendar, ""); err != nil {
			return err
		}
		if p.json {
			p.object(line)
		}
		p.result(p.say.Say("cli.calendar.off"))
		if before != "" {
			p.note(p.say.Say("cli.calendar.left", one("file", problem.Outside(before, 500))))
		}
		return nil
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return usage("file_unwritable", "file", problem.Outside(file, 200)).Because(err)
	}
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	if err := renew.WriteCalendar(path, renew.Calendar(accounts, p.now(), p.calendarWords)); err != nil {
		return err
	}
	if err := s.SetSetting(ctx, settingCalendar, path); err != nil {
		return err
	}
	if p.json {
		line.File = &path
		p.object(line)
	}
	p.result(p.say.Say("cli.calendar.done", one("file", problem.Outside(path, 500))))
	p.warnSynced(path)
	return nil
}

// calendarWords says an account's event, in the words of the window: both write
// the same file.
func (p *program) calendarWords(a connect.Account) (title, note string) {
	args := text.Args{"username": p.handle(a), "provider": a.ProviderName}
	key := "alive.event.note_sign_in"
	if a.Renews {
		key = "alive.event.note_renews"
	}
	return p.say.Say("alive.event.title", args), p.say.Say(key, args)
}
