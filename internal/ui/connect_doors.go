package ui

import (
	"context"
	"maps"
	"net/url"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// act is the door behind a button of the problem that the flow shows. It
// reports false where there is nothing to open just now, e.g. no separate
// browser on this computer; such a button is not shown.
func (f *flow) act(a problem.Action) (do func(), ok bool) {
	var args map[string]string
	var key problem.Key
	if p := f.state.Problem; p != nil {
		args, key = p.Args, p.Key
	}
	switch a {
	case problem.ChangeClientID:
		return func() { f.asNewApp(); f.lines = nil; f.to(stageApp) }, true
	case problem.ChangeSecret:
		return f.changeSecret, true
	case problem.ChangeRedirect:
		return func() { f.changeRedirect(key) }, true
	case problem.CopyAddress:
		return f.copyAddress, true
	case problem.ChoosePermissions:
		return func() { f.to(stageScopes) }, true
	case problem.SeparateWindow:
		if f.form.Separate || !f.separate() {
			return nil, false
		}
		return func() { f.form.Separate = true; f.signInOrAsk() }, true
	case problem.TestVault, problem.OpenSettings:
		return f.s.goSettings, true
	case problem.KeepAsIs:
		return f.s.goAccounts, true
	case problem.PasteToken:
		return f.s.goPaste, true
	case problem.OpenProvider:
		return f.openProvider, true
	case problem.SwitchProvider:
		return func() { f.switchProvider(args) }, true
	case problem.ConfirmHosts:
		return func() { f.confirmHosts(args["provider"], f.signInOrAsk) }, true
	case problem.ReadPage:
		return func() { f.to(stagePage) }, true
	case problem.TrySavingAgain:
		if f.state.Held {
			return f.trySaving, true
		}
	}
	if isGuide(a) {
		return func() { f.openGuide(a) }, true
	}
	if signsIn(a) {
		return f.signInOrAsk, true
	}
	return nil, false
}

// isGuide reports whether a leads to a step of the guide.
func isGuide(a problem.Action) bool { return strings.HasPrefix(string(a), "guide_") }

// openGuide shows where it is done: the step of the provider's own recipe, else
// its recipes.
func (f *flow) openGuide(a problem.Action) { f.s.openGuideFor(f.definition(), a) }

// openGuideFor opens the step of d's recipe that mends what a names.
func (s *shell) openGuideFor(d provider.Definition, a problem.Action) {
	if recipe, step, ok := d.RecipeFor(a); ok {
		s.openGuide(d.ID, recipe.Name, step)
		return
	}
	s.openGuide(d.ID, "", 0)
}

// signsIn reports whether a comes down to signing in once more. A pasted
// address belongs to its attempt, so pasting again begins a new one too.
func signsIn(a problem.Action) bool {
	switch a {
	case problem.SignInAgain, problem.TryAgain, problem.PasteAgain, problem.PasteAddress, problem.TrySavingAgain:
		return true
	}
	return false
}

// label is what a button for a says beside p, or by itself where p is nil; a
// switch names where it leads.
func (s *shell) label(a problem.Action, p *problem.Problem) string {
	if p == nil {
		return s.c.Action(a)
	}
	// A problem names the other provider by its id; people know it by its name.
	named := *p
	named.Args = maps.Clone(p.Args)
	for _, name := range []string{"other", "replaced_by", "replacement", "road", "found", "provider"} {
		if d := s.definition(named.Args[name]); d.ID != "" {
			named.Args[name] = d.Name
		}
	}
	words := s.c.ActionBeside(&named, a)
	if a == problem.SwitchProvider && words == s.c.Action(a) {
		if d, ok := s.otherProvider(p.Args); ok {
			return s.say("connect.problem.switch_to", text.Args{"provider": d.Name})
		}
	}
	return words
}

// otherProvider is the provider that a problem names as the right one.
func (s *shell) otherProvider(args map[string]string) (provider.Definition, bool) {
	for _, name := range []string{"other", "replaced_by", "replacement"} {
		if args[name] == "" {
			continue
		}
		for _, d := range s.core.Providers() {
			if d.ID == args[name] || d.Name == args[name] {
				return d, true
			}
		}
	}
	return provider.Definition{}, false
}

// switchProvider goes on with the other provider, and with what can be kept.
func (f *flow) switchProvider(args map[string]string) {
	if d, ok := f.s.otherProvider(args); ok {
		f.choose(d.ID)
	}
	f.to(stageApp)
}

// changeRedirect exchanges the port where that helps, else goes back to the
// usual address: another one is not typed here.
func (f *flow) changeRedirect(key problem.Key) {
	if movable(key) {
		f.stage = stageApp
		f.otherPort()
		return
	}
	switch key {
	case problem.RedirectBlank, problem.RedirectInvalid, problem.RedirectScheme, problem.RedirectNotHere:
		f.asNewApp()
		f.form.Redirect = f.definition().Redirect.Default
		f.lines = nil
	}
	f.to(stageApp)
}

func (f *flow) copyAddress() {
	f.s.copyPlain(f.form.Redirect)
	f.s.toast(f.s.say("connect.problem.address_copied", text.Args{"address": f.form.Redirect}))
}

// openProvider opens the provider's own site, where the person has to act.
func (f *flow) openProvider() { f.s.openSite(f.definition()) }

// openSite opens d's own site in the browser.
func (s *shell) openSite(d provider.Definition) {
	u, err := url.Parse(d.Authorize.URL)
	if err != nil || u.Host == "" || s.params.OpenAddress == nil {
		return
	}
	site := u.Scheme + "://" + u.Host + "/"
	s.do(s.ctx, func(ctx context.Context) error { return s.params.OpenAddress(ctx, site) }, s.tell)
}

// confirmHosts asks, before a secret is typed or sent, whether all the hosts of
// a service are one service (security.md ATT-8).
func (f *flow) confirmHosts(id string, then func()) {
	core, s := f.core, f.s
	for _, q := range core.Questions() {
		if q.ID != id && q.Name != id {
			continue
		}
		body := kit.Column(12, kit.NewText(s.say("connect.hosts.body", text.Args{"provider": q.Name, "n": len(q.Domains)})))
		hosts := kit.Column(4)
		for _, host := range q.Hosts {
			hosts.Add(kit.Mono(host))
		}
		body.Add(kit.SoftBox(kit.Warn, hosts))
		if len(q.Former) > 0 {
			body.Add(kit.Muted(s.say("connect.hosts.former", text.Args{"hosts": strings.Join(q.Former, ", ")})))
		}
		body.Add(kit.Muted(s.say("connect.hosts.warning")))
		s.open(kit.Dialog{
			Title: s.say("connect.hosts.title"), Body: body,
			Buttons: []kit.DialogButton{
				{Label: s.say("connect.hosts.no"), Kind: kit.Medium, Harmless: true},
				{Label: s.say("connect.hosts.yes"), Kind: kit.High, Tapped: func() {
					s.do(f.ctx, func(ctx context.Context) error { return core.ConfirmProvider(ctx, q) }, func(p *problem.Problem) {
						if p != nil {
							s.tell(p)
							return
						}
						then()
					})
				}},
			},
		})
		return
	}
	// It was confirmed meanwhile.
	then()
}

// lineDoors are the links under a finding of the check: what mends it, two at
// most. It is about the form, so changing something is done right here.
func (p *appPage) lineDoors(l connect.Line) []kit.Run {
	f, s := p.f, p.s
	var key problem.Key
	var args map[string]string
	if l.Problem != nil {
		key, args = l.Problem.Key, l.Problem.Args
	}
	var runs []kit.Run
	add := func(words string, do func()) {
		for _, r := range runs {
			if r.Words == words {
				return
			}
		}
		if len(runs) < 2 {
			runs = append(runs, kit.Run{Words: words, Tapped: do})
		}
	}
	for _, a := range l.Remedies() {
		switch {
		case isGuide(a):
			add(s.say("connect.app.show_where"), func() { f.openGuide(a) })
		case a == problem.ChangeClientID && f.form.App == "":
			add(s.label(a, l.Problem), func() { s.focus(p.id) })
		case a == problem.ChangeClientID:
			add(s.label(a, l.Problem), func() { f.asNewApp(); f.lines = nil; f.to(stageApp) })
		case a == problem.ChangeSecret:
			add(s.label(a, l.Problem), func() { s.focus(p.secret) })
		case a == problem.ChangeRedirect && movable(key):
			add(s.say("connect.app.other_port"), f.otherPort)
		case a == problem.ChangeRedirect:
			add(s.label(a, l.Problem), func() { f.changeRedirect(key) })
		case a == problem.ChoosePermissions:
			add(s.label(a, l.Problem), func() { f.to(stageScopes) })
		case a == problem.SwitchProvider:
			add(s.label(a, l.Problem), func() { f.switchProvider(args) })
		case a == problem.ConfirmHosts:
			add(s.label(a, l.Problem), func() { f.confirmHosts(args["provider"], f.check) })
		case a == problem.CopyAddress:
			add(s.label(a, l.Problem), f.copyAddress)
		case a == problem.OpenProvider:
			add(s.label(a, l.Problem), f.openProvider)
		case key == problem.VaultLocked || key == problem.VaultDismissed || key == problem.VaultDenied:
			add(s.say("connect.app.unlock"), func() { s.testVault(func(*problem.Problem) { f.check() }) })
		case a == problem.TestVault || a == problem.OpenSettings:
			add(s.label(a, l.Problem), s.goSettings)
		case a == problem.TryAgain || a == problem.SignInAgain:
			add(s.say("connect.app.check_again"), f.check)
		}
	}
	return runs
}
