package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// screen is a virtual screen with a hand on the mouse and the keyboard.
type screen struct {
	t       testing.TB
	display string
	conn    *xgb.Conn
	root    xproto.Window
	size    image.Point
	atoms   map[string]xproto.Atom
	keys    map[xproto.Keysym]keystroke
	offer   *offer // the clipboard, where we own it
}

// keystroke is the key that gives a symbol, and whether Shift is held.
type keystroke struct {
	code  xproto.Keycode
	shift bool
}

// window is a top-level window as the window manager lists it.
type window struct {
	id    xproto.Window
	pid   int
	title string
	area  image.Rectangle // of its content on the screen, in pixels
}

func connectScreen(t testing.TB, display string) *screen {
	t.Helper()
	xgb.Logger = log.New(io.Discard, "", 0)
	var conn *xgb.Conn
	within(t, 10*time.Second, "a connection to the screen "+display, func() bool {
		var err error
		conn, err = xgb.NewConnDisplay(display)
		return err == nil
	})
	if err := xtest.Init(conn); err != nil {
		t.Fatal(err)
	}
	setup := xproto.Setup(conn)
	root := setup.DefaultScreen(conn)
	s := &screen{t: t, display: display, conn: conn, root: root.Root, size: image.Pt(int(root.WidthInPixels), int(root.HeightInPixels)),
		atoms: map[string]xproto.Atom{}, keys: map[xproto.Keysym]keystroke{}}
	count := byte(setup.MaxKeycode - setup.MinKeycode + 1)
	mapping, err := xproto.GetKeyboardMapping(conn, setup.MinKeycode, count).Reply()
	if err != nil {
		t.Fatal(err)
	}
	for key := range int(count) {
		for level := range min(2, int(mapping.KeysymsPerKeycode)) {
			symbol := mapping.Keysyms[key*int(mapping.KeysymsPerKeycode)+level]
			if _, known := s.keys[symbol]; symbol != 0 && !known {
				s.keys[symbol] = keystroke{code: setup.MinKeycode + xproto.Keycode(key), shift: level == 1}
			}
		}
	}
	return s
}

func (s *screen) close() {
	if s.offer != nil {
		s.offer.end()
	}
	s.conn.Close()
}

// works reports whether the screen still answers.
func (s *screen) works() bool {
	_, err := xproto.GetGeometry(s.conn, xproto.Drawable(s.root)).Reply()
	return err == nil
}

func (s *screen) atom(name string) xproto.Atom {
	if known, ok := s.atoms[name]; ok {
		return known
	}
	reply, err := xproto.InternAtom(s.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		s.t.Fatalf("atom %s: %v", name, err)
	}
	s.atoms[name] = reply.Atom
	return reply.Atom
}

// property returns the raw value of a window's property; nil where it has none.
func (s *screen) property(w xproto.Window, name string) []byte {
	reply, err := xproto.GetProperty(s.conn, false, w, s.atom(name), xproto.GetPropertyTypeAny, 0, 1<<20).Reply()
	if err != nil || reply.ValueLen == 0 {
		return nil
	}
	return reply.Value
}

// managed reports whether the window manager really takes windows in. It
// announces itself a little before it does, and a window mapped in between is
// lost; so one of ours is tried first.
func (s *screen) managed() bool {
	s.t.Helper()
	if s.property(s.root, "_NET_SUPPORTING_WM_CHECK") == nil {
		return false
	}
	id, err := xproto.NewWindowId(s.conn)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := xproto.CreateWindowChecked(s.conn, 0, id, s.root, 0, 0, 8, 8, 0, xproto.WindowClassInputOutput, 0, 0, nil).Check(); err != nil {
		s.t.Fatal(err)
	}
	xproto.MapWindow(s.conn, id)
	listed := func() bool {
		return slices.ContainsFunc(s.windows(), func(w window) bool { return w.id == id })
	}
	taken := false
	for deadline := time.Now().Add(200 * time.Millisecond); !taken && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		taken = listed()
	}
	xproto.DestroyWindow(s.conn, id)
	for deadline := time.Now().Add(2 * time.Second); taken && listed() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	return taken
}

// windows lists the windows that the window manager knows, oldest first.
func (s *screen) windows() []window {
	list := s.property(s.root, "_NET_CLIENT_LIST")
	var out []window
	for ; len(list) >= 4; list = list[4:] {
		w := window{id: xproto.Window(binary.LittleEndian.Uint32(list))}
		if pid := s.property(w.id, "_NET_WM_PID"); len(pid) >= 4 {
			w.pid = int(binary.LittleEndian.Uint32(pid))
		}
		w.title = string(s.property(w.id, "_NET_WM_NAME"))
		if w.title == "" {
			w.title = string(s.property(w.id, "WM_NAME"))
		}
		geometry, err := xproto.GetGeometry(s.conn, xproto.Drawable(w.id)).Reply()
		if err != nil {
			continue
		}
		corner, err := xproto.TranslateCoordinates(s.conn, w.id, s.root, 0, 0).Reply()
		if err != nil {
			continue
		}
		w.area = image.Rect(int(corner.DstX), int(corner.DstY), int(corner.DstX)+int(geometry.Width), int(corner.DstY)+int(geometry.Height))
		out = append(out, w)
	}
	return out
}

// windowOf waits for the newest window of the process.
func (s *screen) windowOf(pid int, limit time.Duration) window {
	s.t.Helper()
	var found window
	within(s.t, limit, fmt.Sprintf("a window of process %d", pid), func() bool {
		for _, w := range s.windows() {
			if w.pid == pid {
				found = w
			}
		}
		return found.id != 0
	})
	return found
}

// tellManager sends the window manager what a pager or task bar would send.
func (s *screen) tellManager(w xproto.Window, message string, data ...uint32) {
	s.t.Helper()
	for len(data) < 5 {
		data = append(data, 0)
	}
	event := xproto.ClientMessageEvent{Format: 32, Window: w, Type: s.atom(message), Data: xproto.ClientMessageDataUnionData32New(data)}
	err := xproto.SendEventChecked(s.conn, false, s.root, xproto.EventMaskSubstructureNotify|xproto.EventMaskSubstructureRedirect, string(event.Bytes())).Check()
	if err != nil {
		s.t.Fatalf("%s: %v", message, err)
	}
}

// activate raises the window and gives it the keyboard, as a click on the task
// bar does, and waits until that is so.
func (s *screen) activate(w window) {
	s.t.Helper()
	within(s.t, 5*time.Second, fmt.Sprintf("the window %q is in front", w.title), func() bool {
		if s.active() == w.id {
			return true
		}
		s.tellManager(w.id, "_NET_ACTIVE_WINDOW", 2)
		return false
	})
}

// active is the window that has the keyboard; 0 for none.
func (s *screen) active() xproto.Window {
	if front := s.property(s.root, "_NET_ACTIVE_WINDOW"); len(front) >= 4 {
		return xproto.Window(binary.LittleEndian.Uint32(front))
	}
	return 0
}

// closeWindow asks the window to close, as the cross in its corner does.
func (s *screen) closeWindow(w window) { s.tellManager(w.id, "_NET_CLOSE_WINDOW", 0, 2) }

// moveWindow moves and sizes the window's content, in pixels, and waits for it.
func (s *screen) moveWindow(w window, area image.Rectangle) {
	s.t.Helper()
	const gravityStatic, all = 10, 0xf << 8
	s.tellManager(w.id, "_NET_MOVERESIZE_WINDOW", gravityStatic|all|2<<12,
		uint32(area.Min.X), uint32(area.Min.Y), uint32(area.Dx()), uint32(area.Dy()))
	within(s.t, 5*time.Second, fmt.Sprintf("the window %q at %v", w.title, area), func() bool {
		for _, now := range s.windows() {
			if now.id == w.id {
				return now.area == area
			}
		}
		return false
	})
}

func (s *screen) fake(kind, detail byte, at image.Point) {
	s.t.Helper()
	err := xtest.FakeInputChecked(s.conn, kind, detail, 0, s.root, int16(at.X), int16(at.Y), 0).Check()
	if err != nil {
		s.t.Fatalf("input: %v", err)
	}
}

// point moves the mouse to a pixel of the screen.
func (s *screen) point(at image.Point) {
	s.t.Helper()
	if !at.In(image.Rectangle{Max: s.size}) {
		s.t.Fatalf("%v is not on the screen (%v)", at, s.size)
	}
	s.fake(xproto.MotionNotify, 0, at)
}

// press and release hold a mouse button down; 1 is the left one.
func (s *screen) press(button byte) { s.t.Helper(); s.fake(xproto.ButtonPress, button, image.Point{}) }
func (s *screen) release(button byte) {
	s.t.Helper()
	s.fake(xproto.ButtonRelease, button, image.Point{})
}

// click clicks the left button at a pixel. The button stays down for as long
// as a quick finger's would, since toolkits poll.
func (s *screen) click(at image.Point) {
	s.t.Helper()
	s.point(at)
	time.Sleep(20 * time.Millisecond)
	s.press(1)
	time.Sleep(30 * time.Millisecond)
	s.release(1)
}

// named are the keys that have a name instead of a character.
var named = map[string]xproto.Keysym{
	"Return": 0xff0d, "Tab": 0xff09, "Escape": 0xff1b, "BackSpace": 0xff08, "Delete": 0xffff, "Home": 0xff50, "End": 0xff57,
	"Left": 0xff51, "Up": 0xff52, "Right": 0xff53, "Down": 0xff54, "PageUp": 0xff55, "PageDown": 0xff56,
	"ctrl": 0xffe3, "shift": 0xffe1, "alt": 0xffe9, "space": 0x20,
	"F1": 0xffbe, "F2": 0xffbf, "F3": 0xffc0, "F4": 0xffc1, "F5": 0xffc2, "F6": 0xffc3, "F10": 0xffc7, "F11": 0xffc8,
}

// key presses a combination such as "Return", "ctrl+v" or "shift+Tab".
func (s *screen) key(combination string) {
	s.t.Helper()
	var codes []xproto.Keycode
	for _, name := range strings.Split(combination, "+") {
		symbol, ok := named[name]
		if !ok && len(name) == 1 {
			symbol, ok = xproto.Keysym(name[0]), true
		}
		stroke, known := s.keys[symbol]
		if !ok || !known {
			s.t.Fatalf("this keyboard has no key %q", name)
		}
		codes = append(codes, stroke.code)
	}
	for _, code := range codes {
		s.fake(xproto.KeyPress, byte(code), image.Point{})
	}
	time.Sleep(10 * time.Millisecond)
	for i := len(codes) - 1; i >= 0; i-- {
		s.fake(xproto.KeyRelease, byte(codes[i]), image.Point{})
	}
	time.Sleep(10 * time.Millisecond)
}

// typeText types the text on the keyboard. It fails for characters that the
// US keyboard lacks: those come by way of copy and paste.
func (s *screen) typeText(text string) {
	s.t.Helper()
	shift := s.keys[named["shift"]].code
	for _, r := range text {
		stroke, ok := s.keys[xproto.Keysym(r)]
		if r > unicode.MaxLatin1 || !ok {
			s.t.Fatalf("the keyboard has no %q: use copy and paste", r)
		}
		if stroke.shift {
			s.fake(xproto.KeyPress, byte(shift), image.Point{})
		}
		s.fake(xproto.KeyPress, byte(stroke.code), image.Point{})
		s.fake(xproto.KeyRelease, byte(stroke.code), image.Point{})
		if stroke.shift {
			s.fake(xproto.KeyRelease, byte(shift), image.Point{})
		}
		time.Sleep(4 * time.Millisecond)
	}
}

// look returns the pixels of a part of the screen.
func (s *screen) look(area image.Rectangle) *image.RGBA {
	s.t.Helper()
	area = area.Intersect(image.Rectangle{Max: s.size})
	reply, err := xproto.GetImage(s.conn, xproto.ImageFormatZPixmap, xproto.Drawable(s.root),
		int16(area.Min.X), int16(area.Min.Y), uint16(area.Dx()), uint16(area.Dy()), ^uint32(0)).Reply()
	if err != nil {
		s.t.Fatalf("looking at the screen: %v", err)
	}
	picture := image.NewRGBA(image.Rectangle{Max: area.Size()})
	// 24-bit screens send blue, green, red and a filler byte.
	for i := 0; i+3 < len(reply.Data) && i+3 < len(picture.Pix); i += 4 {
		picture.Pix[i], picture.Pix[i+1], picture.Pix[i+2], picture.Pix[i+3] = reply.Data[i+2], reply.Data[i+1], reply.Data[i], 255
	}
	return picture
}

// save writes the whole screen as a PNG.
func (s *screen) save(path string) {
	s.t.Helper()
	savePicture(s.t, path, s.look(image.Rectangle{Max: s.size}))
}

func savePicture(t testing.TB, path string, picture image.Image) {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// colours counts how many different colours a picture has, up to the limit: a
// window that has not painted yet has one or two.
func colours(picture *image.RGBA, limit int) int {
	seen := map[[3]byte]bool{}
	for i := 0; i+3 < len(picture.Pix) && len(seen) < limit; i += 4 {
		seen[[3]byte(picture.Pix[i:i+3])] = true
	}
	return len(seen)
}

// clipboard asks the clipboard's owner for its text, as a paste does. ok is
// false where there is no owner or it has no text.
func (s *screen) clipboard() (text string, ok bool) {
	s.t.Helper()
	conn, err := xgb.NewConnDisplay(s.display)
	if err != nil {
		s.t.Fatal(err)
	}
	timer := time.AfterFunc(3*time.Second, conn.Close)
	defer func() {
		if timer.Stop() {
			conn.Close()
		}
	}()
	id, err := xproto.NewWindowId(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	xproto.CreateWindow(conn, 0, id, s.root, 0, 0, 1, 1, 0, xproto.WindowClassInputOnly, 0, 0, nil)
	property := s.atom("TOKENKEEP_E2E_PASTE")
	xproto.ConvertSelection(conn, id, s.atom("CLIPBOARD"), s.atom("UTF8_STRING"), property, xproto.TimeCurrentTime)
	for {
		event, failure := conn.WaitForEvent()
		if event == nil && failure == nil {
			return "", false
		}
		if notify, is := event.(xproto.SelectionNotifyEvent); is {
			if notify.Property == 0 {
				return "", false
			}
			reply, err := xproto.GetProperty(conn, true, id, property, xproto.GetPropertyTypeAny, 0, 1<<20).Reply()
			if err != nil {
				return "", false
			}
			return string(reply.Value), true
		}
	}
}

// offer owns the clipboard until somebody else copies something.
type offer struct {
	conn *xgb.Conn
	once sync.Once
	done chan struct{}
}

func (o *offer) end() {
	o.once.Do(o.conn.Close)
	<-o.done
}

// copyText puts text on the clipboard, as copying in some program would.
func (s *screen) copyText(text string) {
	s.t.Helper()
	if s.offer != nil {
		s.offer.end()
	}
	conn, err := xgb.NewConnDisplay(s.display)
	if err != nil {
		s.t.Fatal(err)
	}
	id, err := xproto.NewWindowId(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	xproto.CreateWindow(conn, 0, id, s.root, 0, 0, 1, 1, 0, xproto.WindowClassInputOnly, 0, 0, nil)
	clipboard, utf8, plain, targets := s.atom("CLIPBOARD"), s.atom("UTF8_STRING"), xproto.Atom(xproto.AtomString), s.atom("TARGETS")
	if err := xproto.SetSelectionOwnerChecked(conn, id, clipboard, xproto.TimeCurrentTime).Check(); err != nil {
		s.t.Fatal(err)
	}
	o := &offer{conn: conn, done: make(chan struct{})}
	s.offer = o
	go func() {
		defer close(o.done)
		for {
			event, failure := conn.WaitForEvent()
			if event == nil && failure == nil {
				return
			}
			switch e := event.(type) {
			case xproto.SelectionClearEvent:
				o.once.Do(conn.Close)
				return
			case xproto.SelectionRequestEvent:
				answer := xproto.SelectionNotifyEvent{Time: e.Time, Requestor: e.Requestor, Selection: e.Selection, Target: e.Target, Property: e.Property}
				switch e.Target {
				case targets:
					list := make([]byte, 12)
					for i, atom := range []xproto.Atom{targets, utf8, plain} {
						binary.LittleEndian.PutUint32(list[4*i:], uint32(atom))
					}
					xproto.ChangeProperty(conn, xproto.PropModeReplace, e.Requestor, e.Property, xproto.AtomAtom, 32, 3, list)
				case utf8, plain:
					xproto.ChangeProperty(conn, xproto.PropModeReplace, e.Requestor, e.Property, e.Target, 8, uint32(len(text)), []byte(text))
				default:
					answer.Property = 0
				}
				xproto.SendEvent(conn, false, e.Requestor, 0, string(answer.Bytes()))
			}
		}
	}()
}
