package desktop

import "context"

// Notice is one notification. Its texts came from the catalogue; names in them
// may be a stranger's, so they are cleaned and cut here.
type Notice struct {
	// Title is one line, at most 120 characters of it are shown.
	Title string
	// Body is plain text, at most 600 characters of it are shown.
	Body string
	// ActionLabel is what a click does ("Open"); empty: a click does nothing.
	ActionLabel string
	// Urgent asks for a notification that stays until it is closed.
	Urgent bool
}

// Notify shows a notification and returns when the desktop has taken it, within
// 5 s. clicked yields one value if the person clicks it, and is closed when the
// notification is gone, ctx ends, or the session's bus does. Some desktops take
// a notification back once the program that sent it has left the bus: whoever
// wants it seen keeps ctx open. Error: notify.unavailable.
func Notify(ctx context.Context, n Notice) (clicked <-chan struct{}, err error) {
	return notify(ctx, n)
}

// HasTray tells whether the desktop shows tray entries, as far as it can be
// asked: on Linux whether somebody watches for them on the session's bus. It
// takes at most 2 s.
func HasTray(ctx context.Context) bool { return hasTray(ctx) }
