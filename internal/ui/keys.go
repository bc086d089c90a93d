package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// The keyboard map (ux.md 7), as far as there is an engine for it. Every
// action can also be reached with Tab and Enter or Space.

// combination is a key with what is held.
type combination struct {
	key  fyne.KeyName
	held fyne.KeyModifier
}

const (
	ctrl      = fyne.KeyModifierShortcutDefault
	ctrlShift = fyne.KeyModifierShortcutDefault | fyne.KeyModifierShift
)

// keyMenu is the key that opens a context menu; the toolkit knows no name for it.
const keyMenu fyne.KeyName = "Menu"

func (s *shell) keyboard() map[combination]func() {
	return map[combination]func(){
		{fyne.Key1, ctrl}:                    s.goAccounts,
		{fyne.Key2, ctrl}:                    func() { s.goConnect(connectStart{}) },
		{fyne.Key4, ctrl}:                    s.goGuide,
		{fyne.Key5, ctrl}:                    s.goSettings,
		{fyne.KeyComma, ctrl}:                s.goSettings,
		{fyne.KeyF, ctrl}:                    s.search,
		{fyne.KeyN, ctrl}:                    func() { s.goConnect(connectStart{}) },
		{fyne.KeyV, ctrlShift}:               s.goPaste,
		{fyne.KeyC, ctrlShift}:               s.copyChosen,
		{fyne.KeyL, ctrl}:                    s.signInChosen,
		{fyne.KeyR, ctrl}:                    s.renewChosen,
		{fyne.KeyF5, fyne.KeyModifierShift}:  s.checkAll,
		{fyne.KeyReturn, ctrl}:               s.pressHigh,
		{fyne.KeyEnter, ctrl}:                s.pressHigh,
		{fyne.KeyLeft, fyne.KeyModifierAlt}:  s.escape,
		{fyne.KeyF10, fyne.KeyModifierShift}: s.menuChosen,
		{fyne.KeyF6, fyne.KeyModifierShift}:  s.nextRegion,
		{fyne.KeyPlus, ctrl}:                 func() { s.largerText(1) },
		{fyne.KeyPlus, ctrlShift}:            func() { s.largerText(1) },
		{fyne.KeyEqual, ctrl}:                func() { s.largerText(1) },
		{fyne.KeyEqual, ctrlShift}:           func() { s.largerText(1) },
		{fyne.KeyMinus, ctrl}:                func() { s.largerText(-1) },
		{fyne.Key0, ctrl}:                    func() { s.setTextPercent(100) },
		{fyne.KeyW, ctrl}:                    s.quit,
		{fyne.KeyQ, ctrl}:                    s.quit,
		{fyne.KeyB, ctrl}:                    func() { s.forward(combination{fyne.KeyB, ctrl}) },
		{fyne.KeyL, ctrlShift}:               func() { s.forward(combination{fyne.KeyL, ctrlShift}) },
	}
}

// keyed is a screen with shortcuts of its own; what the shell does not know
// itself comes there.
type keyed interface{ shortcut(combination) bool }

func (s *shell) forward(k combination) {
	if screen, ok := s.current.(keyed); ok {
		screen.shortcut(k)
	}
}

// listenToKeys gives the window the whole map. Widgets of ours hand on what
// they do not use, so it works with a field in focus as well. While a dialog
// is open the frame lets it have the keys; only quitting works past it.
func (s *shell) listenToKeys() {
	s.frame.OnKey, s.frame.OnRune = s.typedKey, s.typedRune
	for k, do := range s.keyboard() {
		shortcut := &desktop.CustomShortcut{KeyName: k.key, Modifier: k.held}
		if k == (combination{fyne.KeyQ, ctrl}) || k == (combination{fyne.KeyW, ctrl}) {
			s.window.Canvas().AddShortcut(shortcut, func(fyne.Shortcut) { do() })
			continue
		}
		s.frame.Shortcut(shortcut, do)
	}
}

// typedKey takes the keys that nothing in focus uses.
func (s *shell) typedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape:
		s.escape()
	case fyne.KeyF5:
		// The toolkit hands Shift with a function key on as the key alone.
		if s.shiftHeld() {
			s.checkAll()
		} else {
			s.checkChosen()
		}
	case fyne.KeyF1:
		s.help()
	case fyne.KeyF10:
		if s.shiftHeld() {
			s.menuChosen()
		}
	case fyne.KeyF6:
		s.nextRegion()
	case keyMenu:
		s.menuChosen()
	default:
		if t, ok := s.current.(typist); ok {
			t.typedKey(e)
		}
	}
}

// shiftHeld asks the toolkit what is held at this moment.
func (s *shell) shiftHeld() bool {
	d, ok := s.app.Driver().(desktop.Driver)
	return ok && d.CurrentKeyModifiers()&fyne.KeyModifierShift != 0
}

// typedRune takes single letters outside fields.
func (s *shell) typedRune(r rune) {
	if r == '/' {
		s.search()
	}
}

// escape asks the screen, else goes back.
func (s *shell) escape() {
	if e, ok := s.current.(escaper); ok && e.escape() {
		return
	}
	s.back()
}

func (s *shell) pressHigh() {
	if p, ok := s.current.(presser); ok {
		p.press()
	}
}

// search goes to the list and into its search field.
func (s *shell) search() {
	s.goAccounts()
	if h, ok := s.home.(*homeScreen); ok {
		h.focusSearch()
	}
}

// chooser is a screen on which one account is the chosen one.
type chooser interface {
	copyChosen()
	signInChosen()
	menuChosen()
}

func (s *shell) copyChosen() {
	if c, ok := s.current.(chooser); ok {
		c.copyChosen()
	}
}

func (s *shell) signInChosen() {
	if c, ok := s.current.(chooser); ok {
		c.signInChosen()
	}
}

func (s *shell) renewChosen() {
	if r, ok := s.current.(renewer); ok {
		r.renewNow()
	}
}

func (s *shell) checkChosen() {
	if c, ok := s.current.(checker); ok {
		c.checkNow()
	}
}

func (s *shell) menuChosen() {
	if c, ok := s.current.(chooser); ok {
		c.menuChosen()
	}
}

// quit closes the window, unless a sign-in is under way: then it asks.
func (s *shell) quit() {
	if s.waiting && !s.dialogOpen() {
		s.ask(question{
			title: s.say("connect.wait.stop_title"), body: s.say("connect.wait.stop_body"),
			stay: s.say("connect.wait.keep_waiting"), act: s.say("connect.wait.stop"), do: s.leave,
		})
		return
	}
	s.leave()
}

// leave ends the program. What a sign-in has in hand is sealed on disk, and the
// next start finishes it.
func (s *shell) leave() {
	s.close()
	s.window.Close() // the master window: the program ends with it
}

// keyRow is a line of what F1 tells: keys and what they do.
type keyRow struct{ keys, does string }

// keysHere are the short cuts that do something on the screen in sight, by the
// names of their sentences; those of every screen come last.
func (s *shell) keysHere() []keyRow {
	var rows []keyRow
	switch s.current.(type) {
	case *connectScreen:
		rows = []keyRow{{"Ctrl+B", "browser"}, {"Ctrl+Shift+L", "link"}}
	case *homeScreen:
		rows = []keyRow{{"Ctrl+F", "search"}, {"Ctrl+Shift+C", "copy"}, {"Ctrl+R", "renew"}, {"F5", "check"}, {"Ctrl+L", "sign_in"}}
	case *accountScreen:
		rows = []keyRow{{"Ctrl+Shift+C", "copy"}, {"Ctrl+R", "renew"}, {"F5", "check"}, {"Ctrl+L", "sign_in"}}
	}
	if _, ok := s.current.(presser); ok {
		rows = append(rows, keyRow{"Ctrl+Enter", "high"})
	}
	return append(rows, keyRow{"Esc", "back"}, keyRow{"Ctrl+1, 2, 4, 5", "places"}, keyRow{"Ctrl+N", "connect"}, keyRow{"Ctrl+Shift+V", "paste"},
		keyRow{"F6", "regions"}, keyRow{"Ctrl++, Ctrl+-, Ctrl+0", "text"})
}

// help tells the keys of the screen, and where more is explained.
func (s *shell) help() {
	if s.dialogOpen() {
		return
	}
	var rows []fyne.CanvasObject
	for _, row := range s.keysHere() {
		rows = append(rows, kit.Columns(16, 0, []float32{-170, 1}, kit.Strong(row.keys), kit.NewText(s.say("help.keys."+row.does))))
	}
	buttons := []kit.DialogButton{{Label: s.say("connect.warn.close"), Kind: kit.High, Harmless: true}}
	if s.core != nil {
		buttons = append([]kit.DialogButton{{Label: s.say("help.title"), Kind: kit.Medium, Tapped: s.goGuide}}, buttons...)
	}
	s.open(kit.Dialog{Title: s.say("help.keys.title"), Body: kit.Column(8, rows...), Buttons: buttons, Width: 520})
}
