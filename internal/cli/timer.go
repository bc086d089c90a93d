package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// userTimer is what the commands need of the system's timer.
type userTimer interface {
	Install(ctx context.Context) error
	Remove(ctx context.Context) error
	State(ctx context.Context) (desktop.TimerState, error)
}

func (p *program) timerOnCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("on", "timer.on", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

func (p *program) timerOffCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("off", "timer.off", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

func (p *program) timerStatusCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("status", "timer.status", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

// theTimer is that of the library that this command line is for. Practice has
// none: what the timer runs knows nothing of a pretend provider.
func (p *program) theTimer() (userTimer, error) {
	config, err := p.config()
	if err != nil {
		return nil, err
	}
	if config.SandboxURL != nil {
		return nil, usage("timer_practice")
	}
	return p.timer(p.ownHome(config)), nil
}

// ownHome is the folder where it is not the one that a program finds without
// the environment of this session, which a timer has not. The window says the
// same of the timer (cmd/tokenkeep), or each would hold it for another library's.
func (p *program) ownHome(config connect.Config) string {
	usual, err := connect.Environment(func(name string) string {
		switch name {
		case "HOME", "LocalAppData":
			return p.getenv(name)
		}
		return ""
	}, "")
	if err == nil && usual.Home == config.Home {
		return ""
	}
	return config.Home
}

func (p *program) timerOn(ctx context.Context) error {
	timer, err := p.theTimer()
	if err != nil {
		return err
	}
	if err := timer.Install(ctx); err != nil {
		return err
	}
	p.noteIfOff(ctx)
	if p.json {
		return p.timerStatus(ctx)
	}
	p.result(p.say.Say("cli.timer.on.done"))
	return nil
}

// noteIfOff says that a timer does nothing while renewing is switched off in
// the window, or where the folder has no locks. Not being able to look is no
// failure of the timer.
func (p *program) noteIfOff(ctx context.Context) {
	s, err := p.service(ctx)
	if err != nil {
		return
	}
	defer s.Close()
	if why := p.cannotTurn(s); why != nil {
		p.warn(why)
	}
	if value, _ := s.Setting(ctx, settingRenew); value == off {
		p.note(p.say.Say("cli.timer.on.but_off"))
	}
}

func (p *program) timerOff(ctx context.Context) error {
	timer, err := p.theTimer()
	if err != nil {
		return err
	}
	if err := timer.Remove(ctx); err != nil {
		return err
	}
	if p.json {
		return p.timerStatus(ctx)
	}
	p.result(p.say.Say("cli.timer.off.done"))
	return nil
}

type timerLine struct {
	Event     string         `json:"event"`
	Installed bool           `json:"installed"`
	Active    bool           `json:"active"`
	Stale     bool           `json:"stale"`
	Program   string         `json:"program"`
	LastRun   *time.Time     `json:"last_run"`
	Problem   *problemObject `json:"problem,omitempty"`
}

func (p *program) timerStatus(ctx context.Context) error {
	timer, err := p.theTimer()
	if err != nil {
		return err
	}
	state, err := timer.State(ctx)
	if err != nil {
		return err
	}
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	line := timerLine{Event: "timer", Installed: state.Installed, Active: state.Active, Stale: state.Stale, Program: state.Program}
	ran, err := s.Setting(ctx, settingRan)
	if err != nil {
		return err
	}
	last := p.say.Say("cli.timer.status.never")
	if at, err := time.Parse(time.RFC3339, ran); err == nil {
		line.LastRun = &at
		last = p.say.Moment(at.Local(), p.now().Local())
	}
	if state.Problem != nil {
		told := p.problemObject(state.Problem)
		line.Problem = &told
	}
	if p.json {
		p.object(line)
	}
	how := "off"
	switch {
	case state.Installed && state.Stale:
		how = "stale"
	case state.Installed && state.Active:
		how = "on"
	case state.Installed:
		how = "idle"
	}
	program := p.say.Say("cli.none")
	if state.Program != "" {
		program = problem.Outside(state.Program, 500)
	}
	p.table([][]string{
		{p.say.Say("cli.timer.status.state"), p.say.Say("cli.timer.status." + how)},
		{p.say.Say("cli.timer.status.program"), program},
		{p.say.Say("cli.timer.status.last"), last},
	})
	if state.Problem != nil {
		// It was asked how things stand, and that was answered.
		p.warn(state.Problem)
	}
	return nil
}
