package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Tray is the desktop's place for programs that stand by.
type Tray interface {
	// Present reports whether the desktop has one. It may ask another process.
	Present(ctx context.Context) bool
	// Show puts our icon with that menu there, on the window's goroutine.
	Show(menu *fyne.Menu)
}

// The desktop may have no tray (stock GNOME has none), so it is looked for
// first; a window that hides where there is none would be gone. Closing the
// window quits, unless the person said otherwise in the settings.

// startTray puts our icon into the tray where there is one.
func (s *shell) startTray() {
	if s.params.Tray == nil {
		return
	}
	work(s, s.ctx, func(ctx context.Context) (bool, error) { return s.params.Tray.Present(ctx), nil },
		func(there bool, _ *problem.Problem) {
			if !there {
				return
			}
			s.trayMenu = fyne.NewMenu("")
			s.refreshTray()
			s.changed()
		})
}

// refreshTray brings the tray's menu up to date; nothing is done for the same
// words.
func (s *shell) refreshTray() {
	if s.trayMenu == nil {
		return
	}
	show, need, quit := s.say("alive.tray.show"), "", s.say("alive.tray.quit")
	if n := needing(s.accounts.list); n > 0 {
		need = s.c.Count("accounts.need", n)
	}
	said := show + "\n" + need + "\n" + quit
	if said == s.traySaid {
		return
	}
	s.traySaid = said
	items := []*fyne.MenuItem{fyne.NewMenuItem(show, s.raise)}
	if need != "" {
		items = append(items, fyne.NewMenuItem(need, func() {
			s.raise()
			if !s.dialogOpen() {
				s.goNeedy()
			}
		}))
	}
	leave := fyne.NewMenuItem(quit, s.quit)
	// The toolkit adds one of its own otherwise, in its own words.
	leave.IsQuit = true
	s.trayMenu = fyne.NewMenu("", append(items, fyne.NewMenuItemSeparator(), leave)...)
	s.params.Tray.Show(s.trayMenu)
}

// goNeedy shows the accounts that need the person.
func (s *shell) goNeedy() {
	s.goAccounts()
	if h, ok := s.home.(*homeScreen); ok && h.list != nil {
		h.list.filter(filterNeed)
	}
}

// closeWindow is what the window's own close button does.
func (s *shell) closeWindow() {
	if s.trayMenu != nil && s.prefs.toTray() {
		s.hidden = true
		s.window.Hide()
		return
	}
	s.quit()
}

// wish does what a later start of the program asked for: "show", or
// "account:ID".
func (s *shell) wish(w string) {
	s.raise()
	if id, ok := cutAccount(w); ok && !s.dialogOpen() {
		s.goWished(id)
	}
}

const wishAccount = "account:"

// cutAccount takes the id out of a wish; what is no id of ours is none.
func cutAccount(w string) (id string, ok bool) {
	if len(w) <= len(wishAccount) || w[:len(wishAccount)] != wishAccount {
		return "", false
	}
	id = w[len(wishAccount):]
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return "", false
		}
	}
	return id, len(id) <= 32
}

// goWished opens an account, or remembers the wish until the accounts are
// known.
func (s *shell) goWished(id string) {
	if !s.accounts.known {
		s.wished = id
		return
	}
	s.wished = ""
	s.goAccount(id)
}

// listenForWishes takes what later starts ask for.
func (s *shell) listenForWishes() {
	if s.params.Wishes == nil {
		return
	}
	wishes := s.params.Wishes
	go func() {
		for {
			select {
			case w, open := <-wishes:
				if !open {
					return
				}
				s.run.Post(func() {
					if !s.ended {
						s.wish(w)
					}
				})
			case <-s.ctx.Done():
				return
			}
		}
	}()
}
