package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// itemVersion is the "v" of the item contract.
const itemVersion = 1

// Item is one stored token with what is needed to use it without the library.
// In the keychain it is one JSON object; the names are a contract with scripts
// that read it there.
type Item struct {
	// Gen counts the versions of this token, from 1; a renewal adds one.
	Gen         int64
	AccessToken secret.Text
	// TokenType is what the provider said, usually "bearer".
	TokenType string
	// RefreshToken is empty where the provider has none; then the field is left out.
	RefreshToken secret.Text
	// Scope is what was granted.
	Scope    []string
	IssuedAt time.Time
	// ExpiresAt is nil where the end is not known.
	ExpiresAt                            *time.Time
	Provider, UserID, Username, ClientID string

	// other holds fields of a newer version, so that an older program that
	// writes the item again does not lose them.
	other map[string]json.RawMessage
}

// wireItem is the contract. A sealed item has v, gen and sealed only.
type wireItem struct {
	V            int     `json:"v"`
	Gen          int64   `json:"gen"`
	AccessToken  string  `json:"access_token"`
	TokenType    string  `json:"token_type"`
	RefreshToken string  `json:"refresh_token,omitempty"`
	Scope        string  `json:"scope"`
	IssuedAt     string  `json:"issued_at"`
	ExpiresAt    *string `json:"expires_at"`
	Provider     string  `json:"provider"`
	UserID       string  `json:"user_id"`
	Username     string  `json:"username"`
	ClientID     string  `json:"client_id"`
}

type sealedItem struct {
	V      int   `json:"v"`
	Gen    int64 `json:"gen"`
	Sealed bool  `json:"sealed"`
}

var knownFields = []string{
	"v", "gen", "access_token", "token_type", "refresh_token", "scope", "issued_at", "expires_at",
	"provider", "user_id", "username", "client_id", "sealed",
}

// Encode gives the JSON object of the contract, on one line. It refuses, as an
// internal problem, what Decode would not read again: no token, a generation
// under 1, a scope with a blank in it, text that is not UTF-8.
func (i Item) Encode() (secret.Text, error) {
	texts := append([]string{
		i.AccessToken.Reveal(), i.RefreshToken.Reveal(), i.TokenType,
		i.Provider, i.UserID, i.Username, i.ClientID,
	}, i.Scope...)
	for _, t := range texts {
		if !utf8.ValidString(t) {
			return secret.Text{}, ours("vault.item")
		}
	}
	for _, s := range i.Scope {
		if s == "" || strings.ContainsFunc(s, isSpace) {
			return secret.Text{}, ours("vault.item")
		}
	}
	if i.AccessToken.Empty() || i.Gen < 1 || !writableTime(i.IssuedAt) || i.ExpiresAt != nil && !writableTime(*i.ExpiresAt) {
		return secret.Text{}, ours("vault.item")
	}
	wire := wireItem{
		V: itemVersion, Gen: i.Gen,
		AccessToken: i.AccessToken.Reveal(), TokenType: i.TokenType, RefreshToken: i.RefreshToken.Reveal(),
		Scope: strings.Join(i.Scope, " "), IssuedAt: i.IssuedAt.UTC().Format(time.RFC3339Nano),
		Provider: i.Provider, UserID: i.UserID, Username: i.Username, ClientID: i.ClientID,
	}
	if i.ExpiresAt != nil {
		end := i.ExpiresAt.UTC().Format(time.RFC3339Nano)
		wire.ExpiresAt = &end
	}
	out, err := plainJSON(wire)
	if err != nil {
		return secret.Text{}, ours("vault.item")
	}
	if len(i.other) > 0 {
		more, err := plainJSON(i.other)
		if err != nil {
			return secret.Text{}, ours("vault.item")
		}
		out = append(append(out[:len(out)-1], ','), more[1:]...)
	}
	return secret.New(string(out)), nil
}

// Decode reads what Encode wrote, and fields that it does not know. Anything
// else is the problem vault.unreadable with reason=item: broken JSON, another
// version, no token, dates that are none. It never says "absent": a damaged
// item is still there and may be worth looking at.
func Decode(t secret.Text) (Item, error) {
	item, sealed, err := decodeItem(t)
	if err != nil {
		return Item{}, err
	}
	if sealed {
		return Item{}, unreadable("item")
	}
	return item, nil
}

// decodeItem also reads sealed items, of which only Gen is set then.
func decodeItem(t secret.Text) (item Item, sealed bool, err error) {
	var fields map[string]json.RawMessage
	var wire wireItem
	var mark sealedItem
	raw := []byte(t.Reveal())
	// The decoder would put U+FFFD where the bytes are not UTF-8, and so make
	// a different token of a damaged one.
	if !utf8.Valid(raw) || strictJSON(raw, &fields) != nil || strictJSON(raw, &wire) != nil || strictJSON(raw, &mark) != nil {
		return Item{}, false, unreadable("item")
	}
	if wire.V != itemVersion || wire.Gen < 1 {
		return Item{}, false, unreadable("item")
	}
	if mark.Sealed {
		if wire.AccessToken != "" {
			return Item{}, false, unreadable("item")
		}
		return Item{Gen: wire.Gen}, true, nil
	}
	issued, err := time.Parse(time.RFC3339Nano, wire.IssuedAt)
	if err != nil || !writableTime(issued) || wire.AccessToken == "" {
		return Item{}, false, unreadable("item")
	}
	item = Item{
		Gen: wire.Gen, AccessToken: secret.New(wire.AccessToken), TokenType: wire.TokenType,
		RefreshToken: secret.New(wire.RefreshToken), Scope: strings.Fields(wire.Scope), IssuedAt: issued.UTC(),
		Provider: wire.Provider, UserID: wire.UserID, Username: wire.Username, ClientID: wire.ClientID,
	}
	if wire.ExpiresAt != nil {
		end, err := time.Parse(time.RFC3339Nano, *wire.ExpiresAt)
		if err != nil || !writableTime(end) {
			return Item{}, false, unreadable("item")
		}
		end = end.UTC()
		item.ExpiresAt = &end
	}
	for name, value := range fields {
		if !known(name) {
			if item.other == nil {
				item.other = map[string]json.RawMessage{}
			}
			item.other[name] = value
		}
	}
	return item, false, nil
}

// known compares as the decoder does: without regard to case.
func known(field string) bool {
	for _, k := range knownFields {
		if strings.EqualFold(k, field) {
			return true
		}
	}
	return false
}

func isSpace(r rune) bool { return len(strings.Fields(string(r))) == 0 }

// writableTime: RFC 3339 has four digits for the year.
func writableTime(t time.Time) bool { return t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 }

// plainJSON leaves <, > and & as they are: other programs' eyes read this.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

var errTrailing = errors.New("vault: more than one JSON value")

func strictJSON(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// place is the associated data of an overflow: which item, which version.
func place(service, name string, gen int64) string {
	return fmt.Sprintf("%s|%s|%d", service, name, gen)
}
