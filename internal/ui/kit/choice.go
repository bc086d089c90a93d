package kit

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// mark is the box or the radio in front of a choice.
type choice struct {
	base
	role     Role
	title    string
	line     string
	selected bool
	// locked cannot be changed and is not grey, since it is information.
	locked  bool
	framed  bool
	strong  bool
	body    *fyne.Container
	titleT  *Text
	lineT   *Text
	icon    *Icon
	changed func(bool)
	ground  *plate
	ring    *plate
	pad     float32
}

func (c *choice) build(self fyne.Widget, trailing ...fyne.CanvasObject) {
	c.titleT = NewText(c.title)
	c.lineT = Caption(c.line)
	show(c.lineT, c.line != "")
	c.icon = NewIcon(theme.IconBoxOff, theme.ColorInputBorder, theme.SizeIcon)
	words := Column(1, c.titleT, c.lineT)
	icon := fyne.CanvasObject(c.icon)
	inner := Row(10, append([]fyne.CanvasObject{icon, Grow(words)}, trailing...)...)
	if !c.framed && c.role == RoleCheck {
		inner = TopRow(10, append([]fyne.CanvasObject{icon, Grow(words)}, trailing...)...)
	}
	c.pad = 0
	if c.framed {
		c.pad = 14
	}
	c.body = Inset(c.pad, c.pad, c.pad, c.pad, inner)
	c.ground = newPlate(theme.ColorSurface, theme.ColorBorder, 1, theme.Length(theme.SizeNoticeRadius))
	c.ring = newRing(8)
	c.start(self, c.toggle)
	c.Refresh()
}

func (c *choice) toggle() {
	if c.locked {
		return
	}
	if c.role == RoleRadio {
		if c.selected {
			return
		}
		c.selected = true
	} else {
		c.selected = !c.selected
	}
	c.Refresh()
	if c.changed != nil {
		c.changed(c.selected)
	}
}

// Selected reports whether it is chosen.
func (c *choice) Selected() bool { return c.selected }

// SetSelected chooses without telling.
func (c *choice) SetSelected(yes bool) {
	if c.selected != yes {
		c.selected = yes
		c.Refresh()
	}
}

// SetWords changes title and line.
func (c *choice) SetWords(title, line string) {
	c.title, c.line = title, line
	c.Refresh()
}

// Seen implements Seen.
func (c *choice) Seen() Description {
	return Description{Role: c.role, Text: c.title, Value: c.line, Selected: c.selected}
}

// HeightFor implements Tall.
func (c *choice) HeightFor(width float32) float32 { return HeightFor(c.body, width) }

// NaturalWidth implements Wide.
func (c *choice) NaturalWidth() float32 { return natural(c.body) }

func (c *choice) apply() {
	c.titleT.set(Runs(c.title))
	c.lineT.set(Runs(c.line))
	show(c.lineT, c.line != "")
	c.titleT.bold = c.strong || c.role == RoleRadio && c.selected
	ink := theme.ColorFg
	line := theme.ColorMuted
	if c.Disabled() {
		ink, line = theme.ColorDisabled, theme.ColorMuted
	}
	c.titleT.colour, c.lineT.colour = ink, line
	name, colour := theme.IconBoxOff, theme.ColorInputBorder
	switch {
	case c.role == RoleRadio && c.selected:
		name, colour = theme.IconRadioOn, theme.ColorPrimary
	case c.role == RoleRadio:
		name = theme.IconRadioOff
	case c.selected:
		name, colour = theme.IconBoxOn, theme.ColorPrimary
	}
	if c.locked && c.selected {
		colour = theme.ColorMuted
	}
	if c.Disabled() {
		colour = theme.ColorDisabled
	}
	c.icon.name, c.icon.colour = name, colour
	c.ground.fill, c.ground.stroke, c.ground.width = theme.ColorTransparent, "", 0
	if c.framed {
		c.ground.fill, c.ground.stroke, c.ground.width = theme.ColorSurface, theme.ColorBorder, 1
		if c.selected {
			c.ground.fill, c.ground.stroke, c.ground.width = theme.ColorPrimarySoft, theme.ColorPrimary, 2
		} else if c.hovered && !c.Disabled() {
			c.ground.fill = theme.ColorInset
		}
	}
	show(c.ring, c.focused && !c.Disabled())
}

// CreateRenderer is called by the toolkit.
func (c *choice) CreateRenderer() fyne.WidgetRenderer {
	return &shell{
		root: Over(c.ground, c.body), update: c.apply, extra: []fyne.CanvasObject{c.ring},
		place: func(s fyne.Size) { placeRing(c.ring, s) },
	}
}

// Check is an on/off setting with an optional second line.
type Check struct{ choice }

// NewCheck makes one.
func NewCheck(title, line string, on bool, changed func(bool)) *Check {
	c := &Check{choice{role: RoleCheck, title: title, line: line, selected: on, changed: changed}}
	c.build(c)
	return c
}

// OptionRow is one of several choices. Options makes them exclusive.
type OptionRow struct{ choice }

// NewOption makes a plain one, for a list of radios; trailing stands at its end.
func NewOption(title, line string, trailing ...fyne.CanvasObject) *OptionRow {
	o := &OptionRow{choice{role: RoleRadio, title: title, line: line}}
	o.build(o, trailing...)
	return o
}

// NewOptionCard makes one with a frame.
func NewOptionCard(title, line string, trailing ...fyne.CanvasObject) *OptionRow {
	o := &OptionRow{choice{role: RoleRadio, title: title, line: line, framed: true}}
	o.build(o, trailing...)
	return o
}

// Options makes rows exclusive; arrows move the choice. chosen gets the index.
func Options(selected int, chosen func(int), rows ...*OptionRow) {
	pick := func(i int) {
		for j, r := range rows {
			r.SetSelected(i == j)
		}
		if chosen != nil {
			chosen(i)
		}
	}
	for i, r := range rows {
		r.SetSelected(i == selected)
		r.changed = func(bool) { pick(i) }
		r.key = func(ev *fyne.KeyEvent) bool {
			step := 0
			switch ev.Name {
			case fyne.KeyUp, fyne.KeyLeft:
				step = -1
			case fyne.KeyDown, fyne.KeyRight:
				step = 1
			default:
				return false
			}
			for j := i + step; j >= 0 && j < len(rows); j += step {
				if !rows[j].Disabled() && rows[j].Visible() {
					pick(j)
					focusOn(rows[j])
					break
				}
			}
			return true
		}
	}
}

// CheckRow is a permission: box, title, line in body size, and the scope's name
// in small mono. A locked one is on and stays on; its chip says so.
type CheckRow struct {
	choice
	scope string
	chip  *StatusChip
}

// NewCheckRow makes one. locked is the chip's word ("Always on") and empty for
// one that can be changed; the chip's reason is the tooltip.
func NewCheckRow(title, line, scope string, on bool, locked, reason string, changed func(bool)) *CheckRow {
	c := &CheckRow{choice: choice{role: RoleCheck, title: title, line: line, selected: on || locked != "", locked: locked != "", strong: true, changed: changed}, scope: scope}
	c.titleT, c.lineT = NewText(title), Muted(line)
	c.icon = NewIcon(theme.IconBoxOff, theme.ColorInputBorder, theme.SizeIcon)
	head := Flow(8, c.titleT)
	if locked != "" {
		c.chip = NewStatusChip(locked, Neutral, theme.IconLock)
		head.Add(c.chip)
	}
	c.body = box(&over{}, TopRow(12, c.icon, Grow(Column(1, head, c.lineT, Micro(scope)))))
	c.ground = newPlate(theme.ColorTransparent, "", 0, 8)
	c.ring = newRing(8)
	c.Tip = reason
	c.start(c, c.toggle)
	c.Refresh()
	return c
}

// Seen implements Seen.
func (c *CheckRow) Seen() Description {
	d := c.choice.Seen()
	if c.locked {
		d.Value = c.chip.words
	}
	return d
}

// NavItem is an entry of the rail.
type NavItem struct {
	base
	words    string
	icon     theme.IconName
	selected bool
	small    bool
	note     string
	badge    *Badge
	// grew is told that the item asks for another size.
	grew func()
}

// NewNavItem makes one.
func NewNavItem(words string, icon theme.IconName, tapped func()) *NavItem {
	n := &NavItem{words: words, icon: icon, badge: NewBadge(0)}
	n.start(n, tapped)
	return n
}

// SetSelected marks where the window is.
func (n *NavItem) SetSelected(yes bool) {
	if n.selected != yes {
		n.selected = yes
		n.Refresh()
	}
}

// SetCount shows a number, none at 0.
func (n *NavItem) SetCount(count int) { n.badge.Set(count); n.Refresh() }

// SetNote shows a small word below: "Waiting".
func (n *NavItem) SetNote(words string) {
	if n.note != words {
		n.note = words
		n.Refresh()
		if n.grew != nil {
			n.grew()
		}
	}
}

// Seen implements Seen.
func (n *NavItem) Seen() Description {
	value := n.badge.words()
	if n.note != "" {
		value = n.note
	}
	return Description{Role: RoleNav, Text: n.words, Value: value, Selected: n.selected}
}

// CreateRenderer is called by the toolkit.
func (n *NavItem) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorTransparent, "", 0, 8)
	shade := newPlate(theme.ColorTransparent, "", 0, 8)
	ring := newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 8)
	icon := NewIcon(n.icon, theme.ColorMuted, theme.SizeIcon)
	words := NewText("").OneLine()
	note := Caption("").OneLine()
	s := theme.Scale
	r := &chipRenderer{ground: ground, icon: icon, words: words, more: []fyne.CanvasObject{note, n.badge, shade, ring}}
	r.update = func() {
		ground.fill = theme.ColorTransparent
		colour := theme.ColorMuted
		if n.selected {
			ground.fill, colour = theme.ColorPrimarySoft, theme.ColorPrimary
		}
		icon.name, icon.colour, words.colour, words.bold = n.icon, colour, colour, n.selected
		note.colour = colour
		words.size, note.size = theme.SizeText, theme.SizeCaption
		if n.small {
			words.size, note.size = theme.SizeMicro, theme.SizeMicro
		}
		words.set(Runs(n.words))
		note.set(Runs(n.note))
		show(note, n.note != "")
		show(n.badge, n.badge.count > 0)
		shade.fill = n.overlayColour()
		show(ring, n.focused)
	}
	r.least = func() fyne.Size {
		if n.small {
			// A large text gets less air, so that five items and the foot fit.
			air := float32(20)
			if s() > 1.2 {
				air = 8
			}
			// As wide as its words are while it is selected: the rail does not
			// move when one goes elsewhere.
			size := theme.Length(theme.SizeMicro)
			wide, _ := measure(n.words, size, fyne.TextStyle{Bold: true})
			width, height := max(64, wide.Width+6), (36+air)*s()
			if n.note != "" {
				told, _ := measure(n.note, size, fyne.TextStyle{})
				width, height = max(width, told.Width+6), height+pitch(size)
			}
			return fyne.NewSize(width, height)
		}
		if n.note != "" {
			return fyne.NewSize(100*s(), 52*s())
		}
		return fyne.NewSize(100*s(), theme.Length(theme.SizeRailItem))
	}
	r.lay = func(size fyne.Size) {
		shade.Resize(size)
		ring.Resize(size)
		i := theme.Length(theme.SizeIcon)
		b := n.badge.MinSize()
		n.badge.Resize(b)
		if n.small {
			top := (size.Height - 40*s()) / 2
			if n.note != "" {
				top -= pitch(theme.Length(theme.SizeMicro)) / 2
			}
			icon.Move(fyne.NewPos((size.Width-i)/2, top))
			icon.Resize(fyne.NewSquareSize(i))
			w := min(words.NaturalWidth(), size.Width)
			words.Move(fyne.NewPos((size.Width-w)/2, top+24*s()))
			words.Resize(fyne.NewSize(w, words.HeightFor(w)))
			n.badge.Move(fyne.NewPos(size.Width/2+3*s(), top-4*s()))
			below := min(note.NaturalWidth(), size.Width)
			note.Move(fyne.NewPos((size.Width-below)/2, top+24*s()+words.HeightFor(w)))
			note.Resize(fyne.NewSize(below, note.HeightFor(below)))
			return
		}
		icon.Move(fyne.NewPos(12, (size.Height-i)/2))
		icon.Resize(fyne.NewSquareSize(i))
		x := 12 + i + 12
		w := size.Width - x - 8
		if n.badge.count > 0 {
			w -= b.Width + 4
		}
		h := words.HeightFor(w)
		y := (size.Height - h) / 2
		if n.note != "" {
			y = 8 * s()
			note.Move(fyne.NewPos(x, y+h))
			note.Resize(fyne.NewSize(w, note.HeightFor(w)))
		}
		words.Move(fyne.NewPos(x, y))
		words.Resize(fyne.NewSize(w, h))
		n.badge.Move(fyne.NewPos(size.Width-b.Width-12, (size.Height-b.Height)/2))
	}
	r.update()
	return r
}

// Tab is one page of several, for Tabs.
type tab struct {
	base
	words    string
	selected bool
}

func (t *tab) Seen() Description {
	return Description{Role: RoleTab, Text: t.words, Selected: t.selected}
}

func (t *tab) CreateRenderer() fyne.WidgetRenderer {
	ground := newPlate(theme.ColorTransparent, "", 0, 0)
	under := newPlate(theme.ColorPrimary, "", 0, 1.5)
	ring := newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 6)
	words := NewText("").Whole()
	s := theme.Scale
	r := &chipRenderer{ground: ground, words: words, more: []fyne.CanvasObject{under, ring}}
	r.update = func() {
		words.colour, words.bold = theme.ColorMuted, t.selected
		if t.selected || t.hovered {
			words.colour = theme.ColorPrimary
		}
		words.set(Runs(t.words))
		show(under, t.selected)
		show(ring, t.focused)
	}
	r.least = func() fyne.Size { return fyne.NewSize(words.NaturalWidth()+4, 40*s()) }
	r.lay = func(size fyne.Size) {
		w := words.NaturalWidth()
		h := words.HeightFor(w)
		words.Move(fyne.NewPos(2, (size.Height-h)/2-2))
		words.Resize(fyne.NewSize(w, h))
		under.Move(fyne.NewPos(0, size.Height-3))
		under.Resize(fyne.NewSize(size.Width, 3))
		ring.Move(fyne.NewPos(-4, 2))
		ring.Resize(fyne.NewSize(size.Width+8, size.Height-6))
	}
	r.update()
	return r
}

// Tabs is a line of pages with the chosen one underlined.
type Tabs struct {
	group
	tabs     []*tab
	selected int
}

// NewTabs makes one; Left and Right move between them.
func NewTabs(words []string, selected int, chosen func(int)) *Tabs {
	t := &Tabs{selected: selected}
	pick := func(i int) {
		t.SetSelected(i)
		if chosen != nil {
			chosen(i)
		}
	}
	row := Flow(26)
	for i, w := range words {
		b := &tab{words: w, selected: i == selected}
		b.start(b, func() { pick(i) })
		b.key = func(ev *fyne.KeyEvent) bool {
			to := i
			switch ev.Name {
			case fyne.KeyLeft:
				to = max(0, i-1)
			case fyne.KeyRight:
				to = min(len(t.tabs)-1, i+1)
			default:
				return false
			}
			if to != i {
				pick(to)
				focusOn(t.tabs[to])
			}
			return true
		}
		t.tabs = append(t.tabs, b)
		row.Add(b)
	}
	t.compose(t, Column(0, row, Line()))
	return t
}

// SetSelected chooses without telling.
func (t *Tabs) SetSelected(i int) {
	t.selected = i
	for j, b := range t.tabs {
		b.selected = i == j
		b.Refresh()
	}
}

// Chosen is the chosen one, for the focus.
func (t *Tabs) Chosen() fyne.Focusable { return t.tabs[t.selected] }

// Selected is the chosen one's index.
func (t *Tabs) Selected() int { return t.selected }

// Fold is a headline that opens and closes what is below it.
type Fold struct {
	group
	head   *foldHead
	inside fyne.CanvasObject
}

type foldHead struct {
	base
	words string
	open  bool
	icon  *Icon
	body  *fyne.Container
	ring  *plate
}

// NewFold makes one, closed; note stands at the right of its head.
func NewFold(words, note string, inside fyne.CanvasObject) *Fold {
	f := &Fold{inside: inside}
	h := &foldHead{words: words, icon: NewIcon(theme.IconDown, theme.ColorMuted, theme.SizeIcon), ring: newRing(6)}
	h.body = Row(12, h.icon, Strong(words), Space(), Caption(note).Whole())
	f.head = h
	h.start(h, func() { f.Open(!h.open) })
	inside.Hide()
	f.compose(f, Column(12, h, inside))
	return f
}

// Open opens or closes it.
func (f *Fold) Open(yes bool) {
	f.head.open = yes
	name := theme.IconDown
	if yes {
		name = theme.IconUp
	}
	f.head.icon.Set(name, theme.ColorMuted)
	show(f.inside, yes)
	f.Refresh()
	if c := canvasOf(f); c != nil && c.Content() != nil {
		c.Content().Refresh()
	}
}

// IsOpen reports whether it is open.
func (f *Fold) IsOpen() bool { return f.head.open }

func (h *foldHead) Seen() Description {
	return Description{Role: RoleButton, Text: h.words, Selected: h.open}
}
func (h *foldHead) HeightFor(w float32) float32 { return HeightFor(h.body, w) }
func (h *foldHead) CreateRenderer() fyne.WidgetRenderer {
	return &shell{root: h.body, extra: []fyne.CanvasObject{h.ring}, update: func() { show(h.ring, h.focused) },
		place: func(s fyne.Size) { placeRing(h.ring, s) }}
}
