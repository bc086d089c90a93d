package connect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// answer is what a sign-in has so far, or what a renewal was given. It is the
// plain text of the sealed pending row: everything that the next start needs to
// finish without a browser. The client secret is not in it.
type answer struct {
	V int `json:"v"`
	// Renewal: the answer is for an account that is there, under its id.
	Renewal     bool     `json:"renewal,omitempty"`
	Provider    string   `json:"provider"`
	ClientID    string   `json:"client_id"`
	RedirectURI string   `json:"redirect_uri"`
	AppID       string   `json:"app_id,omitempty"`
	AppName     string   `json:"app_name,omitempty"`
	Endpoints   string   `json:"endpoints"`
	ScopesAsked []string `json:"scopes_asked"`
	KeepSecret  bool     `json:"keep_secret,omitempty"`
	Expect      string   `json:"expect,omitempty"`
	// ExpectUser is the provider's id of who has to answer; Expect is then only
	// what to call them. Decides: somebody can say what becomes of another
	// person's answer. Other is that question while it is open, and Added that
	// it was answered: as a new account.
	ExpectUser  string     `json:"expect_user,omitempty"`
	Decides     bool       `json:"decides,omitempty"`
	Other       *Other     `json:"other,omitempty"`
	Added       bool       `json:"added,omitempty"`
	ConfigID    string     `json:"config_id,omitempty"`
	Access      sealedText `json:"access_token"`
	Refresh     sealedText `json:"refresh_token"`
	Type        string     `json:"token_type"`
	Scopes      []string   `json:"scopes"`
	ScopesKnown bool       `json:"scopes_known"`
	UserID      string     `json:"user_id"`
	Long        bool       `json:"long"`
	SentAt      time.Time  `json:"sent_at"`
	ExpiresAt   *time.Time `json:"expires_at"`
	Estimated   bool       `json:"estimated,omitempty"`
	// Person is whose token it is. At Facebook that is the Facebook user, and
	// Chosen are the accounts that it is for, each with the id that it gets if
	// it is new: decided once, so that whoever finishes the row writes the same
	// items again.
	Person *person  `json:"person,omitempty"`
	Chosen []chosen `json:"chosen,omitempty"`
	// Reaches are the ids of all accounts that the token reaches.
	Reaches []string `json:"reaches,omitempty"`
	// Imported: pasted, and SentAt is when it was taken in. Issued is then what
	// the person said about its age.
	Imported bool       `json:"imported,omitempty"`
	Issued   *time.Time `json:"issued,omitempty"`
}

type person struct {
	UserID, Username, Kind string
	Posts                  int
}

// sealedText is a secret that does write itself as JSON, because that JSON is
// sealed before it leaves the function that makes it.
type sealedText struct{ secret.Text }

func (t sealedText) MarshalJSON() ([]byte, error) { return json.Marshal(t.Reveal()) }

func (t *sealedText) UnmarshalJSON(data []byte) error {
	var plain string
	err := json.Unmarshal(data, &plain)
	t.Text = secret.New(plain)
	return err
}

// answerVersion is the version of the sealed form.
const answerVersion = 1

// take sets down what a token says. Times are cut to seconds, downwards, so
// that the keychain item, the library and the account object say the same.
func (a *answer) take(t oauth.Token) {
	a.V = answerVersion
	a.Access, a.Refresh, a.Type = sealedText{t.Access}, sealedText{t.Refresh}, t.Type
	if t.ScopesKnown {
		a.Scopes, a.ScopesKnown = t.Scopes, true
	}
	if t.UserID != "" {
		a.UserID = t.UserID
	}
	a.Long, a.SentAt, a.ExpiresAt = t.Long, t.SentAt.UTC().Truncate(time.Second), nil
	if !t.ExpiresAt.IsZero() {
		end := t.ExpiresAt.UTC().Truncate(time.Second)
		a.ExpiresAt = &end
	}
}

func (a *answer) token() oauth.Token {
	t := oauth.Token{
		Access: a.Access.Text, Refresh: a.Refresh.Text, Type: a.Type, Scopes: a.Scopes,
		ScopesKnown: a.ScopesKnown, UserID: a.UserID, Long: a.Long, SentAt: a.SentAt,
	}
	if a.ExpiresAt != nil {
		t.ExpiresAt = *a.ExpiresAt
	}
	return t
}

// longLife is the nominal life of a long-lived token, 60 days (providers.md 2.6).
const longLife = 60 * day

// completion carries one answer to the end, in a sign-in or in Recover.
type completion struct {
	pending library.Pending
	sealer  *vault.Sealer
	answer  answer
	// attempt and secret are set while the client secret is at hand.
	attempt *oauth.Attempt
	secret  secret.Text
	step    func(Step)
	// ask and choose put a question to the person; false is that it stays open
	// for the next start. Nil where nobody is there to ask. show tells what the
	// token reaches when there is nothing to choose from.
	ask    func(Other) (Decision, bool)
	choose func([]Choice) ([]string, bool)
	show   func([]Choice)
	// sealed: the disk has it too. late: not the attempt itself but Recover.
	sealed, late bool
}

type completed struct {
	// account is the first of accounts.
	account    Account
	accounts   []Account
	notices    []*problem.Problem
	secretKept bool
	// held: the answer waits for Recover, sealed on the disk or in memory.
	held bool
}

// hold keeps an answer in memory until it is saved, let go, or the service
// closes, with the client secret that its extension may still need (ruling 6).
func (s *Service) hold(c *completion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[c.pending.AccountID] = c
}

func (s *Service) letGo(c *completion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, c.pending.AccountID)
}

func (s *Service) heldFor(id string) *completion {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[id]
}

func aad(p library.Pending) string {
	return "pending|" + p.AccountID + "|" + strconv.FormatInt(p.Gen, 10)
}

// seal writes the answer into its row, over the former one. In front of the
// sealed bytes stands the place of the key that opens them, since only that
// place can tell whether they are lost or elsewhere.
func (s *Service) seal(ctx context.Context, c *completion) {
	plain, err := json.Marshal(c.answer)
	var sealed []byte
	if err == nil {
		sealed, err = c.sealer.Seal(plain, aad(c.pending))
	}
	if err == nil {
		err = s.library.Seal(ctx, c.pending.AccountID, c.pending.Gen, append([]byte(s.place+"\n"), sealed...))
	}
	if err != nil {
		// The disk refuses. The token is in memory and the keychain is another
		// disk: go on, the item is what counts.
		s.log.Warn("answer not sealed", "err", err)
		return
	}
	c.sealed = true
}

// complete extends, identifies and saves. What arrived is sealed before it is
// used for the next request.
func (s *Service) complete(ctx context.Context, c *completion) (completed, error) {
	out := completed{held: true}
	d, err := s.definition(c.answer.Provider)
	if err != nil {
		return out, err
	}
	s.seal(ctx, c)
	s.config.At("sealed-short")
	out.notices = s.extend(ctx, d, c)
	if err := s.identify(ctx, d, c); err != nil {
		out.held = !worthless(err)
		return out, err
	}
	s.granted(ctx, d, c)
	if d.Accounts.URL != "" && !c.answer.Imported {
		// A pasted token was taken in for one account already.
		err = s.pick(ctx, d, c)
	} else {
		err = s.meant(ctx, c)
	}
	if err != nil {
		// Nothing of another person's is kept, nor of a token that leads nowhere.
		out.held = stays(err)
		return out, err
	}
	c.step(Saving)
	if err := s.save(ctx, c, &out); err != nil {
		return out, err
	}
	out.held = false
	return out, nil
}

// worthless tells the answers after which a token can never be used, so that
// keeping it would only repeat the question.
func worthless(err error) bool {
	switch problem.Of(err).Key {
	case problem.TokenEnded, problem.PasswordChanged, problem.AccessRemoved, problem.PersonalAccount:
		return true
	default:
		return false
	}
}

// extend swaps the one-hour token for the 60-day one. A refusal keeps the
// one-hour token and is a notice; the person is told and can go on.
func (s *Service) extend(ctx context.Context, d provider.Definition, c *completion) []*problem.Problem {
	if d.Extend.URL == "" || c.answer.Long || c.attempt == nil {
		return nil
	}
	c.step(Extending)
	long, err := twice(func() (oauth.Token, error) { return s.client(d).Extend(ctx, c.attempt, c.answer.token()) })
	switch {
	case err == nil:
		s.known.Add(long.Access)
		s.config.At("extended")
		c.answer.take(long)
	case problem.Has(err, problem.AlreadyLong):
		// Meta answers so when the token is long-lived already (providers.md 9,
		// row 21): it needs no exchange. It was issued now, so it ends in 60 days.
		end := c.answer.SentAt.Add(longLife)
		c.answer.Long, c.answer.ExpiresAt, c.answer.Estimated = true, &end, true
	default:
		return []*problem.Problem{problem.Of(err)}
	}
	s.seal(ctx, c)
	s.config.At("sealed-long")
	return nil
}

func (s *Service) identify(ctx context.Context, d provider.Definition, c *completion) error {
	if c.answer.Person != nil {
		return nil
	}
	c.step(Identifying)
	who, err := twice(func() (oauth.Person, error) {
		return proving(ctx, s, d, c, func(client *oauth.Client) (oauth.Person, error) { return client.Identify(ctx, d, c.answer.token()) })
	})
	if err != nil {
		return err
	}
	s.config.At("identified")
	c.answer.Person = &person{UserID: who.UserID, Username: who.Username, Kind: who.Kind, Posts: who.Posts}
	return nil
}

// granted asks what the token may do, where the exchange did not say and the
// provider has an address for it. That it stays unknown stops nobody: nothing is
// claimed to be missing then (ATT-15).
func (s *Service) granted(ctx context.Context, d provider.Definition, c *completion) {
	if c.answer.ScopesKnown || c.answer.Imported || len(c.answer.Chosen) > 0 {
		return
	}
	var known bool
	scopes, err := twice(func() ([]string, error) {
		return proving(ctx, s, d, c, func(client *oauth.Client) (scopes []string, err error) {
			scopes, known, err = client.Granted(ctx, d, c.answer.token())
			return scopes, err
		})
	})
	if err != nil {
		s.log.Info("permissions not told", "key", problem.Of(err).Key)
		return
	}
	c.answer.Scopes, c.answer.ScopesKnown = scopes, known
}

// twice repeats a request once where the network failed. It is for requests
// that change nothing at the provider.
func twice[T any](ask func() (T, error)) (T, error) {
	got, err := ask()
	if p := problem.Of(err); p != nil && p.Kind == problem.Network && p.Key != problem.ProviderBusy {
		return ask()
	}
	return got, err
}

// place is one account that an answer goes into: former where it is known,
// else a new one under id.
type place struct {
	person person
	id     string
	former library.Account
	known  bool
	// kept: the account has what is better, and stays as it is.
	kept bool
	// lost: of the same sign-in, and the new token does not reach it.
	lost bool
	// chosen: the person signed in for it.
	chosen bool
	gen    int64
}

// save writes the items, proves each, and brings the library up in one
// transaction. The items come first: the keychain may work where the disk of
// the library does not.
//
// Several items are no transaction. A process that dies between two leaves some
// accounts with an item one generation ahead of the library, each of them a
// good token of the same person, and the sealed row, which names them all and
// the ids of the new ones; whoever finishes the row (Recover) writes the same
// items again and then the library. Until then an account whose item was
// written gives the new token and the others their old one.
func (s *Service) save(ctx context.Context, c *completion, out *completed) error {
	a := c.answer
	places, unlock, err := s.places(ctx, c)
	if err != nil {
		return err
	}
	defer unlock()
	writes := 0
	var spared []*problem.Problem
	for i := range places {
		notice, err := s.weigh(ctx, c, &places[i])
		if err != nil {
			return err
		}
		if notice != nil {
			spared = append(spared, notice)
		}
		if !places[i].kept {
			writes++
		}
	}
	if writes == 0 {
		// That the token is a short one is of no use to anybody then.
		out.notices = spared
		for _, p := range places {
			if p.chosen {
				out.accounts = append(out.accounts, s.account(p.former, s.appName(ctx, p.former.AppID)))
			}
		}
		out.account = out.accounts[0]
		return s.library.Drop(ctx, c.pending.AccountID, c.pending.Gen)
	}
	out.notices = append(out.notices, spared...)
	if err := s.announceIDs(ctx, c, places); err != nil {
		return err
	}
	issued, event := &a.SentAt, "signed_in"
	if a.Imported {
		issued, event = a.Issued, "imported"
	}
	written := 0
	for _, p := range places {
		if p.kept {
			continue
		}
		item := vault.Item{
			Gen: p.gen, AccessToken: a.Access.Text, TokenType: a.Type, RefreshToken: a.Refresh.Text, Scope: a.Scopes,
			ExpiresAt: a.ExpiresAt, Provider: a.Provider, UserID: p.person.UserID, Username: p.person.Username, ClientID: a.ClientID,
		}
		if issued != nil {
			item.IssuedAt = *issued
		}
		if err := s.tokens(c.sealer).Put(ctx, p.id, item); err != nil {
			return err
		}
		written++
		if written == 1 {
			s.config.At("item-written")
		} else {
			s.config.At("item-written-" + strconv.Itoa(written))
		}
	}
	app, notice, err := s.saveApp(ctx, a, c.secret)
	if err != nil {
		return err
	}
	if notice != nil {
		out.notices = append(out.notices, notice)
	}
	out.secretKept = app.SecretKept
	s.config.At("app-saved")
	var rows []library.Account
	var entries []library.Entry
	for _, p := range places {
		if p.kept {
			continue
		}
		row := library.Account{
			ID: p.id, Provider: a.Provider, ClientID: a.ClientID, UserID: p.person.UserID, Grant: c.grant(), AppID: app.ID,
			Username: p.person.Username, Kind: p.person.Kind, ScopesAsked: a.ScopesAsked, ScopesGranted: a.Scopes,
			IssuedAt: issued, ExpiresAt: a.ExpiresAt, Estimated: a.Estimated, Gen: p.gen, Vault: s.place,
		}
		if a.Imported && p.known {
			row.ScopesAsked = p.former.ScopesAsked
		}
		if p.lost {
			row.LastAnswer = string(problem.AccessRemoved)
		}
		entry := library.Entry{AccountID: p.id, At: s.config.Now(), Event: event}
		if !a.Imported {
			entry.Args = map[string]string{"n": strconv.Itoa(len(a.Scopes))}
		}
		if p.lost {
			entry.Event, entry.Args = "check_failed", map[string]string{"reason": string(problem.AccessRemoved)}
		}
		rows, entries = append(rows, row), append(entries, entry)
	}
	err = s.library.FinishAll(ctx, c.pending.AccountID, rows, s.standing(a), entries)
	if problem.Has(err, problem.AppUnknown) {
		// Somebody removed the app this moment: its accounts stay (contract).
		for i := range rows {
			rows[i].AppID = ""
		}
		app.Name, out.secretKept = "", false
		err = s.library.FinishAll(ctx, c.pending.AccountID, rows, s.standing(a), entries)
	}
	if err != nil {
		return err
	}
	s.config.At("finished")
	s.tidy(ctx, c, places)
	for _, p := range places {
		if !p.chosen {
			continue
		}
		row := p.former
		name := ""
		if i := slices.IndexFunc(rows, func(row library.Account) bool { return row.ID == p.id }); i >= 0 {
			row, name = rows[i], app.Name
		} else {
			name = s.appName(ctx, row.AppID)
		}
		account := s.account(row, name)
		account.Posts = p.person.Posts
		out.accounts = append(out.accounts, account)
	}
	out.account = out.accounts[0]
	return nil
}

// weigh decides whether an account takes the answer, and as which generation.
// A notice tells that it keeps what it has, because that lasts longer.
func (s *Service) weigh(ctx context.Context, c *completion, p *place) (notice *problem.Problem, err error) {
	a := c.answer
	p.gen = c.pending.Gen
	if !p.known {
		return nil, nil
	}
	// The same person again: same place, next generation, under its lock.
	p.gen = p.former.Gen + 1
	if c.late && better(p.former, a) {
		// The person signed in again before this answer could be saved.
		p.kept = true
		return nil, nil
	}
	if a.Imported {
		unchanged, err := s.keep(ctx, p.former, a)
		if err != nil && !c.late {
			return nil, err
		}
		if unchanged && !c.late && p.former.LastAnswer != "" {
			// The provider took this very token a moment ago.
			p.former.LastAnswer = ""
			if err := s.library.UpdateAccount(ctx, p.former.ID, func(row *library.Account) { row.LastAnswer = "" }); err != nil {
				return nil, err
			}
		}
		if unchanged || err != nil {
			p.kept = true
			return nil, nil
		}
	}
	d, err := s.registry.Get(a.Provider)
	if !worse(p.former, a, err == nil && !d.Extend.Empty()) {
		return nil, nil
	}
	if p.kept = true; !p.chosen {
		return nil, nil
	}
	return problem.New(problem.ExtendRefused, "provider", s.nameOf(a.Provider), "reason", "kept", "username", p.former.Username), nil
}

// tidy deletes the items that a run that died may have written under ids which
// in the end were not needed, because the person was known by then.
func (s *Service) tidy(ctx context.Context, c *completion, places []place) {
	if !c.late {
		return
	}
	proposed := []string{c.pending.AccountID}
	for _, one := range c.answer.Chosen {
		proposed = append(proposed, one.ID)
	}
	for _, id := range proposed {
		if slices.ContainsFunc(places, func(p place) bool { return p.id == id }) {
			continue
		}
		if err := s.tokens(c.sealer).Delete(ctx, id); err != nil && !errors.Is(err, vault.ErrNotFound) {
			s.log.Warn("former item", "err", err)
		}
	}
}

// identity is who an account is: no two share all three.
type identity struct{ provider, clientID, userID string }

// former finds the account that the answer belongs to and takes its lock; for
// a new person the lock of the identity, so that two sign-ins of one person
// end as one account, whichever is first. An account that is removed while we
// wait for its lock is none any more: the person who signs in is new.
func (s *Service) former(ctx context.Context, who identity) (account library.Account, known bool, unlock func(), err error) {
	account, known, unlock, err = s.lockAccount(ctx, who)
	if known || err != nil {
		return account, known, unlock, err
	}
	unlockPerson, err := s.lock(ctx, personLock(who))
	if err != nil {
		return account, false, nil, err
	}
	account, known, unlockAccount, err := s.lockAccount(ctx, who)
	if err != nil {
		unlockPerson()
		return account, false, nil, err
	}
	return account, known, func() { unlockAccount(); unlockPerson() }, nil
}

func (s *Service) lockAccount(ctx context.Context, who identity) (account library.Account, known bool, unlock func(), err error) {
	unlock = func() {}
	for {
		found, err := s.library.AccountByIdentity(ctx, who.provider, who.clientID, who.userID)
		switch {
		case problem.Has(err, problem.AccountUnknown):
			unlock()
			return account, false, func() {}, nil
		case err != nil:
			unlock()
			return account, false, nil, err
		case known && found.ID == account.ID:
			return found, true, unlock, nil
		}
		unlock()
		if unlock, err = s.lock(ctx, found.ID); err != nil {
			return account, false, nil, err
		}
		account, known = found, true
	}
}

// better reports that an account has a token that is newer and lasts at least
// as long as that of an answer from an earlier run.
func better(former library.Account, a answer) bool {
	if a.Imported {
		// Nobody knows its end; what came since is the person's last word.
		return former.LastAnswer == "" && former.IssuedAt != nil && a.SentAt.Before(*former.IssuedAt)
	}
	if former.LastAnswer != "" || former.IssuedAt == nil || !a.SentAt.Before(*former.IssuedAt) {
		return false
	}
	// Where nobody tells an end, the newer one is the better one.
	return former.ExpiresAt == nil && a.ExpiresAt == nil ||
		former.ExpiresAt != nil && a.ExpiresAt != nil && !former.ExpiresAt.Before(*a.ExpiresAt)
}

// worse reports that an answer is a one-hour token while the account has one
// that works and lasts longer: a refused extension must not cost a person the
// 60 days that they have. extends: the provider makes long ones of them; one
// that was not made long, and whose end nobody told, is a short one.
func worse(former library.Account, a answer, extends bool) bool {
	if a.Long || former.LastAnswer != "" || former.ExpiresAt == nil {
		return false
	}
	end := a.SentAt.Add(oneHourAtMost)
	switch {
	case a.ExpiresAt != nil:
		end = *a.ExpiresAt
	case !extends:
		return false
	}
	return former.ExpiresAt.After(end)
}

// personLock names the lock of one identity without telling whose it is.
func personLock(who identity) string {
	sum := sha256.Sum256([]byte(who.provider + "|" + who.clientID + "|" + who.userID))
	return "person-" + hex.EncodeToString(sum[:16])
}

func (s *Service) appName(ctx context.Context, id string) string {
	app, err := s.library.App(ctx, id)
	if err != nil {
		return ""
	}
	return app.Name
}

// Recover finishes, without a browser, every sign-in and every renewal that was
// left between its answer and its token (security.md 3.2 and 3.3), by a former
// run or by this one, each under its lock. A renewal whose answer nobody has is
// asked for once more, at once. What became of a renewal shows in its account;
// it is Recovered only where something keeps its answer from being stored. A row that another process is working on is left to it. A
// library that was found damaged is first filled again from the keychain. The
// error is the library's or the keychain's own; what stands in a single row's
// way is in its Recovered, and the row stays unless it is sign_in.interrupted
// or its token is of no use any more. A sign-in that still asks what becomes of
// another person's answer is Recovered with Other, each time, until Settle.
func (s *Service) Recover(ctx context.Context) ([]Recovered, error) {
	out, err := s.rebuild(ctx)
	if err != nil {
		return out, err
	}
	rows, err := s.library.Pendings(ctx)
	if err != nil {
		return out, err
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.AccountID)
	}
	s.mu.Lock()
	for id := range s.held {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	for _, id := range ids {
		out = append(out, s.recoverOne(ctx, id)...)
	}
	return out, nil
}

// stuck is a row that could not be finished, and why.
func stuck(err error) []Recovered { return []Recovered{{Problem: problem.Of(err)}} }

func (s *Service) recoverOne(ctx context.Context, id string) []Recovered {
	unlock, err := library.LockFor(ctx, s.root(), id, 0)
	if problem.Has(err, problem.LockHeld) {
		return nil
	}
	if err != nil {
		// Without locks nobody can tell a row that was left from one at work.
		return stuck(err)
	}
	defer unlock()
	// Read again: whoever held the lock may have finished the row.
	rows, err := s.library.Pendings(ctx)
	if err != nil {
		return stuck(err)
	}
	i := slices.IndexFunc(rows, func(row library.Pending) bool { return row.AccountID == id })
	if c := s.heldFor(id); c != nil {
		if i < 0 && c.sealed {
			// Another process finished it from its row.
			s.letGo(c)
			return nil
		}
		return s.finishLate(ctx, c)
	}
	if i < 0 {
		return nil
	}
	return s.finishRow(ctx, rows[i])
}

// errLost: the answer of a row can never be read again.
var errLost = errors.New("connect: the sealed answer cannot be opened")

func (s *Service) finishRow(ctx context.Context, row library.Pending) []Recovered {
	c, err := s.openRow(ctx, row)
	if errors.Is(err, errLost) {
		return s.unanswered(ctx, row, err)
	}
	if err != nil {
		return stuck(err)
	}
	return s.finishLate(ctx, c)
}

// unanswered ends a request whose answer nobody has. A sign-in was interrupted;
// a renewal is the row of an account that is there, and is asked for again. The
// lock is held.
func (s *Service) unanswered(ctx context.Context, row library.Pending, cause error) []Recovered {
	account, err := s.library.Account(ctx, row.AccountID)
	if err == nil && len(row.Sealed) == 0 && account.Gen == row.Gen-1 {
		if d, err := s.definition(account.Provider); err == nil {
			if _, _, err = s.renewLocked(ctx, account, d); err == nil {
				return nil
			}
			return stuck(err)
		}
	}
	if err != nil && !problem.Has(err, problem.AccountUnknown) {
		return stuck(err)
	}
	if err := s.library.Drop(ctx, row.AccountID, row.Gen); err != nil {
		return stuck(err)
	}
	if err != nil {
		return stuck(problem.New(problem.Interrupted).Because(cause))
	}
	if len(row.Sealed) > 0 && account.Gen == row.Gen-1 {
		row.Sealed = nil
		return s.unanswered(ctx, row, cause)
	}
	return nil
}

// openRow reads the sealed answer of a row. errLost: there is none, or nobody
// can open it again; any other error is the keychain's.
func (s *Service) openRow(ctx context.Context, row library.Pending) (*completion, error) {
	place, sealed, ok := bytes.Cut(row.Sealed, []byte("\n"))
	if !ok {
		return nil, errLost
	}
	if p := s.elsewhere(string(place)); p != nil {
		return nil, p
	}
	if string(place) == placeKeychain {
		// In another keychain than ours the key is not lost: nothing is
		// concluded and nothing deleted (KR-5).
		if err := vault.CheckSentinel(ctx, s.store, s.library.ID(), false); err != nil {
			return nil, err
		}
	}
	sealer, err := s.sealer(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := sealer.Open(sealed, aad(row))
	if err != nil {
		// The key is another one: it was deleted, or belonged to the session of
		// a window that is gone. Nobody can open this row again.
		return nil, errors.Join(errLost, err)
	}
	c := &completion{pending: row, sealer: sealer, sealed: true, step: func(Step) {}}
	if err := json.Unmarshal(plain, &c.answer); err != nil || c.answer.V != answerVersion {
		return nil, errors.Join(errLost, err, errors.New("sealed answer of another version"))
	}
	s.known.Add(c.answer.Access.Text, c.answer.Refresh.Text)
	s.reuseKeptSecret(ctx, c)
	return c, nil
}

// finishLate completes what an attempt had to leave.
func (s *Service) finishLate(ctx context.Context, c *completion) []Recovered {
	if c.answer.Renewal {
		if err := s.saveRenewal(ctx, c); err != nil {
			return stuck(err)
		}
		return nil
	}
	if c.answer.Other != nil {
		return asks(c)
	}
	c.late, c.step = true, func(Step) {}
	done, err := s.complete(ctx, c)
	if done.held && c.answer.Other != nil {
		return asks(c)
	}
	if !done.held {
		s.letGo(c)
	}
	if err != nil {
		if !done.held {
			if err := s.library.Drop(ctx, c.pending.AccountID, c.pending.Gen); err != nil {
				s.log.Warn("pending row not dropped", "err", err)
			}
		}
		return stuck(err)
	}
	var out []Recovered
	for i := range done.accounts {
		if err := s.library.Note(ctx, library.Entry{AccountID: done.accounts[i].ID, At: s.config.Now(), Event: "recovered"}); err != nil {
			s.log.Warn("diary", "err", err)
		}
		out = append(out, Recovered{Account: &done.accounts[i]})
	}
	return out
}

// reuseKeptSecret lets a recovered one-hour token still become a 60-day one
// where the app's secret was kept.
func (s *Service) reuseKeptSecret(ctx context.Context, c *completion) {
	if c.answer.Renewal || c.answer.Long || c.answer.AppID == "" {
		return
	}
	app, err := s.library.App(ctx, c.answer.AppID)
	if err != nil || !app.SecretKept || app.EndpointsSHA256 != s.fingerprint(c.answer.Provider) || app.ClientID != c.answer.ClientID {
		return
	}
	kept, err := s.store.Get(ctx, clientItem(app.ID))
	if err != nil {
		return
	}
	d, err := s.definition(c.answer.Provider)
	if err != nil {
		return
	}
	s.known.Add(kept)
	c.secret = kept
	c.attempt, err = oauth.NewAttempt(d, oauth.App{ClientID: app.ClientID, ClientSecret: kept, RedirectURI: app.RedirectURI}, c.answer.ScopesAsked, s.config.Rand)
	if err != nil {
		c.attempt = nil
	}
}
