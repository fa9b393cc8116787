package influx

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
)

// parking appends the point of five minutes of a class at a site.
func parking(b *batch, o Origin, site *inventory.Site, class city.Class, r *occupancy.Rollup) {
	dst := append(b.text, "parking_5m"...)
	dst = appendTag(dst, "city", o.City)
	dst = appendTag(dst, "class", class.String())
	dst = appendTag(dst, "gateway", o.Gateway)
	dst = appendTag(dst, "kecamatan", site.Kecamatan)
	dst = appendTag(dst, "segment", site.Segment)
	dst = appendTag(dst, "site", site.ID)
	f := &fields{b: append(dst, ' ')}
	p := r.Point()
	f.milli("coverage", p.Coverage)
	f.milli("closed", p.Closed)
	f.milli("free_avg", p.FreeAvg)
	f.milli("occupied_avg", p.OccupiedAvg)
	f.maybe("free_min", p.FreeMin)
	f.maybe("arrivals", p.Arrivals)
	f.maybe("departures", p.Departures)
	f.maybe("drift", p.Drift)
	f.int("covered_ms", r.CoveredMS)
	f.int("free_ms", r.FreeMS)
	f.int("occupied_ms", r.OccMS)
	b.line(f.end(nanos(r.T, 0)))
}

// road appends the point of five minutes of a segment.
func road(b *batch, o Origin, id string, p *traffic.HistoryPoint) {
	dst := append(b.text, "traffic_5m"...)
	dst = appendTag(dst, "city", o.City)
	dst = appendTag(dst, "gateway", o.Gateway)
	dst = appendTag(dst, "segment", id)
	f := &fields{b: append(dst, ' ')}
	f.milli("coverage", p.Coverage)
	f.milli("flow_vph", p.FlowVPH)
	f.milli("flow_smp_h", p.FlowSMPH)
	f.milli("speed_kmh", p.SpeedKmh)
	f.milli("dj", p.DJ)
	f.bool("flow_known", p.FlowVPH.OK)
	f.bool("speed_known", p.SpeedKmh.OK)
	f.bool("dj_known", p.DJ.OK)
	b.line(f.end(nanos(p.T, 0)))
}
