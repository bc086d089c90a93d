//go:build unix

package desktop

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// socketRoom is how many bytes of a path fit into the address of a socket: 108
// on Linux and 104 on the others, one of them the end.
const socketRoom = 103

// lockFile holds the file until unlock or the end of the process. The file
// stays: removing it would let two processes lock two files of one name.
func lockFile(path string) (unlock func(), err error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, err
	}
	return func() { _ = unix.Close(fd) }, nil
}

// listenIn opens the socket of dir's window. The caller has dir's lock, so a
// socket that is there already is a dead one's.
func listenIn(dir string) (net.Listener, string, error) {
	path := filepath.Join(dir, "window.sock")
	if len(path) > socketRoom {
		private, err := runtimeDir()
		if err != nil {
			return nil, "", err
		}
		sum := sha256.Sum256([]byte(dir))
		if path = filepath.Join(private, hex.EncodeToString(sum[:8])); len(path) > socketRoom {
			return nil, "", fmt.Errorf("no folder for a socket is near enough to the root: %w", unix.ENAMETOOLONG)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, "", err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, "", err
	}
	return listener, "unix " + path, nil
}

// runtimeDir is a folder that only this person can look into.
func runtimeDir() (string, error) {
	var failed error
	for _, dir := range []string{filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "tokenkeep"), filepath.Join(os.TempDir(), fmt.Sprintf("tokenkeep-%d", os.Getuid()))} {
		if !filepath.IsAbs(dir) {
			continue
		}
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			failed = errors.Join(failed, err)
			continue
		}
		// Lstat: in a folder of everybody's a stranger may have put a link, or a folder of theirs.
		var info unix.Stat_t
		if err := unix.Lstat(dir, &info); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if info.Mode&unix.S_IFMT != unix.S_IFDIR || int(info.Uid) != os.Getuid() || info.Mode&0o077 != 0 {
			failed = errors.Join(failed, fmt.Errorf("%s is not a private folder", dir))
			continue
		}
		return dir, nil
	}
	return "", failed
}
