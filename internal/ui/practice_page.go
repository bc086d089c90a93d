package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// pretences are the two mishaps of the practice ground that happen on this
// computer; the others happen at the pretend provider.
type pretences struct{ Offline, VaultLocked bool }

// pretender is a core that can make believe; only a practising one does.
type pretender interface {
	Pretend(connect.Pretend)
}

// allIsWell is the scenario without a mishap, mishaps are the others, by the
// names that Params.Scenario takes. With the two pretences they are the ten
// of the chooser.
const allIsWell = "ok"

var mishaps = []string{"deny", "wrong-account", "not-invited", "wrong-id", "code-used", "redirect-mismatch", "ended", "password-changed"}

// practiceScreen chooses with which provider one practises, and what goes
// wrong there.
type practiceScreen struct {
	s     *shell
	root  *fyne.Container
	at    string
	first fyne.Focusable
	go1   *kit.Button
}

// goMishaps opens the practice ground's own page.
func (s *shell) goMishaps() {
	if s.core == nil || !s.practising {
		return
	}
	if _, ok := s.current.(*practiceScreen); ok {
		return
	}
	s.show(newPracticePage(s), placeGuide)
}

func newPracticePage(s *shell) *practiceScreen {
	p := &practiceScreen{s: s, root: kit.Over(), at: "instagram"}
	p.build()
	return p
}

func (p *practiceScreen) view() fyne.CanvasObject { return p.root }
func (p *practiceScreen) left()                   {}
func (p *practiceScreen) shown()                  { p.s.focus(p.first) }
func (p *practiceScreen) arrange()                { p.build(); p.s.refocus(p.first) }
func (p *practiceScreen) press()                  { p.go1.Tapped(nil) }

// registration is the app that the pretend provider knows, and its secret;
// both are public. Empty where there is none.
func (s *shell) registration(id string) (clientID string, clientSecret secret.Text) {
	if s.params.Registration != nil {
		return s.params.Registration(id)
	}
	if id == "instagram" {
		return s.params.PracticeID, s.params.PracticeSecret
	}
	return "", secret.Text{}
}

// nameOf is what a provider is called in a list. The general one is no brand,
// so its name is said in the window's language.
func (s *shell) nameOf(d provider.Definition) string {
	if d.ID == "oauth2" {
		return s.say("help.practice.other_server")
	}
	return d.Name
}

// practised are the providers with which one can practise.
func (s *shell) practised() []provider.Definition {
	return slices.DeleteFunc(slices.Clone(s.core.Providers()), func(d provider.Definition) bool {
		id, _ := s.registration(d.ID)
		return id == ""
	})
}

func (p *practiceScreen) build() {
	s := p.s
	all := s.practised()
	var options []*kit.OptionRow
	var shown []fyne.CanvasObject
	at := max(0, slices.IndexFunc(all, func(d provider.Definition) bool { return d.ID == p.at }))
	for _, d := range all {
		line := ""
		if d.Status == "retired" {
			line = s.say("help.practice.retired")
		}
		o := kit.NewOption(s.nameOf(d), line)
		options, shown = append(options, o), append(shown, o)
	}
	sheet := kit.Column(0)
	fill := func(i int) {
		p.at = all[i].ID
		p.sheet(sheet, all[i])
		p.root.Refresh()
	}
	providers := kit.Column(12, append([]fyne.CanvasObject{kit.Title(s.say("help.practice.with"))}, shown...)...)
	providers.Add(sheet)
	p.first, p.go1 = nil, nil
	if len(all) > 0 {
		kit.Options(at, fill, options...)
		p.first = options[at]
		p.sheet(sheet, all[at])
	}
	what := kit.Column(12, kit.Column(2, kit.Title(s.say("help.practice.title")), kit.Caption(s.say("help.practice.mishap_line"))))
	if s.params.Scenario != nil {
		what.Add(p.mishaps())
		what.Add(kit.Line())
	}
	// Beside each other they are in sight without scrolling.
	what.Add(kit.Column(6, kit.Caption(s.say("help.practice.here")), kit.Columns(12, 300, []float32{1, 1},
		kit.NewCheck(s.say("help.practice.offline"), s.say("help.practice.offline_line"), s.guide.pretended.Offline, func(on bool) {
			s.pretend(pretences{on, s.guide.pretended.VaultLocked})
		}),
		kit.NewCheck(s.say("help.practice.locked"), s.say("help.practice.locked_line"), s.guide.pretended.VaultLocked, func(on bool) {
			s.pretend(pretences{s.guide.pretended.Offline, on})
		}))))
	back := kit.NewButton(s.say("connect.back"), kit.Medium, s.back).With(theme.IconBack).WithTip("Esc")
	p.go1 = kit.NewButton(s.say("help.practice.go"), kit.High, func() { s.connectWith(p.at) }).Then(theme.IconForward).WithTip("Ctrl+Enter")
	if p.first == nil {
		p.first = p.go1
	}
	cards := []fyne.CanvasObject{kit.NewCard(what)}
	if len(all) > 0 {
		cards = append(cards, kit.NewCard(providers))
	}
	p.root.Objects = []fyne.CanvasObject{kit.Page(kit.PageHead(s.say("help.practice.page"), "", kit.Muted(s.say("help.practice.page_line")).Whole()),
		kit.Columns(20, 700, nil, cards...), kit.Footer(back, nil, p.go1))}
	p.root.Refresh()
}

// sheet shows what the pretend provider takes. It is public, so it is in sight.
func (p *practiceScreen) sheet(into *fyne.Container, d provider.Definition) {
	s := p.s
	id, pretended := s.registration(d.ID)
	value := func(name, shown string) fyne.CanvasObject {
		return kit.Column(4, kit.Caption(name), kit.NewCopyField(s.run, name, shown, s.say("connect.app.copy"), s.say("connect.app.copied"), s.copyPlain))
	}
	column := kit.Column(10, kit.Strong(s.say("help.practice.sheet", text.Args{"provider": s.nameOf(d)})),
		value(s.say("connect.app.client_id", text.Args{"provider": s.nameOf(d)}), id))
	if !pretended.Empty() {
		column.Add(value(s.say("connect.app.client_secret", text.Args{"provider": s.nameOf(d)}), pretended.Reveal()))
	}
	into.Objects = []fyne.CanvasObject{kit.SoftBox(kit.Quiet, column)}
}

// mishaps chooses what happens at the pretend provider.
func (p *practiceScreen) mishaps() fyne.CanvasObject {
	s := p.s
	names := append([]string{allIsWell}, mishaps...)
	var rows []*kit.OptionRow
	var shown []fyne.CanvasObject
	for _, name := range names {
		line := ""
		if name != allIsWell {
			line = s.say("help.mishap." + name + ".line")
		}
		row := kit.NewOption(s.say("help.mishap."+name+".title"), line)
		rows, shown = append(rows, row), append(shown, row)
	}
	kit.Options(max(0, slices.Index(names, s.guide.scenario)), func(i int) { s.chooseMishap(names[i]) }, rows...)
	return kit.Column(4, shown...)
}

// chooseMishap tells the pretend provider what shall happen from now on.
func (s *shell) chooseMishap(name string) {
	before := s.guide.scenario
	s.guide.scenario = name
	s.body.restrip()
	s.do(s.coreCtx, func(ctx context.Context) error { return s.params.Scenario(ctx, name) }, func(p *problem.Problem) {
		if p != nil {
			s.guide.scenario = before
			s.body.restrip()
			s.tell(p)
		}
	})
}

// pretend switches the two mishaps that happen on this computer.
func (s *shell) pretend(wanted pretences) {
	core, ok := s.core.(pretender)
	if !ok || !s.practising {
		return
	}
	core.Pretend(connect.Pretend{Offline: wanted.Offline, VaultLocked: wanted.VaultLocked})
	s.guide.pretended = wanted
	s.body.restrip()
	s.readStorage()
}

// endPretending puts everything right again before the practice ground is left.
func (s *shell) endPretending() {
	if !s.practising || s.guide.pretended == (pretences{}) {
		return
	}
	s.pretend(pretences{})
}

// presentMishaps says in few words what goes wrong just now, for the strip.
func presentMishaps(c *text.Catalogue, g guide) []string {
	var on []string
	if slices.Contains(mishaps, g.scenario) {
		on = append(on, c.Say("help.mishap."+g.scenario+".title"))
	}
	if g.pretended.Offline {
		on = append(on, c.Say("help.practice.offline"))
	}
	if g.pretended.VaultLocked {
		on = append(on, c.Say("help.practice.locked"))
	}
	return on
}
