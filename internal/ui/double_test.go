package ui

import (
	"context"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/provider"
)

// double is a core made of functions. One that a test did not set fails it:
// nothing is asked of the core that the test did not expect.
type double struct {
	t *testing.T

	apps      func() ([]connect.App, error)
	addApp    func(connect.Setup, []string) (connect.App, error)
	removeApp func(string) error
	doctor    func(connect.Setup, func(connect.Line)) ([]connect.Line, error)
	connect   func(context.Context, connect.Request, func(connect.State)) (connect.Account, error)
	recover   func() ([]connect.Recovered, error)
	accounts  func(context.Context) ([]connect.Account, error)
	account   func(string) (connect.Account, error)
	token     func(string) (connect.Handed, error)
	remove    func(string) error
	diary     func(string, int) ([]library.Entry, error)
	note      func(id, event string) error
	storage   func() (connect.Storage, error)
	selfTest  func(context.Context) error

	practising bool
	home       string
	isClosed   bool
}

func (d *double) unexpected(what string) {
	d.t.Helper()
	d.t.Errorf("the window asked the core for %s", what)
}

func (d *double) Apps(context.Context) ([]connect.App, error) {
	if d.apps == nil {
		d.unexpected("Apps")
		return nil, nil
	}
	return d.apps()
}

func (d *double) AddApp(_ context.Context, s connect.Setup, scopes []string) (connect.App, error) {
	if d.addApp == nil {
		d.unexpected("AddApp")
		return connect.App{}, nil
	}
	return d.addApp(s, scopes)
}

func (d *double) RemoveApp(_ context.Context, name string) error {
	if d.removeApp == nil {
		d.unexpected("RemoveApp")
		return nil
	}
	return d.removeApp(name)
}

func (d *double) Doctor(_ context.Context, s connect.Setup, observe func(connect.Line)) ([]connect.Line, error) {
	if d.doctor == nil {
		d.unexpected("Doctor")
		return nil, nil
	}
	return d.doctor(s, observe)
}

func (d *double) Connect(ctx context.Context, r connect.Request, observe func(connect.State)) (connect.Account, error) {
	if d.connect == nil {
		d.unexpected("Connect")
		return connect.Account{}, nil
	}
	return d.connect(ctx, r, observe)
}

func (d *double) Recover(context.Context) ([]connect.Recovered, error) {
	if d.recover == nil {
		d.unexpected("Recover")
		return nil, nil
	}
	return d.recover()
}

func (d *double) Accounts(ctx context.Context) ([]connect.Account, error) {
	if d.accounts == nil {
		d.unexpected("Accounts")
		return nil, nil
	}
	return d.accounts(ctx)
}

func (d *double) Account(_ context.Context, ref string) (connect.Account, error) {
	if d.account == nil {
		d.unexpected("Account")
		return connect.Account{}, nil
	}
	return d.account(ref)
}

func (d *double) Token(_ context.Context, ref string) (connect.Handed, error) {
	if d.token == nil {
		d.unexpected("Token")
		return connect.Handed{}, nil
	}
	return d.token(ref)
}

func (d *double) Remove(_ context.Context, ref string) error {
	if d.remove == nil {
		d.unexpected("Remove")
		return nil
	}
	return d.remove(ref)
}

func (d *double) Diary(_ context.Context, id string, limit int) ([]library.Entry, error) {
	if d.diary == nil {
		d.unexpected("Diary")
		return nil, nil
	}
	return d.diary(id, limit)
}

func (d *double) Note(_ context.Context, id, event string, _ map[string]string) error {
	if d.note == nil {
		d.unexpected("Note " + event)
		return nil
	}
	return d.note(id, event)
}

func (d *double) Storage(context.Context) (connect.Storage, error) {
	if d.storage == nil {
		d.unexpected("Storage")
		return connect.Storage{}, nil
	}
	return d.storage()
}

func (d *double) SelfTest(ctx context.Context) error {
	if d.selfTest == nil {
		d.unexpected("SelfTest")
		return nil
	}
	return d.selfTest(ctx)
}

func (d *double) Providers() []provider.Definition {
	registry, _ := provider.Load("")
	return registry.List()
}

func (d *double) Practising() bool { return d.practising }
func (d *double) Home() string     { return d.home }
func (d *double) Close() error     { d.isClosed = true; return nil }
