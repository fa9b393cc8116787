package codec

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// memberKind is what a member of a reading may be.
type memberKind struct {
	kinds       []reflect.Kind
	words       []string // that may stand there without quotes, and are all it may say
	least, most float64  // of a number, in its unit
	whole       bool
}

var (
	aNumber  = []reflect.Kind{reflect.Float64}
	boolean  = memberKind{kinds: []reflect.Kind{reflect.Bool}}
	vehicles = wholes(0, wire.MaxVehicles)
	total64  = wholes(0, wire.MaxTotalCount)
	texts    = memberKind{kinds: []reflect.Kind{reflect.String, reflect.Slice}}
	aText    = memberKind{kinds: []reflect.Kind{reflect.String, reflect.Float64}}
	aTime    = memberKind{kinds: []reflect.Kind{reflect.String, reflect.Float64}, most: 1 << 53}
	ways     = memberKind{kinds: []reflect.Kind{reflect.String}, words: []string{"in", "out"}}
	classes  = memberKind{kinds: []reflect.Kind{reflect.String}, words: []string{"car", "motorcycle", "truck", "bus", "bicycle", "unknown"}}
)

func wholes(least, most float64) memberKind {
	return memberKind{kinds: aNumber, least: least, most: most, whole: true}
}

// measured is a measured number; its bounds are in thousandths.
func measured(least, most float64) memberKind {
	return memberKind{kinds: aNumber, least: least / 1000, most: most / 1000}
}

var memberKinds = map[string]memberKind{
	"at": aTime, "dwell_s": wholes(0, wire.MaxDwellS), "temperature_c": measured(wire.MinTemperature, wire.MaxTemperature),
	"battery_v": measured(0, wire.MaxBattery), "battery_pct": measured(0, 100_000), "uptime_s": wholes(0, wire.MaxUptimeS),
	"firmware": aText, "errors": texts, "direction": ways, "class": classes, "count": vehicles, "total": total64, "total_end": total64, "period_s": wholes(1, wire.MaxPeriodS),
}

func memberOf(kind city.Kind, name string) memberKind {
	switch {
	case name == "occupied" && kind == city.KindCount:
		return vehicles
	case name == "occupied":
		return boolean
	}
	return memberKinds[name]
}

// value is a member's expression, or a word.
type value struct {
	memberKind
	*expression
	path string
	word string
}

func refused(reason city.Reason, format string, args ...any) error {
	return &wire.RefusedError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// get computes the member; nil is one that is not known. A value of a wrong type
// or out of its range is refused by name. A nil *value is not known.
func (v *value) get(e *env) (any, error) {
	switch {
	case v == nil:
		return nil, nil //nolint:nilnil // not known
	case v.word != "":
		return v.word, nil
	}
	got, err := v.run(e)
	if err != nil {
		return nil, refused(city.ReasonWrongType, "%v", err)
	}
	if got == nil {
		return nil, nil //nolint:nilnil // not known
	}
	if !slices.Contains(v.kinds, reflect.TypeOf(got).Kind()) {
		return nil, refused(city.ReasonWrongType, "%s is %s, and it must be %s", v.path, typeOf(got), wordsOf(v.kinds))
	}
	switch got := got.(type) {
	case float64:
		if !slices.Equal(v.kinds, aText.kinds) || v.most > 0 {
			return got, v.inRange(got)
		}
	case string:
		if v.words != nil && !slices.Contains(v.words, got) {
			return nil, refused(city.ReasonWrongType, "%s is none of %s", v.path, strings.Join(v.words, ", "))
		}
	}
	return got, nil
}

func (v *value) inRange(f float64) error {
	switch {
	case v.whole && f != math.Trunc(f):
		return refused(city.ReasonWrongType, "%s is no whole number", v.path)
	case !finite(f) || f < v.least || f > v.most:
		return refused(city.ReasonImpossible, "%s is %s, and it can be %s to %s", v.path, number64(f), number64(v.least), number64(v.most))
	}
	return nil
}

// bool, integer, milli, string and the others are get with a type. ok is false
// where the member is not known.
func (v *value) bool(e *env) (b, ok bool, err error) {
	got, err := v.get(e)
	b, ok = got.(bool)
	return b, ok, err
}

func (v *value) integer(e *env) (city.Int, error) {
	got, err := v.get(e)
	if f, ok := got.(float64); ok && err == nil {
		return city.SomeInt(int64(f)), nil
	}
	return city.Int{}, err
}

func (v *value) milli(e *env) (city.Milli, error) {
	got, err := v.get(e)
	if f, ok := got.(float64); ok && err == nil {
		return city.MilliOf(f), nil
	}
	return city.Milli{}, err
}

func (v *value) string(e *env) (string, error) {
	got, err := v.get(e)
	switch got := got.(type) {
	case string:
		if len(got) > wire.MaxWordBytes {
			return "", refused(city.ReasonImpossible, "%s is longer than %d bytes", v.path, wire.MaxWordBytes)
		}
		return got, err
	case float64:
		return number64(got), err
	}
	return "", err
}

// time is Unix ms, or a text of RFC 3339.
func (v *value) time(e *env) (city.Int, error) {
	got, err := v.get(e)
	switch got := got.(type) {
	case float64:
		return city.SomeInt(int64(got)), err
	case string:
		t, wrong := time.Parse(time.RFC3339Nano, got)
		if wrong != nil || t.UnixMilli() < 0 {
			return city.Int{}, refused(city.ReasonWrongType, "%s is no time of RFC 3339: of seconds write at: data.time * 1000", v.path)
		}
		return city.SomeInt(t.UnixMilli()), err
	}
	return city.Int{}, err
}

// list is a text, or a list of texts in which nil and "" say nothing.
func (v *value) list(e *env) (list []string, err error) {
	got, err := v.get(e)
	if err != nil {
		return nil, err
	}
	items, ok := got.([]any)
	if !ok {
		items = []any{got}
	}
	for _, item := range items {
		if item == nil || item == "" {
			continue
		}
		s, ok := item.(string)
		if !ok {
			return nil, refused(city.ReasonWrongType, "%s has %s among its texts", v.path, typeOf(item))
		}
		if len(s) > wire.MaxWordBytes || len(list) == wire.MaxErrors {
			return nil, refused(city.ReasonImpossible, "%s has more than %d texts of %d bytes", v.path, wire.MaxErrors, wire.MaxWordBytes)
		}
		list = append(list, s)
	}
	return list, nil
}
