package world

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

// device is a device as it lives in the street: it knows nothing of us.
type device struct {
	*deviceSpec
	boot, seq uint64
	offset    int64 // its clock is so far from the true time, ms
	dead      int64 // until then it says nothing, Unix ms
	occupied  bool
	count     int64
	paper     int // number of the last receipt
	total     int64
	papers    []city.Receipt
	last      int64 // true time of its last reading, Unix ms
}

func newDevice(d dice, spec *deviceSpec) *device {
	return &device{deviceSpec: spec, boot: uint64(d.n(3)), seq: uint64(d.n(40)), paper: d.n(5)}
}

// live lets something happen to the device itself.
func (x *device) live(d dice, now int64) string {
	switch {
	case d.chance(3):
		x.reboot(d)
		return "reboot"
	case d.chance(2):
		x.offset = pick(d, 0, 0, 2*minute, -3*minute, 10*minute, -hour, -8*day, -30*hour)
		if x.sends == city.KindTraffic {
			x.offset -= x.offset % minute
		}
		return "clock"
	case d.chance(1):
		x.dead = now + d.between(10*minute, 20*hour)
		return "dead"
	case d.chance(3):
		x.seq += 1 + uint64(d.n(3)) // measured, and never sent
		return "gap"
	}
	return ""
}

func (x *device) reboot(d dice) {
	before := x.seq
	x.seq = uint64(d.n(30))
	if x.boots {
		x.boot += 1 + uint64(d.n(2))
		return
	}
	if before > 0 && d.chance(80) {
		x.seq = uint64(d.n(int(min(before, 30))))
	}
}

// measure makes the device's next reading at the true time now.
func (x *device) measure(d dice, now int64) *city.Reading {
	at := now + x.offset
	if x.sends == city.KindTraffic {
		at -= ((at % minute) + minute) % minute
	}
	r := &city.Reading{Device: x.id, Kind: x.sends, HasBoot: x.boots, Seq: x.seq, At: at}
	if x.boots {
		r.Boot = x.boot
	}
	x.seq++
	x.last = now
	if x.sends != city.KindTraffic && d.chance(6) {
		r.Kind = city.KindHealth
		r.Health = &city.Health{Battery: city.SomeMilli(d.between(2900, 3700)), UptimeS: city.SomeInt(d.between(0, 9999)), Firmware: "1.2"}
		return r
	}
	switch x.sends { //nolint:exhaustive // health is every device's
	case city.KindSpot:
		if d.chance(60) {
			x.occupied = !x.occupied
		}
		r.Spot = &city.Spot{Occupied: x.occupied}
		if d.chance(40) {
			r.Spot.Battery = city.SomeMilli(d.between(2900, 3700))
		}
	case city.KindGate:
		r.Gate = &city.Gate{Out: d.chance(45), Class: pick(d, city.Car, city.Car, city.Motorcycle), Count: uint32(1 + d.n(3))}
	case city.KindCount:
		x.count = max(0, x.count+d.between(-2, 2))
		r.Count = &city.Count{Class: city.Car, Occupied: uint32(x.count)}
	case city.KindTraffic:
		r.Traffic = x.traffic(d)
	case city.KindReceipt:
		r.Receipt = x.receipt(d, r.At)
	}
	return r
}

func (x *device) traffic(d dice) *city.Traffic {
	t := &city.Traffic{PeriodS: 60}
	for n := range 2 {
		if n == 1 && x.segment == "r-1" {
			break
		}
		l := city.Lane{Lane: 1, Backward: n == 1, HasCounts: d.chance(92)}
		if l.HasCounts {
			l.SM, l.KR, l.KB, l.KTB = uint32(d.n(30)), uint32(d.n(20)), uint32(d.n(3)), uint32(d.n(2))
			l.Unknown = uint32(d.n(2))
		}
		if d.chance(80) {
			l.Speed = city.SomeMilli(d.between(5_000, 60_000))
		}
		t.Lanes = append(t.Lanes, l)
	}
	return t
}

func (x *device) receipt(d dice, at int64) *city.Receipt {
	if n := len(x.papers); n > 0 && d.chance(30) {
		r := x.papers[d.n(n)]
		switch {
		case d.chance(55): // a void of it
			r.Void = true
			x.total -= int64(r.Amount)
		case d.chance(60): // printed again
		default: // the number again, of another amount
			r.Amount += 1000
		}
		if d.chance(8) {
			r.Number, r.Void = "lost-"+r.Number, true // the void of what nobody knows
		}
		return &r
	}
	x.paper++
	r := city.Receipt{
		Number: fmt.Sprintf("K-%d", x.paper), Amount: city.Rupiah(1000 * d.between(1, 9)),
		Method: pickMethod(d), Class: pick(d, city.Car, city.Motorcycle, city.ClassNone),
	}
	if d.chance(50) {
		r.EnteredAt = city.SomeInt(at - hour)
	}
	if d.chance(30) {
		r.Plate = pick(d, "B 1234 KZE", "b1234kze", "B 77 XX")
	}
	x.total += int64(r.Amount)
	r.TotalCount, r.TotalAmount = city.SomeInt(int64(x.paper)), city.SomeInt(max(0, x.total))
	x.papers = append(x.papers, r)
	return &r
}

func pickMethod(d dice) city.Method { return *pickOf(d, city.Methods) }

// measure lets a device say something: mostly one reading, sometimes what it
// has kept for a while, sometimes what contradicts itself.
func (w *World) measure(x *device) []*city.Reading {
	d := w.dice
	n, each := 1, pick(d, 250, 10*second, minute)
	if d.chance(25) {
		n += 1 + d.n(3)
	}
	if x.last >= w.now-int64(n-1)*each {
		n = 1
	}
	var list []*city.Reading
	for i := range n {
		list = append(list, x.measure(d, w.now-int64(n-1-i)*each))
	}
	if d.chance(4) { // another device with the same id, or one that has lost its memory
		twin := *list[0]
		other := x.measure(d, w.now)
		x.seq--
		if twin.Kind == other.Kind {
			twin.Spot, twin.Gate, twin.Count, twin.Traffic, twin.Receipt, twin.Health = other.Spot, other.Gate, other.Count, other.Traffic, other.Receipt, other.Health
			list = append(list, &twin)
		}
	}
	return list
}
