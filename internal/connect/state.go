package connect

import (
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
	// Account is the outcome at Connected.
	Account *Account
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
// the code is used. Afterwards it runs to its end.
func (s State) Cancellable() bool {
	switch s.Step {
	case Checking, Listening, Waiting:
		return true
	default:
		return false
	}
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
	// Renews: the provider renews this token; it is long-lived.
	Renews bool `json:"-"`
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

// Line is one finding of the doctor. Its sentences are doctor.<Check>.<Level>
// in the catalogue with Args, or those of Problem where it is set.
type Line struct {
	// Check is one of: client_id, client_secret, redirect, port, vault, address.
	Check   string            `json:"check"`
	Level   Level             `json:"level"`
	Args    map[string]string `json:"args,omitempty"`
	Problem *problem.Problem  `json:"-"`
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
}
