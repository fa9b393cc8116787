package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/fleet"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

var historySuite = suite{
	name: "history", load: "30 days of the simulated reference city (firmware-sim's fleet with the scenario of make run) taken and archived by the gateway's own code beforehand; then one kept connection that asks one thing after the other",
	rows: []line{
		{key: "site", name: "history of one site, 30 days, step 5 min: ms", bar: 30, atMost: true},
		{key: "sensor", name: "history of one sensor, 30 days raw: ms", bar: 60, atMost: true},
		{key: "archive", name: "disk for the archive of the reference city: bytes a value", bar: 3, atMost: true},
		{key: "start", name: "ready after a start, 30 days of the reference city stored, archived but today: s", bar: 2, atMost: true},
	},
	run: (*bench).history,
}

// history measures range queries, the archive's size, and a start with it.
func (b *bench) history(ctx context.Context) (err error) {
	dir, err := b.scratch("history")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g, err := b.layGateway(ctx, dir, referenceCity, builtIn)
	if err != nil {
		return err
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	const month = 30
	days := min(max(b.sized(month), 3), month)
	now := time.Now()
	today := midnight(now, cfg.City.Zone)
	from := today.AddDate(0, 0, -days)
	made, err := cityDays(ctx, g, from, now, today)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d readings of %d days and today prepared in %v\n", made.readings, days, time.Since(now).Round(time.Second))
	size, err := sizeOf(filepath.Join(dir, "data"), "archive")
	if err != nil {
		return err
	}
	perValue := float64(size) / float64(made.archived)
	b.row("archive", perValue, fmt.Sprintf("%.2f (%.1f MB for %.1f million values of %d days)", perValue, float64(size)/1e6, float64(made.archived)/1e6, days))
	if err := g.serve(ctx, b.bin); err != nil {
		return err
	}
	defer stopping(&err, g)
	bearer, err := g.token(ctx, b.bin, "dishub")
	if err != nil {
		return err
	}
	a, err := newAsker(ctx, g.http)
	if err != nil {
		return err
	}
	defer a.close()
	if err := b.siteHistories(a, made.sites, from, today); err != nil {
		return err
	}
	if err := b.sensorHistories(a, bearer, from, today); err != nil {
		return err
	}
	a.close()
	warm, cold, err := b.starts(ctx, g)
	if err != nil {
		return err
	}
	b.row("start", max(warm, cold), fmt.Sprintf("%.2f with a cold cache, %.2f warm (%d readings)", cold, warm, made.readings))
	return nil
}

// madeDays is what was prepared.
type madeDays struct {
	readings int
	archived int // values of the days that are archived
	sites    []string
}

// cityDays plays the simulated reference city.
func cityDays(ctx context.Context, g *gateway, from, until, today time.Time) (madeDays, error) {
	var made madeDays
	s, err := scenario.Load("configs/bekasi/scenario.yaml")
	if err != nil {
		return made, err
	}
	err = prepare(ctx, g, manyACommit, from, until, func(r *app.Replay, give func(received) error) error {
		for _, site := range r.Inventory().Sites {
			made.sites = append(made.sites, site.ID)
		}
		sim, err := fleet.New(fleet.Options{Version: r.Inventory(), Scenario: s, Seed: s.Seed, Start: from.UnixMilli(), End: until.UnixMilli()})
		if err != nil {
			return err
		}
		last := from
		for {
			m, ok := sim.Next()
			at := time.UnixMilli(m.SendAt)
			if !ok || at.After(until) {
				return nil
			}
			if at.After(last) {
				last = at
			}
			if m.Expect == message.Accepted {
				made.readings++
				if last.Before(today) {
					made.archived += valuesOf(m.Reading)
				}
			}
			err := give(received{last, source.Message{Source: "devices", Device: m.Device, Payload: m.Payload, Decoded: native.Decode(m.Device, m.Payload)}})
			if err != nil {
				return err
			}
		}
	})
	return made, err
}

// valuesOf counts what a reading measured: its time, device, sequence number
// and class are not values.
func valuesOf(r *city.Reading) int {
	n := 0
	some := func(ok ...bool) {
		for _, o := range ok {
			if o {
				n++
			}
		}
	}
	switch {
	case r.Spot != nil:
		some(true, r.Spot.DwellS.OK, r.Spot.Battery.OK, r.Spot.Temperature.OK, r.Spot.RSSI.OK)
	case r.Gate != nil, r.Count != nil:
		n = 1
	case r.Traffic != nil:
		for i := range r.Traffic.Lanes {
			l := &r.Traffic.Lanes[i]
			some(l.HasCounts, l.HasCounts, l.HasCounts, l.HasCounts, l.Speed.OK, l.Occupancy.OK)
		}
	case r.Receipt != nil:
		some(true, r.Receipt.EnteredAt.OK, r.Receipt.LeftAt.OK, r.Receipt.TotalCount.OK, r.Receipt.TotalAmount.OK)
	case r.Health != nil:
		some(r.Health.Battery.OK, r.Health.UptimeS.OK)
	}
	return n
}

const asked = 15 // things asked for a round

// question asks for one thing, in as many requests as it takes, and tells
// their time and how many items came.
type question func(id string) (time.Duration, int, error)

// questions asks for other things in each round, and returns the medians of
// the rounds' medians and of their slowest, in ms.
func (b *bench) questions(ids []string, ask question) (middle, slowest float64, items int, err error) {
	var medians, most []float64
	for round := range b.rounds {
		var times []float64
		for i := range asked {
			took, n, err := ask(ids[(round*asked+i)*37%len(ids)])
			if err != nil {
				return 0, 0, 0, err
			}
			items = max(items, n)
			times = append(times, ms(took))
		}
		medians, most = append(medians, median(times)), append(most, slices.Max(times))
	}
	return median(medians), median(most), items, nil
}

// siteHistories asks for 30 days in two halves: an answer has 5,000 points at
// most (contract, section 4).
func (b *bench) siteHistories(a *asker, sites []string, from, to time.Time) error {
	half := from.Add(to.Sub(from) / 2).Truncate(time.Hour)
	middle, slowest, points, err := b.questions(sites, func(id string) (time.Duration, int, error) {
		points := 0
		begin := time.Now()
		for _, span := range [][2]time.Time{{from, half}, {half, to}} {
			path := fmt.Sprintf("/v1/parking/sites/%s/history?step=5m&from=%s&to=%s", id, stampOf(span[0]), stampOf(span[1]))
			if err := a.ask(a.request(path, ""), true); err != nil {
				return 0, 0, err
			}
			points += bytes.Count(a.body, []byte(`{"t":`))
		}
		return time.Since(begin), points, nil
	})
	if err != nil {
		return err
	}
	if want := int(to.Sub(from) / (5 * time.Minute)); points != want {
		return fmt.Errorf("a site's history has %d points, not %d", points, want)
	}
	b.row("site", middle, fmt.Sprintf("%.1f (slowest %.1f; %d points in two requests)", middle, slowest, points))
	return nil
}

// sensorHistories asks page after page: one has 1,000 readings at most.
func (b *bench) sensorHistories(a *asker, bearer string, from, to time.Time) error {
	pages := 0
	middle, slowest, readings, err := b.questions(b.devices, func(id string) (time.Duration, int, error) {
		n, cursor := 0, ""
		pages = 0
		begin := time.Now()
		for {
			path := fmt.Sprintf("/v1/devices/%s/readings?limit=1000&from=%s&to=%s%s", id, stampOf(from), stampOf(to), cursor)
			if err := a.ask(a.request(path, bearer), true); err != nil {
				return 0, 0, err
			}
			pages++
			n += bytes.Count(a.body, []byte(`{"pos":`))
			_, next, ok := bytes.Cut(a.body[max(len(a.body)-64, 0):], []byte(`"next":`))
			if !ok {
				return 0, 0, errors.New("a page without next")
			}
			if next = bytes.Trim(next, "\"}\n "); string(next) == "null" {
				return time.Since(begin), n, nil
			}
			cursor = "&cursor=" + string(next)
		}
	})
	if err != nil {
		return err
	}
	if readings == 0 {
		return errors.New("no sensor has a reading")
	}
	b.row("sensor", middle, fmt.Sprintf("%.1f (slowest %.1f; %d readings at most, the last in %d requests)", middle, slowest, readings, pages))
	return nil
}
