package redirect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/secret"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestTLS1_TheLeafIsALeafAndItsOwn(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	certificate, key, err := NewLeaf(now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := LoadLeaf(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := pair.Leaf
	if public, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		t.Errorf("key: %T", leaf.PublicKey)
	}
	if leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("CA %v, constraints %v, usage %v", leaf.IsCA, leaf.BasicConstraintsValid, leaf.KeyUsage)
	}
	if len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Errorf("extended usage: %v", leaf.ExtKeyUsage)
	}
	if len(leaf.DNSNames) != 1 || leaf.DNSNames[0] != "localhost" || len(leaf.IPAddresses) != 2 ||
		leaf.IPAddresses[0].String() != "127.0.0.1" || leaf.IPAddresses[1].String() != "::1" || len(leaf.URIs)+len(leaf.EmailAddresses) != 0 {
		t.Errorf("names: %v %v", leaf.DNSNames, leaf.IPAddresses)
	}
	// RFC 5280 counts both ends in.
	if life := leaf.NotAfter.Sub(leaf.NotBefore) + time.Second; life != 397*24*time.Hour {
		t.Errorf("life: %v", life)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, otherKey, err := NewLeaf(now)
	if err != nil {
		t.Fatal(err)
	}
	if string(other) == string(certificate) || otherKey.Equal(key) {
		t.Error("two installations share a leaf")
	}
	if _, err := LoadLeaf(certificate, otherKey); err == nil {
		t.Error("a key of another certificate was taken")
	}
	for _, err := range []error{second(LoadLeaf(nil, key)), second(LoadLeaf(certificate, secret.Text{})), second(LoadLeaf([]byte("x"), secret.New("y")))} {
		if err == nil {
			t.Error("rubbish was taken for a leaf")
		} else if strings.Contains(err.Error(), "PRIVATE") {
			t.Error("the error shows the key")
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestTLS1_ACertificationAuthorityIsNeverLoaded(t *testing.T) {
	certificate, key := authority(t)
	if _, err := LoadLeaf(certificate, key); err == nil {
		t.Error("a CA was loaded")
	}
	if !LeafDue(certificate, time.Now()) {
		t.Error("a CA must be replaced")
	}
}

func TestLeafIsReplacedThirtyDaysBeforeItsEnd(t *testing.T) {
	now := time.Now()
	certificate, _, err := NewLeaf(now)
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for after, due := range map[time.Duration]bool{0: false, 366 * day: false, 367 * day: true, 400 * day: true, -2 * time.Hour: true} {
		if got := LeafDue(certificate, now.Add(after)); got != due {
			t.Errorf("after %v: due is %v", after, got)
		}
	}
	for _, bad := range [][]byte{nil, []byte("no"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no")})} {
		if !LeafDue(bad, now) {
			t.Errorf("%q is not due", bad)
		}
	}
}
