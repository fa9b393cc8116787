package journal

import (
	"crypto/sha256"

	"github.com/simpang-id/simpang/internal/city"
)

// version1 is the first byte of a batch, a reading, and every other body but a
// tick's. A change of an encoding is a new version beside the old one, never a
// change of this one.
const version1 = 1

const kindHasBoot = 0x80 // set in the byte of the kind

// EncodeReading appends the canonical bytes of a reading to dst: equal
// readings have equal bytes, in every version of the program. The plate as
// sent is never encoded; the number in an unset city.Int or city.Milli, the
// Boot without HasBoot and the counts without HasCounts do not count.
//
//	version 1 | kind, 0x80 where a boot follows | device | [boot] | seq | at | body of the kind
func EncodeReading(dst []byte, r *city.Reading) []byte { return encodeReading(dst, r, true) }

func encodeReading(dst []byte, r *city.Reading, plate bool) []byte {
	dst = append(dst, version1, byte(r.Kind)|bit(r.HasBoot, kindHasBoot))
	dst = appendString(dst, r.Device)
	if r.HasBoot {
		dst = appendUint(dst, r.Boot)
	}
	dst = appendUint(dst, r.Seq)
	dst = appendInt(dst, r.At)
	switch {
	case r.Kind == city.KindSpot && r.Spot != nil:
		return encodeSpot(dst, r.Spot)
	case r.Kind == city.KindGate && r.Gate != nil:
		dst = append(dst, bit(r.Gate.Out, 1)|bit(r.Gate.Total.OK, 2), byte(r.Gate.Class))
		return appendSome(appendUint(dst, uint64(r.Gate.Count)), r.Gate.Total)
	case r.Kind == city.KindCount && r.Count != nil:
		dst = append(dst, byte(r.Count.Class))
		return appendUint(dst, uint64(r.Count.Occupied))
	case r.Kind == city.KindTraffic && r.Traffic != nil:
		return encodeTraffic(dst, r.Traffic)
	case r.Kind == city.KindReceipt && r.Receipt != nil:
		return encodeReceipt(dst, r.Receipt, plate)
	case r.Kind == city.KindHealth && r.Health != nil:
		return encodeHealth(dst, r.Health)
	}
	return dst
}

func encodeSpot(dst []byte, s *city.Spot) []byte {
	dst = append(dst, bit(s.Occupied, 1)|bit(s.DwellS.OK, 2)|bit(s.Battery.OK, 4)|bit(s.Temperature.OK, 8)|bit(s.RSSI.OK, 16)|bit(s.SNR.OK, 32))
	if s.DwellS.OK {
		dst = appendInt(dst, s.DwellS.V)
	}
	if s.Battery.OK {
		dst = appendInt(dst, s.Battery.V)
	}
	if s.Temperature.OK {
		dst = appendInt(dst, s.Temperature.V)
	}
	if s.RSSI.OK {
		dst = appendInt(dst, s.RSSI.V)
	}
	return appendSome(dst, city.Int(s.SNR))
}

func encodeTraffic(dst []byte, t *city.Traffic) []byte {
	dst = appendUint(dst, uint64(t.PeriodS))
	dst = appendUint(dst, uint64(len(t.Lanes)))
	for i := range t.Lanes {
		l := &t.Lanes[i]
		dst = appendUint(dst, uint64(l.Lane))
		dst = append(dst, bit(l.Backward, 1)|bit(l.HasCounts, 2)|bit(l.Speed.OK, 4)|bit(l.Occupancy.OK, 8)|bit(l.Total.OK, 16))
		if l.HasCounts {
			for _, n := range [...]uint32{l.SM, l.KR, l.KB, l.KTB, l.Unknown} {
				dst = appendUint(dst, uint64(n))
			}
		}
		if l.Speed.OK {
			dst = appendInt(dst, l.Speed.V)
		}
		if l.Occupancy.OK {
			dst = appendInt(dst, l.Occupancy.V)
		}
		dst = appendSome(dst, l.Total)
	}
	return dst
}

func encodeReceipt(dst []byte, r *city.Receipt, plate bool) []byte {
	plate = plate && len(r.PlateHash) > 0
	dst = append(dst, bit(r.EnteredAt.OK, 1)|bit(r.LeftAt.OK, 2)|bit(r.Void, 4)|bit(r.TotalCount.OK, 8)|bit(r.TotalAmount.OK, 16)|bit(plate, 32))
	dst = appendString(dst, r.Number)
	dst = appendInt(dst, int64(r.Amount))
	dst = append(dst, byte(r.Method), byte(r.Class))
	for _, v := range [...]city.Int{r.EnteredAt, r.LeftAt, r.TotalCount, r.TotalAmount} {
		if v.OK {
			dst = appendInt(dst, v.V)
		}
	}
	if plate {
		dst = appendUint(dst, uint64(len(r.PlateHash)))
		dst = append(dst, r.PlateHash...)
	}
	return dst
}

func encodeHealth(dst []byte, h *city.Health) []byte {
	dst = append(dst, bit(h.Battery.OK, 1)|bit(h.UptimeS.OK, 2)|bit(h.RSSI.OK, 4)|bit(h.SNR.OK, 8)|bit(h.BatteryPct.OK, 16))
	if h.Battery.OK {
		dst = appendInt(dst, h.Battery.V)
	}
	if h.UptimeS.OK {
		dst = appendInt(dst, h.UptimeS.V)
	}
	dst = appendString(dst, h.Firmware)
	dst = appendUint(dst, uint64(len(h.Errors)))
	for _, e := range h.Errors {
		dst = appendString(dst, e)
	}
	for _, v := range [...]city.Milli{h.RSSI, h.SNR, h.BatteryPct} {
		dst = appendSome(dst, city.Int(v))
	}
	return dst
}

// appendSome appends a number that a bit says is there.
func appendSome(dst []byte, v city.Int) []byte {
	if !v.OK {
		return dst
	}
	return appendInt(dst, v.V)
}

// DecodeReading returns the reading of which b are the canonical bytes. Bytes
// that EncodeReading would not have written are an error.
func DecodeReading(b []byte) (*city.Reading, error) {
	var d decoder
	r := reader{b: b}
	reading := d.reading(&r)
	if err := r.end(); err != nil {
		return nil, err
	}
	return reading, nil
}

// ContentHash is the first half of the SHA-256 of a reading's canonical bytes
// without what makes a plate anonymous: the same message hashes to the same
// value also when the month's key has changed.
func ContentHash(r *city.Reading) [16]byte {
	var buf [512]byte
	sum := sha256.Sum256(encodeReading(buf[:0], r, false))
	return [16]byte(sum[:16])
}
