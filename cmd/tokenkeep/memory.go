package main

import (
	"runtime/debug"
	"time"
)

const (
	// startPercent lets the heap grow while the window is built: what is made
	// then mostly stays, and collecting it costs the first frame.
	startPercent = 400
	// runPercent keeps a program that stands idle for weeks small.
	runPercent = 20
	// settleAfter is when the first screen stands and its scaffolding is waste.
	settleAfter = 1500 * time.Millisecond
)

// hurry is for the time until the first frame.
func hurry() { debug.SetGCPercent(startPercent) }

// settle gives back what only the start needed, once it is over.
func settle() {
	time.AfterFunc(settleAfter, func() {
		debug.SetGCPercent(runPercent)
		debug.FreeOSMemory()
	})
}
