package kit

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// LineRow is a row of a list with one line of words and smaller ones below.
type LineRow struct {
	group
	title, line *Text
}

// NewLineRow makes an empty one.
func NewLineRow() *LineRow {
	r := &LineRow{title: NewText("").OneLine(), line: Caption(" ").OneLine()}
	r.compose(r, Column(0, Inset(9, 16, 8, 20, Row(12, Grow(Column(0, r.title, r.line)), NewIcon(theme.IconNext, theme.ColorMuted, theme.SizeIcon))), Line()))
	return r
}

// Set fills it.
func (r *LineRow) Set(title, line string) {
	r.title.SetText(title)
	if line == "" {
		// The row keeps its height.
		line = " "
	}
	r.line.SetText(line)
	r.Refresh()
}

// Seen implements Seen.
func (r *LineRow) Seen() Description {
	return Description{Role: RoleRow, Text: r.title.Words(), Value: r.line.Words()}
}

// MinSize is called by the toolkit: a list asks for it without a width.
func (r *LineRow) MinSize() fyne.Size {
	r.ExtendBaseWidget(r)
	return fyne.NewSize(120, HeightFor(r.root, 400))
}
