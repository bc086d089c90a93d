package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// connectScreen is Connect: a head with the three steps, the page of the stage
// that the flow is in, and a footer that stays in sight.
type connectScreen struct {
	s    *shell
	f    *flow
	root *fyne.Container
	page connectPage
	// stage is what page was made for.
	stage stage
	// built tells whether the page was built for a narrow window; asked that it
	// is about to be built anew.
	built, asked bool
	// asking: the dialog of connect_other.go is open.
	asking bool
}

// connectPage is one stage of Connect. Its fields last as long as the page; what
// is around them is built anew when the window becomes narrow or wide.
type connectPage interface {
	// build gives the page's parts, from top to bottom.
	build() []fyne.CanvasObject
	// footer gives the page's foot.
	footer() footer
	// refresh brings the page up to the flow.
	refresh()
	// first gets the focus when the page is new.
	first() fyne.Focusable
	// press is what Ctrl+Enter does; it never does what cannot be clicked.
	press()
	// leave is called when another page takes its place.
	leave()
}

// What a page may have besides.
type (
	// pageEscape takes Escape; false means "leave Connect".
	pageEscape interface{ escape() bool }
	// pageKeys takes shortcuts of its own.
	pageKeys interface{ shortcut(combination) bool }
)

// footer is the foot of a page: what stands left, a sentence, what stands right.
type footer struct {
	left  fyne.CanvasObject
	note  *kit.Text
	right []fyne.CanvasObject
}

func newConnect(s *shell, r connectStart) screen {
	c := &connectScreen{s: s, stage: -1}
	c.root = fyne.NewContainerWithLayout(&watch{c: c})
	c.f = newFlow(s, r)
	c.f.changed, c.f.stageChanged = c.changed, c.stageChanged
	c.f.warn = c.warn
	c.f.asks, c.f.asked = c.askOther, c.closeOther
	c.f.said = func(words string) { s.toast(words) }
	c.stageChanged()
	return c
}

// connectWith opens step 1 with that provider chosen and filled with what the
// guide collected for it. A sign-in under way is not thrown away for it.
func (s *shell) connectWith(provider string) { s.goConnect(connectStart{Provider: provider}) }

func (c *connectScreen) view() fyne.CanvasObject { return c.root }

func (c *connectScreen) shown() {
	c.f.shown = true
	c.stageChanged()
	c.askOther()
	if c.f.stage == stageApp && c.f.filled() && !c.f.checking {
		// The check ended when the screen was left.
		c.f.edited()
	}
}

func (c *connectScreen) left() {
	c.f.shown = false
	c.page.leave()
	// A result that was seen is done with: the next visit starts anew.
	if c.f.stage == stageFine && c.s.connect == screen(c) {
		c.s.endConnect()
		c.f.end()
	}
}

// ended is told when nothing leads here any more.
func (c *connectScreen) ended() { c.f.end() }

func (c *connectScreen) arrange() { c.build() }

// refresh is told that storage or the keychain's waiting changed.
func (c *connectScreen) refresh() { c.changed() }

func (c *connectScreen) changed() { c.page.refresh() }

// stageChanged puts the page of the flow's stage into the screen.
func (c *connectScreen) stageChanged() {
	if c.page != nil {
		c.page.leave()
	}
	c.stage = c.f.stage
	switch c.stage {
	case stageScopes:
		c.page = newScopesPage(c)
	case stageSecret:
		c.page = newSecretPage(c)
	case stageWait:
		c.page = newWaitPage(c)
	case stageChoose:
		c.page = newChoosePage(c)
	case stagePage:
		c.page = newPagePage(c)
	case stageServer:
		c.page = newServerPage(c)
	case stageFine:
		c.page = newFinePage(c)
	case stageProblem:
		c.page = newProblemPage(c)
	default:
		c.page = newAppPage(c)
	}
	c.build()
	if c.f.shown {
		c.focusFirst()
	}
}

func (c *connectScreen) focusFirst() {
	if c.s.dialogOpen() {
		return
	}
	if first := c.page.first(); first != nil {
		c.s.focus(first)
	}
}

// narrow tells that columns stand below each other (ux.md 5.2, 8.4): the
// window has the small rail, or the text is large.
func (c *connectScreen) narrow() bool {
	return kit.RailSmall(c.s.window.Canvas().Size().Width) || theme.Scale() >= theme.NarrowScale
}

// columns sets a beside b, which is that wide, or above it where it is narrow.
func (c *connectScreen) columns(second float32, a, b fyne.CanvasObject) fyne.CanvasObject {
	if c.built {
		return kit.Column(20, a, b)
	}
	return kit.TwoColumns(second, 0, a, b)
}

// watch builds the page anew when the window became narrow or wide. It does so
// a moment later: widgets are not exchanged while they are being laid out.
type watch struct{ c *connectScreen }

// MinSize implements fyne.Layout.
func (w *watch) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, 0) }

// Layout implements fyne.Layout.
func (w *watch) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	c := w.c
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
	if !c.asked && c.built != c.narrow() {
		c.asked = true
		c.s.run.Post(func() {
			c.asked = false
			if !c.s.ended && c.built != c.narrow() {
				c.build()
			}
		})
	}
}

// build puts the page together for the width of now. Its fields stay the same
// objects, so what is being typed and the focus stay.
func (c *connectScreen) build() {
	c.built = c.narrow()
	parts := c.page.build()
	c.root.Objects = []fyne.CanvasObject{kit.FullPage(kit.Page(nil, kit.Column(20, parts...), nil), c.foot(c.page.footer()))}
	c.page.refresh()
	c.root.Refresh()
}

func (c *connectScreen) foot(f footer) fyne.CanvasObject {
	left := f.left
	if left != nil {
		// The words of a low button stand at the margin, not its ground.
		left = flush(left)
	}
	// Where the text is large the sentence has a line of its own.
	if theme.Scale() < theme.NarrowScale {
		return kit.Footer(left, f.note, f.right...)
	}
	column := kit.Column(8)
	if f.note != nil {
		column.Add(f.note)
	}
	if left == nil {
		column.Add(kit.FlowEnd(8, f.right...))
	} else {
		column.Add(kit.HeadOf(kit.Flow(8, left), f.right...))
	}
	side := kit.PageMargin(c.root.Size().Width)
	return kit.Column(0, kit.Line(), kit.Inset(14, side, 14, side, column))
}

// flush moves a low button to the left by what its words are inset.
func flush(o fyne.CanvasObject) fyne.CanvasObject {
	return kit.Inset(0, 0, 0, -lowInset*theme.Scale(), o)
}

// lowInset is the distance of a button's words from its edge.
const lowInset = 14

// head is the title of Connect with where in it one is, counted from 0.
func (c *connectScreen) head(step int) fyne.CanvasObject {
	s := c.s
	steps := kit.NewStepHeader([]string{s.say("connect.step1"), s.say("connect.step2"), s.say("connect.step3")}, step)
	title := kit.Heading(s.say("connect.title"))
	return kit.HeadOf(title, steps)
}

// cancelButton drops what was typed and goes back to the accounts.
func (c *connectScreen) cancelButton() *kit.Button {
	return kit.NewButton(c.s.say("connect.cancel"), kit.Low, c.cancel)
}

func (c *connectScreen) cancel() { c.leaveFor(c.s.goAccounts) }

// leaveFor ends this visit and goes elsewhere.
func (c *connectScreen) leaveFor(elsewhere func()) {
	if c.s.connect == screen(c) {
		c.s.endConnect()
	}
	c.f.end()
	elsewhere()
}

func (c *connectScreen) press() { c.page.press() }

func (c *connectScreen) escape() bool {
	if e, ok := c.page.(pageEscape); ok {
		return e.escape()
	}
	return false
}

func (c *connectScreen) shortcut(k combination) bool {
	if p, ok := c.page.(pageKeys); ok {
		return p.shortcut(k)
	}
	return false
}

// buttons are those of a problem, the first one high. again reports whether one
// of them signs in once more: then no other button for it is needed.
func (c *connectScreen) buttons(actions []problem.Action) (buttons []*kit.Button, again bool) {
	for _, a := range actions {
		do, ok := c.f.act(a)
		if !ok || signsIn(a) && again {
			continue
		}
		again = again || signsIn(a)
		kind := kit.Medium
		if len(buttons) == 0 {
			kind = kit.High
		}
		buttons = append(buttons, c.doorButton(a, kind, do))
	}
	return buttons, again
}

// doorButton is the button of one action, with the sign that goes with it.
func (c *connectScreen) doorButton(a problem.Action, kind kit.Kind, do func()) *kit.Button {
	b := kit.NewButton(c.s.label(a, c.f.state.Problem), kind, do)
	if icon, ok := doorIcons[a]; ok {
		b.With(icon)
	} else if isGuide(a) {
		b.With(theme.IconBook)
	}
	return b
}

var doorIcons = map[problem.Action]theme.IconName{
	problem.ChangeClientID: theme.IconEdit, problem.ChangeSecret: theme.IconEdit, problem.CopyAddress: theme.IconCopy,
	problem.SeparateWindow: theme.IconWindow, problem.OpenProvider: theme.IconExternal, problem.TryAgain: theme.IconRefresh,
}

// warn says once what the browser will show, before it opens, and goes on when
// the person has read it.
func (c *connectScreen) warn(then func()) {
	s := c.s
	name := c.f.definition().Name
	again := kit.NewCheck(s.say("connect.warn.not_again"), "", true, nil)
	s.open(kit.Dialog{
		Title: s.say("connect.warn.title"),
		Body:  kit.Column(16, kit.NewText(s.say("connect.warn.body", hostOf(c.f.form.Redirect))), c.picture(), again),
		Buttons: []kit.DialogButton{
			{Label: s.say("connect.cancel"), Kind: kit.Low},
			{Label: s.say("connect.warn.open", text.Args{"provider": name}), Kind: kit.High, Harmless: true, Tapped: func() {
				s.prefs.setWarned(again.Selected())
				then()
			}},
		},
		// Not to begin is the harmless answer to Escape.
		Escape: func() {},
	})
}

// showPicture is the same as information, while one waits.
func (c *connectScreen) showPicture() {
	s := c.s
	s.open(kit.Dialog{
		Title:   s.say("connect.warn.title_later"),
		Body:    kit.Column(16, kit.NewText(s.say("connect.warn.body", hostOf(c.f.form.Redirect))), c.picture()),
		Buttons: []kit.DialogButton{{Label: s.say("connect.warn.close"), Kind: kit.High, Harmless: true}},
	})
}

// picture is the browser's page in a few strokes, in the window's own words,
// colours and text size. Nothing in it can be clicked.
func (c *connectScreen) picture() fyne.CanvasObject {
	s := c.s
	host := hostOf(c.f.form.Redirect)
	bar := kit.SoftBox(kit.Neutral, kit.Row(8, kit.NewIcon(theme.IconWarning, theme.ColorError, theme.SizeHintIcon),
		kit.Grow(kit.NewText(s.say("connect.warn.picture_address", text.Args{"address": c.f.form.Redirect})).Sized(theme.SizeMicro).OneLine())))
	button := kit.SoftBox(kit.Neutral, kit.NewText(s.say("connect.warn.picture_advanced")).Bold().Sized(theme.SizeMicro).Whole())
	link := kit.NewText(s.say("connect.warn.picture_go", host)).Sized(theme.SizeMicro).In(theme.ColorPrimary)
	return kit.SoftBox(kit.Quiet, kit.Column(12, bar,
		kit.Row(10, kit.NewIcon(theme.IconWarning, theme.ColorError, theme.SizeIcon), kit.Grow(kit.Strong(s.say("connect.warn.picture_title")))),
		kit.Row(10, number("1"), button, kit.Space()),
		kit.Row(10, number("2"), kit.Grow(link))))
}

func number(n string) fyne.CanvasObject {
	return kit.NewText(n).Bold().Sized(theme.SizeCaption).In(theme.ColorPrimary).Whole()
}

// hostOf is the host of an address, as an argument of a sentence.
func hostOf(address string) text.Args { return text.Args{"host": hostname(address)} }
