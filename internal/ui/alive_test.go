package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/renew"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// renewable is an account that renews by itself.
func renewable(name string, left time.Duration, status connect.Status) connect.Account {
	a := accountLeft(name, left, status)
	due := a.ExpiresAt.Add(-20 * aDay)
	a.Renews, a.DueAt = true, &due
	return a
}

func TestChipsOfRenewing(t *testing.T) {
	c := text.For("en")
	ago := func(d time.Duration) *time.Time { v := noon.Add(-d); return &v }
	failing := renewable("f", 19*aDay, connect.RenewsSoon)
	failing.FailedSince = ago(26 * time.Hour)
	estimated := renewable("e", 40*aDay, connect.RenewsSoon)
	tomorrow := noon.Add(20 * time.Hour)
	estimated.DueAt = &tomorrow
	for _, row := range []struct {
		a    connect.Account
		want string
	}{
		{renewable("a", 23*aDay, connect.RenewsSoon), "Renews in 3 days"},
		{renewable("b", 20*aDay, connect.RenewsSoon), "Renews today"},
		{failing, "Renewing, day 2"}, {estimated, "Renews in 1 day"},
	} {
		if got := chipOf(c, row.a, noon).Words; got != row.want {
			t.Errorf("%s: %q, want %q", row.a.Username, got, row.want)
		}
	}
	old := renewable("o", 50*aDay, connect.Healthy)
	for days, want := range map[int]string{6: "", 7: "Last checked 7 days ago", 9: "Last checked 9 days ago"} {
		old.CheckedAt = ago(time.Duration(days) * aDay)
		if got := lastChecked(c, old, noon); got != want {
			t.Errorf("%d days: %q", days, got)
		}
	}
	old.CheckedAt = ago(9 * aDay)
	if row := presentRow(c, old, noon); row.Under != "Instagram · Business · Last checked 9 days ago" {
		t.Errorf("second line %q", row.Under)
	}
}

func TestTheRowOffersWhatHelps(t *testing.T) {
	c := text.For("en")
	hour := accountLeft("h", 52*time.Minute, connect.ExpiresSoon)
	hour.Lifetime = connect.Short
	for _, row := range []struct {
		a             connect.Account
		signIn, renew bool
	}{
		{renewable("healthy", 41*aDay, connect.Healthy), false, true},
		{renewable("failing", 5*aDay, connect.ExpiresSoon), false, true},
		{accountLeft("facebook", 5*aDay, connect.ExpiresSoon), true, false},
		{renewable("refused", 30*aDay, connect.NeedsSignIn), true, false},
		{renewable("ended", -aDay, connect.Expired), true, false},
		{hour, false, false},
	} {
		got := presentRow(c, row.a, noon)
		if got.SignIn != row.signIn || got.Renew != row.renew {
			t.Errorf("%s: sign in %v, renew %v", row.a.Username, got.SignIn, got.Renew)
		}
	}
	asked := whileAsked(c, presentRow(c, renewable("x", 41*aDay, connect.Healthy), noon), true)
	if asked.Chip.Words != "Checking" || !strings.Contains(asked.Spoken, "Checking") || strings.Contains(asked.Spoken, "Healthy") {
		t.Errorf("while asked: %+v", asked)
	}
}

func TestTheFootSaysWhoRenewsNext(t *testing.T) {
	c := text.For("en")
	later, soonest := renewable("later", 50*aDay, connect.Healthy), renewable("harbour.coffee", 23*aDay, connect.RenewsSoon)
	waiting := renewable("waiting", 10*aDay, connect.RenewsSoon)
	next := noon.Add(2 * aDay)
	waiting.NextTry = &next
	refused := renewable("refused", 15*aDay, connect.NeedsSignIn)
	for _, row := range []struct {
		accounts []connect.Account
		closed   bool
		want     string
	}{
		{nil, true, ""},
		{[]connect.Account{accountLeft("facebook", 5*aDay, connect.ExpiresSoon), refused}, true, ""},
		{[]connect.Account{later, soonest, refused}, true, "Next: @harbour.coffee renews by itself on 25 Nov, even when Tokenkeep is closed."},
		{[]connect.Account{later, soonest}, false, "Next: @harbour.coffee renews by itself on 25 Nov, while Tokenkeep is open."},
		{[]connect.Account{soonest, waiting}, false, "Next: @waiting renews by itself on 24 Nov, while Tokenkeep is open."},
		{[]connect.Account{renewable("due", 12*aDay, connect.RenewsSoon)}, false, "Next: @due renews by itself today, while Tokenkeep is open."},
	} {
		if got := nextRenewal(c, row.accounts, row.closed, noon); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func TestHowARenewalIsTold(t *testing.T) {
	c := text.For("en")
	at := func(d time.Duration) *time.Time { v := noon.Add(d); return &v }
	a := accountLeft("a", 60*aDay, connect.Healthy)
	for _, row := range []struct {
		r    connect.Renewal
		want string
	}{
		{connect.Renewal{Outcome: connect.Renewed, Account: a}, "Renewed. Valid until 21 January 2027."},
		{connect.Renewal{Outcome: connect.TooYoung, Next: at(26*time.Hour + 20*time.Minute)}, "This token is younger than 24 hours. It can be renewed after 14:20 tomorrow."},
		{connect.Renewal{Outcome: connect.RenewWaiting, Next: at(time.Hour)}, "The last try did not work. We try again after 13:00 today."},
		{connect.Renewal{Outcome: connect.AlreadyRenewed}, "Renewed a moment ago, by another Tokenkeep program."},
	} {
		if got := renewalWords(c, row.r, noon); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func TestWarningsSayWhoAndWhen(t *testing.T) {
	c := text.For("en")
	warning := func(days int, left time.Duration) renew.Warning {
		a := accountLeft("cedarclinic", left, connect.ExpiresSoon)
		return renew.Warning{Account: a, Days: days, EndsAt: *a.ExpiresAt}
	}
	refused := warning(0, 30*aDay)
	refused.Reason, refused.Account.Reason = problem.PasswordChanged, string(problem.PasswordChanged)
	for _, row := range []struct {
		w           renew.Warning
		title, body string
	}{
		{warning(7, 5*aDay), "@cedarclinic needs you by Friday", "Its token ends in 5 days. Sign in once to keep it going."},
		{warning(14, 13*aDay), "@cedarclinic needs you by 5 Dec", "Its token ends in 13 days. Sign in once to keep it going."},
		{warning(0, -aDay), "@cedarclinic needs you", "Its token has ended. Sign in once to go on."},
		{refused, "@cedarclinic needs you", "Password changed. Sign in once to go on."},
	} {
		if title, body := warningWords(c, row.w, noon); title != row.title || body != row.body {
			t.Errorf("%q, %q", title, body)
		}
	}
}

func TestTheTimersSwitchSaysHowItStands(t *testing.T) {
	c := text.For("en")
	known := func(change func(*timerState)) stayingFacts {
		f := stayingFacts{HasTimer: true, Known: true, Warn: true, Notifies: true}
		f.Timer.Known = true
		change(&f.Timer)
		return f
	}
	temporary := known(func(s *timerState) { s.Problem = problem.New(problem.TimerTemporary) })
	session := known(func(s *timerState) {})
	session.Session = true
	practice := known(func(s *timerState) {})
	practice.Practice = true
	ran := known(func(s *timerState) { s.Installed, s.Active, s.Ran = true, true, noon.Add(-5*time.Hour) })
	for _, row := range []struct {
		name               string
		f                  stayingFacts
		shown, on, enabled bool
		line               string
		why                bool
	}{
		{"not yet read", stayingFacts{HasTimer: true}, true, false, false, "Looking…", false},
		{"off", known(func(*timerState) {}), true, false, true, "Once a day", false},
		{"on, never ran", known(func(s *timerState) { s.Installed, s.Active = true, true }), true, true, true, "Once a day. It has not run yet", false},
		{"on, ran", ran, true, true, true, "Once a day. Last run today, 07:00", false},
		{"on, not active", known(func(s *timerState) { s.Installed = true }), true, true, true, "Once a day. It has not run yet", true},
		{"temporary folder", temporary, true, false, false, "Once a day", true},
		{"failed", known(func(s *timerState) { s.Failed = problem.New(problem.TimerFailed) }), true, false, true, "Once a day", true},
		{"session", session, true, false, false, "Needs the keyring", false},
		{"practice", practice, false, false, true, "Once a day", false},
		{"none here", stayingFacts{}, false, false, false, "Looking…", false},
	} {
		m := presentStaying(c, row.f, noon).Closed
		if m.Shown != row.shown || m.On != row.on || m.Enabled != row.enabled || m.Line != row.line || (m.Why != "") != row.why {
			t.Errorf("%s: %+v", row.name, m)
		}
	}
}

func TestRenewAndCheckFromTheList(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		a := renewable("harbour.coffee", 23*aDay, connect.RenewsSoon)
		core := newDouble(t, a)
		var asked []string
		core.renew = func(_ context.Context, id string, o connect.RenewOptions) (connect.Renewal, error) {
			asked = append(asked, "renew "+id)
			if o.OnlyDue {
				t.Error("a person's wish is not for due ones only")
			}
			fresh := renewable("harbour.coffee", 60*aDay, connect.Healthy)
			return connect.Renewal{Account: fresh, Outcome: connect.Renewed}, nil
		}
		core.check = func(_ context.Context, id string) (connect.Checked, error) {
			asked = append(asked, "check "+id)
			return connect.Checked{Account: a, Works: true, At: noon}, nil
		}
		w := open(t, lang, core)
		w.s.focus(w.s.home.(*homeScreen).list.rows)
		w.key(fyne.KeyF5)
		w.says(c.Say("alive.works", text.Args{"username": "@harbour.coffee"}))
		// While it runs the chip says so; the core's answer waits in the queue.
		w.s.renewOne(a.ID, nil)
		w.says(c.Say("status.checking"))
		w.s.renewOne(a.ID, nil)
		w.queue.Drain()
		w.says(c.Say("alive.renewed", text.Args{"date": c.Date(noon.Add(60 * aDay))}), c.Say("status.healthy"))
		w.shortcut(fyne.KeyR, ctrl)
		if want := "check " + a.ID + ", renew " + a.ID + ", renew " + a.ID; strings.Join(asked, ", ") != want {
			t.Errorf("asked %v", asked)
		}
		w.has(kit.RoleButton, c.Say("alive.renew"))
		w.noBrackets()
	}
}

func TestWhatCouldNotBeCheckedIsNotSaidToFail(t *testing.T) {
	c := text.For("en")
	for want, w := range map[string]sweep{
		"2 could not be checked.":                                     {total: 2, unknown: 2},
		"3 accounts checked. 1 did not work. 2 could not be checked.": {total: 5, failed: 1, unknown: 2},
		"1 account checked. " + c.Say("alive.all_work"):               {total: 1},
		"4 accounts checked. 1 could not be checked.":                 {total: 5, unknown: 1},
	} {
		if got := sweepWords(c, &w); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	core := newDouble(t, six()...)
	core.check = func(_ context.Context, id string) (connect.Checked, error) {
		return connect.Checked{Account: six()[0], Problem: problem.New(problem.NetworkUnreachable, "host", "graph.instagram.com")}, nil
	}
	w := open(t, "en", core)
	w.s.focus(w.has(kit.RoleButton, c.Say("alive.check_all")).(fyne.Focusable))
	w.key(fyne.KeyReturn)
	w.says("6 could not be checked.")
}

func TestCheckAllCountsAndStops(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		var asked []string
		core.check = func(_ context.Context, id string) (connect.Checked, error) {
			asked = append(asked, id)
			for _, a := range six() {
				if a.ID == id {
					return connect.Checked{Account: a, Works: a.Status == connect.Healthy}, nil
				}
			}
			return connect.Checked{}, errors.New("not one of the six")
		}
		w := open(t, lang, core)
		w.s.focus(w.has(kit.RoleButton, c.Say("alive.check_all")).(fyne.Focusable))
		w.key(fyne.KeyReturn)
		w.says(c.Count("alive.checked", 6) + " " + c.Count("alive.not_working", 4))
		if len(asked) != 6 || w.focused() != c.Say("alive.check_all") {
			t.Errorf("asked %d, the focus is on %q", len(asked), w.focused())
		}
		// Stopped before an answer is there.
		asked = nil
		w.s.checkAll()
		w.says(c.Say("alive.progress", text.Args{"done": 0, "total": 6}), c.Say("status.checking"))
		w.s.stopSweep()
		w.queue.Drain()
		w.has(kit.RoleButton, c.Say("alive.check_all"))
		if strings.Contains(w.words(), c.Say("status.checking")) {
			t.Error("a chip still says that it is checking")
		}
		if len(asked) > checkLanes {
			t.Errorf("%d were asked after the stop", len(asked))
		}
		w.noBrackets()
	}
}

func TestNoConnectionIsToldUntilThereIsOne(t *testing.T) {
	c := text.For("en")
	a := renewable("harbour.coffee", 23*aDay, connect.RenewsSoon)
	core := newDouble(t, a)
	offline := true
	core.check = func(context.Context, string) (connect.Checked, error) {
		if offline {
			return connect.Checked{Account: a, Problem: problem.New(problem.NetworkUnreachable)}, nil
		}
		return connect.Checked{Account: a, Works: true}, nil
	}
	w := open(t, "en", core)
	w.key(fyne.KeyF5)
	w.says(c.Say("alive.offline_lead"), c.Say("alive.offline_line"))
	offline = false
	w.tap(kit.RoleLink, c.Say("accounts.try_again"))
	if strings.Contains(w.words(), c.Say("alive.offline_lead")) {
		t.Error("the notice stays")
	}
}

func TestTheLoopsReports(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		cedar := accountLeft("cedarclinic", 5*aDay, connect.ExpiresSoon)
		core := newDouble(t, renewable("harbour.coffee", 23*aDay, connect.RenewsSoon), cedar)
		marked := map[string]int{}
		core.markWarned = func(id string, days int) error { marked[id] = days; return nil }
		var sent []desktop.Notice
		click := make(chan struct{}, 1)
		w := open(t, lang, core, func(p *Params) {
			p.Notify = func(_ context.Context, n desktop.Notice) (<-chan struct{}, error) {
				sent = append(sent, n)
				return click, nil
			}
		})
		if len(w.loops) != 1 || !core.renewing {
			t.Fatalf("%d loops, renewing %v", len(w.loops), core.renewing)
		}
		fresh := renewable("harbour.coffee", 60*aDay, connect.Healthy)
		warning := renew.Warning{Account: cedar, Days: 7, EndsAt: *cedar.ExpiresAt}
		w.report(w.loops[0], renew.Report{Renewals: []connect.Renewal{{Account: fresh, Outcome: connect.Renewed}}, Warnings: []renew.Warning{warning}})
		title, body := warningWords(c, warning, noon)
		w.says(c.Say("alive.renewed_one", text.Args{"username": "@harbour.coffee", "date": c.Date(*fresh.ExpiresAt)}))
		w.has(kit.RoleNotice, title)
		if len(sent) != 1 || sent[0].Title != title || sent[0].Body != body || marked[cedar.ID] != 7 {
			t.Errorf("sent %+v, marked %v", sent, marked)
		}
		w.tap(kit.RoleButton, c.Say("alive.warn.later"))
		w.hasNot(kit.RoleNotice, title)
		w.s.goWarned(core, cedar.ID)
		w.queue.Drain()
		if !w.s.showsAccount(cedar.ID) {
			t.Error("a click does not open the account")
		}
		w.noBrackets()
	}
}

// fakeTimer is the system's timer.
type fakeTimer struct {
	state  desktop.TimerState
	fails  error
	mended int
}

func (f *fakeTimer) Install(context.Context) error {
	if f.fails == nil {
		f.state.Installed, f.state.Active = true, true
	}
	return f.fails
}
func (f *fakeTimer) Remove(context.Context) error {
	f.state.Installed, f.state.Active = false, false
	return nil
}
func (f *fakeTimer) State(context.Context) (desktop.TimerState, error) { return f.state, nil }
func (f *fakeTimer) Mend(context.Context) (bool, error)                { f.mended++; return false, nil }

func TestSettingsKeepTokensAlive(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		timer := &fakeTimer{}
		harbour := renewable("harbour.coffee", 23*aDay, connect.RenewsSoon)
		harbour.ID = "abcdefgh12345678"
		core := newDouble(t, harbour)
		core.settings = map[string]string{}
		var sent []desktop.Notice
		w := open(t, lang, core, func(p *Params) {
			p.Timer = timer
			p.Notify = func(_ context.Context, n desktop.Notice) (<-chan struct{}, error) {
				sent = append(sent, n)
				return nil, nil
			}
		})
		if timer.mended != 1 {
			t.Errorf("mended %d times", timer.mended)
		}
		w.says(c.Say("alive.next_open", text.Args{"username": "@harbour.coffee", "day": c.ShortDate(noon.Add(3 * aDay))}))
		w.s.goSettings()
		w.queue.Drain()
		w.tap(kit.RoleCheck, c.Say("staying.closed"))
		if !timer.state.Installed {
			t.Fatal("the timer is not installed")
		}
		w.says(c.Say("staying.closed_never"))
		w.tap(kit.RoleCheck, c.Say("staying.warn"))
		if core.settings["warn"] != "off" {
			t.Errorf("settings %v", core.settings)
		}
		w.tap(kit.RoleButton, c.Say("staying.send"))
		if len(sent) != 1 || !strings.Contains(sent[0].Title, "@harbour.coffee") {
			t.Errorf("sent %+v", sent)
		}
		// The calendar file: where, and off again.
		path := filepath.Join(t.TempDir(), "team.ics")
		w.tap(kit.RoleCheck, c.Say("staying.calendar"))
		w.has(kit.RoleDialog, c.Say("staying.calendar_title"))
		w.has(kit.RoleField, c.Say("save.path")).(*kit.Entry).SetText(path)
		w.tap(kit.RoleButton, c.Say("save.save"))
		if data, err := os.ReadFile(path); err != nil || !strings.Contains(string(data), "harbour.coffee") || core.settings["calendar"] != path {
			t.Errorf("%v, %v, %q", err, core.settings, data)
		}
		w.tap(kit.RoleCheck, c.Say("staying.calendar"))
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || core.settings["calendar"] != "" {
			t.Errorf("switched off: %v, %v", err, core.settings)
		}
		w.noBrackets()
		w.s.goAccounts()
		w.says(c.Say("alive.next_closed", text.Args{"username": "@harbour.coffee", "day": c.ShortDate(noon.Add(3 * aDay))}))
		// What the system refuses stands beside the switch.
		timer.fails = problem.New(problem.TimerFailed)
		w.s.goSettings()
		w.queue.Drain()
		w.tap(kit.RoleCheck, c.Say("staying.closed"))
		w.tap(kit.RoleCheck, c.Say("staying.closed"))
		w.says(sentence(c.Tell(problem.New(problem.TimerFailed)).Title))
		if w.has(kit.RoleCheck, c.Say("staying.closed")).(*kit.Check).Selected() {
			t.Error("the box says that it is on")
		}
	}
}

func TestASupportFileIsShownBeforeItIsSaved(t *testing.T) {
	for _, lang := range languages {
		c := text.For(lang)
		core := newDouble(t, six()...)
		core.bundle = func(w io.Writer) error { _, err := io.WriteString(w, "Tokenkeep 0.1.0\naccounts 6\n"); return err }
		w := open(t, lang, core)
		w.s.goSettings()
		w.tap(kit.RoleTab, c.Say("settings.about"))
		w.tap(kit.RoleButton, c.Say("staying.bundle"))
		w.says("accounts 6", c.Say("staying.bundle_line"))
		path := filepath.Join(t.TempDir(), "support.txt")
		w.has(kit.RoleField, c.Say("save.path")).(*kit.Entry).SetText(path)
		w.tap(kit.RoleButton, c.Say("save.save"))
		if data, err := os.ReadFile(path); err != nil || string(data) != "Tokenkeep 0.1.0\naccounts 6\n" {
			t.Errorf("%q, %v", data, err)
		}
		w.noBrackets()
	}
}

func TestSEC7_FilesAreOursAloneAndNeverThroughALink(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	for _, words := range []string{"one", "two"} {
		if err := writeFile(path, []byte(words)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	link := filepath.Join(dir, "link.csv")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(link, []byte("three")); !errors.Is(err, errLink) {
		t.Errorf("through a link: %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "two" {
		t.Errorf("the file holds %q", data)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	c := text.For("en")
	for typed, want := range map[string][2]string{
		"": {c.Say("save.empty"), ""}, "a.csv": {c.Say("save.relative"), ""}, dir + "/a.csv": {"", ""},
		"/home/me/Dropbox/a.csv": {"", c.Say("save.synced")}, "~/OneDrive - Firm/a.csv": {"", c.Say("save.synced")},
		"/home/me/dropboxes/a.csv": {"", ""},
	} {
		if _, wrong, warning := savePath(c, typed, "/home/me"); wrong != want[0] || warning != want[1] {
			t.Errorf("%q: %q, %q", typed, wrong, warning)
		}
	}
	if path, _, _ := savePath(c, "~/a.csv", "/home/me"); path != "/home/me/a.csv" {
		t.Errorf("%q", path)
	}
}

func TestSEC7_NamesOfStrangersAreNoFormulas(t *testing.T) {
	c := text.For("en")
	evil := accountLeft(`=HYPERLINK("https://evil.example","x")`, 41*aDay, connect.Healthy)
	csv := string(overviewTable(c, []connect.Account{evil, accountLeft("tinygarden.co", 52*aDay, connect.Healthy)}, noon))
	want := "Account,Service,Status,Ends on,Days left,ID\r\n" + `"'=HYPERLINK(""https://evil.example"",""x"")",Instagram,Healthy,2027-01-02,41,"id=HYPERLINK(""https://evil.example"",""x"")"` + "\r\n"
	if !strings.HasPrefix(csv, want) {
		t.Errorf("%s", csv)
	}
	for in, out := range map[string]string{"-1": "'-1", "+1": "'+1", "@x": "'@x", "\tx": "\"'\tx\"", "\x00x": "'\x00x", "a,b": `"a,b"`, "": ""} {
		if got := cell(in); got != out {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// fakeTray is the desktop's tray.
type fakeTray struct{ menu []TrayItem }

func (f *fakeTray) Present(context.Context) bool { return true }
func (f *fakeTray) Show(menu []TrayItem)         { f.menu = menu }

func TestTheTrayKeepsTheWindowOnlyIfAsked(t *testing.T) {
	c := text.For("en")
	tray := &fakeTray{}
	w := open(t, "en", newDouble(t, six()...), func(p *Params) { p.Tray = tray })
	if len(tray.menu) != 3 || tray.menu[1].Words != c.Count("accounts.need", 2) {
		t.Fatalf("menu %+v", tray.menu)
	}
	w.s.goSettings()
	w.queue.Drain()
	w.tap(kit.RoleCheck, c.Say("staying.tray"))
	id := six()[4].ID
	w.s.goAccount(id)
	w.queue.Drain()
	w.s.current.(*accountScreen).reveal.start(showLimit)
	w.queue.Drain()
	w.says(tokenOf(id))
	w.s.closeWindow()
	if w.s.ended || !w.s.hidden {
		t.Fatal("closing the window quits, though it should stay in the tray")
	}
	if strings.Contains(w.words(), tokenOf(id)) {
		t.Error("the token is still shown when the window comes back")
	}
	tray.menu[1].Do()
	w.queue.Drain()
	if w.s.hidden || w.s.current != w.s.home {
		t.Error("the tray does not bring the window back at those who need the person")
	}
	w.hasNot(kit.RoleRow, "tinygarden.co")
	w.s.prefs.setToTray(false)
	w.s.closeWindow()
	if !w.s.ended {
		t.Error("closing the window does not quit")
	}
}

func TestAWishOpensTheAccount(t *testing.T) {
	id := "abcdefgh12345678"
	a := renewable("harbour.coffee", 23*aDay, connect.RenewsSoon)
	a.ID = id
	w := open(t, "en", newDouble(t, a), func(p *Params) { p.Account = id })
	if !w.s.showsAccount(id) {
		t.Fatal("--account does not open it")
	}
	w.s.goAccounts()
	w.s.wish("account:../etc")
	w.s.wish("show")
	if w.s.current != w.s.home {
		t.Error("what is no id opens something")
	}
	w.s.wish("account:" + id)
	w.queue.Drain()
	if !w.s.showsAccount(id) {
		t.Error("a later start's wish does not open it")
	}
}
