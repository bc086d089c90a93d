// Package provider holds what is peculiar to one family of authorization
// servers, as data: where to ask, with which parameters, what an answer looks
// like, which permissions exist, and what its refusals mean. The protocol
// itself is internal/oauth and knows no provider by name.
//
// Decisions:
//
//   - A definition is read strictly. An unknown key, a placeholder outside the
//     closed set or an address that is not https is an error that names file
//     and line; nothing is guessed, because a definition decides where a client
//     secret is sent (security.md ATT-8, ATT-13).
//   - A person's own files in <home>/providers extend the shipped definitions
//     or add new ones. A file that sends anything of a shipped provider to
//     another host is set aside until the person has confirmed the hosts.
//   - A person's own definition with addresses under more than one registrable
//     domain is a question too. Until it is answered the definition names no
//     host at all, so that nothing can be sent by it, whoever forgets to ask
//     Usable. The answer is bound to the hosts: other hosts are another question.
//   - Practice rewrites the addresses of shipped definitions only. A person's
//     own definition is never mistaken for a pretend one. In practice nothing
//     is retired and nothing has to be asked for: the past can be replayed.
//   - The form is schema 1 of the architecture's contract. Added to it since, all
//     optional: asks, preflight; authorize.config_param, .iss_optional; scope.road;
//     [[preset]]; a step's auth, secret_optional, lifetime; [accounts];
//     [permissions]; revoke.page; and what is inside [[recipe]]. What they mean
//     stands at their fields below.
//   - Refusals are a dictionary beside the addresses: which problem a message
//     or number is. The most specific row speaks, not the first.
package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Definition is one provider. It is a value: copying it is cheap and its maps
// and slices are not changed by anybody after loading; Clone separates them.
type Definition struct {
	// Schema is the version of the file's form, 1.
	Schema int `toml:"schema"`
	// ID is the short name on the command line and in the library, [a-z0-9-].
	ID string `toml:"id"`
	// Name is what people call it.
	Name string `toml:"name"`
	// Checked is the day the facts were last compared with the provider's pages.
	Checked string `toml:"checked"`
	// Status is "current" or "retired".
	Status string `toml:"status"`
	// Retired is the day on which the provider switched it off.
	Retired string `toml:"retired"`
	// ReplacedBy is the id of the definition to use instead.
	ReplacedBy string `toml:"replaced_by"`
	// Asks says that the addresses are the person's to give. The shipped ones
	// then exist in practice only.
	Asks bool `toml:"asks"`
	// Preflight says that the exchange step tells a known app ID from an
	// unknown one, asked with a made-up code and a made-up secret.
	Preflight bool `toml:"preflight"`

	Authorize Authorize `toml:"authorize"`
	Redirect  Redirect  `toml:"redirect"`
	Scopes    []Scope   `toml:"scope"`
	Presets   []Preset  `toml:"preset"`
	Exchange  Step      `toml:"exchange"`
	Extend    Step      `toml:"extend"`
	Renew     Renewal   `toml:"renew"`
	Identity  Identity  `toml:"identity"`
	Accounts  Accounts  `toml:"accounts"`
	// Permissions is for providers whose exchange does not say what was granted.
	Permissions Permissions `toml:"permissions"`
	Media       Media       `toml:"media"`
	// Revoke is nil where neither an address nor a page is known.
	Revoke  *Revocation `toml:"revoke"`
	Inspect *Step       `toml:"inspect"`
	Errors  []ErrorRow  `toml:"error"`
	Recipes []Recipe    `toml:"recipe"`

	shipped    bool
	practising bool
	endpoints  string
	// names are the Names of all definitions by id, filled in by the registry.
	names map[string]string
	// question is open while the hosts wait for a person's word; closed is the
	// definition itself that waits, and not a shipped one beside it.
	question *Question
	closed   bool
}

// Authorize describes the address that the browser opens (RFC 6749 4.1.1).
type Authorize struct {
	URL string `toml:"url"`
	// ClientIDParam is the parameter's name, "client_id" almost everywhere.
	ClientIDParam string `toml:"client_id_param"`
	// ScopeSeparator is "," or " ".
	ScopeSeparator string `toml:"scope_separator"`
	// Fixed parameters are sent as they are.
	Fixed map[string]string `toml:"fixed"`
	// PKCE adds an S256 challenge (RFC 7636); "plain" does not exist here.
	PKCE bool `toml:"pkce"`
	// Issuer, when set, must come back as "iss" (RFC 9207).
	Issuer string `toml:"issuer"`
	// IssOptional says that the server does not promise "iss": one that comes
	// must be the issuer, and none is fine (RFC 9207 section 2.4).
	IssOptional bool `toml:"iss_optional"`
	// ConfigParam is the parameter for a ready-made set of permissions kept at
	// the provider ("config_id"). An app that has one sends it instead of scope.
	ConfigParam string `toml:"config_param"`
}

// Redirect describes which addresses the provider accepts for the answer.
type Redirect struct {
	Schemes       []string `toml:"schemes"`
	LoopbackHosts []string `toml:"loopback_hosts"`
	Default       string   `toml:"default"`
	// Receive lists listen, paste, window: the ways in which an answer can come.
	Receive []string `toml:"receive"`
}

// Scope is one permission by the provider's name. One with RetiredBy or Road
// cannot be asked for; it is listed so that it can be explained.
type Scope struct {
	Name string `toml:"name"`
	// Task groups permissions by what a person wants: show, publish, talk, learn.
	Task string `toml:"task"`
	// Label is the stem of its sentences in the catalogue (.title, .line).
	Label string `toml:"label"`
	// Required permissions are always asked for.
	Required bool `toml:"required"`
	// RetiredBy names the permission that took its place.
	RetiredBy string `toml:"retired_by"`
	// Road is the id of the provider to which this name belongs.
	Road string `toml:"road"`
}

// Offered reports whether the permission can be asked for.
func (s Scope) Offered() bool { return s.RetiredBy == "" && s.Road == "" }

// Preset is a set of permissions under a purpose; its sentence is
// scope.preset.<name>.
type Preset struct {
	Name   string   `toml:"name"`
	Scopes []string `toml:"scopes"`
}

// Step is one request that carries a secret or a token.
type Step struct {
	// Method is GET, POST or DELETE.
	Method string `toml:"method"`
	URL    string `toml:"url"`
	// Encoding says where Params go: multipart, form or query.
	Encoding string            `toml:"encoding"`
	Params   map[string]string `toml:"params"`
	// Answer is meta-flat, meta-nested or rfc6749. Both Meta readers accept
	// both of Meta's forms; the word records which one is documented.
	Answer string `toml:"answer"`
	// Secret says that the request carries the client secret.
	Secret bool `toml:"secret"`
	// Auth says how the client proves who it is: "" in the parameters, "basic"
	// in the Authorization header (RFC 6749 2.3.1).
	Auth string `toml:"auth"`
	// Public says that a client without a secret may send the request too; the
	// parameter is then left out.
	Public bool `toml:"secret_optional"`
	// Lifetime is the documented life of a token whose answer does not state it,
	// for the exchange alone; 0: its end is not known then.
	Lifetime time.Duration `toml:"lifetime"`
}

// Empty reports that the provider has no such step.
func (s Step) Empty() bool { return s.URL == "" }

// Renewal is the step that lengthens a token's life.
type Renewal struct {
	Step
	// After is the age from which the provider renews.
	After time.Duration `toml:"after"`
	// Window is the age at which it is too late.
	Window time.Duration `toml:"window"`
}

// Revocation is how an app's access is ended at the provider. Either half may
// be missing: some providers document no address for it, but all have a page.
type Revocation struct {
	Step
	// Page is where a person ends it by hand, https, opened in the browser. No
	// secret is ever sent there.
	Page string `toml:"page"`
}

// Identity asks whose token it is. The token goes into the query for Meta's
// readers, as documented there, and into the Authorization header otherwise
// (RFC 6750 2.1).
type Identity struct {
	URL string `toml:"url"`
	// Fields maps our names (user_id username name kind posts) to the provider's.
	Fields map[string]string `toml:"fields"`
}

// Accounts lists which accounts a token reaches, for providers whose token
// speaks for a person and not for an account. The names are paths into the
// answer, their parts separated by dots.
type Accounts struct {
	// URL is the first page.
	URL string `toml:"url"`
	// List leads to the rows, Next to the next page's address.
	List string `toml:"list"`
	Next string `toml:"next"`
	// Fields maps our names (user_id username name kind posts page page_id
	// tasks) to paths inside a row. A row without user_id reaches no account.
	Fields map[string]string `toml:"fields"`
}

// Permissions asks what a token may do. The token goes where Identity's does.
type Permissions struct {
	URL string `toml:"url"`
	// List leads to the rows, as in Accounts.
	List string `toml:"list"`
	// Name is a row's member with the permission's name. It counts where the
	// member Status has the value Granted.
	Name    string `toml:"name"`
	Status  string `toml:"status"`
	Granted string `toml:"granted"`
}

// Media says where posts are listed and from which domains their pictures
// come; subdomains count.
type Media struct {
	URL   string   `toml:"url"`
	Hosts []string `toml:"hosts"`
}

// Recipe is a dated walk through the provider's dashboard. Its sentences are
// guide.recipe.<name> and guide.step.<name>.<step> in the catalogue.
type Recipe struct {
	Name string `toml:"name"`
	// Checked is the day on which somebody last walked it.
	Checked string       `toml:"checked"`
	URL     string       `toml:"url"`
	Steps   []RecipeStep `toml:"step"`
}

// RecipeStep is one screen of a recipe.
type RecipeStep struct {
	Name string `toml:"name"`
	// URL is the provider's page for it, https, opened in the browser.
	URL     string   `toml:"url"`
	Layouts []Layout `toml:"layout"`
	// Copy lists what goes into the page, in the page's order: redirect_uri,
	// redirect_uri_2, redirect_uri_3, username.
	Copy []string `toml:"copy"`
	// Paste lists what is taken from the page: client_id, client_secret,
	// config_id, token, username.
	Paste []string `toml:"paste"`
	// Test is what ticks the step by itself: client_id, redirect, vault,
	// sign_in, or empty.
	Test string `toml:"test"`
	// Remedies are the actions of problems that lead here (problem.Guides).
	Remedies []string `toml:"remedies"`
	// Picture lists the words of the drawn picture, from top to bottom.
	Picture []string `toml:"picture"`
}

// Layout is one arrangement of the provider's menu.
type Layout struct {
	Name string `toml:"name"`
	// Path is the menu, as the page's English labels, the last one to be clicked.
	Path []string `toml:"path"`
}

// Clone returns a copy that shares no map and no slice with d.
func (d Definition) Clone() Definition {
	d.Authorize.Fixed = maps.Clone(d.Authorize.Fixed)
	d.Redirect.Schemes = slices.Clone(d.Redirect.Schemes)
	d.Redirect.LoopbackHosts = slices.Clone(d.Redirect.LoopbackHosts)
	d.Redirect.Receive = slices.Clone(d.Redirect.Receive)
	d.Scopes = slices.Clone(d.Scopes)
	d.Presets = slices.Clone(d.Presets)
	for i := range d.Presets {
		d.Presets[i].Scopes = slices.Clone(d.Presets[i].Scopes)
	}
	d.Identity.Fields = maps.Clone(d.Identity.Fields)
	d.Accounts.Fields = maps.Clone(d.Accounts.Fields)
	d.Media.Hosts = slices.Clone(d.Media.Hosts)
	d.Errors = slices.Clone(d.Errors)
	d.Recipes = slices.Clone(d.Recipes)
	for i := range d.Recipes {
		d.Recipes[i].Steps = slices.Clone(d.Recipes[i].Steps)
		for j := range d.Recipes[i].Steps {
			step := &d.Recipes[i].Steps[j]
			step.Copy, step.Paste = slices.Clone(step.Copy), slices.Clone(step.Paste)
			step.Remedies, step.Picture = slices.Clone(step.Remedies), slices.Clone(step.Picture)
			step.Layouts = slices.Clone(step.Layouts)
			for k := range step.Layouts {
				step.Layouts[k].Path = slices.Clone(step.Layouts[k].Path)
			}
		}
	}
	if d.Revoke != nil {
		revoke := *d.Revoke
		d.Revoke = &revoke
	}
	if d.Inspect != nil {
		inspect := *d.Inspect
		d.Inspect = &inspect
	}
	for _, step := range d.steps() {
		step.Params = maps.Clone(step.Params)
	}
	return d
}

// steps gives every step that exists, in the order of their use.
func (d *Definition) steps() []*Step {
	steps := []*Step{}
	for _, step := range []*Step{&d.Exchange, &d.Extend, &d.Renew.Step, d.revocation(), d.Inspect} {
		if step != nil && !step.Empty() {
			steps = append(steps, step)
		}
	}
	return steps
}

func (d *Definition) revocation() *Step {
	if d.Revoke == nil {
		return nil
	}
	return &d.Revoke.Step
}

// EndpointsSHA256 is the hex digest of the addresses (scheme, host, path) that
// the client secret is sent to, before any practice mapping. The library keeps
// it beside an app: when it changes, the secret is asked for again
// (security.md ATT-8). Addresses that only see a token do not count, so that a
// new version of the profile address asks nobody for a secret.
func (d Definition) EndpointsSHA256() string {
	if d.endpoints != "" {
		return d.endpoints
	}
	var lines []string
	for _, step := range d.steps() {
		if !step.Secret {
			continue
		}
		if u, err := url.Parse(step.URL); err == nil {
			lines = append(lines, u.Scheme+"://"+HostPort(u)+u.EscapedPath())
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(lines), "\n")))
	return hex.EncodeToString(sum[:])
}

// Practice returns the definition with every address https://HOST/PATH
// rewritten to <base>/HOST/PATH, where base is the running sandbox. Only
// shipped definitions are rewritten; another one comes back as it is, with
// Practising still false, and must not be used in practice.
func (d Definition) Practice(base *url.URL) Definition {
	if !d.shipped || d.practising {
		return d
	}
	d.endpoints = d.EndpointsSHA256()
	d = d.Clone()
	d.practising = true
	for _, address := range d.addresses() {
		u, err := url.Parse(*address)
		if err != nil {
			continue
		}
		mapped := *base
		mapped.Path = strings.TrimSuffix(base.Path, "/") + "/" + u.Host + u.Path
		mapped.RawPath = ""
		mapped.RawQuery = u.RawQuery
		*address = mapped.String()
	}
	if len(d.Media.Hosts) > 0 {
		d.Media.Hosts = []string{base.Hostname()}
	}
	return d
}

// Practising reports whether the addresses lead to a sandbox.
func (d Definition) Practising() bool { return d.practising }

// Shipped reports whether the definition came with the program, unchanged.
func (d Definition) Shipped() bool { return d.shipped }

// addresses gives every address that is in use; recipes, redirect and issuer
// are not requests and stay out.
func (d *Definition) addresses() []*string {
	all := []*string{&d.Authorize.URL, &d.Identity.URL, &d.Accounts.URL, &d.Permissions.URL, &d.Media.URL}
	for _, step := range d.steps() {
		all = append(all, &step.URL)
	}
	if d.Revoke != nil {
		all = append(all, &d.Revoke.Page)
	}
	return slices.DeleteFunc(all, func(a *string) bool { return *a == "" })
}

// Hosts lists each host[:port] that the program itself may contact, after any
// practice mapping, sorted. The authorization address and the page for revoking
// are the browser's and count only where they share a host; pictures have their
// own list (Media). A definition that waits for its question to be answered has
// none, and neither has one whose addresses are still to be given.
func (d Definition) Hosts() []string {
	if d.closed || d.Asks && d.shipped && !d.practising {
		return nil
	}
	return d.hosts()
}

func (d Definition) hosts() []string {
	var hosts []string
	for _, address := range d.addresses() {
		if address == &d.Authorize.URL || d.Revoke != nil && address == &d.Revoke.Page {
			continue
		}
		if u, err := url.Parse(*address); err == nil && u.Host != "" {
			hosts = append(hosts, HostPort(u))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// Domains lists the registrable domains (by the public suffix list) of all
// addresses, sorted; a loopback host stands for itself. More than one is worth
// a question before a secret is typed in (security.md ATT-8).
func (d Definition) Domains() []string {
	var domains []string
	for _, address := range d.addresses() {
		u, err := url.Parse(*address)
		if err != nil {
			continue
		}
		host := strings.ToLower(u.Hostname())
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil && net.ParseIP(host) == nil {
			host = domain
		}
		domains = append(domains, host)
	}
	slices.Sort(domains)
	return slices.Compact(domains)
}

// Meta reports whether the definition speaks Meta's dialect of OAuth. Its
// client ids are digits, its tokens without a stated end live one hour.
func (d Definition) Meta() bool { return strings.HasPrefix(d.Exchange.Answer, "meta-") }

// Usable gives nil for a provider that can be connected to. Otherwise the
// problem is definition.hosts (args provider, hosts, file) while a person's own
// file waits for its question to be answered, provider.addresses for the shipped
// definition whose addresses are the person's to give, and provider.retired
// (args provider, retired, replaced_by, replacement) for one that its owner has
// switched off. In practice everything is usable.
func (d Definition) Usable() error {
	switch {
	case d.practising:
		return nil
	case d.question != nil:
		return d.question.Problem()
	case d.Asks && d.shipped:
		return problem.New(problem.ProviderAddresses, "provider", d.Name)
	case d.Status == "retired":
		return problem.New(problem.ProviderRetired, "provider", d.Name, "retired", d.Retired,
			"replaced_by", d.ReplacedBy, "replacement", d.names[d.ReplacedBy])
	}
	return nil
}

// Refreshes reports whether renewing takes a refresh token (RFC 6749 6) and
// not the access token itself.
func (d Definition) Refreshes() bool {
	for _, value := range d.Renew.Params {
		if strings.Contains(value, "{refresh_token}") {
			return !d.Renew.Empty()
		}
	}
	return false
}

// RecipeFor finds the recipe and its step to which a problem's action leads.
func (d Definition) RecipeFor(a problem.Action) (recipe Recipe, step int, ok bool) {
	for _, r := range d.Recipes {
		for i, s := range r.Steps {
			if slices.Contains(s.Remedies, string(a)) {
				return r, i, true
			}
		}
	}
	return Recipe{}, 0, false
}

// Scope finds a permission by its name, also one that is not offered.
func (d Definition) Scope(name string) (Scope, bool) {
	i := slices.IndexFunc(d.Scopes, func(s Scope) bool { return s.Name == name })
	if i < 0 {
		return Scope{}, false
	}
	return d.Scopes[i], true
}

// HostPort is an address's host in lower case, with the port where it is not
// the scheme's own: the form in which Hosts lists them.
func HostPort(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		return host
	}
	return host + ":" + port
}

// Fill replaces the placeholders of a template. complete is false when one of
// them has no value; the parameter is then not sent.
func Fill(template string, value func(placeholder string) string) (filled string, complete bool) {
	complete = true
	filled = placeholderForm.ReplaceAllStringFunc(template, func(found string) string {
		v := value(strings.Trim(found, "{}"))
		complete = complete && v != ""
		return v
	})
	return filled, complete
}
