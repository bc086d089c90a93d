//go:build !darwin && !windows

package desktop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Names of the Desktop Notifications Specification 1.2.
const (
	notifications     = "org.freedesktop.Notifications"
	notificationsPath = "/org/freedesktop/Notifications"
	trayWatcher       = "org.kde.StatusNotifierWatcher"

	notifyLimit = 5 * time.Second
	trayLimit   = 2 * time.Second
)

// sessionBus connects to the bus of the environment; none is launched. Until
// limited ends, connecting can be given up; the connection itself lives until
// Close.
func sessionBus(limited context.Context) (*dbus.Conn, error) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if !filepath.IsAbs(dir) {
			return nil, errors.New("no session bus in the environment")
		}
		socket := filepath.Join(dir, "bus")
		if _, err := os.Stat(socket); err != nil {
			return nil, err
		}
		address = "unix:path=" + dbus.EscapeBusAddressValue(socket)
	}
	// An address may be a list, and two of its kinds start a program.
	address = strings.Join(slices.DeleteFunc(strings.Split(address, ";"), func(one string) bool {
		return !strings.HasPrefix(one, "unix:") && !strings.HasPrefix(one, "tcp:")
	}), ";")
	if address == "" {
		return nil, errors.New("the session bus is to be launched")
	}
	conn, err := dbus.Dial(address)
	if err != nil {
		return nil, err
	}
	// A bus that never answers holds Auth; closing lets it go.
	stop := context.AfterFunc(limited, func() { _ = conn.Close() })
	err = conn.Auth(nil)
	if err == nil {
		err = conn.Hello()
	}
	if !stop() && err == nil {
		err = limited.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

var bodyEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func notify(ctx context.Context, n Notice) (<-chan struct{}, error) {
	limited, cancel := context.WithTimeout(ctx, notifyLimit)
	defer cancel()
	unavailable := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return problem.New(problem.NotifyUnavailable).Because(err)
	}
	conn, err := sessionBus(limited)
	if err != nil {
		return nil, unavailable(err)
	}
	id, signals, owner, err := send(limited, conn, n)
	if err != nil {
		_ = conn.Close()
		return nil, unavailable(err)
	}
	clicked := make(chan struct{}, 1)
	go func() {
		defer close(clicked)
		defer conn.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case signal, open := <-signals:
				if !open {
					return
				}
				switch about(signal, owner, id) {
				case "ActionInvoked":
					if len(signal.Body) > 1 && signal.Body[1] == "default" {
						clicked <- struct{}{}
						return
					}
				case "NotificationClosed", "NameOwnerChanged":
					return
				}
			}
		}
	}()
	return clicked, nil
}

// send asks what the server can, subscribes, and only then notifies: a click
// may come before the answer is read.
func send(ctx context.Context, conn *dbus.Conn, n Notice) (id uint32, signals chan *dbus.Signal, owner string, err error) {
	server := conn.Object(notifications, notificationsPath)
	var can []string
	// This starts a server that the desktop starts on demand.
	if err := server.CallWithContext(ctx, notifications+".GetCapabilities", 0).Store(&can); err != nil {
		return 0, nil, "", err
	}
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, notifications).Store(&owner); err != nil {
		return 0, nil, "", err
	}
	signals = make(chan *dbus.Signal, 64)
	conn.Signal(signals)
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(notifications), dbus.WithMatchInterface(notifications), dbus.WithMatchObjectPath(notificationsPath)},
		{dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, notifications)},
	} {
		if err := conn.AddMatchSignalContext(ctx, match...); err != nil {
			return 0, nil, "", err
		}
	}
	body := problem.Outside(n.Body, 600)
	if slices.Contains(can, "body-markup") {
		body = bodyEscapes.Replace(body)
	}
	actions := []string{}
	if n.ActionLabel != "" && slices.Contains(can, "actions") {
		actions = []string{"default", problem.Outside(n.ActionLabel, 60)}
	}
	urgency := byte(1)
	if n.Urgent {
		urgency = 2
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(urgency), "desktop-entry": dbus.MakeVariant(appID)}
	err = server.CallWithContext(ctx, notifications+".Notify", 0,
		appName, uint32(0), appID, problem.Outside(n.Title, 120), body, actions, hints, int32(-1)).Store(&id)
	return id, signals, owner, err
}

// about names the signal if it is the server's and concerns id, "" otherwise.
// Anybody on the bus can send us one with the same words.
func about(signal *dbus.Signal, owner string, id uint32) string {
	if signal.Sender == "org.freedesktop.DBus" && signal.Name == "org.freedesktop.DBus.NameOwnerChanged" {
		if len(signal.Body) == 3 && signal.Body[0] == notifications && signal.Body[1] == owner {
			return "NameOwnerChanged"
		}
		return ""
	}
	member, ok := strings.CutPrefix(signal.Name, notifications+".")
	if !ok || signal.Sender != owner || len(signal.Body) == 0 || signal.Body[0] != id {
		return ""
	}
	return member
}

func hasTray(ctx context.Context) bool {
	limited, cancel := context.WithTimeout(ctx, trayLimit)
	defer cancel()
	conn, err := sessionBus(limited)
	if err != nil {
		return false
	}
	defer conn.Close()
	var owned bool
	err = conn.BusObject().CallWithContext(limited, "org.freedesktop.DBus.NameHasOwner", 0, trayWatcher).Store(&owned)
	return err == nil && owned
}
