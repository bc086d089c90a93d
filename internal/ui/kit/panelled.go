package kit

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Panelled is a page with a panel of its own at the left, as a list of steps.
// Where there is no room for the panel, instead stands above the page.
func Panelled(panel, instead, page fyne.CanvasObject) *fyne.Container {
	return box(&panelled{}, panel, newPlate(theme.ColorBorder, "", 0, 0), margins(instead, 12, 0), page)
}

type panelled struct{}

func (p *panelled) narrow(width float32) bool { return Narrow(width, 860) }

func (p *panelled) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 200) }

func (p *panelled) heightFor(o []fyne.CanvasObject, width float32) float32 { return 200 }

func (p *panelled) Layout(o []fyne.CanvasObject, s fyne.Size) {
	narrow := p.narrow(s.Width)
	show(o[0], !narrow)
	show(o[1], !narrow)
	show(o[2], narrow)
	left, top := 263*theme.Scale(), float32(0)
	if narrow {
		left = 0
		top = HeightFor(o[2], s.Width)
		put(o[2], 0, 0, s.Width, top)
		put(o[3], 0, top, s.Width, max(0, s.Height-top))
		return
	}
	put(o[0], 0, 0, left, s.Height)
	put(o[1], left, 0, 1, s.Height)
	put(o[3], left+1, 0, max(0, s.Width-left-1), s.Height)
}
