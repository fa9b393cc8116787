package health

import (
	"encoding/binary"
	"errors"
	"math"
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
	runs       []run
	dirty      bool
	other      *day // of the device, in memory
}

// run returns the part of a run, which is made where it is new.
func (d *day) run(key runKey) *run {
	for i := len(d.runs) - 1; i >= 0; i-- {
		if d.runs[i].key == key {
			return &d.runs[i]
		}
	}
	d.runs = append(d.runs, run{key: key})
	return &d.runs[len(d.runs)-1]
}

const dayVersion = 1

var errStored = errors.New("a row is damaged: delete health.db, it is rebuilt from the journal")

func (d *day) encode(dst []byte) []byte {
	dst = append(dst, dayVersion)
	dst = binary.AppendUvarint(dst, uint64(d.duplicates))
	dst = binary.AppendUvarint(dst, uint64(d.unread))
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
	if r.byte() != dayVersion {
		return nil, errStored
	}
	d := &day{date: date, duplicates: r.count(), unread: r.count()}
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
