package library

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Opening a library that this process has open already takes no lock away from
// it: another process would believe that nobody is using the file, and tidy up
// under our hands.
func TestOpeningTwiceKeepsTheLocks(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Accounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := locksOn(t, filepath.Join(dir, fileName))
	if before == 0 {
		t.Fatal("an open library holds no lock: this test can show nothing")
	}
	second, err := Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if after := locksOn(t, filepath.Join(dir, fileName)); after == 0 {
		t.Error("opening it again took the locks away")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if after := locksOn(t, filepath.Join(dir, fileName)); after == 0 {
		t.Error("closing the second took the locks of the first away")
	}
}

// locksOn counts this process's POSIX locks on a file.
func locksOn(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile("/proc/locks")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	inode := fmt.Sprintf(":%d", info.Sys().(*syscall.Stat_t).Ino)
	for _, line := range strings.Split(string(all), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 5 && fields[1] == "POSIX" && fields[4] == fmt.Sprint(os.Getpid()) && strings.HasSuffix(fields[5], inode) {
			n++
		}
	}
	return n
}
