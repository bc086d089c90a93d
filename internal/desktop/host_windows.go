package desktop

import "golang.org/x/sys/windows"

func hostScheduler(getenv func(string) string) scheduler {
	sid := ""
	if user, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil {
		sid = user.User.Sid.String()
	}
	return taskScheduler(getenv, sid)
}
