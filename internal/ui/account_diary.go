package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

const (
	// diaryShort is how many entries stand on the screen before "See all".
	diaryShort = 6
	// diaryPage is how many are read at once.
	diaryPage = 50
)

// accountDiary is what was read of an account's diary, the newest first.
type accountDiary struct {
	entries []library.Entry
	// all: the person wants more than diaryShort.
	all bool
	// more: older ones are there.
	more bool
}

// readDiary reads as many as were in sight, from the newest on.
func (a *accountScreen) readDiary() {
	core, ctx, id := a.s.core, a.ctx, a.account.ID
	limit := max(diaryPage, len(a.diary.entries))
	work(a.s, ctx, func(ctx context.Context) ([]library.Entry, error) { return core.DiaryPage(ctx, id, limit, 0) },
		func(entries []library.Entry, p *problem.Problem) {
			if ctx.Err() != nil || p != nil {
				return
			}
			a.diary.entries, a.diary.more = entries, len(entries) == limit
			a.rebuild()
		})
}

// readOlder reads the page before the last one.
func (a *accountScreen) readOlder() {
	n := len(a.diary.entries)
	if n == 0 || !a.diary.more {
		return
	}
	core, ctx, id, before := a.s.core, a.ctx, a.account.ID, a.diary.entries[n-1].Seq
	work(a.s, ctx, func(ctx context.Context) ([]library.Entry, error) {
		return core.DiaryPage(ctx, id, diaryPage, before)
	}, func(entries []library.Entry, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		if p != nil {
			a.s.tell(p)
			return
		}
		if len(a.diary.entries) == n {
			a.diary.entries, a.diary.more = append(a.diary.entries, entries...), len(entries) == diaryPage
			a.rebuild()
		}
	})
}

func (a *accountScreen) seeAll() {
	a.diary.all = true
	a.rebuild()
}

// saveDiary writes all of it to a file that the person names.
func (a *accountScreen) saveDiary() {
	s, core, account := a.s, a.s.core, a.account
	now := s.now()
	s.save(saving{
		title: s.say("account.save_title"), line: s.say("account.save_line", text.Args{"username": "@" + account.Username}),
		name: "tokenkeep-" + fileName(account.Username) + "-" + now.Format("2006-01-02") + ".csv",
		data: func(ctx context.Context) ([]byte, error) {
			var all []library.Entry
			for before := int64(0); ; {
				page, err := core.DiaryPage(ctx, account.ID, diaryPage, before)
				if err != nil {
					return nil, err
				}
				all = append(all, page...)
				if len(page) < diaryPage {
					break
				}
				before = page[len(page)-1].Seq
			}
			return table(diaryRows(s.c, account, all, now)), nil
		},
	})
}

// diaryRows is the diary as a table: when, whose, what happened, and its word
// for programs.
func diaryRows(c *text.Catalogue, a connect.Account, entries []library.Entry, now time.Time) [][]string {
	rows := [][]string{{c.Say("account.csv_when"), c.Say("account.csv_account"), c.Say("account.csv_what"), c.Say("account.csv_event")}}
	for _, e := range entries {
		rows = append(rows, []string{e.At.In(now.Location()).Format(time.RFC3339), a.Username, entryWords(c, e, a.ProviderName, now), e.Event})
	}
	return rows
}

// fileName is a username as part of a file's name: names come from strangers.
func fileName(username string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, username)
	if len(name) > 60 {
		name = name[:60]
	}
	if name = strings.Trim(name, "."); name == "" {
		return "account"
	}
	return name
}

var diaryIcons = map[string]theme.IconName{
	"login": theme.IconLogin, "copy": theme.IconCopy, "eye": theme.IconEye, "fine": theme.IconTickDisc, "remove": theme.IconUnlink, "renew": theme.IconRenew,
	"warning": theme.IconWarning, "check": theme.IconCheckList, "paste": theme.IconPaste, "bell": theme.IconBell,
}

func (a *accountScreen) diaryCard(m accountModel) fyne.CanvasObject {
	s, p := a.s, &a.parts
	rows := m.Diary
	var trailing []fyne.CanvasObject
	if len(rows) > diaryShort && !a.diary.all {
		if a.diary.more {
			p.seeAll.SetText(s.say("account.see_more"))
		} else {
			p.seeAll.SetText(s.c.Count("account.see_all", len(rows)))
		}
		trailing = append(trailing, p.seeAll)
		rows = rows[:diaryShort]
	}
	if len(rows) > 0 {
		trailing = append(trailing, p.saveAll)
	}
	parts := []fyne.CanvasObject{kit.HeadOf(kit.Title(s.say("account.diary")), trailing...)}
	if len(rows) == 0 {
		parts = append(parts, kit.Muted(s.say("account.diary_empty")))
	}
	for i, row := range rows {
		if i > 0 {
			parts = append(parts, kit.Line())
		}
		icon, ok := diaryIcons[row.Icon]
		if !ok {
			icon = theme.IconInfo
		}
		parts = append(parts, kit.Row(12, kit.NewIcon(icon, theme.ColorMuted, theme.SizeButtonIcon), kit.Fixed(110, kit.Muted(row.When)), kit.Grow(kit.NewText(row.Words))))
	}
	if a.diary.all && a.diary.more {
		parts = append(parts, kit.Line(), kit.Flow(8, p.older))
	}
	return kit.NewCard(kit.Column(10, parts...))
}
