package series

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
)

func TestChunksComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		first := rapid.Uint64Range(1, 1<<40).Draw(r, "first")
		pos := first + rapid.Uint64Range(0, 1000).Draw(r, "skip")
		var chunks []chunk
		var want []uint64
		for range rapid.IntRange(1, 300).Draw(r, "n") {
			at := rapid.Int64Range(-1<<50, 1<<50).Draw(r, "at")
			chunks = add(chunks, pos, at, rapid.SampledFrom(city.Kinds).Draw(r, "kind"))
			want = append(want, pos)
			pos += rapid.Uint64Range(1, 1<<20).Draw(r, "step")
		}
		data := packChunks(nil, first, chunks)
		got, err := decodeChunks(nil, first, data)
		require.NoError(r, err)
		var positions []uint64
		for i := range got {
			positions = got[i].positions(positions)
			require.Equal(r, chunks[i].n, got[i].n)
			require.Equal(r, chunks[i].kinds, got[i].kinds)
			require.Equal(r, [2]int64{chunks[i].minAt, chunks[i].maxAt}, [2]int64{got[i].minAt, got[i].maxAt})
		}
		require.Equal(r, want, positions)
		_, _ = decodeChunks(nil, first, data[:rapid.IntRange(0, len(data)-1).Draw(r, "cut")]) // no panic
	})
}

// FuzzChunks: what decodes has as many positions as its bytes say, none before
// the first, and encodes to bytes that decode to the same.
func FuzzChunks(f *testing.F) {
	var chunks []chunk
	for i := range uint64(130) {
		chunks = add(chunks, 100+i*i, int64(i)*1000, city.Kinds[i%6])
	}
	f.Add(packChunks(nil, 90, chunks))
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 4, 5})
	f.Add([]byte{0, 0, 0, 1, 1, 200})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeChunks(nil, 90, data)
		if err != nil {
			return
		}
		for i := range got {
			require.NotEmpty(t, got[i].positions(nil))
		}
		again, err := decodeChunks(nil, 90, packChunks(nil, 90, got))
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}
