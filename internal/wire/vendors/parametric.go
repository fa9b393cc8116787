package vendors

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

const (
	tcrUnfiltered = 13 // and 14 to 17 are the categories 1 to 4
	tcrSpeeds     = 15 // of the older firmware: speed classes
	tcrSettings   = 190
)

// tcr reads the radar of Parametric (PMX). Its first byte names the layout; the
// time of day that it sends is of its own clock and is not read.
func tcr(d *Device, port uint8, p []byte) (Said, error) {
	if len(p) == 0 {
		return Said{}, tooShort(p, 1)
	}
	switch {
	case p[0] == 0xa2 && port >= tcrUnfiltered && port <= tcrUnfiltered+MaxCategories:
		if len(p) < 10 {
			return Said{}, tooShort(p, 10)
		}
		return tcrCounts(d, int(port-tcrUnfiltered), p)
	case p[0] == 0xbe && port == tcrSpeeds:
		return tcrClasses(d, p)
	case p[0] == 0xbe && port == tcrSettings:
		if len(p) < 7 {
			return Said{}, tooShort(p, 7)
		}
		return Said{Health: &city.Health{Firmware: firmware(p[4:7]...)}}, nil
	case p[0] == 0xa2 || p[0] == 0xbe:
		return Said{}, unknownPort(port)
	}
	return Said{}, refuse("the first byte is %02x, not a2 or be: check the profile in devices.csv", p[0])
}

// tcrCounts reads one category, 0 for all vehicles. Each is a lane of its own,
// so that they add up, and one that is not heard makes the quality partial.
// Where devices.csv tells the categories, all vehicles would count them twice.
func tcrCounts(d *Device, category int, p []byte) (Said, error) {
	said := Said{Health: &city.Health{Battery: city.SomeMilli(int64(p[9]) * 100)}}
	vehicle, seen := Unknown, max(len(d.Categories), 1)
	switch {
	case category == 0 && len(d.Categories) > 0:
		return said, nil
	case category > len(d.Categories):
		return Said{}, &wire.RefusedError{Reason: city.ReasonNoProfile, Detail: fmt.Sprintf("it counts category %d of the radar, and categories in devices.csv does not say what that is: fill it in (SM KR KB unknown), reload, and retry this item", category)}
	case category > 0:
		vehicle = d.Categories[category-1]
	}
	t := &city.Traffic{PeriodS: d.Period()}
	for i, backward := range []bool{false, true} {
		l := city.Lane{Lane: uint16(max(category, 1)), Backward: backward}
		part := p[3+3*i:]
		add(&l, vehicle, uint32(u16(part)))
		if u16(part) > 0 {
			l.Speed = city.SomeMilli(int64(part[2]) * 1000)
		}
		t.Lanes = append(t.Lanes, l)
	}
	if category <= 1 {
		t.Lanes = Pad(Pad(t.Lanes, d.Lanes, seen, false), d.Lanes, seen, true)
	}
	said.Traffic = t
	return said, nil
}

// tcrClasses reads the older layout, four classes of speed: what vehicles they
// were is not known.
func tcrClasses(d *Device, p []byte) (Said, error) {
	const classes, size = 4, 6
	if len(p) < 3 || p[1] != 2 || p[2] != 1 && p[2] != 2 {
		return Said{}, refuse("no payload of a TCR of version 1 or 2: check the profile in devices.csv")
	}
	health, at := &city.Health{}, 8
	if p[2] == 2 {
		at = 9
	}
	if len(p) < at+classes*size {
		return Said{}, tooShort(p, at+classes*size)
	}
	if p[2] == 2 {
		health.Battery = city.SomeMilli(int64(u16(p[3:])))
	} else if p[3] <= 100 {
		health.BatteryPct = city.SomeMilli(int64(p[3]) * 1000)
	}
	t := &city.Traffic{PeriodS: d.Period()}
	for i, backward := range []bool{false, true} {
		l := city.Lane{Lane: 1, Backward: backward, HasCounts: true}
		var distance int64 // km/h times vehicles
		for c := range classes {
			part := p[at+size*c+3*i:]
			add(&l, Unknown, uint32(u16(part)))
			distance += int64(u16(part)) * int64(part[2])
		}
		if l.Unknown > 0 {
			l.Speed = city.SomeMilli(distance * 1000 / int64(l.Unknown))
		}
		t.Lanes = append(t.Lanes, l)
	}
	t.Lanes = Pad(Pad(t.Lanes, d.Lanes, 1, false), d.Lanes, 1, true)
	return Said{Traffic: t, Health: health}, nil
}
