package library

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func init() {
	parts["full"] = fullDisk
	parts["read-only"] = readOnlyDisk
	parts["stranger"] = stranger
}

// apart gives the process mounts of its own, as root or as an ordinary user.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
}

func mountSmall(dir, size string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size)
}

// fill leaves no byte.
func fill(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for _, size := range []int{64 << 10, 4096, 1} {
		for {
			if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
				break
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

func expect(what string, err error, key problem.Key, dir string) error {
	if !problem.Has(err, key) || problem.Of(err).Args["folder"] != dir {
		return fmt.Errorf("%s: got %v, want %s naming %s", what, err, key, dir)
	}
	return nil
}

func fullDisk(dir string) error {
	ctx := context.Background()
	if err := mountSmall(dir, "2m"); err != nil {
		return err
	}
	home, filler := filepath.Join(dir, "home"), filepath.Join(dir, "filler")
	l, err := Open(ctx, home, nil)
	if err != nil {
		return err
	}
	a := Account{ID: renewed, Provider: "p", ClientID: "c", UserID: "u", Gen: 1}
	if err := errors.Join(l.Finish(ctx, a), l.Begin(ctx, Pending{AccountID: renewed, Gen: 2}), fill(filler)); err != nil {
		return err
	}
	// The provider has answered and there is no byte left: the answer still
	// finds its room, so does a second one, and so does the end.
	for _, size := range []int{400, reserveSize} {
		if err := l.Seal(ctx, renewed, 2, make([]byte, size)); err != nil {
			return fmt.Errorf("sealing %d bytes on a full disk: %w", size, err)
		}
	}
	a.Gen = 2
	if err := l.Finish(ctx, a, Entry{Event: "renewed"}); err != nil {
		return fmt.Errorf("finishing on a full disk: %w", err)
	}
	if err := fill(filler); err != nil {
		return err
	}
	// Now nothing was reserved: refused before the provider is asked.
	if err := expect("begin", l.Begin(ctx, Pending{AccountID: renewed, Gen: 3}), problem.LibraryFull, home); err != nil {
		return err
	}
	if left, err := l.Pendings(ctx); err != nil || len(left) != 0 {
		return fmt.Errorf("a refused begin left %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(home, ballastName+renewed)); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("a refused begin left its file: %w", err)
	}
	var refused error
	for i := 0; refused == nil && i < 1000; i++ {
		refused = l.PutOverflow(ctx, fmt.Sprint("token-", i), 1, make([]byte, 8192))
	}
	if err := expect("overflow", refused, problem.LibraryFull, home); err != nil {
		return err
	}
	if got, err := l.Account(ctx, renewed); err != nil || got.Gen != 2 {
		return fmt.Errorf("after all that: %+v, %w", got, err)
	}
	if err := l.Close(); err != nil {
		return err
	}
	if err := fill(filler); err != nil {
		return err
	}
	// A start on a full disk shows the list.
	l, err = Open(ctx, home, nil)
	if err != nil {
		return fmt.Errorf("opening on a full disk: %w", err)
	}
	if got, err := l.Account(ctx, renewed); err != nil || got.Gen != 2 {
		return fmt.Errorf("read on a full disk: %+v, %w", got, err)
	}
	if l.ReadOnly() {
		if !slices.Equal(l.Notes(), []problem.Key{problem.LibraryFull}) {
			return fmt.Errorf("notes: %v", l.Notes())
		}
		if err := expect("note", l.Note(ctx, Entry{Event: "e"}), problem.LibraryFull, home); err != nil {
			return err
		}
	}
	if err := errors.Join(l.Close(), os.Remove(filler)); err != nil {
		return err
	}
	l, err = Open(ctx, home, nil)
	if err != nil {
		return err
	}
	if l.ReadOnly() || len(l.Notes()) > 0 {
		return fmt.Errorf("with room again: read-only %v, notes %v", l.ReadOnly(), l.Notes())
	}
	if err := errors.Join(l.Begin(ctx, Pending{AccountID: renewed, Gen: 3}), l.Close()); err != nil {
		return err
	}
	// A first start without room.
	if err := fill(filler); err != nil {
		return err
	}
	second := filepath.Join(dir, "second")
	_, err = Open(ctx, second, nil)
	if err := expect("a first start", err, problem.LibraryFull, second); err != nil {
		return err
	}
	fmt.Println("ok")
	return nil
}

func TestPS6_FullDiskLosesNothingAndNamesTheFolder(t *testing.T) {
	p := play(t, "full", t.TempDir(), apart)
	if got := p.line(t); got != "ok" {
		t.Error(got)
	}
}

func readOnlyDisk(dir string) error {
	ctx := context.Background()
	if err := mountSmall(dir, "8m"); err != nil {
		return err
	}
	closed, running, old, empty, bad := filepath.Join(dir, "closed"), filepath.Join(dir, "running"), filepath.Join(dir, "old"), filepath.Join(dir, "empty"), filepath.Join(dir, "bad")
	a := Account{ID: renewed, Provider: "p", ClientID: "c", UserID: "u", Gen: 1}
	for _, home := range []string{closed, running, old} {
		o := opening{dir: home, migrations: migrations, minReader: 1}
		if home == old {
			o.migrations = migrations[:1]
		}
		l, err := o.open(ctx)
		if err != nil {
			return err
		}
		if err := l.write(ctx, func(tx *sql.Tx) error { return putAccount(ctx, tx, a) }); err != nil {
			return err
		}
		if home == running {
			// What a killed process leaves: the newest rows only in the log.
			copied, err := copyAway(home)
			if err != nil {
				return err
			}
			if err := errors.Join(l.Close(), os.Remove(filepath.Join(home, fileName))); err != nil {
				return err
			}
			for _, suffix := range []string{"", "-wal"} {
				b, err := os.ReadFile(filepath.Join(copied, fileName+suffix))
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(home, fileName+suffix), b, 0o600); err != nil {
					return err
				}
			}
			if err := os.RemoveAll(copied); err != nil {
				return err
			}
			continue
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Mkdir(empty, 0o700), os.Mkdir(bad, 0o700), os.WriteFile(filepath.Join(bad, fileName), []byte("bad"), 0o600)); err != nil {
		return err
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	for _, home := range []string{closed, running, old} {
		l, err := Open(ctx, home, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", home, err)
		}
		if !l.ReadOnly() || l.Fresh() || !slices.Equal(l.Notes(), []problem.Key{problem.LibraryReadOnly}) {
			return fmt.Errorf("%s: read-only %v, fresh %v, notes %v", home, l.ReadOnly(), l.Fresh(), l.Notes())
		}
		if got, err := l.Account(ctx, renewed); err != nil || got.Gen != 1 || l.ID() == "" {
			return fmt.Errorf("%s: %+v, %w", home, got, err)
		}
		if all, err := l.Renewals(ctx); err != nil || len(all) != 0 {
			return fmt.Errorf("%s: %v, %w", home, all, err)
		}
		if err := expect("finish", l.Finish(ctx, a), problem.LibraryReadOnly, home); err != nil {
			return err
		}
		if _, err := LockFor(ctx, home, "fresh-lock", 0); !problem.Has(err, problem.LibraryReadOnly) {
			return fmt.Errorf("lock: %w", err)
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	for _, home := range []string{empty, bad} {
		if _, err := Open(ctx, home, nil); !problem.Has(err, problem.LibraryReadOnly) || problem.Of(err).Args["folder"] != home {
			return fmt.Errorf("%s: %w", home, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "tokenkeep-read-*")); len(left) > 0 {
		return fmt.Errorf("copies stayed behind: %v", left)
	}
	fmt.Println("ok")
	return nil
}

func TestPS6_ReadOnlyHomeShowsTheListAndSaysSo(t *testing.T) {
	temp := t.TempDir()
	p := play(t, "read-only", t.TempDir(), apart, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "TMPDIR="+temp) })
	if got := p.line(t); got != "ok" {
		t.Error(got)
	}
}

// stranger opens the library of another user, who lets others read it.
func stranger(dir string) error {
	l, err := Open(context.Background(), filepath.Join(dir, "readable"), nil)
	if err != nil {
		return err
	}
	if !l.ReadOnly() || !slices.Equal(l.Notes(), []problem.Key{problem.LibraryReadOnly}) {
		return fmt.Errorf("read-only %v, notes %v", l.ReadOnly(), l.Notes())
	}
	if _, err := l.Account(context.Background(), renewed); err != nil {
		return err
	}
	if _, err := Open(context.Background(), filepath.Join(dir, "private"), nil); !problem.Has(err, problem.HomeUnusable) {
		return fmt.Errorf("a private one: %w", err)
	}
	fmt.Println("ok")
	return l.Close()
}

// As root the stranger is the user "nobody". An ordinary user cannot become
// another; a file that is neither readable nor ours to repair stands for it
// in a user namespace, where the real user's files are all that there is.
func TestALibraryOfAnotherUserIsReadOrRefused(t *testing.T) {
	if os.Getuid() != 0 {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "blocker"), nil, 0o600))
		_, err := Open(context.Background(), filepath.Join(dir, "blocker", "home"), clock)
		wants(t, err, problem.HomeUnusable)
		return
	}
	dir, err := os.MkdirTemp("", "stranger")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	program := filepath.Join(dir, "program")
	b, err := os.ReadFile(os.Args[0])
	must(t, err)
	must(t, os.WriteFile(program, b, 0o755))
	must(t, os.Chmod(program, 0o755))
	for _, name := range []string{"readable", "private"} {
		l := opened(t, filepath.Join(dir, name))
		must(t, l.Finish(context.Background(), Account{ID: renewed, Provider: "p", ClientID: "c", UserID: "u"}))
		must(t, l.Close())
	}
	must(t, os.Chmod(filepath.Join(dir, "readable"), 0o755))
	must(t, os.Chmod(filepath.Join(dir, "readable", fileName), 0o644))
	p := play(t, "stranger", dir, func(cmd *exec.Cmd) {
		cmd.Path, cmd.Dir = program, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}}
		cmd.Env = append(cmd.Env, "TMPDIR=/tmp")
	})
	if got := p.line(t); got != "ok" {
		t.Error(got)
	}
}
