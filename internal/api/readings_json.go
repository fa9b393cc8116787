package api

import (
	"slices"
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// readingList writes a page as ReadingList is encoded. A month of one sensor
// is ten thousand readings: through encoding/json they cost more than all else.
func (s *Server) readingList(found []journal.Entry, next TextOrNull, missing string) []byte {
	const each = 288 // bytes, a little more than a spot's
	dst := append(make([]byte, 0, each*len(found)+64), `{"items":[`...)
	times := days{zone: s.zone}
	for i := range found {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.appendReading(dst, &found[i], &times)
	}
	dst = append(dst, `],"next":`...)
	dst = append(dst, encode(next)...)
	if missing != "" {
		dst = append(append(dst, `,"quality":"`+partial+`","missing":`...), encode(missing)...)
	}
	return append(dst, '}')
}

// appendReading appends what encode makes of reading's answer.
func (s *Server) appendReading(dst []byte, e *journal.Entry, times *days) []byte {
	r := e.Reading
	if !quick(r) || !plain(e.Source) {
		return append(dst, encode(s.reading(e))...)
	}
	dst = strconv.AppendUint(append(dst, `{"pos":`...), e.Pos, 10)
	dst = append(append(dst, `,"kind":"`...), r.Kind.String()...)
	dst = append(dst, `","boot":`...)
	if r.HasBoot {
		dst = strconv.AppendUint(dst, r.Boot, 10)
	} else {
		dst = append(dst, "null"...)
	}
	dst = strconv.AppendUint(append(dst, `,"seq":`...), r.Seq, 10)
	dst = times.append(append(dst, `,"at":"`...), r.At)
	dst = times.append(append(dst, `","received_at":"`...), e.Recv)
	dst = append(append(dst, `","source":"`...), e.Source...)
	dst = append(dst, `","flags":[`...)
	if e.Flags != 0 {
		dst = appendPlain(dst, flagNames(e.Flags))
	}
	dst = append(dst, ']')
	switch {
	case r.Spot != nil:
		dst = strconv.AppendBool(append(dst, `,"occupied":`...), r.Spot.Occupied)
		if r.Spot.DwellS.OK {
			dst = strconv.AppendInt(append(dst, `,"dwell_s":`...), r.Spot.DwellS.V, 10)
		}
		dst = appendMilli(dst, `,"battery_v":`, r.Spot.Battery)
		dst = appendMilli(dst, `,"temperature_c":`, r.Spot.Temperature)
		dst = appendMilli(dst, `,"rssi_dbm":`, r.Spot.RSSI)
		dst = appendMilli(dst, `,"snr_db":`, r.Spot.SNR)
	case r.Gate != nil:
		direction := `,"direction":"in"`
		if r.Gate.Out {
			direction = `,"direction":"out"`
		}
		dst = appendClass(append(dst, direction...), r.Gate.Class)
		dst = strconv.AppendUint(append(dst, `,"count":`...), uint64(r.Gate.Count), 10)
		if r.Gate.Total.OK {
			dst = strconv.AppendInt(append(dst, `,"total":`...), r.Gate.Total.V, 10)
		}
	case r.Health != nil:
		dst = appendHealth(dst, r.Health)
	default:
		dst = strconv.AppendUint(append(dst, `,"occupied":`...), uint64(r.Count.Occupied), 10)
		dst = appendClass(dst, r.Count.Class)
	}
	return append(dst, '}')
}

// quick tells whether appendReading writes a reading of this kind itself.
func quick(r *city.Reading) bool {
	if h := r.Health; h != nil {
		return plain(h.Firmware) && !slices.ContainsFunc(h.Errors, func(text string) bool { return !plain(text) })
	}
	return r.Spot != nil || r.Count != nil || r.Gate != nil
}

func appendHealth(dst []byte, h *city.Health) []byte {
	dst = appendMilli(dst, `,"battery_v":`, h.Battery)
	dst = appendMilli(dst, `,"rssi_dbm":`, h.RSSI)
	if h.UptimeS.OK {
		dst = strconv.AppendInt(append(dst, `,"uptime_s":`...), h.UptimeS.V, 10)
	}
	if h.Firmware != "" {
		dst = append(append(append(dst, `,"firmware":"`...), h.Firmware...), '"')
	}
	if len(h.Errors) > 0 {
		dst = append(appendPlain(append(dst, `,"errors":[`...), h.Errors), ']')
	}
	dst = appendMilli(dst, `,"snr_db":`, h.SNR)
	return appendMilli(dst, `,"battery_pct":`, h.BatteryPct)
}

// appendPlain appends texts in quotes, with commas.
func appendPlain(dst []byte, texts []string) []byte {
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), text...), '"')
	}
	return dst
}

func appendClass(dst []byte, class city.Class) []byte {
	name := class.String()
	if name == "" {
		return dst
	}
	return append(append(append(dst, `,"class":"`...), name...), '"')
}

// appendMilli appends a member where its value is known.
func appendMilli(dst []byte, name string, m city.Milli) []byte {
	if !m.OK {
		return dst
	}
	const exact = 1 << 50 // what a float64 has to the last digit
	dst = append(dst, name...)
	v := m.V
	if v <= -exact || v >= exact {
		return strconv.AppendFloat(dst, float64(v)/1000, 'f', -1, 64)
	}
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	dst = strconv.AppendInt(dst, v/1000, 10)
	switch frac := v % 1000; {
	case frac == 0:
		return dst
	case frac%100 == 0:
		return append(dst, '.', byte('0'+frac/100))
	case frac%10 == 0:
		return append(dst, '.', byte('0'+frac/100), byte('0'+frac/10%10))
	default:
		return append(dst, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	}
}

// plain tells whether a text stands in JSON as it is.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
