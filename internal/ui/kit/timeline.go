package kit

import (
	"sort"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Moment is a mark on a timeline.
type Moment struct {
	Title, Line string
	// At is its place, 0 at the start and 1 at the end of the bar; more than 1
	// stands right of the end.
	At float32
	// Kind of mark.
	Kind MomentKind
}

// MomentKind is how a mark is drawn.
type MomentKind int

// The kinds.
const (
	MomentStart MomentKind = iota
	MomentSmall
	MomentToday
	MomentPlanned
	MomentEnd
)

// Timeline shows the life of a token: a bar, filled up to today, with marks
// whose labels stand above and below, never on one another.
type Timeline struct {
	widget.BaseWidget
	words   string
	moments []Moment
	ended   bool
	marks   []*mark
}

// NewTimeline makes one. words is the whole of it as a sentence, for readers;
// ended draws the bar neutral. Marks come in the order of time.
func NewTimeline(words string, ended bool, moments ...Moment) *Timeline {
	t := &Timeline{words: words, moments: moments, ended: ended}
	t.build()
	t.ExtendBaseWidget(t)
	return t
}

// Set shows another life.
func (t *Timeline) Set(words string, ended bool, moments ...Moment) {
	t.words, t.ended, t.moments = words, ended, moments
	t.build()
	t.Refresh()
}

func (t *Timeline) build() {
	t.marks = nil
	for _, m := range t.moments {
		k := &mark{m: m, title: Strong(m.Title).Whole(), line: Caption(m.Line).Whole(), dot: &canvas.Circle{}, stem: &canvas.Rectangle{}}
		if m.Kind == MomentPlanned {
			k.title.In(theme.ColorPrimary)
		}
		t.marks = append(t.marks, k)
	}
}

// Seen implements Seen.
func (t *Timeline) Seen() Description { return Description{Role: RoleTimeline, Text: t.words} }

// CreateRenderer is called by the toolkit.
func (t *Timeline) CreateRenderer() fyne.WidgetRenderer {
	r := &timelineRenderer{t: t, track: newPlate(theme.ColorNeutralSoft, "", 0, 4), past: newPlate(theme.ColorSuccessBar, "", 0, 4)}
	r.build()
	return r
}

type mark struct {
	m           Moment
	title, line *Text
	dot         *canvas.Circle
	stem        *canvas.Rectangle
}

type timelineRenderer struct {
	t           *Timeline
	track, past *plate
	marks       []*mark
	objects     []fyne.CanvasObject
}

func (r *timelineRenderer) build() {
	r.marks = r.t.marks
	r.objects = []fyne.CanvasObject{r.track, r.past}
	for _, k := range r.marks {
		r.objects = append(r.objects, k.stem)
	}
	for _, k := range r.marks {
		r.objects = append(r.objects, k.dot, k.title, k.line)
	}
	r.paint()
}

func (r *timelineRenderer) paint() {
	r.past.fill = theme.ColorSuccessBar
	if r.t.ended {
		r.past.fill = theme.ColorNeutral
	}
	surface := theme.Of(theme.ColorSurface)
	for _, k := range r.marks {
		k.dot.FillColor, k.dot.StrokeWidth = surface, 3
		k.stem.FillColor = theme.Of(theme.ColorInputBorder)
		switch k.m.Kind {
		case MomentStart, MomentSmall:
			k.dot.StrokeColor = theme.Of(r.past.fill)
		case MomentToday:
			k.dot.FillColor, k.dot.StrokeColor = theme.Of(theme.ColorFg), theme.Of(theme.ColorFg)
			k.stem.FillColor = theme.Of(theme.ColorFg)
		case MomentPlanned:
			k.dot.StrokeColor = theme.Of(theme.ColorPrimary)
			k.stem.FillColor = theme.Of(theme.ColorPrimary)
		case MomentEnd:
			k.dot.StrokeColor = theme.Of(theme.ColorInputBorder)
		}
	}
}

func (r *timelineRenderer) Destroy()                     {}
func (r *timelineRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *timelineRenderer) label() float32 {
	return pitch(theme.Length(theme.SizeText)) + pitch(theme.Length(theme.SizeCaption))
}

// places are where the marks and their labels stand at a width: x on the bar,
// and the row of the label, counted upwards from the bar, below it negative. A
// label at row 0 is left out.
type places struct {
	above, below int
	row          []int
	x            []float32
}

// between is how near two marks on the bar may come, so that both are seen: the
// first day is drawn 13 px wide at least.
const between = 18

// places finds for each label a row where it meets no other label, no stem
// crosses it and its own stem crosses none. Issued and Ends make way for Today
// and go below the bar; what is only nice to know is left out where it cannot
// stand.
func (r *timelineRenderer) places(width float32) places {
	p := places{row: make([]int, len(r.marks)), x: r.along(width)}
	today := -1
	for i, k := range r.marks {
		if k.m.Kind == MomentToday {
			today = i
		}
	}
	type standing struct{ left, right, stem float32 }
	taken := map[int][]standing{}
	free := func(i, n int) bool {
		left, right := r.span(r.marks[i], p.x[i], width)
		for row, labels := range taken {
			if (row > 0) != (n > 0) {
				continue
			}
			for _, o := range labels {
				switch far, near := max(row, -row), max(n, -n); {
				case far == near && left < o.right+10 && o.left < right+10:
					return false
				case far > near && o.stem > left-4 && o.stem < right+4:
					return false
				case far < near && p.x[i] > o.left-4 && p.x[i] < o.right+4:
					return false
				}
			}
		}
		return true
	}
	put := func(i, from, step int) bool {
		for n, tries := from, 0; tries < 4; n, tries = n+step, tries+1 {
			if free(i, n) {
				left, right := r.span(r.marks[i], p.x[i], width)
				taken[n] = append(taken[n], standing{left, right, p.x[i]})
				p.row[i] = n
				p.above, p.below = max(p.above, n), max(p.below, -n)
				return true
			}
		}
		return false
	}
	for i, k := range r.marks {
		if k.m.Kind != MomentStart && k.m.Kind != MomentEnd {
			continue
		}
		left, right := r.span(k, p.x[i], width)
		if today >= 0 && p.x[today] > left-8 && p.x[today] < right+8 {
			put(i, -1, -1)
		} else {
			put(i, 1, 1)
		}
	}
	if today >= 0 {
		first := 2
		if p.above == 0 {
			first = 1
		}
		put(today, first, 1)
	}
	for _, kind := range []MomentKind{MomentPlanned, MomentSmall} {
		for i, k := range r.marks {
			if k.m.Kind == kind {
				put(i, -1, -1)
			}
		}
	}
	return p
}

// along is where the marks stand on a bar of that width, in the order of time
// and never on one another.
func (r *timelineRenderer) along(width float32) []float32 {
	x := make([]float32, len(r.marks))
	order := make([]int, len(r.marks))
	usable, last := width-16, float32(1)
	for i, k := range r.marks {
		order[i] = i
		last = max(last, k.m.At)
	}
	sort.SliceStable(order, func(a, b int) bool { return r.marks[order[a]].m.At < r.marks[order[b]].m.At })
	for i, k := range r.marks {
		x[i] = 8 + usable*max(0, min(1, k.m.At))
		if last > 1 && k.m.At <= 1 {
			// What is after the end stands right of it.
			x[i] = 8 + (usable-2*between)*max(0, k.m.At)
		}
	}
	for n := 1; n < len(order); n++ {
		x[order[n]] = max(x[order[n]], x[order[n-1]]+between)
	}
	if n := len(order) - 1; n >= 0 {
		x[order[n]] = min(x[order[n]], width-8)
		for ; n > 0; n-- {
			x[order[n-1]] = min(x[order[n-1]], x[order[n]]-between)
		}
	}
	return x
}

func (r *timelineRenderer) span(k *mark, x, width float32) (float32, float32) {
	w := max(k.title.NaturalWidth(), k.line.NaturalWidth())
	left := x - w/2
	switch {
	case k.m.Kind == MomentStart || k.m.Kind == MomentSmall:
		left = 0
	case k.m.Kind == MomentEnd:
		left = x + 8 - w
	}
	left = max(0, min(left, width-w))
	return left, left + w
}

func (r *timelineRenderer) MinSize() fyne.Size {
	width := r.t.Size().Width
	if width == 0 {
		width = 500
	}
	return fyne.NewSize(260*theme.Scale(), r.height(width))
}

// HeightFor implements Tall for the widget.
func (t *Timeline) HeightFor(width float32) float32 {
	r := &timelineRenderer{t: t, marks: t.marks}
	return r.height(width)
}

func (r *timelineRenderer) height(width float32) float32 {
	p := r.places(width)
	return float32(p.above+p.below)*r.label() + 44 + float32(max(0, p.above-1))*4
}

func (r *timelineRenderer) Layout(s fyne.Size) {
	p := r.places(s.Width)
	above, row, x := p.above, p.row, p.x
	label := r.label()
	y := float32(above)*label + float32(max(0, above-1))*4 + 16
	r.track.Move(fyne.NewPos(4, y-4))
	r.track.Resize(fyne.NewSize(s.Width-8, 8))
	r.past.Move(fyne.NewPos(4, y-4))
	past := s.Width - 8
	for i, k := range r.marks {
		if k.m.Kind == MomentToday && !r.t.ended {
			past = x[i] - 4
		}
	}
	r.past.Resize(fyne.NewSize(past, 8))
	for i, k := range r.marks {
		side := float32(16)
		if k.m.Kind == MomentSmall {
			side = 12
		}
		k.dot.Move(fyne.NewPos(x[i]-side/2, y-side/2))
		k.dot.Resize(fyne.NewSquareSize(side))
		left, right := r.span(k, x[i], s.Width)
		w := right - left
		th, lh := k.title.HeightFor(w), k.line.HeightFor(w)
		align := fyne.TextAlignCenter
		if k.m.Kind == MomentStart || k.m.Kind == MomentSmall {
			align = fyne.TextAlignLeading
		} else if k.m.Kind == MomentEnd {
			align = fyne.TextAlignTrailing
		}
		k.title.align, k.line.align = align, align
		k.title.valid, k.line.valid = false, false
		show(k.title, row[i] != 0)
		show(k.line, row[i] != 0)
		if row[i] == 0 {
			k.stem.Hidden = true
			continue
		}
		var top, stemTop, stemBottom float32
		if n := row[i]; n > 0 {
			top = y - 16 - float32(n)*label - float32(n-1)*4
			if n > 1 {
				stemTop, stemBottom = top+label+4, y-8
			}
		} else {
			top = y + 16 + 12 + float32(-n-1)*label
			stemTop, stemBottom = y+10, top-2
		}
		k.title.Move(fyne.NewPos(left, top))
		k.title.Resize(fyne.NewSize(w, th))
		k.line.Move(fyne.NewPos(left, top+th))
		k.line.Resize(fyne.NewSize(w, lh))
		k.stem.Hidden = stemBottom <= stemTop
		k.stem.Move(fyne.NewPos(x[i]-1, stemTop))
		k.stem.Resize(fyne.NewSize(2, max(0, stemBottom-stemTop)))
	}
}

func (r *timelineRenderer) Refresh() {
	r.build()
	r.Layout(r.t.Size())
	for _, o := range r.objects {
		o.Refresh()
	}
	canvas.Refresh(r.t)
}
