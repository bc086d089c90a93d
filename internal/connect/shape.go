package connect

import (
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Shape is what a pasted text looks like, without asking anybody.
type Shape struct {
	// Token is the text without what came along when it was copied.
	Token secret.Text
	// Provider is a definition's id, empty when the shape does not tell.
	Provider string
	// Kind is one of user, page_or_user, app, code, basic_display, unknown.
	Kind     string
	Living   bool
	Practice bool
	// Problem is why it cannot be taken, nil when it can.
	Problem *problem.Problem
}

// Read tells a token's kind from its shape, on this computer.
func Read(text secret.Text) Shape {
	return Shape{Token: text, Kind: "unknown", Problem: problem.New(problem.Unexpected, "where", "connect.read")}
}
