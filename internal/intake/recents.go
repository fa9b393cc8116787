package intake

import "slices"

// recentSize is how many of a device's last readings are compared by content
// (design.md, "Speed comes from order").
const recentSize = 64

// recents are the last readings of a device by hashes, in a ring: the oldest is
// at next once there are recentSize.
type recents struct {
	contents []uint32
	keys     *[recentSize]uint32 // of boot and seq; nil while all are in a row
	ats      *[recentSize]uint32 // the low halves of their device times; nil while none has boot 0 or no boot
	boot     uint64              // of the newest
	seq      uint64              // of the newest
	next     uint8
	row      uint8 // how many of the newest are of one boot and have one sequence number after the other
}

// newest returns the place of the newest of n.
func (x *recents) newest() int {
	if n := len(x.contents); n < recentSize {
		return n - 1
	}
	return int(x.next+recentSize-1) % recentSize
}

// key returns the key at a place.
func (x *recents) key(i int) uint32 {
	if x.keys != nil {
		return x.keys[i]
	}
	n := len(x.contents)
	return keyOf(x.boot, x.seq-uint64((x.newest()-i+n)%n))
}

// find returns the first place from one on that has a boot and seq, -1 for none.
func (x *recents) find(boot, seq uint64, from int) int {
	if x.keys != nil {
		if i := slices.Index(x.keys[from:len(x.contents)], keyOf(boot, seq)); i >= 0 {
			return from + i
		}
		return -1
	}
	n := len(x.contents)
	back := x.seq - seq
	if boot != x.boot || back >= uint64(n) {
		return -1
	}
	if i := (x.newest() - int(back) + n) % n; i >= from {
		return i
	}
	return -1
}

// note keeps a reading among the last ones. Its time is kept where it may be
// asked for: the key of a reading without boot is that of boot 0.
func (x *recents) note(boot, seq uint64, content, at uint32) {
	n := len(x.contents)
	if boot == 0 && x.ats == nil {
		x.ats = new([recentSize]uint32)
	}
	inRow := n > 0 && boot == x.boot && seq == x.seq+1 && x.row > 0
	if !inRow && n > 0 && x.keys == nil {
		keys := new([recentSize]uint32)
		for i := range n {
			keys[i] = x.key(i)
		}
		x.keys = keys
	}
	if inRow {
		x.row = min(x.row+1, recentSize)
	} else {
		x.row = 1
	}
	x.boot, x.seq = boot, seq
	if n < recentSize {
		x.contents = append(x.contents, content)
	} else {
		n = int(x.next)
		x.contents[n] = content
		x.next = (x.next + 1) % recentSize
	}
	if x.keys != nil {
		x.keys[n] = keyOf(boot, seq)
	}
	if x.ats != nil {
		x.ats[n] = at
	}
	if int(x.row) == len(x.contents) {
		x.keys = nil
	}
}

// pack leaves the keys out where they are those of a row that ends with a
// reading.
func (x *recents) pack(boot, seq uint64) {
	row := recents{contents: x.contents, boot: boot, seq: seq, next: x.next}
	for i := range x.contents {
		if row.key(i) != x.keys[i] {
			return
		}
	}
	x.keys, x.boot, x.seq, x.row = nil, boot, seq, uint8(len(x.contents))
}

// keyOf mixes boot and seq (the finalizer of splitmix64).
func keyOf(boot, seq uint64) uint32 {
	x := seq + boot*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32(x ^ x>>31)
}

// wholeTime returns the device time (Unix ms) whose low half is kept: the one
// that is nearest to a time of the same run.
func wholeTime(low uint32, near int64) int64 { return near + int64(int32(low-uint32(near))) }
