package redirect

import (
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func TestCheck(t *testing.T) {
	for uri, want := range map[string]Address{
		"https://localhost:8919/":          {"https", "localhost", 8919, "/", true},
		"https://localhost:8919":           {"https", "localhost", 8919, "/", true},
		"https://127.0.0.1:8919/":          {"https", "127.0.0.1", 8919, "/", true},
		"http://[::1]:8919/callback/a%20b": {"http", "::1", 8919, "/callback/a%20b", true},
		"http://LOCALHOST:8919/":           {"http", "localhost", 8919, "/", true},
		"https://localhost/":               {"https", "localhost", 443, "/", true},
		"http://localhost/done":            {"http", "localhost", 80, "/done", true},
		"https://example.com/cb?page=1":    {"https", "example.com", 443, "/cb", false},
		"https://127.0.0.2:8919/":          {"https", "127.0.0.2", 8919, "/", false},
		"https://0.0.0.0:8919/":            {"https", "0.0.0.0", 8919, "/", false},
		"https://localhost.evil.com/":      {"https", "localhost.evil.com", 443, "/", false},
		"https://localhost.:8919/":         {"https", "localhost.", 8919, "/", false},
	} {
		got, err := Check(uri)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", uri, got, err, want)
		}
	}
	for uri, key := range map[string]problem.Key{
		"":                                problem.FieldEmpty,
		" ":                               problem.RedirectBlank,
		" https://localhost:8919/":        problem.RedirectBlank,
		"https://localhost:8919/ ":        problem.RedirectBlank,
		"https://local host:8919/":        problem.RedirectBlank,
		"https://localhost:8919/\u200b":   problem.RedirectBlank,
		"https://localhost:8919/a\nb":     problem.RedirectBlank,
		"localhost:8919/":                 problem.RedirectScheme,
		"//localhost:8919/":               problem.RedirectInvalid,
		"hello":                           problem.RedirectInvalid,
		"https://":                        problem.RedirectInvalid,
		"https:///path":                   problem.RedirectInvalid,
		"https:localhost":                 problem.RedirectInvalid,
		"https://localhost:/":             problem.RedirectInvalid,
		"https://localhost:08919/":        problem.RedirectInvalid,
		"https://localhost:99999/":        problem.RedirectInvalid,
		"https://localhost:-1/":           problem.RedirectInvalid,
		"https://user@localhost:8919/":    problem.RedirectInvalid,
		"https://localhost:8919/#x":       problem.RedirectInvalid,
		"https://localhost:8919/a/../b":   problem.RedirectInvalid,
		"https://localhost:8919/%2e%2e/b": problem.RedirectInvalid,
		"https://localhost:8919/%zz":      problem.RedirectInvalid,
		"https://localhost:8919\\@evil/":  problem.RedirectInvalid,
		"https://exämple.com/":            problem.RedirectInvalid,
		"ftp://localhost:8919/":           problem.RedirectScheme,
		"javascript:alert(1)":             problem.RedirectScheme,
		"file:///etc/passwd":              problem.RedirectScheme,
		"myapp://callback":                problem.RedirectScheme,
		"http://example.com/":             problem.RedirectScheme,
		"http://127.0.0.2:8919/":          problem.RedirectScheme,
		"http://localhost.evil.com:8919/": problem.RedirectScheme,
		"https://localhost:0/":            problem.PortBlocked,
		"https://localhost:6000/":         problem.PortBlocked,
		"https://example.com:22/":         problem.PortBlocked,
	} {
		if got, err := Check(uri); !problem.Has(err, key) {
			t.Errorf("%q: %+v, %v, want %s", uri, got, err, key)
		}
	}
}

// The list as its editors print it, typed a second time from the standard's
// table with the services' names, so that a slip in one shows.
func TestLST4_BlockedPorts(t *testing.T) {
	const list = `0 1:tcpmux 7:echo 9:discard 11:systat 13:daytime 15:netstat 17:qotd 19:chargen 20:ftp-data 21:ftp 22:ssh
23:telnet 25:smtp 37:time 42:name 43:nicname 53:domain 69:tftp 77 79:finger 87 95:supdup 101:hostname 102:iso-tsap
103:gppitnp 104:acr-nema 109:pop2 110:pop3 111:sunrpc 113:auth 115:sftp 117:uucp-path 119:nntp 123:ntp 135:epmap
137:netbios-ns 139:netbios-ssn 143:imap 161:snmp 179:bgp 389:ldap 427:svrloc 465:submissions 512:exec 513:login
514:shell 515:printer 526:tempo 530:courier 531:chat 532:netnews 540:uucp 548:afp 554:rtsp 556:remotefs 563:nntps
587:submission 601:syslog-conn 636:ldaps 989:ftps-data 990:ftps 993:imaps 995:pop3s 1719:h323gatestat 1720:h323hostcall
1723:pptp 2049:nfs 3659:apple-sasl 4045:npp 4190:sieve 5060:sip 5061:sips 6000:x11 6566:sane-port 6665:ircu 6666:ircu
6667:ircu 6668:ircu 6669:ircu 6679:osaut 6697:ircs-u 10080:amanda`
	want := map[string]bool{}
	for _, row := range strings.Fields(list) {
		number, _, _ := strings.Cut(row, ":")
		want[number] = true
	}
	n := 0
	for port := 0; port <= 65535; port++ {
		if Blocked(port) != want[itoa(port)] {
			t.Errorf("port %d: blocked is %v", port, Blocked(port))
		}
		if Blocked(port) {
			n++
			if _, err := Check("http://127.0.0.1:" + itoa(port) + "/"); !problem.Has(err, problem.PortBlocked) {
				t.Errorf("port %d is accepted in the form: %v", port, err)
			}
		}
	}
	if n != len(want) {
		t.Errorf("%d ports, want %d", n, len(want))
	}
	for _, port := range []int{80, 443, 8919, 8080, 49152} {
		if Blocked(port) {
			t.Errorf("%d is blocked", port)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"https://localhost:8919/", "http://[::1]:80/a?b#c", "https://u:p@h:1/", "https://localhost\\@x/", "//x", "https://%6cocalhost/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		a, err := Check(uri)
		if err != nil {
			if !problem.Listed(problem.Of(err).Key) || problem.Of(err).Kind != problem.Input {
				t.Errorf("%q: %v", uri, err)
			}
			return
		}
		again, err := Check(a.Scheme + "://" + a.Authority() + a.Path)
		if err != nil || again != a {
			t.Errorf("%q reads as %+v, which reads as %+v, %v", uri, a, again, err)
		}
		if a.Scheme == "http" && !a.CanListen {
			t.Errorf("%q: http elsewhere", uri)
		}
	})
}
