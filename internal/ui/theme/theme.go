// Package theme is the look of the window: colours, sizes and icons, in light
// and dark, at a text scale from 0.8 to 2.0; and the language of the few words
// that the toolkit itself says.
//
// Decisions. Every colour and size has a name and one place. A screen never
// writes a number that the table has a name for, and never a colour. Text
// contrast is computed and held by a test (WCAG: 4.5 for text, 3.0 for edges
// and graphics that carry meaning). Light or dark may follow the desktop or be
// chosen; a chosen one does not depend on what the toolkit believes, so tests
// paint the same everywhere. The text scale is ours alone: the toolkit's own
// setting belongs to all its programs and is left alone.
//
// Icons are the toolkit's where one fits. The others are drawn here from
// circles and lines; no path comes from an icon set.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Choice is the person's wish for light or dark.
type Choice int

// The choices.
const (
	System Choice = iota
	Light
	Dark
)

// The smallest and largest text scale.
const (
	MinScale = 0.8
	MaxScale = 2.0
)

// NarrowScale is the text scale from which two columns become one, and
// SmallRailScale the one from which the rail is the small one.
const (
	NarrowScale    = 1.3
	SmallRailScale = 1.5
)

// Theme answers the toolkit's questions and ours. It is a value that does not
// change; a new choice is a new Theme.
type Theme struct {
	choice Choice
	scale  float32
}

var _ fyne.Theme = (*Theme)(nil)

// New makes a theme. A scale outside MinScale to MaxScale is moved to the
// nearer end; 0 means 1.
func New(choice Choice, scale float32) *Theme {
	if scale == 0 {
		scale = 1
	}
	return &Theme{choice: choice, scale: max(MinScale, min(MaxScale, scale))}
}

// Choice is what New was given.
func (t *Theme) Choice() Choice { return t.choice }

// Scale is the text scale, MinScale to MaxScale.
func (t *Theme) Scale() float32 { return t.scale }

// Scale is the text scale of the running program; 1 with a foreign theme.
func Scale() float32 {
	if t, ok := fynetheme.Current().(*Theme); ok {
		return t.scale
	}
	return 1
}

// Of looks a colour up in the running program's theme.
func Of(name fyne.ThemeColorName) color.Color { return fynetheme.Color(name) }

// Length looks a size up in the running program's theme, in the toolkit's
// device-independent pixels.
func Length(name fyne.ThemeSizeName) float32 { return fynetheme.Size(name) }

// Dark reports whether the running program paints dark.
func IsDark() bool {
	v := fyne.CurrentApp().Settings().ThemeVariant()
	if t, ok := fynetheme.Current().(*Theme); ok {
		return t.dark(v)
	}
	return v == fynetheme.VariantDark
}

func (t *Theme) dark(v fyne.ThemeVariant) bool {
	switch t.choice {
	case Light:
		return false
	case Dark:
		return true
	}
	return v == fynetheme.VariantDark
}

// Color implements fyne.Theme.
func (t *Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	pair, ok := colours[name]
	if !ok {
		return fynetheme.DefaultTheme().Color(name, t.variant(v))
	}
	if t.dark(v) {
		return pair.dark
	}
	return pair.light
}

func (t *Theme) variant(v fyne.ThemeVariant) fyne.ThemeVariant {
	if t.dark(v) {
		return fynetheme.VariantDark
	}
	return fynetheme.VariantLight
}

// Font implements fyne.Theme with the toolkit's own fonts.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource {
	return fynetheme.DefaultTheme().Font(style)
}

// Face is the font of a style, for words that are drawn by a font alone: the
// toolkit reads its picture letters, 4 MB, once more for each style that is
// asked for by its name. It is nil for the regular style, which has them; what
// the font lacks comes from the system's. The style of any other kind is nil.
func Face(style fyne.TextStyle) fyne.Resource {
	switch {
	case style.Italic || style.Symbol:
		return nil
	case style.Monospace:
		return fynetheme.DefaultTextMonospaceFont()
	case style.Bold:
		return fynetheme.DefaultTextBoldFont()
	}
	return nil
}

// Icon implements fyne.Theme.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource {
	return fynetheme.DefaultTheme().Icon(name)
}

// Size implements fyne.Theme. Text, icons, the height of rows and controls and
// the padding inside them follow the text scale; gaps, radii and lines do not.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if s, ok := scaled[name]; ok {
		return s * t.scale
	}
	if s, ok := fixed[name]; ok {
		return s
	}
	return fynetheme.DefaultTheme().Size(name)
}
