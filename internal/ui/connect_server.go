package ui

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// serverPage describes a service that the program does not know: found by its
// own description, or typed. No secret is asked for here; its hosts are agreed
// to first (security.md ATT-8).
type serverPage struct {
	c *connectScreen
	s *shell
	f *flow

	issuer    *kit.Entry
	issuerBox *kit.FieldBox
	find      *kit.Button
	fields    []*kit.Entry
	boxes     []*kit.FieldBox
	// found is what the service says about itself beyond the fields.
	found provider.Server
	said  *kit.Text
	// id is the short name that was agreed to, where the usual one is taken.
	id      string
	busy    bool
	stop    context.CancelFunc
	problem *problem.Problem
	notice  *fyne.Container
	back    *kit.Button
	use     *kit.Button
}

// The fields in their order.
const (
	fieldName = iota
	fieldAuthorize
	fieldToken
	fieldProfile
	fieldRevoke
	fieldScopes
)

// serverDraft is what was typed of a service that is not saved yet. It outlasts
// the page: whoever looks something up elsewhere finds it again.
type serverDraft struct {
	issuer string
	fields [6]string
	found  provider.Server
	id     string
}

var serverFields = []string{"name", "authorize", "token", "profile", "revoke", "scopes"}

func newServerPage(c *connectScreen) *serverPage {
	p := &serverPage{c: c, s: c.s, f: c.f, notice: kit.Column(8)}
	s, f := p.s, p.f
	p.issuer = kit.NewMonoEntry(s.say("connect.server.issuer"), "https://login.example")
	p.found, p.id = f.server.found, f.server.id
	p.issuer.SetText(f.server.issuer)
	p.issuer.OnChanged = func(typed string) {
		f.server.issuer = typed
		p.refresh()
	}
	p.issuer.OnSubmitted = func(string) { p.discover() }
	p.find = kit.NewButton(s.say("connect.server.find"), kit.Medium, p.discover).With(theme.IconSearch)
	p.issuerBox = kit.NewFieldBox(s.say("connect.server.issuer"), p.issuer, s.say("connect.server.issuer_hint"), 1, p.find)
	for i, field := range serverFields {
		label := s.say("connect.server." + field)
		e := kit.NewMonoEntry(label, "https://…")
		if field == "name" || field == "scopes" {
			e = kit.NewEntry(label, "")
		}
		e.SetText(f.server.fields[i])
		e.OnChanged = func(typed string) {
			f.server.fields[i] = typed
			p.refresh()
		}
		hint := ""
		if key := "connect.server." + field + "_hint"; s.c.Has(key) {
			hint = s.say(key)
		}
		p.fields = append(p.fields, e)
		p.boxes = append(p.boxes, kit.NewFieldBox(label, e, hint, 1))
	}
	p.said = kit.Caption("")
	p.back = kit.NewButton(s.say("connect.back"), kit.Medium, func() { f.to(stageApp) }).With(theme.IconBack).WithTip("Esc")
	p.use = kit.NewButton(s.say("connect.server.use"), kit.High, p.save).Then(theme.IconForward).WithTip("Ctrl+Enter")
	return p
}

func (p *serverPage) build() []fyne.CanvasObject {
	s := p.s
	head := kit.Column(2, kit.Subheading(s.say("connect.server.title")), kit.Muted(s.say("connect.server.line")))
	var left, right []fyne.CanvasObject
	for i, box := range p.boxes {
		if i == fieldName || i == fieldAuthorize || i == fieldToken {
			left = append(left, box)
		} else {
			right = append(right, box)
		}
	}
	addresses := fyne.CanvasObject(kit.Columns(20, 0, []float32{1, 1}, kit.Column(14, left...), kit.Column(14, right...)))
	if p.c.built {
		addresses = kit.Column(14, append(left, right...)...)
	}
	return []fyne.CanvasObject{p.c.head(0),
		kit.NewCard(kit.Column(18, head, p.issuerBox, p.notice)),
		kit.NewCard(kit.Column(16, kit.Column(2, kit.Title(s.say("connect.server.addresses")), p.said), addresses,
			kit.IconLine(theme.IconShield, theme.ColorMuted, kit.Runs(s.say("connect.server.safe"))...)))}
}

func (p *serverPage) footer() footer {
	return footer{left: p.c.cancelButton(), right: []fyne.CanvasObject{p.back, p.use}}
}

func (p *serverPage) refresh() {
	s := p.s
	p.find.SetEnabled(!p.busy && strings.TrimSpace(p.issuer.Text) != "")
	p.use.SetEnabled(!p.busy && strings.TrimSpace(p.fields[fieldAuthorize].Text) != "" && strings.TrimSpace(p.fields[fieldToken].Text) != "")
	switch {
	case p.busy:
		p.said.SetText(s.say("connect.server.looking"))
	case p.found.Issuer != "":
		p.said.SetText(s.say("connect.server.found"))
	default:
		p.said.SetText(s.say("connect.server.by_hand"))
	}
}

// tell puts a problem under the first card; nil takes it away.
func (p *serverPage) tell(pr *problem.Problem) {
	p.problem = pr
	p.notice.RemoveAll()
	if pr != nil {
		told := p.s.c.Tell(pr)
		var more []kit.Run
		words := told.Happened + " " + told.Advice
		if pr.Key == problem.DefinitionExists {
			id := p.beside(pr)
			words = told.Happened
			more = append(more, kit.Run{Words: p.s.say("connect.server.beside", text.Args{"id": id}), Tapped: func() { p.addBeside(id) }})
		}
		p.notice.Add(kit.NewNotice(kit.Bad, sentence(told.Title), words, more...))
	}
	p.notice.Refresh()
	p.c.root.Refresh()
}

// beside is a short name that is free, next to the one that is taken.
func (p *serverPage) beside(pr *problem.Problem) string {
	taken := pr.Args["provider"]
	if taken == "" {
		taken = pr.Args["id"]
	}
	stem, n := taken, 2
	if at := strings.LastIndexByte(taken, '-'); p.id != "" && at > 0 {
		// That one was tried: a file of its name may be there that is not in use.
		if tried, err := strconv.Atoi(taken[at+1:]); err == nil {
			stem, n = taken[:at], tried+1
		}
	}
	stem = stem[:min(len(stem), 44)]
	for ; p.s.definition(stem+"-"+strconv.Itoa(n)).ID != ""; n++ {
	}
	return stem + "-" + strconv.Itoa(n)
}

// addBeside saves it under that short name, with a name that tells the two
// apart.
func (p *serverPage) addBeside(id string) {
	p.id, p.f.server.id = id, id
	name := strings.TrimSpace(p.fields[fieldName].Text)
	if name == "" {
		name = hostname(p.fields[fieldAuthorize].Text)
	}
	for _, d := range p.s.core.Providers() {
		if d.Name == name {
			p.fields[fieldName].SetText(name + " " + id[strings.LastIndexByte(id, '-')+1:])
			break
		}
	}
	p.save()
}

// address is what was typed as an address: a bare host is one too.
func address(typed string) string {
	typed = strings.TrimSpace(typed)
	if typed != "" && !strings.Contains(typed, "://") {
		typed = "https://" + typed
	}
	return typed
}

// discover asks the service for its addresses. They can be changed afterwards.
func (p *serverPage) discover() {
	if p.find.Disabled() {
		return
	}
	issuer := address(p.issuer.Text)
	ctx, cancel := context.WithCancel(p.f.ctx)
	p.stop, p.busy = cancel, true
	p.tell(nil)
	p.refresh()
	work(p.s, ctx, func(ctx context.Context) (provider.Server, error) { return p.f.core.Discover(ctx, issuer) },
		func(found provider.Server, pr *problem.Problem) {
			if ctx.Err() != nil {
				return
			}
			cancel()
			p.busy = false
			if pr == nil {
				p.fill(found)
			}
			p.tell(pr)
			p.refresh()
			if pr == nil && p.f.shown {
				p.s.focus(p.use)
			}
		})
}

func (p *serverPage) fill(found provider.Server) {
	p.found, p.id = found, ""
	p.f.server.found, p.f.server.id = found, ""
	name := found.Name
	if u, err := url.Parse(found.Issuer); name == "" && err == nil {
		name = u.Hostname()
	}
	for i, value := range []string{name, found.AuthorizeURL, found.TokenURL, found.IdentityURL, found.RevokeURL, strings.Join(found.Scopes, " ")} {
		p.fields[i].SetText(value)
	}
}

// described is the service as the fields have it.
func (p *serverPage) described() provider.Server {
	srv := p.found
	if p.id != "" {
		srv.ID = p.id
	}
	get := func(i int) string { return strings.TrimSpace(p.fields[i].Text) }
	srv.Name, srv.AuthorizeURL, srv.TokenURL = get(fieldName), get(fieldAuthorize), get(fieldToken)
	srv.IdentityURL, srv.RevokeURL, srv.Scopes = get(fieldProfile), get(fieldRevoke), strings.Fields(get(fieldScopes))
	// Always with PKCE: a server that does not know it ignores it.
	srv.PKCE = true
	return srv
}

// save keeps the description as the person's own file, asks about its hosts,
// and goes on to the credentials.
func (p *serverPage) save() {
	if p.use.Disabled() {
		return
	}
	srv := p.described()
	ctx, cancel := context.WithCancel(p.f.ctx)
	p.stop, p.busy = cancel, true
	p.tell(nil)
	p.refresh()
	work(p.s, ctx, func(ctx context.Context) (provider.Definition, error) { return p.f.core.AddProvider(ctx, srv) },
		func(d provider.Definition, pr *problem.Problem) {
			if ctx.Err() != nil {
				return
			}
			cancel()
			p.busy = false
			p.refresh()
			if pr != nil {
				p.tell(pr)
				return
			}
			p.f.server = serverDraft{}
			p.f.choose(d.ID)
			p.f.to(stageApp)
			if p.f.unconfirmed() {
				p.f.confirmHosts(d.ID, func() { p.f.to(stageApp) })
			}
		})
}

func (p *serverPage) first() fyne.Focusable { return p.issuer }
func (p *serverPage) press()                { p.save() }
func (p *serverPage) escape() bool          { p.f.to(stageApp); return true }

func (p *serverPage) leave() {
	if p.stop != nil {
		p.stop()
	}
}
