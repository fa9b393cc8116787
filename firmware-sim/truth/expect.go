package truth

import (
	"fmt"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// Place is one class at one site.
type Place struct {
	Site  string
	Class city.Class
}

// Occupied is how many vehicles the sensors of a place must tell, and how many
// of its sensors are silent for over three intervals, or never spoke.
type Occupied struct {
	Vehicles int
	Sensors  int
	Expired  int
}

// Bucket is five minutes of a segment; From is their begin, Unix ms.
type Bucket struct {
	Segment string
	From    int64
}

// Counts are vehicles by class.
type Counts struct{ SM, KR, KB, KTB, Unknown uint64 }

// Till is one day of one meter and method of payment; the day is the reading's
// At in the city's zone.
type Till struct {
	Device string
	Site   string
	Day    string // YYYY-MM-DD
	Method city.Method
}

// Money is counted receipts less voids, and their sum.
type Money struct {
	Receipts int64
	Amount   city.Rupiah
}

// Tally is what became of a device's messages.
type Tally struct{ Delivered, Duplicates, Refused, Resent int }

// Expected folds a truth file into what a gateway must answer. It is written
// from the contract alone and shares no code with the gateway's followers.
type Expected struct {
	Devices  map[string]*Tally
	Reasons  map[city.Reason]int
	Unacked  int
	Readings map[string][]city.Reading // of each device as delivered

	v *inventory.Version
}

// NewExpected returns an empty fold under a version of the inventory.
func NewExpected(v *inventory.Version) *Expected {
	return &Expected{
		Devices: map[string]*Tally{}, Reasons: map[city.Reason]int{}, Readings: map[string][]city.Reading{}, v: v,
	}
}

// Line takes the next line.
func (e *Expected) Line(l Line) error {
	switch l.What {
	case Delivered:
		d := native.Decode(l.Device, l.Reading)
		if len(d.Readings) != 1 {
			return fmt.Errorf("truth file: %s %d was delivered and is no reading: %s", l.Device, l.At, l.Reading)
		}
		e.Readings[l.Device] = append(e.Readings[l.Device], d.Readings[0])
		e.device(l.Device).Delivered++
	case Duplicate:
		e.device(l.Device).Duplicates++
	case Refused:
		e.device(l.Device).Refused++
		e.Reasons[l.Reason]++
	case Resent:
		e.device(l.Device).Resent++
	case Unacked:
		e.Unacked++
	}
	return nil
}

func (e *Expected) device(id string) *Tally {
	if e.Devices[id] == nil {
		e.Devices[id] = &Tally{}
	}
	return e.Devices[id]
}

// byTime returns the readings of a device in the order of its clock.
func (e *Expected) byTime(device string) []city.Reading {
	list := slices.Clone(e.Readings[device])
	slices.SortStableFunc(list, func(a, b city.Reading) int { return int(a.At - b.At) })
	return list
}

// Occupied returns every place at a moment, Unix ms. Classes that share their
// space have the same vehicles.
func (e *Expected) Occupied(now int64) map[Place]Occupied {
	out := map[Place]Occupied{}
	for _, s := range e.v.Sites {
		for _, class := range s.Classes {
			space := []city.Class{class}
			if slices.Contains(s.Shared, class) {
				space = s.Shared
			}
			if s.Detection == inventory.DetectGates {
				out[Place{s.ID, class}] = Occupied{Vehicles: e.gates(s, space, now)}
				continue
			}
			var o Occupied
			for _, d := range e.v.SiteDevices(s.ID) {
				e.sensor(d, space, now, &o)
			}
			out[Place{s.ID, class}] = o
		}
	}
	return out
}

// sensor adds what a spot or counting device last said of the classes that use
// one space; a counting device of several classes is several sensors.
func (e *Expected) sensor(d *inventory.Device, space []city.Class, now int64, o *Occupied) {
	switch {
	case d.Kind == inventory.DeviceSpot && slices.Contains(space, d.Class):
		e.latest(d, city.ClassNone, now, o)
	case d.Kind == inventory.DeviceCount:
		for _, class := range space {
			if d.Class == class || d.Class == city.ClassNone {
				e.latest(d, class, now, o)
			}
		}
	}
}

// latest adds a device's latest reading, of a count that of the class.
func (e *Expected) latest(d *inventory.Device, class city.Class, now int64, o *Occupied) {
	o.Sensors++
	var last *city.Reading
	for i := range e.Readings[d.ID] {
		r := &e.Readings[d.ID][i]
		if (r.Spot != nil || (r.Count != nil && r.Count.Class == class)) && (last == nil || r.At >= last.At) {
			last = r
		}
	}
	switch {
	case last == nil || (d.IntervalS > 0 && now-last.At > 3000*int64(d.IntervalS)):
		o.Expired++
	case last.Count != nil:
		o.Vehicles += int(last.Count.Occupied)
	case last.Spot.Occupied:
		o.Vehicles++
	}
}

// gates counts in minus out in event time, from 0 at each reset, never below 0.
func (e *Expected) gates(s *inventory.Site, space []city.Class, now int64) int {
	var passes []city.Reading
	for _, d := range e.v.SiteDevices(s.ID) {
		for _, r := range e.Readings[d.ID] {
			if r.Gate != nil && slices.Contains(space, r.Gate.Class) {
				passes = append(passes, r)
			}
		}
	}
	slices.SortStableFunc(passes, func(a, b city.Reading) int { return int(a.At - b.At) })
	n := 0
	var before int64
	for _, r := range passes {
		if before > 0 && e.resets(s, before, r.At) {
			n = 0
		}
		before = r.At
		if r.Gate.Out {
			n = max(0, n-int(r.Gate.Count))
		} else {
			n += int(r.Gate.Count)
		}
	}
	if before > 0 && e.resets(s, before, now) {
		return 0
	}
	return n
}

// resets tells whether a site's reset lies after from and not after to.
func (e *Expected) resets(s *inventory.Site, from, to int64) bool {
	clock, err := time.Parse("15:04", s.ResetAt)
	if err != nil {
		return false
	}
	t := time.UnixMilli(to).In(e.v.Zone)
	reset := time.Date(t.Year(), t.Month(), t.Day(), clock.Hour(), clock.Minute(), 0, 0, e.v.Zone)
	if reset.After(t) {
		reset = reset.AddDate(0, 0, -1)
	}
	return reset.UnixMilli() > from
}

// Flows returns the vehicles of each five minutes; a period counts where it
// ends, its end belonging to it.
func (e *Expected) Flows() map[Bucket]Counts {
	const five = 5 * 60 * 1000
	out := map[Bucket]Counts{}
	for id, list := range e.Readings {
		d := e.v.Device(id)
		if d == nil || d.Kind != inventory.DeviceTraffic {
			continue
		}
		for i := range list {
			if list[i].Traffic == nil {
				continue
			}
			for _, l := range list[i].Traffic.Lanes {
				b := Bucket{d.Segment, (list[i].At - 1) / five * five}
				if l.Backward {
					b.Segment = e.v.Segment(d.Segment).Opposite
				}
				c := out[b]
				c.SM, c.KR, c.KB = c.SM+uint64(l.SM), c.KR+uint64(l.KR), c.KB+uint64(l.KB)
				c.KTB, c.Unknown = c.KTB+uint64(l.KTB), c.Unknown+uint64(l.Unknown)
				out[b] = c
			}
		}
	}
	return out
}

// Receipts returns the books: each receipt once, a reprint not at all, a void
// on its own day, the void of a number that never came not at all.
func (e *Expected) Receipts() map[Till]Money {
	out := map[Till]Money{}
	for id := range e.Readings {
		d := e.v.Device(id)
		if d == nil || d.Kind != inventory.DeviceMeter {
			continue
		}
		known := map[string]city.Rupiah{}
		for _, reading := range e.byTime(id) {
			r := reading.Receipt
			if r == nil {
				continue
			}
			amount, again := known[r.Number]
			again = again && amount == r.Amount
			if again != r.Void { // a reprint, or the void of an unknown one
				continue
			}
			known[r.Number] = r.Amount
			till := Till{id, d.Site, time.UnixMilli(reading.At).In(e.v.Zone).Format(time.DateOnly), r.Method}
			m := out[till]
			if r.Void {
				m.Receipts, m.Amount = m.Receipts-1, m.Amount-r.Amount
			} else {
				m.Receipts, m.Amount = m.Receipts+1, m.Amount+r.Amount
			}
			out[till] = m
		}
	}
	return out
}
