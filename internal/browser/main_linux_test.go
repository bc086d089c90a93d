package browser

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asParent makes this test program open a window and wait to be killed.
const asParent = "TOKENKEEP_TEST_PARENT"

func TestMain(m *testing.M) {
	testFlags = []string{"--headless=new", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"}
	if os.Geteuid() == 0 {
		testFlags = append(testFlags, "--no-sandbox")
	}
	// The browser's own traffic stays inside; pages come from 127.0.0.1, and
	// localhost is left to the rule of the product.
	testRules = "MAP *.* ~NOTFOUND,EXCLUDE 127.0.0.1"
	if os.Getenv(asParent) != "" {
		os.Exit(parent())
	}
	goleak.VerifyTestMain(m)
}

func chromium(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the program chromium is missing: Debian package chromium")
	}
	return path
}

// private gives a test folders of its own.
func private(t testing.TB) {
	t.Helper()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	t.Setenv("LANG", "en_US.UTF-8")
}

func eventually(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s did not happen in %v", what, limit)
		}
	}
}

// A trap counts the bytes that reach the redirect's host and port.
type trap struct {
	port     int
	contacts chan string
}

func newTrap(t testing.TB) *trap {
	t.Helper()
	four, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := four.Addr().(*net.TCPAddr).Port
	tr := &trap{port: port, contacts: make(chan string, 100)}
	sockets := []net.Listener{four}
	if six, err := net.Listen("tcp", fmt.Sprintf("[::1]:%d", port)); err == nil {
		sockets = append(sockets, six)
	}
	for _, socket := range sockets {
		t.Cleanup(func() { _ = socket.Close() })
		go func() {
			for {
				c, err := socket.Accept()
				if err != nil {
					return
				}
				_ = c.SetDeadline(time.Now().Add(time.Second))
				b := make([]byte, 512)
				n, _ := c.Read(b)
				_ = c.Close()
				select {
				case tr.contacts <- string(b[:n]):
				default:
				}
			}
		}()
	}
	return tr
}
