package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Scroll shows content that may be higher than its room; the content has the
// whole width.
type Scroll struct {
	widget.BaseWidget
	content fyne.CanvasObject
	scroll  *container.Scroll
	within  bool
}

// NewScroll makes one.
func NewScroll(content fyne.CanvasObject) *Scroll {
	s := &Scroll{content: content, scroll: container.NewVScroll(asWide(content))}
	s.ExtendBaseWidget(s)
	return s
}

// NewScrollWithin is one that wants to be as high as its content.
func NewScrollWithin(content fyne.CanvasObject) *Scroll {
	s := NewScroll(content)
	s.within = true
	return s
}

// SetContent shows other content, from its top.
func (s *Scroll) SetContent(o fyne.CanvasObject) {
	s.content, s.scroll.Content = o, asWide(o)
	s.scroll.Offset = fyne.NewPos(0, 0)
	s.Refresh()
}

// Offset is how far it is scrolled; SetOffset goes back there.
func (s *Scroll) Offset() float32 { return s.scroll.Offset.Y }

// SetOffset scrolls.
func (s *Scroll) SetOffset(y float32) {
	s.scroll.Offset.Y = y
	s.scroll.Refresh()
}

// HeightFor implements Tall.
func (s *Scroll) HeightFor(width float32) float32 {
	if s.within {
		return HeightFor(s.content, width)
	}
	return s.scroll.MinSize().Height
}

// CreateRenderer is called by the toolkit.
func (s *Scroll) CreateRenderer() fyne.WidgetRenderer { return &scrollRenderer{s} }

// asWide makes content as wide as its room and never wider: what scrolls up and
// down must not be cut at its side.
func asWide(o fyne.CanvasObject) *fyne.Container {
	return box(&asWideLayout{}, o)
}

type asWideLayout struct{ width float32 }

func (a *asWideLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	if a.width == 0 {
		return fyne.NewSize(0, o[0].MinSize().Height)
	}
	return fyne.NewSize(0, HeightFor(o[0], a.width))
}

func (a *asWideLayout) heightFor(o []fyne.CanvasObject, width float32) float32 {
	a.width = width
	return HeightFor(o[0], width)
}

func (a *asWideLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	a.heightFor(o, s.Width)
	o[0].Resize(s)
}

type scrollRenderer struct{ s *Scroll }

func (r *scrollRenderer) Destroy()                     {}
func (r *scrollRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.s.scroll} }
func (r *scrollRenderer) MinSize() fyne.Size {
	return fyne.NewSize(0, r.s.scroll.MinSize().Height)
}
func (r *scrollRenderer) Layout(size fyne.Size) {
	// The content learns its width before the toolkit asks for its height.
	HeightFor(r.s.scroll.Content, size.Width)
	r.s.scroll.Resize(size)
	r.s.scroll.Refresh()
}
func (r *scrollRenderer) Refresh() {
	HeightFor(r.s.scroll.Content, r.s.Size().Width)
	r.s.scroll.Refresh()
}

// PageHead is a page's title, a line below it and things at the right.
func PageHead(title, line string, trailing ...fyne.CanvasObject) *fyne.Container {
	words := Column(4, Heading(title))
	if line != "" {
		words.Add(Muted(line).Sized(theme.SizeTitle))
	}
	return HeadOf(words, trailing...)
}

// HeadOf is a page's head with any object at the left; where there is no room
// the things at the right move below it.
func HeadOf(left fyne.CanvasObject, trailing ...fyne.CanvasObject) *fyne.Container {
	if len(trailing) == 0 {
		return Column(0, left)
	}
	return box(&headLayout{}, left, FlowEnd(12, trailing...))
}

type headLayout struct{ width float32 }

func (h *headLayout) beside(o []fyne.CanvasObject, width float32) bool {
	return natural(o[0])+24+natural(o[1]) <= width
}
func (h *headLayout) heightFor(o []fyne.CanvasObject, width float32) float32 {
	h.width = width
	if h.beside(o, width) {
		return max(HeightFor(o[0], natural(o[0])), HeightFor(o[1], natural(o[1])))
	}
	return HeightFor(o[0], width) + 12 + HeightFor(o[1], width)
}
func (h *headLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := max(o[0].MinSize().Width, o[1].MinSize().Width)
	return fyne.NewSize(w, h.heightFor(o, max(w, h.width)))
}
func (h *headLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	if h.beside(o, s.Width) {
		w := natural(o[1])
		lw := s.Width - w - 24
		lh, rh := HeightFor(o[0], lw), HeightFor(o[1], w)
		o[0].Move(fyne.NewPos(0, (s.Height-lh)/2))
		o[0].Resize(fyne.NewSize(lw, lh))
		o[1].Move(fyne.NewPos(s.Width-w, (s.Height-rh)/2))
		o[1].Resize(fyne.NewSize(w, rh))
		return
	}
	lh := HeightFor(o[0], s.Width)
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(s.Width, lh))
	o[1].Move(fyne.NewPos(0, lh+12))
	o[1].Resize(fyne.NewSize(s.Width, HeightFor(o[1], s.Width)))
}

// Footer is the bar at the foot of a screen: low things at the left, a note,
// the buttons at the right, the high one last. Any may be nil.
func Footer(left fyne.CanvasObject, note *Text, right ...fyne.CanvasObject) *fyne.Container {
	row := Row(12)
	if b, ok := left.(*Button); ok && (b.kind == Low || b.kind == QuietDanger) {
		b.Flush()
	}
	if left != nil {
		row.Add(left)
	}
	if note != nil {
		row.Add(Grow(note))
	} else {
		row.Add(Space())
	}
	for _, r := range right {
		row.Add(r)
	}
	bar := box(&footerLayout{}, row)
	return Over(newPlate(theme.ColorBg, "", 0, 0), Column(0, Line(), bar))
}

type footerLayout struct{ over }

func (f *footerLayout) side(width float32) float32 { return PageMargin(width) }
func (f *footerLayout) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return max(theme.Length(theme.SizeFooter)-1, HeightFor(o[0], width-2*f.side(width))+24)
}
func (f *footerLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[0].MinSize()
	return fyne.NewSize(m.Width+48, max(theme.Length(theme.SizeFooter)-1, m.Height+24))
}
func (f *footerLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	side := f.side(s.Width)
	o[0].Move(fyne.NewPos(side, 0))
	o[0].Resize(fyne.NewSize(s.Width-2*side, s.Height))
}

// PageMargin is the distance of a page's content from its edges, by the page's width.
func PageMargin(width float32) float32 {
	if width < 860 {
		return 24
	}
	return 32
}

// Page is a screen: head, content that scrolls, and a footer that does not.
// footer may be nil.
func Page(head fyne.CanvasObject, content fyne.CanvasObject, footer fyne.CanvasObject) *fyne.Container {
	parts := []fyne.CanvasObject{}
	if head != nil {
		parts = append(parts, head)
	}
	parts = append(parts, content)
	return FullPage(NewScroll(margins(Column(20, parts...), 24, 32)), footer)
}

// FixedPage is a Page whose content scrolls by itself and takes the height there
// is: a list. The page scrolls only where not even its least height is left.
func FixedPage(head, content, footer fyne.CanvasObject) *fyne.Container {
	return FullPage(NewScroll(margins(Column(20, head, Grow(content)), 24, 16)), footer)
}

// FullPage is content and a footer, without margins.
func FullPage(content, footer fyne.CanvasObject) *fyne.Container {
	if footer == nil {
		return Over(content)
	}
	return container.NewBorder(nil, footer, nil, nil, content)
}

func margins(o fyne.CanvasObject, top, bottom float32) *fyne.Container {
	return box(&marginLayout{top: top, bottom: bottom}, o)
}

type marginLayout struct{ top, bottom, width float32 }

func (m *marginLayout) heightFor(o []fyne.CanvasObject, width float32) float32 {
	m.width = width
	return m.top + m.bottom + HeightFor(o[0], width-2*PageMargin(width))
}
func (m *marginLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	s := o[0].MinSize()
	return fyne.NewSize(s.Width+48, s.Height+m.top+m.bottom)
}
func (m *marginLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	side := PageMargin(s.Width)
	HeightFor(o[0], s.Width-2*side)
	o[0].Move(fyne.NewPos(side, m.top))
	o[0].Resize(fyne.NewSize(s.Width-2*side, s.Height-m.top-m.bottom))
}

// Rail is the navigation at the left, 192 wide, or 80 when the window is
// narrow or the text large.
type Rail struct {
	widget.BaseWidget
	items []*NavItem
	Foot  *RailFoot
	logo  *canvasImage
	name  *Text
	small bool
	// room lays out the window around the rail, when it asks for another width.
	room func()
}

// RailFoot says where the tokens are, and opens the settings.
type RailFoot struct {
	base
	icon        *Icon
	title, line *Text
	brief       string
	small       bool
	// bare leaves the icon alone, where the window is too low for its word.
	bare bool
	tone Tone
}

// NewRailFoot makes one; brief is its word on the small rail.
func NewRailFoot(title, line, brief string, tone Tone, tapped func()) *RailFoot {
	f := &RailFoot{icon: NewIcon(theme.IconLock, tone.ink(), theme.SizeIcon), title: Caption(title).Bold().In(theme.ColorFg).OneLine(), line: Caption(line).OneLine(), brief: brief, tone: tone}
	f.Tip = title
	f.start(f, tapped)
	return f
}

// Set changes it.
func (f *RailFoot) Set(title, line string, tone Tone) {
	f.title.SetText(title)
	f.line.SetText(line)
	f.tone = tone
	f.Refresh()
}

// Seen implements Seen.
func (f *RailFoot) Seen() Description {
	return Description{Role: RoleButton, Text: f.title.Words(), Value: f.line.Words()}
}

// CreateRenderer is called by the toolkit.
func (f *RailFoot) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorTransparent, "", 0, 8)
	ring := newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 8)
	brief := NewText(f.brief).Sized(theme.SizeMicro).In(theme.ColorMuted).Centered()
	r := &chipRenderer{ground: ground, icon: f.icon, more: []fyne.CanvasObject{f.title, f.line, brief, ring}}
	r.update = func() {
		ground.fill = f.overlayColour()
		f.icon.colour = f.tone.ink()
		show(f.title, !f.small)
		show(f.line, !f.small)
		show(brief, f.small && !f.bare)
		show(ring, f.focused)
	}
	r.least = func() fyne.Size {
		if f.small {
			return fyne.NewSize(64, 66*theme.Scale())
		}
		return fyne.NewSize(64, 52*theme.Scale())
	}
	r.lay = func(s fyne.Size) {
		ring.Resize(s)
		i := theme.Length(theme.SizeIcon)
		if f.small {
			f.icon.Move(fyne.NewPos((s.Width-i)/2, 4*theme.Scale()))
			f.icon.Resize(fyne.NewSquareSize(i))
			brief.Move(fyne.NewPos(2, 28*theme.Scale()))
			brief.Resize(fyne.NewSize(s.Width-4, brief.HeightFor(s.Width-4)))
			return
		}
		h := f.title.HeightFor(500)
		y := (s.Height - 2*h) / 2
		f.icon.Move(fyne.NewPos(7, y))
		f.icon.Resize(fyne.NewSquareSize(i))
		f.title.Move(fyne.NewPos(14+i, y))
		f.title.Resize(fyne.NewSize(s.Width-i-16, h))
		f.line.Move(fyne.NewPos(14+i, y+h))
		f.line.Resize(fyne.NewSize(s.Width-i-16, h))
	}
	r.update()
	return r
}

// NewRail makes one: the program's icon and name, its items, its foot.
func NewRail(logo fyne.Resource, name string, foot *RailFoot, items ...*NavItem) *Rail {
	r := &Rail{items: items, Foot: foot, logo: newCanvasImage(logo), name: Title(name).OneLine()}
	for _, i := range items {
		i.grew = r.grew
	}
	r.ExtendBaseWidget(r)
	return r
}

// grew lays the rail out again for an item that asks for another size.
func (r *Rail) grew() {
	r.Refresh()
	if r.room != nil && r.MinSize().Width != r.Size().Width {
		r.room()
	}
}

// SetSmall makes it the small or the wide one.
func (r *Rail) SetSmall(yes bool) {
	if r.small != yes {
		r.small = yes
		r.Refresh()
	}
}

// Small reports which it is.
func (r *Rail) Small() bool { return r.small }

// RailSmall reports whether a window of that width has the small rail.
func RailSmall(window float32) bool {
	return window < 1000 || theme.Scale() >= theme.SmallRailScale
}

// CreateRenderer is called by the toolkit.
func (r *Rail) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorRail, "", 0, 0)
	s := theme.Scale
	objects := []fyne.CanvasObject{r.logo, r.name}
	for _, i := range r.items {
		objects = append(objects, i)
	}
	if r.Foot != nil {
		objects = append(objects, r.Foot)
	}
	c := &chipRenderer{ground: ground, more: objects}
	c.update = func() {
		for _, i := range r.items {
			i.small = r.small
		}
		if r.Foot != nil {
			r.Foot.small = r.small
		}
		show(r.name, !r.small)
	}
	c.least = func() fyne.Size {
		if r.small {
			w := float32(64)
			for _, i := range r.items {
				w = max(w, i.MinSize().Width)
			}
			return fyne.NewSize(w+16, 300)
		}
		return fyne.NewSize(192*s(), 300)
	}
	c.lay = func(size fyne.Size) {
		c.update()
		side, y := float32(32), float32(76)
		left := float32(13)
		r.logo.Move(fyne.NewPos(20, 20))
		if r.small {
			side, left, y = 36, 8, 72
			r.logo.Move(fyne.NewPos((size.Width-side)/2, 16))
		}
		r.logo.Resize(fyne.NewSquareSize(side))
		h := r.name.HeightFor(size.Width - 74)
		r.name.Move(fyne.NewPos(62, 36-h/2))
		r.name.Resize(fyne.NewSize(size.Width-74, h))
		for _, i := range r.items {
			m := i.MinSize()
			i.Move(fyne.NewPos(left, y))
			i.Resize(fyne.NewSize(size.Width-2*left, m.Height))
			y += m.Height + 4
		}
		if r.Foot != nil {
			m := r.Foot.MinSize()
			r.Foot.bare = r.small && y+m.Height > size.Height
			if r.Foot.bare {
				m.Height = 32 * s()
			}
			r.Foot.Move(fyne.NewPos(left, size.Height-m.Height-8))
			r.Foot.Resize(fyne.NewSize(size.Width-2*left, m.Height))
		}
	}
	c.update()
	return c
}

// SandStrip is the sign of the practice ground.
type SandStrip struct {
	group
	words string
}

// NewSandStrip makes one. Where there is nothing to leave, leave is nil and
// there is no button.
func NewSandStrip(words, leaveWords string, leave func(), more ...fyne.CanvasObject) *SandStrip {
	s := &SandStrip{words: words}
	if leave != nil {
		more = append(more, NewButton(leaveWords, Medium, leave))
	}
	ground := newPlate(theme.ColorSand, "", 0, 0)
	row := Row(12, append([]fyne.CanvasObject{Grow(Strong(words).In(theme.ColorSandInk))}, more...)...)
	above := float32(6)
	if len(more) == 0 {
		above = 14
	}
	s.compose(s, Over(ground, Inset(above, 32, above, 32, row)))
	return s
}

// Seen implements Seen.
func (s *SandStrip) Seen() Description { return Description{Role: RoleNotice, Text: s.words} }

// Shell puts the rail, a strip (or nil) and the content of a window together
// and chooses the rail by the window's width.
func Shell(rail *Rail, strip, content fyne.CanvasObject) *fyne.Container {
	objects := []fyne.CanvasObject{rail, content}
	if strip != nil {
		objects = append(objects, strip)
	}
	shell := box(&shellLayout{rail: rail}, objects...)
	rail.room = shell.Refresh
	return shell
}

type shellLayout struct{ rail *Rail }

// The least window.
const (
	LeastWidth  = 720
	LeastHeight = 520
)

func (l *shellLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(LeastWidth, LeastHeight)
}

func (l *shellLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	l.rail.SetSmall(RailSmall(s.Width))
	w := l.rail.MinSize().Width
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(w, s.Height))
	top := float32(0)
	if len(o) > 2 && o[2].Visible() {
		top = HeightFor(o[2], s.Width-w)
		o[2].Move(fyne.NewPos(w, 0))
		o[2].Resize(fyne.NewSize(s.Width-w, top))
	}
	HeightFor(o[1], s.Width-w)
	o[1].Move(fyne.NewPos(w, top))
	o[1].Resize(fyne.NewSize(s.Width-w, s.Height-top))
}
