package kit

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// DrawnKind says what a line of a drawn screen is for.
type DrawnKind int

// The kinds: something that is there as well, what one is looking for, and
// what is easily taken for it.
const (
	DrawnPlain DrawnKind = iota
	DrawnRight
	DrawnWrong
)

// DrawnRow is a line of a drawn screen: a name, perhaps with a value and a
// button after it.
type DrawnRow struct {
	Kind                DrawnKind
	Name, Value, Button string
}

// Drawn says what a picture of somebody else's page shows: as much of it as
// one needs to know where one is, and what to look at. Everything else on it
// is a grey bar. It is drawn in the window's colours and text size, and
// nothing in it can be clicked.
type Drawn struct {
	// Alt is the picture in words.
	Alt string
	// Address stands in the browser's bar.
	Address string
	// Menu is the way through the page's menu; the last is where one is.
	Menu []string
	// Title is the headline of the page's middle.
	Title string
	// Rows are its lines from top to bottom. One of the wrong kind that is the
	// first stands in the page's head.
	Rows []DrawnRow
	// RightWords stand beside the frame around the right ones, WrongWords
	// beside each wrong one.
	RightWords, WrongWords string
}

// ScreenPicture is such a picture.
type ScreenPicture struct {
	group
	d Drawn
}

// NewScreenPicture makes one.
func NewScreenPicture(d Drawn) *ScreenPicture {
	p := &ScreenPicture{d: d}
	ground := newPlate(theme.ColorSurface, theme.ColorBorder, 1, 12)
	body := Column(0, p.bar())
	rows := d.Rows
	if len(rows) > 0 && rows[0].Kind == DrawnWrong {
		body.Add(Inset(8, 16, 8, 16, TopRow(22, Inset(9, 0, 0, 0, grey(88)), Grow(p.wrong(rows[0])))))
		body.Add(Line())
		rows = rows[1:]
	}
	if len(d.Menu) > 0 {
		body.Add(box(&beside{}, p.menu(), newPlate(theme.ColorBorder, "", 0, 0), p.middle(rows)))
	} else {
		body.Add(p.middle(rows))
	}
	p.compose(p, Over(ground, Inset(0, 1, 0, 1, body)))
	return p
}

// Seen implements Seen.
func (p *ScreenPicture) Seen() Description {
	var values []string
	for _, r := range p.d.Rows {
		switch {
		case r.Kind == DrawnRight:
			values = append(values, strings.TrimSpace(p.d.RightWords+" "+r.Name+r.Button))
		case r.Kind == DrawnWrong:
			values = append(values, strings.TrimSpace(p.d.WrongWords+" "+r.Name+r.Button))
		}
	}
	return Description{Role: RolePicture, Text: p.d.Alt, Value: strings.Join(values, "; ")}
}

// grey stands for what does not matter.
func grey(width float32) fyne.CanvasObject {
	p := newPlate(theme.ColorNeutralSoft, "", 0, 4)
	p.least = fyne.NewSize(width*theme.Scale(), 8*theme.Scale())
	return Row(0, p, Space())
}

func drawnText(words string) *Text { return NewText(words).Sized(theme.SizeMicro) }

func (p *ScreenPicture) bar() fyne.CanvasObject {
	ground := newPlate(theme.ColorInset, "", 0, 11)
	ground.topOnly = true
	dots := Row(5)
	for range 3 {
		dot := newPlate(theme.ColorDisabled, "", 0, 4.5*theme.Scale())
		dot.least = fyne.NewSquareSize(9 * theme.Scale())
		dots.Add(box(&centred{}, dot))
	}
	address := Over(newPlate(theme.ColorSurface, "", 0, 9*theme.Scale()), Inset(1, 12, 1, 12, drawnText(p.d.Address).In(theme.ColorMuted).OneLine()))
	return Column(0, Pad(1, Over(ground, Inset(5, 16, 5, 16, Row(14, dots, Grow(AtMost(300, address)))))), Line())
}

func (p *ScreenPicture) wrong(r DrawnRow) fyne.CanvasObject {
	frame := newPlate(theme.ColorTransparent, theme.ColorErrorBar, 1, 6)
	said := Row(6, NewIcon(theme.IconClose, theme.ColorError, theme.SizeHintIcon), NewText(p.d.WrongWords).Bold().Sized(theme.SizeCaption).In(theme.ColorError).Whole())
	return Flow(16, Over(frame, Inset(5, 10, 5, 10, p.field(r))), Inset(5, 0, 5, 0, said))
}

func (p *ScreenPicture) menu() fyne.CanvasObject {
	c := Column(12, Inset(4, 0, 0, 8, grey(80)), Inset(0, 0, 0, 8, grey(100)))
	for i, words := range p.d.Menu {
		text := drawnText(words).Bold()
		switch {
		case i == len(p.d.Menu)-1:
			c.Add(Inset(0, 8, 0, 8+8*float32(min(i, 2)), text.In(theme.ColorPrimary)))
		case i == 0:
			c.Add(Over(newPlate(theme.ColorNeutralSoft, "", 0, 5), Inset(4, 8, 4, 8, text)))
		default:
			c.Add(Inset(0, 8, 0, 8+8*float32(min(i, 2)), text))
		}
	}
	c.Add(Inset(0, 0, 0, 8, grey(90)))
	c.Add(Inset(0, 0, 0, 8, grey(70)))
	return Inset(14, 6, 16, 6, c)
}

func (p *ScreenPicture) middle(rows []DrawnRow) fyne.CanvasObject {
	c := Column(12)
	if p.d.Title != "" {
		c.Add(NewText(p.d.Title).Bold())
	}
	c.Add(grey(230))
	told := false
	for i := 0; i < len(rows); i++ {
		switch rows[i].Kind {
		case DrawnWrong:
			c.Add(p.wrong(rows[i]))
		case DrawnPlain:
			c.Add(p.field(rows[i]))
		default:
			inside := Column(8)
			for ; i < len(rows) && rows[i].Kind == DrawnRight; i++ {
				inside.Add(p.field(rows[i]))
			}
			i--
			framed := fyne.CanvasObject(Over(newPlate(theme.ColorTransparent, theme.ColorWarningBar, 2, 8), Inset(12, 14, 12, 14, inside)))
			if !told && p.d.RightWords != "" {
				point := &pointed{left: NewIcon(theme.IconBack, theme.ColorWarningBar, theme.SizeHeading), up: NewIcon(theme.IconUp, theme.ColorWarningBar, theme.SizeHeading)}
				point.up.Hide()
				framed = box(point, framed, Row(6, point.left, point.up, NewIcon(theme.IconTick, theme.ColorSuccess, theme.SizeHintIcon),
					NewText(p.d.RightWords).Bold().Sized(theme.SizeCaption).In(theme.ColorSuccess).Whole()))
			}
			if told {
				framed = Row(0, framed, Space())
			}
			told = true
			c.Add(framed)
		}
	}
	c.Add(Flow(8, grey(160), grey(60)))
	return Inset(16, 18, 20, 18, c)
}

func (p *ScreenPicture) field(f DrawnRow) fyne.CanvasObject {
	row := Row(12)
	if f.Name != "" {
		name := drawnText(f.Name)
		if f.Value != "" || f.Kind == DrawnPlain {
			name.In(theme.ColorMuted)
		}
		row.Add(name.Whole())
	}
	if f.Value != "" {
		row.Add(Mono(f.Value).Sized(theme.SizeMicro).Whole())
	}
	if f.Button != "" {
		row.Add(Over(newPlate(theme.ColorButton, "", 0, 4), Inset(3, 10, 3, 10, drawnText(f.Button).Bold().Whole())))
	}
	return row
}

// pointed is a frame and what points at it, in the middle of its side; where
// there is no room, below it.
type pointed struct{ left, up *Icon }

func (p *pointed) beside(o []fyne.CanvasObject, width float32) bool {
	return natural(o[0])+12+natural(o[1]) <= width
}
func (p *pointed) heightFor(o []fyne.CanvasObject, width float32) float32 {
	if p.beside(o, width) {
		return max(HeightFor(o[0], natural(o[0])), HeightFor(o[1], natural(o[1])))
	}
	return HeightFor(o[0], width) + 8 + HeightFor(o[1], width)
}
func (p *pointed) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(min(a.Width, b.Width), a.Height+8+b.Height)
}
func (p *pointed) Layout(o []fyne.CanvasObject, s fyne.Size) {
	beside := p.beside(o, s.Width)
	show(p.left, beside)
	show(p.up, !beside)
	if beside {
		right := natural(o[1])
		left := min(s.Width-12-right, max(natural(o[0]), 290*theme.Scale()))
		h := HeightFor(o[1], right)
		put(o[0], 0, 0, left, s.Height)
		put(o[1], left+12, (s.Height-h)/2, right, h)
		return
	}
	h := HeightFor(o[0], s.Width)
	put(o[0], 0, 0, s.Width, h)
	put(o[1], 0, h+8, s.Width, HeightFor(o[1], s.Width))
}

// centred keeps an object at its least height, in the middle.
type centred struct{ over }

func (c *centred) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		m := o.MinSize()
		o.Move(fyne.NewPos(0, (s.Height-m.Height)/2))
		o.Resize(fyne.NewSize(s.Width, m.Height))
	}
}

// beside is a menu, a line, and the middle; where it is narrow, the middle alone.
type beside struct{}

func (b *beside) side(o []fyne.CanvasObject, width float32) float32 {
	narrow := Narrow(width, 380)
	show(o[0], !narrow)
	show(o[1], !narrow)
	if narrow {
		return 0
	}
	return 150 * theme.Scale()
}
func (b *beside) heightFor(o []fyne.CanvasObject, width float32) float32 {
	side := b.side(o, width)
	high := HeightFor(o[2], width-side-1)
	if side > 0 {
		high = max(high, HeightFor(o[0], side))
	}
	return high
}
func (b *beside) MinSize(o []fyne.CanvasObject) fyne.Size { return o[2].MinSize() }
func (b *beside) Layout(o []fyne.CanvasObject, s fyne.Size) {
	side := b.side(o, s.Width)
	HeightFor(o[0], side)
	HeightFor(o[2], s.Width-side-1)
	put(o[0], 0, 0, side, s.Height)
	put(o[1], side, 0, 1, s.Height)
	put(o[2], side+1, 0, s.Width-side-1, s.Height)
}
