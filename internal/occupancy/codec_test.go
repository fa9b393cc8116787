package occupancy

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzChunk: what decodes holds times in order within bounds, and encodes to
// bytes that decode to the same.
func FuzzChunk(f *testing.F) {
	f.Add(encodeObs(nil, []obs{{0, 0}, {5, 1}, {5, 7}, {maxAt, 1 << 60}}))
	f.Add([]byte{1, 0})
	f.Add([]byte{1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := decodeObs(data)
		if err != nil {
			require.Nil(t, list)
			return
		}
		last := int64(0)
		for _, o := range list {
			require.True(t, o.at >= last && o.at <= maxAt)
			last = o.at
		}
		again, err := decodeObs(encodeObs(nil, list))
		require.NoError(t, err)
		require.Equal(t, list, again)
	})
}

// FuzzBlock: what decodes encodes to bytes that decode to the same.
// FuzzBlock reads what is kept of a space: blocks of roll-ups, and the steps of
// what it was.
func FuzzBlock(f *testing.F) {
	f.Add((&block{0: {covered: 1, arr: 2}, 71: {covered: BucketMs, levels: levels{1: 5}}}).encode(nil))
	f.Add([]byte{1})
	f.Add([]byte{1, 80})
	f.Add([]byte(`[{"From":0,"Value":3},{"From":5,"Value":-1}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := decodeSteps[int64](string(data)); err == nil {
			text, err := s.encode()
			require.NoError(t, err)
			again, err := decodeSteps[int64](text)
			require.NoError(t, err)
			require.Equal(t, s, again)
			for _, x := range s {
				_ = s.at(x.From) + s.change(x.From)
			}
		}
		b, err := decodeBlock(data)
		if err != nil {
			require.Nil(t, b)
			return
		}
		again, err := decodeBlock(b.encode(nil))
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}

// TestStoredBytes holds the bytes that files on disk have.
func TestStoredBytes(t *testing.T) {
	list := []obs{{1000, vFree}, {61000, vOccupied | 31<<2}, {61000, vEnded}}
	require.Equal(t, "0103e80700e0d4037d0002", hex.EncodeToString(encodeObs(nil, list)))
	b := &block{1: {covered: 300, freeSum: 600, occSum: 300, freeMin: 2, arr: 1, dep: 3, drift: 4, levels: levels{1: 9, 2: 7}}}
	require.Equal(t, "0101ac02d804ac0202010304060907", hex.EncodeToString(b.encode(nil)))
	got, err := decodeBlock(b.encode(nil))
	require.NoError(t, err)
	require.Equal(t, b, got)
}

func TestSpansMerge(t *testing.T) {
	var s spans
	for range 1000 {
		from := rand.Int64N(1 << 20)
		s.add(from, from+rand.Int64N(100))
	}
	require.LessOrEqual(t, len(s), 1000)
	seen := append(spans{}, s...)
	s.merge(10)
	for _, x := range seen {
		found := false
		for _, y := range s {
			found = found || y.from <= x.from && x.to <= y.to
		}
		require.True(t, found)
	}
	for i := 1; i < len(s); i++ {
		require.Greater(t, s[i].from, s[i-1].to+1)
	}
}
