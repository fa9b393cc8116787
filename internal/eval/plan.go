package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/watch"
)

// fault is something planted, and the rules by which the watch may tell of it,
// the first of them before all.
type fault struct {
	kind        scenario.PlantedKind
	site, meter string
	from, until time.Time
	share       float64
	rules       []watch.Rule
}

// tells is what each kind of fault may raise.
var tells = map[scenario.PlantedKind][]watch.Rule{
	scenario.Skim:        {watch.RuleLeak, watch.RuleStayNoPayment},
	scenario.NightVoids:  {watch.RuleVoidNight, watch.RuleVoidRatio, watch.RuleLeak},
	scenario.MeterReset:  {watch.RuleTotalReset},
	scenario.MeterSilent: {watch.RuleMeterSilent}, // no accusation beside it
	scenario.OffTariff:   {watch.RuleOffTariff, watch.RuleLeak},
}

// plan is what happens in the year: honest people, and what is planted. Skimming
// of 10 % to 40 % on every fifth site, a week or two at a time; meters that are
// reset, silent for two days, or print less than was paid; a till that voids at
// night, a week of blind sensors and many shorter outages, an operator who
// deposits late and another one who keeps a part back.
func (y *year) plan(seed uint64) string {
	days := int(y.until.Sub(y.from).Hours()/24 + 0.5)
	at := func(day int) time.Time { return y.from.AddDate(0, 0, day) }
	plant := func(kind scenario.PlantedKind, i int, share float64, from, until time.Time) {
		id := y.places[i].id
		y.faults = append(y.faults, fault{kind: kind, site: id, meter: "meter-" + strings.ToLower(id), share: share, from: from, until: until, rules: tells[kind]})
	}
	shares := []float64{0.10, 0.15, 0.20, 0.30, 0.40}
	for i, p := range y.places {
		n := i / everyFive
		if y.blind {
			y.outages(i, i, days, plant)
			continue
		}
		switch i % everyFive {
		case 0:
			for k := range 1 + days/60 {
				from := 5 + (k*53+n*17)%(days-15)
				plant(scenario.Skim, i, shares[(n+k)%len(shares)], at(from), at(from+7+n%7))
			}
		case 1: // the first is blind for a week, the others have one fault of the meter each
			from := days/3 + n
			switch n % 4 {
			case 0:
				plant(scenario.MeterReset, i, 0, at(from).Add(10*time.Hour), at(from+1))
			case 1:
				plant(scenario.Blind, i, 0, at(days/3), at(days/3+7))
			case 2:
				plant(scenario.MeterSilent, i, 0, at(from).Add(9*time.Hour), at(from+2))
			case 3:
				plant(scenario.OffTariff, i, 0.3, at(from), at(from+7))
			}
		case 2:
			if n == 0 {
				plant(scenario.NightVoids, i, 0.5, at(days/4), at(days/2))
			}
			y.outages(i, n, days, plant)
		case 3:
			if !p.spots && n%2 == 0 {
				y.outages(i, n, days, plant)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "timezone: Asia/Jakarta\nseed: %d\n", seed)
	b.WriteString(`devices: {health: 0s}
payments: {unpaid: 0, void: 0.004, reprint: 0.004, subscription: 0.02, lost_ticket: 0, plate: 0}
bank: {on: true, fee: 0.007, pay_day: 10}
planted:
`)
	ofMeter := []scenario.PlantedKind{scenario.NightVoids, scenario.MeterReset, scenario.MeterSilent, scenario.OffTariff}
	for _, f := range y.faults {
		subject := "site: " + f.site
		if slices.Contains(ofMeter, f.kind) {
			subject = "device: " + f.meter
		}
		fmt.Fprintf(&b, "  - {kind: %s, %s, share: %g, from: %s, until: %s}\n", f.kind, subject, f.share, f.from.Format(time.RFC3339), f.until.Format(time.RFC3339))
	}
	if y.blind {
		return b.String()
	}
	all := fmt.Sprintf("from: %s, until: %s", at(0).Format(time.RFC3339), at(days).Format(time.RFC3339))
	fmt.Fprintf(&b, "  - {kind: deposit_late, operator: wp-1, days: 40, %s}\n", all)
	fmt.Fprintf(&b, "  - {kind: deposit_short, operator: wp-2, share: 0.3, %s}\n", all)
	return b.String()
}

// outages take a site's sensors away for some hours of every fourth day or so,
// once there are days to estimate those hours from; n sets places apart.
func (y *year) outages(i, n, days int, plant func(scenario.PlantedKind, int, float64, time.Time, time.Time)) {
	const learnt, again, longest = 21, 4, 13
	for day := learnt + n%again; day < days-1; day += again {
		from := y.from.AddDate(0, 0, day).Add(time.Duration(5+(day*5+n*3)%15)*time.Hour + time.Duration((day*37+n*11)%60)*time.Minute)
		length := time.Duration(1+(day*7+n)%longest) * time.Hour
		plant(scenario.Blind, i, 0, from, from.Add(length))
	}
}
