package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Entry is a text field. It hands the shortcuts and keys that it does not use
// on to the window and wears a 2 px edge with the focus, a warning or an error.
type Entry struct {
	widget.Entry
	name    string
	state   Tone
	focus   bool
	onFocus func(bool)
	// hidden stays true while the eye shows the content.
	hidden bool
	mark   *Icon
	// drawn is told of each refresh: the toolkit's eye tells nothing else.
	drawn func()
}

// NewEntry makes a field; name is what readers and tests call it.
func NewEntry(name, placeholder string) *Entry {
	e := &Entry{name: name}
	e.PlaceHolder = placeholder
	e.Wrapping = fyne.TextWrapOff
	e.Scroll = fyne.ScrollHorizontalOnly
	e.mark = NewIcon(theme.IconWarning, theme.ColorWarning, theme.SizeIcon)
	e.ActionItem = newSlot(e.mark)
	e.ExtendBaseWidget(e)
	return e
}

// newSlot is room for a mark at the end of a field; none while it is hidden.
func newSlot(mark *Icon) fyne.CanvasObject {
	mark.Hide()
	return box(&slot{}, mark)
}

type slot struct{ over }

func (s *slot) MinSize(objects []fyne.CanvasObject) fyne.Size {
	if !objects[0].Visible() {
		return fyne.NewSize(0, 0)
	}
	return objects[0].MinSize().AddWidthHeight(16, 0)
}

// NewMonoEntry is for IDs and addresses.
func NewMonoEntry(name, placeholder string) *Entry {
	e := NewEntry(name, placeholder)
	e.TextStyle = fyne.TextStyle{Monospace: true}
	return e
}

// NewSearch is a search field.
func NewSearch(name, placeholder string, changed func(string)) *Entry {
	e := NewEntry(name, placeholder)
	e.Icon = theme.Icon(theme.IconSearch, theme.ColorMuted)
	e.OnChanged = changed
	return e
}

// Seen implements Seen.
func (e *Entry) Seen() Description {
	if e.hidden {
		d := Description{Role: RoleSecret, Text: e.name}
		if e.Text != "" {
			d.Value = Masked
		}
		return d
	}
	return Description{Role: RoleField, Text: e.name, Value: e.Text}
}

// AccessibilityLabel is the field's name and, unless it is secret, its content.
func (e *Entry) AccessibilityLabel() string {
	d := e.Seen()
	if d.Value != "" {
		return d.Text + ", " + d.Value
	}
	return d.Text
}

// AccessibilityRole is text.
func (e *Entry) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// Mark sets the edge and the mark at the end: Neutral for none, Warn or Bad.
func (e *Entry) Mark(t Tone) {
	if e.state == t {
		return
	}
	e.state = t
	if e.mark != nil {
		if t == Warn || t == Bad {
			e.mark.Set(t.icon(), t.ink())
		}
		show(e.mark, t == Warn || t == Bad)
	}
	e.Refresh()
}

// FocusGained is called by the toolkit.
func (e *Entry) FocusGained() {
	e.focus = true
	e.Entry.FocusGained()
	if e.onFocus != nil {
		e.onFocus(true)
	}
}

// FocusLost is called by the toolkit.
func (e *Entry) FocusLost() {
	e.focus = false
	e.Entry.FocusLost()
	if e.onFocus != nil {
		e.onFocus(false)
	}
}

// TypedKey hands Escape and the function keys on to the window.
func (e *Entry) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyEscape, fyne.KeyF1, fyne.KeyF2, fyne.KeyF3, fyne.KeyF4, fyne.KeyF5, fyne.KeyF6, fyne.KeyF7, fyne.KeyF8, fyne.KeyF9, fyne.KeyF10, fyne.KeyF11, fyne.KeyF12:
		passKey(e, ev)
		return
	}
	e.Entry.TypedKey(ev)
}

// TypedShortcut hands what a field does not use on to the window.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	if uses(s) {
		e.Entry.TypedShortcut(s)
		return
	}
	passShortcut(e, s)
}

func uses(s fyne.Shortcut) bool {
	switch s := s.(type) {
	case *fyne.ShortcutCopy, *fyne.ShortcutCut, *fyne.ShortcutPaste, *fyne.ShortcutSelectAll, *fyne.ShortcutUndo, *fyne.ShortcutRedo:
		return true
	case *desktop.CustomShortcut:
		if s.Modifier&(fyne.KeyModifierShortcutDefault|fyne.KeyModifierShift) == 0 {
			return false
		}
		switch s.KeyName {
		case fyne.KeyLeft, fyne.KeyRight, fyne.KeyHome, fyne.KeyEnd, fyne.KeyBackspace:
			return true
		case fyne.KeyZ:
			return s.Modifier == fyne.KeyModifierShortcutDefault|fyne.KeyModifierShift
		}
	}
	return false
}

// CreateRenderer is called by the toolkit.
func (e *Entry) CreateRenderer() fyne.WidgetRenderer {
	r := &entryRenderer{WidgetRenderer: e.Entry.CreateRenderer(), e: e, edge: newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 8)}
	r.apply()
	return r
}

type entryRenderer struct {
	fyne.WidgetRenderer
	e    *Entry
	edge *plate
	// marked is whether the field was laid out with its mark.
	marked bool
}

func (r *entryRenderer) apply() {
	r.edge.stroke = theme.ColorPrimary
	switch r.e.state {
	case Warn:
		r.edge.stroke = theme.ColorWarning
		if !r.e.focus {
			r.edge.stroke = theme.ColorWarningBar
		}
	case Bad:
		r.edge.stroke = theme.ColorErrorBar
	}
	show(r.edge, (r.e.focus || r.e.state == Warn || r.e.state == Bad) && !r.e.Disabled())
}

func (r *entryRenderer) MinSize() fyne.Size {
	s := r.WidgetRenderer.MinSize()
	return fyne.NewSize(min(s.Width, 80*theme.Scale()), max(theme.Length(theme.SizeControl), s.Height))
}

func (r *entryRenderer) Layout(s fyne.Size) {
	r.marked = r.e.mark != nil && r.e.mark.Visible()
	r.WidgetRenderer.Layout(s)
	r.edge.Resize(s)
}

func (r *entryRenderer) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject(nil), r.WidgetRenderer.Objects()...), r.edge)
}

func (r *entryRenderer) Refresh() {
	if marked := r.e.mark != nil && r.e.mark.Visible(); marked != r.marked {
		r.Layout(r.e.Size())
	}
	r.WidgetRenderer.Refresh()
	if r.e.drawn != nil {
		r.e.drawn()
	}
	r.apply()
	r.edge.Refresh()
}

// SecretEntry is a masked field whose content leaves it as secret.Text. What
// its eye shows is masked again soon after the field lost the focus, and after
// thirty seconds in any case.
type SecretEntry struct {
	Entry
	// OnFilled is told the number of characters after each change.
	OnFilled func(length int)
	run      Runner
	// stop ends the timer of what is shown now.
	stop func()
}

// The limits of looking at a typed secret. A click on the eye takes the focus
// for a moment: masking at once would make that click show it again.
const (
	revealLimit = 30 * time.Second
	revealAway  = time.Second
)

// NewSecretEntry makes one.
func NewSecretEntry(run Runner, name, placeholder string) *SecretEntry {
	e := &SecretEntry{run: run}
	e.drawn = e.watch
	e.name = name
	e.PlaceHolder = placeholder
	e.Password, e.hidden = true, true
	e.Wrapping = fyne.TextWrapOff
	e.Scroll = fyne.ScrollHorizontalOnly
	e.TextStyle = fyne.TextStyle{Monospace: true}
	e.OnChanged = func(s string) {
		if e.OnFilled != nil {
			e.OnFilled(len([]rune(s)))
		}
	}
	e.ExtendBaseWidget(e)
	return e
}

// watch starts the limit when the eye was opened, and ends it with it.
func (e *SecretEntry) watch() {
	switch {
	case e.Password && e.stop != nil:
		e.stop()
		e.stop = nil
	case !e.Password && e.stop == nil:
		e.stop = e.run.After(revealLimit, e.Conceal)
	}
}

// Conceal masks what the eye shows.
func (e *SecretEntry) Conceal() {
	if !e.Password {
		e.Password = true
		e.Refresh()
	}
}

// FocusLost is called by the toolkit.
func (e *SecretEntry) FocusLost() {
	e.Entry.FocusLost()
	if !e.Password {
		e.run.After(revealAway, func() {
			if !e.focus {
				e.Conceal()
			}
		})
	}
}

// Take returns the content and empties the field and its undo history.
func (e *SecretEntry) Take() secret.Text {
	t := secret.New(e.Text)
	e.Clear()
	return t
}

// Peek returns the content and leaves it: for checks while it is being typed.
func (e *SecretEntry) Peek() secret.Text { return secret.New(e.Text) }

// Clear empties the field and its undo history.
func (e *SecretEntry) Clear() { e.SetText("") }

// Put fills the field, from a paste button.
func (e *SecretEntry) Put(t secret.Text) { e.SetText(t.Reveal()) }

// FieldBox is a labelled field with a line of advice below it, whose height is
// reserved, so that a warning that comes or goes moves nothing.
type FieldBox struct {
	group
	label *Text
	Entry *Entry
	hint  *Text
	mark  *Icon
	plain string
	tone  Tone
	tall  *reserve
}

// NewFieldBox makes one around an entry. hint is the advice while all is well;
// lines is for how many lines of hint there is room, at least 1.
func NewFieldBox(label string, e *Entry, hint string, lines int, trailing ...fyne.CanvasObject) *FieldBox {
	return newFieldBox(label, e, e, hint, lines, trailing...)
}

// NewSecretBox is a FieldBox around a secret's field.
func NewSecretBox(label string, e *SecretEntry, hint string, lines int, trailing ...fyne.CanvasObject) *FieldBox {
	return newFieldBox(label, e, &e.Entry, hint, lines, trailing...)
}

func newFieldBox(label string, field fyne.CanvasObject, e *Entry, hint string, lines int, trailing ...fyne.CanvasObject) *FieldBox {
	f := &FieldBox{label: Strong(label), Entry: e, hint: Caption(hint), plain: hint, mark: NewIcon("", theme.ColorMuted, theme.SizeHintIcon)}
	f.mark.Hide()
	show(f.label, label != "")
	f.tall = &reserve{lines: lines}
	row := Row(8, append([]fyne.CanvasObject{Grow(field)}, trailing...)...)
	hintRow := box(f.tall, TopRow(6, f.mark, Grow(f.hint)))
	f.compose(f, Column(6, f.label, row, hintRow))
	if lines == 0 {
		hintRow.Hide()
	}
	return f
}

// SetLabel changes the label.
func (f *FieldBox) SetLabel(label string) {
	f.label.SetText(label)
	f.Entry.name = label
}

// Say shows advice in a tone: Neutral with no words is the plain hint again.
// A link may follow the words.
func (f *FieldBox) Say(tone Tone, words string, link ...Run) {
	f.tone = tone
	if words == "" && len(link) == 0 {
		tone, words = Neutral, f.plain
	}
	f.Entry.Mark(tone)
	show(f.mark, tone == Warn || tone == Bad)
	colour := theme.ColorMuted
	if tone == Warn || tone == Bad {
		f.mark.Set(tone.icon(), tone.ink())
		colour = tone.ink()
	}
	f.hint.In(colour)
	runs := Runs(words)
	for _, l := range link {
		runs = append(runs, Run{Words: " "}, l)
	}
	f.hint.Set(runs...)
	f.root.Refresh()
	f.Refresh()
}

// Hint changes the plain advice.
func (f *FieldBox) Hint(words string) {
	f.plain = words
	if f.tone != Warn && f.tone != Bad {
		f.hint.SetText(words)
	}
}

// SetHintRuns sets the plain advice with a link in it.
func (f *FieldBox) SetHintRuns(runs ...Run) { f.hint.Set(runs...) }

// Tone is what the box says now.
func (f *FieldBox) Tone() Tone { return f.tone }

// Advice is what the hint row says now.
func (f *FieldBox) Advice() string { return f.hint.Words() }

// reserve keeps room for a number of caption lines.
type reserve struct {
	over
	lines int
}

func (r *reserve) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return max(float32(r.lines)*pitch(theme.Length(theme.SizeCaption)), r.over.heightFor(objects, width))
}

func (r *reserve) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := r.over.MinSize(objects)
	return fyne.NewSize(s.Width, max(s.Height, float32(r.lines)*pitch(theme.Length(theme.SizeCaption))))
}

// ReadOnly shows a value on an inset ground, in mono, ended by "…" where it is
// too long. It is not a field: it takes no focus.
type ReadOnly struct {
	group
	name string
	text *Text
}

// NewReadOnly makes one; name is what tests and readers call it.
func NewReadOnly(name, value string) *ReadOnly {
	r := &ReadOnly{name: name, text: Mono(value).OneLine()}
	plate := newPlate(theme.ColorInset, theme.ColorBorder, 1, 8)
	r.compose(r, Over(plate, box(&control{}, r.text)))
	return r
}

// Set changes the value.
func (r *ReadOnly) Set(value string) { r.text.Set(Run{Words: value}) }

// Seen implements Seen.
func (r *ReadOnly) Seen() Description {
	return Description{Role: RoleText, Text: r.name, Value: r.text.Words()}
}

// control is the height of a field, its content in the middle.
type control struct{ over }

func (c *control) heightFor(o []fyne.CanvasObject, w float32) float32 {
	return theme.Length(theme.SizeControl)
}
func (c *control) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width+22, theme.Length(theme.SizeControl))
}
func (c *control) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		h := HeightFor(o, s.Width-22)
		o.Move(fyne.NewPos(11, (s.Height-h)/2))
		o.Resize(fyne.NewSize(s.Width-22, h))
	}
}

// CopyField is a read-only value with a button that copies it and says so for
// two seconds.
type CopyField struct {
	group
	Value  *ReadOnly
	Button *Button
	value  string
	stop   func()
}

// NewCopyField makes one. copy gets the value; the words are the button's.
func NewCopyField(run Runner, name, value, copyWords, copiedWords string, copy func(string)) *CopyField {
	c := &CopyField{Value: NewReadOnly(name, value), value: value}
	c.Button = NewButton(copyWords, Medium, func() {
		copy(c.value)
		c.Button.SetLabel(copiedWords)
		if c.stop != nil {
			c.stop()
		}
		c.stop = run.After(2*time.Second, func() { c.Button.SetLabel(copyWords) })
	}).With(theme.IconCopy)
	c.compose(c, Row(8, Grow(c.Value), c.Button))
	return c
}

// Set changes the value.
func (c *CopyField) Set(value string) {
	c.value = value
	c.Value.Set(value)
}

// NewPasteButton reads the clipboard when it is pressed, and never otherwise.
func NewPasteButton(words string, pasted func(string)) *Button {
	return NewButton(words, Medium, func() {
		if clip := fyne.CurrentApp().Clipboard(); clip != nil {
			pasted(clip.Content())
		}
	}).With(theme.IconPaste)
}

// Select is a field that opens a list of choices.
type Select struct {
	base
	name     string
	options  []string
	selected int
	changed  func(int)
}

// NewSelect makes one; selected is an index, -1 for none.
func NewSelect(name string, options []string, selected int, changed func(int)) *Select {
	s := &Select{name: name, options: options, selected: selected, changed: changed}
	s.start(s, s.open)
	s.key = func(ev *fyne.KeyEvent) bool {
		switch ev.Name {
		case fyne.KeyUp:
			s.choose(max(0, s.selected-1))
		case fyne.KeyDown:
			s.choose(min(len(s.options)-1, s.selected+1))
		default:
			return false
		}
		return true
	}
	return s
}

// SetOptions replaces the choices; nothing is told to changed.
func (s *Select) SetOptions(options []string, selected int) {
	s.options, s.selected = options, selected
	s.Refresh()
}

// Selected is the index chosen, -1 for none.
func (s *Select) Selected() int { return s.selected }

// SetSelected chooses without telling.
func (s *Select) SetSelected(i int) { s.selected = i; s.Refresh() }

func (s *Select) choose(i int) {
	if s.Disabled() || i == s.selected || i < 0 || i >= len(s.options) {
		return
	}
	s.selected = i
	s.Refresh()
	if s.changed != nil {
		s.changed(i)
	}
}

func (s *Select) open() {
	var items []*fyne.MenuItem
	for i, o := range s.options {
		item := fyne.NewMenuItem(o, func() { s.choose(i) })
		item.Checked = i == s.selected
		items = append(items, item)
	}
	OpenMenu(s, items...)
}

// OpenMenu shows a menu below an object.
func OpenMenu(below fyne.CanvasObject, items ...*fyne.MenuItem) {
	c := canvasOf(below)
	if c == nil || len(items) == 0 {
		return
	}
	pop := widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(below)
	size := pop.MinSize()
	width := max(size.Width, min(below.Size().Width, 320))
	at = at.AddXY(0, below.Size().Height+2)
	at.X = max(4, min(at.X, c.Size().Width-width-4))
	at.Y = max(4, min(at.Y, c.Size().Height-size.Height-4))
	pop.ShowAtPosition(at)
	pop.Resize(fyne.NewSize(width, size.Height))
	c.Focus(pop)
}

func (s *Select) words() string {
	if s.selected >= 0 && s.selected < len(s.options) {
		return s.options[s.selected]
	}
	return ""
}

// Seen implements Seen.
func (s *Select) Seen() Description {
	return Description{Role: RoleSelect, Text: s.name, Value: s.words()}
}

// CreateRenderer is called by the toolkit.
func (s *Select) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorSurface, theme.ColorInputBorder, 1, 8)
	words := NewText("").OneLine()
	arrow := NewIcon(theme.IconDrop, theme.ColorMuted, theme.SizeButtonIcon)
	r := &chipRenderer{ground: ground, words: words, more: []fyne.CanvasObject{arrow}}
	scale := theme.Scale
	r.update = func() {
		words.colour, ground.stroke, ground.width = theme.ColorFg, theme.ColorInputBorder, 1
		if s.Disabled() {
			words.colour = theme.ColorDisabled
		} else if s.focused {
			ground.stroke, ground.width = theme.ColorPrimary, 2
		}
		words.set([]Run{{Words: s.words()}})
	}
	r.least = func() fyne.Size {
		w := float32(0)
		size, style := theme.Length(theme.SizeText), fyne.TextStyle{}
		for _, o := range s.options {
			m, _ := measure(o, size, style)
			w = max(w, m.Width)
		}
		return fyne.NewSize(min(w, 200*scale())+44*scale(), theme.Length(theme.SizeControl))
	}
	r.lay = func(size fyne.Size) {
		i := theme.Length(theme.SizeButtonIcon)
		w := size.Width - 11 - i - 12*scale()
		h := words.HeightFor(w)
		words.Move(fyne.NewPos(11, (size.Height-h)/2))
		words.Resize(fyne.NewSize(w, h))
		arrow.Move(fyne.NewPos(size.Width-i-10*scale(), (size.Height-i)/2))
		arrow.Resize(fyne.NewSquareSize(i))
	}
	r.update()
	return r
}
