package kit

import (
	"image/png"
	"os"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

func sheet() fyne.CanvasObject {
	entry := func(words string, t Tone, hint string) fyne.CanvasObject {
		e := NewMonoEntry("app ID", "")
		e.SetText(words)
		b := NewFieldBox("", e, "", 1)
		b.label.Hide()
		b.Say(t, hint)
		return b
	}
	sel := NewSelect("Sort", []string{"Needs you first", "Name"}, 0, nil)
	focused := NewButton("Check", Medium, nil)
	focused.FocusGained()
	on := NewFilterChip("All", 6, nil)
	on.Set(6, true)
	this, that := NewOption("This", ""), NewOption("That", "")
	Options(0, nil, this, that)
	nav := NewNavItem("Accounts", theme.IconAccounts, nil)
	nav.SetSelected(true)
	nav.SetCount(2)
	icons := Flow(6)
	for _, n := range theme.Icons() {
		icons.Add(NewIcon(n, theme.ColorMuted, theme.SizeIcon))
	}
	return Pad(28, Column(16,
		Flow(10, Heading("Page title"), Subheading("Section"), Title("Card title"), NewText("Body"), Caption("Caption"), Micro("scope_name")),
		Flow(8, NewButton("Next", High, nil), NewButton("Copy", Medium, nil), NewButton("Cancel", Low, nil), NewButton("Remove…", QuietDanger, nil), NewButton("Remove", Danger, nil), focused),
		Flow(8, NewStatusChip("Healthy", Fine, ""), NewStatusChip("Renews in 3 days", Info, theme.IconRenew), NewStatusChip("Expires in 5 days", Warn, theme.IconClock), NewStatusChip("Needs sign-in", Bad, theme.IconLogin), NewStatusChip("Expired", Neutral, theme.IconEnded), NewStatusChip("Checking", Neutral, theme.IconRenew)),
		Columns(16, 0, nil, NewLifeBar(0.87, Fine, "52 of 60 days left"), NewLifeBar(0.38, Info, "23 of 60 days left"), NewLifeBar(0.08, Warn, "5 of 60 days left"), NewLifeBar(0, Neutral, "Ended on 2 Nov")),
		Columns(12, 0, nil, NewEntry("ID", "Paste it here"), sel),
		Columns(12, 0, nil, entry("118055234417902", Warn, "This looks like a Facebook app ID."), entry("9022 E", Bad, "Digits only. Copy it again, please.")),
		Columns(12, 0, nil, NewReadOnly("address", "https://localhost:8919/"), NewEntry("x", "")),
		Flow(16, NewCheck("On", "", true, nil), NewCheck("Off", "", false, nil), this, that, on, NewFilterChip("Healthy", 3, nil)),
		Column(8,
			NewNoticeIcon(Fine, theme.IconShield, "The keyring works.", "Tested at 09:14."),
			NewNoticeIcon(Warn, theme.IconClock, "1 token ends in 5 days.", "Sign in to keep it going.", Run{Words: "Sign in", Tapped: func() {}}),
			NewNoticeIcon(Bad, theme.IconLock, "The keyring is locked.", "Unlock it to copy or renew.", Run{Words: "Unlock", Tapped: func() {}}),
			NewNotice(Info, "", "A token never gains permissions later.")),
		Row(12, Fixed(164, nav), NewNavItem("Guide", theme.IconBook, nil)),
		icons,
	))
}

func TestSheetDraft(t *testing.T) {
	app := test.NewTempApp(t)
	for name, th := range map[string]*theme.Theme{"light": theme.New(theme.Light, 1), "dark": theme.New(theme.Dark, 1), "light2": theme.New(theme.Light, 2)} {
		app.Settings().SetTheme(th)
		w := test.NewTempWindow(t, nil)
		w.SetPadded(false)
		o := sheet()
		width := 560 * th.Scale()
		w.SetContent(o)
		w.Resize(fyne.NewSize(width, HeightFor(o, width)))
		f, _ := os.Create("/tmp/sheet-" + name + ".png")
		_ = png.Encode(f, w.Canvas().Capture())
		_ = f.Close()
	}
}
