package provider

import (
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// form is what a word in a definition may look like, and how long it may be. A
// count inside an expression would be compiled as so many copies of it.
type form struct {
	most       int
	expression *regexp.Regexp
}

// MatchString reports whether s has the form.
func (f form) MatchString(s string) bool { return len(s) <= f.most && f.expression.MatchString(s) }

var (
	idForm          = form{48, regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)}
	paramForm       = form{64, regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)}
	scopeForm       = form{128, regexp.MustCompile(`^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$`)} // RFC 6749 3.3 without the comma
	wordForm        = form{40, regexp.MustCompile(`^[a-z0-9_]+$`)}
	labelForm       = form{128, regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)}
	codeForm        = form{40, regexp.MustCompile(`^[A-Za-z0-9_-]+$`)}
	pathForm        = form{200, regexp.MustCompile(`^\w+(\.\w+){0,5}$`)}
	placeholderForm = regexp.MustCompile(`\{[^{}]*\}`)
)

// reserved parameters of the authorization address belong to the engine.
var reserved = []string{"response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
	"client_id", "client_secret", "access_token", "code_verifier"}

// Placeholders of each step; together they are the contract's closed set.
var placeholders = map[string][]string{
	"exchange": {"client_id", "client_secret", "code", "redirect_uri", "code_verifier"},
	"extend":   {"client_id", "client_secret", "access_token"},
	"renew":    {"client_id", "client_secret", "access_token", "refresh_token"},
	"revoke":   {"client_id", "client_secret", "access_token", "refresh_token"},
	"inspect":  {"client_id", "client_secret", "access_token"},
}

// check looks at a whole definition; local says that loopback addresses over
// plain http are welcome, which holds for a person's own definitions only.
func (d *Definition) check(local bool) error {
	bad := func(path, reason, value string) error { return &flaw{path: path, reason: reason, value: value} }
	switch {
	case d.Schema != 1:
		return bad("schema", reasonValue, strconv.Itoa(d.Schema))
	case !idForm.MatchString(d.ID):
		return bad("id", reasonValue, d.ID)
	case d.Name == "":
		return bad("name", reasonMissing, "")
	case d.Name != problem.Outside(d.Name, 60):
		return bad("name", reasonValue, d.Name)
	case d.Status != "current" && d.Status != "retired":
		return bad("status", reasonValue, d.Status)
	}
	for path, day := range map[string]string{"checked": d.Checked, "retired": d.Retired} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return bad(path, reasonValue, day)
		}
	}
	if d.Status == "retired" && d.Retired == "" {
		return bad("retired", reasonMissing, "")
	}
	if d.Status == "current" && d.Retired != "" {
		return bad("retired", reasonValue, d.Retired)
	}
	if d.ReplacedBy != "" && !idForm.MatchString(d.ReplacedBy) {
		return bad("replaced_by", reasonValue, d.ReplacedBy)
	}
	for _, part := range []func(bool) error{d.checkAuthorize, d.checkRedirect, d.checkScopes, d.checkSteps, d.checkReading, d.checkAccounts, d.checkPermissions, d.checkRecipes, d.checkErrors} {
		if err := part(local); err != nil {
			return err
		}
	}
	return nil
}

func (d *Definition) checkAuthorize(local bool) error {
	a := &d.Authorize
	if err := address("authorize.url", a.URL, local); err != nil {
		return err
	}
	if !paramForm.MatchString(a.ClientIDParam) {
		return &flaw{"authorize.client_id_param", reasonValue, a.ClientIDParam}
	}
	if a.ScopeSeparator != "," && a.ScopeSeparator != " " {
		return &flaw{"authorize.scope_separator", reasonValue, a.ScopeSeparator}
	}
	if a.ConfigParam != "" && (!paramForm.MatchString(a.ConfigParam) || slices.Contains(reserved, a.ConfigParam)) {
		return &flaw{"authorize.config_param", reasonValue, a.ConfigParam}
	}
	for name, value := range a.Fixed {
		path := "authorize.fixed." + name
		if !paramForm.MatchString(name) || slices.Contains(reserved, name) || name == a.ClientIDParam || name == a.ConfigParam {
			return &flaw{path, reasonValue, name}
		}
		if strings.ContainsAny(value, "{}") && placeholderForm.MatchString(value) {
			return &flaw{path, reasonPlaceholder, value}
		}
	}
	if a.Issuer != "" {
		return address("authorize.issuer", a.Issuer, local)
	}
	if a.IssOptional {
		return &flaw{"authorize.issuer", reasonMissing, ""}
	}
	return nil
}

func (d *Definition) checkRedirect(bool) error {
	r := &d.Redirect
	for i, scheme := range r.Schemes {
		if scheme != "https" && scheme != "http" {
			return &flaw{"redirect.schemes[" + strconv.Itoa(i) + "]", reasonValue, scheme}
		}
	}
	for i, host := range r.LoopbackHosts {
		if !loopback(host) {
			return &flaw{"redirect.loopback_hosts[" + strconv.Itoa(i) + "]", reasonValue, host}
		}
	}
	for i, way := range r.Receive {
		if way != "listen" && way != "paste" && way != "window" {
			return &flaw{"redirect.receive[" + strconv.Itoa(i) + "]", reasonValue, way}
		}
	}
	if r.Default == "" {
		if d.Status == "current" {
			return &flaw{"redirect.default", reasonMissing, ""}
		}
		return nil
	}
	u, err := url.Parse(r.Default)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || !slices.Contains(r.Schemes, u.Scheme) {
		return &flaw{"redirect.default", reasonAddress, bare(r.Default)}
	}
	return nil
}

func (d *Definition) checkScopes(bool) error {
	seen := map[string]bool{}
	for i, s := range d.Scopes {
		path := "scope[" + strconv.Itoa(i) + "]."
		switch {
		case !scopeForm.MatchString(s.Name):
			return &flaw{path + "name", reasonValue, s.Name}
		case seen[s.Name]:
			return &flaw{path + "name", reasonDuplicate, s.Name}
		case s.Task != "" && !wordForm.MatchString(s.Task):
			return &flaw{path + "task", reasonValue, s.Task}
		case s.Label != "" && !labelForm.MatchString(s.Label):
			return &flaw{path + "label", reasonValue, s.Label}
		case s.RetiredBy != "" && s.Road != "":
			return &flaw{path + "road", reasonDuplicate, s.Road}
		case s.RetiredBy != "" && !scopeForm.MatchString(s.RetiredBy):
			return &flaw{path + "retired_by", reasonValue, s.RetiredBy}
		case s.Road != "" && !idForm.MatchString(s.Road):
			return &flaw{path + "road", reasonValue, s.Road}
		case s.Required && !s.Offered():
			return &flaw{path + "required", reasonValue, "true"}
		}
		seen[s.Name] = true
	}
	names := map[string]bool{}
	for i, p := range d.Presets {
		path := "preset[" + strconv.Itoa(i) + "]."
		if !wordForm.MatchString(p.Name) {
			return &flaw{path + "name", reasonValue, p.Name}
		}
		if names[p.Name] {
			return &flaw{path + "name", reasonDuplicate, p.Name}
		}
		names[p.Name] = true
		for j, name := range p.Scopes {
			if s, ok := d.Scope(name); !ok || !s.Offered() {
				return &flaw{path + "scopes[" + strconv.Itoa(j) + "]", reasonValue, name}
			}
		}
	}
	return nil
}

func (d *Definition) checkSteps(local bool) error {
	if d.Exchange.Empty() && d.Status == "current" {
		return &flaw{"exchange.url", reasonMissing, ""}
	}
	for _, row := range []struct {
		name string
		step *Step
	}{{"exchange", &d.Exchange}, {"extend", &d.Extend}, {"renew", &d.Renew.Step}, {"revoke", d.revocation()}, {"inspect", d.Inspect}} {
		if row.step == nil {
			continue
		}
		if err := row.step.check(row.name, local); err != nil {
			return err
		}
	}
	if d.Revoke != nil && d.Revoke.Page != "" {
		// A browser opens it, so it is https even in a person's own definition.
		if err := address("revoke.page", d.Revoke.Page, false); err != nil {
			return err
		}
	}
	if d.Authorize.PKCE && !slices.Contains(slices.Collect(maps.Values(d.Exchange.Params)), "{code_verifier}") {
		return &flaw{"authorize.pkce", reasonValue, "true"}
	}
	if d.Renew.After < 0 {
		return &flaw{"renew.after", reasonValue, d.Renew.After.String()}
	}
	if d.Renew.Window < 0 || d.Renew.Window > 0 && d.Renew.Window <= d.Renew.After {
		return &flaw{"renew.window", reasonValue, d.Renew.Window.String()}
	}
	return nil
}

func (s *Step) check(name string, local bool) error {
	if s.Empty() {
		if s.Method != "" || s.Encoding != "" || len(s.Params) > 0 || s.Answer != "" || s.Secret || s.Public || s.Auth != "" || s.Lifetime != 0 {
			return &flaw{name + ".url", reasonMissing, ""}
		}
		return nil
	}
	if err := address(name+".url", s.URL, local); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]string{"GET", "POST", "DELETE"}, s.Method):
		return &flaw{name + ".method", reasonValue, s.Method}
	case !slices.Contains([]string{"multipart", "form", "query"}, s.Encoding) || s.Method != "POST" && s.Encoding != "query":
		return &flaw{name + ".encoding", reasonValue, s.Encoding}
	case name == "exchange" && s.Method != "POST":
		// A code and a secret in an address end up in other people's logs.
		return &flaw{name + ".method", reasonValue, s.Method}
	case !slices.Contains([]string{"meta-flat", "meta-nested", "rfc6749"}, s.Answer) && (s.Answer != "" || name != "revoke" && name != "inspect"):
		return &flaw{name + ".answer", reasonValue, s.Answer}
	}
	if s.Lifetime < 0 || s.Lifetime > 0 && name != "exchange" {
		return &flaw{name + ".lifetime", reasonValue, s.Lifetime.String()}
	}
	secret := false
	for param, value := range s.Params {
		path := name + ".params." + param
		if !paramForm.MatchString(param) {
			return &flaw{path, reasonValue, param}
		}
		// What stands beside a placeholder is not repeated: somebody may have
		// written a secret there.
		for _, found := range placeholderForm.FindAllString(value, -1) {
			if !slices.Contains(placeholders[name], strings.Trim(found, "{}")) {
				return &flaw{path, reasonPlaceholder, found}
			}
			secret = secret || found == "{client_secret}"
		}
		if strings.ContainsAny(placeholderForm.ReplaceAllString(value, ""), "{}") {
			return &flaw{path, reasonPlaceholder, ""}
		}
		if param == "client_secret" && value != "{client_secret}" {
			return &flaw{path, reasonPlaceholder, ""}
		}
	}
	if s.Auth == "basic" {
		// RFC 6749 2.3: never more than one way in one request.
		if secret || s.Method != "POST" {
			return &flaw{name + ".auth", reasonValue, s.Auth}
		}
		secret = true
	}
	if s.Auth != "" && s.Auth != "basic" {
		return &flaw{name + ".auth", reasonValue, s.Auth}
	}
	if s.Public && !s.Secret {
		return &flaw{name + ".secret_optional", reasonValue, "true"}
	}
	if secret != s.Secret {
		return &flaw{name + ".secret", reasonValue, strconv.FormatBool(s.Secret)}
	}
	return nil
}

func (d *Definition) checkReading(local bool) error {
	if d.Identity.URL == "" {
		if len(d.Identity.Fields) > 0 {
			return &flaw{"identity.url", reasonMissing, ""}
		}
	} else {
		if err := address("identity.url", d.Identity.URL, local); err != nil {
			return err
		}
		if d.Identity.Fields["user_id"] == "" {
			return &flaw{"identity.fields.user_id", reasonMissing, ""}
		}
	}
	for ours, theirs := range d.Identity.Fields {
		path := "identity.fields." + ours
		if !slices.Contains([]string{"user_id", "username", "name", "kind", "posts"}, ours) {
			return &flaw{path, reasonUnknownKey, ours}
		}
		if !paramForm.MatchString(theirs) {
			return &flaw{path, reasonValue, theirs}
		}
	}
	if d.Media.URL != "" {
		if err := address("media.url", d.Media.URL, local); err != nil {
			return err
		}
	}
	for i, host := range d.Media.Hosts {
		// A whole public suffix would let everybody's pictures in.
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err != nil || !strings.HasSuffix(host, domain) || strings.ContainsAny(host, "/:@*") {
			return &flaw{"media.hosts[" + strconv.Itoa(i) + "]", reasonValue, host}
		}
	}
	return nil
}

func (d *Definition) checkPermissions(local bool) error {
	p := &d.Permissions
	words := [][2]string{{"list", p.List}, {"name", p.Name}, {"status", p.Status}, {"granted", p.Granted}}
	if p.URL == "" {
		for _, word := range words {
			if word[1] != "" {
				return &flaw{"permissions.url", reasonMissing, ""}
			}
		}
		return nil
	}
	if err := address("permissions.url", p.URL, local); err != nil {
		return err
	}
	for _, word := range words {
		if !pathForm.MatchString(word[1]) {
			return &flaw{"permissions." + word[0], reasonValue, word[1]}
		}
	}
	return nil
}

func (d *Definition) checkAccounts(local bool) error {
	a := &d.Accounts
	if a.URL == "" {
		if a.List != "" || a.Next != "" || len(a.Fields) > 0 {
			return &flaw{"accounts.url", reasonMissing, ""}
		}
		return nil
	}
	if err := address("accounts.url", a.URL, local); err != nil {
		return err
	}
	if !pathForm.MatchString(a.List) {
		return &flaw{"accounts.list", reasonValue, a.List}
	}
	if a.Next != "" && !pathForm.MatchString(a.Next) {
		return &flaw{"accounts.next", reasonValue, a.Next}
	}
	if a.Fields["user_id"] == "" {
		return &flaw{"accounts.fields.user_id", reasonMissing, ""}
	}
	for _, ours := range slices.Sorted(maps.Keys(a.Fields)) {
		path, theirs := "accounts.fields."+ours, a.Fields[ours]
		if !slices.Contains([]string{"user_id", "username", "name", "kind", "posts", "page", "page_id", "tasks"}, ours) {
			return &flaw{path, reasonUnknownKey, ours}
		}
		if !pathForm.MatchString(theirs) {
			return &flaw{path, reasonValue, theirs}
		}
	}
	return nil
}

// The closed sets of a recipe's step.
var (
	copied = []string{"redirect_uri", "redirect_uri_2", "redirect_uri_3", "username"}
	pasted = []string{"client_id", "client_secret", "config_id", "token", "username"}
	tested = []string{"", "client_id", "redirect", "vault", "sign_in"}
)

func (d *Definition) checkRecipes(bool) error {
	names := map[string]bool{}
	for i, r := range d.Recipes {
		path := "recipe[" + strconv.Itoa(i) + "]."
		if !wordForm.MatchString(r.Name) {
			return &flaw{path + "name", reasonValue, r.Name}
		}
		if names[r.Name] {
			return &flaw{path + "name", reasonDuplicate, r.Name}
		}
		names[r.Name] = true
		if _, err := time.Parse(time.DateOnly, r.Checked); r.Checked != "" && err != nil {
			return &flaw{path + "checked", reasonValue, r.Checked}
		}
		if err := recipePage(path+"url", r.URL); err != nil {
			return err
		}
		steps := map[string]bool{}
		for j, s := range r.Steps {
			inner := path + "step[" + strconv.Itoa(j) + "]."
			if steps[s.Name] {
				return &flaw{inner + "name", reasonDuplicate, s.Name}
			}
			steps[s.Name] = true
			if err := s.check(inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s RecipeStep) check(path string) error {
	if !wordForm.MatchString(s.Name) {
		return &flaw{path + "name", reasonValue, s.Name}
	}
	if err := recipePage(path+"url", s.URL); err != nil {
		return err
	}
	for i, l := range s.Layouts {
		inner := path + "layout[" + strconv.Itoa(i) + "]."
		if !wordForm.MatchString(l.Name) {
			return &flaw{inner + "name", reasonValue, l.Name}
		}
		if len(l.Path) == 0 {
			return &flaw{inner + "path", reasonMissing, ""}
		}
		for j, label := range l.Path {
			if label == "" || label != problem.Outside(label, 100) {
				return &flaw{inner + "path[" + strconv.Itoa(j) + "]", reasonValue, label}
			}
		}
	}
	if !slices.Contains(tested, s.Test) {
		return &flaw{path + "test", reasonValue, s.Test}
	}
	guides := make([]string, 0, len(problem.Guides()))
	for _, a := range problem.Guides() {
		guides = append(guides, string(a))
	}
	for _, row := range []struct {
		name       string
		said, from []string
	}{{"copy", s.Copy, copied}, {"paste", s.Paste, pasted}, {"remedies", s.Remedies, guides}} {
		for i, word := range row.said {
			if !slices.Contains(row.from, word) {
				return &flaw{path + row.name + "[" + strconv.Itoa(i) + "]", reasonValue, word}
			}
		}
	}
	for i, label := range s.Picture {
		if label == "" || label != problem.Outside(label, 100) {
			return &flaw{path + "picture[" + strconv.Itoa(i) + "]", reasonValue, label}
		}
	}
	return nil
}

// recipePage accepts no address, or one that a browser may open.
func recipePage(path, text string) error {
	if text == "" {
		return nil
	}
	return address(path, text, false)
}

func (d *Definition) checkErrors(bool) error {
	for i := range d.Errors {
		e := &d.Errors[i]
		path := "error[" + strconv.Itoa(i) + "]."
		switch {
		case !problem.Listed(problem.Key(e.Key)):
			return &flaw{path + "key", reasonValue, e.Key}
		case e.Match == "" && e.Code == "" && e.Subcode == "":
			return &flaw{path + "match", reasonMissing, ""}
		case len(e.Match) > 500 || !e.compile():
			return &flaw{path + "match", reasonValue, e.Match}
		case e.Code != "" && !codeForm.MatchString(string(e.Code)):
			return &flaw{path + "code", reasonValue, string(e.Code)}
		case e.Subcode != "" && !codeForm.MatchString(string(e.Subcode)):
			return &flaw{path + "subcode", reasonValue, string(e.Subcode)}
		}
		for _, where := range strings.Fields(e.Where) {
			if !slices.Contains(places, where) {
				return &flaw{path + "where", reasonValue, where}
			}
		}
		e.Where = strings.Join(strings.Fields(e.Where), " ")
	}
	return nil
}

// address accepts an absolute https address without userinfo and fragment
// (RFC 6749 3.1, 3.2; security.md ATT-13), and http where local is true and
// the host is loopback.
func address(path, text string, local bool) error {
	if text == "" {
		return &flaw{path, reasonMissing, ""}
	}
	u, err := url.Parse(text)
	wrong := err != nil || u.Opaque != "" || u.Hostname() == "" || u.User != nil ||
		strings.ContainsAny(text, "#{}\\ \t\r\n") || strings.Contains(u.Path, "..") || len(text) > 2000
	if !wrong {
		wrong = u.Scheme != "https" && !(local && u.Scheme == "http" && loopback(u.Hostname()))
	}
	if !wrong && u.Port() != "" {
		n, err := strconv.Atoi(u.Port())
		wrong = err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != u.Port()
	}
	if !wrong {
		wrong = !plainHost(u.Hostname())
		for _, r := range text {
			wrong = wrong || r < 0x21 || r > 0x7e
		}
	}
	if wrong {
		return &flaw{path, reasonAddress, bare(text)}
	}
	return nil
}

// hostForm is a name as certificates write it, with the underscore that some
// companies use.
var hostForm = regexp.MustCompile(`^(\w([\w-]*\w)?\.)*\w([\w-]*\w)?$`)

// plainHost reports whether a host is shown to a person exactly as it is used:
// a name of plain letters (another script's as xn--…), or an address of numbers
// in its usual form. Go reads %D0%B0 in a host as a letter that looks like an
// "a", and browsers read 2130706433 as 127.0.0.1; neither may be in a question.
func plainHost(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	number := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(strings.ToLower(last), "0x")
	long := slices.ContainsFunc(strings.Split(host, "."), func(label string) bool { return len(label) > 63 })
	return len(host) <= 253 && !long && hostForm.MatchString(host) && !number
}

// bare is an address without what may be secret in it: a password before the
// host, the query, the fragment.
func bare(text string) string {
	text, _, _ = strings.Cut(text, "?")
	text, _, _ = strings.Cut(text, "#")
	if at := strings.LastIndex(text, "@"); at >= 0 {
		scheme, _, found := strings.Cut(text[:at], "://")
		if !found {
			return text[at+1:]
		}
		return scheme + "://" + text[at+1:]
	}
	return text
}

// loopback reports whether a host name or address never leaves this computer.
func loopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
