// Package text is the one catalogue of sentences, for the window, the command
// line and the page that the browser shows after the redirect. Nobody else in
// the program has a sentence. The language is an argument, never a global, so
// one process can speak two (the window German, the browser's page English).
//
// Sentences lie in resources/translations/<language>/<room>.toml; the rooms
// are merged, so that a screen and its words can be changed together. English
// is complete by definition; a sentence that another language lacks appears in
// English, and a test says which. Arguments are values inside a template, text
// from outside never is one.
package text

import (
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/resources"
)

// Args are the values of a sentence's placeholders, by name.
type Args map[string]any

// Catalogue speaks one language. It is safe for concurrent use.
type Catalogue struct {
	language string
	localize *i18n.Localizer
}

// Languages lists the languages that there are, English first.
func Languages() []string {
	entries, err := fs.ReadDir(resources.Translations, "translations")
	if err != nil {
		panic("text: the embedded translations are gone: " + err.Error())
	}
	languages := []string{"en"}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "en" {
			languages = append(languages, e.Name())
		}
	}
	sort.Strings(languages[1:])
	return languages
}

// bundles holds one bundle a language, each with English beneath it, made when
// it is first spoken: a window pays at its start for the words that it shows.
var bundles sync.Map // string to func() (*i18n.Bundle, error)

func bundleOf(lang string) (*i18n.Bundle, error) {
	make, _ := bundles.LoadOrStore(lang, sync.OnceValues(func() (*i18n.Bundle, error) {
		b := i18n.NewBundle(language.English)
		b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
		if err := load(b, "en"); err != nil || lang == "en" {
			return b, err
		}
		return b, load(b, lang)
	}))
	return make.(func() (*i18n.Bundle, error))()
}

func load(b *i18n.Bundle, lang string) error {
	files, err := fs.Glob(resources.Translations, "translations/"+lang+"/*.toml")
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := fs.ReadFile(resources.Translations, file)
		if err != nil {
			return err
		}
		// go-i18n takes the language from the path it is given.
		room := strings.TrimSuffix(path.Base(file), ".toml")
		if _, err := b.ParseMessageFileBytes(data, room+"."+lang+".toml"); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// For returns the catalogue that fits lang best, a BCP 47 tag or a POSIX
// locale such as "de_AT.UTF-8". What does not fit is English.
func For(lang string) *Catalogue {
	chosen := match(lang)
	b, err := bundleOf(chosen)
	if err != nil {
		// The files are embedded and a test reads them all: this cannot happen
		// in a build that passed.
		panic("text: " + err.Error())
	}
	return &Catalogue{language: chosen, localize: i18n.NewLocalizer(b, chosen, "en")}
}

func match(lang string) string {
	lang, _, _ = strings.Cut(lang, ".")
	lang, _, _ = strings.Cut(lang, "@")
	lang = strings.ReplaceAll(lang, "_", "-")
	want, err := language.Parse(lang)
	if err != nil {
		return "en"
	}
	base, _ := want.Base()
	for _, have := range Languages() {
		if have == base.String() {
			return have
		}
	}
	return "en"
}

// Detect gives the locale that the environment asks for: LC_ALL, LC_MESSAGES,
// LANG, the first that is not empty; "en" without any.
func Detect(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return v
		}
	}
	return "en"
}

// Language is the tag of the language that is really spoken, e.g. "de".
func (c *Catalogue) Language() string { return c.language }

// Say gives the sentence of that key. An unknown key comes back in brackets,
// which a test finds and a person can still report.
func (c *Catalogue) Say(key string, args ...Args) string {
	s, _ := c.find(key, nil, merge(args))
	return s
}

// Count is Say for a sentence that depends on a number; the number is the
// argument "n" in it.
func (c *Catalogue) Count(key string, n int, args ...Args) string {
	merged := merge(args)
	merged["n"] = n
	s, _ := c.find(key, n, merged)
	return s
}

// Has reports whether the catalogue has that key, in English at least.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.find(key, nil, Args{})
	return ok
}

func (c *Catalogue) find(key string, count any, args Args) (string, bool) {
	s, err := c.localize.Localize(&i18n.LocalizeConfig{MessageID: key, PluralCount: count, TemplateData: map[string]any(args)})
	if s != "" {
		return s, true
	}
	if err != nil {
		return "⟦" + key + "⟧", false
	}
	return "", true
}

func merge(args []Args) Args {
	merged := Args{}
	for _, a := range args {
		for k, v := range a {
			merged[k] = v
		}
	}
	return merged
}

// Told is a problem in words: a headline, what happened, and what to do next.
type Told struct{ Title, Happened, Advice string }

// Tell puts a problem into words. Args without a value in p read as empty.
func (c *Catalogue) Tell(p *problem.Problem) Told {
	args := Args{}
	for k, v := range p.Args {
		args[k] = v
	}
	if day, err := time.Parse(time.DateOnly, p.Args["retired"]); err == nil {
		args["retired"] = c.Date(day)
	}
	stem := "problem." + string(p.Key) + "."
	// A variant is a problem with the same key and remedy and another cause.
	if variant := p.Args["reason"]; variant != "" && c.Has(stem+variant+".title") {
		stem += variant + "."
	}
	return Told{Title: c.Say(stem+"title", args), Happened: c.Say(stem+"happened", args), Advice: c.Say(stem+"advice", args)}
}

// Action is the label of the button that does a.
func (c *Catalogue) Action(a problem.Action) string { return c.Say("action." + string(a)) }

// ActionBeside is the label of a's button beside p: some say more there, such
// as the name of the provider to change to.
func (c *Catalogue) ActionBeside(p *problem.Problem, a problem.Action) string {
	key := "action_beside." + string(p.Key) + "." + string(a)
	args := Args{}
	for k, v := range p.Args {
		args[k] = v
	}
	if s, ok := c.find(key, nil, args); ok {
		return s
	}
	return c.Action(a)
}
