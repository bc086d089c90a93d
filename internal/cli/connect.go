package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type connectOptions struct {
	App     string
	Scopes  []string
	Receive connect.Receive
	Browser connect.Browser
	Timeout time.Duration
	Expect  string
	// Again is an account that is to sign in once more; its app and its
	// permissions are used, and nobody else's answer is saved for it.
	Again string
	// Accounts are the usernames to keep where one sign-in reaches several.
	Accounts   []string
	SecretFile string
}

func (p *program) connectCommand(run func(context.Context, connectOptions) error) *cobra.Command {
	var o connectOptions
	var receive, browser, timeout string
	cmd := p.command("connect", "connect", "")
	f := cmd.Flags()
	f.StringVar(&o.App, "app", "", p.say.Say("cli.connect.flag.app"))
	f.StringArrayVar(&o.Scopes, "scope", nil, p.say.Say("cli.flag.scope"))
	f.StringVar(&receive, "receive", "", p.say.Say("cli.connect.flag.receive"))
	f.StringVar(&browser, "browser", "", p.say.Say("cli.connect.flag.browser"))
	f.StringVar(&timeout, "timeout", "", p.say.Say("cli.connect.flag.timeout"))
	f.StringVar(&o.Expect, "expect", "", p.say.Say("cli.connect.flag.expect"))
	f.StringVar(&o.Again, "again", "", p.say.Say("cli.connect.flag.again"))
	f.StringArrayVar(&o.Accounts, "account", nil, p.say.Say("cli.connect.flag.account"))
	f.StringVar(&o.SecretFile, "client-secret-file", "", p.say.Say("cli.flag.client_secret_file"))
	ways := []string{string(connect.ReceiveListen), string(connect.ReceivePaste), string(connect.ReceiveWindow)}
	browsers := []string{string(connect.BrowserDefault), string(connect.BrowserSeparate), string(connect.BrowserNone)}
	complete(cmd, "app", p.appNames)
	complete(cmd, "scope", p.scopesOfApp(&o.App))
	complete(cmd, "receive", func() []string { return ways })
	complete(cmd, "browser", func() []string { return browsers })
	complete(cmd, "timeout", func() []string { return []string{"5m", "10m", "30m"} })
	complete(cmd, "expect", p.usernames)
	complete(cmd, "again", p.accountRefs)
	complete(cmd, "account", p.usernames)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Again == "" {
			if err := required(cmd, "app"); err != nil {
				return err
			}
		}
		path := cmd.CommandPath()
		for _, other := range []string{"expect", "account"} {
			if o.Again != "" && cmd.Flags().Changed(other) {
				return usage("flags_together", "command", path, "flags", "--again, --"+other)
			}
		}
		if receive != "" && !slices.Contains(ways, receive) {
			return usage("flag_wrong", "command", path, "flag", "--receive", "takes", strings.Join(ways, ", "))
		}
		if browser != "" && !slices.Contains(browsers, browser) {
			return usage("flag_wrong", "command", path, "flag", "--browser", "takes", strings.Join(browsers, ", "))
		}
		o.Receive, o.Browser = connect.Receive(receive), connect.Browser(browser)
		o.Timeout = 10 * time.Minute
		if timeout != "" {
			d, err := time.ParseDuration(timeout)
			if err != nil || d < time.Second || d > 24*time.Hour {
				return usage("flag_wrong", "command", path, "flag", "--timeout", "takes", "30s, 10m, 2h … 24h")
			}
			o.Timeout = d
		}
		o.Scopes = scopeList(o.Scopes)
		o.Expect = plainName(o.Expect)
		o.Accounts = namesIn(o.Accounts)
		return run(cmd.Context(), o)
	}
	return cmd
}

// hostOf is the name that a browser shows of an address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Hostname()
}

// plainName is a username as the provider writes it.
func plainName(typed string) string { return strings.TrimPrefix(strings.TrimSpace(typed), "@") }

// namesIn takes usernames as people write them: one a flag, or several with
// commas or blanks between.
func namesIn(given []string) []string {
	names := scopeList(given)
	for i := range names {
		names[i] = plainName(names[i])
	}
	return names
}

func (p *program) connect(ctx context.Context, o connectOptions) error {
	s, err := p.guarding(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	p.finishFormer(ctx, s)
	again, err := p.signedInBefore(ctx, s, &o)
	if err != nil {
		return err
	}
	typed, keep, err := p.secretOfApp(ctx, s, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	w := &attempt{p: p, options: o, stdinIsTerminal: p.terminal(p.in), end: cancel}
	r := connect.Request{
		Setup:  connect.Setup{App: o.App, ClientSecret: typed, KeepSecret: keep},
		Scopes: o.Scopes, Receive: o.Receive, Browser: o.Browser, Timeout: o.Timeout, Expect: o.Expect,
		ExpectAccount: again,
	}
	if len(o.Accounts) > 0 {
		w.choose = make(chan []string, 1)
		r.Choose = w.choose
	}
	pasted := make(chan string)
	r.Pasted = pasted
	go w.readPasted(ctx, pasted, cancel)
	stopCountdown := w.startCountdown(ctx)
	account, err := s.Connect(ctx, r, w.observe)
	stopCountdown()
	var ended *problem.Problem
	if err != nil && errors.As(context.Cause(ctx), &ended) {
		err = ended
	}
	if err != nil {
		if w.last().Held {
			p.note(p.say.Say("cli.connect.held"))
		}
		return p.unsaved(ctx, s, o.App, err)
	}
	if account.VaultProgram == "" {
		if storage, err := s.Storage(ctx); err == nil {
			account.VaultProgram = storage.Program
		}
	}
	p.connected(account, w.last())
	return nil
}

// secretOfApp finds the client secret of the attempt: from the flag, else the
// kept one (then it is empty here and the core takes it), else by asking. It
// also says whether it is to be kept, which stays as app add decided.
func (p *program) secretOfApp(ctx context.Context, s service, o connectOptions) (typed secret.Text, keep bool, err error) {
	apps, err := s.Apps(ctx)
	if err != nil {
		return typed, false, err
	}
	i := slices.IndexFunc(apps, func(a connect.App) bool { return a.Name == o.App })
	if i < 0 {
		// The core refuses it in its own words; no secret is asked for before.
		return typed, false, nil
	}
	if _, known := definitionOf(s, apps[i].Provider); !known {
		return typed, false, nil // nor for a provider that is gone
	}
	keep = apps[i].SecretKept
	optional := secretOptional(s, apps[i].Provider)
	switch {
	case o.SecretFile != "":
		typed, err = p.readSecret(ctx, o.SecretFile)
	case keep:
	case p.canAsk():
		typed, err = p.askSecret(ctx, optional)
	case optional:
	default:
		err = problem.New(problem.SecretMissing, "app", problem.Outside(o.App, 80), "provider", apps[i].Provider)
	}
	return typed, keep, err
}

// signedInBefore fills in what an account that signs in again has: its app,
// and the permissions that it had been asked for beside those to be added.
func (p *program) signedInBefore(ctx context.Context, s service, o *connectOptions) (id string, err error) {
	if o.Again == "" {
		return "", nil
	}
	a, err := s.Account(ctx, o.Again)
	if err != nil {
		return "", err
	}
	if o.App == "" {
		o.App = a.App
	}
	if o.App == "" {
		// It was pasted: there is no app that it could sign in with.
		return "", usage("flag_missing", "command", programName+" connect", "flag", "--app")
	}
	if len(o.Scopes) > 0 {
		o.Scopes = append(slices.Clone(a.ScopesAsked), o.Scopes...)
		slices.Sort(o.Scopes)
		o.Scopes = slices.Compact(o.Scopes)
	}
	return a.ID, nil
}

// unsaved finds what a failed sign-in leads to, to be said after the problem.
func (p *program) unsaved(ctx context.Context, s service, app string, err error) error {
	var failed *problem.Problem
	if !errors.As(err, &failed) {
		return err
	}
	apps, _ := s.Apps(ctx)
	if i := slices.IndexFunc(apps, func(a connect.App) bool { return a.Name == app }); i >= 0 {
		if d, known := definitionOf(s, apps[i].Provider); known {
			p.way = p.wayOut(d, failed)
		}
	}
	return err
}

type connectedLine struct {
	Event   string          `json:"event"`
	Account connect.Account `json:"account"`
	// Accounts are all of them where the sign-in brought several.
	Accounts []connect.Account `json:"accounts,omitempty"`
	Notices  []problemObject   `json:"notices,omitempty"`
}

func (p *program) connected(account connect.Account, final connect.State) {
	if p.json {
		line := connectedLine{Event: "connected", Account: account}
		if len(final.Accounts) > 1 {
			line.Accounts = final.Accounts
		}
		for _, notice := range final.Notices {
			line.Notices = append(line.Notices, p.problemObject(notice))
		}
		p.object(line)
	}
	program := account.VaultProgram
	if program == "" {
		program = p.say.Say("cli.connect.keychain")
	}
	lines := []string{
		p.say.Say("cli.connect.done", one("account", p.handle(account))),
		"  " + p.say.Say("cli.connect.valid", one("end", p.until(account.ExpiresAt))),
		"  " + p.say.Say("cli.connect.saved", one("program", program)),
	}
	if account.Lifetime == connect.Short {
		lines[1] = "  " + p.say.Say("cli.connect.valid_short", one("end", p.ends(account.ExpiresAt)))
	}
	if account.Refreshes {
		lines = append(lines, "  "+p.say.Say("cli.connect.refreshes"))
	}
	if len(account.MissingScopes) > 0 {
		lines = append(lines, "  "+p.say.Say("cli.connect.missing", one("scopes", strings.Join(account.MissingScopes, ", "))))
	}
	if final.SecretKept {
		lines = append(lines, "  "+p.say.Say("cli.connect.secret_kept"))
	} else {
		lines = append(lines, "  "+p.say.Say("cli.connect.secret_forgotten"))
	}
	lines = append(lines, "  "+p.say.Say("cli.connect.next", one("ref", account.ID)))
	for _, other := range final.Accounts {
		if other.ID != account.ID {
			lines = append(lines, p.say.Say("cli.connect.done", one("account", p.handle(other))), "  "+p.say.Say("cli.connect.next", one("ref", other.ID)))
		}
	}
	p.result(strings.Join(lines, "\n"))
	for _, notice := range final.Notices {
		p.warn(notice)
	}
}

// attempt watches one sign-in and prints what there is to say.
type attempt struct {
	p               *program
	options         connectOptions
	stdinIsTerminal bool
	// choose takes the accounts to keep, nil where nobody named any; end ends
	// the attempt for a reason of ours.
	choose chan []string
	end    context.CancelCauseFunc

	mu       sync.Mutex
	state    connect.State
	judged   int // pasted or returned answers that were refused, so far
	changed  chan struct{}
	showed   bool // the address was printed
	knocking bool // strangers were mentioned
	reached  bool // what the token reaches was said
}

type stateLine struct {
	Event        string       `json:"event"`
	State        connect.Step `json:"state"`
	AuthorizeURL string       `json:"authorize_url,omitempty"`
	RedirectURI  string       `json:"redirect_uri,omitempty"`
	Deadline     *time.Time   `json:"deadline,omitempty"`
}

type refusedLine struct {
	Event   string        `json:"event"`
	Problem problemObject `json:"problem"`
}

// observe is called on the goroutine that signs in.
func (a *attempt) observe(s connect.State) {
	a.mu.Lock()
	before := a.state
	a.state = s
	refused := s.Step == connect.Waiting && s.Refused != nil && s.Refused != before.Refused
	if refused {
		a.judged++
	}
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
	a.mu.Unlock()

	if s.Final() {
		return // told by whoever called Connect, who knows more
	}
	if s.Step != before.Step || !s.Deadline.Equal(before.Deadline) {
		a.announce(s, before)
	}
	if s.Choices != nil && before.Choices == nil && !a.reached {
		a.reached = true
		a.reach(s.Choices)
	}
	if refused {
		if a.p.json {
			a.p.object(refusedLine{Event: "answer_refused", Problem: a.p.problemObject(s.Refused)})
		}
		a.p.warn(s.Refused)
	}
	if s.BrowserProblem != nil && before.BrowserProblem == nil {
		a.p.warn(s.BrowserProblem)
		a.showAddress(s)
	}
	if s.Strangers >= 20 && !a.knocking {
		a.knocking = true
		a.p.warn(problem.New(problem.AnswerStrangers))
	}
}

func (a *attempt) announce(s, before connect.State) {
	p := a.p
	if p.json {
		line := stateLine{Event: "state", State: s.Step}
		if s.Step == connect.Waiting {
			deadline := s.Deadline.UTC()
			line.AuthorizeURL, line.RedirectURI, line.Deadline = s.AuthorizeURL.Reveal(), s.RedirectURI, &deadline
		}
		p.object(line)
	}
	if s.Step == before.Step {
		return
	}
	switch s.Step {
	case connect.Waiting:
		a.explainWaiting(s)
	case connect.Extending:
		p.note(p.say.Say("cli.connect.extending"))
	case connect.Saving:
		p.note(p.say.Say("cli.connect.saving"))
	}
}

func (a *attempt) explainWaiting(s connect.State) {
	p := a.p
	about := text.Args{"provider": s.Provider, "host": s.AuthorizeHost, "redirect": s.RedirectURI, "back": hostOf(s.RedirectURI)}
	if a.options.Browser == connect.BrowserNone {
		a.showAddress(s)
	} else {
		p.note(p.say.Say("cli.connect.waiting", about))
	}
	if s.Listens && strings.HasPrefix(s.RedirectURI, "https:") {
		p.note(p.say.Say("cli.connect.warning_page", about))
	}
	if a.readsPasted(s) {
		p.note(p.say.Say("cli.connect.paste_here", about))
	}
}

// readsPasted tells whether standard input brings addresses: when it is asked
// for, when nothing else can bring the answer, and from a terminal, where a
// person may have to help out. Else a script may have anything there.
func (a *attempt) readsPasted(s connect.State) bool {
	return a.options.Receive == connect.ReceivePaste || a.stdinIsTerminal || a.onlyPaste(s)
}

// onlyPaste tells that no address can come but through standard input, so that
// its end is the end of the attempt.
func (a *attempt) onlyPaste(s connect.State) bool {
	return !s.Listens && a.options.Receive != connect.ReceiveWindow && a.options.Browser != connect.BrowserSeparate
}

func (a *attempt) showAddress(s connect.State) {
	if a.showed {
		return
	}
	a.showed = true
	a.p.note(a.p.say.Say("cli.connect.open_yourself", one("provider", s.Provider)) + "\n\n  " + s.AuthorizeURL.Reveal() + "\n")
}

func (a *attempt) last() connect.State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// startCountdown shows the time that is left, once a second, on a terminal.
func (a *attempt) startCountdown(ctx context.Context) (stop func()) {
	if !a.p.terminal(a.p.err) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s := a.last(); s.Step == connect.Waiting && !s.Deadline.IsZero() {
					left := max(s.Deadline.Sub(a.p.now()).Round(time.Second), 0)
					clock := fmt.Sprintf("%d:%02d", int(left.Minutes()), int(left.Seconds())%60)
					a.p.countdown(a.p.say.Say("cli.connect.left", one("clock", clock)))
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
		a.p.mu.Lock()
		defer a.p.mu.Unlock()
		a.p.clearCountdown()
	}
}

// maxPasted bounds one pasted line, in bytes. It is above the 16 KiB that the
// core takes (PST-2), so that the core is the one to say "too long".
const maxPasted = 20 << 10

// readPasted offers every line of standard input. When the input ends and no
// line was accepted, the lines are tried once more as one address that a
// terminal or a mail program had broken, and then the attempt ends with what
// was wrong, unless the answer may still come another way.
func (a *attempt) readPasted(ctx context.Context, pasted chan<- string, end context.CancelCauseFunc) {
	if !a.waiting(ctx) || !a.readsPasted(a.last()) {
		return
	}
	var lines []string
	offer := func(line string) bool {
		a.mu.Lock()
		before := a.judged
		a.mu.Unlock()
		select {
		case pasted <- line:
		case <-ctx.Done():
			return false
		}
		return a.refusedSince(ctx, before)
	}
	for {
		line, err := a.p.lines.next(a.p.in, maxPasted)
		if err != nil {
			break
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		lines = append(lines, line)
		if !offer(line) {
			return
		}
	}
	whole := strings.Join(lines, "")
	if len(lines) > 1 && len(whole) <= maxPasted && !offer(whole) {
		return
	}
	if !a.onlyPaste(a.last()) {
		return
	}
	if refused := a.last().Refused; refused != nil {
		end(refused)
		return
	}
	end(problem.New(problem.PasteNoCode))
}

// waiting blocks until the attempt waits for its answer; false when it ended
// before.
func (a *attempt) waiting(ctx context.Context) bool {
	return a.until(ctx, func(s connect.State, _ int) bool { return s.Step == connect.Waiting || s.Final() }) &&
		a.last().Step == connect.Waiting
}

// refusedSince waits for the verdict on an offered line: true when it was
// refused and the attempt still waits, false when the attempt went on or ended.
func (a *attempt) refusedSince(ctx context.Context, before int) bool {
	return a.until(ctx, func(s connect.State, judged int) bool { return s.Step != connect.Waiting || judged > before }) &&
		a.last().Step == connect.Waiting
}

// until blocks until reached is true of what was observed; false when ctx
// ended first.
func (a *attempt) until(ctx context.Context, reached func(s connect.State, judged int) bool) bool {
	for {
		a.mu.Lock()
		if reached(a.state, a.judged) {
			a.mu.Unlock()
			return true
		}
		if a.changed == nil {
			a.changed = make(chan struct{})
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
