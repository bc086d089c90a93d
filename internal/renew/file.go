package renew

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// WriteCalendar replaces the file at path, an absolute address, in one step; a
// reader sees the old or the new one. Only its owner may read it. A symbolic
// link, anything that is no ordinary file, and a file that is not a calendar of
// ours are refused and left as they are. Problem: calendar.failed, with the reason
// foreign for the latter.
func WriteCalendar(path string, data []byte) error {
	switch err := writeCalendar(path, data); {
	case err == nil:
		return nil
	case errors.Is(err, errNotOurs):
		return problem.New(problem.CalendarFailed, "folder", filepath.Dir(path), "reason", "foreign").Because(err)
	default:
		return failed(path).Because(err)
	}
}

// RemoveCalendar deletes the file at path if it is a calendar of ours.
// Anything else, and nothing, is left alone. Problem: calendar.failed.
func RemoveCalendar(path string) error {
	switch ours, err := isOurs(path); {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotOurs):
		return nil
	case err != nil:
		return failed(path).Because(err)
	case !ours:
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(path).Because(err)
	}
	return nil
}

func failed(path string) *problem.Problem {
	return problem.New(problem.CalendarFailed, "folder", filepath.Dir(path))
}

var (
	errNotAbsolute = errors.New("renew: the calendar's address is not absolute")
	errNotOurs     = errors.New("renew: there is a file that is no calendar of ours")
)

func writeCalendar(path string, data []byte) error {
	if !filepath.IsAbs(path) {
		return errNotAbsolute
	}
	switch ours, err := isOurs(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !ours:
		return errNotOurs
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".tokenkeep-*.tmp") // 0600 from birth
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	if _, err = temp.Write(data); err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	// A link that came to lie there meanwhile is replaced, not followed.
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	// That the new name survives a power cut. Windows cannot do that with a
	// folder, and what is lost is written again tomorrow.
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

// isOurs reports whether path is a calendar of ours, or an empty file as a
// person may have made it in a dialog. What is no ordinary file is errNotOurs.
func isOurs(path string) (bool, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, errNotOurs
	}
	if info.Size() == 0 {
		return true, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	head, err := io.ReadAll(io.LimitReader(f, 512))
	return bytes.Contains(head, []byte("\r\n"+product+"\r\n")), err
}
