package vault

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	keyring "github.com/zalando/go-keyring"
)

// noCollection is the reason where the service runs and has no keyring yet.
const noCollection = "no-collection"

// failure is why an item call failed, in the protocol's words.
type failure struct{ code, reason string }

func (f *failure) reply() reply { return reply{Failure: f.code, Reason: f.reason} }

// The Secret Service API, freedesktop.org, draft 0.2.
const (
	secrets     = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	ifService   = "org.freedesktop.Secret.Service"
	ifColl      = "org.freedesktop.Secret.Collection"
	ifItem      = "org.freedesktop.Secret.Item"
	ifPrompt    = "org.freedesktop.Secret.Prompt"
	ifBus       = "org.freedesktop.DBus"
	// The library prefers a collection of this name to the default one; the
	// lock that we look at must be that of the collection that it will use.
	loginPath = secretsPath + "/collection/login"
	noObject  = dbus.ObjectPath("/")
)

// service is the keychain as the child sees it.
type service struct {
	conn *dbus.Conn // ours alone: locks, dialogs, owner
	lib  *dbus.Conn // the library's, watched for what it ignores

	mu        sync.Mutex
	name      string // the program, "" where unknown or not asked yet
	waiters   map[dbus.ObjectPath]chan completed
	prompts   int // dialogs that the library opened
	dismissed int // of these, dismissed
}

type completed struct{ dismissed bool }

// connect makes the two connections. lost is called from then on when the
// service (bus false) or the bus went away.
func connect(lost func(bus bool)) (*service, *failure) {
	s := &service{waiters: map[dbus.ObjectPath]chan completed{}}
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		return nil, &failure{failedAbsent, "no-bus"}
	}
	signals := make(chan *dbus.Signal, 64)
	conn.Signal(signals)
	if err := conn.AddMatchSignal(dbus.WithMatchInterface(ifBus), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, secrets)); err != nil {
		_ = conn.Close()
		return nil, read(err)
	}
	lib, err := dbus.SessionBus()
	if err != nil {
		_ = conn.Close()
		return nil, &failure{failedAbsent, "no-bus"}
	}
	heard := make(chan *dbus.Signal, 64)
	lib.Signal(heard)
	s.conn, s.lib = conn, lib
	go s.listen(signals, lost)
	go s.overhear(heard)
	return s, nil
}

func (s *service) listen(signals <-chan *dbus.Signal, lost func(bool)) {
	for signal := range signals {
		switch signal.Name {
		case ifPrompt + ".Completed":
			dismissed, ok := verdict(signal)
			s.mu.Lock()
			if to := s.waiters[signal.Path]; ok && to != nil {
				delete(s.waiters, signal.Path)
				to <- completed{dismissed: dismissed}
			}
			s.mu.Unlock()
		case ifBus + ".NameOwnerChanged":
			if len(signal.Body) == 3 && signal.Body[0] == secrets {
				s.mu.Lock()
				s.name = ""
				s.mu.Unlock()
				if signal.Body[1] != "" {
					go lost(false)
				}
			}
		}
	}
	lost(true)
}

// overhear counts the dialogs of the library's own connection: it does not
// tell whether one was dismissed.
func (s *service) overhear(heard <-chan *dbus.Signal) {
	for signal := range heard {
		if dismissed, ok := verdict(signal); ok && signal.Name == ifPrompt+".Completed" {
			s.mu.Lock()
			s.prompts++
			if dismissed {
				s.dismissed++
			}
			s.mu.Unlock()
		}
	}
}

func verdict(signal *dbus.Signal) (dismissed, ok bool) {
	if len(signal.Body) < 1 {
		return false, false
	}
	dismissed, ok = signal.Body[0].(bool)
	return dismissed, ok
}

func (s *service) libraryPrompts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prompts
}

// wasDismissed reports whether the library swallowed a dismissal since before;
// the signal may be some milliseconds behind the library's answer.
func (s *service) wasDismissed(before int) bool {
	for range 10 {
		s.mu.Lock()
		now := s.dismissed
		s.mu.Unlock()
		if now > before {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

func (s *service) dismissals() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dismissed
}

// program is what a person calls the program that owns the service's name. It
// asks the bus only, which answers also when the program does not.
func (s *service) program() string {
	s.mu.Lock()
	name := s.name
	s.mu.Unlock()
	if name != "" {
		return name
	}
	ctx, cancel := context.WithTimeout(context.Background(), statusBudget)
	defer cancel()
	var pid uint32
	if err := s.conn.BusObject().CallWithContext(ctx, ifBus+".GetConnectionUnixProcessID", 0, secrets).Store(&pid); err != nil {
		return ""
	}
	if name = programNamed(processName(pid)); name == unknownProgram {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = name
	return name
}

// item does one request. waiting is called when a dialog has been opened.
func (s *service) item(ctx context.Context, r request, waiting func()) ([]byte, *failure) {
	if f := s.unlockCollection(ctx, r.Attended, waiting); f != nil {
		return nil, f
	}
	// Some programs lock item by item and let each program in separately.
	if f := s.unlockItems(ctx, r, waiting); f != nil {
		return nil, f
	}
	if r.Attended {
		// The service has just answered and nothing is locked: what takes this
		// long is a dialog about the item itself, which only the library knows.
		slow := time.AfterFunc(time.Second, waiting)
		defer slow.Stop()
	}
	value, f := s.withLibrary(ctx, r)
	if f != nil && f.code == failedLocked && f.reason == "library" {
		// The library asked although nothing needed asking, or mistook a signal:
		// once more, if the collection is open after all.
		if again := s.unlockCollection(ctx, r.Attended, waiting); again != nil {
			return nil, again
		}
		value, f = s.withLibrary(ctx, r)
	}
	return value, f
}

func (s *service) withLibrary(ctx context.Context, r request) ([]byte, *failure) {
	before := s.dismissals()
	switch r.Op {
	case opGet:
		value, err := keyring.Get(r.Service, r.Name)
		if err != nil {
			if s.dismissals() > before {
				return nil, &failure{code: failedDismissed}
			}
			return nil, read(err)
		}
		return []byte(value), nil
	case opDelete:
		return nil, s.remove(ctx, r, before)
	default:
		return nil, s.put(ctx, r, before)
	}
}

// put writes and reads back. Doubles under the same name (another program
// stored one with attributes of its own) would make it a matter of luck which
// one is read later: the one that is in the way is removed.
func (s *service) put(ctx context.Context, r request, before int) *failure {
	for attempt := range maxDoubles {
		if err := keyring.Set(r.Service, r.Name, string(r.Value)); err != nil {
			return read(err)
		}
		got, err := keyring.Get(r.Service, r.Name)
		if err == nil && got == string(r.Value) {
			return nil
		}
		if s.wasDismissed(before) {
			return &failure{code: failedDismissed}
		}
		if err != nil && !errors.Is(err, keyring.ErrNotFound) {
			return read(err)
		}
		found, f := s.search(ctx, r)
		if f != nil {
			return f
		}
		if attempt > 0 && len(found) < 2 {
			break
		}
		if len(found) > 1 {
			// The library deletes the one that it has just read.
			if err := keyring.Delete(r.Service, r.Name); err != nil && !errors.Is(err, keyring.ErrNotFound) {
				return read(err)
			}
		}
	}
	return &failure{failedUnreadable, "readback"}
}

// remove deletes until nothing is left under the name.
func (s *service) remove(ctx context.Context, r request, before int) *failure {
	for attempt := range maxDoubles {
		err := keyring.Delete(r.Service, r.Name)
		if errors.Is(err, keyring.ErrNotFound) && attempt > 0 {
			return nil
		}
		if err != nil {
			return read(err)
		}
		found, f := s.search(ctx, r)
		if f != nil {
			return f
		}
		if len(found) == 0 {
			return nil
		}
		if s.wasDismissed(before) {
			return &failure{code: failedDismissed}
		}
	}
	return &failure{failedUnreadable, "not-deleted"}
}

const maxDoubles = 8

// collection gives the one that the library will use.
func (s *service) collection(ctx context.Context, flags dbus.Flags) (dbus.ObjectPath, *failure) {
	return collectionOn(ctx, s.conn, flags)
}

func collectionOn(ctx context.Context, conn *dbus.Conn, flags dbus.Flags) (dbus.ObjectPath, *failure) {
	all, err := property[[]dbus.ObjectPath](ctx, conn, flags, secretsPath, ifService, "Collections")
	if err != nil {
		return "", read(err)
	}
	for _, path := range all {
		if path == loginPath {
			return path, nil
		}
	}
	var path dbus.ObjectPath
	if err := ask(ctx, conn, flags, secretsPath, ifService+".ReadAlias", "default").Store(&path); err != nil {
		return "", read(err)
	}
	if path == noObject || !path.IsValid() {
		return "", &failure{failedAbsent, noCollection}
	}
	return path, nil
}

func (s *service) unlockCollection(ctx context.Context, attended bool, waiting func()) *failure {
	path, f := s.collection(ctx, 0)
	if f != nil && f.reason == noCollection && attended {
		if f = s.createCollection(ctx, waiting); f == nil {
			path, f = s.collection(ctx, 0)
		}
	}
	if f != nil {
		return f
	}
	return s.unlock(ctx, path, ifColl, attended, waiting)
}

// createCollection has the service make the default collection, for which the
// person chooses a password: on a desktop without a login manager nobody has
// made one before the first program that needs it.
func (s *service) createCollection(ctx context.Context, waiting func()) *failure {
	properties := map[string]dbus.Variant{ifColl + ".Label": dbus.MakeVariant("Login")}
	var made, prompt dbus.ObjectPath
	if err := ask(ctx, s.conn, 0, secretsPath, ifService+".CreateCollection", properties, "default").Store(&made, &prompt); err != nil {
		return read(err)
	}
	if prompt == noObject {
		return nil
	}
	return s.prompt(ctx, prompt, waiting)
}

func (s *service) unlockItems(ctx context.Context, r request, waiting func()) *failure {
	found, f := s.search(ctx, r)
	if f != nil {
		return f
	}
	for _, path := range found {
		if f := s.unlock(ctx, path, ifItem, r.Attended, waiting); f != nil {
			return f
		}
	}
	return nil
}

func (s *service) search(ctx context.Context, r request) ([]dbus.ObjectPath, *failure) {
	path, f := s.collection(ctx, 0)
	if f != nil {
		return nil, f
	}
	var found []dbus.ObjectPath
	wanted := map[string]string{"service": r.Service, "username": r.Name}
	if err := ask(ctx, s.conn, 0, path, ifColl+".SearchItems", wanted).Store(&found); err != nil {
		return nil, read(err)
	}
	return found, nil
}

// unlock makes sure that path is open, by asking the person where that is
// allowed. What the service says about success is checked by looking again.
func (s *service) unlock(ctx context.Context, path dbus.ObjectPath, iface string, attended bool, waiting func()) *failure {
	locked, err := property[bool](ctx, s.conn, 0, path, iface, "Locked")
	if err != nil {
		return read(err)
	}
	if !locked {
		return nil
	}
	if !attended {
		return &failure{code: failedLocked}
	}
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	call := ask(ctx, s.conn, 0, secretsPath, ifService+".Unlock", []dbus.ObjectPath{path})
	if err := call.Store(&unlocked, &prompt); err != nil {
		return read(err)
	}
	if prompt != noObject {
		if f := s.prompt(ctx, prompt, waiting); f != nil {
			return f
		}
	}
	locked, err = property[bool](ctx, s.conn, 0, path, iface, "Locked")
	if err != nil {
		return read(err)
	}
	if locked {
		return &failure{code: failedLocked}
	}
	return nil
}

// unread is how soon after it was asked for no person has dismissed a dialog:
// the service could not show one (no screen), and says that with the same word.
const unread = 400 * time.Millisecond

// prompt shows the dialog and waits for its end. Only the signal of this very
// dialog counts, whatever else arrives meanwhile. A dialog that is no longer
// wanted is left to the service, which may keep it on the screen; whoever types
// into it then opens the keyring for the next call. It is never dismissed by a
// call, because Prompt.Dismiss makes GNOME Keyring 42.1 abort while the dialog
// is shown, and every program on the desktop would have lost its keyring.
func (s *service) prompt(ctx context.Context, path dbus.ObjectPath, waiting func()) *failure {
	match := []dbus.MatchOption{dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(ifPrompt), dbus.WithMatchMember("Completed")}
	if err := s.conn.AddMatchSignalContext(ctx, match...); err != nil {
		return read(err)
	}
	defer func() { _ = s.conn.RemoveMatchSignal(match...) }()
	done := make(chan completed, 1)
	s.mu.Lock()
	s.waiters[path] = done
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiters, path)
		s.mu.Unlock()
	}()
	shown := time.Now()
	if err := ask(ctx, s.conn, 0, path, ifPrompt+".Prompt", "").Err; err != nil {
		return read(err)
	}
	waiting()
	select {
	case c := <-done:
		switch {
		case !c.dismissed:
			return nil
		case time.Since(shown) < unread:
			return &failure{failedLocked, "no-dialog"}
		default:
			return &failure{code: failedDismissed}
		}
	case <-ctx.Done():
		return &failure{failedAbsent, "gone"}
	}
}

// patience is how long the service may take for an answer for which it asks
// nobody: time to be started by the bus on a busy computer, and far less than
// an attended call has, most of which is for typing.
const patience = 20 * time.Second

// ask calls a method of the service and waits for the answer. (Opening a
// dialog is answered at once; its end comes as a signal.)
func ask(ctx context.Context, conn *dbus.Conn, flags dbus.Flags, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return conn.Object(secrets, path).CallWithContext(ctx, method, flags, args...)
}

func property[T any](ctx context.Context, conn *dbus.Conn, flags dbus.Flags, path dbus.ObjectPath, iface, name string) (T, error) {
	var v dbus.Variant
	var out T
	err := ask(ctx, conn, flags, path, "org.freedesktop.DBus.Properties.Get", iface, name).Store(&v)
	if err != nil {
		return out, err
	}
	out, ok := v.Value().(T)
	if !ok {
		return out, errors.New("vault: a property of another type")
	}
	return out, nil
}

// read turns an error of the bus, the service or the library into a failure.
func read(err error) *failure {
	if errors.Is(err, keyring.ErrNotFound) {
		return &failure{code: failedNotFound}
	}
	if errors.Is(err, keyring.ErrSetDataTooBig) {
		return &failure{code: failedTooBig}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &failure{failedAbsent, "silent"}
	}
	var said dbus.Error
	if !errors.As(err, &said) {
		var pointed *dbus.Error
		if errors.As(err, &pointed) {
			said = *pointed
		}
	}
	switch said.Name {
	case "":
		// The library's only sentence of its own about locks.
		if strings.HasPrefix(err.Error(), "failed to unlock correct collection") {
			return &failure{failedLocked, "library"}
		}
		var network *net.OpError
		if errors.As(err, &network) || errors.Is(err, dbus.ErrClosed) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return &failure{failedAbsent, "gone"}
		}
		return &failure{failedUnreadable, "service"}
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return &failure{failedAbsent, "no-service"}
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected":
		return &failure{failedAbsent, "gone"}
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.AuthFailed",
		"org.gnome.keyring.Error.Denied", "org.freedesktop.zbus.Error.AccessDenied":
		return &failure{code: failedDenied}
	case "org.freedesktop.Secret.Error.IsLocked":
		return &failure{code: failedLocked}
	case "org.freedesktop.DBus.Error.LimitsExceeded", "org.freedesktop.DBus.Error.NoMemory":
		return &failure{code: failedTooBig}
	}
	if strings.HasPrefix(said.Name, "org.freedesktop.DBus.Error.Spawn.") || said.Name == "org.freedesktop.DBus.Error.TimedOut" {
		return &failure{failedAbsent, "no-service"}
	}
	return &failure{failedUnreadable, "service"}
}
