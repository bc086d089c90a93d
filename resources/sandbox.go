package resources

import "embed"

// SandboxPages holds pages/sandbox/*: the pages of the pretend providers and
// their style sheet, read by internal/sandbox.
//
//go:embed pages/sandbox
var SandboxPages embed.FS
