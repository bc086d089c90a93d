package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// appPage is Connect 1: the credentials, and a look at them beforehand.
type appPage struct {
	c *connectScreen
	s *shell
	f *flow

	saved     *kit.Select
	names     []string
	provider  *kit.OptionRow
	id        *kit.Entry
	idBox     *kit.FieldBox
	idSaved   *kit.ReadOnly
	secret    *kit.SecretEntry
	secretBox *kit.FieldBox
	forget    *kit.Check
	redirect  *kit.CopyField
	again     *kit.Button
	goOn      *kit.Text
	next      *kit.Button

	// lines holds the findings; drawn is what they were last drawn from.
	lines   *fyne.Container
	summary *kit.Text
	drawn   []checkLine
	filling bool
}

func newAppPage(c *connectScreen) *appPage {
	p := &appPage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	named := text.Args{"provider": f.definition().Name}
	p.saved = kit.NewSelect(s.say("connect.app.saved"), nil, 0, p.chosen)
	p.provider = kit.NewOptionCard(f.definition().Name, s.say("connect.app.provider_line"))
	kit.Options(0, nil, p.provider)
	p.id = kit.NewMonoEntry(s.say("connect.app.client_id", named), s.say("connect.app.paste_here"))
	p.id.SetText(f.form.ClientID)
	p.id.OnChanged = func(typed string) {
		if f.form.ClientID != typed {
			f.form.ClientID = typed
			f.edited()
		}
	}
	p.idBox = kit.NewFieldBox(s.say("connect.app.client_id", named), p.id, "", 1)
	p.idSaved = kit.NewReadOnly(s.say("connect.app.client_id", named), f.form.ClientID)
	p.secret = kit.NewSecretEntry(s.run, s.say("connect.app.client_secret", named), s.say("connect.app.paste_here"))
	p.secretBox = kit.NewSecretBox(s.say("connect.app.client_secret", named), p.secret, "", 1)
	p.secret.OnFilled = func(int) {
		if !p.filling {
			f.form.Secret = p.secret.Peek()
			f.edited()
		}
	}
	p.forget = kit.NewCheck(s.say("connect.app.forget"), s.say("connect.app.forget_line"), !f.form.Keep, func(on bool) { f.form.Keep = !on })
	p.redirect = kit.NewCopyField(s.run, s.say("connect.app.redirect"), f.form.Redirect, s.say("connect.app.copy"), s.say("connect.app.copied"), s.copyPlain)
	p.again = kit.NewButton(s.say("connect.app.check_again"), kit.Low, f.check).With(theme.IconRefresh)
	p.goOn = kit.Caption("").Trailing()
	p.next = kit.NewButton(s.say("connect.continue"), kit.High, p.forward).Then(theme.IconForward).WithTip("Ctrl+Enter")
	p.lines, p.summary = kit.Column(12), kit.Caption("")
	p.fill(f.form.Secret)
	return p
}

// fill puts a secret into its field without taking it for typing.
func (p *appPage) fill(value secret.Text) {
	p.filling = true
	p.secret.Put(value)
	p.filling = false
}

func (p *appPage) build() []fyne.CanvasObject {
	s, f := p.s, p.f
	head := kit.Row(12, kit.Grow(kit.Title(s.say("connect.app.title"))))
	if len(f.apps) > 0 {
		head.Add(kit.Muted(s.say("connect.app.saved")).Whole())
		head.Add(kit.Fixed(150, p.saved))
	}
	idPart := fyne.CanvasObject(p.idBox)
	if f.form.App != "" {
		idPart = kit.Column(6, kit.Strong(s.say("connect.app.client_id", text.Args{"provider": f.definition().Name})), p.idSaved)
	}
	secretPart := kit.Column(4, p.secretBox)
	if !f.form.SecretKept {
		secretPart.Add(p.forget)
	}
	parts := []fyne.CanvasObject{kit.Column(12, head, kit.AtMost(154, p.provider))}
	if s.practising && f.form.App == "" && s.params.PracticeID != "" {
		parts = append(parts, p.sheet())
	}
	parts = append(parts, idPart, secretPart,
		kit.Column(6, kit.Strong(s.say("connect.app.redirect")), p.redirect,
			kit.IconLine(theme.IconCorner, theme.ColorMuted, kit.Runs(s.say("connect.app.redirect_hint"))...)),
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(s.say("connect.app.places", text.Args{"program": s.program()}))...))
	check := kit.NewCardPad(20, kit.Column(16,
		kit.Column(2, kit.Row(0, kit.Grow(kit.Title(s.say("connect.app.check"))), kit.Inset(0, -lowInset*theme.Scale(), 0, -8, p.again)), p.summary),
		p.lines,
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(s.say("connect.app.check_foot"))...)))
	p.drawn = nil
	return []fyne.CanvasObject{p.c.head(0), p.c.columns(308, kit.NewCard(kit.Column(16, parts...)), check)}
}

// sheet shows what the pretend provider takes. It is public, so it is in sight.
func (p *appPage) sheet() fyne.CanvasObject {
	s := p.s
	values := kit.Column(2,
		kit.Strong(s.say("practice.sheet")),
		kit.Mono(s.params.PracticeID).Sized(theme.SizeCaption),
		kit.Mono(s.params.PracticeSecret.Reveal()).Sized(theme.SizeCaption),
		kit.Gap(6),
		kit.Flow(8, kit.NewButton(s.say("practice.fill"), kit.Medium, p.fillPractice)))
	return kit.SoftBox(kit.Info, values)
}

func (p *appPage) fillPractice() {
	p.f.fillPractice()
	p.id.SetText(p.f.form.ClientID)
	p.fill(p.f.form.Secret)
	p.s.focus(p.next)
}

// chosen takes another saved app, or a new one.
func (p *appPage) chosen(i int) {
	name := ""
	if i > 0 && i < len(p.names) {
		name = p.names[i]
	}
	p.f.form.Secret = secret.Text{}
	p.f.chooseApp(name, false)
	p.f.to(stageApp)
	if p.f.filled() {
		p.f.check()
	}
}

// forward is Continue: it marks an empty field and goes there, and is held up
// by nothing else.
func (p *appPage) forward() {
	p.f.next()
	if p.f.stage != stageApp {
		return
	}
	if p.f.form.ClientID == "" {
		p.s.focus(p.id)
	} else {
		p.s.focus(p.secret)
	}
}

func (p *appPage) footer() footer {
	return footer{left: p.c.cancelButton(), note: p.goOn, right: []fyne.CanvasObject{p.next}}
}

func (p *appPage) refresh() {
	s, f := p.s, p.f
	names := []string{s.say("connect.app.new")}
	at := 0
	for _, a := range f.apps {
		if a.Name == f.form.App {
			at = len(names)
		}
		names = append(names, a.Name)
	}
	if !slices.Equal(names, p.names) || p.saved.Selected() != at {
		grown := len(names) > 1 && len(p.names) == 1
		p.names = names
		p.saved.SetOptions(names, at)
		if grown {
			// The list was empty when the page was built.
			p.c.build()
			return
		}
	}
	p.redirect.Set(f.form.Redirect)
	h := clientIDHint(s.c, f.form.ClientID, f.marked)
	p.idBox.Say(kit.Tone(h.Tone), h.Words)
	switch {
	case f.form.SecretKept:
		p.secretBox.Say(kit.Neutral, s.say("connect.app.kept", text.Args{"program": s.program()}))
	case f.marked && f.form.Secret.Empty():
		p.secretBox.Say(kit.Bad, s.c.Tell(problem.New(problem.FieldEmpty)).Title)
	case f.form.App != "" && f.form.Secret.Empty():
		p.secretBox.Say(kit.Neutral, s.say("connect.app.forgotten"))
	default:
		p.secretBox.Say(kit.Neutral, "")
	}
	p.again.SetEnabled(f.filled() && !f.checking)
	p.showLines()
}

// showLines draws the findings. What has not changed is left alone, so that a
// link in it keeps the focus.
func (p *appPage) showLines() {
	s, f := p.s, p.f
	lines := f.shownLines()
	switch {
	case f.checking && len(lines) == 0:
		p.summary.SetText(s.say("connect.app.check_running"))
	case !f.checking && !f.checked && len(lines) == 0:
		p.summary.SetText(s.say("connect.app.check_idle"))
	default:
		p.summary.SetText(checkSummary(s.c, lines))
	}
	p.goOn.SetText(goOn(s.c, lines))
	visible(p.goOn, p.goOn.Words() != "")
	if p.drawn != nil && slices.Equal(lines, p.drawn) {
		return
	}
	p.drawn = append([]checkLine{}, lines...)
	p.lines.RemoveAll()
	for i, l := range lines {
		tone, icon := kit.Tone(l.Tone), theme.IconName("")
		if l.Tone == toneNeutral {
			icon = theme.IconEye
		}
		var more []kit.Run
		if pr := f.lines[i].Problem; pr != nil && movable(pr.Key) {
			more = []kit.Run{{Words: s.say("connect.app.other_port"), Tapped: f.otherPort}}
		}
		if i > 0 {
			p.lines.Add(kit.Line())
		}
		p.lines.Add(kit.NewStatusLine(tone, icon, l.Title, l.Line, l.Tone == toneWarning, more...))
	}
	p.lines.Refresh()
	p.c.root.Refresh()
}

// movable reports whether another port mends a problem.
func movable(key problem.Key) bool {
	switch key {
	case problem.PortTaken, problem.PortTakenV6, problem.PortBlocked, problem.PortPrivileged:
		return true
	}
	return false
}

func (p *appPage) first() fyne.Focusable {
	switch {
	case p.f.form.App == "" && p.f.form.ClientID == "":
		return p.id
	case !p.f.filled():
		return p.secret
	}
	return p.next
}

func (p *appPage) press() { p.next.Tapped(nil) }

// leave empties the secret's field: what was typed is in the form, as a secret.
func (p *appPage) leave() {
	p.f.endCheck()
	p.secret.Conceal()
	p.fill(secret.Text{})
}
