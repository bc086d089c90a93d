package redirect

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// Address is a redirect URI taken apart, in the form in which browsers send it.
type Address struct {
	// Scheme is "http" or "https".
	Scheme string
	// Host is lower case, without brackets.
	Host string
	// Port is 1 to 65535; the scheme's own (80, 443) where the URI has none.
	Port int
	// Path is the escaped path, at least "/".
	Path string
	// CanListen reports whether the host is one of ours: 127.0.0.1, ::1 or
	// localhost. Other addresses come back by paste or the watched window.
	CanListen bool
}

// Authority is the host and, unless it is the scheme's own, the port: exactly
// what a browser sends as Host.
func (a Address) Authority() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if (a.Scheme == "https" && a.Port == 443) || (a.Scheme == "http" && a.Port == 80) {
		return host
	}
	return host + ":" + strconv.Itoa(a.Port)
}

// Check takes a redirect URI apart. What no browser would bring back unchanged
// is refused: redirect.blank (white space anywhere), redirect.invalid (no
// address, user name, fragment, dot segments), redirect.scheme (not https, or
// http for a host that is not this computer; RFC 8252 section 7.3, ruling 16),
// port.blocked (browsers refuse the port), field.empty.
func Check(uri string) (Address, error) {
	if uri == "" {
		return Address{}, problem.New(problem.FieldEmpty, "field", "redirect_uri")
	}
	if strings.ContainsFunc(uri, blank) {
		return Address{}, problem.New(problem.RedirectBlank)
	}
	invalid := func() (Address, error) { return Address{}, problem.New(problem.RedirectInvalid) }
	if strings.ContainsAny(uri, "\\#") || strings.ContainsFunc(uri, func(r rune) bool { return r <= 0x20 || r >= 0x7f }) {
		return invalid()
	}
	u, err := url.Parse(uri)
	if err != nil || u.Opaque != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return invalid()
	}
	if u.Scheme == "" {
		return invalid()
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return Address{}, problem.New(problem.RedirectScheme, "scheme", problem.Outside(u.Scheme, 40))
	}
	a := Address{Scheme: u.Scheme, Host: strings.ToLower(u.Hostname()), Path: u.EscapedPath()}
	if !plainHost(a.Host) || u.User != nil || strings.HasSuffix(u.Host, ":") || dotted(u.Path) {
		return invalid()
	}
	if a.Path == "" {
		a.Path = "/"
	}
	switch a.Host {
	case "127.0.0.1", "::1", "localhost":
		a.CanListen = true
	}
	a.Port = 443
	if a.Scheme == "http" {
		a.Port = 80
	}
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		// Browsers rewrite "08919", and the provider compares letter by letter.
		if err != nil || n > 65535 || strconv.Itoa(n) != p {
			return invalid()
		}
		a.Port = n
	}
	if Blocked(a.Port) {
		return Address{}, problem.New(problem.PortBlocked, "port", strconv.Itoa(a.Port))
	}
	if a.Scheme == "http" && !a.CanListen {
		return Address{}, problem.New(problem.RedirectScheme, "scheme", "http")
	}
	return a, nil
}

// plainHost keeps out what the parser would decode or a browser would read
// differently: percent signs, zones, letters outside ASCII.
func plainHost(host string) bool {
	if ip := net.ParseIP(host); ip != nil && strings.Contains(host, ":") {
		return true
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

func blank(r rune) bool {
	return r == ' ' || (r >= '\t' && r <= '\r') || r == 0x85 || r == 0xa0 || (r >= 0x2000 && r <= 0x200d) ||
		r == 0x2028 || r == 0x2029 || r == 0x202f || r == 0x205f || r == 0x2060 || r == 0x3000 || r == 0xfeff
}

// dotted reports segments that a browser resolves before it sends the path.
func dotted(path string) bool {
	for _, segment := range strings.Split(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// Blocked reports whether browsers refuse to open an address with that port
// (WHATWG Fetch, "bad port").
func Blocked(port int) bool {
	_, bad := badPorts[port]
	return bad
}

// badPorts is the table of WHATWG Fetch section 2.9, "Port blocking", as of
// 2026.
var badPorts = func() map[int]struct{} {
	ports := map[int]struct{}{}
	for _, p := range []int{
		0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95,
		101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179,
		389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601,
		636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
		6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
	} {
		ports[p] = struct{}{}
	}
	return ports
}()

func (a Address) endpoints() []string {
	port := strconv.Itoa(a.Port)
	if a.Host == "localhost" {
		return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	}
	return []string{net.JoinHostPort(a.Host, port)}
}
