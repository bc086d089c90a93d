package vault

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
)

// desktop is a session of its own: a bus that starts nothing by itself, a home
// and runtime directory that go with the test.
type desktop struct {
	t       testing.TB
	dir     string
	address string
	bus     *exec.Cmd
	daemon  *exec.Cmd
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// newDesktop sets the environment of this test to a new one with a bus and
// nothing on it.
func newDesktop(t testing.TB) *desktop {
	t.Helper()
	d := &desktop{t: t, dir: shortDir(t)}
	for _, name := range []string{"home", "run", "tmp"} {
		if err := os.Mkdir(filepath.Join(d.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	clearSession(t)
	t.Setenv("HOME", filepath.Join(d.dir, "home"))
	t.Setenv("TMPDIR", filepath.Join(d.dir, "tmp"))
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(d.dir, "run"))
	d.address = "unix:path=" + filepath.Join(d.dir, "bus")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.address)
	d.startBus()
	t.Cleanup(d.stopBus)
	return d
}

func clearSession(t testing.TB) {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "XDG_") || name == "DISPLAY" || name == "WAYLAND_DISPLAY" || name == "DBUS_SESSION_BUS_ADDRESS" {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
}

// shortDir is a temporary directory whose path leaves room for a socket's
// name, which may have 107 bytes.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "vault")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (d *desktop) startBus() { d.t.Helper(); d.startBusWith(busConfig) }

func (d *desktop) startBusWith(text string) {
	d.t.Helper()
	config := filepath.Join(d.dir, "bus.conf")
	socket := filepath.Join(d.dir, "bus")
	os.Remove(socket)
	if err := os.WriteFile(config, []byte(fmt.Sprintf(text, socket)), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.bus = exec.Command(tool(d.t, "dbus-daemon", "dbus-daemon"), "--config-file="+config, "--nofork", "--print-address")
	out, err := d.bus.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.bus.Start(); err != nil {
		d.t.Fatal(err)
	}
	// It prints the address when it listens.
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		d.t.Fatalf("dbus-daemon: %v", err)
	}
}

func (d *desktop) stopBus() { end(d.bus); d.bus = nil; end(d.daemon); d.daemon = nil }

func end(cmd *exec.Cmd) {
	if cmd != nil && cmd.Process != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

const keyringPassword = "correct horse"

// startKeyring starts the real daemon with its login keyring open.
func (d *desktop) startKeyring() { d.t.Helper(); d.startKeyringWith("--unlock") }

func (d *desktop) startKeyringWith(mode string) {
	d.t.Helper()
	d.daemon = exec.Command(tool(d.t, "gnome-keyring-daemon", "gnome-keyring"),
		"--foreground", mode, "--components=secrets", "--control-directory="+filepath.Join(d.dir, "run", "keyring"))
	d.daemon.Stdin = strings.NewReader(keyringPassword)
	if err := d.daemon.Start(); err != nil {
		d.t.Fatal(err)
	}
	conn := d.connect()
	defer conn.Close()
	d.until("the keyring daemon has its name", func() bool {
		var owned bool
		err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, secrets).Store(&owned)
		return err == nil && owned
	})
}

func (d *desktop) endKeyring() { end(d.daemon); d.daemon = nil }

func (d *desktop) signalKeyring(s syscall.Signal) {
	d.t.Helper()
	if err := d.daemon.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desktop) lockKeyring() {
	d.t.Helper()
	conn := d.connect()
	defer conn.Close()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := conn.Object(secrets, secretsPath).Call(ifService+".Lock", 0, []dbus.ObjectPath{loginPath}).Store(&locked, &prompt)
	if err != nil || len(locked) != 1 {
		d.t.Fatalf("lock: %v %v", locked, err)
	}
}

// unlockKeyring types the password, as the login of a desktop does.
func (d *desktop) unlockKeyring() {
	d.t.Helper()
	conn := d.connect()
	defer conn.Close()
	service := conn.Object(secrets, secretsPath)
	var ignore dbus.Variant
	var session dbus.ObjectPath
	if err := service.Call(ifService+".OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&ignore, &session); err != nil {
		d.t.Fatal(err)
	}
	master := fakeSecret{Session: session, Parameters: []byte{}, Value: []byte(keyringPassword), ContentType: "text/plain"}
	err := service.Call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0, loginPath, master).Err
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desktop) connect() *dbus.Conn {
	d.t.Helper()
	conn, err := dbus.Connect(d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	return conn
}

// until polls for at most ten seconds.
func (d *desktop) until(what string, holds func() bool) { eventually(d.t, what, holds) }

// processesBelow lists the live processes whose parent is pid, and theirs.
func processesBelow(pid int) []int {
	entries, _ := os.ReadDir("/proc")
	children := map[int][]int{}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		// After the last ")", which ends the name: state, parent.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 1 && fields[0] != "Z" {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], n)
		}
	}
	var all []int
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		all = append(all, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return all
}

// keychainChild is the pid of our own child, 0 without one.
func keychainChild() int {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.child == nil || shared.child.hasEnded() {
		return 0
	}
	return shared.child.cmd.Process.Pid
}
