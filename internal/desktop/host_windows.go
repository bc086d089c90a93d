package desktop

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var getConsoleProcessList = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleProcessList")

// ownConsole counts who else is at this console; there is always the shell
// where a person typed the command.
func ownConsole() bool {
	if getConsoleProcessList.Find() != nil {
		return false
	}
	var processes [2]uint32
	n, _, _ := getConsoleProcessList.Call(uintptr(unsafe.Pointer(&processes[0])), uintptr(len(processes)))
	return n == 1
}

func hostScheduler(getenv func(string) string) scheduler {
	sid := ""
	if user, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil {
		sid = user.User.Sid.String()
	}
	return taskScheduler(getenv, sid)
}
