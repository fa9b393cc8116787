package traffic

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestProRata: parts add up to the whole, none is further than one from its
// share, and no smaller remainder is rounded up before a larger one.
func TestProRata(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int64{1, 1, 1}, proRata(3, []int64{100, 250, 150}, 500), "the largest remainders: 0.6, 1.5, 0.9")
	require.Equal(t, []int64{1, 0}, proRata(1, []int64{5, 5}, 10), "of equal ones the first")
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(1, bucketMS), 1, 13).Draw(t, "weights")
		n := rapid.Int64Range(0, 1_000_000).Draw(t, "n")
		var total, sum int64
		for _, w := range weights {
			total += w
		}
		parts := proRata(n, weights, total)
		lowest, highest := total, int64(-1) // remainders rounded up, and down
		for i, p := range parts {
			sum += p
			switch rest := n * weights[i] % total; p - n*weights[i]/total {
			case 0:
				highest = max(highest, rest)
			case 1:
				lowest = min(lowest, rest)
			default:
				t.Fatalf("part %d is %d of %d", i, p, n)
			}
		}
		require.Equal(t, n, sum)
		require.GreaterOrEqual(t, lowest, highest)
	})
}

func drawSample(t *rapid.T) sample {
	return sample{
		End: rapid.Int64Range(-bucketMS, 4*bucketMS).Draw(t, "end"), PeriodMS: rapid.Int64Range(1, 3600).Draw(t, "period") * 1000,
		Counted: rapid.Bool().Draw(t, "counted"),
		SM:      rapid.Uint32Range(0, 900).Draw(t, "sm"), KR: rapid.Uint32Range(0, 9).Draw(t, "kr"), KB: rapid.Uint32Range(0, 1).Draw(t, "kb"),
		KTB: rapid.Uint32Range(0, 5).Draw(t, "ktb"), Unknown: rapid.Uint32Range(0, 5).Draw(t, "unknown"),
		SpeedM: rapid.Int64Range(-1, 100_000).Draw(t, "speed"), Occupancy: rapid.Int64Range(-1, 100_000).Draw(t, "occupancy"),
	}
}

// TestSplit: the five minutes of a sample add up to the sample.
func TestSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSample(t)
		var got sums
		before := s.End - s.PeriodMS - bucketMS
		s.split(func(at int64, o *sums) {
			require.Zero(t, at%bucketMS)
			require.Greater(t, at, before)
			require.Less(t, at, s.End)
			before = at
			got.add(o)
		})
		require.Equal(t, s.sums(), got)
	})
}

// TestWindow: what a window holds hangs on which samples came, not on their
// order, and it survives its bytes.
func TestWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(drawSample), 1, 60).Draw(t, "samples")
		for i := range all {
			all[i].End *= 4 // over the horizon
		}
		var a, b window
		for _, s := range all {
			a.add(s)
		}
		for _, s := range rapid.Permutation(all).Draw(t, "order") {
			b.add(s)
		}
		require.Equal(t, a.samples, b.samples)
		back, err := decodeWindow(a.encode())
		require.NoError(t, err)
		require.Equal(t, a.samples, back.samples)
	})
}

func TestWindowIsBounded(t *testing.T) {
	t.Parallel()
	var w window
	for i := range int64(3 * keepMost) {
		w.add(sample{End: i % 7, PeriodMS: 1000, Counted: true, SM: uint32(i)})
	}
	require.Len(t, w.samples, keepMost)
	for i := 1; i < keepMost; i++ {
		require.Negative(t, w.samples[i-1].compare(&w.samples[i]))
	}
}

// FuzzWindow: damaged bytes are refused or read, never a panic; what is read
// writes the same samples again.
func FuzzWindow(f *testing.F) {
	w := window{}
	for i := range int64(5) {
		w.add(sample{End: i * 60_000, PeriodMS: 60_000, Counted: i%2 == 0, SM: uint32(i), SpeedM: -1, Occupancy: 7})
	}
	f.Add(w.encode())
	f.Add([]byte{windowFormat, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := decodeWindow(b)
		if err != nil {
			return
		}
		back, err := decodeWindow(w.encode())
		require.NoError(t, err)
		require.Equal(t, w.samples, back.samples)
	})
}
