package watch

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTableOfDeviceFaults plants faults of each kind in places that are honest
// otherwise, with several seeds, and prints the rows of docs/detectors.md.
func TestTableOfDeviceFaults(t *testing.T) {
	t.Parallel()
	type row struct {
		rule           Rule
		planted, found int
		delays         []int64
	}
	faults := map[string]Rule{
		"dead": RuleDeviceSilent, "stuck": RuleDeviceStuck, "flapping": RuleDeviceFlapping, "battery": RuleDeviceBattery,
		"ahead": RuleDeviceSkew, "behind": RuleDeviceSkew, "gaps": RuleDeviceGaps, "overstay": RuleOverstay,
	}
	// What a fault may also raise: an occupied place that never changes.
	follows := map[string]Rule{"stuck": RuleOverstay, "overstay": RuleDeviceStuck}
	names := []string{"ahead", "battery", "behind", "dead", "flapping", "gaps", "overstay", "stuck"}
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	rows := map[string]*row{}
	wrong, right := 0, 0
	for seed := range seeds {
		w := newWorld(t, Options{}, streets(t, "", "", 8))
		s := newSpots(w, 100+seed, 8)
		planted := map[string]string{}
		from := monday + 8*dayMs + int64(8+seed)*hourMs
		for i, fault := range names { // one a site
			x := s.list[i*8+int(seed)]
			x.fault, x.from = fault, from
			planted[x.id] = fault
		}
		s.run(from + 2*dayMs)
		for _, fault := range names {
			if rows[fault] == nil {
				rows[fault] = &row{rule: faults[fault]}
			}
			rows[fault].planted++
		}
		for _, i := range w.all() {
			fault := planted[i.Subject]
			switch {
			case i.Subject == "c":
			case fault != "" && i.Rule == faults[fault] && i.OpenedAt >= from:
				rows[fault].found++
				rows[fault].delays = append(rows[fault].delays, (i.OpenedAt-from)/minuteMs)
				right++
			case fault != "" && i.Rule == follows[fault]:
			default:
				wrong++
				t.Log("wrong:", i.Rule, i.Subject, fault)
			}
		}
	}
	all, found := 0, 0
	for _, fault := range names {
		r := rows[fault]
		slices.Sort(r.delays)
		delay := "-"
		if len(r.delays) > 0 {
			delay = strconv.FormatInt(r.delays[len(r.delays)/2], 10)
		}
		t.Logf("| `%s` (%s) | %d of %d | %s |", r.rule, fault, r.found, r.planted, delay)
		all, found = all+r.planted, found+min(r.found, r.planted)
	}
	t.Logf("recall %.3f, precision %.3f (%d wrong)", float64(found)/float64(all), float64(right)/float64(right+wrong), wrong)
	require.GreaterOrEqual(t, float64(found), 0.95*float64(all))
	require.GreaterOrEqual(t, float64(right), 0.9*float64(right+wrong))
}
