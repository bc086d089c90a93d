package ui

import (
	"net/url"
	"reflect"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// copiedFor is how long a button says "Copied".
const copiedFor = 2 * time.Second

// waitPage is Connect 3: a calm wait with every way out in sight.
type waitPage struct {
	c *connectScreen
	s *shell
	f *flow

	title, body, left *kit.Text
	clock             *kit.Icon
	more              *kit.Button
	bar               *kit.ThinProgress
	steps             *kit.WaitSteps
	drawn             []waitStep
	notes             *fyne.Container
	knocking          string
	again             *kit.Button
	// trouble opens the page for what the browser shows in place of the question.
	trouble *kit.Button

	mine, separate *kit.OptionRow
	link           *kit.ReadOnly
	copyLink       *kit.Button
	uncopied       func()

	address  *kit.Entry
	paste    *kit.Button
	use      *kit.Button
	hint     *kit.Text
	hintMark *kit.Icon

	cancel *kit.Button
	back   *kit.Button
	note   *kit.Text
}

func newWaitPage(c *connectScreen) *waitPage {
	p := &waitPage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	p.title, p.body, p.left = kit.Subheading(""), kit.Muted(""), kit.Muted("").Whole()
	p.clock = kit.NewIcon(theme.IconStopwatch, theme.ColorMuted, theme.SizeButtonIcon)
	p.more = kit.NewButton(s.say("connect.wait.more"), kit.Low, f.moreMinutes)
	p.bar = kit.NewMovingBar(s.say("connect.wait.title"), s.app.Settings().ShowAnimations())
	p.steps = kit.NewWaitSteps()
	p.notes = kit.Column(8)
	p.again = kit.NewButton(s.say("connect.wait.again"), kit.Medium, f.openAgain).With(theme.IconExternal).WithTip("Ctrl+B")
	p.trouble = kit.NewButton(s.say("connect.page.link"), kit.Low, func() { f.to(stagePage) }).With(theme.IconHelp)
	p.mine, p.separate = kit.NewOption(s.say("connect.wait.mine"), ""), kit.NewOption(s.say("connect.wait.separate"), s.say("connect.wait.separate_line"))
	chosen := 0
	if f.form.Separate {
		chosen = 1
	}
	kit.Options(chosen, func(i int) { f.chooseWindow(i == 1) }, p.mine, p.separate)
	if !f.separate() {
		p.separate.SetWords(s.say("connect.wait.separate"), s.say("connect.wait.separate_none"))
		p.separate.Disable()
	}
	p.link = kit.NewReadOnly(s.say("connect.wait.link"), "")
	p.copyLink = kit.NewButton(s.say("connect.wait.copy_link"), kit.Medium, p.takeLink).With(theme.IconCopy).WithTip("Ctrl+Shift+L")
	p.address = kit.NewMonoEntry(s.say("connect.wait.paste_title"), f.form.Redirect+"?code=…")
	p.address.OnChanged = func(string) { p.refreshUse() }
	p.address.OnSubmitted = func(string) { p.useAddress() }
	p.paste = kit.NewPasteButton(s.say("connect.wait.paste"), func(text string) {
		p.address.SetText(text)
		p.s.focus(p.use)
	})
	p.use = kit.NewButton(s.say("connect.wait.use"), kit.Medium, p.useAddress)
	p.hint = kit.Caption(s.say("connect.wait.paste_hint"))
	p.hintMark = kit.NewIcon(theme.IconErrorRing, theme.ColorError, theme.SizeHintIcon)
	p.cancel = kit.NewButton(s.say("connect.wait.cancel"), kit.Low, p.askStop).With(theme.IconClose).WithTip("Esc")
	p.back = kit.NewButton(s.say("connect.back"), kit.Medium, p.askStop).With(theme.IconBack)
	p.note = kit.Caption("")
	p.bar.Start()
	return p
}

func (p *waitPage) build() []fyne.CanvasObject {
	s := p.s
	head := kit.Flow(12, p.title)
	if p.c.built {
		head.Add(kit.Row(8, p.clock, p.left))
	} else {
		head = kit.Row(8, kit.Grow(p.title), p.clock, p.left)
	}
	waiting := kit.NewCard(kit.Column(20, kit.Column(4, head, p.body), p.bar, p.notes, p.steps, kit.Flow(12, p.again, p.trouble, p.more)))
	window := kit.NewCardPad(20, kit.Column(14, kit.Title(s.say("connect.wait.which")), p.mine, p.separate, kit.Line(),
		kit.Column(8, kit.Strong(s.say("connect.wait.link")), p.link, kit.Flow(8, p.copyLink), kit.Caption(s.say("connect.wait.link_line")))))
	field := kit.Row(8, kit.Grow(p.address), p.paste, p.use)
	title := kit.Row(12, kit.Grow(kit.Title(s.say("connect.wait.paste_title"))), kit.Caption(s.say("connect.wait.paste_note")).Whole())
	if p.c.built {
		field = kit.Column(8, p.address, kit.Flow(8, p.paste, p.use))
		title = kit.Column(2, kit.Title(s.say("connect.wait.paste_title")), kit.Caption(s.say("connect.wait.paste_note")))
	}
	paste := kit.NewCard(kit.Column(8, title, field, kit.TopRow(6, p.hintMark, kit.Grow(p.hint))))
	p.drawn, p.knocking = nil, ""
	return []fyne.CanvasObject{p.c.head(2), p.c.columns(308, waiting, window), paste}
}

func (p *waitPage) footer() footer {
	return footer{left: p.cancel, note: p.note, right: []fyne.CanvasObject{p.back}}
}

func (p *waitPage) refresh() {
	s, f := p.s, p.f
	if f.stage != stageWait {
		return
	}
	m := f.waiting()
	p.title.SetText(m.Title)
	p.body.SetText(m.Body)
	p.left.SetText(m.Left)
	visible(p.clock, m.Left != "")
	visible(p.more, m.More)
	if !reflect.DeepEqual(p.drawn, m.Steps) {
		p.drawn = m.Steps
		p.steps.Set(p.words(m.Steps)...)
	}
	if p.knocking != m.Knocking {
		p.knocking = m.Knocking
		p.notes.RemoveAll()
		if m.Knocking != "" {
			p.notes.Add(kit.NewNotice(kit.Warn, "", m.Knocking))
		}
	}
	visible(p.notes, m.Knocking != "")
	mine := s.say("connect.wait.mine_line_plain")
	if f.browser != "" {
		mine = s.say("connect.wait.mine_line", text.Args{"browser": f.browser})
	}
	p.mine.SetWords(s.say("connect.wait.mine"), mine)
	enable(p.mine, m.CanCancel)
	enable(p.separate, m.CanCancel && f.separate())
	p.mine.SetSelected(!f.form.Separate)
	p.separate.SetSelected(f.form.Separate)
	p.link.Set(m.Link)
	p.again.SetEnabled(m.Waiting)
	p.trouble.SetEnabled(m.Waiting)
	p.copyLink.SetEnabled(m.Waiting)
	p.paste.SetEnabled(m.Waiting)
	p.refreshUse()
	p.cancel.SetEnabled(m.CanCancel)
	p.back.SetEnabled(m.CanCancel)
	p.note.SetText(m.CancelNote)
	if m.Refused != nil {
		p.address.Mark(kit.Bad)
		p.hint.In(theme.ColorError).SetText(m.Refused.Words)
	} else {
		p.address.Mark(kit.Neutral)
		p.hint.In(theme.ColorMuted).SetText(s.say("connect.wait.paste_hint"))
	}
	visible(p.hintMark, m.Refused != nil)
	p.c.root.Refresh()
}

// words are the steps for their widget, with the door to the picture.
func (p *waitPage) words(steps []waitStep) []kit.WaitStep {
	var out []kit.WaitStep
	for i, st := range steps {
		w := kit.WaitStep{Title: st.Title, State: kit.Ahead}
		switch {
		case st.Tone == toneWarning:
			w.State = kit.Stuck
		case st.Done:
			w.State = kit.Done
		case st.Now:
			w.State = kit.Now
		}
		if st.Line != "" {
			w.Line = kit.Runs(st.Line)
		}
		if i == 2 && st.Line != "" && p.f.certificate() {
			w.Line = append(w.Line, kit.Run{Words: " "}, kit.Run{Words: p.s.say("connect.wait.picture"), Tapped: p.c.showPicture})
		}
		out = append(out, w)
	}
	return out
}

func (p *waitPage) refreshUse() {
	p.use.SetEnabled(p.address.Text != "" && p.f.state.Step == connect.Waiting)
}

// useAddress hands the pasted text over and empties the field: the code in it
// belongs nowhere else (PST-4).
func (p *waitPage) useAddress() {
	if p.use.Disabled() {
		return
	}
	pasted := p.address.Text
	p.address.SetText("")
	p.f.paste(pasted)
	p.s.focus(p.address)
}

// takeLink copies the whole link; on screen it stays shortened, because it
// carries the mark of this sign-in.
func (p *waitPage) takeLink() {
	if p.copyLink.Disabled() {
		return
	}
	p.s.copyPlain(p.f.state.AuthorizeURL.Reveal())
	p.copyLink.SetLabel(p.s.say("connect.wait.link_copied"))
	if p.uncopied != nil {
		p.uncopied()
	}
	p.uncopied = p.s.after(copiedFor, func() { p.copyLink.SetLabel(p.s.say("connect.wait.copy_link")) })
}

// askStop asks before it throws a sign-in away.
func (p *waitPage) askStop() {
	if p.f.state.Cancellable() {
		p.s.ask(question{
			title: p.s.say("connect.wait.stop_title"), body: p.s.say("connect.wait.stop_body"),
			stay: p.s.say("connect.wait.keep_waiting"), act: p.s.say("connect.wait.stop"), do: p.f.stopAttempt,
		})
	}
}

func (p *waitPage) first() fyne.Focusable { return p.address }

// press does nothing: there is no high button while one waits.
func (p *waitPage) press() {}

func (p *waitPage) escape() bool { p.askStop(); return true }

func (p *waitPage) shortcut(k combination) bool {
	switch k {
	case combination{fyne.KeyB, ctrl}:
		if !p.again.Disabled() {
			p.f.openAgain()
		}
	case combination{fyne.KeyL, ctrlShift}:
		p.takeLink()
	default:
		return false
	}
	return true
}

func (p *waitPage) leave() {
	p.bar.Stop()
	p.address.SetText("")
	if p.uncopied != nil {
		p.uncopied()
	}
}

// waiting is what the page shows now.
func (f *flow) waiting() waitModel {
	st := f.state
	st.VaultWaits = st.VaultWaits || f.s.vaultWaits
	st.Listens = st.Listens || f.form.Separate
	m := presentWait(f.s.c, st, f.browser, f.s.program(), f.s.now())
	if f.form.Separate && st.Step == connect.Waiting {
		// That window is watched: no page of ours and no warning in it.
		m.Steps[0].Line = f.s.say("connect.wait.opened_line_plain", text.Args{"host": st.AuthorizeHost})
		m.Steps[2].Line = f.s.say("connect.wait.back_line_plain")
	}
	return m
}

// certificate reports whether the browser will warn about our certificate.
func (f *flow) certificate() bool {
	return f.state.Listens && !f.form.Separate && f.state.Step == connect.Waiting && isHTTPS(f.state.RedirectURI)
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https"
}

func hostname(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func enable(o fyne.Disableable, yes bool) {
	if yes == !o.Disabled() {
		return
	}
	if yes {
		o.Enable()
	} else {
		o.Disable()
	}
}

func visible(o fyne.CanvasObject, yes bool) {
	if yes == o.Visible() {
		return
	}
	if yes {
		o.Show()
	} else {
		o.Hide()
	}
}
