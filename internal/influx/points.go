package influx

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// Origin is the tags that every point has.
type Origin struct {
	Gateway string // tells several gateways in one bucket apart
	City    string
}

// batch is lines of line protocol and where each ends.
type batch struct {
	text []byte
	ends []int
}

func (b *batch) reset() { b.text, b.ends = b.text[:0], b.ends[:0] }

func (b *batch) line(text []byte) {
	b.text = text
	b.ends = append(b.ends, len(text))
}

// encoder makes points of readings. It keeps what comes before the fields: a
// device's tags change only with the inventory.
type encoder struct {
	origin   Origin
	timeline *inventory.Timeline
	heads    map[head][]byte
}

// mostHeads bounds what is kept; beyond it is made anew.
const mostHeads = 1 << 16

// head is what the tags of a reading's point are made of.
type head struct {
	version *inventory.Version
	device  string
	kind    city.Kind
	class   city.Class
	method  city.Method
	lane    uint16
	back    bool
}

func newEncoder(origin Origin, timeline *inventory.Timeline) *encoder {
	return &encoder{origin: origin, timeline: timeline, heads: map[head][]byte{}}
}

// head appends measurement and tags, in the order of the tags' keys.
func (c *encoder) head(dst []byte, h head, d *inventory.Device) []byte {
	if known, ok := c.heads[h]; ok {
		return append(dst, known...)
	}
	begin := len(dst)
	class := h.class
	var site *inventory.Site
	segment := ""
	if d != nil {
		switch h.kind {
		case city.KindSpot, city.KindTraffic, city.KindHealth:
			class = d.Class
		default:
		}
		site, segment = h.version.Site(d.Site), d.Segment
		if site != nil && segment == "" {
			segment = site.Segment
		}
		if h.back {
			if s := h.version.Segment(segment); s != nil {
				segment = s.Opposite
			}
		}
	}
	dst = append(dst, h.kind.String()...)
	dst = appendTag(dst, "city", c.origin.City)
	dst = appendTag(dst, "class", class.String())
	dst = appendTag(dst, "device", h.device)
	if h.kind == city.KindTraffic && h.lane > 0 {
		direction := "forward"
		if h.back {
			direction = "backward"
		}
		dst = appendTag(dst, "direction", direction)
	}
	dst = appendTag(dst, "gateway", c.origin.Gateway)
	if site != nil {
		dst = appendTag(dst, "kecamatan", site.Kecamatan)
	}
	if h.kind == city.KindTraffic && h.lane > 0 {
		dst = appendTag(dst, "lane", strconv.Itoa(int(h.lane)))
	}
	dst = appendTag(dst, "method", h.method.String())
	dst = appendTag(dst, "segment", segment)
	if site != nil {
		dst = appendTag(dst, "site", site.ID)
	}
	dst = append(dst, ' ')
	if len(c.heads) >= mostHeads {
		clear(c.heads)
	}
	h.device = strings.Clone(h.device) // as received it may lie in a message that is much larger
	c.heads[h] = append([]byte(nil), dst[begin:]...)
	return dst
}

// reading appends the points of an entry that is a reading.
func (c *encoder) reading(b *batch, e *journal.Entry) {
	r := e.Reading
	d, v := c.timeline.Device(e.Pos, r.At, r.Device)
	h := head{version: v, device: r.Device, kind: r.Kind}
	at := nanos(r.At, tieOf(r.Boot, r.Seq))
	switch {
	case r.Traffic != nil:
		c.lanes(b, e, h, d, at)
		return
	case r.Gate != nil:
		h.class = r.Gate.Class
	case r.Count != nil:
		h.class = r.Count.Class
	case r.Receipt != nil:
		h.class, h.method = r.Receipt.Class, r.Receipt.Method
	}
	f := &fields{b: c.head(b.text, h, d)}
	switch {
	case r.Spot != nil:
		f.bool("occupied", r.Spot.Occupied)
		f.maybe("dwell_s", r.Spot.DwellS)
		f.milli("battery_v", r.Spot.Battery)
		f.milli("temperature_c", r.Spot.Temperature)
		f.milli("rssi_dbm", r.Spot.RSSI)
		f.milli("snr_db", r.Spot.SNR)
	case r.Gate != nil:
		way := "in"
		if r.Gate.Out {
			way = "out"
		}
		f.int(way, int64(r.Gate.Count))
		f.maybe("total", r.Gate.Total)
	case r.Count != nil:
		f.int("occupied", int64(r.Count.Occupied))
	case r.Receipt != nil:
		f.int("amount", int64(r.Receipt.Amount))
		f.bool("void", r.Receipt.Void)
		f.maybe("entered_at", r.Receipt.EnteredAt)
		f.maybe("left_at", r.Receipt.LeftAt)
		f.maybe("total_count", r.Receipt.TotalCount)
		f.maybe("total_amount", r.Receipt.TotalAmount)
	case r.Health != nil:
		health(f, r.Health)
	}
	common(f, e)
	b.line(f.end(at))
}

func health(f *fields, h *city.Health) {
	f.milli("battery_v", h.Battery)
	f.milli("battery_pct", h.BatteryPct)
	f.milli("rssi_dbm", h.RSSI)
	f.milli("snr_db", h.SNR)
	f.maybe("uptime_s", h.UptimeS)
	f.text("firmware", h.Firmware)
	if len(h.Errors) > 0 {
		list, err := json.Marshal(h.Errors)
		if err == nil { // texts always are
			f.text("errors", string(list))
		}
	}
}

// lanes appends a point a lane.
func (c *encoder) lanes(b *batch, e *journal.Entry, h head, d *inventory.Device, at int64) {
	t := e.Reading.Traffic
	for i := range t.Lanes {
		l := &t.Lanes[i]
		h.lane, h.back = l.Lane, l.Backward
		f := &fields{b: c.head(b.text, h, d)}
		f.int("period_s", int64(t.PeriodS))
		f.int("lanes", int64(len(t.Lanes)))
		f.int("place", int64(i))
		if l.HasCounts {
			f.int("vehicles", int64(l.SM)+int64(l.KR)+int64(l.KB)+int64(l.Unknown))
			f.int("sm", int64(l.SM))
			f.int("kr", int64(l.KR))
			f.int("kb", int64(l.KB))
			f.int("ktb", int64(l.KTB))
			f.int("unknown", int64(l.Unknown))
		}
		f.maybe("total", l.Total)
		f.milli("speed_kmh", l.Speed)
		f.milli("occupancy_pct", l.Occupancy)
		common(f, e)
		b.line(f.end(at))
	}
}

// common is what the gateway knows of every reading.
func common(f *fields, e *journal.Entry) {
	if e.Reading.HasBoot {
		f.int("boot", int64(e.Reading.Boot))
	}
	f.int("seq", int64(e.Reading.Seq))
	f.int("pos", int64(e.Pos))
	f.int("recv", e.Recv)
	if e.Flags != 0 {
		f.int("flags", int64(e.Flags))
	}
	f.text("source", e.Source)
}
