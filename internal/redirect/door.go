package redirect

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// visitors knows every open connection. At the limit one makes room: the oldest
// that has its answer already (net/http lingers over a body that nobody wants),
// else the one that has been silent longest, if it had its time to speak.
// Until then newcomers wait in the kernel's queue, first come, first served. So
// a crowd that opens connections and says nothing, or never ends, delays the
// browser by a moment and cannot keep it out (LST-11).
type visitors struct {
	mu     sync.Mutex
	guests map[*guest]bool
	// closing ends the waiting.
	closing <-chan struct{}
}

// A guest is one connection.
type guest struct {
	net.Conn
	visitors *visitors
	since    time.Time
	stage    stage // under visitors.mu
}

type stage int

const (
	answered stage = iota // its answer is sent
	silent                // no whole request header yet
	speaking              // being answered
)

func (g *guest) Close() error {
	g.visitors.mu.Lock()
	delete(g.visitors.guests, g)
	g.visitors.mu.Unlock()
	return g.Conn.Close()
}

// CloseWrite lets plainDoor end its answer before the rest was read.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// hearing is how long a connection may be silent while others wait, and at the
// end.
const hearing = 300 * time.Millisecond

// admit takes a connection in, as soon as there is room; nil after closing.
func (v *visitors) admit(c net.Conn) *guest {
	for {
		if g := v.tryAdmit(c); g != nil {
			return g
		}
		select {
		case <-v.closing:
			_ = c.Close()
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (v *visitors) tryAdmit(c net.Conn) *guest {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.guests) >= maxGuests {
		var leaves *guest
		for g := range v.guests {
			if g.stage == speaking || (g.stage == silent && time.Since(g.since) < hearing) {
				continue
			}
			if leaves == nil || g.stage < leaves.stage || (g.stage == leaves.stage && g.since.Before(leaves.since)) {
				leaves = g
			}
		}
		if leaves == nil {
			return nil
		}
		delete(v.guests, leaves)
		_ = leaves.Conn.Close()
	}
	g := &guest{Conn: c, visitors: v, since: time.Now(), stage: silent}
	v.guests[g] = true
	return g
}

// dismiss closes the connections that have been silent for so long, and says
// how many others there are. At the end nobody waits for a browser's
// pre-connection, to which net/http alone would give 5 s (LST-12).
func (v *visitors) dismiss(silence time.Duration) (left int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for g := range v.guests {
		if g.stage == silent && time.Since(g.since) >= silence {
			delete(v.guests, g)
			_ = g.Conn.Close()
		}
	}
	return len(v.guests)
}

func (v *visitors) state(c net.Conn, s http.ConnState) {
	if s != http.StateActive {
		return
	}
	if g := inner(c); g != nil {
		v.mu.Lock()
		if v.guests[g] {
			g.stage = speaking
		}
		v.mu.Unlock()
	}
}

type guestKey struct{}

func remember(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, guestKey{}, c)
}

// gone reports that the connection of this request had to make room while its
// header was read. Its answer must not be taken: the browser would never hear
// of it, try again, and be told that the answer was used.
func (v *visitors) gone(ctx context.Context) bool {
	g := inner(ctx.Value(guestKey{}))
	v.mu.Lock()
	defer v.mu.Unlock()
	return g != nil && g.stage != speaking
}

// done notes that the answer to this request was sent.
func (v *visitors) done(ctx context.Context) {
	if g := inner(ctx.Value(guestKey{})); g != nil {
		v.mu.Lock()
		g.stage = answered
		v.mu.Unlock()
	}
}

// inner finds the guest under TLS.
func inner(c any) *guest {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if p, ok := c.(*plainConn); ok {
		return p.guest
	}
	g, _ := c.(*guest)
	return g
}

type door struct {
	net.Listener
	visitors *visitors
}

func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if g := d.visitors.admit(c); g != nil {
		return g, nil
	}
	return nil, net.ErrClosed
}

// plainDoor stands before TLS. People take the "s" out of the address by hand
// when the browser warns; such a request gets a page that says so instead of a
// broken connection. What it carried is not read.
type plainDoor struct {
	net.Listener
	pages *pages
}

func (d *plainDoor) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &plainConn{guest: c.(*guest), pages: d.pages}, nil
}

type plainConn struct {
	*guest
	pages *pages
	begun bool // only the goroutine that reads touches it
}

func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.guest.Read(b)
	if c.begun || n == 0 {
		return n, err
	}
	c.begun = true
	// A TLS handshake begins with 0x16; every method of HTTP with a letter.
	if b[0] < 'A' || b[0] > 'Z' {
		return n, err
	}
	header := http.Header{}
	c.pages.headers(header)
	header.Set("Content-Type", "text/html; charset=utf-8")
	body := c.pages.body[pagePlain]
	var head strings.Builder
	fmt.Fprintf(&head, "HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n", len(body))
	_ = header.Write(&head)
	head.WriteString("\r\n")
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c.guest, head.String()+string(body))
	_ = c.CloseWrite()
	// Closing with unread bytes resets the connection and the page with it.
	_ = c.SetReadDeadline(time.Now().Add(goodbye))
	_, _ = io.CopyN(io.Discard, c.guest, maxHeader)
	return 0, io.EOF
}
