package traffic

import (
	"cmp"
	"encoding/binary"
	"errors"
	"sort"
)

// How long a lane's samples are kept for its present: half an hour of
// hysteresis and the window before it.
const (
	windowMS  = 15 * 60_000
	lookBack  = 30 * 60_000
	keepMS    = windowMS + lookBack
	keepLeast = 3    // samples, however old: long periods need two
	keepMost  = 4096 // samples: a device that floods is bounded
)

// window is the newest samples of one device on one lane in the order of
// their end. What it holds depends on which samples came, not on their order.
type window struct {
	samples []sample
}

// compare orders samples by time, then by content, so that equal times do not
// fall back on arrival.
func (s *sample) compare(o *sample) int {
	if s.End != o.End {
		return cmp.Compare(s.End, o.End)
	}
	return cmp.Or(
		cmp.Compare(s.PeriodMS, o.PeriodMS), compareBool(s.Counted, o.Counted),
		cmp.Compare(s.SM, o.SM), cmp.Compare(s.KR, o.KR), cmp.Compare(s.KB, o.KB),
		cmp.Compare(s.KTB, o.KTB), cmp.Compare(s.Unknown, o.Unknown),
		cmp.Compare(s.SpeedM, o.SpeedM), cmp.Compare(s.Occupancy, o.Occupancy),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// last returns the newest sample, nil if there is none.
func (w *window) last() *sample {
	if len(w.samples) == 0 {
		return nil
	}
	return &w.samples[len(w.samples)-1]
}

// add puts s in its place, unless it is too old to matter to the present.
func (w *window) add(s sample) {
	n := len(w.samples)
	i := n
	for i > 0 && w.samples[i-1].compare(&s) > 0 {
		i--
		if n-i > 64 { // far back: search
			i = sort.Search(i, func(k int) bool { return w.samples[k].compare(&s) > 0 })
			break
		}
	}
	if i == 0 && n >= keepMost {
		return
	}
	w.samples = append(w.samples, s)
	copy(w.samples[i+1:], w.samples[i:n])
	w.samples[i] = s
	w.prune()
}

func (w *window) prune() {
	n := len(w.samples)
	cut := max(0, n-keepMost)
	horizon := w.samples[n-1].End - keepMS
	for cut < n-keepLeast && w.samples[cut].End <= horizon {
		cut++
	}
	w.samples = w.samples[cut:] // append moves what is left when the array is full
}

// until returns how many samples end at t or before.
func (w *window) until(t int64) int {
	n := len(w.samples)
	if n > 0 && w.samples[n-1].End <= t {
		return n
	}
	return sort.Search(n, func(i int) bool { return w.samples[i].End > t })
}

const windowFormat = 1

var errWindow = errors.New("the kept samples of a lane are damaged: remove the traffic store, it is rebuilt from the journal")

func (w *window) encode() []byte {
	b := make([]byte, 0, 16+16*len(w.samples))
	b = append(b, windowFormat)
	b = binary.AppendUvarint(b, uint64(len(w.samples)))
	var before int64
	for i := range w.samples {
		s := &w.samples[i]
		b = binary.AppendVarint(b, s.End-before)
		before = s.End
		b = binary.AppendUvarint(b, uint64(s.PeriodMS))
		counted := byte(0)
		if s.Counted {
			counted = 1
		}
		b = append(b, counted)
		for _, n := range []uint32{s.SM, s.KR, s.KB, s.KTB, s.Unknown} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		b = binary.AppendVarint(b, s.SpeedM)
		b = binary.AppendVarint(b, s.Occupancy)
	}
	return b
}

func decodeWindow(b []byte) (window, error) {
	d := decoder{b: b}
	if d.byte() != windowFormat {
		return window{}, errWindow
	}
	n := d.uvarint()
	if n > keepMost {
		return window{}, errWindow
	}
	w := window{samples: make([]sample, 0, n)}
	var before int64
	for range n {
		s := sample{End: before + d.varint()}
		before = s.End
		s.PeriodMS = int64(d.uvarint())
		s.Counted = d.byte() == 1
		for _, to := range []*uint32{&s.SM, &s.KR, &s.KB, &s.KTB, &s.Unknown} {
			*to = uint32(d.uvarint())
		}
		s.SpeedM, s.Occupancy = d.varint(), d.varint()
		w.samples = append(w.samples, s)
	}
	if d.bad || len(d.b) > 0 {
		return window{}, errWindow
	}
	return w, nil
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}
