// Package sandbox is the pretend provider: the practice ground of the window,
// `tokenkeepctl sandbox serve`, and the provider against which the client's
// tests run. It is a double written from the outside: it shares no code with
// the client (it may import resources and nothing else of ours), so that one
// misreading of the documents cannot be made twice and cancel out.
//
// # Addresses
//
// The double serves many hosts under one address: https://HOST/PATH of the
// real provider is <base>/HOST/PATH here. Each provider is one row of a table
// ([dialect]) with its own app, see [Registration].
//
//	Instagram (instagram)
//	GET  /www.instagram.com/oauth/authorize                    consent page
//	POST /www.instagram.com/oauth/authorize                    its two buttons
//	GET  /www.instagram.com/oauth/authorize/third_party/error/ what a refused sign-in shows
//	GET  /www.instagram.com/accounts/manage_access/            a plain page
//	GET  /www.instagram.com/p/{post}/                          a plain page
//	POST /api.instagram.com/oauth/access_token                 code to one-hour token
//	GET  /graph.instagram.com/access_token                     one-hour to 60-day token
//	GET  /graph.instagram.com/refresh_access_token             60 more days
//	GET  /graph.instagram.com[/v25.0]/me                       also /{user_id}
//	GET  /graph.instagram.com[/v25.0]/me/media                 also /{user_id}/media
//	GET  /scontent.cdninstagram.com/…                          pictures (PNG), of all providers
//
//	Instagram Basic Display (instagram-basic-display): the hosts above, and
//	GET  /api.instagram.com/oauth/authorize                    consent page, refusals as JSON
//
//	Threads (threads)
//	GET  /www.threads.com/oauth/authorize                      consent page, refusals as JSON
//	GET  /threads.net/oauth/authorize                          moved; so is www.threads.net
//	GET  /www.threads.com/settings/website_permissions         a plain page
//	POST /graph.threads.net[/v1.0]/oauth/access_token          code to one-hour token
//	GET  /graph.threads.net[/v1.0]/oauth/access_token          client_credentials: the app's token
//	GET  /graph.threads.net[/v1.0]/access_token                one-hour to 60-day token
//	GET  /graph.threads.net[/v1.0]/refresh_access_token        60 more days
//	GET  /graph.threads.net[/v1.0]/debug_token                 what a token is
//	GET  /graph.threads.net[/v1.0]/me                          also /{id}, and /threads below both
//
//	Instagram through Facebook Login (instagram-facebook); v20.0 to v26.0 or none
//	GET  /www.facebook.com/v25.0/dialog/oauth                  consent page with Pages
//	GET  /www.facebook.com/oauth/error/                        what a refused sign-in shows
//	GET  /www.facebook.com/connect/login_success.html          the page for desktop programs
//	GET, POST /graph.facebook.com/v25.0/oauth/access_token     code to token; fb_exchange_token
//	GET  /graph.facebook.com/v25.0/me                          the person
//	GET  /graph.facebook.com/v25.0/me/accounts                 Pages and their Instagram accounts
//	GET  /graph.facebook.com/v25.0/{ig-id}                     an account, and /media below it
//	GET, DELETE /graph.facebook.com/v25.0/me/permissions       also /{permission} to delete one
//	GET  /graph.facebook.com/v25.0/debug_token                 what a token is
//
//	A plain OAuth 2.0 server (oauth2)
//	GET  /login.example/.well-known/oauth-authorization-server RFC 8414
//	GET  /login.example/.well-known/openid-configuration       OpenID Connect Discovery
//	GET  /.well-known/oauth-authorization-server/login.example RFC 8414, 3.1
//	GET  /login.example/authorize                              consent page
//	POST /login.example/token                                  code or refresh token to tokens
//	GET, POST /login.example/userinfo                          who it is
//	POST /login.example/revoke                                 RFC 7009
//
// Instagram and Basic Display share hosts: at the exchange the app ID says
// which is meant, afterwards the token's beginning.
//
// # What is faithful, and to what
//
// Numbers in brackets are sections of providers.md and rows of its section 9.
// "documented" is Meta's word, "measured" one person's report against the real
// thing, "doubt" means that nobody knows and says which reading was taken: the
// stricter one, so that a client that passes here leans on nothing unproven.
//
//   - Authorization parameters, success and cancel answers, `#_`, code once and
//     for one hour, redirect string repeated at the exchange: documented [2.2,
//     2.4, 2.5].
//   - A wrong app ID, redirect, response type or scope does not come back to
//     the redirect; the provider shows a page of its own: measured [2.4]. Texts
//     of rows 1, 7 and 9; the one for response_type is ours (doubt).
//   - A sign-in without the required scope is refused: doubt ("always needed").
//   - A parameter that appears twice is refused (RFC 6749, 3.1): doubt.
//   - The exchange checks app ID, then code, then the rest: measured [2.5]. That
//     the redirect comes before the secret, and that a refused exchange uses
//     the code up, is doubt.
//   - An ID that nobody has is "Missing required field client_id", the one other
//     app of the practice ground, MetaAppID, is "Invalid platform app":
//     measured [2.5]. The page of the authorization address says the latter for
//     both, because nobody wrote down what it says for the former.
//   - Answer of the exchange: flat, user_id a bare integer above 2^53,
//     permissions a list: what programs read in production. The documented
//     nested form, the other kinds of user_id and permissions, and the nested
//     identity of [2.8] are one switch away (POST /_/shape).
//   - The exchange's user_id is the app-scoped one, not /me's user_id: doubt
//     [10, 7]; a client that keeps the wrong one is found out.
//   - Both encodings are taken; a token exchanged from a urlencoded body fails
//     at the extension with row 20: reported three times, contradicted as often
//     [2.5].
//   - Extension and renewal are GET only and answer expires_in 5183944:
//     documented [2.6, 2.7]. A client_id at the extension is optional and
//     checked if sent: doubt. A long token there is "Session key invalid" [21];
//     its code 452 is from memory.
//   - Renewal under 24 hours is refused: documented; the text is ours, because
//     nobody wrote down the real one [34]. Renewal of a one-hour token: the same.
//   - Renewal answers a new string and the old one works until its own end:
//     doubt [10, 8]. The stricter reading is one switch away (POST /_/shape,
//     "renew":"rotating"): the old one is refused from then on, at every
//     address, but for as many further renewals as "grace" says.
//   - Graph errors have message, type, code, error_subcode, fbtrace_id [M19];
//     the date format of an ended session is that of public reports [25].
//     "Malformed access token" repeats the token, as the real one does: a client
//     that prints provider messages unscrubbed is found out.
//   - A bearer header is taken in place of the access_token parameter [2.8].
//   - /me without fields answers only id, an unknown field is refused: from
//     memory of the Graph API, and [31].
//   - Earlier grants never widen a later one, DELETE /me/permissions and
//     debug_token are not there: unverified [2.5, 2.9, 2.10].
//   - appsecret_proof is checked where it is sent [6]; that it is required is a
//     mishap.
//
// Basic Display [1]: the old host, the old scopes, IGQV tokens, no list of
// permissions, /me with its four fields; refusals as JSON of shape A [7].
// Here it works as it did; what it answers today is a mishap. Not modelled:
// app_id in place of client_id, and the end of private accounts' permission
// after 90 days. media_count is left out without user_media: doubt.
//
// Threads [4]: refusals are JSON in the browser, shape T, with HTTP 400, which
// is doubt. An unknown app ID is the unknown error of row 16, Meta's is row
// 15: doubt for the former. Any https redirect is taken, also with
// localhost, about which sources disagree [5]. The exchange is a POST and its
// parameters are in the body: others' programs put them into the address, a
// client of ours must not. Refusals of the exchange have shape A as documented;
// shape G is reported too. The answer has no permissions: documented.
// client_credentials gives the app's token; debug_token takes that or a token
// of the same app.
//
// Facebook Login [3]: an unknown ID, Instagram's included, or one with a blank
// is PLATFORM__INVALID_APP_ID [17]; other names in the error page's address are
// ours. A redirect may be https, but not with a number for this computer, or
// http://localhost, as in development mode [3.7]. config_id in place of scope:
// there is one configuration, ConfigID, which is allowed whole or not at all
// [M17]; with scope beside it, the request is refused: doubt. response_type
// token is not played. The exchange checks app ID, secret, redirect, code, in
// shape G; 36007 and the refusal of a mangled code are from memory. A fresh
// token lives two hours ("hours", M15). A longer one of a long one ends when
// that ends: doubt. No Page, no permission to list them or none ticked is an
// empty list [33]. An account whose Page gives the person too few tasks is
// listed, and then refused with code 10: doubt. The wording of Cancel and #_=_
// are from memory.
//
// login.example: RFC 6749 with RFC 9700's rules (PKCE S256 for everybody, exact
// redirects, rotation), RFC 7636, 7009, 8414, 9207, 6750. Client and redirect
// are checked before anything goes to the redirect; every answer there carries
// state and iss, refusals too. Clients prove themselves by Basic (both values
// form-encoded, 2.3.1) or in the body, not both; PublicClientID has no secret
// and must not send one. A code that is used twice, and a refresh token that
// was rotated away, end everything that came of the sign-in. Refresh tokens
// live 180 days and are given whether or not offline_access was asked
// (POST /_/shape, "refresh":"asked" is the other reading). The token goes to
// userinfo in the header alone. There is no id_token, although openid may be
// asked: the client has no use for one, and jwks_uri leads nowhere. Redirects
// are not registered, because there is no place to do it: any https address and
// http on this computer.
//
// # Tokens
//
// A token says itself what it is: kind, person, scopes, times, signed under a
// constant that everybody can read, with the Pages at Facebook, and at
// login.example the sign-in that they came of and how often it was renewed. A
// restarted sandbox therefore knows the tokens of the one before. What it has
// forgotten are revocations, and which refresh token of a sign-in was the
// newest: the first that comes is taken, and counts as the newest from then on. They have the real prefix, alphabet and length, and
// after the prefix the plain word "PracticeOnly": no real service takes them and
// [IsPractice] knows them (SEC-13).
//
// # What it refuses to be
//
// It listens on loopback only, answers only to loopback names in Host (DNS
// rebinding), refuses requests that another web page sends, runs no script on
// its pages, keeps nothing on disk, sets no cookie and never logs a value. The
// secret of a real app is of no use here and is refused like any wrong one.
//
// # People
//
// Instagram, Threads, Basic Display and login.example have the people of
// People, and user-0001 to user-9999. Facebook has its own, each a situation:
//
//	nora.lind     two Pages, each with an Instagram account (lantern.books, harbour.coffee)
//	jonas.weber   a Page without Instagram
//	tara.okafor   a Page that a business owns (mia.kessler): listed with business_management only
//	emil.sund     a Page (harbour.coffee) where the person may only ANALYZE
//	lea.brandt    no Page
//	ada.moreau    one Page of each of these kinds
//	petra.agency  thirty Pages (user-0001 to user-0030)
//
// Whoever has up to eight Pages ticks them one by one; more are shared whole.
//
// # Scenarios and mishaps
//
// A scenario is a row of a table. The choice on the consent page, or the one
// set for the server, is bound to a sign-in when its code is made, and travels
// in its code and tokens: two sign-ins at once do not disturb each other.
// "deny" makes Allow answer like Cancel; "wrong-id" shows the provider's own
// page instead of the consent page; "code-used" and "redirect-mismatch" refuse
// the exchange; "extension-refused" refuses the 60-day token. "not-invited"
// shows the provider's page of an account that is no tester [11];
// "wrong-account" lets another person answer than the one who was chosen: the
// one below on the page.
//
// "ended" [25] and "password-changed" [26] strike after the sign-in: a person
// is to see a connected account whose check or renewal then fails. The 60-day
// token of such a sign-in answers one question, the sign-in's own (who am I?);
// every other call, and any call a minute after it was issued, is refused. The
// minute holds across a restart, the count does not. The one-hour token of such
// a sign-in works. At Facebook the list of accounts is among the sign-in's own
// questions, at login.example the refresh token is dead at once.
//
// The scenarios are ten and the same everywhere: at Threads and Facebook "wrong-id"
// and "not-invited" show rows 15, 12, 17 and 40, at login.example "not-invited"
// is access_denied at the redirect. "extension-refused" does nothing where
// there is no such step.
//
// A mishap ([Mishaps]) is one cause in the words of one provider at one step:
// every row of providers.md 9 that a provider, or the page where an app is set
// up, can cause, and every error of the RFCs. An armed one strikes once, at the
// next request of that step, before anything is checked; at the step redirect
// when Allow is pressed. Row 44 has none: it lies between browser and client.
// The text of row 34 is ours. Source tells what each is worth.
//
// # Control, for tests and for the practice window
//
// JSON in, JSON out; unknown keys are refused with 400 and {"error":"…"}.
//
//	POST /_/scenario {"scenario":"deny"}
//	POST /_/clock    {"forward":"1440h"}              answers {"now":"…"}; never backwards
//	                 {"skew":"7m"} puts the Date header of every answer off, at
//	                 most 48h, also back ("-7m"), "0s" as before; nothing else changes
//	POST /_/mishap   {"name":"threads.page.invite-pending"} arms one; {"clear":true} forgets all
//	GET  /_/mishap   {"mishaps":[{"name","provider","where","row","status","body","page",
//	                  "query","challenge","dashboard","source"}]}
//	GET  /_/providers {"providers":[{"provider","client_id","client_secret","people","scopes",
//	                  "config_id","public_client_id"}]}
//	POST /_/consent  {"person":"harbour.coffee","without":["instagram_business_manage_comments"]}
//	                 who is signed in, and what is unticked, on the page and in
//	                 auto mode; a Page is named by its id. A provider where this
//	                 person is unknown takes its first.
//	POST /_/token    {"user":"mia.kessler","state":"ended"}
//	                 what has become of the tokens that this person has by now:
//	                 ended 190/463, password-changed 190/460, removed 190/458,
//	                 checkpoint 190/459, or ok, whatever the scenario said. A
//	                 token of a later sign-in is not touched.
//	POST /_/mint     {"person":"user-0001","age":"960h","short":false,"scopes":[…]}
//	                 a token without a sign-in, issued so long ago: answers
//	                 {"access_token":"…"}. Age at most 87600h; all scopes unless told
//	                 otherwise. user-0001 to user-9999 are people by number.
//	                 "provider":"instagram-facebook","pages":["102000000000101"]
//	                 for another provider's; login.example gives an access token.
//	POST /_/shape    {"exchange":"nested","user_id":"string","permissions":"absent",
//	                  "identity":"nested","token_length":4000,
//	                  "renew":"rotating","grace":1,"expires":"absent",
//	                  "access_life":"60s","refresh":"asked","issuer":"own"}
//	                 the whole shape; what is left out is as usual. At
//	                 login.example a renewal rotates unless "renew" is "kept",
//	                 grace is how many reuses are forgiven, and "issuer":"own"
//	                 makes it call itself <base>/login.example instead of
//	                 https://login.example.
//	POST /_/fault    {"path":"/api.instagram.com/oauth/access_token","status":503,"body":"<html>",
//	                  "body_base64":"…","headers":{"Content-Encoding":"gzip"},"times":1,
//	                  "delay":"5s","drop":true,"after":true}
//	                 times -1 is for ever. Without status, body and drop the
//	                 request is answered as usual after the delay. drop reads
//	                 the body and closes the connection; with after, the
//	                 provider first does what was asked. {"clear":true} forgets all.
//	GET  /_/log      {"count":7,"requests":[{"method","path","parameters":[…],"encoding","status"}],
//	                  "accounts":{"mia.kessler":{"extend","extended","renew","renewed","identity","media","refused"}}}
//	                 count since the start; the last 1000 requests; names of
//	                 parameters, never values. What the double does not know is
//	                 "other". Control requests are not in it. accounts counts what was
//	                 asked with the tokens of a person since the start, how
//	                 often a token was given, and how often one was refused
//	                 for what has become of it; requests that a fault
//	                 swallowed are not counted.
//	DELETE /_/log    empties it
package sandbox
