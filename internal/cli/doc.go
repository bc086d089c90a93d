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
// Commands that do not work yet do not exist here, not even hidden.
package cli
