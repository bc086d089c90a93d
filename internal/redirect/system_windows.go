package redirect

import (
	"errors"
	"syscall"
)

// Numbers of winsock2.h that package syscall does not name.
const (
	soExclusiveAddrUse = ^syscall.SO_REUSEADDR

	wsaeAcces        = syscall.Errno(10013)
	wsaeAFNoSupport  = syscall.Errno(10047)
	wsaeAddrInUse    = syscall.Errno(10048)
	wsaeAddrNotAvail = syscall.Errno(10049)

	errorSharingViolation = syscall.Errno(32)
)

// exclusive keeps other programs from binding the same address with
// SO_REUSEADDR and taking the answer (LST-6).
func exclusive(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, soExclusiveAddrUse, 1)
	}); err != nil {
		return err
	}
	return failed
}

// isTaken: a port that somebody holds exclusively, or that the system has
// reserved, answers with "access denied" there.
func isTaken(err error) bool {
	return errors.Is(err, wsaeAddrInUse) || errors.Is(err, wsaeAcces)
}

func isAbsent(err error) bool {
	return errors.Is(err, wsaeAddrNotAvail) || errors.Is(err, wsaeAFNoSupport)
}

// lockFile opens the file without sharing, which is a lock that the kernel
// frees with the process.
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
