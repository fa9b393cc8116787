package series_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/series"
)

// Files of one page are read beside each other: damage in any of them is told,
// and never a shorter answer.
func TestDamageInAnyFileOfAPageIsTold(t *testing.T) {
	b, _ := retiredBed(t)
	paths, err := filepath.Glob(filepath.Join(b.dir, "archive", "*", "2026-03-0[23].parquet"))
	require.NoError(t, err)
	require.Len(t, paths, 14) // of other entries too
	for _, path := range paths {
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		bad := append([]byte{}, whole...)
		for i := 4; i < len(bad)/2; i++ {
			bad[i] ^= 0x55
		}
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		told := 0
		for device := range 6 {
			q := series.Query{Device: fmt.Sprintf("d%d", device), From: -ever, To: ever, Limit: 1000}
			page, err := b.f.Readings(t.Context(), q)
			if _, damage := errors.AsType[*archive.DamageError](err); damage {
				told++
				continue
			}
			require.NoError(t, err)
			require.Equal(t, b.want(q), page.Entries)
		}
		if filepath.Base(filepath.Dir(path)) == archive.Other {
			require.Zero(t, told)
		} else {
			require.Positive(t, told, path)
		}
		require.NoError(t, os.WriteFile(path, whole, 0o600))
	}
}

// Many who ask at once share the few that read beside them.
func TestManyAskAtOnce(t *testing.T) {
	b, _ := retiredBed(t)
	var all sync.WaitGroup
	for i := range 24 {
		q := series.Query{Device: fmt.Sprintf("d%d", i%6), From: -ever, To: ever, Limit: 5 + i*20}
		all.Go(func() {
			var got int
			for {
				page, err := b.f.Readings(t.Context(), q)
				if err != nil {
					t.Error(err)
					return
				}
				got += len(page.Entries)
				if page.Next == nil {
					break
				}
				q.After = page.Next
			}
			if want := len(b.want(q)); got != want {
				t.Errorf("%s: %d readings of %d", q.Device, got, want)
			}
		})
	}
	all.Wait()
}
