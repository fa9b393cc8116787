package native

import (
	"math"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

func (o *object) traffic() *city.Traffic {
	t := &city.Traffic{PeriodS: uint32(o.unsigned(mPeriod, math.MaxUint32))}
	if o.has.has(mPeriod) && (t.PeriodS < 1 || t.PeriodS > wire.MaxPeriodS) {
		o.impossible(mPeriod, "1 to 3600")
	}
	if !o.has.has(mLanes) {
		return t
	}
	if o.raw(mLanes)[0] != '[' {
		o.wrongType(mLanes, "an array of lanes")
		return t
	}
	var lane object
	_, _ = elements(o.b, int(o.at[mLanes].from), 0, func(value span) { // checked by scan
		if o.b[value.from] != '{' {
			o.wrongType(mLanes, "an array of lanes")
			return
		}
		_, _ = lane.scan(o.b, int(value.from), 0)
		l := lane.lane()
		o.unknown += lane.ignored(laneShape.allowed)
		for i := range t.Lanes {
			if t.Lanes[i].Lane == l.Lane && t.Lanes[i].Backward == l.Backward {
				o.refuse(city.ReasonImpossible, "lanes must hold a lane and direction once")
				return
			}
		}
		t.Lanes = append(t.Lanes, l)
	})
	if lane.fault.reason != "" {
		o.refuse(lane.fault.reason, "in lanes: "+lane.fault.detail)
	}
	if len(t.Lanes) == 0 {
		o.refuse(city.ReasonImpossible, "lanes must hold at least one lane")
	}
	return t
}

// lane reads the scanned object as one lane.
func (o *object) lane() city.Lane {
	o.check(laneShape)
	l := city.Lane{
		Lane:      uint16(o.unsigned(mLane, wire.MaxLane)),
		Speed:     o.measured(mSpeed, 0, wire.MaxSpeed),
		Occupancy: o.measured(mOccupancy, 0, wire.MaxOccupancy),
	}
	if o.has.has(mLane) && l.Lane == 0 {
		o.impossible(mLane, "1 to 65535")
	}
	switch text := o.text(mDirection); string(text) {
	case "forward":
	case "backward":
		l.Backward = true
	default:
		if text != nil {
			o.impossible(mDirection, "forward or backward")
		}
	}
	o.counts(&l)
	return l
}

// counts reads a lane's counts. A class that is left out is 0; a lane without
// any has no counts, which is not zero.
func (o *object) counts(l *city.Lane) {
	if !o.has.has(mCounts) {
		return
	}
	if o.raw(mCounts)[0] != '{' {
		o.wrongType(mCounts, "an object")
		return
	}
	var seen [5]bool
	_, _ = members(o.b, int(o.at[mCounts].from), 0, func(name, value span) { // checked by scan
		var into *uint32
		var class int
		switch string(unquote(o.b[name.from:name.to])) {
		case "SM":
			into, class = &l.SM, 0
		case "KR":
			into, class = &l.KR, 1
		case "KB":
			into, class = &l.KB, 2
		case "KTB":
			into, class = &l.KTB, 3
		case "unknown":
			into, class = &l.Unknown, 4
		default:
			o.unknown++
			return
		}
		if seen[class] {
			o.refuse(city.ReasonWrongType, "a class is there twice in counts")
		}
		seen[class] = true
		raw := o.b[value.from:value.to]
		if raw[0] == 'n' {
			return
		}
		if !number(raw) {
			o.wrongType(mCounts, "whole numbers")
			return
		}
		negative, v, exact, ok := scaled(raw, 0)
		switch {
		case ok && !exact:
			o.wrongType(mCounts, "whole numbers")
		case !ok || (negative && v > 0) || v > wire.MaxVehicles:
			o.impossible(mCounts, "0 or more, and not that large")
		default:
			*into, l.HasCounts = uint32(v), true
		}
	})
}
