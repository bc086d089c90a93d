//go:build !windows

package desktop

import (
	"fmt"
	"os"
)

func complain(title, message string) { fmt.Fprintln(os.Stderr, title+". "+message) }
