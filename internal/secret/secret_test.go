package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

const canary = "IGAAcanary/+secret=value&with odd\"chars"

func TestSEC3_EveryPrintingVerbHides(t *testing.T) {
	type record struct {
		Exported   Text
		unexported Text
		nested     struct{ deep *Text }
	}
	text := New(canary)
	r := record{Exported: text, unexported: text}
	r.nested.deep = &text
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T|%v", "%10.3s"} {
		for _, value := range []any{text, &text, r, &r, []Text{text}, map[string]Text{"a": text}, [1]Text{text}, struct{ any }{text}} {
			args := []any{value}
			if strings.Contains(verb, "|") {
				args = append(args, value)
			}
			if got := fmt.Sprintf(verb, args...); strings.Contains(got, "canary") || strings.Contains(strings.ToLower(got), "63616e617279") {
				t.Errorf("%s of %T shows the secret: %s", verb, value, got)
			}
		}
	}
	for name, value := range map[string]any{"value": text, "pointer": &text, "field": r, "map key": map[string]Text{"k": text}} {
		b, err := json.Marshal(value)
		if err != nil || bytes.Contains(b, []byte("canary")) {
			t.Errorf("json of a %s: %s, %v", name, b, err)
		}
	}
	if text.Reveal() != canary || New("").Reveal() != "" || !New("").Empty() || text.Empty() {
		t.Error("Reveal must give back what was put in")
	}
}

func TestSEC4_LogHandlerScrubsMessagesErrorsGroupsAndAttributes(t *testing.T) {
	var out bytes.Buffer
	known := &Known{}
	known.Add(New(canary))
	for _, next := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		log := slog.New(NewHandler(next, known)).With("base", canary)
		leak := &url.Error{Op: "Get", URL: "https://graph.instagram.com/?access_token=" + url.QueryEscape(canary), Err: errors.New("refused")}
		log.WithGroup("g").Info("message "+canary, "err", leak, "text", New(canary), "struct", struct{ A string }{canary}, slog.Group("inner", "v", canary))
		for _, form := range Forms(New(canary)) {
			if strings.Contains(out.String(), form) {
				t.Errorf("the log holds %q", form)
			}
		}
		if !strings.Contains(out.String(), "refused") {
			t.Error("the log lost the harmless part of the error")
		}
	}
}

func TestKnownScrubsEveryFormAndKeepsTheChain(t *testing.T) {
	known := &Known{}
	known.Add(New(canary), New("abc"), Text{})
	inner := errors.New("inner")
	for _, form := range Forms(New(canary)) {
		err := known.Error(fmt.Errorf("before %s after: %w", form, inner))
		if got := fmt.Sprintf("%v %+v %s", err, err, err.Error()); strings.Contains(got, form) || !strings.Contains(got, "after") {
			t.Errorf("scrubbed: %s", got)
		}
		if !errors.Is(err, inner) {
			t.Error("the chain is broken")
		}
	}
	if got := known.Scrub("abc stays"); got != "abc stays" {
		t.Errorf("a three-letter secret blanked words: %q", got)
	}
	if known.Error(nil) != nil {
		t.Error("nil must stay nil")
	}
}

func TestMaskedTellsNeitherLengthNorShortSecrets(t *testing.T) {
	long, longer := New("IGAA"+strings.Repeat("x", 150)+"7ZDZD"), New("IGAA"+strings.Repeat("y", 300)+"7ZDZD")
	if long.Masked(4, 5) != longer.Masked(4, 5) || long.Masked(4, 5) != "IGAA •••• •••• •••• 7ZDZD" {
		t.Errorf("%q, %q", long.Masked(4, 5), longer.Masked(4, 5))
	}
	if got := New("short-secret").Masked(4, 5); strings.ContainsAny(got, "short") {
		t.Errorf("short: %q", got)
	}
}

func TestEqual(t *testing.T) {
	if !New("a").Equal(New("a")) || New("a").Equal(New("b")) || New("a").Equal(Text{}) || !(Text{}).Equal(New("")) {
		t.Error("Equal compares wrongly")
	}
}
