package ui

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// renewing is an account that is renewed by itself 20 days before its end.
func renewing(name string, left time.Duration, status connect.Status) connect.Account {
	a := accountLeft(name, left, status)
	due, after := a.ExpiresAt.Add(-20*aDay), a.IssuedAt.Add(aDay)
	a.Renews, a.DueAt, a.RenewAfter = true, &due, &after
	return a
}

func TestWhatCanBeDoneWithAnAccount(t *testing.T) {
	c := text.For("en")
	healthy := renewing("a", 41*aDay, connect.Healthy)
	young := renewing("a", 60*aDay-2*time.Hour, connect.Healthy)
	facebook := healthy
	facebook.Renews = false
	refused := healthy
	refused.Status, refused.Reason = connect.NeedsSignIn, string(problem.PasswordChanged)
	ended := renewing("a", -aDay, connect.Expired)
	for name, row := range map[string]struct {
		account      connect.Account
		work         accountWork
		check, renew accountButton
		busy, words  string
		notice       string
		actions      []problem.Action
	}{
		"at rest":  {account: healthy, check: accountButton{true, true, "Check", "F5"}, renew: accountButton{true, true, "Renew now", "Ctrl+R"}},
		"young":    {account: young, check: accountButton{true, true, "Check", "F5"}, renew: accountButton{true, false, "Renew now", "This token is younger than 24 hours. It can be renewed after 10:00 tomorrow."}},
		"Facebook": {account: facebook, check: accountButton{true, true, "Check", "F5"}, renew: accountButton{false, true, "Renew now", "Ctrl+R"}},
		"refused":  {account: refused, check: accountButton{true, true, "Check", "F5"}, renew: accountButton{false, true, "Renew now", "Ctrl+R"}},
		"ended":    {account: ended, check: accountButton{false, true, "Check", "F5"}, renew: accountButton{false, true, "Renew now", "Ctrl+R"}},
		"locked":   {account: healthy, work: accountWork{Locked: "Locked."}, check: accountButton{true, false, "Check", "Locked."}, renew: accountButton{true, false, "Renew now", "Locked."}},
		"checking": {account: healthy, work: accountWork{Asking: true}, check: accountButton{true, true, "Stop", ""}, renew: accountButton{true, false, "Renew now", "Ctrl+R"}, busy: "Checking"},
		"checking, slow": {account: healthy, work: accountWork{Asking: true, Slow: true}, check: accountButton{true, true, "Stop", ""}, renew: accountButton{true, false, "Renew now", "Ctrl+R"},
			busy: "Checking", words: "Asking Instagram whether it works…"},
		"renewing, slow": {account: healthy, work: accountWork{Asking: true, Renewing: true, Slow: true}, check: accountButton{true, false, "Check", "A renewal runs to its end."},
			renew: accountButton{true, false, "Renew now", "A renewal runs to its end."}, busy: "Checking", words: "Instagram is making a new token…"},
		"no connection": {account: healthy, work: accountWork{Problem: problem.New(problem.NetworkUnreachable, "provider", "Instagram"), OfRenewal: true}, check: accountButton{true, true, "Check", "F5"},
			renew: accountButton{true, true, "Renew now", "Ctrl+R"}, notice: "Instagram cannot be reached. There is no way there from here. Check the connection or the company firewall. The token that is here stays as it is.", actions: []problem.Action{problem.TryAgain}},
		"a keychain that says no": {account: healthy, work: accountWork{Problem: problem.New(problem.VaultDenied, "program", "GNOME Keyring")}, check: accountButton{true, true, "Check", "F5"},
			renew: accountButton{true, true, "Renew now", "Ctrl+R"}, notice: "GNOME Keyring did not allow it.", actions: []problem.Action{problem.TryAgain, problem.OpenSettings}},
		"not renewed": {account: healthy, work: accountWork{Note: "Not due yet."}, check: accountButton{true, true, "Check", "F5"}, renew: accountButton{true, true, "Renew now", "Ctrl+R"}, notice: " Not due yet."},
		"refused by a check": {account: refused, work: accountWork{Problem: problem.New(problem.PasswordChanged)}, check: accountButton{true, true, "Check", "F5"},
			renew: accountButton{false, true, "Renew now", "Ctrl+R"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := presentActions(c, row.account, row.work, noon)
			if m.Check != row.check || m.Renew != row.renew || m.Words != row.words {
				t.Errorf("%+v", m)
			}
			if (m.Busy != nil) != (row.busy != "") || m.Busy != nil && m.Busy.Words != row.busy {
				t.Errorf("chip %+v", m.Busy)
			}
			notice, actions := "", []problem.Action(nil)
			if m.Notice != nil {
				notice, actions = m.Notice.Lead+" "+m.Notice.Words, m.Notice.Actions
			}
			if row.notice == "" && notice != "" || !strings.HasPrefix(notice, row.notice) || len(actions) != len(row.actions) {
				t.Errorf("notice %q %v", notice, actions)
			}
		})
	}
}

func TestTheLifeOfATokenThatRenews(t *testing.T) {
	c, d := text.For("en"), instagram(t)
	life := func(a connect.Account) (kinds string, m accountModel) {
		m = presentAccount(c, a, nil, d, noon)
		var all []string
		for _, k := range m.Marks {
			all = append(all, k.Kind)
		}
		return strings.Join(all, " "), m
	}
	kinds, m := life(renewing("a", 41*aDay, connect.Healthy))
	if kinds != "issued renewable today renews ends" || m.Marks[3].Title != "Renews by itself" || m.Marks[3].Line != "around 13 Dec" || m.SignInBy != "" {
		t.Errorf("%s %+v", kinds, m.Marks)
	}
	if m.LifeText != "Issued 3 November 2026, 41 of 60 days left, renews by itself around 13 December 2026, ends 2 January 2027." {
		t.Error(m.LifeText)
	}
	// Pasted a moment ago: renewable tomorrow, and then it is renewed.
	pasted := renewing("a", 60*aDay, connect.Healthy)
	pasted.ExpiresEstimated, pasted.DueAt = true, pasted.RenewAfter
	if kinds, m = life(pasted); kinds != "issued today renews ends" || m.Marks[2].Line != "around 23 Nov" || !strings.HasPrefix(m.Marks[3].Line, "about ") || m.SignInBy != "We renew it by ourselves after 12:00 tomorrow; then the end date is exact." {
		t.Errorf("%s %+v", kinds, m.Marks)
	}
	// Overdue: renewing is tried today, and the picture has no mark for it.
	overdue := renewing("a", 12*aDay, connect.ExpiresSoon)
	since, next := noon.Add(-4*aDay), noon.Add(5*time.Hour)
	overdue.FailedSince, overdue.NextTry = &since, &next
	if kinds, m = life(overdue); kinds != "issued renewable today ends" || m.Trouble != "Renewing has not worked since 18 Nov. Next try: 17:00 today." {
		t.Errorf("%s %q", kinds, m.Trouble)
	}
	never := renewing("a", 41*aDay, connect.Healthy)
	never.Renews, never.DueAt, never.RenewAfter = false, nil, nil
	if kinds, m = life(never); kinds != "issued today ends" || m.SignInBy != "Sign in again by 2 Jan 2027" {
		t.Errorf("%s %q", kinds, m.SignInBy)
	}
	ended := renewing("a", -aDay, connect.Expired)
	ended.FailedSince = &since
	if kinds, m = life(ended); strings.Contains(kinds, "renews") || m.Trouble != "" || m.SignInBy != "" {
		t.Errorf("%s %+v", kinds, m)
	}
}

func TestEveryEntryOfTheDiaryHasItsSentence(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		for _, event := range []string{"signed_in", "renewed", "renew_failed", "checked", "checked_closed", "check_failed", "imported", "copied", "shown", "revoked", "removed", "recovered", "warned"} {
			for _, args := range []map[string]string{nil, {"until": "2027-01-02T12:00:00Z"}, {"reason": "network.unreachable"}, {"reason": "made.up"}, {"days": "7"}, {"n": "2"}, {"days": "x"}} {
				words := presentEntry(c, library.Entry{At: noon, Event: event, Args: args}, "Instagram", noon).Words
				if words == "" || strings.Contains(words, "⟦") || strings.Contains(words, "{{") || strings.Contains(words, "no value") {
					t.Errorf("%s: %s %v reads %q", lang, event, args, words)
				}
			}
		}
	}
	c := text.For("en")
	for _, row := range []struct {
		event, words string
		args         map[string]string
	}{
		{"renewed", "Renewed, valid until 2 January 2027", map[string]string{"until": "2027-01-02T12:00:00Z"}},
		{"renew_failed", "Renewing did not work: Instagram cannot be reached", map[string]string{"reason": "network.unreachable"}},
		{"checked_closed", "Checked while Tokenkeep was closed: it works", nil},
		{"warned", "Warned, 7 days before the end", map[string]string{"days": "7"}},
		{"imported", "Pasted and kept", nil},
		{"handed_to_the_moon", "Written by a later version: handed_to_the_moon", nil},
	} {
		if got := entryWords(c, library.Entry{Event: row.event, Args: row.args}, "Instagram", noon); got != row.words {
			t.Errorf("%s reads %q", row.event, got)
		}
	}
}

// accountWorld opens the screen of one account that renews.
func accountWorld(t *testing.T, lang string, core *double, a connect.Account, change ...func(*Params)) *world {
	t.Helper()
	list := []connect.Account{a}
	core.accounts = func(context.Context) ([]connect.Account, error) { return list, nil }
	w := open(t, lang, core, change...)
	w.s.goAccount(a.ID)
	w.queue.Drain()
	return w
}

func TestCheckingAnAccount(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		a := renewing("northlight.studio", 41*aDay, connect.Healthy)
		core := newDouble(t)
		asked, says := 0, error(nil)
		core.check = func(ctx context.Context, id string) (connect.Checked, error) {
			asked++
			if id != a.ID || ctx.Err() != nil {
				t.Errorf("asked about %q, %v", id, ctx.Err())
			}
			return connect.Checked{Account: a, Works: says == nil, Problem: problem.Of(says), At: noon}, nil
		}
		w := accountWorld(t, lang, core, a)
		w.key(fyne.KeyF5)
		if asked != 1 {
			t.Fatalf("F5 asked %d times", asked)
		}
		w.says(c.Say("alive.works", text.Args{"username": "@northlight.studio"}))
		// While it runs the chip says so and the button stops it.
		w.s.current.(*accountScreen).checkNow()
		w.says(c.Say("status.checking"))
		w.hasNot(kit.RoleChip, c.Say("status.healthy"))
		w.has(kit.RoleButton, c.Say("account.stop")).(fyne.Tappable).Tapped(&fyne.PointEvent{})
		core.check = nil // a stopped question is not asked, or its answer not used
		w.has(kit.RoleChip, c.Say("status.healthy"))
		core.check = func(context.Context, string) (connect.Checked, error) {
			return connect.Checked{Account: a, Problem: problem.New(problem.NetworkUnreachable, "provider", "Instagram"), At: noon}, nil
		}
		w.queue.Drain()
		w.tap(kit.RoleButton, c.Say("account.check"))
		told := c.Tell(problem.New(problem.NetworkUnreachable, "provider", "Instagram"))
		w.says(told.Title, told.Advice, c.Action(problem.TryAgain))
		w.noBrackets()
	}
}

func TestWaitingForAnAnswerIsShownAsItGetsLonger(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		a := renewing("northlight.studio", 41*aDay, connect.Healthy)
		w := accountWorld(t, lang, newDouble(t), a)
		screen := w.s.current.(*accountScreen)
		// The answer never comes.
		w.s.begin(a.ID, &inquiry{stop: func() {}})
		if screen.parts.busy.Visible() {
			t.Error("a bar at once")
		}
		w.pass(time.Second)
		if !screen.parts.busy.Visible() || strings.Contains(w.words(), c.Say("account.checking", text.Args{"provider": "Instagram"})) {
			t.Errorf("after a second: bar %v", screen.parts.busy.Visible())
		}
		w.pass(2 * time.Second)
		w.says(c.Say("account.checking", text.Args{"provider": "Instagram"}))
		w.tap(kit.RoleButton, c.Say("account.stop"))
		if screen.parts.busy.Visible() {
			t.Error("the bar stays")
		}
		w.has(kit.RoleChip, c.Say("status.healthy"))
		w.has(kit.RoleButton, c.Say("account.check"))
		// A renewal cannot be stopped.
		w.s.begin(a.ID, &inquiry{})
		w.hasNot(kit.RoleButton, c.Say("account.stop"))
		if !w.has(kit.RoleButton, c.Say("account.check")).(*kit.Button).Disabled() {
			t.Error("a renewal can be stopped")
		}
	}
}

func TestRenewingAnAccount(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		a := renewing("northlight.studio", 41*aDay, connect.Healthy)
		fresh := renewing("northlight.studio", 60*aDay, connect.Healthy)
		core := newDouble(t)
		answer := connect.Renewal{Account: fresh, Outcome: connect.Renewed}
		asked := 0
		core.renew = func(_ context.Context, id string, o connect.RenewOptions) (connect.Renewal, error) {
			asked++
			if id != a.ID || o.OnlyDue {
				t.Errorf("asked for %q %+v", id, o)
			}
			return answer, nil
		}
		w := accountWorld(t, lang, core, a)
		w.shortcut(fyne.KeyR, ctrl)
		w.says(c.Say("alive.renewed", text.Args{"date": c.Date(*fresh.ExpiresAt)}))
		if w.s.current.(*accountScreen).account.ExpiresAt != fresh.ExpiresAt {
			t.Error("the screen shows the former end")
		}
		// 24 hours have not passed now, so there is no second one.
		if !w.has(kit.RoleButton, c.Say("account.renew")).(*kit.Button).Disabled() {
			t.Error("a fresh token can be renewed")
		}
		w.shortcut(fyne.KeyR, ctrl)
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		w.noBrackets()

		// What did not work stands beside it, with the next step.
		w = accountWorld(t, lang, core, a)
		answer = connect.Renewal{Account: a, Outcome: connect.RenewFailed, Problem: problem.New(problem.ProviderDown, "provider", "Instagram")}
		w.tap(kit.RoleButton, c.Say("account.renew"))
		w.says(c.Tell(answer.Problem).Title, c.Action(problem.TryAgain))
		answer = connect.Renewal{Account: a, Outcome: connect.TooYoung}
		w.s.current.(*accountScreen).act(problem.TryAgain)()
		w.queue.Drain()
		w.says(c.Say("alive.too_young_plain"))
		if strings.Contains(w.words(), c.Tell(problem.New(problem.ProviderDown, "provider", "Instagram")).Title) {
			t.Error("the former notice stays")
		}
		// Left meanwhile: it is told in a toast.
		answer = connect.Renewal{Account: fresh, Outcome: connect.Renewed}
		w.s.current.(*accountScreen).renewNow()
		w.s.goAccounts()
		w.queue.Drain()
		w.says(c.Say("alive.renewed", text.Args{"date": c.Date(*fresh.ExpiresAt)}))
		answer = connect.Renewal{Account: a, Outcome: connect.RenewFailed, Problem: problem.New(problem.ProviderDown, "provider", "Instagram")}
		w = accountWorld(t, lang, core, a)
		w.s.current.(*accountScreen).renewNow()
		w.s.goAccounts()
		w.queue.Drain()
		w.says(c.Tell(answer.Problem).Title)
	}
}

func TestRenewingThatIsOffIsNotPromised(t *testing.T) {
	a := renewing("northlight.studio", 41*aDay, connect.Healthy)
	core := newDouble(t)
	core.settings = map[string]string{"renew": "off"}
	w := accountWorld(t, "en", core, a)
	if strings.Contains(w.words(), "renews by itself") {
		t.Error("the timeline promises a renewal")
	}
	w.says("Sign in again by 2 Jan 2027")
}

func TestTheDiaryIsReadPageByPage(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		a := renewing("northlight.studio", 41*aDay, connect.Healthy)
		core := newDouble(t)
		total := diaryPage + 10
		core.diaryPage = diaryOf(total)
		w := accountWorld(t, lang, core, a)
		rows := func() int { return strings.Count(w.words(), c.Say("diary.copied")) }
		if rows() != diaryShort {
			t.Fatalf("%d rows at first", rows())
		}
		w.tap(kit.RoleLink, c.Say("account.see_more"))
		if rows() != diaryPage {
			t.Errorf("%d rows", rows())
		}
		w.tap(kit.RoleLink, c.Say("account.older"))
		if rows() != total {
			t.Errorf("%d rows", rows())
		}
		w.hasNot(kit.RoleLink, c.Say("account.older"))
		// A number is said where it is known.
		core.diaryPage = diaryOf(14)
		w = accountWorld(t, lang, core, a)
		w.has(kit.RoleLink, c.Count("account.see_all", 14))
		w.noBrackets()
	}
}

// diaryOf is a diary of n entries, numbered from 1.
func diaryOf(n int) func(string, int, int64) ([]library.Entry, error) {
	return func(_ string, limit int, before int64) ([]library.Entry, error) {
		var page []library.Entry
		for seq := int64(n); seq > 0 && len(page) < limit; seq-- {
			if before == 0 || seq < before {
				page = append(page, library.Entry{Seq: seq, At: noon.Add(-time.Duration(n-int(seq)) * time.Hour), Event: "copied"})
			}
		}
		return page, nil
	}
}

func TestSEC7_TheDiaryIsSavedWholeAndWithoutFormulas(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		a := renewing("=cmd|' /C calc'!A1", 41*aDay, connect.Healthy)
		core := newDouble(t)
		core.diaryPage = diaryOf(diaryPage*2 + 5)
		w := accountWorld(t, lang, core, a)
		w.tap(kit.RoleLink, c.Say("account.save_diary"))
		path := w.has(kit.RoleField, c.Say("save.path")).(*kit.Entry)
		if name := filepath.Base(path.Text); name != "tokenkeep-_cmd____C_calc__A1-2026-11-22.csv" {
			t.Errorf("suggested %q", name)
		}
		file := filepath.Join(t.TempDir(), "diary.csv")
		path.SetText(file)
		w.tap(kit.RoleButton, c.Say("save.save"))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		records, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
		if err != nil || len(records) != 1+diaryPage*2+5 {
			t.Fatalf("%d rows, %v", len(records), err)
		}
		for _, cells := range records {
			for _, cell := range cells {
				if strings.IndexAny(cell, "=+-@\t") == 0 {
					t.Fatalf("a cell is %q", cell)
				}
			}
		}
		if records[1][3] != "copied" || records[1][0] != "2026-11-22T12:00:00+01:00" || records[1][2] != c.Say("diary.copied") {
			t.Errorf("%q", records[1])
		}
		w.noBrackets()
	}
}

func TestFileNamesOfStrangers(t *testing.T) {
	for in, want := range map[string]string{"northlight.studio": "northlight.studio", "../../etc/passwd": "_.._etc_passwd", "": "account", "..": "account", strings.Repeat("x", 200): strings.Repeat("x", 60), "a b\x00c": "a_b_c"} {
		if got := fileName(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
}

func TestTheDialogBeforeRemoving(t *testing.T) {
	c := text.For("en")
	a := renewing("northlight.studio", 41*aDay, connect.Healthy)
	const page = "https://www.instagram.com/accounts/manage_access/"
	m := presentRemove(c, a, page, false)
	if len(m.Stops) != 2 || m.Page != "Also open Instagram’s page where access can be ended for good" || !strings.Contains(m.After, "go on until") {
		t.Errorf("%+v", m)
	}
	a.Renews = false
	if m = presentRemove(c, a, page, true); len(m.Stops) != 1 || m.Page != "" || !strings.Contains(m.After, "Instagram is asked") {
		t.Errorf("%+v", m)
	}
	if m = presentRemove(c, a, "", false); m.Page != "" {
		t.Errorf("%+v", m)
	}
	why := problem.New(problem.NetworkUnreachable)
	for _, row := range []struct {
		r      connect.Revoked
		opened bool
		says   string
	}{
		{connect.Revoked{AtProvider: true}, false, "has ended the access"},
		{connect.Revoked{Page: page}, true, "open in your browser"},
		{connect.Revoked{Page: page}, false, "removed from this computer."},
		{connect.Revoked{Page: page, Problem: why}, false, "could not be ended"},
	} {
		if got := removedWords(c, a, row.r, row.opened); !strings.Contains(got, row.says) {
			t.Errorf("%+v says %q", row, got)
		}
	}
}

func TestTOK14_RemovingOpensTheProvidersPageAndSaysHowItWent(t *testing.T) {
	const page = "https://www.instagram.com/accounts/manage_access/"
	for _, lang := range languages {
		for _, tick := range []bool{true, false} {
			c := text.For(lang)
			a := renewing("northlight.studio", 41*aDay, connect.Healthy)
			core := newDouble(t)
			core.revokePage = func(string) string { return page }
			revoked := ""
			core.revoke = func(_ context.Context, id string) (connect.Revoked, error) {
				revoked = id
				core.accounts = func(context.Context) ([]connect.Account, error) { return nil, nil }
				return connect.Revoked{Page: page}, nil
			}
			opened := ""
			w := accountWorld(t, lang, core, a, func(p *Params) {
				p.OpenAddress = func(_ context.Context, address string) error { opened = address; return nil }
			})
			w.key(fyne.KeyDelete)
			w.queue.Drain()
			if !w.s.dialogOpen() {
				w.tap(kit.RoleButton, c.Say("account.remove"))
			}
			named := text.Args{"provider": "Instagram", "username": "northlight.studio"}
			w.says(c.Say("account.remove_title", named), c.Say("account.remove_stops"), c.Say("account.remove_programs"), c.Say("account.remove_copies", named))
			if w.focused() != c.Say("account.keep") {
				t.Errorf("the focus is on %q", w.focused())
			}
			if !tick {
				w.tap(kit.RoleCheck, c.Say("account.remove_page", named))
			}
			w.tap(kit.RoleButton, c.Say("account.remove_now"))
			if revoked != a.ID || (opened == page) != tick {
				t.Errorf("revoked %q, opened %q", revoked, opened)
			}
			key := "account.removed"
			if tick {
				key = "account.removed_page"
			}
			w.says(c.Say(key, named))
			if w.s.current != w.s.home {
				t.Error("the screen of a removed account stays")
			}
			w.noBrackets()
		}
	}
}

func TestTheAccountFitsEverySize(t *testing.T) {
	a := renewing("a.username.that.is.thirty.long", 41*aDay, connect.Healthy)
	since := noon.Add(-4 * aDay)
	a.FailedSince = &since
	for _, size := range []fyne.Size{fyne.NewSize(640, 480), fyne.NewSize(880, 600), fyne.NewSize(1120, 760)} {
		for _, percent := range []int{80, 100, 150, 200} {
			if size.Width < 880 && percent > 150 {
				continue
			}
			core := newDouble(t)
			core.diaryPage = diaryOf(14)
			w := accountWorld(t, "de", core, a)
			w.app.Preferences().SetInt(prefText, percent)
			w.s.applyLook()
			w.s.window.Resize(size)
			w.s.arrange()
			w.s.current.(*accountScreen).task.problem = problem.New(problem.NetworkUnreachable, "provider", "Instagram")
			w.s.current.(*accountScreen).rebuild()
			w.queue.Drain()
			w.fits(size, percent)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"northlight.studio", "../../etc/passwd", "con", "a\x00b", "…", strings.Repeat(".", 99), "ä\u202eb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, username string) {
		name := fileName(username)
		if name == "" || len(name) > 60 || name[0] == '.' || filepath.Base(name) != name || strings.ContainsAny(name, "/\\:\x00 ") {
			t.Errorf("%q becomes %q", username, name)
		}
	})
}

// What the loop, the daily run or a command does to an account is on its page
// without leaving it: the new diary, and the new token's mask.
func TestThePageFollowsWhatOthersDo(t *testing.T) {
	a := renewable("harbour.coffee", 23*aDay, connect.RenewsSoon)
	core := newDouble(t, a)
	now := a
	core.accounts = func(context.Context) ([]connect.Account, error) { return []connect.Account{now}, nil }
	entries := []library.Entry{{Seq: 1, AccountID: a.ID, At: noon, Event: "imported"}}
	core.diaryPage = func(string, int, int64) ([]library.Entry, error) { return entries, nil }
	handed := 0
	token := core.token
	core.token = func(id string) (connect.Handed, error) { handed++; return token(id) }
	w := open(t, "en", core)
	w.s.goAccount(a.ID)
	w.queue.Drain()
	w.says("Pasted and kept")
	before := handed
	now = renewable("harbour.coffee", 60*aDay, connect.Healthy)
	entries = append([]library.Entry{{Seq: 2, AccountID: a.ID, At: noon, Event: "renewed", Args: map[string]string{"until": noon.Add(60 * aDay).Format(time.RFC3339)}}}, entries...)
	w.s.read()
	w.queue.Drain()
	w.says("Renewed, valid until")
	if handed == before {
		t.Error("the mask is still that of the former token")
	}
	quiet := handed
	w.s.read()
	w.queue.Drain()
	if handed != quiet {
		t.Error("nothing changed, and the keychain was asked")
	}
}
