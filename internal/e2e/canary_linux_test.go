package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// canary is a secret of a scenario, to be found nowhere but where it belongs.
type canary struct {
	name  string // for messages: a canary's value is never printed
	value secret.Text
	// allowed names places where it may be; nil: nowhere. A place is
	// "file PATH", "name PATH", "argv PROGRAM" or "environ PROGRAM", with PATH
	// relative to the desktop's folder and PROGRAM as it was called.
	allowed func(place string) bool
}

// onTheWayToTheBrowser is where code and state may be (SEC-1 as amended): in
// the browser's own files, and in the arguments of what opens it.
func onTheWayToTheBrowser(place string) bool {
	kind, what, _ := strings.Cut(place, " ")
	switch kind {
	case "file", "name":
		return strings.HasPrefix(what, "browser/")
	case "argv":
		program := filepath.Base(what)
		return program == "xdg-open" || strings.HasPrefix(program, "chrom")
	}
	return false
}

// findings looks for every canary, in every form in which a secret travels, in
// all files of the desktop (HOME, XDG, TMPDIR, logs, stdout and stderr of what
// ran, the browser's profile), in their names, and in what the watched
// processes showed in /proc. Compressed files are searched as they are.
func (d *desktop) findings(canaries []canary, shown []inspected) []string {
	d.t.Helper()
	type needle struct {
		of    canary
		forms [][]byte
	}
	var needles []needle
	for _, c := range canaries {
		n := needle{of: c}
		for _, form := range secret.Forms(c.value) {
			n.forms = append(n.forms, []byte(form))
		}
		if len(n.forms) == 0 {
			d.t.Fatalf("the canary %q is too short to be looked for", c.name)
		}
		needles = append(needles, n)
	}
	var out []string
	search := func(place string, content []byte) {
		for _, n := range needles {
			for number, form := range n.forms {
				if bytes.Contains(content, form) {
					if n.of.allowed == nil || !n.of.allowed(place) {
						out = append(out, fmt.Sprintf("%s (form %d) in %s", n.of.name, number, place))
					}
					break
				}
			}
		}
	}
	err := filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		relative, _ := filepath.Rel(d.root, path)
		search("name "+relative, []byte(relative))
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			search("file "+relative, []byte(target))
		case entry.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil && !os.IsNotExist(err) {
				return err
			}
			search("file "+relative, content)
		}
		return nil
	})
	if err != nil {
		d.t.Fatalf("searching the desktop's files: %v", err)
	}
	for _, i := range shown {
		program, _, _ := strings.Cut(i.cmdline, "\x00")
		// A script shows its interpreter first.
		if rest := strings.Split(i.cmdline, "\x00"); len(rest) > 1 && strings.HasSuffix(program, "sh") && strings.HasPrefix(rest[1], "/") {
			program = rest[1]
		}
		search("argv "+program, []byte(i.cmdline))
		search("environ "+program, []byte(i.environ))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// noCanary fails the test for every canary that got loose.
func (d *desktop) noCanary(canaries []canary) {
	d.t.Helper()
	var shown []inspected
	for _, w := range d.watches {
		shown = append(shown, w.end()...)
	}
	for _, finding := range d.findings(canaries, shown) {
		d.t.Errorf("found %s", finding)
	}
}
