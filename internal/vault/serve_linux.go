package vault

import (
	"bufio"
	"context"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Serve belongs in the first line of main and of TestMain: in the process that
// was started as the keychain child it serves until its stdin closes and does
// not return; elsewhere it returns at once.
func Serve() {
	if len(os.Args) < 2 || os.Args[1] != childArgument {
		return
	}
	// A crash of this process must not leave a file with secrets in it.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// It stands beside the window for weeks and holds almost nothing: what
	// making the program's own packages ready left behind goes back at once.
	debug.SetGCPercent(20)
	debug.FreeOSMemory()
	(&server{out: os.Stdout}).serve(os.Stdin)
	os.Exit(0)
}

// server is the child's side.
type server struct {
	mu  sync.Mutex
	out io.Writer
	// at is the service, connected with the first item call.
	at *service
	// active is the item request under way, 0 without one.
	active uint64
}

// serve reads requests until in closes, which is how the parent's death shows.
func (s *server) serve(in io.Reader) {
	items := make(chan request, 1)
	go func() {
		for r := range items {
			s.item(r)
		}
	}()
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		r, err := decodeRequest(lines.Bytes())
		if err != nil {
			return
		}
		if r.Op == opStatus {
			go func() { s.write(statusReply(r.ID)) }()
			continue
		}
		items <- r
	}
}

func (s *server) write(a reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.out.Write(encodeLine(a))
}

// answer is the last word on request id; only the first counts.
func (s *server) answer(id uint64, a reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active != id {
		return
	}
	s.active = 0
	a.ID = id
	_, _ = s.out.Write(encodeLine(a))
}

func (s *server) item(r request) {
	s.mu.Lock()
	s.active = r.ID
	at := s.at
	s.mu.Unlock()
	if at == nil {
		var f *failure
		at, f = connect(s.lost)
		if f != nil {
			s.answer(r.ID, f.reply())
			return
		}
		s.mu.Lock()
		s.at = at
		s.mu.Unlock()
	}
	s.write(reply{ID: r.ID, Event: eventProgram, Program: at.program()})
	waiting := sync.OnceFunc(func() { s.write(reply{ID: r.ID, Event: eventWaiting}) })
	value, f := at.item(context.Background(), r, waiting)
	a := reply{Value: value}
	if f != nil {
		a = f.reply()
	}
	// Each dialog that the library opened by itself leaves a channel and its
	// goroutines behind. A new child is the remedy.
	a.Last = at.libraryPrompts() >= maxLibraryPrompts
	s.answer(r.ID, a)
	if a.Last {
		os.Exit(0)
	}
}

const maxLibraryPrompts = 16

// lost is called when the service or the bus went away. The library may then
// wait for ever: after a moment for its own answer, we give ours and end.
func (s *server) lost(bus bool) {
	s.mu.Lock()
	id := s.active
	s.mu.Unlock()
	if id != 0 {
		time.Sleep(lostGrace)
		s.mu.Lock()
		same := s.active == id
		s.mu.Unlock()
		if same {
			s.answer(id, reply{Failure: failedAbsent, Reason: "gone", Last: true})
			os.Exit(0)
		}
	}
	if bus {
		os.Exit(0)
	}
}

const lostGrace = 200 * time.Millisecond
