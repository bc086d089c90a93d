package oauth

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// busyWait is how long to wait when the provider does not say.
const busyWait = time.Hour

// Client sends the requests. It is safe for concurrent use.
type Client struct {
	// HTTP comes from NewHTTP.
	HTTP *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Known is taught every secret before it is sent and every token as soon
	// as it arrives; nil keeps none.
	Known *secret.Known
	// Secret is the app's, where it is at hand, for what Identify, Reach and
	// Renew need it for: an app of Meta's may ask for a proof of it with every
	// request. It is never sent itself by them. Empty answers such a wish with
	// app.proof_required.
	Secret secret.Text
}

// Exchange turns the code into the first token (RFC 6749 4.1.3). It sends one
// request and never another. A token whose end is not stated lives as long as the
// definition says, and has no known end where that says nothing.
//
// Problems: the dictionary's, provider.unknown_answer with the provider's
// text, network.*, provider.*, sign_in.cancelled. After the request was
// written and no clear answer came: network.cut.
func (c *Client) Exchange(ctx context.Context, a *Attempt, code secret.Text) (Token, error) {
	d := a.definition
	ask := request{
		where: "exchange", definition: d, step: d.Exchange, once: true,
		values: map[string]secret.Text{
			"client_id": secret.New(a.app.ClientID), "client_secret": a.app.ClientSecret, "code": code,
			"redirect_uri": secret.New(a.app.RedirectURI), "code_verifier": a.verifier,
		},
		args: []string{"redirect_uri", a.app.RedirectURI},
	}
	got, err := c.send(ctx, ask)
	if err != nil {
		return Token{}, err
	}
	t, lifetime, err := parseToken(got.top, d.Meta())
	if err != nil {
		return Token{}, ask.odd()
	}
	if lifetime < 0 && d.Exchange.Lifetime > 0 {
		lifetime = d.Exchange.Lifetime
	}
	return c.dated(t, lifetime, got), nil
}

// Extend turns the one-hour token into the long-lived one. A provider without
// that step gives t back. What the answer leaves out (the user, the
// permissions) is taken over from t.
//
// Problems: extend.refused (t stays good), token.already_long (t is what was
// wanted), app_secret.refused and the like from the dictionary, network.*,
// provider.*.
func (c *Client) Extend(ctx context.Context, a *Attempt, t Token) (Token, error) {
	d := a.definition
	if d.Extend.Empty() {
		return t, nil
	}
	ask := request{
		where: "extend", definition: d, step: d.Extend, otherwise: problem.ExtendRefused,
		values: map[string]secret.Text{
			"client_id": secret.New(a.app.ClientID), "client_secret": a.app.ClientSecret, "access_token": t.Access,
		},
	}
	got, err := c.send(ctx, ask)
	if err != nil {
		return Token{}, err
	}
	long, lifetime, err := parseToken(got.top, d.Meta())
	if err != nil {
		return Token{}, ask.odd()
	}
	long.Long = true
	if long.UserID == "" {
		long.UserID = t.UserID
	}
	if !long.ScopesKnown {
		long.Scopes, long.ScopesKnown = slices.Clone(t.Scopes), t.ScopesKnown
	}
	if long.Refresh.Empty() {
		long.Refresh = t.Refresh
	}
	return c.dated(long, lifetime, got), nil
}

// Identify asks whose token it is. The UserID of its answer is the one to
// store; the exchange's may be the app's own id for the same person.
//
// Problems: identity.unavailable, token.*, account.personal and others of the
// dictionary, network.*, provider.*.
func (c *Client) Identify(ctx context.Context, d provider.Definition, t Token) (Person, error) {
	step := provider.Step{Method: http.MethodGet, URL: d.Identity.URL, Encoding: "query"}
	if d.Meta() {
		step.Params = map[string]string{"access_token": "{access_token}"}
	}
	ask := request{
		where: "identity", definition: d, step: step, otherwise: problem.IdentityUnavailable,
		values: map[string]secret.Text{"access_token": t.Access}, bearer: !d.Meta(), proof: c.Secret,
	}
	if step.Empty() {
		return Person{}, problem.New(problem.IdentityUnavailable, "provider", d.Name)
	}
	got, err := c.sendProving(ctx, ask)
	if err != nil {
		return Person{}, err
	}
	p, err := parsePerson(got.top, d.Identity.Fields)
	if err != nil {
		return Person{}, ask.odd()
	}
	return p, nil
}

// request is one thing to ask.
type request struct {
	// where is the dictionary's word for this step.
	where      string
	definition provider.Definition
	step       provider.Step
	values     map[string]secret.Text
	// bearer puts the access token into the Authorization header.
	bearer bool
	// once: nobody can tell what happened after bytes were written, so say that.
	once bool
	// proof is the app secret of which a proof may be given, once.
	proof secret.Text
	// bodyless: the status alone is the answer, and what comes with it is read
	// for a refusal only.
	bodyless bool
	// otherwise is the problem for a refusal that the dictionary lacks.
	otherwise problem.Key
	args      []string
}

// reply is a clear answer. Beside an error it has the times and what was said
// alone, and top is nil.
type reply struct {
	top    object
	said   provider.Refusal
	sentAt time.Time
	// dated: the answer has a Date, by which skew was counted.
	skew  time.Duration
	dated bool
}

func (r request) host() string {
	if u, err := url.Parse(r.step.URL); err == nil {
		return provider.HostPort(u)
	}
	return ""
}

func (r request) problem(key problem.Key, args ...string) *problem.Problem {
	args = append(args, "provider", r.definition.Name, "host", r.host())
	return problem.New(key, append(args, r.args...)...)
}

func (r request) odd() error { return r.problem(problem.ProviderOddAnswer) }

// pairs fills the placeholders in, sorted by name. A parameter whose value is
// not there is left out, as a verifier without PKCE.
func (r request) pairs() [][2]string {
	var pairs [][2]string
	for _, name := range slices.Sorted(maps.Keys(r.step.Params)) {
		value, complete := provider.Fill(r.step.Params[name], func(placeholder string) string {
			return r.values[placeholder].Reveal()
		})
		if complete {
			pairs = append(pairs, [2]string{name, value})
		}
	}
	if _, named := r.step.Params["client_id"]; r.step.Auth == basic && !r.inHeader() && !named {
		// RFC 6749 section 3.2.1: who has no secret says its name here.
		pairs = append(pairs, [2]string{"client_id", r.values["client_id"].Reveal()})
	}
	return pairs
}

// basic is the word for a client that shows its secret in the Authorization
// header.
const basic = "basic"

func (r request) inHeader() bool { return r.step.Auth == basic && !r.values["client_secret"].Empty() }

// credentials are the header's of RFC 6749 section 2.3.1: both halves encoded
// as a form's values are (appendix B), then as RFC 7617 wants it.
func (r request) credentials() secret.Text {
	pair := url.QueryEscape(r.values["client_id"].Reveal()) + ":" + url.QueryEscape(r.values["client_secret"].Reveal())
	return secret.New(base64.StdEncoding.EncodeToString([]byte(pair)))
}

// sendProving is send, and a second time with the proof where the provider asks
// for one and we can give it ("Require App Secret", providers.md 6). A proof
// that is refused is not tried again.
func (c *Client) sendProving(ctx context.Context, r request) (reply, error) {
	got, err := c.send(ctx, r)
	token := r.values["access_token"]
	if !problem.Has(err, problem.ProofRequired) || r.proof.Empty() || token.Empty() || !r.definition.Meta() {
		return got, err
	}
	sum := hmac.New(sha256.New, []byte(r.proof.Reveal()))
	sum.Write([]byte(token.Reveal()))
	r.values, r.step.Params = maps.Clone(r.values), maps.Clone(r.step.Params)
	r.values["appsecret_proof"] = secret.New(hex.EncodeToString(sum.Sum(nil)))
	r.step.Params["appsecret_proof"] = "{appsecret_proof}"
	return c.send(ctx, r)
}

// build makes the request. The body has no second copy (GetBody), so that
// net/http cannot send it again by itself.
func (r request) build(ctx context.Context) (*http.Request, error) {
	address, kind := r.step.URL, ""
	var body []byte
	switch pairs := r.pairs(); r.step.Encoding {
	case "multipart":
		var buffer bytes.Buffer
		form := multipart.NewWriter(&buffer)
		for _, pair := range pairs {
			if err := form.WriteField(pair[0], pair[1]); err != nil {
				return nil, err
			}
		}
		if err := form.Close(); err != nil {
			return nil, err
		}
		body, kind = buffer.Bytes(), form.FormDataContentType()
	case "form":
		body, kind = []byte(strings.TrimPrefix(withQuery("", pairs), "?")), "application/x-www-form-urlencoded"
	default:
		address = withQuery(address, pairs)
	}
	var reader io.Reader
	if body != nil {
		reader = struct{ io.Reader }{bytes.NewReader(body)}
	}
	req, err := http.NewRequestWithContext(ctx, r.step.Method, address, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.ContentLength = int64(len(body))
		req.Header.Set("Content-Type", kind)
	}
	if r.inHeader() {
		req.Header.Set("Authorization", "Basic "+r.credentials().Reveal())
	}
	if r.bearer {
		req.Header.Set("Authorization", "Bearer "+r.values["access_token"].Reveal())
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Tokenkeep")
	return req, nil
}

// send asks once and sorts out whatever comes back.
func (c *Client) send(ctx context.Context, r request) (reply, error) {
	known := c.Known
	if known == nil {
		known = &secret.Known{}
	}
	known.Add(r.proof)
	if r.inHeader() {
		known.Add(r.credentials())
	}
	for name, value := range r.values {
		if name != "client_id" && name != "redirect_uri" {
			known.Add(value)
		}
	}
	if c.HTTP == nil {
		return reply{}, problem.New(problem.Unexpected, "where", "oauth.client")
	}
	var written atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { written.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { written.Store(true) },
	})
	req, err := r.build(traced)
	if err != nil {
		return reply{}, problem.New(problem.Unexpected, "where", "oauth.request").Because(harmless(err, known))
	}
	sent := c.now()
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return reply{}, c.failure(ctx, r, known, err, written.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	got := reply{sentAt: sent}
	got.skew, got.dated = skew(resp.Header.Get("Date"), sent, c.now())
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return got, r.problem(problem.NetworkRedirected, "to", target(resp, r.host()))
	}
	body, err := readBody(resp.Body)
	var badGzip flate.CorruptInputError
	switch {
	case errors.Is(err, errOdd), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &badGzip):
		return got, c.unclear(r, resp, nil)
	case err != nil:
		return got, c.failure(ctx, r, known, err, true)
	}
	top, err := parseObject(body)
	if err != nil && r.done(resp) {
		return got, nil
	}
	if err != nil {
		return got, c.unclear(r, resp, body)
	}
	if said, refused := refusalIn(top); refused {
		got.said = said
		return got, c.refusal(r, resp, known, said)
	}
	if inner, err := unwrap(top, ""); err == nil {
		if said, refused := refusalIn(inner); refused {
			got.said = said
			return got, c.refusal(r, resp, known, said)
		}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return got, c.unclear(r, resp, body)
	}
	got.top = top
	return got, nil
}

// dated counts the end from the moment of sending and teaches Known the token.
func (c *Client) dated(t Token, lifetime time.Duration, got reply) Token {
	t.SentAt, t.Skew = got.sentAt, got.skew
	if lifetime >= 0 {
		t.ExpiresAt = t.SentAt.Add(lifetime)
	}
	if c.Known != nil {
		c.Known.Add(t.Access, t.Refresh)
	}
	return t
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// skew compares the provider's Date with the middle of our waiting; ok is false
// where there is none to read.
func skew(date string, sent, received time.Time) (off time.Duration, ok bool) {
	at, err := parseDate(date)
	if err != nil {
		return 0, false
	}
	return at.Sub(sent.Add(received.Sub(sent) / 2)).Round(time.Second), true
}

// refusal turns the provider's no into a problem.
func (c *Client) refusal(r request, resp *http.Response, known *secret.Known, said provider.Refusal) error {
	said.Message = redact(known.Scrub(said.Message))
	p, ok := r.definition.Explain(r.where, said)
	if ok {
		listed := r.problem(p.Key).Said(said.Message)
		maps.Copy(listed.Args, p.Args)
		p = listed
	} else {
		_, waits := RetryAfter(resp.Header.Get("Retry-After"), c.now())
		switch {
		case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable && waits:
			p = r.problem(problem.ProviderBusy)
		case resp.StatusCode >= 500 || said.Transient:
			p = r.problem(problem.ProviderDown)
		case r.otherwiseFor(said) != "":
			p = r.problem(r.otherwiseFor(said))
		default:
			p = r.problem(problem.UnknownAnswer)
		}
		message := said.Message
		if message == "" {
			message = strings.TrimSpace(said.Type + " " + said.Code)
		}
		p = p.Said(redact(known.Scrub(message)))
	}
	if p.Key == problem.ProviderBusy {
		c.busy(p, resp)
	}
	if said.Trace != "" {
		p.Args["trace"] = problem.Outside(known.Scrub(said.Trace), 60)
	}
	return p
}

// unclear sorts answers that are neither a token nor a refusal.
func (c *Client) unclear(r request, resp *http.Response, body []byte) error {
	html := strings.Contains(strings.ToLower(resp.Header.Get("Content-Type")), "html") ||
		bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
	status := strconv.Itoa(resp.StatusCode)
	_, waits := RetryAfter(resp.Header.Get("Retry-After"), c.now())
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable && waits:
		return c.busy(r.problem(problem.ProviderBusy), resp)
	case resp.StatusCode == http.StatusNetworkAuthenticationRequired:
		return r.problem(problem.NetworkLoginPage)
	case resp.StatusCode >= 500:
		return r.problem(problem.ProviderDown, "status", status)
	case html && resp.StatusCode < 300:
		return r.problem(problem.NetworkLoginPage)
	}
	return r.problem(problem.ProviderOddAnswer, "status", status)
}

// busy says how long the provider wants us to wait: "minutes", rounded up and
// at least one, for people; "seconds" only when the provider itself named a
// time (RetryAfter), for whoever plans the next try.
func (c *Client) busy(p *problem.Problem, resp *http.Response) *problem.Problem {
	wait, ok := RetryAfter(resp.Header.Get("Retry-After"), c.now())
	if !ok {
		wait = busyWait
	} else {
		p.Args["seconds"] = strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	}
	p.Args["minutes"] = strconv.Itoa(max(1, int((wait+time.Minute-1)/time.Minute)))
	return p
}

// target names the host of a redirect and nothing else of it.
func target(resp *http.Response, own string) string {
	if u, err := resp.Location(); err == nil && u.Host != "" {
		return problem.Outside(u.Hostname(), 100)
	}
	return own
}

// failure sorts what went wrong below HTTP.
func (c *Client) failure(ctx context.Context, r request, known *secret.Known, err error, written bool) error {
	cause := harmless(err, known)
	var deadline net.Error
	slow := errors.As(err, &deadline) && deadline.Timeout() || errors.Is(err, context.DeadlineExceeded)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return r.problem(problem.SignInCancelled).Because(cause)
	case errors.Is(err, errForbidden):
		return r.problem(problem.Unexpected, "where", "oauth.host").Because(cause)
	case r.once && written:
		return r.problem(problem.NetworkCut).Because(cause)
	case slow:
		return r.problem(problem.NetworkSlow).Because(cause)
	}
	if reason := tlsReason(err); reason != "" {
		return r.problem(problem.NetworkTLS, "reason", reason).Because(cause)
	}
	return r.problem(problem.NetworkUnreachable).Because(cause)
}

// tlsReason tells what was wrong with the other side's proof of identity, one
// of expired, name, issuer, version, plain, other; empty for another failure.
func tlsReason(err error) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &name):
		return "name"
	case errors.As(err, &unknown):
		return "issuer"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return "plain"
	case strings.Contains(err.Error(), "protocol version"):
		return "version"
	case errors.As(err, &verification), errors.As(err, &invalid), errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		return "other"
	}
	return ""
}

// harmless makes an error fit to be somebody's cause: the address goes, because
// net/http prints it with its query, and so does every known secret
// (security.md TOK-2). What is left answers errors.Is and cannot be unwrapped
// to the text that it replaces.
func harmless(err error, known *secret.Known) error {
	original := err
	var withAddress *url.Error
	for errors.As(err, &withAddress) {
		err = withAddress.Err
	}
	return &quiet{text: redact(known.Scrub(err.Error())), is: func(target error) bool { return errors.Is(original, target) }}
}

type quiet struct {
	text string
	is   func(error) bool
}

func (q *quiet) Error() string { return q.text }

func (q *quiet) Is(target error) bool { return q.is(target) }

// GoString keeps %#v to the text as well.
func (q *quiet) GoString() string { return q.text }
