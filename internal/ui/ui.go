package ui

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// Params is what the window needs from the program that composes it.
type Params struct {
	// App is the toolkit's application.
	App fyne.App
	// Open opens the core: over the real library, or, given the base of a
	// running sandbox, over the practice one. waits is told, from any
	// goroutine, that the system may be asking for the keychain's password.
	Open func(ctx context.Context, practice *url.URL, waits func(bool)) (Core, error)
	// Practice is set for a process that was started to practise: it begins
	// there and has no real side.
	Practice *url.URL
	// Practise starts a pretend provider on this computer and gives its
	// address. Nil means that there is no practice ground to go to.
	Practise func(ctx context.Context) (address string, stop func(), err error)
	// PracticeID and PracticeSecret are what the pretend provider accepts, to
	// be shown and filled in. The secret is public.
	PracticeID     string
	PracticeSecret secret.Text
	// Registration is what the pretend provider of that id accepts, both public
	// and empty where there is none; nil knows PracticeID alone.
	Registration func(provider string) (clientID string, clientSecret secret.Text)
	// Scenario lets a mishap happen at the running pretend provider, by its
	// name; "ok" is none. Nil where there is nothing to choose.
	Scenario func(ctx context.Context, name string) error
	// Language is the system's, as a BCP 47 tag or a POSIX locale; a choice in
	// the settings wins.
	Language string
	// OpenAddress opens an address in the person's browser, OpenFolder a folder
	// of ours. BrowserName is the default browser's name, empty if unknown;
	// SeparateBrowser reports whether a separate window can be had.
	OpenAddress     func(ctx context.Context, address string) error
	OpenFolder      func(ctx context.Context, folder string) error
	BrowserName     func(ctx context.Context) string
	SeparateBrowser func() bool
	// Timer renews while the window is closed; nil where there is none.
	Timer Timer
	// Notify shows a notification of the system; clicked gets a value when the
	// person clicks it. Nil where there are none.
	Notify func(ctx context.Context, n desktop.Notice) (clicked <-chan struct{}, err error)
	// Tray is the desktop's; nil where the program has none to offer.
	Tray Tray
	// Wishes is what later starts of the program ask for, "show" or
	// "account:ID"; nil without. Account is the id to begin with, or empty.
	Wishes  <-chan string
	Account string
	// Started is called on the window's goroutine once it runs, and what it
	// returns when it has ended: the driver of the journeys. May be nil.
	Started func(fyne.Window, kit.Runner) (stop func())
	// Log gets a line for what a person did, without secrets; nil is silence.
	Log *slog.Logger

	// What tests replace: the runner's queue, the clock, the Connect screen.
	run     kit.Runner
	now     func() time.Time
	connect func(*shell, connectStart) screen
	watch   func(context.Context, renew.Core, renew.WatchOptions) (stop func())
}

// Window is the program's one window.
type Window struct{ shell *shell }

// New builds the window; nothing blocks and the core is not opened yet.
func New(p Params) *Window { return &Window{newShell(p)} }

// firstPicture is how long the first picture is left alone with the processor:
// opening the library and starting the keychain's child would take a core of it.
const firstPicture = 120 * time.Millisecond

// Run shows the window and returns when it was closed. It belongs on the main
// goroutine.
func (w *Window) Run() {
	s := w.shell
	stop := func() {}
	s.app.Lifecycle().SetOnStarted(func() {
		if s.params.Started != nil {
			stop = s.params.Started(s.window, s.run)
		}
		s.after(firstPicture, s.start)
	})
	s.window.Show()
	s.app.Run()
	stop()
	// The toolkit's clipboard went with its windows: what is still ours in it
	// went too, or a signal ended us.
	s.copied = nil
	s.close()
}

func newShell(p Params) *shell {
	s := &shell{params: p, app: p.App, run: p.run, now: p.now, prefs: preferences{p.App.Preferences()}}
	if s.params.Log == nil {
		s.params.Log = slog.New(slog.DiscardHandler)
	}
	if s.params.connect == nil {
		s.params.connect = newConnect
	}
	if s.params.watch == nil {
		s.params.watch = renew.Start
	}
	if s.now == nil {
		s.now = time.Now
	}
	if p.Account != "" {
		s.wished = p.Account
	}
	if s.run == nil {
		s.run = kit.NewRunner()
	}
	// A sign-in that is asked something when the window closes keeps its answer,
	// sealed: the question comes again with the next start.
	ctx, cancel := context.WithCancelCause(context.Background())
	s.ctx, s.stop = ctx, func() { cancel(connect.ErrClosing) }
	s.coreCtx = s.ctx
	s.c = text.For(s.language())
	s.window = p.App.NewWindow(buildinfo.Name)
	s.window.SetMaster()
	s.applyLook()
	s.frame = kit.NewFrame(s.window, s.run)
	s.body = newBody(s)
	s.listenToKeys()
	s.window.Resize(s.prefs.size())
	s.window.SetCloseIntercept(s.closeWindow)
	s.home = newHome(s)
	s.put(s.home, placeAccounts)
	return s
}

// language is the chosen one, or the system's.
func (s *shell) language() string {
	if chosen := s.prefs.language(); chosen != "" {
		return chosen
	}
	return s.params.Language
}
