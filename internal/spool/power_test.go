package spool_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// TestPowerLossInSpool: what was ended, numbered or taken before the cut is so
// after it; what was under way is done whole or not at all.
func TestPowerLossInSpool(t *testing.T) {
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(8)
	trace, acks := disk.Record(), powercut.NewAcks[[]string](disk)
	s := open(t, filepath.Join(dir, "spool.db"), 3000)
	waiting := func(s *spool.Spool) []string {
		var out []string
		for after := int64(0); ; {
			j, ok, err := s.Next(t.Context(), "till", after)
			require.NoError(t, err)
			if !ok {
				return out
			}
			out = append(out, fmt.Sprintf("%d %d %s %s", j.ID, j.Seq, j.Ending, j.Data))
			after = j.ID
		}
	}
	acks.Add(waiting(s))
	for i := range 40 {
		j := &spool.Job{Source: "till", Began: int64(i)}
		require.NoError(t, s.Append(t.Context(), j, fmt.Appendf(nil, "head %d, ", i)))
		j.Ending, j.Ended = "cut", int64(i)
		require.NoError(t, s.End(t.Context(), j, make([]byte, 100)))
		acks.Add(waiting(s))
		require.NoError(t, s.Number(t.Context(), j, 1, uint64(i+1)))
		acks.Add(waiting(s))
		if i%2 == 1 {
			require.NoError(t, s.Taken(t.Context(), []int64{j.ID - 1, j.ID}))
			acks.Add(waiting(s))
		}
		if i%10 == 9 {
			_, err := s.Expire(t.Context(), int64(i-5))
			require.NoError(t, err)
		}
	}
	require.NoError(t, s.Close())
	disk.Off()

	all := acks.All()
	trace.Each(t, 200, func(dir string, ops int) {
		path := filepath.Join(dir, "spool.db")
		s, err := spool.Open(t.Context(), path, key, 3000)
		require.NoError(t, err)
		got, acked := waiting(s), max(1, len(acks.Before(ops)))
		next := all[min(acked, len(all)-1)]
		require.True(t, equal(got, all[acked-1]) || equal(got, next), "%q is neither %q nor %q", got, all[acked-1], next)
		_, err = s.Recover(t.Context(), "till", "stopped")
		require.NoError(t, err)
		require.NoError(t, s.Close())
		_, err = spool.Verify(t.Context(), path, key)
		require.NoError(t, err)
	})
}

func equal(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
