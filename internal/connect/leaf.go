package connect

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/redirect"
	"github.com/tokenkeep/tokenkeep/internal/vault"
)

// leafPlace is where the https leaf lies: the certificate in a file, its key
// beside the tokens (ruling 17). One leaf a library, because browsers remember
// a person's exception by certificate and would warn anew at every other.
type leafPlace struct {
	dir   string
	store vault.Store
	name  string
	now   func() time.Time
}

// certificate gives the leaf and makes a new one where there is none, where
// key and certificate do not belong together, or 30 days before its end.
func (p leafPlace) certificate(ctx context.Context) (*tls.Certificate, error) {
	file := filepath.Join(p.dir, "tls.pem")
	pem, readErr := os.ReadFile(file)
	key, err := p.store.Get(ctx, p.name)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return nil, err
	}
	if readErr == nil && err == nil && !redirect.LeafDue(pem, p.now()) {
		if cert, err := redirect.LoadLeaf(pem, key); err == nil {
			return cert, nil
		}
	}
	pem, key, err = redirect.NewLeaf(p.now())
	if err != nil {
		return nil, problem.New(problem.Unexpected).Because(err)
	}
	if err := p.store.Put(ctx, p.name, key); err != nil {
		return nil, err
	}
	if err := writeFile(file, pem); err != nil {
		return nil, problem.New(problem.LibraryReadOnly, "folder", p.dir).Because(err)
	}
	return redirect.LoadLeaf(pem, key)
}

// writeFile replaces a file in one step; a reader sees the old or the new one.
func writeFile(name string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // 0600 from birth
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err = temp.Write(data); err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
