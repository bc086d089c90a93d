package vault

import (
	"crypto/rand"
	"strings"
)

// made reports whether s has from min to max bytes, all of them in alphabet.
func made(s string, min, max int, alphabet string) bool {
	if len(s) < min || len(s) > max {
		return false
	}
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}

// random gives n characters of [a-z2-7], five bits each.
func random(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	b := make([]byte, n)
	// Since Go 1.24 Read does not fail; it ends the process instead.
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}
