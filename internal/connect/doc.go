// Package connect holds the use cases on one account: sign in, take in, list,
// show, renew, check, hand out its token, revoke and remove it, finish what a
// crash interrupted, and look the setup over beforehand. It is the heart: a state machine of plain values that
// carries one authorization from "two fields" to "a stored token" and
// announces every step. The window renders a [State], the command line prints
// it, a test asserts a list of them.
//
// Decisions.
//
// Functions block, take a context, and return a value or a *problem.Problem.
// Whoever wants to watch passes an observer, which hears one state at a time,
// in order, and none after the last. It is called on the goroutine that does
// the work, or on the keychain's while that waits for the person; it must not
// block and must not call back into its own attempt.
//
// Nothing is announced before it is true: "connected" comes after the token
// was written to the keychain, read back and compared, and after the library's
// transaction. What the browser's page tells comes from the same outcome.
//
// A sign-in costs a person minutes, so what reached this process is never
// dropped by a deadline of ours (ruling 8): from the code on, cancelling no
// longer stops the work; the answer is sealed into the pending row before
// anything else is tried with it, again after the extension, and the next
// start finishes it without a browser ([Service.Recover]). It stays in memory
// too until it is saved, and the keychain gets it before the library, so that
// either one may fail. A row whose key lies in another keychain than today's
// is kept for it; one that is older than the account's token never replaces it.
//
// Waiting ends by the wall clock, which goes on while a computer sleeps, and
// never under an answer that was just taken.
//
// The code is redeemed once and never repeated by itself (RFC 6749 section
// 4.1.2 lets a server revoke what a reused code gave). The extension and the
// identification are reads for the provider, so they are tried twice.
//
// Identity of an account is (provider, client_id, user_id). The same triple is
// "again" and keeps its id, its place and its diary; anything else is new and
// never overwrites.
//
// Another person than the expected one is never an overwrite. Where somebody can
// be asked the attempt asks, with the answer sealed and without a deadline, and
// the question outlives the program ([Service.Settle]); where nobody can, nothing
// of it is kept. An expected account is compared by the provider's user id, so
// that a new username makes nobody another person. A person who cancels drops
// the answer; a program that closes ([ErrClosing]) does not.
//
// A token of Facebook is a person's and reaches several accounts (ruling 14).
// What it reaches is asked once, shown with the reason for each Page that leads
// to none, chosen from, and sealed with the ids of the accounts that it will
// make. Each gets an item with the user token. They share a grant, made from the
// person's id, by which their next sign-in finds and updates all of them; one
// that the new token does not reach says that its access was removed. Page tokens
// are never asked for. Several items are no transaction; the row that is sealed
// before the first of them is what makes them whole (see save).
//
// A renewal has one writer per account, across goroutines and processes. Its
// order: the lock; what a former run left is finished; read again, and whoever
// was faster has done the work; the token is read, which proves the keychain,
// and the sealing key; a row with room for the answer is committed; the
// provider is asked; the answer is sealed into that row; the item is written
// with the next generation and read back; one transaction brings the library
// up; the lock is freed ([RenewPoints]). So a process that dies leaves either
// the old token, or the sealed new one, or a row without an answer, which means
// "ask once more at once": a provider that changes its tokens forgives that for
// minutes, if at all. Every process finishes what it finds of an account before
// it uses its token ([Service.Token]); a sign-in's row without an answer is told
// apart by having no account under its id.
//
// A refusal is believed only if it means the token (TOK-11), and one that gives
// no reason only the second time. Everything else leaves the token, its dates
// and its status as they are, and is tried again: after the time that the
// provider named, else after a growing one, kept on the disk. Nothing is ever
// deleted. What runs by itself asks once a day when nothing stands in the way,
// and stops asking when only a person can help. A person who asks is refused
// nothing but what the provider refuses for certain, a token under its age.
//
// Where a refresh token brings the next access token, the end of the present one
// is nobody's business: the account is healthy until the refresh token is
// refused, and whoever is handed the token gets one that lives, renewed first
// under the same lock and in the same order. A refused refresh token is believed
// at once, said, and not sent again by itself: a server that detects reuse ends
// the whole sign-in for it.
//
// A person's own definitions are read anew when their folder changes, whoever
// changed it. One whose addresses are of several domains, or other ones than a
// shipped one's, sends nothing anywhere before the person has agreed to exactly
// these hosts (ATT-8). In practice only the shipped ones exist.
//
// A line of the doctor is Bad where the sign-in would end with its problem, a
// wrong client id and a taken port among them: a script that asks beforehand gets
// that problem's exit code. What may turn out well is Look, and counts as fine
// there. A person reads both as "to look at", and neither stops them. Lines are
// heard as they come; returned they have the order of the page.
//
// What was granted is what the exchange says or, at Facebook, what is asked for
// right after (ATT-15); where nobody says it nothing is claimed. A proof of the
// app's secret is given wherever a provider wants one and the secret is kept. An
// end that nobody stated, in an answer or in the definition, is not made up.
//
// No rule trusts the clock alone. An issue in the future, a try in the future
// or a wait of more than a day were written by a clock that was ahead: such a
// token is due at once, a try counts as one of now, a wait is over. A token
// that the provider took after the end we know is not called expired that day.
//
// A pasted token is told by its shape before anybody is asked, is sent to the
// profile address of its own provider and nowhere else, and never to an
// exchange. It brings no client: with an app named it is that app's; without, it
// goes into the person's only account at that provider, being the same person's
// newer token; where there are several, or none, it stands for itself under
// (provider, "", user_id), so that nothing is overwritten by a guess. Its end is
// an estimate until the first renewal, and no permission is claimed.
//
// Practice has its own library and keychain service; the https leaf and the
// port's lock are those of the real thing, so that a person's exception for the
// certificate holds in both and both know of each other.
//
// The client secret lives in memory for the length of the attempt, and of an
// answer that it may still extend, and is kept only when asked (ruling 6). There is no plain-text fallback of any kind: a
// computer without a keychain gets a session that ends with the window, by a
// decision made openly in [Config], never in a branch here.
package connect
