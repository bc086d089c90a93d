package vault

import (
	"fmt"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// fakeService is a Secret Service with the moods of bad days. It speaks the
// real protocol over the real bus; only what it keeps is in memory.
type fakeService struct {
	conn *dbus.Conn

	mu        sync.Mutex
	mood      mood
	locked    bool
	items     map[dbus.ObjectPath]*fakeItem
	next      int
	prompted  int
	misled    int // so many unlocks answer nothing although nothing is locked
	dismissed int // by the client, which it must not
	resume    chan struct{}
}

// mood is what goes wrong.
type mood struct {
	// prompt is how a dialog ends: "approve", "dismiss", "ignore" (nobody
	// there), "foreign" (unrelated signals first, then approved), "drop" (the
	// service goes away), "instantly" (dismissed because there is no screen).
	prompt string
	// askToWrite makes writing and deleting ask too.
	askToWrite bool
	// lockItems locks each item by itself.
	lockItems bool
	// refuse is the name of the D-Bus error of every write.
	refuse string
	// forget accepts a write and keeps nothing.
	forget bool
	// hang answers nothing; slow answers each call after this long.
	hang bool
	slow time.Duration
	// noCollection: there is no keyring at all.
	noCollection bool
	// elsewhere: the only keyring is not called login.
	elsewhere bool
}

type fakeItem struct {
	service    *fakeService
	path       dbus.ObjectPath
	attributes map[string]string
	value      []byte
	locked     bool
}

type fakeSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

const elsewherePath = secretsPath + "/collection/kdewallet"

func (d *desktop) startFake() *fakeService {
	d.t.Helper()
	f := &fakeService{conn: d.connect(), items: map[dbus.ObjectPath]*fakeItem{}, resume: make(chan struct{})}
	d.t.Cleanup(f.stop)
	for path, object := range map[dbus.ObjectPath]any{
		secretsPath: fakeServiceObject{f}, loginPath: fakeCollection{f}, elsewherePath: fakeCollection{f},
		secretsPath + "/aliases/default": fakeCollection{f},
	} {
		iface := ifColl
		if path == secretsPath {
			iface = ifService
		}
		f.export(object, path, iface)
		f.export(fakeProperties{f, path}, path, "org.freedesktop.DBus.Properties")
	}
	f.export(fakeSession{}, secretsPath+"/session/s", "org.freedesktop.Secret.Session")
	if r, err := f.conn.RequestName(secrets, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatalf("own %s: %v %v", secrets, r, err)
	}
	return f
}

func (f *fakeService) export(object any, path dbus.ObjectPath, iface string) {
	if err := f.conn.Export(object, path, iface); err != nil {
		panic(err)
	}
}

func (f *fakeService) stop() {
	f.mu.Lock()
	if f.mood.hang {
		f.mood.hang = false
		close(f.resume)
	}
	f.mu.Unlock()
	_ = f.conn.Close()
}

func (f *fakeService) be(m mood) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mood.hang && !m.hang {
		close(f.resume)
		f.resume = make(chan struct{})
	}
	f.mood = m
}

func (f *fakeService) lock(locked bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.locked = locked
	for _, item := range f.items {
		item.locked = locked
	}
}

func (f *fakeService) counts() (prompted, dismissed, items int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.prompted, f.dismissed, len(f.items)
}

// add stores an item beside the client's, as another program would.
func (f *fakeService) add(attributes map[string]string, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.create(attributes, []byte(value))
}

// now gives the mood, after the delay that it asks for.
func (f *fakeService) now() mood {
	f.mu.Lock()
	m, resume := f.mood, f.resume
	f.mu.Unlock()
	if m.hang {
		<-resume
	}
	time.Sleep(m.slow)
	return m
}

func (f *fakeService) create(attributes map[string]string, value []byte) *fakeItem {
	f.next++
	item := &fakeItem{service: f, path: loginPath + dbus.ObjectPath(fmt.Sprintf("/%d", f.next)), attributes: attributes, value: value, locked: f.mood.lockItems}
	f.items[item.path] = item
	f.export(item, item.path, ifItem)
	f.export(fakeProperties{f, item.path}, item.path, "org.freedesktop.DBus.Properties")
	return item
}

// ask makes a dialog at the end of which, if it was approved, then happens.
func (f *fakeService) ask(then func() any) dbus.ObjectPath {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	path := secretsPath + dbus.ObjectPath(fmt.Sprintf("/prompt/p%d", f.next))
	f.export(&fakePrompt{f: f, path: path, then: then}, path, ifPrompt)
	return path
}

type fakePrompt struct {
	f    *fakeService
	path dbus.ObjectPath
	then func() any
}

func (p *fakePrompt) Prompt(sender dbus.Sender, _ string) *dbus.Error {
	m := p.f.now()
	p.f.mu.Lock()
	p.f.prompted++
	p.f.mu.Unlock()
	completed := func(dismissed bool, result any) {
		_ = p.f.conn.Emit(p.path, ifPrompt+".Completed", dismissed, dbus.MakeVariant(result))
	}
	go func() {
		if m.prompt != "instantly" {
			time.Sleep(unread + 100*time.Millisecond)
		}
		switch m.prompt {
		case "dismiss", "instantly":
			completed(true, []dbus.ObjectPath{})
		case "drop":
			_ = p.f.conn.Close()
		case "foreign":
			for range 3 {
				// One for everybody, one for the very connection that waits, and
				// one that differs in the path only.
				_ = p.f.conn.Emit("/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings.SettingChanged", "a", "b")
				p.f.send(string(sender), "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings", "SettingChanged", "a")
				p.f.send(string(sender), "/org/freedesktop/secrets/prompt/other", ifPrompt, "Completed", true, dbus.MakeVariant(""))
			}
			time.Sleep(100 * time.Millisecond)
			completed(false, p.then())
		case "ignore":
		default:
			completed(false, p.then())
		}
	}()
	return nil
}

func (p *fakePrompt) Dismiss() *dbus.Error {
	p.f.mu.Lock()
	p.f.dismissed++
	p.f.mu.Unlock()
	return nil
}

// send gives a signal to one connection only.
func (f *fakeService) send(to string, path dbus.ObjectPath, iface, member string, body ...any) {
	m := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(path), dbus.FieldInterface: dbus.MakeVariant(iface),
		dbus.FieldMember: dbus.MakeVariant(member), dbus.FieldDestination: dbus.MakeVariant(to),
		dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...)),
	}, Body: body}
	f.conn.Send(m, nil)
}

type fakeServiceObject struct{ f *fakeService }

func (s fakeServiceObject) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	s.f.now()
	return dbus.MakeVariant(""), secretsPath + "/session/s", nil
}

func (s fakeServiceObject) ReadAlias(string) (dbus.ObjectPath, *dbus.Error) {
	m := s.f.now()
	switch {
	case m.noCollection:
		return noObject, nil
	case m.elsewhere:
		return elsewherePath, nil
	}
	return loginPath, nil
}

func (s fakeServiceObject) Unlock(paths []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	m := s.f.now()
	s.f.mu.Lock()
	if s.f.misled > 0 {
		s.f.misled--
		s.f.mu.Unlock()
		return []dbus.ObjectPath{}, noObject, nil
	}
	locked := false
	for _, path := range paths {
		if item, ok := s.f.items[path]; ok {
			locked = locked || item.locked
		} else {
			locked = locked || s.f.locked
		}
	}
	s.f.mu.Unlock()
	if m.elsewhere && paths[0] == secretsPath+"/aliases/default" {
		paths = []dbus.ObjectPath{elsewherePath}
	}
	if !locked {
		return paths, noObject, nil
	}
	return []dbus.ObjectPath{}, s.f.ask(func() any {
		s.f.mu.Lock()
		defer s.f.mu.Unlock()
		for _, path := range paths {
			if item, ok := s.f.items[path]; ok {
				item.locked = false
			} else {
				s.f.locked = false
				for _, item := range s.f.items {
					item.locked = m.lockItems
				}
			}
		}
		return paths
	}), nil
}

func (s fakeServiceObject) CreateCollection(properties map[string]dbus.Variant, alias string) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	s.f.now()
	return noObject, s.f.ask(func() any {
		s.f.mu.Lock()
		defer s.f.mu.Unlock()
		if alias == "default" && properties[ifColl+".Label"].Value() == "Login" {
			s.f.mood.noCollection = false
		}
		return loginPath
	}), nil
}

type fakeSession struct{}

func (fakeSession) Close() *dbus.Error { return nil }

type fakeCollection struct{ f *fakeService }

func (c fakeCollection) SearchItems(want map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	c.f.now()
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	found := []dbus.ObjectPath{}
	// Oldest first, which is the order that hurts: doubles hide the new one.
	for n := 1; n <= c.f.next; n++ {
		item, ok := c.f.items[loginPath+dbus.ObjectPath(fmt.Sprintf("/%d", n))]
		for name, value := range want {
			ok = ok && item.attributes[name] == value
		}
		if ok {
			found = append(found, item.path)
		}
	}
	return found, nil
}

func (c fakeCollection) CreateItem(properties map[string]dbus.Variant, s fakeSecret, replace bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	m := c.f.now()
	attributes, _ := properties[ifItem+".Attributes"].Value().(map[string]string)
	if m.refuse != "" {
		return noObject, noObject, dbus.NewError(m.refuse, []any{"refused"})
	}
	c.f.mu.Lock()
	locked := c.f.locked
	c.f.mu.Unlock()
	if locked {
		return noObject, noObject, dbus.NewError("org.freedesktop.Secret.Error.IsLocked", nil)
	}
	store := func() any {
		c.f.mu.Lock()
		defer c.f.mu.Unlock()
		if m.forget {
			return noObject
		}
		for path, item := range c.f.items {
			if replace && fmt.Sprint(item.attributes) == fmt.Sprint(attributes) {
				item.value = s.Value
				return path
			}
		}
		return c.f.create(attributes, s.Value).path
	}
	if m.askToWrite {
		return noObject, c.f.ask(store), nil
	}
	return store().(dbus.ObjectPath), noObject, nil
}

func (i *fakeItem) GetSecret(session dbus.ObjectPath) (fakeSecret, *dbus.Error) {
	i.service.now()
	i.service.mu.Lock()
	defer i.service.mu.Unlock()
	if i.locked {
		return fakeSecret{}, dbus.NewError("org.freedesktop.Secret.Error.IsLocked", nil)
	}
	return fakeSecret{Session: session, Parameters: []byte{}, Value: i.value, ContentType: "text/plain"}, nil
}

func (i *fakeItem) Delete() (dbus.ObjectPath, *dbus.Error) {
	m := i.service.now()
	remove := func() any {
		i.service.mu.Lock()
		defer i.service.mu.Unlock()
		delete(i.service.items, i.path)
		i.service.export(nil, i.path, ifItem)
		return ""
	}
	if m.askToWrite {
		return i.service.ask(remove), nil
	}
	remove()
	return noObject, nil
}

type fakeProperties struct {
	f    *fakeService
	path dbus.ObjectPath
}

func (p fakeProperties) Get(iface, name string) (dbus.Variant, *dbus.Error) {
	m := p.f.now()
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	switch iface + "." + name {
	case ifService + ".Collections":
		switch {
		case m.noCollection:
			return dbus.MakeVariant([]dbus.ObjectPath{}), nil
		case m.elsewhere:
			return dbus.MakeVariant([]dbus.ObjectPath{elsewherePath}), nil
		}
		return dbus.MakeVariant([]dbus.ObjectPath{loginPath}), nil
	case ifColl + ".Locked":
		return dbus.MakeVariant(p.f.locked), nil
	case ifColl + ".Label":
		return dbus.MakeVariant("Pretend"), nil
	case ifItem + ".Locked":
		if item, ok := p.f.items[p.path]; ok {
			return dbus.MakeVariant(item.locked), nil
		}
	}
	return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
}
