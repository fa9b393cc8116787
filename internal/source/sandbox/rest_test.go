package sandbox_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sandbox"
)

func TestADeviceRestsLongerEachTime(t *testing.T) {
	r, now := sandbox.NewRests(), time.Unix(1_772_414_100, 0)
	want := sandbox.FirstRest
	for i := range 20 {
		until, _ := r.Until("p", "a", now)
		require.Zero(t, until)
		r.Cost("p", "a", now, 50*time.Millisecond)
		until, times := r.Until("p", "a", now)
		require.Equal(t, i+1, times)
		require.Equal(t, want, until.Sub(now))
		other, _ := r.Until("p", "b", now)
		require.Zero(t, other, "another device of the profile goes on")
		now = until
		want = min(2*want, sandbox.LongestRest)
	}
	r.Good("p", "a", now, 0)
	r.Cost("p", "a", now, 50*time.Millisecond)
	until, _ := r.Until("p", "a", now)
	require.Equal(t, sandbox.FirstRest, until.Sub(now), "a good call ends the row")
	devices, profiles := r.Resting(now)
	require.Equal(t, []int{1, 0}, []int{devices, profiles})
}

// However many devices loop, a profile's codec takes a small share of the time.
func TestAProfileHasAnAllowance(t *testing.T) {
	const call = 50 * time.Millisecond
	r, begin := sandbox.NewRests(), time.Unix(1_772_414_100, 0)
	now, spent := begin, time.Duration(0)
	for i := 0; now.Sub(begin) < time.Hour; i++ {
		device := strconv.Itoa(i % 10_000)
		if until, _ := r.Until("p", device, now); until.IsZero() {
			now = now.Add(call)
			r.Cost("p", device, now, call)
			spent += call
		}
		now = now.Add(10 * time.Millisecond)
	}
	require.LessOrEqual(t, spent, time.Hour/50+2*sandbox.Allowance)
	require.Greater(t, spent, time.Hour/200, "it is tried again")
	until, _ := r.Until("another", "x", now)
	require.Zero(t, until, "another profile goes on")
}

// A codec within its limit that is far from cheap cannot have a line for itself.
func TestDearCallsTakeAFifthOfTheTime(t *testing.T) {
	for call, most := range map[time.Duration]time.Duration{45 * time.Millisecond: time.Hour/4 + 15*time.Second, 5 * time.Millisecond: time.Hour} {
		r, begin := sandbox.NewRests(), time.Unix(1_772_414_100, 0)
		now, spent := begin, time.Duration(0)
		for now.Sub(begin) < time.Hour {
			if until, _ := r.Until("p", "a", now); until.IsZero() {
				now, spent = now.Add(call), spent+call
				r.Good("p", "a", now, call)
				continue
			}
			now = now.Add(10 * time.Millisecond)
		}
		require.LessOrEqual(t, spent, most+call, call)
		require.Greater(t, spent, most/2, call)
		if call == 5*time.Millisecond {
			require.GreaterOrEqual(t, spent, time.Hour, "a cheap one never rests")
		}
		until, _ := r.Until("another", "a", now)
		require.Zero(t, until)
	}
}
