package kit

import (
	"time"

	"fyne.io/fyne/v2"
)

// Frame is the root of a window: its content, and above it tooltips, toasts
// and dialogs. It owns the window's keys, so that a dialog can take them.
type Frame struct {
	window  fyne.Window
	run     Runner
	content *fyne.Container
	air     *fyne.Container
	tip     *tip
	tipOf   fyne.CanvasObject
	tipStop func()
	toasts  *toasts
	modals  []*modal
	// shortcuts are the window's, for a field that hands one on.
	shortcuts fyne.ShortcutHandler
	// OnKey and OnRune get what no widget used; nothing while a dialog is open.
	OnKey  func(*fyne.KeyEvent)
	OnRune func(rune)
}

// NewFrame fills the window. It must be the only one on it.
func NewFrame(w fyne.Window, run Runner) *Frame {
	f := &Frame{window: w, run: run, content: Over()}
	f.tip = newTip()
	f.toasts = newToasts(f)
	f.air = box(&air{f})
	f.air.Objects = []fyne.CanvasObject{f.toasts.box, f.tip}
	w.SetPadded(false)
	w.SetContent(box(&over{}, f.content, f.air))
	c := w.Canvas()
	frames[c] = f
	c.SetOnTypedKey(f.key)
	c.SetOnTypedRune(f.rune)
	return f
}

// Close forgets the frame; call it when the window is gone.
func (f *Frame) Close() {
	if f.tipStop != nil {
		f.tipStop()
	}
	delete(frames, f.window.Canvas())
}

// Window is the window that the frame fills.
func (f *Frame) Window() fyne.Window { return f.window }

// Runner is what the frame was made with.
func (f *Frame) Runner() Runner { return f.run }

// SetContent shows a screen.
func (f *Frame) SetContent(o fyne.CanvasObject) {
	f.HideTip()
	f.content.Objects = []fyne.CanvasObject{o}
	f.content.Refresh()
}

// Shortcut binds a shortcut of the window; it rests while a dialog is open.
func (f *Frame) Shortcut(s fyne.Shortcut, do func()) {
	press := func(fyne.Shortcut) {
		if len(f.modals) == 0 {
			do()
		}
	}
	f.shortcuts.AddShortcut(s, press)
	f.window.Canvas().AddShortcut(s, press)
}

// TypedShortcut presses a shortcut of the window; text fields hand on what they
// do not use.
func (f *Frame) TypedShortcut(s fyne.Shortcut) { f.shortcuts.TypedShortcut(s) }

// Focus gives an object of the window the focus. It asks the window itself: the
// toolkit knows the window of a widget only once it was drawn.
func (f *Frame) Focus(o fyne.Focusable) { f.window.Canvas().Focus(o) }

func (f *Frame) key(ev *fyne.KeyEvent) {
	if n := len(f.modals); n > 0 {
		f.modals[n-1].key(ev)
		return
	}
	if f.OnKey != nil {
		f.OnKey(ev)
	}
}

func (f *Frame) rune(r rune) {
	if len(f.modals) == 0 && f.OnRune != nil {
		f.OnRune(r)
	}
}

const (
	tipDelay = 600 * time.Millisecond
	tipLook  = 500 * time.Millisecond
)

func (f *Frame) tipFor(o fyne.CanvasObject, words string) {
	f.tipGone(f.tipOf)
	f.tipOf = o
	f.tipStop = f.run.After(tipDelay, func() { f.tipShow(o, words) })
}

func (f *Frame) tipGone(o fyne.CanvasObject) {
	if o == nil || f.tipOf != o {
		return
	}
	f.tipOf = nil
	if f.tipStop != nil {
		f.tipStop()
	}
	f.tip.Hide()
}

// HideTip takes away the tip: its widget leaves the window, and no event says so.
func (f *Frame) HideTip() { f.tipGone(f.tipOf) }

// shows reports whether a widget is in the window and visible. The toolkit has
// no place for one that is not, and nothing with a tip stands in the corner.
func shows(o fyne.CanvasObject) bool {
	return !fyne.CurrentApp().Driver().AbsolutePositionForObject(o).IsZero()
}

// tipShow shows the tip and looks from time to time whether its widget is still
// there: one that is taken out while the mouse rests on it is not told.
func (f *Frame) tipShow(o fyne.CanvasObject, words string) {
	if f.tipOf != o {
		return
	}
	if !shows(o) {
		f.tipGone(o)
		return
	}
	if !f.tip.Visible() {
		f.tip.at(f, o, words)
	}
	f.tipStop = f.run.After(tipLook, func() { f.tipShow(o, words) })
}

// air places what floats above the content without taking its clicks.
type air struct{ f *Frame }

func (a *air) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, 0) }
func (a *air) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	a.f.toasts.place(size)
}
