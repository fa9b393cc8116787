package intake

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// A device floods with garbage: all of it is acknowledged and counted, and what
// it costs the commits of all is bounded; others have all of theirs kept.
func TestGarbageOfADeviceHasARate(t *testing.T) {
	w := newWorld(t)
	done, n := 0, 0
	send := func(device string, many int) {
		items := make([]Item, many)
		for i := range items {
			n++
			payload := fmt.Appendf(nil, "garbage %d", n)
			items[i].Message = source.Message{
				Source: "b", Device: device, Payload: payload, Decoded: native.Decode(device, payload),
				Done: func(committed bool) {
					if committed {
						done++
					}
				},
			}
		}
		p, err := w.gate.Decide(t.Context(), w.now, items)
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.aside), asideBurst)
		require.NoError(t, w.gate.Commit(t.Context(), p))
	}
	kept := func() int { c := w.kept.Counts(); return c.Items + int(c.Evicted) }
	send("d", 3000)
	require.Equal(t, 3000, done)
	require.Equal(t, asideBurst, kept())
	send("m", 10)
	require.Equal(t, asideBurst+10, kept(), "others have theirs")
	w.now.Wall += 2000
	w.now.Mono += 2000
	send("d", 500)
	require.Equal(t, 3510, done)
	require.Equal(t, asideBurst+10+2*asideRate, kept())
}

// Very many names are bounded: those that come when there is no room share one
// rate, and who was quiet makes room.
func TestAsideRatesAreBounded(t *testing.T) {
	var a asideRates
	for n := range asideNames {
		require.True(t, a.allow(fmt.Sprint("device ", n), 0))
	}
	passed := 0
	for n := range 3 * asideBurst {
		if a.allow(fmt.Sprint("more ", n), 0) {
			passed++
		}
	}
	require.Equal(t, asideBurst, passed)
	require.LessOrEqual(t, len(a.devices), asideNames+1)
	for n := range asideBurst {
		require.True(t, a.allow(fmt.Sprint("later ", n), asideRefill))
	}
	require.LessOrEqual(t, len(a.devices), asideBurst+1)
}
