package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// chooseRow is one account that an answer reaches, or a Page that leads to none.
type chooseRow struct {
	ID, Title, Line string
	Username        string
	Reachable       bool
	// Reason is why not, and Action the guide's step that mends it.
	Reason string
	Action problem.Action
}

// presentChoices renders what an answer reaches: first what can be ticked.
func presentChoices(c *text.Catalogue, choices []connect.Choice) []chooseRow {
	var rows, others []chooseRow
	for _, one := range choices {
		if one.Reachable {
			posts, known := "", ""
			if one.Posts >= 0 {
				posts = c.Count("connect.fine.posts", one.Posts)
			}
			if one.Known {
				known = c.Say("connect.choose.known")
			}
			rows = append(rows, chooseRow{ID: one.UserID, Username: one.Username, Title: "@" + one.Username, Line: joined(one.Page, posts, known), Reachable: true})
			continue
		}
		row := chooseRow{Title: one.Page, Username: one.Username}
		if row.Title == "" {
			row.Title = "@" + one.Username
		}
		if one.Reason != "" {
			p := problem.New(one.Reason, "page", one.Page, "username", one.Username)
			told := c.Tell(p)
			row.Line, row.Reason = told.Title, told.Advice
			for _, a := range p.Actions() {
				if isGuide(a) || a == problem.OpenProvider && row.Action == "" {
					row.Action = a
				}
				if isGuide(a) {
					break
				}
			}
		}
		others = append(others, row)
	}
	return append(rows, others...)
}

// choosePage asks which of several accounts are to be kept. The answer lies
// sealed meanwhile; nothing runs out.
type choosePage struct {
	c *connectScreen
	s *shell
	f *flow

	rows   []chooseRow
	checks []*kit.Check
	keep   *kit.Button
	stop   *kit.Button
	note   *kit.Text
}

func newChoosePage(c *connectScreen) *choosePage {
	p := &choosePage{c: c, s: c.s, f: c.f}
	p.rows = presentChoices(p.s.c, p.f.state.Choices)
	for _, row := range p.rows {
		if !row.Reachable {
			p.checks = append(p.checks, nil)
			continue
		}
		p.checks = append(p.checks, kit.NewCheck(row.Title, row.Line, p.f.keep[row.ID], func(on bool) {
			p.f.keep[row.ID] = on
			p.refresh()
		}))
	}
	p.keep = kit.NewButton("", kit.High, p.f.keepChosen).WithTip("Ctrl+Enter")
	p.stop = kit.NewButton(p.s.say("connect.choose.none"), kit.Low, p.askStop)
	p.note = kit.Caption("").Trailing()
	return p
}

func (p *choosePage) build() []fyne.CanvasObject {
	s := p.s
	var mine, others []fyne.CanvasObject
	for i, row := range p.rows {
		if row.Reachable {
			mine = append(mine, kit.Row(14, kit.Grow(p.checks[i]), kit.NewAvatar(row.Username, 40)))
			continue
		}
		told := kit.Column(2, kit.NewText(row.Title), kit.Muted(row.Line))
		if row.Reason != "" {
			told.Add(kit.Caption(row.Reason))
		}
		line := kit.TopRow(12, kit.NewIcon(theme.IconWarning, theme.ColorWarning, theme.SizeIcon), kit.Grow(told))
		if do, ok := p.f.act(row.Action); row.Action != "" && ok {
			words, icon := s.say("connect.app.show_where"), theme.IconBook
			if !isGuide(row.Action) {
				words, icon = p.s.label(row.Action, nil), theme.IconExternal
			}
			show := kit.NewButton(words, kit.Medium, do).With(icon)
			if p.c.built {
				told.Add(kit.Flow(8, show))
			} else {
				line.Add(show)
			}
		}
		others = append(others, line)
	}
	provider := text.Args{"provider": p.f.state.Provider}
	head := kit.Column(4, kit.Subheading(s.say("connect.choose.title")), kit.Muted(s.say("connect.choose.body", provider)))
	parts := []fyne.CanvasObject{p.c.head(2)}
	if len(mine) > 0 {
		parts = append(parts, kit.NewCard(kit.Column(18, head, kit.Lined(mine...))))
	} else {
		parts = append(parts, kit.NewCard(head))
	}
	if len(others) > 0 {
		parts = append(parts, kit.NewCard(kit.Column(16, kit.Title(s.say("connect.choose.others")), kit.Lined(others...))))
	}
	return append(parts, kit.NewNoticeIcon(kit.Quiet, theme.IconLock, "", s.say("connect.choose.sealed")).SmallText())
}

func (p *choosePage) footer() footer {
	return footer{left: p.stop, note: p.note, right: []fyne.CanvasObject{p.keep}}
}

func (p *choosePage) refresh() {
	n := len(p.f.kept())
	p.keep.SetLabel(p.s.c.Count("connect.choose.keep", n))
	p.keep.SetEnabled(n > 0)
	words := ""
	if n == 0 {
		words = p.s.say("connect.choose.tick_one")
	}
	p.note.SetText(words)
	visible(p.note, words != "")
}

// askStop asks before the answer is forgotten.
func (p *choosePage) askStop() {
	p.s.ask(question{
		title: p.s.say("connect.choose.stop_title"), body: p.s.say("connect.choose.stop_body"),
		stay: p.s.say("connect.choose.stay"), act: p.s.say("connect.choose.none"), do: p.f.stopAttempt,
	})
}

func (p *choosePage) first() fyne.Focusable {
	for _, check := range p.checks {
		if check != nil {
			return check
		}
	}
	return p.stop
}

func (p *choosePage) press() {
	if !p.keep.Disabled() {
		p.keep.Tapped(nil)
	}
}

func (p *choosePage) escape() bool { p.askStop(); return true }
func (p *choosePage) leave()       {}
