package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// recipeScreen is one recipe, a step at a time: the provider's page on one
// side of the desk, this on the other.
type recipeScreen struct {
	s      *shell
	d      provider.Definition
	recipe provider.Recipe
	at     int
	root   *fyne.Container

	items  []*kit.StepItem
	choice *kit.Select
	share  *kit.LifeBar
	done   *kit.Text
	// page holds the step; model is what it was drawn from.
	page   *fyne.Container
	model  stepModel
	fields map[string]*kit.FieldBox
	hidden []*kit.SecretEntry
	next   *kit.Button
	first  fyne.Focusable
	// filling: a field is being filled, not typed into.
	filling bool

	// lines are what the step's own test found; test ends the running one.
	lines *fyne.Container
	found []connect.Line
	test  context.CancelFunc
	// turn counts the tests: what an earlier one still says is not heard.
	turn   int
	delay  func()
	isOpen bool
	// none: none of the menus that we know is the person's, at this step.
	none bool
}

func newRecipe(s *shell, d provider.Definition, r provider.Recipe, at int) *recipeScreen {
	g := &recipeScreen{s: s, d: d, recipe: r, root: kit.Over(), page: kit.Over()}
	if at < 0 || at >= len(r.Steps) {
		_, at = g.progress().count(r)
	}
	g.at = at
	g.build()
	return g
}

func (g *recipeScreen) progress() guideProgress { return g.s.guide.progress[g.recipe.Name] }

func (g *recipeScreen) view() fyne.CanvasObject { return g.root }

func (g *recipeScreen) shown() {
	g.isOpen = true
	g.tickSignIn()
	g.step()
	g.focusFirst()
}

func (g *recipeScreen) left() {
	g.isOpen = false
	g.leaveStep()
}

func (g *recipeScreen) arrange() { g.build(); g.focusFirst() }

// refresh: the accounts were read anew, so a sign-in may have ticked its step.
func (g *recipeScreen) refresh() { g.tickSignIn() }

func (g *recipeScreen) press() { g.next.Tapped(nil) }

func (g *recipeScreen) focusFirst() {
	if g.first != nil && !g.s.dialogOpen() {
		g.s.focus(g.first)
	}
}

// build makes the panel and the step, in the text size of now.
func (g *recipeScreen) build() {
	s := g.s
	list := kit.Column(0)
	var names []string
	g.items = nil
	for i, step := range g.recipe.Steps {
		words := shortName(s.c, g.recipe, step)
		item := kit.NewStepItem(i+1, words, func() { g.open(i) })
		item.Moves(func(by int) { g.move(i + by) })
		g.items = append(g.items, item)
		names = append(names, words)
		list.Add(item)
	}
	g.share, g.done = kit.NewLifeBar(0, kit.Fine, ""), kit.Caption("").Whole()
	title := s.say("guide.recipe." + g.recipe.Name + ".title")
	head := kit.Inset(0, 12, 14, 12, kit.Column(10, kit.Title(title), kit.Row(8, kit.Grow(kit.Inset(6, 0, 0, 0, g.share)), g.done)))
	column := kit.Column(0, head, list)
	if short := g.shortWay(); short != nil {
		column.Add(kit.Inset(24, 12, 0, 12, short))
	}
	all := kit.NewButton(s.say("help.all"), kit.Low, func() { s.back(); s.goGuide() }).With(theme.IconBack).Flush()
	panel := kit.NewScroll(kit.Inset(14, 12, 16, 20, kit.Column(8, kit.Inset(0, 0, 0, 12, kit.Row(0, all, kit.Space())), column)))
	for i := range names {
		names[i] = s.say("help.step_named", text.Args{"n": i + 1, "title": names[i]})
	}
	g.choice = kit.NewSelect(s.say("help.steps_name"), names, g.at, g.open)
	again := kit.NewButton(s.say("help.all"), kit.Low, func() { s.back(); s.goGuide() }).With(theme.IconBack).Flush()
	instead := kit.Column(6, kit.Row(12, kit.Grow(kit.Strong(title)), again), kit.Row(12, kit.Grow(g.choice)))
	g.root.Objects = []fyne.CanvasObject{kit.Panelled(panel, instead, g.page)}
	g.step()
	g.root.Refresh()
}

// shortWay is the other recipe for the same end, under this one's steps.
func (g *recipeScreen) shortWay() fyne.CanvasObject {
	s := g.s
	if g.recipe.Name != "own_app" {
		return nil
	}
	for _, r := range g.d.Recipes {
		if r.Name == "dashboard_token" && len(r.Steps) > 0 {
			return kit.Caption("").Set(kit.Run{Words: s.say("help.short.lead") + " "},
				kit.Run{Words: s.say("help.short.link"), Tapped: func() { s.openGuide(g.d.ID, r.Name, -1) }},
				kit.Run{Words: s.c.Count("help.short.rest", len(r.Steps))})
		}
	}
	return nil
}

// open shows another step.
func (g *recipeScreen) open(i int) {
	if i == g.at || i < 0 || i >= len(g.recipe.Steps) {
		return
	}
	g.leaveStep()
	g.at, g.none = i, false
	g.step()
	g.focusFirst()
}

// move opens the step above or below and keeps the focus in the list.
func (g *recipeScreen) move(to int) {
	if to < 0 || to >= len(g.items) {
		return
	}
	g.open(to)
	g.s.focus(g.items[to])
}

// leaveStep ends what belongs to the step in sight, and empties its secret's
// field: the value is kept as a secret.
func (g *recipeScreen) leaveStep() {
	g.endTest()
	for _, e := range g.hidden {
		e.Conceal()
		g.filling = true
		e.Put(secret.Text{})
		g.filling = false
	}
}

// mark shows how far one is.
func (g *recipeScreen) mark() {
	p := g.progress()
	done, _ := p.count(g.recipe)
	for i, item := range g.items {
		item.Set(p.done(g.recipe.Steps[i].Name), i == g.at)
	}
	g.share.Set(float32(done)/float32(max(1, len(g.items))), kit.Fine, "")
	g.done.SetText(g.s.say("help.progress", text.Args{"done": done, "of": len(g.items)}))
	g.choice.SetSelected(g.at)
}

// tick marks a step as done, or not.
func (g *recipeScreen) tick(step string, done bool) {
	if g.progress().done(step) == done {
		return
	}
	g.s.keepProgress(g.recipe.Name, g.progress().with(step, done))
	g.mark()
}

// tickSignIn ticks the step that only a sign-in can prove.
func (g *recipeScreen) tickSignIn() {
	has := slices.ContainsFunc(g.s.accounts.list, func(a connect.Account) bool { return a.Provider == g.d.ID })
	for _, step := range g.recipe.Steps {
		if step.Test == "sign_in" && has {
			g.tick(step.Name, true)
		}
	}
}

// step draws the step in sight.
func (g *recipeScreen) step() {
	s := g.s
	g.endTest()
	p := g.progress()
	if g.none {
		p.Layout = noLayout
	}
	m := presentStep(s.c, g.d, g.recipe, g.at, p, s.valuesOf(g.d), s.now())
	g.model, g.found = m, nil
	g.fields, g.hidden, g.first = map[string]*kit.FieldBox{}, nil, nil
	g.lines = kit.Column(12)

	icon, ink := theme.IconCalendar, theme.ColorMuted
	if m.Old {
		icon, ink = theme.IconWarning, theme.ColorWarning
	}
	parts := []fyne.CanvasObject{
		kit.Row(12, kit.Muted(m.Number).Whole(), kit.Space(), kit.NewIcon(icon, ink, theme.SizeHintIcon), kit.Caption(m.Checked).Whole()),
		kit.Column(2, kit.Heading(m.Title), kit.Muted(m.Line).Sized(theme.SizeTitle)),
	}
	if len(m.Layouts) > 0 {
		chips := kit.Flow(8, kit.Inset(5, 4, 0, 0, kit.Muted(s.say("help.menu_shows")).Whole()))
		for _, l := range m.Layouts {
			chip := kit.NewFilterChip(l.Words, -1, func() { g.layout(l.Name) }).Ticks()
			chip.Set(-1, l.Name == m.Layout)
			chips.Add(chip)
		}
		parts = append(parts, chips)
	}
	if m.Layout == noLayout {
		parts = append(parts, g.neither())
	} else if m.URL != "" {
		parts = append(parts, g.picture(), g.way())
	}
	// Beside a picture the fields come first: who has been here before needs
	// nothing else.
	todo := g.todo()
	if m.URL == "" && todo != nil {
		parts = append(parts, todo)
	}
	for _, v := range m.Copy {
		field := kit.NewCopyField(s.run, v.Label, v.Value, s.say("connect.app.copy"), s.say("connect.app.copied"), s.copyPlain)
		if g.first == nil {
			g.first = field.Button
		}
		parts = append(parts, kit.Column(6, kit.Strong(v.Label), field))
	}
	if boxes := g.pasteBoxes(); len(boxes) > 0 {
		parts = append(parts, kit.Columns(16, 420, nil, boxes...))
	}
	if m.Warn != "" {
		parts = append(parts, kit.IconLine(theme.IconInfo, theme.ColorPrimary, kit.Runs(m.Warn)...))
	}
	parts = append(parts, g.testPart()...)
	if m.URL != "" && todo != nil {
		parts = append(parts, kit.Line(), todo)
	}

	back := kit.NewButton(s.say("connect.back"), kit.Medium, g.goBack).With(theme.IconBack)
	g.next = kit.NewButton(m.Next, kit.High, g.forward).Then(theme.IconForward).WithTip("Ctrl+Enter")
	if g.first == nil {
		g.first = g.next
	}
	var left fyne.CanvasObject
	if m.Look != "" && m.URL != "" {
		left = kit.NewButton(s.say("help.different"), kit.Low, g.different).With(theme.IconHelp)
	}
	g.page.Objects = []fyne.CanvasObject{kit.Page(nil, kit.Column(16, parts...), kit.Footer(left, nil, back, g.next))}
	g.mark()
	g.page.Refresh()
	if g.isOpen && (m.Test == "redirect" || m.Test == "client_id" && s.valuesOf(g.d).ClientID != "") {
		g.check()
	}
}

// todo is what to do, one thing after the other; nil where the step says
// nothing.
func (g *recipeScreen) todo() fyne.CanvasObject {
	if len(g.model.Todo) == 0 {
		return nil
	}
	var todo []*kit.Text
	for _, words := range g.model.Todo {
		todo = append(todo, kit.NewText(words))
	}
	return kit.Numbered(todo...)
}

// picture draws the provider's page from what the recipe says of it.
func (g *recipeScreen) picture() fyne.CanvasObject {
	s, m := g.s, g.model
	drawn := kit.Drawn{
		Alt: s.say("help.picture.alt", text.Args{"title": m.Title}), Address: m.Host, Menu: m.Menu,
		WrongWords: s.say("help.picture.wrong"),
	}
	if len(m.Menu) > 0 {
		drawn.Title = m.Menu[len(m.Menu)-1]
	}
	for _, r := range m.Picture {
		row := kit.DrawnRow{Name: r.Name, Value: r.Value, Button: r.Button}
		switch {
		case r.Right:
			row.Kind = kit.DrawnRight
		case r.Wrong:
			row.Kind = kit.DrawnWrong
		}
		drawn.Rows = append(drawn.Rows, row)
	}
	drawn.RightWords = s.say("help.picture." + rightWords(m))
	return kit.NewScreenPicture(drawn)
}

// way is the path through the page's menu, and how to get there.
func (g *recipeScreen) way() fyne.CanvasObject {
	s, m := g.s, g.model
	copied := kit.NewButton(s.say("help.copy_link"), kit.Medium, func() {
		s.copyPlain(m.URL)
		s.toast(s.say("help.link_copied"))
	}).With(theme.IconConnect)
	open := kit.NewButton(s.say("help.open_page"), kit.Medium, g.openPage).With(theme.IconExternal)
	words := m.Host
	if len(m.Menu) > 0 {
		words = "**" + strings.Join(m.Menu, "** > **") + "**"
	}
	return kit.Row(8, kit.Grow(kit.NewText(words)), copied, open)
}

func (g *recipeScreen) openPage() {
	s := g.s
	address := g.model.URL
	s.do(s.ctx, func(ctx context.Context) error { return s.params.OpenAddress(ctx, address) }, func(p *problem.Problem) { s.tell(p) })
}

// neither is for somebody whose page looks like none that we know.
func (g *recipeScreen) neither() fyne.CanvasObject {
	s, m := g.s, g.model
	buttons := []fyne.CanvasObject{}
	if m.URL != "" {
		buttons = append(buttons, kit.NewButton(s.say("help.own_page"), kit.Medium, g.openPage).With(theme.IconExternal))
	}
	buttons = append(buttons, kit.NewButton(s.say("help.copy_note"), kit.Medium, func() {
		s.copyPlain(supportNote(s.c, g.d, g.recipe, m))
		s.toast(s.say("help.note_copied"))
	}).With(theme.IconCopy))
	return kit.NewCard(kit.Column(12, kit.Title(s.say("help.neither_title")), kit.NewText(m.Look), kit.Flow(8, buttons...),
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(s.say("help.note_line"))...)))
}

// layout chooses which menu the person sees. It is kept for the whole recipe;
// that none fits is said of one step alone.
func (g *recipeScreen) layout(name string) {
	if g.model.Layout == name {
		return
	}
	if g.none = name == noLayout; !g.none {
		p := g.progress()
		p.Layout = name
		g.s.keepProgress(g.recipe.Name, p)
	}
	g.leaveStep()
	g.step()
}

// different is "My screen looks different": the next menu that is known, and
// after the last one what to look for.
func (g *recipeScreen) different() {
	all := g.model.Layouts
	if len(all) == 0 {
		s := g.s
		s.open(kit.Dialog{Title: s.say("help.neither_title"), Body: g.neither(), Buttons: []kit.DialogButton{{Label: s.say("connect.warn.close"), Kind: kit.High, Harmless: true}}})
		return
	}
	at := slices.IndexFunc(all, func(l layoutChoice) bool { return l.Name == g.model.Layout })
	g.layout(all[(at+1)%len(all)].Name)
}

// pasteBoxes are the fields for what is taken from the page.
func (g *recipeScreen) pasteBoxes() []fyne.CanvasObject {
	s := g.s
	v := s.valuesOf(g.d)
	var boxes []fyne.CanvasObject
	for _, f := range g.model.Paste {
		if f.Secret {
			e := kit.NewSecretEntry(s.run, f.Label, s.say("connect.app.paste_here"))
			g.filling = true
			e.Put(v.Secret)
			g.filling = false
			e.OnFilled = func(int) {
				if !g.filling {
					v := s.valuesOf(g.d)
					v.Secret = e.Peek()
					s.keepValues(g.d.ID, v)
					g.edited()
				}
			}
			g.hidden = append(g.hidden, e)
			if g.first == nil {
				g.first = e
			}
			paste := kit.NewIconButton(theme.IconPaste, s.say("help.paste", text.Args{"name": f.Label}), func() { e.Put(secret.New(strings.TrimSpace(s.pasted()))) })
			box := kit.NewSecretBox(f.Label, e, "", 1, paste)
			g.fields[f.Name] = box
			boxes = append(boxes, box)
			continue
		}
		e := kit.NewMonoEntry(f.Label, s.say("connect.app.paste_here"))
		e.SetText(v.get(f.Name))
		e.OnChanged = func(typed string) {
			s.keepValues(g.d.ID, s.valuesOf(g.d).with(f.Name, typed))
			g.edited()
		}
		if g.first == nil {
			g.first = e
		}
		paste := kit.NewIconButton(theme.IconPaste, s.say("help.paste", text.Args{"name": f.Label}), func() { e.SetText(strings.TrimSpace(s.pasted())) })
		box := kit.NewFieldBox(f.Label, e, "", 1, paste)
		g.fields[f.Name] = box
		boxes = append(boxes, box)
	}
	return boxes
}

// edited is told of each change of a field.
func (g *recipeScreen) edited() {
	g.endTest()
	step := g.recipe.Steps[g.at]
	if g.model.Test != "client_id" {
		// What cannot be tested is done once all its fields are filled.
		g.tick(step.Name, g.filled())
		return
	}
	g.tick(step.Name, false)
	for _, box := range g.fields {
		box.Say(kit.Neutral, "")
	}
	if g.s.valuesOf(g.d).ClientID != "" {
		g.delay = g.s.after(checkDelay, g.check)
	}
}

func (g *recipeScreen) filled() bool {
	v := g.s.valuesOf(g.d)
	for _, f := range g.model.Paste {
		if f.Secret && v.Secret.Empty() || !f.Secret && v.get(f.Name) == "" {
			return false
		}
	}
	return true
}

func (g *recipeScreen) endTest() {
	if g.delay != nil {
		g.delay()
		g.delay = nil
	}
	if g.test != nil {
		g.test()
		g.test = nil
	}
}

// testPart is what a step shows of its own test, and where it is done.
func (g *recipeScreen) testPart() []fyne.CanvasObject {
	s, m := g.s, g.model
	var parts []fyne.CanvasObject
	switch {
	case m.GoConnect:
		go1 := kit.NewButton(s.say("help.go_connect"), kit.High, func() { s.connectWith(g.d.ID) }).Then(theme.IconForward)
		g.first = go1
		parts = append(parts, kit.Flow(8, go1))
		if g.progress().done(g.recipe.Steps[g.at].Name) {
			parts = append(parts, kit.IconLine(theme.IconTickDisc, theme.ColorSuccess, kit.Runs(s.say("help.signed_in", text.Args{"provider": g.d.Name}))...))
		}
	case m.GoPaste:
		go1 := kit.NewButton(s.say("help.go_paste"), kit.High, s.goPaste).Then(theme.IconForward)
		g.first = go1
		parts = append(parts, kit.Flow(8, go1))
	case m.Test == "vault":
		run := kit.NewButton(s.say("help.check_now"), kit.Medium, g.check).With(theme.IconRefresh)
		g.first = run
		parts = append(parts, kit.Flow(8, run))
	}
	if m.Test == "vault" || m.Test == "redirect" {
		parts = append(parts, g.lines)
	}
	if m.Test == "client_id" || m.Test == "vault" {
		foot := s.say("help.check_foot", text.Args{"provider": g.d.Name})
		if s.practising || !g.d.Preflight {
			foot = s.say("connect.app.check_foot")
		}
		parts = append(parts, kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(foot)...))
	}
	return parts
}

// tests names the lines of the doctor that prove a step; nil is all of them.
var tests = map[string][]string{
	"client_id": {"client_id", "client_secret"},
	"redirect":  {"redirect", "port"},
}

// check runs the doctor for what the step is about, and ticks the step when it
// finds nothing wrong. What the step is not about is not waited for: the
// keychain is asked only where the person asked for a check.
func (g *recipeScreen) check() {
	g.endTest()
	s := g.s
	v, step, wanted := s.valuesOf(g.d), g.recipe.Steps[g.at], tests[g.model.Test]
	setup := connect.Setup{Provider: g.d.ID, ClientID: v.ClientID, ClientSecret: v.Secret, RedirectURI: v.Redirect, ConfigID: v.ConfigID, Offline: g.model.Test == "redirect"}
	core := s.core
	ctx, cancel := context.WithCancel(s.coreCtx)
	g.test, g.found = cancel, nil
	g.turn++
	turn := g.turn
	heard := func() bool { return !s.ended && g.test != nil && turn == g.turn && g.isStep(step.Name) }
	g.drawLines()
	seen := 0
	s.run.Go(func() {
		all, err := core.Doctor(ctx, setup, func(l connect.Line) {
			if wanted != nil && !slices.Contains(wanted, l.Check) {
				return
			}
			if seen++; wanted != nil && seen == len(wanted) {
				defer cancel()
			}
			s.run.Post(func() {
				if heard() {
					g.found = append(g.found, l)
					g.drawLines()
				}
			})
		})
		s.run.Post(func() {
			if !heard() {
				return
			}
			g.test = nil
			cancel()
			if len(all) == 0 {
				s.tell(problem.Of(err))
				return
			}
			g.tick(step.Name, proven(g.found, wanted))
			g.drawLines()
		})
	})
}

func (g *recipeScreen) isStep(name string) bool { return g.recipe.Steps[g.at].Name == name }

// proven reports whether the lines say that a step is done: each wanted one is
// there and none asks for a look. Without any wanted, none is bad.
func proven(lines []connect.Line, wanted []string) bool {
	for _, name := range wanted {
		at := slices.IndexFunc(lines, func(l connect.Line) bool { return l.Check == name })
		if at < 0 || lines[at].Level != connect.Fine {
			return false
		}
	}
	return len(lines) > 0 && !slices.ContainsFunc(lines, func(l connect.Line) bool { return l.Level == connect.Bad })
}

// drawLines shows what the test found: below the fields that it is about, or
// line by line.
func (g *recipeScreen) drawLines() {
	s := g.s
	g.lines.RemoveAll()
	for _, l := range g.found {
		shown := presentLine(s.c, l, s.program())
		if box := g.fields[l.Check]; box != nil {
			empty := l.Check == "client_secret" && s.valuesOf(g.d).Secret.Empty() || l.Check == "client_id" && s.valuesOf(g.d).ClientID == ""
			switch {
			case empty:
			case l.Level == connect.Fine:
				box.Say(kit.Fine, shown.Title)
			default:
				box.Say(kit.Tone(shown.Tone), sentence(shown.Title)+" "+shown.Line)
			}
			continue
		}
		icon := theme.IconName("")
		if shown.Tone == toneNeutral {
			icon = theme.IconEye
		}
		g.lines.Add(kit.NewStatusLine(kit.Tone(shown.Tone), icon, shown.Title, shown.Line, shown.Tone == toneWarning))
	}
	g.page.Refresh()
}

// forward is "Next step": a step that cannot test itself is done by leaving it
// forwards.
func (g *recipeScreen) forward() {
	step := g.recipe.Steps[g.at]
	if step.Test == "" && (len(g.model.Paste) == 0 || g.filled()) {
		g.tick(step.Name, true)
	}
	if g.model.Last {
		g.s.back()
		g.s.goGuide()
		return
	}
	g.open(g.at + 1)
}

// goBack is the step before, or the list.
func (g *recipeScreen) goBack() {
	if g.at == 0 {
		g.s.back()
		return
	}
	g.open(g.at - 1)
}
