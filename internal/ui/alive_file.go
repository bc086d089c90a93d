package ui

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Files of ours that a person asks for (SEC-7): at a path of their own choice,
// for them alone to read, whole or not at all, and never through a link.

// errLink is a path that is a symbolic link.
var errLink = errors.New("ui: the path is a symbolic link")

// writeFile writes data to path: mode 0600 from birth, in place at once or not
// at all.
func writeFile(path string, data []byte) (err error) {
	if info, statErr := os.Lstat(path); statErr == nil && info.Mode()&fs.ModeSymlink != 0 {
		return errLink
	}
	// CreateTemp gives 0600, whatever the umask.
	f, err := os.CreateTemp(filepath.Dir(path), ".tokenkeep-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// folders that are copied elsewhere by themselves, by the names they have.
var synced = []string{"dropbox", "onedrive", "google drive", "googledrive", "my drive", "icloud", "mobile documents", "nextcloud", "owncloud", "syncthing", "mega", "pcloud", "box sync"}

// isSynced reports whether a path seems to lie in a folder that is copied to
// other computers.
func isSynced(path string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(path), func(r rune) bool { return r == '/' || r == '\\' }), func(part string) bool {
		return slices.ContainsFunc(synced, func(name string) bool { return part == name || strings.HasPrefix(part, name+" ") })
	})
}

// savePath makes of what was typed the path that is meant, or says what is
// wrong with it. home is the person's folder.
func savePath(c *text.Catalogue, typed, home string) (path, wrong, warning string) {
	path = strings.TrimSpace(typed)
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		path = filepath.Join(home, rest)
	}
	switch {
	case path == "":
		return "", c.Say("save.empty"), ""
	case !filepath.IsAbs(path):
		return "", c.Say("save.relative"), ""
	}
	path = filepath.Clean(path)
	if isSynced(path) {
		warning = c.Say("save.synced")
	}
	return path, "", warning
}

// saveWrong says why a file could not be written.
func saveWrong(c *text.Catalogue, err error) string {
	switch {
	case errors.Is(err, errLink):
		return c.Say("save.link")
	case errors.Is(err, fs.ErrNotExist):
		return c.Say("save.no_folder")
	case errors.Is(err, fs.ErrPermission):
		return c.Say("save.denied")
	}
	var p *problem.Problem
	if errors.As(err, &p) {
		told := c.Tell(p)
		return sentence(told.Title) + " " + told.Advice
	}
	return c.Say("save.failed")
}

// saving is a file that the person wants.
type saving struct {
	// title of the dialog; line says what is in the file and may be empty.
	title, line string
	// name is the suggested file's, without a folder.
	name string
	// preview, if set, is shown: what will be in the file.
	preview string
	// data gives what is written; it runs off the window's goroutine.
	data func(context.Context) ([]byte, error)
	// write puts it at the path; nil is writeFile.
	write func(path string, data []byte) error
	// replaces: the person said that what is at the path may go.
	replaces bool
	// done is told the path, on the window's goroutine. Without it a toast tells.
	done func(path string)
}

// save asks for a path and writes there. A path that does not do stays in its
// field, with the reason below it.
func (s *shell) save(f saving) { s.saveAt(f, filepath.Join(s.saveFolder(), f.name), "") }

// saveFolder is where a file is suggested: the person's documents.
func (s *shell) saveFolder() string {
	home := s.personsHome()
	if documents := filepath.Join(home, "Documents"); home != "" {
		if info, err := os.Stat(documents); err == nil && info.IsDir() {
			return documents
		}
	}
	return home
}

func (s *shell) personsHome() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}

func (s *shell) saveAt(f saving, typed, wrong string) {
	path := kit.NewEntry(s.say("save.path"), "")
	path.SetText(typed)
	box := kit.NewFieldBox(s.say("save.path"), path, s.say("save.yours"), 2)
	look := func(words string) {
		_, bad, warning := savePath(s.c, words, s.personsHome())
		switch {
		case bad != "":
			box.Say(kit.Bad, bad)
		case warning != "":
			box.Say(kit.Warn, warning)
		default:
			box.Say(kit.Neutral, "")
		}
	}
	if wrong != "" {
		box.Say(kit.Bad, wrong)
	} else {
		look(typed)
	}
	path.OnChanged = look
	body := kit.Column(12)
	if f.line != "" {
		body.Add(kit.NewText(f.line))
	}
	if f.preview != "" {
		body.Add(kit.SoftBox(kit.Quiet, kit.Mono(f.preview).Sized(theme.SizeMicro)))
	}
	body.Add(box)
	write := func() { s.writeTo(f, path.Text) }
	path.OnSubmitted = func(string) {
		s.closeDialog()
		write()
	}
	s.open(kit.Dialog{Title: f.title, Body: body, Width: 560, First: path, Buttons: []kit.DialogButton{
		{Label: s.say("save.cancel"), Kind: kit.Medium, Harmless: true},
		{Label: s.say("save.save"), Kind: kit.High, Tapped: write},
	}})
}

// writeTo writes where the person said; a path that does not do asks again.
func (s *shell) writeTo(f saving, typed string) {
	path, wrong, _ := savePath(s.c, typed, s.personsHome())
	if wrong != "" {
		s.saveAt(f, typed, wrong)
		return
	}
	var writeErr error
	var exists bool
	write := f.write
	if write == nil {
		write = writeFile
	}
	s.do(s.coreCtx, func(ctx context.Context) error {
		// A writer of its own knows itself what it may replace.
		if f.write == nil && !f.replaces {
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
				exists = true
				return nil
			}
		}
		data, err := f.data(ctx)
		if err != nil {
			return err
		}
		writeErr = write(path, data)
		return nil
	}, func(p *problem.Problem) {
		switch {
		case p != nil:
			s.tell(p)
		case exists:
			s.askReplace(f, typed, filepath.Base(path))
		case writeErr != nil:
			s.saveAt(f, typed, saveWrong(s.c, writeErr))
		case f.done != nil:
			f.done(path)
		default:
			s.toast(s.say("save.saved", text.Args{"name": filepath.Base(path)}))
		}
	})
}

// askReplace asks before a file that is there is lost.
func (s *shell) askReplace(f saving, typed, name string) {
	s.open(kit.Dialog{Title: s.say("save.exists", text.Args{"name": name}), Body: kit.NewText(s.say("save.exists_line")), Buttons: []kit.DialogButton{
		{Label: s.say("save.other_name"), Kind: kit.Medium, Harmless: true, Tapped: func() { s.saveAt(f, typed, "") }},
		{Label: s.say("save.replace"), Kind: kit.Danger, Tapped: func() {
			f.replaces = true
			s.writeTo(f, typed)
		}},
	}})
}

// cell makes a text safe as a cell of a table (SEC-7): names come from
// strangers, and a spreadsheet runs what begins like a formula.
func cell(words string) string {
	if words != "" && strings.ContainsRune("=+-@\t\r\n\x00", rune(words[0])) {
		words = "'" + words
	}
	if strings.ContainsAny(words, ",;\"\r\n\t") {
		words = `"` + strings.ReplaceAll(words, `"`, `""`) + `"`
	}
	return words
}

// table is rows as CSV (RFC 4180).
func table(rows [][]string) []byte {
	var b strings.Builder
	for _, row := range rows {
		for i, words := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(cell(words))
		}
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}
