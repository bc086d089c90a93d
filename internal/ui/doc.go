// Package ui is the window: navigation, one file a screen, and presenters.
//
// Rules. A screen is a pure function of a state: the presenters (model_*.go)
// turn what the core says, the form and the time into a model of sentences and
// switches, and are tested as tables without a widget; a view renders a model
// and has no opinion. Work that can block runs through kit's runner, never on
// the window's goroutine; what comes back is posted through it. A result for a
// screen that was left is still written and told in a toast.
//
// At most one filled button a screen. A control whose engine does not exist is
// not shown (ruling 12). A problem stands beside what it concerns, with its
// remedy as a button; a dialog is for decisions only. Secrets are masked, and
// what a person types into a secret's field leaves it as secret.Text.
//
// Closing a screen cancels its context and does not wait; the core saves
// before it announces, so nothing is lost by leaving.
package ui
