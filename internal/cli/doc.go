// Package cli is tokenkeepctl: the same core as the window, for scripts,
// servers and people who like a prompt. It composes and prints; it decides
// nothing about a sign-in.
//
// UI rules.
//
// Standard output carries results: a table, an account, the token. Everything
// else that is said goes to standard error: progress, questions, warnings,
// problems. With --json standard output has one object a line and not a byte
// besides, and the results in people's words move to standard error.
//
// A problem is told in up to four lines: what it is, what happened, what to do
// next, what the provider said. Its kind is the exit code, 1 to 9. With --json
// it is also an object, {"event":"failed","problem":{…}}; of token alone it is
// not, because whoever captures the output of token must get a token or
// nothing.
//
// Nothing is asked without a terminal on both ends of the question (standard
// input and standard error); what is missing then is a problem of kind input
// that names the flag.
//
// No secret is ever a flag: the process list and the shell's history show
// flags. A secret comes from a file that only its owner can read, from
// standard input, or from a question without echo. Flags that look as if they
// carried a secret do not exist, and using one is answered with the right way.
// A token goes to a terminal only with --show.
//
// The countdown is the one thing that is written over; it appears on a
// terminal only and is gone when the wait is over. There are no colours: the
// words say it.
//
// Every sentence is in the catalogue (cli.toml, problem.toml), in the language
// of --lang or of the environment. What stays English are the names of
// commands, flags and JSON members, and the scripts that completion prints.
//
// Several accounts in one command are told one by one, a line each, and the
// exit code is the highest met; one that fails stops none of the others. That
// nothing is due, or that a token is too young, is an answer and no failure.
//
// The daily run, renew --due, is what the system's timer starts. It renews what
// is due and changes nothing else: an answer that says nothing about a token
// leaves its account as it stood. Beside the renewing it keeps the calendar
// file current and tells whom nothing but a sign-in can help. On a terminal
// that is lines; else it is a notification, noted once it was shown, so that
// what nobody could see comes again the next day. A click opens the window at
// that account; the run waits for one for ten minutes at most, with the library
// and the keychain closed. Where the file system has no locks a run that nobody
// watches renews nothing, for it could meet a window; it says so, warns, and
// ends with that problem's code. Whatever fails beside the renewing is said and
// changes no exit code. The timer itself is switched on, off and shown by
// timer; a stale one is mended by the window and by timer on, not by any other
// command, for a tokenkeepctl that is tried out beside an installed one must
// not take the timer over.
//
// Additions to the contract of the command line, beside its table:
//
//	timer on|off|status      {"event":"timer","installed","active","stale","program","last_run","problem"?}
//	calendar FILE|off        {"event":"calendar","file"}
//	diary ACCOUNT [--csv] [--limit N]
//	                         {"event":"entry","at","account_id","what","args"}, newest first
//	bundle [--file F]        {"event":"bundle","file" or "text"}
//
//	guide [RECIPE] [--provider P]
//	                         {"event":"recipe","name","provider","title","line","url",
//	                         "checked","days","stale","steps"}, and of one recipe a
//	                         {"event":"step",…} for each step
//	provider add|list|confirm|remove
//	                         a provider is {"id","name","status","shipped","hosts",
//	                         "renews","checked","replaced_by","recipes","unconfirmed"?,
//	                         "problem"?}; a file that cannot be used {"event":"flaw",
//	                         "file","line","problem"}; {"event":"confirmed","provider",
//	                         "hosts"}; {"event":"removed","provider"}
//	connect --again ACCOUNT, --account USERNAME
//	                         {"event":"reach","choices":[…]} once, where a token
//	                         reaches several accounts, and "accounts" beside "account"
//	                         in the connected line where several were saved
//
// A line of the doctor may have "way", the step of a recipe that mends it:
// {"action","provider","recipe","step"}.
//
// and these lines: {"event":"imported","account"}; {"event":"inspected","kind",
// "provider","living","practice","works","user_id","username","account_type",
// "granted_scopes","expires_at","account","problem"?}; {"event":"renewed",
// "not_due", "too_young", "already" or "waiting","account","next"?};
// {"event":"failed","account"?,"problem","next"?}; {"event":"checked","account",
// "works","at","problem"?}; {"event":"revoked","account","at_provider","page",
// "others"?,"problem"?}; and of renew --due {"event":"warning","account","days"} and last
// {"event":"done","renewed","failed","not_due","off"?}. revoke is 0 where the
// provider offers no such thing, for the page is then the way, and the kind of
// the problem where it was asked in vain; the account is gone from here in both.
//
// A person's own definition names its hosts before anything is sent there; they
// are confirmed by typing the provider's id, or without a terminal by naming
// exactly these hosts (ATT-8): an attacker who can get somebody to run one line
// should at least have to show where it leads.
//
// Another person than the expected one is never a question here, since nobody
// may be there to answer it: nothing is saved, and the exit code is 9. What the
// window left open is named and left to the window. Accounts that are named with
// --account are all kept or none: half of what was asked for would look like all
// of it.
//
// A file that is written for a person is theirs alone (0600), there whole or
// not at all, and never written through a link (SEC-7). A cell that a
// spreadsheet could take for a formula begins with an apostrophe.
//
// Commands that do not work yet do not exist here, not even hidden.
package cli
