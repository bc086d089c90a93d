// The floor of the toolkit: one window of our size with one word in it. The
// benchmarks compare the product with it in the same run.
package main

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

func main() {
	app.SetMetadata(fyne.AppMetadata{ID: "io.github.tokenkeep.EmptyWindow", Name: "Empty", Migrations: map[string]bool{"fyneDo": true}})
	a := app.NewWithID("io.github.tokenkeep.EmptyWindow")
	w := a.NewWindow("Empty")
	w.SetContent(container.NewVBox(widget.NewLabel("Tokenkeep")))
	w.Resize(fyne.NewSize(1120, 760))
	w.ShowAndRun()
}
