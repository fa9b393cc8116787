package series_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/series"
)

// The next page does not read again what the one before has read and not shown:
// it comes whole from there, once.
func TestAPageBeginsWithWhatTheOneBeforeHasLeft(t *testing.T) {
	b, _ := retiredBed(t)
	q := series.Query{Device: "d0", From: -ever, To: ever, Kinds: []city.Kind{city.KindGate}, Limit: 3}
	want := b.want(q)
	require.Greater(t, len(want), 6)
	first, err := b.f.Readings(t.Context(), q)
	require.NoError(t, err)
	require.NotNil(t, first.Next)

	paths, err := filepath.Glob(filepath.Join(b.dir, "archive", "*", "*.parquet"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for i := 4; i < len(data)/2; i++ {
			data[i] ^= 0x55
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	q.After = first.Next
	second, err := b.f.Readings(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, want[3:6], second.Entries)
	_, err = b.f.Readings(t.Context(), q)
	var damage *archive.DamageError
	require.ErrorAs(t, err, &damage)
}
