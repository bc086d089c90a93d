package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// TestMain makes the test binary answer to three names: tokenkeepctl is the
// program itself, its keychain child included; xdg-open is a person who signs
// in; anything else is the tests.
func TestMain(m *testing.M) {
	vault.Serve()
	testscript.Main(m, otherNames)
}

var otherNames = map[string]func(){
	"tokenkeepctl": func() { os.Exit(storyMain()) },
	// tokenkeep stands in for the window beside the program: it says that it was opened.
	"tokenkeep": func() {
		_ = os.WriteFile(os.Getenv("TOKENKEEP_HOME")+"/window-opened", []byte(strings.Join(os.Args[1:], " ")+"\n"), 0o600)
	},
}

// storyMain is Main with the two things that a story cannot wait for: days
// (STORY_FORWARD, a duration, as the story's command "forward" sets it) and
// somebody's click.
func storyMain() int {
	ahead, _ := time.ParseDuration(os.Getenv("STORY_FORWARD"))
	if ahead == 0 {
		return Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	}
	p := newProgram(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	p.now = func() time.Time { return time.Now().Add(ahead) }
	p.jitter = time.Millisecond
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return p.run(ctx, os.Args[1:])
}

// double is a service of function fields; calling one that is not set fails
// the test.
type double struct {
	notes      []problem.Key
	t          *testing.T
	practising bool
	providers  []provider.Definition
	issues     []error
	apps       func() ([]connect.App, error)
	addApp     func(connect.Setup, []string) (connect.App, error)
	removeApp  func(string) error
	doctor     func(connect.Setup, func(connect.Line)) ([]connect.Line, error)
	connect    func(context.Context, connect.Request, func(connect.State)) (connect.Account, error)
	recover    func() ([]connect.Recovered, error)
	accounts   func() ([]connect.Account, error)
	account    func(string) (connect.Account, error)
	token      func(string) (connect.Handed, error)
	remove     func(string) error
	note       func(id, event string) error
	renew      func(ref string, o connect.RenewOptions) (connect.Renewal, error)
	check      func(ref string) (connect.Checked, error)
	imported   func(connect.Paste) (connect.Account, error)
	inspect    func(pasted string) (connect.Inspected, error)
	revoke     func(ref string) (connect.Revoked, error)
	diary      func(id string, limit int, before int64) ([]library.Entry, error)
	bundle     func(io.Writer) error
	settings   map[string]string
	warned     map[string]int
	renewing   bool
	storage    func() (connect.Storage, error)
	selfTest   func() error
	questions  []provider.Question
	confirmed  []string
	discover   func(issuer string) (provider.Server, error)
	added      func(provider.Server) (provider.Definition, error)
	dropped    []string
	drop       func(id string) error
	closed     int
}

func (d *double) unset(name string) {
	d.t.Helper()
	d.t.Fatalf("%s was called", name)
}

func (d *double) Practising() bool                 { return d.practising }
func (d *double) Providers() []provider.Definition { return d.providers }
func (d *double) DefinitionIssues() []error        { return d.issues }
func (d *double) Close() error                     { d.closed++; return nil }
func (d *double) Apps(context.Context) ([]connect.App, error) {
	if d.apps == nil {
		d.unset("Apps")
	}
	return d.apps()
}
func (d *double) AddApp(_ context.Context, s connect.Setup, scopes []string) (connect.App, error) {
	if d.addApp == nil {
		d.unset("AddApp")
	}
	return d.addApp(s, scopes)
}
func (d *double) RemoveApp(_ context.Context, name string) error {
	if d.removeApp == nil {
		d.unset("RemoveApp")
	}
	return d.removeApp(name)
}
func (d *double) Doctor(_ context.Context, s connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
	if d.doctor == nil {
		d.unset("Doctor")
	}
	return d.doctor(s, observe)
}
func (d *double) Connect(ctx context.Context, r connect.Request, observe func(connect.State)) (connect.Account, error) {
	if d.connect == nil {
		d.unset("Connect")
	}
	return d.connect(ctx, r, observe)
}
func (d *double) Recover(context.Context) ([]connect.Recovered, error) {
	if d.recover == nil {
		return nil, nil // nothing was interrupted, the usual case
	}
	return d.recover()
}
func (d *double) Accounts(context.Context) ([]connect.Account, error) {
	if d.accounts == nil {
		d.unset("Accounts")
	}
	return d.accounts()
}
func (d *double) Account(_ context.Context, ref string) (connect.Account, error) {
	if d.account == nil {
		d.unset("Account")
	}
	return d.account(ref)
}
func (d *double) Token(_ context.Context, ref string) (connect.Handed, error) {
	if d.token == nil {
		d.unset("Token")
	}
	return d.token(ref)
}
func (d *double) Remove(_ context.Context, ref string) error {
	if d.remove == nil {
		d.unset("Remove")
	}
	return d.remove(ref)
}
func (d *double) Note(_ context.Context, id, event string, _ map[string]string) error {
	if d.note == nil {
		d.unset("Note")
	}
	return d.note(id, event)
}
func (d *double) Storage(context.Context) (connect.Storage, error) {
	if d.storage == nil {
		d.unset("Storage")
	}
	return d.storage()
}
func (d *double) SelfTest(context.Context) error {
	if d.selfTest == nil {
		d.unset("SelfTest")
	}
	return d.selfTest()
}

func (d *double) Renew(_ context.Context, ref string, o connect.RenewOptions) (connect.Renewal, error) {
	if d.renew == nil {
		d.unset("Renew")
	}
	return d.renew(ref, o)
}
func (d *double) Check(_ context.Context, ref string) (connect.Checked, error) {
	if d.check == nil {
		d.unset("Check")
	}
	return d.check(ref)
}
func (d *double) Import(_ context.Context, in connect.Paste) (connect.Account, error) {
	if d.imported == nil {
		d.unset("Import")
	}
	return d.imported(in)
}
func (d *double) Inspect(_ context.Context, pasted secret.Text) (connect.Inspected, error) {
	if d.inspect == nil {
		d.unset("Inspect")
	}
	return d.inspect(pasted.Reveal())
}
func (d *double) Revoke(_ context.Context, ref string) (connect.Revoked, error) {
	if d.revoke == nil {
		d.unset("Revoke")
	}
	return d.revoke(ref)
}
func (d *double) DiaryPage(_ context.Context, id string, limit int, before int64) ([]library.Entry, error) {
	if d.diary == nil {
		d.unset("DiaryPage")
	}
	return d.diary(id, limit, before)
}
func (d *double) Bundle(_ context.Context, w io.Writer) error {
	if d.bundle == nil {
		d.unset("Bundle")
	}
	return d.bundle(w)
}
func (d *double) Notes() []problem.Key { return d.notes }
func (d *double) Setting(_ context.Context, name string) (string, error) {
	return d.settings[name], nil
}
func (d *double) SetSetting(_ context.Context, name, value string) error {
	if d.settings == nil {
		d.settings = map[string]string{}
	}
	d.settings[name] = value
	return nil
}
func (d *double) MarkWarned(_ context.Context, id string, days int) error {
	if d.warned == nil {
		d.warned = map[string]int{}
	}
	d.warned[id] = days
	return nil
}
func (d *double) SetRenewing(on bool) { d.renewing = on }

func (d *double) Questions() []provider.Question { return d.questions }
func (d *double) ConfirmProvider(_ context.Context, seen provider.Question) error {
	d.confirmed = append(d.confirmed, seen.ID)
	return nil
}
func (d *double) Discover(_ context.Context, issuer string) (provider.Server, error) {
	if d.discover == nil {
		d.unset("Discover")
	}
	return d.discover(issuer)
}
func (d *double) AddProvider(_ context.Context, server provider.Server) (provider.Definition, error) {
	if d.added == nil {
		d.unset("AddProvider")
	}
	return d.added(server)
}
func (d *double) RemoveProvider(_ context.Context, id string) error {
	if d.drop != nil {
		return d.drop(id)
	}
	d.dropped = append(d.dropped, id)
	return nil
}

// bench is one command line over a double.
type bench struct {
	// alone: the terminals are a console that nobody reads.
	alone    bool
	p        *program
	out, err bytes.Buffer
	// terminals are the streams that count as terminals.
	terminals []any
	asked     int
	answer    string // to the question without echo
	opened    []connect.Config
	notices   []desktop.Notice
	windows   []string // accounts that were opened in the window
	timer     fakeTimer
}

// fakeTimer is a system's timer that does what it is told.
type fakeTimer struct {
	state  desktop.TimerState
	refuse error
	homes  []string
}

func (f *fakeTimer) Install(context.Context) error {
	if f.refuse == nil {
		f.state.Installed, f.state.Active, f.state.Program = true, true, "/usr/bin/tokenkeepctl"
	}
	return f.refuse
}
func (f *fakeTimer) Remove(context.Context) error {
	if f.refuse == nil {
		f.state = desktop.TimerState{}
	}
	return f.refuse
}
func (f *fakeTimer) State(context.Context) (desktop.TimerState, error) { return f.state, nil }

func newBench(t *testing.T, d *double) *bench {
	t.Helper()
	b := &bench{}
	home := t.TempDir()
	b.p = &program{
		in: bytes.NewReader(nil), out: &b.out, err: &b.err, now: fixedNow,
		getenv: func(name string) string { return map[string]string{"TOKENKEEP_HOME": home}[name] },
		terminal: func(stream any) bool {
			for _, s := range b.terminals {
				if s == stream {
					return true
				}
			}
			return false
		},
		password: func(context.Context, any) (string, error) { b.asked++; return b.answer, nil },
		open: func(_ context.Context, c connect.Config) (service, error) {
			if d == nil {
				t.Fatal("the core was opened")
			}
			d.t = t
			b.opened = append(b.opened, c)
			return d, nil
		},
		clickWithin: 20 * time.Second,
		alone:       func() bool { return b.alone },
		notify: func(_ context.Context, n desktop.Notice) (<-chan struct{}, error) {
			b.notices = append(b.notices, n)
			return nil, nil
		},
		openWindow: func(_ context.Context, account string) error { b.windows = append(b.windows, account); return nil },
		timer:      func(home string) userTimer { b.timer.homes = append(b.timer.homes, home); return &b.timer },
	}
	return b
}

func (b *bench) environment(pairs ...string) {
	before := b.p.getenv
	b.p.getenv = func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return before(name)
	}
}

func (b *bench) run(t *testing.T, args ...string) int {
	t.Helper()
	return b.p.run(t.Context(), args)
}
