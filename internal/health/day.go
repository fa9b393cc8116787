package health

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// runKey names a run of a device: a boot, or where the device does not count
// its boots, the number of the run.
type runKey struct {
	hasBoot bool
	no      uint64
}

// run is what a device sent in one run on one day.
type run struct {
	key      runKey
	received int64     // accepted readings
	late     int64     // of them, received over two intervals after their time
	seqs     seqRanges // of the accepted
	aside    seqRanges // of those set aside, also where they were accepted later
}

// day is a device's day.
type day struct {
	date       int64 // 20260302
	duplicates int64
	unread     int64 // set aside, and no sequence number could be read
	older      older
	runs       []run // the one heard last at the end
	dirty      bool
	other      *day // of the device, in memory
}

// maxRuns bounds the runs of a device's day that are told apart. A device that
// begins a run with every message, or a bad one, has no more than these.
const maxRuns = 64

// older is what came of a day's runs past maxRuns, as it was known then: their
// ranges were given up.
type older struct {
	runs                                  int64
	expected, received, late, quarantined int64
}

// run returns the part of a run, which is made where it is new.
func (d *day) run(key runKey) *run {
	last := len(d.runs) - 1
	for i := last; i >= 0; i-- {
		if d.runs[i].key != key {
			continue
		}
		if i < last {
			x := d.runs[i]
			copy(d.runs[i:], d.runs[i+1:])
			d.runs[last] = x
		}
		d.bound()
		return &d.runs[len(d.runs)-1]
	}
	d.runs = append(d.runs, run{key: key})
	d.bound()
	return &d.runs[len(d.runs)-1]
}

// bound gives up the runs heard longest ago while there are too many, or while
// those with many gaps hold too much.
func (d *day) bound() {
	for len(d.runs) > 1 && (len(d.runs) > maxRuns || len(d.runs[len(d.runs)-1].seqs)+len(d.runs[len(d.runs)-1].aside) > maxRanges/maxRuns && d.ranges() > 2*maxRanges) {
		r := &d.runs[0]
		o := &d.older
		o.runs++
		o.expected = sum(o.expected, r.expected())
		o.received += r.received
		o.late += r.late
		o.quarantined = sum(o.quarantined, r.aside.without(r.seqs))
		d.runs = slices.Delete(d.runs, 0, 1)
	}
}

// ranges is how many ranges the runs hold.
func (d *day) ranges() (n int) {
	for i := range d.runs {
		n += len(d.runs[i].seqs) + len(d.runs[i].aside)
	}
	return n
}

// expected is how many numbers lie between the run's lowest and highest of the
// day.
func (r *run) expected() int64 {
	lowest, highest := uint64(math.MaxUint64), uint64(0)
	for _, list := range []seqRanges{r.seqs, r.aside} {
		if len(list) > 0 {
			lowest, highest = min(lowest, list[0].lo), max(highest, list[len(list)-1].hi)
		}
	}
	if lowest > highest {
		return 0
	}
	return span(lowest, highest)
}

// Version 2 has what is left of older runs; a day without any is version 1.
const (
	dayVersion      = 1
	dayVersionOlder = 2
)

var errStored = errors.New("a row is damaged: delete health.db, it is rebuilt from the journal")

func (d *day) encode(dst []byte) []byte {
	version := byte(dayVersion)
	if d.older.runs > 0 {
		version = dayVersionOlder
	}
	dst = append(dst, version)
	dst = binary.AppendUvarint(dst, uint64(d.duplicates))
	dst = binary.AppendUvarint(dst, uint64(d.unread))
	if o := &d.older; o.runs > 0 {
		for _, v := range []int64{o.runs, o.expected, o.received, o.late, o.quarantined} {
			dst = binary.AppendUvarint(dst, uint64(v))
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(d.runs)))
	for i := range d.runs {
		r := &d.runs[i]
		flag := byte(0)
		if r.key.hasBoot {
			flag = 1
		}
		dst = append(dst, flag)
		dst = binary.AppendUvarint(dst, r.key.no)
		dst = binary.AppendUvarint(dst, uint64(r.received))
		dst = binary.AppendUvarint(dst, uint64(r.late))
		dst = r.seqs.encode(dst)
		dst = r.aside.encode(dst)
	}
	return dst
}

func (r seqRanges) encode(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(r)))
	var last uint64
	for _, x := range r {
		dst = binary.AppendUvarint(dst, x.lo-last)
		dst = binary.AppendUvarint(dst, x.hi-x.lo)
		last = x.hi
	}
	return dst
}

func decodeDay(date int64, data []byte) (*day, error) {
	r := reader{data: data}
	version := r.byte()
	if version != dayVersion && version != dayVersionOlder {
		return nil, errStored
	}
	d := &day{date: date, duplicates: r.count(), unread: r.count()}
	if version == dayVersionOlder {
		d.older = older{runs: r.count(), expected: r.count(), received: r.count(), late: r.count(), quarantined: r.count()}
		r.bad = r.bad || d.older.runs == 0
	}
	for range r.length() {
		var x run
		flag := r.byte()
		r.bad = r.bad || flag > 1
		x.key = runKey{hasBoot: flag == 1, no: r.uvarint()}
		x.received, x.late = r.count(), r.count()
		x.seqs, x.aside = r.ranges(), r.ranges()
		d.runs = append(d.runs, x)
	}
	if r.bad || len(r.data) != 0 {
		return nil, errStored
	}
	return d, nil
}

// reader reads stored bytes; bad is set once something is missing or wrong.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.bad = true
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

// count reads a number that is not negative as an int64.
func (r *reader) count() int64 {
	v := r.uvarint()
	r.bad = r.bad || v > math.MaxInt64
	return int64(v)
}

// length reads how many items follow, each of a byte at least.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.length()
	s := string(r.data[:n])
	r.data = r.data[n:]
	return s
}

func (r *reader) ranges() seqRanges {
	var list seqRanges
	var last uint64
	for i := range r.length() {
		gap := r.uvarint()
		lo := last + gap
		hi := lo + r.uvarint()
		r.bad = r.bad || lo < last || hi < lo || i > 0 && gap < 2
		list = append(list, seqRange{lo, hi})
		last = hi
	}
	return list
}
