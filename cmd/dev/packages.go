package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// part is something of the system that we need: what it is in words, the
// Debian package that brings it, and a look at whether it is there.
type part struct {
	what, debian string
	there        func() bool
}

// Every row says what would fail without it. A row that no build and no test
// needs does not belong here.
var (
	// toBuild compiles the window.
	toBuild = []part{
		{"certificates to download Go modules with", "ca-certificates", certificates},
		{"the C compiler clang", "clang", programs("clang", "clang++")},
		{"pkg-config, which finds libraries", "pkg-config", programs("pkg-config")},
		{"OpenGL headers", "libgl1-mesa-dev", libraries("gl")},
		{"X11 headers", "xorg-dev", libraries("x11", "xcursor", "xrandr", "xinerama", "xi", "xxf86vm")},
	}
	// toOpen shows the window and a browser.
	toOpen = []part{
		{"an OpenGL driver", "libgl1-mesa-dri", drivers},
		{"xdg-open, which opens the browser", "xdg-utils", programs("xdg-open")},
	}
	// aDesktop stands in for the desktop that a server or a test run lacks.
	aDesktop = []part{
		{"a virtual screen (Xvfb)", "xvfb", programs("Xvfb")},
		{"a window manager (openbox)", "openbox", programs("openbox")},
		{"a session bus (dbus-daemon, dbus-send)", "dbus", programs("dbus-daemon", "dbus-send")},
		{"a keychain (gnome-keyring)", "gnome-keyring", programs("gnome-keyring-daemon")},
		{"the keychain's password dialog (gcr-prompter)", "gcr", func() bool {
			return anyFile("/usr/libexec/gcr-prompter", "/usr/lib/gcr-prompter", "/usr/lib/gcr/gcr-prompter")
		}},
		{"secret-tool, which reads the keychain without us", "libsecret-tools", programs("secret-tool")},
		{"a browser (Chromium)", "chromium", programs("chromium")},
		{"systemd-analyze, which reads the timer's units", "systemd", programs("systemd-analyze", "systemctl")},
		{"python3, which reads the launch agent", "python3", programs("python3")},
		{"ip and ss, which show networks and sockets", "iproute2", programs("ip", "ss")},
	}
)

// toTest are for the authorization servers that the tests sign in at and that
// nobody here wrote. They run on Debian 12's own Node.
var toTest = []part{
	{"node, which runs other people's servers", "nodejs", programs("node")},
	{"npm, which installs them", "npm", programs("npm")},
}

func programs(names ...string) func() bool {
	return func() bool {
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil {
				return false
			}
		}
		return true
	}
}

// libraries asks pkg-config, as the build itself will.
func libraries(names ...string) func() bool {
	return func() bool {
		return exec.Command("pkg-config", append([]string{"--exists"}, names...)...).Run() == nil
	}
}

// certificates looks where Go looks on Linux.
func certificates() bool {
	if os.Getenv("SSL_CERT_FILE") != "" || os.Getenv("SSL_CERT_DIR") != "" {
		return true
	}
	return anyFile("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem")
}

// drivers looks for a Mesa driver or for a vendor's own OpenGL.
func drivers() bool {
	return anyFile("/usr/lib/*/dri/*_dri.so", "/usr/lib/dri/*_dri.so", "/usr/lib64/dri/*_dri.so",
		"/usr/lib/*/libGLX_nvidia.so.0", "/usr/lib64/libGLX_nvidia.so.0", "/run/opengl-driver/lib/dri/*_dri.so")
}

func anyFile(patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		found, _ := filepath.Glob(pattern)
		return len(found) > 0
	})
}

// missing lists the parts that are not there.
func missing(groups ...[]part) []part {
	var out []part
	for _, p := range slices.Concat(groups...) {
		if !p.there() {
			out = append(out, p)
		}
	}
	return out
}

// machine is what installing depends on, so that it can be tried without a
// real one.
type machine struct {
	debian, root, sudo bool
	answer             io.Reader
	out                io.Writer
	run                func(ctx context.Context, args ...string) error
}

func thisMachine() machine {
	_, sudo := exec.LookPath("sudo")
	_, apt := exec.LookPath("apt-get")
	return machine{
		debian: apt == nil, root: os.Geteuid() == 0, sudo: sudo == nil,
		answer: os.Stdin, out: os.Stdout,
		run: func(ctx context.Context, args ...string) error {
			return call{args: args, env: []string{"DEBIAN_FRONTEND=noninteractive"}}.do(ctx)
		},
	}
}

var errPackages = errors.New("some packages are missing: install them and run the same command again")

// provide makes sure that all parts are there. It installs as root; as another
// user it shows the line, asks, and uses sudo; elsewhere it prints the list. It
// returns an error when something is still missing afterwards.
func provide(ctx context.Context, m machine, groups ...[]part) error {
	if runtime.GOOS != "linux" {
		return nil
	}
	lack := missing(groups...)
	if len(lack) == 0 {
		return nil
	}
	fmt.Fprintln(m.out, "Missing on this computer:")
	var names []string
	for _, p := range lack {
		fmt.Fprintf(m.out, "  %-48s Debian package %s\n", p.what, p.debian)
		names = append(names, p.debian)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if !m.debian {
		return errPackages
	}
	update := []string{"apt-get", "-o", "DPkg::Lock::Timeout=600", "update"}
	install := append([]string{"apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "-y", "--no-install-recommends"}, names...)
	if !m.root {
		line := "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + strings.Join(names, " ")
		fmt.Fprintf(m.out, "\nThis installs them:\n  %s\n", line)
		if !m.sudo {
			return errPackages
		}
		fmt.Fprint(m.out, "Run it now? [y/N] ")
		answer, _ := bufio.NewReader(m.answer).ReadString('\n')
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			fmt.Fprintln(m.out)
			return errPackages
		}
		update, install = append([]string{"sudo"}, update...), append([]string{"sudo"}, install...)
	}
	// The lists may be absent (a fresh container) or name versions that the
	// archive has since replaced; both end with a fresh list, asked for once.
	if err := m.run(ctx, update...); err != nil {
		fmt.Fprintln(m.out, "The package lists could not be brought up to date; trying with those that are there.")
	}
	if err := m.run(ctx, install...); err != nil {
		return fmt.Errorf("installing packages: %w", err)
	}
	if lack = missing(groups...); len(lack) > 0 {
		for _, p := range lack {
			fmt.Fprintf(m.out, "Still missing after installing %s: %s\n", p.debian, p.what)
		}
		return errPackages
	}
	return nil
}
