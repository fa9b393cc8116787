package series

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// chunkEntries is how many positions lie in one chunk: a range of time is
// found to a chunk.
const chunkEntries = 64

// chunk is a run of a device's positions, as varints of their differences.
type chunk struct {
	minAt, maxAt int64
	first, last  uint64
	kinds        uint8 // a bit (1 << kind) for each kind of reading
	n            uint8
	data         []byte // differences after first
}

func (c *chunk) positions(dst []uint64) []uint64 {
	pos := c.first
	dst = append(dst, pos)
	for b := c.data; len(b) > 0; {
		d, n := binary.Uvarint(b)
		pos += d
		dst = append(dst, pos)
		b = b[n:]
	}
	return dst
}

// add appends a position to the last of the chunks, or to a new one.
func add(chunks []chunk, pos uint64, at int64, kind city.Kind) []chunk {
	n := len(chunks)
	if n == 0 || chunks[n-1].n == chunkEntries {
		return append(chunks, chunk{minAt: at, maxAt: at, first: pos, last: pos, kinds: 1 << kind, n: 1})
	}
	c := &chunks[n-1]
	c.data = binary.AppendUvarint(c.data, pos-c.last)
	c.last = pos
	c.n++
	c.kinds |= 1 << kind
	c.minAt, c.maxAt = min(c.minAt, at), max(c.maxAt, at)
	return chunks
}

// packChunks appends the chunks of a device in a segment that begins at first:
//
//	first - last of the chunk before (of the segment's first) | min at | max at - min at | kinds | n | length of data | data
func packChunks(dst []byte, first uint64, chunks []chunk) []byte {
	for i := range chunks {
		c := &chunks[i]
		dst = binary.AppendUvarint(dst, c.first-first)
		dst = binary.AppendVarint(dst, c.minAt)
		dst = binary.AppendUvarint(dst, uint64(c.maxAt-c.minAt))
		dst = append(dst, c.kinds, c.n)
		dst = binary.AppendUvarint(dst, uint64(len(c.data)))
		dst = append(dst, c.data...)
		first = c.last
	}
	return dst
}

var errIndex = errors.New("the index of readings is damaged: remove series.db while the gateway is stopped, it is built again from the journal")

// decodeChunks appends the chunks of a row to dst. Their data lies in b, whose
// checksum was compared.
func decodeChunks(dst []chunk, first uint64, b []byte) ([]chunk, error) {
	bad := false
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			bad, b = true, nil
			return 0
		}
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		var c chunk
		c.first = first + uvarint()
		zigzag := uvarint()
		c.minAt = int64(zigzag>>1) ^ -int64(zigzag&1)
		c.maxAt = c.minAt + int64(uvarint())
		if len(b) < 2 {
			return dst, errIndex
		}
		c.kinds, c.n = b[0], b[1]
		b = b[2:]
		size := uvarint()
		if bad || size > uint64(len(b)) {
			return dst, errIndex
		}
		c.data, b = b[:size:size], b[size:]
		c.last = c.first
		for rest := c.data; len(rest) > 0; {
			d, n := binary.Uvarint(rest)
			if n <= 0 {
				return dst, errIndex
			}
			c.last += d
			rest = rest[n:]
		}
		first = c.last
		dst = append(dst, c)
	}
	return dst, nil
}

// dayIndex is a day of the journal that is not archived, with what the index's
// file does not have of it yet.
type dayIndex struct {
	date  string
	first uint64
	fresh fresh
}

// fresh is the readings since the last segment, in the order of their
// positions: columns, which cost little to fill and nothing to keep.
type fresh struct {
	device []uint32 // place among the names
	pos    []uint64
	at     []int64
	kind   []city.Kind
}

func (x *fresh) len() int { return len(x.pos) }

func (x *fresh) add(device uint32, e *journal.Entry) {
	x.device = append(x.device, device)
	x.pos = append(x.pos, e.Pos)
	x.at = append(x.at, e.Reading.At)
	x.kind = append(x.kind, e.Reading.Kind)
}

func (x *fresh) clear() {
	x.device, x.pos, x.at, x.kind = x.device[:0], x.pos[:0], x.at[:0], x.kind[:0]
}

// chunks returns those of one device that may hold what is asked for.
func (x *fresh) chunks(device uint32, mask uint8, touches func(minAt, maxAt int64) bool) []chunk {
	var found []chunk
	for i, d := range x.device {
		if d == device && mask&(1<<x.kind[i]) != 0 && touches(x.at[i], x.at[i]) {
			found = add(found, x.pos[i], x.at[i], x.kind[i])
		}
	}
	return found
}

// byDevice calls each with the chunks of every device, sorted by name. They
// are valid in the call only.
func (x *fresh) byDevice(names []string, each func(device string, chunks []chunk) error) error {
	starts := make([]uint32, len(names)+1) // counting sort: stable, so positions stay in order
	for _, d := range x.device {
		starts[d+1]++
	}
	var order []uint32 // devices that have any
	for d := range names {
		if starts[d+1] > 0 {
			order = append(order, uint32(d))
		}
		starts[d+1] += starts[d]
	}
	places := make([]uint32, len(x.device))
	next := slices.Clone(starts)
	for i, d := range x.device {
		places[next[d]] = uint32(i)
		next[d]++
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(names[a], names[b]) })
	var chunks []chunk
	for _, d := range order {
		chunks = chunks[:0]
		for _, i := range places[starts[d]:starts[d+1]] {
			if n := len(chunks); (n == 0 || chunks[n-1].n == chunkEntries) && n < cap(chunks) {
				data := chunks[:n+1][n].data[:0] // the memory of the device before
				chunks = append(chunks, chunk{minAt: x.at[i], maxAt: x.at[i], first: x.pos[i], last: x.pos[i], kinds: 1 << x.kind[i], n: 1, data: data})
				continue
			}
			chunks = add(chunks, x.pos[i], x.at[i], x.kind[i])
		}
		if err := each(names[d], chunks); err != nil {
			return err
		}
	}
	return nil
}

// span returns the least and the greatest time, and the kinds.
func (x *fresh) span() (minAt, maxAt int64, kinds uint8) {
	minAt, maxAt = slices.Min(x.at), slices.Max(x.at)
	for _, k := range x.kind {
		kinds |= 1 << k
	}
	return minAt, maxAt, kinds
}
