package ui

import (
	"os"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/vault"
)

func TestMain(m *testing.M) {
	vault.Serve()
	os.Exit(m.Run())
}
