package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crashSeed draws the moments of the kills; TOKENKEEP_TEST_SEED repeats a run.
func crashSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("TOKENKEEP_TEST_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	figure(t, "TOKENKEEP_TEST_SEED=%d", seed)
	return seed
}

// gave are the moments at which tokens had left the server whole, by its clock,
// which is ours.
func (s *authServer) gave() (at []time.Time) {
	for _, line := range s.lines() {
		if ms, ok := line["at"].(float64); ok && line["event"] == "answered" && line["status"] == 200.0 {
			at = append(at, time.UnixMilli(int64(ms)))
		}
	}
	return at
}

// A renewal is killed at any moment, against a server whose refresh tokens are
// good for one use and which ends everything when one is shown twice. Whatever
// the moment was, the next renewal works; but where the answer was lost with
// the process, it cannot: then, and only then, the account says that it needs
// a sign-in. Between the moment in which an answer has left the server and the
// one in which it is sealed on the disk no program can save it; sealing is
// given a tenth of a second here. Every second kill falls around the answer.
func TestServersFromNPMWhenRenewingIsKilled(t *testing.T) {
	kills, sealing, delay := 25, 100*time.Millisecond, 60*time.Millisecond
	if os.Getenv("TOKENKEEP_TEST_LONG") != "" {
		kills = 300
	}
	draw := rand.New(rand.NewPCG(crashSeed(t), 0))
	d := newDesktop(t, options{})
	port := freePort(t)
	s := d.npmServer("oidc.mjs", map[string]any{"answerAfter": delay.Milliseconds(), "clients": []any{registered("public", "", "none", port)}})
	d.does("", "provider", "add", "--issuer", s.URL, "--id", "own")
	d.addApp("mine", "own", "public", "", port)
	id, _ := d.signIn("mine", "alice")["id"].(string)

	// How long one takes, so that the kills fall all over it.
	began := time.Now()
	d.does("", "renew", id)
	whole := time.Since(began)

	var before, safe, lost int
	for n := range kills {
		asked, gave, reused := s.count("granted", "refresh_token"), len(s.gave()), s.count("refused", "already used")
		p := d.start("renew", d.ctlArgs("renew", id), nil)
		if n%2 == 0 {
			time.Sleep(time.Duration(draw.Int64N(int64(whole * 11 / 10))))
		} else {
			// Around the answer, where it matters.
			within(t, 10*time.Second, "the server was asked", func() bool { return s.count("granted", "refresh_token") > asked || !p.alive() })
			time.Sleep(time.Duration(draw.Int64N(int64(2 * delay))))
		}
		p.signal(syscall.SIGKILL)
		<-p.ended
		killed, had := time.Now(), s.count("granted", "refresh_token") > asked
		last, code := d.keep("", "renew", id)
		switch {
		case s.count("refused", "already used") > reused:
			// The server had answered somebody who was gone, or who had no time.
			if code != 9 || !strings.Contains(fmt.Sprint(last), "renew.refresh_ended") {
				t.Fatalf("kill %d: a lost answer was told as exit %d, %v", n, code, last)
			}
			if all := s.gave(); len(all) > gave && killed.Sub(all[gave]) > sealing {
				t.Errorf("kill %d: an answer that had left %s before the kill was lost", n, killed.Sub(all[gave]))
			}
			lost++
			id, _ = d.signIn("mine", "alice")["id"].(string)
		case code != 0:
			t.Fatalf("kill %d: exit %d, %v", n, code, last)
		case s.count("granted", "refresh_token") == asked:
			t.Fatalf("kill %d: nobody renewed it", n)
		case had:
			safe++
		default:
			before++
		}
		if _, code := d.keep("", "token", id); code != 0 {
			t.Fatalf("kill %d: no token afterwards", n)
		}
	}
	if broken := s.count("broken", ""); broken != 0 {
		t.Errorf("the server broke %d times: %s", broken, s.p.words())
	}
	figure(t, "%d kills over %s: %d before the request, %d with the answer safe, %d with the answer lost and told so", kills, whole.Round(time.Millisecond), before, safe, lost)
}
