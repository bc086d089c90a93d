package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func waits(t *testing.T, d Definition, file string) {
	t.Helper()
	err := d.Usable()
	if p := problem.Of(err); !problem.Has(err, problem.DefinitionHosts) || p.Args["file"] != file || p.Args["hosts"] == "" || !slices.Contains(p.Actions(), problem.ConfirmHosts) {
		t.Errorf("%v", err)
	}
}

func TestATT8_AChangedHostWaitsForConfirmation(t *testing.T) {
	thief := "schema = 1\nid = \"instagram\"\n[exchange]\nurl = \"https://evil.example/token\"\n"
	// Also when harmless files have extended the definition before and after.
	r := load(t, map[string]string{"a.toml": "schema = 1\nid = \"instagram\"\nname = \"Mine\"\n", "b.toml": thief,
		"c.toml": "schema = 1\nid = \"instagram\"\nname = \"Still mine\"\n"}, 0)
	d, _ := r.Get("instagram")
	if d.Name != "Still mine" || strings.Contains(d.Exchange.URL, "evil") || slices.Contains(d.Hosts(), "evil.example") {
		t.Fatalf("the file is in use: %s %v", d.Name, d.Hosts())
	}
	// What was shipped goes on renewing, and nobody signs in meanwhile.
	waits(t, d, "b.toml")
	if !slices.Contains(d.Hosts(), "graph.instagram.com") {
		t.Errorf("renewing stops: %v", d.Hosts())
	}
	asked := r.Questions()
	if len(asked) != 1 || asked[0].ID != "instagram" || asked[0].File != "b.toml" || !slices.Contains(asked[0].Hosts, "evil.example") ||
		slices.Contains(asked[0].Former, "evil.example") || !slices.Equal(asked[0].Domains, []string{"evil.example", "instagram.com"}) {
		t.Fatalf("%+v", asked)
	}
	before := d.EndpointsSHA256()
	if err := r.Confirm("instagram"); err != nil {
		t.Fatal(err)
	}
	if d, _ := r.Get("instagram"); d.Exchange.URL != "https://evil.example/token" || d.EndpointsSHA256() == before || d.Usable() != nil || !slices.Contains(d.Hosts(), "evil.example") {
		t.Error("confirmed and not in use, or the secret would not be asked for")
	}
	if len(r.Questions()) != 0 || r.Confirm("instagram") == nil || r.Confirm("own") == nil {
		t.Error("the question stays open")
	}
	for name, source := range map[string]string{
		"the browser's host":                "schema = 1\nid = \"instagram\"\n[authorize]\nurl = \"https://instagram.example/a\"\n",
		"the host of the page for revoking": "schema = 1\nid = \"instagram\"\n[revoke]\npage = \"https://instagram.example/a\"\n",
		"the host of a page of the guide":   "schema = 1\nid = \"instagram\"\n[[recipe]]\nname = \"own_app\"\n[[recipe.step]]\nname = \"app_id\"\nurl = \"https://instagram.example/a\"\n",
		"the host of a guide's first page":  "schema = 1\nid = \"threads\"\n[[recipe]]\nname = \"more\"\nurl = \"https://instagram.example/a\"\n",
		"the host of the list of accounts":  "schema = 1\nid = \"instagram-facebook\"\n[accounts]\nurl = \"https://instagram.example/a\"\n",
	} {
		if r := load(t, map[string]string{"a.toml": source}, 0); len(r.Questions()) != 1 {
			t.Errorf("%s does not count", name)
		}
	}
	if r := load(t, map[string]string{"a.toml": "schema = 1\nid = \"threads\"\nname = \"Mine\"\n"}, 0); len(r.Questions()) != 0 {
		t.Error("a shipped definition's own domains are no question")
	}
}

// RFC 9700 4.4.1: an honest page to sign in at, and a token address of one's own.
func TestATT8_TwoDomainsInAnOwnDefinitionAreAQuestion(t *testing.T) {
	two := strings.Replace(ownDefinition, "https://login.own.example/token", "https://tokens.evil.example/token", 1)
	r := load(t, map[string]string{"own.toml": two}, 0)
	d, err := r.Get("own")
	if err != nil {
		t.Fatal(err)
	}
	waits(t, d, "own.toml")
	if len(d.Hosts()) != 0 {
		t.Errorf("it may contact %v", d.Hosts())
	}
	asked := r.Questions()
	if len(asked) != 1 || asked[0].Former != nil || !slices.Equal(asked[0].Domains, []string{"evil.example", "own.example"}) ||
		!slices.Equal(asked[0].Hosts, []string{"login.own.example", "tokens.evil.example"}) || asked[0].Name != "Own server" {
		t.Fatalf("%+v", asked)
	}
	if err := r.Confirm("own"); err != nil {
		t.Fatal(err)
	}
	if d, _ := r.Get("own"); d.Usable() != nil || !slices.Equal(d.Hosts(), []string{"tokens.evil.example"}) {
		t.Errorf("%v %v", d.Usable(), d.Hosts())
	}
	if r := load(t, map[string]string{"own.toml": ownDefinition}, 0); len(r.Questions()) != 0 {
		t.Error("one domain is no question")
	}
	subdomain := strings.Replace(ownDefinition, "https://login.own.example/token", "https://tokens.own.example/token", 1)
	if r := load(t, map[string]string{"own.toml": subdomain}, 0); len(r.Questions()) != 0 {
		t.Error("two hosts under one domain are no question")
	}
	shared := strings.ReplaceAll(strings.Replace(ownDefinition, "https://login.own.example/token", "https://evil.github.io/token", 1), "login.own.example", "honest.github.io")
	if r := load(t, map[string]string{"own.toml": shared}, 0); len(r.Questions()) != 1 {
		t.Error("two people of one public suffix are a question")
	}
	// A second file that moves a host of the first asks as well.
	r = load(t, map[string]string{"a.toml": ownDefinition, "b.toml": "schema = 1\nid = \"own\"\n[exchange]\nurl = \"https://evil.example/token\"\n"}, 0)
	if d, _ := r.Get("own"); len(r.Questions()) != 1 || d.Usable() == nil || len(d.Hosts()) != 0 {
		t.Errorf("%+v", r.Questions())
	}
	// And one that only renames it answers nothing.
	r = load(t, map[string]string{"a.toml": two, "b.toml": "schema = 1\nid = \"own\"\nname = \"Mine\"\n"}, 0)
	if d, _ := r.Get("own"); len(r.Questions()) != 1 || r.Questions()[0].Name != "Mine" || d.Usable() == nil || len(d.Hosts()) != 0 {
		t.Errorf("%+v", r.Questions())
	}
}

func TestATT8_AnAnswerIsBoundToTheHosts(t *testing.T) {
	ask := func(host string) string {
		source := strings.Replace(ownDefinition, "https://login.own.example/token", "https://"+host+"/token", 1)
		asked := load(t, map[string]string{"own.toml": source}, 0).Questions()
		if len(asked) != 1 {
			t.Fatalf("%+v", asked)
		}
		return asked[0].SHA256()
	}
	first := ask("tokens.evil.example")
	if len(first) != 64 || ask("tokens.evil.example") != first {
		t.Errorf("%q", first)
	}
	for _, host := range []string{"tokens.other.example", "tokens.evil.example:8443"} {
		if ask(host) == first {
			t.Errorf("%s is the same question", host)
		}
	}
	if (Question{ID: "a", Hosts: []string{"x"}}).SHA256() == (Question{ID: "b", Hosts: []string{"x"}}).SHA256() {
		t.Error("the id does not count")
	}
}

// Outside practice the shipped addresses of the generic server lead nowhere.
func TestTheGenericServerAsksForItsAddresses(t *testing.T) {
	d := get(t, "oauth2")
	if !d.Asks || !problem.Has(d.Usable(), problem.ProviderAddresses) || len(d.Hosts()) != 0 {
		t.Errorf("%v %v", d.Usable(), d.Hosts())
	}
	if p := d.Practice(base()); p.Usable() != nil || !slices.Equal(p.Hosts(), []string{"127.0.0.1:4711"}) || p.Authorize.Issuer != "https://login.example" {
		t.Errorf("%v %v", p.Usable(), p.Hosts())
	}
	if !d.Refreshes() || get(t, "instagram").Refreshes() || get(t, "instagram-facebook").Refreshes() {
		t.Error("who renews with a refresh token")
	}
	own := "schema = 1\nid = \"oauth2\"\n[authorize]\nurl = \"https://me.example/a\"\nissuer = \"https://me.example\"\n[exchange]\nurl = \"https://me.example/t\"\n[renew]\nurl = \"https://me.example/t\"\n[identity]\nurl = \"https://me.example/u\"\n[revoke]\nurl = \"https://me.example/r\"\n"
	r := load(t, map[string]string{"a.toml": own}, 0)
	if len(r.Questions()) != 1 {
		t.Fatal("the addresses were not asked about")
	}
	if err := r.Confirm("oauth2"); err != nil {
		t.Fatal(err)
	}
	if d, _ := r.Get("oauth2"); d.Usable() != nil || !slices.Equal(d.Hosts(), []string{"me.example"}) {
		t.Errorf("%v %v", d.Usable(), d.Hosts())
	}
}

// The past can be replayed in practice, and nowhere else.
func TestBasicDisplayIsUsableInPractice(t *testing.T) {
	d := get(t, "instagram-basic-display")
	p := d.Practice(base())
	if d.Usable() == nil || p.Usable() != nil {
		t.Errorf("%v, in practice %v", d.Usable(), p.Usable())
	}
	if p.Exchange.Empty() || p.Extend.Empty() || p.Renew.Empty() || p.Identity.URL == "" || p.Redirect.Default == "" || len(p.Scopes) != 2 ||
		p.Authorize.URL != "http://127.0.0.1:4711/api.instagram.com/oauth/authorize" {
		t.Errorf("%+v", p)
	}
}
