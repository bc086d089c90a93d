//go:build race

package connect

// underRace: the race detector makes a process ten times as slow, and a killed
// one can tell it nothing. See kills.
const underRace = true
