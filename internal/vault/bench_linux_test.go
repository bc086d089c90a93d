package vault

import (
	"fmt"
	"strings"
	"testing"

	keyring "github.com/zalando/go-keyring"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// What the child costs: one token written, proven and read, through it and by
// the library alone in this process, against the same real daemon.
func BenchmarkPutGet(b *testing.B) {
	d := newDesktop(b)
	d.startKeyring()
	value := strings.Repeat("x", 600)
	b.Run("child", func(b *testing.B) {
		k := keychain(b, Options{})
		for n := 0; b.Loop(); n++ {
			if err := k.Put(b.Context(), "token-bench000", secret.New(value+fmt.Sprint(n))); err != nil {
				b.Fatal(err)
			}
			if _, err := k.Get(b.Context(), "token-bench000"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			want := value + fmt.Sprint(n)
			if err := keyring.Set(buildinfo.ID, "token-bench001", want); err != nil {
				b.Fatal(err)
			}
			for range 2 { // the proof, and the reading
				if got, err := keyring.Get(buildinfo.ID, "token-bench001"); err != nil || got != want {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("first call", func(b *testing.B) {
		for b.Loop() {
			k := Open(Options{Service: buildinfo.ID})
			if _, err := k.Get(b.Context(), "token-bench000"); err != nil {
				b.Fatal(err)
			}
			k.Close()
		}
	})
}
