package sandbox

// The providers that the double plays, by the name that the client's
// definitions use too. A number is written into tokens: never reuse one.
const (
	numberInstagram byte = 0
	numberThreads   byte = 1
	numberFacebook  byte = 2
	numberBasic     byte = 3
	numberGeneric   byte = 4
)

// dialect is one provider as the double plays it.
type dialect struct {
	// number is written into tokens: never reuse one.
	number byte
	// id is the provider's name at the control addresses and in Mishaps.
	id string
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

const cdn = "scontent.cdninstagram.com"

// dialects is the table.
var dialects = []*dialect{
	{ // Instagram API with Instagram Login: providers.md 2.
		number: numberInstagram, id: "instagram", name: "Instagram", prefix: "IGAA",
		authorizeHost: "www.instagram.com", authorizePath: "/oauth/authorize",
		refusalPath:  "/oauth/authorize/third_party/error/",
		exchangeHost: "api.instagram.com", exchangePath: "/oauth/access_token",
		graphHost: "graph.instagram.com", extendPath: "/access_token", renewPath: "/refresh_access_token",
		pictureHost: cdn,
		extendGrant: "ig_exchange_token", renewGrant: "ig_refresh_token",
		clientID: ClientID, clientSecret: ClientSecret,
		scopes: []scope{
			{"instagram_business_basic", "See your profile and posts", true},
			{"instagram_business_content_publish", "Publish posts for you", false},
			{"instagram_business_manage_comments", "Read and answer comments", false},
			{"instagram_business_manage_messages", "Read and answer messages", false},
			{"instagram_business_manage_insights", "See your numbers", false},
		},
	},
	{ // Threads: providers.md 4.
		number: numberThreads, id: "threads", name: "Threads", prefix: "THAA",
		authorizeHost: "www.threads.com", authorizePath: "/oauth/authorize",
		exchangeHost: "graph.threads.net", exchangePath: "/oauth/access_token",
		graphHost: "graph.threads.net", extendPath: "/access_token", renewPath: "/refresh_access_token",
		pictureHost: cdn,
		extendGrant: "th_exchange_token", renewGrant: "th_refresh_token",
		clientID: threadsAppID, clientSecret: threadsAppSecret,
		scopes: []scope{
			{"threads_basic", "See your profile and posts", true},
			{"threads_content_publish", "Publish posts for you", false},
			{"threads_read_replies", "Read replies to your posts", false},
			{"threads_manage_replies", "Answer and hide replies", false},
			{"threads_manage_insights", "See your numbers", false},
			{"threads_keyword_search", "Search public posts", false},
			{"threads_manage_mentions", "See who mentions you", false},
			{"threads_delete", "Delete posts", false},
			{"threads_location_tagging", "Add places to posts", false},
			{"threads_profile_discovery", "Look up public profiles", false},
		},
	},
	{ // Instagram API with Facebook Login: providers.md 3.
		number: numberFacebook, id: "instagram-facebook", name: "Facebook", prefix: "EAA",
		authorizeHost: "www.facebook.com", authorizePath: "/dialog/oauth", refusalPath: "/oauth/error/",
		exchangeHost: "graph.facebook.com", exchangePath: "/oauth/access_token",
		graphHost:   "graph.facebook.com",
		pictureHost: cdn,
		extendGrant: "fb_exchange_token",
		clientID:    MetaAppID, clientSecret: metaAppSecret,
		scopes: []scope{
			{"public_profile", "See your name", false},
			{"email", "See your email address", false},
			{"instagram_basic", "See the profile and posts of your Instagram accounts", false},
			{"instagram_content_publish", "Publish posts on Instagram for you", false},
			{"instagram_manage_comments", "Read and answer comments on Instagram", false},
			{"instagram_manage_insights", "See the numbers of your Instagram accounts", false},
			{"instagram_manage_messages", "Read and answer messages on Instagram", false},
			{"pages_show_list", "See which Pages you manage", false},
			{"pages_read_engagement", "Read what your Pages publish", false},
			{"business_management", "See what your business owns", false},
		},
	},
	{ // Instagram Basic Display, retired: providers.md 1. It shares its hosts
		// with Instagram; app ID and token say which of the two is meant.
		number: numberBasic, id: "instagram-basic-display", name: "Instagram Basic Display", prefix: "IGQV",
		authorizeHost: "api.instagram.com", authorizePath: "/oauth/authorize",
		exchangeHost: "api.instagram.com", exchangePath: "/oauth/access_token",
		graphHost: "graph.instagram.com", extendPath: "/access_token", renewPath: "/refresh_access_token",
		pictureHost: cdn,
		extendGrant: "ig_exchange_token", renewGrant: "ig_refresh_token",
		clientID: basicAppID, clientSecret: basicAppSecret,
		scopes: []scope{
			{"user_profile", "See your profile", true},
			{"user_media", "See your posts", false},
		},
	},
	{ // A plain OAuth 2.0 server: RFC 6749, 7636, 7009, 8414, 9207.
		number: numberGeneric, id: "oauth2", name: "login.example", prefix: "lgx-",
		authorizeHost: genericHost, authorizePath: "/authorize",
		exchangeHost: genericHost, exchangePath: "/token",
		graphHost:   genericHost,
		pictureHost: cdn,
		clientID:    genericClientID, clientSecret: genericClientSecret,
		scopes: []scope{
			{"openid", "Know who you are", false},
			{"profile", "See your name and picture", false},
			{"email", "See your email address", false},
			{"offline_access", "Stay connected when you are away", false},
		},
	},
}

// dialectNamed finds a provider by its id; the empty one is Instagram.
func dialectNamed(id string) (*dialect, bool) {
	if id == "" {
		return dialects[0], true
	}
	for _, d := range dialects {
		if d.id == id {
			return d, true
		}
	}
	return nil, false
}

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

// all is every scope.
func (d *dialect) all() scopeSet { return 1<<len(d.scopes) - 1 }

// has reports whether the set holds the scope of that name.
func (d *dialect) has(set scopeSet, name string) bool {
	bit := d.bit(name)
	return bit >= 0 && set&(1<<bit) != 0
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
