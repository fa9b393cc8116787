package health_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// A device that begins a run with each message: what is kept of its day is
// bounded, and nothing is lost from the counts.
func TestRunWithEachMessage(t *testing.T) {
	for name, reading := range map[string]func(n int) (city.Reading, journal.Flags){
		"a new boot": func(n int) (city.Reading, journal.Flags) {
			return city.Reading{HasBoot: true, Boot: uint64(n), Seq: 1, At: begin + int64(n)}, 0
		},
		"falling numbers": func(n int) (city.Reading, journal.Flags) {
			return city.Reading{Seq: uint64(1_000_000 - n), At: begin + int64(n)}, journal.FlagNewRun
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "d,600")
			const many = 5000
			for n := range many {
				r, flags := reading(n)
				w.reading(r, flags)
			}
			w.flush()
			c := w.completeness("2026-03-02")
			require.EqualValues(t, many, c.Received)
			require.EqualValues(t, many, c.Expected)
			require.Zero(t, c.Missing)
			require.Positive(t, c.OlderRuns)
			w.reopen()
			require.Equal(t, c, w.completeness("2026-03-02"))

			db, err := sql.Open("sqlite", w.path)
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			var size int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT max(length(data)) FROM day").Scan(&size))
			require.Less(t, size, 4<<10, "bytes of the day's row")
		})
	}
}

// Runs with very many gaps hold no more together than a few such runs.
func TestRunsOfGaps(t *testing.T) {
	w := newWorld(t, "d,600")
	const runs, readings = 20, 2000
	for n := range readings {
		for boot := range uint64(runs) {
			w.sent(boot, uint64(2*n), begin)
		}
	}
	c := w.completeness("2026-03-02")
	require.EqualValues(t, runs*readings, c.Received)
	require.Less(t, len(c.Gaps), 10_000)
	require.Positive(t, c.OlderRuns)
}
