package ledger

import (
	"encoding/binary"
	"hash/maphash"
)

// tableSums are, of each table that grows, the sum of the hashes of its rows:
// two tables of the same rows have the same, in whatever order they are read.
type tableSums struct{ record, paper, meter, listing uint64 }

// hasher hashes rows under a seed that nobody knows before the run.
type hasher struct {
	seed maphash.Seed
	buf  []byte
}

func (h *hasher) hash(table byte, values ...int64) uint64 {
	b := append(h.buf[:0], table)
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	h.buf = b
	return maphash.Bytes(h.seed, b)
}

// number is the hash of a number of a device.
func (h *hasher) number(device int64, number string) uint64 {
	b := binary.LittleEndian.AppendUint64(h.buf[:0], uint64(device))
	b = append(b, number...)
	h.buf = b
	return maphash.Bytes(h.seed, b)
}

func (h *hasher) record(pos, own, eff uint64, party, flags int64) uint64 {
	return h.hash('r', int64(pos), int64(own), int64(eff), party, flags)
}

func (h *hasher) paper(number uint64, class int, amount int64, m moment) uint64 {
	return h.hash('p', int64(number), int64(class), amount, m.at, m.boot, m.seq, m.pos)
}

func (h *hasher) listing(party, at int64, pos uint64) uint64 {
	return h.hash('l', party, at, int64(pos))
}

func (h *hasher) meter(r *meterRow) uint64 {
	known := int64(0)
	if r.count.OK {
		known |= 1
	}
	if r.amount.OK {
		known |= 2
	}
	return h.hash('m', r.device, r.boot, r.at, r.seq, r.pos, known, r.count.V, r.amount.V)
}
