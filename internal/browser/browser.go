package browser

import (
	"context"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func Open(ctx context.Context, url string) error       { return problem.New(problem.BrowserFailed) }
func OpenFolder(ctx context.Context, dir string) error { return problem.New(problem.BrowserFailed) }
func Default(ctx context.Context) string               { return "" }

type Window struct{ done chan struct{} }

func FindSeparate() (program string, ok bool) { return "", false }
func OpenWindow(ctx context.Context, program, url, redirectURI string, offer func(rawQuery secret.Text) bool) (*Window, error) {
	return nil, problem.New(problem.BrowserAbsent)
}
func (w *Window) Done() <-chan struct{} { return w.done }
func (w *Window) Err() error            { return nil }
func (w *Window) Close() error          { return nil }
