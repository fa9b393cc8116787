package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

const (
	reconciledSites = 200
	referenceSites  = 77
	visitDays       = 9  // what a day is estimated from, and itself
	visitsADay      = 12 // at a sensor
)

// cityOf200 writes the reference city with so many streets that it has 200
// sites, and returns all its spot sensors.
func cityOf200(dir string) (inventory string, spots []string, err error) {
	const places = 20
	inventory, more, err := grownCity(dir, grown{
		levy: "street", operator: "dishub", tariff: "street-zone", places: places, sensors: (reconciledSites - referenceSites) * places, intervalS: 24 * 3600,
	})
	if err != nil {
		return "", nil, err
	}
	spots, err = devicesOf("spot")
	return inventory, append(spots, more...), err
}

// visits are stays at the sensors in the last days.
type visits struct {
	spots  []string
	day    time.Time // the next
	left   int       // days
	events []visit
	seq    uint64
	random *rand.Rand
}

type visit struct {
	at       time.Time
	spot     int
	occupied bool
}

func newVisits(spots []string, from time.Time, days int) *visits {
	n := min(days, visitDays)
	return &visits{spots: spots, day: from.AddDate(0, 0, days-n), left: n, random: rand.New(rand.NewPCG(5, 6))}
}

// between gives what was seen before each message, in the order of time.
func (v *visits) between(give func(received) error) func(received) error {
	return func(m received) error {
		for {
			if len(v.events) == 0 && v.left > 0 && !m.at.Before(v.day) {
				v.fill()
			}
			if len(v.events) == 0 || m.at.Before(v.events[0].at) {
				return give(m)
			}
			e := v.events[0]
			v.events = v.events[1:]
			v.seq++
			r := city.Reading{Device: v.spots[e.spot], Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: v.seq, At: e.at.UnixMilli(), Spot: &city.Spot{Occupied: e.occupied}}
			if err := give(received{e.at, source.Message{Source: "devices", Device: r.Device, Decoded: wire.Decoded{Readings: []city.Reading{r}}}}); err != nil {
				return err
			}
		}
	}
}

// fill makes the stays of the next day.
func (v *visits) fill() {
	const opens, slot = 6 * time.Hour, 75 * time.Minute // to 21 o'clock
	for spot := range v.spots {
		for i := range visitsADay {
			at := v.day.Add(opens + slot*time.Duration(i) + time.Duration(v.random.IntN(20))*time.Minute)
			v.events = append(v.events, visit{at, spot, true}, visit{at.Add(time.Duration(10+v.random.IntN(40)) * time.Minute), spot, false})
		}
	}
	slices.SortStableFunc(v.events, func(a, b visit) int { return a.at.Compare(b.at) })
	v.day, v.left = v.day.AddDate(0, 0, 1), v.left-1
}

// reconciliation asks for a day of all sites.
func (b *bench) reconciliation(ctx context.Context, g *gateway, bearer string, day time.Time) error {
	a, err := newAsker(ctx, g.http)
	if err != nil {
		return err
	}
	defer a.close()
	request := a.request("/v1/revenue/reconciliation?limit=1000&date="+day.Format(time.DateOnly), bearer)
	all, medians, err := b.askRounds(a, request)
	if err != nil {
		return err
	}
	var answer struct {
		Items []struct{ Expected *struct{ Mid int64 } }
	}
	if err := json.Unmarshal(a.body, &answer); err != nil {
		return err
	}
	known := 0
	for _, item := range answer.Items {
		if item.Expected != nil {
			known++
		}
	}
	if len(answer.Items) < reconciledSites || known == 0 {
		return errors.New("the reconciliation is not of 200 sites")
	}
	b.row("reconcile", median(medians), fmt.Sprintf("%.0f (slowest, the first of all, %.0f; %d sites, %d with expected)", median(medians), all.quantile(1), len(answer.Items), known))
	return nil
}
