package cli

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync"
)

// lineReader reads lines of bounded length. A secret on the first line of
// standard input and addresses on those after it come through the same reader,
// so that its buffer swallows none of them.
type lineReader struct {
	once   sync.Once
	reader *bufio.Reader
}

// next gives the next line without its end. What is beyond limit bytes of it
// is dropped. The last line may lack its end; then comes io.EOF.
func (l *lineReader) next(in io.Reader, limit int) (string, error) {
	l.once.Do(func() { l.reader = bufio.NewReader(in) })
	var line strings.Builder
	read := false
	for {
		part, err := l.reader.ReadSlice('\n')
		read = read || len(part) > 0
		if room := limit - line.Len(); room > 0 {
			line.Write(part[:min(room, len(part))])
		}
		switch {
		case err == nil:
			return strings.TrimRight(line.String(), "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && read:
			return strings.TrimRight(line.String(), "\r\n"), nil
		default:
			return "", err
		}
	}
}
