// Package strictyaml decodes YAML that people write: every fault at once, each
// with its line and with what to do; unknown keys are faults, and so are
// aliases, merge keys and second documents, which no file of ours needs.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	Line    int    // 1..
	Path    string // of the key, "sources[0].url"; "" for the file as a whole
	Message string // what is wrong, and what to do
}

// Scalar is a type that reads itself from one YAML scalar. The error's text
// says what is wrong and what to do.
type Scalar interface{ UnmarshalScalar(text string) error }

// Any takes whatever a key has; it stays unread.
type Any struct{}

// Doc knows on which line each path of a decoded file was written.
type Doc struct{ lines map[string]int }

// Line returns the line of the path ("sources[0].url"), else of its nearest
// parent that is in the file, else 1.
func (d *Doc) Line(path string) int {
	for path != "" {
		if line, ok := d.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// Has tells whether the path is in the file.
func (d *Doc) Has(path string) bool { _, ok := d.lines[path]; return ok }

// Decode reads one YAML document into the struct that into points to, by the
// `yaml` tags of its fields. What the file leaves out keeps its value. The Doc
// is never nil. The faults are sorted by line.
func Decode(data []byte, into any) (*Doc, []Fault) {
	d := &decoder{doc: &Doc{lines: map[string]int{}}}
	root, fault := parse(data)
	if fault != nil {
		return d.doc, []Fault{*fault}
	}
	if root != nil {
		d.value(root, reflect.ValueOf(into).Elem(), "")
	}
	sort.SliceStable(d.faults, func(i, j int) bool { return d.faults[i].Line < d.faults[j].Line })
	return d.doc, d.faults
}

var lineOf = regexp.MustCompile(`^yaml: line (\d+): `)

func parse(data []byte) (*yaml.Node, *Fault) {
	dec := yaml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil && !errors.Is(dec.Decode(&second), io.EOF) {
		return nil, &Fault{Line: max(second.Line, 1), Message: "a second YAML document begins: keep one document a file, remove the line ---"}
	}
	if err != nil {
		line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
			text = strings.TrimPrefix(err.Error(), m[0])
		}
		return nil, &Fault{Line: max(line, 1), Message: "not YAML (" + text + "): mend the syntax, mind indentation and quotes"}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}

type decoder struct {
	doc    *Doc
	faults []Fault
}

func (d *decoder) fault(n *yaml.Node, path, format string, args ...any) {
	d.faults = append(d.faults, Fault{Line: max(n.Line, 1), Path: path, Message: fmt.Sprintf(format, args...)})
}

func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if path != "" {
		if _, ok := d.doc.lines[path]; !ok {
			d.doc.lines[path] = n.Line
		}
	}
	if _, ok := reflect.TypeAssert[Any](v); ok {
		return
	}
	name := path
	if name == "" {
		name = "the file"
	}
	if n.Kind == yaml.AliasNode {
		d.fault(n, path, "%s is an alias (*%s): write the value out", name, n.Value)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.fault(n, path, "%s has no value: give one or remove the key", name)
		return
	}
	if s, ok := reflect.TypeAssert[Scalar](v.Addr()); ok {
		d.scalar(n, path, "a single value", s.UnmarshalScalar)
		return
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.fault(n, path, "%s is %s: expected keys with values (key: value)", name, describe(n))
			return
		}
		d.mapping(n, v, path)
	case reflect.Slice, reflect.Array:
		d.sequence(n, v, path, name)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem(), path)
	default:
		d.basic(n, v, path)
	}
}

func (d *decoder) sequence(n *yaml.Node, v reflect.Value, path, name string) {
	if n.Kind != yaml.SequenceNode {
		d.fault(n, path, "%s is %s: expected a list", name, describe(n))
		return
	}
	if v.Kind() == reflect.Array {
		if len(n.Content) != v.Len() {
			d.fault(n, path, "%s has %d values: give %d", name, len(n.Content), v.Len())
			return
		}
	} else {
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	}
	for i, item := range n.Content {
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	fields, names := map[string]reflect.Value{}, []string(nil)
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				fields[name] = v.Field(i)
				names = append(names, name)
			}
		}
	} else if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			d.fault(key, path, "a key is not a plain word: write `key: value`")
			continue
		}
		at := key.Value
		if path != "" {
			at = path + "." + key.Value
		}
		if first, ok := seen[key.Value]; ok {
			d.fault(key, at, "%s is there twice (first on line %d): keep one", at, first)
			continue
		}
		seen[key.Value] = key.Line
		d.doc.lines[at] = key.Line
		if v.Kind() == reflect.Map {
			item := reflect.New(v.Type().Elem()).Elem()
			d.value(val, item, at)
			v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
			continue
		}
		field, ok := fields[key.Value]
		if !ok {
			d.fault(key, at, "unknown key %s: %s", at, Suggest(key.Value, names))
			continue
		}
		d.value(val, field, at)
	}
}

func (d *decoder) scalar(n *yaml.Node, path, want string, set func(string) error) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, path, "%s is %s: give %s", path, describe(n), want)
		return
	}
	if err := set(n.Value); err != nil {
		d.fault(n, path, "%s: %s", path, err)
	}
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	default:
		if len(n.Value) > 40 {
			return fmt.Sprintf("%.40q...", n.Value)
		}
		return fmt.Sprintf("%q", n.Value)
	}
}
