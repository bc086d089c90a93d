package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// Main runs one command line (without the program's name) and returns its exit
// code: 0, or that of the problem's kind (problem.Kind.ExitCode). Ctrl-C and
// SIGTERM end the command in order; a second one ends it at once, which loses
// nothing that reached the disk.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return newProgram(stdin, stdout, stderr, getenv).run(ctx, args)
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) *program {
	p := &program{
		in: stdin, out: stdout, err: stderr, getenv: getenv,
		terminal: isTerminal,
		password: readPassword,
		open: func(ctx context.Context, c connect.Config) (service, error) {
			s, err := connect.Open(ctx, c)
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		now:    time.Now,
		jitter: jitter, clickWithin: clickWithin,
		alone:  desktop.OwnConsole,
		notify: desktop.Notify,
		timer: func(home string) userTimer {
			return desktop.NewTimer(desktop.TimerOptions{Getenv: getenv, Home: home})
		},
	}
	p.openWindow = p.startWindow
	return p
}

// service is what the commands need of the core.
type service interface {
	Practising() bool
	Providers() []provider.Definition
	DefinitionIssues() []error
	Questions() []provider.Question
	ConfirmProvider(ctx context.Context, seen provider.Question) error
	Discover(ctx context.Context, issuer string) (provider.Server, error)
	AddProvider(ctx context.Context, server provider.Server) (provider.Definition, error)
	RemoveProvider(ctx context.Context, id string) error
	Apps(ctx context.Context) ([]connect.App, error)
	AddApp(ctx context.Context, setup connect.Setup, scopes []string) (connect.App, error)
	RemoveApp(ctx context.Context, name string) error
	Doctor(ctx context.Context, setup connect.Setup, observe func(connect.Line)) ([]connect.Line, error)
	Connect(ctx context.Context, r connect.Request, observe func(connect.State)) (connect.Account, error)
	Recover(ctx context.Context) ([]connect.Recovered, error)
	Accounts(ctx context.Context) ([]connect.Account, error)
	Account(ctx context.Context, ref string) (connect.Account, error)
	Token(ctx context.Context, ref string) (connect.Handed, error)
	Remove(ctx context.Context, ref string) error
	Note(ctx context.Context, id, event string, args map[string]string) error
	Renew(ctx context.Context, ref string, o connect.RenewOptions) (connect.Renewal, error)
	Check(ctx context.Context, ref string) (connect.Checked, error)
	Import(ctx context.Context, in connect.Paste) (connect.Account, error)
	Inspect(ctx context.Context, pasted secret.Text) (connect.Inspected, error)
	Revoke(ctx context.Context, ref string) (connect.Revoked, error)
	DiaryPage(ctx context.Context, id string, limit int, before int64) ([]library.Entry, error)
	Bundle(ctx context.Context, w io.Writer) error
	Setting(ctx context.Context, name string) (string, error)
	SetSetting(ctx context.Context, name, value string) error
	MarkWarned(ctx context.Context, id string, days int) error
	SetRenewing(on bool)
	Notes() []problem.Key
	Storage(ctx context.Context) (connect.Storage, error)
	SelfTest(ctx context.Context) error
	Close() error
}

// program is one run of one command line.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	// terminal tells whether a stream is a terminal.
	terminal func(stream any) bool
	// password reads one line from a terminal without echo.
	password func(ctx context.Context, stream any) (string, error)
	open     func(ctx context.Context, c connect.Config) (service, error)
	now      func() time.Time
	// jitter is the longest wait before each account of an unwatched run,
	// clickWithin the longest for somebody to click a notification.
	jitter, clickWithin time.Duration
	// alone tells whether a terminal is one that nobody reads.
	alone  func() bool
	notify func(ctx context.Context, n desktop.Notice) (clicked <-chan struct{}, err error)
	// openWindow shows an account in the window.
	openWindow func(ctx context.Context, account string) error
	// timer is the system's, for a home that is not the default one.
	timer func(home string) userTimer

	say  *text.Catalogue
	json bool
	home string
	lang string
	// way is the step of a recipe that mends what the command ends with.
	way *way
	// mute keeps the problem object off standard output.
	mute bool
	// lines reads standard input, whoever wants a line of it.
	lines lineReader

	mu      sync.Mutex // one writer: the countdown ticks beside the work
	ticking string     // what the countdown shows now, to be written over
}

func (p *program) run(ctx context.Context, args []string) int {
	unknownLanguage := p.scan(args)
	if unknownLanguage != "" {
		return p.finish(ctx, usage("language", "language", problem.Outside(unknownLanguage, 20)))
	}
	root := p.commands()
	root.SetArgs(append([]string{}, args...))
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	return p.finish(ctx, root.ExecuteContext(ctx))
}

// exit is an error that only carries an exit code: everything was said.
type exit int

func (e exit) Error() string { return "exit" }

func (p *program) finish(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	var code exit
	if errors.As(err, &code) {
		return int(code)
	}
	var known *problem.Problem
	if !errors.As(err, &known) && (errors.Is(err, context.Canceled) || ctx.Err() != nil) {
		err = problem.New(problem.SignInCancelled, "reason", "stopped").Because(err)
	}
	failed := problem.Of(err)
	p.complain(failed)
	if p.way != nil {
		p.note("  " + p.wayWords(p.way))
	}
	if p.json && !p.mute {
		p.object(failedLine{Event: "failed", Problem: p.problemObject(failed)})
	}
	return failed.Kind.ExitCode()
}

// service opens the core for a command that is allowed to ask and to wait.
func (p *program) service(ctx context.Context) (service, error) {
	config, err := p.config()
	if err != nil {
		return nil, err
	}
	config.Attended = p.terminal(p.err)
	config.Waiting = func(waits bool) {
		if waits {
			p.note(p.say.Say("cli.keychain_asks"))
		}
	}
	s, err := p.open(ctx, config)
	if err != nil {
		return nil, err
	}
	if s.Practising() {
		p.note(p.say.Say("cli.practice"))
	}
	return s, nil
}

// guarding is service for a command that shows how accounts stand. That
// depends on whether something renews them (ruling 9): a timer that is
// installed, or whatever ran "renew --due" within two days.
func (p *program) guarding(ctx context.Context) (service, error) {
	s, err := p.service(ctx)
	if err != nil {
		return nil, err
	}
	s.SetRenewing(p.renews(ctx, s))
	return s, nil
}

func (p *program) renews(ctx context.Context, s service) bool {
	if p.cannotTurn(s) != nil {
		return false
	}
	ran, _ := s.Setting(ctx, settingRan)
	if at, err := time.Parse(time.RFC3339, ran); err == nil && p.now().Sub(at) < 48*time.Hour {
		return true
	}
	timer, err := p.theTimer()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	state, err := timer.State(ctx)
	return err == nil && state.Installed && state.Active
}

// misread says which of the person's own definitions could not be used, where
// somebody would look for them in vain.
func (p *program) misread(s service) {
	for _, issue := range s.DefinitionIssues() {
		p.complain(problem.Of(issue))
	}
}

func (p *program) config() (connect.Config, error) {
	config, err := connect.Environment(p.getenv, p.home)
	if err != nil {
		return config, err
	}
	if config.Session {
		// A token that ends with the process is of no use to a command that
		// ends at once; the window may offer it, we do not.
		return config, problem.New(problem.VaultChoice, "choice", "session")
	}
	config.Language = p.say.Language()
	config.Now = p.now
	return config, nil
}

// finishFormer completes what a crash left behind, before anybody looks at the
// accounts. What cannot be finished is said and stops nothing; kept is the exit
// code of a keychain that keeps an answer from being stored, else 0.
func (p *program) finishFormer(ctx context.Context, s service) (kept int) {
	recovered, err := s.Recover(ctx)
	for _, r := range recovered {
		switch {
		case r.Account != nil:
			p.note(p.say.Say("cli.recovered", one("account", p.handle(*r.Account))))
		case r.Other != nil:
			// A question of the window's: it may be answered there only, since
			// here nobody can be shown whose token it is.
			p.note(p.say.Say("cli.recovered_other", text.Args{"wanted": problem.Outside(r.Other.Wanted, 80), "found": problem.Outside(r.Other.Found, 80)}))
		case r.Problem != nil:
			p.complain(r.Problem)
			if r.Problem.Kind == problem.Vault {
				kept = r.Problem.Kind.ExitCode()
			}
		}
	}
	if err != nil {
		p.complain(problem.Of(err))
	}
	return kept
}

func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// canAsk tells whether a person can be asked: they must see the question and
// be able to answer it.
func (p *program) canAsk() bool { return p.terminal(p.in) && p.terminal(p.err) }

// readPassword reads a line without echo. Ctrl-C gives the terminal back its
// echo at once; the read itself cannot be interrupted and ends with the process.
func readPassword(ctx context.Context, stream any) (string, error) {
	f, ok := stream.(interface{ Fd() uintptr })
	if !ok {
		return "", problem.New(problem.NoTerminal)
	}
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", problem.New(problem.NoTerminal).Because(err)
	}
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, io.EOF) {
			return "", nil
		}
		return string(a.line), a.err
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", ctx.Err()
	}
}
