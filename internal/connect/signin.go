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
)

// Points are the names of the moments at which Config.At is called, in order.
var Points = []string{
	"checked", "listening", "pending", "waiting", "answered", "exchanged", "sealed-short",
	"extended", "sealed-long", "identified", "app-saved", "item-written", "finished",
}

// Connect carries one sign-in from the setup to a proven token. It blocks
// until the attempt is over; observe may be nil. Cancelling ctx stops it at
// once until the code is used, and no longer after. Problems: everything in
// the table but those of accounts; the pending row of a token that arrived and
// could not be saved stays for Recover (State.Held).
func (s *Service) Connect(ctx context.Context, r Request, observe func(State)) (Account, error) {
	run := &signIn{service: s, request: r, observe: observe, state: State{Step: Checking}}
	if run.observe == nil {
		run.observe = func(State) {}
	}
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

// signIn is one attempt on its way. Its goroutine owns everything but state.
type signIn struct {
	service *Service
	request Request
	observe func(State)

	mu    sync.Mutex
	state State

	client   client
	scopes   []string
	attempt  *oauth.Attempt
	listener *redirect.Listener
	window   *browser.Window
	sealer   *vault.Sealer
	pending  library.Pending
	begun    bool
	held     bool
	// accepted: an answer was taken, so a browser is waiting for its page.
	accepted bool
	unlock   func()
	answers  chan received
	events   chan func(*State)
}

// received is the one answer that belongs to the attempt.
type received struct {
	code secret.Text
	err  error
}

func (run *signIn) announce(change func(*State)) {
	run.mu.Lock()
	before := run.state.Step
	change(&run.state)
	now := run.state
	run.mu.Unlock()
	if now.Step != before {
		run.service.log.Info("sign-in", "step", now.Step)
	}
	run.observe(now)
}

func (run *signIn) step(step Step) { run.announce(func(st *State) { st.Step = step }) }

func (run *signIn) at(point string) { run.service.config.At(point) }

func (run *signIn) do(ctx context.Context) (Account, error) {
	defer run.release()
	if err := run.prepare(ctx); err != nil {
		return Account{}, cancelled(ctx, err)
	}
	code, err := run.receive(ctx)
	if err != nil {
		return Account{}, cancelled(ctx, err)
	}
	// The code is in hand: from here the person's minutes are spent, and only
	// the requests' own limits end the work.
	account, err := run.redeem(context.WithoutCancel(ctx), code)
	if err != nil {
		run.tell(redirect.Unfinished)
		return Account{}, err
	}
	run.tell(redirect.Connected)
	run.announce(func(st *State) { st.Step, st.Account = Connected, &account })
	return account, nil
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
	var err error
	if run.client, err = s.check(ctx, r.Setup, true); err != nil {
		return err
	}
	d := run.client.definition
	run.announce(func(st *State) { st.Provider, st.RedirectURI = d.Name, run.client.oauth.RedirectURI })
	scopes := r.Scopes
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
	if err := vault.CheckSentinel(ctx, s.store, s.library.ID(), true); err != nil {
		return err
	}
	if run.sealer, err = s.sealer(ctx); err != nil {
		return err
	}
	id := library.NewID(s.config.Rand)
	if err := s.index(ctx, id); err != nil {
		return err
	}
	run.at("checked")
	run.step(Listening)
	run.answers = make(chan received, 1)
	run.events = make(chan func(*State), 64)
	if err := run.listen(ctx); err != nil {
		return err
	}
	run.at("listening")
	if run.unlock, err = library.Lock(ctx, s.root(), id); err != nil {
		return err
	}
	run.pending = library.Pending{AccountID: id, Gen: 1, AskedAt: s.config.Now()}
	if err := s.library.Begin(ctx, run.pending); err != nil {
		return err
	}
	run.begun = true
	run.at("pending")
	return nil
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
		if certificate, err = s.tls.certificate(ctx); err != nil {
			return err
		}
	}
	run.listener, err = redirect.Listen(ctx, redirect.Options{
		URI:         run.client.oauth.RedirectURI,
		Offer:       run.offer,
		Certificate: func() (*tls.Certificate, error) { return certificate, nil },
		Language:    s.config.Language,
		Strangers:   func(n int) { run.post(func(st *State) { st.Strangers = n }) },
		Log:         s.log,
		LocksDir:    s.locks(),
	})
	if err == nil {
		run.announce(func(st *State) { st.Listens = true })
	}
	return err
}

// post hands a change to the goroutine that waits. It never blocks: an
// attacker who floods the listener must not be able to stop it here.
func (run *signIn) post(change func(*State)) {
	select {
	case run.events <- change:
	default:
	}
}

// offer judges one answer, from whichever way it came.
func (run *signIn) offer(query secret.Text) redirect.Verdict {
	code, err := run.attempt.Read(query.Reveal())
	if err != nil {
		p := problem.Of(err)
		switch p.Key {
		case problem.AnswerForeign, problem.AnswerDoubled, problem.AnswerIsToken, problem.AnswerIncomplete, problem.AnswerUsed:
			run.post(func(st *State) { st.Refused = p })
			return verdicts[p.Key]
		}
	}
	run.service.known.Add(code)
	run.answers <- received{code, err} // never blocks: Read accepts once, the channel holds one
	return redirect.Accepted
}

var verdicts = map[problem.Key]redirect.Verdict{
	problem.AnswerForeign:    redirect.Foreign,
	problem.AnswerDoubled:    redirect.Doubled,
	problem.AnswerIsToken:    redirect.NotAnAnswer,
	problem.AnswerIncomplete: redirect.NotAnAnswer,
	problem.AnswerUsed:       redirect.Used,
}

// receive opens the browser and waits for the answer, whichever way it comes.
func (run *signIn) receive(ctx context.Context) (secret.Text, error) {
	r := run.request
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	deadline := run.service.config.Now().Add(min(timeout, maxTimeout))
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
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	// The wall clock decides, not the timer alone: timers stand still while a
	// computer sleeps (security.md 7.2, suspend).
	wall := time.NewTicker(15 * time.Second)
	defer wall.Stop()
	for {
		select {
		case got := <-run.answers:
			run.accepted = true
			run.at("answered")
			run.announce(func(st *State) { st.Step, st.Refused = Answered, nil })
			if got.err != nil {
				run.tell(outcomeOf(got.err))
			}
			return got.code, got.err
		case text := <-r.Pasted:
			run.paste(text)
			// Its refusal is told before the next text is looked at.
			for more := true; more; {
				select {
				case change := <-run.events:
					run.announce(change)
				default:
					more = false
				}
			}
		case change := <-run.events:
			run.announce(change)
		case more := <-r.Extend:
			deadline = minTime(deadline.Add(max(more, 0)), run.service.config.Now().Add(maxTimeout))
			timer.Reset(time.Until(deadline))
			run.announce(func(st *State) { st.Deadline = deadline })
		case <-closed:
			return secret.Text{}, run.window.Err()
		case <-wall.C:
			if run.service.config.Now().After(deadline) {
				return secret.Text{}, run.tooLate(min(timeout, maxTimeout))
			}
		case <-timer.C:
			return secret.Text{}, run.tooLate(min(timeout, maxTimeout))
		case <-ctx.Done():
			return secret.Text{}, ctx.Err()
		}
	}
}

func (run *signIn) tooLate(timeout time.Duration) error {
	return problem.New(problem.DeadlinePassed, "minutes", strconv.Itoa(int((timeout+time.Minute-1)/time.Minute)))
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
				run.post(func(st *State) { st.BrowserProblem = p })
			}
		}()
	}
	return nil, nil
}

// paste offers what a person pasted; a text that is no answer of this attempt
// is announced and the attempt goes on.
func (run *signIn) paste(text string) {
	query, err := redirect.ReadPaste(text, run.client.oauth.RedirectURI)
	if err != nil {
		p := problem.Of(err)
		run.announce(func(st *State) { st.Refused = p })
		return
	}
	run.offer(query)
}

// redeem turns the code into a proven token.
func (run *signIn) redeem(ctx context.Context, code secret.Text) (Account, error) {
	s := run.service
	run.step(Exchanging)
	token, err := s.client(run.client.definition).Exchange(ctx, run.attempt, code)
	if err != nil {
		return Account{}, err
	}
	s.known.Add(token.Access, token.Refresh)
	run.at("exchanged")
	a := answer{
		Provider: run.client.definition.ID, ClientID: run.client.oauth.ClientID, RedirectURI: run.client.oauth.RedirectURI,
		ScopesAsked: run.scopes, KeepSecret: run.client.keep, Expect: run.request.Expect,
	}
	if run.client.saved != nil {
		a.AppID = run.client.saved.ID
	} else if run.request.App != "" {
		a.AppName = problem.Outside(run.request.App, maxName)
	}
	a.take(token)
	done, err := s.complete(ctx, &completion{
		pending: run.pending, sealer: run.sealer, answer: a, attempt: run.attempt, secret: run.client.oauth.ClientSecret,
		step: run.step,
	})
	run.held = done.held
	if err != nil {
		return Account{}, err
	}
	run.begun = false
	run.announce(func(st *State) { st.Notices, st.SecretKept = done.notices, done.secretKept })
	return done.account, nil
}

// index writes the list of ids beside the tokens, with the one to come, so
// that a lost library can be rebuilt from the keychain alone.
func (s *Service) index(ctx context.Context, coming string) error {
	accounts, err := s.library.Accounts(ctx)
	if err != nil {
		return err
	}
	ids := []string{coming}
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	return vault.PutIndex(ctx, s.store, s.library.ID(), ids)
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
}
