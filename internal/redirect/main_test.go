package redirect

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// inside names the test body that a child process runs in its own network
// namespace; see namespace_linux_test.go.
const inside = "TOKENKEEP_TEST_INSIDE"

// bodies are what this test program does when it is started a second time.
var bodies = map[string]func() int{"hold": hold}

func TestMain(m *testing.M) {
	if body := os.Getenv(inside); body != "" {
		os.Exit(bodies[body]())
	}
	goleak.VerifyTestMain(m)
}

const (
	rightState = "STATEcanary0123456789abcdefghijklmnopqrstuvw"
	rightCode  = "CODEcanary-AQBx9876543210"
)

// freePort finds a port that is free on both loopback addresses.
func freePort(t testing.TB) int {
	t.Helper()
	for range 50 {
		four, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := four.Addr().(*net.TCPAddr).Port
		six, err := net.Listen("tcp", net.JoinHostPort("::1", strconv.Itoa(port)))
		_ = four.Close()
		if err == nil {
			_ = six.Close()
			if !Blocked(port) {
				return port
			}
		}
	}
	t.Fatal("no port is free on 127.0.0.1 and ::1 at once")
	return 0
}

// An attempt judges answers as a sign-in does: the state first, then once.
type attempt struct {
	mu        sync.Mutex
	taken     int
	judged    int
	strangers []int
	log       bytes.Buffer
}

func (a *attempt) offer(rawQuery secret.Text) Verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.judged++
	values, err := url.ParseQuery(rawQuery.Reveal())
	switch {
	case err != nil || values.Get("state") != rightState:
		return Foreign
	case len(values["code"]) > 1 || len(values["state"]) > 1 || len(values["error"]) > 1:
		return Doubled
	case values.Get("code") == "" && values.Get("error") == "":
		return NotAnAnswer
	case a.taken > 0:
		return Used
	}
	a.taken++
	return Accepted
}

func (a *attempt) stranger(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.strangers = append(a.strangers, n)
}

func (a *attempt) counts() (taken, judged, strangers int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.taken, a.judged, len(a.strangers)
}

func (a *attempt) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

func (a *attempt) logged() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.String()
}

var leaf = sync.OnceValues(func() (*tls.Certificate, error) {
	certificate, key, err := NewLeaf(time.Now())
	if err != nil {
		return nil, err
	}
	return LoadLeaf(certificate, key)
})

// listen starts a listener that ends with the test.
func listen(t testing.TB, uri string) (*Listener, *attempt) {
	t.Helper()
	a := &attempt{}
	l, err := Listen(context.Background(), Options{
		URI: uri, Offer: a.offer, Certificate: leaf, Language: "en", Strangers: a.stranger,
		Log: slog.New(slog.NewTextHandler(a, nil)), LocksDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, a
}

func uriOn(scheme, host string, port int, path string) string {
	return fmt.Sprintf("%s://%s:%d%s", scheme, host, port, path)
}

// A reply is what a raw client saw.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends one request exactly as given, over a connection of its own.
func ask(t testing.TB, l *Listener, method, target, host string, header ...string) reply {
	t.Helper()
	c := dial(t, l)
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	if host != "" {
		fmt.Fprintf(&b, "Host: %s\r\n", host)
	}
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(c, b.String()); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s of a %s: %v", method, l.address.Scheme, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Close { // net/http takes the header out of sight
		response.Header.Set("Connection", "close")
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

func dial(t testing.TB, l *Listener) net.Conn {
	t.Helper()
	endpoint := l.address.endpoints()[0]
	if l.address.Scheme == "http" {
		c, err := net.Dial("tcp", endpoint)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	pair, err := leaf()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	c, err := tls.Dial("tcp", endpoint, &tls.Config{RootCAs: roots, ServerName: l.address.Host})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answerTarget(l *Listener) string {
	return l.address.Path + "?code=" + rightCode + "&state=" + rightState
}

// free reports whether nothing listens on the listener's addresses.
func free(l *Listener) bool {
	for _, endpoint := range l.address.endpoints() {
		if c, err := net.DialTimeout("tcp", endpoint, time.Second); err == nil {
			_ = c.Close()
			return false
		}
	}
	return true
}

func within(t testing.TB, limit time.Duration, what string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > limit {
		t.Errorf("%s took %v, allowed are %v", what, took, limit)
	}
}

func trusting(t testing.TB) *tls.Config {
	t.Helper()
	pair, err := leaf()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

type tlsDialer struct{ config *tls.Config }

func (d *tlsDialer) dial(endpoint string) (net.Conn, error) {
	return tls.Dial("tcp", endpoint, d.config)
}
