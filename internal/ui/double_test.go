package ui

import (
	"context"
	"io"
	"net/url"
	"testing"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/provider"
	"github.com/tokenkeep/tokenkeep/internal/secret"
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
	settle    func(id string, d connect.Decision) (*connect.Account, error)
	accounts  func(context.Context) ([]connect.Account, error)
	account   func(string) (connect.Account, error)
	token     func(string) (connect.Handed, error)
	remove    func(string) error
	diary     func(string, int) ([]library.Entry, error)
	note      func(id, event string) error
	storage   func() (connect.Storage, error)
	selfTest  func(context.Context) error

	diaryPage  func(id string, limit int, before int64) ([]library.Entry, error)
	renew      func(context.Context, string, connect.RenewOptions) (connect.Renewal, error)
	check      func(context.Context, string) (connect.Checked, error)
	inspect    func(context.Context, secret.Text) (connect.Inspected, error)
	importing  func(context.Context, connect.Paste) (connect.Account, error)
	revoke     func(context.Context, string) (connect.Revoked, error)
	revokePage func(string) string
	bundle     func(io.Writer) error
	markWarned func(id string, days int) error
	discover   func(issuer string) (provider.Server, error)
	add        func(provider.Server) (provider.Definition, error)
	confirm    func(id string) error
	questions  []provider.Question
	flaws      []*problem.Problem
	// own are definitions besides the shipped ones.
	own []provider.Definition
	// ground is the practice ground's address for the shipped ones.
	ground *url.URL
	// pretended is what the practice ground was last told to play.
	pretended connect.Pretend
	// settings are what the window has read and written; nil is none.
	settings map[string]string
	// renewing is what the window last said about itself.
	renewing bool

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

func (d *double) Settle(_ context.Context, id string, decision connect.Decision) (*connect.Account, error) {
	if d.settle == nil {
		d.unexpected("Settle")
		return nil, nil
	}
	return d.settle(id, decision)
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

func (d *double) DiaryPage(_ context.Context, id string, limit int, before int64) ([]library.Entry, error) {
	if d.diaryPage == nil {
		// A diary of one page.
		if before != 0 {
			return nil, nil
		}
		return d.Diary(context.Background(), id, limit)
	}
	return d.diaryPage(id, limit, before)
}

func (d *double) Renew(ctx context.Context, ref string, o connect.RenewOptions) (connect.Renewal, error) {
	if d.renew == nil {
		d.unexpected("Renew")
		return connect.Renewal{}, nil
	}
	return d.renew(ctx, ref, o)
}

func (d *double) Check(ctx context.Context, ref string) (connect.Checked, error) {
	if d.check == nil {
		d.unexpected("Check")
		return connect.Checked{}, nil
	}
	return d.check(ctx, ref)
}

func (d *double) Inspect(ctx context.Context, text secret.Text) (connect.Inspected, error) {
	if d.inspect == nil {
		d.unexpected("Inspect")
		return connect.Inspected{}, nil
	}
	return d.inspect(ctx, text)
}

func (d *double) Import(ctx context.Context, in connect.Paste) (connect.Account, error) {
	if d.importing == nil {
		d.unexpected("Import")
		return connect.Account{}, nil
	}
	return d.importing(ctx, in)
}

func (d *double) Revoke(ctx context.Context, ref string) (connect.Revoked, error) {
	if d.revoke == nil {
		d.unexpected("Revoke")
		return connect.Revoked{}, nil
	}
	return d.revoke(ctx, ref)
}

func (d *double) RevokePage(provider string) string {
	if d.revokePage == nil {
		return ""
	}
	return d.revokePage(provider)
}

func (d *double) Bundle(_ context.Context, w io.Writer) error {
	if d.bundle == nil {
		d.unexpected("Bundle")
		return nil
	}
	return d.bundle(w)
}

func (d *double) MarkWarned(_ context.Context, id string, days int) error {
	if d.markWarned == nil {
		d.unexpected("MarkWarned")
		return nil
	}
	return d.markWarned(id, days)
}

func (d *double) Setting(_ context.Context, name string) (string, error) {
	return d.settings[name], nil
}

func (d *double) SetSetting(_ context.Context, name, value string) error {
	if d.settings == nil {
		d.settings = map[string]string{}
	}
	d.settings[name] = value
	return nil
}

func (d *double) SetRenewing(on bool) { d.renewing = on }

func (d *double) Providers() []provider.Definition {
	registry, _ := provider.Load("")
	list := registry.List()
	if d.ground != nil {
		for i := range list {
			list[i] = list[i].Practice(d.ground)
		}
	}
	return append(list, d.own...)
}

func (d *double) Discover(_ context.Context, issuer string) (provider.Server, error) {
	if d.discover == nil {
		d.unexpected("Discover")
		return provider.Server{}, nil
	}
	return d.discover(issuer)
}

func (d *double) AddProvider(_ context.Context, srv provider.Server) (provider.Definition, error) {
	if d.add == nil {
		d.unexpected("AddProvider")
		return provider.Definition{}, nil
	}
	return d.add(srv)
}

func (d *double) ConfirmProvider(_ context.Context, seen provider.Question) error {
	if d.confirm == nil {
		d.unexpected("ConfirmProvider")
		return nil
	}
	return d.confirm(seen.ID)
}

func (d *double) Questions() []provider.Question       { return d.questions }
func (d *double) ProviderProblems() []*problem.Problem { return d.flaws }
func (d *double) Pretend(p connect.Pretend)            { d.pretended = p }

func (d *double) Practising() bool { return d.practising }
func (d *double) Home() string     { return d.home }
func (d *double) Close() error     { d.isClosed = true; return nil }
