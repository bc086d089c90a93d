// Package resources embeds what is data and not code: sentences, provider
// definitions, pages, icons and illustrations. It has no opinion on any of it;
// each folder has one reader (text, provider, redirect and sandbox, ui).
package resources

import "embed"

var (
	// Translations holds translations/<language>/<room>.toml, read by internal/text.
	//go:embed translations
	Translations embed.FS

	// Art holds the illustrations (art/*.svg) and the program's icon (icon/*).
	//go:embed art icon
	Art embed.FS
)
