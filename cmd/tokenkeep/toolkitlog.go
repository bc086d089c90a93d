package main

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"sync"
)

// needsDisplay: this system's windows live on a display that an environment
// variable names.
const needsDisplay = runtime.GOOS != "windows" && runtime.GOOS != "darwin"

// toolkitLog takes what the toolkit writes through the standard logger. It is
// the only sign of a window that could not be made, so it is watched for that;
// known noise is dropped, and of the rest the toolkit's own short headline is
// kept: its causes quote addresses and files, which may carry what must not be
// printed.
type toolkitLog struct {
	to     io.Writer
	failed func(reason string)

	mu   sync.Mutex
	once sync.Once
}

// fatal are the toolkit's headlines after which no window will ever be there,
// each with the reason to tell.
var fatal = map[string]string{
	"window creation error":       "opengl",
	"failed to initialise OpenGL": "opengl",
	"failed to initialise GLFW":   "display",
}

// noise says nothing about us: the toolkit's own files and the system's locale.
var noise = []string{"Preferences load error", "Error parsing user locale", "Translation failure", "Failed to create fyne cache space", "Failed to create app cache space"}

const headline = "Fyne error:"

func (l *toolkitLog) Write(p []byte) (int, error) {
	line := string(bytes.TrimSpace(p))
	for f, reason := range fatal {
		if strings.Contains(line, f) {
			l.once.Do(func() { l.failed(reason) })
			return len(p), nil
		}
	}
	if !strings.HasPrefix(line, headline) {
		return len(p), nil
	}
	for _, n := range noise {
		if strings.Contains(line, n) {
			return len(p), nil
		}
	}
	if len(line) > 160 {
		line = line[:160]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.to, line+"\n")
	return len(p), nil
}
