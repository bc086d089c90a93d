package cli

import (
	"path/filepath"
	"testing"
)

// stories that another test names, each beside a promise that it shows.
var named = map[string]bool{}

func scripts(files ...string) []string {
	var paths []string
	for _, f := range files {
		named[f] = true
		paths = append(paths, filepath.Join("testdata/script", f))
	}
	return paths
}

// The lines of product.md, "Must beat": what comparable programs get wrong.
var (
	mustForged    = scripts("forged.txtar")
	mustDenied    = scripts("deny.txtar", "deny_soon.txtar")
	mustTaken     = scripts("taken.txtar", "taken_v6.txtar", "ours.txtar")
	mustHTTPS     = scripts("listen.txtar")
	mustArgv      = scripts("argv.txtar")
	mustRest      = scripts("at_rest.txtar")
	mustCallback  = scripts("slash_and_fragment.txtar", "double.txtar")
	neverTwice    = scripts("killed.txtar", "interrupted.txtar")
	pasted        = scripts("paste.txtar", "paste_lines.txtar")
	keychainGone  = scripts("keychain.txtar", "no_bus.txtar")
	whatBadGets   = scripts("bad_input.txtar", "provider_faults.txtar", "environment.txtar")
	everyScenario = scripts("scenarios.txtar", "expect.txtar")
	everyRoad     = scripts("threads.txtar", "facebook.txtar", "basic_display.txtar", "oauth2.txtar")
	ownFiles      = scripts("definitions.txtar", "own_definition.txtar")
	rightAccount  = scripts("again.txtar")
)

func TestMustBeat_ForgedStateIsRefusedAndSaid(t *testing.T) { runStories(t, mustForged...) }

func TestMustBeat_DenialIsSaidTrulyInBothPlacesWithinASecond(t *testing.T) {
	runStories(t, mustDenied...)
}

func TestMustBeat_TakenPortIsFoundBeforeTheBrowserOpens(t *testing.T) { runStories(t, mustTaken...) }

func TestMustBeat_HTTPSWithoutMakingACertificate(t *testing.T) { runStories(t, mustHTTPS...) }

func TestMustBeat_SecretNeverInArgv(t *testing.T) { runStories(t, mustArgv...) }

func TestMustBeat_NothingReadableAtRest(t *testing.T) { runStories(t, mustRest...) }

func TestMustBeat_FragmentSlashAndDoubledCallbackAreHandled(t *testing.T) {
	runStories(t, mustCallback...)
}

func TestPST1_PST2_PST6_PastedAddresses(t *testing.T) { runStories(t, pasted...) }

func TestKillLosesNothingThatReachedTheDisk(t *testing.T) { runStories(t, neverTwice...) }

func TestKR6_KR9_KeychainTroubleComesBeforeTheBrowser(t *testing.T) { runStories(t, keychainGone...) }

func TestWhatBadInputGets(t *testing.T) { runStories(t, whatBadGets...) }

func TestEveryScenarioHasItsExitCode(t *testing.T) { runStories(t, everyScenario...) }

func TestEveryRoadIn(t *testing.T) { runStories(t, everyRoad...) }

func TestATT8_ATT13_OwnDefinitionsAreStrictAndConfirmed(t *testing.T) { runStories(t, ownFiles...) }

func TestNobodyTakesAnAccountsPlace(t *testing.T) { runStories(t, rightAccount...) }

// TestStories runs every story that no other test names.
func TestStories(t *testing.T) {
	all, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var rest []string
	for _, file := range all {
		if !named[filepath.Base(file)] {
			rest = append(rest, file)
		}
	}
	if len(rest) > 0 {
		runStories(t, rest...)
	}
	if len(all) < len(named) {
		t.Errorf("%d stories lie in testdata/script, %d have a name here", len(all), len(named))
	}
}
