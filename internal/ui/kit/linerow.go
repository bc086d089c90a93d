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
	r.compose(r, Inset(8, 16, 8, 20, Row(12, Grow(Column(0, r.title, r.line)), NewIcon(theme.IconNext, theme.ColorMuted, theme.SizeIcon))))
	return r
}

// Set fills it.
func (r *LineRow) Set(title, line string) {
	r.title.SetText(title)
	r.line.SetText(line)
	show(r.line, line != "")
	r.Refresh()
}

// Seen implements Seen.
func (r *LineRow) Seen() Description {
	return Description{Role: RoleRow, Text: r.title.Words(), Value: r.line.Words()}
}

// MinSize is called by the toolkit: a list asks for it without a width.
func (r *LineRow) MinSize() fyne.Size {
	r.ExtendBaseWidget(r)
	return fyne.NewSize(120, pitch(theme.Length(theme.SizeText))+pitch(theme.Length(theme.SizeCaption))+16)
}
