package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	// windowStart is how long the browser may take until its window is there.
	windowStart = 20 * time.Second
	// windowEnd is how long it may take to close when asked.
	windowEnd = 2 * time.Second
	// messageLimit bounds one message of the browser, in bytes; requests that
	// we look at have addresses of a few kilobytes.
	messageLimit = 8 << 20
)

// Tests as an administrator and without a screen add flags here, and rules to
// keep the browser's own traffic inside; the program never does.
var (
	testFlags []string
	testRules string
	testWatch func(method string)
)

// Window is a separate browser window that watches for the redirect.
type Window struct {
	command *exec.Cmd
	to      *os.File
	from    *os.File
	profile *profile
	offer   func(rawQuery secret.Text) bool
	target  redirect

	mu      sync.Mutex
	nextID  int
	waiting map[int]chan reply
	err     error

	closing chan struct{}
	done    chan struct{}
	once    sync.Once
}

// redirect is the one address that a window watches, as browsers write it.
type redirect struct{ origin, hostPort, path, query string }

type reply struct {
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// FindSeparate finds a browser that can give a separate window: Chromium,
// Chrome or Edge.
func FindSeparate() (program string, ok bool) {
	for _, name := range separatePrograms() {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// OpenWindow opens address in a fresh, signed-out window of program and offers
// every answer that the provider sends to redirectURI, before it leaves the
// browser. offer returns whether the answer belongs to the attempt; then the
// window closes by itself, and Err is nil. Otherwise the request is stopped
// and the window stays.
//
// Errors: browser.address (address or redirectURI is not http or https),
// browser.absent (no such program), browser.failed (it did not start). The
// window ends with ctx.
func OpenWindow(ctx context.Context, program, address, redirectURI string, offer func(rawQuery secret.Text) bool) (*Window, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	target, err := readRedirect(redirectURI)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, problem.New(problem.BrowserAbsent).Because(err)
	}
	w, err := launch(path, address, target, offer)
	if err != nil {
		return nil, problem.New(problem.BrowserFailed, "program", "chromium").Because(err)
	}
	opened := make(chan error, 1)
	go w.run(ctx, address, opened)
	if err := <-opened; err != nil {
		<-w.done
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, problem.New(problem.BrowserFailed, "program", "chromium").Because(err)
	}
	return w, nil
}

// Done is closed when the browser has ended and its profile is gone.
func (w *Window) Done() <-chan struct{} { return w.done }

// Err tells, after Done, why the window ended: nil after an accepted answer or
// Close, browser.closed when the person closed it or it crashed, else the
// context's error.
func (w *Window) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close ends the browser, at the latest after 2 s by force, and removes its
// profile; the error says that something of the profile stayed.
func (w *Window) Close() error {
	w.end(nil)
	<-w.done
	if _, err := os.Lstat(w.profile.dir); !errors.Is(err, os.ErrNotExist) {
		return problem.New(problem.Unexpected, "where", "browser.profile").Because(err)
	}
	return nil
}

// end begins the end once; the first reason counts.
func (w *Window) end(reason error) {
	w.once.Do(func() {
		w.mu.Lock()
		w.err = reason
		w.mu.Unlock()
		close(w.closing)
	})
}

func readRedirect(uri string) (redirect, error) {
	if err := checkAddress(uri); err != nil {
		return redirect{}, err
	}
	u, err := url.Parse(uri)
	if err != nil || u.Fragment != "" {
		return redirect{}, problem.New(problem.BrowserAddress)
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	origin := u.Scheme + "://" + host
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		port = standard
	}
	if port != standard {
		origin += ":" + port
	}
	r := redirect{origin: origin, hostPort: host + ":" + port, path: u.EscapedPath(), query: u.RawQuery}
	if r.path == "" {
		r.path = "/"
	}
	return r, nil
}

// patterns are the addresses that the browser stops for us: the redirect
// itself, with and without a query.
func (r redirect) patterns() []string {
	plain := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(r.origin + r.path)
	return []string{plain, plain + `\?*`}
}

// matches takes a stopped request apart; fragment is Chromium's urlFragment,
// which also holds what a provider appends there.
func (r redirect) matches(address, fragment string) (rawQuery secret.Text, ok bool) {
	whole, _, _ := strings.Cut(address, "#")
	base, query, _ := strings.Cut(whole, "?")
	if base != r.origin+r.path {
		return secret.Text{}, false
	}
	if query == "" {
		// An answer of the implicit kind: the caller refuses it in words.
		query = strings.TrimPrefix(fragment, "#")
	}
	return secret.New(query), true
}

// hostRule keeps the browser from contacting the redirect's host at all, which
// it would do ahead of some navigations (CDP-4). Where that host takes part in
// the sign-in itself, there is no rule (ruling 15): the same host, or another
// of the same site.
func hostRule(address string, r redirect) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	authorize, err := readRedirect(u.Scheme + "://" + u.Host)
	if err != nil || authorize.hostPort == r.hostPort {
		return ""
	}
	a, b := strings.Split(hostOf(authorize.hostPort), "."), strings.Split(hostOf(r.hostPort), ".")
	numeric := func(parts []string) bool { return strings.Trim(parts[len(parts)-1], "0123456789") == "" }
	if len(a) >= 2 && len(b) >= 2 && !numeric(a) && !numeric(b) &&
		a[len(a)-1] == b[len(b)-1] && a[len(a)-2] == b[len(b)-2] {
		return ""
	}
	return "MAP " + r.hostPort + " ~NOTFOUND"
}

func hostOf(hostPort string) string { return hostPort[:strings.LastIndexByte(hostPort, ':')] }

func arguments(profileDir, rule string) []string {
	args := []string{
		"--remote-debugging-pipe", "--user-data-dir=" + profileDir, "--no-first-run", "--no-default-browser-check", "--no-startup-window",
	}
	args = append(args, profileFlags()...)
	if testRules != "" {
		rule = strings.TrimPrefix(rule+","+testRules, ",")
	}
	if rule != "" {
		args = append(args, "--host-resolver-rules="+rule)
	}
	return append(args, testFlags...)
}

func launch(program, address string, target redirect, offer func(secret.Text) bool) (*Window, error) {
	p, err := newProfile()
	if err != nil {
		return nil, err
	}
	fail := func(err error, files ...*os.File) (*Window, error) {
		for _, f := range files {
			_ = f.Close()
		}
		_ = p.remove()
		return nil, err
	}
	commandsRead, commandsWrite, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	eventsRead, eventsWrite, err := os.Pipe()
	if err != nil {
		return fail(err, commandsRead, commandsWrite)
	}
	command := exec.Command(program, arguments(p.dir, hostRule(address, target))...)
	command.Env = environment(os.Environ())
	command.Dir = p.dir
	detach(command)
	if err := givePipes(command, commandsRead, eventsWrite); err != nil {
		return fail(err, commandsRead, commandsWrite, eventsRead, eventsWrite)
	}
	if err := command.Start(); err != nil {
		return fail(err, commandsRead, commandsWrite, eventsRead, eventsWrite)
	}
	_, _ = commandsRead.Close(), eventsWrite.Close()
	return &Window{
		command: command, to: commandsWrite, from: eventsRead, profile: p, offer: offer, target: target,
		waiting: map[int]chan reply{}, closing: make(chan struct{}), done: make(chan struct{}),
	}, nil
}

// run holds the window's life: start, wait, end.
func (w *Window) run(ctx context.Context, address string, opened chan<- error) {
	defer close(w.done)
	read := make(chan struct{})
	go func() {
		defer close(read)
		w.listen()
	}()
	stop := context.AfterFunc(ctx, func() { w.end(ctx.Err()) })
	defer stop()

	err := w.open(address)
	if err != nil {
		w.end(err)
	}
	opened <- err
	<-w.closing

	exited := make(chan struct{})
	go func() {
		_ = w.command.Wait()
		close(exited)
	}()
	w.post("Browser.close", nil, "")
	select {
	case <-exited:
	case <-time.After(windowEnd):
	}
	// Helpers may outlive the browser by a moment, and they write.
	killTree(w.command)
	<-exited
	_ = w.to.Close()
	_ = w.from.Close()
	<-read
	_ = w.profile.remove()
}

// open prepares the watch before the first page exists, so that an answer that
// comes at once is not missed.
func (w *Window) open(address string) error {
	limit := time.Now().Add(windowStart)
	if err := w.call("Target.setAutoAttach", map[string]any{"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true}, limit); err != nil {
		return err
	}
	var patterns []map[string]string
	for _, p := range w.target.patterns() {
		patterns = append(patterns, map[string]string{"urlPattern": p, "requestStage": "Request"})
	}
	if err := w.call("Fetch.enable", map[string]any{"patterns": patterns}, limit); err != nil {
		return err
	}
	return w.call("Target.createTarget", map[string]any{"url": address, "newWindow": true}, limit)
}

var errWindow = errors.New("browser: the window did not answer")

// call sends a command and waits for its answer.
func (w *Window) call(method string, params any, limit time.Time) error {
	answer := make(chan reply, 1)
	if err := w.send(method, params, "", answer); err != nil {
		return err
	}
	timer := time.NewTimer(time.Until(limit))
	defer timer.Stop()
	select {
	case r := <-answer:
		if r.Error != nil {
			return errors.New("browser: " + method + ": " + problem.Outside(r.Error.Message, 200))
		}
		return nil
	case <-timer.C:
		return errWindow
	case <-w.closing:
		return errWindow
	}
}

// post sends a command whose answer nobody needs.
// session is the page that it is for, empty for the browser.
func (w *Window) post(method string, params any, session string) {
	_ = w.send(method, params, session, nil)
}

// send writes one command. These are all that exist (CDP-2):
// Target.setAutoAttach, Target.createTarget, Runtime.runIfWaitingForDebugger,
// Fetch.enable, Fetch.failRequest, Fetch.continueRequest, Browser.close.
func (w *Window) send(method string, params any, session string, answer chan reply) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nextID++
	message, err := json.Marshal(struct {
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  any    `json:"params,omitempty"`
		Session string `json:"sessionId,omitempty"`
	}{w.nextID, method, params, session})
	if err != nil {
		return err
	}
	if answer != nil {
		w.waiting[w.nextID] = answer
	}
	if testWatch != nil {
		testWatch(method)
	}
	_ = w.to.SetWriteDeadline(time.Now().Add(windowEnd))
	_, err = w.to.Write(append(message, 0))
	return err
}

type event struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// listen reads messages, each ended by a zero byte, until the pipe ends.
func (w *Window) listen() {
	pages := map[string]string{} // session to target, of pages alone
	scanner := bufio.NewScanner(w.from)
	scanner.Buffer(make([]byte, 64<<10), messageLimit)
	scanner.Split(splitZero)
	seen := false
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			continue
		}
		switch {
		case e.ID != 0:
			var r reply
			_ = json.Unmarshal(scanner.Bytes(), &r)
			w.mu.Lock()
			answer := w.waiting[e.ID]
			delete(w.waiting, e.ID)
			w.mu.Unlock()
			if answer != nil {
				answer <- r
			}
		case e.Method == "Target.attachedToTarget":
			var p struct {
				SessionID  string `json:"sessionId"`
				TargetInfo struct {
					TargetID string `json:"targetId"`
					Type     string `json:"type"`
				} `json:"targetInfo"`
			}
			if json.Unmarshal(e.Params, &p) != nil {
				continue
			}
			// Chromium 156 leaves a popup standing for ever when it was told
			// not to wait, so it waits for this word.
			w.post("Runtime.runIfWaitingForDebugger", nil, p.SessionID)
			if p.TargetInfo.Type == "page" {
				pages[p.SessionID], seen = p.TargetInfo.TargetID, true
			}
		case e.Method == "Target.detachedFromTarget":
			var p struct {
				SessionID string `json:"sessionId"`
			}
			if json.Unmarshal(e.Params, &p) == nil {
				delete(pages, p.SessionID)
			}
			if seen && len(pages) == 0 {
				w.end(problem.New(problem.BrowserClosed))
			}
		case e.Method == "Fetch.requestPaused":
			w.paused(e.Params, pages)
		}
	}
	// The pipe ended: the person quit the browser, or it crashed. What a broken
	// message leaves behind must not block the browser while it ends.
	w.end(problem.New(problem.BrowserClosed))
	_, _ = io.Copy(io.Discard, w.from)
}

func splitZero(data []byte, _ bool) (advance int, token []byte, err error) {
	for i, b := range data {
		if b == 0 {
			return i + 1, data[:i], nil
		}
	}
	return 0, nil, nil
}

// paused judges a request that the browser has stopped for us. The rules are
// the listener's: a top-level GET of the exact address. Whatever it is, it
// never leaves the browser.
func (w *Window) paused(params json.RawMessage, pages map[string]string) {
	var p struct {
		RequestID    string `json:"requestId"`
		FrameID      string `json:"frameId"`
		ResourceType string `json:"resourceType"`
		Request      struct {
			URL         string `json:"url"`
			URLFragment string `json:"urlFragment"`
			Method      string `json:"method"`
		} `json:"request"`
	}
	if json.Unmarshal(params, &p) != nil {
		return
	}
	rawQuery, ours := w.target.matches(p.Request.URL, p.Request.URLFragment)
	if !ours {
		w.post("Fetch.continueRequest", map[string]any{"requestId": p.RequestID}, "")
		return
	}
	w.post("Fetch.failRequest", map[string]any{"requestId": p.RequestID, "errorReason": "Aborted"}, "")
	top := false
	for _, target := range pages {
		top = top || target == p.FrameID
	}
	if !top || p.ResourceType != "Document" || p.Request.Method != "GET" || rawQuery.Empty() {
		return
	}
	if w.offer(rawQuery) {
		w.end(nil)
	}
}
