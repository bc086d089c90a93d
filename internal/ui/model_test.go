package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("here", 3600))

func instagram(t *testing.T) provider.Definition {
	t.Helper()
	registry, issues := provider.Load(t.TempDir())
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	d, err := registry.Get("instagram")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func accountLeft(name string, left time.Duration, status connect.Status) connect.Account {
	end := noon.Add(left)
	issued := end.Add(-60 * 24 * time.Hour)
	return connect.Account{ID: "id" + name, Username: name, Provider: "instagram", ProviderName: "Instagram", Status: status, Lifetime: connect.Long, IssuedAt: &issued, ExpiresAt: &end, Kind: "BUSINESS", Vault: "keychain", Posts: -1}
}

const aDay = 24 * time.Hour

func TestChipAndLifeOfEveryStatus(t *testing.T) {
	hour := accountLeft("h", 52*time.Minute, connect.ExpiresSoon)
	hour.Lifetime = connect.Short
	unknown := accountLeft("u", 0, connect.Healthy)
	unknown.ExpiresAt, unknown.IssuedAt = nil, nil
	changed := accountLeft("p", 30*aDay, connect.NeedsSignIn)
	changed.Reason = string(problem.PasswordChanged)
	c := text.For("en")
	for _, row := range []struct {
		a          connect.Account
		chip, life string
		tone       tone
	}{
		{accountLeft("a", 52*aDay, connect.Healthy), "Healthy", "52 of 60 days left", toneFine},
		{accountLeft("b", 23*aDay, connect.RenewsSoon), "Renews in 3 days", "23 of 60 days left", tonePrimary},
		{accountLeft("c", 20*aDay, connect.RenewsSoon), "Renews today", "20 of 60 days left", tonePrimary},
		{accountLeft("d", 5*aDay, connect.ExpiresSoon), "Expires in 5 days", "5 of 60 days left", toneWarning},
		{accountLeft("e", 5*time.Hour, connect.ExpiresSoon), "Expires in 5 hours", "1 of 60 days left", toneWarning},
		{hour, "Ends in 52 minutes", "A one-hour token", toneWarning},
		{accountLeft("f", -20*aDay, connect.Expired), "Expired", "Ended on 2 Nov", toneNeutral},
		{changed, "Needs sign-in", "Password changed", toneError},
		{unknown, "Healthy", "End not known yet", toneFine},
	} {
		chip, life := chipOf(c, row.a, noon), lifeOf(c, row.a, noon)
		if chip.Words != row.chip || chip.Tone != row.tone || life.Words != row.life || chip.Icon == "" {
			t.Errorf("%s: chip %+v, life %q; want %q, %q", row.a.Username, chip, life.Words, row.chip, row.life)
		}
		if life.Share < 0 || life.Share > 1 {
			t.Errorf("%s: share %v", row.a.Username, life.Share)
		}
	}
}

func TestTheListFiltersSearchesSortsAndSums(t *testing.T) {
	accounts := []connect.Account{accountLeft("tiny.garden", 52*aDay, connect.Healthy), accountLeft("rosa", 30*aDay, connect.NeedsSignIn), accountLeft("cedar", 5*aDay, connect.ExpiresSoon), accountLeft("old.mill", -aDay, connect.Expired)}
	names := func(m accountsModel) string {
		var out []string
		for _, r := range m.Rows {
			out = append(out, r.Username)
		}
		return strings.Join(out, " ")
	}
	c := text.For("en")
	for _, row := range []struct {
		name string
		form accountsForm
		want string
	}{
		{"needs you first", accountsForm{}, "@rosa @old.mill @cedar @tiny.garden"},
		{"by name", accountsForm{Order: orderName}, "@cedar @old.mill @rosa @tiny.garden"},
		{"by days", accountsForm{Order: orderDays}, "@old.mill @cedar @rosa @tiny.garden"},
		{"need you", accountsForm{Filter: filterNeed}, "@rosa @old.mill"},
		{"soon", accountsForm{Filter: filterSoon}, "@cedar"},
		{"healthy", accountsForm{Filter: filterHealthy}, "@tiny.garden"},
		{"search", accountsForm{Search: " @GARD"}, "@tiny.garden"},
		{"no match", accountsForm{Search: "harbor"}, ""},
	} {
		m := presentAccounts(c, accounts, row.form, noon)
		if got := names(m); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if (row.want == "") != (m.EmptyTitle != "") {
			t.Errorf("%s: empty title %q", row.name, m.EmptyTitle)
		}
	}
	m := presentAccounts(c, accounts, accountsForm{}, noon)
	var parts []string
	for _, p := range m.Parts {
		parts = append(parts, p.Words)
	}
	if got := strings.Join(parts, ", "); got != "4 accounts, 1 healthy, 1 expires soon, 2 need you" || m.Need != 2 || m.AllWell != "" {
		t.Errorf("summary %q, need %d", got, m.Need)
	}
	if well := presentAccounts(c, accounts[:1], accountsForm{}, noon); well.AllWell != "Everything is healthy. Nothing to do." || len(well.Parts) != 2 {
		t.Errorf("all well: %+v", well)
	}
	if none := presentAccounts(c, accounts[:1], accountsForm{Filter: filterNeed}, noon); none.EmptyTitle != "None here. Good." {
		t.Errorf("none: %q", none.EmptyTitle)
	}
	if lines := strings.Count(overview(m), "\n"); lines != 4 || !strings.Contains(overview(m), "rosa, Instagram, Needs sign-in") {
		t.Errorf("overview %q", overview(m))
	}
}

func TestClientIDHintWhileTyping(t *testing.T) {
	c := text.For("en")
	for _, row := range []struct {
		typed string
		left  bool
		tone  tone
		empty bool
	}{
		{"", false, toneNeutral, true}, {"", true, toneError, false}, {"990602627938098", true, toneNeutral, true},
		{"99060a", false, toneError, false}, {" 990602627938098", false, toneNeutral, false}, {"0ddba11c0ffee0ddba11c0ffee0ddba1", false, toneError, false},
	} {
		if h := clientIDHint(c, row.typed, row.left); h.Tone != row.tone || (h.Words == "") != row.empty {
			t.Errorf("%q left=%v: %+v", row.typed, row.left, h)
		}
	}
	if id, sec := clientIDHint(c, "99x", true), clientIDHint(c, "0ddba11c0ffee0ddba11c0ffee0ddba1", true); id.Words == sec.Words {
		t.Error("a secret in the ID field has its own sentence")
	}
}

func TestScopesPresetsFollowTheTicks(t *testing.T) {
	c, d := text.For("en"), instagram(t)
	m := presentScopes(c, d, map[string]bool{})
	if m.Ask != "You ask for 1 of 5" || len(m.Groups) != 4 || !m.Groups[0].Rows[0].Locked || !m.Groups[0].Rows[0].Ticked {
		t.Errorf("%+v", m)
	}
	for _, p := range m.Presets[:len(m.Presets)-1] {
		chosen := presentScopes(c, d, withRequired(d, p.Scopes))
		n := 0
		for _, q := range chosen.Presets {
			if q.Chosen {
				n++
				if q.Title != p.Title {
					t.Errorf("ticking the boxes of %q chooses %q", p.Title, q.Title)
				}
			}
		}
		if n != 1 {
			t.Errorf("%q: %d tasks chosen", p.Title, n)
		}
	}
	own := presentScopes(c, d, map[string]bool{"instagram_business_manage_messages": true})
	if last := own.Presets[len(own.Presets)-1]; !last.Own || !last.Chosen {
		t.Errorf("another set is one's own choice: %+v", own.Presets)
	}
	for _, g := range m.Groups {
		for _, r := range g.Rows {
			if strings.Contains(g.Title+r.Title+r.Line, "⟦") {
				t.Errorf("%s lacks words: %q %q %q", r.Name, g.Title, r.Title, r.Line)
			}
		}
	}
}

func TestWaitingShowsEveryStep(t *testing.T) {
	c := text.For("en")
	base := connect.State{Provider: "Instagram", RedirectURI: "https://localhost:8919/", AuthorizeURL: secret.New("https://www.instagram.com/oauth/authorize?state=canarystate"), AuthorizeHost: "www.instagram.com", Deadline: noon.Add(9*time.Minute + 42*time.Second), Listens: true}
	at := func(step connect.Step) connect.State { st := base; st.Step = step; return st }
	m := presentWait(c, at(connect.Waiting), "Firefox", "GNOME Keyring", noon)
	if m.Left != "9:42 left" || m.More || !m.CanCancel || !m.Waiting || m.Steps[0].Line != "Firefox, at www.instagram.com" || !m.Steps[0].Done || !m.Steps[1].Now || strings.Contains(m.Link, "canary") {
		t.Errorf("%+v", m)
	}
	if m := presentWait(c, at(connect.Waiting), "Firefox", "", noon.Add(9*time.Minute)); m.Left != "0:42 left" || !m.More {
		t.Errorf("last minute: %+v", m)
	}
	titles := map[connect.Step]string{connect.Exchanging: "Getting the 60-day token", connect.Extending: "Getting the 60-day token", connect.Identifying: "Asking whose token it is", connect.Saving: "Saving it in GNOME Keyring"}
	for step, title := range titles {
		if m := presentWait(c, at(step), "", "GNOME Keyring", noon); m.Steps[2].Title != title || m.CanCancel || m.CancelNote != "Finishing, one moment" {
			t.Errorf("%s: %+v", step, m)
		}
	}
	failed := at(connect.Waiting)
	failed.BrowserProblem = problem.New(problem.BrowserFailed)
	if m := presentWait(c, failed, "", "", noon); m.Steps[0].Tone != toneWarning || m.Steps[0].Done {
		t.Errorf("no browser: %+v", m.Steps[0])
	}
	stranger := at(connect.Waiting)
	stranger.Strangers, stranger.Refused = 1, problem.New(problem.AnswerForeign)
	one := presentWait(c, stranger, "", "", noon)
	stranger.Strangers = 20
	if many := presentWait(c, stranger, "", "", noon); one.Knocking == "" || one.Refused == nil || one.Knocking == many.Knocking || !strings.Contains(many.Knocking, "20") {
		t.Errorf("strangers: %q, %q", one.Knocking, many.Knocking)
	}
	noListener := at(connect.Waiting)
	noListener.Listens = false
	if m := presentWait(c, noListener, "", "", noon); m.Steps[2].Line != c.Say("connect.wait.back_line_paste") {
		t.Errorf("paste only: %+v", m.Steps[2])
	}
}

func TestTheFineResultSaysWhatIsTrue(t *testing.T) {
	c, d := text.For("en"), instagram(t)
	a := accountLeft("lantern.books", 60*aDay, connect.Healthy)
	a.Kind, a.Posts = "MEDIA_CREATOR", 412
	a.ScopesAsked = []string{"instagram_business_basic", "instagram_business_manage_insights"}
	a.GrantedScopes = []string{"instagram_business_basic"}
	m := presentFine(c, connect.State{Step: connect.Connected, Provider: "Instagram", Account: &a}, d, "GNOME Keyring", noon)
	if m.Title != "@lantern.books is connected" || m.Under != "Instagram · Creator account · 412 posts" {
		t.Errorf("%q, %q", m.Title, m.Under)
	}
	if m.Facts[0].Value != "**21 January 2027**, 60 days from today" || m.Facts[1].Line != "Read back and compared: the same" || m.Facts[2].Value != "Forgotten, as you asked" {
		t.Errorf("%+v", m.Facts)
	}
	if !m.Missing || len(m.Permissions) != 2 || !m.Permissions[0].Allowed || m.Permissions[1].Allowed {
		t.Errorf("%+v", m.Permissions)
	}
	session := a
	session.Vault = "session"
	if m := presentFine(c, connect.State{Account: &session, Notices: []*problem.Problem{problem.New(problem.ExtendRefused)}}, d, "", noon); m.Facts[1].Value != "Held until you close Tokenkeep" || len(m.Notices) != 1 {
		t.Errorf("session: %+v", m)
	}
}

func TestEveryProblemCanBeShown(t *testing.T) {
	for _, lang := range text.Languages() {
		c := text.For(lang)
		for _, entry := range problem.Table() {
			p := problem.New(entry.Key).Said("They said IGAA")
			m := presentProblem(c, connect.State{Step: connect.Failed, Provider: "Instagram", RedirectURI: "https://localhost:8919/?code=canary&state=canary", Problem: p}, "990602627938098", noon)
			if m.Title == "" || m.Happened == "" || m.Advice == "" || strings.Contains(m.Title+m.Happened+m.Advice, "⟦") {
				t.Errorf("%s in %s: %+v", entry.Key, lang, m)
			}
			if strings.Contains(m.Details, "canary") || !strings.Contains(m.Details, "8098") || strings.Contains(m.Details, "990602627938098") {
				t.Errorf("details: %q", m.Details)
			}
			if m.Neutral != (entry.Kind == problem.Cancelled) {
				t.Errorf("%s: neutral %v", entry.Key, m.Neutral)
			}
		}
	}
}

func TestOneAccount(t *testing.T) {
	c, d := text.For("en"), instagram(t)
	a := accountLeft("northlight.studio", 41*aDay, connect.Healthy)
	after := a.IssuedAt.Add(aDay)
	a.RenewAfter = &after
	entries := []library.Entry{{At: noon.Add(-80 * time.Minute), Event: "copied"}, {At: *a.IssuedAt, Event: "signed_in", Args: map[string]string{"n": "2"}}}
	m := presentAccount(c, a, entries, d, noon)
	if m.Under != "Instagram · Business account · signed in since 3 Nov" || m.TokenLine != "Lasts 60 days · Instagram" || m.Notice != nil {
		t.Errorf("%q, %q, %v", m.Under, m.TokenLine, m.Notice)
	}
	if len(m.Diary) != 2 || m.Diary[0] != (diaryRow{"Today, 10:40", "Copied to the clipboard", "copy"}) || m.Diary[1].Words != "Signed in with 2 permissions" {
		t.Errorf("%+v", m.Diary)
	}
	var kinds []string
	for _, k := range m.Marks {
		kinds = append(kinds, k.Kind)
	}
	if strings.Join(kinds, " ") != "issued renewable today ends" || m.Marks[2].Line != "41 days left" || m.LifeText != "Issued 3 November 2026, 41 of 60 days left, ends 2 January 2027." {
		t.Errorf("%+v %q", m.Marks, m.LifeText)
	}
	ended := accountLeft("x", -aDay, connect.Expired)
	if m := presentAccount(c, ended, nil, d, noon); !m.Ended || m.Notice == nil || m.Gone != 1 || m.SignInBy != "" {
		t.Errorf("ended: %+v", m)
	}
	unknown := ended
	unknown.ExpiresAt, unknown.Status = nil, connect.Healthy
	if m := presentAccount(c, unknown, nil, d, noon); len(m.Marks) != 0 || m.LifeText != "End not known yet" {
		t.Errorf("unknown end: %+v", m)
	}
}

func TestStoragePanelAndRailFoot(t *testing.T) {
	c := text.For("en")
	st := connect.Storage{Place: "keychain", Program: "GNOME Keyring", Collection: "Login", Present: true, Accounts: 6, SecretsKept: 1, SecretsForgotten: 2}
	m := presentStorage(c, st, selfTest{At: noon}, noon)
	if m.WorksLead != "GNOME Keyring works." || m.WorksTone != toneFine || m.Rows[1].Line != "1 kept, 2 forgotten after sign-in" || !strings.Contains(m.Rows[0].Line, "6 entries") {
		t.Errorf("%+v", m)
	}
	if m := presentStorage(c, st, selfTest{At: noon, Problem: problem.New(problem.VaultLocked)}, noon); m.WorksTone != toneError || m.WorksLine == "" {
		t.Errorf("failed: %+v", m)
	}
	for _, reason := range []string{"", "gone", "silent", "service", "no-collection"} {
		gone := presentStorage(c, connect.Storage{Place: "keychain", Accounts: 1}, selfTest{At: noon, Problem: problem.New(problem.VaultAbsent, "reason", reason)}, noon)
		if gone.Rows[0].Line != "One entry" || strings.Contains(gone.WorksLead+gone.WorksLine, "until you close") {
			t.Errorf("a keychain that is gone (%s): %+v", reason, gone)
		}
	}
	session := presentStorage(c, connect.Storage{Place: "session", Problem: problem.New(problem.VaultAbsent)}, selfTest{}, noon)
	if !session.Session || session.WorksTone != toneWarning || session.TestButton != "" {
		t.Errorf("session: %+v", session)
	}
	for _, row := range []struct {
		st   connect.Storage
		test selfTest
		tone tone
	}{{st, selfTest{At: noon}, toneFine}, {st, selfTest{}, toneNeutral}, {connect.Storage{Place: "session"}, selfTest{}, toneWarning}, {connect.Storage{Place: "keychain", Locked: true}, selfTest{}, toneWarning}, {st, selfTest{Problem: problem.New(problem.VaultAbsent)}, toneError}} {
		lead, line, got := railFoot(c, row.st, row.test, noon)
		if got != row.tone || lead == "" || line == "" || strings.Contains(lead+line, "⟦") {
			t.Errorf("%+v: %q %q %v", row.st, lead, line, got)
		}
	}
}

func TestCheckLines(t *testing.T) {
	c := text.For("en")
	lines := []connect.Line{
		{Check: "client_id", Level: connect.Fine, Args: map[string]string{"n": "15"}},
		{Check: "client_secret", Level: connect.Look, Args: map[string]string{"n": "31", "expected": "32"}},
		{Check: "client_secret", Level: connect.Look, Variant: "long", Args: map[string]string{"n": "33", "expected": "32"}},
		{Check: "client_secret", Level: connect.Fine, Variant: "kept", Args: map[string]string{"kept": "yes"}},
		{Check: "client_secret", Level: connect.Fine, Args: map[string]string{"n": "32", "expected": "32"}},
		{Check: "redirect", Level: connect.Fine, Args: map[string]string{"address": "https://localhost:8919/"}},
		{Check: "port", Level: connect.Fine, Args: map[string]string{"port": "8919"}},
		{Check: "port", Level: connect.Bad, Problem: problem.New(problem.PortTaken, "port", "8919")},
		{Check: "vault", Level: connect.Fine},
		{Check: "vault", Level: connect.Look, Args: map[string]string{"place": "session"}, Problem: problem.New(problem.VaultAbsent)},
		{Check: "address", Level: connect.Yours},
	}
	var shown []checkLine
	for _, l := range lines {
		got := presentLine(c, l, "GNOME Keyring")
		if got.Title == "" || strings.Contains(got.Title+got.Line, "⟦") || strings.Contains(got.Title+got.Line, "no value") {
			t.Errorf("%+v: %+v", l, got)
		}
		shown = append(shown, got)
	}
	if shown[1].Title != "App secret looks short" || shown[2].Title != "App secret looks long" || shown[1].Line != "Expected 32 characters, found 31." {
		t.Errorf("%+v", shown[1:3])
	}
	if got := checkSummary(c, shown[:2]); got != "1 fine, 1 to look at" {
		t.Errorf("summary %q", got)
	}
	if goOn(c, shown[:1]) != "" || !strings.Contains(goOn(c, shown), "App secret looks short") {
		t.Errorf("go on: %q", goOn(c, shown))
	}
}
