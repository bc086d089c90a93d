package secret

import (
	"context"
	"fmt"
	"log/slog"
)

// NewHandler wraps next so that no known secret reaches it: not in the
// message, not in attribute values, not inside an error or any other value
// that is logged by its text (security.md SEC-4).
func NewHandler(next slog.Handler, known *Known) slog.Handler {
	return &handler{next: next, known: known}
}

type handler struct {
	next  slog.Handler
	known *Known
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, h.known.Scrub(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.clean(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	cleaned := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		cleaned[i] = h.clean(a)
	}
	return &handler{next: h.next.WithAttrs(cleaned), known: h.known}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{next: h.next.WithGroup(name), known: h.known}
}

func (h *handler) clean(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindGroup:
		group := value.Group()
		cleaned := make([]slog.Attr, len(group))
		for i, member := range group {
			cleaned[i] = h.clean(member)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(cleaned...)}
	case slog.KindString:
		return slog.String(a.Key, h.known.Scrub(value.String()))
	case slog.KindAny:
		// Errors and structs become text here and not in the next handler,
		// because an encoder that reflects would step around the scrubbing.
		return slog.String(a.Key, h.known.Scrub(fmt.Sprint(value.Any())))
	default:
		return a
	}
}
