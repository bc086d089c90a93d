package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tokenkeep/tokenkeep/internal/desktop"
)

// startWindow opens an account in the window: the tokenkeep beside this
// program, which hands over to one that is open. It stays when we end.
func (p *program) startWindow(ctx context.Context, account string) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	name := "tokenkeep"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	beside := filepath.Join(filepath.Dir(own), name)
	if info, err := os.Stat(beside); err != nil || !info.Mode().IsRegular() {
		return usage("no_window", "folder", filepath.Dir(own)).Because(errors.Join(err))
	}
	config, err := p.config()
	if err != nil {
		return err
	}
	args := []string{"--account", account}
	if home := p.ownHome(config); home != "" {
		args = append(args, "--home", home)
	}
	return desktop.Start(ctx, beside, args...)
}
