package uitest

import (
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// loud stands in for a test that fails, and says how.
type loud struct {
	testing.TB
	said []string
}

func (l *loud) Helper()                        {}
func (l *loud) Error(args ...any)              { l.said = append(l.said, "error") }
func (l *loud) Fatalf(format string, _ ...any) { l.said = append(l.said, format); panic(l) }

func fails(t *testing.T, s *Screen, do func()) {
	t.Helper()
	l := &loud{TB: t}
	before := s.t
	s.t = l
	defer func() {
		s.t = before
		if r := recover(); r != nil && r != any(l) {
			panic(r)
		}
		if len(l.said) == 0 {
			t.Error("it must fail, and does not")
		}
	}()
	do()
}

func form(s *Screen, done func()) fyne.CanvasObject {
	secret := kit.NewSecretEntry(kit.NewQueue(), "App secret", "")
	stop := kit.NewButton("Stop", kit.Medium, func() {})
	stop.Disable()
	return kit.Column(8,
		kit.Title("Your app"),
		kit.NewFieldBox("App ID", kit.NewMonoEntry("App ID", "Paste it here"), "Digits only.", 1),
		kit.NewSecretBox("App secret", secret, "", 0),
		kit.NewNotice(kit.Warn, "Ends soon.", "Sign in.", kit.Run{Words: "Read more", Tapped: func() {}}),
		kit.NewStatusChip("Healthy", kit.Fine, ""),
		stop, kit.NewButton("Continue", kit.High, func() {
			secret.Clear()
			done()
		}),
	)
}

func TestStructureFocusAndActions(t *testing.T) {
	s := New(t, Options{})
	done := 0
	s.Show(form(s, func() { s.Run.Post(func() { done++ }) }))
	s.Type("App ID", "12")
	s.Type("App ID", "990")
	s.Type("App secret", "canary")
	want := strings.Join([]string{
		`text "Your app"`, `text "App ID"`, `field "App ID" = "990"`, `text "Digits only."`, `text "App secret"`, `secret "App secret" = "••••••••" focused`,
		`notice "Ends soon." = "Sign in."`, `link "Read more"`, `chip "Healthy"`, `button "Stop" disabled`, `button "Continue"`, ``,
	}, "\n")
	if s.Dump() != want {
		t.Errorf("%s\nwant\n%s", s.Dump(), want)
	}
	if got := s.Order(); !slices.Equal(got, []string{"field App ID", "secret App secret", "link Read more", "button Continue"}) {
		t.Errorf("order %v", got)
	}
	if s.Focused() != "secret App secret" {
		t.Errorf("Order moved the focus to %q", s.Focused())
	}
	s.Tap("Continue")
	if done != 1 {
		t.Error("the tap's work was not run")
	}
	if _, ok := s.Look(kit.RoleLink, "Continue"); ok {
		t.Error("found in another role")
	}
	fails(t, s, func() { s.Tap("Stop") })
	fails(t, s, func() { s.Tap("No such words") })
	fails(t, s, func() { s.Find(kit.RoleButton, "Healthy") })
	fails(t, s, func() { s.Type("Nobody", "x") })
}

func TestADialogHidesWhatIsBelow(t *testing.T) {
	s := New(t, Options{})
	s.Show(form(s, func() {}))
	s.Frame.Open(kit.Dialog{Title: "Stop waiting?", Buttons: []kit.DialogButton{{Label: "Keep waiting", Harmless: true}}})
	fails(t, s, func() { s.Tap("Continue") })
	if !strings.Contains(s.Dump(), "  dialog \"Stop waiting?\"\n") || !strings.Contains(s.Dump(), "  button \"Keep waiting\" focused\n") {
		t.Error(s.Dump())
	}
	s.Tap("Keep waiting")
	s.Tap("Continue")
}

func TestWhatIsScrolledAwayIsNotShown(t *testing.T) {
	s := New(t, Options{Size: fyne.NewSize(400, 300)})
	s.Show(kit.NewScroll(kit.Column(8, kit.NewButton("Top", kit.Medium, nil), kit.Gap(600), kit.NewButton("Bottom", kit.Medium, nil))))
	if top, bottom := s.Find(kit.RoleButton, "Top"), s.Find(kit.RoleButton, "Bottom"); !top.Shown || bottom.Shown {
		t.Errorf("top %v, bottom %v", top.Shown, bottom.Shown)
	}
}

// A field of the toolkit that is not ours hides a password too.
func TestAStockPasswordIsMasked(t *testing.T) {
	s := New(t, Options{})
	e := widget.NewPasswordEntry()
	e.SetText("canary")
	s.Show(kit.Column(0, e))
	if strings.Contains(s.Dump(), "canary") || !strings.Contains(s.Dump(), "secret") {
		t.Error(s.Dump())
	}
}

func TestOptionsAreKept(t *testing.T) {
	s := New(t, Options{Dark: true, Text: 1.5, Pixels: 2, Size: Small})
	s.Show(kit.NewText("words"))
	if !theme.IsDark() || theme.Scale() != 1.5 {
		t.Error("theme")
	}
	if got := s.Window.Canvas().Capture().Bounds().Size(); got != image.Pt(1760, 1200) {
		t.Errorf("a picture of %v", got)
	}
}

func TestPicturesThatDifferAreKept(t *testing.T) {
	dir := t.TempDir()
	picture := func(n int) image.Image {
		i := image.NewRGBA(image.Rect(0, 0, 100, 100))
		for k := range n {
			i.Set(k%100, k/100, color.White)
		}
		return i
	}
	failed := filepath.Join(dir, "failed", "a.png")
	if err := Compare(picture(50), dir, "a"); err == nil {
		t.Fatal("a picture without a master passes")
	}
	if err := os.Rename(failed, filepath.Join(dir, "a.png")); err != nil {
		t.Fatal(err)
	}
	for n, same := range map[int]bool{50: true, 54: true, 55: false, 0: false} {
		_ = os.Remove(failed)
		err := Compare(picture(n), dir, "a")
		if (err == nil) != same {
			t.Errorf("%d white pixels against 50: %v", n, err)
		}
		if _, missing := os.Stat(failed); (missing == nil) == same {
			t.Errorf("%d white pixels: evidence is there: %v", n, missing == nil)
		}
	}
	if Compare(image.NewRGBA(image.Rect(0, 0, 99, 100)), dir, "a") == nil {
		t.Error("another size passes")
	}
}

// Without the tag the package has no socket: neither the file nor what it needs.
func TestTheDriverIsBehindItsTag(t *testing.T) {
	list := func(tags string) string {
		out, err := exec.Command("go", "list", "-tags", tags, "-f", "{{.GoFiles}} {{.Imports}}", ".").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if with := list("e2e"); !strings.Contains(with, "driver_e2e.go") || !strings.Contains(with, " net ") {
		t.Error(with)
	}
	if without := list(""); strings.Contains(without, "driver_e2e.go") || strings.Contains(without, " net ") {
		t.Error(without)
	}
}

// The driver's own tests need its tag; they run from here, so that nobody has
// to remember it.
func TestTheDriver(t *testing.T) {
	out, err := exec.Command("go", "test", "-tags", "e2e", "-run", "^TestServe", "-v", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestServe") {
		t.Fatalf("%v\n%s", err, out)
	}
}
