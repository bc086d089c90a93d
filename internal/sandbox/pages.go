package sandbox

import (
	"bytes"
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/tokenkeep/tokenkeep/resources"
)

// pages are the templates; they are part of the program, and a test draws each.
var pages = template.Must(template.ParseFS(resources.SandboxPages, "pages/sandbox/*.html"))

// page writes a page of our own: no script, nothing from elsewhere, and no way
// out but formAction.
func (c *call) page(status int, name, formAction string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(c.w, "sandbox: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action "+formAction)
	// Not "no-referrer": with it Chromium sends "Origin: null" from our own form.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(out.Bytes())
}

// consentPage shows who asks for what.
func (c *call) consentPage(a authorization, mishap scenario, who person, ticked scopeSet, pages uint64) {
	type choice struct {
		Value, Label, Note, Picture string
		Chosen, Fixed               bool
	}
	// shared is what one person may let the app use. There is no script: all
	// are in the page, and its style shows those of the chosen one.
	type shared struct {
		Whose string
		Index int
		Pages []choice
		Count int
	}
	data := struct {
		Provider, AppID, Action, Back string
		People, Scopes, Scenarios     []choice
		Shared                        []shared
	}{
		Provider: c.d.name, AppID: cmp.Or(c.query.Get("client_id"), c.d.clientID), Back: backTo(a.redirectURI),
		Action: c.r.URL.Path + "?" + c.r.URL.RawQuery,
	}
	offered := c.d.people()
	if who.generated() {
		offered = append([]person{who}, people...)
	}
	for n, p := range offered {
		if c.d.number == numberFacebook {
			one := shared{Whose: p.name, Index: n, Count: len(p.pages)}
			for i, q := range p.pages {
				note := "no Instagram account"
				if q.linked != 0 {
					linked, _ := personNumbered(q.linked)
					note = linked.username
				}
				if len(p.pages) <= fewPages {
					one.Pages = append(one.Pages, choice{Value: q.id, Label: q.name, Note: note, Chosen: p.number != who.number || pages&(1<<i) != 0})
				}
			}
			data.Shared = append(data.Shared, one)
		}
		data.People = append(data.People, choice{
			Value: p.username, Label: p.username, Note: p.name + ", " + p.about,
			Picture: "/" + c.d.pictureHost + "/" + p.pictureName(), Chosen: p.number == who.number,
		})
	}
	for i, s := range c.d.scopes {
		if a.scopes&(1<<i) != 0 {
			data.Scopes = append(data.Scopes, choice{Value: s.name, Label: s.label, Note: s.name, Fixed: s.required || a.fixed, Chosen: ticked&(1<<i) != 0})
		}
	}
	for _, s := range scenarios {
		data.Scenarios = append(data.Scenarios, choice{Value: s.name, Label: s.label, Chosen: s.number == mishap.number})
	}
	c.page(http.StatusOK, "consent.html", "'self' "+a.origin, data)
}

// backTo is a redirect without its query, for people.
func backTo(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}

// notice is a page that only says something.
type notice struct {
	Provider, Title, Text string
	// Message is the provider's own words, shown as a quotation.
	Message string
	Rows    [][2]string
}

func (c *call) notice(status int, n notice) {
	n.Provider = c.d.name
	c.page(status, "notice.html", "'none'", n)
}

// refusalPage is where a sign-in ends that the provider does not even begin.
// Only what this double itself says is shown: an address must not make the
// page speak for somebody else.
func (c *call) refusalPage() {
	if !c.reading() {
		return
	}
	message := printable(c.query.Get("message"), 200)
	if !strings.HasPrefix(message, pageInvalid) && message != pageRole && !said(c.d, message) {
		message = "Sorry, something went wrong."
	}
	c.notice(http.StatusOK, notice{
		Title: "This sign-in cannot begin", Message: message,
		Text: "Nothing was sent back to the app. Close this page and look there for what to do.",
	})
}

func (c *call) accessPage() {
	if c.reading() {
		c.notice(http.StatusOK, notice{Title: "Apps and websites", Text: "At the real place, tester invites and connected apps are listed here. On the practice ground nobody needs an invite."})
	}
}

func (c *call) postPage() {
	if !c.reading() {
		return
	}
	code := strings.Trim(strings.TrimPrefix(c.r.URL.Path, "/"+c.d.authorizeHost+"/p/"), "/")
	for _, p := range people {
		if i := slices.IndexFunc(p.posts, func(m post) bool { return m.code == code }); i >= 0 {
			c.notice(http.StatusOK, notice{Title: p.username, Text: p.posts[i].caption})
			return
		}
	}
	c.notFound()
}

// frontPage says what this is, to whoever opens the base address.
func (c *call) frontPage() {
	var rows [][2]string
	for _, d := range dialects {
		rows = append(rows, [2]string{"At", d.name}, [2]string{"App ID", d.clientID}, [2]string{"App secret", d.clientSecret})
		switch d.number {
		case numberFacebook:
			rows = append(rows, [2]string{"Configuration", ConfigID})
		case numberGeneric:
			rows = append(rows, [2]string{"No secret", PublicClientID})
		}
	}
	if c.reading() {
		c.notice(http.StatusOK, notice{
			Title: "The practice ground is open",
			Text:  "Pretend providers on this computer. Use these apps to practise; they open nothing anywhere else.",
			Rows:  rows,
		})
	}
}

func (c *call) notFound() {
	c.notice(http.StatusNotFound, notice{Title: "There is no such page", Text: "The practice ground has only what a sign-in needs."})
}

func (c *call) styleSheet() {
	if !c.reading() {
		return
	}
	raw, err := resources.SandboxPages.ReadFile("pages/sandbox/style.css")
	if err != nil {
		c.notFound()
		return
	}
	c.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = c.w.Write(raw)
}

// reading reports whether the request only reads; otherwise it has been answered.
func (c *call) reading() bool {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return true
	}
	c.methods("GET, HEAD")
	return false
}
