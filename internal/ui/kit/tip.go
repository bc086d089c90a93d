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
	if f := frameOf(o); f != nil {
		f.tipGone(o)
	}
}
