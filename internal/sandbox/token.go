package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"
)

const (
	// mark stands in plain sight after the prefix: whoever sees such a token in a
	// file knows that it opens nothing. By chance it is one in 64^12.
	mark = "PracticeOnly"

	// usualLength is what real tokens of Instagram Login have (providers.md 8);
	// the others are for clients that must take any (M21: "an unlimited type").
	usualLength, longestToken = 183, 8192

	shortLife = time.Hour
	// longLife is the documented sample's expires_in, not a round 60 days: a
	// client that assumes the number instead of reading it is found out.
	longLife = 5183944 * time.Second

	// pageLife is that of a Page's token, which has no date of its end.
	pageLife = 100 * 365 * 24 * time.Hour
	// refreshLife is that of a refresh token of login.example.
	refreshLife = 180 * 24 * time.Hour

	tokenVersion = 1
	payloadHead  = 37
	macSize      = sha256.Size
)

// practiceKey signs codes and tokens of the practice ground. It is public on
// purpose: it keeps out damage, not people.
var practiceKey = []byte("tokenkeep practice ground: a public constant that protects nothing")

// kind is what a token is good for, and how long. Never reuse a number.
type kind byte

const (
	short kind = 1
	long  kind = 2
	// ofPage is a Facebook Page's own token.
	ofPage kind = 3
	// access and refresh are login.example's two.
	access  kind = 4
	refresh kind = 5
)

// kinds are those that tokens of d have.
func (d *dialect) kinds() []kind {
	switch d.number {
	case numberFacebook:
		return []kind{short, long, ofPage}
	case numberGeneric:
		return []kind{access, refresh}
	}
	return []kind{short, long}
}

// token is all that a practice token says about itself.
type token struct {
	dialect    *dialect
	kind       kind
	person     person
	scopes     scopeSet
	scenario   byte
	urlencoded bool
	// public: made for the client that has no secret.
	public bool
	issued time.Time
	ends   time.Time
	// pages are the Facebook Pages that were ticked, a bit each, in the order of
	// the person's; family is that of a token of login.example, whose
	// generation counts the renewals. Both stand in the same place.
	pages, family uint64
	generation    uint32
}

var (
	errForeignToken   = errors.New("not a token of this provider")
	errMalformedToken = errors.New("characters that no token has")
	errDamagedToken   = errors.New("does not decrypt")
)

// IsPractice reports whether s is a token of a practice ground, also one cut
// short or damaged: such a thing must never be taken for a real one (SEC-13).
// Surrounding blanks and quotes do not hide it.
func IsPractice(s string) bool {
	s = strings.Trim(s, " \t\r\n\"'")
	for _, d := range dialects {
		if strings.HasPrefix(s, d.prefix+mark) {
			return true
		}
	}
	return false
}

// encode writes the token with length characters, or a few less where base64
// has no such length.
func (t token) encode(length int) string {
	length = min(max(length, usualLength), longestToken)
	room := base64.RawURLEncoding.DecodedLen(length - len(t.dialect.prefix) - len(mark))
	payload := make([]byte, room-macSize, room)
	payload[0], payload[1], payload[2] = tokenVersion, byte(t.kind), t.scenario
	if t.urlencoded {
		payload[3] = 1
	}
	if t.public {
		payload[3] |= 2
	}
	binary.BigEndian.PutUint16(payload[4:], t.person.number)
	binary.BigEndian.PutUint16(payload[6:], uint16(t.scopes))
	binary.BigEndian.PutUint64(payload[8:], uint64(t.issued.UnixMilli()))
	binary.BigEndian.PutUint64(payload[16:], uint64(t.ends.UnixMilli()))
	payload[24] = t.dialect.number
	binary.BigEndian.PutUint64(payload[25:], t.pages|t.family)
	binary.BigEndian.PutUint32(payload[33:], t.generation)
	_, _ = rand.Read(payload[payloadHead:])
	return t.dialect.prefix + mark + base64.RawURLEncoding.EncodeToString(append(payload, sign(payload)...))
}

// decode reads a token of d back. It says nothing about its age.
func (d *dialect) decode(s string) (token, error) {
	if !strings.HasPrefix(s, d.prefix) {
		return token{}, errForeignToken
	}
	if len(s) > longestToken || strings.Trim(s, tokenAlphabet) != "" {
		return token{}, errMalformedToken
	}
	body, marked := strings.CutPrefix(s[len(d.prefix):], mark)
	if !marked {
		return token{}, errDamagedToken
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || len(raw) < payloadHead+macSize {
		return token{}, errDamagedToken
	}
	payload, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	if !hmac.Equal(mac, sign(payload)) || payload[0] != tokenVersion || payload[24] != d.number {
		return token{}, errDamagedToken
	}
	who, known := personNumbered(binary.BigEndian.Uint16(payload[4:]))
	k := kind(payload[1])
	if !known || !slices.Contains(d.kinds(), k) {
		return token{}, errDamagedToken
	}
	t := token{
		dialect: d, kind: k, person: who,
		scopes:     scopeSet(binary.BigEndian.Uint16(payload[6:])),
		scenario:   payload[2],
		urlencoded: payload[3]&1 == 1,
		public:     payload[3]&2 == 2,
		issued:     time.UnixMilli(int64(binary.BigEndian.Uint64(payload[8:]))).UTC(),
		ends:       time.UnixMilli(int64(binary.BigEndian.Uint64(payload[16:]))).UTC(),
	}
	// Tokens of earlier programs have padding in these places, and none of them
	// is of one of these two.
	switch d.number {
	case numberFacebook:
		t.pages = binary.BigEndian.Uint64(payload[25:])
	case numberGeneric:
		t.family, t.generation = binary.BigEndian.Uint64(payload[25:]), binary.BigEndian.Uint32(payload[33:])
	}
	return t, nil
}

const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func sign(payload []byte) []byte {
	mac := hmac.New(sha256.New, practiceKey)
	_, _ = mac.Write(payload)
	return mac.Sum(nil)
}

// random returns n random characters of the alphabet of codes and tokens.
func random(n int) string {
	raw := make([]byte, base64.RawURLEncoding.DecodedLen(n)+1)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)[:n]
}
