package main

import (
	"slices"
	"sync"
	"time"
)

// latencies gathers times from several goroutines.
type latencies struct {
	mu   sync.Mutex
	each []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each = append(l.each, d)
}

func (l *latencies) join(other []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each = append(l.each, other...)
}

// quantile returns the time that a share of them does not pass, in
// milliseconds.
func (l *latencies) quantile(share float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.each) == 0 {
		return 0
	}
	slices.Sort(l.each)
	return ms(l.each[min(int(share*float64(len(l.each))), len(l.each)-1)])
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
