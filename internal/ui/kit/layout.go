package kit

import (
	"math"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Tall is an object whose height depends on its width.
type Tall interface {
	// HeightFor is the height needed at that width; afterwards MinSize answers
	// for the same width.
	HeightFor(width float32) float32
}

type tallLayout interface {
	heightFor(objects []fyne.CanvasObject, width float32) float32
}

// HeightFor asks any object for its height at a width.
func HeightFor(o fyne.CanvasObject, width float32) float32 {
	switch o := o.(type) {
	case Tall:
		return o.HeightFor(width)
	case *fyne.Container:
		if l, ok := o.Layout.(tallLayout); ok {
			return l.heightFor(o.Objects, width)
		}
	}
	return o.MinSize().Height
}

func shown(objects []fyne.CanvasObject) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, o := range objects {
		if o.Visible() {
			out = append(out, o)
		}
	}
	return out
}

// box is a container that is not laid out before it has a size; the toolkit's
// own constructor lays out at once, which for nested containers is most of the
// cost of building a screen.
func box(l fyne.Layout, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: l, Objects: objects}
}

// Column stacks objects with a gap; each gets the whole width. Objects marked
// with Grow share the height that is left.
func Column(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return box(&column{gap: gap}, objects...)
}

type column struct{ gap, width float32 }

func (c *column) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	c.width = width
	total := float32(0)
	for i, o := range shown(objects) {
		if i > 0 {
			total += c.gap
		}
		total += HeightFor(o, width)
	}
	return total
}

func (c *column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for _, o := range shown(objects) {
		width = max(width, o.MinSize().Width)
	}
	return fyne.NewSize(width, c.heightFor(objects, max(width, c.width)))
}

func (c *column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	used := c.heightFor(objects, size.Width)
	visible := shown(objects)
	growing := 0
	for _, o := range visible {
		if isGrow(o) {
			growing++
		}
	}
	extra := float32(0)
	if growing > 0 {
		extra = max(0, size.Height-used) / float32(growing)
	}
	y := float32(0)
	for _, o := range visible {
		h := HeightFor(o, size.Width)
		if isGrow(o) {
			h += extra
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + c.gap
	}
}

// Grow marks an object that takes the room that is left in a Row or Column.
func Grow(o fyne.CanvasObject) *fyne.Container {
	return box(&grow{}, o)
}

// Space takes the room that is left.
func Space() *fyne.Container { return box(&grow{}) }

type grow struct{ over }

func isGrow(o fyne.CanvasObject) bool {
	c, ok := o.(*fyne.Container)
	if !ok {
		return false
	}
	_, ok = c.Layout.(*grow)
	return ok
}

// Over lays objects over each other, all of the same size.
func Over(objects ...fyne.CanvasObject) *fyne.Container {
	return box(&over{}, objects...)
}

type over struct{ width float32 }

func (l *over) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	l.width = width
	h := float32(0)
	for _, o := range shown(objects) {
		h = max(h, HeightFor(o, width))
	}
	return h
}

func (l *over) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for _, o := range shown(objects) {
		width = max(width, o.MinSize().Width)
	}
	return fyne.NewSize(width, l.heightFor(objects, max(width, l.width)))
}

func (l *over) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	l.heightFor(objects, size.Width)
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

// Row sets objects beside each other with a gap, in the middle of its height,
// each as wide as it needs. Objects marked with Grow share the width left.
func Row(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return box(&row{gap: gap}, objects...)
}

// TopRow is a Row whose objects begin at the top.
func TopRow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return box(&row{gap: gap, top: true}, objects...)
}

type row struct {
	gap, width float32
	top        bool
}

// stacked reports whether the objects cannot stand beside each other at that
// width; they then stand below each other, so that nothing is cut.
func (r *row) stacked(objects []fyne.CanvasObject, width float32) bool {
	if len(objects) < 2 || width <= 0 {
		return false
	}
	used := r.gap * float32(len(objects)-1)
	for _, o := range objects {
		used += o.MinSize().Width
	}
	return used > width+0.5
}

func (r *row) widths(objects []fyne.CanvasObject, width float32) []float32 {
	out := make([]float32, len(objects))
	used, kept, growing := r.gap*float32(max(0, len(objects)-1)), float32(0), 0
	for i, o := range objects {
		if isGrow(o) {
			growing++
			kept += o.MinSize().Width
			continue
		}
		out[i] = natural(o)
		used += out[i]
	}
	// What cannot be as wide as it likes is made narrower, from the end.
	for i := len(objects) - 1; i >= 0 && used+kept > width; i-- {
		if isGrow(objects[i]) {
			continue
		}
		if give := min(out[i]-objects[i].MinSize().Width, used+kept-width); give > 0 {
			out[i] -= give
			used -= give
		}
	}
	for i, o := range objects {
		if isGrow(o) {
			out[i] = max(0, width-used) / float32(growing)
		}
	}
	return out
}

// Wide is an object that would like more width than its least.
type Wide interface{ NaturalWidth() float32 }

type wideLayout interface {
	naturalWidth(objects []fyne.CanvasObject) float32
}

func natural(o fyne.CanvasObject) float32 {
	switch o := o.(type) {
	case Wide:
		return o.NaturalWidth()
	case *fyne.Container:
		if l, ok := o.Layout.(wideLayout); ok {
			return l.naturalWidth(o.Objects)
		}
	}
	return o.MinSize().Width
}

func (c *column) naturalWidth(objects []fyne.CanvasObject) float32 {
	width := float32(0)
	for _, o := range shown(objects) {
		width = max(width, natural(o))
	}
	return width
}

func (l *over) naturalWidth(objects []fyne.CanvasObject) float32 {
	return (&column{}).naturalWidth(objects)
}

func (r *row) naturalWidth(objects []fyne.CanvasObject) float32 {
	width := float32(0)
	for i, o := range shown(objects) {
		if i > 0 {
			width += r.gap
		}
		width += natural(o)
	}
	return width
}

func (p *pad) naturalWidth(objects []fyne.CanvasObject) float32 {
	width := float32(0)
	for _, o := range objects {
		width = max(width, natural(o))
	}
	return width + p.left + p.right
}

func (r *row) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	r.width = width
	visible := shown(objects)
	if r.stacked(visible, width) {
		return r.below().heightFor(visible, width)
	}
	h := float32(0)
	for i, w := range r.widths(visible, width) {
		h = max(h, HeightFor(visible[i], w))
	}
	return h
}

// below is how a row is laid out that does not fit: line by line, each as wide
// as it likes.
func (r *row) below() *flow { return &flow{gap: max(8, r.gap), spread: true} }

func (r *row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width, beside := float32(0), float32(0)
	for i, o := range shown(objects) {
		if i > 0 {
			beside += r.gap
		}
		least := o.MinSize().Width
		beside += least
		width = max(width, least)
	}
	at := r.width
	if at == 0 {
		at = beside
	}
	return fyne.NewSize(beside, r.heightFor(objects, max(width, at)))
}

func (r *row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	r.heightFor(objects, size.Width)
	visible := shown(objects)
	if r.stacked(visible, size.Width) {
		r.below().Layout(visible, size)
		return
	}
	x := float32(0)
	for i, w := range r.widths(visible, size.Width) {
		o := visible[i]
		h := HeightFor(o, w)
		y := float32(math.Round(float64(size.Height-h) / 2))
		if r.top {
			y = 0
		}
		o.Move(fyne.NewPos(x, max(0, y)))
		o.Resize(fyne.NewSize(w, h))
		x += w + r.gap
	}
}

// Flow sets objects beside each other and, where they do not fit, below each
// other: buttons, chips.
func Flow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return box(&flow{gap: gap}, objects...)
}

// FlowEnd is a Flow that ends at the right edge.
func FlowEnd(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return box(&flow{gap: gap, end: true}, objects...)
}

type flow struct {
	gap, width float32
	end        bool
	// spread gives an object that is marked with Grow the rest of its line, and
	// a line of its own where less than it needs is left.
	spread bool
}

func (f *flow) place(objects []fyne.CanvasObject, width float32, put func(o fyne.CanvasObject, at fyne.Position, s fyne.Size)) float32 {
	f.width = width
	type item struct {
		o fyne.CanvasObject
		w float32
	}
	var line []item
	y, x := float32(0), float32(0)
	flush := func() {
		if len(line) == 0 {
			return
		}
		h := float32(0)
		for _, it := range line {
			h = max(h, HeightFor(it.o, it.w))
		}
		at := float32(0)
		if f.end {
			at = max(0, width-(x-f.gap))
		}
		for _, it := range line {
			own := HeightFor(it.o, it.w)
			if put != nil {
				put(it.o, fyne.NewPos(at, y+(h-own)/2), fyne.NewSize(it.w, own))
			}
			at += it.w + f.gap
		}
		y += h + f.gap
		line, x = nil, 0
	}
	for _, o := range shown(objects) {
		w := min(natural(o), width)
		if f.spread && isGrow(o) {
			if left := width - x; x > 0 && left < natural(o) {
				flush()
			}
			w = width - x
			if w <= 0 || len(o.(*fyne.Container).Objects) == 0 {
				continue
			}
		}
		if x > 0 && x+w > width+0.5 {
			flush()
		}
		line = append(line, item{o, w})
		x += w + f.gap
	}
	flush()
	return max(0, y-f.gap)
}

func (f *flow) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return f.place(objects, width, nil)
}

func (f *flow) naturalWidth(objects []fyne.CanvasObject) float32 {
	return (&row{gap: f.gap}).naturalWidth(objects)
}

func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for _, o := range shown(objects) {
		width = max(width, o.MinSize().Width)
	}
	at := f.width
	if at == 0 {
		at = f.naturalWidth(objects)
	}
	return fyne.NewSize(width, f.heightFor(objects, max(width, at)))
}

func (f *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	f.place(objects, size.Width, func(o fyne.CanvasObject, at fyne.Position, s fyne.Size) {
		o.Move(at)
		o.Resize(s)
	})
}

// Pad keeps the same distance on all four sides.
func Pad(all float32, o fyne.CanvasObject) *fyne.Container { return Inset(all, all, all, all, o) }

// Inset keeps a distance on each side, in the order of a clock.
func Inset(top, right, bottom, left float32, o fyne.CanvasObject) *fyne.Container {
	return box(&pad{top, right, bottom, left}, o)
}

type pad struct{ top, right, bottom, left float32 }

func (p *pad) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	h := float32(0)
	for _, o := range objects {
		h = max(h, HeightFor(o, width-p.left-p.right))
	}
	return h + p.top + p.bottom
}

func (p *pad) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(0, 0)
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s.AddWidthHeight(p.left+p.right, p.top+p.bottom)
}

func (p *pad) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	inner := fyne.NewSize(size.Width-p.left-p.right, size.Height-p.top-p.bottom)
	for _, o := range objects {
		HeightFor(o, inner.Width)
		o.Move(fyne.NewPos(p.left, p.top))
		o.Resize(inner)
	}
}

// Center puts an object in the middle, as wide as it likes but no wider than
// there is room.
func Center(o fyne.CanvasObject) *fyne.Container {
	return box(&center{}, o)
}

type center struct{ over }

func (c *center) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		w := min(size.Width, max(natural(o), o.MinSize().Width))
		h := HeightFor(o, w)
		o.Move(fyne.NewPos(float32(math.Round(float64(size.Width-w)/2)), float32(math.Round(float64(max(0, size.Height-h))/2))))
		o.Resize(fyne.NewSize(w, h))
	}
}

// AtMost keeps an object from becoming wider than that; it stays at the left.
func AtMost(width float32, o fyne.CanvasObject) *fyne.Container {
	return box(&atMost{width}, o)
}

type atMost struct{ most float32 }

func (a *atMost) limit() float32 { return a.most * theme.Scale() }
func (a *atMost) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return HeightFor(objects[0], min(width, a.limit()))
}
func (a *atMost) naturalWidth(objects []fyne.CanvasObject) float32 {
	return min(a.limit(), natural(objects[0]))
}
func (a *atMost) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }
func (a *atMost) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	w := min(size.Width, a.limit())
	HeightFor(objects[0], w)
	objects[0].Move(fyne.NewPos(0, 0))
	objects[0].Resize(fyne.NewSize(w, size.Height))
}

// Fixed gives an object that width (times the text scale) where there is room.
func Fixed(width float32, o fyne.CanvasObject) *fyne.Container {
	return box(&fixedWidth{width: width}, o)
}

type fixedWidth struct {
	over
	width float32
}

func (f *fixedWidth) naturalWidth([]fyne.CanvasObject) float32 { return f.width * theme.Scale() }
func (f *fixedWidth) MinSize(objects []fyne.CanvasObject) fyne.Size {
	w := f.naturalWidth(nil)
	return fyne.NewSize(w, f.heightFor(objects, w))
}

// Columns sets objects beside each other in the given shares of the width;
// below `under`, and from text scale 1.3 on, one below the other. A share of 0
// is taken as 1; a negative one is a width of its own, times the scale.
func Columns(gap, under float32, shares []float32, objects ...fyne.CanvasObject) *fyne.Container {
	return box(&columns{gap: gap, under: under, shares: shares}, objects...)
}

// TwoColumns is the usual pair of a screen: the first takes what is left, the
// second has its own width.
func TwoColumns(second, under float32, a, b fyne.CanvasObject) *fyne.Container {
	return Columns(20, under, []float32{1, -second}, a, b)
}

type columns struct {
	gap, under, width float32
	shares            []float32
}

// Narrow reports whether two columns become one at that width.
func Narrow(width, under float32) bool {
	return width < under || theme.Scale() >= theme.NarrowScale
}

func (c *columns) stacked(width float32) bool { return Narrow(width, c.under) }

func (c *columns) widths(n int, width float32) []float32 {
	out := make([]float32, n)
	left, total := width-c.gap*float32(n-1), float32(0)
	for i := range out {
		share := float32(1)
		if i < len(c.shares) && c.shares[i] != 0 {
			share = c.shares[i]
		}
		if share < 0 {
			out[i] = -share * theme.Scale()
			left -= out[i]
			continue
		}
		out[i] = -share
		total += share
	}
	for i := range out {
		if out[i] < 0 {
			out[i] = max(0, left*-out[i]/total)
		}
	}
	return out
}

func (c *columns) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	c.width = width
	visible := shown(objects)
	if c.stacked(width) {
		return (&column{gap: c.gap}).heightFor(visible, width)
	}
	h := float32(0)
	for i, w := range c.widths(len(visible), width) {
		h = max(h, HeightFor(visible[i], w))
	}
	return h
}

func (c *columns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := float32(0)
	for _, o := range shown(objects) {
		width = max(width, o.MinSize().Width)
	}
	return fyne.NewSize(width, c.heightFor(objects, max(width, c.width)))
}

func (c *columns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	visible := shown(objects)
	if c.stacked(size.Width) {
		(&column{gap: c.gap}).Layout(visible, size)
		return
	}
	x := float32(0)
	for i, w := range c.widths(len(visible), size.Width) {
		HeightFor(visible[i], w)
		visible[i].Move(fyne.NewPos(x, 0))
		visible[i].Resize(fyne.NewSize(w, size.Height))
		x += w + c.gap
	}
}
