// Command tokenkeep is Tokenkeep's window. It composes and decides nothing:
// the core, the pretend provider of the practice ground, the browser and the
// toolkit meet here, and internal/ui has the screens.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

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
	wanted, exit, done := flags(c, args, stdout, stderr)
	if done {
		return exit
	}
	config, err := connect.Environment(getenv, wanted.home)
	if err != nil {
		p := problem.Of(err)
		told := c.Tell(p)
		desktop.Complain(told.Title, told.Happened+" "+told.Advice)
		return p.Kind.ExitCode()
	}
	config.SessionWithoutKeychain = true
	config.Attended = true

	instance, told, exit := onlyWindow(c, config.Home, wanted.account)
	if told {
		return exit
	}
	var wishes <-chan string
	if instance != nil {
		defer instance.Close()
		wishes = instance.Wishes
	}

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
	// What a separate window that was killed had left on the disk.
	go browser.SweepWindows()
	a := app.NewWithID(buildinfo.ID)
	a.SetIcon(icon())
	standby := &tray{}
	defer standby.close()
	// address is that of the pretend provider, once there is one.
	var address string
	if config.SandboxURL != nil {
		address = config.SandboxURL.String()
	}
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
			address = ground.URL
			return ground.URL, ground.Stop, nil
		},
		Scenario:       func(ctx context.Context, name string) error { return mishap(ctx, address, name) },
		PracticeID:     sandbox.ClientID,
		PracticeSecret: secret.New(sandbox.ClientSecret),
		Registration: func(provider string) (string, secret.Text) {
			id, value := sandbox.Registration(provider)
			return id, secret.New(value)
		},
		OpenAddress: browser.Open,
		OpenFolder:  browser.OpenFolder,
		BrowserName: browser.Default,
		SeparateBrowser: func() bool {
			_, ok := browser.FindSeparate()
			return ok
		},
		Timer:   desktop.NewTimer(desktop.TimerOptions{Getenv: getenv, Home: timerHome(getenv, config.Home)}),
		Notify:  desktop.Notify,
		Tray:    standby,
		Wishes:  wishes,
		Account: wanted.account,
		Started: func(w fyne.Window, run kit.Runner) func() {
			settle()
			return serve(w, run, stderr)
		},
	})
	w.Run()
	return 0
}

// mishap lets something go wrong at the pretend provider from the next sign-in
// on. It may run in another process, so it is told over its own address.
func mishap(ctx context.Context, address, name string) error {
	told, err := json.Marshal(map[string]string{"scenario": name})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(address, "/")+"/_/scenario", bytes.NewReader(told))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the pretend provider answered %s", answer.Status)
	}
	return nil
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

// options are what the command line asks for.
type options struct {
	home string
	// account is the id of the account to open, or empty.
	account string
}

// ourID is what ids of accounts look like.
var ourID = regexp.MustCompile(`^[a-z0-9]{8,32}$`)

// flags reads the command line. Words of the toolkit's or of Go's own flag
// package would be in one language only.
func flags(c *text.Catalogue, args []string, stdout, stderr io.Writer) (wanted options, exit int, done bool) {
	wrong := func(words string) (options, int, bool) {
		fmt.Fprintln(stderr, words)
		return options{}, problem.Input.ExitCode(), true
	}
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(args[i], "=")
		next := func() string {
			if !has && i+1 < len(args) {
				i++
				return args[i]
			}
			return value
		}
		switch name {
		case "--help", "-h", "-help":
			fmt.Fprintln(stdout, c.Say("program.help"))
			return options{}, 0, true
		case "--version", "-version":
			fmt.Fprintln(stdout, c.Say("program.version", text.Args{"name": buildinfo.Name, "version": buildinfo.Version}))
			return options{}, 0, true
		case "--home", "-home":
			if wanted.home = next(); wanted.home == "" {
				return wrong(c.Say("program.home_missing"))
			}
		case "--account", "-account":
			if wanted.account = next(); !ourID.MatchString(wanted.account) {
				return wrong(c.Say("program.account_missing"))
			}
		default:
			return wrong(c.Say("program.unknown", text.Args{"flag": problem.Outside(name, 40)}))
		}
	}
	return wanted, 0, false
}
