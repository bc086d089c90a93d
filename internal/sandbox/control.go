package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one line of the log: never a value, and no name that a client
// could have put a secret into.
type Request struct {
	Method string `json:"method"`
	// Path is the address, with {id} and the like where a client chooses; an
	// address that does not exist is "other".
	Path string `json:"path"`
	// Parameters are the names in query and body, sorted, as often as they came.
	Parameters []string `json:"parameters"`
	// Encoding of the body: "multipart", "form" or "none".
	Encoding string `json:"encoding"`
	// Status of the answer; 0 while there is none, or none was given.
	Status int `json:"status"`
}

// Fault is an answer that does not come from the provider's rules.
type Fault struct {
	// Path is an address of the provider, "/HOST/PATH".
	Path string
	// Status 200 to 599 with Headers and Body replaces the answer. 0 with an
	// empty Body and no Drop leaves it: the fault is then a delay alone.
	Status  int
	Headers map[string]string
	Body    []byte
	// Times is how often it strikes; 0 is once, -1 for ever.
	Times int
	// Delay is waited before the answer.
	Delay time.Duration
	// Drop reads the request and closes the connection without an answer.
	Drop bool
	// After lets the provider do what was asked before the connection drops: a
	// token is made, and nobody hears of it.
	After bool
}

// logged are the names that may appear in the log.
var logged = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range strings.Fields("access_token after client_id client_secret code code_challenge code_challenge_method " +
		"code_verifier decision enable_fb_login fields force_authentication force_reauth grant_type limit message person " +
		"redirect_uri response_type scenario scope state appsecret_proof") {
		names[name] = true
	}
	return names
}()

// record writes a request into the log.
func (s *Server) record(method, path string, c *call) *Request {
	entry := &Request{Method: "other", Path: path, Parameters: []string{}, Encoding: c.encoding}
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		entry.Method = method
	}
	for _, values := range []map[string][]string{c.query, c.body} {
		for name, all := range values {
			if !logged[name] {
				name = "other"
			}
			// A request of a hundred thousand names must not make the log as large.
			for range min(len(all), 100-min(100, len(entry.Parameters))) {
				entry.Parameters = append(entry.Parameters, name)
			}
		}
	}
	slices.Sort(entry.Parameters)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if len(s.log) == mostLog {
		s.log = slices.Delete(s.log, 0, 1)
	}
	s.log = append(s.log, entry)
	return entry
}

// noting writes the status of an answer into the log.
type noting struct {
	http.ResponseWriter
	entry *Request
	mu    *sync.Mutex
	sent  bool
}

// WriteHeader notes the status and passes it on.
func (n *noting) WriteHeader(status int) {
	if !n.sent {
		n.sent = true
		n.mu.Lock()
		n.entry.Status = status
		n.mu.Unlock()
	}
	n.ResponseWriter.WriteHeader(status)
}

// Write is an answer of 200 where none was said before.
func (n *noting) Write(b []byte) (int, error) {
	if !n.sent {
		n.WriteHeader(http.StatusOK)
	}
	return n.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (n *noting) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// Log returns the count of requests since the start (or ClearLog) and the last
// thousand of them, oldest first.
func (s *Server) Log() (int, []Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Request, len(s.log))
	for i, entry := range s.log {
		list[i] = *entry
	}
	return s.count, list
}

// ClearLog empties the log and sets all counts to 0.
func (s *Server) ClearLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.count, s.counts = nil, 0, map[string]*Count{}
}

// SetScenario chooses the mishap of the sign-ins that begin from now on;
// ErrScenario for an unknown name.
func (s *Server) SetScenario(name string) error {
	found, err := scenarioNamed(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scenario = found
	return nil
}

// mostForward is ten years: how far the clock moves, and how old a token is.
const mostForward = 10 * 365 * 24 * time.Hour

// Forward moves the clock, by at most ten years in all.
func (s *Server) Forward(d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d <= 0 || d > mostForward-s.offset {
		return errors.New("sandbox: forward is more than nothing and, in all, at most 87600h")
	}
	s.offset += d
	return nil
}

// mostSkew bounds what the Date header may be off by.
const mostSkew = 48 * time.Hour

// SetSkew puts the Date header of every answer off by d, forward or, below 0,
// back; at most 48 hours. Nothing else changes: tokens live by the true time.
func (s *Server) SetSkew(d time.Duration) error {
	if d.Abs() > mostSkew {
		return errors.New("sandbox: skew is at most 48h")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
	return nil
}

// SetConsent chooses who is signed in and which scopes and Pages (by their id)
// start out unticked; required scopes stay. ErrPerson for an unknown username.
func (s *Server) SetConsent(username string, without []string) error {
	who, known := personNamed(username)
	if !known {
		return fmt.Errorf("%w; there are: %s", ErrPerson, strings.Join(People(), " "))
	}
	for _, name := range without {
		isPage := slices.ContainsFunc(who.pages, func(p page) bool { return p.id == name })
		if !isPage && !slices.ContainsFunc(dialects, func(d *dialect) bool { return d.bit(name) >= 0 }) {
			return errors.New("sandbox: without names a scope that no provider has, or a Page that is not this person's")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person, s.without = who, slices.Clone(without)
	return nil
}

// SetShape chooses the forms of answers from now on.
func (s *Server) SetShape(shape Shape) error {
	if wrong := shape.check(); wrong != "" {
		return errors.New("sandbox: " + wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shape = shape
	return nil
}

// AddFault lets f strike after the faults of the same path that are there
// already. A path that the provider does not have is an error: such a fault
// would never strike, and a test would pass for nothing.
func (s *Server) AddFault(f Fault) error {
	if _, _, exists := s.find(f.Path); !exists {
		return errors.New("sandbox: the provider has no such path")
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return errors.New("sandbox: status is 200 to 599")
	}
	if f.After && !f.Drop {
		return errors.New("sandbox: after is of a drop")
	}
	if f.Times < -1 || f.Delay < 0 || f.Delay > time.Hour {
		return errors.New("sandbox: times is -1 or more, delay at most 1h")
	}
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 1000 {
		return errors.New("sandbox: a thousand faults are waiting already")
	}
	s.faults = append(s.faults, &f)
	return nil
}

// ClearFaults forgets all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault takes the next fault of a path.
func (s *Server) fault(path string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Path != path {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return f
	}
	return nil
}

// strike does what the fault says; false leaves the answer to the provider.
func (f *Fault) strike(c *call, found route) bool {
	if !c.wait(f.Delay) {
		return true
	}
	if f.Drop {
		if f.After {
			unheard := *c
			unheard.w = nowhere{http.Header{}}
			found.answer(&unheard)
		}
		_, _ = io.Copy(io.Discard, c.r.Body)
		conn, _, err := http.NewResponseController(c.w).Hijack()
		if err != nil {
			http.Error(c.w, "sandbox: this connection cannot be dropped", http.StatusBadGateway)
			return true
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			// A reset, not an orderly end: the client cannot tell what was done.
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
		return true
	}
	if f.Status == 0 && len(f.Body) == 0 {
		return false
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if strings.HasPrefix(strings.TrimSpace(string(f.Body[:min(16, len(f.Body))])), "{") {
		h.Set("Content-Type", "application/json; charset=UTF-8")
	}
	for name, value := range f.Headers {
		h.Set(name, value)
	}
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	c.w.WriteHeader(status)
	_, _ = c.w.Write(f.Body)
	return true
}

// nowhere takes an answer that nobody will hear.
type nowhere struct{ header http.Header }

// Header implements http.ResponseWriter, as do the two below.
func (n nowhere) Header() http.Header { return n.header }

// WriteHeader does nothing.
func (nowhere) WriteHeader(int) {}

// Write does nothing.
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// control answers the addresses below /_/.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, controlLimit)
	answer := any(map[string]any{})
	var err error
	switch r.Method + " " + r.URL.Path {
	case "POST /_/scenario":
		var in struct {
			Scenario *string `json:"scenario"`
		}
		if err = strict(r.Body, &in); err == nil {
			if in.Scenario == nil {
				err = errors.New("sandbox: scenario is missing")
			} else if err = s.SetScenario(*in.Scenario); err == nil {
				answer = map[string]any{"scenario": *in.Scenario}
			}
		}
	case "POST /_/clock":
		var in struct {
			Forward *duration `json:"forward"`
			Skew    *duration `json:"skew"`
		}
		if err = strict(r.Body, &in); err == nil {
			if in.Forward == nil && in.Skew == nil {
				err = errors.New("sandbox: forward and skew are missing")
			}
			if in.Forward != nil {
				err = s.Forward(time.Duration(*in.Forward))
			}
			if in.Skew != nil && err == nil {
				err = s.SetSkew(time.Duration(*in.Skew))
			}
			answer = map[string]any{"now": s.Now().UTC().Format(time.RFC3339)}
		}
	case "POST /_/consent":
		in := struct {
			Person  string   `json:"person"`
			Without []string `json:"without"`
		}{Person: people[0].username}
		if err = strict(r.Body, &in); err == nil {
			err = s.SetConsent(in.Person, in.Without)
		}
	case "POST /_/shape":
		var in struct {
			Shape
			AccessLife duration `json:"access_life"`
		}
		if err = strict(r.Body, &in); err == nil {
			in.Shape.AccessLife = time.Duration(in.AccessLife)
			err = s.SetShape(in.Shape)
		}
	case "POST /_/token":
		var in struct {
			User  string `json:"user"`
			State string `json:"state"`
		}
		if err = strict(r.Body, &in); err == nil {
			err = s.SetState(in.User, in.State)
		}
	case "POST /_/mint":
		in := struct {
			Person   string   `json:"person"`
			Age      duration `json:"age"`
			Short    bool     `json:"short"`
			Scopes   []string `json:"scopes"`
			Provider string   `json:"provider"`
			Pages    []string `json:"pages"`
		}{}
		if err = strict(r.Body, &in); err == nil {
			var access string
			access, err = s.Mint(Minted{Person: in.Person, Age: time.Duration(in.Age), Short: in.Short, Scopes: in.Scopes, Provider: in.Provider, Pages: in.Pages})
			answer = map[string]any{"access_token": access}
		}
	case "POST /_/mishap":
		var in struct {
			Name  string `json:"name"`
			Clear bool   `json:"clear"`
		}
		if err = strict(r.Body, &in); err == nil {
			if in.Clear {
				s.ClearMishaps()
			} else {
				err = s.ArmMishap(in.Name)
			}
		}
	case "GET /_/mishap":
		answer = map[string]any{"mishaps": Mishaps()}
	case "GET /_/providers":
		answer = map[string]any{"providers": s.registrations()}
	case "POST /_/fault":
		err = s.controlFault(r.Body)
	case "GET /_/log":
		count, requests := s.Log()
		answer = map[string]any{"count": count, "requests": requests, "accounts": s.Counts()}
	case "DELETE /_/log":
		s.ClearLog()
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error":"sandbox: no such control address"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) controlFault(body io.Reader) error {
	var in struct {
		Path       string            `json:"path"`
		Status     int               `json:"status"`
		Body       string            `json:"body"`
		BodyBase64 []byte            `json:"body_base64"`
		Headers    map[string]string `json:"headers"`
		Times      int               `json:"times"`
		Delay      duration          `json:"delay"`
		Drop       bool              `json:"drop"`
		After      bool              `json:"after"`
		Clear      bool              `json:"clear"`
	}
	if err := strict(body, &in); err != nil {
		return err
	}
	if in.Clear {
		s.ClearFaults()
		return nil
	}
	f := Fault{
		Path: in.Path, Status: in.Status, Headers: in.Headers, Body: []byte(in.Body),
		Times: in.Times, Delay: time.Duration(in.Delay), Drop: in.Drop, After: in.After,
	}
	if in.BodyBase64 != nil {
		f.Body = in.BodyBase64
	}
	return s.AddFault(f)
}

// strict reads one JSON object with known keys and nothing after it.
func strict(r io.Reader, into any) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("sandbox: something follows the object")
	}
	return nil
}

// duration is a Go duration ("1440h", "5s") in JSON.
type duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *duration) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(s)
	*d = duration(parsed)
	return err
}
