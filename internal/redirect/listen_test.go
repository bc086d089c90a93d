package redirect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func TestLST1_OnlyLiteralLoopbackAddresses(t *testing.T) {
	for host, want := range map[string][]string{"127.0.0.1": {"127.0.0.1"}, "[::1]": {"[::1]"}, "localhost": {"127.0.0.1", "[::1]"}} {
		port := freePort(t)
		l, _ := listen(t, uriOn("http", host, port, "/"))
		bound := listening(t, port)
		if strings.Join(bound, " ") != strings.Join(want, " ") {
			t.Errorf("%s binds %v, want %v", host, bound, want)
		}
		interfaces, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range interfaces {
			ip := address.(*net.IPNet).IP
			if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
				continue
			}
			if c, err := net.DialTimeout("tcp", net.JoinHostPort(ip.String(), itoa(port)), time.Second); err == nil {
				_ = c.Close()
				t.Errorf("%s answers on %v", host, ip)
			}
		}
		l.Close()
	}
	for _, uri := range []string{"https://127.0.0.2:8919/", "https://0.0.0.0:8919/", "https://[::]:8919/", "https://localhost.evil.com:8919/", "https://example.com/", "https://[::ffff:127.0.0.1]:8919/"} {
		if _, err := Listen(context.Background(), Options{URI: uri, Certificate: leaf}); !problem.Has(err, problem.RedirectNotHere) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

// listening asks ss which local addresses listen on the port.
func listening(t *testing.T, port int) (addresses []string) {
	t.Helper()
	ss, err := exec.LookPath("ss")
	if err != nil {
		t.Fatal("the program ss is missing: Debian package iproute2")
	}
	out, err := exec.Command(ss, "-ltnH", fmt.Sprintf("sport = :%d", port)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if fields := strings.Fields(line); len(fields) > 3 {
			addresses = append(addresses, strings.TrimSuffix(fields[3], ":"+itoa(port)))
		}
	}
	return addresses
}

func TestLST2_LocalhostMeansBothFamiliesOrAReason(t *testing.T) {
	for endpoint, key := range map[string]problem.Key{"127.0.0.1": problem.PortTaken, "::1": problem.PortTakenV6} {
		port := freePort(t)
		other, err := net.Listen("tcp", net.JoinHostPort(endpoint, itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Listen(context.Background(), Options{URI: uriOn("http", "localhost", port, "/"), LocksDir: t.TempDir()})
		if !problem.Has(err, key) || problem.Of(err).Args["port"] != itoa(port) {
			t.Errorf("%s is held: %v", endpoint, err)
		}
		// Nothing is kept half-bound: the other family is free again.
		_ = other.Close()
		l, _ := listen(t, uriOn("http", "localhost", port, "/"))
		l.Close()
	}
}

func TestLST5_BoundOnReturnAndNeverGivenBack(t *testing.T) {
	port := freePort(t)
	var stolen atomic.Int32
	stop := make(chan struct{})
	var thieves sync.WaitGroup
	l, _ := listen(t, uriOn("http", "localhost", port, "/"))
	for _, endpoint := range l.address.endpoints() {
		thieves.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if thief, err := net.Listen("tcp", endpoint); err == nil {
					stolen.Add(1)
					_ = thief.Close()
				}
			}
		})
	}
	// Bound means that a connection made at once is answered, on every family.
	for _, endpoint := range l.address.endpoints() {
		c, err := net.Dial("tcp", endpoint)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	time.Sleep(100 * time.Millisecond)
	if got := ask(t, l, "GET", answerTarget(l), l.address.Authority()); got.status != http.StatusSeeOther {
		t.Errorf("answer: %d", got.status)
	}
	close(stop)
	thieves.Wait()
	if stolen.Load() != 0 {
		t.Errorf("the port was free %d times", stolen.Load())
	}
}

func TestOneAttemptAPortAcrossProcesses(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	uri := uriOn("http", "127.0.0.1", port, "/")
	first, err := Listen(context.Background(), Options{URI: uri, LocksDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(context.Background(), Options{URI: uri, LocksDir: dir}); !problem.Has(err, problem.PortOurs) {
		t.Errorf("the second attempt: %v", err)
	}
	// Another host on the same port is the same door for a browser's person.
	if _, err := Listen(context.Background(), Options{URI: uriOn("http", "[::1]", port, "/"), LocksDir: dir}); !problem.Has(err, problem.PortOurs) {
		t.Errorf("the same port, other family: %v", err)
	}
	first.Close()
	second, err := Listen(context.Background(), Options{URI: uri, LocksDir: dir})
	if err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
	second.Close()
	info, err := os.Stat(filepath.Join(dir, "port-"+itoa(port)))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("lock: %v, %v", info, err)
	}

	// A killed process leaves nothing behind.
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), inside+"=hold", "HOLD_URI="+uri, "HOLD_LOCKS="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(context.Background(), Options{URI: uri, LocksDir: dir}); !problem.Has(err, problem.PortOurs) {
		t.Errorf("another process has the port: %v", err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	third, err := Listen(context.Background(), Options{URI: uri, LocksDir: dir})
	if err != nil {
		t.Fatalf("after the other process was killed: %v", err)
	}
	third.Close()
}

func hold() int {
	l, err := Listen(context.Background(), Options{URI: os.Getenv("HOLD_URI"), LocksDir: os.Getenv("HOLD_LOCKS")})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("bound")
	time.Sleep(time.Minute)
	l.Close()
	return 0
}

func TestListenRefusesAtOnce(t *testing.T) {
	if _, err := Listen(context.Background(), Options{URI: "https://localhost:8919/"}); err == nil {
		t.Error("https without a certificate")
	}
	broken := func() error {
		_, _, err := NewLeaf(time.Now())
		return err
	}
	if broken() != nil {
		t.Fatal("a leaf could not be made")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Listen(ended, Options{URI: uriOn("http", "127.0.0.1", freePort(t), "/")}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if _, err := Listen(context.Background(), Options{URI: "http://127.0.0.1:6000/"}); !problem.Has(err, problem.PortBlocked) {
		t.Errorf("blocked port: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(context.Background(), Options{URI: uriOn("http", "127.0.0.1", freePort(t), "/"), LocksDir: filepath.Join(file, "x")}); !problem.Has(err, problem.LockUnavailable) {
		t.Errorf("no place for locks: %v", err)
	}
}

func TestLST7_OnlyTheExactPathAndGET(t *testing.T) {
	for _, path := range []string{"/", "/callback/instagram"} {
		l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), path))
		host := l.address.Authority()
		random := rand.New(rand.NewPCG(1, 2))
		methods := []string{"GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get"}
		paths := []string{"/favicon.ico", "/done", "/callback", "/callback/", "/callback/instagram/", "/callback/instagram/x", "/Callback/Instagram", "//", "/%2f",
			"/callback%2Finstagram", "/./", "/../", "/robots.txt", "/.well-known/x", "/callback/threads", "*", "http://evil.example/"}
		for i := range 200 {
			method, target := methods[random.IntN(len(methods))], paths[random.IntN(len(paths))]
			if target == "*" {
				method = "OPTIONS"
			} else {
				target += "?" + query
			}
			if i%5 == 0 {
				target, method = path+"?"+query, methods[1+random.IntN(len(methods)-1)]
			}
			if method == "CONNECT" && !strings.HasPrefix(target, "/") {
				continue
			}
			got := ask(t, l, method, target, host)
			if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed && got.status != http.StatusMisdirectedRequest {
				t.Errorf("%s %s: %d", method, target, got.status)
			}
		}
		if taken, judged, strangers := a.counts(); taken+judged+strangers != 0 {
			t.Errorf("the attempt was touched: %d taken, %d judged, %d strangers", taken, judged, strangers)
		}
		if got := ask(t, l, "GET", path, host); got.status != http.StatusBadRequest {
			t.Errorf("the path without an answer: %d", got.status)
		}
		if got := ask(t, l, "GET", answerTarget(l), host); got.status != http.StatusSeeOther || got.header.Get("Location") != "/done" {
			t.Errorf("the real answer: %d %v", got.status, got.header)
		}
		l.Finish(Connected)
		if got := ask(t, l, "GET", "/done", host); got.status != http.StatusOK || got.body != string(l.pages.body[pageConnected]) {
			t.Errorf("done: %d", got.status)
		}
	}
}

func TestRedirectPathThatIsDoneItself(t *testing.T) {
	l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/done"))
	host := l.address.Authority()
	if got := ask(t, l, "GET", "/done", host); got.status != http.StatusNotFound {
		t.Errorf("too early: %d", got.status)
	}
	if got := ask(t, l, "GET", "/done?state=x", host); got.status != http.StatusBadRequest {
		t.Errorf("wrong state: %d", got.status)
	}
	if got := ask(t, l, "GET", answerTarget(l), host); got.status != http.StatusSeeOther || got.header.Get("Location") != "/done" {
		t.Errorf("answer: %d", got.status)
	}
	l.Finish(Denied)
	if got := ask(t, l, "GET", "/done", host); got.status != http.StatusOK || got.body != string(l.pages.body[pageDenied]) {
		t.Errorf("done: %d", got.status)
	}
	if taken, _, _ := a.counts(); taken != 1 {
		t.Errorf("taken %d times", taken)
	}
}

func TestLST8_HostMustBeTheRedirectsAuthority(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]"} {
		l, a := listen(t, uriOn("http", host, freePort(t), "/"))
		port := itoa(l.address.Port)
		own := l.address.Authority()
		for _, wrong := range []string{"evil.example:" + port, "localhost.evil.com:" + port, "evil.example", host, host + ":", host + ":80", strings.ToUpper(host) + ".:" + port,
			host + ".:" + port, "LOCALHOST:" + port, "127.1:" + port, "2130706433:" + port, "127.0.0.2:" + port, "[::ffff:127.0.0.1]:" + port, own + "0", "localhost:" + port + ".evil"} {
			if wrong == own {
				continue
			}
			got := ask(t, l, "GET", answerTarget(l), wrong)
			// net/http itself refuses a Host that is no host.
			if got.status != http.StatusMisdirectedRequest && got.status != http.StatusBadRequest {
				t.Errorf("Host %s: %d", wrong, got.status)
			}
			if got := ask(t, l, "GET", "/done", wrong); got.status == http.StatusOK {
				t.Errorf("Host %s reads /done", wrong)
			}
		}
		if got := ask(t, l, "GET", answerTarget(l), own, "Host: evil.example"); got.status != http.StatusBadRequest {
			t.Errorf("two hosts: %d", got.status)
		}
		if taken, judged, strangers := a.counts(); taken+judged+strangers != 0 {
			t.Errorf("counted: %d %d %d", taken, judged, strangers)
		}
		if got := ask(t, l, "GET", answerTarget(l), own); got.status != http.StatusSeeOther {
			t.Errorf("Host %s: %d", own, got.status)
		}
	}
}

func TestLST9_OnlyATopLevelNavigation(t *testing.T) {
	l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	host := l.address.Authority()
	for _, header := range [][]string{
		{"Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"},
		{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"},
		{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"},
		{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: embed"},
		{"Sec-Fetch-Mode: navigate"},
		{"Sec-Fetch-Dest: document"},
		{"Sec-Fetch-Dest: image"},
		{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: document"},
		{"Sec-Fetch-Mode: NAVIGATE", "Sec-Fetch-Dest: document"},
		{"Sec-Fetch-Mode: ", "Sec-Fetch-Dest: "},
		{"Origin: https://evil.example"},
		{"Origin: null"},
		{"Origin: http://" + host},
		{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Origin: null"},
		{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Purpose: prefetch;prerender"},
		{"Purpose: prefetch"},
	} {
		got := ask(t, l, "GET", answerTarget(l), host, header...)
		if got.status != http.StatusForbidden {
			t.Errorf("%v: %d", header, got.status)
		}
		cors(t, got)
	}
	got := ask(t, l, "OPTIONS", "/", host, "Origin: https://evil.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Private-Network: true", "Access-Control-Request-Local-Network: true")
	if got.status != http.StatusMethodNotAllowed {
		t.Errorf("preflight: %d", got.status)
	}
	cors(t, got)
	if taken, judged, strangers := a.counts(); taken+judged+strangers != 0 {
		t.Errorf("the attempt was touched: %d %d %d", taken, judged, strangers)
	}
	if got := ask(t, l, "GET", answerTarget(l), host, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site", "Sec-Fetch-User: ?1"); got.status != http.StatusSeeOther {
		t.Errorf("a browser's navigation: %d", got.status)
	}
}

func cors(t *testing.T, got reply) {
	t.Helper()
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s: %v", name, got.header[name])
		}
	}
}

func TestLST10_AWrongStateNeverEndsTheAttempt(t *testing.T) {
	l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	host := l.address.Authority()
	for i := range 40 {
		target := []string{"/?code=x&state=wrong", "/?code=x", "/?error=access_denied", "/?error=access_denied&state=wrong"}[i%4]
		got := ask(t, l, "GET", target, host)
		if got.status != http.StatusBadRequest || got.body != string(l.pages.body[pageForeign]) {
			t.Fatalf("%s: %d", target, got.status)
		}
	}
	_, _, strangers := a.counts()
	if strangers != 40 || a.strangers[0] != 1 || a.strangers[19] != 20 || a.strangers[39] != 40 {
		t.Errorf("strangers: %v", a.strangers)
	}
	if got := ask(t, l, "GET", "/done", host); got.status != http.StatusNotFound {
		t.Errorf("done before the answer: %d", got.status)
	}
	if got := ask(t, l, "GET", answerTarget(l), host); got.status != http.StatusSeeOther {
		t.Errorf("the real answer: %d", got.status)
	}
}

func TestATT4_ASecondAnswerIsTold(t *testing.T) {
	l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	var accepted, used atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			switch got := ask(t, l, "GET", answerTarget(l), l.address.Authority()); {
			case got.status == http.StatusSeeOther:
				accepted.Add(1)
			case got.status == http.StatusBadRequest && got.body == string(l.pages.body[pageUsed]):
				used.Add(1)
			default:
				t.Errorf("%d", got.status)
			}
		})
		time.Sleep(time.Millisecond) // at most 32 are let in at once
	}
	all.Wait()
	if taken, _, _ := a.counts(); taken != 1 || accepted.Load() != 1 || used.Load() != 49 {
		t.Errorf("taken %d, accepted %d, used %d", taken, accepted.Load(), used.Load())
	}
}

func TestATT10_DoubledParametersAreRefused(t *testing.T) {
	l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	for _, target := range []string{"/?code=a&code=b&state=" + rightState, "/?" + query + "&state=" + rightState} {
		if got := ask(t, l, "GET", target, l.address.Authority()); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", target, got.status)
		}
	}
	if taken, _, strangers := a.counts(); taken+strangers != 0 {
		t.Errorf("taken %d, strangers %d", taken, strangers)
	}
}

// A crowd of a hundred slow clients of each kind: nothing said, half a header,
// a body that never ends. The real answer comes through meanwhile, and no
// connection of the crowd outlives its limit.
func TestLST11_SlowClientsDoNotKeepTheBrowserOut(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			l, _ := listen(t, uriOn(scheme, "localhost", freePort(t), "/"))
			endpoint := l.address.endpoints()[0]
			stop := make(chan struct{})
			var crowd sync.WaitGroup
			var open atomic.Int32
			ended := make(chan time.Duration, 1000)
			for i := range 100 {
				crowd.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						began := time.Now()
						c, err := net.Dial("tcp", endpoint)
						if err != nil {
							time.Sleep(10 * time.Millisecond)
							continue
						}
						open.Add(1)
						drip(c, i%3, l.address.Authority(), stop)
						open.Add(-1)
						_ = c.Close()
						select {
						case ended <- time.Since(began):
						default:
						}
						time.Sleep(20 * time.Millisecond)
					}
				})
			}
			time.Sleep(500 * time.Millisecond)
			for range 5 {
				within(t, 3*time.Second, "a request in the crowd", func() {
					if got := patient(t, l, "/?state=wrong&code=x"); got.status != http.StatusBadRequest {
						t.Errorf("%d", got.status)
					}
				})
			}
			// Long enough for every limit to bite.
			time.Sleep(11 * time.Second)
			within(t, 3*time.Second, "the real answer", func() {
				if got := patient(t, l, answerTarget(l)); got.status != http.StatusSeeOther {
					t.Errorf("the real answer: %d", got.status)
				}
			})
			close(stop)
			crowd.Wait()
			close(ended)
			n := 0
			for took := range ended {
				n++
				if took > readTimeout+2*time.Second {
					t.Errorf("a slow connection stayed open for %v", took)
				}
			}
			if n < 100 {
				t.Errorf("only %d connections of the crowd ended", n)
			}
		})
	}
}

// drip holds a connection as long as the other side lets it.
func drip(c net.Conn, kind int, host string, stop <-chan struct{}) {
	switch kind {
	case 1:
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+host+"\r\nX-Slow: ")
	case 2:
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 60000\r\n\r\n")
	}
	b := make([]byte, 1<<10)
	for {
		select {
		case <-stop:
			return
		default:
		}
		_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Read(b); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if kind > 0 {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
		}
	}
}

// patient asks as a browser does: a connection that is closed under it before
// an answer is tried again.
func patient(t *testing.T, l *Listener, target string) reply {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: trusting(t)}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	var last error
	for range 5 {
		response, err := client.Get(l.address.Scheme + "://" + l.address.Authority() + target)
		if err != nil {
			last = err
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			last = err
			continue
		}
		return reply{response.StatusCode, response.Header, string(body)}
	}
	t.Errorf("five tries failed: %v", last)
	return reply{}
}

func TestLST11_LimitsOnSize(t *testing.T) {
	l, a := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	host := l.address.Authority()
	if got := ask(t, l, "GET", "/?state=wrong", host, "X-Big: "+strings.Repeat("x", 24<<10)); got.status != http.StatusBadRequest {
		t.Errorf("24 KiB of header: %d", got.status)
	}
	if got := ask(t, l, "GET", answerTarget(l), host, "X-Big: "+strings.Repeat("x", 34<<10)); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("34 KiB of header: %d", got.status)
	}
	if taken, _, _ := a.counts(); taken != 0 {
		t.Error("an oversized request was taken")
	}
	// Two requests in one breath: the second is never read.
	c := dial(t, l)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET /a HTTP/1.1\r\nHost: %s\r\n\r\nGET %s HTTP/1.1\r\nHost: %s\r\n\r\n", host, answerTarget(l), host)
	all, _ := io.ReadAll(c)
	if n := bytes.Count(all, []byte("HTTP/1.1 ")); n != 1 {
		t.Errorf("%d responses on one connection", n)
	}
	if taken, _, _ := a.counts(); taken != 0 {
		t.Error("a pipelined request was taken")
	}
}

func TestLST12_TheSocketClosesInTime(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*Listener, net.Conn) {
		l, _ := listen(t, uriOn("http", "localhost", freePort(t), "/"))
		silent, err := net.Dial("tcp", l.address.endpoints()[0]) // a browser's pre-connection
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = silent.Close() })
		return l, silent
	}
	closes := func(t *testing.T, l *Listener, limit time.Duration) {
		t.Helper()
		within(t, limit, "closing", func() {
			select {
			case <-l.Done():
			case <-time.After(limit + 5*time.Second):
				t.Error("it stays open")
			}
		})
		if !free(l) {
			t.Error("the port still answers")
		}
	}
	t.Run("after the page", func(t *testing.T) {
		l, _ := start(t)
		ask(t, l, "GET", answerTarget(l), l.address.Authority())
		l.Finish(Connected)
		if got := ask(t, l, "GET", "/done", l.address.Authority()); got.status != http.StatusOK {
			t.Errorf("done: %d", got.status)
		}
		closes(t, l, time.Second)
	})
	t.Run("after the page that waited", func(t *testing.T) {
		l, _ := start(t)
		ask(t, l, "GET", answerTarget(l), l.address.Authority())
		page := make(chan reply, 1)
		go func() { page <- ask(t, l, "GET", "/done", l.address.Authority()) }()
		time.Sleep(700 * time.Millisecond)
		select {
		case got := <-page:
			t.Errorf("the page did not wait: %d", got.status)
		default:
		}
		l.Finish(Unfinished)
		if got := <-page; got.status != http.StatusOK || got.body != string(l.pages.body[pageUnfinished]) {
			t.Errorf("done: %d", got.status)
		}
		closes(t, l, time.Second)
	})
	t.Run("nobody asks for the page", func(t *testing.T) {
		l, _ := start(t)
		ask(t, l, "GET", answerTarget(l), l.address.Authority())
		l.Finish(Connected)
		closes(t, l, fetchGrace+time.Second)
	})
	t.Run("the answer came another way", func(t *testing.T) {
		l, _ := start(t)
		l.Finish(Connected)
		closes(t, l, time.Second)
	})
	t.Run("no outcome in 12 s", func(t *testing.T) {
		t.Parallel()
		l, _ := start(t)
		ask(t, l, "GET", answerTarget(l), l.address.Authority())
		within(t, doneWait+time.Second, "the page without an outcome", func() {
			if got := ask(t, l, "GET", "/done", l.address.Authority()); got.status != http.StatusOK || got.body != string(l.pages.body[pagePending]) {
				t.Errorf("done: %d", got.status)
			}
		})
		closes(t, l, 2*time.Second)
	})
	t.Run("nobody asks and nothing finishes", func(t *testing.T) {
		t.Parallel()
		l, _ := start(t)
		ask(t, l, "GET", answerTarget(l), l.address.Authority())
		closes(t, l, afterAnswer+time.Second)
	})
}

func TestATT9_CancelledAndClosedAtOnce(t *testing.T) {
	for name, end := range map[string]func(l *Listener, cancel func()){
		"cancel": func(l *Listener, cancel func()) { cancel(); <-l.Done() },
		"close":  func(l *Listener, _ func()) { l.Close() },
		"twice":  func(l *Listener, cancel func()) { cancel(); l.Close(); l.Close() },
	} {
		for _, scheme := range []string{"http", "https"} {
			ctx, cancel := context.WithCancel(context.Background())
			a, port := &attempt{}, freePort(t)
			l, err := Listen(ctx, Options{URI: uriOn(scheme, "localhost", port, "/"), Offer: a.offer, Certificate: leaf})
			if err != nil {
				t.Fatal(err)
			}
			silent, err := net.Dial("tcp", l.address.endpoints()[1])
			if err != nil {
				t.Fatal(err)
			}
			half := dial(t, l)
			fmt.Fprintf(half, "GET / HT")
			if len(listening(t, port)) != 2 {
				t.Errorf("%s: listens on %v", name, listening(t, port))
			}
			within(t, time.Second, name, func() { end(l, cancel) })
			if left := listening(t, port); len(left) != 0 || !free(l) {
				t.Errorf("%s: still listens on %v", name, left)
			}
			l.Finish(Connected) // too late, and harmless
			_, _ = silent.Close(), half.Close()
			cancel()
		}
	}
	// The deadline is the context's.
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	l, err := Listen(ctx, Options{URI: uriOn("http", "127.0.0.1", freePort(t), "/"), Offer: (&attempt{}).offer})
	if err != nil {
		t.Fatal(err)
	}
	within(t, 1050*time.Millisecond, "the deadline", func() { <-l.Done() })
	if !free(l) {
		t.Error("the port outlives the deadline")
	}
}

// Cancelling while the browser's page waits still gives it a page.
func TestATT9_CloseWhileThePageWaits(t *testing.T) {
	l, _ := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	ask(t, l, "GET", answerTarget(l), l.address.Authority())
	page := make(chan reply, 1)
	go func() { page <- ask(t, l, "GET", "/done", l.address.Authority()) }()
	time.Sleep(200 * time.Millisecond)
	within(t, time.Second, "closing", l.Close)
	if got := <-page; got.body != string(l.pages.body[pagePending]) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestLST13_NothingOfTheRequestIsInThePage(t *testing.T) {
	l, _ := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/"))
	host := l.address.Authority()
	attacks := []string{"<script>alert(1)</script>", "%3Cscript%3Ealert(1)%3C/script%3E", "\"onload=alert(1)", "javascript:alert(1)", "%00", "%0d%0aSet-Cookie:x", "{{.}}", "[[title]]", "${7*7}", "%E2%80%AEevil", "canary"}
	for _, attack := range attacks {
		for _, name := range []string{"code", "state", "error", "error_reason", "error_description", "iss", attack} {
			value := strings.NewReplacer("<", "%3C", ">", "%3E", "\"", "%22").Replace(attack)
			name = strings.NewReplacer("<", "%3C", ">", "%3E", "\"", "%22").Replace(name)
			got := ask(t, l, "GET", "/?state=wrong&"+name+"="+value, host, "User-Agent: "+attack, "Referer: "+attack, "Cookie: a="+attack, "Accept-Language: "+attack)
			if got.status != http.StatusBadRequest || got.body != string(l.pages.body[pageForeign]) {
				t.Errorf("%s=%s: %d and another page", name, value, got.status)
			}
			got = ask(t, l, "GET", "/"+value, host)
			if got.status != http.StatusNotFound || got.body != string(l.pages.body[pageNothing]) {
				t.Errorf("/%s: %d and another page", value, got.status)
			}
			for header, values := range got.header {
				if strings.Contains(strings.Join(values, " "), "canary") || header == "Set-Cookie" {
					t.Errorf("header %s: %v", header, values)
				}
			}
		}
	}
}

func TestLST14_TheAddressLosesItsQuery(t *testing.T) {
	for _, answer := range []string{query, "error=access_denied&error_description=canary&state=" + rightState} {
		l, _ := listen(t, uriOn("http", "127.0.0.1", freePort(t), "/callback"))
		got := ask(t, l, "GET", "/callback?"+answer, l.address.Authority())
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/done" || got.body != "" {
			t.Errorf("%d %q %q", got.status, got.header.Get("Location"), got.body)
		}
		l.Close()
	}
}

func TestLST15_GoldenHeaders(t *testing.T) {
	sum := sha256.Sum256([]byte(embedded("page.css")))
	common := []string{
		"Cache-Control: no-store",
		"Connection: close",
		"Content-Security-Policy: default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy: same-origin",
		"Cross-Origin-Resource-Policy: same-origin",
		"Referrer-Policy: no-referrer",
		"X-Content-Type-Options: nosniff",
	}
	page := "Content-Type: text/html; charset=utf-8"
	for _, scheme := range []string{"http", "https"} {
		l, _ := listen(t, uriOn(scheme, "localhost", freePort(t), "/callback"))
		host := l.address.Authority()
		for _, want := range []struct {
			method, target, host string
			status               int
			more                 []string
		}{
			{"GET", "/callback?state=x", host, 400, []string{page}},
			{"GET", "/callback", host, 400, []string{page}},
			{"GET", "/other", host, 404, []string{page}},
			{"GET", "/done", host, 404, []string{page}},
			{"POST", "/callback", host, 405, []string{page, "Allow: GET"}},
			{"HEAD", "/callback", host, 405, []string{page, "Allow: GET"}},
			{"OPTIONS", "/callback", host, 405, []string{page, "Allow: GET"}},
			{"OPTIONS", "*", host, 404, []string{page}},
			{"GET", "/callback", "evil.example", 421, []string{page}},
			{"GET", answerTarget(l), host, 303, []string{"Location: /done"}},
			{"GET", answerTarget(l), host, 400, []string{page}},
			{"GET", "/done", host, 200, []string{page}},
		} {
			if want.status == 200 {
				l.Finish(Connected)
			}
			got := ask(t, l, want.method, want.target, want.host)
			if got.status != want.status {
				t.Errorf("%s %s: %d, want %d", want.method, want.target, got.status, want.status)
			}
			expected := map[string]bool{}
			for _, line := range append(append([]string{}, common...), want.more...) {
				name, value, _ := strings.Cut(line, ": ")
				expected[name] = true
				if values := got.header[name]; len(values) != 1 || values[0] != value {
					t.Errorf("%s %s: %s is %v, want %q", want.method, want.target, name, values, value)
				}
			}
			for name := range got.header {
				if !expected[name] && name != "Date" && name != "Content-Length" {
					t.Errorf("%s %s: unexpected header %s: %v", want.method, want.target, name, got.header[name])
				}
			}
		}
	}
}

func TestLST15_PagesHoldNothingForeign(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		for name, body := range newPages(language).body {
			text := string(body)
			for _, forbidden := range []string{"<script", "http:", "https:", "src=", "url(", "@import", " on", "style=", "[[", "⟦", "<form", "<iframe", "<base", "refresh"} {
				hit := strings.ReplaceAll(strings.ToLower(text), `xmlns="http://www.w3.org/2000/svg"`, "")
				if forbidden == " on" {
					if strings.Contains(hit, ` onload`) || strings.Contains(hit, ` onclick`) || strings.Contains(hit, ` onerror`) {
						t.Errorf("%s %s has a handler", language, name)
					}
					continue
				}
				if (forbidden == "https:" || forbidden == "http:") && name == pagePlain {
					continue
				}
				if strings.Contains(hit, forbidden) {
					t.Errorf("%s %s contains %q", language, name, forbidden)
				}
			}
			if !strings.Contains(text, `lang="`+language+`"`) || !strings.Contains(text, "prefers-color-scheme:dark") || !strings.Contains(text, "<svg aria-hidden") {
				t.Errorf("%s %s lacks its language, its dark colours or its castle", language, name)
			}
			if len(body) > 8<<10 {
				t.Errorf("%s %s: %d bytes", language, name, len(body))
			}
		}
	}
}

func TestLST16_ThePageTellsTheTrueOutcome(t *testing.T) {
	en := newPages("en")
	for outcome, want := range map[Outcome][]string{
		Connected:  {"The account is connected", "You can close this page and go back to Tokenkeep."},
		Denied:     {"You chose not to allow it", "Nothing was changed. You can close this page."},
		Unfinished: {"Not finished", "Tokenkeep shows what to do next."},
		Pending:    {"Go back to Tokenkeep", ""},
	} {
		body := string(en.body[outcome.page()])
		if !strings.Contains(body, "<h1>"+want[0]+"</h1>") || !strings.Contains(body, want[1]) {
			t.Errorf("outcome %d: %s", outcome, body)
		}
		if outcome != Connected && strings.Contains(strings.ToLower(body), "connected") {
			t.Errorf("outcome %d claims to be connected", outcome)
		}
	}
	for name, body := range newPages("de_AT.UTF-8").body {
		if bytes.Equal(body, en.body[name]) || !bytes.Contains(body, []byte(`lang="de"`)) {
			t.Errorf("%s is not German", name)
		}
	}
	if !bytes.Equal(newPages("xx").body[pageConnected], en.body[pageConnected]) {
		t.Error("an unknown language is not English")
	}
}

func TestLST17_TheLogHoldsClassAndOutcomeOnly(t *testing.T) {
	l, a := listen(t, uriOn("https", "localhost", freePort(t), "/"))
	host := l.address.Authority()
	ask(t, l, "GET", "/canary-path?canary=1", host, "X-Canary: canary", "User-Agent: canary")
	ask(t, l, "POST", "/?canary", host)
	ask(t, l, "GET", "/", "canary.example")
	ask(t, l, "GET", "/?state=canary&code=canary", host)
	ask(t, l, "GET", "/?canary", host, "Origin: https://canary")
	ask(t, l, "GET", answerTarget(l), host)
	ask(t, l, "GET", answerTarget(l), host)
	l.Finish(Denied)
	ask(t, l, "GET", "/done", host)
	l.Close()
	log := a.logged()
	if strings.Contains(log, "canary") || strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log tells too much:\n%s", log)
	}
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(log), "\n") {
		_, rest, _ := strings.Cut(line, "msg=")
		lines = append(lines, rest)
	}
	want := []string{
		`redirect path=other outcome="no such path"`, `redirect path=answer outcome="wrong method"`, `redirect path=answer outcome="wrong host"`,
		`redirect path=answer outcome=foreign`, `redirect path=answer outcome="not a navigation"`, `redirect path=answer outcome=accepted`,
		`redirect path=answer outcome=used`, `redirect path=done outcome=denied`,
	}
	// A client may have its answer before the line of it is written.
	slices.Sort(lines)
	slices.Sort(want)
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// TLS-2: https has the listener's rules and TLS 1.2 or newer.
func TestTLS2_OldTLSIsRefusedAndPlainHTTPIsTold(t *testing.T) {
	l, a := listen(t, uriOn("https", "localhost", freePort(t), "/"))
	config := trusting(t)
	config.MaxVersion = 0x0302
	config.MinVersion = 0x0301
	if c, err := (&tlsDialer{config}).dial(l.address.endpoints()[0]); err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 was accepted")
	}
	c, err := net.Dial("tcp", l.address.endpoints()[1])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nX-Pad: %s\r\n\r\n", answerTarget(l), l.address.Authority(), strings.Repeat("x", 4000))
	all, err := io.ReadAll(c)
	if err != nil || !bytes.HasPrefix(all, []byte("HTTP/1.1 400 Bad Request\r\n")) || !bytes.HasSuffix(all, l.pages.body[pagePlain]) || !bytes.Contains(all, []byte("Referrer-Policy: no-referrer\r\n")) {
		t.Errorf("plain http: %v %.200s", err, all)
	}
	if taken, judged, _ := a.counts(); taken+judged != 0 {
		t.Error("a plain request reached the attempt")
	}
	if got := ask(t, l, "GET", answerTarget(l), l.address.Authority()); got.status != http.StatusSeeOther {
		t.Errorf("https: %d", got.status)
	}
}

func TestOfferIsAskedForOneRequestAtATime(t *testing.T) {
	var inside, most atomic.Int32
	port := freePort(t)
	l, err := Listen(context.Background(), Options{URI: uriOn("http", "127.0.0.1", port, "/"), Offer: func(secret.Text) Verdict {
		if n := inside.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(5 * time.Millisecond)
		inside.Add(-1)
		return Foreign
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { ask(t, l, "GET", "/?a=b", l.address.Authority()) })
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d at once", most.Load())
	}
}

// Each limit by itself, where no crowd pushes anybody out.
func TestLST11_ASlowClientIsShownOut(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		l, _ := listen(t, uriOn(scheme, "127.0.0.1", freePort(t), "/"))
		host := l.address.Authority()
		for name, client := range map[string]struct {
			first string
			drip  bool
			limit time.Duration
		}{
			"nothing said":         {"", false, headerTimeout},
			"half a header":        {"GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: ", true, headerTimeout},
			"a body without end":   {"POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 60000\r\n\r\n", true, readTimeout},
			"a body for an answer": {"GET /?state=wrong HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 60000\r\n\r\n", true, readTimeout},
		} {
			t.Run(scheme+", "+name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				c, err := net.Dial("tcp", l.address.endpoints()[0])
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := io.WriteString(c, client.first); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 16<<10)
				for time.Since(began) < client.limit+10*time.Second {
					_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
					if _, err := c.Read(b); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						break
					}
					if client.drip {
						if _, err := io.WriteString(c, "x"); err != nil {
							break
						}
					}
				}
				if took := time.Since(began); took > client.limit+2*time.Second {
					t.Errorf("it was let stay for %v", took)
				}
			})
		}
	}
}
