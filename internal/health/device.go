package health

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/skew"
)

// device is a device that is or was in the inventory. There may be very many:
// what most have none of lies apart.
type device struct {
	id   int64
	name string

	lastSeen, lastAt int64
	skewMs           int64
	clock            skew.Estimate
	boot, seq        int64
	readings         uint64
	// Each part of the state is of the reading observed last that has it.
	battery, temperature, rssi part
	has                        known
	dirty                      bool // to be written

	inv   *inventory.Device // of the newest version, nil: it lacks it
	since int64             // when the first version that has it was accepted

	*rest        // nil: all of it is zero
	trend *trend // nil: nothing is known yet

	today *day // the day that was touched last
	days  *day // touched since the last flush, and today; a list
}

// part is a value in thousandths and the device's time at which it was so.
type part struct{ v, at int64 }

// known says which values are known.
type known uint8

const (
	hasSkew known = 1 << iota
	hasBoot
	hasSeq
	hasBattery
	hasTemperature
	hasRSSI
	hasSNR
	hasBatteryPct
)

// rest is what most devices have nothing of.
type rest struct {
	duplicates, quarantined uint64

	snr, batteryPct part

	healthAt int64 // of what follows
	uptimeS  city.Int
	firmware string
	errors   []string

	// Where the device does not count its boots: the runs in the order of its
	// clock. Run number first is before starts[0].
	first  uint64
	starts []start
	last   uint64 // the highest number that a run was given
}

var noRest rest // never changed

// more returns what most devices have nothing of, to be changed.
func (d *device) more() *rest {
	if d.rest == nil {
		d.rest = new(rest)
	}
	return d.rest
}

// others returns it to be read.
func (d *device) others() *rest {
	if d.rest == nil {
		return &noRest
	}
	return d.rest
}

// state returns what is known, but for what depends on the clock.
func (d *device) state() DeviceState {
	r := d.others()
	return DeviceState{
		ID: d.name, LastSeen: d.lastSeen, LastAt: d.lastAt,
		SkewMs: d.some(d.skewMs, hasSkew), ClockMs: d.clockMs(), Boot: d.some(d.boot, hasBoot), Seq: d.some(d.seq, hasSeq),
		Battery: city.Milli(d.some(d.battery.v, hasBattery)), Temperature: city.Milli(d.some(d.temperature.v, hasTemperature)), RSSI: city.Milli(d.some(d.rssi.v, hasRSSI)),
		SNR: city.Milli(d.some(r.snr.v, hasSNR)), BatteryPct: city.Milli(d.some(r.batteryPct.v, hasBatteryPct)),
		UptimeS: r.uptimeS, Firmware: r.firmware, Errors: slices.Clone(r.errors),
		Readings: d.readings, Duplicates: r.duplicates, Quarantined: r.quarantined,
	}
}

func (d *device) some(v int64, bit known) city.Int {
	if d.has&bit == 0 {
		return city.Int{}
	}
	return city.SomeInt(v)
}

// set makes a value known, or unknown.
func (d *device) set(to *int64, bit known, v city.Int) {
	*to, d.has = v.V, d.has&^bit
	if v.OK {
		d.has |= bit
	}
}

// start is where a run begins.
type start struct {
	at  int64  // the time of its first reading
	no  uint64 // the run's number
	low uint64 // its lowest sequence number; unknownLow of a run that an older program stored
}

const unknownLow = math.MaxUint64

// maxStarts bounds the runs that are told apart in a device that does not
// count its boots; older ones are one.
const maxStarts = 1024

// runOf returns the run to which a reading belongs.
func (d *device) runOf(hasBoot bool, boot uint64, at int64) runKey {
	if hasBoot {
		return runKey{true, boot}
	}
	if x := d.runAt(at); x != nil {
		return runKey{false, x.no}
	}
	return runKey{false, d.others().first}
}

// runAt returns where the run at a time began, nil for the first one.
func (d *device) runAt(at int64) *start {
	starts := d.others().starts
	for i := len(starts) - 1; i >= 0; i-- {
		if starts[i].at <= at {
			return &starts[i]
		}
	}
	return nil
}

// begin begins a run with a reading. Where it lies before a run that is known,
// either that one began then, and its first reading was late: its number is
// lower than all of the run. Or else a run that is wholly late lies between.
func (d *device) begin(at int64, seq uint64) {
	x := d.more()
	i := sort.Search(len(x.starts), func(i int) bool { return x.starts[i].at >= at })
	if i < len(x.starts) && (x.starts[i].at == at || seq < x.starts[i].low) {
		x.starts[i].at = at
		return
	}
	x.last++
	x.starts = slices.Insert(x.starts, i, start{at: at, no: x.last, low: seq})
	if len(x.starts) > maxStarts {
		x.first = x.starts[0].no
		x.starts = slices.Delete(x.starts, 0, 1)
	}
}

// lower notes the sequence number of a reading in its run.
func (d *device) lower(at int64, seq uint64) {
	if x := d.runAt(at); x != nil {
		x.low = min(x.low, seq)
	}
}

// hear takes in what a reading says of its device.
func (d *device) hear(e *journal.Entry) {
	r := e.Reading
	d.readings++
	d.lastSeen = max(d.lastSeen, e.Recv)
	d.timed(e)
	newest := r.At >= d.lastAt || d.readings == 1
	if newest {
		d.lastAt = r.At
		d.set(&d.skewMs, hasSkew, city.SomeInt(e.Recv-r.At))
	}
	if newest && !r.Beside() {
		d.set(&d.boot, hasBoot, city.Int{V: int64(r.Boot), OK: r.HasBoot})
		d.set(&d.seq, hasSeq, city.SomeInt(int64(r.Seq)))
	}
	switch {
	case r.Spot != nil:
		d.newer(&d.battery, hasBattery, r.Spot.Battery, r.At)
		d.charge(r.Spot.Battery, r.At)
		d.newer(&d.temperature, hasTemperature, r.Spot.Temperature, r.At)
		d.newer(&d.rssi, hasRSSI, r.Spot.RSSI, r.At)
		if r.Spot.SNR.OK {
			d.newer(&d.more().snr, hasSNR, r.Spot.SNR, r.At)
		}
	case r.Health != nil:
		d.newer(&d.battery, hasBattery, r.Health.Battery, r.At)
		d.charge(r.Health.Battery, r.At)
		d.newer(&d.rssi, hasRSSI, r.Health.RSSI, r.At)
		x := d.more()
		d.newer(&x.snr, hasSNR, r.Health.SNR, r.At)
		d.newer(&x.batteryPct, hasBatteryPct, r.Health.BatteryPct, r.At)
		if r.At < x.healthAt {
			return
		}
		x.healthAt = r.At
		x.errors = r.Health.Errors
		if r.Health.UptimeS.OK {
			x.uptimeS = r.Health.UptimeS
		}
		if r.Health.Firmware != "" {
			x.firmware = r.Health.Firmware
		}
	}
}

// newer takes a value over that is known and not older.
func (d *device) newer(have *part, bit known, v city.Milli, at int64) {
	if v.OK && (d.has&bit == 0 || at >= have.at) {
		*have = part{v.V, at}
		d.has |= bit
	}
}

// Version 1 knew a run by its place, version 2 no signal-to-noise ratio and no
// battery in per cent, version 3 no estimate of the clock's error.
const deviceVersion = 4

func (d *device) encode(dst []byte) []byte {
	s, x := d.state(), d.others()
	dst = append(dst, deviceVersion)
	for _, v := range []int64{s.LastSeen, s.LastAt, int64(s.Readings), int64(s.Duplicates), int64(s.Quarantined), d.battery.at, d.temperature.at, d.rssi.at, x.healthAt, int64(x.first)} {
		dst = binary.AppendVarint(dst, v)
	}
	for _, v := range []city.Int{s.SkewMs, s.Boot, s.Seq, s.UptimeS, city.Int(s.Battery), city.Int(s.Temperature), city.Int(s.RSSI)} {
		if !v.OK {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendVarint(append(dst, 1), v.V)
	}
	dst = appendText(dst, s.Firmware)
	dst = binary.AppendUvarint(dst, uint64(len(s.Errors)))
	for _, text := range s.Errors {
		dst = appendText(dst, text)
	}
	dst = binary.AppendUvarint(dst, x.last)
	dst = binary.AppendUvarint(dst, uint64(len(x.starts)))
	for _, x := range x.starts {
		dst = binary.AppendVarint(dst, x.at)
		dst = binary.AppendUvarint(dst, x.no)
		dst = binary.AppendUvarint(dst, x.low)
	}
	for _, v := range []struct {
		at int64
		v  city.Int
	}{{x.snr.at, city.Int(s.SNR)}, {x.batteryPct.at, city.Int(s.BatteryPct)}} {
		if !v.v.OK {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendVarint(append(dst, 1), v.v.V)
		dst = binary.AppendVarint(dst, v.at)
	}
	return d.clock.Append(dst)
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func decodeDevice(data []byte) (*device, error) {
	r := reader{data: data}
	version := r.byte()
	if version < 1 || version > deviceVersion {
		return nil, errStored
	}
	d, x := &device{}, rest{}
	d.lastSeen, d.lastAt = r.varint(), r.varint()
	d.readings, x.duplicates, x.quarantined = uint64(r.varint()), uint64(r.varint()), uint64(r.varint())
	d.battery.at, d.temperature.at, d.rssi.at, x.healthAt = r.varint(), r.varint(), r.varint(), r.varint()
	x.first = uint64(r.varint())
	d.set(&d.skewMs, hasSkew, r.some())
	d.set(&d.boot, hasBoot, r.some())
	d.set(&d.seq, hasSeq, r.some())
	x.uptimeS = r.some()
	d.set(&d.battery.v, hasBattery, r.some())
	d.set(&d.temperature.v, hasTemperature, r.some())
	d.set(&d.rssi.v, hasRSSI, r.some())
	x.firmware = r.text()
	for range r.length() {
		x.errors = append(x.errors, r.text())
	}
	x.last = x.first
	if version > 1 {
		x.last = r.uvarint()
	}
	for range r.length() {
		begin := start{at: r.varint(), low: unknownLow}
		if version > 1 {
			begin.no, begin.low = r.uvarint(), r.uvarint()
		} else {
			x.last++
			begin.no = x.last
		}
		x.starts = append(x.starts, begin)
	}
	if version > 2 {
		for _, p := range []struct {
			to  *part
			bit known
		}{{&x.snr, hasSNR}, {&x.batteryPct, hasBatteryPct}} {
			if v := r.some(); v.OK {
				d.set(&p.to.v, p.bit, v)
				p.to.at = r.varint()
			}
		}
	}
	if version > 3 {
		var err error
		if d.clock, r.data, err = skew.Decode(r.data); err != nil {
			return nil, errStored
		}
	}
	if r.bad || len(r.data) != 0 {
		return nil, errStored
	}
	if !reflect.ValueOf(x).IsZero() {
		d.rest = &x
	}
	return d, nil
}

// some reads a number that may be unknown.
func (r *reader) some() city.Int {
	switch r.byte() {
	case 0:
	case 1:
		return city.SomeInt(r.varint())
	default:
		r.bad = true
	}
	return city.Int{}
}
