package app

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A follower fails for an hour, on the clock of a bubble: it is tried again and
// again, about once a minute; another that reads the same feed is level all
// the time; and when what was wrong is right, nothing is missing.
func TestAFollowerFailsForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t)
		bad, good := &tape{bad: 5}, &tape{}
		ctx, cancel := context.WithCancel(t.Context())
		start := func(f *tape) *runner {
			r := &runner{
				f: f, reopen: f.Reopen, backoff: reopenBackoff, feed: l.feed,
				flushEvery: time.Second, flushMost: 1000, log: slog.New(slog.DiscardHandler), now: time.Now,
			}
			go r.run(ctx, context.WithoutCancel(ctx))
			return r
		}
		r := start(bad)
		start(good)
		for second := 0; second < 3600; second += 3 {
			l.append(1)
			time.Sleep(3 * time.Second)
			synctest.Wait()
			require.LessOrEqual(t, l.j.Head()-good.Cursor(), uint64(1), "the other goes on, second %d", second)
			if second > 10 {
				require.Contains(t, r.status().Fault, "a bad entry")
			}
		}
		require.Less(t, bad.Cursor(), uint64(5))
		require.Greater(t, bad.reopened(), 50)
		require.Less(t, bad.reopened(), 100, "it is no load")
		bad.mend()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Empty(t, r.status().Fault)
		cancel()
		synctest.Wait()
		l.wantAll(good)
		l.wantAll(bad)
	})
}
