package main

import (
	"fmt"
	"strings"
	"time"
)

// plan is what happens in the year: honest people, and what is planted. Skimming
// of 10 % to 40 % on every tenth site, a week or two at a time; a meter that is
// reset, a till that voids at night, a week of blind sensors, an operator who
// deposits late and another one who keeps a part back.
func (y *year) plan(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "timezone: Asia/Jakarta\nseed: %d\n", seed)
	b.WriteString(`devices: {health: 0s}
payments: {unpaid: 0, void: 0.004, reprint: 0.004, subscription: 0.02, lost_ticket: 0, plate: 0}
bank: {on: true, fee: 0.007, pay_day: 10}
planted:
`)
	days := int(y.until.Sub(y.from).Hours()/24 + 0.5)
	at := func(day int) string { return y.from.AddDate(0, 0, day).Format(time.RFC3339) }
	shares := []float64{0.10, 0.15, 0.20, 0.30, 0.40}
	for i, p := range y.places {
		if !p.spots || i%everyFive != 0 {
			continue
		}
		n := i / everyFive
		for k := range 1 + days/60 {
			from := 5 + (k*53+n*17)%(days-15)
			fmt.Fprintf(&b, "  - {kind: skim, site: %s, share: %g, from: %s, until: %s}\n", p.id, shares[(n+k)%len(shares)], at(from), at(from+7+n%7))
		}
	}
	meter := func(i int) string { return "meter-" + strings.ToLower(y.places[i].id) }
	fmt.Fprintf(&b, "  - {kind: meter_reset, device: %s, from: %s}\n", meter(1), at(days/2))
	fmt.Fprintf(&b, "  - {kind: night_voids, device: %s, share: 0.5, from: %s, until: %s}\n", meter(2), at(days/4), at(days/2))
	fmt.Fprintf(&b, "  - {kind: blind, site: %s, from: %s, until: %s}\n", y.places[6].id, at(days/3), at(days/3+7))
	// Partly observed days: every fifth site loses its sensors for some hours of
	// every fifth day, once there are days to estimate those hours from.
	for i, p := range y.places {
		if i%everyFive != 2 {
			continue
		}
		const learnt, again, hours = 21, 5, 12
		for day := learnt + i%again; day < days-1; day += again {
			from := y.from.AddDate(0, 0, day).Add(time.Duration(6+(day+i)%12) * time.Hour)
			length := time.Duration(2+(day*7+i)%hours) * time.Hour
			fmt.Fprintf(&b, "  - {kind: blind, site: %s, from: %s, until: %s}\n", p.id, from.Format(time.RFC3339), from.Add(length).Format(time.RFC3339))
		}
	}
	fmt.Fprintf(&b, "  - {kind: deposit_late, operator: wp-1, days: 40, from: %s, until: %s}\n", at(0), at(days))
	fmt.Fprintf(&b, "  - {kind: deposit_short, operator: wp-2, share: 0.3, from: %s, until: %s}\n", at(0), at(days))
	return b.String()
}
