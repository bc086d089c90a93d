package ui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// hint is a line under a field: quiet, to look at, or wrong.
type hint struct {
	Words string
	Tone  tone
}

// clientIDHint reads the app ID while it is typed. Nothing is said about a
// field that is empty and was not left yet.
func clientIDHint(c *text.Catalogue, typed string, left bool) hint {
	trimmed := strings.TrimSpace(typed)
	switch {
	case trimmed == "" && !left:
		return hint{}
	case trimmed == "":
		return hint{c.Tell(problem.New(problem.FieldEmpty)).Title, toneError}
	case looksLikeSecret(trimmed):
		return hint{c.Tell(problem.New(problem.ClientIDIsSecret)).Title, toneError}
	case strings.IndexFunc(trimmed, func(r rune) bool { return !unicode.IsDigit(r) }) >= 0:
		return hint{c.Tell(problem.New(problem.ClientIDLetters)).Title, toneError}
	case trimmed != typed:
		return hint{c.Say("connect.app.spaces_removed"), toneNeutral}
	}
	return hint{}
}

// idHint is clientIDHint for the ID of d: only Meta's are digits.
func idHint(c *text.Catalogue, d provider.Definition, typed string, left bool) hint {
	h := clientIDHint(c, typed, left)
	if trimmed := strings.TrimSpace(typed); d.Meta() || trimmed == "" {
		return h
	} else if trimmed != typed {
		return hint{c.Say("connect.app.spaces_removed"), toneNeutral}
	}
	return hint{}
}

// askedHint is what stands under the ID after the provider was asked about it.
func askedHint(c *text.Catalogue, d provider.Definition, p *problem.Problem) string {
	switch p.Key {
	case problem.AppIDIsFacebook:
		return c.Say("connect.app.hint_facebook", text.Args{"provider": d.Name})
	case problem.AppIDUnknown:
		return c.Say("connect.app.hint_unknown")
	}
	return ""
}

// carded are the services with a card of their own, in its order.
var carded = []string{"instagram", "threads", "instagram-facebook"}

// otherServices are all that can be connected to besides: a person's own, and
// in practice those of the past and the general one.
func otherServices(all []provider.Definition) []provider.Definition {
	var out []provider.Definition
	for _, d := range all {
		err := d.Usable()
		if !slices.Contains(carded, d.ID) && (err == nil || problem.Has(err, problem.DefinitionHosts)) {
			out = append(out, d)
		}
	}
	return out
}

// secretOptional reports whether a client without a secret may sign in.
func secretOptional(d provider.Definition) bool {
	return d.Exchange.Public || d.ID != "" && !d.Exchange.Secret && d.Exchange.Auth == ""
}

// appModel is what Connect 1 says for one service.
type appModel struct {
	// Card and Line are its choice.
	Card, Line string
	ID, Secret string
	// Forget is why the secret is forgotten, or had better not be.
	Forget       string
	RedirectHint string
	Places       string
	CheckFoot    string
	// Config: there is a field for a configuration's ID.
	Config bool
	// Ended explains a service that was switched off.
	Ended string
}

// presentApp renders Connect 1 for d; the zero Definition is a service that is
// still to be described.
func presentApp(c *text.Catalogue, d provider.Definition, program string) appModel {
	if d.ID == "" {
		return appModel{}
	}
	args := text.Args{"provider": d.Name, "program": program}
	m := appModel{
		Card: d.Name, Config: d.Authorize.ConfigParam != "",
		Forget: c.Say("connect.app.forget_renews"), Places: c.Say("connect.app.places_of", args),
		CheckFoot: c.Say("connect.app.check_foot"),
	}
	if d.Preflight {
		m.CheckFoot = c.Say("connect.app.check_foot_asks", args)
	}
	if d.Renew.Empty() {
		m.Forget = c.Say("connect.app.forget_never_renews", args)
	} else if d.Renew.Secret {
		m.Forget = c.Say("connect.app.forget_line")
	}
	stem := "connect.road." + d.ID + "."
	if c.Has(stem + "card") {
		m.Card, m.Line, m.RedirectHint = c.Say(stem+"card"), c.Say(stem+"line"), c.Say(stem+"hint")
		owner := text.Args{"provider": c.Say(stem + "owner")}
		m.ID, m.Secret = c.Say("connect.app.client_id", owner), c.Say("connect.app.client_secret", owner)
	} else {
		m.ID, m.Secret, m.RedirectHint = c.Say("connect.service.client_id"), c.Say("connect.service.client_secret"), c.Say("connect.service.hint")
		if d.Meta() {
			owner := text.Args{"provider": d.Name}
			m.ID, m.Secret = c.Say("connect.app.client_id", owner), c.Say("connect.app.client_secret", owner)
		}
	}
	if d.Status == "retired" {
		m.Ended = c.Say("connect.app.ended", text.Args{"provider": d.Name, "retired": d.Retired})
		if retired, err := time.Parse(time.DateOnly, d.Retired); err == nil {
			m.Ended = c.Say("connect.app.ended", text.Args{"provider": d.Name, "retired": c.Date(retired)})
		}
	}
	return m
}

// looksLikeSecret tells a Meta app secret from an ID: 32 hexadecimal
// characters with a letter among them (providers.md 8).
func looksLikeSecret(s string) bool {
	letters := false
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'f':
			letters = true
		case r < '0' || r > '9':
			return false
		}
	}
	return letters && len(s) == 32
}

// checkLine is one line of "Check my setup".
type checkLine struct {
	Title, Line string
	Tone        tone // toneNeutral marks what only the person can check
}

func presentLine(c *text.Catalogue, l connect.Line, program string) checkLine {
	args := text.Args{"program": program}
	for k, v := range l.Args {
		args[k] = v
	}
	tone := toneWarning
	switch l.Level {
	case connect.Fine:
		tone = toneFine
	case connect.Yours:
		tone = toneNeutral
	}
	if !l.Own() {
		told := c.Tell(l.Problem)
		return checkLine{told.Title, told.Advice, tone}
	}
	title, detail := l.Keys()
	if n, ok := l.Counts(); ok {
		return checkLine{c.Count(title, n, args), c.Count(detail, n, args), tone}
	}
	return checkLine{c.Say(title, args), c.Say(detail, args), tone}
}

// checkSummary is "4 fine, 1 to look at, 1 only you can check".
func checkSummary(c *text.Catalogue, lines []checkLine) string {
	var counts [3]int
	for _, l := range lines {
		switch l.Tone {
		case toneFine:
			counts[0]++
		case toneWarning:
			counts[1]++
		default:
			counts[2]++
		}
	}
	var parts []string
	for i, key := range []string{"connect.app.fine", "connect.app.look", "connect.app.yours"} {
		if counts[i] > 0 {
			parts = append(parts, c.Count(key, counts[i]))
		}
	}
	return strings.Join(parts, ", ")
}

// goOn is the footer's sentence while lines ask for a look; empty without any.
func goOn(c *text.Catalogue, lines []checkLine) string {
	for _, l := range lines {
		if l.Tone == toneWarning {
			return c.Say("connect.app.go_on", text.Args{"line": l.Title})
		}
	}
	return ""
}

// scopeGroup is a heading with its permissions.
type scopeGroup struct {
	Title, Icon string
	Rows        []scopeRow
}

type scopeRow struct {
	Name, Title, Line string
	Locked, Ticked    bool
}

// presetRow is a task to start from; Own is the person's own choice.
type presetRow struct {
	Title, Line string
	Scopes      []string
	Chosen, Own bool
}

// scopesModel is Connect 2.
type scopesModel struct {
	Head    string
	Groups  []scopeGroup
	Presets []presetRow
	Ask     string
}

// presentScopes renders the permissions with what is ticked. The chosen task
// is the one whose permissions are exactly the ticked ones.
func presentScopes(c *text.Catalogue, d provider.Definition, ticked map[string]bool) scopesModel {
	m := scopesModel{Head: c.Say("scope.choose.head", text.Args{"provider": d.Name})}
	n, all := 0, 0
	for _, s := range d.Scopes {
		if !s.Offered() {
			continue
		}
		all++
		row := scopeRow{Name: s.Name, Title: s.Name, Locked: s.Required, Ticked: s.Required || ticked[s.Name]}
		if s.Label != "" {
			row.Title, row.Line = c.Say(s.Label+".title"), c.Say(s.Label+".line")
		}
		if row.Ticked {
			n++
		}
		title := c.Say("connect.scopes.others")
		if s.Task != "" {
			title = c.Say("scope.task." + s.Task)
		}
		if len(m.Groups) == 0 || m.Groups[len(m.Groups)-1].Title != title {
			m.Groups = append(m.Groups, scopeGroup{Title: title, Icon: s.Task})
		}
		last := &m.Groups[len(m.Groups)-1]
		last.Rows = append(last.Rows, row)
	}
	own := true
	for _, p := range d.Presets {
		chosen := samePermissions(d, p.Scopes, ticked)
		own = own && !chosen
		m.Presets = append(m.Presets, presetRow{Title: c.Say("scope.preset." + p.Name), Line: c.Count("connect.scopes.count", len(withRequired(d, p.Scopes))), Scopes: p.Scopes, Chosen: chosen})
	}
	m.Presets = append(m.Presets, presetRow{Title: c.Say("scope.preset.own"), Line: c.Say("connect.scopes.any"), Chosen: own, Own: true})
	m.Ask = c.Say("scope.choose.asked", text.Args{"n": n, "total": all})
	return m
}

func withRequired(d provider.Definition, scopes []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range scopes {
		set[s] = true
	}
	for _, s := range d.Scopes {
		if s.Required {
			set[s.Name] = true
		}
	}
	return set
}

func samePermissions(d provider.Definition, scopes []string, ticked map[string]bool) bool {
	want := withRequired(d, scopes)
	for _, s := range d.Scopes {
		if s.Offered() && want[s.Name] != (s.Required || ticked[s.Name]) {
			return false
		}
	}
	return true
}

// waitStep is one of the three steps of waiting.
type waitStep struct {
	Title, Line string
	Done, Now   bool
	Tone        tone
}

// waitModel is Connect 3.
type waitModel struct {
	Title, Body string
	Left        string
	More        bool // "Give me 10 more minutes" is offered
	Steps       []waitStep
	Link        string // shortened, without its secret part
	CanCancel   bool
	CancelNote  string
	Refused     *hint
	Knocking    string
	Waiting     bool // answers are still taken: paste, link, browser
}

// presentWait renders a sign-in under way.
func presentWait(c *text.Catalogue, st connect.State, browserName, program string, now time.Time) waitModel {
	host := ""
	if u, err := url.Parse(st.RedirectURI); err == nil {
		host = u.Hostname()
	}
	args := text.Args{"provider": st.Provider, "host": host, "browser": browserName, "program": program}
	m := waitModel{
		Title: c.Say("connect.wait.title"), Body: c.Say("connect.wait.body"), CanCancel: st.Cancellable(),
		CancelNote: c.Say("connect.wait.nothing_saved", args), Waiting: st.Step == connect.Waiting,
	}
	if !m.CanCancel {
		m.CancelNote = c.Say("connect.wait.finishing")
		m.Title, m.Body = c.Say("connect.wait.finishing"), c.Say("connect.wait.arrived", args)
	}
	if st.Step == connect.Checking || st.Step == connect.Listening {
		m.Title, m.Body = c.Say("connect.wait.preparing"), ""
	}
	if st.VaultWaits {
		m.Body = c.Say("connect.wait.preparing_vault")
	}
	if m.Waiting {
		m.Left = c.Say("connect.wait.left", text.Args{"clock": clockLeft(st.Deadline, now)})
		m.More = st.Deadline.Sub(now) <= time.Minute
		m.Link = st.AuthorizeHost + "/…"
		if !st.Listens {
			m.Body = c.Say("connect.wait.body_paste")
		}
	}
	m.Steps = waitSteps(c, st, args)
	if st.Refused != nil {
		told := c.Tell(st.Refused)
		m.Refused = &hint{sentence(told.Title) + " " + told.Advice, toneError}
	}
	if st.Strangers >= 20 {
		m.Knocking = c.Say("connect.wait.knocking", text.Args{"n": st.Strangers})
	} else if st.Strangers > 0 {
		m.Knocking = c.Say("connect.wait.stranger")
	}
	return m
}

// sentence ends a headline that has no stop of its own.
func sentence(words string) string {
	if words == "" || strings.ContainsAny(words[len(words)-1:], ".?!") || strings.HasSuffix(words, "…") {
		return words
	}
	return words + "."
}

func waitSteps(c *text.Catalogue, st connect.State, args text.Args) []waitStep {
	opened := waitStep{Title: c.Say("connect.wait.opened"), Tone: toneFine}
	if args["browser"] != "" {
		opened.Line = c.Say("connect.wait.opened_line", args, text.Args{"host": st.AuthorizeHost})
	} else {
		opened.Line = c.Say("connect.wait.opened_line_plain", text.Args{"host": st.AuthorizeHost})
	}
	if st.BrowserProblem != nil {
		opened.Title, opened.Line, opened.Tone = c.Say("connect.wait.not_opened"), c.Say("connect.wait.not_opened_line"), toneWarning
	}
	allow := waitStep{Title: c.Say("connect.wait.allow"), Line: c.Say("connect.wait.allow_line"), Tone: tonePrimary}
	back := waitStep{Title: c.Say("connect.wait.back", args), Tone: tonePrimary}
	switch {
	case !st.Listens:
		back.Line = c.Say("connect.wait.back_line_paste")
	case strings.HasPrefix(st.RedirectURI, "https:"):
		back.Line = c.Say("connect.wait.back_line", args)
	default:
		back.Line = c.Say("connect.wait.back_line_plain")
	}
	switch st.Step {
	case connect.Checking, connect.Listening:
		opened.Now, opened.Line = true, ""
	case connect.Waiting:
		opened.Done, allow.Now = st.BrowserProblem == nil, true
	default:
		opened.Done, allow.Done, back.Now = true, true, true
		back.Line = ""
		switch st.Step {
		case connect.Identifying:
			back.Title = c.Say("connect.wait.identifying")
		case connect.Saving:
			back.Title = c.Say("connect.wait.saving", args)
		default:
			back.Title = c.Say("connect.wait.getting")
		}
	}
	return []waitStep{opened, allow, back}
}

// fact is a row of the result: what, the value, and a quiet line.
type fact struct{ Name, Value, Line, Icon string }

// permission is a row of "What it may do".
type permission struct {
	Title, Line string
	Allowed     bool
}

// fineModel is the result screen of a sign-in that worked.
type fineModel struct {
	Title, Under string
	Initials     string
	Facts        []fact
	Permissions  []permission
	Missing      bool
	MissingWords string
	Diary        string
	// Notices stand on top: what did not go as it should.
	Notices []text.Told
	Actions [][]problem.Action
}

// fineTitle says who is connected.
func fineTitle(c *text.Catalogue, st connect.State) string {
	if len(st.Accounts) > 1 {
		return c.Count("connect.fine.several", len(st.Accounts))
	}
	return c.Say("connect.fine.title", text.Args{"username": st.Account.Username})
}

// presentFine renders the result of st, which is Connected.
func presentFine(c *text.Catalogue, st connect.State, d provider.Definition, program string, now time.Time) fineModel {
	a := *st.Account
	posts := ""
	if a.Posts >= 0 {
		posts = c.Count("connect.fine.posts", a.Posts)
	}
	m := fineModel{
		Title: fineTitle(c, st),
		Under: joined(a.ProviderName, kindOf(c, a, false), posts),
		Diary: c.Say("connect.fine.diary", text.Args{"clock": c.Clock(now)}),
	}
	m.Facts = []fact{validFact(c, a, now), savedFact(c, a, program), secretFact(c, st, program)}
	m.Permissions, m.Missing = presentPermissions(c, a, d)
	if m.Missing {
		m.MissingWords = missingWords(c, m.Permissions)
	}
	for _, p := range st.Notices {
		m.Notices = append(m.Notices, c.Tell(p))
		m.Actions = append(m.Actions, p.Actions())
	}
	return m
}

// missingWords names the permission that was left out, if it is one alone.
func missingWords(c *text.Catalogue, rows []permission) string {
	left := ""
	for _, row := range rows {
		if row.Allowed {
			continue
		}
		if left != "" {
			return c.Say("connect.fine.missing")
		}
		left = row.Title
	}
	return c.Say("connect.fine.missing_lead", text.Args{"permission": left}) + " " + c.Say("connect.fine.missing_line")
}

func validFact(c *text.Catalogue, a connect.Account, now time.Time) fact {
	f := fact{Name: c.Say("connect.fine.valid"), Icon: "calendar", Line: c.Say("connect.fine.sign_again")}
	switch {
	case a.Refreshes:
		f.Line = c.Say("connect.fine.refreshed", text.Args{"provider": a.ProviderName})
	case a.Renews && a.DueAt != nil:
		f.Line = c.Say("connect.fine.renewed_around", text.Args{"date": c.ShortDate(a.DueAt.In(now.Location()))})
	case a.Lifetime == connect.Long && !a.Renews:
		f.Line = c.Say("connect.fine.never_renews", text.Args{"provider": a.ProviderName})
	}
	end := endOf(a).In(now.Location())
	switch {
	case endOf(a).IsZero():
		f.Value, f.Line = c.Say("connect.fine.valid_unknown", text.Args{"provider": a.ProviderName}), ""
	case a.Lifetime == connect.Short:
		f.Value = c.Say("connect.fine.valid_hour", text.Args{"clock": c.Clock(end)})
	case a.Refreshes && end.Sub(now) <= 24*time.Hour:
		// Hours are not counted in days; it is renewed many times a day.
		f.Value = c.Say("connect.fine.valid_clock", text.Args{"date": c.Date(end), "clock": c.Clock(end)})
	case a.ExpiresEstimated:
		f.Value = c.Say("connect.fine.valid_estimated", text.Args{"date": c.Date(end)})
	default:
		f.Value = c.Say("connect.fine.valid_line", text.Args{"date": c.Date(end), "days": connect.DaysLeft(end, now)})
	}
	return f
}

func savedFact(c *text.Catalogue, a connect.Account, program string) fact {
	f := fact{Name: c.Say("connect.fine.saved"), Icon: "lock"}
	if a.Vault == "session" {
		f.Value, f.Line = c.Say("connect.fine.saved_session"), c.Say("connect.fine.saved_session_line")
		return f
	}
	f.Value, f.Line = c.Say("connect.fine.saved_line", text.Args{"program": program}), c.Say("connect.fine.saved_proof")
	return f
}

func secretFact(c *text.Catalogue, st connect.State, program string) fact {
	f := fact{Name: c.Say("connect.fine.secret"), Icon: "key", Line: c.Say("connect.fine.secret_line")}
	if st.SecretKept {
		f.Value = c.Say("connect.fine.secret_kept", text.Args{"program": program})
	} else {
		f.Value = c.Say("connect.fine.secret_forgotten")
	}
	return f
}

// presentPermissions compares asked with granted; more than was asked is shown
// too, since an earlier sign-in may have left it (providers.md 2.5).
func presentPermissions(c *text.Catalogue, a connect.Account, d provider.Definition) ([]permission, bool) {
	granted := map[string]bool{}
	for _, g := range a.GrantedScopes {
		granted[g] = true
	}
	var rows []permission
	seen, short := map[string]bool{}, false
	for _, name := range append(append([]string{}, a.ScopesAsked...), a.GrantedScopes...) {
		if seen[name] {
			continue
		}
		seen[name] = true
		p := permission{Title: name, Allowed: granted[name]}
		if s, ok := d.Scope(name); ok && s.Label != "" {
			p.Title = c.Say(s.Label + ".title")
		}
		switch {
		case len(a.GrantedScopes) == 0:
			p.Line = c.Say("account.may_unknown", text.Args{"provider": a.ProviderName})
		case p.Allowed:
			p.Line = c.Say("account.allowed")
		default:
			p.Line, short = c.Say("account.left_out"), true
		}
		rows = append(rows, p)
	}
	return rows, short
}

// problemModel is the result screen of a sign-in that did not work.
type problemModel struct {
	Title, Unchanged, Happened, Advice string
	// Neutral: the person chose this; it is not an error.
	Neutral bool
	Said    string
	// Here is the address that was used, where the problem is that the
	// dashboard has another; that one only the person can see.
	Here    string
	Actions []problem.Action
	Details string
	// Steps are the advice in steps, where there are some.
	Steps []string
}

// presentProblem renders st, which is Failed.
func presentProblem(c *text.Catalogue, st connect.State, clientID string, now time.Time) problemModel {
	p := st.Problem
	told := c.Tell(p)
	m := problemModel{
		Title: told.Title, Happened: told.Happened, Advice: told.Advice, Unchanged: c.Say("connect.problem.unchanged"),
		Neutral: p.Kind == problem.Cancelled, Said: p.Provider, Actions: p.Actions(),
	}
	if st.Held {
		m.Unchanged = c.Say("connect.problem.held")
	}
	if p.Key == problem.RedirectMismatch || p.Key == problem.RedirectUnknown {
		m.Here = st.RedirectURI
	}
	for n := 1; n <= 5; n++ {
		step := "connect.steps." + string(p.Key) + ".do" + strconv.Itoa(n)
		if !c.Has(step) {
			break
		}
		m.Steps = append(m.Steps, c.Say(step, text.Args{"provider": st.Provider, "address": st.RedirectURI}))
	}
	m.Details = strings.Join(append(details(st, clientID, now), told.Title), "\n")
	return m
}

// compare says how the address in the dashboard differs from the one used here.
// Spaces around it are a copy's, not the dashboard's.
func compare(c *text.Catalogue, here, there string) hint {
	there = strings.TrimSpace(there)
	switch {
	case there == "":
		return hint{c.Say("connect.problem.both"), toneNeutral}
	case there == here:
		return hint{c.Say("connect.problem.same"), toneFine}
	case there+"/" == here:
		return hint{c.Say("connect.problem.slash_short"), toneWarning}
	case there == here+"/":
		return hint{c.Say("connect.problem.slash_long"), toneWarning}
	}
	a, b, n := []rune(here), []rune(there), 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	args := text.Args{"n": n + 1, "here": beginning(a[n:]), "there": beginning(b[n:])}
	switch {
	case n == len(b):
		return hint{c.Say("connect.problem.differ_short", args), toneWarning}
	case n == len(a):
		return hint{c.Say("connect.problem.differ_long", args), toneWarning}
	}
	return hint{c.Say("connect.problem.differ_at", args), toneWarning}
}

// beginning is as much of an address as a hint has room for.
func beginning(rest []rune) string {
	if len(rest) > 12 {
		return string(rest[:12]) + "…"
	}
	return string(rest)
}

// details is what "Copy details" gives: enough for support, and nothing that
// opens anything. Everything in it is ours or was cleaned.
func details(st connect.State, clientID string, now time.Time) []string {
	p := st.Problem
	lines := []string{"tokenkeep " + now.UTC().Format(time.RFC3339), "problem " + string(p.Kind) + " " + string(p.Key), "provider " + st.Provider}
	if p.Provider != "" {
		lines = append(lines, "said "+p.Provider)
	}
	if n := len(clientID); n > 4 {
		lines = append(lines, "app id ends in "+clientID[n-4:])
	}
	if u, err := url.Parse(st.RedirectURI); err == nil && u.Host != "" {
		lines = append(lines, "redirect "+u.Scheme+"://"+u.Host+u.Path)
	}
	return lines
}
