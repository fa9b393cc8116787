package inventory

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/strictyaml"
)

// props is the properties of one feature.
type props struct {
	p     *parser
	file  string
	line  int    // of the feature
	what  string // names the feature in faults
	known []string
	node  *node // the properties, nil if there are none
	geo   *node
}

// features reads a FeatureCollection. Members of the collection and of a
// feature that are not ours are GIS programs' own and left alone; properties
// that are not known are faults.
func (p *parser) features(file string, known []string) []*props {
	data, ok := p.files[file]
	if !ok {
		return nil
	}
	root, f := parseJSON(bytes.TrimPrefix(data, bom))
	if f != nil {
		p.fault(file, f.line, "%s", f.message)
		return nil
	}
	kind, list := root.member("type"), root.member("features")
	if kind == nil || kind.text != "FeatureCollection" || list == nil || list.kind != '[' {
		p.fault(file, root.line, "not a GeoJSON FeatureCollection: export the layer as GeoJSON (RFC 7946)")
		return nil
	}
	if crs := root.member("crs"); crs != nil && !bytes.Contains(crs.raw, []byte("CRS84")) && !bytes.Contains(crs.raw, []byte("4326")) {
		p.fault(file, crs.line, "the coordinates are not WGS 84: export the layer with EPSG:4326")
	}
	var out []*props
	for i := range list.items {
		n := &list.items[i]
		f := &props{p: p, file: file, line: n.line, what: fmt.Sprintf("feature %d", i+1), known: known, node: n.member("properties"), geo: n.member("geometry")}
		if kind := n.member("type"); kind == nil || kind.text != "Feature" || f.node == nil || f.node.kind != '{' {
			f.fault("", "is no Feature with properties: export the layer again")
			continue
		}
		if id := f.node.member("id"); id != nil && (id.kind == 's' || id.kind == 'n') && checkText(id.text) == "" && strings.TrimSpace(id.text) != "" {
			f.what = short(id.text)
		}
		for j := range f.node.members {
			m := &f.node.members[j]
			if !slices.Contains(known, m.name) {
				f.fault(m.name, "unknown property %s: %s", short(m.name), strictyaml.Suggest(m.name, known))
			}
		}
		out = append(out, f)
	}
	return out
}

// lineOf returns the line of a property, else of the feature.
func (f *props) lineOf(name string) int {
	if f.node != nil {
		for i := range f.node.members {
			if f.node.members[i].name == name {
				return f.node.members[i].line
			}
		}
	}
	return f.line
}

func (f *props) fault(name, format string, args ...any) {
	f.p.fault(f.file, f.lineOf(name), "%s: %s", f.what, fmt.Sprintf(format, args...))
}

func (f *props) warn(name, format string, args ...any) {
	f.p.warn(f.file, f.lineOf(name), "%s: %s", f.what, fmt.Sprintf(format, args...))
}

func (f *props) has(name string) bool { return f.node.member(name) != nil }

// text returns a text; a number is taken as it is written.
func (f *props) text(name string) string {
	n := f.node.member(name)
	if n == nil {
		return ""
	}
	if n.kind != 's' && n.kind != 'n' {
		f.fault(name, "%s is %s: write a text", name, n.describe())
		return ""
	}
	if wrong := checkText(n.text); wrong != "" {
		f.fault(name, "%s %s", name, wrong)
		return ""
	}
	return strings.TrimSpace(n.text)
}

func (f *props) need(name string) string {
	s := f.text(name)
	if s == "" && (!f.has(name) || f.node.member(name).kind == 's') {
		f.fault(name, "%s is missing: fill it in", name)
	}
	return s
}

func (f *props) checked(name string, check func(string) string) string {
	s := f.text(name)
	if s == "" {
		return ""
	}
	if wrong := check(s); wrong != "" {
		f.fault(name, "%s %s", name, wrong)
		return ""
	}
	return s
}

func (f *props) id(name string) string {
	if f.need(name) == "" {
		return ""
	}
	return f.checked(name, checkID)
}

func (f *props) word(name string, words ...string) string {
	return f.checked(name, func(s string) string { return checkWord(s, words) })
}

// number returns a number between bounds, 0 where it is left out.
func (f *props) number(name string, low, high float64) float64 {
	n := f.node.member(name)
	if n == nil {
		return 0
	}
	v, wrong := n.number(low, high)
	if wrong != "" {
		f.fault(name, "%s %s", name, wrong)
	}
	return v
}

// whole returns a whole number between bounds, 0 where it is left out.
func (f *props) whole(name string, low, high int) int {
	n := f.node.member(name)
	if n == nil {
		return 0
	}
	v, wrong := n.whole(low, high)
	if wrong != "" {
		f.fault(name, "%s %s", name, wrong)
	}
	return v
}

// yes returns true or false, 1 or 0.
func (f *props) yes(name string) bool {
	n := f.node.member(name)
	switch {
	case n == nil:
		return false
	case n.kind == 'b':
		return n.yes
	case n.kind == 'n' && (n.text == "0" || n.text == "1"):
		return n.text == "1"
	default:
		f.fault(name, "%s is %s: write true or false", name, n.describe())
		return false
	}
}

// list returns a list of texts; one text is a list of one, or, as programs
// without lists keep it, the list written in JSON.
func (f *props) list(name string) []string {
	n := f.unfold(name, '[')
	if n == nil {
		return nil
	}
	if n.kind == 's' {
		n = &node{kind: '[', items: []node{*n}}
	}
	if n.kind != '[' {
		f.fault(name, "%s is %s: write a list of texts", name, n.describe())
		return nil
	}
	if len(n.items) > 100 {
		f.fault(name, "%s has over 100 entries: shorten it", name)
		return nil
	}
	var out []string
	for i := range n.items {
		item := &n.items[i]
		s := strings.TrimSpace(item.text)
		switch {
		case item.kind != 's':
			f.fault(name, "%s holds %s: write texts only", name, item.describe())
		case checkText(s) != "":
			f.fault(name, "%s: an entry %s", name, checkText(s))
		case s == "":
			if len(n.items) > 1 {
				f.fault(name, "%s holds an empty text: remove it", name)
			}
		case slices.Contains(out, s):
			f.fault(name, "%s holds %s twice: keep one", name, short(s))
		default:
			out = append(out, s)
		}
	}
	return out
}

// unfold returns a property; a text that begins with open is read as JSON.
func (f *props) unfold(name string, open byte) *node {
	n := f.node.member(name)
	if n == nil || n.kind != 's' || !strings.HasPrefix(strings.TrimSpace(n.text), string(open)) {
		return n
	}
	inner, wrong := parseJSON([]byte(n.text))
	if wrong != nil {
		f.fault(name, "%s is a text that is no JSON: mend it", name)
		return nil
	}
	inner.line = n.line
	return inner
}

// byClass calls each for every class of an object {class: value}.
func (f *props) byClass(name string, each func(class city.Class, n *node)) {
	n := f.unfold(name, '{')
	if n == nil {
		return
	}
	if n.kind != '{' {
		f.fault(name, "%s is %s: write {\"car\": ...}", name, n.describe())
		return
	}
	for i := range n.members {
		m := &n.members[i]
		class, wrong := parseSiteClass(m.name)
		if wrong != "" {
			f.fault(name, "%s: class %s", name, wrong)
			continue
		}
		each(class, &m.node)
	}
}

var siteClasses = []string{"car", "motorcycle", "truck", "bus", "bicycle"}

// SiteClass tells whether places can be for a class.
func SiteClass(c city.Class) bool { return c != city.ClassNone && c != city.ClassUnknown }

// parseSiteClass accepts the classes that places are for; `unknown` is none.
func parseSiteClass(name string) (city.Class, string) {
	class, ok := city.ParseClass(name)
	if !ok || class == city.ClassUnknown {
		return city.ClassNone, checkWord(name, siteClasses)
	}
	return class, ""
}

func (n *node) number(low, high float64) (float64, string) {
	if n.kind != 'n' {
		return 0, fmt.Sprintf("is %s: write a number without quotes", n.describe())
	}
	v, err := strconv.ParseFloat(n.text, 64)
	if err != nil || math.IsNaN(v) || v < low || v > high {
		return 0, fmt.Sprintf("is %s: write a number from %g to %g", short(n.text), low, high)
	}
	return v, ""
}

func (n *node) whole(low, high int) (int, string) {
	v, wrong := n.number(float64(low), float64(high))
	if wrong == "" && v != math.Trunc(v) {
		wrong = fmt.Sprintf("is %s: write a whole number", short(n.text))
	}
	if wrong != "" {
		return 0, wrong
	}
	return int(v), ""
}
