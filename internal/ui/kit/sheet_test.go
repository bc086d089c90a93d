package kit_test

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

func sheet() fyne.CanvasObject {
	entry := func(words string, t kit.Tone, hint string) fyne.CanvasObject {
		e := kit.NewMonoEntry("app ID", "")
		e.SetText(words)
		b := kit.NewFieldBox("", e, "", 1)
		b.Say(t, hint)
		return b
	}
	sel := kit.NewSelect("Sort", []string{"Needs you first", "Name"}, 0, nil)
	focused := kit.NewButton("Check", kit.Medium, nil)
	focused.FocusGained()
	on := kit.NewFilterChip("All", 6, nil)
	on.Set(6, true)
	this, that := kit.NewOption("This", ""), kit.NewOption("That", "")
	kit.Options(0, nil, this, that)
	nav := kit.NewNavItem("Accounts", theme.IconAccounts, nil)
	nav.SetSelected(true)
	nav.SetCount(2)
	icons := kit.Flow(6)
	for _, n := range theme.Icons() {
		icons.Add(kit.NewIcon(n, theme.ColorMuted, theme.SizeIcon))
	}
	return kit.Pad(28, kit.Column(16,
		kit.Flow(10, kit.Heading("Page title"), kit.Subheading("Section"), kit.Title("Card title"), kit.NewText("Body"), kit.Caption("Caption"), kit.Micro("scope_name")),
		kit.Flow(8, kit.NewButton("Next", kit.High, nil), kit.NewButton("Copy", kit.Medium, nil), kit.NewButton("Cancel", kit.Low, nil), kit.NewButton("Remove…", kit.QuietDanger, nil), kit.NewButton("Remove", kit.Danger, nil), focused),
		kit.Flow(8, kit.NewStatusChip("Healthy", kit.Fine, ""), kit.NewStatusChip("Renews in 3 days", kit.Info, theme.IconRenew), kit.NewStatusChip("Expires in 5 days", kit.Warn, theme.IconClock), kit.NewStatusChip("Needs sign-in", kit.Bad, theme.IconLogin), kit.NewStatusChip("Expired", kit.Neutral, theme.IconEnded), kit.NewStatusChip("Checking", kit.Neutral, theme.IconRenew)),
		kit.Columns(16, 0, nil, kit.NewLifeBar(0.87, kit.Fine, "52 of 60 days left"), kit.NewLifeBar(0.38, kit.Info, "23 of 60 days left"), kit.NewLifeBar(0.08, kit.Warn, "5 of 60 days left"), kit.NewLifeBar(0, kit.Neutral, "Ended on 2 Nov")),
		kit.Columns(12, 0, nil, kit.NewEntry("ID", "Paste it here"), sel),
		kit.Columns(12, 0, nil, entry("118055234417902", kit.Warn, "This looks like a Facebook app ID."), entry("9022 E", kit.Bad, "Digits only. Copy it again, please.")),
		kit.Columns(12, 0, nil, kit.NewReadOnly("address", "https://localhost:8919/"), kit.NewEntry("x", "")),
		kit.Flow(16, kit.NewCheck("On", "", true, nil), kit.NewCheck("Off", "", false, nil), this, that, on, kit.NewFilterChip("Healthy", 3, nil)),
		kit.Column(8,
			kit.NewNoticeIcon(kit.Fine, theme.IconShield, "The keyring works.", "Tested at 09:14."),
			kit.NewNoticeIcon(kit.Warn, theme.IconClock, "1 token ends in 5 days.", "Sign in to keep it going.", kit.Run{Words: "Sign in", Tapped: func() {}}),
			kit.NewNoticeIcon(kit.Bad, theme.IconLock, "The keyring is locked.", "Unlock it to copy or renew.", kit.Run{Words: "Unlock", Tapped: func() {}}),
			kit.NewNotice(kit.Info, "", "A token never gains permissions later.")),
		kit.Row(12, kit.Fixed(164, nav), kit.NewNavItem("Guide", theme.IconBook, nil)),
		icons,
	))
}
