package redirect

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io/fs"
	"net/http"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/resources"
)

// A page is one of the closed set of pages; each is the same bytes whatever
// the request held (LST-13).
type page string

const (
	pageConnected  page = "connected"
	pageDenied     page = "denied"
	pageUnfinished page = "unfinished"
	pagePending    page = "pending"
	pageUsed       page = "used"
	pageForeign    page = "foreign"
	pageNothing    page = "nothing"
	pagePlain      page = "plain"
)

// looks gives each page its colours and its sign: colour never speaks alone.
var looks = map[page]struct{ tone, sign string }{
	pageConnected:  {"fine", "M20 33l8 8 16-18"},
	pageDenied:     {"calm", "M22 32h20"},
	pageUnfinished: {"look", "M32 19v16M32 44v.1"},
	pagePending:    {"calm", "M43 32H22M30 23l-9 9 9 9"},
	pageUsed:       {"calm", "M43 32H22M30 23l-9 9 9 9"},
	pageForeign:    {"look", "M32 19v16M32 44v.1"},
	pageNothing:    {"calm", "M22 32h20"},
	pagePlain:      {"look", "M32 19v16M32 44v.1"},
}

func (o Outcome) page() page {
	switch o {
	case Connected:
		return pageConnected
	case Denied:
		return pageDenied
	case Unfinished:
		return pageUnfinished
	default:
		return pagePending
	}
}

// pages holds the finished bytes of one language and the headers that every
// response carries.
type pages struct {
	body   map[page][]byte
	policy string
}

func newPages(language string) *pages {
	catalogue := text.For(language)
	template, style, icon := embedded("page.html"), embedded("page.css"), castle()
	sum := sha256.Sum256([]byte(style))
	p := &pages{
		body: map[page][]byte{},
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
	for name, look := range looks {
		p.body[name] = []byte(strings.NewReplacer(
			"[[lang]]", catalogue.Language(),
			"[[title]]", html.EscapeString(catalogue.Say("page."+string(name)+".title")),
			"[[text]]", html.EscapeString(catalogue.Say("page."+string(name)+".text")),
			"[[style]]", style,
			"[[tone]]", look.tone,
			"[[icon]]", icon,
			"[[mark]]", `<svg class="mark" viewBox="0 0 64 64" aria-hidden="true"><circle cx="32" cy="32" r="32"/><path d="`+look.sign+`"/></svg>`,
		).Replace(template))
	}
	return p
}

// headers sets what every response carries (LST-15). No HSTS: it would break
// other programs on localhost.
func (p *pages) headers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Connection", "close")
}

func embedded(name string) string {
	data, err := fs.ReadFile(resources.RedirectPages, "pages/redirect/"+name)
	if err != nil {
		panic("redirect: the embedded page is gone: " + err.Error())
	}
	return string(data)
}

// castle is the program's icon, made fit to stand inside the page.
func castle() string {
	data, err := fs.ReadFile(resources.Art, "icon/icon.svg")
	if err != nil {
		panic("redirect: the embedded icon is gone: " + err.Error())
	}
	return strings.Replace(strings.TrimSpace(string(data)), "<svg ", `<svg aria-hidden="true" `, 1)
}
