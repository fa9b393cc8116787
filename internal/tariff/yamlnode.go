package tariff

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/simpang-id/simpang/internal/city"
)

// Fault is one thing wrong with the file: what, and what to do.
type Fault struct {
	Line    int // 1.., 0 where it is not known
	Message string
}

// reader walks a YAML tree and collects every fault.
type reader struct{ faults []Fault }

func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	r.faults = append(r.faults, Fault{line, fmt.Sprintf(format, args...)})
}

// fields is one mapping; what the reader has not taken from it is unknown.
type fields struct {
	r    *reader
	node *yaml.Node
	what string
	byID map[string]*yaml.Node
}

func resolve(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// mapping opens a mapping whose keys must all be among known.
func (r *reader) mapping(n *yaml.Node, what string, known ...string) (fields, bool) {
	f := fields{r: r, node: n, what: what, byID: map[string]*yaml.Node{}}
	m := resolve(n)
	if m == nil || m.Kind != yaml.MappingNode {
		r.fault(n, "%s must be a mapping of keys: %s", what, strings.Join(known, ", "))
		return f, false
	}
	isKnown := map[string]bool{}
	for _, k := range known {
		isKnown[k] = true
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode || !isKnown[k.Value]:
			r.fault(k, "unknown key %q in %s: use %s", k.Value, what, strings.Join(known, ", "))
		case f.byID[k.Value] != nil:
			r.fault(k, "key %q twice in %s: keep one", k.Value, what)
		default:
			f.byID[k.Value] = v
		}
	}
	return f, true
}

// list returns the elements of a sequence.
func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	s := resolve(n)
	if s == nil || s.Kind != yaml.SequenceNode {
		r.fault(n, "%s must be a list", what)
		return nil
	}
	return s.Content
}

func (f fields) has(key string) bool { return f.byID[key] != nil }

// get returns a key's node; a required one that is missing is a fault.
func (f fields) get(key string, required bool) *yaml.Node {
	n := f.byID[key]
	if n == nil && required {
		f.r.fault(f.node, "%s lacks %q: add it", f.what, key)
	}
	return n
}

// text reads a required text.
func (f fields) text(key string) string {
	n := f.get(key, true)
	if n == nil {
		return ""
	}
	s := resolve(n)
	if s.Kind != yaml.ScalarNode || s.Tag == "!!null" || strings.TrimSpace(s.Value) == "" {
		f.r.fault(n, "%s of %s must be a text that is not empty", key, f.what)
		return ""
	}
	return strings.TrimSpace(s.Value)
}

func (f fields) boolean(key string) bool {
	n := f.get(key, false)
	if n == nil {
		return false
	}
	s := resolve(n)
	if s.Kind != yaml.ScalarNode || s.Tag != "!!bool" {
		f.r.fault(n, "%s of %s must be true or false", key, f.what)
		return false
	}
	return strings.EqualFold(s.Value, "true")
}

// number reads a whole number in [low, high]; low where it is absent or wrong.
func (f fields) number(key string, required bool, low, high int64) int64 {
	n := f.get(key, required)
	if n == nil {
		return low
	}
	s := resolve(n)
	v, err := strconv.ParseInt(s.Value, 10, 64)
	if s.Kind != yaml.ScalarNode || s.Tag != "!!int" || err != nil || v < low || v > high {
		f.r.fault(n, "%s of %s must be a whole number from %d to %d, without separators", key, f.what, low, high)
		return low
	}
	return v
}

func (f fields) money(key string, required bool) city.Rupiah {
	return city.Rupiah(f.number(key, required, 0, maxAmount))
}

func (f fields) date(key string, required bool) string {
	n := f.get(key, required)
	if n == nil {
		return ""
	}
	s := resolve(n)
	if _, err := time.Parse(time.DateOnly, s.Value); s.Kind != yaml.ScalarNode || err != nil {
		f.r.fault(n, "%s of %s must be a day like 2026-01-31", key, f.what)
		return ""
	}
	return s.Value
}

var yamlLine = regexp.MustCompile(`line (\d+): (.*)`)

// syntaxFault turns the YAML parser's error into a fault with its line.
func syntaxFault(err error) Fault {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ := strconv.Atoi(m[1])
		return Fault{line, "not YAML at or just after this line: " + m[2] + "; mend the indentation or the quotes"}
	}
	return Fault{0, "not YAML: " + msg}
}
