package ui

import (
	"reflect"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// homeScreen is the first place: the list of accounts, or what stands in its
// stead while it is read, cannot be read, or is empty.
type homeScreen struct {
	s    *shell
	root *fyne.Container
	kind homeKind
	// slow is what the loading rows were last drawn for.
	slow bool
	list *accountList
	// first is what gets the focus when the screen is shown.
	first fyne.Focusable
	high  func()
	tick  func()
	built bool
	// What was last said, to be said anew only when it changed.
	said     welcomeModel
	told     *problem.Problem
	entering bool
}

func newHome(s *shell) *homeScreen {
	h := &homeScreen{s: s, root: kit.Over()}
	h.refresh()
	return h
}

func (h *homeScreen) view() fyne.CanvasObject { return h.root }

func (h *homeScreen) shown() {
	h.refresh()
	// "3 days left" ages while nobody does anything.
	h.tick = h.s.every(agesEvery, h.refresh)
	h.focusFirst()
}

func (h *homeScreen) left() {
	if h.tick != nil {
		h.tick()
	}
}

func (h *homeScreen) focusFirst() {
	switch {
	case h.kind == homeList:
		h.list.focus()
	case h.first != nil:
		h.s.focus(h.first)
	}
}

func (h *homeScreen) arrange() {
	h.built = false
	h.refresh()
}

// refresh shows the state that the shell is in.
func (h *homeScreen) refresh() {
	kind := homeOf(h.s.accounts)
	refocus := h.built && kind != h.kind
	switch kind {
	case homeList:
		if h.list == nil {
			h.list = newAccountList(h.s)
		}
		h.list.refresh()
		if h.kind != homeList || !h.built {
			h.put(h.list.root)
		}
		h.high = h.list.connect
	case homeWelcome:
		// A screen that says the same is left alone: it may have the focus.
		s := h.s
		m := presentWelcome(s.c, s.storage, s.practising, s.params.Practise != nil && !s.practising && s.params.Practice == nil)
		if h.kind != homeWelcome || !h.built || !reflect.DeepEqual(m, h.said) || s.entering != h.entering {
			h.said, h.entering = m, s.entering
			h.put(h.welcome(m))
			refocus = true
		}
	case homeTrouble:
		if h.kind != homeTrouble || !h.built || h.s.accounts.problem != h.told {
			h.told = h.s.accounts.problem
			h.put(h.trouble())
			refocus = true
		}
	default:
		if !h.built || h.kind != homeLoading || h.slow != h.s.accounts.slow {
			h.slow = h.s.accounts.slow
			h.put(h.loading())
		}
	}
	h.kind, h.built = kind, true
	if refocus && h.s.current == screen(h) && !h.s.dialogOpen() {
		h.focusFirst()
	}
}

func (h *homeScreen) put(o fyne.CanvasObject) {
	h.root.Objects = []fyne.CanvasObject{o}
	h.root.Refresh()
}

func (h *homeScreen) press() {
	if h.high != nil {
		h.high()
	}
}

func (h *homeScreen) focusSearch() {
	if h.kind == homeList {
		h.list.focusSearch()
	}
}

func (h *homeScreen) typedKey(e *fyne.KeyEvent) {
	if h.kind == homeList {
		h.list.typedKey(e)
	}
}

func (h *homeScreen) copyChosen() {
	if h.kind == homeList {
		h.list.copyChosen()
	}
}

func (h *homeScreen) signInChosen() {
	if h.kind == homeList {
		h.list.signInChosen()
	}
}

func (h *homeScreen) menuChosen() {
	if h.kind == homeList {
		h.list.menuChosen()
	}
}

func (h *homeScreen) renewNow() {
	if h.kind == homeList {
		h.list.renew(h.list.chosen)
	}
}

func (h *homeScreen) checkNow() {
	if h.kind == homeList {
		h.list.check(h.list.chosen)
	}
}

func (h *homeScreen) escape() bool { return h.kind == homeList && h.list.escape() }

// welcome is the first screen of somebody without accounts.
func (h *homeScreen) welcome(m welcomeModel) fyne.CanvasObject {
	s := h.s
	parts := []fyne.CanvasObject{kit.Column(4, kit.Heading(m.Title), kit.NewText(m.Subtitle).Sized(theme.SizeTitle).In(theme.ColorMuted))}
	if m.MissingLead != "" {
		parts = append(parts, s.noKeychain(m))
	}
	h.high = func() { s.goConnect(connectStart{}) }
	signIn := h.door(m.SignIn, m.Need, h.high)
	h.first = signIn.Button
	doors := []fyne.CanvasObject{signIn, h.door(m.Paste, m.Need, s.goPaste)}
	if m.Practise != nil {
		doors = append(doors, h.door(*m.Practise, m.Need, s.goPractice))
	}
	if s.entering {
		parts = append(parts, kit.Muted(s.say("practice.opening")))
	}
	parts = append(parts, kit.AtMost(float32(len(doors))*420, kit.Columns(20, 560, nil, doors...)))
	lock, ink := theme.IconLock, theme.ColorSuccess
	if s.session() {
		lock, ink = theme.IconInfo, theme.ColorMuted
	}
	parts = append(parts, kit.Row(12, kit.NewIcon(lock, ink, theme.SizeIcon), kit.Grow(kit.NewText(strings.TrimSpace(m.Kept+" "+m.Talks)))))
	if m.Which != "" {
		parts = append(parts, kit.Muted(m.Which).Link(m.WhichLink, s.goDoor))
	}
	return s.page(parts...)
}

func (h *homeScreen) door(d door, need string, open func()) *kit.DoorCard {
	kind := kit.Medium
	if d.High {
		kind = kit.High
	}
	var needs []kit.Need
	for _, n := range d.Needs {
		needs = append(needs, kit.Need{Icon: theme.IconName(n.Icon), Words: n.Words})
	}
	return kit.NewDoorCard(kit.Door{
		Art: art(d.Art, 180, 112), Title: d.Title, Body: d.Body, NeedLabel: need, Needs: needs,
		Time: d.Time, Button: d.Button, Kind: kind, Tapped: open,
	})
}

// loading is grey rows; words come after two seconds.
func (h *homeScreen) loading() fyne.CanvasObject {
	s := h.s
	h.high, h.first = nil, nil
	parts := []fyne.CanvasObject{kit.Heading(s.say("accounts.title")), kit.NewCardPad(0, kit.Lined(kit.NewSkeleton(), kit.NewSkeleton(), kit.NewSkeleton(), kit.NewSkeleton()))}
	if s.accounts.slow {
		words := s.say("accounts.opening")
		if s.vaultWaits {
			words = s.say("accounts.asks")
		}
		stop := kit.NewButton(s.say("accounts.stop"), kit.Low, s.stopLoading)
		parts = append(parts, kit.Row(12, kit.Grow(kit.Muted(words)), stop))
	}
	return s.page(parts...)
}

// trouble says why there is no list, and how to get one.
func (h *homeScreen) trouble() fyne.CanvasObject {
	s := h.s
	told := s.c.Tell(s.accounts.problem)
	again := kit.NewButton(s.say("accounts.try_again"), kit.High, func() {
		s.accounts.problem = nil
		if s.core == nil {
			s.changed()
			s.start()
			return
		}
		s.unlock()
		s.reload()
	})
	h.first, h.high = again, func() { again.Tapped(nil) }
	return s.page(kit.Heading(s.say("accounts.title")),
		kit.NewNotice(kit.Bad, sentence(told.Title), told.Happened+" "+told.Advice),
		kit.Flow(8, again))
}

// page is a screen whose content scrolls as a whole.
func (s *shell) page(parts ...fyne.CanvasObject) fyne.CanvasObject {
	return kit.Page(nil, kit.Column(20, parts...), nil)
}

// noKeychain is the notice where tokens last until the window is closed.
func (s *shell) noKeychain(m welcomeModel) fyne.CanvasObject {
	return kit.NewNoticeButton(kit.Warn, theme.IconWarning, m.MissingLead, m.MissingLine, kit.NewButton(m.MissingButton, kit.Low, s.explainKeychain))
}

func (s *shell) explainKeychain() {
	s.inform(s.say("nokeychain.title"), s.say("nokeychain.help"), s.say("nokeychain.close"))
}
