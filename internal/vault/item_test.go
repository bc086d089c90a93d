package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

var (
	issued = time.Date(2026, 11, 22, 14, 3, 7, 250e6, time.FixedZone("CET", 3600))
	ends   = time.Date(2027, 1, 21, 13, 3, 7, 0, time.UTC)
)

func sample(gen int64) Item {
	return Item{
		Gen: gen, AccessToken: secret.New("IGAA<&>\"token"), TokenType: "bearer", Scope: []string{"instagram_business_basic", "instagram_business_manage_comments"},
		IssuedAt: issued, ExpiresAt: &ends, Provider: "instagram", UserID: "17841400000000001", Username: "jane.doe", ClientID: "990602627938098",
	}
}

func TestItemIsTheContract(t *testing.T) {
	got := must[secret.Text](t)(sample(3).Encode()).Reveal()
	const want = `{"v":1,"gen":3,"access_token":"IGAA<&>\"token","token_type":"bearer","scope":"instagram_business_basic instagram_business_manage_comments",` +
		`"issued_at":"2026-11-22T13:03:07.25Z","expires_at":"2027-01-21T13:03:07Z","provider":"instagram","user_id":"17841400000000001","username":"jane.doe","client_id":"990602627938098"}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	item := sample(3)
	item.ExpiresAt, item.RefreshToken = nil, secret.New("refresh")
	got = must[secret.Text](t)(item.Encode()).Reveal()
	if !strings.Contains(got, `"expires_at":null`) || !strings.Contains(got, `"refresh_token":"refresh"`) {
		t.Error(got)
	}
	for _, i := range []Item{sample(3), item} {
		back := must[Item](t)(Decode(must[secret.Text](t)(i.Encode())))
		i.IssuedAt = i.IssuedAt.UTC()
		if !reflect.DeepEqual(back, i) {
			t.Errorf("came back as %+v", back)
		}
	}
}

func TestItemOfANewerVersionKeepsWhatWeDoNotKnow(t *testing.T) {
	raw := strings.TrimSuffix(must[secret.Text](t)(sample(1).Encode()).Reveal(), "}") + `,"page":{"a":[1,2.50]},"zz":null}`
	item := must[Item](t)(Decode(secret.New(raw)))
	item.Gen = 2
	var got map[string]any
	done(t, json.Unmarshal([]byte(must[secret.Text](t)(item.Encode()).Reveal()), &got))
	if fmt.Sprint(got["page"]) != "map[a:[1 2.5]]" || got["gen"] != 2.0 {
		t.Errorf("%v", got)
	}
	if _, ok := got["zz"]; !ok {
		t.Error("a field that is null is gone")
	}
}

func TestDamagedItemsAreUnreadableNotAbsent(t *testing.T) {
	good := must[secret.Text](t)(sample(1).Encode()).Reveal()
	for _, raw := range []string{
		"", "null", "{}", "[]", "token", `"x"`, good + good, good[:len(good)-1], good[1:],
		strings.Replace(good, `"v":1`, `"v":2`, 1), strings.Replace(good, `"v":1`, `"v":"1"`, 1), strings.Replace(good, `"v":1,`, ``, 1),
		strings.Replace(good, `"gen":1`, `"gen":0`, 1), strings.Replace(good, `"gen":1`, `"gen":1.5`, 1), strings.Replace(good, `"gen":1`, `"gen":-1`, 1),
		strings.Replace(good, `2026-11-22T13:03:07.25Z`, `yesterday`, 1), strings.Replace(good, `2027-01-21T13:03:07Z`, ``, 1),
		strings.Replace(good, `"access_token":"IGAA<&>\"token"`, `"access_token":""`, 1), strings.Replace(good, "jane", "\xff", 1),
		strings.Replace(good, `"v":1`, `"v":1,"sealed":true`, 1), `{"v":1,"gen":1,"sealed":true}`, `{"v":1,"gen":1}`, `{"v":1,"gen":1,"sealed":false}`,
	} {
		_, err := Decode(secret.New(raw))
		wants(t, err, problem.VaultUnreadable, "reason", "item")
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), "IGAA") {
			t.Error("the error shows the token")
		}
	}
}

func TestItemsThatCouldNotBeReadAgainAreNotWritten(t *testing.T) {
	for name, change := range map[string]func(*Item){
		"no token":      func(i *Item) { i.AccessToken = secret.Text{} },
		"no generation": func(i *Item) { i.Gen = 0 },
		"not UTF-8":     func(i *Item) { i.AccessToken = secret.New("\xff") },
		"blank scope":   func(i *Item) { i.Scope = []string{"a b"} },
		"empty scope":   func(i *Item) { i.Scope = []string{""} },
		"year 10000":    func(i *Item) { i.IssuedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		item := sample(1)
		change(&item)
		if _, err := item.Encode(); problem.Of(err).Kind != problem.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// drawer is an Overflow in memory, with a fault to switch on.
type drawer struct {
	held map[string]drawn
	err  error
	rot  bool
}

type drawn struct {
	gen    int64
	sealed []byte
}

func newDrawer() *drawer { return &drawer{held: map[string]drawn{}} }

func (d *drawer) PutOverflow(_ context.Context, name string, gen int64, sealed []byte) error {
	if d.err != nil {
		return d.err
	}
	sealed = bytes.Clone(sealed)
	if d.rot {
		sealed[len(sealed)-1] ^= 1
	}
	d.held[name] = drawn{gen, sealed}
	return nil
}

func (d *drawer) Overflow(_ context.Context, name string) (int64, []byte, error) {
	h, ok := d.held[name]
	if !ok {
		return 0, nil, errors.New("no row")
	}
	return h.gen, h.sealed, nil
}

func (d *drawer) DeleteOverflow(_ context.Context, name string) error {
	delete(d.held, name)
	return d.err
}

const account = "0123456789abcdef"

func ofSize(gen int64, bytes int, t *testing.T) Item {
	item := sample(gen)
	item.AccessToken = secret.New("x")
	item.AccessToken = secret.New(strings.Repeat("x", 1+bytes-must[secret.Text](t)(item.Encode()).Len()))
	return item
}

func TestKR7_TokensOfAnySizeRoundTrip(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		drawer := newDrawer()
		sealer := must[*Sealer](t)(NewSealer(t.Context(), s, "library00"))
		tokens := Tokens{Store: s, Service: buildinfo.ID, Sealer: sealer, Overflow: drawer}
		for n, size := range []int{1000, 2400, 2401, 2560, 2561, 100 << 10, 2400, 100 << 10, 500} {
			item := ofSize(int64(n+1), size, t)
			done(t, tokens.Put(t.Context(), account, item))
			got := must[Item](t)(tokens.Get(t.Context(), account))
			if !got.AccessToken.Equal(item.AccessToken) || got.Gen != item.Gen || got.Username != item.Username {
				t.Fatalf("%d bytes came back changed", size)
			}
			held := must[secret.Text](t)(s.Get(t.Context(), "token-"+account)).Reveal()
			if size > Limit {
				if want := fmt.Sprintf(`{"v":1,"gen":%d,"sealed":true}`, n+1); held != want {
					t.Errorf("the item is %q", held)
				}
				if bytes.Contains(drawer.held["token-"+account].sealed, []byte("xxxxxxxx")) {
					t.Error("the overflow is not sealed")
				}
			} else if len(drawer.held) != 0 {
				t.Error("an overflow was left behind")
			}
		}
		done(t, tokens.Delete(t.Context(), account))
		if _, err := tokens.Get(t.Context(), account); !errors.Is(err, ErrNotFound) {
			t.Errorf("after delete: %v", err)
		}
	})
}

func TestTokensWithoutADrawerSaySo(t *testing.T) {
	tokens := Tokens{Store: NewSession(), Service: buildinfo.ID}
	wants(t, tokens.Put(t.Context(), account, ofSize(1, 2401, t)), problem.VaultTooBig)
	done(t, tokens.Put(t.Context(), account, ofSize(1, 2400, t)))
	if err := tokens.Delete(t.Context(), "ffffffff"); !errors.Is(err, ErrNotFound) {
		t.Errorf("delete: %v", err)
	}
}

func TestOverflowFaults(t *testing.T) {
	fresh := func(t *testing.T) (Tokens, *drawer, *Session) {
		s, d := NewSession(), newDrawer()
		tokens := Tokens{Store: s, Service: buildinfo.ID, Sealer: must[*Sealer](t)(NewSealer(t.Context(), s, "library00")), Overflow: d}
		done(t, tokens.Put(t.Context(), account, ofSize(1, 5000, t)))
		return tokens, d, s
	}
	t.Run("crash before the item", func(t *testing.T) {
		tokens, d, s := fresh(t)
		before := must[secret.Text](t)(s.Get(t.Context(), "token-"+account))
		done(t, tokens.Put(t.Context(), account, ofSize(2, 6000, t)))
		done(t, s.Put(t.Context(), "token-"+account, before))
		if got := must[Item](t)(tokens.Get(t.Context(), account)); got.Gen != 2 {
			t.Errorf("generation %d, the newer one is there", got.Gen)
		}
		d.held["token-"+account] = drawn{3, d.held["token-"+account].sealed}
		_, err := tokens.Get(t.Context(), account)
		wants(t, err, problem.VaultUnreadable, "reason", "overflow")
	})
	t.Run("swapped", func(t *testing.T) {
		tokens, d, s := fresh(t)
		// The sealed bytes of one account under the name of another.
		d.held["token-ffffffffffff"] = d.held["token-"+account]
		done(t, s.Put(t.Context(), "token-ffffffffffff", must[secret.Text](t)(s.Get(t.Context(), "token-"+account))))
		_, err := tokens.Get(t.Context(), "ffffffffffff")
		wants(t, err, problem.VaultUnreadable, "reason", "sealed")
	})
	t.Run("lost", func(t *testing.T) {
		tokens, d, _ := fresh(t)
		clear(d.held)
		_, err := tokens.Get(t.Context(), account)
		wants(t, err, problem.VaultUnreadable, "reason", "overflow")
	})
	t.Run("rotten disk", func(t *testing.T) {
		tokens, d, s := fresh(t)
		before := must[secret.Text](t)(s.Get(t.Context(), "token-"+account))
		d.rot = true
		wants(t, tokens.Put(t.Context(), account, ofSize(2, 5000, t)), problem.VaultUnreadable)
		if !must[secret.Text](t)(s.Get(t.Context(), "token-"+account)).Equal(before) {
			t.Error("the item was written though its overflow is not readable")
		}
	})
	t.Run("full disk", func(t *testing.T) {
		tokens, d, _ := fresh(t)
		d.err = problem.New(problem.LibraryFull)
		wants(t, tokens.Put(t.Context(), account, ofSize(2, 5000, t)), problem.LibraryFull)
	})
	t.Run("no key", func(t *testing.T) {
		tokens, _, _ := fresh(t)
		tokens.Sealer = nil
		_, err := tokens.Get(t.Context(), account)
		wants(t, err, problem.VaultUnreadable, "reason", "overflow")
	})
}

// liar is a store that says yes and keeps nothing.
type liar struct{ *Session }

func (l liar) Put(context.Context, string, secret.Text) error { return nil }

func TestKR2_TokensCompareWhatAnyStoreGivesBack(t *testing.T) {
	tokens := Tokens{Store: liar{NewSession()}, Service: buildinfo.ID}
	wants(t, tokens.Put(t.Context(), account, sample(1)), problem.VaultUnreadable, "reason", "readback")
	wants(t, CheckSentinel(t.Context(), liar{NewSession()}, "library00", true), problem.VaultUnreadable, "reason", "readback")
	_, err := NewSealer(t.Context(), liar{NewSession()}, "library00")
	wants(t, err, problem.VaultUnreadable, "reason", "readback")
}

func TestKR5_AnotherKeychainIsNotAnEmptyOne(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		wants(t, CheckSentinel(ctx, s, "library00", false), problem.VaultUnreadable, "reason", "changed")
		done(t, CheckSentinel(ctx, s, "library00", true))
		done(t, CheckSentinel(ctx, s, "library00", false))
		done(t, CheckSentinel(ctx, s, "library00", true))
		wants(t, CheckSentinel(ctx, s, "library01", false), problem.VaultUnreadable, "reason", "changed")
		done(t, s.Put(ctx, "sentinel-library00", secret.New("library09")))
		wants(t, CheckSentinel(ctx, s, "library00", true), problem.VaultUnreadable, "reason", "changed")
		if got := must[secret.Text](t)(s.Get(ctx, "sentinel-library00")); got.Reveal() != "library09" {
			t.Error("the sentinel was overwritten")
		}
	})
}

func TestIndexKeepsIDs(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		if _, err := Index(ctx, s, "library00"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("none yet: %v", err)
		}
		var many []string
		for n := range 300 {
			many = append(many, fmt.Sprintf("account%09d", n))
		}
		for _, ids := range [][]string{{}, many[:1], many[:141], many[:142], many, many[100:200], {}, many[5:9]} {
			done(t, PutIndex(ctx, s, "library00", ids))
			got := must[[]string](t)(Index(ctx, s, "library00"))
			want, have := map[string]bool{}, map[string]bool{}
			for _, id := range ids {
				want[id] = true
			}
			for _, id := range got {
				have[id] = true
			}
			if !reflect.DeepEqual(want, have) || len(got) != len(ids) {
				t.Fatalf("%d ids came back as %d", len(ids), len(got))
			}
		}
		done(t, s.Put(ctx, "index-library00-0", secret.New("not an index")))
		_, err := Index(ctx, s, "library00")
		wants(t, err, problem.VaultUnreadable, "reason", "index")
		done(t, PutIndex(ctx, s, "library00", many))
		if got := must[[]string](t)(Index(ctx, s, "library00")); len(got) != len(many) {
			t.Error("a damaged index was not repaired")
		}
	})
}

// faulty fails from the nth write on.
type faulty struct {
	*Session
	writes int
}

func (f *faulty) Put(ctx context.Context, name string, v secret.Text) error {
	if f.writes--; f.writes < 0 {
		return problem.New(problem.VaultLocked)
	}
	return f.Session.Put(ctx, name, v)
}

func (f *faulty) Delete(ctx context.Context, name string) error {
	if f.writes--; f.writes < 0 {
		return problem.New(problem.VaultLocked)
	}
	return f.Session.Delete(ctx, name)
}

func TestIndexLosesNothingKnownWhereverItStops(t *testing.T) {
	var ids []string
	for n := range 400 {
		ids = append(ids, fmt.Sprintf("account%09d", n))
	}
	var thinned []string
	for n, id := range ids {
		if n >= 200 || n%3 != 0 {
			thinned = append(thinned, id)
		}
	}
	for name, row := range map[string]struct{ before, after []string }{
		"some go, some come": {ids[:300], thinned},
		"many come in front": {ids[200:], ids},
		"all go but the end": {ids, ids[390:]},
	} {
		t.Run(name, func(t *testing.T) {
			stays := map[string]bool{}
			for _, id := range row.after {
				stays[id] = true
			}
			for stop := 0; ; stop++ {
				s := NewSession()
				done(t, PutIndex(t.Context(), s, "library00", row.before))
				err := PutIndex(t.Context(), &faulty{s, stop}, "library00", row.after)
				have := map[string]bool{}
				for _, id := range must[[]string](t)(Index(t.Context(), s, "library00")) {
					have[id] = true
				}
				for _, id := range row.before {
					if stays[id] && !have[id] {
						t.Fatalf("stopped after %d writes: %s is lost", stop, id)
					}
				}
				if err == nil {
					if stop < 2 {
						t.Error("the test has nothing to stop")
					}
					return
				}
			}
		})
	}
}

func TestSealerKeepsItsKeyAndItsPlace(t *testing.T) {
	everyStore(t, func(t *testing.T, s Store) {
		first := must[*Sealer](t)(NewSealer(t.Context(), s, "library00"))
		second := must[*Sealer](t)(NewSealer(t.Context(), s, "library00"))
		other := must[*Sealer](t)(NewSealer(t.Context(), s, "library01"))
		sealed := must[[]byte](t)(first.Seal([]byte("answer"), "here"))
		if plain := must[[]byte](t)(second.Open(sealed, "here")); string(plain) != "answer" {
			t.Error("opened to something else")
		}
		for _, row := range []struct {
			sealer *Sealer
			aad    string
		}{{first, "there"}, {other, "here"}} {
			_, err := row.sealer.Open(sealed, row.aad)
			wants(t, err, problem.VaultUnreadable, "reason", "sealed")
		}
		done(t, s.Put(t.Context(), "seal-library00", secret.New("c2hvcnQ=")))
		_, err := NewSealer(t.Context(), s, "library00")
		wants(t, err, problem.VaultUnreadable, "reason", "seal")
	})
}

func TestSealedBytesAreRefusedAfterAnyChange(t *testing.T) {
	s := must[*Sealer](t)(NewSealer(t.Context(), NewSession(), "library00"))
	sealed := must[[]byte](t)(s.Seal([]byte("a short answer"), "x"))
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			if _, err := s.Open(changed, "x"); !problem.Has(err, problem.VaultUnreadable) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
		if _, err := s.Open(sealed[:i], "x"); !problem.Has(err, problem.VaultUnreadable) {
			t.Fatalf("cut at %d", i)
		}
	}
	if again := must[[]byte](t)(s.Seal([]byte("a short answer"), "x")); bytes.Equal(again, sealed) {
		t.Error("the same nonce twice")
	}
}

func TestSealersMadeAtOnceShareOneKey(t *testing.T) {
	s := NewSession()
	var all sync.WaitGroup
	sealers := make([]*Sealer, 8)
	for n := range sealers {
		all.Go(func() { sealers[n], _ = NewSealer(t.Context(), s, "library00") })
	}
	all.Wait()
	for _, one := range sealers {
		if one == nil || !bytes.Equal(one.key, sealers[0].key) {
			t.Fatal("two keys")
		}
	}
}

// rival is another process that makes a key at the same moment and is later.
type rival struct {
	*Session
	all sync.WaitGroup
}

func (r *rival) Put(ctx context.Context, name string, v secret.Text) error {
	r.all.Go(func() {
		time.Sleep(settle / 4)
		_ = r.Session.Put(context.WithoutCancel(ctx), name, secret.New(strings.Repeat("A", 43)+"="))
	})
	return r.Session.Put(ctx, name, v)
}

func TestSealerTakesTheKeyThatStayed(t *testing.T) {
	r := &rival{Session: NewSession()}
	first := must[*Sealer](t)(NewSealer(t.Context(), r, "library00"))
	r.all.Wait()
	second := must[*Sealer](t)(NewSealer(t.Context(), r.Session, "library00"))
	if !bytes.Equal(first.key, second.key) {
		t.Error("what is sealed now could not be opened later")
	}
}
