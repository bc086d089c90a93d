package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// mint is a token that nobody signed in for.
func (v *visitor) mint(body string) string {
	v.Helper()
	return v.accessToken(v.control("/_/mint", body))
}

// subcode wants a refusal 190 with that number, 0 an answer.
func (v *visitor) subcode(r reply, want int) {
	v.Helper()
	if want == 0 {
		if r.StatusCode != http.StatusOK {
			v.Errorf("refused: %s", r.body)
		}
		return
	}
	if !strings.Contains(r.body, fmt.Sprintf(`"code":190,"error_subcode":%d`, want)) {
		v.Errorf("%d %s, want 190/%d", r.StatusCode, r.body, want)
	}
}

func TestMintedTokensHaveTheAgeAndThePersonAskedFor(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	for _, row := range []struct {
		body, username string
		kind           kind
		age            time.Duration
		scopes         scopeSet
	}{
		{`{}`, "lantern.books", long, 0, 0b11111},
		{`{"person":"user-0001","age":"960h"}`, "user-0001", long, 960 * time.Hour, 0b11111},
		{`{"person":"user-9999","age":"30m","short":true,"scopes":["instagram_business_basic"]}`, "user-9999", short, 30 * time.Minute, 1},
		{`{"person":"mia.kessler","scopes":[]}`, "mia.kessler", long, 0, 0},
	} {
		made, err := dialects[0].decode(v.mint(row.body))
		life := longLife
		if row.kind == short {
			life = shortLife
		}
		if err != nil || made.person.username != row.username || made.kind != row.kind || made.scopes != row.scopes ||
			!made.issued.Equal(c.now().Add(-row.age)) || !made.ends.Equal(made.issued.Add(life)) {
			t.Errorf("%s: %+v %v", row.body, made, err)
		}
	}
	v.subcode(v.renew(v.mint(`{"age":"1439h"}`)), 0)
	v.subcode(v.renew(v.mint(`{"age":"1441h"}`)), 463)
	if r := v.renew(v.mint(`{"age":"23h"}`)); !strings.Contains(r.body, messageTooYoung) {
		t.Errorf("under a day: %s", r.body)
	}
}

// A thousand accounts need a thousand people, none of them twice.
func TestPeopleByNumber(t *testing.T) {
	seen := map[string]string{}
	claim := func(username string) {
		p, ok := personNamed(username)
		if again, known := personNumbered(p.number); !ok || !known || again.username != username {
			t.Fatalf("%s is not known by name and number", username)
		}
		for _, id := range []string{p.accountID.String(), p.scopedID.String(), fmt.Sprint(p.number)} {
			if other, taken := seen[id]; taken {
				t.Fatalf("%s of %s is that of %s", id, username, other)
			}
			seen[id] = username
			if n, err := json.Number(id).Int64(); err != nil || n > 1<<20 && (n <= 1<<53 || n%2 == 0) {
				t.Fatalf("id %s of %s survives a float", id, username)
			}
		}
		if next := p.next(); next.username == username || next.username == "" {
			t.Fatalf("after %s comes %q", username, next.username)
		}
	}
	for _, name := range People() {
		claim(name)
	}
	for n := 1; n <= mostGenerated; n++ {
		claim(fmt.Sprintf("user-%04d", n))
	}
	for _, wrong := range []string{"user-0000", "user-10000", "user-1", "user-+001", "user-", "user-abcd"} {
		if _, ok := personNamed(wrong); ok {
			t.Errorf("%s is a person", wrong)
		}
	}
	for _, number := range []uint16{0, 4, firstGenerated, firstGenerated + mostGenerated + 1, 65535} {
		if _, ok := personNumbered(number); ok {
			t.Errorf("%d is a person", number)
		}
	}
	v := visit(t, Options{Person: "user-0042"})
	if r := v.get(authorizePath + "?" + query()); !strings.Contains(r.body, `value="user-0042" checked>`) || !strings.Contains(r.body, `value="lantern.books">`) {
		t.Errorf("the page does not offer who is signed in: %s", r.body)
	}
	if r := v.get("/scontent.cdninstagram.com/person/user-0042.png"); r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "image/png" {
		t.Errorf("no face: %d", r.StatusCode)
	}
	if r := v.get("/scontent.cdninstagram.com/person/user-0042.png.png"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a face too many: %d", r.StatusCode)
	}
}

// An account dies, and lives again, while somebody watches.
func TestStatesOfTokensThatArePresent(t *testing.T) {
	c := newClock()
	v := visit(t, Options{Now: c.now})
	mine, others := v.mint(`{"person":"user-0001","age":"960h"}`), v.mint(`{"person":"user-0002","age":"960h"}`)
	brief := v.mint(`{"person":"user-0001","short":true}`)
	for state, want := range map[string]int{"ended": 463, "password-changed": 460, "removed": 458, "checkpoint": 459, "ok": 0} {
		v.control("/_/token", `{"user":"user-0001","state":"`+state+`"}`)
		v.subcode(v.get(mePath, "access_token", mine), want)
		v.subcode(v.get(mePath+"/media", "access_token", mine), want)
		v.subcode(v.renew(mine), want)
		v.subcode(v.extend(brief), want)
		v.subcode(v.get(mePath, "access_token", others), 0)
		// A new sign-in mends it, at the very same moment.
		v.subcode(v.get(mePath, "access_token", v.mint(`{"person":"user-0001"}`)), 0)
	}
	if got := v.Server.Counts()["user-0001"]; got != (Count{Extend: 5, Renew: 5, Identity: 10, Media: 5, Extended: 1, Renewed: 1, Refused: 16}) {
		t.Errorf("counted %+v", got)
	}
	v.control("/_/scenario", `{"scenario":"ended"}`)
	access := v.long()
	v.control("/_/token", `{"user":"lantern.books","state":"ok"}`)
	for range 3 {
		v.subcode(v.get(mePath, "access_token", access), 0)
	}
	v.Server.ClearLog()
	if got := v.Server.Counts(); len(got) != 0 {
		t.Errorf("emptied: %+v", got)
	}
}

// The one question of a token that dies is not asked anew after a restart.
func TestADeadTokenOutlivesARestart(t *testing.T) {
	c := newClock()
	first := visit(t, Options{Now: c.now})
	long := first.accessToken(first.extend(first.accessToken(first.exchange(exchange(first.code("scenario", "password-changed"))))))
	first.Stop()
	c.forward(lastQuestion)
	v := visit(t, Options{Now: c.now})
	v.subcode(v.get(mePath, "access_token", long), 460)
}

func TestRotatingRenewals(t *testing.T) {
	for _, grace := range []int{0, 1, 2} {
		v := visit(t, Options{})
		v.control("/_/shape", fmt.Sprintf(`{"renew":"rotating","grace":%d}`, grace))
		old := v.mint(`{"age":"960h"}`)
		next := v.accessToken(v.renew(old))
		v.subcode(v.get(mePath, "access_token", old), 467)
		for range grace {
			next = v.accessToken(v.renew(old))
		}
		v.subcode(v.renew(old), 467)
		v.subcode(v.renew(old), 467)
		v.subcode(v.get(mePath, "access_token", next), 0)
		if got := v.Server.Counts()["lantern.books"]; got.Renew != 3+grace || got.Renewed != 1+grace || got.Refused != 3 {
			t.Errorf("grace %d: %+v", grace, got)
		}
	}
	v := visit(t, Options{})
	old := v.mint(`{"age":"960h"}`)
	for range 3 {
		v.accessToken(v.renew(old))
	}
	v.subcode(v.get(mePath, "access_token", old), 0)
}

// The provider has done it, and nobody hears of it.
func TestAnAnswerThatIsLostAfterTheWork(t *testing.T) {
	v := visit(t, Options{})
	v.control("/_/shape", `{"renew":"rotating"}`)
	old := v.mint(`{"age":"960h"}`)
	v.control("/_/fault", `{"path":"`+renewPath+`","drop":true}`)
	v.control("/_/fault", `{"path":"`+renewPath+`","drop":true,"after":true}`)
	for want := range 2 {
		// On a connection that was used before, Go's client would ask again by itself.
		v.http.CloseIdleConnections()
		if r, err := v.try(http.MethodGet, renewPath+"?"+values("grant_type", "ig_refresh_token", "access_token", old).Encode(), nil); err == nil {
			t.Fatalf("answered %d %s", r.StatusCode, r.body)
		}
		if got := v.Server.Counts()["lantern.books"].Renewed; got != want {
			t.Errorf("%d renewals, want %d", got, want)
		}
	}
	v.subcode(v.renew(old), 467)
}

func TestWhatIsKnownOfTokensIsBounded(t *testing.T) {
	s := New(Options{})
	for range mostHanded + 10 {
		s.mu.Lock()
		s.births++
		s.handed[fingerprint{byte(s.births), byte(s.births >> 8), byte(s.births >> 16)}] = &handed{birth: s.births}
		s.mu.Unlock()
		if len(s.handed) >= mostHanded {
			s.mu.Lock()
			s.known("a token")
			s.mu.Unlock()
		}
	}
	if len(s.handed) > mostHanded {
		t.Errorf("%d tokens are known", len(s.handed))
	}
}

// However many young sign-ins and tokens there are, the memory has its bound.
func TestTheMemoryIsBounded(t *testing.T) {
	s := New(Options{})
	for i := range mostFamilies + 10 {
		s.familyOf(token{family: uint64(i) + 1}, s.Now())
	}
	if len(s.families) != mostFamilies {
		t.Errorf("%d families", len(s.families))
	}
	for i := range mostHanded + 10 {
		s.known("lgx-" + strconv.Itoa(i))
	}
	if len(s.handed) != mostHanded {
		t.Errorf("%d tokens", len(s.handed))
	}
}
