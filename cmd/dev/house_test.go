package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The house rules are kept by this file and not by review: which room may use
// which, which third-party module enters where, and a few habits that a
// compiler does not know. A new package belongs into the table first.

const module = "github.com/tokenkeep/tokenkeep"

// room is one row of the table: what a package may import besides the standard
// library. Names without a dot are rooms of ours, the others are import paths
// of other people's packages; either may end in "/..." for all below it.
type room struct {
	may []string
	// anything is for the programs, which compose; never names what even they
	// leave alone.
	anything bool
	never    []string
}

var core = []string{"internal/connect", "internal/renew", "internal/provider", "internal/library",
	"internal/vault", "internal/problem", "internal/secret", "internal/buildinfo"}

func also(base []string, more ...string) []string { return append(slices.Clone(base), more...) }

var rooms = map[string]room{
	"cmd/tokenkeep":    {anything: true},
	"cmd/tokenkeepctl": {anything: true, never: []string{"internal/ui/...", "internal/ui", "fyne.io/..."}},
	"cmd/dev":          {},

	"internal/secret":    {},
	"internal/problem":   {},
	"internal/buildinfo": {},
	"internal/text":      {may: []string{"internal/problem", "resources", "github.com/nicksnyder/go-i18n/v2/...", "golang.org/x/text/language", "github.com/BurntSushi/toml"}},
	"internal/provider":  {may: []string{"internal/problem", "resources", "github.com/BurntSushi/toml", "golang.org/x/net/publicsuffix"}},
	"internal/oauth":     {may: []string{"internal/provider", "internal/secret", "internal/problem"}},
	"internal/redirect":  {may: []string{"internal/secret", "internal/problem", "internal/text", "resources"}},
	"internal/browser":   {may: []string{"internal/problem", "internal/secret"}},
	"internal/vault": {may: []string{"internal/secret", "internal/problem", "github.com/zalando/go-keyring",
		"github.com/godbus/dbus/v5", "filippo.io/age/...", "golang.org/x/crypto/...", "golang.org/x/sys/..."}},
	"internal/library": {may: []string{"internal/provider", "internal/problem", "modernc.org/sqlite", "modernc.org/sqlite/...", "github.com/gofrs/flock"}},
	"internal/connect": {may: []string{"internal/secret", "internal/problem", "internal/provider", "internal/oauth",
		"internal/redirect", "internal/browser", "internal/vault", "internal/library", "internal/buildinfo"}},
	"internal/renew":   {may: []string{"internal/connect", "internal/library", "internal/problem"}},
	"internal/deliver": {may: []string{"internal/connect", "internal/library", "internal/vault", "internal/secret", "internal/problem"}},
	"internal/desktop": {may: []string{"internal/problem", "internal/text", "github.com/godbus/dbus/v5", "golang.org/x/sys/..."}},
	"internal/sandbox": {may: []string{"resources"}},
	"internal/cli": {may: also(core, "internal/text", "internal/desktop", "internal/sandbox",
		"github.com/spf13/cobra", "golang.org/x/term")},

	"internal/ui":        {may: also(core, "internal/text", "internal/desktop", "fyne.io/fyne/v2/...", "fyne.io/fyne/v2", "internal/ui/kit", "internal/ui/theme", "resources")},
	"internal/ui/kit":    {may: []string{"fyne.io/fyne/v2/...", "fyne.io/fyne/v2", "internal/secret", "internal/ui/theme"}},
	"internal/ui/theme":  {may: []string{"fyne.io/fyne/v2/...", "fyne.io/fyne/v2", "internal/text", "resources"}},
	"internal/ui/uitest": {may: []string{"fyne.io/fyne/v2/...", "fyne.io/fyne/v2", "internal/ui/kit", "internal/ui/theme"}},
	// All of it is tests, which the table leaves free but for the toolkit.
	"internal/e2e": {},
	"resources":    {},
}

// only lists packages that have exactly the named users, in tests as well.
var only = []struct {
	path  string
	users []string
}{
	{"fyne.io/fyne/v2/app", []string{"cmd/tokenkeep"}},
	{"fyne.io/fyne/v2/lang", []string{"internal/ui/theme"}},
	{"fyne.io/...", []string{"cmd/tokenkeep", "internal/ui", "internal/ui/..."}},
	{"github.com/zalando/go-keyring", []string{"internal/vault"}},
	{"modernc.org/...", []string{"internal/library"}},
	{module + "/cmd/...", nil},
}

// onlyTests may never be linked into a program.
var onlyTests = []string{"github.com/chromedp/...", "golang.org/x/oauth2", "golang.org/x/oauth2/...", "github.com/rogpeppe/go-internal/...",
	"go.uber.org/goleak", "net/http/httptest", "testing", "testing/..."}

// packageInfo is the part of `go list -json` that the rules look at.
type packageInfo struct {
	ImportPath, Dir, Name, Doc               string
	Imports, TestImports, XTestImports       []string
	GoFiles, CgoFiles, TestGoFiles           []string
	XTestGoFiles, IgnoredGoFiles, EmbedFiles []string
	TestEmbedPatterns, XTestEmbedPatterns    []string
	Error                                    *struct{ Err string }
	DepsErrors                               []*struct{ Err string }
	Module                                   *struct{ Path, Dir string }
}

func (p packageInfo) room() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

// repository is the folder with go.mod; tests run in their package's folder.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// listed returns every package of the module as the given system builds it
// without tags.
func listed(t testing.TB, goos string) []packageInfo {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json", "./...")
	cmd.Dir = repository(t)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=1", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []packageInfo
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p packageInfo
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list named no package")
	}
	return all
}

// covers says whether the pattern ("a/b" or "a/b/...") stands for path.
func covers(pattern, path string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return path == pattern
}

func coveredBy(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, path) })
}

// ours turns an import path of this module into the name of its room.
func ours(path string) (string, bool) {
	return strings.CutPrefix(path, module+"/")
}

// standard recognises the standard library: its paths have no dot in front.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// importFaults applies the table to one package and returns what is wrong with
// its imports, as sentences.
func importFaults(table map[string]room, p packageInfo) []string {
	row, known := table[p.room()]
	if !known {
		return []string{fmt.Sprintf("%s has no row in the table of rooms (cmd/dev/house_test.go)", p.room())}
	}
	var faults []string
	for _, imported := range p.Imports {
		name, own := ours(imported)
		if !own {
			name = imported
		}
		switch {
		case coveredBy(onlyTests, imported) && p.room() != "internal/ui/uitest":
			faults = append(faults, fmt.Sprintf("%s imports %s, which is for tests", p.room(), imported))
		case standard(imported) || imported == "C":
		case row.anything && !coveredBy(row.never, name):
		case coveredBy(row.may, name):
		default:
			faults = append(faults, fmt.Sprintf("%s may not import %s", p.room(), name))
		}
	}
	everything := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	for _, rule := range only {
		for _, imported := range everything {
			if imported != p.ImportPath && covers(rule.path, imported) && !coveredBy(rule.users, p.room()) {
				faults = append(faults, fmt.Sprintf("%s may not import %s, not even in a test: that is for %v", p.room(), imported, rule.users))
			}
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

func TestRoomsImportOnlyWhatTheTableAllows(t *testing.T) {
	seen := map[string]bool{}
	for _, goos := range []string{"linux", "windows", "darwin"} {
		for _, p := range listed(t, goos) {
			if p.Error != nil && !strings.Contains(p.Error.Err, "build constraints exclude all Go files") {
				t.Errorf("%s (%s): %s", p.room(), goos, p.Error.Err)
			}
			for _, fault := range importFaults(rooms, p) {
				if !seen[fault] {
					seen[fault] = true
					t.Error(fault)
				}
			}
		}
	}
}

// The rule must be able to fail, so it is tried on packages that break it.
func TestTheTableRefusesWhatItShould(t *testing.T) {
	for name, c := range map[string]struct {
		in       string
		imports  []string
		tests    []string
		expected string
	}{
		"unknown package":       {in: "internal/helper", expected: "no row in the table"},
		"core uses the window":  {in: "internal/connect", imports: []string{module + "/internal/ui"}, expected: "may not import internal/ui"},
		"core uses the toolkit": {in: "internal/vault", imports: []string{"fyne.io/fyne/v2"}, expected: "may not import fyne.io/fyne/v2"},
		"sandbox knows client":  {in: "internal/sandbox", imports: []string{module + "/internal/oauth"}, expected: "may not import internal/oauth"},
		"keyring elsewhere":     {in: "internal/cli", tests: []string{"github.com/zalando/go-keyring"}, expected: "not even in a test"},
		"program imported":      {in: "internal/cli", tests: []string{module + "/cmd/tokenkeepctl"}, expected: "not even in a test"},
		"test library shipped":  {in: "cmd/tokenkeep", imports: []string{"net/http/httptest"}, expected: "is for tests"},
		"command line and ui":   {in: "cmd/tokenkeepctl", imports: []string{module + "/internal/ui/kit"}, expected: "may not import internal/ui/kit"},
		"app in the window":     {in: "internal/ui", imports: []string{"fyne.io/fyne/v2/app"}, expected: "not even in a test"},
		"unheard-of module":     {in: "internal/oauth", imports: []string{"golang.org/x/net/html"}, expected: "may not import golang.org/x/net/html"},
	} {
		faults := importFaults(rooms, packageInfo{ImportPath: module + "/" + c.in, Imports: c.imports, TestImports: c.tests})
		if !strings.Contains(strings.Join(faults, "\n"), c.expected) {
			t.Errorf("%s: faults %q, expected one with %q", name, faults, c.expected)
		}
	}
	if faults := importFaults(rooms, packageInfo{ImportPath: module + "/internal/oauth",
		Imports: []string{"net/http", module + "/internal/secret"}, TestImports: []string{"golang.org/x/oauth2", "testing"}}); len(faults) > 0 {
		t.Errorf("an allowed package was refused: %q", faults)
	}
}

var shapeless = regexp.MustCompile(`(?i)^(utils?|commons?|helpers?|managers?|misc|shared|lib)$`)

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range listed(t, "linux") {
		for _, part := range strings.Split(p.room(), "/") {
			if shapeless.MatchString(part) {
				t.Errorf("%s: %q says nothing about what is inside", p.ImportPath, part)
			}
		}
		if shapeless.MatchString(p.Name) {
			t.Errorf("%s: the package name %q says nothing about what is inside", p.ImportPath, p.Name)
		}
		if strings.TrimSpace(p.Doc) == "" && p.Error == nil {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// goFiles parses every Go file of the repository, whatever its tags.
func goFiles(t testing.TB, visit func(room, name string, file *ast.File, at func(ast.Node) string)) {
	t.Helper()
	root := repository(t)
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "artifacts" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		visit(path.Dir(filepath.ToSlash(relative)), filepath.ToSlash(relative), file, func(n ast.Node) string {
			return fmt.Sprintf("%s:%d", filepath.ToSlash(relative), files.Position(n.Pos()).Line)
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// nameOf tells under which name the file knows an import; empty: not at all.
func nameOf(file *ast.File, imported, usual string) string {
	for _, spec := range file.Imports {
		if strings.Trim(spec.Path.Value, `"`) == imported {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return usual
		}
	}
	return ""
}

// callFaults finds calls and settings that have one home or none.
func callFaults(inRoom, name string, file *ast.File, at func(ast.Node) string) []string {
	var faults []string
	fyne := nameOf(file, "fyne.io/fyne/v2", "fyne")
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			holder, _ := n.X.(*ast.Ident)
			switch {
			case n.Sel.Name == "DoAndWait":
				faults = append(faults, at(n)+": DoAndWait hangs when it is called on the window's own thread; post through kit instead")
			case n.Sel.Name == "Do" && holder != nil && fyne != "" && holder.Name == fyne && inRoom != "internal/ui/kit":
				faults = append(faults, at(n)+": fyne.Do belongs to internal/ui/kit, whose runner tests can drain")
			case n.Sel.Name == "InsecureSkipVerify" && !strings.HasSuffix(name, "_test.go"):
				faults = append(faults, at(n)+": InsecureSkipVerify is for tests")
			case (n.Sel.Name == "Skip" || n.Sel.Name == "Skipf" || n.Sel.Name == "SkipNow") && holder != nil && slices.Contains([]string{"t", "b", "f", "tb"}, holder.Name):
				faults = append(faults, at(n)+": a test that cannot run must fail and name what is missing")
			case n.Sel.Name == "Short" && holder != nil && holder.Name == "testing":
				faults = append(faults, at(n)+": there is one set of tests, none is left out for being slow")
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "InsecureSkipVerify" && !strings.HasSuffix(name, "_test.go") {
				faults = append(faults, at(n)+": InsecureSkipVerify is for tests")
			}
		}
		return true
	})
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			faults = append(faults, at(spec)+": a dot import hides where names come from")
		}
	}
	return faults
}

func TestCallsStayWhereTheyBelong(t *testing.T) {
	goFiles(t, func(room, name string, file *ast.File, at func(ast.Node) string) {
		for _, fault := range callFaults(room, name, file, at) {
			t.Error(fault)
		}
	})
}

func TestCallsOutOfPlaceAreFound(t *testing.T) {
	const source = `package x
import ("crypto/tls"; "testing"; toolkit "fyne.io/fyne/v2")
func f(t *testing.T) {
	toolkit.Do(func() {})
	toolkit.DoAndWait(func() {})
	_ = tls.Config{InsecureSkipVerify: true}
	t.Skip("no")
	_ = testing.Short()
}`
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "x.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := func(n ast.Node) string { return fmt.Sprint(files.Position(n.Pos()).Line) }
	if faults := callFaults("internal/ui", "internal/ui/x.go", file, at); len(faults) != 5 {
		t.Errorf("found %d of 5 faults: %q", len(faults), faults)
	}
	if faults := callFaults("internal/ui/kit", "internal/ui/kit/x_test.go", file, at); len(faults) != 3 {
		t.Errorf("kit's test: found %q, expected DoAndWait, Skip and Short", faults)
	}
}

// firstCall reports whether the body's first statement is vault.Serve().
func firstCall(body *ast.BlockStmt, vault string) bool {
	if body == nil || len(body.List) == 0 || vault == "" {
		return false
	}
	statement, ok := body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Serve" {
		return false
	}
	holder, ok := selector.X.(*ast.Ident)
	return ok && holder.Name == vault
}

// The keychain child is the program itself, started again with "__vault". A
// program or test binary that does not answer to that would run its whole self
// a second time, and that one a third.
func TestWhoeverUsesTheKeychainServesItsChild(t *testing.T) {
	serves := map[string]bool{}
	goFiles(t, func(room, name string, file *ast.File, at func(ast.Node) string) {
		vault := nameOf(file, module+"/internal/vault", "vault")
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			own := room == "internal/vault" && len(f.Body.List) > 0 && callsOwnServe(f.Body.List[0])
			switch {
			case f.Name.Name == "main" && file.Name.Name == "main" && strings.HasPrefix(room, "cmd/"):
				serves[room+" main"] = serves[room+" main"] || firstCall(f.Body, vault)
			case f.Name.Name == "TestMain" && strings.HasSuffix(name, "_test.go"):
				serves[room+" test"] = serves[room+" test"] || firstCall(f.Body, vault) || own
			}
		}
	})
	reach := map[string]map[string]bool{}
	all := listed(t, "linux")
	imports := map[string][]string{}
	for _, p := range all {
		imports[p.room()] = p.Imports
	}
	var reaches func(string) bool
	reaches = func(name string) bool {
		if name == "internal/vault" {
			return true
		}
		if known, ok := reach[name]; ok {
			return known["vault"]
		}
		reach[name] = map[string]bool{}
		for _, imported := range imports[name] {
			if own, ok := ours(imported); ok && reaches(own) {
				reach[name]["vault"] = true
			}
		}
		return reach[name]["vault"]
	}
	for _, p := range all {
		if p.Name == "main" && reaches(p.room()) && !serves[p.room()+" main"] {
			t.Errorf("%s reaches internal/vault: the first line of its main must be vault.Serve()", p.room())
		}
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		uses := reaches(p.room())
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if own, ok := ours(imported); ok && reaches(own) {
				uses = true
			}
		}
		if uses && !serves[p.room()+" test"] {
			t.Errorf("%s reaches internal/vault in its tests: it needs a TestMain with vault.Serve() as its first line", p.room())
		}
	}
}

func callsOwnServe(statement ast.Stmt) bool {
	expression, ok := statement.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := expression.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == "Serve"
}

// topLevel is all that lies at the root besides dotfiles. A newcomer reads it
// in one look, so nothing joins it by accident.
var topLevel = []string{"CHANGELOG.md", "FyneApp.toml", "LICENSE", "README.md", "cmd", "go.mod", "go.sum", "internal", "resources"}

func TestTheRootHoldsNothingElse(t *testing.T) {
	root := repository(t)
	ignored, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	patterns := strings.Fields(string(ignored))
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || slices.Contains(topLevel, name) {
			continue
		}
		if !slices.ContainsFunc(patterns, func(p string) bool {
			match, _ := path.Match(strings.Trim(p, "/"), name)
			return match
		}) {
			t.Errorf("%s does not belong at the root", name)
		}
	}
}

// The release must not contain what is built for tests only.
func TestTheReleaseHoldsNoTestDriver(t *testing.T) {
	for _, program := range []string{"tokenkeep", "tokenkeepctl"} {
		cmd := exec.Command("go", "list", "-deps", "-tags", "x11", "./cmd/"+program)
		cmd.Dir = repository(t)
		cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list -deps ./cmd/%s: %v\n%s", program, err, stderr.String())
		}
		for _, dependency := range strings.Fields(string(out)) {
			if dependency == module+"/internal/ui/uitest" || dependency == "fyne.io/fyne/v2/test" || dependency == "testing" || strings.HasPrefix(dependency, "github.com/chromedp/") {
				t.Errorf("the released %s contains %s", program, dependency)
			}
		}
	}
}
