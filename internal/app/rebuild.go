package app

import (
	"context"
	"errors"
	"sort"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
)

// archived gives what follows a position in the days that the journal has
// retired, as series.Follower.Replay does.
type archived func(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error)

// archived asks the series, which is open before any follower runs.
func (g *gateway) archived(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
	return g.series.Replay(ctx, after, each)
}

// errStopped ends a walk through the archive.
var errStopped = errors.New("the gateway stops")

// fromArchive applies what the journal has retired, so that a follower whose
// file was removed or left behind is built again. It may take long: when stop
// or kill ends, it stops where it is, and the next start goes on from there.
func (r *runner) fromArchive(stop, kill context.Context, p *place) (stopped bool, err error) {
	r.log.Info("a follower is built from the archive", "follower", r.f.Name(), "after", p.applied)
	r.rebuilding.Store(true)
	defer r.rebuilding.Store(false)
	r.pulse.rest()
	reached, err := r.archive(stop, p.applied, func(entries []journal.Entry) error {
		if stop.Err() != nil || kill.Err() != nil {
			return errStopped
		}
		defer r.pulse.rest()
		return r.takeOrHold(stop, kill, p, entries)
	})
	switch {
	case stop.Err() != nil || kill.Err() != nil:
		return true, nil
	case err != nil:
		return false, err
	}
	// What is past its retention may be missing at the end.
	p.applied = max(p.applied, reached)
	return false, nil
}

// remember brings the memory of de-duplication from a position to the
// journal's head.
func (g *gateway) remember(ctx context.Context, memory *intake.Dedupe, pos uint64) error {
	reached, err := g.archived(ctx, pos, func(entries []journal.Entry) error {
		return memory.Replay(ctx, portion(entries), entries[0].Pos-1)
	})
	if err != nil {
		return err
	}
	return memory.Replay(ctx, g.journal, reached)
}

// portion is entries that were read already, as a log.
type portion []journal.Entry

var _ intake.Log = portion(nil)

// Read returns those after a position.
func (p portion) Read(_ context.Context, after uint64, _ int) ([]journal.Entry, error) {
	return p[sort.Search(len(p), func(i int) bool { return p[i].Pos > after }):], nil
}
