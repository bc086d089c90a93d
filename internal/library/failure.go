package library

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// diagnose finds the key for an error of SQLite or of the system; empty when
// it is none of those that a person can do something about. SQLite says
// "cannot open" and "I/O error" for a full disk and for a missing right alike,
// so those are told apart by trying to write into dir.
func diagnose(err error, dir string) problem.Key {
	if err == nil {
		return ""
	}
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return roomOrRight(err)
	}
	switch s.Code() & 0xff {
	case codes.SQLITE_FULL:
		return problem.LibraryFull
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_PROTOCOL:
		return problem.LibraryBusy
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return problem.LibraryBroken
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return firstKey(attempt(dir), problem.LibraryReadOnly)
	case codes.SQLITE_CANTOPEN, codes.SQLITE_IOERR:
		return attempt(dir)
	}
	return ""
}

// attempt writes a page into dir and says what kept it from that.
func attempt(dir string) problem.Key {
	if dir == "" {
		return ""
	}
	f, err := os.CreateTemp(dir, "library.db-attempt-")
	if err == nil {
		_, err = f.Write(make([]byte, 8192))
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	return roomOrRight(err)
}

// roomOrRight tells a full disk from a missing right.
func roomOrRight(err error) problem.Key {
	var number syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return problem.LibraryFull
	// ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
	case runtime.GOOS == "windows" && errors.As(err, &number) && (number == 39 || number == 112):
		return problem.LibraryFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return problem.LibraryReadOnly
	}
	return ""
}

// cannotShare reports that the file system of dir lacks locks or shared
// memory. A file in log mode then just "cannot be opened", though its folder
// can be written.
func cannotShare(err error, dir string) bool {
	if errors.Is(err, errNoLog) {
		return true
	}
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return false
	}
	switch s.Code() {
	case codes.SQLITE_IOERR_SHMOPEN, codes.SQLITE_IOERR_SHMMAP, codes.SQLITE_IOERR_SHMLOCK,
		codes.SQLITE_IOERR_LOCK, codes.SQLITE_IOERR_RDLOCK, codes.SQLITE_IOERR_UNLOCK, codes.SQLITE_IOERR_CHECKRESERVEDLOCK, codes.SQLITE_NOLFS:
		return true
	case codes.SQLITE_CANTOPEN:
		return attempt(dir) == ""
	}
	return false
}

// violates reports whether err is a broken rule of the schema, such as
// SQLITE_CONSTRAINT_UNIQUE.
func violates(err error, code int) bool {
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code() == code
}

func firstKey(keys ...problem.Key) problem.Key {
	for _, key := range keys {
		if key != "" {
			return key
		}
	}
	return ""
}
