//go:build e2e

package main

import (
	"fmt"
	"io"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/uitest"
)

// serve lets journeys see where the widgets are, on the socket that the
// environment names.
func serve(w fyne.Window, run kit.Runner, stderr io.Writer) (stop func()) {
	stop, err := uitest.Serve(w, run)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return func() {}
	}
	return stop
}
