package desktop

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(asWindow); dir != "" {
		os.Exit(window(dir))
	}
	goleak.VerifyTestMain(m)
}

func tool(t testing.TB, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("the program %s is missing: Debian package %s", program, debian)
	}
	return path
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if done() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not in 15 s", what)
		}
	}
}

func wantKey(t testing.TB, err error, key problem.Key) *problem.Problem {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) || p.Key != key {
		t.Fatalf("got %v, want %s", err, key)
	}
	return p
}

func TestTheNamesAreTheProducts(t *testing.T) {
	if appName != buildinfo.Name || appID != buildinfo.ID {
		t.Errorf("%s and %s here, %s and %s in buildinfo", appName, appID, buildinfo.Name, buildinfo.ID)
	}
}
