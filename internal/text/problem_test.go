package text

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/resources"
)

// sentences reads every room of a language: key, plural form included, to its
// text, and to the room that has it. A key that two rooms have is an error,
// for one would silently hide the other.
func sentences(t *testing.T, lang string) (said, room map[string]string) {
	t.Helper()
	said, room = map[string]string{}, map[string]string{}
	files, err := fs.Glob(resources.Translations, "translations/"+lang+"/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", lang, len(files), err)
	}
	for _, file := range files {
		var tree map[string]any
		if _, err := toml.DecodeFS(resources.Translations, file, &tree); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var walk func(prefix string, node any)
		walk = func(prefix string, node any) {
			switch node := node.(type) {
			case map[string]any:
				for key, child := range node {
					walk(strings.TrimPrefix(prefix+"."+key, "."), child)
				}
			case string:
				if other, ok := room[prefix]; ok {
					t.Errorf("%s: %s is in %s and in %s", lang, prefix, other, path.Base(file))
				}
				said[prefix], room[prefix] = node, path.Base(file)
			default:
				t.Errorf("%s: %s is a %T, not a sentence", file, prefix, node)
			}
		}
		walk("", tree)
	}
	return said, room
}

// actions reads the closed set from the source, so that a new one is not
// forgotten here.
func actions(t *testing.T) []problem.Action {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../problem/table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []problem.Action
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Action" {
				all = append(all, problem.Action(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)))
			}
		}
		return true
	})
	if len(all) < 10 {
		t.Fatalf("found %d actions only", len(all))
	}
	return all
}

func TestEveryProblemHasItsSentencesInEveryLanguage(t *testing.T) {
	for _, lang := range Languages() {
		c := For(lang)
		said, _ := sentences(t, lang)
		for _, row := range problem.Table() {
			for _, part := range []string{"title", "happened", "advice"} {
				if said["problem."+string(row.Key)+"."+part] == "" {
					t.Errorf("%s: problem.%s.%s is missing", lang, row.Key, part)
				}
			}
			told := c.Tell(problem.New(row.Key))
			for _, s := range []string{told.Title, told.Happened, told.Advice} {
				if s == "" || strings.ContainsAny(s, "⟦⟧") {
					t.Errorf("%s: %s says %q", lang, row.Key, s)
				}
			}
		}
		for _, action := range actions(t) {
			label := c.Action(action)
			if label == "" || strings.ContainsAny(label, "⟦⟧") || utf8.RuneCountInString(label) > 26 {
				t.Errorf("%s: the button of %s says %q", lang, action, label)
			}
		}
	}
}

// A sentence of a problem that nobody can have is dead; so is a variant that
// lacks one of its three parts, for Tell looks at the title alone.
func TestEverySentenceOfAProblemHasItsProblem(t *testing.T) {
	for _, lang := range Languages() {
		said, _ := sentences(t, lang)
		for key := range said {
			stem, ok := strings.CutPrefix(key, "problem.")
			if !ok {
				continue
			}
			dot := strings.LastIndex(stem, ".")
			stem, part := stem[:dot], stem[dot+1:]
			if !slices.Contains([]string{"title", "happened", "advice"}, part) {
				t.Errorf("%s: %s is no part of a problem", lang, key)
			}
			if problem.Listed(problem.Key(stem)) {
				continue
			}
			if base := stem[:max(0, strings.LastIndex(stem, "."))]; !problem.Listed(problem.Key(base)) {
				t.Errorf("%s: %s belongs to no problem", lang, key)
			}
			for _, part := range []string{"title", "happened", "advice"} {
				if said["problem."+stem+"."+part] == "" {
					t.Errorf("%s: the variant %s lacks its %s", lang, stem, part)
				}
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)
var field = regexp.MustCompile(`\$?\.([a-zA-Z_][a-zA-Z_0-9]*)`)

// placeholders lists the arguments of a template, sorted, each once.
func placeholders(template string) []string {
	names := map[string]bool{}
	for _, braces := range placeholder.FindAllString(template, -1) {
		for _, name := range field.FindAllStringSubmatch(braces, -1) {
			names[name[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

var plural = regexp.MustCompile(`\.(zero|one|two|few|many|other)$`)

// A key or a placeholder that one language has and the other lacks is a
// sentence that comes out in the wrong language or with a hole in it.
func TestAllRoomsSayTheSameInEveryLanguage(t *testing.T) {
	english, room := sentences(t, "en")
	for _, lang := range Languages()[1:] {
		said, otherRoom := sentences(t, lang)
		lacking := map[string][]string{}
		for key, text := range english {
			other, ok := said[key]
			if !ok {
				lacking[room[key]] = append(lacking[room[key]], key)
				continue
			}
			if otherRoom[key] != room[key] {
				t.Errorf("%s is in %s in English and in %s in %s", key, room[key], otherRoom[key], lang)
			}
			// "One" may say the number in a word.
			if want, got := placeholders(text), placeholders(other); !slices.Equal(want, got) && !strings.HasSuffix(key, ".one") {
				t.Errorf("%s/%s: %s uses %v, English %v", lang, room[key], key, got, want)
			}
		}
		for name, keys := range lacking {
			slices.Sort(keys)
			t.Errorf("%s/%s lacks %d sentences: %s", lang, name, len(keys), strings.Join(keys[:min(10, len(keys))], " "))
		}
		for key := range said {
			if _, ok := english[key]; !ok {
				t.Errorf("%s/%s has %s, which English lacks", lang, otherRoom[key], key)
			}
		}
	}
}

// Every template of every room must run, with nothing given too: Go's
// templates print "<no value>" for what is missing.
func TestProblemsReadWellWithAndWithoutArguments(t *testing.T) {
	for _, lang := range Languages() {
		c := For(lang)
		said, _ := sentences(t, lang)
		for key, template := range said {
			if !strings.HasPrefix(key, "problem.") {
				continue
			}
			full := Args{}
			for _, name := range placeholders(template) {
				full[name] = "Xy-" + name
			}
			variants := []Args{full}
			// A usage problem is made in one place, with all that it needs.
			if !strings.HasPrefix(key, "problem.usage.") {
				variants = append(variants, Args{})
				for name := range full {
					without := maps.Clone(full)
					delete(without, name)
					variants = append(variants, without, Args{name: full[name]}, maps.Clone(without))
					variants[len(variants)-1][name] = ""
				}
			}
			for _, args := range variants {
				s := c.Say(key, args)
				first, _ := utf8.DecodeRuneInString(s)
				switch {
				case s == "", strings.Contains(s, "<no value>"), strings.ContainsAny(s, "⟦⟧{}"):
					t.Errorf("%s: %s with %v: %q", lang, key, args, s)
				case strings.Contains(s, "  "), strings.Contains(s, " ."), strings.Contains(s, " ,"), strings.Contains(s, ".."), strings.Contains(s, "“”"), strings.Contains(s, "„“"), strings.TrimSpace(s) != s:
					t.Errorf("%s: %s with %v has a hole: %q", lang, key, args, s)
				case strings.ToUpper(string(first)) != string(first):
					t.Errorf("%s: %s with %v begins small: %q", lang, key, args, s)
				}
			}
		}
	}
}

// ux.md 9: plain words, no blame, no exclamation marks.
func TestVoice(t *testing.T) {
	jargon := map[string]*regexp.Regexp{
		"en": regexp.MustCompile(`(?i)\b(error|invalid|failed|failure|authori[sz]ation|authenticat\w*|session|expired|credentials?|back end|bind|redirect uri|please wait|refresh(ed)?|success|awesome|oops|log in|login page|expires_in|payload|null|timeout|exception)\b`),
		"de": regexp.MustCompile(`(?i)\b(fehler|ungültig\w*|fehlgeschlagen|autorisierung\w*|authentifizier\w*|sitzung|redirect uri|bitte warten|erfolg|timeout|exception|einloggen|login)\b`),
	}
	familiar := regexp.MustCompile(`(?i)\b(du|dein\w*|dir|dich|euer|eure\w*|ihr seid)\b`)
	// What stands on somebody else's page is quoted as it stands there.
	quoted := regexp.MustCompile(`[“„][^”“]*[”“]|Business login settings`)
	for _, lang := range Languages() {
		said, room := sentences(t, lang)
		for key, text := range said {
			if strings.Contains(text, "!") {
				t.Errorf("%s/%s: %s has an exclamation mark: %q", lang, room[key], key, text)
			}
			plain := placeholder.ReplaceAllString(quoted.ReplaceAllString(text, ""), "")
			if strings.HasPrefix(key, "problem.") || strings.HasPrefix(key, "action.") {
				if word := jargon[lang].FindString(plain); word != "" {
					t.Errorf("%s/%s: %s says %q: %q", lang, room[key], key, word, text)
				}
			}
			if lang == "de" {
				if word := familiar.FindString(plain); word != "" {
					t.Errorf("%s/%s: %s says %q: %q", lang, room[key], key, word, text)
				}
			}
			if straight := strings.ContainsAny(plain, `'"`); straight && strings.HasPrefix(key, "problem.") {
				t.Errorf("%s/%s: %s has a straight quotation mark: %q", lang, room[key], key, text)
			}
		}
	}
}

func TestLengths(t *testing.T) {
	args := Args{"provider": "Instagram", "name": "harbour.coffee", "app": "Shop", "scope": "instagram_business_manage_insights", "port": "8919", "minutes": "10",
		"username": "harbour.coffee", "date": "2 November 2026", "found": "Facebook", "program": "GNOME Keyring", "host": "graph.instagram.com", "folder": "/home/maria/.local/share/tokenkeep"}
	limits := map[string]map[string]int{"title": {"en": 80, "de": 100}, "happened": {"en": 260, "de": 300}, "advice": {"en": 200, "de": 240}}
	for _, lang := range Languages() {
		c := For(lang)
		said, _ := sentences(t, lang)
		for key := range said {
			limit, ok := limits[key[strings.LastIndex(key, ".")+1:]][lang]
			if !strings.HasPrefix(key, "problem.") || strings.HasPrefix(key, "problem.usage.") || !ok {
				continue
			}
			if s := c.Say(key, args); utf8.RuneCountInString(s) > limit {
				t.Errorf("%s: %s has %d characters of %d: %q", lang, key, utf8.RuneCountInString(s), limit, s)
			}
		}
	}
}

// The copy that the design calls final, word for word.
func TestFinalCopy(t *testing.T) {
	c := For("en")
	for _, row := range []struct {
		key                     problem.Key
		args                    []string
		title, happened, advice string
	}{
		{problem.AppIDIsFacebook, []string{"provider", "Instagram"}, "Instagram does not know this app ID", "A Meta app has two IDs. This one is for Facebook; Instagram has its own.", ""},
		{problem.Denied, []string{"provider", "Instagram"}, "You chose not to allow it", "You pressed Cancel at Instagram. Nothing was changed.", ""},
		{problem.NotInvited, nil, "This account is not on the guest list yet", "Your app is in development. Only accounts added as Instagram Tester, and that said yes, may sign in. Or the browser was signed in to another account.", ""},
		{problem.RedirectMismatch, nil, "The return address is not the same in both places", "", ""},
		{problem.CodeUsed, nil, "This code was already used", "A code works once, for one hour. A page reload uses it up.", "Sign in again."},
		{problem.AnswerIncomplete, nil, "Part of the code is missing", "The pasted address stops too early.", ""},
		{problem.AnswerForeign, nil, "This answer belongs to another attempt", "It does not carry the mark of this sign-in, so it was not used.", "This address is from an earlier sign-in. Start again, then copy the new one."},
		{problem.AppSecretRefused, nil, "The app secret was not accepted", "It does not belong to this app ID.", ""},
		{problem.ScopeRetired, []string{"scope", "user_profile"}, "That permission was retired", "user_profile belonged to an API that ended on 4 December 2024.", ""},
		{problem.ScopeOtherRoad, nil, "These permissions belong to the other way in", "Instagram sign-in and Facebook sign-in use different names.", ""},
		{problem.PersonalAccount, nil, "This is a personal account", "Meta gives tokens to business and creator accounts only. Changing is free and takes two minutes.", ""},
		{problem.AlreadyLong, nil, "This is already a 60-day token", "It needs no exchange. We keep it and renew it.", "Keep it."},
		{problem.TokenIncomplete, nil, "Part of the token is missing", "Its end or beginning was not copied.", ""},
		{problem.TokenOtherService, []string{"found", "Facebook", "provider", "Instagram", "prefix", "EAA"}, "This token is for Facebook, not Instagram", "It starts with EAA.", "Use it for Facebook, or paste another."},
		{problem.PasswordChanged, []string{"provider", "Instagram"}, "Instagram signed all apps out", "The password was changed or a security check was made.", "Sign in again."},
		{problem.AccessRemoved, []string{"provider", "Instagram"}, "Access was removed", "Someone removed the app in Instagram’s settings.", "Sign in again."},
		{problem.TokenEnded, []string{"date", "2 Nov"}, "This token ended on 2 Nov", "An ended token cannot be renewed.", "Sign in again."},
		{problem.SecurityCheck, []string{"provider", "Instagram"}, "Instagram wants to see you first", "There is an open security check.", ""},
		{problem.ProviderBusy, []string{"provider", "Instagram"}, "Instagram asks us to wait", "Too many requests.", ""},
		{problem.ProviderDown, []string{"provider", "Instagram", "host", "Meta"}, "Instagram does not answer properly", "The fault is on the way or at Meta; your details are fine.", ""},
		{problem.UnknownAnswer, []string{"provider", "Instagram"}, "Instagram refused, and we don’t know this answer yet", "", ""},
		{problem.NetworkUnreachable, []string{"provider", "Instagram"}, "Instagram cannot be reached", "", "Check the connection or the company firewall."},
		{problem.OtherAccount, nil, "A different account answered", "", ""},
		{problem.PortTaken, []string{"port", "8919"}, "Another program uses port 8919", "", "Close it, or choose another port and register the new address."},
		{problem.VaultLocked, []string{"program", "GNOME Keyring"}, "GNOME Keyring is locked", "", ""},
		{problem.VaultLocked, nil, "The keyring is locked", "", ""},
		{problem.VaultAbsent, nil, "No keychain was found on this computer.", "", ""},
		{problem.ClientIDLetters, nil, "Digits only. Copy it again, please.", "", ""},
		{problem.ClientIDIsSecret, nil, "This is a secret, not an ID. It goes in the next field.", "", ""},
		{problem.FieldEmpty, nil, "Please fill this in.", "", ""},
		{problem.PasteTooLong, nil, "This is too long for an address.", "", ""},
		{problem.PasteNoCode, nil, "There is no code in this text.", "", "Copy the whole address, from https to the end."},
		{problem.PasteBareCode, nil, "", "", "Copy the whole address, from https to the end."},
		{problem.DeadlinePassed, []string{"minutes", "10"}, "No answer came in 10 minutes", "Nothing was changed.", ""},
		{problem.BrowserFailed, nil, "The browser did not open.", "", "Copy the link and open it yourself."},
		{problem.BrowserAbsent, nil, "", "It needs Chromium, Chrome or Edge.", ""},
		{problem.ExtendRefused, []string{"provider", "Instagram"}, "", "Instagram gave a token for one hour but not the 60-day one. Usual causes: the tester invite is open, the account is not professional, or the secret is the Facebook one.", ""},
	} {
		told := c.Tell(problem.New(row.key, row.args...))
		for _, part := range [][2]string{{told.Title, row.title}, {told.Happened, row.happened}, {told.Advice, row.advice}} {
			if part[1] != "" && part[0] != part[1] {
				t.Errorf("%s says %q, the design %q", row.key, part[0], part[1])
			}
		}
	}
}

func TestVariantsTellAnotherCauseOfTheSameProblem(t *testing.T) {
	for _, lang := range Languages() {
		c := For(lang)
		for _, row := range []struct {
			key    problem.Key
			reason string
		}{
			{problem.VaultAbsent, "silent"}, {problem.VaultAbsent, "gone"}, {problem.VaultAbsent, "no-collection"}, {problem.VaultLocked, "no-dialog"}, {problem.VaultUnreadable, "changed"},
			{problem.HomeUnusable, "shared"}, {problem.HomeUnusable, "unreadable"}, {problem.NetworkTLS, "expired"}, {problem.ClientIDLetters, "characters"},
		} {
			if c.Tell(problem.New(row.key, "reason", row.reason)) == c.Tell(problem.New(row.key)) {
				t.Errorf("%s: %s has no words for the reason %s", lang, row.key, row.reason)
			}
		}
		if c.Tell(problem.New(problem.VaultAbsent, "reason", "no such reason")) != c.Tell(problem.New(problem.VaultAbsent)) {
			t.Errorf("%s: an unknown reason must read like none", lang)
		}
	}
}

// What a stranger wrote is a value, never a template.
func TestArgumentsAreNotTemplates(t *testing.T) {
	evil := `{{.provider}}{{printf "%s" .name}}`
	told := For("en").Tell(problem.New(problem.AppUnknown, "name", evil, "provider", "leak"))
	if want := fmt.Sprintf("There is no saved app “%s”", evil); told.Title != want {
		t.Errorf("%q", told.Title)
	}
}

// What a person reads is a day and a name, not a date of a file and an id.
func TestTheRetiredNameTheirDayAndTheirSuccessor(t *testing.T) {
	p := problem.New(problem.ProviderRetired, "provider", "Instagram Basic Display", "retired", "2024-12-04", "replaced_by", "instagram", "replacement", "Instagram")
	for lang, want := range map[string]Told{
		"en": {"Instagram Basic Display has ended", "It was switched off on 4 December 2024. Nobody can sign in there any more.", "Use Instagram instead."},
		"de": {"Instagram Basic Display gibt es nicht mehr", "Sie wurde am 4. Dezember 2024 abgeschaltet. Niemand kann sich dort noch anmelden.", "Nehmen Sie stattdessen Instagram."},
	} {
		if got := For(lang).Tell(p); got != want {
			t.Errorf("%s: %+v", lang, got)
		}
	}
}

// Threads has no business accounts, and its permissions are not Facebook's.
func TestThreadsIsNotSpokenOfAsInstagram(t *testing.T) {
	other := For("en").Tell(problem.New(problem.ScopeOtherRoad, "provider", "Instagram", "scope", "threads_basic", "other", "threads", "replacement", "Threads"))
	if strings.Contains(other.Happened, "Facebook") || other.Advice != "Switch to Threads, or choose permissions of this one." {
		t.Errorf("%+v", other)
	}
	for _, lang := range Languages() {
		for _, p := range []*problem.Problem{problem.New(problem.ExtendRefused, "provider", "Threads"), problem.New(problem.ExtendRefused, "provider", "Threads", "reason", "kept")} {
			told := For(lang).Tell(p)
			if strings.Contains(told.Happened+told.Advice, "professional") || strings.Contains(told.Happened+told.Advice, "professionelles") {
				t.Errorf("%s: %+v", lang, told)
			}
		}
	}
}
