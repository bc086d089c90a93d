package ui

import "fyne.io/fyne/v2"

// focus gives the focus to f.
func (s *shell) focus(f fyne.Focusable) { s.frame.Focus(f) }

// focusContent gives the focus to the first thing in the screen that takes it.
func (s *shell) focusContent() { s.focusWhere(s.inContent) }

// nextRegion moves the focus between the rail and the screen (F6).
func (s *shell) nextRegion() {
	if focused := s.window.Canvas().Focused(); focused != nil && s.inContent(focused) {
		s.focusWhere(func(f fyne.Focusable) bool { return !s.inContent(f) })
		return
	}
	s.focusContent()
}

// focusWhere moves the focus on, in the order of Tab, until it fits.
func (s *shell) focusWhere(fits func(fyne.Focusable) bool) {
	c := s.window.Canvas()
	c.Unfocus()
	// More widgets than this on one screen there are not.
	for range 400 {
		c.FocusNext()
		focused := c.Focused()
		if focused == nil || fits(focused) {
			return
		}
	}
	c.Unfocus()
}

func (s *shell) inContent(f fyne.Focusable) bool {
	o, ok := f.(fyne.CanvasObject)
	if !ok {
		return false
	}
	driver := s.app.Driver()
	at, content := driver.AbsolutePositionForObject(o), driver.AbsolutePositionForObject(s.body.content)
	return at.X >= content.X && at.Y >= content.Y
}
