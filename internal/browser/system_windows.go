package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

func opener(address string) []string {
	return []string{system32("rundll32.exe"), "url.dll,FileProtocolHandler", address}
}

// folderOpener: explorer says 1 whatever happened.
func folderOpener(dir string) (argv []string, reports bool) {
	return []string{filepath.Join(os.Getenv("SystemRoot"), "explorer.exe"), dir}, false
}

func system32(name string) string {
	return filepath.Join(os.Getenv("SystemRoot"), "System32", name)
}

func separatePrograms() []string {
	var paths []string
	for _, app := range []string{`Google\Chrome\Application\chrome.exe`, `Microsoft\Edge\Application\msedge.exe`, `Chromium\Application\chrome.exe`} {
		for _, root := range []string{"ProgramFiles", "ProgramFiles(x86)", "LocalAppData"} {
			if dir := os.Getenv(root); dir != "" {
				paths = append(paths, filepath.Join(dir, app))
			}
		}
	}
	return paths
}

// Default gives "": the registry knows the program, not its name.
func Default(context.Context) string { return "" }

func profileFlags() []string { return nil }

func detach(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// givePipes hands both ends over as inherited handles, named on the command
// line: there are no numbered descriptors here.
func givePipes(command *exec.Cmd, in, out *os.File) error {
	for _, file := range []*os.File{in, out} {
		if err := syscall.SetHandleInformation(syscall.Handle(file.Fd()), syscall.HANDLE_FLAG_INHERIT, 1); err != nil {
			return err
		}
	}
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.AdditionalInheritedHandles = []syscall.Handle{syscall.Handle(in.Fd()), syscall.Handle(out.Fd())}
	command.Args = append(command.Args, "--remote-debugging-io-pipes="+strconv.FormatUint(uint64(in.Fd()), 10)+","+strconv.FormatUint(uint64(out.Fd()), 10))
	return nil
}

func killTree(command *exec.Cmd) { _ = command.Process.Kill() }

const errorSharingViolation = syscall.Errno(32)

// lockFile opens the file without sharing: a lock that the kernel frees with
// the process.
func lockFile(path string) (release func(), err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errorSharingViolation) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = syscall.CloseHandle(handle) }, nil
}
