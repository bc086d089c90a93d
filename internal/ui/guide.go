package ui

import (
	"context"
	"maps"
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// guide is what the guide remembers while the window is open.
type guide struct {
	// values were pasted into its steps, by provider. They are in memory only:
	// Connect takes them, and a library never sees them.
	values map[string]guideValues
	// progress is what the library keeps of each recipe, once it was read.
	progress map[string]guideProgress
	known    bool
	// scenario and pretended are the mishaps of the practice ground that are on.
	scenario  string
	pretended pretences
}

// guideValues are what a person took from a provider's dashboard, or will put
// into it.
type guideValues struct {
	ClientID, ConfigID, Redirect, Username string
	Secret                                 secret.Text
}

// openGuide opens a recipe of a provider at a step, counted from 0; without a
// recipe, or with one that is not known, the list of them. A step below 0 is
// the first one that is not done.
func (s *shell) openGuide(id, recipe string, step int) {
	if s.core == nil {
		return
	}
	d := s.definition(id)
	at := slices.IndexFunc(d.Recipes, func(r provider.Recipe) bool { return r.Name == recipe && len(r.Steps) > 0 })
	if at < 0 {
		s.goGuide()
		return
	}
	s.readProgress(func() { s.show(newRecipe(s, d, d.Recipes[at], step), placeGuide) })
}

// goGuide opens the list of recipes.
func (s *shell) goGuide() {
	if s.core == nil {
		return
	}
	if _, ok := s.current.(*guideScreen); ok {
		return
	}
	s.readProgress(func() { s.show(newGuide(s), placeGuide) })
}

// readProgress reads once what the library keeps of the recipes; then is
// called with it known, at once where it is already.
func (s *shell) readProgress(then func()) {
	if s.guide.known {
		then()
		return
	}
	core, ctx, from := s.core, s.coreCtx, s.current
	names := map[string]bool{}
	for _, d := range core.Providers() {
		for _, r := range d.Recipes {
			names[r.Name] = true
		}
	}
	work(s, ctx, func(ctx context.Context) (map[string]guideProgress, error) {
		all := map[string]guideProgress{}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			kept, err := core.Setting(ctx, guideSetting(name))
			if err != nil {
				return all, err
			}
			all[name] = readProgress(kept)
		}
		return all, nil
	}, func(all map[string]guideProgress, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		// Progress that cannot be read is no reason to withhold the guide.
		s.guide.progress, s.guide.known = all, true
		if s.current == from {
			then()
		}
	})
}

// keepProgress remembers a recipe's progress, here and in the library.
func (s *shell) keepProgress(recipe string, p guideProgress) {
	if s.guide.progress == nil {
		s.guide.progress = map[string]guideProgress{}
	}
	s.guide.progress[recipe] = p
	core := s.core
	s.do(s.coreCtx, func(ctx context.Context) error { return core.SetSetting(ctx, guideSetting(recipe), p.encode()) },
		func(p *problem.Problem) { s.tell(p) })
}

// changeGuide lets go of what belongs to the side that is left: what is typed
// while one practises never reaches a real sign-in, and the other way round.
// What the guide was given on the real side waits, in memory, until the person
// comes back from practising.
func (s *shell) changeGuide(to Core) {
	if s.core != nil && s.core == s.real {
		s.realValues = s.guide.values
	}
	s.guide = guide{}
	if to == s.real {
		s.guide.values = s.realValues
	}
}

// valuesOf is what the guide has of a provider. The address that it is to be
// told is the definition's own until there is another.
func (s *shell) valuesOf(d provider.Definition) guideValues {
	v := s.guide.values[d.ID]
	if v.Redirect == "" {
		v.Redirect = d.Redirect.Default
	}
	return v
}

func (s *shell) keepValues(id string, v guideValues) {
	if s.guide.values == nil {
		s.guide.values = map[string]guideValues{}
	}
	s.guide.values[id] = v
}

// guideScreen is the list of recipes, and the ways to everything else that
// explains something.
type guideScreen struct {
	s     *shell
	root  *fyne.Container
	first fyne.Focusable
}

func newGuide(s *shell) *guideScreen {
	g := &guideScreen{s: s, root: kit.Over()}
	g.build()
	return g
}

func (g *guideScreen) view() fyne.CanvasObject { return g.root }
func (g *guideScreen) left()                   {}
func (g *guideScreen) arrange()                { g.build(); g.s.refocus(g.first) }

// shown builds it anew: a recipe may have gone on meanwhile.
func (g *guideScreen) shown() {
	g.build()
	if g.first != nil {
		g.s.focus(g.first)
	}
}

func (g *guideScreen) build() {
	s := g.s
	rows := presentRecipes(s.c, s.core.Providers(), s.guide.progress, s.now())
	var list []fyne.CanvasObject
	g.first = nil
	for _, r := range rows {
		row, button := g.row(r)
		if g.first == nil {
			g.first = button
		}
		list = append(list, row)
	}
	recipes := kit.NewCard(kit.Lined(list...))
	help := kit.Column(12,
		kit.NewActionCard(theme.IconHelp, s.say("help.door.title"), s.say("help.door.line"), s.goDoor),
		kit.NewActionCard(theme.IconSearch, s.say("help.messages.title"), s.say("help.messages.line"), s.goMessages),
		kit.NewActionCard(theme.IconBook, s.say("help.words.title"), s.say("help.words.line"), s.goWords))
	if s.practising {
		help.Add(kit.NewActionCard(theme.IconCheckList, s.say("help.practice.title"), s.say("help.practice.line"), s.goMishaps))
	}
	g.root.Objects = []fyne.CanvasObject{kit.Page(kit.PageHead(s.say("help.title"), s.say("help.line")), kit.TwoColumns(276, 700, recipes, help), nil)}
	g.root.Refresh()
}

func (g *guideScreen) row(r recipeRow) (fyne.CanvasObject, *kit.Button) {
	s := g.s
	button := kit.NewButton(r.Open, kit.Medium, func() { s.openGuide(r.Provider, r.Recipe, -1) }).WithTip(r.Title)
	facts := kit.Row(12, kit.Caption(r.Steps).Whole())
	if r.Progress != "" {
		facts = kit.Row(12, kit.Fixed(72, kit.NewLifeBar(r.Share, kit.Fine, "")), kit.Caption(r.Progress).Whole())
	}
	icon, ink := theme.IconCalendar, theme.ColorMuted
	if r.Old {
		icon, ink = theme.IconWarning, theme.ColorWarning
	}
	checked := kit.IconLine(icon, ink, kit.Runs(r.Checked)...)
	words := kit.Column(6, kit.Column(2, kit.Strong(r.Title), kit.Muted(r.Line)), kit.Flow(16, kit.Row(0, facts), checked))
	return kit.Row(16, kit.Grow(words), button), button
}
