package connect

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func init() {
	disks["full at the start"] = func(j *job) (disk, error) {
		d, err := fullDisk(j)
		if err != nil {
			return d, err
		}
		err = d.begin()
		return disk{none, d.mend}, err
	}
	disks["full later"] = fullDisk
	disks["read-only"] = readOnlyDisk
}

// apart gives a child mounts of its own, as root or as an ordinary user.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
}

// fullDisk puts a copy of the home on a small disk, of which it leaves no byte.
func fullDisk(j *job) (d disk, err error) {
	const room = "/mnt"
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return d, err
	}
	if err := syscall.Mount("tmpfs", room, "tmpfs", 0, "mode=0700,size=4m"); err != nil {
		return d, err
	}
	home := filepath.Join(room, "home")
	if err := os.CopyFS(home, os.DirFS(j.Home)); err != nil {
		return d, err
	}
	if err := filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	}); err != nil {
		return d, err
	}
	j.Home = home
	filler := filepath.Join(room, "filler")
	return disk{func() error { return fill(filler) }, func() error { return os.Remove(filler) }}, nil
}

// fill leaves no byte.
func fill(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 4096, 1} {
		for {
			if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
				break
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// readOnlyDisk makes the home one that can only be read.
func readOnlyDisk(j *job) (d disk, err error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return d, err
	}
	if err := syscall.Mount(j.Home, j.Home, "", syscall.MS_BIND, ""); err != nil {
		return d, err
	}
	if err := syscall.Mount("", j.Home, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return d, err
	}
	return disk{none, none}, nil
}

// PS-6 at a renewal: no room, or no right to write, shows before the provider
// is asked; with room again the same process renews.
func TestFault_DiskFullOrReadOnlyBeforeARenewalAsks(t *testing.T) {
	for _, row := range []struct {
		disk, key string
		asks      int
		again     string
	}{
		// A library that was opened without room is one to read, until the next start.
		{"full at the start", "library.full", 0, "library.full"},
		{"full later", "library.full", 1, "outcome renewed"},
		{"read-only", "library.read_only", 0, "library.read_only"},
	} {
		t.Run(row.disk, func(t *testing.T) {
			s := onDisk(t)
			id := s.plant("user-0001", old)
			item := s.raw(id)
			s.service.Close()
			cmd := s.child(job{Do: "renew", Refs: []string{id}, Disk: row.disk})
			apart(cmd)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var said []string
			for line := range strings.Lines(string(out)) {
				if strings.HasPrefix(line, "outcome ") {
					said = append(said, line)
				}
			}
			if len(said) != 2 || !strings.Contains(said[0], row.key) || !strings.Contains(said[0], "practice") || !strings.Contains(said[1], row.again) {
				t.Errorf("%s", out)
			}
			if n := s.asks("user-0001"); n != row.asks {
				t.Errorf("%d requests", n)
			}
			if row.asks == 0 && !s.raw(id).Equal(item) {
				t.Error("the item was touched")
			}
		})
	}
}
