package journal

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// FuzzSealed: what is set aside comes back, and a change to any of it is told.
func FuzzSealed(f *testing.F) {
	q, err := OpenQuarantine(f.Context(), filepath.Join(f.TempDir(), "quarantine.db"), [32]byte{1}, Limits{})
	require.NoError(f, err)
	f.Cleanup(func() { _ = q.Close() })
	f.Add("d1", []byte("{}"), uint16(3), byte(1))
	f.Add("", []byte(nil), uint16(30), byte(0))
	f.Fuzz(func(t *testing.T, device string, raw []byte, at uint16, flip byte) {
		item := Item{Source: "s", Device: device, Topic: "t", Reason: city.ReasonImpossible, Raw: raw}
		ident := q.identOf(&item)
		other := item
		other.Device += "x"
		require.NotEqual(t, ident, q.identOf(&other))
		kept, err := q.sealed(&item, ident)
		require.NoError(t, err)
		require.False(t, len(raw) > 8 && bytes.Contains(kept, raw), "it is encrypted")
		kept[int(at)%len(kept)] ^= flip
		var back Item
		err = q.unseal(&back, ident, kept)
		if flip != 0 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, len(raw), back.RawSize)
		require.True(t, bytes.Equal(raw[:min(len(raw), RawKept)], back.Raw))
		require.Error(t, q.unseal(&back, q.identOf(&other), kept), "it belongs to one item")
		require.Error(t, q.unseal(&back, ident, kept[:int(at)%len(kept)]))
		require.Error(t, q.unseal(&back, ident, raw), "no bytes but ours")
	})
}
