package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// notice is one notification as a desktop's daemon receives it.
type notice struct {
	id             uint32
	title, body    string
	actions        []string // key, label, key, label …
	from           string   // the sender's unique name on the bus
	desktopEntry   string
	urgency        byte
	expiresAfterMS int32
}

// notices is the notification daemon of a desktop: it owns the well-known name
// on the bus, keeps what it is sent and clicks when a test says so.
type notices struct {
	t    testing.TB
	conn *dbus.Conn

	mu   sync.Mutex
	kept []notice
}

const noticesName, noticesPath = "org.freedesktop.Notifications", dbus.ObjectPath("/org/freedesktop/Notifications")

// receiveNotices starts the daemon on the desktop's bus.
func (d *desktop) receiveNotices() *notices {
	d.t.Helper()
	conn, err := dbus.Connect(d.bus)
	if err != nil {
		d.t.Fatalf("connecting to the desktop's bus: %v", err)
	}
	n := &notices{t: d.t, conn: conn}
	d.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Export(n, noticesPath, noticesName); err != nil {
		d.t.Fatal(err)
	}
	reply, err := conn.RequestName(noticesName, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatalf("the name of the notification daemon: %v %v", reply, err)
	}
	return n
}

// GetCapabilities is called over the bus.
func (n *notices) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"body", "body-markup", "actions"}, nil
}

// GetServerInformation is called over the bus.
func (n *notices) GetServerInformation() (name, vendor, version, specification string, err *dbus.Error) {
	return "notices of the tests", "nobody", "1", "1.2", nil
}

// Notify is called over the bus.
func (n *notices) Notify(from dbus.Sender, _ string, replaces uint32, _ string, title, body string, actions []string, hints map[string]dbus.Variant, expires int32) (uint32, *dbus.Error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	one := notice{id: replaces, title: title, body: body, actions: actions, from: string(from), expiresAfterMS: expires}
	if one.id == 0 {
		one.id = uint32(len(n.kept) + 1)
	}
	if entry, ok := hints["desktop-entry"]; ok {
		one.desktopEntry, _ = entry.Value().(string)
	}
	if urgency, ok := hints["urgency"]; ok {
		one.urgency, _ = urgency.Value().(byte)
	}
	n.kept = append(n.kept, one)
	return one.id, nil
}

// CloseNotification is called over the bus.
func (n *notices) CloseNotification(id uint32) *dbus.Error {
	_ = n.conn.Emit(noticesPath, noticesName+".NotificationClosed", id, uint32(3))
	return nil
}

// all are the notices so far.
func (n *notices) all() []notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]notice(nil), n.kept...)
}

// next waits for one more notice than there were.
func (n *notices) next(were int, limit time.Duration) notice {
	n.t.Helper()
	within(n.t, limit, "a notification arrives", func() bool { return len(n.all()) > were })
	return n.all()[were]
}

// click presses a notice as a person does.
func (n *notices) click(one notice) {
	n.t.Helper()
	key := "default"
	if len(one.actions) > 0 {
		key = one.actions[0]
	}
	if err := n.conn.Emit(noticesPath, noticesName+".ActionInvoked", one.id, key); err != nil {
		n.t.Fatal(err)
	}
	_ = n.conn.Emit(noticesPath, noticesName+".NotificationClosed", one.id, uint32(2))
}

// The daemon itself: what is sent arrives, and a click comes back.
func TestNoticesArrive(t *testing.T) {
	d := newDesktop(t, options{noKeyring: true})
	n := d.receiveNotices()
	conn, err := dbus.Connect(d.bus)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(noticesName)); err != nil {
		t.Fatal(err)
	}
	signals := make(chan *dbus.Signal, 4)
	conn.Signal(signals)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	call := conn.Object(noticesName, noticesPath).CallWithContext(ctx, noticesName+".Notify", 0,
		"t", uint32(0), "", "Title", "Body", []string{"default", "Open"}, map[string]dbus.Variant{"urgency": dbus.MakeVariant(byte(2))}, int32(-1))
	if call.Err != nil {
		t.Fatal(call.Err)
	}
	got := n.next(0, 5*time.Second)
	if got.title != "Title" || got.body != "Body" || got.urgency != 2 || len(got.actions) != 2 {
		t.Errorf("it received %+v", got)
	}
	n.click(got)
	select {
	case s := <-signals:
		if s.Name != noticesName+".ActionInvoked" || s.Body[1] != "default" {
			t.Errorf("the click came back as %+v", s)
		}
	case <-ctx.Done():
		t.Error("no click came back")
	}
}
