package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// process is a program that a desktop started. Its words go to files below the
// desktop's folder, where the canary looks as well.
type process struct {
	name           string
	cmd            *exec.Cmd
	stdout, stderr string // paths
	ended          chan struct{}
	err            error // of Wait; valid once ended is closed
}

// pid is the process id.
func (p *process) pid() int { return p.cmd.Process.Pid }

// alive reports whether the program has not ended yet.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// signal sends one signal to this process alone; to an ended one it does nothing.
func (p *process) signal(s syscall.Signal) {
	if p.alive() {
		_ = p.cmd.Process.Signal(s)
	}
}

// waitEnd waits for the end and returns the error of the exit.
func (p *process) waitEnd(t testing.TB, limit time.Duration) error {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(limit):
		t.Fatalf("%s (pid %d) has not ended after %s\n%s", p.name, p.pid(), limit, p.words())
		return nil
	}
}

// stop asks the program to end and kills it after two seconds.
func (p *process) stop() {
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(2 * time.Second):
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
}

// words is what the program wrote, for a failure's message; empty for nothing.
func (p *process) words() string {
	out, _ := os.ReadFile(p.stdout)
	errs, _ := os.ReadFile(p.stderr)
	if len(out)+len(errs) == 0 {
		return ""
	}
	return fmt.Sprintf("stdout of %s:\n%s\nstderr:\n%s", p.name, out, errs)
}

// inspected is what /proc says about one process at one moment.
type inspected struct {
	pid, parent      int
	started          string // clock ticks since boot: tells a reused id apart
	state            byte   // as in proc(5): R S D T Z …
	cmdline, environ string // NUL-separated
}

func (i inspected) String() string {
	return fmt.Sprintf("pid %d (parent %d): %s", i.pid, i.parent, strings.ReplaceAll(strings.TrimRight(i.cmdline, "\x00"), "\x00", " "))
}

// inspect reads one process; ok is false where it has gone.
func inspect(pid int) (i inspected, ok bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return i, false
	}
	// The name in brackets may hold blanks and brackets, so count from its end.
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 20 {
		return i, false
	}
	i.pid, i.state, i.started = pid, fields[0][0], fields[19]
	i.parent, _ = strconv.Atoi(fields[1])
	cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
	i.cmdline, i.environ = string(cmdline), string(environ)
	return i, true
}

// allProcesses reads every process of the machine.
func allProcesses() []inspected {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []inspected
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if i, ok := inspect(pid); ok {
				all = append(all, i)
			}
		}
	}
	return all
}

// descendants returns the processes below pid, without pid itself.
func descendants(all []inspected, pid int) []inspected {
	var out []inspected
	for front := []int{pid}; len(front) > 0; {
		parent := front[0]
		front = front[1:]
		for _, i := range all {
			if i.parent == parent {
				out = append(out, i)
				front = append(front, i.pid)
			}
		}
	}
	return out
}

// adoptOrphans makes orphaned grandchildren ours, so that nothing that was
// started can hide by losing its parent.
var adoptOrphans = sync.OnceValue(func() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
})

// belonging returns the live processes that carry the folder in their
// arguments or environment, or descend from one that does or from a root.
func belonging(folder string, roots []int) []inspected {
	all := allProcesses()
	mine := map[int]bool{}
	for _, i := range all {
		if i.pid != os.Getpid() && (strings.Contains(i.cmdline, folder) || strings.Contains(i.environ, folder) || slices.Contains(roots, i.pid)) {
			mine[i.pid] = true
		}
	}
	var out []inspected
	seen := map[int]bool{}
	for _, i := range all {
		if mine[i.pid] && !seen[i.pid] {
			seen[i.pid] = true
			out = append(out, i)
		}
		if mine[i.pid] {
			for _, below := range descendants(all, i.pid) {
				if !seen[below.pid] {
					seen[below.pid] = true
					out = append(out, below)
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(i inspected) bool { return i.state == 'Z' })
}

// same reports whether the process of that id is still the one inspected.
func (i inspected) same() bool {
	now, ok := inspect(i.pid)
	return ok && now.started == i.started && now.state != 'Z'
}

// gone waits until none of the processes lives any more and returns those that
// still do after the limit.
func gone(those []inspected, limit time.Duration) []inspected {
	deadline := time.Now().Add(limit)
	for {
		reap(those)
		left := slices.DeleteFunc(slices.Clone(those), func(i inspected) bool { return !i.same() })
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// reap collects adopted children that have ended; others are not ours to wait for.
func reap(those []inspected) {
	for _, i := range those {
		if now, ok := inspect(i.pid); ok && now.parent == os.Getpid() && now.state == 'Z' {
			var status syscall.WaitStatus
			_, _ = syscall.Wait4(i.pid, &status, syscall.WNOHANG, nil)
		}
	}
}

// reapOrphans collects all adopted children that have ended, but for those
// whose end somebody else is waiting for.
func reapOrphans(awaited func(pid int) bool) {
	for _, i := range allProcesses() {
		if i.parent == os.Getpid() && i.state == 'Z' && !awaited(i.pid) {
			var status syscall.WaitStatus
			_, _ = syscall.Wait4(i.pid, &status, syscall.WNOHANG, nil)
		}
	}
}

// kill ends exactly the inspected processes.
func kill(those []inspected) {
	for _, i := range those {
		if i.same() {
			if err := syscall.Kill(i.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				fmt.Fprintf(os.Stderr, "killing %s: %v\n", i, err)
			}
		}
	}
}

// watch records the arguments and environments of a process and all below it,
// as often as it can, for the canary: a secret is there only while a short
// helper lives. Processes that live for less than five milliseconds can escape;
// the stub that stands for xdg-open therefore keeps its environment itself.
type watch struct {
	stop chan struct{}
	done chan struct{}
	mu   sync.Mutex
	seen map[string]inspected
}

func watchProcess(pid int) *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan struct{}), seen: map[string]inspected{}}
	go func() {
		defer close(w.done)
		for {
			w.look(pid)
			select {
			case <-w.stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return w
}

func (w *watch) look(pid int) {
	front := []int{pid}
	for len(front) > 0 {
		next := front[0]
		front = front[1:]
		// Reading it all is dear and the window is being measured, so it is done
		// again only when the arguments changed, as they do when a helper starts.
		cmdline, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(next), "cmdline"))
		key := strconv.Itoa(next) + " " + string(cmdline)
		w.mu.Lock()
		_, known := w.seen[key]
		w.mu.Unlock()
		if !known {
			if i, ok := inspect(next); ok {
				w.mu.Lock()
				w.seen[key] = i
				w.mu.Unlock()
			}
		}
		tasks, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(next), "task", "*", "children"))
		for _, task := range tasks {
			children, _ := os.ReadFile(task)
			for _, child := range strings.Fields(string(children)) {
				if id, err := strconv.Atoi(child); err == nil {
					front = append(front, id)
				}
			}
		}
	}
}

// end stops watching and returns everything that was seen.
func (w *watch) end() []inspected {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []inspected
	for _, i := range w.seen {
		out = append(out, i)
	}
	return out
}

// sharing begins to watch the processors; what it returns tells how many of
// them programs took since then that are neither this test nor its desktop's,
// and what the computer's own host took away.
func (d *desktop) sharing() func() float64 {
	d.t.Helper()
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	machine := func() (busy float64) {
		stat, err := os.ReadFile("/proc/stat")
		if err != nil {
			d.t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(stat), "\n")
		for i, field := range strings.Fields(first) {
			// proc(5): cpu user nice system idle iowait irq softirq steal; guests
			// are in user already.
			if i == 0 || i == 4 || i == 5 || i > 8 {
				continue
			}
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				d.t.Fatal(err)
			}
			busy += n
		}
		return busy * tick.Seconds()
	}
	ours := func() (used float64) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var r syscall.Rusage
			if err := syscall.Getrusage(who, &r); err != nil {
				d.t.Fatal(err)
			}
			used += time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
		}
		for _, i := range belonging(d.root, nil) {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", i.pid))
			if err != nil {
				continue // ended meanwhile, and counted with our children
			}
			fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
			for _, field := range fields[11:15] {
				n, _ := strconv.ParseFloat(field, 64)
				used += n * tick.Seconds()
			}
		}
		return used
	}
	began, busy, used := time.Now(), machine(), ours()
	return func() float64 {
		return max(0, machine()-busy-(ours()-used)) / time.Since(began).Seconds()
	}
}
