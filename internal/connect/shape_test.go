package connect

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

// aToken has the length and the alphabet of a real one, and is none.
const aToken = "IGAAJx3k9QmZ7bHfT2vWn8pLr5sYd0cEaUgKiMoOqRtXwBzCyDvFhNjPlS1u4V6x_8-A2bC3dE4fG5hI6jK7lM8nO9pQ0rS1tU2vW3xY4zA5bC6dE7fG8hI9jK0lM1nO2pQ3rS4tU5vW6xY7zA8bC9dE0fG1hI2jK3lM4nO5pQ6rS7tU8vWZDZD"

// wrap breaks s as a mail does.
func wrap(s string, width int, with string) string {
	var lines []string
	for len(s) > width {
		lines, s = append(lines, s[:width]), s[width:]
	}
	return strings.Join(append(lines, s), with)
}

func TestWhatCopyingDoesToATokenIsForgiven(t *testing.T) {
	object, err := json.Marshal(map[string]any{"access_token": aToken, "token_type": "bearer", "expires_in": 5183944})
	if err != nil {
		t.Fatal(err)
	}
	for name, pasted := range map[string]string{
		"as it is":              aToken,
		"padding":               " \t\r\n" + aToken + "\r\n  ",
		"no-break blanks":       "\u00a0\u202f" + aToken + "\u2007\u3000",
		"zero width":            "\ufeff" + aToken[:40] + "\u200b" + aToken[40:90] + "\u2060\u00ad" + aToken[90:] + "\u200d",
		"straight quotes":       `"` + aToken + `"`,
		"single quotes":         "'" + aToken + "'",
		"backticks":             "`" + aToken + "`",
		"fence":                 "```\n" + aToken + "\n```",
		"typographic quotes":    "“" + aToken + "”",
		"German quotes":         "„" + aToken + "“",
		"French quotes":         "« " + aToken + " »",
		"angle brackets":        "<" + aToken + ">",
		"comma after":           aToken + ",",
		"full stop after":       aToken + ".",
		"mail wrap":             wrap(aToken, 76, "\n"),
		"mail wrap, windows":    wrap(aToken, 76, "\r\n"),
		"answered mail":         "> " + wrap(aToken, 72, "\n> "),
		"narrow window":         wrap(aToken, 40, "\n    "),
		"one-line field":        wrap(aToken, 76, " "),
		"line separators":       wrap(aToken, 60, "\u2028"),
		"tail like a word":      wrap(aToken[:160], 76, "\n") + "\n" + "abcdef",
		"access_token=":         "access_token=" + aToken,
		"spaced":                "access_token = " + aToken,
		"env line":              "export INSTAGRAM_ACCESS_TOKEN=\"" + aToken + "\"\n",
		"env file":              "APP_ID=990602627938098\nIG_TOKEN=" + aToken + "\nDEBUG=1\n",
		"yaml":                  "instagram:\n  access_token: '" + aToken + "'\n  version: v25.0\n",
		"PHP":                   "'access_token' => '" + aToken + "',",
		"Bearer":                "Bearer " + aToken,
		"header":                "Authorization: Bearer " + aToken + "\r\nAccept: */*",
		"object":                string(object),
		"object, wrapped":       wrap(string(object), 70, "\n"),
		"object in a string":    strings.ReplaceAll(string(object), `"`, `\"`),
		"list of one":           "[" + string(object) + "]",
		"nested":                `{"data":{"accounts":[` + string(object) + `]}}`,
		"piece of an object":    string(object)[1:230],
		"address":               "https://graph.instagram.com/me?fields=id&access_token=" + aToken + "&limit=5",
		"address, wrapped":      wrap("https://graph.instagram.com/me?fields=id&access_token="+aToken+"&limit=5", 76, "\n"),
		"fragment":              "https://localhost:8919/#access_token=" + aToken + "&token_type=bearer",
		"query":                 "?grant_type=ig_refresh_token&access_token=" + aToken,
		"encoded address":       url.QueryEscape("https://graph.instagram.com/me?access_token=" + aToken + "&a=b"),
		"curl":                  "curl -i -X GET \"https://graph.instagram.com/v25.0/me?fields=user_id&access_token=" + aToken + "\"",
		"between words":         "Here is the token:\n\n" + aToken + "\n\nKeep it safe, Rosa",
		"before a word":         aToken + " please",
		"before a date":         aToken + "\n2026-11-22",
		"twice the same":        aToken + "\n\"" + aToken + "\"",
		"beside a refresh one":  `{"access_token":"` + aToken + `","refresh_token":"` + strings.Repeat("r", 40) + `"}`,
		"beside other settings": `client_secret=0123456789abcdef0123456789abcdef&access_token=` + aToken,
	} {
		want := aToken
		if name == "tail like a word" {
			want = aToken[:160] + "abcdef"
		}
		shape := Read(secret.New(pasted))
		if shape.Problem != nil || shape.Token.Reveal() != want || shape.Kind != "user" || shape.Provider != "instagram" || !shape.Living || shape.Practice {
			t.Errorf("%s: %s %s living=%v %v, token is right: %v (%d characters)", name, shape.Kind, shape.Provider, shape.Living, shape.Problem, shape.Token.Reveal() == want, shape.Token.Len())
		}
	}
}

func TestTheKindIsToldFromTheShape(t *testing.T) {
	long := strings.Repeat("aB3_", 40)
	for _, row := range []struct {
		name, pasted, kind, provider string
		living                       bool
		key                          problem.Key
		reason                       string
	}{
		{"Instagram", "IGAA" + long, "user", "instagram", true, "", ""},
		{"old Instagram", "IGQV" + long, "basic_display", "instagram-basic-display", false, problem.PasteRetired, ""},
		{"old Instagram, later", "IGQW" + long, "basic_display", "instagram-basic-display", false, problem.PasteRetired, ""},
		{"Facebook", "EAA" + long, "page_or_user", "instagram-facebook", true, problem.TokenOtherService, ""},
		{"Threads", "THAA" + long, "user", "threads", true, problem.TokenOtherService, ""},
		{"Threads, documented", "THQV" + long, "user", "threads", true, problem.TokenOtherService, ""},
		{"a code", "AQ" + long, "code", "", false, problem.PasteIsCode, ""},
		{"a code with its mark", "AQ" + long + "#_", "code", "", false, problem.PasteIsCode, ""},
		{"the whole address of a sign-in", "https://localhost:8919/?code=AQ" + long + "&state=" + strings.Repeat("s", 43) + "#_", "code", "", false, problem.PasteIsCode, ""},
		{"app token", "990602627938098|0123456789abcdef0123456789abcdef", "app", "", false, problem.PasteAppToken, ""},
		{"app token in an address", "https://graph.instagram.com/debug_token?input_token=IGAA" + long + "&access_token=990602627938098%7C0123456789abcdef0123456789abcdef", "app", "", false, problem.PasteAppToken, ""},
		{"app token of Threads", "TH|123456789012345|abcdefghijABCDEFGHIJ", "app", "", false, problem.PasteAppToken, ""},
		{"app token in words", "The app token: \"TH|123456789012345|abcdefghijABCDEFGHIJ\"", "app", "", false, problem.PasteAppToken, ""},
		{"another server's", "ya29." + long, "unknown", "", false, problem.PasteNotToken, "unknown"},
		{"a signed one", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb3NhIn0.AQx" + long, "unknown", "", false, problem.PasteNotToken, "unknown"},
		{"an app secret", "0123456789abcdef0123456789ABCDEF", "unknown", "", false, problem.PasteNotToken, "secret"},
		{"two tokens", "IGAA" + long + "\nIGAA" + long + "x", "unknown", "", false, problem.PasteNotToken, "several"},
		{"two services", "IGAA" + long + " EAA" + long, "unknown", "", false, problem.PasteNotToken, "several"},
		{"an object of two", `[{"access_token":"IGAA` + long + `"},{"access_token":"IGAB` + long + `"}]`, "unknown", "", false, problem.PasteNotToken, "several"},
		{"too short", "IGAAabcdefgh", "unknown", "", false, problem.PasteNotToken, ""},
		{"words", "I have no idea what a token is supposed to be", "unknown", "", false, problem.PasteNotToken, ""},
		{"a page", "https://developers.facebook.com/apps/990602627938098/instagram-business/", "unknown", "", false, problem.PasteNotToken, ""},
		{"an address of a person", "rosa.and.rye.bakery@example.com", "unknown", "", false, problem.PasteNotToken, ""},
		{"letters that look alike", "IGAA" + long + "\u0430" + long, "unknown", "", false, problem.PasteNotToken, ""},
		{"nothing", " \n\u200b“”\u00a0", "unknown", "", false, problem.FieldEmpty, ""},
		{"a file", strings.Repeat("x", 64<<10+1), "unknown", "", false, problem.PasteTokenTooLong, ""},
		{"17 KiB", "IGAA" + strings.Repeat("x", 17<<10), "unknown", "", false, problem.PasteTokenTooLong, ""},
	} {
		shape := Read(secret.New(row.pasted))
		if shape.Kind != row.kind || shape.Provider != row.provider || shape.Living != row.living {
			t.Errorf("%s: %s %q living=%v", row.name, shape.Kind, shape.Provider, shape.Living)
			continue
		}
		p := shape.Problem
		switch {
		case row.key == "" && p != nil || row.key != "" && (p == nil || p.Key != row.key || p.Args["reason"] != row.reason):
			t.Errorf("%s: %v, want %s %s", row.name, p, row.key, row.reason)
		case p != nil && strings.Contains(p.Error(), long[:12]):
			t.Errorf("%s: the problem repeats what was pasted", row.name)
		}
	}
	if shape := Read(secret.New("IGAA" + strings.Repeat("x", 16<<10-4))); shape.Problem != nil || shape.Token.Len() != 16<<10 {
		t.Errorf("16 KiB: %v", shape.Problem)
	}
	if p := Read(secret.New("EAA" + long)).Problem; p.Args["found"] != "Facebook" || p.Args["prefix"] != "EAA" {
		t.Errorf("the other service is not named: %v", p)
	}
}

func TestSEC13_PracticeTokensAreKnownByTheirWord(t *testing.T) {
	for pasted, want := range map[string]bool{
		"IGAAPracticeOnly" + strings.Repeat("a", 100):    true,
		"EAAPracticeOnly" + strings.Repeat("a", 100):     true,
		"IGAAPracticeOnlyCutShort":                       true,
		`"IGAAPracticeOnly` + strings.Repeat("a", 50):    true,
		"IGAAx" + strings.Repeat("PracticeOnly", 5):      false,
		"IGAApracticeonly" + strings.Repeat("a", 100):    false,
		"IGAA" + strings.Repeat("b", 100) + "\nPractice": false,
	} {
		if shape := Read(secret.New(pasted)); shape.Practice != want {
			t.Errorf("%.20s…: practice %v", pasted, shape.Practice)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		aToken, wrap(aToken, 76, "\r\n> "), "“" + aToken + "”", `{"access_token":"` + aToken + `"}`, "Bearer " + aToken,
		"https://localhost:8919/?code=AQabcdefghijklmnopqrstuvwx&state=y#_", "990602627938098|0123456789abcdef0123456789abcdef",
		"TH|1|abcdefghijklmnopqrst", "access_token=a%2Bb%25c%20dddddddddddddddddddd", "token=bearer aaaaaaaaaaaaaaaaaaaaaaaaa",
		"access_token=access_token=IGAAaaaaaaaaaaaaaaaaaaaa", "[[[[{\"accessToken\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}]]]]", "\xff\xfe\u200b", "token%3dIGAA%3d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pasted string) {
		shape := Read(secret.New(pasted))
		token := shape.Token.Reveal()
		for i := range len(token) {
			if token[i] <= ' ' || token[i] >= 0x7f {
				t.Fatalf("%q keeps %q", token, token[i])
			}
		}
		if token == "" {
			if shape.Problem == nil {
				t.Fatal("no token and no problem")
			}
			return
		}
		if len(token) < 20 || len(token) > 16<<10 {
			t.Fatalf("%d characters", len(token))
		}
		again := Read(shape.Token)
		if again.Token.Reveal() != token || again.Kind != shape.Kind || again.Provider != shape.Provider || again.Practice != shape.Practice {
			t.Fatalf("%q is %s %q, read again %q is %s %q", token, shape.Kind, shape.Provider, again.Token.Reveal(), again.Kind, again.Provider)
		}
		if shape.Problem != nil {
			for _, value := range shape.Problem.Args {
				if strings.Contains(value, token) {
					t.Fatalf("the problem repeats the token: %v", shape.Problem)
				}
			}
		}
	})
}
