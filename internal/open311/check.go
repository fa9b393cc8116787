package open311

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Check compares a filing's attributes with the definition of its service:
// required ones are there, values fit their datatype, and none is unknown.
func (d *Definition) Check(given []Answer, zone *time.Location) []Fault {
	var faults []Fault
	fault := func(format string, args ...any) {
		faults = append(faults, Fault{Code: "400", Description: fmt.Sprintf(format, args...)})
	}
	known := map[string]*Attribute{}
	for i := range d.Attributes {
		a := &d.Attributes[i]
		known[a.Code] = a
		if a.Variable && a.Required && !slices.ContainsFunc(given, func(g Answer) bool { return g.Code == a.Code && len(g.Values) > 0 }) {
			fault("attribute[%s] was not provided: %s", a.Code, a.Description)
		}
	}
	for _, g := range given {
		a := known[g.Code]
		if a == nil || !a.Variable {
			fault("attribute[%s] is none of service %s: its definition lists them", Cut(g.Code, 60), d.Code)
			continue
		}
		if len(g.Values) > 1 && a.Datatype != TypeMany {
			fault("attribute[%s] takes one value", a.Code)
		}
		for _, value := range g.Values {
			if wrong := a.wrong(value, zone); wrong != "" {
				fault("attribute[%s] %s", a.Code, wrong)
			}
		}
	}
	return faults
}

// wrong says what is wrong with a value, "" where nothing is.
func (a *Attribute) wrong(value string, zone *time.Location) string {
	switch a.Datatype {
	case TypeNumber:
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "must be a number"
		}
	case TypeDatetime:
		if _, ok := ParseTime(value, zone); !ok {
			return "must be a time with zone like 2026-03-02T08:15:00+07:00"
		}
	case TypeString:
		if len(value) > maxMember {
			return fmt.Sprintf("is over %d bytes", maxMember)
		}
	case TypeOne, TypeMany:
		if !slices.ContainsFunc(a.Values, func(v Value) bool { return v.Key == value }) {
			keys := make([]string, len(a.Values))
			for i, v := range a.Values {
				keys[i] = v.Key
			}
			return fmt.Sprintf("must be one of %v", keys)
		}
	}
	return ""
}
