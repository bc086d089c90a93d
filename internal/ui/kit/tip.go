package kit

import "fyne.io/fyne/v2"

// frames finds the frame of a canvas; used on the window's goroutine only.
var frames = map[fyne.Canvas]*Frame{}

func frameOf(o fyne.CanvasObject) *Frame {
	if o == nil {
		return nil
	}
	return frames[canvasOf(o)]
}

func showTip(o fyne.CanvasObject, words string) {
	if words == "" {
		return
	}
	if f := frameOf(o); f != nil {
		f.tipFor(o, words)
	}
}

func hideTip(o fyne.CanvasObject) {
	// Not through its canvas: a widget that was taken out has none, and takes
	// its tip with it all the same.
	for _, f := range frames {
		f.tipGone(o)
	}
}
