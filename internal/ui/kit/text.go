package kit

import (
	"math"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Run is a piece of a text in one style. Zero values mean what the text is.
type Run struct {
	Words  string
	Bold   bool
	Italic bool
	Mono   bool
	Colour fyne.ThemeColorName
	Size   fyne.ThemeSizeName
	// Tapped makes the run a link: underlined, in primary, reached by Tab.
	Tapped func()
}

// Runs reads **bold** in words; nothing else is markup.
func Runs(words string) []Run {
	var runs []Run
	for i, part := range strings.Split(words, "**") {
		if part != "" {
			runs = append(runs, Run{Words: part, Bold: i%2 == 1})
		}
	}
	return runs
}

type wrapping int

const (
	wrapped wrapping = iota
	oneLine
	whole
)

// Text shows words, wrapped by default, and knows its height at any width.
type Text struct {
	widget.BaseWidget
	runs   []Run
	bold   bool
	mono   bool
	colour fyne.ThemeColorName
	size   fyne.ThemeSizeName
	align  fyne.TextAlign
	wrap   wrapping
	links  []*Link
	width  float32
	// laid is what was computed for width; epoch tells whether it still holds.
	laid  []laidRun
	laidH float32
	laidW float32
	valid bool
	scale float32
	// drawn is set once there is a renderer; before, nothing needs a refresh.
	drawn bool
	// wide is the natural width, known for one scale.
	wide      float32
	wideScale float32
	knows     bool
}

type laidRun struct {
	words string
	run   int
	x, y  float32
	w, h  float32
	link  *Link
}

// NewText is body text, 14. "**" around words makes them bold.
func NewText(words string) *Text {
	t := &Text{size: theme.SizeText, colour: theme.ColorFg}
	t.ExtendBaseWidget(t)
	t.set(Runs(words))
	return t
}

// NewRuns is body text of several styles.
func NewRuns(runs ...Run) *Text {
	t := NewText("")
	t.set(runs)
	return t
}

// Strong is bold body text: labels.
func Strong(words string) *Text { return NewText(words).Bold() }

// Muted is body text in the second colour.
func Muted(words string) *Text { return NewText(words).In(theme.ColorMuted) }

// Caption is a second line, 12 and muted.
func Caption(words string) *Text {
	return NewText(words).In(theme.ColorMuted).Sized(theme.SizeCaption)
}

// CaptionRuns is a caption of several styles: bold words, links.
func CaptionRuns(runs ...Run) *Text { return Caption("").Set(runs...) }

// Heading is a page's title, 24 bold.
func Heading(words string) *Text { return NewText(words).Bold().Sized(theme.SizeHeading) }

// Subheading is the title of a door, a dialog, a card that is the subject, 18 bold.
func Subheading(words string) *Text { return NewText(words).Bold().Sized(theme.SizeSubheading) }

// Title is a card's title, 16 bold.
func Title(words string) *Text { return NewText(words).Bold().Sized(theme.SizeTitle) }

// Mono is for tokens, IDs and addresses.
func Mono(words string) *Text {
	t := NewText("")
	t.mono = true
	return t.Set(Run{Words: words})
}

// Micro is a scope's name, 11 and mono.
func Micro(words string) *Text {
	return Mono(words).Sized(theme.SizeMicro).In(theme.ColorMuted)
}

// Bold makes all of the text bold.
func (t *Text) Bold() *Text { t.bold = true; t.stale(); return t }

// In sets the colour.
func (t *Text) In(colour fyne.ThemeColorName) *Text {
	if t.colour != colour {
		t.colour = colour
		t.stale()
	}
	return t
}

// Sized sets the size.
func (t *Text) Sized(size fyne.ThemeSizeName) *Text { t.size = size; t.stale(); return t }

// Centered centres the lines.
func (t *Text) Centered() *Text { t.align = fyne.TextAlignCenter; t.stale(); return t }

// Trailing ends the lines at the right edge.
func (t *Text) Trailing() *Text { t.align = fyne.TextAlignTrailing; t.stale(); return t }

// OneLine never wraps and ends in "…" where there is no room: usernames,
// addresses.
func (t *Text) OneLine() *Text { t.wrap = oneLine; t.stale(); return t }

// Whole never wraps and always has its full width: chips, labels of buttons.
func (t *Text) Whole() *Text { t.wrap = whole; t.stale(); return t }

// SetText replaces the words, with ** as bold.
func (t *Text) SetText(words string) { t.Set(Runs(words)...) }

// Set replaces the runs.
func (t *Text) Set(runs ...Run) *Text {
	if !sameRuns(t.runs, runs) {
		t.set(runs)
		t.stale()
	}
	return t
}

// Link adds a link after the words.
func (t *Text) Link(words string, tapped func()) *Text {
	runs := append([]Run(nil), t.runs...)
	if len(runs) > 0 {
		runs = append(runs, Run{Words: " "})
	}
	t.set(append(runs, Run{Words: words, Tapped: tapped}))
	t.stale()
	return t
}

func sameRuns(a, b []Run) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Tapped != nil || b[i].Tapped != nil {
			return false
		}
		x, y := a[i], b[i]
		if x.Words != y.Words || x.Bold != y.Bold || x.Italic != y.Italic || x.Mono != y.Mono || x.Colour != y.Colour || x.Size != y.Size {
			return false
		}
	}
	return true
}

func (t *Text) set(runs []Run) {
	t.runs = append([]Run(nil), runs...)
	// A link that stays keeps its widget, and with it the focus.
	old := t.links
	t.links = nil
	for _, r := range t.runs {
		if r.Tapped == nil {
			continue
		}
		var l *Link
		if n := len(t.links); n < len(old) && old[n].words == r.Words {
			l = old[n]
			l.tapped = r.Tapped
		} else {
			l = NewLink(r.Words, r.Tapped)
		}
		l.size = t.size
		if r.Size != "" {
			l.size = r.Size
		}
		t.links = append(t.links, l)
	}
	t.valid, t.knows = false, false
}

func (t *Text) stale() {
	t.valid, t.knows = false, false
	for _, l := range t.links {
		l.size = t.size
	}
	if t.drawn {
		t.Refresh()
	}
}

// Words is what the text says, links included.
func (t *Text) Words() string {
	var b strings.Builder
	for _, r := range t.runs {
		b.WriteString(r.Words)
	}
	return b.String()
}

// Seen implements Seen.
func (t *Text) Seen() Description { return Description{Role: RoleText, Text: t.Words()} }

// AccessibilityLabel is the words.
func (t *Text) AccessibilityLabel() string { return t.Words() }

// AccessibilityRole is text.
func (t *Text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

func (t *Text) style(r Run) (float32, fyne.TextStyle) {
	size := t.size
	if r.Size != "" {
		size = r.Size
	}
	return theme.Length(size), fyne.TextStyle{Bold: t.bold || r.Bold, Italic: r.Italic, Monospace: t.mono || r.Mono}
}

func measure(words string, size float32, style fyne.TextStyle) (fyne.Size, float32) {
	return fyne.CurrentApp().Driver().RenderedTextSize(words, size, style, theme.Face(style))
}

func pitch(size float32) float32 { return float32(math.Round(float64(size) * 1.42)) }

// pieces cuts a run at the places where a line may break; a space stays at the
// end of its word.
func pieces(words string) []string {
	var out []string
	var b strings.Builder
	space := false
	for _, r := range words {
		if r == '\n' {
			if b.Len() > 0 {
				out = append(out, b.String())
				b.Reset()
			}
			out = append(out, "\n")
			space = false
			continue
		}
		isSpace := unicode.IsSpace(r) && r != '\u00a0'
		if space && !isSpace {
			out = append(out, b.String())
			b.Reset()
		}
		space = isSpace
		b.WriteRune(r)
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

func (t *Text) lay(width float32) {
	if t.valid && t.laidW == width && t.scale == theme.Scale() {
		return
	}
	t.valid, t.laidW, t.scale = true, width, theme.Scale()
	t.laid = t.laid[:0]
	limit := width
	if t.wrap == whole {
		limit = float32(math.Inf(1))
	}
	baseSize, baseStyle := t.style(Run{})
	height := pitch(baseSize)
	_, baseLine := measure("M", baseSize, baseStyle)
	lead := (height - measureHeight(baseSize, baseStyle)) / 2
	x, y := float32(0), float32(0)
	start := 0
	finish := func() {
		used := x
		if n := len(t.laid); n > start {
			last := t.laid[n-1]
			if last.link == nil {
				size, style := t.style(t.runs[last.run])
				s, _ := measure(strings.TrimRight(last.words, " "), size, style)
				used = last.x + s.Width
			}
		}
		shift := float32(0)
		switch t.align {
		case fyne.TextAlignCenter:
			shift = (width - used) / 2
		case fyne.TextAlignTrailing:
			shift = width - used
		}
		if t.wrap == whole && width == 0 {
			shift = 0
		}
		for i := start; i < len(t.laid); i++ {
			t.laid[i].x += max(0, shift)
		}
		start = len(t.laid)
		x, y = 0, y+height
	}
	put := func(run int, words string, w, up, h float32) {
		if n := len(t.laid); n > start && t.laid[n-1].run == run && t.laid[n-1].link == nil {
			// The shaper sees the line's words together.
			size, style := t.style(t.runs[run])
			t.laid[n-1].words += words
			s, _ := measure(t.laid[n-1].words, size, style)
			x = t.laid[n-1].x + s.Width
			t.laid[n-1].w = s.Width
			return
		}
		t.laid = append(t.laid, laidRun{words: words, run: run, x: x, y: y + lead + baseLine - up, w: w, h: h})
		x += w
	}
	link := 0
	full := false
	for i, r := range t.runs {
		size, style := t.style(r)
		if r.Tapped != nil {
			l := t.links[link]
			link++
			w := l.NaturalWidth()
			if x > 0 && x+w > limit+0.5 {
				finish()
			}
			w = min(w, limit)
			h := l.HeightFor(w)
			_, up := measure("M", size, fyne.TextStyle{})
			t.laid = append(t.laid, laidRun{run: i, x: x, y: y + lead + baseLine - up - l.lead(), w: w, h: h, link: l})
			x += w
			if lines := h / pitch(theme.Length(l.size)); lines > 1.5 {
				y += h - pitch(theme.Length(l.size))
			}
			continue
		}
		for _, word := range pieces(r.Words) {
			if full {
				break
			}
			if word == "\n" {
				finish()
				continue
			}
			s, up := measure(word, size, style)
			bare, _ := measure(strings.TrimRight(word, " "), size, style)
			if x+bare.Width > limit+0.5 {
				if t.wrap == oneLine {
					put(i, shorten(word, limit-x, size, style), bare.Width, up, s.Height)
					full = true
					break
				}
				if x > 0 {
					if strings.TrimSpace(word) == "" {
						continue
					}
					finish()
				}
				// A word that no line can hold is broken where it must.
				for bare.Width > limit+0.5 && len([]rune(word)) > 1 {
					n := fitting(word, limit, size, style)
					head, _ := measure(string([]rune(word)[:n]), size, style)
					put(i, string([]rune(word)[:n]), head.Width, up, s.Height)
					finish()
					word = string([]rune(word)[n:])
					s, _ = measure(word, size, style)
					bare, _ = measure(strings.TrimRight(word, " "), size, style)
				}
			}
			if x == 0 && strings.TrimSpace(word) == "" && i > 0 {
				continue
			}
			put(i, word, s.Width, up, s.Height)
		}
	}
	if len(t.laid) > start || len(t.laid) == 0 {
		finish()
	}
	t.laidH = y
}

func measureHeight(size float32, style fyne.TextStyle) float32 {
	s, _ := measure("M", size, style)
	return s.Height
}

func fitting(word string, width, size float32, style fyne.TextStyle) int {
	runes := []rune(word)
	n := 1
	for n < len(runes) {
		if s, _ := measure(string(runes[:n+1]), size, style); s.Width > width {
			break
		}
		n++
	}
	return n
}

// shorten cuts words so that they fit with "…" at their end.
func shorten(words string, width, size float32, style fyne.TextStyle) string {
	runes := []rune(words)
	for n := len(runes); n > 0; n-- {
		cut := strings.TrimRight(string(runes[:n]), " ") + "…"
		if s, _ := measure(cut, size, style); s.Width <= width {
			return cut
		}
	}
	return "…"
}

// HeightFor implements Tall.
func (t *Text) HeightFor(width float32) float32 {
	if t.wrap == wrapped {
		t.width = width
	}
	t.lay(width)
	return t.laidH
}

// NaturalWidth implements Wide: the width of the longest line without wrapping.
func (t *Text) NaturalWidth() float32 {
	if t.knows && t.wideScale == theme.Scale() {
		return t.wide
	}
	t.knows, t.wideScale = true, theme.Scale()
	t.wide = t.measureWide()
	return t.wide
}

func (t *Text) measureWide() float32 {
	width, line := float32(0), float32(0)
	link := 0
	for _, r := range t.runs {
		if r.Tapped != nil {
			line += t.links[link].NaturalWidth()
			link++
			width = max(width, line)
			continue
		}
		size, style := t.style(r)
		for i, part := range strings.Split(r.Words, "\n") {
			if i > 0 {
				line = 0
			}
			s, _ := measure(part, size, style)
			line += s.Width
			width = max(width, line)
		}
	}
	return float32(math.Ceil(float64(width)))
}

// leastWidth is small on purpose: a window may always become narrower, the text
// wraps then.
func (t *Text) leastWidth() float32 {
	size, _ := t.style(Run{})
	switch t.wrap {
	case whole:
		return t.NaturalWidth()
	case oneLine:
		return min(t.NaturalWidth(), 3*size)
	}
	return min(t.NaturalWidth(), 5*size)
}

// CreateRenderer is called by the toolkit.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	t.drawn = true
	return &textRenderer{t: t}
}

type textRenderer struct {
	t       *Text
	texts   []*canvas.Text
	objects []fyne.CanvasObject
}

func (r *textRenderer) Destroy()                     {}
func (r *textRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *textRenderer) MinSize() fyne.Size {
	least := r.t.leastWidth()
	at := r.t.width
	if at == 0 {
		// Nobody has said how wide it will be: one line, as most are.
		at = r.t.NaturalWidth()
	}
	if r.t.wrap != wrapped {
		at = r.t.NaturalWidth()
	}
	r.t.lay(max(least, at))
	return fyne.NewSize(least, r.t.laidH)
}

func (r *textRenderer) Layout(s fyne.Size) {
	t := r.t
	if t.wrap == wrapped {
		t.width = s.Width
	}
	t.lay(s.Width)
	r.objects = r.objects[:0]
	n := 0
	for _, l := range t.laid {
		if l.link != nil {
			l.link.Move(fyne.NewPos(l.x, l.y))
			l.link.Resize(fyne.NewSize(l.w, l.h))
			r.objects = append(r.objects, l.link)
			continue
		}
		if n == len(r.texts) {
			r.texts = append(r.texts, &canvas.Text{})
		}
		c := r.texts[n]
		n++
		run := t.runs[l.run]
		colour := t.colour
		if run.Colour != "" {
			colour = run.Colour
		}
		c.Text, c.Color = l.words, theme.Of(colour)
		c.TextSize, c.TextStyle = t.style(run)
		c.FontSource = theme.Face(c.TextStyle)
		c.Move(fyne.NewPos(l.x, l.y))
		c.Resize(fyne.NewSize(l.w, l.h))
		r.objects = append(r.objects, c)
	}
}

func (r *textRenderer) Refresh() {
	r.Layout(r.t.Size())
	for _, o := range r.objects {
		o.Refresh()
	}
	canvas.Refresh(r.t)
}

// Link is underlined words that do something; within a Text, or alone.
type Link struct {
	base
	words string
	size  fyne.ThemeSizeName
	inner *Text
}

// NewLink makes a link of body size.
func NewLink(words string, tapped func()) *Link {
	l := &Link{words: words, size: theme.SizeText}
	l.start(l, tapped)
	return l
}

// Small makes it as high as a caption.
func (l *Link) Small() *Link { l.size = theme.SizeCaption; l.Refresh(); return l }

// SetText changes the words.
func (l *Link) SetText(words string) { l.words = words; l.Refresh() }

// Seen implements Seen.
func (l *Link) Seen() Description { return Description{Role: RoleLink, Text: l.words} }

func (l *Link) text() *Text {
	if l.inner == nil {
		l.inner = NewText("")
	}
	if l.inner.size != l.size {
		l.inner.size = l.size
		l.inner.valid, l.inner.knows = false, false
	}
	if l.inner.Words() != l.words {
		l.inner.set([]Run{{Words: l.words}})
	}
	l.inner.colour = theme.ColorPrimary
	if l.Disabled() {
		l.inner.colour = theme.ColorDisabled
	}
	return l.inner
}

func (l *Link) lead() float32 {
	size := theme.Length(l.size)
	return (pitch(size) - measureHeight(size, fyne.TextStyle{})) / 2
}

// HeightFor implements Tall.
func (l *Link) HeightFor(width float32) float32 { return l.text().HeightFor(width) }

// NaturalWidth implements Wide.
func (l *Link) NaturalWidth() float32 { return l.text().NaturalWidth() }

// CreateRenderer is called by the toolkit.
func (l *Link) CreateRenderer() fyne.WidgetRenderer {
	ring := newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 4)
	ring.Hide()
	return &linkRenderer{l: l, ring: ring}
}

type linkRenderer struct {
	l     *Link
	ring  *plate
	lines []*canvas.Rectangle
}

func (r *linkRenderer) Destroy() {}
func (r *linkRenderer) MinSize() fyne.Size {
	t := r.l.text()
	return fyne.NewSize(t.leastWidth(), t.MinSize().Height)
}

func (r *linkRenderer) Objects() []fyne.CanvasObject {
	objects := []fyne.CanvasObject{r.l.text()}
	for _, line := range r.lines {
		objects = append(objects, line)
	}
	return append(objects, r.ring)
}

func (r *linkRenderer) Layout(s fyne.Size) {
	t := r.l.text()
	t.HeightFor(s.Width)
	t.Resize(s)
	r.lines = r.lines[:0]
	size := theme.Length(r.l.size)
	for _, laid := range t.laid {
		line := canvas.NewRectangle(theme.Of(t.colour))
		words, style := strings.TrimRight(laid.words, " "), fyne.TextStyle{}
		w, up := measure(words, size, style)
		line.Move(fyne.NewPos(laid.x, float32(math.Round(float64(laid.y+up+2)))))
		line.Resize(fyne.NewSize(w.Width, 1))
		r.lines = append(r.lines, line)
	}
	r.ring.Move(fyne.NewPos(-3, -1))
	r.ring.Resize(s.AddWidthHeight(6, 2))
}

func (r *linkRenderer) Refresh() {
	t := r.l.text()
	t.Refresh()
	r.Layout(r.l.Size())
	show(r.ring, r.l.focused && !r.l.Disabled())
	r.ring.Refresh()
	canvas.Refresh(r.l)
}
