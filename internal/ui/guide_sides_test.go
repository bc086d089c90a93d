package ui

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/secret"
	"github.com/tokenkeep/tokenkeep/internal/text"
	"github.com/tokenkeep/tokenkeep/internal/ui/kit"
)

// What the guide was given waits on its own side: practising neither sees nor
// loses it, and leaves nothing of its own behind.
func TestWhatTheGuideCollectedWaitsWhileOnePractises(t *testing.T) {
	c := text.For("en")
	real, practice := newDouble(t), newDouble(t)
	practice.practising = true
	w := open(t, "en", real, func(p *Params) {
		p.Practise = func(context.Context) (string, func(), error) { return "http://127.0.0.1:4711", func() {}, nil }
		p.Open = func(_ context.Context, ground *url.URL, _ func(bool)) (Core, error) {
			if ground == nil {
				return real, nil
			}
			return practice, nil
		}
	})
	mine := guideValues{ClientID: someID, Secret: secret.New(someSecret)}
	w.s.keepValues("instagram", mine)
	for range 2 {
		w.tap(kit.RoleButton, c.Say("welcome.practise.button"))
		w.says(c.Say("practice.strip"))
		if len(w.s.guide.values) != 0 {
			t.Error("the practice ground sees what was typed for real")
		}
		w.s.keepValues("threads", guideValues{ClientID: "771204836650913"})
		w.s.toast("said while practising")
		w.tap(kit.RoleButton, c.Say("practice.leave"))
		w.hasNot(kit.RoleToast, "said while practising")
		if got := w.s.guide.values["instagram"]; len(w.s.guide.values) != 1 || got.ClientID != someID || got.Secret.Reveal() != someSecret {
			t.Errorf("back on the real side the guide has values of %d providers", len(w.s.guide.values))
		}
	}
}

// A form that the guide has filled is looked over by itself, as the page says.
func TestAFormThatTheGuideFilledIsChecked(t *testing.T) {
	w := openConnect(t, "en", connectStart{})
	w.s.endConnect()
	w.s.keepValues("instagram", guideValues{ClientID: someID, Secret: secret.New(someSecret)})
	w.s.goConnect(connectStart{})
	w.queue.Drain()
	f := w.s.connect.(*connectScreen).f
	if f.form.ClientID != someID {
		t.Fatalf("the form begins with %q", f.form.ClientID)
	}
	w.queue.Advance(2 * time.Second)
	w.queue.Drain()
	if !f.checked {
		t.Error("the check has not begun by itself")
	}
}
