package kit

import (
	"strconv"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// StepItem is an entry of a list of steps: a numbered disc, ticked when it is
// done, and the step's name. Any of them can be opened.
type StepItem struct {
	base
	words    string
	number   int
	done     bool
	selected bool
	disc     *disc
	text     *Text
	body     *fyne.Container
	ground   *plate
	shade    *plate
	ring     *plate
}

// NewStepItem makes one; number counts from 1.
func NewStepItem(number int, words string, tapped func()) *StepItem {
	i := &StepItem{
		words: words, number: number, disc: newDisc(number, Ahead, 22), text: NewText(words),
		ground: newPlate(theme.ColorTransparent, "", 0, 8), shade: newPlate(theme.ColorTransparent, "", 0, 8),
		ring: newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 8),
	}
	i.body = Inset(9, 12, 9, 12, TopRow(12, i.disc, Grow(Inset(1, 0, 0, 0, i.text))))
	i.start(i, tapped)
	return i
}

// Set says whether the step is done and whether it is the one in sight.
func (i *StepItem) Set(done, selected bool) {
	if i.done != done || i.selected != selected {
		i.done, i.selected = done, selected
		i.Refresh()
	}
}

// Done reports whether it is ticked.
func (i *StepItem) Done() bool { return i.done }

// Seen implements Seen. A tick is its value, so that it can be read.
func (i *StepItem) Seen() Description {
	value := strconv.Itoa(i.number)
	if i.done {
		value = "✓"
	}
	return Description{Role: RoleStep, Text: i.words, Value: value, Selected: i.selected}
}

// HeightFor implements Tall.
func (i *StepItem) HeightFor(width float32) float32 { return HeightFor(i.body, width) }

// NaturalWidth implements Wide.
func (i *StepItem) NaturalWidth() float32 { return natural(i.body) }

func (i *StepItem) apply() {
	i.disc.state, i.text.bold = Ahead, i.selected
	i.ground.fill = theme.ColorTransparent
	ink := theme.ColorMuted
	if i.selected {
		i.disc.state, ink, i.ground.fill = Now, theme.ColorPrimary, theme.ColorPrimarySoft
	} else if i.done {
		ink = theme.ColorFg
	}
	if i.done {
		i.disc.state = Done
	}
	i.text.colour = ink
	i.text.stale()
	i.disc.Refresh()
	i.shade.fill = i.overlayColour()
	show(i.ring, i.focused)
}

// CreateRenderer is called by the toolkit.
func (i *StepItem) CreateRenderer() fyne.WidgetRenderer {
	i.apply()
	whole := func(s fyne.Size) { i.ring.Resize(s) }
	return &shell{root: Over(i.ground, i.body, i.shade), extra: []fyne.CanvasObject{i.ring}, update: i.apply, place: whole}
}

// Moves makes Up and Down go to the item before and after: by is -1 or 1.
func (i *StepItem) Moves(move func(by int)) {
	i.key = func(ev *fyne.KeyEvent) bool {
		switch ev.Name {
		case fyne.KeyUp:
			move(-1)
		case fyne.KeyDown:
			move(1)
		default:
			return false
		}
		return true
	}
}
