package cli

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// The settings that are read or written here, and the word that switches one off.
const (
	settingRenew    = "renew"
	settingCalendar = "calendar"
	settingRan      = "timer_ran"
	off             = "off"
)

const (
	// jitter is the longest wait before each account of a run that nobody
	// watches, so that not all the world asks in the same second.
	jitter = 5 * time.Second
	// clickWithin is how long a notification is waited for.
	clickWithin = 10 * time.Minute
)

type doneLine struct {
	Event   string `json:"event"`
	Renewed int    `json:"renewed"`
	Failed  int    `json:"failed"`
	NotDue  int    `json:"not_due"`
	// Off: renewing is switched off, nothing was asked for.
	Off bool `json:"off,omitempty"`
}

type warningLine struct {
	Event   string          `json:"event"`
	Account connect.Account `json:"account"`
	Days    int             `json:"days"`
}

// renewDue is the daily run: what is due is renewed, who has to do something is
// told, the calendar is kept current. What goes wrong beside the renewing is
// said and changes no exit code.
// worst is the exit code so far.
func (p *program) renewDue(ctx context.Context, s service, worst int) error {
	watched := p.terminal(p.err) && !p.alone()
	// Whoever runs this renews: a timer, cron, a person each day.
	s.SetRenewing(true)
	options := renew.Options{Now: p.now}
	if !watched {
		options.Jitter = p.jitter
	}
	done := doneLine{Event: "done"}
	seen := map[string]bool{}
	options.Observe = func(r connect.Renewal) {
		seen[r.Account.ID] = true
		worst = max(worst, p.renewal(r))
		switch r.Outcome {
		case connect.Renewed:
			done.Renewed++
		case connect.RenewFailed:
			done.Failed++
		default:
			done.NotDue++
		}
	}
	core := renew.Core(s)
	if why := p.cannotTurn(s); why != nil && !watched {
		p.complain(why)
		worst = max(worst, why.Kind.ExitCode())
		s.SetRenewing(false)
		core = unrenewing{s}
	}
	report, err := renew.Run(ctx, core, options)
	for _, failure := range report.Errors {
		var about *renew.Failure
		if ctx.Err() != nil || !errors.As(failure, &about) {
			continue
		}
		seen[about.Account.ID] = true
		done.Failed++
		worst = max(worst, p.failed(&about.Account, problem.Of(about.Err), nil))
	}
	if err != nil {
		return err
	}
	if report.Off {
		done.Off = true
		if _, told := core.(unrenewing); !told {
			p.note(p.say.Say("cli.renew.off"))
		}
	}
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if !seen[a.ID] {
			done.NotDue++
		}
	}
	// What is not written is written by the next run.
	p.mention(s.SetSetting(ctx, settingRan, p.now().UTC().Format(time.RFC3339)))
	p.mention(renew.KeepCalendar(ctx, s, p.now(), p.calendarWords))
	clicks := p.warnings(ctx, s, report.Warnings, watched)
	if p.json {
		p.object(done)
	}
	if done.Renewed+done.Failed == 0 && !report.Off {
		p.note(p.say.Say("cli.renew.nothing"))
	}
	if len(clicks) > 0 {
		// Nothing of ours stays open while somebody may or may not click.
		_ = s.Close()
		p.awaitClick(ctx, clicks)
	}
	if worst != 0 {
		return exit(worst)
	}
	return nil
}

// unrenewing is a core in which renewing by itself is switched off.
type unrenewing struct{ service }

// Setting is the core's, but for that switch.
func (u unrenewing) Setting(ctx context.Context, name string) (string, error) {
	if name == settingRenew {
		return off, nil
	}
	return u.service.Setting(ctx, name)
}

// cannotTurn is the problem of a folder where two writers of one account could
// not wait for each other: nothing is renewed there by a run that nobody
// watches, for it could meet a window.
func (p *program) cannotTurn(s service) *problem.Problem {
	if !slices.Contains(s.Notes(), problem.LockUnavailable) {
		return nil
	}
	folder := ""
	if config, err := p.config(); err == nil {
		folder = config.Home
	}
	return problem.New(problem.LockUnavailable, "folder", folder)
}

// mention says what went wrong beside the work.
func (p *program) mention(err error) {
	if err != nil {
		p.complain(problem.Of(err))
	}
}

// click is a notification that is on the screen.
type click struct {
	account string
	clicked <-chan struct{}
}

// warnings tells what is to be told: on a terminal there, else by notification,
// which is noted only once it was shown; and in lines in any case.
func (p *program) warnings(ctx context.Context, s service, warnings []renew.Warning, watched bool) []click {
	var clicks []click
	for _, w := range warnings {
		title, body := p.warning(w)
		if p.json {
			p.object(warningLine{Event: "warning", Account: w.Account, Days: w.Days})
		}
		p.note(title + "\n  " + body)
		if !watched {
			clicked, err := p.notify(ctx, desktop.Notice{Title: title, Body: body, ActionLabel: p.say.Say("cli.warning.open"), Urgent: w.Days <= 2})
			if err != nil {
				p.note(p.say.Say("cli.warning.not_shown", one("reason", p.words(problem.Of(err)).Title)))
				continue
			}
			if clicked != nil {
				clicks = append(clicks, click{w.Account.ID, clicked})
			}
		}
		if err := s.MarkWarned(ctx, w.Account.ID, w.Mark()); err != nil {
			p.complain(problem.Of(err))
			continue
		}
		p.mention(s.Note(ctx, w.Account.ID, "warned", map[string]string{"days": strconv.Itoa(w.Days)}))
	}
	return clicks
}

// warning puts a warning into words.
func (p *program) warning(w renew.Warning) (title, body string) {
	args := text.Args{"account": p.handle(w.Account), "provider": w.Account.ProviderName, "reason": ""}
	if w.Reason != "" {
		args["reason"] = p.say.Tell(problem.New(w.Reason, "username", w.Account.Username, "provider", w.Account.ProviderName)).Title
	}
	if w.Days == 0 {
		key := "cli.warning.over_body"
		if w.Reason != "" {
			key = "cli.warning.refused_body"
		}
		return p.say.Say("cli.warning.over_title", args), p.say.Say(key, args)
	}
	args["date"] = p.say.Date(w.EndsAt.Local())
	body = p.say.Count("cli.warning.body", connect.DaysLeft(w.EndsAt, p.now()), args)
	if w.Reason != "" {
		body += " " + p.say.Say("cli.warning.because", args)
	}
	return p.say.Say("cli.warning.title", args), body
}

// awaitClick waits until the first notification is clicked, and opens that
// account in the window.
func (p *program) awaitClick(ctx context.Context, clicks []click) {
	ctx, cancel := context.WithTimeout(ctx, p.clickWithin)
	defer cancel()
	wanted := make(chan string, len(clicks))
	var waiting sync.WaitGroup
	for _, c := range clicks {
		waiting.Go(func() {
			select {
			case _, open := <-c.clicked:
				if open {
					wanted <- c.account
					cancel() // one window is enough
				}
			case <-ctx.Done():
			}
		})
	}
	go func() {
		waiting.Wait()
		cancel() // all were dismissed
	}()
	<-ctx.Done()
	select {
	case account := <-wanted:
		// Who clicked wants the window, also where the run is told to stop.
		p.mention(p.openWindow(context.WithoutCancel(ctx), account))
	default:
	}
}
