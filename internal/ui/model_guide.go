package ui

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// recipeOld is the age in days beyond which a recipe says that the pages may
// have changed.
const recipeOld = 120

// noLayout is the choice of somebody whose menu is none of those we know.
const noLayout = "none"

// guideProgress is what is kept of a recipe: which steps are done and which
// menu the person sees. Never a value that was pasted.
type guideProgress struct {
	Done   []string
	Layout string
}

// guideSetting is the name under which the library keeps a recipe's progress.
func guideSetting(recipe string) string { return "guide-" + recipe }

// encode is the setting's value: "layout|step,step".
func (p guideProgress) encode() string { return p.Layout + "|" + strings.Join(p.Done, ",") }

// readProgress reads a setting; what cannot be read is a new beginning.
func readProgress(setting string) guideProgress {
	layout, done, ok := strings.Cut(setting, "|")
	if !ok {
		return guideProgress{}
	}
	p := guideProgress{Layout: layout}
	for _, name := range strings.Split(done, ",") {
		if name != "" && !slices.Contains(p.Done, name) {
			p.Done = append(p.Done, name)
		}
	}
	return p
}

func (p guideProgress) done(step string) bool { return slices.Contains(p.Done, step) }

// with is p with the step done or not.
func (p guideProgress) with(step string, done bool) guideProgress {
	p.Done = slices.DeleteFunc(slices.Clone(p.Done), func(s string) bool { return s == step })
	if done {
		p.Done = append(p.Done, step)
	}
	return p
}

// count is how many of the recipe's steps are done, and the first that is not;
// the last one where all are.
func (p guideProgress) count(r provider.Recipe) (done, next int) {
	next = -1
	for i, s := range r.Steps {
		if p.done(s.Name) {
			done++
		} else if next < 0 {
			next = i
		}
	}
	if next < 0 {
		next = max(0, len(r.Steps)-1)
	}
	return done, next
}

// dated says when a recipe was last compared with the provider's pages; old
// is set where that is too long ago.
func dated(c *text.Catalogue, checked string, now time.Time) (words string, old bool) {
	day, err := time.ParseInLocation(time.DateOnly, checked, now.Location())
	if err != nil {
		return "", false
	}
	if age := int(now.Sub(day) / (24 * time.Hour)); age > recipeOld {
		return c.Count("help.checked_old", age), true
	}
	return c.Say("help.checked", text.Args{"date": c.Date(day)}), false
}

// recipeRow is an entry of the guide's list.
type recipeRow struct {
	Provider, Recipe        string
	Title, Line, Steps      string
	Progress, Checked, Open string
	Old                     bool
	Share                   float32
}

// presentRecipes lists what the providers have recipes for. The same recipe of
// two providers is listed once, with the first.
func presentRecipes(c *text.Catalogue, all []provider.Definition, progress map[string]guideProgress, now time.Time) []recipeRow {
	var rows []recipeRow
	seen := map[string]bool{}
	for _, d := range all {
		for _, r := range d.Recipes {
			if seen[r.Name] || len(r.Steps) == 0 {
				continue
			}
			seen[r.Name] = true
			row := recipeRow{
				Provider: d.ID, Recipe: r.Name, Title: c.Say("guide.recipe." + r.Name + ".title"), Line: c.Say("guide.recipe." + r.Name + ".line"),
				Steps: c.Count("help.steps", len(r.Steps)), Open: c.Say("help.begin"),
			}
			if done, _ := progress[r.Name].count(r); done > 0 {
				row.Progress = c.Say("help.progress", text.Args{"done": done, "of": len(r.Steps)})
				row.Share, row.Open = float32(done)/float32(len(r.Steps)), c.Say("help.go_on")
			}
			row.Checked, row.Old = dated(c, r.Checked, now)
			rows = append(rows, row)
		}
	}
	place := func(r recipeRow) int {
		if at := slices.Index(recipeOrder, r.Recipe); at >= 0 {
			return at
		}
		return len(recipeOrder)
	}
	slices.SortStableFunc(rows, func(a, b recipeRow) int { return place(a) - place(b) })
	return rows
}

// recipeOrder is that of the list: the way most people need first.
var recipeOrder = []string{"own_app", "dashboard_token", "threads", "facebook", "tester_invite"}

// layoutChoice is a menu that the provider's page may have.
type layoutChoice struct{ Name, Words string }

// copyValue is something to put into the provider's page.
type copyValue struct{ Label, Value string }

// pasteField is something to take from it.
type pasteField struct {
	Name, Label string
	Secret      bool
}

// stepModel is one step of a recipe in words.
type stepModel struct {
	Number, Checked          string
	Old                      bool
	Title, Line, Warn        string
	Todo                     []string
	Layouts                  []layoutChoice
	Layout                   string
	Look                     string
	Menu                     []string
	URL, Host                string
	Copy                     []copyValue
	Paste                    []pasteField
	Test                     string
	Picture                  []pictureRow
	Next                     string
	GoConnect, GoPaste, Last bool
}

// presentStep renders step at of a recipe. now is for the recipe's age, and
// redirect is the address that the provider is to be told.
func presentStep(c *text.Catalogue, d provider.Definition, r provider.Recipe, at int, p guideProgress, v guideValues, now time.Time) stepModel {
	s := r.Steps[at]
	stem := "guide.step." + r.Name + "." + s.Name
	named := text.Args{"provider": d.Name}
	m := stepModel{
		Number: c.Say("help.step", text.Args{"n": at + 1, "of": len(r.Steps)}),
		Title:  c.Say(stem + ".title"), Line: c.Say(stem + ".line"), Warn: maybe(c, stem+".warn"), Look: maybe(c, stem+".look"),
		URL: s.URL, Host: shortAddress(s.URL), Test: s.Test, Last: at == len(r.Steps)-1, Next: c.Say("help.next"),
	}
	m.Checked, m.Old = dated(c, r.Checked, now)
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		if words := maybe(c, stem+".todo"+n); words != "" {
			m.Todo = append(m.Todo, words)
		}
	}
	if differ(s.Layouts) {
		for _, l := range s.Layouts {
			m.Layouts = append(m.Layouts, layoutChoice{l.Name, layoutWords(c, s, l)})
		}
		m.Layouts = append(m.Layouts, layoutChoice{noLayout, c.Say("help.neither")})
	}
	if len(s.Layouts) > 0 {
		chosen := s.Layouts[0]
		for _, l := range s.Layouts {
			if l.Name == p.Layout {
				chosen = l
			}
		}
		m.Layout, m.Menu = chosen.Name, chosen.Path
		if p.Layout == noLayout && differ(s.Layouts) {
			m.Layout, m.Menu = noLayout, nil
		}
	}
	for _, name := range s.Copy {
		value := v.Redirect
		if name == "username" {
			value = v.Username
		}
		if value != "" {
			m.Copy = append(m.Copy, copyValue{valueLabel(c, r.Name, name, named), value})
		}
	}
	for _, name := range s.Paste {
		m.Paste = append(m.Paste, pasteField{name, valueLabel(c, r.Name, name, named), name == "client_secret"})
	}
	m.Picture = presentPicture(s, m)
	// What is signed in is done elsewhere in the window.
	m.GoConnect = s.Test == "sign_in" || s.Name == "back"
	m.GoPaste = slices.Contains(s.Paste, "token")
	m.Paste = slices.DeleteFunc(m.Paste, func(f pasteField) bool { return f.Name == "token" })
	if m.Last {
		m.Next = c.Say("help.finish")
	}
	return m
}

// differ reports whether the menus lead different ways.
func differ(all []provider.Layout) bool {
	return slices.ContainsFunc(all, func(l provider.Layout) bool { return !slices.Equal(l.Path, all[0].Path) })
}

// layoutWords names a menu by the first thing in it that the others have not
// got in its place; where there is none, by its sentence.
func layoutWords(c *text.Catalogue, s provider.RecipeStep, l provider.Layout) string {
	for i, label := range l.Path {
		if !slices.ContainsFunc(s.Layouts, func(other provider.Layout) bool {
			return other.Name != l.Name && i < len(other.Path) && other.Path[i] == label
		}) {
			return label
		}
	}
	return c.Say("guide.layout." + l.Name)
}

// pictureRow is a line of the drawn page; the kinds are those of the recipe:
// "!" is what is easily taken for the right thing, ">" the right thing.
type pictureRow struct {
	Right, Wrong        bool
	Name, Value, Button string
}

// The made-up values of the drawing. A secret is hidden there as well.
const (
	drawnWrongID = "118055•••••••••"
	drawnID      = "902233•••••••••"
	drawnSecret  = "••••••••"
)

// presentPicture makes the lines of a step's picture: an ID has a number, a
// secret is hidden, what is pasted into stands with what is pasted, and
// anything else that is looked for is something to press.
func presentPicture(s provider.RecipeStep, m stepModel) []pictureRow {
	var rows []pictureRow
	copies := m.Copy
	for _, line := range s.Picture {
		row := pictureRow{Name: strings.TrimLeft(line, "!> ")}
		row.Right, row.Wrong = strings.HasPrefix(line, ">"), strings.HasPrefix(line, "!")
		lower := strings.ToLower(row.Name)
		id := strings.HasSuffix(lower, " id")
		switch {
		case row.Wrong && id:
			row.Value = drawnWrongID
		case !row.Right:
			if len(m.Menu) > 0 && row.Name == m.Menu[len(m.Menu)-1] {
				// It is the headline already.
				continue
			}
		case strings.HasSuffix(lower, "secret"):
			row.Value, row.Button = drawnSecret, "Show"
		case id && len(m.Paste) > 0:
			row.Value = drawnID
		case strings.HasPrefix(lower, "save") || len(copies) == 0 || !slices.ContainsFunc(s.Copy, func(name string) bool { return strings.HasPrefix(name, "redirect") }):
			row.Name, row.Button = "", row.Name
		default:
			row.Value, copies = copies[0].Value, copies[1:]
		}
		rows = append(rows, row)
	}
	return rows
}

// rightWords says what is done with the right place of the picture: copy what
// it shows, paste what is to go there, or click.
func rightWords(m stepModel) string {
	switch {
	case !slices.ContainsFunc(m.Picture, func(r pictureRow) bool { return r.Right && r.Value != "" }):
		return "here"
	case slices.ContainsFunc(m.Paste, func(f pasteField) bool { return f.Name != "username" }):
		return "copy"
	}
	return "paste"
}

// valueLabel is what a value is called on the provider's page. Facebook's app
// has Meta's own number, the others one of the service.
func valueLabel(c *text.Catalogue, recipe, name string, named text.Args) string {
	switch name {
	case "client_id", "client_secret":
		if recipe == "facebook" {
			return c.Say("help.value." + name + "_meta")
		}
	case "redirect_uri":
		if recipe == "threads" {
			return c.Say("help.value.redirect_uri_1")
		}
	}
	return c.Say("help.value."+name, named)
}

// shortName is what a step is called in the list, where there is little room.
func shortName(c *text.Catalogue, r provider.Recipe, step provider.RecipeStep) string {
	stem := "guide.step." + r.Name + "." + step.Name
	if words := maybe(c, stem+".short"); words != "" {
		return words
	}
	return c.Say(stem + ".title")
}

// maybe is a sentence that a step may lack.
func maybe(c *text.Catalogue, key string) string {
	if !c.Has(key) {
		return ""
	}
	return c.Say(key)
}

// shortAddress is an address as a browser's bar shows it, the person's own app
// in place of what stands for it.
func shortAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.TrimSuffix(u.Host+" "+strings.ReplaceAll(strings.TrimSuffix(u.Path, "/"), "/", " / "), " ")
}

// supportNote is what a person may send to somebody who helps: where they are
// and what they see. Nothing that was pasted is in it.
func supportNote(c *text.Catalogue, d provider.Definition, r provider.Recipe, m stepModel) string {
	return strings.Join([]string{
		c.Say("help.note.lead"),
		c.Say("help.note.where", text.Args{"recipe": c.Say("guide.recipe." + r.Name + ".title"), "step": m.Number, "title": m.Title}),
		c.Say("help.note.page", text.Args{"address": m.URL}),
		c.Say("help.note.checked", text.Args{"provider": d.ID, "date": r.Checked}),
		c.Say("help.note.look", text.Args{"words": m.Look}),
	}, "\n")
}

// with is v with one value, without what a paste brings along. What letters it
// may have is Connect's to say.
func (v guideValues) with(field, value string) guideValues {
	value = strings.TrimSpace(value)
	switch field {
	case "client_id":
		v.ClientID = value
	case "client_secret":
		v.Secret = secret.New(value)
	case "config_id":
		v.ConfigID = value
	case "username":
		v.Username = strings.TrimPrefix(value, "@")
	}
	return v
}

// get is the value of a field that is no secret.
func (v guideValues) get(field string) string {
	switch field {
	case "client_id":
		return v.ClientID
	case "config_id":
		return v.ConfigID
	case "username":
		return v.Username
	}
	return ""
}
