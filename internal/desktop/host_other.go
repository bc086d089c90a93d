//go:build !darwin && !windows

package desktop

func hostScheduler(getenv func(string) string) scheduler { return systemd(getenv) }
