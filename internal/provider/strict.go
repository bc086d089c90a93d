package provider

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// flaw is one thing wrong in a file: which key, and what is wrong with it in
// one word of a closed set (see reasons), so that the catalogue can say it.
type flaw struct {
	path   string
	reason string
	value  string
}

func (f *flaw) Error() string { return f.path + ": " + f.reason + " " + strconv.Quote(f.value) }

// The closed set of reasons, "reason" in the problem definition.invalid.
const (
	reasonSyntax      = "syntax"
	reasonUnknownKey  = "unknown_key"
	reasonType        = "type"
	reasonMissing     = "missing"
	reasonValue       = "value"
	reasonAddress     = "address"
	reasonPlaceholder = "placeholder"
	reasonDuplicate   = "duplicate"
	reasonUnreadable  = "unreadable"
)

// parse reads TOML into plain maps. A syntax error carries its line.
func parse(source []byte) (map[string]any, int, error) {
	var tree map[string]any
	if err := toml.Unmarshal(source, &tree); err != nil {
		line := 0
		var at toml.ParseError
		if errors.As(err, &at) {
			line = at.Position.Line
		}
		return nil, line, &flaw{reason: reasonSyntax}
	}
	return tree, 0, nil
}

// fill writes a parsed value into target, field by field, and refuses what
// target has no place for. It is our own and not the library's, because that
// one matches keys without regard to case and forgets where a wrong value
// stood. What target already holds stays where the file says nothing; lists
// are replaced.
func fill(target reflect.Value, value any, path string) error {
	wrong := func() error { return &flaw{path: path, reason: reasonType, value: fmt.Sprintf("%T", value)} }
	if target.Type() == reflect.TypeFor[time.Duration]() {
		text, ok := value.(string)
		if !ok {
			return wrong()
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return &flaw{path: path, reason: reasonValue, value: text}
		}
		target.SetInt(int64(d))
		return nil
	}
	if target.Type() == reflect.TypeFor[Code]() {
		switch code := value.(type) {
		case int64:
			target.SetString(strconv.FormatInt(code, 10))
		case string:
			target.SetString(code)
		default:
			return wrong()
		}
		return nil
	}
	switch target.Kind() {
	case reflect.String:
		text, ok := value.(string)
		if !ok {
			return wrong()
		}
		target.SetString(text)
	case reflect.Bool:
		yes, ok := value.(bool)
		if !ok {
			return wrong()
		}
		target.SetBool(yes)
	case reflect.Int:
		n, ok := value.(int64)
		if !ok {
			return wrong()
		}
		target.SetInt(n)
	case reflect.Pointer:
		if target.IsNil() {
			target.Set(reflect.New(target.Type().Elem()))
		}
		return fill(target.Elem(), value, path)
	case reflect.Map:
		entries, ok := value.(map[string]any)
		if !ok {
			return wrong()
		}
		if target.IsNil() {
			target.Set(reflect.MakeMap(target.Type()))
		}
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			entry := entries[name]
			text, ok := entry.(string)
			if !ok {
				return &flaw{path: path + "." + name, reason: reasonType, value: fmt.Sprintf("%T", entry)}
			}
			target.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(text))
		}
	case reflect.Slice:
		return fillList(target, value, path)
	case reflect.Struct:
		table, ok := value.(map[string]any)
		if !ok {
			return wrong()
		}
		places := fields(target)
		for _, name := range slices.Sorted(maps.Keys(table)) {
			entry := table[name]
			inner := name
			if path != "" {
				inner = path + "." + name
			}
			place, known := places[name]
			if !known {
				return &flaw{path: inner, reason: reasonUnknownKey, value: name}
			}
			if err := fill(place, entry, inner); err != nil {
				return err
			}
		}
	default:
		return wrong()
	}
	return nil
}

func fillList(target reflect.Value, value any, path string) error {
	var entries []any
	switch list := value.(type) {
	case []any:
		entries = list
	case []map[string]any:
		for _, table := range list {
			entries = append(entries, table)
		}
	default:
		return &flaw{path: path, reason: reasonType, value: fmt.Sprintf("%T", value)}
	}
	filled := reflect.MakeSlice(target.Type(), len(entries), len(entries))
	for i, entry := range entries {
		if err := fill(filled.Index(i), entry, path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	target.Set(filled)
	return nil
}

// fields lists a struct's places by their key; an embedded struct's are its own.
func fields(target reflect.Value) map[string]reflect.Value {
	places := map[string]reflect.Value{}
	for i := range target.NumField() {
		field := target.Type().Field(i)
		if field.Anonymous {
			for name, place := range fields(target.Field(i)) {
				places[name] = place
			}
			continue
		}
		if name := field.Tag.Get("toml"); name != "" {
			places[name] = target.Field(i)
		}
	}
	return places
}

// lines maps each key's path, as fill writes it, to its line. It reads headers
// and keys only; a key inside an inline table is found at its table's line.
func lines(source []byte) map[string]int {
	found := map[string]int{}
	count := map[string]int{}
	prefix := ""
	mark := func(path string, line int) {
		if _, ok := found[path]; !ok {
			found[path] = line
		}
	}
	// inside gives a header's path with the number of the row that each list
	// in it has reached: recipe.step in the second recipe is recipe[1].step.
	inside := func(name string) string {
		path := ""
		parts := strings.Split(name, ".")
		for i, part := range parts {
			path = strings.TrimPrefix(path+"."+part, ".")
			if n := count[path]; n > 0 && i < len(parts)-1 {
				path += "[" + strconv.Itoa(n-1) + "]"
			}
		}
		return path
	}
	for i, text := range strings.Split(string(source), "\n") {
		text = strings.TrimSpace(text)
		switch {
		case strings.HasPrefix(text, "[["):
			name, _, _ := strings.Cut(strings.TrimPrefix(text, "[["), "]]")
			name = inside(plainKey(name))
			prefix = name + "[" + strconv.Itoa(count[name]) + "]"
			count[name]++
			mark(name, i+1)
			mark(prefix, i+1)
		case strings.HasPrefix(text, "["):
			name, _, _ := strings.Cut(strings.TrimPrefix(text, "["), "]")
			prefix = inside(plainKey(name))
			mark(prefix, i+1)
		default:
			key, _, ok := strings.Cut(text, "=")
			if !ok || strings.HasPrefix(text, "#") {
				continue
			}
			path := plainKey(key)
			if prefix != "" {
				path = prefix + "." + path
			}
			mark(path, i+1)
		}
	}
	return found
}

func plainKey(key string) string {
	parts := strings.Split(key, ".")
	for i := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(parts[i]), `"'`)
	}
	return strings.Join(parts, ".")
}

// lineOf finds the line of a path, or of the nearest thing around it; 1 when
// the whole file is meant.
func lineOf(found map[string]int, path string) int {
	for path != "" {
		if line, ok := found[path]; ok {
			return line
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return 1
}
