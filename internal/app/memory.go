package app

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How far the heap may grow past what is in use before it is collected: as
// much again, but no more than the room, unless it is so large that collecting
// would cost too much time. Go's own rule doubles whatever is there, which makes
// a gateway of very many devices twice as large as it need be. The room is what
// is allocated in the time between two collections, so that a gateway which has
// little to do is small, and one that takes in all it can seldom collects.
const (
	leastHeadroom = 12 << 20 // bytes
	mostHeadroom  = 32 << 20
	collectEvery  = time.Second / 2
	leastPercent  = 15
	mostPercent   = 100 // Go's own

	paceEvery = time.Second
)

// roomFor returns the room at a rate of allocation, bytes a second.
func roomFor(rate uint64) uint64 {
	return min(max(rate*uint64(collectEvery)/uint64(time.Second), leastHeadroom), mostHeadroom)
}

// percentOf returns the percentage for a room where so many bytes are in use,
// those of stacks and globals too, since Go adds it to all of them.
func percentOf(used, room uint64) int {
	if used == 0 {
		return mostPercent
	}
	return int(min(max(room*100/used, leastPercent), mostPercent))
}

// paceMemory keeps the heap small while the gateway runs. The variables GOGC
// and GOMEMLIMIT win over it.
func (g *gateway) paceMemory(ctx context.Context, undo *stack) error {
	if limit := cgroupLimit(cgroupFile); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		before := debug.SetMemoryLimit(limit / 10 * 9) // the rest is SQLite's and the kernel's
		undo.push("memory limit", func() error {
			debug.SetMemoryLimit(before)
			return nil
		})
	}
	if os.Getenv("GOGC") != "" {
		return nil
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	before := debug.SetGCPercent(mostPercent)
	done.Go(func() { paceGC(running) })
	undo.push("pace of collections", func() error {
		stop()
		done.Wait()
		debug.SetGCPercent(before)
		return nil
	})
	return nil
}

func paceGC(ctx context.Context) {
	each := time.NewTicker(paceEvery)
	defer each.Stop()
	now, before, rate := mostPercent, uint64(0), uint64(0)
	seen := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
		metrics.Read(seen)
		used := uint64(0)
		for i := range seen {
			if seen[i].Value.Kind() != metrics.KindUint64 {
				return
			}
			if i > 0 {
				used += seen[i].Value.Uint64()
			}
		}
		all := seen[0].Value.Uint64()
		rate = max(all-before, rate-rate/8) // a lull of a second is none
		before = all
		// A change stops the world for a moment: small ones are not worth it.
		if want := percentOf(used, roomFor(rate)); math.Abs(float64(want-now)) > float64(now)/16 {
			now = want
			debug.SetGCPercent(want)
		}
	}
}

const cgroupFile = "/sys/fs/cgroup/memory.max"

// cgroupLimit returns the bytes that the process's container may have, 0 for
// no limit.
func cgroupLimit(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil { // "max"
		return 0
	}
	return limit
}
