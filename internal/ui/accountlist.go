package ui

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// agesEvery is how often what is said about time is said anew.
const agesEvery = 30 * time.Second

// accountList is the list of accounts with its head. It is built once; reading
// again changes what the widgets say and never which have the focus.
type accountList struct {
	s     *shell
	form  accountsForm
	model accountsModel
	// chosen is the id of the row that keys act on.
	chosen string

	root    fyne.CanvasObject
	search  *kit.Entry
	filters []*kit.FilterChip
	strip   *fyne.Container
	// parts are the numbers in the strip; stripped is what it was drawn for.
	parts    map[filter]*kit.SummaryPart
	stripped string
	rows     *kit.List
	notice   *fyne.Container
	card     *fyne.Container
	heads    *fyne.Container
	empty    *fyne.Container
	sort     *kit.Select
	high     *kit.Button
	// all starts a check of every account; while one runs, progress stands in
	// its place.
	all      *kit.Button
	stop     *kit.Button
	progress *kit.ThinProgress
	count    *kit.Text
	sweeping *fyne.Container
	// foot says who renews next.
	foot     *fyne.Container
	footText *kit.Text
	noticed  string
	// drawn tells which account each row widget shows.
	drawn  map[*kit.AccountRow]string
	narrow bool
}

func newAccountList(s *shell) *accountList {
	l := &accountList{s: s, drawn: map[*kit.AccountRow]string{}, parts: map[filter]*kit.SummaryPart{}}
	l.search = kit.NewSearch(s.say("accounts.search"), s.say("accounts.search"), func(words string) {
		l.form.Search = words
		l.refresh()
	})
	l.sort = kit.NewSelect(s.say("accounts.sort"), []string{s.say("accounts.sort_need"), s.say("accounts.sort_name"), s.say("accounts.sort_days")}, int(l.form.Order), func(i int) {
		l.form.Order = order(i)
		l.refresh()
	})
	for i, words := range presentAccounts(s.c, nil, l.form, s.now()).Filters {
		l.filters = append(l.filters, kit.NewFilterChip(words, 0, func() { l.filter(filter(i)) }))
	}
	l.build()
	return l
}

// build composes the screen; refresh fills it.
func (l *accountList) build() {
	s := l.s
	l.rows = kit.NewList(s.say("accounts.title"), func() int { return len(l.model.Rows) }, func() fyne.CanvasObject { return kit.NewAccountRow() }, l.fill)
	l.rows.OnOpen = func(i int) { s.goAccount(l.model.Rows[i].ID) }
	l.rows.OnMoved = func(i int) {
		if i < len(l.model.Rows) {
			l.chosen = l.model.Rows[i].ID
		}
	}
	l.rows.OnKey = func(_ int, e *fyne.KeyEvent) bool {
		if e.Name == fyne.KeyDelete {
			l.remove(l.chosen)
			return true
		}
		return false
	}
	more := kit.NewIconButton(theme.IconMore, s.say("accounts.more"), nil)
	more.SetTapped(func() {
		kit.OpenMenu(more, fyne.NewMenuItem(s.say("accounts.overview"), l.copyOverview), fyne.NewMenuItem(s.say("alive.save_overview"), l.saveOverview))
	})
	l.high = kit.NewButton(s.say("accounts.connect"), kit.High, l.connect).With(theme.IconAdd)
	head := kit.HeadOf(kit.Heading(s.say("accounts.title")), kit.Fixed(240, l.search), more, l.high)
	chips := []fyne.CanvasObject{}
	for _, f := range l.filters {
		chips = append(chips, f)
	}
	filters := kit.Row(8, kit.Grow(kit.Flow(8, chips...)), kit.Muted(s.say("accounts.sort")).Whole(), kit.Fixed(168, l.sort))
	l.strip, l.notice, l.empty = kit.Over(), kit.Column(12), kit.Over()
	l.heads = container.New(headsLayout{}, kit.Caption(s.say("accounts.column_account")), kit.Caption(s.say("accounts.column_life")), kit.Caption(s.say("accounts.column_status")), kit.Line())
	l.card = container.New(&listCard{l}, kit.NewCardPad(0, kit.Gap(0)), l.heads, l.rows)
	l.notice.Hide()
	l.empty.Hide()
	l.all = kit.NewButton(s.say("alive.check_all"), kit.Low, s.checkAll).With(theme.IconCheckList)
	l.stop = kit.NewButton(s.say("accounts.stop"), kit.Low, s.stopSweep)
	l.progress, l.count = kit.NewThinProgress(s.say("alive.progress_name"), 0), kit.Muted("").Whole()
	l.sweeping = kit.Row(12, l.count, kit.Fixed(120, l.progress), l.stop)
	l.footText = kit.Caption("")
	l.foot = kit.TopRow(8, kit.NewIcon(theme.IconCalendar, theme.ColorMuted, theme.SizeHintIcon), kit.Grow(l.footText))
	list := kit.Column(12, kit.Grow(kit.Over(l.card, l.empty)), l.foot)
	l.root = kit.FixedPage(kit.Column(20, head, l.strip, l.notice, filters), list, nil)
	l.refresh()
}

// refresh brings what is shown to this moment; no widget is exchanged.
func (l *accountList) refresh() {
	if l.rows == nil {
		return // a change while the head is being built
	}
	s := l.s
	l.model = presentAccounts(s.c, s.accounts.list, l.form, s.now())
	for i, f := range l.filters {
		f.Set(l.model.Counts[i], filter(i) == l.form.Filter)
	}
	l.summary()
	l.notices()
	for i, row := range l.model.Rows {
		if q := s.alive.asked[row.ID]; q != nil {
			l.model.Rows[i] = whileAsked(s.c, row, q.stop != nil)
		}
	}
	foot := nextRenewal(s.c, s.accounts.list, s.renewsClosed(), s.now())
	l.footText.SetText(foot)
	setVisible(l.foot, foot != "")
	if l.model.EmptyTitle != "" {
		l.empty.Objects = []fyne.CanvasObject{l.nothing()}
	}
	setVisible(l.empty, len(l.model.Rows) == 0)
	setVisible(l.card, len(l.model.Rows) > 0)
	if l.chosenAt() < 0 {
		// What is not in sight is not what keys act on.
		l.chosen = ""
		if len(l.model.Rows) > 0 {
			l.chosen = l.model.Rows[0].ID
		}
	}
	label := s.say("accounts.connect")
	if l.narrow {
		label = s.say("accounts.connect_short")
	}
	l.high.SetLabel(label)
	l.rows.Refresh()
	l.root.Refresh()
}

func setVisible(o fyne.CanvasObject, yes bool) {
	if yes {
		o.Show()
	} else {
		o.Hide()
	}
}

// notices are drawn anew only when they say something else: one of their
// buttons may have the focus.
func (l *accountList) notices() {
	s := l.s
	notes := s.aliveNotices()
	said := ""
	for _, n := range notes {
		said += n.said + "\n"
	}
	if s.storage.Locked {
		said += "locked"
		if s.vaultWaits {
			said += " asks"
		}
	}
	for _, q := range s.questions {
		said += "question " + q.ID + "\n"
	}
	if said == l.noticed {
		return
	}
	l.noticed = said
	l.notice.Objects = nil
	if s.storage.Locked {
		l.notice.Objects = append(l.notice.Objects, s.lockedNotice())
	}
	for _, q := range s.questions {
		l.notice.Objects = append(l.notice.Objects, s.questionNotice(q))
	}
	for _, n := range notes {
		l.notice.Objects = append(l.notice.Objects, n.draw())
	}
	setVisible(l.notice, len(l.notice.Objects) > 0)
}

// summary brings the strip above the list up to date. Its parts stay the same
// widgets, so that one of them keeps the focus while the numbers change.
func (l *accountList) summary() {
	s := l.s
	shown, objects := l.model.AllWell, []fyne.CanvasObject{}
	for _, m := range l.model.Parts {
		n := strconv.Itoa(m.N)
		words := strings.Replace(m.Words, n, "**"+n+"**", 1)
		p := l.parts[m.Filter]
		if p == nil {
			p = kit.NewSummaryPart(partIcons[m.Filter], kit.Tone(m.Tone), words, func() { l.filter(m.Filter) })
			l.parts[m.Filter] = p
		}
		p.SetWords(words)
		shown += "\n" + m.Words
		objects = append(objects, p)
	}
	w := s.alive.sweep
	if w != nil {
		shown += "\nsweep"
		l.count.SetText(s.say("alive.progress", text.Args{"done": w.done, "total": w.total}))
		l.progress.Set(float32(w.done) / float32(max(1, w.total)))
	}
	if shown == l.stripped {
		return
	}
	focused := s.window.Canvas().Focused()
	l.stripped = shown
	if l.model.AllWell != "" {
		objects = append(objects, kit.Inset(6, 0, 6, 8, kit.Muted(l.model.AllWell).Whole()))
	}
	right := fyne.CanvasObject(l.all)
	if w != nil {
		right = l.sweeping
	}
	l.strip.Objects = []fyne.CanvasObject{kit.NewCardPad(8, kit.Row(8, kit.Grow(kit.Flow(8, objects...)), right))}
	// Starting and stopping are the same place: whoever pressed one may press
	// the other.
	switch {
	case focused == fyne.Focusable(l.all) && w != nil:
		s.focus(l.stop)
	case focused == fyne.Focusable(l.stop) && w == nil:
		s.focus(l.all)
	}
}

// nothing stands where no row fits what was asked for.
func (l *accountList) nothing() fyne.CanvasObject {
	m := l.model
	parts := []fyne.CanvasObject{kit.Center(art("nothing", 180, 130)), kit.Title(m.EmptyTitle).Centered()}
	if m.EmptyBody != "" {
		parts = append(parts, kit.Muted(m.EmptyBody).Centered())
	}
	if m.EmptyButton != "" {
		parts = append(parts, kit.Center(kit.NewButton(m.EmptyButton, kit.Medium, l.clearSearch)))
	}
	return kit.Center(kit.AtMost(420, kit.Column(12, parts...)))
}

// fill shows an account in a row that may have shown another.
func (l *accountList) fill(i int, o fyne.CanvasObject) {
	row, ok := o.(*kit.AccountRow)
	if !ok || i >= len(l.model.Rows) {
		return
	}
	s, m := l.s, l.model.Rows[i]
	words := kit.AccountRowModel{
		Username: m.Username, Second: m.Under, Life: m.Life.Words, Share: m.Life.Share, LifeTone: kit.Tone(m.Life.Tone),
		Chip: m.Chip.Words, ChipTone: kit.Tone(m.Chip.Tone), ChipIcon: chipIcon(m.Chip), Describe: m.Spoken, MoreName: s.say("accounts.more"),
	}
	switch {
	case m.Checking:
		if m.Stop {
			words.StopName = s.say("alive.stop")
		}
		if !m.SignIn {
			words.CopyName = s.say("accounts.copy")
		}
	case m.SignIn:
		words.Remedy = s.say("accounts.sign_in")
	default:
		words.CopyName = s.say("accounts.copy")
		if m.Renew {
			words.RenewName = s.say("alive.renew")
		}
	}
	// Signing in needs no keychain before its end.
	if words.Remedy == "" && s.storage.Locked {
		words.Disabled = s.say("accounts.locked_lead") + " " + s.say("accounts.locked_body")
	}
	row.Set(words)
	id := m.ID
	l.drawn[row] = id
	row.Copy.SetTapped(func() { l.copy(id) })
	row.Remedy.SetTapped(func() { l.signIn(id) })
	row.Renew.SetTapped(func() { l.renew(id) })
	row.Stop.SetTapped(func() { s.stopAsking(id) })
	row.More.SetTapped(func() { kit.OpenMenu(row.More, l.menu(id)...) })
}

func (l *accountList) focus() { l.s.focus(l.rows) }

func (l *accountList) menuChosen() {
	items := l.menu(l.chosen)
	if len(items) == 0 {
		return
	}
	for row, id := range l.drawn {
		if id == l.chosen {
			kit.OpenMenu(row.More, items...)
			return
		}
	}
	kit.OpenMenu(l.search, items...)
}

// listCard is the card around the list: as high as its rows, and no higher
// than there is room.
type listCard struct{ l *accountList }

// MinSize leaves room for two rows, so that there is something to scroll in.
func (c *listCard) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(420, max(160, 2*(kit.RowHeight(0)+4)))
}

func (c *listCard) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l := c.l
	if narrow := size.Width < kit.NarrowList; narrow != l.narrow {
		l.narrow = narrow
		// Not from within a layout: the button's width changes with its label.
		l.s.run.Post(l.refresh)
	}
	top := float32(0)
	setVisible(l.heads, !l.narrow && theme.Scale() < theme.NarrowScale)
	if l.heads.Visible() {
		top = 37 * theme.Scale()
	}
	height := top + float32(len(l.model.Rows))*(kit.RowHeight(0)+4) - 4
	height = min(size.Height, height+2)
	o[0].Resize(fyne.NewSize(size.Width, height))
	o[1].Move(fyne.NewPos(1, 0))
	o[1].Resize(fyne.NewSize(size.Width-2, top))
	o[2].Move(fyne.NewPos(1, top))
	o[2].Resize(fyne.NewSize(size.Width-2, height-top-1))
}

// headsLayout puts the heads of the columns where a row has its columns.
type headsLayout struct{}

func (headsLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, 0) }

func (headsLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	for i, x := range []float32{20, size.Width * 0.464, size.Width * 0.654} {
		h := o[i].MinSize().Height
		o[i].Move(fyne.NewPos(x, (size.Height-h)/2))
		o[i].Resize(fyne.NewSize(size.Width*0.18, h))
	}
	o[3].Move(fyne.NewPos(0, size.Height-1))
	o[3].Resize(fyne.NewSize(size.Width, 1))
}

func (l *accountList) connect() { l.s.goConnect(connectStart{}) }

func (l *accountList) filter(f filter) {
	l.form.Filter = f
	l.refresh()
}

func (l *accountList) clearSearch() {
	l.search.SetText("")
	l.form.Search = ""
	l.refresh()
	l.s.focus(l.search)
}

func (l *accountList) account(id string) (connect.Account, bool) {
	for _, a := range l.s.accounts.list {
		if a.ID == id {
			return a, true
		}
	}
	return connect.Account{}, false
}

// chosenAt is the chosen row's place in what is shown, -1 without one.
func (l *accountList) chosenAt() int {
	return slices.IndexFunc(l.model.Rows, func(r accountRow) bool { return r.ID == l.chosen })
}

func (l *accountList) copy(id string) {
	if a, ok := l.account(id); ok && bucket(a) != filterNeed && !l.s.storage.Locked {
		l.s.copyToken(a, nil)
	}
}

func (l *accountList) renew(id string) {
	if a, ok := l.account(id); ok && a.Renews && bucket(a) != filterNeed && !l.s.storage.Locked {
		l.s.renewOne(id, nil)
	}
}

// check asks about an account; a locked keychain is not asked to open for it.
func (l *accountList) check(id string) {
	if _, ok := l.account(id); ok && !l.s.storage.Locked {
		l.s.checkOne(id, nil)
	}
}

func (l *accountList) saveOverview() {
	s := l.s
	c, accounts, now := s.c, slices.Clone(s.accounts.list), s.now()
	s.save(saving{
		title: s.say("alive.save_overview_title"), line: s.say("alive.save_overview_line"),
		name: s.say("alive.csv_file", text.Args{"day": now.Format(time.DateOnly)}),
		data: func(context.Context) ([]byte, error) { return overviewTable(c, accounts, now), nil },
	})
}

func (l *accountList) signIn(id string) {
	if a, ok := l.account(id); ok {
		l.s.goConnect(connectStart{Account: &a})
	}
}

func (l *accountList) remove(id string) {
	if a, ok := l.account(id); ok {
		l.s.askRemove(a)
	}
}

// menu are the things that can be done with an account; none that cannot.
func (l *accountList) menu(id string) []*fyne.MenuItem {
	s := l.s
	a, ok := l.account(id)
	if !ok {
		return nil
	}
	items := []*fyne.MenuItem{fyne.NewMenuItem(s.say("accounts.open"), func() { s.goAccount(id) })}
	mayUse := bucket(a) != filterNeed && !s.storage.Locked
	if mayUse {
		items = append(items, fyne.NewMenuItem(s.say("accounts.copy"), func() { l.copy(id) }))
	}
	items = append(items, fyne.NewMenuItem(s.say("accounts.copy_username"), func() {
		s.copyPlain(a.Username)
		s.toast(s.say("accounts.username_copied"))
	}))
	if !s.asking(id) && !s.storage.Locked {
		items = append(items, fyne.NewMenuItem(s.say("alive.check"), func() { s.checkOne(id, nil) }))
		if mayUse && a.Renews {
			items = append(items, fyne.NewMenuItem(s.say("alive.renew"), func() { l.renew(id) }))
		}
	}
	return append(items,
		fyne.NewMenuItem(s.say("accounts.sign_in_again"), func() { l.signIn(id) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(s.say("accounts.remove"), func() { l.remove(id) }))
}

func (l *accountList) copyOverview() {
	l.s.copyPlain(overview(l.model))
	l.s.toast(l.s.say("accounts.overview_copied"))
}

func (l *accountList) copyChosen() { l.copy(l.chosen) }

func (l *accountList) signInChosen() { l.signIn(l.chosen) }

func (l *accountList) focusSearch() { l.s.focus(l.search) }

func (l *accountList) typedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDelete:
		l.remove(l.chosen)
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyHome, fyne.KeyEnd, fyne.KeyReturn, fyne.KeyEnter:
		l.rows.TypedKey(e)
	}
}

// escape empties the search first.
func (l *accountList) escape() bool {
	if l.form.Search == "" {
		return true // the list is where Back ends
	}
	l.clearSearch()
	return true
}

var partIcons = map[filter]theme.IconName{filterHealthy: theme.IconTickDisc, filterSoon: theme.IconClock, filterNeed: theme.IconLogin}
