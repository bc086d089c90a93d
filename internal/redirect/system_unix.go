//go:build unix

package redirect

import (
	"errors"
	"os"
	"syscall"
)

// exclusive does nothing here: no Unix lets a second listener share the exact
// address and port of a first.
var exclusive func(network, address string, c syscall.RawConn) error

func isTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// isAbsent reports that the computer does not have this family of addresses.
func isAbsent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
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
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, errHeld
		case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.EINVAL):
			return nil, errNoLocks
		}
		return nil, err
	}
	// The file stays: removing it would let two processes lock two files of
	// one name.
	return func() { _ = file.Close() }, nil
}
