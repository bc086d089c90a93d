package ui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
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
	m appModel

	saved *kit.Select
	names []string
	// cards are the services that have one, and the other ones behind the last;
	// shelf are those others, ids, and more their select.
	cards     []*kit.OptionRow
	shelf     []string
	more      *kit.Select
	add       *kit.Button
	id        *kit.Entry
	idBox     *kit.FieldBox
	idSaved   *kit.ReadOnly
	secret    *kit.SecretEntry
	secretBox *kit.FieldBox
	config    *kit.Entry
	configBox *kit.FieldBox
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
	hinted  bool
}

func newAppPage(c *connectScreen) *appPage {
	p := &appPage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	d := f.definition()
	p.m = s.appOf(d)
	p.saved = kit.NewSelect(s.say("connect.app.saved"), nil, 0, p.chosen)
	p.makeCards()
	p.id = kit.NewMonoEntry(p.m.ID, s.say("connect.app.paste_here"))
	p.id.SetText(f.form.ClientID)
	p.id.OnChanged = func(typed string) {
		if f.form.ClientID != typed {
			f.form.ClientID = typed
			f.edited()
		}
	}
	p.idBox = kit.NewFieldBox(p.m.ID, p.id, "", 1)
	p.idSaved = kit.NewReadOnly(p.m.ID, f.form.ClientID)
	p.secret = kit.NewSecretEntry(s.run, p.m.Secret, s.say("connect.app.paste_here"))
	p.secretBox = kit.NewSecretBox(p.m.Secret, p.secret, "", 1)
	p.secret.OnFilled = func(int) {
		if !p.filling {
			f.form.Secret = p.secret.Peek()
			f.edited()
		}
	}
	p.config = kit.NewMonoEntry(s.say("connect.app.config"), s.say("connect.app.config_none"))
	p.config.SetText(f.form.ConfigID)
	p.config.OnChanged = func(typed string) {
		if f.form.ConfigID != typed {
			f.form.ConfigID = typed
			f.edited()
		}
	}
	p.configBox = kit.NewFieldBox(s.say("connect.app.config"), p.config, s.say("connect.app.config_hint"), 1)
	p.forget = kit.NewCheck(s.say("connect.app.forget"), p.m.Forget, !f.form.Keep, func(on bool) { f.form.Keep = !on })
	p.redirect = kit.NewCopyField(s.run, s.say("connect.app.redirect"), f.form.Redirect, s.say("connect.app.copy"), s.say("connect.app.copied"), s.copyPlain)
	p.again = kit.NewButton(s.say("connect.app.check_again"), kit.Low, f.check).With(theme.IconRefresh)
	p.goOn = kit.Caption("").Trailing()
	p.next = kit.NewButton(s.say("connect.continue"), kit.High, p.forward).Then(theme.IconForward).WithTip("Ctrl+Enter")
	p.lines, p.summary = kit.Column(12), kit.Caption("")
	p.fill(f.form.Secret)
	return p
}

// makeCards makes the choice of a service: those that have a card, and one card
// for all others.
func (p *appPage) makeCards() {
	s, f := p.s, p.f
	at := -1
	for _, id := range carded {
		d := s.definition(id)
		if d.ID == "" {
			continue
		}
		m := presentApp(s.c, d, s.program())
		if id == f.form.Provider {
			at = len(p.cards)
		}
		p.cards = append(p.cards, kit.NewOptionCard(m.Card, m.Line))
	}
	if at < 0 {
		at = len(p.cards)
	}
	p.cards = append(p.cards, kit.NewOptionCard(s.say("connect.service.card"), s.say("connect.service.line")))
	kit.Options(at, p.pickCard, p.cards...)
	names, chosen := []string{}, 0
	for _, d := range s.otherServices() {
		if d.ID == f.form.Provider {
			chosen = len(names)
		}
		p.shelf = append(p.shelf, d.ID)
		names = append(names, s.nameOf(d))
	}
	if !s.practising {
		if f.form.Provider == "" {
			chosen = len(names)
		}
		names = append(names, s.say("connect.service.new"))
	}
	p.more = kit.NewSelect(s.say("connect.service.which"), names, chosen, p.pickOther)
	p.add = kit.NewButton(s.say("connect.service.add"), kit.Medium, func() { f.to(stageServer) }).With(theme.IconAdd)
}

// otherServices are those behind the last card. In practice they are those that
// the pretend provider plays, whatever became of the real ones.
func (s *shell) otherServices() []provider.Definition {
	if s.practising {
		return slices.DeleteFunc(s.practised(), func(d provider.Definition) bool { return slices.Contains(carded, d.ID) })
	}
	return otherServices(s.core.Providers())
}

// appOf is what Connect 1 says for d on this side.
func (s *shell) appOf(d provider.Definition) appModel {
	m := presentApp(s.c, d, s.program())
	if s.practising && d.ID != "" {
		// The pretend provider is on this computer.
		m.Places = s.say("connect.app.places_practice", text.Args{"provider": d.Name, "program": s.program()})
		m.CheckFoot = s.say("connect.app.check_foot")
	}
	return m
}

// others reports whether the last card is chosen.
func (p *appPage) others() bool { return !slices.Contains(carded, p.f.form.Provider) }

func (p *appPage) pickCard(i int) {
	ids := slices.DeleteFunc(slices.Clone(carded), func(id string) bool { return p.s.definition(id).ID == "" })
	id := ""
	switch {
	case i < len(ids):
		id = ids[i]
	case p.others():
		return
	case len(p.shelf) > 0:
		id = p.shelf[0]
	}
	p.pick(id, func(n *appPage) fyne.Focusable { return n.cards[i] })
}

func (p *appPage) pickOther(i int) {
	id := ""
	if i < len(p.shelf) {
		id = p.shelf[i]
	}
	p.pick(id, func(n *appPage) fyne.Focusable { return n.more })
}

// pick takes another service. The page is made anew, and the focus stays on
// what was pressed.
func (p *appPage) pick(id string, focus func(*appPage) fyne.Focusable) {
	if id == p.f.form.Provider && p.f.form.App == "" {
		return
	}
	if p.f.form.App != "" {
		p.f.chooseApp("", false)
	}
	p.f.choose(id)
	p.f.to(stageApp)
	if now, ok := p.c.page.(*appPage); ok && p.f.shown {
		p.s.focus(focus(now))
	}
	if p.f.filled() {
		p.f.edited()
	}
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
	parts := []fyne.CanvasObject{kit.Column(12, head, p.cardRows())}
	if p.others() {
		service := kit.Column(12)
		if len(p.more.Seen().Text) > 0 && (len(p.shelf) > 0) {
			service.Add(kit.Column(6, kit.Strong(s.say("connect.service.which")), kit.AtMost(360, p.more)))
		}
		if f.form.Provider == "" {
			service.Add(kit.Muted(s.say("connect.service.about")))
			service.Add(kit.Flow(8, p.add))
		}
		parts = append(parts, service)
	}
	for i, pr := range f.core.ProviderProblems() {
		if i == 3 {
			break
		}
		told := s.c.Tell(pr)
		parts = append(parts, kit.NewNotice(kit.Warn, sentence(told.Title), told.Happened+" "+told.Advice).SmallText())
	}
	switch {
	case f.form.Provider == "":
	case f.unconfirmed():
		// Nothing is typed for hosts that nobody has agreed to (ATT-8).
		parts = append(parts, kit.NewNoticeButton(kit.Warn, theme.IconShield, "", s.say("connect.hosts.first", text.Args{"provider": f.definition().Name}),
			kit.NewButton(s.say("connect.hosts.look"), kit.Medium, p.forward)))
	default:
		parts = append(parts, p.fields()...)
	}
	foot := p.m.CheckFoot
	if f.form.Provider == "" {
		foot = s.say("connect.app.check_foot")
	}
	check := kit.NewCardPad(20, kit.Column(16,
		kit.Column(2, kit.Row(0, kit.Grow(kit.Title(s.say("connect.app.check"))), kit.Inset(0, -lowInset*theme.Scale(), 0, -8, p.again)), p.summary),
		p.lines,
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(foot)...)))
	p.drawn = nil
	return []fyne.CanvasObject{p.c.head(0), p.c.columns(308, kit.NewCard(kit.Column(16, parts...)), check)}
}

// cardRows sets the cards two by two: words and numbers need their room.
func (p *appPage) cardRows() fyne.CanvasObject {
	rows := kit.Column(12)
	for i := 0; i < len(p.cards); i += 2 {
		if i+1 == len(p.cards) {
			rows.Add(kit.Columns(12, 0, []float32{1, 1}, p.cards[i], kit.Gap(1)))
			continue
		}
		rows.Add(kit.Columns(12, 0, []float32{1, 1}, p.cards[i], p.cards[i+1]))
	}
	return rows
}

// fields are the credentials of the chosen service.
func (p *appPage) fields() []fyne.CanvasObject {
	s, f := p.s, p.f
	var parts []fyne.CanvasObject
	if id, _ := f.practiceValues(); s.practising && f.form.App == "" && id != "" {
		parts = append(parts, p.sheet())
	}
	if p.m.Ended != "" {
		parts = append(parts, p.ended())
	}
	idPart := fyne.CanvasObject(p.idBox)
	if f.form.App != "" {
		idPart = kit.Column(6, kit.Strong(p.m.ID), p.idSaved)
	}
	secretPart := kit.Column(4, p.secretBox)
	if !f.form.SecretKept {
		secretPart.Add(p.forget)
	}
	parts = append(parts, idPart, secretPart)
	if p.m.Config && f.form.App == "" {
		parts = append(parts, p.configBox)
	}
	return append(parts,
		kit.Column(6, kit.Strong(s.say("connect.app.redirect")), p.redirect,
			kit.IconLine(theme.IconCorner, theme.ColorMuted, kit.Runs(p.m.RedirectHint)...)),
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(p.m.Places)...))
}

// ended explains a service that its owner has switched off, with the one that
// took its place. In practice the past can be replayed.
func (p *appPage) ended() fyne.CanvasObject {
	var links []kit.Run
	if args := (map[string]string{"replaced_by": p.f.definition().ReplacedBy}); !p.s.practising {
		if d, ok := p.s.otherProvider(args); ok {
			links = append(links, kit.Run{Words: p.s.say("connect.problem.switch_to", text.Args{"provider": d.Name}), Tapped: func() { p.f.switchProvider(args) }})
		}
	}
	return kit.NewNotice(kit.Warn, "", p.m.Ended, links...).SmallText()
}

// sheet shows what the pretend provider takes. It is public, so it is in sight.
func (p *appPage) sheet() fyne.CanvasObject {
	s := p.s
	id, value := p.f.practiceValues()
	values := kit.Column(2,
		kit.Strong(s.say("connect.app.sheet", text.Args{"provider": s.nameOf(p.f.definition())})),
		kit.Mono(id).Sized(theme.SizeCaption),
		kit.Mono(value.Reveal()).Sized(theme.SizeCaption),
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
// by nothing else. Hosts that nobody has agreed to come first (ATT-8).
func (p *appPage) forward() {
	if p.f.form.Provider == "" {
		p.f.to(stageServer)
		return
	}
	if p.f.unconfirmed() {
		p.f.confirmHosts(p.f.form.Provider, func() { p.f.to(stageApp) })
		return
	}
	p.f.next()
	if p.f.stage != stageApp {
		return
	}
	if strings.TrimSpace(p.f.form.ClientID) == "" {
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
	p.sayID()
	switch {
	case f.form.SecretKept:
		p.secretBox.Say(kit.Neutral, s.say("connect.app.kept", text.Args{"program": s.program()}))
	case f.marked && f.form.Secret.Empty() && !secretOptional(f.definition()):
		p.secretBox.Say(kit.Bad, s.c.Tell(problem.New(problem.FieldEmpty)).Title)
	case f.form.App != "" && f.form.Secret.Empty():
		p.secretBox.Say(kit.Neutral, s.say("connect.app.forgotten"))
	case secretOptional(f.definition()):
		p.secretBox.Say(kit.Neutral, s.say("connect.app.secret_optional"))
	default:
		p.secretBox.Say(kit.Neutral, "")
	}
	p.again.SetEnabled(f.filled() && !f.checking)
	p.showLines()
}

// sayID is the advice under the ID: what can be seen while typing, else what
// the provider has said about it.
func (p *appPage) sayID() {
	f := p.f
	h := idHint(p.s.c, f.definition(), f.form.ClientID, f.marked)
	if h.Words == "" || h.Tone == toneNeutral {
		for _, l := range f.lines {
			if l.Check != "client_id" || l.Problem == nil {
				continue
			}
			words := askedHint(p.s.c, f.definition(), l.Problem)
			if words == "" {
				continue
			}
			var more []kit.Run
			for _, a := range l.Problem.Actions() {
				if isGuide(a) {
					more = append(more, kit.Run{Words: p.s.say("connect.app.show_where"), Tapped: func() { f.openGuide(a) }})
					break
				}
			}
			if !p.hinted {
				// Said once: saying it anew would take the focus from its link.
				p.hinted = true
				p.idBox.Say(kit.Warn, words, more...)
			}
			return
		}
	}
	p.hinted = false
	p.idBox.Say(kit.Tone(h.Tone), h.Words)
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
		if i > 0 {
			p.lines.Add(kit.Line())
		}
		p.lines.Add(kit.NewStatusLine(tone, icon, l.Title, l.Line, l.Tone == toneWarning, p.lineDoors(f.lines[i])...))
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
	case p.f.form.Provider == "":
		return p.add
	case p.f.unconfirmed():
		return p.next
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

// unconfirmed reports whether the hosts of the chosen service are still a
// question: nothing is typed for them, or sent, before it is answered.
func (f *flow) unconfirmed() bool {
	return slices.ContainsFunc(f.core.Questions(), func(q provider.Question) bool { return q.ID == f.form.Provider })
}
