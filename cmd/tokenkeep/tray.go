package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"runtime"

	"fyne.io/systray"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/ui"
)

// tray is the desktop's, where there is one. The toolkit's own can only be
// started before the window is shown, and asking the bus whether there is a
// tray takes longer than the first picture should; so its library is spoken to
// directly, once the window stands. It also opens no second window for it.
type tray struct {
	items  []*systray.MenuItem
	wanted []ui.TrayItem
	end    func()
}

// Present implements ui.Tray.
func (t *tray) Present(ctx context.Context) bool { return desktop.HasTray(ctx) }

// Show implements ui.Tray.
func (t *tray) Show(items []ui.TrayItem) {
	first := t.wanted == nil
	t.wanted = items
	if !first {
		t.say()
		return
	}
	icon := icon().Content()
	if runtime.GOOS == "windows" {
		icon = windowsIcon(icon)
	}
	start, end := systray.RunWithExternalLoop(nil, nil)
	t.end = end
	systray.SetIcon(icon)
	systray.SetTitle(buildinfo.Name)
	systray.SetTooltip(buildinfo.Name)
	for i := range items {
		if i == len(items)-1 {
			systray.AddSeparator()
		}
		item := systray.AddMenuItem("", "")
		t.items = append(t.items, item)
		do := items[i].Do
		go func() {
			for range item.ClickedCh {
				do()
			}
		}()
	}
	t.say()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		start() // belongs to the thread of the window
		return
	}
	go start() // speaks to the bus
}

// say gives the items their words.
func (t *tray) say() {
	for i, item := range t.items {
		if t.wanted[i].Words == "" {
			item.Hide()
			continue
		}
		item.SetTitle(t.wanted[i].Words)
		item.Show()
	}
}

// close takes the icon away.
func (t *tray) close() {
	if t.end != nil {
		t.end()
	}
}

// windowsIcon is a picture as Windows wants an icon: a PNG behind a directory
// of one entry (the ICO format as of Windows Vista).
func windowsIcon(png []byte) []byte {
	var b bytes.Buffer
	for _, field := range []any{
		uint16(0), uint16(1), uint16(1), // reserved, icon, one picture
		uint8(0), uint8(0), uint8(0), uint8(0), // its own size, no palette
		uint16(1), uint16(32), uint32(len(png)), uint32(22),
	} {
		_ = binary.Write(&b, binary.LittleEndian, field)
	}
	return append(b.Bytes(), png...)
}
