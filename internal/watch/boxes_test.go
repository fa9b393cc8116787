package watch

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// TestADeadBoxIsNoLeak: a box that dies is told as silent, and its days as no leak
// beside that, before it is told or after; a box that speaks and records too little
// is one.
func TestADeadBoxIsNoLeak(t *testing.T) {
	t.Parallel()
	day := monday + 14*dayMs
	accused := []Rule{RuleLeak, RuleStayNoPayment}
	for name, c := range map[string]struct {
		dies, back, until int64 // from the day's begin
		want              []Rule
	}{
		"it speaks on":                 {36 * hourMs, 0, 36 * hourMs, accused},
		"it is dead":                   {12 * hourMs, 0, 80 * hourMs, []Rule{RuleMeterSilent}},
		"it dies late, and is told on": {20 * hourMs, 0, 80 * hourMs, []Rule{RuleMeterSilent}},
		"it is back":                   {8 * hourMs, 20 * hourMs, 36 * hourMs, []Rule{RuleMeterSilent}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says := &answers{reached: 1 << 60}
			w := newWorld(t, Options{Stays: says, Reconciliation: says}, town(t, "", "m@a"))
			seq := uint64(0)
			sell := func(from, until int64) {
				for w.until(from); w.now < until; w.until(w.now + 5*minuteMs) {
					if hour := (w.now - monday) % dayMs / hourMs; hour >= 6 && hour < 22 {
						seq++
						w.sent("m", seq, w.now, city.Receipt{Number: fmt.Sprintf("A%06d", seq), Amount: 4000, Class: city.Car, Method: city.Cash})
					}
				}
			}
			sell(monday, day+7*hourMs) // the days before are judged
			require.NotContains(t, w.rules(), RuleLeak)
			says.seen, says.reconciled = cars(300, 300, 1), Reconciled{Low: 900_000, Recorded: 700_000, Known: true, Coverage: 1}
			sell(day+7*hourMs, day+c.dies)
			if c.back != 0 {
				sell(day+c.back, day+c.until)
			}
			w.until(day + c.until)
			var got []Rule
			for rule := range w.rules() {
				if rule == RuleMeterSilent || slices.Contains(accused, rule) {
					got = append(got, rule)
				}
			}
			require.ElementsMatch(t, c.want, got)
		})
	}
}

// TestADayWaitsForNoWordForEver: a meter that was never heard and of which nobody is
// to be told hides a leak for a week at most; while nothing is to be told, not at all.
func TestADayWaitsForNoWordForEver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		until int64
		want  int
	}{
		"six days":         {"meter_silent: {no_history_h: 10000}", 2*dayMs + 6*dayMs, 0},
		"a week":           {"meter_silent: {no_history_h: 10000}", 2*dayMs + 7*dayMs + hourMs, 1},
		"nothing is told":  {"meter_silent: {off: true}", 2*dayMs + 7*hourMs, 1},
		"a dead box, told": {"", 9 * dayMs, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says := &answers{reached: 1 << 60, reconciled: Reconciled{Low: 900_000, Known: true, Coverage: 1}}
			w := newWorld(t, Options{Reconciliation: says}, town(t, c.rules, "m@b"))
			w.until(monday + c.until)
			require.Equal(t, c.want, w.rules()[RuleLeak])
		})
	}
}
