package main

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

func TestMain(m *testing.M) {
	vault.Serve()
	os.Exit(m.Run())
}

func TestMetadataIsThatOfTheFile(t *testing.T) {
	var file struct {
		Website string
		Details struct {
			Icon, Name, ID, Version string
			Build                   int
		}
		Migrations map[string]bool
	}
	if _, err := toml.DecodeFile("../../FyneApp.toml", &file); err != nil {
		t.Fatal(err)
	}
	m := metadata()
	if m.ID != file.Details.ID || m.Name != file.Details.Name || m.Version != file.Details.Version || m.Build != file.Details.Build {
		t.Errorf("metadata %+v, FyneApp.toml %+v", m, file.Details)
	}
	if !m.Migrations["fyneDo"] || !file.Migrations["fyneDo"] {
		t.Error("the fyneDo migration is off")
	}
	onDisk, err := os.ReadFile("../../" + file.Details.Icon)
	if err != nil {
		t.Fatal(err)
	}
	if off := difference(t, m.Icon.Content(), onDisk); off > 2000 {
		t.Errorf("the window's icon is another one than FyneApp.toml names: %.0f of 65535 apart", off)
	}
}

// difference compares two square pictures as they look at the size of the
// smaller: the mean distance of their colours, 0 to 65535.
func difference(t *testing.T, small, large []byte) float64 {
	t.Helper()
	a, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(bytes.NewReader(large))
	if err != nil {
		t.Fatal(err)
	}
	side, whole := a.Bounds().Dx(), b.Bounds().Dx()
	if side == 0 || whole%side != 0 || a.Bounds().Dy() != side || b.Bounds().Dy() != whole {
		t.Fatalf("%v is no smaller size of %v", a.Bounds(), b.Bounds())
	}
	block := whole / side
	var sum float64
	for y := range side {
		for x := range side {
			var mean [4]float64
			for by := range block {
				for bx := range block {
					for i, v := range channels(b.At(b.Bounds().Min.X+x*block+bx, b.Bounds().Min.Y+y*block+by)) {
						mean[i] += v / float64(block*block)
					}
				}
			}
			for i, v := range channels(a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y)) {
				sum += math.Abs(v-mean[i]) / 4
			}
		}
	}
	return sum / float64(side*side)
}

func channels(c color.Color) [4]float64 {
	r, g, b, a := c.RGBA()
	return [4]float64{float64(r), float64(g), float64(b), float64(a)}
}

func TestFlagsSpeakTheCataloguesWords(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		c := text.For(lang)
		for _, row := range []struct {
			args    []string
			home    string
			account string
			exit    int
			done    bool
			out     string
			err     string
		}{
			{args: nil},
			{args: []string{"--home", "/x"}, home: "/x"},
			{args: []string{"--home=/y"}, home: "/y"},
			{args: []string{"--home"}, exit: 2, done: true, err: c.Say("program.home_missing")},
			{args: []string{"--account", "abcdefgh12345678"}, account: "abcdefgh12345678"},
			{args: []string{"--account=abcdefgh12345678", "--home=/y"}, account: "abcdefgh12345678", home: "/y"},
			{args: []string{"--account"}, exit: 2, done: true, err: c.Say("program.account_missing")},
			{args: []string{"--account", "../etc"}, exit: 2, done: true, err: c.Say("program.account_missing")},
			{args: []string{"--version"}, done: true, out: "Tokenkeep 0.1.0"},
			{args: []string{"--help"}, done: true, out: c.Say("program.help")},
			{args: []string{"--token=abc"}, exit: 2, done: true, err: "--token"},
		} {
			var out, errs bytes.Buffer
			wanted, exit, done := flags(c, row.args, &out, &errs)
			if wanted.home != row.home || wanted.account != row.account || exit != row.exit || done != row.done {
				t.Errorf("%s %v: %+v %d %v", lang, row.args, wanted, exit, done)
			}
			if !strings.Contains(out.String(), row.out) || !strings.Contains(errs.String(), row.err) {
				t.Errorf("%s %v: said %q and %q", lang, row.args, out.String(), errs.String())
			}
			if strings.Contains(out.String()+errs.String(), "⟦") || strings.Contains(errs.String(), "abc") {
				t.Errorf("%s %v: said %q and %q", lang, row.args, out.String(), errs.String())
			}
		}
	}
}

func TestToolkitLogSeesThatThereIsNoWindow(t *testing.T) {
	for _, row := range []struct {
		line   string
		failed string
		kept   string
	}{
		{"Fyne error:  window creation error\n", "opengl", ""},
		{"Fyne error:  failed to initialise GLFW\n", "display", ""},
		{"Fyne error:  Preferences load error: EOF\n", "", ""},
		{"  Cause: Get \"https://graph.instagram.com/?access_token=IGAAsecret\"\n", "", ""},
		{"  At: /somewhere/in/the/toolkit.go:12\n", "", ""},
		{"Fyne error:  Failed to load image\n", "", "Fyne error:  Failed to load image\n"},
	} {
		failed, times := "", 0
		var out bytes.Buffer
		l := &toolkitLog{to: &out, failed: func(reason string) { failed, times = reason, times+1 }}
		for range 2 {
			out.Reset()
			if n, err := l.Write([]byte(row.line)); n != len(row.line) || err != nil {
				t.Errorf("%q: %d %v", row.line, n, err)
			}
		}
		if failed != row.failed || times > 1 || out.String() != row.kept {
			t.Errorf("%q: failed %d times with %q, kept %q", row.line, times, failed, out.String())
		}
	}
}

func TestTheReasonIsTheDisplayWhereThereIsNone(t *testing.T) {
	with := func(string) string { return ":1" }
	without := func(string) string { return "" }
	if got := reasonOf(with, "opengl"); got != "opengl" {
		t.Error(got)
	}
	if got := reasonOf(without, "opengl"); needsDisplay && got != "display" {
		t.Error(got)
	}
}

func TestALaterStartHandsItsWishToTheFirst(t *testing.T) {
	home, c := t.TempDir(), text.For("en")
	first, told, _ := onlyWindow(c, home, "")
	if first == nil || told {
		t.Fatalf("the first start: %v %v", first, told)
	}
	for account, want := range map[string]string{"": "show", "abcdefgh12345678": "account:abcdefgh12345678"} {
		if second, told, exit := onlyWindow(c, home, account); second != nil || !told || exit != 0 {
			t.Fatalf("a later start: %v %v %d", second, told, exit)
		}
		select {
		case got := <-first.Wishes:
			if got != want {
				t.Errorf("the first was asked for %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the wish did not arrive")
		}
	}
	first.Close()
	again, told, _ := onlyWindow(c, home, "")
	if again == nil || told {
		t.Fatalf("after the first has ended: %v %v", again, told)
	}
	again.Close()
}

// Whoever starts Tokenkeep beside a window that hangs is told so soon.
func TestAWindowThatHangsIsGivenUp(t *testing.T) {
	home, c := t.TempDir(), text.For("en")
	first, _, _ := onlyWindow(c, home, "")
	if first == nil {
		t.Fatal("the first start is not the first")
	}
	defer first.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes what is said, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if err := os.WriteFile(filepath.Join(home, "window.addr"), []byte("tcp "+mute.Addr().String()+"\nword\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	second, told, exit := onlyWindow(c, home, "abcdefgh12345678")
	if second != nil || !told || exit == 0 {
		t.Errorf("beside a window that hangs: %v %v %d", second, told, exit)
	}
	if took := time.Since(start); took > 9*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestTheTimerNamesAHomeThatItCannotFind(t *testing.T) {
	home := t.TempDir()
	env := map[string]string{"HOME": home, "LocalAppData": home}
	getenv := func(name string) string { return env[name] }
	usual, err := connect.Environment(getenv, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := timerHome(getenv, usual.Home); got != "" {
		t.Errorf("the default home is named: %q", got)
	}
	env["TOKENKEEP_HOME"], env["XDG_DATA_HOME"] = "/elsewhere", "/elsewhere/data"
	if got := timerHome(getenv, usual.Home); got != "" {
		t.Errorf("the default home is named: %q", got)
	}
	if got := timerHome(getenv, "/elsewhere"); got != "/elsewhere" {
		t.Errorf("another home is %q", got)
	}
}
