package redirect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

func init() {
	bodies["no-ipv6"] = withoutIPv6
	bodies["ports"] = lowPorts
}

// namespace runs a body in a network namespace of its own, where loopback is
// up and setup has been done by the shell.
func namespace(t *testing.T, body, setup string) {
	t.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Fatal("the program unshare is missing: Debian package util-linux")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Fatal("the program ip is missing: Debian package iproute2")
	}
	args := []string{"--net"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	command := exec.Command(unshare, append(args, "sh", "-ec", setup+"\nexec \"$0\"", os.Args[0])...)
	command.Env = append(os.Environ(), inside+"="+body)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestLST2_WithoutIPv6(t *testing.T) {
	namespace(t, "no-ipv6", "ip link set lo up\necho 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6\necho 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6")
}

func withoutIPv6() int {
	if c, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		_ = c.Close()
		fmt.Println("this namespace has IPv6, the test shows nothing")
		return 1
	}
	a := &attempt{}
	l, err := Listen(context.Background(), Options{URI: "http://localhost:8919/", Offer: a.offer})
	if err != nil {
		fmt.Println("localhost:", err, errors.Unwrap(err))
		return 1
	}
	response, err := http.Get("http://localhost:8919/?state=wrong")
	if err != nil || response.StatusCode != http.StatusBadRequest {
		fmt.Println("answer:", err)
		return 1
	}
	_ = response.Body.Close()
	l.Close()
	if _, err := Listen(context.Background(), Options{URI: "http://[::1]:8919/"}); !problem.Has(err, problem.RedirectNotHere) {
		fmt.Println("[::1]:", err)
		return 1
	}
	return 0
}

func TestLST1_OtherAddressesOfTheMachineDoNotAnswer(t *testing.T) {
	namespace(t, "ports", strings.Join([]string{
		"ip link set lo up", "ip addr add 10.77.0.1/24 dev lo", "ip addr add fd77::1/64 dev lo nodad",
		"echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
	}, "\n"))
}

// lowPorts looks at the machine's other addresses and at a port that only an
// administrator may bind.
func lowPorts() int {
	l, err := Listen(context.Background(), Options{URI: "http://localhost:8919/", Offer: (&attempt{}).offer})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer l.Close()
	for _, address := range []string{"10.77.0.1:8919", "[fd77::1]:8919"} {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			fmt.Println(address, "answers")
			return 1
		}
	}
	for _, address := range []string{"127.0.0.1:8919", "[::1]:8919"} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		_ = c.Close()
	}
	if err := dropPrivileges(); err != nil {
		fmt.Println("dropping privileges:", err)
		return 1
	}
	if _, err := Listen(context.Background(), Options{URI: "https://localhost/", Certificate: leaf}); !problem.Has(err, problem.PortPrivileged) {
		fmt.Println("port 443:", err)
		return 1
	}
	return 0
}
