package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

// The child is spoken to in lines of JSON: one request a line, for each one
// reply, and before it possibly an event. Values travel as base64, because
// they may hold any byte.

// maxLine bounds a line in both directions: the largest value, base64, and its
// frame fit several times.
const maxLine = 32 << 10

// What a request asks for.
const (
	opPut    = "put"
	opGet    = "get"
	opDelete = "delete"
	opStatus = "status"
)

// What a reply says went wrong; with "vault." before it, all but the last are
// the keys of problem.
const (
	failedLocked     = "locked"
	failedDenied     = "denied"
	failedDismissed  = "dismissed"
	failedAbsent     = "absent"
	failedTooBig     = "too-big"
	failedUnreadable = "unreadable"
	failedNotFound   = "not-found"
)

// Events come before the reply.
const (
	eventWaiting = "waiting" // a dialog has been opened
	eventProgram = "program" // who is being asked, for the sentence if it fails
)

type request struct {
	ID       uint64 `json:"id"`
	Op       string `json:"op"`
	Service  string `json:"service,omitempty"`
	Name     string `json:"name,omitempty"`
	Value    []byte `json:"value,omitempty"`
	Attended bool   `json:"attended,omitempty"`
}

type reply struct {
	ID uint64 `json:"id"`
	// Event: not the reply yet; one of those above.
	Event   string  `json:"event,omitempty"`
	Program string  `json:"program,omitempty"`
	Failure string  `json:"failure,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Value   []byte  `json:"value,omitempty"`
	Status  *Status `json:"status,omitempty"`
	// Last: the child ends after this reply.
	Last bool `json:"last,omitempty"`
}

// check refuses what must never reach a keychain; both sides call it.
func (r request) check() error {
	switch r.Op {
	case opStatus:
		return nil
	case opPut, opGet, opDelete:
		if err := checkService(r.Service); err != nil {
			return err
		}
		if len(r.Value) > Limit {
			return problem.New(problem.VaultTooBig, "limit", "2400")
		}
		return checkName(r.Name)
	default:
		return ours("vault.op")
	}
}

// failure is the error that a reply stands for; nil when it is none.
func (r reply) failure() error {
	switch r.Failure {
	case "":
		return nil
	case failedNotFound:
		return ErrNotFound
	}
	key := problem.Key("vault." + r.Failure)
	if !problem.Listed(key) {
		return ours("vault.reply")
	}
	var args []string
	if r.Reason != "" {
		args = append(args, "reason", r.Reason)
	}
	if r.Program != "" {
		args = append(args, "program", r.Program)
	}
	if r.Failure == failedTooBig {
		args = append(args, "limit", "2400")
	}
	return problem.New(key, args...)
}

// encodeLine cannot fail on our own two types.
func encodeLine(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("vault: " + err.Error())
	}
	return append(b, '\n')
}

func decodeRequest(line []byte) (request, error) {
	var r request
	if err := decodeLine(line, &r); err != nil {
		return request{}, err
	}
	if err := r.check(); err != nil {
		return request{}, err
	}
	return r, nil
}

func decodeReply(line []byte) (reply, error) {
	var r reply
	if err := decodeLine(line, &r); err != nil {
		return reply{}, err
	}
	return r, nil
}

var errLine = errors.New("vault: not one line of the protocol")

// decodeLine never repeats the line in its error: it may hold a secret.
func decodeLine(line []byte, into any) error {
	if len(line) > maxLine {
		return errLine
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return errLine
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errLine
	}
	return nil
}
