package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// scopesPage is Connect 2: what may it do.
type scopesPage struct {
	c *connectScreen
	s *shell
	f *flow

	checks  map[string]*kit.CheckRow
	presets []*kit.OptionRow
	// own: the person wants to choose, whatever the ticks happen to match.
	own  bool
	ask  *fyne.Container
	said string
	back *kit.Button
	next *kit.Button
}

func newScopesPage(c *connectScreen) *scopesPage {
	p := &scopesPage{c: c, s: c.s, f: c.f, checks: map[string]*kit.CheckRow{}}
	s, f := p.s, p.f
	m := p.model()
	for _, g := range m.Groups {
		for _, r := range g.Rows {
			locked := ""
			if r.Locked {
				locked = s.say("scope.choose.always")
			}
			p.checks[r.Name] = kit.NewCheckRow(r.Title, r.Line, r.Name, r.Ticked, locked, p.reasonOf(r), func(on bool) {
				p.own = false
				f.tick(r.Name, on)
			})
		}
	}
	for _, r := range m.Presets {
		p.presets = append(p.presets, kit.NewOption(r.Title, r.Line))
	}
	kit.Options(-1, p.choose, p.presets...)
	p.back = kit.NewButton(s.say("connect.back"), kit.Medium, func() { f.to(stageApp) }).With(theme.IconBack).WithTip("Esc")
	p.next = kit.NewButton(s.say("connect.continue"), kit.High, f.signInOrAsk).Then(theme.IconForward).WithTip("Ctrl+Enter")
	p.ask = kit.Over()
	return p
}

// reasonOf says why a permission cannot be left out.
func (p *scopesPage) reasonOf(r scopeRow) string {
	switch {
	case !r.Locked:
		return ""
	case p.f.definition().Renew.Empty():
		return p.s.say("connect.scopes.without")
	}
	return p.s.say("scope.choose.always_why")
}

func (p *scopesPage) model() scopesModel {
	m := presentScopes(p.s.c, p.f.definition(), p.f.form.Ticked)
	if p.own {
		for i := range m.Presets {
			m.Presets[i].Chosen = m.Presets[i].Own
		}
	}
	return m
}

// choose takes a task; the last one is the person's own choice.
func (p *scopesPage) choose(i int) {
	presets := p.model().Presets
	p.own = presets[i].Own
	if p.own {
		p.refresh()
		return
	}
	p.f.choosePreset(presets[i].Scopes)
}

var taskIcons = map[string]theme.IconName{"show": theme.IconPicture, "publish": theme.IconSend, "talk": theme.IconChat, "learn": theme.IconChart}

// byConfig is the page where the configuration of the app stands for the list.
func (p *scopesPage) byConfig() []fyne.CanvasObject {
	s := p.s
	card := kit.NewCard(kit.Column(14, kit.Title(s.say("connect.scopes.title")), kit.Column(6, kit.Strong(s.say("connect.scopes.by_config")),
		kit.Muted(s.say("connect.scopes.by_config_line", text.Args{"provider": p.f.definition().Name}))),
		kit.IconLine(theme.IconKey, theme.ColorMuted, kit.Run{Words: p.f.form.ConfigID, Mono: true})))
	p.said = p.model().Ask
	return []fyne.CanvasObject{p.c.head(1), kit.AtMost(640, card)}
}

func (p *scopesPage) build() []fyne.CanvasObject {
	s := p.s
	m := p.model()
	if p.f.configured() {
		return p.byConfig()
	}
	list := kit.Column(14, kit.Column(2, kit.Title(s.say("connect.scopes.title")), kit.Muted(m.Head)))
	for _, g := range m.Groups {
		var rows []fyne.CanvasObject
		for _, r := range g.Rows {
			rows = append(rows, p.checks[r.Name])
		}
		name := kit.TopRow(8, kit.NewIcon(taskIcons[g.Icon], theme.ColorPrimary, theme.SizeIcon), kit.Grow(kit.NewText(g.Title)))
		list.Add(kit.Line())
		if p.c.built {
			list.Add(kit.Column(10, name, kit.Lined(rows...)))
		} else {
			list.Add(kit.TopRow(0, kit.Fixed(140, name), kit.Grow(kit.Lined(rows...))))
		}
	}
	tasks := kit.Column(16, kit.Title(s.say("connect.scopes.presets")))
	for _, o := range p.presets {
		tasks.Add(o)
	}
	p.said = ""
	side := kit.Column(16)
	if len(p.presets) > 1 {
		side.Add(kit.NewCardPad(20, tasks))
	}
	if len(m.Groups) == 0 {
		list.Add(kit.NewText(s.say("connect.scopes.none")))
	} else {
		side.Add(p.ask)
	}
	if p.f.definition().Meta() {
		side.Add(kit.NewNoticeIcon(kit.Quiet, theme.IconAccounts, "", s.say("scope.choose.review")).SmallText())
	}
	return []fyne.CanvasObject{p.c.head(1), p.c.columns(276, kit.NewCard(list), side)}
}

func (p *scopesPage) footer() footer {
	return footer{left: p.c.cancelButton(), right: []fyne.CanvasObject{p.back, p.next}}
}

func (p *scopesPage) refresh() {
	m := p.model()
	for _, g := range m.Groups {
		for _, r := range g.Rows {
			p.checks[r.Name].SetSelected(r.Ticked)
		}
	}
	for i, r := range m.Presets {
		p.presets[i].SetSelected(r.Chosen)
	}
	if p.said != m.Ask && !p.f.configured() {
		p.said = m.Ask
		p.ask.Objects = []fyne.CanvasObject{kit.NewNoticeButton(kit.Info, "", m.Ask, p.s.say("scope.choose.later"), []fyne.CanvasObject{}...)}
		p.ask.Refresh()
	}
	p.next.SetEnabled(!p.f.loading)
}

func (p *scopesPage) first() fyne.Focusable { return p.next }
func (p *scopesPage) press()                { p.next.Tapped(nil) }
func (p *scopesPage) leave()                {}
func (p *scopesPage) escape() bool          { p.f.to(stageApp); return true }
