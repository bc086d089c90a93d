package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// keyring is a real gnome-keyring on the desktop's bus. Its login collection
// is made and unlocked with a password of the test.
type keyring struct {
	d       *desktop
	daemon  *process
	starts  int
	initial string // the password
}

const (
	keyringPassword = "unlock-for-tests"
	secretsName     = "org.freedesktop.secrets"
	loginCollection = "/org/freedesktop/secrets/collection/login"
)

func newKeyring(d *desktop) *keyring {
	d.t.Helper()
	k := &keyring{d: d, initial: keyringPassword}
	k.start()
	return k
}

// start starts the daemon (again) and unlocks the login collection.
func (k *keyring) start() {
	k.d.t.Helper()
	k.starts++
	k.daemon = k.d.start("gnome-keyring", []string{tool(k.d.t, "gnome-keyring-daemon"), "--foreground", "--unlock",
		"--components=secrets", "--control-directory=" + filepath.Join(k.d.runtime, "keyring")}, func(cmd *exec.Cmd) {
		cmd.Stdin = strings.NewReader(k.initial)
	})
	within(k.d.t, 10*time.Second, "gnome-keyring answers and is unlocked", func() bool {
		locked, err := k.locked()
		return err == nil && !locked
	})
}

// dbus calls the bus as the user does and returns the printed answer.
func (d *desktop) dbus(args ...string) (string, error) {
	return d.run("", append([]string{tool(d.t, "dbus-send"), "--session", "--print-reply", "--reply-timeout=3000"}, args...)...)
}

// locked asks the service whether the login collection is locked.
func (k *keyring) locked() (bool, error) {
	out, err := k.d.dbus("--dest="+secretsName, loginCollection, "org.freedesktop.DBus.Properties.Get",
		"string:org.freedesktop.Secret.Collection", "string:Locked")
	switch {
	case err != nil:
		return false, err
	case strings.Contains(out, "boolean true"):
		return true, nil
	case strings.Contains(out, "boolean false"):
		return false, nil
	}
	return false, fmt.Errorf("no answer in %q", out)
}

// lock locks the login collection, as the desktop does when it sleeps.
func (k *keyring) lock() {
	k.d.t.Helper()
	if out, err := k.d.dbus("--dest="+secretsName, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", "array:objpath:"+loginCollection); err != nil {
		k.d.t.Fatalf("locking: %v %s", err, out)
	}
	if locked, err := k.locked(); err != nil || !locked {
		k.d.t.Fatalf("after locking: locked %v, %v", locked, err)
	}
}

// freeze stops the daemon so that it neither answers nor goes away; thaw lets
// it go on.
func (k *keyring) freeze() { k.daemon.signal(syscall.SIGSTOP) }
func (k *keyring) thaw()   { k.daemon.signal(syscall.SIGCONT) }

// kill ends the daemon at once and waits until its name is free.
func (k *keyring) kill() {
	k.d.t.Helper()
	k.daemon.signal(syscall.SIGKILL)
	<-k.daemon.ended
	within(k.d.t, 3*time.Second, "nobody owns the name of the keychain", func() bool {
		out, err := k.d.dbus("--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "string:"+secretsName)
		return err == nil && strings.Contains(out, "boolean false")
	})
}

// lookup reads one item with secret-tool, a client that is not ours. The
// attributes are those that go-keyring writes.
func (k *keyring) lookup(service, name string) (string, error) {
	return k.d.run("", tool(k.d.t, "secret-tool"), "lookup", "service", service, "username", name)
}

// names lists the items of a service, read with secret-tool. The secrets that
// the tool prints along are dropped.
func (k *keyring) names(service string) ([]string, error) {
	out, err := k.d.run("", "/bin/sh", "-c", `exec "$0" search --all --unlock service "$1" 2>&1`, tool(k.d.t, "secret-tool"), service)
	if err != nil && strings.TrimSpace(out) != "" {
		return nil, err
	}
	var names []string
	for _, line := range strings.Split(out, "\n") {
		if name, ok := strings.CutPrefix(line, "attribute.username = "); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// store writes an item as secret-tool does.
func (k *keyring) store(t testing.TB, service, name, value string) {
	t.Helper()
	if _, err := k.d.run(value, tool(t, "secret-tool"), "store", "--label", name, "service", service, "username", name); err != nil {
		t.Fatal(err)
	}
}
