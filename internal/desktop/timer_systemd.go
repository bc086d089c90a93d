package desktop

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	unitService = "tokenkeep-renew.service"
	unitTimer   = "tokenkeep-renew.timer"
	unitMark    = "# " + appID + " renew=1"
)

// systemd is the scheduler of a Linux desktop: systemd.unit(5), "User Unit
// Search Path", and systemctl(1).
func systemd(getenv func(string) string) scheduler {
	config := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		config = ""
		if home := getenv("HOME"); filepath.IsAbs(home) {
			config = filepath.Join(home, ".config")
		}
	}
	s := scheduler{
		mark: unitMark,
		write: func(j job, description string, _ time.Time) ([][]byte, bool) {
			return [][]byte{serviceUnit(j, description), timerUnit(description)}, true
		},
		read: readService,
		// It prints one line about the manager, where there is one.
		probe:     []string{"systemctl", "--user", "show", "--property=Version"},
		reload:    []string{"systemctl", "--user", "daemon-reload"},
		enable:    []string{"systemctl", "--user", "--quiet", "enable", "--now", unitTimer},
		disable:   []string{"systemctl", "--user", "--quiet", "disable", "--now", unitTimer},
		active:    []string{"systemctl", "--user", "--quiet", "is-enabled", unitTimer},
		temporary: []string{"/tmp", "/var/tmp", "/dev/shm", "/run"},
	}
	if config != "" {
		dir := filepath.Join(config, "systemd", "user")
		s.paths = []string{filepath.Join(dir, unitService), filepath.Join(dir, unitTimer)}
		s.link = filepath.Join(dir, "timers.target.wants", unitTimer)
	}
	return s
}

// serviceUnit runs the job once (systemd.service(5), systemd.exec(5)). There is
// no folder of its own for temporary files and no name space: an unprivileged
// manager cannot always make them, and the run needs the session's bus, the
// keychain and the network. Nothing of it may land in a core file.
func serviceUnit(j job, description string) []byte {
	return []byte(unitMark + `
[Unit]
Description=` + unitText(description) + `

[Service]
Type=oneshot
ExecStart=` + execLine(j.argv()) + `
TimeoutStartSec=1h
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
LimitCORE=0
UMask=0077
`)
}

// timerUnit runs the service once a day, soon after midnight or, where the
// computer was off then, soon after it is on again. The delay counts in both
// cases (systemd.timer(5)), so it is short: a computer that is on for half an
// hour a day has to reach its end.
func timerUnit(description string) []byte {
	return []byte(unitMark + `
[Unit]
Description=` + unitText(description) + `

[Timer]
OnCalendar=daily
RandomizedDelaySec=15min
Persistent=true

[Install]
WantedBy=timers.target
`)
}

// unitText is a value of one line in which nothing is a specifier.
func unitText(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimRight(strings.ReplaceAll(s, "%", "%%"), `\`)
}

// throughShell hands an argument vector on; $ is doubled by execWord.
const throughShell = `exec "$0" "$@"`

// execLine quotes argv for ExecStart= (systemd.syntax(7), "Quoting";
// systemd.service(5), "Command lines"). The first word is the one place where $
// stays single and where quotation marks, backslashes and control characters
// are refused, escaped or not.
func execLine(argv []string) string {
	var words []string
	if strings.ContainsFunc(argv[0], func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`"'\`, r) }) {
		words = []string{"/bin/sh", "-c", execWord(throughShell)}
		for _, arg := range argv {
			words = append(words, execWord(arg))
		}
		return strings.Join(words, " ")
	}
	words = []string{quoteWord(argv[0])}
	for _, arg := range argv[1:] {
		words = append(words, execWord(arg))
	}
	return strings.Join(words, " ")
}

func execWord(arg string) string { return quoteWord(strings.ReplaceAll(arg, "$", "$$")) }

// quoteWord writes one word: as it is where every character is harmless,
// between double quotes with C escapes otherwise.
func quoteWord(word string) string {
	plain := word != ""
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c == '%':
			b.WriteString("%%")
		case c == '"' || c == '\\':
			plain = false
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			plain = false
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			if c >= utf8.RuneSelf || !strings.ContainsRune("/-_.:+=,@$0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(c)) {
				plain = false
			}
			b.WriteByte(c)
		}
	}
	if plain {
		return b.String()
	}
	return `"` + b.String() + `"`
}

// readService finds the job in a service of ours.
func readService(file []byte) (job, bool) {
	for _, line := range strings.Split(string(bytes.ToValidUTF8(file, nil)), "\n") {
		value, ok := strings.CutPrefix(line, "ExecStart=")
		if !ok {
			continue
		}
		argv, ok := readExecLine(value)
		if !ok {
			return job{}, false
		}
		return jobOf(argv)
	}
	return job{}, false
}

// readExecLine is execLine backwards. It reads what execLine writes and no more
// of systemd's syntax; anything else is false.
func readExecLine(line string) (argv []string, ok bool) {
	words, ok := splitWords(line)
	if !ok || len(words) == 0 {
		return nil, false
	}
	for i := range words {
		if words[i], ok = halve(words[i], '%'); !ok {
			return nil, false
		}
		if i > 0 {
			if words[i], ok = halve(words[i], '$'); !ok {
				return nil, false
			}
		}
	}
	if len(words) > 3 && words[0] == "/bin/sh" && words[1] == "-c" && words[2] == throughShell {
		words = words[3:]
	}
	return words, true
}

// halve makes one of each pair of c; a single one is false.
func halve(s string, c byte) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			if i++; i == len(s) || s[i] != c {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

func splitWords(line string) (words []string, ok bool) {
	for line != "" {
		var word strings.Builder
		if line[0] != '"' {
			end := strings.IndexByte(line, ' ')
			if end < 0 {
				end = len(line)
			}
			if strings.ContainsAny(line[:end], "\"'\\") || end == 0 {
				return nil, false
			}
			word.WriteString(line[:end])
			line = line[end:]
		} else {
			line = line[1:]
			for {
				if line == "" {
					return nil, false
				}
				c := line[0]
				line = line[1:]
				if c == '"' {
					break
				}
				if c != '\\' {
					word.WriteByte(c)
					continue
				}
				switch {
				case strings.HasPrefix(line, `\`), strings.HasPrefix(line, `"`):
					word.WriteByte(line[0])
					line = line[1:]
				case strings.HasPrefix(line, "x") && len(line) >= 3:
					n, err := strconv.ParseUint(line[1:3], 16, 8)
					if err != nil {
						return nil, false
					}
					word.WriteByte(byte(n))
					line = line[3:]
				default:
					return nil, false
				}
			}
		}
		words = append(words, word.String())
		if line != "" {
			if line[0] != ' ' || len(line) == 1 {
				return nil, false
			}
			line = line[1:]
		}
	}
	return words, true
}
