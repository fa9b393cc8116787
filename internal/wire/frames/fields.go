package frames

import (
	"math"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// fields are the fields of a sentence behind its name, and the worst fault in
// reading them.
type fields struct {
	text  []string
	fault fault
}

// ranks is the order in which faults count.
var ranks = map[city.Reason]int{
	city.ReasonUnknownKind: 1, city.ReasonMissingMember: 2, city.ReasonWrongType: 3, city.ReasonImpossible: 4,
}

func (f *fields) refuse(reason city.Reason, detail string) {
	if f.fault.reason == "" || ranks[reason] < ranks[f.fault.reason] {
		f.fault = fault{reason, detail}
	}
}

// has tells whether field i is there and not empty.
func (f *fields) has(i int) bool { return i < len(f.text) && f.text[i] != "" }

// need returns field i, which must be there; name is for the person who reads
// the refusal.
func (f *fields) need(i int, name string) (string, bool) {
	if !f.has(i) {
		f.refuse(city.ReasonMissingMember, name+" is missing")
		return "", false
	}
	return f.text[i], true
}

// integer returns the decimal text as a whole number of least..most.
func (f *fields) integer(text, name string, least, most int64) int64 {
	digits := strings.TrimPrefix(text, "-")
	if !decimal(digits) || strings.Contains(digits, ".") {
		f.refuse(city.ReasonWrongType, name+" must be a whole number")
		return 0
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < least || v > most {
		f.refuse(city.ReasonImpossible, name+" is out of range")
		return 0
	}
	return v
}

// whole returns the required field i.
func (f *fields) whole(i int, name string, least, most int64) int64 {
	text, ok := f.need(i, name)
	if !ok {
		return 0
	}
	return f.integer(text, name, least, most)
}

// some returns the optional field i.
func (f *fields) some(i int, name string, most int64) city.Int {
	if !f.has(i) {
		return city.Int{}
	}
	return city.SomeInt(f.integer(f.text[i], name, 0, most))
}

// unsigned returns field i as a part of an identity.
func (f *fields) unsigned(i int, name string) uint64 {
	digits := strings.TrimPrefix(f.text[i], "-")
	if !decimal(digits) || strings.Contains(digits, ".") {
		f.refuse(city.ReasonWrongType, name+" must be a whole number")
		return 0
	}
	v, err := strconv.ParseUint(f.text[i], 10, 64)
	if err != nil {
		f.refuse(city.ReasonImpossible, name+" is out of range")
	}
	return v
}

// measured returns the optional field i in thousandths of its unit.
func (f *fields) measured(i int, name string, most int64) city.Milli {
	if !f.has(i) {
		return city.Milli{}
	}
	if !decimal(strings.TrimPrefix(f.text[i], "-")) {
		f.refuse(city.ReasonWrongType, name+" must be a number")
		return city.Milli{}
	}
	v, err := strconv.ParseFloat(f.text[i], 64)
	if err != nil || v < 0 || v > float64(most)/1000 {
		f.refuse(city.ReasonImpossible, name+" is out of range")
		return city.Milli{}
	}
	return city.SomeMilli(int64(math.Round(v * 1000)))
}

// either returns whether field i is yes rather than no; where it may be empty
// that is no.
func (f *fields) either(i int, name, yes, no string, optional bool) bool {
	if optional && !f.has(i) {
		return false
	}
	text, ok := f.need(i, name)
	if ok && text != yes && text != no {
		reason := city.ReasonImpossible
		if yes == "1" {
			reason = city.ReasonWrongType // no boolean
		}
		f.refuse(reason, name+" must be "+no+" or "+yes)
	}
	return text == yes
}

// class returns the class in field i, ClassNone where it may be empty and is.
func (f *fields) class(i int, optional bool) city.Class {
	if optional && !f.has(i) {
		return city.ClassNone
	}
	text, ok := f.need(i, "class")
	if !ok {
		return city.ClassNone
	}
	class, ok := city.ParseClass(text)
	if !ok {
		f.refuse(city.ReasonImpossible, "class must be car, motorcycle, truck, bus, bicycle or unknown")
	}
	return class
}

// decimal tells whether text is digits, with a fraction or without.
func decimal(text string) bool {
	whole, fraction, point := strings.Cut(text, ".")
	return digits(whole) && (!point || digits(fraction))
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i]-'0' > 9 {
			return false
		}
	}
	return text != ""
}
