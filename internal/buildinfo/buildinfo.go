// Package buildinfo says who we are. It is the one place for the product's
// name, id and version; FyneApp.toml repeats them for packagers and a test
// holds the two equal, because a built binary does not find that file.
package buildinfo

const (
	// Name is the product's name as people read it.
	Name = "Tokenkeep"
	// ID is the reverse-DNS application id. It is also the keychain service
	// under which every secret of a real (not practice) library lies.
	ID = "io.github.tokenkeep.Tokenkeep"
	// Version is the semantic version, without a leading "v".
	Version = "0.1.0"
	// Build counts packaged builds of a version, from 1.
	Build = 1
	// Website is where people find help.
	Website = "https://github.com/tokenkeep/tokenkeep"
)
