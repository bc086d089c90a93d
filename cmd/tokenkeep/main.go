// Command tokenkeep is Tokenkeep's window. It composes and decides nothing:
// the core, the pretend provider of the practice ground, the browser and the
// toolkit meet here, and internal/ui has the screens.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"runtime/debug"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"github.com/tokenkeep/tokenkeep/internal/browser"
	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/vault"
	"github.com/tokenkeep/tokenkeep/resources"
)

func main() {
	vault.Serve()
	hurry()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, os.Getenv))
}

func run(args []string, stdout, stderr io.Writer, getenv func(string) string) (code int) {
	c := text.For(text.Detect(getenv))
	home, exit, done := flags(c, args, stdout, stderr)
	if done {
		return exit
	}
	config, err := connect.Environment(getenv, home)
	if err != nil {
		p := problem.Of(err)
		told := c.Tell(p)
		desktop.Complain(told.Title, told.Happened+" "+told.Advice)
		return p.Kind.ExitCode()
	}
	config.SessionWithoutKeychain = true
	config.Attended = true

	// Without OpenGL the toolkit logs a line and stays, without a window; with
	// no display it panics (ruling 11).
	noWindow := func(reason string) {
		desktop.Complain(c.Say("nowindow.title"), c.Say("nowindow."+reason))
	}
	log.SetFlags(0)
	log.SetOutput(&toolkitLog{to: stderr, failed: func(reason string) {
		noWindow(reasonOf(getenv, reason))
		os.Exit(1)
	}})
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if said := fmt.Sprint(r); strings.Contains(said, "GLFW") || strings.Contains(said, "NotInitialized") {
			noWindow(reasonOf(getenv, "display"))
			code = 1
			return
		}
		fmt.Fprintf(stderr, "panic: %v\n\n%s", r, debug.Stack())
		code = 2
	}()

	app.SetMetadata(metadata())
	a := app.NewWithID(buildinfo.ID)
	a.SetIcon(icon())
	w := ui.New(ui.Params{
		App:      a,
		Practice: config.SandboxURL,
		Language: text.Detect(getenv),
		Open: func(ctx context.Context, practice *url.URL, waits func(bool)) (ui.Core, error) {
			opened := config
			opened.SandboxURL, opened.Waiting = practice, waits
			s, err := connect.Open(ctx, opened)
			if err != nil {
				// A nil *Service in an interface would not be nil.
				return nil, err
			}
			return s, nil
		},
		Practise: func(ctx context.Context) (string, func(), error) {
			ground, err := sandbox.Start(ctx, "127.0.0.1:0", sandbox.Options{})
			if err != nil {
				return "", nil, err
			}
			return ground.URL, ground.Stop, nil
		},
		PracticeID:     sandbox.ClientID,
		PracticeSecret: secret.New(sandbox.ClientSecret),
		OpenAddress:    browser.Open,
		OpenFolder:     browser.OpenFolder,
		BrowserName:    browser.Default,
		SeparateBrowser: func() bool {
			_, ok := browser.FindSeparate()
			return ok
		},
		Started: func(w fyne.Window, run kit.Runner) func() {
			settle()
			return serve(w, run, stderr)
		},
	})
	w.Run()
	return 0
}

// metadata says who we are; a built binary does not find FyneApp.toml. The
// migration tells the toolkit that we post to its goroutine as it wants.
func metadata() fyne.AppMetadata {
	return fyne.AppMetadata{
		ID: buildinfo.ID, Name: buildinfo.Name, Version: buildinfo.Version, Build: buildinfo.Build, Icon: icon(),
		Migrations: map[string]bool{"fyneDo": true},
	}
}

func icon() fyne.Resource {
	data, err := resources.Art.ReadFile("icon/window.png")
	if err != nil {
		panic("tokenkeep: the embedded icon is gone: " + err.Error())
	}
	return fyne.NewStaticResource("icon.png", data)
}

// reasonOf: without an address of a display the display is what is missing,
// whatever the toolkit found first.
func reasonOf(getenv func(string) string, otherwise string) string {
	if needsDisplay && getenv("DISPLAY") == "" {
		return "display"
	}
	return otherwise
}

// flags reads the command line. Words of the toolkit's or of Go's own flag
// package would be in one language only.
func flags(c *text.Catalogue, args []string, stdout, stderr io.Writer) (home string, exit int, done bool) {
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(args[i], "=")
		switch name {
		case "--help", "-h", "-help":
			fmt.Fprintln(stdout, c.Say("program.help"))
			return "", 0, true
		case "--version", "-version":
			fmt.Fprintln(stdout, c.Say("program.version", text.Args{"name": buildinfo.Name, "version": buildinfo.Version}))
			return "", 0, true
		case "--home", "-home":
			if !has && i+1 < len(args) {
				i++
				value = args[i]
			}
			if value == "" {
				fmt.Fprintln(stderr, c.Say("program.home_missing"))
				return "", problem.Input.ExitCode(), true
			}
			home = value
		default:
			fmt.Fprintln(stderr, c.Say("program.unknown", text.Args{"flag": problem.Outside(name, 40)}))
			return "", problem.Input.ExitCode(), true
		}
	}
	return home, 0, false
}
