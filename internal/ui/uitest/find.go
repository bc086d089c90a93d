package uitest

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// Node is a widget as a person meets it.
type Node struct {
	Object   fyne.CanvasObject
	Role     string
	Text     string
	Value    string
	Selected bool
	Enabled  bool
	Focused  bool
	// Overlay is 0 for the content, 1 for the first dialog or menu above it, …
	Overlay int
	// Shown is false for what is scrolled out of sight.
	Shown bool
	// Position is absolute in the canvas, in the toolkit's units.
	Position fyne.Position
	// tap is the nearest object that takes a click.
	tap fyne.Tappable
}

// Rect is the object's place and size.
func (n Node) Rect() (fyne.Position, fyne.Size) { return n.Position, n.Object.Size() }

// String is the node's line in a dump.
func (n Node) String() string {
	s := n.Role + " " + fmt.Sprintf("%q", n.Text)
	if n.Value != "" {
		s += fmt.Sprintf(" = %q", n.Value)
	}
	if n.Selected {
		s += " selected"
	}
	if !n.Enabled {
		s += " disabled"
	}
	if n.Focused {
		s += " focused"
	}
	return s
}

// Walk lists the visible nodes of a canvas, content first, then each overlay,
// in the order in which they are drawn.
func Walk(c fyne.Canvas) []Node {
	w := &walker{focused: c.Focused()}
	if o := c.Content(); o != nil {
		w.visit(o, fyne.Position{}, context{shown: true})
	}
	for i, o := range c.Overlays().List() {
		w.visit(o, fyne.Position{}, context{shown: true, overlay: i + 1})
	}
	return w.nodes
}

var leaves = map[kit.Role]bool{
	kit.RoleButton: true, kit.RoleLink: true, kit.RoleChip: true, kit.RoleFilter: true, kit.RoleNav: true, kit.RoleTab: true, kit.RoleSelect: true,
	kit.RoleProgress: true, kit.RoleTimeline: true, kit.RoleRow: true, kit.RoleCheck: true, kit.RoleRadio: true, kit.RoleText: true, kit.RoleStep: true,
	kit.RoleNotice: true, kit.RolePicture: true, kit.RoleToast: true,
}

type walker struct {
	nodes   []Node
	focused fyne.Focusable
}

type context struct {
	overlay   int
	described bool
	// leaf is a widget whose words are its description.
	leaf    bool
	shown   bool
	clipped bool
	clipAt  fyne.Position
	clip    fyne.Size
	tap     fyne.Tappable
}

func (w *walker) visit(o fyne.CanvasObject, origin fyne.Position, x context) {
	if o == nil || !o.Visible() {
		return
	}
	at := origin.Add(o.Position())
	if tap, ok := o.(fyne.Tappable); ok {
		x.tap = tap
	}
	// What a widget that describes itself draws as text is its own; links and
	// buttons within it are not.
	if n, ok := describe(o, x.described); ok && !(x.leaf && n.Role == string(kit.RoleText)) {
		n.Position, n.Overlay, n.tap = at, x.overlay, x.tap
		n.Shown = x.shown
		if x.clipped {
			mid := at.AddXY(o.Size().Width/2, o.Size().Height/2)
			n.Shown = n.Shown && mid.X >= x.clipAt.X && mid.Y >= x.clipAt.Y && mid.X <= x.clipAt.X+x.clip.Width && mid.Y <= x.clipAt.Y+x.clip.Height
		}
		if f, ok := o.(fyne.Focusable); ok && w.focused == f {
			n.Focused = true
		}
		w.nodes = append(w.nodes, n)
		x.described = true
		x.leaf = leaves[kit.Role(n.Role)]
	}
	switch v := o.(type) {
	case *fyne.Container:
		for _, child := range v.Objects {
			w.visit(child, at, x)
		}
	case fyne.Widget:
		if _, ok := v.(*container.Scroll); ok {
			x.clipped, x.clipAt, x.clip = true, at, v.Size()
		}
		for _, child := range test.WidgetRenderer(v).Objects() {
			w.visit(child, at, x)
		}
	}
}

func describe(o fyne.CanvasObject, inside bool) (Node, bool) {
	n := Node{Object: o, Enabled: true}
	if d, ok := o.(fyne.Disableable); ok {
		n.Enabled = !d.Disabled()
	}
	switch v := o.(type) {
	case kit.Seen:
		d := v.Seen()
		n.Role, n.Text, n.Value, n.Selected = string(d.Role), d.Text, d.Value, d.Selected
		// A text without words and a badge without a number are not there.
		if n.Role == string(kit.RoleText) && n.Text == "" {
			return n, false
		}
		return n, true
	case *widget.Entry:
		n.Role, n.Text, n.Value = "field", v.PlaceHolder, v.Text
		if v.Password {
			n.Role, n.Value = "secret", kit.Masked
		}
		return n, true
	case *widget.Button:
		n.Role, n.Text = "button", v.Text
		return n, true
	case *canvas.Text:
		if inside || v.Text == "" {
			return n, false
		}
		n.Role, n.Text = "text", v.Text
		return n, true
	}
	return n, false
}
