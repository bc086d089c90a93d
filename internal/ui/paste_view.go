package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// pasteParts are the widgets that last as long as the screen.
type pasteParts struct {
	field   *kit.SecretEntry
	box     *kit.FieldBox
	paste   *kit.Button
	instead *kit.Button
	open    *kit.Button
	keep    *kit.Button
	cancel  *kit.Button
	made    []*kit.OptionRow
	status  *kit.Text
	bar     *kit.ThinProgress

	found, lines, which, when, promise, notice *fyne.Container
	note                                       *kit.Text
	// drawn is what the lines were last drawn from, and offered the accounts.
	drawn   []pasteLine
	offered []chooseRow
}

// build makes the lasting widgets; compose puts the page together around them.
func (p *pasteScreen) build() {
	s, w := p.s, &p.parts
	name := s.say("paste.field")
	w.field = kit.NewSecretEntry(s.run, name, s.say("connect.app.paste_here"))
	w.field.OnFilled = func(int) { p.edited() }
	w.field.OnSubmitted = func(string) { p.keep() }
	w.paste = kit.NewButton(s.say("connect.wait.paste"), kit.Medium, func() {
		w.field.Put(secret.New(s.pasted()))
		s.focus(w.field)
	}).With(theme.IconPaste)
	w.box = kit.NewSecretBox(name, w.field, "", 0, w.paste)
	w.instead = kit.NewButton(s.say("paste.instead"), kit.Low, func() { s.goConnect(connectStart{}) }).Flush()
	w.open = kit.NewButton(s.say("paste.dashboard"), kit.Medium, p.openDashboard).With(theme.IconExternal)
	w.keep = kit.NewButton(s.say("paste.keep"), kit.High, p.keep).With(theme.IconLock).WithTip("Ctrl+Enter")
	w.cancel = kit.NewButton(s.say("connect.cancel"), kit.Low, p.cancelled).WithTip("Esc")
	for _, key := range []string{"paste.today", "paste.earlier", "paste.dont_know"} {
		w.made = append(w.made, kit.NewOption(s.say(key), ""))
	}
	kit.Options(int(p.state.Made), func(i int) { p.state.Made = made(i); p.refresh() }, w.made...)
	w.status, w.note = kit.Caption("").Trailing(), kit.Caption("").Trailing()
	w.bar = kit.NewMovingBar(s.say("paste.asking_bar"), s.app.Settings().ShowAnimations())
	w.bar.Hide()
	w.lines, w.which, w.notice, w.promise = kit.Column(12), kit.Column(10), kit.Column(0), kit.Column(0)
	options := kit.Flow(16)
	for _, o := range w.made {
		options.Add(o)
	}
	w.when = kit.Flow(16, kit.Strong(s.say("paste.when")).Whole(), options)
	w.found = kit.Column(12, kit.HeadOf(kit.Title(s.say("paste.found")), w.note), w.lines, kit.Over(kit.Gap(w.bar.MinSize().Height), w.bar))
	p.root = kit.Over()
	p.compose()
}

func (p *pasteScreen) compose() {
	s, w := p.s, &p.parts
	field := kit.Column(6, w.box, kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(s.say("paste.hint"))...))
	main := kit.NewCard(kit.Column(20, w.notice, field, w.found, w.which, w.when, w.promise))
	side := kit.NewCardPad(20, kit.Column(16, kit.Title(s.say("paste.where")), p.steps(), kit.Flow(8, w.open), kit.Line(),
		kit.Column(6, kit.Strong(s.say("paste.good")), kit.Muted(s.say("paste.good_line")))))
	head := kit.PageHead(s.say("paste.title"), "", w.instead)
	page := kit.Page(nil, kit.Column(20, head, kit.TwoColumns(308, 640, main, side)), nil)
	foot := kit.Footer(w.cancel, w.status, w.keep)
	p.root.Objects = []fyne.CanvasObject{kit.FullPage(page, foot)}
	p.parts.drawn, p.parts.offered = nil, nil
	p.refresh()
	p.root.Refresh()
}

// steps are the way to a token in Meta's dashboard.
func (p *pasteScreen) steps() fyne.CanvasObject {
	var steps []*kit.Text
	for _, key := range []string{"paste.step1", "paste.step2", "paste.step3", "paste.step4"} {
		steps = append(steps, kit.NewText(p.s.say(key)))
	}
	return kit.Numbered(steps...)
}

// spin moves the bar while something is under way.
func (p *pasteScreen) spin() {
	if p.state.Asking || p.state.Saving {
		p.parts.bar.Show()
		p.parts.bar.Start()
	}
}

// refresh brings the page up to its state. What has not changed is left alone,
// so that a link in it keeps the focus.
func (p *pasteScreen) refresh() {
	w := &p.parts
	m := presentPaste(p.s.c, p.now())
	if !p.state.Asking && !p.state.Saving {
		w.bar.Stop()
		w.bar.Hide()
	}
	visible(w.found, len(m.Lines) > 0)
	w.note.SetText(m.Note)
	p.showLines(m.Lines)
	p.offer(m.Which)
	visible(w.when, m.When)
	w.promise.Objects = nil
	if m.Promise != "" {
		w.promise.Objects = []fyne.CanvasObject{kit.NewNoticeIcon(kit.Info, theme.IconRenew, "", m.Promise)}
	}
	visible(w.promise, m.Promise != "")
	w.notice.Objects = nil
	if m.Notice != nil {
		w.notice.Objects = []fyne.CanvasObject{kit.NewNotice(kit.Bad, sentence(m.Notice.Title), m.Notice.Happened+" "+m.Notice.Advice)}
	}
	visible(w.notice, m.Notice != nil)
	w.keep.SetEnabled(m.Keep)
	w.keep.Tip = "Ctrl+Enter"
	w.status.SetText(m.Status)
	p.root.Refresh()
}

// offer asks for which account it is meant, where it reaches several. What has
// not changed is left alone, so that a choice keeps the focus.
func (p *pasteScreen) offer(rows []chooseRow) {
	w := &p.parts
	visible(w.which, len(rows) > 0)
	if slices.Equal(rows, w.offered) {
		return
	}
	w.offered = rows
	w.which.RemoveAll()
	if len(rows) == 0 {
		return
	}
	var options []*kit.OptionRow
	var others []fyne.CanvasObject
	chosen := -1
	ids := []string{}
	for _, row := range rows {
		if !row.Reachable {
			others = append(others, kit.NewStatusLine(kit.Warn, "", row.Title, row.Line, false))
			continue
		}
		if row.ID == p.state.Pick {
			chosen = len(options)
		}
		ids = append(ids, row.ID)
		options = append(options, kit.NewOption(row.Title, row.Line))
	}
	kit.Options(chosen, func(i int) { p.state.Pick = ids[i]; p.refresh() }, options...)
	w.which.Add(kit.Strong(p.s.say("paste.which")))
	for _, o := range options {
		w.which.Add(o)
	}
	for _, o := range others {
		w.which.Add(o)
	}
	w.which.Refresh()
}

func (p *pasteScreen) showLines(lines []pasteLine) {
	w := &p.parts
	if w.drawn != nil && slices.Equal(lines, w.drawn) {
		return
	}
	w.drawn = append([]pasteLine{}, lines...)
	w.lines.RemoveAll()
	for i, l := range lines {
		if i > 0 {
			w.lines.Add(kit.Line())
		}
		var more []kit.Run
		if l.Link != "" {
			more = []kit.Run{{Words: l.Link, Tapped: func() { p.follow(l.Do) }}}
		}
		w.lines.Add(kit.NewStatusLine(kit.Tone(l.Tone), lineIcons[l.Icon], l.Title, l.Line, l.Tone == toneWarning || l.Tone == toneError, more...))
	}
	w.lines.Refresh()
}

var lineIcons = map[string]theme.IconName{"clock": theme.IconClock, "renew": theme.IconRenew, "info": theme.IconInfo}
