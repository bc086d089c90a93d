package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// DialogButton is one way out of a dialog.
type DialogButton struct {
	Label string
	Kind  Kind
	// Harmless has the focus at first; Escape presses the harmless one unless
	// the dialog says otherwise.
	Harmless bool
	Tapped   func()
}

// Dialog is a decision. Use it for nothing else.
type Dialog struct {
	Title string
	// Body may be nil.
	Body    fyne.CanvasObject
	Buttons []DialogButton
	// Escape, if set, is what the Escape key means.
	Escape func()
	// Width is the card's, 452 if 0.
	Width float32
	// First, if set, gets the focus in place of the harmless button: a field.
	First fyne.Focusable
}

type modal struct {
	widget.BaseWidget
	f       *Frame
	d       Dialog
	card    *fyne.Container
	scrim   *plate
	buttons []*Button
	closed  bool
}

// Open shows a dialog above the content and returns how to close it without an
// answer. While it is open the window's keys and shortcuts rest. A dialog
// opened from a dialog stands above it. Closing returns the focus to where it
// was: the toolkit keeps one focus for each layer.
func (f *Frame) Open(d Dialog) (closeIt func()) {
	c := f.window.Canvas()
	m := &modal{f: f, d: d, scrim: newPlate(theme.ColorScrim, "", 0, 0)}
	row := FlowEnd(8)
	var first fyne.Focusable = d.First
	for _, b := range d.Buttons {
		button := NewButton(b.Label, b.Kind, func() {
			m.close()
			if b.Tapped != nil {
				b.Tapped()
			}
		})
		if b.Harmless && first == nil {
			first = button
		}
		m.buttons = append(m.buttons, button)
		row.Add(button)
	}
	if first == nil && len(m.buttons) > 0 {
		first = m.buttons[0]
	}
	var body fyne.CanvasObject = Gap(0)
	if d.Body != nil {
		// Room for the focus rings of what it holds, which a scroll would cut.
		body = NewScrollWithin(Pad(ringRoom, d.Body))
	}
	ground := newPlate(theme.ColorSurface, "", 0, 16)
	ground.shadow = true
	m.card = Over(ground, Pad(24, box(&dialogLayout{}, Subheading(d.Title), body, row)))
	m.ExtendBaseWidget(m)
	f.tipGone(f.tipOf)
	f.modals = append(f.modals, m)
	c.Overlays().Add(m)
	m.Resize(c.Size())
	if first != nil {
		c.Focus(first)
	}
	return m.close
}

// DialogOpen reports whether a dialog is open.
func (f *Frame) DialogOpen() bool { return len(f.modals) > 0 }

func (m *modal) close() {
	if m.closed {
		return
	}
	m.closed = true
	c := m.f.window.Canvas()
	c.Overlays().Remove(m)
	for i, o := range m.f.modals {
		if o == m {
			m.f.modals = append(m.f.modals[:i:i], m.f.modals[i+1:]...)
			break
		}
	}
}

func (m *modal) key(ev *fyne.KeyEvent) {
	if ev.Name != fyne.KeyEscape {
		return
	}
	if m.d.Escape != nil {
		m.close()
		m.d.Escape()
		return
	}
	for i, b := range m.d.Buttons {
		if b.Harmless {
			m.buttons[i].Tapped(nil)
			return
		}
	}
	m.close()
}

// Tapped keeps clicks beside the card from reaching what is below.
func (m *modal) Tapped(*fyne.PointEvent) {}

// TappedSecondary does the same for the other button.
func (m *modal) TappedSecondary(*fyne.PointEvent) {}

// Scrolled does the same for the wheel.
func (m *modal) Scrolled(*fyne.ScrollEvent) {}

// Seen implements Seen.
func (m *modal) Seen() Description { return Description{Role: RoleDialog, Text: m.d.Title} }

func (m *modal) CreateRenderer() fyne.WidgetRenderer { return &modalRenderer{m} }

type modalRenderer struct{ m *modal }

func (r *modalRenderer) Destroy()           {}
func (r *modalRenderer) MinSize() fyne.Size { return fyne.NewSize(0, 0) }
func (r *modalRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.m.scrim, r.m.card}
}
func (r *modalRenderer) Layout(s fyne.Size) {
	r.m.scrim.Resize(s)
	width := r.m.d.Width
	if width == 0 {
		width = 452
	}
	w := min(width*min(theme.Scale(), 1.5), s.Width-32)
	h := min(HeightFor(r.m.card, w), s.Height-32)
	r.m.card.Move(fyne.NewPos((s.Width-w)/2, (s.Height-h)/2))
	r.m.card.Resize(fyne.NewSize(w, h))
}

// dialogLayout keeps title and buttons in sight; what lies between them scrolls
// where the window is too low.
type dialogLayout struct{ width float32 }

const dialogGap = 16

// ringRoom is how far a focus ring reaches around its widget, and a little more.
const ringRoom = 6

func (l *dialogLayout) heightFor(o []fyne.CanvasObject, width float32) float32 {
	l.width = width
	return HeightFor(o[0], width) + dialogGap + max(0, HeightFor(o[1], width+2*ringRoom)-2*ringRoom) + dialogGap + 8 + HeightFor(o[2], width)
}

func (l *dialogLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := max(o[0].MinSize().Width, o[1].MinSize().Width, o[2].MinSize().Width)
	return fyne.NewSize(w, HeightFor(o[0], max(w, l.width))+HeightFor(o[2], max(w, l.width))+2*dialogGap+8)
}

func (l *dialogLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	top, bottom := HeightFor(o[0], s.Width), HeightFor(o[2], s.Width)
	o[0].Resize(fyne.NewSize(s.Width, top))
	HeightFor(o[1], s.Width+2*ringRoom)
	o[1].Move(fyne.NewPos(-ringRoom, top+dialogGap-ringRoom))
	o[1].Resize(fyne.NewSize(s.Width+2*ringRoom, max(0, s.Height-top-bottom-2*dialogGap-8)+2*ringRoom))
	o[2].Move(fyne.NewPos(0, s.Height-bottom))
	o[2].Resize(fyne.NewSize(s.Width, bottom))
}

func (r *modalRenderer) Refresh() {
	r.Layout(r.m.Size())
	r.m.scrim.Refresh()
	r.m.card.Refresh()
}
