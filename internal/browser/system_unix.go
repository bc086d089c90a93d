//go:build unix

package browser

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// detach gives the child a session of its own, so that Ctrl+C in our terminal
// does not end the person's browser.
func detach(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// givePipes puts the pipes at descriptors 3 and 4, where the browser looks.
func givePipes(command *exec.Cmd, in, out *os.File) error {
	command.ExtraFiles = []*os.File{in, out}
	return nil
}

// killTree ends the browser with its helpers: detach made it their leader.
func killTree(command *exec.Cmd) {
	if command.Process.Pid > 1 {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}
}

func lockFile(path string) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
