package ui

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// accountParts are the widgets that live as long as the screen: what has the
// focus, or is held, must not be exchanged for another of its kind.
type accountParts struct {
	back   *kit.Button
	token  *kit.ReadOnly
	hold   *kit.HoldButton
	copy   *kit.Button
	signIn *kit.Button
	remove *kit.Button
	check  *kit.Button
	renew  *kit.Button
	// busy moves under the head while the provider is asked.
	busy    *kit.ThinProgress
	seeAll  *kit.Link
	older   *kit.Link
	saveAll *kit.Link
	// count is the line under the token; its height is always there.
	count *kit.Text
	clear *kit.Link
	bar   *kit.ThinProgress
	under *fyne.Container

	head, middle, side *fyne.Container
}

const dots = "•••• •••• ••••"

// build makes the lasting widgets; rebuild composes the screen around them.
func (a *accountScreen) build() {
	s := a.s
	p := &a.parts
	p.back = kit.NewIconButton(theme.IconBack, s.say("account.back"), s.escape)
	p.token = kit.NewReadOnly(s.say("account.token_hidden"), dots)
	p.hold = kit.NewHoldButton(s.run, s.say("account.hold"), func(yes bool) {
		if yes {
			a.reveal.start(showLimit)
		} else {
			a.reveal.stop()
		}
	})
	p.hold.Tip = s.say("account.hold_tip")
	p.copy = kit.NewButton(s.say("account.copy"), kit.High, a.copyChosen).With(theme.IconCopy)
	p.signIn = kit.NewButton(s.say("account.sign_in_again"), kit.Medium, a.signIn).With(theme.IconLogin)
	p.remove = kit.NewButton(s.say("account.remove"), kit.QuietDanger, a.askRemove).With(theme.IconUnlink)
	p.check = kit.NewButton("", kit.Medium, a.checkOrStop).With(theme.IconCheckList)
	p.renew = kit.NewButton("", kit.Medium, a.renewNow).With(theme.IconRenew)
	p.busy = kit.NewMovingBar(s.say("status.checking"), s.app.Settings().ShowAnimations())
	p.busy.Hide()
	p.seeAll = kit.NewLink("", a.seeAll)
	p.older = kit.NewLink(s.say("account.older"), a.readOlder)
	p.saveAll = kit.NewLink(s.say("account.save_diary"), a.saveDiary)
	p.count = kit.Caption("").OneLine()
	p.clear = kit.NewLink(s.say("accounts.clear_now"), s.clearCopied).Small()
	p.bar = kit.NewThinProgress("", 0)
	p.under = container.New(underLayout{}, kit.NewIcon(theme.IconStopwatch, theme.ColorMuted, theme.SizeHintIcon), p.count, p.bar, p.clear)
	a.rebuild()
}

func (a *accountScreen) focusFirst() {
	if a.maySeeToken() {
		a.s.focus(a.parts.copy)
	} else {
		a.s.focus(a.parts.signIn)
	}
}

// showToken is the only function that puts a token's text into a widget.
func (a *accountScreen) showToken(value secret.Text, _ bool) {
	words := value.Reveal()
	if words == "" {
		words = dots
	}
	a.parts.token.Set(words)
}

// rebuild composes the screen as the account stands now.
func (a *accountScreen) rebuild() {
	s, p := a.s, &a.parts
	if a.gone {
		a.root.Objects = []fyne.CanvasObject{s.page(kit.Row(8, p.back, kit.Heading("@"+a.account.Username)), kit.Muted(s.say("account.gone")))}
		a.root.Refresh()
		return
	}
	account := a.account
	if a.neverRenews {
		account.DueAt = nil
	}
	m := presentAccount(s.c, account, a.diary.entries, s.definition(a.account.Provider), s.now())
	act := presentActions(s.c, account, a.workNow(), s.now())
	status := m.Chip
	if act.Busy != nil {
		status = *act.Busy
	}
	under := m.Under
	if act.Words != "" {
		under = act.Words
	}
	who := kit.Row(16, p.back, kit.NewAvatar(a.account.Username, 56), kit.Grow(kit.Column(2,
		kit.Flow(12, kit.Heading(m.Title).OneLine(), kit.NewStatusChip(status.Words, kit.Tone(status.Tone), chipIcon(status))),
		kit.Muted(under))))
	var buttons []fyne.CanvasObject
	for _, b := range []struct {
		button *kit.Button
		model  accountButton
	}{{p.check, act.Check}, {p.renew, act.Renew}} {
		b.button.SetLabel(b.model.Label)
		b.button.SetEnabled(b.model.Enabled)
		b.button.Tip = b.model.Tip
		if b.model.Shown {
			buttons = append(buttons, b.button)
		}
	}
	icon := theme.IconCheckList
	if act.Busy != nil && act.Check.Enabled {
		icon = theme.IconClose
	}
	p.check.With(icon)
	// The bar stands in the gap below the head and takes no room of its own.
	head := kit.Column(0, kit.HeadOf(who, buttons...), kit.Inset(8, 0, -8-p.busy.MinSize().Height, 0, kit.Over(kit.Gap(p.busy.MinSize().Height), p.busy)))
	left := []fyne.CanvasObject{}
	if m.Notice != nil {
		left = append(left, kit.NewNotice(kit.Bad, sentence(m.Notice.Title), m.Notice.Happened+" "+m.Notice.Advice))
		p.signIn.SetKind(kit.High)
	} else {
		p.signIn.SetKind(kit.Medium)
	}
	if act.Notice != nil {
		left = append(left, a.outcome(*act.Notice))
	}
	if a.maySeeToken() {
		left = append(left, a.tokenCard(m))
	}
	left = append(left, a.lifeCard(m), a.diaryCard(m))
	side := []fyne.CanvasObject{}
	if len(m.Permissions) > 0 {
		side = append(side, a.mayCard(m))
	}
	side = append(side, a.wrongCard())
	body := kit.TwoColumns(288, 640, kit.Column(16, left...), kit.Column(16, side...))
	a.countDown()
	a.root.Objects = []fyne.CanvasObject{s.page(head, body)}
	a.root.Refresh()
}

func (a *accountScreen) tokenCard(m accountModel) fyne.CanvasObject {
	s, p := a.s, &a.parts
	locked := s.storage.Locked
	p.copy.SetEnabled(!locked)
	p.hold.SetEnabled(!locked)
	p.copy.Tip = ""
	if locked {
		p.copy.Tip = s.say("accounts.locked_lead") + " " + s.say("accounts.locked_body")
	}
	// Beside the field where it still has room for a masked token, else below.
	buttons := (p.hold.MinSize().Width + 8 + p.copy.MinSize().Width) / theme.Scale()
	parts := []fyne.CanvasObject{
		kit.Row(8, kit.Title(s.say("account.token")), kit.Space(), kit.Caption(m.TokenLine)),
		kit.Columns(8, buttons+220, []float32{1, -buttons}, p.token, kit.Row(8, p.hold, p.copy)),
	}
	if locked {
		parts = append(parts, s.lockedNotice())
	}
	parts = append(parts, kit.Over(kit.Gap(20), p.under))
	if len(a.account.MissingScopes) > 0 {
		// One click: the same app and permissions, and the same person.
		parts = append(parts, kit.NewNotice(kit.Warn, "", missingWords(a.s.c, m.Permissions),
			kit.Run{Words: a.s.say("connect.fine.ask_again"), Tapped: a.signIn}).SmallText())
	}
	return kit.NewCard(kit.Column(10, parts...))
}

// underLayout is the line under the token: icon, words, bar, link. The words
// have their room first; the bar takes what is left, or goes.
type underLayout struct{}

func (underLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width+o[3].MinSize().Width+64*theme.Scale(), max(o[1].MinSize().Height, o[3].MinSize().Height))
}

func (underLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	put := func(o fyne.CanvasObject, x, width float32) {
		h := o.MinSize().Height
		o.Move(fyne.NewPos(x, (size.Height-h)/2))
		o.Resize(fyne.NewSize(width, h))
	}
	gap := 8 * theme.Scale()
	icon, link := o[0].MinSize().Width, o[3].MinSize().Width
	if clear, ok := o[3].(*kit.Link); ok {
		link = clear.NaturalWidth() + 1
	}
	room := size.Width - icon - link - 2*gap
	words := room
	if count, ok := o[1].(*kit.Text); ok {
		words = min(room, count.NaturalWidth()+1)
	}
	bar := min(room-words-gap, 120*theme.Scale())
	setVisible(o[2], bar >= 24*theme.Scale())
	put(o[0], 0, icon)
	put(o[1], icon+gap, words)
	put(o[2], size.Width-link-gap-bar, max(0, bar))
	put(o[3], size.Width-link, link)
}

// countDown brings the line under the token to this second.
func (a *accountScreen) countDown() {
	left := a.s.copiedLeft(a.account.ID)
	p := &a.parts
	if left <= 0 {
		p.under.Hide()
		return
	}
	seconds := int((left + time.Second - 1) / time.Second)
	p.count.SetText(a.s.say("account.copied_in", text.Args{"seconds": "**" + strconv.Itoa(seconds) + "**"}))
	p.bar.Set(float32(left) / float32(time.Duration(a.s.prefs.clipboardSeconds())*time.Second))
	p.under.Show()
	p.under.Refresh()
}

func (a *accountScreen) lifeCard(m accountModel) fyne.CanvasObject {
	parts := []fyne.CanvasObject{kit.Title(a.s.say("account.life"))}
	if len(m.Marks) > 0 {
		var moments []kit.Moment
		for _, k := range m.Marks {
			moments = append(moments, kit.Moment{Title: k.Title, Line: k.Line, At: k.At, Kind: momentKinds[k.Kind]})
		}
		parts = append(parts, kit.NewTimeline(m.LifeText, m.Ended, moments...))
	} else {
		parts = append(parts, kit.Muted(m.LifeText))
	}
	if m.SignInBy != "" {
		parts = append(parts, kit.Caption(m.SignInBy))
	}
	if m.Trouble != "" {
		parts = append(parts, kit.NewNotice(kit.Warn, "", m.Trouble).SmallText())
	}
	return kit.NewCard(kit.Column(12, parts...))
}

var momentKinds = map[string]kit.MomentKind{"issued": kit.MomentStart, "renewable": kit.MomentSmall, "today": kit.MomentToday, "renews": kit.MomentPlanned, "ends": kit.MomentEnd}

func (a *accountScreen) mayCard(m accountModel) fyne.CanvasObject {
	parts := []fyne.CanvasObject{kit.Title(a.s.say("account.may"))}
	for _, may := range m.Permissions {
		icon, ink := theme.IconTickDisc, theme.ColorSuccess
		if !may.Allowed {
			icon, ink = theme.IconMinusDisc, theme.ColorMuted
		}
		words := []fyne.CanvasObject{kit.NewText(may.Title)}
		if !may.Allowed {
			words = append(words, kit.Caption(may.Line))
		}
		parts = append(parts, kit.TopRow(10, kit.NewIcon(icon, ink, theme.SizeIcon), kit.Grow(kit.Column(0, words...))))
	}
	return kit.NewCard(kit.Column(10, parts...))
}

func (a *accountScreen) wrongCard() fyne.CanvasObject {
	s := a.s
	return kit.NewCard(kit.Column(8, kit.Title(s.say("account.wrong")), a.parts.signIn, a.parts.remove, kit.Caption(s.say("account.remove_note"))))
}

// lockedNotice stands where a locked keychain keeps tokens from being handed out.
func (s *shell) lockedNotice() fyne.CanvasObject {
	line := s.say("accounts.locked_body")
	if s.vaultWaits {
		line = s.say("accounts.asks")
	}
	return kit.NewNoticeIcon(kit.Bad, theme.IconLock, s.say("accounts.locked_lead"), line, kit.Run{Words: s.say("accounts.unlock"), Tapped: s.unlock})
}

// chipIcon is the status chip's icon.
func chipIcon(c chip) theme.IconName {
	switch c.Icon {
	case "login":
		return theme.IconLogin
	case "ended":
		return theme.IconEnded
	case "clock":
		return theme.IconClock
	case "fine":
		return theme.IconTickDisc
	}
	return theme.IconRenew
}
