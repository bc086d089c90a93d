//go:build !e2e

package uitest

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// Serve does nothing without the build tag e2e.
func Serve(fyne.Window, kit.Runner) (stop func(), err error) { return func() {}, nil }
