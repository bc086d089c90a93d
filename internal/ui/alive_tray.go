package ui

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Tray is the desktop's place for programs that stand by.
type Tray interface {
	// Present reports whether the desktop has one. It may ask another process.
	Present(ctx context.Context) bool
	// Show puts our icon with that menu there, or changes the menu's words: it
	// has the same items, in the same order, at every call. It is called on the
	// window's goroutine and does not wait.
	Show(menu []TrayItem)
}

// TrayItem is one line of the tray's menu.
type TrayItem struct {
	// Words are empty while the item is not to be seen.
	Words string
	// Do may be called from any goroutine. It is the same at every call.
	Do func()
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
			s.tray = true
			s.changed()
		})
}

// refreshTray brings the tray's menu up to date; nothing is done for the same
// words.
func (s *shell) refreshTray() {
	if !s.tray {
		return
	}
	need := ""
	if n := needing(s.accounts.list); n > 0 {
		need = s.c.Count("accounts.need", n)
	}
	menu := []TrayItem{
		{s.say("alive.tray.show"), s.fromTray(s.raise)},
		{need, s.fromTray(func() {
			s.raise()
			if !s.dialogOpen() {
				s.goNeedy()
			}
		})},
		{s.say("alive.tray.quit"), s.fromTray(func() {
			if s.waiting {
				s.raise() // it asks first
			}
			s.quit()
		})},
	}
	said := menu[0].Words + "\n" + need + "\n" + menu[2].Words
	if said != s.traySaid {
		s.traySaid = said
		s.params.Tray.Show(menu)
	}
}

// fromTray is do, brought to the window's goroutine.
func (s *shell) fromTray(do func()) func() {
	return func() {
		s.run.Post(func() {
			if !s.ended {
				do()
			}
		})
	}
}

// goNeedy shows the accounts that need the person.
func (s *shell) goNeedy() {
	s.goAccounts()
	if h, ok := s.home.(*homeScreen); ok && h.list != nil {
		h.list.filter(filterNeed)
	}
}

// concealer is a screen that may show a secret and hides it when told to.
type concealer interface{ conceal() }

// closeWindow is what the window's own close button does.
func (s *shell) closeWindow() {
	if s.tray && s.prefs.toTray() {
		s.hidden = true
		if c, ok := s.current.(concealer); ok {
			c.conceal()
		}
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
	s.run.Beside(func() {
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
	})
}
