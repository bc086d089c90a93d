// Command dev takes a machine that has Go and nothing else to a running
// Tokenkeep or a finished test run. It does none of the work itself: it names
// or installs the system packages that are missing and then calls the go
// command, always with the settings written down here once.
//
//	go run ./cmd/dev run          build the window and open it
//	go run ./cmd/dev test         everything that has to pass
//	go run ./cmd/dev test -long   the same with long fuzzing and every crash pair
//
// Decisions:
//   - Only the standard library, so that "go run" downloads nothing before the
//     first line is printed.
//   - C parts are compiled with clang: gcc needs several times as long for the
//     OpenGL bindings. The same compiler is named for building, vetting and
//     testing, because another one is another build cache.
//   - Packages are installed only as root, or after the exact line was shown
//     and agreed to. What is there is found by looking for the programs,
//     headers and drivers themselves, so that other systems that have them by
//     another name are not sent away.
//   - A test that skips is a failure, and so is a package without its tools:
//     a green run means that everything ran.
//   - Without a display "run" walks the same window through a practice sign-in
//     on a virtual screen, with a real browser and a real keychain.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const usage = `Usage:
  go run ./cmd/dev run           build Tokenkeep and open its window
  go run ./cmd/dev test [-long]  run everything that has to pass
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:])
	if err == nil {
		return
	}
	var already told
	if !errors.As(err, &already) {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(exitCode(err))
}

func command(ctx context.Context, args []string) error {
	var do func(context.Context) error
	switch {
	case len(args) == 1 && args[0] == "run":
		do = open
	case len(args) == 1 && args[0] == "test":
		do = func(ctx context.Context) error { return test(ctx, false) }
	case len(args) == 2 && args[0] == "test" && (args[1] == "-long" || args[1] == "--long"):
		do = func(ctx context.Context) error { return test(ctx, true) }
	default:
		return errUsage
	}
	if err := toRepository(); err != nil {
		return err
	}
	return do(ctx)
}

var errUsage = errors.New(usage)

// told is an error whose words have been printed where it happened.
type told struct{ error }

func (t told) Unwrap() error { return t.error }

// exitCode is the code of the program that failed, where one did.
func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	return 1
}

// toRepository makes the folder with go.mod the current one, so that the
// commands work from anywhere inside the checkout.
func toRepository() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return os.Chdir(dir)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return errors.New("run this inside Tokenkeep's folder: there is no go.mod here")
		}
		dir = up
	}
}

// call is one program to run: its arguments, what it sees added to the
// environment, and where its words go.
type call struct {
	args []string
	env  []string
	out  io.Writer
}

// do runs the program. When ctx ends it is interrupted, and killed if it has
// not ended ten seconds later; its own children see the interrupt as well.
func (c call) do(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = c.out, c.out
	if c.out == nil {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(c.args[0]), err)
	}
	return nil
}
