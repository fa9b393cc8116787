package codec

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// Mapping makes the city's words of what a codec said. It is pure, and may be
// used by several goroutines.
type Mapping struct{ readings []reading }

type reading struct {
	kind    city.Kind
	path    string
	when    *value
	members map[string]*value
	lanes   []lane
	whole   bool
}

type lane struct {
	lane             uint16
	backward         bool
	classes          [5]*value // SM, KR, KB, KTB, unknown
	total            *value
	speed, occupancy *value
}

// Apply returns all readings that fit: the first state, those beside it, and
// health. Errors are *wire.RefusedError: wrong_type and impossible_value name
// the member, bad_payload says that no reading fits.
func (m *Mapping) Apply(d *vendors.Device, c *Call, data map[string]any, warnings []string) (vendors.Said, error) {
	e := &env{Data: data, Port: float64(c.Port), Bytes: make([]any, len(c.Payload)), Warnings: make([]any, len(warnings))}
	for i, b := range c.Payload {
		e.Bytes[i] = float64(b)
	}
	for i, w := range warnings {
		e.Warnings[i] = w
	}
	var said vendors.Said
	states, totals := 0, 0
	for i := range m.readings {
		r := &m.readings[i]
		fits, known, err := r.when.bool(e)
		switch {
		case err != nil:
			return vendors.Said{}, err
		case r.when != nil && !known:
			return vendors.Said{}, refused(city.ReasonWrongType, "%s is nil, and it must be true or false", r.when.path)
		case r.when != nil && !fits:
			continue
		}
		if r.kind == city.KindHealth {
			if err := r.health(e, &said); err != nil {
				return vendors.Said{}, err
			}
			continue
		}
		state, err := r.state(e, d)
		if err != nil {
			return vendors.Said{}, err
		}
		if hasTotal(&state) {
			totals++
		}
		if states++; states == 1 {
			said.Spot, said.Gate, said.Count, said.Traffic, said.At = state.Spot, state.Gate, state.Count, state.Traffic, state.At
		} else {
			said.More = append(said.More, state)
		}
	}
	switch {
	case states == 0 && said.Health == nil:
		return vendors.Said{}, refused(city.ReasonBadPayload, "no reading of its mapping fits what the codec said on port %d: add one to its readings; one of kind health without members takes what only shows that the device lives", c.Port)
	case totals > 1:
		return vendors.Said{}, refused(city.ReasonWrongType, "two of its readings tell a total at once, and a device has one: let when choose")
	}
	return said, nil
}

func hasTotal(s *vendors.Said) bool {
	if s.Traffic != nil {
		for i := range s.Traffic.Lanes {
			if s.Traffic.Lanes[i].Total.OK {
				return true
			}
		}
	}
	return s.Gate != nil && s.Gate.Total.OK
}

// health adds what a reading of kind health says: what an earlier one said
// stays.
func (r *reading) health(e *env, said *vendors.Said) error {
	h := said.Health
	if h == nil {
		h = &city.Health{}
	}
	battery, err1 := r.members["battery_v"].milli(e)
	percent, err2 := r.members["battery_pct"].milli(e)
	uptime, err3 := r.members["uptime_s"].integer(e)
	firmware, err4 := r.members["firmware"].string(e)
	list, err5 := r.members["errors"].list(e)
	if err := first(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	if !h.Battery.OK {
		h.Battery = battery
	}
	if !h.BatteryPct.OK {
		h.BatteryPct = percent
	}
	if !h.UptimeS.OK {
		h.UptimeS = uptime
	}
	if h.Firmware == "" {
		h.Firmware = firmware
	}
	if len(h.Errors)+len(list) > wire.MaxErrors {
		return refused(city.ReasonImpossible, "%s has too many errors: %d at most", r.path, wire.MaxErrors)
	}
	h.Errors = append(h.Errors, list...)
	said.Health = h
	return nil
}

func (r *reading) state(e *env, d *vendors.Device) (s vendors.Said, err error) {
	if s.At, err = r.members["at"].time(e); err != nil {
		return s, err
	}
	switch r.kind {
	case city.KindSpot:
		s.Spot, err = r.spot(e)
	case city.KindGate:
		s.Gate, err = r.gate(e, d)
	case city.KindCount:
		s.Count, err = r.count(e, d)
	case city.KindTraffic:
		s.Traffic, err = r.traffic(e, d)
	default:
		err = fmt.Errorf("codec: no kind %s", r.kind)
	}
	return s, err
}

func (r *reading) missing(name string) error {
	return refused(city.ReasonMissingMember, "%s.%s is nil, and a reading of kind %s must have it: let when choose the payloads that do", r.path, name, r.kind)
}

func (r *reading) spot(e *env) (*city.Spot, error) {
	occupied, known, err := r.members["occupied"].bool(e)
	dwell, err1 := r.members["dwell_s"].integer(e)
	battery, err2 := r.members["battery_v"].milli(e)
	temperature, err3 := r.members["temperature_c"].milli(e)
	if err := first(err, err1, err2, err3); err != nil {
		return nil, err
	}
	if !known {
		return nil, r.missing("occupied")
	}
	return &city.Spot{Occupied: occupied, DwellS: dwell, Battery: battery, Temperature: temperature}, nil
}

func (r *reading) gate(e *env, d *vendors.Device) (*city.Gate, error) {
	way, err := r.members["direction"].string(e)
	class, err1 := r.class(e, d)
	count, err2 := r.members["count"].integer(e)
	total, err3 := r.members["total"].integer(e)
	end, err4 := r.members["total_end"].integer(e)
	if err := first(err, err1, err2, err3, err4); err != nil {
		return nil, err
	}
	switch {
	case way == "":
		return nil, r.missing("direction")
	case r.members["count"] != nil && !count.OK:
		return nil, r.missing("count")
	case r.members["total"] != nil && !total.OK:
		return nil, r.missing("total")
	case r.members["count"] == nil && r.members["total"] == nil:
		count = city.SomeInt(1)
	}
	return &city.Gate{Out: way == "out", Class: class, Count: uint32(count.V), Total: total, End: end.V}, nil
}

func (r *reading) count(e *env, d *vendors.Device) (*city.Count, error) {
	occupied, err := r.members["occupied"].integer(e)
	class, err1 := r.class(e, d)
	if err := first(err, err1); err != nil {
		return nil, err
	}
	if !occupied.OK {
		return nil, r.missing("occupied")
	}
	return &city.Count{Class: class, Occupied: uint32(occupied.V)}, nil
}

// class is the class that the codec tells, else that of devices.csv.
func (r *reading) class(e *env, d *vendors.Device) (city.Class, error) {
	word, err := r.members["class"].string(e)
	if err != nil {
		return city.ClassNone, err
	}
	if class, ok := city.ParseClass(word); ok {
		return class, nil
	}
	if d.Class != city.ClassNone {
		return d.Class, nil
	}
	return city.ClassUnknown, nil
}

func (r *reading) traffic(e *env, d *vendors.Device) (*city.Traffic, error) {
	period, err := r.members["period_s"].integer(e)
	if err != nil {
		return nil, err
	}
	t := &city.Traffic{PeriodS: d.Period()}
	if period.OK {
		t.PeriodS = uint32(period.V)
	}
	seen := map[bool]int{}
	for i := range r.lanes {
		l, err := r.lanes[i].read(e)
		if err != nil {
			return nil, err
		}
		seen[l.Backward] = max(seen[l.Backward], int(l.Lane))
		t.Lanes = append(t.Lanes, l)
	}
	for _, backward := range []bool{false, true} {
		if r.whole && seen[backward] > 0 {
			t.Lanes = vendors.Pad(t.Lanes, d.Lanes, seen[backward], backward)
		}
	}
	return t, nil
}

func (l *lane) read(e *env) (out city.Lane, err error) {
	out = city.Lane{Lane: l.lane, Backward: l.backward}
	var sum int64
	known := true // of all classes that are counted: one that is not known would make the others too few
	for i, into := range []*uint32{&out.SM, &out.KR, &out.KB, &out.KTB, &out.Unknown} {
		n, err := l.classes[i].integer(e)
		if err != nil {
			return out, err
		}
		*into = uint32(n.V)
		sum += n.V
		known = known && (n.OK || l.classes[i] == nil)
		out.HasCounts = out.HasCounts || n.OK
	}
	if !known {
		out.HasCounts, out.SM, out.KR, out.KB, out.KTB, out.Unknown = false, 0, 0, 0, 0, 0
	}
	if sum > wire.MaxVehicles {
		return out, refused(city.ReasonImpossible, "lane %d has %d vehicles: %d at most", l.lane, sum, wire.MaxVehicles)
	}
	var errs [3]error
	out.Total, errs[0] = l.total.integer(e)
	out.Speed, errs[1] = l.speed.milli(e)
	out.Occupancy, errs[2] = l.occupancy.milli(e)
	return out, first(errs[:]...)
}

// first returns the first of the errors: one is enough to refuse a payload.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
