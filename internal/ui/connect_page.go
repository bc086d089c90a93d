package ui

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// pageRow is something that a provider's own page may say, in plain words.
type pageRow struct {
	Title, Line string
	Problem     *problem.Problem
}

// presentPages lists what the pages of d may say. Two that read the same are
// one.
func presentPages(c *text.Catalogue, d provider.Definition) []pageRow {
	var rows []pageRow
	seen := map[string]bool{}
	for _, key := range d.Pages() {
		p := problem.New(key, "provider", d.Name)
		told := c.Tell(p)
		row := pageRow{Title: told.Title, Line: told.Happened, Problem: p}
		if stem := "connect.page.says." + string(key); c.Has(stem) {
			row.Title, row.Line = c.Say(stem, text.Args{"provider": d.Name}), told.Title
		}
		if !seen[row.Title] {
			seen[row.Title] = true
			rows = append(rows, row)
		}
	}
	return rows
}

// showsError ends the attempt with what its page said; the address and the
// rest of the attempt stay known.
func (f *flow) showsError(p *problem.Problem) {
	st := f.state
	f.endAttempt()
	f.state = connect.State{Step: connect.Failed, Problem: p, Provider: st.Provider, RedirectURI: st.RedirectURI, AuthorizeHost: st.AuthorizeHost}
	f.to(stageProblem)
}

// readPage tells what a text, or the address, of the provider's page means.
func (f *flow) readPage(words string) {
	if strings.TrimSpace(words) != "" {
		f.showsError(f.definition().ReadPage(words))
	}
}

// pagePage helps when the browser shows an error in place of the question. The
// sign-in waits on meanwhile.
type pagePage struct {
	c *connectScreen
	s *shell
	f *flow

	rows  []*kit.ActionCard
	words *kit.Entry
	paste *kit.Button
	read  *kit.Button
	back  *kit.Button
}

func newPagePage(c *connectScreen) *pagePage {
	p := &pagePage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	for _, row := range presentPages(s.c, f.definition()) {
		p.rows = append(p.rows, kit.NewActionCard(theme.IconDocument, row.Title, row.Line, func() { f.showsError(row.Problem) }))
	}
	p.words = kit.NewEntry(s.say("connect.page.field"), s.say("connect.page.placeholder"))
	p.words.OnChanged = func(string) { p.refresh() }
	p.words.OnSubmitted = func(string) { p.press() }
	p.paste = kit.NewPasteButton(s.say("connect.wait.paste"), func(words string) {
		p.words.SetText(words)
		s.focus(p.read)
	})
	p.read = kit.NewButton(s.say("connect.page.read"), kit.High, func() {
		words := p.words.Text
		// An address may carry a code; the field keeps nothing (PST-4).
		p.words.SetText("")
		f.readPage(words)
	}).WithTip("Ctrl+Enter")
	p.back = kit.NewButton(s.say("connect.page.back"), kit.Low, func() { f.to(f.pageFrom()) }).With(theme.IconBack).WithTip("Esc")
	return p
}

// pageFrom is where the page of errors was opened from.
func (f *flow) pageFrom() stage {
	if f.state.Problem != nil {
		return stageProblem
	}
	if f.cancel != nil {
		return stageWait
	}
	return stageScopes
}

func (p *pagePage) build() []fyne.CanvasObject {
	s := p.s
	provider := text.Args{"provider": p.f.definition().Name}
	var rows []fyne.CanvasObject
	for i := 0; i < len(p.rows); i += 2 {
		switch {
		case p.c.built:
			rows = append(rows, p.rows[i])
			if i+1 < len(p.rows) {
				rows = append(rows, p.rows[i+1])
			}
		case i+1 < len(p.rows):
			rows = append(rows, kit.Columns(12, 0, []float32{1, 1}, p.rows[i], p.rows[i+1]))
		default:
			rows = append(rows, kit.Columns(12, 0, []float32{1, 1}, p.rows[i], kit.Gap(1)))
		}
	}
	field := fyne.CanvasObject(kit.Row(8, kit.Grow(p.words), p.paste))
	if p.c.built {
		field = kit.Column(8, p.words, kit.Flow(8, p.paste))
	}
	return []fyne.CanvasObject{p.c.head(2),
		kit.NewCard(kit.Column(12, kit.Column(2, kit.Title(s.say("connect.page.field")), kit.Muted(s.say("connect.page.field_line"))),
			field, kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs(s.say("connect.page.private"))...))),
		kit.NewCard(kit.Column(16, kit.Column(2, kit.Subheading(s.say("connect.page.title")), kit.Muted(s.say("connect.page.body", provider))),
			kit.Column(12, rows...)))}
}

func (p *pagePage) footer() footer {
	return footer{left: p.back, right: []fyne.CanvasObject{p.read}}
}

func (p *pagePage) refresh()              { p.read.SetEnabled(strings.TrimSpace(p.words.Text) != "") }
func (p *pagePage) first() fyne.Focusable { return p.words }

func (p *pagePage) press() {
	if !p.read.Disabled() {
		p.read.Tapped(nil)
	}
}

func (p *pagePage) escape() bool { p.f.to(p.f.pageFrom()); return true }
func (p *pagePage) leave()       { p.words.SetText("") }
