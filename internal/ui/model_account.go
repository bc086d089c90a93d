package ui

import (
	"strconv"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// mark is a labelled point on the line of a token's life.
type mark struct {
	Title, Line string
	// At is 0 (issued) to 1 (ends); Today may stand beyond 1 on an ended token.
	At float32
	// Kind is one of: issued, renewable, today, renews, ends.
	Kind string
}

// diaryRow is one entry in words.
type diaryRow struct{ When, Words, Icon string }

// accountModel is the screen of one account.
type accountModel struct {
	Title, Under string
	Chip         chip
	TokenLine    string
	Marks        []mark
	// Gone is the share of life that has passed, 0 to 1; Ended draws it neutral.
	Gone     float32
	Ended    bool
	LifeText string
	SignInBy string
	// Trouble says since when renewing has not worked, empty where it has.
	Trouble     string
	Permissions []permission
	Diary       []diaryRow
	// Notice says what is wrong, on top; nil when all is well.
	Notice *text.Told
}

// presentAccount renders one account as it stands at now.
func presentAccount(c *text.Catalogue, a connect.Account, entries []library.Entry, d provider.Definition, now time.Time) accountModel {
	m := accountModel{
		Title: "@" + a.Username, Chip: chipOf(c, a, now),
		Under: joined(a.ProviderName, kindOf(c, a, false), signedInSince(c, entries, now)),
	}
	end := endOf(a)
	if a.Lifetime == connect.Short {
		m.TokenLine = c.Say("account.token_line_short", text.Args{"provider": a.ProviderName})
	} else {
		m.TokenLine = c.Say("account.token_line", text.Args{"days": wholeDays(a, end), "provider": a.ProviderName})
	}
	presentLife(c, &m, a, now)
	m.Trouble = presentTrouble(c, a, now)
	m.Permissions, _ = presentPermissions(c, a, d)
	for _, e := range entries {
		m.Diary = append(m.Diary, presentEntry(c, e, a.ProviderName, now))
	}
	if a.Status == connect.NeedsSignIn || a.Status == connect.Expired {
		p := problem.New(problem.TokenEnded, "username", a.Username, "provider", a.ProviderName)
		if a.Status == connect.NeedsSignIn {
			p = problem.New(problem.Key(a.Reason), "username", a.Username, "provider", a.ProviderName)
		}
		told := c.Tell(p)
		m.Notice = &told
	}
	return m
}

// signedInSince is the day of the first sign-in that the diary knows.
func signedInSince(c *text.Catalogue, entries []library.Entry, now time.Time) string {
	for i := len(entries) - 1; i >= 0; i-- {
		if entries[i].Event == "signed_in" {
			return c.Say("account.signed_in_since", text.Args{"day": c.ShortDate(entries[i].At.In(now.Location()))})
		}
	}
	return ""
}

func presentLife(c *text.Catalogue, m *accountModel, a connect.Account, now time.Time) {
	if a.IssuedAt == nil || a.ExpiresAt == nil || !a.ExpiresAt.After(*a.IssuedAt) {
		m.LifeText = c.Say("life.unknown")
		if a.Renews && a.DueAt != nil {
			m.LifeText += ". " + c.Say("account.life_soon")
		}
		return
	}
	zone := now.Location()
	issued, end := *a.IssuedAt, *a.ExpiresAt
	at := func(t time.Time) float32 { return float32(t.Sub(issued)) / float32(end.Sub(issued)) }
	m.Gone, m.Ended = max(0, min(1, at(now))), !end.After(now)
	left, whole := connect.DaysLeft(end, now), wholeDays(a, end)
	when := func(t time.Time) string {
		if a.Lifetime == connect.Short {
			return c.Clock(t.In(zone))
		}
		day := c.ShortDate(t.In(zone))
		if year := t.In(zone).Year(); year != now.Year() {
			day += " " + strconv.Itoa(year)
		}
		return day
	}
	ends := when(end)
	if a.ExpiresEstimated {
		ends = c.Say("account.ends_estimated", text.Args{"day": ends})
	}
	m.Marks = []mark{{Title: c.Say("account.issued"), Line: when(issued), Kind: "issued"}}
	renews := a.Renews && a.DueAt != nil && a.DueAt.Before(end) && !m.Ended
	// Where it is renewed as soon as it can be, one mark says both.
	soonest := renews && a.RenewAfter != nil && a.DueAt.After(now) && a.DueAt.Sub(*a.RenewAfter) < 24*time.Hour
	// Of an estimated end nobody knows since when it could have been renewed.
	known := a.RenewAfter != nil && (!a.ExpiresEstimated || a.RenewAfter.After(now))
	if known && a.RenewAfter.Before(end) && !soonest {
		m.Marks = append(m.Marks, mark{c.Say("account.renewable"), c.Say("account.renewable_line", text.Args{"day": when(*a.RenewAfter)}), at(*a.RenewAfter), "renewable"})
	}
	today := c.Count("account.days_left", left)
	refused := a.Status == connect.NeedsSignIn
	if a.Lifetime == connect.Short || m.Ended || refused {
		today = when(now)
	}
	m.Marks = append(m.Marks, mark{c.Say("account.today"), today, at(now), "today"})
	words := text.Args{"issued": c.Date(issued.In(zone)), "left": left, "whole": whole, "ends": c.Date(end.In(zone))}
	m.LifeText = c.Say("account.life_text", words)
	if renews {
		// What is overdue is tried again today.
		due := *a.DueAt
		if due.Before(now) {
			due = now
		}
		words["renews"] = c.Date(due.In(zone))
		m.LifeText = c.Say("account.life_text_renews", words)
		if due.After(now) {
			m.Marks = append(m.Marks, mark{c.Say("account.renews"), c.Say("account.renews_line", text.Args{"day": when(due)}), at(due), "renews"})
		}
	}
	m.Marks = append(m.Marks, mark{c.Say("account.ends"), ends, 1, "ends"})
	if !m.Ended && !renews && !refused {
		m.SignInBy = c.Say("account.sign_in_by", text.Args{"day": when(end)})
	}
	switch {
	case !renews || !a.ExpiresEstimated:
	case a.DueAt.After(now):
		m.SignInBy = c.Say("account.life_then", text.Args{"moment": soon(c, *a.DueAt, now)})
	default:
		m.SignInBy = c.Say("account.life_soon")
	}
}

// presentTrouble says that renewing has not worked, and when it is tried next.
func presentTrouble(c *text.Catalogue, a connect.Account, now time.Time) string {
	if a.FailedSince == nil || !a.Renews || a.Status == connect.NeedsSignIn || a.Status == connect.Expired {
		return ""
	}
	words := c.Say("account.trouble", text.Args{"day": c.ShortDate(a.FailedSince.In(now.Location()))})
	if a.NextTry != nil && a.NextTry.After(now) {
		words += " " + c.Say("account.next_try", text.Args{"moment": soon(c, *a.NextTry, now)})
	}
	return words
}

// accountWork is what is being done with an account, and how the last of it
// went on this screen.
type accountWork struct {
	// Asking: a check or a renewal is under way; Renewing: it is a renewal.
	// Slow: for more than 2 s.
	Asking, Renewing, Slow bool
	// Locked is why the keychain is not asked, empty when it can be.
	Locked string
	// Problem is why the last check or renewal (OfRenewal) did not work; Note is
	// what a renewal that was not made says.
	Problem   *problem.Problem
	OfRenewal bool
	Note      string
}

// accountButton is a button of the head.
type accountButton struct {
	Shown, Enabled bool
	Label, Tip     string
}

// accountActions is the head of an account's screen and the notice under it.
type accountActions struct {
	// Busy is the chip in the status's place while something is under way, nil
	// otherwise; Words say what, once it is slow.
	Busy         *chip
	Words        string
	Check, Renew accountButton
	// Notice is nil when there is nothing to say.
	Notice *accountNotice
}

type accountNotice struct {
	Tone        tone
	Lead, Words string
	Actions     []problem.Action
}

// accountDoors are the remedies of a problem that an account's page has a way
// to, the best first, two at most: the guide, the provider's own site, signing
// in again.
func accountDoors(p *problem.Problem) []problem.Action {
	var doors []problem.Action
	for _, a := range p.Actions() {
		if len(doors) < 2 && (isGuide(a) || a == problem.OpenProvider || a == problem.SignInAgain) {
			doors = append(doors, a)
		}
	}
	return doors
}

// presentActions renders what can be done with an account, and what became of it.
func presentActions(c *text.Catalogue, a connect.Account, w accountWork, now time.Time) accountActions {
	ended := a.Status == connect.Expired
	m := accountActions{
		Check: accountButton{Shown: !ended, Enabled: w.Locked == "", Label: c.Say("account.check"), Tip: "F5"},
		// An ended or refused token is not renewed by anybody.
		Renew: accountButton{Shown: a.Renews && !ended && a.Status != connect.NeedsSignIn, Enabled: w.Locked == "" && !w.Asking, Label: c.Say("account.renew"), Tip: "Ctrl+R"},
	}
	if w.Locked != "" {
		m.Check.Tip, m.Renew.Tip = w.Locked, w.Locked
	}
	if a.RenewAfter != nil && a.RenewAfter.After(now) {
		m.Renew.Enabled, m.Renew.Tip = false, c.Say("alive.too_young", text.Args{"moment": soon(c, *a.RenewAfter, now)})
	}
	if w.Asking {
		m.Busy = &chip{c.Say("status.checking"), toneNeutral, "renew"}
		named := text.Args{"provider": a.ProviderName}
		if w.Renewing {
			m.Check.Enabled, m.Check.Tip = false, c.Say("account.renewing_tip")
			m.Renew.Tip = c.Say("account.renewing_tip")
			if w.Slow {
				m.Words = c.Say("account.renewing", named)
			}
		} else {
			m.Check.Enabled, m.Check.Label, m.Check.Tip = true, c.Say("account.stop"), ""
			if w.Slow {
				m.Words = c.Say("account.checking", named)
			}
		}
		return m
	}
	switch {
	case w.Problem != nil && (a.Status == connect.NeedsSignIn || ended):
		// The account's own notice says it, with the way out.
	case w.Problem != nil:
		told := c.Tell(w.Problem)
		m.Notice = &accountNotice{Tone: toneError, Lead: sentence(told.Title), Words: told.Happened + " " + told.Advice, Actions: []problem.Action{problem.TryAgain}}
		switch w.Problem.Kind {
		case problem.Network, problem.Timeout:
			m.Notice.Tone = toneWarning
		case problem.SignIn, problem.Refused:
			if doors := accountDoors(w.Problem); len(doors) > 0 {
				m.Notice.Actions = doors
			}
		case problem.Vault:
			m.Notice.Actions = []problem.Action{problem.TryAgain, problem.OpenSettings}
		}
		if w.OfRenewal && m.Notice.Tone == toneWarning {
			m.Notice.Words += " " + c.Say("account.stays")
		}
	case w.Note != "":
		m.Notice = &accountNotice{Tone: tonePrimary, Words: w.Note}
	}
	return m
}

var entryIcons = map[string]string{
	"signed_in": "login", "copied": "copy", "shown": "eye", "recovered": "fine", "removed": "remove", "revoked": "remove", "renewed": "renew",
	"renew_failed": "warning", "check_failed": "warning", "checked": "fine", "checked_closed": "check", "imported": "paste", "warned": "bell",
}

// presentEntry puts an entry of the diary into words. One that a later version
// wrote is shown as such and not left out.
func presentEntry(c *text.Catalogue, e library.Entry, provider string, now time.Time) diaryRow {
	row := diaryRow{When: c.Moment(e.At, now), Icon: entryIcons[e.Event]}
	row.Words = entryWords(c, e, provider, now)
	return row
}

// entryArgs names what the sentence of an event is about.
var entryArgs = map[string]string{"signed_in": "n", "warned": "days", "renewed": "until", "renew_failed": "reason", "check_failed": "reason"}

func entryWords(c *text.Catalogue, e library.Entry, provider string, now time.Time) string {
	key := "diary." + e.Event
	name, has := entryArgs[e.Event]
	value := e.Args[name]
	switch {
	case !c.Has(key):
		return c.Say("account.entry_unknown", text.Args{"event": e.Event})
	case !has:
		return c.Say(key)
	case name == "until":
		if until, err := time.Parse(time.RFC3339, value); err == nil {
			return c.Say(key, text.Args{"date": c.Date(until.In(now.Location()))})
		}
	case name == "reason" && value != "":
		return c.Say(key, text.Args{"reason": reasonWords(c, value, provider)})
	default:
		// Nobody is warned of an end on the day itself: the token is refused.
		if n, err := strconv.Atoi(value); err == nil && (n > 0 || e.Event != "warned") {
			return c.Count(key, n)
		}
	}
	return c.Say(key + "_plain")
}

// reasonWords is a problem's headline by its key, without the full stop that it
// may have: it stands at the end of a sentence of ours.
func reasonWords(c *text.Catalogue, key, provider string) string {
	if !c.Has("problem." + key + ".title") {
		return key
	}
	return strings.TrimSuffix(c.Tell(problem.New(problem.Key(key), "provider", provider)).Title, ".")
}

// settingsModel is the storage panel.
type settingsModel struct {
	Rows []fact
	// Works is the notice of the last self-test.
	WorksLead, WorksLine string
	WorksTone            tone
	TestButton           string
	Session              bool
}

// selfTest is what the window knows of its last test of the keychain.
type selfTest struct {
	At      time.Time
	Running bool
	Problem *problem.Problem
}

// presentStorage renders "Where are my tokens?".
func presentStorage(c *text.Catalogue, st connect.Storage, test selfTest, now time.Time) settingsModel {
	if st.Place == "session" {
		lead := c.Tell(problem.New(problem.VaultAbsent)).Title
		if st.Problem != nil {
			lead = c.Tell(st.Problem).Title
		}
		return settingsModel{
			Session: true,
			Rows: []fact{
				{Name: c.Say("settings.tokens"), Value: c.Say("settings.session_tokens"), Line: c.Say("settings.session_note"), Icon: "key"},
				{Name: c.Say("settings.names"), Value: c.Say("settings.names_line"), Line: c.Say("settings.names_note"), Icon: "file"},
			},
			WorksLead: lead, WorksLine: c.Say("nokeychain.body"), WorksTone: toneWarning,
		}
	}
	program := programOf(c, st)
	m := settingsModel{
		Rows: []fact{
			{Name: c.Say("settings.tokens"), Value: program, Line: entriesLine(c, st), Icon: "key"},
			{Name: c.Say("settings.secrets"), Value: program, Line: secretsLine(c, st), Icon: "apps"},
			{Name: c.Say("settings.names"), Value: c.Say("settings.names_line"), Line: c.Say("settings.names_note"), Icon: "file"},
		},
		TestButton: c.Say("settings.test_again"),
	}
	switch {
	case test.Running:
		m.WorksLead, m.WorksTone = c.Say("settings.testing"), toneNeutral
	case test.Problem != nil:
		told := c.Tell(keptElsewhere(test.Problem))
		m.WorksLead, m.WorksLine, m.WorksTone = told.Title, told.Advice, toneError
	case test.At.IsZero():
		m.WorksLead, m.WorksTone, m.TestButton = c.Say("settings.not_tested"), toneNeutral, c.Say("settings.test")
	default:
		m.WorksLead, m.WorksTone = c.Say("settings.works", text.Args{"program": program}), toneFine
		m.WorksLine = c.Say("settings.tested_at", text.Args{"clock": c.Clock(test.At.In(now.Location()))})
	}
	return m
}

// entriesLine says how many tokens lie there; the part of the keychain is named
// where the keychain is there to tell it.
func entriesLine(c *text.Catalogue, st connect.Storage) string {
	switch {
	case st.Accounts == 0:
		return joined(st.Collection, c.Say("settings.entries_none"))
	case st.Collection == "":
		return c.Count("settings.entries_there", st.Accounts)
	}
	return c.Count("settings.entries", st.Accounts, text.Args{"collection": st.Collection})
}

// keptElsewhere is a problem of the self-test as it reads where tokens are kept
// in a keychain: one that is gone now has not become a window's memory.
func keptElsewhere(p *problem.Problem) *problem.Problem {
	if p.Key != problem.VaultAbsent {
		return p
	}
	switch p.Args["reason"] {
	case "silent", "gone", "no-collection": // these have words of their own
		return p
	}
	return problem.New(problem.VaultAbsent, "reason", "gone").Because(p)
}

func secretsLine(c *text.Catalogue, st connect.Storage) string {
	var parts []string
	if st.SecretsKept > 0 {
		parts = append(parts, c.Count("settings.secrets_kept", st.SecretsKept))
	}
	if st.SecretsForgotten == 0 && st.SecretsKept == 0 {
		return c.Say("settings.secrets_none")
	}
	if st.SecretsForgotten > 0 {
		parts = append(parts, c.Count("settings.secrets_forgotten", st.SecretsForgotten))
	}
	return strings.Join(parts, ", ")
}

// programOf names what keeps the secrets, also where it did not say.
func programOf(c *text.Catalogue, st connect.Storage) string {
	if st.Program != "" {
		return st.Program
	}
	return c.Say("vault.keychain")
}

// railFoot says where tokens are kept, at the foot of the rail.
func railFoot(c *text.Catalogue, st connect.Storage, test selfTest, now time.Time) (lead, line string, t tone) {
	switch {
	case st.Place == "session":
		return c.Say("settings.session_tokens"), c.Say("rail.session"), toneWarning
	case test.Problem != nil:
		return programOf(c, st), c.Tell(keptElsewhere(test.Problem)).Title, toneError
	case st.Locked:
		return programOf(c, st), c.Say("rail.keyring_locked"), toneWarning
	case test.At.IsZero():
		return programOf(c, st), c.Say("rail.not_tested"), toneNeutral
	}
	// Within a sentence the day of today is no beginning.
	today := c.Say("date.today")
	moment := strings.Replace(c.Moment(test.At, now), today, strings.ToLower(today), 1)
	return programOf(c, st), c.Say("rail.tested", text.Args{"moment": moment}), toneFine
}
