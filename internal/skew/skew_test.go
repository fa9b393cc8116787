package skew_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/skew"
)

const (
	minute = int64(60_000)
	hour   = 60 * minute
)

// lived lets a device live: error of its clock in ms, a reading each interval,
// through a link that delays, holds back and now and then tells nonsense.
func lived(seed uint64, off, interval, span int64) (estimate skew.Estimate) {
	dice := rand.New(rand.NewPCG(seed, 1))
	held := int64(0)
	for now := int64(1_772_000_000_000); span > 0; now, span = now+interval, span-interval {
		delay := dice.Int64N(2000)
		if held == 0 && dice.IntN(40) == 0 {
			held = dice.Int64N(8) // the link is away, and what waited comes together
		}
		if held > 0 {
			held--
			delay += held * interval
		}
		lag := off + delay
		if dice.IntN(200) == 0 {
			lag = dice.Int64N(20*24*hour) - 10*24*hour // a time that makes no sense
		}
		estimate.Take(lag, now)
	}
	return estimate
}

// TestTheErrorIsFound: within two seconds, whatever the link did; a clock that
// is right is never taken for one that is a minute off.
func TestTheErrorIsFound(t *testing.T) {
	t.Parallel()
	for _, interval := range []int64{10_000, minute, 10 * minute, hour} {
		for _, off := range []int64{0, -4 * minute, 10 * minute, 3 * hour} {
			missed := 0
			for seed := range uint64(200) {
				e := lived(seed, off, interval, 3*24*hour)
				ms, ok := e.Ms()
				require.True(t, ok)
				if ms < off-100 || ms > off+2000 {
					missed++
				}
			}
			require.LessOrEqual(t, missed, 8, "interval %d off %d: two senseless times in three blocks are rare", interval, off)
		}
	}
}

func TestNothingIsKnownBeforeABlockIsWhole(t *testing.T) {
	t.Parallel()
	e := skew.Estimate{}
	for i := range int64(9) {
		e.Take(5000, 1_772_000_000_000+i*hour)
		_, ok := e.Ms()
		require.False(t, ok, "reading %d", i+1)
	}
	e.Take(5000, 1_772_000_000_000+9*hour)
	ms, ok := e.Ms()
	require.True(t, ok)
	require.EqualValues(t, 5000, ms)
}

// TestABootMaySetTheClock: what was known holds until a block is whole, and then
// no more.
func TestABootMaySetTheClock(t *testing.T) {
	t.Parallel()
	e := skew.Estimate{}
	now := int64(1_772_000_000_000)
	take := func(n int, lag int64) {
		for range n {
			now += 5 * minute
			e.Take(lag, now)
		}
	}
	take(60, 600_000)
	e.Rebooted()
	take(3, 1000)
	ms, _ := e.Ms()
	require.EqualValues(t, 600_000, ms)
	take(10, 1000)
	ms, _ = e.Ms()
	require.EqualValues(t, 1000, ms)
}

func FuzzDecode(f *testing.F) {
	e := lived(1, 600_000, minute, 24*hour)
	f.Add(e.Append(nil))
	e.Rebooted()
	f.Add(e.Append(nil))
	f.Add((&skew.Estimate{}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, rest, err := skew.Decode(b)
		if err != nil {
			return
		}
		require.Equal(t, b, append(e.Append(nil), rest...))
		e.Take(1, 1_772_000_000_000)
		e.Ms()
	})
}

func BenchmarkTake(b *testing.B) {
	var e skew.Estimate
	now := int64(1_772_000_000_000)
	for b.Loop() {
		now += 10_000
		e.Take(now%2000, now)
	}
}
