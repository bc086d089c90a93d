package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// clang is the environment of everything that compiles C.
var clang = []string{"CGO_ENABLED=1", "CC=clang", "CXX=clang++"}

// pure is the environment of everything that must work without C.
var pure = []string{"CGO_ENABLED=0"}

// practice is the journey that stands in for the window where there is no
// display. It prints its story on lines of their own, each after storyMark.
const (
	practice  = "TestPracticeJourney"
	storyMark = "» "
)

// open builds the window and shows it, or, without a display, lets the same
// window sign in by itself on a virtual screen.
func open(ctx context.Context) error {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return openWithoutDisplay(ctx)
	}
	if err := provide(ctx, thisMachine(), toBuild, toOpen); err != nil {
		return err
	}
	program, env := "./tokenkeep", clang
	switch runtime.GOOS {
	case "windows":
		program, env = "./tokenkeep.exe", []string{"CGO_ENABLED=1"}
	case "darwin":
		env = []string{"CGO_ENABLED=1"}
	}
	fmt.Println("Building Tokenkeep. The first time takes about a minute.")
	if err := (call{args: []string{"go", "build", "-buildvcs=false", "-tags", "x11", "-o", program, "./cmd/tokenkeep"}, env: env}).do(ctx); err != nil {
		return err
	}
	fmt.Println("Opening the window. \"Practise first\" needs no account and no internet.")
	return call{args: []string{program}}.do(ctx)
}

func openWithoutDisplay(ctx context.Context) error {
	fmt.Println("There is no display here, so nobody would see the window.")
	fmt.Println("Instead it signs in by itself, in practice, on a virtual screen with a real browser and a real keychain.")
	if err := provide(ctx, thisMachine(), toBuild, toOpen, aDesktop); err != nil {
		return err
	}
	fmt.Println("Building Tokenkeep. The first time takes about a minute.")
	if err := (call{args: []string{"go", "build", "-buildvcs=false", "-tags", "x11", "-o", os.DevNull, "./cmd/tokenkeep"}, env: clang}).do(ctx); err != nil {
		return err
	}
	pipe, write := io.Pipe()
	finished := make(chan error, 1)
	go func() {
		err := call{args: []string{"go", "test", "-count=1", "-timeout=10m", "-v", "-run", "^" + practice + "$", "./internal/e2e"}, env: pure, out: write}.do(ctx)
		_ = write.Close()
		finished <- err
	}()
	story := tellStory(pipe, os.Stdout)
	if err := <-finished; err != nil {
		return fmt.Errorf("the practice sign-in failed: %w", err)
	}
	if story == 0 {
		return fmt.Errorf("the practice sign-in did not run: internal/e2e has no %s", practice)
	}
	return nil
}

// tellStory shows the lines that are meant for a person. Where the test fails
// everything is shown, because then the details matter. It returns how many
// lines of the story there were.
func tellStory(from io.Reader, to io.Writer) int {
	var rest []string
	told, failed := 0, false
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, storyMark); ok {
			told++
			fmt.Fprintln(to, text)
			continue
		}
		if strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "panic:") {
			failed = true
		}
		rest = append(rest, line)
	}
	_, _ = io.Copy(io.Discard, from)
	if failed {
		fmt.Fprintln(to, strings.Join(rest, "\n"))
	}
	return told
}
