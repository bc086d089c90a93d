package problem

import "sort"

// Key names one problem. Keys are printed on the command line as "key" and are
// the stem of the sentences in the catalogue (problem.<key>.title and so on).
type Key string

// Action names what a button beside a problem does. Front ends map each to
// one of their own doors and show no button for those they lack.
type Action string

// The closed set of actions.
const (
	ChangeClientID    Action = "change_client_id"
	ChangeSecret      Action = "change_secret"
	ChangeRedirect    Action = "change_redirect"
	ChoosePermissions Action = "choose_permissions"
	CopyAddress       Action = "copy_address"
	SignInAgain       Action = "sign_in_again"
	PasteAddress      Action = "paste_address"
	PasteAgain        Action = "paste_again"
	SeparateWindow    Action = "separate_window"
	TestVault         Action = "test_vault"
	TrySavingAgain    Action = "try_saving_again"
	TryAgain          Action = "try_again"
	OpenSettings      Action = "open_settings"
	KeepAsIs          Action = "keep_as_is"
)

// Entry is a row of the table: what a key means to a program.
type Entry struct {
	Key     Key
	Kind    Kind
	Actions []Action
}

// Every key there is. Each has its sentences in the catalogue.
const (
	Unexpected Key = "unexpected"

	FieldEmpty        Key = "field.empty"
	ClientIDLetters   Key = "client_id.letters"
	ClientIDIsSecret  Key = "client_id.is_secret"
	ClientIDTooLong   Key = "client_id.too_long"
	SecretMissing     Key = "secret.missing"
	SecretFileOpen    Key = "secret.file_open"
	SecretFileMissing Key = "secret.file_missing"
	SecretTooLong     Key = "secret.too_long"
	RedirectBlank     Key = "redirect.blank"
	RedirectInvalid   Key = "redirect.invalid"
	RedirectScheme    Key = "redirect.scheme"
	RedirectNotHere   Key = "redirect.not_here"
	PortBlocked       Key = "port.blocked"
	PortPrivileged    Key = "port.privileged"
	PortTaken         Key = "port.taken"
	PortTakenV6       Key = "port.taken_v6"
	PortOurs          Key = "port.ours"
	ScopeUnknown      Key = "scope.unknown"
	ScopeRetired      Key = "scope.retired"
	ProviderUnknown   Key = "provider.unknown"
	ProviderRetired   Key = "provider.retired"
	DefinitionInvalid Key = "definition.invalid"
	EndpointsChanged  Key = "endpoints.changed"
	AppUnknown        Key = "app.unknown"
	AppNameTaken      Key = "app.name_taken"
	AccountUnknown    Key = "account.unknown"
	AccountAmbiguous  Key = "account.ambiguous"
	SandboxAddress    Key = "sandbox.address"
	VaultChoice       Key = "vault.choice"
	HomeUnusable      Key = "home.unusable"
	TokenTerminal     Key = "token.terminal"
	UsageWrong        Key = "usage"
	NoTerminal        Key = "usage.no_terminal"

	PasteTooLong      Key = "paste.too_long"
	PasteNoCode       Key = "paste.no_code"
	PasteBareCode     Key = "paste.bare_code"
	PasteOtherAddress Key = "paste.other_address"
	PasteNotToken     Key = "paste.not_token"
	PasteAppToken     Key = "paste.app_token"
	PasteIsCode       Key = "paste.is_code"
	PasteRetired      Key = "paste.retired"
	PastePractice     Key = "paste.practice"
	PasteTokenTooLong Key = "paste.too_long_token"
	ImportAlready     Key = "import.already"
	ImportIssued      Key = "import.issued"
	AnswerForeign     Key = "answer.foreign"
	AnswerUsed        Key = "answer.used"
	AnswerDoubled     Key = "answer.doubled"
	AnswerIsToken     Key = "answer.is_token"
	AnswerIncomplete  Key = "answer.incomplete"
	AnswerStrangers   Key = "answer.strangers"

	SignInCancelled Key = "sign_in.cancelled"
	Denied          Key = "sign_in.denied"

	AppIDIsFacebook     Key = "app_id.is_facebook"
	AppIDUnknown        Key = "app_id.unknown"
	AppSecretRefused    Key = "app_secret.refused"
	RedirectMismatch    Key = "redirect.mismatch"
	RedirectUnknown     Key = "redirect.unregistered"
	CodeRefused         Key = "code.refused"
	CodeUsed            Key = "code.used"
	ScopeRefused        Key = "scope.refused"
	ScopeOtherRoad      Key = "scope.other_road"
	NotInvited          Key = "account.not_invited"
	PersonalAccount     Key = "account.personal"
	ExtendRefused       Key = "extend.refused"
	AlreadyLong         Key = "token.already_long"
	TokenIncomplete     Key = "token.incomplete"
	TokenOtherService   Key = "token.other_service"
	PermissionMissing   Key = "permission.missing"
	ProviderRefused     Key = "provider.refused"
	DeveloperRole       Key = "account.developer_role"
	ProofRequired       Key = "app.proof_required"
	RetiredAPI          Key = "provider.retired_api"
	IdentityUnavailable Key = "identity.unavailable"

	NetworkUnreachable Key = "network.unreachable"
	NetworkTLS         Key = "network.tls"
	NetworkRedirected  Key = "network.redirected"
	NetworkLoginPage   Key = "network.login_page"
	NetworkCut         Key = "network.cut"
	ProviderDown       Key = "provider.down"
	ProviderOddAnswer  Key = "provider.odd_answer"
	ProviderBusy       Key = "provider.busy"

	VaultLocked     Key = "vault.locked"
	VaultDenied     Key = "vault.denied"
	VaultDismissed  Key = "vault.dismissed"
	VaultAbsent     Key = "vault.absent"
	VaultTooBig     Key = "vault.too-big"
	VaultUnreadable Key = "vault.unreadable"

	DeadlinePassed Key = "sign_in.deadline"
	NetworkSlow    Key = "network.slow"

	UnknownAnswer Key = "provider.unknown_answer"
	RevokeFailed  Key = "revoke.failed"

	OtherAccount    Key = "account.other"
	TokenEnded      Key = "token.ended"
	PasswordChanged Key = "token.password_changed"
	AccessRemoved   Key = "token.access_removed"
	SecurityCheck   Key = "token.security_check"
	TokenRefused    Key = "token.refused"
	TokenGone       Key = "token.gone"
	RenewImpossible Key = "renew.impossible"
	Interrupted     Key = "sign_in.interrupted"

	LibraryNewer    Key = "library.newer"
	LibraryReadOnly Key = "library.read_only"
	LibraryFull     Key = "library.full"
	LibraryBroken   Key = "library.broken"
	LibraryBusy     Key = "library.busy"
	// LibraryNoSharing is a note: the folder's file system cannot share a file well.
	LibraryNoSharing Key = "library.no_sharing"
	LockUnavailable  Key = "lock.unavailable"
	LockHeld         Key = "lock.held"
	CalendarFailed   Key = "calendar.failed"
	BrowserFailed    Key = "browser.failed"
	BrowserAddress   Key = "browser.address"
	BrowserAbsent    Key = "browser.absent"
	BrowserClosed    Key = "browser.closed"

	TimerUnavailable  Key = "timer.unavailable"
	TimerTemporary    Key = "timer.temporary"
	TimerNoProgram    Key = "timer.no_program"
	TimerFailed       Key = "timer.failed"
	NotifyUnavailable Key = "notify.unavailable"
	// WindowSilent: a window of this home is open and does not take a wish.
	WindowSilent Key = "window.silent"
)

var table = func() map[Key]Entry {
	rows := map[Key]Entry{}
	add := func(kind Kind, key Key, actions ...Action) {
		rows[key] = Entry{Key: key, Kind: kind, Actions: actions}
	}
	add(Internal, Unexpected, TryAgain)
	add(Internal, LibraryNewer)
	add(Internal, LibraryReadOnly)
	add(Internal, LibraryFull, TryAgain)
	add(Internal, LibraryBroken)
	add(Internal, LibraryBusy, TryAgain)
	add(Internal, LibraryNoSharing)
	add(Internal, LockUnavailable)
	add(Internal, LockHeld, TryAgain)
	add(Internal, BrowserFailed, CopyAddress)
	add(Internal, BrowserAddress)
	add(Input, BrowserAbsent)
	add(Cancelled, BrowserClosed, SignInAgain)

	add(Input, TimerUnavailable)
	add(Input, TimerTemporary)
	add(Input, TimerNoProgram)
	add(Internal, TimerFailed, TryAgain)
	add(Internal, NotifyUnavailable)
	add(Internal, WindowSilent, TryAgain)

	add(Input, FieldEmpty)
	add(Input, ClientIDLetters, ChangeClientID)
	add(Input, ClientIDIsSecret, ChangeClientID)
	add(Input, ClientIDTooLong, ChangeClientID)
	add(Input, SecretMissing, ChangeSecret)
	add(Input, SecretFileOpen)
	add(Input, SecretFileMissing)
	add(Input, SecretTooLong, ChangeSecret)
	add(Input, RedirectBlank, ChangeRedirect)
	add(Input, RedirectInvalid, ChangeRedirect)
	add(Input, RedirectScheme, ChangeRedirect)
	add(Input, RedirectNotHere, PasteAddress, ChangeRedirect)
	add(Input, PortBlocked, ChangeRedirect)
	add(Input, PortPrivileged, ChangeRedirect)
	add(Input, PortTaken, ChangeRedirect, TryAgain)
	add(Input, PortTakenV6, ChangeRedirect, TryAgain)
	add(Input, PortOurs, TryAgain)
	add(Input, ScopeUnknown, ChoosePermissions)
	add(Input, ScopeRetired, ChoosePermissions)
	add(Input, ProviderUnknown)
	add(Input, ProviderRetired)
	add(Input, DefinitionInvalid)
	add(Input, EndpointsChanged, ChangeSecret)
	add(Input, AppUnknown)
	add(Input, AppNameTaken)
	add(Input, AccountUnknown)
	add(Input, AccountAmbiguous)
	add(Input, SandboxAddress)
	add(Input, VaultChoice)
	add(Input, HomeUnusable)
	add(Input, CalendarFailed, OpenSettings)
	add(Input, TokenTerminal)
	add(Input, UsageWrong)
	add(Input, NoTerminal)

	add(Input, PasteTooLong, PasteAgain)
	add(Input, PasteNoCode, PasteAgain)
	add(Input, PasteBareCode, PasteAgain)
	add(Input, PasteOtherAddress, PasteAgain)
	add(Input, PasteNotToken, PasteAgain)
	add(Input, PasteAppToken, PasteAgain)
	add(Input, PasteIsCode, PasteAgain)
	add(Input, PasteRetired)
	add(Input, PastePractice, PasteAgain)
	add(Input, PasteTokenTooLong, PasteAgain)
	add(Input, ImportAlready)
	add(Input, ImportIssued)
	add(Input, AnswerForeign, SignInAgain, PasteAgain)
	add(Input, AnswerUsed, SignInAgain)
	add(Input, AnswerDoubled, SignInAgain)
	add(Input, AnswerIsToken, SignInAgain)
	add(Input, AnswerIncomplete, PasteAgain)
	add(Input, AnswerStrangers, SignInAgain)

	add(Cancelled, SignInCancelled, SignInAgain)
	add(Cancelled, Denied, SignInAgain)

	add(Refused, AppIDIsFacebook, ChangeClientID)
	add(Refused, AppIDUnknown, ChangeClientID)
	add(Refused, AppSecretRefused, ChangeSecret)
	add(Refused, RedirectMismatch, CopyAddress, ChangeRedirect)
	add(Refused, RedirectUnknown, CopyAddress)
	add(Refused, CodeRefused, SignInAgain)
	add(Refused, CodeUsed, SignInAgain)
	add(Refused, ScopeRefused, ChoosePermissions)
	add(Refused, ScopeOtherRoad, ChoosePermissions)
	add(Refused, NotInvited, SignInAgain, SeparateWindow)
	add(Refused, DeveloperRole, SignInAgain, SeparateWindow)
	add(Refused, PersonalAccount, SignInAgain)
	add(Refused, ExtendRefused, ChangeSecret, SignInAgain)
	add(Refused, AlreadyLong, KeepAsIs)
	add(Refused, TokenIncomplete, PasteAgain)
	add(Refused, TokenOtherService)
	add(Refused, PermissionMissing, ChoosePermissions)
	add(Refused, ProviderRefused, TryAgain)
	add(Refused, ProofRequired)
	add(Refused, RetiredAPI)
	add(Refused, IdentityUnavailable, TryAgain)

	add(Network, NetworkUnreachable, TryAgain)
	add(Network, NetworkTLS, TryAgain)
	add(Network, NetworkRedirected, TryAgain)
	add(Network, NetworkLoginPage, TryAgain)
	add(Network, NetworkCut, SignInAgain)
	add(Network, ProviderDown, TryAgain)
	add(Network, ProviderOddAnswer, TryAgain)
	add(Network, ProviderBusy, TryAgain)

	add(Vault, VaultLocked, TrySavingAgain, TestVault)
	add(Vault, VaultDenied, TrySavingAgain, TestVault)
	add(Vault, VaultDismissed, TrySavingAgain, TestVault)
	add(Vault, VaultAbsent, OpenSettings)
	add(Vault, VaultTooBig)
	add(Vault, VaultUnreadable, TestVault)

	add(Timeout, DeadlinePassed, SignInAgain, PasteAddress)
	add(Timeout, NetworkSlow, TryAgain)

	add(Unknown, UnknownAnswer, TryAgain)
	add(Refused, RevokeFailed)

	add(SignIn, OtherAccount, SignInAgain, SeparateWindow)
	add(SignIn, TokenEnded, SignInAgain)
	add(SignIn, PasswordChanged, SignInAgain)
	add(SignIn, AccessRemoved, SignInAgain)
	add(SignIn, SecurityCheck, SignInAgain)
	add(SignIn, TokenRefused, SignInAgain)
	add(SignIn, TokenGone, SignInAgain, TestVault)
	add(SignIn, RenewImpossible, SignInAgain)
	add(SignIn, Interrupted, SignInAgain)
	return rows
}()

// Table lists every key with its kind and actions, sorted by key.
func Table() []Entry {
	rows := make([]Entry, 0, len(table))
	for _, entry := range table {
		rows = append(rows, entry)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Key < rows[j].Key })
	return rows
}

// Listed reports whether key is in the table; definitions are checked with it.
func Listed(key Key) bool {
	_, ok := table[key]
	return ok
}
