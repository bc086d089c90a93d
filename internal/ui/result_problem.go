package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// problemPage is the end of a sign-in that did not work: one line to
// understand, one click to mend.
type problemPage struct {
	c *connectScreen
	s *shell
	f *flow
	m problemModel

	buttons  []*kit.Button
	again    *kit.Button
	fold     *kit.Fold
	details  *kit.Button
	redirect *kit.CopyField
	// there takes the address in the dashboard, to compare.
	there    *kit.Entry
	thereBox *kit.FieldBox
	uncopied func()
}

func newProblemPage(c *connectScreen) *problemPage {
	p := &problemPage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	pr := f.state.Problem
	p.m = presentProblem(s.c, f.state, f.form.ClientID, s.now())
	if !f.definition().Meta() {
		// The steps are those of Meta's dashboard.
		p.m.Steps = nil
	}
	var again bool
	p.buttons, again = c.buttons(p.m.Actions)
	if pr.Key == problem.OtherAccount {
		p.otherAccount(pr)
	}
	if !again {
		kind := kit.Medium
		if len(p.buttons) == 0 {
			kind = kit.High
		}
		p.again = kit.NewButton(s.say("connect.problem.again"), kind, f.signInOrAsk).With(theme.IconRefresh)
	}
	if p.m.Here != "" {
		p.redirect = kit.NewCopyField(s.run, s.say("connect.app.redirect"), p.m.Here, s.say("connect.app.copy"), s.say("connect.app.copied"), s.copyPlain)
		p.there = kit.NewMonoEntry(s.say("connect.problem.there"), s.say("connect.problem.there_paste"))
		p.there.OnChanged = func(string) { p.compare() }
		p.thereBox = kit.NewFieldBox(s.say("connect.problem.there"), p.there, s.say("connect.problem.both"), 2)
	}
	p.details = kit.NewButton(s.say("connect.problem.copy"), kit.Medium, p.copyDetails).With(theme.IconCopy)
	said := kit.Column(12)
	box := kit.Column(4)
	if p.m.Said != "" {
		box.Add(kit.Mono(p.m.Said).Sized(theme.SizeCaption))
	}
	for _, line := range detailLines(p.m) {
		box.Add(kit.Mono(line).Sized(theme.SizeCaption).In(theme.ColorMuted))
	}
	said.Add(kit.SoftBox(kit.Quiet, box))
	if c.built {
		said.Add(kit.Flow(8, p.details))
		said.Add(kit.Caption(s.say("connect.problem.copy_line")))
	} else {
		said.Add(kit.Row(12, p.details, kit.Grow(kit.Caption(s.say("connect.problem.copy_line")))))
	}
	title := s.say("connect.problem.said")
	if p.m.Said == "" {
		title = s.say("connect.problem.details")
	}
	note := s.say("connect.problem.said_for")
	if c.built {
		// There is no room for it beside the headline.
		said.Objects = append([]fyne.CanvasObject{kit.Caption(note)}, said.Objects...)
		note = ""
	}
	p.fold = kit.NewFold(title, note, said)
	if pr.Key == problem.UnknownAnswer {
		// What nobody knows yet is told in the provider's own words.
		p.fold.Open(true)
	}
	return p
}

// otherAccount names the two ways on: the account that was wanted, or the one
// that answered.
func (p *problemPage) otherAccount(pr *problem.Problem) {
	for _, b := range p.buttons {
		if b.Kind() == kit.High {
			b.SetLabel(p.s.say("connect.other.wanted_button", text.Args{"username": pr.Args["username"]}))
		}
	}
	if pr.Args["found"] != "" {
		p.buttons = append(p.buttons, kit.NewButton(p.s.say("connect.other.new_button", text.Args{"username": pr.Args["found"]}), kit.Low, p.f.takeAnyone))
	}
}

func detailLines(m problemModel) []string {
	var lines []string
	for _, line := range strings.Split(m.Details, "\n") {
		if m.Said == "" || line != "said "+m.Said {
			lines = append(lines, line)
		}
	}
	return lines
}

func (p *problemPage) build() []fyne.CanvasObject {
	s, f, m := p.s, p.f, p.m
	tone, icon := kit.Bad, theme.IconErrorRing
	if m.Neutral {
		tone, icon = kit.Neutral, theme.IconInfo
	}
	head := kit.Row(16, newRound(tone, icon), kit.Grow(kit.Column(2, kit.Subheading(m.Title), kit.Muted(m.Unchanged))))
	happened := kit.Column(10, kit.Strong(s.say("connect.problem.happened")), kit.NewText(m.Happened))
	if pr := f.state.Problem; pr.Key == problem.OtherAccount && pr.Args["found"] != "" {
		happened.Add(kit.Flow(16,
			person(s.say("connect.other.wanted"), pr.Args["username"]),
			kit.NewIcon(theme.IconForward, theme.ColorMuted, theme.SizeIcon),
			person(s.say("connect.other.answered"), pr.Args["found"])))
	}
	if p.redirect != nil {
		happened.Add(kit.Column(12, kit.Column(6, kit.Strong(s.say("connect.problem.here")), p.redirect), p.thereBox))
	}
	if id := f.form.ClientID; id != "" && (f.state.Problem.Key == problem.AppIDIsFacebook || f.state.Problem.Key == problem.AppIDUnknown) {
		happened.Add(p.compared(kit.Bad, theme.IconCrossDisc, s.say("connect.problem.entered"), kit.Mono(id), "connect.problem.entered_where"))
		name := text.Args{"provider": f.definition().Name}
		if f.state.Problem.Key == problem.AppIDIsFacebook {
			where := "connect.problem.needs_where"
			if s.c.Has(where + "_" + f.form.Provider) {
				where += "_" + f.form.Provider
			}
			happened.Add(p.compared(kit.Fine, theme.IconTickDisc, s.say("connect.problem.needs", name), kit.Strong(s.say("connect.problem.needs_id", name)), where))
		}
	}
	todo := kit.Column(12, kit.Strong(s.say("connect.problem.do")))
	if len(m.Steps) > 0 {
		var steps []*kit.Text
		for _, step := range m.Steps {
			steps = append(steps, kit.NewText(step))
		}
		todo.Add(kit.Numbered(steps...))
	} else {
		todo.Add(kit.NewText(m.Advice))
	}
	if len(p.buttons) > 0 {
		flow := kit.Flow(8)
		for _, b := range p.buttons {
			flow.Add(b)
		}
		todo.Add(flow)
	}
	var both fyne.CanvasObject
	if p.c.built {
		both = kit.Column(20, happened, kit.Line(), todo)
	} else {
		both = kit.Columns(24, 0, []float32{1.1, -1, 1}, happened, kit.Line(), todo)
	}
	return []fyne.CanvasObject{p.c.head(2), kit.NewCard(kit.Column(24, head, both)), kit.NewCardPad(20, p.fold)}
}

// compared is one of two values that were mixed up, and where it stands.
func (p *problemPage) compared(tone kit.Tone, icon theme.IconName, what string, value fyne.CanvasObject, where string) fyne.CanvasObject {
	words := kit.Column(1, kit.Caption(what), value)
	name := text.Args{"provider": p.f.definition().Name}
	if p.f.state.Problem.Key != problem.AppIDIsFacebook {
		return kit.SoftBox(tone, kit.Row(14, kit.NewIcon(icon, tone.Ink(), theme.SizeIcon), kit.Grow(words)))
	}
	if p.c.built {
		words.Add(kit.Caption(p.s.say(where, name)))
		return kit.SoftBox(tone, kit.Row(14, kit.NewIcon(icon, tone.Ink(), theme.SizeIcon), kit.Grow(words)))
	}
	return kit.SoftBox(tone, kit.Row(14, kit.NewIcon(icon, tone.Ink(), theme.SizeIcon), kit.Grow(words), kit.Fixed(150, kit.Caption(p.s.say(where, name)))))
}

// compare says under the dashboard's address how it differs from ours.
func (p *problemPage) compare() {
	h := compare(p.s.c, p.m.Here, p.there.Text)
	p.thereBox.Say(kit.Tone(h.Tone), h.Words)
}

// person is somebody's picture and name, with what they are here.
func person(what, username string) fyne.CanvasObject {
	return kit.Row(10, kit.NewAvatar(username, 40), kit.Column(1, kit.Caption(what).Whole(), kit.Strong("@"+username).Whole()))
}

// newRound is the round sign before a result's headline.
func newRound(tone kit.Tone, icon theme.IconName) fyne.CanvasObject {
	ground := theme.ColorErrorSoft
	if tone == kit.Neutral {
		ground = theme.ColorNeutralSoft
	}
	around := 12 * theme.Scale()
	return kit.Fixed(44, kit.Over(canvas.NewCircle(theme.Of(ground)), kit.Pad(around, kit.NewIcon(icon, tone.Ink(), theme.SizeIcon))))
}

func (p *problemPage) copyDetails() {
	p.s.copyPlain(p.m.Details)
	p.details.SetLabel(p.s.say("connect.problem.copied"))
	if p.uncopied != nil {
		p.uncopied()
	}
	p.uncopied = p.s.after(copiedFor, func() { p.details.SetLabel(p.s.say("connect.problem.copy")) })
}

func (p *problemPage) footer() footer {
	f := footer{left: kit.NewButton(p.s.say("connect.problem.cancel"), kit.Low, p.c.cancel)}
	if p.f.definition().Meta() {
		f.right = append(f.right, kit.NewButton(p.s.say("connect.problem.paste_instead"), kit.Low, p.s.goPaste))
	}
	if p.again != nil {
		f.right = append(f.right, p.again)
	}
	return f
}

func (p *problemPage) refresh() {
	for _, b := range p.buttons {
		b.SetEnabled(!p.f.saving)
	}
}

func (p *problemPage) high() *kit.Button {
	if len(p.buttons) > 0 {
		return p.buttons[0]
	}
	return p.again
}

func (p *problemPage) first() fyne.Focusable { return p.high() }
func (p *problemPage) press()                { p.high().Tapped(nil) }

func (p *problemPage) leave() {
	if p.uncopied != nil {
		p.uncopied()
	}
}
