package oauth

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// step is one of the three requests, asked of d.
type step struct {
	name string
	ask  func(ctx context.Context, c *Client, d provider.Definition) error
}

func steps(t *testing.T) []step {
	return []step{
		{"exchange", func(ctx context.Context, c *Client, d provider.Definition) error {
			_, err := c.Exchange(ctx, attempt(t, d), secret.New(canaryCode))
			return err
		}},
		{"extend", func(ctx context.Context, c *Client, d provider.Definition) error {
			_, err := c.Extend(ctx, attempt(t, d), short())
			return err
		}},
		{"identity", func(ctx context.Context, c *Client, d provider.Definition) error {
			_, err := c.Identify(ctx, d, short())
			return err
		}},
	}
}

func header(status int, text string, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// cut answers with part of a response and then resets the connection.
func cut(t *testing.T, part string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = out.WriteString(part)
		_ = out.Flush()
		if tcp, ok := conn.(*net.TCPConn); ok && part == "" {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

func TestTOK1_RedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, `{"access_token":"`+canaryShort+`"}`)
	}))
	defer thief.Close()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, step := range steps(t) {
			s := serve(t, header(status, `{"access_token":"x","user_id":"1"}`, "Location", thief.URL+"/x?canary="+canaryCode))
			d := s.practice(t)
			err := step.ask(t.Context(), client(t, d), d)
			if p := problem.Of(err); p.Key != problem.NetworkRedirected || p.Args["to"] != "127.0.0.1" {
				t.Errorf("%d %s: %v", status, step.name, err)
			}
			tells(t, err)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d requests followed", reached.Load())
	}
	_, err, _ := exchange(t, header(302, "", "Location", "http://login.cafe.example/portal?x="+canaryCode))
	if p := problem.Of(err); p.Args["to"] != "login.cafe.example" {
		t.Errorf("%v", err)
	}
	if _, err, _ := exchange(t, header(302, "", "Location", "://\u202e")); !problem.Has(err, problem.NetworkRedirected) {
		t.Errorf("%v", err)
	}
}

func TestTOK4_StrangeAnswersAreRefused(t *testing.T) {
	token := func(member string) string { return `{"access_token":"` + canaryShort + `",` + member + `}` }
	deep := strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth)
	for name, answer := range map[string]string{
		"nothing": "", "null": "null", "list": "[]", "number": "1", "text": `"x"`, "empty object": "{}", "no token": `{"user_id":1}`,
		"byte order mark": "\ufeff" + token(`"user_id":1`), "two values": token(`"user_id":1`) + "{}", "tail": token(`"user_id":1`) + "x",
		"truncated": token(`"user_id":1`)[:30], "broken UTF-8": token("\"x\":\"\xff\""), "key twice": token(`"access_token":"other"`),
		"key twice, escaped": token(`"\u0061ccess_token":"other"`), "key twice inside": token(`"x":[{"a":1,"a":2}]`), "deep": token(`"x":` + deep),
		"deep list": token(`"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "comma": token(`"x":1,`), "comment": token(`"x":1/**/`),
		"token empty": `{"access_token":""}`, "token number": `{"access_token":12345678}`, "token null": `{"access_token":null}`, "token list": `{"access_token":["x"]}`,
		"token with NUL": `{"access_token":"a\u0000b"}`, "token with blank": `{"access_token":"a b"}`, "token with a line": `{"access_token":"a\nb"}`,
		"token beyond ASCII": `{"access_token":"ä"}`, "token half a surrogate": `{"access_token":"a\ud800"}`, "token too long": `{"access_token":"` + strings.Repeat("x", maxToken+1) + `"}`,
		"type": token(`"token_type":"mac"`), "type number": token(`"token_type":1`), "refresh": token(`"refresh_token":"a b"`),
		"expires float": token(`"expires_in":3600.5`), "expires exponent": token(`"expires_in":1e9`), "expires negative": token(`"expires_in":-1`),
		"expires text": token(`"expires_in":"soon"`), "expires overflow": token(`"expires_in":99999999999999999999999`), "expires too far": token(`"expires_in":315360001`),
		"expires list": token(`"expires_in":[1]`), "expires true": token(`"expires_in":true`), "expires text float": token(`"expires_in":"1.0"`), "expires hex": token(`"expires_in":"0x10"`),
		"expires blank": token(`"expires_in":" 3600"`), "NaN": token(`"expires_in":NaN`), "user float": token(`"user_id":1.7841e16`), "user negative": token(`"user_id":-5`),
		"user list": token(`"user_id":[1]`), "user blank": token(`"user_id":"1 2"`), "user long": token(`"user_id":"` + strings.Repeat("1", maxUserID+1) + `"`),
		"permissions number": token(`"permissions":5`), "permissions of numbers": token(`"permissions":[5]`), "permission with a blank": token(`"permissions":["a b"]`),
		"permissions object": token(`"permissions":{}`), "too many permissions": token(`"permissions":"` + strings.Repeat("a,", maxScopes*2) + `"` + `,"permissions2":1`),
		"other capitals": `{"Access_Token":"` + canaryShort + `"}`, "nested list of two": `{"data":[{"access_token":"a"},{"access_token":"b"}]}`,
		"nested empty": `{"data":[]}`, "nested null": `{"data":[null]}`, "form": "access_token=" + canaryShort, "latin-1": "{\"access_token\":\"\xe4\"}",
		"too big": token(`"x":"` + strings.Repeat("x", maxBody) + `"`),
	} {
		if name == "too many permissions" {
			var list []string
			for i := range maxScopes + 1 {
				list = append(list, "p"+strconv.Itoa(i))
			}
			answer = token(`"permissions":"` + strings.Join(list, ",") + `"`)
		}
		got, err, s := exchange(t, body(200, answer))
		if p := problem.Of(err); err == nil || p.Key != problem.ProviderOddAnswer || p.Kind != problem.Network || !got.Access.Empty() {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.requests()) != 1 {
			t.Errorf("%s: %d requests", name, len(s.requests()))
		}
		tells(t, err)
	}
	// What is on the edge is fine.
	for name, answer := range map[string]string{
		"text number": token(`"expires_in":"3600"`), "zero": token(`"expires_in":0`), "ten years": token(`"expires_in":315360000`),
		"long": `{"access_token":"` + strings.Repeat("x", maxToken) + `"}`, "blanks": " \n" + token(`"x":1`) + "\r\n ", "BEARER": token(`"token_type":"BEARER"`),
		"escapes": `{"\u0061ccess_token":"\u0049GAA"}`, "depth": token(`"x":` + deep[5:len(deep)-1]), "unknown members": token(`"a":{"b":[1,{"a":1}]},"c":null`),
	} {
		if got, err, _ := exchange(t, body(200, answer)); err != nil || got.Access.Empty() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	html := "<!doctype html><title>canary-page</title>"
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		want   problem.Key
	}{
		{"html 200", header(200, html, "Content-Type", "text/html; charset=utf-8"), problem.NetworkLoginPage},
		{"html said to be json", header(200, "  "+html, "Content-Type", "application/json"), problem.NetworkLoginPage},
		{"network authentication", header(511, html, "Content-Type", "text/html"), problem.NetworkLoginPage},
		{"html 404", header(404, html, "Content-Type", "text/html"), problem.ProviderOddAnswer},
		{"html 500", header(500, html, "Content-Type", "text/html"), problem.ProviderDown},
		{"empty 500", header(500, ""), problem.ProviderDown}, {"empty 502", header(502, ""), problem.ProviderDown},
		{"504", header(504, "gateway canary-page"), problem.ProviderDown}, {"503", header(503, ""), problem.ProviderDown},
		{"503 with a wait", header(503, "", "Retry-After", "90"), problem.ProviderBusy},
		{"503 with a wait and words", header(503, `{"error":{"message":"x"}}`, "Retry-After", "90"), problem.ProviderBusy},
		{"429", header(429, ""), problem.ProviderBusy}, {"429 with words", header(429, `{"error":{"message":"x"}}`), problem.ProviderBusy},
		{"json 500 that is no refusal", body(500, `{"access_token":"x"}`), problem.ProviderDown},
		{"json 400 that is no refusal", body(400, `{"access_token":"x"}`), problem.ProviderOddAnswer},
		{"json 201", body(201, `{"user_id":"a b"}`), problem.ProviderOddAnswer},
	} {
		for _, step := range steps(t) {
			s := serve(t, row.answer)
			d := s.practice(t)
			err := step.ask(t.Context(), client(t, d), d)
			if !problem.Has(err, row.want) || strings.Contains(fmt.Sprintf("%+v", problem.Of(err)), "canary-page") {
				t.Errorf("%s, %s: %v", row.name, step.name, err)
			}
			tells(t, err)
		}
	}
}

func TestBusyTellsHowLong(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for wait, want := range map[string]string{"": "60", "1": "1", "61": "2", "3600": "60", "9999999999": "1440", "-1": "60", "soon": "60",
		now.Add(10 * time.Minute).Format(http.TimeFormat): "10"} {
		s := serve(t, header(429, "", "Retry-After", wait))
		d := s.practice(t)
		c := client(t, d)
		c.Now = func() time.Time { return now }
		if _, err := c.Identify(t.Context(), d, short()); problem.Of(err).Args["minutes"] != want {
			t.Errorf("%q: %v, want %s", wait, err, want)
		}
	}
}

func TestTOK9_ErrorsNeverHoldTheBody(t *testing.T) {
	const canary = "canary-in-the-body-0123456789"
	for _, answer := range []http.HandlerFunc{
		header(500, canary), header(200, canary), header(400, `{"x":"`+canary+`"}`), header(400, `{"error":{"code":1,"stack":"`+canary+`"}}`),
		header(200, "<p>"+canary), header(400, `{"error":{"message":"short words","error_user_title":"`+canary+`"}}`),
		header(400, `{"error":{"message":"echo `+canaryCode+" "+clientSecret+" "+canaryShort+`"}}`),
		header(400, `{"error_message":"Invalid authorization code `+canaryCode+" "+clientSecret+`"}`),
		header(400, `{"error":{"message":"Cannot parse access token `+canaryShort+" "+clientSecret+`"}}`),
		header(400, `{"error":{"message":"Session key invalid `+canaryShort+" "+clientSecret+`"}}`),
		header(400, `{"error":{"message":"another token `+strings.Repeat("Ab1-", 20)+canary+`"}}`),
		header(400, `{"error":{"message":"m","fbtrace_id":"`+clientSecret+`"}}`),
		header(302, canary, "Location", "https://x.example/"+canary), header(429, canary, "Retry-After", canary),
	} {
		for _, step := range steps(t) {
			s := serve(t, answer)
			d := s.practice(t)
			tells(t, step.ask(t.Context(), client(t, d), d), canary)
		}
	}
	_, err, _ := exchange(t, header(400, `{"error":{"message":"first `+strings.Repeat("many words ", 100)+`"}}`))
	if p := problem.Of(err); len([]rune(p.Provider)) > 301 || !strings.HasPrefix(p.Provider, "first many words") {
		t.Errorf("%q", p.Provider)
	}
}

func TestTOK2_FailuresBelowHTTPHideTheAddress(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	refused := serve(t, body(200, "{}"))
	base := refused.practice(t)
	for name, change := range map[string]func(*Client, *provider.Definition){
		"refused port": func(c *Client, d *provider.Definition) {
			d.Exchange.URL, d.Extend.URL, d.Identity.URL = "http://"+address+"/a", "http://"+address+"/b", "http://"+address+"/c?fields=x"
			c.HTTP = NewHTTP(d.Hosts())
		},
		"no such name": func(c *Client, d *provider.Definition) {
			c.HTTP = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "graph.instagram.com", IsNotFound: true}
			}}}
		},
		"a failure that quotes": func(c *Client, d *provider.Definition) {
			c.HTTP = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, errors.New("cannot reach /?client_secret=" + clientSecret + "&t=" + canaryShort + "&code=" + canaryCode)
			}}}
		},
	} {
		for _, step := range steps(t) {
			d := base.Clone()
			c := client(t, d)
			change(c, &d)
			err := step.ask(t.Context(), c, d)
			if !problem.Has(err, problem.NetworkUnreachable) {
				t.Errorf("%s, %s: %v", name, step.name, err)
			}
			if cause := fmt.Sprint(problem.Of(err).Cause); strings.Contains(cause, "grant_type") || strings.Contains(cause, d.Identity.URL) {
				t.Errorf("%s, %s: the address is in %q", name, step.name, cause)
			}
			tells(t, err)
		}
	}
	if len(refused.requests()) != 0 {
		t.Error("the server heard something")
	}
}

func TestATT12_TheCodeIsSentOnce(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"reset after the body":    cut(t, ""),
		"half a status line":      cut(t, "HTTP/1.1 2"),
		"half a body":             cut(t, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"access_token\":"),
		"half a chunk":            cut(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n{"),
		"half of what was zipped": cut(t, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00"),
		"nonsense":                cut(t, "SSH-2.0-canary\r\n\r\n"),
	} {
		s := serve(t, answer)
		d := s.practice(t)
		c := client(t, d)
		_, err := c.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode))
		if p := problem.Of(err); p.Key != problem.NetworkCut || p.Actions()[0] != problem.SignInAgain {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(s.requests()); n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
		tells(t, err)
	}
	// There is no second copy of the body, which HTTP/2 would send by itself.
	ask := request{step: instagram(t).Exchange}
	if req, err := ask.build(t.Context()); err != nil || req.GetBody != nil || req.ContentLength <= 0 {
		t.Errorf("%v", err)
	}
	// Also on a connection that was used before: net/http repeats requests
	// there when it can.
	var exchanges atomic.Int32
	reset := cut(t, "")
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			exchanges.Add(1)
			reset(w, r)
			return
		}
		body(200, `{"user_id":"1"}`)(w, r)
	})
	d := s.practice(t)
	c := client(t, d)
	if _, err := c.Identify(t.Context(), d, short()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode)); !problem.Has(err, problem.NetworkCut) {
		t.Errorf("%v", err)
	}
	if exchanges.Load() != 1 {
		t.Errorf("%d exchanges", exchanges.Load())
	}
	// A cut extension has cost nothing and may be asked again.
	s = serve(t, cut(t, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"))
	d = s.practice(t)
	if _, err := client(t, d).Extend(t.Context(), attempt(t, d), short()); !problem.Has(err, problem.NetworkUnreachable) {
		t.Errorf("%v", err)
	}
}

func TestTOK6_Limits(t *testing.T) {
	c := NewHTTP(nil)
	transport := c.Transport.(*guard).next
	if c.Timeout != time.Minute || transport.ResponseHeaderTimeout != 30*time.Second || transport.TLSHandshakeTimeout != 10*time.Second || dialLimit != 10*time.Second {
		t.Error("the limits are 60, 30, 10 and 10 s")
	}
	hang := make(chan struct{})
	silent := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(10 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}
	for name, row := range map[string]struct {
		answer        http.HandlerFunc
		header, whole time.Duration
	}{
		"no header":        {silent, 100 * time.Millisecond, time.Minute},
		"one byte a time":  {drip, time.Minute, 300 * time.Millisecond},
		"nothing, overall": {silent, time.Minute, 100 * time.Millisecond},
	} {
		for _, step := range steps(t) {
			s := serve(t, row.answer)
			d := s.practice(t)
			limited := client(t, d)
			limited.HTTP = newHTTP(d.Hosts(), row.header, row.whole, nil)
			start := time.Now()
			err := step.ask(t.Context(), limited, d)
			want := problem.NetworkSlow
			if step.name == "exchange" {
				want = problem.NetworkCut
			}
			if !problem.Has(err, want) || time.Since(start) > 5*time.Second {
				t.Errorf("%s, %s: %v after %v", name, step.name, err, time.Since(start))
			}
			tells(t, err)
			limited.HTTP.CloseIdleConnections()
		}
	}
	// Cancelling works at once, before and after bytes were written.
	for _, step := range steps(t) {
		s := serve(t, silent)
		d := s.practice(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		start := time.Now()
		if err := step.ask(ctx, client(t, d), d); !problem.Has(err, problem.SignInCancelled) || !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
			t.Errorf("%s: %v", step.name, err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := step.ask(ctx, client(t, d), d)
		if step.name != "exchange" && !problem.Has(err, problem.NetworkSlow) {
			t.Errorf("%s: %v", step.name, err)
		}
		cancel()
	}
	close(hang)
}

func TestTOK4_BombsStaySmall(t *testing.T) {
	var served atomic.Int64
	big := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		chunk := []byte(strings.Repeat(" ", 64<<10))
		for range 100 << 20 / len(chunk) {
			n, err := w.Write(chunk)
			if served.Add(int64(n)); err != nil {
				return
			}
		}
	}
	bomb := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 100 {
			if _, err := zip.Write(chunk); err != nil {
				return
			}
		}
		_ = zip.Close()
	}
	brokenZip := header(200, "this is not gzip at all, it only says so", "Content-Encoding", "gzip")
	for name, answer := range map[string]http.HandlerFunc{"100 MB": big, "gzip bomb": bomb, "broken gzip": brokenZip, "unknown encoding": header(200, "\x01\x02", "Content-Encoding", "br")} {
		s := serve(t, answer)
		d := s.practice(t)
		c := client(t, d)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := c.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode))
		runtime.ReadMemStats(&after)
		if !problem.Has(err, problem.ProviderOddAnswer) {
			t.Errorf("%s: %v", name, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
			t.Errorf("%s: %d bytes allocated", name, grown)
		}
		tells(t, err)
	}
	if served.Load() > 50<<20 {
		t.Errorf("%d bytes were taken", served.Load())
	}
	// Honest compression is read.
	got, err, _ := exchange(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, `{"access_token":"`+canaryShort+`"}`)
		_ = zip.Close()
	})
	if err != nil || got.Access.Reveal() != canaryShort {
		t.Errorf("%v", err)
	}
}

// certificate makes one that signs itself.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTOK7_UnprovenServersAreRefused(t *testing.T) {
	var heard atomic.Int32
	start := func(config *tls.Config) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			heard.Add(1)
			body(200, `{"access_token":"`+canaryShort+`","user_id":"1"}`)(w, r)
		}))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = config
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	good, trusted := certificate(t, "127.0.0.1", time.Now().Add(24*time.Hour))
	expired, expiredTrusted := certificate(t, "127.0.0.1", time.Now().Add(-time.Hour))
	elsewhere, elsewhereTrusted := certificate(t, "graph.instagram.example", time.Now().Add(24*time.Hour))
	plain := httptest.NewServer(body(200, "{}"))
	defer plain.Close()
	for _, row := range []struct {
		name, url string
		trust     *x509.CertPool
		reason    string
	}{
		{"self-signed", start(&tls.Config{Certificates: []tls.Certificate{good}}).URL, nil, "issuer"},
		{"expired", start(&tls.Config{Certificates: []tls.Certificate{expired}}).URL, expiredTrusted, "expired"},
		{"wrong name", start(&tls.Config{Certificates: []tls.Certificate{elsewhere}}).URL, elsewhereTrusted, "name"},
		{"TLS 1.1", start(&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).URL, trusted, "version"},
		{"plain http", strings.Replace(plain.URL, "http:", "https:", 1), trusted, "plain"},
		{"fine", start(&tls.Config{Certificates: []tls.Certificate{good}}).URL, trusted, ""},
		{"fine, TLS 1.2", start(&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}).URL, trusted, ""},
	} {
		for _, step := range steps(t) {
			before := heard.Load()
			d := instagram(t)
			d.Exchange.URL, d.Extend.URL, d.Identity.URL, d.Renew.URL, d.Media.URL = row.url+"/a", row.url+"/b", row.url+"/c?fields=x", row.url+"/d", row.url+"/e"
			c := &Client{HTTP: newHTTP(d.Hosts(), headerLimit, wholeLimit, &tls.Config{RootCAs: row.trust}), Known: &secret.Known{}}
			err := step.ask(t.Context(), c, d)
			c.HTTP.CloseIdleConnections()
			if row.reason == "" {
				if err != nil || heard.Load() != before+1 {
					t.Errorf("%s, %s: %v", row.name, step.name, err)
				}
				continue
			}
			if p := problem.Of(err); err == nil || p.Key != problem.NetworkTLS || p.Args["reason"] != row.reason || heard.Load() != before {
				t.Errorf("%s, %s: %v (%v)", row.name, step.name, err, problem.Of(err).Cause)
			}
			tells(t, err)
		}
	}
	if NewHTTP(nil).Transport.(*guard).next.TLSClientConfig.RootCAs != nil {
		t.Error("the system's roots decide")
	}
}

// A server that breaks the handshake off is a failure of TLS or of the line,
// never a token and never "cut": nothing had been sent.
func TestTOK7_BrokenHandshake(t *testing.T) {
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := line.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).Peek(1)
			_ = conn.Close()
		}
	}()
	d := instagram(t)
	d.Exchange.URL = "https://" + line.Addr().String() + "/a"
	c := &Client{HTTP: NewHTTP(d.Hosts())}
	_, err = c.Exchange(t.Context(), attempt(t, d), secret.New(canaryCode))
	if !problem.Has(err, problem.NetworkUnreachable) && !problem.Has(err, problem.NetworkTLS) {
		t.Errorf("%v", err)
	}
	_ = line.Close()
	<-done
}

func TestTOK15_NoOtherHostNoCookieNoReferer(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "me", Path: "/"})
		body(200, `{"access_token":"`+canaryShort+`","user_id":"1"}`)(w, r)
	})
	d := s.practice(t)
	c := client(t, d)
	for range 2 {
		for _, step := range steps(t) {
			if err := step.ask(t.Context(), c, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range s.requests() {
		if r.header.Get("Cookie") != "" || r.header.Get("Referer") != "" {
			t.Errorf("%v", r.header)
		}
	}
	n := len(s.requests())
	for _, hosts := range [][]string{nil, {"graph.instagram.com"}, {"127.0.0.1"}, {strings.TrimPrefix(s.URL, "http://") + "0"}} {
		other := &Client{HTTP: NewHTTP(hosts)}
		for _, step := range steps(t) {
			err := step.ask(t.Context(), other, d)
			if !problem.Has(err, problem.Unexpected) || !errors.Is(err, errForbidden) {
				t.Errorf("%v %s: %v", hosts, step.name, err)
			}
			tells(t, err)
		}
	}
	if len(s.requests()) != n {
		t.Error("a host outside the list was contacted")
	}
	// Plain http leaves this computer for nobody, listed or not.
	plain := &Client{HTTP: NewHTTP([]string{"graph.instagram.com"})}
	d = instagram(t)
	d.Identity.URL = "http://graph.instagram.com/me"
	if _, err := plain.Identify(t.Context(), d, short()); !errors.Is(err, errForbidden) {
		t.Errorf("%v", err)
	}
}

// The environment's proxy is read once a process, hence a child.
func TestTOK8_ProxyOfTheEnvironmentButNotForLoopback(t *testing.T) {
	var asked atomic.Pointer[string]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.Host
		asked.Store(&line)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	direct := serve(t, body(200, `{"user_id":"1"}`))
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "TOKENKEEP_TEST_PROXY_CHILD="+direct.URL, "HTTPS_PROXY="+proxy.URL, "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "network.unreachable") || !strings.Contains(string(out), "direct: fine") {
		t.Errorf("%v: %s", err, out)
	}
	if line := asked.Load(); line == nil || *line != "CONNECT graph.instagram.com:443" {
		t.Errorf("the proxy heard %v", line)
	}
	if len(direct.requests()) != 1 {
		t.Errorf("%d requests at the loopback server", len(direct.requests()))
	}
}

func proxyChild() {
	r, _ := provider.Load("")
	d, err := r.Get("instagram")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := &Client{HTTP: NewHTTP(d.Hosts())}
	_, err = c.Identify(context.Background(), d, short())
	fmt.Println("proxied:", err)
	// In capitals, because the standard library knows loopback in small letters.
	d.Identity.URL = strings.Replace(os.Getenv("TOKENKEEP_TEST_PROXY_CHILD"), "127.0.0.1", "LOCALHOST", 1) + "/me"
	c.HTTP = NewHTTP(d.Hosts())
	if _, err = c.Identify(context.Background(), d, short()); err == nil {
		fmt.Println("direct: fine")
	} else {
		fmt.Println("direct:", err)
	}
}
