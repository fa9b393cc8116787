package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/frames"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// Replay gives the messages of a CSV in the order of time.
type Replay struct {
	m      *Mapping
	rows   []row
	format message.Format
	shift  int64 // ms
	next   int

	Faults []FaultError // rows that were left out
}

// Open reads and maps a whole CSV.
func Open(r io.Reader, m *Mapping, f message.Format) (*Replay, error) {
	if f == message.Frames {
		if err := m.sayable(); err != nil {
			return nil, err
		}
	}
	rows, faults, err := m.readRows(r)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.Join(fmt.Errorf("csv: no row to replay, %d faulty ones", len(faults)), first(faults))
	}
	return &Replay{m: m, rows: rows, format: f, Faults: faults}, nil
}

// sayable tells what of the mapping no sentence can say.
func (m *Mapping) sayable() error {
	if len(m.Lanes) > 1 {
		return fmt.Errorf("map: %d lanes, and a sentence has one: map one lane a file", len(m.Lanes))
	}
	for _, lane := range m.Lanes {
		_, kr := lane["KR"]
		if _, unknown := lane["unknown"]; kr && unknown {
			return errors.New("map: a sentence has no place for unknown beside KR: map one of them")
		}
	}
	return nil
}

func first(faults []FaultError) error {
	if len(faults) == 0 {
		return nil
	}
	return faults[0]
}

// Span returns the first and last time, shifted, Unix ms.
func (r *Replay) Span() (from, to int64) {
	return r.rows[0].at + r.shift, r.rows[len(r.rows)-1].at + r.shift
}

// Devices lists the devices that speak, sorted.
func (r *Replay) Devices() []string {
	seen := map[string]bool{}
	var list []string
	for i := range r.rows {
		if id := r.rows[i].device; !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// ShiftTo moves all times by whole minutes, so that the last one is at most a
// minute before now when the replay ends, whose speed is given (0: at once).
func (r *Replay) ShiftTo(now time.Time, speed float64) {
	from, to := r.rows[0].at, r.rows[len(r.rows)-1].at
	end := now.UnixMilli()
	if speed > 0 {
		end += int64(float64(to-from) / speed)
	}
	const minute = 60_000
	shift := end - to
	r.shift = shift - ((shift%minute)+minute)%minute
}

// Next returns the next message; false at the end. What the row says is sent
// as it is, also where it cannot be: whether the gateway must take it is told
// by decoding the payload.
func (r *Replay) Next() (message.Message, bool) {
	if r.next == len(r.rows) {
		return message.Message{}, false
	}
	o := &r.rows[r.next]
	r.next++
	at := o.at + r.shift
	m := message.Message{SendAt: at, Device: o.device, Kind: r.m.kind, Seq: o.seq, At: at}
	var d wire.Decoded
	if r.format == message.Frames {
		m.Payload = r.frame(o, at)
		d, _ = frames.Decode(m.Payload)
	} else {
		m.Payload = r.native(o, at)
		d = native.Decode(o.device, m.Payload)
	}
	switch {
	case len(d.Readings) == 0:
		m.Expect, m.Reason = message.Refused, d.Refused[0].Reason
	case o.again:
		m.Expect, m.Reading = message.Duplicate, &d.Readings[0]
	default:
		m.Expect, m.Reading = message.Accepted, &d.Readings[0]
	}
	return m, true
}

// native writes the row as JSON; a number that is none is written as text, for
// the gateway to refuse.
func (r *Replay) native(o *row, at int64) []byte {
	out := map[string]any{
		"kind": r.m.Kind, "seq": o.seq, "at": time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.999Z07:00"),
	}
	for name, s := range o.values {
		out[name] = literal(members[r.m.kind][name], s)
	}
	if r.m.kind == city.KindTraffic {
		lanes := make([]any, 0, len(o.lanes))
		for _, values := range o.lanes {
			lane, counts := map[string]any{}, map[string]any{}
			for name, s := range values {
				if laneMembers[name] == 'c' {
					counts[name] = literal('n', s)
				} else {
					lane[name] = literal(laneMembers[name], s)
				}
			}
			if len(counts) > 0 {
				lane["counts"] = counts
			}
			lanes = append(lanes, lane)
		}
		out["lanes"] = lanes
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // maps of strings and checked numbers
	}
	return text
}

func literal(kind byte, s string) any {
	switch {
	case kind == 'n' && json.Valid([]byte(s)) && (s[0] == '-' || (s[0] >= '0' && s[0] <= '9')):
		return json.Number(s)
	case kind == 'b':
		if v, err := strconv.ParseBool(s); err == nil {
			return v
		}
	}
	return s
}

// frame writes the row as a sentence; a lane each is one row's only lane, and
// vehicles of no class are told as KR, as which the gateway counts them.
func (r *Replay) frame(o *row, at int64) []byte {
	fields := []string{"", o.device, "", strconv.FormatUint(o.seq, 10), strconv.FormatInt(at, 10)}
	v := o.values
	switch r.m.kind {
	case city.KindSpot:
		fields[0] = "PSGSP"
		fields = append(fields, bit(v["occupied"]))
	case city.KindGate:
		fields[0] = "PSGGT"
		fields = append(fields, v["direction"], v["class"])
	case city.KindCount:
		fields[0] = "PSGCT"
		fields = append(fields, v["class"], v["occupied"])
	case city.KindTraffic:
		l := o.lanes[0]
		kr := l["KR"]
		if kr == "" {
			kr = l["unknown"]
		}
		fields[0] = "PSGTC"
		fields = append(fields, v["period_s"], l["lane"], l["direction"], l["SM"], kr, l["KB"], l["KTB"], l["speed_kmh"], l["occupancy_pct"])
	case city.KindReceipt:
		fields[0] = "PSGTM"
		fields = append(fields, v["receipt"], v["class"], v["amount"], v["method"], bit(v["void"]), v["total_count"], v["total_amount"])
	case city.KindNone, city.KindHealth:
	}
	return frames.Seal(strings.Join(fields, ","))
}

func bit(s string) string {
	if v, err := strconv.ParseBool(s); err == nil {
		if v {
			return "1"
		}
		return "0"
	}
	return s
}
