package e2e

import (
	"image"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/text"
)

// Every screen in every look, in the real window: the pictures are for people,
// the assertions hold that the words are there and nothing ends the program.
func TestEveryLook(t *testing.T) {
	d := newDesktop(t, options{width: 1920, height: 1400})
	p := d.sitDown()
	base := d.provider()
	path := program(t, "tokenkeep", windowTags)
	c := &counting{app: d.openWindow(path, "TOKENKEEP_SANDBOX_URL="+base)}
	c.fillInTheApp()
	p.handed(10 * time.Second)
	g := p.page(base, 10*time.Second)
	g.click("#allow")
	g.throughWarning()
	c.shows("is connected", 10*time.Second)
	c.close()
	for _, look := range []struct {
		name     string
		env      []string
		size     image.Point // of the window, zero: as it opens
		language string
	}{
		{name: "light", env: nil},
		{name: "dark", env: []string{"FYNE_THEME=dark"}},
		{name: "small", size: image.Pt(880, 600)},
		{name: "german", env: []string{"LANG=de_DE.UTF-8"}, language: "de"},
		{name: "german-dark-small", env: []string{"LANG=de_DE.UTF-8", "FYNE_THEME=dark"}, size: image.Pt(880, 600), language: "de"},
		{name: "twice", env: []string{"FYNE_SCALE=2"}},
	} {
		t.Run(look.name, func(t *testing.T) {
			// The window's own words, so that a better one needs no change here.
			say := text.For(look.language).Say
			a := d.openWindow(path, append(look.env, "TOKENKEEP_SANDBOX_URL="+base)...)
			a.shows("@lantern.books", 15*time.Second)
			if look.size != (image.Point{}) {
				d.screen.moveWindow(a.window, image.Rectangle{Min: image.Pt(10, 30), Max: image.Pt(10, 30).Add(look.size)})
				time.Sleep(400 * time.Millisecond)
				a.window = d.screen.windowOf(a.pid(), 5*time.Second)
			}
			a.shot("look-" + look.name + "-1-accounts")
			a.clickAt(a.shows("@lantern.books", 5*time.Second))
			a.shows(say("account.life"), 10*time.Second)
			a.shot("look-" + look.name + "-2-account")
			a.click("nav", say("rail.connect"))
			a.shows(say("connect.title"), 10*time.Second)
			a.shot("look-" + look.name + "-3-connect")
			a.click("nav", say("rail.settings"))
			a.shows(say("settings.where"), 10*time.Second)
			a.shot("look-" + look.name + "-4-settings")
			a.close()
		})
	}
}
