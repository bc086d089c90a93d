package cli

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

type bundleOptions struct{ File string }

func (p *program) bundleCommand(run func(context.Context, bundleOptions) error) *cobra.Command {
	var o bundleOptions
	cmd := p.command("bundle", "bundle", "")
	cmd.Flags().StringVar(&o.File, "file", "", p.say.Say("cli.bundle.flag.file"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("file") && o.File == "" {
			return usage("flag_value", "command", cmd.CommandPath(), "flag", "--file")
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

func (p *program) bundle(ctx context.Context, o bundleOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var b bytes.Buffer
	if err := s.Bundle(ctx, &b); err != nil {
		return err
	}
	line := struct {
		Event string `json:"event"`
		File  string `json:"file,omitempty"`
		Text  string `json:"text,omitempty"`
	}{Event: "bundle"}
	if o.File == "" {
		if line.Text = b.String(); p.json {
			p.object(line)
			return nil
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		_, _ = p.out.Write(b.Bytes())
		return nil
	}
	file, err := p.writeOwn(o.File, b.Bytes())
	if err != nil {
		return err
	}
	if line.File = file; p.json {
		p.object(line)
	}
	p.result(p.say.Say("cli.bundle.done", one("file", problem.Outside(file, 500))))
	return nil
}
