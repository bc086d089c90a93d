package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// tally reads what `go test -json` says: it counts, shows what failed with its
// words and keeps quiet about the rest. A skipped test counts as failed.
type tally struct{ passed, failed int }

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64 // seconds
	Key, Value                                string  // of "attr"
}

var errSkipped = errors.New("tests were skipped: a test that cannot run must fail and name what is missing")

// goTest runs go test with the arguments and returns its failure, or
// errSkipped.
func (c *tally) goTest(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	before := *c
	skipped := c.read(out, os.Stdout)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test: %w", err)
	}
	if skipped {
		return errSkipped
	}
	if c.passed == before.passed {
		return errors.New("go test ran no test")
	}
	return nil
}

// read takes in the whole stream, prints one line a package, the words of
// whatever failed and what a test tells: its figures (t.Attr "figure") and the
// sentences of a story. It reports whether a test was skipped.
func (c *tally) read(from io.Reader, to io.Writer) (skipped bool) {
	said := map[string][]string{}
	passedIn := map[string]int{}
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(to, line)
			} else if c.take(e, said, passedIn, to) {
				skipped = true
			}
		}
		if err != nil {
			return skipped
		}
	}
}

func (c *tally) take(e event, said map[string][]string, passedIn map[string]int, to io.Writer) (skipped bool) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Fprint(to, e.Output)
	case "output":
		if told, ok := strings.CutPrefix(e.Output, storyMark); ok {
			fmt.Fprint(to, "      "+told)
		}
		said[key] = append(said[key], e.Output)
	case "attr":
		if e.Key == "figure" {
			fmt.Fprintf(to, "      %s: %s\n", e.Test, e.Value)
		}
	case "pass":
		if e.Test == "" {
			fmt.Fprintf(to, "ok    %-56s %6.1f s  %d tests\n", e.Package, e.Elapsed, passedIn[e.Package])
		} else {
			c.passed++
			passedIn[e.Package]++
		}
		delete(said, key)
	case "fail":
		if e.Test != "" {
			c.failed++
		}
		for _, text := range said[key] {
			if !noise(text) {
				fmt.Fprint(to, text)
			}
		}
		if e.Test == "" {
			fmt.Fprintf(to, "FAIL  %-56s %6.1f s\n", e.Package, e.Elapsed)
			// A panic or an exit leaves tests behind that never came to an end;
			// what they said is often the only trace.
			for unfinished, texts := range said {
				if strings.HasPrefix(unfinished, e.Package+" ") && unfinished != key {
					fmt.Fprint(to, strings.Join(texts, ""))
				}
			}
		}
		for done := range said {
			if done == key || e.Test == "" && strings.HasPrefix(done, e.Package+" ") {
				delete(said, done)
			}
		}
	case "skip":
		if e.Test != "" {
			c.failed++
			fmt.Fprintf(to, "SKIP  %s %s\n%s", e.Package, e.Test, strings.Join(said[key], ""))
			delete(said, key)
			return true
		}
		delete(said, key)
	}
	return false
}

// noise is what go test says of its own accord and our lines say already.
func noise(text string) bool {
	return strings.HasPrefix(text, "=== ") || text == "FAIL\n" || strings.HasPrefix(text, "FAIL\t") || strings.HasPrefix(text, "exit status ")
}
