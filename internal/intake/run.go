package intake

import (
	"math"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
)

// span is a range of sequence numbers, both ends seen.
type span struct{ lo, hi uint64 }

// anchor is the device time of one sequence number of a run without boot.
type anchor struct {
	seq uint64
	at  int64 // Unix ms
}

// Bounds of what one run remembers. What falls out is below the run's floor:
// it is quarantined when it comes again, never guessed.
const (
	maxSpans    = 1024
	maxBeside   = 256 // spans of readings whose numbers are made of times: each is one
	maxAnchors  = 2048
	anchorEvery = 32 // sequence numbers
)

// run is the sequence numbers seen of one boot, or, of a device that counts no
// boots, of what a falling sequence number began.
type run struct {
	hasBoot  bool
	boot     uint64
	floor    uint64 // below it nothing is remembered
	spans    []span // sorted, apart from each other
	anchors  []anchor
	lastRecv int64 // Unix ms; of the newest receive time when the run last took a reading
	newestAt int64 // Unix ms; the latest device time of the run
}

// find returns the index of the first span that ends at or after seq.
func (r *run) find(seq uint64) int {
	if n := len(r.spans); n > 0 && r.spans[n-1].lo <= seq {
		if r.spans[n-1].hi >= seq {
			return n - 1
		}
		return n
	}
	return sort.Search(len(r.spans), func(i int) bool { return r.spans[i].hi >= seq })
}

func (r *run) has(seq uint64) bool {
	i := r.find(seq)
	return i < len(r.spans) && r.spans[i].lo <= seq
}

// add notes seq, which must not be there yet.
func (r *run) add(seq uint64) {
	i := r.find(seq)
	joinsLower := i > 0 && r.spans[i-1].hi+1 == seq
	joinsUpper := i < len(r.spans) && seq+1 == r.spans[i].lo
	switch {
	case joinsLower && joinsUpper:
		r.spans[i-1].hi = r.spans[i].hi
		r.spans = append(r.spans[:i], r.spans[i+1:]...)
	case joinsLower:
		r.spans[i-1].hi = seq
	case joinsUpper:
		r.spans[i].lo = seq
	default:
		r.spans = append(r.spans, span{})
		copy(r.spans[i+1:], r.spans[i:])
		r.spans[i] = span{seq, seq}
		if len(r.spans) > maxSpans || len(r.spans) > maxBeside && r.hasBoot && r.boot == city.BesideBoot {
			r.forgetBelow(r.spans[1].lo)
		}
	}
}

func (r *run) forgetBelow(seq uint64) {
	r.floor = max(r.floor, seq)
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i].hi >= seq })
	r.spans = append(r.spans[:0], r.spans[i:]...)
	if len(r.spans) > 0 {
		r.spans[0].lo = max(r.spans[0].lo, seq)
	}
	k := sort.Search(len(r.anchors), func(i int) bool { return r.anchors[i].seq >= seq })
	r.anchors = append(r.anchors[:0], r.anchors[max(k-1, 0):]...)
}

// noteTime keeps the device time of seq where the run needs an anchor there.
// The first and the newest sequence number always are anchors.
func (r *run) noteTime(seq uint64, at int64) {
	n := len(r.anchors)
	switch {
	case n == 0:
		r.anchors = append(r.anchors, anchor{seq, at})
	case seq > r.anchors[n-1].seq:
		if n >= 2 && r.anchors[n-1].seq-r.anchors[n-2].seq < anchorEvery {
			r.anchors[n-1] = anchor{seq, at}
			return
		}
		r.anchors = append(r.anchors, anchor{seq, at})
		if len(r.anchors) > maxAnchors {
			r.forgetBelow(r.anchors[2].seq)
		}
	case seq < r.anchors[0].seq:
		if n >= 2 && r.anchors[1].seq-r.anchors[0].seq < anchorEvery {
			r.anchors[0] = anchor{seq, at}
			return
		}
		r.anchors = append(r.anchors, anchor{})
		copy(r.anchors[1:], r.anchors)
		r.anchors[0] = anchor{seq, at}
		if len(r.anchors) > maxAnchors {
			r.forgetBelow(r.anchors[2].seq)
		}
	}
}

// place is where a reading would lie in a run without boot.
type place uint8

const (
	outside place = iota // its sequence number and its time do not go together there
	below                // before all that the run has
	within
	above // after all that the run has
)

// place tells where a reading of seq at the time at would lie: in a run without
// boot sequence numbers and times grow together.
func (r *run) place(seq uint64, at int64) place {
	n := len(r.anchors)
	i := sort.Search(n, func(i int) bool { return r.anchors[i].seq >= seq })
	switch {
	case i < n && r.anchors[i].seq == seq:
		if r.anchors[i].at == at {
			return within
		}
	case i > 0 && at < r.anchors[i-1].at, i < n && at > r.anchors[i].at:
	case i == n:
		return above
	case i == 0:
		return below
	default:
		return within
	}
	return outside
}

// began returns the first device time of the run.
func (r *run) began() int64 {
	if len(r.anchors) == 0 {
		return math.MaxInt64
	}
	return r.anchors[0].at
}

// newest returns the highest sequence number and its device time.
func (r *run) newest() anchor {
	if n := len(r.anchors); n > 0 {
		return r.anchors[n-1]
	}
	return anchor{}
}
