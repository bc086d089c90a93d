//go:build !e2e

package main

import (
	"io"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// serve does nothing: the released program has no door for tests.
func serve(fyne.Window, kit.Runner, io.Writer) (stop func()) { return func() {} }
