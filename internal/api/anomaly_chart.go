package api

import (
	"fmt"
	"html"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/watch"
)

// A chart is so large, and has so many readings at most.
const (
	chartWidth, chartHeight = 720, 240
	chartLeft, chartBottom  = 56, 28
	chartReadings           = 1000
)

// anomalyChart serves /v1/anomalies/{id}/chart.svg: what a baseline saw with its
// band, else what the device sent in the hours around the opening. What a meter
// sent is money and not drawn.
func (s *Server) anomalyChart(w http.ResponseWriter, q *request) error {
	i, err := s.ownAnomaly(q)
	if err != nil {
		return err
	}
	text, err := s.chartOf(q, &i)
	if err != nil {
		return err
	}
	h := w.Header()
	h["Content-Type"] = svgType
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write([]byte(text)) // who has left gets nothing
	return nil
}

func (s *Server) chartOf(q *request, i *watch.Incident) (text string, err error) {
	points, unit := i.Evidence.Chart, i.Evidence.Unit
	if len(points) == 0 && i.Device != "" {
		if points, unit, err = s.sentAround(q, i); err != nil {
			return "", err
		}
	}
	return drawChart(i, points, unit, s.zone), nil
}

var svgType = []string{"image/svg+xml; charset=utf-8"}

// sentAround returns what a device measured from six hours before an anomaly
// was opened until an hour after its last event, a day at most.
func (s *Server) sentAround(q *request, i *watch.Incident) (points []watch.Point, unit string, err error) {
	const hour = int64(time.Hour / time.Millisecond)
	from := i.OpenedAt - 6*hour
	to := min(i.LastAt+hour, from+24*hour)
	page, err := s.Readings.Readings(q.Context(), i.Device, from, to, []city.Kind{city.KindSpot, city.KindGate, city.KindCount, city.KindTraffic, city.KindHealth}, "", chartReadings)
	if err != nil {
		return nil, "", err
	}
	battery := i.Rule == watch.RuleDeviceBattery
	for k := range page.Entries {
		if v, name, ok := drawn(&page.Entries[k], battery); ok {
			points, unit = append(points, watch.Point{At: page.Entries[k].Reading.At, V: float32(v)}), name
		}
	}
	return points, unit, nil
}

// drawn is the one number of a reading that its chart shows.
func drawn(e *journal.Entry, battery bool) (v float64, unit string, ok bool) {
	r := e.Reading
	switch {
	case battery && r.Spot != nil:
		v, ok = r.Spot.Battery.Float()
		return v, "V", ok
	case battery && r.Health != nil:
		v, ok = r.Health.Battery.Float()
		return v, "V", ok
	case r.Spot != nil:
		if r.Spot.Occupied {
			v = 1
		}
		return v, "occupied", true
	case r.Gate != nil:
		return float64(r.Gate.Count), "vehicles", true
	case r.Count != nil:
		return float64(r.Count.Occupied), "vehicles", true
	case r.Traffic != nil:
		for k := range r.Traffic.Lanes {
			l := &r.Traffic.Lanes[k]
			v += float64(l.SM) + float64(l.KR) + float64(l.KB) + float64(l.Unknown)
		}
		return v, "vehicles a period", true
	}
	return 0, "", false
}

// drawChart draws points, the band behind them, and when the anomaly was opened
// and closed. Without points it says so.
func drawChart(i *watch.Incident, points []watch.Point, unit string, zone *time.Location) string {
	var b strings.Builder
	title := html.EscapeString(string(i.Rule) + " · " + i.Subject)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s" font-family="sans-serif" font-size="11">`, chartWidth, chartHeight, title)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="8" y="15" fill="#333">%s</text>`, title)
	if len(points) == 0 {
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#777">no readings</text></svg>`, chartLeft, chartHeight/2)
		return b.String()
	}
	c := newCanvas(points, i)
	c.axes(&b, unit, zone)
	if band := c.band(points); band != "" {
		fmt.Fprintf(&b, `<path d="%s" fill="#cfe3f5"/><polyline points="%s" fill="none" stroke="#5b8db8" stroke-dasharray="4 3"/>`,
			band, c.line(points, func(p *watch.Point) float32 { return p.Mid }))
	}
	fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="#b03030" stroke-width="1.5"/>`, c.line(points, func(p *watch.Point) float32 { return p.V }))
	for _, at := range []int64{i.OpenedAt, i.ClosedAt} {
		if at >= c.from && at <= c.to {
			fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="22" y2="%d" stroke="#666" stroke-dasharray="2 2"/>`, c.x(at), c.x(at), chartHeight-chartBottom)
		}
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// canvas turns times and values into places.
type canvas struct {
	from, to  int64
	low, high float64
}

func newCanvas(points []watch.Point, i *watch.Incident) canvas {
	c := canvas{from: points[0].At, to: max(points[len(points)-1].At, min(i.OpenedAt, points[len(points)-1].At+3_600_000)), low: math.Inf(1), high: math.Inf(-1)}
	for k := range points {
		p := &points[k]
		for _, v := range [...]float32{p.V, p.Lo, p.Hi} {
			c.low, c.high = min(c.low, float64(v)), max(c.high, float64(v))
		}
	}
	if c.high-c.low < 1e-9 {
		c.high = c.low + 1
	}
	c.to = max(c.to, c.from+1)
	return c
}

func (c *canvas) x(at int64) float64 {
	return chartLeft + float64(at-c.from)/float64(c.to-c.from)*(chartWidth-chartLeft-12)
}

func (c *canvas) y(v float32) float64 {
	return chartHeight - chartBottom - (float64(v)-c.low)/(c.high-c.low)*(chartHeight-chartBottom-26)
}

func (c *canvas) axes(b *strings.Builder, unit string, zone *time.Location) {
	for _, v := range [...]float64{c.low, c.high} {
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end" fill="#555">%.4g</text>`, chartLeft-6, c.y(float32(v))+4, v)
	}
	fmt.Fprintf(b, `<text x="8" y="%d" fill="#555">%s</text>`, chartHeight/2, html.EscapeString(unit))
	for k, anchor := range []string{"start", "middle", "end"} {
		at := c.from + int64(k)*(c.to-c.from)/2
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="%s" fill="#555">%s</text>`, c.x(at), chartHeight-10, anchor, time.UnixMilli(at).In(zone).Format("2006-01-02 15:04"))
	}
}

func (c *canvas) line(points []watch.Point, of func(*watch.Point) float32) string {
	var b strings.Builder
	for k := range points {
		fmt.Fprintf(&b, "%.1f,%.1f ", c.x(points[k].At), c.y(of(&points[k])))
	}
	return strings.TrimSpace(b.String())
}

// band is the outline of what was expected, "" where nothing was.
func (c *canvas) band(points []watch.Point) string {
	var up, down []string
	for k := range points {
		p := &points[k]
		if p.Lo == 0 && p.Hi == 0 {
			return ""
		}
		up = append(up, fmt.Sprintf("%.1f %.1f", c.x(p.At), c.y(p.Hi)))
		down = append([]string{fmt.Sprintf("%.1f %.1f", c.x(p.At), c.y(p.Lo))}, down...)
	}
	return "M" + strings.Join(append(up, down...), "L") + "Z"
}
