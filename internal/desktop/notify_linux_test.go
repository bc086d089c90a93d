package desktop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`

// startBus sets the environment of the test to a bus of its own, on which
// nothing is.
func startBus(t *testing.T) (address string, kill func()) {
	t.Helper()
	dir := homeDir(t)
	socket := filepath.Join(dir, "bus")
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(fmt.Sprintf(busConfig, socket)), 0o600); err != nil {
		t.Fatal(err)
	}
	bus := exec.Command(tool(t, "dbus-daemon", "dbus"), "--config-file="+config, "--nofork", "--print-address")
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { _ = bus.Process.Kill(); _ = bus.Wait() })
	t.Cleanup(kill)
	// It prints the address when it listens.
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	address = "unix:path=" + socket
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	return address, kill
}

// shown is one notification as the server got it.
type shown struct {
	id       uint32
	app      string
	replaces uint32
	icon     string
	summary  string
	body     string
	actions  []string
	hints    map[string]dbus.Variant
	expires  int32
	from     dbus.Sender
}

// server is a notification daemon of the Desktop Notifications Specification.
type server struct {
	t    *testing.T
	conn *dbus.Conn
	can  []string
	got  chan shown

	mu     sync.Mutex
	early  bool // clicks before Notify has answered
	silent chan struct{}
	next   uint32
}

func newServer(t *testing.T, address string, can ...string) *server {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, conn: conn, can: can, got: make(chan shown, 10), next: 41}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Export(s, notificationsPath, notifications); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.RequestName(notifications, 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return s
}

func (s *server) GetCapabilities() ([]string, *dbus.Error) {
	s.mu.Lock()
	silent := s.silent
	s.mu.Unlock()
	if silent != nil {
		<-silent
	}
	return s.can, nil
}

func (s *server) Notify(from dbus.Sender, app string, replaces uint32, icon, summary, body string, actions []string, hints map[string]dbus.Variant, expires int32) (uint32, *dbus.Error) {
	s.mu.Lock()
	s.next++
	id, early := s.next, s.early
	s.mu.Unlock()
	s.got <- shown{id: id, app: app, replaces: replaces, icon: icon, summary: summary, body: body, actions: actions, hints: hints, expires: expires, from: from}
	if early {
		s.click(id, "default")
	}
	return id, nil
}

func (s *server) emit(member string, values ...any) {
	s.t.Helper()
	if err := s.conn.Emit(notificationsPath, notifications+"."+member, values...); err != nil {
		s.t.Error(err)
	}
}

func (s *server) click(id uint32, action string) { s.emit("ActionInvoked", id, action) }
func (s *server) close(id uint32)                { s.emit("NotificationClosed", id, uint32(2)) }

func (s *server) received() shown {
	s.t.Helper()
	select {
	case n := <-s.got:
		return n
	case <-time.After(10 * time.Second):
		s.t.Fatal("the server got nothing")
		return shown{}
	}
}

// outcome waits for what becomes of a notification.
func outcome(t *testing.T, clicked <-chan struct{}) (click bool) {
	t.Helper()
	select {
	case _, click = <-clicked:
		if click {
			select {
			case _, again := <-clicked:
				if again {
					t.Fatal("one click came twice")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("after the click the channel stays open")
			}
		}
		return click
	case <-time.After(10 * time.Second):
		t.Fatal("nothing became of it")
		return false
	}
}

func still(t *testing.T, clicked <-chan struct{}) {
	t.Helper()
	select {
	case _, click := <-clicked:
		t.Fatalf("over already, click %v", click)
	case <-time.After(100 * time.Millisecond):
	}
}

func (s *server) names() []string {
	s.t.Helper()
	var names []string
	if err := s.conn.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
		s.t.Fatal(err)
	}
	return names
}

func (s *server) gone(from dbus.Sender) {
	s.t.Helper()
	eventually(s.t, "the connection is closed", func() bool { return !slices.Contains(s.names(), string(from)) })
}

func TestANotificationArrivesAndIsClicked(t *testing.T) {
	address, _ := startBus(t)
	s := newServer(t, address, "body", "actions", "body-markup", "icon-static")
	clicked, err := Notify(t.Context(), Notice{Title: "@cedarclinic needs you by Friday", Body: "Its token ends in 5 days. Sign in once to keep it going.", ActionLabel: "Open", Urgent: true})
	if err != nil {
		t.Fatal(err)
	}
	n := s.received()
	if n.app != "Tokenkeep" || n.icon != "io.github.tokenkeep.Tokenkeep" || n.replaces != 0 || n.expires != -1 ||
		n.summary != "@cedarclinic needs you by Friday" || n.body != "Its token ends in 5 days. Sign in once to keep it going." || !slices.Equal(n.actions, []string{"default", "Open"}) {
		t.Errorf("%+v", n)
	}
	if n.hints["urgency"].Value() != byte(2) || n.hints["desktop-entry"].Value() != "io.github.tokenkeep.Tokenkeep" || len(n.hints) != 2 {
		t.Errorf("%v", n.hints)
	}
	// What concerns another notification or another action is not ours.
	s.click(n.id+1, "default")
	s.close(n.id + 1)
	s.click(n.id, "snooze")
	s.emit("ActivationToken", n.id, "token")
	still(t, clicked)
	s.click(n.id, "default")
	if !outcome(t, clicked) {
		t.Error("closed without the click")
	}
	s.gone(n.from)
}

func TestANotificationIsClosed(t *testing.T) {
	address, _ := startBus(t)
	s := newServer(t, address, "body", "actions")
	clicked, err := Notify(t.Context(), Notice{Title: "x"})
	if err != nil {
		t.Fatal(err)
	}
	n := s.received()
	if len(n.actions) != 0 || n.hints["urgency"].Value() != byte(1) {
		t.Errorf("%+v", n)
	}
	s.close(n.id)
	if outcome(t, clicked) {
		t.Error("a click, where it was closed")
	}
	s.gone(n.from)

	ctx, cancel := context.WithCancel(t.Context())
	clicked, err = Notify(ctx, Notice{Title: "y", ActionLabel: "Open"})
	if err != nil {
		t.Fatal(err)
	}
	n = s.received()
	cancel()
	if outcome(t, clicked) {
		t.Error("a click, where we gave up")
	}
	s.gone(n.from)
}

// Some daemons report a click before they have answered the call.
func TestAClickBeforeTheAnswer(t *testing.T) {
	address, _ := startBus(t)
	s := newServer(t, address, "actions")
	s.mu.Lock()
	s.early = true
	s.mu.Unlock()
	for range 20 {
		clicked, err := Notify(t.Context(), Notice{Title: "x", ActionLabel: "Open"})
		if err != nil {
			t.Fatal(err)
		}
		if s.received(); !outcome(t, clicked) {
			t.Fatal("the click was lost")
		}
	}
}

// Anybody on the bus can send us a signal by name.
func TestAStrangersClickIsNone(t *testing.T) {
	address, _ := startBus(t)
	s := newServer(t, address, "actions")
	clicked, err := Notify(t.Context(), Notice{Title: "x", ActionLabel: "Open"})
	if err != nil {
		t.Fatal(err)
	}
	n := s.received()
	stranger, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for member, second := range map[string]any{"ActionInvoked": "default", "NotificationClosed": uint32(1)} {
		msg := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(string(n.from)),
			dbus.FieldInterface:   dbus.MakeVariant(notifications),
			dbus.FieldMember:      dbus.MakeVariant(member),
			dbus.FieldPath:        dbus.MakeVariant(dbus.ObjectPath(notificationsPath)),
			dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(n.id, second)),
		}, Body: []any{n.id, second}}
		stranger.Send(msg, nil)
	}
	still(t, clicked)
	// Nor do values of another shape do any harm, from the server itself.
	s.emit("ActionInvoked")
	s.emit("ActionInvoked", "default", n.id)
	s.emit("ActionInvoked", n.id)
	s.emit("ActionInvoked", n.id, n.id)
	still(t, clicked)
	s.click(n.id, "default")
	if !outcome(t, clicked) {
		t.Error("the server's own click was lost")
	}
}

func TestNamesInANotificationAreOnlyText(t *testing.T) {
	address, _ := startBus(t)
	evil := "<b>bold</b> <a href=\"https://example.com\">&amp;</a> \x1b[31m\u202e\x00\xff\nnext"
	long := strings.Repeat("ü", 5000)
	for _, c := range []struct {
		can  []string
		body string
	}{
		{[]string{"body", "body-markup"}, "&lt;b&gt;bold&lt;/b&gt; &lt;a href=\"https://example.com\"&gt;&amp;amp;&lt;/a&gt; [31m next"},
		{[]string{"body"}, `<b>bold</b> <a href="https://example.com">&amp;</a> [31m next`},
		{nil, `<b>bold</b> <a href="https://example.com">&amp;</a> [31m next`},
	} {
		s := newServer(t, address, c.can...)
		for _, body := range []string{evil, long, strings.Repeat("<", 10_000)} {
			clicked, err := Notify(t.Context(), Notice{Title: body, Body: body, ActionLabel: body})
			if err != nil {
				t.Fatal(err)
			}
			n := s.received()
			if body == evil && (n.body != c.body || n.summary != `<b>bold</b> <a href="https://example.com">&amp;</a> [31m next`) {
				t.Errorf("%v: %q, %q", c.can, n.summary, n.body)
			}
			plain := strings.NewReplacer("&lt;", "<").Replace(n.body)
			if utf8.RuneCountInString(n.summary) > 121 || utf8.RuneCountInString(plain) > 601 {
				t.Errorf("%d and %d characters were sent", utf8.RuneCountInString(n.summary), utf8.RuneCountInString(plain))
			}
			if len(n.actions) != 0 {
				t.Errorf("a server without actions got %q", n.actions)
			}
			s.close(n.id)
			outcome(t, clicked)
		}
		if _, err := s.conn.ReleaseName(notifications); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNobodyTakesNotifications(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", homeDir(t))
	dir := homeDir(t)
	for _, address := range []string{"", "unix:path=" + dir + "/none", "nonsense", "autolaunch:", "autolaunch:scope=user", "unixexec:path=/bin/touch,argv1=" + dir + "/ran",
		"unix:path=" + dir + "/none;unixexec:path=/bin/touch,argv1=" + dir + "/ran"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		start := time.Now()
		_, err := Notify(t.Context(), Notice{Title: "x"})
		wantKey(t, err, problem.NotifyUnavailable)
		if HasTray(t.Context()) {
			t.Errorf("%q has a tray", address)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("%q took %v", address, took)
		}
	}
	if _, err := os.Stat(dir + "/ran"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was launched: %v", err)
	}
	// A bus without a server.
	startBus(t)
	_, err := Notify(t.Context(), Notice{Title: "x"})
	wantKey(t, err, problem.NotifyUnavailable)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Notify(cancelled, Notice{Title: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Where the environment names none, the bus of the runtime folder is taken.
func TestTheBusOfTheRuntimeFolder(t *testing.T) {
	address, _ := startBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(strings.TrimPrefix(address, "unix:path=")))
	s := newServer(t, address, "body")
	clicked, err := Notify(t.Context(), Notice{Title: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s.close(s.received().id)
	outcome(t, clicked)
}

func TestAServerThatNeverAnswers(t *testing.T) {
	address, _ := startBus(t)
	s := newServer(t, address)
	silent := make(chan struct{})
	defer close(silent)
	s.mu.Lock()
	s.silent = silent
	s.mu.Unlock()
	start := time.Now()
	_, err := Notify(t.Context(), Notice{Title: "x"})
	wantKey(t, err, problem.NotifyUnavailable)
	if took := time.Since(start); took < 4*time.Second || took > 12*time.Second {
		t.Errorf("took %v", took)
	}
}

// A bus that takes the connection and says nothing.
func TestABusThatNeverAnswers(t *testing.T) {
	socket := filepath.Join(homeDir(t), "bus")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+socket)
	start := time.Now()
	if HasTray(t.Context()) {
		t.Error("a tray")
	}
	_, err = Notify(t.Context(), Notice{Title: "x"})
	wantKey(t, err, problem.NotifyUnavailable)
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestTheBusOrTheServerDies(t *testing.T) {
	address, kill := startBus(t)
	s := newServer(t, address, "actions")
	clicked, err := Notify(t.Context(), Notice{Title: "x", ActionLabel: "Open"})
	if err != nil {
		t.Fatal(err)
	}
	s.received()
	if _, err := s.conn.ReleaseName(notifications); err != nil {
		t.Fatal(err)
	}
	if outcome(t, clicked) {
		t.Error("a click from a server that has gone")
	}
	s = newServer(t, address, "actions")
	if clicked, err = Notify(t.Context(), Notice{Title: "x", ActionLabel: "Open"}); err != nil {
		t.Fatal(err)
	}
	s.received()
	kill()
	if outcome(t, clicked) {
		t.Error("a click from a bus that has gone")
	}
	_, err = Notify(t.Context(), Notice{Title: "x"})
	wantKey(t, err, problem.NotifyUnavailable)
}

func TestATrayIsSeen(t *testing.T) {
	address, _ := startBus(t)
	if HasTray(t.Context()) {
		t.Error("a tray on an empty bus")
	}
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.RequestName(trayWatcher, 0); err != nil {
		t.Fatal(err)
	}
	if !HasTray(t.Context()) {
		t.Error("no tray, where somebody watches for them")
	}
}
