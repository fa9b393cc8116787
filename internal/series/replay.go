package series

import (
	"context"
	"fmt"
	"sort"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/journal"
)

// Replay calls each with what follows a position in the days that the journal
// does not have any more, in the journal's order, some entries at a time: for
// who is built anew, or was left behind. Kinds whose retention is over are
// missing, so that positions have holes. It returns the position after which
// the journal goes on, or with an error the one before the day that failed. A
// position that the journal still has is returned as it is. Any number of
// goroutines may call it, beside everything else.
func (f *Follower) Replay(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
	here := f.o.Journal.Days()
	if len(here) == 0 || after+1 >= here[0].First {
		return after, nil
	}
	first := here[0].First
	for _, day := range f.store.Days() {
		if day.Last <= after {
			continue
		}
		if day.First >= first || day.First > after+1 {
			break
		}
		f.o.Log.InfoContext(ctx, "series: a day that was retired is read from the archive", "date", day.Date, "past_retention", removed(&day))
		err := f.store.Entries(ctx, day.Date, func(entries []journal.Entry) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			entries = entries[sort.Search(len(entries), func(i int) bool { return entries[i].Pos > after }):]
			if len(entries) == 0 {
				return nil
			}
			return each(entries)
		})
		if err != nil {
			return after, fmt.Errorf("series: day %s: %w", day.Date, err)
		}
		after = day.Last
	}
	if after+1 < first {
		return after, fmt.Errorf("series: positions %d to %d are neither in the journal nor in the archive; bring the archive back from a backup", after+1, first-1)
	}
	return after, nil
}

// removed names the kinds of a day that are past their retention.
func removed(day *archive.Day) []string {
	var kinds []string
	for i := range day.Files {
		if day.Files[i].Removed {
			kinds = append(kinds, day.Files[i].Kind)
		}
	}
	return kinds
}
