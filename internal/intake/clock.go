package intake

import (
	"fmt"
	"sync"
	"time"
)

// Instant is a reading of our own clocks at one moment. The caller holds the
// clocks, so that a simulated year runs on the simulator's.
type Instant struct {
	Wall int64 // Unix ms
	Mono int64 // ms since an arbitrary start, never set back
}

// clockSlack is how far our own clock may be off before nothing is taken
// (contract, section 2).
const clockSlack = int64(5 * time.Minute / time.Millisecond)

// ClockGuard decides whether our own clock can be trusted.
type ClockGuard struct {
	mu       sync.Mutex
	build    int64 // Unix ms; our clock is never before it
	newest   int64 // Unix ms of the newest commit
	offset   int64 // wall - mono when last trusted
	known    bool
	accepted bool // a person accepted the clock as it is
}

// NewClockGuard returns a guard for a program built at build whose journal's
// newest commit was at newest (both Unix ms; newest 0: none).
func NewClockGuard(build, newest int64) *ClockGuard {
	return &ClockGuard{build: build, newest: newest}
}

// Check returns nil where the clock can be trusted at now.
func (g *ClockGuard) Check(now Instant) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if fault := g.judge(now); fault != "" {
		return &ClockError{Fault: fault}
	}
	g.accepted = false
	g.known, g.offset = true, now.Wall-now.Mono
	g.newest = max(g.newest, now.Wall)
	return nil
}

func (g *ClockGuard) judge(now Instant) string {
	wall := time.UnixMilli(now.Wall).UTC().Format(time.RFC3339)
	switch {
	case g.accepted:
		return ""
	case now.Wall < g.build:
		return fmt.Sprintf("our clock says %s, before this program was built (%s)", wall, time.UnixMilli(g.build).UTC().Format(time.RFC3339))
	case now.Wall < g.newest-clockSlack:
		return fmt.Sprintf("our clock says %s, over 5 min before the newest commit (%s)", wall, time.UnixMilli(g.newest).UTC().Format(time.RFC3339))
	case g.known && abs(now.Wall-now.Mono-g.offset) > clockSlack:
		return fmt.Sprintf("our clock jumped by %d s to %s", (now.Wall-now.Mono-g.offset)/1000, wall)
	}
	return ""
}

// Accept takes the clock as it is at now: from the next check on it is trusted.
func (g *ClockGuard) Accept(now Instant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.judge(now) != "" {
		g.accepted, g.known = true, false
		g.build, g.newest = 0, 0
	}
}

// Fault returns why the clock is not trusted at now, "" where it is.
func (g *ClockGuard) Fault(now Instant) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.judge(now)
}

func abs(v int64) int64 { return max(v, -v) }

// ClockError says that nothing is taken because our own clock is wrong.
type ClockError struct{ Fault string }

// Error says what is wrong and what to do.
func (e *ClockError) Error() string {
	return "clock: " + e.Fault + "; nothing is taken: set the clock, or accept it by POST /v1/admin/clock"
}
