package theme

import (
	"encoding/json"
	"image/color"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"github.com/tokenkeep/tokenkeep/internal/text"
)

// contrast is the ratio of WCAG 2.2, 1.4.3.
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	part := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n.R) + 0.7152*part(n.G) + 0.0722*part(n.B)
}

func TestContrast(t *testing.T) {
	const words, edges = 4.5, 3.0
	light, dark := New(Light, 1), New(Dark, 1)
	for _, row := range []struct {
		ink, ground fyne.ThemeColorName
		least       float64
		light, dark float64 // as computed when the colours were chosen
	}{
		{ColorFg, ColorBg, words, 14.6, 14.9},
		{ColorFg, ColorSurface, words, 15.9, 13.5},
		{ColorFg, ColorRail, words, 13.4, 15.6},
		{ColorFg, ColorButton, words, 13.1, 10.6},
		{ColorFg, ColorInset, words, 14.2, 11.9},
		{ColorMuted, ColorBg, words, 6.0, 8.2},
		{ColorMuted, ColorSurface, words, 6.5, 7.5},
		{ColorMuted, ColorRail, words, 5.5, 8.6},
		{ColorMuted, ColorInset, words, 5.8, 6.6},
		{ColorPlaceholder, ColorSurface, words, 5.2, 6.1},
		{ColorPrimary, ColorSurface, words, 8.6, 7.9},
		{ColorPrimary, ColorPrimarySoft, words, 7.2, 6.3},
		{ColorPrimary, ColorRail, words, 7.3, 9.1},
		{ColorOnPrimary, ColorPrimary, words, 8.6, 7.9},
		{ColorPrimary, ColorInset, words, 7.7, 6.9},
		{ColorSuccess, ColorSurface, words, 6.2, 9.2},
		{ColorSuccess, ColorSuccessSoft, words, 5.3, 7.7},
		{ColorWarning, ColorSurface, words, 6.7, 9.5},
		{ColorWarning, ColorWarningSoft, words, 5.8, 7.7},
		{ColorPrimary, ColorWarningSoft, words, 7.5, 6.4},
		{ColorPrimary, ColorErrorSoft, words, 7.2, 6.9},
		{ColorError, ColorSurface, words, 7.1, 7.9},
		{ColorError, ColorErrorSoft, words, 5.9, 6.9},
		{fynetheme.ColorNameForegroundOnError, ColorError, words, 7.1, 8.4},
		{fynetheme.ColorNameForegroundOnSuccess, ColorSuccess, words, 0, 0},
		{fynetheme.ColorNameForegroundOnWarning, ColorWarning, words, 0, 0},
		{ColorNeutral, ColorNeutralSoft, words, 6.3, 6.6},
		{ColorFg, ColorSuccessSoft, words, 0, 0},
		{ColorFg, ColorWarningSoft, words, 0, 0},
		{ColorFg, ColorErrorSoft, words, 0, 0},
		{ColorFg, ColorPrimarySoft, words, 0, 0},
		{ColorMuted, ColorPrimarySoft, words, 0, 0},
		{ColorMuted, ColorErrorSoft, words, 0, 0},
		{ColorMuted, ColorSuccessSoft, words, 0, 0},
		{ColorSandInk, ColorSand, words, 0, 0},
		{ColorInputBorder, ColorSurface, edges, 3.4, 3.9},
		{ColorInputBorder, ColorBg, edges, 3.1, 4.4},
		{ColorSuccessBar, ColorNeutralSoft, edges, 3.2, 5.0},
		{ColorWarningBar, ColorNeutralSoft, edges, 3.3, 5.0},
		{ColorPrimary, ColorNeutralSoft, edges, 6.9, 5.9},
		{ColorErrorBar, ColorSurface, edges, 0, 0},
	} {
		for name, th := range map[string]*Theme{"light": light, "dark": dark} {
			got := contrast(th.Color(row.ink, 0), th.Color(row.ground, 0))
			if got < row.least {
				t.Errorf("%s: %s on %s is %.2f, must be %.1f", name, row.ink, row.ground, got, row.least)
			}
			want := row.light
			if name == "dark" {
				want = row.dark
			}
			if want != 0 && math.Abs(got-want) > 0.06 {
				t.Errorf("%s: %s on %s is %.2f, the table says %.1f", name, row.ink, row.ground, got, want)
			}
		}
	}
	for _, v := range avatars {
		if got := contrast(color.White, rgb(v)); got < words {
			t.Errorf("avatar %06x: %.2f", v, got)
		}
	}
}

func TestEveryColourOfTheToolkitIsAnswered(t *testing.T) {
	test.AssertAllColorNamesDefined(t, New(System, 1), "tokenkeep")
}

func TestTheChoiceDecidesOverTheVariant(t *testing.T) {
	for _, row := range []struct {
		choice  Choice
		variant fyne.ThemeVariant
		dark    bool
	}{{System, fynetheme.VariantLight, false}, {System, fynetheme.VariantDark, true}, {System, 2, false}, {Light, fynetheme.VariantDark, false}, {Dark, fynetheme.VariantLight, true}} {
		got := New(row.choice, 1).Color(ColorBg, row.variant) == colours[ColorBg].dark
		if got != row.dark {
			t.Errorf("choice %d, variant %d: dark is %v", row.choice, row.variant, got)
		}
	}
}

func TestTextScale(t *testing.T) {
	for given, want := range map[float32]float32{0: 1, 0.5: 0.8, 1.3: 1.3, 9: 2} {
		th := New(Light, given)
		if th.Scale() != want || th.Size(SizeText) != 14*want || th.Size(SizeRow) != 76*want || th.Size(fynetheme.SizeNameInputRadius) != 8 {
			t.Errorf("scale %v: %v, text %v", given, th.Scale(), th.Size(SizeText))
		}
	}
}

func TestAnAvatarKeepsItsColour(t *testing.T) {
	seen := map[color.Color]bool{}
	for _, name := range []string{"rosa.and.rye", "cedarclinic", "oldmill.market", "harbour.coffee", "northlight.studio", "tinygarden.co", "mia.kessler", "lantern.books", "a", "b", "c", "d"} {
		seen[Avatar(name)] = true
	}
	if len(seen) < 5 {
		t.Errorf("twelve names share %d colours", len(seen))
	}
	if Avatar("@rosa.and.rye") != rgb(0x5B4B8A) || Avatar("rosa.and.rye") != rgb(0x5B4B8A) {
		t.Errorf("the colour of an account changed: %v", Avatar("rosa.and.rye"))
	}
}

func TestEveryIconDraws(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(New(Light, 1))
	for _, name := range Icons() {
		r := Icon(name, ColorMuted)
		if len(r.Content()) < 150 || !strings.Contains(string(r.Content()), "#565e6c") {
			t.Errorf("%s: %q", name, r.Content())
		}
	}
	if r := Icon("no such icon", ColorMuted); r == nil || len(r.Content()) == 0 {
		t.Error("an unknown icon must be an empty picture, not a crash")
	}
}

// The words are read from the toolkit's own file, so that a new release that
// asks for more fails here and not on a screen.
func TestToolkitWordsAreAllOfThem(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "fyne.io/fyne/v2/lang").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(out))
	files, err := filepath.Glob(filepath.Join(dir, "translations", "base.*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	have := map[string]bool{}
	for _, l := range toolkitLanguages {
		have[strings.ReplaceAll(string(l), "-", "_")] = true
	}
	for _, f := range files {
		if tag := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "base."), ".json"); !have[tag] {
			t.Errorf("the toolkit speaks %s, which Speak does not replace", tag)
		}
	}
	data, err := fs.ReadFile(os.DirFS(dir), "translations/base.en.json")
	if err != nil {
		t.Fatal(err)
	}
	var theirs map[string]any
	if err := json.Unmarshal(data, &theirs); err != nil {
		t.Fatal(err)
	}
	for key := range theirs {
		if toolkitWords[key] == "" {
			t.Errorf("no words for %q", key)
		}
	}
	for _, l := range text.Languages() {
		for _, ours := range toolkitWords {
			if !text.For(l).Has(ours) {
				t.Errorf("%s lacks %s", l, ours)
			}
		}
	}
}

func TestTheToolkitSpeaksOurLanguageWhateverTheSystem(t *testing.T) {
	test.NewTempApp(t)
	for _, system := range []string{"de_DE.UTF-8", "de_AT.UTF-8", "en_US.UTF-8", "fr_FR.UTF-8", "pt_BR.UTF-8", "zh_CN.UTF-8", "sr_RS.UTF-8", "C"} {
		t.Setenv("LC_ALL", system)
		t.Setenv("LANG", system)
		for ours, want := range map[string]string{"de": "Alles auswählen", "en": "Select all"} {
			if err := Speak(text.For(ours)); err != nil {
				t.Fatal(err)
			}
			if got := lang.L("Select all"); got != want {
				t.Errorf("system %s, ours %s: %q", system, ours, got)
			}
			if got := lang.X("monday.short", "Mon"); (ours == "de") != (got == "Mo") {
				t.Errorf("system %s, ours %s: %q", system, ours, got)
			}
		}
	}
}
