package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// standIn is a machine on which "installing" makes the parts appear.
type standIn struct {
	machine
	out bytes.Buffer
	ran []string
}

func newStandIn(answer string, installed map[string]bool) *standIn {
	s := &standIn{machine: machine{debian: true, sudo: true, answer: strings.NewReader(answer)}}
	s.machine.out = &s.out
	s.run = func(_ context.Context, args ...string) error {
		s.ran = append(s.ran, strings.Join(args, " "))
		if slices.Contains(args, "install") {
			for name := range installed {
				installed[name] = slices.Contains(args, name)
			}
		}
		return nil
	}
	return s
}

func parts(installed map[string]bool) []part {
	var out []part
	for _, name := range []string{"alpha", "beta"} {
		out = append(out, part{"the thing " + name, name, func() bool { return installed[name] }})
	}
	return out
}

func TestProvideInstallsAsRootWithoutAsking(t *testing.T) {
	installed := map[string]bool{"alpha": false, "beta": false}
	s := newStandIn("", installed)
	s.root = true
	if err := provide(t.Context(), s.machine, parts(installed)); err != nil {
		t.Fatal(err)
	}
	if len(s.ran) != 2 || !strings.HasSuffix(s.ran[1], "install -y --no-install-recommends alpha beta") || strings.Contains(s.ran[1], "sudo") {
		t.Errorf("ran %q", s.ran)
	}
	s.ran = nil
	if err := provide(t.Context(), s.machine, parts(installed)); err != nil || len(s.ran) != 0 {
		t.Errorf("with everything there: %v, ran %q", err, s.ran)
	}
}

func TestProvideShowsTheLineAndAsks(t *testing.T) {
	for answer, agreed := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "": false} {
		installed := map[string]bool{"alpha": true, "beta": false}
		s := newStandIn(answer, installed)
		installed["alpha"] = true
		err := provide(t.Context(), s.machine, parts(installed)[1:])
		if agreed != (err == nil) || agreed != (len(s.ran) == 2) {
			t.Errorf("answer %q: %v, ran %q", answer, err, s.ran)
		}
		if agreed && !strings.HasPrefix(s.ran[1], "sudo apt-get") {
			t.Errorf("answer %q ran %q", answer, s.ran)
		}
		if !strings.Contains(s.out.String(), "sudo apt-get update && sudo apt-get install -y --no-install-recommends beta\n") {
			t.Errorf("answer %q: the line was not shown:\n%s", answer, s.out.String())
		}
	}
}

func TestProvideOnlyNamesElsewhere(t *testing.T) {
	s := newStandIn("y\n", map[string]bool{})
	s.debian, s.root = false, true
	err := provide(t.Context(), s.machine, parts(nil))
	if !errors.Is(err, errPackages) || len(s.ran) != 0 || !strings.Contains(s.out.String(), "alpha") || !strings.Contains(s.out.String(), "beta") {
		t.Errorf("%v, ran %q, said:\n%s", err, s.ran, s.out.String())
	}
}

func TestProvideNoticesWhatIsStillMissing(t *testing.T) {
	s := newStandIn("", map[string]bool{})
	s.root = true
	if err := provide(t.Context(), s.machine, parts(nil)); !errors.Is(err, errPackages) {
		t.Errorf("got %v", err)
	}
}

func TestProvideFailsWithTheInstaller(t *testing.T) {
	s := newStandIn("", map[string]bool{})
	s.root = true
	s.run = func(_ context.Context, args ...string) error {
		if slices.Contains(args, "update") {
			return errors.New("no network")
		}
		return exec.Command("sh", "-c", "exit 100").Run()
	}
	if err := provide(t.Context(), s.machine, parts(nil)); exitCode(err) != 100 {
		t.Errorf("got %v, exit code %d, expected the installer's 100", err, exitCode(err))
	}
}

func TestStepsGoOnUnlessAVitalOneFails(t *testing.T) {
	var ran []string
	make := func(name string, vital bool, err error) step {
		return step{name: name, vital: vital, run: func(context.Context) error { ran = append(ran, name); return err }}
	}
	first, second := errors.New("first"), errors.New("second")
	failed, err := runSteps(t.Context(), io.Discard, []step{make("a", false, first), make("b", false, nil), make("c", true, second), make("d", false, nil)})
	if !slices.Equal(ran, []string{"a", "b", "c"}) || !slices.Equal(failed, []string{"a", "c"}) || err != first {
		t.Errorf("ran %q, failed %q, error %v", ran, failed, err)
	}
}

func TestTallyCountsShowsFailuresAndRefusesSkips(t *testing.T) {
	stream := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	for name, c := range map[string]struct {
		in             string
		passed, failed int
		skipped        bool
		says, hides    string
	}{
		"pass": {in: stream(
			`{"Action":"run","Package":"p","Test":"TestA"}`,
			`{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}`,
			`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}`,
			`{"Action":"pass","Package":"p","Elapsed":0.2}`), passed: 1, says: "1 tests", hides: "quiet"},
		"fail": {in: stream(
			`{"Action":"output","Package":"p","Test":"TestA","Output":"because of this\n"}`,
			`{"Action":"fail","Package":"p","Test":"TestA"}`,
			`{"Action":"output","Package":"p","Output":"exit status 1\n"}`,
			`{"Action":"fail","Package":"p"}`), failed: 1, says: "because of this", hides: "exit status"},
		"panic": {in: stream(
			`{"Action":"output","Package":"p","Test":"TestA","Output":"last words\n"}`,
			`{"Action":"fail","Package":"p"}`), says: "last words"},
		"skip": {in: stream(
			`{"Action":"output","Package":"p","Test":"TestA","Output":"no tool\n"}`,
			`{"Action":"skip","Package":"p","Test":"TestA"}`,
			`{"Action":"pass","Package":"p"}`), failed: 1, skipped: true, says: "no tool"},
		"figure": {in: stream(
			`{"Action":"attr","Package":"p","Test":"TestA","Key":"figure","Value":"300 kills"}`,
			`{"Action":"attr","Package":"p","Test":"TestA","Key":"other","Value":"quiet"}`,
			`{"Action":"output","Package":"p","Test":"TestA","Output":"=== ATTR  TestA other quiet\n"}`,
			`{"Action":"pass","Package":"p","Test":"TestA"}`), passed: 1, says: "TestA: 300 kills", hides: "quiet"},
		"story": {in: stream(
			`{"Action":"output","Package":"p","Test":"TestA","Output":"» the ratio is 1.2\n"}`,
			`{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}`,
			`{"Action":"pass","Package":"p","Test":"TestA"}`), passed: 1, says: "      the ratio is 1.2\n", hides: "quiet"},
		"no tests":      {in: stream(`{"Action":"skip","Package":"p"}`)},
		"build failure": {in: stream(`{"ImportPath":"p","Action":"build-output","Output":"x.go:1: broken\n"}`, `{"Action":"fail","Package":"p"}`), says: "x.go:1: broken"},
	} {
		var out bytes.Buffer
		count := &tally{}
		skipped := count.read(strings.NewReader(c.in), &out)
		if count.passed != c.passed || count.failed != c.failed || skipped != c.skipped {
			t.Errorf("%s: %d passed, %d failed, skipped %v", name, count.passed, count.failed, skipped)
		}
		if !strings.Contains(out.String(), c.says) || c.hides != "" && strings.Contains(out.String(), c.hides) {
			t.Errorf("%s printed:\n%s", name, out.String())
		}
	}
}

func TestFuzzTargetsAreFoundByReading(t *testing.T) {
	found, err := fuzzTargets(fstest.MapFS{
		"internal/a/a_test.go":          {Data: []byte("package a\nimport \"testing\"\nfunc FuzzOne(f *testing.F) {}\nfunc TestTwo(t *testing.T) {}\n")},
		"internal/a/a.go":               {Data: []byte("package a\nfunc FuzzNot() {}\n")},
		"internal/a/testdata/x_test.go": {Data: []byte("package a\nfunc FuzzData() {}\n")},
	})
	if err != nil || !slices.Equal(found, []target{{"internal/a", "FuzzOne"}}) {
		t.Errorf("found %v, %v", found, err)
	}
	here, err := fuzzTargets(os.DirFS(repository(t)))
	if err != nil || len(here) == 0 {
		t.Errorf("in this repository: %v, %v", here, err)
	}
}

// What runs beside the window is run under the race detector: each test that is
// named exists, and no file starts work beside it without such a test.
func TestWhatRunsBesideTheWindowIsNamed(t *testing.T) {
	missing := map[string]bool{}
	for _, name := range besideTheWindow {
		missing[name] = true
	}
	goFiles(t, func(room, name string, file *ast.File, at func(ast.Node) string) {
		if !slices.Contains(oneThread, room) {
			return
		}
		named := false
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && slices.Contains(besideTheWindow, f.Name.Name) {
				named = true
				delete(missing, f.Name.Name)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok && !named && name != "internal/ui/kit/runner.go" {
				t.Errorf("%s starts something beside the window: no test of this file is in besideTheWindow (cmd/dev/steps.go)", at(n))
			}
			return true
		})
	})
	for name := range missing {
		t.Errorf("%s is to run under the race detector and does not exist", name)
	}
}

func TestOnlyTheStoryIsTold(t *testing.T) {
	var out bytes.Buffer
	if n := tellStory(strings.NewReader("=== RUN TestPracticeJourney\n» The window opened.\n    x.go:3: detail\n--- PASS: x\nPASS\n"), &out); n != 1 || out.String() != "The window opened.\n" {
		t.Errorf("told %d: %q", n, out.String())
	}
	out.Reset()
	tellStory(strings.NewReader("» The window opened.\n    x.go:3: the reason\n--- FAIL: x\nFAIL\n"), &out)
	if !strings.Contains(out.String(), "the reason") {
		t.Errorf("a failure keeps its reason to itself: %q", out.String())
	}
}

func TestExitCodeIsThatOfWhatFailed(t *testing.T) {
	failing := exec.Command("sh", "-c", "exit 7").Run()
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"usage":   {errUsage, 2},
		"program": {fmt.Errorf("step: %w", failing), 7},
		"told":    {told{fmt.Errorf("step: %w", failing)}, 7},
		"joined":  {errors.Join(errors.New("x"), failing), 7},
		"other":   {errors.New("x"), 1},
	} {
		if got := exitCode(c.err); got != c.code {
			t.Errorf("%s: %d, expected %d", name, got, c.code)
		}
	}
	if err := command(t.Context(), []string{"tset"}); !errors.Is(err, errUsage) {
		t.Errorf("a mistyped command gave %v", err)
	}
}

// The lock says exactly which servers are meant and from nowhere in particular:
// every package by version and digest, no registry by name.
func TestTheServersAreLocked(t *testing.T) {
	dir := filepath.Join(repository(t), filepath.FromSlash(npmServers))
	source, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Version, Integrity, Resolved string
			Link, HasInstallScript       bool
			Dependencies                 map[string]string
		}
	}
	if err := json.Unmarshal(source, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		if name != "" && (p.Version == "" || !strings.HasPrefix(p.Integrity, "sha512-")) || p.Resolved != "" || p.Link || p.HasInstallScript {
			t.Errorf("%q: %+v", name, p)
		}
	}
	for name, version := range map[string]string{"oidc-provider": "8.8.1", "oauth2-mock-server": "7.2.1"} {
		if got := lock.Packages["node_modules/"+name].Version; got != version || lock.Packages[""].Dependencies[name] != version {
			t.Errorf("%s is locked at %q", name, got)
		}
	}
	var own struct {
		Private bool
		Scripts map[string]string
	}
	if source, err = os.ReadFile(filepath.Join(dir, "package.json")); err != nil || json.Unmarshal(source, &own) != nil || !own.Private || len(own.Scripts) > 0 {
		t.Errorf("package.json: %+v, %v", own, err)
	}
}
