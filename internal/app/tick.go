package app

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
)

// tickEvery is how often intake appends a tick, the followers' only clock.
const tickEvery = time.Minute

// tick appends a tick at the start and at each full minute.
func (g *gateway) tick(ctx context.Context) {
	for {
		if _, _, err := g.staff.do(ctx, intake.Command{Entries: []journal.Entry{{Type: journal.TypeTick}}}); err != nil && ctx.Err() == nil {
			g.log.Debug("no tick", "error", err)
		}
		now := g.now()
		next := time.NewTimer(now.Truncate(tickEvery).Add(tickEvery).Sub(now))
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case <-next.C:
		}
	}
}
