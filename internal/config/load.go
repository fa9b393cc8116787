package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// maxFile is the largest configuration that is read, bytes.
const maxFile = 1 << 20

// Load reads the configuration file at path. Env is the environment
// (NAME=value, as os.Environ gives it); overrides are flags by dotted key
// ("http.listen", "sources.serial-1.port": a source by its id or place) and
// win over it. Every fault is told at once, in the order of the lines; the
// Config is nil if there is any. Paths in the file are relative to the file,
// others to the working directory.
func Load(path string, env []string, overrides map[string]string) (*Config, []Fault) {
	data, faults := read(path)
	if len(faults) > 0 {
		return nil, faults
	}
	return Parse(path, data, env, overrides)
}

func read(path string) ([]byte, []Fault) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, []Fault{{File: path, Message: "the file is not there: name the configuration with -config FILE"}}
	case err != nil:
		return nil, []Fault{{File: path, Message: fmt.Sprintf("cannot be read (%v): mend its rights or name another with -config FILE", err)}}
	case len(data) > maxFile:
		return nil, []Fault{{File: path, Message: "is larger than 1 MiB: name the configuration with -config FILE"}}
	}
	return data, nil
}

// Parse is Load with the file's content given; path names it in faults and is
// what its paths are relative to.
func Parse(path string, data []byte, env []string, overrides map[string]string) (*Config, []Fault) {
	l, _ := parse(path, data, env, overrides)
	if len(l.faults) > 0 {
		return nil, l.faults
	}
	return l.c, nil
}

// parse is Parse, which keeps what could be read where there are faults; whole
// is false where the file as such could not be read.
func parse(path string, data []byte, env []string, overrides map[string]string) (l *loader, whole bool) {
	c := defaults()
	c.File = path
	l = &loader{c: c, path: path, from: map[string]string{}}
	doc, faults := strictyaml.Decode(data, c)
	l.doc, c.line = doc, doc.Line
	unread := false
	for _, f := range faults {
		l.faults = append(l.faults, Fault{File: path, Line: f.Line, Message: f.Message})
		l.bad(f.Path)
		unread = unread || f.Path == ""
	}
	if unread {
		return l, false // what is not read cannot be checked
	}
	l.relative(filepath.Dir(path))
	l.environment(env)
	l.flags(overrides)
	l.complete()
	l.validate()
	sort.SliceStable(l.faults, func(i, j int) bool {
		a, b := l.faults[i], l.faults[j]
		if (a.File == path) != (b.File == path) {
			return a.File == path
		}
		return a.Line < b.Line
	})
	c.Warnings = l.warnings
	return l, true
}

type loader struct {
	c        *Config
	doc      *strictyaml.Doc
	path     string
	from     map[string]string // key -> variable or flag that gave its value
	broken   map[string]bool   // keys that have a fault already
	faults   []Fault
	warnings []Fault
}

func (l *loader) bad(key string) {
	if l.broken == nil {
		l.broken = map[string]bool{}
	}
	l.broken[key] = true
}

// has tells whether a key was given, by whichever way.
func (l *loader) has(key string) bool { return l.doc.Has(key) || l.from[key] != "" }

// fault tells what is wrong with a key; one fault a key is enough, and none
// where what holds the key could not be read.
func (l *loader) fault(key, format string, args ...any) {
	if l.isBad(key) {
		return
	}
	l.bad(key)
	l.faults = append(l.faults, l.at(key, format, args...))
}

// isBad tells whether a key, or what holds it, has a fault already.
func (l *loader) isBad(key string) bool {
	for part := key; part != ""; part = part[:max(strings.LastIndexAny(part, ".["), 0)] {
		if l.broken[part] {
			return true
		}
	}
	return false
}

func (l *loader) warn(key, format string, args ...any) {
	l.warnings = append(l.warnings, l.at(key, format, args...))
}

func (l *loader) at(key, format string, args ...any) Fault {
	message := fmt.Sprintf(format, args...)
	if key != "" {
		message = key + " " + message
	}
	if name := l.from[key]; name != "" {
		return Fault{File: name, Message: message}
	}
	return Fault{File: l.path, Line: l.doc.Line(key), Message: message}
}

// relative makes the paths of the file relative to it.
func (l *loader) relative(dir string) {
	for _, s := range settings(l.c) {
		if s.isPath {
			if p := s.value.String(); p != "" && !filepath.IsAbs(p) {
				s.value.SetString(filepath.Join(dir, p))
			}
		}
	}
}
