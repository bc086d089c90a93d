package ui

import (
	"context"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// copied is a secret of ours in the clipboard, until it is taken out again.
type copied struct {
	// id is the account whose token it is; empty for another secret.
	id    string
	value secret.Text
	until time.Time
	stop  func()
	toast *kit.Toast
}

// copyToken puts an account's token into the clipboard and takes it out again
// after the person's choice of seconds. then is told how it went; may be nil.
func (s *shell) copyToken(a connect.Account, then func(*problem.Problem)) {
	if s.core == nil {
		return
	}
	core, ctx := s.core, s.coreCtx
	work(s, ctx, func(ctx context.Context) (connect.Handed, error) {
		handed, err := core.Token(ctx, a.ID)
		if err == nil {
			err = core.Note(ctx, a.ID, "copied", nil)
		}
		return handed, err
	}, func(handed connect.Handed, p *problem.Problem) {
		if ctx.Err() != nil {
			return
		}
		// A diary that cannot be written is no reason to withhold the token.
		if !handed.AccessToken.Empty() {
			s.copySecret(a.ID, handed.AccessToken)
			p = nil
		}
		if p != nil {
			s.tell(p)
		}
		if then != nil {
			then(p)
		}
		s.changed()
	})
}

// copySecret puts value into the clipboard and clears it again after the
// chosen time, if it still holds value then. id names the account, or nothing.
func (s *shell) copySecret(id string, value secret.Text) {
	if s.copied != nil {
		s.copied.stop()
		s.dropToast(s.copied.toast)
	}
	seconds := s.prefs.clipboardSeconds()
	s.app.Clipboard().SetContent(value.Reveal())
	c := &copied{id: id, value: value, until: s.now().Add(time.Duration(seconds) * time.Second)}
	s.copied = c
	c.stop = s.after(time.Duration(seconds)*time.Second, func() {
		if s.copied == c {
			s.clearCopied()
		}
	})
	words := s.say("accounts.copied", text.Args{"seconds": seconds})
	// The account's own screen counts down beside the button.
	if id == "" || !s.showsAccount(id) {
		c.toast = s.toastWith(words, s.say("accounts.clear_now"), s.clearCopied)
	}
}

// copyPlain puts something into the clipboard that is no secret.
func (s *shell) copyPlain(value string) { s.app.Clipboard().SetContent(value) }

// pasted reads the clipboard: only ever on a person's click on "Paste".
func (s *shell) pasted() string { return s.app.Clipboard().Content() }

// clearCopied takes our secret out of the clipboard. Something else that was
// copied meanwhile is left alone.
func (s *shell) clearCopied() {
	c := s.copied
	if c == nil {
		return
	}
	s.copied = nil
	c.stop()
	if s.app.Clipboard().Content() == c.value.Reveal() {
		s.app.Clipboard().SetContent("")
	}
	s.dropToast(c.toast)
	s.changed()
}

// copiedLeft is how long the token of account id stays in the clipboard; 0
// when it is not there.
func (s *shell) copiedLeft(id string) time.Duration {
	if s.copied == nil || s.copied.id != id {
		return 0
	}
	return max(0, s.copied.until.Sub(s.now()))
}
