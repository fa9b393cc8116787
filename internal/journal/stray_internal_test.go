package journal

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestADayThatDidNotBeginLeavesNothing: the first commit of a day may reach its
// new file and be reported as failed all the same. What comes next may lie in
// another day, since our clock was set right meanwhile.
func TestADayThatDidNotBeginLeavesNothing(t *testing.T) {
	const day = int64(24 * 3_600_000)
	for name, next := range map[string][]int64{
		"the same day":              {day},
		"the day before":            {2000},
		"the day before, then that": {2000, day},
		"a later day":               {2 * day},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j, err := Open(t.Context(), dir, Options{Zone: time.UTC})
			require.NoError(t, err)
			_, err = j.Append(t.Context(), tick(1000))
			require.NoError(t, err)
			lost := errors.New("the disk is away")
			broken := true
			j.sync = func(dir string) error {
				if broken {
					return lost
				}
				return fsyncDir(dir)
			}
			head := j.Head()
			for range 2 { // the second finds that the first cannot be taken back
				_, err = j.Append(t.Context(), tick(day))
				require.ErrorIs(t, err, lost)
				require.Equal(t, head, j.Head())
			}
			broken = false
			var want []int64
			for _, recv := range next {
				_, err := j.Append(t.Context(), tick(recv))
				require.NoError(t, err)
				want = append(want, recv)
			}
			require.NoError(t, j.Verify(t.Context(), nil))
			require.NoError(t, j.Close())

			j, err = Open(t.Context(), dir, Options{Zone: time.UTC})
			require.NoError(t, err)
			defer func() { require.NoError(t, j.Close()) }()
			require.NoError(t, j.Verify(t.Context(), nil))
			entries, err := j.Read(t.Context(), head, 100)
			require.NoError(t, err)
			var got []int64
			for i := range entries {
				if entries[i].Type == TypeTick {
					got = append(got, entries[i].Recv)
				}
			}
			require.Equal(t, want, got)
		})
	}
}
