package browser

import (
	"context"
	"os"
	"path/filepath"
)

func opener(address string) []string { return []string{"open", address} }

// folderOpener names the Finder, because open would start a folder that ends
// in ".app".
func folderOpener(dir string) (argv []string, reports bool) {
	return []string{"open", "-a", "Finder", dir}, true
}

func separatePrograms() []string {
	var paths []string
	for _, app := range []string{"Google Chrome", "Chromium", "Microsoft Edge"} {
		inside := filepath.Join(app+".app", "Contents", "MacOS", app)
		paths = append(paths, filepath.Join("/Applications", inside))
		if dir, err := os.UserHomeDir(); err == nil {
			paths = append(paths, filepath.Join(dir, "Applications", inside))
		}
	}
	return paths
}

// Default gives "": this system has no plain way to ask.
func Default(context.Context) string { return "" }

func profileFlags() []string { return []string{"--use-mock-keychain"} }
