package browser

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var errHeld = errors.New("browser: the lock is held")

const (
	profilePrefix = "window-"
	lockSuffix    = ".lock"
)

// profilesDir is where the separate windows' profiles lie, 0700 and ours
// alone; not the shared folder for temporary files.
func profilesDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tokenkeep", "windows")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o700)
}

// A profile is a browser's folder that lives as long as one window. It holds
// the answer's code in cache files, so it is removed at the end, and whatever a
// crash left is removed at the next start. A lock beside it says which are in
// use.
type profile struct {
	dir     string
	release func()
}

func newProfile() (*profile, error) {
	dir, err := profilesDir()
	if err != nil {
		return nil, err
	}
	sweep(dir)
	// The lock comes first and under the final name, or a sweep of another
	// process could take the folder between its birth and its lock.
	lock, err := os.CreateTemp(dir, profilePrefix+"*"+lockSuffix)
	if err != nil {
		return nil, err
	}
	name := lock.Name()
	_ = lock.Close()
	release, err := lockFile(name)
	if err != nil {
		return nil, err
	}
	p := &profile{dir: strings.TrimSuffix(name, lockSuffix), release: release}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// remove deletes the folder; helpers of the browser may write a moment longer.
func (p *profile) remove() error {
	var err error
	for range 20 {
		if err = os.RemoveAll(p.dir); err == nil {
			if _, statErr := os.Lstat(p.dir); errors.Is(statErr, os.ErrNotExist) {
				break
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.release()
	if err == nil {
		err = os.Remove(p.dir + lockSuffix)
	}
	return err
}

// sweep removes the profiles that nobody holds.
func sweep(dir string) {
	locks, err := filepath.Glob(filepath.Join(dir, profilePrefix+"*"+lockSuffix))
	if err != nil {
		return
	}
	for _, lock := range locks {
		release, err := lockFile(lock)
		if err != nil {
			continue
		}
		if os.RemoveAll(strings.TrimSuffix(lock, lockSuffix)) == nil {
			_ = os.Remove(lock)
		}
		release()
	}
}

// SweepWindows removes the profiles of separate windows that a crash left
// behind. Call it once at the program's start; every OpenWindow does it too.
func SweepWindows() {
	if dir, err := profilesDir(); err == nil {
		sweep(dir)
	}
}
