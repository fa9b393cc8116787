package tariff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/simpang-id/simpang/internal/city"
)

const (
	maxAmount  = 100_000_000 // rupiah, of one interval
	dayMinutes = 24 * 60
)

var tariffID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// ParseYAML reads tariffs.yaml strictly. With any fault the Book is empty;
// every fault is told at once, in the order of the lines.
func ParseYAML(data []byte) (Book, []Fault) {
	r := &reader{}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return Book{}, []Fault{{1, `the file is empty: begin it with "tariffs:"`}}
	case err != nil:
		return Book{}, []Fault{syntaxFault(err)}
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		r.fault(&second, "a second YAML document: keep one")
	} else if !errors.Is(err, io.EOF) {
		r.faults = append(r.faults, syntaxFault(err))
	}
	var tariffs []*Tariff
	if len(doc.Content) != 1 {
		r.fault(&doc, `the file must be a mapping with the key "tariffs"`)
	} else if top, ok := r.mapping(doc.Content[0], "the file", "tariffs"); ok {
		tariffs = r.tariffs(top.get("tariffs", true))
	}
	if len(r.faults) > 0 {
		sort.SliceStable(r.faults, func(i, j int) bool { return r.faults[i].Line < r.faults[j].Line })
		return Book{}, r.faults
	}
	return newBook(tariffs), nil
}

func (r *reader) tariffs(n *yaml.Node) []*Tariff {
	if n == nil {
		return nil
	}
	var out []*Tariff
	seen := map[string]bool{}
	for _, item := range r.list(n, "tariffs") {
		f, ok := r.mapping(item, "the tariff", "id", "name", "versions")
		if !ok {
			continue
		}
		t := &Tariff{ID: f.text("id"), Name: f.text("name")}
		if t.ID != "" {
			f.what = fmt.Sprintf("tariff %q", t.ID)
			if !tariffID.MatchString(t.ID) {
				r.fault(f.byID["id"], "%s: an id has small letters, digits, - and _, 64 at most", f.what)
			}
			if seen[t.ID] {
				r.fault(f.byID["id"], "%s is there twice: put its versions together", f.what)
			}
			seen[t.ID] = true
		}
		if v := f.get("versions", true); v != nil {
			items := r.list(v, "versions of "+f.what)
			if len(items) == 0 {
				r.fault(v, "%s has no version: add one", f.what)
			}
			r.versions(t, items)
		}
		out = append(out, t)
	}
	return out
}

func (r *reader) versions(t *Tariff, items []*yaml.Node) {
	lines := map[*Version]*yaml.Node{}
	for _, item := range items {
		what := fmt.Sprintf("a version of tariff %q", t.ID)
		f, ok := r.mapping(item, what, "from", "until", "legal_basis", "sample", "classes")
		if !ok {
			continue
		}
		v := &Version{
			From: f.date("from", true), Until: f.date("until", false), LegalBasis: f.text("legal_basis"),
			Sample: f.boolean("sample"), Classes: map[city.Class]*Rates{},
		}
		v.ID = t.ID + "@" + v.From
		if v.Until != "" && v.Until < v.From {
			r.fault(f.byID["until"], "until %s lies before from %s", v.Until, v.From)
		}
		if classes := f.get("classes", true); classes != nil {
			r.classes(v, classes)
		}
		lines[v] = item
		t.Versions = append(t.Versions, v)
	}
	sort.SliceStable(t.Versions, func(i, j int) bool { return t.Versions[i].From < t.Versions[j].From })
	for i := 1; i < len(t.Versions); i++ {
		if a, b := t.Versions[i-1], t.Versions[i]; a.From != "" && (a.Until == "" || a.Until >= b.From) {
			r.fault(lines[b], "tariff %q: the version from %s begins before the one from %s ends: give that one an earlier `until`", t.ID, b.From, a.From)
		}
	}
}

func (r *reader) classes(v *Version, n *yaml.Node) {
	known := make([]string, 0, len(city.Classes))
	for _, c := range city.Classes {
		known = append(known, c.String())
	}
	f, ok := r.mapping(n, "classes", known...)
	if !ok {
		return
	}
	if len(resolve(n).Content) == 0 {
		r.fault(n, "classes is empty: price at least one")
	}
	for _, class := range city.Classes {
		if c := f.byID[class.String()]; c != nil {
			v.Classes[class] = r.rates(c, class.String())
		}
	}
}

func (r *reader) rates(n *yaml.Node, what string) *Rates {
	out := &Rates{}
	f, ok := r.mapping(n, what, "flat", "first", "next", "free_minutes", "daily_max", "each_day", "lost_ticket", "rules")
	if !ok {
		return out
	}
	out.Charge = r.charge(f)
	out.FreeMinutes = int(f.number("free_minutes", false, 0, dayMinutes))
	out.EachDay = f.boolean("each_day")
	if f.has("daily_max") {
		out.DailyMax = city.Rupiah(f.number("daily_max", false, 1, maxAmount))
		if out.FirstAmount() > out.DailyMax {
			r.fault(f.byID["daily_max"], "daily_max of %s is under what the first interval costs", what)
		}
	}
	out.LostTicket = f.money("lost_ticket", false)
	if rules := f.get("rules", false); rules != nil {
		for _, item := range r.list(rules, "rules of "+what) {
			out.Rules = append(out.Rules, r.rule(item))
		}
	}
	return out
}

// charge reads flat, or first and next; where one of these is missing it is
// the same as the other.
func (r *reader) charge(f fields) Charge {
	if f.has("flat") {
		for _, key := range []string{"first", "next"} {
			if f.has(key) {
				r.fault(f.byID[key], "%s of %s: flat excludes it, keep one of them", key, f.what)
			}
		}
		return Charge{Flat: true, FlatAmount: f.money("flat", true)}
	}
	if !f.has("first") && !f.has("next") {
		r.fault(f.node, `%s has no price: add "flat", or "first" and "next" with minutes and amount`, f.what)
		return Charge{}
	}
	first, next := f.byID["first"], f.byID["next"]
	if first == nil {
		first = next
	}
	if next == nil {
		next = first
	}
	c := Charge{First: r.interval(first, "first of "+f.what)}
	if next == first {
		c.Next = c.First
		return c
	}
	c.Next = r.interval(next, "next of "+f.what)
	return c
}

func (r *reader) interval(n *yaml.Node, what string) Interval {
	f, ok := r.mapping(n, what, "minutes", "amount")
	if !ok {
		return Interval{Minutes: 1}
	}
	return Interval{Minutes: int(f.number("minutes", true, 1, dayMinutes)), Amount: f.money("amount", true)}
}

var dayWords = map[string][]int{
	"sun": {0}, "mon": {1}, "tue": {2}, "wed": {3}, "thu": {4}, "fri": {5}, "sat": {6},
	"weekday": {1, 2, 3, 4, 5}, "weekend": {0, 6},
}

func (r *reader) rule(n *yaml.Node) Rule {
	var out Rule
	f, ok := r.mapping(n, "the rule", "name", "on", "from", "until", "flat", "first", "next")
	if !ok {
		return out
	}
	out.Name = f.text("name")
	f.what = fmt.Sprintf("rule %q", out.Name)
	out.Charge = r.charge(f)
	if on := f.get("on", false); on != nil {
		items := r.list(on, "on of "+f.what)
		if len(items) == 0 {
			r.fault(on, "on of %s is empty: name days, or leave it out for every day", f.what)
		}
		for _, item := range items {
			word := strings.ToLower(resolve(item).Value)
			if word == "holiday" {
				out.Holiday = true
				continue
			}
			days, ok := dayWords[word]
			if !ok {
				r.fault(item, "day %q of %s: use mon, tue, wed, thu, fri, sat, sun, weekday, weekend or holiday", word, f.what)
			}
			for _, d := range days {
				out.Days[d] = true
			}
		}
	}
	out.From, out.Until = r.clock(f, "from"), r.clock(f, "until")
	if f.has("from") != f.has("until") {
		r.fault(f.node, "%s has only one of from and until: give both, or none for the whole day", f.what)
	}
	return out
}

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)

// clock reads HH:MM as the minute of the day; 24:00 is 00:00.
func (r *reader) clock(f fields, key string) int {
	n := f.get(key, false)
	if n == nil {
		return 0
	}
	s := resolve(n)
	m := clockTime.FindStringSubmatch(s.Value)
	if s.Kind != yaml.ScalarNode || m == nil || s.Value > "24:00" {
		r.fault(n, `%s of %s must be a time like "18:00", in quotes`, key, f.what)
		return 0
	}
	return (int(s.Value[0]-'0')*600 + int(s.Value[1]-'0')*60 + int(s.Value[3]-'0')*10 + int(s.Value[4]-'0')) % dayMinutes
}
