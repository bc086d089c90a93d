package connect

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// Outcome is how a renewal went. The values are a contract.
type Outcome string

// Every outcome. Only RenewFailed has a Problem.
const (
	// Renewed: the provider gave a token and it is stored.
	Renewed Outcome = "renewed"
	// NotDue: more than 20 days are left, it was tried within a day, or only a
	// sign-in can help.
	NotDue Outcome = "not_due"
	// TooYoung: the provider does not renew a token of this age yet.
	TooYoung Outcome = "too_young"
	// AlreadyRenewed: another process was faster.
	AlreadyRenewed Outcome = "already"
	// RenewWaiting: the last try failed and the wait after it is not over.
	RenewWaiting Outcome = "waiting"
	// RenewFailed: the provider said no, or nothing.
	RenewFailed Outcome = "failed"
)

// Renewal is the result of one Renew.
type Renewal struct {
	Account Account
	Outcome Outcome
	// Problem is set with RenewFailed.
	Problem *problem.Problem
	// Next is the earliest moment of the next try, nil when there is none.
	Next *time.Time
}

// RenewOptions tells who asks.
type RenewOptions struct {
	// OnlyDue is for what runs by itself (the timer, the window's loop): only a
	// due account, at most once a day, and the wait after a failure is kept.
	// Where nothing can be locked it is refused, since nobody watches.
	OnlyDue bool
	// seen is the generation of the token that the caller found wanting, 0: none.
	// Where another one is stored by now the provider is not asked.
	seen int64
}

// Checked is what asking the provider about an account showed.
type Checked struct {
	Account Account
	// Works: the provider took the token.
	Works bool
	// Problem is why it did not, or why nobody knows.
	Problem *problem.Problem
	At      time.Time
}

// RenewPoints are the named points of a renewal, in order, at which Config.At
// is called: the account's lock is held; the row for the answer is on the disk;
// the answer is in memory; it is on the disk, sealed; the keychain has the new
// token; the library has it.
var RenewPoints = []string{"renew-locked", "renew-pending", "renew-answered", "renew-sealed", "renew-item-written", "renew-finished"}

const (
	// dueBefore is how long before its end a token is due (ruling 9).
	dueBefore = 20 * day
	// shortOfLife is up to which life a token is due when two thirds of it are
	// over: 20 days before its end would be always or never.
	shortOfLife = 40 * day
	// onceADay is the least time from one try to the next: a timer that runs once
	// a day wanders by an hour or two, and must not be a minute early for ever.
	onceADay = 20 * time.Hour
	// mostWait bounds every wait; a longer one on the disk was written by a
	// clock that was wrong.
	mostWait = day
	// firstWait doubles with every failure; from the seventh on it is an hour.
	firstWait = 2 * time.Minute
	// leastWait keeps an account from being asked about more than once a minute.
	leastWait  = time.Minute
	quickTries = 6
	// doubt is how long to wait before a refusal without a reason is believed: a
	// provider's copy of its own tokens may lag (security.md 7.2).
	doubt = 5 * time.Second
)

// Renew asks the provider for a new token of one account and stores it, in the
// order of the package comment. A provider's no is an Outcome with a Problem;
// an error is what kept us from asking or from keeping: the references of
// Account, lock.held, lock.unavailable (OnlyDue), those of the keychain and the
// library. After an error an answer that had arrived waits for Recover.
//
// From the moment the provider is asked, the cancelling of ctx no longer
// counts: its answer may be the only token there is.
func (s *Service) Renew(ctx context.Context, ref string, o RenewOptions) (Renewal, error) {
	before, err := s.find(ctx, ref)
	if err != nil {
		return Renewal{}, err
	}
	if o.seen != 0 && before.Gen != o.seen {
		return s.renewal(ctx, before.ID, AlreadyRenewed, nil)
	}
	stood, err := s.library.Renewal(ctx, before.ID)
	if err != nil {
		return Renewal{}, err
	}
	d, err := s.definition(before.Provider)
	if err != nil {
		return Renewal{}, err
	}
	stood = s.mendClock(ctx, before.ID, stood)
	if done := s.spare(before, stood, d, o); done != "" {
		return s.renewal(ctx, before.ID, done, nil)
	}
	unlock, err := s.single(ctx, before.ID, o.OnlyDue)
	if err != nil {
		return Renewal{}, err
	}
	defer unlock()
	s.config.At("renew-locked")

	began, err := s.finishAccount(ctx, before.ID)
	if err != nil {
		return Renewal{}, err
	}
	row, err := s.library.Account(ctx, before.ID)
	if err != nil {
		return Renewal{}, err
	}
	standing, err := s.library.Renewal(ctx, before.ID)
	if err != nil {
		return Renewal{}, err
	}
	switch {
	case row.Gen != before.Gen:
		return s.renewal(ctx, row.ID, AlreadyRenewed, nil)
	case !sameTime(standing.TriedAt, stood.TriedAt) && row.LastAnswer != "":
		return s.renewal(ctx, row.ID, RenewFailed, s.refusal(row, d))
	case !sameTime(standing.TriedAt, stood.TriedAt):
		// Somebody asked while we waited for the lock: once is enough.
		return s.renewal(ctx, row.ID, RenewWaiting, nil)
	}
	if done := s.spare(row, standing, d, o); done != "" && !began {
		return s.renewal(ctx, row.ID, done, nil)
	}
	outcome, p, err := s.renewLocked(ctx, row, d)
	if err != nil {
		return Renewal{}, err
	}
	return s.renewal(context.WithoutCancel(ctx), row.ID, outcome, p)
}

// spare tells why the provider need not be asked, "" when it is to be.
func (s *Service) spare(row library.Account, standing library.Renewal, d provider.Definition, o RenewOptions) Outcome {
	now := s.config.Now()
	if !o.OnlyDue {
		// An issue far in the future is a clock that was put right since: nothing
		// follows from it, and least of all that the token is young.
		if row.IssuedAt != nil && !d.Renew.Empty() && !farAhead(*row.IssuedAt, now) && now.Before(row.IssuedAt.Add(d.Renew.After)) {
			return TooYoung
		}
		return ""
	}
	if row.LastAnswer != "" {
		return NotDue
	}
	due := dueAt(row, standing, d, now)
	switch {
	case due == nil || now.Before(*due):
		return NotDue
	case standing.NextAt != nil && now.Before(*standing.NextAt):
		return RenewWaiting
	case standing.NextAt == nil && standing.TriedAt != nil && now.Before(standing.TriedAt.Add(onceADay)):
		return NotDue
	}
	return ""
}

// dueAt is when a token is due, nil when it never is. An end that is our guess
// is not waited for, nor one that was counted by a clock that was ahead. Where
// nobody ever states an end, as some servers do, asking would not tell it.
func dueAt(row library.Account, standing library.Renewal, d provider.Definition, now time.Time) *time.Time {
	after := renewAfter(row, standing, d, now)
	if after == nil || row.ExpiresAt == nil && !row.Estimated && !d.Meta() {
		return nil
	}
	if row.Estimated || row.ExpiresAt == nil || row.IssuedAt != nil && farAhead(*row.IssuedAt, now) {
		return after
	}
	before := dueBefore
	if row.IssuedAt != nil {
		if life := row.ExpiresAt.Sub(*row.IssuedAt); life <= shortOfLife {
			before = life / 3
		}
	}
	due := row.ExpiresAt.Add(-before)
	if due.Before(*after) {
		due = *after
	}
	return &due
}

// renewAfter is the first moment at which the provider would renew: its age
// limit after the issue, or now where an issue is not known, far ahead, or
// long past while the end is an estimate (contract, "import").
func renewAfter(row library.Account, standing library.Renewal, d provider.Definition, now time.Time) *time.Time {
	if !renewable(row, standing, d) {
		return nil
	}
	now = now.UTC().Truncate(time.Second)
	if row.IssuedAt == nil || farAhead(*row.IssuedAt, now) {
		return &now
	}
	t := row.IssuedAt.Add(d.Renew.After)
	if (row.Estimated || row.ExpiresAt == nil) && t.Before(now) {
		t = now
	}
	return &t
}

// renewable reports a token that the provider renews: a long-lived one, or one of
// any life that has a refresh token where that is what is asked for.
func renewable(row library.Account, standing library.Renewal, d provider.Definition) bool {
	if d.Refreshes() {
		return standing.Refreshes
	}
	return !d.Renew.Empty() && !short(row)
}

// farAhead reports an issue that a wrong clock wrote down. Up to a day it may as
// well be a clock that was put right a little since the sign-in: then the token
// is young, and its dates are about right.
func farAhead(issued, now time.Time) bool { return issued.After(now.Add(day)) }

// short reports a token that could not be made long-lived.
func short(row library.Account) bool {
	return row.IssuedAt != nil && row.ExpiresAt != nil && row.ExpiresAt.Sub(*row.IssuedAt) <= oneHourAtMost
}

// mendClock puts right what a clock that was ahead has left: a try in the
// future counts as one of now, and a wait of more than a day is over. It is
// written down, or the future would move along with now.
func (s *Service) mendClock(ctx context.Context, id string, r library.Renewal) library.Renewal {
	now := s.config.Now()
	ahead := r.TriedAt != nil && r.TriedAt.After(now)
	long := r.NextAt != nil && r.NextAt.Sub(now) > mostWait
	if !ahead && !long {
		return r
	}
	mend := func(r *library.Renewal) {
		if r.TriedAt != nil && r.TriedAt.After(now) {
			at := now.UTC().Truncate(time.Millisecond)
			r.TriedAt = &at
		}
		if r.NextAt != nil && r.NextAt.Sub(now) > mostWait {
			r.NextAt = nil
		}
	}
	if err := s.library.SetRenewal(ctx, id, mend); err != nil {
		s.log.Warn("renewal not put right", "err", err)
	}
	mend(&r)
	return r
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// single lets one goroutine of this process, and where files can be locked one
// process, work on an account.
func (s *Service) single(ctx context.Context, id string, needed bool) (unlock func(), err error) {
	s.mu.Lock()
	turn, ok := s.turns[id]
	if !ok {
		turn = make(chan struct{}, 1)
		s.turns[id] = turn
	}
	s.mu.Unlock()
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	take := s.lock
	if needed {
		take = func(ctx context.Context, id string) (func(), error) { return library.Lock(ctx, s.root(), id) }
	}
	free, err := take(ctx, id)
	if err != nil {
		<-turn
		return nil, err
	}
	return func() { free(); <-turn }, nil
}

// renewal reads the account again and tells how it went.
func (s *Service) renewal(ctx context.Context, id string, outcome Outcome, p *problem.Problem) (Renewal, error) {
	account, err := s.Account(ctx, id)
	if err != nil {
		return Renewal{}, err
	}
	r := Renewal{Account: account, Outcome: outcome, Problem: p}
	now := s.config.Now()
	switch {
	case outcome == TooYoung:
		r.Next = account.RenewAfter
	case account.NextTry != nil && account.NextTry.After(now):
		r.Next = account.NextTry
	case account.DueAt != nil:
		next := *account.DueAt
		if account.TriedAt != nil && next.Before(account.TriedAt.Add(onceADay)) {
			next = account.TriedAt.Add(onceADay)
		}
		r.Next = &next
	}
	return r, nil
}

func (s *Service) refusal(row library.Account, d provider.Definition) *problem.Problem {
	return problem.New(problem.Key(row.LastAnswer), "username", row.Username, "provider", d.Name)
}

// pendingOf gives the account's request that waits for its answer to be stored.
func (s *Service) pendingOf(ctx context.Context, id string) (library.Pending, bool, error) {
	rows, err := s.library.Pendings(ctx)
	if err != nil {
		return library.Pending{}, false, err
	}
	i := slices.IndexFunc(rows, func(p library.Pending) bool { return p.AccountID == id })
	if i < 0 {
		return library.Pending{}, false, nil
	}
	return rows[i], true, nil
}

// finishAccount finishes what waits for an account, until nothing does. The
// account's lock is held. began: a request was sent whose answer nobody has, so
// the provider is to be asked once more at once.
func (s *Service) finishAccount(ctx context.Context, id string) (began bool, err error) {
	for {
		row, found, err := s.pendingOf(ctx, id)
		if err != nil {
			return false, err
		}
		c := s.heldFor(id)
		switch {
		case c != nil && !found && c.sealed:
			// Another process finished it from its row.
			s.letGo(c)
			return began, nil
		case c == nil && !found:
			return began, nil
		case c == nil:
			c, err = s.openRow(ctx, row)
		}
		if errors.Is(err, errLost) {
			account, err := s.library.Account(ctx, id)
			if err != nil {
				return began, err
			}
			began = row.Gen == account.Gen+1
			if began && row.Sealed == nil {
				// The row stays: the next request needs the same one.
				return began, nil
			}
			err = s.library.Drop(ctx, row.AccountID, row.Gen)
			if err != nil {
				return began, err
			}
			continue
		}
		if err != nil || !c.answer.Renewal {
			return began, err
		}
		if err := s.saveRenewal(ctx, c); err != nil {
			return began, err
		}
		began = false
	}
}

// renewLocked asks and stores. The account's lock is held and nothing of it
// waits to be finished, except a request without an answer.
func (s *Service) renewLocked(ctx context.Context, row library.Account, d provider.Definition) (Outcome, *problem.Problem, error) {
	// The item first: it proves that the keychain is open and the one we know,
	// so that the sealing key is neither missing nor made anew.
	item, err := s.item(ctx, row)
	if err != nil {
		return "", nil, err
	}
	s.known.Add(item.AccessToken, item.RefreshToken)
	if item.Gen > row.Gen {
		// The keychain is ahead: whoever wrote it could not write the library.
		return AlreadyRenewed, nil, s.catchUp(ctx, row, item, false)
	}
	app, err := s.renewingApp(ctx, row, d)
	if err != nil {
		return "", nil, err
	}
	if p := s.impossible(row, item, d, app); p != nil {
		s.renewFailed(ctx, row, library.Pending{AccountID: row.ID, Gen: row.Gen + 1}, p)
		return RenewFailed, p, nil
	}
	sealer, err := s.keptSealer(ctx)
	if err != nil {
		return "", nil, err
	}
	pending := library.Pending{AccountID: row.ID, Gen: row.Gen + 1, AskedAt: s.config.Now()}
	if err := s.library.Begin(ctx, pending); err != nil {
		return "", nil, err
	}
	s.config.At("renew-pending")
	ctx = context.WithoutCancel(ctx)
	token, err := s.askTwice(ctx, row, item, d, app)
	if errors.Is(err, errFaster) {
		return AlreadyRenewed, nil, s.library.Drop(ctx, row.ID, pending.Gen)
	}
	if err != nil {
		p := problem.Of(err)
		s.renewFailed(ctx, row, pending, p)
		return RenewFailed, p, nil
	}
	s.known.Add(token.Access, token.Refresh)
	c := &completion{pending: pending, sealer: sealer, step: func(Step) {}}
	c.answer = answer{
		Renewal: true, Provider: row.Provider, ClientID: row.ClientID, AppID: row.AppID, ScopesAsked: row.ScopesAsked,
		Person: &person{UserID: row.UserID, Username: row.Username, Kind: row.Kind, Posts: -1},
	}
	c.answer.take(token)
	if c.answer.ExpiresAt == nil && d.Meta() {
		end := c.answer.SentAt.Add(longLife)
		c.answer.ExpiresAt, c.answer.Estimated = &end, true
	}
	s.hold(c)
	s.config.At("renew-answered")
	s.seal(ctx, c)
	s.config.At("renew-sealed")
	if err := s.saveRenewal(ctx, c); err != nil {
		return "", nil, err
	}
	return Renewed, nil, nil
}

// impossible tells what no request is needed for.
func (s *Service) impossible(row library.Account, item vault.Item, d provider.Definition, app oauth.App) *problem.Problem {
	switch {
	case d.Renew.Secret && !d.Renew.Public && app.ClientSecret.Empty():
		return problem.New(problem.SecretMissing, "provider", d.Name)
	case short(row) && d.Meta(), !oauth.Renewable(d, held(item), app):
		return problem.New(problem.RenewImpossible, "provider", d.Name, "username", row.Username)
	}
	return nil
}

func held(item vault.Item) oauth.Token {
	return oauth.Token{
		Access: item.AccessToken, Refresh: item.RefreshToken, Type: item.TokenType, Scopes: item.Scope,
		ScopesKnown: len(item.Scope) > 0, UserID: item.UserID, Long: true,
	}
}

// renewingApp gives what the renewal says about the app, and its kept secret
// where the definition sends it, to the addresses that it was given for.
func (s *Service) renewingApp(ctx context.Context, row library.Account, d provider.Definition) (oauth.App, error) {
	app := oauth.App{ClientID: row.ClientID}
	if !d.Renew.Secret || row.AppID == "" {
		return app, nil
	}
	saved, err := s.library.App(ctx, row.AppID)
	if problem.Has(err, problem.AppUnknown) {
		return app, nil
	}
	if err != nil || !saved.SecretKept || saved.EndpointsSHA256 != s.fingerprint(row.Provider) {
		return app, err
	}
	kept, err := s.store.Get(ctx, clientItem(saved.ID))
	if errors.Is(err, vault.ErrNotFound) {
		return app, nil
	}
	if err == nil {
		s.known.Add(kept)
		app.ClientSecret = kept
	}
	return app, err
}

// errFaster: the store has a newer token than the one that was refused.
var errFaster = errors.New("connect: another token is stored by now")

// askTwice asks, and once more where the first answer cannot be the last word:
// none came although the request went out (a provider that changes its tokens
// may have done so, and what helps then helps for minutes), or a refusal that
// may be a lagging copy's.
func (s *Service) askTwice(ctx context.Context, row library.Account, item vault.Item, d provider.Definition, app oauth.App) (oauth.Token, error) {
	ask := func() (oauth.Token, error) {
		return proved(ctx, s, d, row.AppID, func(c *oauth.Client) (oauth.Token, error) { return c.Renew(ctx, d, held(item), app) })
	}
	token, err := ask()
	switch {
	case problem.Has(err, problem.NetworkCut):
		token, err = ask()
	case s.doubtful(row, err):
		now, readErr := s.item(ctx, row)
		if readErr != nil {
			return token, err
		}
		if now.Gen != item.Gen || !now.AccessToken.Equal(item.AccessToken) {
			return token, errFaster
		}
		s.config.Wait(ctx, doubt)
		token, err = ask()
	}
	if problem.Has(err, problem.NetworkCut) {
		// Its sentences are about a code.
		cut := problem.Of(err)
		err = problem.New(problem.NetworkUnreachable, "provider", cut.Args["provider"], "host", cut.Args["host"]).Because(cut.Cause)
	}
	return token, err
}

// doubtful reports a refusal that is believed the second time only: one
// without a reason, and "it has ended" before the end that we know.
func (s *Service) doubtful(row library.Account, err error) bool {
	switch {
	case problem.Has(err, problem.TokenRefused):
		return true
	case problem.Has(err, problem.TokenEnded):
		return row.ExpiresAt != nil && !row.Estimated && row.ExpiresAt.After(s.config.Now())
	}
	return false
}

// means reports the answers after which only a sign-in helps (TOK-11).
func means(key problem.Key) bool {
	switch key {
	case problem.TokenEnded, problem.PasswordChanged, problem.AccessRemoved, problem.SecurityCheck, problem.TokenRefused, problem.RefreshEnded:
		return true
	}
	return false
}

// passing reports what is likely to be over soon; the next try waits by the
// clock and not for a day.
func passing(p *problem.Problem) bool {
	return p.Kind == problem.Network || p.Key == problem.NetworkSlow || p.Key == problem.SignInCancelled
}

// renewFailed writes down that it did not work. The token and its dates stay
// as they are.
func (s *Service) renewFailed(ctx context.Context, row library.Account, pending library.Pending, p *problem.Problem) {
	now := s.config.Now().UTC().Truncate(time.Millisecond)
	err := s.library.UpdateRenewal(ctx, row.ID, func(a *library.Account) {
		if a.Gen != row.Gen {
			return
		}
		if means(p.Key) {
			a.LastAnswer = string(p.Key)
		}
		if a.FailedSince == nil {
			a.FailedSince = &now
		}
	}, func(r *library.Renewal) {
		r.TriedAt, r.NextAt = &now, nil
		r.Tries++
		if passing(p) {
			next := now.Add(s.wait(p, r.Tries))
			r.NextAt = &next
		}
	}, s.worthNoting(ctx, row.ID, now, p)...)
	if err != nil {
		s.log.Warn("failure not written", "err", err)
	}
	if err := s.library.Drop(ctx, pending.AccountID, pending.Gen); err != nil {
		s.log.Warn("pending row not dropped", "err", err)
	}
	s.log.Info("not renewed", "account", row.ID, "key", string(p.Key))
}

// worthNoting keeps hourly tries from filling the diary: the same reason is
// written once a day.
func (s *Service) worthNoting(ctx context.Context, id string, now time.Time, p *problem.Problem) []library.Entry {
	last, err := s.library.Diary(ctx, id, 1, 0)
	if err == nil && len(last) == 1 && last[0].Event == "renew_failed" && last[0].Args["reason"] == string(p.Key) {
		if since := now.Sub(last[0].At); since >= 0 && since < day {
			return nil
		}
	}
	return []library.Entry{{AccountID: id, At: now, Event: "renew_failed", Args: map[string]string{"reason": string(p.Key)}}}
}

// wait is how long after the given number of failures in a row the next try
// comes: what the provider named, up to a day; else exponential with full
// jitter for six tries, then an hour (TOK-12).
func (s *Service) wait(p *problem.Problem, tries int) time.Duration {
	if named, err := strconv.Atoi(p.Args["seconds"]); err == nil && p.Key == problem.ProviderBusy {
		return max(leastWait, min(time.Duration(named)*time.Second, mostWait))
	}
	if tries > quickTries {
		return time.Hour
	}
	most := min(firstWait<<(tries-1), time.Hour)
	n, err := rand.Int(s.config.Rand, big.NewInt(int64(most)))
	if err != nil {
		return most
	}
	return max(leastWait, time.Duration(n.Int64()))
}

// saveRenewal brings an answer to where it belongs: the item, then the library
// in one transaction. The account's lock is held. An answer that is older than
// the item is dropped; of one that the item has already, only the library is
// brought up.
func (s *Service) saveRenewal(ctx context.Context, c *completion) error {
	ctx = context.WithoutCancel(ctx)
	id, gen := c.pending.AccountID, c.pending.Gen
	row, err := s.library.Account(ctx, id)
	if problem.Has(err, problem.AccountUnknown) {
		// Removed meanwhile: nobody wants this token.
		s.letGo(c)
		return s.library.Drop(ctx, id, gen)
	}
	if err != nil {
		return err
	}
	item, err := s.item(ctx, row)
	switch {
	case problem.Has(err, problem.TokenGone), problem.Has(err, problem.VaultUnreadable) && problem.Of(err).Args["reason"] != "changed":
		// Edited or deleted by hand: the answer is the token now.
		item = vault.Item{Gen: gen - 1, Provider: row.Provider, UserID: row.UserID, Username: row.Username, ClientID: row.ClientID}
	case err != nil:
		return err
	}
	if item.Gen > gen || row.Gen >= gen {
		s.letGo(c)
		return s.library.Drop(ctx, id, gen)
	}
	a := c.answer
	if item.Gen < gen {
		item.Gen, item.AccessToken, item.RefreshToken, item.TokenType = gen, a.Access.Text, a.Refresh.Text, a.Type
		item.IssuedAt, item.ExpiresAt = a.SentAt, a.ExpiresAt
		if a.ScopesKnown {
			item.Scope = a.Scopes
		}
		if err := s.tokens(c.sealer).Put(ctx, id, item); err != nil {
			return err
		}
	}
	s.config.At("renew-item-written")
	if err := s.catchUp(ctx, row, item, a.Estimated && item.AccessToken.Equal(a.Access.Text)); err != nil {
		return err
	}
	s.letGo(c)
	s.config.At("renew-finished")
	return nil
}

// catchUp writes into the library what the item says.
func (s *Service) catchUp(ctx context.Context, row library.Account, item vault.Item, estimated bool) error {
	now := s.config.Now().UTC().Truncate(time.Millisecond)
	row.Gen, row.ExpiresAt, row.Estimated, row.LastAnswer, row.FailedSince, row.Vault = item.Gen, item.ExpiresAt, estimated, "", nil, s.place
	row.IssuedAt = nil
	if !item.IssuedAt.IsZero() {
		issued := item.IssuedAt
		row.IssuedAt = &issued
	}
	if len(item.Scope) > 0 {
		row.ScopesGranted = item.Scope
	}
	args := map[string]string{}
	if item.ExpiresAt != nil {
		args["until"] = item.ExpiresAt.UTC().Format(time.RFC3339)
	}
	entry := library.Entry{AccountID: row.ID, At: now, Event: "renewed", Args: args}
	refreshes := s.standing(answer{Provider: row.Provider, Refresh: sealedText{item.RefreshToken}}).Refreshes
	reset := func(r *library.Renewal) {
		*r = library.Renewal{TriedAt: &now, CheckedAt: r.CheckedAt, Refreshes: refreshes}
	}
	err := s.library.Renewed(ctx, row, reset, entry)
	if problem.Has(err, problem.AppUnknown) {
		// Somebody removed the app this moment: its accounts stay (contract).
		row.AppID = ""
		err = s.library.Renewed(ctx, row, reset, entry)
	}
	if err == nil {
		s.log.Info("renewed", "account", row.ID)
	}
	return err
}

// keptSealer keeps the sealing key in memory, for the renewals of one process,
// for as long as it is the one that was read last, by whichever process: the
// keychain may have been replaced since, and what is sealed under a key that
// lies nowhere is lost with this process.
func (s *Service) keptSealer(ctx context.Context) (*vault.Sealer, error) {
	s.mu.Lock()
	kept := s.sealing
	s.mu.Unlock()
	if kept != nil && s.marked(ctx, kept) {
		return kept, nil
	}
	return s.sealer(ctx)
}

// sealMark is the setting under which something lies sealed by the key that was
// read last from this service's place; it tells that key from another one and
// nothing else.
func (s *Service) sealMark() string { return "seal_" + s.place }

func (s *Service) marked(ctx context.Context, sealer *vault.Sealer) bool {
	mark, err := s.library.Setting(ctx, s.sealMark())
	if err != nil || mark == "" {
		return false
	}
	sealed, err := base64.StdEncoding.DecodeString(mark)
	if err != nil {
		return false
	}
	_, err = sealer.Open(sealed, s.sealMark())
	return err == nil
}

// mark makes every process that keeps another sealing key read it again. Where
// it cannot be written nothing is kept.
func (s *Service) mark(ctx context.Context, sealer *vault.Sealer) {
	if !s.marked(ctx, sealer) {
		sealed, err := sealer.Seal(nil, s.sealMark())
		if err == nil {
			err = s.library.SetSetting(ctx, s.sealMark(), base64.StdEncoding.EncodeToString(sealed))
		}
		if err != nil {
			s.log.Warn("sealing key not marked", "err", err)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealing = sealer
}

// Check asks the provider whether an account's token works, by asking whose it
// is. Where the answer truly means it the account needs a sign-in from then on
// (TOK-11), and a token that works does not, whatever was said before. Errors:
// as Renew.
func (s *Service) Check(ctx context.Context, ref string) (Checked, error) {
	row, err := s.find(ctx, ref)
	if err != nil {
		return Checked{}, err
	}
	d, err := s.definition(row.Provider)
	if err != nil {
		return Checked{}, err
	}
	if row, err = s.settled(ctx, row); err != nil {
		return Checked{}, err
	}
	// An access token that has ended says nothing about the account where
	// another one is a request away.
	row, err = s.fresh(ctx, row, false)
	if p := problem.Of(err); p != nil {
		if p.Kind == problem.Vault || p.Kind == problem.Internal || ctx.Err() != nil {
			return Checked{}, err
		}
		account, err := s.Account(ctx, row.ID)
		return Checked{Account: account, Problem: p, At: s.config.Now().UTC().Truncate(time.Millisecond)}, err
	}
	item, err := s.item(ctx, row)
	if err != nil {
		return Checked{}, err
	}
	s.known.Add(item.AccessToken, item.RefreshToken)
	who, err := twice(func() (oauth.Person, error) { return s.whoHas(ctx, d, row, held(item)) })
	if p := problem.Of(err); p != nil && means(p.Key) {
		if renewed, freshErr := s.fresh(ctx, row, true); freshErr != nil {
			err = freshErr
		} else if renewed.Gen != row.Gen {
			row = renewed
			if item, err = s.item(ctx, row); err != nil {
				return Checked{}, err
			}
			who, err = s.whoHas(ctx, d, row, held(item))
		}
	}
	if s.doubtful(row, err) {
		// Another process may have renewed it since we read it.
		if now, readErr := s.item(ctx, row); readErr == nil {
			item = now
		}
		s.config.Wait(ctx, doubt)
		who, err = s.whoHas(ctx, d, row, held(item))
	}
	now := s.config.Now().UTC().Truncate(time.Millisecond)
	p := problem.Of(err)
	checked := Checked{Works: p == nil, Problem: p, At: now}
	entry := library.Entry{AccountID: row.ID, At: now, Event: "checked"}
	if p != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return checked, err
		}
		entry.Event, entry.Args = "check_failed", map[string]string{"reason": string(p.Key)}
	}
	ctx = context.WithoutCancel(ctx)
	err = s.library.UpdateRenewal(ctx, row.ID, func(a *library.Account) {
		switch {
		case p == nil:
			if a.Gen == item.Gen {
				a.LastAnswer = ""
			}
			if who.UserID == a.UserID && who.Username != "" {
				a.Username = who.Username
				if who.Kind != "" {
					a.Kind = who.Kind
				}
			}
		case means(p.Key) && a.Gen == item.Gen:
			a.LastAnswer = string(p.Key)
		}
	}, func(r *library.Renewal) {
		if p == nil || means(p.Key) {
			r.CheckedAt = &now
		}
	}, entry)
	if err != nil {
		return checked, err
	}
	checked.Account, err = s.Account(ctx, row.ID)
	return checked, err
}

const (
	// endsSoon is how long before its end an access token is replaced before it
	// is handed out, where that takes a request; at most a tenth of its life.
	endsSoon   = 5 * time.Minute
	endsSoonOf = 10
)

// fresh renews the token of an account that refreshes when it has ended or is
// about to, or when anyway says so, and gives the account as it is then. An error
// is why an ended token is all there is: the provider's refusal, the network's,
// the keychain's. A token that still has some time is not held back by one.
// Every other account comes back as it was.
func (s *Service) fresh(ctx context.Context, row library.Account, anyway bool) (library.Account, error) {
	account := s.account(row, "")
	if !account.Refreshes || account.Status == NeedsSignIn {
		return row, nil
	}
	now := s.config.Now()
	var left time.Duration
	if row.ExpiresAt != nil {
		left = row.ExpiresAt.Sub(now)
	}
	if !anyway {
		if row.ExpiresAt == nil || left > soon(row) {
			return row, nil
		}
		if left > 0 && account.NextTry != nil && now.Before(*account.NextTry) {
			return row, nil
		}
	}
	got, err := s.Renew(ctx, row.ID, RenewOptions{seen: row.Gen})
	if err == nil && got.Problem != nil {
		err = got.Problem
	}
	again, readErr := s.library.Account(ctx, row.ID)
	if readErr != nil {
		return row, readErr
	}
	switch {
	case again.Gen != row.Gen:
		return again, nil
	case err != nil && (anyway || left <= 0 || means(problem.Of(err).Key)):
		return again, err
	case err != nil:
		s.log.Info("not refreshed", "account", row.ID, "key", string(problem.Of(err).Key))
	case left <= 0 && !anyway:
		// Somebody asked a moment ago, in vain, or the provider renews later only.
		return again, problem.New(s.lastReason(ctx, again), "username", row.Username, "provider", account.ProviderName)
	}
	return again, nil
}

// lastReason is why the last try failed, where another one is still to come, else
// that the token has ended.
func (s *Service) lastReason(ctx context.Context, row library.Account) problem.Key {
	last, err := s.library.Diary(ctx, row.ID, 1, 0)
	if err != nil || len(last) == 0 || last[0].Event != "renew_failed" || row.FailedSince == nil {
		return problem.TokenEnded
	}
	if key := problem.Key(last[0].Args["reason"]); problem.Listed(key) {
		return key
	}
	return problem.TokenEnded
}

// soon is how long before its end a token counts as about to end.
func soon(row library.Account) time.Duration {
	if row.IssuedAt == nil {
		return endsSoon
	}
	return min(endsSoon, row.ExpiresAt.Sub(*row.IssuedAt)/endsSoonOf)
}

// settled finishes what waits for an account before its token is used. A lock
// that is held belongs to a renewal under way, and until that ends the present
// token is good; where nothing can be locked or written nobody can tell, and
// the same holds. Only the keychain's own trouble is an error: the token lies
// there too.
func (s *Service) settled(ctx context.Context, row library.Account) (library.Account, error) {
	_, found, err := s.pendingOf(ctx, row.ID)
	if err != nil || !found && s.heldFor(row.ID) == nil {
		return row, err
	}
	unlock, err := library.LockFor(ctx, s.root(), row.ID, 0)
	if err != nil {
		return row, ctx.Err()
	}
	defer unlock()
	began, err := s.finishAccount(ctx, row.ID)
	if err == nil {
		row, err = s.library.Account(ctx, row.ID)
	}
	if err == nil && began {
		var d provider.Definition
		if d, err = s.definition(row.Provider); err == nil {
			_, _, err = s.renewLocked(ctx, row, d)
		}
	}
	if p := problem.Of(err); p != nil && p.Kind == problem.Vault {
		return row, err
	}
	if err != nil {
		s.log.Warn("not finished", "account", row.ID, "err", err)
	}
	return s.library.Account(ctx, row.ID)
}

// SetRenewing tells that something renews by itself: the window is open or the
// timer is installed (ruling 9).
func (s *Service) SetRenewing(on bool) { s.renewing.Store(on) }

// Setting reads one setting, "" when it was never set.
func (s *Service) Setting(ctx context.Context, name string) (string, error) {
	return s.library.Setting(ctx, name)
}

// SetSetting writes one setting; an empty value forgets it.
func (s *Service) SetSetting(ctx context.Context, name, value string) error {
	return s.library.SetSetting(ctx, name, value)
}

// MarkWarned keeps that the person was told so many days before the end, 1 that
// it is over; a renewal forgets it. A token that was called over and lives after
// all begins anew, or each run would warn again.
func (s *Service) MarkWarned(ctx context.Context, id string, days int) error {
	return s.library.SetRenewal(ctx, id, func(r *library.Renewal) {
		if r.Warned <= 1 || days < r.Warned {
			r.Warned = days
		}
	})
}

// DiaryPage is Diary from before the entry with that Seq; 0 begins at the newest.
func (s *Service) DiaryPage(ctx context.Context, id string, limit int, before int64) ([]library.Entry, error) {
	return s.library.Diary(ctx, id, limit, before)
}
