// Package renew decides what happens to tokens while nobody looks: which
// accounts are due and in what order, whom to warn and when, and what stands in
// the calendar file. It asks no provider itself; [connect.Service.Renew] does,
// one account at a time, and keeps the rules of one renewal.
//
// Decisions.
//
// What is due ([Due]), whom to warn ([Warnings]) and the calendar ([Calendar])
// are pure functions of the accounts and the time. The command line's
// "renew --due", started by the timer, and the window's loop ([Start]) call the
// same [Run], so a token renews by one set of rules whoever is awake.
//
// A clock is believed only as far as that does no harm. An end that is past is
// not yet an ended token: where the provider renews it, it is asked, and only
// its answer ends it. A mark of a try that lies more than a day in the future
// was written under another clock and blocks nothing. Whatever the clock does,
// the loop asks for one account at most once a minute, counted in its own
// ticks; connect keeps the same distance across processes.
//
// After a long sleep there is no storm: at most [Parallel] requests at a time,
// each after a random wait, every account once. One account's failure never
// stops the others, and what failed is tried again later and later.
//
// Warnings come at 14, 7 and 2 days, only where renewing will not do its work,
// each once for one end. Whoever was away gets the nearest one alone. A token
// that is over, by its date or by a refusal, is told once as such. That the
// person was told is noted by whoever told (connect's MarkWarned with
// [Warning.Mark]), after telling: a notification that failed comes again.
//
// The calendar file holds names and dates, never more. What goes into it comes
// from strangers (account names), so it is cleaned and escaped, and a file that
// is not ours is neither replaced nor removed.
package renew
