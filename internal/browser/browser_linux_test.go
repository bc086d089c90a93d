package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

const authorize = "https://www.instagram.com/oauth/authorize?client_id=1&state=STATEcanary&redirect_uri=https%3A%2F%2Flocalhost%3A8919%2F&x=%24%28id%29%3B'"

// stub puts a program of that name first in PATH, which records its arguments
// and environment and then runs body.
func stub(t *testing.T, name, body string) (record string) {
	t.Helper()
	dir := t.TempDir()
	record = filepath.Join(dir, "record")
	script := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\n' \"$a\"; done > '" + record + ".argv'\nenv > '" + record + ".env'\n" + body + "\n"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return record
}

func TestATT14_TheBrowserIsOpenedByArgumentsWithoutAShell(t *testing.T) {
	private(t)
	record := stub(t, "xdg-open", "exit 0")
	for name, value := range map[string]string{
		"TOKENKEEP_HOME": "/canary", "GOTRACEBACK": "crash", "GODEBUG": "http2debug=2", "CLIENT_SECRET": "canary-secret", "AWS_SECRET_ACCESS_KEY": "canary-aws",
		"LD_PRELOAD": "", "SSLKEYLOGFILE": "/tmp/canary", "DISPLAY": ":77", "LC_ALL": "C.UTF-8", "XDG_CURRENT_DESKTOP": "GNOME", "https_proxy": "http://proxy.example:3128",
	} {
		t.Setenv(name, value)
	}
	start := time.Now()
	if err := Open(context.Background(), authorize); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	argv, err := os.ReadFile(record + ".argv")
	if err != nil || string(argv) != authorize+"\n" {
		t.Errorf("argv: %q, %v", argv, err)
	}
	environ, err := os.ReadFile(record + ".env")
	if err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"canary", "GOTRACEBACK", "GODEBUG", "TOKENKEEP", "SSLKEYLOGFILE", "LD_PRELOAD"} {
		if bytes.Contains(environ, []byte(forbidden)) {
			t.Errorf("the opener inherits %s:\n%s", forbidden, environ)
		}
	}
	for _, needed := range []string{"DISPLAY=:77", "LC_ALL=C.UTF-8", "XDG_CURRENT_DESKTOP=GNOME", "https_proxy=http://proxy.example:3128", "HOME=" + os.Getenv("HOME"), "DBUS_SESSION_BUS_ADDRESS="} {
		if !bytes.Contains(environ, []byte(needed)) {
			t.Errorf("the opener lacks %s", needed)
		}
	}
}

func TestATT14_OnlyHTTPAndHTTPS(t *testing.T) {
	private(t)
	record := stub(t, "xdg-open", "exit 0")
	for _, address := range []string{"", "x", "/etc/passwd", "file:///etc/passwd", "javascript:alert(1)", "ms-settings:", "mailto:a@b", "data:text/html,x", "https:", "https://", "https:///x", "https://user@host/", "https://u:p@host/",
		"--help", "-a", " https://a.example/", "https://a.example/ --x", "https://a.example/\n", "https://a.example/\"", "https://a.example/\\x", "https://exämple.com/", "https://a.example/%zz\x00", "vbscript:x", "HTTPS://%zz"} {
		if err := Open(context.Background(), address); !problem.Has(err, problem.BrowserAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := os.Stat(record + ".argv"); !errors.Is(err, os.ErrNotExist) {
		t.Error("the opener was started")
	}
	for _, address := range []string{"http://127.0.0.1:8919/?a=b&c=d", "https://[::1]:1/", "https://example.com/#x"} {
		if err := Open(context.Background(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOpenSaysWhenItFailed(t *testing.T) {
	private(t)
	path := os.Getenv("PATH")
	t.Run("exit status", func(t *testing.T) {
		stub(t, "xdg-open", "exit 4")
		failsWithoutTheAddress(t, Open(context.Background(), authorize))
	})
	t.Run("exit status after a while", func(t *testing.T) {
		stub(t, "xdg-open", "sleep 1; exit 3")
		failsWithoutTheAddress(t, Open(context.Background(), authorize))
	})
	t.Run("not installed", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		failsWithoutTheAddress(t, Open(context.Background(), authorize))
	})
	t.Run("one that stays is a browser", func(t *testing.T) {
		stub(t, "xdg-open", "sleep 4; exit 1")
		start := time.Now()
		if err := Open(context.Background(), authorize); err != nil || time.Since(start) < openWait || time.Since(start) > openWait+time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		stub(t, "xdg-open", "sleep 1; exit 1")
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := Open(ctx, authorize); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if err := Open(ctx, authorize); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before the start: %v", err)
		}
	})
	if os.Getenv("PATH") != path {
		t.Error("PATH was not put back")
	}
}

func failsWithoutTheAddress(t *testing.T, err error) {
	t.Helper()
	if !problem.Has(err, problem.BrowserFailed) {
		t.Fatalf("%v", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(fmt.Sprintf("%v %+v", e, e), "canary") {
			t.Errorf("the error holds the address: %v", e)
		}
	}
}

func TestOpenFolder(t *testing.T) {
	private(t)
	record := stub(t, "xdg-open", "exit 0")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", ".", "x", file, filepath.Join(dir, "absent"), "https://a.example/", "file://" + dir, "-h"} {
		if err := OpenFolder(context.Background(), bad); !problem.Has(err, problem.BrowserAddress) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := os.Stat(record + ".argv"); err == nil {
		t.Error("the opener was started")
	}
	if err := OpenFolder(context.Background(), dir+"/"); err != nil {
		t.Fatal(err)
	}
	if argv, _ := os.ReadFile(record + ".argv"); string(argv) != dir+"\n" {
		t.Errorf("argv: %q", argv)
	}
}

func TestDefaultNamesTheBrowser(t *testing.T) {
	private(t)
	applications := filepath.Join(os.Getenv("XDG_DATA_HOME"), "applications")
	if err := os.MkdirAll(applications, 0o700); err != nil {
		t.Fatal(err)
	}
	for id, content := range map[string]string{
		"firefox.desktop": "[Desktop Entry]\nName[de]=Feuerfuchs\nName = Firefox\nExec=firefox %u\n[Desktop Action new]\nName=New Window\n",
		"evil.desktop":    "[Desktop Entry]\nName=\u202eEvil\x07 " + strings.Repeat("x", 300) + "\n",
		"other.desktop":   "[Desktop Action x]\nName=Wrong\n",
	} {
		if err := os.WriteFile(filepath.Join(applications, id), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_DATA_DIRS", t.TempDir())
	for id, want := range map[string]string{"firefox.desktop": "Firefox", "other.desktop": "", "absent.desktop": "", "../firefox.desktop": "", "": "", "evil.desktop": "Evil " + strings.Repeat("x", 55) + "…"} {
		stub(t, "xdg-settings", "echo '"+id+"'")
		stub(t, "xdg-mime", "exit 3")
		if got := Default(context.Background()); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	stub(t, "xdg-settings", "exit 2")
	stub(t, "xdg-mime", "[ \"$*\" = 'query default x-scheme-handler/https' ] && echo firefox.desktop")
	if got := Default(context.Background()); got != "Firefox" {
		t.Errorf("by its scheme: %q", got)
	}
	stub(t, "xdg-settings", "sleep 5")
	start := time.Now()
	if got := Default(context.Background()); got != "" || time.Since(start) > 4*time.Second {
		t.Errorf("hanging: %q after %v", got, time.Since(start))
	}
	t.Setenv("PATH", t.TempDir())
	if got := Default(context.Background()); got != "" {
		t.Errorf("nothing installed: %q", got)
	}
}

// The real xdg-open of this system, with a desktop file as a person has one.
func TestOpenThroughTheRealOpener(t *testing.T) {
	if _, err := os.Stat("/usr/bin/xdg-open"); err != nil {
		t.Fatal("the program xdg-open is missing: Debian package xdg-utils")
	}
	private(t)
	record := stub(t, "tokenkeep-test-browser", "exit 0")
	program := filepath.Join(filepath.Dir(record), "tokenkeep-test-browser")
	applications := filepath.Join(os.Getenv("XDG_DATA_HOME"), "applications")
	if err := os.MkdirAll(applications, 0o700); err != nil {
		t.Fatal(err)
	}
	entry := "[Desktop Entry]\nType=Application\nName=Test Browser\nExec=" + program + " %u\nMimeType=x-scheme-handler/https;x-scheme-handler/http;\n"
	if err := os.WriteFile(filepath.Join(applications, "test-browser.desktop"), []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	defaults := "[Default Applications]\nx-scheme-handler/https=test-browser.desktop\nx-scheme-handler/http=test-browser.desktop\n"
	if err := os.WriteFile(filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "mimeapps.list"), []byte(defaults), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DISPLAY", ":77")
	t.Setenv("XDG_CURRENT_DESKTOP", "")
	if err := Open(context.Background(), authorize); err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	eventually(t, 5*time.Second, "the browser's start", func() bool {
		argv, _ := os.ReadFile(record + ".argv")
		return string(argv) == authorize+"\n"
	})
	if got := Default(context.Background()); got != "Test Browser" {
		t.Errorf("its name: %q", got)
	}
}

func FuzzCheckAddress(f *testing.F) {
	for _, seed := range []string{authorize, "https://a/\"", "-x", "https://[::1]:1/#x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if checkAddress(address) != nil {
			return
		}
		lower := strings.ToLower(address)
		if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
			t.Errorf("%q", address)
		}
		if strings.ContainsAny(address, " \t\r\n\"\\`\x00") {
			t.Errorf("%q can leave its argument", address)
		}
	})
}
