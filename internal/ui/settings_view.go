package ui

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// settingsParts are what refresh changes and what gets the focus.
type settingsParts struct {
	tabs    *kit.Tabs
	storage *fyne.Container
	staying stayingParts
}

func (t *settingsScreen) setTab(tab settingsTab) {
	if t.tab != tab {
		t.tab = tab
		t.build()
		t.s.focus(t.parts.tabs.Chosen())
	}
}

func (t *settingsScreen) focusFirst() { t.s.focusContent() }

// refresh draws the storage panel anew; the rest changes only by the person.
func (t *settingsScreen) refresh() {
	if t.parts.storage != nil {
		t.parts.storage.Objects = []fyne.CanvasObject{t.storage()}
		t.parts.storage.Refresh()
	}
	t.refreshStaying()
}

func (t *settingsScreen) build() {
	s := t.s
	t.parts = settingsParts{}
	t.parts.tabs = kit.NewTabs([]string{s.say("settings.general"), s.say("settings.clipboard_only"), s.say("settings.about")}, int(t.tab), func(n int) { t.setTab(settingsTab(n)) })
	var content fyne.CanvasObject
	switch t.tab {
	case tabClipboard:
		content = kit.AtMost(560, t.clipboard())
	case tabAbout:
		content = kit.AtMost(560, t.about())
	default:
		t.parts.storage = kit.Over(t.storage())
		content = kit.TwoColumns(304, 760, kit.Column(0, t.parts.storage), kit.Column(20, t.stayingCard(), t.look()))
	}
	t.root.Objects = []fyne.CanvasObject{kit.Page(kit.Column(12, kit.PageHead(s.say("settings.title"), ""), t.parts.tabs), content, nil)}
	t.root.Refresh()
}

func (t *settingsScreen) storage() fyne.CanvasObject {
	s := t.s
	m := presentStorage(s.c, s.storage, s.test, s.now())
	parts := []fyne.CanvasObject{kit.Subheading(s.say("settings.where"))}
	var rows []fyne.CanvasObject
	for i, row := range m.Rows {
		if i > 0 {
			rows = append(rows, kit.Line())
		}
		var more []kit.Run
		if i == len(m.Rows)-1 && s.params.OpenFolder != nil && s.core != nil {
			more = append(more, kit.Run{Words: s.say("settings.folder"), Tapped: t.openFolder})
		}
		rows = append(rows, kit.NewFactRow(factIcon(row.Icon), row.Name, "**"+row.Value+"**", row.Line, more...))
	}
	parts = append(parts, kit.Column(12, rows...))
	if m.WorksLead != "" {
		var buttons []fyne.CanvasObject
		if m.TestButton != "" && !s.test.Running {
			label := m.TestButton
			if s.test.Problem != nil && s.storage.Locked {
				label = s.say("settings.unlock")
			}
			buttons = append(buttons, kit.NewButton(label, kit.Low, s.unlock).With(theme.IconRefresh))
		}
		if m.Session {
			buttons = append(buttons, kit.NewButton(s.say("nokeychain.button"), kit.Low, s.explainKeychain))
		}
		parts = append(parts, kit.NewNoticeButton(kit.Tone(m.WorksTone), noticeIcon(m.WorksTone), m.WorksLead, m.WorksLine, buttons...))
	} else if m.TestButton != "" {
		parts = append(parts, kit.NewNoticeButton(kit.Quiet, theme.IconInfo, "", s.say("settings.not_tested"), kit.NewButton(s.say("settings.test"), kit.Low, s.unlock)))
	}
	if !m.Session {
		parts = append(parts, kit.IconLine(theme.IconInfo, theme.ColorMuted, kit.Run{Words: s.say("settings.good")}))
	}
	return kit.NewCard(kit.Column(16, parts...))
}

func noticeIcon(t tone) theme.IconName {
	switch t {
	case toneFine:
		return theme.IconShield
	case toneWarning:
		return theme.IconWarning
	case toneError:
		return theme.IconErrorRing
	}
	return theme.IconInfo
}

func factIcon(name string) theme.IconName {
	switch name {
	case "key":
		return theme.IconKey
	case "apps":
		return theme.IconApps
	}
	return theme.IconDocument
}

func (t *settingsScreen) look() fyne.CanvasObject {
	s := t.s
	tags, words := s.languageChoices()
	language := t.choice(s.say("settings.language"), words, indexOf(tags, s.prefs.language()), func(i int) { s.setLanguage(tags[i]) })
	themes := []string{s.say("settings.theme_system"), s.say("settings.theme_light"), s.say("settings.theme_dark")}
	look := t.choice(s.say("settings.theme"), themes, indexOf(themeChoices, s.prefs.theme()), func(i int) { s.setTheme(themeChoices[i]) })
	sizes, percents := sortedTextChoices(), []string{}
	for _, n := range sizes {
		percents = append(percents, s.say("settings.percent", text.Args{"n": n}))
	}
	size := t.choice(s.say("settings.size"), percents, indexOf(sizes, s.prefs.textPercent()), func(i int) { s.setTextPercent(sizes[i]) })
	return kit.NewCardPad(20, kit.Column(12, kit.Title(s.say("settings.look")), language, look, size))
}

// choice is a label with a select beside it.
func (t *settingsScreen) choice(label string, words []string, chosen int, do func(int)) fyne.CanvasObject {
	pick := kit.NewSelect(label, words, chosen, do)
	return kit.Row(8, kit.Fixed(96, kit.Muted(label)), kit.Grow(pick))
}

func (t *settingsScreen) clipboard() fyne.CanvasObject {
	s := t.s
	var words []string
	for _, n := range sortedClipboardChoices() {
		words = append(words, s.say("settings.seconds", text.Args{"n": n}))
	}
	seconds := sortedClipboardChoices()
	pick := kit.NewSelect(s.say("settings.clipboard_line"), words, indexOf(seconds, s.prefs.clipboardSeconds()), func(i int) { s.setClipboardSeconds(seconds[i]) })
	parts := []fyne.CanvasObject{
		kit.Title(s.say("settings.clipboard")),
		kit.Row(12, kit.Grow(kit.NewText(s.say("settings.clipboard_line"))), kit.Fixed(150, pick)),
		kit.Caption(s.say("settings.clipboard_note")),
	}
	if s.prefs.warned() {
		parts = append(parts, kit.Line(), kit.Flow(8, kit.NewButton(s.say("settings.warning_again"), kit.Low, func() {
			s.prefs.setWarned(false)
			t.build()
			t.focusFirst()
		})))
	}
	return kit.NewCard(kit.Column(12, parts...))
}

func (t *settingsScreen) about() fyne.CanvasObject {
	s := t.s
	site := kit.NewText("")
	if s.params.OpenAddress != nil {
		site = kit.NewText("").Link(buildinfo.Website, s.openWebsite)
	} else {
		site.SetText(buildinfo.Website)
	}
	return kit.NewCard(kit.Column(12,
		kit.Row(12, icon48(), kit.Grow(kit.Column(2, kit.Subheading(buildinfo.Name), kit.Muted(s.say("settings.version", text.Args{"version": buildinfo.Version}))))),
		kit.NewText(s.say("settings.about_line")), kit.Muted(s.say("settings.pretend")), kit.Line(),
		kit.Muted(s.say("settings.licence")), site, kit.Line(),
		kit.Muted(s.say("staying.bundle_about")), kit.Flow(8, kit.NewButton(s.say("staying.bundle"), kit.Medium, s.saveBundle).With(theme.IconDocument))))
}

func icon48() fyne.CanvasObject {
	return kit.NewArt(resource("icon/icon.svg"), resource("icon/icon.svg"), 48, 48)
}
