package connect

import (
	"strconv"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Step is where a sign-in stands. The values are a contract: the command line
// prints them as "state".
type Step string

// The steps in their order. Connected and Failed end the attempt.
const (
	Checking    Step = "checking"
	Listening   Step = "listening"
	Waiting     Step = "waiting"
	Answered    Step = "answered"
	Exchanging  Step = "exchanging"
	Extending   Step = "extending"
	Identifying Step = "identifying"
	Saving      Step = "saving"
	Connected   Step = "connected"
	Failed      Step = "failed"
)

// State is one announced step with all that a front end needs to show it. It
// is a value: a front end may keep it, and an older one never changes.
type State struct {
	Step Step
	// Provider is the definition's name for people, e.g. "Instagram".
	Provider string
	// RedirectURI is the frozen redirect address of the attempt.
	RedirectURI string
	// AuthorizeURL is the address for the browser, from Waiting on. It carries
	// the state parameter, so it is a secret that is revealed to a browser, to
	// a person who asks for the link, and nowhere else.
	AuthorizeURL secret.Text
	// AuthorizeHost is the host that the browser opens, for people to compare.
	AuthorizeHost string
	// Deadline is when waiting ends by the wall clock, from Waiting on. It has
	// no monotonic reading: a computer that slept through it is past it.
	Deadline time.Time
	// Listens tells that an address on this computer waits for the redirect;
	// false means that only a pasted address or the separate window can answer.
	Listens bool
	// BrowserProblem is set while waiting when no browser could be opened.
	BrowserProblem *problem.Problem
	// Refused is set while waiting: the last answer or pasted text that was not
	// used. The attempt goes on.
	Refused *problem.Problem
	// Strangers counts answers with a foreign state so far. From the twentieth
	// on a front end says that something else is knocking (ruling 5).
	Strangers int
	// VaultWaits tells that the keychain may be asking the person for a password.
	VaultWaits bool
	// Other is set while Identifying when another person than the expected one
	// has answered and Request.Decide is there to say what becomes of that: the
	// answer lies sealed, and the attempt waits without a deadline. Cancelling
	// is DropAnswer then. Nil again when the question is over.
	Other *Other
	// Choices is set while Identifying when the token reaches accounts of which
	// some are to be kept: the attempt waits for Request.Choose, without a
	// deadline. Without Choose they are announced and nothing waits. Nil again
	// when the choice is made.
	Choices []Choice
	// Account is the outcome at Connected: the first of Accounts.
	Account *Account
	// Accounts are all that this sign-in brought, at Connected: one, or one for
	// each Instagram account that was chosen.
	Accounts []Account
	// Notices are things to know about a Connected account, e.g. that only the
	// one-hour token was given (problem.ExtendRefused).
	Notices []*problem.Problem
	// SecretKept tells at Connected whether the client secret was kept.
	SecretKept bool
	// Problem is the outcome at Failed.
	Problem *problem.Problem
	// Held is true at Failed when the token did arrive and waits for
	// Service.Recover: "Try saving again". It lies sealed in the library or,
	// where that refused, in the memory of this process.
	Held bool
}

// Final reports whether the attempt has ended.
func (s State) Final() bool { return s.Step == Connected || s.Step == Failed }

// Cancellable reports whether the person can still stop the attempt: until
// the code is used, and while it asks something. Otherwise it runs to its end.
func (s State) Cancellable() bool {
	switch s.Step {
	case Checking, Listening, Waiting:
		return true
	default:
		return s.Asks()
	}
}

// Asks reports whether the attempt waits for the person: whose account it
// shall be, or which ones. Choices without a Request.Choose are no question.
func (s State) Asks() bool { return s.Step == Identifying && (s.Other != nil || s.Choices != nil) }

// Decision is what becomes of the answer of another person than expected.
type Decision string

// The decisions. AddAsNew saves it as that other person's account, which may
// be one that is there already, and never as the expected one's. DropAnswer
// forgets the token and leaves everything as it was.
const (
	AddAsNew   Decision = "add"
	DropAnswer Decision = "drop"
)

// Other says that another person than expected has answered.
type Other struct {
	// Wanted and Found are usernames without "@".
	Wanted string `json:"wanted"`
	Found  string `json:"found"`
	// Known: the other person's account is here already, so adding renews that.
	Known bool `json:"known"`
}

// Choice is one account that a token may reach, or a Page that leads to none.
type Choice struct {
	// UserID is the Instagram account's, empty where a Page leads to none.
	UserID   string `json:"user_id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	// Page is the name of the Facebook Page that it is linked to.
	Page string `json:"page"`
	// Posts is the number of its posts, -1 unknown.
	Posts     int  `json:"posts"`
	Reachable bool `json:"reachable"`
	// Reason is why it is not reachable: account.page_not_linked,
	// account.page_role, account.no_task; empty where it is.
	Reason problem.Key `json:"reason"`
	// Known: this account is here already.
	Known bool `json:"known"`
}

// Receive says how the answer may come back.
type Receive string

// The ways of receiving. Listen is the default and takes a pasted address too.
const (
	ReceiveListen Receive = "listen"
	ReceivePaste  Receive = "paste"
	ReceiveWindow Receive = "window"
)

// Browser says which browser window the person uses.
type Browser string

// The choices of browser window.
const (
	BrowserDefault  Browser = "default"
	BrowserSeparate Browser = "separate"
	BrowserNone     Browser = "none"
)

// Setup is what a person fills in: the client registration at a provider.
type Setup struct {
	// App is the name of a saved app, or empty for a new one. With a saved app
	// the other fields may be empty and are taken from it.
	App string
	// Provider is the id of a definition, e.g. "instagram".
	Provider string
	// ClientID as typed; padding and quotes are forgiven.
	ClientID string
	// ClientSecret as typed or, when empty, the kept one of the saved app.
	ClientSecret secret.Text
	// RedirectURI, or empty for the definition's default.
	RedirectURI string
	// KeepSecret puts the client secret into the keychain after success.
	KeepSecret bool
	// ConfigID is the configuration of a Facebook Login for Business, sent
	// instead of the permissions; empty takes that of the saved app, if it has
	// one. Only definitions with an Authorize.ConfigParam use it.
	ConfigID string
	// Scopes that will be asked for, for the doctor alone: which of them are
	// retired or belong to another way. A sign-in has its own in Request.
	Scopes []string
	// Offline leaves out what the doctor asks over the network.
	Offline bool
}

// Request is one sign-in.
type Request struct {
	Setup
	// Scopes to ask for; the required one is always added. Empty means those
	// saved with the app, or the required one alone.
	Scopes []string
	// Receive and Browser default to ReceiveListen and BrowserDefault.
	Receive Receive
	Browser Browser
	// Timeout until the answer must be there; 0 means 10 minutes, at most 24 hours.
	Timeout time.Duration
	// Expect is the username that has to answer, without "@"; empty for anybody.
	Expect string
	// ExpectAccount is the id of an account of ours whose person has to answer;
	// it wins over Expect. The provider's user id is compared, so that somebody
	// who was renamed is the same person. What the Setup and Scopes leave empty
	// is taken from that account.
	ExpectAccount string
	// Decide brings what to do with the answer of another person than expected
	// (State.Other). Nil: such an answer ends with account.other, and nothing of
	// it is saved. Closing it drops the answer.
	Decide <-chan Decision
	// Choose brings the user ids of the Choices to keep, where a token reaches
	// several accounts. Nil, or closing it: every reachable one, or the expected
	// one. An empty list ends the attempt as sign_in.cancelled, with nothing kept.
	Choose <-chan []string
	// Pasted brings texts that the person pasted, while waiting. May be nil.
	Pasted <-chan string
	// Extend brings extra time, added to the deadline, which stays within 24
	// hours from then. May be nil. Closing either channel is fine.
	Extend <-chan time.Duration
}

// Lifetime tells the two kinds of access token apart.
type Lifetime string

// A long-lived token lasts about 60 days, a short-lived one about an hour.
const (
	Long  Lifetime = "long"
	Short Lifetime = "short"
)

// Account is the account object of the contract, the same in list, show and
// connected. It never holds a token.
type Account struct {
	ID            string   `json:"id"`
	UserID        string   `json:"user_id"`
	Username      string   `json:"username"`
	Provider      string   `json:"provider"`
	App           string   `json:"app"`
	GrantedScopes []string `json:"granted_scopes"`
	MissingScopes []string `json:"missing_scopes"`
	Status        Status   `json:"status"`
	// Reason is the problem key of the last refusal, empty without one.
	Reason    string     `json:"reason"`
	Lifetime  Lifetime   `json:"lifetime"`
	IssuedAt  *time.Time `json:"issued_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	// ExpiresEstimated tells that the end was computed and not told by the provider.
	ExpiresEstimated bool `json:"expires_estimated"`
	// RenewAfter is the first moment at which the provider would renew, null
	// where it never does.
	RenewAfter *time.Time `json:"renew_after"`
	// Vault is where the token lies: keychain, file or session.
	Vault    string `json:"vault"`
	Practice bool   `json:"practice"`

	// What only the window shows.
	Kind         string   `json:"-"` // account type as the provider calls it, e.g. "BUSINESS"
	ScopesAsked  []string `json:"-"`
	Posts        int      `json:"-"` // -1 unknown; known right after signing in only
	ProviderName string   `json:"-"`
	VaultProgram string   `json:"-"` // for a front end that knows it, e.g. "GNOME Keyring"
	// Renews: the provider renews this token; it is long-lived, or Refreshes.
	Renews bool `json:"-"`
	// Refreshes: it is renewed by a refresh token, however short its own life is.
	Refreshes bool `json:"-"`
	// DueAt is when it is due: 20 days before its end, for an estimated end
	// RenewAfter. Nil where nothing renews or no end is known.
	DueAt *time.Time `json:"-"`
	// FailedSince is since when renewing has failed, NextTry the earliest next
	// try, TriedAt the last one, CheckedAt when the provider was last asked
	// whether it works. Each nil when there is none.
	FailedSince *time.Time `json:"-"`
	NextTry     *time.Time `json:"-"`
	TriedAt     *time.Time `json:"-"`
	CheckedAt   *time.Time `json:"-"`
	// Warned is the smallest of 14, 7, 2 days before this end at which the
	// person was told; 0: not yet.
	Warned int `json:"-"`
}

// App is a saved client registration. It never holds its secret.
type App struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Provider    string   `json:"provider"`
	ClientID    string   `json:"client_id"`
	RedirectURI string   `json:"redirect_uri"`
	Scopes      []string `json:"scopes"`
	SecretKept  bool     `json:"secret_kept"`
	// ConfigID is the configuration of a Facebook Login for Business.
	ConfigID string `json:"config_id,omitempty"`
	// Accounts counts the accounts that were connected with it.
	Accounts int `json:"accounts"`
}

// Level is how a line of the doctor reads.
type Level string

// Levels from fine to bad. Yours marks what only the person can check.
const (
	Fine  Level = "fine"
	Yours Level = "yours"
	Look  Level = "look"
	Bad   Level = "bad"
)

// Line is one finding of the doctor. Its sentences are those that Keys names,
// with Args; where Own is false they are those of Problem.
type Line struct {
	// Check is one of: client_id, client_secret, scopes, hosts, redirect, port,
	// vault, clock, net, address.
	Check string            `json:"check"`
	Level Level             `json:"level"`
	Args  map[string]string `json:"args,omitempty"`
	// Variant picks among the sentences of one check; empty is the level's own.
	Variant string `json:"-"`
	// Problem is what the sign-in would end with, nil where nothing is wrong or
	// the finding is no problem yet.
	Problem *problem.Problem `json:"-"`
	// Action is what mends a finding without a Problem, empty where only reading
	// it helps; that of a Problem are its own.
	Action problem.Action `json:"-"`
}

// Own reports whether the line has sentences of its own. A Problem beside them
// gives the exit code and the remedies.
func (l Line) Own() bool { return l.Problem == nil || l.Variant != "" }

// Counts gives the number by which the sentences are declined, where they are.
func (l Line) Counts() (n int, ok bool) {
	n, err := strconv.Atoi(l.Args["n"])
	return n, err == nil && (l.Check == "clock" || l.Check == "scopes")
}

// Keys are the catalogue's names of the line's title and detail; both take Args.
func (l Line) Keys() (title, detail string) {
	variant := l.Variant
	if variant == "" {
		variant = string(l.Level)
	}
	return "doctor." + l.Check + ".title_" + variant, "doctor." + l.Check + ".line_" + variant
}

// Remedies are the actions that mend the line, the best first.
func (l Line) Remedies() []problem.Action {
	switch {
	case l.Problem != nil:
		return l.Problem.Actions()
	case l.Action != "":
		return []problem.Action{l.Action}
	}
	return nil
}

// Storage tells where things lie, for the storage panel and vault status.
type Storage struct {
	// Place is keychain or session.
	Place string `json:"place"`
	// Program is the name of what keeps the secrets, e.g. "GNOME Keyring".
	Program    string `json:"program"`
	Collection string `json:"collection"`
	Present    bool   `json:"present"`
	Locked     bool   `json:"locked"`
	// Home is the folder of what is not secret.
	Home string `json:"home"`
	// Accounts counts stored tokens, SecretsKept and SecretsForgotten the apps.
	Accounts         int `json:"accounts"`
	SecretsKept      int `json:"secrets_kept"`
	SecretsForgotten int `json:"secrets_forgotten"`
	// Problem says why the keychain cannot be used, nil when it can.
	Problem *problem.Problem `json:"-"`
}

// Handed is a token on its way to the person: the one place where it leaves.
type Handed struct {
	AccessToken secret.Text
	TokenType   string
	ExpiresAt   *time.Time
}

// Recovered is one sign-in that a former run left unfinished, or a renewal
// whose answer cannot be stored yet.
type Recovered struct {
	// Account is set when it was finished without a browser.
	Account *Account
	// Problem is set when it could not be: sign_in.interrupted where no answer
	// had reached the disk, else what still stands in the way.
	Problem *problem.Problem
	// ID names the sign-in for Service.Settle, where Other is set.
	ID string
	// Other is set when the sign-in still waits for the person's decision:
	// somebody else than expected had answered. It stays until Service.Settle.
	Other *Other
}
