package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type doctorOptions struct {
	App string
	// Offline leaves out what is asked over the network.
	Offline bool
}

func (p *program) doctorCommand(run func(context.Context, doctorOptions) error) *cobra.Command {
	var o doctorOptions
	cmd := p.command("doctor", "doctor", "")
	cmd.Flags().StringVar(&o.App, "app", "", p.say.Say("cli.doctor.flag.app"))
	cmd.Flags().BoolVar(&o.Offline, "offline", false, p.say.Say("cli.doctor.flag.offline"))
	complete(cmd, "app", p.appNames)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) }
	return cmd
}

type checkLine struct {
	connect.Line
	Title   string         `json:"title"`
	Problem *problemObject `json:"problem,omitempty"`
	// Way is the step of a recipe that mends it.
	Way *way `json:"way,omitempty"`
}

// doctor exits with the kind of its worst line. Amber lines are no failure:
// they are things to look at, and the sign-in may well work.
func (p *program) doctor(ctx context.Context, o doctorOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	var of provider.Definition
	if o.App != "" {
		apps, err := s.Apps(ctx)
		if err != nil {
			return err
		}
		for _, app := range apps {
			if app.Name == o.App {
				of, _ = definitionOf(s, app.Provider)
			}
		}
	}
	worst := 0
	_, err = s.Doctor(ctx, connect.Setup{App: o.App, Offline: o.Offline}, func(line connect.Line) {
		if line.Level == connect.Bad && line.Problem != nil {
			worst = max(worst, line.Problem.Kind.ExitCode())
		}
		title, detail := p.finding(line)
		var remedy *way
		if line.Problem != nil {
			remedy = p.wayOut(of, line.Problem)
		}
		if p.json {
			object := checkLine{Line: line, Title: title, Way: remedy}
			if line.Problem != nil {
				told := p.problemObject(line.Problem)
				object.Problem = &told
			}
			p.object(object)
		}
		mark := p.say.Say("cli.doctor.mark." + string(line.Level))
		if detail != "" {
			detail = "\n  " + detail
		}
		if remedy != nil {
			detail += "\n  " + p.wayWords(remedy)
		}
		p.result("[" + mark + "] " + title + detail)
	})
	if err != nil {
		return err
	}
	if worst != 0 {
		return exit(worst)
	}
	return nil
}

// finding puts a line into words: those of its problem, else its own.
func (p *program) finding(line connect.Line) (title, detail string) {
	if !line.Own() {
		told := p.words(line.Problem)
		return told.Title, told.Advice
	}
	args := text.Args{}
	for name, value := range line.Args {
		args[name] = value
	}
	title, detail = line.Keys()
	if n, ok := line.Counts(); ok {
		return p.say.Count(title, n, args), p.say.Count(detail, n, args)
	}
	return p.say.Say(title, args), p.say.Say(detail, args)
}
