package connect

import (
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// renewPath is where renewals are asked.
const renewPath = "/graph.instagram.com/refresh_access_token"

// old is the age at which a token is due: 15 of its 60 days are left.
const old = 45 * day

// kinds are the providers that there may be (providers.md 10, 8): one that lets
// the old token work on, one that forgives a lost answer, one that forgives none.
var kinds = []struct {
	name  string
	shape sandbox.Shape
	// strict: a lost answer is a lost token.
	strict bool
}{
	{name: "kept"},
	{name: "one retry", shape: sandbox.Shape{Renew: "rotating", Grace: 1}},
	{name: "strict", shape: sandbox.Shape{Renew: "rotating"}, strict: true},
}

func (s *stage) shape(shape sandbox.Shape) {
	s.t.Helper()
	if err := s.sandbox.Server.SetShape(shape); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) mintFor(username string, age time.Duration) secret.Text {
	s.t.Helper()
	access, err := s.sandbox.Server.Mint(sandbox.Minted{Person: username, Age: age})
	if err != nil {
		s.t.Fatal(err)
	}
	return secret.New(access)
}

// plant is an account of that person whose token is so old: what a sign-in that
// long ago would have left.
func (s *stage) plant(username string, age time.Duration) string {
	s.t.Helper()
	ctx := s.t.Context()
	sealer, err := s.service.furnish(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := s.service.definition("instagram")
	if err != nil {
		s.t.Fatal(err)
	}
	access := s.mintFor(username, age)
	a := answer{Provider: "instagram", Access: sealedText{access}}
	who, err := s.service.client(d).Identify(ctx, d, a.token())
	if err != nil {
		s.t.Fatal(err)
	}
	row := library.Account{
		ID: library.NewID(s.service.config.Rand), Provider: "instagram", ClientID: sandbox.ClientID, UserID: who.UserID, Username: who.Username,
		Kind: who.Kind, ScopesAsked: []string{"instagram_business_basic"}, ScopesGranted: []string{"instagram_business_basic"}, Vault: placeKeychain,
	}
	s.age(sealer, row, access, age)
	if _, err := s.service.furnish(ctx); err != nil { // the index
		s.t.Fatal(err)
	}
	return row.ID
}

// age gives an account a token of that age, one generation later.
func (s *stage) age(sealer *vault.Sealer, row library.Account, access secret.Text, age time.Duration) {
	s.t.Helper()
	issued := s.sandbox.Server.Now().Add(-age).UTC().Truncate(time.Second)
	ends := issued.Add(5183944 * time.Second)
	row.IssuedAt, row.ExpiresAt, row.LastAnswer, row.FailedSince = &issued, &ends, "", nil
	row.Gen++
	item := vault.Item{
		Gen: row.Gen, AccessToken: access, TokenType: "bearer", Scope: row.ScopesGranted, IssuedAt: issued, ExpiresAt: &ends,
		Provider: row.Provider, UserID: row.UserID, Username: row.Username, ClientID: row.ClientID,
	}
	if err := s.service.tokens(sealer).Put(s.t.Context(), row.ID, item); err != nil {
		s.t.Fatal(err)
	}
	if err := s.service.library.Finish(s.t.Context(), row); err != nil {
		s.t.Fatal(err)
	}
}

// works asks the provider, past the program, whether a token is alive.
func (s *stage) works(access secret.Text) bool {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.sandbox.URL+"/graph.instagram.com/me", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+access.Reveal())
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, got.Body)
	got.Body.Close()
	return got.StatusCode == http.StatusOK
}

// row is the library's word about an account.
func (s *stage) row(id string) library.Account {
	s.t.Helper()
	row, err := s.service.library.Account(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return row
}

// kept is the token in the keychain, whatever the status says.
func (s *stage) kept(id string) vault.Item {
	s.t.Helper()
	item, err := s.service.item(s.t.Context(), s.row(id))
	if err != nil {
		s.t.Fatal(err)
	}
	return item
}

func (s *stage) asks(username string) int { return s.sandbox.Server.Counts()[username].Renew }

// nothingLeftOver is WO-5: no pending row, no reserve, no half-written file.
func (s *stage) nothingLeftOver() {
	s.t.Helper()
	rows, err := s.service.library.Pendings(s.t.Context())
	if len(rows) != 0 || err != nil {
		s.t.Errorf("%d pending rows left, %v", len(rows), err)
	}
	entries, err := os.ReadDir(s.service.root())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{"library.id", "library.db", "library.db-wal", "library.db-shm", "locks", "providers", "logs"}, e.Name()) {
			s.t.Errorf("%s is left over", e.Name())
		}
	}
}
