package ui

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// messagesScreen is the dictionary of what can go wrong.
type messagesScreen struct {
	s      *shell
	root   *fyne.Container
	all    []message
	found  []message
	typed  string
	search *kit.Entry
	list   *kit.List
	count  *kit.Text
}

// goMessages opens the dictionary.
func (s *shell) goMessages() {
	if s.core != nil {
		s.show(newMessages(s), placeGuide)
	}
}

func newMessages(s *shell) *messagesScreen {
	m := &messagesScreen{s: s, root: kit.Over(), all: presentMessages(s.c, s.core.Providers())}
	m.build()
	return m
}

func (m *messagesScreen) view() fyne.CanvasObject { return m.root }
func (m *messagesScreen) left()                   {}
func (m *messagesScreen) shown()                  { m.s.focus(m.search) }
func (m *messagesScreen) arrange()                { m.build(); m.s.refocus(m.search) }

func (m *messagesScreen) build() {
	s := m.s
	m.search = kit.NewSearch(s.say("help.messages.search"), s.say("help.messages.search_line"), m.filter)
	m.count = kit.Caption("")
	m.list = kit.NewList(s.say("help.messages.title"), func() int { return len(m.found) }, func() fyne.CanvasObject { return kit.NewLineRow() },
		func(id int, o fyne.CanvasObject) {
			row := o.(*kit.LineRow)
			row.Set(m.found[id].Title, strings.Join(m.found[id].Providers, ", "))
		})
	m.list.OnOpen = func(id int) { m.open(id) }
	m.search.SetText(m.typed)
	m.search.OnSubmitted = func(string) {
		if len(m.found) > 0 {
			m.open(0)
		}
	}
	m.filter(m.typed)
	back := kit.NewButton(s.say("connect.back"), kit.Medium, s.back).With(theme.IconBack).WithTip("Esc")
	head := kit.Column(16, kit.PageHead(s.say("help.messages.title"), s.say("help.messages.line")),
		kit.Row(16, kit.Grow(kit.AtMost(480, m.search)), m.count))
	m.root.Objects = []fyne.CanvasObject{kit.FixedPage(head, kit.NewCardPad(0, m.list), kit.Footer(back, nil))}
	m.root.Refresh()
}

func (m *messagesScreen) filter(typed string) {
	m.typed = typed
	m.found = findMessages(m.all, typed)
	m.count.SetText(m.s.c.Count("help.messages.count", len(m.found)))
	m.list.Refresh()
	m.root.Refresh()
}

// escape empties the search first.
func (m *messagesScreen) escape() bool {
	if m.typed == "" {
		return false
	}
	m.search.SetText("")
	return true
}

// open tells one of them: what it is, what happened, what to do, and the step
// of the guide where it is mended.
func (m *messagesScreen) open(id int) {
	if id < 0 || id >= len(m.found) {
		return
	}
	s, e := m.s, m.found[id]
	body := kit.Column(16, kit.NewText(e.Happened), kit.Column(4, kit.Strong(s.say("connect.problem.do")), kit.NewText(e.Advice)))
	if len(e.Providers) > 0 {
		body.Add(kit.Caption(s.say("help.messages.by", text.Args{"providers": strings.Join(e.Providers, ", ")})))
	}
	if len(e.Said) > 0 {
		said := e.Said
		if len(said) > 4 {
			said = said[:4]
		}
		box := kit.Column(4, kit.Caption(s.say("help.messages.said")))
		for _, words := range said {
			box.Add(kit.Micro(words))
		}
		body.Add(kit.SoftBox(kit.Quiet, box))
	}
	buttons := []kit.DialogButton{{Label: s.say("connect.warn.close"), Kind: kit.Medium, Harmless: true}}
	if do, label := m.remedy(e); do != nil {
		buttons = append(buttons, kit.DialogButton{Label: label, Kind: kit.High, Tapped: do})
	}
	s.open(kit.Dialog{Title: e.Title, Body: body, Buttons: buttons, Width: 560})
}

// remedy is the one button that makes sense without a sign-in at hand: the
// step of a recipe, or the place in this window.
func (m *messagesScreen) remedy(e message) (do func(), label string) {
	s := m.s
	for _, a := range e.Actions {
		switch {
		case strings.HasPrefix(string(a), "guide_"):
			d := s.definition(e.from)
			if recipe, step, ok := d.RecipeFor(a); ok {
				return func() { s.openGuide(d.ID, recipe.Name, step) }, s.c.Action(a)
			}
		case a == problem.TestVault || a == problem.OpenSettings:
			return s.goSettings, s.c.Action(a)
		}
	}
	return nil, ""
}

// wordsScreen explains the words that cannot be avoided.
type wordsScreen struct {
	s    *shell
	root *fyne.Container
	back *kit.Button
}

// goWords opens it.
func (s *shell) goWords() {
	w := &wordsScreen{s: s, root: kit.Over()}
	w.build()
	s.show(w, placeGuide)
}

func (w *wordsScreen) view() fyne.CanvasObject { return w.root }
func (w *wordsScreen) left()                   {}
func (w *wordsScreen) shown()                  { w.s.focus(w.back) }
func (w *wordsScreen) arrange()                { w.build(); w.s.refocus(w.back) }

func (w *wordsScreen) build() {
	s := w.s
	var rows []fyne.CanvasObject
	for _, word := range explained {
		rows = append(rows, kit.Columns(16, 520, []float32{-180, 1}, kit.Strong(s.say("help.word."+word+".title")), kit.NewText(s.say("help.word."+word+".body"))))
	}
	w.back = kit.NewButton(s.say("connect.back"), kit.Medium, s.back).With(theme.IconBack).WithTip("Esc")
	w.root.Objects = []fyne.CanvasObject{kit.Page(kit.PageHead(s.say("help.words.title"), s.say("help.words.line")),
		kit.AtMost(820, kit.NewCard(kit.Lined(rows...))), kit.Footer(w.back, nil))}
	w.root.Refresh()
}
