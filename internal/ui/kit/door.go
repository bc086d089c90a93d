package kit

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Art is a drawing with a light and a dark form, shown at its own size.
type Art struct {
	widget.BaseWidget
	light, dark fyne.Resource
	size        fyne.Size
}

// NewArt makes one.
func NewArt(light, dark fyne.Resource, width, height float32) *Art {
	a := &Art{light: light, dark: dark, size: fyne.NewSize(width, height)}
	a.ExtendBaseWidget(a)
	return a
}

// CreateRenderer is called by the toolkit.
func (a *Art) CreateRenderer() fyne.WidgetRenderer {
	r := &artRenderer{a: a, img: canvas.NewImageFromResource(nil)}
	r.img.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

type artRenderer struct {
	a   *Art
	img *canvas.Image
}

func (r *artRenderer) Destroy()                     {}
func (r *artRenderer) Layout(s fyne.Size)           { r.img.Resize(s) }
func (r *artRenderer) MinSize() fyne.Size           { return r.a.size }
func (r *artRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.img} }
func (r *artRenderer) Refresh() {
	r.img.Resource = r.a.light
	if theme.IsDark() {
		r.img.Resource = r.a.dark
	}
	r.img.Refresh()
}

// Need is something that a door asks for.
type Need struct {
	Icon  theme.IconName
	Words string
}

// Door is what a door of the first screen says.
type Door struct {
	Art          fyne.CanvasObject
	Title, Body  string
	NeedLabel    string
	Needs        []Need
	Time, Button string
	Kind         Kind
	Tapped       func()
}

// DoorCard is a card that is clickable as a whole; the focus stops on its
// button only.
type DoorCard struct {
	group
	door   Door
	Button *Button
	ground *plate
}

// NewDoorCard makes one.
func NewDoorCard(d Door) *DoorCard {
	c := &DoorCard{door: d, Button: NewButton(d.Button, d.Kind, d.Tapped), ground: newPlate(theme.ColorSurface, theme.ColorBorder, 1, 12)}
	words := Column(0, Subheading(d.Title), Gap(4), Muted(d.Body))
	if len(d.Needs) > 0 {
		words.Add(Gap(16))
		words.Add(Caption(d.NeedLabel).Bold())
		for _, n := range d.Needs {
			words.Add(Gap(6))
			words.Add(Row(8, NewIcon(n.Icon, theme.ColorMuted, theme.SizeButtonIcon), Grow(NewText(n.Words))))
		}
	}
	foot := Column(12, Row(6, NewIcon(theme.IconClock, theme.ColorMuted, theme.SizeHintIcon), Grow(Caption(d.Time))), c.Button)
	body := Inset(20, 20, 20, 20, Column(16, words, Space(), foot))
	var top fyne.CanvasObject = Gap(0)
	if d.Art != nil {
		head := newPlate(theme.ColorInset, "", 0, 11)
		head.topOnly = true
		head.least = fyne.NewSize(0, 128)
		top = Inset(1, 1, 0, 1, Over(head, Center(d.Art)))
	}
	c.compose(c, Over(c.ground, Column(0, top, Grow(body))))
	return c
}

// Tapped is called by the toolkit for a click anywhere on the card.
func (c *DoorCard) Tapped(*fyne.PointEvent) { c.Button.Tapped(nil) }

// Cursor is called by the toolkit.
func (c *DoorCard) Cursor() desktop.Cursor { return desktop.PointerCursor }

// MouseIn is called by the toolkit.
func (c *DoorCard) MouseIn(*desktop.MouseEvent) {
	c.ground.stroke = theme.ColorInputBorder
	c.ground.Refresh()
}

// MouseMoved is called by the toolkit.
func (c *DoorCard) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by the toolkit.
func (c *DoorCard) MouseOut() {
	c.ground.stroke = theme.ColorBorder
	c.ground.Refresh()
}

// Seen implements Seen.
func (c *DoorCard) Seen() Description { return Description{Role: RoleDoor, Text: c.door.Title} }

// ActionCard is a card that does something: icon, title, line, an arrow.
type ActionCard struct {
	base
	title, line string
	body        *fyne.Container
	ground      *plate
	ring        *plate
}

// NewActionCard makes one.
func NewActionCard(icon theme.IconName, title, line string, tapped func()) *ActionCard {
	a := &ActionCard{title: title, line: line, ground: newPlate(theme.ColorSurface, theme.ColorBorder, 1, 12), ring: newRing(12)}
	tile := newPlate(theme.ColorPrimarySoft, "", 0, 8)
	tile.least = fyne.NewSquareSize(36)
	a.body = Pad(14, Row(12, Over(tile, Center(NewIcon(icon, theme.ColorPrimary, theme.SizeButtonIcon))), Grow(Column(0, Strong(title), Caption(line))), NewIcon(theme.IconNext, theme.ColorMuted, theme.SizeIcon)))
	a.start(a, tapped)
	return a
}

// Seen implements Seen.
func (a *ActionCard) Seen() Description {
	return Description{Role: RoleButton, Text: a.title, Value: a.line}
}

// HeightFor implements Tall.
func (a *ActionCard) HeightFor(width float32) float32 { return HeightFor(a.body, width) }

// CreateRenderer is called by the toolkit.
func (a *ActionCard) CreateRenderer() fyne.WidgetRenderer {
	return &shell{root: Over(a.ground, a.body), extra: []fyne.CanvasObject{a.ring}, place: func(s fyne.Size) { placeRing(a.ring, s) },
		update: func() {
			a.ground.fill = theme.ColorSurface
			if a.hovered {
				a.ground.fill = theme.ColorInset
			}
			show(a.ring, a.focused && !a.Disabled())
		}}
}

// Post is a picture of an account's post, or a grey square while it loads; it
// opens the post.
type Post struct {
	base
	alt   string
	image *canvas.Image
}

// NewPost makes one; a nil picture is the grey square.
func NewPost(alt string, tapped func()) *Post {
	p := &Post{alt: alt, image: &canvas.Image{FillMode: canvas.ImageFillCover, CornerRadius: 8}}
	p.Tip = alt
	p.start(p, tapped)
	return p
}

// Seen implements Seen.
func (p *Post) Seen() Description { return Description{Role: RolePicture, Text: p.alt} }

// CreateRenderer is called by the toolkit.
func (p *Post) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorNeutralSoft, "", 0, 8)
	ring := newRing(8)
	r := &chipRenderer{ground: ground, more: []fyne.CanvasObject{p.image, ring}}
	r.update = func() {
		p.image.Hidden = p.image.Image == nil
		show(ring, p.focused)
	}
	r.least = func() fyne.Size { return fyne.NewSquareSize(74 * theme.Scale()) }
	r.lay = func(s fyne.Size) {
		p.image.Resize(s)
		placeRing(ring, s)
	}
	r.update()
	return r
}

// SetPicture shows a picture.
func (p *Post) SetPicture(i image.Image) {
	p.image.Image = i
	p.Refresh()
}

type canvasImage struct {
	widget.BaseWidget
	image *canvas.Image
}

func newCanvasImage(r fyne.Resource) *canvasImage {
	c := &canvasImage{image: canvas.NewImageFromResource(r)}
	c.image.FillMode = canvas.ImageFillContain
	c.ExtendBaseWidget(c)
	return c
}

func (c *canvasImage) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.image) }
