package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// A story is a script in testdata/script that runs the real program: its own
// process, a real keychain on a private bus, the pretend provider in a process
// of its own, and a person who is a plain HTTP client.
//
// Besides testscript's commands a story has:
//
//	keyring                    a private bus with an unlocked gnome-keyring
//	keyring lock|freeze|thaw   lock it; it does not answer; it does again
//	keyring stop|bare|again    end it; a bus without a keychain; start it once more
//	sandbox [SCENARIO]         the pretend provider; practice from here on
//	server                     the same process as a server of one's own, $SERVER
//	                           and $OTHER (its other name), $HOSTS both; no practice
//	control PATH JSON          its control address
//	exits CODE COMMAND…        run and demand the exit code
//	start NAME COMMAND…        run beside the story, output in NAME.out, NAME.err
//	terminal NAME COMMAND…     the same on a terminal; feed types into it
//	until NAME PATTERN         wait until a line of NAME.out fits
//	ends NAME CODE             wait for its end and demand the exit code
//	signal NAME KILL|INT|TERM
//	person NAME WHAT [ARG]     sign in at the address that NAME printed:
//	                           allow, deny, forge, double, stranger, fetch FILE
//	notifier click|watch       somebody who sees notifications, keeps them in
//	                           notices.txt and clicks them, or does not
//	browser WHAT               what whoever xdg-open calls does: the same, or
//	                           fail, nothing
//	wait-for FILE              until it exists
//	occupy [v6]                another program takes the port
//	pipe NAME                  the next start of NAME gets an input that stays open
//	feed NAME TEXT             types a line into it, or into its terminal;
//	                           feed-file the line of a file, feed-broken the
//	                           same in two lines, and then the input ends
//	ctrl-c NAME                types that into its terminal
//	address NAME FILE          the address in the text that NAME printed
//	person-at FILE fetch FILE  signs in at that address, keeps where it leads
//	long FILE                  an address of 17 KiB
//	clock, lapsed TIME         no more than that since the clock
//	forward TIME               that much later it is, for the provider and for us
//	ago VAR TIME               a moment so long before the story's now
//	registration PROVIDER      $ID and the file "secret" are the app at that provider
//	mint FILE JSON             a token of the provider without a sign-in
//	requests PATH N            that many requests reached the provider there
//	asked PATH                 wait until a request came there
//	keep VAR                   the last output, a token
//	private DIR                nobody else can read it or what is in it
//	field VAR NAME             a member of the last JSON line on stdout
//	quiet NAME                 NAME and its children show no secret in argv or environment
//	nowhere TEXT…              no file of the story holds it in any form
type story struct {
	mu      sync.Mutex
	running map[string]*started
	bus     string
	keyring *exec.Cmd
	pipes   map[string]*pipe
	clock   time.Time
	ahead   time.Duration // how far the story's now is after the computer's
}

// pipe is a standard input that stays open, as a person's does.
type pipe struct{ read, write *os.File }

type started struct {
	cmd  *exec.Cmd
	done chan struct{}
	code int
}

func runStories(t *testing.T, files ...string) {
	t.Helper()
	for _, needs := range [][2]string{{"dbus-daemon", "dbus"}, {"gnome-keyring-daemon", "gnome-keyring"}, {"secret-tool", "libsecret-tools"}} {
		if _, err := exec.LookPath(needs[0]); err != nil {
			t.Fatalf("%s is missing: install the Debian package %s", needs[0], needs[1])
		}
	}
	params := testscript.Params{
		Files: files,
		Setup: setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"keyring": cmdKeyring, "sandbox": cmdSandbox, "server": cmdServer, "control": cmdControl, "exits": cmdExits,
			"start": cmdStart, "terminal": cmdTerminal, "until": cmdUntil, "ends": cmdEnds, "signal": cmdSignal,
			"person": cmdPerson, "browser": cmdBrowser, "occupy": cmdOccupy, "field": cmdField,
			"wait-for": cmdWaitFor, "long": cmdLong, "pipe": cmdPipe, "feed": cmdFeed, "feed-file": cmdFeedFile, "feed-broken": cmdFeedBroken,
			"address": cmdAddress, "person-at": cmdPersonAt, "ctrl-c": cmdCtrlC, "clock": cmdClock, "lapsed": cmdLapsed, "notifier": cmdNotifier, "forward": cmdForward, "registration": cmdRegistration, "ago": cmdAgo, "mint": cmdMint, "requests": cmdRequests, "asked": cmdAsked, "keep": cmdKeep, "private": cmdPrivate, "quiet": cmdQuiet, "nowhere": cmdNowhere,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Deadline:            time.Now().Add(3 * time.Minute),
	}
	testscript.RunT(discreet{t}, params)
}

// discreet is a test whose protocol shows no secret: a story that fails prints
// what the programs in it printed, tokens and addresses as well.
type discreet struct{ t *testing.T }

func (d discreet) Log(args ...any)   { d.t.Log(withoutSecrets(fmt.Sprint(args...))) }
func (d discreet) Fatal(args ...any) { d.t.Fatal(withoutSecrets(fmt.Sprint(args...))) }

// Skip fails: a story that cannot run must say what is missing.
func (d discreet) Skip(args ...any) {
	d.Fatal(append([]any{"a story asks to be left out: "}, args...)...)
}
func (d discreet) FailNow()      { d.t.FailNow() }
func (d discreet) Parallel()     { d.t.Parallel() }
func (d discreet) Verbose() bool { return testing.Verbose() }
func (d discreet) Run(name string, f func(testscript.T)) {
	d.t.Run(name, func(t *testing.T) { f(discreet{t}) })
}

var (
	anyToken  = regexp.MustCompile(`\b(IGAA|EAA|THAA)[A-Za-z0-9_-]{8,}`)
	anyAnswer = regexp.MustCompile(`\b(code|state)(=|%3[Dd])[A-Za-z0-9_.~%-]{8,}`)
)

func withoutSecrets(text string) string {
	for _, provider := range sandbox.Providers() {
		_, known := sandbox.Registration(provider)
		for _, form := range secret.Forms(secret.New(known)) {
			text = strings.ReplaceAll(text, form, "[app secret]")
		}
	}
	return anyAnswer.ReplaceAllString(anyToken.ReplaceAllString(text, "$1[token]"), "$1$2[withheld]")
}

func TestAFailedStoryShowsNoSecret(t *testing.T) {
	const (
		token  = "IGAAPracticeOnly0123456789abcdef"
		answer = "https://localhost:8919/?code=AQBx-canary_9876543210&state=STATEcanary0123456789#_"
	)
	shown := withoutSecrets("> exits 0\n[stdout]\n" + token + "\n" + sandbox.ClientSecret + "\n" + answer + "\n")
	for _, hidden := range []string{token[4:], sandbox.ClientSecret, "canary"} {
		if strings.Contains(shown, hidden) {
			t.Errorf("%q is shown in %q", hidden, shown)
		}
	}
	if !strings.Contains(shown, "> exits 0\n[stdout]\n") || !strings.Contains(shown, "https://localhost:8919/?code=") {
		t.Errorf("the rest is gone: %q", shown)
	}
}

type storyKey struct{}

func init() { otherNames["xdg-open"] = openedByXDG }

func setUp(env *testscript.Env) error {
	for _, dir := range []string{"home", "run", "tk"} {
		if err := os.Mkdir(filepath.Join(env.WorkDir, dir), 0o700); err != nil {
			return err
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "home", "data"))
	env.Setenv("XDG_RUNTIME_DIR", filepath.Join(env.WorkDir, "run"))
	env.Setenv("TOKENKEEP_HOME", filepath.Join(env.WorkDir, "tk"))
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("PORT", strconv.Itoa(port))
	env.Setenv("REDIRECT", fmt.Sprintf("https://localhost:%d/", port))
	env.Setenv("ID", sandbox.ClientID)
	env.Setenv("SERVICE", "io.github.tokenkeep.Tokenkeep.practice")
	env.Values[storyKey{}] = &story{running: map[string]*started{}, pipes: map[string]*pipe{}}
	if err := os.WriteFile(filepath.Join(env.WorkDir, "secret"), []byte(sandbox.ClientSecret+"\n"), 0o600); err != nil {
		return err
	}
	// The person allows unless the story says otherwise.
	return os.WriteFile(filepath.Join(env.WorkDir, "home", "person"), []byte("allow"), 0o600)
}

// freePort finds a port that is free on both loopback addresses. Another
// program may still take it; the chance is what every test with a fixed port has.
func freePort() (int, error) {
	for range 50 {
		four, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := four.Addr().(*net.TCPAddr).Port
		six, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
		_ = four.Close()
		if err == nil {
			_ = six.Close()
		} else if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return port, nil
	}
	return 0, errors.New("no port is free on both loopback addresses")
}

func of(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func refuseNegation(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
}

const keyringPassword = "unlock-for-tests"

func cmdKeyring(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	s := of(ts)
	what := ""
	if len(args) > 0 {
		what = args[0]
	}
	switch what {
	case "", "bare":
		s.startBus(ts)
		if what == "" {
			s.startKeyring(ts)
		}
	case "lock":
		s.onBus(ts, func(c *dbus.Conn) error {
			paths := []dbus.ObjectPath{"/org/freedesktop/secrets/collection/login"}
			return c.Object("org.freedesktop.secrets", "/org/freedesktop/secrets").Call("org.freedesktop.Secret.Service.Lock", 0, paths).Err
		})
	case "again":
		s.startKeyring(ts)
	case "freeze":
		ts.Check(s.keyring.Process.Signal(syscall.SIGSTOP))
	case "thaw":
		ts.Check(s.keyring.Process.Signal(syscall.SIGCONT))
	case "stop":
		ts.Check(s.keyring.Process.Kill())
		_ = s.keyring.Wait()
		s.keyring = nil
		s.owned(ts, false)
	default:
		ts.Fatalf("keyring: %q is unknown", what)
	}
}

// startBus starts a bus that can start nothing by itself.
func (s *story) startBus(ts *testscript.TestScript) {
	config := ts.MkAbs("bus.conf")
	socket := ts.MkAbs("run/test-bus")
	ts.Check(os.WriteFile(config, []byte(`<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=`+socket+`</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`), 0o600))
	bus := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile")
	ts.Check(bus.Start())
	ts.Defer(func() {
		_ = bus.Process.Kill()
		_ = bus.Wait()
	})
	within(ts, "the bus listens", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	s.bus = "unix:path=" + socket
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", s.bus)
}

func (s *story) startKeyring(ts *testscript.TestScript) {
	daemon := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets", "--control-directory="+ts.MkAbs("run/keyring"))
	daemon.Stdin = strings.NewReader(keyringPassword)
	daemon.Env = []string{"HOME=" + ts.Getenv("HOME"), "XDG_DATA_HOME=" + ts.Getenv("XDG_DATA_HOME"), "XDG_RUNTIME_DIR=" + ts.Getenv("XDG_RUNTIME_DIR"),
		"DBUS_SESSION_BUS_ADDRESS=" + s.bus, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	ts.Check(daemon.Start())
	s.keyring = daemon
	ts.Defer(func() {
		if s.keyring == daemon {
			_ = daemon.Process.Kill()
			_ = daemon.Wait()
		}
	})
	s.owned(ts, true)
	within(ts, "the login collection is unlocked", func() bool {
		locked := true
		s.onBus(ts, func(c *dbus.Conn) error {
			v, err := c.Object("org.freedesktop.secrets", "/org/freedesktop/secrets/collection/login").GetProperty("org.freedesktop.Secret.Collection.Locked")
			if err == nil {
				locked, _ = v.Value().(bool)
			}
			return nil
		})
		return !locked
	})
}

func (s *story) owned(ts *testscript.TestScript, want bool) {
	within(ts, "the keychain's name changes hands", func() bool {
		var owned bool
		s.onBus(ts, func(c *dbus.Conn) error {
			return c.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.secrets").Store(&owned)
		})
		return owned == want
	})
}

func (s *story) onBus(ts *testscript.TestScript, use func(*dbus.Conn) error) {
	c, err := dbus.Connect(s.bus)
	ts.Check(err)
	defer c.Close()
	ts.Check(use(c))
}

func within(ts *testscript.TestScript, what string, reached func() bool) {
	deadline := time.Now().Add(20 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			ts.Fatalf("after 20 s it is still not so that %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func cmdSandbox(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	command := []string{"sandbox-process", "tokenkeepctl", "sandbox", "serve"}
	if len(args) > 0 {
		command = append(command, "--scenario", args[0])
	}
	cmdStart(ts, false, command)
	cmdUntil(ts, false, []string{"sandbox-process", `"listening"`})
	var line struct{ Event, URL string }
	ts.Check(json.Unmarshal([]byte(strings.TrimSpace(ts.ReadFile("sandbox-process.out"))), &line))
	ts.Setenv("TOKENKEEP_SANDBOX_URL", line.URL)
}

// cmdServer runs the same process, and the story goes on outside practice: a
// person's own server, which is reached under two names.
func cmdServer(ts *testscript.TestScript, neg bool, args []string) {
	cmdSandbox(ts, neg, args)
	base, err := url.Parse(ts.Getenv("TOKENKEEP_SANDBOX_URL"))
	ts.Check(err)
	ts.Setenv("SERVER", base.String())
	ts.Setenv("OTHER", "http://localhost:"+base.Port())
	ts.Setenv("HOSTS", base.Host+",localhost:"+base.Port())
	ts.Setenv("SERVICE", "io.github.tokenkeep.Tokenkeep")
	ts.Setenv("TOKENKEEP_SANDBOX_URL", "")
}

func cmdControl(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	response, err := http.Post(ts.Getenv("TOKENKEEP_SANDBOX_URL")+args[0], "application/json", strings.NewReader(args[1]))
	ts.Check(err)
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		ts.Fatalf("control %s: %s %s", args[0], response.Status, body)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		code = exited.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// beside prepares a command with the story's environment.
func beside(ts *testscript.TestScript, program string, args []string) *exec.Cmd {
	// The program is looked up in the story's PATH, where the test binary lies
	// under its other names.
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if candidate := filepath.Join(dir, program); !strings.Contains(program, "/") {
			if _, err := os.Stat(candidate); err == nil {
				program = candidate
				break
			}
		}
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"TERM=dumb"}
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "TOKENKEEP_HOME", "LANG", "TOKENKEEP_SANDBOX_URL", "TOKENKEEP_VAULT", "DBUS_SESSION_BUS_ADDRESS", "STORY_FORWARD"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	name := args[0]
	cmd := beside(ts, args[1], args[2:])
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	errOut, err := os.Create(ts.MkAbs(name + ".err"))
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = out, errOut
	if pipe := of(ts).pipes[name]; pipe != nil {
		cmd.Stdin = pipe.read
		defer pipe.read.Close()
	}
	ts.Check(cmd.Start())
	_ = out.Close()
	_ = errOut.Close()
	of(ts).watch(ts, name, cmd)
}

// watch waits for a command that was started, and for what still brings its
// output, and ends it with the story.
func (s *story) watch(ts *testscript.TestScript, name string, cmd *exec.Cmd, output ...<-chan struct{}) {
	run := &started{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		for _, complete := range output {
			<-complete
		}
		run.code = cmd.ProcessState.ExitCode()
		close(run.done)
	}()
	s.mu.Lock()
	s.running[name] = run
	s.mu.Unlock()
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-run.done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-run.done
		}
	})
}

// cmdTerminal runs a command as a person sees it: all three streams are one
// terminal of its own.
func cmdTerminal(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	name := args[0]
	cmd := beside(ts, args[1], args[2:])
	master, slave, err := openTerminal()
	ts.Check(err)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	_ = slave.Close()
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name+".err"), nil, 0o600))
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(out, master) // ends with EIO when the program is gone
		_ = out.Close()
	}()
	of(ts).pipes[name] = &pipe{write: master}
	of(ts).watch(ts, name, cmd, copied)
	ts.Defer(func() { _ = master.Close() })
}

// openTerminal makes a pseudo-terminal: what the person's side reads and
// writes, and the program's side.
func openTerminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, err
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	return master, slave, err
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	run := of(ts).running[args[0]]
	within(ts, args[0]+" prints "+args[1], func() bool {
		if pattern.MatchString(ts.ReadFile(args[0] + ".out")) {
			return true
		}
		select {
		case <-run.done:
			if !pattern.MatchString(ts.ReadFile(args[0] + ".out")) {
				ts.Fatalf("%s ended with %d:\n%s%s", args[0], run.code, ts.ReadFile(args[0]+".out"), ts.ReadFile(args[0]+".err"))
			}
		default:
		}
		return false
	})
}

func cmdEnds(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	run := of(ts).running[args[0]]
	select {
	case <-run.done:
	case <-time.After(30 * time.Second):
		ts.Fatalf("%s does not end:\n%s%s", args[0], ts.ReadFile(args[0]+".out"), ts.ReadFile(args[0]+".err"))
	}
	if strconv.Itoa(run.code) != args[1] {
		ts.Fatalf("%s ended with %d, want %s:\n%s%s", args[0], run.code, args[1], ts.ReadFile(args[0]+".out"), ts.ReadFile(args[0]+".err"))
	}
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	run := of(ts).running[args[0]]
	ts.Check(run.cmd.Process.Signal(map[string]os.Signal{"KILL": syscall.SIGKILL, "INT": os.Interrupt, "TERM": syscall.SIGTERM}[args[1]]))
	if args[1] == "KILL" {
		<-run.done
	}
}

func cmdPerson(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	var line struct {
		AuthorizeURL string `json:"authorize_url"`
	}
	for text := range strings.Lines(ts.ReadFile(args[0] + ".out")) {
		if strings.Contains(text, "authorize_url") {
			ts.Check(json.Unmarshal([]byte(text), &line))
		}
	}
	if line.AuthorizeURL == "" {
		ts.Fatalf("%s printed no authorize_url", args[0])
	}
	what := args[1:]
	if what[0] == "fetch" {
		address, err := newPerson().consent(line.AuthorizeURL, "allow")
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(what[1]), []byte(address+"\n"), 0o600))
		return
	}
	page, err := newPerson().act(line.AuthorizeURL, what[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("page.html"), []byte(page), 0o600))
}

func cmdBrowser(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	ts.Check(os.WriteFile(ts.MkAbs("home/person"), []byte(args[0]), 0o600))
}

func cmdOccupy(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	host := "127.0.0.1"
	if len(args) > 0 && args[0] == "v6" {
		host = "::1"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, ts.Getenv("PORT")))
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
}

func cmdField(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &object))
	if inner, ok := object["account"].(map[string]any); ok {
		object = inner
	}
	value, ok := object[args[1]].(string)
	if !ok || value == "" {
		ts.Fatalf("no member %s in the last line", args[1])
	}
	ts.Setenv(args[0], value)
}

func cmdLong(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.Getenv("REDIRECT")+"?code="+strings.Repeat("x", 17<<10)+"\n"), 0o600))
}

func cmdPipe(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	read, write, err := os.Pipe()
	ts.Check(err)
	of(ts).pipes[args[0]] = &pipe{read, write}
	ts.Defer(func() { _ = write.Close() })
}

func cmdFeed(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	_, err := io.WriteString(of(ts).pipes[args[0]].write, strings.Join(args[1:], " ")+"\n")
	ts.Check(err)
}

func cmdFeedFile(ts *testscript.TestScript, neg bool, args []string) {
	cmdFeed(ts, neg, []string{args[0], strings.TrimSpace(ts.ReadFile(args[1]))})
}

// cmdFeedBroken feeds a file in two lines and ends the input.
func cmdFeedBroken(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile(args[1]))
	cmdFeed(ts, neg, []string{args[0], text[:60] + "\n" + text[60:]})
	ts.Check(of(ts).pipes[args[0]].write.Close())
}

// cmdAddress copies the authorization address from the text for people.
func cmdAddress(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	found := regexp.MustCompile(`https?://\S+/oauth/authorize\S*`).FindString(ts.ReadFile(args[0] + ".out"))
	if found == "" {
		ts.Fatalf("no address in the text")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(found), 0o600))
}

func cmdPersonAt(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	address, err := newPerson().consent(ts.ReadFile(args[0]), "allow")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(address+"\n"), 0o600))
}

func cmdCtrlC(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	_, err := of(ts).pipes[args[0]].write.Write([]byte{3})
	ts.Check(err)
}

func cmdClock(ts *testscript.TestScript, neg bool, _ []string) {
	refuseNegation(ts, neg)
	of(ts).clock = time.Now()
}

func cmdLapsed(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	if took := time.Since(of(ts).clock); took > limit {
		ts.Fatalf("it took %v, more than %v", took, limit)
	}
}

// notifier is a desktop's notification service (Desktop Notifications
// Specification 1.2) with a person before it.
type notifier struct {
	conn   *dbus.Conn
	file   string
	clicks bool
	next   atomic.Uint32
}

// GetCapabilities is called over the bus, as are the three below.
func (n *notifier) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body"}, nil
}

// GetServerInformation names the service.
func (n *notifier) GetServerInformation() (name, vendor, version, spec string, e *dbus.Error) {
	return "story", "tests", "1", "1.2", nil
}

// CloseNotification does nothing: nobody looks away.
func (n *notifier) CloseNotification(uint32) *dbus.Error { return nil }

// Notify keeps what is shown and, as the person may, clicks it.
func (n *notifier) Notify(_ string, _ uint32, _, title, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	id := n.next.Add(1)
	f, err := os.OpenFile(n.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	defer f.Close()
	_, _ = fmt.Fprintf(f, "%s | %s | %s\n", title, body, strings.Join(actions, " "))
	if n.clicks {
		go func() {
			_ = n.conn.Emit("/org/freedesktop/Notifications", "org.freedesktop.Notifications.ActionInvoked", id, "default")
		}()
	}
	return id, nil
}

func cmdNotifier(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	conn, err := dbus.Connect(of(ts).bus)
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	n := &notifier{conn: conn, file: ts.MkAbs("notices.txt"), clicks: args[0] == "click"}
	ts.Check(conn.Export(n, "/org/freedesktop/Notifications", "org.freedesktop.Notifications"))
	reply, err := conn.RequestName("org.freedesktop.Notifications", dbus.NameFlagDoNotQueue|dbus.NameFlagReplaceExisting|dbus.NameFlagAllowReplacement)
	ts.Check(err)
	if reply != dbus.RequestNameReplyPrimaryOwner {
		ts.Fatalf("somebody else shows notifications")
	}
}

func cmdForward(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	cmdControl(ts, false, []string{"/_/clock", `{"forward":"` + args[0] + `"}`})
	s := of(ts)
	s.ahead += d
	ts.Setenv("STORY_FORWARD", s.ahead.String())
}

func cmdAgo(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	d, err := time.ParseDuration(args[1])
	ts.Check(err)
	ts.Setenv(args[0], time.Now().Add(of(ts).ahead-d).UTC().Format(time.RFC3339))
}

// cmdMint writes a token as a person would who copied it from a dashboard:
// with a blank and a line's end.
// cmdRegistration makes $ID and the file "secret" those of the app with which
// one practises at a provider.
func cmdRegistration(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	id, secret := sandbox.Registration(args[0])
	if id == "" {
		ts.Fatalf("the pretend %s has no app", args[0])
	}
	ts.Setenv("ID", id)
	ts.Check(os.WriteFile(ts.MkAbs("secret"), []byte(secret+"\n"), 0o600))
}

func cmdMint(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	response, err := http.Post(ts.Getenv("TOKENKEEP_SANDBOX_URL")+"/_/mint", "application/json", strings.NewReader(args[1]))
	ts.Check(err)
	defer response.Body.Close()
	var minted struct {
		AccessToken string `json:"access_token"`
	}
	ts.Check(json.NewDecoder(response.Body).Decode(&minted))
	if minted.AccessToken == "" {
		ts.Fatalf("nothing was minted: %s", response.Status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(" "+minted.AccessToken+"\n"), 0o600))
}

// cmdRequests counts the requests that the provider got on a path.
func cmdRequests(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	if n := requestsOn(ts, args[0]); strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d requests on %s, want %s", n, args[0], args[1])
	}
}

// cmdAsked waits until the provider got a request on a path.
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	within(ts, "a request comes to "+args[0], func() bool { return requestsOn(ts, args[0]) > 0 })
}

func requestsOn(ts *testscript.TestScript, path string) int {
	response, err := http.Get(ts.Getenv("TOKENKEEP_SANDBOX_URL") + "/_/log")
	ts.Check(err)
	defer response.Body.Close()
	var log struct{ Requests []struct{ Path string } }
	ts.Check(json.NewDecoder(response.Body).Decode(&log))
	n := 0
	for _, r := range log.Requests {
		if r.Path == path {
			n++
		}
	}
	return n
}

func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	if len(text) < 20 {
		ts.Fatalf("there is no token on standard output")
	}
	ts.Setenv(args[0], text)
}

// cmdPrivate demands that nobody else can read a folder or a file in it.
func cmdPrivate(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = fmt.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	}))
}

func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	within(ts, args[0]+" exists", func() bool { _, err := os.Stat(ts.MkAbs(args[0])); return err == nil })
}

// cmdQuiet reads what every user of the computer can read about a process, and
// what every process of the same user can.
func cmdQuiet(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	found := 0
	for _, pid := range descendants(of(ts).running[args[0]].cmd.Process.Pid) {
		for _, file := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if err != nil {
				continue // it ended meanwhile
			}
			found++
			for _, form := range secret.Forms(secret.New(sandbox.ClientSecret)) {
				if bytes.Contains(data, []byte(form)) {
					ts.Fatalf("the app secret is in /proc/%d/%s", pid, file)
				}
			}
		}
	}
	if found < 4 {
		ts.Fatalf("looked at %d files only; the program and its keychain child have four", found)
	}
}

func descendants(pid int) []int {
	all := []int{pid}
	entries, _ := os.ReadDir("/proc")
	parents := map[int]int{}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		parents[n], _ = strconv.Atoi(fields[1])
	}
	for grown := true; grown; {
		grown = false
		for child, parent := range parents {
			if slices.Contains(all, parent) && !slices.Contains(all, child) {
				all = append(all, child)
				grown = true
			}
		}
	}
	return all
}

// cmdNowhere looks for the secret in every file of the story but those that
// the person wrote.
func cmdNowhere(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	looked := 0
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "secret" || strings.HasPrefix(e.Name(), "sandbox-process.") || strings.HasSuffix(e.Name(), ".in") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		for _, text := range args {
			for _, form := range secret.Forms(secret.New(text)) {
				if bytes.Contains(data, []byte(form)) {
					ts.Fatalf("%s holds it", path)
				}
			}
		}
		return nil
	}))
	if looked < 2 {
		ts.Fatalf("only %d files were looked at", looked)
	}
}

// person signs in at the pretend provider as a browser would, without being one.
type person struct{ client *http.Client }

func newPerson() *person {
	return &person{client: &http.Client{
		Timeout: 30 * time.Second,
		// The certificate of the loopback listener is nobody's: a person clicks
		// the browser's warning away (ruling 4).
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, Proxy: nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// consent presses a button of the consent page and gives the address to which
// the provider sends the browser.
func (p *person) consent(authorize, decision string) (string, error) {
	response, err := p.client.Get(authorize)
	if err != nil {
		return "", err
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("instead of the consent page: %s, Location %q", response.Status, response.Header.Get("Location"))
	}
	form := url.Values{"decision": {decision}}
	// The choices that the page has made already: who, what, which mishap.
	input := regexp.MustCompile(`(?s)<(?:input|option)\b[^>]*>`)
	for _, tag := range input.FindAllString(string(page), -1) {
		if strings.Contains(tag, " checked") {
			name, value := attribute(tag, "name"), attribute(tag, "value")
			form.Add(name, value)
		}
	}
	for _, selection := range regexp.MustCompile(`(?s)<select\b[^>]*>.*?</select>`).FindAllString(string(page), -1) {
		for _, tag := range input.FindAllString(selection, -1) {
			if strings.Contains(tag, " selected") {
				form.Add(attribute(selection[:strings.Index(selection, ">")], "name"), attribute(tag, "value"))
			}
		}
	}
	for _, tag := range input.FindAllString(string(page), -1) {
		if strings.Contains(tag, `type="hidden"`) {
			form.Add(attribute(tag, "name"), attribute(tag, "value"))
		}
	}
	response, err = p.client.PostForm(authorize, form)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	location := response.Header.Get("Location")
	if location == "" {
		return "", fmt.Errorf("the provider does not send back: %s %.300s (form %v)", response.Status, body, form)
	}
	return location, nil
}

func attribute(tag, name string) string {
	found := regexp.MustCompile(`\b` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if found == nil {
		return ""
	}
	return strings.ReplaceAll(found[1], "&amp;", "&")
}

// visit goes to an address of the listener and follows it to the page that the
// person sees in the end.
func (p *person) visit(address string) (string, error) {
	for range 5 {
		response, err := p.client.Get(address)
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			return "", err
		}
		location, err := response.Location()
		if err != nil {
			return string(body), nil
		}
		address = location.String()
	}
	return "", errors.New("redirected for ever")
}

// act plays one part and gives the last page that the person saw.
func (p *person) act(authorize, part string) (string, error) {
	switch part {
	case "allow", "deny":
		address, err := p.consent(authorize, part)
		if err != nil {
			return "", err
		}
		return p.visit(address)
	case "stranger":
		// Somebody else's answer: a code that is real, a state that is not.
		address, err := p.consent(authorize, "allow")
		if err != nil {
			return "", err
		}
		forged, err := withState(address, "forged-forged-forged-forged-forged-forged-0")
		if err != nil {
			return "", err
		}
		return p.visit(forged)
	case "forge":
		first, err := p.act(authorize, "stranger")
		if err != nil {
			return "", err
		}
		if _, err := p.act(authorize, "allow"); err != nil {
			return "", err
		}
		return first, nil
	case "double":
		address, err := p.consent(authorize, "allow")
		if err != nil {
			return "", err
		}
		pages := make(chan string, 8)
		for range 8 {
			go func() {
				page, err := p.visit(address)
				if err != nil {
					page = ""
				}
				pages <- page
			}()
		}
		best := ""
		for range 8 {
			if page := <-pages; len(page) > len(best) {
				best = page
			}
		}
		return best, nil
	case "nothing":
		return "", nil
	default:
		return "", fmt.Errorf("nobody plays %q", part)
	}
}

func withState(address, state string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("state", state)
	u.RawQuery = q.Encode()
	u.Fragment = ""
	return u.String(), nil
}

// openedByXDG is the person's own browser: it is called as xdg-open, plays the
// part that the story left in $HOME/person, and keeps the page that was seen.
func openedByXDG() {
	home := os.Getenv("HOME")
	part, err := os.ReadFile(filepath.Join(home, "person"))
	if err != nil || len(os.Args) < 2 || string(part) == "fail" {
		os.Exit(3)
	}
	address := os.Args[len(os.Args)-1]
	if u, err := url.Parse(address); err == nil {
		_ = os.WriteFile(filepath.Join(home, "opened"), []byte(u.Path+"\n"), 0o600)
	}
	if os.Getenv("PLAYS") == "" {
		// A desktop's xdg-open comes back as soon as the browser has the address.
		again := exec.CommandContext(context.Background(), "/proc/self/exe", address)
		again.Args[0] = "xdg-open"
		again.Env = append(os.Environ(), "PLAYS=yes")
		if err := again.Start(); err != nil {
			os.Exit(4)
		}
		os.Exit(0)
	}
	page, err := newPerson().act(address, string(part))
	if err != nil {
		page = "the person met an error: " + err.Error()
	}
	temporary := filepath.Join(home, "page.tmp")
	_ = os.WriteFile(temporary, []byte(page), 0o600)
	_ = os.Rename(temporary, filepath.Join(home, "page.html"))
	os.Exit(0)
}
