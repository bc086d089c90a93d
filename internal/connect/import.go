package connect

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/oauth"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Paste is a token that a person has from elsewhere, mostly the provider's
// dashboard.
type Paste struct {
	// Provider is a definition's id, or empty: the shape tells.
	Provider string
	// App is the name of a saved app that the token is of, or empty.
	App string
	// Text is what was pasted; see Read for what is forgiven.
	Text secret.Text
	// UserID names the account that is meant, by its id at the provider or its
	// username, where the token stands for a person who has several (Facebook).
	UserID string
	// Issued is when the provider issued or last renewed it, nil when not known.
	// It may be the beginning of a day of which no more is known.
	Issued *time.Time
}

// Inspected is what a pasted text turned out to be.
type Inspected struct {
	Shape Shape
	// Person is whom it speaks for, nil where the provider did not say.
	Person *Person
	// Choices are the accounts that it reaches and those that it does not, with
	// the reason, where it stands for a person who has several; Person and Known
	// are then those of the only one that it reaches, else nil.
	Choices []Choice
	// Scopes and ExpiresAt are known of a token that is kept here already;
	// the provider tells neither.
	Scopes    []string
	ExpiresAt *time.Time
	// Known is the account of that person that is kept here already, the one
	// that Import would renew; its token may be another one.
	Known *Account
	// Works: the provider took it just now.
	Works bool
	// Problem is why it cannot be taken or what the provider said, nil where it
	// works. A token that works for several accounts has import.several.
	Problem *problem.Problem
}

// Person is whom a token speaks for.
type Person struct {
	UserID, Username, Kind string
}

// Inspect tells what a pasted text is: from its shape on this computer, then by
// asking the provider whose token it is. It saves nothing and logs nothing, and
// what is wrong with the token is in Inspected.Problem. The error is the
// library's.
//
// The provider's inspection of tokens ("debug_token") is not used: it is
// undocumented for Instagram Login and unverified (providers.md 2.10), and it
// would want the app's secret. Asking for the profile shows the same.
func (s *Service) Inspect(ctx context.Context, text secret.Text) (Inspected, error) {
	shape, d, err := s.judge(text, "")
	found := Inspected{Shape: shape}
	if err != nil {
		found.Problem = problem.Of(err)
		return found, nil
	}
	who, reached, err := s.speaksFor(ctx, d, shape.Token, "", "")
	if len(reached) > 0 {
		// It works, and Problem says what else there is to say.
		if found.Choices, err = s.reachable(ctx, d, reached, err, &found); err != nil || found.Problem != nil {
			return found, err
		}
	} else if err != nil {
		found.Problem = problem.Of(err)
		return found, nil
	}
	found.Works = true
	found.Person = &Person{UserID: who.UserID, Username: who.Username, Kind: who.Kind}
	row, known, err := s.keptFor(ctx, d.ID, who.UserID)
	if err != nil || !known {
		return found, err
	}
	account := s.account(row, s.appName(ctx, row.AppID))
	found.Known = &account
	if s.holdsQuietly(ctx, row, shape.Token) {
		found.Scopes, found.ExpiresAt = account.GrantedScopes, account.ExpiresAt
	}
	return found, nil
}

// judge reads a pasted text and finds the definition to ask with. Practice and
// the real thing never see each other's tokens (security.md SEC-13). wanted is
// a definition's id or empty. The shape carries the problem too.
func (s *Service) judge(text secret.Text, wanted string) (Shape, provider.Definition, error) {
	shape := Read(text)
	s.known.Add(text, shape.Token)
	refused := func(p *problem.Problem) (Shape, provider.Definition, error) {
		shape.Problem = p
		return shape, provider.Definition{}, p
	}
	id := shape.Provider
	if id == "" {
		id = wanted
	}
	switch {
	case shape.Token.Empty(), shape.Kind == kindApp, shape.Kind == kindCode, shape.Kind == kindBasic, id == "":
		return refused(shape.Problem)
	case shape.Practice && !s.Practising():
		return refused(problem.New(problem.PastePractice))
	case !shape.Practice && s.Practising():
		return refused(problem.New(problem.PastePractice, "reason", "real"))
	case wanted != "" && wanted != id:
		if _, err := s.registry.Get(wanted); err != nil {
			return refused(problem.Of(err))
		}
		found, prefix := s.nameOf(id), ""
		for _, f := range families {
			if f.provider == id {
				prefix = f.prefix
				break
			}
		}
		if p := shape.Problem; p != nil {
			found, prefix = p.Args["found"], p.Args["prefix"]
		}
		return refused(problem.New(problem.TokenOtherService, "found", found, "prefix", prefix, "provider", s.nameOf(wanted), "other", id))
	}
	d, err := s.definition(id)
	switch {
	case err != nil && shape.Problem != nil && shape.Provider != "":
		// Recognised, and nothing here speaks with that service.
		return refused(shape.Problem)
	case err != nil:
		return refused(problem.Of(err))
	case d.Status == "retired":
		return refused(problem.Of(s.retired(d)))
	}
	shape.Provider, shape.Problem = id, nil
	return shape, d, nil
}

// whose asks whose token it is. A long-lived token is never sent to the
// exchange or the extension; this is the one request of a pasted token.
func (s *Service) whose(ctx context.Context, d provider.Definition, token secret.Text, app string) (oauth.Person, error) {
	return twice(func() (oauth.Person, error) {
		return proved(ctx, s, d, app, func(c *oauth.Client) (oauth.Person, error) {
			return c.Identify(ctx, d, oauth.Token{Access: token, Type: "bearer"})
		})
	})
}

// speaksFor asks whose token it is. Where it stands for a person with several
// accounts, it is the one that is wanted, by id or username, or the only one that
// it reaches; reached has all of them. Which one cannot be guessed: the problem
// is then import.several (args n, accounts). app is the id of the token's app,
// or empty.
func (s *Service) speaksFor(ctx context.Context, d provider.Definition, token secret.Text, wanted, app string) (oauth.Person, []oauth.Reached, error) {
	if d.Accounts.URL == "" {
		who, err := s.whose(ctx, d, token, app)
		return who, nil, err
	}
	reached, err := twice(func() ([]oauth.Reached, error) {
		return proved(ctx, s, d, app, func(c *oauth.Client) ([]oauth.Reached, error) {
			return c.Reach(ctx, d, oauth.Token{Access: token, Type: "bearer"})
		})
	})
	if err != nil {
		return oauth.Person{}, nil, err
	}
	wanted = strings.TrimPrefix(strings.TrimSpace(wanted), "@")
	var able []oauth.Reached
	var names []string
	for _, one := range reached {
		if wanted != "" && one.UserID != wanted && !strings.EqualFold(one.Username, wanted) {
			continue
		}
		if !one.Reachable && wanted != "" {
			return oauth.Person{}, reached, whyNot(d, []oauth.Reached{one})
		}
		if one.Reachable {
			able, names = append(able, one), append(names, "@"+one.Username)
		}
	}
	switch {
	case len(able) == 1:
		return able[0].Person, reached, nil
	case len(able) > 1:
		return oauth.Person{}, reached, problem.New(problem.ImportSeveral, "provider", d.Name, "n", strconv.Itoa(len(able)), "accounts", strings.Join(names, ", "))
	case wanted != "":
		return oauth.Person{}, reached, problem.New(problem.AccountUnknown, "name", problem.Outside(wanted, 80))
	}
	return oauth.Person{}, reached, whyNot(d, reached)
}

// reachable is Inspected.Choices, with what why says about them in found.
func (s *Service) reachable(ctx context.Context, d provider.Definition, reached []oauth.Reached, why error, found *Inspected) ([]Choice, error) {
	var choices []Choice
	for _, one := range reached {
		_, known, err := s.keptFor(ctx, d.ID, one.UserID)
		if err != nil {
			return nil, err
		}
		choices = append(choices, Choice{
			UserID: one.UserID, Username: one.Username, Name: one.Name, Page: one.Page, Posts: one.Posts,
			Reachable: one.Reachable, Reason: one.Reason, Known: known && one.UserID != "",
		})
		found.Works = found.Works || one.Reachable
	}
	found.Problem = problem.Of(why)
	return choices, nil
}

// keptFor finds the account into which a token of that person goes when nobody
// says of which app it is: the only one there is, or the one without an app.
func (s *Service) keptFor(ctx context.Context, providerID, userID string) (row library.Account, known bool, err error) {
	rows, err := s.library.Accounts(ctx)
	if err != nil {
		return row, false, err
	}
	var same []library.Account
	for _, one := range rows {
		if one.Provider == providerID && one.UserID == userID {
			same = append(same, one)
			if one.ClientID == "" {
				return one, true, nil
			}
		}
	}
	if len(same) == 1 {
		return same[0], true, nil
	}
	return row, false, nil
}

// holds reports whether an account's token is that one.
func (s *Service) holds(ctx context.Context, row library.Account, token secret.Text) bool {
	item, err := s.item(ctx, row)
	return err == nil && item.AccessToken.Equal(token)
}

// holdsQuietly is holds without ever raising a keychain's prompt.
func (s *Service) holdsQuietly(ctx context.Context, row library.Account, token secret.Text) bool {
	if s.Pretends().VaultLocked {
		return false
	}
	if s.keychain != nil && s.place == placeKeychain {
		if status, err := s.keychain.Status(ctx); err != nil || !status.Present || status.Locked {
			return false
		}
	}
	return s.holds(ctx, row, token)
}

// Import takes in a pasted token: shape, then whose it is, then stored like a
// sign-in's, with its pending row and sealed answer first, so that what was
// begun is finished after a crash too.
//
// Which account: with App the one of that app's client and the person, as after
// a sign-in. Without, the person's only account at that provider takes it,
// whatever its app: it is the same person with another token, and renewing needs
// no app. Where there are several of them, or none, the token stands for itself,
// under (provider, "", user id), and never overwrites one of theirs.
//
// The end is our estimate, 60 days from Issued and unknown without, until the
// first renewal tells the true one. What it may do is not known and nothing is
// claimed to be missing. A token that is kept already changes nothing, but that
// a refusal of it is forgotten: the provider has just taken it. One that
// by Issued ends sooner than the working one that is kept is import.already;
// without Issued the person's word is taken that it is the one to keep, since
// no provider tells a token's age.
//
// A token that stands for a person with several accounts (Facebook) is taken in
// for one of them, Paste.UserID or the only one that it reaches: whoever wants
// all of them signs in instead, which asks and keeps them together.
//
// Problems: those of Read; import.several; account.no_page and the like where it
// reaches none; paste.practice; provider.unknown and
// provider.retired; app.unknown; import.issued (field issued, reason future or
// none: older than 60 days); import.already; what the provider and the network
// say; those of the keychain, the library and the locks.
func (s *Service) Import(ctx context.Context, in Paste) (Account, error) {
	a := answer{V: answerVersion, Type: "bearer", Long: true, Imported: true, Estimated: true}
	now := s.config.Now().UTC().Truncate(time.Second)
	var err error
	if a.Issued, a.ExpiresAt, err = lifeFrom(in.Issued, now); err != nil {
		return Account{}, err
	}
	var app *library.App
	wanted := in.Provider
	if in.App != "" {
		saved, err := s.library.AppByName(ctx, in.App)
		if err != nil {
			return Account{}, err
		}
		app = &saved
		if wanted == "" {
			wanted = saved.Provider
		}
	}
	shape, d, err := s.judge(in.Text, wanted)
	if err != nil {
		return Account{}, err
	}
	if app != nil && app.Provider != d.ID {
		return Account{}, problem.New(problem.AppUnknown, "name", in.App)
	}
	// A keychain that does not take it is found before anybody is asked (KR-9).
	if err := s.SelfTest(ctx); err != nil {
		return Account{}, err
	}
	if _, err := s.furnish(ctx); err != nil {
		return Account{}, err
	}
	appID := ""
	if app != nil {
		appID = app.ID
	}
	who, _, err := s.speaksFor(ctx, d, shape.Token, in.UserID, appID)
	if err != nil {
		return Account{}, err
	}
	a.Provider, a.Access, a.SentAt, a.UserID = d.ID, sealedText{shape.Token}, now, who.UserID
	a.Person = &person{UserID: who.UserID, Username: who.Username, Kind: who.Kind, Posts: who.Posts}
	if app != nil {
		a.ClientID, a.AppID = app.ClientID, app.ID
	} else if row, known, err := s.keptFor(ctx, d.ID, who.UserID); err != nil {
		return Account{}, err
	} else if known {
		a.ClientID, a.AppID = row.ClientID, row.AppID
	}
	return s.takeIn(ctx, a)
}

// takeIn stores an imported answer. From here on nothing is cancelled.
func (s *Service) takeIn(ctx context.Context, a answer) (Account, error) {
	ctx = context.WithoutCancel(ctx)
	id := library.NewID(s.config.Rand)
	unlock, err := s.lock(ctx, id)
	if err != nil {
		return Account{}, err
	}
	defer unlock()
	c := &completion{pending: library.Pending{AccountID: id, Gen: 1, AskedAt: s.config.Now()}, answer: a, step: func(Step) {}}
	if err := s.library.Begin(ctx, c.pending); err != nil {
		return Account{}, err
	}
	// A row without an answer would be taken for an interrupted sign-in. One
	// with an answer stays, for Recover: the person asked for the token to be
	// kept.
	drop := func() {
		if err := s.library.Drop(ctx, id, c.pending.Gen); err != nil {
			s.log.Warn("pending row not dropped", "err", err)
		}
	}
	if c.sealer, err = s.furnish(ctx); err != nil {
		drop()
		return Account{}, err
	}
	done, err := s.complete(ctx, c)
	if err != nil {
		if !c.sealed || !done.held || problem.Has(err, problem.ImportAlready) {
			drop()
		}
		return Account{}, err
	}
	s.log.Info("imported", "account", done.account.ID)
	return done.account, nil
}

// lifeFrom checks the day of issue and estimates the end. A day is counted from
// its beginning, so the estimate is early rather than late; the days are of 24
// hours, as the provider's are, whatever the clocks do in between.
func lifeFrom(issued *time.Time, now time.Time) (*time.Time, *time.Time, error) {
	if issued == nil {
		return nil, nil, nil
	}
	from := issued.UTC().Truncate(time.Second)
	switch {
	// In another time zone it may be that day already.
	case from.After(now.Add(day)):
		return nil, nil, problem.New(problem.ImportIssued, "field", "issued", "reason", "future")
	// Whoever knows the day alone may mean its end.
	case !now.Before(from.Add(longLife + day)):
		return nil, nil, problem.New(problem.ImportIssued, "field", "issued")
	}
	if from.After(now) {
		from = now
	}
	end := from.Add(longLife)
	if !end.After(now) {
		// The provider is asked next: if it works, the estimate is wrong, and
		// an account that works is never shown as ended.
		return &from, nil, nil
	}
	return &from, &end, nil
}

// older reports that an imported answer is, by its day of issue, not worth
// giving up the working token that the account has.
func older(former library.Account, a answer) bool {
	return a.Imported && a.ExpiresAt != nil && former.LastAnswer == "" && former.ExpiresAt != nil && !former.Estimated &&
		a.ExpiresAt.Add(day).Before(*former.ExpiresAt)
}

// keep is what an imported token does to the account that has one: unchanged
// when it is the same, refused when it is older, and otherwise again. An item
// that cannot be read is mended by the new one, or its keychain refuses that too.
func (s *Service) keep(ctx context.Context, former library.Account, a answer) (unchanged bool, err error) {
	switch {
	case s.holds(ctx, former, a.Access.Text):
		return true, nil
	case older(former, a):
		return false, problem.New(problem.ImportAlready, "username", former.Username)
	}
	return false, nil
}
