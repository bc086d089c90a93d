package connect

import (
	"context"
	"crypto/tls"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/browser"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

const (
	// defaultTimeout is how long an attempt waits for its answer (ATT-9).
	defaultTimeout = 10 * time.Minute
	// maxTimeout keeps a listener from standing open for ever.
	maxTimeout = 24 * time.Hour
	// farewell is how long a finished attempt still serves the browser its
	// outcome page before it returns.
	farewell = 2 * time.Second
	// glance is how often the wall clock is looked at while waiting.
	glance = time.Second
)

// Points are the names of the moments at which Config.At is called, in order,
// in every sign-in; AskPoints and GrantPoints are those of some.
var Points = []string{
	"checked", "listening", "pending", "waiting", "answered", "exchanged", "sealed-short",
	"extended", "sealed-long", "identified", "item-written", "app-saved", "finished",
}

// Connect carries one sign-in from the setup to a proven token. It blocks
// until the attempt is over; observe may be nil. Cancelling ctx stops it at
// once until the code is used, and no longer after. The error is always a
// problem: of kind input for the setup, the port and the permissions;
// sign_in.cancelled, sign_in.denied and browser.closed; sign_in.deadline; what
// the provider and the network say; account.other; those of the keychain, the
// library and the locks. A token that arrived and could not be saved stays for
// Recover (State.Held).
func (s *Service) Connect(ctx context.Context, r Request, observe func(State)) (Account, error) {
	run := &signIn{service: s, request: r, observe: observe, wake: make(chan struct{}, 1), over: func() {}, freePort: func() {}}
	if run.observe == nil {
		run.observe = func(State) {}
	}
	s.enter(run)
	defer s.exit(run)
	account, err := run.do(ctx)
	if err != nil {
		p := problem.Of(err)
		s.log.Info("sign-in failed", "kind", p.Kind, "key", p.Key)
		run.announce(func(st *State) { st.Step, st.Problem, st.Held = Failed, p, run.held })
		run.leave()
		return Account{}, p
	}
	run.leave()
	return account, nil
}

// signIn is one attempt on its way. Its goroutine owns everything but what
// stands under a mutex.
type signIn struct {
	service *Service
	request Request

	// mu is held while observe runs: states arrive one at a time, in order.
	mu      sync.Mutex
	observe func(State)
	state   State

	// heard is what other goroutines have to say while the attempt waits. A
	// flood overwrites itself instead of filling a queue.
	hearing sync.Mutex
	heard   news
	wake    chan struct{}

	client client
	scopes []string
	// expect and expectUser say who has to answer.
	expect, expectUser string
	attempt            *oauth.Attempt
	listener           *redirect.Listener
	window             *browser.Window
	sealer             *vault.Sealer
	pending            library.Pending
	begun              bool
	held               bool
	// accepted: an answer was taken, so a browser is waiting for its page.
	accepted bool
	unlock   func()
	answers  chan received
	// over says that the listener is not needed any more; freePort lets go of
	// the port without waiting for it.
	over, freePort context.CancelFunc
}

// news is what changed in a waiting attempt.
type news struct {
	refused, browser *problem.Problem
	strangers        int
}

// received is the one answer that belongs to the attempt.
type received struct {
	code secret.Text
	err  error
}

func (run *signIn) announce(change func(*State)) {
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.state.Final() {
		return
	}
	before := run.state.Step
	change(&run.state)
	if run.state.Step != before {
		run.service.log.Info("sign-in", "step", run.state.Step)
	}
	run.observe(run.state)
}

func (run *signIn) step(step Step) { run.announce(func(st *State) { st.Step = step }) }

func (run *signIn) at(point string) { run.service.config.At(point) }

func (run *signIn) do(ctx context.Context) (Account, error) {
	defer run.release()
	code, err := run.await(ctx)
	if err != nil {
		if !run.accepted {
			run.freePort()
		}
		return Account{}, cancelled(ctx, err)
	}
	// The code is in hand: from here the person's minutes are spent, and only
	// the requests' own limits end the work.
	accounts, err := run.redeem(ctx, code)
	if err != nil {
		run.tell(redirect.Unfinished)
		return Account{}, err
	}
	run.tell(redirect.Connected)
	run.over()
	run.announce(func(st *State) { st.Step, st.Account, st.Accounts = Connected, &accounts[0], accounts })
	return accounts[0], nil
}

func (run *signIn) await(ctx context.Context) (secret.Text, error) {
	if err := run.prepare(ctx); err != nil {
		return secret.Text{}, err
	}
	return run.receive(ctx)
}

// cancelled says "cancelled" for whatever broke because the person stopped.
func cancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return problem.New(problem.SignInCancelled).Because(ctx.Err())
	}
	return err
}

// prepare does everything that can fail before a browser opens.
func (run *signIn) prepare(ctx context.Context) error {
	s, r := run.service, run.request
	run.step(Checking)
	expected, err := run.aim(ctx)
	if err != nil {
		return err
	}
	r = run.request
	if run.client, err = s.check(ctx, r.Setup, true); err != nil {
		return err
	}
	d := run.client.definition
	run.announce(func(st *State) { st.Provider, st.RedirectURI = d.Name, run.client.oauth.RedirectURI })
	scopes := r.Scopes
	if expected.Provider == d.ID {
		// Two providers may call one person by one number, or two by one: only
		// the same provider's can be compared.
		run.expectUser = expected.UserID
		if len(scopes) == 0 {
			scopes = expected.ScopesAsked
		}
	}
	if len(scopes) == 0 {
		scopes = run.client.scopes
	}
	if run.scopes, err = oauth.CheckScopes(d, scopes); err != nil {
		return err
	}
	if run.attempt, err = oauth.NewAttempt(d, run.client.oauth, run.scopes, s.config.Rand); err != nil {
		return err
	}
	s.known.Add(run.attempt.State())
	// A keychain that does not take the token is found now, not after the
	// person has signed in.
	if err := s.SelfTest(ctx); err != nil {
		return err
	}
	run.at("checked")
	run.step(Listening)
	run.answers = make(chan received, 1)
	if err := run.listen(ctx); err != nil {
		return err
	}
	run.at("listening")
	id := library.NewID(s.config.Rand)
	if run.unlock, err = s.lock(ctx, id); err != nil {
		return err
	}
	run.pending = library.Pending{AccountID: id, Gen: 1, AskedAt: s.config.Now()}
	if err := s.library.Begin(ctx, run.pending); err != nil {
		return err
	}
	run.begun = true
	if run.sealer, err = s.furnish(ctx); err != nil {
		return err
	}
	run.at("pending")
	return nil
}

// aim finds the account that is expected, and takes from it the app where the
// request names none.
func (run *signIn) aim(ctx context.Context) (expected library.Account, err error) {
	r := &run.request
	run.expect = r.Expect
	if r.ExpectAccount == "" {
		return expected, nil
	}
	if expected, err = run.service.library.Account(ctx, r.ExpectAccount); err != nil {
		return expected, err
	}
	run.expect = expected.Username
	if r.App != "" || r.ClientID != "" || r.Provider != "" && r.Provider != expected.Provider {
		return expected, nil
	}
	r.Provider = expected.Provider
	if r.App = run.service.appName(ctx, expected.AppID); r.App == "" {
		r.ClientID = expected.ClientID
	}
	return expected, nil
}

// furnish makes sure that the keychain has what a library needs beside its
// tokens: the sentinel, the sealing key, and the index with every id for which
// a token is or may come. Two processes take turns, or each would write an
// index without the other's sign-in.
//
// more are ids of which only the caller knows.
func (s *Service) furnish(ctx context.Context, more ...string) (*vault.Sealer, error) {
	unlock, err := s.lock(ctx, "keychain")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := vault.CheckSentinel(ctx, s.store, s.library.ID(), true); err != nil {
		return nil, err
	}
	sealer, err := s.sealer(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := s.library.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := s.library.Pendings(ctx)
	if err != nil {
		return nil, err
	}
	ids := more
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	for _, p := range waiting {
		ids = append(ids, p.AccountID)
	}
	return sealer, vault.PutIndex(ctx, s.store, s.library.ID(), ids)
}

func (run *signIn) listen(ctx context.Context) error {
	s := run.service
	if run.request.Receive != ReceiveListen && run.request.Receive != "" {
		return nil
	}
	address, err := redirect.Check(run.client.oauth.RedirectURI)
	if err != nil {
		return err
	}
	if !address.CanListen {
		if run.request.Receive == ReceiveListen {
			return problem.New(problem.RedirectNotHere, "host", address.Host)
		}
		return nil
	}
	var certificate *tls.Certificate
	if address.Scheme == "https" {
		if certificate, err = s.certificate(ctx); err != nil {
			return err
		}
	}
	// The listener outlives a cancelling that comes after the answer: it has
	// the true outcome to tell.
	listening, free := context.WithCancel(context.WithoutCancel(ctx))
	needed, over := context.WithCancel(ctx)
	run.over, run.freePort = over, free
	run.listener, err = s.listen(ctx, listening, needed, address.Port, redirect.Options{
		URI:         run.client.oauth.RedirectURI,
		Offer:       run.offer,
		Certificate: func() (*tls.Certificate, error) { return certificate, nil },
		Language:    s.config.Language,
		Strangers:   func(n int) { run.hear(func(h *news) { h.strangers = n }) },
		Log:         s.log,
		LocksDir:    s.portLocks(),
	})
	if err != nil {
		over()
		free()
		return err
	}
	run.announce(func(st *State) { st.Listens = true })
	return nil
}

// hear takes in what another goroutine has to say, and never waits: whoever
// floods the listener must not be able to stop it here.
func (run *signIn) hear(change func(*news)) {
	run.hearing.Lock()
	change(&run.heard)
	run.hearing.Unlock()
	select {
	case run.wake <- struct{}{}:
	default:
	}
}

// tellNews announces what was heard since the last time.
func (run *signIn) tellNews() {
	run.hearing.Lock()
	h := run.heard
	run.heard.refused, run.heard.browser = nil, nil
	run.hearing.Unlock()
	run.announce(func(st *State) {
		st.Strangers = h.strangers
		if h.refused != nil {
			st.Refused = h.refused
		}
		if h.browser != nil {
			st.BrowserProblem = h.browser
		}
	})
}

// offer judges an answer that came by the listener or the separate window.
func (run *signIn) offer(query secret.Text) redirect.Verdict {
	verdict, p := run.judge(query)
	if p != nil {
		run.hear(func(h *news) { h.refused = p })
	}
	return verdict
}

// judge reads one answer. The first that belongs to the attempt goes to the
// goroutine that waits; why another is not used is returned.
func (run *signIn) judge(query secret.Text) (redirect.Verdict, *problem.Problem) {
	code, err := run.attempt.Read(query.Reveal())
	if err != nil {
		p := problem.Of(err)
		if verdict, goesOn := verdicts[p.Key]; goesOn {
			return verdict, p
		}
	}
	run.service.known.Add(code)
	run.answers <- received{code, err} // never blocks: Read accepts once, the channel holds one
	return redirect.Accepted, nil
}

var verdicts = map[problem.Key]redirect.Verdict{
	problem.AnswerForeign:    redirect.Foreign,
	problem.IssMismatch:      redirect.Foreign,
	problem.AnswerDoubled:    redirect.Doubled,
	problem.AnswerIsToken:    redirect.NotAnAnswer,
	problem.AnswerIncomplete: redirect.NotAnAnswer,
	problem.AnswerUsed:       redirect.Used,
}

// receive opens the browser and waits for the answer, whichever way it comes.
func (run *signIn) receive(ctx context.Context) (secret.Text, error) {
	r := run.request
	now := run.service.config.Now
	// Round takes the monotonic reading off: it stands still while a computer
	// sleeps (golang/go#24595), and so would a deadline that carries one.
	began := now().Round(0)
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	deadline := began.Add(min(timeout, maxTimeout))
	address := run.attempt.AuthorizeURL()
	host := ""
	if u, err := url.Parse(address); err == nil {
		host = u.Host
	}
	run.announce(func(st *State) {
		st.Step, st.Deadline, st.AuthorizeURL, st.AuthorizeHost = Waiting, deadline, secret.New(address), host
	})
	run.at("waiting")
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	closed, err := run.openBrowser(waiting, address)
	if err != nil {
		return secret.Text{}, err
	}
	// The timer ends the waiting to the moment, the wall clock after a sleep.
	timer := time.NewTimer(deadline.Sub(now().Round(0)))
	defer timer.Stop()
	wall := time.NewTicker(glance)
	defer wall.Stop()
	pasted, extend := r.Pasted, r.Extend
	for {
		select {
		case got := <-run.answers:
			return run.answered(got)
		case text, open := <-pasted:
			if !open {
				pasted = nil
				continue
			}
			run.paste(text)
		case <-run.wake:
			run.tellNews()
		case more, open := <-extend:
			if !open {
				extend = nil
				continue
			}
			deadline = minTime(deadline.Add(max(more, 0)), now().Round(0).Add(maxTimeout))
			timer.Reset(deadline.Sub(now().Round(0)))
			run.announce(func(st *State) { st.Deadline = deadline })
		case <-closed:
			return run.orElse(run.window.Err())
		case <-wall.C:
			if now().Round(0).After(deadline) {
				return run.orElse(tooLate(deadline.Sub(began)))
			}
		case <-timer.C:
			return run.orElse(tooLate(deadline.Sub(began)))
		case <-ctx.Done():
			return secret.Text{}, ctx.Err()
		}
	}
}

func (run *signIn) answered(got received) (secret.Text, error) {
	run.accepted = true
	run.at("answered")
	run.announce(func(st *State) { st.Step, st.Refused = Answered, nil })
	if got.err != nil {
		run.tell(outcomeOf(got.err))
	}
	return got.code, got.err
}

// orElse ends the waiting with err, unless an answer was taken at that very
// moment: no deadline throws one away (ruling 8).
func (run *signIn) orElse(err error) (secret.Text, error) {
	select {
	case got := <-run.answers:
		return run.answered(got)
	default:
	}
	if err == nil {
		err = problem.New(problem.BrowserClosed)
	}
	return secret.Text{}, err
}

// tooLate names whole minutes, and no time at all where it was less than one.
func tooLate(waited time.Duration) error {
	if waited < time.Minute {
		return problem.New(problem.DeadlinePassed)
	}
	return problem.New(problem.DeadlinePassed, "minutes", strconv.Itoa(int(waited.Round(time.Minute)/time.Minute)))
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func outcomeOf(err error) redirect.Outcome {
	if problem.Has(err, problem.Denied) {
		return redirect.Denied
	}
	return redirect.Unfinished
}

// openBrowser starts the chosen window. A browser that does not open is no
// failure: the link can be copied and the address pasted.
func (run *signIn) openBrowser(ctx context.Context, address string) (<-chan struct{}, error) {
	r := run.request
	choice := r.Browser
	if r.Receive == ReceiveWindow {
		choice = BrowserSeparate
	}
	switch choice {
	case BrowserNone:
	case BrowserSeparate:
		program, ok := browser.FindSeparate()
		if !ok {
			return nil, problem.New(problem.BrowserAbsent)
		}
		window, err := browser.OpenWindow(ctx, program, address, run.client.oauth.RedirectURI, func(query secret.Text) bool {
			return run.offer(query) == redirect.Accepted
		})
		if err != nil {
			return nil, err
		}
		run.window = window
		return window.Done(), nil
	default:
		go func() {
			if err := run.service.config.Open(ctx, address); err != nil && ctx.Err() == nil {
				p := problem.Of(err)
				run.hear(func(h *news) { h.browser = p })
			}
		}()
	}
	return nil, nil
}

// paste offers what a person pasted; a text that is no answer of this attempt
// is announced and the attempt goes on.
func (run *signIn) paste(text string) {
	query, err := redirect.ReadPaste(text, run.client.oauth.RedirectURI)
	p := problem.Of(err)
	if p == nil {
		_, p = run.judge(query)
	}
	if p != nil {
		run.announce(func(st *State) { st.Refused = p })
	}
}

// redeem turns the code into proven tokens. asking ends what is asked of the
// person, and nothing else any more.
func (run *signIn) redeem(asking context.Context, code secret.Text) ([]Account, error) {
	ctx := context.WithoutCancel(asking)
	s := run.service
	run.step(Exchanging)
	token, err := s.client(run.client.definition).Exchange(ctx, run.attempt, code)
	if err != nil {
		return nil, err
	}
	s.known.Add(token.Access, token.Refresh)
	run.at("exchanged")
	a := answer{
		Provider: run.client.definition.ID, ClientID: run.client.oauth.ClientID, RedirectURI: run.client.oauth.RedirectURI,
		ScopesAsked: run.scopes, KeepSecret: run.client.keep, Expect: run.expect, ExpectUser: run.expectUser,
		Decides: run.request.Decide != nil, ConfigID: run.client.oauth.ConfigID,
		Endpoints: run.client.definition.EndpointsSHA256(),
	}
	if run.client.saved != nil {
		a.AppID, a.AppName = run.client.saved.ID, run.client.saved.Name
	} else if run.request.App != "" {
		a.AppName = problem.Outside(run.request.App, maxName)
	}
	a.take(token)
	c := &completion{
		pending: run.pending, sealer: run.sealer, answer: a, attempt: run.attempt, secret: run.client.oauth.ClientSecret,
		step: run.step, ask: run.ask(asking), choose: run.choose(asking), show: run.show,
	}
	s.hold(c)
	// Until complete has said otherwise: a panic on its way must not take the
	// sealed row with it.
	run.held = true
	done, err := s.complete(ctx, c)
	run.held = done.held
	if !run.held {
		s.letGo(c)
	}
	if err != nil {
		return nil, err
	}
	run.begun = false
	run.announce(func(st *State) { st.Notices, st.SecretKept = done.notices, done.secretKept })
	return done.accounts, nil
}

// tell gives the browser's page the true outcome.
func (run *signIn) tell(outcome redirect.Outcome) {
	if run.listener != nil {
		run.listener.Finish(outcome)
	}
}

// release ends what the attempt holds, but for the listener: it still has the
// outcome page to serve.
func (run *signIn) release() {
	run.over()
	if run.window != nil {
		_ = run.window.Close()
	}
	if run.begun && !run.held {
		// The attempt ended without a token: its row would be taken for an
		// interrupted sign-in at the next start.
		if err := run.service.library.Drop(context.Background(), run.pending.AccountID, run.pending.Gen); err != nil {
			run.service.log.Warn("pending row not dropped", "err", err)
		}
	}
	if run.unlock != nil {
		run.unlock()
	}
}

// leave waits, bounded, until the browser has its page, then frees the port.
func (run *signIn) leave() {
	if run.listener == nil {
		return
	}
	if run.accepted {
		select {
		case <-run.listener.Done():
		case <-time.After(farewell):
		}
	}
	run.listener.Close()
	run.freePort()
}
