package renew

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestTheCalendarFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tokens.ics")
	first, second := Calendar(nil, noon, plainWords), Calendar([]connect.Account{account("a", noon, day)}, noon, plainWords)
	for _, data := range [][]byte{first, second} {
		if err := WriteCalendar(path, data); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != string(data) {
			t.Fatalf("%q, %v", got, err)
		}
		info, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	// A reader that has the old file open keeps the old file: one step.
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := WriteCalendar(path, first); err != nil {
		t.Fatal(err)
	}
	then, err := old.Stat()
	if err != nil {
		t.Fatal(err)
	}
	now, err := os.Stat(path)
	if err != nil || os.SameFile(then, now) {
		t.Errorf("it was written in place, %v", err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := RemoveCalendar(path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Error("still there")
		}
	}
	// An empty file is what a dialog leaves where a person made a new one.
	must(t, os.WriteFile(path, nil, 0o644))
	if err := WriteCalendar(path, second); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// SEC-7: what is not ours is neither followed, replaced nor removed.
func TestSEC7_TheCalendarFollowsNoLinkAndReplacesNothingOfOthers(t *testing.T) {
	data := Calendar(nil, noon, plainWords)
	outside := filepath.Join(t.TempDir(), "outside.ics")
	must(t, os.WriteFile(outside, data, 0o600)) // even one of ours is not written through a link
	for name, make := range map[string]func(path string) error{
		"link to ours":    func(p string) error { return os.Symlink(outside, p) },
		"link to nothing": func(p string) error { return os.Symlink(filepath.Join(filepath.Dir(p), "gone"), p) },
		"folder":          func(p string) error { return os.Mkdir(p, 0o700) },
		"another's calendar": func(p string) error {
			return os.WriteFile(p, []byte("BEGIN:VCALENDAR\r\nPRODID:-//Other//EN\r\nEND:VCALENDAR\r\n"), 0o600)
		},
		"another kind of file": func(p string) error { return os.WriteFile(p, []byte("dear diary"), 0o600) },
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "tokens.ics")
		must(t, make(path))
		before, err := os.Lstat(path)
		must(t, err)
		err = WriteCalendar(path, Calendar([]connect.Account{account("a", noon, day)}, noon, plainWords))
		if p := problem.Of(err); !problem.Has(err, problem.CalendarFailed) || p.Args["folder"] != dir || p.Args["reason"] != "foreign" {
			t.Errorf("%s: %v", name, err)
		}
		if err := RemoveCalendar(path); err != nil {
			t.Errorf("%s: removing: %v", name, err)
		}
		after, err := os.Lstat(path)
		if err != nil || !os.SameFile(before, after) || before.ModTime() != after.ModTime() {
			t.Errorf("%s: it was touched, %v", name, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%s: left behind: %v", name, entries)
		}
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != string(data) {
		t.Errorf("the link's target was changed, %v", err)
	}
}

func TestACalendarThatCannotBeWrittenSaysWhere(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	for _, path := range []string{filepath.Join(gone, "tokens.ics"), "tokens.ics"} {
		err := WriteCalendar(path, Calendar(nil, noon, plainWords))
		if !problem.Has(err, problem.CalendarFailed) || problem.Of(err).Args["folder"] != filepath.Dir(path) || problem.Of(err).Args["reason"] != "" {
			t.Errorf("%s: %v", path, err)
		}
		if err := RemoveCalendar(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestTheCalendarIsKeptWhereThePersonAskedForIt(t *testing.T) {
	d := newDouble(fixed(noon), account("a", noon, day))
	if err := KeepCalendar(t.Context(), d, noon, plainWords); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "team.ics")
	d.set("calendar", path)
	if err := KeepCalendar(t.Context(), d, noon, plainWords); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || len(parse(t, data)) != 1 {
		t.Errorf("%s, %v", data, err)
	}
	d.broken = problem.New(problem.LibraryBusy)
	if err := KeepCalendar(t.Context(), d, noon, plainWords); !problem.Has(err, problem.LibraryBusy) {
		t.Error(err)
	}
}
