//go:build !race

package connect

// underRace: see crash_race_test.go.
const underRace = false
