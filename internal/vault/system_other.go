//go:build !linux

package vault

import "runtime"

// Serve belongs in the first line of main and of TestMain. Here there is no
// child to serve, and it returns at once.
func Serve() {}

var system = newDirect(runtime.GOOS, goKeyring)

func systemBackend() backend { return system }
