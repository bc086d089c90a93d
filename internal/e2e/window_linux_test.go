package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// node is one thing in the window as the test driver describes it. The
// rectangle is in pixels of the window's content.
type node struct {
	Role    string  `json:"role"`
	Text    string  `json:"text"`
	Value   string  `json:"value"` // what it holds, masked where it is a secret
	X       float64 `json:"x"`
	Y       float64 `json:"y"`
	W       float64 `json:"w"`
	H       float64 `json:"h"`
	Enabled bool    `json:"enabled"`
	Focused bool    `json:"focused"`
	Overlay int     `json:"overlay"` // 0 in the window, then 1 and up
}

func (n node) area() image.Rectangle {
	return image.Rect(int(n.X), int(n.Y), int(n.X+n.W), int(n.Y+n.H))
}

// driver is the socket of a window that was built with the tag "e2e".
type driver struct {
	conn  net.Conn
	lines *bufio.Reader
}

// driverVariable tells the program where to make its socket.
const driverVariable = "TOKENKEEP_E2E_SOCKET"

// connectDriver waits until the window's socket is there.
func connectDriver(t testing.TB, path string, limit time.Duration, alive func() bool) *driver {
	t.Helper()
	var conn net.Conn
	within(t, limit, "the window opens its test socket", func() bool {
		if !alive() {
			t.Fatal("the program ended before its window came up")
		}
		var err error
		conn, err = net.Dial("unix", path)
		return err == nil
	})
	return &driver{conn: conn, lines: bufio.NewReaderSize(conn, 1<<20)}
}

// ask sends one request and decodes the answer into the given value.
func (v *driver) ask(operation string, into any) error {
	_ = v.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(v.conn, "{\"op\":%q}\n", operation); err != nil {
		return err
	}
	line, err := v.lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var failure struct{ Error string }
	if json.Unmarshal(line, &failure) == nil && failure.Error != "" {
		return errors.New(failure.Error)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(line, into)
}

// app is the window under test, running on a desktop.
type app struct {
	*process
	d      *desktop
	t      testing.TB
	driver *driver
	window window
}

// openWindow starts the built program and waits for its window. The process is
// watched for the canary from its first moment on.
func (d *desktop) openWindow(path string, env ...string) *app {
	d.t.Helper()
	socket := filepath.Join(d.runtime, "driver")
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		d.t.Fatal(err)
	}
	p := d.start("tokenkeep", []string{path}, nil, append(env, driverVariable+"="+socket)...)
	d.watches = append(d.watches, watchProcess(p.pid()))
	a := &app{process: p, d: d, t: d.t, driver: connectDriver(d.t, socket, 20*time.Second, p.alive)}
	d.t.Cleanup(func() { _ = a.driver.conn.Close() })
	a.window = d.screen.windowOf(p.pid(), 10*time.Second)
	return a
}

// tree is everything that the window shows, in the order of drawing.
func (a *app) tree() []node {
	a.t.Helper()
	var answer struct{ Nodes []node }
	if err := a.driver.ask("tree", &answer); err != nil {
		a.t.Fatalf("asking the window what it shows: %v\n%s", err, a.words())
	}
	return answer.Nodes
}

// find returns what has the role (any, where empty) and the text. Where
// something lies over the window, only that counts: nothing else can be reached.
func find(all []node, role, text string) (node, bool) {
	covered := 0
	for _, n := range all {
		covered = max(covered, n.Overlay)
	}
	for _, n := range all {
		if (role == "" || n.Role == role) && n.Text == text && n.Overlay == covered && n.W > 0 && n.H > 0 {
			return n, true
		}
	}
	return node{}, false
}

// shows waits until the window shows the text, whole or as a part of one.
func (a *app) shows(text string, limit time.Duration) node {
	a.t.Helper()
	var found node
	deadline := time.Now().Add(limit)
	for {
		all := a.tree()
		for _, n := range all {
			if (strings.Contains(n.Text, text) || strings.Contains(n.Value, text)) && n.W > 0 && n.H > 0 {
				found = n
				return found
			}
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("the window does not show %q within %s; it shows\n%s", text, limit, outline(all))
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// outline prints a tree for a failure's message.
func outline(all []node) string {
	var out strings.Builder
	for _, n := range all {
		if n.Text != "" {
			fmt.Fprintf(&out, "  %-12s %q = %q %v enabled=%v focused=%v overlay=%d\n", n.Role, n.Text, n.Value, n.area(), n.Enabled, n.Focused, n.Overlay)
		}
	}
	return out.String()
}

// click waits until what has the role and text can be clicked and lies still,
// and clicks the middle of its pixels.
func (a *app) click(role, text string) {
	a.t.Helper()
	a.d.screen.activate(a.window)
	a.clickAt(a.still(role, text))
}

// still waits for an enabled node that has not moved for two looks.
func (a *app) still(role, text string) node {
	a.t.Helper()
	var last node
	var all []node
	deadline := time.Now().Add(10 * time.Second)
	for {
		all = a.tree()
		now, ok := find(all, role, text)
		if ok && now.Enabled && now == last {
			return now
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%s %q cannot be clicked; the window shows\n%s", role, text, outline(all))
		}
		last = node{}
		if ok {
			last = now
		}
		time.Sleep(40 * time.Millisecond)
	}
}

// clickAt clicks the middle of a node.
func (a *app) clickAt(n node) {
	a.t.Helper()
	for _, w := range a.d.screen.windows() {
		if w.id == a.window.id {
			a.window = w
		}
	}
	area := n.area().Add(a.window.area.Min)
	a.d.screen.click(image.Pt((area.Min.X+area.Max.X)/2, (area.Min.Y+area.Max.Y)/2))
}

// close closes the window as its cross does and waits for the program's end.
func (a *app) close() {
	a.t.Helper()
	below := descendants(allProcesses(), a.pid())
	a.d.screen.closeWindow(a.window)
	if err := a.waitEnd(a.t, 10*time.Second); err != nil {
		a.t.Errorf("the program ended with %v\n%s", err, a.words())
	}
	for _, left := range gone(below, 2*time.Second) {
		a.t.Errorf("still running after the window was closed: %s", left)
	}
}

// shot raises the window and leaves a picture of it alone.
func (a *app) shot(name string) string {
	a.t.Helper()
	a.d.screen.activate(a.window)
	time.Sleep(150 * time.Millisecond)
	path := filepath.Join(artifacts(a.t), name+".png")
	savePicture(a.t, path, a.d.screen.look(a.window.area))
	return path
}
