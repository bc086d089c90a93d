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

	// The guide's doors: each leads to the step of a recipe that names it.
	GuideAppID         Action = "guide_app_id"
	GuideSecret        Action = "guide_secret"
	GuideTester        Action = "guide_tester"
	GuideInvite        Action = "guide_invite"
	GuideRedirect      Action = "guide_redirect"
	GuideProfessional  Action = "guide_professional"
	GuideLinkPage      Action = "guide_link_page"
	GuideConfiguration Action = "guide_configuration"
	GuideToken         Action = "guide_token"

	// SwitchProvider changes to the provider in the argument other, or
	// replaced_by.
	SwitchProvider Action = "switch_provider"
	// OpenProvider opens the provider's own site.
	OpenProvider Action = "open_provider"
	PasteToken   Action = "paste_token"
	// ConfirmHosts shows the hosts of an own definition and asks.
	ConfirmHosts Action = "confirm_hosts"
	// ReadPage takes what the provider's own page says.
	ReadPage Action = "read_page"
)

// Guides lists the actions that lead into the guide; recipes are checked with it.
func Guides() []Action {
	return []Action{GuideAppID, GuideSecret, GuideTester, GuideInvite, GuideRedirect, GuideProfessional, GuideLinkPage, GuideConfiguration, GuideToken}
}

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
	ProviderAddresses Key = "provider.addresses"
	DefinitionInvalid Key = "definition.invalid"
	DefinitionHosts   Key = "definition.hosts"
	DefinitionExists  Key = "definition.exists"
	DiscoveryNone     Key = "discovery.none"
	DiscoveryFailed   Key = "discovery.failed"
	DiscoveryIssuer   Key = "discovery.issuer"
	ClockOff          Key = "clock.off"
	PracticeOnly      Key = "practice.only"
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
	ImportSeveral     Key = "import.several"
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
	ThreadsInvite       Key = "threads.invite"
	ThreadsInsecure     Key = "threads.insecure"
	ThreadsAddresses    Key = "threads.addresses"
	ThreadsVague        Key = "threads.vague"
	RedirectWrongBox    Key = "redirect.wrong_box"
	AppNotLive          Key = "app.not_live"
	AppWrongType        Key = "app.wrong_type"
	AppConfigNeeded     Key = "app.config_needed"
	PageInPopup         Key = "page.in_popup"
	NoPage              Key = "account.no_page"
	PageNotLinked       Key = "account.page_not_linked"
	PageRole            Key = "account.page_role"
	NoTask              Key = "account.no_task"
	ClientRefused       Key = "client.refused"
	ClientNotAllowed    Key = "client.not_allowed"
	ServerUnsupported   Key = "server.unsupported"
	SignInUnanswered    Key = "sign_in.unanswered"
	IssMismatch         Key = "iss.mismatch"

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
	RefreshEnded    Key = "renew.refresh_ended"
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
	add(Input, ProviderRetired, SwitchProvider)
	add(Input, ProviderAddresses)
	add(Input, DefinitionInvalid)
	add(Input, DefinitionHosts, ConfirmHosts)
	add(Input, DefinitionExists)
	add(Input, DiscoveryNone, TryAgain)
	add(Refused, DiscoveryFailed, TryAgain)
	add(Refused, DiscoveryIssuer)
	add(Input, ClockOff, TryAgain)
	add(Input, PracticeOnly)
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
	add(Input, PasteAppToken, PasteAgain, GuideToken)
	add(Input, PasteIsCode, PasteAgain)
	add(Input, PasteRetired, GuideToken)
	add(Input, PastePractice, PasteAgain)
	add(Input, PasteTokenTooLong, PasteAgain)
	add(Input, ImportAlready)
	add(Input, ImportSeveral, SignInAgain)
	add(Input, ImportIssued)
	add(Input, AnswerForeign, SignInAgain, PasteAgain)
	add(Input, AnswerUsed, SignInAgain)
	add(Input, AnswerDoubled, SignInAgain)
	add(Input, AnswerIsToken, SignInAgain)
	add(Input, AnswerIncomplete, PasteAgain)
	add(Input, AnswerStrangers, SignInAgain)

	add(Cancelled, SignInCancelled, SignInAgain)
	add(Cancelled, Denied, SignInAgain)

	add(Refused, AppIDIsFacebook, GuideAppID, ChangeClientID)
	add(Refused, AppIDUnknown, ChangeClientID, GuideAppID)
	add(Refused, AppSecretRefused, ChangeSecret, GuideSecret)
	add(Refused, RedirectMismatch, CopyAddress, GuideRedirect, ChangeRedirect)
	add(Refused, RedirectUnknown, CopyAddress, GuideRedirect)
	add(Refused, CodeRefused, SignInAgain)
	add(Refused, CodeUsed, SignInAgain)
	add(Refused, ScopeRefused, ChoosePermissions)
	add(Refused, ScopeOtherRoad, SwitchProvider, ChoosePermissions)
	add(Refused, NotInvited, GuideTester, GuideInvite, SeparateWindow, SignInAgain)
	add(Refused, DeveloperRole, GuideTester, GuideInvite, SeparateWindow, SignInAgain)
	add(Refused, PersonalAccount, GuideProfessional, SignInAgain)
	add(Refused, ExtendRefused, ChangeSecret, SignInAgain, GuideToken)
	add(Refused, AlreadyLong, KeepAsIs)
	add(Refused, TokenIncomplete, PasteAgain)
	add(Refused, TokenOtherService, SwitchProvider, PasteAgain)
	add(Refused, PermissionMissing, ChoosePermissions, SignInAgain)
	add(Refused, ProviderRefused, TryAgain)
	add(Refused, ProofRequired, OpenProvider)
	add(Refused, RetiredAPI, SignInAgain)
	add(Refused, IdentityUnavailable, TryAgain)
	add(Refused, ThreadsInvite, GuideInvite, SeparateWindow, SignInAgain)
	add(Refused, ThreadsInsecure, ChangeRedirect, GuideRedirect)
	add(Refused, ThreadsAddresses, GuideRedirect, CopyAddress)
	add(Refused, ThreadsVague, ChangeClientID, ChoosePermissions, TryAgain)
	add(Refused, RedirectWrongBox, GuideRedirect, CopyAddress)
	add(Refused, AppNotLive, GuideTester, OpenProvider)
	add(Refused, AppWrongType, OpenProvider)
	add(Refused, AppConfigNeeded, GuideAppID, ChangeClientID, GuideConfiguration)
	add(Refused, PageInPopup, SignInAgain)
	add(Refused, NoPage, SignInAgain, GuideLinkPage)
	add(Refused, PageNotLinked, GuideLinkPage, SignInAgain)
	add(Refused, PageRole, OpenProvider, SignInAgain)
	add(Refused, NoTask, OpenProvider, SignInAgain)
	add(Refused, ClientRefused, ChangeClientID, ChangeSecret)
	add(Refused, ClientNotAllowed, ChangeClientID, OpenProvider)
	add(Refused, ServerUnsupported, TryAgain)
	add(Refused, SignInUnanswered, SignInAgain)
	add(Refused, IssMismatch, SignInAgain)

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
	add(Refused, RevokeFailed, OpenProvider)

	add(SignIn, OtherAccount, SignInAgain, SeparateWindow)
	add(SignIn, TokenEnded, SignInAgain)
	add(SignIn, PasswordChanged, SignInAgain)
	add(SignIn, AccessRemoved, SignInAgain)
	add(SignIn, SecurityCheck, OpenProvider, SignInAgain)
	add(SignIn, TokenRefused, SignInAgain)
	add(SignIn, TokenGone, SignInAgain, TestVault)
	add(SignIn, RenewImpossible, SignInAgain)
	add(SignIn, RefreshEnded, SignInAgain)
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
