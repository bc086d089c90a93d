package ui

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// filter chooses rows of the list.
type filter int

const (
	filterAll filter = iota
	filterNeed
	filterSoon
	filterHealthy
)

// order sorts the rows of the list.
type order int

const (
	orderNeed order = iota
	orderName
	orderDays
)

// accountsForm is what the person chose on the list's head.
type accountsForm struct {
	Search string
	Filter filter
	Order  order
}

// accountRow is one row, in words.
type accountRow struct {
	ID       string
	Username string
	Under    string // provider and kind
	Life     life
	Chip     chip
	// SignIn shows that button in place of copying.
	SignIn bool
	// Renew shows that button; Checking says that the provider is being asked,
	// and Stop that this can be ended.
	Renew, Checking, Stop bool
	// Spoken is the whole row in one line, for the overview and for readers.
	Spoken string
}

// part is one clickable part of the summary.
type part struct {
	N      int
	Words  string
	Filter filter
	Tone   tone
}

// accountsModel is the list screen.
type accountsModel struct {
	Rows    []accountRow
	Parts   []part
	AllWell string
	// Filters are the words of the four chips, Counts their numbers.
	Filters []string
	Counts  []int
	// Empty is what stands in place of rows: title, body, button.
	EmptyTitle, EmptyBody, EmptyButton string
	Need                               int
}

func bucket(a connect.Account) filter {
	switch a.Status {
	case connect.NeedsSignIn, connect.Expired:
		return filterNeed
	case connect.ExpiresSoon:
		return filterSoon
	default:
		return filterHealthy
	}
}

// presentAccounts renders the list as it stands at now.
func presentAccounts(c *text.Catalogue, accounts []connect.Account, form accountsForm, now time.Time) accountsModel {
	m := accountsModel{Counts: make([]int, 4)}
	for _, key := range []string{"accounts.filter_all", "accounts.filter_need", "accounts.filter_soon", "accounts.filter_healthy"} {
		m.Filters = append(m.Filters, c.Say(key))
	}
	var kept []connect.Account
	for _, a := range accounts {
		m.Counts[filterAll]++
		m.Counts[bucket(a)]++
		if (form.Filter == filterAll || bucket(a) == form.Filter) && matches(a, form.Search) {
			kept = append(kept, a)
		}
	}
	m.Need = m.Counts[filterNeed]
	for _, p := range []struct {
		key    string
		filter filter
		tone   tone
	}{{"accounts.sum", filterAll, toneNeutral}, {"accounts.healthy", filterHealthy, toneFine}, {"accounts.soon", filterSoon, toneWarning}, {"accounts.need", filterNeed, toneError}} {
		if n := m.Counts[p.filter]; n > 0 {
			m.Parts = append(m.Parts, part{N: n, Words: c.Count(p.key, n), Filter: p.filter, Tone: p.tone})
		}
	}
	if m.Counts[filterAll] > 0 && m.Counts[filterHealthy] == m.Counts[filterAll] {
		m.AllWell = c.Say("accounts.all_well")
	}
	sortAccounts(kept, form.Order)
	for _, a := range kept {
		m.Rows = append(m.Rows, presentRow(c, a, now))
	}
	if len(m.Rows) == 0 {
		switch {
		case strings.TrimSpace(form.Search) != "":
			m.EmptyTitle = c.Say("accounts.no_match", text.Args{"text": form.Search})
			m.EmptyBody, m.EmptyButton = c.Say("accounts.no_match_body"), c.Say("accounts.clear_search")
		case form.Filter == filterNeed:
			m.EmptyTitle = c.Say("accounts.none_good")
		default:
			m.EmptyTitle = c.Say("accounts.none")
		}
	}
	return m
}

func presentRow(c *text.Catalogue, a connect.Account, now time.Time) accountRow {
	row := accountRow{
		ID: a.ID, Username: "@" + a.Username, Under: joined(a.ProviderName, kindOf(c, a, true), lastChecked(c, a, now)),
		Life: lifeOf(c, a, now), Chip: chipOf(c, a, now), SignIn: signInMends(a), Renew: a.Renews && bucket(a) != filterNeed,
	}
	row.Spoken = strings.Join([]string{a.Username, a.ProviderName, row.Chip.Words, row.Life.Words}, ", ")
	return row
}

// signInMends: a new sign-in is what this account needs now. A token of an hour
// is kept to be copied while it lasts.
func signInMends(a connect.Account) bool {
	return bucket(a) == filterNeed || a.Status == connect.ExpiresSoon && a.Lifetime == connect.Long && !a.Renews
}

// whileAsked is a row while its provider is being asked.
func whileAsked(c *text.Catalogue, row accountRow, stoppable bool) accountRow {
	former := row.Chip.Words
	row.Checking, row.Stop, row.Chip = true, stoppable, checkingChip(c)
	row.Spoken = strings.Replace(row.Spoken, former, row.Chip.Words, 1)
	return row
}

// nextRenewal is the foot of the list: who renews by itself next. closed tells
// that it does so while the window is closed too. Empty where nobody does.
func nextRenewal(c *text.Catalogue, accounts []connect.Account, closed bool, now time.Time) string {
	var next connect.Account
	var when time.Time
	for _, a := range accounts {
		if !a.Renews || a.DueAt == nil || bucket(a) == filterNeed {
			continue
		}
		due := *a.DueAt
		if a.NextTry != nil && a.NextTry.After(due) {
			due = *a.NextTry
		}
		if due.Before(now) {
			due = now
		}
		if when.IsZero() || due.Before(when) || due.Equal(when) && a.Username < next.Username {
			next, when = a, due
		}
	}
	if when.IsZero() {
		return ""
	}
	key := "alive.next_open"
	if closed {
		key = "alive.next_closed"
	}
	if when = when.In(now.Location()); sameDay(when, now) {
		return c.Say(key+"_today", text.Args{"username": "@" + next.Username})
	}
	return c.Say(key, text.Args{"username": "@" + next.Username, "day": c.ShortDate(when)})
}

func matches(a connect.Account, search string) bool {
	search = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(search), "@"))
	return search == "" || strings.Contains(strings.ToLower(a.Username), search) || strings.Contains(strings.ToLower(a.ProviderName), search)
}

var strength = map[connect.Status]int{connect.NeedsSignIn: 0, connect.Expired: 1, connect.ExpiresSoon: 2, connect.RenewsSoon: 3, connect.Healthy: 4}

func sortAccounts(accounts []connect.Account, by order) {
	sort.SliceStable(accounts, func(i, j int) bool {
		a, b := accounts[i], accounts[j]
		switch by {
		case orderDays:
			if x, y := endOf(a), endOf(b); !x.Equal(y) {
				return !x.IsZero() && (y.IsZero() || x.Before(y))
			}
		case orderNeed:
			if x, y := strength[a.Status], strength[b.Status]; x != y {
				return x < y
			}
		}
		return strings.ToLower(a.Username) < strings.ToLower(b.Username)
	})
}

// overviewTable is the list as a table, with a head.
func overviewTable(c *text.Catalogue, accounts []connect.Account, now time.Time) []byte {
	rows := [][]string{{c.Say("alive.csv_account"), c.Say("alive.csv_service"), c.Say("accounts.column_status"), c.Say("alive.csv_ends"), c.Say("alive.csv_days"), c.Say("alive.csv_id")}}
	for _, a := range accounts {
		ends, days := "", ""
		if end := endOf(a); !end.IsZero() {
			ends, days = end.In(now.Location()).Format(time.DateOnly), strconv.Itoa(connect.DaysLeft(end, now))
		}
		rows = append(rows, []string{a.Username, a.ProviderName, chipOf(c, a, now).Words, ends, days, a.ID})
	}
	return table(rows)
}

// overview is the list as lines of text, for the clipboard.
func overview(m accountsModel) string {
	var b strings.Builder
	for _, row := range m.Rows {
		b.WriteString(row.Spoken + "\n")
	}
	return b.String()
}
