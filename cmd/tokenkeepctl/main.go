// Command tokenkeepctl is Tokenkeep without a window. It composes and decides
// nothing; internal/cli has the commands.
package main

import (
	"os"

	"github.com/tokenkeep/tokenkeep/internal/cli"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

func main() {
	vault.Serve()
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
