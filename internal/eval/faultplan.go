package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch"
)

// planted is one fault of the town.
type planted struct {
	*faultKind

	looked

	subject  string   // what was planted on
	subjects []string // what an anomaly may be of
	from     time.Time
	until    time.Time
	effect   time.Time // when it first made a difference; zero: it did not
	tells    map[watch.Rule]time.Time
}

// faultPlan puts faults on a town's places, each place with one at a time.
type faultPlan struct {
	t        *town
	dice     *rand.Rand
	begin    time.Time
	days     int
	yaml     strings.Builder
	closures strings.Builder
	faults   []planted
	reserved map[string]bool // sites and roads on which something else happens
	places   map[string][]int
	next     map[string]int
	skipped  int
	turn     int // sources that were away
}

// The first days are for learning; a place has its second fault in the last.
const (
	learnDays  = 9
	lastDays   = 11
	twoWaves   = 28 // days
	oneOfEvery = 33 // sites: faults of a kind
)

func newFaultPlan(t *town, seed uint64, begin time.Time, days int) *faultPlan {
	p := &faultPlan{
		t: t, dice: rand.New(rand.NewPCG(seed, 0xfa17)), begin: begin, days: days,
		reserved: map[string]bool{}, places: map[string][]int{}, next: map[string]int{},
	}
	p.life(seed)
	for range max(1, len(t.sites)/oneOfEvery) {
		for i := range faultKinds {
			p.plant(&faultKinds[i])
		}
	}
	return p
}

func (p *faultPlan) at(day, hour int) time.Time {
	return p.begin.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
}

func (p *faultPlan) line(kind scenario.PlantedKind, of string, share, by float64, from, until time.Time) {
	fmt.Fprintf(&p.yaml, "  - {kind: %s, %s, share: %g, by: %g, from: %s, until: %s}\n", kind, of, share, by, from.Format(time.RFC3339), until.Format(time.RFC3339))
}

// life is what happens in a town in which nothing is wrong. How Ramadan and
// Lebaran change a day is assumed: nobody measured it.
func (p *faultPlan) life(seed uint64) {
	fmt.Fprintf(&p.yaml, `timezone: Asia/Jakarta
seed: %d
devices: {health: 6h}
parking: {mood: 0.1, sites: {%s}}
payments: {unpaid: 0, void: 0.004, reprint: 0.004, subscription: 0.02, lost_ticket: 0.002, plate: 0}
traffic: {volume: 0.38, spread: 0.08, mood: 0.05}
days: {ramadan: {parking: 0.9, traffic: 0.9, earlier: 1h}, lebaran: {parking: 0.7, traffic: 0.7}}
faults: {doubled: 0.002, late: 0.004, late_by: 20m, clock_drift: 200ms, reboot: 0.01}
planted:
`, seed, p.shortStays())
	p.closed()
	for i := range p.t.sites {
		s := &p.t.sites[i]
		if s.street && p.dice.IntN(3) == 0 { // a radio that loses a few
			p.line(scenario.Gaps, "device: "+s.spot(1+p.dice.IntN(townCars)), 0.02, 0, p.at(0, 0), p.at(p.days, 0))
		}
		if p.dice.IntN(2) == 0 { // a link that is away for less than an interval
			from := p.at(p.dice.IntN(p.days), 6+p.dice.IntN(14)).Add(minutes(p.dice.IntN(60)))
			long := 50 * time.Minute
			if s.interval == often {
				long = 9 * time.Minute
			}
			p.line(scenario.LinkAway, "site: "+s.id, 0, 0, from, from.Add(long))
		}
	}
}

// shortStays has nobody stay too long where that is restricted.
func (p *faultPlan) shortStays() string {
	var list []string
	for i := range p.t.sites {
		if p.t.sites[i].restricted {
			list = append(list, p.t.sites[i].id+": {median: 0.2}")
		}
	}
	return strings.Join(list, ", ")
}

// closed is a flood of a night on a road and what lies at it, an event, works
// during which a sensor is dead, and car-free Sundays, which the reference city
// does not have in Ramadan.
func (p *faultPlan) closed() {
	p.closures.WriteString("site,segment,from,to,rrule,except,reason,places_lost\n")
	shut := func(site, segment string, from, until time.Time, rule, except, reason string) {
		fmt.Fprintf(&p.closures, "%s,%s,%s,%s,%s,%s,%s,\n", site, segment, from.Format(time.RFC3339), until.Format(time.RFC3339), rule, except, reason)
	}
	along := func(i int, from, until time.Time, rule, except, reason string) {
		for _, r := range p.t.roads[2*i : 2*i+2] {
			p.reserved[r.id] = true
			shut("", r.id, from, until, rule, except, reason)
			for _, s := range p.t.sitesOn(r.id) {
				shut(s, "", from, until, rule, except, reason)
				p.reserved[s] = reason == "flood"
			}
		}
	}
	along(1, p.at(p.days/2, 18), p.at(p.days/2+1, 9), "", "", "flood")
	along(2, p.at(p.days-5, 4), p.at(p.days-5, 16), "", "", "flood")
	sunday := time.Date(2026, 1, 4, 6, 0, 0, 0, p.begin.Location())
	along(3, sunday, sunday.Add(4*time.Hour), "FREQ=WEEKLY;BYDAY=SU", "2026-02-22 2026-03-01 2026-03-08 2026-03-15 2026-03-22", "cfd")
	for i := range p.t.sites {
		s := &p.t.sites[i]
		switch {
		case p.reserved[s.id]:
		case s.street && !p.reserved["works"]:
			p.reserved["works"], p.reserved[s.id] = true, true
			shut(s.id, "", p.at(learnDays+1, 6), p.at(learnDays+3, 18), "", "", "works")
			p.line(scenario.Dead, "device: "+s.spot(1), 0, 0, p.at(learnDays+1, 7), p.at(learnDays+3, 15))
		case !s.street && !p.reserved["event"]:
			p.reserved["event"], p.reserved[s.id] = true, true
			shut(s.id, "", p.at(learnDays+2, 12), p.at(learnDays+3, 12), "", "", "event")
		}
	}
}

// plant puts one fault of a kind on a place that has none at the time.
func (p *faultPlan) plant(k *faultKind) {
	if k.on == onSource {
		p.away(k)
		return
	}
	i, wave, ok := p.place(k.on)
	if !ok {
		p.skipped++
		return
	}
	first := learnDays + p.dice.IntN(max(1, p.days-lastDays-learnDays-6))
	if wave == 1 {
		first = p.days - lastDays + p.dice.IntN(4)
	}
	f := planted{faultKind: k, from: p.at(first, k.hour), tells: map[watch.Rule]time.Time{}}
	if k.hour > 0 {
		f.from = f.from.Add(minutes(p.dice.IntN(90)))
	}
	f.until = f.from.Add(max(k.long, minutes(1)))
	f.lost, f.set = k.share, rulesOf()
	p.put(&f, i)
	p.faults = append(p.faults, f)
}

// put says on what a fault is, and what its rule looks at.
func (p *faultPlan) put(f *planted, i int) {
	k := f.faultKind
	const ramadan = 0.9
	per := func(turnover float64, places int) float64 { return turnover * float64(places) * ramadan / 24 }
	through := per(carTurnover, gateCars) + per(cycleTurnover, gateCycles)
	of, second := "device: ", ""
	switch k.on {
	case onSpot, onRestrictedSpot, onStreet, onGate, onGateSite, onMeter:
		s := &p.t.sites[i]
		f.interval = time.Duration(s.interval) * time.Second
		f.subject, f.subjects = s.id, []string{s.id, s.meter()}
		switch k.on {
		case onSpot, onRestrictedSpot:
			f.subject, f.events = s.spot(1+p.dice.IntN(townCars)), 2*per(carTurnover, 1)
		case onGate:
			f.subject, f.events = s.gate(1+p.dice.IntN(2)), through
		case onMeter:
			f.subject, f.events = s.meter(), through
		default:
			of = "site: "
		}
		f.subjects = append(f.subjects, f.subject)
	case onRoad, onSlowRoad, onCounter:
		r := &p.t.roads[i]
		f.interval, f.events = countEach*time.Second, 1000
		f.subject, f.subjects, of = r.id, []string{r.id}, "segment: "
		if k.on == onCounter {
			f.subject, of = r.counter(), "device: "
			f.subjects = []string{r.counter(), r.id}
		}
		if k.rules[0] == watch.RuleTidal {
			second = r.opposite
			f.subjects = append(f.subjects, second)
		}
	case onSource:
	}
	p.line(k.plant, of+f.subject, k.share, k.by, f.from, f.until)
	if second != "" {
		p.line(scenario.Emptied, "segment: "+second, 0.4, 0, f.from, f.until)
	}
}

// Turnover of places, as scenario has it by default.
const (
	carTurnover   = 5
	cycleTurnover = 4
)

// away is a source whose link is away; its sites are not far from each other in
// time, so that few other faults fall into it.
func (p *faultPlan) away(k *faultKind) {
	if p.turn == 3 {
		return
	}
	letter := string(rune('A' + p.turn))
	from := p.at(p.days-14+p.turn, k.hour).Add(minutes(p.dice.IntN(60)))
	p.turn++
	f := planted{faultKind: k, from: from, until: from.Add(k.long), subject: letter + "-*", tells: map[watch.Rule]time.Time{}}
	f.subjects = []string{"net-" + strings.ToLower(letter)}
	f.interval, f.set = seldom*time.Second, rulesOf()
	p.line(k.plant, `site: "`+f.subject+`"`, 0, 0, f.from, f.until)
	p.faults = append(p.faults, f)
}

// place takes the next place of a pool, in an order of its own, and tells
// whether it is its first fault (wave 0) or its second.
func (p *faultPlan) place(on pool) (i, wave int, ok bool) {
	name := map[pool]string{
		onSpot: "street", onStreet: "street", onRestrictedSpot: "restricted", onGate: "gates", onGateSite: "gates", onMeter: "gates",
		onRoad: "road", onCounter: "road", onSlowRoad: "slow",
	}[on]
	if p.places[name] == nil {
		p.places[name] = p.free(name)
		p.dice.Shuffle(len(p.places[name]), func(a, b int) { p.places[name][a], p.places[name][b] = p.places[name][b], p.places[name][a] })
	}
	list, n := p.places[name], p.next[name]
	waves := 1
	if p.days >= twoWaves {
		waves = 2
	}
	if n >= waves*len(list) {
		return 0, 0, false
	}
	p.next[name]++
	return list[n%len(list)], n / len(list), true
}

func (p *faultPlan) free(name string) (list []int) {
	for i := range p.t.sites {
		s := &p.t.sites[i]
		if !p.reserved[s.id] && (name == "street" && s.street && !s.restricted || name == "restricted" && s.restricted || name == "gates" && !s.street) {
			list = append(list, i)
		}
	}
	for i := range p.t.roads {
		r := &p.t.roads[i]
		switch {
		case p.reserved[r.id]:
		case name == "slow" && r.slow && len(p.t.sitesOn(r.id)) > 0:
			list = append(list, i)
		case name == "road" && !r.slow && i%2 == 0: // the other direction is of the same fault
			list = append(list, i)
		}
	}
	return slices.Clip(list)
}

// rulesOf are the rules by which the town is watched: the defaults.
func rulesOf() *inventory.Rules { return inventory.DefaultRules() }
