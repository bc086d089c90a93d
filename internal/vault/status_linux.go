package vault

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// statusReply asks the bus, and then the service without starting it, on a
// connection of its own: an item call may be waiting for a dialog meanwhile.
func statusReply(id uint64) reply {
	ctx, cancel := context.WithTimeout(context.Background(), statusBudget*6/10)
	defer cancel()
	status, f := status(ctx)
	a := reply{ID: id, Status: &status}
	if f != nil {
		a.Failure, a.Reason = f.code, f.reason
	}
	return a
}

func status(ctx context.Context) (Status, *failure) {
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), dbus.WithContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return Status{}, &failure{failedAbsent, "silent"}
		}
		return Status{}, nil
	}
	defer conn.Close()
	bus := conn.BusObject()
	var pid uint32
	if err := bus.CallWithContext(ctx, ifBus+".GetConnectionUnixProcessID", 0, secrets).Store(&pid); err != nil {
		if ctx.Err() != nil {
			return Status{}, &failure{failedAbsent, "silent"}
		}
		var ready []string
		err := bus.CallWithContext(ctx, ifBus+".ListActivatableNames", 0).Store(&ready)
		if err != nil || !slices.Contains(ready, secrets) {
			return Status{}, nil
		}
		// It starts with the first call, and what starts then is locked.
		return Status{Program: unknownProgram, Locked: true, Present: true}, nil
	}
	s := Status{Program: programNamed(processName(pid)), Present: true}
	collection, f := collectionOn(ctx, conn, dbus.FlagNoAutoStart)
	switch {
	case f == nil:
		s.Collection, s.Locked, f = describe(ctx, conn, collection)
	case f.reason == noCollection:
		// The first attended call has one made, for which a password is chosen.
		s.Locked, f = true, nil
	}
	if f != nil && ctx.Err() != nil {
		f = &failure{failedAbsent, "silent"}
	}
	return s, f
}

func describe(ctx context.Context, conn *dbus.Conn, collection dbus.ObjectPath) (label string, locked bool, f *failure) {
	locked, err := property[bool](ctx, conn, dbus.FlagNoAutoStart, collection, ifColl, "Locked")
	if err != nil {
		return "", false, read(err)
	}
	label, err = property[string](ctx, conn, dbus.FlagNoAutoStart, collection, ifColl, "Label")
	if err != nil || strings.TrimSpace(label) == "" {
		label = path.Base(string(collection))
	}
	return label, locked, nil
}

// processName is the kernel's name of a process, at most 15 bytes. It is
// readable where the path of the program is not: the usual keyring daemon has
// capabilities and hides the rest.
func processName(pid uint32) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// unknownProgram stands for a program that we have no name for; sentences then
// speak of "the keychain".
const unknownProgram = "Secret Service"

func programNamed(process string) string {
	switch {
	case strings.HasPrefix(process, "gnome-keyring"):
		return "GNOME Keyring"
	case strings.HasPrefix(process, "keepassxc"):
		return "KeePassXC"
	case strings.HasPrefix(process, "kwalletd"), process == "ksecretd":
		return "KWallet"
	default:
		return unknownProgram
	}
}
