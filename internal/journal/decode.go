package journal

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
)

// decoder makes readings of bytes. It takes their memory in small slabs, which
// costs a fraction of an allocation each; it is not for concurrent use.
type decoder struct {
	names    interner
	sources  []string
	readings []city.Reading
	spots    []city.Spot
	gates    []city.Gate
	counts   []city.Count
	traffics []city.Traffic
	lanes    []city.Lane
}

const slab = 64

// take returns the next free element of the slab.
func take[T any](s *[]T) *T {
	if len(*s) == cap(*s) {
		*s = make([]T, 0, slab)
	}
	*s = (*s)[:len(*s)+1]
	return &(*s)[len(*s)-1]
}

func (d *decoder) reading(r *reader) *city.Reading {
	r.version("reading")
	kind := r.byte()
	v := take(&d.readings)
	v.Kind, v.HasBoot = city.Kind(kind&^kindHasBoot), kind&kindHasBoot != 0
	v.Device = r.name()
	if v.HasBoot {
		v.Boot = r.uint()
	}
	v.Seq = r.uint()
	v.At = r.int()
	if r.err != nil {
		return v
	}
	switch v.Kind {
	case city.KindSpot:
		v.Spot = take(&d.spots)
		decodeSpot(r, v.Spot)
	case city.KindGate:
		v.Gate = take(&d.gates)
		bits := r.bits(3)
		v.Gate.Out = bits&1 != 0
		v.Gate.Class = city.Class(r.byte())
		v.Gate.Count = r.uint32()
		v.Gate.Total = r.someInt(bits&2 != 0)
	case city.KindCount:
		v.Count = take(&d.counts)
		v.Count.Class = city.Class(r.byte())
		v.Count.Occupied = r.uint32()
	case city.KindTraffic:
		v.Traffic = take(&d.traffics)
		d.traffic(r, v.Traffic)
	case city.KindReceipt:
		v.Receipt = &city.Receipt{}
		decodeReceipt(r, v.Receipt)
	case city.KindHealth:
		v.Health = &city.Health{}
		decodeHealth(r, v.Health)
	case city.KindNone:
		fallthrough
	default:
		r.fail(fmt.Errorf("kind %d of reading is not known: written by a newer version of the program", v.Kind))
	}
	return v
}

func decodeSpot(r *reader, s *city.Spot) {
	bits := r.bits(63)
	s.Occupied = bits&1 != 0
	s.DwellS = r.someInt(bits&2 != 0)
	s.Battery = r.someMilli(bits&4 != 0)
	s.Temperature = r.someMilli(bits&8 != 0)
	s.RSSI = r.someMilli(bits&16 != 0)
	s.SNR = r.someMilli(bits&32 != 0)
}

func (d *decoder) traffic(r *reader, t *city.Traffic) {
	t.PeriodS = r.uint32()
	n := r.count(2)
	if n == 0 {
		return
	}
	if cap(d.lanes)-len(d.lanes) < n {
		d.lanes = make([]city.Lane, 0, max(slab, n))
	}
	used := len(d.lanes)
	d.lanes = d.lanes[:used+n]
	t.Lanes = d.lanes[used : used+n : used+n]
	for i := range t.Lanes {
		l := &t.Lanes[i]
		l.Lane = r.uint16()
		bits := r.bits(31)
		l.Backward, l.HasCounts = bits&1 != 0, bits&2 != 0
		if l.HasCounts {
			for _, n := range [...]*uint32{&l.SM, &l.KR, &l.KB, &l.KTB, &l.Unknown} {
				*n = r.uint32()
			}
		}
		l.Speed = r.someMilli(bits&4 != 0)
		l.Occupancy = r.someMilli(bits&8 != 0)
		l.Total = r.someInt(bits&16 != 0)
	}
}

func decodeReceipt(r *reader, v *city.Receipt) {
	bits := r.bits(63)
	v.Number = r.string()
	v.Amount = city.Rupiah(r.int())
	v.Method, v.Class = city.Method(r.byte()), city.Class(r.byte())
	v.Void = bits&4 != 0
	v.EnteredAt = r.someInt(bits&1 != 0)
	v.LeftAt = r.someInt(bits&2 != 0)
	v.TotalCount = r.someInt(bits&8 != 0)
	v.TotalAmount = r.someInt(bits&16 != 0)
	if bits&32 == 0 {
		return
	}
	if v.PlateHash = append([]byte(nil), r.bytes()...); v.PlateHash == nil {
		r.fail(errEmptyBody)
	}
}

func decodeHealth(r *reader, h *city.Health) {
	bits := r.bits(31)
	h.Battery = r.someMilli(bits&1 != 0)
	h.UptimeS = r.someInt(bits&2 != 0)
	h.Firmware = r.string()
	if n := r.count(1); n > 0 {
		h.Errors = make([]string, n)
		for i := range h.Errors {
			h.Errors[i] = r.string()
		}
	}
	h.RSSI = r.someMilli(bits&4 != 0)
	h.SNR = r.someMilli(bits&8 != 0)
	h.BatteryPct = r.someMilli(bits&16 != 0)
}
