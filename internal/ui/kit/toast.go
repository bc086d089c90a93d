package kit

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// toastStays is how long a toast is shown, hover and focus not counted.
const toastStays = 8 * time.Second

// toasts are the short messages above the content; the newest is the lowest.
type toasts struct {
	f   *Frame
	box *fyne.Container
}

func newToasts(f *Frame) *toasts { return &toasts{f: f, box: Column(8)} }

func (t *toasts) place(size fyne.Size) {
	w := min(420*theme.Scale(), size.Width-32)
	h := HeightFor(t.box, w)
	t.box.Move(fyne.NewPos((size.Width-w)/2, size.Height-h-84*theme.Scale()))
	t.box.Resize(fyne.NewSize(w, h))
}

// Toast is one message.
type Toast struct {
	group
	f      *Frame
	words  *Text
	action *Link
	left   int
	held   bool
	gone   bool
	stop   func()
}

// Toast shows words for 8 seconds, with an action if its word is not empty.
// Pointing at it or focusing its action holds the time.
func (f *Frame) Toast(words, action string, do func()) *Toast {
	t := &Toast{f: f, words: NewText(words), left: int(toastStays / time.Second)}
	row := Row(16, Grow(t.words))
	if action != "" {
		t.action = NewLink(action, func() {
			t.Close()
			if do != nil {
				do()
			}
		})
		row.Add(t.action)
	}
	ground := newPlate(theme.ColorSurface, theme.ColorBorder, 1, 10)
	ground.shadow = true
	t.compose(t, Over(ground, Inset(12, 16, 12, 16, row)))
	f.toasts.box.Add(t)
	f.toasts.place(f.window.Canvas().Size())
	t.tick()
	return t
}

// Say changes the words, for a countdown.
func (t *Toast) Say(words string) {
	t.words.SetText(words)
	if !t.gone {
		t.f.toasts.place(t.f.window.Canvas().Size())
	}
}

// Stay gives the toast that many seconds from now.
func (t *Toast) Stay(d time.Duration) { t.left = max(1, int(d/time.Second)) }

func (t *Toast) tick() {
	t.stop = t.f.run.After(time.Second, func() {
		if t.gone {
			return
		}
		if !t.held && (t.action == nil || !t.action.focused) {
			t.left--
		}
		if t.left <= 0 {
			t.Close()
			return
		}
		t.tick()
	})
}

// Close takes the toast away.
func (t *Toast) Close() {
	if t.gone {
		return
	}
	t.gone = true
	t.stop()
	t.f.toasts.box.Remove(t)
	t.f.toasts.place(t.f.window.Canvas().Size())
}

// DropToasts takes every toast away: what they were about is no longer here.
func (f *Frame) DropToasts() {
	for _, shown := range slices.Clone(f.toasts.box.Objects) {
		if t, ok := shown.(*Toast); ok {
			t.Close()
		}
	}
}

// Open reports whether it is still shown.
func (t *Toast) Open() bool { return !t.gone }

// MouseIn is called by the toolkit.
func (t *Toast) MouseIn(*desktop.MouseEvent) { t.held = true }

// MouseMoved is called by the toolkit.
func (t *Toast) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by the toolkit.
func (t *Toast) MouseOut() { t.held = false }

// Seen implements Seen.
func (t *Toast) Seen() Description { return Description{Role: RoleToast, Text: t.words.Words()} }

// tip is the tooltip.
type tip struct {
	widget.BaseWidget
	words *Text
	box   *fyne.Container
}

func newTip() *tip {
	t := &tip{words: Caption("").In(theme.ColorFg)}
	ground := newPlate(theme.ColorSurface, theme.ColorBorder, 1, 8)
	ground.shadow = true
	t.box = Over(ground, Inset(6, 10, 6, 10, t.words))
	t.ExtendBaseWidget(t)
	t.Hide()
	return t
}

func (t *tip) CreateRenderer() fyne.WidgetRenderer { return &shell{root: t.box} }

func (t *tip) at(f *Frame, o fyne.CanvasObject, words string) {
	t.words.SetText(words)
	size := f.window.Canvas().Size()
	w := min(t.words.NaturalWidth()+21, 320*theme.Scale())
	h := HeightFor(t.box, w)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	x := max(4, min(at.X+(o.Size().Width-w)/2, size.Width-w-4))
	y := at.Y + o.Size().Height + 6
	if y+h > size.Height-4 {
		y = at.Y - h - 6
	}
	t.Move(fyne.NewPos(x, y))
	t.Resize(fyne.NewSize(w, h))
	t.Show()
}
