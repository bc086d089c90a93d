package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// maxSecret bounds what is read as a client secret, in bytes. It is above what
// the core takes, so that the core is the one to say "too long".
const maxSecret = 4096

// readSecret reads the secret that --client-secret-file names: the first line
// of standard input for "-", else a file that nobody but its owner can read.
func (p *program) readSecret(ctx context.Context, name string) (secret.Text, error) {
	if name == "-" {
		if p.canAsk() {
			return p.askSecret(ctx, false)
		}
		line, err := p.lines.next(p.in, maxSecret)
		if err != nil && !errors.Is(err, io.EOF) {
			return secret.Text{}, problem.New(problem.SecretFileMissing, "file", "-").Because(err)
		}
		return secretFrom(line)
	}
	raw, err := p.readOwn(name, maxSecret)
	if err != nil {
		return secret.Text{}, err
	}
	return secretFrom(raw)
}

// readOwn reads up to limit bytes of a file that nobody but its owner can read.
func (p *program) readOwn(name string, limit int64) (string, error) {
	f, err := os.Open(name)
	shown := problem.Outside(name, 200)
	if err != nil {
		return "", problem.New(problem.SecretFileMissing, "file", shown).Because(err)
	}
	defer f.Close()
	// The open file is looked at and not its name, so that the file cannot be
	// exchanged in between.
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return "", problem.New(problem.SecretFileMissing, "file", shown).Because(err)
	}
	// Windows has no such bits; what it reports there says nothing.
	if runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return "", problem.New(problem.SecretFileOpen, "file", shown)
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return "", problem.New(problem.SecretFileMissing, "file", shown).Because(err)
	}
	return string(raw), nil
}

// maxToken bounds what is read as a pasted token, in bytes: far above any, so
// that the core is the one to say "too long".
const maxToken = 64 << 10

// readToken reads the token that --token-file names, all of it, because a token
// may have been broken into lines when it was copied; without a file it is
// asked for on a terminal.
func (p *program) readToken(ctx context.Context, command, name string) (secret.Text, error) {
	var raw string
	var err error
	switch {
	case (name == "" || name == "-") && p.canAsk():
		p.prompt(p.say.Say("cli.ask_token"))
		raw, err = p.password(ctx, p.in)
		p.note("")
	case name == "-":
		var all []byte
		if all, err = io.ReadAll(io.LimitReader(p.in, maxToken)); err != nil {
			err = problem.New(problem.SecretFileMissing, "file", "-").Because(err)
		}
		raw = string(all)
	case name != "":
		raw, err = p.readOwn(name, maxToken)
	}
	if err != nil {
		return secret.Text{}, err
	}
	if strings.TrimSpace(raw) == "" {
		return secret.Text{}, usage("token_missing", "command", command)
	}
	return secret.New(raw), nil
}

func secretFrom(raw string) (secret.Text, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return secret.Text{}, problem.New(problem.SecretMissing)
	}
	return secret.New(raw), nil
}

// secretOptional tells whether a provider takes apps that have no secret.
func secretOptional(s service, id string) bool {
	d, known := definitionOf(s, id)
	return known && (d.Exchange.Public || !d.Exchange.Secret)
}

// askSecret asks for the secret on a terminal, without echo. An empty answer
// is one where a secret is optional.
func (p *program) askSecret(ctx context.Context, optional bool) (secret.Text, error) {
	if optional {
		p.note(p.say.Say("cli.ask_secret_optional"))
	}
	p.prompt(p.say.Say("cli.ask_secret"))
	line, err := p.password(ctx, p.in)
	p.note("")
	if err != nil || optional && strings.TrimSpace(line) == "" {
		return secret.Text{}, err
	}
	return secretFrom(line)
}

// prompt leaves the cursor behind the question.
func (p *program) prompt(question string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.err, question+" ")
}
