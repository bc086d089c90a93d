package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
	"github.com/tokenkeep/tokenkeep/resources"
)

// body is what fills the window's frame: the rail, the practice strip, and the
// screen.
type body struct {
	s       *shell
	root    *fyne.Container
	rail    *kit.Rail
	items   map[place]*kit.NavItem
	content *fyne.Container
	// strip holds the practice ground's sign.
	strip *fyne.Container
}

func newBody(s *shell) *body {
	b := &body{s: s, content: kit.Over()}
	b.build()
	return b
}

// build makes everything but the screen, in the language of now and for the
// core of now.
func (b *body) build() {
	s := b.s
	b.items = map[place]*kit.NavItem{
		placeAccounts: kit.NewNavItem(s.say("rail.accounts"), theme.IconAccounts, s.goAccounts),
		placeConnect:  kit.NewNavItem(s.say("rail.connect"), theme.IconConnect, func() { s.goConnect(connectStart{}) }),
		placeGuide:    kit.NewNavItem(s.say("rail.guide"), theme.IconBook, s.goGuide),
		placeSettings: kit.NewNavItem(s.say("rail.settings"), theme.IconSettings, s.goSettings),
	}
	foot := kit.NewRailFoot("", "", s.say("rail.kept_short"), kit.Neutral, s.goSettings)
	b.rail = kit.NewRail(resource("icon/icon.svg"), buildinfo.Name, foot, b.items[placeAccounts], b.items[placeConnect], b.items[placeGuide], b.items[placeSettings])
	var strip fyne.CanvasObject
	if s.practising {
		b.strip = kit.Over()
		b.fillStrip()
		strip = b.strip
	}
	b.root = kit.Shell(b.rail, strip, b.content)
	s.frame.SetContent(b.root)
	b.refresh()
}

// fillStrip says in the strip what goes wrong on purpose.
func (b *body) fillStrip() {
	s := b.s
	var leave func()
	if s.canLeave() {
		leave = s.leavePractice
	}
	var more []fyne.CanvasObject
	for _, words := range presentMishaps(s.c, s.guide) {
		more = append(more, kit.NewStatusChip(words, kit.Warn, ""))
	}
	more = append(more, kit.NewButton(s.say("help.practice.strip"), kit.Medium, s.goMishaps))
	b.strip.Objects = []fyne.CanvasObject{kit.NewSandStrip(s.say("practice.strip"), s.say("practice.leave"), leave, more...)}
}

// restrip brings the strip up to what goes wrong now.
func (b *body) restrip() {
	if b.s.practising && b.strip != nil {
		b.fillStrip()
		b.root.Refresh()
	}
}

func (b *body) refresh() {
	s := b.s
	for at, item := range b.items {
		item.SetSelected(at == s.at)
	}
	b.items[placeAccounts].SetCount(needing(s.accounts.list))
	note := ""
	if s.waiting {
		note = s.say("rail.waiting")
	}
	b.items[placeConnect].SetNote(note)
	lead, line, t := railFoot(s.c, s.storage, s.test, s.now())
	if !s.storageKnown {
		lead, line, t = s.say("rail.not_tested"), "", toneNeutral
	}
	b.rail.Foot.Set(lead, line, kit.Tone(t))
}

// setContent puts a screen into the window.
func (b *body) setContent(o fyne.CanvasObject) {
	b.s.frame.HideTip()
	b.content.Objects = []fyne.CanvasObject{o}
	b.content.Refresh()
}

// resource is an embedded picture.
func resource(name string) fyne.Resource {
	data, err := resources.Art.ReadFile(name)
	if err != nil {
		panic("ui: the embedded picture is gone: " + name)
	}
	return fyne.NewStaticResource(name, data)
}

// art is an illustration, in its light and its dark form.
func art(name string, width, height float32) *kit.Art {
	return kit.NewArt(resource("art/art-"+name+"-light.svg"), resource("art/art-"+name+"-dark.svg"), width, height)
}

// refreshRail brings the rail up to date.
func (s *shell) refreshRail() {
	if s.body != nil {
		s.body.refresh()
	}
}

// retitle tells the window's title: where one is, what waits, never a name.
func (s *shell) retitle() {
	title := windowTitle(s.c, s.at, needing(s.accounts.list), s.practising, s.waiting)
	if s.window.Title() != title {
		s.window.SetTitle(title)
	}
}

// arrange tells the screen that the text's size changed.
func (s *shell) arrange() {
	s.body.root.Refresh()
	if a, ok := s.current.(arranger); ok {
		a.arrange()
	}
}

// applyLook hands theme and text size to the toolkit, and the language of the
// few words that are its own.
func (s *shell) applyLook() {
	choice := map[string]theme.Choice{"system": theme.System, "light": theme.Light, "dark": theme.Dark}[s.prefs.theme()]
	if err := theme.Speak(s.c); err != nil {
		s.params.Log.Warn("the toolkit keeps its own words", "err", err)
	}
	s.app.Settings().SetTheme(theme.New(choice, float32(s.prefs.textPercent())/100))
}

func (s *shell) rememberSize() {
	if size := s.window.Canvas().Size(); size.Width >= kit.LeastWidth && size.Height >= kit.LeastHeight {
		s.prefs.setSize(size)
	}
}
