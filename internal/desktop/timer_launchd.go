package desktop

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const agentLabel = appID + ".renew"

const agentMark = appID + " renew=1"

// launchd is the scheduler of macOS: launchd.plist(5) and launchctl(1), in the
// domain of the person's graphical session.
func launchd(getenv func(string) string, uid int) scheduler {
	domain := "gui/" + strconv.Itoa(uid)
	s := scheduler{
		mark: agentMark,
		write: func(j job, _ string, _ time.Time) ([][]byte, bool) {
			plist, ok := agentPlist(j)
			return [][]byte{plist}, ok
		},
		read:      readAgent,
		probe:     []string{"launchctl", "print", domain},
		disable:   []string{"launchctl", "bootout", domain + "/" + agentLabel},
		active:    []string{"launchctl", "print", domain + "/" + agentLabel},
		reenable:  true,
		fold:      true,
		temporary: []string{"/tmp", "/private/tmp", "/var/tmp", "/private/var/tmp", "/var/folders", "/private/var/folders", "/Volumes"},
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		path := filepath.Join(home, "Library", "LaunchAgents", agentLabel+".plist")
		s.paths = []string{path}
		s.enable = []string{"launchctl", "bootstrap", domain, path}
	}
	return s
}

// agentPlist runs the job at ten in the morning, or when the computer wakes
// after that, and at each sign-in: launchd makes up for an hour that the
// computer slept through, but not for one in which it was off. The renewing
// itself spreads its requests and asks once a day at most. Umask is decimal: 63
// is 0077. false: a character that XML cannot hold.
func agentPlist(j job) ([]byte, bool) {
	var arguments strings.Builder
	for _, arg := range j.argv() {
		if !xmlHolds(arg) {
			return nil, false
		}
		arguments.WriteString("\t\t<string>" + xmlText(arg) + "</string>\n")
	}
	return []byte(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ` + agentMark + ` -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>` + agentLabel + `</string>
	<key>ProgramArguments</key>
	<array>
` + arguments.String() + `	</array>
	<key>StartCalendarInterval</key>
	<dict>
		<key>Hour</key>
		<integer>10</integer>
		<key>Minute</key>
		<integer>0</integer>
	</dict>
	<key>RunAtLoad</key>
	<true/>
	<key>ProcessType</key>
	<string>Background</string>
	<key>Umask</key>
	<integer>63</integer>
</dict>
</plist>
`), true
}

// readAgent finds the job in an agent of ours.
func readAgent(file []byte) (job, bool) {
	decoder := xml.NewDecoder(bytes.NewReader(file))
	var key, words string
	var argv []string
	inside := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return jobOf(argv)
		}
		if err != nil {
			return job{}, false
		}
		switch token := token.(type) {
		case xml.StartElement:
			words = ""
			inside = inside || token.Name.Local == "array" && key == "ProgramArguments"
		case xml.CharData:
			words += string(token)
		case xml.EndElement:
			switch token.Name.Local {
			case "key":
				key = words
			case "array":
				inside = false
			case "string":
				if inside {
					argv = append(argv, words)
				}
			}
		}
	}
}

var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")

func xmlText(s string) string { return xmlEscapes.Replace(s) }

// xmlHolds tells whether XML 1.0 has a way to write s (production 2, Char).
func xmlHolds(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}
