package health

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// device is a device that is or was in the inventory.
type device struct {
	id    int64
	state DeviceState // but Silent, which depends on the clock
	// Each part of the state is of the reading observed last that has it.
	batteryAt, temperatureAt, rssiAt, healthAt int64

	// Where the device does not count its boots: the runs in the order of its
	// clock. Run number first is before starts[0].
	first  uint64
	starts []start
	last   uint64 // the highest number that a run was given

	inv   *inventory.Device // of the newest version, nil: it lacks it
	since int64             // when the first version that has it was accepted
	dirty bool              // to be written

	today *day   // the day that was touched last
	days  []*day // touched since the last flush, and today
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
	return runKey{false, d.first}
}

// runAt returns where the run at a time began, nil for the first one.
func (d *device) runAt(at int64) *start {
	for i := len(d.starts) - 1; i >= 0; i-- {
		if d.starts[i].at <= at {
			return &d.starts[i]
		}
	}
	return nil
}

// begin begins a run with a reading. Where it lies before a run that is known,
// either that one began then, and its first reading was late: its number is
// lower than all of the run. Or else a run that is wholly late lies between.
func (d *device) begin(at int64, seq uint64) {
	i := sort.Search(len(d.starts), func(i int) bool { return d.starts[i].at >= at })
	if i < len(d.starts) && (d.starts[i].at == at || seq < d.starts[i].low) {
		d.starts[i].at = at
		return
	}
	d.last++
	d.starts = slices.Insert(d.starts, i, start{at: at, no: d.last, low: seq})
	if len(d.starts) > maxStarts {
		d.first = d.starts[0].no
		d.starts = slices.Delete(d.starts, 0, 1)
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
	s, r := &d.state, e.Reading
	s.Readings++
	s.LastSeen = max(s.LastSeen, e.Recv)
	if r.At >= s.LastAt || s.Readings == 1 {
		s.LastAt = r.At
		s.SkewMs = city.SomeInt(e.Recv - r.At)
		s.Boot = city.Int{V: int64(r.Boot), OK: r.HasBoot}
		s.Seq = city.SomeInt(int64(r.Seq))
	}
	switch {
	case r.Spot != nil:
		newer(&s.Battery, &d.batteryAt, r.Spot.Battery, r.At)
		newer(&s.Temperature, &d.temperatureAt, r.Spot.Temperature, r.At)
		newer(&s.RSSI, &d.rssiAt, r.Spot.RSSI, r.At)
	case r.Health != nil:
		newer(&s.Battery, &d.batteryAt, r.Health.Battery, r.At)
		if r.At < d.healthAt {
			return
		}
		d.healthAt = r.At
		s.Errors = r.Health.Errors
		if r.Health.UptimeS.OK {
			s.UptimeS = r.Health.UptimeS
		}
		if r.Health.Firmware != "" {
			s.Firmware = r.Health.Firmware
		}
	}
}

// newer takes a value over that is known and not older.
func newer(have *city.Milli, haveAt *int64, v city.Milli, at int64) {
	if v.OK && (!have.OK || at >= *haveAt) {
		*have, *haveAt = v, at
	}
}

// Version 1 knew a run by its place.
const deviceVersion = 2

func (d *device) encode(dst []byte) []byte {
	s := &d.state
	dst = append(dst, deviceVersion)
	for _, v := range []int64{s.LastSeen, s.LastAt, int64(s.Readings), int64(s.Duplicates), int64(s.Quarantined), d.batteryAt, d.temperatureAt, d.rssiAt, d.healthAt, int64(d.first)} {
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
	dst = binary.AppendUvarint(dst, d.last)
	dst = binary.AppendUvarint(dst, uint64(len(d.starts)))
	for _, x := range d.starts {
		dst = binary.AppendVarint(dst, x.at)
		dst = binary.AppendUvarint(dst, x.no)
		dst = binary.AppendUvarint(dst, x.low)
	}
	return dst
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
	d := &device{}
	s := &d.state
	s.LastSeen, s.LastAt = r.varint(), r.varint()
	s.Readings, s.Duplicates, s.Quarantined = uint64(r.varint()), uint64(r.varint()), uint64(r.varint())
	d.batteryAt, d.temperatureAt, d.rssiAt, d.healthAt = r.varint(), r.varint(), r.varint(), r.varint()
	d.first = uint64(r.varint())
	for _, p := range []*city.Int{&s.SkewMs, &s.Boot, &s.Seq, &s.UptimeS, (*city.Int)(&s.Battery), (*city.Int)(&s.Temperature), (*city.Int)(&s.RSSI)} {
		switch r.byte() {
		case 0:
		case 1:
			*p = city.SomeInt(r.varint())
		default:
			r.bad = true
		}
	}
	s.Firmware = r.text()
	for range r.length() {
		s.Errors = append(s.Errors, r.text())
	}
	d.last = d.first
	if version > 1 {
		d.last = r.uvarint()
	}
	for range r.length() {
		x := start{at: r.varint(), low: unknownLow}
		if version > 1 {
			x.no, x.low = r.uvarint(), r.uvarint()
		} else {
			d.last++
			x.no = d.last
		}
		d.starts = append(d.starts, x)
	}
	if r.bad || len(r.data) != 0 {
		return nil, errStored
	}
	return d, nil
}
