//go:build unix

package library

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// The test program is also the other process: with these two set it plays a
// part instead of testing.
const (
	partEnv   = "LIBRARY_TEST_PART"
	folderEnv = "LIBRARY_TEST_FOLDER"
)

// parts run in a process of their own and print what they have done.
var parts = map[string]func(dir string) error{
	"renew":  renewForEver,
	"paint":  paintForEver,
	"hold":   hold,
	"open":   openOnce,
	"note":   noteTwentyFive,
	"umask":  withoutUmask,
	"writer": holdWriteLock,
}

func TestMain(m *testing.M) {
	if part := os.Getenv(partEnv); part != "" {
		if err := parts[part](os.Getenv(folderEnv)); err != nil {
			fmt.Fprintln(os.Stderr, part+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type process struct {
	*exec.Cmd
	lines *bufio.Scanner
}

// play starts a part in its own process, which is killed at the end at the latest.
func play(t testing.TB, part, dir string, change ...func(*exec.Cmd)) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), partEnv+"="+part, folderEnv+"="+dir)
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &process{cmd, bufio.NewScanner(out)}
}

func (p *process) line(t testing.TB) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the other process said nothing: %v", p.lines.Err())
	}
	return p.lines.Text()
}

const renewed = "acc0000000000001"

// renewForEver renews one account, and prints the generation once Finish said
// that it is stored.
func renewForEver(dir string) error {
	ctx := context.Background()
	l, err := Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	if notes := l.Notes(); len(notes) > 0 {
		return fmt.Errorf("notes: %v", notes)
	}
	a := Account{ID: renewed, Provider: "p", ClientID: "c", UserID: "u"}
	if known, err := l.Account(ctx, renewed); err == nil {
		a = known
	}
	if left, err := l.Pendings(ctx); err != nil {
		return err
	} else if len(left) > 0 {
		if err := l.Drop(ctx, left[0].AccountID, left[0].Gen); err != nil {
			return err
		}
	}
	for {
		a.Gen++
		if err := l.Begin(ctx, Pending{AccountID: renewed, Gen: a.Gen}); err != nil {
			return err
		}
		if err := l.Seal(ctx, renewed, a.Gen, []byte(strings.Repeat(strconv.FormatInt(a.Gen, 10)+",", 500))); err != nil {
			return err
		}
		a.Username = fmt.Sprint("generation-", a.Gen)
		if err := l.Finish(ctx, a, Entry{Event: "renewed", Args: map[string]string{"gen": fmt.Sprint(a.Gen)}}); err != nil {
			return err
		}
		fmt.Println(a.Gen)
	}
}

func TestWO1_Kill9AtAnyMomentLosesNothingThatWasReported(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	var reported int64
	half, sealed := 0, 0
	for round := range 40 {
		other := play(t, "renew", dir)
		first := other.line(t)
		go func() {
			time.Sleep(time.Duration(mathrand.Int64N(int64(25 * time.Millisecond))))
			_ = other.Process.Kill()
		}()
		reported, _ = strconv.ParseInt(first, 10, 64)
		for other.lines.Scan() {
			if n, err := strconv.ParseInt(other.lines.Text(), 10, 64); err == nil {
				reported = n
			}
		}
		_ = other.Wait()

		l, err := Open(ctx, dir, clock)
		must(t, err)
		if l.Fresh() || len(l.Notes()) != 0 {
			t.Fatalf("round %d: fresh %v, notes %v", round, l.Fresh(), l.Notes())
		}
		a, err := l.Account(ctx, renewed)
		must(t, err)
		if a.Gen < reported || a.Gen > reported+1 || a.Username != fmt.Sprint("generation-", a.Gen) {
			t.Fatalf("round %d: reported %d, stored %+v", round, reported, a)
		}
		diary, err := l.Diary(ctx, renewed, 1<<30, 0)
		must(t, err)
		if int64(len(diary)) != a.Gen || diary[0].Args["gen"] != fmt.Sprint(a.Gen) {
			t.Fatalf("round %d: generation %d, %d entries, newest %v", round, a.Gen, len(diary), diary[0])
		}
		pending, err := l.Pendings(ctx)
		must(t, err)
		if len(pending) > 0 {
			half++
			p := pending[0]
			if len(pending) > 1 || p.Gen != a.Gen+1 {
				t.Fatalf("round %d: generation %d, pending %+v", round, a.Gen, pending)
			}
			if p.Sealed != nil {
				sealed++
				if string(p.Sealed) != strings.Repeat(fmt.Sprint(p.Gen, ","), 500) {
					t.Fatalf("round %d: a torn answer: %q", round, p.Sealed)
				}
			}
		} else if _, err := os.Stat(filepath.Join(dir, ballastName+renewed)); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("round %d: room is kept for nothing: %v", round, err)
		}
		must(t, l.Close())
	}
	if half == 0 {
		t.Error("no kill fell into a renewal: this test looked at nothing")
	}
	t.Logf("40 kills, %d generations, %d in the middle of a renewal, %d of them with an answer", reported, half, sealed)
}

// paintForEver writes rows whose fields all say the same.
func paintForEver(dir string) error {
	ctx := context.Background()
	l, err := Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	for i := int64(1); ; i++ {
		if err := l.Finish(ctx, painted(i)); err != nil {
			return err
		}
		if i == 1 {
			fmt.Println("painting")
		}
	}
}

func painted(i int64) Account {
	colour := fmt.Sprint("colour-", i)
	at := time.UnixMilli(i).UTC()
	return Account{ID: renewed, Provider: "p", ClientID: "c", UserID: "u", Gen: i, Username: colour, Kind: colour, Grant: colour, Vault: colour,
		ScopesAsked: []string{colour, strings.Repeat(colour, 1000)}, ScopesGranted: []string{colour}, IssuedAt: &at, ExpiresAt: &at, LastAnswer: colour}
}

func TestPS1_AReaderNeverSeesAPartialRow(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, dir)
	other := play(t, "paint", dir)
	other.line(t)
	changes, last := 0, int64(0)
	for range 10_000 {
		all, err := l.Accounts(context.Background())
		if err != nil || len(all) != 1 {
			t.Fatalf("%d rows, %v", len(all), err)
		}
		if got, want := fmt.Sprintf("%+v", deref(all[0])), fmt.Sprintf("%+v", deref(painted(all[0].Gen))); got != want {
			t.Fatalf("a partial row: %.300s\nwant %.300s", got, want)
		}
		if all[0].Gen != last {
			changes, last = changes+1, all[0].Gen
		}
	}
	if changes < 20 {
		t.Errorf("only %d changes were seen: the writer hardly wrote", changes)
	}
	t.Logf("10,000 reads, %d changes seen, %d written", changes, last)
}

func deref(a Account) []any { return []any{a.Gen, a, a.IssuedAt.UnixMilli(), a.ExpiresAt.UnixMilli()} }

func openOnce(dir string) error {
	l, err := Open(context.Background(), dir, nil)
	if err != nil {
		return err
	}
	fmt.Println(l.ID(), l.Fresh(), len(l.Notes()))
	return l.Close()
}

// Windows and commands start together at sign-in: one makes the file.
func TestManyProcessesMakeOneLibrary(t *testing.T) {
	for name, prepare := range map[string]func(dir string){
		"absent":  func(string) {},
		"older":   func(dir string) { older(t, dir) },
		"damaged": func(dir string) { must(t, os.WriteFile(filepath.Join(dir, fileName), []byte("bad"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			prepare(dir)
			var others []*process
			for range 8 {
				others = append(others, play(t, "open", dir))
			}
			fresh, ids := 0, map[string]bool{}
			for _, other := range others {
				answer := strings.Fields(other.line(t))
				ids[answer[0]] = true
				if answer[1] == "true" {
					fresh++
				}
			}
			wantFresh := 1
			if name == "older" {
				wantFresh = 0
			}
			if len(ids) != 1 || fresh != wantFresh {
				t.Errorf("%d ids, %d fresh", len(ids), fresh)
			}
			if kept, _ := filepath.Glob(filepath.Join(dir, "library.corrupt-*.db")); (len(kept) == 1) != (name == "damaged") {
				t.Errorf("kept aside: %v", kept)
			}
		})
	}
}

func noteTwentyFive(dir string) error {
	l, err := Open(context.Background(), dir, nil)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	failures := make(chan error, 25)
	for i := range 25 {
		group.Go(func() {
			failures <- l.Note(context.Background(), Entry{AccountID: "shared00", Event: fmt.Sprint(os.Getpid(), "-", i)})
		})
	}
	group.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	fmt.Println("done")
	return l.Close()
}

func TestManyProcessesWriteAtOnce(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, dir)
	var others []*process
	for range 6 {
		others = append(others, play(t, "note", dir))
	}
	for _, other := range others {
		other.line(t)
	}
	diary, err := l.Diary(context.Background(), "shared00", 1000, 0)
	must(t, err)
	seen := map[string]bool{}
	for _, e := range diary {
		seen[e.Event] = true
	}
	if len(seen) != 150 || len(diary) != 150 {
		t.Errorf("%d entries, %d different, want 150", len(diary), len(seen))
	}
}

func holdWriteLock(dir string) error {
	l, err := Open(context.Background(), dir, nil)
	if err != nil {
		return err
	}
	if _, err := l.db.Begin(); err != nil {
		return err
	}
	fmt.Println("writing")
	time.Sleep(time.Hour)
	return nil
}

func TestAWriterThatWasKilledFreesTheFile(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, dir)
	other := play(t, "writer", dir)
	other.line(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := l.Note(ctx, Entry{Event: "e"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("while another writes: %v", err)
	}
	if _, err := l.Accounts(context.Background()); err != nil {
		t.Errorf("reading while another writes: %v", err)
	}
	must(t, other.Process.Kill())
	_ = other.Wait()
	must(t, l.Note(context.Background(), Entry{Event: "e"}))
}

func TestAWriterThatIsStoppedIsNamedBusy(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, dir)
	other := play(t, "writer", dir)
	other.line(t)
	must(t, other.Process.Signal(syscall.SIGSTOP))
	l.db.SetMaxOpenConns(1)
	_, err := l.db.Exec(`PRAGMA busy_timeout = 200`)
	must(t, err)
	wants(t, l.Note(context.Background(), Entry{Event: "e"}), problem.LibraryBusy, "folder", dir)
}

func withoutUmask(dir string) error {
	for _, mask := range []int{0, 0o777} {
		syscall.Umask(mask)
		home := filepath.Join(dir, fmt.Sprintf("mask-%o", mask))
		if mask != 0 {
			// Its parents would be unusable too; the folder itself is given.
			if err := errors.Join(os.Mkdir(home, 0o700), os.Chmod(home, 0o700)); err != nil {
				return err
			}
		}
		l, err := Open(context.Background(), home, nil)
		if err != nil {
			return err
		}
		if err := l.Begin(context.Background(), Pending{AccountID: renewed, Gen: 1}); err != nil {
			return err
		}
		unlock, err := Lock(context.Background(), home, renewed)
		if err != nil {
			return err
		}
		defer unlock()
	}
	fmt.Println("made")
	time.Sleep(time.Hour)
	return nil
}

func TestSEC6_ModesDoNotDependOnTheUmask(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	other := play(t, "umask", dir)
	other.line(t)
	// The process still runs: -wal, -shm, lock and reserve are all there.
	for _, name := range []string{"mask-0", "mask-777"} {
		private(t, filepath.Join(dir, name))
		for _, file := range []string{"library.db-wal", "library.db-shm", "library.id", "locks/" + renewed, ballastName + renewed} {
			if _, err := os.Stat(filepath.Join(dir, name, file)); err != nil {
				t.Error(err)
			}
		}
	}
}

func hold(dir string) error {
	unlock, err := Lock(context.Background(), dir, renewed)
	if err != nil {
		return err
	}
	defer unlock()
	fmt.Println(os.Getpid())
	time.Sleep(time.Hour)
	return nil
}

func TestLockHolderKilledFreesAtOnce(t *testing.T) {
	dir := t.TempDir()
	other := play(t, "hold", dir)
	pid := other.line(t)
	start := time.Now()
	_, err := LockFor(context.Background(), dir, renewed, 200*time.Millisecond)
	wants(t, err, problem.LockHeld, "pid", pid, "name", renewed)
	if waited := time.Since(start); waited < 200*time.Millisecond || waited > 5*time.Second {
		t.Errorf("waited %v", waited)
	}
	done := make(chan error, 1)
	go func() {
		unlock, err := Lock(context.Background(), dir, renewed)
		if err == nil {
			unlock()
		}
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	must(t, other.Process.Kill())
	killed := time.Now()
	must(t, <-done)
	if free := time.Since(killed); free > 2*time.Second {
		t.Errorf("free after %v", free)
	}
}

func TestLockHolderStoppedIsNamed(t *testing.T) {
	dir := t.TempDir()
	other := play(t, "hold", dir)
	pid := other.line(t)
	must(t, other.Process.Signal(syscall.SIGSTOP))
	_, err := LockFor(context.Background(), dir, renewed, 100*time.Millisecond)
	wants(t, err, problem.LockHeld, "pid", pid)
	if LockWait != 30*time.Second {
		t.Errorf("PS-5 says 30 s, not %v", LockWait)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, dir, renewed); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPS4_LocksAreFilesOfTheirOwnThatStay(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(context.Background(), dir, "one")
	must(t, err)
	path := filepath.Join(dir, "locks", "one")
	if b, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(b)) != fmt.Sprint(os.Getpid()) {
		t.Errorf("%q, %v", b, err)
	}
	other, err := Lock(context.Background(), dir, "two")
	must(t, err)
	other()
	_, err = LockFor(context.Background(), dir, "one", 0)
	wants(t, err, problem.LockHeld, "pid", fmt.Sprint(os.Getpid()))
	unlock()
	unlock()
	again, err := LockFor(context.Background(), dir, "one", 0)
	must(t, err)
	again()
	if b, err := os.ReadFile(path); err != nil || len(b) != 0 {
		t.Errorf("the file must stay, and name nobody: %q, %v", b, err)
	}
	for _, name := range []string{"", "..", "a/b", "A", strings.Repeat("a", 49), "a\x00b"} {
		_, err := Lock(context.Background(), dir, name)
		wants(t, err, problem.Unexpected)
	}
}
