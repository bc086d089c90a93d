package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// preferences is what the window remembers of itself. Nothing in it is a
// secret or an account: the toolkit writes the file plainly and not atomically.
type preferences struct{ p fyne.Preferences }

const (
	prefWidth     = "window.width"
	prefHeight    = "window.height"
	prefTheme     = "look.theme"
	prefLanguage  = "look.language"
	prefText      = "look.text"
	prefClipboard = "clipboard.seconds"
	prefWarned    = "connect.warned"
	prefTray      = "window.tray"
)

// Choices of the settings; the first of each is the default.
var (
	themeChoices     = []string{"system", "light", "dark"}
	textChoices      = []int{100, 80, 90, 110, 125, 150, 175, 200}
	clipboardChoices = []int{45, 15, 90}
)

func (p preferences) theme() string {
	if t := p.p.String(prefTheme); slices.Contains(themeChoices, t) {
		return t
	}
	return themeChoices[0]
}

func (p preferences) language() string { return p.p.String(prefLanguage) }

func (p preferences) textPercent() int {
	if n := p.p.Int(prefText); n >= 80 && n <= 200 {
		return n
	}
	return textChoices[0]
}

func (p preferences) clipboardSeconds() int {
	if n := p.p.Int(prefClipboard); slices.Contains(clipboardChoices, n) {
		return n
	}
	return clipboardChoices[0]
}

// warned: the person has seen what the browser will say and does not want to
// be told again.
func (p preferences) warned() bool { return p.p.Bool(prefWarned) }

func (p preferences) setWarned(seen bool) { p.p.SetBool(prefWarned, seen) }

// toTray: closing the window leaves it in the tray.
func (p preferences) toTray() bool { return p.p.Bool(prefTray) }

func (p preferences) setToTray(yes bool) { p.p.SetBool(prefTray, yes) }

// size of the window when it was closed, within what fits a screen.
func (p preferences) size() fyne.Size {
	w, h := float32(p.p.Float(prefWidth)), float32(p.p.Float(prefHeight))
	if w < kit.LeastWidth || h < kit.LeastHeight || w > 8192 || h > 8192 {
		return fyne.NewSize(1120, 760)
	}
	return fyne.NewSize(w, h)
}

func (p preferences) setSize(s fyne.Size) {
	p.p.SetFloat(prefWidth, float64(s.Width))
	p.p.SetFloat(prefHeight, float64(s.Height))
}
