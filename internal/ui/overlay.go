package ui

import "github.com/tokenkeep/tokenkeep/internal/ui/kit"

// question is a decision before something that cannot be taken back.
type question struct {
	title, body string
	// stay is the harmless answer, which has the focus; act is the other.
	stay, act string
	// kind of the other button: kit.Danger unless set.
	kind kit.Kind
	do   func()
}

// ask opens the dialog of a question. Escape is the harmless answer.
func (s *shell) ask(q question) {
	if q.kind == kit.Medium {
		q.kind = kit.Danger
	}
	s.open(kit.Dialog{Title: q.title, Body: kit.NewText(q.body), Buttons: []kit.DialogButton{
		{Label: q.stay, Kind: kit.Medium, Harmless: true},
		{Label: q.act, Kind: q.kind, Tapped: q.do},
	}})
}

// inform is a dialog that explains and has one way out.
func (s *shell) inform(title, body, closeWords string) {
	s.open(kit.Dialog{Title: title, Body: kit.NewText(body), Buttons: []kit.DialogButton{{Label: closeWords, Kind: kit.High, Harmless: true}}})
}

// open shows a dialog; it goes with the screen that opened it.
func (s *shell) open(d kit.Dialog) { s.dialog = s.frame.Open(d) }

func (s *shell) closeDialog() {
	if s.dialog != nil {
		s.dialog()
		s.dialog = nil
	}
}

func (s *shell) dialogOpen() bool { return s.frame.DialogOpen() }

// toast tells something in passing; it stays for 8 seconds.
func (s *shell) toast(words string) { s.toastWith(words, "", nil) }

// toastWith is a toast with something to do about it.
func (s *shell) toastWith(words, action string, do func()) *kit.Toast {
	return s.frame.Toast(words, action, do)
}

func (s *shell) dropToast(t *kit.Toast) {
	if t != nil {
		t.Close()
	}
}
