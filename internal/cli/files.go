package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// writeOwn writes a file that the person named, so that only they can read it
// and so that it is there whole or not at all (SEC-7). A link is refused: what
// it points at was not named. It gives the absolute path, and says where the
// folder goes to other computers as well.
func (p *program) writeOwn(name string, data []byte) (path string, err error) {
	path, err = filepath.Abs(name)
	if err != nil {
		return "", usage("file_unwritable", "file", problem.Outside(name, 200)).Because(err)
	}
	if err := writeWhole(path, data); err != nil {
		return "", err
	}
	p.warnSynced(path)
	return path, nil
}

func writeWhole(path string, data []byte) (err error) {
	refused := func(err error) error {
		return usage("file_unwritable", "file", problem.Outside(path, 200)).Because(err)
	}
	info, err := os.Lstat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return usage("file_link", "file", problem.Outside(path, 200))
	case err != nil && !os.IsNotExist(err):
		return refused(err)
	}
	// CreateTemp makes it with mode 0600, new, in the same folder.
	f, err := os.CreateTemp(filepath.Dir(path), ".tokenkeep-*")
	if err != nil {
		return refused(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return refused(err)
	}
	if err := f.Sync(); err != nil {
		return refused(err)
	}
	if err := f.Close(); err != nil {
		return refused(err)
	}
	// A rename replaces a link that came meanwhile and does not follow it.
	if err := os.Rename(f.Name(), path); err != nil {
		return refused(err)
	}
	return nil
}

// warnSynced says that a file goes to other computers as well.
func (p *program) warnSynced(path string) {
	if folder, found := syncedFolder(path); found {
		p.note(p.say.Say("cli.synced", one("folder", problem.Outside(folder, 80))))
	}
}

// syncedFolder finds a folder of the path that programs copy to other
// computers, by the names that these give it.
func syncedFolder(path string) (name string, found bool) {
	for _, part := range strings.FieldsFunc(filepath.Dir(path), func(r rune) bool { return r == '/' || r == '\\' }) {
		low := strings.ToLower(part)
		for _, known := range []string{"dropbox", "onedrive", "google drive", "googledrive", "my drive", "icloud drive", "icloud~", "com~apple~clouddocs", "nextcloud", "owncloud", "pcloud", "syncthing", "seafile"} {
			if strings.HasPrefix(low, known) {
				return part, true
			}
		}
	}
	return "", false
}
