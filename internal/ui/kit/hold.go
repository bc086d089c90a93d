package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// HoldButton shows something while it is held, with the mouse or with Space.
// S shows it for ten seconds, for hands that cannot hold. Showing ends on
// release, when the focus is lost, when the pointer leaves, and after thirty
// seconds in any case.
type HoldButton struct {
	Button
	run    Runner
	reveal func(bool)
	shown  bool
	stop   func()
	byS    bool
}

// The limits of showing.
const (
	holdLimit = 30 * time.Second
	holdByS   = 10 * time.Second
)

// NewHoldButton makes one. reveal(true) shows, reveal(false) hides; it is
// called on the window's goroutine, in turns.
func NewHoldButton(run Runner, label string, reveal func(bool)) *HoldButton {
	h := &HoldButton{run: run, reveal: reveal}
	h.label, h.icon = label, theme.IconEye
	h.start(h, nil)
	return h
}

// Shown reports whether it is showing.
func (h *HoldButton) Shown() bool { return h.shown }

func (h *HoldButton) open(limit time.Duration) {
	if h.Disabled() {
		return
	}
	if h.stop != nil {
		h.stop()
	}
	h.stop = h.run.After(limit, h.End)
	if !h.shown {
		h.shown = true
		h.reveal(true)
	}
}

// End hides; a screen that goes away calls it too.
func (h *HoldButton) End() {
	if h.stop != nil {
		h.stop()
		h.stop = nil
	}
	h.byS, h.pressed = false, false
	if h.shown {
		h.shown = false
		h.reveal(false)
		h.Refresh()
	}
}

// MouseDown is called by the toolkit.
func (h *HoldButton) MouseDown(ev *desktop.MouseEvent) {
	if ev != nil && ev.Button == desktop.MouseButtonSecondary {
		return
	}
	focusOn(h)
	h.base.MouseDown(ev)
	h.open(holdLimit)
}

// MouseUp is called by the toolkit.
func (h *HoldButton) MouseUp(ev *desktop.MouseEvent) {
	h.base.MouseUp(ev)
	h.End()
}

// MouseOut is called by the toolkit. Showing by S goes on.
func (h *HoldButton) MouseOut() {
	h.base.MouseOut()
	if !h.byS {
		h.End()
	}
}

// Tapped does nothing: holding does.
func (h *HoldButton) Tapped(*fyne.PointEvent) {}

// KeyDown is called by the toolkit.
func (h *HoldButton) KeyDown(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeySpace {
		h.pressed = true
		h.Refresh()
		h.open(holdLimit)
	}
}

// KeyUp is called by the toolkit.
func (h *HoldButton) KeyUp(ev *fyne.KeyEvent) {
	if ev.Name == fyne.KeySpace {
		h.End()
	}
}

// TypedKey is called by the toolkit.
func (h *HoldButton) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
	case fyne.KeyS:
		h.open(holdByS)
		h.byS = true
	default:
		passKey(h, ev)
	}
}

// TypedRune is called by the toolkit; S is taken as a key.
func (h *HoldButton) TypedRune(r rune) {
	if r != 's' && r != 'S' && r != ' ' {
		passRune(h, r)
	}
}

// FocusLost is called by the toolkit.
func (h *HoldButton) FocusLost() {
	h.base.FocusLost()
	h.End()
}

// Disable takes it away, and with it what is shown.
func (h *HoldButton) Disable() {
	h.End()
	h.Button.Disable()
}

// CreateRenderer is called by the toolkit.
func (h *HoldButton) CreateRenderer() fyne.WidgetRenderer { return h.Button.CreateRenderer() }
