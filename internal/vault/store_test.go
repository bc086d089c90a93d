package vault

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	keyring "github.com/zalando/go-keyring"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// everyStore runs a test with each kind of store there is; the systems add theirs.
func everyStore(t *testing.T, test func(t *testing.T, s Store)) {
	t.Run("session", func(t *testing.T) { test(t, NewSession()) })
	t.Run("in-process", func(t *testing.T) { test(t, inProcess(newMemory().library(), "windows", Options{})) })
	for name, open := range systemStores {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// memory is a go-keyring that keeps in memory.
type memory struct {
	mu   sync.Mutex
	held map[string]string
}

func newMemory() *memory { return &memory{held: map[string]string{}} }

func (m *memory) library() library {
	return library{
		set: func(service, name, value string) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.held[service+"\n"+name] = value
			return nil
		},
		get: func(service, name string) (string, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			v, ok := m.held[service+"\n"+name]
			if !ok {
				return "", keyring.ErrNotFound
			}
			return v, nil
		},
		delete: func(service, name string) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			if _, ok := m.held[service+"\n"+name]; !ok {
				return keyring.ErrNotFound
			}
			delete(m.held, service+"\n"+name)
			return nil
		},
	}
}

func inProcess(l library, system string, o Options) *Keychain {
	o.Service = buildinfo.ID
	k := Open(o)
	k.backend.close()
	k.backend = newDirect(system, l)
	return k
}

func TestStoresKeepReplaceAndDelete(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		if _, err := s.Get(ctx, "token-aaaaaaaa"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("empty: %v", err)
		}
		if err := s.Delete(ctx, "token-aaaaaaaa"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("delete from an empty one: %v", err)
		}
		for _, value := range []string{"first", "second"} {
			done(t, s.Put(ctx, "token-aaaaaaaa", secret.New(value)))
			done(t, s.Put(ctx, "token-bbbbbbbb", secret.New("other")))
			if got := must[secret.Text](t)(s.Get(ctx, "token-aaaaaaaa")); got.Reveal() != value {
				t.Fatalf("got %d bytes, not %q", got.Len(), value)
			}
		}
		done(t, s.Delete(ctx, "token-aaaaaaaa"))
		if _, err := s.Get(ctx, "token-aaaaaaaa"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("after delete: %v", err)
		}
		if got := must[secret.Text](t)(s.Get(ctx, "token-bbbbbbbb")); got.Reveal() != "other" {
			t.Fatal("deleting one item touched another")
		}
	})
}

// strangers' names, as providers and people make them.
var nastyNames = []string{
	"", "Joe's Shop", `DOMAIN\user`, "a\nadd-generic-password -s x", "a b", "ä", "\u202egnp", "😀", strings.Repeat("a", 49),
	strings.Repeat("x", 10<<10), "token_1", "Token-1", "token-1;", "../x", "a\x00b", "a:b", `"`, "$HOME", "-\t-", "token-é",
}

func TestKR1_NamesAreOursAndNothingElse(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		for _, name := range nastyNames {
			_, got := s.Get(t.Context(), name)
			for op, err := range map[string]error{"put": s.Put(t.Context(), name, secret.New("v")), "get": got, "delete": s.Delete(t.Context(), name)} {
				p := problem.Of(err)
				if err == nil || p.Kind != problem.Internal {
					t.Errorf("%s %.20q: %v", op, name, err)
				}
				if len(name) > 2 && strings.Contains(fmt.Sprint(err), name) {
					t.Errorf("%s repeats the text: %v", op, err)
				}
			}
		}
		for _, name := range []string{"a", "-", "seal-0123456789abcdef", strings.Repeat("z", 48)} {
			done(t, s.Put(t.Context(), name, secret.New("v")))
			done(t, s.Delete(t.Context(), name))
		}
	})
	for _, id := range append(nastyNames, "abcdefg", "abc-defgh", strings.Repeat("a", 33)) {
		tokens := Tokens{Store: NewSession()}
		_, err := tokens.Get(t.Context(), id)
		for _, err := range []error{err, tokens.Put(t.Context(), id, Item{}), tokens.Delete(t.Context(), id), CheckSentinel(t.Context(), NewSession(), id, true), PutIndex(t.Context(), NewSession(), id, nil), PutIndex(t.Context(), NewSession(), "library00", []string{id})} {
			if p := problem.Of(err); err == nil || p.Kind != problem.Internal {
				t.Errorf("id %.20q: %v", id, err)
			}
		}
	}
	for _, service := range []string{"", "a b", "Joe's", "a\nb", strings.Repeat("s", 65)} {
		k := inProcess(newMemory().library(), "darwin", Options{})
		k.options.Service = service
		if err := k.Put(t.Context(), "a", secret.New("v")); problem.Of(err).Kind != problem.Internal {
			t.Errorf("service %.20q: %v", service, err)
		}
	}
}

func TestKR7_TheLimitIsTheSameEverywhere(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		value := secret.New(strings.Repeat("x", Limit))
		done(t, s.Put(ctx, "size", value))
		if got := must[secret.Text](t)(s.Get(ctx, "size")); !got.Equal(value) {
			t.Fatal("2,400 bytes come back changed")
		}
		for _, size := range []int{Limit + 1, 2560, 2561, 100 << 10} {
			wants(t, s.Put(ctx, "size", secret.New(strings.Repeat("y", size))), problem.VaultTooBig, "limit", "2400")
		}
		if got := must[secret.Text](t)(s.Get(ctx, "size")); !got.Equal(value) {
			t.Fatal("a refused value replaced the old one")
		}
	})
}

func TestKR8_OddValuesComeBackUnchanged(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for _, value := range []string{
			"a\x00b", "\x00", "line\nline\r\n", "😀 Grüße \u202e", "go-keyring-base64:Zm9v", "go-keyring-encoded:666f6f",
			"  leading and trailing  ", "\n", "{\"v\":1}", "'", `\`, "\xff\xfe not UTF-8", string(all), "could not be found", "",
		} {
			done(t, s.Put(t.Context(), "odd", secret.New(value)))
			if got := must[secret.Text](t)(s.Get(t.Context(), "odd")); got.Reveal() != value {
				t.Errorf("%q came back as %q", value, got.Reveal())
			}
		}
	})
}

func TestKR9_ProbeLeavesNothing(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		done(t, Probe(t.Context(), s))
	})
	m := newMemory()
	k := inProcess(m.library(), "windows", Options{})
	done(t, k.Probe(t.Context()))
	if len(m.held) != 0 {
		t.Errorf("the probe left %d entries", len(m.held))
	}
}

func TestKR9_ProbeFindsKeychainsThatDoNotKeep(t *testing.T) {
	type change func(l *library)
	for name, row := range map[string]struct {
		change change
		key    problem.Key
		reason string
	}{
		"forgets": {func(l *library) { l.set = func(_, _, _ string) error { return nil } }, problem.VaultUnreadable, "readback"},
		"changes": {func(l *library) {
			set := l.set
			l.set = func(s, n, v string) error { return set(s, n, v+"!") }
		}, problem.VaultUnreadable, "readback"},
		"does not delete": {func(l *library) { l.delete = func(_, _ string) error { return nil } }, problem.VaultUnreadable, "not-deleted"},
		"refuses":         {func(l *library) { l.set = func(_, _, _ string) error { return errors.New("no") } }, problem.VaultUnreadable, "service"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newMemory().library()
			row.change(&l)
			wants(t, inProcess(l, "windows", Options{}).Probe(t.Context()), row.key, "reason", row.reason)
		})
	}
}

func TestClosedKeychainRefuses(t *testing.T) {
	k := Open(Options{Service: buildinfo.ID})
	done(t, k.Close())
	done(t, k.Close())
	if err := k.Put(t.Context(), "a", secret.New("b")); problem.Of(err).Kind != problem.Internal {
		t.Errorf("put: %v", err)
	}
	if _, err := k.Status(t.Context()); err == nil {
		t.Error("status of a closed one")
	}
}
