package kit_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
	"github.com/tokenkeep/tokenkeep/internal/ui/uitest"
)

func TestQueueRunsInOrderAndOnlyWhenTold(t *testing.T) {
	q := kit.NewQueue()
	var got []string
	add := func(s string) func() { return func() { got = append(got, s) } }
	q.Go(func() { got = append(got, "work"); q.Post(add("shown")) })
	q.After(2*time.Second, add("second"))
	q.After(time.Second, func() { got = append(got, "first"); q.After(500*time.Millisecond, add("between")) })
	stop := q.After(time.Second, add("stopped"))
	if len(got) != 0 {
		t.Fatal("something ran by itself")
	}
	if n := q.Drain(); n != 2 {
		t.Errorf("drained %d", n)
	}
	stop()
	q.Advance(1900 * time.Millisecond)
	q.Advance(100 * time.Millisecond)
	if want := []string{"work", "shown", "first", "between", "second"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRealRunnerPostsAndStops(t *testing.T) {
	test.NewTempApp(t)
	run := kit.NewRunner()
	done := make(chan string, 4)
	run.Go(func() { run.Post(func() { done <- "posted" }) })
	if got := <-done; got != "posted" {
		t.Error(got)
	}
	var once sync.Mutex
	stop := run.After(time.Hour, func() { once.Lock() })
	stop()
	run.After(time.Millisecond, func() { done <- "later" })
	if got := <-done; got != "later" {
		t.Error(got)
	}
}

// Every widget that can be clicked is reached by Tab, triggered by Enter and by
// Space, hands other keys on, and does nothing while it is disabled.
func TestEveryActionHasTheKeyboard(t *testing.T) {
	for name, build := range map[string]func(hit func()) fyne.CanvasObject{
		"button":  func(hit func()) fyne.CanvasObject { return kit.NewButton("Next", kit.High, hit) },
		"icon":    func(hit func()) fyne.CanvasObject { return kit.NewIconButton(theme.IconCopy, "Copy token", hit) },
		"link":    func(hit func()) fyne.CanvasObject { return kit.NewLink("Read more", hit) },
		"in text": func(hit func()) fyne.CanvasObject { return kit.Muted("Words, then").Link("a link", hit) },
		"filter":  func(hit func()) fyne.CanvasObject { return kit.NewFilterChip("All", 6, hit) },
		"summary": func(hit func()) fyne.CanvasObject {
			return kit.NewSummaryPart(theme.IconClock, kit.Warn, "**2** need you", hit)
		},
		"nav":  func(hit func()) fyne.CanvasObject { return kit.NewNavItem("Guide", theme.IconBook, hit) },
		"foot": func(hit func()) fyne.CanvasObject { return kit.NewRailFoot("Keyring", "Tested", "Kept", kit.Fine, hit) },
		"card": func(hit func()) fyne.CanvasObject { return kit.NewActionCard(theme.IconCopy, "Copy", "45 s", hit) },
		"post": func(hit func()) fyne.CanvasObject { return kit.NewPost("Post of Monday", hit) },
		"door": func(hit func()) fyne.CanvasObject {
			return kit.NewDoorCard(kit.Door{Title: "Practise", Button: "Open", Tapped: hit})
		},
		"check": func(hit func()) fyne.CanvasObject {
			return kit.NewCheck("Forget it", "", false, func(bool) { hit() })
		},
		"notice": func(hit func()) fyne.CanvasObject {
			return kit.NewNotice(kit.Warn, "Ends soon.", "Sign in.", kit.Run{Words: "Sign in", Tapped: hit})
		},
		"permission": func(hit func()) fyne.CanvasObject {
			return kit.NewCheckRow("Publish", "Post for you", "scope_publish", false, "", "", func(bool) { hit() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := uitest.New(t, uitest.Options{})
			hits, passed := 0, 0
			s.Show(kit.Column(8, build(func() { hits++ })))
			s.Frame.OnKey = func(ev *fyne.KeyEvent) {
				if ev.Name == fyne.KeyF5 {
					passed++
				}
			}
			if order := s.Order(); len(order) != 1 {
				t.Fatalf("Tab reaches %v", order)
			}
			s.Key(fyne.KeyTab)
			if s.Focused() == "" {
				t.Fatal("no focus")
			}
			s.Key(fyne.KeyReturn)
			s.Key(fyne.KeyEnter)
			s.Key(fyne.KeySpace)
			s.Key(fyne.KeyF5)
			if hits != 3 || passed != 1 {
				t.Errorf("hit %d times, %d keys handed on", hits, passed)
			}
			f := s.Window.Canvas().Focused()
			s.Window.Canvas().Unfocus()
			if d, ok := f.(fyne.Disableable); ok {
				d.Disable()
				s.Settle()
				if order := s.Order(); len(order) != 0 {
					t.Errorf("disabled, and Tab reaches %v", order)
				}
				f.(fyne.Tappable).Tapped(nil)
				if hits != 3 {
					t.Error("disabled, and it acts")
				}
			} else {
				t.Errorf("%T cannot be disabled", f)
			}
		})
	}
}

func TestADoorIsClickableAsAWhole(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	hits := 0
	s.Show(kit.Column(0, kit.NewDoorCard(kit.Door{Title: "Practise first", Body: "Nothing can go wrong.", NeedLabel: "You need", Needs: []kit.Need{{Icon: theme.IconTick, Words: "Nothing"}}, Time: "3 minutes", Button: "Open", Tapped: func() { hits++ }})))
	s.Tap("Nothing can go wrong.")
	s.Tap("Practise first")
	s.Tap("Open")
	if hits != 3 {
		t.Errorf("hit %d times", hits)
	}
	if got := strings.Join(s.Order(), ", "); got != "button Open" {
		t.Errorf("focus stops at %s", got)
	}
}

func TestChoicesAreExclusiveAndArrowsMove(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	chosen := []int{}
	a, b, c := kit.NewOptionCard("Instagram", "60 days"), kit.NewOptionCard("Threads", ""), kit.NewOption("Facebook", "")
	kit.Options(0, func(i int) { chosen = append(chosen, i) }, a, b, c)
	b.Disable()
	s.Show(kit.Column(8, a, b, c))
	s.Key(fyne.KeyTab)
	s.Key(fyne.KeySpace) // already chosen: nothing
	s.Key(fyne.KeyDown)  // over the disabled one
	s.Key(fyne.KeyDown)  // the end
	if !c.Selected() || a.Selected() || s.Focused() != "radio Facebook" || !slices.Equal(chosen, []int{2}) {
		t.Errorf("%v, %s\n%s", chosen, s.Focused(), s.Dump())
	}
	s.Tap("Instagram")
	if want := "radio \"Instagram\" = \"60 days\" selected\nradio \"Threads\" disabled\nradio \"Facebook\"\n"; s.Dump() != want {
		t.Errorf("%s", s.Dump())
	}
}

func TestALockedPermissionStaysOn(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	row := kit.NewCheckRow("See the profile", "Name and posts.", "instagram_business_basic", false, "Always on", "Without it a token cannot be renewed.", func(bool) { t.Error("changed") })
	s.Show(kit.Column(0, row))
	s.Tap("See the profile")
	s.Key(fyne.KeyTab)
	s.Key(fyne.KeySpace)
	if !row.Selected() || !s.Has("Always on") {
		t.Error(s.Dump())
	}
}

func TestHoldButton(t *testing.T) {
	type step func(s *uitest.Screen, h *kit.HoldButton)
	key := func(n fyne.KeyName, down bool) step {
		return func(s *uitest.Screen, _ *kit.HoldButton) {
			if down {
				s.KeyDown(n)
			} else {
				s.KeyUp(n)
			}
		}
	}
	wait := func(d time.Duration) step { return func(s *uitest.Screen, _ *kit.HoldButton) { s.Run.Advance(d) } }
	down := func(_ *uitest.Screen, h *kit.HoldButton) { h.MouseDown(&desktop.MouseEvent{}) }
	up := func(_ *uitest.Screen, h *kit.HoldButton) { h.MouseUp(&desktop.MouseEvent{}) }
	out := func(_ *uitest.Screen, h *kit.HoldButton) { h.MouseOut() }
	blur := func(s *uitest.Screen, _ *kit.HoldButton) { s.Window.Canvas().Unfocus() }
	focus := func(s *uitest.Screen, h *kit.HoldButton) { s.Window.Canvas().Focus(h) }
	for name, row := range map[string]struct {
		steps []step
		shown []bool
	}{
		"Space, released":       {[]step{focus, key(fyne.KeySpace, true), key(fyne.KeySpace, true), key(fyne.KeySpace, false)}, []bool{true, false}},
		"Space, 30 s":           {[]step{focus, key(fyne.KeySpace, true), wait(29 * time.Second), wait(time.Second)}, []bool{true, false}},
		"Space, 29 s":           {[]step{focus, key(fyne.KeySpace, true), wait(29 * time.Second)}, []bool{true}},
		"Space, focus lost":     {[]step{focus, key(fyne.KeySpace, true), blur}, []bool{true, false}},
		"mouse, released":       {[]step{down, up}, []bool{true, false}},
		"mouse, left":           {[]step{down, out, up}, []bool{true, false}},
		"S, under 10 s":         {[]step{focus, key(fyne.KeyS, true), key(fyne.KeyS, false), wait(9 * time.Second)}, []bool{true}},
		"S, 10 s":               {[]step{focus, key(fyne.KeyS, true), wait(10 * time.Second)}, []bool{true, false}},
		"S, pointer passes":     {[]step{focus, key(fyne.KeyS, true), out, wait(9 * time.Second)}, []bool{true}},
		"S, focus lost":         {[]step{focus, key(fyne.KeyS, true), blur, wait(time.Minute)}, []bool{true, false}},
		"Enter does not show":   {[]step{focus, key(fyne.KeyReturn, true)}, nil},
		"a click's tap is none": {[]step{func(_ *uitest.Screen, h *kit.HoldButton) { h.Tapped(nil) }}, nil},
		"disabled":              {[]step{func(_ *uitest.Screen, h *kit.HoldButton) { h.Disable() }, down, focus, key(fyne.KeySpace, true)}, nil},
		"disabled while shown":  {[]step{down, func(_ *uitest.Screen, h *kit.HoldButton) { h.Disable() }}, []bool{true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			s := uitest.New(t, uitest.Options{})
			var shown []bool
			h := kit.NewHoldButton(s.Run, "Hold to show", func(yes bool) { shown = append(shown, yes) })
			s.Show(kit.Flow(8, h, kit.NewButton("Copy", kit.High, nil)))
			for _, do := range row.steps {
				do(s, h)
			}
			if !slices.Equal(shown, row.shown) {
				t.Errorf("shown %v, want %v", shown, row.shown)
			}
			if h.Shown() != (len(shown) == 1) {
				t.Error("Shown is wrong")
			}
		})
	}
}

func TestAFieldHandsOnWhatItDoesNotUse(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	e := kit.NewEntry("Search accounts", "Search")
	var got []string
	ctrl := func(k fyne.KeyName) fyne.Shortcut {
		return &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault}
	}
	for _, k := range []fyne.KeyName{fyne.KeyReturn, fyne.Key1, fyne.KeyN, fyne.KeyLeft} {
		s.Frame.Shortcut(ctrl(k), func() { got = append(got, string(k)) })
	}
	back := &desktop.CustomShortcut{KeyName: fyne.KeyLeft, Modifier: fyne.KeyModifierAlt}
	s.Frame.Shortcut(back, func() { got = append(got, "back") })
	s.Frame.OnKey = func(ev *fyne.KeyEvent) { got = append(got, string(ev.Name)) }
	s.Frame.OnRune = func(r rune) { got = append(got, "rune") }
	s.Show(kit.Column(8, e))
	s.Type("Search accounts", "ab/c")
	for _, sc := range []fyne.Shortcut{ctrl(fyne.KeyReturn), ctrl(fyne.Key1), ctrl(fyne.KeyN), ctrl(fyne.KeyLeft), back, &fyne.ShortcutSelectAll{}} {
		s.Shortcut(sc)
	}
	s.Key(fyne.KeyF5)
	s.Key(fyne.KeyEscape)
	s.Key(fyne.KeyHome)
	if want := []string{"Return", "1", "N", "back", "F5", "Escape"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if e.Text != "ab/c" {
		t.Errorf("the field holds %q", e.Text)
	}
}

func TestASecretFieldGivesItsContentOnceAndIsNeverDescribed(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	e := kit.NewSecretEntry(kit.NewQueue(), "App secret", "")
	lengths := []int{}
	e.OnFilled = func(n int) { lengths = append(lengths, n) }
	s.Show(kit.Column(8, kit.NewSecretBox("App secret", e, "", 1)))
	const canary = "canary-0123456789"
	s.Type("App secret", canary)
	if s.Has("canary") || !strings.Contains(s.Dump(), `secret "App secret" = "••••••••" focused`) {
		t.Error(s.Dump())
	}
	e.Password = false // the eye
	s.Settle()
	if s.Has("canary") || strings.Contains(e.AccessibilityLabel(), "canary") {
		t.Error("described while the eye shows it")
	}
	if got := e.Take(); got.Reveal() != canary || e.Text != "" || !e.Take().Empty() {
		t.Error("Take")
	}
	e.Undo()
	if e.Text != "" {
		t.Error("undo brings the secret back")
	}
	if lengths[len(canary)-1] != len(canary) {
		t.Errorf("lengths %v", lengths)
	}
}

func TestAWarningMovesNothing(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	e := kit.NewMonoEntry("App ID", "Paste it here")
	box := kit.NewFieldBox("App ID", e, "Digits only.", 2)
	below := kit.NewButton("Continue", kit.High, nil)
	s.Show(kit.Column(8, box, kit.Flow(8, below)))
	before, _ := s.Find(kit.RoleButton, "Continue").Rect()
	asked := false
	box.Say(kit.Warn, "This looks like a Facebook app ID.", kit.Run{Words: "Show me where", Tapped: func() { asked = true }})
	s.Settle()
	after, _ := s.Find(kit.RoleButton, "Continue").Rect()
	if before != after {
		t.Errorf("the button moved from %v to %v", before, after)
	}
	s.Tap("Show me where")
	if !asked || box.Advice() != "This looks like a Facebook app ID. Show me where" || box.Tone() != kit.Warn {
		t.Errorf("%q", box.Advice())
	}
	box.Say(kit.Neutral, "")
	s.Settle()
	if box.Advice() != "Digits only." || s.Has("Show me where") {
		t.Error(s.Dump())
	}
}

func TestCopyFieldSaysSoForTwoSeconds(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	var copied string
	s.Show(kit.Column(8, kit.NewCopyField(s.Run, "Redirect address", "https://localhost:8919/", "Copy", "Copied", func(v string) { copied = v })))
	s.Tap("Copy")
	if copied != "https://localhost:8919/" {
		t.Errorf("%q", copied)
	}
	s.Find(kit.RoleButton, "Copied")
	s.Run.Advance(2 * time.Second)
	s.Find(kit.RoleButton, "Copy")
}

func TestTheClipboardIsReadOnPasteOnly(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	fyne.CurrentApp().Clipboard().SetContent("https://localhost:8919/?code=x")
	var got []string
	b := kit.NewPasteButton("Paste", func(v string) { got = append(got, v) })
	s.Show(kit.Flow(8, b))
	s.Key(fyne.KeyTab)
	b.MouseIn(&desktop.MouseEvent{})
	if got != nil {
		t.Fatal("read without a press")
	}
	s.Tap("Paste")
	if len(got) != 1 || got[0] != "https://localhost:8919/?code=x" {
		t.Errorf("%v", got)
	}
}

func TestSelect(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	var got []int
	sel := kit.NewSelect("Theme", []string{"Like the system", "Light", "Dark"}, 0, func(i int) { got = append(got, i) })
	s.Show(kit.Column(8, sel))
	s.Key(fyne.KeyTab)
	s.Key(fyne.KeyDown)
	s.Key(fyne.KeyUp)
	s.Key(fyne.KeyUp)
	s.Key(fyne.KeyReturn)
	if len(s.Window.Canvas().Overlays().List()) != 1 || !s.Has("Dark") {
		t.Fatal("no menu:\n" + s.Dump())
	}
	s.Key(fyne.KeyDown)
	s.Key(fyne.KeyDown)
	s.Key(fyne.KeyDown)
	s.Key(fyne.KeyReturn)
	if len(s.Window.Canvas().Overlays().List()) != 0 || !slices.Equal(got, []int{1, 0, 2}) || sel.Selected() != 2 {
		t.Errorf("%v\n%s", got, s.Dump())
	}
}

func TestDialog(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	var said []string
	open := func() {
		s.Frame.Open(kit.Dialog{Title: "Remove access?", Body: kit.NewText("The token is deleted."), Buttons: []kit.DialogButton{
			{Label: "Keep it", Harmless: true, Tapped: func() { said = append(said, "keep") }},
			{Label: "Remove access", Kind: kit.Danger, Tapped: func() { said = append(said, "remove") }},
		}})
	}
	ctrlN := &desktop.CustomShortcut{KeyName: fyne.KeyN, Modifier: fyne.KeyModifierShortcutDefault}
	s.Frame.Shortcut(ctrlN, func() { said = append(said, "shortcut") })
	s.Frame.OnKey = func(*fyne.KeyEvent) { said = append(said, "key") }
	s.Show(kit.Flow(8, kit.NewButton("Check", kit.Medium, nil), kit.NewButton("Remove access…", kit.QuietDanger, open)))
	s.Key(fyne.KeyTab)
	s.Key(fyne.KeyTab)
	s.Key(fyne.KeyReturn)
	if s.Focused() != "button Keep it" || !s.Frame.DialogOpen() {
		t.Fatalf("focus on %q\n%s", s.Focused(), s.Dump())
	}
	if got := strings.Join(s.Order(), ", "); got != "button Keep it, button Remove access" {
		t.Errorf("Tab leaves the dialog: %s", got)
	}
	s.Shortcut(ctrlN)
	s.Key(fyne.KeyF5)
	s.Key(fyne.KeyEscape)
	if s.Focused() != "button Remove access…" || !slices.Equal(said, []string{"keep"}) || s.Frame.DialogOpen() {
		t.Errorf("%v, focus on %q", said, s.Focused())
	}
	s.Shortcut(ctrlN)
	open()
	s.Tap("Remove access")
	if !slices.Equal(said, []string{"keep", "shortcut", "remove"}) {
		t.Errorf("%v", said)
	}
}

func TestDialogsStackAndCloseFromOutside(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	escaped := 0
	s.Show(kit.Flow(8, kit.NewButton("Under", kit.Medium, nil)))
	first := s.Frame.Open(kit.Dialog{Title: "First", Buttons: []kit.DialogButton{{Label: "One"}}, Escape: func() { escaped++ }})
	second := s.Frame.Open(kit.Dialog{Title: "Second", Buttons: []kit.DialogButton{{Label: "Two"}}})
	if s.Focused() != "button Two" {
		t.Errorf("focus on %q", s.Focused())
	}
	first()
	first()
	if !s.Frame.DialogOpen() {
		t.Error("closing the lower one closed the upper one")
	}
	second()
	if s.Frame.DialogOpen() || escaped != 0 {
		t.Error("a dialog is left, or closing told that it was escaped")
	}
	s.Frame.Open(kit.Dialog{Title: "Third", Buttons: []kit.DialogButton{{Label: "Three"}}, Escape: func() { escaped++ }})
	s.Window.Canvas().Unfocus()
	s.Key(fyne.KeyEscape)
	if escaped != 1 {
		t.Error("Escape without a focus does nothing")
	}
}

func TestToastStaysEightSecondsAndWaitsForThePointer(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	cleared := 0
	s.Show(kit.Column(0))
	a := s.Frame.Toast("Copied.", "Clear now", func() { cleared++ })
	b := s.Frame.Toast("Renewed.", "", nil)
	b.MouseIn(&desktop.MouseEvent{})
	s.Run.Advance(7 * time.Second)
	if !a.Open() || !b.Open() {
		t.Fatal("gone too early")
	}
	s.Run.Advance(time.Second)
	if a.Open() || !b.Open() {
		t.Error("after eight seconds the first must be gone, and the one under the pointer there")
	}
	b.MouseOut()
	s.Run.Advance(8 * time.Second)
	if b.Open() {
		t.Error("the second is still there")
	}
	c := s.Frame.Toast("Copied.", "Clear now", func() { cleared++ })
	s.Settle()
	s.Key(fyne.KeyTab)
	if s.Focused() != "link Clear now" {
		t.Errorf("focus on %q", s.Focused())
	}
	s.Run.Advance(time.Minute)
	if !c.Open() {
		t.Error("went away under the focus")
	}
	s.Key(fyne.KeyReturn)
	if cleared != 1 || c.Open() {
		t.Error("the action")
	}
}

func TestTooltip(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	b := kit.NewIconButton(theme.IconCopy, "Copy token", nil)
	s.Show(kit.Pad(8, kit.Flow(8, b)))
	before := strings.Count(s.Dump(), "Copy token")
	b.MouseIn(&desktop.MouseEvent{})
	s.Run.Advance(500 * time.Millisecond)
	if strings.Count(s.Dump(), "Copy token") != before {
		t.Error("shown too early")
	}
	s.Run.Advance(200 * time.Millisecond)
	if strings.Count(s.Dump(), "Copy token") != before+1 {
		t.Error("not shown:\n" + s.Dump())
	}
	b.MouseOut()
	if strings.Count(s.Dump(), "Copy token") != before {
		t.Error("still shown")
	}
}

func TestListKeys(t *testing.T) {
	s := uitest.New(t, uitest.Options{Size: uitest.Small})
	opened, keys, made := -1, []string{}, 0
	l := kit.NewList("Accounts", func() int { return 300 }, func() fyne.CanvasObject { made++; return kit.NewAccountRow() }, func(i int, o fyne.CanvasObject) {
		o.(*kit.AccountRow).Set(kit.AccountRowModel{Username: "@a" + string(rune('a'+i%26)), Chip: "Healthy", CopyName: "Copy token", MoreName: "More"})
	})
	l.OnOpen = func(i int) { opened = i }
	l.OnKey = func(i int, ev *fyne.KeyEvent) bool {
		keys = append(keys, string(ev.Name))
		return ev.Name == fyne.KeyDelete
	}
	passed := 0
	s.Frame.OnKey = func(*fyne.KeyEvent) { passed++ }
	s.Show(l)
	s.Window.Canvas().Focus(l)
	s.Key(fyne.KeyDown)
	s.Key(fyne.KeyDown)
	s.Key(fyne.KeyUp)
	s.Key(fyne.KeyReturn)
	if opened != 1 || l.Chosen() != 1 {
		t.Errorf("opened %d, chosen %d", opened, l.Chosen())
	}
	s.Key(fyne.KeyEnd)
	if l.Chosen() != 299 {
		t.Errorf("End is %d", l.Chosen())
	}
	s.Key(fyne.KeyDelete)
	s.Key(fyne.KeyF5)
	s.Key(fyne.KeyHome)
	s.Key(fyne.KeyReturn)
	if opened != 0 || !slices.Equal(keys, []string{"Delete", "F5"}) || passed != 1 {
		t.Errorf("opened %d, keys %v, %d passed", opened, keys, passed)
	}
	if made > 60 {
		t.Errorf("%d rows were made for 300 accounts", made)
	}
}

func TestAccountRowActions(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	r := kit.NewAccountRow()
	m := kit.AccountRowModel{Username: "@rosa.and.rye", Second: "Instagram", Chip: "Healthy", Life: "41 of 60 days left", CopyName: "Copy token", RenewName: "Renew now", MoreName: "More"}
	r.Set(m)
	s.Show(kit.Column(0, r))
	if got := strings.Join(s.Order(), ", "); got != "button Copy token, button Renew now, button More" {
		t.Error(got)
	}
	m.Remedy = "Sign in"
	r.Set(m)
	s.Settle()
	if got := strings.Join(s.Order(), ", "); got != "button Sign in, button More" {
		t.Error(got)
	}
	m.Remedy, m.Disabled = "", "The keyring is locked."
	r.Set(m)
	s.Settle()
	if got := strings.Join(s.Order(), ", "); got != "button More" || r.Copy.Tip != m.Disabled {
		t.Error(got)
	}
}

func TestTextKnowsItsHeight(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	words := "A token never gains permissions later. To add one, sign in again; your settings stay."
	x := kit.NewText(words)
	below := kit.NewButton("Below", kit.Medium, nil)
	for _, width := range []float32{1000, 400, 120, 40} {
		s.Show(kit.AtMost(width, kit.Column(8, x, kit.Flow(8, below))))
		at, _ := s.Find(kit.RoleButton, "Below").Rect()
		if need := x.HeightFor(width); at.Y != need+8 {
			t.Errorf("at %v the text needs %v, and the next object begins at %v", width, need, at.Y)
		}
	}
	if one, many := x.HeightFor(1000), x.HeightFor(100); many < 6*one {
		t.Errorf("one line %v, many %v", one, many)
	}
	// A word that no line can hold is broken, not cut.
	long := kit.Mono(strings.Repeat("W", 60))
	if long.HeightFor(100) < 5*long.HeightFor(2000) {
		t.Error("the long word is cut")
	}
	if x.Words() != words {
		t.Error(x.Words())
	}
}

func TestColumnsBecomeOne(t *testing.T) {
	for _, row := range []struct {
		o       uitest.Options
		stacked bool
	}{{uitest.Options{}, false}, {uitest.Options{Text: 1.2}, false}, {uitest.Options{Text: 1.3}, true}, {uitest.Options{Size: fyne.NewSize(600, 500)}, true}} {
		s := uitest.New(t, row.o)
		s.Show(kit.Column(0, kit.TwoColumns(288, 700, kit.NewText("left"), kit.NewText("right"))))
		a, _ := s.Find(kit.RoleText, "left").Rect()
		b, _ := s.Find(kit.RoleText, "right").Rect()
		if got := b.Y > a.Y; got != row.stacked {
			t.Errorf("%+v: stacked is %v", row.o, got)
		}
	}
}

func TestRailFollowsTheWindow(t *testing.T) {
	for _, row := range []struct {
		o     uitest.Options
		small bool
	}{{uitest.Options{}, false}, {uitest.Options{Size: uitest.Small}, true}, {uitest.Options{Text: 1.5}, true}, {uitest.Options{Text: 1.4}, false}} {
		s := uitest.New(t, row.o)
		r := rail(0)
		s.Show(kit.Shell(r, nil, kit.NewText("content")))
		if r.Small() != row.small {
			t.Errorf("%+v: small is %v", row.o, r.Small())
		}
		want := "nav Accounts, nav Connect, nav Apps, nav Guide, nav Settings, button GNOME Keyring"
		if got := strings.Join(s.Order(), ", "); got != want {
			t.Errorf("order %s", got)
		}
	}
}

// Nothing is wider than the window at any text scale.
func TestNothingIsCutAtAnyScale(t *testing.T) {
	for _, size := range []fyne.Size{uitest.Wide, uitest.Small, fyne.NewSize(640, 480)} {
		for _, scale := range []float32{0.8, 1, 1.3, 1.5, 2} {
			s := uitest.New(t, uitest.Options{Size: size, Text: scale})
			for name, page := range pages(s) {
				s.Show(kit.Shell(rail(0), nil, page))
				for _, n := range s.Nodes() {
					at, box := n.Rect()
					if n.Overlay == 0 && at.X+box.Width > size.Width+1 {
						t.Errorf("%s at %v, %v: %s ends at %v", name, size, scale, n, at.X+box.Width)
					}
				}
			}
		}
	}
}

func TestSteps(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	shown := false
	w := kit.NewWaitSteps(kit.WaitStep{Title: "The browser is open", State: kit.Done}, kit.WaitStep{Title: "Sign in", Line: []kit.Run{{Words: "Use the account. "}, {Words: "Did I?", Tapped: func() { shown = true }}}, State: kit.Now})
	s.Show(kit.Column(8, kit.NewStepHeader([]string{"Your app", "What may it do", "Sign in"}, 2), w, kit.NewThinProgress("Moved", 0.25)))
	s.Tap("Did I?")
	want := "step \"Sign in\" = \"3/3\"\nstep \"The browser is open\"\nstep \"Sign in\" = \"Use the account. Did I?\" selected\nlink \"Did I?\"\nprogress \"Moved\" = \"25%\"\n"
	if s.Dump() != want || !shown {
		t.Errorf("%s", s.Dump())
	}
	w.Set(kit.WaitStep{Title: "Saving it", State: kit.Now})
	s.Settle()
	if !s.Has("Saving it") || s.Has("Did I?") {
		t.Error(s.Dump())
	}
}

func TestFoldAndTabs(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	at := -1
	tabs := kit.NewTabs([]string{"General", "About"}, 0, func(i int) { at = i })
	fold := kit.NewFold("What Meta said", "For support", kit.Mono("Invalid platform app"))
	s.Show(kit.Column(8, tabs, fold))
	if s.Has("Invalid") {
		t.Error("open at first")
	}
	s.Tap("What Meta said")
	if !s.Has("Invalid") || !fold.IsOpen() {
		t.Error("closed")
	}
	s.Key(fyne.KeyTab)
	s.Key(fyne.KeyRight)
	s.Key(fyne.KeyRight)
	if at != 1 || tabs.Selected() != 1 || s.Focused() != "tab About" {
		t.Errorf("at %d, focus on %q", at, s.Focused())
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"rosa.and.rye": "RA", "@harbour.coffee": "HC", "cedarclinic": "CE", "x": "X", "": "", "__": "", "émile_zola": "ÉZ"} {
		if got := kit.Initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestTimelineLabelsDoNotMeet(t *testing.T) {
	for _, width := range []float32{300, 420, 560, 900} {
		l := kit.NewTimeline("words", false,
			kit.Moment{Title: "Issued", Line: "3 Nov", Kind: kit.MomentStart}, kit.Moment{Title: "Renewable", Line: "after 24 h, since 4 Nov", At: 0.02, Kind: kit.MomentSmall},
			kit.Moment{Title: "Today", Line: "58 days left", At: 0.03, Kind: kit.MomentToday}, kit.Moment{Title: "Renews by itself", Line: "around 13 Dec", At: 0.3, Kind: kit.MomentPlanned}, kit.Moment{Title: "Ends", Line: "2 Jan 2027", At: 1, Kind: kit.MomentEnd})
		s := uitest.New(t, uitest.Options{})
		s.Show(kit.AtMost(width, kit.Column(0, l)))
		type box struct{ x1, y1, x2, y2 float32 }
		var boxes []box
		for _, o := range test.WidgetRenderer(l).Objects() {
			if _, ok := o.(*kit.Text); ok && o.Visible() {
				p, z := o.Position(), o.Size()
				boxes = append(boxes, box{p.X, p.Y, p.X + z.Width, p.Y + z.Height})
				if p.X < 0 || p.X+z.Width > width+1 || p.Y < 0 || p.Y+z.Height > l.Size().Height+1 {
					t.Errorf("at %v a label stands outside: %v %v of %v", width, p, z, l.Size())
				}
			}
		}
		for i, a := range boxes {
			for _, b := range boxes[i+1:] {
				if a.x1 < b.x2-1 && b.x1 < a.x2-1 && a.y1 < b.y2-1 && b.y1 < a.y2-1 {
					t.Errorf("at %v two labels meet: %v %v", width, a, b)
				}
			}
		}
	}
}
