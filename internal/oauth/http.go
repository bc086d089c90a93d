package oauth

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// Limits of a request (security.md TOK-6).
const (
	dialLimit   = 10 * time.Second
	tlsLimit    = 10 * time.Second
	headerLimit = 30 * time.Second
	wholeLimit  = 60 * time.Second
	maxHeaders  = 64 << 10
)

// errForbidden is a request to a host outside the definition, or over plain
// http to one that is not loopback.
var errForbidden = errors.New("oauth: this host is not the provider's")

// NewHTTP makes the client for a definition's Hosts. It does not follow
// redirects (TOK-1), keeps no cookies and sends no Referer (TOK-15), verifies
// TLS 1.2 or newer with the system's roots (TOK-7), goes through the proxy of
// the environment but never for loopback (TOK-8), and contacts no other host.
// Call CloseIdleConnections when done with it.
func NewHTTP(hosts []string) *http.Client {
	return newHTTP(hosts, headerLimit, wholeLimit, nil)
}

func newHTTP(hosts []string, header, whole time.Duration, trust *tls.Config) *http.Client {
	if trust == nil {
		trust = &tls.Config{}
	}
	trust.MinVersion = tls.VersionTLS12
	transport := &http.Transport{
		Proxy:                  proxyFor,
		DialContext:            (&net.Dialer{Timeout: dialLimit}).DialContext,
		TLSClientConfig:        trust,
		TLSHandshakeTimeout:    tlsLimit,
		ResponseHeaderTimeout:  header,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxHeaders,
		ForceAttemptHTTP2:      true,
	}
	return &http.Client{
		Transport:     &guard{next: transport, hosts: slices.Clone(hosts)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       whole,
	}
}

// guard lets requests to the listed hosts through and no others.
type guard struct {
	next  *http.Transport
	hosts []string
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	secure := r.URL.Scheme == "https" || r.URL.Scheme == "http" && isLoopback(r.URL.Hostname())
	if !secure || !slices.Contains(g.hosts, provider.HostPort(r.URL)) {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, errForbidden
	}
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	// net/http fails on a Location that it cannot read before it asks whether
	// to follow it; without one the 3xx comes back as what it is.
	if _, err := resp.Location(); err != nil {
		resp.Header.Del("Location")
	}
	return resp, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

func proxyFor(r *http.Request) (*url.URL, error) {
	if isLoopback(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func parseDate(value string) (time.Time, error) { return http.ParseTime(value) }
