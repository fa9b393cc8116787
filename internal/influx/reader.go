package influx

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// Reader reads readings back from one target.
type Reader struct {
	client *client
	origin Origin
	rows   int // of one answer, at most
}

// NewReader makes a reader. It asks nothing.
func NewReader(o Server, origin Origin) (*Reader, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	return &Reader{client: c, origin: origin, rows: mostRows}, nil
}

// Close lets go of the connections.
func (r *Reader) Close() error { return r.client.close() }

// Kinds are those that are read back. Receipts are not: their numbers never
// leave the gateway, which keeps them for the years of the books.
var Kinds = []city.Kind{city.KindSpot, city.KindGate, city.KindCount, city.KindTraffic, city.KindHealth}

// The spans of one question: short where readings are dense.
const (
	firstSpan = msPerDay
	mostSpan  = 512 * msPerDay
	leastSpan = 1000
)

// mostRows bounds an answer where its rows are small, and what the server takes
// into its own memory for it.
const mostRows = 1 << 16

// point is an entry and the time of its point, ns.
type point struct {
	ns     int64
	entry  journal.Entry
	places []place // of the lanes of a traffic reading
}

// place is where a lane stands among how many.
type place struct{ n, many int }

// key names a point among those of a device.
func (p *point) key() pointKey { return pointKey{p.ns, p.entry.Reading.Kind} }

type pointKey struct {
	ns   int64
	kind city.Kind
}

// keyOf is the key that an entry's point has.
func keyOf(e *journal.Entry) pointKey {
	return pointKey{nanos(e.Reading.At, tieOf(e.Reading.Boot, e.Reading.Seq)), e.Reading.Kind}
}

// answer is what a target has of a device.
type answer struct {
	found  []point
	upTo   int64 // Unix ms: all before it is there
	broken int   // readings that are not there whole, or not as we write them: left out
}

// readings returns a device's readings of some kinds in [from, to), ms, after a
// place (nil: from the begin), in the order of time and position: at least
// enough of them where there are so many, and all before upTo.
func (r *Reader) readings(ctx context.Context, device string, kinds []city.Kind, from, to int64, after *series.Cursor, enough int) (a answer, err error) {
	if !idPattern.MatchString(device) {
		return a, fmt.Errorf("influx: %q is no id that can be asked for", device)
	}
	ctx, cancel := context.WithTimeout(ctx, r.client.o.Timeout)
	defer cancel()
	for span := int64(firstSpan); from < to; {
		until := to
		if to-from > span {
			until = from + span
		}
		part, broken, err := r.span(ctx, device, kinds, from, until)
		if errors.Is(err, errTooMuch) && until-from > leastSpan { // dense after long silence: asked for in smaller parts
			span = (until - from) / 2
			continue
		}
		if err != nil {
			return answer{}, err
		}
		if after != nil {
			part = slices.DeleteFunc(part, func(p point) bool { return compare(cursorAt(&p.entry), *after) <= 0 })
		}
		a.found, a.broken = append(a.found, part...), a.broken+broken
		from = until
		if len(a.found) >= enough {
			break
		}
		if len(part) < enough/4 {
			span = min(2*span, mostSpan)
		}
	}
	a.upTo = from
	return a, nil
}

// span asks one question.
func (r *Reader) span(ctx context.Context, device string, kinds []city.Kind, from, to int64) (found []point, broken int, err error) {
	result, err := r.client.query.Query(ctx, readingsQuery(r.client.o.Bucket, r.origin, device, kinds, from, to, r.rows+1))
	if err != nil {
		end, why, _ := judge(err)
		if end == person {
			_ = r.client.transport.renew() // a token that was put in its place holds from the next question on
			why += "; reading back needs a token that may read the bucket too"
		}
		return nil, 0, fmt.Errorf("influx: %s", why)
	}
	defer func() { _ = result.Close() }() // it was read
	lanes, odd := map[pointKey]*point{}, map[pointKey]bool{}
	for rows := 0; result.Next(); {
		if rows++; rows > r.rows {
			return nil, 0, errTooMuch
		}
		p, err := decode(result.Record().Values(), device)
		switch {
		case err != nil && p == nil:
			broken++
		case err != nil:
			odd[p.key()] = true
		case p.entry.Reading.Traffic == nil:
			found = append(found, *p)
		case lanes[p.key()] != nil:
			one := lanes[p.key()]
			one.entry.Reading.Traffic.Lanes = append(one.entry.Reading.Traffic.Lanes, p.entry.Reading.Traffic.Lanes...)
			one.places = append(one.places, p.places...)
		default:
			lanes[p.key()] = p
		}
	}
	if err := result.Err(); err != nil {
		if errors.Is(err, errTooMuch) {
			return nil, 0, errTooMuch
		}
		_, why, _ := judge(err)
		return nil, 0, fmt.Errorf("influx: %s", why)
	}
	for key, p := range lanes {
		if odd[key] || !p.order() {
			odd[key] = true
			continue
		}
		found = append(found, *p)
	}
	slices.SortFunc(found, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.entry.Reading.At, b.entry.Reading.At), cmp.Compare(a.entry.Pos, b.entry.Pos))
	})
	return found, broken + len(odd), nil
}

// order puts the lanes of a reading in their places; false where one lacks.
func (p *point) order() bool {
	lanes := make([]city.Lane, len(p.places))
	seen := make([]bool, len(p.places))
	for i, at := range p.places {
		if at.many != len(lanes) || at.n < 0 || at.n >= len(lanes) || seen[at.n] {
			return false
		}
		lanes[at.n], seen[at.n] = p.entry.Reading.Traffic.Lanes[i], true
	}
	p.entry.Reading.Traffic.Lanes = lanes
	return true
}

// row reads the columns of a pivoted row.
type row struct {
	values map[string]any
	err    error
}

func (r *row) int(key string) (v city.Int) {
	switch n := r.values[key].(type) {
	case nil:
	case int64:
		return city.SomeInt(n)
	case float64: // a server that keeps floats only
		if n == float64(int64(n)) {
			return city.SomeInt(int64(n))
		}
		r.bad(key)
	default:
		r.bad(key)
	}
	return v
}

func (r *row) milli(key string) city.Milli {
	switch n := r.values[key].(type) {
	case nil:
		return city.Milli{}
	case float64:
		return city.MilliOf(n)
	case int64:
		return city.SomeMilli(n * 1000)
	}
	r.bad(key)
	return city.Milli{}
}

func (r *row) text(key string) string {
	s, ok := r.values[key].(string)
	if !ok && r.values[key] != nil {
		r.bad(key)
	}
	return s
}

func (r *row) need(key string) int64 {
	v := r.int(key)
	if !v.OK {
		r.bad(key)
	}
	return v.V
}

func (r *row) bad(key string) {
	if r.err == nil {
		r.err = fmt.Errorf("influx: field %s of %v is missing or none of ours: somebody else writes to this bucket", key, r.values["_measurement"])
	}
}

// decode makes an entry of a row; a traffic reading has one of its lanes. With
// an error the point has its time and kind, where these are known.
func decode(values map[string]any, device string) (*point, error) {
	r := &row{values: values}
	at, ok := values["_time"].(time.Time)
	kind, known := city.ParseKind(r.text("_measurement"))
	if !ok || !known {
		return nil, errors.New("influx: a row has no time or is no reading")
	}
	boot := r.int("boot")
	reading := &city.Reading{
		Device: device, Kind: kind, HasBoot: boot.OK, Boot: uint64(boot.V), Seq: uint64(r.need("seq")),
		At: at.Truncate(time.Millisecond).UnixMilli(),
	}
	p := &point{ns: at.UnixNano(), entry: journal.Entry{
		Pos: uint64(r.need("pos")), Recv: r.need("recv"), Type: journal.TypeReading, Flags: journal.Flags(r.int("flags").V), Source: r.text("source"), Reading: reading,
	}}
	class, _ := city.ParseClass(r.text("class"))
	switch kind {
	case city.KindSpot:
		reading.Spot = &city.Spot{
			Occupied: r.need("occupied") != 0, DwellS: r.int("dwell_s"), Battery: r.milli("battery_v"),
			Temperature: r.milli("temperature_c"), RSSI: r.milli("rssi_dbm"), SNR: r.milli("snr_db"),
		}
	case city.KindGate:
		in, out := r.int("in"), r.int("out")
		if in.OK == out.OK {
			r.bad("in")
		}
		reading.Gate = &city.Gate{Out: out.OK, Class: class, Count: uint32(in.V + out.V), Total: r.int("total")}
	case city.KindCount:
		reading.Count = &city.Count{Class: class, Occupied: uint32(r.need("occupied"))}
	case city.KindHealth:
		h := &city.Health{
			Battery: r.milli("battery_v"), BatteryPct: r.milli("battery_pct"), RSSI: r.milli("rssi_dbm"), SNR: r.milli("snr_db"),
			UptimeS: r.int("uptime_s"), Firmware: r.text("firmware"),
		}
		if list := r.text("errors"); list != "" && json.Unmarshal([]byte(list), &h.Errors) != nil {
			r.bad("errors")
		}
		reading.Health = h
	case city.KindTraffic:
		number, err := strconv.ParseUint(r.text("lane"), 10, 16)
		if err != nil {
			r.bad("lane")
		}
		sm := r.int("sm")
		reading.Traffic = &city.Traffic{PeriodS: uint32(r.need("period_s")), Lanes: []city.Lane{{
			Lane: uint16(number), Backward: r.text("direction") == "backward", HasCounts: sm.OK,
			SM: uint32(sm.V), KR: uint32(r.int("kr").V), KB: uint32(r.int("kb").V), KTB: uint32(r.int("ktb").V), Unknown: uint32(r.int("unknown").V),
			Total: r.int("total"), Speed: r.milli("speed_kmh"), Occupancy: r.milli("occupancy_pct"),
		}}}
		p.places = []place{{int(r.need("place")), int(r.need("lanes"))}}
	default:
		return nil, errors.New("influx: receipts are not read back")
	}
	return p, r.err
}
