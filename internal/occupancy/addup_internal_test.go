package occupancy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
)

// Passages of one time, added up, do what they do one after the other: to the
// levels, the arrivals, the departures and the drift.
func TestAddUp(t *testing.T) {
	type done struct {
		levels          levels
		arr, dep, drift int64
	}
	walk := func(from levels, list []obs) done {
		d := done{levels: from}
		for _, o := range list {
			switch class, n := o.passed(); {
			case o.v == gateEnded:
			case class == gateThrough:
				d.arr += n
				d.dep += n
			default:
				d.drift += d.levels.pass(class, n, 1000)
				d.arr += max(0, n)
				d.dep += max(0, -n)
			}
		}
		return d
	}
	rapid.Check(t, func(t *rapid.T) {
		var from levels
		for i := range from {
			from[i] = rapid.Int64Range(0, 4).Draw(t, "level")
		}
		var all, kept []obs
		for range rapid.IntRange(1, 40).Draw(t, "passages") {
			o := obs{at: 5, v: gateEnded}
			if rapid.IntRange(0, 9).Draw(t, "ended") > 0 {
				o = gateObs(5, city.Class(rapid.IntRange(0, 6).Draw(t, "class")), &city.Gate{Out: rapid.Bool().Draw(t, "out"), Count: uint32(rapid.IntRange(0, 3).Draw(t, "count"))})
			}
			all = append(all, o)
			if kept == nil {
				kept = []obs{o}
			} else {
				kept = addUp(kept, o)
			}
			require.Equal(t, walk(from, all), walk(from, kept))
			require.Equal(t, o.v == gateEnded, kept[len(kept)-1].v == gateEnded)
			require.LessOrEqual(t, len(kept), 2*len(from)+2)
		}
	})
}
