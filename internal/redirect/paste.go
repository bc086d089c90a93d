package redirect

import (
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func ReadPaste(text, uri string) (rawQuery secret.Text, err error) {
	return secret.Text{}, problem.New(problem.PasteNoCode)
}
