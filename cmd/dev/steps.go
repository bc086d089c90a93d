package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// step is one part of a test run.
type step struct {
	name string
	run  func(ctx context.Context) error
	// vital steps end the run when they fail: nothing after them could pass.
	vital bool
}

// test runs every step, says how long each took, and fails with the code of
// the first that failed. Steps go on after a failure that does not make the
// later ones pointless: one run shows all there is to mend.
func test(ctx context.Context, long bool) error {
	count := &tally{}
	began := time.Now()
	failed, err := runSteps(ctx, os.Stdout, steps(long, count))
	took := time.Since(began).Round(time.Second)
	fmt.Println()
	if count.passed+count.failed > 0 {
		fmt.Printf("%d passed, %d failed\n", count.passed, count.failed)
	}
	if err != nil {
		fmt.Printf("FAILED after %s: %s\n", took, strings.Join(failed, ", "))
		return told{err}
	}
	fmt.Printf("All passed in %s.\n", took)
	return nil
}

// runSteps returns the names of the steps that failed and the first error.
func runSteps(ctx context.Context, out io.Writer, all []step) ([]string, error) {
	type timing struct {
		name string
		took time.Duration
		err  error
	}
	var done []timing
	var failed []string
	var first error
	for _, s := range all {
		fmt.Fprintf(out, "\n── %s\n", s.name)
		began := time.Now()
		err := s.run(ctx)
		done = append(done, timing{s.name, time.Since(began), err})
		if err != nil {
			fmt.Fprintf(out, "%s: %v\n", s.name, err)
			failed = append(failed, s.name)
			if first == nil {
				first = err
			}
			if s.vital || ctx.Err() != nil {
				break
			}
		}
	}
	fmt.Fprintln(out)
	for _, d := range done {
		verdict := "ok"
		if d.err != nil {
			verdict = "FAILED"
		}
		fmt.Fprintf(out, "%8.1f s  %-6s  %s\n", d.took.Seconds(), verdict, d.name)
	}
	return failed, first
}

// longRuns tells the tests that they have time for everything: all crash
// pairs, thousands of kills.
const longRuns = "TOKENKEEP_TEST_LONG=1"

func steps(long bool, count *tally) []step {
	fuzzTime, limit := "3s", "15m"
	var more []string
	if long {
		fuzzTime, limit, more = "2m", "3h", []string{longRuns}
	}
	goTest := func(env []string, args ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			return count.goTest(ctx, slices.Concat(env, more), append([]string{"-count=1", "-timeout=" + limit}, args...)...)
		}
	}
	return []step{
		{name: "system packages", vital: true, run: func(ctx context.Context) error {
			return provide(ctx, thisMachine(), toBuild, toOpen, aDesktop, toTest)
		}},
		{name: "formatting", run: formatted},
		{name: "go.mod is tidy", run: func(ctx context.Context) error {
			return call{args: []string{"go", "mod", "tidy", "-diff"}}.do(ctx)
		}},
		{name: "build", vital: true, run: func(ctx context.Context) error {
			if err := (call{args: []string{"go", "build", "-buildvcs=false", "-tags", "x11", "./..."}, env: clang}).do(ctx); err != nil {
				return err
			}
			return call{args: []string{"go", "build", "-buildvcs=false", "-o", os.DevNull, "./cmd/tokenkeepctl"}, env: pure}.do(ctx)
		}},
		{name: "vet", run: vet},
		{name: "tests without C", run: func(ctx context.Context) error {
			packages, err := listPackages(ctx)
			if err != nil {
				return err
			}
			return goTest(pure, append([]string{"-tags=ci"}, packages...)...)(ctx)
		}},
		{name: "tests with the race detector", run: func(ctx context.Context) error {
			packages, err := listPackages(ctx)
			if err != nil {
				return err
			}
			// The driver of the window's tests is a server: it belongs here, too.
			race := []string{"-tags=ci,e2e", "-race"}
			var window []string
			packages = slices.DeleteFunc(packages, func(p string) bool {
				own := slices.ContainsFunc(oneThread, func(room string) bool { return strings.HasSuffix(p, "/"+room) })
				if own {
					window = append(window, p)
				}
				return own
			})
			return errors.Join(goTest(clang, slices.Concat(race, packages)...)(ctx),
				goTest(clang, slices.Concat(race, []string{"-run=^(" + strings.Join(besideTheWindow, "|") + ")$"}, window)...)(ctx))
		}},
		{name: "fuzzing", run: func(ctx context.Context) error { return fuzz(ctx, count, fuzzTime) }},
		{name: "authorization servers from npm", run: installServers},
		{name: "journeys on a real desktop", run: goTest(pure, "-skip=^TestBench", "./internal/e2e")},
		{name: "benchmarks", run: goTest(pure, "-run=^TestBench", "./internal/e2e")},
	}
}

// npmServers holds the package-lock of the servers that the tests sign in at.
const npmServers = "internal/e2e/servers"

// installServers brings exactly what the lock names, each checked against its
// digest, runs no script of theirs, and asks the network for what npm does not
// have from an earlier run.
func installServers(ctx context.Context) error {
	err := call{
		args: []string{"npm", "--prefix", npmServers, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"},
		env:  []string{"NPM_CONFIG_UPDATE_NOTIFIER=false"},
	}.do(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\nThe servers of %s are not installed. The first run needs npm's registry on the network; later ones take them from npm's cache.\nWithout them the tests TestServersFromNPM… fail and the others go on", err, npmServers)
	}
	return err
}

// formatted fails with the names of files that gofmt would change.
func formatted(ctx context.Context) error {
	var out bytes.Buffer
	if err := (call{args: []string{gofmt(), "-l", "cmd", "internal", "resources"}, out: &out}).do(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, out.String())
	}
	if out.Len() > 0 {
		return fmt.Errorf("not formatted (gofmt -w changes it):\n%s", out.String())
	}
	return nil
}

// gofmt comes with Go, but not every way of installing Go puts it on the path.
func gofmt() string {
	if found, err := exec.LookPath("gofmt"); err == nil {
		return found
	}
	return filepath.Join(runtime.GOROOT(), "bin", "gofmt")
}

// vet looks at every build that we ship, at the test driver's, and at the
// systems that are compiled and not run here. On macOS the toolkit needs
// Apple's headers, so everything but the window is vetted.
func vet(ctx context.Context) error {
	without, err := withoutToolkit(ctx, "darwin")
	if err != nil {
		return err
	}
	for _, v := range []struct {
		env, args []string
	}{
		{clang, []string{"-tags=x11", "./..."}},
		{clang, []string{"-tags=x11,e2e", "./..."}},
		{append([]string{"GOOS=windows", "GOARCH=amd64"}, pure...), []string{"-tags=ci", "./..."}},
		{append([]string{"GOOS=darwin", "GOARCH=arm64"}, pure...), without},
	} {
		if err := (call{args: append([]string{"go", "vet"}, v.args...), env: v.env}).do(ctx); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(v.env, " "), err)
		}
	}
	return nil
}

// list runs go list and returns its lines.
func list(ctx context.Context, env []string, args ...string) ([]string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", append([]string{"list"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n"), nil
}

// journeys is the room whose tests have a step of their own.
const journeys = "/internal/e2e"

// oneThread are the rooms whose tests take minutes to lay out screens under the
// race detector and have nothing for it to find: the window's work waits in a
// queue that the test itself drains. besideTheWindow are their tests in which
// work really runs beside the window. A test of this room holds the list.
var (
	oneThread       = []string{"internal/ui", "internal/ui/kit"}
	besideTheWindow = []string{
		"TestTheWindowOverTheRealCore", "TestAWholePracticeSignInOverTheRealCore",
		"TestTheNextAttemptWaitsForTheLastOnesPort", "TestRealRunnerPostsAndStops",
		"TestAWishOpensTheAccount", "TestTheLoopsReports", "TestAPastedTokenOverTheRealCore",
	}
)

// listPackages names every package but the journeys.
func listPackages(ctx context.Context) ([]string, error) {
	all, err := list(ctx, pure, "-tags=ci", "./...")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(p string) bool { return strings.HasSuffix(p, journeys) }), nil
}

// withoutToolkit names the packages that need nothing of the window toolkit.
func withoutToolkit(ctx context.Context, goos string) ([]string, error) {
	lines, err := list(ctx, append([]string{"GOOS=" + goos, "GOARCH=arm64"}, pure...), "-e", "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "./...")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, line := range lines {
		name, needs, _ := strings.Cut(line, " ")
		if !strings.Contains(" "+needs, " fyne.io/") {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("go list named no package without the toolkit")
	}
	return out, nil
}

// target is one native fuzz test.
type target struct{ dir, name string }

// fuzzTargets reads the test files of the tree, without building any.
func fuzzTargets(root fs.FS) ([]target, error) {
	var out []target
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "artifacts" || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") {
				out = append(out, target{dir: path.Dir(name), name: f.Name.Name})
			}
		}
		return nil
	})
	return out, err
}

// fuzz gives each fuzz test its time. What it finds is kept by the go command
// under the package's testdata and fails every later run.
func fuzz(ctx context.Context, count *tally, each string) error {
	targets, err := fuzzTargets(os.DirFS("."))
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return errors.New("no fuzz test was found")
	}
	var failed []error
	for _, t := range targets {
		began := time.Now()
		var out bytes.Buffer
		err := call{args: []string{"go", "test", "-tags=ci", "-run=^$", "-fuzz=^" + t.name + "$", "-fuzztime=" + each, "./" + t.dir}, env: pure, out: &out}.do(ctx)
		if err != nil {
			count.failed++
			fmt.Printf("FAIL  %s in %s\n%s\n", t.name, t.dir, out.String())
			failed = append(failed, fmt.Errorf("%s: %w", t.name, err))
			continue
		}
		count.passed++
		fmt.Printf("ok    %s in %s (%.1f s)\n", t.name, t.dir, time.Since(began).Seconds())
	}
	return errors.Join(failed...)
}
