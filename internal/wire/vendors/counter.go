package vendors

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// defaultPeriodS is how long a counter's period is taken for where devices.csv
// has no interval_s.
const defaultPeriodS = 300

// Period is how long a count of the device took, s.
func (d *Device) Period() uint32 {
	if d.PeriodS == 0 {
		return defaultPeriodS
	}
	return min(d.PeriodS, wire.MaxPeriodS)
}

// counted is the running total of a counter of vehicles that begins at 0 again
// at an end.
func counted(d *Device, out bool, total, end int64) Said {
	if d.Kind != city.KindTraffic {
		class := d.Class
		if class == city.ClassNone {
			class = city.ClassUnknown
		}
		return Said{Gate: &city.Gate{Out: out, Class: class, Total: city.SomeInt(total), End: end}}
	}
	lanes := []city.Lane{{Lane: 1, Total: city.SomeInt(total), End: end}}
	return Said{Traffic: &city.Traffic{PeriodS: d.Period(), Lanes: Pad(lanes, d.Lanes, 1, false)}}
}

// Pad adds the lanes after the first seen ones of a direction that a counter
// sees as one: their vehicles were counted on the first.
func Pad(lanes []city.Lane, all, seen int, backward bool) []city.Lane {
	for n := seen + 1; n <= min(all, wire.MaxLane); n++ {
		lanes = append(lanes, city.Lane{Lane: uint16(n), Backward: backward, HasCounts: true})
	}
	return lanes
}

// add adds vehicles of a class to a lane.
func add(l *city.Lane, v Vehicle, n uint32) {
	l.HasCounts = true
	switch v {
	case SM:
		l.SM += n
	case KR:
		l.KR += n
	case KB:
		l.KB += n
	case KTB:
		l.KTB += n
	case Unknown:
		l.Unknown += n
	}
}
