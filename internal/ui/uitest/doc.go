// Package uitest finds, presses and describes the window's widgets, in tests
// without a display and, under the build tag e2e, from another process.
//
// Decisions. A screen is asserted by its structure, one line a widget: role,
// words, value, focus, enabled ([Screen.Dump]); by its focus order, as Tab
// really walks it ([Screen.Order]); and, two or three times a screen, by a
// picture ([Screen.Golden]). A picture that differs is written to
// testdata/failed under the same name; accepting it is a copy.
//
// Widgets are found by what a person sees: their words and their role, never by
// a Go variable. Secrets are masked before they reach any of this.
//
// The driver behind the tag serves the same description as JSON over a unix
// socket of mode 0600, named by TOKENKEEP_E2E_SOCKET, and nothing else: the
// harness clicks real pixels. It is imported by cmd/tokenkeep under the tag
// alone, so the program that people get contains neither it nor the toolkit's
// test package; a test proves that.
package uitest
