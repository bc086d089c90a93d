package renew

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const (
	// product marks our files (RFC 5545 section 3.7.3); a file without it is
	// never replaced or removed.
	product = "PRODID:-//Tokenkeep//Tokenkeep//EN"
	// uidDomain makes the ids of accounts globally unique (section 3.8.4.7).
	uidDomain = "@io.github.tokenkeep.Tokenkeep"
	// foldAt is the longest line in octets, its end excluded (section 3.1).
	foldAt = 75
	// titleLimit and noteLimit are in characters.
	titleLimit = 200
	noteLimit  = 2000
)

// Words gives the title and the note of an account's event. An empty title
// leaves the account out.
type Words func(a connect.Account) (title, note string)

// Calendar is the iCalendar file (RFC 5545) of all accounts with a known end
// ahead, one all-day event each, with alarms 14, 7 and 2 days before.
//
// The event lies on the last day on which the token works from morning to
// night, in the zone of now: the day before its end, or today where that is
// past. Accounts that renew by themselves are in it as well: each renewal
// moves their event, and should this computer be lost, it is the event that
// tells. Its UID stays, so a calendar program moves it instead of adding one.
func Calendar(accounts []connect.Account, now time.Time, words Words) []byte {
	sorted := slices.Clone(accounts)
	slices.SortStableFunc(sorted, bySoonestEnd)
	c := &calendar{stamp: now.UTC().Format("20060102T150405Z")}
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.line(product)
	c.line("CALSCALE:GREGORIAN")
	for _, a := range sorted {
		c.event(a, now, words)
	}
	if c.events == 0 {
		// A calendar has at least one component (section 3.6).
		for _, l := range []string{"BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"} {
			c.line(l)
		}
	}
	c.line("END:VCALENDAR")
	return []byte(c.out.String())
}

type calendar struct {
	out    strings.Builder
	stamp  string
	events int
}

func (c *calendar) event(a connect.Account, now time.Time, words Words) {
	if a.ExpiresAt == nil || !a.ExpiresAt.After(now) || a.Lifetime == connect.Short || !plainID(a.ID) {
		return
	}
	first := lastWholeDay(*a.ExpiresAt, now)
	if first.Year() > 9998 {
		return // a date has four digits
	}
	title, note := words(a)
	if title = tidyLine(title); title == "" {
		return
	}
	c.events++
	c.line("BEGIN:VEVENT")
	c.line("UID:" + a.ID + uidDomain)
	c.line("DTSTAMP:" + c.stamp)
	c.line("DTSTART;VALUE=DATE:" + first.Format("20060102"))
	c.line("DTEND;VALUE=DATE:" + first.AddDate(0, 0, 1).Format("20060102"))
	c.line("SUMMARY:" + escape(title))
	if note = tidy(note); note != "" {
		c.line("DESCRIPTION:" + escape(note))
	}
	// It does not make anybody busy.
	c.line("TRANSP:TRANSPARENT")
	for _, days := range []int{14, 7, 2} {
		c.line("BEGIN:VALARM")
		c.line("ACTION:DISPLAY")
		c.line("TRIGGER:-P" + strconv.Itoa(days) + "D")
		c.line("DESCRIPTION:" + escape(title))
		c.line("END:VALARM")
	}
	c.line("END:VEVENT")
}

// lastWholeDay is midnight UTC of the calendar day in now's zone. Days are
// counted by date and not in hours, of which some days have 23 or 25.
func lastWholeDay(end, now time.Time) time.Time {
	date := func(t time.Time, add int) time.Time {
		y, m, d := t.In(now.Location()).Date()
		return time.Date(y, m, d+add, 0, 0, 0, 0, time.UTC)
	}
	last, today := date(end, -1), date(now, 0)
	if last.Before(today) {
		return today
	}
	return last
}

// plainID is what ids of ours look like; anything else has no place in a UID.
func plainID(id string) bool {
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return id != ""
}

// line writes one content line, folded so that no part is longer than 75
// octets and no character is cut in two.
func (c *calendar) line(s string) {
	room := foldAt
	for len(s) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		c.out.WriteString(s[:cut])
		c.out.WriteString("\r\n ")
		s, room = s[cut:], foldAt-1 // the blank counts
	}
	c.out.WriteString(s)
	c.out.WriteString("\r\n")
}

// escaper is for values of type TEXT (section 3.3.11).
var escaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)

func escape(s string) string { return escaper.Replace(s) }

func tidyLine(s string) string { return problem.Outside(s, titleLimit) }

// breaks are all the ends of a line that some program knows.
var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n", "\v", "\n", "\f", "\n")

// tidy cleans text of several lines: each as problem.Outside does, at most
// noteLimit characters in all, no empty lines at either end.
func tidy(s string) string {
	lines := strings.Split(strings.Trim(breaks.Replace(s), "\n"), "\n")
	left := noteLimit
	for i, l := range lines {
		if left <= 0 {
			lines = lines[:i]
			break
		}
		lines[i] = problem.Outside(l, left)
		left -= utf8.RuneCountInString(lines[i]) + 1
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// KeepCalendar writes the calendar file where the person asked for one (the
// setting "calendar"), and does nothing otherwise. Problems: calendar.failed,
// those of reading accounts and settings.
func KeepCalendar(ctx context.Context, core Core, now time.Time, words Words) error {
	path, err := core.Setting(ctx, settingCalendar)
	if err != nil || path == "" {
		return err
	}
	accounts, err := core.Accounts(ctx)
	if err != nil {
		return err
	}
	return WriteCalendar(path, Calendar(accounts, now, words))
}
