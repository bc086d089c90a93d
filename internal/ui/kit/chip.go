package kit

import (
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// StatusChip is a status: icon and words on a soft ground. It is no target.
type StatusChip struct {
	widget.BaseWidget
	words string
	tone  Tone
	icon  theme.IconName
}

// NewStatusChip makes one. Without an icon the tone's is used.
func NewStatusChip(words string, tone Tone, icon theme.IconName) *StatusChip {
	c := &StatusChip{words: words, tone: tone, icon: icon}
	c.ExtendBaseWidget(c)
	return c
}

// Set changes it.
func (c *StatusChip) Set(words string, tone Tone, icon theme.IconName) {
	if c.words != words || c.tone != tone || c.icon != icon {
		c.words, c.tone, c.icon = words, tone, icon
		c.Refresh()
	}
}

// Seen implements Seen.
func (c *StatusChip) Seen() Description { return Description{Role: RoleChip, Text: c.words} }

// CreateRenderer is called by the toolkit.
func (c *StatusChip) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorNeutralSoft, "", 0, 12)
	icon := NewIcon("", theme.ColorFg, theme.SizeChipIcon)
	words := NewText("").Bold().Sized(theme.SizeCaption).Whole()
	s := theme.Scale
	r := &chipRenderer{ground: ground, icon: icon, words: words}
	r.update = func() {
		name := c.icon
		if name == "" {
			name = c.tone.icon()
		}
		icon.name, icon.colour = name, c.tone.ink()
		words.colour = c.tone.ink()
		words.set(Runs(c.words))
		ground.fill = c.tone.soft()
		ground.radius = theme.Length(theme.SizeStatusChip) / 2
	}
	r.least = func() fyne.Size {
		return fyne.NewSize((6+5+10)*s()+theme.Length(theme.SizeChipIcon)+words.NaturalWidth(), theme.Length(theme.SizeStatusChip))
	}
	r.lay = func(size fyne.Size) {
		i, w := theme.Length(theme.SizeChipIcon), words.NaturalWidth()
		h := words.HeightFor(w)
		icon.Move(fyne.NewPos(6*s(), (size.Height-i)/2))
		icon.Resize(fyne.NewSquareSize(i))
		words.Move(fyne.NewPos(11*s()+i, (size.Height-h)/2))
		words.Resize(fyne.NewSize(w, h))
	}
	r.update()
	return r
}

// chipRenderer lays a ground, an icon and words.
type chipRenderer struct {
	ground *plate
	icon   *Icon
	words  *Text
	more   []fyne.CanvasObject
	update func()
	least  func() fyne.Size
	lay    func(fyne.Size)
	size   fyne.Size
}

func (r *chipRenderer) Destroy() {}
func (r *chipRenderer) Objects() []fyne.CanvasObject {
	objects := []fyne.CanvasObject{r.ground}
	if r.icon != nil {
		objects = append(objects, r.icon)
	}
	if r.words != nil {
		objects = append(objects, r.words)
	}
	return append(objects, r.more...)
}
func (r *chipRenderer) MinSize() fyne.Size { return r.least() }
func (r *chipRenderer) Layout(s fyne.Size) {
	r.size = s
	r.ground.Resize(s)
	r.lay(s)
}
func (r *chipRenderer) Refresh() {
	r.update()
	if r.size.Width > 0 {
		r.lay(r.size)
	}
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

// FilterChip is one of several filters, with how many it holds.
type FilterChip struct {
	base
	words    string
	count    int
	selected bool
	ticks    bool
}

// NewFilterChip makes one; a count below 0 is not shown.
func NewFilterChip(words string, count int, tapped func()) *FilterChip {
	c := &FilterChip{words: words, count: count}
	c.start(c, tapped)
	return c
}

// Ticks gives the chosen one a tick, where the chips are a choice of one. Call
// it before the chip is shown.
func (c *FilterChip) Ticks() *FilterChip {
	c.ticks = true
	return c
}

// Set changes count and selection.
func (c *FilterChip) Set(count int, selected bool) {
	if c.count != count || c.selected != selected {
		c.count, c.selected = count, selected
		c.Refresh()
	}
}

// Seen implements Seen.
func (c *FilterChip) Seen() Description {
	d := Description{Role: RoleFilter, Text: c.words, Selected: c.selected}
	if c.count >= 0 {
		d.Value = strconv.Itoa(c.count)
	}
	return d
}

// CreateRenderer is called by the toolkit.
func (c *FilterChip) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorButton, "", 0, 16)
	shade := newPlate(theme.ColorTransparent, "", 0, 16)
	ring := newRing(16)
	words := NewText("").Whole()
	number := NewText("").Sized(theme.SizeCaption).Whole()
	s := theme.Scale
	tick := NewIcon(theme.IconTick, theme.ColorOnPrimary, theme.SizeHintIcon)
	ticked := func() float32 {
		if !c.ticks || !c.selected {
			return 0
		}
		return 6*s() + theme.Length(theme.SizeHintIcon)
	}
	r := &chipRenderer{ground: ground, words: words, more: []fyne.CanvasObject{tick, number, shade, ring}}
	r.update = func() {
		show(tick, ticked() > 0)
		ground.fill, words.colour, number.colour = theme.ColorButton, theme.ColorFg, theme.ColorMuted
		words.bold = c.selected
		number.bold = c.selected
		if c.selected {
			ground.fill, words.colour, number.colour = theme.ColorPrimary, theme.ColorOnPrimary, theme.ColorOnPrimary
		}
		if c.Disabled() {
			words.colour, number.colour = theme.ColorDisabled, theme.ColorDisabled
		}
		words.set(Runs(c.words))
		number.set(nil)
		if c.count >= 0 {
			number.set(Runs(strconv.Itoa(c.count)))
		}
		radius := theme.Length(theme.SizeFilterChip) / 2
		ground.radius, shade.radius, ring.radius = radius, radius, radius+4
		shade.fill = c.overlayColour()
		show(ring, c.focused && !c.Disabled())
	}
	r.least = func() fyne.Size {
		w := words.NaturalWidth() + 24*s() + ticked()
		if c.count >= 0 {
			w += number.NaturalWidth() + 6*s()
		}
		return fyne.NewSize(w, theme.Length(theme.SizeFilterChip))
	}
	r.lay = func(size fyne.Size) {
		shade.Resize(size)
		placeRing(ring, size)
		w := words.NaturalWidth()
		h := words.HeightFor(w)
		side := theme.Length(theme.SizeHintIcon)
		tick.Move(fyne.NewPos(12*s(), (size.Height-side)/2))
		tick.Resize(fyne.NewSquareSize(side))
		words.Move(fyne.NewPos(12*s()+ticked(), (size.Height-h)/2))
		words.Resize(fyne.NewSize(w, h))
		nw := number.NaturalWidth()
		nh := number.HeightFor(nw)
		number.Move(fyne.NewPos(18*s()+w, (size.Height-nh)/2))
		number.Resize(fyne.NewSize(nw, nh))
	}
	r.update()
	return r
}

// SummaryPart is one of the numbers above a list; pressing it shows what it
// counts.
type SummaryPart struct {
	base
	words string
	tone  Tone
	icon  theme.IconName
}

// NewSummaryPart makes one; icon may be empty, **bold** works in words.
func NewSummaryPart(icon theme.IconName, tone Tone, words string, tapped func()) *SummaryPart {
	p := &SummaryPart{words: words, tone: tone, icon: icon}
	p.start(p, tapped)
	return p
}

// SetWords changes what it says.
func (p *SummaryPart) SetWords(words string) {
	if p.words != words {
		p.words = words
		p.Refresh()
	}
}

// Seen implements Seen.
func (p *SummaryPart) Seen() Description {
	return Description{Role: RoleButton, Text: strings.ReplaceAll(p.words, "**", "")}
}

// CreateRenderer is called by the toolkit.
func (p *SummaryPart) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorTransparent, "", 0, 8)
	ring := newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 8)
	words := NewText("").Whole()
	s := theme.Scale
	r := &chipRenderer{ground: ground, words: words, more: []fyne.CanvasObject{ring}}
	if p.icon != "" {
		r.icon = NewIcon(p.icon, p.tone.ink(), theme.SizeIcon)
	}
	side := func() float32 {
		if r.icon == nil {
			return 0
		}
		return theme.Length(theme.SizeIcon) + 8*s()
	}
	r.update = func() {
		words.set(Runs(p.words))
		ground.fill = p.overlayColour()
		show(ring, p.focused && !p.Disabled())
	}
	r.least = func() fyne.Size {
		return fyne.NewSize(16*s()+side()+words.NaturalWidth(), theme.Length(theme.SizeFilterChip))
	}
	r.lay = func(size fyne.Size) {
		ring.Resize(size)
		i, w := theme.Length(theme.SizeIcon), words.NaturalWidth()
		h := words.HeightFor(w)
		if r.icon != nil {
			r.icon.Move(fyne.NewPos(8*s(), (size.Height-i)/2))
			r.icon.Resize(fyne.NewSquareSize(i))
		}
		words.Move(fyne.NewPos(8*s()+side(), (size.Height-h)/2))
		words.Resize(fyne.NewSize(w, h))
	}
	r.update()
	return r
}

// LifeBar shows how much of a token's life is left, with its words below.
type LifeBar struct {
	widget.BaseWidget
	share float32
	tone  Tone
	words string
}

// NewLifeBar makes one; share is 0 to 1. Without words only the bar is drawn,
// and the words must stand elsewhere.
func NewLifeBar(share float32, tone Tone, words string) *LifeBar {
	l := &LifeBar{share: share, tone: tone, words: words}
	l.ExtendBaseWidget(l)
	return l
}

// Set changes it.
func (l *LifeBar) Set(share float32, tone Tone, words string) {
	if l.share != share || l.tone != tone || l.words != words {
		l.share, l.tone, l.words = share, tone, words
		l.Refresh()
	}
}

// Seen implements Seen.
func (l *LifeBar) Seen() Description {
	return Description{Role: RoleProgress, Text: l.words, Value: strconv.Itoa(int(math.Round(float64(l.share*100)))) + "%"}
}

// CreateRenderer is called by the toolkit.
func (l *LifeBar) CreateRenderer() fyne.WidgetRenderer {
	track := newPlate(theme.ColorNeutralSoft, "", 0, 3)
	bar := newPlate(theme.ColorSuccessBar, "", 0, 3)
	words := Caption("").OneLine()
	s := theme.Scale
	r := &chipRenderer{ground: newPlate(theme.ColorTransparent, "", 0, 0), more: []fyne.CanvasObject{track, bar, words}}
	r.update = func() {
		bar.fill = l.tone.bar()
		track.radius, bar.radius = theme.Length(theme.SizeLifeBar)/2, theme.Length(theme.SizeLifeBar)/2
		show(bar, l.share > 0)
		words.set(Runs(l.words))
		show(words, l.words != "")
	}
	r.least = func() fyne.Size {
		h := theme.Length(theme.SizeLifeBar)
		if l.words != "" {
			h += 4*s() + words.MinSize().Height
		}
		return fyne.NewSize(60*s(), h)
	}
	r.lay = func(size fyne.Size) {
		h := theme.Length(theme.SizeLifeBar)
		track.Resize(fyne.NewSize(size.Width, h))
		bar.Resize(fyne.NewSize(max(h, size.Width*min(1, l.share)), h))
		words.Move(fyne.NewPos(0, h+4*s()))
		words.Resize(fyne.NewSize(size.Width, words.HeightFor(size.Width)))
	}
	r.update()
	return r
}

// Avatar is an account's picture, or its initials on a colour of its own.
type Avatar struct {
	widget.BaseWidget
	username string
	side     float32
	picture  image.Image
	badge    bool
}

// NewAvatar makes one of that side (times the text scale).
func NewAvatar(username string, side float32) *Avatar {
	a := &Avatar{username: username, side: side}
	a.ExtendBaseWidget(a)
	return a
}

// Set shows another account, without a picture.
func (a *Avatar) Set(username string) {
	if a.username != username {
		a.username, a.picture = username, nil
		a.Refresh()
	}
}

// SetPicture shows a picture, cut to a circle; nil shows the initials.
func (a *Avatar) SetPicture(p image.Image) {
	a.picture = nil
	if p != nil {
		a.picture = round(p)
	}
	a.Refresh()
}

// Ticked adds the green tick of a success.
func (a *Avatar) Ticked() *Avatar { a.badge = true; a.Refresh(); return a }

// Initials are the first letters of a username's first two parts.
func Initials(username string) string {
	parts := strings.FieldsFunc(strings.TrimPrefix(username, "@"), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	out := ""
	for _, p := range parts[:min(2, len(parts))] {
		r, _ := utf8.DecodeRuneInString(p)
		out += string(unicode.ToUpper(r))
	}
	if len(parts) == 1 {
		if runes := []rune(parts[0]); len(runes) > 1 {
			out += string(unicode.ToUpper(runes[1]))
		}
	}
	return out
}

// round cuts the middle square of a picture to a circle.
func round(p image.Image) image.Image {
	b := p.Bounds()
	side := min(b.Dx(), b.Dy())
	ox, oy := b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	radius := float64(side) / 2
	for y := range side {
		for x := range side {
			edge := radius - math.Hypot(float64(x)+0.5-radius, float64(y)+0.5-radius)
			cover := max(0, min(1, edge+0.5))
			c := color.NRGBAModel.Convert(p.At(ox+x, oy+y)).(color.NRGBA)
			c.A = uint8(float64(c.A) * cover)
			out.SetNRGBA(x, y, c)
		}
	}
	return out
}

// Seen implements Seen.
func (a *Avatar) Seen() Description { return Description{Role: RolePicture, Text: a.username} }

// CreateRenderer is called by the toolkit.
func (a *Avatar) CreateRenderer() fyne.WidgetRenderer {
	r := &avatarRenderer{a: a, disc: &canvas.Circle{}, words: &canvas.Text{Alignment: fyne.TextAlignCenter, TextStyle: fyne.TextStyle{Bold: true}, FontSource: theme.Face(fyne.TextStyle{Bold: true})},
		image: &canvas.Image{FillMode: canvas.ImageFillContain}, edge: &canvas.Circle{}, badge: &canvas.Circle{}, tick: NewIcon(theme.IconTick, theme.ColorOnAvatar, theme.SizeButtonIcon)}
	r.apply()
	return r
}

type avatarRenderer struct {
	a           *Avatar
	disc        *canvas.Circle
	words       *canvas.Text
	image       *canvas.Image
	edge, badge *canvas.Circle
	tick        *Icon
}

func (r *avatarRenderer) Destroy() {}
func (r *avatarRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.disc, r.words, r.image, r.edge, r.badge, r.tick}
}
func (r *avatarRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(r.a.side * theme.Scale()) }
func (r *avatarRenderer) Layout(s fyne.Size) {
	side := min(s.Width, s.Height)
	r.disc.Resize(fyne.NewSquareSize(side))
	r.image.Resize(fyne.NewSquareSize(side))
	h := r.words.MinSize().Height
	r.words.Move(fyne.NewPos(0, (side-h)/2))
	r.words.Resize(fyne.NewSize(side, h))
	b := side * 0.3
	at := fyne.NewPos(side-b-1, side-b-1)
	r.edge.Move(at.SubtractXY(3, 3))
	r.edge.Resize(fyne.NewSquareSize(b + 6))
	r.badge.Move(at)
	r.badge.Resize(fyne.NewSquareSize(b))
	r.tick.Move(at)
	r.tick.Resize(fyne.NewSquareSize(b))
}
func (r *avatarRenderer) apply() {
	r.disc.FillColor = theme.Avatar(r.a.username)
	r.words.Text, r.words.Color = Initials(r.a.username), theme.Of(theme.ColorOnAvatar)
	r.words.TextSize = r.a.side * theme.Scale() * 0.34
	if r.a.side >= 70 {
		r.words.TextSize = r.a.side * theme.Scale() * 0.3
	}
	r.image.Image = r.a.picture
	r.disc.Hidden, r.words.Hidden, r.image.Hidden = r.a.picture != nil, r.a.picture != nil, r.a.picture == nil
	r.edge.FillColor, r.badge.FillColor = theme.Of(theme.ColorSurface), theme.Of(theme.ColorSuccess)
	r.edge.Hidden, r.badge.Hidden = !r.a.badge, !r.a.badge
	r.tick.colour = "foregroundOnSuccess"
	show(r.tick, r.a.badge)
}
func (r *avatarRenderer) Refresh() {
	r.apply()
	r.Layout(r.a.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

// Badge is a number on a red disc; nothing at 0, "99+" above 99.
type Badge struct {
	widget.BaseWidget
	count int
}

// NewBadge makes one.
func NewBadge(count int) *Badge {
	b := &Badge{count: count}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes the number.
func (b *Badge) Set(count int) {
	if b.count != count {
		b.count = count
		b.Refresh()
	}
}

func (b *Badge) words() string {
	switch {
	case b.count <= 0:
		return ""
	case b.count > 99:
		return "99+"
	}
	return strconv.Itoa(b.count)
}

// Seen implements Seen.
func (b *Badge) Seen() Description { return Description{Role: RoleText, Text: b.words()} }

// CreateRenderer is called by the toolkit.
func (b *Badge) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorError, "", 0, 10)
	words := NewText("").Bold().Sized(theme.SizeMicro).Whole()
	words.align = fyne.TextAlignCenter
	r := &chipRenderer{ground: ground, words: words}
	r.update = func() {
		words.colour = "foregroundOnError"
		words.set(Runs(b.words()))
		ground.radius = 10 * theme.Scale()
		show(ground, b.count > 0)
	}
	r.least = func() fyne.Size {
		if b.count <= 0 {
			return fyne.NewSize(0, 0)
		}
		h := 20 * theme.Scale()
		return fyne.NewSize(max(h, words.NaturalWidth()+10*theme.Scale()), h)
	}
	r.lay = func(s fyne.Size) {
		w := words.NaturalWidth()
		h := words.HeightFor(w)
		words.Move(fyne.NewPos((s.Width-w)/2, (s.Height-h)/2))
		words.Resize(fyne.NewSize(w, h))
	}
	r.update()
	return r
}
