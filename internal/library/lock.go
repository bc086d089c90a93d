package library

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// LockWait is how long Lock waits for another holder.
const LockWait = 30 * time.Second

var lockName = regexp.MustCompile(`^[a-z0-9-]{1,48}$`)

// Windows denies others the first byte of a locked file, even to read; the
// number of the holder stands behind it there.
func pidOffset() int64 {
	if runtime.GOOS == "windows" {
		return 1
	}
	return 0
}

// Lock takes the lock of that name (an account's id, or "port-8919") in
// <dir>/locks, across goroutines and processes, and waits up to LockWait.
// See LockFor.
func Lock(ctx context.Context, dir, id string) (unlock func(), err error) {
	return LockFor(ctx, dir, id, LockWait)
}

// LockFor is Lock with a wait of your own; zero tries once. The kernel frees
// the lock when the holder ends, also by kill -9; the file stays, for a lock
// file that is removed can be locked twice. unlock may be called repeatedly.
//
// Errors: LockHeld with the arguments pid (empty when unknown) and name,
// LockUnavailable where the file system has no locks, LibraryFull and
// LibraryReadOnly where the file cannot be made, the context's own.
func LockFor(ctx context.Context, dir, id string, wait time.Duration) (unlock func(), err error) {
	if !lockName.MatchString(id) {
		return nil, problem.New(problem.Unexpected, "where", "lock name")
	}
	folder := filepath.Join(dir, "locks")
	path := filepath.Join(folder, id)
	file, err := lockFile(folder, path)
	if err != nil {
		if key := roomOrRight(err); key != "" {
			return nil, problem.New(key, "folder", dir).Because(err)
		}
		return nil, problem.New(problem.LockUnavailable, "folder", dir).Because(err)
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	deadline := time.Now().Add(wait)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		held, err := lock.TryLock()
		if held {
			break
		}
		if err == nil && time.Now().Before(deadline) {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(min(pause, time.Until(deadline))):
				continue
			}
		}
		pid := readPID(file)
		_ = file.Close()
		_ = lock.Close()
		switch {
		case err == nil:
			return nil, problem.New(problem.LockHeld, "pid", pid, "name", id)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
			return nil, problem.New(problem.LockUnavailable, "folder", dir).Because(err)
		}
		return nil, problem.New(problem.LockUnavailable, "folder", dir).Because(err)
	}
	// Who holds it is a courtesy to those who wait: a full disk does not
	// take the lock away.
	_ = file.Truncate(pidOffset())
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), pidOffset())
	var once sync.Once
	return func() {
		once.Do(func() {
			_ = file.Truncate(0)
			_ = file.Close()
			_ = lock.Close()
		})
	}, nil
}

// lockFile makes the folder and the file, private whatever the umask.
func lockFile(folder, path string) (*os.File, error) {
	if err := os.Mkdir(folder, 0o700); err == nil {
		if err := os.Chmod(folder, 0o700); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, os.ErrExist) {
		if errors.Is(err, os.ErrNotExist) {
			// The home itself is missing: nobody opened the library yet.
			err = os.MkdirAll(folder, 0o700)
		}
		if err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil {
		narrow(path, info, 0o600)
	}
	return file, nil
}

func readPID(file *os.File) string {
	b := make([]byte, 24)
	n, err := file.ReadAt(b, pidOffset())
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	pid := strings.TrimSpace(string(b[:n]))
	if _, err := strconv.Atoi(pid); err != nil {
		return ""
	}
	return pid
}
