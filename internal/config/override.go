package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// setting is one key that a variable or flag can set.
type setting struct {
	key    string   // sources[0].listen
	names  []string // dotted, as flags name it: sources.0.listen, sources.broker.listen
	value  reflect.Value
	isPath bool
}

// settings lists every key of the configuration, with its sources as they are.
func settings(c *Config) []setting {
	return walk(reflect.ValueOf(c).Elem(), "", []string{""})
}

var scalarType = reflect.TypeFor[strictyaml.Scalar]()

func walk(v reflect.Value, key string, names []string) []setting {
	var out []setting
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("yaml")
		if name == "" || name == "-" || field.Type == reflect.TypeFor[strictyaml.Any]() {
			continue
		}
		at, dotted := join(key, name), joinAll(names, name)
		f := v.Field(i)
		switch {
		case f.Kind() == reflect.Struct && !f.Addr().Type().Implements(scalarType):
			out = append(out, walk(f, at, dotted)...)
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for j := range f.Len() {
				item := joinAll(dotted, strconv.Itoa(j))
				if s, ok := reflect.TypeAssert[Source](f.Index(j)); ok && s.ID != "" {
					item = append(item, joinAll(dotted, s.ID)...)
				}
				if t, ok := reflect.TypeAssert[Influx](f.Index(j)); ok && t.ID != "" {
					item = append(item, joinAll(dotted, t.ID)...)
				}
				out = append(out, walk(f.Index(j), fmt.Sprintf("%s[%d]", at, j), item)...)
			}
		default:
			out = append(out, setting{at, dotted, f, field.Tag.Get("kind") == "path"})
		}
	}
	return out
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func joinAll(keys []string, name string) []string {
	out := make([]string, len(keys))
	for i := range keys {
		out[i] = join(keys[i], name)
	}
	return out
}

const envPrefix = "SIMPANG_"

// envName is the variable of a dotted key: SIMPANG_HTTP_LISTEN of http.listen,
// SIMPANG_SOURCES_0_LISTEN or SIMPANG_SOURCES_BROKER_LISTEN of a source's.
func envName(dotted string) string {
	return envPrefix + strings.Map(func(r rune) rune {
		if (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') {
			return r
		}
		return '_'
	}, strings.ToUpper(dotted))
}

// environment sets what SIMPANG_* variables say. An unknown one is a warning:
// it may be another program's.
func (l *loader) environment(env []string) {
	byName := map[string]setting{}
	var known []string
	for _, s := range settings(l.c) {
		for _, name := range s.names {
			byName[envName(name)] = s
		}
		known = append(known, envName(s.names[0]))
	}
	env = slices.Clone(env)
	slices.Sort(env)
	for _, pair := range env {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		s, ok := byName[name]
		if !ok {
			l.warnings = append(l.warnings, Fault{File: name, Message: "the variable sets no key: " + instead(name, known)})
			continue
		}
		l.set(s, name, text)
	}
}

// instead says what to write for an unknown name.
func instead(name string, known []string) string {
	if near := strictyaml.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "remove it, configs/example.yaml names every key"
}

// flags sets what the command line says.
func (l *loader) flags(overrides map[string]string) {
	byName := map[string]setting{}
	var known []string
	for _, s := range settings(l.c) {
		for _, name := range s.names {
			byName[name] = s
		}
		known = append(known, s.names[0])
	}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		s, ok := byName[name]
		if !ok {
			l.faults = append(l.faults, Fault{File: "flag " + name, Message: "sets no key: " + instead(name, known)})
			continue
		}
		l.set(s, "flag "+name, overrides[name])
	}
}

// setPairs reads name=value pairs, separated by commas.
func setPairs(v reflect.Value, text string) error {
	pairs := reflect.MakeMap(v.Type())
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		if !found {
			return fmt.Errorf("%q is no pair: write name=value, separated by commas", part)
		}
		pairs.SetMapIndex(reflect.ValueOf(strings.TrimSpace(name)), reflect.ValueOf(strings.TrimSpace(value)))
	}
	v.Set(pairs)
	return nil
}

// set gives a key the text of a variable or flag; lists are separated by
// commas.
func (l *loader) set(s setting, name, text string) {
	var err error
	switch {
	case s.value.Kind() == reflect.Slice:
		list := []string{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		s.value.Set(reflect.ValueOf(list))
	case s.value.Kind() == reflect.Map:
		err = setPairs(s.value, text)
	case s.value.Addr().Type().Implements(scalarType):
		if scalar, ok := reflect.TypeAssert[strictyaml.Scalar](s.value.Addr()); ok {
			err = scalar.UnmarshalScalar(text)
		}
	default:
		err = strictyaml.SetBasic(s.value, text)
	}
	l.from[s.key] = name
	delete(l.broken, s.key)
	if err != nil {
		l.fault(s.key, "%s", err)
	}
}
