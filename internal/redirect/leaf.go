package redirect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/secret"
)

const (
	// leafLife stays under the 398 days that browsers allow.
	leafLife = 397 * 24 * time.Hour
	// leafRenew is how long before its end a leaf is replaced.
	leafRenew = 30 * 24 * time.Hour
)

// NewLeaf makes the certificate of the https listener, PEM, and its key, PEM
// in PKCS #8 (ruling 17): P-256, for localhost, 127.0.0.1 and ::1, serverAuth,
// CA:FALSE, 397 days from an hour before now. It can sign nothing, so whoever
// trusts it trusts this computer's own page and no more.
func NewLeaf(now time.Time) (certPEM []byte, key secret.Text, err error) {
	failed := func(err error) ([]byte, secret.Text, error) {
		return nil, secret.Text{}, problem.New(problem.Unexpected, "where", "redirect.leaf").Because(err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return failed(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return failed(err)
	}
	start := now.UTC().Add(-time.Hour).Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)),
		Subject:               pkix.Name{CommonName: "localhost", Organization: []string{"Tokenkeep"}},
		NotBefore:             start,
		NotAfter:              start.Add(leafLife - time.Second),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return failed(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return failed(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))), nil
}

// LoadLeaf joins a certificate and its key. A pair that does not belong
// together, or a certificate that is not one of NewLeaf's (a CA above all), is
// refused; the caller makes a new one.
func LoadLeaf(certPEM []byte, key secret.Text) (*tls.Certificate, error) {
	refused := func(err error) (*tls.Certificate, error) {
		return nil, problem.New(problem.Unexpected, "where", "redirect.leaf").Because(err)
	}
	pair, err := tls.X509KeyPair(certPEM, []byte(key.Reveal()))
	if err != nil {
		return refused(err)
	}
	leaf, err := readLeaf(certPEM)
	if err != nil {
		return refused(err)
	}
	pair.Leaf = leaf
	return &pair, nil
}

// LeafDue reports whether the certificate has to be replaced: fewer than 30
// days left, not valid yet, or not readable as one of ours.
func LeafDue(certPEM []byte, now time.Time) bool {
	leaf, err := readLeaf(certPEM)
	return err != nil || now.Before(leaf.NotBefore) || !now.Before(leaf.NotAfter.Add(-leafRenew))
}

func readLeaf(certPEM []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, x509.ErrUnsupportedAlgorithm
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	if leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage&x509.KeyUsageCertSign != 0 {
		return nil, x509.CertificateInvalidError{Cert: leaf, Reason: x509.NotAuthorizedToSign}
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			return nil, err
		}
	}
	return leaf, nil
}
