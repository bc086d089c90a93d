package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// A test binary started again with one of these words as its first argument
// plays a part on the desktop instead of running tests.
const (
	partOfWindow   = "__window"   // a plain X window that tells what is done to it
	partOfRunaway  = "__runaway"  // starts a child that outlives it
	partOfSleeping = "__sleeping" // the child
)

func TestMain(m *testing.M) {
	vault.Serve()
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case partOfMeasuring:
			if err := playMeasuring(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		case partOfRenewing:
			if err := playRenewing(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		case partOfWindow:
			playWindow()
			return
		case partOfRunaway:
			playRunaway()
			return
		case partOfSleeping:
			time.Sleep(time.Hour)
			return
		}
	}
	code := m.Run()
	if err := removeBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
