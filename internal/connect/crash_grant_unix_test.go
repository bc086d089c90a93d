//go:build unix

package connect

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// grantPoints are all points of a sign-in whose token is for two accounts, in
// their order.
func grantPoints() []string {
	points := slices.Clone(Points)
	item := slices.Index(points, "item-written")
	points = slices.Insert(points, item+1, "item-written-2")
	return slices.Insert(points, item, "reached", "chosen")
}

// A kill at any point of a sign-in that brings several accounts, between any
// two of their items too, ends as all of them with one token, or as what was
// there before; the same when whoever finishes it is killed as well.
func TestKillAtEveryPointOfASignInForSeveral(t *testing.T) {
	points := grantPoints()
	for _, p := range GrantPoints {
		if !slices.Contains(points, p) {
			t.Fatalf("%s is not tested", p)
		}
	}
	sealed := slices.Index(points, "sealed-short")
	long := slices.Index(points, "sealed-long")
	seconds := []string{"", "chosen", "item-written", "item-written-2", "app-saved", "finished"}
	for _, again := range []bool{false, true} {
		for i, point := range points {
			for _, second := range seconds {
				if second != "" && i < slices.Index(points, "reached") {
					continue
				}
				name := point + ", then " + second
				if again {
					name = "again/" + name
				}
				t.Run(name, func(t *testing.T) {
					s := onDisk(t)
					s.atFacebook("nora.lind")
					before := map[string]Account{}
					var former Handed
					if again {
						before = s.both()
						former = s.handed(before["lantern.books"].ID)
					}
					s.service.Close()
					if !s.run(job{Do: "sign-in", Provider: "instagram-facebook", Point: point}) {
						t.Fatal("the child did not come to its point")
					}
					if second != "" {
						// What is past that point already is simply done.
						s.run(job{Do: "recover", Point: second})
					}
					s.open()
					got, err := s.service.Recover(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					after := s.byName()
					if i < sealed {
						if !maps.EqualFunc(after, before, func(a, b Account) bool { return a.ID == b.ID }) {
							t.Errorf("%+v, was %+v", after, before)
						}
						for _, r := range got {
							if !problem.Has(r.Problem, problem.Interrupted) {
								t.Errorf("%+v", r)
							}
						}
						for _, a := range after {
							if !s.handed(a.ID).AccessToken.Equal(former.AccessToken) {
								t.Error("the former token is gone")
							}
						}
						return
					}
					if names := slices.Sorted(maps.Keys(after)); !slices.Equal(names, []string{"harbour.coffee", "lantern.books"}) {
						t.Fatalf("%v after %+v", names, got)
					}
					lantern, harbour := after["lantern.books"], after["harbour.coffee"]
					first, second := s.handed(lantern.ID), s.handed(harbour.ID)
					if !first.AccessToken.Equal(second.AccessToken) {
						t.Error("two tokens in one grant")
					}
					// A short token that nobody can extend any more costs nobody 60 days.
					if kept := again && i < long; kept != first.AccessToken.Equal(former.AccessToken) {
						t.Errorf("the former token is kept: %v", !kept)
					}
					grants := s.grantsOf(after)
					if grants["lantern.books"] != grants["harbour.coffee"] || !lantern.ExpiresAt.Equal(*harbour.ExpiresAt) {
						t.Errorf("grants %v, %v and %v", grants, lantern.ExpiresAt, harbour.ExpiresAt)
					}
					for name, a := range before {
						if after[name].ID != a.ID {
							t.Errorf("%s has another id", name)
						}
					}
					s.onlyAccounts(lantern.ID, harbour.ID)
					s.onlyItems(lantern.ID, harbour.ID)
					if left, _ := s.service.Recover(t.Context()); len(left) != 0 {
						t.Errorf("recovering twice: %+v", left)
					}
					s.noPlainTokenOnDisk()
				})
			}
		}
	}
}

// onlyItems fails where the store holds a token of no account.
func (s *stage) onlyItems(ids ...string) {
	s.t.Helper()
	for _, name := range s.names() {
		if id, ok := cutToken(name); ok && !slices.Contains(ids, id) {
			s.t.Errorf("%s is of no account", name)
		}
	}
}

func (s *stage) names() []string {
	s.t.Helper()
	entries, err := os.ReadDir(s.store.(*fileStore).dir)
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func cutToken(name string) (string, bool) { return strings.CutPrefix(name, "token-") }
