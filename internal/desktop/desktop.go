// Package desktop is what the system does for us beside the window, without
// the toolkit: a message where no window can be shown, a timer that renews
// while we are closed, a notification, and the knowledge whether a window is
// already open or a tray is there. Whatever it says came from the catalogue;
// it never builds a command line or a script from a text (ruling 10).
//
// Decisions:
//
//   - The timer is the system's own and the person's own: a systemd user timer,
//     a launchd agent, a task of the Task Scheduler. No daemon of ours, nothing
//     that needs an administrator. Its files carry a mark in the first lines;
//     a file of that name without it is somebody's and is never touched.
//   - The timer names one program by absolute path, the tokenkeepctl beside the
//     running program. From a temporary folder it is refused: the path would
//     name nothing tomorrow, or, in a folder that anybody may write to, a
//     stranger's program. What is installed is written by rename, and taken back
//     where the system then says no.
//   - One library has the timer. Installing it for another home takes it over;
//     removing and mending leave another home's alone.
//   - systemd takes no quotation mark, backslash or control character in the
//     path of a program. Such a path goes as an argument to /bin/sh with a fixed
//     script, exec "$0" "$@", so that no byte of it is ever read as shell.
//   - A unit is hardened only as far as the window that a notification opens can
//     bear; Start hands that window to the user's manager, for whatever a unit
//     starts by itself ends with the unit and wears its restrictions.
//   - A notification goes over the session's bus, whose address must be there:
//     none is launched. macOS and Windows have no road to one without a script
//     or a toolkit, so there it is the problem notify.unavailable.
//   - One window a home: the lock is the kernel's and goes with the process, so
//     nothing is left stale by a kill. What the second asks of the first is one
//     short line of a closed alphabet, behind a word that only the owner of the
//     folder can read.
package desktop

// Complain shows a message where the program has no window to show it in:
// natively on Windows, where a windowed program has no stderr, and as a line on
// stderr everywhere else. It returns when the person has closed it.
func Complain(title, message string) { complain(title, message) }

// OwnConsole tells whether the console that this process writes to was opened
// for it alone: the Task Scheduler of Windows gives a program one, which looks
// like a terminal and which nobody reads. Elsewhere it is always false.
func OwnConsole() bool { return ownConsole() }

// appName and appID are those of internal/buildinfo, which a test compares.
const (
	appName = "Tokenkeep"
	appID   = "io.github.tokenkeep.Tokenkeep"
)
