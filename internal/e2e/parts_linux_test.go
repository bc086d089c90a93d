package e2e

import (
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// playWindow is a program with a window and nothing else: it prints each click
// as "click X Y" (pixels inside the window) and each key as "key CODE STATE".
func playWindow() {
	conn, err := xgb.NewConn()
	if err != nil {
		log.Fatal(err)
	}
	id, err := xproto.NewWindowId(conn)
	if err != nil {
		log.Fatal(err)
	}
	screen := xproto.Setup(conn).DefaultScreen(conn)
	err = xproto.CreateWindowChecked(conn, screen.RootDepth, id, screen.Root, 40, 60, 400, 300, 0, xproto.WindowClassInputOutput, screen.RootVisual,
		xproto.CwBackPixel|xproto.CwEventMask, []uint32{0x3366cc, xproto.EventMaskButtonPress | xproto.EventMaskKeyPress | xproto.EventMaskStructureNotify}).Check()
	if err != nil {
		log.Fatal(err)
	}
	name := "A window for tests"
	xproto.ChangeProperty(conn, xproto.PropModeReplace, id, xproto.AtomWmName, xproto.AtomString, 8, uint32(len(name)), []byte(name))
	if reply, err := xproto.InternAtom(conn, false, 11, "_NET_WM_PID").Reply(); err == nil {
		pid := uint32(os.Getpid())
		xproto.ChangeProperty(conn, xproto.PropModeReplace, id, reply.Atom, xproto.AtomCardinal, 32, 1,
			[]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)})
	}
	xproto.MapWindow(conn, id)
	for {
		event, failure := conn.WaitForEvent()
		if event == nil && failure == nil {
			return
		}
		switch e := event.(type) {
		case xproto.ButtonPressEvent:
			fmt.Printf("click %d %d\n", e.EventX, e.EventY)
		case xproto.KeyPressEvent:
			fmt.Printf("key %d %d\n", e.Detail, e.State)
		}
	}
}

// playRunaway leaves a child behind, as a careless program does.
func playRunaway() {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	child := exec.Command(self, partOfSleeping)
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(child.Process.Pid)
}
