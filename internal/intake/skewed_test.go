package intake

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

// TestAClockThatIsOffFlagsEveryReading: once the error is known, each reading is
// flagged and has the time that was sent; a clock that is set is flagged no
// more; what waited for a link is not taken for a slow clock.
func TestAClockThatIsOffFlagsEveryReading(t *testing.T) {
	w := newWorld(t)
	seq := 0
	flags := func(n int, behind int64) (flagged int) {
		for range n {
			seq++
			w.now.Wall += 5 * minute
			w.now.Mono += 5 * minute
			before := len(w.committed)
			require.True(t, w.send("d", spotJSON(strconv.Itoa(seq), w.now.Wall-behind, "true")))
			for _, e := range w.committed[before:] {
				require.Equal(t, w.now.Wall-behind, e.Reading.At, "never restamped")
				if e.Flags&journal.FlagSkewed != 0 {
					flagged++
				}
			}
		}
		return flagged
	}
	require.Zero(t, flags(30, 0))
	require.Equal(t, 10, flags(10, -2*minute), "each reading that lies ahead of us is flagged by itself")
	require.Zero(t, flags(30, 0))
	require.Zero(t, flags(7, 20*minute), "a link held them back")
	require.Zero(t, flags(30, 500))
	require.GreaterOrEqual(t, flags(60, 20*minute), 35, "two blocks of readings say so")
	require.Equal(t, 5, flags(5, 20*minute))
	flags(25, 0)
	require.Zero(t, flags(10, 0))
}

const minute = int64(60_000)

// TestLoRaWANHasNoClockToBeOff: the times are the network's, however late they
// come.
func TestLoRaWANHasNoClockToBeOff(t *testing.T) {
	w := newWorld(t)
	w.version = inventoryOf(t, "id,kind,site,spot,eui\nl,spot,s1,1,0011223344556677\n")
	for seq := range uint64(60) {
		w.now.Wall += 5 * minute
		w.now.Mono += 5 * minute
		r := city.Reading{Device: "l", Kind: city.KindSpot, Seq: seq, At: w.now.Wall - 30*minute, Frame: true, Spot: &city.Spot{}}
		plan, err := w.gate.Decide(t.Context(), w.now, []Item{{Message: source.Message{Source: "b", Device: "l", Decoded: wire.Decoded{Readings: []city.Reading{r}}, Done: func(bool) {}}}})
		require.NoError(t, err)
		require.NoError(t, w.gate.Commit(t.Context(), plan))
	}
	require.Len(t, w.committed, 60)
	for _, e := range w.committed {
		require.Zero(t, e.Flags)
	}
}
