package watch

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// sells lets the meter give a receipt every few minutes while its site is open.
func (r *rig) sells(every int64, until int64) {
	for r.x.now < until {
		r.pass(every)
		if r.x.place.open(r.x.now) && r.x.now < until {
			r.give(city.Receipt{Number: fmt.Sprintf("A%06d", r.seq), Amount: 4000, Class: city.Car}, r.x.now)
		}
	}
}

const learned = 9 * dayMs // ends on a Wednesday

func TestSilence(t *testing.T) {
	noon := monday + 14*dayMs + 12*hourMs // a Monday
	for name, c := range map[string]struct {
		do   func(r *rig)
		want []string
	}{
		"an hour is nothing":      {func(r *rig) { r.sells(5*minuteMs, noon); r.pass(60 * minuteMs) }, nil},
		"two hours are too long":  {func(r *rig) { r.sells(5*minuteMs, noon); r.pass(2 * hourMs) }, []string{"+meter_silent 1"}},
		"it speaks again":         {func(r *rig) { r.sells(5*minuteMs, noon); r.pass(2 * hourMs); r.sells(5*minuteMs, r.x.now+hourMs) }, []string{"+meter_silent 1", "-meter_silent"}},
		"a slow meter has time":   {func(r *rig) { r.sells(60*minuteMs, noon); r.pass(9 * hourMs) }, nil},
		"even a slow meter":       {func(r *rig) { r.sells(60*minuteMs, noon); r.pass(60 * hourMs) }, []string{"+meter_silent 1"}},
		"the night is quiet":      {func(r *rig) { r.sells(5*minuteMs, noon+10*hourMs); r.pass(8 * hourMs) }, nil},
		"it has just opened":      {func(r *rig) { r.sells(minuteMs, noon+10*hourMs); r.pass(8*hourMs + 40*minuteMs) }, nil},
		"the site is closed":      {func(r *rig) { r.sells(5*minuteMs, monday+learned); r.pass(29 * hourMs) }, nil}, // 11 March
		"we were off":             {func(r *rig) { r.sells(5*minuteMs, noon); r.x.now += 5 * hourMs; r.pass(30 * minuteMs) }, nil},
		"without history":         {func(r *rig) { r.pass(5 * dayMs) }, []string{"+meter_silent 1"}},
		"without history, a day":  {func(r *rig) { r.pass(dayMs) }, nil},
		"a day's history is none": {func(r *rig) { r.sells(minuteMs, monday+dayMs); r.pass(20 * hourMs) }, nil},
		"a kind of day that was never seen": {func(r *rig) { // holiday 19 March
			r.sells(5*minuteMs, monday+17*dayMs)
			r.pass(24 * hourMs)
		}, nil},
		"a quarter of the usual": {func(r *rig) { // learned from every 5 minutes, now every 20
			r.sells(5*minuteMs, monday+14*dayMs)
			r.sells(20*minuteMs, monday+16*dayMs+12*hourMs)
			r.pass(3 * hourMs)
		}, nil},
		"what comes late teaches nothing and is heard": {func(r *rig) {
			r.sells(5*minuteMs, noon)
			for range 20 {
				r.pass(20 * minuteMs)
				r.give(city.Receipt{Number: "x", Amount: 4000}, r.x.now-5*hourMs)
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &silent{})
			r.x.place.closures.Put(closureOf("a", monday+learned, monday+learned+dayMs))
			c.do(r)
			require.Equal(t, c.want, r.said)
		})
	}
}
