package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// Limits on the list of accounts.
const (
	maxReached = 500
	maxPages   = 50
	maxTasks   = 50
)

// Reached is one row of the accounts that a token speaks for: at Facebook a
// Page and the Instagram account that is linked to it.
type Reached struct {
	// Person is the account; empty with PageNotLinked.
	Person
	// Page and PageID are the Page's, a stranger's words, cleaned.
	Page, PageID string
	// Reachable: the token can be used for this account.
	Reachable bool
	// Reason is why not: account.page_not_linked (the Page has no account),
	// account.page_role (no role on the Page at all), account.no_task (a role
	// without a task that the account needs); empty with Reachable.
	Reason problem.Key
}

// usefulTasks are the tasks on a Page of which one is needed to reach its
// Instagram account (Meta, "Instagram API with Facebook Login": the app user
// must be able to perform tasks on the Page; providers.md 3.4).
var usefulTasks = []string{"MANAGE", "CREATE_CONTENT", "MODERATE", "MESSAGING", "PROFILE_PLUS_FULL_CONTROL", "PROFILE_PLUS_MANAGE",
	"PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MODERATE", "PROFILE_PLUS_MESSAGING"}

// Reach asks which accounts t speaks for, as the definition's accounts section
// says, with those it does not reach and why. Further pages are followed on the
// very host of the first and nowhere else, at most 50 of them, and the token is
// always ours and never the one that the answer wrote into an address. At most
// 500 rows come back; an account that is listed twice comes once, reachable if
// one of its rows is.
//
// Problems: account.no_page when the list is empty; identity.unavailable where
// the definition has no such list; the dictionary's under "identity"; network.*,
// provider.*.
func (c *Client) Reach(ctx context.Context, d provider.Definition, t Token) ([]Reached, error) {
	a := d.Accounts
	if a.URL == "" {
		return nil, problem.New(problem.IdentityUnavailable, "provider", d.Name)
	}
	home, err := url.Parse(a.URL)
	if err != nil {
		return nil, problem.New(problem.Unexpected, "where", "oauth.reach").Because(err)
	}
	var all []Reached
	asked := map[string]bool{}
	for address := a.URL; address != "" && !asked[address] && len(asked) < maxPages && len(all) < maxReached; {
		asked[address] = true
		ask := request{
			where: "identity", definition: d, otherwise: problem.IdentityUnavailable, bearer: !d.Meta(), proof: c.Secret,
			step:   provider.Step{Method: http.MethodGet, URL: address, Encoding: "query"},
			values: map[string]secret.Text{"access_token": t.Access},
		}
		if d.Meta() {
			ask.step.Params = map[string]string{"access_token": "{access_token}"}
		}
		got, err := c.sendProving(ctx, ask)
		if err != nil {
			return nil, err
		}
		var rows []object
		if raw := descend(got.top, a.List); raw == nil || json.Unmarshal(raw, &rows) != nil {
			return nil, ask.odd()
		}
		for _, row := range rows {
			one, err := parseReached(row, a.Fields)
			if err != nil {
				return nil, ask.odd()
			}
			if all = collect(all, one); len(all) == maxReached {
				break
			}
		}
		if address, err = nextPage(home, scalar(descend(got.top, a.Next))); err != nil {
			return nil, ask.odd()
		}
	}
	if len(all) == 0 {
		return nil, problem.New(problem.NoPage, "provider", d.Name)
	}
	return all, nil
}

// Granted asks which permissions a person granted, for providers whose exchange
// does not say. ok is false where the definition has no such address. Problems:
// the dictionary's under "identity"; network.*, provider.*.
func (c *Client) Granted(ctx context.Context, d provider.Definition, t Token) (scopes []string, ok bool, err error) {
	p := d.Permissions
	if p.URL == "" {
		return nil, false, nil
	}
	ask := request{
		where: "identity", definition: d, otherwise: problem.IdentityUnavailable, bearer: !d.Meta(), proof: c.Secret,
		step:   provider.Step{Method: http.MethodGet, URL: p.URL, Encoding: "query"},
		values: map[string]secret.Text{"access_token": t.Access},
	}
	if d.Meta() {
		ask.step.Params = map[string]string{"access_token": "{access_token}"}
	}
	got, err := c.sendProving(ctx, ask)
	if err != nil {
		return nil, false, err
	}
	var rows []object
	if raw := descend(got.top, p.List); raw == nil || json.Unmarshal(raw, &rows) != nil || len(rows) > maxScopes {
		return nil, false, ask.odd()
	}
	scopes = []string{}
	for _, row := range rows {
		name := scalar(descend(row, p.Name))
		if !visible(name, 128) {
			return nil, false, ask.odd()
		}
		if scalar(descend(row, p.Status)) == p.Granted && !slices.Contains(scopes, name) {
			scopes = append(scopes, name)
		}
	}
	return scopes, true, nil
}

// collect adds a row, or improves the one of the same account.
func collect(all []Reached, one Reached) []Reached {
	at := slices.IndexFunc(all, func(r Reached) bool { return r.UserID != "" && r.UserID == one.UserID })
	switch {
	case at < 0:
		return append(all, one)
	case one.Reachable && !all[at].Reachable:
		all[at] = one
	}
	return all
}

// nextPage checks the address of the next page, which the answer wrote. What
// it says of tokens and proofs is taken out: ours goes in.
func nextPage(home *url.URL, address string) (string, error) {
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != home.Scheme || u.User != nil || provider.HostPort(u) != provider.HostPort(home) || len(address) > maxQuery {
		return "", errOdd
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", errOdd
	}
	query.Del("access_token")
	query.Del("appsecret_proof")
	u.RawQuery, u.Fragment, u.RawFragment = query.Encode(), "", ""
	return u.String(), nil
}

// descend follows a dotted path; nil where it leads nowhere, and for an empty
// path.
func descend(o object, path string) json.RawMessage {
	name, rest, more := strings.Cut(path, ".")
	raw, ok := member(o, name)
	if !ok || path == "" {
		return nil
	}
	if !more {
		return raw
	}
	var inner object
	if json.Unmarshal(raw, &inner) != nil || inner == nil {
		return nil
	}
	return descend(inner, rest)
}

func parseReached(row object, names map[string]string) (Reached, error) {
	if row == nil {
		return Reached{}, errOdd
	}
	id := func(field string) (string, error) {
		raw := descend(row, names[field])
		if raw == nil {
			return "", nil
		}
		return identifier(object{"id": raw}, "id")
	}
	word := func(field string, limit int) string {
		return problem.Outside(scalar(descend(row, names[field])), limit)
	}
	var r Reached
	var err error
	if r.UserID, err = id("user_id"); err != nil {
		return Reached{}, err
	}
	if r.PageID, err = id("page_id"); err != nil {
		return Reached{}, err
	}
	r.Page = word("page", 200)
	r.Username, r.Name, r.Kind, r.Posts = word("username", 100), word("name", 200), strings.ToUpper(word("kind", 40)), -1
	if n, err := strconv.Atoi(word("posts", 20)); err == nil && n >= 0 {
		r.Posts = n
	}
	r.Reason = reason(r, row, names["tasks"])
	r.Reachable = r.Reason == ""
	return r, nil
}

// reason is why a row cannot be used. A list of tasks that is not there says
// nothing.
func reason(r Reached, row object, path string) problem.Key {
	if r.UserID == "" {
		return problem.PageNotLinked
	}
	raw := descend(row, path)
	var tasks []string
	if raw == nil || json.Unmarshal(raw, &tasks) != nil || len(tasks) > maxTasks {
		return ""
	}
	switch {
	case len(tasks) == 0:
		return problem.PageRole
	case !slices.ContainsFunc(tasks, func(task string) bool { return slices.Contains(usefulTasks, strings.ToUpper(task)) }):
		return problem.NoTask
	}
	return ""
}
