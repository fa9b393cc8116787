package intake

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

// TestWhatIsBesideACopyOfAFrameIsACopy: another network heard the frame at
// another time, which is what the identity of a state beside it is made of.
func TestWhatIsBesideACopyOfAFrameIsACopy(t *testing.T) {
	w := newWorld(t)
	frame := func(src string, fcnt uint64, at int64) {
		spot := func(r city.Reading) city.Reading {
			r.Device, r.Kind, r.At, r.Spot = "d", city.KindSpot, at, &city.Spot{Occupied: true}
			return r
		}
		m := source.Message{Source: src, Device: "d", Payload: []byte("{}"), Done: func(bool) {}, Decoded: wire.Decoded{Readings: []city.Reading{
			spot(city.Reading{Seq: fcnt, Frame: true}),
			spot(city.Reading{HasBoot: true, Boot: city.BesideBoot, Seq: uint64(at)*16 + 3}),
		}}}
		plan, err := w.gate.Decide(t.Context(), w.now, []Item{{Message: m}})
		require.NoError(t, err)
		require.NoError(t, w.gate.Commit(t.Context(), plan))
	}
	readings := func() (n int, duplicates uint32) {
		for _, e := range w.committed {
			if e.Reading != nil {
				n++
			} else if e.Tally != nil {
				duplicates += e.Tally.Duplicates
			}
		}
		return n, duplicates
	}
	frame("one", 7, now)
	frame("two", 7, now+700)
	n, duplicates := readings()
	require.Equal(t, 2, n)
	require.EqualValues(t, 2, duplicates)
	frame("two", 8, now+2_000)
	n, _ = readings()
	require.Equal(t, 4, n, "another frame's are new")
}
