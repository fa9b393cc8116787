package influx

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server that was away for hours may have died right after it took the last
// request: what counts is when the stream went on last, not when it is back.
func TestAWayBackIsCountedFromWhereTheStreamStood(t *testing.T) {
	begin := time.UnixMilli(1_772_414_100_000)
	stood := func() (p past) {
		for i := range uint64(200) { // half an hour and more
			p.note(begin.Add(time.Duration(i)*markEvery), cursor{pos: i})
		}
		return p
	}
	later := begin.Add(5 * time.Hour)
	for span, want := range map[time.Duration]uint64{window: 199 - 60, shortWindow: 199 - 6} {
		p := stood()
		back, ok := p.back(later, cursor{pos: 250}, span)
		require.True(t, ok)
		require.Equal(t, want, back.pos, span)
		require.Equal(t, []passed{{later.UnixMilli(), want, 0}}, p.Trail)
		require.Equal(t, uint64(250), p.Pos)
	}
	var none past
	_, ok := none.back(later, cursor{pos: 1}, window)
	require.False(t, ok)
}
