package vault

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// childArgument is what tells a new process of ours that it is the keychain child.
const childArgument = "__vault"

// farewell is how long a child has to end by itself after its stdin closed.
const farewell = 150 * time.Millisecond

// host is this process's side: it has at most one child, gives it one item
// call at a time, and ends it when a call has taken too long.
type host struct {
	// turn is held by the one item call under way, and after a call that was
	// given up until its child has ended.
	turn chan struct{}

	mu    sync.Mutex
	child *process
	users int
	// program is who was asked last.
	program string
	// asking is closed while a dialog is open.
	asking chan struct{}
}

var shared = &host{turn: make(chan struct{}, 1), asking: make(chan struct{})}

func systemBackend() backend {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.users++
	return shared
}

func (h *host) close() {
	h.mu.Lock()
	h.users--
	var p *process
	if h.users == 0 {
		p, h.child = h.child, nil
	}
	h.mu.Unlock()
	if p != nil {
		p.stop()
		<-p.ended
	}
}

func (h *host) item(ctx context.Context, r request, o Options) (reply, error) {
	a, err := h.call(ctx, r, o)
	if a.Failure != "" && !(a.Failure == failedAbsent && a.Reason == "no-bus") {
		h.mu.Lock()
		a.Program = h.program
		h.mu.Unlock()
	}
	return a, err
}

func (h *host) call(ctx context.Context, r request, o Options) (reply, error) {
	env, ok := childEnvironment()
	if !ok {
		return reply{Failure: failedAbsent, Reason: "no-bus"}, nil
	}
	budget := time.NewTimer(o.Budget)
	defer budget.Stop()
	asking := h.dialog()
	if o.Attended {
		// Whoever may be asked waits for the dialog that is open already.
		asking = nil
	}
	select {
	case h.turn <- struct{}{}:
	case <-asking:
		return reply{Failure: failedLocked}, nil
	case <-budget.C:
		return h.late(), nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	p, err := h.running(env)
	if err != nil {
		<-h.turn
		return reply{Failure: failedAbsent, Reason: "child"}, nil
	}
	answers, forget := p.ask(r)
	defer forget()
	told := false
	defer func() {
		if told {
			o.Waiting(false)
		}
	}()
	for {
		select {
		case a := <-answers:
			switch a.Event {
			case eventWaiting:
				if !told {
					told = true
					h.dialogOpen()
					o.Waiting(true)
				}
				continue
			case eventProgram:
				h.mu.Lock()
				h.program = a.Program
				h.mu.Unlock()
				continue
			}
			if a.Last || a.Reason == "gone" {
				// Its connections are of no use any more.
				h.giveUp(p)
				return a, nil
			}
			h.dialogClosed()
			<-h.turn
			return a, nil
		case <-p.ended:
			h.drop(p)
			h.dialogClosed()
			<-h.turn
			return lastWord(answers), nil
		case <-budget.C:
			late := h.late()
			h.giveUp(p)
			return late, nil
		case <-ctx.Done():
			h.giveUp(p)
			return reply{}, ctx.Err()
		}
	}
}

// lastWord is what an ended child has answered just before, if it did.
func lastWord(answers <-chan reply) reply {
	for {
		select {
		case a := <-answers:
			if a.Event == "" {
				return a
			}
		default:
			return reply{Failure: failedAbsent, Reason: "gone"}
		}
	}
}

// status asks beside an item call that may be under way.
func (h *host) status(ctx context.Context) (Status, error) {
	env, ok := childEnvironment()
	if !ok {
		return Status{}, nil
	}
	h.mu.Lock()
	p := h.child
	h.mu.Unlock()
	if p == nil || !p.fits(env) {
		select {
		case h.turn <- struct{}{}:
		case <-ctx.Done():
			return Status{}, reply{Failure: failedAbsent, Reason: "silent"}.failure()
		}
		var err error
		p, err = h.running(env)
		<-h.turn
		if err != nil {
			return Status{}, reply{Failure: failedAbsent, Reason: "child"}.failure()
		}
	}
	answers, forget := p.ask(request{Op: opStatus})
	defer forget()
	select {
	case a := <-answers:
		var s Status
		if a.Status != nil {
			s = *a.Status
		}
		return s, a.failure()
	case <-p.ended:
		h.drop(p)
		return Status{}, reply{Failure: failedAbsent, Reason: "gone"}.failure()
	case <-ctx.Done():
		if ctx.Err() == context.Canceled {
			return Status{}, ctx.Err()
		}
		return Status{}, reply{Failure: failedAbsent, Reason: "silent"}.failure()
	}
}

// late says what a call that took too long means: with a dialog open nobody
// has answered it, without one the keychain is silent.
func (h *host) late() reply {
	select {
	case <-h.dialog():
		return reply{Failure: failedLocked}
	default:
		return reply{Failure: failedAbsent, Reason: "silent"}
	}
}

// giveUp ends the child, of a call that took too long for one; the turn is over when it
// has ended, so that nothing it still did can come after a newer call.
func (h *host) giveUp(p *process) {
	h.drop(p)
	p.stop()
	// Its dialog, if there was one, is nobody's: who comes next waits for the
	// turn and asks the keychain itself whether it is locked.
	h.dialogClosed()
	go func() {
		<-p.ended
		<-h.turn
	}()
}

func (h *host) drop(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child == p {
		h.child = nil
	}
}

func (h *host) dialog() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asking
}

func (h *host) dialogOpen() { close(h.dialog()) }

func (h *host) dialogClosed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.asking:
		h.asking = make(chan struct{})
	default:
	}
}

// running gives the child, started if need be. The caller holds the turn.
func (h *host) running(env []string) (*process, error) {
	h.mu.Lock()
	p := h.child
	h.mu.Unlock()
	if p != nil && p.fits(env) && !p.hasEnded() {
		return p, nil
	}
	if p != nil {
		h.drop(p)
		p.stop()
		<-p.ended
	}
	p, err := startProcess(env)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.child = p
	return p, nil
}

// childEnvironment is all that the child gets, and whether there is a bus. The
// address is always spelled out, so that the D-Bus library in the child never
// looks for a bus itself: it would launch one.
func childEnvironment() ([]string, bool) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" || strings.HasPrefix(address, "autolaunch:") {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if !filepath.IsAbs(dir) {
			return nil, false
		}
		socket := filepath.Join(dir, "bus")
		info, err := os.Stat(socket)
		if err != nil || info.Mode()&os.ModeSocket == 0 {
			return nil, false
		}
		address = "unix:path=" + dbus.EscapeBusAddressValue(socket)
	}
	env := []string{"DBUS_SESSION_BUS_ADDRESS=" + address}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case name == "HOME", name == "DISPLAY", name == "WAYLAND_DISPLAY", name == "LANG", strings.HasPrefix(name, "XDG_"):
			env = append(env, pair)
		}
	}
	slices.Sort(env)
	return env, true
}

// process is one child.
type process struct {
	env   []string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{}

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan reply
	once    sync.Once
}

func startProcess(env []string) (*process, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// The file under our name may have been replaced by an update since we
	// started; the kernel's link leads to what is really running, which speaks
	// the same protocol. argv[0] keeps the name for whoever lists processes.
	cmd := &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{name, childArgument},
		Env:  env,
		Dir:  "/",
		// Ctrl-C in a terminal reaches the whole group; a save in the child is
		// not to be cut by it. It ends when we do: its stdin closes.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{env: env, cmd: cmd, stdin: stdin, ended: make(chan struct{}), waiting: map[uint64]chan reply{}}
	go p.read(stdout)
	return p, nil
}

// read hands out replies until the child ends; what is not a reply ends it.
func (p *process) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		a, err := decodeReply(lines.Bytes())
		if err != nil {
			break
		}
		p.mu.Lock()
		if to, ok := p.waiting[a.ID]; ok {
			select {
			case to <- a:
			default: // more than it may say to one request
			}
		}
		p.mu.Unlock()
	}
	p.once.Do(func() { _ = p.stdin.Close() })
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	close(p.ended)
}

// ask sends r. The caller must call forget; a late reply is then nobody's.
func (p *process) ask(r request) (answers <-chan reply, forget func()) {
	to := make(chan reply, 8) // two events, the reply, and room
	p.mu.Lock()
	p.next++
	r.ID = p.next
	p.waiting[r.ID] = to
	p.mu.Unlock()
	// A line is shorter than what a pipe holds and one call is under way at a
	// time: this does not block. A child that has ended shows in ended.
	_, _ = p.stdin.Write(encodeLine(r))
	return to, func() {
		p.mu.Lock()
		delete(p.waiting, r.ID)
		p.mu.Unlock()
	}
}

// stop asks the child to end by closing its stdin, and kills it when that has
// not helped. It does not wait.
func (p *process) stop() {
	p.once.Do(func() { _ = p.stdin.Close() })
	time.AfterFunc(farewell, func() {
		if !p.hasEnded() {
			_ = p.cmd.Process.Kill()
		}
	})
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) fits(env []string) bool { return slices.Equal(p.env, env) }
