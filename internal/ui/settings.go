package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type settingsTab int

const (
	tabGeneral settingsTab = iota
	tabClipboard
	tabAbout
)

// settingsScreen answers "Where are my tokens?". Changes apply at once.
type settingsScreen struct {
	s    *shell
	tab  settingsTab
	root *fyne.Container

	parts settingsParts
}

func newSettings(s *shell) *settingsScreen {
	screen := &settingsScreen{s: s, root: container.NewStack()}
	screen.build()
	return screen
}

func (t *settingsScreen) view() fyne.CanvasObject { return t.root }

func (t *settingsScreen) shown() {
	if t.s.core != nil {
		t.s.readStorage()
		t.s.readStaying()
		t.s.readTimer()
	}
	t.refresh()
	t.focusFirst()
}

func (t *settingsScreen) left() {}

func (t *settingsScreen) arrange() { t.build() }

func (t *settingsScreen) openFolder() {
	folder := t.s.core.Home()
	if t.s.practising {
		folder += "/practice"
	}
	t.s.do(t.s.coreCtx, func(ctx context.Context) error { return t.s.params.OpenFolder(ctx, folder) },
		func(p *problem.Problem) { t.s.tell(p) })
}

// languageChoices are the system's and each there is, each in its own words.
func (s *shell) languageChoices() (tags, words []string) {
	tags, words = []string{""}, []string{s.say("settings.language_system")}
	for _, tag := range text.Languages() {
		tags, words = append(tags, tag), append(words, s.say("language."+tag))
	}
	return tags, words
}

// setLanguage speaks another language at once, on every screen.
func (s *shell) setLanguage(tag string) {
	if s.prefs.language() == tag {
		return
	}
	s.prefs.p.SetString(prefLanguage, tag)
	s.c = text.For(s.language())
	s.applyLook()
	s.rebuild()
}

func (s *shell) setTheme(choice string) {
	if s.prefs.theme() != choice && slices.Contains(themeChoices, choice) {
		s.prefs.p.SetString(prefTheme, choice)
		s.applyLook()
	}
}

// setTextPercent makes the text larger or smaller at once, 80 to 200.
func (s *shell) setTextPercent(n int) {
	n = max(80, min(200, n))
	if s.prefs.textPercent() == n {
		return
	}
	s.prefs.p.SetInt(prefText, n)
	s.applyLook()
	s.arrange()
}

// largerText goes one step up or down.
func (s *shell) largerText(step int) {
	sizes := slices.Sorted(slices.Values(textChoices))
	at, found := slices.BinarySearch(sizes, s.prefs.textPercent())
	if !found && step > 0 {
		at--
	}
	s.setTextPercent(sizes[max(0, min(len(sizes)-1, at+step))])
}

func (s *shell) setClipboardSeconds(n int) {
	if slices.Contains(clipboardChoices, n) {
		s.prefs.p.SetInt(prefClipboard, n)
	}
}

// rebuild builds every screen anew, in another language. What is typed in
// Connect stays: that screen keeps its words until it is opened again.
func (s *shell) rebuild() {
	s.body.build()
	tab := tabGeneral
	at := s.at
	if t, ok := s.current.(*settingsScreen); ok {
		tab = t.tab
	}
	keep := s.connect
	old, current := s.trail, s.current
	s.trail, s.home = nil, newHome(s)
	for _, v := range append(old, visit{current, at}) {
		if v.screen != keep {
			s.forget(v.screen)
		}
	}
	switch c := current.(type) {
	case *settingsScreen:
		next := newSettings(s)
		next.setTab(tab)
		s.put(next, placeSettings)
	case *accountScreen:
		s.put(newAccount(s, c.account), placeAccounts)
	default:
		if current == keep && keep != nil {
			s.put(keep, placeConnect)
			break
		}
		s.put(s.home, placeAccounts)
	}
}

func sortedTextChoices() []int { return slices.Sorted(slices.Values(textChoices)) }

func sortedClipboardChoices() []int { return slices.Sorted(slices.Values(clipboardChoices)) }

// indexOf is the place of what is chosen, the first where it is none of them.
func indexOf[T comparable](all []T, chosen T) int { return max(0, slices.Index(all, chosen)) }

func (s *shell) openWebsite() {
	s.do(s.ctx, func(ctx context.Context) error { return s.params.OpenAddress(ctx, buildinfo.Website) },
		func(p *problem.Problem) { s.tell(p) })
}
