package problem

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestKindsAreTheContract(t *testing.T) {
	want := map[Kind]int{"internal": 1, "input": 2, "cancelled": 3, "refused": 4, "network": 5, "vault": 6, "timeout": 7, "unknown": 8, "sign_in": 9}
	if len(Kinds()) != len(want) {
		t.Errorf("%d kinds, the contract has %d", len(Kinds()), len(want))
	}
	for kind, code := range want {
		if kind.ExitCode() != code {
			t.Errorf("%s exits with %d, the contract says %d", kind, kind.ExitCode(), code)
		}
	}
	if Kind("made up").ExitCode() != 1 {
		t.Error("a kind outside the set is internal")
	}
}

// A Key constant without a row would silently become "unexpected".
func TestEveryKeyConstantHasARow(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Key" {
			return true
		}
		constants++
		key := Key(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		if !Listed(key) {
			t.Errorf("%s (%q) has no row", spec.Names[0].Name, key)
		}
		return true
	})
	if constants != len(Table()) {
		t.Errorf("%d constants, %d rows", constants, len(Table()))
	}
	for _, row := range Table() {
		if row.Kind.ExitCode() == 1 && row.Kind != Internal {
			t.Errorf("%s has the kind %q, which is not in the set", row.Key, row.Kind)
		}
	}
}

func TestErrorsKeepTheirCauseAndHideItsText(t *testing.T) {
	cause := fmt.Errorf("Get \"https://x/?client_secret=canary\": %w", context.DeadlineExceeded)
	err := fmt.Errorf("wrapped: %w", New(NetworkSlow, "host", "x").Because(cause))
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the cause is printed: %v", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !Has(err, NetworkSlow) || !errors.Is(err, New(NetworkSlow)) || errors.Is(err, New(NetworkTLS)) {
		t.Error("the chain does not answer")
	}
	if p := Of(err); p.Key != NetworkSlow || p.Args["host"] != "x" {
		t.Errorf("Of: %v", p)
	}
	if p := Of(errors.New("strange")); p.Kind != Internal || p.Key != Unexpected {
		t.Errorf("a stranger's error: %v", p)
	}
	if Of(nil) != nil {
		t.Error("nil must stay nil")
	}
	if p := New("no.such.key"); p.Kind != Internal {
		t.Errorf("an unknown key: %v", p)
	}
}

func TestOutsideTextIsMadeFitToShow(t *testing.T) {
	for _, row := range []struct {
		in    string
		limit int
		want  string
	}{
		{"plain", 10, "plain"},
		{"  two\r\n\t words  ", 20, "two words"},
		{"nul\x00 bell\a esc\x1b[1m", 30, "nul bell esc[1m"},
		{"bidi\u202egnp.exe\u202c", 30, "bidignp.exe"},
		{"\ufeffbom and \ufffd", 30, "bom and"},
		{strings.Repeat("ä", 20), 10, strings.Repeat("ä", 10) + "…"},
		{"", 10, ""},
	} {
		if got := Outside(row.in, row.limit); got != row.want {
			t.Errorf("Outside(%q, %d) = %q, want %q", row.in, row.limit, got, row.want)
		}
	}
}

func FuzzOutside(f *testing.F) {
	f.Add("a\u202eb", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := Outside(s, limit)
		if n := len([]rune(got)); n > limit+1 {
			t.Fatalf("%d characters for a limit of %d", n, limit)
		}
		for _, r := range got {
			if r < 0x20 || r == '\u202e' {
				t.Fatalf("%q kept %U", s, r)
			}
		}
	})
}
