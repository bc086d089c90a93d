package ui

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// world is a window over a double, with a queue in place of time.
type world struct {
	t     *testing.T
	app   fyne.App
	core  *double
	queue *kit.Queue
	clock time.Time
	s     *shell
	opens int
	// loops are the watch loops that were begun, in order.
	loops []*loop
	// starts are what Connect was opened with.
	starts []connectStart
}

// tokenOf is a made-up token of an account: nobody's.
func tokenOf(id string) string { return "IGAA" + strings.Repeat("x"+id, 12) + "7ZDZD" }

// newDouble answers what every window asks, with these accounts.
func newDouble(t *testing.T, accounts ...connect.Account) *double {
	d := &double{t: t, home: "/home/of/tokenkeep"}
	d.accounts = func(context.Context) ([]connect.Account, error) { return accounts, nil }
	d.recover = func() ([]connect.Recovered, error) { return nil, nil }
	d.storage = func() (connect.Storage, error) {
		return connect.Storage{Place: "keychain", Program: "GNOME Keyring", Collection: "Login", Present: true, Home: d.home, Accounts: len(accounts)}, nil
	}
	d.selfTest = func(context.Context) error { return nil }
	d.diary = func(string, int) ([]library.Entry, error) { return nil, nil }
	d.diaryPage = func(id string, limit int, _ int64) ([]library.Entry, error) { return d.diary(id, limit) }
	d.note = func(string, string) error { return nil }
	d.token = func(id string) (connect.Handed, error) {
		return connect.Handed{AccessToken: secret.New(tokenOf(id)), TokenType: "bearer"}, nil
	}
	return d
}

// open builds the window, started and at rest.
func open(t *testing.T, language string, core *double, change ...func(*Params)) *world {
	t.Helper()
	w := unstarted(t, language, core, change...)
	w.s.start()
	w.queue.Drain()
	return w
}

func unstarted(t *testing.T, language string, core *double, change ...func(*Params)) *world {
	t.Helper()
	w := &world{t: t, app: test.NewTempApp(t), core: core, queue: kit.NewQueue(), clock: noon}
	w.app.Preferences().SetString(prefTheme, "light")
	p := Params{
		App: w.app, Language: language, run: w.queue, now: func() time.Time { return w.clock },
		Open: func(context.Context, *url.URL, func(bool)) (Core, error) {
			w.opens++
			return core, nil
		},
		OpenFolder:  func(context.Context, string) error { return errors.New("not asked for") },
		OpenAddress: func(context.Context, string) error { return errors.New("not asked for") },
		watch: func(_ context.Context, core renew.Core, o renew.WatchOptions) func() {
			w.loops = append(w.loops, &loop{core: core, o: o})
			return func() {}
		},
		connect: func(s *shell, r connectStart) screen {
			w.starts = append(w.starts, r)
			return &placeholder{s: s, o: kit.NewText("Connect is another file's")}
		},
	}
	for _, c := range change {
		c(&p)
	}
	w.s = newShell(p)
	w.s.window.Resize(fyne.NewSize(1120, 760))
	t.Cleanup(func() {
		if !w.s.ended {
			w.s.close()
			w.s.window.Close()
		}
	})
	return w
}

// loop stands for the one that renews while the window is open.
type loop struct {
	core renew.Core
	o    renew.WatchOptions
}

// report plays a run of the loop.
func (w *world) report(l *loop, r renew.Report) {
	l.o.Done(r)
	w.queue.Drain()
}

// placeholder stands for Connect.
type placeholder struct {
	s     *shell
	o     fyne.CanvasObject
	ends  int
	lefts int
}

func (p *placeholder) view() fyne.CanvasObject { return p.o }
func (p *placeholder) shown()                  {}
func (p *placeholder) left()                   { p.lefts++ }
func (p *placeholder) ended()                  { p.ends++ }

// pass lets time pass, second by second, for timers and the clock alike.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for d > 0 {
		step := min(d, time.Second)
		w.clock = w.clock.Add(step)
		w.queue.Advance(step)
		d -= step
	}
}

var errLocked = problem.New(problem.VaultLocked, "program", "GNOME Keyring")

// walk visits what is visible in the window, with what floats above it.
func (w *world) walk(visit func(fyne.CanvasObject)) {
	var in func(o fyne.CanvasObject)
	in = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		visit(o)
		switch o := o.(type) {
		case *fyne.Container:
			for _, child := range o.Objects {
				in(child)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(o).Objects() {
				in(child)
			}
		}
	}
	in(w.s.window.Content())
	for _, o := range w.s.window.Canvas().Overlays().List() {
		in(o)
	}
}

// seen lists what the window says, in words.
func (w *world) seen() []kit.Description {
	var all []kit.Description
	w.walk(func(o fyne.CanvasObject) {
		if s, ok := o.(kit.Seen); ok {
			all = append(all, s.Seen())
		}
	})
	return all
}

// words is all of it in one text, for what must not be there.
func (w *world) words() string {
	var b strings.Builder
	for _, d := range w.seen() {
		b.WriteString(string(d.Role) + ": " + d.Text + " | " + d.Value + "\n")
	}
	return b.String()
}

// find gives the widget of that role with those words, else the first whose
// words begin with them.
func (w *world) find(role kit.Role, words string) fyne.CanvasObject {
	var exact, begins fyne.CanvasObject
	w.walk(func(o fyne.CanvasObject) {
		s, ok := o.(kit.Seen)
		if !ok {
			return
		}
		d := s.Seen()
		if d.Role != role {
			return
		}
		if exact == nil && d.Text == words {
			exact = o
		}
		if begins == nil && strings.HasPrefix(d.Text, words) {
			begins = o
		}
	})
	if exact != nil {
		return exact
	}
	return begins
}

func (w *world) has(role kit.Role, words string) fyne.CanvasObject {
	w.t.Helper()
	o := w.find(role, words)
	if o == nil {
		w.t.Fatalf("no %s %q; the window says:\n%s", role, words, w.words())
	}
	return o
}

func (w *world) hasNot(role kit.Role, words string) {
	w.t.Helper()
	if w.find(role, words) != nil {
		w.t.Errorf("there is a %s %q", role, words)
	}
}

// tap presses the widget with those words and lets everything settle.
func (w *world) tap(role kit.Role, words string) {
	w.t.Helper()
	o, ok := w.has(role, words).(fyne.Tappable)
	if !ok {
		w.t.Fatalf("%s %q cannot be tapped", role, words)
	}
	o.Tapped(&fyne.PointEvent{})
	w.queue.Drain()
}

// says fails unless each of the sentences stands somewhere in the window.
func (w *world) says(sentences ...string) {
	w.t.Helper()
	all := w.words()
	for _, s := range sentences {
		if !strings.Contains(all, s) {
			w.t.Errorf("the window does not say %q; it says:\n%s", s, all)
		}
	}
}

// key types a key where the focus is, or into the window.
func (w *world) key(name fyne.KeyName) {
	w.t.Helper()
	e := &fyne.KeyEvent{Name: name}
	if f := w.s.window.Canvas().Focused(); f != nil {
		f.TypedKey(e)
	} else {
		w.s.window.Canvas().OnTypedKey()(e)
	}
	w.queue.Drain()
}

// shortcut presses a combination. The toolkit's test canvas takes no
// shortcuts, so the map is asked itself; that a field hands them on is kit's
// test, and that they arrive from a keyboard is the e2e's.
func (w *world) shortcut(key fyne.KeyName, held fyne.KeyModifier) {
	w.t.Helper()
	do := w.s.keyboard()[combination{key, held}]
	if do == nil {
		w.t.Fatalf("nothing is bound to %v with %v", key, held)
	}
	do()
	w.queue.Drain()
}

// focused is what has the focus, in words.
func (w *world) focused() string {
	if s, ok := w.s.window.Canvas().Focused().(kit.Seen); ok {
		return s.Seen().Text
	}
	return ""
}
