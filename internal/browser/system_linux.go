package browser

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func opener(address string) []string { return []string{"xdg-open", address} }

func folderOpener(dir string) (argv []string, reports bool) { return []string{"xdg-open", dir}, true }

// separatePrograms are the browsers that take the pipe, best known first.
func separatePrograms() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "microsoft-edge-stable"}
}

// Default names the person's browser ("Firefox"), at most 60 characters of its
// own words, or "" where the system does not say. It takes at most 2 s.
func Default(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, argv := range [][]string{{"xdg-settings", "get", "default-web-browser"}, {"xdg-mime", "query", "default", "x-scheme-handler/https"}} {
		program, err := exec.LookPath(argv[0])
		if err != nil {
			continue
		}
		command := exec.CommandContext(ctx, program, argv[1:]...)
		command.Env = environment(os.Environ())
		command.WaitDelay = time.Second
		out, err := command.Output()
		if err != nil {
			continue
		}
		if name := desktopName(strings.TrimSpace(string(out))); name != "" {
			return name
		}
	}
	return ""
}

// desktopName looks up the Name of a desktop file by its id, in the order of
// the XDG base directories.
func desktopName(id string) string {
	if !strings.HasSuffix(id, ".desktop") || strings.ContainsAny(id, "/\x00\n") {
		return ""
	}
	own := os.Getenv("XDG_DATA_HOME")
	if own == "" {
		own = filepath.Join(home(), ".local", "share")
	}
	shared := os.Getenv("XDG_DATA_DIRS")
	if shared == "" {
		shared = "/usr/local/share:/usr/share"
	}
	for _, dir := range append([]string{own}, filepath.SplitList(shared)...) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file, err := os.Open(filepath.Join(dir, "applications", id))
		if err != nil {
			continue
		}
		name := readName(bufio.NewScanner(file))
		_ = file.Close()
		return problem.Outside(name, 60)
	}
	return ""
}

// readName finds Name= in the first group (Desktop Entry Specification 1.5).
func readName(lines *bufio.Scanner) string {
	inside := false
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			if inside {
				return ""
			}
			inside = line == "[Desktop Entry]"
			continue
		}
		if key, value, ok := strings.Cut(line, "="); inside && ok && strings.TrimSpace(key) == "Name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func profileFlags() []string {
	// The profile is thrown away: it needs no key in the person's keychain,
	// and must not make the keychain ask for its password.
	return []string{"--password-store=basic"}
}
