package sandbox

// The apps that the double knows. All numbers and secrets are public; the
// secrets have the form of real ones and open nothing.
const (
	// MetaAppID is the number at the top of the made-up app's dashboard:
	// Facebook Login takes it, Instagram and Threads do not, and each says so
	// in its own words (rows 1, 15 and 17).
	MetaAppID = "880301559204417"
	// ConfigID is the one configuration of Facebook Login for Business.
	ConfigID = "118822433205719"
	// PublicClientID is the client of login.example that has no secret.
	PublicClientID = "practice-desk"

	metaAppSecret       = "5eed0fa11ce5eed0fa11ce5eed0fa11c"
	threadsAppID        = "771204836650913"
	threadsAppSecret    = "7ea5e77ea5e77ea5e77ea5e77ea5e77e"
	basicAppID          = "660417725938241"
	basicAppSecret      = "b0a7b0a7b0a7b0a7b0a7b0a7b0a7b0a7"
	genericHost         = "login.example"
	genericClientID     = "practice-app"
	genericClientSecret = "practice/secret+with:signs%and=more"
)

// Registration returns the app with which one practises at a provider:
// "instagram", "threads", "instagram-facebook", "instagram-basic-display" or
// "oauth2". Any other name gives two empty strings.
func Registration(provider string) (clientID, clientSecret string) {
	if provider == "" {
		return "", ""
	}
	if d, known := dialectNamed(provider); known {
		return d.clientID, d.clientSecret
	}
	return "", ""
}

// Providers lists the names that Registration knows.
func Providers() []string {
	names := make([]string, len(dialects))
	for i, d := range dialects {
		names[i] = d.id
	}
	return names
}

// registrations are the apps as the control address tells them.
func (s *Server) registrations() []any {
	list := []any{}
	for _, d := range dialects {
		one := map[string]any{"provider": d.id, "client_id": d.clientID, "client_secret": d.clientSecret, "people": PeopleOf(d.id), "scopes": d.names(d.all())}
		switch d.number {
		case numberFacebook:
			one["config_id"] = ConfigID
		case numberGeneric:
			one["public_client_id"] = PublicClientID
		}
		list = append(list, one)
	}
	return list
}
