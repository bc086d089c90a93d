package sandbox

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Count says what was asked with the tokens of one person since the start, or
// since ClearLog.
type Count struct {
	// Extend, Renew, Identity and Media are requests that carried a token of
	// this person, whatever became of them.
	Extend   int `json:"extend"`
	Renew    int `json:"renew"`
	Identity int `json:"identity"`
	Media    int `json:"media"`
	// Extended and Renewed are tokens that were given.
	Extended int `json:"extended"`
	Renewed  int `json:"renewed"`
	// Refused are requests with a token that had ended, died or been rotated away.
	Refused int `json:"refused"`
}

// Counts lists them by username; people who asked nothing are not in it.
func (s *Server) Counts() map[string]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]Count, len(s.counts))
	for name, count := range s.counts {
		counts[name] = *count
	}
	return counts
}

// tally notes a request, a gift, or, with neither of the latter, an end.
func (s *Server) tally(p person, step, given string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(p, step, given, given == "")
}

func (s *Server) note(p person, step, given string, refused bool) {
	count := s.counts[p.username]
	if count == nil {
		count = &Count{}
		s.counts[p.username] = count
	}
	for _, one := range []struct {
		name string
		n    *int
	}{
		{"extend", &count.Extend}, {"renew", &count.Renew}, {"identity", &count.Identity}, {"media", &count.Media},
		{"extended", &count.Extended}, {"renewed", &count.Renewed},
	} {
		if one.name == step || one.name == given {
			*one.n++
		}
	}
	if refused {
		count.Refused++
	}
}

// fingerprint stands for a token in memory, so that none lies there in full.
type fingerprint [sha256.Size]byte

// handed is what the server knows about a token that it gave or saw.
type handed struct {
	// birth is the token's place among all that this server gave; 0 is one of
	// an earlier run.
	birth uint64
	// asked is how many questions it has answered.
	asked int
	// listed: it has told which accounts it reaches, to the last.
	listed bool
	// rotated: a renewal has replaced it; grace is how many more it may have.
	rotated bool
	grace   int
}

// makeRoom keeps m below most where all of it is young: one is forgotten for
// each new one.
func makeRoom[K comparable, V any](m map[K]V, most int) {
	for k := range m {
		if len(m) < most {
			return
		}
		delete(m, k)
	}
}

// mostHanded bounds the memory: beyond it the server forgets the oldest half
// of what it knows. No test comes near.
const mostHanded = 200000

// known gives the entry of a token; the caller holds mu.
func (s *Server) known(access string) *handed {
	key := fingerprint(sha256.Sum256([]byte(access)))
	h := s.handed[key]
	if h == nil {
		if len(s.handed) >= mostHanded {
			for k, old := range s.handed {
				if old.birth+mostHanded/2 < s.births {
					delete(s.handed, k)
				}
			}
			makeRoom(s.handed, mostHanded)
		}
		h = &handed{}
		s.handed[key] = h
	}
	return h
}

// hand writes a token out and remembers when.
func (s *Server) hand(t token, length int) string {
	access := t.encode(length)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.births++
	s.known(access).birth = s.births
	return access
}

// state is what has become of the tokens that a person had at some moment.
type state struct {
	name string
	// until is the last token that it concerns.
	until uint64
}

// States lists what can become of a token, see the package comment.
func States() []string { return []string{"ok", "ended", "password-changed", "removed", "checkpoint"} }

// SetState decides what has become of every token that a person has by now;
// tokens given later are not touched. "ok" brings them back to life. Errors:
// ErrPerson, and one for a state that does not exist.
func (s *Server) SetState(username, name string) error {
	who, known := personNamed(username)
	if !known {
		return fmt.Errorf("%w; there are: %s user-0001 …", ErrPerson, strings.Join(People(), " "))
	}
	if !slices.Contains(States(), name) {
		return errors.New("sandbox: no such state; there are: " + strings.Join(States(), " "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states[who.number] = state{name, s.births}
	return nil
}

// Refusals of tokens that have not reached their end. Row 26 and 27; the texts
// of 458, 459 and 467 are from memory.
var (
	passwordChanged = graphError{http.StatusBadRequest, "Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons.", typeOAuth, 190, 460}
	checkpointed    = graphError{http.StatusBadRequest, "Error validating access token: You cannot access the app till you log in to www.instagram.com and follow the instructions given.", typeOAuth, 190, 459}
	loggedOut       = graphError{http.StatusBadRequest, "Error validating access token: The session is invalid because the user logged out.", typeOAuth, 190, 467}
)

// accessRemoved names the app whose access is gone.
func accessRemoved(d *dialect) graphError {
	return graphError{http.StatusBadRequest, "Error validating access token: The user has not authorized application " + d.clientID + ".", typeOAuth, 190, 458}
}

// ended tells whether a token no longer works, without counting a question.
func (c *call) ended(t token, sent string) (graphError, bool) {
	if !c.now.Before(t.ends) {
		return expired(t.ends, c.now), true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.known(sent)
	if set, ok := c.states[t.person.number]; ok && h.birth <= set.until && set.name != "ok" {
		return loggedOut, true
	}
	return loggedOut, h.rotated
}

// lastQuestion is how long after its issue the token of a scenario that dies
// still answers its one question.
const lastQuestion = time.Minute

// dead counts the request and tells whether something other than age has ended
// the token, and how that is said.
func (c *call) dead(t token, sent, step string) (graphError, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.known(sent)
	name := ""
	if dies := scenarioNumbered(t.scenario).dies; dies != "" && (t.kind == long || t.kind == access) {
		question := step == "identity"
		if t.dialect.number == numberFacebook {
			// There the sign-in's own questions are who, and which accounts.
			question = (step == "identity" || step == "accounts") && !h.listed
		}
		over := h.asked > 0 && t.dialect.number != numberFacebook
		if over || !question || c.now.Sub(t.issued) >= lastQuestion {
			name = dies
		}
	}
	h.asked++
	if set, ok := c.states[t.person.number]; ok && h.birth <= set.until {
		name = set.name
	}
	// A renewal is judged where it rotates: only there is known whether grace is left.
	rotated := h.rotated && step != "renew"
	refusal, dead := map[string]graphError{
		"ended":            expired(c.now.Add(-time.Minute), c.now),
		"password-changed": passwordChanged, "removed": accessRemoved(t.dialect), "checkpoint": checkpointed,
	}[name]
	if !dead && rotated {
		refusal, dead = loggedOut, true
	}
	c.note(t.person, step, "", dead)
	return refusal, dead
}

// rotate takes the old token out of service where renewals do so, and reports
// whether this one may be renewed. It counts the renewal.
func (c *call) rotate(t token, access string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.known(access)
	switch {
	case c.shape.Renew != "rotating":
	case !h.rotated:
		h.rotated, h.grace = true, c.shape.Grace
	case h.grace > 0:
		h.grace--
	default:
		c.note(t.person, "", "", true)
		return false
	}
	c.note(t.person, "", "renewed", false)
	return true
}

// Minted says which token Mint makes.
type Minted struct {
	// Person is a username; empty is the provider's first.
	Person string
	// Age is how long ago it was issued, 0 to ten years.
	Age time.Duration
	// Short makes a one-hour token.
	Short bool
	// Scopes are those it has; nil is all.
	Scopes []string
	// Provider is one of Providers; empty is Instagram.
	Provider string
	// Pages are the ids of Facebook Pages that it reaches; nil is all.
	Pages []string
}

// Mint makes a token without a sign-in, as the dashboard's button does, of any
// age. login.example gives an access token. Errors: ErrPerson, and one for a
// provider, an age, a scope or a Page that cannot be.
func (s *Server) Mint(m Minted) (string, error) {
	d, exists := dialectNamed(m.Provider)
	if !exists {
		return "", errors.New("sandbox: no such provider; there are: " + strings.Join(Providers(), " "))
	}
	who, known := d.known(cmp.Or(m.Person, d.people()[0].username))
	if !known {
		return "", fmt.Errorf("%w; there are: %s", ErrPerson, strings.Join(PeopleOf(d.id), " "))
	}
	if m.Age < 0 || m.Age > mostForward {
		return "", errors.New("sandbox: age is 0 to 87600h")
	}
	t := token{dialect: d, kind: long, person: who, scopes: d.all(), issued: s.Now().Add(-m.Age), pages: allPages(who)}
	if m.Scopes != nil {
		t.scopes = 0
		for _, name := range m.Scopes {
			bit := d.bit(name)
			if bit < 0 {
				return "", errors.New("sandbox: scopes names one that this provider does not have")
			}
			t.scopes |= 1 << bit
		}
	}
	if m.Pages != nil {
		t.pages = 0
		for _, id := range m.Pages {
			i := slices.IndexFunc(who.pages, func(p page) bool { return p.id == id })
			if i < 0 {
				return "", errors.New("sandbox: pages names one that this person does not have")
			}
			t.pages |= 1 << i
		}
	}
	t.ends = t.issued.Add(longLife)
	if m.Short {
		t.kind, t.ends = short, t.issued.Add(shortLife)
	}
	if d.number == numberGeneric {
		t.kind, t.ends = access, t.issued.Add(shortLife)
	}
	s.mu.Lock()
	length := s.shape.TokenLength
	s.mu.Unlock()
	return s.hand(t, length), nil
}
