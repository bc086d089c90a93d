// Package browser opens what the person looks at: a page in their own browser,
// one of our own folders, and, where they ask for it, a separate browser
// window that starts signed out.
//
// Decisions:
//
//   - A program is started by argument vector, never through a shell, and only
//     with an http or https address, or a folder that exists (ruling 10).
//   - What we start inherits a list of harmless environment variables and
//     nothing else: no secret, no address of ours, no runtime switch.
//   - An opener that fails within 3 s is a problem that the person hears of;
//     one that runs longer is taken for a browser.
//   - The separate window is a browser that is already on the computer, with a
//     profile of its own that is removed afterwards. We speak to it over a pipe
//     that dies with us; no port is opened. The client is our own and sends seven
//     methods only (CDP-2): it looks at one address, the redirect's, and can
//     read or press nothing else. The authorization address goes through the
//     pipe too, so no list of processes shows it.
//   - The request that carries the answer is stopped inside the browser and
//     the window closes: nothing of ours is shown under the redirect's origin,
//     so nothing can ask that origin for anything, not even for an icon.
//   - The sandbox of the browser is never switched off here.
package browser

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// openWait is how long an opener may take to say that it failed.
const openWait = 3 * time.Second

// Open shows address in the person's own browser. It returns as soon as the
// opener has ended well, or after 3 s. Errors: browser.address (neither http
// nor https, or not an address), browser.failed (nothing to open it with, or
// it said no), the context's. None holds the address, which carries the state.
func Open(ctx context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	return start(ctx, opener(address), true)
}

// OpenFolder shows one of our own folders in the file manager. dir is absolute
// and exists. Errors: browser.address, browser.failed, the context's.
func OpenFolder(ctx context.Context, dir string) error {
	if !filepath.IsAbs(dir) {
		return problem.New(problem.BrowserAddress)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return problem.New(problem.BrowserAddress).Because(err)
	}
	argv, reports := folderOpener(filepath.Clean(dir))
	return start(ctx, argv, reports)
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	// The parser's error repeats the address.
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Opaque != "" || strings.Contains(u.Host, "%") {
		return problem.New(problem.BrowserAddress)
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= 0x20 || r == '"' || r == '\\' || r == '`' || r >= 0x7f }) {
		return problem.New(problem.BrowserAddress)
	}
	return nil
}

// start runs argv. reports tells whether its exit status means anything.
func start(ctx context.Context, argv []string, reports bool) error {
	failed := func(err error) error {
		return problem.New(problem.BrowserFailed, "program", filepath.Base(argv[0])).Because(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return failed(err)
	}
	// Not CommandContext: a browser outlives the sign-in that opened it.
	command := exec.Command(program, argv[1:]...)
	command.Env = environment(os.Environ())
	command.Dir = home()
	detach(command)
	if err := command.Start(); err != nil {
		return failed(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	limit := time.NewTimer(openWait)
	defer limit.Stop()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && (reports || !errors.As(err, &exit)) {
			return failed(err)
		}
		return nil
	case <-limit.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// home is where children start, so that they do not hold our folder.
func home() string {
	if dir, err := os.UserHomeDir(); err == nil {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return os.TempDir()
}

// environment keeps of environ what a browser needs to find the person's
// desktop, language, proxy and files. Everything else stays with us, above all
// TOKENKEEP_*, GO*, and whatever a shell had exported.
func environment(environ []string) []string {
	kept := []string{}
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		if harmless(strings.ToUpper(name)) {
			kept = append(kept, pair)
		}
	}
	return kept
}

func harmless(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR", "LANG", "LANGUAGE",
		"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DESKTOP_SESSION", "SESSION_MANAGER", "DBUS_SESSION_BUS_ADDRESS", "BROWSER",
		"GNOME_DESKTOP_SESSION_ID", "KDE_FULL_SESSION", "KDE_SESSION_VERSION", "GTK_THEME", "GDK_BACKEND", "GDK_SCALE", "QT_QPA_PLATFORM",
		"MOZ_ENABLE_WAYLAND", "LIBGL_ALWAYS_SOFTWARE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
		// macOS and Windows
		"__CF_USER_TEXT_ENCODING", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "USERNAME", "USERDOMAIN",
		"HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ALLUSERSPROFILE", "PUBLIC", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432",
		"COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "COMMONPROGRAMW6432", "COMPUTERNAME", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS":
		return true
	}
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "XDG_")
}
