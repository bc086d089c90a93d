package buildinfo

import (
	"testing"

	"github.com/BurntSushi/toml"
)

// The window's metadata comes from this package, packages are built from
// FyneApp.toml: if they part, two parts of the system show two versions.
func TestFyneAppTomlSaysTheSame(t *testing.T) {
	var file struct {
		Website string
		Details struct {
			Name, ID, Version string
			Build             int
		}
		Migrations map[string]bool
	}
	meta, err := toml.DecodeFile("../../FyneApp.toml", &file)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range meta.Undecoded() {
		if key.String() != "Details.Icon" {
			t.Errorf("FyneApp.toml has %q, which nothing here repeats", key)
		}
	}
	if file.Details.Name != Name || file.Details.ID != ID || file.Details.Version != Version || file.Details.Build != Build || file.Website != Website {
		t.Errorf("FyneApp.toml says %+v %q, this package %q %q %q %d %q", file.Details, file.Website, Name, ID, Version, Build, Website)
	}
	if !file.Migrations["fyneDo"] {
		t.Error("FyneApp.toml must switch the fyneDo migration on")
	}
}
