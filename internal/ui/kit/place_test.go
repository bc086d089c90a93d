package kit_test

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
	"github.com/tokenkeep/tokenkeep/internal/ui/uitest"
)

func TestALateMarkStandsInsideTheField(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	e := kit.NewMonoEntry("App ID", "")
	s.Show(kit.Column(8, e))
	for _, tone := range []kit.Tone{kit.Warn, kit.Neutral, kit.Bad} {
		e.Mark(tone)
		s.Settle()
		at, size := e.ActionItem.Position(), e.ActionItem.Size()
		if at.X < 0 || at.Y < 0 || at.X+size.Width > e.Size().Width || at.Y+size.Height > e.Size().Height {
			t.Errorf("tone %v: the mark is at %v, %v large, in a field of %v", tone, at, size, e.Size())
		}
		if marked := tone != kit.Neutral; marked != (size.Width > 16) {
			t.Errorf("tone %v: its room is %v", tone, size)
		}
	}
}

func TestTheRailMakesRoomForANoteAndLongWords(t *testing.T) {
	for _, scale := range []float32{1, 1.5, 2} {
		for _, width := range []float32{720, 1120} {
			t.Run(fmt.Sprint(scale, width), func(t *testing.T) {
				s := uitest.New(t, uitest.Options{Size: fyne.NewSize(width, 760), Text: scale})
				connect := kit.NewNavItem("Verbinden", theme.IconConnect, nil)
				settings := kit.NewNavItem("Einstellungen", theme.IconSettings, nil)
				page := kit.NewText("page")
				rail := kit.NewRail(fyne.NewStaticResource("x.svg", []byte("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")), "Tokenkeep", nil, connect, settings)
				s.Show(kit.Shell(rail, nil, page))
				connect.SetNote("Wartet noch immer auf Sie")
				settings.SetSelected(true)
				if rail.Size().Width < rail.MinSize().Width {
					t.Errorf("the rail has %v and needs %v", rail.Size(), rail.MinSize())
				}
				s.Settle()
				for _, i := range []*kit.NavItem{connect, settings} {
					if least := i.MinSize(); i.Size().Height < least.Height || i.Size().Width < least.Width {
						t.Errorf("%v has %v and needs %v", i.Seen(), i.Size(), least)
					}
					for _, o := range test.WidgetRenderer(i).Objects() {
						words, ok := o.(*kit.Text)
						if !ok || !words.Visible() || rail.Small() && words.Words() == "" {
							continue
						}
						at, size := words.Position(), words.Size()
						if rail.Small() && size.Width+0.5 < words.NaturalWidth() {
							t.Errorf("%q is cut: %v of %v", words.Words(), size.Width, words.NaturalWidth())
						}
						if at.Y < 0 || at.Y+size.Height > i.Size().Height+0.5 {
							t.Errorf("%q hangs over the item: %v, %v in %v", words.Words(), at, size, i.Size())
						}
					}
				}
				if settings.Position().Y < connect.Position().Y+connect.Size().Height {
					t.Error("the next item stands in the note")
				}
				if page.Position().X < rail.Size().Width {
					t.Error("the page stands in the rail")
				}
			})
		}
	}
}

func TestNoLabelOfTheTimelineIsCrossed(t *testing.T) {
	const whole = 60
	for _, width := range []float32{300, 420, 560, 900} {
		for _, day := range []float32{0, 0.4, 1, 2, 5, 20, 41, 55, 58, 59.5, 63} {
			at := day / whole
			l := kit.NewTimeline("words", day > whole,
				kit.Moment{Title: "Issued", Line: "22 Nov", Kind: kit.MomentStart}, kit.Moment{Title: "Renewable", Line: "after 24 h, since 23 Nov", At: 1.0 / whole, Kind: kit.MomentSmall},
				kit.Moment{Title: "Today", Line: "60 days left", At: at, Kind: kit.MomentToday}, kit.Moment{Title: "Ends", Line: "21 Jan 2027", At: 1, Kind: kit.MomentEnd})
			s := uitest.New(t, uitest.Options{})
			s.Show(kit.AtMost(width, kit.Column(0, l)))
			var labels, stems []fyne.CanvasObject
			var dots []float32
			shown := 0
			for _, o := range test.WidgetRenderer(l).Objects() {
				switch o := o.(type) {
				case *kit.Text:
					if o.Visible() {
						labels = append(labels, o)
						shown++
					}
				case *canvas.Rectangle:
					if o.Visible() {
						stems = append(stems, o)
					}
				case *canvas.Circle:
					dots = append(dots, o.Position1.X+o.Size().Width/2)
				}
			}
			if shown < 6 {
				t.Errorf("day %v at %v: only %d labels", day, width, shown)
			}
			for _, stem := range stems {
				x, top, bottom := stem.Position().X+1, stem.Position().Y, stem.Position().Y+stem.Size().Height
				for _, o := range labels {
					p, z := o.Position(), o.Size()
					if x > p.X && x < p.X+z.Width && top < p.Y+z.Height-1 && bottom > p.Y+1 {
						t.Errorf("day %v at %v: a stem crosses %q", day, width, o.(*kit.Text).Words())
					}
				}
			}
			for i, a := range dots {
				for _, b := range dots[i+1:] {
					if a-b < 14 && b-a < 14 {
						t.Errorf("day %v at %v: two marks at %v and %v", day, width, a, b)
					}
				}
			}
		}
	}
}

func TestTheChosenRowWearsTheRingWhileTheListHasTheFocus(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	moved := []int{}
	l := kit.NewList("Accounts", func() int { return 40 }, func() fyne.CanvasObject { return kit.NewAccountRow() }, func(id int, o fyne.CanvasObject) {
		o.(*kit.AccountRow).Set(kit.AccountRowModel{Username: fmt.Sprint("@", id)})
	})
	l.OnMoved = func(id int) { moved = append(moved, id) }
	s.Show(kit.Column(0, kit.Grow(l)))
	rings := func() string {
		got := ""
		for _, id := range l.Ringed() {
			got += fmt.Sprint(id, " ")
		}
		return got
	}
	if rings() != "" {
		t.Error("a ring without the focus")
	}
	s.Key(fyne.KeyTab)
	for _, step := range []struct {
		key  fyne.KeyName
		want string
	}{{"", "0 "}, {fyne.KeyDown, "1 "}, {fyne.KeyEnd, "39 "}, {fyne.KeyUp, "38 "}, {fyne.KeyHome, "0 "}} {
		if step.key != "" {
			s.Key(step.key)
		}
		if rings() != step.want {
			t.Errorf("after %q: %q, want %q", step.key, rings(), step.want)
		}
	}
	// The toolkit tells of the pointer in the same way; Delete must not mean
	// what is only pointed at.
	l.OnHighlighted(5)
	if l.Chosen() != 0 || rings() != "0 " {
		t.Error("pointing at a row chose it")
	}
	s.Window.Canvas().Unfocus()
	if rings() != "" {
		t.Error("the ring stays without the focus")
	}
}

func TestNothingToLeaveMeansNoButton(t *testing.T) {
	s := uitest.New(t, uitest.Options{})
	s.Show(kit.Column(0, kit.NewSandStrip("Nothing here is real.", "Leave", nil)))
	if _, there := s.Look(kit.RoleButton, "Leave"); there || len(s.Order()) != 0 {
		t.Error(s.Dump())
	}
	left := 0
	s.Show(kit.Column(0, kit.NewSandStrip("Nothing here is real.", "Leave", func() { left++ })))
	s.Tap("Leave")
	if left != 1 {
		t.Error("Leave does nothing")
	}
}

func TestAnOpenedSecretIsMaskedAgain(t *testing.T) {
	q := kit.NewQueue()
	s := uitest.New(t, uitest.Options{})
	e := kit.NewSecretEntry(q, "App secret", "")
	s.Show(kit.Column(8, e))
	look := func() {
		s.Frame.Focus(e)
		e.Password = false // the eye
		e.Refresh()
	}
	look()
	q.Advance(29 * time.Second)
	if e.Password {
		t.Error("masked while it is looked at")
	}
	q.Advance(time.Second)
	if !e.Password {
		t.Error("shown for more than 30 s")
	}
	look()
	s.Window.Canvas().Unfocus()
	q.Advance(500 * time.Millisecond)
	s.Frame.Focus(e) // what a click on the eye does
	q.Advance(2 * time.Second)
	if e.Password {
		t.Error("masked though it has the focus")
	}
	s.Window.Canvas().Unfocus()
	q.Advance(time.Second)
	if !e.Password {
		t.Error("shown without the focus")
	}
	q.Advance(time.Hour)
}
