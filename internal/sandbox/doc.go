// Package sandbox is the pretend Instagram: the practice ground of the window,
// `tokenkeepctl sandbox serve`, and the provider against which the client's
// tests run. It is a double written from the outside: it shares no code with
// the client (it may import resources and nothing else of ours), so that one
// misreading of Meta's documents cannot be made twice and cancel out.
//
// # Addresses
//
// The double serves many hosts under one address: https://HOST/PATH of the
// real provider is <base>/HOST/PATH here. Instagram is one row of a table
// ([dialect]); another provider is another row.
//
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
//	GET  /scontent.cdninstagram.com/…                          pictures (PNG)
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
//   - An ID that is no number is "Missing required field client_id", a number
//     that is not ours "Invalid platform app": the real provider knows which
//     IDs exist, the double cannot.
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
//
// # Tokens
//
// A token says itself what it is: kind, person, scopes, times, signed under a
// constant that everybody can read. A restarted sandbox therefore knows the
// tokens of the one before. They have the real prefix, alphabet and length, and
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
// # Mishaps
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
// a sign-in works.
//
// # Control, for tests and for the practice window
//
// JSON in, JSON out; unknown keys are refused with 400 and {"error":"…"}.
//
//	POST /_/scenario {"scenario":"deny"}
//	POST /_/clock    {"forward":"1440h"}              answers {"now":"…"}; never backwards
//	POST /_/consent  {"person":"harbour.coffee","without":["instagram_business_manage_comments"]}
//	                 who is signed in, and what is unticked, on the page and in auto mode
//	POST /_/token    {"user":"mia.kessler","state":"ended"}
//	                 what has become of the tokens that this person has by now:
//	                 ended 190/463, password-changed 190/460, removed 190/458,
//	                 checkpoint 190/459, or ok, whatever the scenario said. A
//	                 token of a later sign-in is not touched.
//	POST /_/mint     {"person":"user-0001","age":"960h","short":false,"scopes":[…]}
//	                 a token without a sign-in, issued so long ago: answers
//	                 {"access_token":"…"}. Age at most 87600h; all scopes unless told
//	                 otherwise. user-0001 to user-9999 are people by number.
//	POST /_/shape    {"exchange":"nested","user_id":"string","permissions":"absent",
//	                  "identity":"nested","token_length":4000,
//	                  "renew":"rotating","grace":1}
//	                 the whole shape; what is left out is as usual
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
