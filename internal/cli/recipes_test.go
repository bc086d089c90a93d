package cli

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// Every recipe that is shipped, as the issue names them, with its steps.
var wantRecipes = map[string]map[string]string{
	"instagram": {
		"own_app":         "professional developer create_app app_id tester invite redirect check sign_in",
		"dashboard_token": "professional create_app add_account generate paste",
		"tester_invite":   "open_page accept back",
	},
	"threads":            {"threads": "developer create_app app_id tester invite addresses check sign_in"},
	"instagram-facebook": {"facebook": "link_page developer create_app login_product app_id redirect configuration check sign_in"},
}

// metaHosts are where a recipe may send a browser.
var metaHosts = []string{"developers.facebook.com", "www.facebook.com", "www.instagram.com", "www.threads.com"}

// TestRecipes walks all recipes: each step has its words in every language,
// each layout a way, each page lies on a host of Meta's, and each remedy exists
// and is found again.
func TestRecipes(t *testing.T) {
	registry, problems := provider.Load("")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	found := map[string]map[string]string{}
	for _, d := range registry.List() {
		for _, r := range d.Recipes {
			if found[d.ID] == nil {
				found[d.ID] = map[string]string{}
			}
			var names []string
			for i, step := range r.Steps {
				names = append(names, step.Name)
				checkStep(t, d, r, i)
			}
			found[d.ID][r.Name] = strings.Join(names, " ")
			if _, err := time.Parse(time.DateOnly, r.Checked); err != nil {
				t.Errorf("%s was checked on %q", r.Name, r.Checked)
			}
			ofMeta(t, r.Name, r.URL)
			spoken(t, "guide.recipe."+r.Name, "title", "line")
		}
	}
	for id, want := range wantRecipes {
		for name, steps := range want {
			if found[id][name] != steps {
				t.Errorf("%s of %s has the steps %q, want %q", name, id, found[id][name], steps)
			}
		}
		if len(found[id]) != len(want) {
			t.Errorf("%s has other recipes: %v", id, found[id])
		}
	}
	if len(found) != len(wantRecipes) {
		t.Errorf("others have recipes: %v", found)
	}
}

func checkStep(t *testing.T, d provider.Definition, r provider.Recipe, at int) {
	t.Helper()
	step := r.Steps[at]
	where := r.Name + "/" + step.Name
	spoken(t, "guide.step."+r.Name+"."+step.Name, "title", "line", "todo1", "look")
	for _, lang := range text.Languages() {
		// What is to be done is numbered without a gap.
		gap := false
		for _, n := range []string{"todo1", "todo2", "todo3", "todo4", "todo5", "todo6"} {
			has := text.For(lang).Has("guide.step." + r.Name + "." + step.Name + "." + n)
			if has && gap {
				t.Errorf("%s in %s has %s after a gap", where, lang, n)
			}
			gap = gap || !has
		}
	}
	if step.URL != "" {
		ofMeta(t, where, step.URL)
		if len(step.Layouts) == 0 || len(step.Picture) == 0 {
			t.Errorf("%s leads to a page but shows no way on it", where)
		}
	}
	for _, layout := range step.Layouts {
		if len(layout.Path) == 0 || !text.For("en").Has("guide.layout."+layout.Name) {
			t.Errorf("%s: the layout %q has no way or no name", where, layout.Name)
		}
	}
	for _, label := range step.Picture {
		if strings.TrimSpace(strings.TrimLeft(label, ">!")) == "" {
			t.Errorf("%s: an empty label in the picture", where)
		}
	}
	if len(step.Picture) > 0 && !slices.ContainsFunc(step.Picture, func(label string) bool { return strings.HasPrefix(label, ">") }) {
		t.Errorf("%s: the picture shows nothing to click", where)
	}
	for _, value := range slices.Concat(step.Copy, step.Paste) {
		if !text.For("en").Has("cli.guide.value." + value) {
			t.Errorf("%s: %s has no name", where, value)
		}
	}
	for _, remedy := range step.Remedies {
		if !slices.Contains(problem.Guides(), problem.Action(remedy)) {
			t.Errorf("%s: no problem leads to %s", where, remedy)
		}
		recipe, n, ok := d.RecipeFor(problem.Action(remedy))
		if !ok || recipe.Name != r.Name || n != at {
			t.Errorf("%s leads to %s/%d and not to %s", remedy, recipe.Name, n, where)
		}
	}
}

func ofMeta(t *testing.T, where, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || !slices.Contains(metaHosts, u.Host) || u.RawQuery != "" {
		t.Errorf("%s leads to %q", where, address)
	}
}

func spoken(t *testing.T, stem string, parts ...string) {
	t.Helper()
	for _, lang := range text.Languages() {
		for _, part := range parts {
			if !text.For(lang).Has(stem+"."+part) || text.For(lang).Say(stem+"."+part) == "" {
				t.Errorf("%s.%s is not said in %s", stem, part, lang)
			}
		}
	}
}

// What a provider's problems say about the guide leads somewhere: every action
// that a page or an answer of this provider can lead to has its step.
func TestEveryGuideActionOfAProviderHasItsStep(t *testing.T) {
	registry, _ := provider.Load("")
	for id := range wantRecipes {
		d, err := registry.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range d.Errors {
			var guides []string
			led := false
			for _, action := range problem.New(problem.Key(row.Key)).Actions() {
				// A token from the dashboard is Instagram's alone; elsewhere the
				// other actions of the problem remain.
				if slices.Contains(problem.Guides(), action) && (action != problem.GuideToken || id == "instagram") {
					guides = append(guides, string(action))
					_, _, ok := d.RecipeFor(action)
					led = led || ok
				}
			}
			if len(guides) > 0 && !led {
				t.Errorf("%s: %s leads to %v, and no recipe has any", id, row.Key, guides)
			}
		}
	}
}
