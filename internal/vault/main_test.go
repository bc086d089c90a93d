package vault

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestMain(m *testing.M) {
	Serve()
	playPart()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		// KR-13: whatever a test started has ended with it.
		if left := processesBelow(os.Getpid()); len(left) > 0 && code == 0 {
			fmt.Fprintln(os.Stderr, "processes outlive the tests:", left)
			code = 1
		}
		os.Exit(code)
	}))
}

// wants fails unless err is the problem key, with args ("name", "value", …).
func wants(t *testing.T, err error, key problem.Key, args ...string) {
	t.Helper()
	if !problem.Has(err, key) {
		t.Fatalf("got %v, want %s", err, key)
	}
	p := problem.Of(err)
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args[args[i]] != args[i+1] {
			t.Errorf("%v: %s should be %q", err, args[i], args[i+1])
		}
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func done(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tool gives the path of a program that a test needs, and fails with the name
// of its Debian package without it.
func tool(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the Debian package %s", name, debian)
	}
	return path
}

// filesHold lists the files below the directories that hold one of the forms.
func filesHold(t *testing.T, forms []string, dirs ...string) []string {
	t.Helper()
	var found []string
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, form := range forms {
				if strings.Contains(string(data), form) {
					found = append(found, path)
					break
				}
			}
			return nil
		})
		done(t, err)
	}
	return found
}
