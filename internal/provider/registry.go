package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/resources"
)

// Limits on a person's own definitions; the shipped ones are a tenth of it.
const (
	maxFile  = 256 << 10
	maxFiles = 100
)

// Registry is every definition that can be used.
type Registry struct {
	byID    map[string]Definition
	waiting map[string]waiting
}

// waiting is a person's own definition whose hosts nobody has confirmed.
type waiting struct {
	question   Question
	definition Definition
}

// Question is asked before a person's own definition is used for the first
// time, when it would send things of a shipped provider to other hosts, or when
// its addresses lie under more than one registrable domain (security.md ATT-8):
// an attacker's file may name an honest sign-in page and a token address of
// their own (RFC 9700 4.4.1).
type Question struct {
	// ID and Name are the definition's; File is its name in the folder.
	ID, Name, File string
	// Hosts are all hosts, the browser's too, sorted, and those of the guide's
	// pages that the shipped definition does not open; Former are those of the
	// shipped definition of the same id, nil where there is none.
	Hosts, Former []string
	// Domains are the registrable domains of Hosts.
	Domains []string
}

// SHA256 is what an answer is bound to: the hex digest of id and hosts. With
// another host it is another question.
func (q Question) SHA256() string {
	sum := sha256.Sum256([]byte(q.ID + "\n" + strings.Join(q.Hosts, "\n")))
	return hex.EncodeToString(sum[:])
}

// Problem is the question as a problem: definition.hosts with id, provider, hosts,
// file.
func (q Question) Problem() *problem.Problem {
	return problem.New(problem.DefinitionHosts, "id", q.ID, "provider", q.Name, "hosts", strings.Join(q.Hosts, ", "), "file", problem.Outside(q.File, 100))
}

var shipped = sync.OnceValues(func() (map[string]Definition, error) {
	all := map[string]Definition{}
	files, err := fs.Glob(resources.Providers, "providers/*.toml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := fs.ReadFile(resources.Providers, file)
		if err != nil {
			return nil, err
		}
		d, err := decode(path.Base(file), source, nil)
		if err != nil {
			return nil, err
		}
		d.shipped = true
		all[d.ID] = d
	}
	return all, nil
})

// Load reads the shipped definitions and then *.toml of userDir, in the order
// of their names; an empty or absent userDir is none. A file with the id of a
// known definition extends it: what it says wins, tables are merged, scopes,
// presets and recipes are merged by name, and its refusals are asked first. A
// file that cannot be used is left out and reported as problem
// definition.invalid (args file, line, what, reason, value), never silently.
// One that would contact hosts which nobody has confirmed is not in use either;
// it is among Questions.
func Load(userDir string) (*Registry, []error) {
	r := &Registry{byID: map[string]Definition{}, waiting: map[string]waiting{}}
	base, err := shipped()
	if err != nil {
		// The files are embedded and a test reads them all: this cannot happen
		// in a build that passed.
		panic("provider: " + err.Error())
	}
	for id, d := range base {
		r.byID[id] = d.Clone()
	}
	var failures []error
	if userDir != "" {
		failures = r.readDir(userDir)
	}
	r.introduce()
	return r, failures
}

// introduce tells every definition the names of the others.
func (r *Registry) introduce() {
	names := map[string]string{}
	for id, d := range r.byID {
		names[id] = d.Name
	}
	for id, d := range r.byID {
		d.names = names
		r.byID[id] = d
	}
}

func (r *Registry) readDir(dir string) []error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []error{invalid(filepath.Base(dir), 0, &flaw{reason: reasonUnreadable}).Because(err)}
	}
	var failures []error
	files := 0
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".toml") || strings.HasPrefix(name, ".") {
			continue
		}
		if files++; files > maxFiles {
			failures = append(failures, invalid(name, 0, &flaw{reason: reasonUnreadable}))
			break
		}
		if err := r.readFile(dir, name); err != nil {
			failures = append(failures, err)
		}
	}
	return failures
}

func (r *Registry) readFile(dir, name string) error {
	full := filepath.Join(dir, name)
	// A pipe or a device under that name would keep us waiting for ever.
	if info, err := os.Stat(full); err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return invalid(name, 0, &flaw{reason: reasonUnreadable}).Because(err)
	}
	source, err := os.ReadFile(full)
	if err != nil {
		return invalid(name, 0, &flaw{reason: reasonUnreadable}).Because(err)
	}
	d, err := decode(name, source, r.byID)
	if err != nil {
		return err
	}
	// Compared with what was shipped, not with what an earlier file made of it.
	base, _ := shipped()
	before, known := base[d.ID]
	q := Question{ID: d.ID, Name: d.Name, File: name, Hosts: contacts(d), Domains: d.Domains()}
	if known {
		q.Former = contacts(before)
		// A page of the guide is where a person signs in and copies a secret.
		guided := guides(before)
		for _, host := range guides(d) {
			if !slices.Contains(guided, host) && !slices.Contains(q.Hosts, host) {
				q.Hosts = append(q.Hosts, host)
			}
		}
		slices.Sort(q.Hosts)
		for _, host := range q.Hosts {
			if !slices.Contains(q.Former, host) {
				// What was shipped goes on renewing; nobody signs in before
				// the question is answered.
				in := r.byID[d.ID]
				in.question = &q
				r.byID[d.ID] = in
				r.waiting[d.ID] = waiting{q, d}
				return nil
			}
		}
	} else if len(q.Domains) > 1 {
		r.waiting[d.ID] = waiting{q, d}
		d.question, d.closed = &q, true
	}
	// A later file for the same id does not answer an earlier one's question.
	if open, ok := r.waiting[d.ID]; ok && d.question == nil {
		d.question = &open.question
	}
	r.byID[d.ID] = d
	return nil
}

// contacts is every host of the program and the hosts that the browser is sent to.
func contacts(d Definition) []string {
	hosts := d.hosts()
	browsers := []string{d.Authorize.URL}
	if d.Revoke != nil {
		browsers = append(browsers, d.Revoke.Page)
	}
	for _, address := range browsers {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			hosts = append(hosts, HostPort(u))
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// guides is every host that a recipe opens in the browser.
func guides(d Definition) []string {
	var hosts []string
	add := func(address string) {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			hosts = append(hosts, HostPort(u))
		}
	}
	for _, r := range d.Recipes {
		add(r.URL)
		for _, s := range r.Steps {
			add(s.URL)
		}
	}
	return hosts
}

// decode reads one file. known is nil for a shipped file; otherwise the
// definition of the same id in it is extended.
func decode(file string, source []byte, known map[string]Definition) (Definition, error) {
	tree, line, err := parse(source)
	if err != nil {
		return Definition{}, invalid(file, line, err)
	}
	d := Definition{Status: "current", Authorize: Authorize{ClientIDParam: "client_id", ScopeSeparator: " "}}
	id, _ := tree["id"].(string)
	before, extends := known[id]
	if extends {
		d = before.Clone()
		d.shipped, d.endpoints, d.question, d.closed = false, "", nil, false
		d.Scopes, d.Presets, d.Errors, d.Recipes = nil, nil, nil, nil
	}
	if _, says := tree["asks"]; says && known != nil {
		return Definition{}, invalid(file, lineOf(lines(source), "asks"), &flaw{path: "asks", reason: reasonValue})
	}
	err = fill(reflect.ValueOf(&d).Elem(), map[string]any(tree), "")
	if err == nil && known != nil {
		// The lists still hold the file's own rows alone: a flaw in one of them
		// is found here, under its own number and line.
		err = d.checkErrors(true)
	}
	if err == nil && extends {
		d.Scopes = merge(before.Scopes, d.Scopes, func(s Scope) string { return s.Name })
		d.Presets = merge(before.Presets, d.Presets, func(p Preset) string { return p.Name })
		d.Recipes = merge(before.Recipes, d.Recipes, func(r Recipe) string { return r.Name })
		d.Errors = append(d.Errors, before.Errors...)
	}
	if err == nil {
		err = d.check(known != nil)
	}
	if err != nil {
		var f *flaw
		errors.As(err, &f)
		return Definition{}, invalid(file, lineOf(lines(source), f.path), f)
	}
	return d, nil
}

// merge replaces rows of the same name in place and appends the others.
func merge[T any](before, after []T, name func(T) string) []T {
	merged := slices.Clone(before)
	for i, row := range after {
		at := slices.IndexFunc(merged, func(m T) bool { return name(m) == name(row) })
		// A name that the file itself says twice must stay twice, to be refused.
		twice := slices.ContainsFunc(after[:i], func(a T) bool { return name(a) == name(row) })
		if at < 0 || twice {
			merged = append(merged, row)
			continue
		}
		merged[at] = row
	}
	return merged
}

// invalid makes the problem of a file that cannot be used; line 0 is none.
func invalid(file string, line int, err error) *problem.Problem {
	var f *flaw
	if !errors.As(err, &f) {
		f = &flaw{reason: reasonSyntax}
	}
	p := problem.New(problem.DefinitionInvalid, "file", problem.Outside(file, 100),
		"what", problem.Outside(f.path, 100), "reason", f.reason, "value", problem.Outside(f.value, 100))
	if line > 0 {
		p.Args["line"] = strconv.Itoa(line)
	}
	return p.Because(err)
}

// Get finds a definition by its id, or gives the problem provider.unknown
// (args provider, known).
func (r *Registry) Get(id string) (Definition, error) {
	d, ok := r.byID[id]
	if !ok {
		var ids []string
		for _, d := range r.List() {
			ids = append(ids, d.ID)
		}
		return Definition{}, problem.New(problem.ProviderUnknown, "provider", problem.Outside(id, 60), "known", strings.Join(ids, ", "))
	}
	return d.Clone(), nil
}

// List gives every definition, those in use before the retired ones, each by
// its id.
func (r *Registry) List() []Definition {
	all := make([]Definition, 0, len(r.byID))
	for _, d := range r.byID {
		all = append(all, d.Clone())
	}
	slices.SortFunc(all, func(a, b Definition) int {
		if a.Status != b.Status {
			return strings.Compare(a.Status, b.Status)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

// Questions lists the open questions by id.
func (r *Registry) Questions() []Question {
	var open []Question
	for _, id := range slices.Sorted(maps.Keys(r.waiting)) {
		open = append(open, r.waiting[id].question)
	}
	return open
}

// Confirm puts the definition behind a question to use, after a person has seen
// its hosts. An id without an open question is the problem provider.unknown.
func (r *Registry) Confirm(id string) error {
	w, ok := r.waiting[id]
	if !ok {
		return problem.New(problem.ProviderUnknown, "provider", problem.Outside(id, 60))
	}
	delete(r.waiting, id)
	r.byID[id] = w.definition
	r.introduce()
	return nil
}
