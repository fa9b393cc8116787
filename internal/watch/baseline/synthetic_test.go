package baseline

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shape is a kind of series that we make ourselves.
type shape struct {
	name  string
	value func(d *dice, load float64) float64 // load 0..1 is how busy the road is
	every int64                               // ms between readings, about
	gaps  float64                             // share of readings that are missing
	holes float64                             // chance a reading that hours are missing after it
	count int
	worse func(v float64, by float64) float64 // what an incident makes of a value
}

type dice struct {
	*rand.Rand
	slow float64 // a disturbance that lasts
}

// heavy is noise with tails as of Student's t with eight degrees of freedom.
func (d *dice) heavy() float64 {
	sum := 0.0
	for range 8 {
		x := d.NormFloat64()
		sum += x * x
	}
	return d.NormFloat64() / math.Sqrt(sum/8) / math.Sqrt(8.0/6)
}

// made are a road's speed, how long its detector is covered, its flow and a
// travel time: bounded, skewed, counted and heavy-tailed values.
func made() []shape {
	return []shape{
		{
			name: "speed", every: 5 * minuteMs, gaps: 0.45, count: 2500,
			value: func(d *dice, load float64) float64 {
				return math.Round(max(3, 82-35*load*load+6*d.heavy()+4*d.slow))
			},
			worse: func(v, by float64) float64 { return v * (1 - 0.75*by) },
		},
		{
			name: "occupancy", every: 5 * minuteMs, gaps: 0.45, count: 2400,
			value: func(d *dice, load float64) float64 {
				return math.Round(100*max(0, (1+7*load)*math.Exp(0.35*d.heavy()+0.2*d.slow))) / 100
			},
			worse: func(v, by float64) float64 { return v * (1 + 3.5*by) },
		},
		{
			name: "flow", every: 5 * minuteMs, gaps: 0.1, count: 4000,
			value: func(d *dice, load float64) float64 {
				mean := (4 + 80*load) * math.Exp(0.15*d.slow)
				return math.Round(max(0, mean+math.Sqrt(mean)*d.NormFloat64()))
			},
			worse: func(v, by float64) float64 { return math.Round(v * (1 - 0.9*by)) },
		},
		{
			name: "travel time", every: 10 * minuteMs, gaps: 0.2, holes: 0.02, count: 2500,
			value: func(d *dice, load float64) float64 {
				return math.Round(120 * (1 + 2*load) * math.Exp(0.4*d.heavy()+0.3*d.slow))
			},
			worse: func(v, by float64) float64 { return v * (1 + 6*by) },
		},
	}
}

// make makes a series with n incidents, and windows of a tenth of it around
// them, as NAB labels. Rush hours differ from day to day, Sundays have none.
func (sh *shape) make(seed uint64, n int) (list []Reading, windows []Window) {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 99))}
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli() + d.Int64N(7)*dayMs + d.Int64N(24)*hourMs
	lasts := make([]int, n)
	var places []int
	for i := range n {
		room := (sh.count*80/100 - sh.count/10) / n
		places = append(places, sh.count/5+i*room+d.IntN(max(room-sh.count/10, 1))+sh.count/20)
		lasts[i] = 4 + d.IntN(10)
	}
	next := 0
	day, morning, evening, early := int64(-1), 0.0, 0.0, 0.0
	for i := range sh.count {
		if today := at / dayMs; today != day {
			day = today
			morning, evening, early = 0.75+0.15*d.NormFloat64(), 0.85+0.15*d.NormFloat64(), 0.4*d.NormFloat64()
		}
		hour := float64(at%dayMs) / float64(hourMs)
		load := 0.08 + 0.35*bump(hour, 13, 4)
		if kind, _ := kindOf(at); kind == Working {
			load += morning*bump(hour, 7.5+early, 1) + evening*bump(hour, 17.3+early, 1.3)
		}
		load = min(1, max(0.02, load))
		d.slow = 0.9*d.slow + 0.43*d.NormFloat64()
		v := sh.value(d, load)
		if next < n && i >= places[next] && (i > places[next] || hour >= 6 && hour < 21) {
			v = sh.worse(v, 0.7+0.3*d.Float64())
			if lasts[next]--; lasts[next] == 0 {
				next++
			}
		} else if next < n && i == places[next] {
			places[next]++ // at night there is nothing to be disturbed
		}
		list = append(list, Reading{at, v})
		for {
			at += sh.every
			if d.Float64() < sh.holes {
				at += d.Int64N(20) * hourMs
			}
			if d.Float64() >= sh.gaps {
				break
			}
		}
	}
	half := sh.count / 20
	if n > 1 {
		half /= n
	}
	for _, place := range places {
		windows = append(windows, Window{list[max(place-half, 0)].At, list[min(place+half, sh.count-1)].At})
	}
	return list, windows
}

func bump(x, at, width float64) float64 { return math.Exp(-(x - at) * (x - at) / 2 / width / width) }

// TestMadeSeries judges the defaults on series that we make ourselves: other
// units, skewed, counted, with gaps, and each with other seeds.
func TestMadeSeries(t *testing.T) {
	t.Parallel()
	p := Defaults()
	seeds := 12
	if testing.Short() {
		seeds = 4
	}
	var total Score
	for _, sh := range made() {
		var all Score
		worst := 0
		for seed := range uint64(seeds) {
			list, windows := sh.make(seed, 1+int(seed%3))
			j := Judge(list, windows, Flags(&p, list))
			all.Windows, all.Found, all.False = all.Windows+j.Windows, all.Found+j.Found, all.False+j.False
			worst = max(worst, j.False)
		}
		t.Logf("%-12s found %d of %d, false %d in %d series, at most %d", sh.name, all.Found, all.Windows, all.False, seeds, worst)
		total.Windows, total.Found, total.False = total.Windows+all.Windows, total.Found+all.Found, total.False+all.False
	}
	require.GreaterOrEqual(t, float64(total.Found), 0.65*float64(total.Windows))
	require.LessOrEqual(t, float64(total.False), 2.5*float64(4*seeds))
}
