//go:build unix

package desktop

import (
	"os/exec"
	"syscall"
)

// apart: the end of our terminal is not its end.
func apart(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
