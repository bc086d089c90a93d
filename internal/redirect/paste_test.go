package redirect

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	pasteURI = "https://localhost:8919/"
	query    = "code=" + rightCode + "&state=" + rightState
)

func TestPST1_OnlyTheRedirectsOwnAddress(t *testing.T) {
	for text, key := range map[string]problem.Key{
		"":                                  problem.PasteNoCode,
		"   \n ":                            problem.PasteNoCode,
		"hello":                             problem.PasteNoCode,
		"please sign in again with the app": problem.PasteNoCode,
		rightCode:                           problem.PasteBareCode,
		rightCode + "#_":                    problem.PasteBareCode,
		query:                               problem.PasteBareCode,
		"?" + query:                         problem.PasteBareCode,
		"https://localhost:8919/":           problem.PasteNoCode,
		"https://localhost:8919/?state=" + rightState:                        problem.PasteNoCode,
		"https://localhost:8919/?code=&state=" + rightState:                  problem.PasteNoCode,
		"http://localhost:8919/?" + query:                                    problem.PasteOtherAddress,
		"https://localhost:8918/?" + query:                                   problem.PasteOtherAddress,
		"https://localhost/?" + query:                                        problem.PasteOtherAddress,
		"https://127.0.0.1:8919/?" + query:                                   problem.PasteOtherAddress,
		"https://localhost:8919/callback?" + query:                           problem.PasteOtherAddress,
		"https://localhost:8919/?" + query + "\\":                            problem.PasteOtherAddress,
		"https://user@localhost:8919/?" + query:                              problem.PasteOtherAddress,
		"https://localhost:8919@evil.example/?" + query:                      problem.PasteOtherAddress,
		"https://localhost:8919.evil.example/?" + query:                      problem.PasteOtherAddress,
		"https://evil.example/https://localhost:8919/?" + query:              problem.PasteOtherAddress,
		"https://evil.example/?u=https://localhost:8919/&" + query:           problem.PasteOtherAddress,
		"evil.example/?" + query:                                             problem.PasteOtherAddress,
		"javascript:alert(1)//?" + query:                                     problem.PasteOtherAddress,
		"https://localhost:8919/#access_token=IGAAtoken&state=" + rightState: problem.AnswerIsToken,
		"https://localhost:8918/#access_token=IGAAtoken":                     problem.PasteOtherAddress,
	} {
		got, err := ReadPaste(text, pasteURI)
		if !problem.Has(err, key) || !got.Empty() {
			t.Errorf("%q: %v, want %s", text, err, key)
		}
		for p := err; p != nil; p = errors.Unwrap(p) {
			if strings.Contains(p.Error(), "canary") || strings.Contains(p.Error(), "IGAAtoken") {
				t.Errorf("the error shows what was pasted: %v", p)
			}
		}
	}
	if _, err := ReadPaste("https://localhost:8919/?"+query, "not an address"); !problem.Has(err, problem.RedirectBlank) {
		t.Errorf("a broken redirect: %v", err)
	}
}

func TestPST2_WhatPeoplePaste(t *testing.T) {
	whole := "https://localhost:8919/?" + query
	for name, text := range map[string]string{
		"as it is":             whole,
		"blanks around":        "  \t" + whole + " \r\n",
		"broken by a mail":     whole[:40] + "\r\n" + whole[40:60] + "\n  " + whole[60:],
		"blanks inside":        whole[:30] + " " + whole[30:50] + " " + whole[50:],
		"no-break blank":       whole[:30] + "\u00a0" + whole[30:],
		"zero-width":           "\ufeff" + whole[:30] + "\u200b" + whole[30:],
		"angle brackets":       "<" + whole + ">",
		"quotes":               "\"" + whole + "\"",
		"typographic quotes":   "„" + whole + "“",
		"html":                 strings.ReplaceAll(whole, "&", "&amp;"),
		"html, numbers":        strings.ReplaceAll(whole, "&", "&#38;"),
		"Facebook's ending":    whole + "#_=_",
		"Instagram's ending":   whole + "#_",
		"no scheme":            strings.TrimPrefix(whole, "https://"),
		"half a scheme":        strings.TrimPrefix(whole, "https:"),
		"shouting":             "HTTPS://LOCALHOST:8919/?" + query,
		"no scheme, shouting":  "LocalHost:8919/?" + query,
		"no slash":             "https://localhost:8919?" + query,
		"percent-encoded":      url.QueryEscape(whole),
		"percent-encoded mess": " <" + strings.ToLower(url.QueryEscape("https://localhost:8919/?")) + url.QueryEscape(query) + "%20>\n",
		"words before":         "Die Adresse: " + whole,
	} {
		got, err := ReadPaste(text, pasteURI)
		if err != nil || got.Reveal() != query {
			t.Errorf("%s: %q, %v", name, got.Reveal(), err)
		}
	}
	for uri, text := range map[string]string{
		"https://example.com/cb":         "example.com/cb?" + query,
		"https://example.com:443/cb":     "https://example.com/cb?" + query,
		"http://[::1]:8919/a%20b":        "[::1]:8919/a%20b?" + query,
		"https://localhost:8919":         "https://localhost:8919/?" + query,
		"https://www.example.com/?fix=1": "https://www.example.com/?fix=1&" + query,
	} {
		got, err := ReadPaste(text, uri)
		if err != nil || !strings.HasSuffix(got.Reveal(), query) {
			t.Errorf("%s: %q, %v", text, got.Reveal(), err)
		}
	}
	long := whole + strings.Repeat("x", pasteLimit-len(whole))
	if _, err := ReadPaste(long, pasteURI); err != nil {
		t.Errorf("16 KiB: %v", err)
	}
	if _, err := ReadPaste(long+"x", pasteURI); !problem.Has(err, problem.PasteTooLong) {
		t.Errorf("16 KiB and one: %v", err)
	}
	if _, err := ReadPaste(strings.Repeat(" ", pasteLimit+1), pasteURI); !problem.Has(err, problem.PasteTooLong) {
		t.Errorf("blanks only: %v", err)
	}
}

func TestPST3_ARefusalIsAnAnswer(t *testing.T) {
	refusal := "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request&state=" + rightState
	got, err := ReadPaste(pasteURI+"?"+refusal+"#_=_", pasteURI)
	if err != nil || got.Reveal() != refusal {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	for _, spelled := range []string{"error_code=1349187&error_message=Invalid", "error_reason=user_denied"} {
		if got, err := ReadPaste(pasteURI+"?"+spelled, pasteURI); err != nil || got.Reveal() != spelled {
			t.Errorf("%s: %v", spelled, err)
		}
	}
}

// What the field hands on is judged like the listener's answer: a stranger's
// address passes the form, and the state refuses it.
func TestPST6_AStrangersAddressIsRefusedByState(t *testing.T) {
	a := &attempt{}
	for text, want := range map[string]Verdict{
		pasteURI + "?code=attacker&state=theirs":         Foreign,
		pasteURI + "?code=attacker":                      Foreign,
		pasteURI + "?code=a&code=b&state=" + rightState:  Doubled,
		pasteURI + "?error=access_denied&state=somebody": Foreign,
	} {
		got, err := ReadPaste(text, pasteURI)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if verdict := a.offer(got); verdict != want {
			t.Errorf("%s: verdict %d, want %d", text, verdict, want)
		}
	}
	if taken, _, _ := a.counts(); taken != 0 {
		t.Error("a stranger's answer was taken")
	}
}

// PST-4: what was pasted lives in the returned secret and nowhere else: not in
// an error, and the reader keeps no state.
func TestPST4_NothingOfThePasteIsKept(t *testing.T) {
	known := &secret.Known{}
	known.Add(secret.New(rightCode), secret.New(rightState))
	for _, text := range []string{"https://evil.example/?" + query, query, rightCode, "https://localhost:8919/%zz?" + query, "https://[::1/?" + query} {
		_, err := ReadPaste(text, pasteURI)
		p := problem.Of(err)
		if err == nil || p.Cause != nil || known.Scrub(err.Error()) != err.Error() {
			t.Errorf("%v, cause %v", err, p.Cause)
		}
	}
}

func FuzzReadPaste(f *testing.F) {
	for _, seed := range []string{
		pasteURI + "?" + query, "localhost:8919/?" + query + "#_=_", "<" + pasteURI + "?" + strings.ReplaceAll(query, "&", "&amp;") + ">",
		url.QueryEscape(pasteURI + "?" + query), rightCode, "https://localhost:8919@evil/?" + query, "https://localhost:8919\\@evil/?" + query,
		"x https://localhost:8919/?code=1", "//localhost:8919/?error=1", "https://localhost:8919/%2f?code=1", "https%3A%2F%2Fevil", "%", "\x00", "https://localhost:8919?code=a#access_token=1",
	} {
		for _, uri := range []string{pasteURI, "http://[::1]:80/cb", "https://example.com/a/b"} {
			f.Add(seed, uri)
		}
	}
	f.Fuzz(func(t *testing.T, text, uri string) {
		got, err := ReadPaste(text, uri)
		if err != nil {
			if !got.Empty() || problem.Of(err).Key == problem.Unexpected {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		want, err := Check(uri)
		if err != nil {
			t.Fatalf("a paste was read against %q", uri)
		}
		// The oracle: put together again, the address leads to the redirect.
		whole, err := url.Parse(want.Scheme + "://" + want.Authority() + want.Path + "?" + got.Reveal())
		if err != nil {
			t.Fatalf("%q does not parse: %v", got.Reveal(), err)
		}
		again, err := Check(whole.Scheme + "://" + whole.Host + whole.EscapedPath())
		if err != nil || again != want || whole.User != nil || whole.Fragment != "" || whole.RawQuery != got.Reveal() {
			t.Errorf("%q read against %q leads to %v", text, uri, whole)
		}
		// An independent look at the text: the host has to be in it.
		plain := strings.ToLower(strings.Join(strings.FieldsFunc(text, blank), ""))
		decoded, err := url.PathUnescape(plain)
		if err != nil {
			decoded = plain
		}
		if !strings.Contains(plain, want.Host) && !strings.Contains(strings.ToLower(strings.Join(strings.FieldsFunc(decoded, blank), "")), want.Host) {
			t.Errorf("%q was read as an address of %s", text, want.Host)
		}
		if strings.ContainsFunc(got.Reveal(), func(r rune) bool { return blank(r) || r < 0x20 || r == '#' }) {
			t.Errorf("the query %q has blanks", got.Reveal())
		}
	})
}
