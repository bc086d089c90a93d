//go:build !darwin && !windows

package desktop

func hostScheduler(getenv func(string) string) scheduler { return systemd(getenv) }

// ownConsole: a terminal is somebody's here.
func ownConsole() bool { return false }
