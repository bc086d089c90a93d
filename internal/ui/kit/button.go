package kit

import (
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Kind is how loud a button is.
type Kind int

// The kinds. A screen has at most one High button.
const (
	Medium Kind = iota
	High
	Low
	Danger
	QuietDanger
)

// Button is a labelled action.
type Button struct {
	base
	label    string
	kind     Kind
	icon     theme.IconName
	trailing theme.IconName
	iconOnly bool
	flush    bool
}

// NewButton makes a button.
func NewButton(label string, kind Kind, tapped func()) *Button {
	b := &Button{label: label, kind: kind}
	b.start(b, tapped)
	return b
}

// NewIconButton is a quiet button of 36 by 36 with an icon alone; its name is
// its tooltip.
func NewIconButton(icon theme.IconName, name string, tapped func()) *Button {
	b := &Button{label: name, kind: Low, icon: icon, iconOnly: true}
	b.Tip = name
	b.start(b, tapped)
	return b
}

// With puts an icon before the label.
func (b *Button) With(icon theme.IconName) *Button { b.icon = icon; b.Refresh(); return b }

// Then puts an icon after the label.
func (b *Button) Then(icon theme.IconName) *Button { b.trailing = icon; b.Refresh(); return b }

// Flush takes the room beside a quiet button's label away, so that the label
// stands on the edge that other things stand on.
func (b *Button) Flush() *Button { b.flush = true; b.Refresh(); return b }

// WithTip sets the tooltip: the shortcut, or why the button is disabled.
func (b *Button) WithTip(words string) *Button { b.Tip = words; return b }

// SetLabel changes the label.
func (b *Button) SetLabel(label string) {
	if b.label != label {
		b.label = label
		b.Refresh()
	}
}

// SetKind changes how loud it is.
func (b *Button) SetKind(kind Kind) { b.kind = kind; b.Refresh() }

// SetTapped changes what it does.
func (b *Button) SetTapped(tapped func()) { b.tapped = tapped }

// SetEnabled enables or disables.
func (b *Button) SetEnabled(yes bool) {
	if yes {
		b.Enable()
	} else {
		b.Disable()
	}
}

// Label is what it says.
func (b *Button) Label() string { return b.label }

// Kind is how loud it is.
func (b *Button) Kind() Kind { return b.kind }

// Seen implements Seen.
func (b *Button) Seen() Description { return Description{Role: RoleButton, Text: b.label} }

func (b *Button) colours() (ground, ink fyne.ThemeColorName) {
	ground, ink = theme.ColorButton, theme.ColorFg
	switch b.kind {
	case High:
		ground, ink = theme.ColorPrimary, theme.ColorOnPrimary
	case Low:
		ground, ink = theme.ColorTransparent, theme.ColorPrimary
	case Danger:
		ground, ink = theme.ColorError, fynetheme.ColorNameForegroundOnError
	case QuietDanger:
		ground, ink = theme.ColorTransparent, theme.ColorError
	}
	if b.iconOnly {
		ink = theme.ColorMuted
	}
	if b.Disabled() {
		ink = theme.ColorDisabled
		if ground != theme.ColorTransparent {
			ground = theme.ColorButton
		}
	}
	return ground, ink
}

// NaturalWidth implements Wide.
func (b *Button) NaturalWidth() float32 { return b.MinSize().Width }

// HeightFor implements Tall: where there is no room for the label in one line,
// the button becomes higher.
func (b *Button) HeightFor(width float32) float32 {
	least := b.MinSize()
	if b.iconOnly || width >= least.Width-0.5 {
		return least.Height
	}
	size := theme.Length(theme.SizeText)
	m := NewText(b.label).Bold()
	return least.Height - pitch(size) + m.HeightFor(max(size, m.NaturalWidth()-(least.Width-width)))
}

// CreateRenderer is called by the toolkit.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	radius := theme.Length(fynetheme.SizeNameButtonRadius)
	r := &buttonRenderer{
		b: b, ground: newPlate(theme.ColorButton, "", 0, radius), shade: newPlate(theme.ColorTransparent, "", 0, radius),
		ring: newRing(radius), label: NewText("").Bold(), icon: NewIcon("", theme.ColorFg, theme.SizeButtonIcon), after: NewIcon("", theme.ColorFg, theme.SizeButtonIcon),
	}
	r.label.align = fyne.TextAlignCenter
	r.apply()
	return r
}

type buttonRenderer struct {
	b                   *Button
	ground, shade, ring *plate
	label               *Text
	icon, after         *Icon
}

func (r *buttonRenderer) Destroy() {}
func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.shade, r.label, r.icon, r.after, r.ring}
}

func (r *buttonRenderer) side() float32 {
	if r.b.iconOnly || r.b.flush {
		return 0
	}
	return 14 * theme.Scale()
}

func (r *buttonRenderer) between() float32 { return 8 * theme.Scale() }

func (r *buttonRenderer) MinSize() fyne.Size {
	h := theme.Length(theme.SizeControl)
	if r.b.iconOnly {
		return fyne.NewSquareSize(h)
	}
	w := r.label.NaturalWidth() + 2*r.side()
	icon := theme.Length(theme.SizeButtonIcon)
	if r.b.icon != "" {
		w += icon + r.between()
	}
	if r.b.trailing != "" {
		w += icon + r.between()
	}
	return fyne.NewSize(w, h)
}

func (r *buttonRenderer) Layout(s fyne.Size) {
	r.ground.Resize(s)
	r.shade.Resize(s)
	placeRing(r.ring, s)
	icon := theme.Length(theme.SizeButtonIcon)
	if r.b.iconOnly {
		icon = theme.Length(theme.SizeIcon)
		r.icon.Resize(s)
		return
	}
	lw := r.label.NaturalWidth()
	if over := r.MinSize().Width - s.Width; over > 0.5 {
		lw = max(theme.Length(theme.SizeText), lw-over)
	}
	total := lw
	if r.b.icon != "" {
		total += icon + r.between()
	}
	if r.b.trailing != "" {
		total += icon + r.between()
	}
	x := float32(math.Round(float64(s.Width-total) / 2))
	lh := r.label.HeightFor(lw)
	if r.b.icon != "" {
		r.icon.Move(fyne.NewPos(x, (s.Height-icon)/2))
		r.icon.Resize(fyne.NewSquareSize(icon))
		x += icon + r.between()
	}
	r.label.Move(fyne.NewPos(x, (s.Height-lh)/2))
	r.label.Resize(fyne.NewSize(lw, lh))
	if r.b.trailing != "" {
		r.after.Move(fyne.NewPos(x+lw+r.between(), (s.Height-icon)/2))
		r.after.Resize(fyne.NewSquareSize(icon))
	}
}

func (r *buttonRenderer) apply() {
	b := r.b
	ground, ink := b.colours()
	r.ground.fill, r.shade.fill = ground, b.overlayColour()
	r.label.colour = ink
	words := b.label
	if b.iconOnly {
		words = ""
		r.icon.size = theme.SizeIcon
	}
	r.label.set([]Run{{Words: words}})
	r.icon.name, r.icon.colour = b.icon, ink
	r.after.name, r.after.colour = b.trailing, ink
	show(r.label, words != "")
	show(r.icon, b.icon != "")
	show(r.after, b.trailing != "")
	show(r.ring, b.focused && !b.Disabled())
}

func (r *buttonRenderer) Refresh() {
	r.apply()
	r.Layout(r.b.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
	canvas.Refresh(r.b)
}
