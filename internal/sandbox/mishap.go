package sandbox

// Mishap is one cause of a failure that a provider can show, with the answer
// that shows it.
type Mishap struct {
	// Name is unique: provider, step and cause, with dots between.
	Name string `json:"name"`
	// Provider is one of Providers.
	Provider string `json:"provider"`
	// Where is the step: page (the provider's own page, nothing comes back),
	// redirect, exchange, extend, identity, renew, accounts or discovery.
	Where string `json:"where"`
	// Row is the row of providers.md 9; 0 is a refusal of the RFCs.
	Row int `json:"row"`
	// Status is the HTTP status, 0 for a page or a redirect.
	Status int `json:"status"`
	// Body is what the step answers, for a page what its text or JSON is.
	Body string `json:"body"`
	// Query is what comes back to the redirect; {code}, {state} and {iss} stand
	// for those of the sign-in.
	Query string `json:"query"`
	// Challenge is the header WWW-Authenticate, if there is one.
	Challenge string `json:"challenge"`
	// Source is [V], [W] or [mem], as in providers.md, or the section of an RFC.
	Source string `json:"source"`
}

// Mishaps lists everything that can be armed with ArmMishap.
func Mishaps() []Mishap { return nil }
