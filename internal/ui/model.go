package ui

import (
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// tone is how something reads at a glance; never without words beside it.
type tone int

const (
	toneNeutral tone = iota
	toneFine
	tonePrimary
	toneWarning
	toneError
)

// chip is a status in words and tone.
type chip struct {
	Words string
	Tone  tone
	// Icon is one of: login, ended, clock, renew, fine, checking.
	Icon string
}

// chipOf says how an account stands (ux.md 4).
func chipOf(c *text.Catalogue, a connect.Account, now time.Time) chip {
	end := endOf(a)
	days := connect.DaysLeft(end, now)
	switch a.Status {
	case connect.NeedsSignIn:
		return chip{c.Say("status.needs_sign_in"), toneError, "login"}
	case connect.Expired:
		return chip{c.Say("status.expired"), toneNeutral, "ended"}
	case connect.ExpiresSoon:
		left := end.Sub(now)
		switch {
		case left < 0 || end.IsZero():
			return chip{c.Say("status.expires_hour"), toneWarning, "clock"}
		case a.Lifetime == connect.Short && left <= 2*time.Hour:
			return chip{c.Count("status.ends_minutes", int((left+time.Minute-1)/time.Minute)), toneWarning, "clock"}
		case left < 24*time.Hour:
			return chip{c.Count("status.expires_hours", int((left+time.Hour-1)/time.Hour)), toneWarning, "clock"}
		}
		return chip{c.Count("status.expires_days", days), toneWarning, "clock"}
	case connect.RenewsSoon:
		return renewsChip(c, a, days, now)
	default:
		return chip{c.Say("status.healthy"), toneFine, "fine"}
	}
}

// renewsChip says when a renewal is due, or that it is being tried.
func renewsChip(c *text.Catalogue, a connect.Account, days int, now time.Time) chip {
	until := days - 20
	if a.DueAt != nil {
		until = connect.DaysLeft(*a.DueAt, now)
	}
	switch {
	case until > 0:
		return chip{c.Count("status.renews_days", until), tonePrimary, "renew"}
	case a.FailedSince != nil && a.FailedSince.Before(now):
		return chip{c.Say("alive.renewing_day", text.Args{"n": int(now.Sub(*a.FailedSince)/(24*time.Hour)) + 1}), tonePrimary, "renew"}
	}
	return chip{c.Say("status.renews_today"), tonePrimary, "renew"}
}

// checkingChip stands in place of any other while the provider is asked.
func checkingChip(c *text.Catalogue) chip {
	return chip{c.Say("status.checking"), toneNeutral, "checking"}
}

// checkedTooLongAgo is from when on a row says when it was last checked.
const checkedTooLongAgo = 7 * 24 * time.Hour

// lastChecked says that an account was not checked for a long time; empty
// where that is not so, or where it was never checked.
func lastChecked(c *text.Catalogue, a connect.Account, now time.Time) string {
	if a.CheckedAt == nil || now.Sub(*a.CheckedAt) < checkedTooLongAgo {
		return ""
	}
	return c.Count("alive.last_checked", int(now.Sub(*a.CheckedAt)/(24*time.Hour)))
}

// life is the bar of an account's row: how much is left, in words and as a share.
type life struct {
	Words string
	// Share is 0 to 1.
	Share float32
	Tone  tone
}

func lifeOf(c *text.Catalogue, a connect.Account, now time.Time) life {
	end := endOf(a)
	switch {
	case a.Status == connect.NeedsSignIn:
		return life{Words: reasonOf(c, a), Tone: toneNeutral}
	case a.Status == connect.Expired:
		return life{Words: c.Say("life.ended", text.Args{"day": c.ShortDate(end.In(now.Location()))}), Tone: toneNeutral}
	case end.IsZero():
		return life{Words: c.Say("life.unknown"), Tone: toneNeutral}
	case a.Lifetime == connect.Short:
		return life{Words: c.Say("life.minutes"), Share: share(now, end, time.Hour), Tone: toneWarning}
	case a.Refreshes && end.Sub(now) <= 24*time.Hour:
		// Hours are not counted in days; it is renewed many times a day.
		return life{Words: c.Say("life.until", text.Args{"clock": c.Clock(end.In(now.Location()))}), Share: 1, Tone: toneFine}
	}
	whole := wholeDays(a, end)
	left := connect.DaysLeft(end, now)
	l := life{Words: c.Say("life.left", text.Args{"left": left, "whole": whole}), Share: min(float32(left)/float32(whole), 1), Tone: toneFine}
	switch a.Status {
	case connect.ExpiresSoon:
		l.Tone = toneWarning
	case connect.RenewsSoon:
		l.Tone = tonePrimary
	}
	return l
}

func share(now, end time.Time, whole time.Duration) float32 {
	return max(0, min(1, float32(end.Sub(now))/float32(whole)))
}

// wholeDays is the length of a token's life in days, at least 1.
func wholeDays(a connect.Account, end time.Time) int {
	if a.IssuedAt == nil {
		return 60
	}
	return max(1, int((end.Sub(*a.IssuedAt)+12*time.Hour)/(24*time.Hour)))
}

func endOf(a connect.Account) time.Time {
	if a.ExpiresAt == nil {
		return time.Time{}
	}
	return *a.ExpiresAt
}

// reasonOf says in two words why the provider refused.
func reasonOf(c *text.Catalogue, a connect.Account) string {
	switch problem.Key(a.Reason) {
	case problem.PasswordChanged:
		return c.Say("life.password")
	case problem.AccessRemoved:
		return c.Say("life.removed")
	case problem.SecurityCheck:
		return c.Say("life.security")
	default:
		return c.Say("life.signed_out", text.Args{"provider": a.ProviderName})
	}
}

// kindOf is the account's type in words, short for a row; empty when unknown.
func kindOf(c *text.Catalogue, a connect.Account, short bool) string {
	key := ""
	switch strings.ToUpper(strings.ReplaceAll(a.Kind, "-", "_")) {
	case "BUSINESS":
		key = "kind.business"
	case "MEDIA_CREATOR", "CREATOR":
		key = "kind.creator"
	case "PERSONAL":
		key = "kind.personal"
	default:
		return ""
	}
	if short {
		key += "_short"
	}
	return c.Say(key)
}

// joined puts parts beside each other with a dot, leaving out the empty ones.
func joined(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}

// clockLeft is a countdown such as "9:42"; never negative.
func clockLeft(deadline, now time.Time) string {
	left := max(0, deadline.Sub(now)).Round(time.Second)
	hours, minutes, seconds := int(left.Hours()), int(left.Minutes())%60, int(left.Seconds())%60
	if hours > 0 {
		return strconv.Itoa(hours) + ":" + two(minutes) + ":" + two(seconds)
	}
	return strconv.Itoa(minutes) + ":" + two(seconds)
}

func two(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
