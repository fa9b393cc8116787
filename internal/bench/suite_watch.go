package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/watch"
	"github.com/simpang-id/simpang/internal/watch/baseline"
)

var watchSuite = suite{
	name: "watch", load: "100,000 spots of 500 sites, each every five minutes by the journal's clock, given to the follower alone on one core; then 100,000 baselines that have learned two days",
	rows: []line{
		{key: "devices", name: "watch: 100,000 devices on one core, flushes and ticks with it: readings/s", bar: 10_000},
		{key: "baselines", name: "watch: 100,000 learned baselines on one core: readings/s", bar: 10_000},
	},
	run: (*bench).watched,
}

const watchedDevices, watchedSites = 100_000, 500

// watched measures the detectors, without intake or journal.
func (b *bench) watched(ctx context.Context) (err error) {
	dir, err := b.scratch("watch")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	v, err := manySpots()
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	timeline := new(inventory.Timeline)
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	timeline.Accept(1, begin, v)
	f, err := watch.Open(ctx, filepath.Join(dir, "watch.db"), watch.Options{Timeline: timeline, Zone: time.UTC})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n := b.sized(3 * watchedDevices)
	took, err := giveSpots(f, v, begin, n)
	if err != nil {
		return err
	}
	b.row("devices", float64(n)/took.Seconds(), fmt.Sprintf("%.0f (%d readings, %d incidents stand)", float64(n)/took.Seconds(), n, f.Standing()))

	rate, flagged, err := judgeBaselines(ctx, watchedDevices, n)
	if err != nil {
		return err
	}
	b.row("baselines", rate, fmt.Sprintf("%.0f (%d readings, each judged, %d of them anomalies)", rate, n, flagged))
	return nil
}

// judgeBaselines gives n readings to many series, one after the other, that have
// learned before, and tells how many a second were judged, and how many of them were
// anomalies. Time is stepped: a reading each half hour until a series is judged.
func judgeBaselines(ctx context.Context, many, n int) (rate float64, flagged int, err error) {
	const learnEvery, every, day = 30 * 60_000, 5 * 60_000, 24 * 60 * 60_000
	p, series := baseline.Defaults(), make([]baseline.Series, many)
	// value is busy by day, and its noise is its own in each series and reading.
	value := func(s int, at int64, k int) float64 {
		return 50 + 30*math.Sin(2*math.Pi*float64(at%day)/day) + float64((s*31+k)*7919%101)/10
	}
	at, k := int64(day), 0
	for ; k < p.LearnCount+1 || at-day < p.LearnMs+learnEvery; k++ {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		for s := range series {
			series[s].Add(&p, at, baseline.Working, at%day, value(s, at, k))
		}
		at += learnEvery
	}
	values := make([]float64, many)
	var took time.Duration
	for done := 0; done < n; k++ {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		round := min(n-done, many)
		for s := range round {
			values[s] = value(s, at, k)
		}
		start := time.Now()
		for s := range round {
			v, ok := series[s].Add(&p, at, baseline.Working, at%day, values[s])
			if !ok || v.Learning {
				return 0, 0, fmt.Errorf("series %d learns still after %d readings: nothing would be measured", s, k)
			}
			if v.Anomalous {
				flagged++
			}
		}
		took += time.Since(start)
		done += round
		at += every
	}
	return float64(n) / took.Seconds(), flagged, nil
}

// giveSpots gives n readings with a tick a minute and a flush each five seconds
// of the journal's clock, and tells how long it took.
func giveSpots(f *watch.Follower, v *inventory.Version, begin int64, n int) (time.Duration, error) {
	const round, together = 300_000, watchedDevices * 5 / 300
	entries := []journal.Entry{{Pos: 1, Recv: begin, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}}}
	pos, minute := uint64(1), int64(0)
	var took time.Duration
	for i := 0; i < n; {
		for ; len(entries) < together && i < n; i++ {
			now := begin + int64(i)*round/watchedDevices
			pos++
			if now/60_000 > minute {
				minute = now / 60_000
				entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeTick})
				pos++
			}
			entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeReading, Source: "mqtt", Reading: &city.Reading{
				Device: v.Devices[i%watchedDevices].ID, Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: uint64(i/watchedDevices + 1), At: now,
				Spot: &city.Spot{Occupied: (i/watchedDevices+i)%3 == 0, Battery: city.SomeMilli(3500)},
			}})
		}
		start := time.Now()
		if err := f.Apply(entries); err != nil {
			return 0, err
		}
		if err := f.Flush(); err != nil {
			return 0, err
		}
		took += time.Since(start)
		entries = entries[:0]
	}
	return took, nil
}

// manySpots is an inventory of 100,000 spots.
func manySpots() (*inventory.Version, error) {
	var sites, devices bytes.Buffer
	sites.WriteString(`{"type":"FeatureCollection","features":[`)
	devices.WriteString("id,kind,site,spot,class,interval_s\n")
	for i := range watchedSites {
		if i > 0 {
			sites.WriteByte(',')
		}
		fmt.Fprintf(&sites, `{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":"s%d","name":"s%d","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","detection":"spots","capacity":{"car":%d}}}`,
			i, i, watchedDevices/watchedSites)
		for k := range watchedDevices / watchedSites {
			fmt.Fprintf(&devices, "spot-%03d-%03d,spot,s%d,%d,car,300\n", i, k, i, k)
		}
	}
	sites.WriteString(`]}`)
	v, faults := inventory.Parse(map[string][]byte{"sites.geojson": sites.Bytes(), "segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`), "devices.csv": devices.Bytes()}, time.UTC)
	if len(faults) > 0 {
		return nil, fmt.Errorf("the made inventory: %v", faults[0])
	}
	return v, nil
}
