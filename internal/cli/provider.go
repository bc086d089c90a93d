package cli

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type providerAddOptions struct {
	Issuer string
	// Server is what was given by hand; it wins over what the issuer says.
	Server provider.Server
}

func (p *program) providerAddCommand(run func(context.Context, providerAddOptions) error) *cobra.Command {
	var o providerAddOptions
	cmd := p.command("add", "provider.add", "")
	f := cmd.Flags()
	for _, flag := range []struct {
		name, words string
		value       *string
	}{
		{"issuer", "issuer", &o.Issuer},
		{"authorize-url", "authorize_url", &o.Server.AuthorizeURL},
		{"token-url", "token_url", &o.Server.TokenURL},
		{"userinfo-url", "userinfo_url", &o.Server.IdentityURL},
		{"revoke-url", "revoke_url", &o.Server.RevokeURL},
		{"name", "name", &o.Server.Name},
		{"id", "its_id", &o.Server.ID},
		{"auth", "auth", &o.Server.Auth},
	} {
		f.StringVar(flag.value, flag.name, "", p.say.Say("cli.provider.add.flag."+flag.words))
		complete(cmd, flag.name, nil)
	}
	f.StringArrayVar(&o.Server.Scopes, "scope", nil, p.say.Say("cli.provider.add.flag.scope"))
	complete(cmd, "scope", nil)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path := cmd.CommandPath()
		if o.Issuer == "" && o.Server.AuthorizeURL == "" {
			return usage("server_missing", "command", path)
		}
		if o.Issuer == "" {
			if err := required(cmd, "authorize-url", "token-url"); err != nil {
				return err
			}
		}
		switch o.Server.Auth {
		case "", "basic", "none":
		case "body":
			o.Server.Auth = "post"
		default:
			return usage("flag_wrong", "command", path, "flag", "--auth", "takes", "body, basic, none")
		}
		for _, flag := range []string{"issuer", "authorize-url", "token-url", "userinfo-url", "revoke-url"} {
			if given, _ := f.GetString(flag); f.Changed(flag) && !isAddress(given) {
				return usage("flag_wrong", "command", path, "flag", "--"+flag, "takes", "https://…, http://127.0.0.1:…, http://localhost:…")
			}
		}
		o.Server.Scopes = scopeList(o.Server.Scopes)
		return run(cmd.Context(), o)
	}
	return cmd
}

// isAddress tells an address that a server can have from a slip of the
// keyboard; whether it may be used is decided where it is read.
func isAddress(typed string) bool {
	u, err := url.Parse(strings.TrimSpace(typed))
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// providerObject is one provider, as provider list prints it.
type providerObject struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	// Shipped: it came with the program, and no file of the person changes it.
	Shipped bool     `json:"shipped"`
	Hosts   []string `json:"hosts"`
	// Renews: what it gives can be renewed without a sign-in.
	Renews     bool     `json:"renews"`
	Checked    string   `json:"checked"`
	ReplacedBy string   `json:"replaced_by"`
	Recipes    []string `json:"recipes"`
	// Unconfirmed are the hosts that a file of the person's would contact, once
	// they are confirmed.
	Unconfirmed []string `json:"unconfirmed,omitempty"`
	// Problem is why nobody can sign in with it now.
	Problem *problemObject `json:"problem,omitempty"`
}

// flawedLine is a file of the person's that cannot be used.
type flawedLine struct {
	Event   string        `json:"event"`
	File    string        `json:"file"`
	Line    string        `json:"line"`
	Problem problemObject `json:"problem"`
}

func (p *program) providerObject(s service, d provider.Definition) providerObject {
	o := providerObject{
		ID: d.ID, Name: d.Name, Status: d.Status, Shipped: d.Shipped(), Hosts: append([]string{}, d.Hosts()...),
		Renews: !d.Renew.Empty(), Checked: d.Checked, ReplacedBy: d.ReplacedBy, Recipes: []string{},
	}
	for _, r := range d.Recipes {
		o.Recipes = append(o.Recipes, r.Name)
	}
	for _, q := range s.Questions() {
		if q.ID == d.ID {
			o.Unconfirmed = q.Hosts
		}
	}
	if err := usable(s, d); err != nil {
		told := p.problemObject(problem.Of(err))
		o.Problem = &told
	}
	return o
}

// usable is why nobody can sign in with d now, nil where somebody can. Every
// provider that came with us can be practised.
func usable(s service, d provider.Definition) error {
	if s.Practising() && d.Shipped() {
		return nil
	}
	return d.Usable()
}

// providerAdd writes a definition of the person's own. A password never goes
// through here: the app's ID and secret come later, with app add.
func (p *program) providerAdd(ctx context.Context, o providerAddOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	server := o.Server
	// A server that does not know PKCE passes over it (RFC 6749 3.1).
	server.PKCE = true
	if o.Issuer != "" {
		found, err := s.Discover(ctx, o.Issuer)
		if err != nil {
			return err
		}
		server = over(found, o.Server)
	}
	d, err := s.AddProvider(ctx, server)
	if err != nil {
		return err
	}
	if p.json {
		p.object(p.providerObject(s, d))
	}
	p.result(p.say.Say("cli.provider.add.done", text.Args{"id": d.ID, "name": problem.Outside(d.Name, 80)}))
	for _, q := range s.Questions() {
		if q.ID == d.ID {
			p.note(p.hostsOf(q))
			p.note(p.say.Say("cli.provider.add.confirm", one("command", programName+" provider confirm "+d.ID)))
			return nil
		}
	}
	p.nextIsAnApp(d.ID)
	return nil
}

// nextIsAnApp says what a provider that is ready is waiting for.
func (p *program) nextIsAnApp(id string) {
	p.note(p.say.Say("cli.provider.add.next", one("command", programName+" app add --name NAME --provider "+id+" --client-id ID")))
}

// over puts what was given by hand in the place of what was found.
func over(found, given provider.Server) provider.Server {
	for _, field := range []struct{ found, given *string }{
		{&found.AuthorizeURL, &given.AuthorizeURL}, {&found.TokenURL, &given.TokenURL}, {&found.IdentityURL, &given.IdentityURL},
		{&found.RevokeURL, &given.RevokeURL}, {&found.Name, &given.Name}, {&found.ID, &given.ID}, {&found.Auth, &given.Auth},
	} {
		if *field.given != "" {
			*field.found = *field.given
		}
	}
	if len(given.Scopes) > 0 {
		found.Scopes = given.Scopes
	}
	return found
}

func (p *program) providerListCommand(run func(context.Context) error) *cobra.Command {
	cmd := p.command("list", "provider.list", "")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }
	return cmd
}

func (p *program) providerList(ctx context.Context) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	rows := [][]string{p.heads("provider", "name", "state", "renewing", "hosts")}
	for _, d := range s.Providers() {
		o := p.providerObject(s, d)
		if p.json {
			p.object(o)
			continue
		}
		state := "cli.provider.list.ready"
		if s.Practising() && d.Usable() != nil && usable(s, d) == nil {
			state = "cli.provider.list.practising"
		} else if err := usable(s, d); err != nil {
			state = map[problem.Key]string{
				problem.ProviderRetired: "cli.provider.list.retired", problem.DefinitionHosts: "cli.provider.list.confirm",
				problem.ProviderAddresses: "cli.provider.list.addresses",
			}[problem.Of(err).Key]
		}
		renewing := "cli.provider.list.renews"
		switch {
		case d.Status == "retired":
			renewing = "cli.none"
		case !o.Renews:
			renewing = "cli.provider.list.signs_in"
		}
		hosts := p.say.Say("cli.none")
		if shown := slices.Concat(o.Hosts, o.Unconfirmed); len(shown) > 0 {
			hosts = strings.Join(lower(shown), ", ")
		}
		rows = append(rows, []string{d.ID, problem.Outside(d.Name, 80), p.say.Say(state), p.say.Say(renewing), hosts})
	}
	if p.json {
		for _, issue := range s.DefinitionIssues() {
			wrong := problem.Of(issue)
			p.object(flawedLine{Event: "flaw", File: wrong.Args["file"], Line: wrong.Args["line"], Problem: p.problemObject(wrong)})
		}
		return nil
	}
	p.table(rows)
	return nil
}

type providerConfirmOptions struct {
	ID string
	// Hosts repeats what is confirmed, where nobody can be asked.
	Hosts []string
}

func (p *program) providerConfirmCommand(run func(context.Context, providerConfirmOptions) error) *cobra.Command {
	var o providerConfirmOptions
	cmd := p.command("confirm", "provider.confirm", "ID")
	cmd.ValidArgsFunction = p.completeArgument(func() []string {
		return p.library(func(_ context.Context, s service) []string {
			var ids []string
			for _, q := range s.Questions() {
				ids = append(ids, q.ID)
			}
			return ids
		})
	})
	cmd.Flags().StringArrayVar(&o.Hosts, "hosts", nil, p.say.Say("cli.provider.confirm.flag.hosts"))
	complete(cmd, "hosts", nil)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.ID, o.Hosts = args[0], scopeList(o.Hosts)
		return run(cmd.Context(), o)
	}
	return cmd
}

// hostsOf shows where a definition would send things (ATT-8).
func (p *program) hostsOf(q provider.Question) string {
	lines := []string{p.say.Say("cli.provider.confirm.hosts", text.Args{"name": problem.Outside(q.Name, 80), "file": problem.Outside(q.File, 100)})}
	for _, host := range q.Hosts {
		mark := ""
		if q.Former != nil && !slices.Contains(q.Former, host) {
			mark = " " + p.say.Say("cli.provider.confirm.new")
		}
		lines = append(lines, "  "+host+mark)
	}
	return strings.Join(lines, "\n")
}

func (p *program) providerConfirm(ctx context.Context, o providerConfirmOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	open := s.Questions()
	i := slices.IndexFunc(open, func(q provider.Question) bool { return q.ID == o.ID })
	if i < 0 {
		if d, known := definitionOf(s, o.ID); known {
			p.note(p.say.Say("cli.provider.confirm.nothing", one("name", problem.Outside(d.Name, 80))))
			return nil
		}
		return problem.New(problem.ProviderUnknown, "provider", problem.Outside(o.ID, 60), "known", strings.Join(idsOf(s), ", "))
	}
	q := open[i]
	p.note(p.hostsOf(q))
	if len(o.Hosts) == 0 {
		if !p.canAsk() {
			return usage("hosts_missing", "command", programName+" provider confirm "+q.ID, "hosts", strings.Join(q.Hosts, ","))
		}
		p.prompt(p.say.Say("cli.provider.confirm.ask", one("id", q.ID)))
		line, err := p.lines.next(p.in, maxSecret)
		if err != nil || strings.TrimSpace(line) != q.ID {
			return problem.New(problem.SignInCancelled, "reason", "stopped")
		}
	} else if given := lower(o.Hosts); !slices.Equal(given, lower(q.Hosts)) {
		return usage("hosts_other", "command", programName+" provider confirm "+q.ID, "hosts", strings.Join(q.Hosts, ","))
	}
	if err := s.ConfirmProvider(ctx, q); err != nil {
		return err
	}
	if p.json {
		p.object(struct {
			Event    string   `json:"event"`
			Provider string   `json:"provider"`
			Hosts    []string `json:"hosts"`
		}{"confirmed", q.ID, q.Hosts})
	}
	p.result(p.say.Say("cli.provider.confirm.done", one("name", problem.Outside(q.Name, 80))))
	p.nextIsAnApp(q.ID)
	return nil
}

// lower gives hosts in one form and order, each once.
func lower(hosts []string) []string {
	same := make([]string, 0, len(hosts))
	for _, host := range hosts {
		same = append(same, strings.ToLower(host))
	}
	slices.Sort(same)
	return slices.Compact(same)
}

func (p *program) providerRemoveCommand(run func(ctx context.Context, id string) error) *cobra.Command {
	cmd := p.command("remove", "provider.remove", "ID")
	cmd.ValidArgsFunction = p.completeArgument(func() []string {
		return p.library(func(_ context.Context, s service) []string {
			var ids []string
			for _, d := range s.Providers() {
				if !d.Shipped() {
					ids = append(ids, d.ID)
				}
			}
			return ids
		})
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args[0]) }
	return cmd
}

func (p *program) providerRemove(ctx context.Context, id string) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	shipped := func() bool {
		d, known := definitionOf(s, id)
		return known && d.Shipped()
	}
	if err := s.RemoveProvider(ctx, id); err != nil {
		if problem.Has(err, problem.ProviderUnknown) && shipped() {
			return usage("provider_stays", "command", programName+" provider remove", "id", id)
		}
		return err
	}
	if p.json {
		p.object(struct {
			Event    string `json:"event"`
			Provider string `json:"provider"`
		}{"removed", id})
	}
	p.result(p.say.Say("cli.provider.remove.done", one("id", problem.Outside(id, 60))))
	if shipped() {
		return nil // its file changed one that came with us, which is there again
	}
	var left []string
	apps, _ := s.Apps(ctx)
	for _, app := range apps {
		if app.Provider == id {
			left = append(left, problem.Outside(app.Name, 80))
		}
	}
	if len(left) > 0 {
		p.note(p.say.Say("cli.provider.remove.left", one("apps", strings.Join(left, ", "))))
	}
	return nil
}
