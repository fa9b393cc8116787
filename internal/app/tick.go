package app

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
)

// tickEvery is how often intake appends a tick at least, the followers' only clock.
const tickEvery = time.Minute

// tick appends a tick at the start, at each full minute, and in the second after
// the present changes though nothing comes: a state that expires or a closure
// that ends within a minute is told when it does.
func (g *gateway) tick(ctx context.Context) {
	each := time.NewTicker(time.Second)
	defer each.Stop()
	var minute, told int64
	for {
		now := g.now().UnixMilli()
		if told > now { // our clock was set back
			told = 0
		}
		due := max(passed(g.occupancy.now().Due(), now), passed(g.traffic.now().Due(), now))
		if at := now / tickEvery.Milliseconds(); at != minute || due > told {
			minute, told = at, max(due, told)
			if _, _, err := g.staff.do(ctx, intake.Command{Entries: []journal.Entry{{Type: journal.TypeTick}}}); err != nil && ctx.Err() == nil {
				g.log.Debug("no tick", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
	}
}

// passed is a time that has come by now, else 0.
func passed(due, now int64) int64 {
	if due > now {
		return 0
	}
	return due
}
