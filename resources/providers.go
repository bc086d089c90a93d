package resources

import "embed"

// Providers holds providers/<id>.toml, one definition a file, read by
// internal/provider.
//
//go:embed providers
var Providers embed.FS
