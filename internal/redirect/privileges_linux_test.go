package redirect

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// dropPrivileges takes the right to bind low ports from the calling thread.
func dropPrivileges() error {
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}
