package desktop

import "os"

func hostScheduler(getenv func(string) string) scheduler { return launchd(getenv, os.Getuid()) }

// ownConsole: a terminal is somebody's here.
func ownConsole() bool { return false }
