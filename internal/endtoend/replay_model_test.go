package endtoend_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// realFile says what is to be known of a CSV of real observations. It is told
// here once more, apart from configs/replay, which is part of what is tested.
type realFile struct {
	csv      string // under shared/data
	mapping  string // in configs/replay
	kind     string // count or traffic
	key      string // column that names what was observed
	prefix   string // of the device's id
	at       string // column of the time
	layout   string
	zone     string
	value    string // column of the vehicles
	places   string // column of the capacity
	speed    string // column of the speed, km/h
	overLine bool   // replayed over a serial line
}

func aarhusGarage(name string, overLine bool) realFile {
	return realFile{
		csv: "parking/AarhusParkingData" + name + ".csv", mapping: "aarhus-parking", kind: "count", key: "garagecode", prefix: "count-",
		at: "updatetime", layout: "2006-01-02 15:04:05.999", zone: "Europe/Copenhagen", value: "vehiclecount", places: "totalspaces", overLine: overLine,
	}
}

func aarhusRoad(report string, overLine bool) realFile {
	return realFile{
		csv: "traffic/AarhusTrafficData" + report + ".csv", mapping: "aarhus-traffic", kind: "traffic", key: "REPORT_ID", prefix: "tc-",
		at: "TIMESTAMP", layout: "2006-01-02T15:04:05", zone: "Europe/Copenhagen", value: "vehicleCount", speed: "avgSpeed", overLine: overLine,
	}
}

var birmingham = realFile{
	csv: "parking/birmingham.csv", mapping: "birmingham", kind: "count", key: "SystemCodeNumber", prefix: "count-",
	at: "LastUpdated", layout: "2006-01-02 15:04:05", zone: "Europe/London", value: "Occupancy", places: "Capacity",
}

// sharedData is the folder of real data; without it the test is skipped.
func sharedData(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(root(), "../shared/data")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real data is not here: %v", err)
	}
	return dir
}

// observed is one row of a file: so many vehicles, at a speed, at a time.
type observed struct {
	at    time.Time
	seq   uint64
	n     int64
	speed float64
}

// place is what a device of a file saw: a car park or a road.
type place struct {
	id       string // of the device
	at       string // of its site or segment
	file     realFile
	capacity int64
	good     []observed // in the order of time, each once
	doubled  int        // equal rows beyond the first
	negative int
}

// sanitize makes an id of a name.
func sanitize(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
}

// readReal reads a file by itself, without the program under test.
func readReal(t *testing.T, dir string, file realFile) []*place {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file.csv))
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	column := func(name string) int {
		for i, c := range rows[0] {
			if strings.TrimSpace(c) == name {
				return i
			}
		}
		t.Fatalf("%s has no column %s", file.csv, name)
		return 0
	}
	zone, err := time.LoadLocation(file.zone)
	require.NoError(t, err)
	places := map[string]*place{}
	var order []*place
	for _, row := range rows[1:] {
		cell := func(name string) string { return strings.TrimSpace(row[column(name)]) }
		id := file.prefix + sanitize(cell(file.key))
		p := places[id]
		if p == nil {
			p = &place{id: id, at: "X-" + id, file: file}
			places[id] = p
			order = append(order, p)
		}
		o := observed{}
		o.at, err = time.ParseInLocation(file.layout, cell(file.at), zone)
		require.NoError(t, err)
		o.n, err = strconv.ParseInt(cell(file.value), 10, 64)
		require.NoError(t, err)
		if file.speed != "" {
			o.speed, err = strconv.ParseFloat(cell(file.speed), 64)
			require.NoError(t, err)
		}
		if file.places != "" {
			p.capacity, err = strconv.ParseInt(cell(file.places), 10, 64)
			require.NoError(t, err)
		}
		p.good = append(p.good, o)
	}
	for _, p := range order {
		p.settle()
	}
	return order
}

// settle orders and numbers what was observed, and sets aside what is doubled
// or cannot be.
func (p *place) settle() {
	all := p.good
	sort.SliceStable(all, func(i, j int) bool { return all[i].at.Before(all[j].at) })
	p.good = nil
	seq := uint64(0)
	for i, o := range all {
		again := false
		for j := i - 1; j >= 0 && all[j].at.Equal(o.at); j-- {
			again = again || all[j].n == o.n && all[j].speed == o.speed
		}
		switch {
		case o.n < 0 && !again:
			seq++
			p.negative++
		case again:
			p.doubled++
		default:
			seq++
			o.seq = seq
			p.good = append(p.good, o)
		}
	}
}

// fate is what must have become of the place's readings.
func (p *place) fate() *fate {
	f := &fate{duplicates: p.doubled}
	for _, o := range p.good {
		r := reading{Kind: p.file.kind, Seq: o.seq, At: o.at}
		if p.file.kind == "count" {
			r.Class, r.Occupied = "car", float64(o.n)
		} else {
			c := &counts{Unknown: o.n}
			if p.file.overLine { // no sentence has unknown
				c = &counts{KR: o.n}
			}
			r.PeriodS, r.Lanes = 300, []lane{{Lane: 1, Direction: "forward", Counts: c, SpeedKmh: &o.speed}}
		}
		f.delivered = append(f.delivered, r)
	}
	for range p.negative {
		f.refused = append(f.refused, truthLine{Reason: "impossible_value"})
	}
	return f
}

// intervalS is the interval that the inventory states of parking; a state holds
// for three.
const intervalS = 1800

// parkingPoint is one step of a site's history, as the API answers it.
type parkingPoint struct {
	T           time.Time `json:"t"`
	FreeAvg     *float64  `json:"free_avg"`
	FreeMin     *int64    `json:"free_min"`
	OccupiedAvg *float64  `json:"occupied_avg"`
	Arrivals    *int64    `json:"arrivals"`
	Departures  *int64    `json:"departures"`
	Coverage    float64   `json:"coverage"`
}

// during is what a site's counts say of the time from one moment to another:
// each holds until the next or until it is stale.
func (p *place) during(from, to time.Time) (point parkingPoint) {
	first := sort.Search(len(p.good), func(i int) bool { return p.good[i].at.After(from) })
	var covered, free, occupied, least int64
	for i := max(0, first-1); i < len(p.good) && p.good[i].at.Before(to); i++ {
		o := p.good[i]
		begin, end := o.at, o.at.Add(3*intervalS*time.Second)
		if i+1 < len(p.good) && p.good[i+1].at.Before(end) {
			end = p.good[i+1].at
		}
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		ms := end.UnixMilli() - begin.UnixMilli()
		if ms <= 0 {
			continue
		}
		places := max(0, p.capacity-o.n)
		if covered == 0 || places < least {
			least = places
		}
		covered += ms
		free += ms * places
		occupied += ms * o.n
	}
	point.T = from
	point.Coverage = float64(covered) / float64(to.UnixMilli()-from.UnixMilli())
	if covered > 0 {
		f, o := float64(free)/float64(covered), float64(occupied)/float64(covered)
		point.FreeAvg, point.OccupiedAvg, point.FreeMin = &f, &o, &least
	}
	return point
}

// passed is what a road's counts say of the periods that begin from one moment
// to another: vehicles an hour of the time that was counted, and their harmonic
// mean speed.
func (p *place) passed(from, to time.Time) (point trafficPoint) {
	begins := func(i int) time.Time { return p.good[i].at.Add(-5 * time.Minute) }
	var periods, vehicles int64
	var hours float64
	for i := sort.Search(len(p.good), func(i int) bool { return !begins(i).Before(from) }); i < len(p.good) && begins(i).Before(to); i++ {
		periods++
		vehicles += p.good[i].n
		if p.good[i].n > 0 { // the speed of nobody says nothing
			hours += float64(p.good[i].n) / p.good[i].speed
		}
	}
	point.T = from
	if periods == 0 {
		return point
	}
	flow := float64(vehicles*12) / float64(periods)
	point.FlowVPH = &flow
	point.Coverage = float64(periods) * 300 / to.Sub(from).Seconds()
	if vehicles > 0 && hours > 0 {
		speed := float64(vehicles) / hours
		point.SpeedKmh = &speed
	}
	return point
}

// present is what the API says of a site or of a segment now.
type present struct {
	Classes    []siteClass `json:"classes"`
	FlowVPH    *float64    `json:"flow_vph"`
	SpeedKmh   *float64    `json:"speed_kmh"`
	Quality    string      `json:"quality"`
	ObservedAt time.Time   `json:"observed_at"`
}

// UnmarshalJSON takes any zone.
func (p *present) UnmarshalJSON(data []byte) error {
	type plain present
	err := json.Unmarshal(data, (*plain)(p))
	p.ObservedAt = p.ObservedAt.UTC()
	return err
}

// present is what the last row says of a moment after it: how many there are,
// or, once that is stale, only when it was.
func (p *place) present(now time.Time) present {
	last := p.good[len(p.good)-1]
	out := present{Quality: "stale", ObservedAt: last.at.UTC()}
	if p.file.kind == "traffic" {
		return out // roads are replayed with their old times only
	}
	c := siteClass{Class: "car", Capacity: int(p.capacity), Unknown: int(p.capacity), Quality: "stale", State: "unknown"}
	if now.Before(last.at.Add(3 * intervalS * time.Second)) {
		free, occupied := int(max(0, p.capacity-last.n)), int(last.n)
		c = siteClass{Class: "car", Capacity: int(p.capacity), Free: &free, Occupied: &occupied, Quality: "live", State: "open"}
		switch {
		case free == 0:
			c.State = "full"
		case free*10 <= c.Capacity:
			c.State = "almost_full"
		}
	}
	out.Classes, out.Quality = []siteClass{c}, c.Quality
	return out
}
