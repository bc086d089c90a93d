package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type problemObject struct {
	Kind            problem.Kind `json:"kind"`
	Key             problem.Key  `json:"key"`
	Title           string       `json:"title"`
	Advice          string       `json:"advice"`
	ProviderMessage string       `json:"provider_message"`
}

type failedLine struct {
	Event   string        `json:"event"`
	Problem problemObject `json:"problem"`
}

func (p *program) problemObject(failed *problem.Problem) problemObject {
	told := p.words(failed)
	return problemObject{Kind: failed.Kind, Key: failed.Key, Title: told.Title, Advice: told.Advice, ProviderMessage: failed.Provider}
}

// words tells a problem as the table does, but for what a prompt says in
// another way: there is no next field here, and no list to choose from.
func (p *program) words(failed *problem.Problem) text.Told {
	told := p.say.Tell(failed)
	key := string(failed.Key)
	if reason := failed.Args["reason"]; reason != "" && p.say.Has("problem."+key+"."+reason+".title") {
		return told
	}
	args := text.Args{}
	for name, value := range failed.Args {
		args[name] = value
	}
	for name, sentence := range map[string]*string{"title": &told.Title, "happened": &told.Happened, "advice": &told.Advice} {
		if own := "cli.told." + key + "." + name; p.say.Has(own) {
			*sentence = p.say.Say(own, args)
		}
	}
	return told
}

// object writes one line of JSON to standard output.
func (p *program) object(value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	// A reader that went away (`| head -1`) is not our failure.
	_ = encoder.Encode(value)
}

// note writes one paragraph for people to standard error.
func (p *program) note(paragraph string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearCountdown()
	_, _ = fmt.Fprintln(p.err, paragraph)
}

// result writes what a command was run for, in people's words.
func (p *program) result(paragraph string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearCountdown()
	_, _ = fmt.Fprintln(p.resultStream(), paragraph)
}

func (p *program) resultStream() io.Writer {
	if p.json {
		return p.err
	}
	return p.out
}

// table writes rows in columns; the first row is the head.
func (p *program) table(rows [][]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearCountdown()
	w := tabwriter.NewWriter(p.resultStream(), 0, 8, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.ReplaceAll(cell, "\t", " ")
		}
		_, _ = fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush()
}

// complain tells a problem on standard error.
func (p *program) complain(failed *problem.Problem) {
	told := p.words(failed)
	lines := []string{"tokenkeepctl: " + told.Title}
	for _, line := range []string{told.Happened, told.Advice} {
		if line != "" {
			lines = append(lines, "  "+line)
		}
	}
	if failed.Provider != "" {
		lines = append(lines, "  "+p.say.Say("cli.provider_said", one("message", failed.Provider)))
	}
	p.note(strings.Join(lines, "\n"))
}

// warn tells something to know about a success.
func (p *program) warn(about *problem.Problem) {
	told := p.words(about)
	p.note(strings.TrimSpace(told.Title + "\n  " + told.Happened + "\n  " + told.Advice))
}

// countdown shows the time that is left in place of the last one. It is not
// called unless standard error is a terminal.
func (p *program) countdown(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clearCountdown()
	_, _ = fmt.Fprint(p.err, line)
	p.ticking = line
}

func (p *program) clearCountdown() {
	if p.ticking == "" {
		return
	}
	p.ticking = ""
	_, _ = fmt.Fprint(p.err, "\r\x1b[K")
}

// handle is how an account is called in a sentence. Names come from outside.
func (p *program) handle(a connect.Account) string {
	if a.Username == "" {
		return a.ID
	}
	return "@" + problem.Outside(a.Username, 80)
}

// ends says until when a token is good, in words.
func (p *program) ends(end *time.Time) string {
	if end == nil {
		return p.say.Say("cli.end_unknown")
	}
	left := end.Sub(p.now())
	switch {
	case left <= 0:
		return p.say.Say("cli.ended", one("date", p.say.Date(end.Local())))
	case left < time.Hour:
		return p.say.Count("cli.minutes_left", int((left+time.Minute-1)/time.Minute))
	case left < 24*time.Hour:
		return p.say.Count("cli.hours_left", int((left+time.Hour-1)/time.Hour))
	default:
		return p.say.Date(end.Local())
	}
}

// until is ends for a sentence that says until when: a moment, not a rest.
func (p *program) until(end *time.Time) string {
	if end == nil || end.Sub(p.now()) <= 0 || end.Sub(p.now()) >= 24*time.Hour {
		return p.ends(end)
	}
	return p.say.Moment(end.Local(), p.now().Local())
}

// one is text.Args with one entry; most sentences have one blank.
func one(name string, value any) text.Args { return text.Args{name: value} }
