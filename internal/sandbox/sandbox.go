// Package sandbox is the pretend Instagram of the practice ground.
package sandbox

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// ClientID and ClientSecret belong to the one app that the sandbox knows.
const (
	ClientID     = "990602627938098"
	ClientSecret = "0ddba11c0ffee0ddba11c0ffee0ddba1"
)

// Options says how the sandbox behaves; the zero value is a faithful one.
type Options struct {
	Scenario string
	Now      func() time.Time
	Delay    time.Duration
	Auto     bool
	Person   string
}

// Server is the pretend provider, an http.Handler.
type Server struct{}

// New makes a Server.
func New(o Options) *Server { return &Server{} }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// Running is a sandbox that listens.
type Running struct {
	URL    string
	Server *Server
}

// Start listens on addr.
func Start(ctx context.Context, addr string, o Options) (*Running, error) {
	return nil, errors.New("sandbox: being built")
}

// Stop ends it.
func (r *Running) Stop() {}

// IsPractice reports whether token was made by a sandbox.
func IsPractice(token string) bool { return false }
