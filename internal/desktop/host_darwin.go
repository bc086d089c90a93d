package desktop

import "os"

func hostScheduler(getenv func(string) string) scheduler { return launchd(getenv, os.Getuid()) }
