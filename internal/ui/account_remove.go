package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// removeModel is the dialog before access is removed.
type removeModel struct {
	Title, Body string
	// Stops are what no longer works afterwards.
	Stops []string
	// After is what becomes of copies elsewhere.
	After string
	// Page is the checkbox, empty where there is no page to open.
	Page string
}

// presentRemove renders it. page is where a person ends access by hand, and
// revokes tells that the provider can be asked to end it.
func presentRemove(c *text.Catalogue, a connect.Account, page string, revokes bool) removeModel {
	named := text.Args{"provider": a.ProviderName, "username": a.Username}
	m := removeModel{Title: c.Say("account.remove_title", named), Body: c.Say("account.remove_stops")}
	if a.Renews {
		m.Stops = append(m.Stops, c.Say("account.remove_renewing"))
	}
	m.Stops = append(m.Stops, c.Say("account.remove_programs"))
	m.After = c.Say("account.remove_copies", named)
	if revokes {
		m.After = c.Say("account.remove_ends", named)
	} else if page != "" {
		m.Page = c.Say("account.remove_page", named)
	}
	return m
}

// removedWords says how it went. open tells that the page was asked for.
func removedWords(c *text.Catalogue, a connect.Account, r connect.Revoked, opened bool) string {
	named := text.Args{"provider": a.ProviderName, "username": a.Username}
	switch {
	case r.AtProvider:
		return c.Say("account.removed_both", named)
	case opened:
		return c.Say("account.removed_page", named)
	case r.Problem != nil:
		return c.Say("account.removed_here", named)
	}
	return c.Say("account.removed", named)
}

// askRemove is the dialog before an account is removed; the harmless button has
// the focus.
func (s *shell) askRemove(account connect.Account) {
	step := s.definition(account.Provider).Revoke
	revokes := step != nil && !step.Empty()
	m := presentRemove(s.c, account, s.core.RevokePage(account.Provider), revokes)
	stops := kit.Column(8)
	for _, words := range m.Stops {
		stops.Add(kit.TopRow(10, kit.NewIcon(theme.IconUnlink, theme.ColorMuted, theme.SizeIcon), kit.Grow(kit.NewText(words))))
	}
	body := []fyne.CanvasObject{kit.NewText(m.Body), kit.SoftBox(kit.Quiet, stops), kit.Caption(m.After)}
	page := kit.NewCheck(m.Page, "", true, nil)
	if m.Page != "" {
		body = append(body, page)
	}
	s.open(kit.Dialog{Title: m.Title, Body: kit.Column(12, body...), Buttons: []kit.DialogButton{
		{Label: s.say("account.keep"), Kind: kit.Medium, Harmless: true},
		{Label: s.say("account.remove_now"), Kind: kit.Danger, Tapped: func() { s.removeAccess(account, m.Page != "" && page.Selected()) }},
	}})
}

// removeAccess ends access at the provider where it can, deletes the token here
// in any case, and opens the provider's page where the person wants it.
func (s *shell) removeAccess(account connect.Account, openPage bool) {
	core, ctx := s.core, s.coreCtx
	work(s, ctx, func(ctx context.Context) (connect.Revoked, error) { return core.Revoke(ctx, account.ID) },
		func(r connect.Revoked, p *problem.Problem) {
			if ctx.Err() != nil {
				return
			}
			if p != nil {
				s.tell(p)
				return
			}
			if s.copied != nil && s.copied.id == account.ID {
				s.clearCopied()
			}
			opened := openPage && r.Page != "" && !r.AtProvider
			words := removedWords(s.c, account, r, opened)
			switch {
			case opened:
				s.toast(words)
				s.openPage(r.Page)
			case r.Page != "" && !r.AtProvider && r.Problem != nil:
				// It could not be ended there: the way to do it by hand.
				s.toastWith(words, s.say("account.open_page"), func() { s.openPage(r.Page) })
			default:
				s.toast(words)
			}
			if a, ok := s.current.(*accountScreen); ok && a.account.ID == account.ID {
				s.goAccounts()
			}
			s.reload()
		})
}
