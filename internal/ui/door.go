package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// doorScreen asks two questions and recommends a door.
type doorScreen struct {
	s        *shell
	root     *fyne.Container
	own, app answer
	advice   *fyne.Container
	first    fyne.Focusable
	high     *kit.Button
}

// goDoor opens "Which door?".
func (s *shell) goDoor() {
	if s.core != nil {
		s.show(newDoor(s), placeGuide)
	}
}

func newDoor(s *shell) *doorScreen {
	d := &doorScreen{s: s, root: kit.Over()}
	d.build()
	return d
}

func (d *doorScreen) view() fyne.CanvasObject { return d.root }
func (d *doorScreen) left()                   {}
func (d *doorScreen) shown()                  { d.s.focus(d.first) }
func (d *doorScreen) arrange()                { d.build(); d.s.refocus(d.first) }
func (d *doorScreen) press() {
	if d.high != nil {
		d.high.Tapped(nil)
	}
}

func (d *doorScreen) build() {
	s := d.s
	d.advice = kit.Column(0)
	own, first := d.question("help.door.own", d.own, func(a answer) { d.own = a; d.recommend() })
	app, _ := d.question("help.door.app", d.app, func(a answer) { d.app = a; d.recommend() })
	d.first = first
	what := kit.NewNoticeButton(kit.Quiet, theme.IconHelp, s.say("help.door.what"), s.say("help.door.what_line"))
	back := kit.NewButton(s.say("connect.back"), kit.Medium, s.back).With(theme.IconBack).WithTip("Esc")
	d.root.Objects = []fyne.CanvasObject{kit.Page(kit.PageHead(s.say("help.door.title"), s.say("help.door.line")),
		kit.AtMost(720, kit.Column(16, kit.NewCard(kit.Lined(own, app)), d.advice, what)), kit.Footer(back, nil))}
	d.recommend()
	d.root.Refresh()
}

// question is one with its two answers, neither of them chosen beforehand.
func (d *doorScreen) question(key string, given answer, then func(answer)) (fyne.CanvasObject, fyne.Focusable) {
	s := d.s
	first, second := kit.NewOption(s.say(key+"_yes"), s.say(key+"_yes_line")), kit.NewOption(s.say(key+"_no"), s.say(key+"_no_line"))
	kit.Options(int(given)-1, func(i int) { then(answer(i + 1)) }, first, second)
	return kit.Column(12, kit.Title(s.say(key)), first, second), first
}

// recommend says which door it is, once both questions are answered.
func (d *doorScreen) recommend() {
	s := d.s
	d.advice.RemoveAll()
	d.high = nil
	if a, ok := presentDoor(s.c, d.own, d.app); ok {
		door := kit.NewButton(a.Door, kit.High, func() { s.openDoor(a) })
		guide := kit.NewButton(a.Guide, kit.Medium, func() { s.openAdvised(a) }).With(theme.IconBook)
		buttons := []fyne.CanvasObject{door, guide}
		d.high = door
		if a.GuideFirst {
			door.SetKind(kit.Medium)
			guide.SetKind(kit.High)
			buttons, d.high = []fyne.CanvasObject{guide, door}, guide
		}
		d.advice.Add(kit.NewCard(kit.Column(12, kit.Subheading(a.Title), kit.NewText(a.Words), kit.Flow(8, buttons...))))
	}
	d.root.Refresh()
}

func (s *shell) openDoor(a doorAdvice) {
	if a.Paste {
		s.goPaste()
		return
	}
	s.connectWith("instagram")
}

// openAdvised opens the recipe that goes with a door, where it begins for
// this person.
func (s *shell) openAdvised(a doorAdvice) {
	at := -1
	for _, r := range s.definition("instagram").Recipes {
		if r.Name == a.Recipe && a.Step != "" {
			at = slices.IndexFunc(r.Steps, func(step provider.RecipeStep) bool { return step.Name == a.Step })
		}
	}
	s.openGuide("instagram", a.Recipe, at)
}
