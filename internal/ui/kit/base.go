package kit

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Role says what a widget is, for tests, the structure dump and readers.
type Role string

// The roles.
const (
	RoleButton   Role = "button"
	RoleLink     Role = "link"
	RoleText     Role = "text"
	RoleField    Role = "field"
	RoleSecret   Role = "secret"
	RoleCheck    Role = "check"
	RoleRadio    Role = "radio"
	RoleSelect   Role = "select"
	RoleChip     Role = "chip"
	RoleFilter   Role = "filter"
	RoleProgress Role = "progress"
	RoleNav      Role = "nav"
	RoleTab      Role = "tab"
	RoleDoor     Role = "door"
	RoleCard     Role = "card"
	RoleNotice   Role = "notice"
	RoleRow      Role = "row"
	RoleStep     Role = "step"
	RoleList     Role = "list"
	RolePicture  Role = "picture"
	RoleDialog   Role = "dialog"
	RoleToast    Role = "toast"
	RoleTimeline Role = "timeline"
)

// Description is how a widget describes itself. Text is its name or words,
// Value what it holds; a secret's Value is a fixed number of bullets.
type Description struct {
	Role     Role
	Text     string
	Value    string
	Selected bool
}

// Seen is a widget that can describe itself.
type Seen interface{ Seen() Description }

// Masked stands for any hidden content in a description.
const Masked = "••••••••"

// base is the start of a widget that can be clicked, pressed and focused.
type base struct {
	widget.DisableableWidget
	self                      fyne.Widget
	hovered, pressed, focused bool
	tapped                    func()
	// key may use a key before Enter and Space are looked at.
	key func(*fyne.KeyEvent) bool
	// Tip is shown on hover and on focus; empty for none.
	Tip string
}

func (b *base) start(self fyne.Widget, tapped func()) {
	b.self, b.tapped = self, tapped
	b.ExtendBaseWidget(self)
}

// Tapped is called by the toolkit for a click.
func (b *base) Tapped(*fyne.PointEvent) {
	if !b.Disabled() && b.tapped != nil {
		b.tapped()
	}
}

// FocusGained is called by the toolkit.
func (b *base) FocusGained() {
	b.focused = true
	showTip(b.self, b.Tip)
	b.Refresh()
}

// FocusLost is called by the toolkit.
func (b *base) FocusLost() {
	b.focused, b.pressed = false, false
	hideTip(b.self)
	b.Refresh()
}

// Focused reports whether the widget has the focus.
func (b *base) Focused() bool { return b.focused }

// TypedRune hands a letter on to the window.
func (b *base) TypedRune(r rune) {
	if r != ' ' {
		passRune(b.self, r)
	}
}

// TypedKey triggers the widget with Enter and Space and hands any other key on.
func (b *base) TypedKey(ev *fyne.KeyEvent) {
	if b.key != nil && b.key(ev) {
		return
	}
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		b.Tapped(nil)
	default:
		passKey(b.self, ev)
	}
}

// MouseIn is called by the toolkit.
func (b *base) MouseIn(*desktop.MouseEvent) {
	b.hovered = true
	showTip(b.self, b.Tip)
	b.Refresh()
}

// MouseMoved is called by the toolkit.
func (b *base) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by the toolkit.
func (b *base) MouseOut() {
	b.hovered, b.pressed = false, false
	hideTip(b.self)
	b.Refresh()
}

// MouseDown is called by the toolkit.
func (b *base) MouseDown(*desktop.MouseEvent) {
	if !b.Disabled() {
		b.pressed = true
		b.Refresh()
	}
}

// MouseUp is called by the toolkit.
func (b *base) MouseUp(*desktop.MouseEvent) {
	b.pressed = false
	b.Refresh()
}

// Cursor is called by the toolkit.
func (b *base) Cursor() desktop.Cursor {
	if b.Disabled() {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// AccessibilityLabel is the widget's words for readers.
func (b *base) AccessibilityLabel() string {
	d := b.self.(Seen).Seen()
	if d.Value != "" {
		return d.Text + ", " + d.Value
	}
	return d.Text
}

// AccessibilityRole is the toolkit's nearest role.
func (b *base) AccessibilityRole() fyne.AccessibleRole {
	if b.self.(Seen).Seen().Role == RoleLink {
		return fyne.AccessibleRoleLink
	}
	return fyne.AccessibleRoleButton
}

func (b *base) overlayColour() fyne.ThemeColorName {
	switch {
	case b.Disabled():
		return theme.ColorTransparent
	case b.pressed:
		return "pressed"
	case b.hovered:
		return "hover"
	}
	return theme.ColorTransparent
}

func canvasOf(o fyne.CanvasObject) fyne.Canvas {
	return fyne.CurrentApp().Driver().CanvasForObject(o)
}

// passKey gives a key that a widget did not use to the window.
func passKey(o fyne.CanvasObject, ev *fyne.KeyEvent) {
	if c := canvasOf(o); c != nil {
		if f := c.OnTypedKey(); f != nil {
			f(ev)
		}
	}
}

func passRune(o fyne.CanvasObject, r rune) {
	if c := canvasOf(o); c != nil {
		if f := c.OnTypedRune(); f != nil {
			f(r)
		}
	}
}

// passShortcut gives a shortcut that a field did not use to the window.
func passShortcut(o fyne.CanvasObject, s fyne.Shortcut) {
	if f := frameOf(o); f != nil {
		f.TypedShortcut(s)
	}
}

// focusOn gives an object that was drawn the focus; Frame.Focus does for any.
func focusOn(o fyne.Focusable) {
	if object, ok := o.(fyne.CanvasObject); ok {
		if c := canvasOf(object); c != nil {
			c.Focus(o)
		}
	}
}

// plate is a rounded rectangle whose colours follow the theme.
type plate struct {
	widget.BaseWidget
	fill, stroke fyne.ThemeColorName
	width        float32
	radius       float32
	shadow       bool
	least        fyne.Size
	// topOnly rounds the upper corners alone.
	topOnly bool
}

func newPlate(fill, stroke fyne.ThemeColorName, width, radius float32) *plate {
	p := &plate{fill: fill, stroke: stroke, width: width, radius: radius}
	p.ExtendBaseWidget(p)
	return p
}

// CreateRenderer is called by the toolkit.
func (p *plate) CreateRenderer() fyne.WidgetRenderer {
	r := &plateRenderer{p: p, rect: &canvas.Rectangle{}}
	r.Refresh()
	return r
}

// plateRenderer paints a plate with what costs least. Without a graphics card
// the toolkit's rectangle takes nearly twice as long for each pixel as a picture
// of one pixel that is stretched, and a rounded one nearly three times. So a large
// plate is such a picture, with rectangles only along its edges.
type plateRenderer struct {
	p    *plate
	rect *canvas.Rectangle
	// flat is the inside of a large plate; caps are its upper and lower edges,
	// outer and inner; sides its stroke at the left and the right.
	flat  *canvas.Image
	caps  [4]*canvas.Rectangle
	sides [2]*canvas.Rectangle

	objects []fyne.CanvasObject
	colour  color.Color
}

// flatFrom is the length from which on a plate is large.
const flatFrom = 40

func (r *plateRenderer) Destroy()           {}
func (r *plateRenderer) MinSize() fyne.Size { return r.p.least }
func (r *plateRenderer) Objects() []fyne.CanvasObject {
	return r.objects
}

func (r *plateRenderer) Layout(s fyne.Size) {
	p := r.p
	stroked := p.stroke != "" && p.width > 0
	least := max(flatFrom, 4*p.radius)
	if p.shadow || p.topOnly || (stroked && p.radius == 0) || s.Width < least || s.Height < least || !opaque(p.fill) || (stroked && !opaque(p.stroke)) {
		r.whole(s)
		return
	}
	r.parts(s, stroked)
}

// whole paints one rectangle.
func (r *plateRenderer) whole(s fyne.Size) {
	p := r.p
	r.rect.FillColor, r.rect.StrokeColor, r.rect.StrokeWidth = painted(p.fill), nil, 0
	if p.stroke != "" && p.width > 0 {
		r.rect.StrokeColor, r.rect.StrokeWidth = painted(p.stroke), p.width
	}
	if p.topOnly {
		r.rect.TopLeftCornerRadius, r.rect.TopRightCornerRadius = p.radius, p.radius
	} else {
		r.rect.CornerRadius = p.radius
	}
	r.rect.Shadow = canvas.Shadow{}
	if p.shadow {
		r.rect.Shadow = canvas.Shadow{Color: theme.Of("shadow"), BlurRadius: 18, Offset: fyne.NewPos(0, 6), Variant: canvas.DropShadow}
	}
	r.rect.Resize(s)
	r.objects = append(r.objects[:0], r.rect)
}

// parts paints the edges apart from the inside. The inside reaches over the
// edges' ends, so that no scale leaves a gap.
func (r *plateRenderer) parts(s fyne.Size, stroked bool) {
	p := r.p
	fill, w := painted(p.fill), float32(0)
	if r.flat == nil {
		r.flat = &canvas.Image{FillMode: canvas.ImageFillStretch}
	}
	if r.colour != fill {
		r.colour = fill
		pixel := image.NewNRGBA(image.Rect(0, 0, 1, 1))
		pixel.Set(0, 0, fill)
		r.flat.Image = pixel
		r.flat.Refresh()
	}
	r.objects = r.objects[:0]
	if p.radius == 0 {
		put(r.flat, 0, 0, s.Width, s.Height)
		r.objects = append(r.objects, r.flat)
		return
	}
	edge := fill
	if stroked {
		edge, w = painted(p.stroke), p.width
	}
	lid := p.radius + 2
	put(r.flat, w/2, lid-1, s.Width-w, s.Height-2*lid+2)
	for i := range r.caps {
		if i%2 == 1 && !stroked {
			continue
		}
		if r.caps[i] == nil {
			r.caps[i] = &canvas.Rectangle{}
		}
		c, in, colour := r.caps[i], float32(0), edge
		if i%2 == 1 {
			in, colour = w, fill
		}
		c.FillColor = colour
		if i < 2 {
			c.TopLeftCornerRadius, c.TopRightCornerRadius = p.radius-in, p.radius-in
			put(c, in, in, s.Width-2*in, lid-in)
		} else {
			c.BottomLeftCornerRadius, c.BottomRightCornerRadius = p.radius-in, p.radius-in
			put(c, in, s.Height-lid, s.Width-2*in, lid-in)
		}
		r.objects = append(r.objects, c)
	}
	// A rectangle's edge is soft, and below the inner one lies the outer one.
	r.objects = append(r.objects, r.flat)
	if !stroked {
		return
	}
	for i := range r.sides {
		if r.sides[i] == nil {
			r.sides[i] = &canvas.Rectangle{}
		}
		r.sides[i].FillColor = edge
		put(r.sides[i], float32(i)*(s.Width-w), lid-1, w, s.Height-2*lid+2)
		r.objects = append(r.objects, r.sides[i])
	}
}

func put(o fyne.CanvasObject, x, y, width, height float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(width, height))
}

// opaque reports whether nothing shines through the named colour.
func opaque(name fyne.ThemeColorName) bool {
	c := theme.Of(name)
	if c == nil {
		return false
	}
	_, _, _, a := c.RGBA()
	return a == 0xffff
}

func (r *plateRenderer) Refresh() {
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}

// painted is the named colour, or color.Transparent itself where nothing of it
// could be seen: the toolkit leaves out what has exactly that colour, while any
// other transparent one costs as much to paint as a solid one, pixel by pixel.
func painted(name fyne.ThemeColorName) color.Color {
	c := theme.Of(name)
	if c == nil {
		return color.Transparent
	}
	if _, _, _, alpha := c.RGBA(); alpha == 0 {
		return color.Transparent
	}
	return c
}

// Icon shows one of the theme's icons in a named colour and size.
type Icon struct {
	widget.BaseWidget
	name   theme.IconName
	colour fyne.ThemeColorName
	size   fyne.ThemeSizeName
}

// NewIcon makes an icon; it is decoration and never the only carrier of meaning.
func NewIcon(name theme.IconName, colour fyne.ThemeColorName, size fyne.ThemeSizeName) *Icon {
	i := &Icon{name: name, colour: colour, size: size}
	i.ExtendBaseWidget(i)
	return i
}

// Set changes what is shown.
func (i *Icon) Set(name theme.IconName, colour fyne.ThemeColorName) {
	if i.name != name || i.colour != colour {
		i.name, i.colour = name, colour
		i.Refresh()
	}
}

// CreateRenderer is called by the toolkit.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	r := &iconRenderer{i: i, img: canvas.NewImageFromResource(nil)}
	r.img.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

type iconRenderer struct {
	i     *Icon
	img   *canvas.Image
	drawn iconLook
}

// iconLook is what a picture of an icon depends on.
type iconLook struct {
	name   theme.IconName
	colour color.Color
	side   float32
}

func (r *iconRenderer) Destroy()                     {}
func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.img} }
func (r *iconRenderer) MinSize() fyne.Size {
	return fyne.NewSquareSize(theme.Length(r.i.size))
}

func (r *iconRenderer) Layout(s fyne.Size) {
	side := theme.Length(r.i.size)
	r.img.Move(fyne.NewPos((s.Width-side)/2, (s.Height-side)/2))
	r.img.Resize(fyne.NewSquareSize(side))
}

// Refresh draws the picture anew only where it would be another one: the
// toolkit reads and traces it each time, which costs more than all words of a
// page.
func (r *iconRenderer) Refresh() {
	look := iconLook{r.i.name, theme.Of(r.i.colour), theme.Length(r.i.size)}
	r.Layout(r.i.Size())
	if look == r.drawn {
		return
	}
	r.drawn = look
	r.img.Resource = theme.Icon(r.i.name, r.i.colour)
	r.img.Refresh()
}

// Line is a decorative line across.
func Line() fyne.CanvasObject {
	p := newPlate(theme.ColorBorder, "", 0, 0)
	p.least = fyne.NewSize(1, 1)
	return p
}

// Gap is empty height.
func Gap(height float32) fyne.CanvasObject {
	p := newPlate(theme.ColorTransparent, "", 0, 0)
	p.least = fyne.NewSize(0, height)
	return p
}

// shell is a widget around a composition of other objects. The composition is
// built once; update brings it to the state after every Refresh.
type shell struct {
	root   fyne.CanvasObject
	update func()
	extra  []fyne.CanvasObject
	place  func(fyne.Size)
}

func (s *shell) Destroy() {}
func (s *shell) Layout(size fyne.Size) {
	HeightFor(s.root, size.Width)
	s.root.Move(fyne.NewPos(0, 0))
	s.root.Resize(size)
	if s.place != nil {
		s.place(size)
	}
}
func (s *shell) MinSize() fyne.Size { return s.root.MinSize() }
func (s *shell) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{s.root}, s.extra...)
}
func (s *shell) Refresh() {
	if s.update != nil {
		s.update()
	}
	s.root.Refresh()
	for _, o := range s.extra {
		o.Refresh()
	}
}

// group is a widget that is nothing but a composition; it forwards the
// questions about width and height.
type group struct {
	widget.BaseWidget
	root fyne.CanvasObject
}

func (g *group) compose(self fyne.Widget, root fyne.CanvasObject) {
	g.root = root
	g.ExtendBaseWidget(self)
}

// HeightFor implements Tall.
func (g *group) HeightFor(width float32) float32 { return HeightFor(g.root, width) }

// NaturalWidth implements Wide.
func (g *group) NaturalWidth() float32 { return natural(g.root) }

// CreateRenderer is called by the toolkit.
func (g *group) CreateRenderer() fyne.WidgetRenderer { return &shell{root: g.root} }

// ring is the focus ring: 2 px of primary, 2 px away from the widget.
func newRing(radius float32) *plate {
	p := newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, radius+4)
	p.Hide()
	return p
}

func placeRing(p *plate, size fyne.Size) {
	p.Move(fyne.NewPos(-4, -4))
	p.Resize(size.AddWidthHeight(8, 8))
}

func show(o fyne.CanvasObject, yes bool) {
	if yes != o.Visible() {
		if yes {
			o.Show()
		} else {
			o.Hide()
		}
	}
}
