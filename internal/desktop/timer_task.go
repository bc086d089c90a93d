package desktop

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf16"
)

const taskMark = appID + " renew=1"

// taskScheduler is the one of Windows: schtasks, and the Task Scheduler's XML
// ([MS-TSCH] 2.5, version 1.2). A copy of what was given to it stays beside the
// library's default folder, for schtasks prints names in a code page of its
// own. sid is the person's, in the task's name too: the root folder of tasks is
// everybody's.
func taskScheduler(getenv func(string) string, sid string) scheduler {
	name := "Tokenkeep renew " + sid
	s := scheduler{
		mark: taskMark,
		write: func(j job, description string, now time.Time) ([][]byte, bool) {
			task, ok := taskXML(j, sid, description, now)
			return [][]byte{task}, ok
		},
		read:    readTask,
		probe:   []string{"schtasks", "/?"},
		disable: []string{"schtasks", "/Delete", "/TN", name, "/F"},
		active:  []string{"schtasks", "/Query", "/TN", name},
		fold:    true,
		suffix:  ".exe",
	}
	if local := getenv("LocalAppData"); filepath.IsAbs(local) && sid != "" {
		path := filepath.Join(local, appName, "renew-task.xml")
		s.paths = []string{path}
		s.enable = []string{"schtasks", "/Create", "/XML", path, "/TN", name, "/F"}
	}
	if root := getenv("SystemRoot"); filepath.IsAbs(root) {
		s.temporary = []string{filepath.Join(root, "Temp")}
	}
	return s
}

// taskXML runs the job once a day as the person who is signed in, later where
// the computer was off, for an hour at most. It is UTF-16 with a mark of its
// byte order, as schtasks takes it. false: a path that the Task Scheduler would
// read as something else (%NAME%, $(NAME)) or that XML cannot hold.
func taskXML(j job, sid, description string, now time.Time) ([]byte, bool) {
	argv := j.argv()
	for _, arg := range argv {
		if !xmlHolds(arg) || strings.Contains(arg, "%") || strings.Contains(arg, "$(") || strings.ContainsAny(arg, "\"\r\n\t") {
			return nil, false
		}
	}
	var arguments []string
	for _, arg := range argv[1:] {
		arguments = append(arguments, windowsArgument(arg))
	}
	return encodeUTF16(`<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Source>` + taskMark + `</Source>
    <Author>` + appName + `</Author>
    <Description>` + xmlText(description) + `</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>` + now.Format("2006-01-02") + `T10:00:00</StartBoundary>
      <RandomDelay>PT1H</RandomDelay>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>` + xmlText(sid) + `</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <Enabled>true</Enabled>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>` + xmlText(argv[0]) + `</Command>
      <Arguments>` + xmlText(strings.Join(arguments, " ")) + `</Arguments>
    </Exec>
  </Actions>
</Task>
`), true
}

// windowsArgument quotes one argument without quotation marks for
// CommandLineToArgvW: between quotes where it has a blank, and backslashes
// before the closing one doubled.
func windowsArgument(arg string) string {
	if arg != "" && !strings.Contains(arg, " ") {
		return arg
	}
	end := len(arg) - len(strings.TrimRight(arg, `\`))
	return `"` + arg + strings.Repeat(`\`, end) + `"`
}

// readTask finds the job in a task of ours.
func readTask(file []byte) (job, bool) {
	var task struct {
		Command   string `xml:"Actions>Exec>Command"`
		Arguments string `xml:"Actions>Exec>Arguments"`
	}
	plain := bytes.Replace(decode(file), []byte(`encoding="UTF-16"`), []byte(`encoding="UTF-8"`), 1)
	if xml.Unmarshal(plain, &task) != nil || task.Command == "" {
		return job{}, false
	}
	argv := []string{task.Command}
	words, home, hasHome := strings.Cut(task.Arguments, " --home ")
	argv = append(argv, strings.Fields(words)...)
	if hasHome {
		argv = append(argv, "--home", unquoteWindows(home))
	}
	return jobOf(argv)
}

func unquoteWindows(arg string) string {
	inner, ok := strings.CutPrefix(arg, `"`)
	if inner, ok2 := strings.CutSuffix(inner, `"`); ok && ok2 {
		end := len(inner) - len(strings.TrimRight(inner, `\`))
		return inner[:len(inner)-end/2]
	}
	return arg
}

func encodeUTF16(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

// decode gives UTF-8 for a file of either coding.
func decode(file []byte) []byte {
	if len(file) < 2 || file[0] != 0xff || file[1] != 0xfe {
		return file
	}
	var units []uint16
	for i := 2; i+1 < len(file); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(file[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}
