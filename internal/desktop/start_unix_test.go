//go:build unix

package desktop

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// record is a program that writes its arguments, one a line, and says done.
func record(t *testing.T, path, dir string) {
	t.Helper()
	script := "#!/bin/sh\n[ -e '" + dir + "/refuse' ] && exit 1\nprintf '%s\\n' \"$0\" \"$@\" >'" + dir + "/half'\n/bin/mv '" + dir + "/half' '" + dir + "/'\"${0##*/}\".done\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

func recorded(t *testing.T, dir, name string) (argv []string) {
	t.Helper()
	path := filepath.Join(dir, name+".done")
	eventually(t, name+" was started", func() bool {
		data, err := os.ReadFile(path)
		argv = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		return err == nil
	})
	_ = os.Remove(path)
	return argv
}

func TestAProgramIsStarted(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	program := filepath.Join(bin, "tokenkeep")
	record(t, program, dir)
	t.Setenv("PATH", bin)
	t.Setenv("INVOCATION_ID", "")
	if err := Start(t.Context(), program, "--account", "a b"); err != nil {
		t.Fatal(err)
	}
	if got := recorded(t, dir, "tokenkeep"); !slices.Equal(got, []string{program, "--account", "a b"}) {
		t.Errorf("%q", got)
	}
	if err := Start(t.Context(), program+".gone"); err == nil {
		t.Error("a program that is not there was started")
	}
}

// In a unit the manager is asked; where that fails, a child is better than
// nothing.
func TestInAUnitTheManagerStartsIt(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	program := filepath.Join(t.TempDir(), "tokenkeep")
	record(t, program, t.TempDir())
	record(t, filepath.Join(bin, "systemd-run"), dir)
	t.Setenv("PATH", bin)
	t.Setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef")
	for _, name := range []string{"WAYLAND_DISPLAY", "XAUTHORITY", "XDG_CURRENT_DESKTOP", "LANG"} {
		t.Setenv(name, "")
	}
	t.Setenv("DISPLAY", ":7")
	if err := Start(t.Context(), program, "--home", "/home/$USER"); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(bin, "systemd-run"), "--user", "--collect", "--quiet", "--setenv=DISPLAY=:7", "--", program, "--home", "/home/$$USER"}
	if got := recorded(t, dir, "systemd-run"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "refuse"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	record(t, program, other)
	if err := Start(t.Context(), program, "--account", "x"); err != nil {
		t.Fatal(err)
	}
	if got := recorded(t, other, "tokenkeep"); !slices.Equal(got, []string{program, "--account", "x"}) {
		t.Errorf("%q", got)
	}
}
