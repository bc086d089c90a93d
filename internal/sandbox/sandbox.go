package sandbox

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The one app that the sandbox knows. Both are public; the secret has the form
// of a real one and opens nothing.
const (
	ClientID     = "990602627938098"
	ClientSecret = "0ddba11c0ffee0ddba11c0ffee0ddba1"
)

const (
	codeLife  = time.Hour // M1
	mostCodes = 1000
	mostLog   = 1000

	bodyLimit    = 64 << 10
	controlLimit = 16 << 20
)

// Options says how a sandbox behaves. The zero value is one that works, shows
// a consent page and has the computer's time.
type Options struct {
	// Scenario is the mishap of new sign-ins, one of Scenarios; empty is "ok".
	Scenario string
	// Now is the clock; nil is the computer's. /_/clock moves forward from it.
	Now func() time.Time
	// Delay is waited before each answer of the provider.
	Delay time.Duration
	// Auto answers the authorization address at once, as if the person had
	// chosen Allow: for tests and measurements, which have no person.
	Auto bool
	// Person is who is signed in, one of People; empty is the first.
	Person string
}

// Server is the pretend provider. It is safe for concurrent use, starts no
// goroutine and writes nothing to disk.
type Server struct {
	options Options
	wrong   error
	cross   *http.CrossOriginProtection
	routes  map[string]route

	mu       sync.Mutex
	scenario scenario
	person   person
	without  []string
	offset   time.Duration
	skew     time.Duration
	armed    []Mishap
	families map[uint64]*family
	declined map[uint16]scopeSet
	shape    Shape
	faults   []*Fault
	codes    map[string]*consent
	order    []string
	log      []*Request
	count    int
	counts   map[string]*Count
	handed   map[fingerprint]*handed
	births   uint64
	states   map[uint16]state
}

// consent is what a person allowed: what a code stands for.
type consent struct {
	dialect     *dialect
	scenario    scenario
	person      person
	scopes      scopeSet
	redirectURI string
	made        time.Time
	used        bool
	// pages are the ticked ones; challenge, public and family are of login.example.
	pages     uint64
	challenge string
	public    bool
	family    uint64
}

// ErrPerson is what an unknown username in Options gives.
var ErrPerson = errors.New("sandbox: no such person")

// New makes a sandbox that listens nowhere; it is an http.Handler. With an
// unknown scenario or person it answers nothing but 500 with that error; Start
// says so beforehand.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, cross: http.NewCrossOriginProtection(), codes: map[string]*consent{}, person: people[0],
		counts: map[string]*Count{}, handed: map[fingerprint]*handed{}, states: map[uint16]state{},
		families: map[uint64]*family{}, declined: map[uint16]scopeSet{}}
	s.scenario, s.wrong = scenarioNamed(o.Scenario)
	if o.Person != "" {
		var known bool
		if s.person, known = personNamed(o.Person); !known {
			s.wrong = errors.Join(s.wrong, ErrPerson)
		}
	}
	s.routes = map[string]route{}
	for _, d := range dialects {
		d.open(s.routes)
	}
	s.routes["/"] = route{dialects[0], (*call).frontPage}
	s.routes["/style.css"] = route{dialects[0], (*call).styleSheet}
	return s
}

// open enters the addresses of d that are always the same.
func (d *dialect) open(routes map[string]route) {
	switch d.number {
	case numberBasic:
		routes["/"+d.authorizeHost+d.authorizePath] = route{d, (*call).authorize}
	case numberInstagram:
		routes["/"+d.authorizeHost+d.authorizePath] = route{d, (*call).authorize}
		routes["/"+d.authorizeHost+d.refusalPath] = route{d, (*call).refusalPage}
		routes["/"+d.authorizeHost+"/accounts/manage_access/"] = route{d, (*call).accessPage}
		routes["/"+d.exchangeHost+d.exchangePath] = route{d, (*call).exchange}
		routes["/"+d.graphHost+d.extendPath] = route{d, (*call).extend}
		routes["/"+d.graphHost+d.renewPath] = route{d, (*call).renew}
	case numberThreads:
		routes["/"+d.authorizeHost+d.authorizePath] = route{d, (*call).authorize}
		routes["/threads.net"+d.authorizePath] = route{d, (*call).moved}
		routes["/www.threads.net"+d.authorizePath] = route{d, (*call).moved}
		routes["/"+d.authorizeHost+"/settings/website_permissions"] = route{d, (*call).accessPage}
		for _, version := range []string{"", "/v1.0"} {
			routes["/"+d.graphHost+version+d.exchangePath] = route{d, (*call).threadsToken}
			routes["/"+d.graphHost+version+d.extendPath] = route{d, (*call).extend}
			routes["/"+d.graphHost+version+d.renewPath] = route{d, (*call).renew}
			routes["/"+d.graphHost+version+"/debug_token"] = route{d, (*call).debugToken}
		}
	case numberFacebook:
		routes["/"+d.authorizeHost+d.refusalPath] = route{d, (*call).facebookPage}
		routes["/"+d.authorizeHost+"/connect/login_success.html"] = route{d, (*call).successPage}
	case numberGeneric:
		routes["/"+d.authorizeHost+d.authorizePath] = route{d, (*call).authorize}
		routes["/"+d.exchangeHost+d.exchangePath] = route{d, (*call).grant}
		routes["/"+d.exchangeHost+"/userinfo"] = route{d, (*call).userinfo}
		routes["/"+d.exchangeHost+"/revoke"] = route{d, (*call).revoke}
		routes["/"+d.exchangeHost+"/.well-known/oauth-authorization-server"] = route{d, (*call).discovery}
		routes["/"+d.exchangeHost+"/.well-known/openid-configuration"] = route{d, (*call).discovery}
		// RFC 8414, 3.1: the place for an issuer that has a path.
		routes["/.well-known/oauth-authorization-server/"+d.exchangeHost] = route{d, (*call).discovery}
	}
}

// find returns the route of a path with parts that a client chooses, the name
// it has in the log, and whether the path is on a host of d at all.
func (d *dialect) find(path string) (route, string, bool) {
	if d.number == numberFacebook {
		return d.findFacebook(path)
	}
	rest, ok := strings.CutPrefix(path, "/"+d.graphHost+"/")
	if !ok {
		return route{}, "", false
	}
	var node, edge, name string
	switch d.number {
	case numberInstagram:
		node, edge, name = graphPath(rest)
	case numberThreads:
		node, edge, name = threadsPath(rest)
	default:
		return route{d, (*call).notFound}, "other", true
	}
	if name == "" {
		return route{d, (*call).unknownGraphPath}, "other", true
	}
	return route{d, func(c *call) { c.graph(node, edge) }}, "/" + d.graphHost + "/" + name, true
}

// route is an address of the provider and what answers there.
type route struct {
	dialect *dialect
	answer  func(*call)
}

// find returns the route of a path and the name it has in the log, where no
// part that a client chose appears.
func (s *Server) find(path string) (route, string, bool) {
	if r, ok := s.routes[path]; ok {
		return r, path, true
	}
	if first := dialects[0]; strings.HasPrefix(path, "/"+first.authorizeHost+"/p/") {
		return route{first, (*call).postPage}, "/" + first.authorizeHost + "/p/{post}", true
	}
	if rest, ok := strings.CutPrefix(path, "/"+cdn+"/"); ok {
		return route{dialects[0], func(c *call) { c.picture(rest) }}, "/" + cdn + "/{picture}", true
	}
	for _, d := range dialects {
		if r, name, found := d.find(path); found {
			return r, name, name != "other"
		}
	}
	return route{dialects[0], (*call).notFound}, "other", false
}

// call is one request on its way through the provider.
type call struct {
	*Server
	d     *dialect
	w     http.ResponseWriter
	r     *http.Request
	now   time.Time
	query url.Values
	// body and encoding are what the request carried: "multipart", "form" or "none".
	body     url.Values
	encoding string
	tooLarge bool
}

// ServeHTTP answers one request, see the package comment.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	now := s.Now()
	h := w.Header()
	h.Set("Date", now.Add(s.skewed()).UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case s.wrong != nil:
		http.Error(w, s.wrong.Error(), http.StatusInternalServerError)
		return
	case !ownHost(r):
		http.Error(w, "sandbox: not an address of this practice ground", http.StatusMisdirectedRequest)
		return
	case s.cross.Check(r) != nil:
		http.Error(w, "sandbox: not from another web page", http.StatusForbidden)
		return
	case strings.HasPrefix(r.URL.Path, "/_/"):
		s.control(w, r)
		return
	}
	found, name, _ := s.find(r.URL.Path)
	c := &call{Server: s, d: found.dialect, r: r, now: now}
	c.read(w)
	entry := s.record(r.Method, name, c)
	c.w = &noting{ResponseWriter: w, entry: entry, mu: &s.mu}
	if !c.wait(s.options.Delay) {
		return
	}
	if f := s.fault(r.URL.Path); f != nil && f.strike(c, found) {
		return
	}
	found.answer(c)
}

// Now is the time in the sandbox: the clock of Options, moved forward by Forward.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Now().Add(s.offset)
}

// skewed is how much the Date header is off.
func (s *Server) skewed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.skew
}

// read takes in query and body. Nothing is kept on disk: a body is smaller
// than what the multipart reader holds in memory.
func (c *call) read(w http.ResponseWriter) {
	c.encoding = "none"
	var err error
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		c.query = url.Values{}
	}
	c.r.Body = http.MaxBytesReader(w, c.r.Body, bodyLimit)
	switch kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";"); strings.ToLower(strings.TrimSpace(kind)) {
	case "multipart/form-data":
		if err = c.r.ParseMultipartForm(2 * bodyLimit); err == nil {
			c.body, c.encoding = c.r.PostForm, "multipart"
		}
	case "application/x-www-form-urlencoded":
		if err = c.r.ParseForm(); err == nil || len(c.r.PostForm) > 0 {
			c.body, c.encoding = c.r.PostForm, "form"
		}
	}
	var large *http.MaxBytesError
	c.tooLarge = errors.As(err, &large)
}

// twice reports whether one of names appears more than once in values.
func twice(values url.Values, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return len(values[n]) > 1 })
}

// ownHost refuses names that are not loopback (DNS rebinding), and ports that
// are not the one the connection came to.
func ownHost(r *http.Request) bool {
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		name, port = strings.TrimSuffix(strings.TrimPrefix(r.Host, "["), "]"), "80"
		if strings.Contains(name, ":") != strings.HasPrefix(r.Host, "[") {
			return false
		}
	}
	if !loopbackName(name) {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return !ok || port == portOf(local)
}

func loopbackName(name string) bool {
	return name == "127.0.0.1" || name == "::1" || name == "localhost"
}

// base is the sandbox's own address as this request reached it.
func (c *call) base() string {
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

// issue makes a code for what was allowed. Old codes make room for new ones.
func (s *Server) issue(c consent) string {
	code := "AQ" + random(238)
	if c.dialect.number == numberGeneric {
		c.family = newFamily()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == mostCodes {
		delete(s.codes, s.order[0])
		s.order = s.order[1:]
	}
	s.codes[code] = &c
	s.order = append(s.order, code)
	return code
}

// redeem uses a code up and returns what it stood for, or the provider's
// message; for one that was used before, both.
func (s *Server) redeem(code string, now time.Time) (consent, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.codes[code]
	switch {
	case !known && (strings.Contains(code, "#") || strings.Contains(code, "://")):
		return consent{}, messageNoCode
	case !known:
		return consent{}, messageBadCode
	case c.used:
		return *c, messageCodeUsed
	case !now.Before(c.made.Add(codeLife)):
		return consent{}, messageNoCode
	}
	c.used = true
	return *c, ""
}

// wait holds the answer back, also beyond the server's limit for writing. It
// returns false when the request ends first.
func (c *call) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(d + 30*time.Second))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.r.Context().Done():
		return false
	}
}
