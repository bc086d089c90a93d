package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// secretPage is one field: the app's secret was forgotten, and a sign-in needs
// it. Everything else is known.
type secretPage struct {
	c *connectScreen
	s *shell
	f *flow

	field   *kit.SecretEntry
	box     *kit.FieldBox
	forget  *kit.Check
	next    *kit.Button
	back    *kit.Button
	filling bool
}

func newSecretPage(c *connectScreen) *secretPage {
	p := &secretPage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	f.marked = false
	m := presentApp(s.c, f.definition(), s.program())
	name := m.Secret
	p.field = kit.NewSecretEntry(s.run, name, s.say("connect.app.paste_here"))
	p.field.OnFilled = func(int) {
		if !p.filling {
			f.form.Secret, f.marked = p.field.Peek(), false
			p.refresh()
		}
	}
	p.field.OnSubmitted = func(string) { p.forward() }
	p.box = kit.NewSecretBox(name, p.field, s.say("connect.app.forgotten"), 1)
	p.forget = kit.NewCheck(s.say("connect.app.forget"), m.Forget, !f.form.Keep, func(on bool) { f.form.Keep = !on })
	p.next = kit.NewButton(s.say("connect.continue"), kit.High, p.forward).Then(theme.IconForward).WithTip("Ctrl+Enter")
	p.back = kit.NewButton(s.say("connect.back"), kit.Medium, func() { f.to(stageScopes) }).With(theme.IconBack).WithTip("Esc")
	return p
}

func (p *secretPage) build() []fyne.CanvasObject {
	s, f := p.s, p.f
	title := s.say("connect.secret.title")
	if f.form.Expect != "" {
		title = s.say("connect.secret.title_as", text.Args{"username": f.form.Expect})
	}
	card := kit.NewCard(kit.Column(16, kit.Column(2, kit.Subheading(title), kit.Muted(joined(f.definition().Name, f.form.App))),
		p.box, p.forget,
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(s.appOf(f.definition()).Places)...)))
	return []fyne.CanvasObject{p.c.head(2), kit.AtMost(560, card)}
}

func (p *secretPage) footer() footer {
	return footer{left: p.c.cancelButton(), right: []fyne.CanvasObject{p.back, p.next}}
}

func (p *secretPage) refresh() {
	if p.f.marked && p.f.form.Secret.Empty() {
		p.box.Say(kit.Bad, p.s.c.Tell(problem.New(problem.FieldEmpty)).Title)
	} else {
		p.box.Say(kit.Neutral, "")
	}
}

// forward signs in with what was typed, and empties the field.
func (p *secretPage) forward() {
	if p.f.form.Secret.Empty() {
		p.f.marked = true
		p.refresh()
		p.s.focus(p.field)
		return
	}
	p.f.signIn()
}

func (p *secretPage) first() fyne.Focusable { return p.field }
func (p *secretPage) press()                { p.next.Tapped(nil) }
func (p *secretPage) escape() bool          { p.f.to(stageScopes); return true }
func (p *secretPage) leave() {
	p.field.Conceal()
	p.filling = true
	p.field.Put(secret.Text{})
	p.filling = false
}
