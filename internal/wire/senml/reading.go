package senml

import (
	"math"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

var members = map[string]bool{
	"occupied": true, "dwell_s": true, "battery_v": true, "battery_pct": true, "temperature_c": true, "rssi_dbm": true, "snr_db": true,
	"direction": true, "class": true, "count": true, "uptime_s": true, "firmware": true, "error": true, "seq": true, "boot": true,
}

var shortNames = map[string]string{
	"batt": "battery_v", "battery": "battery_v", "temp": "temperature_c", "temperature": "temperature_c", "rssi": "rssi_dbm", "snr": "snr_db", "dwell": "dwell_s",
}

// canonical returns the member's long name and its value in our unit.
func canonical(member string, v value) (string, value) {
	if long, ok := shortNames[member]; ok {
		member = long
	}
	if member != "battery_v" || v.number == nil {
		return member, v
	}
	switch v.unit {
	case "%", "%EL":
		return "battery_pct", v
	case "/":
		percent := *v.number * 100
		return "battery_pct", value{number: &percent}
	case "mV":
		volts := *v.number / 1000
		return member, value{number: &volts}
	}
	return member, v
}

// fault is the first thing that is wrong with a group.
type fault struct {
	reason city.Reason
	detail string
}

func (f *fault) set(reason city.Reason, detail string) {
	if f.reason == "" {
		*f = fault{reason, detail}
	}
}

// finish makes the reading of a group.
func (d *decoder) finish(g *group) {
	r := city.Reading{Device: g.device, At: g.at}
	var f fault
	occupied, state := g.has["occupied"]
	_, direction := g.has["direction"]
	switch {
	case state && occupied.yes != nil:
		r.Kind, r.Spot = city.KindSpot, &city.Spot{
			Occupied: *occupied.yes, DwellS: g.whole(&f, "dwell_s", wire.MaxDwellS), Battery: g.measured(&f, "battery_v", 0, wire.MaxBattery),
			Temperature: g.measured(&f, "temperature_c", wire.MinTemperature, wire.MaxTemperature),
			RSSI:        g.measured(&f, "rssi_dbm", wire.MinRSSI, wire.MaxRSSI), SNR: g.measured(&f, "snr_db", minSNR, maxSNR),
		}
	case state:
		r.Kind, r.Count = city.KindCount, &city.Count{Class: g.class(&f), Occupied: uint32(g.whole(&f, "occupied", wire.MaxVehicles).V)}
	case direction:
		r.Kind, r.Gate = city.KindGate, &city.Gate{Out: g.out(&f), Class: g.class(&f), Count: 1}
		if n := g.whole(&f, "count", wire.MaxVehicles); n.OK {
			r.Gate.Count = uint32(n.V)
		}
	default:
		r.Kind, r.Health = city.KindHealth, &city.Health{
			Battery: g.measured(&f, "battery_v", 0, wire.MaxBattery), BatteryPct: g.measured(&f, "battery_pct", 0, 100_000),
			UptimeS: g.whole(&f, "uptime_s", wire.MaxUptimeS), Firmware: g.text(&f, "firmware"),
			RSSI: g.measured(&f, "rssi_dbm", wire.MinRSSI, wire.MaxRSSI), SNR: g.measured(&f, "snr_db", minSNR, maxSNR),
		}
		if text := g.text(&f, "error"); text != "" {
			r.Health.Errors = []string{text}
		}
	}
	g.identify(&f, &r)
	if f.reason != "" {
		refusal := city.Refusal{Index: g.index, Reason: f.reason, Detail: f.detail, Raw: d.payload, At: city.SomeInt(g.at)}
		d.out.Refused = append(d.out.Refused, refusal)
		return
	}
	d.out.Readings = append(d.out.Readings, r)
}

const minSNR, maxSNR = -100_000, 100_000

// identify gives the reading its identity.
func (g *group) identify(f *fault, r *city.Reading) {
	seq := g.whole(f, "seq", 1<<53)
	boot := g.whole(f, "boot", 1<<50)
	switch {
	case seq.OK:
		r.Seq, r.Boot, r.HasBoot = uint64(seq.V), uint64(boot.V), boot.OK
	case boot.OK:
		f.set(city.ReasonMissingMember, "boot stands without seq: send both, or neither")
	case g.relative && r.Gate != nil:
		f.set(city.ReasonMissingMember, "a passage without seq and with a relative time could count twice: send seq, or an absolute time")
	case g.at < 0:
		f.set(city.ReasonImpossible, "the time is before 1970")
	default:
		r.HasBoot, r.Boot, r.Seq = true, city.BesideBoot, uint64(g.at)*8+uint64(r.Kind)
	}
}

func (g *group) number(f *fault, member string) (float64, bool) {
	v, ok := g.has[member]
	if !ok {
		return 0, false
	}
	if v.number == nil {
		f.set(city.ReasonWrongType, member+" must be a number: send it as v")
		return 0, false
	}
	return *v.number, true
}

func (g *group) whole(f *fault, member string, most int64) city.Int {
	n, ok := g.number(f, member)
	switch {
	case !ok:
		return city.Int{}
	case n < 0 || n > float64(most):
		f.set(city.ReasonImpossible, member+" is out of what is possible")
		return city.Int{}
	case n != math.Trunc(n):
		f.set(city.ReasonWrongType, member+" must be a whole number")
		return city.Int{}
	}
	return city.SomeInt(int64(n))
}

// measured returns thousandths between two bounds.
func (g *group) measured(f *fault, member string, least, most int64) city.Milli {
	n, ok := g.number(f, member)
	if !ok {
		return city.Milli{}
	}
	if n*1000 < float64(least) || n*1000 > float64(most) {
		f.set(city.ReasonImpossible, member+" is out of what is possible")
		return city.Milli{}
	}
	return city.MilliOf(n)
}

func (g *group) text(f *fault, member string) string {
	v, ok := g.has[member]
	switch {
	case !ok:
		return ""
	case v.text == nil:
		f.set(city.ReasonWrongType, member+" must be a text: send it as vs")
		return ""
	case len(*v.text) > wire.MaxWordBytes:
		f.set(city.ReasonImpossible, member+" is too long")
		return ""
	}
	return *v.text
}

func (g *group) class(f *fault) city.Class {
	if _, ok := g.has["class"]; !ok {
		f.set(city.ReasonMissingMember, "class is missing")
		return city.ClassNone
	}
	class, ok := city.ParseClass(g.text(f, "class"))
	if !ok {
		f.set(city.ReasonImpossible, "class must be car, motorcycle, truck, bus, bicycle or unknown")
	}
	return class
}

func (g *group) out(f *fault) bool {
	switch g.text(f, "direction") {
	case "in":
		return false
	case "out":
		return true
	}
	f.set(city.ReasonImpossible, "direction must be in or out")
	return false
}
