package kit_test

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
	"github.com/tokenkeep/tokenkeep/internal/ui/uitest"
	"github.com/tokenkeep/tokenkeep/resources"
)

func art(name string) fyne.CanvasObject {
	read := func(v string) fyne.Resource {
		b, err := resources.Art.ReadFile("art/art-" + name + "-" + v + ".svg")
		if err != nil {
			panic(err)
		}
		return fyne.NewStaticResource("art-"+name+"-"+v+".svg", b)
	}
	return kit.NewArt(read("light"), read("dark"), 240, 120)
}

func rail(at int) *kit.Rail {
	b, _ := resources.Art.ReadFile("icon/icon.svg")
	items := []*kit.NavItem{
		kit.NewNavItem("Accounts", theme.IconAccounts, nil), kit.NewNavItem("Connect", theme.IconConnect, nil), kit.NewNavItem("Apps", theme.IconApps, nil),
		kit.NewNavItem("Guide", theme.IconBook, nil), kit.NewNavItem("Settings", theme.IconSettings, nil),
	}
	items[at].SetSelected(true)
	items[0].SetCount(2)
	return kit.NewRail(fyne.NewStaticResource("icon.svg", b), "Tokenkeep", kit.NewRailFoot("GNOME Keyring", "Tested today, 09:14", "Kept here", kit.Fine, nil), items...)
}

func welcome() fyne.CanvasObject {
	need := func(i theme.IconName, w string) kit.Need { return kit.Need{Icon: i, Words: w} }
	doors := kit.Columns(20, 700, nil,
		kit.NewDoorCard(kit.Door{Art: art("signin"), Title: "Sign in with Instagram", Body: "Make your own free Meta app once. After that, signing in takes a minute.", NeedLabel: "You need", Needs: []kit.Need{need(theme.IconBadge, "A professional account"), need(theme.IconApps, "A Meta app; we guide you")}, Time: "About 20 minutes, only once", Button: "Sign in with Instagram", Kind: kit.High}),
		kit.NewDoorCard(kit.Door{Art: art("paste"), Title: "I already have a token", Body: "Paste a token from the Meta dashboard. We check it, guard it and renew it.", NeedLabel: "You need", Needs: []kit.Need{need(theme.IconKey, "The token you copied"), need(theme.IconLockOpen, "No app secret")}, Time: "About 2 minutes", Button: "Paste a token"}),
		kit.NewDoorCard(kit.Door{Art: art("practise"), Title: "Practise first", Body: "A pretend Instagram built into this app. Try everything; nothing can go wrong.", NeedLabel: "You need", Needs: []kit.Need{need(theme.IconTick, "Nothing"), need(theme.IconCloudOff, "Not even the internet")}, Time: "About 3 minutes", Button: "Open the practice ground"}),
	)
	foot := kit.TopRow(12, kit.NewIcon(theme.IconLock, theme.ColorSuccess, theme.SizeIcon), kit.Grow(kit.NewText("Tokens are kept in **GNOME Keyring** on this computer. Tokenkeep talks to the services you connect, and to no one else.").Link("How this works", func() {})))
	more := kit.Flow(24, kit.Muted("Not sure which door?").Link("Answer two questions", func() {}), kit.Muted("Moving from another computer?").Link("Open a backup", func() {}))
	return kit.Page(kit.PageHead("Welcome to Tokenkeep", "Get an access token for your Instagram account, keep it safe on this computer, and keep it alive."), kit.Column(20, doors, foot, more), nil)
}

func yourApp(run kit.Runner) fyne.CanvasObject {
	insta, threads, face := kit.NewOptionCard("Instagram", "60 days, renews"), kit.NewOptionCard("Threads", "60 days, renews"), kit.NewOptionCard("Facebook", "For Instagram")
	kit.Options(0, nil, insta, threads, face)
	id := kit.NewMonoEntry("Instagram app ID", "")
	id.SetText("118055234417902")
	box := kit.NewFieldBox("Instagram app ID", id, "", 2)
	box.Say(kit.Warn, "This looks like a Facebook app ID. The Instagram one is further down the page.", kit.Run{Words: "Show me where", Tapped: func() {}})
	sec := kit.NewSecretEntry(kit.NewQueue(), "Instagram app secret", "")
	sec.SetText("01234567890123456789012345678901")
	form := kit.NewCard(kit.Column(16,
		kit.Row(8, kit.Grow(kit.Title("Your app")), kit.Muted("Saved app").Whole(), kit.Fixed(150, kit.NewSelect("Saved app", []string{"New app"}, 0, nil))),
		kit.Columns(12, 420, nil, insta, threads, face),
		box,
		kit.Column(8, kit.NewSecretBox("Instagram app secret", sec, "", 0), kit.NewCheck("Forget it after sign-in. Renewing works without it.", "", true, nil)),
		kit.Column(6, kit.Strong("Redirect address"), kit.NewCopyField(run, "Redirect address", "https://localhost:8919/", "Copy", "Copied", func(string) {}),
			kit.IconLine(theme.IconCorner, theme.ColorMuted, kit.Runs("Paste it under **Business login settings > OAuth redirect URIs**, press Enter, then Save. Every character counts, the last slash too.")...)),
		kit.Space(),
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs("ID and secret are kept in GNOME Keyring, never in a file. They go to Instagram and nowhere else.")...),
	))
	check := kit.NewCard(kit.Column(10,
		kit.Row(8, kit.Grow(kit.Title("Check my setup")), kit.NewButton("Check again", kit.Low, nil).With(theme.IconRefresh).Flush()),
		kit.Caption("4 fine, 1 to look at, 1 only you can check"),
		kit.Lined(
			kit.NewStatusLine(kit.Warn, "", "App ID belongs to Facebook", "Instagram answered “Invalid platform app”. Use the Instagram app ID.", true),
			kit.NewStatusLine(kit.Fine, "", "App secret looks complete", "32 characters, no spaces. Sign-in will prove it.", false),
			kit.NewStatusLine(kit.Fine, "", "The return address is free", "No other program is using port 8919.", false),
			kit.NewStatusLine(kit.Fine, "", "GNOME Keyring works", "Wrote, read back and removed a test entry.", false),
			kit.NewStatusLine(kit.Quiet, theme.IconEye, "Redirect address in the dashboard", "Only you can see that list. Compare it with the address here.", false)),
		kit.Space(),
		kit.IconLine(theme.IconLock, theme.ColorMuted, kit.Runs("The check sends your app ID to Instagram. Nothing else leaves this computer.")...)))
	return kit.Page(kit.PageHead("Connect an account", "", kit.NewStepHeader([]string{"Your app", "What may it do", "Sign in"}, 0)), kit.TwoColumns(308, 700, form, check),
		kit.Footer(kit.NewButton("Cancel", kit.Low, nil), kit.Caption("You can go on; sign-in will probably stop at the app ID.").Trailing(), kit.NewButton("Continue", kit.High, nil).Then(theme.IconForward)))
}

func permissions() fyne.CanvasObject {
	row := func(icon theme.IconName, group string, checks ...fyne.CanvasObject) fyne.CanvasObject {
		return kit.TopRow(8, kit.NewIcon(icon, theme.ColorPrimary, theme.SizeIcon), kit.Fixed(104, kit.NewText(group)), kit.Grow(kit.Lined(checks...)))
	}
	a, b, c := kit.NewOption("Show my feed on a website", "1 permission"), kit.NewOption("Plan and publish posts", "2 permissions"), kit.NewOption("Comments and statistics", "3 permissions")
	kit.Options(2, nil, a, b, c)
	return kit.Page(kit.PageHead("Connect an account", "", kit.NewStepHeader([]string{"Your app", "What may it do", "Sign in"}, 1)),
		kit.TwoColumns(276, 700, kit.NewCard(kit.Column(12, kit.Title("What may it do?"), kit.Muted("Tick only what you need. Instagram shows this same list when you sign in."), kit.Line(), kit.Lined(
			row(theme.IconPicture, "Show", kit.NewCheckRow("See the profile and its posts", "Name, picture, posts and their links.", "instagram_business_basic", true, "Always on", "Without it a token cannot be renewed.", nil)),
			row(theme.IconSend, "Publish", kit.NewCheckRow("Publish posts, stories and reels", "Tools you hand the token to can post for you.", "instagram_business_content_publish", false, "", "", nil)),
			row(theme.IconChat, "Talk", kit.NewCheckRow("Read and answer comments", "Also hide or remove comments on your posts.", "instagram_business_manage_comments", true, "", "", nil), kit.NewCheckRow("Read and answer messages", "Private messages people send to the account.", "instagram_business_manage_messages", false, "", "", nil)),
			row(theme.IconChart, "Learn", kit.NewCheckRow("See statistics", "Reach, views and followers over time.", "instagram_business_manage_insights", true, "", "", nil)),
		))), kit.Column(16, kit.NewCardPad(20, kit.Column(16, kit.Title("Start from a task"), a, b, c)),
			kit.NewNoticeButton(kit.Info, "", "You ask for 3 of 5", "A token never gains permissions later. To add one, sign in again; your settings stay."),
			kit.NewNoticeIcon(kit.Quiet, theme.IconAccounts, "", "For accounts you own or manage, no review by Meta is needed. For other people’s accounts it is.", kit.Run{Words: "Read more", Tapped: func() {}}).SmallText())),
		kit.Footer(kit.NewButton("Cancel", kit.Low, nil), nil, kit.NewButton("Back", kit.Medium, nil).With(theme.IconBack), kit.NewButton("Continue", kit.High, nil).Then(theme.IconForward)))
}

func signIn() fyne.CanvasObject {
	mine, own := kit.NewOption("My browser", "Firefox, signed in as usual"), kit.NewOption("A separate window", "For another account. Starts signed out")
	kit.Options(0, nil, mine, own)
	link := func(s string) kit.Run { return kit.Run{Words: s, Tapped: func() {}} }
	wait := kit.NewCard(kit.Column(14,
		kit.Row(8, kit.Grow(kit.Subheading("Waiting for you in the browser")), kit.NewIcon(theme.IconStopwatch, theme.ColorMuted, theme.SizeButtonIcon), kit.Muted("9:42 left").Whole()),
		kit.Muted("Sign in there and choose Allow. This page notices by itself."),
		kit.NewMovingBar("Waiting", false), kit.Gap(2),
		kit.NewWaitSteps(
			kit.WaitStep{Title: "The browser is open", Line: kit.Runs("Firefox, at www.instagram.com"), State: kit.Done},
			kit.WaitStep{Title: "Sign in and choose Allow", Line: append(kit.Runs("Use the account you want to connect. It has to accept the tester invite first. "), link("Did I do that?")), State: kit.Now},
			kit.WaitStep{Title: "Instagram sends you back here", Line: append(kit.Runs("Your browser may warn that localhost is not private. That page is Tokenkeep on this computer: choose Advanced, then Continue. "), link("See a picture"))}),
		kit.Flow(8, kit.NewButton("Open the browser again", kit.Medium, nil).With(theme.IconExternal), kit.NewButton("The page shows an error", kit.Low, nil))))
	which := kit.NewCardPad(20, kit.Column(16, kit.Title("Which browser window?"), mine, own, kit.Line(), kit.Strong("Or take the link elsewhere"), kit.NewReadOnly("link", "www.instagram.com/oauth/authorize?client_id=1"), kit.Flow(8, kit.NewButton("Copy link", kit.Medium, nil).With(theme.IconCopy)), kit.Caption("Works in any browser on this computer, once, for the time shown.")))
	use := kit.NewButton("Use this address", kit.Medium, nil)
	use.Disable()
	paste := kit.NewCard(kit.Column(8, kit.Row(8, kit.Grow(kit.Title("Didn’t come back? Paste the address")), kit.Caption("Works even when that page shows an error").Whole()),
		kit.NewFieldBox("", kit.NewMonoEntry("Address", "https://localhost:8919/?code=…"), "Click the browser’s address bar, select everything, copy, and paste it here. The code inside works once, for one hour.", 1, kit.NewPasteButton("Paste", nil), use)))
	return kit.Page(kit.PageHead("Connect an account", "", kit.NewStepHeader([]string{"Your app", "What may it do", "Sign in"}, 2)), kit.Column(20, kit.TwoColumns(308, 700, wait, which), paste),
		kit.Footer(kit.NewButton("Cancel sign-in", kit.Low, nil).With(theme.IconClose), kit.Caption("Nothing is saved until Instagram says yes."), kit.NewButton("Back", kit.Medium, nil).With(theme.IconBack)))
}

func success() fyne.CanvasObject {
	facts := kit.NewCard(kit.Column(14, kit.Title("Your token"), kit.Lined(
		kit.NewFactRow(theme.IconCalendar, "Valid until", "**21 January 2027**, 60 days from today", "Renewed by itself around 1 January"),
		kit.NewFactRow(theme.IconLock, "Saved in", "**GNOME Keyring** on this computer", "Read back and compared: the same"),
		kit.NewFactRow(theme.IconKeyOff, "App secret", "Forgotten, as you asked", "Renewing works without it"),
		kit.NewFactRow(theme.IconBell, "Reminders", "14, 7 and 2 days before the end", "Only if renewing does not work"))))
	may := kit.NewCardPad(20, kit.Column(14, kit.Title("What it may do"), kit.Lined(
		kit.NewStatusLine(kit.Fine, "", "See the profile and its posts", "Allowed", false), kit.NewStatusLine(kit.Fine, "", "Read and answer comments", "Allowed", false),
		kit.NewStatusLine(kit.Warn, theme.IconMinusDisc, "See statistics", "You asked for this; it was left unticked", false)), kit.Space(),
		kit.NewNoticeIcon(kit.Warn, theme.IconInfo, "", "Fine if you don’t need statistics. To add it, sign in again and leave it ticked.", kit.Run{Words: "Ask again", Tapped: func() {}}).SmallText()))
	head := kit.NewCard(kit.HeadOf(kit.Row(20, kit.NewAvatar("lantern.books", 80).Ticked(), kit.Column(4, kit.Heading("@lantern.books is connected"), kit.Muted("Instagram · Creator account · 412 posts"))),
		kit.Column(4, kit.Caption("Not the account you meant?").Trailing(), kit.NewButton("Use another account", kit.Medium, nil))))
	return kit.Page(nil, kit.Column(20, head, kit.TwoColumns(340, 700, facts, may), kit.Title("What next?"),
		kit.Columns(16, 600, nil, kit.NewActionCard(theme.IconCopy, "Copy the token", "Clipboard clears after 45 s", nil), kit.NewActionCard(theme.IconAdd, "Connect another", "Same app, next account", nil))),
		kit.Footer(nil, kit.Caption("Written to the diary: signed in today at 10:26"), kit.NewButton("Open the account", kit.Medium, nil), kit.NewButton("Done", kit.High, nil)))
}

func account(run kit.Runner) fyne.CanvasObject {
	token := kit.NewCard(kit.Column(12, kit.Row(8, kit.Grow(kit.Title("Access token")), kit.Caption("Lasts 60 days · Instagram").Whole()),
		kit.Row(8, kit.Grow(kit.NewReadOnly("Access token", "IGAA •••• •••• •••• 7ZDZD")), kit.NewHoldButton(run, "Hold to show", func(bool) {}), kit.NewButton("Copy", kit.High, nil).With(theme.IconCopy)),
		kit.Row(8, kit.NewIcon(theme.IconStopwatch, theme.ColorMuted, theme.SizeHintIcon), kit.Grow(kit.CaptionRuns(kit.Runs("Copied. Cleared from the clipboard in **38 s**")...)), kit.Fixed(120, kit.NewThinProgress("Clipboard", 0.84)), kit.NewLink("Clear now", nil).Small())))
	life := kit.NewCard(kit.Column(12, kit.Title("Life of this token"), kit.NewTimeline("Issued 3 November, 41 of 60 days left, renews by itself around 13 December, ends 2 January 2027.", false,
		kit.Moment{Title: "Issued", Line: "3 Nov", At: 0, Kind: kit.MomentStart}, kit.Moment{Title: "Renewable", Line: "after 24 h, since 4 Nov", At: 1.0 / 60, Kind: kit.MomentSmall},
		kit.Moment{Title: "Today", Line: "41 days left", At: 19.0 / 60, Kind: kit.MomentToday}, kit.Moment{Title: "Renews by itself", Line: "around 13 Dec", At: 40.0 / 60, Kind: kit.MomentPlanned}, kit.Moment{Title: "Ends", Line: "2 Jan 2027", At: 1, Kind: kit.MomentEnd})))
	posts := kit.Columns(12, 0, nil, kit.NewPost("Post of 3 November", nil), kit.NewPost("Post of 2 November", nil), kit.NewPost("Post of 1 November", nil))
	side := kit.Column(16, kit.NewCardPad(20, kit.Column(12, kit.Title("It works"), posts, kit.Caption("Latest posts, fetched with this token"))),
		kit.NewCardPad(20, kit.Column(12, kit.Title("Something wrong?"), kit.NewButton("Sign in again", kit.Medium, nil).With(theme.IconLogin), kit.NewButton("Remove access…", kit.QuietDanger, nil).With(theme.IconUnlink))))
	head := kit.Row(16, kit.NewIconButton(theme.IconBack, "Back", nil), kit.NewAvatar("northlight.studio", 56), kit.Column(2, kit.Flow(12, kit.Heading("@northlight.studio"), kit.NewStatusChip("Healthy", kit.Fine, "")), kit.Muted("Instagram · Business account · signed in since 24 Sep")))
	fold := kit.NewFold("What Meta said", "For support; you don’t need it", kit.Mono("Invalid platform app"))
	return kit.Page(kit.HeadOf(head, kit.NewButton("Check", kit.Medium, nil).With(theme.IconCheckList), kit.NewButton("Renew now", kit.Medium, nil).With(theme.IconRenew)),
		kit.TwoColumns(288, 700, kit.Column(16, token, life, kit.NewCardPad(20, fold)), side), nil)
}

func accounts() fyne.CanvasObject {
	rows := []kit.AccountRowModel{
		{Username: "@rosa.and.rye", Second: "Instagram · Business", Life: "Password changed", Chip: "Needs sign-in", ChipTone: kit.Bad, ChipIcon: theme.IconLogin, Remedy: "Sign in"},
		{Username: "@cedarclinic", Second: "Instagram via Facebook", Life: "5 of 60 days left", Share: 0.08, LifeTone: kit.Warn, Chip: "Expires in 5 days", ChipTone: kit.Warn, ChipIcon: theme.IconClock, Remedy: "Sign in"},
		{Username: "@harbour.coffee", Second: "Instagram · Creator", Life: "23 of 60 days left", Share: 0.38, LifeTone: kit.Info, Chip: "Renews in 3 days", ChipTone: kit.Info, ChipIcon: theme.IconRenew},
		{Username: "@northlight.studio", Second: "Instagram · Business", Life: "41 of 60 days left", Share: 0.68, LifeTone: kit.Fine, Chip: "Healthy", ChipTone: kit.Fine},
	}
	l := kit.NewList("Accounts", func() int { return len(rows) }, func() fyne.CanvasObject { return kit.NewAccountRow() }, func(i int, o fyne.CanvasObject) {
		m := rows[i]
		m.CopyName, m.RenewName, m.MoreName = "Copy token", "Renew now", "More"
		o.(*kit.AccountRow).Set(m)
	})
	all := kit.NewFilterChip("All", 6, nil)
	all.Set(6, true)
	return kit.FixedPage(kit.Column(20, kit.PageHead("Accounts", "", kit.Fixed(240, kit.NewSearch("Search accounts", "Search accounts", nil)), kit.NewButton("Connect an account", kit.High, nil).With(theme.IconAdd)),
		kit.Flow(8, all, kit.NewFilterChip("Need you", 2, nil), kit.NewFilterChip("Healthy", 3, nil))), kit.NewCardPad(1, l), nil)
}

func pages(s *uitest.Screen) map[string]fyne.CanvasObject {
	return map[string]fyne.CanvasObject{
		"welcome": welcome(), "accounts": accounts(), "app": yourApp(s.Run), "permissions": permissions(),
		"sign-in": signIn(), "success": success(), "account": account(s.Run),
	}
}

// The pages of the pictures, built from the same parts, and all parts on one
// sheet: what they look like is accepted by eye and held here.
func TestLook(t *testing.T) {
	for name, o := range map[string]uitest.Options{"app-light": {}, "account-dark": {Dark: true}, "account-light-small": {Size: uitest.Small}, "sign-in-light": {}} {
		t.Run(name, func(t *testing.T) {
			s := uitest.New(t, o)
			page, _, _ := strings.Cut(strings.ReplaceAll(name, "sign-in", "sign_in"), "-")
			s.Show(kit.Shell(rail(0), nil, pages(s)[strings.ReplaceAll(page, "_", "-")]))
			s.Golden(name)
		})
	}
	for v, o := range map[string]uitest.Options{"light": {}, "dark": {Dark: true}, "light-2x": {Pixels: 2}, "dark-2x": {Dark: true, Pixels: 2}, "light-text-2": {Text: 2}} {
		t.Run("sheet-"+v, func(t *testing.T) {
			scale := max(1, o.Text)
			o.Size = fyne.NewSize(560*scale, 10)
			s := uitest.New(t, o)
			sheet := sheet()
			s.Window.Resize(fyne.NewSize(560*scale, kit.HeightFor(sheet, 560*scale)))
			s.Show(sheet)
			s.Golden("sheet-" + v)
		})
	}
	t.Run("dialog", func(t *testing.T) {
		s := uitest.New(t, uitest.Options{Size: uitest.Small})
		s.Show(kit.Shell(rail(0), kit.NewSandStrip("Practice ground. Nothing here is real.", "Leave", func() {}), accounts()))
		s.Frame.Toast("Renewed. Valid until 2 January 2027.", "Show", nil)
		s.Frame.Open(kit.Dialog{Title: "Remove access for @northlight.studio?", Body: kit.Column(12, kit.NewText("The token is deleted from this computer. These places stop working:"), kit.NewCheck("Also open Instagram’s page where access can be ended for good", "", true, nil)),
			Buttons: []kit.DialogButton{{Label: "Keep it", Harmless: true}, {Label: "Remove access", Kind: kit.Danger}}})
		s.Golden("dialog")
	})
}
