package ui

import (
	"slices"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// made is the answer to "When was it made?".
type made int

const (
	madeToday made = iota
	madeEarlier
	madeUnknown
)

// issuedOf is what the core is told of when a token was made, nil for nothing.
// Today counts from this minute: then it is never taken for older than it is,
// and is not sent to be renewed too early. Earlier has no day; the renewal that
// follows at once makes one.
func issuedOf(m made, now time.Time) *time.Time {
	if m != madeToday {
		return nil
	}
	return &now
}

// pasteState is all that the screen "Paste a token" depends on. The pasted text
// is not in it.
type pasteState struct {
	// Filled: there is something in the field.
	Filled bool
	// Shape is what was seen on this computer; Prefix its first letters.
	Shape  connect.Shape
	Prefix string
	// Asking: the provider is being asked; Slow: for more than 2 s.
	Asking, Slow bool
	// Found is the answer. Problem is why there is none; Stopped: the person
	// did not want to wait.
	Found   *connect.Inspected
	Problem *problem.Problem
	Stopped bool
	// Told is how many lines of the answer are in sight: they come one by one.
	Told int
	Made made
	// Pick is the account that is meant, by its id at the provider, where the
	// token reaches several.
	Pick string
	// NeverRenews: renewing by itself is switched off in the settings.
	NeverRenews bool
	// Saving, and for more than 2 s; Waits: the keychain may be asking.
	Saving, SavingSlow, Waits bool
	// NotSaved is why it could not be kept.
	NotSaved *problem.Problem
	// Program is what keeps tokens; Provider is the definition of the shape's.
	Program  string
	Provider provider.Definition
	Now      time.Time
}

// pasteDo is what a link in a line does.
type pasteDo int

const (
	pasteNothing pasteDo = iota
	pasteAgain
	pasteStop
	pasteHow
	pasteOpen
)

// pasteLine is one thing that was found.
type pasteLine struct {
	Tone tone
	// Icon is empty for the tone's own, or one of: clock, renew, info.
	Icon        string
	Title, Line string
	Link        string
	Do          pasteDo
}

// pasteModel is the screen "Paste a token".
type pasteModel struct {
	// Note stands beside "What we found"; there is no such title without lines.
	Note  string
	Lines []pasteLine
	// Which are the accounts to choose from, where the token reaches several,
	// and those that it does not reach.
	Which []chooseRow
	// When: the person is asked when it was made.
	When bool
	// Promise is what happens next.
	Promise string
	// Keep: it can be kept now.
	Keep bool
	// Status is a sentence in the foot while it is being saved.
	Status string
	// Notice says why it was not saved.
	Notice *text.Told
}

// pasteAnswers is the most lines that an answer has.
const pasteAnswers = 4

// presentPaste renders it.
func presentPaste(c *text.Catalogue, p pasteState) pasteModel {
	var m pasteModel
	if !p.Filled {
		return m
	}
	name := p.Provider.Name
	if name == "" {
		name = c.Say("paste.the_provider")
	}
	named := text.Args{"provider": name}
	m.Lines = []pasteLine{shapeLine(c, p, named)}
	m.Note = c.Say("paste.note_here")
	if p.Shape.Problem != nil {
		return m
	}
	m.Note = c.Say("paste.note", named)
	switch {
	case p.Asking:
		line := pasteLine{Tone: toneNeutral, Icon: "clock", Title: c.Say("paste.asking", named)}
		if p.Slow {
			line.Line = c.Say("paste.asking_slow")
		}
		line.Link, line.Do = c.Say("paste.stop"), pasteStop
		m.Lines = append(m.Lines, line)
		return m
	case p.Stopped:
		m.Lines = append(m.Lines, pasteLine{Tone: toneNeutral, Icon: "info", Title: c.Say("paste.stopped"), Line: c.Say("paste.whose"), Link: c.Action(problem.TryAgain), Do: pasteAgain})
		return m
	case p.Problem != nil:
		told := c.Tell(p.Problem)
		m.Lines = append(m.Lines, pasteLine{Tone: toneWarning, Title: told.Title, Line: told.Advice + " " + c.Say("paste.whose"), Link: c.Action(problem.TryAgain), Do: pasteAgain})
		return m
	case p.Found == nil:
		return m
	}
	found := answerLines(c, p, named)
	m.Lines = append(m.Lines, found[:min(max(0, p.Told), len(found))]...)
	if p.Told < len(found) || !keepable(p.Found) || sameToken(p.Found) {
		return m
	}
	m.When = true
	m.Promise = promise(c, p, named)
	m.Keep = !p.Saving
	if several(p.Found) {
		m.Which = presentChoices(c, p.Found.Choices)
		if m.Keep = m.Keep && p.Pick != ""; p.Pick == "" {
			m.Status = c.Say("paste.which_first")
		}
	}
	if p.Saving {
		switch {
		case p.Waits:
			m.Status = c.Say("connect.wait.preparing_vault")
		case p.SavingSlow:
			m.Status = c.Say("connect.wait.saving", text.Args{"program": p.Program})
		}
	}
	if p.NotSaved != nil {
		told := c.Tell(p.NotSaved)
		m.Notice = &told
	}
	return m
}

// keepable reports whether the provider said that it works, and whose it is or
// can be.
func keepable(f *connect.Inspected) bool {
	return several(f) || f != nil && f.Works && f.Problem == nil && f.Person != nil
}

// several reports whether it stands for a person with several accounts, of
// which one has to be named.
func several(f *connect.Inspected) bool {
	return f != nil && f.Works && f.Problem != nil && f.Problem.Key == problem.ImportSeveral && reachableIn(f.Choices) > 1
}

func reachableIn(choices []connect.Choice) int {
	n := 0
	for _, one := range choices {
		if one.Reachable {
			n++
		}
	}
	return n
}

// sameToken: it is the one that is kept here already. Its end is known from
// here; no provider tells a pasted token's.
func sameToken(f *connect.Inspected) bool { return f.Known != nil && f.ExpiresAt != nil }

// shapeLine is what a look at the text itself showed.
func shapeLine(c *text.Catalogue, p pasteState, named text.Args) pasteLine {
	switch shape := p.Shape; {
	case shape.Kind == "basic_display":
		return pasteLine{Tone: toneError, Title: c.Say("paste.old"), Line: c.Say("paste.old_line"), Link: c.Say("paste.old_how"), Do: pasteHow}
	case shape.Problem != nil:
		told := c.Tell(shape.Problem)
		line := pasteLine{Tone: toneError, Title: told.Title, Line: told.Happened + " " + told.Advice}
		if shape.Kind == "unknown" || shape.Kind == "code" {
			line.Tone = toneWarning
		}
		return line
	case shape.Practice:
		return pasteLine{Tone: toneFine, Title: c.Say("paste.practice"), Line: c.Say("paste.starts", text.Args{"prefix": p.Prefix})}
	case shape.Provider == "":
		return pasteLine{Tone: toneNeutral, Icon: "info", Title: c.Say("paste.unclear"), Line: c.Say("paste.unclear_line")}
	}
	return pasteLine{Tone: toneFine, Title: c.Say("paste.current", named), Line: c.Say("paste.starts", text.Args{"prefix": p.Prefix})}
}

// answerLines is what the provider answered, at most pasteAnswers lines.
func answerLines(c *text.Catalogue, p pasteState, named text.Args) []pasteLine {
	f := p.Found
	if !keepable(f) {
		why := f.Problem
		if why == nil {
			why = problem.New(problem.TokenRefused, "provider", p.Provider.Name)
		}
		told := c.Tell(why)
		line := pasteLine{Tone: toneError, Title: told.Title, Line: told.Happened + " " + told.Advice}
		if slices.Contains(why.Actions(), problem.TryAgain) {
			line.Tone, line.Line = toneWarning, told.Advice+" "+c.Say("paste.whose")
			line.Link, line.Do = c.Action(problem.TryAgain), pasteAgain
		}
		return []pasteLine{line}
	}
	if several(f) {
		return append([]pasteLine{{Tone: toneFine, Title: c.Count("paste.several", reachableIn(f.Choices)), Line: c.Say("paste.several_line", named)}}, lifeLines(c, p, named)...)
	}
	who := "@" + f.Person.Username
	lines := []pasteLine{{Tone: toneFine, Title: c.Say("paste.works", text.Args{"username": who}), Line: kindOf(c, connect.Account{Kind: f.Person.Kind}, false)}}
	if sameToken(f) {
		return append(lines, pasteLine{Tone: toneFine, Title: c.Say("paste.same", text.Args{"username": who}), Line: c.Say("paste.same_line"), Link: c.Say("paste.known_open"), Do: pasteOpen})
	}
	if f.Known != nil {
		lines = append(lines, pasteLine{Tone: tonePrimary, Icon: "info", Title: c.Say("paste.known", text.Args{"username": who}), Line: c.Say("paste.known_line"), Link: c.Say("paste.known_open"), Do: pasteOpen})
	}
	return append(lines, lifeLines(c, p, named)...)
}

// lifeLines say how long it will last.
func lifeLines(c *text.Catalogue, p pasteState, named text.Args) []pasteLine {
	var lines []pasteLine
	if p.Provider.Renew.Empty() {
		lines = append(lines, pasteLine{Tone: toneNeutral, Icon: "info", Title: c.Say("paste.not_renewed"), Line: c.Say("paste.not_renewed_line")})
	} else {
		lines = append(lines, pasteLine{Tone: toneFine, Title: c.Say("paste.renewed"), Line: c.Say("paste.renewed_line")})
	}
	return append(lines, pasteLine{Tone: toneNeutral, Icon: "clock", Title: c.Say("paste.end_unknown", named), Line: c.Say("paste.end_unknown_line")})
}

// promise says when it will be renewed, where it will.
func promise(c *text.Catalogue, p pasteState, named text.Args) string {
	switch {
	case p.Provider.Renew.Empty():
		return ""
	case p.NeverRenews:
		return c.Say("paste.promise_off")
	case p.Made == madeToday:
		return c.Say("paste.promise_tomorrow")
	case p.Made == madeEarlier:
		return c.Say("paste.promise_now")
	}
	return c.Say("paste.promise_try", named)
}
