package ledger

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// shelfSize is how many parties share a row of the table book: few enough that
// a receipt rewrites little, many enough that a year is read fast.
const shelfSize = 8

// bookKey is what sums are kept by.
type bookKey struct {
	day    int32
	party  int32
	class  city.Class
	method city.Method
}

// sums are what a day has of one key. Sums that are all zero are not kept.
type sums struct {
	receipts int64 // less voids
	voids    int64
	amount   int64 // rupiah
}

// plus adds other, times one or minus one.
func (s sums) plus(other sums, sign int64) sums {
	return sums{s.receipts + sign*other.receipts, s.voids + sign*other.voids, s.amount + sign*other.amount}
}

// cell is the sums of one key of a day.
type cell struct {
	party  int32
	class  city.Class
	method city.Method
	sums
}

const bookV1 = 1

var errBook = errors.New("not the sums of a day")

// appendCells packs cells that are sorted by party, class and method:
//
//	1 | party - party before | class * 16 + method | receipts | voids | amount, all but the first two zigzag
func appendCells(dst []byte, cells []cell) []byte {
	dst = append(dst, bookV1)
	party := int32(0)
	for i := range cells {
		c := &cells[i]
		dst = binary.AppendUvarint(dst, uint64(c.party-party))
		dst = append(dst, byte(c.class)<<4|byte(c.method))
		dst = binary.AppendVarint(dst, c.receipts)
		dst = binary.AppendVarint(dst, c.voids)
		dst = binary.AppendVarint(dst, c.amount)
		party = c.party
	}
	return dst
}

// decodeCells appends the cells of a row to dst.
func decodeCells(dst []cell, data []byte) ([]cell, error) {
	r := scanner{b: data}
	if r.byte() != bookV1 {
		return dst, errBook
	}
	party := int32(0)
	for len(r.b) > 0 && !r.bad {
		party += int32(r.uint())
		kind := r.byte()
		dst = append(dst, cell{party, city.Class(kind >> 4), city.Method(kind & 15), sums{r.int(), r.int(), r.int()}})
	}
	if r.bad {
		return dst, errBook
	}
	return dst, nil
}

func (a *cell) compare(b *cell) int {
	switch {
	case a.party != b.party:
		return int(a.party - b.party)
	case a.class != b.class:
		return int(a.class) - int(b.class)
	default:
		return int(a.method) - int(b.method)
	}
}

// mergeCells adds changes to the cells of a row.
func mergeCells(cells, changes []cell) []cell {
	for i := range changes {
		c := &changes[i]
		at, found := slices.BinarySearchFunc(cells, c, func(a cell, b *cell) int { return a.compare(b) })
		if !found {
			cells = slices.Insert(cells, at, cell{c.party, c.class, c.method, sums{}})
		}
		s := &cells[at].sums
		s.receipts += c.receipts
		s.voids += c.voids
		s.amount += c.amount
		if *s == (sums{}) {
			cells = slices.Delete(cells, at, at+1)
		}
	}
	return cells
}

// due is the levy owed on a sum: the sum times the rate (millionths), rounded
// half up to the rupiah. A rate that is not known owes nothing that we know.
func due(amount, rate int64) int64 {
	if rate <= 0 {
		return 0
	}
	size := uint64(amount)
	if amount < 0 {
		size = -size
	}
	hi, lo := bits.Mul64(size, uint64(min(rate, whole)))
	q, rest := bits.Div64(hi, lo, whole)
	switch {
	case amount < 0 && rest*2 > whole, amount >= 0 && rest*2 >= whole:
		q++
	}
	if amount < 0 {
		return -int64(q)
	}
	return int64(q)
}

// dues calls f with each cell of a day's row and its part of what is due. What
// is due is rounded once for a day and party (site, operator, account): the
// cells share it by what their running sum adds, so that every grouping adds
// up to the same rupiah.
func dues(cells []cell, rate func(party int32) int64, f func(c *cell, due int64)) {
	party, sum, owed, of := int32(-1), int64(0), int64(0), int64(0)
	for i := range cells {
		c := &cells[i]
		if c.party != party {
			party, sum, owed, of = c.party, 0, 0, rate(c.party)
		}
		sum += c.amount
		total := due(sum, of)
		f(c, total-owed)
		owed = total
	}
}
