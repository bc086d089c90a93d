package uitest

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Options say how a screen is shown. The zero value is light, 1120 by 760,
// text scale 1, one pixel a unit.
type Options struct {
	Dark   bool
	Text   float32
	Pixels float32
	Size   fyne.Size
}

// The two sizes of the pictures.
var (
	Wide  = fyne.NewSize(1120, 760)
	Small = fyne.NewSize(880, 600)
)

// Screen is a window of the test driver. One at a time: the driver takes the
// newest window for every canvas.
type Screen struct {
	t      testing.TB
	o      Options
	Window fyne.Window
	// Run is the queue that the screen's work goes through.
	Run *kit.Queue
	// Frame fills the window.
	Frame *kit.Frame
}

// New opens an app and a window with a frame; both end with the test.
func New(t testing.TB, o Options) *Screen {
	t.Helper()
	if o.Size.IsZero() {
		o.Size = Wide
	}
	if o.Text == 0 {
		o.Text = 1
	}
	if o.Pixels == 0 {
		o.Pixels = 1
	}
	app := test.NewTempApp(t)
	choice := theme.Light
	if o.Dark {
		choice = theme.Dark
	}
	app.Settings().SetTheme(theme.New(choice, o.Text))
	w := test.NewTempWindow(t, nil)
	s := &Screen{t: t, o: o, Window: w, Run: kit.NewQueue()}
	s.Frame = kit.NewFrame(w, s.Run)
	t.Cleanup(s.Frame.Close)
	if c, ok := w.Canvas().(software.WindowlessCanvas); ok {
		c.SetScale(o.Pixels)
	}
	w.Resize(o.Size)
	return s
}

// Show shows content in the frame.
func (s *Screen) Show(o fyne.CanvasObject) {
	s.Frame.SetContent(o)
	s.Settle()
}

// Settle runs what is queued and lays everything out again, as the real driver
// does with every frame.
func (s *Screen) Settle() {
	s.Run.Drain()
	s.Window.Canvas().Content().Refresh()
	for _, o := range s.Window.Canvas().Overlays().List() {
		o.Refresh()
	}
}

// Nodes lists what is on the screen.
func (s *Screen) Nodes() []Node { return Walk(s.Window.Canvas()) }

// top is the topmost overlay's nodes, or the content's.
func (s *Screen) top() []Node {
	layer := len(s.Window.Canvas().Overlays().List())
	var out []Node
	for _, n := range s.Nodes() {
		if n.Overlay == layer {
			out = append(out, n)
		}
	}
	return out
}

// Look finds the first widget of that role (any if empty) whose words are
// exactly these, among what can be reached now.
func (s *Screen) Look(role kit.Role, words string) (Node, bool) {
	for _, n := range s.top() {
		if n.Text == words && (role == "" || n.Role == string(role)) {
			return n, true
		}
	}
	return Node{}, false
}

// Find is Look that ends the test where there is none.
func (s *Screen) Find(role kit.Role, words string) Node {
	s.t.Helper()
	n, ok := s.Look(role, words)
	if !ok {
		s.t.Fatalf("no %s %q on the screen:\n%s", role, words, s.Dump())
	}
	return n
}

// Has reports whether these words appear anywhere on the screen, also as a part.
func (s *Screen) Has(words string) bool {
	for _, n := range s.Nodes() {
		if strings.Contains(n.Text, words) || strings.Contains(n.Value, words) {
			return true
		}
	}
	return false
}

// Tap clicks what has these words: buttons, links, tabs and choices before
// texts. It must be enabled. A hold button is pressed and released.
func (s *Screen) Tap(words string) {
	s.t.Helper()
	var found *Node
	for _, n := range s.top() {
		if n.Text != words || n.tap == nil {
			continue
		}
		if _, own := n.Object.(fyne.Tappable); own {
			s.tap(n)
			return
		}
		if found == nil {
			found = &n
		}
	}
	if found == nil {
		s.t.Fatalf("nothing to tap with the words %q:\n%s", words, s.Dump())
	}
	s.tap(*found)
}

func (s *Screen) tap(n Node) {
	s.t.Helper()
	if d, ok := n.tap.(fyne.Disableable); ok && d.Disabled() {
		s.t.Fatalf("%s is disabled", n)
	}
	test.Tap(n.tap)
	s.Settle()
}

// Type replaces the content of the field of that name, letter by letter.
func (s *Screen) Type(field, words string) {
	s.t.Helper()
	for _, n := range s.top() {
		if n.Text != field || (n.Role != string(kit.RoleField) && n.Role != string(kit.RoleSecret)) {
			continue
		}
		if e, ok := n.Object.(interface{ SetText(string) }); ok {
			e.SetText("")
		}
		s.Window.Canvas().Focus(n.Object.(fyne.Focusable))
		test.Type(n.Object.(fyne.Focusable), words)
		s.Settle()
		return
	}
	s.t.Fatalf("no field %q:\n%s", field, s.Dump())
}

// Key presses a key where the focus is, as the real driver does: down, typed, up.
func (s *Screen) Key(name fyne.KeyName) {
	s.KeyDown(name)
	s.KeyUp(name)
}

// KeyDown presses a key and holds it.
func (s *Screen) KeyDown(name fyne.KeyName) {
	c := s.Window.Canvas()
	ev := &fyne.KeyEvent{Name: name}
	f := c.Focused()
	if k, ok := f.(desktop.Keyable); ok {
		k.KeyDown(ev)
	}
	switch {
	case name == fyne.KeyTab:
		c.FocusNext()
	case f != nil:
		f.TypedKey(ev)
		if name == fyne.KeySpace {
			f.TypedRune(' ')
		}
	case c.OnTypedKey() != nil:
		c.OnTypedKey()(ev)
	}
	s.Settle()
}

// KeyUp releases it.
func (s *Screen) KeyUp(name fyne.KeyName) {
	if k, ok := s.Window.Canvas().Focused().(desktop.Keyable); ok {
		k.KeyUp(&fyne.KeyEvent{Name: name})
	}
	s.Settle()
}

// Shortcut presses a shortcut: the focused widget gets it first, as the real
// driver does.
func (s *Screen) Shortcut(sc fyne.Shortcut) {
	if f, ok := s.Window.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(sc)
	} else {
		s.Frame.TypedShortcut(sc)
	}
	s.Settle()
}

// Focused is the line of the widget with the focus, "" for none.
func (s *Screen) Focused() string {
	for _, n := range s.Nodes() {
		if n.Focused {
			return n.Role + " " + n.Text
		}
	}
	return ""
}

// Order is the words of all widgets that Tab reaches, from the first.
func (s *Screen) Order() []string {
	c := s.Window.Canvas()
	before := c.Focused()
	defer c.Focus(before)
	c.Unfocus()
	var order []string
	seen := map[fyne.Focusable]bool{}
	for {
		c.FocusNext()
		f := c.Focused()
		if f == nil || seen[f] {
			return order
		}
		seen[f] = true
		words := "?"
		for _, n := range s.Nodes() {
			if n.Object == f.(fyne.CanvasObject) {
				words = n.Role + " " + n.Text
			}
		}
		order = append(order, words)
	}
}

// Dump is the screen's structure, one widget a line; overlays are indented.
func (s *Screen) Dump() string {
	var b strings.Builder
	for _, n := range s.Nodes() {
		b.WriteString(strings.Repeat("  ", n.Overlay) + n.String() + "\n")
	}
	return b.String()
}
