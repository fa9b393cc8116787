package fleet

import (
	"math"
	"path"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// device is what every device has: a number of its readings, a clock that may
// be wrong, a battery, and faults.
type device struct {
	f      *Fleet
	inv    *inventory.Device
	rng    source
	format message.Format

	hasBoot bool
	boot    uint64
	seq     uint64 // of the last reading
	run     int    // +1 a boot
	bootAt  int64

	offset   float64 // ms, of the clock at the start
	drift    float64 // ms a ms
	fix      int64   // ms that the clock was set back by
	deaf     bool    // it does not answer commands
	told     []answered
	tariff   string    // versions that it was told
	tariffAt time.Time // when that was ordered
	deadAt   int64     // 0: lives
	dead     bool
	lastAt   int64 // of the device's clock, of the last reading
	lastSent int64 // simulated time
	busy     int64 // simulated time until which a counter counts up, and says nothing else
	aged     float64

	plants []*plant
	wrong  source      // of what is planted, so that it changes nothing else
	same   []city.Lane // what a counter says again and again
}

func (f *Fleet) newDevice(d *inventory.Device) *device {
	s := f.o.Scenario
	v := &device{f: f, inv: d, rng: f.random("device", d.ID), format: f.o.Format(d.ID), bootAt: f.o.Start, lastSent: f.o.Start}
	v.plants, v.wrong = f.plantsOf(d.ID, d.Site, d.Segment), f.random("wrong", d.ID)
	v.hasBoot = !v.rng.chance(s.Devices.NoBoot)
	v.boot = uint64(max(1, f.o.Start/1000))
	v.seq = uint64(v.rng.between(0, 999))
	v.aged = v.rng.Float64()
	deaf := f.random("deaf", d.ID)
	v.deaf = deaf.chance(s.Devices.Deaf)
	drift := float64(s.Faults.ClockDrift.Milliseconds())
	v.offset, v.drift = drift*v.rng.NormFloat64(), drift*v.rng.NormFloat64()/dayMs
	if d.Kind == inventory.DeviceTraffic {
		v.offset, v.drift = 0, 0 // a counter keeps whole periods: its clock is set from outside
	}
	dies, when := v.rng.chance(s.Faults.Dead), v.rng.Int64N(dayMs)
	if dies {
		v.deadAt = f.o.Start + when
	}
	if s.Faults.Reboot > 0 {
		f.at(f.o.Start+v.rng.wait(s.Faults.Reboot), v.reboot)
	}
	v.startsPlanted()
	if health := s.Devices.Health.Milliseconds(); health > 0 {
		f.every(f.o.Start+v.rng.Int64N(health), health, v.health)
	}
	if d.Kind == inventory.DeviceGate || d.Kind == inventory.DeviceMeter {
		// They speak when something happens; now and then they say that they
		// are there.
		interval := v.interval(15 * time.Minute)
		f.every(f.o.Start+v.rng.Int64N(interval), interval, func(at int64) {
			if at-v.lastSent >= interval {
				v.health(at)
			}
		})
	}
	return v
}

// interval is what the inventory says, in ms, or else.
func (d *device) interval(otherwise time.Duration) int64 {
	if d.inv.IntervalS > 0 {
		return int64(d.inv.IntervalS) * 1000
	}
	return otherwise.Milliseconds()
}

func (d *device) reboot(at int64) {
	d.f.at(at+d.rng.wait(d.f.o.Scenario.Faults.Reboot), d.reboot)
	if d.isDead(at) || (!d.hasBoot && d.seq < 20) { // a falling number must be seen to fall
		return
	}
	d.boots(at)
}

func (d *device) boots(at int64) {
	line := truth.Line{What: truth.Fault, Fault: "reboot", Device: d.inv.ID, At: at}
	d.run++
	d.bootAt = at
	if d.hasBoot {
		d.boot++
		line.Boot = &d.boot
		d.seq = uint64(d.rng.between(0, 999))
	} else {
		d.seq = 0
	}
	d.f.o.Truth.Line(line)
	d.health(at)
}

func (d *device) isDead(at int64) bool {
	if d.is(scenario.Dead, at) || d.is(scenario.Dark, at) {
		return true
	}
	if d.deadAt == 0 || at < d.deadAt {
		return false
	}
	if !d.dead {
		d.dead = true
		d.f.o.Truth.Line(truth.Line{What: truth.Fault, Fault: "dead", Device: d.inv.ID, At: at})
	}
	return true
}

// battery falls from a new one's voltage to 3 V, faster in the end.
func (d *device) battery(at int64) city.Milli {
	s := d.f.o.Scenario.Devices
	used := math.Min(1, d.aged*0.8+float64(at-d.f.o.Start)/dayMs/s.BatteryDays)
	mv := d.volts(at, (s.BatteryV-math.Max(0, s.BatteryV-3)*used*used)*1000)
	return city.SomeMilli(int64(math.Round(mv/10)) * 10)
}

// health says how the device is; a sentence cannot.
func (d *device) health(at int64) {
	if d.format == message.Frames {
		return
	}
	if at <= d.busy {
		d.f.at(d.busy+1, d.health)
		return
	}
	h := &city.Health{UptimeS: city.SomeInt((at - d.bootAt) / 1000), Firmware: "sim-1.0"}
	if d.inv.Kind == inventory.DeviceSpot {
		h.Battery = d.battery(at)
	}
	d.send(at, &city.Reading{Kind: city.KindHealth, Health: h})
}

// clock is the device's own.
func (d *device) clock(at int64) int64 {
	return at + int64(d.offset+d.drift*float64(at-d.f.o.Start)+d.off(at)) - d.fix
}

// send numbers a reading and sends it, or what a fault makes of it. An At of 0
// is filled from the device's clock. It tells whether the reading goes out at
// once and whole.
func (d *device) send(at int64, r *city.Reading) bool {
	if d.isDead(at) || d.isBlind(at) {
		return false
	}
	d.seq++
	d.lastSent = at
	r.Device, r.HasBoot, r.Seq = d.inv.ID, d.hasBoot, d.seq
	if d.hasBoot {
		r.Boot = d.boot
	}
	if r.At == 0 {
		r.At = max(d.clock(at), d.lastAt+1)
	}
	d.lastAt = max(d.lastAt, r.At)
	name := d.draw()
	if d.happens(scenario.Gaps, at) || r.Kind == city.KindReceipt && d.happens(scenario.PapersUnsent, at) {
		name = "lost"
	}
	switch name {
	case "":
		d.put(at, d.message(at, r))
		return true
	case "lost":
		m := d.message(at, r)
		d.f.fault(name, &m)
		return false
	}
	m := d.message(at, r)
	d.f.fault(name, &m)
	switch name {
	case "doubled":
		d.put(at, m)
		m.Expect = message.Duplicate
		d.put(at+d.rng.between(1, 5000), m)
		return true
	case "late":
		by := d.f.o.Scenario.Faults.LateBy.Milliseconds()
		d.put(at+d.rng.between(min(30_000, by), by), m)
	case "corrupt":
		ways := message.Spoils(r.Kind, d.format)
		d.put(at, m.Broken(ways[d.rng.IntN(len(ways))], d.format))
	case "clock_wrong":
		wrong := *r
		if d.rng.chance(0.5) {
			wrong.At = at % dayMs
		} else {
			wrong.At = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() + at%dayMs
		}
		m = d.message(at, &wrong)
		m.Expect, m.Reading, m.Reason = message.Refused, nil, city.ReasonTooOld
		if wrong.At > at {
			m.Reason = city.ReasonTooFarAhead
		}
		d.put(at, m)
	case "conflict":
		d.put(at, m)
		m = d.message(at, other(r))
		m.Expect, m.Reading, m.Reason = message.Refused, nil, city.ReasonSequenceConflict
		d.put(at, m)
		return true
	}
	return false
}

// draw chooses the fault of one reading, "" for none.
func (d *device) draw() string {
	f := &d.f.o.Scenario.Faults
	u := d.rng.Float64()
	for _, c := range [...]struct {
		name string
		rate float64
	}{
		{"lost", f.Lost},
		{"doubled", f.Doubled},
		{"late", f.Late},
		{"corrupt", f.Corrupt},
		{"conflict", f.Conflict},
		{"clock_wrong", f.ClockWrong},
	} {
		if u < c.rate {
			return c.name
		}
		u -= c.rate
	}
	return ""
}

func (d *device) put(at int64, m message.Message) {
	at = d.away(at)
	m.SendAt = at
	d.f.outbox.push(at, outgoing{m, d, d.run})
}

// message encodes a reading. What a sentence has no field for is not said, and
// so is not in Reading either.
func (d *device) message(at int64, r *city.Reading) message.Message {
	m, err := message.New(at, r, d.format)
	if err != nil {
		panic(err) // readings of this package can be said: see newCounter and health
	}
	if d.format == message.Frames {
		said, _ := frames.Decode(m.Payload)
		if len(said.Readings) == 1 {
			m.Reading = &said.Readings[0]
		}
	}
	return m
}

// other is a reading of the same number that says something else.
func other(r *city.Reading) *city.Reading {
	o := *r
	switch r.Kind {
	case city.KindSpot:
		b := *r.Spot
		b.Occupied = !b.Occupied
		o.Spot = &b
	case city.KindGate:
		b := *r.Gate
		b.Out = !b.Out
		o.Gate = &b
	case city.KindCount:
		b := *r.Count
		b.Occupied++
		o.Count = &b
	case city.KindTraffic:
		b := *r.Traffic
		b.PeriodS = b.PeriodS%3600 + 1
		o.Traffic = &b
	case city.KindReceipt:
		b := *r.Receipt
		b.Amount += 1000
		o.Receipt = &b
	case city.KindHealth:
		b := *r.Health
		b.UptimeS.V++
		o.Health = &b
	case city.KindNone:
	}
	return &o
}

// OnSerial tells whether a device's id is among a scenario's patterns.
func OnSerial(patterns []string, id string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, id); err == nil && ok {
			return true
		}
	}
	return false
}
