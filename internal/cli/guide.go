package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// freshDays is how long a recipe is trusted without a word: dashboards change
// about as often (ux.md 5.9).
const freshDays = 120

type guideOptions struct{ Recipe, Provider string }

func (p *program) guideCommand(run func(context.Context, guideOptions) error) *cobra.Command {
	var o guideOptions
	cmd := p.command("guide", "guide", "")
	cmd.Use = "guide [RECIPE]"
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usage("argument_extra", "command", cmd.CommandPath())
		}
		return nil
	}
	cmd.ValidArgsFunction = p.completeArgument(func() []string {
		return p.library(func(_ context.Context, s service) []string { return recipeNames(recipesOf(s, o.Provider)) })
	})
	cmd.Flags().StringVar(&o.Provider, "provider", "", p.say.Say("cli.guide.flag.provider"))
	complete(cmd, "provider", p.providerIDs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			o.Recipe = args[0]
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

// located is a recipe with the provider that it belongs to.
type located struct {
	provider.Recipe
	of provider.Definition
}

// recipesOf lists the recipes of one provider, or of all.
func recipesOf(s service, id string) []located {
	var all []located
	for _, d := range s.Providers() {
		if id != "" && d.ID != id {
			continue
		}
		for _, r := range d.Recipes {
			all = append(all, located{r, d})
		}
	}
	return all
}

func recipeNames(recipes []located) []string {
	var names []string
	for _, r := range recipes {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

type recipeLine struct {
	Event    string `json:"event"`
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Title    string `json:"title"`
	Line     string `json:"line"`
	URL      string `json:"url"`
	Checked  string `json:"checked"`
	// Days since then; Stale from freshDays on.
	Days  int      `json:"days"`
	Stale bool     `json:"stale"`
	Steps []string `json:"steps"`
}

type stepLine struct {
	Event   string       `json:"event"`
	Recipe  string       `json:"recipe"`
	Step    int          `json:"step"`
	Name    string       `json:"name"`
	Title   string       `json:"title"`
	Line    string       `json:"line"`
	Warn    string       `json:"warn"`
	URL     string       `json:"url"`
	Layouts []layoutLine `json:"layouts"`
	Todo    []string     `json:"todo"`
	Copy    []copyLine   `json:"copy"`
	Paste   []string     `json:"paste"`
	Look    string       `json:"look"`
	// Command does here what the step ends in, empty where nothing does.
	Command string `json:"command"`
}

type layoutLine struct {
	Name string   `json:"name"`
	Path []string `json:"path"`
}

// copyLine is a value that goes into the dashboard; Text is empty where only
// the person knows it.
type copyLine struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

func (p *program) guide(ctx context.Context, o guideOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	if o.Provider != "" {
		if _, known := definitionOf(s, o.Provider); !known {
			return problem.New(problem.ProviderUnknown, "provider", problem.Outside(o.Provider, 60), "known", strings.Join(idsOf(s), ", "))
		}
	}
	recipes := recipesOf(s, o.Provider)
	if o.Recipe == "" {
		p.listRecipes(recipes)
		return nil
	}
	i := slices.IndexFunc(recipes, func(r located) bool { return r.Name == o.Recipe })
	if i < 0 {
		return usage("recipe_unknown", "command", programName+" guide", "names", strings.Join(recipeNames(recipes), ", "))
	}
	p.printRecipe(recipes[i])
	return nil
}

func (p *program) listRecipes(recipes []located) {
	rows := [][]string{p.heads("name", "recipe", "steps", "checked", "provider")}
	for _, r := range recipes {
		line := p.recipeLine(r)
		if p.json {
			p.object(line)
			continue
		}
		rows = append(rows, []string{line.Name, line.Title, strconv.Itoa(len(line.Steps)), p.checked(line), line.Provider})
	}
	switch {
	case p.json:
	case len(recipes) == 0:
		p.note(p.say.Say("cli.guide.none"))
	default:
		p.table(rows)
		p.note(p.say.Say("cli.guide.read"))
	}
}

func (p *program) recipeLine(r located) recipeLine {
	line := recipeLine{
		Event: "recipe", Name: r.Name, Provider: r.of.ID, URL: r.URL, Checked: r.Checked,
		Title: p.sayOr("guide.recipe."+r.Name+".title", r.Name), Line: p.sayOr("guide.recipe."+r.Name+".line", ""),
	}
	if day, err := time.Parse(time.DateOnly, r.Checked); err == nil {
		line.Days = max(int(p.now().Sub(day)/(24*time.Hour)), 0)
		line.Stale = line.Days > freshDays
	}
	for _, step := range r.Steps {
		line.Steps = append(line.Steps, step.Name)
	}
	return line
}

// checked says when somebody last compared a recipe with its pages.
func (p *program) checked(line recipeLine) string {
	day, err := time.Parse(time.DateOnly, line.Checked)
	switch {
	case err != nil:
		return p.say.Say("cli.none")
	case line.Stale:
		return p.say.Count("cli.guide.stale", line.Days)
	default:
		return p.say.Date(day)
	}
}

// sayOr speaks a sentence that a person's own recipe may not have.
func (p *program) sayOr(key, otherwise string) string {
	if p.say.Has(key) {
		return p.say.Say(key)
	}
	return problem.Outside(otherwise, 200)
}

// maxTodo is how many things a step can ask to be done: todo1 to todo6.
const maxTodo = 6

func (p *program) stepLine(r located, at int) stepLine {
	step := r.Steps[at]
	key := "guide.step." + r.Name + "." + step.Name + "."
	line := stepLine{
		Event: "step", Recipe: r.Name, Step: at + 1, Name: step.Name, URL: step.URL,
		Title: p.sayOr(key+"title", step.Name), Line: p.sayOr(key+"line", ""), Warn: p.sayOr(key+"warn", ""), Look: p.sayOr(key+"look", ""),
		Command: commandOf(r, step), Layouts: []layoutLine{}, Todo: []string{}, Copy: []copyLine{}, Paste: append([]string{}, step.Paste...),
	}
	for i := 1; i <= maxTodo; i++ {
		if todo := p.sayOr(key+"todo"+strconv.Itoa(i), ""); todo != "" {
			line.Todo = append(line.Todo, todo)
		}
	}
	for _, layout := range step.Layouts {
		line.Layouts = append(line.Layouts, layoutLine{Name: layout.Name, Path: append([]string{}, layout.Path...)})
	}
	for _, value := range step.Copy {
		c := copyLine{Value: value}
		if strings.HasPrefix(value, "redirect_uri") {
			c.Text = r.of.Redirect.Default
		}
		line.Copy = append(line.Copy, c)
	}
	return line
}

// commandOf is what of ours goes with a step: what its values are given to, or
// what it asks to be started.
func commandOf(r located, step provider.RecipeStep) string {
	takes := func(value string) bool { return slices.Contains(step.Paste, value) }
	switch {
	case takes("client_id"):
		return programName + " app add --name NAME --provider " + r.of.ID + " --client-id ID"
	case takes("token"):
		return programName + " import --provider " + r.of.ID
	case takes("config_id"):
		return programName + " app add --name NAME --provider " + r.of.ID + " --client-id ID --config-id ID"
	case step.Test == "sign_in":
		return programName + " connect --app NAME"
	case step.Test != "" && step.URL == "":
		return programName + " doctor --app NAME"
	}
	return ""
}

func (p *program) printRecipe(r located) {
	about := p.recipeLine(r)
	if p.json {
		p.object(about)
		for i := range r.Steps {
			p.object(p.stepLine(r, i))
		}
		return
	}
	lines := []string{about.Title}
	if about.Line != "" {
		lines = append(lines, about.Line)
	}
	if about.Stale {
		lines = append(lines, p.checked(about))
	} else if about.Checked != "" {
		lines = append(lines, p.say.Say("cli.guide.checked", one("date", p.checked(about))))
	}
	for i := range r.Steps {
		lines = append(lines, "", p.stepWords(p.stepLine(r, i)))
	}
	p.result(strings.Join(lines, "\n"))
}

func (p *program) stepWords(step stepLine) string {
	lines := []string{fmt.Sprintf("%d. %s", step.Step, step.Title)}
	add := func(text string) {
		if text != "" {
			lines = append(lines, "   "+text)
		}
	}
	add(step.Line)
	if step.Warn != "" {
		add(p.say.Say("cli.guide.careful", one("warning", step.Warn)))
	}
	if step.URL != "" {
		add(p.say.Say("cli.guide.page", one("url", step.URL)))
	}
	// Two menus that lead the same way are one.
	same := len(step.Layouts) > 0
	for _, layout := range step.Layouts {
		same = same && slices.Equal(layout.Path, step.Layouts[0].Path)
	}
	for i, layout := range step.Layouts {
		path := problem.Outside(strings.Join(layout.Path, " > "), 500)
		switch {
		case !same:
			add(p.sayOr("guide.layout."+layout.Name, layout.Name) + ": " + path)
		case i == 0:
			add(p.say.Say("cli.guide.menu", one("path", path)))
		}
	}
	for _, todo := range step.Todo {
		add("- " + todo)
	}
	for _, value := range step.Copy {
		what := p.sayOr("cli.guide.value."+value.Value, value.Value)
		if value.Text != "" {
			what += ": " + value.Text
		}
		add(p.say.Say("cli.guide.copy", one("what", what)))
	}
	var taken []string
	for _, value := range step.Paste {
		if slices.ContainsFunc(step.Copy, func(c copyLine) bool { return c.Value == value }) {
			// It is typed here only to be copied into the page.
			continue
		}
		taken = append(taken, p.sayOr("cli.guide.value."+value, value))
	}
	if len(taken) > 0 {
		add(p.say.Say("cli.guide.paste", one("what", strings.Join(taken, ", "))))
	}
	if step.Command != "" {
		add(p.say.Say("cli.guide.command", one("command", step.Command)))
	}
	if len(step.Layouts) > 0 && step.Look != "" {
		add(p.say.Say("cli.guide.look", one("look", step.Look)))
	}
	return strings.Join(lines, "\n")
}

// definitionOf finds a provider among those in use.
func definitionOf(s service, id string) (provider.Definition, bool) {
	all := s.Providers()
	i := slices.IndexFunc(all, func(d provider.Definition) bool { return d.ID == id })
	if i < 0 {
		return provider.Definition{}, false
	}
	return all[i], true
}

func idsOf(s service) []string {
	var ids []string
	for _, d := range s.Providers() {
		ids = append(ids, d.ID)
	}
	return ids
}

// way is the step of a recipe that mends a problem.
type way struct {
	Action   problem.Action `json:"action"`
	Provider string         `json:"provider"`
	Recipe   string         `json:"recipe"`
	Step     int            `json:"step"`
	title    string
}

// wayOut finds the step of the provider's recipes to which a problem leads.
func (p *program) wayOut(d provider.Definition, failed *problem.Problem) *way {
	for _, action := range failed.Actions() {
		if recipe, at, ok := d.RecipeFor(action); ok {
			return &way{
				Action: action, Provider: d.ID, Recipe: recipe.Name, Step: at + 1,
				title: p.sayOr("guide.step."+recipe.Name+"."+recipe.Steps[at].Name+".title", recipe.Steps[at].Name),
			}
		}
	}
	return nil
}

// wayWords say where that step is read.
func (p *program) wayWords(w *way) string {
	return p.say.Say("cli.guide.way", text.Args{"command": programName + " guide " + w.Recipe, "n": strconv.Itoa(w.Step), "title": w.title})
}
