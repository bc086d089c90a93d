package connect

import (
	"context"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// counted counts what is asked of a place for secrets.
type counted struct {
	vault.Store
	proves bool
	reads  int
}

func (c *counted) Proves() bool { return c.proves }

func (c *counted) Get(ctx context.Context, name string) (secret.Text, error) {
	c.reads++
	return c.Store.Get(ctx, name)
}

// What practice puts in front of the keychain does not make every save read
// twice, and a place that does not read back is still read.
func TestKR2_PracticeReadsBackOnce(t *testing.T) {
	for _, proves := range []bool{true, false} {
		in := vault.NewSession()
		behind := &counted{Store: in, proves: proves}
		s := &Service{}
		front := latch{Store: behind, locked: &s.pretence.locked}
		if err := (vault.Tokens{Store: front, Service: "x"}).Put(context.Background(), "abcdefgh", vault.Item{Gen: 1, AccessToken: secret.New("PracticeOnly")}); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 0, false: 1}[proves]; behind.reads != want {
			t.Errorf("proves %t: %d reads, not %d", proves, behind.reads, want)
		}
	}
}
