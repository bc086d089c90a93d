package text

import (
	"testing"
	"time"
)

func TestDatesInEveryLanguage(t *testing.T) {
	zone := time.FixedZone("here", 3600)
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, zone)
	for lang, want := range map[string][4]string{
		"en":          {"21 January 2027", "3 Nov", "Today, 10:40", "4 Sep, 11:20"},
		"de_AT.UTF-8": {"21. Januar 2027", "3. Nov.", "Heute, 10:40", "4. Sep., 11:20"},
		"fr":          {"21 January 2027", "3 Nov", "Today, 10:40", "4 Sep, 11:20"},
		"C.UTF-8":     {"21 January 2027", "3 Nov", "Today, 10:40", "4 Sep, 11:20"},
	} {
		c := For(lang)
		got := [4]string{
			c.Date(time.Date(2027, 1, 21, 0, 0, 0, 0, zone)), c.ShortDate(time.Date(2026, 11, 3, 0, 0, 0, 0, zone)),
			c.Moment(time.Date(2026, 11, 22, 9, 40, 0, 0, time.UTC), now), c.Moment(time.Date(2026, 9, 4, 11, 20, 0, 0, zone), now),
		}
		if got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	if got := For("en").Moment(time.Date(2025, 11, 3, 8, 30, 0, 0, zone), now); got != "3 November 2025, 08:30" {
		t.Errorf("another year: %q", got)
	}
}

func TestUnknownKeysShowThemselves(t *testing.T) {
	if got := For("en").Say("no.such.key"); got != "⟦no.such.key⟧" || For("en").Has("no.such.key") {
		t.Errorf("%q", got)
	}
}
