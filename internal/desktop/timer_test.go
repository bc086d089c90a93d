package desktop

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// oddNames are folders that people have, and some that a quoting rule would
// like to meet.
var oddNames = []string{
	"plain", "with blank", "two  blanks ", "%h percent %%", "$HOME ${PATH} $$", `"double"`, "'single'", `back\slash\x41\n`, "Grüße 日本語", "tab\tnew\nline", "a=b;c", "-dash", "#hash", "{brace}*?[x]", "@at:+!", "`tick`$(id)", "\x7f\x01", `end\`, "&<x>]]>",
}

// programIn makes a tokenkeepctl, and a tokenkeep beside it to run.
func programIn(t testing.TB, dir string) (running, ctl string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	running, ctl = filepath.Join(dir, "tokenkeep"), filepath.Join(dir, "tokenkeepctl")
	for _, path := range []string{running, ctl} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return running, ctl
}

func verify(t *testing.T, dir, unit string) (said string, dumped [][]string, err error) {
	t.Helper()
	cmd := exec.Command(tool(t, "systemd-analyze", "systemd"), "verify", "--user", "--man=no", "./"+unit)
	cmd.Dir = dir
	run := t.TempDir()
	// At this level it prints each unit as it understood it.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + run, "XDG_RUNTIME_DIR=" + run, "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console", "LC_ALL=C"}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err = cmd.Run()
	for _, line := range strings.Split(out.String(), "\n") {
		if words, ok := strings.CutPrefix(strings.TrimSpace(line), "Command Line: "); ok {
			dumped = append(dumped, systemdWords(t, words))
		}
	}
	// What it reports of a file begins with the file's name and line.
	for _, line := range strings.Split(stderr.String(), "\n") {
		if strings.HasPrefix(line, filepath.Join(dir, "tokenkeep-")) || strings.Contains(line, "not executable") || strings.Contains(line, "nvalid") || strings.Contains(line, "Unknown") {
			said += line + "\n"
		}
	}
	return said, dumped, err
}

// systemdWords reads the quoting in which systemd prints a command line.
func systemdWords(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	var word strings.Builder
	inside, any := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' && !inside:
			if any {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
			continue
		case c == '"':
			inside, any = !inside, true
			continue
		case c == '$' && i+1 < len(line) && line[i+1] == '\'' && !any:
			t.Fatalf("a form of quoting that this test does not read: %s", line)
		case c == '\\' && i+1 < len(line):
			i++
			switch d := line[i]; d {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case '0', '1', '2', '3':
				var n int
				if _, err := fmt.Sscanf(line[i:i+3], "%o", &n); err != nil {
					t.Fatal(err)
				}
				c = byte(n)
				i += 2
			case 'x':
				var n int
				if _, err := fmt.Sscanf(line[i+1:i+3], "%x", &n); err != nil {
					t.Fatal(err)
				}
				c = byte(n)
				i += 2
			default:
				c = d
			}
		}
		word.WriteByte(c)
		any = true
	}
	if any {
		words = append(words, word.String())
	}
	return words
}

// systemd itself is the judge: it must accept the files without a remark, find
// the program, and have understood the words that we meant.
func TestSystemdUnderstandsTheUnits(t *testing.T) {
	for _, name := range oddNames {
		t.Run(strings.Map(func(r rune) rune {
			if r < '0' || r > 'z' {
				return '_'
			}
			return r
		}, name), func(t *testing.T) {
			root := t.TempDir()
			_, ctl := programIn(t, filepath.Join(root, name))
			j := job{program: ctl, home: filepath.Join("/home/somebody", name)}
			dir := t.TempDir()
			files, ok := systemd(func(string) string { return "" }).write(j, "Renews 100 % of it \\", time.Now())
			if !ok {
				t.Fatal("not written")
			}
			for i, unit := range []string{unitService, unitTimer} {
				if err := os.WriteFile(filepath.Join(dir, unit), files[i], 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, unit := range []string{unitService, unitTimer} {
				said, dumped, err := verify(t, dir, unit)
				if err != nil || said != "" {
					t.Fatalf("%s: %v\n%s\n%s", unit, err, said, files[0])
				}
				if unit == unitTimer {
					continue
				}
				if len(dumped) == 0 {
					t.Fatal("systemd-analyze printed no command line")
				}
				argv := dumped[0]
				// A dollar sign is halved when the command is run, in all words but
				// the program's.
				for i := range argv {
					if i > 0 {
						if argv[i], ok = halve(argv[i], '$'); !ok {
							t.Errorf("a single $ in %q", dumped[0])
						}
					}
				}
				if len(argv) > 3 && argv[0] == "/bin/sh" {
					argv = argv[3:]
				}
				if !slices.Equal(argv, j.argv()) {
					t.Errorf("systemd read %q, meant %q", argv, j.argv())
				}
			}
			if back, ok := readService(files[0]); !ok || back != j {
				t.Errorf("read back %v %v, want %v", back, ok, j)
			}
		})
	}
}

// The script that stands between systemd and a path that it does not take must
// hand every byte on.
func TestTheShellHandsTheArgumentsOn(t *testing.T) {
	for _, name := range oddNames {
		dir := filepath.Join(t.TempDir(), name)
		_, ctl := programIn(t, dir)
		if err := os.WriteFile(ctl, []byte("#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		want := job{program: ctl, home: "/" + name}.argv()
		out, err := exec.Command("/bin/sh", append([]string{"-c", throughShell}, want...)...).Output()
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSystemdRefusesABrokenUnit(t *testing.T) {
	_, ctl := programIn(t, t.TempDir())
	good := string(serviceUnit(job{program: ctl}, "x"))
	for name, broken := range map[string]string{
		"program gone":     strings.ReplaceAll(good, ctl, ctl+".gone"),
		"open quote":       strings.ReplaceAll(good, "ExecStart=", `ExecStart="`),
		"relative program": strings.ReplaceAll(good, ctl, "./tokenkeepctl"),
		"unknown type":     strings.ReplaceAll(good, "oneshot", "oneshott"),
		"unknown setting":  strings.ReplaceAll(good, "NoNewPrivileges", "NoNewPrivilegess"),
	} {
		if broken == good {
			t.Fatalf("%s: nothing is broken", name)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, unitService), []byte(broken), 0o644); err != nil {
			t.Fatal(err)
		}
		if said, _, err := verify(t, dir, unitService); err == nil && said == "" {
			t.Errorf("%s: systemd-analyze saw nothing wrong with\n%s", name, broken)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, unitTimer), bytes.ReplaceAll(timerUnit("x"), []byte("=daily"), []byte("=dayly")), 0o644); err != nil {
		t.Fatal(err)
	}
	if said, _, err := verify(t, dir, unitTimer); err == nil && said == "" {
		t.Error("systemd-analyze took a calendar that is none")
	}
}

func TestThePropertyListHoldsTheJob(t *testing.T) {
	python := tool(t, "python3", "python3")
	var jobs []job
	var files []string
	for i, name := range oddNames {
		j := job{program: "/Applications/" + name + "/tokenkeepctl", home: "/Users/x/" + name}
		plist, ok := agentPlist(j)
		if strings.ContainsAny(name, "\x01") {
			if ok {
				t.Errorf("%q: XML cannot hold that", name)
			}
			continue
		}
		if !ok {
			t.Fatalf("%q refused", name)
		}
		if back, ok := readAgent(plist); !ok || back != j {
			t.Errorf("read back %v %v, want %v", back, ok, j)
		}
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(path, plist, 0o600); err != nil {
			t.Fatal(err)
		}
		jobs, files = append(jobs, j), append(files, path)
	}
	cmd := exec.Command(python, append([]string{"-c", "import json,plistlib,sys; json.dump([plistlib.load(open(f,'rb')) for f in sys.argv[1:]], sys.stdout)"}, files...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var read []map[string]any
	if err := json.Unmarshal(out, &read); err != nil || len(read) != len(jobs) {
		t.Fatal(len(read), err)
	}
	for i, got := range read {
		var argv []any
		for _, arg := range jobs[i].argv() {
			argv = append(argv, arg)
		}
		want := map[string]any{"Label": agentLabel, "ProgramArguments": argv, "RunAtLoad": true, "ProcessType": "Background",
			"Umask": float64(0o077), "StartCalendarInterval": map[string]any{"Hour": float64(10), "Minute": float64(0)}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
	}
	broken := exec.Command(python, "-c", "import plistlib,sys; plistlib.load(sys.stdin.buffer)")
	broken.Stdin = strings.NewReader("<plist><dict>")
	if broken.Run() == nil {
		t.Error("the parser took half a list")
	}
}

// taskElements are those of [MS-TSCH] 2.5 that a task of ours may have, in the
// order in which an exported one has them. xs:sequence is kept by this order;
// where the schema says xs:all any order would do.
var taskElements = map[string][]string{
	"":                 {"Task"},
	"Task":             {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"},
	"RegistrationInfo": {"Source", "Date", "Author", "Version", "Description"},
	"Triggers":         {"CalendarTrigger"},
	"CalendarTrigger":  {"Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay", "ScheduleByDay"},
	"ScheduleByDay":    {"DaysInterval"},
	"Principals":       {"Principal"},
	"Principal":        {"UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"},
	"Settings": {"MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate", "StartWhenAvailable",
		"RunOnlyIfNetworkAvailable", "IdleSettings", "AllowStartOnDemand", "Enabled", "Hidden", "RunOnlyIfIdle", "WakeToRun", "ExecutionTimeLimit", "Priority"},
	"Actions": {"Exec"},
	"Exec":    {"Command", "Arguments", "WorkingDirectory"},
}

// taskFaults walks a task: element names, their order, no attribute but the
// documented ones, no text beside elements. It returns the leaves by path.
func taskFaults(task []byte) (leaves map[string]string, faults []string) {
	leaves = map[string]string{}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if !bytes.HasPrefix(task, []byte{0xff, 0xfe}) {
		fault("no mark of UTF-16, little end first")
	}
	plain := decode(task)
	if !bytes.HasPrefix(plain, []byte(`<?xml version="1.0" encoding="UTF-16"?>`)) {
		fault("the declaration is %.60q", plain)
	}
	decoder := xml.NewDecoder(bytes.NewReader(plain))
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var path []string
	places := []int{-1}
	words := ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return leaves, faults
		}
		if err != nil {
			fault("%v", err)
			return leaves, faults
		}
		switch token := token.(type) {
		case xml.StartElement:
			if strings.TrimSpace(words) != "" {
				fault("text before %s: %q", token.Name.Local, words)
			}
			above := ""
			if len(path) > 0 {
				above = path[len(path)-1]
			}
			place := slices.Index(taskElements[above], token.Name.Local)
			switch {
			case place < 0:
				fault("%s in %q", token.Name.Local, above)
			case place <= places[len(places)-1]:
				fault("%s of %q is out of order", token.Name.Local, above)
			}
			if token.Name.Space != "http://schemas.microsoft.com/windows/2004/02/mit/task" {
				fault("%s is of the name space %q", token.Name.Local, token.Name.Space)
			}
			for _, a := range token.Attr {
				switch token.Name.Local + " " + a.Name.Local + "=" + a.Value {
				case "Task version=1.2", "Task xmlns=http://schemas.microsoft.com/windows/2004/02/mit/task", "Principal id=Author", "Actions Context=Author":
				default:
					fault("%s has %s=%q", token.Name.Local, a.Name.Local, a.Value)
				}
			}
			places[len(places)-1] = max(place, places[len(places)-1])
			places = append(places, -1)
			path = append(path, token.Name.Local)
			words = ""
		case xml.CharData:
			words += string(token)
		case xml.EndElement:
			if _, parent := taskElements[token.Name.Local]; !parent {
				leaves[strings.Join(path, "/")] = words
			} else if strings.TrimSpace(words) != "" {
				fault("text in %s: %q", token.Name.Local, words)
			}
			words = ""
			path, places = path[:len(path)-1], places[:len(places)-1]
		}
	}
}

func TestTheTaskHasTheDocumentedElements(t *testing.T) {
	now := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	for _, name := range oddNames {
		j := job{program: `C:\Users\x\` + name + `\tokenkeepctl.exe`, home: `D:\` + name + `\`}
		task, ok := taskXML(j, "S-1-5-21-1-2-3-1001", "Erneuert <alles> & mehr", now)
		if strings.ContainsAny(name, "%\"\t\n\x01") || strings.Contains(name, "$(") {
			if ok {
				t.Errorf("%q: the Task Scheduler would read that as something else", name)
			}
			continue
		}
		if !ok {
			t.Fatalf("%q refused", name)
		}
		leaves, faults := taskFaults(task)
		if len(faults) > 0 {
			t.Errorf("%q: %q", name, faults)
		}
		for path, want := range map[string]string{
			"Task/RegistrationInfo/Description":                        "Erneuert <alles> & mehr",
			"Task/Triggers/CalendarTrigger/StartBoundary":              "2026-03-29T10:00:00",
			"Task/Triggers/CalendarTrigger/ScheduleByDay/DaysInterval": "1",
			"Task/Principals/Principal/UserId":                         "S-1-5-21-1-2-3-1001",
			"Task/Principals/Principal/LogonType":                      "InteractiveToken",
			"Task/Principals/Principal/RunLevel":                       "LeastPrivilege",
			"Task/Settings/StartWhenAvailable":                         "true",
			"Task/Settings/ExecutionTimeLimit":                         "PT1H",
			"Task/Settings/MultipleInstancesPolicy":                    "IgnoreNew",
			"Task/Actions/Exec/Command":                                j.program,
			"Task/RegistrationInfo/Source":                             taskMark,
		} {
			if leaves[path] != want {
				t.Errorf("%q: %s is %q, want %q", name, path, leaves[path], want)
			}
		}
		arguments := leaves["Task/Actions/Exec/Arguments"]
		if got, want := append([]string{j.program}, commandLineToArgv(arguments)...), j.argv(); !slices.Equal(got, want) {
			t.Errorf("Windows reads %q of %q, want %q", got, arguments, want)
		}
		if back, ok := readTask(task); !ok || back != j {
			t.Errorf("read back %v %v, want %v", back, ok, j)
		}
	}
}

// commandLineToArgv follows the rules that Microsoft documents for arguments
// after the first ("Parsing C++ command-line arguments").
func commandLineToArgv(line string) (argv []string) {
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		var arg strings.Builder
		quoted := false
		i := 0
		for ; i < len(line) && (quoted || line[i] != ' ' && line[i] != '\t'); i++ {
			if line[i] == '\\' {
				n := len(line[i:]) - len(strings.TrimLeft(line[i:], `\`))
				if i+n < len(line) && line[i+n] == '"' {
					arg.WriteString(strings.Repeat(`\`, n/2))
					if i += n - 1; n%2 == 1 {
						arg.WriteByte('"')
						i++
					}
				} else {
					arg.WriteString(strings.Repeat(`\`, n))
					i += n - 1
				}
				continue
			}
			if line[i] == '"' {
				quoted = !quoted
				continue
			}
			arg.WriteByte(line[i])
		}
		argv = append(argv, arg.String())
		line = line[i:]
	}
	return argv
}

func TestAForeignElementInATaskIsFound(t *testing.T) {
	task, _ := taskXML(job{program: `C:\t.exe`}, "S-1", "x", time.Now())
	for name, change := range map[string][2]string{
		"unknown element":  {"<Priority>7</Priority>", "<Prioritaet>7</Prioritaet>"},
		"order":            {"<RandomDelay>PT1H</RandomDelay>\n      <ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>", "<ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>\n<RandomDelay>PT1H</RandomDelay>"},
		"wrong version":    {`version="1.2"`, `version="1.9"`},
		"text in between":  {"<Actions", "x<Actions"},
		"not well-formed":  {"</Task>", ""},
		"name space":       {"2004/02/mit", "2005/02/mit"},
		"wrong attributes": {`id="Author"`, `ident="Author"`},
	} {
		broken := strings.Replace(string(decode(task)), change[0], change[1], 1)
		if broken == string(decode(task)) {
			t.Fatalf("%s: nothing is broken", name)
		}
		if _, faults := taskFaults(encodeUTF16(broken)); len(faults) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	if _, faults := taskFaults(decode(task)); len(faults) == 0 {
		t.Error("UTF-8 was taken")
	}
}

// A double stands for the system's program: it writes down how it was called
// and does what the real one does to files when a timer is enabled. A file
// fail-WORD beside it makes each call with that word fail, and it says what is
// in the file.
//
// The same table cannot run against the real systemctl here: there is no user
// manager in a test. That the real one is understood where it has no manager is
// TestTheRealSystemctlWithoutAManager.
type double struct {
	t   *testing.T
	dir string
}

func newDouble(t *testing.T, name string) double {
	t.Helper()
	d := double{t, t.TempDir()}
	script := `#!/bin/sh
dir="` + d.dir + `"
line=
for word in "$@"; do
	line="$line|$word"
done
echo "${line#|}" >>"$dir/calls"
for word in "$@"; do
	word=$(echo "$word" | /bin/tr -d /)
	if [ -e "$dir/fail-$word" ]; then
		/bin/cat "$dir/fail-$word" >&2
		exit 1
	fi
done
user="$XDG_CONFIG_HOME/systemd/user"
for word in "$@"; do
	case $word in
	enable) [ -e "$user/` + unitTimer + `" ] || exit 1
		/bin/mkdir -p "$user/timers.target.wants"; /bin/ln -sf "../` + unitTimer + `" "$user/timers.target.wants/` + unitTimer + `" ;;
	disable) /bin/rm -f "$user/timers.target.wants/` + unitTimer + `" ;;
	is-enabled) [ -e "$user/timers.target.wants/` + unitTimer + `" ] || exit 1 ;;
	esac
done
`
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", d.dir)
	return d
}

func (d double) fail(word, said string) func() {
	d.t.Helper()
	path := filepath.Join(d.dir, "fail-"+word)
	if err := os.WriteFile(path, []byte(said), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return func() { _ = os.Remove(path) }
}

// calls gives what was called since the last time, the program's name left out.
func (d double) calls() []string {
	path := filepath.Join(d.dir, "calls")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_ = os.Remove(path)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// tree lists the files below dir with their contents, links with where they go.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if e.Type()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(path)
			all[name] = "-> " + to
			return err
		}
		data, err := os.ReadFile(path)
		all[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// desk is a person's folders.
func desk(t *testing.T) (config string) {
	t.Helper()
	config = t.TempDir()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("LC_ALL", "")
	t.Setenv("LC_MESSAGES", "")
	t.Setenv("LANG", "de_DE.UTF-8")
	return config
}

func timerFor(running, home string) *Timer {
	o := TimerOptions{Program: running, Home: home, Temporary: []string{}, Getenv: os.Getenv, Now: time.Now}
	return &Timer{o: o, system: systemd(os.Getenv)}
}

func TestInstallAndRemove(t *testing.T) {
	config := desk(t)
	d := newDouble(t, "systemctl")
	running, ctl := programIn(t, filepath.Join(t.TempDir(), "app"))
	timer := timerFor(running, "/home/other library")
	ctx := context.Background()

	if s, err := timer.State(ctx); err != nil || s != (TimerState{}) {
		t.Fatalf("before: %+v %v", s, err)
	}
	d.calls()
	if err := timer.Install(ctx); err != nil {
		t.Fatal(err)
	}
	want := []string{"--user|show|--property=Version", "--user|daemon-reload", "--user|--quiet|enable|--now|" + unitTimer}
	if got := d.calls(); !slices.Equal(got, want) {
		t.Errorf("called %q", got)
	}
	files := tree(t, config)
	service := files["systemd/user/"+unitService]
	for _, line := range []string{unitMark, "Type=oneshot", "ExecStart=" + ctl + ` renew --due --home "/home/other library"`, "NoNewPrivileges=yes", "Description=Erneuert die Tokens, die Tokenkeep verwahrt"} {
		if !slices.Contains(strings.Split(service, "\n"), line) {
			t.Errorf("no line %q in\n%s", line, service)
		}
	}
	for _, line := range []string{"OnCalendar=daily", "RandomizedDelaySec=15min", "Persistent=true", "WantedBy=timers.target"} {
		if !slices.Contains(strings.Split(files["systemd/user/"+unitTimer], "\n"), line) {
			t.Errorf("no line %q in the timer", line)
		}
	}
	if info, err := os.Stat(filepath.Join(config, "systemd", "user", unitService)); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if s, err := timer.State(ctx); err != nil || s != (TimerState{Installed: true, Active: true, Program: ctl}) {
		t.Errorf("installed: %+v %v", s, err)
	}
	// Another library's switch is off, and does not touch this one's.
	other := timerFor(running, "")
	if s, err := other.State(ctx); err != nil || s.Installed || s.Active {
		t.Errorf("another home: %+v %v", s, err)
	}
	if err := other.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, config); !reflect.DeepEqual(got, files) {
		t.Errorf("another home changed it: %v", got)
	}
	// Switched off by other means than ours.
	if err := os.Remove(filepath.Join(config, "systemd", "user", "timers.target.wants", unitTimer)); err != nil {
		t.Fatal(err)
	}
	if s, err := timer.State(ctx); err != nil || !s.Installed || s.Active {
		t.Errorf("disabled: %+v %v", s, err)
	}
	if err := timer.Install(ctx); err != nil {
		t.Fatal(err)
	}
	d.calls()
	if err := timer.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	want = []string{"--user|show|--property=Version", "--user|--quiet|disable|--now|" + unitTimer, "--user|daemon-reload"}
	if got := d.calls(); !slices.Equal(got, want) {
		t.Errorf("called %q", got)
	}
	if left := tree(t, config); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if err := timer.Remove(ctx); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestAnInstallThatFailsLeavesNothing(t *testing.T) {
	for _, word := range []string{"daemon-reload", "enable"} {
		for _, before := range []bool{false, true} {
			t.Run(fmt.Sprint(word, before), func(t *testing.T) {
				config := desk(t)
				d := newDouble(t, "systemctl")
				running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
				timer := timerFor(running, "")
				ctx := context.Background()
				if before {
					if err := timerFor(running, "/home/x").Install(ctx); err != nil {
						t.Fatal(err)
					}
				}
				was := tree(t, config)
				mend := d.fail(word, "Failed to enable unit: \x1b[31mthe disk\x1b[0m\u202e is full.\nand more "+strings.Repeat("x", 9999))
				p := wantKey(t, timer.Install(ctx), problem.TimerFailed)
				if said := p.Args["said"]; !strings.HasPrefix(said, "Failed to enable unit: [31mthe disk[0m is full. and more x") || utf8.RuneCountInString(said) > 161 {
					t.Errorf("said %q", said)
				}
				if now := tree(t, config); !reflect.DeepEqual(now, was) {
					t.Errorf("was %v\nis %v", was, now)
				}
				mend()
				if err := timer.Install(ctx); err != nil {
					t.Errorf("once it works: %v", err)
				}
			})
		}
	}
}

func TestAManagerThatGoesAwayIsNone(t *testing.T) {
	config := desk(t)
	d := newDouble(t, "systemctl")
	running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
	timer := timerFor(running, "")
	d.fail("daemon-reload", "Failed to connect to bus: No medium found\n")
	wantKey(t, timer.Install(context.Background()), problem.TimerUnavailable)
	if left := tree(t, config); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestTheRealSystemctlWithoutAManager(t *testing.T) {
	tool(t, "systemctl", "systemd")
	config := desk(t)
	running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
	timer := timerFor(running, "")
	wantKey(t, timer.Install(context.Background()), problem.TimerUnavailable)
	s, err := timer.State(context.Background())
	if err != nil || s.Installed || s.Active || s.Problem == nil || s.Problem.Key != problem.TimerUnavailable {
		t.Errorf("%+v %v", s, err)
	}
	if left := tree(t, config); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// Whoever switched it on while there was a manager can switch it off without.
func TestRemoveWithoutAManager(t *testing.T) {
	config := desk(t)
	path := os.Getenv("PATH")
	newDouble(t, "systemctl")
	running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
	timer := timerFor(running, "")
	if err := timer.Install(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", path)
	if err := timer.Remove(context.Background()); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, config); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestNoSystemctlAtAll(t *testing.T) {
	desk(t)
	t.Setenv("PATH", t.TempDir())
	running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
	wantKey(t, timerFor(running, "").Install(context.Background()), problem.TimerUnavailable)
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	newDouble(t, "systemctl")
	wantKey(t, timerFor(running, "").Install(context.Background()), problem.TimerUnavailable)
}

func TestARemovalThatTheSystemRefuses(t *testing.T) {
	config := desk(t)
	d := newDouble(t, "systemctl")
	running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
	timer := timerFor(running, "")
	if err := timer.Install(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.fail("disable", "Access denied")
	p := wantKey(t, timer.Remove(context.Background()), problem.TimerFailed)
	if p.Args["reason"] != "off" || p.Args["said"] != "Access denied" {
		t.Errorf("%v", p)
	}
	// It cannot come back with the next login.
	if left := tree(t, config); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestASystemctlThatHangsIsGivenUp(t *testing.T) {
	config := desk(t)
	d := newDouble(t, "systemctl")
	running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
	if err := os.WriteFile(filepath.Join(d.dir, "systemctl"), []byte("#!/bin/sh\nexec /bin/sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := timerFor(running, "").Install(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if left := tree(t, config); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestSomebodyElsesFileIsLeftAlone(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"written": func(path string) error { return os.WriteFile(path, []byte("[Service]\nExecStart=/bin/true\n"), 0o644) },
		"masked":  func(path string) error { return os.Symlink("/dev/null", path) },
		"folder":  func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		for _, unit := range []string{unitService, unitTimer} {
			t.Run(name+unit, func(t *testing.T) {
				config := desk(t)
				newDouble(t, "systemctl")
				running, _ := programIn(t, filepath.Join(t.TempDir(), "app"))
				timer := timerFor(running, "")
				dir := filepath.Join(config, "systemd", "user")
				if err := errors.Join(os.MkdirAll(dir, 0o755), put(filepath.Join(dir, unit))); err != nil {
					t.Fatal(err)
				}
				was := tree(t, config)
				ctx := context.Background()
				for _, err := range []error{timer.Install(ctx), timer.Remove(ctx)} {
					if p := wantKey(t, err, problem.TimerFailed); p.Args["reason"] != "foreign" || p.Args["file"] != filepath.Join(dir, unit) {
						t.Errorf("%v", p)
					}
				}
				if mended, err := timer.Mend(ctx); mended || err != nil {
					t.Errorf("mended %v %v", mended, err)
				}
				if s, err := timer.State(ctx); err != nil || s.Installed || s.Problem == nil {
					t.Errorf("%+v %v", s, err)
				}
				if now := tree(t, config); !reflect.DeepEqual(now, was) {
					t.Errorf("was %v\nis %v", was, now)
				}
			})
		}
	}
}

func TestAStalePathIsMended(t *testing.T) {
	config := desk(t)
	d := newDouble(t, "systemctl")
	root := t.TempDir()
	oldRunning, oldCtl := programIn(t, filepath.Join(root, "old"))
	running, ctl := programIn(t, filepath.Join(root, "new"))
	ctx := context.Background()
	old, timer := timerFor(oldRunning, ""), timerFor(running, "")

	if mended, err := timer.Mend(ctx); mended || err != nil {
		t.Errorf("nothing is installed: %v %v", mended, err)
	}
	if got := d.calls(); got != nil {
		t.Errorf("nothing is installed, and it called %q", got)
	}
	if err := old.Install(ctx); err != nil {
		t.Fatal(err)
	}
	d.calls()
	if mended, err := old.Mend(ctx); mended || err != nil || d.calls() != nil {
		t.Errorf("nothing is stale: %v %v", mended, err)
	}
	if s, err := timer.State(ctx); err != nil || s != (TimerState{Installed: true, Active: true, Program: oldCtl, Stale: true}) {
		t.Errorf("%+v %v", s, err)
	}
	if err := os.RemoveAll(filepath.Join(root, "old")); err != nil {
		t.Fatal(err)
	}
	// A system that says no leaves the old file, and it is tried next time.
	mend := d.fail("daemon-reload", "no")
	if mended, err := timer.Mend(ctx); mended || !problem.Has(err, problem.TimerFailed) {
		t.Errorf("%v %v", mended, err)
	}
	mend()
	// A program in a temporary folder mends nothing.
	passing := timerFor(running, "")
	passing.o.Temporary = []string{root}
	if mended, err := passing.Mend(ctx); mended || err != nil {
		t.Errorf("from a temporary folder: %v %v", mended, err)
	}
	// Nor does another library's window.
	if mended, err := timerFor(running, "/home/other").Mend(ctx); mended || err != nil {
		t.Errorf("another library: %v %v", mended, err)
	}
	if mended, err := timer.Mend(ctx); !mended || err != nil {
		t.Fatalf("%v %v", mended, err)
	}
	if s, err := timer.State(ctx); err != nil || s != (TimerState{Installed: true, Active: true, Program: ctl}) {
		t.Errorf("%+v %v", s, err)
	}
	// Half of it gone, or changed by hand until we cannot read it: mended too.
	dir := filepath.Join(config, "systemd", "user")
	for name, spoil := range map[string]func() error{
		"no timer":   func() error { return os.Remove(filepath.Join(dir, unitTimer)) },
		"no service": func() error { return os.Remove(filepath.Join(dir, unitService)) },
		"older": func() error {
			return os.WriteFile(filepath.Join(dir, unitTimer), bytes.Replace(timerUnit("x"), []byte("renew=1"), []byte("renew=0"), 1), 0o644)
		},
		"unreadable": func() error {
			return os.WriteFile(filepath.Join(dir, unitService), []byte(unitMark+"\n[Service]\nExecStart=/a /b /c\n"), 0o644)
		},
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if mended, err := timer.Mend(ctx); !mended || err != nil {
			t.Errorf("%s: %v %v", name, mended, err)
		}
		if s, err := timer.State(ctx); err != nil || s != (TimerState{Installed: true, Active: true, Program: ctl}) {
			t.Errorf("%s: %+v %v", name, s, err)
		}
	}
}

func TestTemporaryFoldersAreRefused(t *testing.T) {
	desk(t)
	newDouble(t, "systemctl")
	root := t.TempDir()
	temp := filepath.Join(root, "temp")
	inside, _ := programIn(t, filepath.Join(temp, "app"))
	outside, _ := programIn(t, filepath.Join(root, "app"))
	cached, _ := programIn(t, filepath.Join(root, ".cache", "go-build", "ab", "cd-d"))
	built, _ := programIn(t, filepath.Join(root, "go-build123", "b001", "exe"))
	similar, _ := programIn(t, filepath.Join(root, "temporal"))
	linked := filepath.Join(root, "linked")
	linkedFile := filepath.Join(root, "bin")
	toTemp := filepath.Join(root, "link-to-temp")
	if err := errors.Join(os.Symlink(filepath.Dir(inside), linked), os.Mkdir(linkedFile, 0o700), os.Symlink(temp, toTemp),
		os.Symlink(filepath.Join(filepath.Dir(inside), "tokenkeepctl"), filepath.Join(linkedFile, "tokenkeepctl"))); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(root, "half")
	programIn(t, half)
	if err := errors.Join(os.Remove(filepath.Join(half, "tokenkeep")), os.Symlink(inside, filepath.Join(half, "tokenkeep"))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		running   string
		temporary []string
		refused   bool
	}{
		"inside":                  {inside, []string{temp}, true},
		"outside":                 {outside, []string{temp}, false},
		"a name that begins so":   {similar, []string{temp}, false},
		"go run":                  {cached, []string{}, true},
		"go build":                {built, []string{}, true},
		"through a link":          {filepath.Join(linked, "tokenkeep"), []string{temp}, true},
		"what runs is a link":     {filepath.Join(half, "tokenkeep"), []string{temp}, true},
		"the program is a link":   {filepath.Join(linkedFile, "tokenkeep"), []string{temp}, true},
		"the temp folder is one":  {inside, []string{toTemp}, true},
		"one relative, one blank": {outside, []string{"", "app", "/"}, false},
		"the system's list":       {outside, nil, true}, // this test's own folder
	} {
		timer := timerFor(c.running, "")
		timer.o.Temporary = c.temporary
		err := timer.Install(context.Background())
		if c.refused {
			if !problem.Has(err, problem.TimerTemporary) {
				t.Errorf("%s: %v", name, err)
			}
			if s, _ := timer.State(context.Background()); !problem.Has(s.Problem, problem.TimerTemporary) {
				t.Errorf("%s: the state does not say so: %+v", name, s)
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, dir := range []string{"/tmp/x", "/var/tmp", "/dev/shm/y", "/run/user/1000/z", "/tmp/.mount_Token/usr/bin"} {
		if _, is := NewTimer(TimerOptions{}).temporary(dir + "/tokenkeepctl"); !is {
			t.Errorf("%s is not refused", dir)
		}
	}
	for _, dir := range []string{"/usr/bin", "/home/x/tmp", "/opt/tokenkeep", "/tmpfiles"} {
		if folder, is := NewTimer(TimerOptions{}).temporary(dir + "/tokenkeepctl"); is {
			t.Errorf("%s is refused for %s", dir, folder)
		}
	}
}

func TestTheProgramBeside(t *testing.T) {
	desk(t)
	newDouble(t, "systemctl")
	root := t.TempDir()
	running, ctl := programIn(t, filepath.Join(root, "version-1"))
	current := filepath.Join(root, "current")
	bin := filepath.Join(root, "bin")
	if err := errors.Join(os.Symlink(filepath.Dir(running), current), os.Mkdir(bin, 0o700), os.Symlink(running, filepath.Join(bin, "tokenkeep"))); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		running:                             ctl,
		ctl:                                 ctl,
		filepath.Join(current, "tokenkeep"): filepath.Join(current, "tokenkeepctl"),
		filepath.Join(bin, "tokenkeep"):     ctl,
	} {
		if j, err := timerFor(path, "").job(); err != nil || j.program != want {
			t.Errorf("%s: %v %v, want %s", path, j, err, want)
		}
	}
	if err := os.Chmod(ctl, 0o600); err != nil {
		t.Fatal(err)
	}
	wantKey(t, timerFor(running, "").Install(context.Background()), problem.TimerNoProgram)
	if err := os.Remove(ctl); err != nil {
		t.Fatal(err)
	}
	p := wantKey(t, timerFor(running, "").Install(context.Background()), problem.TimerNoProgram)
	if p.Args["program"] != "tokenkeepctl" || p.Args["folder"] != filepath.Dir(running) {
		t.Errorf("%v", p)
	}
	odd, _ := programIn(t, filepath.Join(root, "\xff\xfe"))
	if p := wantKey(t, timerFor(odd, "").Install(context.Background()), problem.TimerNoProgram); p.Args["reason"] != "name" {
		t.Errorf("%v", p)
	}
}

// The flows of the other systems, against doubles of their programs: neither
// launchd nor the Task Scheduler has ever run this.
func TestTheOtherSystemsAreTold(t *testing.T) {
	home := t.TempDir()
	getenv := func(name string) string {
		switch name {
		case "HOME":
			return home
		case "LocalAppData":
			return filepath.Join(home, "AppData", "Local")
		}
		return os.Getenv(name)
	}
	for _, c := range []struct {
		program, file string
		system        scheduler
		installed     []string
		removed       []string
	}{
		{"launchctl", "Library/LaunchAgents/" + agentLabel + ".plist", launchd(getenv, 501),
			[]string{"print|gui/501", "bootstrap|gui/501|" + filepath.Join(home, "Library/LaunchAgents", agentLabel+".plist")},
			[]string{"print|gui/501", "bootout|gui/501/" + agentLabel}},
		{"schtasks", "AppData/Local/Tokenkeep/renew-task.xml", taskScheduler(getenv, "S-1-5-21"),
			[]string{"/?", "/Create|/XML|" + filepath.Join(home, "AppData/Local/Tokenkeep/renew-task.xml") + "|/TN|Tokenkeep renew S-1-5-21|/F"},
			[]string{"/?", "/Delete|/TN|Tokenkeep renew S-1-5-21|/F"}},
	} {
		t.Run(c.program, func(t *testing.T) {
			d := newDouble(t, c.program)
			dir := filepath.Join(t.TempDir(), "app")
			running, ctl := programIn(t, dir)
			if c.system.suffix != "" {
				if err := os.Rename(ctl, ctl+c.system.suffix); err != nil {
					t.Fatal(err)
				}
				ctl += c.system.suffix
			}
			timer := &Timer{o: TimerOptions{Getenv: getenv, Program: running, Temporary: []string{}, Now: time.Now}, system: c.system}
			ctx := context.Background()
			d.fail(strings.TrimPrefix(strings.Split(c.installed[1], "|")[0], "/"), "no")
			wantKey(t, timer.Install(ctx), problem.TimerFailed)
			if left := tree(t, home); len(left) != 0 {
				t.Fatalf("left %v", left)
			}
			_ = os.Remove(filepath.Join(d.dir, "fail-"+strings.TrimPrefix(strings.Split(c.installed[1], "|")[0], "/")))
			d.calls()
			if err := timer.Install(ctx); err != nil {
				t.Fatal(err)
			}
			if got := d.calls(); !slices.Equal(got, c.installed) {
				t.Errorf("called %q, want %q", got, c.installed)
			}
			if left := tree(t, home); len(left) != 1 || left[c.file] == "" {
				t.Errorf("files %v", left)
			}
			if s, err := timer.State(ctx); err != nil || s != (TimerState{Installed: true, Active: true, Program: ctl}) {
				t.Errorf("%+v %v", s, err)
			}
			d.calls()
			if err := timer.Remove(ctx); err != nil {
				t.Fatal(err)
			}
			if got := d.calls(); !slices.Equal(got, c.removed) {
				t.Errorf("called %q, want %q", got, c.removed)
			}
			if left := tree(t, home); len(left) != 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func FuzzExecLine(f *testing.F) {
	for _, name := range oddNames {
		f.Add("/opt/"+name+"/tokenkeepctl", "/home/"+name)
	}
	f.Add("/a", "")
	f.Fuzz(func(t *testing.T, program, home string) {
		// What no path is: not ours to quote.
		if program == "" || !utf8.ValidString(program) || !utf8.ValidString(home) || strings.ContainsRune(program+home, 0) {
			return
		}
		program = "/" + program
		j := job{program: program, home: home}
		unit := serviceUnit(j, "x")
		if bytes.Count(unit, []byte("\n")) != 13 {
			t.Fatalf("another number of lines:\n%s", unit)
		}
		if back, ok := readService(unit); !ok || back != j {
			t.Fatalf("%q came back as %q %v from %s", j, back, ok, unit)
		}
	})
}

// Reading is of files that a person may have changed: it must not fail badly,
// and what it accepts must be what writing gives.
func FuzzReadService(f *testing.F) {
	for _, name := range oddNames {
		f.Add(execLine(job{program: "/opt/" + name, home: name}.argv()))
	}
	f.Add(`"\x4`)
	f.Add(`/bin/sh -c "exec \"$$0\" \"$$@\""`)
	f.Fuzz(func(t *testing.T, line string) {
		argv, ok := readExecLine(line)
		if !ok || len(argv) == 0 || argv[0] == "" || strings.ContainsRune(line, '\n') {
			return
		}
		again, ok := readExecLine(execLine(argv))
		if !ok || !slices.Equal(again, argv) {
			t.Fatalf("%q: %q, then %q %v", line, argv, again, ok)
		}
	})
}
