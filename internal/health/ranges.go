package health

import (
	"math"
	"slices"
	"sort"
)

// seqRange is a range of sequence numbers, both ends inclusive.
type seqRange struct{ lo, hi uint64 }

// seqRanges are sorted, and neither overlap nor touch.
type seqRanges []seqRange

// maxRanges bounds what is kept of one run's day. Past it the oldest gaps are
// forgotten by name; the counts stay exact.
const maxRanges = 4096

// add takes a number in; it tells whether it was new.
func (r *seqRanges) add(seq uint64) bool {
	list := *r
	n := len(list)
	if n > 0 && list[n-1].hi != math.MaxUint64 && seq == list[n-1].hi+1 { // the usual case
		list[n-1].hi = seq
		return true
	}
	i := sort.Search(n, func(i int) bool { return list[i].hi >= seq })
	if i < n && list[i].lo <= seq {
		return false
	}
	left := i > 0 && list[i-1].hi+1 == seq
	right := i < n && seq+1 == list[i].lo
	switch {
	case left && right:
		list[i-1].hi = list[i].hi
		*r = slices.Delete(list, i, i+1)
	case left:
		list[i-1].hi = seq
	case right:
		list[i].lo = seq
	default:
		*r = slices.Insert(list, i, seqRange{seq, seq})
	}
	if len(*r) > maxRanges {
		(*r)[1].lo = (*r)[0].lo
		*r = slices.Delete(*r, 0, 1)
	}
	return true
}

// join takes the numbers of another list in.
func (r *seqRanges) join(other seqRanges) {
	all := append(slices.Clone(*r), other...)
	sort.Slice(all, func(i, j int) bool { return all[i].lo < all[j].lo })
	kept := all[:0]
	for _, x := range all {
		if n := len(kept); n > 0 && (kept[n-1].hi == math.MaxUint64 || x.lo <= kept[n-1].hi+1) {
			kept[n-1].hi = max(kept[n-1].hi, x.hi)
			continue
		}
		kept = append(kept, x)
	}
	*r = kept
}

// count returns how many numbers there are, at most math.MaxInt64.
func (r seqRanges) count() (n int64) {
	for _, x := range r {
		n = sum(n, span(x.lo, x.hi))
	}
	return n
}

// without returns how many of r's numbers other lacks.
func (r seqRanges) without(other seqRanges) int64 {
	n := r.count()
	for i, j := 0, 0; i < len(r) && j < len(other); {
		if lo, hi := max(r[i].lo, other[j].lo), min(r[i].hi, other[j].hi); lo <= hi {
			n -= span(lo, hi)
		}
		if r[i].hi < other[j].hi {
			i++
		} else {
			j++
		}
	}
	return max(0, n)
}

// span returns how many numbers lie from lo to hi, at most math.MaxInt64.
func span(lo, hi uint64) int64 {
	if hi-lo >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(hi-lo) + 1
}

func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
