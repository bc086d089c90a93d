package connect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/buildinfo"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// diaryLimit is how many lines of an account's diary a bundle has at most.
const diaryLimit = 50

// other stands for every word that is not of a closed set.
const other = "other"

var (
	bundleEvents = []string{
		"signed_in", "renewed", "renew_failed", "checked", "checked_closed", "check_failed", "imported", "copied", "shown",
		"revoked", "removed", "recovered", "warned",
	}
	bundlePrograms = []string{"GNOME Keyring", "KeePassXC", "KWallet", "Keychain", "Credential Manager", "Secret Service"}
	bundlePlaces   = []string{placeKeychain, placeSession, "file"}
	ownID          = regexp.MustCompile(`^[a-z0-9]{8,32}$`)
)

// Bundle writes what helps with a question to us, as plain text that a person
// can read before sending it. It cannot hold a token, for it is not a log that
// was cleaned: every line is put together here, from numbers, dates, our own
// ids, and words of closed sets; a word that is not in its set becomes "other".
// No name of a person, an app or a file is in it, and no path. The keychain is
// not opened for it. The error is the library's, or that of w.
func (s *Service) Bundle(ctx context.Context, w io.Writer) error {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	now := s.config.Now()
	line("%s %s, build %d", buildinfo.Name, buildinfo.Version, buildinfo.Build)
	line("system: %s %s, %s", runtime.GOOS, runtime.GOARCH, runtime.Version())
	line("written: %s", moment(&now))
	line("practice: %t", s.Practising())
	line("home: <home>")

	line("\nproviders")
	own, issues := 0, s.DefinitionIssues()
	for _, d := range s.Providers() {
		// The id of a person's own definition is the person's word, and so are
		// the dates in it.
		shipped, ok := shippedDefinition(d.ID)
		if !ok {
			own++
			continue
		}
		line("  %s: checked %s, %s, changed here: %t", shipped.ID, shipped.Checked, shipped.Status, !d.Shipped())
	}
	line("  of this computer: %d, unusable: %d", own, len(issues))
	for _, issue := range issues {
		line("  unusable: %s", keyOf(string(problem.Of(issue).Key)))
	}

	line("\nlibrary")
	for _, note := range s.Notes() {
		line("  note: %s", keyOf(string(note)))
	}
	line("  read only: %t", s.library.ReadOnly())
	waiting, err := s.library.Pendings(ctx)
	if err != nil {
		return err
	}
	answered := 0
	for _, p := range waiting {
		if len(p.Sealed) > 0 {
			answered++
		}
	}
	line("  unfinished: %d, with an answer: %d", len(waiting), answered)

	storage, err := s.Storage(ctx)
	if err != nil {
		return err
	}
	line("\nstorage")
	line("  place: %s, program: %s", of(bundlePlaces, storage.Place), of(bundlePrograms, storage.Program))
	line("  present: %t, locked: %t", storage.Present, storage.Locked)
	if storage.Problem != nil {
		line("  problem: %s", keyOf(string(storage.Problem.Key)))
	}
	line("  accounts: %d, secrets kept: %d, forgotten: %d", storage.Accounts, storage.SecretsKept, storage.SecretsForgotten)

	line("\nsettings")
	for _, name := range []string{"renew", "warn"} {
		value, err := s.Setting(ctx, name)
		if err != nil {
			return err
		}
		line("  %s off: %t", name, value == "off")
	}
	calendar, err := s.Setting(ctx, "calendar")
	if err != nil {
		return err
	}
	ran, err := s.Setting(ctx, "timer_ran")
	if err != nil {
		return err
	}
	line("  calendar kept: %t, timer ran: %s", calendar != "", date(ran))

	accounts, err := s.library.Accounts(ctx)
	if err != nil {
		return err
	}
	renewals, err := s.library.Renewals(ctx)
	if err != nil {
		return err
	}
	for n, row := range accounts {
		if err := s.bundleAccount(ctx, line, n+1, row, renewals[row.ID]); err != nil {
			return err
		}
	}
	_, err = w.Write(b.Bytes())
	return err
}

func (s *Service) bundleAccount(ctx context.Context, line func(string, ...any), n int, row library.Account, r library.Renewal) error {
	a := s.account(row, "")
	id := other
	if ownID.MatchString(row.ID) {
		id = row.ID
	}
	line("\naccount %d: %s", n, id)
	line("  provider: %s, status: %s, lifetime: %s, vault: %s", shippedID(row.Provider), a.Status, a.Lifetime, of(bundlePlaces, row.Vault))
	line("  issued: %s, ends: %s, estimated: %t, generation: %d", moment(row.IssuedAt), moment(row.ExpiresAt), row.Estimated, row.Gen)
	line("  last answer: %s, failing since: %s", keyOf(row.LastAnswer), moment(row.FailedSince))
	line("  with an app: %t, permissions asked: %d, granted: %d", row.AppID != "", len(row.ScopesAsked), len(row.ScopesGranted))
	line("  renewal tries: %d, tried: %s, next: %s, checked: %s, warned: %d", r.Tries, moment(r.TriedAt), moment(r.NextAt), moment(r.CheckedAt), r.Warned)
	entries, err := s.library.Diary(ctx, row.ID, diaryLimit, 0)
	if err != nil {
		return err
	}
	for _, e := range entries {
		line("  %s %s%s", moment(&e.At), of(bundleEvents, e.Event), closedArgs(e.Args))
	}
	return nil
}

func shippedDefinition(id string) (provider.Definition, bool) {
	shipped, _ := provider.Load("")
	d, err := shipped.Get(id)
	return d, err == nil
}

func shippedID(id string) string {
	if d, ok := shippedDefinition(id); ok {
		return d.ID
	}
	return other
}

// closedArgs gives those arguments of a diary's line that are numbers, dates
// or keys, sorted; the rest is left out, name and all.
func closedArgs(args map[string]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(args)) {
		value := args[name]
		switch name {
		case "n", "days":
			number, err := strconv.Atoi(value)
			if err != nil {
				value = other
			} else {
				value = strconv.Itoa(number)
			}
		case "until":
			value = date(value)
		case "reason":
			value = keyOf(value)
		default:
			continue
		}
		text += " " + name + "=" + value
	}
	return text
}

func of(set []string, word string) string {
	switch {
	case word == "":
		return "none"
	case slices.Contains(set, word):
		return word
	default:
		return other
	}
}

func keyOf(key string) string {
	switch {
	case key == "":
		return "none"
	case problem.Listed(problem.Key(key)):
		return key
	default:
		return other
	}
}

// moment is a time to the second, in UTC.
func moment(t *time.Time) string {
	if t == nil {
		return "none"
	}
	return t.UTC().Format(time.RFC3339)
}

// date reads a date that was written down as text, and writes it anew.
func date(written string) string {
	if written == "" {
		return "none"
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, written); err == nil {
			return moment(&t)
		}
	}
	return other
}
