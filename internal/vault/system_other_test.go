//go:build !linux

package vault

import "testing"

func playPart() {}

func processesBelow(int) []int { return nil }

var systemStores map[string]func(t *testing.T) Store
