package kit

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// AccountRowModel is all that a row of the list shows.
type AccountRowModel struct {
	Username string // with its @
	Second   string // "Instagram · Business"
	Picture  image.Image
	Life     string // "41 of 60 days left"
	Share    float32
	LifeTone Tone
	Chip     string
	ChipTone Tone
	ChipIcon theme.IconName
	// Remedy is the label of a button ("Sign in"); empty for copy and renew.
	Remedy string
	// Disabled takes the token's actions away, with the reason as tooltip.
	Disabled string
	// Describe is the row in words for readers.
	Describe string
	// Names of the icon buttons; an empty one leaves its button out.
	CopyName, RenewName, StopName, MoreName string
}

// AccountRow is a row of the list of accounts. It is recycled: Set shows
// another account. The row itself takes no focus, the list does.
type AccountRow struct {
	widget.BaseWidget
	m      AccountRowModel
	avatar *Avatar
	name   *Text
	second *Text
	life   *LifeBar
	chip   *StatusChip
	Remedy *Button
	Copy   *Button
	Renew  *Button
	Stop   *Button
	More   *Button
}

// NewAccountRow makes an empty one. Its buttons get what they do by SetTapped.
func NewAccountRow() *AccountRow {
	r := &AccountRow{
		avatar: NewAvatar("", 40), name: Strong("").OneLine(), second: Caption("").OneLine(),
		life: NewLifeBar(0, Neutral, ""), chip: NewStatusChip("", Neutral, ""),
		Remedy: NewButton("", Medium, nil), Copy: NewIconButton(theme.IconCopy, "", nil), Renew: NewIconButton(theme.IconRenew, "", nil),
		Stop: NewIconButton(theme.IconClose, "", nil), More: NewIconButton(theme.IconMore, "", nil),
	}
	r.ExtendBaseWidget(r)
	return r
}

// Set shows an account.
func (r *AccountRow) Set(m AccountRowModel) {
	r.m = m
	r.avatar.Set(m.Username)
	if m.Picture != nil {
		r.avatar.SetPicture(m.Picture)
	}
	r.name.Set(Run{Words: m.Username})
	r.second.Set(Run{Words: m.Second})
	r.life.Set(m.Share, m.LifeTone, m.Life)
	r.chip.Set(m.Chip, m.ChipTone, m.ChipIcon)
	r.Remedy.SetLabel(m.Remedy)
	for b, name := range map[*Button]string{r.Copy: m.CopyName, r.Renew: m.RenewName, r.Stop: m.StopName, r.More: m.MoreName} {
		b.label, b.Tip = name, name
	}
	for _, b := range []*Button{r.Remedy, r.Copy, r.Renew} {
		b.SetEnabled(m.Disabled == "")
		if m.Disabled != "" {
			b.Tip = m.Disabled
		}
	}
	r.Remedy.Tip = m.Disabled
	r.Refresh()
}

// Seen implements Seen.
func (r *AccountRow) Seen() Description {
	words := r.m.Describe
	if words == "" {
		words = r.m.Username + ", " + r.m.Second + ", " + r.m.Chip + ", " + r.m.Life
	}
	return Description{Role: RoleRow, Text: words}
}

// RowHeight is what a row asks for in a list of that width, 0 for a width that
// is not known yet; the list adds its line of 4.
func RowHeight(width float32) float32 {
	h := theme.Length(theme.SizeRow)
	if width > 0 && width < NarrowList {
		h = theme.Length(theme.SizeRowNarrow)
	}
	h -= 4
	if theme.Scale() >= theme.SmallRailScale {
		h *= 1.5
	}
	return h
}

// NarrowList is the width of a list under which its rows are the narrow ones.
const NarrowList = 808

// CreateRenderer is called by the toolkit.
func (r *AccountRow) CreateRenderer() fyne.WidgetRenderer { return &accountRowRenderer{r: r} }

type accountRowRenderer struct{ r *AccountRow }

func (a *accountRowRenderer) Destroy() {}
func (a *accountRowRenderer) Objects() []fyne.CanvasObject {
	r := a.r
	return []fyne.CanvasObject{r.avatar, r.name, r.second, r.life, r.chip, r.Remedy, r.Copy, r.Renew, r.Stop, r.More}
}
func (a *accountRowRenderer) MinSize() fyne.Size {
	return fyne.NewSize(420, RowHeight(0))
}

func (a *accountRowRenderer) Layout(s fyne.Size) {
	r := a.r
	k := theme.Scale()
	narrow := s.Width < NarrowList
	stacked := k >= theme.SmallRailScale
	pad := float32(20)
	if narrow {
		pad = 16
	}
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	side := 40 * k
	mid := s.Height / 2
	if stacked {
		mid = s.Height * 0.3
	}
	put(r.avatar, pad, (s.Height-side)/2, side, side)

	// The buttons are set from the right.
	x := s.Width - pad + 8
	for _, b := range []*Button{r.More, r.Stop, r.Renew, r.Copy, r.Remedy} {
		on := b.label != ""
		switch b {
		case r.Renew:
			on = on && r.m.Remedy == "" && r.m.StopName == "" && !narrow
		case r.Copy:
			on = on && r.m.Remedy == ""
		}
		show(b, on)
		if !on {
			continue
		}
		size := b.MinSize()
		x -= size.Width
		put(b, x, (s.Height-size.Height)/2, size.Width, size.Height)
		if b == r.More && r.m.Remedy != "" {
			x -= 4
		}
	}
	left := pad + side + 12
	nameH, secondH := r.name.HeightFor(1000), r.second.HeightFor(1000)
	chipSize := r.chip.MinSize()
	lifeH := r.life.MinSize().Height
	if stacked {
		w := x - left - 12
		put(r.name, left, mid-(nameH+secondH)/2, w, nameH)
		put(r.second, left, mid-(nameH+secondH)/2+nameH, w, secondH)
		y := s.Height * 0.72
		cw := min(chipSize.Width, w)
		put(r.chip, left, y-chipSize.Height/2, cw, chipSize.Height)
		put(r.life, left+cw+16, y-lifeH/2, max(0, w-cw-16), lifeH)
		return
	}
	// Columns as in the pictures: account, life, status.
	lifeX, lifeW, chipX := s.Width*0.408, float32(136), s.Width*0.6
	if !narrow {
		lifeX, lifeW, chipX = s.Width*0.464, 148, s.Width*0.654
	}
	chipX = min(chipX, x-chipSize.Width-12)
	lifeW = min(lifeW*k, chipX-lifeX-14)
	put(r.name, left, mid-(nameH+secondH)/2, lifeX-left-12, nameH)
	put(r.second, left, mid-(nameH+secondH)/2+nameH, lifeX-left-12, secondH)
	put(r.life, lifeX, mid-lifeH/2, max(0, lifeW), lifeH)
	put(r.chip, chipX, mid-chipSize.Height/2, chipSize.Width, chipSize.Height)
}

func (a *accountRowRenderer) Refresh() {
	a.Layout(a.r.Size())
	for _, o := range a.Objects() {
		o.Refresh()
	}
}

// Skeleton is a grey row while the list is being read.
type Skeleton struct{ group }

// NewSkeleton makes one.
func NewSkeleton() *Skeleton {
	s := &Skeleton{}
	block := func(w, h float32) fyne.CanvasObject {
		p := newPlate(theme.ColorNeutralSoft, "", 0, h/2)
		p.least = fyne.NewSize(w, h)
		return p
	}
	s.compose(s, Pad(18, Row(12, block(40, 40), Column(8, block(130, 10), Row(0, block(90, 8))), Space(), block(120, 6), block(90, 24))))
	return s
}

// List is a virtual list of rows of one height. Up, Down, Home and End move,
// Enter opens; every other key goes to OnKey with the chosen row, and if that
// does not use it, to the window.
type List struct {
	widget.List
	name    string
	chosen  int
	OnOpen  func(id int)
	OnKey   func(id int, ev *fyne.KeyEvent) bool
	OnMoved func(id int)
	// rows are all that were made; they are used again for other rows.
	rows  []*listRow
	focus bool
	// keyed is set while a key or the focus moves the choice. The toolkit tells
	// of the pointer by the same call: what is only pointed at is not chosen.
	keyed bool
}

// listRow is a row and the ring it wears while it is chosen and the list has
// the focus. The ring stands inside: a list cuts what reaches out of it.
type listRow struct {
	group
	id    int
	child fyne.CanvasObject
	ring  *plate
}

func newListRow(child fyne.CanvasObject) *listRow {
	r := &listRow{id: -1, child: child, ring: newPlate(theme.ColorTransparent, theme.ColorPrimary, 2, 8)}
	r.ring.Hide()
	r.compose(r, box(&listRowLayout{}, child, r.ring))
	return r
}

type listRowLayout struct{ over }

func (l *listRowLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }
func (l *listRowLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(s)
	// At the sides there is room for the scroll bar.
	o[1].Move(fyne.NewPos(5, 1))
	o[1].Resize(fyne.NewSize(s.Width-10, s.Height-2))
}

// NewList makes one.
func NewList(name string, length func() int, create func() fyne.CanvasObject, update func(id int, o fyne.CanvasObject)) *List {
	l := &List{name: name}
	l.Length = length
	l.CreateItem = func() fyne.CanvasObject {
		row := newListRow(create())
		l.rows = append(l.rows, row)
		return row
	}
	l.UpdateItem = func(id widget.ListItemID, o fyne.CanvasObject) {
		row := o.(*listRow)
		row.id = id
		update(id, row.child)
		l.mark(row)
	}
	l.OnHighlighted = func(id widget.ListItemID) {
		if l.keyed {
			l.moved(id)
		}
	}
	l.OnSelected = func(id widget.ListItemID) {
		l.moved(id)
		l.UnselectAll()
		if l.OnOpen != nil {
			l.OnOpen(id)
		}
	}
	l.ExtendBaseWidget(l)
	return l
}

func (l *List) moved(id int) {
	l.chosen = id
	if l.OnMoved != nil {
		l.OnMoved(id)
	}
	l.markAll()
}

func (l *List) mark(row *listRow) { show(row.ring, l.focus && row.id == l.chosen) }

func (l *List) markAll() {
	for _, row := range l.rows {
		l.mark(row)
	}
}

// byKey runs what may move the choice.
func (l *List) byKey(move func()) {
	l.keyed = true
	move()
	l.keyed = false
}

// FocusGained is called by the toolkit.
func (l *List) FocusGained() {
	l.focus = true
	l.byKey(l.List.FocusGained)
	l.markAll()
}

// FocusLost is called by the toolkit.
func (l *List) FocusLost() {
	l.focus = false
	l.List.FocusLost()
	l.markAll()
}

// Chosen is the row that keys act on.
func (l *List) Chosen() int { return l.chosen }

// Seen implements Seen.
func (l *List) Seen() Description { return Description{Role: RoleList, Text: l.name} }

// TypedKey is called by the toolkit.
func (l *List) TypedKey(ev *fyne.KeyEvent) {
	n := l.Length()
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if l.OnOpen != nil && l.chosen < n {
			l.OnOpen(l.chosen)
		}
	case fyne.KeyUp, fyne.KeyDown, fyne.KeySpace:
		l.byKey(func() { l.List.TypedKey(ev) })
	case fyne.KeyHome:
		l.byKey(func() { l.Highlight(0) })
	case fyne.KeyEnd:
		l.byKey(func() { l.Highlight(max(0, n-1)) })
	default:
		if l.OnKey == nil || l.chosen >= n || !l.OnKey(l.chosen, ev) {
			passKey(l, ev)
		}
	}
}

// TypedRune hands letters on to the window.
func (l *List) TypedRune(r rune) {
	if r != ' ' {
		passRune(l, r)
	}
}

// Ringed are the rows that wear the focus ring: one, or none.
func (l *List) Ringed() []int {
	var ids []int
	for _, row := range l.rows {
		if row.ring.Visible() && !slices.Contains(ids, row.id) {
			ids = append(ids, row.id)
		}
	}
	return ids
}
