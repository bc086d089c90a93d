package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// debian names the package that brings each tool the tests use.
var debian = map[string]string{
	"Xvfb": "xvfb", "openbox": "openbox", "dbus-daemon": "dbus", "dbus-send": "dbus-bin", "gnome-keyring-daemon": "gnome-keyring",
	"secret-tool": "libsecret-tools", "chromium": "chromium", "clang": "clang", "clang++": "clang",
}

// tool returns where the program is; without it the test fails.
func tool(t testing.TB, name string) string {
	t.Helper()
	found, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the Debian package %s, or run go run ./cmd/dev test", name, debian[name])
	}
	return found
}

// within polls until ok says yes, and fails with what was expected otherwise.
func within(t testing.TB, limit time.Duration, expected string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, expected)
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// desktop is a whole desktop of its own for one test.
type desktop struct {
	t       testing.TB
	root    string // the one folder that holds everything below
	home    string
	runtime string // XDG_RUNTIME_DIR
	display string // ":7"
	bus     string // D-Bus address
	screen  *screen
	keyring *keyring // nil without one
	person  *person  // nil until somebody sits down

	as        *syscall.Credential // the ordinary user; nil: we are one
	processes []*process
	watches   []*watch
}

// options of a desktop; the zero value is the usual one.
type options struct {
	width, height int  // of the screen, in pixels; 1280 by 900
	noKeyring     bool // a session bus on which nobody keeps secrets
}

// newDesktop starts a desktop and takes it down with the test.
func newDesktop(t testing.TB, o options) *desktop {
	t.Helper()
	if err := adoptOrphans(); err != nil {
		t.Fatal(err)
	}
	if o.width == 0 {
		o.width, o.height = 1280, 900
	}
	// The name is short, because socket paths end at 107 bytes.
	root, err := os.MkdirTemp("", "tk")
	if err != nil {
		t.Fatal(err)
	}
	d := &desktop{t: t, root: root, home: filepath.Join(root, "home"), runtime: filepath.Join(root, "run"), as: ordinaryUser(t)}
	t.Cleanup(d.takeDown)
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, mode := range map[string]os.FileMode{"home": 0o700, "run": 0o700, "tmp": 0o700, "bin": 0o755, "log": 0o700,
		"home/.config": 0o700, "home/.cache": 0o700, "home/.local": 0o700, "home/.local/share": 0o700, "home/.local/state": 0o700} {
		if err := os.MkdirAll(filepath.Join(root, dir), mode); err != nil {
			t.Fatal(err)
		}
	}
	d.giveAway(root)
	d.startScreen(o)
	d.startBus()
	d.screen = connectScreen(t, d.display)
	d.start("openbox", []string{tool(t, "openbox"), "--sm-disable"}, nil)
	within(t, 10*time.Second, "openbox manages the screen", d.screen.managed)
	if !o.noKeyring {
		d.keyring = newKeyring(d)
	}
	return d
}

// ordinaryUser is whom the desktop belongs to where the tests run as root.
func ordinaryUser(t testing.TB) *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, _ := strconv.ParseUint(nobody.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// giveAway makes everything below the path the ordinary user's.
func (d *desktop) giveAway(path string) {
	d.t.Helper()
	if d.as == nil {
		return
	}
	err := filepath.WalkDir(path, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(d.as.Uid), int(d.as.Gid))
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// write puts a file on the desktop; name is relative to its folder.
func (d *desktop) write(name, content string, mode os.FileMode) string {
	d.t.Helper()
	file := filepath.Join(d.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		d.t.Fatal(err)
	}
	d.giveAway(filepath.Dir(file))
	return file
}

// install copies a program into the desktop's folder of programs.
func (d *desktop) install(name, path string) string {
	d.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.write("bin/"+name, string(content), 0o755)
}

// environ is all that a program on the desktop sees. Nothing of the test's own
// environment comes along.
func (d *desktop) environ(more ...string) []string {
	env := []string{
		"PATH=" + filepath.Join(d.root, "bin") + ":/usr/local/bin:/usr/bin:/bin",
		"HOME=" + d.home, "TMPDIR=" + filepath.Join(d.root, "tmp"), "USER=tester", "LOGNAME=tester",
		"XDG_CONFIG_HOME=" + filepath.Join(d.home, ".config"), "XDG_DATA_HOME=" + filepath.Join(d.home, ".local/share"),
		"XDG_STATE_HOME=" + filepath.Join(d.home, ".local/state"), "XDG_CACHE_HOME=" + filepath.Join(d.home, ".cache"),
		"XDG_RUNTIME_DIR=" + d.runtime, "DISPLAY=" + d.display, "DBUS_SESSION_BUS_ADDRESS=" + d.bus,
		"LANG=en_US.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_THEME=light", "FYNE_SCALE=1", "NO_AT_BRIDGE=1",
	}
	return append(env, more...)
}

// prepare makes a command on the desktop: its user, its environment, its end
// with ours.
func (d *desktop) prepare(cmd *exec.Cmd, env ...string) {
	cmd.Dir = d.home
	cmd.Env = d.environ(env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: d.as, Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// start runs a program until the desktop ends. The change, where given, is
// applied just before the start.
func (d *desktop) start(name string, args []string, change func(*exec.Cmd), env ...string) *process {
	d.t.Helper()
	base := filepath.Join(d.root, "log", fmt.Sprintf("%s-%d", name, len(d.processes)))
	p := &process{name: name, cmd: exec.Command(args[0], args[1:]...), stdout: base + ".out", stderr: base + ".err", ended: make(chan struct{})}
	d.prepare(p.cmd, env...)
	var files []*os.File
	for _, path := range []string{p.stdout, p.stderr} {
		file, err := os.Create(path)
		if err != nil {
			d.t.Fatal(err)
		}
		files = append(files, file)
	}
	p.cmd.Stdout, p.cmd.Stderr = files[0], files[1]
	if change != nil {
		change(p.cmd)
	}
	err := p.cmd.Start()
	for _, file := range files {
		_ = file.Close()
	}
	if err != nil {
		d.t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	d.processes = append(d.processes, p)
	return p
}

// run runs a program to its end and returns its stdout; stderr is part of the
// error. The input may be empty.
func (d *desktop) run(input string, args ...string) (string, error) {
	return d.runIn(nil, input, args...)
}

// runIn is run with more of an environment.
func (d *desktop) runIn(env []string, input string, args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	// Not through PATH of the test, but of the desktop, where the stubs are.
	if own := filepath.Join(d.root, "bin", args[0]); !strings.Contains(args[0], "/") {
		if _, err := os.Stat(own); err == nil {
			cmd = exec.Command(own, args[1:]...)
		}
	}
	d.prepare(cmd, env...)
	cmd.Stdin = strings.NewReader(input)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", args[0], err, errs.String())
	}
	return out.String(), nil
}

// startWithLine starts a server that tells its address on file descriptor 3.
func (d *desktop) startWithLine(name string, args []string, change func(*exec.Cmd)) (*process, string) {
	d.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer read.Close()
	p := d.start(name, args, func(cmd *exec.Cmd) {
		cmd.ExtraFiles = []*os.File{write}
		if change != nil {
			change(cmd)
		}
	})
	_ = write.Close()
	_ = read.SetReadDeadline(time.Now().Add(15 * time.Second))
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil && (err != io.EOF || line == "") {
		d.t.Fatalf("%s did not come up: %v\n%s", name, err, p.words())
	}
	return p, strings.TrimSpace(line)
}

func (d *desktop) startScreen(o options) {
	d.t.Helper()
	// As root Xvfb makes this folder itself, as somebody else it only complains.
	if err := os.MkdirAll("/tmp/.X11-unix", 0o777|os.ModeSticky); err == nil {
		_ = os.Chmod("/tmp/.X11-unix", 0o777|os.ModeSticky)
	}
	_, number := d.startWithLine("xvfb", []string{tool(d.t, "Xvfb"), "-displayfd", "3", "-screen", "0",
		fmt.Sprintf("%dx%dx24", o.width, o.height), "-nolisten", "tcp", "-ac", "-noreset", "+extension", "GLX"}, func(cmd *exec.Cmd) {
		// The screen is ours and not the user's, who would not be allowed to
		// make the socket in a fresh system's /tmp.
		cmd.SysProcAttr.Credential = nil
	})
	d.display = ":" + number
}

// startBus starts a session bus without service files.
func (d *desktop) startBus() {
	d.t.Helper()
	config := d.write("run/bus.conf", `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path=`+filepath.Join(d.runtime, "bus")+`</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`, 0o600)
	_, d.bus = d.startWithLine("dbus", []string{tool(d.t, "dbus-daemon"), "--nofork", "--config-file=" + config, "--print-address=3"}, nil)
	d.bus, _, _ = strings.Cut(d.bus, ",guid=")
}

// artifacts is the folder for what a person may want to look at afterwards.
func artifacts(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../artifacts/e2e")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shot leaves a picture of the whole screen in artifacts/e2e and returns its path.
func (d *desktop) shot(name string) string {
	d.t.Helper()
	path := filepath.Join(artifacts(d.t), name+".png")
	d.screen.save(path)
	return path
}

// takeDown ends everything, in the opposite order, and reports what would have
// stayed behind.
func (d *desktop) takeDown() {
	if d.t.Failed() {
		d.keepEvidence()
	}
	for _, w := range d.watches {
		w.end()
	}
	if d.person != nil {
		d.person.leave()
	}
	for _, p := range d.processes {
		// Programs of a test that are still open are ended as a session's end
		// does it; what they in turn leave behind is caught below.
		if p.name != "xvfb" && p.name != "dbus" {
			p.stop()
		}
	}
	var roots []int
	for _, left := range gone(belonging(d.root, roots), 0) {
		if !d.own(left.pid) {
			roots = append(roots, left.pid)
		}
	}
	// Helpers of what was just ended get a moment to notice.
	var strays []inspected
	for _, i := range belonging(d.root, roots) {
		if !d.own(i.pid) {
			strays = append(strays, i)
		}
	}
	if strays = gone(strays, 3*time.Second); len(strays) > 0 {
		for _, i := range strays {
			d.t.Errorf("left over after everything was ended: %s", i)
		}
		kill(strays)
		gone(strays, time.Second)
	}
	if d.screen != nil {
		d.screen.close()
	}
	for i := len(d.processes) - 1; i >= 0; i-- {
		d.processes[i].stop()
	}
	reapOrphans(d.own)
	if err := removeAll(d.root); err != nil {
		d.t.Errorf("removing the desktop's folder: %v", err)
	}
}

// removeAll tries for a second, since a browser's last writes may still land.
func removeAll(dir string) (err error) {
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func (d *desktop) own(pid int) bool {
	for _, p := range d.processes {
		if p.pid() == pid && p.alive() {
			return true
		}
	}
	return false
}

// keepEvidence leaves the screen and the programs' words of a failed test.
func (d *desktop) keepEvidence() {
	name := "FAILED-" + strings.NewReplacer("/", "-", " ", "-").Replace(d.t.Name())
	if d.screen != nil && d.screen.works() {
		d.t.Logf("the screen at the end: %s", d.shot(name))
	}
	for _, p := range d.processes {
		if p.name != "xvfb" && p.name != "dbus" && p.name != "openbox" {
			if words := p.words(); words != "" {
				d.t.Log(words)
			}
		}
	}
}

// storyMark begins the lines that cmd/dev shows to a person who has no display.
const storyMark = "» "

// tell says one sentence of a story to whoever runs the practice journey.
func tell(format string, args ...any) { fmt.Printf(storyMark+format+"\n", args...) }
