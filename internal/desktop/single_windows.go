package desktop

import (
	"errors"
	"net"

	"golang.org/x/sys/windows"
)

// lockFile opens the file without sharing, which is a lock that the kernel
// frees with the process.
func lockFile(path string) (unlock func(), err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = windows.CloseHandle(handle) }, nil
}

// listenIn opens a port of the loopback address. Whoever speaks there must know
// the word in the person's own folder.
func listenIn(string) (net.Listener, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	return listener, "tcp " + listener.Addr().String(), nil
}
