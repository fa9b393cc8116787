package expect_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report/expect"
	"github.com/simpang-id/simpang/internal/tariff"
)

var zone = time.FixedZone("WIB", 7*3600)

const townTariffs = `tariffs:
  - id: flat
    name: sekali parkir
    versions: [{from: "2020-01-01", legal_basis: contoh, classes: {car: {flat: 4000}, motorcycle: {flat: 2000}}}]
  - id: hourly
    name: per jam
    versions:
      - from: "2020-01-01"
        legal_basis: contoh
        classes:
          car: {first: {minutes: 60, amount: 4000}, next: {minutes: 60, amount: 2000}, daily_max: 20000, rules: [{name: malam, from: "22:00", until: "06:00", flat: 0}]}
  - id: mall
    name: pusat belanja
    versions:
      - from: "2020-01-01"
        legal_basis: contoh
        classes:
          car: {first: {minutes: 60, amount: 5000}, next: {minutes: 60, amount: 3000}, daily_max: 40000, free_minutes: 10}
`

func townVersion(tb testing.TB) *inventory.Version {
	tb.Helper()
	return townOf(tb, func(int) int64 { return 5 * minute })
}

// townOf is the town with sensors of some intervals (ms).
func townOf(tb testing.TB, interval func(place int) int64) *inventory.Version {
	tb.Helper()
	site := func(id, tariff, detection string, capacity int) string {
		return fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":%q,"name":%q,"kind":"off_street",
"kecamatan":"Bekasi Timur","levy":"street","tariff":%q,"detection":%q,"capacity":{"car":%d}}}`, id, id, tariff, detection, capacity)
	}
	var devices strings.Builder
	devices.WriteString("id,kind,site,class,interval_s\n")
	var sites []string
	for _, id := range []string{"flat", "hourly"} {
		sites = append(sites, site(id, id, "spots", 40))
		for i := range 40 {
			fmt.Fprintf(&devices, "%s-%02d,spot,%s,car,%d\n", id, i, id, interval(i)/1000)
		}
	}
	sites = append(sites, site("mall", "mall", "gates", 120))
	devices.WriteString("mall-in,gate,mall,car,300\nmall-out,gate,mall,car,300\n")
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson":    []byte(`{"type":"FeatureCollection","features":[` + strings.Join(sites, ",") + `]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv":      []byte(devices.String()),
		"tariffs.yaml":     []byte(townTariffs),
	}, zone)
	require.Empty(tb, faults)
	return v
}

// newTown lives through the weeks of one site.
func newTown(tb testing.TB, v *inventory.Version, seed uint64, kind blindness) *town {
	tb.Helper()
	rng := rand.New(rand.NewPCG(seed, 4))
	id := []string{"flat", "hourly"}[seed%2]
	if kind == gateOutages {
		id = "mall"
	}
	site := v.Site(id)
	w := &town{
		start: time.Date(2026, 1, 5, 0, 0, 0, 0, zone), gates: kind == gateOutages, truth: make([]float64, townDays),
		places: make([]place, site.Capacity[city.Car]),
	}
	w.first = w.start.UnixMilli()
	w.question = func(day int) expect.Question {
		return expect.Question{Site: site, Version: v, Date: w.start.AddDate(0, 0, day).Format(time.DateOnly), Now: w.begin(townDays + 1)}
	}
	for i := range w.places {
		w.places[i].weight = math.Exp(0.5 * rng.NormFloat64())
	}
	w.live(rng, v, site, math.Exp(0.4*rng.NormFloat64()))
	w.blinden(rng, kind)
	return w
}

func (w *town) begin(day int) int64 { return w.first + int64(day)*24*hour }

// live lets vehicles come and go: Poisson arrivals by the hour and kind of day,
// on busy and slow days, for log-normal stays, on the places that they prefer.
func (w *town) live(rng *rand.Rand, v *inventory.Version, site *inventory.Site, size float64) {
	places := float64(len(w.places))
	median, sigma := 35*float64(minute)*math.Exp(0.3*rng.NormFloat64()), 0.6+0.4*rng.Float64()
	until := make([]int64, len(w.places))
	cal := v.Calendar()
	for h := range townDays * 24 {
		day, of := h/24, h%24
		begin := w.begin(0) + int64(h)*hour
		week := [7]float64{1, 1, 1, 1, 1.1, 1.4, 0.8}[day%7]
		busy := math.Exp(0.15 * dayNoise(w.start.Unix(), site.ID, day, size))
		rate := places * 0.35 * size * week * busy * (0.05 + math.Pow(math.Sin(math.Pi*float64(of)/24), 2))
		arrivals := make([]int64, poisson(rng, rate))
		for i := range arrivals {
			arrivals[i] = begin + rng.Int64N(hour)
		}
		slices.Sort(arrivals)
		for _, at := range arrivals {
			p := w.choose(rng, until, at)
			if p < 0 {
				continue // full
			}
			until[p] = at + int64(median*math.Exp(sigma*rng.NormFloat64())) + 1
			w.stays = append(w.stays, stay{p, at, until[p]})
		}
	}
	slices.SortFunc(w.stays, func(a, b stay) int { return cmp.Compare(a.until, b.until) })
	for _, s := range w.stays {
		day := int((s.until - w.begin(0)) / (24 * hour))
		if day >= townDays || s.until-s.from < 2*minute {
			continue
		}
		q, err := v.Tariffs.Price(site.Tariff, tariff.Stay{Class: city.Car, Entered: s.from, Left: s.until}, cal)
		if err != nil {
			panic(err)
		}
		w.truth[day] += float64(q.Amount)
	}
}

// dayNoise is a normal number of a day, the same whenever it is asked.
func dayNoise(start int64, id string, day int, size float64) float64 {
	return rand.New(rand.NewPCG(uint64(start)+uint64(len(id)), uint64(day)<<32^math.Float64bits(size))).NormFloat64()
}

func (w *town) choose(rng *rand.Rand, until []int64, at int64) int {
	var sum float64
	for p := range until {
		if until[p] <= at {
			sum += w.places[p].weight
		}
	}
	x := rng.Float64() * sum
	for p := range until {
		if until[p] <= at {
			if x -= w.places[p].weight; x <= 0 {
				return p
			}
		}
	}
	return -1
}

// blinden takes sensors away.
func (w *town) blinden(rng *rand.Rand, kind blindness) {
	all := func(from, to int64) {
		w.out = append(w.out, [2]int64{from, to})
		for p := range w.places {
			w.places[p].blind = append(w.places[p].blind, [2]int64{from, to})
		}
	}
	for day := range townDays {
		at := func() int64 { return w.begin(day) + rng.Int64N(24*hour) }
		if kind == deadSpots || kind == everything {
			for p := range w.places {
				if rng.Float64() < 0.06 {
					from := at()
					w.places[p].blind = append(w.places[p].blind, [2]int64{from, from + int64((1+rng.ExpFloat64()*20)*float64(hour))})
				}
			}
		}
		if (kind == siteOutages || kind == everything || kind == gateOutages) && rng.Float64() < 0.35 {
			from := at() / hour * hour
			all(from, from+(2+rng.Int64N(10))*hour)
		}
		if (kind == deadWeek && (day == 70 || day == 88)) || (kind == everything && day == 80) {
			all(w.begin(day), w.begin(day+7))
		}
	}
	if kind == fewSensors || kind == everything {
		for p := range w.places {
			if rng.Float64() < 0.4 {
				w.places[p].blind = [][2]int64{{0, w.begin(townDays + 10)}}
			}
		}
	}
	for p := range w.places {
		slices.SortFunc(w.places[p].blind, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	}
}

func blindAt(list [][2]int64, at int64) bool {
	return slices.ContainsFunc(list, func(x [2]int64) bool { return x[0] <= at && at < x[1] })
}

// History tells what the site's sensors would.
func (w *town) History(_ context.Context, _ string, _ city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	ms := step.Milliseconds()
	var out []occupancy.HistoryPoint
	for t := from; t < to; t += ms {
		out = append(out, w.point(t, t+ms))
	}
	return out, nil
}

const sample = 5 * minute // the fake's roll-ups are of samples

// rollups are what sensors said at each sample, and whom they saw leave.
type rollups struct{ known, occupied, left []int64 }

// roll computes the roll-ups of the whole time.
func (w *town) roll() {
	n := int((townDays + 1) * 24 * hour / sample)
	r := &rollups{make([]int64, n), make([]int64, n), make([]int64, n)}
	at := func(t int64) int { return min(max(0, int((t-w.begin(0)+sample-1)/sample)), n) }
	blind := make([][]bool, len(w.places))
	for p := range w.places {
		blind[p] = make([]bool, n)
		for _, b := range w.places[p].blind {
			for i := at(b[0]); i < at(b[1]); i++ {
				blind[p][i] = true
			}
		}
		for i := range n {
			if !blind[p][i] {
				r.known[i]++
			}
		}
	}
	for _, s := range w.stays {
		for i := at(s.from); i < at(s.until); i++ {
			if !blind[s.place][i] {
				r.occupied[i]++
			}
		}
		if list := w.places[s.place].blind; !blindAt(list, s.until) && !blindAt(list, s.until-1) {
			if i := int((s.until - w.begin(0)) / sample); i < n {
				r.left[i]++
			}
		}
	}
	w.rolled = r
}

func (w *town) point(from, to int64) occupancy.HistoryPoint {
	if w.rolled == nil {
		w.roll()
	}
	p := occupancy.HistoryPoint{T: from, Closed: city.SomeMilli(0)}
	var covered, known, occupied, left, n int64
	for i := (from - w.begin(0)) / sample; i < (to-w.begin(0))/sample; i++ {
		n++
		left += w.rolled.left[i]
		if k := w.rolled.known[i]; k > 0 {
			covered, known, occupied = covered+1, known+k, occupied+w.rolled.occupied[i]
		}
	}
	p.Coverage = city.SomeMilli(covered * 1000 / n)
	if covered > 0 {
		p.FreeAvg, p.OccupiedAvg = city.SomeMilli((known-occupied)*1000/covered), city.SomeMilli(occupied*1000/covered)
		p.Departures = city.SomeInt(left)
	}
	return p
}

// Stays tells the stays whose end was seen.
func (w *town) Stays(_ context.Context, site string, from, to int64, _ int) ([]occupancy.Stay, error) {
	var out []occupancy.Stay
	first, _ := slices.BinarySearchFunc(w.stays, from, func(s stay, t int64) int { return cmp.Compare(s.until, t) })
	for _, s := range w.stays[first:] {
		if s.until >= to {
			break
		}
		blind := w.places[s.place].blind
		if w.gates || blindAt(blind, s.until) {
			continue
		}
		x := occupancy.Stay{Device: fmt.Sprintf("%s-%02d", site, s.place), Class: city.Car, From: s.from, Until: s.until, Known: true}
		for _, b := range blind {
			if b[0] < s.until && b[1] > x.From { // its begin was not seen, or it is not known that it stayed
				x.From, x.Known = b[1], false
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// Lulls are none: the fake's sensors are believed while they live, no longer.
func (w *town) Lulls(context.Context, string, int64, int64) ([]occupancy.Lull, error) {
	return nil, nil
}

// Closed is never.
func (w *town) Closed(string, int64, int64) [][2]int64 { return nil }

var _ expect.Sensors = (*town)(nil)
