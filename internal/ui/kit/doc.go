// Package kit holds the window's own widgets and its only way from a goroutine
// back to the screen.
//
// Decisions.
//
// Kit has no sentence: every word comes from the caller. Kit decides no colour
// or size either: both have names in package theme.
//
// Only [Runner] calls fyne.Do. A screen starts work with Go, shows results
// with Post and waits with After; a test gives it a [Queue] instead, which runs
// nothing by itself and has a clock of its own.
//
// Heights follow widths. The toolkit asks a widget for its smallest size before
// it has a width, so wrapped text is too high or cut. Our texts and layouts
// answer how high they are at a given width, and containers ask with the width
// that they are about to give. Build screens from Column, Row, Flow, Pad, Card
// and Scroll, and nothing is cut at any text scale.
//
// Everything that can be clicked can be reached with Tab and triggered with
// Enter or Space; what has the focus wears a ring. A widget hands the keys
// that it does not use on to the window, so the window's keys work wherever
// the focus is. Text fields do the same with shortcuts.
//
// Every widget can say what it is ([Seen]); tests, the structure dump and
// accessibility read the same words. A masked field never says its content.
package kit
