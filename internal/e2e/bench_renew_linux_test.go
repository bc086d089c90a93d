package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// partOfRenewing renews many due accounts and prints the times as JSON.
const partOfRenewing = "__measure_renewing"

// renewTimes are of one size of library: milliseconds for all of Due accounts.
type renewTimes struct {
	Accounts, Due int
	// Ours, and the same requests bare with as many keychain writes.
	Ours, Bare float64
	// Requests and Writes are the parts of Bare.
	Requests, Writes float64
}

// renewSizes are how many accounts are due at once, one after the other in one
// keychain, which grows with them.
var renewSizes = []int{10, 100, 1000}

// What it costs to renew every due account, against the same requests bare and
// as many writes by a resident keychain child, both with as many at once. They
// take turns in hundreds, since a keychain gets slower with every item.
func TestBenchRenewing(t *testing.T) {
	d := newDesktop(t, options{})
	p := d.start("measuring", []string{d.actor(), partOfRenewing}, nil)
	if err := p.waitEnd(t, 8*time.Minute); err != nil {
		t.Fatalf("%v\n%s", err, p.words())
	}
	out, err := os.ReadFile(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	var all []renewTimes
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatalf("%v\n%s", err, p.words())
	}
	if len(all) != len(renewSizes) {
		t.Fatalf("%d sizes were measured, not %d", len(all), len(renewSizes))
	}
	for _, one := range all {
		n := float64(one.Due)
		ratio := one.Ours / one.Bare
		tell("renewing %d due accounts: %.1f ms each against %.1f bare (requests %.1f, keychain %.1f), ratio %.2f (at most 1.5)",
			one.Due, one.Ours/n, one.Bare/n, one.Requests/n, one.Writes/n, ratio)
		if one.Due == renewSizes[len(renewSizes)-1] && ratio > 1.5 {
			t.Errorf("renewing %d accounts: the ratio is %.2f, the bound is 1.5", one.Due, ratio)
		}
	}
}

func playRenewing() error {
	ctx := context.Background()
	provider := httptest.NewTLSServer(sandbox.New(sandbox.Options{}))
	defer provider.Close()
	base, err := url.Parse("http://" + provider.Listener.Addr().String())
	if err != nil {
		return err
	}
	trust := &tls.Config{RootCAs: provider.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	secured = &http.Transport{DialContext: (&tls.Dialer{Config: trust}).DialContext, MaxIdleConnsPerHost: renew.Parallel}
	home := os.Getenv("HOME") + "/measured"
	keychain := vault.Open(vault.Options{Service: buildinfo.ID + ".practice", Attended: true})
	defer keychain.Close()
	shelf, err := shelve(ctx, home, keychain)
	if err != nil {
		return err
	}
	defer shelf.library.Close()
	service, err := connect.Open(ctx, connect.Config{Home: home, SandboxURL: base, Attended: true, Client: &http.Client{Transport: secured}})
	if err != nil {
		return err
	}
	defer service.Close()
	service.SetRenewing(true)
	var all []renewTimes
	person := 0
	for _, size := range renewSizes {
		var tokens []string
		for range size {
			person++
			token, err := minted(&http.Client{Transport: secured}, base.String(), fmt.Sprintf("user-%04d", person), ageOfDue)
			if err != nil {
				return err
			}
			if err := shelf.put(ctx, person, token); err != nil {
				return fmt.Errorf("account %d: %w", person, err)
			}
			tokens = append(tokens, token)
		}
		one, err := renewAll(ctx, service, keychain, base.String(), tokens)
		if err != nil {
			return err
		}
		one.Accounts = person
		all = append(all, one)
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

// shelf is a library with its keychain items, filled without a sign-in each:
// that takes four writes, and they are not what is measured.
type shelf struct {
	library *library.Library
	tokens  vault.Tokens
}

func shelve(ctx context.Context, home string, keychain *vault.Keychain) (shelf, error) {
	l, err := library.Open(ctx, home+"/practice", nil)
	if err != nil {
		return shelf{}, err
	}
	if err := vault.CheckSentinel(ctx, keychain, l.ID(), true); err != nil {
		return shelf{}, err
	}
	sealer, err := vault.NewSealer(ctx, keychain, l.ID())
	return shelf{l, vault.Tokens{Store: keychain, Service: buildinfo.ID + ".practice", Sealer: sealer, Overflow: l}}, err
}

func (s shelf) put(ctx context.Context, person int, token string) error {
	issued := time.Now().UTC().Truncate(time.Second).Add(-ageOfDue)
	end := issued.Add(60 * 24 * time.Hour)
	id, user, name := fmt.Sprintf("bench%08d", person), fmt.Sprintf("1784%012d", person), fmt.Sprintf("user-%04d", person)
	err := s.tokens.Put(ctx, id, vault.Item{Gen: 1, AccessToken: secret.New(token), TokenType: "bearer", IssuedAt: issued, ExpiresAt: &end, Provider: "instagram", UserID: user, Username: name})
	if err != nil {
		return err
	}
	return s.library.Finish(ctx, library.Account{ID: id, Provider: "instagram", UserID: user, Grant: id, Username: name, IssuedAt: &issued, ExpiresAt: &end, Gen: 1, Vault: "keychain"})
}

// ageOfDue makes a token due: it has less than 20 of 60 days left.
const ageOfDue = 41 * 24 * time.Hour

// minted is a long-lived token of that person and age, without a sign-in.
func minted(client *http.Client, base, person string, age time.Duration) (string, error) {
	body, err := json.Marshal(map[string]string{"person": person, "age": age.String()})
	if err != nil {
		return "", err
	}
	return bareToken(client.Post(base+"/_/mint", "application/json", bytes.NewReader(body)))
}

// renewAll renews what is due, a hundred at a time, and lets the bare side do
// the same in between.
func renewAll(ctx context.Context, service *connect.Service, keychain *vault.Keychain, base string, tokens []string) (renewTimes, error) {
	times := renewTimes{Due: len(tokens)}
	accounts, err := service.Accounts(ctx)
	if err != nil {
		return times, err
	}
	due := renew.Due(accounts, time.Now())
	if len(due) != len(tokens) {
		return times, fmt.Errorf("%d accounts are due, not %d", len(due), len(tokens))
	}
	for from := 0; from < len(due); from += 100 {
		to := min(from+100, len(due))
		began := time.Now()
		report, err := renew.Run(ctx, part{service, due[from:to]}, renew.Options{})
		if err != nil {
			return times, err
		}
		times.Ours += milliseconds(time.Since(began))
		for _, failed := range report.Errors {
			return times, failed
		}
		for _, r := range report.Renewals {
			if r.Outcome != connect.Renewed {
				return times, fmt.Errorf("an account was %s: %v", r.Outcome, r.Problem)
			}
		}
		if len(report.Renewals) != to-from {
			return times, fmt.Errorf("%d of %d were renewed", len(report.Renewals), to-from)
		}
		if err := bareRenewals(ctx, keychain, base, tokens[from:to], &times); err != nil {
			return times, err
		}
	}
	return times, nil
}

// part shows a run some of the accounts.
type part struct {
	*connect.Service
	accounts []connect.Account
}

func (p part) Accounts(context.Context) ([]connect.Account, error) { return p.accounts, nil }

// bareRenewals asks for each token and writes each answer into the keychain,
// with as many at work as ours, and nothing else.
func bareRenewals(ctx context.Context, keychain *vault.Keychain, base string, tokens []string, times *renewTimes) error {
	client := &http.Client{Transport: secured}
	var requests, writes atomic.Int64
	queue, failed := make(chan string), make(chan error, renew.Parallel)
	began := time.Now()
	var workers sync.WaitGroup
	for range renew.Parallel {
		workers.Go(func() {
			for token := range queue {
				asked := time.Now()
				answer, err := client.Get(base + "/graph.instagram.com/refresh_access_token?" + url.Values{"grant_type": {"ig_refresh_token"}, "access_token": {token}}.Encode())
				if err != nil {
					failed <- err
					return
				}
				body, err := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if err != nil || answer.StatusCode != http.StatusOK {
					failed <- fmt.Errorf("the bare renewal was answered %s: %w", answer.Status, err)
					return
				}
				written := time.Now()
				requests.Add(int64(written.Sub(asked)))
				if err := keychain.Put(ctx, "token-bare", secret.New(string(body))); err != nil {
					failed <- err
					return
				}
				writes.Add(int64(time.Since(written)))
			}
		})
	}
	for _, token := range tokens {
		select {
		case queue <- token:
		case err := <-failed:
			close(queue)
			return err
		}
	}
	close(queue)
	workers.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	times.Bare += milliseconds(time.Since(began))
	// Workers wait for the one child, so the parts add up to more than the whole.
	total := float64(requests.Load() + writes.Load())
	share := milliseconds(time.Since(began)) / total
	times.Requests += float64(requests.Load()) * share
	times.Writes += float64(writes.Load()) * share
	return nil
}
