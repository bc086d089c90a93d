package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ErrNotLoopback is what an address outside this computer gives: the sandbox
// listens on 127.0.0.1, [::1] or localhost and nowhere else (SEC-13).
var ErrNotLoopback = errors.New("sandbox: the address is not 127.0.0.1, [::1] or localhost")

// Running is a sandbox that listens.
type Running struct {
	// URL is its base: scheme, host and port, without a slash at the end.
	URL string
	// Server is what answers, for whoever runs in the same process.
	Server *Server

	stop, unhook func()
}

// Start listens on addr (host:port, port 0 takes a free one) until ctx ends or
// Stop is called. It is bound when Start returns. "localhost" is served as
// 127.0.0.1, so that the address means one socket and not two. Errors:
// ErrNotLoopback, ErrScenario, ErrPerson, and what net.Listen says.
func Start(ctx context.Context, addr string, o Options) (*Running, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !loopbackName(host) {
		return nil, ErrNotLoopback
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	s := New(o)
	if s.wrong != nil {
		return nil, s.wrong
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	bound, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !bound.IP.IsLoopback() {
		_ = listener.Close()
		return nil, ErrNotLoopback
	}
	serving, cancel := context.WithCancel(ctx)
	server := &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return serving },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    32 << 10,
		// Its lines would name peers and nothing else; there is nobody to read them.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			grace, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer done()
			if server.Shutdown(grace) != nil {
				_ = server.Close()
			}
		})
		<-ended
	}
	unhook := context.AfterFunc(ctx, stop)
	return &Running{URL: "http://" + listener.Addr().String(), Server: s, stop: stop, unhook: func() { unhook() }}, nil
}

// Stop ends the sandbox: delays end at once, answers under way have a second,
// then connections are closed. It may be called more than once and waits for
// the end.
func (r *Running) Stop() {
	r.unhook()
	r.stop()
}

func portOf(a *net.TCPAddr) string { return strconv.Itoa(a.Port) }
