package desktop

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// commandLimit is how long one call of the system's scheduler may take.
const commandLimit = 15 * time.Second

// A job is what the timer runs: PROGRAM renew --due, and --home HOME unless it
// is the default one.
type job struct{ program, home string }

func (j job) argv() []string {
	argv := []string{j.program, "renew", "--due"}
	if j.home != "" {
		argv = append(argv, "--home", j.home)
	}
	return argv
}

// jobOf is argv backwards.
func jobOf(argv []string) (job, bool) {
	switch {
	case len(argv) == 3 && argv[1] == "renew" && argv[2] == "--due":
		return job{program: argv[0]}, true
	case len(argv) == 5 && argv[1] == "renew" && argv[2] == "--due" && argv[3] == "--home" && argv[4] != "":
		return job{program: argv[0], home: argv[4]}, true
	}
	return job{}, false
}

// A scheduler is how one kind of system is told. The three are plain data and
// pure functions, so that all of them are tested on any system.
type scheduler struct {
	// paths of the files, in the order of what write returns.
	paths []string
	// mark is in each file that is ours. It names the version of the template.
	mark string
	// write makes the files' contents; false: the system cannot take this path.
	write func(j job, description string, now time.Time) ([][]byte, bool)
	// read finds the job in the first file.
	read func(file []byte) (job, bool)
	// link is what enabling leaves behind, in case disabling cannot be asked.
	link string
	// probe succeeds where there is a scheduler of this user to talk to.
	probe []string
	// reload makes changed files known, enable starts them, disable ends them,
	// active succeeds while they are enabled. Any may be empty.
	reload, enable, disable, active []string
	// reenable: changed files count only after disable and enable.
	reenable bool
	// fold: names of files that differ in case only are the same.
	fold bool
	// suffix of a program's name.
	suffix string
	// temporary folders, beside that of the environment.
	temporary []string
}

// TimerOptions say whose timer it is.
type TimerOptions struct {
	// Getenv is the environment; nil is the process's.
	Getenv func(string) string
	// Home is the library's folder, absolute; "" is the default one, which the
	// renewing program finds by itself.
	Home string
	// Program is the path of the running program; "" is os.Executable.
	Program string
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Temporary replaces the system's list of temporary folders; nil keeps it.
	// An empty list that is not nil names none.
	Temporary []string
}

// Timer is the switch "renew while Tokenkeep is closed". It is safe to use from
// one goroutine at a time.
type Timer struct {
	o      TimerOptions
	system scheduler
}

// TimerState is what the system has.
type TimerState struct {
	// Installed: the timer's files are there, ours, and for this home.
	Installed bool
	// Active: installed, and the system says that it is switched on.
	Active bool
	// Program is the path that the installed timer names, "" without one.
	Program string
	// Stale: installed, but it names another program than the tokenkeepctl
	// beside the running one, or is of an older version. Mend rewrites it.
	Stale bool
	// Problem says why the timer cannot be switched on here and now:
	// timer.unavailable, timer.temporary, timer.no_program; nil when it can.
	Problem *problem.Problem
}

// NewTimer starts nothing and reads nothing.
func NewTimer(o TimerOptions) *Timer {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Timer{o: o, system: hostScheduler(o.Getenv)}
}

// Install writes the timer and switches it on; an installed one is rewritten.
// Errors: timer.unavailable (no scheduler of this user answers),
// timer.temporary, timer.no_program, timer.failed with the system's own words
// in the argument "said"; after any of them everything is as it was before.
func (t *Timer) Install(ctx context.Context) error {
	j, err := t.job()
	if err != nil {
		return err
	}
	if err := t.available(ctx); err != nil {
		return err
	}
	return t.put(ctx, j)
}

// Remove switches the timer off and deletes its files. It works without a
// scheduler too, and is content where nothing is installed. Another home's
// timer stays. Error: timer.failed.
func (t *Timer) Remove(ctx context.Context) error {
	old, err := t.look()
	if err != nil {
		return err
	}
	if !old.any || old.readable && !t.same(old.job.home, t.o.Home) {
		return nil
	}
	reachable := t.available(ctx) == nil
	var refused error
	if reachable {
		refused = t.run(ctx, t.system.disable)
	}
	for _, path := range t.system.paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed("", path, err)
		}
	}
	t.unlink()
	if reachable {
		if err := t.run(ctx, t.system.reload); err != nil && refused == nil {
			refused = err
		}
	}
	var p *problem.Problem
	if errors.As(refused, &p) && p.Key == problem.TimerFailed {
		p.Args["reason"] = "off"
	}
	return refused
}

// State looks at the files and asks the system.
func (t *Timer) State(ctx context.Context) (TimerState, error) {
	var s TimerState
	unavailable := t.available(ctx)
	j, err := t.job()
	switch {
	case unavailable != nil:
		s.Problem = problem.Of(unavailable)
	case err != nil:
		s.Problem = problem.Of(err)
	}
	old, lookErr := t.look()
	if lookErr != nil {
		// A stranger's file: nothing of ours is installed, and nothing can be.
		if s.Problem == nil {
			s.Problem = problem.Of(lookErr)
		}
		return s, nil
	}
	if !old.any || old.readable && !t.same(old.job.home, t.o.Home) {
		return s, ctx.Err()
	}
	s.Installed, s.Program = true, old.job.program
	s.Stale = !old.complete || err == nil && !t.same(old.job.program, j.program) || !isProgram(old.job.program)
	s.Active = old.complete && unavailable == nil && t.run(ctx, t.system.active) == nil
	return s, ctx.Err()
}

// Mend rewrites an installed timer that is stale, and says whether it did. A
// program that could not install a timer (a temporary folder, no tokenkeepctl)
// mends none, and says nothing of it: it is not what the timer should name.
func (t *Timer) Mend(ctx context.Context) (mended bool, err error) {
	j, err := t.job()
	if err != nil {
		return false, nil
	}
	old, err := t.look()
	if err != nil || !old.any || old.readable && !t.same(old.job.home, t.o.Home) {
		return false, nil
	}
	if old.complete && t.same(old.job.program, j.program) {
		return false, nil
	}
	if err := t.available(ctx); err != nil {
		return false, err
	}
	if err := t.put(ctx, j); err != nil {
		return false, err
	}
	return true, nil
}

// installed is what look found.
type installed struct {
	any      bool // at least one of the files, ours
	complete bool // all of them, of this version, with a job
	readable bool // the job below was found
	job      job
	contents [][]byte // nil where there is none
}

// look reads the files. A file of that name that is not ours is timer.failed.
func (t *Timer) look() (installed, error) {
	found := installed{complete: true, contents: make([][]byte, len(t.system.paths))}
	for i, path := range t.system.paths {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			found.complete = false
			continue
		}
		if err != nil {
			return installed{}, failed("", path, err)
		}
		foreign := problem.New(problem.TimerFailed, "reason", "foreign", "file", path)
		// A link to /dev/null is how systemd masks a unit.
		if !info.Mode().IsRegular() || info.Size() > 1<<20 {
			return installed{}, foreign
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return installed{}, failed("", path, err)
		}
		plain := decode(data)
		family, _, _ := strings.Cut(t.system.mark, "=")
		if !bytes.Contains(plain, []byte(family+"=")) {
			return installed{}, foreign
		}
		found.any = true
		found.contents[i] = data
		if !bytes.Contains(plain, []byte(t.system.mark)) {
			found.complete = false
		}
		if i == 0 {
			if found.job, found.readable = t.system.read(data); !found.readable {
				found.complete = false
			}
		}
	}
	return found, nil
}

// put writes and switches on, or leaves all as it was.
func (t *Timer) put(ctx context.Context, j job) error {
	old, err := t.look()
	if err != nil {
		return err
	}
	c := text.For(text.Detect(t.o.Getenv))
	files, ok := t.system.write(j, c.Say("desktop.timer.purpose"), t.o.Now())
	if !ok {
		return problem.New(problem.TimerNoProgram, "reason", "name", "program", j.program)
	}
	takeBack := func() {
		// The person may have cancelled; what was written goes all the same.
		ctx := context.WithoutCancel(ctx)
		if !old.any {
			_ = t.run(ctx, t.system.disable)
		}
		for i, path := range t.system.paths {
			if old.contents[i] == nil {
				_ = os.Remove(path)
			} else {
				_ = replace(path, old.contents[i])
			}
		}
		if !old.any {
			t.unlink()
		}
		_ = t.run(ctx, t.system.reload)
		if old.any && t.system.reenable {
			_ = t.run(ctx, t.system.enable)
		}
	}
	for i, path := range t.system.paths {
		if err := replace(path, files[i]); err != nil {
			takeBack()
			return failed("", path, err)
		}
	}
	if old.any && t.system.reenable {
		_ = t.run(ctx, t.system.disable)
	}
	for _, argv := range [][]string{t.system.reload, t.system.enable} {
		if err := t.run(ctx, argv); err != nil {
			takeBack()
			return err
		}
	}
	return nil
}

// unlink removes what enabling left, if it is a link to our file.
func (t *Timer) unlink() {
	if t.system.link == "" {
		return
	}
	if to, err := os.Readlink(t.system.link); err == nil && filepath.Base(to) == filepath.Base(t.system.link) {
		_ = os.Remove(t.system.link)
	}
}

// replace writes a file by rename, so that nobody ever reads half of it, and
// makes the folders above.
func replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".tokenkeep-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	// systemd complains of a unit that is executable or writable by all, and of
	// nothing else; the file has no secret.
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// available asks whether a scheduler of this user answers.
func (t *Timer) available(ctx context.Context) error {
	for _, path := range t.system.paths {
		if !filepath.IsAbs(path) && path != "" {
			return problem.New(problem.TimerUnavailable)
		}
	}
	if len(t.system.paths) == 0 {
		return problem.New(problem.TimerUnavailable)
	}
	err := t.run(ctx, t.system.probe)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return problem.New(problem.TimerUnavailable).Because(err)
}

// run calls the scheduler. No argv is no call.
func (t *Timer) run(ctx context.Context, argv []string) error {
	if len(argv) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return problem.New(problem.TimerUnavailable).Because(err)
	}
	limited, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	command := exec.CommandContext(limited, program, argv[1:]...)
	command.Env = t.environment()
	command.WaitDelay = time.Second
	var said bytes.Buffer
	command.Stderr = &firstBytes{to: &said, left: 4096}
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		words := said.String()
		for _, sign := range []string{"Failed to connect to bus", "Failed to get D-Bus connection", "not been booted with systemd"} {
			if strings.Contains(words, sign) {
				return problem.New(problem.TimerUnavailable).Because(err)
			}
		}
		return failed(words, "", err)
	}
	return nil
}

// environment of the scheduler's program: what it needs to find the user's
// manager, in English, and nothing else.
func (t *Timer) environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"HOME", "USER", "LOGNAME", "PATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS",
		"SystemRoot", "windir", "SystemDrive", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "TEMP", "TMP", "TMPDIR"} {
		if v := t.o.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// firstBytes keeps the beginning of what a program says.
type firstBytes struct {
	to   *bytes.Buffer
	left int
}

func (f *firstBytes) Write(b []byte) (int, error) {
	n := min(len(b), f.left)
	f.to.Write(b[:n])
	f.left -= n
	return len(b), nil
}

// failed is timer.failed, with at most 160 characters of the system's words.
func failed(said, file string, err error) *problem.Problem {
	if said == "" {
		var path *fs.PathError
		var link *os.LinkError
		switch {
		case errors.As(err, &path):
			said = path.Err.Error()
		case errors.As(err, &link):
			said = link.Err.Error()
		case errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "killed"):
			return problem.New(problem.TimerFailed, "reason", "silent").Because(err)
		}
	}
	p := problem.New(problem.TimerFailed).Because(err)
	p.Args = map[string]string{}
	if said = strings.TrimRight(problem.Outside(said, 160), ". "); said != "" {
		p.Args["said"] = said
	}
	if file != "" {
		p.Args["file"] = file
	}
	return p
}

// job finds the program that a timer would name.
func (t *Timer) job() (job, error) {
	running := t.o.Program
	if running == "" {
		var err error
		if running, err = os.Executable(); err != nil {
			return job{}, problem.New(problem.TimerNoProgram).Because(err)
		}
	}
	running, err := filepath.Abs(running)
	if err != nil {
		return job{}, problem.New(problem.TimerNoProgram).Because(err)
	}
	real, err := filepath.EvalSymlinks(running)
	if err != nil {
		real = running
	}
	name := "tokenkeepctl" + t.system.suffix
	// The folder as it was called first: a link there survives an update.
	var program string
	for _, dir := range slices.Compact([]string{filepath.Dir(running), filepath.Dir(real)}) {
		if candidate := filepath.Join(dir, name); isProgram(candidate) {
			program = candidate
			break
		}
	}
	for _, path := range []string{running, real, program} {
		if folder, is := t.temporary(path); is {
			return job{}, problem.New(problem.TimerTemporary, "folder", folder)
		}
	}
	if program == "" {
		return job{}, problem.New(problem.TimerNoProgram, "program", name, "folder", filepath.Dir(running))
	}
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		if folder, is := t.temporary(resolved); is {
			return job{}, problem.New(problem.TimerTemporary, "folder", folder)
		}
	}
	if !utf8.ValidString(program) || !utf8.ValidString(t.o.Home) {
		return job{}, problem.New(problem.TimerNoProgram, "reason", "name", "program", problem.Outside(program, 200))
	}
	return job{program: program, home: t.o.Home}, nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
}

// temporary tells whether path lies in a folder that does not last.
func (t *Timer) temporary(path string) (folder string, is bool) {
	if path == "" {
		return "", false
	}
	dir := filepath.Dir(path)
	// `go run` builds into go-buildNNN, and keeps programs in its cache, go-build.
	for _, part := range strings.Split(filepath.ToSlash(dir), "/") {
		if strings.HasPrefix(part, "go-build") {
			return dir, true
		}
	}
	folders := t.o.Temporary
	if folders == nil {
		folders = append([]string{os.TempDir()}, t.system.temporary...)
		for _, name := range []string{"TMPDIR", "TEMP", "TMP", "GOTMPDIR", "XDG_RUNTIME_DIR"} {
			folders = append(folders, t.o.Getenv(name))
		}
	}
	for _, folder := range folders {
		if !filepath.IsAbs(folder) || filepath.Dir(folder) == filepath.Clean(folder) {
			continue
		}
		real, err := filepath.EvalSymlinks(folder)
		if err != nil {
			real = folder
		}
		if t.within(dir, folder) || t.within(dir, real) {
			return dir, true
		}
	}
	return "", false
}

func (t *Timer) within(dir, folder string) bool {
	dir, folder = filepath.Clean(dir), filepath.Clean(folder)
	if t.system.fold {
		dir, folder = strings.ToLower(dir), strings.ToLower(folder)
	}
	return dir == folder || strings.HasPrefix(dir, folder+string(filepath.Separator))
}

func (t *Timer) same(a, b string) bool {
	return a == b || t.system.fold && strings.EqualFold(a, b)
}
