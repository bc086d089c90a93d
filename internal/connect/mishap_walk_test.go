//go:build !race

// Five hundred sign-ins, one after the other: what the race detector could see
// in them it sees in a few. The other run walks them all.

package connect

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/sandbox"
)

// What a provider can cause, and the scenario that shows it, has no gap: every
// mishap of the practice ground ends a real call with a problem that has its
// sentence, its button and its exit code, and every problem
// of every definition's dictionary is the end of one of them.
func TestEveryProviderProblemHasAScenario(t *testing.T) {
	var mu sync.Mutex
	shown := map[problem.Key][]string{}
	t.Run("mishaps", func(t *testing.T) {
		for _, name := range sandbox.Providers() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				m := newMisfortune(t, name)
				for _, one := range sandbox.Mishaps() {
					if one.Provider != name {
						continue
					}
					var key problem.Key
					p := m.meet(one)
					if p != nil {
						key = p.Key
					}
					switch {
					case wellAfter(one.Name):
						if key != "" {
							t.Errorf("%s: %s", one.Name, key)
						}
						continue
					case key == "" || key == problem.Unexpected || key == problem.UnknownAnswer && !unworded(one) || key == problem.DeadlinePassed || key == problem.RenewImpossible || !problem.Listed(key):
						t.Errorf("%s (row %d, %s) ends with %q", one.Name, one.Row, one.Source, key)
						continue
					}
					seen(t, one.Name, p)
					mu.Lock()
					shown[key] = append(shown[key], one.Name)
					mu.Unlock()
				}
			})
		}
	})
	registry, failures := provider.Load("")
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	for _, d := range registry.List() {
		if p := d.ReadPage("zzz nobody ever wrote this"); p.Key != problem.UnknownAnswer || p.Provider == "" {
			t.Errorf("%s: %v", d.ID, p)
		}
		shown[problem.UnknownAnswer] = append(shown[problem.UnknownAnswer], d.ID+": any other text")
		for _, row := range d.Errors {
			key := problem.Key(row.Key)
			if len(shown[key]) == 0 && inSilence[key] == "" {
				t.Errorf("%s: no scenario shows %s (%q, code %s, at %s)", d.ID, key, row.Match, row.Code, row.Where)
			}
		}
	}
	for _, key := range ownJudgement {
		if len(shown[key]) == 0 {
			t.Errorf("no scenario shows %s", key)
		}
	}
	var list []string
	for key, names := range shown {
		list = append(list, fmt.Sprintf("%s: %d, e.g. %s", key, len(names), names[0]))
	}
	slices.Sort(list)
	t.Attr("figure", fmt.Sprintf("%d mishaps, %d problems, no gap", len(sandbox.Mishaps()), len(shown)))
	t.Log("\n" + strings.Join(list, "\n"))
}
