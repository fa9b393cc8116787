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
// much again, but no more than headroom, unless it is so large that collecting
// would cost too much time. Go's own rule doubles whatever is there, which makes
// a gateway of very many devices twice as large as it need be.
const (
	headroom     = 32 << 20 // bytes
	leastPercent = 15
	mostPercent  = 100 // Go's own

	paceEvery = time.Second
)

// percentOf returns the percentage for a heap of which live bytes are in use.
func percentOf(live uint64) int {
	if live == 0 {
		return mostPercent
	}
	return int(min(max(headroom*100/live, leastPercent), mostPercent))
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
	now := mostPercent
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
		metrics.Read(live)
		if live[0].Value.Kind() != metrics.KindUint64 {
			return
		}
		// A change stops the world for a moment: small ones are not worth it.
		if want := percentOf(live[0].Value.Uint64()); math.Abs(float64(want-now)) > float64(now)/16 {
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
