package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// finePage is the end of a sign-in that worked: the proof, until when, and what
// one may want next.
type finePage struct {
	c *connectScreen
	s *shell
	f *flow
	m fineModel

	other, open, done *kit.Button
	next              []*kit.ActionCard
}

func newFinePage(c *connectScreen) *finePage {
	p := &finePage{c: c, s: c.s, f: c.f}
	s, f := p.s, p.f
	account := *f.state.Account
	p.m = presentFine(s.c, f.state, s.definition(account.Provider), s.program(), s.now())
	p.other = kit.NewButton(s.say("connect.fine.not_meant_button"), kit.Medium, f.useOther).With(theme.IconBadge)
	p.next = []*kit.ActionCard{
		kit.NewActionCard(theme.IconCopy, s.say("connect.fine.copy"), s.say("connect.fine.copy_line", text.Args{"seconds": s.prefs.clipboardSeconds()}), func() { s.copyToken(account, nil) }),
		kit.NewActionCard(theme.IconAdd, s.say("connect.fine.another"), s.say("connect.fine.another_line"), f.another),
	}
	p.open = kit.NewButton(s.say("connect.fine.open"), kit.Medium, func() { c.leaveFor(func() { s.goAccounts(); s.goAccount(account.ID) }) })
	p.done = kit.NewButton(s.say("connect.fine.done"), kit.High, func() { c.leaveFor(s.goAccounts) }).WithTip("Ctrl+Enter")
	return p
}

var factIcons = map[string]theme.IconName{"calendar": theme.IconCalendar, "lock": theme.IconLock, "key": theme.IconKeyOff}

func (p *finePage) build() []fyne.CanvasObject {
	s, f, m := p.s, p.f, p.m
	var parts []fyne.CanvasObject
	for i, n := range m.Notices {
		var doors []kit.Run
		for _, a := range m.Actions[i] {
			if do, ok := f.act(a); ok {
				doors = append(doors, kit.Run{Words: s.label(a, f.state.Notices[i]), Tapped: do})
			}
		}
		parts = append(parts, kit.NewNotice(kit.Warn, sentence(n.Title), n.Happened+" "+n.Advice, doors...))
	}
	if several := f.state.Accounts; len(several) > 1 {
		parts = append(parts, p.several(several))
		return append(parts, p.rest()...)
	}
	avatar := kit.NewAvatar(f.state.Account.Username, 80).Ticked()
	name := kit.Column(2, kit.Heading(m.Title), kit.Muted(m.Under))
	other := kit.Column(4, kit.Caption(s.say("connect.fine.not_meant")).Trailing(), p.other)
	if p.c.built {
		other = kit.Column(4, kit.Caption(s.say("connect.fine.not_meant")), kit.Flow(8, p.other))
		parts = append(parts, kit.NewCard(kit.Column(16, kit.Row(20, avatar, kit.Grow(name)), other)))
	} else {
		parts = append(parts, kit.NewCard(kit.Row(20, avatar, kit.Grow(name), other)))
	}
	return append(parts, p.rest()...)
}

// several is the head of a sign-in that brought more than one account: each
// with its way in.
func (p *finePage) several(accounts []connect.Account) fyne.CanvasObject {
	s := p.s
	var rows []fyne.CanvasObject
	for _, a := range accounts {
		posts := ""
		if a.Posts >= 0 {
			posts = s.c.Count("connect.fine.posts", a.Posts)
		}
		rows = append(rows, kit.Row(14, kit.NewAvatar(a.Username, 44).Ticked(),
			kit.Grow(kit.Column(1, kit.Strong("@"+a.Username), kit.Muted(joined(a.ProviderName, kindOf(s.c, a, false), posts)))),
			kit.NewButton(s.say("connect.fine.open"), kit.Low, func() { p.c.leaveFor(func() { s.goAccounts(); s.goAccount(a.ID) }) })))
	}
	return kit.NewCard(kit.Column(16, kit.Heading(p.m.Title), kit.Lined(rows...)))
}

// rest is what holds for all that was connected.
func (p *finePage) rest() []fyne.CanvasObject {
	s, f, m := p.s, p.f, p.m
	var facts []fyne.CanvasObject
	for _, fact := range m.Facts {
		facts = append(facts, kit.NewFactRow(factIcons[fact.Icon], fact.Name, fact.Value, fact.Line))
	}
	token := kit.NewCard(kit.Column(16, kit.Title(s.say("connect.fine.token")), kit.Lined(facts...)))
	var may []fyne.CanvasObject
	for _, row := range m.Permissions {
		switch {
		case row.Allowed:
			may = append(may, kit.NewStatusLine(kit.Fine, "", row.Title, row.Line, false))
		case m.Missing:
			may = append(may, kit.NewStatusLine(kit.Warn, theme.IconMinusDisc, row.Title, row.Line, false))
		default:
			// A provider that does not say what it allowed is nothing to worry about.
			may = append(may, kit.NewStatusLine(kit.Neutral, theme.IconMinusDisc, row.Title, row.Line, false))
		}
	}
	mayCard := kit.Column(16, kit.Title(s.say("connect.fine.may")), kit.Lined(may...))
	if m.Missing {
		mayCard.Add(kit.NewNotice(kit.Warn, "", m.MissingWords, kit.Run{Words: s.say("connect.fine.ask_again"), Tapped: f.askAgain}).SmallText())
	}
	var next []fyne.CanvasObject
	cards := p.next
	if len(f.state.Accounts) > 1 {
		// "The token" would be one of several.
		cards = cards[1:]
	}
	for _, n := range cards {
		next = append(next, n)
	}
	row := kit.Column(12, next...)
	if !p.c.built {
		for len(next) < 3 {
			next = append(next, kit.Gap(1))
		}
		row = kit.Columns(16, 0, []float32{1, 1, 1}, next...)
	}
	return []fyne.CanvasObject{p.c.columns(340, token, kit.NewCardPad(20, mayCard)),
		kit.Column(10, kit.Title(s.say("connect.fine.next")), row)}
}

func (p *finePage) footer() footer {
	f := footer{note: kit.Caption(p.m.Diary), right: []fyne.CanvasObject{p.open, p.done}}
	if len(p.f.state.Accounts) > 1 {
		// Each has its own way in.
		f.right = f.right[1:]
	}
	return f
}

func (p *finePage) refresh()              {}
func (p *finePage) first() fyne.Focusable { return p.done }
func (p *finePage) press()                { p.done.Tapped(nil) }
func (p *finePage) escape() bool          { p.press(); return true }
func (p *finePage) leave()                {}
