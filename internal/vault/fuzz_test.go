package vault

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Whatever lies in the keychain: an item, or unreadable; and what was read can
// be written and read again without a change.
func FuzzDecodeItem(f *testing.F) {
	good, err := sample(1).Encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		good.Reveal(), strings.TrimSuffix(good.Reveal(), "}") + `,"more":[1]}`, `{"v":1,"gen":2,"sealed":true}`, `{"V":1,"Gen":1,"ACCESS_TOKEN":"x","issued_at":"2026-11-22T13:03:07Z"}`,
		`{"v":1,"v":2}`, `{"v":1e0}`, "", "null", `{"v":1,"gen":9223372036854775807,"access_token":"\ud800","issued_at":"0000-01-01T00:00:00Z"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		item, err := Decode(secret.New(raw))
		if err != nil {
			if !problem.Has(err, problem.VaultUnreadable) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := item.Encode()
		if err != nil {
			t.Fatalf("read but not writable: %v", err)
		}
		back, err := Decode(again)
		if err != nil {
			t.Fatalf("written but not readable: %v", err)
		}
		// Fields that we do not know may be written with other blanks.
		if len(back.other) != len(item.other) {
			t.Fatal("fields were lost")
		}
		back.other, item.other = nil, nil
		if !reflect.DeepEqual(item, back) {
			t.Fatal("changed by writing and reading")
		}
	})
}

// sealedOnce is "plain" for the place "aad" under a key of sevens: what version
// 0.1 sealed must open for ever.
const sealedOnce = "01f3525bbeb9911548d0a5ed5e98eeb4a8e2412e940ed6f8f4e3045a7f9093879989e101a36b393b67dbe2c093dc"

func FuzzOpenSealed(f *testing.F) {
	s := &Sealer{key: bytes.Repeat([]byte{7}, 32)}
	good, err := hex.DecodeString(sealedOnce)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, "aad")
	f.Add(good, "")
	f.Add(good[:len(good)-1], "aad")
	f.Add([]byte{sealVersion}, "")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, sealed []byte, aad string) {
		plain, err := s.Open(sealed, aad)
		if err == nil {
			if string(plain) != "plain" || aad != "aad" || !bytes.Equal(sealed, good) {
				t.Fatal("opened what was never sealed")
			}
		} else if !problem.Has(err, problem.VaultUnreadable) {
			t.Fatalf("%v", err)
		}
	})
}

func FuzzProtocol(f *testing.F) {
	f.Add([]byte(`{"id":1,"op":"put","service":"io.github.tokenkeep.Tokenkeep","name":"a","value":"dg==","attended":true}`))
	f.Add([]byte(`{"id":2,"op":"status"}`))
	f.Add([]byte(`{"id":1,"failure":"locked","reason":"no-dialog"}`))
	f.Add([]byte(`{"id":1,"event":"program","program":"GNOME Keyring"}`))
	f.Add([]byte(`{"id":1,"status":{"Program":"x","Locked":true}}`))
	f.Add([]byte(`{"id":1,"op":"put","name":"a b"}`))
	f.Add([]byte(`{"id":1} {"id":2}`))
	f.Add(bytes.Repeat([]byte("["), maxLine+1))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, err := decodeRequest(line); err == nil {
			if r.Op != opStatus && (checkName(r.Name) != nil || checkService(r.Service) != nil || len(r.Value) > Limit) {
				t.Fatalf("let in: %q", r.Name)
			}
			again, err := decodeRequest(bytes.TrimSuffix(encodeLine(r), []byte("\n")))
			if err != nil || again.ID != r.ID || again.Op != r.Op || !bytes.Equal(again.Value, r.Value) {
				t.Fatalf("changed on the way: %v", err)
			}
		}
		if a, err := decodeReply(line); err == nil {
			if err := a.failure(); err != nil && err != ErrNotFound {
				if p := problem.Of(err); p.Kind != problem.Vault && p.Kind != problem.Internal {
					t.Fatalf("%v", err)
				}
			}
			if bytes.Count(encodeLine(a), []byte("\n")) != 1 {
				t.Fatal("a reply of two lines")
			}
		}
	})
}

func FuzzIndexPage(f *testing.F) {
	f.Add("v1")
	f.Add("v1 0123456789abcdef 0123456789abcdef")
	f.Add("v2 0123456789abcdef")
	f.Add("v1  ")
	f.Fuzz(func(t *testing.T, page string) {
		s := NewSession()
		if s.Put(t.Context(), indexName("library00", 0), secret.New(page)) != nil {
			return
		}
		ids, err := Index(t.Context(), s, "library00")
		if err != nil {
			if !problem.Has(err, problem.VaultUnreadable) {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, id := range ids {
			if checkID(id) != nil {
				t.Fatalf("let in: %q", id)
			}
		}
	})
}

// The largest value fits into a line of the protocol, and nothing in a line
// breaks it.
func TestProtocolLinesFit(t *testing.T) {
	for _, fill := range []string{"\n", "\xff", "x"} {
		r := request{ID: 1 << 63, Op: opPut, Service: strings.Repeat("s", 64), Name: strings.Repeat("n", 48), Value: bytes.Repeat([]byte(fill), Limit), Attended: true}
		line := encodeLine(r)
		if len(line) > maxLine/4 || bytes.Count(line, []byte("\n")) != 1 || !json.Valid(line) {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	long := encodeLine(reply{Value: bytes.Repeat([]byte("x"), maxLine)})
	if _, err := decodeReply(long); err == nil {
		t.Error("a line that is too long was read")
	}
}
