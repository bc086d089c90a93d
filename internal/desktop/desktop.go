// Package desktop is what the system does for us beside the window, without
// the toolkit: so far, a message where no window can be shown. Whatever it
// says came from the catalogue; it never builds a command line or a script
// from a text (ruling 10).
package desktop

// Complain shows a message where the program has no window to show it in:
// natively on Windows, where a windowed program has no stderr, and as a line on
// stderr everywhere else. It returns when the person has closed it.
func Complain(title, message string) { complain(title, message) }
