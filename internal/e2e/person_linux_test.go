package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// person sits at the desktop with a browser of their own. Looking is done over
// the browser's debugging pipe, every click and key goes through the screen.
type person struct {
	d       *desktop
	t       testing.TB
	profile string
	ctx     context.Context
	cancel  context.CancelFunc
	window  window
	process *os.Process
	words   *os.File

	fifo    *os.File
	mu      sync.Mutex
	arrived []string // addresses that xdg-open was called with, in order
	taken   int
}

// page is one tab.
type page struct {
	p   *person
	id  target.ID
	ctx context.Context
}

// sitDown starts the person's browser and makes xdg-open lead to it.
func (d *desktop) sitDown() *person {
	d.t.Helper()
	if d.person != nil {
		return d.person
	}
	p := &person{d: d, t: d.t, profile: filepath.Join(d.root, "browser")}
	if err := os.MkdirAll(p.profile, 0o700); err != nil {
		d.t.Fatal(err)
	}
	d.giveAway(p.profile)
	p.receive()
	if err := p.open(false); err != nil {
		// Some containers forbid the namespaces that the browser's sandbox is
		// made of. Only the stand-in for a person's browser does without, never
		// a browser that the product starts.
		d.t.Logf("Chromium did not start with its sandbox (%v); trying without", err)
		if err := p.open(true); err != nil {
			said, _ := os.ReadFile(p.words.Name())
			d.t.Fatalf("Chromium did not start: %v\n%s", err, said)
		}
	}
	d.person = p
	p.window = d.screen.windowOf(p.process.Pid, 15*time.Second)
	return p
}

// receive makes the stub that stands for "open this with the default browser".
// With a file xdg-open.rc on the desktop it fails with that code instead.
func (p *person) receive() {
	p.t.Helper()
	path := filepath.Join(p.d.root, "browser.fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.d.giveAway(path)
	// Opened for both, so that reading neither waits for the first writer nor
	// ends with the last.
	fifo, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.fifo = fifo
	p.d.write("bin/xdg-open", fmt.Sprintf(`#!/bin/sh
# Stands for the desktop's opener. Its environment is kept for the canary.
cat /proc/$$/environ > '%[1]s/log/xdg-open-'$$'.environ'
if [ -s '%[1]s/xdg-open.rc' ]; then exit "$(cat '%[1]s/xdg-open.rc')"; fi
printf '%%s\n' "$1" > '%[2]s'
`, p.d.root, path), 0o755)
	p.d.write("home/.config/mimeapps.list", "[Default Applications]\nx-scheme-handler/http=chromium.desktop\nx-scheme-handler/https=chromium.desktop\ntext/html=chromium.desktop\n", 0o644)
	go func() {
		lines := bufio.NewScanner(fifo)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			address := lines.Text()
			p.mu.Lock()
			p.arrived = append(p.arrived, address)
			ctx := p.ctx
			p.mu.Unlock()
			if ctx != nil {
				_, _ = chromedp.CallBrowser(ctx, target.CreateTarget, target.CreateTargetParams{URL: address})
			}
		}
	}()
}

// open starts Chromium with a window on the right-hand side of the screen.
func (p *person) open(withoutSandbox bool) error {
	p.t.Helper()
	words, err := os.Create(filepath.Join(p.d.root, "log", "chromium.err"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.words = words
	allocated, endAllocation := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(tool(p.t, "chromium")),
		chromedp.UserDataDir(p.profile),
		chromedp.NoInheritEnv, chromedp.Env(p.d.environ()...),
		chromedp.CombinedOutput(words),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			cmd.Dir = p.d.home
			if cmd.SysProcAttr == nil {
				cmd.SysProcAttr = &syscall.SysProcAttr{}
			}
			cmd.SysProcAttr.Credential, cmd.SysProcAttr.Pdeathsig = p.d.as, syscall.SIGKILL
		}),
		chromedp.Flag("no-sandbox", withoutSandbox),
		chromedp.Flag("no-first-run", true), chromedp.Flag("no-default-browser-check", true),
		// Nothing leaves this machine: no name but this computer's own resolves.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]"),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider"),
		chromedp.Flag("password-store", "basic"), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("force-device-scale-factor", "1"), chromedp.Flag("lang", "en-US"),
		chromedp.Flag("window-size", "900,780"), chromedp.Flag("window-position", "360,60"),
	)
	ctx, cancel := chromedp.NewContext(allocated)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		endAllocation()
		return err
	}
	p.process = chromedp.FromContext(ctx).Browser.Process()
	p.cancel = func() {
		limited, end := context.WithTimeout(ctx, 5*time.Second)
		_ = chromedp.Cancel(limited)
		end()
		cancel()
		endAllocation()
	}
	p.mu.Lock()
	p.ctx = ctx
	p.mu.Unlock()
	return nil
}

// leave closes the browser.
func (p *person) leave() {
	if p.cancel != nil {
		p.cancel()
	}
	_ = p.fifo.Close()
	_ = p.words.Close()
}

// handed waits for the next address that a program gave to the default browser.
func (p *person) handed(limit time.Duration) string {
	p.t.Helper()
	var address string
	within(p.t, limit, "a program opens the browser", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.taken < len(p.arrived) {
			address = p.arrived[p.taken]
			p.taken++
			return true
		}
		return false
	})
	return address
}

// page waits for a tab whose address begins like that and brings it to the front.
func (p *person) page(beginning string, limit time.Duration) *page {
	p.t.Helper()
	var found *target.Info
	var last []string
	deadline := time.Now().Add(limit)
	for found == nil {
		infos, err := chromedp.Targets(p.ctx)
		if err != nil {
			p.t.Fatalf("asking the browser for its tabs: %v", err)
		}
		last = nil
		for _, info := range infos {
			if info.Type != "page" {
				continue
			}
			last = append(last, withoutQuery(info.URL))
			if strings.HasPrefix(info.URL, beginning) {
				found = info
			}
		}
		if found == nil && time.Now().After(deadline) {
			p.t.Fatalf("no tab at %s within %s; there are %q", withoutQuery(beginning), limit, last)
		}
		time.Sleep(20 * time.Millisecond)
	}
	ctx, _ := chromedp.NewContext(p.ctx, chromedp.WithTargetID(found.TargetID))
	if err := chromedp.Do(ctx); err != nil {
		p.t.Fatalf("looking at the tab: %v", err)
	}
	here := &page{p: p, id: found.TargetID, ctx: ctx}
	here.front()
	return here
}

// withoutQuery keeps codes and states out of failure messages.
func withoutQuery(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "an unreadable address"
	}
	parsed.RawQuery, parsed.Fragment = "", ""
	return parsed.String()
}

// front shows the tab and raises the browser, as somebody who clicks there does.
func (g *page) front() {
	g.p.t.Helper()
	if _, err := chromedp.CallBrowser(g.p.ctx, target.ActivateTarget, target.ActivateTargetParams{TargetID: g.id}); err != nil {
		g.p.t.Fatalf("showing the tab: %v", err)
	}
	g.p.d.screen.activate(g.p.window)
}

// eval looks at the page; a page that is just changing is asked again.
func eval[T any](g *page, script string) T {
	g.p.t.Helper()
	var value T
	var err error
	for range 50 {
		ctx, cancel := context.WithTimeout(g.ctx, 5*time.Second)
		value, err = chromedp.Run(ctx, chromedp.Evaluate[T](script))
		cancel()
		if err == nil {
			return value
		}
		time.Sleep(50 * time.Millisecond)
	}
	g.p.t.Fatalf("looking at the page: %v", err)
	return value
}

// text is what the page says, as a person reads it.
func (g *page) text() string {
	g.p.t.Helper()
	return eval[string](g, `document.body ? document.body.innerText : ""`)
}

// address is what the address bar shows, also for pages of the browser itself.
func (g *page) address() string {
	g.p.t.Helper()
	infos, err := chromedp.Targets(g.p.ctx)
	if err != nil {
		g.p.t.Fatal(err)
	}
	for _, info := range infos {
		if info.TargetID == g.id {
			return info.URL
		}
	}
	return ""
}

// says waits until the page contains the text.
func (g *page) says(text string, limit time.Duration) {
	g.p.t.Helper()
	var last string
	deadline := time.Now().Add(limit)
	for {
		if last = g.text(); strings.Contains(last, text) {
			return
		}
		if time.Now().After(deadline) {
			g.p.t.Fatalf("the page does not say %q within %s; it says:\n%s", text, limit, last)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// find is the centre of what carries the label (or, beginning with "#" or
// ".", matches the selector), in pixels of the screen. The page's own area
// ends at the bottom of the window, whatever bars take space above.
func (g *page) find(label string) (image.Point, bool) {
	g.p.t.Helper()
	quoted, _ := json.Marshal(label)
	spot := eval[[]float64](g, `(() => {
		const label = `+string(quoted)+`
		const clickable = "button, a, input, textarea, select, summary, label, [role=button]"
		const said = e => (e.innerText || e.value || e.ariaLabel || e.placeholder || "").trim()
		const shown = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== "hidden" }
		const all = /^[#.]/.test(label) ? [...document.querySelectorAll(label)] : [...document.querySelectorAll(clickable)].filter(e => said(e) === label)
		const e = all.filter(shown)[0]
		if (!e) return []
		e.scrollIntoView({block: "nearest"})
		const r = e.getBoundingClientRect()
		return [r.x + r.width / 2, r.y + r.height / 2, innerWidth, innerHeight]
	})()`)
	if len(spot) != 4 {
		return image.Point{}, false
	}
	var area image.Rectangle
	for _, w := range g.p.d.screen.windows() {
		if w.id == g.p.window.id {
			area = w.area
		}
	}
	// The browser draws its own frame, as wide below as at the sides.
	frame := (area.Dx() - int(spot[2])) / 2
	return image.Pt(area.Min.X+frame+int(spot[0]), area.Max.Y-frame-int(spot[3])+int(spot[1])), true
}

// click waits for what carries the label and clicks its pixels.
func (g *page) click(label string) {
	g.p.t.Helper()
	g.front()
	var at image.Point
	within(g.p.t, 10*time.Second, fmt.Sprintf("%q on the page at %s", label, withoutQuery(g.address())), func() bool {
		first, ok := g.find(label)
		if !ok {
			return false
		}
		// Pages still move while they load; a person waits for that, too.
		time.Sleep(60 * time.Millisecond)
		at, ok = g.find(label)
		return ok && at == first
	})
	g.p.d.screen.click(at)
}

// throughWarning reads the browser's warning about an unknown certificate and
// goes on, as the program's picture explains.
func (g *page) throughWarning() {
	g.p.t.Helper()
	g.says("Your connection is not private", 10*time.Second)
	g.click("#details-button")
	g.click("#proceed-link")
}

// shot leaves a picture of the screen once the page is painted.
func (g *page) shot(name string) string {
	g.p.t.Helper()
	g.front()
	eval[bool](g, `document.readyState === "complete"`)
	// The window system shows a frame some time after the page has drawn it.
	time.Sleep(250 * time.Millisecond)
	return g.p.d.shot(name)
}

// warned reports whether the browser shows its certificate warning.
func (g *page) warned() bool {
	g.p.t.Helper()
	return eval[bool](g, `location.protocol === "chrome-error:" && !!document.querySelector("#details-button")`)
}

// copyAddress copies the address bar by keyboard and returns what the
// clipboard then holds.
func (g *page) copyAddress() string {
	g.p.t.Helper()
	g.front()
	g.p.d.screen.key("ctrl+l")
	time.Sleep(100 * time.Millisecond)
	g.p.d.screen.key("ctrl+c")
	var text string
	within(g.p.t, 5*time.Second, "the address is on the clipboard", func() bool {
		var ok bool
		text, ok = g.p.d.screen.clipboard()
		return ok && strings.Contains(text, "://")
	})
	g.p.d.screen.key("Escape")
	return text
}
