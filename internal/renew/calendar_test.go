package renew

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep/internal/connect"
)

func plainWords(a connect.Account) (string, string) {
	return "@" + a.Username + " needs you", "Sign in once."
}

func TestCalendarToTheLetter(t *testing.T) {
	now := time.Date(2026, 11, 22, 13, 30, 5, 0, berlin(t))
	a := account("acc0000000000001", now, 10*day)
	a.Username = "harbour.coffee"
	got := string(Calendar([]connect.Account{a}, now, func(connect.Account) (string, string) {
		return "@harbour.coffee; needs, you \\o/", "First line.\nSecond: a line that is long enough to be folded, because it has more than 75 octets – “äöü”."
	}))
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Tokenkeep//Tokenkeep//EN
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:acc0000000000001@io.github.tokenkeep.Tokenkeep
DTSTAMP:20261122T123005Z
DTSTART;VALUE=DATE:20261201
DTEND;VALUE=DATE:20261202
SUMMARY:@harbour.coffee\; needs\, you \\o/
DESCRIPTION:First line.\nSecond: a line that is long enough to be folded\, 
 because it has more than 75 octets – “äöü”.
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P14D
DESCRIPTION:@harbour.coffee\; needs\, you \\o/
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P7D
DESCRIPTION:@harbour.coffee\; needs\, you \\o/
END:VALARM
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P2D
DESCRIPTION:@harbour.coffee\; needs\, you \\o/
END:VALARM
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheDayOfAnEvent(t *testing.T) {
	zone := berlin(t)
	in := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, zone) }
	for _, row := range []struct {
		name     string
		end, now time.Time
		want     string
	}{
		{"the day before", in(2027, 1, 21, 9), in(2026, 11, 22, 9), "20270120"},
		{"just after midnight", in(2027, 1, 21, 0), in(2026, 11, 22, 9), "20270120"},
		{"just before midnight", in(2027, 1, 21, 23), in(2026, 11, 22, 9), "20270120"},
		{"the person's day, not that of Greenwich", time.Date(2027, 1, 20, 23, 30, 0, 0, time.UTC), in(2026, 11, 22, 9), "20270120"},
		{"ends today", in(2026, 11, 22, 20), in(2026, 11, 22, 9), "20261122"},
		{"ends tomorrow", in(2026, 11, 23, 8), in(2026, 11, 22, 9), "20261122"},
		{"the day after the clocks go forward", in(2027, 3, 29, 0), in(2027, 3, 1, 9), "20270328"},
		{"the day on which they do", in(2027, 3, 28, 0), in(2027, 3, 1, 9), "20270327"},
		{"the day after they go back", in(2027, 11, 1, 0), in(2027, 10, 1, 9), "20271031"},
		{"the day on which they do", in(2027, 10, 31, 23), in(2027, 10, 1, 9), "20271030"},
		{"the first of a month", in(2028, 3, 1, 9), in(2028, 2, 1, 9), "20280229"},
		{"the first of a year", in(2027, 1, 1, 9), in(2026, 12, 1, 9), "20261231"},
		{"beyond 32-bit seconds", in(2038, 1, 20, 9), in(2038, 1, 1, 9), "20380119"},
	} {
		a := account("a1", row.now, 0)
		a.ExpiresAt = at(row.end.UTC())
		events := parse(t, Calendar([]connect.Account{a}, row.now, plainWords))
		if len(events) != 1 || events[0]["DTSTART;VALUE=DATE"] != row.want {
			t.Errorf("%s: %v, want %s", row.name, events, row.want)
		}
		start, err := time.Parse("20060102", row.want)
		if err != nil || events[0]["DTEND;VALUE=DATE"] != start.AddDate(0, 0, 1).Format("20060102") {
			t.Errorf("%s: ends on %s", row.name, events[0]["DTEND;VALUE=DATE"])
		}
	}
}

func TestWhatIsInTheCalendar(t *testing.T) {
	ended, unknown, short := account("ended", noon, -day), account("unknown", noon, day), account("short", noon, time.Hour)
	unknown.ExpiresAt = nil
	short.Lifetime = connect.Short
	odd, far, silent := account("odd\r\nid", noon, day), account("far", noon, day), account("silent", noon, day)
	far.ExpiresAt = at(time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC))
	list := []connect.Account{ended, unknown, short, odd, far, silent, account("b", noon, 3*day), account("a", noon, 2*day)}
	words := func(a connect.Account) (string, string) {
		if a.ID == "silent" {
			return "\u202e\r\n", "a note"
		}
		return a.ID, ""
	}
	var got []string
	for _, e := range parse(t, Calendar(list, noon, words)) {
		got = append(got, e["UID"])
	}
	if want := []string{"a" + uidDomain, "b" + uidDomain}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// A renewal moves the event of the same UID.
	moved := parse(t, Calendar([]connect.Account{account("a", noon, 60*day)}, noon, words))
	if len(moved) != 1 || moved[0]["UID"] != got[0] {
		t.Errorf("%v", moved)
	}
	// A calendar without events is still one.
	empty := string(Calendar(nil, noon, words))
	if !strings.Contains(empty, "BEGIN:VTIMEZONE\r\n") || len(parse(t, []byte(empty))) != 0 {
		t.Errorf("%q", empty)
	}
	if again := string(Calendar(list, noon, words)); again != string(Calendar(list, noon, words)) {
		t.Error("the same accounts give two calendars")
	}
}

func TestAStrangersNameBreaksNothing(t *testing.T) {
	for name, title := range map[string]string{
		"a second event":   "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:y",
		"an attachment":    "x\nATTACH:file:///etc/passwd",
		"separator":        "x\u2028ATTACH:y\u0085ATTACH:z\vATTACH:q",
		"escapes":          `x\nATTACH:y\;\,\\`,
		"direction":        "\u202egpj.exe",
		"nul and broken":   "a\x00b\xff\xfec",
		"a very long word": strings.Repeat("ü€😀", 400),
	} {
		a := account("a", noon, day)
		a.Username = title
		events := parse(t, Calendar([]connect.Account{a}, noon, func(a connect.Account) (string, string) { return a.Username, a.Username }))
		if len(events) != 1 || events[0]["SUMMARY"] != tidyLine(title) || events[0]["DESCRIPTION"] != tidy(title) {
			t.Errorf("%s: %q", name, events)
		}
		for key := range events[0] {
			if strings.HasPrefix(key, "ATTACH") {
				t.Errorf("%s: %v", name, events[0])
			}
		}
	}
	if got := tidy("\n a \r\n\r\nb\tc\x07\n\n"); got != "a\n\nb c" {
		t.Errorf("tidy: %q", got)
	}
}

func FuzzCalendar(f *testing.F) {
	for _, s := range []string{"", "@shop", "x\r\nEND:VEVENT", `\;,\n`, "ä€😀", strings.Repeat("€", 100), "a\nb\r\nc\rd", "\xff\x00\u202e", " ", "\n\n", strings.Repeat("\\", 80), strings.Repeat("a", 74) + "€" + strings.Repeat("b", 73) + "😀"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, title, note string) {
		events := parse(t, Calendar([]connect.Account{account("a", noon, day)}, noon, func(connect.Account) (string, string) { return title, note }))
		if tidyLine(title) == "" {
			if len(events) != 0 {
				t.Fatalf("an event without a title: %v", events)
			}
			return
		}
		if len(events) != 1 {
			t.Fatalf("%d events", len(events))
		}
		if got := events[0]["SUMMARY"]; got != tidyLine(title) {
			t.Fatalf("title %q, want %q", got, tidyLine(title))
		}
		if got := events[0]["DESCRIPTION"]; got != tidy(note) {
			t.Fatalf("note %q, want %q", got, tidy(note))
		}
		if n := utf8.RuneCountInString(events[0]["DESCRIPTION"]); n > noteLimit+2 {
			t.Fatalf("a note of %d characters", n)
		}
	})
}

// parse reads a calendar back by the words of RFC 5545, on its own: lines of at
// most 75 octets with CRLF, whole characters, unfolded, known properties in
// balanced components, TEXT unescaped. It returns the properties of the events.
func parse(t testing.TB, data []byte) []map[string]string {
	t.Helper()
	fail := func(format string, args ...any) { t.Helper(); t.Fatalf(format+"\n%s", append(args, data)...) }
	rest, ok := strings.CutSuffix(string(data), "\r\n")
	if !ok {
		fail("the last line has no end")
	}
	var lines []string
	for _, physical := range strings.Split(rest, "\r\n") {
		if len(physical) > 75 || !utf8.ValidString(physical) || strings.ContainsFunc(physical, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			fail("line of %d octets: %q", len(physical), physical)
		}
		if folded, ok := strings.CutPrefix(physical, " "); ok && len(lines) > 0 {
			lines[len(lines)-1] += folded
		} else {
			lines = append(lines, physical)
		}
	}
	known := map[string]string{
		"VCALENDAR": "VERSION PRODID CALSCALE", "VEVENT": "UID DTSTAMP DTSTART DTEND SUMMARY DESCRIPTION TRANSP",
		"VALARM": "ACTION TRIGGER DESCRIPTION", "VTIMEZONE": "TZID", "STANDARD": "DTSTART TZOFFSETFROM TZOFFSETTO",
	}
	var open []string
	var events []map[string]string
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			fail("line %d: %q", i, line)
		}
		switch name {
		case "BEGIN":
			open = append(open, value)
			if value == "VEVENT" {
				events = append(events, map[string]string{})
			}
			continue
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				fail("END:%s in %v", value, open)
			}
			open = open[:len(open)-1]
			continue
		}
		if len(open) == 0 {
			fail("%q outside", line)
		}
		in := open[len(open)-1]
		stem, _, _ := strings.Cut(name, ";")
		if !slices.Contains(strings.Fields(known[in]), stem) {
			fail("%s in %s", name, in)
		}
		if stem == "SUMMARY" || stem == "DESCRIPTION" {
			text, err := unescape(value)
			if err != nil {
				fail("%v", err)
			}
			value = text
		}
		if in == "VEVENT" {
			if _, twice := events[len(events)-1][name]; twice {
				fail("%s twice", name)
			}
			events[len(events)-1][name] = value
		}
	}
	if len(open) != 0 || len(lines) < 2 || lines[0] != "BEGIN:VCALENDAR" || lines[len(lines)-1] != "END:VCALENDAR" {
		fail("not one calendar, open: %v", open)
	}
	return events
}

func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == ';' || s[i] == ',':
			return "", fmt.Errorf("%q is not escaped", s[i])
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+1 == len(s):
			return "", fmt.Errorf("a lonely backslash")
		default:
			i++
			switch s[i] {
			case 'n', 'N':
				b.WriteByte('\n')
			case '\\', ';', ',':
				b.WriteByte(s[i])
			default:
				return "", fmt.Errorf("\\%c", s[i])
			}
		}
	}
	return b.String(), nil
}
