package sandbox

// dialect is one provider as the double plays it. Everything that differs
// between Meta's providers is here, so that another one is another row.
type dialect struct {
	// number is written into tokens: never reuse one.
	number byte
	// name is what the pages call the provider.
	name string
	// prefix begins every token, real ones too (providers.md 8).
	prefix string

	authorizeHost, authorizePath, refusalPath string
	exchangeHost, exchangePath                string
	graphHost, extendPath, renewPath          string
	pictureHost                               string

	extendGrant, renewGrant string

	clientID, clientSecret string

	scopes []scope
}

// scope is one permission. Its place in the list is its bit in a token: new
// ones go to the end.
type scope struct {
	name, label string
	required    bool
}

// dialects is the table. Instagram API with Instagram Login: providers.md 2.
var dialects = []*dialect{{
	number: 0, name: "Instagram", prefix: "IGAA",
	authorizeHost: "www.instagram.com", authorizePath: "/oauth/authorize",
	refusalPath:  "/oauth/authorize/third_party/error/",
	exchangeHost: "api.instagram.com", exchangePath: "/oauth/access_token",
	graphHost: "graph.instagram.com", extendPath: "/access_token", renewPath: "/refresh_access_token",
	pictureHost: "scontent.cdninstagram.com",
	extendGrant: "ig_exchange_token", renewGrant: "ig_refresh_token",
	clientID: ClientID, clientSecret: ClientSecret,
	scopes: []scope{
		{"instagram_business_basic", "See your profile and posts", true},
		{"instagram_business_content_publish", "Publish posts for you", false},
		{"instagram_business_manage_comments", "Read and answer comments", false},
		{"instagram_business_manage_messages", "Read and answer messages", false},
		{"instagram_business_manage_insights", "See your numbers", false},
	},
}}

// bit is the position of name among the scopes, or -1.
func (d *dialect) bit(name string) int {
	for i, s := range d.scopes {
		if s.name == name {
			return i
		}
	}
	return -1
}

// required is the set of scopes without which there is no sign-in.
func (d *dialect) required() scopeSet {
	var set scopeSet
	for i, s := range d.scopes {
		if s.required {
			set |= 1 << i
		}
	}
	return set
}

// names lists the set in the order of the table.
func (d *dialect) names(set scopeSet) []string {
	names := []string{}
	for i, s := range d.scopes {
		if set&(1<<i) != 0 {
			names = append(names, s.name)
		}
	}
	return names
}

// scopeSet is a set of scopes of one dialect, a bit each.
type scopeSet uint16
