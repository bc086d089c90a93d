package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	words "github.com/tokenkeep/tokenkeep/internal/text"
)

// entry is one text of the table of refusals, "Errors seen in the wild". None
// of them was recorded by us; the mark says where it comes from: [V] Meta's
// pages or running code, [W] seen in the wild, [mem] memory.
type entry struct {
	row             int
	mark            string
	provider, where string
	status          int
	body            string
	key             problem.Key
	// button is the first thing offered, exit the command line's exit code.
	button problem.Action
	exit   int
}

// The three shapes of Meta's answers, as the table calls them.
func shapeA(message string) string {
	return fmt.Sprintf(`{"error_type":"OAuthException","code":400,"error_message":%q}`, message)
}

func shapeG(message, kind string, code, subcode int) string {
	more := ""
	if subcode != 0 {
		more = fmt.Sprintf(`,"error_subcode":%d`, subcode)
	}
	return fmt.Sprintf(`{"error":{"message":%q,"type":%q,"code":%d%s,"fbtrace_id":"Axxxxxxxx"}}`, message, kind, code, more)
}

func shapeT(message string, code int) string {
	return fmt.Sprintf(`{"error_message":%q,"error_code":%d}`, message, code)
}

const (
	ig = "instagram"
	th = "threads"
	fb = "instagram-facebook"
	bd = "instagram-basic-display"
	oa = "oauth2"

	mismatch   = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request"
	unmatched  = "Matching code was not found or was already used"
	methodGet  = "Unsupported request - method type: get"
	ended      = "Error validating access token: Session has expired on Saturday, 21-Nov-26 04:00:00 PST. The current time is Sunday, 22-Nov-26 01:14:00 PST."
	invalidate = "Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons."
	thirdParty = "https://www.instagram.com/oauth/authorize/third_party/error/?message="
)

// dictionary has every row of the table, 1 to 46.
var dictionary = []entry{
	{1, "[W]", ig, "exchange", 400, shapeA("Invalid platform app"), problem.AppIDIsFacebook, problem.GuideAppID, 4},
	{1, "[W]", ig, "page", 0, "Invalid Request: Request parameters are invalid: Invalid platform app", problem.AppIDIsFacebook, problem.GuideAppID, 4},
	{1, "[W]", ig, "page", 0, thirdParty + "Invalid+Request%3A+Request+parameters+are+invalid%3A+Invalid+platform+app", problem.AppIDIsFacebook, problem.GuideAppID, 4},
	{2, "[W]", ig, "exchange", 400, shapeA("Missing required field client_id"), problem.AppIDUnknown, problem.ChangeClientID, 4},
	{3, "[W]", ig, "exchange", 400, shapeA("Invalid authorization code"), problem.CodeRefused, problem.SignInAgain, 4},
	{3, "[W]", th, "exchange", 400, shapeA("Invalid authorization code"), problem.CodeRefused, problem.SignInAgain, 4},
	{3, "[W]", bd, "exchange", 400, shapeA("Invalid authorization code"), problem.CodeRefused, problem.SignInAgain, 4},
	{4, "[V]", ig, "exchange", 400, shapeA(unmatched), problem.CodeRefused, problem.SignInAgain, 4},
	{4, "[V]", th, "exchange", 400, shapeA(unmatched), problem.CodeRefused, problem.SignInAgain, 4},
	{4, "[V]", bd, "exchange", 400, shapeA(unmatched), problem.CodeRefused, problem.SignInAgain, 4},
	{5, "[W]", ig, "exchange", 400, shapeA("This authorization code has been used"), problem.CodeUsed, problem.SignInAgain, 4},
	{5, "[W]", th, "exchange", 400, shapeA("This authorization code has been used"), problem.CodeUsed, problem.SignInAgain, 4},
	{5, "[W]", fb, "exchange", 400, shapeG("This authorization code has been used.", "OAuthException", 100, 36009), problem.CodeUsed, problem.SignInAgain, 4},
	{5, "[W]", fb, "exchange", 400, shapeG("other words", "OAuthException", 100, 36009), problem.CodeUsed, problem.SignInAgain, 4},
	{6, "[W]", ig, "exchange", 400, shapeA(mismatch), problem.RedirectMismatch, problem.CopyAddress, 4},
	{6, "[W]", fb, "exchange", 400, shapeG(mismatch, "OAuthException", 100, 36008), problem.RedirectMismatch, problem.CopyAddress, 4},
	{6, "[W]", fb, "exchange", 400, shapeG("other words", "OAuthException", 100, 36008), problem.RedirectMismatch, problem.CopyAddress, 4},
	{7, "[W]", ig, "exchange", 400, `{"error_type":"OAuthException","error_message":"Invalid redirect_uri","code":400}`, problem.RedirectUnknown, problem.CopyAddress, 4},
	{7, "[W]", ig, "page", 0, "Request parameters are invalid: Invalid redirect_uri", problem.RedirectUnknown, problem.CopyAddress, 4},
	{7, "[W]", th, "exchange", 400, shapeG("Invalid redirect", "OAuthException", 100, 0), problem.RedirectUnknown, problem.CopyAddress, 4},
	{8, "[W]", ig, "exchange", 400, shapeA("Redirect URI does not match registered redirect URI"), problem.RetiredAPI, problem.SignInAgain, 4},
	{8, "[W]", bd, "page", 0, shapeA("Redirect URI does not match registered redirect URI"), problem.RetiredAPI, problem.SignInAgain, 4},
	{9, "[W]", ig, "page", 0, "Invalid scope: user_profile", problem.ScopeRetired, problem.ChoosePermissions, 2},
	{9, "[W]", ig, "page", 0, "Invalid scope: ['basic']", problem.ScopeRetired, problem.ChoosePermissions, 2},
	{9, "[W]", ig, "page", 0, "Invalid scope: []", problem.ScopeRefused, problem.ChoosePermissions, 4},
	{9, "[W]", ig, "exchange", 400, shapeA("Invalid scope: user_profile"), problem.ScopeRetired, problem.ChoosePermissions, 2},
	{9, "[W]", bd, "page", 0, "Invalid scope: user_profile", problem.ScopeRetired, problem.ChoosePermissions, 2},
	{10, "[W]", fb, "page", 0, "Invalid Scopes: instagram_business_basic. This message is only shown to developers.", problem.ScopeOtherRoad, problem.SwitchProvider, 4},
	{10, "[W]", fb, "page", 0, "Invalid Scopes: instagram_basic. This message is only shown to developers.", problem.ScopeRefused, problem.ChoosePermissions, 4},
	{10, "[W]", ig, "page", 0, "Invalid Scopes: instagram_basic", problem.ScopeOtherRoad, problem.SwitchProvider, 4},
	{9, "[mem]", th, "page", 0, shapeT("Invalid scope", 100), problem.ScopeRefused, problem.ChoosePermissions, 4},
	{9, "[W]", fb, "page", 0, "Invalid Scopes: user_profile. This message is only shown to developers.", problem.ScopeRetired, problem.ChoosePermissions, 2},
	{10, "[mem]", th, "page", 0, shapeT("Invalid scope: instagram_business_basic", 100), problem.ScopeOtherRoad, problem.SwitchProvider, 4},
	{11, "[W]", ig, "page", 0, thirdParty + "Insufficient+Developer+Role", problem.NotInvited, problem.GuideTester, 4},
	{11, "[W]", ig, "page", 0, thirdParty + "Unzureichende+Entwicklerrolle", problem.NotInvited, problem.GuideTester, 4},
	{11, "[W]", ig, "redirect", 0, "error=access_denied&error_description=Insufficient+developer+role", problem.NotInvited, problem.GuideTester, 4},
	{12, "[W]", th, "page", 0, shapeT("The user has not accepted the invite to test the app", 1349245), problem.ThreadsInvite, problem.GuideInvite, 4},
	{12, "[W]", th, "page", 0, "error_code: 1349245", problem.ThreadsInvite, problem.GuideInvite, 4},
	{13, "[W]", th, "page", 0, shapeT("Insecure Login Blocked: You can't get an access token or log in to this app from an insecure page.", 1349187), problem.ThreadsInsecure, problem.ChangeRedirect, 4},
	{13, "[W]", th, "page", 0, shapeT("andere Worte", 1349187), problem.ThreadsInsecure, problem.ChangeRedirect, 4},
	{14, "[W]", th, "page", 0, shapeT("URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings.", 1349168), problem.RedirectUnknown, problem.CopyAddress, 4},
	{14, "[W]", th, "page", 0, shapeT("andere Worte", 1349168), problem.RedirectUnknown, problem.CopyAddress, 4},
	{14, "[W]", fb, "page", 0, "URL Blocked\nThis redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings.", problem.RedirectUnknown, problem.CopyAddress, 4},
	{15, "[W]", th, "page", 0, shapeT("No app ID was sent with the request.", 4476002), problem.AppIDIsFacebook, problem.GuideAppID, 4},
	{15, "[W]", th, "page", 0, shapeT("andere Worte", 4476002), problem.AppIDIsFacebook, problem.GuideAppID, 4},
	{16, "[W]", th, "page", 0, shapeT("An unknown error has occurred.", 1), problem.ThreadsVague, problem.ChangeClientID, 4},
	{16, "[W]", th, "identity", 500, shapeG("An unknown error has occurred.", "OAuthException", 1, 0), problem.ThreadsVague, problem.ChangeClientID, 4},
	{17, "[W]", fb, "page", 0, "https://www.facebook.com/oauth/error/?error_code=PLATFORM__INVALID_APP_ID", problem.AppConfigNeeded, problem.GuideAppID, 4},
	{17, "[W]", fb, "page", 0, "https://www.facebook.com/oauth/error/?error_code=PLATFORM__INVALID_APP_ID Sorry, something went wrong.", problem.AppConfigNeeded, problem.GuideAppID, 4},
	{18, "[V]", ig, "redirect", 0, "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request", problem.Denied, problem.SignInAgain, 3},
	{18, "[V]", th, "redirect", 0, "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request", problem.Denied, problem.SignInAgain, 3},
	{18, "[V]", fb, "redirect", 0, "error=access_denied&error_reason=user_denied&error_description=Permissions+error", problem.Denied, problem.SignInAgain, 3},
	{18, "[V]", bd, "redirect", 0, "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request", problem.Denied, problem.SignInAgain, 3},
	{19, "[W]", ig, "redirect", 0, "error=access_denied&error_description=The+app+is+restricted", problem.DeveloperRole, problem.GuideTester, 4},
	{19, "[W]", th, "redirect", 0, "error=access_denied&error_description=The+app+is+restricted", problem.DeveloperRole, problem.GuideTester, 4},
	{20, "[W]", ig, "extend", 400, shapeG(methodGet, "IGApiException", 100, 0), problem.ExtendRefused, problem.ChangeSecret, 4},
	{20, "[W]", ig, "identity", 400, shapeG(methodGet, "IGApiException", 100, 0), problem.IdentityUnavailable, problem.TryAgain, 4},
	{20, "[W]", ig, "renew", 400, shapeG(methodGet, "IGApiException", 100, 0), problem.ProviderRefused, problem.TryAgain, 4},
	{20, "[W]", bd, "renew", 400, shapeG(methodGet, "IGApiException", 100, 0), problem.RetiredAPI, problem.SignInAgain, 4},
	{21, "[W]", ig, "extend", 400, shapeG("Session key invalid", "OAuthException", 1, 0), problem.AlreadyLong, problem.KeepAsIs, 4},
	{21, "[mem]", ig, "extend", 400, shapeG("other words", "OAuthException", 452, 0), problem.AlreadyLong, problem.KeepAsIs, 4},
	{22, "[W]", ig, "identity", 400, shapeG("The access token could not be decrypted", "OAuthException", 190, 0), problem.TokenIncomplete, problem.PasteAgain, 4},
	{23, "[W]", ig, "identity", 400, shapeG("Invalid OAuth access token - Cannot parse access token", "OAuthException", 190, 0), problem.TokenOtherService, problem.SwitchProvider, 4},
	{24, "[W]", ig, "renew", 400, shapeG("Malformed access token IGAA\"x", "OAuthException", 190, 0), problem.TokenIncomplete, problem.PasteAgain, 4},
	{25, "[W]", ig, "renew", 400, shapeG(ended, "OAuthException", 190, 463), problem.TokenEnded, problem.SignInAgain, 9},
	{25, "[V]", fb, "identity", 400, shapeG("other words", "OAuthException", 190, 463), problem.TokenEnded, problem.SignInAgain, 9},
	{26, "[W]", ig, "renew", 400, shapeG(invalidate, "OAuthException", 190, 0), problem.PasswordChanged, problem.SignInAgain, 9},
	{26, "[V]", th, "renew", 400, shapeG("other words", "OAuthException", 190, 460), problem.PasswordChanged, problem.SignInAgain, 9},
	{27, "[V]", ig, "renew", 400, shapeG("The user has not authorized application 123.", "OAuthException", 190, 458), problem.AccessRemoved, problem.SignInAgain, 9},
	{27, "[V]", ig, "renew", 400, shapeG("other words", "OAuthException", 190, 459), problem.SecurityCheck, problem.OpenProvider, 9},
	{27, "[V]", ig, "renew", 400, shapeG("other words", "OAuthException", 190, 464), problem.SecurityCheck, problem.OpenProvider, 9},
	{27, "[V]", ig, "renew", 400, shapeG("other words", "OAuthException", 190, 467), problem.TokenRefused, problem.SignInAgain, 9},
	{27, "[V]", ig, "identity", 400, shapeG("other words", "OAuthException", 190, 492), problem.PageRole, problem.OpenProvider, 4},
	{27, "[V]", fb, "identity", 400, shapeG("other words", "OAuthException", 190, 492), problem.PageRole, problem.OpenProvider, 4},
	{27, "[V]", fb, "identity", 400, shapeG("other words", "OAuthException", 102, 0), problem.TokenRefused, problem.SignInAgain, 9},
	{27, "[V]", fb, "identity", 400, shapeG("other words", "OAuthException", 102, 458), problem.AccessRemoved, problem.SignInAgain, 9},
	{28, "[W]", ig, "extend", 400, shapeG("Error validating client secret.", "OAuthException", 1, 0), problem.AppSecretRefused, problem.ChangeSecret, 4},
	{28, "[W]", fb, "exchange", 400, shapeG("Error validating application. Invalid application ID.", "OAuthException", 101, 0), problem.AppIDUnknown, problem.ChangeClientID, 4},
	{28, "[W]", fb, "exchange", 400, shapeG("other words", "OAuthException", 101, 0), problem.AppIDUnknown, problem.ChangeClientID, 4},
	{29, "[W]", ig, "identity", 400, shapeG("API calls from the server require an appsecret_proof argument", "GraphMethodException", 100, 0), problem.ProofRequired, problem.OpenProvider, 4},
	{29, "[W]", fb, "identity", 400, shapeG("Invalid appsecret_proof provided in the API argument", "GraphMethodException", 100, 0), problem.ProofRequired, problem.OpenProvider, 4},
	{30, "[V]", ig, "identity", 403, shapeG("(#10) Application does not have permission for this action", "OAuthException", 10, 0), problem.PermissionMissing, problem.ChoosePermissions, 4},
	{30, "[V]", th, "identity", 403, shapeG("other words", "OAuthException", 200, 0), problem.PermissionMissing, problem.ChoosePermissions, 4},
	{30, "[V]", fb, "identity", 403, shapeG("other words", "OAuthException", 299, 0), problem.PermissionMissing, problem.ChoosePermissions, 4},
	{31, "[W]", ig, "identity", 400, shapeG("(#100) Tried accessing nonexisting field (user_id)", "IGApiException", 100, 0), problem.IdentityUnavailable, problem.TryAgain, 4},
	{31, "[W]", fb, "identity", 400, shapeG("Unsupported get request. Object with ID '1' does not exist", "GraphMethodException", 100, 33), problem.IdentityUnavailable, problem.TryAgain, 4},
	{32, "[V]", ig, "extend", 400, shapeG("(#4) Application request limit reached", "OAuthException", 4, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{32, "[V]", ig, "renew", 400, shapeG("other words", "OAuthException", 17, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{32, "[V]", fb, "identity", 400, shapeG("other words", "OAuthException", 32, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{32, "[V]", th, "exchange", 400, shapeG("other words", "OAuthException", 613, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{32, "[V]", ig, "identity", 400, shapeG("other words", "OAuthException", 341, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{32, "[V]", ig, "identity", 400, shapeG("other words", "OAuthException", 368, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{32, "[W]", ig, "identity", 400, shapeG("other words", "OAuthException", 80002, 0), problem.ProviderBusy, problem.TryAgain, 5},
	{33, "[W]", fb, "accounts", 200, `{"data":[]}`, problem.NoPage, problem.SignInAgain, 4},
	// 34: the program does not ask before renew.after; the text was never seen.
	// What comes all the same is shown as it is.
	{34, "[W]", ig, "renew", 400, shapeG("a text that nobody has seen", "OAuthException", 100, 0), problem.UnknownAnswer, problem.TryAgain, 8},
	{35, "[W]", ig, "page", 0, "400 Session Invalid", problem.PageInPopup, problem.SignInAgain, 4},
	{36, "[W]", fb, "page", 0, "Sorry, something went wrong.", problem.AppWrongType, problem.OpenProvider, 4},
	{37, "[W]", ig, "page", 0, "Error saving redirect URIs", problem.RedirectScheme, problem.ChangeRedirect, 2},
	{37, "[W]", th, "page", 0, "Error saving redirect URIs", problem.ThreadsInsecure, problem.ChangeRedirect, 4},
	{38, "[W]", ig, "page", 0, "The callback URL or verify token couldn't be validated. Please verify the provided information or try again later.", problem.RedirectWrongBox, problem.GuideRedirect, 4},
	{39, "[W]", th, "page", 0, "Form can't be saved - Please verify all information", problem.ThreadsAddresses, problem.GuideRedirect, 4},
	{39, "[W]", th, "page", 0, "Form can’t be saved", problem.ThreadsAddresses, problem.GuideRedirect, 4},
	{40, "[W]", fb, "page", 0, "Facebook Login is currently unavailable for this app", problem.AppNotLive, problem.GuideTester, 4},
	{40, "[W]", fb, "page", 0, "App not active", problem.AppNotLive, problem.GuideTester, 4},
	{40, "[W]", ig, "page", 0, "Feature unavailable", problem.AppNotLive, problem.GuideTester, 4},
	{40, "[W]", th, "page", 0, "Feature unavailable", problem.AppNotLive, problem.GuideTester, 4},
	// 41: fewer permissions than asked for is a token and a list, no refusal.
	{41, "[V]", ig, "granted", 200, `{"access_token":"IGAAxxxxxxxxxxxxxxxxxxxx","user_id":17841400000000000,"permissions":["instagram_business_basic"]}`, problem.PermissionMissing, problem.ChoosePermissions, 4},
	{42, "[V]", ig, "identity", 400, shapeG("The user is not an Instagram Business", "IGApiException", 100, 0), problem.PersonalAccount, problem.GuideProfessional, 4},
	{42, "[V]", fb, "identity", 400, shapeG("The user is not an Instagram Business", "OAuthException", 100, 0), problem.PersonalAccount, problem.GuideProfessional, 4},
	{43, "[W]", ig, "state", 0, "code=AQBx-0123456789&state=another", problem.AnswerForeign, problem.SignInAgain, 2},
	{43, "[W]", ig, "state", 0, "code=AQBx-0123456789", problem.AnswerForeign, problem.SignInAgain, 2},
	// 44 is between the browser and this computer: internal/redirect gives the
	// problem, its tests take the port away.
	{44, "[W]", ig, "port", 0, "", problem.PortTaken, problem.ChangeRedirect, 2},
	{45, "[W]", ig, "exchange", 502, "<!DOCTYPE html><html><body>Bad Gateway</body></html>", problem.ProviderDown, problem.TryAgain, 5},
	{45, "[W]", fb, "exchange", 503, "", problem.ProviderDown, problem.TryAgain, 5},
	{45, "[W]", th, "identity", 500, "<html>", problem.ProviderDown, problem.TryAgain, 5},
	{46, "[W]", ig, "exchange", 200, shapeA(unmatched), problem.CodeRefused, problem.SignInAgain, 4},
	{46, "[W]", th, "identity", 200, shapeG("other words", "OAuthException", 190, 463), problem.TokenEnded, problem.SignInAgain, 9},
}

// standard are the refusals of the standards, all read there.
var standard = []entry{
	{0, "[V]", oa, "exchange", 401, `{"error":"invalid_client"}`, problem.ClientRefused, problem.ChangeClientID, 4},
	{0, "[V]", oa, "exchange", 400, `{"error":"invalid_grant","error_description":"any words"}`, problem.CodeRefused, problem.SignInAgain, 4},
	{0, "[V]", oa, "renew", 400, `{"error":"invalid_grant"}`, problem.RefreshEnded, problem.SignInAgain, 9},
	{0, "[V]", oa, "exchange", 400, `{"error":"invalid_scope"}`, problem.ScopeRefused, problem.ChoosePermissions, 4},
	{0, "[V]", oa, "exchange", 400, `{"error":"unauthorized_client"}`, problem.ClientNotAllowed, problem.ChangeClientID, 4},
	{0, "[V]", oa, "exchange", 400, `{"error":"unsupported_grant_type"}`, problem.ServerUnsupported, problem.TryAgain, 4},
	{0, "[V]", oa, "exchange", 400, `{"error":"invalid_request"}`, problem.ServerUnsupported, problem.TryAgain, 4},
	{0, "[V]", oa, "exchange", 400, `{"error":"invalid_target"}`, problem.ServerUnsupported, problem.TryAgain, 4},
	{0, "[V]", oa, "redirect", 0, "error=access_denied", problem.Denied, problem.SignInAgain, 3},
	{0, "[V]", oa, "redirect", 0, "error=server_error", problem.ProviderDown, problem.TryAgain, 5},
	{0, "[V]", oa, "redirect", 0, "error=temporarily_unavailable", problem.ProviderDown, problem.TryAgain, 5},
	{0, "[V]", oa, "redirect", 0, "error=unauthorized_client", problem.ClientNotAllowed, problem.ChangeClientID, 4},
	{0, "[V]", oa, "redirect", 0, "error=invalid_scope", problem.ScopeRefused, problem.ChoosePermissions, 4},
	{0, "[V]", oa, "redirect", 0, "error=invalid_request", problem.ServerUnsupported, problem.TryAgain, 4},
	{0, "[V]", oa, "redirect", 0, "error=unsupported_response_type", problem.ServerUnsupported, problem.TryAgain, 4},
	{0, "[V]", oa, "redirect", 0, "error=login_required", problem.SignInUnanswered, problem.SignInAgain, 4},
	{0, "[V]", oa, "redirect", 0, "error=interaction_required", problem.SignInUnanswered, problem.SignInAgain, 4},
	{0, "[V]", oa, "redirect", 0, "error=consent_required", problem.SignInUnanswered, problem.SignInAgain, 4},
	{0, "[V]", oa, "redirect", 0, "error=account_selection_required", problem.SignInUnanswered, problem.SignInAgain, 4},
	{0, "[V]", oa, "identity", 401, `{"error":"invalid_token"}`, problem.TokenRefused, problem.SignInAgain, 9},
	{0, "[V]", oa, "identity", 403, `{"error":"insufficient_scope"}`, problem.PermissionMissing, problem.ChoosePermissions, 4},
	{0, "[V]", oa, "page", 0, `{"error":"invalid_request","error_description":"redirect_uri did not match"}`, problem.RedirectUnknown, problem.CopyAddress, 4},
}

// asked sends one answer through the readers that the program uses.
type asked struct {
	definitions map[string]provider.Definition
	client      *Client
	status      atomic.Int64
	text        atomic.Value
}

func ask(t *testing.T) *asked {
	t.Helper()
	a := &asked{definitions: map[string]provider.Definition{}}
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		said := a.text.Load().(string)
		if strings.HasPrefix(said, "{") {
			w.Header().Set("Content-Type", "application/json")
		} else {
			w.Header().Set("Content-Type", "text/html")
		}
		w.WriteHeader(int(a.status.Load()))
		_, _ = w.Write([]byte(said))
	})
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	r, failures := provider.Load("")
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	for _, d := range r.List() {
		a.definitions[d.ID] = d.Practice(base)
	}
	a.client = client(t, a.definitions[ig])
	return a
}

func (a *asked) about(t *testing.T, id, where string, status int, said string) error {
	t.Helper()
	d, ok := a.definitions[id]
	if !ok {
		t.Fatalf("no provider %s", id)
	}
	a.status.Store(int64(status))
	a.text.Store(said)
	token := Token{Access: secret.New(canaryShort), Refresh: secret.New("canary-refresh-0123456789"), Type: "bearer"}
	application := app()
	application.RedirectURI = d.Redirect.Default
	attempt, err := NewAttempt(d, application, nil, zeros{})
	if err != nil {
		t.Fatal(err)
	}
	switch where {
	case "page":
		return d.ReadPage(said)
	case "redirect":
		said += "&state=" + attempt.State().Reveal()
		if d.Authorize.Issuer != "" {
			said += "&iss=" + url.QueryEscape(d.Authorize.Issuer)
		}
		_, err = attempt.Read(said)
	case "state":
		_, err = attempt.Read(said)
	case "exchange":
		_, err = a.client.Exchange(t.Context(), attempt, secret.New(canaryCode))
	case "granted":
		var got Token
		if got, err = a.client.Exchange(t.Context(), attempt, secret.New(canaryCode)); err == nil {
			if lacking := Missing([]string{"instagram_business_basic", "instagram_business_manage_insights"}, got.Scopes, false); len(lacking) == 1 {
				err = problem.New(problem.PermissionMissing, "provider", d.Name, "scope", lacking[0])
			}
		}
	case "extend":
		_, err = a.client.Extend(t.Context(), attempt, token)
	case "identity":
		_, err = a.client.Identify(t.Context(), d, token)
	case "renew":
		_, err = a.client.Renew(t.Context(), d, token, application)
	case "accounts":
		_, err = a.client.Reach(t.Context(), d, token)
	case "port":
		err = problem.New(problem.PortTaken, "port", "8919")
	default:
		t.Fatalf("no place %s", where)
	}
	return err
}

// judged holds a problem against what people see of it, in every language.
func judged(t *testing.T, name string, p *problem.Problem) {
	t.Helper()
	for _, language := range words.Languages() {
		c := words.For(language)
		told := c.Tell(p)
		for part, s := range map[string]string{"title": told.Title, "happened": told.Happened, "advice": told.Advice} {
			if strings.TrimSpace(s) == "" || strings.ContainsAny(s, "⟦⟧{}") || strings.Contains(s, "<no value>") {
				t.Errorf("%s: %s %s %s reads %q", name, language, p.Key, part, s)
			}
		}
		for _, action := range p.Actions() {
			if s := c.ActionBeside(p, action); strings.TrimSpace(s) == "" || strings.ContainsAny(s, "⟦⟧{}") || strings.Contains(s, "<no value>") {
				t.Errorf("%s: %s the button of %s reads %q", name, language, action, s)
			}
		}
	}
	if p.Key != problem.AnswerForeign && p.Key != problem.PortTaken && p.Key != problem.IssMismatch && p.Args["provider"] == "" {
		t.Errorf("%s: %s does not say whose word it is", name, p.Key)
	}
}

// The dictionary, row by row: which problem, in which words, with which button,
// and with which exit code.
func TestDictionary(t *testing.T) {
	a := ask(t)
	rows := map[int]bool{}
	for i, e := range slices.Concat(dictionary, standard) {
		name := fmt.Sprintf("row %d (%d, %s, %s)", e.row, i, e.provider, e.where)
		rows[e.row] = true
		if e.mark != "[V]" && e.mark != "[W]" && e.mark != "[mem]" {
			t.Errorf("%s: the mark is %q", name, e.mark)
		}
		err := a.about(t, e.provider, e.where, e.status, e.body)
		p := problem.Of(err)
		if err == nil || p.Key != e.key {
			t.Errorf("%s: %v, want %s", name, err, e.key)
			continue
		}
		if p.Kind.ExitCode() != e.exit {
			t.Errorf("%s: %s ends with exit code %d, want %d", name, p.Key, p.Kind.ExitCode(), e.exit)
		}
		if len(p.Actions()) == 0 || p.Actions()[0] != e.button {
			t.Errorf("%s: %s offers %v, want %s first", name, p.Key, p.Actions(), e.button)
		}
		if strings.Contains(p.Provider, "canary") || strings.Contains(fmt.Sprint(p), "canary") {
			t.Errorf("%s: a secret is repeated: %v %q", name, p, p.Provider)
		}
		judged(t, name, p)
	}
	for row := 1; row <= 46; row++ {
		if !rows[row] {
			t.Errorf("row %d of the table is not here", row)
		}
	}
}

// Where a button leads to another provider, it says to which.
func TestSwitchingNamesTheOther(t *testing.T) {
	a := ask(t)
	p := problem.Of(a.about(t, fb, "page", 0, "Invalid Scopes: instagram_business_basic"))
	if p.Args["other"] != ig || p.Args["replacement"] != "Instagram" || p.Args["scope"] != "instagram_business_basic" {
		t.Errorf("%v", p)
	}
	if s := words.For("en").ActionBeside(p, problem.SwitchProvider); s != "Switch to Instagram" {
		t.Errorf("%q", s)
	}
	if p := problem.Of(a.about(t, ig, "page", 0, "Invalid scope: user_profile")); p.Args["replacement"] != "instagram_business_basic" {
		t.Errorf("%v", p)
	}
}

// withoutRow are keys that are judged by the program from what an answer lacks or has too
// much, and have no row in any dictionary.
var withoutRow = []problem.Key{
	problem.ProviderDown, problem.ProviderOddAnswer, problem.UnknownAnswer, problem.ProviderBusy, problem.NetworkLoginPage, problem.AnswerForeign,
	problem.AnswerDoubled, problem.IssMismatch, problem.NoPage, problem.PageNotLinked, problem.PermissionMissing,
	problem.DiscoveryNone, problem.DiscoveryFailed, problem.DiscoveryIssuer, problem.IdentityUnavailable, problem.ExtendRefused,
}

// Every problem that a provider's row can cause has a text that causes it,
// above or in the sandbox; and whatever the sandbox can produce is understood.
func TestEveryCauseHasARow(t *testing.T) {
	a := ask(t)
	shown := map[string][]string{}
	show := func(id string, key problem.Key, how string) {
		shown[id+" "+string(key)] = append(shown[id+" "+string(key)], how)
	}
	for i, e := range slices.Concat(dictionary, standard) {
		show(e.provider, e.key, "row "+strconv.Itoa(e.row)+" in entry "+strconv.Itoa(i))
	}
	for _, m := range sandbox.Mishaps() {
		var err error
		switch {
		case m.Where == "page" && m.Page != "":
			err = a.about(t, m.Provider, "page", 0, m.Page)
		case m.Where == "page":
			err = a.about(t, m.Provider, "page", 0, m.Body)
		case m.Where == "redirect" && strings.Contains(m.Query, "error="):
			query := url.Values{}
			for _, pair := range strings.Split(m.Query, "&") {
				if name, value, _ := strings.Cut(pair, "="); name != "state" && name != "iss" {
					plain, _ := url.QueryUnescape(value)
					query.Set(name, plain)
				}
			}
			err = a.about(t, m.Provider, "redirect", 0, query.Encode())
		case m.Where == "redirect" || m.Where == "discovery" || m.Status == http.StatusOK && m.Body == "" || m.Row == 33:
			// States, names and documents are the matter of their own tests;
			// the provider's own answer is no refusal.
			continue
		default:
			err = a.about(t, m.Provider, m.Where, m.Status, m.Body)
		}
		p := problem.Of(err)
		if err == nil {
			t.Errorf("%s: nothing is wrong", m.Name)
			continue
		}
		// The text of row 34 and code 2 of row 46 are unknown on purpose.
		if p.Key == problem.UnknownAnswer && m.Row != 34 && m.Row != 46 && !strings.HasSuffix(m.Name, ".client-unknown") {
			t.Errorf("%s: not understood: %v %q", m.Name, p, p.Provider)
		}
		if m.Source == "" {
			t.Errorf("%s: no source", m.Name)
		}
		judged(t, m.Name, p)
		show(m.Provider, p.Key, m.Name)
	}
	causes := 0
	for _, d := range a.definitions {
		for _, e := range d.Errors {
			causes++
			if key := problem.Key(e.Key); len(shown[d.ID+" "+e.Key]) == 0 {
				t.Errorf("%s: nothing shows %s", d.ID, key)
			} else if len(problem.New(key).Actions()) == 0 {
				t.Errorf("%s: %s offers nothing", d.ID, key)
			}
		}
	}
	for what, how := range shown {
		id, key, _ := strings.Cut(what, " ")
		row := slices.ContainsFunc(a.definitions[id].Errors, func(e provider.ErrorRow) bool { return e.Key == key })
		if !row && !slices.Contains(withoutRow, problem.Key(key)) && problem.Key(key) != problem.PortTaken && problem.Key(key) != problem.RefreshEnded {
			t.Errorf("%s shows %s by %v, and no row does", id, key, how)
		}
	}
	if causes < 200 {
		t.Errorf("only %d rows", causes)
	}
}

// The design's table of headlines: each has its buttons, in these words.
func TestHeadlinesHaveTheirButtons(t *testing.T) {
	facebook := []string{"found", "Facebook", "provider", "Instagram", "prefix", "EAA"}
	for _, row := range []struct {
		key      problem.Key
		args     []string
		headline string
		buttons  []string
	}{
		{problem.AppIDIsFacebook, []string{"provider", "Instagram"}, "Instagram does not know this app ID", []string{"Show me where", "Change the app ID"}},
		{problem.Denied, nil, "You chose not to allow it", []string{"Sign in again"}},
		{problem.NotInvited, nil, "This account is not on the guest list yet", []string{"Add a tester", "Accept the invite", "Use a separate window"}},
		{problem.RedirectMismatch, nil, "The return address is not the same in both places", []string{"Copy the address", "Show me where"}},
		{problem.CodeUsed, nil, "This code was already used", []string{"Sign in again"}},
		{problem.AnswerIncomplete, nil, "Part of the code is missing", []string{"Paste again"}},
		{problem.AnswerForeign, nil, "This answer belongs to another attempt", []string{"Start again"}},
		{problem.AppSecretRefused, nil, "The app secret was not accepted", []string{"Change the secret", "Show me where"}},
		{problem.ScopeRetired, nil, "That permission was retired", []string{"Choose permissions"}},
		{problem.ScopeOtherRoad, []string{"replacement", "Instagram"}, "These permissions belong to the other way in", []string{"Switch to Instagram"}},
		{problem.PersonalAccount, nil, "This is a personal account", []string{"How to switch"}},
		{problem.NoPage, []string{"provider", "Facebook"}, "Facebook shared no Page", []string{"Sign in and tick the Page", "Link Instagram"}},
		{problem.ThreadsAddresses, nil, "Threads needs all three addresses", []string{"Show me where"}},
		{problem.AlreadyLong, nil, "This is already a 60-day token", []string{"Keep it"}},
		{problem.TokenIncomplete, nil, "Part of the token is missing", []string{"Paste again"}},
		{problem.TokenOtherService, facebook, "This token is for Facebook, not Instagram", []string{"Use it for Facebook"}},
		{problem.PasswordChanged, []string{"provider", "Instagram"}, "Instagram signed all apps out", []string{"Sign in again"}},
		{problem.AccessRemoved, nil, "Access was removed", []string{"Sign in again"}},
		{problem.TokenEnded, []string{"date", "2 Nov"}, "This token ended on 2 Nov", []string{"Sign in again"}},
		{problem.SecurityCheck, []string{"provider", "Instagram"}, "Instagram wants to see you first", []string{"Open Instagram"}},
		{problem.ProviderBusy, []string{"provider", "Instagram"}, "Instagram asks us to wait", []string{"Try again"}},
		{problem.ProviderDown, []string{"provider", "Instagram"}, "Instagram does not answer properly", []string{"Try again"}},
	} {
		p := problem.New(row.key, row.args...)
		c := words.For("en")
		var labels []string
		for _, action := range p.Actions() {
			labels = append(labels, c.ActionBeside(p, action))
		}
		if told := c.Tell(p); told.Title != row.headline || len(labels) < len(row.buttons) || !slices.Equal(labels[:len(row.buttons)], row.buttons) {
			t.Errorf("%s: %q with %q, want %q with %q first", row.key, told.Title, labels, row.headline, row.buttons)
		}
	}
}
