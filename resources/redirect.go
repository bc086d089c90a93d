package resources

import "embed"

// RedirectPages holds pages/redirect/: the one page that the browser shows
// after the redirect and its style, filled in by internal/redirect.
//
//go:embed pages/redirect
var RedirectPages embed.FS
