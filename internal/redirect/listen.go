package redirect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Limits of the listener (LST-11, ruling 5).
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 15 * time.Second
	idleTimeout   = 5 * time.Second
	maxHeader     = 32 << 10
	maxBody       = 64 << 10
	maxGuests     = 32

	// donePath is where the browser goes after the answer.
	donePath = "/done"
	// doneWait is how long that page waits for the outcome.
	doneWait = 10 * time.Second
	// afterAnswer is the longest that the socket stays after the accepted answer.
	afterAnswer = 12 * time.Second
	// fetchGrace is how long a known outcome waits for a browser to ask for it.
	fetchGrace = 2 * time.Second
	// goodbye is how long open responses may take at the end (LST-12).
	goodbye = 500 * time.Millisecond
)

// Listener waits for one answer on this computer's loopback addresses.
type Listener struct {
	address  Address
	options  Options
	pages    *pages
	log      *slog.Logger
	server   *http.Server
	serving  sync.WaitGroup
	visitors *visitors
	unlock   func()

	offering  sync.Mutex // one Offer at a time
	strangers int        // under offering

	mu       sync.Mutex
	outcome  Outcome
	answered bool
	begun    bool // somebody asked for /done after the answer

	accepted chan struct{} // closed with the accepted answer
	finished chan struct{} // closed by Finish
	served   chan struct{} // closed once an outcome page is on its way
	closing  chan struct{} // closed when the end begins
	done     chan struct{} // closed when everything is released
	once     struct{ accepted, finished, served, closing sync.Once }
}

// Listen binds the redirect's address and serves until the sign-in is over or
// ctx ends. The socket is bound when it returns. Errors: those of Check;
// redirect.not_here (the host is not this computer), port.ours (another
// Tokenkeep is signing in on this port), port.taken and port.taken_v6 (another
// program has it, on the IPv6 side only), port.privileged.
//
// The caller waits for Done before it ends ctx or its process, or the browser
// never gets its page.
func Listen(ctx context.Context, o Options) (*Listener, error) {
	address, err := Check(o.URI)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !address.CanListen {
		return nil, problem.New(problem.RedirectNotHere, "host", address.Host)
	}
	var config *tls.Config
	if address.Scheme == "https" {
		if config, err = serverTLS(o.Certificate); err != nil {
			return nil, err
		}
	}
	port := strconv.Itoa(address.Port)
	unlock, err := lockPort(o.LocksDir, port)
	if err != nil {
		return nil, err
	}
	sockets, err := bind(ctx, address)
	if err != nil {
		unlock()
		return nil, err
	}

	closing := make(chan struct{})
	visitors := &visitors{guests: map[*guest]bool{}, closing: closing}

	l := &Listener{
		address: address, options: o, pages: newPages(o.Language), log: o.Log, unlock: unlock, visitors: visitors,
		accepted: make(chan struct{}), finished: make(chan struct{}), served: make(chan struct{}),
		closing: closing, done: make(chan struct{}),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.server = &http.Server{
		Handler:           http.HandlerFunc(l.handle),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader - 4<<10, // net/http allows itself 4 KiB more
		ConnState:         visitors.state,
		ConnContext:       remember,
		// net/http would write addresses and TLS alerts to stderr.
		ErrorLog:     log.New(io.Discard, "", 0),
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		// OPTIONS * is answered by us, not by net/http.
		DisableGeneralOptionsHandler: true,
	}
	l.server.SetKeepAlivesEnabled(false)
	for _, socket := range sockets {
		var door net.Listener = &door{Listener: socket, visitors: visitors}
		if config != nil {
			door = tls.NewListener(&plainDoor{Listener: door, pages: l.pages}, config)
		}
		l.serving.Add(1)
		go func() {
			defer l.serving.Done()
			_ = l.server.Serve(door)
		}()
	}
	go l.keep(ctx)
	return l, nil
}

// Finish tells the browser's page the outcome and lets the listener end: 1 s
// after the page was served, 2 s later if no browser asks for it, at once if
// the answer came another way. Only the first call counts. Pending is for a
// sign-in that goes on in the program: the page says to go back there, at once.
func (l *Listener) Finish(o Outcome) {
	l.once.finished.Do(func() {
		l.mu.Lock()
		l.outcome = o
		l.mu.Unlock()
		close(l.finished)
	})
}

// Close ends the listener and returns when the port is free, within 1 s.
func (l *Listener) Close() {
	l.once.closing.Do(func() { close(l.closing) })
	<-l.done
}

// Done is closed when the port is free again.
func (l *Listener) Done() <-chan struct{} { return l.done }

// keep holds the closing times of ruling 5.
func (l *Listener) keep(ctx context.Context) {
	defer close(l.done)
	var latest, grace <-chan time.Time
	accepted, finished := l.accepted, l.finished
wait:
	for {
		select {
		case <-ctx.Done():
			break wait
		case <-l.closing:
			break wait
		case <-l.served:
			break wait
		case <-latest:
			break wait
		case <-grace:
			break wait
		case <-accepted:
			accepted = nil
			latest = time.After(afterAnswer)
		case <-finished:
			finished = nil
			l.mu.Lock()
			answered, begun := l.answered, l.begun
			l.mu.Unlock()
			if !answered {
				break wait
			}
			if !begun {
				grace = time.After(fetchGrace)
			}
		}
	}
	l.once.closing.Do(func() { close(l.closing) })
	ending, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	l.visitors.dismiss(hearing)
	rest := time.AfterFunc(hearing, func() {
		if l.visitors.dismiss(0) == 0 {
			cancel() // net/http would look again only later
		}
	})
	defer rest.Stop()
	_ = l.server.Shutdown(ending)
	_ = l.server.Close()
	l.serving.Wait()
	l.unlock()
}

func serverTLS(certificate func() (*tls.Certificate, error)) (*tls.Config, error) {
	if certificate == nil {
		return nil, problem.New(problem.Unexpected, "where", "redirect.certificate")
	}
	pair, err := certificate()
	if err != nil {
		return nil, problem.Of(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{*pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// lockPort takes the port's lock, which the kernel frees when a process dies.
// Where the file system cannot lock, binding alone decides.
func lockPort(dir, port string) (unlock func(), err error) {
	if dir == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.New(problem.LockUnavailable).Because(err)
	}
	release, err := lockFile(filepath.Join(dir, "port-"+port))
	switch {
	case errors.Is(err, errHeld):
		return nil, problem.New(problem.PortOurs, "port", port)
	case errors.Is(err, errNoLocks):
		return func() {}, nil
	case err != nil:
		return nil, problem.New(problem.LockUnavailable).Because(err)
	}
	return release, nil
}

var (
	errHeld    = errors.New("redirect: the lock is held")
	errNoLocks = errors.New("redirect: this file system cannot lock")
)

// bind binds every address of the redirect's host, or none. A family that this
// computer does not have is left out, as long as one is there.
func bind(ctx context.Context, a Address) (sockets []net.Listener, err error) {
	port := strconv.Itoa(a.Port)
	config := net.ListenConfig{Control: exclusive}
	config.SetMultipathTCP(false)
	var absent error
	for i, endpoint := range a.endpoints() {
		socket, err := config.Listen(ctx, "tcp", endpoint)
		if err == nil {
			sockets = append(sockets, socket)
			continue
		}
		if isAbsent(err) {
			absent = err
			continue
		}
		for _, s := range sockets {
			_ = s.Close()
		}
		switch {
		case isTaken(err) && i > 0:
			return nil, problem.New(problem.PortTakenV6, "port", port).Because(err)
		case isTaken(err):
			return nil, problem.New(problem.PortTaken, "port", port).Because(err)
		case errors.Is(err, os.ErrPermission):
			return nil, problem.New(problem.PortPrivileged, "port", port).Because(err)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		return nil, problem.New(problem.Unexpected, "where", "redirect.bind").Because(err)
	}
	if len(sockets) == 0 {
		return nil, problem.New(problem.RedirectNotHere, "host", a.Host).Because(absent)
	}
	return sockets, nil
}

// classes of paths in the log (LST-17).
const (
	classAnswer = "answer"
	classDone   = "done"
	classOther  = "other"
)

func (l *Listener) handle(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	l.pages.headers(w.Header())
	class := l.class(r)
	if l.visitors.gone(r.Context()) {
		l.log.Info("redirect", "path", class, "outcome", "crowded out")
		return
	}
	outcome := l.answer(w, r, class)
	l.log.Info("redirect", "path", class, "outcome", outcome)
	_ = http.NewResponseController(w).Flush()
	l.visitors.done(r.Context())
}

// class sorts a request by its path. Where the redirect's own path is /done
// too, the query tells the answer from the page after it.
func (l *Listener) class(r *http.Request) string {
	if r.URL.Scheme != "" || r.URL.Opaque != "" {
		return classOther
	}
	path := r.URL.EscapedPath()
	switch {
	case path == donePath && r.URL.RawQuery == "" && !r.URL.ForceQuery:
		return classDone
	case path == l.address.Path:
		return classAnswer
	}
	return classOther
}

// answer serves one request and returns its outcome for the log.
func (l *Listener) answer(w http.ResponseWriter, r *http.Request, class string) string {
	switch {
	case r.Host != l.address.Authority():
		return l.send(w, http.StatusMisdirectedRequest, pageNothing, "wrong host")
	case class == classOther:
		return l.send(w, http.StatusNotFound, pageNothing, "no such path")
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		return l.send(w, http.StatusMethodNotAllowed, pageNothing, "wrong method")
	case !navigation(r.Header):
		return l.send(w, http.StatusForbidden, pageNothing, "not a navigation")
	case class == classDone:
		return l.serveDone(w, r)
	case r.URL.RawQuery == "":
		return l.send(w, http.StatusBadRequest, pageNothing, "not an answer")
	}
	switch verdict, n := l.offer(secret.New(r.URL.RawQuery)); verdict {
	case Accepted:
		w.Header().Set("Location", donePath)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusSeeOther)
		return "accepted"
	case Used:
		return l.send(w, http.StatusBadRequest, pageUsed, "used")
	case Foreign:
		if l.options.Strangers != nil {
			l.options.Strangers(n)
		}
		return l.send(w, http.StatusBadRequest, pageForeign, "foreign")
	case Doubled:
		return l.send(w, http.StatusBadRequest, pageForeign, "doubled")
	default:
		return l.send(w, http.StatusBadRequest, pageNothing, "not an answer")
	}
}

// offer asks the caller, one request at a time. n counts wrong states.
func (l *Listener) offer(rawQuery secret.Text) (verdict Verdict, n int) {
	l.offering.Lock()
	defer l.offering.Unlock()
	verdict = l.options.Offer(rawQuery)
	switch verdict {
	case Accepted:
		l.mu.Lock()
		l.answered = true
		l.mu.Unlock()
		l.once.accepted.Do(func() { close(l.accepted) })
	case Foreign:
		l.strangers++
	}
	return verdict, l.strangers
}

// navigation reports whether a request can be a browser's own top-level
// opening of the address (LST-9). Programs without these headers pass: the
// state decides about them. A preloaded page must not spend the answer.
func navigation(h http.Header) bool {
	for name, want := range map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"} {
		got, present := h[name]
		if present && (len(got) != 1 || got[0] != want) {
			return false
		}
	}
	_, mode := h["Sec-Fetch-Mode"]
	_, dest := h["Sec-Fetch-Dest"]
	if mode != dest {
		return false
	}
	for _, name := range []string{"Origin", "Sec-Purpose", "Purpose"} {
		if _, present := h[name]; present {
			return false
		}
	}
	return true
}

func (l *Listener) serveDone(w http.ResponseWriter, r *http.Request) string {
	l.mu.Lock()
	answered := l.answered
	l.begun = l.begun || answered
	l.mu.Unlock()
	if !answered {
		return l.send(w, http.StatusNotFound, pageNothing, "too early")
	}
	wait := time.NewTimer(doneWait)
	defer wait.Stop()
	select {
	case <-l.finished:
	case <-wait.C:
	case <-l.closing:
	case <-r.Context().Done():
		l.mu.Lock()
		l.begun = false
		l.mu.Unlock()
		return "gone"
	}
	l.mu.Lock()
	page := l.outcome.page()
	l.mu.Unlock()
	outcome := l.send(w, http.StatusOK, page, string(page))
	_ = http.NewResponseController(w).Flush() // before the end may begin
	l.once.served.Do(func() { close(l.served) })
	return outcome
}

func (l *Listener) send(w http.ResponseWriter, status int, p page, outcome string) string {
	body := l.pages.body[p]
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return outcome
}
