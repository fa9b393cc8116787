package health

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// FuzzDay: what decodes encodes to bytes that decode to the same.
func FuzzDay(f *testing.F) {
	f.Add(testDay().encode(nil))
	f.Add([]byte{1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decodeDay(1, data)
		if err != nil {
			require.Nil(t, d)
			return
		}
		again, err := decodeDay(1, d.encode(nil))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}

// FuzzDevice: what decodes encodes to bytes that decode to the same.
func FuzzDevice(f *testing.F) {
	f.Add(testDevice().encode(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decodeDevice(data)
		if err != nil {
			require.Nil(t, d)
			return
		}
		again, err := decodeDevice(d.encode(nil))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}

func testDay() *day {
	return &day{date: 1, duplicates: 3, unread: 2, runs: []run{
		{key: runKey{true, 7}, received: 300, late: 1, seqs: seqRanges{{1, 200}, {202, 301}}, aside: seqRanges{{201, 201}}},
		{key: runKey{false, 0}, received: 1, seqs: seqRanges{{math.MaxUint64, math.MaxUint64}}},
	}}
}

func testDevice() *device {
	d := &device{
		lastSeen: 10, lastAt: 11, readings: 5, skewMs: -1, battery: part{3600, 4}, has: hasSkew | hasBoot | hasBattery,
		rest: &rest{firmware: "1", errors: []string{"a", ""}, first: 2, starts: []start{{5, 3, 1}, {900, 4, 2}}, last: 4},
	}
	return d
}

// TestStoredBytes holds the bytes that files on disk have.
func TestStoredBytes(t *testing.T) {
	require.Equal(t, "010302020107ac02010201c701026301c901000000010001ffffffffffffffffff010000", hex.EncodeToString(testDay().encode(nil)))
	got, err := decodeDay(1, testDay().encode(nil))
	require.NoError(t, err)
	require.Equal(t, testDay(), got)
	device, err := decodeDevice(testDevice().encode(nil))
	require.NoError(t, err)
	require.Equal(t, testDevice(), device)
}

// TestRanges compares ranges with a plain set.
func TestRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Uint64Range(0, 40), rapid.Uint64Range(math.MaxUint64-10, math.MaxUint64))
		draw := func(label string) (r seqRanges, set map[uint64]bool) {
			set = map[uint64]bool{}
			for _, n := range rapid.SliceOf(number).Draw(t, label) {
				require.Equal(t, !set[n], r.add(n))
				set[n] = true
			}
			return r, set
		}
		a, inA := draw("a")
		b, inB := draw("b")
		check := func(r seqRanges, set map[uint64]bool) {
			require.Equal(t, int64(len(set)), r.count())
			for i, x := range r {
				require.True(t, x.lo <= x.hi && (i == 0 || x.lo > r[i-1].hi+1))
				for n := x.lo; ; n++ {
					require.True(t, set[n])
					if n == x.hi {
						break
					}
				}
			}
		}
		check(a, inA)
		lacking := 0
		for n := range inA {
			if !inB[n] {
				lacking++
			}
		}
		require.Equal(t, int64(lacking), a.without(b))
		a.join(b)
		for n := range inB {
			inA[n] = true
		}
		check(a, inA)
	})
}

func TestRangesAreBounded(t *testing.T) {
	var r seqRanges
	for n := range uint64(3 * maxRanges) {
		r.add(2 * n)
	}
	require.Len(t, r, maxRanges)
	require.Equal(t, uint64(0), r[0].lo)
	require.Equal(t, uint64(6*maxRanges-2), r[maxRanges-1].hi)
	require.Equal(t, int64(math.MaxInt64), seqRanges{{0, math.MaxUint64}}.count())
}
