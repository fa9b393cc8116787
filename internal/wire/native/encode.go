package native

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// Encode returns a reading as the JSON object of contract section 2, its
// optional members only where they are known. Decode of it gives the reading
// back, the device (which the topic says) and PlateHash aside. What Decode
// would refuse is encoded all the same: a simulator must be able to be wrong.
func Encode(r *city.Reading) []byte { return Append(nil, r) }

// EncodeArray returns several readings as one array; none gives "[]", which
// Decode refuses.
func EncodeArray(readings []city.Reading) []byte {
	dst := []byte{'['}
	for i := range readings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = Append(dst, &readings[i])
	}
	return append(dst, ']')
}

// Append appends what Encode returns.
func Append(dst []byte, r *city.Reading) []byte {
	w := writer{dst}
	w.b = append(w.b, `{"kind":"`...)
	w.b = append(append(w.b, r.Kind.String()...), '"')
	if r.HasBoot {
		w.name(mBoot)
		w.b = strconv.AppendUint(w.b, r.Boot, 10)
	}
	w.name(mSeq)
	w.b = strconv.AppendUint(w.b, r.Seq, 10)
	w.time(mAt, city.SomeInt(r.At))
	w.body(r)
	return append(w.b, '}')
}

type writer struct{ b []byte }

func (w *writer) body(r *city.Reading) {
	switch {
	case r.Spot != nil:
		w.boolean(mOccupied, r.Spot.Occupied)
		w.whole(mDwell, r.Spot.DwellS)
		w.measured(mBattery, r.Spot.Battery)
		w.measured(mTemperature, r.Spot.Temperature)
		w.measured(mRSSI, r.Spot.RSSI)
	case r.Gate != nil:
		w.either(mDirection, r.Gate.Out, "out", "in")
		w.text(mClass, r.Gate.Class.String())
		if r.Gate.Count != 1 {
			w.whole(mCount, city.SomeInt(int64(r.Gate.Count)))
		}
		w.whole(mCounter, r.Gate.Total)
		w.whole(mCounterEnd, city.Int{V: r.Gate.End, OK: r.Gate.End != 0})
	case r.Count != nil:
		w.text(mClass, r.Count.Class.String())
		w.whole(mOccupied, city.SomeInt(int64(r.Count.Occupied)))
	case r.Traffic != nil:
		w.traffic(r.Traffic)
	case r.Receipt != nil:
		w.receipt(r.Receipt)
	case r.Health != nil:
		w.measured(mBattery, r.Health.Battery)
		w.whole(mUptime, r.Health.UptimeS)
		w.text(mFirmware, r.Health.Firmware)
		if len(r.Health.Errors) > 0 {
			w.name(mErrors)
			for i, text := range r.Health.Errors {
				w.b = append(w.b, "[,"[min(i, 1)])
				w.quote(text)
			}
			w.b = append(w.b, ']')
		}
	}
}

func (w *writer) traffic(t *city.Traffic) {
	w.whole(mPeriod, city.SomeInt(int64(t.PeriodS)))
	w.name(mLanes)
	w.b = append(w.b, '[')
	for i, l := range t.Lanes {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, `{"lane":`...)
		w.b = strconv.AppendUint(w.b, uint64(l.Lane), 10)
		if l.Backward {
			w.text(mDirection, "backward")
		}
		if l.HasCounts {
			w.name(mCounts)
			for _, c := range [...]struct {
				name string
				n    uint32
			}{{`{"SM":`, l.SM}, {`,"KR":`, l.KR}, {`,"KB":`, l.KB}, {`,"KTB":`, l.KTB}} {
				w.b = strconv.AppendUint(append(w.b, c.name...), uint64(c.n), 10)
			}
			if l.Unknown > 0 {
				w.b = strconv.AppendUint(append(w.b, `,"unknown":`...), uint64(l.Unknown), 10)
			}
			w.b = append(w.b, '}')
		} else {
			w.name(mCounts)
			w.b = append(w.b, "{}"...)
		}
		w.measured(mSpeed, l.Speed)
		w.measured(mOccupancy, l.Occupancy)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *writer) receipt(r *city.Receipt) {
	w.name(mReceipt)
	w.quote(r.Number)
	w.whole(mAmount, city.SomeInt(int64(r.Amount)))
	w.text(mMethod, r.Method.String())
	w.text(mClass, r.Class.String())
	w.time(mEntered, r.EnteredAt)
	w.time(mLeft, r.LeftAt)
	if r.Void {
		w.boolean(mVoid, true)
	}
	w.text(mPlate, r.Plate)
	w.whole(mTotalCount, r.TotalCount)
	w.whole(mTotalAmount, r.TotalAmount)
}

func (w *writer) name(m member) {
	w.b = append(w.b, ',', '"')
	w.b = append(w.b, m.String()...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) boolean(m member, v bool) {
	w.name(m)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *writer) either(m member, v bool, yes, no string) {
	if !v {
		yes = no
	}
	w.text(m, yes)
}

// text writes a string member, nothing where the string is empty.
func (w *writer) text(m member, v string) {
	if v != "" {
		w.name(m)
		w.quote(v)
	}
}

func (w *writer) whole(m member, v city.Int) {
	if v.OK {
		w.name(m)
		w.b = strconv.AppendInt(w.b, v.V, 10)
	}
}

func (w *writer) measured(m member, v city.Milli) {
	if v.OK {
		w.name(m)
		w.b = wire.AppendMilli(w.b, v.V)
	}
}

// time writes Unix ms in UTC, the fraction only where there is one.
func (w *writer) time(m member, v city.Int) {
	if v.OK {
		w.name(m)
		w.b = append(w.b, '"')
		w.b = time.UnixMilli(v.V).UTC().AppendFormat(w.b, "2006-01-02T15:04:05.999Z07:00")
		w.b = append(w.b, '"')
	}
}

// quote writes a JSON string (RFC 8259, section 7); what is no UTF-8 becomes
// U+FFFD.
func (w *writer) quote(s string) {
	const hex = "0123456789abcdef"
	w.b = append(w.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b = append(w.b, '\\', byte(r))
		case r < 0x20:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			w.b = utf8.AppendRune(w.b, r)
		}
	}
	w.b = append(w.b, '"')
}
