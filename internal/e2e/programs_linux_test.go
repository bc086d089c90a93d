package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built are the programs under test, compiled once for all tests of a run and
// readable by the ordinary user that runs them.
var built struct {
	once sync.Once
	dir  string
	err  error
	mu   sync.Mutex
	made map[string]error
}

// program compiles one of our commands as a package does, with the given tags,
// and returns its path. CC is clang, as everywhere in this project.
func program(t testing.TB, name, tags string) string {
	t.Helper()
	return programAt(t, name, tags, "./cmd/"+name)
}

// programAt is program for a package that is none of our commands.
func programAt(t testing.TB, name, tags, pkg string) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	built.once.Do(func() {
		built.made = map[string]error{}
		if built.dir, built.err = os.MkdirTemp("", "tkbin"); built.err == nil {
			built.err = os.Chmod(built.dir, 0o755)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	path := filepath.Join(built.dir, name+"-"+tags)
	err, known := built.made[path]
	if !known {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", tags, "-o", path, pkg)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if name != "tokenkeepctl" {
			cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "CC="+tool(t, "clang"), "CXX="+tool(t, "clang++"))
		}
		if out, failure := cmd.CombinedOutput(); failure != nil {
			err = fmt.Errorf("building %s: %w\n%s", name, failure, out)
		}
		built.made[path] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func removeBuilt() error {
	if built.dir == "" {
		return nil
	}
	return os.RemoveAll(built.dir)
}
