package series_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/journal/followertest"
	"github.com/simpang-id/simpang/internal/series"
)

// sealing archives at a flush what is due and was applied, as the gateway's
// keeper does at its own hour.
type sealing struct {
	*series.Follower
	j *journal.Journal
}

func (s sealing) Flush() error {
	for _, d := range s.j.Days() {
		due := s.Due()
		if len(due) == 0 || due[0] != d.Date {
			continue
		}
		if s.Unrecorded() != nil || s.Applied() < d.Last {
			break
		}
		if _, err := s.Seal(context.Background(), d.Date); err != nil {
			return err
		}
	}
	return s.Follower.Flush()
}

// TestSuite: three days, of the first of which the journal says that it is archived.
func TestSuite(t *testing.T) {
	b := newBed(t)
	b.fill(11, day0, 1, 25)
	b.fill(12, day0+day, 1, 25)
	b.seal()
	b.fill(13, day0+2*day, 1, 30)
	entries, err := b.j.Read(t.Context(), 0, 1000)
	require.NoError(t, err)
	questions := map[string]followertest.Question[sealing]{}
	for i := range 2 {
		q := series.Query{Device: fmt.Sprintf("d%d", i), From: -ever, To: ever, Limit: 1000}
		if i == 1 {
			q.From, q.To = day0+12*hour, day0+60*hour
		}
		questions["readings of "+q.Device] = followertest.Question[sealing]{Ask: func(ctx context.Context, f sealing) (any, error) {
			page, err := f.Readings(ctx, q)
			return append([]journal.Entry{}, page.Entries...), err
		}}
	}
	followertest.Suite(t, followertest.Subject[sealing]{
		Partly: true, File: "series.db", Entries: entries, Questions: questions,
		Open: func(tb testing.TB, dir string) sealing {
			tb.Helper()
			f, err := series.Open(tb.Context(), filepath.Join(dir, "archive"), series.Options{Journal: b.j, Zone: jakarta, Index: filepath.Join(dir, "series.db"), Segment: 20})
			require.NoError(tb, err)
			return sealing{f, b.j}
		},
	})
}
