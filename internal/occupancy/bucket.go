package occupancy

import (
	"encoding/binary"
	"errors"
	"math"
)

// BucketMs is the length of a roll-up.
const BucketMs = 5 * 60 * 1000

const (
	blockBuckets = 72 // six hours
	blockMs      = blockBuckets * BucketMs
	maxAt        = int64(1)<<42 - 1 // event times from 1970 to the year 2109 are kept
)

// bucket is five minutes of one space. The sums are of the ms in which the
// numbers are known, so that averages of averages are exact.
type bucket struct {
	covered int64 // ms in which free and occupied were known
	freeSum int64 // places x ms
	occSum  int64 // vehicles x ms
	freeMin int64 // the least while covered
	arr     int64
	dep     int64
	drift   int64  // gates: vehicles that left a place that was empty by the count
	levels  levels // gates: vehicles of each class at the bucket's end
}

// levels are vehicles a class, by city.Class.
type levels [7]int64

func (l *levels) sum() (n int64) {
	for _, v := range l {
		n += v
	}
	return n
}

func (b *bucket) empty() bool { return b.covered == 0 && b.arr == 0 && b.dep == 0 }

func (b *bucket) add(ms, free, occ int64) {
	if b.covered == 0 || free < b.freeMin {
		b.freeMin = free
	}
	b.covered += ms
	b.freeSum += free * ms
	b.occSum += occ * ms
}

// block is six hours of buckets.
type block [blockBuckets]bucket

const blockVersion = 1

var errBlock = errors.New("a block of roll-ups is damaged: delete occupancy.db, it is rebuilt from the journal")

func (b *block) encode(dst []byte) []byte {
	dst = append(dst, blockVersion)
	next := 0
	for i := range b {
		x := &b[i]
		if x.empty() {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(i-next))
		next = i + 1
		for _, v := range []int64{x.covered, x.freeSum, x.occSum, x.freeMin, x.arr, x.dep, x.drift} {
			dst = binary.AppendUvarint(dst, uint64(v))
		}
		var mask uint64
		for class, v := range x.levels {
			if v != 0 {
				mask |= 1 << class
			}
		}
		dst = binary.AppendUvarint(dst, mask)
		for _, v := range x.levels {
			if v != 0 {
				dst = binary.AppendUvarint(dst, uint64(v))
			}
		}
	}
	return dst
}

func decodeBlock(data []byte) (*block, error) {
	if len(data) == 0 || data[0] != blockVersion {
		return nil, errBlock
	}
	b := new(block)
	r := varints{data: data[1:]}
	for rest := b[:]; len(r.data) > 0; rest = rest[1:] {
		skip := r.next()
		if skip >= uint64(len(rest)) {
			return nil, errBlock
		}
		rest = rest[skip:]
		x := &rest[0]
		for _, p := range []*int64{&x.covered, &x.freeSum, &x.occSum, &x.freeMin, &x.arr, &x.dep, &x.drift} {
			v := r.next()
			if v > math.MaxInt64 {
				return nil, errBlock
			}
			*p = int64(v)
		}
		mask := r.next()
		if mask >= 1<<len(x.levels) {
			return nil, errBlock
		}
		for class := range x.levels {
			if mask>>class&1 == 1 {
				v := r.next()
				if v == 0 || v > math.MaxInt64 {
					return nil, errBlock
				}
				x.levels[class] = int64(v)
			}
		}
		if r.bad || x.empty() {
			return nil, errBlock
		}
	}
	return b, nil
}

func floorTo(t, step int64) int64 { return t - t%step }

func ceilTo(t, step int64) int64 { return floorTo(t+step-1, step) }
