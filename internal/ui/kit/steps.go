package kit

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// StepState is how far a step is.
type StepState int

// The states.
const (
	Ahead StepState = iota
	Now
	Done
	// Stuck wants a look.
	Stuck
)

// Disc is a numbered disc; done it is a tick.
type disc struct {
	widget.BaseWidget
	number int
	state  StepState
	side   float32
}

func newDisc(number int, state StepState, side float32) *disc {
	d := &disc{number: number, state: state, side: side}
	d.ExtendBaseWidget(d)
	return d
}

func (d *disc) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorNeutralSoft, "", 0, 0)
	words := NewText("").Bold().Sized(theme.SizeCaption).Whole()
	words.align = fyne.TextAlignCenter
	icon := NewIcon(theme.IconTick, theme.ColorSuccess, theme.SizeHintIcon)
	r := &chipRenderer{ground: ground, icon: icon, words: words}
	r.update = func() {
		ground.fill, words.colour = theme.ColorNeutralSoft, theme.ColorNeutral
		if d.side >= 30 {
			words.size, icon.size = theme.SizeText, theme.SizeIcon
		}
		words.set(Runs(strconv.Itoa(d.number)))
		switch d.state {
		case Now:
			ground.fill, words.colour = theme.ColorPrimary, theme.ColorOnPrimary
		case Done:
			ground.fill = theme.ColorSuccessSoft
			icon.name, icon.colour = theme.IconTick, theme.ColorSuccess
		case Stuck:
			ground.fill = theme.ColorWarningSoft
			icon.name, icon.colour = theme.IconWarning, theme.ColorWarning
		}
		mark := d.state == Done || d.state == Stuck
		show(icon, mark)
		show(words, !mark)
		ground.radius = d.side * theme.Scale() / 2
	}
	r.least = func() fyne.Size { return fyne.NewSquareSize(d.side * theme.Scale()) }
	r.lay = func(s fyne.Size) {
		w := words.NaturalWidth()
		h := words.HeightFor(w)
		words.Move(fyne.NewPos((s.Width-w)/2, (s.Height-h)/2))
		words.Resize(fyne.NewSize(w, h))
		icon.Resize(s)
	}
	r.update()
	return r
}

// StepHeader says which of a few steps this is.
type StepHeader struct {
	group
	words   []string
	current int
}

// NewStepHeader makes one; current counts from 0. Where there is no room the
// names of the other steps are left out.
func NewStepHeader(words []string, current int) *StepHeader {
	h := &StepHeader{words: words, current: current}
	build := func(all bool) *fyne.Container {
		row := Row(8)
		for i, w := range words {
			state, name := Ahead, Muted(w).Whole()
			switch {
			case i < current:
				state, name = Done, NewText(w).Whole()
			case i == current:
				state, name = Now, Strong(w).Whole()
			}
			if i > 0 {
				line := newPlate(theme.ColorBorder, "", 0, 1)
				line.least = fyne.NewSize(40, 2)
				row.Add(Inset(0, 4, 0, 4, line))
			}
			row.Add(newDisc(i+1, state, 24))
			if all || i == current {
				row.Add(name)
			}
		}
		return row
	}
	h.compose(h, box(&firstFit{}, build(true), build(false)))
	return h
}

// Seen implements Seen.
func (h *StepHeader) Seen() Description {
	return Description{Role: RoleStep, Text: h.words[h.current], Value: strconv.Itoa(h.current+1) + "/" + strconv.Itoa(len(h.words))}
}

// firstFit shows the first object that fits, or the last. With large text it
// asks for no more width than the last one needs.
type firstFit struct{}

func (f *firstFit) pick(o []fyne.CanvasObject, width float32) fyne.CanvasObject {
	chosen := o[len(o)-1]
	for _, each := range o {
		if natural(each) <= width+0.5 {
			chosen = each
			break
		}
	}
	for _, each := range o {
		show(each, each == chosen)
	}
	return chosen
}

func (f *firstFit) naturalWidth(o []fyne.CanvasObject) float32 {
	if theme.Scale() >= theme.NarrowScale {
		return natural(o[len(o)-1])
	}
	return natural(o[0])
}
func (f *firstFit) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return HeightFor(f.pick(o, width), width)
}
func (f *firstFit) MinSize(o []fyne.CanvasObject) fyne.Size { return o[len(o)-1].MinSize() }
func (f *firstFit) Layout(o []fyne.CanvasObject, s fyne.Size) {
	chosen := f.pick(o, s.Width)
	HeightFor(chosen, s.Width)
	chosen.Move(fyne.NewPos(0, 0))
	chosen.Resize(s)
}

// WaitStep is one step of a wait.
type WaitStep struct {
	Title string
	// Line may hold links.
	Line  []Run
	State StepState
}

// WaitSteps shows steps below each other, joined by a line.
type WaitSteps struct {
	group
	steps []WaitStep
	box   *fyne.Container
}

// NewWaitSteps makes one.
func NewWaitSteps(steps ...WaitStep) *WaitSteps {
	w := &WaitSteps{box: Column(0)}
	w.compose(w, w.box)
	w.Set(steps...)
	return w
}

// Set shows other steps.
func (w *WaitSteps) Set(steps ...WaitStep) {
	w.steps = steps
	w.box.RemoveAll()
	for i, s := range steps {
		w.box.Add(newWaitRow(i, s, i == len(steps)-1))
	}
	w.Refresh()
}

type waitRow struct {
	group
	step WaitStep
}

func newWaitRow(i int, s WaitStep, last bool) *waitRow {
	r := &waitRow{step: s}
	title := NewText(s.Title)
	switch s.State {
	case Now, Stuck:
		title.Bold()
	case Ahead:
		title.In(theme.ColorMuted)
	}
	words := Column(1, title)
	if len(s.Line) > 0 {
		words.Add(CaptionRuns(s.Line...))
	}
	colour := theme.ColorBorder
	if s.State == Done {
		colour = theme.ColorSuccessBar
	}
	line := newPlate(colour, "", 0, 1)
	show(line, !last)
	bottom := float32(18)
	if last {
		bottom = 0
	}
	r.compose(r, box(&waitLayout{bottom: bottom}, newDisc(i+1, s.State, 32), line, words))
	return r
}

// Seen implements Seen.
func (r *waitRow) Seen() Description {
	line := ""
	for _, run := range r.step.Line {
		line += run.Words
	}
	return Description{Role: RoleStep, Text: r.step.Title, Value: line, Selected: r.step.State == Now}
}

type waitLayout struct {
	bottom, width float32
}

func (l *waitLayout) heightFor(o []fyne.CanvasObject, width float32) float32 {
	l.width = width
	d := o[0].MinSize()
	return max(d.Height+4, 5+HeightFor(o[2], width-d.Width-16)) + l.bottom
}

func (l *waitLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := o[0].MinSize().Width + 16 + o[2].MinSize().Width
	return fyne.NewSize(w, l.heightFor(o, max(w, l.width)))
}

func (l *waitLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	d := o[0].MinSize()
	o[0].Resize(d)
	o[0].Move(fyne.NewPos(0, 0))
	o[1].Move(fyne.NewPos(d.Width/2-1, d.Height+2))
	o[1].Resize(fyne.NewSize(2, max(0, s.Height-d.Height-4)))
	w := s.Width - d.Width - 16
	o[2].Move(fyne.NewPos(d.Width+16, 5))
	o[2].Resize(fyne.NewSize(w, HeightFor(o[2], w)))
}

// Numbered is a short list of things to do.
func Numbered(steps ...*Text) *fyne.Container {
	c := Column(8)
	for i, s := range steps {
		c.Add(TopRow(12, newDisc(i+1, Ahead, 24), Grow(Inset(2, 0, 0, 0, s))))
	}
	return c
}

// ThinProgress is a thin bar: a share, or, while the share is not known, a
// piece that moves. Without motion the piece stands still in the middle.
type ThinProgress struct {
	widget.BaseWidget
	name   string
	share  float32
	moving bool
	motion bool
	anim   *fyne.Animation
	at     float32
}

// NewThinProgress makes a bar of a known share, 0 to 1.
func NewThinProgress(name string, share float32) *ThinProgress {
	p := &ThinProgress{name: name, share: share}
	p.ExtendBaseWidget(p)
	return p
}

const (
	// tick is the toolkit's, fastest the most that an eye asks of a waiting bar.
	tick    = 17 * time.Millisecond
	fastest = 33 * time.Millisecond
	// restShare is how many times a frame's cost the bar rests after it.
	restShare = 12
)

// pace says when the next picture of a motion is due. The toolkit paints the
// whole window for each; where there is no graphics card that takes tens of
// milliseconds, and painting at every tick would fill a core and keep clicks
// waiting. What a picture costs shows in how late the next tick comes.
type pace struct {
	last, moved time.Time
	cost        time.Duration
	painted     bool
}

func (p *pace) due(now time.Time) bool {
	if p.painted {
		p.cost = max(0, now.Sub(p.last)-tick)
	}
	p.last, p.painted = now, false
	if now.Sub(p.moved) < max(fastest, restShare*p.cost) {
		return false
	}
	p.moved, p.painted = now, true
	return true
}

// NewMovingBar makes one for a wait; motion false leaves it still.
func NewMovingBar(name string, motion bool) *ThinProgress {
	p := &ThinProgress{name: name, moving: true, motion: motion, at: 0.5}
	p.ExtendBaseWidget(p)
	return p
}

// Set shows a share.
func (p *ThinProgress) Set(share float32) {
	p.share = share
	p.Refresh()
}

// Start moves the bar; Stop ends it, and must be called when the screen goes.
func (p *ThinProgress) Start() {
	if !p.moving || !p.motion || p.anim != nil {
		return
	}
	pace := &pace{}
	p.anim = fyne.NewAnimation(1800*1e6, func(done float32) {
		if pace.due(time.Now()) {
			p.at = done
			p.Refresh()
		}
	})
	p.anim.RepeatCount = fyne.AnimationRepeatForever
	p.anim.AutoReverse = true
	p.anim.Start()
}

// Stop ends the motion.
func (p *ThinProgress) Stop() {
	if p.anim != nil {
		p.anim.Stop()
		p.anim = nil
	}
}

// Seen implements Seen.
func (p *ThinProgress) Seen() Description {
	d := Description{Role: RoleProgress, Text: p.name}
	if !p.moving {
		d.Value = strconv.Itoa(int(p.share*100+0.5)) + "%"
	}
	return d
}

// CreateRenderer is called by the toolkit.
func (p *ThinProgress) CreateRenderer() fyne.WidgetRenderer {
	track := newPlate(theme.ColorNeutralSoft, "", 0, 2)
	bar := newPlate(theme.ColorPrimary, "", 0, 2)
	r := &chipRenderer{ground: track, more: []fyne.CanvasObject{bar}}
	r.update = func() {}
	r.least = func() fyne.Size { return fyne.NewSize(40, theme.Length(theme.SizeThin)) }
	r.lay = func(s fyne.Size) {
		h := theme.Length(theme.SizeThin)
		if p.moving {
			w := s.Width * 0.26
			bar.Move(fyne.NewPos((s.Width-w)*p.at, 0))
			bar.Resize(fyne.NewSize(w, h))
			return
		}
		bar.Resize(fyne.NewSize(s.Width*max(0, min(1, p.share)), h))
		show(bar, p.share > 0)
		canvas.Refresh(p)
	}
	return r
}
