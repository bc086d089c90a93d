//go:build unix

package connect

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// fileStore is a store that outlives a process, for tests that kill one. It
// stands for the keychain, which lives in another process. Test data only.
type fileStore struct {
	dir string
	mu  sync.Mutex
}

func (f *fileStore) Put(_ context.Context, name string, v secret.Text) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return writeFile(filepath.Join(f.dir, name), []byte(v.Reveal()))
}

func (f *fileStore) Get(_ context.Context, name string) (secret.Text, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if os.IsNotExist(err) {
		return secret.Text{}, vault.ErrNotFound
	}
	return secret.New(string(b)), err
}

func (f *fileStore) Delete(_ context.Context, name string) error {
	err := os.Remove(filepath.Join(f.dir, name))
	if os.IsNotExist(err) {
		return vault.ErrNotFound
	}
	return err
}

// job is what a child of this test binary does, and where it dies.
type job struct {
	// Do is sign-in, recover or renew.
	Do string
	// Point is one of Points and RenewPoints at which the child kills itself by
	// a real SIGKILL; empty is none.
	Point string `json:",omitempty"`
	// Provider signs in there instead of at Instagram. Expect is the account
	// that has to answer, Decide what to do with another's answer: "" is that
	// nobody can be asked, "never" that nobody says anything.
	Provider string `json:",omitempty"`
	Expect   string `json:",omitempty"`
	Decide   string `json:",omitempty"`
	// Settle ends the first open question: add or drop.
	Settle string `json:",omitempty"`
	// Refs are the accounts to renew, one after another.
	Refs    []string `json:",omitempty"`
	OnlyDue bool     `json:",omitempty"`
	// Gate makes the child say "ready" and wait for its input to end.
	Gate bool `json:",omitempty"`
	// Panic makes it panic at its point instead.
	Panic bool `json:",omitempty"`
	// Files is how many files it may have open.
	Files uint64 `json:",omitempty"`
	// Disk is the fault of the disk under its home, see disks.
	Disk string `json:",omitempty"`

	Home, Store, Sandbox, URI string
}

// jobVariable carries the job, in JSON. Nothing secret is in it.
const jobVariable = "TOKENKEEP_TEST_JOB"

// crashIfAsked makes this test binary a program that does one thing, as a
// process of its own that can be killed. Store is a folder that stands for the
// keychain.
func crashIfAsked() {
	raw := os.Getenv(jobVariable)
	if raw == "" {
		return
	}
	var j job
	if err := json.Unmarshal([]byte(raw), &j); err != nil {
		panic(err)
	}
	if err := j.work(context.Background()); err != nil {
		// The keys of problems, never their causes.
		fmt.Println("error", problem.Of(err).Key)
		os.Exit(3)
	}
	fmt.Println("survived")
	os.Exit(0)
}

// disks change the disk under the home of a child that has mounts of its own.
var disks = map[string]func(j *job) (disk, error){}

// disk is a fault: begin is called when the library is open, mend takes it away.
type disk struct{ begin, mend func() error }

func none() error { return nil }

func (j job) work(ctx context.Context) error {
	// As the programs do: a request to end ends the work in an orderly way.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	base, err := url.Parse(j.Sandbox)
	if err != nil {
		return err
	}
	under := disk{none, none}
	if j.Disk != "" {
		if under, err = disks[j.Disk](&j); err != nil {
			return err
		}
	}
	if j.Files > 0 {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: j.Files, Max: j.Files}); err != nil {
			return err
		}
	}
	service, err := Open(ctx, Config{
		Home: j.Home, SandboxURL: base, Store: &fileStore{dir: j.Store}, Open: (&visitor{}).open, Wait: atOnce,
		At: func(at string) {
			if at == j.Point {
				if j.Panic {
					panic("injected")
				}
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	})
	if err != nil {
		return err
	}
	defer service.Close()
	if err := under.begin(); err != nil {
		return err
	}
	if j.Gate {
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	switch j.Do {
	case "sign-in":
		_, err := service.Connect(ctx, j.request(), nil)
		return err
	case "settle":
		got, err := service.Recover(ctx)
		if err != nil || len(got) != 1 {
			return fmt.Errorf("%d questions, %w", len(got), err)
		}
		_, err = service.Settle(ctx, got[0].ID, Decision(j.Settle))
		return err
	case "recover":
		_, err := service.Recover(ctx)
		return err
	}
	if err := j.renew(ctx, service); err != nil || j.Disk == "" {
		return err
	}
	// The same once more, on a disk that works again.
	if err := under.mend(); err != nil {
		return err
	}
	return j.renew(ctx, service)
}

func (j job) request() Request {
	id, clientSecret := sandbox.ClientID, sandbox.ClientSecret
	name := "instagram"
	if j.Provider != "" {
		name = j.Provider
		id, clientSecret = sandbox.Registration(name)
	}
	r := Request{Setup: Setup{Provider: name, ClientID: id, ClientSecret: secret.New(clientSecret), RedirectURI: j.URI}, ExpectAccount: j.Expect}
	if name == "instagram-facebook" {
		r.Scopes = []string{"instagram_basic", "pages_show_list", "business_management"}
	}
	if j.Decide != "" {
		decide := make(chan Decision, 1)
		if j.Decide != "never" {
			decide <- Decision(j.Decide)
		}
		r.Decide = decide
	}
	return r
}

// renew renews what the job names, and goes on with the next account after an
// error, as the timer does.
func (j job) renew(ctx context.Context, service *Service) error {
	for _, ref := range j.Refs {
		got, err := service.Renew(ctx, ref, RenewOptions{OnlyDue: j.OnlyDue})
		p := problem.Of(err)
		if p == nil {
			p = got.Problem
		}
		if p == nil {
			p = &problem.Problem{}
		}
		fmt.Println("outcome", got.Outcome, p.Key, p.Args["folder"])
	}
	return nil
}

// child is the process of a job, not yet started.
func (s *stage) child(j job) *exec.Cmd {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	j.Home, j.Store, j.Sandbox, j.URI = s.config.Home, s.store.(*fileStore).dir, s.sandbox.URL, s.uri
	raw, err := json.Marshal(j)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), exe)
	cmd.Env = append(os.Environ(), jobVariable+"="+string(raw))
	return cmd
}

// run does a job to its end and reports whether it died at its point.
func (s *stage) run(j job) (died bool) {
	s.t.Helper()
	cmd := s.child(j)
	out, err := cmd.CombinedOutput()
	if killed(cmd) {
		return true
	}
	if err != nil && !strings.HasPrefix(string(out), "error ") {
		s.t.Fatalf("the child of %s/%s: %v\n%s", j.Do, j.Point, err, out)
	}
	return false
}

func killed(cmd *exec.Cmd) bool {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// onDisk makes a stage whose secrets outlive a process.
func onDisk(t *testing.T, change ...func(*Config)) *stage {
	t.Helper()
	s := newStage(t, "ok", append([]func(*Config){func(c *Config) { c.Store, c.Wait = &fileStore{dir: t.TempDir()}, atOnce }}, change...)...)
	s.uri = "https://localhost:" + quietPort(t) + "/"
	return s
}

// quietPorts counts through ports that no system gives to outgoing connections
// by itself; those that it gives are taken again at once where hundreds of
// processes come and go.
var quietPorts atomic.Uint32

// quietPort is a free port that no other test of this process gets.
func quietPort(t *testing.T) string {
	t.Helper()
	quietPorts.CompareAndSwap(0, uint32(20000+os.Getpid()%100*100))
	for range 1000 {
		port := strconv.Itoa(int(20000 + (quietPorts.Add(1)-20000)%10000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	t.Fatal("no free port")
	return ""
}

// reopen is the next start of the program.
func (s *stage) reopen() {
	s.t.Helper()
	if err := s.service.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

// A kill at any point of a sign-in loses nothing that had reached the disk:
// the next start finishes it without a browser, or says that it was interrupted.
func TestKillAtEveryPointOfASignIn(t *testing.T) {
	// Where the answer was on the disk when the process died.
	sealed := map[string]bool{}
	after := false
	for _, point := range Points {
		after = after || point == "sealed-short"
		sealed[point] = after
	}
	for _, again := range []bool{false, true} {
		for _, point := range Points {
			name := point
			if again {
				name = "again/" + point
			}
			t.Run(name, func(t *testing.T) {
				s := onDisk(t)
				var former Handed
				if again {
					first, err := s.service.Connect(t.Context(), s.request(), nil)
					if err != nil {
						t.Fatal(err)
					}
					if former, err = s.service.Token(t.Context(), first.ID); err != nil {
						t.Fatal(err)
					}
				}
				s.service.Close()
				if !s.run(job{Do: "sign-in", Point: point}) {
					t.Fatal("the child did not come to its point")
				}
				s.open()
				got, err := s.service.Recover(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				accounts, err := s.service.Accounts(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case sealed[point]:
					if len(accounts) != 1 || accounts[0].Status == NeedsSignIn {
						t.Fatalf("accounts %+v after %+v", accounts, got)
					}
					if _, err := s.service.Token(t.Context(), accounts[0].ID); err != nil {
						t.Error(err)
					}
				case again:
					if kept, err := s.service.Token(t.Context(), accounts[0].ID); err != nil || !kept.AccessToken.Equal(former.AccessToken) {
						t.Errorf("the former token: %v", err)
					}
				case len(accounts) != 0:
					t.Errorf("accounts out of nothing: %+v", accounts)
				}
				if begun := point != "checked" && point != "listening"; begun && !sealed[point] {
					if len(got) != 1 || !problem.Has(got[0].Problem, problem.Interrupted) {
						t.Errorf("an interrupted sign-in is not said: %+v", got)
					}
				}
				if rows, _ := s.service.library.Pendings(t.Context()); len(rows) != 0 {
					t.Errorf("%d pending rows left", len(rows))
				}
				if left, _ := s.service.Recover(t.Context()); len(left) != 0 {
					t.Errorf("recovering twice: %+v", left)
				}
				if n := s.asked("/api.instagram.com/oauth/access_token"); n > 2 || !again && n > 1 {
					t.Errorf("%d exchanges", n)
				}
				// The program works on: the next sign-in succeeds.
				if _, err := s.service.Connect(t.Context(), s.request(), nil); err != nil {
					t.Error(err)
				}
				s.noPlainTokenOnDisk()
			})
		}
	}
}

// noPlainTokenOnDisk looks for any practice token in the library's folder. The
// library is closed for it: a process that closes any file gives up all its
// locks on that file (fcntl(2)), and SQLite's with them, under which another
// process would then damage the library.
func (s *stage) noPlainTokenOnDisk() {
	s.t.Helper()
	if err := s.service.Close(); err != nil {
		s.t.Error(err)
	}
	defer s.open()
	err := filepath.WalkDir(s.config.Home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		content := bufio.NewReader(f)
		var b strings.Builder
		if _, err := content.WriteTo(&b); err != nil {
			return err
		}
		for _, canary := range []string{"IGAA", "PracticeOnly", sandbox.ClientSecret} {
			if strings.Contains(b.String(), canary) {
				s.t.Errorf("%s holds %q in plain text", filepath.Base(path), canary)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// The store that stands for the keychain does what every store does: the
// promises of vault.Store, on it and on one of the vault's own.
func TestTheStoreOfTheseTestsIsAStore(t *testing.T) {
	for name, store := range map[string]vault.Store{"session": vault.NewSession(), "files": &fileStore{dir: t.TempDir()}} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if _, err := store.Get(ctx, "token-aaaaaaaa"); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("what is not there: %v", err)
			}
			if err := store.Delete(ctx, "token-aaaaaaaa"); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("deleting what is not there: %v", err)
			}
			for _, value := range []string{"first", "second", " odd\n\"ü'$x` \\ \u200d", strings.Repeat("x", 2400)} {
				if err := store.Put(ctx, "token-aaaaaaaa", secret.New(value)); err != nil {
					t.Error(err)
				}
				if got, err := store.Get(ctx, "token-aaaaaaaa"); err != nil || !got.Equal(secret.New(value)) {
					t.Errorf("%d characters did not come back: %v", len(value), err)
				}
			}
			if err := store.Put(ctx, "token-bbbbbbbb", secret.New("another")); err != nil {
				t.Error(err)
			}
			if err := store.Delete(ctx, "token-aaaaaaaa"); err != nil {
				t.Error(err)
			}
			if _, err := store.Get(ctx, "token-aaaaaaaa"); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("deleted: %v", err)
			}
			if got, err := store.Get(ctx, "token-bbbbbbbb"); err != nil || got.Reveal() != "another" {
				t.Errorf("the other one: %v", err)
			}
		})
	}
}
