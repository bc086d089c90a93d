//go:build unix

package connect

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

// crashIfAsked makes this test binary a program that signs in and dies, by a
// real SIGKILL to itself, at the named point.
func crashIfAsked() {
	point := os.Getenv("TOKENKEEP_TEST_CRASH")
	if point == "" {
		return
	}
	base, err := url.Parse(os.Getenv("TOKENKEEP_TEST_SANDBOX"))
	if err != nil {
		panic(err)
	}
	p := &visitor{}
	service, err := Open(context.Background(), Config{
		Home: os.Getenv("TOKENKEEP_TEST_HOME"), SandboxURL: base, Store: &fileStore{dir: os.Getenv("TOKENKEEP_TEST_STORE")}, Open: p.open,
		At: func(at string) {
			if at == point {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		},
	})
	if err != nil {
		panic(err)
	}
	r := Request{Setup: Setup{Provider: "instagram", ClientID: sandbox.ClientID, ClientSecret: secret.New(sandbox.ClientSecret), RedirectURI: os.Getenv("TOKENKEEP_TEST_URI")}}
	if _, err := service.Connect(context.Background(), r, nil); err != nil {
		panic(err)
	}
	fmt.Println("survived")
	os.Exit(0)
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
				storeDir := t.TempDir()
				store := &fileStore{dir: storeDir}
				s := newStage(t, "ok", func(c *Config) { c.Store = store })
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
				s.dieAt(point, storeDir)
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

func (s *stage) dieAt(point, storeDir string) {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "TOKENKEEP_TEST_CRASH="+point, "TOKENKEEP_TEST_HOME="+s.config.Home, "TOKENKEEP_TEST_STORE="+storeDir,
		"TOKENKEEP_TEST_SANDBOX="+s.sandbox.URL, "TOKENKEEP_TEST_URI="+s.uri)
	out, err := cmd.CombinedOutput()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err == nil || !ok || status.Signal() != syscall.SIGKILL {
		s.t.Fatalf("the child did not die by SIGKILL at %s: %v\n%s", point, err, out)
	}
}

// noPlainTokenOnDisk looks for any practice token in the library's folder.
func (s *stage) noPlainTokenOnDisk() {
	s.t.Helper()
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
		for _, canary := range []string{"IGAA", sandbox.ClientSecret} {
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
