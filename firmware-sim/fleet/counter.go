package fleet

import (
	"math"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// watched is the lanes of one road that one counter sees.
type watched struct {
	r        *road
	backward bool
	lanes    []uint16
	queue    float64
}

// newCounters sets up the counters of a segment. Several share its lanes; if
// the opposite has none of its own, they see that too, as backward lanes.
func (f *Fleet) newCounters(s *inventory.Segment, roads map[string]*road) {
	var devices []*device
	for _, d := range f.o.Version.SegmentDevices(s.ID) {
		if d.Kind == inventory.DeviceTraffic {
			devices = append(devices, f.devices[d.ID])
		}
	}
	for i, d := range devices {
		see := []*watched{watch(roads[s.ID], false, i, len(devices))}
		if opposite := roads[s.Opposite]; opposite != nil && len(f.o.Version.SegmentDevices(s.Opposite)) == 0 {
			see = append(see, watch(opposite, true, i, len(devices)))
		}
		f.newCounter(d, see)
	}
}

func watch(r *road, backward bool, i, n int) *watched {
	w := &watched{r: r, backward: backward}
	for lane := i; lane < max(1, r.inv.Lanes); lane += n {
		w.lanes = append(w.lanes, uint16(lane+1))
	}
	return w
}

// newCounter lets a counter speak at the whole intervals of its clock.
func (f *Fleet) newCounter(d *device, see []*watched) {
	interval := d.interval(5 * time.Minute)
	first := (f.o.Start/interval + 1) * interval
	speaks := d.rng.between(500, 5000) // the time it takes to count up and send
	f.every(first, interval, func(at int64) {
		var lanes []city.Lane
		for _, w := range see {
			lanes = append(lanes, w.count(d, at, interval)...)
		}
		lanes = d.said(at, lanes)
		d.busy = at + speaks
		f.at(d.busy, func(sent int64) {
			for _, part := range split(lanes, d.format) {
				d.send(sent, &city.Reading{
					Kind: city.KindTraffic, At: at, Traffic: &city.Traffic{PeriodS: uint32(interval / 1000), Lanes: part},
				})
			}
		})
	})
}

// split makes a sentence a lane, and one message of all in JSON.
func split(lanes []city.Lane, f message.Format) [][]city.Lane {
	if f == message.Native {
		if len(lanes) == 0 {
			return nil
		}
		return [][]city.Lane{lanes}
	}
	parts := make([][]city.Lane, 0, len(lanes))
	for i := range lanes {
		parts = append(parts, lanes[i:i+1])
	}
	return parts
}

// count draws what passed in the period and tells the truth of it.
func (w *watched) count(d *device, until, ms int64) []city.Lane {
	s := w.r.pass(until, ms, &w.queue)
	var lanes []city.Lane
	l := truth.Line{What: truth.Flow, Segment: w.r.inv.ID, Device: d.inv.ID, From: until - ms, Until: until, Jam: s.jam}
	var vehicles, hours float64
	for _, number := range w.lanes {
		lane := city.Lane{Lane: number, Backward: w.backward, HasCounts: true}
		for i, into := range []*uint32{&lane.SM, &lane.KR, &lane.KB, &lane.KTB} {
			*into = d.rng.poisson(s.mean[i] * w.share(i, number))
		}
		speed := s.speed * (0.97 + 0.05*float64(number-1)) * (1 + 0.04*d.rng.NormFloat64())
		speed = math.Round(math.Max(speed, 2)*10) / 10
		if n := float64(lane.SM + lane.KR + lane.KB); n > 0 {
			lane.Speed = city.MilliOf(speed)
			covered := (float64(lane.SM)*2 + float64(lane.KR)*5 + float64(lane.KB)*10) / (speed / 3.6) // s
			lane.Occupancy = city.MilliOf(math.Round(math.Min(100, covered*100_000/float64(ms))*10) / 10)
			vehicles += n
			hours += n / speed
		} else {
			lane.Occupancy = city.SomeMilli(0)
		}
		l.SM, l.KR, l.KB, l.KTB = l.SM+lane.SM, l.KR+lane.KR, l.KB+lane.KB, l.KTB+lane.KTB
		lanes = append(lanes, lane)
	}
	if vehicles > 0 {
		l.Speed = math.Round(vehicles/hours*10) / 10
	}
	d.f.o.Truth.Line(l)
	return lanes
}

// share is how much of class i takes a lane; lane 1 is at the kerb.
func (w *watched) share(i int, lane uint16) float64 {
	n := max(1, w.r.inv.Lanes)
	inner := w.r.f.o.Scenario.Traffic.Classes.All()[i].Inner
	weight := func(l int) float64 {
		if n == 1 {
			return 1
		}
		return 1 + (inner-1)*float64(l-1)/float64(n-1)
	}
	var sum float64
	for l := 1; l <= n; l++ {
		sum += weight(l)
	}
	return weight(int(lane)) / sum
}
