package escpos

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// File is a file of templates as people write it. Patterns are regular
// expressions (RE2), where case does not count and ^ and $ are the ends of a
// line; those of values capture the value in their one group.
type File struct {
	Templates []Layout `yaml:"templates"` // the first that fits a print reads it
}

// Layout is one layout of a till's prints.
type Layout struct {
	Name       string              `yaml:"name"`
	Kind       string              `yaml:"kind"`        // receipt (default); other: known, and no receipt, like a shift's report
	Match      []string            `yaml:"match"`       // all of them are found in a print of this layout
	Unless     []string            `yaml:"unless"`      // and none of these
	Number     []string            `yaml:"number"`      // of values the first pattern that is found counts
	NumberCode []string            `yaml:"number_code"` // where the text has none: in what a barcode or 2D code says
	Amount     []string            `yaml:"amount"`
	Thousands  string              `yaml:"thousands"` // dot (default), comma
	Plate      []string            `yaml:"plate"`
	Entered    []string            `yaml:"entered"` // when the stay began
	Left       []string            `yaml:"left"`    // and ended
	At         []string            `yaml:"at"`      // when the receipt was printed; default: left, else when it came
	Date       []string            `yaml:"date"`    // of times without one
	Times      []string            `yaml:"times"`   // forms, like DD/MM/YYYY HH:mm:ss
	Method     string              `yaml:"method"`  // where the text names none
	Methods    map[string][]string `yaml:"methods"` // method: patterns
	Class      string              `yaml:"class"`   // where the text names none
	Classes    map[string][]string `yaml:"classes"` // class: patterns
	Void       []string            `yaml:"void"`
}

// Problem is one fault of a file of templates.
type Problem struct {
	Path    string // of the key, templates[0].amount[1]
	Message string // what is wrong, and what to do
}

// The bounds of a file of templates.
const (
	maxTemplates = 200
	maxPatterns  = 50  // a key
	maxPattern   = 500 // bytes
)

// Compile makes templates of a file, or tells all that is wrong. Times of the
// paper are the city's, in zone.
func Compile(f *File, zone *time.Location) (*Templates, []Problem) {
	c := &compiler{}
	t := &Templates{zone: zone}
	if len(f.Templates) == 0 {
		c.fault("templates", "is empty: write at least one, docs/devices.md says how")
	}
	if len(f.Templates) > maxTemplates {
		c.fault("templates", "has %d: keep %d at most", len(f.Templates), maxTemplates)
		return nil, c.problems
	}
	names := map[string]bool{}
	for i := range f.Templates {
		l, at := &f.Templates[i], fmt.Sprintf("templates[%d]", i)
		switch {
		case l.Name == "" || len(l.Name) > 64:
			c.fault(at+".name", "is missing or too long: name the template in up to 64 letters, refusals name it")
		case names[l.Name]:
			c.fault(at+".name", "is that of another template: give each its own")
		}
		names[l.Name] = true
		t.all = append(t.all, c.template(l, at))
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return t, nil
}

type compiler struct{ problems []Problem }

func (c *compiler) fault(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{path, fmt.Sprintf(format, args...)})
}

func (c *compiler) template(l *Layout, at string) template {
	t := template{
		name: l.Name, match: c.patterns(l.Match, at+".match", 0), unless: c.patterns(l.Unless, at+".unless", 0), void: c.patterns(l.Void, at+".void", 0),
		number: c.patterns(l.Number, at+".number", 1), codes: c.patterns(l.NumberCode, at+".number_code", 1), amount: c.patterns(l.Amount, at+".amount", 1),
		plate: c.patterns(l.Plate, at+".plate", 1), date: c.patterns(l.Date, at+".date", 1),
		entered: c.patterns(l.Entered, at+".entered", 1), left: c.patterns(l.Left, at+".left", 1), at: c.patterns(l.At, at+".at", 1),
	}
	if len(l.Match) == 0 {
		c.fault(at+".match", "is missing: write what every print of this layout holds, and no other")
	}
	c.words(l, at, &t)
	for i, form := range l.Times {
		layout, err := parseLayout(form)
		if err != nil {
			c.fault(fmt.Sprintf("%s.times[%d]", at, i), "%s", err)
		}
		t.times = append(t.times, layout)
	}
	switch l.Kind {
	case "", "receipt":
		c.receipt(l, at)
	case "other":
		t.other = true
		if len(l.Number)+len(l.NumberCode)+len(l.Amount)+len(l.Void) > 0 {
			c.fault(at+".kind", "is other, of which nothing is read: remove number, number_code, amount and void, or write receipt")
		}
	default:
		c.fault(at+".kind", "is %q: write receipt or other", short(l.Kind))
	}
	return t
}

// receipt checks that all that a receipt needs is there.
func (c *compiler) receipt(l *Layout, at string) {
	if len(l.Number)+len(l.NumberCode) == 0 {
		c.fault(at+".number", "is missing: without its number a void or a reprint cannot be told; write a pattern, or one of a barcode as number_code")
	}
	if len(l.Amount) == 0 {
		c.fault(at+".amount", "is missing: write a pattern like total\\s*:?\\s*(rp[ .\\d]+)")
	}
	if l.Method == "" && len(l.Methods) == 0 {
		c.fault(at+".method", "is missing, and methods too: a receipt says how it was paid")
	}
	if len(l.Entered)+len(l.Left)+len(l.At)+len(l.Date) > 0 && len(l.Times) == 0 {
		c.fault(at+".times", "is missing: write the forms of the times, like DD/MM/YYYY HH:mm")
	}
}

// words reads what is one of the words of the contract.
func (c *compiler) words(l *Layout, at string, t *template) {
	switch l.Thousands {
	case "", "dot":
	case "comma":
		t.comma = true
	default:
		c.fault(at+".thousands", "is %q: write dot or comma", short(l.Thousands))
	}
	if l.Method != "" {
		if err := t.method.UnmarshalText([]byte(l.Method)); err != nil {
			c.fault(at+".method", "is an %s", err)
		}
	}
	if l.Class != "" {
		if err := t.class.UnmarshalText([]byte(l.Class)); err != nil {
			c.fault(at+".class", "is an %s", err)
		}
	}
	t.methods, t.classes = map[city.Method]patterns{}, map[city.Class]patterns{}
	for _, word := range slices.Sorted(maps.Keys(l.Methods)) {
		m, ok := city.ParseMethod(word)
		if !ok {
			c.fault(at+".methods", "names %q: use cash, qris, emoney, card, subscription or free", short(word))
		}
		t.methods[m] = c.patterns(l.Methods[word], at+".methods."+word, 0)
	}
	for _, word := range slices.Sorted(maps.Keys(l.Classes)) {
		k, ok := city.ParseClass(word)
		if !ok {
			c.fault(at+".classes", "names %q: use car, motorcycle, truck, bus, bicycle or unknown", short(word))
		}
		t.classes[k] = c.patterns(l.Classes[word], at+".classes."+word, 0)
	}
}

// patterns compiles the patterns of a key, which capture in as many groups.
func (c *compiler) patterns(list []string, path string, groups int) patterns {
	var out patterns
	if len(list) > maxPatterns {
		c.fault(path, "has %d patterns: keep %d at most", len(list), maxPatterns)
		return nil
	}
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if strings.TrimSpace(text) == "" || len(text) > maxPattern {
			c.fault(at, "is empty or over %d bytes: write a pattern", maxPattern)
			continue
		}
		re, err := regexp.Compile("(?im)" + text)
		switch {
		case err != nil:
			c.fault(at, "is no regular expression (%v): mend it", err)
		case groups > 0 && re.NumSubexp() != groups:
			c.fault(at, "has %d groups: put one pair of brackets around the value, others are (?:...)", re.NumSubexp())
		case re.MatchString(""):
			c.fault(at, "is found in nothing: write what must be there")
		default:
			out = append(out, re)
		}
	}
	return out
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
