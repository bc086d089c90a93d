package desktop

import "golang.org/x/sys/windows"

func complain(title, message string) {
	head, err := windows.UTF16PtrFromString(title)
	if err != nil {
		return
	}
	body, err := windows.UTF16PtrFromString(message)
	if err != nil {
		return
	}
	_, _ = windows.MessageBox(0, body, head, windows.MB_OK|windows.MB_ICONERROR)
}
