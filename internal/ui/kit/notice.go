package kit

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// NoticeBox says something in a tone: icon, a bold lead, words, a link or a
// button.
type NoticeBox struct {
	group
	lead, words string
	text        *Text
}

// NewNotice makes one. lead may be empty. Runs after the words may be links.
func NewNotice(tone Tone, lead, words string, more ...Run) *NoticeBox {
	return newNotice(tone, tone.icon(), lead, words, nil, more)
}

// NewNoticeIcon is a notice with an icon of its own.
func NewNoticeIcon(tone Tone, icon theme.IconName, lead, words string, more ...Run) *NoticeBox {
	return newNotice(tone, icon, lead, words, nil, more)
}

// NewNoticeButton is a notice with buttons at its end; lead and words stand
// below each other.
func NewNoticeButton(tone Tone, icon theme.IconName, lead, words string, buttons ...fyne.CanvasObject) *NoticeBox {
	if icon == "" {
		icon = tone.icon()
	}
	return newNotice(tone, icon, lead, words, append([]fyne.CanvasObject{}, buttons...), nil)
}

func newNotice(tone Tone, icon theme.IconName, lead, words string, buttons []fyne.CanvasObject, more []Run) *NoticeBox {
	n := &NoticeBox{lead: lead, words: words}
	var body fyne.CanvasObject
	if buttons == nil {
		var runs []Run
		if lead != "" {
			runs = append(runs, Run{Words: lead + " ", Bold: true})
		}
		runs = append(runs, Runs(words)...)
		for _, m := range more {
			runs = append(runs, Run{Words: " "}, m)
		}
		n.text = NewRuns(runs...)
		body = n.text
	} else {
		n.text = CaptionRuns(Runs(words)...).In(theme.ColorFg)
		parts := []fyne.CanvasObject{}
		if lead != "" {
			parts = append(parts, Strong(lead))
		}
		if words != "" {
			parts = append(parts, n.text)
		}
		body = Column(1, parts...)
	}
	ground := newPlate(tone.soft(), "", 0, theme.Length(theme.SizeNoticeRadius))
	row := Row(14, append([]fyne.CanvasObject{NewIcon(icon, tone.ink(), theme.SizeIcon), Grow(body)}, buttons...)...)
	n.compose(n, Over(ground, Inset(11, 14, 11, 14, row)))
	return n
}

// SmallText makes the words of a notice as small as a caption.
func (n *NoticeBox) SmallText() *NoticeBox { n.text.Sized(theme.SizeCaption); return n }

// Seen implements Seen.
func (n *NoticeBox) Seen() Description {
	return Description{Role: RoleNotice, Text: n.lead, Value: n.words}
}

// Card is a surface with a thin edge.
type Card struct {
	group
	ground *plate
}

// NewCard makes one with 24 inside.
func NewCard(o fyne.CanvasObject) *Card { return NewCardPad(24, o) }

// NewCardPad makes one with another distance inside.
func NewCardPad(inside float32, o fyne.CanvasObject) *Card {
	c := &Card{ground: newPlate(theme.ColorSurface, theme.ColorBorder, 1, 12)}
	c.compose(c, Over(c.ground, Pad(inside, o)))
	return c
}

// SoftBox is a rounded ground in a tone, for values within a card.
func SoftBox(tone Tone, o fyne.CanvasObject) *Card {
	c := &Card{ground: newPlate(tone.soft(), "", 0, theme.Length(theme.SizeNoticeRadius))}
	c.compose(c, Over(c.ground, Pad(14, o)))
	return c
}

// FactRow is a fact: icon, name, value and a second line.
type FactRow struct {
	group
	name, value string
	valueT      *Text
	lineT       *Text
}

// NewFactRow makes one. value may have **bold**; more runs may be links of the
// second line.
func NewFactRow(icon theme.IconName, name, value, line string, more ...Run) *FactRow {
	f := &FactRow{name: name, value: value, valueT: NewText(value)}
	runs := Runs(line)
	for _, m := range more {
		runs = append(runs, Run{Words: " "}, m)
	}
	f.lineT = CaptionRuns(runs...)
	show(f.lineT, line != "" || len(more) > 0)
	f.compose(f, TopRow(12, NewIcon(icon, theme.ColorMuted, theme.SizeIcon), Fixed(116, Muted(name)), Grow(Column(1, f.valueT, f.lineT))))
	return f
}

// Set changes value and line.
func (f *FactRow) Set(value, line string) {
	f.value = value
	f.valueT.SetText(value)
	f.lineT.SetText(line)
	show(f.lineT, line != "")
}

// Seen implements Seen.
func (f *FactRow) Seen() Description {
	d := Description{Role: RoleRow, Text: f.name, Value: f.valueT.Words()}
	if line := f.lineT.Words(); line != "" {
		d.Value += "; " + line
	}
	return d
}

// StatusLine is a line of a check or of what a token may do: an icon in a tone,
// a title, a second line, and perhaps a link at the end of it.
type StatusLine struct {
	group
	title, line string
	icon        *Icon
	titleT      *Text
	lineT       *Text
}

// NewStatusLine makes one; strong makes its title bold. Without an icon the
// tone's is used.
func NewStatusLine(tone Tone, icon theme.IconName, title, line string, strong bool, more ...Run) *StatusLine {
	if icon == "" {
		icon = tone.icon()
	}
	colour := tone.ink()
	s := &StatusLine{title: title, line: line, icon: NewIcon(icon, colour, theme.SizeIcon), titleT: NewText(title)}
	s.titleT.bold = strong
	runs := Runs(line)
	for _, m := range more {
		runs = append(runs, Run{Words: " "}, m)
	}
	s.lineT = CaptionRuns(runs...)
	show(s.lineT, line != "" || len(more) > 0)
	s.compose(s, TopRow(12, s.icon, Grow(Column(1, s.titleT, s.lineT))))
	return s
}

// Seen implements Seen.
func (s *StatusLine) Seen() Description {
	return Description{Role: RoleRow, Text: s.title, Value: s.line}
}

// Lined puts a line between objects, with 12 above and below.
func Lined(objects ...fyne.CanvasObject) *fyne.Container {
	c := Column(12)
	for i, o := range objects {
		if i > 0 {
			c.Add(Line())
		}
		c.Add(o)
	}
	return c
}

// IconLine is small words after a small icon: hints, feet of cards.
func IconLine(icon theme.IconName, colour fyne.ThemeColorName, runs ...Run) *fyne.Container {
	return TopRow(8, NewIcon(icon, colour, theme.SizeHintIcon), Grow(CaptionRuns(runs...)))
}
